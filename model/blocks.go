package model

import (
	"sort"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	gtext "github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// seen is what a block looks like beyond its exported fields.
type seen struct {
	inline
	list  int // number of the list an item stands in; -1 outside
	cells []inline
}

// Nesting beyond these bounds is not read as nesting: a line of a million ">"
// must cost no more than any other.
const (
	maxMarkers = 24 // list and quotation marks at the start of one line
	maxIndent  = 64 // columns of indentation
	maxBlanks  = 2  // blank lines in a row
)

// blockReader turns a document into blocks. What it hands to goldmark is not
// the document but a copy with comments and front matter taken out; orig says
// which line of the document each line of the copy is.
type blockReader struct {
	d     *Document
	src   []byte
	orig  []int // line of src (from 0) -> line of the document (from 1)
	start []int // offset in src of each line
	pend  []pending
	refs  map[string]bool
	lists int
}

// pending is a block whose text waits for the link definitions of the document.
type pending struct {
	Block
	raw     string
	cells   []string
	list    int
	verbose bool // raw is text as it stands, not Markdown
	// intro is a paragraph before the list of an item: its Parent, if it
	// turns out to lead into the list.
	intro int
}

func newBlockReader(d *Document) *blockReader {
	return &blockReader{d: d, refs: map[string]bool{}}
}

func (r *blockReader) read() {
	r.clean()
	root := parser.NewParser(parser.WithBlockParsers(blockParsers()...)).Parse(gtext.NewReader(r.src))
	r.children(root, scope{parent: -1, intro: -1})
	r.finish()
}

// blockParsers are CommonMark's; tables are read from paragraphs here, because
// goldmark pads every row to the width of its head.
func blockParsers() []util.PrioritizedValue { return parser.DefaultBlockParsers() }

// clean fills src and orig.
func (r *blockReader) clean() {
	lines := r.d.lines
	out := make([]string, len(lines))
	copy(out, lines)
	first := 0
	if n := frontMatter(lines); n > 0 {
		r.addRange(BlockMatter, 1, n)
		for i := range n {
			out[i] = ""
		}
		first = n
	}
	commented := cutComments(out, first)
	for i := 0; i < len(lines); i++ {
		if !commented[i] || blank(lines[i]) {
			continue
		}
		j := i
		for k := i; k < len(lines) && commented[k]; k++ {
			if !blank(lines[k]) {
				j = k
			}
		}
		r.addRange(BlockComment, i+1, j+1)
		i = j
	}
	var b strings.Builder
	b.Grow(len(r.d.raw) + 1)
	blanks := 0
	row := false // the last line kept is a table row
	for i, l := range out {
		if blank(l) {
			if commented[i] && row && nextRow(out, commented, i) {
				continue // a comment between two rows does not end the table
			}
			row = false
			if blanks++; blanks > maxBlanks {
				continue
			}
			l = ""
		} else {
			blanks = 0
			row = strings.HasPrefix(strings.TrimLeft(l, " \t>"), "|")
			l = bound(l)
		}
		r.start = append(r.start, b.Len())
		r.orig = append(r.orig, i+1)
		b.WriteString(l)
		b.WriteByte('\n')
	}
	r.src = []byte(b.String())
}

func nextRow(lines []string, commented []bool, i int) bool {
	for i < len(lines) && commented[i] && blank(lines[i]) {
		i++
	}
	return i < len(lines) && strings.HasPrefix(strings.TrimLeft(lines[i], " \t>"), "|")
}

// addRange adds a block that is no part of the Markdown tree.
func (r *blockReader) addRange(k BlockKind, from, to int) {
	if from, to, ok := r.d.Tighten(from, to); ok {
		r.pend = append(r.pend, pending{
			Block: Block{Kind: k, LineStart: from, LineEnd: to, Parent: -1, Table: -1, Section: -1},
			list:  -1,
		})
	}
}

// bound limits the indentation and the number of container marks of a line.
func bound(l string) string {
	cols, marks, i := 0, 0, 0
	for i < len(l) {
		at := i
		switch c := l[i]; {
		case c == ' ':
			cols++
		case c == '\t':
			cols += 4
		case c == '>':
			marks++
		case (c == '-' || c == '*' || c == '+') && i+1 < len(l) && (l[i+1] == ' ' || l[i+1] == '\t'):
			marks++
		case c >= '0' && c <= '9':
			j := i
			for j < len(l) && j-i < 9 && l[j] >= '0' && l[j] <= '9' {
				j++
			}
			if j+1 >= len(l) || l[j] != '.' && l[j] != ')' || l[j+1] != ' ' {
				return l
			}
			marks++
			i = j
		default:
			return l
		}
		if cols > maxIndent || marks > maxMarkers {
			return l[:at] + unmarked(l[at:])
		}
		i++
	}
	return l
}

// unmarked returns l without the spaces and container marks it begins with.
func unmarked(l string) string {
	for {
		bare := strings.TrimLeft(l, " \t>-*+")
		if n := len(bare) - len(strings.TrimLeft(bare, "0123456789")); n > 0 && n < len(bare) && strings.IndexByte(".)", bare[n]) >= 0 {
			bare = bare[n+1:]
		}
		if len(bare) == len(l) {
			return l
		}
		l = bare
	}
}

// scope is where a node stands.
type scope struct {
	parent int // index in pend
	intro  int // likewise
	level  int // depth of lists
	quoted bool
}

// children reads the nodes under n in order.
func (r *blockReader) children(n ast.Node, sc scope) {
	intro, last := -1, -1
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		was := len(r.pend)
		if l, ok := c.(*ast.List); ok {
			in := sc
			in.intro = intro
			if last < 0 {
				last = r.newList()
			}
			r.list(l, last, in)
			if r.headingSince(was) {
				intro, last = -1, -1
			}
			continue // a change of marks does not end the list for a reader
		}
		if c.Kind() == ast.KindHeading {
			sc = scope{parent: -1, intro: -1, quoted: sc.quoted} // it ends the item it stands in
		}
		r.node(c, sc)
		intro, last = -1, -1
		if len(r.pend) == was+1 {
			if k := r.pend[was].Kind; k == BlockParagraph || k == BlockQuoted {
				intro = was
			}
		}
	}
}

