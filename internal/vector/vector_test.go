package vector_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/vector"
)

type embedder func(ctx context.Context, texts []string) ([][]float32, error)

func (e embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return e(ctx, texts)
}

func lengths(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = []float32{3, float32(len(t))}
	}
	return out, nil
}

func numbered(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("text ", i)
	}
	return out
}

func norm(v []float32) float64 {
	var s float64
	for _, x := range v {
		s += float64(x) * float64(x)
	}
	return math.Sqrt(s)
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var sizes []int
	seen := map[string]int{}
	e := embedder(func(ctx context.Context, texts []string) ([][]float32, error) {
		mu.Lock()
		defer mu.Unlock()
		sizes = append(sizes, len(texts))
		for _, t := range texts {
			seen[t]++
		}
		return lengths(ctx, texts)
	})
	texts := append(numbered(200), "text 7", "", "text 7")
	vs, err := vector.Embed(t.Context(), e, texts)
	if err != nil || len(vs) != len(texts) {
		t.Fatal(len(vs), err)
	}
	for i, v := range vs {
		want := float64(len(texts[i])) / math.Hypot(3, float64(len(texts[i])))
		if math.Abs(norm(v)-1) > 1e-6 || math.Abs(float64(v[1])-want) > 1e-6 {
			t.Errorf("%q: %v is not its vector at length 1", texts[i], v)
		}
	}
	sort.Ints(sizes)
	if diff := cmp.Diff([]int{9, 96, 96}, sizes); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	for text, n := range seen {
		if n != 1 {
			t.Errorf("%q was embedded %d times", text, n)
		}
	}
	if vs, err := vector.Embed(t.Context(), e, nil); len(vs) != 0 || err != nil {
		t.Errorf("no texts: %v, %v", vs, err)
	}
	zero := embedder(func(_ context.Context, texts []string) ([][]float32, error) { return make2(len(texts), 3), nil })
	if vs, err := vector.Embed(t.Context(), zero, []string{"a"}); err != nil || !slices.Equal(vs[0], []float32{0, 0, 0}) {
		t.Errorf("a zero vector: %v, %v", vs, err)
	}
}

func make2(n, dim int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dim)
	}
	return out
}

func TestEmbedSendsAFewBatchesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		e := embedder(func(ctx context.Context, texts []string) ([][]float32, error) {
			time.Sleep(time.Second)
			return lengths(ctx, texts)
		})
		if _, err := vector.Embed(t.Context(), e, numbered(8*96)); err != nil || time.Since(start) != 2*time.Second {
			t.Errorf("8 batches of 1 s took %v (%v), want 2 s", time.Since(start), err)
		}
	})
}

func TestEmbedFallsBackForAllTexts(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	nan := float32(math.NaN())
	texts := append(numbered(100), "возврат товара", "возврат денег")
	want, err := llm.NewLexical(texts).Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	var last embedder = func(ctx context.Context, texts []string) ([][]float32, error) {
		if slices.Contains(texts, "возврат денег") {
			return nil, broken
		}
		return lengths(ctx, texts)
	}
	for name, e := range map[string]embedder{
		"the last batch": last,
		"a panic":        func(context.Context, []string) ([][]float32, error) { panic("broken") },
		"too few":        func(_ context.Context, ts []string) ([][]float32, error) { return make2(len(ts)-1, 2), nil },
		"no dimensions":  func(_ context.Context, ts []string) ([][]float32, error) { return make2(len(ts), 0), nil },
		"other dimensions in another batch": func(_ context.Context, ts []string) ([][]float32, error) {
			return make2(len(ts), len(ts)), nil
		},
		"no number": func(_ context.Context, ts []string) ([][]float32, error) {
			return slices.Repeat([][]float32{{nan}}, len(ts)), nil
		},
	} {
		got, err := vector.Embed(t.Context(), e, texts)
		var fallback *vector.FallbackError
		if !errors.As(err, &fallback) || fallback.Texts != len(texts) || name == "the last batch" && !errors.Is(err, broken) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range want {
			if llm.Cosine(want[i], got[i]) < 1-1e-6 {
				t.Errorf("%s: text %d has no vector of its words", name, i)
				break
			}
		}
	}
	if got, err := vector.Embed(t.Context(), nil, texts); err != nil || len(got) != len(texts) {
		t.Errorf("no embedder: %v", err)
	}
}

