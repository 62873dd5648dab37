package giskard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// Testset is questions made from a knowledge base.
type Testset struct {
	Questions []Question
	Report    Report
	spans     [][]model.Span
}

// Report says how a test set came about.
type Report struct {
	Asked      Counts `json:"asked"`
	Made       Counts `json:"made"`
	Written    int    `json:"written"`    // questions with an answer, those replaced included
	Grounded   int    `json:"grounded"`   // of them, answers that the documents support
	Duplicates int    `json:"duplicates"` // of them, near copies of another, which were replaced
	Replaced   int    `json:"replaced"`   // questions that came to nothing and were asked for anew
}

// GroundedRate is the share of written answers that the documents support, 0 to 1.
func (r *Report) GroundedRate() float64 { return rate(r.Grounded, r.Written) }

// DuplicateRate is the share of written questions that were near copies.
func (r *Report) DuplicateRate() float64 { return rate(r.Duplicates, r.Written) }

func rate(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// Records are the questions as a codec of their format writes them.
func (t *Testset) Records() ([]generator.Record, error) {
	out := make([]generator.Record, len(t.Questions))
	for i := range t.Questions {
		b, err := t.Questions[i].JSON()
		if err != nil {
			return nil, err
		}
		out[i] = generator.Record{JSON: b, Spans: t.spans[i]}
	}
	return out, nil
}

// Testset makes n questions in the mix of the options, with at most as many calls
// at once as they say. The error is a *[ShortfallError] when there are fewer,
// beside those that there are, or an *[OptionError]. The set is never nil.
func (kb *KnowledgeBase) Testset(ctx context.Context, n int) (*Testset, error) {
	return kb.TestsetOf(ctx, kb.counts(n))
}

// TestsetOf makes as many questions of each type as counts says; see
// [KnowledgeBase.Testset]. A type that the base cannot give is found before
// anything is asked of the model.
func (kb *KnowledgeBase) TestsetOf(ctx context.Context, counts Counts) (*Testset, error) {
	m, err := kb.plan(counts)
	if err != nil {
		return &Testset{Report: Report{Asked: counts, Made: Counts{}}}, err
	}
	for round := 0; ; round++ {
		open := m.open()
		if len(open) == 0 || round > max(0, kb.o.Rounds) || ctx.Err() != nil {
			break
		}
		if round > 0 {
			m.report.Replaced += len(open)
		}
		if !m.round(ctx, round, open) {
			break
		}
	}
	return m.result(ctx)
}

// making is a test set under way.
type making struct {
	kb     *KnowledgeBase
	counts Counts
	seeds  *seeds
	topics []int
	used   map[int]int       // by passage: how many questions were asked for
	texts  map[int][]string  // by passage: accepted inputs
	barren map[int]bool      // passages that give no question
	slots  []*slot           // the question under way of each place
	made   []*Question       // the one kept
	spans  [][]model.Span    // of its contexts
	why    map[Type][]string // reasons of failures
	seen   coverage.Index    // accepted inputs
	report Report
	fatal  error
}

// plan decides type, topic and passages of every question.
func (kb *KnowledgeBase) plan(counts Counts) (*making, error) {
	short := &ShortfallError{}
	for t, n := range counts {
		if !known(t) {
			return nil, &OptionError{Option: "Counts", Reason: fmt.Sprintf("%q is no type of question; the types are %s", t, listTypes())}
		}
		if n < 0 {
			return nil, &OptionError{Option: "Counts", Reason: fmt.Sprintf("the count of %q is %d; give a number from 0", t, n)}
		}
	}
	n := counts.Total()
	if n == 0 {
		return nil, &OptionError{Option: "Counts", Reason: "no question is asked for; give a number from 1"}
	}
	short.Asked = n
	for _, t := range Types() {
		if why := kb.lacks(t); counts[t] > 0 && why != "" {
			short.Short = append(short.Short, Short{Type: t, Asked: counts[t], Reasons: []string{why}})
			continue
		}
		short.Possible += counts[t]
	}
	if len(short.Short) > 0 {
		return nil, short
	}
	m := &making{
		kb: kb, counts: counts, seeds: kb.seeds(kb.o.Seed), topics: kb.topics(n, kb.o.Seed),
		used: map[int]int{}, texts: map[int][]string{}, barren: map[int]bool{}, slots: make([]*slot, n), made: make([]*Question, n), spans: make([][]model.Span, n),
		why: map[Type][]string{}, report: Report{Asked: counts, Made: Counts{}},
	}
	for i, t := range counts.types(kb.o.Seed) {
		m.slots[i] = &slot{kind: t}
		m.draw(i, 0)
	}
	return m, nil
}

// draw gives a place its passages.
func (m *making) draw(i, round int) {
	s := &slot{kind: m.slots[i].kind}
	r := stage.Rand(m.kb.o.Seed, "giskard", "slot", i, round)
	// Where no passage of the topic will do, one of another topic does.
	for d := range m.kb.Topics {
		t := (m.topics[i] + d) % len(m.kb.Topics)
		if m.seeds.draw(t, func(c int) bool { return !m.barren[c] && m.kb.place(s, c, r) == nil }) >= 0 {
			break
		}
		s.contexts = nil
	}
	if s.contexts != nil {
		s.nth = m.used[s.seed()]
		s.avoid = slices.Clone(m.texts[s.seed()])
		m.used[s.seed()]++
	}
	m.slots[i] = s
}

func (m *making) open() []int {
	var out []int
	for i := range m.made {
		if m.made[i] == nil && m.slots[i].contexts != nil {
			out = append(out, i)
		}
	}
	return out
}

// round makes the questions of the open places and draws anew for those that
// came to nothing. It reports whether another round is of use.
func (m *making) round(ctx context.Context, round int, open []int) bool {
	kb := m.kb
	call := kb.call()
	call.Model = llm.NewLimiter(&llm.LimitOptions{Concurrency: kb.o.Concurrency}).Client(kb.model)
	// Parts go through the stages on their own, so that the calls of a later stage
	// fill up what an earlier one leaves of the concurrency.
	var parts []*part
	for at := range slices.Chunk(open, kb.o.part()) {
		p := &part{places: at, w: &work{kb: kb, call: call, o: kb.o, seed: stage.Hash(kb.o.Seed, kb.hash, "round", round, len(parts))}}
		for _, i := range at {
			p.slots = append(p.slots, m.slots[i])
		}
		parts = append(parts, p)
	}
	var side sync.WaitGroup
	for _, p := range parts {
		side.Go(func() { p.make(ctx) })
	}
	side.Wait()
	for _, p := range parts {
		for k, i := range p.places {
			if err := p.results[k].Err; err != nil {
				m.fail(i, round, err)
				continue
			}
			m.judge(p.w, i, round, &p.results[k].Value)
		}
	}
	return m.fatal == nil
}

// part is some of the questions of a round.
type part struct {
	w       *work
	places  []int
	slots   []*slot
	results []stage.Result[answer.Final]
}

// part is how many questions a part has at most.
func (o *Options) part() int { return 8 * o.Batch }

// make makes the inputs of the part's questions and finishes them.
func (p *part) make(ctx context.Context) {
	p.results = make([]stage.Result[answer.Final], len(p.slots))
	var ready []*slot
	var at []int
	for k, err := range p.w.inputs(ctx, p.slots) {
		if p.results[k].Err = err; err == nil {
			ready, at = append(ready, p.slots[k]), append(at, k)
		}
	}
	for k, r := range p.w.finish(ctx, ready) {
		p.results[at[k]] = r
	}
}

// judge keeps a question, or says why not.
func (m *making) judge(w *work, i, round int, f *answer.Final) {
	s := m.slots[i]
	m.report.Written++
	if f.Supported {
		m.report.Grounded++
	}
	if why := unfit(s, f, w.o.Threshold); why != "" {
		m.fail(i, round, errors.New(why))
		return
	}
	if _, near := m.seen.Near(f.Input); near {
		m.report.Duplicates++
		m.texts[s.seed()] = append(m.texts[s.seed()], f.Input)
		m.fail(i, round, errors.New("it says nearly the same as another question"))
		return
	}
	m.seen.Add("", f.Input)
	m.texts[s.seed()] = append(m.texts[s.seed()], f.Input)
	q := w.record(s, f, true)
	q.ID = identity(m.kb.hash, fmt.Sprint(m.kb.o.Seed, i), string(s.kind), q.Question)
	m.made[i] = &q
	for _, c := range s.contexts {
		m.spans[i] = append(m.spans[i], m.kb.chunks[c].Span)
	}
	m.report.Made[s.kind]++
}

// unfit says why a question and its answer are no good; "" if they are.
func unfit(s *slot, f *answer.Final, threshold float64) string {
	switch {
	case !f.Checked:
		return "it could not be checked" + because(f)
	case !f.Supported:
		return "the documents do not support its answer" + because(f)
	case !f.Answerable:
		return "its documents do not answer it" + because(f)
	case f.Score < threshold:
		return fmt.Sprintf("it scores %.2f, below %.2f", f.Score, threshold) + because(f)
	case s.kind == MultiContext && len(f.Needs) < 2:
		return "its answer needs one document only"
	case !f.Asked:
		return "what its type asks is not done" + because(f)
	case (s.kind == OutOfScope || s.kind == Conversational) && f.Input != s.input:
		return "its check changed what the message is about"
	}
	return ""
}

func because(f *answer.Final) string {
	if len(f.Problems) == 0 {
		return ""
	}
	return ": " + f.Problems[0]
}

func (m *making) fail(i, round int, err error) {
	kind := m.slots[i].kind
	if text := err.Error(); !slices.Contains(m.why[kind], text) {
		m.why[kind] = append(m.why[kind], text)
	}
	if stage.Fatal(err) {
		m.fatal = err
	}
	if m.slots[i].barren {
		m.barren[m.slots[i].seed()] = true
	}
	m.draw(i, round+1)
}

// reasonsShown is how many reasons a shortfall names for each type.
const reasonsShown = 5

func (m *making) result(ctx context.Context) (*Testset, error) {
	set := &Testset{Report: m.report}
	for i, q := range m.made {
		if q != nil {
			set.Questions = append(set.Questions, *q)
			set.spans = append(set.spans, m.spans[i])
		}
	}
	if len(set.Questions) == len(m.made) {
		return set, nil
	}
	short := &ShortfallError{Asked: len(m.made), Made: len(set.Questions), Possible: len(set.Questions), Err: m.fatal}
	if ctx.Err() != nil {
		short.Err = context.Cause(ctx)
	}
	for _, t := range Types() {
		if made := m.report.Made[t]; made < m.counts[t] {
			why := m.why[t]
			short.Short = append(short.Short, Short{Type: t, Asked: m.counts[t], Made: made, Possible: made, Reasons: why[:min(len(why), reasonsShown)]})
		}
	}
	return set, short
}
