package ragas

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/stage"
)

// answers are the options of the end that all methods share.
func (e *engine) answers(seed uint64) *answer.Options {
	return &answer.Options{
		Stage:     stage.Options{Name: "ragas", Batch: e.o.Batch, Concurrency: e.o.Concurrency, Attempts: e.o.Attempts, Seed: seed},
		Threshold: e.o.Threshold, Repairs: e.o.Repairs, MaxDocument: e.o.MaxDocument,
		Prompts: answer.Prompts{Write: e.o.Prompts.Answer, Check: e.o.Prompts.Check, Mend: e.o.Prompts.Mend},
	}
}

// must says what the scenario asks of the reply, and of the message should it be
// written anew.
func (e *engine) must(o *order) string {
	var b strings.Builder
	if e.shares[o.share].MultiHop {
		b.WriteString("A right reply needs at least two of the item's passages and joins what they say. ")
	}
	fmt.Fprintf(&b, "The message keeps its style (%s) and its length (%s).", o.style.Meaning, o.length.Meaning)
	return b.String()
}

// refuse says why a message is not worth an answer; nil if it is.
func (e *engine) refuse(o *order, q *question, seen ...*coverage.Index) error {
	if q.Input == "" {
		return fmt.Errorf("the model says it cannot be written: %s", q.Impossible)
	}
	if e.shares[o.share].MultiHop && len(uses(q, len(o.contexts))) < 2 {
		return errOneContext
	}
	for _, index := range seen {
		if near, ok := index.Near(q.Input); ok {
			return fmt.Errorf("its message nearly repeats that of sample %s", near)
		}
	}
	return nil
}

var errOneContext = errors.New("a reply to its message does not need two contexts")

// judge says why a finished sample does not stand outside of a plan; nil if it
// does.
func (e *engine) judge(o *order, f *answer.Final) error {
	why := strings.Join(f.Problems, "; ")
	switch {
	case !f.Checked:
		return problem("it could not be checked", why)
	case !f.Answerable:
		return problem("its contexts do not answer the message", why)
	case !f.Supported:
		return problem("the document does not support the reply", why)
	case f.Score < e.o.Threshold:
		return problem(fmt.Sprintf("its score of %.2f is below %.2f", f.Score, e.o.Threshold), why)
	case e.shares[o.share].MultiHop && len(needs(f, len(o.contexts))) < 2:
		return errOneContext
	case !f.Asked:
		return problem("it is not as the scenario asks", why)
	}
	return nil
}

// judgeRow says why a finished sample does not fill its row; nil if it does. A
// message that was given or is to be bad is not judged, and a question that
// turned out to need one context is a single-hop one.
func (e *engine) judgeRow(o *order, f *answer.Final) error {
	why := strings.Join(f.Problems, "; ")
	switch given := o.row.Given != nil || o.row.Corner != ""; {
	case !f.Checked:
		return nil // the run has checks of its own
	case !f.Supported:
		return problem("the document does not support the reply", why)
	case !given && !f.Answerable:
		return problem("the document does not answer the message", why)
	case !given && f.Score < e.o.Threshold:
		return problem(fmt.Sprintf("its score of %.2f is below %.2f", f.Score, e.o.Threshold), why)
	}
	return nil
}

func problem(what, why string) error {
	if why == "" {
		return errors.New(what)
	}
	return errors.New(what + ": " + why)
}

// needs returns the contexts that the answer was found to need.
func needs(f *answer.Final, n int) []int {
	var out []int
	for _, i := range f.Needs {
		if i >= 0 && i < n && !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	slices.Sort(out)
	return out
}

// record makes the sample as Ragas writes it. A multi-hop sample holds the
// contexts that its answer needs, and is single-hop if that is one.
func (e *engine) record(o *order, f *answer.Final) (*generator.Record, error) {
	s := Sample{
		UserInput: f.Input, Reference: f.Output,
		QueryStyle: o.style.Name, QueryLength: o.length.Name, SynthesizerName: e.shares[o.share].Name,
	}
	if o.who != nil {
		s.PersonaName = o.who.Name
	}
	contexts := o.contexts
	hops := e.shares[o.share].MultiHop
	if hops {
		kept := contexts[:0:0]
		for _, i := range needs(f, len(contexts)) {
			kept = append(kept, contexts[i])
		}
		if hops = len(kept) > 1; !hops {
			s.SynthesizerName = SingleHopName
			if len(kept) == 0 {
				kept = contexts[:1]
			}
		}
		contexts = kept
	}
	rec := &generator.Record{Notes: &generator.Notes{
		Name: f.Name, Description: f.Description, Criteria: f.Criteria, PolicyIDs: f.PolicyIDs, Shown: f.Shown,
	}}
	if o.row != nil {
		rec.Row = o.row.ID
	}
	for i, c := range contexts {
		text := c.Text
		if hops {
			text = Tag(i+1, text)
		}
		s.ReferenceContexts = append(s.ReferenceContexts, text)
		s.ReferenceContextIDs = append(s.ReferenceContextIDs, c.ID)
		rec.Spans = append(rec.Spans, c.Span)
	}
	raw, err := s.JSON()
	rec.JSON = raw
	return rec, err
}
