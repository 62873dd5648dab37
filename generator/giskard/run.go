package giskard

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/internal/vector"
	"github.com/casebook-go/casebook/model"
)

// base returns the knowledge base of a run: the same for all of its calls over
// the same documents, whichever comes first.
func (g *giskard) base(ctx context.Context, call *generator.Call, paths []string) (*KnowledgeBase, error) {
	docs, err := brief.Documents(call, paths)
	if err != nil {
		return nil, err
	}
	language := cmp.Or(g.opts.Language, call.Language)
	policies := outOfReach(call.AllPolicies)
	parts := []string{language, string(raw(g.opts))}
	for _, d := range docs {
		parts = append(parts, d.Name, string(d.Bytes()))
	}
	for _, p := range policies {
		parts = append(parts, p.ID, p.Statement)
	}
	return generator.Once(ctx, call.Memo, "giskard/"+identity(parts...), func(ctx context.Context) (*KnowledgeBase, error) {
		kb, err := build(ctx, &source{
			docs: docs, chunks: passages(docs, g.opts.PassageTokens), model: call.Model, embedder: call.Embedder,
			log: call.Log, language: language, policies: policies,
		}, g.opts)
		if kb != nil {
			kb.model, kb.embedder, kb.log = nil, nil, nil // the next calls have their own
		}
		return kb, err
	})
}

// mostPolicies is how many policies the naming of topics is asked about.
const mostPolicies = 40

// outOfReach returns the policies that may say what to do with what the agent
// cannot answer.
func outOfReach(all []model.Policy) []model.Policy {
	var out []model.Policy
	for _, p := range all {
		if (p.Type == model.Escalate || p.Type == model.Must || p.Type == model.MustNot) && p.IsTestable() && len(out) < mostPolicies {
			out = append(out, p)
		}
	}
	return out
}

func newRun(kb *KnowledgeBase, original *generator.Call, o Options) *work {
	call := new(generator.Call)
	*call = *original
	call.Language = kb.Language // the options' where they name one
	return &work{kb: kb, call: call, o: o, keys: brief.NewKeys(call, call.Rows), seed: call.Seed}
}

// fill makes the records of the call's rows.
func (w *work) fill(ctx context.Context, out *generator.Output) error {
	slots := w.slots(ctx)
	errs := make([]error, len(slots))
	var write []*slot
	place := map[*slot]int{}
	for i, s := range slots {
		place[s] = i
		if s.row.Given == nil && s.row.Corner != "empty" {
			write = append(write, s)
		}
	}
	for k, err := range w.inputs(ctx, write) {
		errs[place[write[k]]] = err
	}
	var ready []*slot
	for i, s := range slots {
		if errs[i] == nil {
			ready = append(ready, s)
		}
	}
	finals := make([]*answer.Final, len(slots))
	for k, r := range w.finish(ctx, ready) {
		i := place[ready[k]]
		if errs[i] = r.Err; r.Err == nil {
			finals[i] = &r.Value
		}
	}
	return w.output(ctx, out, slots, finals, errs)
}

