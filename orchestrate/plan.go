package orchestrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math"
	"slices"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/vector"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// Plan is what a run is going to make. It may be inspected, and passed to
// [Orchestrator.Run] as [Input.Plan]; everything a run does follows from it.
type Plan struct {
	Documents  []*model.Document
	Extraction *extract.Result
	Profile    *model.Profile
	// Sources are those of the profile that the documents have material for.
	Sources []model.Source
	// UseCases holds one plan for each use case that is made, in the order of
	// Extraction.UseCases.
	UseCases []model.UseCasePlan

	base *base // the dataset that is completed; nil for a new one
}

// planner builds a Plan out of an extraction. It is a pure function of its
// fields.
type planner struct {
	docs     []*model.Document
	ex       *extract.Result
	profile  *model.Profile
	lang     *lang.Language // nil for a language without data
	embedder llm.Embedder
	counts   Counts
	minimums coverage.Minimums
	strength int
	seed     int64
	phrases  bool  // a model can point at phrases, so axes without a rule may vary
	base     *base // what is there already; nil for a new dataset

	policies map[string]*model.Policy
	shown    map[string]map[model.Role]int // rows that show a policy, by role
	corners  int                           // corner rows in ordinary use cases so far

	onFault    map[string][]*model.Policy // testable policies that speak about a visible fault
	faultOrder []string                   // faults that any policy speaks about
}

// maxPolicies bounds how many policies a use case keeps: the few that decide.
const maxPolicies = 6

// ticketCase is a ticket of the documents that is still free to be planned.
type ticketCase struct {
	ticket *model.Ticket
	doc    string
}

// index makes the look-ups of a planner.
func (p *planner) index() *planner {
	p.policies = map[string]*model.Policy{}
	for i := range p.ex.Policies {
		p.policies[p.ex.Policies[i].ID] = &p.ex.Policies[i]
	}
	p.shown = map[string]map[model.Role]int{}
	if p.lang == nil || !slices.ContainsFunc(p.profile.Axes, func(a model.Axis) bool { return a.Name == "fault" }) {
		return p
	}
	p.onFault = map[string][]*model.Policy{}
	for i := range p.ex.Policies {
		pol := &p.ex.Policies[i]
		for _, k := range p.lang.FaultKinds(pol.Statement) {
			if !slices.Contains(p.faultOrder, k) {
				p.faultOrder = append(p.faultOrder, k)
			}
			if pol.IsTestable() {
				p.onFault[k] = append(p.onFault[k], pol)
			}
		}
	}
	return p
}

func (p *planner) plan(ctx context.Context) (*Plan, error) {
	chosen := p.chooseUseCases()
	relevant, err := p.relevance(ctx, chosen)
	if err != nil {
		return nil, err
	}
	out := &Plan{Documents: p.docs, Extraction: p.ex, Profile: p.profile, Sources: p.sources(), base: p.base}
	tickets := p.ticketsOf(chosen)
	for i, uc := range chosen {
		up, err := p.useCase(uc, relevant[uc.ID], tickets[i])
		if err != nil {
			return nil, err
		}
		out.UseCases = append(out.UseCases, *up)
	}
	p.ensureCorner(out)
	p.assignPolicies(out)
	return out, nil
}

// chooseUseCases returns the use cases to make, in document order. When fewer
// are asked for than there are, those that bring most uncovered policies win.
func (p *planner) chooseUseCases() []model.UseCase {
	all := p.ex.UseCases
	n := p.counts.UseCases
	if n == 0 || n >= len(all) || !p.phrases {
		return all // without a model it shows only later which ones can be filled
	}
	taken := make([]bool, len(all))
	covered := map[string]bool{}
	for i, uc := range all {
		if p.base.hasUseCase(uc.ID) { // it stays
			taken[i], n = true, n-1
		}
	}
	for range max(0, n) {
		best, gain := -1, -1
		for i, uc := range all {
			if taken[i] {
				continue
			}
			g := 0
			for _, id := range p.ex.Relevant[uc.ID] {
				if !covered[id] {
					g++
				}
			}
			if g > gain {
				best, gain = i, g
			}
		}
		taken[best] = true
		for _, id := range p.ex.Relevant[all[best].ID] {
			covered[id] = true
		}
	}
	var out []model.UseCase
	for i, uc := range all {
		if taken[i] {
			out = append(out, uc)
		}
	}
	return out
}

