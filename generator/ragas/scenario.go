package ragas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// scenario is what one sample is to be.
type scenario struct {
	share   int // the synthesizer
	doc     int // whose turn it is
	seed    Seed
	style   Style
	length  Length
	persona int // -1 is nobody in particular
}

func (s *scenario) key() string {
	return fmt.Sprintf("%s|%s|%s|%d", seedKey(&s.seed), s.style.Name, s.length.Name, s.persona)
}

func seedKey(s *Seed) string {
	var b strings.Builder
	for _, n := range s.Nodes {
		b.WriteString(n.ID + " ")
	}
	b.WriteString(strings.Join(s.Terms, "\x00"))
	return b.String()
}

// planner draws scenarios in even shares. Everything is a function of its
// fields.
type planner struct {
	shares   []Share
	pools    [][][]Seed // of each synthesizer and document
	styles   []Style
	lengths  []Length
	personas int
	// suits reports whether somebody would come with the matter of the node.
	suits func(persona int, n *Node) bool
	rng   *rand.Rand

	next  [][]int // of each pool, the seed whose turn it is
	taken map[string]bool
	notes []string // what could not be as asked
}

func newPlanner(g *Graph, shares []Share, hops int, o *Options, personas int, suits func(int, *Node) bool, rng *rand.Rand) *planner {
	p := &planner{
		shares: shares, styles: o.Styles, lengths: o.Lengths, personas: personas, suits: suits, rng: rng, taken: map[string]bool{},
	}
	number := map[string]int{}
	parents := g.Parents()
	docOf := func(n *Node) int {
		key := n.Source()
		if d := parents[n.ID]; d != nil {
			key = d.ID
		} else if key == "" && n.Type != ChunkNode {
			key = n.ID
		}
		d, ok := number[key]
		if !ok {
			d = len(number)
			number[key] = d
		}
		return d
	}
	for _, n := range leaves(g) {
		docOf(n)
	}
	for _, s := range shares {
		pool := make([][]Seed, len(number))
		if s.Weight > 0 {
			for _, seed := range s.Seeds(g, hops) {
				if len(seed.Nodes) == 0 || s.MultiHop && (len(seed.Nodes) < 2 || len(seed.Nodes) > hops) {
					continue
				}
				if d := docOf(seed.Nodes[0]); d < len(pool) {
					pool[d] = append(pool[d], seed)
				}
			}
		}
		for d := range pool {
			mix(pool[d], rng)
		}
		p.pools = append(p.pools, pool)
		p.next = append(p.next, make([]int, len(pool)))
	}
	return p
}

// mix orders seeds so that few of them stand for all: each node leads once
// before any leads twice, those on which more can turn come first, and beyond
// that chance decides, not the order of the document.
func mix(pool []Seed, rng *rand.Rand) {
	for len(pool) > 0 {
		n := 0
		led := map[*Node]bool{}
		for n < len(pool) && !led[pool[n].Nodes[0]] {
			led[pool[n].Nodes[0]] = true
			n++
		}
		round := pool[:n]
		rng.Shuffle(n, func(i, j int) { round[i], round[j] = round[j], round[i] })
		slices.SortStableFunc(round, func(a, b Seed) int { return worst(b) - worst(a) })
		pool = pool[n:]
	}
}

// worst is the lowest score of a seed's nodes.
func worst(s Seed) int {
	low := score(s.Nodes[0])
	for _, n := range s.Nodes[1:] {
		low = min(low, score(n))
	}
	return low
}

// cells is how many different scenarios one seed gives.
func (p *planner) cells() int { return len(p.styles) * len(p.lengths) * max(1, p.personas) }

func (p *planner) capacity(share int) int {
	n := 0
	for _, pool := range p.pools[share] {
		n += len(pool) * p.cells()
	}
	return n
}

