package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
)

type described struct {
	Items []describedItem `json:"items" jsonschema_description:"One for each item, in their order."`
}

// describedItem's fields stand in the order of thought.
type describedItem struct {
	Item      string   `json:"item" jsonschema_description:"The item's key, for example i1."`
	Situation string   `json:"situation" jsonschema_description:"Who writes, what they need, and which rule or fact of the document decides it. One sentence in the document's language; it becomes the test case's description."`
	Strays    string   `json:"strays" jsonschema_description:"Empty when the right reply to this message applies the item's first policy, or the item has none; else what the message turns on instead."`
	Name      string   `json:"name" jsonschema_description:"A short name of the test case in the document's language."`
	Shown     []shown  `json:"shown" jsonschema_description:"For each parameter whose meaning asks to quote it: the words of the message that show its value, copied from it. Empty when none does."`
	Policies  []string `json:"policies" jsonschema_description:"Keys of the item's policies that the right reply applies, the first one always among them, for example p1. Empty when the item has none."`
	Criteria  []string `json:"criteria" jsonschema_description:"Three to five statements that any reply to the message can be scored by with yes or no; yes is good."`
}

const describeSystem = `You describe tests of an assistant that must follow a business document. Each item is a message that somebody sent and a reply to it. Both were written by somebody else and stay as they are: do not repeat or correct them. Say what the test is about and what any reply to the message is judged by.

` + brief.Untrusted + `

The situation and the name
- They are about the person and the need of this very message. Two items of one kind differ in them, too: name the order, the term, the sum, the trouble that sets this one apart.
- They speak of the matter, never of how it is tested: no keys, no "item", "passage", "policy p1", "parameter".

The policies
- The first policy of an item is what it is meant to turn on: "plain" is an ordinary case of it, "pressed" means that the person pushes for what it forbids or against what it demands.
- A message strays when the right reply to it would be the same if the document did not have the first policy. Say so only when you are sure; most do not stray.

The criteria
` + brief.CriteriaRules + `
- They follow from the message and the document; the reply is only one try at it, and may be wrong. What it states beside the document is never a criterion. What it leaves out is one where the document demands it of this reply.
- Each is one that a reply can fail: among them is what the message hangs on, with its number, term or condition as the document has it, and where the document forbids something that the message invites to, that it is not done or promised.

Language: situations, names and criteria are in the language of the document, unless a parameter asks for another. Words quoted from the message stay in its own.`

// describe asks for what the drafts at lack beside their replies.
func (e *ending) describe(ctx context.Context, at []int) []stage.Result[Final] {
	return stage.Run(ctx, e.call, at, e.stage("describe", at), func(ctx context.Context, batch []int, _ int, seed int64) ([]*Final, error) {
		var b strings.Builder
		b.WriteString(brief.Material(e.call, e.keys, e.o.MaxDocument))
		passages := e.passages(&b, batch)
		b.WriteString("\n<items>\n")
		for k, i := range batch {
			e.item(&b, k, i, passages)
			fmt.Fprintf(&b, "   <message>%s</message>\n   <reply>%s</reply>\n", prompt.Fence(e.drafts[i].Input), prompt.Fence(e.drafts[i].Output))
		}
		b.WriteString("</items>\n\nDescribe all items.")
		rep, err := request[described](ctx, e.call.Model, e.o.Stage.Name+"_describe", e.o.Prompts.Describe, describeSystem, b.String(), seed, e.o.Temperature)
		if err != nil {
			return nil, err
		}
		out := make([]*Final, len(batch))
		for k, i := range batch {
			if n := slices.IndexFunc(rep.Items, func(m describedItem) bool { return strings.TrimSpace(m.Item) == key(k) }); n >= 0 {
				out[k] = e.whole(&e.drafts[i], &rep.Items[n])
			}
		}
		return out, nil
	})
}

// whole returns a draft that has a reply, with what an item says of it; nil if
// that cannot be used.
func (e *ending) whole(d *Draft, m *describedItem) *Final {
	f := &Final{
		Input: d.Input, Output: d.Output,
		Name: brief.Line(m.Name), Description: brief.Line(m.Situation), Criteria: lines(m.Criteria),
	}
	if f.Name == "" || f.Description == "" || len(f.Criteria) < 3 {
		return nil
	}
	// Not every server keeps a bound on the length of a list.
	f.Criteria = f.Criteria[:min(len(f.Criteria), 5)]
	e.place(f, d, m.Policies, m.Shown)
	if len(f.PolicyIDs) > 0 && d.Row.Corner == "" && !d.fixed() && !empty(m.Strays) {
		f.strays = brief.Line(m.Strays)
	}
	return f
}
