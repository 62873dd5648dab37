package coverage

import "github.com/casebook-go/casebook/model"

// Verdict says why a gap stays.
type Verdict string

// The verdicts.
const (
	VerdictUntestable    Verdict = "untestable"    // no answer can show it
	VerdictInfeasible    Verdict = "infeasible"    // it cannot exist: a constraint, or a source the document lacks
	VerdictContradiction Verdict = "contradiction" // the document says both
	VerdictLimit         Verdict = "limit"         // a count, the budget or the deadline; see Limit
	VerdictRefused       Verdict = "refused"       // nothing made for it passed the checks
)

// Limit is the kind of limit that left a gap.
type Limit string

// The limits. A gap from a count that the caller set is no failure.
const (
	LimitCount    Limit = "count"
	LimitBudget   Limit = "budget"
	LimitDeadline Limit = "deadline"
)

// Target is the kind of thing a [Gap] is about.
type Target string

// The kinds of target. Gap.Target of a tuple is [Tuple.Key]; of a policy its id
// and role ("pol_x/pressed"), or its id alone; of a row, a format and a source
// its name.
const (
	TargetTuple  Target = "tuple"
	TargetPolicy Target = "policy"
	TargetRow    Target = "row"
	TargetFormat Target = "format"
	TargetSource Target = "source"
)

// Gap is something that should be covered and is not, with the one reason why.
type Gap struct {
	Kind      Target  `json:"kind"`
	Target    string  `json:"target"`
	UseCaseID string  `json:"use_case_id,omitempty"`
	Verdict   Verdict `json:"verdict"`
	Limit     Limit   `json:"limit,omitempty"` // set with VerdictLimit
	Because   string  `json:"because"`
}

// Failure reports whether the gap makes a [ShortfallError]: a refusal does, and
// a limit from budget or deadline; what cannot be, and what the caller's own
// count leaves out, does not.
func (g *Gap) Failure() bool {
	return g.Verdict == VerdictRefused || g.Verdict == VerdictLimit && g.Limit != LimitCount
}

// Shortfall is one missed minimum or one failed target.
type Shortfall struct {
	What  string `json:"what"`            // "test cases", "pressed example", ...
	Where string `json:"where,omitempty"` // id of the use case, test case, policy ...; empty means the dataset
	Have  int    `json:"have"`
	Want  int    `json:"want"`
	Why   string `json:"why"`
}

// Contradiction is a pair (or more) of policies that the document states and
// that cannot both be followed.
type Contradiction struct {
	PolicyIDs []string
	Because   string
}

// EnforceInput is what [Enforce] judges. Nothing in it is changed.
type EnforceInput struct {
	Dataset  *model.Dataset
	Profile  *model.Profile // nil = no demand for formats and sources
	Plan     []model.UseCasePlan
	Minimums Minimums
	Counts   Counts
	// Sources are those the documents have material for; a source of the
	// profile that is not among them is infeasible. Nil means all of the profile.
	Sources []model.Source
	// Refused says, by row of the plan, what was refused and why; the last
	// entry of a row counts.
	Refused []model.Refusal
	// Contradictions are the policies that the document contradicts itself on.
	Contradictions []Contradiction
	// Stop is set when the run ended before its plan was done, StopReason says
	// it in words ("the budget of 500 calls is spent").
	Stop       Limit
	StopReason string
}

// Enforce compares a dataset with its plan and with the minimums. It returns
// every gap with its verdict, and a non-nil error when a minimum is missed or a
// gap is a failure. It is a pure function.
func Enforce(in *EnforceInput) ([]Gap, *ShortfallError) { return nil, nil }

// ShortfallError lists what a dataset lacks.
type ShortfallError struct {
	Shortfalls []Shortfall
}

func (e *ShortfallError) Error() string { return "coverage: shortfall" }

// Details returns the shortfalls as text, one line each.
func (e *ShortfallError) Details() string { return "" }
