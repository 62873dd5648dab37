package ragas

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"unicode"

	"github.com/casebook-go/casebook/coverage"
)

// LinkOptions say how chunks are linked. Nil and zero fields mean the defaults.
type LinkOptions struct {
	// PerNode is the most edges of one type that touch a node; 0 means 8.
	PerNode int
	// Distance compares two names; nil means [JaroWinkler].
	Distance Distance
	// Same is how alike two names of one thing are at least, above 0 to 1; 0
	// means 0.9. Names with different digits are never of one thing.
	Same float64
	// Window is how many others a name is compared with, and a chunk linked with
	// for one name, at most, each time; 0 means 24. It bounds the work.
	Window int
}

func (o *LinkOptions) filled() LinkOptions {
	f := LinkOptions{}
	if o != nil {
		f = *o
	}
	if f.PerNode <= 0 {
		f.PerNode = 8
	}
	if f.Distance == nil {
		f.Distance = JaroWinkler
	}
	if f.Same <= 0 {
		f.Same = 0.9
	}
	if f.Window <= 0 {
		f.Window = 24
	}
	return f
}

// LinkStats is how much work linking was.
type LinkStats struct {
	Names       int // distinct ones
	Comparisons int // of two names by the distance
	Candidates  int // pairs of chunks for a name that they share
	Edges       int
}

// LinkEntities gives the graph its edges [EntitiesOverlap] anew: between chunks
// that name the same things, also when they spell them differently. Shared names
// count the less the more chunks have them; of the candidates of a node the best
// PerNode stay. The score of an edge is the weight of the shared names as a
// share of that of all names of the two.
//
// The work grows in proportion to the names: only names with a common beginning
// or end are compared, each with at most Window others, and a name in many
// chunks links each of them with at most Window others.
func LinkEntities(g *Graph, o *LinkOptions) LinkStats {
	opts := o.filled()
	g.clear(EntitiesOverlap)
	var nodes []*Node
	for _, n := range g.Nodes {
		if len(n.Entities) > 0 {
			nodes = append(nodes, n)
		}
	}
	ix := indexNames(nodes)
	stats := LinkStats{Names: len(ix.texts)}
	group := groupNames(ix, &opts, &stats)
	things := thingsOf(nodes, ix, group)
	pairs := candidates(things, &opts, &stats)
	degree := make([]int, len(nodes))
	for _, p := range pairs {
		if degree[p.a] >= opts.PerNode || degree[p.b] >= opts.PerNode {
			continue
		}
		degree[p.a]++
		degree[p.b]++
		e := newEdge(EntitiesOverlap, nodes[p.a].ID, nodes[p.b].ID)
		e.Score = p.score
		e.Overlap = shared(things.of[p.a], things.of[p.b])
		g.Relationships = append(g.Relationships, e)
		stats.Edges++
	}
	return stats
}

// nameIndex is the names of all nodes, folded.
type nameIndex struct {
	number map[string]int // entity as written -> name
	texts  []string       // of the names
	count  []int          // how often each stands
}

func indexNames(nodes []*Node) *nameIndex {
	ix := &nameIndex{number: map[string]int{}}
	folded := map[string]int{}
	for _, n := range nodes {
		for _, e := range n.Entities {
			i, ok := ix.number[e]
			if !ok {
				text := coverage.Fold(e)
				if i, ok = folded[text]; !ok {
					i = len(ix.texts)
					folded[text] = i
					ix.texts = append(ix.texts, text)
					ix.count = append(ix.count, 0)
				}
				ix.number[e] = i
			}
			ix.count[i]++
		}
	}
	return ix
}

