package coverage_test

import (
	"strings"
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// An input may count for a value that the classifier does not give it, and only
// where a reader would agree.
func TestArguableValues(t *testing.T) {
	t.Parallel()
	profile := model.OperatorQuality()
	for _, tc := range []struct {
		language, axis, value, draft, out string
		refused                           bool
	}{
		{"en", "fault", "typo", "Thank you for the registraton.", "Thank you for the registration.", false},
		{"ru", "fault", "typo", "Уточните номер авотмобиля.", "Уточните номер автомобиля.", false},
		{"en", "fault", "typo", "Thank you for the registration.", "Thanks for the number.", true},
		{"en", "form", "statement", "Who was at fault is for the assessor.", "Who was at fault is decided by the assessor.", false},
		{"en", "form", "statement", "Who was at fault?", "Who caused the damage?", true},
	} {
		l, err := lang.For(tc.language)
		if err != nil {
			t.Fatal(err)
		}
		axis, ok := profile.Axis(tc.axis)
		if !ok {
			t.Fatalf("no axis %s", tc.axis)
		}
		row := model.Row{ID: "r", Parameters: map[string]model.Value{tc.axis: model.String(tc.value)}, Axes: []string{tc.axis}, Format: model.SingleUtteranceCorrection, Examples: 1}
		c := &coverage.Candidate{
			Lang: l, Language: tc.language, Profile: profile, Axes: []model.Axis{axis}, Row: row,
			Item: model.Item{Row: "r", TestCase: model.TestCase{Parameters: row.Parameters}, Examples: []model.Example{{
				Format: model.SingleUtteranceCorrection, ExpectedOutput: tc.out,
				Input: model.Input{Messages: []model.Message{{Role: model.RoleOperator, Content: tc.draft}}},
			}}},
		}
		var got []string
		for _, f := range coverage.RunChecks(coverage.DefaultChecks(), c) {
			if f.Check == "parameters" {
				got = append(got, f.Message)
			}
		}
		if refused := len(got) > 0; refused != tc.refused {
			t.Errorf("%s=%s, %q corrected to %q: findings %q", tc.axis, tc.value, tc.draft, tc.out, strings.Join(got, "; "))
		}
	}
}
