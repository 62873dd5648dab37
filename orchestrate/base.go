package orchestrate

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// Base is a dataset that a run completes. What is in it stays as it is, whoever
// made it: its test cases count for the covering arrays, its examples for the
// policies and as inputs that must not come again, and only what is missing is
// generated.
type Base struct {
	Dataset *model.Dataset
	// Manifest gives the language, the case and the plan; nil means that they
	// are found out again.
	Manifest *model.Manifest
	// Certificate gives the sentences without a policy and the contradictions,
	// which the data files do not hold; it may be nil.
	Certificate *coverage.Certificate
}

// BaseError says why a dataset cannot be completed.
type BaseError struct {
	Item   string // file and id of the first item that is in the way; may be empty
	Reason string
}

func (e *BaseError) Error() string {
	if e.Item == "" {
		return "orchestrate: the dataset cannot be completed: " + e.Reason
	}
	return fmt.Sprintf("orchestrate: the dataset cannot be completed: %s: %s", e.Item, e.Reason)
}

// baseRules are the breaks with which nothing can be built on a dataset: its
// links lead nowhere, or its quotations are those of another document.
var baseRules = map[string]bool{
	"id": true, "id_unique": true, "case": true, "evidence_file": true, "evidence_lines": true, "evidence_quote": true,
	coverage.RuleUseCaseLink: true, coverage.RuleTestCaseLink: true, coverage.RulePolicyLink: true, coverage.RuleSameUseCase: true,
}

// check refuses a base that does not belong to the documents.
func (b *Base) check(docs []*model.Document, profile *model.Profile) error {
	if b.Dataset == nil || len(b.Dataset.UseCases) == 0 || len(b.Dataset.Policies) == 0 {
		return &BaseError{"", "it holds no use cases and policies; make a dataset with a run, or bring tests in"}
	}
	broken := b.Dataset.ViolationsWith(profile, docs...)
	for _, v := range append(broken, coverage.CheckIntegrity(b.Dataset)...) {
		switch {
		case !baseRules[v.Rule]:
		case v.Rule == "evidence_file":
			return &BaseError{string(v.File) + " " + v.ID, v.Message + "; if it is the same document, give it that name again, else make a new dataset"}
		case strings.HasPrefix(v.Rule, "evidence"):
			return &BaseError{string(v.File) + " " + v.ID, v.Message + "; it was made from another document or from another version of it: make a new dataset"}
		default:
			return &BaseError{string(v.File) + " " + v.ID, v.Message}
		}
	}
	return nil
}

// prepareBase plans what a dataset lacks.
func (r *run) prepareBase(ctx context.Context, in *Input) error {
	b := in.Base
	profile := r.o.opts.Profile
	if profile == nil && b.Dataset != nil && len(b.Dataset.UseCases) > 0 {
		if profile = builtinProfile(b.Dataset.UseCases[0].Case); profile == nil {
			return &OptionError{"Profile", fmt.Sprintf("the case %q has no built-in profile; give one", b.Dataset.UseCases[0].Case)}
		}
	}
	if err := b.check(in.Documents, profile); err != nil {
		return err
	}
	if have := b.Dataset.UseCases[0].Case; have != profile.Case {
		return &BaseError{"", fmt.Sprintf("its case is %s, and %s is asked for", have, profile.Case)}
	}
	r.base = newBase(b)
	return r.planWith(ctx, in.Documents, b.extraction(ctx, in.Documents, profile), profile)
}

