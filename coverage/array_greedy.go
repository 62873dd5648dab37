package coverage

// tally counts, for every tuple, the rows that have it, and keeps the list of
// those that no row has.
type tally struct {
	sp    *space
	count []int32
	open  []int32 // uncovered feasible tuples
	at    []int32 // position in open
	need  [][]int32
}

func newTally(sp *space) *tally {
	t := &tally{sp: sp, count: make([]int32, sp.total), at: make([]int32, sp.total), need: make([][]int32, len(sp.axes))}
	for a := range t.need {
		t.need[a] = make([]int32, sp.levels[a])
	}
	row := make([]int32, len(sp.axes))
	for n := range sp.sets {
		s := &sp.sets[n]
		for i := s.off; i < s.off+s.size; i++ {
			if sp.feasible != nil && !sp.feasible[i] {
				t.count[i] = 1 << 30 // a row that is half changed may pass through it
				continue
			}
			t.at[i] = int32(len(t.open))
			t.open = append(t.open, i)
			s.values(i, row)
			for _, a := range s.axes {
				t.need[a][row[a]]++
			}
		}
	}
	return t
}

// inc and dec change the count of one tuple.
func (t *tally) inc(i int32) {
	if t.count[i]++; t.count[i] == 1 {
		p, last := t.at[i], t.open[len(t.open)-1]
		t.open[p], t.at[last] = last, p
		t.open = t.open[:len(t.open)-1]
	}
}

func (t *tally) dec(i int32) {
	if t.count[i]--; t.count[i] == 0 {
		t.at[i] = int32(len(t.open))
		t.open = append(t.open, i)
	}
}

// add counts a row; need is kept up as long as rows are only added.
func (t *tally) add(row []int32) {
	for n := range t.sp.sets {
		s := &t.sp.sets[n]
		i := s.index(row)
		if t.count[i] == 0 {
			for _, a := range s.axes {
				t.need[a][row[a]]--
			}
		}
		t.inc(i)
	}
}

func (t *tally) remove(row []int32) {
	for n := range t.sp.sets {
		t.dec(t.sp.sets[n].index(row))
	}
}

// unique returns how many tuples only this row has.
func (t *tally) unique(row []int32) int {
	n := 0
	for k := range t.sp.sets {
		if t.count[t.sp.sets[k].index(row)] == 1 {
			n++
		}
	}
	return n
}

// gain returns how many new tuples the row would cover.
func (t *tally) gain(row []int32) int {
	n := 0
	for k := range t.sp.sets {
		if t.count[t.sp.sets[k].index(row)] == 0 {
			n++
		}
	}
	return n
}

// greedy makes rows one at a time, each the best of some candidates.
type greedy struct {
	*tally
	src        *source
	candidates int
	gains      []int32
	order      []int32
	scratch    []int32
}

func newGreedy(t *tally, src *source, candidates int) *greedy {
	most := int32(1)
	for _, n := range t.sp.levels {
		most = max(most, n)
	}
	return &greedy{
		tally: t, src: src, candidates: candidates,
		gains: make([]int32, most), order: make([]int32, 0, len(t.sp.axes)), scratch: make([]int32, len(t.sp.axes)),
	}
}

// row returns a valid row that agrees with partial (nil: no demand) and covers
// much; it is not counted yet.
func (g *greedy) row(partial []int32) []int32 {
	k := len(g.sp.axes)
	best, bestGain := make([]int32, k), -1
	cand := make([]int32, k)
	for n := range g.candidates {
		if partial != nil {
			copy(cand, partial)
		} else {
			for a := range cand {
				cand[a] = -1
			}
			if n%2 == 0 {
				g.seedValue(cand)
			} else if len(g.open) > 0 {
				i := g.open[g.src.below(len(g.open))]
				g.sp.setOf(i).values(i, cand)
			}
		}
		g.fill(cand)
		if gain := g.gain(cand); gain > bestGain {
			best, cand, bestGain = cand, best, gain
		}
	}
	return best
}

// seedValue sets the value that stands in most uncovered tuples.
func (g *greedy) seedValue(row []int32) {
	var axis, value int
	most, ties := int32(0), 0
	for a, values := range g.need {
		for v, n := range values {
			switch {
			case n < most || n == 0:
				continue
			case n > most:
				most, ties = n, 0
			}
			if ties++; g.src.below(ties) == 0 {
				axis, value = a, v
			}
		}
	}
	if most == 0 {
		return
	}
	row[axis] = int32(value)
	if g.sp.rules != nil && !g.sp.rules.extends(row, nil) {
		row[axis] = -1
	}
}

// fill chooses the open axes of row in random order, each by gain, then by
// weight.
func (g *greedy) fill(row []int32) {
	g.order = g.order[:0]
	for a, v := range row {
		if v < 0 {
			g.order = append(g.order, int32(a))
		}
	}
	g.src.shuffle(g.order)
	for _, a := range g.order {
		gains := g.gains[:g.sp.levels[a]]
		clear(gains)
	links:
		for n := range g.sp.links[a] {
			l := &g.sp.links[a][n]
			i := l.off
			for j, b := range l.axes {
				if row[b] < 0 {
					continue links
				}
				i += row[b] * l.stride[j]
			}
			for v := range gains {
				if g.count[i] == 0 {
					gains[v]++
				}
				i += l.own
			}
		}
		for {
			v := g.pick(a, gains)
			row[a] = v
			// The last value is right if no other was: row is always extensible.
			if g.sp.rules == nil || len(g.sp.rules.byAxis[a]) == 0 || g.extends(row) {
				break
			}
			gains[v] = -1
		}
	}
}

func (g *greedy) extends(row []int32) bool {
	copy(g.scratch, row)
	return g.sp.rules.solve(g.scratch, nil, nil)
}

// pick returns a value of the greatest gain; among equals by weight.
func (g *greedy) pick(a int32, gains []int32) int32 {
	var value int32
	most, ties := int32(-1), 0
	for v, n := range gains {
		if n < most || n < 0 {
			continue
		}
		if n > most {
			most, ties = n, 0
		}
		w := weight(g.sp, a, v)
		if ties += w; g.src.below(ties) < w {
			value = int32(v)
		}
	}
	return value
}

// weight of a value among others of equal gain; none means 1.
func weight(sp *space, a int32, v int) int { return max(1, sp.axes[a].Values[v].Weight) }

// cover adds rows until everything feasible is covered or there are limit rows.
func (g *greedy) cover(rows [][]int32, limit int) [][]int32 {
	for len(g.open) > 0 && len(rows) < limit {
		r := g.row(nil)
		g.add(r)
		rows = append(rows, r)
	}
	return rows
}
