//go:build linux || darwin

package python_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/python"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// The tests of this file run the real frameworks, against a model that is played
// over HTTP on the loopback address.

// frameworks returns the folder with the environments, or skips the test.
func frameworks(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("CASEBOOK_FRAMEWORKS")
	if dir == "" {
		tb.Skip("CASEBOOK_FRAMEWORKS names no folder with environments that Setup made")
	}
	return dir
}

// pinned are the versions that the engines work with.
var pinned = map[string]string{python.DeepEval: "4.1.10", python.Ragas: "0.4.3", python.Giskard: "2.19.2"}

// names of the frameworks, in the order of the tests.
var names = []string{python.DeepEval, python.Ragas, python.Giskard}

// arguments are the router's for each framework: as many rows as there are.
var arguments = map[string]string{
	python.DeepEval: `{"num_goldens":100,"include_expected_output":true,"document_paths":null}`,
	python.Ragas:    `{"test_size":100,"reasoning_ratio":0.3,"document_paths":null}`,
	python.Giskard:  `{"num_questions":100,"document_paths":null}`,
}

// realRun is a run of one framework over a document of the examples.
type realRun struct {
	framework, document string
	concurrency         int // 0 means the defaults
	useCases            int // 0 means all
	wire                wire.Options
	generator           generator.Generator // in place of the engine
	doubts              int                 // of the model that checks, see [actor.Author]
	seed                int64               // 0 means 1
}

type realResult struct {
	*orchestrate.Result
	doc    *model.Document
	files  map[model.File][]byte
	server *wire.Server
	author *actor.Author
	err    error
}

func readDocument(tb testing.TB, name string) *model.Document {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "documents", name))
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := model.ParseMarkdown(name, b, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

func newEngine(tb testing.TB, framework string, o python.Options) *python.Engine {
	tb.Helper()
	o.Framework, o.Dir, o.Temp = framework, frameworks(tb), tb.TempDir()
	e, err := python.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Errorf("closing the engine: %v", err)
		}
		if left, err := os.ReadDir(o.Temp); err != nil || len(left) > 0 {
			tb.Errorf("workers left %v behind (%v)", left, err)
		}
	})
	return e
}

