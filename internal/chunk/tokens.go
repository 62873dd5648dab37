package chunk

import (
	"unicode"
	"unicode/utf8"
)

// Tokens estimates how many tokens a text is for today's tokenizers, for any
// script, without a vocabulary. It counts by runs of one kind of character: a
// Latin word has a token for every six letters begun, a word of another alphabet
// for every four, one of Han, kana, Thai and the like for every character, a
// number for every three digits. Spaces cost nothing.
//
// It never shrinks when text is added, and two texts together are never more
// than their sum; apart at a space or line end they are exactly that.
func Tokens(text string) int {
	var (
		n    int
		kind runKind
		run  int  // characters of the run under way
		last rune // of it
	)
	for i := 0; i < len(text); {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		k := kindOf(r, kind)
		if k == runNone {
			kind, run = runNone, 0
			continue
		}
		if k != kind || k == runMark && r != last {
			kind, run = k, 0
		}
		last = r
		if run%perToken[k] == 0 {
			n++
		}
		run++
	}
	return n
}

// runKind is a kind of character.
type runKind uint8

const (
	runNone  runKind = iota // spaces and controls
	runLatin                // letters
	runOther                // letters of other alphabets, with their marks
	runEach                 // characters of scripts without spaces
	runDigit
	runMark // punctuation and symbols: one token for a few of the same
)

// perToken is how many characters of a run make a token.
var perToken = [...]int{runNone: 1, runLatin: 6, runOther: 4, runEach: 1, runDigit: 3, runMark: 4}

// unspaced are the scripts that put no space between words.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

func kindOf(r rune, before runKind) runKind {
	if r < utf8.RuneSelf {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z':
			return runLatin
		case '0' <= r && r <= '9':
			return runDigit
		case r <= ' ' || r == 0x7f:
			return runNone
		}
		return runMark
	}
	switch {
	case unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff':
		return runNone
	case unicode.In(r, unspaced...):
		return runEach
	case unicode.Is(unicode.Latin, r):
		return runLatin
	case unicode.IsLetter(r):
		return runOther
	case unicode.IsMark(r):
		if before == runLatin {
			return runLatin
		}
		return runOther
	case unicode.IsDigit(r):
		return runDigit
	}
	return runMark
}
