package model

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// inline is the text of a block as a reader sees it.
type inline struct {
	lines []string // one for each source line, trimmed
	// lead is the text of a bold run that the block begins with, rest what
	// follows it; both are one line. bold is set when there is such a run.
	lead, rest string
	bold       bool
}

// squash joins the lines of a text with single spaces.
func squash(lines []string) string {
	var b strings.Builder
	for _, l := range lines {
		if l = strings.TrimSpace(l); l == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(l)
	}
	return b.String()
}

// Inline parsing is done here and not by goldmark, whose inline parser is
// quadratic on hostile text (brackets, mixed emphasis) and keeps no account of
// source lines. Every loop below is linear: each look-ahead is bounded or its
// failure is remembered.

const (
	tokText    = 't'
	tokNewline = '\n'
	tokBracket = '[' // with n = 1 for an image
	tokClose   = ']'
	tokGone    = 0 // a mark that is not shown
)

type token struct {
	kind  byte // one of tok..., or '*', '_', '~'
	text  string
	n     int // length left of a run of marks
	open  bool
	close bool
}

// special holds every byte that may mean more than itself.
const special = "\\`*_~[]!<&\n"

type inlineScanner struct {
	s      string
	refs   map[string]bool
	toks   []token
	stack  []int  // indexes of runs that can open
	opens  [3]int // how many of stack are *, _ and ~
	square []openBracket
	strong [][2]int // opening and closing token of bold runs
	struck map[int]int
	ticks  map[int][]int // positions of runs of backticks by length
}

type openBracket struct{ tok, pos int }

// maxLink bounds the look-ahead for the end of a link, tag or label, in bytes.
const maxLink = 512

func parseInline(s string, refs map[string]bool) inline {
	if !strings.ContainsAny(s, special) { // most cells
		return inline{lines: []string{strings.TrimSpace(s)}}
	}
	sc := &inlineScanner{s: s, refs: refs}
	sc.scan()
	return sc.render()
}

func (sc *inlineScanner) text(s string) {
	if s != "" {
		sc.toks = append(sc.toks, token{kind: tokText, text: s})
	}
}

// skip leaves out s[from:to] but for its line ends.
func (sc *inlineScanner) skip(from, to int) int {
	for range strings.Count(sc.s[from:to], "\n") {
		sc.toks = append(sc.toks, token{kind: tokNewline})
	}
	return to
}

func (sc *inlineScanner) scan() {
	s := sc.s
	for i := 0; i < len(s); {
		j := strings.IndexAny(s[i:], special)
		if j < 0 {
			sc.text(s[i:])
			return
		}
		sc.text(s[i : i+j])
		i += j
		switch c := s[i]; c {
		case '\\':
			switch {
			case i+1 < len(s) && asciiPunct(s[i+1]):
				sc.text(s[i+1 : i+2])
				i += 2
			case i+1 < len(s) && s[i+1] == '\n':
				i++
			default:
				sc.text(s[i : i+1])
				i++
			}
		case '`':
			i = sc.code(i)
		case '*', '_', '~':
			i = sc.run(i)
		case '!':
			if i+1 < len(s) && s[i+1] == '[' {
				sc.square = append(sc.square, openBracket{len(sc.toks), i + 2})
				sc.toks = append(sc.toks, token{kind: tokBracket, text: "!["})
				i += 2
			} else {
				sc.text("!")
				i++
			}
		case '[':
			sc.square = append(sc.square, openBracket{len(sc.toks), i + 1})
			sc.toks = append(sc.toks, token{kind: tokBracket, text: "["})
			i++
		case ']':
			i = sc.endBracket(i)
		case '<':
			i = sc.angle(i)
		case '&':
			i = sc.entity(i)
		default: // a line end
			sc.toks = append(sc.toks, token{kind: tokNewline})
			i++
		}
	}
}

func asciiPunct(c byte) bool {
	return c >= '!' && c <= '/' || c >= ':' && c <= '@' || c >= '[' && c <= '`' || c >= '{' && c <= '~'
}

func runLength(s string, i int) int {
	j := i
	for j < len(s) && s[j] == s[i] {
		j++
	}
	return j - i
}

func (sc *inlineScanner) code(i int) int {
	s := sc.s
	n := runLength(s, i)
	if sc.ticks == nil {
		sc.ticks = map[int][]int{}
		for k := i; k < len(s); {
			j := strings.IndexByte(s[k:], '`')
			if j < 0 {
				break
			}
			k += j
			m := runLength(s, k)
			sc.ticks[m] = append(sc.ticks[m], k)
			k += m
		}
	}
	at := sc.ticks[n]
	for len(at) > 0 && at[0] <= i {
		at = at[1:]
	}
	sc.ticks[n] = at
	if len(at) == 0 {
		sc.text(s[i : i+n])
		return i + n
	}
	body := s[i+n : at[0]]
	if len(body) > 2 && body[0] == ' ' && body[len(body)-1] == ' ' && strings.TrimSpace(body) != "" {
		body = body[1 : len(body)-1]
	}
	for k, l := range strings.Split(body, "\n") {
		if k > 0 {
			sc.toks = append(sc.toks, token{kind: tokNewline})
		}
		sc.text(l)
	}
	return at[0] + n
}

