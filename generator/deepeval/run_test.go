package deepeval_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	adapter "github.com/casebook-go/casebook/adapters/deepeval"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/generatortest"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/schema/strictcheck"
	"github.com/casebook-go/casebook/model"
)

func newGenerator(tb testing.TB, o *deepeval.Options) generator.Generator {
	tb.Helper()
	g, err := deepeval.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return g
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]*deepeval.Options{
		"defaults": nil,
		"dropping": {Filtration: deepeval.FiltrationConfig{Drop: true}, Evolution: deepeval.EvolutionConfig{Rounds: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			generatortest.Test(t, newGenerator(t, o), &generatortest.Options{
				Model:   func(*generator.Call) llm.Client { return newFake() },
				Adapter: adapter.New(adapter.Options{}),
			})
		})
	}
}

func TestTool(t *testing.T) {
	t.Parallel()
	spec := newGenerator(t, nil).Spec()
	tool, err := generator.ToolFor(spec)
	if err != nil {
		t.Fatal(err)
	}
	if tool.Name != "generate_with_deepeval" || spec.Count != "num_goldens" || !spec.NeedsModel || spec.NeedsEmbedder {
		t.Errorf("%s, %+v", tool.Name, spec)
	}
	if v := strictcheck.Violations(tool.Parameters); len(v) > 0 {
		t.Errorf("the schema is not strict: %v", v)
	}
	args, err := generator.CheckArgs(spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(`{"num_goldens":10,"include_expected_output":true}`, string(args)); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
}

// calls are those of generatortest, ready to run.
func calls(tb testing.TB, f llm.Client) []*generator.Call {
	tb.Helper()
	g := newGenerator(tb, nil)
	cs, err := generatortest.Calls(g.Spec())
	if err != nil {
		tb.Fatal(err)
	}
	for _, c := range cs {
		c.Model, c.Embedder, c.Log = f, llm.NewLexical([]string{c.Documents[0].Text()}), slog.New(slog.DiscardHandler)
		c.AllPolicies = c.Policies
		if c.Args, err = generator.CheckArgs(g.Spec(), nil); err != nil {
			tb.Fatal(err)
		}
	}
	return cs
}

func TestPlannedRows(t *testing.T) {
	t.Parallel()
	f := newFake()
	for _, call := range calls(t, f) {
		call.Rows[1].Examples = 2
		out, err := newGenerator(t, nil).Generate(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		var rows []string
		for _, rec := range out.Records {
			rows = append(rows, rec.Row)
			g, err := deepeval.Parse(rec.JSON)
			if err != nil {
				t.Fatal(err)
			}
			given := rec.Row == "row_3"
			if given != (g.Input == call.Rows[2].Given[0].Content) || given != (len(g.Metadata.Evolutions) == 0) {
				t.Errorf("%s: %q, evolutions %v", rec.Row, g.Input, g.Metadata.Evolutions)
			}
			if len(rec.Spans) != len(g.Context) || len(g.Context) == 0 {
				t.Errorf("%s: %d spans, %d contexts", rec.Row, len(rec.Spans), len(g.Context))
			}
			for i, s := range rec.Spans {
				if got := string(call.Documents[0].Bytes()[s.StartByte:s.EndByte]); got != g.Context[i] {
					t.Errorf("%s: the span holds %q, the context %q", rec.Row, got, g.Context[i])
				}
			}
			if n := rec.Notes; n == nil || len(n.Criteria) < 3 || len(n.PolicyIDs) == 0 || n.Name == "" {
				t.Errorf("%s: notes %+v", rec.Row, n)
			}
			if !strings.Contains(strings.Join(g.Context, "\n"), call.Policies[0].Statement) {
				t.Errorf("%s: the context does not hold the policy %q:\n%s", rec.Row, call.Policies[0].Statement, g.Context)
			}
		}
		if diff := cmp.Diff([]string{"row_1", "row_2", "row_2", "row_3"}, rows); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	}
	for _, kind := range []string{actor.DeepEvalInputs, actor.DeepEvalCritic, actor.DeepEvalEvolve} {
		for _, p := range f.said(kind) {
			for _, want := range []string{"<use_case>", "<policies>", "parameter tone = angry: ", "<context key=\"c1\">", "pressed"} {
				if !strings.Contains(p, want) {
					t.Errorf("%s lacks %q:\n%s", kind, want, p)
				}
			}
			if strings.Contains(p, "<given>") {
				t.Errorf("%s speaks of the given message", kind)
			}
		}
	}
}

// An evolution that loses what the row must show is not taken.
func TestEvolutionKeepsParameters(t *testing.T) {
	t.Parallel()
	call := calls(t, nil)[0]
	call.Rows = call.Rows[1:2] // angry
	angry := "WHERE is my order?! I have been WAITING since yesterday!! This is a disgrace, I am furious and I want my money back right now, I told you twice already that it never came to my door and nobody ever calls me back, not even once!!"
	f := newFake()
	f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		switch kind {
		case actor.DeepEvalInputs:
			return text(`{"items":[{"key":"i1","matter":"m","passages":["1"],"input":%q}]}`, angry), nil, true
		case actor.DeepEvalEvolve:
			return text(`{"items":[{"key":"i1","idea":"m","input":"Could you kindly tell me where it is? Thank you."}]}`), nil, true
		}
		return nil, nil, false
	}
	call.Model = f
	out, err := newGenerator(t, nil).Generate(t.Context(), call)
	if err != nil || len(out.Records) != 1 {
		t.Fatalf("%v, %v", out, err)
	}
	g, err := deepeval.Parse(out.Records[0].JSON)
	if err != nil {
		t.Fatal(err)
	}
	if g.Input != angry || len(g.Metadata.Evolutions) != 0 {
		t.Errorf("kept %q with the evolutions %v", g.Input, g.Metadata.Evolutions)
	}
	if n := len(f.said(actor.DeepEvalEvolve)); n < 2 {
		t.Errorf("it was asked for %d times, want a retry", n)
	}
}

// The critic is told what rules can see: a parameter that the text does not show.
func TestUnshownParameterIsRewritten(t *testing.T) {
	t.Parallel()
	call := calls(t, nil)[0]
	call.Rows = call.Rows[1:2]
	f := newFake()
	f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		return text(`{"items":[{"key":"i1","matter":"m","passages":["1"],"input":"Could you kindly tell me where my order is? Thank you."}]}`), nil, kind == actor.DeepEvalInputs
	}
	call.Model = f
	if _, err := newGenerator(t, nil).Generate(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	said := f.said(actor.DeepEvalRewrite)
	if len(said) == 0 || !strings.Contains(said[0], "The parameter tone = angry cannot be seen") {
		t.Errorf("the rewriter was told %q", said)
	}
}

func TestCornerRowsAreNotEvolved(t *testing.T) {
	t.Parallel()
	for _, corner := range []string{"garbage", "off_topic", "abuse", "injection", "empty"} {
		f := newFake()
		call := calls(t, f)[1]
		call.Rows = call.Rows[:1]
		call.Rows[0].Corner, call.Rows[0].Source = corner, model.SourceCorner
		if corner == "empty" {
			f.on = func(kind string, _ *llm.Request, _ int) (*llm.Response, error, bool) {
				return text(`{"items":[{"key":"i1","matter":"m","passages":[],"input":""}]}`), nil, kind == actor.DeepEvalInputs
			}
		}
		out, err := newGenerator(t, nil).Generate(t.Context(), call)
		if err != nil || len(out.Records) != 1 {
			t.Errorf("%s: %+v, %v", corner, out, err)
			continue
		}
		g, err := deepeval.Parse(out.Records[0].JSON)
		if err != nil || len(g.Metadata.Evolutions) != 0 || (g.Input == "") != (corner == "empty") {
			t.Errorf("%s: %q with %v, %v", corner, g.Input, g.Metadata.Evolutions, err)
		}
		if n := len(f.said(actor.DeepEvalEvolve)) + len(f.said(actor.DeepEvalCritic)); n != 0 {
			t.Errorf("%s: %d calls of critic and evolution", corner, n)
		}
	}
}

// A refused record is written anew; what the method varied in it stays.
func TestRepairs(t *testing.T) {
	t.Parallel()
	f := newFake()
	call := calls(t, f)[0]
	g := newGenerator(t, nil)
	first, err := g.Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	old, err := deepeval.Parse(first.Records[0].JSON)
	if err != nil {
		t.Fatal(err)
	}
	call.Rows = call.Rows[:1]
	call.Repairs = map[string]generator.Repair{"row_1": {
		Item: model.Item{Row: "row_1", TestCase: model.TestCase{Name: "n", Metadata: model.Metadata{Native: first.Records[0].JSON}}, Examples: []model.Example{{
			Format: model.SingleTurnQA, Input: model.Input{Messages: []model.Message{{Role: "user", Content: old.Input}}}, ExpectedOutput: old.ExpectedOutput,
			EvaluationCriteria: []string{"a", "b", "c"}, PolicyIDs: []string{"pol_number"},
		}}},
		Findings: []string{"the answer promises an hour"},
	}}
	was := f.total()
	out, err := g.Generate(t.Context(), call)
	if err != nil || len(out.Records) != 1 || out.Records[0].Row != "row_1" {
		t.Fatalf("%+v, %v", out, err)
	}
	if n := f.total() - was; n > 3 {
		t.Errorf("%d calls for one repair", n)
	}
	mended, err := deepeval.Parse(out.Records[0].JSON)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(old.Metadata.Evolutions, mended.Metadata.Evolutions); diff != "" {
		t.Errorf("evolutions (-was +is):\n%s", diff)
	}
	if diff := cmp.Diff(first.Records[0].Spans, out.Records[0].Spans); diff != "" {
		t.Errorf("spans (-was +is):\n%s", diff)
	}
	told := false
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, req := range f.log[was:] {
		told = told || strings.Contains(user(req), "the answer promises an hour")
	}
	if !told {
		t.Error("nobody was told the finding")
	}
}

// A path names a document of the run.
func TestDocumentPaths(t *testing.T) {
	t.Parallel()
	g := newGenerator(t, nil)
	call := calls(t, newFake())[0]
	call.Args = json.RawMessage(`{"document_paths":["../../etc/passwd"],"num_goldens":10,"include_expected_output":true}`)
	_, err := g.Generate(t.Context(), call)
	var bad *generator.ArgsError
	if !errors.As(err, &bad) || !strings.Contains(err.Error(), "bakery.md") {
		t.Errorf("%v, want an *ArgsError that names the documents", err)
	}
	call.Args = json.RawMessage(`{"document_paths":["bakery.md"],"num_goldens":10,"include_expected_output":false}`)
	out, err := g.Generate(t.Context(), call)
	if err != nil || len(out.Records) != 3 {
		t.Fatalf("%+v, %v", out, err)
	}
	rec, err := deepeval.Parse(out.Records[0].JSON)
	if err != nil || rec.ExpectedOutput == "" { // a test case needs one
		t.Errorf("%q, %v", rec.ExpectedOutput, err)
	}
}

// What is not there for good is dropped with a reason, and the rest is kept.
func TestRowsDropped(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		if kind != actor.DeepEvalInputs {
			return nil, nil, false
		}
		var items []string
		for i := range strings.Count(user(req), ": format ") {
			if !strings.Contains(user(req), "tone = angry") || i != 1 && strings.Count(user(req), ": format ") > 1 {
				items = append(items, fmt.Sprintf(`{"key":"i%d","matter":"","passages":[],"input":%q}`, i+1, actor.Text("m", user(req), fmt.Sprint(i))))
			}
		}
		return text(`{"items":[%s]}`, strings.Join(items, ",")), nil, true
	}
	call := calls(t, f)[0]
	out, err := newGenerator(t, nil).Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, r := range out.Records {
		rows = append(rows, r.Row)
	}
	if !slices.Equal(rows, []string{"row_1", "row_3"}) || len(out.Dropped) != 1 || out.Dropped[0].Row != "row_2" || out.Dropped[0].Reason == "" {
		t.Errorf("records of %v, dropped %+v", rows, out.Dropped)
	}
}

