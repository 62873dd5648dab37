package ragas_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	ragasadapter "github.com/casebook-go/casebook/adapters/ragas"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// A whole run in which the model picks this tool: its records become test cases
// of the plan, with what the method varies as parameters.
func TestWholeRun(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bike_rental_en.md", "flower_delivery_ru.md"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := example(t, name)
			a, err := actor.New(t.Context(), doc)
			if err != nil {
				t.Fatal(err)
			}
			a.Calls = func(*llm.Request) []llm.ToolCall {
				return []llm.ToolCall{{ID: "1", Name: "generate_with_ragas", Arguments: `{"document_paths":null,"test_size":100,"reasoning_ratio":0.4}`}}
			}
			var want []model.Example
			for _, n := range []int{1, 32} {
				m := &edited{player: a}
				orch, err := orchestrate.New([]generator.Generator{newGenerator(t, nil)}, &orchestrate.Options{
					Client: m, ModelName: "fake-1", Seed: 1, Concurrency: n,
					Checks:   []coverage.Check{}, // the texts of the actor show no values
					Adapters: []adapters.Adapter{ragasadapter.New(ragasadapter.Options{})},
					Counts:   orchestrate.Counts{TestCasesPerUseCase: 6},
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
				} else if d := cmp.Diff(want, res.Dataset.Examples); d != "" {
					t.Errorf("at concurrency %d (-1 +%d)\n%s", n, n, d)
				}
				ours, styles, hops, calls := 0, map[string]int{}, map[string]int{}, 0
				for _, tc := range res.Dataset.TestCases {
					if tc.Metadata.Generator == "ragas" {
						ours++
						if s := tc.Parameters["query_style"].String(); s != "" {
							styles[s]++
						}
						hops[tc.Parameters["hops"].String()]++
					}
				}
				for kind, k := range m.count {
					if strings.HasPrefix(kind, "ragas_") || strings.HasPrefix(kind, "answer") {
						calls += k
					}
				}
				t.Logf("%d test cases in %d calls, %.2f each (Ragas: %.1f at least); styles %v, hops %v", ours, calls, float64(calls)/float64(ours), ragasCalls, styles, hops)
				if ours < len(res.Dataset.TestCases)/2 || len(styles) != 4 || hops["2"] == 0 || hops["1"] == 0 {
					t.Errorf("%d of %d test cases by Ragas' method, refused %v", ours, len(res.Dataset.TestCases), whyNot(res))
				}
				if m.count[actor.RagasExtract] > 3 || m.count[actor.RagasPersonas] != 1 {
					t.Errorf("the graph is made more than once: %v", m.count)
				}
				if v := res.Dataset.Violations(doc); len(v) > 0 {
					t.Errorf("%d violations: %v", len(v), v[0])
				}
			}
		})
	}
}

func whyNot(res *orchestrate.Result) []string {
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
