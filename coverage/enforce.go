package coverage

import (
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/model"
)

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
	// LimitModel goes with VerdictInfeasible: the run had no model, and the
	// document's own words do not give it.
	LimitModel Limit = "model"
	// LimitImport is that of a dataset that was brought in, for which nothing was
	// generated: it says what the tests leave uncovered, and is no failure.
	LimitImport Limit = "import"
)

// Target is the kind of thing a [Gap] is about.
type Target string

// The kinds of target. Gap.Target of a tuple is [Tuple.Key]; of a policy its id
// and role ("pol_x/pressed"), or its id alone; of a pair both ids ("pol_x&pol_y");
// of a row its id, of a format and a source its name.
const (
	TargetUseCase Target = "use_case" // found and not made; Gap.Target is its id
	TargetTuple   Target = "tuple"
	TargetPolicy  Target = "policy"
	TargetRow     Target = "row"
	TargetFormat  Target = "format"
	TargetSource  Target = "source"
	TargetPair    Target = "pair" // of policies; reported only
)

// Gap is something that should be covered and is not, with the one reason why.
type Gap struct {
	Kind      Target  `json:"kind" jsonschema:"enum=use_case,enum=tuple,enum=policy,enum=row,enum=format,enum=source,enum=pair"`
	Target    string  `json:"target"`
	UseCaseID string  `json:"use_case_id,omitempty"`
	Verdict   Verdict `json:"verdict" jsonschema:"enum=untestable,enum=infeasible,enum=contradiction,enum=limit,enum=refused"`
	Limit     Limit   `json:"limit,omitempty" jsonschema:"enum=count,enum=budget,enum=deadline,enum=model,enum=import"` // with VerdictLimit, or LimitModel
	Because   string  `json:"because"`
}

// Failure reports whether the gap makes a [ShortfallError]: a refusal does, and
// a limit from budget or deadline; what cannot be, what the caller's own count
// leaves out, and what tests that were brought in leave uncovered, does not.
func (g *Gap) Failure() bool {
	return g.Verdict == VerdictRefused || g.Verdict == VerdictLimit && g.Limit != LimitCount && g.Limit != LimitImport
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
	// Infeasible says, by row and by policy and role ("pol_x/pressed"), what
	// cannot be made by this run's means, and why: without a model, what the
	// document's own words do not give. It is reported and no failure; the
	// minimums hold all the same.
	Infeasible map[string]string
	// Contradictions are the policies that the document contradicts itself on.
	Contradictions []Contradiction
	// Stop is set when the run ended before its plan was done, StopReason says
	// it in words ("the budget of 500 calls is spent").
	Stop       Limit
	StopReason string
}

// Enforce compares a dataset with its plan and with the minimums. It returns
// every gap with its verdict, in the order of the plan, and a non-nil error when
// a minimum is missed or a gap is a failure. It is a pure function.
//
// The error is a pointer so that its list can be read; return it as an error
// only when it is not nil.
func Enforce(in *EnforceInput) ([]Gap, *ShortfallError) {
	j := newJudge(in)
	for i := range in.Plan {
		j.rows(&in.Plan[i])
		j.tuples(&in.Plan[i])
	}
	j.policies()
	j.contradictions()
	j.formats()
	j.sources()
	j.minimums()
	if len(j.short) == 0 {
		return j.gaps, nil
	}
	return j.gaps, &ShortfallError{Shortfalls: j.short}
}

// ShortfallError lists what a dataset lacks.
type ShortfallError struct {
	Shortfalls []Shortfall
}

// Error names the first three shortfalls; Details has all of them.
func (e *ShortfallError) Error() string {
	const most = 3
	parts := make([]string, 0, most)
	for _, s := range e.Shortfalls[:min(most, len(e.Shortfalls))] {
		parts = append(parts, s.String())
	}
	text := "coverage: shortfall: " + strings.Join(parts, "; ")
	if n := len(e.Shortfalls) - most; n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	return text
}

// Details returns the shortfalls as text, one line each.
func (e *ShortfallError) Details() string {
	var b strings.Builder
	for _, s := range e.Shortfalls {
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// String returns the shortfall on one line: "test cases of uc_x: 2 of 3 (why)".
func (s Shortfall) String() string {
	text := s.What
	if s.Where != "" {
		text += " of " + s.Where
	}
	return fmt.Sprintf("%s: %d of %d (%s)", text, s.Have, s.Want, strings.Join(strings.Fields(s.Why), " "))
}
