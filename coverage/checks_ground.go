package coverage

import (
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

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
		texts := readBlocks(l, d.Blocks)
		for i := range d.Blocks {
			b := &d.Blocks[i]
			if !read(b) {
				continue
			}
			if b.Kind == model.BlockHeading {
				g.headings[Fold(b.Text)] = true
			}
			if b.Lead != "" {
				g.headings[Fold(b.Lead)] = true
			}
			g.place(texts[b.Text], d.Name, b.LineStart, b.LineEnd)
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

// read reports whether a block grounds anything.
func read(b *model.Block) bool {
	return b.Kind != model.BlockComment && b.Kind != model.BlockMatter && b.Kind != model.BlockRule
}

// readBlocks reads the texts of blocks side by side, each once.
func readBlocks(l *lang.Language, blocks []model.Block) map[string]*textRead {
	texts := map[string]*textRead{}
	var order []*textRead
	for i := range blocks {
		if b := &blocks[i]; read(b) && texts[b.Text] == nil {
			t := &textRead{text: b.Text}
			texts[b.Text] = t
			order = append(order, t)
		}
	}
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for some := range slices.Chunk(order, 64) {
		group.Go(func() error {
			for _, t := range some {
				*t = *readText(l, t.text)
			}
			return nil
		})
	}
	_ = group.Wait() // always nil
	return texts
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
	g.place(readText(l, text), doc, start, end)
}

func (g *Ground) place(t *textRead, doc string, start, end int) {
	for _, q := range g.put(t) {
		if !q.bare {
			g.amountAt[q.base()] = append(g.amountAt[q.base()], len(g.placed))
		}
		g.placed = append(g.placed, placedQuantity{q, doc, start, end})
	}
	for _, tok := range t.toks {
		if w := t.text[tok.Start:tok.End]; inCapitals(w, 4) {
			g.capitals[w] = true
		}
	}
	g.noAccess = g.noAccess || t.noAccess
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

// add reads a text into the source.
func (s *basis) add(l *lang.Language, text string) { s.put(readText(l, text)) }

// textRead is what a text gives a basis.
type textRead struct {
	text     string
	facts    []located
	toks     []lang.Token
	promises []int
	words    []string // numbers written in words
	amounts  []quantity
	bare     map[unitAmount]bool
	noAccess bool
}

func readText(l *lang.Language, text string) *textRead {
	t := &textRead{text: text}
	if text == "" {
		return t
	}
	t.facts, t.toks = findFacts(text), lang.Tokens(text)
	if l == nil {
		return t
	}
	for _, h := range l.Marks.Promise.All(t.toks) {
		t.promises = append(t.promises, h.Phrase)
	}
	for i := range t.toks {
		if v, n, words, ok := number(l, t.toks, i); ok && words && v >= 2 && n > 0 {
			t.words = append(t.words, itoa(v))
		}
	}
	t.amounts, t.bare = measures(l, text)
	_, t.noAccess = l.Marks.NoAccess.Find(t.toks)
	return t
}

// put adds what was read; a text may be added more than once.
func (s *basis) put(t *textRead) []quantity {
	for i := range t.facts {
		f := &t.facts[i]
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
	if strings.ContainsAny(t.text, "0123456789") {
		s.texts = append(s.texts, strings.ToLower(t.text))
	}
	for _, w := range t.toks {
		s.words[w.Text] = true
	}
	for _, p := range t.promises {
		s.promises[p] = true
	}
	for _, n := range t.words {
		s.nums[n], s.plain[n] = true, true
	}
	for i := range t.amounts {
		q := &t.amounts[i]
		s.amounts[q.base()] = true
		s.byValue[q.value] = append(s.byValue[q.value], q.base())
		if !q.words {
			s.loose[itoa(q.value)]--
		}
	}
	for u := range t.bare {
		s.bare[u] = true
	}
	return t.amounts
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
