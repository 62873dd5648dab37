package orchestrate_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/rubric"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// Whole runs by one method each, from recorded replies: all checks are on, and
// the items that readers judged are those that the run makes.
func TestMethodsReplayed(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"deepeval", "ragas", "giskard"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			var drawn []rubric.Item
			for _, name := range []string{"bike_rental_en", "flower_delivery_ru"} {
				drawn = append(drawn, replayMethod(t, method, name)...)
			}
			var want []rubric.Item
			b, err := os.ReadFile("../testdata/rubric/" + method + "/items.json")
			if err == nil {
				err = json.Unmarshal(b, &want)
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, drawn); diff != "" {
				t.Errorf("items (-judged +made):\n%s", diff)
			}
		})
	}
}

func replayMethod(t *testing.T, method, name string) []rubric.Item {
	t.Helper()
	f, err := os.Open("../testdata/replies/methods/" + method + "_" + name + ".jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	client, err := llm.Replay(f)
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, "../examples/documents/"+name+".md")
	gens := slices.DeleteFunc(orchestrate.Builtin(), func(g generator.Generator) bool { return g.Spec().Name != method })
	o, err := orchestrate.New(gens, &orchestrate.Options{
		Client: client, ModelName: "bridge", Seed: 42, Counts: orchestrate.Counts{UseCases: 5, TestCasesPerUseCase: 3},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	var missing *llm.MissingError
	if joined := errors.Join(err, res.Err()); errors.As(joined, &missing) {
		t.Fatalf("the prompts or the plan have changed, so the replies must be recorded anew: %v", missing)
	}
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		t.Fatal(err)
	}
	if v := res.Dataset.Violations(doc); len(v) > 0 {
		t.Errorf("%s: %d violations: %v", name, len(v), v[0])
	}
	var own []model.Example
	for _, e := range res.Dataset.Examples {
		if e.Metadata.Generator == method {
			own = append(own, e)
		}
	}
	if len(own) < 12 {
		t.Errorf("%s: %d items by the method, want at least 12; refused %+v", name, len(own), res.Refused)
	}
	for _, r := range res.Refused {
		t.Logf("%s: refused: %s: %s", name, r.Check, r.Reason)
	}
	return rubric.Draw(name+".md", own, 12, 21)
}
