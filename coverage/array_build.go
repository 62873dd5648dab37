package coverage

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/model"
)

// Build makes a covering array. The result is a function of the model alone:
// the same on every platform and at any GOMAXPROCS. The error is a
// *[ModelError] or an *[InfeasibleError].
//
// Without axes there is exactly one row, and it is empty.
func Build(m *Model) (*Array, error) {
	if err := checkModel(m); err != nil {
		return nil, err
	}
	t := m.Strength
	if t == 0 {
		t = 2
	}
	t = min(t, len(m.Axes))
	rl := newRules(m)
	open := slices.Repeat([]int32{-1}, len(m.Axes))
	if rl != nil && !rl.extends(open, nil) {
		return nil, &InfeasibleError{Constraints: rl.blame(open)}
	}
	sp, err := compile(m, t, rl)
	if err != nil {
		return nil, err
	}
	sp.markFeasible()
	must, err := mustRows(m, rl)
	if err != nil {
		return nil, err
	}
	b := &builder{m: m, sp: sp, must: must}
	if err := b.mandatory(); err != nil {
		return nil, err
	}
	rows := b.order(b.best())
	a := &Array{Axes: make([]string, len(m.Axes))}
	for i, x := range m.Axes {
		a.Axes[i] = x.Name
	}
	want := m.Rows
	if want == 0 {
		want = max(m.Min, len(rows))
	}
	if len(rows) < want {
		rows = b.extend(rows, want, t)
		a.Exhausted = len(rows) < want
	}
	rows = rows[:min(len(rows), want)]
	for _, r := range rows {
		a.Rows = append(a.Rows, b.names(r))
	}
	b.account(a, rows)
	return a, nil
}

type builder struct {
	m    *Model
	sp   *space
	must [][]int32 // must-include rows, -1 where open
	head [][]int32 // the same, filled
}

// names returns the values of a row.
func (b *builder) names(row []int32) []string {
	out := make([]string, len(row))
	for a, v := range row {
		out[a] = b.m.Axes[a].Values[v].Name
	}
	return out
}

// account lists what is infeasible and what the rows leave out.
func (b *builder) account(a *Array, rows [][]int32) {
	t := newTally(b.sp)
	for _, r := range rows {
		t.add(r)
	}
	open := slices.Clone(t.open)
	slices.Sort(open)
	for _, i := range open {
		a.Uncovered = append(a.Uncovered, b.sp.tuple(i))
	}
	if b.sp.feasible == nil {
		return
	}
	row := slices.Repeat([]int32{-1}, len(b.m.Axes))
	for n := range b.sp.sets {
		s := &b.sp.sets[n]
		for i := s.off; i < s.off+s.size; i++ {
			if b.sp.feasible[i] {
				continue
			}
			s.values(i, row)
			tuple := b.sp.tuple(i)
			tuple.Because = blamed(b.sp.rules.blame(row))
			a.Infeasible = append(a.Infeasible, tuple)
		}
		for _, x := range s.axes {
			row[x] = -1
		}
	}
}

// mustRows numbers the must-include rows and checks them.
func mustRows(m *Model, rl *rules) ([][]int32, error) {
	var out [][]int32
	for i, r := range m.MustInclude {
		row := slices.Repeat([]int32{-1}, len(m.Axes))
		whole := true
		for a, axis := range m.Axes {
			if v, ok := r[axis.Name]; ok {
				row[a] = int32(slices.IndexFunc(axis.Values, func(x model.AxisValue) bool { return x.Name == v }))
			} else {
				whole = false
			}
		}
		if rl != nil && !rl.extends(row, nil) {
			return nil, &ModelError{fmt.Sprintf("MustInclude[%d]", i), "it breaks " + blamed(rl.blame(row))}
		}
		if whole {
			for j, other := range out {
				if slices.Equal(row, other) {
					return nil, &ModelError{fmt.Sprintf("MustInclude[%d]", i), fmt.Sprintf("it repeats row %d", j)}
				}
			}
		}
		out = append(out, row)
	}
	return out, nil
}

// The work of a build, in tuples looked at: fixed numbers, never a time.
const (
	greedyWork = 6_000_000
	shrinkWork = 80_000_000
	mostSeeds  = 8
)

// best returns the smallest array found, must-include rows first.
func (b *builder) best() [][]int32 {
	sp := b.sp
	if len(sp.sets) == 0 {
		return [][]int32{{}}
	}
	bound := sp.bound()
	if rows := b.all(); rows != nil {
		return rows
	}
	var best [][]int32
	spent := 0
	for k := range uint64(mostSeeds) {
		src := newSource(b.m.Seed, k)
		t := newTally(sp)
		g := newGreedy(t, src, candidates)
		for _, r := range b.head {
			t.add(r)
		}
		rows := g.cover(slices.Clone(b.head), 1<<30)
		rows = reduce(sp, rows, len(b.head))
		if best == nil || len(rows) < len(best) {
			best = rows
		}
		spent += len(rows) * candidates * len(sp.sets)
		if len(best) <= max(bound, len(b.head)) || spent > greedyWork {
			break
		}
	}
	best = shrink(sp, best, len(b.head), bound, b.work(), newSource(b.m.Seed, 1000))
	return reduce(sp, best, len(b.head))
}

// all returns every valid row if a set holds all axes, else nil.
func (b *builder) all() [][]int32 {
	sp := b.sp
	for n := range sp.sets {
		s := &sp.sets[n]
		if len(s.axes) < len(sp.axes) {
			continue
		}
		t := newTally(sp)
		rows := slices.Clone(b.head)
		for _, r := range rows {
			t.add(r)
		}
		for i := s.off; i < s.off+s.size; i++ {
			if t.count[i] == 0 && (sp.feasible == nil || sp.feasible[i]) {
				row := make([]int32, len(sp.axes))
				s.values(i, row)
				rows = append(rows, row)
			}
		}
		return rows
	}
	return nil
}

