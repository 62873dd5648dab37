package coverage_test

import (
	"fmt"
	"testing"
	"time"

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
	tcas := power(10, 2, 4, 1, 3, 2, 2, 7)
	seven := power(2, 2, 3, 3, 4, 2)
	for _, tt := range []struct {
		name     string
		levels   []int
		strength int
		most     int
	}{
		{"3^4", power(3, 4), 2, 9},
		{"3^13", power(3, 13), 2, 17},
		{"4^15 3^17 2^29", power(4, 15, 3, 17, 2, 29), 2, 35},
		{"4^1 3^39 2^35", power(4, 1, 3, 39, 2, 35), 2, 26},
		{"2^100", power(2, 100), 2, 14},
		{"10^20", power(10, 20), 2, 200},
		{"2^2 3^3 4^2", seven, 2, 16},
		{"2^2 3^3 4^2", seven, 3, 60},
		{"2^2 3^3 4^2", seven, 4, 182},
		{"2^10", power(2, 10), 2, 8},
		{"2^10", power(2, 10), 3, 16},
		{"2^10", power(2, 10), 4, 26},
		{"4^6", power(4, 6), 2, 21},
		{"4^6", power(4, 6), 3, 96},
		{"4^6", power(4, 6), 4, 435},
		{"5^10", power(5, 10), 2, 45},
		{"5^10", power(5, 10), 3, 303},
		{"3^13", power(3, 13), 3, 74},
		{"TCAS", tcas, 2, 100},
		{"TCAS", tcas, 3, 401},
		{"TCAS", tcas, 4, 1450},
	} {
		t.Run(fmt.Sprintf("%s t=%d", tt.name, tt.strength), func(t *testing.T) {
			start := time.Now()
			m := &coverage.Model{Axes: shape(tt.levels...), Strength: tt.strength}
			a, err := coverage.Build(m)
			if err != nil {
				t.Fatal(err)
			}
			t.Log(len(a.Rows), tt.most, time.Since(start))
			proved(t, m, a)
			t.Log(time.Since(start))
			if len(a.Rows) > tt.most {
				t.Errorf("%d rows, want at most %d", len(a.Rows), tt.most)
			}
		})
	}
}
