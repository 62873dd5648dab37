package rules_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/generatortest"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/rules"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

func newGenerator(t *testing.T) generator.Generator {
	t.Helper()
	g, err := rules.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestConformance(t *testing.T) {
	t.Parallel()
	generatortest.Test(t, newGenerator(t), nil)
}

const shopEN = `# Lamp shop: notes for the chat assistant

- The assistant has no access to customer accounts or orders.
- Complaints and threats are passed to the shift manager.
- Never promise a delivery hour.

## Questions

**Can I return a lamp?** Lamps are taken back within 30 days if they are unused. Please have your order number ready; the order number is needed for every return.

**How long does delivery take?** Delivery takes 2 to 4 working days.

## Tickets

| id | message | answer |
| --- | --- | --- |
| 1 | my lamp is too big, want to send it back | I have checked your order, you will get 50 euros tomorrow. |
`

const clinicRU = `# Правила для операторов клиники

- Сообщение должно быть вежливым, без сарказма.
- Нельзя писать капслоком и ставить много восклицательных знаков.
- Если пациент просит отменить запись, оператор должен уточнить ФИО и дату приёма.
- Если пациент жалуется и недоволен, передать обращение старшему администратору.
- Врач, пациент, клиника, приём: пишем без ошибок.
`

// call is a call over one document with one use case that rests on the lines
// which contain any of the texts, and a policy for each of the statements.
func call(t *testing.T, name, text, language string, profile *model.Profile, useCase string, on []string, policies []model.Policy, rows ...model.Row) *generator.Call {
	t.Helper()
	doc, err := model.ParseMarkdown(name, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	evidence := func(part string) []model.Evidence {
		for n := 1; n <= doc.NumLines(); n++ {
			if strings.Contains(doc.Line(n), part) {
				e, err := doc.Cut(n, n)
				if err != nil {
					t.Fatal(err)
				}
				return []model.Evidence{e}
			}
		}
		t.Fatalf("no line of %s has %q", name, part)
		return nil
	}
	uc := model.UseCase{ID: "uc_x", Case: profile.Case, Name: useCase, Description: useCase}
	for _, part := range on {
		uc.Evidence = append(uc.Evidence, evidence(part)...)
	}
	var axes []model.Axis
	for i := range policies {
		policies[i].Case, policies[i].Name = profile.Case, policies[i].Statement
		policies[i].Evidence = evidence(policies[i].Statement)
	}
	for i := range rows {
		r := &rows[i]
		r.UseCaseID, r.Examples = uc.ID, max(1, r.Examples)
		for _, a := range r.Axes {
			if axis, ok := profile.Axis(a); ok && !slices.ContainsFunc(axes, func(x model.Axis) bool { return x.Name == a }) {
				axes = append(axes, axis)
			}
		}
	}
	return &generator.Call{
		ID: "call", Seed: 11, Documents: []*model.Document{doc}, Language: language, Profile: profile,
		UseCase: uc, Policies: policies, Axes: axes, Rows: rows, Embedder: llm.NewLexical(nil), Log: slog.New(slog.DiscardHandler),
	}
}

func row(id string, format model.Format, source model.Source, params map[string]string, roles map[string]model.Role, policies ...string) model.Row {
	r := model.Row{ID: id, Format: format, Source: source, Parameters: map[string]model.Value{}, Roles: roles, PolicyIDs: policies}
	for _, a := range []string{"tone", "identifier", "form", "length", "greeting", "fault", "client_tone"} {
		if v, ok := params[a]; ok {
			r.Parameters[a] = model.String(v)
			r.Axes = append(r.Axes, a)
		}
	}
	return r
}

func generate(t *testing.T, c *generator.Call) ([]model.Item, []generator.Drop) {
	t.Helper()
	out, err := newGenerator(t).Generate(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if out.Format != generator.BatchFormat {
		t.Errorf("Format = %q, want %q", out.Format, generator.BatchFormat)
	}
	var items []model.Item
	for _, r := range out.Records {
		var it model.Item
		if err := json.Unmarshal(r.JSON, &it); err != nil {
			t.Fatal(err)
		}
		items = append(items, it)
	}
	return items, out.Dropped
}

// returns is a call over the English shop: a return, plain and pressed.
func returns(t *testing.T, rows ...model.Row) *generator.Call {
	t.Helper()
	return call(t, "lamps.md", shopEN, "en", model.SupportBot(), "Customer wants to return a lamp", []string{"Can I return"},
		[]model.Policy{{ID: "pol_return", Type: model.Must, Statement: "Lamps are taken back within 30 days if they are unused."}}, rows...)
}

func TestSupportRows(t *testing.T) {
	t.Parallel()
	plain := map[string]model.Role{"pol_return": model.Plain}
	pressed := map[string]model.Role{"pol_return": model.Pressed}
	var rows []model.Row
	for i, p := range []map[string]string{
		{"tone": "neutral", "identifier": "absent", "form": "question"},
		{"tone": "angry", "identifier": "present", "form": "statement"},
		{"tone": "neutral", "identifier": "present", "length": "short"},
		{"tone": "angry", "identifier": "absent", "length": "long"},
	} {
		roles := plain
		if i%2 == 1 {
			roles = pressed
		}
		rows = append(rows, row("r"+string(rune('1'+i)), model.SingleTurnQA, model.SourceFAQParaphrase, p, roles, "pol_return"))
	}
	c := returns(t, rows...)
	items, dropped := generate(t, c)
	if len(items) != len(rows) {
		t.Fatalf("%d items, want %d; dropped %v", len(items), len(rows), dropped)
	}
	l, err := lang.For("en")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, it := range items {
		ex := it.Examples[0]
		in := ex.Input.Messages[0].Content
		for name, v := range rows[i].Parameters {
			a, _ := c.Profile.Axis(name)
			if got, _ := coverage.Classify(l, a, &ex.Input, ex.Format); got != v.String() {
				t.Errorf("%s: %q shows %s=%s, want %s", it.Row, in, name, got, v)
			}
		}
		if !strings.Contains(ex.ExpectedOutput, "within 30 days if they are unused") {
			t.Errorf("%s: the answer lost the fact or its condition: %q", it.Row, ex.ExpectedOutput)
		}
		asks := strings.Contains(ex.ExpectedOutput, "your order number.") || strings.Contains(ex.ExpectedOutput, "your order number, please?")
		if given := rows[i].Parameters["identifier"].String() == "present"; asks == given {
			t.Errorf("%s: identifier given is %v, but asking for it is %v: %q => %q", it.Row, given, asks, in, ex.ExpectedOutput)
		}
		if n := lang.SharedRun(in, "Can I return a lamp? "+"Lamps are taken back within 30 days if they are unused."); n >= 4 {
			t.Errorf("%s: %q copies %d words in a row", it.Row, in, n)
		}
		if len(ex.EvaluationCriteria) < 3 {
			t.Errorf("%s: criteria %q", it.Row, ex.EvaluationCriteria)
		}
		if seen[in] {
			t.Errorf("%s: %q twice", it.Row, in)
		}
		seen[in] = true
	}
}

func TestTicketKeepsTheMessageAndDropsTheClaim(t *testing.T) {
	t.Parallel()
	r := row("t1", model.SingleTurnQA, model.SourceTickets, map[string]string{"tone": "neutral", "identifier": "absent"}, map[string]model.Role{"pol_return": model.Plain}, "pol_return")
	r.Given = []model.Message{{Role: model.RoleUser, Content: "my lamp is too big, want to send it back"}}
	items, dropped := generate(t, returns(t, r))
	if len(items) != 1 {
		t.Fatalf("dropped: %v", dropped)
	}
	ex := items[0].Examples[0]
	if diff := cmp.Diff(r.Given, ex.Input.Messages); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	for _, claim := range []string{"checked", "50 euros", "tomorrow"} {
		if strings.Contains(ex.ExpectedOutput, claim) {
			t.Errorf("the answer repeats the sample's claim %q: %q", claim, ex.ExpectedOutput)
		}
	}
	if !strings.Contains(ex.ExpectedOutput, "within 30 days if they are unused") {
		t.Errorf("the answer does not state what decides the message: %q", ex.ExpectedOutput)
	}
}

// chats is a document for a chat assistant with a rule of tone and one on a
// kind of corner message.
var chats = map[string]struct{ text, useCase, question, fact, tone, empty string }{
	"en": {
		text: "# Lamp shop\n\n- Stay friendly and unhurried.\n- An empty message is answered with a question what is needed.\n\n" +
			"## Questions\n\n**Can I return a lamp?** Lamps are taken back within 30 days if they are unused.\n\n**How long does delivery take?** Delivery takes 2 to 4 working days.\n",
		useCase: "Customer wants to return a lamp", question: "Can I return",
		fact: "Lamps are taken back within 30 days if they are unused.", tone: "Stay friendly and unhurried.", empty: "An empty message is answered with a question what is needed.",
	},
	"ru": {
		text: "# Магазин ламп\n\n- Пишем спокойно и вежливо.\n- На пустое сообщение бот просит уточнить вопрос.\n\n" +
			"## Вопросы\n\n**Можно вернуть лампу?** Лампу принимаем обратно в течение 30 дней, если её не включали.\n\n**Сколько идёт доставка?** Доставка идёт от 2 до 4 рабочих дней.\n",
		useCase: "Клиент хочет вернуть лампу", question: "Можно вернуть",
		fact: "Лампу принимаем обратно в течение 30 дней, если её не включали.", tone: "Пишем спокойно и вежливо.", empty: "На пустое сообщение бот просит уточнить вопрос.",
	},
}

// An answer to a corner message states nothing of the use case, so it cites a
// rule on such messages, or on how any answer sounds, and without one it is not
// made.
func TestCornerRowsCiteWhatTheyShow(t *testing.T) {
	t.Parallel()
	for language, doc := range chats {
		for kind, want := range map[string]string{
			lang.CornerEmpty: "pol_empty", lang.CornerGarbage: "pol_empty", lang.CornerOffTopic: "pol_tone", lang.CornerInjection: "pol_tone",
		} {
			corner := func(all ...model.Policy) ([]model.Item, []generator.Drop) {
				r := row("c1", model.SingleTurnQA, model.SourceCorner, map[string]string{"tone": "neutral", "identifier": "absent"}, map[string]model.Role{"pol_fact": model.Plain}, "pol_fact")
				r.Corner = kind
				c := call(t, "lamps.md", doc.text, language, model.SupportBot(), doc.useCase, []string{doc.question},
					append([]model.Policy{{ID: "pol_fact", Type: model.Must, Statement: doc.fact}}, all...), r)
				c.Policies, c.AllPolicies = c.Policies[:1], c.Policies
				return generate(t, c)
			}
			items, dropped := corner(model.Policy{ID: "pol_tone", Type: model.Style, Statement: doc.tone}, model.Policy{ID: "pol_empty", Type: model.Must, Statement: doc.empty})
			if len(items) != 1 {
				t.Errorf("%s, %s: dropped %v", language, kind, dropped)
				continue
			}
			ex := items[0].Examples[0]
			if empty := strings.TrimSpace(ex.Input.Messages[0].Content) == ""; empty != (kind == lang.CornerEmpty) {
				t.Errorf("%s, %s: input %q", language, kind, ex.Input.Messages[0].Content)
			}
			if ex.ExpectedOutput == "" || ex.Metadata.Split != "corner" {
				t.Errorf("%s, %s: %q, split %q", language, kind, ex.ExpectedOutput, ex.Metadata.Split)
			}
			if diff := cmp.Diff([]string{want}, ex.PolicyIDs); diff != "" {
				t.Errorf("%s, %s cites (-want +got):\n%s", language, kind, diff)
			}
			if diff := cmp.Diff(map[string]model.Role{want: model.Plain}, ex.Metadata.PolicyRoles); diff != "" {
				t.Errorf("%s, %s shows (-want +got):\n%s", language, kind, diff)
			}
			if items, dropped := corner(); len(items) != 0 || len(dropped) != 1 {
				t.Errorf("%s, %s: made of a fact alone: %v", language, kind, items)
			}
		}
	}
}

// A row may be planned for a policy that the answer does not come to.
func TestAnswersCiteWhatTheyShow(t *testing.T) {
	t.Parallel()
	for language, doc := range chats {
		other := map[string]string{"en": "Delivery takes 2 to 4 working days.", "ru": "Доставка идёт от 2 до 4 рабочих дней."}[language]
		r := row("r1", model.SingleTurnQA, model.SourceTickets, map[string]string{"tone": "neutral"}, map[string]model.Role{"pol_other": model.Plain, "pol_fact": model.Plain}, "pol_other", "pol_fact")
		r.Given = []model.Message{{Role: model.RoleUser, Content: map[string]string{"en": "the lamp is too big, can it be taken back unused", "ru": "лампу не включали, примете обратно?"}[language]}}
		items, dropped := generate(t, call(t, "lamps.md", doc.text, language, model.SupportBot(), doc.useCase, []string{doc.question}, []model.Policy{
			{ID: "pol_other", Type: model.Must, Statement: other}, {ID: "pol_fact", Type: model.Must, Statement: doc.fact},
		}, r))
		if len(items) != 1 {
			t.Fatalf("%s: dropped %v", language, dropped)
		}
		it := items[0]
		if diff := cmp.Diff([]string{"pol_fact"}, it.TestCase.PolicyIDs); diff != "" {
			t.Errorf("%s: the test case cites (-want +got):\n%s", language, diff)
		}
		if diff := cmp.Diff([]string{"pol_fact"}, it.Examples[0].PolicyIDs); diff != "" {
			t.Errorf("%s: %q cites (-want +got):\n%s", language, it.Examples[0].ExpectedOutput, diff)
		}
		if strings.Contains(it.TestCase.Description, strings.TrimRight(other, ".")) || !strings.Contains(it.TestCase.Description, strings.TrimRight(doc.fact, ".")) {
			t.Errorf("%s: description %q", language, it.TestCase.Description)
		}
	}
}

func corrections(t *testing.T, rows ...model.Row) *generator.Call {
	t.Helper()
	return call(t, "clinic.md", clinicRU, "ru", model.OperatorQuality(), "Пациент просит отменить запись", []string{"отменить запись"},
		[]model.Policy{
			{ID: "pol_cancel", Type: model.Must, Statement: "Если пациент просит отменить запись, оператор должен уточнить ФИО и дату приёма."},
			{ID: "pol_caps", Type: model.MustNot, Statement: "Нельзя писать капслоком и ставить много восклицательных знаков."},
			{ID: "pol_polite", Type: model.Style, Statement: "Сообщение должно быть вежливым, без сарказма."},
		}, rows...)
}

func TestCorrections(t *testing.T) {
	t.Parallel()
	pressed := func(id string) map[string]model.Role { return map[string]model.Role{id: model.Pressed} }
	rows := []model.Row{
		row("d1", model.DialogLastTurnCorrection, "", map[string]string{"fault": "none", "client_tone": "neutral"}, pressed("pol_cancel"), "pol_cancel"),
		row("s1", model.SingleUtteranceCorrection, "", map[string]string{"fault": "caps", "form": "question"}, pressed("pol_caps"), "pol_caps"),
		row("s2", model.SingleUtteranceCorrection, "", map[string]string{"fault": "exclamation", "form": "statement"}, pressed("pol_caps"), "pol_caps"),
		row("s3", model.SingleUtteranceCorrection, "", map[string]string{"fault": "typo", "form": "statement"}, map[string]model.Role{"pol_caps": model.Plain}, "pol_caps"),
		row("s4", model.SingleUtteranceCorrection, "", map[string]string{"fault": "none", "form": "statement"}, pressed("pol_polite"), "pol_polite"),
		row("d2", model.DialogLastTurnCorrection, "", map[string]string{"fault": "punctuation", "client_tone": "angry"}, map[string]model.Role{"pol_polite": model.Plain}, "pol_polite"),
	}
	items, dropped := generate(t, corrections(t, rows...))
	if len(items) != len(rows) {
		t.Fatalf("%d items, want %d; dropped %v", len(items), len(rows), dropped)
	}
	l, err := lang.For("ru")
	if err != nil {
		t.Fatal(err)
	}
	for i, it := range items {
		ex := it.Examples[0]
		last := ex.Input.Messages[len(ex.Input.Messages)-1]
		if last.Role != model.RoleOperator || last.Content == ex.ExpectedOutput {
			t.Errorf("%s: last turn %+v, expected %q", it.Row, last, ex.ExpectedOutput)
		}
		if faults := coverage.Faults(l, ex.ExpectedOutput); len(faults) > 0 {
			t.Errorf("%s: the corrected message has the faults %v: %q", it.Row, faults, ex.ExpectedOutput)
		}
		if rows[i].Format == model.DialogLastTurnCorrection {
			if ex.Input.TargetMessageIndex == nil || *ex.Input.TargetMessageIndex != len(ex.Input.Messages)-1 || ex.Input.Messages[0].Role != model.RoleUser {
				t.Errorf("%s: target or roles are wrong: %+v", it.Row, ex.Input)
			}
		}
	}
	if got := items[0].Examples[0].ExpectedOutput; !strings.Contains(got, "Уточните, пожалуйста, ФИО и дату приёма.") {
		t.Errorf("the corrected cancellation does not identify the patient first: %q", got)
	}
	if got := items[5].Examples[0].ExpectedOutput; !strings.Contains(got, "старшему администратору") {
		t.Errorf("an angry patient is not handed over: %q", got)
	}
}

func TestRepairPicksAnotherVariant(t *testing.T) {
	t.Parallel()
	r := row("r1", model.SingleTurnQA, model.SourceFAQParaphrase, map[string]string{"tone": "neutral", "identifier": "absent"}, map[string]model.Role{"pol_return": model.Plain}, "pol_return")
	items, _ := generate(t, returns(t, r))
	c := returns(t, r)
	first := items[0].Examples[0].Input.Messages[0].Content
	c.Repairs = map[string]generator.Repair{"r1": {Item: items[0], Findings: []string{"the input is nearly the same as another"}}}
	c.Avoid = []string{first}
	again, _ := generate(t, c)
	if len(again) != 1 || again[0].Examples[0].Input.Messages[0].Content == first {
		t.Errorf("a repair gave %q again", first)
	}
}

func TestUnknownLanguage(t *testing.T) {
	t.Parallel()
	c := returns(t)
	c.Language = "de"
	_, err := newGenerator(t).Generate(t.Context(), c)
	var unknown *lang.UnknownError
	if !errors.As(err, &unknown) || unknown.Code != "de" {
		t.Errorf("err = %v, want a *lang.UnknownError for de", err)
	}
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := row("r1", model.SingleTurnQA, model.SourceFAQParaphrase, nil, nil, "pol_return")
	if _, err := newGenerator(t).Generate(ctx, returns(t, r)); !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v, want context.Canceled", err)
	}
}

func TestRowThatNothingDecidesIsDropped(t *testing.T) {
	t.Parallel()
	r := row("t9", model.SingleTurnQA, model.SourceTickets, nil, map[string]model.Role{"pol_return": model.Plain}, "pol_return")
	r.Given = []model.Message{{Role: model.RoleUser, Content: "please renovate our bathroom tiles quickly"}}
	items, dropped := generate(t, returns(t, r))
	if len(items) != 0 || len(dropped) != 1 || dropped[0].Row != "t9" || dropped[0].Reason == "" {
		t.Errorf("items %+v, dropped %+v", items, dropped)
	}
}

// A message that shows a policy as pressed breaks that policy, not another one.
func TestVisibleFaultThatDoesNotBreakThePressedRuleIsDropped(t *testing.T) {
	t.Parallel()
	pressed := func(id string) map[string]model.Role { return map[string]model.Role{id: model.Pressed} }
	items, dropped := generate(t, corrections(t,
		row("kept", model.SingleUtteranceCorrection, "", map[string]string{"fault": "caps", "form": "statement"}, pressed("pol_caps"), "pol_caps"),
		row("typo", model.SingleUtteranceCorrection, "", map[string]string{"fault": "typo", "form": "statement"}, pressed("pol_caps"), "pol_caps"),
		row("none", model.SingleUtteranceCorrection, "", map[string]string{"fault": "none", "form": "statement"}, pressed("pol_caps"), "pol_caps"),
	))
	if len(items) != 1 || items[0].TestCase.Parameters["fault"].String() != "caps" {
		t.Errorf("kept %d items, want the one in capitals", len(items))
	}
	var gone []string
	for _, d := range dropped {
		gone = append(gone, d.Row)
		if !strings.Contains(d.Reason, "pol_caps") {
			t.Errorf("%s: the reason does not name the policy: %q", d.Row, d.Reason)
		}
	}
	if diff := cmp.Diff([]string{"typo", "none"}, gone); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
}

// A pressed message pushes for what its policy limits; a mere fact has nothing
// to push against.
func TestPressedMessagesPushForWhatThePolicyLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		language, question, answer string
		want                       []string // one is in the message; none means dropped
	}{
		{"en", "Can I return a lamp?", "Lamps are taken back within 30 days.", []string{"deadline", "time", "late", "later"}},
		{"en", "How long does delivery take?", "Delivery takes 2 to 4 working days.", []string{"faster", "sooner", "quicker", "wait"}},
		{"en", "Can I order a lamp online?", "Yes, for a fee of 12 pounds a lamp.", []string{"pay", "cheaper", "charge"}},
		{"en", "Can I pay in the shop?", "We take cash and cards.", nil},
		{"ru", "Можно ли вернуть лампу?", "Лампу принимаем обратно в течение 30 дней.", []string{"срок", "времени", "позже", "опоздал", "Опаздываю"}},
		{"ru", "Можно ли оплатить в магазине?", "Мы принимаем карты и наличные.", nil},
	} {
		t.Run(c.question, func(t *testing.T) {
			t.Parallel()
			text := "# Shop\n\n**" + c.question + "** " + c.answer + "\n"
			if c.language == "ru" {
				text = "# Магазин\n\n**" + c.question + "** " + c.answer + "\n"
			}
			items, dropped := generate(t, call(t, "shop.md", text, c.language, model.SupportBot(), strings.TrimRight(c.question, "?"), []string{c.question},
				[]model.Policy{{ID: "pol_it", Type: model.Must, Statement: c.answer}},
				row("r", model.SingleTurnQA, model.SourceFAQParaphrase, map[string]string{"tone": "neutral", "length": "long"}, map[string]model.Role{"pol_it": model.Pressed}, "pol_it")))
			if c.want == nil {
				if len(items) > 0 {
					t.Fatalf("a fact is pressed: %q", items[0].Examples[0].Input.Messages[0].Content)
				}
				return
			}
			if len(items) == 0 {
				t.Fatalf("dropped %v", dropped)
			}
			in := items[0].Examples[0].Input.Messages[0].Content
			if !slices.ContainsFunc(c.want, func(w string) bool { return strings.Contains(in, w) }) {
				t.Errorf("%q pushes for something else", in)
			}
		})
	}
}

