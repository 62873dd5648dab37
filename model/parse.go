package model

import "errors"

// ParseMarkdown reads a Markdown document. Name is the base name of the file,
// which goes into evidence; nothing else depends on it. The document keeps b,
// which must not change afterwards. The error is a *[ParseError].
func ParseMarkdown(name string, b []byte, opts *ParseOptions) (*Document, error) {
	return nil, errors.New("not written yet")
}

// NumLines returns the number of lines. A final newline ends the last line and
// opens no other.
func (d *Document) NumLines() int { return len(d.lines) }

// Line returns line n (1-based) without its line end, or "" out of range.
func (d *Document) Line(n int) string { return "" }

// Text returns all lines joined with "\n".
func (d *Document) Text() string { return "" }

// Cut quotes the whole lines start to end (1-based, inclusive). A range that is
// out of bounds, or starts or ends with a blank line, is a *[RangeError];
// [Document.Tighten] mends the latter.
func (d *Document) Cut(start, end int) (Evidence, error) { return Evidence{}, nil }

// Span returns the raw bytes of lines start to end, without the last line's
// end. Errors are those of [Document.Cut].
func (d *Document) Span(start, end int) (Span, error) { return Span{}, nil }

// Bytes returns the raw bytes of the document, a byte order mark included. The
// caller must not change them.
func (d *Document) Bytes() []byte { return d.raw }

// Tighten shrinks a range of lines so that it neither starts nor ends blank,
// clamping it to the document; ok is false when nothing is left.
func (d *Document) Tighten(start, end int) (first, last int, ok bool) { return 0, 0, false }

// Supports reports whether lines start to end hold anything that can support a
// claim: more than headings, rules, blank lines, empty bullets, table heads and
// separators, comments and front matter.
func (d *Document) Supports(start, end int) bool { return false }

// BlocksIn returns the blocks that overlap lines start to end.
func (d *Document) BlocksIn(start, end int) []Block { return nil }
