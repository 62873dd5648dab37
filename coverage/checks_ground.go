package coverage

import (
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Ground is what documents say, prepared for the checks that compare an answer
// with them. It is immutable and safe for concurrent use.
type Ground struct {
	basis
	placed   []placedQuantity
	amountAt map[unitAmount][]int // of placed, but for units alone
	headings map[string]bool      // folded
	capitals map[string]bool      // words that the documents write in capitals
	stems    map[string]bool
	noAccess bool
	sources  *sources
	rules    *ruleBook // nil until WithPolicies
}

// placedQuantity is a quantity of a document and the lines of its block.
type placedQuantity struct {
	quantity
	doc        string
	start, end int
}

// NewGround reads documents; l is nil for a language without data. Comments and
// front matter are not in force and ground nothing.
func NewGround(l *lang.Language, docs []*model.Document) *Ground {
	g := &Ground{basis: newBasis(), headings: map[string]bool{}, capitals: map[string]bool{}, stems: map[string]bool{}, amountAt: map[unitAmount][]int{}, sources: newSources(docs)}
	for _, d := range docs {
		if d == nil {
			continue
		}
		for i := range d.Blocks {
			b := &d.Blocks[i]
			switch b.Kind {
			case model.BlockComment, model.BlockMatter, model.BlockRule:
				continue
			case model.BlockHeading:
				g.headings[Fold(b.Text)] = true
			}
			if b.Lead != "" {
				g.headings[Fold(b.Lead)] = true
			}
			g.read(l, b.Text, d.Name, b.LineStart, b.LineEnd)
		}
		for i := range d.QAs {
			if d.QAs[i].Topic {
				g.headings[Fold(d.QAs[i].Question)] = true
			}
		}
	}
	delete(g.headings, "")
	g.finish(l)
	return g
}

// finish takes the stems of the words that were read.
func (g *Ground) finish(l *lang.Language) {
	if l == nil {
		return
	}
	for w := range g.words {
		if !l.IsStop(w) {
			g.stems[l.Stem(w)] = true
		}
	}
}

// covers reports whether the documents have most content words of a text.
func (g *Ground) covers(l *lang.Language, text string) bool {
	stems := l.Stems(text)
	known := 0
	for _, s := range stems {
		if g.stems[s] {
			known++
		}
	}
	return known > 0 && known*2 >= len(stems)
}

// read adds one block.
func (g *Ground) read(l *lang.Language, text, doc string, start, end int) {
	for _, q := range g.add(l, text) {
		if !q.bare {
			g.amountAt[q.base()] = append(g.amountAt[q.base()], len(g.placed))
		}
		g.placed = append(g.placed, placedQuantity{q, doc, start, end})
	}
	if text != strings.ToLower(text) {
		for _, t := range lang.Tokens(text) {
			if w := text[t.Start:t.End]; inCapitals(w, 4) {
				g.capitals[w] = true
			}
		}
	}
	if l != nil && !g.noAccess {
		g.noAccess = l.Marks.NoAccess.In(text)
	}
}

// ground returns the candidate's ground, or makes one of what it has.
func (c *Candidate) ground() *Ground {
	if c.Ground != nil {
		return c.Ground
	}
	g := NewGround(c.Lang, c.Documents)
	if len(c.Documents) == 0 {
		g.read(c.Lang, c.UseCase.Name+"\n"+c.UseCase.Description, "", 0, 0)
		evidence := slices.Clone(c.UseCase.Evidence)
		for _, p := range c.policies() {
			g.read(c.Lang, strings.Join(append([]string{p.Statement, p.Description}, append(p.Conditions, p.Exceptions...)...), "\n"), "", 0, 0)
			evidence = append(evidence, p.Evidence...)
		}
		for _, e := range evidence {
			g.read(c.Lang, e.Quote, e.InputFile, e.LineStart, e.LineEnd)
		}
		g.finish(c.Lang)
	}
	return g
}

// basis is a text that an answer may take its facts from.
type basis struct {
	facts    map[FactKind]map[string]bool
	nums     map[string]bool
	plain    map[string]bool // those that are no part of a date or time
	texts    []string        // folded for case, for facts written alike but read differently
	amounts  map[unitAmount]bool
	byValue  map[int][]unitAmount
	bare     map[unitAmount]bool
	loose    map[string]int // numbers, by how often they stand
	words    map[string]bool
	promises map[int]bool
}

func newBasis() basis {
	return basis{
		facts: map[FactKind]map[string]bool{}, nums: map[string]bool{}, plain: map[string]bool{}, amounts: map[unitAmount]bool{}, byValue: map[int][]unitAmount{},
		bare: map[unitAmount]bool{}, loose: map[string]int{}, words: map[string]bool{}, promises: map[int]bool{},
	}
}

// add reads a text into the source and returns its quantities.
func (s *basis) add(l *lang.Language, text string) []quantity {
	if text == "" {
		return nil
	}
	for _, f := range findFacts(text) {
		if s.facts[f.Kind] == nil {
			s.facts[f.Kind] = map[string]bool{}
		}
		s.facts[f.Kind][f.Norm] = true
		for _, n := range f.nums {
			s.nums[n] = true
			if f.Kind != FactDate && f.Kind != FactTime {
				s.plain[n] = true
			}
			if f.Kind == FactNumber {
				s.loose[n]++
			}
		}
	}
	if strings.ContainsAny(text, "0123456789") {
		s.texts = append(s.texts, strings.ToLower(text))
	}
	toks := lang.Tokens(text)
	for _, t := range toks {
		s.words[t.Text] = true
	}
	if l == nil {
		return nil
	}
	for _, h := range l.Marks.Promise.All(toks) {
		s.promises[h.Phrase] = true
	}
	for i := range toks {
		if v, n, words, ok := number(l, text, toks, i); ok && words && v >= 2 && n > 0 {
			s.nums[itoa(v)], s.plain[itoa(v)] = true, true
		}
	}
	qs, bare := measures(l, text)
	for i := range qs {
		q := &qs[i]
		s.amounts[q.base()] = true
		s.byValue[q.value] = append(s.byValue[q.value], q.base())
		if !q.words {
			s.loose[itoa(q.value)]--
		}
	}
	for u := range bare {
		s.bare[u] = true
	}
	return qs
}

// supports reports whether the source has the fact, in whatever form.
func (s *basis) supports(f *located) bool {
	if s.facts[f.Kind][f.Norm] {
		return true
	}
	switch f.Kind {
	case FactNumber, FactAmount:
		return s.nums[f.nums[0]]
	case FactTime:
		if strings.HasSuffix(f.Norm, ":00") && (s.nums[strings.TrimPrefix(strings.TrimSuffix(f.Norm, ":00"), "0")] || s.nums[f.nums[0]]) {
			return true
		}
	case FactDate:
		if len(f.Norm) == len("01-02") {
			for n := range s.facts[FactDate] {
				if strings.HasSuffix(n, "-"+f.Norm) {
					return true
				}
			}
		}
	case FactID:
		if s.facts[FactNumber][strings.TrimLeft(f.Norm, "0")] {
			return true
		}
	case FactPhone:
		return false // a longer number must not pass for a part of it
	case FactPercent:
		return s.amounts[unitAmount{"percent", atoi(f.nums[0])}]
	}
	return s.contains(strings.ToLower(f.Text))
}

// contains reports whether the source has the text between word boundaries.
func (s *basis) contains(text string) bool {
	for _, t := range s.texts {
		for at := 0; ; {
			i := strings.Index(t[at:], text)
			if i < 0 {
				break
			}
			i += at
			if bounded(t, i, i+len(text), FactID) {
				return true
			}
			at = i + 1
		}
	}
	return false
}