// extraction is what the base was made from. What rules read in the documents
// is taken where the base is a part of it; else it is put together from the
// files, so that nothing of the base changes its name.
func (b *Base) extraction(ctx context.Context, docs []*model.Document, profile *model.Profile) *extract.Result {
	if ex, err := extract.Extract(ctx, docs, &extract.Options{Profile: profile}); err == nil && b.within(ex) {
		return ex
	}
	d := b.Dataset
	ex := &extract.Result{
		Case: profile.Case, UseCases: d.UseCases, Policies: d.Policies,
		Relevant: map[string][]string{}, Corner: map[string]string{},
	}
	if b.Manifest != nil {
		ex.Language = b.Manifest.Language
		for i := range b.Manifest.Plan {
			up := &b.Manifest.Plan[i]
			ex.Relevant[up.UseCaseID] = up.PolicyIDs
			kinds := map[string]bool{}
			for k := range up.Rows {
				kinds[up.Rows[k].Corner] = true
			}
			if len(kinds) == 1 { // an ordinary use case has ordinary rows too
				for kind := range kinds {
					ex.Corner[up.UseCaseID] = kind
				}
			}
		}
	}
	if ex.Language == "" {
		text := ""
		for _, doc := range docs {
			text += doc.Text() + "\n"
		}
		ex.Language = lang.Detect(text)
	}
	for i := range d.TestCases { // policies that tests of a use case cite bear on it
		tc := &d.TestCases[i]
		for _, id := range tc.PolicyIDs {
			if b.Manifest == nil && !slices.Contains(ex.Relevant[tc.UseCaseID], id) {
				ex.Relevant[tc.UseCaseID] = append(ex.Relevant[tc.UseCaseID], id)
			}
		}
	}
	if b.Certificate != nil {
		ex.Unmapped = b.Certificate.SentencesUnmapped
		for _, g := range b.Certificate.Gaps {
			if g.Kind == coverage.TargetPair && g.Verdict == coverage.VerdictContradiction {
				ex.Contradictions = append(ex.Contradictions, extract.Contradiction{PolicyIDs: strings.Split(g.Target, "&"), Reason: g.Because})
			}
		}
	}
	return ex
}

// within reports whether all use cases and policies of the base are among those
// of an extraction, in their order and the same but for nothing.
func (b *Base) within(ex *extract.Result) bool {
	policies := make([]string, len(ex.Policies))
	for i := range ex.Policies {
		policies[i] = fingerprint(&ex.Policies[i])
	}
	useCases := make([]string, len(ex.UseCases))
	for i := range ex.UseCases {
		useCases[i] = fingerprint(&ex.UseCases[i])
	}
	at := 0
	for i := range b.Dataset.UseCases {
		k := slices.Index(useCases[at:], fingerprint(&b.Dataset.UseCases[i]))
		if k < 0 {
			return false
		}
		at += k + 1
	}
	if len(policies) != len(b.Dataset.Policies) {
		return false
	}
	for i := range b.Dataset.Policies {
		if policies[i] != fingerprint(&b.Dataset.Policies[i]) {
			return false
		}
	}
	return true
}

// fingerprint is equal for items that are written alike.
func fingerprint(item any) string {
	raw, err := model.EncodeJSON("item", item)
	if err != nil {
		return fmt.Sprintf("%p", item) // equal to nothing
	}
	return string(raw)
}

// base is what a planner and a run know of a dataset that is completed.
type base struct {
	useCases map[string]bool
	axes     map[string][]model.Axis // of the use cases that have a plan
	strength map[string]int
	limits   map[string][]model.Constraint
	rows     map[string][]model.Row // filled ones, by use case
	items    map[string]model.Item  // by row
	taken    map[string]bool        // ids of test cases that are no longer free
	findings []model.Finding
	inputs   map[string]bool // folded texts of inputs
}

// numbered is what the id of a further example of a test case ends with.
var numbered = regexp.MustCompile(`_n[0-9]+$`)

func newBase(b *Base) *base {
	out := &base{
		useCases: map[string]bool{}, axes: map[string][]model.Axis{}, strength: map[string]int{}, limits: map[string][]model.Constraint{},
		rows: map[string][]model.Row{}, items: map[string]model.Item{}, taken: map[string]bool{}, inputs: map[string]bool{},
	}
	d := b.Dataset
	for i := range d.UseCases {
		out.useCases[d.UseCases[i].ID] = true
	}
	examples := map[string][]model.Example{}
	for i := range d.Examples {
		e := &d.Examples[i]
		examples[e.TestCaseID] = append(examples[e.TestCaseID], *e)
		out.inputs[inputKey(&e.Input)] = true
		// An example is named after its test case, so its name is taken for both.
		name := strings.TrimPrefix(e.ID, "ex_")
		out.taken["tc_"+name], out.taken["tc_"+numbered.ReplaceAllString(name, "")] = true, true
	}
	planned := map[string][]model.Row{}
	if b.Manifest != nil {
		out.findings = b.Manifest.Findings
		for i := range b.Manifest.Plan {
			up := &b.Manifest.Plan[i]
			planned[up.UseCaseID] = up.Rows
			out.axes[up.UseCaseID], out.strength[up.UseCaseID], out.limits[up.UseCaseID] = up.Axes, up.Strength, up.Constraints
		}
	}
	next := map[string]int{}
	for id, rows := range planned {
		next[id] = highest(rows)
	}
	for i := range d.TestCases {
		tc := &d.TestCases[i]
		out.taken[tc.ID] = true
		exs := examples[tc.ID]
		var row model.Row
		at := slices.IndexFunc(planned[tc.UseCaseID], func(p model.Row) bool { _, used := out.items[p.ID]; return !used && fills(tc, &p) })
		if at >= 0 {
			row = cloneRow(planned[tc.UseCaseID][at])
		} else {
			next[tc.UseCaseID]++
			row = rowOf(tc, exs)
			row.ID = fmt.Sprintf("%s/%d", tc.UseCaseID, next[tc.UseCaseID])
		}
		out.rows[tc.UseCaseID] = append(out.rows[tc.UseCaseID], row)
		out.items[row.ID] = model.Item{Row: row.ID, TestCase: *tc, Examples: exs}
	}
	return out
}

