package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

// deepEvalRun is one call to the real DeepEval, and the model it talks to.
type deepEvalRun struct {
	author *actor.Author
	doc    *model.Document
	engine *Engine
	rows   []model.Row
	// on replies in place of the author; ok false leaves it to the author.
	on func(req *llm.Request) (resp *llm.Response, err error, ok bool)
	// wait is how long a call takes.
	wait time.Duration

	mu    sync.Mutex
	log   []*llm.Request
	under int
	most  int
}

// realDeepEval skips the test where there is no environment.
func realDeepEval(tb testing.TB, o Options) *Engine {
	tb.Helper()
	o.Dir = os.Getenv("CASEBOOK_FRAMEWORKS")
	if o.Dir == "" {
		tb.Skip("CASEBOOK_FRAMEWORKS names no folder with environments of the frameworks")
	}
	o.Framework, o.Temp = DeepEval, tb.TempDir()
	engine, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := engine.Close(); err != nil {
			tb.Error(err)
		}
		if left, err := os.ReadDir(o.Temp); err != nil || len(left) > 0 {
			tb.Errorf("left behind: %v, %v", left, err)
		}
	})
	return engine
}

func newDeepEvalRun(tb testing.TB, engine *Engine, document string, rows int) *deepEvalRun {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "documents", document))
	if err != nil {
		tb.Fatal(err)
	}
	r := &deepEvalRun{engine: engine, doc: deepEvalDocument(tb, document, string(b))}
	a, err := actor.New(tb.Context(), r.doc)
	if err != nil {
		tb.Fatal(err)
	}
	r.author = &actor.Author{Actor: a}
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

func (r *deepEvalRun) generate(ctx context.Context) (*generator.Output, error) {
	x := r.author.Extraction
	return r.engine.Generate(ctx, &generator.Call{
		ID: "call", Seed: 7, Documents: []*model.Document{r.doc}, Language: x.Language, UseCase: x.UseCases[0],
		Policies: x.Policies, AllPolicies: x.Policies, Rows: r.rows, Args: json.RawMessage(`{"num_goldens":100,"include_expected_output":true}`),
		Model: r, Embedder: llm.NewLexical(nil), Log: slog.New(slog.DiscardHandler),
	})
}

func (r *deepEvalRun) Model() string { return "gpt-5.4-with-a-price" }

func (r *deepEvalRun) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	r.mu.Lock()
	r.log = append(r.log, req)
	r.under++
	r.most = max(r.most, r.under)
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.under--
		r.mu.Unlock()
	}()
	if r.wait > 0 {
		select {
		case <-time.After(r.wait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if r.on != nil && req.Purpose == "python_deepeval" {
		if resp, err, ok := r.on(req); ok {
			return resp, err
		}
	}
	return r.author.Complete(ctx, req)
}

// calls counts the requests by what they are for.
func (r *deepEvalRun) calls() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]int{}
	for _, req := range r.log {
		out[req.Purpose]++
	}
	return out
}

// schemaOf names what a request of DeepEval asks for, "" for a text.
func schemaOf(req *llm.Request) string {
	if req.Schema == nil {
		return ""
	}
	return req.Schema.Name
}

func records(out *generator.Output) map[string]string {
	m := map[string]string{}
	for _, rec := range out.Records {
		m[rec.Row] = string(rec.JSON)
	}
	return m
}

// The contract between what DeepEval makes and what comes out, in two languages.
func TestRealDeepEval(t *testing.T) {
	engine := realDeepEval(t, Options{})
	for _, document := range []string{"bike_rental_en.md", "flower_delivery_ru.md"} {
		t.Run(document, func(t *testing.T) {
			const rows = 12
			r := newDeepEvalRun(t, engine, document, rows)
			r.wait = 50 * time.Millisecond
			began := time.Now()
			out, err := r.generate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("DeepEval %s, %d rows: %v, at most %d calls at once, %v", out.Version, rows, r.calls(), r.most, time.Since(began).Round(10*time.Millisecond))
			if out.Engine != "python" || out.Version != r.engine.Version() || len(out.Dropped) > 0 || len(out.Records) != rows {
				t.Fatalf("engine %q %q, %d records, dropped: %v", out.Engine, out.Version, len(out.Records), out.Dropped)
			}
			evolutions := map[string]int{}
			for _, rec := range out.Records {
				g, err := deepeval.Parse(rec.JSON)
				if err != nil {
					t.Fatal(err)
				}
				if len(rec.Spans) != len(g.Context) || len(g.Context) == 0 {
					t.Errorf("%s: %d spans of %d contexts", rec.Row, len(rec.Spans), len(g.Context))
					continue
				}
				for i, s := range rec.Spans {
					if got := string(r.doc.Bytes()[s.StartByte:s.EndByte]); got != g.Context[i] {
						t.Errorf("%s: context %d is\n%s\nand stands in the document as\n%s", rec.Row, i, g.Context[i], got)
					}
				}
				m := g.Metadata
				if g.SourceFile != document || !slices.Equal(m.ContextSourceFiles, []string{document}) || m.InputQuality == nil || len(g.Extra) > 0 {
					t.Errorf("%s: file %q, metadata %+v, other keys %v", rec.Row, g.SourceFile, m, g.Extra)
				}
				for _, e := range m.Evolutions {
					evolutions[e]++
				}
				if rec.Notes == nil || len(rec.Notes.Criteria) < 3 {
					t.Errorf("%s: notes %+v", rec.Row, rec.Notes)
				}
			}
			if len(evolutions) < 5 {
				t.Errorf("the evolutions are %v", evolutions)
			}
		})
	}
}