func (r *blockReader) newList() int {
	r.lists++
	return r.lists - 1
}

// list reads the items of a list; num is the same for lists that stand together.
func (r *blockReader) list(l *ast.List, num int, sc scope) {
	k := 0
	for c := l.FirstChild(); c != nil; c = c.NextSibling() {
		item, ok := c.(*ast.ListItem)
		if !ok {
			continue
		}
		begin := len(r.pend)
		b := Block{Kind: BlockItem, Level: sc.level + 1, Parent: sc.parent, Table: -1}
		if l.IsOrdered() {
			b.Ordered = true
			b.Number = l.Start + k
			if n, ok := r.marker(item); ok {
				b.Number = n
			}
		}
		k++
		in := scope{parent: sc.parent, intro: -1, level: sc.level + 1, quoted: sc.quoted}
		if t := item.FirstChild(); t != nil && (t.Kind() == ast.KindTextBlock || t.Kind() == ast.KindParagraph) {
			was := len(r.pend)
			r.paragraph(t, b, num, sc.intro)
			if len(r.pend) > was && r.pend[was].Kind == BlockItem {
				in.parent = was
			}
			item.RemoveChild(item, t)
		}
		r.children(item, in)
		if r.headingSince(begin) { // what follows stands under that heading
			sc = scope{parent: -1, intro: -1, quoted: sc.quoted}
			num = r.newList()
		}
	}
}

// headingSince reports whether a heading was read after the first n blocks.
func (r *blockReader) headingSince(n int) bool {
	for _, p := range r.pend[n:] {
		if p.Kind == BlockHeading {
			return true
		}
	}
	return false
}

// marker returns the number of an ordered item as it is written.
func (r *blockReader) marker(item ast.Node) (int, bool) {
	i := item.Pos()
	if i < 0 || i >= len(r.src) {
		return 0, false
	}
	j := i
	for j < len(r.src) && (r.src[j] == ' ' || r.src[j] == '\t') {
		j++
	}
	i = j
	for j < len(r.src) && r.src[j] >= '0' && r.src[j] <= '9' {
		j++
	}
	n, err := strconv.Atoi(string(r.src[i:j]))
	return n, err == nil
}