// studio is a section whose heading promises one matter and whose rules are
// about several.
var studio = map[string]struct{ text, useCase, refund, other, sound string }{
	"en": {
		"# Studio\n\n## Refunds\n\n- The fee is refunded within 5 days when the studio cancels.\n- Paints cannot be kept in the lockers.\n- Keys are left in the box by 18:00.\n- Aprons are washed on Mondays.\n- The kiln takes 12 hours to cool down.\n- Easels are free in the small hall.\n- Brushes cost 2 euros.\n- If a visitor complains, the assistant apologises first.\n",
		"Customer asks about refunds", "The fee is refunded within 5 days when the studio cancels.", "Keys are left in the box by 18:00.", "If a visitor complains, the assistant apologises first.",
	},
	"ru": {
		"# Студия\n\n## Возврат денег\n\n- Возврат денег занимает 5 дней, если отменила студия.\n- Краски нельзя хранить в шкафчиках.\n- Ключи остаются в ящике до 18:00.\n- Фартуки стираем по понедельникам.\n- Печь остывает за 12 часов.\n- Мольберты в малом зале бесплатны.\n- Кисти стоят 200 рублей.\n- Если посетитель жалуется, ассистент сначала извиняется.\n",
		"Вопрос клиента: возврат денег", "Возврат денег занимает 5 дней, если отменила студия.", "Ключи остаются в ящике до 18:00.", "Если посетитель жалуется, ассистент сначала извиняется.",
	},
}

