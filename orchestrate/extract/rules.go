package extract

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// An extraction is one run of the rules over the documents.
type extraction struct {
	l     *lang.Language
	docs  []*model.Document
	x     *lexicon
	kind  model.Case
	units []unit
	asked []unit // messages of customers that a list gives as samples
	all   []claim
	found []matter

	obligations int
	skipped     []model.Evidence
	refused     []model.Refusal
	linesOf     map[int][]int    // claims by doc<<32 | line
	corners     map[string][]int // matters by corner kind
	bearing     *index           // of the claims, when all are there
	generals    map[model.PolicyType]int
	kinds       map[int]string // the corner kinds that claims speak of, once asked for
}

// byRules extracts without a model.
func byRules(ctx context.Context, docs []*model.Document, o *Options, code string) (*Result, error) {
	l, err := lang.For(code)
	if err != nil {
		return nil, err
	}
	l = l.WithAgents(agentNames(l, docs)...).Remembering()
	readAhead(l, docs)
	e := &extraction{l: l, docs: docs, x: newLexicon(l), corners: map[string][]int{}, generals: map[model.PolicyType]int{}, kinds: map[int]string{}}
	r := &reader{l: l, docs: docs}
	r.read()
	e.units, e.asked = r.units, r.asked
	res := &Result{Language: code, Relevant: map[string][]string{}}
	if o.Profile != nil {
		e.kind = o.Profile.Case
	} else if e.kind, res.CaseEvidence, err = decideCase(l, docs); err != nil {
		if !e.anyNorm() {
			return nil, noRules(docs)
		}
		return nil, err
	}
	res.Case = e.kind
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.claims()
	e.merge()
	e.overrule()
	if !slices.ContainsFunc(e.all, func(c claim) bool { return !c.dropped && !c.weak }) {
		return nil, noRules(docs)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.matters()
	e.result(res)
	return res, nil
}

// readAhead reads the sentences of the documents side by side, for a language
// that remembers.
func readAhead(l *lang.Language, docs []*model.Document) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, d := range docs {
		for blocks := range slices.Chunk(d.Blocks, 64) {
			group.Go(func() error {
				for i := range blocks {
					if b := &blocks[i]; b.InForce() && b.Table < 0 {
						for _, s := range lang.Sentences(b.Text) {
							l.Norms(s)
						}
					}
				}
				return nil
			})
		}
	}
	_ = group.Wait() // always nil
}

// agentNames returns the names that the documents give their agent.
func agentNames(l *lang.Language, docs []*model.Document) []string {
	var names []string
	for _, d := range docs {
		for i := range d.Blocks {
			if b := &d.Blocks[i]; b.Kind == model.BlockParagraph || b.Kind == model.BlockItem {
				if n := l.AgentName(b.Text); n != "" && !slices.Contains(names, n) {
					names = append(names, n)
				}
			}
		}
	}
	return names
}

func noRules(docs []*model.Document) error {
	err := &NoRulesError{}
	for _, d := range docs {
		err.Documents = append(err.Documents, d.Name)
	}
	return err
}

// anyNorm reports whether any unit obliges.
func (e *extraction) anyNorm() bool {
	for i := range e.units {
		if ns := e.l.Norms(e.units[i].text); len(ns) > 0 && !ns[0].Weak {
			return true
		}
	}
	return false
}

// decideCase tells what kind of agent the documents describe, and by what.
func decideCase(l *lang.Language, docs []*model.Document) (model.Case, []model.Evidence, error) {
	scores := map[model.Case]int{}
	evidence := map[model.Case][]model.Evidence{}
	const cited = 3
	add := func(c model.Case, n int, d *model.Document, from, to int) {
		if n == 0 {
			return
		}
		scores[c] += n
		if len(evidence[c]) < cited {
			if ev, err := d.Cut(from, min(to, from+maxEvidenceLines-1)); err == nil {
				evidence[c] = append(evidence[c], ev)
			}
		}
	}
	for _, d := range docs {
		taken := takenLines(d)
		for i := range d.Blocks {
			b := &d.Blocks[i]
			if taken[b.LineStart] || !b.InForce() && b.Kind != model.BlockHeading {
				continue
			}
			add(model.CaseOperatorQuality, l.QualitySigns(b.Text), d, b.LineStart, b.LineEnd)
			add(model.CaseSupportBot, l.SupportSigns(b.Text), d, b.LineStart, b.LineEnd)
		}
		const structure = 3 // how much tickets, questions or dialogues say
		if len(d.Tickets) > 1 {
			add(model.CaseSupportBot, structure, d, d.Tickets[0].LineStart, d.Tickets[0].LineEnd)
		}
		if len(d.QAs) > 2 {
			add(model.CaseSupportBot, structure, d, d.QAs[0].LineStart, d.QAs[0].LineEnd)
		}
		if len(d.Dialogues) > 0 && len(d.Tickets) == 0 {
			t := d.Dialogues[0].Turns
			add(model.CaseOperatorQuality, structure, d, t[0].LineStart, t[0].LineEnd)
		}
	}
	quality, support := scores[model.CaseOperatorQuality], scores[model.CaseSupportBot]
	switch {
	case quality > support:
		return model.CaseOperatorQuality, evidence[model.CaseOperatorQuality], nil
	case support > quality:
		return model.CaseSupportBot, evidence[model.CaseSupportBot], nil
	}
	return "", nil, &CaseError{Scores: scores}
}

