package ragas

import (
	"slices"

	"github.com/casebook-go/casebook/coverage"
)

// Synthesizer is a way to choose what a question is about. It is plain data; the
// three of Ragas are [SingleHop], [MultiHopAbstract] and [MultiHopSpecific].
type Synthesizer struct {
	Name string // synthesizer_name of its records
	// MultiHop says that an answer needs at least two contexts.
	MultiHop bool
	// Seeds returns what scenarios can be made of, the best first; of a multi-hop
	// synthesizer each has 2 to hops nodes. It must be a function of the graph,
	// leave it as it is, and be safe for concurrent use.
	Seeds func(g *Graph, hops int) []Seed
	// Ask says in English what the question must do with nodes and terms.
	Ask string
}

// Seed is what a question can be about: texts, and terms that stand in them.
type Seed struct {
	Nodes []*Node
	Terms []string
}

// The names that Ragas gives its synthesizers.
const (
	SingleHopName        = "single_hop_specific_query_synthesizer"
	MultiHopAbstractName = "multi_hop_abstract_query_synthesizer"
	MultiHopSpecificName = "multi_hop_specific_query_synthesizer"
)

// SingleHop asks for one thing of one text. Every node serves, the first entity
// of each before the second ones.
func SingleHop() Synthesizer {
	return Synthesizer{
		Name: SingleHopName,
		Ask:  "One need that turns on one rule or fact of the context, about the term if one is given.",
		Seeds: func(g *Graph, _ int) []Seed {
			nodes := leaves(g)
			terms := make([][]string, len(nodes))
			for i, n := range nodes {
				terms[i] = termsOf(n)
			}
			var out []Seed
			for rank, more := 0, true; more; rank++ {
				more = false
				for i, n := range nodes {
					if rank < len(terms[i]) {
						more = true
						out = append(out, Seed{[]*Node{n}, terms[i][rank : rank+1]})
					} else if rank == 0 {
						out = append(out, Seed{Nodes: []*Node{n}})
					}
				}
			}
			return out
		},
	}
}

// MultiHopAbstract asks what takes several texts of related matter: clusters by
// [SummarySimilarity], with a theme of each node.
func MultiHopAbstract() Synthesizer {
	const combinations = 3 // of themes a cluster
	return Synthesizer{
		Name: MultiHopAbstractName, MultiHop: true,
		Ask: "One situation of one person that touches every context, so that a right reply must take something from each: what one says holds, changes or comes next because of the other.",
		Seeds: func(g *Graph, hops int) []Seed {
			clusters := Clusters(g, SummarySimilarity, hops)
			var out []Seed
			for rank := range combinations {
				for _, c := range clusters {
					terms, fresh := themesAt(c, rank)
					if fresh || rank == 0 {
						out = append(out, Seed{c, terms})
					}
				}
			}
			return out
		},
	}
}

// themesAt returns the theme of that rank of each node, and whether any has one.
func themesAt(cluster []*Node, rank int) (terms []string, fresh bool) {
	for _, n := range cluster {
		list := n.Themes
		if len(list) == 0 {
			list = n.Entities
		}
		if len(list) == 0 {
			continue
		}
		fresh = fresh || rank < len(list)
		terms = appendTerm(terms, list[min(rank, len(list)-1)])
	}
	return terms, fresh
}

// MultiHopSpecific asks for one thing that several texts speak of: pairs by
// [EntitiesOverlap], with the entity that both name.
func MultiHopSpecific() Synthesizer {
	return Synthesizer{
		Name: MultiHopSpecificName, MultiHop: true,
		Ask: "One need about the term for which a right reply must join what every context says of it: no single context is enough.",
		Seeds: func(g *Graph, _ int) []Seed {
			type names struct{ from, to string }
			overlap := map[names][][2]string{}
			for _, r := range g.Relationships {
				if r.Type == EntitiesOverlap {
					overlap[names{r.Source, r.Target}] = r.Overlap
					back := make([][2]string, len(r.Overlap))
					for i, p := range r.Overlap {
						back[i] = [2]string{p[1], p[0]}
					}
					overlap[names{r.Target, r.Source}] = back
				}
			}
			pairs := Clusters(g, EntitiesOverlap, 2)
			var out []Seed
			for rank, more := 0, true; more; rank++ {
				more = false
				for _, c := range pairs {
					switch shared := overlap[names{c[0].ID, c[1].ID}]; {
					case rank < len(shared):
						more = true
						out = append(out, Seed{c, appendTerm(appendTerm(nil, shared[rank][0]), shared[rank][1])})
					case rank == 0:
						out = append(out, Seed{Nodes: c})
					}
				}
			}
			return out
		},
	}
}

// appendTerm adds a term unless it is there in other spelling.
func appendTerm(terms []string, t string) []string {
	fold := coverage.Fold(t)
	if fold == "" || slices.ContainsFunc(terms, func(s string) bool { return coverage.Fold(s) == fold }) {
		return terms
	}
	return append(terms, t)
}

// termsOf returns what a question about a node can be about: its entities, else
// its themes, else its title.
func termsOf(n *Node) []string {
	for _, list := range [][]string{n.Entities, n.Themes, {n.Title}} {
		var out []string
		for _, t := range list {
			out = appendTerm(out, t)
		}
		if out != nil {
			return out
		}
	}
	return nil
}

// leaves returns the nodes that questions are made of: the chunks, and documents
// that have none.
func leaves(g *Graph) []*Node {
	parent := map[string]bool{}
	for _, r := range g.Relationships {
		if r.Type == Child {
			parent[r.Source] = true
		}
	}
	var out []*Node
	for _, n := range g.Nodes {
		if n.Text != "" && (n.Type == ChunkNode || !parent[n.ID]) {
			out = append(out, n)
		}
	}
	return out
}

// Share is a synthesizer with its weight among others.
type Share struct {
	Synthesizer
	Weight float64 // not negative; only the ratio to the others counts
}

// Distribution returns the three synthesizers of Ragas with ratio, 0 to 1, as
// the share of the two multi-hop ones, half of it each.
func Distribution(ratio float64) []Share {
	return []Share{{SingleHop(), 1 - ratio}, {MultiHopAbstract(), ratio / 2}, {MultiHopSpecific(), ratio / 2}}
}
