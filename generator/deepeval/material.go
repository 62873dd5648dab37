package deepeval

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/prompt"
)

// material writes what a prompt about a batch is of, and returns the keys of its
// contexts.
func (w *work) material(b *strings.Builder, batch []*slot) map[*Context]string {
	if w.planned {
		b.WriteString(brief.Material(w.call, w.keys, -1))
		w.otherRules(b)
	} else if w.call.Language != "" {
		b.WriteString(brief.Head(w.call))
	}
	if w.speak != "" {
		fmt.Fprintf(b, "Write in this language, whatever the passages are in: %s.\n", prompt.Fence(w.speak))
	}
	w.styling(b)
	keys := map[*Context]string{}
	for _, s := range batch {
		if s.context == nil || keys[s.context] != "" {
			continue
		}
		if len(keys) == 0 {
			b.WriteString("\n<contexts>\n")
		}
		key := fmt.Sprintf("c%d", len(keys)+1)
		keys[s.context] = key
		fmt.Fprintf(b, "<context key=%q>\n", key)
		for i, p := range s.context.Passages {
			fmt.Fprintf(b, "<passage key=\"%d\" file=%q under=%q>\n%s\n</passage>\n", i+1, prompt.Fence(p.File), prompt.Fence(p.Title), prompt.Fence(p.Text))
		}
		b.WriteString("</context>\n")
	}
	if len(keys) > 0 {
		b.WriteString("</contexts>\n")
	}
	b.WriteString("\n")
	return keys
}

// otherRules lists what the document demands besides the policies of the rows:
// whether a message can be answered, and how, often turns on one of them.
func (w *work) otherRules(b *strings.Builder) {
	const most = 30
	said := map[string]bool{}
	for _, p := range slices.Concat(w.call.Policies, w.call.AllPolicies) {
		if w.keys.Key(p.ID) != "" || said[p.ID] || len(said) == most {
			continue
		}
		if said[p.ID] = true; len(said) == 1 {
			b.WriteString("\n<other_rules>\n")
		}
		fmt.Fprintf(b, "- %s\n", prompt.Fence(prompt.Clip(brief.Line(p.Statement), 200)))
	}
	if len(said) > 0 {
		b.WriteString("</other_rules>\n")
	}
}

func (w *work) styling(b *strings.Builder) {
	s := &w.opts.Styling
	if s.empty() {
		return
	}
	b.WriteString("\n<styling>\n")
	line := func(name, text string) {
		if text = strings.TrimSpace(text); text != "" {
			fmt.Fprintf(b, "%s: %s\n", name, prompt.Fence(text))
		}
	}
	line("who asks, and in which situation", s.Scenario)
	line("what the assistant is there for", s.Task)
	if w.scenarios {
		line("who takes part", s.ParticipantRoles)
	} else {
		line("what a message looks like", s.InputFormat)
	}
	b.WriteString("</styling>\n")
}

// item writes one item of a prompt: a row of the plan, or a context alone.
func (w *work) item(b *strings.Builder, s *slot, key string, contexts map[*Context]string) {
	switch {
	case s.row != nil:
		row := *s.row
		row.Examples = 1 // each has an item of its own
		brief.Row(b, w.call, row, key, w.keys)
		if c := contexts[s.context]; c != "" {
			fmt.Fprintf(b, "   context %s\n", c)
		}
	case s.context != nil:
		fmt.Fprintf(b, "%s: context %s\n", key, contexts[s.context])
	default:
		fmt.Fprintf(b, "%s: no context; the styling says what it is about\n", key)
	}
	if s.who != "" {
		fmt.Fprintf(b, "   who comes: %s\n", s.who)
	}
}

// version writes what an item has become so far.
func (w *work) version(b *strings.Builder, text string) {
	name := "message"
	if w.scenarios {
		name = "scenario"
	}
	fmt.Fprintf(b, "   <%s>%s</%s>\n", name, prompt.Fence(text), name)
}

// existing lists what new inputs must differ from.
func (w *work) existing(b *strings.Builder) {
	const most = 40
	b.WriteString(brief.Avoid(w.avoid[max(0, len(w.avoid)-most):]))
}

func styleMessage(inputs []string) string {
	var b strings.Builder
	b.WriteString("<inputs>\n")
	for _, in := range inputs {
		fmt.Fprintf(&b, "- %s\n", prompt.Fence(prompt.Clip(cmp.Or(strings.Join(strings.Fields(in), " "), "(empty)"), 400)))
	}
	b.WriteString("</inputs>\n\nDescribe their style.")
	return b.String()
}