func (r *blockReader) node(n ast.Node, sc scope) {
	switch n := n.(type) {
	case *ast.Heading:
		r.heading(n)
	case *ast.Paragraph, *ast.TextBlock:
		kind := BlockParagraph
		if sc.quoted {
			kind = BlockQuoted
		}
		r.paragraph(n, Block{Kind: kind, Parent: sc.parent, Table: -1}, -1, -1)
	case *ast.Blockquote:
		sc.quoted = true
		r.children(n, sc)
	case *ast.FencedCodeBlock:
		from := r.lineAt(n.Pos())
		to := from
		if k := n.Lines().Len(); k > 0 {
			to = r.lineAt(n.Lines().At(k - 1).Start)
		}
		body := r.segments(n)
		if to+1 < len(r.orig) && isFence(r.srcLine(to+1)) {
			to++
		}
		r.add(pending{Block: Block{Kind: BlockCode, Parent: sc.parent, Table: -1}, raw: body, verbose: true, list: -1}, from, to)
	case *ast.CodeBlock:
		if k := n.Lines().Len(); k > 0 {
			r.add(pending{Block: Block{Kind: BlockCode, Parent: sc.parent, Table: -1}, raw: r.segments(n), verbose: true, list: -1},
				r.lineAt(n.Lines().At(0).Start), r.lineAt(n.Lines().At(k-1).Start))
		}
	case *ast.HTMLBlock:
		if k := n.Lines().Len(); k > 0 {
			from, to := r.lineAt(n.Lines().At(0).Start), r.lineAt(n.Lines().At(k-1).Start)
			if n.HasClosure() {
				to = r.lineAt(n.ClosureLine.Start)
			}
			raw := strings.Join(r.srcLines(from, to), "\n")
			r.add(pending{Block: Block{Kind: BlockHTML, Parent: sc.parent, Table: -1}, raw: raw, list: -1}, from, to)
		}
	case *ast.ThematicBreak:
		if at := n.Pos(); at >= 0 {
			l := r.lineAt(at)
			r.add(pending{Block: Block{Kind: BlockRule, Parent: -1, Table: -1}, verbose: true, list: -1}, l, l)
		}
	default:
		r.children(n, sc)
	}
}

func isFence(l string) bool {
	l = strings.TrimRight(strings.TrimLeft(l, " \t>"), " \t")
	return len(l) >= 3 && (l[0] == '`' || l[0] == '~') && runLength(l, 0) == len(l)
}

func (r *blockReader) heading(n *ast.Heading) {
	lines := n.Lines()
	k := lines.Len()
	if k == 0 {
		return
	}
	from, to := r.lineAt(lines.At(0).Start), r.lineAt(lines.At(k-1).Start)
	raw := r.segments(n)
	first, seg := r.srcLine(from), lines.At(0).Start-r.start[from]
	hash := strings.IndexByte(first, '#')
	atx := k == 1 && hash >= 0 && hash < seg && strings.Trim(first[hash:seg], "# \t") == ""
	if !atx {
		// A paragraph of prose over a line of dashes is a paragraph and a rule:
		// nobody underlines sentences.
		if under := to + 1; n.Level == 2 && under < len(r.orig) && (k > 1 || isProse(raw)) {
			r.add(pending{Block: Block{Kind: BlockParagraph, Parent: -1, Table: -1}, raw: raw, list: -1}, from, to)
			r.add(pending{Block: Block{Kind: BlockRule, Parent: -1, Table: -1}, verbose: true, list: -1}, under, under)
			return
		}
		to = min(to+1, len(r.orig)-1)
	}
	r.add(pending{Block: Block{Kind: BlockHeading, Level: n.Level, Parent: -1, Table: -1}, raw: raw, list: -1}, from, to)
}

func isProse(raw string) bool {
	raw = strings.TrimRight(raw, " \t*_")
	return raw != "" && strings.IndexByte(".;,", raw[len(raw)-1]) >= 0 && len(strings.Fields(raw)) >= 6
}