// relevance returns the policies of each chosen use case. A testable policy
// that bears on none of them is given to the use case most like it, so that
// nothing testable is left out of the plan silently.
func (p *planner) relevance(ctx context.Context, chosen []model.UseCase) (map[string][]string, error) {
	out := map[string][]string{}
	placed := map[string]bool{}
	for _, uc := range chosen {
		ids := p.ex.Relevant[uc.ID]
		if len(ids) > maxPolicies {
			ids = ids[:maxPolicies]
		}
		out[uc.ID] = slices.Clone(ids)
		for _, id := range ids {
			placed[id] = true
		}
	}
	var loose []*model.Policy
	for i := range p.ex.Policies {
		if pol := &p.ex.Policies[i]; !placed[pol.ID] && pol.IsTestable() {
			loose = append(loose, pol)
		}
	}
	if len(loose) == 0 || len(chosen) == 0 || p.counts.UseCases != 0 {
		return out, nil
	}
	texts := make([]string, 0, len(chosen)+len(loose))
	for _, uc := range chosen {
		texts = append(texts, uc.Name+"\n"+uc.Description+"\n"+quotes(uc.Evidence))
	}
	for _, pol := range loose {
		texts = append(texts, pol.Statement+"\n"+quotes(pol.Evidence))
	}
	var vecs [][]float32
	var err error
	if p.embedder == nil {
		vecs, err = llm.NewLexical(texts).Embed(ctx, texts)
	} else {
		vecs, err = vector.Embed(ctx, p.embedder, texts)
	}
	var fallback *vector.FallbackError // the embedder has said so
	if err != nil && !errors.As(err, &fallback) {
		return nil, fmt.Errorf("orchestrate: comparing policies with use cases: %w", err)
	}
	cosines := newCosines(vecs[:len(chosen)])
	given := make([]int, len(chosen))
	for k := range chosen {
		given[k] = len(out[chosen[k].ID])
	}
	for i, pol := range loose {
		best, score := 0, -2.0
		for k, s := range cosines.with(vecs[len(chosen)+i]) {
			// Spread what is equally far from everything.
			s -= 0.02 * float64(given[k])
			if s > score {
				best, score = k, s
			}
		}
		id := chosen[best].ID
		out[id] = append(out[id], pol.ID)
		given[best]++
	}
	return out, nil
}

// cosines compares vectors with one after another, as [llm.Cosine] does;
// lexical vectors are nearly empty, and what is zero adds nothing.
type cosines struct {
	vecs    [][]float32
	columns map[int][]int32 // vectors that are not zero there
	squares []float64
}

func newCosines(vecs [][]float32) *cosines {
	c := &cosines{vecs: vecs, columns: map[int][]int32{}, squares: make([]float64, len(vecs))}
	for k, v := range vecs {
		for j, x := range v {
			if x != 0 {
				c.columns[j] = append(c.columns[j], int32(k))
				c.squares[k] += float64(float64(x) * float64(x))
			}
		}
	}
	return c
}

// with returns the cosine of each vector with v.
func (c *cosines) with(v []float32) []float64 {
	out := make([]float64, len(c.vecs))
	var square float64
	for j, y := range v {
		if y == 0 {
			continue
		}
		square += float64(float64(y) * float64(y))
		for _, k := range c.columns[j] {
			if len(c.vecs[k]) == len(v) {
				out[k] += float64(float64(c.vecs[k][j]) * float64(y))
			}
		}
	}
	for k := range out {
		if c.squares[k] == 0 || square == 0 {
			out[k] = 0
			continue
		}
		out[k] = max(-1, min(1, out[k]/math.Sqrt(float64(c.squares[k]*square))))
	}
	return out
}

func quotes(ev []model.Evidence) string {
	s := ""
	for _, e := range ev {
		s += e.Quote + "\n"
	}
	return s
}

