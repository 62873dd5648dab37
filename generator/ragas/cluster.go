package ragas

import (
	"cmp"
	"slices"
	"strings"
)

// Clusters returns groups of 2 to most nodes of which each is connected with the
// one before by an edge of the type. Pairs come before longer paths, strong
// edges before weak ones, and every node starts one in turn. No two clusters
// have the same nodes. They are a function of the graph; their number grows in
// proportion to its edges.
func Clusters(g *Graph, kind string, most int) [][]*Node {
	index := make(map[string]int, len(g.Nodes))
	for i, n := range g.Nodes {
		index[n.ID] = i
	}
	type end struct {
		node  int
		score float64
	}
	near := make([][]end, len(g.Nodes))
	ranks := 0
	for _, r := range g.Relationships {
		a, okA := index[r.Source]
		b, okB := index[r.Target]
		if r.Type != kind || !okA || !okB || a == b {
			continue
		}
		near[a] = append(near[a], end{b, r.Score})
		near[b] = append(near[b], end{a, r.Score})
	}
	for i := range near {
		slices.SortStableFunc(near[i], func(x, y end) int { return cmp.Or(cmp.Compare(y.score, x.score), x.node-y.node) })
		ranks = max(ranks, len(near[i]))
	}
	var out [][]*Node
	seen := map[string]bool{}
	for size := 2; size <= most; size++ {
		for rank := range ranks {
			for start := range near {
				if rank >= len(near[start]) {
					continue
				}
				path := []int{start, near[start][rank].node}
				for len(path) < size {
					next := slices.IndexFunc(near[path[len(path)-1]], func(e end) bool { return !slices.Contains(path, e.node) })
					if next < 0 {
						break
					}
					path = append(path, near[path[len(path)-1]][next].node)
				}
				if len(path) < size {
					continue
				}
				cluster := make([]*Node, size)
				ids := make([]string, size)
				for i, at := range path {
					cluster[i], ids[i] = g.Nodes[at], g.Nodes[at].ID
				}
				slices.Sort(ids)
				if key := strings.Join(ids, " "); !seen[key] {
					seen[key] = true
					out = append(out, cluster)
				}
			}
		}
	}
	return out
}