// run reads a run of emphasis marks and pairs it with an earlier one.
func (sc *inlineScanner) run(i int) int {
	s := sc.s
	c := s[i]
	n := runLength(s, i)
	end := i + n
	if c == '~' && n != 2 { // one tilde is "about", three are a drawing
		sc.text(s[i:end])
		return end
	}
	before, _ := utf8.DecodeLastRuneInString(s[:i])
	after, _ := utf8.DecodeRuneInString(s[end:])
	spaceBefore := i == 0 || unicode.IsSpace(before)
	spaceAfter := end == len(s) || unicode.IsSpace(after)
	t := token{kind: c, n: n}
	if n >= 2 && c != '_' {
		// More lenient than CommonMark, which leaves the marks of
		// "**Label:**text" standing.
		t.open, t.close = !spaceAfter, !spaceBefore
	} else {
		punctBefore, punctAfter := isPunct(before), isPunct(after)
		left := !spaceAfter && (!punctAfter || spaceBefore || punctBefore)
		right := !spaceBefore && (!punctBefore || spaceAfter || punctAfter)
		t.open, t.close = left, right
		if c == '_' {
			t.open = left && (!right || punctBefore)
			t.close = right && (!left || punctAfter)
		}
	}
	self := len(sc.toks)
	for t.close && t.n > 0 && sc.opens[markIndex(c)] > 0 {
		k := len(sc.stack) - 1
		for sc.toks[sc.stack[k]].kind != c { // marks between a pair stay as text
			sc.opens[markIndex(sc.toks[sc.stack[k]].kind)]--
			k--
		}
		o := sc.stack[k]
		use := min(sc.toks[o].n, t.n)
		sc.toks[o].n -= use
		t.n -= use
		switch {
		case c == '~':
			if sc.struck == nil {
				sc.struck = map[int]int{}
			}
			sc.struck[o] = self
		case use >= 2:
			sc.strong = append(sc.strong, [2]int{o, self})
		}
		sc.stack = sc.stack[:k+1]
		if sc.toks[o].n == 0 {
			sc.stack = sc.stack[:k]
			sc.opens[markIndex(c)]--
		}
	}
	sc.toks = append(sc.toks, t)
	if t.open && t.n > 0 {
		sc.stack = append(sc.stack, self)
		sc.opens[markIndex(c)]++
	}
	return end
}

func markIndex(c byte) int { return strings.IndexByte("*_~", c) }

func isPunct(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }

func (sc *inlineScanner) endBracket(i int) int {
	s := sc.s
	if len(sc.square) == 0 {
		sc.text("]")
		return i + 1
	}
	o := sc.square[len(sc.square)-1]
	sc.square = sc.square[:len(sc.square)-1]
	end := -1
	label := ""
	if i-o.pos <= maxLink {
		label = s[o.pos:i]
	}
	switch {
	case strings.HasPrefix(label, "^") && len(label) > 1: // a footnote's mark
		for k := o.tok; k < len(sc.toks); k++ {
			if sc.toks[k].kind != tokNewline {
				sc.toks[k] = token{}
			}
		}
		return i + 1
	case i+1 < len(s) && s[i+1] == '(':
		end = linkTail(s, i+2)
	case i+1 < len(s) && s[i+1] == '[':
		if k := strings.IndexByte(s[i+2:min(len(s), i+2+maxLink)], ']'); k >= 0 {
			ref := s[i+2 : i+2+k]
			if ref == "" {
				ref = label
			}
			if sc.refs[refLabel(ref)] {
				end = i + 2 + k + 1
			}
		}
	}
	if end < 0 && len(sc.refs) > 0 && label != "" && sc.refs[refLabel(label)] {
		end = i + 1
	}
	if end < 0 {
		sc.text("]")
		return i + 1
	}
	sc.toks[o.tok] = token{}
	return sc.skip(i+1, end)
}

// linkTail returns the index after the ")" that ends a link's destination and
// title, or -1.
func linkTail(s string, i int) int {
	stop := min(len(s), i+maxLink)
	depth := 0
	for i < stop {
		switch c := s[i]; c {
		case '\\':
			i++
		case '"', '\'':
			if i > 0 && (s[i-1] == ' ' || s[i-1] == '\n') {
				k := strings.IndexByte(s[i+1:stop], c)
				if k < 0 {
					return -1
				}
				i += 1 + k
			}
		case '(':
			if depth++; depth > 8 {
				return -1
			}
		case ')':
			if depth == 0 {
				return i + 1
			}
			depth--
		case '<':
			if k := strings.IndexAny(s[i+1:stop], ">\n"); k >= 0 && s[i+1+k] == '>' {
				i += 1 + k
			}
		}
		i++
	}
	return -1
}

