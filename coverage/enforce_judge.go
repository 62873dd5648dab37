package coverage

import (
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/model"
)

// judge holds a dataset against its plan.
type judge struct {
	in   *EnforceInput
	d    *model.Dataset
	min  Minimums
	gaps []Gap

	short     []Shortfall
	useCases  map[string][]*model.TestCase // by use case
	examples  map[string][]*model.Example  // by test case
	delivered map[string]*model.TestCase   // by row
	wanted    map[*model.TestCase]int      // examples by the plan
	plans     map[string][]*model.UseCasePlan
	failed    map[string]Gap           // why a row has nothing, by row
	refused   map[string]model.Refusal // by row, the last
	accepted  map[string][]accepted    // by use case
	shown     map[string]map[model.Role][]string
	roles     map[string][]plannedRow   // rows by policy and role
	against   map[string]*Contradiction // the first, by policy
}

type plannedRow struct {
	useCase string
	row     *model.Row
}

func newJudge(in *EnforceInput) *judge {
	j := &judge{
		in: in, d: in.Dataset, min: in.Minimums.Defaulted(),
		useCases: make(map[string][]*model.TestCase), examples: make(map[string][]*model.Example),
		delivered: make(map[string]*model.TestCase), failed: make(map[string]Gap), refused: make(map[string]model.Refusal),
	}
	if j.d == nil {
		j.d = &model.Dataset{}
	}
	for i := range j.d.TestCases {
		tc := &j.d.TestCases[i]
		j.useCases[tc.UseCaseID] = append(j.useCases[tc.UseCaseID], tc)
	}
	for i := range j.d.Examples {
		e := &j.d.Examples[i]
		j.examples[e.TestCaseID] = append(j.examples[e.TestCaseID], e)
	}
	j.accepted, j.shown = acceptedCases(j.d), showing(j.d.Examples)
	j.roles, j.against = make(map[string][]plannedRow), make(map[string]*Contradiction)
	j.wanted, j.plans = make(map[*model.TestCase]int), make(map[string][]*model.UseCasePlan)
	for i := range in.Plan {
		j.plans[in.Plan[i].UseCaseID] = append(j.plans[in.Plan[i].UseCaseID], &in.Plan[i])
		for k := range in.Plan[i].Rows {
			r := &in.Plan[i].Rows[k]
			for id, role := range r.Roles {
				j.roles[id+"/"+string(role)] = append(j.roles[id+"/"+string(role)], plannedRow{in.Plan[i].UseCaseID, r})
			}
		}
	}
	for i := range in.Contradictions {
		for _, id := range in.Contradictions[i].PolicyIDs {
			if j.against[id] == nil {
				j.against[id] = &in.Contradictions[i]
			}
		}
	}
	for _, r := range in.Refused {
		if r.Row != "" {
			j.refused[r.Row] = r
		}
	}
	return j
}

func (j *judge) gap(g Gap) { j.gaps = append(j.gaps, g) }

func (j *judge) lack(what, where string, have, want int, why string) {
	j.short = append(j.short, Shortfall{What: what, Where: where, Have: have, Want: want, Why: why})
}

// excuse returns the verdict on something that no row was planned for.
func (j *judge) excuse(kind Target, target, useCase string, counted bool) Gap {
	g := Gap{Kind: kind, Target: target, UseCaseID: useCase}
	switch {
	case counted:
		g.Verdict, g.Limit, g.Because = VerdictLimit, LimitCount, "the number asked for leaves no room for it"
	case j.in.Stop != "":
		g.Verdict, g.Limit, g.Because = VerdictLimit, j.in.Stop, j.stopReason()
	default:
		g.Verdict, g.Because = VerdictRefused, "no row was planned for it"
	}
	return g
}

func (j *judge) stopReason() string {
	if j.in.StopReason != "" {
		return j.in.StopReason
	}
	return "the " + string(j.in.Stop) + " ended the run"
}

