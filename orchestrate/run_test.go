package orchestrate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// returns is a job that needs no document.
func returns() *orchestrate.Job {
	ev := []model.Evidence{{InputFile: "shop.md", LineStart: 3, LineEnd: 3, Quote: "Returns are accepted within 14 days."}}
	return &orchestrate.Job{
		Language: "en",
		UseCase: model.UseCase{
			ID: "uc_return", Case: model.CaseSupportBot, Name: "Return an item",
			Description: "A customer wants to return an item and learns how.", Evidence: ev,
		},
		Policies: []model.Policy{
			{ID: "pol_window", Case: model.CaseSupportBot, Type: model.Must, Name: "Return window", Description: "d", Statement: "Returns are accepted within 14 days.", Evidence: ev},
			{ID: "pol_number", Case: model.CaseSupportBot, Type: model.Must, Name: "Order number", Description: "d", Statement: "The agent must ask for the order number.", Evidence: ev},
		},
	}
}

// marked refuses every item whose answer holds one of the words.
func marked(words ...string) coverage.Check {
	return coverage.Check{Name: "marked", Run: func(c *coverage.Candidate) []coverage.Finding {
		for i, ex := range c.Item.Examples {
			for _, w := range words {
				if strings.Contains(ex.ExpectedOutput, w) {
					return []coverage.Finding{{Field: "expected_output", Example: i, Message: "it says " + w}}
				}
			}
		}
		return nil
	}}
}

type toolParams struct {
	Items int    `json:"items" jsonschema:"minimum=1,maximum=50" jsonschema_description:"The most rows to take."`
	Mode  string `json:"mode" jsonschema:"enum=plain,enum=hard" jsonschema_description:"How hard."`
}

// tool is a generator that fills its rows with a word of its own.
func tool(t *testing.T, name string, answer func(call *generator.Call, row model.Row) (string, error)) generator.Generator {
	t.Helper()
	g, err := generator.New(generator.Spec{Name: name, Description: "Makes items for tests.", Count: "items", NeedsModel: true},
		toolParams{Items: 10, Mode: "plain"},
		func(_ context.Context, call *generator.Call, p toolParams) (*generator.Output, error) {
			b := &model.Batch{}
			for _, row := range call.Rows {
				text, err := answer(call, row)
				if err != nil {
					return nil, err
				}
				b.Items = append(b.Items, item(row, text))
			}
			return generator.BatchOutput(b), nil
		})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func item(row model.Row, answer string) model.Item {
	it := model.Item{Row: row.ID, TestCase: model.TestCase{Name: "case " + row.ID, Description: "d"}}
	for n := range row.Examples {
		it.Examples = append(it.Examples, model.Example{
			Format:         row.Format,
			Input:          model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: fmt.Sprintf("message %d of %s", n, row.ID)}}},
			ExpectedOutput: answer, EvaluationCriteria: []string{"one", "two", "three"},
		})
	}
	return it
}

func says(word string) func(*generator.Call, model.Row) (string, error) {
	return func(*generator.Call, model.Row) (string, error) { return word, nil }
}

var rowKey = regexp.MustCompile(`(?m)^(r\d+): format [a-z_]+(?:, (\d+) items.*)?$`)

// directReply answers a generate_direct request for every row it asks for.
func directReply(req *llm.Request, answer string) string {
	prompt := req.Messages[1].Content
	type msg struct {
		Role string `json:"role"`
		Text string `json:"text"`
	}
	items := []map[string]any{}
	for _, m := range rowKey.FindAllStringSubmatch(prompt, -1) {
		items = append(items, map[string]any{
			"row": m[1], "situation": "s", "name": "n", "messages": []msg{{"user", "direct message for " + m[1]}},
			"shown": []any{}, "policies": []string{"p1"}, "expected_output": answer, "criteria": []string{"a", "b", "c"}, "impossible": "",
		})
	}
	b, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func options(client llm.Client) *orchestrate.Options {
	return &orchestrate.Options{
		Client: client, ModelName: "fake", Checks: []coverage.Check{marked("BAD")},
		Counts: orchestrate.Counts{TestCasesPerUseCase: 4}, Retry: &llm.RetryOptions{Attempts: 1},
		Minimums: coverage.Minimums{AllowUnpressed: true},
	}
}

func made(res *orchestrate.Result) map[string]int {
	n := map[string]int{}
	for _, ex := range res.Dataset.Examples {
		n[ex.Metadata.Generator]++
	}
	return n
}

func generate(t *testing.T, gens []generator.Generator, o *orchestrate.Options) (*orchestrate.Result, error) {
	t.Helper()
	orch, err := orchestrate.New(gens, o)
	if err != nil {
		t.Fatal(err)
	}
	return orch.Generate(t.Context(), returns())
}

func TestRouterPicksAmongRegisteredTools(t *testing.T) {
	t.Parallel()
	client := llmtest.New(t, llmtest.Step{Purpose: "route", Do: func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		var names []string
		for _, tl := range req.Tools {
			names = append(names, tl.Name)
			if !tl.Strict {
				t.Errorf("tool %s is not strict", tl.Name)
			}
		}
		want := []string{"generate_with_alpha", "generate_with_beta", "generate_with_gamma", "no_suitable_generator"}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("tools (-want +got):\n%s", diff)
		}
		for _, must := range []string{"Return an item", "Returns are accepted within 14 days.", "must ask for the order number"} {
			if !strings.Contains(req.Messages[1].Content, must) {
				t.Errorf("the router does not see %q", must)
			}
		}
		return &llm.Response{Calls: []llm.ToolCall{
			{ID: "1", Name: "generate_with_alpha", Arguments: `{"items":1,"mode":null}`},
			{ID: "2", Name: "generate_with_gamma", Arguments: `{"items":null,"mode":"hard"}`},
		}}, nil
	}})
	res, err := generate(t, []generator.Generator{tool(t, "alpha", says("A")), tool(t, "beta", says("B")), tool(t, "gamma", says("C"))}, options(client))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"alpha": 1, "gamma": 3}, made(res)); diff != "" {
		t.Errorf("items by generator (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"alpha", "gamma"}, res.Manifest.FrameworksUsed); diff != "" {
		t.Errorf("frameworks_used (-want +got):\n%s", diff)
	}
	if res.Stop != orchestrate.StopComplete || len(res.Refused) != 0 {
		t.Errorf("stop %q, refused %v", res.Stop, res.Refused)
	}
}

