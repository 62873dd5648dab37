//go:build linux || darwin

package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/generatortest"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// An act is what a fake DeepEval does with a task whose words hold Of: the first
// Times times, or always when that is 0.
type act struct {
	Of    string
	Do    string
	Times int
}

// acts are read from the environment's folder by the part "deepeval".
const actsFile = "acts.json"

func init() { //nolint:gochecknoinits // see parts
	parts["deepeval"] = playDeepEval
	parts["deepeval-without-import"] = func(f *fakeWorker) {
		f.say(`{"type":"failed","error":{"kind":"import","type":"ImportError","message":"numpy is too new"}}`)
		f.hang()
	}
}

// playDeepEval makes goldens as DeepEval does: a question about the context's
// last line, and that line for an answer.
func playDeepEval(f *fakeWorker) {
	p, _ := pinnedFor(DeepEval)
	version, _, _, err := p.contents()
	if err != nil {
		f.die("%v", err)
	}
	acts := f.acts()
	f.say(fmt.Sprintf(`{"type":"ready","protocol":1,"framework":"deepeval","version":%q,"python":"3.11.0","packages":{}}`, version))
	for {
		j := f.job()
		records, failed := 0, 0
		for _, t := range j.Tasks {
			var body deepEvalTask
			if err := json.Unmarshal(t.Body, &body); err != nil {
				f.die("task: %v", err)
			}
			var n int
			switch do := f.act(acts, body.Scenario); do {
			case "crash":
				os.Exit(3)
			case "hang":
				f.hang()
			case "garbage":
				f.say("<html>")
			case "ask":
				if err := f.ask(j); err == nil {
					f.die("the model has an answer")
				}
				f.say(j.failed(t.ID))
				failed++
				continue
			case "error":
				f.say(j.failed(t.ID))
				failed++
				continue
			default:
				n = f.goldens(j, t, &body, do)
			}
			f.say(j.done(t.ID))
			records += n
		}
		f.say(j.result(records, failed))
	}
}