// rows finds the test case of each planned row, and the reason where there is
// none. A test case is the row's when it has all of the row's parameters.
func (j *judge) rows(up *model.UseCasePlan) {
	taken := make(map[string]bool)
	for i := range up.Rows {
		row := &up.Rows[i]
		for _, tc := range j.useCases[up.UseCaseID] {
			if !taken[tc.ID] && len(j.examples[tc.ID]) > 0 && agrees(row, tc) {
				taken[tc.ID] = true
				j.delivered[row.ID] = tc
				j.wanted[tc] = max(j.wanted[tc], row.Examples)
				break
			}
		}
		if j.delivered[row.ID] != nil {
			continue
		}
		g := Gap{Kind: TargetRow, Target: row.ID, UseCaseID: up.UseCaseID}
		r, refused := j.refused[row.ID]
		because, infeasible := j.in.Infeasible[row.ID]
		switch {
		case infeasible:
			g.Verdict, g.Limit, g.Because = VerdictInfeasible, LimitModel, because
		case refused:
			g.Verdict, g.Because = VerdictRefused, refusal(r)
		case j.in.Stop != "":
			g.Verdict, g.Limit, g.Because = VerdictLimit, j.in.Stop, j.stopReason()
		default:
			g.Verdict, g.Because = VerdictRefused, "no generator made it"
		}
		j.failed[row.ID] = g
		j.gap(g)
	}
}

func agrees(row *model.Row, tc *model.TestCase) bool {
	for k, v := range row.Parameters {
		if w, ok := tc.Parameters[k]; !ok || !v.Equal(w) {
			return false
		}
	}
	return true
}

func refusal(r model.Refusal) string {
	if r.Check == "" {
		return r.Reason
	}
	return r.Check + ": " + r.Reason
}

// tuples recounts the combinations that the accepted examples cover.
func (j *judge) tuples(up *model.UseCasePlan) {
	m := planModel(up)
	if err := checkModel(m); err != nil {
		j.lack("sound plans", up.UseCaseID, 0, 1, err.Error())
		return
	}
	rep, _ := recountAccepted(m, j.accepted[up.UseCaseID])
	for _, t := range rep.Infeasible {
		j.gap(Gap{Kind: TargetTuple, Target: t.Key(), UseCaseID: up.UseCaseID, Verdict: VerdictInfeasible, Because: t.Because})
	}
	unplanned := Gap{}
	for _, t := range rep.Missing {
		g := j.excuse(TargetTuple, t.Key(), up.UseCaseID, j.in.Counts.TestCasesPerUseCase > 0)
		planned := false
		for i := range up.Rows {
			f, ok := j.failed[up.Rows[i].ID]
			if !ok || !holds(&up.Rows[i], t) {
				continue
			}
			if !planned || f.Failure() && !g.Failure() { // a failure is not hidden behind what could not be
				g.Verdict, g.Limit, g.Because = f.Verdict, f.Limit, f.Because
			}
			planned = true
		}
		j.gap(g)
		if g.Failure() && !planned && unplanned.Target == "" {
			unplanned = g
		}
	}
	// A combination lost with its row is told of with the row.
	if unplanned.Target != "" {
		j.lack("combinations of values", up.UseCaseID, rep.Covered, rep.Feasible, unplanned.Target+": "+unplanned.Because)
	}
}

func holds(row *model.Row, t Tuple) bool {
	for _, p := range t.Pairs {
		if v, ok := row.Parameters[p.Axis]; !ok || v.String() != p.Value {
			return false
		}
	}
	return true
}

// policies demands that every testable policy is shown plain and pressed.
func (j *judge) policies() {
	for i := range j.d.Policies {
		p := &j.d.Policies[i]
		if !p.IsTestable() {
			j.gap(Gap{Kind: TargetPolicy, Target: p.ID, Verdict: VerdictUntestable, Because: p.UntestableReason})
			continue
		}
		for _, role := range []model.Role{model.Plain, model.Pressed} {
			if len(j.shown[p.ID][role]) > 0 {
				continue
			}
			g := j.unshown(p.ID, role)
			j.gap(g)
			if g.Failure() && !j.min.AllowUnpressed {
				j.lack(string(role)+" examples", p.ID, 0, 1, g.Because)
			}
		}
	}
}

