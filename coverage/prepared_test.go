package coverage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// What is read once finds what is read each time.
func TestPreparedCandidatesAreCheckedAlike(t *testing.T) {
	t.Parallel()
	doc, err := model.ParseMarkdown("shop.md", []byte("# Shop\n\n**Can I return a lamp?** Lamps are taken back within 30 working days.\n\n- Two sentences at most.\n- The bot has no access to orders.\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	l := language(t, "en")
	ev, err := doc.Cut(3, 3)
	if err != nil {
		t.Fatal(err)
	}
	policies := []model.Policy{
		{ID: "pol_return", Type: model.Must, Statement: "Lamps are taken back within 30 working days.", Evidence: []model.Evidence{ev}},
		{ID: "pol_short", Type: model.Shape, Statement: "Two sentences at most."},
		{ID: "pol_blind", Type: model.MustNot, Statement: "The bot has no access to orders."},
	}
	for _, output := range []string{
		"Lamps are taken back within 30 days. One. Two.", "I have checked your order 4711. TODO", "The bot sends 50 euros by 12 May.", "Lamps are taken back within 30 working days.",
	} {
		c := &coverage.Candidate{
			Documents: []*model.Document{doc}, Lang: l, Language: "en", Profile: model.SupportBot(),
			UseCase:  model.UseCase{ID: "uc_return", Name: "Customer wants to return a lamp", Evidence: []model.Evidence{ev}},
			Policies: policies[:1], AllPolicies: policies,
			Item: model.Item{
				TestCase: model.TestCase{PolicyIDs: []string{"pol_return"}},
				Examples: []model.Example{{
					Format: model.SingleTurnQA, PolicyIDs: []string{"pol_return"}, ExpectedOutput: output,
					Input:              model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: "Hello, can I return a lamp after all?"}}},
					EvaluationCriteria: []string{"The answer is good.", "The answer names 30 working days.", "The answer promises nothing."},
					Metadata:           model.Metadata{Source: model.SourceFAQParaphrase},
				}},
			},
		}
		var each []coverage.Finding
		for _, check := range coverage.DefaultChecks() {
			for _, f := range check.Run(c) { // as it is: nothing prepared, nothing kept
				f.Check = check.Name
				each = append(each, f)
			}
		}
		ready := *c
		ready.Ground = coverage.NewGround(l, c.Documents).WithPolicies(l, policies)
		for _, found := range [][]coverage.Finding{coverage.RunChecks(coverage.DefaultChecks(), c), coverage.RunChecks(coverage.DefaultChecks(), ready.Prepared())} {
			if diff := cmp.Diff(each, found); diff != "" {
				t.Errorf("%q (-each by itself +prepared):\n%s", output, diff)
			}
		}
		if plain := output == policies[0].Statement; plain == strings.Contains(fmt.Sprint(each), "expected_output") {
			t.Errorf("%q: %v", output, each)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, pair := range [][2]string{{"Where is my parcel?", "where is my PARCEL"}, {"Где посылка?", "Где моя посылка?"}, {"", "…"}, {"Wo ist mein Paket?", "Hello"}} {
		a, b := coverage.NewText(pair[0]), coverage.NewText(pair[1])
		if got, want := a.Similar(b), coverage.Similar(pair[0], pair[1]); got != want || a.String() != pair[0] {
			t.Errorf("%q: %v, want %v", pair, got, want)
		}
	}
}