func TestEmbedEndsWithItsContext(t *testing.T) {
	t.Parallel()
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(t.Context())
	var calls atomic.Int64
	e := embedder(func(ctx context.Context, _ []string) ([][]float32, error) {
		calls.Add(1)
		cancel(gone)
		return nil, ctx.Err()
	})
	if vs, err := vector.Embed(ctx, e, numbered(5000)); vs != nil || !errors.Is(err, gone) || calls.Load() > 4 {
		t.Errorf("%d vectors, %v, %d calls", len(vs), err, calls.Load())
	}
}

// gen draws vectors for tests.
type gen struct{ *rand.Rand }

func newGen() gen { return gen{rand.New(rand.NewPCG(3, 5))} }

func (g gen) gauss(dim int) []float64 {
	out := make([]float64, dim)
	for i := range out {
		out[i] = g.NormFloat64()
	}
	return out
}

// blobs are n vectors around c centres, in turn, with noise of that length
// relative to the centre.
func (g gen) blobs(n, dim, c int, noise float64) [][]float32 {
	centres := make([][]float64, c)
	for i := range centres {
		centres[i] = g.gauss(dim)
	}
	out := make([][]float32, n)
	for i := range out {
		e := g.gauss(dim)
		out[i] = make([]float32, dim)
		for j := range e {
			out[i][j] = float32(centres[i%c][j] + noise*e[j])
		}
	}
	return out
}

// latent are vectors as models make them: many dimensions, few of which say
// something, around centres.
func (g gen) latent(n, dim, c, few int) [][]float32 {
	basis, centres := make([][]float64, few), make([][]float64, c)
	for i := range basis {
		basis[i] = g.gauss(dim)
	}
	for i := range centres {
		centres[i] = g.gauss(few)
	}
	out := make([][]float32, n)
	for i := range out {
		v := g.gauss(dim)
		e := g.gauss(few)
		for k, b := range basis {
			w := centres[i%c][k] + 0.6*e[k]
			for j := range v {
				v[j] += w * b[j]
			}
		}
		out[i] = make([]float32, dim)
		for j := range v {
			out[i][j] = float32(v[j])
		}
	}
	return out
}

// texts are n texts on c topics: a third of the words is the topic's own.
func (g gen) texts(n, c int) [][]float32 {
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range 60 {
			if g.IntN(3) == 0 {
				fmt.Fprintf(&b, "тема%dслово%d ", i%c, g.IntN(40))
			} else {
				fmt.Fprintf(&b, "word%d ", int(600*g.Float64()*g.Float64()))
			}
		}
		out[i] = b.String()
	}
	vs, err := llm.NewLexical(out).Embed(context.Background(), out)
	if err != nil {
		panic(err)
	}
	return vs
}

func scaled(vs [][]float32, by float32) [][]float32 {
	out := make([][]float32, len(vs))
	for i, v := range vs {
		out[i] = make([]float32, len(v))
		for j, x := range v {
			out[i][j] = x * by
		}
	}
	return out
}

// slow is what Nearest promises, computed in the plainest way.
func slow(vs [][]float32, i, k int) []vector.Neighbour {
	var out []vector.Neighbour
	for j := range vs {
		if j != i {
			c := math.Round(llm.Cosine(vs[i], vs[j])*1e5) / 1e5
			out = append(out, vector.Neighbour{Index: j, Cosine: c})
		}
	}
	sort.SliceStable(out, func(a, b int) bool { return out[a].Cosine > out[b].Cosine })
	return out[:min(k, len(out))]
}

func TestNearest(t *testing.T) {
	t.Parallel()
	vs := [][]float32{{1, 0}, {2, 0}, {0, 3}, {0, 0}, {-1, 0}, {5, 0}, {1, 1}}
	got := vector.Nearest(vs, 3)
	want := [][]vector.Neighbour{
		{{1, 1}, {5, 1}, {6, 0.70711}},
		{{0, 1}, {5, 1}, {6, 0.70711}},
		{{6, 0.70711}, {0, 0}, {1, 0}},
		{{0, 0}, {1, 0}, {2, 0}},
		{{2, 0}, {3, 0}, {6, -0.70711}},
		{{0, 1}, {1, 1}, {6, 0.70711}},
		{{0, 0.70711}, {1, 0.70711}, {2, 0.70711}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, n := range []int{0, 1, 2} {
		for _, k := range []int{-1, 0, 1, 10} {
			got := vector.Nearest(vs[:n], k)
			if len(got) != n || n > 0 && len(got[0]) != max(0, min(k, n-1)) {
				t.Errorf("%d of %d: %v", k, n, got)
			}
		}
	}
}

func TestNearestIsExactForFew(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 40).Draw(t, "dim")
		vs := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]float32{0, 0, 1, -1, 2, 0.5}), dim, dim), 0, 60).Draw(t, "vectors")
		k := rapid.IntRange(0, 70).Draw(t, "k")
		got := vector.Nearest(vs, k)
		for i := range vs {
			want := slow(vs, i, k)
			if len(got[i]) != len(want) {
				t.Fatalf("%d neighbours, want %d", len(got[i]), len(want))
			}
			for j := range want {
				if got[i][j].Index != want[j].Index && math.Abs(got[i][j].Cosine-want[j].Cosine) > 1.5e-5 {
					t.Fatalf("%d: %v, want %v", i, got[i], want)
				}
			}
		}
		again := vector.Nearest(scaled(vs, 20), k)
		if diff := cmp.Diff(got, again); diff != "" {
			t.Fatalf("twenty times as long (-want +got):\n%s", diff)
		}
	})
}

