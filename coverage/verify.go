package coverage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/model"
)

// Report is what a recount of an array's rows found.
type Report struct {
	// Total is the number of combinations of values of every Strength axes,
	// Feasible how many of them some valid row can have, Covered how many of
	// those some row has.
	Total, Feasible, Covered int
	// Missing are the feasible combinations that no row has.
	Missing []Tuple
	// Infeasible are the combinations that no valid row can have, each with the
	// constraint to blame.
	Infeasible []Tuple
	// Witness gives, for the key of every covered tuple, the first row that has it.
	Witness map[string]int
	// Invalid are the indexes of rows that break a constraint, lack an axis,
	// have an unknown value or more than one invalid value. They cover nothing.
	Invalid []int
	// Repeated are the indexes of rows that equal an earlier one.
	Repeated []int
}

// Complete reports whether everything feasible is covered.
func (r *Report) Complete() bool { return r.Covered == r.Feasible }

// Verify recounts from the rows alone what they cover. It shares no code with
// [Build]: feasibility is decided by a search of its own. Of m it reads Axes,
// Constraints, Strength and Sub. Keys of rows that are no axis are ignored.
//
// A row is a map from axis to value, as [Array.Row] returns it. Without axes
// there is nothing to count.
func Verify(m *Model, rows []map[string]string) Report {
	v := newRecount(m)
	rep := Report{Witness: make(map[string]int)}
	type kept struct {
		at   int
		vals []int
	}
	var good []kept
	seen := make(map[string]bool, len(rows))
	for i, r := range rows {
		vals, ok := v.read(r)
		if !ok {
			rep.Invalid = append(rep.Invalid, i)
			continue
		}
		if key := fmt.Sprint(vals); seen[key] {
			rep.Repeated = append(rep.Repeated, i)
			continue
		} else {
			seen[key] = true
		}
		good = append(good, kept{i, vals})
	}
	for _, group := range v.groups() {
		sizes := 1
		for _, a := range group {
			sizes *= len(m.Axes[a].Values)
		}
		first := make(map[int]int)
		for _, k := range good {
			code := 0
			for _, a := range group {
				code = code*len(m.Axes[a].Values) + k.vals[a]
			}
			if _, ok := first[code]; !ok {
				first[code] = k.at
			}
		}
		rep.Total += sizes
		given := make(map[int]int, len(group))
		for code := range sizes {
			rest := code
			for i := len(group) - 1; i >= 0; i-- {
				n := len(m.Axes[group[i]].Values)
				given[group[i]] = rest % n
				rest /= n
			}
			at, covered := first[code]
			switch {
			case covered:
				rep.Feasible++
				rep.Covered++
				rep.Witness[v.tuple(group, given).Key()] = at
			case v.reachable(given, nil):
				rep.Feasible++
				rep.Missing = append(rep.Missing, v.tuple(group, given))
			default:
				t := v.tuple(group, given)
				t.Because = v.culprits(given)
				rep.Infeasible = append(rep.Infeasible, t)
			}
		}
	}
	return rep
}

// recount is a model seen by the verifier: plain maps, read as they are written.
type recount struct {
	m     *Model
	axis  map[string]int
	value []map[string]int
	parts []part
}

// part is a group of axes that constraints tie together, with those constraints.
// What happens in one part matters to another only through the rule of one
// invalid value a row.
type part struct {
	axes        []int
	constraints []int
}

func newRecount(m *Model) *recount {
	v := &recount{m: m, axis: make(map[string]int), value: make([]map[string]int, len(m.Axes))}
	tied := make([]int, len(m.Axes)) // axes with the same number belong together
	matters := make([]bool, len(m.Axes))
	for i, a := range m.Axes {
		v.axis[a.Name] = i
		v.value[i] = make(map[string]int)
		tied[i] = i
		matters[i] = true
		for j, x := range a.Values {
			v.value[i][x.Name] = j
			matters[i] = matters[i] && x.Invalid // an axis without a valid value takes part too
		}
	}
	for i, c := range m.Constraints {
		named := v.named(c)
		if len(named) == 0 { // it forbids every row
			v.parts = append(v.parts, part{constraints: []int{i}})
			continue
		}
		for _, a := range named {
			matters[a] = true
			for b, old := 0, tied[a]; b < len(tied); b++ {
				if tied[b] == old {
					tied[b] = tied[named[0]]
				}
			}
		}
	}
	for n := range tied {
		var p part
		for a := range tied {
			if tied[a] == n && matters[a] {
				p.axes = append(p.axes, a)
			}
		}
		for i, c := range m.Constraints {
			if named := v.named(c); len(named) > 0 && tied[named[0]] == n {
				p.constraints = append(p.constraints, i)
			}
		}
		if len(p.axes) > 0 {
			v.parts = append(v.parts, p)
		}
	}
	return v
}

// named returns the axes that a constraint speaks of, in their order.
func (v *recount) named(c model.Constraint) []int {
	var out []int
	for i, a := range v.m.Axes {
		_, ifs := c.If[a.Name]
		_, thens := c.Then[a.Name]
		if ifs || thens {
			out = append(out, i)
		}
	}
	return out
}

// read turns a row into value numbers; ok is false when it is no valid row.
func (v *recount) read(row map[string]string) (vals []int, ok bool) {
	vals = make([]int, len(v.m.Axes))
	given := make(map[int]int, len(vals))
	for i, a := range v.m.Axes {
		n, ok := v.value[i][row[a.Name]]
		if _, there := row[a.Name]; !there || !ok {
			return nil, false
		}
		vals[i] = n
		given[i] = n
	}
	for _, p := range v.parts {
		if v.broken(p.constraints, given, nil) {
			return nil, false
		}
	}
	return vals, v.invalid(given) <= 1
}