// do makes the run. The router picks the framework for every use case.
func (r realRun) do(tb testing.TB) *realResult {
	tb.Helper()
	doc := readDocument(tb, r.document)
	played, err := actor.New(tb.Context(), doc)
	if err != nil {
		tb.Fatal(err)
	}
	played.Calls = func(*llm.Request) []llm.ToolCall {
		return []llm.ToolCall{{ID: "1", Name: "generate_with_" + r.framework, Arguments: arguments[r.framework]}}
	}
	author := &actor.Author{Actor: played, Doubts: r.doubts}
	s := wire.New(tb, wire.Client(author), &r.wire)
	client, err := openai.New(openai.Options{BaseURL: s.URL(), Model: "author", APIKey: "k"})
	if err != nil {
		tb.Fatal(err)
	}
	if r.generator == nil {
		r.generator = newEngine(tb, r.framework, python.Options{Concurrency: r.concurrency})
	}
	o, err := orchestrate.New([]generator.Generator{r.generator}, &orchestrate.Options{
		Client: client, Embedder: client.Embedder("vectors"), Capabilities: client.Capabilities(), ModelName: "author", Seed: cmp.Or(r.seed, 1),
		Counts: orchestrate.Counts{UseCases: r.useCases, TestCasesPerUseCase: 4}, Concurrency: r.concurrency, CallTimeout: 10 * time.Minute,
		Retry: &llm.RetryOptions{Base: time.Millisecond}, Limit: &llm.LimitOptions{Concurrency: cmp.Or(r.concurrency, 16), CoolDown: time.Millisecond},
	})
	if err != nil {
		tb.Fatal(err)
	}
	res, err := o.Run(tb.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	out := &realResult{Result: res, doc: doc, server: s, author: author, err: err}
	if res.Dataset != nil {
		if out.files, err = res.Dataset.Encode(); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// planned is how many rows the run had, and how many of them a framework can
// fill: those whose message is not given, and not a bad one.
func (r *realResult) planned() (rows, fillable int) {
	for _, uc := range r.Plan.UseCases {
		for i := range uc.Rows {
			rows++
			if uc.Rows[i].Given == nil && uc.Rows[i].Corner == "" {
				fillable++
			}
		}
	}
	return rows, fillable
}

// made counts the test cases by their generator and engine.
func (r *realResult) made() map[string]int {
	out := map[string]int{}
	for _, tc := range r.Dataset.TestCases {
		out[tc.Metadata.Generator+" "+tc.Metadata.Engine]++
	}
	return out
}

// sound holds a result against the contract of a run.
func (r *realResult) sound(t *testing.T, framework string) {
	t.Helper()
	if r.err != nil {
		t.Errorf("the run: %v", r.err)
	}
	for _, out := range r.Outcomes {
		// What is left for others, the router has nobody for.
		if none := (*orchestrate.NoSuitableError)(nil); out.Err != nil && !errors.As(out.Err, &none) {
			t.Errorf("call %s of %s: %v", out.Call, out.Generator, out.Err)
		}
	}
	for _, v := range append(r.Dataset.Violations(r.doc), coverage.CheckIntegrity(r.Dataset)...) {
		t.Errorf("contract: %s", v)
	}
	manifest := *r.Manifest
	manifest.InputPath, manifest.OutPath, manifest.Timestamp = "in.md", "out", "2026-01-01T00:00:00Z" // the application's to say
	for _, v := range manifest.Violations(r.Dataset) {
		t.Errorf("manifest: %s", v)
	}
	rows, fillable := r.planned()
	if n := len(r.Dataset.TestCases); n != rows {
		t.Errorf("%d test cases for %d rows", n, rows)
	}
	made := r.made()
	if made[framework+" python"] != fillable {
		t.Errorf("made: %v, want all %d rows that a framework can fill by %s", made, fillable, framework)
		reasons := map[string]int{}
		for _, out := range r.Outcomes {
			if out.Output == nil {
				continue
			}
			for _, d := range out.Output.Dropped {
				reasons[fmt.Sprintf("%s dropped: %.160s", out.Generator, d.Reason)]++
			}
		}
		for _, x := range r.Refused {
			reasons[fmt.Sprintf("%s refused by %s: %.160s", x.Generator, x.Check, x.Reason)]++
		}
		for _, why := range slices.Sorted(maps.Keys(reasons)) {
			t.Logf("%d x %s", reasons[why], why)
		}
	}
	for _, ex := range r.Dataset.Examples {
		if ex.Metadata.Generator != framework {
			continue
		}
		if ex.Metadata.Engine != "python" || ex.Metadata.EngineVersion != pinned[framework] {
			t.Errorf("%s: engine %s %s, want python %s", ex.ID, ex.Metadata.Engine, ex.Metadata.EngineVersion, pinned[framework])
		}
		contexts := nativeContexts(t, framework, ex.Metadata.Native)
		if len(contexts) == 0 {
			t.Errorf("%s: no contexts in its record %s", ex.ID, ex.Metadata.Native)
		}
		for _, c := range contexts {
			if !strings.Contains(r.doc.Text(), c) {
				t.Errorf("%s: a context does not stand in the document: %q", ex.ID, c)
			}
		}
	}
}

// nativeContexts returns the passages of a record, without the marks that the
// framework puts before them.
func nativeContexts(t *testing.T, framework string, native json.RawMessage) []string {
	t.Helper()
	var rec struct {
		Context   []string `json:"context"`            // DeepEval's
		Contexts  []string `json:"reference_contexts"` // Ragas'
		Reference string   `json:"reference_context"`  // Giskard's
	}
	if err := json.Unmarshal(native, &rec); err != nil {
		t.Fatalf("the record %s: %v", native, err)
	}
	switch framework {
	case python.DeepEval:
		return rec.Context
	case python.Ragas:
		for i, c := range rec.Contexts {
			if _, rest, ok := strings.Cut(c, "-hop>\n\n"); ok {
				rec.Contexts[i] = rest
			}
		}
		return rec.Contexts
	default:
		var out []string
		for _, part := range strings.Split(rec.Reference, "\n\nDocument ") {
			if _, text, ok := strings.Cut(part, ": "); ok {
				out = append(out, text)
			}
		}
		return out
	}
}

func TestRealFrameworks(t *testing.T) {
	frameworks(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, name, python.Options{}) // one for all runs, as in a service
			for _, document := range []string{"bike_rental_en.md", "flower_delivery_ru.md"} {
				t.Run("contract "+document, func(t *testing.T) { underTheContract(t, e, name, document) })
			}
			t.Run("texts", func(t *testing.T) { textsStay(t, e, name) })
			t.Run("faults", func(t *testing.T) { faultsLoseNothing(t, e, name) })
		})
	}
}

