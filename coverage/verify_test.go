package coverage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// The verifier is judged by counts made by hand.
func TestVerify(t *testing.T) {
	t.Parallel()
	m := &coverage.Model{
		Axes: []model.Axis{axis("tone", "neutral", "angry"), axis("number", "present", "absent"), axis("text", "full", "!empty")},
		Constraints: []model.Constraint{
			{Name: "an empty text has no number", If: map[string]string{"text": "empty"}, Then: map[string][]string{"number": {"absent"}}},
		},
	}
	row := func(tone, number, text string) map[string]string {
		return map[string]string{"tone": tone, "number": number, "text": text, "style": "not an axis"}
	}
	got := coverage.Verify(m, []map[string]string{
		row("neutral", "present", "full"),
		row("angry", "present", "empty"), // breaks the constraint
		row("angry", "absent", "empty"),
		row("neutral", "present", "full"), // repeated
		{"tone": "angry", "number": "absent"},
		row("furious", "absent", "full"),
	})
	tuple := func(a, v, b, w string) coverage.Tuple {
		return coverage.Tuple{Pairs: []coverage.Pair{{Axis: a, Value: v}, {Axis: b, Value: w}}}
	}
	dead := tuple("number", "present", "text", "empty")
	dead.Because = "an empty text has no number"
	want := coverage.Report{
		Total: 12, Feasible: 11, Covered: 6,
		Missing: []coverage.Tuple{
			tuple("tone", "neutral", "number", "absent"), tuple("tone", "angry", "number", "present"),
			tuple("tone", "neutral", "text", "empty"), tuple("tone", "angry", "text", "full"),
			tuple("number", "absent", "text", "full"),
		},
		Infeasible: []coverage.Tuple{dead},
		Witness: map[string]int{
			"tone=neutral&number=present": 0, "tone=neutral&text=full": 0, "number=present&text=full": 0,
			"tone=angry&number=absent": 2, "tone=angry&text=empty": 2, "number=absent&text=empty": 2,
		},
		Invalid:  []int{1, 4, 5},
		Repeated: []int{3},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	if got.Complete() {
		t.Error("an incomplete array passes as complete")
	}
}

// Taking any row out of a minimal array must be noticed.
func TestVerifyNoticesLoss(t *testing.T) {
	t.Parallel()
	m := &coverage.Model{Axes: shape(3, 3, 3, 3)}
	rows := rowsOf(build(t, m))
	for i := range rows {
		rest := append(append([]map[string]string(nil), rows[:i]...), rows[i+1:]...)
		if r := coverage.Verify(m, rest); len(r.Missing) != 6 {
			t.Errorf("without row %d %d tuples are missing, want 6", i, len(r.Missing))
		}
	}
}

func TestVerifyNothing(t *testing.T) {
	t.Parallel()
	if r := coverage.Verify(&coverage.Model{}, nil); r.Total != 0 || !r.Complete() {
		t.Errorf("report of nothing: %+v", r)
	}
	r := coverage.Verify(&coverage.Model{Axes: shape(2, 3)}, nil)
	if r.Total != 6 || r.Feasible != 6 || r.Covered != 0 || len(r.Missing) != 6 {
		t.Errorf("report of no rows: %+v", r)
	}
}
