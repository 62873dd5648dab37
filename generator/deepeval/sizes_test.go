package deepeval_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

// sized are documents of every length, in two languages and one more.
func sized(tb testing.TB) map[string]*model.Document {
	tb.Helper()
	plain := func(n int, sentence string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, sentence+"\n\n", i+1, i+2)
		}
		return b.String()
	}
	var book strings.Builder
	for page := range 200 {
		fmt.Fprintf(&book, "## Раздел %d\n\n", page+1)
		for i := range 12 {
			fmt.Fprintf(&book, "Посылка из ячейки %d хранится %d дней, а потом её увозят обратно отправителю. Продлить хранение можно один раз, и просит об этом тот, кому она пришла.\n\n", page*12+i, i+2)
		}
	}
	return map[string]*model.Document{
		"one line":       parse(tb, "one.md", "We open at nine."),
		"two paragraphs": parse(tb, "two.md", "We open at nine.\n\nA parcel stays for three days.\n"),
		"no headings":    parse(tb, "flat.md", plain(40, "Fach %d hält ein Paket %d Tage lang vor.")),
		"200 pages":      parse(tb, "book.md", book.String()),
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for name, doc := range sized(t) {
		for _, n := range []int{1, 2, 5, 10, 60, 100} {
			for _, scenarios := range []bool{false, true} {
				if scenarios && name == "200 pages" && n != 60 {
					continue // what differs is not the document
				}
				t.Run(fmt.Sprintf("%s/%d/%v", name, n, scenarios), func(t *testing.T) {
					t.Parallel()
					f := newFake()
					r, err := synthesizer(t, f, nil).FromDocuments(t.Context(), []*model.Document{doc}, &deepeval.Ask{Goldens: n, Scenarios: scenarios})
					if err != nil || len(r.Goldens) != n {
						t.Fatalf("%d goldens, %v; want %d", len(r.Goldens), err, n)
					}
					seen := &coverage.Index{}
					for _, text := range inputs(r) {
						if of, ok := seen.Near(text); ok {
							t.Errorf("%q is near %q", text, of)
						}
						seen.Add(text, text)
					}
				})
			}
		}
	}
}

// What a model can say of one line comes to an end: the count is exact or the
// error says how many there are.
func TestSizesOfAPoorModel(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		if kind != actor.DeepEvalInputs {
			return nil, nil, false
		}
		items := []string{}
		for i, s := range []string{"When do you open?", "Is somebody there at eight?", "I start work at half past nine. Can I come before?"} {
			items = append(items, fmt.Sprintf(`{"key":"i%d","matter":"","passages":[],"input":%q}`, i+1, s))
		}
		return text(`{"items":[%s]}`, strings.Join(items, ",")), nil, true
	}
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Evolution.Rounds = -1 })
	doc := parse(t, "one.md", "We open at nine.")
	for _, n := range []int{1, 2, 5, 10, 60, 100} {
		r, err := s.FromDocuments(t.Context(), []*model.Document{doc}, &deepeval.Ask{Goldens: n})
		var short *deepeval.ShortError
		switch {
		case n <= 3 && (err != nil || len(r.Goldens) != n):
			t.Errorf("%d: %d goldens, %v", n, len(r.Goldens), err)
		case n > 3 && (!errors.As(err, &short) || short.Asked != n || short.Made != 3 || len(r.Goldens) != 3 || len(short.Reasons) == 0):
			t.Errorf("%d: %d goldens, %v; want 3 and a *ShortError", n, len(r.Goldens), err)
		}
	}
}
