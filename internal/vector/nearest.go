package vector

import (
	"math"
	"slices"
)

// exactBelow is the number of vectors up to which every pair is compared.
const exactBelow = 2000

// Nearest returns, for each vector, the k nearest others, best first, ties by
// index; fewer when there are no more. Up to 2,000 vectors it is exact.
//
// Above, it takes time in the order of n^1.5, by inverted cells (Jégou, Douze
// and Schmid 2011): vectors are sketched in fewer dimensions by random signs,
// the sketches put into cells around the square root of n of them, and the most
// like in the nearest cells compared exactly. It then finds nine neighbours in
// ten or more where vectors have any, that is, where they are not all equally
// far apart. Nothing of it is left to chance: the signs are fixed.
func Nearest(vs [][]float32, k int) [][]Neighbour {
	k = max(0, min(k, len(vs)-1))
	out := make([][]Neighbour, len(vs))
	if k == 0 {
		return out
	}
	us := units(vs)
	if len(us) <= exactBelow {
		exact(us, k, out)
	} else {
		newCells(us).nearest(k, out)
	}
	return out
}

// Search returns the k vectors nearest to q, best first, ties by index.
func Search(vs [][]float32, q []float32, k int) []Neighbour {
	h := nearest{k: max(0, min(k, len(vs)))}
	q = unit(q)
	all := make([]float64, len(vs))
	parallel(len(vs), func(i int) {
		if len(vs[i]) == len(q) {
			all[i] = rounded(dot(unit(vs[i]), q))
		}
	})
	for i, c := range all {
		h.offer(Neighbour{i, c})
	}
	return h.sorted()
}

// exact compares every pair, each once.
func exact(us [][]float32, k int, out [][]Neighbour) {
	const tile = 64
	n := len(us)
	all := make([]float32, n*n)
	tiles := (n + tile - 1) / tile
	parallel(tiles*tiles, func(t int) {
		a, b := t/tiles, t%tiles
		if b < a {
			return
		}
		for i := a * tile; i < min((a+1)*tile, n); i++ {
			for j := max(b*tile, i+1); j < min((b+1)*tile, n); j++ {
				c := dot(us[i], us[j])
				all[i*n+j], all[j*n+i] = c, c
			}
		}
	})
	parallel(n, func(i int) {
		h := nearest{k: k, list: make([]Neighbour, 0, k)}
		for j, c := range all[i*n : i*n+n] {
			if j != i {
				h.offer(Neighbour{j, rounded(c)})
			}
		}
		out[i] = h.sorted()
	})
}

// sketchDim is the number of dimensions of a sketch.
const sketchDim = 192

// sketches returns unit vectors of at most sketchDim dimensions whose cosines
// are near those of us: a sparse random projection (Kane and Nelson 2014).
func sketches(us [][]float32) [][]float32 {
	const spread = 8 // places of a sketch that a dimension goes to
	if len(us) == 0 || len(us[0]) <= sketchDim {
		return us
	}
	type place struct {
		at   uint16
		sign float32
	}
	places := make([]place, len(us[0])*spread)
	x := uint64(0x9e3779b97f4a7c15)
	for i := range places {
		x = next(x)
		// Each of the eight has places of its own.
		p := place{at: uint16(i%spread*(sketchDim/spread)) + uint16(x>>33%(sketchDim/spread)), sign: 1}
		if x>>63 == 1 {
			p.sign = -1
		}
		places[i] = p
	}
	out := make([][]float32, len(us))
	parallel(len(us), func(i int) {
		v := make([]float32, sketchDim)
		for j, w := range us[i] {
			if w == 0 {
				continue
			}
			for _, p := range places[j*spread : j*spread+spread] {
				v[p.at] += float32(w * p.sign)
			}
		}
		out[i] = unit(v)
	})
	return out
}

