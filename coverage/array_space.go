package coverage

import (
	"fmt"
	"maps"
	"math/bits"
	"math/rand/v2"
	"slices"

	"github.com/casebook-go/casebook/model"
)

// maxTuples bounds the memory of a build: four counters of 4 bytes a tuple.
const maxTuples = 20_000_000

// space is a compiled model: axes and values are numbers, and every tuple to
// cover has an index.
type space struct {
	axes   []model.Axis
	levels []int32
	sets   []axisSet
	links  [][]link // by axis: the sets that hold it
	total  int      // tuples of all sets
	rules  *rules
	// feasible marks tuples that some valid row has; nil means all.
	feasible []bool
	weighted bool
}

// axisSet is one group of axes whose combinations are to be covered. The index
// of a tuple is off plus the sum of value times stride.
type axisSet struct {
	axes, stride []int32
	off, size    int32
}

// link is a set seen from one of its axes.
type link struct {
	off, own     int32
	axes, stride []int32 // of the other axes
}

func (s *axisSet) index(row []int32) int32 {
	i := s.off
	for k, a := range s.axes {
		i += row[a] * s.stride[k]
	}
	return i
}

// values writes the tuple at index i into row.
func (s *axisSet) values(i int32, row []int32) {
	i -= s.off
	for k, a := range s.axes {
		row[a] = i / s.stride[k]
		i %= s.stride[k]
	}
}

// setOf returns the set that holds tuple i.
func (sp *space) setOf(i int32) *axisSet {
	n, ok := slices.BinarySearchFunc(sp.sets, i, func(s axisSet, i int32) int { return int(s.off) - int(i) })
	if !ok {
		n--
	}
	return &sp.sets[n]
}

func (sp *space) tuple(i int32) Tuple {
	s := sp.setOf(i)
	row := make([]int32, len(sp.axes))
	s.values(i, row)
	t := Tuple{Pairs: make([]Pair, len(s.axes))}
	for k, a := range s.axes {
		t.Pairs[k] = Pair{sp.axes[a].Name, sp.axes[a].Values[row[a]].Name}
	}
	return t
}

// checkModel finds what makes no sense in m.
func checkModel(m *Model) error {
	axes := make(map[string]map[string]bool, len(m.Axes))
	for i, a := range m.Axes {
		field := fmt.Sprintf("Axes[%d]", i)
		switch {
		case a.Name == "":
			return &ModelError{field, "the axis has no name"}
		case axes[a.Name] != nil:
			return &ModelError{field, fmt.Sprintf("axis %q is there twice", a.Name)}
		case len(a.Values) == 0:
			return &ModelError{field, fmt.Sprintf("axis %q has no values; give it one or leave it out", a.Name)}
		}
		values := make(map[string]bool, len(a.Values))
		for j, v := range a.Values {
			if values[v.Name] {
				return &ModelError{fmt.Sprintf("%s.Values[%d]", field, j), fmt.Sprintf("axis %q has value %q twice", a.Name, v.Name)}
			}
			if v.Weight < 0 {
				return &ModelError{fmt.Sprintf("%s.Values[%d]", field, j), "the weight is negative"}
			}
			values[v.Name] = true
		}
		axes[a.Name] = values
	}
	known := func(field, axis string, values ...string) error {
		if axes[axis] == nil {
			return &ModelError{field, fmt.Sprintf("there is no axis %q", axis)}
		}
		for _, v := range values {
			if !axes[axis][v] {
				return &ModelError{field, fmt.Sprintf("axis %q has no value %q", axis, v)}
			}
		}
		return nil
	}
	for i, c := range m.Constraints {
		if c.Name == "" {
			return &ModelError{fmt.Sprintf("Constraints[%d]", i), "the constraint has no name to blame"}
		}
		for _, a := range slices.Sorted(maps.Keys(c.If)) {
			if err := known(fmt.Sprintf("Constraints[%d].If", i), a, c.If[a]); err != nil {
				return err
			}
		}
		for _, a := range slices.Sorted(maps.Keys(c.Then)) {
			if err := known(fmt.Sprintf("Constraints[%d].Then", i), a, c.Then[a]...); err != nil {
				return err
			}
		}
	}
	for i, r := range m.MustInclude {
		for _, a := range slices.Sorted(maps.Keys(r)) {
			if err := known(fmt.Sprintf("MustInclude[%d]", i), a, r[a]); err != nil {
				return err
			}
		}
	}
	for i, s := range m.Sub {
		field := fmt.Sprintf("Sub[%d]", i)
		if s.Strength < 1 {
			return &ModelError{field, "the strength must be at least 1"}
		}
		for j, a := range s.Axes {
			if err := known(field, a); err != nil {
				return err
			}
			if slices.Contains(s.Axes[:j], a) {
				return &ModelError{field, fmt.Sprintf("axis %q is there twice", a)}
			}
		}
	}
	switch {
	case m.Strength < 0:
		return &ModelError{"Strength", "it is negative; 0 means 2"}
	case m.Rows < 0:
		return &ModelError{"Rows", "it is negative; 0 means as many as needed"}
	case m.Rows > 0 && m.Rows < len(m.MustInclude):
		return &ModelError{"Rows", fmt.Sprintf("%d rows cannot hold the %d of MustInclude", m.Rows, len(m.MustInclude))}
	}
	return nil
}

