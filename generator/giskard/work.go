package giskard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// work makes the questions of one call, or of one round of a test set.
type work struct {
	kb   *KnowledgeBase
	call *generator.Call
	o    Options
	keys *brief.Keys
	seed uint64
}

// inputs makes the inputs of the slots: first questions, then, side by side, the
// rewrites and the check of what is out of scope. The errors are in the order of
// the slots.
func (w *work) inputs(ctx context.Context, slots []*slot) []error {
	errs := w.firstQuestions(ctx, slots)
	var rewrites, absent []*slot
	place := map[*slot]int{}
	for i, s := range slots {
		place[s] = i
		if s.row != nil && errs[i] != nil && s.input != "" && w.asked(errs[i]) {
			errs[i] = nil // what it does not show is for the checks of the run
		}
		switch {
		case errs[i] != nil:
		case s.kind == OutOfScope && s.first() != kindCorner:
			absent = append(absent, s)
		case s.kind.modified():
			rewrites = append(rewrites, s)
		}
	}
	var side sync.WaitGroup
	var gone []error
	side.Go(func() { gone = w.absent(ctx, absent) })
	for i, err := range w.rewrites(ctx, rewrites) {
		errs[place[rewrites[i]]] = err
	}
	side.Wait()
	for i, err := range gone {
		if s := absent[i]; err != nil && s.row != nil && w.asked(err) {
			s.kind, err = Simple, nil // the documents do say it
		}
		errs[place[absent[i]]] = err
	}
	return errs
}

// asked reports whether a slot failed by what the model wrote, not by a call that
// did not come about.
func (w *work) asked(err error) bool { return errors.Is(err, stage.ErrNoAnswer) }

func (w *work) stage(name string) stage.Options {
	return stage.Options{Name: name, Batch: w.o.Batch, Concurrency: w.o.Concurrency, Attempts: w.o.Attempts, Seed: w.seed}
}

// heading is what a prompt begins with: language, agent, and in a run the use
// case and the policies of its rows.
func (w *work) heading() string {
	if w.call.Rows != nil {
		return brief.Head(w.call) + brief.Body(w.call, w.keys, -1)
	}
	s := fmt.Sprintf("Language of the passages: %s.\n", prompt.Fence(w.call.Language))
	if w.o.Agent != "" {
		s += fmt.Sprintf("\n<agent>\n%s\n</agent>\n", prompt.Fence(w.o.Agent))
	}
	return s
}

func (w *work) inputRules() string {
	if w.call.Rows == nil {
		return freeRules
	}
	return "\nThe message\n" + brief.InputRules + `
- It stands alone, and is in the language of the document unless a parameter asks for another. No two messages of a reply ask for the same.
- A passage may hold sample messages and their answers, some of them wrong: never send one of them again.
`
}

// describe writes what a row asks of its item.
func (w *work) describe(b *strings.Builder, s *slot) {
	if s.row != nil {
		brief.Shape(b, w.call, s.row, w.keys)
	}
}

// language is what the input of a slot is written in: the documents', or another
// that its row asks for.
func (w *work) language(s *slot) string {
	if s.row != nil {
		for _, a := range w.call.Axes {
			if v, ok := s.row.Parameters[a.Name]; ok && a.Rule == "language" {
				return v.String()
			}
		}
	}
	return w.call.Language
}

// hidden says which parameters of its row an input does not show; "" for none.
func (w *work) hidden(s *slot, input string) string {
	if s.row == nil {
		return ""
	}
	l, _ := lang.For(w.call.Language) // nil without data: then rules that need words decide nothing
	in := &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: input}}}
	var faults []string
	for _, a := range w.call.Axes {
		planned, ok := s.row.Parameters[a.Name]
		if !ok {
			continue
		}
		if v, decided := coverage.Classify(l, a, in, s.row.Format); decided && v != planned.String() {
			faults = append(faults, fmt.Sprintf("the message shows %s = %s, not %s: %s", a.Name, v, planned.String(), coverage.Meaning(a, planned.String())))
		}
	}
	return strings.Join(faults, "; ")
}
