package ragas

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/vector"
)

// Transform makes a graph more complete. They run one after the other. The
// built-in ones are [Extract], [Filter], [Embed], [Similar] and [Overlap].
type Transform struct {
	Name string
	// Apply changes g. The call holds what it may use: Model, Embedder, Seed,
	// Log, Language. It should leave alone what the graph has already, so that a
	// saved graph costs nothing again. A *[PartialError] says what is missing
	// and ends nothing; another error ends the making of the graph.
	Apply func(ctx context.Context, call *generator.Call, g *Graph) error
}

// PartialError is what a transform could not do for some nodes. The graph can be
// used without.
type PartialError struct{ Failures []Failure }

// Error names every failure.
func (e *PartialError) Error() string {
	lines := make([]string, len(e.Failures))
	for i, f := range e.Failures {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the causes.
func (e *PartialError) Unwrap() []error {
	errs := make([]error, len(e.Failures))
	for i, f := range e.Failures {
		errs[i] = f.Err
	}
	return errs
}

// Failure is something that was asked for and could not be made.
type Failure struct {
	Stage string // "documents", "extract", "embed", "personas", "samples", or a Transform's own
	Item  string // the chunk, persona or scenario
	Err   error
}

// String says what failed and why in one line.
func (f Failure) String() string { return f.Stage + ": " + f.Item + ": " + f.Err.Error() }

// DefaultTransforms returns the built-in transforms in their order. The options
// are those that they take: Batch, Concurrency, Attempts, Links, Prompts, Seed.
func DefaultTransforms(o *Options) []Transform {
	if o == nil {
		o = &Options{}
	}
	return []Transform{Extract(o), Filter(), Embed(), Similar(&o.Links), Overlap(&o.Links)}
}

// Filter removes chunks on which no question can turn: those with a score of 1
// or 2. Every document keeps its best chunk.
func Filter() Transform {
	return Transform{"filter", func(_ context.Context, _ *generator.Call, g *Graph) error {
		parents := g.Parents()
		owner := func(n *Node) string {
			if p := parents[n.ID]; p != nil {
				return p.ID
			}
			return n.Source()
		}
		best := map[string]*Node{}
		for _, n := range leaves(g) {
			if b := best[owner(n)]; b == nil || score(n) > score(b) {
				best[owner(n)] = n
			}
		}
		g.Remove(func(n *Node) bool { return n.Type == ChunkNode && score(n) <= 2 && best[owner(n)] != n })
		return nil
	}}
}

// score is that of a node; one that was never judged counts as good.
func score(n *Node) int { return cmp.Or(n.Score, 5) }

// Embed gives every chunk the vector of its summary, or of its text where it has
// none. If the call's embedder fails for good, the vectors are made of words.
func Embed() Transform {
	return Transform{"embed", func(ctx context.Context, call *generator.Call, g *Graph) error {
		var nodes []*Node
		var texts []string
		for _, n := range leaves(g) {
			if n.Embedding == nil {
				nodes = append(nodes, n)
				texts = append(texts, cmp.Or(n.Summary, n.Text))
			}
		}
		if nodes == nil {
			return nil
		}
		vs, err := vector.Embed(ctx, call.Embedder, texts)
		var fallback *vector.FallbackError
		if err != nil && !errors.As(err, &fallback) {
			return err
		}
		for i, n := range nodes {
			n.Embedding = vs[i]
		}
		if fallback != nil {
			return &PartialError{[]Failure{{Stage: "embed", Item: "all chunks", Err: fallback}}}
		}
		return nil
	}}
}

// Similar gives the graph its edges [SummarySimilarity] anew: between chunks
// whose summaries are nearest to each other. Which are near is relative: of the
// nearest neighbours of all chunks the better half, and the best of each chunk;
// at most PerNode edges touch a node.
func Similar(o *LinkOptions) Transform {
	opts := o.filled()
	return Transform{"similar", func(_ context.Context, _ *generator.Call, g *Graph) error {
		linkSimilar(g, opts.PerNode)
		return nil
	}}
}

func linkSimilar(g *Graph, perNode int) {
	g.clear(SummarySimilarity)
	var nodes []*Node
	var vs [][]float32
	for _, n := range leaves(g) {
		if n.Embedding != nil {
			nodes = append(nodes, n)
			vs = append(vs, n.Embedding)
		}
	}
	type edge struct {
		a, b   int
		cosine float64
		best   bool
	}
	var all []edge
	at := map[[2]int]int{}
	for a, near := range vector.Nearest(vs, perNode) {
		for rank, n := range near {
			key := [2]int{min(a, n.Index), max(a, n.Index)}
			i, ok := at[key]
			if !ok {
				i = len(all)
				at[key] = i
				all = append(all, edge{key[0], key[1], n.Cosine, false})
			}
			all[i].best = all[i].best || rank == 0
		}
	}
	slices.SortStableFunc(all, func(x, y edge) int { return cmp.Or(cmp.Compare(y.cosine, x.cosine), x.a-y.a, x.b-y.b) })
	degree := make([]int, len(nodes))
	for i, e := range all {
		if degree[e.a] >= perNode || degree[e.b] >= perNode || !e.best && i >= (len(all)+1)/2 {
			continue
		}
		degree[e.a]++
		degree[e.b]++
		r := newEdge(SummarySimilarity, nodes[e.a].ID, nodes[e.b].ID)
		r.Bidirectional, r.Score = true, e.cosine
		g.Relationships = append(g.Relationships, r)
	}
}

// Overlap gives the graph its edges [EntitiesOverlap] anew: see [LinkEntities].
func Overlap(o *LinkOptions) Transform {
	opts := o.filled()
	return Transform{"overlap", func(_ context.Context, _ *generator.Call, g *Graph) error {
		LinkEntities(g, &opts)
		return nil
	}}
}
