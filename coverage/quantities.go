package coverage

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/casebook-go/casebook/internal/lang"
)

// quantity is a number with a unit, and what qualifies it.
type quantity struct {
	value      int
	unit       *lang.UnitWord
	kinds      map[string]bool // qualifiers that demand to be kept
	soft       map[string]bool // and those that keep one
	words      bool            // written in words
	bare       bool            // "within a week"
	ranged     bool            // one end of a range
	start, end int             // bytes of the text, from number to unit
}

// base returns the amount in the smallest unit of the dimension.
func (q *quantity) base() unitAmount { return unitAmount{q.unit.Dim, q.value * q.unit.Per} }

type unitAmount struct {
	dim string
	n   int
}

// has reports whether the quantity keeps a qualifier of the kind.
func (q *quantity) has(kind string) bool {
	return q.kinds[kind] || q.soft[kind] || (q.ranged && (kind == "max" || kind == "min"))
}

// measures finds the quantities of a text, and the units that stand without a number.
func measures(l *lang.Language, text string) (qs []quantity, bare map[unitAmount]bool) {
	bare = map[unitAmount]bool{}
	text = spaced(text)
	toks := lang.Tokens(text)
	used := make([]bool, len(toks))
	for i := 0; i < len(toks); i++ {
		value, n, words, ok := number(l, toks, i)
		if !ok {
			continue
		}
		if !words && i > 0 && inNumber(text, toks, i) {
			continue
		}
		first, last := i, i+n // of the range this number belongs to
		ranged := false
		// A range on the right: "2-7 days", "from 2 to 7 days".
		if m, ok := rangeTo(l, text, toks, i+n); ok {
			last, ranged = m, true
		}
		if j, ok := rangeFrom(l, text, toks, i); ok {
			first, ranged = j, true
		}
		at := last
		q := quantity{value: value, words: words, ranged: ranged, kinds: map[string]bool{}, soft: map[string]bool{}, start: toks[i].Start}
		for at < len(toks) && !toks[at].Break && !toks[at].Pause {
			if h, ok := qualifierAt(l, toks, at); ok {
				at = h
				continue
			}
			break
		}
		if at >= len(toks) || toks[at].Break || toks[at].Pause {
			continue
		}
		u, un, ok := l.Unit(toks, at)
		if !ok {
			continue
		}
		q.unit, q.end = u, toks[at+un-1].End
		for k := at; k < at+un; k++ {
			used[k] = true
		}
		qualify(l, toks, &q, first, last, at, at+un)
		qs = append(qs, q)
		i += n - 1
	}
	for i := 0; i < len(toks); i++ {
		if h, ok := l.Marks.Bare.At(toks, i); ok && h.To < len(toks) && !used[h.To] && !toks[h.To].Break {
			if u, n, ok := l.Unit(toks, h.To); ok && (u.Dim == "month" || u.Dim == "time" && u.Per >= 60) {
				q := quantity{value: 1, unit: u, words: true, bare: true, kinds: map[string]bool{}, soft: map[string]bool{}, start: toks[i].Start, end: toks[h.To+n-1].End}
				qualify(l, toks, &q, i, i, h.To, h.To+n)
				qs = append(qs, q)
			}
		}
		if used[i] {
			continue
		}
		if u, _, ok := l.Unit(toks, i); ok {
			bare[unitAmount{u.Dim, u.Per}] = true
		}
	}
	return qs, bare
}

// apart is a number whose groups of three digits are set apart.
var apart = regexp.MustCompile(`\b\d{1,3}(?:[ \x{a0}\x{2009}\x{202f}]\d{3})+\b`)

