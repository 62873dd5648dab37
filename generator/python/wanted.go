package python

import (
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/model"
)

// wanted says in words what the item of a slot is to show, for a framework that
// knows nothing of rows. Its parts are English with words of the document in it.
type wanted struct {
	// Situation is who writes, and what the message must turn on.
	Situation string
	// Message is what the message is like.
	Message string
	// Reply is what the expected output is like.
	Reply string
}

const messageRules = `one message of a customer to the assistant, in the first person and in the customer's own words: one need, short, as people write in a chat; ` +
	`never an exam question about the document, and never four words in a row copied from it`

const replyRules = `the reply that the assistant sends: in its own voice, to the customer, without talking about rules, the document, the context or tests; ` +
	`it states only what the context says, keeps every number, condition and qualifier exactly, invents nothing, and then says or asks what the context demands next`

func (w *work) wanted(s *slot) wanted {
	var out wanted
	var b strings.Builder
	if uc := w.call.UseCase; uc.Name != "" || uc.Description != "" {
		fmt.Fprintf(&b, "A customer writes to the assistant. What it is about: %s. %s\n", fenced(uc.Name), fenced(uc.Description))
	}
	for k, id := range s.row.PolicyIDs {
		i := slices.IndexFunc(w.call.Policies, func(p model.Policy) bool { return p.ID == id })
		if i < 0 {
			continue
		}
		if k == 0 {
			fmt.Fprintf(&b, "What the reply turns on: %s\n", fenced(w.call.Policies[i].Statement))
			if s.row.Roles[id] == model.Pressed {
				b.WriteString("The customer presses against it: asks for exactly what it forbids, or wants it otherwise (more, earlier, cheaper, without the condition).\n")
			}
			continue
		}
		fmt.Fprintf(&b, "It also touches: %s\n", fenced(w.call.Policies[i].Statement))
	}
	if s.row.Source == model.SourceFAQParaphrase {
		b.WriteString("The customer asks something that the context answers, in words of their own.\n")
	}
	out.Situation = strings.TrimSpace(b.String())

	b.Reset()
	fmt.Fprintf(&b, "%s; in the language of the context (%s)", messageRules, fenced(w.call.Language))
	for _, name := range s.row.Axes {
		v := s.row.Parameters[name].String()
		meaning := ""
		if i := slices.IndexFunc(w.call.Axes, func(a model.Axis) bool { return a.Name == name }); i >= 0 && w.call.Axes[i].Rule != coverage.PhraseRule {
			meaning = coverage.Meaning(w.call.Axes[i], v)
		}
		if meaning == "" {
			meaning = "visible in the words of the message"
		}
		fmt.Fprintf(&b, "; %s = %s: %s", fenced(name), fenced(v), meaning)
	}
	out.Message = b.String()
	out.Reply = fmt.Sprintf("%s; in the language of the context (%s)", replyRules, fenced(w.call.Language))
	return out
}

// fenced is foreign text made safe inside of a sentence.
func fenced(s string) string { return prompt.Fence(brief.Line(s)) }
