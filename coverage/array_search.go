package coverage

import "slices"

// search takes rows out of an array that covers everything and repairs what is
// lost by changing single cells: a tabu search with a random walk as way out.
type search struct {
	*tally
	src  *source
	rows [][]int32
	keep int     // the first rows do not change
	tabu [][]int // by cell: the step until which it must not change
}

// shrink returns the smallest array it finds within a number of steps, never
// larger than rows. The first keep rows stay as they are. It stops at bound rows.
func shrink(sp *space, rows [][]int32, keep, bound, work int, src *source) [][]int32 {
	bound = max(bound, keep)
	if len(rows) <= bound || work <= 0 {
		return rows
	}
	s := &search{tally: newTally(sp), src: src, keep: keep, tabu: make([][]int, len(rows))}
	for i, r := range rows {
		s.rows = append(s.rows, slices.Clone(r))
		s.tabu[i] = make([]int, len(r))
		s.add(r)
	}
	if len(s.open) > 0 {
		return rows
	}
	best := rows
	lost := make([]int32, len(sp.axes))
	cost := 0
	for step := 1; cost < work; step++ {
		if len(s.open) == 0 {
			best = make([][]int32, len(s.rows))
			for i, r := range s.rows {
				best[i] = slices.Clone(r)
			}
			if len(best) <= bound {
				break
			}
			s.drop()
			cost += len(s.rows) * len(sp.sets)
			continue
		}
		i := s.open[src.below(len(s.open))]
		set := sp.setOf(i)
		set.values(i, lost)
		cost += s.step(step, set, lost)
	}
	return best
}

// drop removes the row that loses least.
func (s *search) drop() {
	var victim int
	fewest, ties := 1<<30, 0
	for i := s.keep; i < len(s.rows); i++ {
		n := s.unique(s.rows[i])
		if n > fewest {
			continue
		}
		if n < fewest {
			fewest, ties = n, 0
		}
		if ties++; s.src.below(ties) == 0 {
			victim = i
		}
	}
	s.remove(s.rows[victim])
	s.rows = slices.Delete(s.rows, victim, victim+1)
	s.tabu = slices.Delete(s.tabu, victim, victim+1)
}

// step brings the tuple of set with the values of lost back in, by the change
// of one cell that costs least, or else by force. It returns the work done.
func (s *search) step(step int, set *axisSet, lost []int32) int {
	row, axis := -1, int32(-1)
	least, ties := 1<<30, 0
	cost := len(s.rows)
	if s.src.below(1000) > 0 {
	rows:
		for i := s.keep; i < len(s.rows); i++ {
			r := s.rows[i]
			miss := int32(-1)
			for _, a := range set.axes {
				if r[a] != lost[a] {
					if miss >= 0 {
						continue rows
					}
					miss = a
				}
			}
			if s.tabu[i][miss] > step || !s.allowed(r, miss, lost[miss]) {
				continue
			}
			cost += 2 * len(s.sp.links[miss])
			d := s.delta(r, miss, lost[miss], least)
			if d > least {
				continue
			}
			if d < least {
				least, ties = d, 0
			}
			if ties++; s.src.below(ties) == 0 {
				row, axis = i, miss
			}
		}
	}
	if row >= 0 {
		s.change(row, axis, lost[axis])
		s.tabu[row][axis] = step + 4 + s.src.below(8)
		return cost
	}
	return cost + s.force(step, set, lost)
}

func (s *search) allowed(row []int32, a, v int32) bool {
	if s.sp.rules == nil || len(s.sp.rules.byAxis[a]) == 0 {
		return true
	}
	old := row[a]
	row[a] = v
	ok := s.sp.rules.validAt(row, a)
	row[a] = old
	return ok
}

// delta returns how many more tuples are uncovered after a change of one cell;
// it stops early above limit.
func (s *search) delta(row []int32, a, v int32, limit int) int {
	d := 0
	old := row[a]
	links := s.sp.links[a]
	for n := range links {
		l := &links[n]
		i := l.off
		for j, b := range l.axes {
			i += row[b] * l.stride[j]
		}
		if s.count[i+old*l.own] == 1 {
			d++
		}
		if s.count[i+v*l.own] == 0 {
			d--
		}
		if d > limit+len(links)-n {
			break
		}
	}
	return d
}

func (s *search) change(i int, a, v int32) {
	row := s.rows[i]
	old := row[a]
	for n := range s.sp.links[a] {
		l := &s.sp.links[a][n]
		k := l.off
		for j, b := range l.axes {
			k += row[b] * l.stride[j]
		}
		s.dec(k + old*l.own)
		s.inc(k + v*l.own)
	}
	row[a] = v
}

// force writes the tuple into a random row, and changes whatever else the
// constraints then demand.
func (s *search) force(step int, set *axisSet, lost []int32) int {
	if len(s.rows) == s.keep {
		return 1
	}
	i := s.keep + s.src.below(len(s.rows)-s.keep)
	want := slices.Clone(s.rows[i])
	for _, a := range set.axes {
		want[a] = lost[a]
	}
	if s.sp.rules != nil && !s.sp.rules.valid(want) {
		s.repair(want, set)
	}
	cost := 0
	for a, v := range want {
		if v != s.rows[i][a] {
			s.change(i, int32(a), v)
			s.tabu[i][a] = step + 4 + s.src.below(8)
			cost += 2 * len(s.sp.links[a])
		}
	}
	return cost
}

// repair makes the row valid and changes as little as it can, but not the axes
// of set, whose values are feasible together.
func (s *search) repair(row []int32, set *axisSet) {
	old := slices.Clone(row)
	var others []int32
	for a := range int32(len(row)) {
		if !slices.Contains(set.axes, a) && len(s.sp.rules.byAxis[a]) > 0 {
			others = append(others, a)
			row[a] = -1
		}
	}
	s.src.shuffle(others)
	for _, a := range others {
		row[a] = old[a]
		if !s.sp.rules.extends(row, nil) {
			row[a] = -1
		}
	}
	s.sp.rules.complete(row, old)
	for _, a := range others {
		if row[a] < 0 {
			row[a] = old[a]
		}
	}
}

// reduce drops rows that cover nothing alone, the last first; the first keep
// rows stay.
func reduce(sp *space, rows [][]int32, keep int) [][]int32 {
	t := newTally(sp)
	for _, r := range rows {
		t.add(r)
	}
	out := slices.Clone(rows)
	for i := len(out) - 1; i >= keep; i-- {
		if t.unique(out[i]) == 0 {
			t.remove(out[i])
			out = slices.Delete(out, i, i+1)
		}
	}
	return out
}
