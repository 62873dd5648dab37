package python

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// giskardRun is one call to the real Giskard, and the model it talks to.
type giskardRun struct {
	author *actor.Author
	doc    *model.Document
	engine *Engine
	temp   string
	rows   []model.Row
	// on replies in place of the author; ok false leaves it to the author.
	on func(req *llm.Request) (resp *llm.Response, err error, ok bool)
	// vectors stand in for the lexical ones.
	vectors llm.Embedder
	// wait is how long a call takes.
	wait time.Duration

	mu  sync.Mutex
	log []*llm.Request
}

// newGiskardRun skips the test where there is no environment.
func newGiskardRun(tb testing.TB, document string, rows int, o Options) *giskardRun {
	tb.Helper()
	o.Dir = os.Getenv("CASEBOOK_FRAMEWORKS")
	if o.Dir == "" {
		tb.Skip("CASEBOOK_FRAMEWORKS names no folder with environments of the frameworks")
	}
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "documents", document))
	if err != nil {
		tb.Fatal(err)
	}
	r := &giskardRun{temp: tb.TempDir()}
	if r.doc, err = model.ParseMarkdown(document, b, nil); err != nil {
		tb.Fatal(err)
	}
	a, err := actor.New(tb.Context(), r.doc)
	if err != nil {
		tb.Fatal(err)
	}
	r.author = &actor.Author{Actor: a}
	o.Framework, o.Temp = Giskard, r.temp
	if r.engine, err = New(o); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := r.engine.Close(); err != nil {
			tb.Error(err)
		}
		if left, err := os.ReadDir(r.temp); err != nil || len(left) > 0 {
			tb.Errorf("left behind: %v, %v", left, err)
		}
	})
	for i := range rows {
		p := &a.Extraction.Policies[i%len(a.Extraction.Policies)]
		row := model.Row{ID: fmt.Sprintf("r%d", i+1), PolicyIDs: []string{p.ID}, Roles: map[string]model.Role{p.ID: model.Plain}, Examples: 1}
		if i >= len(a.Extraction.Policies) {
			row.Roles[p.ID] = model.Pressed
		}
		r.rows = append(r.rows, row)
	}
	return r
}

// again is another call to the same engine.
func (r *giskardRun) again() *giskardRun {
	return &giskardRun{author: r.author, doc: r.doc, engine: r.engine, temp: r.temp, rows: r.rows}
}

func (r *giskardRun) generate(ctx context.Context) (*generator.Output, error) {
	x := r.author.Extraction
	vectors := r.vectors
	if vectors == nil {
		vectors = llm.NewLexical(nil)
	}
	return r.engine.Generate(ctx, &generator.Call{
		ID: "call", Seed: 7, Documents: []*model.Document{r.doc}, Language: x.Language, UseCase: x.UseCases[0],
		Policies: x.Policies, AllPolicies: x.Policies, Rows: r.rows, Args: json.RawMessage(`{"num_questions":100}`),
		Model: r, Embedder: vectors, Log: slog.New(slog.DiscardHandler),
	})
}

func (r *giskardRun) Model() string { return "gpt-5.4-with-a-price" }

func (r *giskardRun) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	r.mu.Lock()
	r.log = append(r.log, req)
	r.mu.Unlock()
	if r.wait > 0 {
		select {
		case <-time.After(r.wait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if r.on != nil {
		if resp, err, ok := r.on(req); ok {
			return resp, err
		}
	}
	return r.author.Complete(ctx, req)
}

// calls counts the requests by what they are for.
func (r *giskardRun) calls() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]int{}
	for _, req := range r.log {
		out[req.Purpose]++
	}
	return out
}

// scoped has the first policy be the one on what cannot be answered.
func scoped(req *llm.Request) (*llm.Response, error, bool) {
	return &llm.Response{Text: `{"rules":["p1"]}`}, nil, req.Purpose == "python_giskard_scope"
}