// paragraph reads a paragraph or an item's text: link definitions, prose and
// tables in it become blocks of their own.
func (r *blockReader) paragraph(n ast.Node, b Block, list, intro int) {
	segs := n.Lines()
	k := segs.Len()
	raws := make([]string, k)
	at := make([]int, k)
	for i := range k {
		seg := segs.At(i)
		raws[i] = strings.TrimRight(string(seg.Value(r.src)), "\n")
		at[i] = r.lineAt(seg.Start)
	}
	i := 0
	for i < k {
		label, ok := linkDefinition(raws[i])
		if !ok {
			break
		}
		r.refs[refLabel(label)] = true
		r.add(pending{Block: Block{Kind: BlockComment, Parent: -1, Table: -1}, verbose: true, list: -1}, at[i], at[i])
		i++
	}
	raws, at = raws[i:], at[i:]
	if len(raws) == 0 {
		return
	}
	prose := func(from, to int) {
		if from < to {
			r.add(pending{Block: b, raw: strings.Join(raws[from:to], "\n"), list: list, intro: intro}, at[from], at[to-1])
		}
	}
	from := 0
	for i := 1; i < len(raws); i++ {
		cols := delimiterCols(raws[i])
		if cols == 0 {
			continue
		}
		if n := len(splitRow(raws[i-1])); n != cols {
			// Authors miscount their separators; what stands around one tells
			// the table all the same.
			if n < 2 || !strings.HasPrefix(strings.TrimSpace(raws[i]), "|") || i+1 < len(raws) && !strings.Contains(raws[i+1], "|") {
				continue
			}
			cols = max(cols, n)
		}
		prose(from, i-1)
		t := r.newTable()
		r.row(BlockHeaderRow, t, raws[i-1], at[i-1], cols)
		i++
		for i < len(raws) && (cols == 1 || strings.Contains(raws[i], "|")) {
			r.row(BlockRow, t, raws[i], at[i], cols)
			i++
		}
		from = i
		b = Block{Kind: BlockParagraph, Parent: -1, Table: -1}
		list, intro = -1, -1
	}
	if from == 0 && r.looseRows(raws, at) {
		return
	}
	prose(from, len(raws))
}

// linkDefinition reads "[label]: destination". Readers do not see it; many
// authors use it as a comment.
func linkDefinition(l string) (label string, ok bool) {
	l = strings.TrimSpace(l)
	if !strings.HasPrefix(l, "[") {
		return "", false
	}
	k := strings.Index(l[:min(len(l), maxLink)], "]:")
	if k < 2 || strings.ContainsAny(l[1:k], "[]") || l[1] == '^' {
		return "", false
	}
	dest := strings.TrimSpace(l[k+2:])
	if dest == "" {
		return "", false
	}
	url, title := dest, ""
	if j := strings.IndexAny(dest, " \t"); j >= 0 && dest[0] != '<' {
		url, title = dest[:j], strings.TrimSpace(dest[j:])
	} else if dest[0] == '<' {
		j := strings.IndexByte(dest, '>')
		if j < 0 {
			return "", false
		}
		url, title = dest[:j+1], strings.TrimSpace(dest[j+1:])
	}
	if title != "" {
		a, z := title[0], title[len(title)-1]
		if len(title) < 2 || !(a == '"' && z == '"' || a == '\'' && z == '\'' || a == '(' && z == ')') {
			return "", false
		}
	}
	return l[1:k], url != ""
}

func (r *blockReader) add(p pending, from, to int) {
	p.LineStart, p.LineEnd = r.orig[from], r.orig[to]
	p.Section = -1
	r.pend = append(r.pend, p)
}

// lineAt returns the line of src that holds the byte at off.
func (r *blockReader) lineAt(off int) int {
	return max(0, sort.SearchInts(r.start, off+1)-1)
}

func (r *blockReader) srcLine(i int) string {
	end := len(r.src)
	if i+1 < len(r.start) {
		end = r.start[i+1]
	}
	return strings.TrimRight(string(r.src[r.start[i]:end]), "\n")
}

