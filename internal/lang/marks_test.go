package lang

import (
	"reflect"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	type tok struct {
		Text         string
		Break, Pause bool
	}
	for _, c := range []struct {
		text string
		want []tok
	}{
		{"", nil},
		{"Don’t — ёлка!", []tok{{"don't", false, false}, {"елка", false, true}}},
		{"пн-пт 9.30. Да", []tok{{"пн-пт", false, false}, {"9", false, false}, {"30", false, true}, {"да", true, true}}},
		{"a, b\nc", []tok{{"a", false, false}, {"b", false, true}, {"c", true, false}}},
		{"კარგი დღე", []tok{{"კარგი", false, false}, {"დღე", false, false}}},
	} {
		var got []tok
		for _, x := range Tokens(c.text) {
			got = append(got, tok{x.Text, x.Break, x.Pause})
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.text, diff)
		}
	}
	text := "Где «заказ»?"
	for _, x := range Tokens(text) {
		if text[x.Start:x.End] == "" {
			t.Errorf("%+v covers nothing", x)
		}
	}
}

func TestLexicon(t *testing.T) {
	t.Parallel()
	x := lexicon("good day/evening, refund*, your ~ is lost\nя*, не более, более")
	for text, want := range map[string][]string{
		"Good evening":                {"good day/evening"},
		"good. Day":                   nil,
		"refunding":                   {"refund*"},
		"prerefund":                   nil,
		"your big red parcel is lost": {"your ~ is lost"},
		"your very big red parcel is": nil,
		"your parcel. It is lost":     nil,
		"your a b c d is lost":        nil,
		"Ящик":                        {"я*"},
		"не более двух":               {"не более", "более"},
		"":                            nil,
	} {
		var got []string
		for _, h := range x.All(Tokens(text)) {
			got = append(got, h.Text)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", text, diff)
		}
	}
	var none Lexicon
	if none.In("anything") || !none.Empty() {
		t.Error("the zero lexicon finds something")
	}
}

// Every language with data fills every field, but the ones it has no use for.
func TestMarksAreFilled(t *testing.T) {
	t.Parallel()
	// English has no letter sequence that is always wrong, and takes words of
	// its neighbours with their letters.
	unused := map[string][]string{"en": {"Impossible", "Alphabet"}}
	for _, l := range languages {
		v := reflect.ValueOf(l.Marks)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			empty := v.Field(i).IsZero()
			if x, ok := v.Field(i).Interface().(Lexicon); ok {
				empty = x.Empty()
			}
			if empty && !slices.Contains(unused[l.Code], name) {
				t.Errorf("%s: %s is empty", l.Code, name)
			}
		}
		kinds := map[string]bool{}
		for _, q := range l.Marks.Qualifiers {
			kinds[q.Kind] = true
		}
		for _, k := range []string{"working", "calendar", "max", "min", "approx"} {
			if !kinds[k] {
				t.Errorf("%s: no qualifier of kind %s", l.Code, k)
			}
		}
	}
}

func TestMonthAndNumber(t *testing.T) {
	t.Parallel()
	for w, want := range map[string]int{"march": 3, "марта": 3, "января": 1, "мая": 5, "маяк": 0, "day": 0} {
		if got, ok := Month(w); got != want || ok != (want > 0) {
			t.Errorf("Month(%q) = %d, %v", w, got, ok)
		}
	}
	for w, want := range map[string]int{"трёх": 0, "трех": 3, "двенадцати": 12, "сто": 100, "стол": 0} {
		if got, _ := russian.Number(w); got != want {
			t.Errorf("Number(%q) = %d, want %d", w, got, want)
		}
	}
	toks := Tokens("14 рабочих дней")
	if u, n, ok := russian.Unit(toks, 2); !ok || n != 1 || u.Dim != "time" || u.Per != 1440 {
		t.Errorf("Unit = %+v, %d, %v", u, n, ok)
	}
}
