package extract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/prompt"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

const (
	windowChars  = 24000 // of document text in one prompt
	overlapChars = 3000  // shared by neighbouring windows
	maxLines     = 5     // of one piece of evidence
	fewItems     = 5     // below it, rules are asked too
)

// window is a part of a document that fits into one prompt.
type window struct {
	doc         *model.Document
	first, last int
	text        string
	context     string // headings that the first line stands under
}

// windows cuts the documents into parts that overlap.
func windows(docs []*model.Document) []*window {
	var out []*window
	for _, doc := range docs {
		hidden := hiddenLines(doc)
		size := func(n int) int {
			if hidden[n] {
				return 0
			}
			return utf8.RuneCountInString(doc.Line(n)) + 6
		}
		for first := 1; first <= doc.NumLines(); {
			last, chars := first, size(first)
			for last < doc.NumLines() && chars+size(last+1) <= windowChars {
				last++
				chars += size(last)
			}
			w := &window{doc: doc, first: first, last: last, text: numbered(doc, hidden, first, last), context: headings(doc, first)}
			if w.text != "" {
				out = append(out, w)
			}
			if last == doc.NumLines() {
				break
			}
			next, back := last+1, 0
			for next > first+1 && back+size(next-1) <= overlapChars {
				next--
				back += size(next)
			}
			first = next
		}
	}
	return out
}

func headings(doc *model.Document, line int) string {
	var path []string
	for i := range doc.Sections {
		s := &doc.Sections[i]
		if s.LineStart < line && line <= s.LineEnd {
			path = append(path, s.Title)
		}
	}
	return strings.Join(path, " / ")
}

// byModel reads the documents with the model. Claims point at lines; code cuts
// the evidence and refuses, after one repair, what the lines do not support.
func byModel(ctx context.Context, docs []*model.Document, o *Options) (*Result, error) {
	m := &modelReader{o: o, docs: docs, ws: windows(docs)}
	code := ""
	for _, d := range docs {
		code += d.Text() + "\n"
	}
	m.language = lang.Detect(code)
	m.lang, _ = lang.For(m.language) // nil without data: then nothing is counted by rules

	parts := make([]part, len(m.ws))
	limit := o.Concurrency
	if limit <= 0 {
		limit = 8
	}
	var group errgroup.Group
	group.SetLimit(limit)
	for i, w := range m.ws {
		group.Go(func() error {
			parts[i] = m.read(ctx, w, fmt.Sprintf("w%d", i+1))
			return nil
		})
	}
	_ = group.Wait() // always nil: a failure belongs to its window
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	res := &Result{Relevant: map[string][]string{}, Corner: map[string]string{}}
	var errs []error
	for i := range parts {
		if parts[i].err != nil {
			errs = append(errs, parts[i].err)
			res.Refused = append(res.Refused, model.Refusal{
				Check: "extract", Index: i,
				Reason: fmt.Sprintf("lines %d-%d of %s were not read: %v", m.ws[i].first, m.ws[i].last, m.ws[i].doc.Name, parts[i].err),
			})
		}
	}
	if len(errs) == len(parts) {
		return nil, errors.Join(errs...)
	}
	for _, err := range errs {
		var e *llm.Error
		if errors.As(err, &e) && e.Fatal() {
			return nil, err
		}
	}
	if err := m.settleCase(res, parts); err != nil {
		return nil, err
	}
	res.Language = m.language
	if res.Language == "" {
		for i := range parts {
			if res.Language = parts[i].language; res.Language != "" {
				break
			}
		}
	}
	m.assemble(res, parts)
	if len(res.UseCases) == 0 || len(res.Policies) == 0 {
		return nil, fmt.Errorf("extract: of what the model proposed, %d use cases and %d policies are supported by the document", len(res.UseCases), len(res.Policies))
	}
	return res, nil
}

// modelReader is the state of one extraction by model.
type modelReader struct {
	o        *Options
	docs     []*model.Document
	ws       []*window
	language string
	lang     *lang.Language
}

// part is what one window brought, with its claims checked.
type part struct {
	agent    string
	language string
	ucs      []useCaseClaim
	policies []policyClaim
	pairs    []contradictionClaim
	refused  []model.Refusal
	err      error
}

func (m *modelReader) ask(ctx context.Context) (context.Context, context.CancelFunc) {
	d := m.o.CallTimeout
	if d <= 0 {
		d = 2 * time.Minute
	}
	return context.WithTimeout(ctx, d)
}