// The contract between what Giskard makes and what comes out, in two languages.
func TestRealGiskard(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"bike_rental_en.md", "flower_delivery_ru.md"} {
		t.Run(document, func(t *testing.T) {
			t.Parallel()
			const rows = 14
			r := newGiskardRun(t, document, rows, Options{})
			r.wait, r.on = 50*time.Millisecond, scoped
			first := slices.IndexFunc(r.author.Extraction.Policies, func(p model.Policy) bool {
				return p.Type == model.Must || p.Type == model.MustNot || p.Type == model.Escalate
			})
			for i := range 2 { // so that what is out of scope has rows
				id := r.author.Extraction.Policies[first].ID
				r.rows[i].PolicyIDs, r.rows[i].Roles = []string{id}, map[string]model.Role{id: model.Plain}
			}
			began := time.Now()
			out, err := r.generate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("Giskard %s, %d rows: %v, %v", out.Version, rows, r.calls(), time.Since(began).Round(10*time.Millisecond))
			if out.Engine != "python" || out.Version != r.engine.Version() || len(out.Dropped) > 0 || len(out.Records) != rows {
				t.Fatalf("engine %q %q, %d records, dropped: %v", out.Engine, out.Version, len(out.Records), out.Dropped)
			}
			types := map[string]int{}
			for _, rec := range out.Records {
				q, err := giskard.Parse(rec.JSON)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range rec.Spans {
					if text := string(r.doc.Bytes()[s.StartByte:s.EndByte]); !strings.Contains(q.ReferenceContext, ": "+text) {
						t.Errorf("%s: the reference context lacks\n%s", rec.Row, text)
					}
				}
				if len(rec.Spans) == 0 || len(q.Extra) > 0 || q.Metadata.Topic == "" || q.Metadata.Topic == "Others" {
					t.Errorf("%s: %d spans, other keys %v, topic %q", rec.Row, len(rec.Spans), q.Extra, q.Metadata.Topic)
				}
				if strings.Contains(string(rec.JSON), giskardSituation) || q.ReferenceAnswer == giskardRefusal {
					t.Errorf("%s: what Giskard says in the model's place is in the record: %s", rec.Row, rec.JSON)
				}
				if document == "flower_delivery_ru.md" && strings.Contains(string(rec.JSON), giskardHelp) {
					t.Errorf("%s: an English turn is in the record: %s", rec.Row, rec.JSON)
				}
				types[q.Metadata.QuestionType]++
				if rec.Notes == nil || len(rec.Notes.Criteria) < 3 {
					t.Errorf("%s: notes %+v", rec.Row, rec.Notes)
				}
			}
			if want := []string{"complex", "conversational", "distracting element", "double", "out of scope", "simple", "situational"}; !slices.Equal(want, slices.Sorted(maps.Keys(types))) {
				t.Errorf("the types are %v", types)
			}
		})
	}
}

// Neither timing nor the parting into jobs changes a byte.
func TestRealGiskardRepeats(t *testing.T) {
	t.Parallel()
	var first map[string]string
	for i, o := range []Options{{Concurrency: 1, Workers: 1}, {}, {Batch: 3, Workers: 2}, {Batch: 1, Concurrency: 3}} {
		r := newGiskardRun(t, "flower_delivery_ru.md", 7, o)
		r.on = scoped
		out, err := r.generate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := records(out)
		if i == 0 {
			if first = got; len(first) != 7 {
				t.Fatalf("%d records", len(first))
			}
			continue
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("options %d (-want +got):\n%s", i, diff)
		}
	}
}

// A call that fails for good costs its item, and no other. Giskard itself goes on
// with a question less, or with an English situation.
func TestRealGiskardLosesOneItem(t *testing.T) {
	t.Parallel()
	whole := newGiskardRun(t, "bike_rental_en.md", 14, Options{TopUps: -1, Workers: 1})
	all, err := whole.generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, schema := range []string{"pair", "question", "pairs", "turns", ""} {
		t.Run("reply "+schema, func(t *testing.T) {
			t.Parallel()
			r := whole.again()
			var once sync.Once
			var unlucky *llm.Request
			r.on = func(req *llm.Request) (*llm.Response, error, bool) {
				if req.Purpose != "python_giskard" || schemaOf(req) != schema {
					return nil, nil, false
				}
				once.Do(func() { unlucky = req })
				return nil, &llm.Error{Kind: llm.KindOverload, Status: 503, Message: "out of order"}, req == unlucky
			}
			out, err := r.generate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Dropped) != 1 || !strings.Contains(out.Dropped[0].Reason, "out of order") {
				t.Fatalf("dropped: %v", out.Dropped)
			}
			want := records(all)
			delete(want, out.Dropped[0].Row)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(records(out)))); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

// One request in five fails for good: what was lost is made again.
func TestRealGiskardFails(t *testing.T) {
	t.Parallel()
	r := newGiskardRun(t, "flower_delivery_ru.md", 20, Options{TopUps: 6, Workers: 1})
	r.on = func(req *llm.Request) (*llm.Response, error, bool) {
		if req.Purpose != "python_giskard" {
			return nil, nil, false
		}
		return nil, &llm.Error{Kind: llm.KindOverload, Status: 503, Message: "out of order"}, stage.Hash(1, llm.Key(req))%5 == 0
	}
	out, err := r.generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Records) != 20 {
		t.Errorf("%d records, dropped: %v", len(out.Records), out.Dropped)
	}
}

