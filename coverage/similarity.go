package coverage

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/casebook-go/casebook/internal/lang"
)

// Near is the similarity from which two inputs count as near duplicates.
const Near = 0.8

// shingle is the length of a shingle in runes.
const shingle = 5

// Fold returns a text in the form in which texts are compared: NFKC, case
// folded, letters and digits only, words one space apart. Two texts with one
// fold differ in punctuation, case or spacing at most.
func Fold(text string) string { return stripped(foldCase(text)) }

// stripped leaves out of a case folded text all but words.
func stripped(folded string) string {
	var b strings.Builder
	b.Grow(len(folded))
	space := false
	for _, r := range folded {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) {
			space = true
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// foldCase returns the NFKC and case folded text, runs of white space as one
// space.
func foldCase(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	return strings.Join(strings.Fields(norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))), " ")
}

// hashes returns the sorted hashes of the shingles of a folded text: its distinct
// pieces of five runes. A shorter text is one piece, an empty one has none.
func hashes(folded string) []uint64 {
	if folded == "" {
		return nil
	}
	hs := make([]uint64, 0, len(folded))
	var at [shingle]int // where the last runes began
	n := 0
	for i := range folded {
		if n >= shingle {
			hs = append(hs, hash64(folded[at[n%shingle]:i]))
		}
		at[n%shingle] = i
		n++
	}
	if n < shingle {
		return []uint64{hash64(folded)}
	}
	hs = append(hs, hash64(folded[at[n%shingle]:]))
	slices.Sort(hs)
	return slices.Compact(hs)
}

// Similar returns how similar two texts are, from 0 to 1: the Jaccard index of
// their shingles, with punctuation or without, whichever is greater. Two texts
// with one fold have similarity 1, two empty ones too.
func Similar(a, b string) float64 {
	return signatureOf(a).similar(signatureOf(b))
}

// Text is a text prepared to be compared with many others.
type Text struct {
	text string
	sig  *signature
}

// NewText prepares a text.
func NewText(text string) *Text { return &Text{text, signatureOf(text)} }

// String returns the text.
func (t *Text) String() string { return t.text }

// Similar is the function [Similar] of the two texts.
func (t *Text) Similar(u *Text) float64 { return t.sig.similar(u.sig) }

// signature is what the index keeps of a text. The shingles are hashes: two
// different ones with one hash of 64 bits are not to be met with.
type signature struct {
	fold     string
	whole    []uint64 // shingles of the folded text
	stripped []uint64 // shingles without punctuation
}

func signatureOf(text string) *signature {
	folded := foldCase(text)
	fold := stripped(folded)
	s := &signature{fold: fold, whole: hashes(folded)}
	if s.stripped = s.whole; fold != folded {
		s.stripped = hashes(fold)
	}
	return s
}

func (s *signature) similar(t *signature) float64 {
	if s.fold == t.fold {
		if s.fold != "" || slices.Equal(s.whole, t.whole) {
			return 1
		}
		// Only punctuation or symbols: the strict form decides.
		return jaccard(s.whole, t.whole)
	}
	return max(jaccard(s.whole, t.whole), jaccard(s.stripped, t.stripped))
}

// hash64 is FNV-1a, finished so that the order of hashes is not that of texts.
func hash64(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	return h ^ h>>33
}

// jaccard returns the Jaccard index of two sorted sets.
func jaccard[T cmp.Ordered](a, b []T) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			both++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}

// alike reports whether two signatures are as similar as Near.
func (s *signature) alike(t *signature) bool {
	if s.fold == t.fold {
		return s.similar(t) >= Near
	}
	return nearSets(s.whole, t.whole) || nearSets(s.stripped, t.stripped)
}

// nearSets reports whether the Jaccard index of two sorted sets is at least Near.
// It looks no further once too many elements have no partner.
func nearSets(a, b []uint64) bool {
	if len(a) == 0 || len(b) == 0 {
		return false
	}
	if len(a)*5 < len(b)*4 || len(b)*5 < len(a)*4 {
		return false
	}
	lone := (len(a) + len(b)) / 9 // at least Near: both/(both+lone) >= 4/5, and 2*both+lone elements
	both, i, j := 0, 0, 0
	for i < len(a) && j < len(b) {
		switch {
		case a[i] == b[j]:
			both++
			i++
			j++
			continue
		case a[i] < b[j]:
			i++
		default:
			j++
		}
		if lone--; lone < 0 {
			return false
		}
	}
	return float64(both)/float64(len(a)+len(b)-both) >= Near
}

