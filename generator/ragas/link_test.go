package ragas_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/ragas"
)

func graphOf(entities ...[]string) *ragas.Graph {
	g := &ragas.Graph{}
	for i, e := range entities {
		g.Nodes = append(g.Nodes, &ragas.Node{ID: fmt.Sprintf("n%d", i), Type: ragas.ChunkNode, Text: "text", Entities: e})
	}
	return g
}

func edges(g *ragas.Graph) []string {
	var out []string
	for _, r := range g.Relationships {
		out = append(out, fmt.Sprintf("%s-%s %v", r.Source, r.Target, r.Overlap))
	}
	return out
}

func TestChunksThatNameTheSameThingAreLinked(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		entities [][]string
		want     []string
	}{
		{"one entity is enough", [][]string{{"Bonus card"}, {"Bonus card"}}, []string{"n0-n1 [[Bonus card Bonus card]]"}},
		{"case and marks do not matter", [][]string{{"BONUS-card"}, {"“bonus card”"}}, []string{"n0-n1 [[BONUS-card “bonus card”]]"}},
		{"near names, Russian", [][]string{{"Бонусная карта"}, {"бонусную карту"}}, []string{"n0-n1 [[Бонусная карта бонусную карту]]"}},
		{"near names, German", [][]string{{"Rücksendung"}, {"Rücksendungen"}}, []string{"n0-n1 [[Rücksendung Rücksendungen]]"}},
		{"a slip at the beginning", [][]string{{"Hrepovit courier service"}, {"Prepovit courier service"}}, []string{"n0-n1 [[Hrepovit courier service Prepovit courier service]]"}},
		{"other digits are other things", [][]string{{"form 12-A"}, {"form 13-A"}}, nil},
		{"nothing in common", [][]string{{"courier"}, {"refund"}}, nil},
		{"three in a row", [][]string{{"a1", "b"}, {"b", "c"}, {"c"}}, []string{"n1-n2 [[c c]]", "n0-n1 [[b b]]"}},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			g := graphOf(tc.entities...)
			ragas.LinkEntities(g, nil)
			if d := cmp.Diff(tc.want, edges(g)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			ragas.LinkEntities(g, nil)
			if d := cmp.Diff(tc.want, edges(g)); d != "" {
				t.Errorf("linked twice (-want +got)\n%s", d)
			}
			for _, r := range g.Relationships {
				if r.Score <= 0 || r.Score > 1 {
					t.Errorf("score %v", r.Score)
				}
			}
		})
	}
}

func TestRareNamesLinkBeforeFrequentOnes(t *testing.T) {
	t.Parallel()
	var all [][]string
	for range 30 {
		all = append(all, []string{"shop"})
	}
	all[3] = append(all[3], "gift wrapping")
	all[29] = append(all[29], "gift wrapping")
	g := graphOf(all...)
	ragas.LinkEntities(g, &ragas.LinkOptions{PerNode: 1})
	if got := edges(g)[0]; got != "n3-n29 [[shop shop] [gift wrapping gift wrapping]]" {
		t.Errorf("the first edge is %s", got)
	}
}

// corpus is n chunks of ten entities each: names of a few thousand things in
// several spellings, and three that stand nearly everywhere.
func corpus(n int) *ragas.Graph {
	rng := rand.New(rand.NewPCG(1, 2))
	syllables := []string{"ka", "lo", "mi", "ter", "ун", "ве", "сто", "рад", "pre", "vit", "bor", "нок"}
	word := func() string {
		s := ""
		for range 2 + rng.IntN(4) {
			s += syllables[rng.IntN(len(syllables))]
		}
		return s
	}
	things := make([]string, max(20, n/2))
	for i := range things {
		things[i] = word() + " " + word()
	}
	all := make([][]string, n)
	for i := range all {
		all[i] = []string{"customer", "order", fmt.Sprintf("order %d", rng.IntN(100))}
		for len(all[i]) < 10 {
			e := things[rng.IntN(len(things))]
			if rng.IntN(3) == 0 {
				e += "s"
			}
			all[i] = append(all[i], e)
		}
	}
	return graphOf(all...)
}

func TestLinkingIsSubQuadratic(t *testing.T) {
	const k = 6
	work := map[int]int{}
	sizes := []int{500, 1000, 4000}
	if raced {
		sizes = []int{250, 500, 2000}
	}
	for _, n := range sizes {
		g := corpus(n)
		stats := ragas.LinkEntities(g, &ragas.LinkOptions{PerNode: k})
		degree := map[string]int{}
		for _, r := range g.Relationships {
			degree[r.Source]++
			degree[r.Target]++
		}
		for id, d := range degree {
			if d > k {
				t.Errorf("%d chunks: %d edges touch %s, want at most %d", n, d, id, k)
			}
		}
		if len(g.Relationships) > k*n || len(g.Relationships) != stats.Edges || stats.Edges < n {
			t.Errorf("%d chunks: %d edges, %d counted", n, len(g.Relationships), stats.Edges)
		}
		work[n] = stats.Comparisons + stats.Candidates
		if most := 3 * 24 * 10 * n; work[n] > most {
			t.Errorf("%d chunks: %d comparisons, want at most %d", n, work[n], most)
		}
	}
	if small, large := work[sizes[1]], work[sizes[2]]; large > 6*small {
		t.Errorf("four times the chunks cost %d comparisons, the smaller part %d", large, small)
	}
}

func BenchmarkLinkEntities(b *testing.B) {
	for _, n := range []int{400, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			g := corpus(n)
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				stats := ragas.LinkEntities(g, nil)
				b.ReportMetric(time.Since(start).Seconds()/5, "of-5s")
				b.ReportMetric(float64(stats.Edges), "edges")
			}
		})
	}
}