// output puts what was made into the output. A row of which nothing was made is
// dropped; if that is every row, the error says so too.
func (w *work) output(ctx context.Context, out *generator.Output, slots []*slot, finals []*answer.Final, errs []error) error {
	var first error
	why := map[string]string{}
	for i, s := range slots {
		if finals[i] == nil {
			first = cmp.Or(first, errs[i])
			if why[s.row.ID] == "" {
				why[s.row.ID] = errs[i].Error()
			}
			continue
		}
		rec, err := w.recorded(s, finals[i])
		if err != nil {
			why[s.row.ID] = err.Error()
			continue
		}
		out.Records = append(out.Records, rec)
	}
	for i := range w.call.Rows {
		id := w.call.Rows[i].ID
		if slices.ContainsFunc(out.Records, func(r generator.Record) bool { return r.Row == id }) {
			continue
		}
		out.Dropped = append(out.Dropped, generator.Drop{Row: id, Reason: cmp.Or(why[id], "nothing was made for the row")})
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(out.Records) == 0 && len(w.call.Rows) > 0 {
		short := &ShortfallError{Asked: len(w.call.Rows), Err: first}
		for _, d := range out.Dropped {
			short.Short = append(short.Short, Short{Asked: 1, Reasons: []string{d.Row + ": " + d.Reason}})
		}
		return short
	}
	return nil
}

// recorded is the record of a slot.
func (w *work) recorded(s *slot, f *answer.Final) (generator.Record, error) {
	switch {
	case s.kind == MultiContext && f.Checked && len(f.Needs) < 2:
		s.kind = Simple // which its answer shows it to be
	case s.kind == OutOfScope && s.row.Corner == "" && f.Input != s.input:
		s.kind = Simple // the check asked for what the documents do settle
	}
	q, spans := w.record(s, f, false), w.spansOf(s)
	if s.before != nil {
		q.Metadata, q.ReferenceContext = s.before.Metadata, s.before.ReferenceContext
		spans = w.spansOfReference(&q, spans)
	}
	return w.written(s.row, &q, f, spans)
}

func (w *work) spansOf(s *slot) []model.Span {
	var out []model.Span
	for _, c := range s.contexts {
		out = append(out, w.kb.chunks[c].Span)
	}
	return out
}

func (w *work) written(row *model.Row, q *Question, f *answer.Final, spans []model.Span) (generator.Record, error) {
	q.ID = identity(w.kb.hash, fmt.Sprint(w.call.Seed), row.ID, q.Question, q.ReferenceAnswer)
	b, err := q.JSON()
	if err != nil {
		return generator.Record{}, fmt.Errorf("giskard: the record cannot be written: %w", err)
	}
	return generator.Record{Row: row.ID, JSON: b, Spans: spans, Notes: &generator.Notes{
		Name: f.Name, Description: f.Description, Criteria: f.Criteria, PolicyIDs: f.PolicyIDs, Shown: f.Shown,
	}}, nil
}

// mend makes the records of a repair call: new texts, and what the method says of
// the question as in the first attempt.
func (w *work) mend(ctx context.Context, out *generator.Output) error {
	var slots []*slot
	for i := range w.call.Rows {
		row := &w.call.Rows[i]
		item := w.call.Repairs[row.ID].Item
		for k := range max(1, row.Examples) {
			slots = append(slots, &slot{row: row, kind: Simple, contexts: w.about(ctx, row), distract: -1, before: native(&item, k)})
		}
	}
	errs, finals := make([]error, len(slots)), make([]*answer.Final, len(slots))
	for i, r := range answer.Mend(ctx, w.call, w.answers()) {
		if errs[i] = r.Err; r.Err == nil {
			finals[i] = &r.Value
		}
	}
	return w.output(ctx, out, slots, finals, errs)
}

// spansOfReference are the spans of the passages that a question names.
func (w *work) spansOfReference(q *Question, otherwise []model.Span) []model.Span {
	ids := []string{q.Metadata.SeedDocumentID}
	var more []string
	if json.Unmarshal(q.Metadata.Extra["neighbour_document_ids"], &more) == nil {
		ids = append(ids, more...)
	}
	var out []model.Span
	for _, id := range ids {
		for i := range w.kb.chunks {
			if w.kb.chunks[i].ID == id {
				out = append(out, w.kb.chunks[i].Span)
			}
		}
	}
	if len(out) == 0 {
		return otherwise
	}
	return out
}

// native is the record that an example of an item came from; nil if it has none.
func native(item *model.Item, example int) *Question {
	found := item.TestCase.Metadata.Native
	if example < len(item.Examples) && len(item.Examples[example].Metadata.Native) > 0 {
		found = item.Examples[example].Metadata.Native
	}
	if len(found) == 0 {
		return nil
	}
	q, err := Parse(found)
	if err != nil || q.Metadata.QuestionType == "" {
		return nil
	}
	return q
}

// slots plans the questions of the rows: passages by the evidence of what a row
// is about, types by weight over the rows that may have them.
func (w *work) slots(ctx context.Context) []*slot {
	var out, free []*slot
	used := map[string]int{} // by the policy that a row is about
	for i := range w.call.Rows {
		row := &w.call.Rows[i]
		n := max(1, row.Examples)
		if row.Given != nil || row.Corner == "empty" {
			n = 1 // there is but one such message
		}
		for range n {
			s := &slot{row: row, kind: Simple, contexts: w.about(ctx, row), distract: -1}
			switch {
			case len(row.Given) > 0:
				s.input = row.Given[0].Content
			case row.Corner == "off_topic":
				s.kind = OutOfScope
			case row.Corner == "":
				free = append(free, s)
			}
			if len(row.PolicyIDs) > 0 {
				s.nth = used[row.PolicyIDs[0]]
				used[row.PolicyIDs[0]]++
			}
			out = append(out, s)
		}
	}
	w.assign(free)
	return out
}

// about returns the passages of a row: the one with the evidence of the policy
// that the row is about, those of its other policies, then neighbours.
func (w *work) about(ctx context.Context, row *model.Row) []int {
	var out []int
	for _, id := range row.PolicyIDs {
		i := slices.IndexFunc(w.call.Policies, func(p model.Policy) bool { return p.ID == id })
		if i < 0 {
			continue
		}
		c := w.kb.holding(w.call.Policies[i].Evidence)
		if c >= 0 && !slices.Contains(out, c) && len(out) <= w.o.Neighbours {
			out = append(out, c)
		}
	}
	if c := w.kb.holding(w.call.UseCase.Evidence); len(out) == 0 && c >= 0 {
		out = append(out, c)
	}
	if len(out) == 0 { // the evidence is in a document that the base was not built of
		out = append(out, w.nearest(ctx, row))
	}
	for _, c := range w.kb.near[out[0]] {
		if !slices.Contains(out, c) && len(out) <= w.o.Neighbours {
			out = append(out, c)
		}
	}
	return out
}

// nearest returns the passage that is nearest to a row's policies by its words.
func (w *work) nearest(ctx context.Context, row *model.Row) int {
	text := w.call.UseCase.Name
	for _, p := range w.call.Policies {
		if slices.Contains(row.PolicyIDs, p.ID) {
			text += "\n" + p.Statement
		}
	}
	vs, err := w.kb.lexical.Embed(ctx, []string{text})
	if err != nil || len(vs) == 0 {
		return 0
	}
	for _, n := range vector.Search(w.kb.words, vs[0], 1) {
		return n.Index
	}
	return 0
}

// holding returns the passage that shares most lines with the first evidence
// that any passage shares lines with; -1 if none does.
func (kb *KnowledgeBase) holding(evidence []model.Evidence) int {
	for _, e := range evidence {
		best, most := -1, 0
		for i := range kb.chunks {
			s := &kb.chunks[i].Span
			if s.Doc != e.InputFile {
				continue
			}
			if n := min(s.EndLine, e.LineEnd) - max(s.StartLine, e.LineStart) + 1; n > most {
				best, most = i, n
			}
		}
		if best >= 0 {
			return best
		}
	}
	return -1
}

// fits says whether a slot of a row may be of a type.
func (w *work) fits(s *slot, t Type) bool {
	if slices.ContainsFunc(w.call.Axes, func(a model.Axis) bool {
		v, ok := s.row.Parameters[a.Name]
		return ok && a.Rule == "length" && v.String() == "short"
	}) && t != Simple && t != OutOfScope {
		return false // a few words hold one need and no more
	}
	switch t {
	case OutOfScope:
		// A row shows its policies. Only a policy on what the agent cannot answer is
		// shown by a question that it cannot answer.
		return len(s.row.PolicyIDs) > 0 && w.kb.unknown[s.row.PolicyIDs[0]]
	case Distracting:
		return w.kb.distraction(stage.Rand(0), s.contexts) >= 0
	case MultiContext:
		return len(s.contexts) > 1
	default:
		return true
	}
}

// assign gives the slots their types: as near to the weights as the rows allow,
// those rows first that may have the fewest.
func (w *work) assign(slots []*slot) {
	weights, _ := w.o.weights()
	r := stage.Rand(w.seed, "giskard", "assign")
	order := Types()
	shuffle(r, order)
	allowed := make(map[*slot][]Type, len(slots))
	for _, s := range slots {
		for _, t := range order {
			if weights[t] > 0 && w.fits(s, t) {
				allowed[s] = append(allowed[s], t)
			}
		}
	}
	queue := slices.Clone(slots)
	shuffle(r, queue)
	slices.SortStableFunc(queue, func(a, b *slot) int { return cmp.Compare(len(allowed[a]), len(allowed[b])) })
	used := map[Type]int{}
	for _, s := range queue {
		best := Type("")
		for _, t := range allowed[s] {
			if best == "" || float64(used[t]+1)/weights[t] < float64(used[best]+1)/weights[best] {
				best = t
			}
		}
		s.kind = cmp.Or(best, Simple)
		used[s.kind]++
		if s.kind == Distracting {
			s.distract = w.kb.distraction(r, s.contexts)
		}
	}
}
