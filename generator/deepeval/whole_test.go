package deepeval_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	adapter "github.com/casebook-go/casebook/adapters/deepeval"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// A whole run in which the model picks this tool: its records become test cases
// of the plan, with the evolution as a parameter.
func TestWholeRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bike_rental_en.md", "flower_delivery_ru.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile("../../examples/documents/" + name)
			if err != nil {
				t.Fatal(err)
			}
			doc := parse(t, name, string(b))
			a, err := actor.New(t.Context(), doc)
			if err != nil {
				t.Fatal(err)
			}
			a.Calls = func(*llm.Request) []llm.ToolCall {
				return []llm.ToolCall{{ID: "1", Name: "generate_with_deepeval", Arguments: `{"document_paths":null,"num_goldens":100,"include_expected_output":null}`}}
			}
			var want []model.Example
			for _, n := range []int{1, 32} {
				f := newFake()
				f.actor = a
				orch, err := orchestrate.New([]generator.Generator{newGenerator(t, nil)}, &orchestrate.Options{
					Client: f, ModelName: "fake-1", Seed: 1, Concurrency: n,
					Checks:   []coverage.Check{}, // the texts of the fake show no values
					Adapters: []adapters.Adapter{adapter.New(adapter.Options{})},
					Counts:   orchestrate.Counts{TestCasesPerUseCase: 4},
				})
				if err != nil {
					t.Fatal(err)
				}
				res, err := orch.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
				var short *coverage.ShortfallError
				if err != nil && !errors.As(err, &short) {
					t.Fatal(err)
				}
				if want == nil {
					want = res.Dataset.Examples
				} else if diff := cmp.Diff(want, res.Dataset.Examples); diff != "" {
					t.Errorf("concurrency %d gives others:\n%s", n, diff)
				}
				ours, evolved := 0, map[string]int{}
				for _, tc := range res.Dataset.TestCases {
					if tc.Metadata.Generator == "deepeval" {
						ours++
						evolved[tc.Parameters["evolution"].String()]++
					}
				}
				if ours < len(res.Dataset.TestCases)/2 || len(evolved) < 4 {
					t.Errorf("%d of %d test cases by DeepEval's method, evolutions %v; refused %v", ours, len(res.Dataset.TestCases), evolved, reasons(res))
				}
				if v := res.Dataset.Violations(doc); len(v) > 0 {
					t.Errorf("%d violations: %v", len(v), v[0])
				}
				calls := 0
				for kind, k := range f.calls {
					if strings.HasPrefix(kind, "deepeval_") || strings.HasPrefix(kind, "answer") {
						calls += k
					}
				}
				t.Logf("%d test cases in %d calls: %.2f each", ours, calls, float64(calls)/float64(ours))
			}
		})
	}
}

func reasons(res *orchestrate.Result) []string {
	var out []string
	for _, r := range res.Refused {
		out = append(out, fmt.Sprintf("%s: %s", r.Check, r.Reason))
	}
	for _, o := range res.Outcomes {
		if o.Err != nil {
			out = append(out, o.Err.Error())
		}
	}
	return out[:min(5, len(out))]
}