func request(purpose, system, user string) *llm.Request {
	return &llm.Request{Purpose: purpose, Messages: []llm.Message{
		{Role: llm.RoleSystem, Content: system}, {Role: llm.RoleUser, Content: user},
	}}
}

func (m *modelReader) read(ctx context.Context, w *window, prefix string) part {
	callCtx, cancel := m.ask(ctx)
	ur, _, err := llm.Ask[useCaseReply](callCtx, m.o.Client, request("extract_use_cases", useCaseSystem, documentMessage(w)+"\nFind all use cases."))
	cancel()
	if err != nil {
		return part{err: err}
	}
	p := part{agent: ur.Agent, language: ur.Language, ucs: ur.UseCases}
	callCtx, cancel = m.ask(ctx)
	pr, _, err := llm.Ask[policyReply](callCtx, m.o.Client, request("extract_policies", policySystem, policiesMessage(w, p.ucs)))
	cancel()
	if err != nil {
		return part{err: err}
	}
	p.policies, p.pairs = pr.Policies, pr.Contradictions
	m.repair(ctx, w, &p)

	// Keys are the model's own and may repeat between windows.
	rename := map[string]string{}
	for i := range p.ucs {
		rename[p.ucs[i].Key] = prefix + "/" + p.ucs[i].Key
		p.ucs[i].Key = rename[p.ucs[i].Key]
	}
	for i := range p.policies {
		pol := &p.policies[i]
		pol.Key = prefix + "/" + pol.Key
		for k, u := range pol.UseCases {
			pol.UseCases[k] = rename[u]
		}
	}
	for i := range p.pairs {
		for k, key := range p.pairs[i].Policies {
			p.pairs[i].Policies[k] = prefix + "/" + key
		}
	}
	return p
}

// repair checks the claims of a window, asks the model once to mend those that
// do not hold and to look at what no claim cites, and refuses the rest.
func (m *modelReader) repair(ctx context.Context, w *window, p *part) {
	var problems []string
	bad := map[string]string{}
	for i := range p.ucs {
		u := &p.ucs[i]
		var why string
		if u.Lines, why = m.supported(w, u.Lines, u.Name+" "+u.Description, false); why == "" {
			why = m.useCaseFault(w, p.ucs[:i], u)
		}
		if why != "" {
			bad[u.Key] = why
			problems = append(problems, fmt.Sprintf("use case %s (%s): %s", u.Key, prompt.Fence(u.Name), why))
		}
	}
	for i := range p.policies {
		pol := &p.policies[i]
		var why string
		if pol.Lines, why = m.supported(w, pol.Lines, pol.Statement, true); why == "" && strings.TrimSpace(pol.Statement) == "" {
			why = "it has no statement"
		}
		if why != "" {
			bad[pol.Key] = why
			problems = append(problems, fmt.Sprintf("policy %s (%s): %s", pol.Key, prompt.Fence(pol.Statement), why))
		}
	}
	missing := m.uncited(w, p)
	if len(problems) == 0 && len(missing) == 0 {
		return
	}
	callCtx, cancel := m.ask(ctx)
	defer cancel()
	rep, _, err := llm.Ask[repairReply](callCtx, m.o.Client, request("extract_repair", repairSystem, repairMessage(w, p, problems, missing)))
	if err == nil {
		m.mend(w, p, rep, bad)
	}
	drop := func(key, name string) bool {
		why, refused := bad[key]
		if refused {
			p.refused = append(p.refused, model.Refusal{Check: "support", Reason: fmt.Sprintf("%s: %s", prompt.Clip(name, 120), why)})
		}
		return refused
	}
	p.ucs = slices.DeleteFunc(p.ucs, func(u useCaseClaim) bool { return drop(u.Key, u.Name) })
	p.policies = slices.DeleteFunc(p.policies, func(pol policyClaim) bool { return drop(pol.Key, pol.Statement) })
}

const repairSystem = commonSystem + `
Use cases and policies were found in the document. Some cannot be used as they are, and some lines are cited by none.
- Mend what can be mended: give the claim again, whole, with the same key. Cite the lines that really state it.
- Drop what the document does not support.
- For a line that nothing cites, decide: it belongs to an existing claim (give that claim again, with its lines and this one), it is a use case or policy of its own (give it with a new key), or it is neither (leave it out).`

