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
	m      *Model
	axis   map[string]int
	value  []map[string]int
	branch []int // axes whose choice can matter to a constraint
}

func newRecount(m *Model) *recount {
	v := &recount{m: m, axis: make(map[string]int), value: make([]map[string]int, len(m.Axes))}
	named := make(map[string]bool)
	for _, c := range m.Constraints {
		for a := range c.If {
			named[a] = true
		}
		for a := range c.Then {
			named[a] = true
		}
	}
	for i, a := range m.Axes {
		v.axis[a.Name] = i
		v.value[i] = make(map[string]int)
		sound := false
		for j, x := range a.Values {
			v.value[i][x.Name] = j
			sound = sound || !x.Invalid
		}
		if named[a.Name] || !sound {
			v.branch = append(v.branch, i)
		}
	}
	return v
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
	return vals, v.consistent(given, nil)
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

// consistent reports whether no constraint is certainly broken by the values
// given. Only the constraints in only count, when it is not nil; the number
// after the last one stands for the rule of one invalid value.
func (v *recount) consistent(given map[int]int, only []bool) bool {
	invalid := 0
	for a, n := range given {
		if v.m.Axes[a].Values[n].Invalid {
			invalid++
		}
	}
	if invalid > 1 && (only == nil || only[len(v.m.Constraints)]) {
		return false
	}
	for i, c := range v.m.Constraints {
		if only != nil && !only[i] {
			continue
		}
		if v.applies(c, given) && v.contradicts(c, given) {
			return false
		}
	}
	return true
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
func (v *recount) reachable(given map[int]int, only []bool) bool {
	trial := make(map[int]int, len(v.m.Axes))
	for a, n := range given {
		trial[a] = n
	}
	var try func(rest []int) bool
	try = func(rest []int) bool {
		if !v.consistent(trial, only) {
			return false
		}
		if len(rest) == 0 {
			return true
		}
		a := rest[0]
		if _, ok := trial[a]; ok {
			return try(rest[1:])
		}
		for n := range v.m.Axes[a].Values {
			trial[a] = n
			if try(rest[1:]) {
				return true
			}
		}
		delete(trial, a)
		return false
	}
	return try(v.branch)
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