// Index finds texts that are equal or nearly equal to one seen before. It
// misses none: two sets as similar as [Near] share one of their first shingles
// in any fixed order, so only texts that share one there are compared, exactly.
// The zero Index is empty and ready. It is not safe for concurrent use, except
// that several goroutines may call Near while none calls Add.
type Index struct {
	ids   []string
	sigs  []*signature
	folds map[string]int
	// by the hash of a shingle in the prefix of the set, the texts that have it
	whole, stripped map[uint64][]int
}

// Add puts a text under an id into the index. Several texts may have one id.
func (x *Index) Add(id, text string) {
	if x.folds == nil {
		x.folds = map[string]int{}
		x.whole, x.stripped = map[uint64][]int{}, map[uint64][]int{}
	}
	s, n := signatureOf(text), len(x.ids)
	x.ids, x.sigs = append(x.ids, id), append(x.sigs, s)
	if _, ok := x.folds[s.key()]; !ok {
		x.folds[s.key()] = n
	}
	for _, h := range prefix(s.whole) {
		x.whole[h] = append(x.whole[h], n)
	}
	for _, h := range prefix(s.stripped) {
		x.stripped[h] = append(x.stripped[h], n)
	}
}

// key is equal for texts that are equal after normalisation.
func (s *signature) key() string {
	if s.fold != "" {
		return s.fold
	}
	var b strings.Builder
	for _, h := range s.whole {
		for k := range 8 {
			b.WriteByte(byte(h >> (8 * k)))
		}
	}
	return "\x00" + b.String()
}

// atLeast is how many of their first shingles two sets as similar as Near must
// share; fewer when they are very small.
const atLeast = 3

// prefix returns the shingles of which a set as similar as Near must share
// atLeast, or as many as it must share in all.
func prefix(set []uint64) []uint64 {
	if len(set) == 0 {
		return nil
	}
	// A set with Jaccard >= t shares at least ceil(t*n) of these n elements.
	need := needed(set)
	return set[:len(set)-need+min(atLeast, need)]
}

func needed(set []uint64) int { return (len(set)*8 + 9) / 10 }

// Near returns the id of the earliest text that is a near duplicate of text.
func (x *Index) Near(text string) (id string, ok bool) {
	if x == nil || len(x.ids) == 0 {
		return "", false
	}
	s := signatureOf(text)
	best := len(x.ids)
	if n, found := x.folds[s.key()]; found {
		best = n
	}
	shared := make([]uint8, len(x.ids))
	try := func(lists map[uint64][]int, set []uint64, of func(*signature) []uint64) {
		var met []int
		for _, h := range prefix(set) {
			for _, n := range lists[h] {
				if n >= best {
					break // lists grow in order
				}
				if shared[n] == 0 {
					met = append(met, n)
				}
				if shared[n] < atLeast {
					shared[n]++
				}
			}
		}
		found := best
		for _, n := range met {
			enough := min(atLeast, needed(set), needed(of(x.sigs[n])))
			if int(shared[n]) >= enough && n < found && s.alike(x.sigs[n]) {
				found = n
			}
			shared[n] = 0
		}
		best = found
	}
	try(x.whole, s.whole, func(t *signature) []uint64 { return t.whole })
	try(x.stripped, s.stripped, func(t *signature) []uint64 { return t.stripped })
	if best == len(x.ids) {
		return "", false
	}
	return x.ids[best], true
}

// Len returns the number of texts in the index.
func (x *Index) Len() int {
	if x == nil {
		return 0
	}
	return len(x.ids)
}

// SharedRun returns the first run of n words that stands in both texts, folded,
// as it stands in a. A paraphrase shares no run of [ParaphraseRun] words with
// its source.
func SharedRun(a, b string, n int) (run string, ok bool) {
	if n < 1 {
		return "", false
	}
	aw, bw := lang.Tokens(a), lang.Tokens(b)
	if len(aw) < n || len(bw) < n {
		return "", false
	}
	key := func(ts []lang.Token) string {
		var s strings.Builder
		for _, t := range ts {
			s.WriteString(t.Text)
			s.WriteByte(' ')
		}
		return s.String()
	}
	runs := make(map[string]bool, len(bw))
	for i := 0; i+n <= len(bw); i++ {
		runs[key(bw[i:i+n])] = true
	}
	for i := 0; i+n <= len(aw); i++ {
		if runs[key(aw[i:i+n])] {
			return a[aw[i].Start:aw[i+n-1].End], true
		}
	}
	return "", false
}

// ParaphraseRun is the number of consecutive words that make a copy.
const ParaphraseRun = 4
