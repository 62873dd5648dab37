package llm

import (
	"context"
	"hash/fnv"
	"math"
	"strings"
	"unicode"
)

// lexicalDim is the length of the lexical embedder's vectors.
const lexicalDim = 1024

// NewLexical returns an embedder that needs no model: unit TF-IDF vectors, of
// length 1024, over the lower-cased words and word stems of a text, weighted by
// how rare they are among texts. Texts without a word are the zero vector.
//
// It knows no language. A stem is the first five characters of a word, which
// serves languages that inflect at the end; in scripts that put no space
// between words, pairs of characters take the place of words. The same texts
// give the same vectors on every machine. It is safe for concurrent use and
// never fails.
func NewLexical(texts []string) Embedder {
	l := &lexical{docs: float64(len(texts)), df: map[string]int{}}
	for _, t := range texts {
		seen := map[string]bool{}
		for _, f := range features(t) {
			if !seen[f] {
				seen[f] = true
				l.df[f]++
			}
		}
	}
	return l
}

type lexical struct {
	docs float64
	df   map[string]int // texts of the corpus with the feature
}

func (l *lexical) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = l.vector(t)
	}
	return out, nil
}

func (l *lexical) vector(text string) []float32 {
	var order []string // of first appearance: a map's would change the sums' last bits
	count := map[string]int{}
	for _, f := range features(text) {
		if count[f] == 0 {
			order = append(order, f)
		}
		count[f]++
	}
	var sum [lexicalDim]float64
	for _, f := range order {
		idf := 1 + math.Log((1+l.docs)/(1+float64(l.df[f])))
		w := (1 + math.Log(float64(count[f]))) * idf
		h := fnv.New64a()
		h.Write([]byte(f))
		x := h.Sum64()
		if x>>63 == 1 { // a sign, so that collisions cancel rather than add up
			w = -w
		}
		sum[(x^x>>32)%lexicalDim] += w
	}
	var norm float64
	for _, w := range sum {
		norm += float64(w * w)
	}
	v := make([]float32, lexicalDim)
	if norm == 0 {
		return v
	}
	norm = math.Sqrt(norm)
	for i, w := range sum {
		v[i] = float32(w / norm)
	}
	return v
}

const stemRunes = 5

// features returns the words and stems of a text, in order and with repeats.
func features(text string) []string {
	var out []string
	word := func(w []rune) {
		if len(w) == 0 {
			return
		}
		s := string(w)
		out = append(out, s)
		if len(w) >= stemRunes && !unicode.IsDigit(w[0]) {
			out = append(out, s[:len(string(w[:stemRunes]))]+"*")
		}
	}
	var w []rune      // the word under way
	var pair rune = 0 // the character before, in a script without spaces
	for _, r := range strings.ToLower(text) {
		switch {
		case unicode.In(r, unspaced...):
			word(w)
			w = w[:0]
			out = append(out, string(r))
			if pair != 0 {
				out = append(out, string([]rune{pair, r}))
			}
			pair = r
			continue
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			w = append(w, r)
		case unicode.IsMark(r) && len(w) > 0:
			w = append(w, r)
		case (r == '\'' || r == '’') && len(w) > 0:
			continue // don't = dont
		default:
			word(w)
			w = w[:0]
		}
		pair = 0
	}
	word(w)
	return out
}

// unspaced are the scripts that put no space between words.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar, unicode.Tibetan,
}

// Cosine returns the cosine of the angle between a and b, from -1 to 1. It is 0
// if one of them is zero or their lengths differ.
func Cosine(a, b []float32) float64 {
	if len(a) != len(b) {
		return 0
	}
	var dot, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot += float64(x * y)
		aa += float64(x * x)
		bb += float64(y * y)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return max(-1, min(1, dot/math.Sqrt(float64(aa*bb))))
}