func repairMessage(w *window, p *part, problems, missing []string) string {
	var b strings.Builder
	b.WriteString(documentMessage(w))
	b.WriteString("\n<found>\n")
	for _, u := range p.ucs {
		fmt.Fprintf(&b, "%s: %s %s\n", u.Key, prompt.Fence(u.Name), showLines(u.Lines))
	}
	for _, pol := range p.policies {
		fmt.Fprintf(&b, "%s (%s): %s %s\n", pol.Key, pol.Type, prompt.Fence(pol.Statement), showLines(pol.Lines))
	}
	b.WriteString("</found>\n")
	if len(problems) > 0 {
		b.WriteString("\nCannot be used:\n- " + strings.Join(problems, "\n- ") + "\n")
	}
	if len(missing) > 0 {
		b.WriteString("\nCited by nothing:\n- " + strings.Join(missing, "\n- ") + "\n")
	}
	return b.String()
}

func showLines(ls []lines) string {
	parts := make([]string, len(ls))
	for i, l := range ls {
		parts[i] = fmt.Sprintf("%d-%d", l.First, l.Last)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// mend takes over what a repair brought and still checks it.
func (m *modelReader) mend(w *window, p *part, rep repairReply, bad map[string]string) {
	for _, key := range rep.Dropped {
		if _, known := bad[key]; known {
			bad[key] += "; the model withdrew it"
		}
	}
	for _, u := range rep.UseCases {
		var why string
		if u.Lines, why = m.supported(w, u.Lines, u.Name+" "+u.Description, false); why != "" {
			continue
		}
		i := slices.IndexFunc(p.ucs, func(x useCaseClaim) bool { return x.Key == u.Key })
		others := slices.Clone(p.ucs)
		if i >= 0 {
			others = slices.Delete(others, i, i+1)
		}
		if m.useCaseFault(w, others, &u) != "" {
			continue
		}
		if i >= 0 {
			p.ucs[i] = u
			delete(bad, u.Key)
		} else {
			p.ucs = append(p.ucs, u)
		}
	}
	for _, pol := range rep.Policies {
		var why string
		if pol.Lines, why = m.supported(w, pol.Lines, pol.Statement, true); why != "" || strings.TrimSpace(pol.Statement) == "" {
			continue
		}
		if i := slices.IndexFunc(p.policies, func(x policyClaim) bool { return x.Key == pol.Key }); i >= 0 {
			p.policies[i] = pol
			delete(bad, pol.Key)
		} else {
			p.policies = append(p.policies, pol)
		}
	}
}

// useCaseFault returns what is wrong with a use case beside its evidence.
func (m *modelReader) useCaseFault(w *window, others []useCaseClaim, u *useCaseClaim) string {
	name := fold(u.Name)
	if name == "" {
		return "it has no name"
	}
	for i := range w.doc.Sections {
		if fold(w.doc.Sections[i].Title) == name {
			return "its name is a heading of the document; name the person's task"
		}
	}
	for i := range others {
		if fold(others[i].Name) == name {
			return fmt.Sprintf("it has the name of %s; join the two or name the difference", others[i].Key)
		}
	}
	if strings.TrimSpace(u.Description) == "" {
		return "it has no description"
	}
	return ""
}

// supported returns the ranges of a claim that can be evidence, each cut to at
// most maxLines lines, and what is wrong when the claim is not supported: no
// such lines, lines that state nothing, or lines that share no word with it or
// lack one of its numbers.
func (m *modelReader) supported(w *window, ranges []lines, claim string, exact bool) ([]lines, string) {
	var kept []lines
	var text strings.Builder
	for _, r := range ranges {
		if r.First > r.Last {
			r.First, r.Last = r.Last, r.First
		}
		if r.First < w.first || r.Last > w.last {
			continue
		}
		for first := r.First; first <= r.Last; first += maxLines {
			last := min(first+maxLines-1, r.Last)
			a, b, ok := w.doc.Tighten(first, last)
			if !ok || !w.doc.Supports(a, b) || slices.Contains(kept, lines{a, b}) {
				continue
			}
			if slices.ContainsFunc(kept, func(k lines) bool { return k.First <= a && b <= k.Last }) {
				continue
			}
			kept = append(kept, lines{a, b})
			for n := a; n <= b; n++ {
				text.WriteString(w.doc.Line(n) + "\n")
			}
		}
	}
	slices.SortFunc(kept, func(a, b lines) int { return cmp.Compare(a.First, b.First) })
	if len(kept) == 0 {
		return kept, fmt.Sprintf("the cited lines do not exist in %d-%d, or are a heading, blank or a rule", w.first, w.last)
	}
	// The headings above a line are part of what it says.
	for _, k := range kept {
		text.WriteString(headings(w.doc, k.First) + "\n")
	}
	cited := prefixes(text.String())
	if exact {
		for n := range digitRuns(claim) {
			if !digitRuns(text.String())[n] {
				return kept, fmt.Sprintf("the number %s does not stand in the cited lines", n)
			}
		}
	}
	claimed, shared := prefixes(claim), 0
	for p := range claimed {
		if cited[p] {
			shared++
		}
	}
	need := 1
	if exact {
		need = max(1, len(claimed)/4)
	}
	if shared < need && len(claimed) > 0 {
		return kept, "the cited lines do not speak about it"
	}
	return kept, ""
}

// uncited describes the tickets that no use case cites and the obligations
// that no policy cites.
func (m *modelReader) uncited(w *window, p *part) []string {
	var out []string
	cited := func(get func() [][]lines, first, last int) bool {
		for _, ls := range get() {
			if slices.ContainsFunc(ls, func(l lines) bool { return l.First <= last && first <= l.Last }) {
				return true
			}
		}
		return false
	}
	ucs := func() (all [][]lines) {
		for i := range p.ucs {
			all = append(all, p.ucs[i].Lines)
		}
		return all
	}
	pols := func() (all [][]lines) {
		for i := range p.policies {
			all = append(all, p.policies[i].Lines, p.policies[i].Supersedes)
		}
		return all
	}
	for _, t := range w.doc.Tickets {
		if t.LineStart >= w.first && t.LineEnd <= w.last && !cited(ucs, t.LineStart, t.LineEnd) {
			out = append(out, fmt.Sprintf("line %d is a ticket; which use case is it?", t.LineStart))
		}
	}
	if m.lang == nil {
		return out
	}
	for i := range w.doc.Blocks {
		b := &w.doc.Blocks[i]
		if !b.InForce() || b.Table >= 0 || b.LineStart < w.first || b.LineEnd > w.last || cited(pols, b.LineStart, b.LineEnd) {
			continue
		}
		for _, s := range lang.Sentences(b.Text) {
			if len(m.lang.Norms(s)) > 0 {
				out = append(out, fmt.Sprintf("line %d seems to state a rule", b.LineStart))
				break
			}
		}
	}
	return out
}

func (m *modelReader) settleCase(res *Result, parts []part) error {
	if m.o.Profile != nil {
		res.Case = m.o.Profile.Case
		return nil
	}
	scores := map[model.Case]int{}
	for i := range parts {
		if c := model.Case(parts[i].agent); c == model.CaseSupportBot || c == model.CaseOperatorQuality {
			scores[c]++
		}
	}
	switch a, b := scores[model.CaseSupportBot], scores[model.CaseOperatorQuality]; {
	case a > b:
		res.Case = model.CaseSupportBot
	case b > a:
		res.Case = model.CaseOperatorQuality
	default:
		return &CaseError{Scores: scores}
	}
	return nil
}

// assemble merges the windows and turns claims into the contract's types.
func (m *modelReader) assemble(res *Result, parts []part) {
	type claimed struct {
		w   *window
		uc  useCaseClaim
		pol policyClaim
		ev  []model.Evidence
	}
	var ucs, pols []claimed
	alias := map[string]string{} // key of a merged claim -> key of the one that stayed
	for i := range parts {
		w := m.ws[i]
		res.Refused = append(res.Refused, parts[i].refused...)
		for _, u := range parts[i].ucs {
			ev := m.cut(w, u.Lines)
			k := slices.IndexFunc(ucs, func(c claimed) bool { return same(c.uc.Name, u.Name, c.ev, ev) })
			if k >= 0 {
				ucs[k].ev = join(ucs[k].ev, ev)
				alias[u.Key] = ucs[k].uc.Key
				continue
			}
			alias[u.Key] = u.Key
			ucs = append(ucs, claimed{w: w, uc: u, ev: ev})
		}
		for _, p := range parts[i].policies {
			ev := m.cut(w, p.Lines)
			k := slices.IndexFunc(pols, func(c claimed) bool {
				return c.pol.Type == p.Type && same(c.pol.Statement, p.Statement, c.ev, ev)
			})
			if k >= 0 {
				pols[k].ev = join(pols[k].ev, ev)
				pols[k].pol.UseCases = append(pols[k].pol.UseCases, p.UseCases...)
				alias[p.Key] = pols[k].pol.Key
				continue
			}
			alias[p.Key] = p.Key
			pols = append(pols, claimed{w: w, pol: p, ev: ev})
		}
	}
	order := map[string]int{}
	for i, d := range m.docs {
		order[d.Name] = i
	}
	byPlace := func(a, b claimed) int {
		return cmp.Or(cmp.Compare(order[a.ev[0].InputFile], order[b.ev[0].InputFile]), cmp.Compare(a.ev[0].LineStart, b.ev[0].LineStart))
	}
	slices.SortStableFunc(ucs, byPlace)
	slices.SortStableFunc(pols, byPlace)

	var ids model.IDs
	ucID, polID := map[string]string{}, map[string]string{}
	for _, c := range ucs {
		u := model.UseCase{ID: ids.Make("uc_", c.uc.Name), Case: res.Case, Name: oneLine(c.uc.Name), Description: oneLine(c.uc.Description), Evidence: c.ev}
		ucID[c.uc.Key] = u.ID
		if c.uc.Corner != "" && c.uc.Corner != "none" {
			res.Corner[u.ID] = c.uc.Corner
		}
		res.UseCases = append(res.UseCases, u)
	}
	links := map[string][]string{} // use case id -> policy ids
	for _, c := range pols {
		p := model.Policy{
			Case: res.Case, Type: model.PolicyType(c.pol.Type), Name: oneLine(c.pol.Name), Description: oneLine(c.pol.Description),
			Statement: oneLine(c.pol.Statement), Conditions: nonEmpty(c.pol.Conditions), Exceptions: nonEmpty(c.pol.Exceptions), Evidence: c.ev,
		}
		p.Name = cmp.Or(p.Name, prompt.Clip(p.Statement, 60))
		p.Description = cmp.Or(p.Description, p.Statement)
		p.ID = ids.Make("pol_", p.Name)
		if !c.pol.Testable {
			no := false
			p.Testable, p.UntestableReason = &no, cmp.Or(oneLine(c.pol.Untestable), p.Statement)
		}
		if len(c.pol.Supersedes) > 0 {
			p.Supersedes = m.cut(c.w, c.pol.Supersedes)
		}
		polID[c.pol.Key] = p.ID
		for _, key := range c.pol.UseCases {
			if id := ucID[alias[key]]; id != "" && !slices.Contains(links[id], p.ID) {
				links[id] = append(links[id], p.ID)
			}
		}
		res.Policies = append(res.Policies, p)
	}
	for i := range parts {
		for _, pair := range parts[i].pairs {
			if len(pair.Policies) != 2 {
				continue
			}
			a, b := polID[alias[pair.Policies[0]]], polID[alias[pair.Policies[1]]]
			if a != "" && b != "" && a != b {
				res.Contradictions = append(res.Contradictions, Contradiction{PolicyIDs: []string{a, b}, Reason: oneLine(pair.Reason)})
			}
		}
	}
	m.relate(res, links)
	m.count(res)
}

// relate orders the policies of each use case: those that share lines with it
// first, then those that share words. A use case without any gets the one that
// is most like it.
func (m *modelReader) relate(res *Result, links map[string][]string) {
	pol := map[string]*model.Policy{}
	for i := range res.Policies {
		pol[res.Policies[i].ID] = &res.Policies[i]
	}
	for i := range res.UseCases {
		u := &res.UseCases[i]
		ids := links[u.ID]
		score := func(id string) int {
			s := 0
			for _, e := range pol[id].Evidence {
				for _, f := range u.Evidence {
					if e.InputFile == f.InputFile && e.LineStart <= f.LineEnd && f.LineStart <= e.LineEnd {
						s += 100
					}
				}
			}
			return s + overlap(pol[id].Statement, u.Name+" "+u.Description+" "+quotesOf(u.Evidence))
		}
		if len(ids) == 0 {
			best, most := "", -1
			for k := range res.Policies {
				if s := score(res.Policies[k].ID); s > most {
					best, most = res.Policies[k].ID, s
				}
			}
			ids = []string{best}
		}
		scores := map[string]int{}
		for _, id := range ids {
			scores[id] = score(id)
		}
		slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(scores[b], scores[a]) })
		res.Relevant[u.ID] = ids
	}
}

