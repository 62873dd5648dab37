package orchestrate_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// Rules decide only when an answer is made which policies it shows. The plan
// of the result says the same as the files, and the certificate counts no more
// than that.
func TestPlanSaysWhatRulesShow(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"hotel_en.md", "flower_delivery_ru.md"} {
		raw, err := os.ReadFile(filepath.Join("..", "examples", "documents", name))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := model.ParseMarkdown(name, raw, nil)
		if err != nil {
			t.Fatal(err)
		}
		o, err := orchestrate.New(nil, &orchestrate.Options{Seed: 42})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := o.Plan(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
		if err != nil {
			t.Fatal(err)
		}
		given := map[string][]string{}
		for i := range plan.UseCases {
			for _, r := range plan.UseCases[i].Rows {
				given[r.ID] = slices.Clone(r.PolicyIDs)
			}
		}
		res, err := o.Run(t.Context(), &orchestrate.Input{Plan: plan})
		if err != nil {
			t.Fatal(err)
		}
		for i := range plan.UseCases {
			for _, r := range plan.UseCases[i].Rows {
				if diff := cmp.Diff(given[r.ID], r.PolicyIDs); diff != "" {
					t.Errorf("%s: the plan that was given changed (-before +after):\n%s", name, diff)
				}
			}
		}
		cases := map[string]*model.TestCase{}
		for i := range res.Dataset.TestCases {
			tc := &res.Dataset.TestCases[i]
			cases[tc.UseCaseID+tc.ID] = tc
		}
		planned := map[string]int{}
		for i := range res.Plan.UseCases {
			up := &res.Plan.UseCases[i]
			for k := range up.Rows {
				for _, id := range up.Rows[k].PolicyIDs {
					planned[up.UseCaseID+"/"+id+"/"+string(up.Rows[k].Roles[id])]++
				}
			}
		}
		moved := 0
		for i := range res.Dataset.Examples {
			e := &res.Dataset.Examples[i]
			if diff := cmp.Diff(cases[e.UseCaseID+e.TestCaseID].PolicyIDs, e.PolicyIDs); diff != "" {
				t.Errorf("%s: %s and its test case cite differently (-case +example):\n%s", name, e.ID, diff)
			}
			for _, id := range e.PolicyIDs {
				if planned[e.UseCaseID+"/"+id+"/"+string(e.Metadata.PolicyRoles[id])] == 0 {
					t.Errorf("%s: %s shows %s as %s, which no row of its use case is planned for", name, e.ID, id, e.Metadata.PolicyRoles[id])
				}
			}
		}
		for i := range res.Plan.UseCases {
			for _, r := range res.Plan.UseCases[i].Rows {
				if before, ok := given[r.ID]; ok && !slices.Equal(before, r.PolicyIDs) {
					moved++
				}
			}
		}
		if moved == 0 {
			t.Errorf("%s: no row was planned anew, so this test shows nothing", name)
		}
		if broken := coverage.Recheck(res.Certificate, res.Dataset, res.Plan.UseCases); len(broken) > 0 {
			t.Errorf("%s: the certificate does not hold: %v", name, broken)
		}
	}
}
