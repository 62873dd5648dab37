// Package vector embeds texts and finds which of them belong together.
//
// Nothing here has a cut at an absolute cosine: models differ in how close they
// put what, so every choice is by rank or relative to the vectors at hand, and
// the length of a vector counts for nothing. Cosines are rounded to 1e-5 before
// they are compared, so that what only rounding tells apart is a tie; ties are
// decided by index. Results do not depend on the number of processors.
package vector

import (
	"cmp"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Neighbour is a vector near to another.
type Neighbour struct {
	Index  int     // in the vectors searched
	Cosine float64 // -1 to 1; 0 for a zero vector or one of another length
}

// before is the order of neighbours: nearer first, then by index.
func (a Neighbour) before(b Neighbour) bool {
	if a.Cosine != b.Cosine {
		return a.Cosine > b.Cosine
	}
	return a.Index < b.Index
}

// nearest keeps the k best neighbours offered to it, as a heap with the worst
// on top.
type nearest struct {
	k    int
	list []Neighbour
}

func (h *nearest) offer(n Neighbour) {
	if len(h.list) < h.k {
		h.list = append(h.list, n)
		for i := len(h.list) - 1; i > 0; {
			p := (i - 1) / 2
			if !h.list[p].before(h.list[i]) {
				break
			}
			h.list[p], h.list[i] = h.list[i], h.list[p]
			i = p
		}
		return
	}
	if h.k == 0 || !n.before(h.list[0]) {
		return
	}
	h.list[0] = n
	for i := 0; ; {
		c := 2*i + 1
		if c >= len(h.list) {
			return
		}
		if c+1 < len(h.list) && h.list[c].before(h.list[c+1]) {
			c++
		}
		if !h.list[i].before(h.list[c]) {
			return
		}
		h.list[i], h.list[c] = h.list[c], h.list[i]
		i = c
	}
}

// sorted returns what is kept, best first, and empties h.
func (h *nearest) sorted() []Neighbour {
	out := slices.Clone(h.list)
	h.list = h.list[:0]
	slices.SortFunc(out, func(a, b Neighbour) int {
		return cmp.Or(cmp.Compare(b.Cosine, a.Cosine), cmp.Compare(a.Index, b.Index))
	})
	return out
}

// rounded is a cosine as it is compared.
func rounded(dot float32) float64 {
	c := math.Round(float64(dot)*1e5) / 1e5
	return max(-1, min(1, c)) + 0 // no negative zero
}

// dot is the scalar product of two vectors of one length. The conversions keep
// the compiler from fusing: the result is the same on every machine.
func dot(a, b []float32) float32 {
	var s0, s1, s2, s3 float32
	n := len(a)
	b = b[:n]
	i := 0
	for ; i+8 <= n; i += 8 {
		x, y := a[i:i+8:i+8], b[i:i+8:i+8]
		s0 += float32(x[0]*y[0]) + float32(x[4]*y[4])
		s1 += float32(x[1]*y[1]) + float32(x[5]*y[5])
		s2 += float32(x[2]*y[2]) + float32(x[6]*y[6])
		s3 += float32(x[3]*y[3]) + float32(x[7]*y[7])
	}
	for ; i < n; i++ {
		s0 += float32(a[i] * b[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// unit returns v at length 1, in a new slice; a zero vector stays zero.
func unit(v []float32) []float32 {
	out := make([]float32, len(v))
	var most float64
	for _, x := range v {
		most = max(most, math.Abs(float64(x)))
	}
	if most == 0 || math.IsInf(most, 0) || math.IsNaN(most) {
		return out
	}
	var sum float64
	for _, x := range v {
		f := float64(x) / most
		sum += float64(f * f)
	}
	norm := most * math.Sqrt(sum)
	for i, x := range v {
		out[i] = float32(float64(x) / norm)
	}
	return out
}

// units returns the vectors at length 1 and one number of dimensions: one of
// another length than the first that is not empty counts as zero.
func units(vs [][]float32) [][]float32 {
	dim := 0
	for _, v := range vs {
		if len(v) > 0 {
			dim = len(v)
			break
		}
	}
	out := make([][]float32, len(vs))
	parallel(len(vs), func(i int) {
		if len(vs[i]) == dim {
			out[i] = unit(vs[i])
		} else {
			out[i] = make([]float32, dim)
		}
	})
	return out
}

// parallel calls f for 0 to n-1, on at most GOMAXPROCS goroutines. What f(i)
// writes must be its own.
func parallel(n int, f func(i int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			f(i)
		}
		return
	}
	const step = 16
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				to := int(next.Add(step))
				for i := to - step; i < min(to, n); i++ {
					f(i)
				}
				if to >= n {
					return
				}
			}
		})
	}
	wg.Wait()
}