func TestSearch(t *testing.T) {
	t.Parallel()
	vs := [][]float32{{1, 0}, {0, 3}, {0, 0}, {1, 1}, {7, 0}}
	want := []vector.Neighbour{{0, 1}, {4, 1}, {3, 0.70711}, {1, 0}, {2, 0}}
	for _, k := range []int{0, 2, 5, 9} {
		if diff := cmp.Diff(want[:min(k, 5)], vector.Search(vs, []float32{20, 0}, k), cmp.Transformer("nil", func(ns []vector.Neighbour) []vector.Neighbour {
			if len(ns) == 0 {
				return nil
			}
			return ns
		})); diff != "" {
			t.Errorf("%d (-want +got):\n%s", k, diff)
		}
	}
	if got := vector.Search(vs, []float32{1, 2, 3}, 1); got[0].Cosine != 0 {
		t.Errorf("a query of another length: %v", got)
	}
	if got := vector.Search(nil, []float32{1}, 3); len(got) != 0 {
		t.Errorf("nothing to search: %v", got)
	}
}

func TestNearestOfMany(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("thousands of vectors")
	}
	const k = 10
	g := newGen()
	for name, vs := range map[string][][]float32{
		"as a model embeds": g.latent(3000, 64, 60, 24),
		"texts by words":    g.texts(2100, 75),
		"tight groups":      g.blobs(3000, 64, 150, 0.7),
	} {
		got := vector.Nearest(vs, k)
		found, all := 0, 0
		for i := 0; i < len(vs); i += 37 {
			seen := map[int]bool{i: true}
			for _, m := range got[i] {
				if seen[m.Index] {
					t.Fatalf("%s: %d is a neighbour of %d twice or of itself", name, m.Index, i)
				}
				seen[m.Index] = true
			}
			for _, m := range slow(vs, i, k) {
				all++
				if seen[m.Index] {
					found++
				}
			}
		}
		recall := float64(found) / float64(all)
		t.Logf("%s: recall %.3f", name, recall)
		if recall < 0.9 {
			t.Errorf("%s: recall %.3f, want at least 0.9", name, recall)
		}
	}
}

func TestNothingDependsOnProcessors(t *testing.T) {
	g := newGen()
	many, few := g.blobs(2050, 24, 30, 1), g.blobs(300, 64, 6, 1)
	var near [][][]vector.Neighbour
	var clusters [][]int
	for _, procs := range []int{1, 2, 7} {
		was := runtime.GOMAXPROCS(procs)
		near = append(near, vector.Nearest(many, 5), vector.Nearest(few, 5))
		clusters = append(clusters, vector.Cluster(many, nil), vector.Cluster(few, nil))
		runtime.GOMAXPROCS(was)
	}
	for i := 2; i < len(near); i++ {
		if !cmp.Equal(near[i], near[i%2]) || !slices.Equal(clusters[i], clusters[i%2]) {
			t.Error("another number of processors, another result")
		}
	}
}

func TestLengthCountsForNothing(t *testing.T) {
	t.Parallel()
	g := newGen()
	for _, vs := range [][][]float32{g.blobs(60, 32, 4, 1), g.latent(600, 200, 8, 20), g.texts(40, 4)} {
		for _, by := range []float32{20, 1e-3} {
			other := scaled(vs, by)
			for i := range other { // each by another factor
				other[i] = scaled(other[i:i+1], float32(1+i%3))[0]
			}
			a, b := vector.Nearest(vs, 4), vector.Nearest(other, 4)
			differ := 0
			for i := range a {
				for j := range a[i] {
					if a[i][j].Index != b[i][j].Index && math.Abs(a[i][j].Cosine-b[i][j].Cosine) > 1.5e-5 {
						differ++
					}
				}
			}
			if differ > 0 {
				t.Errorf("%d neighbours of %d vectors differ", differ, len(vs))
			}
			if !slices.Equal(vector.Cluster(vs, nil), vector.Cluster(other, nil)) {
				t.Errorf("clusters of %d vectors differ", len(vs))
			}
		}
	}
}