// underTheContract makes a dataset of all of a document.
func underTheContract(t *testing.T, e *python.Engine, name, document string) {
	t.Helper()
	start := time.Now()
	res := realRun{framework: name, document: document, generator: e}.do(t)
	res.sound(t, name)
	t.Logf("%s %s: %d test cases, made by %v, in %d calls, %d of them for vectors, %v",
		name, e.Version(), len(res.Dataset.TestCases), res.made(), res.Manifest.Usage.Calls, res.server.Calls(wire.Embeddings), time.Since(start).Round(time.Millisecond))
	kinds := map[string]int{}
	for _, ex := range res.Dataset.Examples {
		if ex.Metadata.Generator != name {
			continue
		}
		var n native
		if err := json.Unmarshal(ex.Metadata.Native, &n); err != nil {
			t.Fatal(err)
		}
		kinds[cmp.Or(strings.Join(n.Metadata.Evolutions, " "), n.Synthesizer, n.More.Type)]++
	}
	t.Logf("%s: %v", name, kinds)
	if len(kinds) < 2 || kinds[""] > 0 && name != python.DeepEval {
		t.Errorf("what the framework varies: %v, want several kinds, and every record to have one", kinds)
	}
}

// said returns every text that the model gave to a framework, by itself or as a
// part of a JSON reply.
func (r *realResult) said(tb testing.TB) map[string]bool {
	tb.Helper()
	out := map[string]bool{}
	var note func(v any)
	note = func(v any) {
		switch v := v.(type) {
		case string:
			out[v] = true
		case []any:
			for _, x := range v {
				note(x)
			}
		case map[string]any:
			for _, x := range v {
				note(x)
			}
		}
	}
	for _, req := range r.server.Log() {
		if req.Endpoint != wire.Chat || actor.Kind(&req.Request) != "" {
			continue
		}
		resp, err := r.author.Complete(tb.Context(), &req.Request)
		if err != nil {
			tb.Fatal(err)
		}
		var v any = resp.Text
		if json.Valid([]byte(resp.Text)) {
			if err := json.Unmarshal([]byte(resp.Text), &v); err != nil {
				tb.Fatal(err)
			}
		}
		note(v)
	}
	return out
}

// native is what the records of the three frameworks say of message and reply.
type native struct {
	Input    string `json:"input"`
	Expected string `json:"expected_output"`
	Metadata struct {
		Evolutions []string `json:"evolutions"`
		originals
	} `json:"additional_metadata"`

	UserInput   string `json:"user_input"`
	Reference   string `json:"reference"`
	Synthesizer string `json:"synthesizer_name"`
	originals

	Question string `json:"question"`
	Answer   string `json:"reference_answer"`
	More     struct {
		Type string `json:"question_type"`
		originals
	} `json:"metadata"`
}

type originals struct {
	Input  *string `json:"original_input"`
	Output *string `json:"original_output"`
}

// textsStay shows that the texts of a framework stay as they are, but for those in
// which a check found something: these say what they were.
func textsStay(t *testing.T, e *python.Engine, name string) {
	t.Helper()
	res := realRun{framework: name, document: "flower_delivery_ru.md", useCases: 8, doubts: 4, generator: e, wire: wire.Options{Log: true}}.do(t)
	res.sound(t, name)
	said := res.said(t)
	stayed, mended := 0, 0
	for _, ex := range res.Dataset.Examples {
		if ex.Metadata.Generator != name {
			continue
		}
		var n native
		if err := json.Unmarshal(ex.Metadata.Native, &n); err != nil {
			t.Fatal(err)
		}
		input, output := cmp.Or(n.Input, n.UserInput, n.Question), cmp.Or(n.Expected, n.Reference, n.Answer)
		if output != ex.ExpectedOutput {
			t.Errorf("%s: the record's reply %q is not the example's %q", ex.ID, output, ex.ExpectedOutput)
		}
		wasInput, wasOutput := cmp.Or(n.Metadata.Input, n.originals.Input, n.More.Input), cmp.Or(n.Metadata.Output, n.Output, n.More.Output)
		if wasInput == nil && wasOutput == nil {
			stayed++
		} else {
			mended++
		}
		for _, x := range []struct {
			what, text string
			was        *string
		}{{"message", input, wasInput}, {"reply", output, wasOutput}} {
			if x.was != nil && *x.was == x.text {
				t.Errorf("%s: its %s is said to have been another one: %q", ex.ID, x.what, x.text)
			}
			wrote := *cmp.Or(x.was, &x.text)
			// An opening and its follow-up make one message of two lines.
			if opening, rest, _ := strings.Cut(wrote, "\n"); !said[wrote] && !(said[opening] && said[rest]) {
				t.Errorf("%s: nobody wrote the %s %q", ex.ID, x.what, wrote)
			}
		}
	}
	t.Logf("%s: %d replies stayed, %d were mended", name, stayed, mended)
	if stayed == 0 || mended == 0 {
		t.Errorf("%d replies stayed, %d were mended; want some of both", stayed, mended)
	}
}

