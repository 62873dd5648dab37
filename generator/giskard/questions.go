package giskard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
)

// The kinds of first question that the model is asked for.
const (
	kindNeed    = "need"
	kindTwo     = "two needs"
	kindJoint   = "joint need"
	kindMissing = "missing fact"
	kindCorner  = "as it comes in"
)

func (s *slot) first() string {
	if s.row != nil && s.row.Corner != "" {
		return kindCorner
	}
	switch s.kind {
	case Double:
		return kindTwo
	case MultiContext:
		return kindJoint
	case OutOfScope:
		return kindMissing
	default:
		return kindNeed
	}
}

// question is what becomes of a slot.
type question struct {
	message, answer string // the first question, and its own short answer
	second, answer2 string // of double ones
	fact            string // of those out of scope
	situation       string // of situational ones

	input                        string // as the person sends it
	opening, assistant, followUp string // of conversational ones, of which input is folded
	problem                      string // why the last attempt was refused
	declined                     string // why the model says that it cannot be done
	barren                       bool   // the seed gives no need at all
}

// questionsReply is what the model is asked for. Field order is the order of
// thought.
type questionsReply struct {
	Items []questionItem `json:"items" jsonschema_description:"One for each item, in their order."`
}

type questionItem struct {
	Item         string `json:"item" jsonschema_description:"The item's key, for example i1."`
	TurnsOn      string `json:"turns_on" jsonschema_description:"What the passages say that decides the answer; for a missing fact, what they leave open."`
	Fact         string `json:"fact" jsonschema_description:"Of a missing fact: the made-up statement. Else empty."`
	Situation    string `json:"situation" jsonschema_description:"Where the item asks for one. Else empty."`
	Message      string `json:"message" jsonschema_description:"What the person writes."`
	Answer       string `json:"answer" jsonschema_description:"What the passages say to it, in one sentence. Empty for a missing fact."`
	Second       string `json:"second" jsonschema_description:"Of two needs: the other message. Else empty."`
	SecondAnswer string `json:"second_answer" jsonschema_description:"Of two needs: what the passages say to it. Else empty."`
	Impossible   string `json:"impossible" jsonschema_description:"Empty; or why this item cannot be written honestly."`
}

// fault says why an answer to a slot cannot be used; "" if it can.
func (it *questionItem) fault(kind Type, corner bool, language string) string {
	message, second := clean(it.Message), clean(it.Second)
	switch {
	case message == "":
		return "there is no message"
	case !corner && (!inLanguage(message, language) || !inLanguage(second, language)):
		return "the message is not in the language of the documents"
	case kind == Double && second == "":
		return "the second need is missing"
	case kind == Double && second == message:
		return "both needs are the same"
	case kind == OutOfScope && !corner && clean(it.Fact) == "":
		return "the made-up fact is missing"
	case kind == Situational && clean(it.Situation) == "":
		return "the situation is missing"
	case kind == Situational && !inLanguage(clean(it.Situation), language):
		return "the situation is not in the language of the documents"
	}
	return ""
}

// firstQuestions makes the first question of every slot.
func (w *work) firstQuestions(ctx context.Context, slots []*slot) []error {
	return w.run(ctx, "giskard_questions", slots, w.askQuestions)
}