// unmapped records an obligation that became no policy.
func (e *extraction) unmapped(u *unit) {
	if ev, err := e.docs[u.doc].Cut(u.start, u.end); err == nil {
		e.skipped = append(e.skipped, ev)
	}
	e.refuse(u, "it is not said of the agent, or is a sample of a mistake")
}

// refuse records a sentence that was not made use of, and why.
func (e *extraction) refuse(u *unit, why string) {
	e.refused = append(e.refused, model.Refusal{Check: "extract", Reason: why + ": " + e.l.Shorten(u.text, 120), Index: u.start})
}

// cut turns places into evidence, in document order.
func (e *extraction) cut(places []place) []model.Evidence {
	places = slices.Clone(places)
	slices.SortStableFunc(places, func(a, b place) int {
		return cmp.Or(cmp.Compare(a.doc, b.doc), cmp.Compare(a.start, b.start), cmp.Compare(a.end, b.end))
	})
	var out []model.Evidence
	for i, p := range places {
		if i > 0 && places[i-1] == p {
			continue
		}
		if ev, err := e.docs[p.doc].Cut(p.start, p.end); err == nil {
			out = append(out, ev)
		}
	}
	return out
}

// result turns claims and matters into the contract's items.
func (e *extraction) result(res *Result) {
	var ids model.IDs
	polID := make([]string, len(e.all))
	names := map[string]int{}
	for i := range e.all {
		c := &e.all[i]
		if c.dropped {
			continue
		}
		p := e.policy(c)
		p.Name = unique(names, p.Name)
		if len(p.Evidence) == 0 {
			c.dropped = true
			continue
		}
		p.ID = ids.Make("pol_", p.Name)
		polID[i] = p.ID
		res.Policies = append(res.Policies, p)
	}
	e.bearing = newIndex(e.x)
	for i := range e.all {
		if !e.all[i].dropped {
			e.bearing.add(i, e.all[i].bag)
		}
	}
	names = map[string]int{}
	for i := range e.found {
		m := &e.found[i]
		if m.dropped {
			continue
		}
		if n := len(m.places); n > maxCited {
			m.places = m.places[:maxCited]
			e.refused = append(e.refused, model.Refusal{
				Check: "extract", Index: m.places[0].start,
				Reason: "of " + itoa(n) + " places only the first " + itoa(maxCited) + " are cited for the use case: " + m.name,
			})
		}
		uc := model.UseCase{Case: e.kind, Name: m.name, Description: m.description, Evidence: e.cut(m.places)}
		bearing := e.relevant(m)
		if len(bearing) == 0 || len(uc.Evidence) == 0 {
			e.refused = append(e.refused, model.Refusal{Check: "extract", Reason: "no policy of the document bears on the use case: " + m.name, Index: m.places[0].start})
			continue
		}
		uc.Name = unique(names, uc.Name)
		uc.ID = ids.Make("uc_", uc.Name)
		for _, j := range bearing {
			res.Relevant[uc.ID] = append(res.Relevant[uc.ID], polID[j])
		}
		res.UseCases = append(res.UseCases, uc)
	}
	for _, pair := range e.contradictions() {
		a, b := polID[pair[0]], polID[pair[1]]
		if a != "" && b != "" {
			res.Contradictions = append(res.Contradictions, Contradiction{[]string{a, b}, "they state different quantities on one subject, and neither overrules the other"})
		}
	}
	res.Obligations, res.Unmapped, res.Refused = e.obligations, e.skipped, e.refused
}

// unique makes a name differ from the earlier ones after folding.
func unique(names map[string]int, name string) string {
	key := strings.Join(lang.Words(name), " ")
	names[key]++
	if n := names[key]; n > 1 {
		name += " (" + itoa(n) + ")"
		names[strings.Join(lang.Words(name), " ")]++
	}
	return name
}

const (
	maxPolicyName  = 72
	maxUseCaseName = 80
	maxQuoted      = 160 // of a description's quotation
	maxCited       = 25  // places of a use case
)

func (e *extraction) policy(c *claim) model.Policy {
	f := &e.l.Claim
	clean := strings.TrimRight(c.statement, " .;")
	desc := strings.Replace(f.Policy[c.typ], "%s", clean+".", 1)
	if len(c.conditions) > 0 {
		desc += strings.Replace(f.When, "%s", strings.Join(c.conditions, "; "), 1)
	}
	if len(c.exceptions) > 0 {
		desc += strings.Replace(f.Unless, "%s", strings.Join(c.exceptions, "; "), 1)
	}
	name := c.statement
	if len(lang.Words(c.label)) >= 3 {
		name = c.label
	}
	p := model.Policy{
		Case: e.kind, Type: c.typ,
		Name:        e.l.Shorten(lang.Upper(name), maxPolicyName),
		Description: desc, Statement: strings.TrimSpace(c.statement),
		Evidence: e.cut(c.places), Conditions: c.conditions, Exceptions: c.exceptions,
		Supersedes: e.cut(c.supersedes),
	}
	if c.internal {
		no := false
		p.Testable, p.UntestableReason = &no, f.InternalReason
	}
	return p
}
