package generatortest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

// setting is one document with what a plan makes of it. Texts that start a line
// of the document stand for that line.
type setting struct {
	language, document string
	name, text         string
	useCase, must, not string
	ticket             string
}

var settings = []setting{{
	language: "en", document: "bakery.md", name: "Delivery time",
	useCase: "**When does my order arrive?**",
	must:    "- The assistant must ask for the order number",
	not:     "- The assistant must not promise an exact hour",
	ticket:  "where is my cake, i ordered it yesterday",
	text: `# Corner Bakery: help desk

## Rules

- The assistant must ask for the order number before it looks anything up.
- The assistant must not promise an exact hour of delivery.

## Questions

**When does my order arrive?** We deliver from 9:00 to 21:00, every day but Sunday.

**Can I change the address?** Yes, until the courier has left.

## Tickets

| id | message | answer |
| --- | --- | --- |
| 101 | where is my cake, i ordered it yesterday | Please tell us the order number. |
`,
}, {
	language: "ru", document: "пекарня.md", name: "Срок доставки",
	useCase: "**Когда приедет мой заказ?**",
	must:    "- Бот должен спросить номер заказа",
	not:     "- Бот не должен обещать точный час",
	ticket:  "где мой торт, заказывала вчера",
	text: `# Пекарня на углу: поддержка

## Правила

- Бот должен спросить номер заказа, прежде чем что-либо искать.
- Бот не должен обещать точный час доставки.

## Вопросы

**Когда приедет мой заказ?** Мы доставляем с 9:00 до 21:00, кроме воскресенья.

**Можно ли сменить адрес?** Да, пока курьер не выехал.

## Обращения

| номер | сообщение | ответ |
| --- | --- | --- |
| 101 | где мой торт, заказывала вчера | Напишите, пожалуйста, номер заказа. |
`,
}}

// Calls returns calls that suit a generator of the spec: one over an English
// document and one over a Russian one, three rows each, in the formats that it
// makes. Each call of Calls makes new values. The error is that of a document
// that does not parse.
func Calls(spec generator.Spec) ([]*generator.Call, error) {
	format := model.SingleTurnQA
	if len(spec.Formats) > 0 {
		format = spec.Formats[0]
	}
	var calls []*generator.Call
	for i, s := range settings {
		call, err := s.call(format)
		if err != nil {
			return nil, fmt.Errorf("generatortest: %w", err)
		}
		if spec.OwnInputs {
			call.Rows = slices.DeleteFunc(call.Rows, func(r model.Row) bool { return r.Given != nil })
		}
		call.Index = i
		call.Seed = uint64(i) + 7
		calls = append(calls, call)
	}
	return calls, nil
}

func (s setting) call(format model.Format) (*generator.Call, error) {
	doc, err := model.ParseMarkdown(s.document, []byte(s.text), nil)
	if err != nil {
		return nil, err
	}
	evidence := func(start string) []model.Evidence {
		for n := 1; n <= doc.NumLines() && err == nil; n++ {
			if strings.HasPrefix(doc.Line(n), start) {
				var e model.Evidence
				e, err = doc.Cut(n, n)
				return []model.Evidence{e}
			}
		}
		return nil
	}
	profile := model.SupportBot()
	if _, ok := profile.Format(format); !ok {
		if q := model.OperatorQuality(); len(q.Formats) > 0 {
			if _, ok := q.Format(format); ok {
				profile = q
			}
		}
	}
	plain := func(text string) string { return strings.Trim(strings.TrimPrefix(text, "- "), "*") }
	uc := model.UseCase{
		ID: "uc_delivery", Case: profile.Case, Name: s.name, Description: plain(s.useCase), Evidence: evidence(s.useCase),
	}
	policies := []model.Policy{
		{ID: "pol_number", Case: profile.Case, Type: model.Must, Name: plain(s.must), Description: plain(s.must), Evidence: evidence(s.must)},
		{ID: "pol_hour", Case: profile.Case, Type: model.MustNot, Name: plain(s.not), Description: plain(s.not), Evidence: evidence(s.not)},
	}
	for i := range policies {
		if e := policies[i].Evidence; len(e) > 0 {
			policies[i].Statement = plain(e[0].Quote)
		}
	}
	axes := []model.Axis{
		{Name: "tone", Rule: "tone", Values: []model.AxisValue{{Name: "neutral"}, {Name: "angry"}}},
		{Name: "length", Rule: "length", Values: []model.AxisValue{{Name: "short"}, {Name: "long"}}},
	}
	row := func(id, tone, length string, role model.Role) model.Row {
		return model.Row{
			ID: id, UseCaseID: uc.ID, Axes: []string{"tone", "length"},
			Parameters: map[string]model.Value{"tone": model.String(tone), "length": model.String(length)},
			PolicyIDs:  []string{"pol_number", "pol_hour"},
			Roles:      map[string]model.Role{"pol_number": model.Plain, "pol_hour": role},
			Format:     format, Examples: 1,
		}
	}
	rows := []model.Row{
		row("row_1", "neutral", "short", model.Plain),
		row("row_2", "angry", "long", model.Pressed),
		row("row_3", "neutral", "long", model.Plain),
	}
	if len(profile.Sources) > 0 {
		for i := range rows {
			rows[i].Source = model.SourceFAQParaphrase
		}
		rows[2].Source = model.SourceTickets
		rows[2].Given = []model.Message{{Role: model.RoleUser, Content: s.ticket}}
		rows[2].Parameters["length"] = model.String("short")
	}
	return &generator.Call{
		ID: "call_" + s.language, Documents: []*model.Document{doc}, Language: s.language, Profile: profile,
		UseCase: uc, Policies: policies, Axes: axes, Rows: rows,
		Avoid: []string{plain(s.useCase)},
	}, err
}
