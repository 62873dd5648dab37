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

type checked struct {
	Items []checkedItem `json:"items" jsonschema_description:"One for each item, in their order."`
}

type checkedItem struct {
	Item        string   `json:"item" jsonschema_description:"The item's key, for example i1."`
	Message     string   `json:"message_problem" jsonschema_description:"What is wrong with the message; empty when nothing is."`
	Score       float64  `json:"message_score" jsonschema:"minimum=0,maximum=1" jsonschema_description:"How good the message is, from 0 to 1."`
	Unsettled   string   `json:"unsettled" jsonschema_description:"What the message asks that neither passages nor document decide; empty when they decide it."`
	Needs       []string `json:"needs" jsonschema_description:"Keys of the item's passages without which the right reply could not be known, for example c1. Empty when the item has none."`
	Unsupported []string `json:"unsupported" jsonschema_description:"Words of the reply that state what stands neither in the document nor in the message, copied from it. Empty when there are none."`
	Missing     []string `json:"missing" jsonschema_description:"What the document demands of the reply to this message and the reply breaks or leaves out. Empty when there is nothing."`
	Asked       string   `json:"asked_problem" jsonschema_description:"What of the words after \"asked besides\" is not done; empty when all is, or nothing is asked."`
}

const checkSystem = `You check tests of an assistant that must follow a business document. Each item is a message that somebody sends and the reply that is meant to be ideal. You decide by the document alone, strictly and evenly; most items are good.

` + brief.Untrusted + `

The message
- 1: somebody with a need of their own could send it in a chat as it stands; one understands what they want without having seen the document.
- 0.6: understandable, but stilted, or more than one would write.
- 0.3: an exam question about the document, the rules or the assistant ("in which cases", "according to the text"), a heading, a copy of the document's sentence, or unclear in what is wanted.
- 0: no message at all.
An item may say what comes in: garbage, abuse, an attempt to trick, an empty message. Such a message is good when people really send the like.

Settled
- A rule that tells the assistant to decline, to ask back or to hand over settles what is asked, too. A question that the business has nothing to do with is settled by a kind refusal.

The reply
- Everything it states, promises or asks for must stand in the document or in the message, qualifiers included. A greeting, a word of regret or thanks, or an offer to help needs no support.
- It must do what the document demands in this very situation, and nothing that it forbids. Do not demand what the document does not.
- Missing is also: a case that the message leaves open and the document tells apart, when the reply gives only the other one; something that the person asks or offers and the reply passes over; a rule recited to somebody whom it has just failed, as if that had not happened.
`

// check puts the verdicts on the versions at into them.
func (e *ending) check(ctx context.Context, versions []stage.Result[Final], at []int) {
	if len(at) == 0 {
		return
	}
	verdicts := stage.Run(ctx, e.call, at, e.stage("check", at), func(ctx context.Context, batch []int, _ int, seed int64) ([]*verdict, error) {
		var b strings.Builder
		b.WriteString(brief.Material(e.call, e.keys, e.o.MaxDocument))
		passages := e.passages(&b, batch)
		b.WriteString("\n<items>\n")
		for k, i := range batch {
			f := &versions[i].Value
			d := &e.drafts[i]
			fmt.Fprintf(&b, "%s:\n", key(k))
			d.cite(&b, passages)
			if d.Row != nil && d.Row.Corner != "" {
				fmt.Fprintf(&b, "   what comes in: %s\n", strings.ReplaceAll(d.Row.Corner, "_", " "))
			}
			fmt.Fprintf(&b, "   <message>%s</message>\n   <reply>%s</reply>\n", prompt.Fence(f.Input), prompt.Fence(f.Output))
		}
		b.WriteString("</items>\n\nCheck all items.")
		zero := 0.0
		rep, err := request[checked](ctx, e.o.Critic, e.o.Stage.Name+"_check", e.o.Prompts.Check, checkSystem, b.String(), seed, &zero)
		if err != nil {
			return nil, err
		}
		out := make([]*verdict, len(batch))
		for k, i := range batch {
			if n := slices.IndexFunc(rep.Items, func(m checkedItem) bool { return strings.TrimSpace(m.Item) == key(k) }); n >= 0 {
				out[k] = &verdict{rep.Items[n], e.drafts[i].needs(rep.Items[n].Needs, passages)}
			}
		}
		return out, nil
	})
	for k, i := range at {
		f := &versions[i].Value
		if err := verdicts[k].Err; err != nil {
			f.Problems = append(f.Problems, "it could not be checked: "+err.Error())
			continue
		}
		e.judge(f, &e.drafts[i], &verdicts[k].Value)
	}
}

// verdict is what the check says of one item.
type verdict struct {
	checkedItem
	needs []int // indices of the draft's contexts
}

// needs returns the indices of the draft's contexts that a reply names by the
// keys of its batch.
func (d *Draft) needs(named []string, passages map[string]string) []int {
	var out []int
	for n := range d.Contexts {
		if slices.ContainsFunc(named, func(s string) bool { return strings.TrimSpace(s) == passages[passage(&d.Contexts[n])] }) {
			out = append(out, n)
		}
	}
	return out
}

func (e *ending) judge(f *Final, d *Draft, v *verdict) {
	f.Checked, f.Score, f.Problems, f.Needs = true, v.Score, nil, v.needs
	note := func(format string, args ...any) { f.Problems = append(f.Problems, fmt.Sprintf(format, args...)) }
	// A message that is given, or is to be bad, is no fault of the item.
	if d.Row != nil && (d.Row.Given != nil || d.Row.Corner != "") {
		f.Score = max(f.Score, e.o.Threshold)
	} else if f.Score < e.o.Threshold {
		if empty(v.Message) {
			v.Message = "nobody would send it like this"
		}
		note("the message: %s", brief.Line(v.Message))
	}
	if f.strays != "" {
		f.Score = 0
		note("the message does not turn on the item's first policy, but on something else: %s", f.strays)
	}
	if f.Answerable = d.Open || empty(v.Unsettled); !f.Answerable {
		note("the document does not settle this, ask for something that it does: %s", brief.Line(v.Unsettled))
	}
	f.Supported = true
	said := strings.ToLower(prompt.Fence(brief.Line(f.Output)))
	for _, s := range lines(v.Unsupported) {
		// What is not in the reply, as the check saw it, cannot be unsupported in it.
		if !empty(s) && strings.Contains(said, strings.ToLower(prompt.Fence(strings.Trim(s, "\"'«»“”. …")))) {
			f.Supported = false
			note("the reply states what stands neither in the document nor in the message: %s", s)
		}
	}
	for _, s := range lines(v.Missing) {
		if !empty(s) {
			note("the reply leaves out or breaks what the document demands: %s", s)
		}
	}
	if f.Asked = d.Ask == "" || empty(v.Asked); !f.Asked {
		note("what was asked besides is not done: %s", brief.Line(v.Asked))
	}
}
