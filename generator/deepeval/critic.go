package deepeval

import (
	"context"
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

type criticReply struct {
	Items []criticItem `json:"items" jsonschema_description:"One entry for each item, in the order given."`
}

type criticItem struct {
	Key     string  `json:"key" jsonschema_description:"The item's key, for example i1."`
	Problem string  `json:"problem" jsonschema_description:"What is wrong, for the writer who mends it. Empty if nothing is."`
	Score   float64 `json:"score" jsonschema:"minimum=0,maximum=1"`
}

type verdict struct {
	score   float64
	problem string
}

// filter has inputs scored and those below the threshold rewritten, and leaves
// each at the version with the best score.
func (w *work) filter(ctx context.Context, g []*slot, retries int) {
	if w.opts.Filtration.Threshold < 0 {
		return
	}
	var open []*slot
	for _, s := range g {
		if !s.plain() {
			open = append(open, s)
		}
	}
	w.critique(ctx, open, 0)
	best := map[*slot]made{}
	for _, s := range open {
		best[s] = *s.made
	}
	for turn := 1; turn <= retries; turn++ {
		open = w.below(open)
		if len(open) == 0 {
			break
		}
		w.rewrite(ctx, open, turn)
		open = alive(open)
		w.critique(ctx, open, turn)
		for _, s := range alive(open) {
			if s.made.scored && s.made.score > best[s].score {
				best[s] = *s.made
			}
		}
	}
	for s, b := range best {
		if s.err == nil {
			s.made.input, s.made.score, s.made.scored, s.made.problem = b.input, b.score, b.scored, b.problem
		}
	}
}

// below returns those that were scored and did not pass.
func (w *work) below(g []*slot) []*slot {
	var out []*slot
	for _, s := range alive(g) {
		if s.made.scored && s.made.score < w.opts.Filtration.Threshold {
			out = append(out, s)
		}
	}
	return out
}

// critique scores the inputs as they are now. One that the critic does not score
// stays unscored.
func (w *work) critique(ctx context.Context, g []*slot, turn int) {
	if len(g) == 0 {
		return
	}
	results := stage.Run(ctx, w.critics, g, w.stage("critic", len(g), turn), func(ctx context.Context, batch []*slot, _ int, seed int64) ([]*verdict, error) {
		var b strings.Builder
		keys := w.material(&b, batch)
		b.WriteString("<items>\n")
		for i, s := range batch {
			w.item(&b, s, fmt.Sprintf("i%d", i+1), keys)
			w.version(&b, s.made.input)
		}
		fmt.Fprintf(&b, "</items>\n\nScore the %s of all %d items.", w.what(), len(batch))
		rep, err := stage.Ask[criticReply](ctx, w.critics.Model, "deepeval_critic", w.prompts.Critic, b.String(), seed, 0)
		if err != nil {
			return nil, err
		}
		out := make([]*verdict, len(batch))
		for _, it := range rep.Items {
			if k := keyIndex(it.Key, "i", len(batch)); k >= 0 && out[k] == nil {
				out[k] = &verdict{it.Score, strings.TrimSpace(it.Problem)}
			}
		}
		return out, nil
	})
	for i, s := range g {
		s.made.scored, s.made.score = false, 0
		if err := results[i].Err; err != nil {
			if stage.Fatal(err) {
				s.err = err
			}
			continue
		}
		v := results[i].Value
		for _, p := range w.missing(s.row, s.made.input) {
			v.score = max(0, v.score-0.6) // as the critic's prompt has it
			v.problem = strings.TrimSpace(v.problem + " " + p)
		}
		s.made.rate(v.score, v.problem)
	}
}

// rescore scores what the evolutions made, where no later stage does. A version
// from before that is better is taken back.
func (w *work) rescore(ctx context.Context, g []*slot) {
	if w.opts.Filtration.Threshold < 0 {
		return
	}
	var open []*slot
	before := map[*slot]made{}
	for _, s := range alive(g) {
		if !s.plain() && len(s.made.evolutions) > 0 {
			open = append(open, s)
			before[s] = *s.made
		}
	}
	w.critique(ctx, open, w.opts.Filtration.Retries+1)
	for _, s := range alive(open) {
		b := before[s]
		if m := s.made; m.scored && m.score < w.opts.Filtration.Threshold && b.base.scored && b.base.score > m.score {
			m.input, m.score, m.problem, m.evolutions = b.base.input, b.base.score, b.base.problem, nil
		}
	}
}

// missing says which parameters of a row a text does not show, as far as rules
// can tell.
func (e *engine) missing(row *model.Row, text string) []string {
	if row == nil {
		return nil
	}
	var out []string
	in := &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: text}}}
	for _, a := range e.call.Axes {
		v, planned := row.Parameters[a.Name]
		if !planned || !coverage.Decidable(e.lang, a) {
			continue
		}
		if got, ok := coverage.Classify(e.lang, a, in, row.Format); ok && got != v.String() {
			out = append(out, fmt.Sprintf("The parameter %s = %s cannot be seen: %s.", a.Name, v.String(), strings.TrimSuffix(coverage.Meaning(a, v.String()), ".")))
		}
	}
	return out
}
