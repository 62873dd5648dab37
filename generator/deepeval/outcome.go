package deepeval

import (
	"context"
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
)

type outcomeReply struct {
	Items []outcomeItem `json:"items" jsonschema_description:"One entry for each item, in the order given."`
}

type outcomeItem struct {
	Key     string `json:"key" jsonschema_description:"The item's key, for example i1."`
	Name    string `json:"name" jsonschema_description:"A short name of the scenario in its language."`
	Outcome string `json:"outcome" jsonschema_description:"What the conversation should come to."`
}

type checkReply struct {
	Items []checkItem `json:"items" jsonschema_description:"One entry for each item, in the order given."`
}

type checkItem struct {
	Key        string  `json:"key" jsonschema_description:"The item's key, for example i1."`
	Problem    string  `json:"problem" jsonschema_description:"What is wrong, for the writer who mends it. Empty if nothing is."`
	Score      float64 `json:"score" jsonschema:"minimum=0,maximum=1"`
	Answerable bool    `json:"answerable"`
	Supported  bool    `json:"supported"`
}

// outcomes writes the expected outcomes of scenarios, checks them and the
// scenarios as they are now, and writes once more what does not pass. The better
// version is kept.
func (w *work) outcomes(ctx context.Context, g []*slot) {
	open := alive(g)
	w.outcome(ctx, open, 0)
	open = alive(open)
	w.checkOutcomes(ctx, open, 0)
	var again []*slot
	first := map[*slot]made{}
	for _, s := range alive(open) {
		if w.flagged(s.made) && s.made.scored {
			again = append(again, s)
			first[s] = *s.made
		}
	}
	if len(again) == 0 {
		return
	}
	w.outcome(ctx, again, 1)
	w.checkOutcomes(ctx, alive(again), 1)
	for _, s := range again {
		old := first[s]
		if s.err != nil && !stage.Fatal(s.err) {
			s.err = nil
			*s.made = old
		} else if s.err == nil && rank(&old) > rank(s.made) {
			*s.made = old
		}
	}
}

// rank orders versions of one scenario.
func rank(m *made) float64 {
	r := m.score
	if m.final.supported {
		r += 2
	}
	if m.final.answerable {
		r++
	}
	return r
}

func (w *work) outcome(ctx context.Context, g []*slot, turn int) {
	results := stage.Run(ctx, w.call, g, w.stage("outcome", len(g), turn), func(ctx context.Context, batch []*slot, attempt int, seed int64) ([]*final, error) {
		var b strings.Builder
		w.outcomeMaterial(&b, batch)
		b.WriteString("Write the outcomes of all items.")
		rep, err := stage.Ask[outcomeReply](ctx, w.call.Model, "deepeval_outcome", or(w.opts.Prompts.Outcome.Write, outcomePrompts.Write), b.String(), seed, w.heat(attempt))
		if err != nil {
			return nil, err
		}
		out := make([]*final, len(batch))
		for _, it := range rep.Items {
			if k := keyIndex(it.Key, "i", len(batch)); k >= 0 && out[k] == nil && strings.TrimSpace(it.Outcome) != "" {
				out[k] = &final{output: strings.TrimSpace(it.Outcome), name: strings.Join(strings.Fields(it.Name), " ")}
			}
		}
		return out, nil
	})
	for i, s := range g {
		if s.err = results[i].Err; s.err == nil {
			s.made.final = &results[i].Value
		}
	}
}

func (w *work) checkOutcomes(ctx context.Context, g []*slot, turn int) {
	results := stage.Run(ctx, w.critics, g, w.stage("check", len(g), turn), func(ctx context.Context, batch []*slot, _ int, seed int64) ([]*checkItem, error) {
		var b strings.Builder
		w.outcomeMaterial(&b, batch)
		b.WriteString("Check all items.")
		rep, err := stage.Ask[checkReply](ctx, w.critics.Model, "deepeval_check", or(w.opts.Prompts.Outcome.Check, outcomePrompts.Check), b.String(), seed, 0)
		if err != nil {
			return nil, err
		}
		out := make([]*checkItem, len(batch))
		for _, it := range rep.Items {
			if k := keyIndex(it.Key, "i", len(batch)); k >= 0 && out[k] == nil {
				out[k] = &it
			}
		}
		return out, nil
	})
	for i, s := range g {
		if s.err = results[i].Err; s.err != nil {
			continue
		}
		c := results[i].Value
		s.made.rate(c.Score, strings.TrimSpace(c.Problem))
		f := s.made.final
		f.checked, f.asked, f.answerable, f.supported = true, true, c.Answerable, c.Supported
		f.problems = nil
		if p := strings.TrimSpace(c.Problem); p != "" {
			f.problems = []string{p}
		}
	}
}

// outcomeMaterial shows the documents, the contexts and the scenarios, with what
// was made of them so far.
func (w *work) outcomeMaterial(b *strings.Builder, batch []*slot) {
	w.wholeDocuments(b, batch)
	keys := w.material(b, batch)
	if f := strings.TrimSpace(w.opts.Styling.ExpectedOutputFormat); f != "" {
		fmt.Fprintf(b, "<outcome_format>%s</outcome_format>\n\n", prompt.Fence(f))
	}
	b.WriteString("<items>\n")
	for i, s := range batch {
		w.item(b, s, fmt.Sprintf("i%d", i+1), keys)
		w.version(b, s.made.input)
		if f := s.made.final; f != nil {
			fmt.Fprintf(b, "   <outcome>%s</outcome>\n", prompt.Fence(f.output))
			for _, p := range f.problems {
				fmt.Fprintf(b, "   found wrong: %s\n", prompt.Fence(prompt.Clip(p, 300)))
			}
		}
	}
	b.WriteString("</items>\n\n")
}

// wholeDocuments shows the documents of the contexts of a batch, as far as they
// fit: the lines around the contexts of the long ones.
func (w *work) wholeDocuments(b *strings.Builder, batch []*slot) {
	call := w.scope(batch)
	for _, d := range call.Documents {
		text := brief.Excerpt(d, call, w.opts.MaxDocument/len(call.Documents))
		fmt.Fprintf(b, "<document name=%q>\n%s\n</document>\n\n", prompt.Fence(d.Name), prompt.Fence(text))
	}
}
