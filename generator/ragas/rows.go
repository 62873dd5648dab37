package ragas

import (
	"cmp"
	"slices"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// castRows gives each row a scenario. Which nodes it stands on follows from the
// evidence of its policies and their neighbours in the graph; style, length and
// persona are drawn evenly from those that leave what the row plans visible. A
// given message and a corner row get nothing of it.
func (e *engine) castRows(call *generator.Call, w *world, ratio float64) []order {
	rng := stage.Rand(call.Seed, e.o.Seed, "cast")
	single, multi := -1, []int{}
	for i, s := range e.shares {
		if !s.MultiHop && single < 0 {
			single = i
		} else if s.MultiHop && s.Weight > 0 {
			multi = append(multi, i)
		}
	}
	near := neighbours(w)
	var orders []order
	for i := range call.Rows {
		row := call.Rows[i]
		times := max(1, row.Examples)
		row.Examples = 1
		for range times {
			orders = append(orders, order{row: &row, scenario: scenario{share: max(0, single), persona: -1}})
		}
	}
	var free []int
	for i := range orders {
		o := &orders[i]
		row := o.row
		if n, c := e.about(call, w, row); n != nil {
			o.seed.Nodes = []*Node{n}
			o.contexts = []chunk.Chunk{c}
		}
		if row.Given == nil && row.Corner == "" {
			free = append(free, i)
		}
	}
	// Rows whose policies stand in different places join them by nature, so they
	// go first.
	type partner struct {
		row   int
		node  *Node
		share int
		terms []string
		rank  int
	}
	var partners []partner
	for _, i := range free {
		o := &orders[i]
		if len(o.seed.Nodes) == 0 || len(multi) == 0 {
			continue
		}
		if n, link, rank := e.partner(call, w, near, o.row, o.seed.Nodes[0]); n != nil {
			p := partner{i, n, multi[0], link.terms, rank}
			for _, s := range multi {
				if e.shares[s].Name == link.synthesizer {
					p.share = s
				}
			}
			partners = append(partners, p)
		}
	}
	rng.Shuffle(len(partners), func(i, j int) { partners[i], partners[j] = partners[j], partners[i] })
	slices.SortStableFunc(partners, func(a, b partner) int { return a.rank - b.rank })
	if single < 0 {
		ratio = 1
	} else if e.o.Shares != nil {
		ratio = multiShare(e.shares)
	}
	hops := min(len(partners), int(ratio*float64(len(free))+0.5))
	for _, p := range partners[:hops] {
		o := &orders[p.row]
		o.share = p.share
		o.seed.Nodes = append(o.seed.Nodes, p.node)
		o.seed.Terms = p.terms
		o.contexts = append(o.contexts, w.places[p.node.ID])
	}
	e.dressRows(call, w, orders, free, rng.IntN(1<<20))
	return orders
}

func multiShare(shares []Share) float64 {
	multi, all := 0.0, 0.0
	for _, s := range shares {
		all += s.Weight
		if s.MultiHop {
			multi += s.Weight
		}
	}
	return multi / all
}

// dressRows draws styles, lengths and personas, each evenly over the rows that
// can have it.
func (e *engine) dressRows(call *generator.Call, w *world, orders []order, free []int, first int) {
	n := len(free)
	if n == 0 {
		return
	}
	styles := drawFitting(n, len(e.o.Styles), first, func(i, s int) bool { return e.o.Styles[s].fits(orders[free[i]].row, call.Axes) })
	lengths := drawFitting(n, len(e.o.Lengths), first, func(i, l int) bool { return e.o.Lengths[l].fits(orders[free[i]].row, call.Axes) })
	for i, at := range free {
		orders[at].style, orders[at].length = e.o.Styles[styles[i]], e.o.Lengths[lengths[i]]
	}
	k := len(w.people.personas)
	if k == 0 {
		return
	}
	who := assign(n, shares(n, k, first%k), func(i, p int) bool {
		nodes := orders[free[i]].seed.Nodes
		return len(nodes) == 0 || w.people.suits(p, nodes[0])
	})
	for i, at := range free {
		orders[at].persona = who[i]
		orders[at].who = &w.people.personas[who[i]]
	}
}

// Dress draws one of [Styles] and one of [Lengths] for each row, each as evenly as
// the rows allow: what a row plans goes before an even mix. The draw follows from
// the seed.
func Dress(rows []*model.Row, axes []model.Axis, seed uint64) ([]Style, []Length) {
	styles, lengths := Styles(), Lengths()
	first := stage.Rand(seed, "dress").IntN(1 << 20)
	s := drawFitting(len(rows), len(styles), first, func(i, s int) bool { return styles[s].fits(rows[i], axes) })
	l := drawFitting(len(rows), len(lengths), first, func(i, l int) bool { return lengths[l].fits(rows[i], axes) })
	outS, outL := make([]Style, len(rows)), make([]Length, len(rows))
	for i := range rows {
		outS[i], outL[i] = styles[s[i]], lengths[l[i]]
	}
	return outS, outL
}

// drawFitting gives each of n rows one of k options, as evenly as the rows
// allow: what a plan asks for goes before an even mix.
func drawFitting(n, k, first int, fits func(row, option int) bool) []int {
	drawn := assign(n, shares(n, k, first%k), fits)
	count := make([]int, k)
	for i, o := range drawn {
		if fits(i, o) {
			count[o]++
		}
	}
	for i, o := range drawn {
		if fits(i, o) {
			continue
		}
		best := -1
		for step := range k {
			o := (first + step) % k
			if fits(i, o) && (best < 0 || count[o] < count[best]) {
				best = o
			}
		}
		if best >= 0 {
			drawn[i] = best
			count[best]++
		}
	}
	return drawn
}

// about returns the chunk that holds the evidence of the row's first policy,
// else of its use case, and its node, which may stand outside of the graph.
func (e *engine) about(call *generator.Call, w *world, row *model.Row) (*Node, chunk.Chunk) {
	var evidence []model.Evidence
	for _, id := range row.PolicyIDs[:min(1, len(row.PolicyIDs))] {
		evidence = append(evidence, evidenceOf(call, id)...)
	}
	evidence = append(evidence, call.UseCase.Evidence...)
	for _, ev := range evidence {
		if n := w.at(ev); n != nil {
			return n, w.places[n.ID]
		}
	}
	return nil, chunk.Chunk{}
}

func evidenceOf(call *generator.Call, policyID string) []model.Evidence {
	for _, list := range [][]model.Policy{call.Policies, call.AllPolicies} {
		for i := range list {
			if list[i].ID == policyID {
				return list[i].Evidence
			}
		}
	}
	return nil
}

// link is why two nodes go together.
type link struct {
	node        *Node
	synthesizer string
	terms       []string
}

func neighbours(w *world) map[string][]link {
	byID := w.graph.byID()
	out := map[string][]link{}
	for _, kind := range []string{EntitiesOverlap, SummarySimilarity} {
		var edges []*Relationship
		for _, r := range w.graph.Relationships {
			if r.Type == kind && byID[r.Source] != nil && byID[r.Target] != nil {
				edges = append(edges, r)
			}
		}
		slices.SortStableFunc(edges, func(a, b *Relationship) int { return cmp.Compare(b.Score, a.Score) })
		for _, r := range edges {
			a, b := byID[r.Source], byID[r.Target]
			l := link{synthesizer: MultiHopAbstractName}
			if kind == EntitiesOverlap {
				l.synthesizer = MultiHopSpecificName
				for _, p := range r.Overlap[:min(1, len(r.Overlap))] {
					l.terms = appendTerm(appendTerm(l.terms, p[0]), p[1])
				}
			} else {
				l.terms, _ = themesAt([]*Node{a, b}, 0)
			}
			to, from := l, l
			to.node, from.node = b, a
			out[a.ID] = append(out[a.ID], to)
			out[b.ID] = append(out[b.ID], from)
		}
	}
	return out
}

// partner returns the node that the row's question can join with its own: that
// of another policy of the row (rank 0), else the nearest in the graph in which a
// policy stands (rank 1), else the nearest (rank 2).
func (e *engine) partner(call *generator.Call, w *world, near map[string][]link, row *model.Row, own *Node) (*Node, link, int) {
	for _, id := range row.PolicyIDs[min(1, len(row.PolicyIDs)):] {
		for _, ev := range evidenceOf(call, id) {
			n := w.at(ev)
			if n == nil || n == own {
				continue
			}
			l := link{node: n, synthesizer: MultiHopAbstractName}
			for _, m := range near[own.ID] {
				if m.node == n {
					l = m
					break
				}
			}
			if l.terms == nil {
				l.terms, _ = themesAt([]*Node{own, n}, 0)
			}
			return n, l, 0
		}
	}
	var other link
	for _, l := range near[own.ID] {
		if _, ok := w.places[l.node.ID]; !ok {
			continue
		}
		if w.rules(call, l.node) {
			return l.node, l, 1
		}
		if other.node == nil {
			other = l
		}
	}
	return other.node, other, 2
}

// rules reports whether a policy of the run stands in the node.
func (w *world) rules(call *generator.Call, n *Node) bool {
	s := w.places[n.ID].Span
	for _, list := range [][]model.Policy{call.Policies, call.AllPolicies} {
		for i := range list {
			for _, ev := range list[i].Evidence {
				if ev.InputFile == s.Doc && ev.LineStart <= s.EndLine && ev.LineEnd >= s.StartLine {
					return true
				}
			}
		}
	}
	return false
}

// at returns the node in which most of the evidence lies.
func (w *world) at(ev model.Evidence) *Node {
	var best *Node
	most := 0
	for _, n := range w.nodes {
		s := w.places[n.ID].Span
		if s.Doc != ev.InputFile {
			continue
		}
		if shared := min(s.EndLine, ev.LineEnd) - max(s.StartLine, ev.LineStart) + 1; shared > most {
			best, most = n, shared
		}
	}
	return best
}