func refLabel(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }

// angle reads an autolink, a tag, or a literal "<". Tags of unknown names stay:
// in business prose "<order number>" is a slot, not HTML.
func (sc *inlineScanner) angle(i int) int {
	s := sc.s
	stop := min(len(s), i+maxLink)
	k := strings.IndexAny(s[i+1:stop], "<>")
	if k <= 0 || s[i+1+k] != '>' {
		sc.text("<")
		return i + 1
	}
	body, end := s[i+1:i+1+k], i+1+k+1
	if !strings.ContainsAny(body, " \t\n") && (strings.Contains(body, "://") || strings.HasPrefix(body, "mailto:") || strings.IndexByte(body, '@') > 0) {
		sc.text(strings.TrimPrefix(body, "mailto:"))
		return end
	}
	name := tagName(body)
	if !htmlTags[name] {
		sc.text("<")
		return i + 1
	}
	switch {
	case name == "br":
		sc.text(" ")
	case struckTags[name] && body[0] != '/':
		if k := strings.Index(s[end:min(len(s), end+maxLink)], "</"+name+">"); k >= 0 {
			return sc.skip(i, end+k+len(name)+3)
		}
	}
	return sc.skip(i, end)
}

func tagName(body string) string {
	body = strings.TrimPrefix(body, "/")
	n := 0
	for n < len(body) && (body[n] >= 'a' && body[n] <= 'z' || body[n] >= 'A' && body[n] <= 'Z' || n > 0 && body[n] >= '0' && body[n] <= '9') {
		n++
	}
	if n == 0 || n > 12 || n < len(body) && !strings.ContainsRune(" \t\n/", rune(body[n])) {
		return ""
	}
	return strings.ToLower(body[:n])
}

var htmlTags = setOf("a abbr address article aside b blockquote body br button caption center cite code col colgroup dd del details dfn div dl dt em figcaption figure font footer form h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label li link main mark meta nav ol p picture pre q s samp script section small source span strike strong style sub summary sup table tbody td tfoot th thead time title tr tt u ul var video wbr")

var struckTags = setOf("del s strike script style")

func setOf(words string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(words) {
		m[w] = true
	}
	return m
}

func (sc *inlineScanner) entity(i int) int {
	s := sc.s
	if k := strings.IndexByte(s[i:min(len(s), i+32)], ';'); k > 1 {
		if u := html.UnescapeString(s[i : i+k+1]); u != s[i:i+k+1] {
			sc.text(strings.ReplaceAll(u, "\n", " "))
			return i + k + 1
		}
	}
	sc.text("&")
	return i + 1
}

func (sc *inlineScanner) render() inline {
	var b strings.Builder
	b.Grow(len(sc.s))
	leadOpen, leadClose := sc.leadRun()
	leadFrom, leadTo := -1, -1
	until := -1 // token that ends struck-out text
	seam := false
	for k := range sc.toks {
		t := &sc.toks[k]
		if until >= 0 {
			if t.kind == tokNewline {
				b.WriteByte('\n')
			}
			if k == until {
				until, seam = -1, true
			}
			continue
		}
		if k == leadClose {
			leadTo = b.Len()
		}
		text := ""
		switch t.kind {
		case tokNewline:
			text = "\n"
		case tokText, tokBracket, tokClose:
			text = t.text
		case '*', '_', '~':
			if to, ok := sc.struck[k]; ok {
				until = to
				continue
			}
			text = strings.Repeat(string(rune(t.kind)), t.n)
		}
		if seam && text != "" {
			seam = false
			if s := b.String(); text[0] == ' ' && (s == "" || s[len(s)-1] == ' ') {
				text = text[1:]
			}
		}
		b.WriteString(text)
		if k == leadOpen {
			leadFrom = b.Len()
		}
	}
	all := b.String()
	in := inline{lines: strings.Split(all, "\n")}
	for i, l := range in.lines {
		in.lines[i] = strings.TrimSpace(l)
	}
	if leadFrom >= 0 && leadTo > leadFrom {
		in.lead = squash(strings.Split(all[leadFrom:leadTo], "\n"))
		in.rest = squash(strings.Split(all[leadTo:], "\n"))
		in.bold = in.lead != ""
	}
	return in
}

// leadRun returns the marks of the bold run that the text begins with, or -1.
func (sc *inlineScanner) leadRun() (from, to int) {
	first := -1
	for k := range sc.toks {
		if t := &sc.toks[k]; t.kind != tokNewline && t.kind != tokGone && strings.TrimSpace(t.text) != "" || t.kind == '*' || t.kind == '_' {
			first = k
			break
		}
	}
	from, to = -1, -1
	for _, r := range sc.strong {
		if r[0] == first && r[1] > to {
			from, to = r[0], r[1]
		}
	}
	return from, to
}
