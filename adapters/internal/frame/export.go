package frame

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/loose"
	"github.com/casebook-go/casebook/model"
)

// CarriedVersion is of the layout of what records carry.
const CarriedVersion = 1

// Key is the key under which a record carries what casebook knows of it.
const Key = "casebook"

// Exported is an example of a dataset with all that a record says of it.
type Exported struct {
	Example  *model.Example
	TestCase *model.TestCase // nil if the dataset has none of the id
	UseCase  *model.UseCase  // likewise
	Input    string          // in one message, see [InputText]
	Evidence []Cited         // of its policies, no quotation twice
	carried  adapters.Carried
}

// Cited is a quotation with the index of its policy in the dataset.
type Cited struct {
	Policy int
	model.Evidence
}

// Contexts returns the quotations.
func (e *Exported) Contexts() []string {
	var out []string
	for _, c := range e.Evidence {
		out = append(out, c.Quote)
	}
	return out
}

// Export returns the examples of a dataset in order.
func Export(d *model.Dataset) []Exported {
	cases, uses, policies := map[string]int{}, map[string]int{}, map[string]int{}
	for i := range d.TestCases {
		cases[d.TestCases[i].ID] = i
	}
	for i := range d.UseCases {
		uses[d.UseCases[i].ID] = i
	}
	for i := range d.Policies {
		policies[d.Policies[i].ID] = i
	}
	usedCase, usedUse, usedPolicy := map[int]bool{}, map[int]bool{}, map[int]bool{}
	out := make([]Exported, len(d.Examples))
	for i := range d.Examples {
		ex := &d.Examples[i]
		e := &out[i]
		e.Example, e.Input = ex, InputText(ex)
		e.carried = adapters.Carried{Version: CarriedVersion, Example: adapters.Placed[model.Example]{At: i, Item: *ex}}
		cited := slices.Clone(ex.PolicyIDs)
		useID := ex.UseCaseID
		if k, ok := cases[ex.TestCaseID]; ok {
			usedCase[k] = true
			e.TestCase = &d.TestCases[k]
			e.carried.TestCase = &adapters.Placed[model.TestCase]{At: k, Item: d.TestCases[k]}
			cited = append(cited, d.TestCases[k].PolicyIDs...)
			useID = d.TestCases[k].UseCaseID
		}
		if k, ok := uses[useID]; ok {
			usedUse[k] = true
			e.UseCase = &d.UseCases[k]
			e.carried.UseCase = &adapters.Placed[model.UseCase]{At: k, Item: d.UseCases[k]}
		}
		for n, id := range cited {
			k, ok := policies[id]
			if !ok || slices.Contains(cited[:n], id) {
				continue
			}
			usedPolicy[k] = true
			e.carried.Policies = append(e.carried.Policies, adapters.Placed[model.Policy]{At: k, Item: d.Policies[k]})
			if n >= len(ex.PolicyIDs) {
				continue
			}
			for _, ev := range d.Policies[k].Evidence {
				if !slices.ContainsFunc(e.Evidence, func(c Cited) bool { return c.Quote == ev.Quote }) {
					e.Evidence = append(e.Evidence, Cited{Policy: k, Evidence: ev})
				}
			}
		}
	}
	if len(out) > 0 {
		rest := &adapters.Rest{
			UseCases: unused(d.UseCases, usedUse), Policies: unused(d.Policies, usedPolicy), TestCases: unused(d.TestCases, usedCase),
		}
		if len(rest.UseCases)+len(rest.Policies)+len(rest.TestCases) > 0 {
			out[0].carried.Rest = rest
		}
	}
	return out
}

func unused[T any](items []T, used map[int]bool) []adapters.Placed[T] {
	var out []adapters.Placed[T]
	for i, item := range items {
		if !used[i] {
			out = append(out, adapters.Placed[T]{At: i, Item: item})
		}
	}
	return out
}

// FromDataset makes the records of a dataset: attach writes one with what it
// carries, strip takes that off again.
func FromDataset(d *model.Dataset, attach func(*Exported, json.RawMessage) (json.RawMessage, error),
	strip func(json.RawMessage) (carried, bare json.RawMessage, err error),
) ([]generator.Record, error) {
	exported := Export(d)
	out := make([]generator.Record, len(exported))
	for i := range exported {
		rec, err := exported[i].record(attach, strip)
		if err != nil {
			return nil, fmt.Errorf("example %s: %w", exported[i].Example.ID, err)
		}
		out[i].JSON = rec
	}
	return out, nil
}

