package deepeval

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
)

// Writers answer at temperature 0, as DeepEval's do, and warmer where a first
// attempt brought nothing new.
const warm = 0.7

type inputsReply struct {
	Items []inputItem `json:"items" jsonschema_description:"One entry for each item, in the order given."`
}

type inputItem struct {
	Key      string   `json:"key" jsonschema_description:"The item's key, for example i1."`
	Matter   string   `json:"matter" jsonschema_description:"Who comes, and what in the passages decides the answer. One sentence."`
	Passages []string `json:"passages" jsonschema_description:"Keys of the passages of its context that the answer needs, for example 2. Empty without a context."`
	Input    string   `json:"input" jsonschema_description:"What the item asks for, as it is sent or read."`
}

// inputs writes the first versions of a group, all in one call.
func (w *work) inputs(ctx context.Context, g []*slot) {
	var open []*slot
	for _, s := range g {
		if s.fixed {
			s.made = &made{input: s.given, first: s.given} // no version of ours
			continue
		}
		open = append(open, s)
	}
	results := stage.Run(ctx, w.call, open, w.stage("inputs", len(open)), func(ctx context.Context, batch []*slot, attempt int, seed int64) ([]*made, error) {
		rep, err := stage.Ask[inputsReply](ctx, w.call.Model, "deepeval_inputs", w.prompts.Inputs, w.inputsMessage(batch), seed, w.heat(attempt))
		if err != nil {
			return nil, err
		}
		out := make([]*made, len(batch))
		beside := &coverage.Index{}
		for _, it := range rep.Items {
			k := keyIndex(it.Key, "i", len(batch))
			if k < 0 || out[k] != nil {
				continue
			}
			s, text := batch[k], strings.TrimSpace(it.Input)
			if text == "" && !(s.row != nil && s.row.Corner == "empty") {
				continue
			}
			if !s.plain() && (isNear(beside, text) || isNear(w.known, text) || nearAny(s.avoid, text)) {
				s.tried = append(s.tried, text)
				continue
			}
			beside.Add(text, text)
			m := &made{input: text, first: text}
			if s.context != nil {
				for _, p := range it.Passages {
					if n := keyIndex(p, "p", len(s.context.Passages)); n >= 0 && !slices.Contains(m.passages, n) {
						m.passages = append(m.passages, n)
					}
				}
				slices.Sort(m.passages)
			}
			m.version("written")
			out[k] = m
		}
		return out, nil
	})
	beside := &coverage.Index{} // parts of the group may have been asked for apart
	for i, s := range open {
		if s.err = results[i].Err; s.err != nil {
			if len(s.tried) > 0 && !stage.Fatal(s.err) && ctx.Err() == nil {
				s.err = &DuplicateError{Input: s.tried[0]}
			}
			continue
		}
		s.made = &results[i].Value
		if of, ok := beside.Near(s.made.input); ok && !s.plain() {
			s.err = &DuplicateError{Input: s.made.input, Of: of}
			continue
		}
		beside.Add(s.made.input, s.made.input)
	}
}

func (w *work) heat(attempt int) float64 {
	if attempt > 0 || w.round > 0 {
		return warm
	}
	return 0
}

func isNear(x *coverage.Index, text string) bool {
	_, ok := x.Near(text)
	return ok
}

func nearAny(texts []string, text string) bool {
	return slices.ContainsFunc(texts, func(t string) bool { return coverage.Similar(t, text) >= coverage.Near })
}

func (w *work) inputsMessage(batch []*slot) string {
	var b strings.Builder
	keys := w.material(&b, batch)
	b.WriteString("<items>\n")
	for i, s := range batch {
		w.item(&b, s, fmt.Sprintf("i%d", i+1), keys)
		for _, t := range s.tried[max(0, len(s.tried)-2):] {
			fmt.Fprintf(&b, "   exists already, write about something else: <existing>%s</existing>\n", prompt.Fence(prompt.Clip(t, 200)))
		}
	}
	b.WriteString("</items>\n")
	w.existing(&b)
	fmt.Fprintf(&b, "\nWrite the %s of all %d items.", w.what(), len(batch))
	return b.String()
}

// what is the name of what a golden asks.
func (e *engine) what() string {
	if e.scenarios {
		return "scenarios"
	}
	return "messages"
}

type rewriteReply struct {
	Items []rewriteItem `json:"items" jsonschema_description:"One entry for each item, in the order given."`
}

type rewriteItem struct {
	Key   string `json:"key" jsonschema_description:"The item's key, for example i1."`
	Input string `json:"input" jsonschema_description:"The new version."`
}

// rewrite writes those anew that did not pass; where that fails, they stay.
func (w *work) rewrite(ctx context.Context, g []*slot, turn int) {
	results := stage.Run(ctx, w.call, g, w.stage("rewrite", len(g), turn), func(ctx context.Context, batch []*slot, attempt int, seed int64) ([]*string, error) {
		var b strings.Builder
		keys := w.material(&b, batch)
		b.WriteString("<items>\n")
		for i, s := range batch {
			w.item(&b, s, fmt.Sprintf("i%d", i+1), keys)
			w.version(&b, s.made.input)
			fmt.Fprintf(&b, "   the critic: <problem>%s</problem>\n", prompt.Fence(prompt.Clip(s.made.problem, 400)))
		}
		fmt.Fprintf(&b, "</items>\n\nWrite the %s of all %d items anew.", w.what(), len(batch))
		rep, err := stage.Ask[rewriteReply](ctx, w.call.Model, "deepeval_rewrite", w.prompts.Rewrite, b.String(), seed, w.heat(attempt))
		if err != nil {
			return nil, err
		}
		out := make([]*string, len(batch))
		for _, it := range rep.Items {
			if k := keyIndex(it.Key, "i", len(batch)); k >= 0 && out[k] == nil && strings.TrimSpace(it.Input) != "" {
				text := strings.TrimSpace(it.Input)
				out[k] = &text
			}
		}
		return out, nil
	})
	for i, s := range g {
		switch {
		case results[i].Err == nil:
			s.made.input = results[i].Value
			s.made.version("rewritten")
		case stage.Fatal(results[i].Err):
			s.err = results[i].Err
		}
	}
}