// count finds the sentences of obligation that no policy cites.
func (m *modelReader) count(res *Result) {
	if m.lang == nil {
		return
	}
	for _, d := range m.docs {
		for i := range d.Blocks {
			b := &d.Blocks[i]
			if !b.InForce() || b.Table >= 0 {
				continue
			}
			norms := 0
			for _, s := range lang.Sentences(b.Text) {
				norms += min(1, len(m.lang.Norms(s)))
			}
			if norms == 0 {
				continue
			}
			res.Obligations += norms
			cited := slices.ContainsFunc(res.Policies, func(p model.Policy) bool {
				return slices.ContainsFunc(slices.Concat(p.Evidence, p.Supersedes), func(e model.Evidence) bool {
					return e.InputFile == d.Name && e.LineStart <= b.LineEnd && b.LineStart <= e.LineEnd
				})
			})
			if ev, err := d.Cut(b.LineStart, b.LineEnd); !cited && err == nil {
				res.Unmapped = append(res.Unmapped, ev)
			}
		}
	}
}

func (m *modelReader) cut(w *window, ls []lines) []model.Evidence {
	var out []model.Evidence
	for _, l := range ls {
		if ev, err := w.doc.Cut(l.First, l.Last); err == nil {
			out = append(out, ev)
		}
	}
	return out
}

