package extract

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
)

// A bag is what a text is about: its roots, each once, and its quantities.
type bag struct {
	roots  []int // sorted root numbers
	number map[string]bool
}

// A lexicon numbers the roots of a body of texts and weighs them by rarity.
type lexicon struct {
	l     *lang.Language
	ids   map[string]int
	roots map[string]int // word -> root number, -1 for a stop word
	df    []int
	texts int
	heavy []float64 // the weight of each root, once it was asked for
}

func newLexicon(l *lang.Language) *lexicon {
	return &lexicon{l: l, ids: map[string]int{}, roots: map[string]int{}}
}

// root conflates the forms of a word and, roughly, of its derivations: the
// first letters of its stem.
func (x *lexicon) root(word string) int {
	if id, ok := x.roots[word]; ok {
		return id
	}
	id := -1
	if !x.l.IsStop(word) && utf8.RuneCountInString(word) > 1 {
		const letters = 6
		stem := strings.ReplaceAll(x.l.Stem(word), "ё", "е")
		if r := []rune(stem); len(r) > letters {
			stem = string(r[:letters])
		}
		if f, ok := x.l.Family(word); ok {
			stem = "family " + itoa(f)
		}
		var ok bool
		if id, ok = x.ids[stem]; !ok {
			id = len(x.df)
			x.ids[stem] = id
			x.df = append(x.df, 0)
		}
	}
	x.roots[word] = id
	return id
}

// bag reads a text without counting it.
func (x *lexicon) bag(text string) bag {
	var b bag
	for _, w := range lang.Words(text) {
		if id := x.root(w); id >= 0 {
			b.roots = append(b.roots, id)
		}
	}
	slices.Sort(b.roots)
	b.roots = slices.Compact(b.roots)
	for _, q := range x.l.Quantities(text) {
		if b.number == nil {
			b.number = map[string]bool{}
		}
		b.number[q.Number+" "+q.Unit] = true
	}
	return b
}

// count adds a text to the body by which roots are weighed.
func (x *lexicon) count(b bag) {
	x.heavy = nil
	x.texts++
	for _, id := range b.roots {
		x.df[id]++
	}
}

// weight is high for roots of few texts.
func (x *lexicon) weight(id int) float64 {
	for n := len(x.heavy); n < len(x.df); n++ {
		x.heavy = append(x.heavy, x.rarity(n))
	}
	return x.heavy[id]
}

func (x *lexicon) rarity(id int) float64 {
	return math.Log(1 + float64(x.texts+1)/float64(x.df[id]+1))
}

func (x *lexicon) mass(roots []int) float64 {
	var m float64
	for _, id := range roots {
		m += x.weight(id)
	}
	return m
}

// common returns the roots of both bags.
func common(a, b []int) []int {
	var out []int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			out = append(out, a[i])
			i, j = i+1, j+1
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return out
}

// likeness says how much two bags share.
type likeness struct {
	shared           int
	jaccard, overlap float64 // weighed by rarity; overlap is of the smaller one
}

func (x *lexicon) likeness(a, b bag) likeness {
	both := common(a.roots, b.roots)
	if len(both) == 0 {
		return likeness{}
	}
	s, ma, mb := x.mass(both), x.mass(a.roots), x.mass(b.roots)
	return likeness{len(both), s / (ma + mb - s), s / min(ma, mb)}
}

// numbers compares the quantities of two bags: how many are the same, and
// whether one of a unit stands against another of the same unit.
func numbers(a, b bag) (same int, conflict bool) {
	units := map[string]bool{}
	for q := range b.number {
		_, u, _ := strings.Cut(q, " ")
		units[u] = true
	}
	differ := 0
	for q := range a.number {
		if b.number[q] {
			same++
			continue
		}
		if _, u, _ := strings.Cut(q, " "); u != "" && units[u] {
			differ++
		}
	}
	return same, same == 0 && differ > 0
}

// marksOf returns the words of texts that tell one entry of a catalogue from
// the next: numbers, codes, and names (capitals behind the first word), sorted.
func marksOf(texts ...string) []string {
	var out []string
	for _, t := range texts {
		first := true
		for _, f := range strings.Fields(t) {
			w := strings.TrimFunc(f, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) })
			if w == "" {
				first = first || strings.ContainsAny(f, "—–")
				continue
			}
			c, _ := utf8.DecodeRuneInString(w)
			name := unicode.IsUpper(c) && !first && utf8.RuneCountInString(w) > 1
			if name || strings.ContainsAny(w, "0123456789") {
				out = append(out, strings.ToLower(w))
			}
			first = strings.HasSuffix(strings.TrimRight(f, "\"'»”)*_"), ".") || strings.ContainsAny(f[len(f)-1:], "?!:;")
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// differ reports whether each of two sorted lists holds what the other lacks.
func differ(a, b []string) bool {
	lacks := func(x, y []string) bool {
		return slices.ContainsFunc(x, func(s string) bool { _, ok := slices.BinarySearch(y, s); return !ok })
	}
	return lacks(a, b) && lacks(b, a)
}

// An index finds the bags that share rare roots with a bag, in time that does
// not grow with their number.
type index struct {
	x        *lexicon
	postings map[int][]int
	score    []float64 // of each bag, 0 between searches
}

const maxPostings = 64 // of a root: more common roots tell texts no more apart

func newIndex(x *lexicon) *index { return &index{x: x, postings: map[int][]int{}} }

func (ix *index) add(n int, b bag) {
	for _, id := range b.roots {
		if p := ix.postings[id]; len(p) < maxPostings {
			ix.postings[id] = append(p, n)
		}
	}
}

// near returns the numbers of the bags that share a root with b, sorted, at
// most limit of those that share most.
func (ix *index) near(b bag, limit int) []int {
	var found []int
	for _, id := range b.roots {
		w := ix.x.weight(id)
		for _, n := range ix.postings[id] {
			for n >= len(ix.score) {
				ix.score = append(ix.score, 0)
			}
			if ix.score[n] == 0 {
				found = append(found, n)
			}
			ix.score[n] += w
		}
	}
	slices.SortFunc(found, func(i, j int) int {
		return cmp.Or(cmp.Compare(ix.score[j], ix.score[i]), cmp.Compare(i, j))
	})
	for _, n := range found {
		ix.score[n] = 0
	}
	if len(found) > limit {
		found = found[:limit]
	}
	slices.Sort(found)
	return found
}
