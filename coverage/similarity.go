package coverage

// Fold returns text in the form in which it is compared: NFKC, lower case,
// letters and digits only, words one space apart.
func Fold(text string) string { return text }

// Shingles returns the distinct 5-rune pieces of a text folded by [Fold]; a shorter text is
// one piece.
func Shingles(text string) []string { return nil }

// Similar returns the Jaccard similarity of the shingles of two texts, 0 to 1.
func Similar(a, b string) float64 { return 0 }

// Near is the similarity from which two inputs count as near duplicates.
const Near = 0.8

// Index finds texts that are equal or nearly equal to one seen before. The zero
// Index is empty and ready. It is not safe for concurrent use.
type Index struct{}

// Add puts a text under an id into the index.
func (x *Index) Add(id, text string) {}

// Near returns the id of the earliest text that is a near duplicate of text.
func (x *Index) Near(text string) (id string, ok bool) { return "", false }

// Len returns the number of texts in the index.
func (x *Index) Len() int { return 0 }
