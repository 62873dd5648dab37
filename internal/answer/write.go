package answer

import (
	"context"
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
)

type written struct {
	Items []writtenItem `json:"items" jsonschema_description:"One for each item, in their order."`
}

// writtenItem's fields stand in the order of thought.
type writtenItem struct {
	Item       string   `json:"item" jsonschema_description:"The item's key, for example i1."`
	Situation  string   `json:"situation" jsonschema_description:"Who writes, what they need, and which rule or fact decides it. One sentence in the document's language; it becomes the test case's description."`
	Name       string   `json:"name" jsonschema_description:"A short name of the test case in the document's language."`
	Message    string   `json:"message" jsonschema_description:"The message: as it was given, or corrected where you were asked to."`
	Shown      []shown  `json:"shown" jsonschema_description:"For each parameter whose meaning asks to quote it: the words of the message that show its value. Empty when none does."`
	Policies   []string `json:"policies" jsonschema_description:"Keys of the item's policies that decide it, the first one always among them, for example p1. Empty when the item has none."`
	Output     string   `json:"expected_output" jsonschema_description:"The ideal reply, ready to be sent."`
	Criteria   []string `json:"criteria" jsonschema_description:"Three to five statements that a reply can be scored by with yes or no; yes is good."`
	Impossible string   `json:"impossible" jsonschema_description:"Empty; or why this item cannot be written honestly."`
}

type shown struct {
	Parameter string `json:"parameter"`
	Phrase    string `json:"phrase"`
}

const intro = `You make reference answers for tests of an assistant that must follow a business document.`

const language = `
Language: replies, names, situations and criteria are in the language of the document, unless a parameter asks for another.`

// wholeReply is what readers found lacking in replies that break no rule.
const wholeReply = `- It answers everything the message asks, wants or offers, in one go, and no more than that. Where the document does not settle what is asked, the reply says so in the assistant's own voice and does what the document allows next: it asks for what is missing, or hands over. It never guesses.
- Where the right reply hangs on something that the message leaves open, it gives what holds in each case, or asks; never one case alone.
- Where something has already gone against a rule, the reply owns that and says what happens now. Reciting the rule to somebody whom it failed reads as a denial.
- Asked why, it gives the document's reason; where there is none, it says kindly what holds and what the person can do.`

const writeSystem = intro + ` Each item is a message that somebody sent to the assistant. Repeat the message exactly, write the ideal reply to it, and say what any reply to it is judged by.

` + brief.Untrusted + `

The reply
` + brief.ReplyRules + `
` + wholeReply + `

The criteria
` + brief.CriteriaRules + `
` + language

const mendSystem = intro + ` Each item is a message with a reply that did not pass a check, and what was found. Write both again so that nothing of it is left, and keep what was good. Where only the reply is at fault, repeat the message exactly.

` + brief.Untrusted + `

The message
- It comes from the person with the problem, in the first person and in their own words: one need, short, the way people write in a chat. Whoever reads it knows what they want without having seen the document.
- It is never an exam question about the document or the assistant, never a heading, never a copy of the document's wording: do not repeat four words in a row from it.
- It shows every parameter of the item as its meaning says. A message that is given stays word for word.

The reply
` + brief.ReplyRules + `
` + wholeReply + `

The criteria
` + brief.CriteriaRules + `
` + language

// write asks for the replies to the drafts at.
func (e *ending) write(ctx context.Context, at []int) []stage.Result[Final] {
	return possible(stage.Run(ctx, e.call, at, e.stage("answer", at), func(ctx context.Context, batch []int, _ int, seed int64) ([]*Final, error) {
		var b strings.Builder
		b.WriteString(brief.Material(e.call, e.keys, e.o.MaxDocument))
		passages := e.passages(&b, batch)
		b.WriteString("\n<items>\n")
		for k, i := range batch {
			e.item(&b, k, i, passages)
			fmt.Fprintf(&b, "   <message>%s</message>\n", prompt.Fence(e.drafts[i].Input))
		}
		b.WriteString("</items>\n\nWrite the replies to all items.")
		return e.ask(ctx, "answer", e.o.Prompts.Write, writeSystem, b.String(), batch, seed, func(i int) string { return e.drafts[i].Input })
	}))
}

// mend asks for the items at again. before are their versions so far.
func (e *ending) mend(ctx context.Context, at []int, before []stage.Result[Final], turn int) []stage.Result[Final] {
	o := e.stage("mend", at)
	o.Seed = stage.Hash(o.Seed, "turn", turn)
	return possible(stage.Run(ctx, e.call, at, o, func(ctx context.Context, batch []int, _ int, seed int64) ([]*Final, error) {
		var b strings.Builder
		b.WriteString(brief.Material(e.call, e.keys, e.o.MaxDocument))
		passages := e.passages(&b, batch)
		b.WriteString("\n<items>\n")
		for k, i := range batch {
			f := &before[i].Value
			e.item(&b, k, i, passages)
			fmt.Fprintf(&b, "   <message>%s</message>\n   <reply>%s</reply>\n", prompt.Fence(f.Input), prompt.Fence(f.Output))
			for _, c := range f.Criteria {
				fmt.Fprintf(&b, "   <criterion>%s</criterion>\n", prompt.Fence(c))
			}
			if e.drafts[i].fixed() {
				b.WriteString("   the message stays word for word; mend the reply\n")
			}
			b.WriteString("   found:\n")
			for _, p := range append(append([]string(nil), e.drafts[i].Findings...), f.Problems...) {
				fmt.Fprintf(&b, "   - %s\n", prompt.Fence(brief.Line(p)))
			}
		}
		b.WriteString("</items>\n\n")
		b.WriteString(strings.TrimPrefix(brief.Avoid(e.call.Avoid), "\n"))
		b.WriteString("Write all items again, whole.")
		return e.ask(ctx, "mend", e.o.Prompts.Mend, mendSystem, b.String(), batch, seed, func(i int) string {
			if e.drafts[i].fixed() {
				return before[i].Value.Input
			}
			return ""
		})
	}))
}

