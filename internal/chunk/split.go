package chunk

import (
	"cmp"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// pos is a place in a document.
type pos struct {
	off  int // in its bytes
	line int // from 1; where off ends a line, that line
}

// unit is a block, or a part of one, as whole lines.
type unit struct {
	from, to int // lines
	segment  int // units of one segment have no comment between them
	section  int
	heading  bool
	lead     bool // stays with the unit after it
	prose    bool // a lead that may part from what follows if it must
}

// group is units that stay together if they fit.
type group struct {
	last  int // unit
	topic bool
}

// piece is what a chunk is filled with: never cut any more.
type piece struct {
	from, to pos
	section  int // of its first text
	end      int // section of its last
	title    int // section of most of it
	topic    bool
}

type splitter struct {
	d      *model.Document
	o      Options
	body   int // what a chunk may have beside what it repeats
	start  []int
	sums   []int // tokens of the lines before line n+1
	units  []unit
	groups [][]group // by their first unit, longest first
	top    []int     // top-level section of a section
}

func newSplitter(d *model.Document, o Options) *splitter {
	s := &splitter{d: d, o: o, body: o.MaxTokens - o.OverlapTokens}
	s.readLines()
	s.findTops()
	s.findUnits()
	return s
}

func (s *splitter) readLines() {
	raw := s.d.Bytes()
	n := s.d.NumLines()
	s.start = make([]int, n+1)
	s.sums = make([]int, n+1)
	at := 0
	if strings.HasPrefix(string(raw[:min(3, len(raw))]), "\ufeff") {
		at = 3
	}
	for i := 1; i <= n; i++ {
		l := s.d.Line(i)
		s.start[i-1] = at
		s.sums[i] = s.sums[i-1] + Tokens(l)
		at += len(l)
		if at < len(raw) && raw[at] == '\r' {
			at++
			if at < len(raw) && raw[at] == '\n' {
				at++
			}
		} else if at < len(raw) {
			at++
		}
	}
	s.start[n] = len(raw)
}

func (s *splitter) lineStart(n int) pos { return pos{s.start[n-1], n} }
func (s *splitter) lineEnd(n int) pos   { return pos{s.start[n-1] + len(s.d.Line(n)), n} }

// tokens counts from a to b.
func (s *splitter) tokens(a, b pos) int {
	raw := s.d.Bytes()
	if a.line == b.line {
		if a.off == s.start[a.line-1] && b == s.lineEnd(b.line) {
			return s.sums[a.line] - s.sums[a.line-1]
		}
		return Tokens(string(raw[a.off:b.off]))
	}
	n := s.sums[b.line-1] - s.sums[a.line]
	n += s.tokens(a, s.lineEnd(a.line))
	return n + s.tokens(s.lineStart(b.line), b)
}

// findTops finds the top-level sections: those that part the document. A single
// heading over everything parts nothing; the ones under it do.
func (s *splitter) findTops() {
	secs := s.d.Sections
	root := -1
	for {
		var under []int
		for i := range secs {
			if secs[i].Parent == root {
				under = append(under, i)
			}
		}
		if len(under) != 1 {
			break
		}
		root = under[0]
	}
	s.top = make([]int, len(secs))
	for i := range secs {
		switch p := secs[i].Parent; {
		case p == root || p < 0:
			s.top[i] = i
		case s.over(i, root):
			s.top[i] = i
		default:
			s.top[i] = s.top[p]
		}
	}
}

// over reports whether section a is b or governs it. -1 governs everything.
func (s *splitter) over(a, b int) bool {
	for b > a {
		b = s.d.Sections[b].Parent
	}
	return a == b
}

// common returns the innermost section that governs both.
func (s *splitter) common(a, b int) int {
	for a != b {
		if a > b {
			a, b = b, a
		}
		b = s.d.Sections[b].Parent
	}
	return a
}

func (s *splitter) depth(section int) int {
	n := 0
	for section >= 0 {
		section = s.d.Sections[section].Parent
		n++
	}
	return n
}

// span is a range of lines.
type span struct{ from, to int }

// findUnits cuts the lines into units and finds which belong together.
func (s *splitter) findUnits() {
	d := s.d
	n := d.NumLines()
	out := make([]bool, n+2)   // lines in no chunk
	owner := make([]int, n+2)  // the first block of a line's unit, or -1
	head := make([]bool, n+2)  // a heading and nothing else
	begin := make([]bool, n+2) // a question or dialogue begins, or ended before
	for i := range owner {
		owner[i] = -1
	}
	last := 0 // line where the unit under way ends
	own := -1
	for i := range d.Blocks {
		b := &d.Blocks[i]
		switch b.Kind {
		case model.BlockComment, model.BlockMatter:
			for l := b.LineStart; l <= b.LineEnd; l++ {
				out[l] = true
			}
			continue
		case model.BlockRule:
			continue
		}
		if b.LineStart > last {
			own = i
		}
		for l := b.LineStart; l <= b.LineEnd; l++ {
			head[l] = b.Kind == model.BlockHeading && (owner[l] < 0 || head[l])
			owner[l] = own
		}
		last = max(last, b.LineEnd)
	}
	var inner []span // may begin or end inside a block
	for _, q := range d.QAs {
		inner = append(inner, span{q.LineStart, q.LineEnd})
	}
	topics := len(inner)
	for _, g := range d.Dialogues {
		if k := len(g.Turns); k > 0 {
			inner = append(inner, span{g.Turns[0].LineStart, g.Turns[k-1].LineEnd})
		}
	}
	for _, p := range inner {
		begin[p.from] = true
		begin[p.to+1] = true
	}
	segment, section := 0, -1
	blocks := []int{} // of the units
	for l := 1; l <= n; l++ {
		if out[l] {
			segment++
			continue
		}
		k := owner[l]
		if strings.TrimSpace(d.Line(l)) == "" {
			continue
		}
		if k >= 0 {
			section = d.Blocks[k].Section
		} else if !hasText(d.Line(l)) {
			continue
		}
		u := len(s.units) - 1
		if k >= 0 && u >= 0 && blocks[u] == k && s.units[u].segment == segment && !begin[l] {
			s.units[u].to = l
			s.units[u].heading = s.units[u].heading && head[l]
			continue
		}
		s.units = append(s.units, unit{from: l, to: l, segment: segment, section: section, heading: k >= 0 && head[l]})
		blocks = append(blocks, k)
	}
	s.findLeads(blocks)
	s.findGroups(inner, topics)
}

func hasText(l string) bool {
	return strings.ContainsFunc(l, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) })
}

