package orchestrate

import (
	"fmt"
	"slices"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// withdraw settles what a run without a model cannot make. Rules make only
// what the document's own words give, and try every variant: a row that stays
// open is infeasible without a model, and so is a policy that no feasible row
// can show. A use case that is left with fewer test cases than it needs is no
// part of the dataset. All of it is told as gaps.
func (r *run) withdraw() (infeasible map[string]string, gaps []coverage.Gap) {
	if r.o.opts.Client != nil {
		return nil, nil
	}
	infeasible = map[string]string{}
	last := map[string]model.Refusal{}
	for _, ref := range r.refused {
		if ref.Row != "" {
			last[ref.Row] = ref
		}
	}
	for _, uc := range r.ucs {
		for _, row := range uc.rows {
			if ref, ok := last[row.row.ID]; ok && row.item == nil {
				infeasible[row.row.ID] = "without a model: " + ref.Reason
			}
		}
	}
	r.trim()
	r.takeBack(infeasible)
	if !r.single {
		gaps = r.withdrawUseCases()
	}
	planned := map[string][]*rowState{} // by policy and role
	for _, uc := range r.ucs {
		for _, row := range uc.rows {
			for id, role := range row.row.Roles {
				planned[id+"/"+string(role)] = append(planned[id+"/"+string(role)], row)
			}
		}
	}
	for i := range r.plan.Extraction.Policies {
		p := &r.plan.Extraction.Policies[i]
		if !p.IsTestable() {
			continue
		}
		for _, role := range []model.Role{model.Plain, model.Pressed} {
			key := p.ID + "/" + string(role)
			if why := unshowable(p.ID, role, planned[key], infeasible); why != "" {
				infeasible[key] = why
			}
		}
	}
	r.dropExtra()
	return infeasible, gaps
}

// takeBack takes the items of this run out of use cases of a base whose test
// cases would not vary enough with them: such a use case stays as it was.
func (r *run) takeBack(infeasible map[string]string) {
	for _, uc := range r.ucs {
		if !r.base.hasUseCase(uc.useCase.ID) || uc.filled() < 2 || uc.axesVary() {
			continue
		}
		for _, row := range uc.rows {
			if row.item != nil && !r.base.has(row.row.ID) {
				row.item = nil
				r.filled--
				infeasible[row.row.ID] = "without a model: the test cases that the document's own words give differ in fewer than two axes"
			}
		}
	}
}

// dropExtra leaves out the rows that were added in vain: what they were for is
// told by its own gap.
func (r *run) dropExtra() {
	for _, uc := range r.ucs {
		vain := map[string]bool{}
		uc.rows = slices.DeleteFunc(uc.rows, func(row *rowState) bool {
			if row.extra && row.item == nil {
				vain[row.row.ID] = true
			}
			return vain[row.row.ID]
		})
		uc.plan.Rows = slices.DeleteFunc(uc.plan.Rows, func(row model.Row) bool { return vain[row.ID] })
	}
}

// unshowable says why none of the rows planned for it shows a policy in a role,
// or "" when one does or could.
func unshowable(policy string, role model.Role, rows []*rowState, infeasible map[string]string) string {
	why := "without a model: the document's own words give no message for it"
	for _, row := range rows {
		because, ok := infeasible[row.row.ID]
		switch {
		case ok:
			why = because
		case row.item != nil && !slices.ContainsFunc(row.item.Examples, func(e model.Example) bool { return e.Metadata.PolicyRoles[policy] == role }):
			why = "without a model: the example that was to show it shows another policy"
		default:
			return ""
		}
	}
	return why
}

// withdrawUseCases takes the use cases that rules cannot fill out of the run,
// the emptiest first, down to the number asked for or the minimum.
func (r *run) withdrawUseCases() []coverage.Gap {
	least := r.o.opts.Minimums.Defaulted()
	keep := least.UseCases
	if n := r.o.opts.Counts.UseCases; n != 0 {
		keep = n
	}
	ranked := slices.DeleteFunc(slices.Clone(r.ucs), func(uc *ucState) bool { return r.base.hasUseCase(uc.useCase.ID) })
	slices.SortStableFunc(ranked, func(a, b *ucState) int { return min(a.filled(), r.wanted()) - min(b.filled(), r.wanted()) })
	var gaps []coverage.Gap
	gone := map[*ucState]bool{}
	out := map[string]bool{}
	for _, uc := range ranked {
		if len(r.ucs)-len(gone) <= keep {
			break
		}
		gap := coverage.Gap{Kind: coverage.TargetUseCase, Target: uc.useCase.ID, UseCaseID: uc.useCase.ID}
		switch n := uc.filled(); {
		case n < r.wanted() || r.wanted() > 1 && !uc.varies():
			gap.Verdict, gap.Limit = coverage.VerdictInfeasible, coverage.LimitModel
			gap.Because = fmt.Sprintf("without a model: the document's own words give %d of the %d test cases that a use case needs (%s)", n, r.wanted(), uc.useCase.Name)
		case r.o.opts.Counts.UseCases != 0:
			gap.Verdict, gap.Limit = coverage.VerdictLimit, coverage.LimitCount
			gap.Because = "the number asked for leaves no room for it"
		default:
			continue
		}
		gaps = append(gaps, gap)
		gone[uc], out[uc.useCase.ID] = true, true
	}
	r.ucs = slices.DeleteFunc(r.ucs, func(u *ucState) bool { return gone[u] })
	r.plan.UseCases = slices.DeleteFunc(r.plan.UseCases, func(up model.UseCasePlan) bool { return out[up.UseCaseID] })
	r.repoint()
	place := map[string]int{}
	for i := range r.plan.Extraction.UseCases {
		place[r.plan.Extraction.UseCases[i].ID] = i
	}
	slices.SortFunc(gaps, func(a, b coverage.Gap) int { return place[a.Target] - place[b.Target] })
	return gaps
}

// repoint makes the states point at their plans again after the plans moved.
func (r *run) repoint() {
	plans := map[string]*model.UseCasePlan{}
	for i := range r.plan.UseCases {
		plans[r.plan.UseCases[i].UseCaseID] = &r.plan.UseCases[i]
	}
	for _, uc := range r.ucs {
		if up := plans[uc.useCase.ID]; up != nil {
			uc.plan = up
		}
	}
}

// wanted is how many test cases a use case needs.
func (r *run) wanted() int {
	return max(r.o.opts.Counts.TestCasesPerUseCase, r.o.opts.Minimums.Defaulted().TestCasesPerUseCase)
}

// refill plans, without a model, further rows for use cases that rules could
// not fill: other values may be shown by what the document says. It reports
// whether it planned any.
func (r *run) refill() bool {
	if r.o.opts.Client != nil {
		return false
	}
	added := false
	for _, uc := range r.ucs {
		ids := uc.plan.PolicyIDs
		for n := 0; len(ids) > 0 && n < 2*(r.wanted()-uc.filled()); n++ {
			row, ok := r.planner.extra(uc.plan, ids[n%len(ids)], model.Plain)
			if !ok {
				break
			}
			uc.plan.Rows = append(uc.plan.Rows, row)
			r.addRow(uc, row).extra = true
			added = true
		}
	}
	if r.refillCorner() {
		added = true
	}
	r.reorder()
	return added
}

// refillCorner plans a corner row in each of the first use cases that rules
// could fill, when the corner rows so far stand in others, which will be left
// out. It reports whether it planned any.
func (r *run) refillCorner() bool {
	if !slices.Contains(r.plan.Sources, model.SourceCorner) {
		return false
	}
	var full []*ucState
	for _, uc := range r.ucs {
		if uc.filled() < r.wanted() || len(uc.plan.PolicyIDs) == 0 {
			continue
		}
		full = append(full, uc)
		if slices.ContainsFunc(uc.rows, func(row *rowState) bool { return row.item != nil && row.row.Source == model.SourceCorner }) {
			return false
		}
	}
	added := false
	for _, uc := range full[:min(3, len(full))] {
		row, ok := r.planner.extra(uc.plan, uc.plan.PolicyIDs[0], model.Plain)
		if !ok {
			continue
		}
		row.Source, row.Corner = model.SourceCorner, cornerOf(&row)
		uc.plan.Rows = append(uc.plan.Rows, row)
		r.addRow(uc, row).extra = true
		added = true
	}
	return added
}

// trim brings, where the caller asked for a number of test cases, each use case
// that has enough down to it: the rows that stayed open were replaced.
func (r *run) trim() {
	want := r.o.opts.Counts.TestCasesPerUseCase
	if want == 0 {
		return
	}
	for _, uc := range r.ucs {
		if uc.filled() < want {
			continue
		}
		kept := map[string]bool{}
		uc.rows = slices.DeleteFunc(uc.rows, func(row *rowState) bool {
			if row.item == nil || len(kept) >= want && !r.base.has(row.row.ID) {
				return true
			}
			kept[row.row.ID] = true
			return false
		})
		uc.plan.Rows = slices.DeleteFunc(uc.plan.Rows, func(row model.Row) bool { return !kept[row.ID] })
	}
}

// filled counts the rows that have an item.
func (uc *ucState) filled() int {
	n := 0
	for _, row := range uc.rows {
		if row.item != nil {
			n++
		}
	}
	return n
}

// axesVary reports whether at least two of the axes that the test cases name
// take more than one value.
func (uc *ucState) axesVary() bool {
	var cases []model.TestCase
	for _, row := range uc.rows {
		if row.item != nil {
			cases = append(cases, row.item.TestCase)
		}
	}
	return vary(cases)
}

// varies reports whether at least two axes take more than one value over the
// rows that have an item.
func (uc *ucState) varies() bool {
	n := 0
	for _, a := range uc.plan.Axes {
		seen := map[string]bool{}
		for _, row := range uc.rows {
			if row.item != nil {
				seen[row.row.Parameters[a.Name].String()] = true
			}
		}
		if len(seen) > 1 {
			n++
		}
	}
	return n >= 2
}
