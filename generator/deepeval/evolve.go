package deepeval

import (
	"context"
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/stage"
)

// evolveAttempts is how often a round asks for one item, each time for another
// evolution.
const evolveAttempts = 3

type evolveReply struct {
	Items []evolveItem `json:"items" jsonschema_description:"One entry for each item, in the order given."`
}

type evolveItem struct {
	Key   string `json:"key" jsonschema_description:"The item's key, for example i1."`
	Idea  string `json:"idea" jsonschema_description:"What makes it harder, and what in the passages still decides the answer; or why the way does not fit here. One sentence."`
	Input string `json:"input" jsonschema_description:"The harder version. Empty if the way does not fit: nothing in the passages would decide the answer, or the parameters leave no room."`
}

// evolve makes inputs harder, a call for each round. One that no evolution fits,
// or that would lose what its row must show, stays as it was.
func (w *work) evolve(ctx context.Context, g []*slot) {
	for _, s := range g {
		m := s.made
		m.base = base{m.input, m.score, m.scored, m.problem}
	}
	for turn := range w.opts.Evolution.Rounds {
		var open []*slot
		for _, s := range alive(g) {
			if s.plain() {
				continue
			}
			s.spent = nil
			if s.way = w.draw(s, turn); s.way != "" {
				open = append(open, s)
			}
		}
		w.evolveOnce(ctx, open, turn)
	}
}

func (w *work) draw(s *slot, turn int) Evolution {
	r := stage.Rand(w.seed, "evolution", s.index, w.round, turn, len(s.spent))
	return w.opts.Evolution.draw(r, s.passages(), s.spent...)
}

func (w *work) evolveOnce(ctx context.Context, g []*slot, turn int) {
	o := w.stage("evolve", len(g), turn)
	o.Attempts = evolveAttempts
	results := stage.Run(ctx, w.call, g, o, func(ctx context.Context, batch []*slot, attempt int, seed int64) ([]*string, error) {
		rep, err := stage.Ask[evolveReply](ctx, w.call.Model, "deepeval_evolve", w.prompts.Evolve, w.evolveMessage(batch), seed, w.heat(attempt))
		if err != nil {
			return nil, err
		}
		out := make([]*string, len(batch))
		beside := &coverage.Index{}
		for _, it := range rep.Items {
			k := keyIndex(it.Key, "i", len(batch))
			if k < 0 || out[k] != nil {
				continue
			}
			text := strings.TrimSpace(it.Input)
			if w.evolved(batch[k], text) && !isNear(beside, text) {
				beside.Add(text, text)
				out[k] = &text
			}
		}
		for k, s := range batch {
			if out[k] != nil {
				continue
			}
			s.spent = append(s.spent, s.way)
			if other := w.draw(s, turn); other != "" {
				s.way = other
			}
		}
		return out, nil
	})
	for i, s := range g {
		switch {
		case results[i].Err == nil:
			s.made.input = results[i].Value
			s.made.evolutions = append(s.made.evolutions, s.way)
			s.made.version(string(s.way))
		case stage.Fatal(results[i].Err):
			s.err = results[i].Err
		}
	}
}

// evolved reports whether a text can take the place of the slot's input.
func (w *work) evolved(s *slot, text string) bool {
	return text != "" && coverage.Fold(text) != coverage.Fold(s.made.input) && !isNear(w.known, text) &&
		len(w.missing(s.row, text)) <= len(w.missing(s.row, s.made.input))
}

func (w *work) evolveMessage(batch []*slot) string {
	ways := map[Evolution]bool{}
	for _, s := range batch {
		ways[s.way] = true
	}
	var b strings.Builder
	keys := w.material(&b, batch)
	b.WriteString(evolutionGuide(ways, w.scenarios))
	b.WriteString("\n<items>\n")
	for i, s := range batch {
		w.item(&b, s, fmt.Sprintf("i%d", i+1), keys)
		w.version(&b, s.made.input)
		fmt.Fprintf(&b, "   way: %s\n", s.way)
	}
	b.WriteString("</items>\n")
	fmt.Fprintf(&b, "\nRewrite the %s of all %d items, each in its way.", w.what(), len(batch))
	return b.String()
}