// A provider that refuses the key ends the call with its error.
func TestFatal(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.on = func(string, *llm.Request, int) (*llm.Response, error, bool) {
		return nil, &llm.Error{Kind: llm.KindAuth, Status: 401}, true
	}
	out, err := newGenerator(t, nil).Generate(t.Context(), calls(t, f)[0])
	var e *llm.Error
	if !errors.As(err, &e) || e.Kind != llm.KindAuth || len(out.Records) != 0 || len(out.Dropped) != 3 {
		t.Errorf("%+v, %v", out, err)
	}
	if f.total() != 1 {
		t.Errorf("%d calls with a wrong key", f.total())
	}
}

// One panic, one refusal, one timeout: a retry of what it was about.
func TestOneFault(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]func() (*llm.Response, error){
		"panic":   func() (*llm.Response, error) { panic("boom") },
		"refusal": func() (*llm.Response, error) { return nil, &llm.Error{Kind: llm.KindRefused} },
		"timeout": func() (*llm.Response, error) { return nil, &llm.Error{Kind: llm.KindOverload, Message: "timeout"} },
	} {
		for _, kind := range []string{actor.DeepEvalInputs, actor.DeepEvalCritic, actor.DeepEvalEvolve} {
			clean, broken := newFake(), newFake()
			broken.on = func(k string, _ *llm.Request, n int) (*llm.Response, error, bool) {
				if k != kind || n > 0 {
					return nil, nil, false
				}
				resp, err := fault()
				return resp, err, true
			}
			for _, f := range []*fake{clean, broken} {
				out, err := newGenerator(t, nil).Generate(t.Context(), calls(t, f)[0])
				if err != nil || len(out.Records) != 3 {
					t.Errorf("%s in %s: %+v, %v", name, kind, out, err)
				}
			}
			if more := broken.total() - clean.total(); more < 1 || more > 2 {
				t.Errorf("%s in %s: %d calls more, want a retry", name, kind, more)
			}
		}
	}
}