// findLeads marks what stays with the unit after it. blocks are those that the
// units come of.
func (s *splitter) findLeads(blocks []int) {
	for i := range s.units {
		u := &s.units[i]
		u.lead = u.heading
		if i+1 == len(s.units) || s.units[i+1].segment != u.segment || blocks[i] < 0 || blocks[i+1] < 0 || blocks[i] == blocks[i+1] {
			continue
		}
		a, b := &s.d.Blocks[blocks[i]], &s.d.Blocks[blocks[i+1]]
		switch a.Kind {
		case model.BlockHeaderRow:
			u.lead = u.lead || b.Table == a.Table
		case model.BlockParagraph, model.BlockQuoted:
			if b.Parent == blocks[i] {
				u.lead, u.prose = true, true
			}
		}
	}
}

// findGroups finds what stays together. The first of inner are topics.
func (s *splitter) findGroups(inner []span, topics int) {
	d := s.d
	s.groups = make([][]group, len(s.units))
	add := func(p span, topic bool) {
		i := sort.Search(len(s.units), func(i int) bool { return s.units[i].to >= p.from })
		for i < len(s.units) && s.units[i].from <= p.to {
			j := i
			for j+1 < len(s.units) && s.units[j+1].segment == s.units[i].segment && s.units[j+1].from <= p.to {
				j++
			}
			if j > i || topic {
				s.groups[i] = append(s.groups[i], group{j, topic})
			}
			i = j + 1
		}
	}
	for i, p := range inner {
		add(p, i < topics)
	}
	for _, t := range d.Tickets {
		add(span{t.LineStart, t.LineEnd}, false)
	}
	ends := make([]int, len(d.Blocks)) // where a block ends with all that hangs on it
	for i := len(d.Blocks) - 1; i >= 0; i-- {
		b := &d.Blocks[i]
		ends[i] = max(ends[i], b.LineEnd)
		if b.Parent >= 0 {
			ends[b.Parent] = max(ends[b.Parent], ends[i])
		}
	}
	for i := 0; i < len(d.Blocks); i++ {
		b := &d.Blocks[i]
		if b.Kind != model.BlockComment && b.Kind != model.BlockMatter {
			add(span{b.LineStart, ends[i]}, false)
		}
		if b.Table >= 0 && (i == 0 || d.Blocks[i-1].Table != b.Table) {
			j := i
			for j+1 < len(d.Blocks) && (d.Blocks[j+1].Table == b.Table || d.Blocks[j+1].Kind == model.BlockComment) {
				j++
			}
			add(span{b.LineStart, d.Blocks[j].LineEnd}, false)
		}
	}
	for _, g := range s.groups {
		slices.SortStableFunc(g, func(a, b group) int { return cmp.Compare(b.last, a.last) })
	}
}

