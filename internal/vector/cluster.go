package vector

import (
	"cmp"
	"math"
	"slices"
)

// ClusterOptions bounds [Cluster]. Nil and zero fields mean the defaults.
type ClusterOptions struct {
	// Min is the fewest members of a cluster; 0 means the natural logarithm of
	// the number of vectors, rounded, and at least 2.
	Min int
	// Max is the most clusters; 0 means the square root of twice the number of
	// vectors, at most 60.
	Max int
}

// Noise is the cluster of a vector that belongs to none.
const Noise = -1

// Cluster returns the cluster of each vector: 0, 1, ... by the first member, or
// [Noise] for a zero vector, which nothing is known of.
//
// It is spherical k-means (Dhillon and Modha 2001), grown by splitting the
// cluster that is spread most along its main direction (Boley 1998), so that
// there is no random start. The number of clusters is the one whose mean
// silhouette (Rousseeuw 1987), over cosine distances, is furthest above that of
// the same vectors with every dimension shuffled on its own, an idea of the gap
// statistic (Tibshirani, Walther and Hastie 2001). If none is above by more than
// chance, there is one cluster. Clusters with too few members are given to the others.
func Cluster(vs [][]float32, o *ClusterOptions) []int {
	out := make([]int, len(vs))
	us := units(vs)
	var points [][]float32
	var index []int
	for i, u := range us {
		if slices.ContainsFunc(u, func(x float32) bool { return x != 0 }) {
			points = append(points, u)
			index = append(index, i)
		} else {
			out[i] = Noise
		}
	}
	n := len(points)
	var opts ClusterOptions
	if o != nil {
		opts = *o
	}
	if opts.Min <= 0 {
		opts.Min = max(2, int(math.Round(math.Log(float64(n)))))
	}
	if opts.Max <= 0 {
		opts.Max = min(60, int(math.Sqrt(float64(2*n))))
	}
	opts.Max = min(opts.Max, n/opts.Min)
	if opts.Max < 2 {
		return out
	}
	if n > 500 {
		points = sketches(points)
	}
	refs := 1
	if n <= 200 {
		refs = 4 // few vectors say little when shuffled once
	}
	var null []level
	for r := range refs {
		for i, l := range levels(shuffled(points, uint64(r)), opts) {
			if i == len(null) {
				null = append(null, level{})
			}
			null[i].silhouette += l.silhouette / float64(refs)
			null[i].variance += l.variance / float64(refs*refs)
		}
	}
	best, labels := 0.0, []int(nil)
	for i, l := range levels(points, opts) {
		chance := max(0, null[i].silhouette)
		gap := l.silhouette - chance
		if gap > chance/2 && gap > deviations*math.Sqrt(l.variance+null[i].variance) && gap > best+1e-4 {
			best, labels = gap, l.labels
		}
	}
	if labels == nil {
		return out
	}
	number := map[int]int{}
	for i, l := range labels {
		k, ok := number[l]
		if !ok {
			k = len(number)
			number[l] = k
		}
		out[index[i]] = k
	}
	return out
}

// deviations is how far above chance a silhouette must be, in standard errors;
// and it must be half as large again, for many vectors make those small.
const deviations = 3

// level is a clustering into one number of clusters.
type level struct {
	labels     []int
	silhouette float64
	variance   float64 // of silhouette, a mean
}

// levels returns clusterings into 2 clusters and more, always the same numbers
// for the same options.
func levels(points [][]float32, o ClusterOptions) []level {
	m := &means{points: points, labels: make([]int, len(points))}
	m.sum(1)
	var out []level
	for k := 2; k <= o.Max; k = max(k+1, k*6/5) {
		for len(m.sums) < k {
			m.split()
		}
		m.refine(8)
		labels := m.withoutSmall(o.Min)
		mean, variance := silhouette(points, labels)
		out = append(out, level{labels, mean, variance})
	}
	return out
}

// means is a clustering under way.
type means struct {
	points [][]float32
	labels []int
	sums   [][]float32 // of the members of each cluster
	counts []int
}

// sum fills sums and counts for k clusters. It goes through the points in order,
// so the sums have the same last bits whatever the number of processors.
func (m *means) sum(k int) {
	m.sums, m.counts = sumsOf(m.points, m.labels, k)
}

func sumsOf(points [][]float32, labels []int, k int) ([][]float32, []int) {
	counts := make([]int, k)
	wide := make([][]float64, k)
	for i := range wide {
		wide[i] = make([]float64, len(points[0]))
	}
	for i, p := range points {
		l := labels[i]
		counts[l]++
		w := wide[l]
		for j, x := range p {
			w[j] += float64(x)
		}
	}
	sums := make([][]float32, k)
	for i, w := range wide {
		s := make([]float32, len(w))
		for j, x := range w {
			s[j] = float32(x)
		}
		sums[i] = s
	}
	return sums, counts
}