// ask asks the model for JSON, as a framework does.
func (f *fakeWorker) ask(j *fakeJob) error {
	req, err := http.NewRequest(http.MethodPost, j.Endpoint.URL+"/chat/completions", strings.NewReader(`{"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_object"}}`))
	if err != nil {
		f.die("%v", err)
	}
	req.Header.Set("Authorization", "Bearer "+j.Endpoint.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		f.die("%v", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(resp.Status)
	}
	return nil
}

func (f *fakeWorker) acts() []act {
	var acts []act
	b, err := os.ReadFile(filepath.Join(f.dir, actsFile))
	if err == nil {
		err = json.Unmarshal(b, &acts)
	}
	if err != nil {
		f.die("acts: %v", err)
	}
	return acts
}

// act returns what to do with a task, and notes that it was done.
func (f *fakeWorker) act(acts []act, words string) string {
	for i, a := range acts {
		if !strings.Contains(words, a.Of) {
			continue
		}
		for n := 0; a.Times == 0 || n < a.Times; n++ {
			file, err := os.OpenFile(filepath.Join(f.dir, fmt.Sprintf("act %d %d", i, n)), os.O_CREATE|os.O_EXCL, 0o600)
			if err == nil {
				file.Close()
				return a.Do
			}
		}
	}
	return ""
}

func (f *fakeWorker) goldens(j *fakeJob, t task, body *deepEvalTask, do string) int {
	context := body.Contexts[len(body.Contexts)-1]
	lines := strings.Split(strings.TrimSpace(context), "\n")
	g := map[string]any{
		"input":           fmt.Sprintf("Need %s of %d: %s?", strings.Repeat("so ", int(t.Seed%7)), t.Seed, strings.ToLower(lines[0])),
		"expected_output": lines[len(lines)-1], "context": body.Contexts, "source_file": body.Files[0], "actual_output": nil,
		"additional_metadata": map[string]any{"evolutions": []string{"Reasoning"}, "synthetic_input_quality": 0.75},
	}
	n := 1
	switch do {
	case "nothing":
		return 0
	case "twice":
		n = 2
	case "tag":
		g["input"] = "May I bring it back later?</question>"
	case "bell":
		g["expected_output"] = "Yes.\a"
	case "turned":
		g["input"] = "May I \u202e bring it back later?"
	case "blank":
		g["input"] = " \n"
	case "no answer":
		g["expected_output"] = nil
	case "same":
		g["input"] = "Can I bring the bike back tomorrow instead of today?"
	case "foreign":
		g["context"] = []string{"Nothing of the kind stands in the document."}
	case "object":
		g["input"] = map[string]string{"text": "x"}
	}
	b, err := json.Marshal(g)
	if err != nil {
		f.die("%v", err)
	}
	for range n {
		f.say(fmt.Sprintf(`{"type":"record","job":%q,"task":%q,"record":%s}`, j.ID, t.ID, b))
	}
	return n
}

// fakeEnvironments is a folder as Setup makes it, with a DeepEval that plays a
// part.
func fakeEnvironments(t *testing.T, part string, acts ...act) (root string, env *Environment) {
	t.Helper()
	root = t.TempDir()
	dir := filepath.Join(root, DeepEval)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, ok := pinnedFor(DeepEval)
	if !ok {
		t.Fatal("no lock of DeepEval")
	}
	version, _, digest, err := p.contents()
	if err != nil {
		t.Fatal(err)
	}
	mark, err := json.Marshal(marker{Framework: DeepEval, Version: version, Lock: digest})
	if err != nil {
		t.Fatal(err)
	}
	told, err := json.Marshal(slices.Concat([]act{}, acts))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "bin", "python")); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{markerFile: mark, actsFile: told, "part": []byte(part), signFile: nil} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return root, &Environment{Framework: DeepEval, Version: version, Dir: dir}
}

func fakeEngine(t *testing.T, o Options, acts ...act) (*Engine, *Environment) {
	t.Helper()
	root, env := fakeEnvironments(t, "deepeval", acts...)
	o.Framework, o.Dir, o.Temp = DeepEval, root, t.TempDir()
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		left, err := os.ReadDir(o.Temp)
		if err != nil || len(left) > 0 {
			t.Errorf("left in the temporary folder: %v, %v", left, err)
		}
	})
	return e, env
}

const bikes = `# Bikes

## Deposit

The deposit is 60 euros per bike. It is returned within 3 working days.

## Late return

A bike that comes back late costs 5 euros for every started hour.

## Helmets

Helmets are free of charge. A lost helmet costs 25 euros.

## Lost keys

A lost key costs 40 euros, and the shop must be told the same day.
`

// bikeCall has a row about each of the first sections, by name.
func bikeCall(t *testing.T, names ...string) *generator.Call {
	t.Helper()
	doc := parseDocument(t, "bikes.md", bikes)
	call := &generator.Call{
		ID: "c1", Seed: 7, Documents: []*model.Document{doc}, Language: "en", Profile: model.SupportBot(), UseCase: model.UseCase{ID: "uc", Name: "Money"},
		Model: &actor.Author{Actor: &actor.Actor{}}, Embedder: llm.NewLexical([]string{bikes}), Log: slog.New(slog.DiscardHandler),
	}
	for _, name := range names {
		line := slices.Index(strings.Split(bikes, "\n"), "## "+name) + 3
		ev, err := doc.Cut(line, line)
		if err != nil {
			t.Fatal(err)
		}
		id := "pol_" + model.Slug(name, 40)
		call.Policies = append(call.Policies, model.Policy{ID: id, Name: name, Statement: ev.Quote, Evidence: []model.Evidence{ev}})
		call.Rows = append(call.Rows, model.Row{
			ID: "row_" + model.Slug(name, 40), PolicyIDs: []string{id}, Roles: map[string]model.Role{id: model.Plain}, Format: model.SingleTurnQA,
		})
	}
	call.AllPolicies = call.Policies
	return call
}

