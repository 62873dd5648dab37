package coverage

// Defaulted returns m with the contract's number in place of every zero.
func (m Minimums) Defaulted() Minimums {
	for _, f := range []struct {
		field *int
		value int
	}{
		{&m.UseCases, 5},
		{&m.Policies, 5},
		{&m.PolicyTypes, 2},
		{&m.TestCasesPerUseCase, 3},
		{&m.ExamplesPerTestCase, 1},
		{&m.CriteriaPerExample, 3},
		{&m.PoliciesPerExample, 1},
		{&m.MinAxes, 2},
		{&m.MaxAxes, 3},
	} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return m
}