// A model that answers at any speed gives the same.
func TestRunIsTheSameAtAnyConcurrency(t *testing.T) {
	t.Parallel()
	var want string
	for _, n := range []int{1, 4, 64} {
		call := calls(t, newFake())[1]
		var rows []model.Row
		for i := range 20 {
			row := call.Rows[i%2]
			row.ID = fmt.Sprintf("row_%02d", i)
			rows = append(rows, row)
		}
		call.Rows = rows
		out, err := newGenerator(t, &deepeval.Options{Concurrency: n}).Generate(t.Context(), call)
		if err != nil || len(out.Records) != 20 {
			t.Fatalf("%d records, %v", len(out.Records), err)
		}
		b, err := json.Marshal(out)
		if err != nil {
			t.Fatal(err)
		}
		if want == "" {
			want = string(b)
		} else if diff := cmp.Diff(want, string(b)); diff != "" {
			t.Errorf("concurrency %d (-1 +%d):\n%s", n, n, diff)
		}
	}
}

// What the check at the end finds invented is dropped in a run, with what was
// found; alone it is kept and flagged, or dropped by option.
func TestUnsupported(t *testing.T) {
	t.Parallel()
	bad := func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		if kind != actor.AnswerCheck {
			return nil, nil, false
		}
		var items []string
		for i := range strings.Count(user(req), "<reply>") {
			items = append(items, fmt.Sprintf(`{"item":"i%d","message_problem":"","message_score":0.9,"unsettled":"when the moon rises","needs":[],"unsupported":[],"missing":[],"asked_problem":""}`, i+1))
		}
		return text(`{"items":[%s]}`, strings.Join(items, ",")), nil, true
	}
	f := newFake()
	f.on = bad
	call := calls(t, f)[0]
	out, err := newGenerator(t, nil).Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Records) != 1 || out.Records[0].Row != "row_3" || len(out.Dropped) != 2 || !strings.Contains(out.Dropped[0].Reason, "when the moon rises") {
		t.Errorf("%d records, dropped %+v; want the given message alone", len(out.Records), out.Dropped)
	}

	invented := newFake() // in a given message's reply, too
	invented.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		resp, err, ok := bad(kind, req, 0)
		if ok {
			resp.Text = strings.NewReplacer(`"when the moon rises"`, `""`, `"unsupported":[]`, `"unsupported":["answer"]`).Replace(resp.Text)
		}
		return resp, err, ok
	}
	out, err = newGenerator(t, nil).Generate(t.Context(), calls(t, invented)[0])
	if err == nil || len(out.Records) != 0 || len(out.Dropped) != 3 {
		t.Errorf("%d records, dropped %+v, %v; want none", len(out.Records), out.Dropped, err)
	}

	f = newFake()
	f.on = bad
	r, err := synthesizer(t, f, nil).FromContexts(t.Context(), contexts(1), nil)
	if err != nil || len(r.Goldens) != 2 {
		t.Fatalf("%d goldens, %v", len(r.Goldens), err)
	}
	m := r.Goldens[0].Metadata
	if string(m.Extra[deepeval.MetaAnswerable]) != "false" || !strings.Contains(string(m.Extra[deepeval.MetaFlagged]), "when the moon rises") {
		t.Errorf("answerable %s, flagged %s", m.Extra[deepeval.MetaAnswerable], m.Extra[deepeval.MetaFlagged])
	}
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Filtration.Drop = true })
	r, err = s.FromContexts(t.Context(), contexts(1), nil)
	var low *deepeval.QualityError
	if !errors.As(err, &low) || len(r.Goldens) != 0 {
		t.Errorf("dropped by option: %d goldens, %v", len(r.Goldens), err)
	}
}

