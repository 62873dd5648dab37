package loose

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth bounds the nesting of literals; deeper ones are no data.
const maxDepth = 200

// PythonError says where a text stops being a Python literal.
type PythonError struct {
	Offset int // in bytes
	Reason string
}

// Error implements error.
func (e *PythonError) Error() string {
	return fmt.Sprintf("no Python literal at byte %d: %s", e.Offset, e.Reason)
}

// Python reads one literal of Python (a text, a number, True, False, None, a
// list, a tuple or a dict of them, as repr writes them) and returns it as
// compact JSON. Keys that are no texts become texts; nan and the infinities,
// which a DataFrame's cells hold, become null. Anything else, such as a
// call or a set, is a *[PythonError].
func Python(s string) (json.RawMessage, error) {
	p := &literal{s: s}
	p.space()
	b, err := p.value(nil, 0)
	if err != nil {
		return nil, err
	}
	p.space()
	if p.i < len(p.s) {
		return nil, p.fail("text after the literal")
	}
	return b, nil
}

type literal struct {
	s string
	i int
}

func (p *literal) fail(reason string) error { return &PythonError{Offset: p.i, Reason: reason} }

func (p *literal) space() {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *literal) peek() byte {
	if p.i < len(p.s) {
		return p.s[p.i]
	}
	return 0
}

func (p *literal) value(out []byte, depth int) ([]byte, error) {
	if depth > maxDepth {
		return nil, p.fail("nested too deep")
	}
	c := p.peek()
	switch {
	case c == '[':
		return p.list(out, ']', depth)
	case c == '(':
		return p.list(out, ')', depth)
	case c == '{':
		return p.dict(out, depth)
	case c == '\'' || c == '"' || p.prefixed():
		s, err := p.text()
		if err != nil {
			return nil, err
		}
		b, err := Marshal(s)
		return append(out, b...), err
	case c == '-' || c == '+' || c == '.' || c >= '0' && c <= '9':
		return p.number(out)
	}
	for _, w := range [...]struct{ word, json string }{{"True", "true"}, {"False", "false"}, {"None", "null"}, {"nan", "null"}, {"NaN", "null"}, {"inf", "null"}} {
		if strings.HasPrefix(p.s[p.i:], w.word) && !wordAt(p.s, p.i+len(w.word)) {
			p.i += len(w.word)
			return append(out, w.json...), nil
		}
	}
	if p.i >= len(p.s) {
		return nil, p.fail("it ends too early")
	}
	return nil, p.fail("a value is expected")
}