// groups returns the sets of axes to count, each once.
func (v *recount) groups() [][]int {
	t := v.m.Strength
	if t == 0 {
		t = 2
	}
	var out [][]int
	seen := make(map[string]bool)
	var choose func(from, picked []int, n int)
	choose = func(from, picked []int, n int) {
		if n == 0 {
			if key := fmt.Sprint(picked); len(picked) > 0 && !seen[key] {
				seen[key] = true
				out = append(out, slices.Clone(picked))
			}
			return
		}
		for i := 0; i+n <= len(from); i++ {
			choose(from[i+1:], append(picked, from[i]), n-1)
		}
	}
	all := make([]int, len(v.m.Axes))
	for i := range all {
		all[i] = i
	}
	choose(all, nil, min(t, len(all)))
	for _, s := range v.m.Sub {
		var some []int
		for i, a := range v.m.Axes {
			if slices.Contains(s.Axes, a.Name) {
				some = append(some, i)
			}
		}
		choose(some, nil, min(s.Strength, len(some)))
	}
	return out
}

// invalid counts the invalid values given.
func (v *recount) invalid(given map[int]int) int {
	n := 0
	for a, x := range given {
		if v.m.Axes[a].Values[x].Invalid {
			n++
		}
	}
	return n
}

// broken reports whether the values given certainly break one of the
// constraints. Only those in only count, when it is not nil.
func (v *recount) broken(constraints []int, given map[int]int, only []bool) bool {
	return slices.ContainsFunc(constraints, func(i int) bool {
		c := v.m.Constraints[i]
		return (only == nil || only[i]) && v.applies(c, given) && v.contradicts(c, given)
	})
}

func (v *recount) applies(c model.Constraint, given map[int]int) bool {
	for a, want := range c.If {
		i := v.axis[a]
		n, ok := given[i]
		if !ok || v.m.Axes[i].Values[n].Name != want {
			return false
		}
	}
	return true
}

func (v *recount) contradicts(c model.Constraint, given map[int]int) bool {
	for a, allowed := range c.Then {
		i := v.axis[a]
		if n, ok := given[i]; ok && !slices.Contains(allowed, v.m.Axes[i].Values[n].Name) {
			return true
		}
	}
	return len(c.Then) == 0
}

// reachable reports whether some valid row has the values given, by trying.
// Only the constraints in only count, when it is not nil; the number after the
// last one stands for the rule of one invalid value a row.
func (v *recount) reachable(given map[int]int, only []bool) bool {
	free := len(v.m.Axes) // how many more values may be invalid
	if only == nil || only[len(v.m.Constraints)] {
		if free = 1 - v.invalid(given); free < 0 {
			return false
		}
	}
	for _, p := range v.parts {
		spent := 0
		for !v.solvable(p, given, only, spent) {
			if spent++; spent > free {
				return false
			}
		}
		free -= spent
	}
	return true
}

// solvable reports whether the axes of a part can take values beside those
// given, with at most so many invalid ones among them.
func (v *recount) solvable(p part, given map[int]int, only []bool, invalid int) bool {
	trial := make(map[int]int, len(v.m.Axes))
	for a, n := range given {
		trial[a] = n
	}
	order := v.outward(p, given)
	var try func(rest []int, invalid int) bool
	try = func(rest []int, invalid int) bool {
		if invalid < 0 || v.broken(p.constraints, trial, only) {
			return false
		}
		if len(rest) == 0 {
			return true
		}
		a := rest[0]
		for n, x := range v.m.Axes[a].Values {
			trial[a] = n
			left := invalid
			if x.Invalid {
				left--
			}
			if try(rest[1:], left) {
				return true
			}
		}
		delete(trial, a)
		return false
	}
	return try(order, invalid)
}

// outward returns the open axes of a part, those next to the ones given first:
// where it fails, it fails early.
func (v *recount) outward(p part, given map[int]int) []int {
	done := make(map[int]bool)
	for a := range given {
		done[a] = true
	}
	var out []int
	add := func(a int) {
		if !done[a] {
			done[a] = true
			out = append(out, a)
		}
	}
	for {
		before := len(out)
		for _, i := range p.constraints {
			named := v.named(v.m.Constraints[i])
			if slices.ContainsFunc(named, func(a int) bool { return done[a] }) {
				for _, a := range named {
					add(a)
				}
			}
		}
		if len(out) > before {
			continue
		}
		next := slices.IndexFunc(p.axes, func(a int) bool { return !done[a] })
		if next < 0 {
			return out
		}
		add(p.axes[next])
	}
}

// culprits names a constraint that alone excludes the values given, or else
// constraints that do it together and of which none can be spared.
func (v *recount) culprits(given map[int]int) string {
	n := len(v.m.Constraints) + 1
	only := make([]bool, n)
	name := func(i int) string {
		if i < len(v.m.Constraints) {
			return v.m.Constraints[i].Name
		}
		return "at most one invalid value a row"
	}
	for i := range n {
		only[i] = true
		if !v.reachable(given, only) {
			return name(i)
		}
		only[i] = false
	}
	for i := range n {
		only[i] = true
	}
	var names []string
	for i := range n {
		only[i] = false
		if v.reachable(given, only) {
			only[i] = true
			names = append(names, name(i))
		}
	}
	return strings.Join(names, " + ")
}

func (v *recount) tuple(group []int, given map[int]int) Tuple {
	t := Tuple{Pairs: make([]Pair, len(group))}
	for i, a := range group {
		t.Pairs[i] = Pair{v.m.Axes[a].Name, v.m.Axes[a].Values[given[a]].Name}
	}
	return t
}