// split parts the cluster that loses most by having one centre, at right angles
// to its main direction.
func (m *means) split() {
	worst, most := 0, -1.0
	for c, s := range m.sums {
		if loss := float64(m.counts[c]) - math.Sqrt(float64(dot(s, s))); m.counts[c] > 1 && loss > most+1e-6 {
			worst, most = c, loss
		}
	}
	var members []int
	for i, l := range m.labels {
		if l == worst {
			members = append(members, i)
		}
	}
	mean := make([]float32, len(m.points[0]))
	for j, x := range m.sums[worst] {
		mean[j] = x / float32(len(members))
	}
	base := dot(mean, mean)
	// Power iteration, from the member furthest from the mean.
	far := slices.MinFunc(members, func(a, b int) int {
		return cmp.Or(cmp.Compare(rounded(dot(m.points[a], mean)), rounded(dot(m.points[b], mean))), cmp.Compare(a, b))
	})
	dir := make([]float32, len(mean))
	for j, x := range m.points[far] {
		dir[j] = x - mean[j]
	}
	dir = unit(dir)
	at := make([]float32, len(members))
	project := func() {
		shift := dot(mean, dir)
		parallel(len(members), func(i int) { at[i] = dot(m.points[members[i]], dir) - shift })
	}
	for range 12 {
		project()
		sum := make([]float64, len(mean))
		for i, k := range members {
			w := float64(at[i])
			for j, x := range m.points[k] {
				sum[j] += float64(w * (float64(x) - float64(mean[j])))
			}
		}
		for j, x := range sum {
			dir[j] = float32(x)
		}
		dir = unit(dir)
	}
	project()
	fresh := len(m.sums)
	moved := 0
	for i, k := range members {
		if at[i] > 1e-6 {
			m.labels[k] = fresh
			moved++
		}
	}
	if moved == 0 || moved == len(members) || base == 0 && moved == 0 {
		m.labels[members[len(members)-1]] = fresh // all the same: any part will do
		for _, k := range members[:len(members)-1] {
			m.labels[k] = worst
		}
	}
	m.sum(fresh + 1)
}

// refine moves points to the nearest centre until nothing moves, at most that
// many times.
func (m *means) refine(rounds int) {
	k := len(m.sums)
	for range rounds {
		centres := make([][]float32, k)
		for c, s := range m.sums {
			centres[c] = unit(s)
		}
		moved := make([]int, len(m.points))
		parallel(len(m.points), func(i int) {
			// The cluster that it is in counts a little more: rounding moves
			// nothing.
			best, at := dot(m.points[i], centres[m.labels[i]])+1e-6, m.labels[i]
			for c := range centres {
				if d := dot(m.points[i], centres[c]); d > best && m.counts[c] > 0 {
					best, at = d+1e-6, c
				}
			}
			moved[i] = at
		})
		if slices.Equal(moved, m.labels) {
			return
		}
		m.labels = moved
		m.sum(k)
	}
}

// withoutSmall returns the labels with the members of clusters smaller than
// fewest given to the nearest of the others, smallest first.
func (m *means) withoutSmall(fewest int) []int {
	labels := slices.Clone(m.labels)
	sums, counts := m.sums, slices.Clone(m.counts)
	for {
		small := -1
		left := 0
		for c, n := range counts {
			if n == 0 {
				continue
			}
			left++
			if n < fewest && (small < 0 || n < counts[small]) {
				small = c
			}
		}
		if small < 0 || left == 1 {
			return labels
		}
		for i, l := range labels {
			if l != small {
				continue
			}
			best, at := float32(-2), -1
			for c, s := range sums {
				if c == small || counts[c] == 0 {
					continue
				}
				if d := dot(m.points[i], unit(s)); d > best+1e-6 {
					best, at = d, c
				}
			}
			labels[i] = at
		}
		sums, counts = sumsOf(m.points, labels, len(counts))
	}
}

// silhouette is the mean silhouette by cosine distance, exact: the mean distance
// of a unit vector to others follows from the sum of them. It is -1 for a single
// cluster.
func silhouette(points [][]float32, labels []int) (mean, variance float64) {
	k := slices.Max(labels) + 1
	sums, counts := sumsOf(points, labels, k)
	used := 0
	for _, n := range counts {
		if n > 0 {
			used++
		}
	}
	if used < 2 {
		return -1, 0
	}
	each := make([]float64, len(points))
	parallel(len(points), func(i int) {
		own := labels[i]
		if counts[own] < 2 {
			return
		}
		a := 1 - (float64(dot(points[i], sums[own]))-1)/float64(counts[own]-1)
		b := math.Inf(1)
		for c, n := range counts {
			if c != own && n > 0 {
				b = min(b, 1-float64(dot(points[i], sums[c]))/float64(n))
			}
		}
		if most := max(a, b); most > 1e-9 {
			each[i] = (b - a) / most
		}
	})
	n := float64(len(each))
	for _, s := range each {
		mean += s / n
	}
	for _, s := range each {
		variance += float64((s-mean)*(s-mean)) / (n * n)
	}
	return mean, variance
}

// shuffled returns the vectors with every dimension shuffled among them, at
// length 1: the same values, and nothing that belongs together.
func shuffled(points [][]float32, seed uint64) [][]float32 {
	n := len(points)
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, len(points[0]))
	}
	parallel(len(points[0]), func(j int) {
		x := next(seed<<32 ^ uint64(j))
		column := make([]float32, n)
		for i, p := range points {
			column[i] = p[j]
		}
		for i := n - 1; i > 0; i-- {
			x = next(x)
			k := int(x>>11) % (i + 1)
			column[i], column[k] = column[k], column[i]
		}
		for i, v := range column {
			out[i][j] = v
		}
	})
	parallel(n, func(i int) { out[i] = unit(out[i]) })
	return out
}
