package coverage

import (
	"maps"
	"slices"
)

// oneInvalid is what tuples with two invalid values are blamed on.
const oneInvalid = "at most one invalid value a row"

// rules are the constraints as clauses: a row is valid if each clause has a
// literal that holds.
type rules struct {
	names   []string // of constraints; clause.from indexes them
	clauses []clause
	byAxis  [][]int32 // clauses that speak of an axis
}

type clause struct {
	from int
	lits []literal
}

// literal holds when the axis has one of the values.
type literal struct {
	axis int32
	ok   []bool
}

// newRules returns nil when every row is valid.
func newRules(m *Model) *rules {
	r := &rules{byAxis: make([][]int32, len(m.Axes))}
	axis := make(map[string]int, len(m.Axes))
	value := make([]map[string]int, len(m.Axes))
	for i, a := range m.Axes {
		axis[a.Name] = i
		value[i] = make(map[string]int, len(a.Values))
		for j, v := range a.Values {
			value[i][v.Name] = j
		}
	}
	add := func(from int, lits map[int][]bool) {
		c := clause{from: from}
		for _, a := range slices.Sorted(maps.Keys(lits)) {
			if !slices.Contains(lits[a], false) {
				return // holds in every row
			}
			c.lits = append(c.lits, literal{int32(a), lits[a]})
		}
		for _, l := range c.lits {
			r.byAxis[l.axis] = append(r.byAxis[l.axis], int32(len(r.clauses)))
		}
		r.clauses = append(r.clauses, c)
	}
	for n, c := range m.Constraints {
		r.names = append(r.names, c.Name)
		premise := func() map[int][]bool {
			lits := make(map[int][]bool)
			for name, v := range c.If {
				a := axis[name]
				ok := slices.Repeat([]bool{true}, len(m.Axes[a].Values))
				ok[value[a][v]] = false
				lits[a] = ok
			}
			return lits
		}
		if len(c.Then) == 0 {
			add(n, premise())
		}
		for _, name := range slices.Sorted(maps.Keys(c.Then)) {
			lits, a := premise(), axis[name]
			if lits[a] == nil {
				lits[a] = make([]bool, len(m.Axes[a].Values))
			}
			for _, v := range c.Then[name] {
				lits[a][value[a][v]] = true
			}
			add(n, lits)
		}
	}
	var negative []int
	valid := make([][]bool, len(m.Axes))
	for i, a := range m.Axes {
		valid[i] = make([]bool, len(a.Values))
		for j, v := range a.Values {
			valid[i][j] = !v.Invalid
		}
		if slices.Contains(valid[i], false) {
			negative = append(negative, i)
		}
	}
	if len(negative) > 1 {
		r.names = append(r.names, oneInvalid)
	}
	for i, a := range negative {
		for _, b := range negative[:i] {
			add(len(r.names)-1, map[int][]bool{a: valid[a], b: valid[b]})
		}
	}
	if len(r.clauses) == 0 {
		return nil
	}
	return r
}

// valid reports whether a whole row breaks nothing.
func (r *rules) valid(row []int32) bool {
	for i := range r.clauses {
		if !r.clauses[i].holds(row) {
			return false
		}
	}
	return true
}

// validAt is valid for a row in which only axis a changed.
func (r *rules) validAt(row []int32, a int32) bool {
	for _, i := range r.byAxis[a] {
		if !r.clauses[i].holds(row) {
			return false
		}
	}
	return true
}

func (c *clause) holds(row []int32) bool {
	for _, l := range c.lits {
		if v := row[l.axis]; v >= 0 && l.ok[v] {
			return true
		}
	}
	return false
}

// extends reports whether a valid row agrees with the partial one, in which -1
// is an open axis. Constraints in without do not count.
func (r *rules) extends(row []int32, without []bool) bool {
	return r.solve(slices.Clone(row), without, nil)
}

// complete fills open axes that constraints speak of, with the values of prefer
// where that is possible; others stay -1 and may take any value.
func (r *rules) complete(row, prefer []int32) bool { return r.solve(row, nil, prefer) }

// solve sets open axes of row until every clause holds. If that cannot be, it
// leaves row in no defined state.
func (r *rules) solve(row []int32, without []bool, prefer []int32) bool {
	active := make([]int32, 0, len(r.clauses))
	for i := range r.clauses {
		if without == nil || !without[r.clauses[i].from] {
			active = append(active, int32(i))
		}
	}
	return r.solveAll(row, active, prefer)
}

// solveAll takes the clauses apart into groups that share no open axis: what is
// impossible in one group is not tried with every solution of the others.
func (r *rules) solveAll(row, active, prefer []int32) bool {
	var open []int32
	for _, i := range active {
		c := &r.clauses[i]
		if c.holds(row) {
			continue
		}
		if !slices.ContainsFunc(c.lits, func(l literal) bool { return row[l.axis] < 0 }) {
			return false
		}
		open = append(open, i)
	}
	if len(open) == 0 {
		return true
	}
	group := make([]int32, len(row)) // of an axis, by its lowest axis plus 1
	for changed := true; changed; {
		changed = false
		for _, i := range open {
			low := int32(len(row)) + 1
			for _, l := range r.clauses[i].lits {
				if row[l.axis] < 0 {
					low = min(low, l.axis+1)
					if g := group[l.axis]; g > 0 {
						low = min(low, g)
					}
				}
			}
			for _, l := range r.clauses[i].lits {
				if row[l.axis] < 0 && group[l.axis] != low {
					group[l.axis], changed = low, true
				}
			}
		}
	}
	of := func(i int32) int32 {
		for _, l := range r.clauses[i].lits {
			if row[l.axis] < 0 {
				return group[l.axis]
			}
		}
		return 0
	}
	slices.SortStableFunc(open, func(x, y int32) int { return int(of(x) - of(y)) })
	groups := make([]int32, len(open))
	for n, i := range open {
		groups[n] = of(i)
	}
	for from := 0; from < len(open); {
		to := from + 1
		for to < len(open) && groups[to] == groups[from] {
			to++
		}
		if !r.branch(row, open[from:to], prefer) {
			return false
		}
		from = to
	}
	return true
}

// branch tries the values of one axis of the clause with the fewest open axes.
func (r *rules) branch(row, group, prefer []int32) bool {
	var axes []int32
	axis, ok := int32(-1), []bool(nil)
	fewest := len(row) + 1
	for _, i := range group {
		n, first := 0, literal{}
		for _, l := range r.clauses[i].lits {
			if row[l.axis] < 0 {
				if n++; n == 1 {
					first = l
				}
				axes = append(axes, l.axis)
			}
		}
		if n < fewest {
			fewest, axis, ok = n, first.axis, first.ok
		}
	}
	start := int32(0)
	if prefer != nil && prefer[axis] >= 0 {
		start = prefer[axis]
	}
	for n := range int32(len(ok)) {
		row[axis] = (start + n) % int32(len(ok))
		if r.solveAll(row, group, prefer) {
			return true
		}
		for _, a := range axes {
			row[a] = -1
		}
	}
	return false
}

// blame returns the names of constraints that together exclude the partial row
// and of which none can be spared. A single one is found if there is one.
func (r *rules) blame(row []int32) []string {
	without := slices.Repeat([]bool{true}, len(r.names))
	for n := range r.names {
		without[n] = false
		if !r.extends(row, without) {
			return []string{r.names[n]}
		}
		without[n] = true
	}
	clear(without)
	var names []string
	for n, name := range r.names {
		without[n] = true
		if r.extends(row, without) {
			without[n] = false
			names = append(names, name)
		}
	}
	return names
}