// agree is the share of pairs that two clusterings both put together or both
// apart.
func agree(a, b []int) float64 {
	same, all := 0, 0
	for i := range a {
		for j := range i {
			all++
			if (a[i] == a[j]) == (b[i] == b[j]) {
				same++
			}
		}
	}
	return float64(same) / float64(all)
}

func turns(n, c int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i % c
	}
	return out
}

func TestClusterFindsWhatIsThere(t *testing.T) {
	t.Parallel()
	g := newGen()
	for _, tt := range []struct {
		name string
		vs   [][]float32
		c    int
	}{
		{"two of six", g.blobs(6, 32, 2, 0.3), 2},
		{"three of 20", g.blobs(20, 64, 3, 0.7), 3},
		{"five of 50", g.blobs(50, 64, 5, 1), 5},
		{"five of 150, loose", g.blobs(150, 64, 5, 1.5), 5},
		{"twelve of 600", g.blobs(600, 64, 12, 1), 12},
		{"texts on three topics", g.texts(15, 3), 3},
		{"texts on five topics", g.texts(60, 5), 5},
		{"texts on eleven topics", g.texts(220, 11), 11},
	} {
		got := vector.Cluster(tt.vs, nil)
		if n := slices.Max(got) + 1; max(n-tt.c, tt.c-n) > tt.c/10 {
			t.Errorf("%s: %d clusters, want about %d", tt.name, n, tt.c)
		}
		if a := agree(got, turns(len(got), tt.c)); a < 0.97 {
			t.Errorf("%s: agrees with what is there on %.2f of the pairs", tt.name, a)
		}
	}
	for _, n := range []int{20, 50, 150} { // a handful may show anything
		if got := vector.Cluster(g.blobs(n, 64, 1, 1), nil); slices.Max(got) != 0 {
			t.Errorf("%d around one centre: %d clusters, want one", n, slices.Max(got)+1)
		}
	}
}

func TestClusterBounds(t *testing.T) {
	t.Parallel()
	if got := vector.Cluster(nil, nil); len(got) != 0 {
		t.Errorf("nothing: %v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 12).Draw(t, "dim")
		vs := rapid.SliceOfN(rapid.SliceOfN(rapid.SampledFrom([]float32{0, 0, 1, -1, 3}), dim, dim), 1, 80).Draw(t, "vectors")
		o := &vector.ClusterOptions{Min: rapid.IntRange(0, 9).Draw(t, "min"), Max: rapid.IntRange(0, 9).Draw(t, "max")}
		got := vector.Cluster(vs, o)
		count := map[int]int{}
		first := 0
		for i, l := range got {
			if (norm(vs[i]) == 0) != (l == vector.Noise) {
				t.Fatalf("%v is in cluster %d", vs[i], l)
			}
			if l > first {
				t.Fatalf("cluster %d comes before cluster %d", l, first)
			}
			if l == first {
				first++
			}
			count[l]++
		}
		delete(count, vector.Noise)
		if o.Max > 0 && len(count) > max(1, o.Max) {
			t.Fatalf("%d clusters, at most %d", len(count), o.Max)
		}
		for l, n := range count {
			if len(count) > 1 && n < max(2, o.Min) {
				t.Fatalf("cluster %d has %d members", l, n)
			}
		}
		if !slices.Equal(got, vector.Cluster(vs, o)) {
			t.Fatal("another result the second time")
		}
	})
}

// The benchmarks report the share of a limit that they use: 5 seconds.
func share(b *testing.B) {
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/5, "of-limit")
}

func BenchmarkNearest(b *testing.B) {
	vs := newGen().latent(10_000, 1024, 100, 48)
	b.ReportAllocs()
	for b.Loop() {
		vector.Nearest(vs, 10)
	}
	share(b)
}

func BenchmarkCluster(b *testing.B) {
	vs := newGen().latent(5_000, 1536, 40, 48)
	b.ReportAllocs()
	for b.Loop() {
		vector.Cluster(vs, nil)
	}
	share(b)
}