// compile numbers the tuples of strength t and of the sub-models.
func compile(m *Model, t int, rl *rules) (*space, error) {
	sp := &space{axes: m.Axes, rules: rl, levels: make([]int32, len(m.Axes)), links: make([][]link, len(m.Axes))}
	number := make(map[string]int32, len(m.Axes))
	all := make([]int32, len(m.Axes))
	for i, a := range m.Axes {
		sp.levels[i] = int32(len(a.Values))
		number[a.Name] = int32(i)
		all[i] = int32(i)
		for _, v := range a.Values {
			sp.weighted = sp.weighted || v.Weight > 0
		}
	}
	seen := make(map[string]bool)
	add := func(axes []int32, t int) error {
		return subsets(axes, min(t, len(axes)), func(set []int32) error {
			if key := fmt.Sprint(set); seen[key] {
				return nil
			} else if len(m.Sub) > 0 {
				seen[key] = true
			}
			return sp.addSet(slices.Clone(set))
		})
	}
	if err := add(all, t); err != nil {
		return nil, err
	}
	for _, sub := range m.Sub {
		axes := make([]int32, len(sub.Axes))
		for i, a := range sub.Axes {
			axes[i] = number[a]
		}
		slices.Sort(axes)
		if err := add(axes, sub.Strength); err != nil {
			return nil, err
		}
	}
	return sp, nil
}

func (sp *space) addSet(axes []int32) error {
	if len(axes) == 0 {
		return nil
	}
	s := axisSet{axes: axes, stride: make([]int32, len(axes)), off: int32(sp.total)}
	size := 1
	for i := len(axes) - 1; i >= 0; i-- {
		s.stride[i] = int32(size)
		size *= int(sp.levels[axes[i]])
		if sp.total+size > maxTuples {
			return &ModelError{"Strength", fmt.Sprintf("more than %d combinations to cover; lower the strength or take fewer axes", maxTuples)}
		}
	}
	s.size = int32(size)
	sp.total += size
	sp.sets = append(sp.sets, s)
	for i, a := range axes {
		l := link{off: s.off, own: s.stride[i]}
		for j, b := range axes {
			if i != j {
				l.axes, l.stride = append(l.axes, b), append(l.stride, s.stride[j])
			}
		}
		sp.links[a] = append(sp.links[a], l)
	}
	return nil
}

// subsets calls f with every subset of n of the sorted axes, in order; f must
// not keep it.
func subsets(axes []int32, n int, f func([]int32) error) error {
	pick := make([]int32, n)
	var walk func(from, depth int) error
	walk = func(from, depth int) error {
		if depth == n {
			return f(pick)
		}
		for i := from; i <= len(axes)-(n-depth); i++ {
			pick[depth] = axes[i]
			if err := walk(i+1, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	return walk(0, 0)
}

// markFeasible decides every tuple by search.
func (sp *space) markFeasible() {
	if sp.rules == nil {
		return
	}
	sp.feasible = make([]bool, sp.total)
	row := make([]int32, len(sp.axes))
	for i := range row {
		row[i] = -1
	}
	for n := range sp.sets {
		s := &sp.sets[n]
		touched := slices.ContainsFunc(s.axes, func(a int32) bool { return len(sp.rules.byAxis[a]) > 0 })
		for i := s.off; i < s.off+s.size; i++ {
			if touched {
				s.values(i, row)
			}
			sp.feasible[i] = !touched || sp.rules.extends(row, nil)
		}
		for _, a := range s.axes {
			row[a] = -1
		}
	}
}

// bound returns a number of rows that no array goes below: a row has one tuple
// of each set.
func (sp *space) bound() int {
	most := 1
	for _, s := range sp.sets {
		n := int(s.size)
		if sp.feasible != nil {
			n = 0
			for i := s.off; i < s.off+s.size; i++ {
				if sp.feasible[i] {
					n++
				}
			}
		}
		most = max(most, n)
	}
	return most
}

// source is a stream of random numbers that is the same on every platform,
// which rand.Rand.IntN does not promise.
type source struct{ pcg rand.PCG }

func newSource(seed, stream uint64) *source {
	return &source{*rand.NewPCG(seed, stream)}
}

func (s *source) below(n int) int {
	hi, _ := bits.Mul64(s.pcg.Uint64(), uint64(n))
	return int(hi)
}

func (s *source) shuffle(x []int32) {
	for i := len(x) - 1; i > 0; i-- {
		j := s.below(i + 1)
		x[i], x[j] = x[j], x[i]
	}
}
