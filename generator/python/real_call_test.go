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
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// realCall is a call to an engine with the real framework, and the model it talks
// to: the author, or what stands in for it.
type realCall struct {
	generator.Call
	engine *Engine
	author *actor.Author
	// on replies in place of the author; "" and nil leave it to the author.
	on func(req *llm.Request) (string, error)
	// wait is how long a request takes.
	wait time.Duration

	mu   sync.Mutex
	asks map[string]int // by purpose and schema
}

// realEngine skips the test where there is no environment.
func realEngine(tb testing.TB, framework string, o Options) *Engine {
	tb.Helper()
	o.Framework, o.Dir, o.Temp = framework, os.Getenv("CASEBOOK_FRAMEWORKS"), tb.TempDir()
	if o.Dir == "" {
		tb.Skip("CASEBOOK_FRAMEWORKS names no folder with environments that Setup made")
	}
	e, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
		if left, err := os.ReadDir(o.Temp); err != nil || len(left) > 0 {
			tb.Errorf("left behind: %v, %v", left, err)
		}
	})
	return e
}

// exampleDocument reads one of the repository's example documents.
func exampleDocument(tb testing.TB, name string) *model.Document {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "documents", name))
	if err != nil {
		tb.Fatal(err)
	}
	return parseDocument(tb, name, string(b))
}

// newRealCall is a call for n rows about a document of the examples, one policy
// after the other. For Ragas two of three rows are about two policies.
func newRealCall(tb testing.TB, e *Engine, document string, n int) *realCall {
	tb.Helper()
	doc := exampleDocument(tb, document)
	a, err := actor.New(tb.Context(), doc)
	if err != nil {
		tb.Fatal(err)
	}
	x := a.Extraction
	r := &realCall{engine: e, author: &actor.Author{Actor: a}, asks: map[string]int{}}
	r.Call = generator.Call{
		ID: "call", Seed: 7, Documents: []*model.Document{doc}, Language: x.Language, UseCase: x.UseCases[0],
		Policies: x.Policies, AllPolicies: x.Policies, Model: r, Embedder: llm.NewLexical(nil), Log: slog.New(slog.DiscardHandler),
		Args: json.RawMessage(map[string]string{
			DeepEval: `{"num_goldens":100,"include_expected_output":true}`, Ragas: `{"test_size":100,"reasoning_ratio":0.5}`, Giskard: `{"num_questions":100}`,
		}[e.o.Framework]),
	}
	for i := range n {
		k := len(x.Policies)
		row := model.Row{ID: fmt.Sprintf("r%d", i+1), PolicyIDs: []string{x.Policies[i%k].ID}, Roles: map[string]model.Role{}, Examples: 1}
		if e.o.Framework == Ragas && i%3 > 0 {
			row.PolicyIDs = append(row.PolicyIDs, x.Policies[(i+k/2)%k].ID)
		}
		for _, id := range row.PolicyIDs {
			row.Roles[id] = model.Plain
			if i >= k {
				row.Roles[id] = model.Pressed
			}
		}
		r.Rows = append(r.Rows, row)
	}
	return r
}

func (r *realCall) generate(ctx context.Context) (*generator.Output, error) {
	return r.engine.Generate(ctx, &r.Call)
}

// filled makes the call and holds what comes out against what all frameworks
// promise: a record for every row, with passages and notes.
func (r *realCall) filled(t *testing.T) *generator.Output {
	t.Helper()
	r.wait = 50 * time.Millisecond
	began := time.Now()
	out, err := r.generate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s %s, %d rows: %v, %v", r.engine.o.Framework, out.Version, len(r.Rows), r.asks, time.Since(began).Round(10*time.Millisecond))
	if out.Engine != "python" || out.Version != r.engine.Version() || len(out.Dropped) > 0 || len(out.Records) != len(r.Rows) {
		t.Fatalf("engine %q %q, %d records, dropped: %v", out.Engine, out.Version, len(out.Records), out.Dropped)
	}
	for _, rec := range out.Records {
		if len(rec.Spans) == 0 || rec.Notes == nil || len(rec.Notes.Criteria) < 3 {
			t.Errorf("%s: spans %v, notes %+v", rec.Row, rec.Spans, rec.Notes)
		}
	}
	return out
}

// spanned is the text of the document that a span names.
func (r *realCall) spanned(s model.Span) string {
	return string(r.Documents[0].Bytes()[s.StartByte:s.EndByte])
}

func (r *realCall) Model() string { return "gpt-5.4-with-a-price" }