// unshown says why no example shows a policy in a role.
func (j *judge) unshown(policy string, role model.Role) Gap {
	target := policy + "/" + string(role)
	if c := j.against[policy]; c != nil {
		return Gap{Kind: TargetPolicy, Target: target, Verdict: VerdictContradiction, Because: c.Because}
	}
	if why, ok := j.in.Infeasible[target]; ok {
		return Gap{Kind: TargetPolicy, Target: target, Verdict: VerdictInfeasible, Limit: LimitModel, Because: why}
	}
	return j.because(TargetPolicy, target, "the example made for it does not show it", j.roles[target])
}

// because says why something is missing that some rows were planned for: what
// became of the first of them, a failure before what could not be, or that none
// was planned.
func (j *judge) because(kind Target, target, otherwise string, planned []plannedRow) Gap {
	var found *Gap
	for _, p := range planned {
		g := Gap{Kind: kind, Target: target, UseCaseID: p.useCase, Verdict: VerdictRefused, Because: otherwise}
		if f, ok := j.failed[p.row.ID]; ok {
			g.Verdict, g.Limit, g.Because = f.Verdict, f.Limit, f.Because
		}
		if found == nil || g.Failure() && !found.Failure() {
			found = &g
		}
	}
	if found != nil {
		return *found
	}
	return j.excuse(kind, target, "", j.in.Counts.TestCasesPerUseCase > 0 || j.in.Counts.UseCases > 0)
}

// planned returns the rows of the plan that are meant.
func (j *judge) planned(meant func(*model.Row) bool) []plannedRow {
	var out []plannedRow
	for i := range j.in.Plan {
		for k := range j.in.Plan[i].Rows {
			if r := &j.in.Plan[i].Rows[k]; meant(r) {
				out = append(out, plannedRow{j.in.Plan[i].UseCaseID, r})
			}
		}
	}
	return out
}

func (j *judge) contradictions() {
	for _, c := range j.in.Contradictions {
		j.gap(Gap{Kind: TargetPair, Target: strings.Join(c.PolicyIDs, "&"), Verdict: VerdictContradiction, Because: c.Because})
	}
}

func (j *judge) formats() {
	if j.in.Profile == nil || j.min.AllowMissingFormats {
		return
	}
	for _, f := range j.in.Profile.Formats {
		if slices.ContainsFunc(j.d.Examples, func(e model.Example) bool { return e.Format == f.Format }) {
			continue
		}
		g := j.because(TargetFormat, string(f.Format), "the example made for it has another format",
			j.planned(func(r *model.Row) bool { return r.Format == f.Format }))
		j.gap(g)
		if g.Failure() {
			j.lack("examples of format "+string(f.Format), "", 0, 1, g.Because)
		}
	}
}

func (j *judge) sources() {
	if j.in.Profile == nil || j.min.AllowMissingSources {
		return
	}
	for _, s := range j.in.Profile.Sources {
		if slices.ContainsFunc(j.d.Examples, func(e model.Example) bool { return e.Metadata.Source == s }) {
			continue
		}
		if j.in.Sources != nil && !slices.Contains(j.in.Sources, s) {
			j.gap(Gap{Kind: TargetSource, Target: string(s), Verdict: VerdictInfeasible, Because: "the documents have none"})
			continue
		}
		g := j.because(TargetSource, string(s), "the example made for it has another source",
			j.planned(func(r *model.Row) bool { return r.Source == s }))
		j.gap(g)
		if g.Failure() {
			j.lack("examples of source "+string(s), "", 0, 1, g.Because)
		}
	}
}