// ticketsOf gives every ticket to the first use case whose evidence has it.
func (p *planner) ticketsOf(chosen []model.UseCase) [][]ticketCase {
	out := make([][]ticketCase, len(chosen))
	if !p.hasSource(model.SourceTickets) {
		return out
	}
	for _, d := range p.docs {
		for t := range d.Tickets {
			ticket := &d.Tickets[t]
			for i := range chosen {
				if cites(chosen[i].Evidence, d.Name, ticket.LineStart, ticket.LineEnd) && !p.base.said(ticketMessages(ticket)) {
					out[i] = append(out[i], ticketCase{ticket, d.Name})
					break
				}
			}
		}
	}
	return out
}

func cites(ev []model.Evidence, doc string, start, end int) bool {
	return slices.ContainsFunc(ev, func(e model.Evidence) bool {
		return e.InputFile == doc && e.LineStart <= end && start <= e.LineEnd
	})
}

func (p *planner) hasSource(s model.Source) bool { return slices.Contains(p.profile.Sources, s) }

// sources returns the sources of the profile that the documents can serve.
func (p *planner) sources() []model.Source {
	var out []model.Source
	for _, s := range p.profile.Sources {
		if s == model.SourceTickets && !slices.ContainsFunc(p.docs, func(d *model.Document) bool { return len(d.Tickets) > 0 }) {
			continue
		}
		out = append(out, s)
	}
	return out
}

// useCase plans the rows of one use case.
func (p *planner) useCase(uc model.UseCase, policyIDs []string, tickets []ticketCase) (*model.UseCasePlan, error) {
	up := &model.UseCasePlan{UseCaseID: uc.ID, PolicyIDs: policyIDs, Strength: p.strength}
	want := p.counts.TestCasesPerUseCase
	least := p.minimums.TestCasesPerUseCase
	formats := p.formats(policyIDs)
	// Room for every policy plain and pressed, should the array need to grow.
	if !p.base.planned(up) {
		up.Axes = p.axes(uc, policyIDs, formats, max(want, least, min(8, 2*len(policyIDs))))
	}
	kept := p.base.of(uc.ID)
	up.Rows = kept

	// A ticket's parameters are what the classifier reads; two tickets that
	// read alike would be one test case, so the first speaks for both.
	must := covered(up, kept)
	old := len(must)
	var given []ticketCase
	limit := len(tickets)
	if want > 0 {
		limit = max(1, want-1-len(kept))
	}
	for _, t := range tickets {
		if len(given) == limit {
			break
		}
		row, ok := p.classify(up.Axes, &model.Input{Messages: ticketMessages(t.ticket)}, model.SingleTurnQA)
		if !ok || slices.ContainsFunc(must, func(m map[string]string) bool { return maps.Equal(m, row) }) {
			continue
		}
		must, given = append(must, row), append(given, t)
	}
	if n := p.minimums.MinAxes; len(up.Axes) < n {
		return nil, &OptionError{"Profile", fmt.Sprintf("%d of its axes can be shown in %s, %d are needed: give axes with a built-in rule, or a model for those with the rule %q", len(up.Axes), uc.ID, n, coverage.PhraseRule)}
	}
	if want > 0 {
		if want <= len(kept) {
			return up, nil
		}
		want += old - len(kept)
		must, given = must[:min(len(must), want)], given[:min(len(given), want-old)]
	}
	array, err := coverage.Build(&coverage.Model{
		Axes: up.Axes, Constraints: up.Constraints, Strength: up.Strength, MustInclude: must,
		Rows: want, Min: least + old - len(kept), Seed: hash(p.seed, uc.ID),
	})
	if err != nil {
		return nil, fmt.Errorf("orchestrate: planning %s: %w", uc.ID, err)
	}
	aboutCorner := p.ex.Corner[uc.ID]
	for i := range array.Rows[old:] {
		values := array.Row(old + i)
		row := p.row(up, values)
		row.Format = formats[i%len(formats)]
		if len(p.profile.Sources) > 0 {
			switch {
			case i < len(given):
				row.Source, row.Given = model.SourceTickets, ticketMessages(given[i].ticket)
			case aboutCorner != "":
				row.Source, row.Corner = model.SourceCorner, fitCorner(aboutCorner, values)
			case p.hasSource(model.SourceFAQParaphrase):
				row.Source = model.SourceFAQParaphrase
			default:
				row.Source = p.profile.Sources[0]
			}
		}
		up.Rows = append(up.Rows, row)
	}
	return up, nil
}