func (e *Exported) record(attach func(*Exported, json.RawMessage) (json.RawMessage, error),
	strip func(json.RawMessage) (carried, bare json.RawMessage, err error),
) (json.RawMessage, error) {
	probe, err := attach(e, json.RawMessage("{}"))
	if err != nil {
		return nil, err
	}
	_, bare, err := strip(probe)
	if err != nil {
		return nil, err
	}
	carried, err := e.carry(bare)
	if err != nil {
		return nil, err
	}
	return attach(e, carried)
}

// carry returns what the record of e carries. record is the record's JSON
// without it; a native record that equals it is not written twice.
func (e *Exported) carry(record json.RawMessage) (json.RawMessage, error) {
	c := e.carried
	if native := c.Example.Item.Metadata.Native; len(native) > 0 {
		var buf bytes.Buffer
		if json.Compact(&buf, native) == nil && bytes.Equal(buf.Bytes(), record) {
			c.Native, c.Example.Item.Metadata.Native = true, nil
		}
	}
	return loose.Marshal(c)
}

// Texts are those of a record: an example has the same, unless somebody edited
// the record.
type Texts struct{ Input, Output string }

// Carried reads what a record carries. record is its JSON without it. Texts that
// were edited take the place of the example's; an edit that leaves no text is an
// error. t is nil where the record's texts are not the example's.
func Carried(raw, record json.RawMessage, t *Texts) (*adapters.Carried, error) {
	var c adapters.Carried
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("what it carries under %q cannot be read: %w", Key, err)
	}
	if c.Version != CarriedVersion {
		return nil, fmt.Errorf("what it carries under %q is of version %d; this release reads version %d", Key, c.Version, CarriedVersion)
	}
	ex := &c.Example.Item
	if c.Native {
		ex.Metadata.Native = record
	}
	if t == nil {
		return &c, nil
	}
	if t.Input != InputText(ex) {
		m := ex.Input.Messages
		switch {
		case strings.TrimSpace(t.Input) == "":
			return nil, errors.New("its input was edited and holds no text any more; write one, or take the record out of the file")
		case len(m) != 1 || m[0].Role != model.RoleUser:
			return nil, errors.New("its input was edited, which cannot be taken over into the dialogue that it stands for; edit the dataset instead")
		}
		ex.Input.Messages = []model.Message{{Role: model.RoleUser, Content: t.Input}}
		c.Edited = true
	}
	if output := strings.TrimSpace(t.Output); output != strings.TrimSpace(ex.ExpectedOutput) {
		if output == "" {
			return nil, errors.New("its expected output was edited and holds no text any more; write one, or take the record out of the file")
		}
		ex.ExpectedOutput = output
		c.Edited = true
	}
	return &c, nil
}

// wordings are how a correction is asked for; the text is part of the dataset,
// so it is in the language of the messages.
var wordings = map[string]struct{ utterance, turn, user, operator string }{
	"en": {"Correct this message of an operator:", "Correct the operator's last message in this dialogue:", "Customer", "Operator"},
	"ru": {"Исправьте сообщение оператора:", "Исправьте последнее сообщение оператора в диалоге:", "Клиент", "Оператор"},
	"de": {"Korrigiere diese Nachricht eines Mitarbeiters:", "Korrigiere die letzte Nachricht des Mitarbeiters in diesem Dialog:", "Kunde", "Mitarbeiter"},
	"uk": {"Виправте повідомлення оператора:", "Виправте останнє повідомлення оператора в діалозі:", "Клієнт", "Оператор"},
}

// InputText returns the input of an example as one message of a user: a
// correction holds the draft, or the dialogue that ends with it.
func InputText(ex *model.Example) string {
	m := ex.Input.Messages
	if len(m) == 1 && m[0].Role == model.RoleUser {
		return m[0].Content
	}
	var texts []string
	for _, t := range m {
		texts = append(texts, t.Content)
	}
	w, ok := wordings[lang.Detect(strings.Join(texts, "\n"))]
	if !ok {
		w = wordings["en"]
	}
	if len(m) == 1 && m[0].Role == model.RoleOperator {
		return w.utterance + "\n\n" + m[0].Content
	}
	var b strings.Builder
	b.WriteString(w.turn)
	b.WriteString("\n")
	for _, t := range m {
		who := t.Role
		switch t.Role {
		case model.RoleUser:
			who = w.user
		case model.RoleOperator, model.RoleAssistant:
			who = w.operator
		}
		b.WriteString("\n" + who + ": " + t.Content)
	}
	return b.String()
}
