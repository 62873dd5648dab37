package coverage

import (
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/model"
)

// Model is what a covering array is built for: the axes of one use case, what
// may not stand together, and how strong the cover must be.
type Model struct {
	Axes        []model.Axis
	Constraints []model.Constraint
	// Strength t asks for every feasible combination of values of every t axes.
	// If zero, 2. Above the number of axes it means all combinations.
	Strength int
	// Sub asks for a higher strength among some of the axes.
	Sub []SubModel
	// MustInclude are rows that come first, as given, in this order. An axis
	// they leave out is chosen by gain.
	MustInclude []map[string]string
	// Rows is the exact number of rows. If zero, as many as the cover needs,
	// but at least Min.
	Rows int
	// Min is the fewest rows when Rows is zero; an exhausted space may give
	// fewer. Zero or less asks for nothing.
	Min int
	// Seed chooses among arrays of the same quality.
	Seed uint64
}

// SubModel is a group of axes that is covered at a strength of its own.
type SubModel struct {
	Axes     []string
	Strength int
}

// Pair is one axis with one of its values.
type Pair struct {
	Axis  string `json:"axis"`
	Value string `json:"value"`
}

// Tuple is a combination of values of some axes, in the order of the axes.
type Tuple struct {
	Pairs []Pair
	// Because names, for an infeasible tuple, the constraint that kills it.
	Because string
}

// Key returns the tuple in the form of the certificate: "tone=angry&number=absent".
// The characters %, & and = inside names and values are percent-encoded.
func (t Tuple) Key() string {
	parts := make([]string, len(t.Pairs))
	for i, p := range t.Pairs {
		parts[i] = escapeKey.Replace(p.Axis) + "=" + escapeKey.Replace(p.Value)
	}
	return strings.Join(parts, "&")
}

var escapeKey = strings.NewReplacer("%", "%25", "&", "%26", "=", "%3D")

// Array is a covering array. Its rows are ordered so that every prefix covers
// most.
type Array struct {
	// Axes are the names of the axes; the values of a row stand in this order.
	Axes []string
	Rows [][]string
	// Infeasible are the combinations that no valid row can have, each with the
	// constraint to blame.
	Infeasible []Tuple
	// Uncovered are the feasible combinations that are not in Rows, because
	// Rows of the model was too small.
	Uncovered []Tuple
	// Exhausted is set when Rows or Min asked for more rows than there are.
	Exhausted bool
}

// Row returns row i as a map from axis to value.
func (a *Array) Row(i int) map[string]string {
	m := make(map[string]string, len(a.Axes))
	for k, v := range a.Rows[i] {
		m[a.Axes[k]] = v
	}
	return m
}

// ModelError says that a [Model] makes no sense; Field is the path of the
// field to mend.
type ModelError struct {
	Field   string
	Problem string
}

func (e *ModelError) Error() string { return fmt.Sprintf("coverage: %s: %s", e.Field, e.Problem) }

// InfeasibleError says that the constraints leave no row at all.
type InfeasibleError struct {
	// Constraints are the names of constraints that together exclude every row;
	// without any one of them there would be rows.
	Constraints []string
}

func (e *InfeasibleError) Error() string {
	return fmt.Sprintf("coverage: no combination of values satisfies all constraints; relax one of %q", e.Constraints)
}
