package ragas

// A Distance says how alike two strings are: 1 for equal ones, 0 for such that
// have nothing in common, else between. It must be symmetric and safe for
// concurrent use. Those of this package compare characters (runes).
type Distance func(a, b string) float64

// JaroWinkler is the Jaro similarity with a bonus for a common beginning of up
// to four characters, a tenth of the rest for each.
func JaroWinkler(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	j := jaro(x, y)
	n := 0
	for n < min(4, len(x), len(y)) && x[n] == y[n] {
		n++
	}
	return j + float64(n)*0.1*(1-j)
}

// Jaro is the Jaro similarity.
func Jaro(a, b string) float64 { return jaro([]rune(a), []rune(b)) }

func jaro(x, y []rune) float64 {
	if len(x) == 0 && len(y) == 0 {
		return 1
	}
	reach := max(0, max(len(x), len(y))/2-1)
	taken := make([]bool, len(y))
	var found []rune // of x, in order
	for i, r := range x {
		for j := max(0, i-reach); j < min(len(y), i+reach+1); j++ {
			if !taken[j] && y[j] == r {
				taken[j] = true
				found = append(found, r)
				break
			}
		}
	}
	if len(found) == 0 {
		return 0
	}
	moved, k := 0, 0
	for j, r := range y {
		if taken[j] {
			if found[k] != r {
				moved++
			}
			k++
		}
	}
	m := float64(len(found))
	return (m/float64(len(x)) + m/float64(len(y)) + (m-float64(moved)/2)/m) / 3
}

// Levenshtein is 1 less the edit distance as a share of the longer string.
func Levenshtein(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) < len(y) {
		x, y = y, x
	}
	if len(x) == 0 {
		return 1
	}
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i, r := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j, s := range y {
			cost := diagonal
			if r != s {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return 1 - float64(row[len(y)])/float64(len(x))
}

// Hamming is the share of places at which the strings agree; places that only
// the longer one has do not.
func Hamming(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	if len(x) < len(y) {
		x, y = y, x
	}
	if len(x) == 0 {
		return 1
	}
	same := 0
	for i, r := range y {
		if x[i] == r {
			same++
		}
	}
	return float64(same) / float64(len(x))
}