// rows are the rows that records fill, and the reasons of those that are dropped.
func rows(out *generator.Output) map[string]string {
	got := map[string]string{}
	for _, r := range out.Records {
		got[r.Row] += "made "
	}
	for _, d := range out.Dropped {
		got[d.Row] += "dropped: " + d.Reason
	}
	return got
}

// TestEngineMakesRecords: the framework's words stand in the record, with what
// the contract asks for beside them.
func TestEngineMakesRecords(t *testing.T) {
	t.Parallel()
	e, env := fakeEngine(t, Options{})
	call := bikeCall(t, "Deposit", "Helmets")
	call.Rows[1].Examples = 2
	given := model.Row{ID: "row_given", PolicyIDs: []string{call.Policies[0].ID}, Format: model.SingleTurnQA, Given: []model.Message{{Role: "user", Content: "where is my money"}}}
	call.Rows = append(call.Rows, given)
	out, err := e.Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"row_deposit": "made ", "row_helmets": "made made ", "row_given": "dropped: " + ErrGiven.Error()}
	if d := cmp.Diff(want, rows(out)); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	if out.Engine != "python" || out.Version != env.Version || e.Version() != env.Version {
		t.Errorf("made by %s %s", out.Engine, out.Version)
	}
	for _, rec := range out.Records {
		g, err := deepeval.Parse(rec.JSON)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(g.Input, "Need ") || !strings.Contains(bikes, g.ExpectedOutput) || g.Metadata.Extra[OriginalInput] != nil {
			t.Errorf("not what the framework wrote: %s", rec.JSON)
		}
		if rec.Notes == nil || len(rec.Notes.Criteria) < 3 || rec.Notes.Name == "" {
			t.Errorf("notes: %+v", rec.Notes)
		}
		if len(rec.Spans) != len(g.Context) {
			t.Fatalf("%d spans of %d contexts", len(rec.Spans), len(g.Context))
		}
		for i, s := range rec.Spans {
			if text := bikes[s.StartByte:s.EndByte]; text != g.Context[i] {
				t.Errorf("span %d is %q, the context %q", i, text, g.Context[i])
			}
		}
	}
}

// TestEngineHeals: what the framework leaves broken is made again, cut, or told.
func TestEngineHeals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		do    string
		times int
		want  string
	}{
		{"error", 1, "made "},
		{"nothing", 2, "made "},
		{"twice", 0, "made "},
		{"blank", 1, "made "},
		{"no answer", 1, "made "},
		{"tag", 1, "made "},
		{"bell", 1, "made "},
		{"turned", 0, "dropped: " + ErrForeign.Error()},
		{"foreign", 1, "made "},
		{"object", 1, "made "},
		{"same", 1, "made "},
		{"crash", 1, "made "},
		{"garbage", 1, "made "},
		{"error", 0, "ValueError: no such thing"},
		{"nothing", 0, "dropped: " + ErrEmpty.Error()},
		{"blank", 0, "dropped: " + ErrEmpty.Error()},
		{"foreign", 0, "dropped: " + ErrContext.Error()},
		{"same", 0, "dropped: " + ErrDuplicate.Error()},
		{"crash", 0, "ended with status 3"},
		{"garbage", 0, "broke the protocol"},
	} {
		t.Run(fmt.Sprint(tc.do, " ", tc.times), func(t *testing.T) {
			t.Parallel()
			e, _ := fakeEngine(t, Options{}, act{Of: "key costs", Do: tc.do, Times: tc.times})
			call := bikeCall(t, "Deposit", "Lost keys", "Helmets", "Late return")
			call.Avoid = []string{"Can I bring the bike back tomorrow, instead of today?"}
			out, err := e.Generate(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			got := rows(out)
			if key := got["row_lost_keys"]; !strings.Contains(key, tc.want) {
				t.Errorf("the row is %q, want %q", key, tc.want)
			}
			delete(got, "row_lost_keys")
			want := map[string]string{"row_deposit": "made ", "row_helmets": "made ", "row_late_return": "made "}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("other rows (-want +got):\n%s", d)
			}
		})
	}
}