func TestBadCallsAreOutcomesAndRepairedOnce(t *testing.T) {
	t.Parallel()
	client := llmtest.New(t,
		llmtest.Step{Purpose: "route", Do: func(context.Context, *llm.Request) (*llm.Response, error) {
			return &llm.Response{Calls: []llm.ToolCall{
				{ID: "1", Name: "generate_with_nothing", Arguments: `{}`},
				{ID: "2", Name: "generate_with_alpha", Arguments: `{"items":"many","mode":"wild"}`},
				{ID: "3", Name: "generate_with_alpha", Arguments: `{"items":1,"mode":"plain","extra":1}`},
			}}, nil
		}},
		llmtest.Step{Purpose: "route", Do: func(_ context.Context, req *llm.Request) (*llm.Response, error) {
			last := req.Messages[len(req.Messages)-1].Content
			for _, must := range []string{"generate_with_alpha", "items", "mode", "extra"} {
				if !strings.Contains(last, must) {
					t.Errorf("the repair message lacks %q:\n%s", must, last)
				}
			}
			return &llm.Response{Calls: []llm.ToolCall{{ID: "1", Name: "generate_with_alpha", Arguments: ``}}}, nil
		}},
	)
	res, err := generate(t, []generator.Generator{tool(t, "alpha", says("A"))}, options(client))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"alpha": 4}, made(res)); diff != "" {
		t.Errorf("items by generator (-want +got):\n%s", diff)
	}
	var unknown *generator.UnknownToolError
	var args *generator.ArgsError
	if err := res.Err(); !errors.As(err, &unknown) || !errors.As(err, &args) {
		t.Errorf("outcomes: %v", err)
	} else if diff := cmp.Diff([]string{"generate_with_alpha"}, unknown.Valid); diff != "" {
		t.Errorf("valid names (-want +got):\n%s", diff)
	}
}

func TestDirectFillsWhatTheRouterLeft(t *testing.T) {
	t.Parallel()
	client := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		switch req.Purpose {
		case "route":
			return &llm.Response{Calls: []llm.ToolCall{{ID: "1", Name: "no_suitable_generator", Arguments: `{"reason":"none fits"}`}}}, nil
		case "generate_direct":
			return &llm.Response{Text: directReply(req, "direct answer")}, nil
		default:
			t.Errorf("unexpected call for %q", req.Purpose)
			return nil, &llm.Error{Kind: llm.KindRefused}
		}
	})
	res, err := generate(t, []generator.Generator{tool(t, "alpha", says("A"))}, options(client))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"openai_fallback": 4}, made(res)); diff != "" {
		t.Errorf("items by generator (-want +got):\n%s", diff)
	}
	var none *orchestrate.NoSuitableError
	if !errors.As(res.Err(), &none) || none.Reason != "none fits" {
		t.Errorf("outcomes: %v", res.Err())
	}
}