// minimums counts what the dataset holds.
func (j *judge) minimums() {
	least := func(what string, have, minimum, asked int, why string) {
		if want := max(minimum, asked); have < want {
			j.lack(what, "", have, want, why)
		}
	}
	least("use cases", len(j.d.UseCases), j.min.UseCases, j.in.Counts.UseCases, "the documents hold no more")
	least("policies", len(j.d.Policies), j.min.Policies, 0, "the documents state no more")
	types := make(map[model.PolicyType]bool)
	for i := range j.d.Policies {
		types[j.d.Policies[i].Type] = true
	}
	least("types of policy", len(types), j.min.PolicyTypes, 0, "the documents state no other")
	var ids []string
	listed := make(map[string]bool)
	for i := range j.d.UseCases {
		ids = append(ids, j.d.UseCases[i].ID)
		listed[j.d.UseCases[i].ID] = true
	}
	for i := range j.in.Plan {
		if id := j.in.Plan[i].UseCaseID; !listed[id] {
			listed[id] = true
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		j.testCases(id)
	}
	for i := range j.d.TestCases {
		j.testCase(&j.d.TestCases[i])
	}
	for i := range j.d.Examples {
		e := &j.d.Examples[i]
		if n := distinct(e.EvaluationCriteria); n < j.min.CriteriaPerExample {
			j.lack("distinct criteria", e.ID, n, j.min.CriteriaPerExample, "the example was accepted with fewer")
		}
		if n := distinct(e.PolicyIDs); n < j.min.PoliciesPerExample {
			j.lack("policies", e.ID, n, j.min.PoliciesPerExample, "the example was accepted with fewer")
		}
	}
}

// testCases counts the test cases of a use case that have an example, against
// the minimum, what was asked and what was planned.
func (j *judge) testCases(useCase string) {
	have := 0
	for _, tc := range j.useCases[useCase] {
		if len(j.examples[tc.ID]) > 0 {
			have++
		}
	}
	want := max(j.min.TestCasesPerUseCase, j.in.Counts.TestCasesPerUseCase)
	why := "no more were planned"
	lost := 0
	for _, up := range j.plans[useCase] {
		feasible := 0
		for k := range up.Rows {
			f, ok := j.failed[up.Rows[k].ID]
			switch {
			case !ok || f.Verdict != VerdictInfeasible:
				feasible++
			case lost == 0:
				why = fmt.Sprintf("%s %s: %s", f.Target, f.Verdict, f.Because)
			}
			if ok && f.Verdict != VerdictInfeasible {
				if lost++; lost == 1 {
					why = fmt.Sprintf("%s %s: %s", f.Target, f.Verdict, f.Because)
				}
			}
		}
		want = max(want, feasible)
	}
	switch {
	case have < want:
		j.lack("test cases", useCase, have, want, why)
	case lost > 0: // others took the place of planned ones
		j.lack("planned test cases", useCase, want-lost, want, why)
	}
}

func (j *judge) testCase(tc *model.TestCase) {
	want := max(j.min.ExamplesPerTestCase, j.in.Counts.ExamplesPerTestCase)
	want = max(want, j.wanted[tc])
	if n := len(j.examples[tc.ID]); n < want {
		j.lack("examples", tc.ID, n, want, "fewer passed the checks")
	}
	if n := distinct(tc.PolicyIDs); n < j.min.PoliciesPerExample {
		j.lack("policies", tc.ID, n, j.min.PoliciesPerExample, "the test case was accepted with fewer")
	}
	n := 0
	for i, a := range tc.Axes {
		if _, ok := tc.Parameters[a]; ok && !slices.Contains(tc.Axes[:i], a) {
			n++
		}
	}
	switch {
	case n < j.min.MinAxes:
		j.lack("axes", tc.ID, n, j.min.MinAxes, "each axis must be a key of parameters")
	case j.min.MaxAxes > 0 && len(tc.Axes) > j.min.MaxAxes:
		j.lack("axes at most", tc.ID, len(tc.Axes), j.min.MaxAxes, "the test case was accepted with more")
	}
}

// distinct counts texts that are neither blank nor repeated.
func distinct(texts []string) int {
	seen := make(map[string]bool, len(texts))
	for _, t := range texts {
		if t = strings.TrimSpace(t); t != "" {
			seen[t] = true
		}
	}
	return len(seen)
}