// spaced puts a space between a digit and a letter that follows it, and none
// between the groups of one number.
func spaced(text string) string {
	text = apart.ReplaceAllStringFunc(text, func(n string) string {
		return strings.Join(strings.FieldsFunc(n, unicode.IsSpace), "")
	})
	var b strings.Builder
	var prev rune
	for _, r := range text {
		if unicode.IsDigit(prev) && unicode.IsLetter(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
		prev = r
	}
	return asciiDigits(b.String())
}

// number reads the number at token i, in digits or in words.
func number(l *lang.Language, toks []lang.Token, i int) (value, n int, words, ok bool) {
	if i >= len(toks) {
		return 0, 0, false, false
	}
	w := toks[i].Text
	if allDigits(w) {
		v, err := strconv.Atoi(w)
		return v, 1, false, err == nil && v < 1_000_000_000
	}
	if a, b, cut := strings.Cut(w, "-"); cut {
		if x, ok := l.Number(a); ok && x >= 20 {
			if y, ok := l.Number(b); ok && y < 10 {
				return x + y, 1, true, true
			}
		}
	}
	v, ok := l.Number(w)
	if !ok {
		return 0, 0, false, false
	}
	if v >= 20 && v < 100 && i+1 < len(toks) && !toks[i+1].Break && !toks[i+1].Pause {
		if y, ok := l.Number(toks[i+1].Text); ok && y < 10 {
			return v + y, 2, true, true
		}
	}
	return v, 1, true, true
}

// inNumber reports whether token i is the later part of a decimal, a time or a
// date: its separator touches digits on both sides.
func inNumber(text string, toks []lang.Token, i int) bool {
	gap := text[toks[i-1].End:toks[i].Start]
	return allDigits(toks[i-1].Text) && (gap == "." || gap == "," || gap == ":" || gap == "/")
}

// rangeTo returns the token after a range that goes on at token i.
func rangeTo(l *lang.Language, text string, toks []lang.Token, i int) (int, bool) {
	if i >= len(toks) || toks[i].Break || i == 0 {
		return 0, false
	}
	gap := strings.TrimSpace(text[toks[i-1].End:toks[i].Start])
	if dash(gap) {
		if _, n, _, ok := number(l, toks, i); ok {
			return i + n, true
		}
		return 0, false
	}
	if gap == "" && (toks[i].Text == "to" || toks[i].Text == "до") && i+1 < len(toks) {
		if _, n, _, ok := number(l, toks, i+1); ok {
			return i + 1 + n, true
		}
	}
	return 0, false
}

// rangeFrom returns the first token of a range that ends in the number at i.
func rangeFrom(l *lang.Language, text string, toks []lang.Token, i int) (int, bool) {
	if i == 0 || toks[i].Break {
		return 0, false
	}
	gap := strings.TrimSpace(text[toks[i-1].End:toks[i].Start])
	if dash(gap) {
		if _, _, _, ok := number(l, toks, i-1); ok {
			return i - 1, true
		}
		return 0, false
	}
	if gap == "" && (toks[i-1].Text == "to" || toks[i-1].Text == "до") && i >= 2 {
		if _, _, _, ok := number(l, toks, i-2); ok {
			return i - 2, true
		}
	}
	return 0, false
}

func dash(s string) bool {
	switch s {
	case "-", "–", "—", "‑", "‐", "−", "…", "..":
		return true
	}
	return false
}

// qualifierAt returns the token after a qualifier that stands between a number
// and its unit.
func qualifierAt(l *lang.Language, toks []lang.Token, i int) (int, bool) {
	for k := range l.Marks.Qualifiers {
		q := &l.Marks.Qualifiers[k]
		if q.Kind != "working" && q.Kind != "calendar" {
			continue
		}
		if h, ok := q.Words.At(toks, i); ok {
			return h.To, true
		}
	}
	return 0, false
}

// beside is how far before a number a qualifier may end: a word of four
// letters or less, a preposition, stands right before it.
const beside = 2

// qualify finds the qualifiers of a quantity whose numbers are tokens
// first..last-1 and whose unit is tokens unit..end-1.
func qualify(l *lang.Language, toks []lang.Token, q *quantity, first, last, unit, end int) {
	from := first
	for from > 0 && first-from < 6 {
		if toks[from].Break || toks[from].Pause {
			break
		}
		if _, _, _, isNumber := number(l, toks, from-1); isNumber {
			break
		}
		from--
	}
	stop := end
	for stop < len(toks) && stop-end < 3 && !toks[stop].Break && !toks[stop].Pause {
		stop++
	}
	for k := range l.Marks.Qualifiers {
		g := &l.Marks.Qualifiers[k]
		note := func(x *lang.Lexicon, into map[string]bool) {
			for i := from; i < stop; i++ {
				h, ok := x.At(toks, i)
				if !ok || h.To > stop {
					continue
				}
				switch {
				case h.To <= first:
					short := h.To-h.From == 1 && len([]rune(toks[h.From].Text)) <= 4
					if h.To == first || (!short && h.To >= first-beside) {
						into[g.Kind] = true
					}
				case h.From >= last && h.To <= unit:
					into[g.Kind] = true
				case h.From >= end:
					short := h.To-h.From == 1 && len([]rune(toks[h.From].Text)) <= 4
					if !short || g.Kind == "working" || g.Kind == "calendar" {
						into[g.Kind] = true
					}
				}
			}
		}
		note(&g.Words, q.kinds)
		note(&g.Soft, q.soft)
	}
	// After the unit a clause of its own may begin ("14 days from receipt"):
	// what stands there keeps a qualifier and demands none.
	for kind := range q.kinds {
		q.soft[kind] = true
	}
}
