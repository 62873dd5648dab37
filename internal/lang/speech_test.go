package lang_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/internal/lang"
)

func TestParaphrases(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang, question string
		want           []string // are among the paraphrases
		none           bool
	}{
		{lang: "en", question: "How do I cancel?", want: []string{"I'd like to cancel. What do you need from me?"}},
		{lang: "en", question: "Can I bring my dog?", want: []string{"I was hoping to bring my dog. Does that work for you?", "I want to bring my dog."}},
		{lang: "en", question: "Do you deliver abroad?", want: []string{"I'd like to know whether you deliver abroad."}},
		{lang: "en", question: "My bike was stolen!", want: []string{"My bike has been stolen, what do I do now?"}},
		{lang: "en", question: "Are helmets included?", want: []string{"I'm not sure if helmets would be included. Do you know?"}},
		{lang: "en", question: "What if I lose the key?", want: []string{"Suppose I lose the key, what then?"}, none: true}, // "I lose the key" are four words in a row
		{lang: "en", question: "Parking", none: true},
		{lang: "ru", question: "Как отменить заказ?", want: []string{"Решили отменить заказ. Какой порядок действий?"}},
		{lang: "ru", question: "Можно ли вернуть товар?", want: []string{"Хочу вернуть товар. Так получится?"}},
		{lang: "ru", question: "А если получателя нет дома?", want: []string{"Допустим, получателя нет дома. Дальше что?"}},
		{lang: "ru", question: "Есть ли срочный приём?", want: []string{"Ищу срочный приём, у вас найдётся?"}},
		{lang: "ru", question: "Сколько стоит доставка?", want: []string{"По какой цене у вас доставка?"}},
		{lang: "ru", question: "Возврат", none: true},
	} {
		l, err := lang.For(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		got := l.Paraphrases(tt.question)
		if tt.none {
			for _, p := range got {
				if slices.Contains(tt.want, p) {
					t.Errorf("Paraphrases(%q) copies four words: %q", tt.question, p)
				}
			}
			continue
		}
		for _, want := range tt.want {
			if !slices.Contains(got, want) {
				t.Errorf("Paraphrases(%q) = %q, without %q", tt.question, got, want)
			}
		}
		if len(got) < 3 {
			t.Errorf("Paraphrases(%q): %d, want at least 3", tt.question, len(got))
		}
		for _, p := range got {
			if n := lang.SharedRun(p, tt.question); n >= 4 {
				t.Errorf("Paraphrases(%q): %q shares %d words in a row", tt.question, p, n)
			}
			if strings.Contains(p, "$") || strings.Contains(p, "{") {
				t.Errorf("Paraphrases(%q): %q has an open slot", tt.question, p)
			}
		}
	}
}

func TestSharedRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"one two three four", "zero one two three five", 3},
		{"Сколько стоит доставка?", "а сколько стоит доставка в село", 3},
		{"alpha", "beta", 0},
		{"", "beta", 0},
	} {
		if got := lang.SharedRun(tt.a, tt.b); got != tt.want {
			t.Errorf("SharedRun(%q, %q) = %d, want %d", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestElliptical(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang, sentence string
		want           bool
	}{
		{"en", "Thirty minutes after the agreed time.", true},
		{"en", "The desk writes it.", false},
		{"ru", "Картой на сайте или наличными.", true},
		{"ru", "Курьер ждёт 15 минут.", false},
		{"ru", "Возврат возможен в течение 14 дней.", false},
	} {
		l, err := lang.For(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Elliptical(tt.sentence); got != tt.want {
			t.Errorf("Elliptical(%q) = %v, want %v", tt.sentence, got, tt.want)
		}
	}
}

// Every language has the same kinds of speech; a kind that one lacks would be
// silently missing from its datasets.
func TestSpeechIsComplete(t *testing.T) {
	t.Parallel()
	optional := map[string]bool{"The": true, "Your": true, "Need": true, "InfinitiveEnds": true, "VerbEnds": true, "Modal": true}
	faults := []string{"caps", "emoji", "exclamation", "punctuation", "rude", "typo", "slang", "swear", "banned", "length", "firstname", "greet"}
	kinds := []string{lang.CornerEmpty, lang.CornerGarbage, lang.CornerOffTopic, lang.CornerAbuse, lang.CornerInjection}
	for _, code := range lang.Known() {
		l, err := lang.For(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []any{l.Speech, l.Speech.Answer, l.Speech.Criteria, l.Speech.Break, l.Speech.Case} {
			v := reflect.ValueOf(part)
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() && !optional[f.Name] && v.Field(i).IsZero() {
					t.Errorf("%s: %s.%s is empty", code, v.Type().Name(), f.Name)
				}
			}
		}
		for _, k := range kinds {
			if len(l.Speech.Corner[k]) == 0 {
				t.Errorf("%s: no corner inputs of kind %s", code, k)
			}
		}
		for _, b := range l.Speech.Breaches {
			faults = append(faults, b.Key)
		}
		for _, f := range faults {
			if f != "fault" && f != "human" && len(l.Speech.Criteria.Fault[f]) == 0 {
				t.Errorf("%s: no criterion for the fault %s", code, f)
			}
		}
		for _, n := range l.Speech.Needs {
			if len(n.Match) == 0 || len(n.Says) < 3 {
				t.Errorf("%s: need %s has %d matches and %d messages", code, n.Key, len(n.Match), len(n.Says))
			}
			for _, say := range n.Says {
				if concern, _ := n.Line(say); concern != "" {
					if c, ok := l.Speech.Concerns[concern]; !ok || c.Empty() {
						t.Errorf("%s: need %s asks for the unknown concern %s", code, n.Key, concern)
					}
				}
			}
		}
		for _, m := range l.Speech.Matters {
			if len(m.Match) == 0 || len(m.Plain)+len(m.Pressed) == 0 {
				t.Errorf("%s: matter %s is not complete", code, m.Key)
			}
		}
		last := l.Speech.Trades[len(l.Speech.Trades)-1]
		if !last.Match.Empty() || len(last.Pairs) < 10 {
			t.Errorf("%s: the last trade must fit any business", code)
		}
	}
}
