package lang_test

import (
	"testing"

	"github.com/casebook-go/casebook/internal/lang"
)

func TestLongest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		code, rule string
		want       lang.Longest
	}{
		{"en", "Three sentences at most.", lang.Longest{Sentences: 3}},
		{"en", "Answers have no more than 4 sentences and 300 characters.", lang.Longest{Sentences: 4, Characters: 300}},
		{"en", "Write at least two sentences.", lang.Longest{}},
		{"en", "Delivery takes three days.", lang.Longest{}},
		{"ru", "Ответ умещается в два-три предложения.", lang.Longest{Sentences: 3}},
		{"ru", "Ответ не длиннее трёх предложений.", lang.Longest{Sentences: 3}},
		{"ru", "Ответ короткий, до 400 знаков.", lang.Longest{Characters: 400}},
		{"ru", "Не менее двух предложений.", lang.Longest{}},
	} {
		l, err := lang.For(tc.code)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Longest(tc.rule); got != tc.want {
			t.Errorf("%q: %+v, want %+v", tc.rule, got, tc.want)
		}
	}
	if what, have, allowed, ok := (lang.Longest{Sentences: 1}).Exceeds("One. Two."); !ok || what != "sentences" || have != 2 || allowed != 1 {
		t.Errorf("%s %d %d %v", what, have, allowed, ok)
	}
}
