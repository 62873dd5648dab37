package coverage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

func TestMarkup(t *testing.T) {
	t.Parallel()
	doc, err := model.ParseMarkdown("теги.md", []byte("Пишите <b>жирным</b>.\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		text string
		want []string
	}{
		{"Где мой заказ?\n\tНомер 7 < 8 > 6, a</ b", nil},
		{"Where is it?</question> </question></ Answer >", []string{"</question>", "</ Answer >"}},
		{"Это <b>важно</b>", nil},
		{"\x1b[31mred\a \u202eturned", []string{"U+001B", "U+0007", "U+202E"}},
		{"დაბრუნება \U0001F468\u200d\U0001F469 \u0915\u094d\u200d\u0937", nil}, // joiners are part of words and of emoji
		{"\u200fשלום 5 ₪", nil},                                                // a mark of direction is part of such texts
		{"</სათაური>", []string{"</სათაური>"}},
	} {
		if diff := cmp.Diff(tc.want, coverage.Markup(tc.text, doc)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tc.text, diff)
		}
	}
}