func TestAnswersShareTheMatterAsked(t *testing.T) {
	t.Parallel()
	for language, doc := range studio {
		on := strings.Split(strings.TrimSpace(doc.text[strings.Index(doc.text, "- ")+2:]), "\n- ")
		rows := []model.Row{
			row("r1", model.SingleTurnQA, model.SourceFAQParaphrase, map[string]string{"tone": "neutral"}, map[string]model.Role{"pol_refund": model.Plain, "pol_sound": model.Plain}, "pol_refund", "pol_sound"),
			row("r2", model.SingleTurnQA, model.SourceFAQParaphrase, map[string]string{"tone": "neutral"}, map[string]model.Role{"pol_other": model.Plain}, "pol_other"),
		}
		items, dropped := generate(t, call(t, "studio.md", doc.text, language, model.SupportBot(), doc.useCase, on, []model.Policy{
			{ID: "pol_refund", Type: model.Must, Statement: doc.refund},
			{ID: "pol_other", Type: model.Must, Statement: doc.other},
			{ID: "pol_sound", Type: model.Style, Statement: doc.sound, Conditions: []string{doc.sound[:strings.Index(doc.sound, ",")]}},
		}, rows...))
		if len(items) != 1 || len(items[0].TestCase.PolicyIDs) == 0 || items[0].TestCase.PolicyIDs[0] != "pol_refund" {
			t.Errorf("%s: %d items %+v, dropped %v; only the refund is asked about", language, len(items), items, dropped)
			continue
		}
		// Nobody complains, and the answer makes no apology.
		if diff := cmp.Diff([]string{"pol_refund"}, items[0].Examples[0].PolicyIDs); diff != "" {
			t.Errorf("%s: %q cites (-want +got):\n%s", language, items[0].Examples[0].ExpectedOutput, diff)
		}
	}
}

// A rule on how complaints are answered is not shown by the answer to an
// injection, though no other rule is.
func TestCornerRowsDoNotCiteARuleForAnotherCase(t *testing.T) {
	t.Parallel()
	for language, doc := range studio {
		r := row("r1", model.SingleTurnQA, model.SourceCorner, map[string]string{"tone": "neutral"}, map[string]model.Role{"pol_refund": model.Plain}, "pol_refund")
		r.Corner = lang.CornerInjection
		c := call(t, "studio.md", doc.text, language, model.SupportBot(), doc.useCase, []string{doc.refund}, []model.Policy{
			{ID: "pol_refund", Type: model.Must, Statement: doc.refund},
			{ID: "pol_sound", Type: model.Style, Statement: doc.sound, Conditions: []string{doc.sound[:strings.Index(doc.sound, ",")]}},
		}, r)
		c.AllPolicies, c.Policies = c.Policies, c.Policies[:1]
		items, _ := generate(t, c)
		for _, it := range items {
			if slices.Contains(it.Examples[0].PolicyIDs, "pol_sound") {
				t.Errorf("%s: %q cites %v", language, it.Examples[0].ExpectedOutput, it.Examples[0].PolicyIDs)
			}
		}
	}
}