func (w *work) askQuestions(ctx context.Context, batch []*slot, _ int, seed int64) ([]*struct{}, error) {
	var user strings.Builder
	user.WriteString(w.heading())
	marks := w.passages(&user, batch)
	user.WriteString("\n<items>\n")
	for i, s := range batch {
		fmt.Fprintf(&user, "i%d: kind %q, passages %s", i+1, s.first(), marks.list(s.contexts))
		if s.kind == Situational {
			user.WriteString(", with a situation")
		}
		user.WriteString("\n")
		switch {
		case s.nth > 0 && s.row != nil:
			fmt.Fprintf(&user, "   message number %d about its policy: another person in another situation\n", s.nth+1)
		case s.nth > 0:
			fmt.Fprintf(&user, "   message number %d about this first passage: another person, and another detail than the one that comes to mind first\n", s.nth+1)
		}
		w.describe(&user, s)
		if s.problem != "" {
			fmt.Fprintf(&user, "   an earlier answer was refused: %s\n", prompt.Fence(s.problem))
		}
	}
	user.WriteString("</items>\n")
	user.WriteString(brief.Avoid(w.existing(batch)))
	user.WriteString("\nWrite the messages of all items.")
	rep, err := stage.Ask[questionsReply](ctx, w.call.Model, "giskard_questions", w.questionsSystem(batch), user.String(), seed, *w.o.Temperature)
	if err != nil {
		return nil, err
	}
	out := make([]*struct{}, len(batch))
	for i, s := range batch {
		k := slices.IndexFunc(rep.Items, func(it questionItem) bool { return strings.TrimSpace(it.Item) == fmt.Sprintf("i%d", i+1) })
		if k < 0 {
			s.problem = "it was left out of the reply"
			continue
		}
		it := &rep.Items[k]
		if why := clean(it.Impossible); why != "" && clean(it.Message) == "" {
			if s.row != nil && s.first() != kindNeed && s.first() != kindCorner {
				s.kind, s.problem = Simple, "" // its passages give one need at least
				continue
			}
			s.declined, s.barren = why, s.first() == kindNeed
			out[i] = &struct{}{}
			continue
		}
		if s.problem = it.fault(s.kind, s.first() == kindCorner, w.language(s)); s.problem != "" {
			continue
		}
		s.message, s.answer = strings.TrimSpace(it.Message), clean(it.Answer)
		s.second, s.answer2 = "", ""
		switch s.kind {
		case Double:
			s.second, s.answer2 = strings.TrimSpace(it.Second), clean(it.SecondAnswer)
		case OutOfScope:
			s.fact = clean(it.Fact)
		case Situational:
			s.situation = clean(it.Situation)
		}
		s.input = s.message
		if !s.kind.modified() {
			if s.problem = w.hidden(s, s.input); s.problem != "" {
				continue
			}
		}
		out[i] = &struct{}{}
	}
	return out, nil
}

func (w *work) questionsSystem(batch []*slot) string {
	if w.o.Prompts.Questions != "" {
		return w.o.Prompts.Questions
	}
	var b strings.Builder
	b.WriteString(questionsPrompt)
	b.WriteString(w.inputRules())
	b.WriteString("\nThe kinds\n")
	for _, k := range []string{kindNeed, kindTwo, kindJoint, kindMissing, kindCorner} {
		if slices.ContainsFunc(batch, func(s *slot) bool { return s.first() == k }) {
			fmt.Fprintf(&b, "- %q: %s\n", k, kindRules[k])
		}
	}
	if slices.ContainsFunc(batch, func(s *slot) bool { return s.kind == Situational }) {
		b.WriteString(situationRule)
	}
	b.WriteString(questionsExample)
	return b.String()
}

// marks are the keys under which passages stand in a prompt.
type marks map[int]string

func (m marks) list(chunks []int) string {
	var names []string
	for _, c := range chunks {
		names = append(names, m[c])
	}
	return cmp.Or(strings.Join(names, ", "), "none")
}

// passages writes the passages of a batch, each once.
func (w *work) passages(b *strings.Builder, batch []*slot) marks {
	m := marks{}
	var order []int
	for _, s := range batch {
		for _, c := range s.contexts {
			if m[c] == "" {
				m[c] = fmt.Sprintf("d%d", len(m)+1)
				order = append(order, c)
			}
		}
	}
	for _, c := range order {
		w.passage(b, m[c], c)
	}
	return m
}

func (w *work) passage(b *strings.Builder, key string, c int) {
	fmt.Fprintf(b, "\n<passage key=%q", key)
	if t := w.kb.chunks[c].Title; t != "" {
		fmt.Fprintf(b, " under=%q", prompt.Fence(clean(t)))
	}
	fmt.Fprintf(b, ">\n%s\n</passage>\n", prompt.Fence(strings.TrimSpace(w.kb.chunks[c].Text)))
}

// existing are the inputs that a batch must not write again.
func (w *work) existing(batch []*slot) []string {
	old := slices.Clone(w.call.Avoid)
	for _, s := range batch {
		for _, text := range s.avoid {
			if !slices.Contains(old, text) {
				old = append(old, text)
			}
		}
	}
	return old
}

// run makes one stage of the slots and returns, for each, why it failed.
func (w *work) run(ctx context.Context, name string, slots []*slot, ask func(context.Context, []*slot, int, int64) ([]*struct{}, error)) []error {
	results := stage.Run(ctx, w.call, slots, w.stage(name), ask)
	errs := make([]error, len(results))
	for i, r := range results {
		switch s := slots[i]; {
		case r.Err != nil && s.problem != "":
			errs[i] = fmt.Errorf("%w: %s", r.Err, s.problem)
		case r.Err != nil:
			errs[i] = r.Err
		case s.declined != "":
			errs[i] = &DeclinedError{Reason: s.declined}
		}
	}
	return errs
}