func (p *planner) row(up *model.UseCasePlan, values map[string]string) model.Row {
	row := model.Row{
		ID: fmt.Sprintf("%s/%d", up.UseCaseID, highest(up.Rows)+1), UseCaseID: up.UseCaseID,
		Parameters: map[string]model.Value{}, Roles: map[string]model.Role{},
		Examples: max(1, p.counts.ExamplesPerTestCase),
	}
	for _, a := range up.Axes {
		row.Parameters[a.Name] = model.String(values[a.Name])
		row.Axes = append(row.Axes, a.Name)
	}
	return row
}

func ticketMessages(t *model.Ticket) []model.Message {
	return []model.Message{{Role: model.RoleUser, Content: t.Message}}
}

func (p *planner) classify(axes []model.Axis, in *model.Input, f model.Format) (map[string]string, bool) {
	row := map[string]string{}
	for _, a := range axes {
		v, ok := coverage.Classify(p.lang, a, in, f)
		if !ok || !slices.ContainsFunc(a.Values, func(x model.AxisValue) bool { return x.Name == v }) {
			return nil, false
		}
		row[a.Name] = v
	}
	return row, true
}

// formats returns the formats that rows on these policies take in turn. A
// use case that turns on what the other side said needs a dialogue.
func (p *planner) formats(policyIDs []string) []model.Format {
	var all, dialogues []model.Format
	for _, f := range p.profile.Formats {
		all = append(all, f.Format)
		if f.MinTurn > 1 {
			dialogues = append(dialogues, f.Format)
		}
	}
	if len(dialogues) == 0 || len(dialogues) == len(all) || len(policyIDs) == 0 {
		return all
	}
	if pol := p.policies[policyIDs[0]]; pol != nil && len(pol.Conditions) > 0 {
		return dialogues
	}
	return all
}

// ensureCorner turns, in a plan of a profile with corner examples, one row of
// every third use case into a corner row: what real users send beside their
// question. Tickets stay as they are, and a use case keeps an ordinary row.
func (p *planner) ensureCorner(out *Plan) {
	if !p.hasSource(model.SourceCorner) {
		return
	}
	for i := range out.UseCases {
		up := &out.UseCases[i]
		if p.ex.Corner[up.UseCaseID] != "" || i%3 != 1 && !(i == len(out.UseCases)-1 && p.corners == 0) {
			continue
		}
		if slices.ContainsFunc(up.Rows, func(r model.Row) bool { return r.Source == model.SourceCorner }) {
			p.corners++ // of the base
			continue
		}
		ordinary := 0
		for _, r := range up.Rows {
			if r.Source == model.SourceFAQParaphrase {
				ordinary++
			}
		}
		if ordinary < 2 {
			continue
		}
		for k := len(up.Rows) - 1; k >= 0; k-- {
			if r := &up.Rows[k]; r.Source == model.SourceFAQParaphrase && !p.base.has(r.ID) {
				r.Source = model.SourceCorner
				r.Corner = cornerOf(r)
				p.corners++
				break
			}
		}
	}
}

// cornerOf is the kind of a corner row in an ordinary use case: off-topic text
// and garbage belong to no use case but their own.
func cornerOf(r *model.Row) string {
	if r.Parameters["tone"].String() == "angry" {
		return lang.CornerAbuse
	}
	return lang.CornerInjection
}

// fitCorner returns the kind of a use case's corner rows, or the nearest kind
// whose messages can show the row's values: an empty message asks nothing and
// has no emoji.
func fitCorner(kind string, v map[string]string) string {
	switch {
	case kind == lang.CornerEmpty && (v["form"] == "question" || v["emoji"] == "present"):
		return lang.CornerGarbage
	case kind != lang.CornerEmpty && kind != lang.CornerGarbage && v["tone"] == "angry":
		return lang.CornerAbuse
	default:
		return kind
	}
}