// split makes the chunks, without ids.
func (s *splitter) split() []Chunk {
	var out []Chunk
	var cut []bool // a chunk repeats nothing of the one before
	for i := 0; i < len(s.units); {
		j := i
		for j < len(s.units) && s.units[j].segment == s.units[i].segment {
			j++
		}
		for k, p := range s.join(s.fill(s.pieces(i, j))) {
			out = append(out, s.chunk(p))
			cut = append(cut, k == 0)
		}
		i = j
	}
	if s.o.OverlapTokens > 0 {
		for i := len(out) - 1; i > 0; i-- {
			if !cut[i] {
				s.overlap(&out[i], &out[i-1])
			}
		}
	}
	return out
}

func (s *splitter) chunk(p piece) Chunk {
	c := Chunk{Doc: s.d, Title: title(s.d, p.title)}
	s.set(&c, p.from, p.to)
	return c
}

func (s *splitter) set(c *Chunk, from, to pos) {
	c.Span = model.Span{Doc: s.d.Name, StartByte: from.off, EndByte: to.off, StartLine: from.line, EndLine: to.line}
	c.Text = string(s.d.Bytes()[from.off:to.off])
	c.Tokens = Tokens(c.Text)
}

// pieces cuts the units i to j, one segment, into pieces that fit.
func (s *splitter) pieces(i, j int) []piece {
	var out []piece
	for i < j {
		k := i
		for k < j {
			if k > i && s.units[k-1].prose {
				// An introduction does not tear a question from its answer.
				p, last, _ := s.whole(k, k)
				if _, with, _ := s.whole(i, k); p.topic && with < last && s.fits(i, k-1) {
					out = append(out, s.piece(i, k-1, false), p)
					i = last + 1
					break
				}
			}
			if p, last, ok := s.whole(i, k); ok {
				out = append(out, p)
				i = last + 1
				break
			}
			if s.units[k].lead && k+1 < j {
				k++
				continue
			}
			if s.units[k].heading { // and nothing follows
				out = s.trail(out, i, j)
				return out
			}
			if k > i && s.units[k-1].prose && s.fits(i, k-1) {
				k--
				out = append(out, s.piece(i, k, false))
			} else {
				out = append(out, s.opened(i, k)...)
			}
			i = k + 1
			break
		}
	}
	return out
}

func (s *splitter) fits(i, k int) bool {
	return s.tokens(s.lineStart(s.units[i].from), s.lineEnd(s.units[k].to)) <= s.body
}

// piece is the units i to k, whole.
func (s *splitter) piece(i, k int, topic bool) piece {
	first := i
	for first < k && s.units[first].heading {
		first++
	}
	return piece{
		from: s.lineStart(s.units[i].from), to: s.lineEnd(s.units[k].to),
		section: s.units[first].section, end: s.units[k].section, title: s.units[first].section, topic: topic,
	}
}

// whole returns the longest piece that begins with the leads i to k-1, goes on
// with unit k, and fits.
func (s *splitter) whole(i, k int) (p piece, last int, ok bool) {
	for _, g := range s.groups[k] {
		if s.units[g.last].lead && !s.units[g.last].prose && g.last+1 < len(s.units) && s.units[g.last+1].segment == s.units[k].segment {
			continue // it would part a heading from its text
		}
		if s.allHeadings(k, g.last) {
			continue
		}
		if s.fits(i, g.last) {
			return s.piece(i, g.last, g.topic), g.last, true
		}
	}
	if !s.units[k].lead && s.fits(i, k) {
		return s.piece(i, k, false), k, true
	}
	return piece{}, 0, false
}