// possible makes errors of the items that the model declined.
func possible(rs []stage.Result[Final]) []stage.Result[Final] {
	for i := range rs {
		if why := rs[i].Value.impossible; why != "" {
			rs[i] = stage.Result[Final]{Err: &ImpossibleError{why}}
		}
	}
	return rs
}

// ask makes one request and reads the items of the batch out of the reply.
// keep returns the message that an item must have, "" for the reply's own.
func (e *ending) ask(ctx context.Context, name, system, builtin, user string, batch []int, seed int64, keep func(i int) string) ([]*Final, error) {
	rep, err := request[written](ctx, e.call.Model, e.o.Stage.Name+"_"+name, system, builtin, user, seed, e.o.Temperature)
	if err != nil {
		return nil, err
	}
	out := make([]*Final, len(batch))
	for k, i := range batch {
		for _, m := range rep.Items {
			if strings.TrimSpace(m.Item) == key(k) {
				out[k] = e.read(i, &m, keep(i), name == "answer")
				break
			}
		}
	}
	return out, nil
}

// request asks for a reply of type T. An empty system message stands for the
// built-in one; a nil temperature is the server's.
func request[T any](ctx context.Context, c llm.Client, purpose, system, builtin, user string, seed int64, temperature *float64) (T, error) {
	if system == "" {
		system = builtin
	}
	rep, _, err := llm.Ask[T](ctx, c, &llm.Request{
		Purpose: purpose, Seed: &seed, Temperature: temperature,
		Messages: []llm.Message{{Role: llm.RoleSystem, Content: system}, {Role: llm.RoleUser, Content: user}},
	})
	return rep, err
}

// read returns what an item of a reply says, nil if it cannot be used.
func (e *ending) read(i int, m *writtenItem, message string, given bool) *Final {
	d := &e.drafts[i]
	if strings.TrimSpace(m.Output) == "" && !empty(m.Impossible) {
		return &Final{impossible: brief.Line(m.Impossible)}
	}
	f := &Final{
		Input: strings.TrimSpace(m.Message), Output: strings.TrimSpace(m.Output),
		Name: brief.Line(m.Name), Description: brief.Line(m.Situation), Criteria: lines(m.Criteria),
	}
	if given || message != "" || d.fixed() {
		f.Input = message
	}
	if f.Output == "" || len(f.Criteria) < 3 || f.Input == "" && !d.fixed() && d.Input != "" {
		return nil
	}
	e.place(f, d, m.Policies, m.Shown)
	return f
}

// place puts the policies that keys name and the phrases that show parameters
// into an item.
func (e *ending) place(f *Final, d *Draft, keys []string, phrases []shown) {
	if d.Row != nil {
		f.PolicyIDs = e.keys.Policies(d.Row, keys)
	}
	for _, s := range phrases {
		if s.Phrase == "" {
			continue
		}
		if f.Shown == nil {
			f.Shown = map[string]string{}
		}
		f.Shown[s.Parameter] = s.Phrase
	}
}

func key(k int) string { return fmt.Sprintf("i%d", k+1) }

// passages writes the contexts of a batch, each once, and returns their keys.
func (e *ending) passages(b *strings.Builder, batch []int) map[string]string {
	keys := map[string]string{}
	var list []chunk.Chunk
	for _, i := range batch {
		for _, c := range e.drafts[i].Contexts {
			if keys[passage(&c)] == "" {
				list = append(list, c)
				keys[passage(&c)] = fmt.Sprintf("c%d", len(list))
			}
		}
	}
	if len(list) == 0 {
		return keys
	}
	b.WriteString("\n<passages>\n")
	for _, c := range list {
		fmt.Fprintf(b, "<passage key=%q>\n%s\n</passage>\n", keys[passage(&c)], prompt.Fence(strings.TrimSpace(c.Text)))
	}
	b.WriteString("</passages>\n")
	return keys
}

// passage tells passages apart: given contexts have no id.
func passage(c *chunk.Chunk) string { return c.ID + "\x00" + c.Text }

// item writes what all requests say of an item.
func (e *ending) item(b *strings.Builder, k, i int, passages map[string]string) {
	d := &e.drafts[i]
	fmt.Fprintf(b, "%s:\n", key(k))
	if d.Row != nil {
		row := *d.Row
		row.Given = nil // the message stands below
		brief.Shape(b, e.call, &row, e.keys)
	}
	d.cite(b, passages)
}

// cite writes which passages an item was made from, and what is asked besides.
func (d *Draft) cite(b *strings.Builder, passages map[string]string) {
	if len(d.Contexts) > 0 {
		names := make([]string, len(d.Contexts))
		for n := range d.Contexts {
			names[n] = passages[passage(&d.Contexts[n])]
		}
		fmt.Fprintf(b, "   passages: %s\n", strings.Join(names, ", "))
	}
	if d.Ask != "" {
		fmt.Fprintf(b, "   asked besides: %s\n", prompt.Fence(d.Ask))
	}
}
