package coverage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/model"
)

// The rules of [CheckIntegrity], as they stand in Violation.Rule.
const (
	RuleCase          = "case"           // one case in a run, the use case's on everything below it
	RuleUseCaseLink   = "use_case_link"  // use_case_id names a use case
	RuleTestCaseLink  = "test_case_link" // test_case_id names a test case
	RulePolicyLink    = "policy_link"    // policy_ids name policies
	RuleSameUseCase   = "same_use_case"  // an example's use case is its test case's
	RulePolicySubset  = "policy_subset"  // an example's policies are among its test case's
	RulePolicyRoles   = "policy_roles"   // roles are plain or pressed, of policies that are cited
	RuleNoExample     = "no_example"     // a test case has an example
	RuleSameParameter = "same_parameters"
	RuleAxesVary      = "axes_vary" // two axes of a use case take more than one value
)

// CheckIntegrity returns every broken relation between the items of a dataset,
// in the order of the files and their items: links that lead nowhere, an
// example that disagrees with its test case, test cases without examples or
// with the same parameters, axes that do not vary. What is wrong in an item by
// itself, or in the names of its own file, is model's to find
// ([model.Dataset.Violations]).
func CheckIntegrity(d *model.Dataset) []model.Violation {
	c := &integrity{
		useCases: make(map[string]*model.UseCase, len(d.UseCases)), policies: make(map[string]*model.Policy, len(d.Policies)),
		testCases: make(map[string]*model.TestCase, len(d.TestCases)),
	}
	for i := range d.UseCases {
		c.useCases[d.UseCases[i].ID] = &d.UseCases[i]
	}
	for i := range d.Policies {
		c.policies[d.Policies[i].ID] = &d.Policies[i]
	}
	for i := range d.TestCases {
		c.testCases[d.TestCases[i].ID] = &d.TestCases[i]
	}
	c.oneCase(d)
	c.variation(d)
	c.checkTestCases(d)
	c.checkExamples(d)
	return c.found
}

type integrity struct {
	useCases  map[string]*model.UseCase
	policies  map[string]*model.Policy
	testCases map[string]*model.TestCase
	found     []model.Violation
}

func (c *integrity) add(f model.File, id, rule, format string, args ...any) {
	c.found = append(c.found, model.Violation{File: f, ID: id, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

// oneCase checks use cases and policies; what hangs on a use case is compared
// with it.
func (c *integrity) oneCase(d *model.Dataset) {
	if len(d.UseCases) == 0 {
		return
	}
	run := d.UseCases[0].Case
	for i := range d.UseCases {
		if u := &d.UseCases[i]; u.Case != run {
			c.add(model.FileUseCases, u.ID, RuleCase, "case is %q, but %s has %q: one run has one case", u.Case, d.UseCases[0].ID, run)
		}
	}
	for i := range d.Policies {
		if p := &d.Policies[i]; p.Case != run {
			c.add(model.FilePolicies, p.ID, RuleCase, "case is %q, but the use cases have %q: one run has one case", p.Case, run)
		}
	}
}

// variation checks the axes across each use case; a single test case cannot
// vary and is a matter of the minimums.
func (c *integrity) variation(d *model.Dataset) {
	for i := range d.UseCases {
		id := d.UseCases[i].ID
		values := make(map[string]map[model.Value]bool)
		n := 0
		for k := range d.TestCases {
			tc := &d.TestCases[k]
			if tc.UseCaseID != id {
				continue
			}
			n++
			for _, a := range tc.Axes {
				if v, ok := tc.Parameters[a]; ok {
					if values[a] == nil {
						values[a] = make(map[model.Value]bool)
					}
					values[a][v] = true
				}
			}
		}
		var vary []string
		for _, a := range slices.Sorted(maps.Keys(values)) {
			if len(values[a]) > 1 {
				vary = append(vary, a)
			}
		}
		if n > 1 && len(vary) < 2 {
			c.add(model.FileUseCases, id, RuleAxesVary, "of its axes only %q take more than one value over %d test cases; at least two must", vary, n)
		}
	}
}

func (c *integrity) checkTestCases(d *model.Dataset) {
	shown := make(map[string]bool, len(d.TestCases))
	for i := range d.Examples {
		shown[d.Examples[i].TestCaseID] = true
	}
	seen := make(map[string]string, len(d.TestCases))
	for i := range d.TestCases {
		tc := &d.TestCases[i]
		c.belongs(model.FileTestCases, tc.ID, tc.UseCaseID, tc.Case)
		c.cited(model.FileTestCases, tc.ID, tc.PolicyIDs)
		if !shown[tc.ID] {
			c.add(model.FileTestCases, tc.ID, RuleNoExample, "no example belongs to it")
		}
		key := tc.UseCaseID + "\n" + parameterKey(tc.Parameters)
		if first, ok := seen[key]; ok {
			c.add(model.FileTestCases, tc.ID, RuleSameParameter, "it has the same parameters as %s", first)
		} else {
			seen[key] = tc.ID
		}
	}
}

// parameterKey is the same for the same parameters only. Kinds count: the
// string "1" is not the number 1.
func parameterKey(params map[string]model.Value) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(&b, "%q=%#v;", k, params[k])
	}
	return b.String()
}

func (c *integrity) checkExamples(d *model.Dataset) {
	for i := range d.Examples {
		e := &d.Examples[i]
		c.belongs(model.FileDataset, e.ID, e.UseCaseID, e.Case)
		c.cited(model.FileDataset, e.ID, e.PolicyIDs)
		for _, id := range slices.Sorted(maps.Keys(e.Metadata.PolicyRoles)) {
			role := e.Metadata.PolicyRoles[id]
			switch {
			case !slices.Contains(e.PolicyIDs, id):
				c.add(model.FileDataset, e.ID, RulePolicyRoles, "it has a role for %s, which it does not cite", id)
			case role != model.Plain && role != model.Pressed:
				c.add(model.FileDataset, e.ID, RulePolicyRoles, "the role of %s is %q; it must be %q or %q", id, role, model.Plain, model.Pressed)
			}
		}
		tc := c.testCases[e.TestCaseID]
		if tc == nil {
			c.add(model.FileDataset, e.ID, RuleTestCaseLink, "there is no test case %q", e.TestCaseID)
			continue
		}
		if e.UseCaseID != tc.UseCaseID {
			c.add(model.FileDataset, e.ID, RuleSameUseCase, "its use case is %q, but that of its test case %s is %q", e.UseCaseID, tc.ID, tc.UseCaseID)
		}
		for _, id := range e.PolicyIDs {
			if !slices.Contains(tc.PolicyIDs, id) {
				c.add(model.FileDataset, e.ID, RulePolicySubset, "it cites %s, which its test case %s does not", id, tc.ID)
			}
		}
	}
}

// belongs checks the link to the use case, and its case.
func (c *integrity) belongs(f model.File, id, useCase string, label model.Case) {
	u := c.useCases[useCase]
	switch {
	case u == nil:
		c.add(f, id, RuleUseCaseLink, "there is no use case %q", useCase)
	case label != u.Case:
		c.add(f, id, RuleCase, "case is %q, but that of its use case %s is %q", label, u.ID, u.Case)
	}
}

func (c *integrity) cited(f model.File, id string, policies []string) {
	for _, p := range policies {
		if c.policies[p] == nil {
			c.add(f, id, RulePolicyLink, "there is no policy %q", p)
		}
	}
}