// The last stage is told what the evolution asks of the reply, and prompts of
// rows name the other rules of the document.
func TestWhatPromptsSay(t *testing.T) {
	t.Parallel()
	f := newFake()
	call := calls(t, f)[0]
	call.Rows = call.Rows[:1]
	call.Rows[0].PolicyIDs = call.Rows[0].PolicyIDs[:1]
	g := newGenerator(t, &deepeval.Options{
		Evolution: deepeval.EvolutionConfig{Weights: map[deepeval.Evolution]float64{deepeval.Comparative: 1}},
		Styling:   deepeval.StylingConfig{InputFormat: "like a postcard", ExpectedOutputFormat: "two sentences"},
	})
	if _, err := g.Generate(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string][]string{
		actor.DeepEvalInputs: {"<other_rules>\n- The assistant must not promise an exact hour", "like a postcard"},
		actor.DeepEvalEvolve: {"way: Comparative", "like a postcard"},
		actor.AnswerWrite:    {"both options", "two sentences"},
	} {
		said := f.said(kind)
		if len(said) != 1 {
			t.Errorf("%d requests of %s", len(said), kind)
			continue
		}
		for _, w := range want {
			if !strings.Contains(said[0], w) {
				t.Errorf("%s lacks %q:\n%s", kind, w, said[0])
			}
		}
	}
}

