package orchestrate

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/vector"
	"github.com/casebook-go/casebook/model"
)

// placer finds the use case and the policies of foreign records. All cuts are
// relative: to the best match of a record, and to how alike the use cases of
// the documents are among themselves.
type placer struct {
	im       *importer
	useCases [][]float32
	policies [][]float32
	base     float64         // how alike two use cases are that have nothing to do with each other
	lexical  bool            // vectors compare words, so what shares no word matches nothing
	known    map[string]bool // content words of the documents
	lines    []lineSet       // of use cases
	ruled    []lineSet       // of policies
}

// mostPolicies bounds how many policies a foreign record is placed under.
const mostPolicies = 3

func (im *importer) newPlacer(ctx context.Context, drafts []draft) (*placer, [][]float32, error) {
	p := &placer{im: im, known: map[string]bool{}}
	var texts, corpus []string
	for i := range im.ex.UseCases {
		uc := &im.ex.UseCases[i]
		texts = append(texts, uc.Name+"\n"+uc.Description+"\n"+quotes(uc.Evidence))
		p.lines = append(p.lines, linesOf(uc.Evidence))
	}
	for i := range im.ex.Policies {
		pol := &im.ex.Policies[i]
		texts = append(texts, pol.Statement+"\n"+quotes(pol.Evidence))
		p.ruled = append(p.ruled, linesOf(pol.Evidence))
	}
	n, m := len(im.ex.UseCases), len(im.ex.Policies)
	for i := range drafts {
		texts = append(texts, drafts[i].text())
	}
	for i := range im.ex.UseCases {
		for _, w := range im.contentWords(im.ex.UseCases[i].Name) {
			p.known[w] = true
		}
	}
	for _, d := range im.in.Documents {
		for i := range d.Blocks {
			corpus = append(corpus, d.Blocks[i].Text)
			if !d.Blocks[i].InForce() {
				continue // what only a heading says belongs to no use case
			}
			for _, w := range im.contentWords(d.Blocks[i].Text) {
				p.known[w] = true
			}
		}
	}
	embedder := im.embedder
	if p.lexical = embedder == nil; p.lexical {
		embedder = llm.NewLexical(corpus)
	}
	vecs, err := vector.Embed(ctx, embedder, texts)
	p.lexical = p.lexical || err != nil // the vectors are lexical ones then, and the embedder has said so
	if len(vecs) != len(texts) {
		return nil, nil, err
	}
	p.useCases, p.policies = vecs[:n], vecs[n:n+m]
	var pairs []float64
	for i := range p.useCases {
		for k := range i {
			pairs = append(pairs, llm.Cosine(p.useCases[i], p.useCases[k]))
		}
	}
	slices.Sort(pairs)
	if len(pairs) > 0 {
		p.base = pairs[len(pairs)/2]
	}
	return p, vecs[n+m:], nil
}

func (d *draft) text() string {
	return coverage.InputText(&d.example.Input) + "\n" + d.example.ExpectedOutput
}

// contentWords are the words of a text that say what it is about: stems without
// stop words, or the beginnings of longer words in a language without data.
func (im *importer) contentWords(text string) []string {
	if im.lang != nil {
		return im.lang.Stems(text)
	}
	const most = 5
	var out []string
	for _, w := range lang.Words(text) {
		if r := []rune(w); len(r) >= most {
			out = append(out, string(r[:most]))
		}
	}
	return out
}

// place finds the use case and the policies of each draft, refuses those that
// match nothing or break the contract, and returns the others.
func (im *importer) place(ctx context.Context, drafts []draft) ([]draft, error) {
	if len(drafts) == 0 {
		return nil, nil
	}
	p, vecs, err := im.newPlacer(ctx, drafts)
	if err != nil {
		return nil, err
	}
	var out []draft
	for i := range drafts {
		d := &drafts[i]
		if !im.shape(d) {
			continue
		}
		uc := p.useCase(d, vecs[i])
		if uc < 0 {
			im.refuse(d.index, CheckPlace, im.unplaced(d)+", and its words do not say which use case of the documents it belongs to")
			continue
		}
		d.useCase = im.ex.UseCases[uc].ID
		d.policies = p.policiesOf(d, vecs[i])
		if len(d.policies) == 0 {
			im.refuse(d.index, CheckPlace, "no policy of the documents has to do with it")
			continue
		}
		im.describe(d)
		if why := im.breaks(d); why != "" {
			im.refuse(d.index, CheckContract, why)
			continue
		}
		out = append(out, *d)
	}
	return out, nil
}

