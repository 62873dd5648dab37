package coverage_test

import (
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

func TestAnswersKeepToTheLengthThatTheDocumentAllows(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		language, rule, answer string
		typ                    model.PolicyType
		refused                bool
	}{
		{"en", "Three sentences at most.", "One thing. Two things. Three things. Four things.", model.Shape, true},
		{"en", "Three sentences at most.", "One thing. Two things. Three things.", model.Shape, false},
		{"en", "A greeting card has up to 20 characters.", "The card is free and comes with the bouquet.", model.Must, false},
		{"ru", "Ответ не длиннее двух предложений.", "Первое. Второе. Третье.", model.Must, true},
		{"ru", "Открытку добавим, до 20 знаков, бесплатно.", "Открытка бесплатная, приложим её к букету.", model.Must, false},
	} {
		l, err := lang.For(tc.language)
		if err != nil {
			t.Fatal(err)
		}
		c := &coverage.Candidate{
			Lang: l, Language: tc.language, Profile: model.SupportBot(),
			AllPolicies: []model.Policy{{ID: "pol_x", Type: tc.typ, Statement: tc.rule}},
			Item:        model.Item{Examples: []model.Example{{Format: model.SingleTurnQA, ExpectedOutput: tc.answer}}},
		}
		refused := false
		for _, f := range coverage.RunChecks(coverage.DefaultChecks(), c) {
			refused = refused || f.Check == "length"
		}
		if refused != tc.refused {
			t.Errorf("%q under %q: refused %v", tc.answer, tc.rule, refused)
		}
	}
}