func wordAt(s string, i int) bool {
	return i < len(s) && (s[i] == '_' || s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z' || s[i] >= 0x80)
}

// prefixed reports whether a text with a prefix (u'...') begins here.
func (p *literal) prefixed() bool {
	return p.i+1 < len(p.s) && strings.IndexByte("uU", p.s[p.i]) >= 0 && strings.IndexByte(`'"`, p.s[p.i+1]) >= 0
}

func (p *literal) list(out []byte, end byte, depth int) ([]byte, error) {
	open := p.i
	p.i++
	out = append(out, '[')
	commas := 0
	for n := 0; ; n++ {
		p.space()
		if p.peek() == end {
			p.i++
			if end == ')' && n == 1 && commas == 0 {
				p.i = open
				return nil, p.fail("a value in brackets is no tuple")
			}
			return append(out, ']'), nil
		}
		if n > commas {
			return nil, p.fail("a comma is expected")
		}
		if n > 0 {
			out = append(out, ',')
		}
		var err error
		if out, err = p.value(out, depth+1); err != nil {
			return nil, err
		}
		p.space()
		if p.peek() == ',' {
			p.i++
			commas++
		}
	}
}

func (p *literal) dict(out []byte, depth int) ([]byte, error) {
	p.i++
	out = append(out, '{')
	commas := 0
	seen := map[string]bool{}
	for n := 0; ; n++ {
		p.space()
		if p.peek() == '}' {
			p.i++
			return append(out, '}'), nil
		}
		if n > commas {
			return nil, p.fail("a comma is expected")
		}
		if n > 0 {
			out = append(out, ',')
		}
		key, err := p.value(nil, depth+1)
		if err != nil {
			return nil, err
		}
		if key[0] == '[' || key[0] == '{' {
			return nil, p.fail("a key cannot be a list or a dict")
		}
		if key[0] != '"' {
			key, _ = Marshal(string(key))
		}
		if seen[string(key)] {
			return nil, p.fail("the key " + string(key) + " stands twice")
		}
		seen[string(key)] = true
		p.space()
		if p.peek() != ':' {
			return nil, p.fail("a colon is expected")
		}
		p.i++
		p.space()
		out = append(append(out, key...), ':')
		if out, err = p.value(out, depth+1); err != nil {
			return nil, err
		}
		p.space()
		if p.peek() == ',' {
			p.i++
			commas++
		}
	}
}

func (p *literal) number(out []byte) ([]byte, error) {
	start := p.i
	if c := p.peek(); c == '-' || c == '+' {
		p.i++
	}
	if strings.HasPrefix(p.s[p.i:], "inf") && !wordAt(p.s, p.i+3) {
		p.i += 3
		return append(out, "null"...), nil
	}
	for p.i < len(p.s) && (p.s[p.i] >= '0' && p.s[p.i] <= '9' || strings.IndexByte(".eE_", p.s[p.i]) >= 0 ||
		strings.IndexByte("+-", p.s[p.i]) >= 0 && strings.IndexByte("eE", p.s[p.i-1]) >= 0) {
		p.i++
	}
	text := strings.TrimPrefix(p.s[start:p.i], "+")
	bad := func() ([]byte, error) {
		p.i = start
		return nil, p.fail("no number")
	}
	if wordAt(p.s, p.i) || strings.Contains(text, "_") {
		return bad()
	}
	if b := []byte(text); json.Valid(b) {
		return append(out, b...), nil
	}
	// 1. and .5 are numbers in Python and not in JSON; 012 is one in neither.
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !strings.ContainsAny(text, ".eE") {
		return bad()
	}
	b, err := json.Marshal(f)
	if err != nil {
		return bad()
	}
	return append(out, b...), nil
}

var simple = map[byte]string{
	'n': "\n", 't': "\t", 'r': "\r", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\n': "",
}

// text reads one text, or several that stand side by side, which Python joins.
func (p *literal) text() (string, error) {
	var b strings.Builder
	for n := 0; ; n++ {
		if p.prefixed() {
			p.i++
		}
		if c := p.peek(); c != '\'' && c != '"' {
			return b.String(), nil
		}
		if err := p.quoted(&b); err != nil {
			return "", err
		}
		end := p.i
		p.space()
		if c := p.peek(); c != '\'' && c != '"' && !p.prefixed() {
			p.i = end
			return b.String(), nil
		}
	}
}

var errSurrogate = errors.New("half a surrogate pair")

func (p *literal) quoted(b *strings.Builder) error {
	q := p.s[p.i]
	p.i++
	if strings.HasPrefix(p.s[p.i:], string([]byte{q, q})) {
		return p.triple(b, q)
	}
	for p.i < len(p.s) {
		switch c := p.s[p.i]; c {
		case q:
			p.i++
			return nil
		case '\\':
			if err := p.escape(b); err != nil {
				return err
			}
		case '\n':
			return p.fail("the line ends inside a text")
		default:
			b.WriteByte(c)
			p.i++
		}
	}
	return p.fail("a text has no end")
}

// triple reads the rest of ”'...”', or of the empty text.
func (p *literal) triple(b *strings.Builder, q byte) error {
	mark := string([]byte{q, q, q})
	p.i += 2
	for p.i < len(p.s) {
		switch {
		case strings.HasPrefix(p.s[p.i:], mark):
			p.i += 3
			return nil
		case p.s[p.i] == '\\':
			if err := p.escape(b); err != nil {
				return err
			}
		default:
			b.WriteByte(p.s[p.i])
			p.i++
		}
	}
	return p.fail("a text has no end")
}

func (p *literal) escape(b *strings.Builder) error {
	if p.i+1 >= len(p.s) {
		return p.fail("a text has no end")
	}
	c := p.s[p.i+1]
	if s, ok := simple[c]; ok {
		b.WriteString(s)
		p.i += 2
		return nil
	}
	width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
	switch {
	case width > 0:
		r, err := p.rune(width)
		if err != nil {
			return p.fail(err.Error())
		}
		b.WriteRune(r)
		return nil
	case c >= '0' && c <= '7':
		n := 1
		for n < 3 && p.i+1+n < len(p.s) && p.s[p.i+1+n] >= '0' && p.s[p.i+1+n] <= '7' {
			n++
		}
		v, _ := strconv.ParseUint(p.s[p.i+1:p.i+1+n], 8, 32)
		b.WriteRune(rune(v))
		p.i += 1 + n
		return nil
	case c == 'N':
		return p.fail(`\N{...} is not read`)
	}
	// Python keeps the backslash of an escape that it does not know.
	b.WriteByte('\\')
	p.i++
	return nil
}

func (p *literal) rune(width int) (rune, error) {
	if p.i+2+width > len(p.s) {
		return 0, errors.New("an escape is cut off")
	}
	v, err := strconv.ParseUint(p.s[p.i+2:p.i+2+width], 16, 32)
	if err != nil {
		return 0, errors.New("an escape is no number")
	}
	p.i += 2 + width
	r := rune(v)
	if r >= 0xd800 && r < 0xdc00 && strings.HasPrefix(p.s[p.i:], `\u`) {
		if low, err := strconv.ParseUint(p.s[p.i+2:min(p.i+6, len(p.s))], 16, 32); err == nil && low >= 0xdc00 && low < 0xe000 {
			p.i += 6
			return 0x10000 + (r-0xd800)<<10 + rune(low) - 0xdc00, nil
		}
	}
	if v > utf8.MaxRune || !utf8.ValidRune(r) {
		return 0, errSurrogate
	}
	return r, nil
}