// TestEngineFails: a call that made nothing says why, and no more workers are
// started than can tell that.
func TestEngineFails(t *testing.T) {
	t.Parallel()
	call := func(t *testing.T) *generator.Call {
		return bikeCall(t, "Deposit", "Lost keys", "Helmets", "Late return")
	}
	fails := func(t *testing.T, e *Engine, call *generator.Call) error {
		t.Helper()
		out, err := e.Generate(t.Context(), call)
		if err == nil {
			t.Fatalf("no error, %d records", len(out.Records))
		}
		return err
	}
	t.Run("import", func(t *testing.T) {
		t.Parallel()
		root, env := fakeEnvironments(t, "deepeval-without-import")
		e, err := New(Options{Framework: DeepEval, Dir: root, Temp: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		var lost *WorkerError
		if err := fails(t, e, call(t)); !errors.As(err, &lost) || lost.Kind != KindImport || !strings.Contains(err.Error(), "numpy is too new") {
			t.Errorf("error: %v", err)
		}
		if n := len(notes(t, env)["worker"]); n != 1 {
			t.Errorf("%d workers started", n)
		}
	})
	t.Run("no text", func(t *testing.T) {
		t.Parallel()
		e, env := fakeEngine(t, Options{})
		c := call(t)
		c.Documents = []*model.Document{parseDocument(t, "bikes.md", "<!-- nothing -->\n")}
		if err := fails(t, e, c); !errors.Is(err, ErrNoText) {
			t.Errorf("error: %v", err)
		}
		if n := len(notes(t, env)["worker"]); n != 0 {
			t.Errorf("%d workers started", n)
		}
	})
	t.Run("always crashes", func(t *testing.T) {
		t.Parallel()
		e, env := fakeEngine(t, Options{Workers: 1}, act{Do: "crash"})
		c := call(t)
		c.Rows = slices.Repeat(c.Rows, 5)
		for i := range c.Rows {
			c.Rows[i].ID += fmt.Sprint("_", i)
		}
		var lost *WorkerError
		if err := fails(t, e, c); !errors.As(err, &lost) || lost.Kind != KindExit || lost.Exit != 3 {
			t.Errorf("error: %v", err)
		}
		if n := len(notes(t, env)["worker"]); n > 6 {
			t.Errorf("%d workers started for 20 rows", n)
		}
	})
	t.Run("stalls", func(t *testing.T) {
		t.Parallel()
		e, _ := fakeEngine(t, Options{Stall: 50 * time.Millisecond}, act{Do: "hang"})
		var lost *WorkerError
		if err := fails(t, e, call(t)); !errors.As(err, &lost) || lost.Kind != KindStall {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		t.Parallel()
		e, env := fakeEngine(t, Options{}, act{Do: "hang"})
		cause := errors.New("time is up")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			eventually(t, "a worker is at work", func() error {
				if files, _ := filepath.Glob(filepath.Join(env.Dir, "act *")); len(files) == 0 {
					return errors.New("none")
				}
				return nil
			})
			cancel(cause)
		}()
		if _, err := e.Generate(ctx, call(t)); !errors.Is(err, cause) {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("the model's end", func(t *testing.T) {
		t.Parallel()
		e, _ := fakeEngine(t, Options{})
		c := call(t)
		c.Model = failing{&llm.Error{Kind: llm.KindAuth, Status: 401, Message: "no such key"}}
		var of *llm.Error
		if err := fails(t, e, c); !errors.As(err, &of) || of.Kind != llm.KindAuth {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("a useless model", func(t *testing.T) {
		t.Parallel()
		e, _ := fakeEngine(t, Options{}, act{Do: "ask"})
		var asked atomic.Int32
		run := &generator.Memo{}
		for range 3 {
			c := call(t)
			c.Memo = run
			c.Model = llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
				asked.Add(1)
				return &llm.Response{Text: "I would rather not."}, nil
			})
			var of *UselessModelError
			if err := fails(t, e, c); !errors.As(err, &of) || of.Framework != DeepEval || of.Times != useless {
				t.Errorf("error: %v", err)
			}
		}
		// The first half are asked for twice again, the others not.
		if n, want := int(asked.Load()), 3*(useless/2)+useless/2; n != want {
			t.Errorf("the model was asked %d times, want %d", n, want)
		}
	})
	t.Run("a model that hangs", func(t *testing.T) {
		t.Parallel()
		e, _ := fakeEngine(t, Options{CallTimeout: 10 * time.Millisecond}, act{Do: "ask"})
		c := call(t)
		c.Model = llmtest.Func(func(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		var of *UselessModelError
		if err := fails(t, e, c); !errors.As(err, &of) || !strings.Contains(of.Last, generator.ErrTimeout.Error()) {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("a check without a verdict", func(t *testing.T) {
		t.Parallel()
		e, _ := fakeEngine(t, Options{})
		c := call(t)
		played := c.Model
		c.Model = llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
			if actor.Kind(req) == actor.AnswerCheck {
				return &llm.Response{Text: `{"items":[]}`}, nil
			}
			return played.Complete(ctx, req)
		})
		if err := fails(t, e, c); !errors.Is(err, ErrUnchecked) {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		e, env := fakeEngine(t, Options{})
		if err := errors.Join(e.Close(), e.Close()); err != nil {
			t.Fatal(err)
		}
		var lost *WorkerError
		if err := fails(t, e, call(t)); !errors.As(err, &lost) || lost.Kind != KindCanceled {
			t.Errorf("error: %v", err)
		}
		if n := len(notes(t, env)["worker"]); n != 0 {
			t.Errorf("%d workers started", n)
		}
	})
}

type failing struct{ err error }

func (f failing) Complete(context.Context, *llm.Request) (*llm.Response, error) { return nil, f.err }

// TestStart: what is wrong with an environment is known before a call, and a
// worker that was started is the call's.
func TestStart(t *testing.T) {
	t.Parallel()
	e, env := fakeEngine(t, Options{})
	if err := errors.Join(e.Start(t.Context()), e.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Generate(t.Context(), bikeCall(t, "Deposit")); err != nil {
		t.Fatal(err)
	}
	if n := len(notes(t, env)["worker"]); n != 1 {
		t.Errorf("%d workers started", n)
	}
	root, _ := fakeEnvironments(t, "deepeval-without-import")
	broken, err := New(Options{Framework: DeepEval, Dir: root, Temp: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer broken.Close()
	var lost *WorkerError
	if err := broken.Start(t.Context()); !errors.As(err, &lost) || lost.Kind != KindImport {
		t.Errorf("error: %v", err)
	}
}

func TestNewRefusesOptions(t *testing.T) {
	t.Parallel()
	root, _ := fakeEnvironments(t, "deepeval")
	for option, o := range map[string]Options{
		"Framework":   {Framework: "DeepEval"},
		"Temp":        {Framework: DeepEval, Temp: filepath.Join(root, "none")},
		"Threshold":   {Framework: DeepEval, Threshold: 1.5},
		"TopUps":      {Framework: DeepEval, TopUps: -2},
		"CallTimeout": {Framework: DeepEval, CallTimeout: -1},
	} {
		o.Dir = root
		var of *OptionError
		if _, err := New(o); !errors.As(err, &of) || of.Option != option {
			t.Errorf("%s: %v", option, err)
		}
	}
	if _, err := New(Options{Framework: "DeepEval", Dir: root}); err == nil || !strings.Contains(err.Error(), `use "deepeval", "ragas" or "giskard"`) {
		t.Errorf("the remedy is %v", err)
	}
	var missing *EnvironmentError
	if _, err := New(Options{Framework: Ragas, Dir: root}); !errors.As(err, &missing) || missing.Framework != Ragas {
		t.Errorf("no environment: %v", err)
	}
}

// TestEngineSameBytes: neither the number of workers, nor that of a job's items,
// nor a worker that was lost changes what is made.
func TestEngineSameBytes(t *testing.T) {
	t.Parallel()
	made := func(o Options, acts ...act) string {
		e, _ := fakeEngine(t, o, acts...)
		out, err := e.Generate(t.Context(), bikeCall(t, "Deposit", "Lost keys", "Helmets", "Late return"))
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	want := made(Options{})
	for name, got := range map[string]string{
		"again": made(Options{}), "one by one": made(Options{Batch: 1, Workers: 1, Concurrency: 1}), "many workers": made(Options{Batch: 1, Workers: 4}),
		"lost once": made(Options{}, act{Of: "key costs", Do: "crash", Times: 1}),
	} {
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestEngineConforms puts the engine through the test of all generators.
func TestEngineConforms(t *testing.T) {
	t.Parallel()
	e, _ := fakeEngine(t, Options{Idle: time.Nanosecond})
	generatortest.Test(t, e, &generatortest.Options{
		Calls: []*generator.Call{bikeCall(t, "Deposit", "Lost keys"), bikeCall(t, "Helmets")},
		Model: func(call *generator.Call) llm.Client { return &actor.Author{Actor: &actor.Actor{}} },
	})
}

// TestRunCompletesWithoutTheFramework: whatever becomes of the worker, a run
// gives what was asked, made by others, and says what happened.
func TestRunCompletesWithoutTheFramework(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "documents", "flower_delivery_ru.md"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := model.ParseMarkdown("flower_delivery_ru.md", b, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, do := range []string{"crash", "nothing", "hang"} {
		t.Run(do, func(t *testing.T) {
			t.Parallel()
			e, _ := fakeEngine(t, Options{Stall: 200 * time.Millisecond}, act{Do: do})
			a, err := actor.New(t.Context(), doc)
			if err != nil {
				t.Fatal(err)
			}
			a.Calls = func(*llm.Request) []llm.ToolCall {
				return []llm.ToolCall{{ID: "1", Name: "generate_with_deepeval", Arguments: `{"num_goldens":100}`}}
			}
			o, err := orchestrate.New([]generator.Generator{e}, &orchestrate.Options{
				Client: &actor.Author{Actor: a}, ModelName: "author", Seed: 1, MaxRounds: 1, Counts: orchestrate.Counts{TestCasesPerUseCase: 4},
			})
			if err != nil {
				t.Fatal(err)
			}
			res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
			if err != nil {
				t.Fatal(err)
			}
			if v := res.Dataset.Violations(doc); len(v) > 0 || len(res.Dataset.TestCases) < 20 {
				t.Errorf("%d test cases, violations %v", len(res.Dataset.TestCases), v)
			}
			told := slices.ContainsFunc(res.Outcomes, func(out orchestrate.Outcome) bool {
				var lost *WorkerError
				var task *TaskError
				return out.Generator == DeepEval && (errors.As(out.Err, &lost) || errors.As(out.Err, &task) || errors.Is(out.Err, ErrEmpty))
			})
			if !told {
				t.Errorf("no outcome tells what happened: %+v", res.Outcomes)
			}
			for _, tc := range res.Dataset.TestCases {
				if tc.Metadata.Generator == DeepEval {
					t.Errorf("%s is said to be made by the framework", tc.ID)
				}
			}
		})
	}
}
