package coverage

import (
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Candidate is an item that asks to be accepted, with all that a check may
// look at. A check changes nothing in it.
type Candidate struct {
	Documents []*model.Document
	// Lang is nil for a language without data: then only the checks that need
	// none run.
	Lang     *lang.Language
	Language string // of the documents: "en", "ru", ...; may be empty
	Profile  *model.Profile
	UseCase  model.UseCase
	// Policies are those of the row, AllPolicies those of the dataset.
	Policies, AllPolicies []model.Policy
	Axes                  []model.Axis
	Row                   model.Row
	Item                  model.Item
	// Seen holds the inputs accepted so far, over the whole dataset; nil means
	// none.
	Seen *Index
}

// Finding is one thing that is wrong with a candidate. Message says what, and
// what to do about it, so that a model can repair the item from it alone.
type Finding struct {
	Check   string
	Field   string // "expected_output", "input", "evaluation_criteria", "parameters", ...
	Example int    // index in Item.Examples; -1 when it concerns the test case
	Message string
	Warn    bool // worth a note, no reason to refuse
}

// Check is one rule that every accepted item keeps. Run must be safe for
// concurrent use and a function of the candidate alone.
type Check struct {
	Name string
	Run  func(*Candidate) []Finding
}

// DefaultChecks returns the built-in checks in the order they run.
func DefaultChecks() []Check { return nil }

// RunChecks returns what the checks find, in their order, with Finding.Check
// set to the name of the check.
func RunChecks(cs []Check, c *Candidate) []Finding {
	var all []Finding
	for _, check := range cs {
		for _, f := range check.Run(c) {
			f.Check = check.Name
			all = append(all, f)
		}
	}
	return all
}