func join(a, b []model.Evidence) []model.Evidence {
	for _, e := range b {
		if !slices.Contains(a, e) {
			a = append(a, e)
		}
	}
	slices.SortStableFunc(a, func(x, y model.Evidence) int {
		return cmp.Or(cmp.Compare(x.InputFile, y.InputFile), cmp.Compare(x.LineStart, y.LineStart))
	})
	return a
}

// same reports whether two claims of neighbouring windows, or of one, are one:
// equal texts, or common lines and mostly common words.
func same(a, b string, ea, eb []model.Evidence) bool {
	if fold(a) == fold(b) {
		return true
	}
	na, nb := digitRuns(a), digitRuns(b)
	for n := range na {
		if !nb[n] {
			return false
		}
	}
	pa, pb := prefixes(a), prefixes(b)
	common := 0
	for p := range pa {
		if pb[p] {
			common++
		}
	}
	union := len(pa) + len(pb) - common
	share := slices.ContainsFunc(ea, func(x model.Evidence) bool {
		return slices.ContainsFunc(eb, func(y model.Evidence) bool {
			return x.InputFile == y.InputFile && x.LineStart <= y.LineEnd && y.LineStart <= x.LineEnd
		})
	})
	if share {
		return common*2 >= union && len(na) == len(nb)
	}
	return common*10 >= union*9 && len(na) == len(nb)
}

