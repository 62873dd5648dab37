package deepeval

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// finish writes the expected outputs of a group and has them checked, with their
// inputs as they are now.
func (w *work) finish(ctx context.Context, g []*slot) {
	open := alive(g)
	drafts := make([]answer.Draft, len(open))
	for i, s := range open {
		drafts[i] = answer.Draft{Row: s.row, Input: s.made.input, Ask: w.demand(s)}
		if s.context != nil {
			drafts[i].Contexts = s.context.chunks()
		}
	}
	results := answer.Finish(ctx, w.scope(open), drafts, w.answerOptions(w.stage("finish", len(open))))
	for i, s := range open {
		if s.err = results[i].Err; s.err != nil {
			continue
		}
		w.take(s, &results[i].Value)
	}
}

func (e *engine) answerOptions(o stage.Options) *answer.Options {
	o.Name = "deepeval" // the stages have names of their own
	cold := 0.0
	threshold := e.opts.Filtration.Threshold
	if threshold < 0 {
		threshold = math.SmallestNonzeroFloat64 // every score passes
	}
	return &answer.Options{Stage: o, Threshold: threshold, Critic: e.critics.Model, MaxDocument: e.opts.MaxDocument, Temperature: &cold}
}

// take puts what the last stage made into the slot.
func (e *engine) take(s *slot, f *answer.Final) {
	m := s.made
	if f.Input != m.input && !s.fixed {
		m.input = f.Input
		m.version("mended")
	}
	if f.Checked {
		m.rate(f.Score, strings.Join(f.Problems, " "))
		if len(f.Needs) < 2 { // it did not become what the name says
			m.evolutions = slices.DeleteFunc(m.evolutions, func(e Evolution) bool { return e == MultiContext })
		}
	}
	m.final = &final{
		output: f.Output, name: f.Name, description: f.Description, criteria: f.Criteria, policies: f.PolicyIDs, shown: f.Shown,
		checked: f.Checked, answerable: f.Answerable, supported: f.Supported, asked: f.Asked, needs: f.Needs, problems: f.Problems,
	}
}

// demand is what the method asks of the reply, beside what every reply must do.
func (e *engine) demand(s *slot) string {
	var out []string
	for _, name := range s.made.evolutions {
		if ask := evolutionOf(name).ask; !slices.Contains(out, ask) {
			out = append(out, ask)
		}
	}
	if e.speak != "" {
		out = append(out, "message, reply and criteria are in the language "+e.speak+", whatever the document is in")
	}
	if f := strings.TrimSpace(e.opts.Styling.ExpectedOutputFormat); f != "" {
		out = append(out, "the reply has this form: "+f)
	}
	return strings.Join(out, "; ")
}

// scope returns the call that the last stages of a batch are about: in a run the
// run's own, alone one of the documents that the contexts come from, with the
// lines of the contexts as what matters in them.
func (e *engine) scope(batch []*slot) *generator.Call {
	if e.planned {
		return e.call
	}
	call := *e.call
	for _, s := range batch {
		if s.context == nil {
			continue
		}
		for _, p := range s.context.Passages {
			if p.doc == nil {
				continue
			}
			if !slices.Contains(call.Documents, p.doc) {
				call.Documents = append(call.Documents, p.doc)
			}
			if p.Span.StartLine > 0 {
				call.UseCase.Evidence = append(call.UseCase.Evidence, model.Evidence{InputFile: p.doc.Name, LineStart: p.Span.StartLine, LineEnd: p.Span.EndLine})
			}
		}
	}
	return &call
}
