package coverage_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// shape returns axes with these numbers of values.
func shape(levels ...int) []model.Axis {
	axes := make([]model.Axis, len(levels))
	for i, n := range levels {
		axes[i].Name = fmt.Sprintf("a%d", i)
		for v := range n {
			axes[i].Values = append(axes[i].Values, model.AxisValue{Name: fmt.Sprintf("v%d", v)})
		}
	}
	return axes
}

// power returns levels of the form base^times, pair by pair.
func power(pairs ...int) []int {
	var out []int
	for i := 0; i < len(pairs); i += 2 {
		for range pairs[i+1] {
			out = append(out, pairs[i])
		}
	}
	return out
}

// rowsOf returns the rows of an array in the form that Verify reads.
func rowsOf(a *coverage.Array) []map[string]string {
	out := make([]map[string]string, len(a.Rows))
	for i := range a.Rows {
		out[i] = a.Row(i)
	}
	return out
}

// proved fails the test unless a covers all that is feasible by valid and
// distinct rows, and says the same as the verifier on what is infeasible.
func proved(t testing.TB, m *coverage.Model, a *coverage.Array) coverage.Report {
	t.Helper()
	r := coverage.Verify(m, rowsOf(a))
	if !r.Complete() || len(r.Invalid) > 0 || len(r.Repeated) > 0 {
		t.Fatalf("%d of %d feasible tuples covered; missing %v, invalid rows %v, repeated rows %v",
			r.Covered, r.Feasible, r.Missing, r.Invalid, r.Repeated)
	}
	if diff := cmp.Diff(r.Infeasible, a.Infeasible); diff != "" {
		t.Fatalf("infeasible tuples (-verifier +array):\n%s", diff)
	}
	return r
}

func TestBuildSizes(t *testing.T) {
	t.Parallel()
	tcas := power(10, 2, 4, 1, 3, 2, 2, 7)
	seven := power(2, 2, 3, 3, 4, 2)
	for _, tt := range []struct {
		name     string
		levels   []int
		strength int
		most     int // PICT's best of 20 seeds and a plain AETG need at least as many
	}{
		// Least known: 9, 15, 29, 21, 10 and 180 (AETG).
		{"3^4", power(3, 4), 2, 9},
		{"3^13", power(3, 13), 2, 15},
		{"4^15 3^17 2^29", power(4, 15, 3, 17, 2, 29), 2, 30},
		{"4^1 3^39 2^35", power(4, 1, 3, 39, 2, 35), 2, 21},
		{"2^100", power(2, 100), 2, 10},
		{"10^20", power(10, 20), 2, 188},
		// Sizes of real test plans.
		{"2^2 3^3 4^2", seven, 2, 16}, // no array is smaller
		{"2^2 3^3 4^2", seven, 3, 48}, // no array is smaller
		{"2^2 3^3 4^2", seven, 4, 144},
		{"2^10", power(2, 10), 2, 6},
		{"2^10", power(2, 10), 3, 12},
		{"2^10", power(2, 10), 4, 24},
		{"4^6", power(4, 6), 2, 19},
		{"4^6", power(4, 6), 3, 64}, // no array is smaller
		{"4^6", power(4, 6), 4, 380},
		{"5^10", power(5, 10), 2, 40},
		{"5^10", power(5, 10), 3, 270},
		{"3^13", power(3, 13), 3, 66},
		{"TCAS", tcas, 2, 100}, // no array is smaller
		{"TCAS", tcas, 3, 400}, // no array is smaller
		{"TCAS", tcas, 4, 1400},
	} {
		t.Run(fmt.Sprintf("%s t=%d", tt.name, tt.strength), func(t *testing.T) {
			t.Parallel()
			m := &coverage.Model{Axes: shape(tt.levels...), Strength: tt.strength}
			a, err := coverage.Build(m)
			if err != nil {
				t.Fatal(err)
			}
			proved(t, m, a)
			if len(a.Rows) > tt.most {
				t.Errorf("%d rows, want at most %d", len(a.Rows), tt.most)
			}
		})
	}
}

// BenchmarkBuild builds pairwise arrays; limit is in seconds, 0 for none.
func BenchmarkBuild(b *testing.B) {
	for _, bb := range []struct {
		name   string
		levels []int
		limit  float64
	}{
		{"three axes", []int{4, 3, 3}, 0},
		{"seven axes", power(2, 2, 3, 3, 4, 2), 0},
		{"10^20", power(10, 20), 1},
	} {
		b.Run(bb.name, func(b *testing.B) {
			m := &coverage.Model{Axes: shape(bb.levels...)}
			rows := 0
			for b.Loop() {
				a, err := coverage.Build(m)
				if err != nil {
					b.Fatal(err)
				}
				rows = len(a.Rows)
			}
			b.ReportMetric(float64(rows), "rows")
			if took := b.Elapsed().Seconds() / float64(b.N); bb.limit > 0 {
				b.ReportMetric(took/bb.limit, "of-limit")
				if took > bb.limit {
					b.Errorf("%.2f s, the limit is %.0f s", took, bb.limit)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	m := &coverage.Model{Axes: shape(power(10, 20)...)}
	a, err := coverage.Build(m)
	if err != nil {
		b.Fatal(err)
	}
	rows := rowsOf(a)
	for b.Loop() {
		if r := coverage.Verify(m, rows); !r.Complete() {
			b.Fatal("incomplete")
		}
	}
}