// Neither timing nor the parting into jobs changes a byte.
func TestRealDeepEvalRepeats(t *testing.T) {
	var first map[string]string
	for i, o := range []Options{{Concurrency: 1, Workers: 1}, {}, {Batch: 3, Workers: 2}, {Batch: 1, Concurrency: 3}} {
		r := newDeepEvalRun(t, realDeepEval(t, o), "flower_delivery_ru.md", 6)
		out, err := r.generate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got := records(out)
		if i == 0 {
			if first = got; len(first) != 6 {
				t.Fatalf("%d records", len(first))
			}
			continue
		}
		if diff := cmp.Diff(first, got); diff != "" {
			t.Errorf("options %d (-want +got):\n%s", i, diff)
		}
	}
}

// A call that fails for good costs its item, and the others go on as if it had
// not been. Alone DeepEval loses all contexts of a run.
func TestRealDeepEvalLosesOneItem(t *testing.T) {
	engine := realDeepEval(t, Options{TopUps: -1, Workers: 1})
	whole := newDeepEvalRun(t, engine, "bike_rental_en.md", 8)
	all, err := whole.generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for schema, kind := range map[string]string{"SyntheticDataList": "first", "InputFeedback": "critic", "SyntheticData": "style", "": "text"} {
		t.Run(kind, func(t *testing.T) {
			r := newDeepEvalRun(t, engine, "bike_rental_en.md", 8)
			var unlucky int64 // the seed of a task
			var once sync.Once
			r.on = func(req *llm.Request) (*llm.Response, error, bool) {
				if schemaOf(req) != schema {
					return nil, nil, false
				}
				once.Do(func() { unlucky = *req.Seed })
				return nil, &llm.Error{Kind: llm.KindOverload, Status: 503, Message: "out of order"}, *req.Seed == unlucky
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
			if diff := cmp.Diff(want, records(out)); diff != "" {
				t.Errorf("the other items (-want +got):\n%s", diff)
			}
		})
	}
}

// What DeepEval does with replies that are not what it asks for.
func TestRealDeepEvalReplies(t *testing.T) {
	engine := realDeepEval(t, Options{TopUps: -1, Workers: 1})
	says := func(schema string, text func(req *llm.Request) string) func(req *llm.Request) (*llm.Response, error, bool) {
		return func(req *llm.Request) (*llm.Response, error, bool) {
			if schemaOf(req) != schema {
				return nil, nil, false
			}
			return &llm.Response{Text: text(req)}, nil, true
		}
	}
	for _, tt := range []struct {
		name string
		on   func(req *llm.Request) (*llm.Response, error, bool)
		err  error  // nil: the rows are filled
		text string // in the error
		then func(g *deepeval.Golden) error
	}{
		{
			name: "more inputs than asked",
			on: says("SyntheticDataList", func(req *llm.Request) string {
				return fmt.Sprintf(`{"data":[{"input":"May I keep bike %d longer?"},{"input":"And a second one?"},{"input":"A third?"}]}`, *req.Seed)
			}),
			then: func(g *deepeval.Golden) error {
				if strings.Contains(g.Input, "second") || strings.Contains(g.Input, "third") {
					return fmt.Errorf("the input is %q", g.Input)
				}
				return nil
			},
		},
		{name: "no inputs", on: says("SyntheticDataList", func(*llm.Request) string { return `{"data":[]}` }), err: ErrEmpty},
		{name: "a blank input", on: says("SyntheticData", func(*llm.Request) string { return `{"input":" "}` }), err: ErrEmpty},
		{name: "an empty text", on: says("", func(*llm.Request) string { return "\n" }), text: "EmptyReplyError"},
		{name: "no JSON", on: says("InputFeedback", func(*llm.Request) string { return "I like it." }), text: "schema"},
		{
			name: "a score out of bounds", on: says("InputFeedback", func(*llm.Request) string { return `{"score":8,"feedback":"Good."}` }),
			then: func(g *deepeval.Golden) error {
				if g.Metadata.InputQuality != nil {
					return fmt.Errorf("the score is %v", *g.Metadata.InputQuality)
				}
				return nil
			},
		},
		{
			name: "a critic that is never content", on: says("InputFeedback", func(*llm.Request) string { return `{"score":0.1,"feedback":"Vague."}` }),
			then: func(g *deepeval.Golden) error {
				if q := g.Metadata.InputQuality; q == nil || *q != 0.1 {
					return fmt.Errorf("the score is %v", q)
				}
				return nil
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newDeepEvalRun(t, engine, "bike_rental_en.md", 2)
			r.on = tt.on
			out, err := r.generate(t.Context())
			if tt.err != nil || tt.text != "" {
				if err == nil || tt.err != nil && !errors.Is(err, tt.err) || !strings.Contains(err.Error(), tt.text) || len(out.Dropped) != 2 {
					t.Fatalf("error %v, dropped %v, want %v %s", err, out.Dropped, tt.err, tt.text)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Records) != 2 {
				t.Fatalf("%d records, dropped: %v", len(out.Records), out.Dropped)
			}
			for _, rec := range out.Records {
				g, err := deepeval.Parse(rec.JSON)
				if err != nil {
					t.Fatal(err)
				}
				if err := tt.then(g); err != nil {
					t.Errorf("%s: %v", rec.Row, err)
				}
			}
		})
	}
}