// embedder returns what its function does.
type embedder func(texts []string) ([][]float32, error)

func (e embedder) Embed(_ context.Context, texts []string) ([][]float32, error) { return e(texts) }

// Vectors are those of the call, asked for once for a knowledge base, and what is
// near to the seed is in the context, whatever the length of the vectors.
func TestRealGiskardVectors(t *testing.T) {
	t.Parallel()
	first := newGiskardRun(t, "bike_rental_en.md", 3, Options{TopUps: -1, Workers: 1})
	for _, tt := range []struct {
		name     string
		vector   func(i int) []float32
		together bool // all passages are near to each other
		err      error
		fails    string
	}{
		{name: "all near", vector: func(int) []float32 { return []float32{20, 1} }, together: true},
		{name: "all far", vector: func(i int) []float32 { v := make([]float32, 400); v[i] = 3; return v }},
		{name: "nothing known", vector: func(int) []float32 { return []float32{0, 0} }, together: true},
		{name: "no vectors", err: &llm.Error{Kind: llm.KindOverload, Status: 503, Message: "out of order"}, fails: "out of order"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := first.again()
			var mu sync.Mutex
			asked, known := 0, map[string]int{}
			r.vectors = embedder(func(texts []string) ([][]float32, error) {
				mu.Lock()
				defer mu.Unlock()
				asked++
				if tt.err != nil {
					return nil, tt.err
				}
				out := make([][]float32, len(texts))
				for i, text := range texts {
					if _, ok := known[text]; !ok {
						known[text] = len(known)
					}
					out[i] = tt.vector(known[text])
				}
				return out, nil
			})
			out, err := r.generate(t.Context())
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) || len(out.Dropped) != 3 {
					t.Fatalf("error %v, dropped %v", err, out.Dropped)
				}
				return
			}
			if err != nil || len(out.Records) != 3 {
				t.Fatalf("%d records, dropped %v, error %v", len(out.Records), out.Dropped, err)
			}
			// The same worker has served other vectors under the same name.
			if asked < 1 || asked > 2 {
				t.Errorf("asked for vectors %d times", asked)
			}
			for _, rec := range out.Records {
				if got := len(rec.Spans) >= 4; got != tt.together {
					t.Errorf("%s has %d contexts", rec.Row, len(rec.Spans))
				}
			}
		})
	}
}

// What Giskard does with replies that are not what it asks for.
func TestRealGiskardReplies(t *testing.T) {
	t.Parallel()
	first := newGiskardRun(t, "flower_delivery_ru.md", 6, Options{TopUps: -1, Workers: 1}) // a row for each type in scope
	for _, tt := range []struct {
		name, schema, text string
		dropped            int    // rows
		reason             string // of each
		kind, has          string // what a record of a type holds; "" for any
	}{
		// The prompt for a situation shows an example of another step, in JSON.
		{name: "a situation in JSON", text: `{"question": "Медсестра переезжает в Тверь."}`, kind: "situational", has: `"situational_context":"Медсестра переезжает в Тверь."`},
		{name: "a situation in quotes", text: `"Медсестра переезжает."`, kind: "situational", has: `"situational_context":"Медсестра переезжает."`},
		{name: "a blank question", schema: "question", text: `{"question":"  "}`, dropped: 3, reason: "the input is blank"},
		{name: "a question that is an object", schema: "question", text: `{"question":{"ru":"Где заказ?","en":"Where?"}}`, dropped: 3, reason: "schema"},
		{name: "one half of two", schema: "pairs", text: `{"pairs":[{"question":"Где заказ?","answer":"В пути."}]}`, dropped: 1, reason: "schema"},
		{name: "no JSON", schema: "turns", text: `Где заказ?`, dropped: 1, reason: "schema"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := first.again()
			r.on = func(req *llm.Request) (*llm.Response, error, bool) {
				return &llm.Response{Text: tt.text}, nil, req.Purpose == "python_giskard" && schemaOf(req) == tt.schema
			}
			out, err := r.generate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Dropped) != tt.dropped || len(out.Records) != 6-tt.dropped {
				t.Errorf("%d records, dropped: %v", len(out.Records), out.Dropped)
			}
			for _, d := range out.Dropped {
				if !strings.Contains(d.Reason, tt.reason) {
					t.Errorf("%s was dropped for another reason than %q: %s", d.Row, tt.reason, d.Reason)
				}
			}
			for _, rec := range out.Records {
				if kind := fmt.Sprintf(`"question_type":%q`, tt.kind); strings.Contains(string(rec.JSON), kind) && !strings.Contains(string(rec.JSON), tt.has) {
					t.Errorf("%s lacks %s: %s", rec.Row, tt.has, rec.JSON)
				}
			}
		})
	}
}