// unplaced says why the contexts of a draft do not place it.
func (im *importer) unplaced(d *draft) string {
	contexts, err := im.in.Framework.Contexts(d.record)
	switch {
	case err != nil || len(contexts) == 0:
		return "it names no context"
	case d.located:
		return "its contexts state nothing: they are headings"
	default:
		return "its contexts do not stand in the documents"
	}
}

// lineSet are the lines of evidence, by document.
type lineSet map[string]map[int]bool

func linesOf(ev []model.Evidence) lineSet {
	s := lineSet{}
	for _, e := range ev {
		s.add(e.InputFile, e.LineStart, e.LineEnd)
	}
	return s
}

func (s lineSet) add(doc string, from, to int) {
	if s[doc] == nil {
		s[doc] = map[int]bool{}
	}
	for n := from; n <= to; n++ {
		s[doc][n] = true
	}
}

// within is the share of the lines of s that t has: whole documents as contexts
// say nothing, and must not speak for what is said in most places.
func (s lineSet) within(t lineSet) float64 {
	both, all := 0, 0
	for doc, lines := range s {
		all += len(lines)
		for n := range lines {
			if t[doc][n] {
				both++
			}
		}
	}
	if both == 0 {
		return 0
	}
	return float64(both) / float64(all)
}

func (d *draft) lines() lineSet {
	s := lineSet{}
	for _, span := range d.spans {
		if span.EndLine >= span.StartLine && span.StartLine > 0 {
			s.add(span.Doc, span.StartLine, span.EndLine)
		}
	}
	return s
}

// verbatim returns the lines of the ticket or the question of the documents that
// a draft's input is.
func (im *importer) verbatim(d *draft) lineSet {
	s := lineSet{}
	input := coverage.Fold(coverage.InputText(&d.example.Input))
	if input == "" {
		return s
	}
	for _, doc := range im.in.Documents {
		for i := range doc.Tickets {
			if t := &doc.Tickets[i]; coverage.Fold(t.Message) == input {
				s.add(doc.Name, t.LineStart, t.LineEnd)
			}
		}
		for i := range doc.QAs {
			if q := &doc.QAs[i]; coverage.Fold(q.Question) == input {
				s.add(doc.Name, q.LineStart, q.LineEnd)
			}
		}
	}
	return s
}

// useCase returns the index of the use case that a draft belongs to, or -1.
// Its contexts say which ones come into question, its words which of them.
func (p *placer) useCase(d *draft, vec []float32) int {
	lines := d.lines()
	if own := p.im.verbatim(d); slices.ContainsFunc(p.lines, func(s lineSet) bool { return s.within(own) > 0 }) {
		lines = own
	}
	sims, laps := make([]float64, len(p.useCases)), make([]float64, len(p.useCases))
	for i := range p.useCases {
		sims[i] = llm.Cosine(vec, p.useCases[i])
		laps[i] = p.lines[i].within(lines)
	}
	if slices.Max(append(slices.Clone(laps), 0)) == 0 { // by the rules that the contexts state
		for k := range p.policies {
			if lap := p.ruled[k].within(lines); lap > 0 {
				for i := range p.im.ex.UseCases {
					if at := slices.Index(p.im.ex.Relevant[p.im.ex.UseCases[i].ID], p.im.ex.Policies[k].ID); at >= 0 {
						laps[i] = max(laps[i], lap/float64(at+1))
					}
				}
			}
		}
	}
	best, score := -1, 0.0
	top, lap := slices.Max(append(slices.Clone(sims), 0)), slices.Max(append(slices.Clone(laps), 0))
	for i := range p.useCases {
		if lap > 0 && laps[i] == 0 {
			continue
		}
		s := 2*share(sims[i], top) + share(laps[i], lap)
		if best < 0 || s > score {
			best, score = i, s
		}
	}
	if lap > 0 || best < 0 {
		return best
	}
	// Without a context that says that it is of these documents it must speak
	// their words; embeddings, to which everything is somewhat alike, must be
	// nearer to it than use cases are to each other.
	switch {
	case top <= 0:
		return -1
	case len(lines) > 0:
		return best
	case p.lexical && !p.speaks(d), !p.lexical && top < p.base:
		return -1
	}
	return best
}