func (r *blockReader) srcLines(from, to int) []string {
	out := make([]string, 0, to-from+1)
	for i := from; i <= to; i++ {
		out = append(out, r.srcLine(i))
	}
	return out
}

func (r *blockReader) segments(n ast.Node) string {
	var b strings.Builder
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		v := seg.Value(r.src)
		b.Write(v)
		if len(v) == 0 || v[len(v)-1] != '\n' {
			b.WriteByte('\n')
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// finish renders the texts, puts the blocks in order and finds the sections.
func (r *blockReader) finish() {
	d := r.d
	order := make([]int, len(r.pend))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return r.pend[order[a]].LineStart < r.pend[order[b]].LineStart })
	d.Blocks = make([]Block, 0, len(r.pend))
	d.seen = make([]seen, 0, len(r.pend))
	where := make([]int, len(r.pend)) // index in pend -> index in d.Blocks
	for i := range where {
		where[i] = -1
	}
	for _, i := range order {
		p := &r.pend[i]
		b, s := p.Block, seen{list: p.list}
		switch {
		case p.cells != nil:
			for _, c := range p.cells {
				in := parseInline(strings.ReplaceAll(c, `\|`, "|"), r.refs)
				s.cells = append(s.cells, in)
				b.Cells = append(b.Cells, squash(in.lines))
			}
			b.Text = strings.TrimSpace(strings.Join(nonEmpty(b.Cells), " | "))
		case p.verbose:
			b.Text = p.raw
		case b.Kind == BlockComment || b.Kind == BlockMatter:
		default:
			raw := p.raw
			if b.Kind == BlockItem {
				raw = trimCheckbox(raw)
			}
			s.inline = parseInline(raw, r.refs)
			b.Text = squash(s.lines)
			switch label, _, ok := cutLabel(b.Text); {
			case b.Kind == BlockHeading:
			case s.bold:
				b.Lead = strings.TrimRight(s.lead, " :：")
			case ok:
				b.Lead = label
			}
			if b.Kind == BlockHTML {
				s.lines = nil
			}
		}
		from, to, ok := d.Tighten(b.LineStart, b.LineEnd)
		if !ok {
			continue
		}
		if k := from - b.LineStart; k > 0 && k < len(s.lines) {
			s.lines = s.lines[k:]
		}
		b.LineStart, b.LineEnd = from, to
		if p.Parent >= 0 {
			b.Parent = where[p.Parent]
		}
		if b.Kind == BlockItem && p.intro >= 0 {
			if k := where[p.intro]; k >= 0 && introduces(&d.Blocks[k]) {
				b.Parent = k
			}
		}
		where[i] = len(d.Blocks)
		d.Blocks = append(d.Blocks, b)
		d.seen = append(d.seen, s)
	}
	d.findSections()
}

// introduces reports whether a paragraph leads into the list after it.
func introduces(b *Block) bool {
	t := strings.TrimRight(b.Text, " \u00a0")
	return strings.HasSuffix(t, ":") || strings.HasSuffix(t, "：") ||
		strings.HasSuffix(t, "—") || strings.HasSuffix(t, "–") || b.Lead != "" && b.Lead == t
}

func nonEmpty(in []string) []string {
	var out []string
	for _, s := range in {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func trimCheckbox(s string) string {
	if len(s) > 4 && s[0] == '[' && s[2] == ']' && s[3] == ' ' && strings.IndexByte(" xX", s[1]) >= 0 {
		return s[4:]
	}
	return s
}

func (d *Document) findSections() {
	current := -1
	var open []int // sections that enclose the current block
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if b.Kind == BlockHeading {
			for len(open) > 0 && d.Sections[open[len(open)-1]].Level >= b.Level {
				d.Sections[open[len(open)-1]].LineEnd = b.LineStart - 1
				open = open[:len(open)-1]
			}
			parent := -1
			if len(open) > 0 {
				parent = open[len(open)-1]
			}
			current = len(d.Sections)
			open = append(open, current)
			d.Sections = append(d.Sections, Section{
				Title: b.Text, Level: b.Level, Block: i, Parent: parent,
				LineStart: b.LineStart, LineEnd: len(d.lines),
			})
		}
		b.Section = current
	}
}