// faultsLoseNothing fails one call in five.
func faultsLoseNothing(t *testing.T, e *python.Engine, name string) {
	t.Helper()
	res := realRun{framework: name, document: "bike_rental_en.md", useCases: 6, generator: e, wire: wire.Options{
		Faults: wire.Faults(7, 0.2, wire.RateLimit, wire.ServerError, wire.Reset, wire.CutBody, wire.BrokenJSON),
	}}.do(t)
	res.sound(t, name)
	t.Logf("%s: made %v with the faults %v in %d calls", name, res.made(), res.server.Faulted(), res.server.Calls())
}

// A worker that is killed in the middle of a job costs nothing but time: what it
// had not made is given to another.
func TestRealKilledWorkersLoseNothing(t *testing.T) {
	frameworks(t)
	if runtime.GOOS != "linux" {
		t.Skip("the workers are found in /proc")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			var asked, killed atomic.Int32
			kill := func(req wire.Request) wire.Fault {
				if req.Endpoint != wire.Chat || actor.Kind(&req.Request) != "" {
					return "" // no framework waits for it
				}
				if n := asked.Add(1); n == 3 || n == 20 {
					for _, pid := range childrenOf(os.Getpid()) {
						if err := syscall.Kill(pid, syscall.SIGKILL); err == nil {
							killed.Add(1)
							break
						}
					}
				}
				return ""
			}
			res := realRun{framework: name, document: "bike_rental_en.md", useCases: 6, wire: wire.Options{Faults: kill}}.do(t)
			res.sound(t, name)
			if killed.Load() != 2 {
				t.Errorf("%d workers were killed, want 2", killed.Load())
			}
		})
	}
}

// childrenOf returns the processes that a process started and has not waited for;
// none where the system does not tell.
func childrenOf(pid int) []int {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil
	}
	var out []int
	for _, list := range lists {
		b, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for _, f := range strings.Fields(string(b)) {
			if child, err := strconv.Atoi(f); err == nil {
				out = append(out, child)
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestRealBytesDoNotDependOnConcurrency(t *testing.T) {
	frameworks(t)
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			var want map[model.File][]byte
			wide, narrow := newEngine(t, name, python.Options{Concurrency: 16}), newEngine(t, name, python.Options{Concurrency: 1, Workers: 1})
			for _, e := range []*python.Engine{wide, wide, narrow} {
				n := 16
				if e == narrow {
					n = 1
				}
				res := realRun{framework: name, document: "flower_delivery_ru.md", useCases: 5, concurrency: n, generator: e}.do(t)
				var short *coverage.ShortfallError
				if res.err != nil && !errors.As(res.err, &short) {
					t.Fatal(res.err)
				}
				if len(res.Dataset.Examples) == 0 {
					t.Fatal("nothing was made")
				}
				if want == nil {
					want = res.files
					continue
				}
				for _, f := range slices.Sorted(maps.Keys(want)) {
					if !bytes.Equal(want[f], res.files[f]) {
						t.Errorf("%s differs at concurrency %d: %s", f, n, firstDifference(want[f], res.files[f]))
					}
				}
			}
		})
	}
}

// firstDifference shows the first lines that differ.
func firstDifference(a, b []byte) string {
	x, y := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d\n- %.300s\n+ %.300s", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines and %d", len(x), len(y))
}
