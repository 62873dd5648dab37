package model

import (
	"bytes"
	"fmt"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"
)

// DefaultMaxBytes is the size of the largest document that is read without an
// option: 10 MiB.
const DefaultMaxBytes = 10 << 20

// ParseMarkdown reads a Markdown document. Name is the base name of the file,
// which goes into evidence; nothing else depends on it. A nil opts is the zero
// [ParseOptions]. The document keeps b, which must not change afterwards. The
// error is a *[ParseError].
func ParseMarkdown(name string, b []byte, opts *ParseOptions) (*Document, error) {
	limit := DefaultMaxBytes
	if opts != nil && opts.MaxBytes > 0 {
		limit = opts.MaxBytes
	}
	if err := readable(name, b, limit); err != nil {
		return nil, err
	}
	d := &Document{Name: name, raw: b}
	d.splitLines()
	if !slices.ContainsFunc(d.lines, func(l string) bool { return !blank(l) }) {
		return nil, &ParseError{
			Name: name, Problem: ProblemEmpty,
			Detail: "the document holds only blank lines", Remedy: "give a document with text in it",
		}
	}
	newBlockReader(d).read()
	d.findTickets()
	d.findQuestions()
	return d, nil
}

func readable(name string, b []byte, limit int) error {
	fail := func(p Problem, off int, detail, remedy string) error {
		e := &ParseError{Name: name, Problem: p, Detail: detail, Remedy: remedy}
		if off >= 0 {
			e.Offset = off
			e.Line = 1 + bytes.Count(b[:off], []byte("\n"))
		}
		return e
	}
	switch {
	case len(b) > limit:
		return fail(ProblemTooLarge, -1, fmt.Sprintf("the document has %d bytes, more than the limit of %d", len(b), limit),
			"split it, or raise the limit (ParseOptions.MaxBytes)")
	case len(b) == 0:
		return fail(ProblemEmpty, -1, "the document is empty", "give a document with text in it")
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return fail(ProblemEncoding, 0, "the document is UTF-16, not UTF-8", "save it as UTF-8")
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return fail(ProblemBinary, i, "the document holds a NUL byte, so it is no text file",
			"give a Markdown text file; convert other formats first")
	}
	if !utf8.Valid(b) {
		i := 0
		for i < len(b) {
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		return fail(ProblemEncoding, i, fmt.Sprintf("byte 0x%02x is not UTF-8", b[i]), "save the document as UTF-8")
	}
	return nil
}

// splitLines cuts the document at LF, CRLF and lone CR, and nowhere else.
func (d *Document) splitLines() {
	if bytes.HasPrefix(d.raw, []byte("\ufeff")) {
		d.start = len("\ufeff")
	}
	text := string(d.raw)
	n := 1 + strings.Count(text, "\n")
	d.lines = make([]string, 0, n)
	d.ends = make([]int, 0, n)
	for i := d.start; i < len(text); {
		j := strings.IndexAny(text[i:], "\r\n")
		if j < 0 {
			d.lines = append(d.lines, text[i:])
			d.ends = append(d.ends, len(text))
			return
		}
		end := i + j
		next := end + 1
		if text[end] == '\r' && next < len(text) && text[next] == '\n' {
			next++
		}
		d.lines = append(d.lines, text[i:end])
		d.ends = append(d.ends, next)
		i = next
	}
}

func blank(line string) bool { return strings.TrimSpace(line) == "" }

// NumLines returns the number of lines. A final newline ends the last line and
// opens no other.
func (d *Document) NumLines() int { return len(d.lines) }

// Line returns line n (1-based) without its line end, or "" out of range.
func (d *Document) Line(n int) string {
	if n < 1 || n > len(d.lines) {
		return ""
	}
	return d.lines[n-1]
}

// Text returns all lines joined with "\n".
func (d *Document) Text() string { return strings.Join(d.lines, "\n") }

// Bytes returns the raw bytes of the document, a byte order mark included. The
// caller must not change them.
func (d *Document) Bytes() []byte { return d.raw }

// Cut quotes the whole lines start to end (1-based, inclusive). A range that is
// out of bounds, or starts or ends with a blank line, is a *[RangeError];
// [Document.Tighten] mends the latter.
func (d *Document) Cut(start, end int) (Evidence, error) {
	if err := d.checkRange(start, end); err != nil {
		return Evidence{}, err
	}
	return Evidence{
		InputFile: d.Name, LineStart: start, LineEnd: end,
		Quote: strings.Join(d.lines[start-1:end], "\n"),
	}, nil
}

// Span returns the raw bytes of lines start to end, without the last line's
// end. Errors are those of [Document.Cut].
func (d *Document) Span(start, end int) (Span, error) {
	if err := d.checkRange(start, end); err != nil {
		return Span{}, err
	}
	return Span{
		Doc: d.Name, StartByte: d.lineByte(start), EndByte: d.lineByte(end) + len(d.lines[end-1]),
		StartLine: start, EndLine: end,
	}, nil
}

// lineByte returns the offset in raw of the first byte of line n.
func (d *Document) lineByte(n int) int {
	if n == 1 {
		return d.start
	}
	return d.ends[n-2]
}

func (d *Document) checkRange(start, end int) error {
	var reason string
	switch n := len(d.lines); {
	case start < 1 || end > n:
		reason = fmt.Sprintf("the document has lines 1-%d", n)
	case end < start:
		reason = "the range ends before it starts"
	case blank(d.lines[start-1]):
		reason = fmt.Sprintf("line %d, the first, is blank", start)
	case blank(d.lines[end-1]):
		reason = fmt.Sprintf("line %d, the last, is blank", end)
	default:
		return nil
	}
	return &RangeError{Name: d.Name, Start: start, End: end, Lines: len(d.lines), Reason: reason}
}

// Tighten shrinks a range of lines so that it neither starts nor ends blank,
// clamping it to the document; ok is false when nothing is left.
func (d *Document) Tighten(start, end int) (first, last int, ok bool) {
	start, end = max(start, 1), min(end, len(d.lines))
	for start <= end && blank(d.lines[start-1]) {
		start++
	}
	for end >= start && blank(d.lines[end-1]) {
		end--
	}
	if start > end {
		return 0, 0, false
	}
	return start, end, true
}

// Supports reports whether lines start to end hold anything that can support a
// claim: more than headings, rules, blank lines, empty bullets, table heads and
// separators, code, comments, struck-out text and front matter.
func (d *Document) Supports(start, end int) bool {
	for i := d.firstBlock(start); i < len(d.Blocks); i++ {
		b := &d.Blocks[i]
		if b.LineStart > end {
			return false
		}
		if !b.InForce() {
			continue
		}
		lines := d.seen[i].lines
		if len(lines) == 0 { // a row or HTML: all of it or nothing
			return true
		}
		for k, l := range lines {
			if n := b.LineStart + k; n >= start && n <= end && l != "" {
				return true
			}
		}
	}
	return false
}

// BlocksIn returns the blocks that overlap lines start to end. The slice shares
// memory with [Document.Blocks].
func (d *Document) BlocksIn(start, end int) []Block {
	i := d.firstBlock(start)
	j := i
	for j < len(d.Blocks) && d.Blocks[j].LineStart <= end {
		j++
	}
	return d.Blocks[i:j:j]
}

// firstBlock returns the index of the first block that ends at or after line n.
func (d *Document) firstBlock(n int) int {
	return sort.Search(len(d.Blocks), func(i int) bool { return d.Blocks[i].LineEnd >= n })
}
