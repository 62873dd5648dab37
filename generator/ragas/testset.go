package ragas

import (
	"context"
	"fmt"
	"slices"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/stage"
)

// slot is the place of one sample in a testset.
type slot struct {
	order  order
	record *generator.Record
	why    error // why there is no record, last time
}

// testset draws scenarios, writes them, and puts another one in the place of
// each that came to nothing.
func (e *engine) testset(ctx context.Context, in *Input, w *world) (*Testset, error) {
	out := &Testset{Documents: w.docs, Graph: w.graph, Personas: w.people.personas, Failures: w.failures}
	call := in.call(w.graph)
	call.Documents = w.docs
	seed := stage.Hash(e.o.Seed, "ragas testset", in.Size)
	p := newPlanner(w.graph, e.shares, e.o.MaxHops, e.o, len(w.people.personas), w.people.suits, stage.Rand(seed, "draw"))
	scenarios := p.draw(in.Size)
	out.Remarks = p.notes
	slots := make([]*slot, len(scenarios))
	for i, s := range scenarios {
		slots[i] = &slot{order: e.order(w, s)}
	}
	var index coverage.Index
	for round, open := 0, slots; round <= e.o.Rounds && len(open) > 0; round++ {
		if round > 0 {
			var again []*slot
			for _, s := range open {
				if next, ok := p.instead(s.order.scenario); ok {
					s.order = e.order(w, next)
					again = append(again, s)
				}
			}
			open = again
		}
		err := e.fill(ctx, call, open, &index, stage.Hash(seed, round))
		for _, s := range open {
			if s.why != nil {
				out.Failures = append(out.Failures, Failure{Stage: "samples", Item: e.describe(&s.order), Err: s.why})
			}
		}
		open = slices.DeleteFunc(slices.Clone(open), func(s *slot) bool { return s.record != nil })
		if err != nil {
			e.collect(out, slots)
			return out, err
		}
		if len(open) == 0 {
			break
		}
	}
	e.collect(out, slots)
	if len(out.Records) < in.Size {
		return out, &CountError{Asked: in.Size, Possible: len(out.Records), Reasons: reasons(in.Size, p, slots)}
	}
	return out, nil
}

func (e *engine) collect(out *Testset, slots []*slot) {
	for _, s := range slots {
		if s.record != nil {
			out.Records = append(out.Records, *s.record)
		}
	}
}

// reasons says why a testset is short: at most one line for each kind of
// failure, the most frequent first.
func reasons(asked int, p *planner, slots []*slot) []string {
	var out []string
	if len(slots) < asked {
		seeds := 0
		for s := range p.shares {
			seeds += p.capacity(s) / p.cells()
		}
		out = append(out, fmt.Sprintf("the documents give %d different scenarios (%d matters in %d styles and lengths for %d personas)",
			len(slots), seeds, len(p.styles)*len(p.lengths), max(1, p.personas)))
	}
	out = append(out, p.notes...)
	count := map[string]int{}
	var order []string
	for _, s := range slots {
		if s.record == nil && s.why != nil {
			if count[s.why.Error()]++; count[s.why.Error()] == 1 {
				order = append(order, s.why.Error())
			}
		}
	}
	slices.SortStableFunc(order, func(a, b string) int { return count[b] - count[a] })
	for _, why := range order[:min(len(order), 5)] {
		out = append(out, fmt.Sprintf("%d: %s", count[why], why))
	}
	return out
}

func (e *engine) describe(o *order) string {
	ids := make([]string, len(o.contexts))
	for i, c := range o.contexts {
		ids[i] = c.ID
	}
	return fmt.Sprintf("%s %v %s %s", e.shares[o.share].Name, ids, o.style.Name, o.length.Name)
}

func (e *engine) order(w *world, s scenario) order {
	o := order{scenario: s}
	for _, n := range s.seed.Nodes {
		o.contexts = append(o.contexts, w.places[n.ID])
	}
	if s.persona >= 0 && s.persona < len(w.people.personas) {
		o.who = &w.people.personas[s.persona]
	}
	return o
}

// fill writes the samples of the slots. The error is one after which no further
// call can succeed.
func (e *engine) fill(ctx context.Context, call *generator.Call, slots []*slot, index *coverage.Index, seed uint64) error {
	orders := make([]order, len(slots))
	for i, s := range slots {
		orders[i] = s.order
		s.why = nil
	}
	asked := e.write(ctx, call, orders, seed)
	var drafts []answer.Draft
	var of []*slot
	var fresh coverage.Index
	for i, s := range slots {
		if s.why = asked[i].Err; s.why != nil {
			continue
		}
		q := &asked[i].Value
		if s.why = e.refuse(&s.order, q, index, &fresh); s.why != nil {
			continue
		}
		fresh.Add(fmt.Sprint(index.Len()+fresh.Len()+1), q.Input)
		drafts = append(drafts, answer.Draft{Input: q.Input, Contexts: s.order.contexts, Ask: e.must(&s.order)})
		of = append(of, s)
	}
	finals := e.finish(ctx, call, drafts, stage.Hash(seed, "answers"))
	for i, s := range of {
		if s.why = finals[i].Err; s.why != nil {
			continue
		}
		f := &finals[i].Value
		if s.why = e.judge(&s.order, f); s.why != nil {
			continue
		}
		if near, ok := index.Near(f.Input); ok {
			s.why = fmt.Errorf("it nearly repeats sample %s", near)
			continue
		}
		rec, err := e.record(&s.order, f)
		if s.why = err; err != nil {
			continue
		}
		index.Add(fmt.Sprint(index.Len()+1), f.Input)
		s.record = rec
	}
	for _, s := range slots {
		if stage.Fatal(s.why) {
			return s.why
		}
	}
	return context.Cause(ctx)
}