// fills reports whether a test case is the one that was planned by a row.
func fills(tc *model.TestCase, row *model.Row) bool {
	for k, v := range row.Parameters {
		if w, ok := tc.Parameters[k]; !ok || !v.Equal(w) {
			return false
		}
	}
	return len(row.Parameters) > 0
}

// rowOf is the row that a test case would have been planned by.
func rowOf(tc *model.TestCase, examples []model.Example) model.Row {
	row := model.Row{
		UseCaseID: tc.UseCaseID, Parameters: maps.Clone(tc.Parameters), Axes: slices.Clone(tc.Axes), PolicyIDs: slices.Clone(tc.PolicyIDs),
		Roles: map[string]model.Role{}, Examples: max(1, len(examples)),
	}
	for i := range examples {
		row.Format, row.Source = examples[i].Format, examples[i].Metadata.Source
		maps.Copy(row.Roles, examples[i].Metadata.PolicyRoles)
	}
	return row
}

// highest is the greatest number that ends a row's id.
func highest(rows []model.Row) int {
	most := 0
	for i := range rows {
		if n, err := strconv.Atoi(rows[i].ID[strings.LastIndexByte(rows[i].ID, '/')+1:]); err == nil {
			most = max(most, n)
		}
	}
	return most
}

func inputKey(in *model.Input) string { return coverage.Fold(coverage.InputText(in)) }

// of returns the filled rows of a use case; a nil base has none.
func (b *base) of(useCase string) []model.Row {
	if b == nil {
		return nil
	}
	return slices.Clone(b.rows[useCase])
}

// has reports whether a row is filled by the base.
func (b *base) has(row string) bool {
	if b == nil {
		return false
	}
	_, ok := b.items[row]
	return ok
}

// hasUseCase reports whether the base has a use case, so that it stays.
func (b *base) hasUseCase(id string) bool { return b != nil && b.useCases[id] }

// said reports whether the base has an example with this message.
func (b *base) said(messages []model.Message) bool {
	return b != nil && b.inputs[inputKey(&model.Input{Messages: messages})]
}

// planned takes over what was planned for a use case; it is false for one
// without a plan.
func (b *base) planned(up *model.UseCasePlan) bool {
	if b == nil || len(b.axes[up.UseCaseID]) == 0 {
		return false
	}
	up.Axes, up.Constraints = b.axes[up.UseCaseID], b.limits[up.UseCaseID]
	up.Strength = max(up.Strength, b.strength[up.UseCaseID])
	return true
}

// covered returns the different rows among those given that have a value for
// every axis of the plan and keep its constraints.
func covered(up *model.UseCasePlan, rows []model.Row) []map[string]string {
	var out []map[string]string
	for i := range rows {
		v := map[string]string{}
		for _, a := range up.Axes {
			if p, ok := rows[i].Parameters[a.Name]; ok && slices.ContainsFunc(a.Values, func(x model.AxisValue) bool { return x.Name == p.String() }) {
				v[a.Name] = p.String()
			}
		}
		if len(v) < len(up.Axes) || slices.ContainsFunc(out, func(m map[string]string) bool { return maps.Equal(m, v) }) || breaks(up.Constraints, v) {
			continue
		}
		out = append(out, v)
	}
	return out
}

func breaks(cs []model.Constraint, v map[string]string) bool {
	return slices.ContainsFunc(cs, func(c model.Constraint) bool {
		for a, want := range c.If {
			if v[a] != want {
				return false
			}
		}
		if len(c.Then) == 0 {
			return true
		}
		for a, allowed := range c.Then {
			if !slices.Contains(allowed, v[a]) {
				return true
			}
		}
		return false
	})
}