func (s *splitter) allHeadings(i, k int) bool {
	for ; i <= k; i++ {
		if !s.units[i].heading {
			return false
		}
	}
	return true
}

// trail places headings i to j that end a segment. Those that title the text
// after it are done with; others join what is before them.
func (s *splitter) trail(out []piece, i, j int) []piece {
	if j < len(s.units) && !s.units[j].heading {
		for j > i && s.over(s.units[j-1].section, s.units[j].section) {
			j--
		}
	}
	if i == j {
		return out
	}
	end := s.lineEnd(s.units[j-1].to)
	if n := len(out); n > 0 && s.tokens(out[n-1].from, end) <= s.body {
		out[n-1].to = end
		out[n-1].end = s.units[j-1].section
		return out
	}
	if s.fits(i, j-1) {
		return append(out, s.piece(i, j-1, false))
	}
	for ; i < j; i++ {
		out = append(out, s.lines(i)...)
	}
	return out
}

// opened cuts the leads i to k-1 and unit k, which do not fit together. The
// leads stay with the beginning of the unit.
func (s *splitter) opened(i, k int) []piece {
	rest := s.lines(k)
	if i == k {
		return rest
	}
	from := s.lineStart(s.units[i].from)
	if first := rest[0]; s.tokens(from, first.to) > s.body {
		rest = append(s.words(first), rest[1:]...)
	}
	if s.tokens(from, rest[0].to) <= s.body {
		rest[0].from = from
		return rest
	}
	var out []piece
	for ; i < k; i++ {
		out = append(out, s.lines(i)...)
	}
	return append(out, rest...)
}

// lines cuts a unit into its lines, and those that do not fit further.
func (s *splitter) lines(i int) []piece {
	u := &s.units[i]
	var out []piece
	for n := u.from; n <= u.to; n++ {
		if strings.TrimSpace(s.d.Line(n)) == "" {
			continue
		}
		p := piece{from: s.lineStart(n), to: s.lineEnd(n), section: u.section, end: u.section, title: u.section}
		if s.sums[n]-s.sums[n-1] <= s.body {
			out = append(out, p)
			continue
		}
		out = append(out, s.sentences(p)...)
	}
	return out
}

// sentences cuts a line into its sentences, and those that do not fit further.
func (s *splitter) sentences(p piece) []piece {
	text := string(s.d.Bytes()[p.from.off:p.to.off])
	var out []piece
	at := 0
	emit := func(to int) {
		if q, ok := s.trimmed(p, text, at, to); ok {
			if s.tokens(q.from, q.to) <= s.body {
				out = append(out, q)
			} else {
				out = append(out, s.words(q)...)
			}
		}
		at = to
	}
	found := 0
	for _, sentence := range lang.Sentences(text) {
		k := strings.Index(text[found:], sentence)
		if k < 0 {
			break
		}
		if found += k; found > 0 {
			emit(found)
		}
		found += len(sentence)
	}
	emit(len(text))
	return out
}

// trimmed is the part of p from a to b, bytes of its text, without the space
// around it.
func (s *splitter) trimmed(p piece, text string, a, b int) (piece, bool) {
	part := text[a:b]
	a += len(part) - len(strings.TrimLeftFunc(part, unicode.IsSpace))
	part = strings.TrimSpace(part)
	p.from.off, p.to.off = p.from.off+a, p.from.off+a+len(part)
	return p, part != ""
}

// words cuts a part of a line into runs of words, much shorter than a chunk, so
// that chunks can be filled with them.
func (s *splitter) words(p piece) []piece {
	most := max(1, s.body/8)
	text := string(s.d.Bytes()[p.from.off:p.to.off])
	var out []piece
	emit := func(a, b int) {
		if q, ok := s.trimmed(p, text, a, b); ok {
			out = append(out, q)
		}
	}
	from, have := 0, 0
	for i := 0; i < len(text); {
		j := i
		for j < len(text) {
			r, n := utf8.DecodeRuneInString(text[j:])
			if unicode.IsSpace(r) {
				break
			}
			j += n
		}
		n := Tokens(text[i:j])
		if have > 0 && have+n > most {
			emit(from, i)
			from, have = i, 0
		}
		have += n
		if n > s.body || n > most && kindsOfEach(text[i:j]) {
			emit(from, i)
			for from = i; from < j; {
				k := prefix(text[from:j], most)
				emit(from, from+k)
				from += k
			}
			have = 0
		}
		i = j
		for i < len(text) {
			r, n := utf8.DecodeRuneInString(text[i:])
			if !unicode.IsSpace(r) {
				break
			}
			i += n
		}
	}
	emit(from, len(text))
	return out
}

