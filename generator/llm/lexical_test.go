package llm_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
)

func TestLexicalRanksByMeaningfulWords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name              string
		corpus            []string
		query, near, away string
	}{
		{
			"English",
			[]string{"the order is late", "the parcel is lost", "the refund is paid", "the price is high"},
			"When will the refunds be paid?", "The refund is paid within three days", "The parcel is lost within three days",
		},
		{
			"Russian",
			[]string{"возврат денег на карту", "доставка курьером на дом", "оплата картой на сайте"},
			"Как вернуть деньги за возвращённый товар?", "Возврат денег за товар делаем за три дня", "Доставка за три дня на дом",
		},
		{
			"German",
			[]string{"die Lieferung ist da", "die Erstattung ist da", "die Rechnung ist da"},
			"Wann kommen die Lieferungen?", "Die Lieferung kommt morgen", "Die Rechnung kommt morgen",
		},
		{
			"Georgian",
			[]string{"შეკვეთის მიწოდება", "თანხის დაბრუნება", "ბარათით გადახდა"},
			"როდის არის თანხის დაბრუნება?", "თანხის დაბრუნება სამ დღეში", "შეკვეთის მიწოდება სამ დღეში",
		},
		{
			"Chinese, no spaces",
			[]string{"退款需要三天", "快递需要两天", "可以用卡付款"},
			"什么时候退款？", "退款三天内到账", "快递三天内到达",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v, err := llm.NewLexical(tt.corpus).Embed(t.Context(), []string{tt.query, tt.near, tt.away})
			if err != nil {
				t.Fatal(err)
			}
			near, away := llm.Cosine(v[0], v[1]), llm.Cosine(v[0], v[2])
			if near < away+0.1 {
				t.Errorf("near %.3f, away %.3f", near, away)
			}
		})
	}
}

func TestLexicalVectors(t *testing.T) {
	t.Parallel()
	e := llm.NewLexical([]string{"one two", "two three"})
	texts := []string{"One, TWO!", "one two", "", "…—!", "don't", "dont", "Ёлка ёлка"}
	v, err := e.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		if len(v[i]) != len(v[0]) {
			t.Fatalf("%q has %d dimensions, others %d", text, len(v[i]), len(v[0]))
		}
		var norm float64
		for _, x := range v[i] {
			norm += float64(x) * float64(x)
		}
		want := 1.0
		if text == "" || text == "…—!" {
			want = 0
		}
		if math.Abs(norm-want) > 1e-5 {
			t.Errorf("%q has the squared length %v, want %v", text, norm, want)
		}
	}
	if diff := cmp.Diff(v[0], v[1]); diff != "" {
		t.Error("case and punctuation change the vector")
	}
	if diff := cmp.Diff(v[4], v[5]); diff != "" {
		t.Error("an apostrophe changes the vector")
	}
	// Rare words weigh more: "one" is in one text, "two" in both.
	w, _ := e.Embed(t.Context(), []string{"one two", "one", "two"})
	if one, two := llm.Cosine(w[0], w[1]), llm.Cosine(w[0], w[2]); one <= two {
		t.Errorf("one %.3f, two %.3f; want the rarer word nearer", one, two)
	}
	// Without spaces, the order of characters makes the words.
	x, _ := e.Embed(t.Context(), []string{"上海", "海上", "上海。"})
	if same, swapped := llm.Cosine(x[0], x[2]), llm.Cosine(x[0], x[1]); swapped > 0.9 || same < 0.999 {
		t.Errorf("same %.3f, swapped %.3f", same, swapped)
	}
	again, _ := llm.NewLexical([]string{"one two", "two three"}).Embed(t.Context(), texts)
	if diff := cmp.Diff(v, again); diff != "" {
		t.Error("the second time differs")
	}
}

func TestCosine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b []float32
		want float64
	}{
		{[]float32{1, 0}, []float32{2, 0}, 1},
		{[]float32{1, 0}, []float32{0, 3}, 0},
		{[]float32{1, 0}, []float32{-1, 0}, -1},
		{[]float32{1, 1}, []float32{1, 0}, math.Sqrt2 / 2},
		{[]float32{0, 0}, []float32{1, 0}, 0},
		{[]float32{1}, []float32{1, 0}, 0},
		{nil, nil, 0},
	} {
		if got := llm.Cosine(tt.a, tt.b); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("Cosine(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
