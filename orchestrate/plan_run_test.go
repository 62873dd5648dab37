package orchestrate_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// A plan can be looked at and run, more than once: it stays as it is, and gives
// what a run of the documents gives.
func TestPlanThenRun(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	o, err := orchestrate.New(nil, &orchestrate.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	in := &orchestrate.Input{Documents: []*model.Document{doc}}
	plan, err := o.Plan(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.UseCases) < 5 {
		t.Fatalf("%d use cases are planned", len(plan.UseCases))
	}
	show := func(v any) string {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	run := func(in *orchestrate.Input) string {
		res, err := o.Run(t.Context(), in)
		var short *coverage.ShortfallError
		if err != nil && !errors.As(err, &short) {
			t.Fatal(err)
		}
		return show(res.Dataset)
	}
	before := show(plan.UseCases)
	first, second := run(&orchestrate.Input{Plan: plan}), run(&orchestrate.Input{Plan: plan})
	if diff := cmp.Diff(before, show(plan.UseCases)); diff != "" {
		t.Errorf("the run changed the plan:\n%s", diff)
	}
	if first != second {
		t.Error("the same plan gives two datasets")
	}
	if got := run(in); got != first {
		t.Error("the plan gives another dataset than the documents")
	}
}

func TestCountsAreMetWithoutAModel(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	o, err := orchestrate.New(nil, &orchestrate.Options{Counts: orchestrate.Counts{UseCases: 5, TestCasesPerUseCase: 3}, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	if err != nil {
		t.Fatal(err)
	}
	cases, _ := counts(res)
	if diff := cmp.Diff([][]int{{5}, {3}}, [][]int{{len(res.Dataset.UseCases)}, cases}); diff != "" {
		t.Errorf("use cases, test cases each (-want +got):\n%s", diff)
	}
}

func TestWhatCannotBeRunIsATypedError(t *testing.T) {
	t.Parallel()
	o, err := orchestrate.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var je *orchestrate.JobError
	for name, in := range map[string]*orchestrate.Input{
		"nothing": nil, "no documents": {}, "a nil document": {Documents: []*model.Document{nil}}, "an empty plan": {Plan: &orchestrate.Plan{}},
	} {
		if _, err := o.Run(t.Context(), in); !errors.As(err, &je) {
			t.Errorf("%s: %v", name, err)
		}
	}
	noPolicy, badID := returns(), returns()
	noPolicy.Policies = nil
	badID.UseCase.ID = "BAD ID"
	for name, job := range map[string]*orchestrate.Job{"nil": nil, "no policy": noPolicy, "a bad id": badID} {
		if _, err := o.Generate(t.Context(), job); !errors.As(err, &je) {
			t.Errorf("job: %s: %v", name, err)
		}
	}
}

func TestACheckThatPanicsRefusesTheItem(t *testing.T) {
	t.Parallel()
	client := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		if req.Purpose == "route" {
			return &llm.Response{Calls: []llm.ToolCall{{ID: "1", Name: "generate_with_alpha", Arguments: `{}`}}}, nil
		}
		return nil, &llm.Error{Kind: llm.KindRefused}
	})
	o := options(client)
	o.Checks = []coverage.Check{{Name: "fragile", Run: func(*coverage.Candidate) []coverage.Finding { panic("oops") }}}
	res, err := generate(t, []generator.Generator{tool(t, "alpha", says("A"))}, o)
	var short *coverage.ShortfallError
	if !errors.As(err, &short) || len(res.Dataset.Examples) != 0 {
		t.Fatalf("err %v, %d examples", err, len(res.Dataset.Examples))
	}
	told := false
	for _, ref := range res.Refused {
		told = told || ref.Check == "fragile" && strings.Contains(ref.Reason, "oops")
	}
	if !told {
		t.Errorf("nothing says that the check panicked: %v", res.Refused)
	}
}