// candidates for each row of a greedy array; more would gain little before shrink.
const candidates = 20

// work is what a model may cost: small ones are done sooner.
func (b *builder) work() int { return min(shrinkWork, 200_000+b.sp.total*1_500) }

// mandatory fills the must-include rows by gain, no two alike.
func (b *builder) mandatory() error {
	if len(b.must) == 0 {
		return nil
	}
	t := newTally(b.sp)
	g := newGreedy(t, newSource(b.m.Seed, 5000), candidates)
	for n, partial := range b.must {
		r := g.row(partial)
		for try := 0; slices.ContainsFunc(b.head, func(x []int32) bool { return slices.Equal(x, r) }); try++ {
			if try == 1000 {
				return &ModelError{fmt.Sprintf("MustInclude[%d]", n), "every row that agrees with it is there already"}
			}
			r = slices.Clone(partial)
			g.fill(r)
		}
		t.add(r)
		b.head = append(b.head, r)
	}
	return nil
}

// order puts the row that covers most first, then the one that adds most, and
// so on, behind the must-include rows. Among equals the one that adds most at
// lower strength, then the earlier one.
func (b *builder) order(rows [][]int32) [][]int32 {
	b.lighten(rows)
	t := newTally(b.sp)
	low := b.single()
	out := slices.Clone(rows[:len(b.head)])
	for _, r := range out {
		t.add(r)
		low.add(r)
	}
	type entry struct {
		row       []int32
		high, low int
		n         int
	}
	rest := make([]*entry, 0, len(rows))
	for i, r := range rows[len(b.head):] {
		rest = append(rest, &entry{r, t.gain(r), low.gain(r), i})
	}
	less := func(x, y *entry) int {
		return cmp.Or(cmp.Compare(y.high, x.high), cmp.Compare(y.low, x.low), cmp.Compare(x.n, y.n))
	}
	for len(rest) > 0 {
		// Gains only fall, so an entry whose old gain does not beat the best
		// need not be looked at again.
		best := -1
		for i, e := range rest {
			if best >= 0 && less(rest[best], e) < 0 {
				continue
			}
			e.high, e.low = t.gain(e.row), low.gain(e.row)
			if best < 0 || less(e, rest[best]) < 0 {
				best = i
			}
		}
		e := rest[best]
		t.add(e.row)
		low.add(e.row)
		out = append(out, e.row)
		rest = slices.Delete(rest, best, best+1)
	}
	return out
}

// single counts single values.
func (b *builder) single() *tally {
	sp, _ := compile(&Model{Axes: b.m.Axes}, min(1, len(b.m.Axes)), nil)
	return newTally(sp)
}

// lighten draws by weight the cells whose value the cover does not need.
func (b *builder) lighten(rows [][]int32) {
	if !b.sp.weighted {
		return
	}
	src := newSource(b.m.Seed, 2000)
	s := &search{tally: newTally(b.sp), rows: rows}
	for _, r := range rows {
		s.add(r)
	}
	for i := len(b.head); i < len(rows); i++ {
		r := rows[i]
		for a := range int32(len(r)) {
			pick, sum := r[a], weight(b.sp, a, int(r[a]))
			for v := range b.sp.levels[a] {
				if v == r[a] || !s.allowed(r, a, v) || s.delta(r, a, v, 0) > 0 || b.taken(rows, i, a, v) {
					continue
				}
				w := weight(b.sp, a, int(v))
				if sum += w; src.below(sum) < w {
					pick = v
				}
			}
			if pick != r[a] {
				s.change(i, a, pick)
			}
		}
	}
}

// taken reports whether row i with one cell changed would repeat another.
func (b *builder) taken(rows [][]int32, i int, a, v int32) bool {
	changed := slices.Clone(rows[i])
	changed[a] = v
	return slices.ContainsFunc(rows, func(r []int32) bool { return slices.Equal(r, changed) })
}

// extend adds rows by gain at ever higher strength, never one that is there.
func (b *builder) extend(rows [][]int32, want, t int) [][]int32 {
	for t < len(b.m.Axes) && len(rows) < want {
		t++
		sp, err := compile(&Model{Axes: b.m.Axes}, t, b.sp.rules)
		if err != nil {
			return b.wander(rows, want)
		}
		sp.markFeasible()
		tl := newTally(sp)
		for _, r := range rows {
			tl.add(r)
		}
		rows = newGreedy(tl, newSource(b.m.Seed, uint64(3000+t)), 10).cover(rows, want)
	}
	return rows
}

// wander adds random valid rows, for spaces too large to count.
func (b *builder) wander(rows [][]int32, want int) [][]int32 {
	sp := *b.sp
	sp.links = make([][]link, len(sp.axes)) // no gain to look at
	g := newGreedy(&tally{sp: &sp}, newSource(b.m.Seed, 4000), 1)
	for range 100 * want {
		if len(rows) == want {
			break
		}
		row := slices.Repeat([]int32{-1}, len(sp.axes))
		g.fill(row)
		if !slices.ContainsFunc(rows, func(r []int32) bool { return slices.Equal(r, row) }) {
			rows = append(rows, row)
		}
	}
	return rows
}

// blamed joins the names of constraints that exclude something together.
func blamed(names []string) string { return strings.Join(names, " + ") }
