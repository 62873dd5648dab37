package model_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/model"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text, want string
	}{
		{
			"headings of both kinds", "# A #\n\nB\n===\n\nC *c*\n---\n\n####### no\n",
			`0 1-1 heading level=1 section=0 "A"
1 3-4 heading level=1 section=1 "B"
2 6-7 heading level=2 section=2 "C c"
3 9-9 paragraph section=2 "####### no"
section 1-2 level=1 parent=-1 block=0 "A"
section 3-9 level=1 parent=-1 block=1 "B"
section 6-9 level=2 parent=1 block=2 "C c"
`,
		},
		{
			"prose over dashes is no heading", "Возврат возможен в течение 14 дней.\nНужен чек\n---\n",
			`0 1-2 paragraph "Возврат возможен в течение 14 дней. Нужен чек"
1 3-3 rule ""
`,
		},
		{
			"an indented heading ends the item", "1. **A**: b\n\n   ## Title\n\n   inside\n\n   * x\n\nafter\n",
			`0 1-1 item level=1 n=1 lead="A" "A: b"
1 3-3 heading level=2 section=0 "Title"
2 5-5 paragraph section=0 "inside"
3 7-7 item level=1 section=0 "x"
4 9-9 paragraph section=0 "after"
section 3-9 level=2 parent=-1 block=1 "Title"
`,
		},
		{
			"lists", "3) a\n   a\n   * b\n\n     b2\n     - c\n4) d\n* \n* [x] e\n",
			`0 1-2 item level=1 n=3 "a a"
1 3-3 item level=2 parent=0 "b"
2 5-5 paragraph parent=1 "b2"
3 6-6 item level=3 parent=1 "c"
4 7-7 item level=1 n=4 "d"
5 9-9 item level=1 "e"
`,
		},
		{
			"introductions", "Бот должен:\n\n* спросить\n- передать\n\nБот добр.\n\n* а\n\n**Запреты**\n* б\n",
			`0 1-1 paragraph lead="Бот должен" "Бот должен:"
1 3-3 item level=1 parent=0 "спросить"
2 4-4 item level=1 parent=0 "передать"
3 6-6 paragraph "Бот добр."
4 8-8 item level=1 "а"
5 10-10 paragraph lead="Запреты" "Запреты"
6 11-11 item level=1 parent=5 "б"
`,
		},
		{
			"an introduction inside an item", "* a\n\n  then:\n\n  * b\n",
			`0 1-1 item level=1 "a"
1 3-3 paragraph parent=0 lead="then" "then:"
2 5-5 item level=2 parent=1 "b"
`,
		},
		{
			"code, rules, HTML, quotations", "```go\n# no\n\n<!-- no -->\n```\n\n    indented\n\n* * *\n<div>\n<b>x</b> &amp; y\n</div>\n\n> q\n> q2\n",
			`0 1-5 code "# no\n\n<!-- no -->"
1 7-7 code "indented"
2 9-9 rule ""
3 10-12 html "x & y"
4 14-15 quotation "q q2"
`,
		},
		{
			"front matter", "---\ntitle: x\ntags:\n  - y\n---\n# A\n",
			`0 1-5 matter ""
1 6-6 heading level=1 section=0 "A"
section 6-6 level=1 parent=-1 block=1 "A"
`,
		},
		{
			"a rule first is no front matter", "---\nПлатить надо сразу.\n\n---\n",
			`0 1-1 rule ""
1 2-2 paragraph "Платить надо сразу."
2 4-4 rule ""
`,
		},
		{
			"tables", "text\n| a | b \\| c | `d|e` |\n|---|:-:|---|---|\n| *1* | <br> | ~~x~~ y |\n|  | z\n",
			`0 1-1 paragraph "text"
1 2-2 header table=0 cells=4 "a | b | c | ` + "`d | e`" + `"
2 4-4 row table=0 cells=3 "1 | y"
3 5-5 row table=0 cells=2 "z"
`,
		},
		{
			"rows torn apart", "| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |\n\nx | y\n",
			`0 1-1 header table=0 cells=2 "a | b"
1 3-3 row table=0 cells=2 "1 | 2"
2 5-5 row table=0 cells=2 "3 | 4"
3 7-7 paragraph "x | y"
`,
		},
		{
			"prose right after a table", "| a | b |\n|---|---|\n| 1 | 2 |\nDone.\n",
			`0 1-1 header table=0 cells=2 "a | b"
1 3-3 row table=0 cells=2 "1 | 2"
2 4-4 paragraph "Done."
`,
		},
		{
			"comments", "a <!-- b --> c\n<!-- whole -->\n- d\n<!--\n- e\n\n- f\n--> g\nh <!-- i\nj --> k\n\nl <!-- open\n\n`<!-- code -->`\n[//]: # (hidden)\n",
			`0 1-1 paragraph "a c"
1 2-2 comment ""
2 3-3 item level=1 "d"
3 4-7 comment ""
4 8-10 paragraph "g h k"
5 12-12 paragraph "l <!-- open"
6 14-15 paragraph "<!-- code --> [//]: # (hidden)"
`,
		},
		{
			"a comment without end, a definition", "a\n\n[x]: http://b \"c\"\n\n- <!-- off\n\n- d\n",
			`0 1-1 paragraph "a"
1 3-3 comment ""
2 5-7 comment ""
`,
		},
		{
			"a comment between rows", "| a | b |\n|---|---|\n<!-- | 1 | 2 | -->\n| 3 | 4 |\n",
			`0 1-1 header table=0 cells=2 "a | b"
1 3-3 comment ""
2 4-4 row table=0 cells=2 "3 | 4"
`,
		},
		{
			"struck out", "- ~~Send the password~~\n- Ask ~~twice~~ once\n- about ~5~ days\n- <del>old</del> new\n",
			`0 1-1 item level=1 ""
1 2-2 item level=1 "Ask once"
2 3-3 item level=1 "about ~5~ days"
3 4-4 item level=1 "new"
`,
		},
		{
			"other separators", "a\u2028b\vc\n\nd\u0085e\n",
			"0 1-1 paragraph \"a\\u2028b\\vc\"\n1 3-3 paragraph \"d\\u0085e\"\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, c.text)
			checkDocument(t, d)
			if diff := cmp.Diff(c.want, dump(d)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestInlineText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`\*not\* \_bold\_ 14\. \!`:              `*not* _bold_ 14. !`,
		"**b** *i* __b__ _i_ ***bi*** a_b_c":    "b i b i bi a_b_c",
		"**Label:**text and 2 * 3 * 4":          "Label:text and 2 * 3 * 4",
		"[text](http://x \"t\") ![alt](y)":      "text alt",
		"[a](b(c)d) [e] [f][g] [h](":            "a [e] [f][g] [h](",
		"`code *x*` ``a ` b`` ` open":           "code *x* a ` b ` open",
		"<https://x.y/z> <a@b.c> <b>t</b>":      "https://x.y/z a@b.c t",
		"send <order number> or <номер заказа>": "send <order number> or <номер заказа>",
		"&lt;x&gt; &copy; &nope; AT&T":          "<x> © &nope; AT&T",
		"5 < 6 > 4":                             "5 < 6 > 4",
		"«цитата» “q” — 9–18":                   "«цитата» “q” — 9–18",
		"line\\\nbreak  \nend":                  "line break end",
		"note[^1] here":                         "note here",
		"**жирный** текст":                      "жирный текст",
		"сло**во**м":                            "словом",
	} {
		d := parse(t, in)
		if got := d.Blocks[0].Text; got != want {
			t.Errorf("%q reads %q, want %q", in, got, want)
		}
	}
}

func TestReferenceLinks(t *testing.T) {
	t.Parallel()
	d := parse(t, "[Правила][r], [r] и [x]\n\n[r]: http://e.example\n")
	if got, want := d.Blocks[0].Text, "Правила, r и [x]"; got != want {
		t.Errorf("text is %q, want %q", got, want)
	}
}

type qa struct {
	Question, Answer string
	Topic            bool
	Start, End       int
}

func questions(d *model.Document) []qa {
	var out []qa
	for _, q := range d.QAs {
		out = append(out, qa{q.Question, q.Answer, q.Topic, q.LineStart, q.LineEnd})
	}
	return out
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []qa
	}{
		{
			"headings", "# FAQ?\n\n## 1. Как вернуть?\n\nЗа 14 дней.\n\n* С чеком.\n\n## Wann?\nMorgen.\n\n## No\nx\n",
			[]qa{{"Как вернуть?", "За 14 дней.\nС чеком.", false, 3, 7}, {"Wann?", "Morgen.", false, 9, 10}},
		},
		{
			"bold, on the same and on next lines", "**How do I pay?** By card.\n\n**Wie zahle ich?**\nBar.\n\n**როდის?**\n\nხვალ.\n\nზეგ.\n\n**Other**\n\nx\n",
			[]qa{
				{"How do I pay?", "By card.", false, 1, 1},
				{"Wie zahle ich?", "Bar.", false, 3, 4},
				{"როდის?", "ხვალ.\nზეგ.", false, 6, 10},
			},
		},
		{
			"list with answers in it", "1. Как вернуть? За 14 дней.\n2. Кто платит?\n   Покупатель.\n3. **Куда**: в офис\n",
			[]qa{{"Как вернуть?", "За 14 дней.", false, 1, 1}, {"Кто платит?", "Покупатель.", false, 2, 3}, {"Куда", "в офис", true, 4, 4}},
		},
		{
			"numbered items with paragraphs between", "1. Wann?\n\nHeute.\n\n2. Wo?\n\nHier.\n",
			[]qa{{"Wann?", "Heute.", false, 1, 3}, {"Wo?", "Hier.", false, 5, 7}},
		},
		{
			"examples of questions are no answers", "Customers ask:\n\n* Where is my order?\n* How do I pay?\n\nAlways be kind.\n",
			nil,
		},
		{
			"prose may ask", "Why do we do this? Because we care.\n\nOrders are shipped.\n",
			nil,
		},
		{
			"topics", "* **Returns**: 14 days\n* **Доставка** — 2 дня\n* **Zahlung:** bar\n* plain\n",
			[]qa{{"Returns", "14 days", true, 1, 1}, {"Доставка", "2 дня", true, 2, 2}, {"Zahlung", "bar", true, 3, 3}},
		},
		{
			"one bold item among rules is no topic", "* **Important:** be kind\n* do this\n* do that\n",
			nil,
		},
		{
			"bold paragraphs", "**Rates:** a\n\n**Zeiten:** b\n\n**Оплата** — c\n\n**D** d\n",
			[]qa{{"Rates", "a", true, 1, 1}, {"Zeiten", "b", true, 3, 3}, {"Оплата", "c", true, 5, 5}},
		},
		{
			"label pairs", "Q: How?\nA: So.\n\nВопрос: Где?\nОтвет: Там.\nИ тут.\n\nF1: Wo?\n\nA1: Da.\n",
			[]qa{{"How?", "So.", false, 1, 2}, {"Где?", "Там. И тут.", false, 4, 6}, {"Wo?", "Da.", false, 8, 10}},
		},
		{
			"label pairs of a language nobody listed", "კითხვა: სად ხართ?\nპასუხი: აქ.\n\nკითხვა: როდის?\nპასუხი: ხვალ.\n",
			[]qa{{"სად ხართ?", "აქ.", false, 1, 2}, {"როდის?", "ხვალ.", false, 4, 5}},
		},
		{
			"bold labels in a list", "* **Q:** How?\n* **A:** So.\n* **Q:** Why?\n* **A:** Thus.\n",
			[]qa{{"How?", "So.", false, 1, 2}, {"Why?", "Thus.", false, 3, 4}},
		},
		{
			"pairs on one line and in items", "1. **Вопрос:** Как вернуть? **Ответ:** За 14 дней.\n2. **Q:** Wo?\n   **A:** Hier.\n\nFrage: Wann? Antwort: Morgen. Immer.\n",
			[]qa{{"Как вернуть?", "За 14 дней.", false, 1, 1}, {"Wo?", "Hier.", false, 2, 3}, {"Wann?", "Morgen. Immer.", false, 5, 5}},
		},
		{
			"wrong and right wordings are no topics", "* **Плохо:** «Ждите!»\n* **Хорошо:** «Подождите»\n\n---\n\n* **cudo:** x\n* **kargo:** y\n* **cudo:** z\n* **kargo:** w\n",
			nil,
		},
		{
			"an item that asks, with items under it", "* Lost something?\n  * Say where.\n* Spa\n  * daily\n* Noise\n",
			[]qa{{"Lost something?", "Say where.", false, 1, 2}},
		},
		{
			"a heading before other questions, and a summary", "## Есть доставка?\nДа.\n\n- Q. Где?\n  A. Тут.\n\n<details>\n<summary>Wie zahle ich?</summary>\n\nBar.\n</details>\n",
			[]qa{{"Есть доставка?", "Да.", false, 1, 2}, {"Где?", "Тут.", false, 4, 5}, {"Wie zahle ich?", "Bar.", false, 7, 10}},
		},
		{
			"question marks of other scripts", "## 配送はいつですか？\n明日。\n\n## متى يصل؟\nغدا.\n\n## Πού είναι;\nΕδώ.\n",
			[]qa{{"配送はいつですか？", "明日。", false, 1, 2}, {"متى يصل؟", "غدا.", false, 4, 5}, {"Πού είναι;", "Εδώ.", false, 7, 8}},
		},
		{
			"a table of questions", "| Frage | Antwort |\n|---|---|\n| Wann kommt es? | Morgen früh. |\n| Wer zahlt das? | Der Kunde zahlt. |\n",
			[]qa{{"Wann kommt es?", "Morgen früh.", false, 3, 3}, {"Wer zahlt das?", "Der Kunde zahlt.", false, 4, 4}},
		},
		{
			"commented out", "<!--\n## Why?\nSo.\n-->\n\n~~**How?** Thus.~~\n",
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, c.text)
			checkDocument(t, d)
			if diff := cmp.Diff(c.want, questions(d)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(d.Dialogues) > 0 {
				t.Errorf("dialogues %+v, want none", d.Dialogues)
			}
		})
	}
}

