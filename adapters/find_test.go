package adapters_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/model"
)

func markdown(tb testing.TB, name, text string) *model.Document {
	tb.Helper()
	d, err := model.ParseMarkdown(name, []byte(text), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

const found = `# **Returns \& refunds**

- Goods come back within **14 days**\! Worn shoes do not.
- The e\-mail is help\_desk@shop.example.

| Way | Time |
| --- | --- |
| Courier | 2 days |
| Post | 9 days |

Вскрытую пачку чая вернуть нельзя. Закрытую *можно* вернуть в течение 14 дней,
если есть чек.

## 返品

商品は三十日以内に返品できます。

## დაბრუნება

საქონელი ბრუნდება ოც დღეში, თუ ქვითარი გაქვთ.
`

func TestFind(t *testing.T) {
	t.Parallel()
	long := strings.TrimSpace(strings.Repeat("Каждый день курьер привозит заказ к двери покупателя и ждёт десять минут, потом уезжает обратно на склад. ", 3))
	docs := []*model.Document{
		markdown(t, "other.md", "# Other\n\nNothing of interest stands here.\n"),
		markdown(t, "a.md", strings.ReplaceAll(found, "\n", "\r\n")),
		markdown(t, "long.md", "Vorwort.\n\n"+long+"\n\nNachwort.\n"),
	}
	finder := adapters.NewFinder(docs)
	words := strings.Fields(long)
	changed := func(every int) string {
		out := append([]string(nil), words...)
		for i := 3; i < len(out); i += every {
			out[i] = "замена"
		}
		return strings.Join(out, " ")
	}
	tests := []struct {
		name, text string
		want       []string // the bytes of the spans
	}{
		{"marks and escapes", "Goods come back within 14 days! Worn shoes do not.", []string{"- Goods come back within **14 days**\\! Worn shoes do not."}},
		{"part of a line", "come back within 14 days", []string{"come back within **14 days**\\!"}},
		{"escaped underscore", "The e-mail is help_desk@shop.example", []string{"- The e\\-mail is help\\_desk@shop.example."}},
		{"heading alone", "Returns & refunds", []string{"# **Returns \\& refunds**"}},
		{"case and white space", "вскрытую ПАЧКУ чая\n\n вернуть нельзя", []string{"Вскрытую пачку чая вернуть нельзя."}},
		{"over lines", "Закрытую можно вернуть в течение 14 дней, если есть чек.", []string{"Закрытую *можно* вернуть в течение 14 дней,\r\nесли есть чек."}},
		{"hop", "<2-hop>\n\nWorn shoes do not.", []string{"Worn shoes do not."}},
		{"never unquoted", `Way | Time\nCourier | 2 days\nPost | 9 days`, []string{"| Way | Time |\r\n| --- | --- |\r\n| Courier | 2 days |\r\n| Post | 9 days |"}},
		{"table", "| Courier | 2 days |\n| Post | 9 days |", []string{"| Courier | 2 days |\r\n| Post | 9 days |"}},
		{
			"joined", "Вскрытую пачку чая вернуть нельзя.|| Courier | 2 days |\n| Post | 9 days ||Worn shoes do not.",
			[]string{"Вскрытую пачку чая вернуть нельзя.", "| Courier | 2 days |\r\n| Post | 9 days |", "Worn shoes do not."},
		},
		{"joined, one part unknown", "Worn shoes do not.|Something else entirely here", nil},
		{"Japanese", "商品は三十日以内に返品", []string{"商品は三十日以内に返品"}},
		{"Georgian", "საქონელი ბრუნდება ოც დღეში", []string{"საქონელი ბრუნდება ოც დღეში"}},
		{"nine in ten", changed(12), []string{long}},
		{"seven in ten", changed(3), nil},
		{"its words in another order", "back come Goods days 14 within", nil},
		{"one word inside a line", "shoes", nil},
		{"yes|no", "yes|no", nil},
		{"nothing", " -- | ", nil},
		{"elsewhere", "The moon is made of green cheese and nobody minds.", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spans, ok := finder.Find(tt.text)
			if ok != (tt.want != nil) {
				t.Errorf("found: %v", ok)
			}
			var got []string
			for _, s := range spans {
				for _, d := range docs {
					if d.Name != s.Doc {
						continue
					}
					got = append(got, string(d.Bytes()[s.StartByte:s.EndByte]))
					lines, err := d.Span(s.StartLine, s.EndLine)
					if err != nil || s.StartByte < lines.StartByte || s.EndByte > lines.EndByte {
						t.Errorf("span %+v is not within its lines %+v (%v)", s, lines, err)
					}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFindEveryBlock: what stands in a document is found where it stands first.
func TestFindEveryBlock(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bike_rental_en.md", "claims_quality_en.md", "flower_delivery_ru.md", "hotel_en.md", "internet_provider_ru.md"} {
		d := document(t, "../examples/documents/"+name)
		finder := adapters.NewFinder([]*model.Document{d})
		seen := map[string]bool{}
		for _, b := range d.Blocks {
			if !b.InForce() || len(strings.Fields(b.Text)) < 4 || seen[b.Text] {
				continue
			}
			seen[b.Text] = true
			spans, ok := finder.Find(b.Text)
			if !ok || spans[0].StartLine > b.LineStart || spans[0].EndLine > b.LineEnd {
				t.Errorf("%s, lines %d-%d: found %v at %+v: %q", name, b.LineStart, b.LineEnd, ok, spans, b.Text)
			}
		}
	}
}

// TestFindIsFast: a context that stands nowhere costs no search of the whole
// document for each of its words.
func TestFindIsFast(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, "Rule %d says that the desk answers a customer of group %d in %d days.\n\n", i, i%97, i%31)
	}
	d := markdown(t, "large.md", b.String())
	finder := adapters.NewFinder([]*model.Document{d})
	text := strings.Repeat("the desk says nothing of a customer that answers in days of rule and group ", 60)
	start := time.Now()
	for range 5 {
		if spans, ok := finder.Find(text); ok {
			t.Fatalf("found at %+v", spans)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("5 searches took %v", took)
	}
}

func BenchmarkFind(b *testing.B) {
	d := document(b, "../examples/documents/internet_provider_ru.md")
	finder := adapters.NewFinder([]*model.Document{d})
	text := d.Text()[:2000]
	for b.Loop() {
		if _, ok := finder.Find(text[:strings.LastIndex(text, " ")]); !ok {
			b.Fatal("not found")
		}
	}
}

func ExampleFind() {
	doc, err := model.ParseMarkdown("tea.md", []byte("# Tea\n\n- An **opened** pack cannot\n  be returned\\!\n"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	spans, ok := adapters.Find([]*model.Document{doc}, "<1-hop>\n\nAn opened pack cannot be returned!")
	fmt.Println(ok, spans[0].StartLine, spans[0].EndLine)
	// Output: true 3 4
}

// FuzzFind: what is found lies in the document, on the lines it says.
func FuzzFind(f *testing.F) {
	f.Add(found, "Goods come back | within 14 days")
	f.Add("a b c d", "<1-hop>\n\na b c")
	f.Add("# x\r\rone two three\n", "two three")
	f.Fuzz(func(t *testing.T, text, want string) {
		d, err := model.ParseMarkdown("f.md", []byte(text), nil)
		if err != nil {
			return
		}
		spans, ok := adapters.Find([]*model.Document{d}, want)
		if ok != (len(spans) > 0) {
			t.Fatalf("%v, %v", ok, spans)
		}
		for _, s := range spans {
			if s.StartByte < 0 || s.EndByte <= s.StartByte || s.EndByte > len(d.Bytes()) {
				t.Fatalf("%+v of %d bytes", s, len(d.Bytes()))
			}
			lines, err := d.Span(s.StartLine, s.EndLine)
			if err != nil || s.StartByte < lines.StartByte || s.EndByte > lines.EndByte {
				t.Fatalf("%+v is not within %+v (%v)", s, lines, err)
			}
		}
	})
}