func quotesOf(ev []model.Evidence) string {
	s := ""
	for _, e := range ev {
		s += e.Quote + "\n"
	}
	return s
}

func overlap(a, b string) int {
	pb, n := prefixes(b), 0
	for p := range prefixes(a) {
		if pb[p] {
			n++
		}
	}
	return n
}

// prefixes are the beginnings of the longer words of a text: a stem that works
// in any inflected language. Scripts without spaces give pairs of runes.
func prefixes(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range lang.Words(text) {
		r := []rune(w)
		switch {
		case len(r) >= 1 && (unicode.Is(unicode.Han, r[0]) || unicode.Is(unicode.Hiragana, r[0]) || unicode.Is(unicode.Katakana, r[0]) || unicode.Is(unicode.Thai, r[0])):
			for i := 0; i+1 < len(r); i++ {
				out[string(r[i:i+2])] = true
			}
		case len(r) >= 4:
			out[string(r[:min(5, max(4, len(r)-2))])] = true
		}
	}
	return out
}

// digitRuns are the runs of digits in a text.
func digitRuns(text string) map[string]bool {
	out := map[string]bool{}
	for _, f := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsDigit(r) }) {
		out[strings.TrimLeft(f, "0")] = true
	}
	return out
}

func fold(s string) string { return strings.Join(lang.Words(s), " ") }

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func nonEmpty(in []string) []string {
	var out []string
	for _, s := range in {
		if s = oneLine(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}