// kindsOfEach reports whether a run without spaces is of a script that has none.
func kindsOfEach(word string) bool {
	for _, r := range word {
		if kindOf(r, runNone) == runEach {
			return true
		}
	}
	return false
}

// prefix is the length of the longest beginning of a word with that many
// tokens, at least one character with the marks on it.
func prefix(word string, most int) int {
	end := 0
	for end < len(word) {
		r, n := utf8.DecodeRuneInString(word[end:])
		joined := unicode.IsMark(r) || r == '\u200d' || r == '\ufe0f'
		if end > 0 && !joined && Tokens(word[:end+n]) > most {
			break
		}
		end += n
	}
	return end
}

// fill puts pieces of one section together while they fit.
func (s *splitter) fill(ps []piece) []piece {
	var out []piece
	for _, p := range ps {
		if n := len(out); n > 0 {
			c := &out[n-1]
			full := (p.topic || c.topic) && s.tokens(c.from, c.to) >= s.o.MinTokens
			if c.end == p.section && !full && s.tokens(c.from, p.to) <= s.body {
				c.to, c.end, c.topic = p.to, p.end, c.topic || p.topic
				continue
			}
		}
		out = append(out, p)
	}
	return out
}

// join gives small chunks to the neighbour they have most in common with.
func (s *splitter) join(ps []piece) []piece {
	var out []piece
	for i := 0; i < len(ps); i++ {
		p := ps[i]
		for {
			n := s.tokens(p.from, p.to)
			if n >= s.o.MinTokens {
				break
			}
			tiny := n < (s.o.MinTokens+3)/4
			before, after := -1, -1
			if len(out) > 0 {
				before = s.affinity(out[len(out)-1], p, tiny)
			}
			if i+1 < len(ps) {
				after = s.affinity(p, ps[i+1], tiny)
			}
			if before < 0 && after < 0 {
				break
			}
			if before >= after {
				p = s.joined(out[len(out)-1], p)
				out = out[:len(out)-1]
			} else {
				i++
				p = s.joined(p, ps[i])
			}
		}
		out = append(out, p)
	}
	return out
}

// joined is a and b, which follow each other, titled as the larger.
func (s *splitter) joined(a, b piece) piece {
	if s.tokens(b.from, b.to) > s.tokens(a.from, a.to) {
		a.title = b.title
	}
	a.to, a.end = b.to, b.end
	return a
}

// affinity is how much two chunks that follow each other have in common; -1 if
// they must not be joined.
func (s *splitter) affinity(a, b piece, tiny bool) int {
	if s.tokens(a.from, b.to) > s.body {
		return -1
	}
	x, y := a.end, b.section
	if !tiny && !s.over(x, y) && !s.over(y, x) && s.top[x] != s.top[y] {
		return -1
	}
	return s.depth(s.common(x, y))
}

// overlap begins c earlier, in the text of the chunk before it.
func (s *splitter) overlap(c, before *Chunk) {
	to := pos{c.Span.EndByte, c.Span.EndLine}
	body := pos{c.Span.StartByte, c.Span.StartLine}
	best := body
	try := func(at pos) bool {
		if at.off < before.Span.StartByte || s.tokens(at, body) > s.o.OverlapTokens {
			return false
		}
		best = at
		return true
	}
	for n := before.Span.EndLine; n >= before.Span.StartLine; n-- {
		if strings.TrimSpace(s.d.Line(n)) == "" {
			continue
		}
		if s.start[n-1] < body.off && try(s.lineStart(n)) {
			continue
		}
		p := piece{from: s.lineStart(n), to: s.lineEnd(n)}
		p.from.off = max(p.from.off, before.Span.StartByte)
		p.to.off = min(p.to.off, before.Span.EndByte)
		for _, q := range slices.Backward(s.sentences(p)) {
			if !try(q.from) {
				break
			}
		}
		break
	}
	if best.off < body.off {
		s.set(c, best, to)
	}
}