// share is a score relative to the best one.
func share(s, best float64) float64 {
	if best <= 0 || s <= 0 {
		return 0
	}
	return s / best
}

// speaks reports whether at least half of the words of a draft's input, or a
// third of all its words, are words of the documents; half of all its words
// where it has contexts and they are of other documents.
func (p *placer) speaks(d *draft) bool {
	share := func(text string, most int) bool {
		words := p.im.contentWords(text)
		n := 0
		for _, w := range words {
			if p.known[w] {
				n++
			}
		}
		return n > 0 && most*n >= len(words)
	}
	if contexts, err := p.im.in.Framework.Contexts(d.record); err == nil && len(contexts) > 0 && !d.located {
		return share(d.text(), 2)
	}
	return share(coverage.InputText(&d.example.Input), 2) || share(d.text(), 3)
}

// policiesOf returns the policies that a draft turns on, the most likely first.
func (p *placer) policiesOf(d *draft, vec []float32) []string {
	relevant := p.im.ex.Relevant[d.useCase]
	lines := d.lines()
	type scored struct {
		at    int
		score float64
	}
	// The policies that bear on the use case come first. Others that the contexts
	// state are for records of which none of those speaks.
	bears := func(k int) bool { return slices.Contains(relevant, p.im.ex.Policies[k].ID) }
	speaks := make([]bool, len(p.policies))
	own := false
	for k := range p.policies {
		speaks[k] = p.im.says(d, &p.im.ex.Policies[k])
		own = own || speaks[k] && bears(k)
	}
	sims, laps := make([]float64, len(p.policies)), make([]float64, len(p.policies))
	var candidates []int
	for k := range p.policies {
		laps[k] = p.ruled[k].within(lines)
		if bears(k) || laps[k] > 0 && !own {
			sims[k] = llm.Cosine(vec, p.policies[k])
			candidates = append(candidates, k)
		}
	}
	top, lap := slices.Max(append(slices.Clone(sims), 0)), slices.Max(append(slices.Clone(laps), 0))
	var ranked []scored
	for _, k := range candidates {
		score := 2*share(sims[k], top) + share(laps[k], lap)
		if speaks[k] {
			score++
		}
		ranked = append(ranked, scored{k, score})
	}
	slices.SortStableFunc(ranked, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	spoken := slices.ContainsFunc(candidates, func(k int) bool { return speaks[k] })
	var out []string
	for i, s := range ranked {
		if i == mostPolicies || i > 0 && (s.score < ranked[0].score*0.6 || spoken && !speaks[s.at]) {
			break
		}
		out = append(out, p.im.ex.Policies[s.at].ID)
	}
	if len(out) == 0 && len(relevant) > 0 {
		out = append(out, relevant[0])
	}
	return out
}

// shape brings a draft into the case's format for tests of its kind.
func (im *importer) shape(d *draft) bool {
	d.example.Input.Messages = slices.Clone(d.example.Input.Messages)
	if d.example.Format == "" {
		d.example.Format = model.SingleTurnQA
	}
	if _, ok := im.profile.Format(d.example.Format); !ok {
		im.refuse(d.index, CheckFormat, "the case "+string(im.profile.Case)+" has no format for it: "+string(d.example.Format)+" is none of "+strings.Join(formatNames(im.profile), ", "))
		return false
	}
	return true
}

func formatNames(p *model.Profile) []string {
	var out []string
	for _, f := range p.Formats {
		out = append(out, string(f.Format))
	}
	return out
}

// breaks says what of the contract a draft breaks by itself, "" for nothing.
func (im *importer) breaks(d *draft) string {
	e := d.example
	e.ID, e.TestCaseID = "ex_draft", "tc_draft"
	one := &model.Dataset{Examples: []model.Example{e}}
	var out []string
	for _, v := range one.ViolationsWith(im.profile, im.in.Documents...) {
		out = append(out, v.Message)
	}
	return strings.Join(out, "; ")
}