// counts splits n among the synthesizers by their weights. One that the graph
// cannot serve, or not so often, leaves its part to the others.
func (p *planner) counts(n int) []int {
	out := make([]int, len(p.shares))
	room := make([]int, len(p.shares))
	for i, s := range p.shares {
		if room[i] = p.capacity(i); room[i] == 0 && s.Weight > 0 {
			p.notes = append(p.notes, "the graph has nothing for "+s.Name)
		}
	}
	for left := n; left > 0; {
		total := 0.0
		for i, s := range p.shares {
			if room[i] > out[i] {
				total += s.Weight
			}
		}
		if total <= 0 {
			break
		}
		// The largest remainder; ties go to the synthesizer that stands first.
		given := 0
		rest := make([]float64, len(p.shares))
		for i, s := range p.shares {
			if room[i] <= out[i] {
				rest[i] = -1
				continue
			}
			want := float64(left) * s.Weight / total
			k := min(int(math.Floor(want+1e-9)), room[i]-out[i])
			out[i] += k
			given += k
			rest[i] = want - float64(k)
			if room[i] == out[i] {
				rest[i] = -1
			}
		}
		for left-given > 0 {
			best := 0
			for i := range rest {
				if rest[i] > rest[best]+1e-9 {
					best = i
				}
			}
			if rest[best] <= 0 || room[best] <= out[best] {
				break
			}
			out[best]++
			given++
			rest[best] = -1
		}
		if given == 0 {
			break
		}
		left -= given
	}
	return out
}

// draw returns n scenarios, or as many as there can be. Documents, styles,
// lengths and personas come in shares that differ by one at most, as far as the
// seeds allow; no two scenarios are equal.
func (p *planner) draw(n int) []scenario {
	counts := p.counts(n)
	docs := 0
	if len(p.pools) > 0 {
		docs = len(p.pools[0])
	}
	load := make([]int, docs)
	used := make([][]int, len(p.shares))
	order := p.rng.Perm(docs) // who is first among equals
	// Those with fewer seeds choose first, so that the others can even it out.
	byNeed := make([]int, len(p.shares))
	for i := range byNeed {
		byNeed[i] = i
		used[i] = make([]int, docs)
	}
	slices.SortStableFunc(byNeed, func(a, b int) int { return p.capacity(a) - p.capacity(b) })
	for _, s := range byNeed {
		for range counts[s] {
			best := -1
			for _, d := range order {
				if used[s][d] < len(p.pools[s][d])*p.cells() && (best < 0 || load[d] < load[best]) {
					best = d
				}
			}
			if best < 0 {
				break
			}
			load[best]++
			used[s][best]++
		}
	}
	var all []scenario
	for d := range docs {
		for s := range p.shares {
			pool := p.pools[s][d]
			for i, times := range shares(used[s][d], max(1, len(pool)), 0) {
				for range times {
					all = append(all, scenario{share: s, doc: d, seed: pool[i], persona: -1})
				}
			}
			p.next[s][d] = used[s][d]
		}
	}
	p.dress(all)
	for i := range all {
		p.taken[all[i].key()] = true
	}
	return all
}

// dress gives the scenarios styles, lengths and personas. Those of one seed
// stand together, so running numbers make them differ and keep the shares even.
func (p *planner) dress(all []scenario) {
	styles, lengths := p.rng.Perm(len(p.styles)), p.rng.Perm(len(p.lengths))
	s, l := len(styles), len(lengths)
	round := s * l / gcd(s, l)
	cell := func(i int) (int, int) { return styles[i%s], lengths[(i+i/round)%l] }
	most := 0 // scenarios of one seed in one cell
	same := map[string][]int{}
	var keys []string
	for i := range all {
		a, b := cell(i % (s * l))
		all[i].style, all[i].length = p.styles[a], p.lengths[b]
		k := all[i].key()
		if same[k] == nil {
			keys = append(keys, k)
		}
		same[k] = append(same[k], i)
		most = max(most, len(same[k]))
	}
	if p.personas == 0 {
		return
	}
	first := p.rng.IntN(p.personas)
	if most == 1 {
		quota := shares(len(all), p.personas, first)
		for i, who := range assign(len(all), quota, func(i, who int) bool { return p.suits(who, all[i].seed.Nodes[0]) }) {
			all[i].persona = who
		}
		return
	}
	for _, k := range keys {
		for _, i := range same[k] {
			all[i].persona = first % p.personas
			first++
		}
	}
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// instead returns a scenario in the place of one that could not be written: of
// the same synthesizer, style, length and persona, on another seed of the same
// document, else of another document. There is none when all are taken.
func (p *planner) instead(old scenario) (scenario, bool) {
	pools := p.pools[old.share]
	for k := range pools {
		d := (old.doc + k) % len(pools)
		for range pools[d] {
			s := old
			s.doc = d
			s.seed = pools[d][p.next[old.share][d]%len(pools[d])]
			p.next[old.share][d]++
			if key := s.key(); !p.taken[key] {
				p.taken[key] = true
				return s, true
			}
		}
	}
	return scenario{}, false
}
