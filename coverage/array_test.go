package coverage_test

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// axis returns an axis with these values; one that begins with "!" is invalid.
func axis(name string, values ...string) model.Axis {
	a := model.Axis{Name: name}
	for _, v := range values {
		if v[0] == '!' {
			a.Values = append(a.Values, model.AxisValue{Name: v[1:], Invalid: true})
		} else {
			a.Values = append(a.Values, model.AxisValue{Name: v})
		}
	}
	return a
}

func build(t testing.TB, m *coverage.Model) *coverage.Array {
	t.Helper()
	a, err := coverage.Build(m)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// With two or three axes a use case, the least number of rows is the product of
// the two largest domains, and nothing less will do.
func TestBuildReachesMinimum(t *testing.T) {
	t.Parallel()
	check := func(levels ...int) {
		m := &coverage.Model{Axes: shape(levels...)}
		a := build(t, m)
		proved(t, m, a)
		slices.Sort(levels)
		slices.Reverse(levels)
		if want := levels[0] * levels[1]; len(a.Rows) != want {
			t.Errorf("%v: %d rows, want exactly %d", levels, len(a.Rows), want)
		}
	}
	for x := 2; x <= 6; x++ {
		for y := 2; y <= 6; y++ {
			check(x, y)
			for z := 2; z <= 6; z++ {
				check(x, y, z)
			}
		}
	}
}

func TestBuildEdges(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		m    coverage.Model
		want [][]string
	}{
		{"no axis", coverage.Model{}, [][]string{{}}},
		{"one axis", coverage.Model{Axes: shape(3)}, [][]string{{"v0"}, {"v1"}, {"v2"}}},
		{"one value", coverage.Model{Axes: shape(1, 1, 1)}, [][]string{{"v0", "v0", "v0"}}},
		{"one value among two", coverage.Model{Axes: shape(1, 2)}, [][]string{{"v0", "v0"}, {"v0", "v1"}}},
		{"strength 1", coverage.Model{Axes: shape(2, 2), Strength: 1}, [][]string{{"v0", "v0"}, {"v1", "v1"}}},
		{
			"strength above the number of axes",
			coverage.Model{Axes: shape(2, 2), Strength: 9},
			[][]string{{"v0", "v0"}, {"v0", "v1"}, {"v1", "v0"}, {"v1", "v1"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := build(t, &tt.m)
			proved(t, &tt.m, a)
			got := slices.Clone(a.Rows)
			slices.SortFunc(got, slices.Compare[[]string])
			if len(tt.m.Axes) > 1 && tt.m.Strength == 1 { // which values meet is free
				if len(got) != len(tt.want) {
					t.Errorf("%d rows, want %d", len(got), len(tt.want))
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("rows (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildConstraints(t *testing.T) {
	t.Parallel()
	axes := []model.Axis{
		axis("source", "tickets", "faq", "corner"),
		axis("language", "ru", "en"),
		axis("tone", "neutral", "angry"),
	}
	for _, tt := range []struct {
		name        string
		constraints []model.Constraint
		infeasible  map[string]string
	}{
		{
			"if then",
			[]model.Constraint{{Name: "own language", If: map[string]string{"source": "tickets"}, Then: map[string][]string{"language": {"ru"}}}},
			map[string]string{"source=tickets&language=en": "own language"},
		},
		{
			"exclusion",
			[]model.Constraint{{Name: "calm", If: map[string]string{"source": "faq", "tone": "angry"}}},
			map[string]string{"source=faq&tone=angry": "calm"},
		},
		{
			"always",
			[]model.Constraint{{Name: "no English", Then: map[string][]string{"language": {"ru"}}}},
			map[string]string{
				"source=tickets&language=en": "no English", "source=faq&language=en": "no English", "source=corner&language=en": "no English",
				"language=en&tone=neutral": "no English", "language=en&tone=angry": "no English",
			},
		},
		{"chain", []model.Constraint{
			{Name: "first", If: map[string]string{"source": "tickets"}, Then: map[string][]string{"language": {"ru"}}},
			{Name: "second", If: map[string]string{"language": "ru"}, Then: map[string][]string{"tone": {"angry"}}},
		}, map[string]string{
			"source=tickets&language=en":  "first",
			"source=tickets&tone=neutral": "first + second",
			"language=ru&tone=neutral":    "second",
		}},
		{
			"several axes in then",
			[]model.Constraint{{
				Name: "both", If: map[string]string{"source": "corner"},
				Then: map[string][]string{"language": {"ru"}, "tone": {"angry"}},
			}},
			map[string]string{"source=corner&language=en": "both", "source=corner&tone=neutral": "both"},
		},
		{
			"no constraint at all",
			[]model.Constraint{{Name: "empty", If: map[string]string{"tone": "angry"}, Then: map[string][]string{"tone": {"angry", "neutral"}}}},
			map[string]string{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &coverage.Model{Axes: axes, Constraints: tt.constraints}
			a := build(t, m)
			proved(t, m, a)
			got := make(map[string]string)
			for _, x := range a.Infeasible {
				got[x.Key()] = x.Because
			}
			if diff := cmp.Diff(tt.infeasible, got); diff != "" {
				t.Errorf("infeasible (-want +got):\n%s", diff)
			}
		})
	}
}

func TestBuildNothingFeasible(t *testing.T) {
	t.Parallel()
	_, err := coverage.Build(&coverage.Model{
		Axes: []model.Axis{axis("tone", "neutral", "angry"), axis("form", "question", "statement")},
		Constraints: []model.Constraint{
			{Name: "harmless", If: map[string]string{"tone": "angry"}, Then: map[string][]string{"form": {"statement"}}},
			{Name: "no question", If: map[string]string{"form": "question"}},
			{Name: "no statement", If: map[string]string{"form": "statement"}},
		},
	})
	var infeasible *coverage.InfeasibleError
	if !errors.As(err, &infeasible) {
		t.Fatalf("error %v, want *InfeasibleError", err)
	}
	if diff := cmp.Diff([]string{"no question", "no statement"}, infeasible.Constraints); diff != "" {
		t.Errorf("constraints (-want +got):\n%s", diff)
	}
}

func TestBuildInvalidValues(t *testing.T) {
	t.Parallel()
	m := &coverage.Model{Axes: []model.Axis{
		axis("number", "present", "absent", "!garbled"),
		axis("text", "plain", "!empty", "!binary"),
		axis("tone", "neutral", "angry", "friendly"),
	}}
	a := build(t, m)
	proved(t, m, a)
	seen := make(map[string]bool)
	for i, r := range a.Rows {
		n := 0
		for k, v := range r {
			for _, x := range m.Axes[k].Values {
				if x.Name == v && x.Invalid {
					n++
					seen[v] = true
				}
			}
		}
		if n > 1 {
			t.Errorf("row %d %v has %d invalid values", i, r, n)
		}
	}
	if len(seen) != 3 {
		t.Errorf("invalid values seen: %v, want all three", seen)
	}
	if len(a.Infeasible) != 2 || a.Infeasible[0].Because != "at most one invalid value a row" {
		t.Errorf("infeasible = %v, want the two pairs of invalid values", a.Infeasible)
	}
}

func TestBuildMustInclude(t *testing.T) {
	t.Parallel()
	m := &coverage.Model{Axes: shape(3, 3, 3, 3), MustInclude: []map[string]string{
		{"a0": "v0", "a1": "v0", "a2": "v0", "a3": "v0"},
		{"a1": "v2"},
		{"a1": "v2"}, // another row with the same demand
		{},
	}}
	a := build(t, m)
	proved(t, m, a)
	for i, want := range m.MustInclude {
		got := a.Row(i)
		for k, v := range want {
			if got[k] != v {
				t.Errorf("row %d is %v, want %v in it", i, got, want)
			}
		}
	}
	if cut := build(t, &coverage.Model{Axes: m.Axes, MustInclude: m.MustInclude, Rows: 4}); !cmp.Equal(cut.Rows, a.Rows[:4]) {
		t.Errorf("the must-include rows are not first: %v", cut.Rows)
	}
}

func TestBuildRows(t *testing.T) {
	t.Parallel()
	axes := shape(3, 3, 2)
	whole := build(t, &coverage.Model{Axes: axes})
	t.Run("fewer", func(t *testing.T) {
		t.Parallel()
		for n := 1; n < len(whole.Rows); n++ {
			m := &coverage.Model{Axes: axes, Rows: n}
			a := build(t, m)
			if diff := cmp.Diff(whole.Rows[:n], a.Rows); diff != "" {
				t.Errorf("%d rows are no prefix (-whole +cut):\n%s", n, diff)
			}
			r := coverage.Verify(m, rowsOf(a))
			if len(r.Missing) == 0 {
				t.Errorf("%d rows cover all", n)
			}
			if diff := cmp.Diff(r.Missing, a.Uncovered); diff != "" {
				t.Errorf("%d rows: uncovered (-verifier +array):\n%s", n, diff)
			}
		}
	})
	t.Run("more", func(t *testing.T) {
		t.Parallel()
		for n := len(whole.Rows); n <= 18; n++ {
			m := &coverage.Model{Axes: axes, Rows: n}
			a := build(t, m)
			proved(t, m, a)
			if len(a.Rows) != n || a.Exhausted {
				t.Errorf("%d rows, exhausted %v; want %d", len(a.Rows), a.Exhausted, n)
			}
			if diff := cmp.Diff(whole.Rows, a.Rows[:len(whole.Rows)]); diff != "" {
				t.Errorf("the first rows changed (-whole +more):\n%s", diff)
			}
		}
	})
	t.Run("more than there are", func(t *testing.T) {
		t.Parallel()
		for _, m := range []*coverage.Model{{Axes: axes, Rows: 19}, {Axes: axes, Min: 100}} {
			a := build(t, m)
			proved(t, m, a)
			if len(a.Rows) != 18 || !a.Exhausted {
				t.Errorf("%d rows, exhausted %v; want all 18 and exhausted", len(a.Rows), a.Exhausted)
			}
		}
	})
	t.Run("gain at the next strength", func(t *testing.T) {
		t.Parallel()
		axes := shape(2, 2, 2, 2, 2)
		n := len(build(t, &coverage.Model{Axes: axes}).Rows)
		m := &coverage.Model{Axes: axes, Strength: 3}
		least := len(build(t, m).Rows)
		a := build(t, &coverage.Model{Axes: axes, Rows: least + 4})
		if r := coverage.Verify(m, rowsOf(a)); !r.Complete() {
			t.Errorf("%d rows grown from %d cover %d of %d triples", least+4, n, r.Covered, r.Feasible)
		}
	})
	t.Run("minimum", func(t *testing.T) {
		t.Parallel()
		for _, least := range []int{-1, 1} {
			if a := build(t, &coverage.Model{Axes: shape(2, 1), Min: least}); len(a.Rows) != 2 {
				t.Errorf("%d rows, want the 2 that the cover needs", len(a.Rows))
			}
		}
		if a := build(t, &coverage.Model{Axes: shape(2, 2), Strength: 1, Min: 3}); len(a.Rows) != 3 {
			t.Errorf("%d rows, want 3", len(a.Rows))
		}
	})
}

// A space too large to count at the next strength still gives distinct rows.
func TestBuildRowsOfHugeSpace(t *testing.T) {
	t.Parallel()
	m := &coverage.Model{Axes: shape(power(100, 100)...), Strength: 1, Rows: 300}
	a := build(t, m)
	proved(t, m, a)
	if len(a.Rows) != 300 {
		t.Errorf("%d rows, want 300", len(a.Rows))
	}
}

// Every row adds at most as much as the one before, so a cut loses least.
func TestBuildOrder(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5) {
		m := &coverage.Model{Axes: shape(5, 4, 3, 3, 2, 2), Seed: seed}
		rows := rowsOf(build(t, m))
		last, covered := 1<<30, 0
		for n := 1; n <= len(rows); n++ {
			c := coverage.Verify(m, rows[:n]).Covered
			if c-covered > last {
				t.Errorf("seed %d: row %d adds %d, the one before %d", seed, n-1, c-covered, last)
			}
			last, covered = c-covered, c
		}
	}
}

func TestBuildWeights(t *testing.T) {
	t.Parallel()
	count := func(weight int) (heavy, rows int) {
		axes := shape(6, 6, 3, 3)
		axes[3].Values[2].Weight = weight
		for seed := range uint64(10) {
			m := &coverage.Model{Axes: axes, Seed: seed}
			a := build(t, m)
			proved(t, m, a)
			for _, r := range a.Rows {
				if r[3] == "v2" {
					heavy++
				}
			}
			rows += len(a.Rows)
		}
		return heavy, rows
	}
	light, n := count(1)
	heavy, m := count(50)
	if 2*heavy <= 3*light || n != m {
		t.Errorf("weight 50: value in %d of %d rows; weight 1: in %d of %d; want half as much again of the same number", heavy, m, light, n)
	}
}

func TestBuildSubModels(t *testing.T) {
	t.Parallel()
	m := &coverage.Model{Axes: shape(2, 2, 2, 3, 3), Sub: []coverage.SubModel{{Axes: []string{"a3", "a0", "a1"}, Strength: 3}}}
	a := build(t, m)
	r := proved(t, m, a)
	if want := 4 + 4 + 4 + 6*6 + 9 + 12; r.Total != want {
		t.Errorf("total %d, want %d: all pairs and the triples of the sub-model", r.Total, want)
	}
	if len(a.Rows) != 12 {
		t.Errorf("%d rows, want 12", len(a.Rows))
	}
}

func TestBuildModelErrors(t *testing.T) {
	t.Parallel()
	ok := shape(2, 2)
	for _, tt := range []struct {
		name, field string
		m           coverage.Model
	}{
		{"axis without name", "Axes[0]", coverage.Model{Axes: []model.Axis{{Values: ok[0].Values}}}},
		{"axis without values", "Axes[1]", coverage.Model{Axes: []model.Axis{ok[0], {Name: "x"}}}},
		{"axis twice", "Axes[1]", coverage.Model{Axes: []model.Axis{ok[0], ok[0]}}},
		{"value twice", "Axes[0].Values[1]", coverage.Model{Axes: []model.Axis{axis("x", "a", "a")}}},
		{"negative weight", "Axes[0].Values[0]", coverage.Model{Axes: []model.Axis{{Name: "x", Values: []model.AxisValue{{Name: "a", Weight: -1}}}}}},
		{"constraint without name", "Constraints[0]", coverage.Model{Axes: ok, Constraints: []model.Constraint{{If: map[string]string{"a0": "v0"}}}}},
		{"unknown axis in if", "Constraints[0].If", coverage.Model{Axes: ok, Constraints: []model.Constraint{{Name: "c", If: map[string]string{"b": "v0"}}}}},
		{"unknown value in then", "Constraints[0].Then", coverage.Model{Axes: ok, Constraints: []model.Constraint{{Name: "c", Then: map[string][]string{"a0": {"v7"}}}}}},
		{"unknown value in must", "MustInclude[0]", coverage.Model{Axes: ok, MustInclude: []map[string]string{{"a0": "v7"}}}},
		{"must breaks a constraint", "MustInclude[0]", coverage.Model{
			Axes: ok, MustInclude: []map[string]string{{"a0": "v0"}},
			Constraints: []model.Constraint{{Name: "c", If: map[string]string{"a0": "v0"}}},
		}},
		{"must twice", "MustInclude[1]", coverage.Model{Axes: ok, MustInclude: []map[string]string{{"a0": "v0", "a1": "v0"}, {"a0": "v0", "a1": "v0"}}}},
		{"must with no row left", "MustInclude[2]", coverage.Model{Axes: ok, MustInclude: []map[string]string{{"a0": "v0"}, {"a0": "v0"}, {"a0": "v0"}}}},
		{"fewer rows than must", "Rows", coverage.Model{Axes: ok, Rows: 1, MustInclude: []map[string]string{{"a0": "v0"}, {"a0": "v1"}}}},
		{"negative strength", "Strength", coverage.Model{Axes: ok, Strength: -1}},
		{"negative rows", "Rows", coverage.Model{Axes: ok, Rows: -1}},
		{"sub-model of unknown axis", "Sub[0]", coverage.Model{Axes: ok, Sub: []coverage.SubModel{{Axes: []string{"x"}, Strength: 1}}}},
		{"sub-model without strength", "Sub[0]", coverage.Model{Axes: ok, Sub: []coverage.SubModel{{Axes: []string{"a0"}}}}},
		{"too much to cover", "Strength", coverage.Model{Axes: shape(power(10, 30)...), Strength: 6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := coverage.Build(&tt.m)
			var wrong *coverage.ModelError
			if !errors.As(err, &wrong) || wrong.Field != tt.field {
				t.Errorf("error %v, want a *ModelError of %s", err, tt.field)
			}
		})
	}
}

// drawModel draws a model of up to six axes with constraints, invalid values,
// must-include rows and a sub-model.
func drawModel(t *rapid.T) *coverage.Model {
	m := &coverage.Model{Seed: rapid.Uint64().Draw(t, "seed"), Strength: rapid.IntRange(0, 4).Draw(t, "strength")}
	m.Axes = shape(rapid.SliceOfN(rapid.IntRange(1, 4), 0, 6).Draw(t, "levels")...)
	for i := range m.Axes {
		for j := range m.Axes[i].Values {
			m.Axes[i].Values[j].Invalid = rapid.IntRange(0, 9).Draw(t, "invalid") == 0
			m.Axes[i].Values[j].Weight = rapid.IntRange(0, 2).Draw(t, "weight")
		}
	}
	if len(m.Axes) == 0 {
		return m
	}
	pick := func(n int) map[string]string {
		out := make(map[string]string)
		for range n {
			a := rapid.SampledFrom(m.Axes).Draw(t, "axis")
			out[a.Name] = rapid.SampledFrom(a.Values).Draw(t, "value").Name
		}
		return out
	}
	for n := range rapid.IntRange(0, 5).Draw(t, "constraints") {
		c := model.Constraint{Name: fmt.Sprint("c", n), If: pick(rapid.IntRange(1, 2).Draw(t, "if"))}
		if rapid.Bool().Draw(t, "then") {
			c.Then = make(map[string][]string)
			for k, v := range pick(rapid.IntRange(1, 2).Draw(t, "thens")) {
				c.Then[k] = append(c.Then[k], v)
			}
		}
		m.Constraints = append(m.Constraints, c)
	}
	for range rapid.IntRange(0, 2).Draw(t, "must") {
		m.MustInclude = append(m.MustInclude, pick(rapid.IntRange(0, 3).Draw(t, "pairs")))
	}
	if rapid.Bool().Draw(t, "sub") {
		m.Sub = []coverage.SubModel{{Axes: slices.Sorted(maps.Keys(pick(3))), Strength: rapid.IntRange(1, 4).Draw(t, "substrength")}}
	}
	return m
}

func TestBuildProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawModel(t)
		a, err := coverage.Build(m)
		var infeasible *coverage.InfeasibleError
		var wrong *coverage.ModelError
		switch {
		case errors.As(err, &infeasible):
			if r := coverage.Verify(m, nil); r.Feasible > 0 {
				t.Fatalf("nothing is feasible, says %v; the verifier finds %v", err, r.Missing)
			}
			return
		case errors.As(err, &wrong):
			if len(m.MustInclude) == 0 {
				t.Fatalf("a sound model is refused: %v", err)
			}
			return
		case err != nil:
			t.Fatal(err)
		}
		r := coverage.Verify(m, rowsOf(a))
		if !r.Complete() || len(r.Invalid) > 0 || len(r.Repeated) > 0 || len(a.Uncovered) > 0 {
			t.Fatalf("%d of %d covered; missing %v; invalid %v; repeated %v", r.Covered, r.Feasible, r.Missing, r.Invalid, r.Repeated)
		}
		if diff := cmp.Diff(r.Infeasible, a.Infeasible); diff != "" {
			t.Fatalf("infeasible (-verifier +array):\n%s", diff)
		}
		for i, must := range m.MustInclude {
			for k, v := range must {
				if a.Row(i)[k] != v {
					t.Fatalf("row %d is %v, want %v in it", i, a.Row(i), must)
				}
			}
		}
		again, err := coverage.Build(m)
		if err != nil || !cmp.Equal(a, again) {
			t.Fatalf("a second build differs (-first +second):\n%s", cmp.Diff(a, again))
		}
	})
}

// Not parallel: it changes GOMAXPROCS.
func TestBuildSameAtAnyGOMAXPROCS(t *testing.T) {
	m := &coverage.Model{
		Axes: shape(4, 4, 3, 3, 2, 2, 2), Seed: 7,
		Constraints: []model.Constraint{{Name: "c", If: map[string]string{"a0": "v0", "a1": "v1"}, Then: map[string][]string{"a2": {"v0"}, "a3": {"v0", "v1"}}}},
	}
	want := build(t, m)
	for _, n := range []int{1, 2, 8} {
		old := runtime.GOMAXPROCS(n)
		got := build(t, m)
		runtime.GOMAXPROCS(old)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("GOMAXPROCS %d (-want +got):\n%s", n, diff)
		}
	}
}

func TestBuildSeeds(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for seed := range uint64(4) {
		m := &coverage.Model{Axes: shape(3, 3, 3, 3), Seed: seed}
		a := build(t, m)
		proved(t, m, a)
		seen[fmt.Sprint(a.Rows)] = true
	}
	if len(seen) == 1 {
		t.Error("the seed changes nothing")
	}
}

func TestTupleKey(t *testing.T) {
	t.Parallel()
	x := coverage.Tuple{Pairs: []coverage.Pair{{Axis: "тон", Value: "злой"}, {Axis: "a=b", Value: "50%&c"}}}
	if got, want := x.Key(), "тон=злой&a%3Db=50%25%26c"; got != want {
		t.Errorf("key %q, want %q", got, want)
	}
}

// Constraints that have nothing to do with a tuple must not be tried in all
// their combinations before it is found infeasible.
func TestBuildManyConstraints(t *testing.T) {
	t.Parallel()
	m := &coverage.Model{Axes: shape(power(3, 40)...)}
	name := func(i int) string { return fmt.Sprintf("a%d", i) }
	// Pairs of axes in the middle that constrain each other alone.
	for i := 2; i < 38; i += 2 {
		m.Constraints = append(m.Constraints,
			model.Constraint{Name: fmt.Sprint("x", i), If: map[string]string{name(i): "v0"}, Then: map[string][]string{name(i + 1): {"v0", "v1"}}},
			model.Constraint{Name: fmt.Sprint("y", i), If: map[string]string{name(i): "v1"}, Then: map[string][]string{name(i + 1): {"v1", "v2"}}})
	}
	// The first and the last two: a0=v0 and a1=v0 leave a39 nothing, whatever a38 is.
	for v := range 3 {
		m.Constraints = append(m.Constraints, model.Constraint{
			Name: fmt.Sprint("z", v),
			If:   map[string]string{name(0): "v0", name(1): "v0", name(38): fmt.Sprint("v", v)}, Then: map[string][]string{name(39): {fmt.Sprint("v", v)}},
		}, model.Constraint{
			Name: fmt.Sprint("w", v),
			If:   map[string]string{name(0): "v0", name(1): "v0", name(39): fmt.Sprint("v", v)}, Then: map[string][]string{name(38): {fmt.Sprint("v", (v+1)%3)}},
		})
	}
	a := build(t, m)
	proved(t, m, a)
	found := slices.ContainsFunc(a.Infeasible, func(x coverage.Tuple) bool { return x.Key() == "a0=v0&a1=v0" })
	if !found {
		t.Errorf("a0=v0&a1=v0 is not among the infeasible %v", a.Infeasible)
	}
}