// An evolution that does not fit gives way to another one.
func TestEvolutionThatDoesNotFit(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		fits := strings.Contains(user(req), "way: Hypothetical")
		return text(`{"items":[{"key":"i1","idea":"there is no second option","input":""}]}`), nil, kind == actor.DeepEvalEvolve && !fits
	}
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) {
		o.Evolution.Weights = map[deepeval.Evolution]float64{deepeval.Comparative: 1e9, deepeval.Hypothetical: 1}
	})
	r, err := s.FromContexts(t.Context(), contexts(1), &deepeval.Ask{Goldens: 1})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Hypothetical"}, r.Goldens[0].Metadata.Evolutions); diff != "" {
		t.Errorf("evolutions (-want +got):\n%s", diff)
	}
	s = synthesizer(t, f, func(o *deepeval.SynthesizerOptions) {
		o.Evolution.Weights = map[deepeval.Evolution]float64{deepeval.Comparative: 1}
	})
	r, err = s.FromContexts(t.Context(), contexts(1), &deepeval.Ask{Goldens: 1})
	if err != nil || len(r.Goldens[0].Metadata.Evolutions) != 0 || !strings.HasPrefix(r.Goldens[0].Input, "message ") {
		t.Errorf("none fits: %q with %v, %v", r.Goldens[0].Input, r.Goldens[0].Metadata.Evolutions, err)
	}
}

// What the check finds to need one passage only is not called Multi-context.
func TestMultiContextNeedsTwoPassages(t *testing.T) {
	t.Parallel()
	for needs, want := range map[string][]string{`["c1"]`: {}, `["c1","c2"]`: {"Multi-context"}} {
		f := newFake()
		f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
			return text(`{"items":[{"item":"i1","message_problem":"","message_score":0.9,"unsettled":"","needs":%s,"unsupported":[],"missing":[],"asked_problem":""}]}`, needs), nil, kind == actor.AnswerCheck
		}
		s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) {
			o.Evolution.Weights = map[deepeval.Evolution]float64{deepeval.MultiContext: 1}
		})
		r, err := s.FromContexts(t.Context(), contexts(1), &deepeval.Ask{Goldens: 1})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, r.Goldens[0].Metadata.Evolutions); diff != "" {
			t.Errorf("needs %s (-want +got):\n%s", needs, diff)
		}
	}
}
