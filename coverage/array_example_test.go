package coverage_test

import (
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

func ExampleBuild() {
	a, err := coverage.Build(&coverage.Model{
		Axes: []model.Axis{
			{Name: "tone", Values: []model.AxisValue{{Name: "neutral"}, {Name: "angry"}}},
			{Name: "number", Values: []model.AxisValue{{Name: "present"}, {Name: "absent"}}},
			{Name: "source", Values: []model.AxisValue{{Name: "faq"}, {Name: "corner"}}},
		},
		Constraints: []model.Constraint{
			{Name: "a question of the FAQ is calm", If: map[string]string{"source": "faq"}, Then: map[string][]string{"tone": {"neutral"}}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range a.Rows {
		fmt.Println(strings.Join(row, " "))
	}
	for _, t := range a.Infeasible {
		fmt.Printf("never %s: %s\n", t.Key(), t.Because)
	}
	// Output:
	// neutral present faq
	// angry absent corner
	// angry present corner
	// neutral absent corner
	// neutral absent faq
	// never tone=angry&source=faq: a question of the FAQ is calm
}

func ExampleVerify() {
	m := &coverage.Model{Axes: []model.Axis{
		{Name: "tone", Values: []model.AxisValue{{Name: "neutral"}, {Name: "angry"}}},
		{Name: "length", Values: []model.AxisValue{{Name: "short"}, {Name: "long"}}},
	}}
	r := coverage.Verify(m, []map[string]string{
		{"tone": "neutral", "length": "short"},
		{"tone": "angry", "length": "short"},
		{"tone": "neutral", "length": "long"},
	})
	fmt.Printf("%d of %d\n", r.Covered, r.Feasible)
	for _, t := range r.Missing {
		fmt.Println("missing", t.Key())
	}
	// Output:
	// 3 of 4
	// missing tone=angry&length=long
}