// next is the successor of x in a fixed sequence (splitmix64's mixing over a
// linear congruence).
func next(x uint64) uint64 {
	x = x*6364136223846793005 + 1442695040888963407
	z := x
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// cells are vectors by the centre that they are nearest to. The sketches of a
// cell stand together, and cells are searched in turn, so that memory is read in
// order.
type cells struct {
	us      [][]float32
	centres [][]float32
	order   []int     // vectors, cell by cell
	first   []int     // place in order where a cell begins; one more at the end
	flat    []float32 // sketches, in that order
	dim     int       // of a sketch
}

// probes is how many cells are searched for each vector.
const probes = 64

func newCells(us [][]float32) *cells {
	const rounds = 4
	n := len(us)
	sk := sketches(us)
	c := &cells{us: us, dim: len(sk[0])}
	count := 2 * int(math.Sqrt(float64(n)))
	// The centres begin as vectors spread evenly over the order, and are learned
	// from a sample.
	sample := make([]int, 0, 20*count)
	step := max(1, n/(20*count))
	for i := 0; i < n; i += step {
		sample = append(sample, i)
	}
	c.centres = make([][]float32, count)
	for i := range c.centres {
		c.centres[i] = sk[sample[i*len(sample)/count]]
	}
	own := make([]int, n)
	for range rounds {
		parallel(len(sample), func(i int) { own[sample[i]] = c.nearestCentre(sk[sample[i]]) })
		sums := make([][]float32, count)
		for _, i := range sample {
			s := sums[own[i]]
			if s == nil {
				s = make([]float32, c.dim)
				sums[own[i]] = s
			}
			for j, x := range sk[i] {
				s[j] += x
			}
		}
		for i, s := range sums {
			if s != nil {
				c.centres[i] = unit(s)
			}
		}
	}
	parallel(n, func(i int) { own[i] = c.nearestCentre(sk[i]) })
	c.first = make([]int, count+1)
	for _, k := range own {
		c.first[k+1]++
	}
	for k := range count {
		c.first[k+1] += c.first[k]
	}
	c.order = make([]int, n)
	c.flat = make([]float32, n*c.dim)
	free := slices.Clone(c.first)
	for i, k := range own {
		p := free[k]
		free[k]++
		c.order[p] = i
		copy(c.flat[p*c.dim:], sk[i])
	}
	return c
}

// sketch is that of the vector at a place of the order.
func (c *cells) sketch(p int) []float32 { return c.flat[p*c.dim : (p+1)*c.dim : (p+1)*c.dim] }

func (c *cells) nearestCentre(v []float32) int {
	best, at := float32(-2), 0
	for i, m := range c.centres {
		if d := dot(v, m); d > best {
			best, at = d, i
		}
	}
	return at
}

func (c *cells) nearest(k int, out [][]Neighbour) {
	const ahead = 16 // candidates compared exactly, for each one wanted
	most := max(10*ahead, ahead*k)
	parallel(len(c.order), func(p int) {
		i, sketch := c.order[p], c.sketch(p)
		near := nearest{k: len(c.centres), list: make([]Neighbour, 0, len(c.centres))}
		for j, m := range c.centres {
			near.offer(Neighbour{j, float64(dot(sketch, m))})
		}
		h := nearest{k: most, list: make([]Neighbour, 0, most)}
		seen := 0
		for searched, cell := range near.sorted() {
			if searched >= probes && seen >= most {
				break
			}
			from, to := c.first[cell.Index], c.first[cell.Index+1]
			seen += to - from
			for q := from; q < to; q++ {
				if q != p {
					h.offer(Neighbour{c.order[q], float64(dot(sketch, c.sketch(q)))})
				}
			}
		}
		slices.SortFunc(h.list, func(a, b Neighbour) int { return a.Index - b.Index })
		final := nearest{k: k, list: make([]Neighbour, 0, k)}
		for _, m := range h.list {
			final.offer(Neighbour{m.Index, rounded(dot(c.us[i], c.us[m.Index]))})
		}
		out[i] = final.sorted()
	})
}
