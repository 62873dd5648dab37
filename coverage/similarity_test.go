package coverage_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/coverage"
)

func TestFold(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                       "",
		"  Where's MY order?!  ": "where s my order",
		"ＦＵＬＬ　width":             "full width",
		"Straße":                 "strasse",
		"Где ЗАКАЗ???":           "где заказ",
		"ﬁne\u00a0print":         "fine print",
		"გამარჯობა, მსოფლიო!":    "გამარჯობა მსოფლიო",
		"cafe\u0301 / caf\u00e9": "café café",
	} {
		if got := coverage.Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestSimilar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		near bool
	}{
		{"Where is my order?", "where is my ORDER", true},
		{"Где мой заказ???", "где мой заказ", true},
		{"I would like to return the bike I bought last week please", "I would like to return the bike I bought last week, please.", true},
		{"I would like to return the bike I bought last week please", "I would like to return the book I bought last week please", false},
		{"I would like to return the bike I bought last week please", "I would like to return the bikes I bought last week please", true},
		{"Can I return the bike?", "Can I return a shoe?", false},
		{"когда подключат интернет", "когда отключат интернет", false},
		{"", "", true},
		{"?", "!!", false},
		{"", "hello", false},
		{"hi", "ho", false},
	} {
		if got := coverage.Similar(c.a, c.b) >= coverage.Near; got != c.near {
			t.Errorf("Similar(%q, %q) = %.2f, want near %v", c.a, c.b, coverage.Similar(c.a, c.b), c.near)
		}
	}
}

func TestIndexFindsTheEarliest(t *testing.T) {
	t.Parallel()
	var x coverage.Index
	if _, ok := x.Near("anything"); ok {
		t.Error("an empty index found something")
	}
	x.Add("a", "Where is my order number twelve, please tell me")
	x.Add("b", "Where is my order number twelve, please tell me now")
	x.Add("c", "Something else")
	for text, want := range map[string]string{
		"where is my order number twelve please tell me!": "a",
		"Something, else":             "c",
		"Nothing of that kind at all": "",
	} {
		if got, _ := x.Near(text); got != want {
			t.Errorf("Near(%q) = %q, want %q", text, got, want)
		}
	}
	x.Add("d", "")
	if got, ok := x.Near(""); !ok || got != "d" {
		t.Errorf("two empty texts: %q, %v", got, ok)
	}
	if x.Len() != 4 {
		t.Errorf("Len = %d", x.Len())
	}
	var none *coverage.Index
	if _, ok := none.Near("x"); ok || none.Len() != 0 {
		t.Error("a nil index is not empty")
	}
}

// The index finds what a comparison of every pair finds.
func TestIndexMissesNone(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("где мой заказ order return please когда будет delivery bike number возврат товар why late again не пришёл check")
	var texts []string
	for range 250 {
		var ws []string
		if len(texts) > 0 && r.IntN(3) == 0 { // a neighbour of an earlier text
			ws = strings.Fields(texts[r.IntN(len(texts))])
			if len(ws) > 0 {
				ws[r.IntN(len(ws))] = words[r.IntN(len(words))]
			}
		} else {
			for range 2 + r.IntN(14) {
				ws = append(ws, words[r.IntN(len(words))])
			}
		}
		texts = append(texts, strings.Join(ws, " "))
	}
	var x coverage.Index
	near := 0
	for i, text := range texts {
		want := ""
		for k := range i {
			if coverage.Similar(texts[k], text) >= coverage.Near {
				want = fmt.Sprint(k)
				break
			}
		}
		if want != "" {
			near++
		}
		if got, _ := x.Near(text); got != want {
			t.Fatalf("text %d: Near = %q, a full comparison gives %q", i, got, want)
		}
		x.Add(fmt.Sprint(i), text)
	}
	if near < 20 || near > 230 {
		t.Errorf("%d of the texts have a neighbour: the test compares nothing", near)
	}
}

func TestSharedRun(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want string }{
		{"Can I, really, return the bike", "A man can I REALLY return anything", "Can I, really, return"},
		{"сколько ждать подключения дома", "Сколько ждать подключения?", ""},
		{"ещё раз всё то же самое", "Ещё раз: все то же", "ещё раз всё то"},
		{"a b c", "a b c", ""},
	} {
		got, ok := coverage.SharedRun(c.a, c.b, coverage.ParaphraseRun)
		if got != c.want || ok != (c.want != "") {
			t.Errorf("SharedRun(%q, %q) = %q, %v; want %q", c.a, c.b, got, ok, c.want)
		}
	}
}

func ExampleIndex() {
	var seen coverage.Index
	seen.Add("ex_1", "Where is my order? It has been a week!")
	id, ok := seen.Near("where is my order, it has been a week")
	fmt.Println(id, ok)
	// Output: ex_1 true
}

func BenchmarkIndex(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 4))
	var x coverage.Index
	text := func() string {
		var s strings.Builder
		for range 80 {
			s.WriteByte("abcdefgh ijklmnop"[r.IntN(17)])
		}
		return s.String()
	}
	for i := range 5000 {
		x.Add(fmt.Sprint(i), text())
	}
	probe := text()
	for b.Loop() {
		x.Near(probe)
	}
}
