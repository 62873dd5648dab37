package giskard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
)

// absenceReply is what the model is asked for.
type absenceReply struct {
	Items []absenceItem `json:"items" jsonschema_description:"One for each item, in their order."`
}

type absenceItem struct {
	Item  string `json:"item" jsonschema_description:"The item's key, for example i1."`
	Quote string `json:"quote" jsonschema_description:"The words of a passage that answer it. Empty if none does."`
	Says  bool   `json:"says" jsonschema_description:"Whether the passages say it."`
}

// nearestChecked is how many passages are looked at, by each kind of likeness.
const nearestChecked = 3

// absent checks of slots out of scope that the whole base does not say what they
// are about. One that it says is replaced by another question.
func (w *work) absent(ctx context.Context, slots []*slot) []error {
	errs := make([]error, len(slots))
	var open []int
	for i := range slots {
		open = append(open, i)
	}
	for attempt := 0; len(open) > 0; attempt++ {
		said, failed := w.said(ctx, pick(slots, open), attempt)
		var again []int
		for k, i := range open {
			errs[i] = failed[k]
			if failed[k] == nil && said[k] != "" {
				s := slots[i]
				s.problem, s.avoid = "the documents say it: "+said[k], append(s.avoid, s.message)
				errs[i] = fmt.Errorf("giskard_absence: %w: %s", stage.ErrNoAnswer, s.problem)
				again = append(again, i)
			}
		}
		if attempt+1 >= w.o.Attempts || ctx.Err() != nil || len(again) == 0 {
			break
		}
		next := *w
		next.seed = stage.Hash(w.seed, "giskard", "absent", attempt)
		written := next.firstQuestions(ctx, pick(slots, again))
		open = nil
		for k, i := range again {
			if errs[i] = written[k]; errs[i] == nil && slots[i].kind == OutOfScope {
				open = append(open, i)
			}
		}
	}
	return errs
}

func pick(slots []*slot, at []int) []*slot {
	out := make([]*slot, len(at))
	for k, i := range at {
		out[k] = slots[i]
	}
	return out
}

// said returns, for each slot, the words by which the base says what it is
// about, "" if it does not.
func (w *work) said(ctx context.Context, slots []*slot, attempt int) (said []string, errs []error) {
	said, errs = make([]string, len(slots)), make([]error, len(slots))
	if len(slots) == 0 {
		return said, errs
	}
	queries := make([]string, len(slots))
	for i, s := range slots {
		queries[i] = s.fact + "\n" + s.message
	}
	found, err := w.kb.find(ctx, w.call.Embedder, queries, nearestChecked)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return said, errs
	}
	type checked struct {
		s       *slot
		nearest []int
	}
	items := make([]checked, len(slots))
	for i, s := range slots {
		items[i] = checked{s, found[i]}
	}
	o := w.stage("giskard_absence")
	o.Seed = stage.Hash(w.seed, attempt)
	results := stage.Run(ctx, w.call, items, o, func(ctx context.Context, batch []checked, _ int, seed int64) ([]*string, error) {
		var user strings.Builder
		fmt.Fprintf(&user, "Language of the passages: %s.\n", prompt.Fence(w.call.Language))
		m := marks{}
		for _, it := range batch {
			for _, c := range it.nearest {
				if m[c] == "" {
					m[c] = fmt.Sprintf("d%d", len(m)+1)
					w.passage(&user, m[c], c)
				}
			}
		}
		user.WriteString("\n<items>\n")
		for i, it := range batch {
			fmt.Fprintf(&user, "i%d: passages %s\n   <fact>%s</fact>\n   <message>%s</message>\n", i+1, m.list(it.nearest), prompt.Fence(it.s.fact), prompt.Fence(it.s.message))
		}
		user.WriteString("</items>\n\nCheck all items.")
		rep, err := stage.Ask[absenceReply](ctx, w.call.Model, "giskard_absence", cmp.Or(w.o.Prompts.Absence, absencePrompt), user.String(), seed, 0)
		if err != nil {
			return nil, err
		}
		out := make([]*string, len(batch))
		for i := range batch {
			k := slices.IndexFunc(rep.Items, func(it absenceItem) bool { return strings.TrimSpace(it.Item) == fmt.Sprintf("i%d", i+1) })
			if k < 0 {
				continue
			}
			words := ""
			if rep.Items[k].Says {
				words = cmp.Or(clean(rep.Items[k].Quote), "a passage answers it")
			}
			out[i] = &words
		}
		return out, nil
	})
	for i, r := range results {
		said[i], errs[i] = r.Value, r.Err
	}
	return said, errs
}
