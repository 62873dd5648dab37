package coverage

// Minimums are the least a dataset must hold. The zero value is the contract's
// minimums; a field that is zero means the contract's number, a negative one
// that there is no minimum.
type Minimums struct {
	UseCases            int // per dataset; 5
	Policies            int // per dataset; 5
	PolicyTypes         int // distinct types per dataset; 2
	TestCasesPerUseCase int // 3
	ExamplesPerTestCase int // 1
	CriteriaPerExample  int // 3
	PoliciesPerExample  int // 1; also per test case
	MinAxes             int // per test case; 2
	MaxAxes             int // per test case; 3; negative means no most
	// AllowMissingSources and AllowMissingFormats switch off the demand for
	// every source that the document has and every format of the profile.
	AllowMissingSources bool
	AllowMissingFormats bool
	// AllowUnpressed switches off the demand that every testable policy has an
	// example that shows it plain and one that presses it; what lacks is then
	// a gap and no shortfall.
	AllowUnpressed bool
}

// Counts are the numbers the caller asked for: 0 means as many as were found,
// as the covering array needs (at least the minimum), and 1; a positive number
// means exactly that many.
type Counts struct {
	UseCases            int
	TestCasesPerUseCase int
	ExamplesPerTestCase int
}

// Defaulted returns m with the contract's number in place of every zero;
// negative fields stay.
func (m Minimums) Defaulted() Minimums {
	for _, f := range []struct {
		field    *int
		contract int
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
			*f.field = f.contract
		}
	}
	return m
}
