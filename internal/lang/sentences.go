package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// token is a word of a text with its byte range. Numbers with their inner
// points, colons and slashes are one token.
type token struct {
	low        string // lower-cased, curly apostrophes made straight
	start, end int
}

// tokens returns the words of a text in order.
func tokens(text string) []token {
	toks := make([]token, 0, len(text)/6+2)
	start := -1
	var prev rune
	flush := func(end int) {
		if start >= 0 {
			low := strings.ToLower(text[start:end])
			if strings.Contains(low, "’") {
				low = strings.ReplaceAll(low, "’", "'")
			}
			toks = append(toks, token{low, start, end})
			start = -1
		}
	}
	for i := 0; i < len(text); {
		r, n := runeAt(text, i)
		switch {
		case inWord(r):
			if start < 0 {
				start = i
			}
		case start >= 0 && insideWord(prev, r, text[i+n:]):
		default:
			flush(i)
		}
		prev = r
		i += n
	}
	flush(len(text))
	if len(toks) == 0 {
		return nil
	}
	return toks
}

func inWord(r rune) bool { return wordRune(r) }

// insideWord reports whether the mark r between prev and the rest belongs to a word:
// an apostrophe or a hyphen between letters, a point or colon between digits.
func insideWord(prev, r rune, rest string) bool {
	next, _ := utf8.DecodeRuneInString(rest)
	switch r {
	case '\'', '’', '-', '\u2011':
		return inWord(prev) && unicode.IsLetter(next) || r == '-' && unicode.IsLetter(prev) && unicode.IsDigit(next)
	case '.', ':', ',':
		return unicode.IsDigit(prev) && unicode.IsDigit(next)
	}
	return false
}

// Words returns the lower-cased words and numbers of a text in order, in any
// language. Inner hyphens and apostrophes belong to the word, inner points,
// commas and colons to the number.
func Words(text string) []string {
	toks := tokens(text)
	if len(toks) == 0 {
		return nil
	}
	words := make([]string, len(toks))
	for i, t := range toks {
		words[i] = t.low
	}
	return words
}

// abbreviations end in a point that ends no sentence. They are lower-cased and
// of all languages at once: none of them is a whole word that ends sentences
// often elsewhere.
var abbreviations = set(`
mr mrs ms dr prof st vs no fig approx dept est inc ltd co e.g i.e eg ie a.m p.m etc ext tel
т.д т.п т.е т.к др пр г гг ул д кв стр руб коп тыс млн млрд им напр см тел доб мин сек обл п пп рис н.э
z.b bzw usw ca nr str evtl inkl zzgl d.h u.a
`)

// Sentences splits a text into its sentences, in order, trimmed. It works for
// any language with sentence-ending punctuation; marks inside brackets and
// quotation marks, after abbreviations and within numbers end nothing.
func Sentences(text string) []string {
	var out []string
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		out = appendSentences(out, line)
	}
	return out
}

func appendSentences(out []string, s string) []string {
	emit := func(part string) {
		if part = strings.TrimSpace(part); part == "" {
			return
		}
		out = append(out, part)
	}
	start, inside := 0, -1
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if i < inside {
			i += n
			continue
		}
		if end := closing(s, i, r, n); end > 0 {
			inside = end
			i += n
			continue
		}
		if !strings.ContainsRune(".!?…。！？।؟։", r) {
			i += n
			continue
		}
		j := i + n
		for j < len(s) { // the rest of a run of marks, and what it closes
			q, m := utf8.DecodeRuneInString(s[j:])
			if !strings.ContainsRune(".!?…。！？»”\"’)]", q) {
				break
			}
			j += m
		}
		wide := strings.ContainsRune("。！？", r)
		if j == len(s) || endsHere(s[start:i], r, s[j:]) || wide {
			emit(s[start:j])
			start = j
		}
		i = j
	}
	emit(s[start:])
	return out
}

// closing returns the offset just before the mark that closes the one at i, if
// r opens a bracket or a quotation that closes nearby; else 0.
func closing(s string, i int, r rune, n int) int {
	var shut string
	switch r {
	case '(':
		shut = ")"
	case '«':
		shut = "»"
	case '“':
		shut = "”"
	case '„':
		shut = "“"
	default:
		return 0
	}
	const near = 400
	rest := s[i+n:]
	if len(rest) > near {
		rest = rest[:near]
	}
	k := strings.Index(rest, shut)
	if k < 0 {
		return 0
	}
	// A quotation that itself ends the sentence: leave its last mark in sight.
	inner := strings.TrimRight(rest[:k], ".!?…")
	if len(inner) < k && startsSentence(rest[k+len(shut):]) {
		return i + n + len(inner)
	}
	return i + n + k
}

func startsSentence(rest string) bool {
	trimmed := strings.TrimLeft(rest, " \t\u00a0")
	if trimmed == "" || trimmed == rest {
		return trimmed == ""
	}
	q, _ := utf8.DecodeRuneInString(strings.TrimLeft(trimmed, "«“„\"'([*_"))
	return unicode.IsUpper(q) || unicode.IsDigit(q) || unicode.IsLetter(q) && unicode.ToUpper(q) == q || unicode.Is(unicode.Georgian, q)
}

// endsHere reports whether the mark r after before and in front of after ends a
// sentence.
func endsHere(before string, r rune, after string) bool {
	if !startsSentence(after) {
		return false
	}
	if r != '.' {
		return true
	}
	k := strings.LastIndexAny(before, " \t\u00a0(«“\"")
	last := before[k+1:]
	if k >= 0 && k < len(before) {
		_, n := utf8.DecodeRuneInString(before[k:])
		last = before[k+n:]
	}
	low := strings.ToLower(last)
	if strings.HasSuffix(strings.ToLower(before), "т. "+low) && (low == "д" || low == "п") {
		return true // «и т. д.»
	}
	if abbreviations[low] {
		// "etc." may end a sentence; the others go on.
		return low == "etc" || low == "т.д" || low == "т.п" || low == "др" || low == "p.m" || low == "a.m" || low == "min" || low == "руб"
	}
	if utf8.RuneCountInString(last) == 1 {
		q, _ := utf8.DecodeRuneInString(last)
		return !unicode.IsUpper(q) // an initial
	}
	if isNumber(last) && strings.TrimSpace(before) == last {
		return false // "1. First"
	}
	return true
}

func isNumber(s string) bool {
	for _, r := range s {
		if !unicode.IsDigit(r) {
			return false
		}
	}
	return s != ""
}
