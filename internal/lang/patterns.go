package lang

import (
	"strings"
	"unicode/utf8"
)

// A pattern is a pattern over words, written as words with spaces between:
// "a|b" is either word, "ab*" any word that begins so, "_" any one word, "#" any
// number and "..." up to four words. Patterns are lower-cased.
type pattern struct {
	elems []elem
}

type elem struct {
	words    []string
	prefixes []string
	any, gap bool
	number   bool
}

// patterns is a set of patterns, found by the first letter of their first word.
type patterns struct {
	byRune map[rune][]pattern
}

const maxSkip = 4

// compile reads patterns, one a line; blank lines are skipped.
func compile(text string) patterns {
	p := patterns{byRune: map[rune][]pattern{}}
	for line := range strings.Lines(text) {
		var ph pattern
		for _, f := range strings.Fields(line) {
			var e elem
			switch f {
			case "_":
				e.any = true
			case "...":
				e.gap = true
			case "#":
				e.number = true
			default:
				for _, w := range strings.Split(f, "|") {
					if pre, ok := strings.CutSuffix(w, "*"); ok {
						e.prefixes = append(e.prefixes, pre)
					} else {
						e.words = append(e.words, w)
					}
				}
			}
			ph.elems = append(ph.elems, e)
		}
		if len(ph.elems) == 0 {
			continue
		}
		if first := ph.elems[0]; first.any || first.gap || first.number {
			panic("lang: a pattern must begin with a word: " + line)
		}
		seen := map[rune]bool{}
		for _, ws := range [][]string{ph.elems[0].words, ph.elems[0].prefixes} {
			for _, w := range ws {
				r, _ := utf8.DecodeRuneInString(w)
				if !seen[r] {
					seen[r] = true
					p.byRune[r] = append(p.byRune[r], ph)
				}
			}
		}
	}
	return p
}

func (e *elem) matches(w string) bool {
	if e.any {
		return true
	}
	if e.number {
		return w[0] >= '0' && w[0] <= '9'
	}
	for _, x := range e.words {
		if x == w {
			return true
		}
	}
	for _, x := range e.prefixes {
		if strings.HasPrefix(w, x) {
			return true
		}
	}
	return false
}

// at returns how many tokens the longest pattern that begins at token i takes;
// 0 when none begins there.
func (p patterns) at(toks []token, i int) int {
	if i >= len(toks) {
		return 0
	}
	r, _ := utf8.DecodeRuneInString(toks[i].low)
	best := 0
	for _, ph := range p.byRune[r] {
		if n := matchElems(ph.elems, toks[i:]); n > best {
			best = n
		}
	}
	return best
}

func matchElems(elems []elem, toks []token) int {
	n := 0
	for k := range elems {
		e := &elems[k]
		if e.gap {
			for skip := 0; skip <= maxSkip && n+skip < len(toks); skip++ {
				if m := matchElems(elems[k+1:], toks[n+skip:]); m > 0 {
					return n + skip + m
				}
			}
			return 0
		}
		if n >= len(toks) || !e.matches(toks[n].low) {
			return 0
		}
		n++
	}
	return n
}

// find returns the first token and the end of the first pattern found at or
// after token from, or -1.
func (p patterns) find(toks []token, from int) (start, end int) {
	for i := from; i < len(toks); i++ {
		if n := p.at(toks, i); n > 0 {
			return i, i + n
		}
	}
	return -1, -1
}

// in reports whether a pattern occurs in the tokens.
func (p patterns) in(toks []token) bool {
	i, _ := p.find(toks, 0)
	return i >= 0
}

// with returns the patterns of both sets.
func (p patterns) with(q patterns) patterns {
	out := patterns{byRune: map[rune][]pattern{}}
	for r, ps := range p.byRune {
		out.byRune[r] = append(out.byRune[r], ps...)
	}
	for r, ps := range q.byRune {
		out.byRune[r] = append(out.byRune[r], ps...)
	}
	return out
}
