package orchestrate_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

func parse(t testing.TB, path string) *model.Document {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := model.ParseMarkdown(path[strings.LastIndex(path, "/")+1:], b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// ownGenerators are those that came before the frameworks' methods: recordings
// hold requests that offer these two.
func ownGenerators(t testing.TB) []generator.Generator {
	t.Helper()
	var out []generator.Generator
	for _, g := range orchestrate.Builtin() {
		if name := g.Spec().Name; name == "direct" || name == "rules" {
			out = append(out, g)
		}
	}
	return out
}

const bikes = "../examples/documents/bike_rental_en.md"

func newActor(t testing.TB, docs ...*model.Document) *actor.Actor {
	t.Helper()
	a, err := actor.New(t.Context(), docs...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func overHTTP(t testing.TB, s *wire.Server) *openai.Client {
	t.Helper()
	c, err := openai.New(openai.Options{BaseURL: s.URL(), Model: "actor", APIKey: "k"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func httpOptions(c *openai.Client) *orchestrate.Options {
	return &orchestrate.Options{
		Client: c, Capabilities: c.Capabilities(), ModelName: "actor", Seed: 1,
		Checks: []coverage.Check{}, // the actor's texts show no values; the run is what is tested
		Counts: orchestrate.Counts{TestCasesPerUseCase: 4, ExamplesPerTestCase: 2},
		Retry:  &llm.RetryOptions{Base: time.Millisecond},
	}
}

func encode(t testing.TB, res *orchestrate.Result) string {
	t.Helper()
	m := *res.Manifest
	m.Usage = nil
	m.Timestamp = ""
	b, err := json.Marshal([]any{res.Dataset, res.Certificate, m})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func counts(res *orchestrate.Result) (perUseCase, perTestCase []int) {
	cases, examples := map[string]int{}, map[string]int{}
	for _, tc := range res.Dataset.TestCases {
		cases[tc.UseCaseID]++
	}
	for _, ex := range res.Dataset.Examples {
		examples[ex.TestCaseID]++
	}
	uniq := func(m map[string]int) []int { return slices.Compact(slices.Sorted(maps.Values(m))) }
	return uniq(cases), uniq(examples)
}

func TestBytesDoNotDependOnConcurrencyOverHTTP(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	a := newActor(t, doc)
	var want string
	for _, n := range []int{1, 4, 64} {
		s := wire.New(t, wire.Client(a), nil)
		o := httpOptions(overHTTP(t, s))
		o.Concurrency = n
		orch, err := orchestrate.New(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		res, err := orch.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
		var short *coverage.ShortfallError
		if err != nil && !errors.As(err, &short) {
			t.Fatal(err)
		}
		if len(res.Dataset.Examples) == 0 {
			t.Fatal("nothing was made")
		}
		if got := encode(t, res); want == "" {
			want = got
		} else if got != want {
			t.Errorf("concurrency %d gives other bytes:\n%s", n, cmp.Diff(want, got))
		}
	}
}

func TestExactCountsFromAServerThatFailsOneCallInFive(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	a := newActor(t, doc)
	for seed := range uint64(3) {
		s := wire.New(t, wire.Client(a), &wire.Options{Faults: wire.Faults(seed, 0.2)})
		o := httpOptions(overHTTP(t, s))
		o.Limit = &llm.LimitOptions{Concurrency: 8, CoolDown: time.Millisecond}
		o.Minimums.AllowUnpressed = true
		orch, err := orchestrate.New(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		res, err := orch.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
		var short *coverage.ShortfallError
		if errors.As(err, &short) {
			for _, l := range short.Shortfalls {
				if strings.Contains(l.What, "case") || strings.Contains(l.What, "example") && l.What != "examples of source tickets" {
					t.Errorf("seed %d: %s", seed, l)
				}
			}
		} else if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		cases, examples := counts(res)
		if diff := cmp.Diff([][]int{{len(a.Extraction.UseCases)}, {4}, {2}}, [][]int{{len(res.Dataset.UseCases)}, cases, examples}); diff != "" {
			t.Errorf("seed %d: use cases, test cases each, examples each (-want +got):\n%s", seed, diff)
		}
		if len(s.Faulted()) < 4 {
			t.Errorf("seed %d: the server failed only with %v", seed, s.Faulted())
		}
	}
}

// nonsense answers with valid JSON of the schema and nothing in it.
func nonsense(_ context.Context, req *llm.Request) (*llm.Response, error) {
	switch actor.Kind(req) {
	case "use_cases":
		return &llm.Response{Text: `{"agent":"support_bot","language":"xx","use_cases":[{"key":"","lines":[{"first":9999,"last":1}],"name":"zzz","description":"zzz","corner":"none"}]}`}, nil
	case "policies":
		return &llm.Response{Text: `{"policies":[{"key":"","lines":[],"type":"must","statement":"zzz 77","name":"","description":"","conditions":[""],"exceptions":[],"testable":false,"untestable_reason":"","use_cases":["u999"],"supersedes":[{"first":5000,"last":5000}]}],"contradictions":[{"policies":["p8","p9"],"reason":""}]}`}, nil
	case "repair":
		return &llm.Response{Text: `{"use_cases":[],"policies":[],"dropped":["zzz"]}`}, nil
	case "route":
		return &llm.Response{Calls: []llm.ToolCall{{ID: "", Name: "generate_direct", Arguments: `{"max_test_cases":1,"emphasis":"pressure"}`}, {ID: "", Name: "zzz", Arguments: `"zzz"`}}}, nil
	default:
		row := regexp.MustCompile(`r\d+`).FindString(req.Messages[1].Content)
		return &llm.Response{Text: `{"items":[{"row":"` + row + `","situation":"zzz","name":"zzz","messages":[{"role":"operator","text":"zzz"}],"shown":[{"parameter":"zzz","phrase":"zzz"}],"policies":["p77","p1"],"expected_output":"zzz","criteria":["zzz","zzz"],"impossible":"zzz"}]}`}, nil
	}
}

type modelFunc func(context.Context, *llm.Request) (*llm.Response, error)

func (f modelFunc) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	return f(ctx, req)
}

func TestNonsenseIsRefusedAndTheRunCompletesByRules(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	s := wire.New(t, wire.Client(modelFunc(nonsense)), nil)
	o := httpOptions(overHTTP(t, s))
	o.Checks, o.Counts = nil, orchestrate.Counts{}
	orch, err := orchestrate.New(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	res, err := orch.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"rules"}, res.Manifest.FrameworksUsed); diff != "" {
		t.Errorf("frameworks_used (-want +got):\n%s", diff)
	}
	if broken := res.Dataset.Violations(doc); len(broken) > 0 {
		t.Errorf("the contract is broken: %v", broken)
	}
	byGenerator := map[string]int{}
	for _, ref := range res.Manifest.Refused {
		byGenerator[ref.Generator]++
		if ref.Reason == "" || ref.Check == "" {
			t.Errorf("a refusal without a reason: %+v", ref)
		}
	}
	if byGenerator["direct"] == 0 {
		t.Errorf("the manifest does not say what of the model was refused: %v", byGenerator)
	}
	if len(res.Dataset.Examples) < 20 {
		t.Errorf("%d examples", len(res.Dataset.Examples))
	}
}

func TestBudgetIsHardAndTheRestIsMadeByRules(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	for _, limit := range []int64{1, 2, 3, 5, 20} {
		s := wire.New(t, wire.Client(newActor(t, doc)), nil)
		o := httpOptions(overHTTP(t, s))
		o.Counts = orchestrate.Counts{}
		o.Budget = llm.Budget{Calls: limit}
		orch, err := orchestrate.New(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		res, err := orch.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
		var short *coverage.ShortfallError
		if err != nil && !errors.As(err, &short) {
			t.Fatalf("%d calls: %v", limit, err)
		}
		if n := s.Calls(); int64(n) > limit {
			t.Errorf("the server saw %d calls, the budget is %d", n, limit)
		}
		if res.Stop != orchestrate.StopBudget || res.Manifest.StopReason == "" {
			t.Errorf("%d calls: stop %q %q", limit, res.Stop, res.Manifest.StopReason)
		}
		if !slices.Contains(res.Manifest.FrameworksUsed, "rules") {
			t.Errorf("%d calls: made by %v", limit, res.Manifest.FrameworksUsed)
		}
	}
	o := httpOptions(overHTTP(t, wire.New(t, wire.Client(newActor(t, doc)), nil)))
	o.Budget = llm.Budget{USD: 1}
	orch, err := orchestrate.New(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	_, err = orch.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	var price *llm.PriceError
	if !errors.As(err, &price) {
		t.Errorf("a budget in money for a model of unknown price: %v", err)
	}
}

func TestProviderThatFailsLaterIsCompletedByRules(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	a := newActor(t, doc)
	direct := 0
	s := wire.New(t, wire.Client(modelFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		if actor.Kind(req) == "direct" {
			if direct++; direct > 3 {
				return nil, &llm.Error{Kind: llm.KindQuota, Status: 429, Code: "insufficient_quota", Message: "no credit left"}
			}
		}
		return a.Complete(ctx, req)
	})), nil)
	o := httpOptions(overHTTP(t, s))
	o.Counts, o.Concurrency = orchestrate.Counts{}, 1
	orch, err := orchestrate.New(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	res, err := orch.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"direct", "rules"}, res.Manifest.FrameworksUsed); diff != "" {
		t.Errorf("frameworks_used (-want +got):\n%s", diff)
	}
	if res.Stop != orchestrate.StopProvider || !strings.Contains(res.Manifest.StopReason, "no credit left") {
		t.Errorf("stop %q: %s", res.Stop, res.Manifest.StopReason)
	}
}

func TestCancelledRunKeepsWhatWasAccepted(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	a := newActor(t, doc)
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	s := wire.New(t, wire.Client(a), nil)
	o := httpOptions(overHTTP(t, s))
	o.Concurrency = 1
	o.OnEvent = func(e orchestrate.Event) {
		if e.Kind == orchestrate.EventStage && e.Stage == "fallback" {
			cancel(enough)
		}
	}
	a.Calls = func(*llm.Request) []llm.ToolCall { // leaves three rows of four to the fallback
		return []llm.ToolCall{{ID: "1", Name: "generate_direct", Arguments: `{"max_test_cases":1}`}}
	}
	o.MaxRounds = 1
	orch, err := orchestrate.New(nil, o)
	if err != nil {
		t.Fatal(err)
	}
	res, err := orch.Run(ctx, &orchestrate.Input{Documents: []*model.Document{doc}})
	if !errors.Is(err, enough) || res.Stop != orchestrate.StopCancelled {
		t.Fatalf("err %v, stop %q", err, res.Stop)
	}
	if n, want := len(res.Dataset.TestCases), len(res.Dataset.UseCases); n != want || n == 0 {
		t.Errorf("%d test cases of %d use cases are kept, want one each", n, want)
	}
}