func TestFailedCheckIsRepairedOnceThenToppedUp(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	alpha := tool(t, "alpha", func(call *generator.Call, row model.Row) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		rep, repair := call.Repairs[row.ID]
		if repair && (len(rep.Findings) != 1 || rep.Findings[0] != "marked: it says BAD" || rep.Item.Examples[0].ExpectedOutput != "BAD") {
			t.Errorf("repair of %s got %+v", row.ID, rep)
		}
		seen[row.ID]++
		switch {
		case strings.HasSuffix(row.ID, "/1"): // mended by the repair
			if repair {
				return "good", nil
			}
			return "BAD", nil
		case strings.HasSuffix(row.ID, "/2"): // never good here
			return "BAD", nil
		default:
			return "good", nil
		}
	})
	client := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		if req.Purpose == "route" {
			return &llm.Response{Calls: []llm.ToolCall{{ID: "1", Name: "generate_with_alpha", Arguments: `{}`}}}, nil
		}
		return &llm.Response{Text: directReply(req, "direct answer")}, nil
	})
	res, err := generate(t, []generator.Generator{alpha}, options(client))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"alpha": 3, "openai_fallback": 1}, made(res)); diff != "" {
		t.Errorf("items by generator (-want +got):\n%s", diff)
	}
	// Two rounds of routing, each with one repair.
	if seen["uc_return/2"] != 4 || seen["uc_return/1"] != 2 || seen["uc_return/3"] != 1 {
		t.Errorf("rows were asked for %v times", seen)
	}
	if len(res.Refused) != 2 || res.Refused[0].Check != "marked" || res.Refused[0].Row != "uc_return/2" {
		t.Errorf("refused: %+v", res.Refused)
	}
}

func TestAuthErrorEndsTheRunBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	client := llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
		return nil, &llm.Error{Kind: llm.KindAuth, Status: 401, Message: "no such key"}
	})
	res, err := generate(t, nil, options(client))
	var p *orchestrate.ProviderError
	if !errors.As(err, &p) || len(res.Dataset.Examples) != 0 || res.Stop != orchestrate.StopProvider {
		t.Fatalf("err %v, stop %q, %d examples", err, res.Stop, len(res.Dataset.Examples))
	}
}

func TestConcurrencyDoesNotChangeTheBytes(t *testing.T) {
	t.Parallel()
	var want []byte
	for _, n := range []int{1, 4, 64} {
		client := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
			if req.Purpose == "route" {
				return &llm.Response{Calls: []llm.ToolCall{
					{ID: "1", Name: "generate_with_alpha", Arguments: `{"items":1}`}, {ID: "2", Name: "generate_with_beta", Arguments: `{"items":2}`},
				}}, nil
			}
			return &llm.Response{Text: directReply(req, "direct answer")}, nil
		})
		o := options(client)
		o.Concurrency = n
		res, err := generate(t, []generator.Generator{tool(t, "alpha", says("A")), tool(t, "beta", says("B"))}, o)
		if err != nil {
			t.Fatal(err)
		}
		res.Manifest.Usage = nil
		got, err := json.Marshal([]any{res.Dataset, res.Certificate, res.Manifest})
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = got
		} else if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("concurrency %d (-1 +%d):\n%s", n, n, diff)
		}
	}
}

func TestOptionsThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	var typedNil *llmtest.Client
	for name, o := range map[string]*orchestrate.Options{
		"Client":                     {Client: typedNil},
		"Concurrency":                {Concurrency: -1},
		"MaxRounds":                  {MaxRounds: -1},
		"Counts.TestCasesPerUseCase": {Counts: orchestrate.Counts{TestCasesPerUseCase: 2}},
		"Counts.UseCases":            {Counts: orchestrate.Counts{UseCases: 4}},
		"Budget":                     {Budget: llm.Budget{Calls: -1}},
	} {
		_, err := orchestrate.New(nil, o)
		var oe *orchestrate.OptionError
		if !errors.As(err, &oe) || oe.Option != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRegistrationErrors(t *testing.T) {
	t.Parallel()
	a := tool(t, "alpha", says("A"))
	for name, gens := range map[string][]generator.Generator{
		"nil":       {nil},
		"two names": {a, a},
	} {
		_, err := orchestrate.New(gens, nil)
		var re *orchestrate.RegistrationError
		if !errors.As(err, &re) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEventsComeInOrderAndEndWithTheRun(t *testing.T) {
	t.Parallel()
	var events []orchestrate.Event
	client := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		return &llm.Response{Calls: []llm.ToolCall{{ID: "1", Name: "generate_with_alpha", Arguments: `{}`}}}, nil
	})
	o := options(client)
	o.OnEvent = func(e orchestrate.Event) { events = append(events, e) }
	if _, err := generate(t, []generator.Generator{tool(t, "alpha", says("A"))}, o); err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for i, e := range events {
		if e.Seq != i+1 {
			t.Errorf("event %d has number %d", i, e.Seq)
		}
		kinds = append(kinds, strings.TrimSuffix(string(e.Kind)+" "+e.Stage, " "))
	}
	want := []string{"stage plan", "stage route", "stage generate", "call generate", "kept generate", "kept generate", "kept generate", "kept generate", "stage certify"}
	if diff := cmp.Diff(want, kinds); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(events, func(a, b orchestrate.Event) int { return a.Seq - b.Seq }) {
		t.Error("events are out of order")
	}
}
