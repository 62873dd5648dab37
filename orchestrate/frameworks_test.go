package orchestrate_test

import (
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

var routedUseCase = regexp.MustCompile(`<use_case>\n(.*)\n`)

// pick calls one of the offered tools by the name of the use case, and where
// the name says so two of them.
func pick(req *llm.Request) []llm.ToolCall {
	m := routedUseCase.FindStringSubmatch(req.Messages[1].Content)
	h := fnv.New32a()
	h.Write([]byte(m[1])) // never fails
	n := int(h.Sum32() >> 8)
	var tools []string
	for _, t := range req.Tools {
		if strings.HasPrefix(t.Name, "generate_") && t.Name != "generate_from_document" {
			tools = append(tools, t.Name)
		}
	}
	calls := []llm.ToolCall{{ID: "1", Name: tools[n%len(tools)], Arguments: "{}"}}
	if n%3 == 0 {
		calls = append(calls, llm.ToolCall{ID: "2", Name: tools[(n+1)%len(tools)], Arguments: "{}"})
	}
	return calls
}

// A run in which the model picks different methods for different use cases: who
// made what is what the manifest says, and nothing depends on timing.
func TestTheModelPicksAmongTheFrameworks(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bike_rental_en", "flower_delivery_ru"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := parse(t, "../examples/documents/"+name+".md")
			a := newActor(t, doc)
			a.Calls = pick
			var want string
			for _, n := range []int{1, 4, 64} {
				var mu sync.Mutex
				served := map[string]int{}
				client := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
					stage, _, _ := strings.Cut(req.Purpose, "_")
					mu.Lock()
					served[stage]++
					mu.Unlock()
					return a.Complete(ctx, req)
				})
				o, err := orchestrate.New(nil, &orchestrate.Options{
					Client: client, ModelName: "actor", Seed: 1, Concurrency: n,
					Checks: []coverage.Check{}, // the actor's texts show no values
					Counts: orchestrate.Counts{TestCasesPerUseCase: 4},
				})
				if err != nil {
					t.Fatal(err)
				}
				res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
				var short *coverage.ShortfallError
				if err != nil && !errors.As(err, &short) {
					t.Fatal(err)
				}
				got := encode(t, res)
				if want == "" {
					want = got
					reported(t, res, served)
				}
				if got != want {
					t.Errorf("at concurrency %d the bytes differ", n)
				}
			}
		})
	}
}

// reported holds the manifest against what is in the files and what was served.
func reported(t *testing.T, res *orchestrate.Result, served map[string]int) {
	t.Helper()
	made := map[string]int{}
	for _, tc := range res.Dataset.TestCases {
		made[tc.Metadata.Generator]++
	}
	for _, name := range []string{"deepeval", "ragas", "giskard", "direct"} {
		if made[name] == 0 {
			t.Errorf("nothing was made by %s: %v; refused %+v", name, made, res.Refused[:min(3, len(res.Refused))])
		}
		if name != "direct" && served[name] == 0 {
			t.Errorf("no call for %s: %v", name, served)
		}
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(made)), res.Manifest.FrameworksUsed); diff != "" {
		t.Errorf("frameworks_used (-in the files +in the manifest):\n%s", diff)
	}
	items := map[string]int{}
	for _, g := range res.Manifest.Generators {
		items[g.Name] = g.Items
		if g.Engine != "go" {
			t.Errorf("%s ran on engine %q", g.Name, g.Engine)
		}
	}
	if diff := cmp.Diff(made, items); diff != "" {
		t.Errorf("generators (-in the files +in the manifest):\n%s", diff)
	}
	calls := 0
	for _, n := range served {
		calls += n
	}
	if got := res.Manifest.Usage.Calls; int(got) != calls {
		t.Errorf("the manifest counts %d calls, %d were served", got, calls)
	}
}