// groupNames returns, for every name, the number of the thing it is a name of:
// that of the most frequent name like it.
func groupNames(ix *nameIndex, o *LinkOptions, stats *LinkStats) []int {
	n := len(ix.texts)
	near := make([][]int, n)
	digits := make([]string, n)
	stems := make([]string, n)
	for i, t := range ix.texts {
		digits[i] = digitsOf(t)
		stems[i] = stemmed(t)
	}
	compare := func(keys []string) {
		order := make([]int, n)
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Or(strings.Compare(keys[a], keys[b]), a-b) })
		for i, a := range order {
			block := prefix(keys[a], 3)
			for _, b := range order[i+1 : min(n, i+1+o.Window)] {
				if !strings.HasPrefix(keys[b], block) {
					break
				}
				if digits[a] != digits[b] {
					continue
				}
				stats.Comparisons++
				if o.Distance(ix.texts[a], ix.texts[b]) >= o.Same || o.Distance(stems[a], stems[b]) >= o.Same {
					near[a] = append(near[a], b)
					near[b] = append(near[b], a)
				}
			}
		}
	}
	compare(ix.texts)
	backwards := make([]string, n)
	for i, t := range ix.texts {
		r := []rune(t)
		slices.Reverse(r)
		backwards[i] = string(r)
	}
	compare(backwards)

	order := make([]int, n)
	group := make([]int, n)
	for i := range order {
		order[i], group[i] = i, -1
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(ix.count[b]-ix.count[a], strings.Compare(ix.texts[a], ix.texts[b]))
	})
	for _, i := range order {
		if group[i] >= 0 {
			continue
		}
		group[i] = i
		for _, j := range near[i] {
			if group[j] < 0 {
				group[j] = i
			}
		}
	}
	return group
}

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return r
		}
		return -1
	}, s)
}

// stemmed cuts the ends off longer words: most languages inflect there.
func stemmed(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		switch r := []rune(w); {
		case len(r) >= 6:
			words[i] = string(r[:len(r)-2])
		case len(r) == 5:
			words[i] = string(r[:4])
		}
	}
	return strings.Join(words, " ")
}

func prefix(s string, runes int) string {
	for i := range s {
		if runes == 0 {
			return s[:i]
		}
		runes--
	}
	return s
}

// mention is a thing that a node names, and how it does.
type mention struct {
	thing int
	name  string
}

type mentions struct {
	of     [][]mention // of each node, by thing
	weight []float64   // of each thing
	where  [][]int     // nodes of each thing, in order
}

func thingsOf(nodes []*Node, ix *nameIndex, group []int) *mentions {
	m := &mentions{of: make([][]mention, len(nodes)), weight: make([]float64, len(group)), where: make([][]int, len(group))}
	for i, n := range nodes {
		for _, e := range n.Entities {
			m.of[i] = append(m.of[i], mention{group[ix.number[e]], e})
		}
		slices.SortStableFunc(m.of[i], func(a, b mention) int { return a.thing - b.thing })
		m.of[i] = slices.CompactFunc(m.of[i], func(a, b mention) bool { return a.thing == b.thing })
		for _, x := range m.of[i] {
			m.where[x.thing] = append(m.where[x.thing], i)
		}
	}
	for t, at := range m.where {
		if len(at) > 0 {
			m.weight[t] = math.Log(1 + float64(len(nodes))/float64(len(at)))
		}
	}
	return m
}

type pair struct {
	a, b   int
	weight float64 // of what they share
	score  float64
}

// candidates returns the pairs of nodes that share a thing, the best first.
func candidates(m *mentions, o *LinkOptions, stats *LinkStats) []pair {
	var all []pair
	for t, at := range m.where {
		for i, a := range at {
			for _, b := range at[i+1 : min(len(at), i+1+o.Window)] {
				all = append(all, pair{a: a, b: b, weight: m.weight[t]})
			}
		}
	}
	stats.Candidates = len(all)
	slices.SortFunc(all, func(x, y pair) int { return cmp.Or(x.a-y.a, x.b-y.b, cmp.Compare(x.weight, y.weight)) })
	total := make([]float64, len(m.of))
	for i, of := range m.of {
		for _, x := range of {
			total[i] += m.weight[x.thing]
		}
	}
	out := all[:0]
	for i := 0; i < len(all); {
		p := all[i]
		for i++; i < len(all) && all[i].a == p.a && all[i].b == p.b; i++ {
			p.weight += all[i].weight
		}
		p.score = p.weight / (total[p.a] + total[p.b] - p.weight)
		out = append(out, p)
	}
	slices.SortFunc(out, func(x, y pair) int {
		return cmp.Or(cmp.Compare(y.weight, x.weight), cmp.Compare(y.score, x.score), x.a-y.a, x.b-y.b)
	})
	return out
}

// shared returns the names of the things that both nodes name.
func shared(a, b []mention) [][2]string {
	var out [][2]string
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].thing < b[0].thing:
			a = a[1:]
		case a[0].thing > b[0].thing:
			b = b[1:]
		default:
			out = append(out, [2]string{a[0].name, b[0].name})
			a, b = a[1:], b[1:]
		}
	}
	return out
}
