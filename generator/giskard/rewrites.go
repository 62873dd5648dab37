package giskard

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
)

// rewritesReply is what the model is asked for.
type rewritesReply struct {
	Items []rewriteItem `json:"items" jsonschema_description:"One for each item, in their order."`
}

type rewriteItem struct {
	Item       string `json:"item" jsonschema_description:"The item's key, for example i1."`
	Message    string `json:"message" jsonschema_description:"The rewritten message. Empty for a conversational one."`
	Opening    string `json:"opening" jsonschema_description:"Of a conversational one. Else empty."`
	Assistant  string `json:"assistant" jsonschema_description:"Of a conversational one. Else empty."`
	FollowUp   string `json:"follow_up" jsonschema_description:"Of a conversational one. Else empty."`
	Impossible string `json:"impossible" jsonschema_description:"Empty; or why the message cannot be rewritten so."`
}

// fault says why a rewrite of a message cannot be used; "" if it can.
func (it *rewriteItem) fault(kind Type, first, language string) string {
	parts := []string{it.Message}
	if kind == Conversational {
		parts = []string{it.Opening, it.Assistant, it.FollowUp}
	}
	for _, p := range parts {
		switch {
		case clean(p) == "":
			return "a part of the rewritten message is missing"
		case !inLanguage(clean(p), language):
			return "the rewritten message is not in the language of the documents"
		case clean(p) == clean(first):
			return "the message is as it was"
		}
	}
	if kind == Conversational && clean(it.Opening) == clean(it.FollowUp) {
		return "opening and follow_up are the same"
	}
	return ""
}

// rewrites turns first questions into their types. A row of a run keeps its
// first question, as a simple one, where no rewrite comes about that shows what
// the row asks for.
func (w *work) rewrites(ctx context.Context, slots []*slot) []error {
	errs := w.run(ctx, "giskard_rewrites", slots, w.askRewrites)
	for i, s := range slots {
		if errs[i] == nil || s.row == nil {
			continue
		}
		rewritten := s.input != s.message
		if rewritten && w.asked(errs[i]) && w.hidden(s, s.message) != "" {
			errs[i] = nil // neither shows everything: the checks of the run say more
			continue
		}
		if ctx.Err() == nil && w.asked(errs[i]) || s.declined != "" {
			s.kind, s.input, errs[i] = Simple, s.message, nil
			s.opening, s.assistant, s.followUp, s.second = "", "", "", ""
		}
	}
	return errs
}

func (w *work) askRewrites(ctx context.Context, batch []*slot, _ int, seed int64) ([]*struct{}, error) {
	var user strings.Builder
	user.WriteString(w.heading())
	m := w.passages(&user, batch)
	user.WriteString("\n<items>\n")
	for i, s := range batch {
		fmt.Fprintf(&user, "i%d: kind %q, passages %s\n", i+1, s.kind, m.list(s.contexts))
		fmt.Fprintf(&user, "   <message>%s</message>\n", prompt.Fence(s.message))
		switch s.kind {
		case Double:
			fmt.Fprintf(&user, "   <second>%s</second>\n", prompt.Fence(s.second))
		case Situational:
			fmt.Fprintf(&user, "   <situation>%s</situation>\n", prompt.Fence(s.situation))
		case Distracting:
			fmt.Fprintf(&user, "   <aside>%s</aside>\n", prompt.Fence(clean(w.kb.chunks[s.distract].Text)))
		}
		w.describe(&user, s)
		if s.problem != "" {
			fmt.Fprintf(&user, "   an earlier answer was refused: %s\n", prompt.Fence(s.problem))
		}
	}
	user.WriteString("</items>\n\nRewrite the messages of all items.")
	rep, err := stage.Ask[rewritesReply](ctx, w.call.Model, "giskard_rewrites", w.rewritesSystem(batch), user.String(), seed, *w.o.Temperature)
	if err != nil {
		return nil, err
	}
	out := make([]*struct{}, len(batch))
	for i, s := range batch {
		k := slices.IndexFunc(rep.Items, func(it rewriteItem) bool { return strings.TrimSpace(it.Item) == fmt.Sprintf("i%d", i+1) })
		if k < 0 {
			s.problem = "it was left out of the reply"
			continue
		}
		it := &rep.Items[k]
		if why := clean(it.Impossible); why != "" && clean(it.Message+it.FollowUp) == "" {
			s.declined = why
			out[i] = &struct{}{}
			continue
		}
		if s.problem = it.fault(s.kind, s.message, w.language(s)); s.problem != "" {
			continue
		}
		s.input = strings.TrimSpace(it.Message)
		if s.kind == Conversational {
			s.opening, s.assistant, s.followUp = strings.TrimSpace(it.Opening), strings.TrimSpace(it.Assistant), strings.TrimSpace(it.FollowUp)
			s.input = fold(s.opening, s.followUp)
		}
		if s.problem = w.hidden(s, s.input); s.problem == "" {
			out[i] = &struct{}{}
		}
	}
	return out, nil
}

// fold makes one message of an opening and its follow-up.
func fold(opening, followUp string) string { return opening + "\n" + followUp }

func (w *work) rewritesSystem(batch []*slot) string {
	if w.o.Prompts.Rewrites != "" {
		return w.o.Prompts.Rewrites
	}
	var b strings.Builder
	b.WriteString(rewritesPrompt)
	for _, t := range Types() {
		if slices.ContainsFunc(batch, func(s *slot) bool { return s.kind == t }) {
			fmt.Fprintf(&b, "- %q: %s\n", t, rewriteRules[t])
		}
	}
	b.WriteString(rewritesExample)
	return b.String()
}