type ticket struct{ ID, Message, Answer string }

func TestTickets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []ticket
	}{
		{
			"quoted, headless words of no language", "| x | y | z |\n|---|---|---|\n| 1 | «где\\_заказ??» | «Уточните номер\\!» |\n| 2 | «(пусто)» | «Слушаю вас.» |\n",
			[]ticket{{"1", "где_заказ??", "Уточните номер!"}, {"2", "", "Слушаю вас."}},
		},
		{
			"German, unquoted, codes, a date", "| Nr | Datum | Was kam | Was ging raus |\n|---|---|---|---|\n| T-1 | 01.02. | wo bleibt mein paket?? | Nennen Sie bitte die Nummer. |\n| T-2 | 02.02. | ich will mein geld zurück! | Das prüft ein Kollege. |\n| T-3 | 02.02. | [leer] | Wie kann ich helfen? |\n| T-4 | 03.02. | rechnung bitte | Die Rechnung kommt per Mail. |\n",
			[]ticket{{"T-1", "wo bleibt mein paket??", "Nennen Sie bitte die Nummer."}, {"T-2", "ich will mein geld zurück!", "Das prüft ein Kollege."}, {"T-3", "", "Wie kann ich helfen?"}, {"T-4", "rechnung bitte", "Die Rechnung kommt per Mail."}},
		},
		{
			"id last", "| a | b | c |\n|---|---|---|\n| \"where is it?\" | \"On its way to you.\" | 7 |\n| \"\" | \"Please write again.\" | 9 |\n",
			[]ticket{{"7", "where is it?", "On its way to you."}, {"9", "", "Please write again."}},
		},
		{
			"two columns, quoted, Georgian", "| ა | ბ |\n|---|---|\n| „სად არის შეკვეთა?“ | „გვითხარით ნომერი.“ |\n| „გაუქმება მინდა“ | „გადავცემ ოპერატორს.“ |\n",
			[]ticket{{"1", "სად არის შეკვეთა?", "გვითხარით ნომერი."}, {"2", "გაუქმება მინდა", "გადავცემ ოპერატორს."}},
		},
		{
			"heads that say so", "| message | reply |\n|---|---|\n| cancel it now | Which booking is it? |\n| my bike is late | Sorry to hear that |\n",
			[]ticket{{"1", "cancel it now", "Which booking is it?"}, {"2", "my bike is late", "Sorry to hear that"}},
		},
		{
			"speakers as heads", "| Дата | Клиент | Бот |\n|---|---|---|\n| 01.02 | есть места | Да, есть. |\n| 01.02 | скок стоит | Уточните дату. |\n",
			[]ticket{{"1", "есть места", "Да, есть."}, {"2", "скок стоит", "Уточните дату."}},
		},
		{
			"a price list", "| № | Услуга | Описание | Цена |\n|---|---|---|---|\n| 1 | Чистка зубов | Снимаем налёт и камень. | 3500 ₽ |\n| 2 | Пломба световая | Ставим за один визит. | 4200 ₽ |\n| 3 | Снимок | Делаем на месте сразу. | 600 ₽ |\n",
			nil,
		},
		{
			"delivery zones", "| Zone | Area | Time |\n|---|---|---|\n| 1 | Inside the ring road | Two working days. |\n| 2 | Outside the ring road | Five working days. |\n",
			nil,
		},
		{
			"rules for situations", "| № | Ситуация | Что делать |\n|---|---|---|\n| 1 | клиент ругается | Передать старшему смены. |\n| 2 | клиент молчит | Спросить один раз ещё. |\n| 3 | клиент просит скидку | Вежливо отказать ему. |\n",
			nil,
		},
		{
			"settings", "| key | value |\n|---|---|\n| a | 1 |\n| b | 2 |\n",
			nil,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, c.text)
			checkDocument(t, d)
			var got []ticket
			for _, k := range d.Tickets {
				got = append(got, ticket{k.ID, k.Message, k.Answer})
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDialogues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{
			"paragraphs, quoted", "Клиент: «Где заказ\\!\\!»\n\nОператор: «Ждите»\n",
			[]string{"user Клиент: Где заказ!!", "operator Оператор: Ждите"},
		},
		{
			"lines of one paragraph", "Customer: hi\nAgent: Hello, who\nis it?\nCustomer: me\n\nAfter the chat he left.\n",
			[]string{"user Customer: hi", "operator Agent: Hello, who is it?", "user Customer: me"},
		},
		{
			"a block quote, times, bold labels", "> **[10:02] Kunde:** Wo bleibt es?\n>\n> **[10:03] Beraterin:** Unterwegs!\n>\n> **[10:04] Kunde:** Danke\n",
			[]string{"user Kunde: Wo bleibt es?", "operator Beraterin: Unterwegs!", "user Kunde: Danke"},
		},
		{
			"a list in a language nobody listed", "- ნინო: „სად არის?“\n- გია: „გზაშია.“\n- ნინო: „როდის?“\n- გია: „მალე. სად ხართ?“\n",
			[]string{"user ნინო: სად არის?", "operator გია: გზაშია.", "user ნინო: როდის?", "operator გია: მალე. სად ხართ?"},
		},
		{
			"unlisted names, unquoted, who ask back", "Nadia: my card failed\nTom: Which card is it?\nNadia: the blue one\nTom: Thanks.\n",
			[]string{"user Nadia: my card failed", "operator Tom: Which card is it?", "user Nadia: the blue one", "operator Tom: Thanks."},
		},
		{
			"the operator speaks first", "Operator: Hello!\nCustomer: where is it?\n",
			[]string{"operator Operator: Hello!", "user Customer: where is it?"},
		},
		{"a note", "Note: be kind\n\nAlways.\n", nil},
		{"labels of a memo", "Hours: 9-18\n\nPhone: 555\n", nil},
		{"many labels", "Эскалация: сразу!\n\nЧасы: 9–18\n\nЗапись: 15 минут?\n\nПеренос: за 24 часа\n", nil},
		{"wrong and right", "Плохо: «Ждите!!!»\nХорошо: «Подождите, пожалуйста.»\n\nBad: \"Wait!\"\nGood: \"One moment, please.\"\n", nil},
		{"one speaker", "Agent: hello!\nAgent: who is it?\n", nil},
		{"separate chats", "Client: a?\nAgent: b!\n\nsome text\n\nClient: c?\nAgent: d!\n", []string{"user Client: a?", "operator Agent: b!", "---", "user Client: c?", "operator Agent: d!"}},
		{"blocks that each hold a chat", "Client: a?\nAgent: b!\n\nClient: c?\nAgent: d!\n", []string{"user Client: a?", "operator Agent: b!", "---", "user Client: c?", "operator Agent: d!"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, c.text)
			checkDocument(t, d)
			var got []string
			for i, dl := range d.Dialogues {
				if i > 0 {
					got = append(got, "---")
				}
				for _, u := range dl.Turns {
					got = append(got, u.Role+" "+u.Speaker+": "+u.Text)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(d.QAs) > 0 {
				t.Errorf("questions %+v, want none", d.QAs)
			}
		})
	}
}

func FuzzParseMarkdown(f *testing.F) {
	for _, s := range hostile(300) {
		f.Add([]byte(s))
	}
	for _, s := range []string{
		"\ufeff---\na: b\n---\r\n# A\r\r- b\n\n  ## C?\n\n  d\n",
		"| 1 | «a?» | «b» |\n|-|-|-|\n| 2 | \"c\" | d |\n<!-- | -->\n| 3 | (x) | e |\n",
		"Q: a?\nA: b\n\nQ: c?\n\nA: d\n\n> x: «y»\n> z: «w»\n",
		"**a?**\n\n- <!-- b\n- c --> d\n~~e~~ [f](g \"h\")\n\n[f]: i\n",
		"1. a? b\n2. **c** — d\n   - e\n\n```\nf\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := model.ParseMarkdown("f.md", b, nil)
		if err != nil {
			return
		}
		checkDocument(t, d)
		again, err := model.ParseMarkdown("f.md", b, nil)
		if err != nil || dump(again) != dump(d) {
			t.Fatalf("a second reading differs: %v", err)
		}
	})
}

func BenchmarkParseMarkdown(b *testing.B) {
	unit := "# Доставка\n\nСрок **2–7** дней, [подробно](http://x).\n\n- **Возврат**: 14 дней\n- **Оплата**: карта\n\n" +
		"| id | сообщение | ответ |\n|---|---|---|\n| 1 | «где заказ??» | «Уточните номер.» |\n\nClient: hi\nAgent: Hello!\n\n"
	text := []byte(strings.Repeat(unit, 1<<20/len(unit)))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := model.ParseMarkdown("b.md", text, nil); err != nil {
			b.Fatal(err)
		}
	}
}