func (r *realCall) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	r.mu.Lock()
	r.asks[strings.TrimSpace(req.Purpose+" "+schemaOf(req))]++
	r.mu.Unlock()
	if r.wait > 0 {
		select {
		case <-time.After(r.wait):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if r.on != nil {
		if text, err := r.on(req); text != "" || err != nil {
			return &llm.Response{Text: text}, err
		}
	}
	return r.author.Complete(ctx, req)
}

// own says whether a request is the framework's.
func (r *realCall) own(req *llm.Request) bool { return req.Purpose == "python_"+r.engine.o.Framework }

// schemaOf names what a request asks for, "" for a text.
func schemaOf(req *llm.Request) string {
	if req.Schema == nil {
		return ""
	}
	return req.Schema.Name
}

func outOfOrder() error {
	return &llm.Error{Kind: llm.KindOverload, Status: 503, Message: "out of order"}
}

func records(out *generator.Output) map[string]string {
	m := map[string]string{}
	for _, rec := range out.Records {
		m[rec.Row] = string(rec.JSON)
	}
	return m
}

// realDocuments are in two languages.
func realDocuments() []string { return []string{"bike_rental_en.md", "flower_delivery_ru.md"} }

// forEachReal runs a test for each framework.
func forEachReal(t *testing.T, test func(t *testing.T, framework string)) {
	t.Helper()
	for _, framework := range []string{DeepEval, Ragas, Giskard} {
		t.Run(framework, func(t *testing.T) { test(t, framework) })
	}
}

// Neither timing nor the parting into jobs changes a byte; another seed does.
func TestRealFrameworksRepeat(t *testing.T) {
	forEachReal(t, func(t *testing.T, framework string) {
		var first map[string]string
		for i, o := range []Options{{Concurrency: 1, Workers: 1}, {}, {Batch: 3, Workers: 2}, {Batch: 1, Concurrency: 3}} {
			r := newRealCall(t, realEngine(t, framework, o), "flower_delivery_ru.md", 7)
			for _, seed := range []uint64{7, 8}[:1+i%2] {
				r.Seed = seed
				out, err := r.generate(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				got := records(out)
				if first == nil {
					if first = got; len(first) != 7 {
						t.Fatalf("%d records", len(first))
					}
				}
				if diff := cmp.Diff(first, got); (diff == "") != (seed == 7) {
					t.Errorf("options %d, seed %d (-want +got):\n%s", i, seed, diff)
				}
			}
		}
	})
}

// A call that fails for good costs its item, and the others go on as if it had
// not been. Alone DeepEval loses all contexts of a run, and Giskard goes on with a
// question less, or with an English situation.
func TestRealFrameworksLoseOneItem(t *testing.T) {
	schemas := map[string][]string{
		DeepEval: {"SyntheticDataList", "InputFeedback", "SyntheticData", ""},
		Ragas:    {"GeneratedQueryAnswer"},
		Giskard:  {"pair", "question", "pairs", "turns", ""},
	}
	forEachReal(t, func(t *testing.T, framework string) {
		e := realEngine(t, framework, Options{TopUps: -1, Workers: 1})
		all, err := newRealCall(t, e, "bike_rental_en.md", 14).generate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, schema := range schemas[framework] {
			t.Run("reply "+schema, func(t *testing.T) {
				r := newRealCall(t, e, "bike_rental_en.md", 14)
				var unlucky int64 // the seed of a task
				var once sync.Once
				r.on = func(req *llm.Request) (string, error) {
					if !r.own(req) || schemaOf(req) != schema {
						return "", nil
					}
					once.Do(func() { unlucky = *req.Seed })
					if *req.Seed != unlucky {
						return "", nil
					}
					return "", outOfOrder()
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
	})
}

// One request in eight fails for good: what was lost is made again.
func TestRealFrameworksOfAFailingServer(t *testing.T) {
	kinds := []llm.Kind{llm.KindOverload, llm.KindRate, llm.KindMalformed, llm.KindTruncated}
	forEachReal(t, func(t *testing.T, framework string) {
		r := newRealCall(t, realEngine(t, framework, Options{TopUps: 9, Workers: 1}), "flower_delivery_ru.md", 20)
		r.on = func(req *llm.Request) (string, error) {
			if h := stage.Hash(1, llm.Key(req)); r.own(req) && h%8 == 0 {
				return "", &llm.Error{Kind: kinds[h/8%4], Message: "as told"}
			}
			return "", nil
		}
		out, err := r.generate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Records) != 20 {
			t.Errorf("%d records, dropped: %v", len(out.Records), out.Dropped)
		}
	})
}

// played are replies by what is asked for; {seed} in them is the request's.
type played map[string]string

// oddReply is what a framework makes of replies that are not what it asks for.
type oddReply struct {
	name    string
	replies played
	dropped int    // rows
	reason  string // of each of them

	kind, has, lacks string // what a record with kind in it has and has not
}

// testReplies makes a call for n rows with each of the replies. The function then
// looks at what is made.
func testReplies(t *testing.T, framework, document string, n int, tests []oddReply, then func(t *testing.T, r *realCall, out *generator.Output)) {
	t.Helper()
	e := realEngine(t, framework, Options{TopUps: -1, Workers: 1})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealCall(t, e, document, n)
			r.on = func(req *llm.Request) (string, error) {
				if !r.own(req) {
					return "", nil
				}
				return strings.ReplaceAll(tt.replies[schemaOf(req)], "{seed}", fmt.Sprint(*req.Seed)), nil
			}
			out, err := r.generate(t.Context())
			if (err != nil) != (tt.dropped == n) {
				t.Fatal(err)
			}
			if len(out.Dropped) != tt.dropped || len(out.Records) != n-tt.dropped {
				t.Errorf("%d records, dropped: %v; want %d dropped", len(out.Records), out.Dropped, tt.dropped)
			}
			for _, d := range out.Dropped {
				if !strings.Contains(d.Reason, tt.reason) {
					t.Errorf("%s was dropped for another reason than %q: %s", d.Row, tt.reason, d.Reason)
				}
			}
			for schema := range tt.replies {
				if r.asks[strings.TrimSpace("python_"+framework+" "+schema)] == 0 {
					t.Errorf("nothing asked for %q: %v", schema, r.asks)
				}
			}
			made := records(out)
			for _, row := range slices.Sorted(maps.Keys(made)) {
				rec := made[row]
				if strings.Contains(rec, tt.kind) && (!strings.Contains(rec, tt.has) || tt.lacks != "" && strings.Contains(rec, tt.lacks)) {
					t.Errorf("%s lacks %q, or has %q: %s", row, tt.has, tt.lacks, rec)
				}
			}
			if then != nil {
				then(t, r, out)
			}
		})
	}
}