// assignPolicies decides which policies each row shows and how. Every row gets
// the policy that most needs showing as its first one, and the one most
// relevant to the use case beside it.
func (p *planner) assignPolicies(out *Plan) {
	for i := range out.UseCases {
		for k := range out.UseCases[i].Rows {
			if r := &out.UseCases[i].Rows[k]; p.base.has(r.ID) {
				p.count(r)
			}
		}
	}
	for i := range out.UseCases {
		up := &out.UseCases[i]
		for k := range up.Rows {
			if !p.base.has(up.Rows[k].ID) {
				p.assign(up, &up.Rows[k])
			}
		}
	}
}

func (p *planner) assign(up *model.UseCasePlan, r *model.Row) {
	correction := false
	if f, ok := p.profile.Format(r.Format); ok {
		correction = f.Correction
	}
	if len(up.PolicyIDs) == 0 {
		return
	}
	need := func(id string, role model.Role) int { // less is needier
		if pol := p.policies[id]; pol == nil || !pol.IsTestable() {
			return 1 << 20
		}
		return p.shown[id][role]
	}
	var first string
	role := model.Plain
	switch {
	case r.Given != nil || r.Source == model.SourceCorner:
		first = up.PolicyIDs[0]
	case correction:
		// The draft breaks the first policy; that presses it. A visible fault
		// is pressed against the policy that speaks about it.
		role = model.Pressed
		if id := p.policyOn(r.Parameters["fault"].String()); id != "" {
			first = id
			break
		}
		first = slices.MinFunc(up.PolicyIDs, func(a, b string) int { return cmp.Compare(need(a, model.Pressed), need(b, model.Pressed)) })
	default:
		// Without a model few policies can be pressed; rows for that are added
		// once the ordinary ones are made.
		roles := []model.Role{model.Plain, model.Pressed}
		if !p.phrases {
			roles = roles[:1]
		}
		least := 1 << 30
		for _, id := range up.PolicyIDs {
			for _, candidate := range roles {
				if n := need(id, candidate); n < least {
					first, role, least = id, candidate, n
				}
			}
		}
	}
	p.cite(r, first, role)
	// A second policy, shown plain beside the first: for a correction the one
	// that most needs it, else the use case's own.
	second := up.PolicyIDs[0]
	if correction {
		second = slices.MinFunc(up.PolicyIDs, func(a, b string) int { return cmp.Compare(need(a, model.Plain), need(b, model.Plain)) })
	}
	if second == first && len(up.PolicyIDs) > 1 {
		second = up.PolicyIDs[1]
	}
	if second != first {
		p.cite(r, second, model.Plain)
	}
}

// policyOn returns the testable policy that speaks about a visible fault and
// most needs an example that presses it.
func (p *planner) policyOn(fault string) string {
	best := ""
	for _, pol := range p.onFault[fault] {
		if best == "" || p.shown[pol.ID][model.Pressed] < p.shown[best][model.Pressed] {
			best = pol.ID
		}
	}
	return best
}

func (p *planner) cite(r *model.Row, id string, role model.Role) {
	r.PolicyIDs = append(r.PolicyIDs, id)
	r.Roles[id] = role
	p.note(id, role)
}

// count takes a row that is already planned into account.
func (p *planner) count(r *model.Row) {
	for _, id := range r.PolicyIDs {
		p.note(id, r.Roles[id])
	}
}

func (p *planner) note(id string, role model.Role) {
	if p.shown[id] == nil {
		p.shown[id] = map[model.Role]int{}
	}
	p.shown[id][role]++
}

// clone returns a plan whose use cases may change.
func (p *Plan) clone() *Plan {
	c := *p
	c.UseCases = slices.Clone(p.UseCases)
	for i := range c.UseCases {
		rows := make([]model.Row, len(c.UseCases[i].Rows))
		for k := range rows {
			rows[k] = cloneRow(c.UseCases[i].Rows[k])
		}
		c.UseCases[i].Rows = rows
	}
	return &c
}

// hash is FNV-1a over the parts: the same in every process.
func hash(parts ...any) uint64 {
	h := fnv.New64a()
	for _, part := range parts {
		_, _ = fmt.Fprintf(h, "%v\x00", part) // a hash never fails to write
	}
	return h.Sum64()
}
