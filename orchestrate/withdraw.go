package orchestrate

import (
	"fmt"
	"slices"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// withdraw settles what a run without a model cannot make. Rules make only
// what the document's own words give: a row that they dropped is infeasible
// without a model, and so is a policy that no feasible row can show. A use case
// that is left with fewer test cases than the minimum is no part of the
// dataset, unless the caller asked for numbers. All of it is told as gaps;
// what a check refused stays a refusal.
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
			if ref, ok := last[row.row.ID]; ok && row.item == nil && ref.Check == checkDropped {
				infeasible[row.row.ID] = "without a model: " + ref.Reason
			}
		}
	}
	gaps = r.withdrawUseCases(infeasible)
	for i := range r.plan.Extraction.Policies {
		p := &r.plan.Extraction.Policies[i]
		if !p.IsTestable() {
			continue
		}
		for _, role := range []model.Role{model.Plain, model.Pressed} {
			key := p.ID + "/" + string(role)
			if why := r.unshowable(p.ID, role, infeasible); why != "" {
				infeasible[key] = why
			}
		}
	}
	return infeasible, gaps
}

// unshowable says why no feasible row shows a policy in a role, or "" when one
// does or could.
func (r *run) unshowable(policy string, role model.Role, infeasible map[string]string) string {
	why := "without a model: the document's own words give no message for it"
	for _, uc := range r.ucs {
		for _, row := range uc.rows {
			if row.row.Roles[policy] != role {
				continue
			}
			because, ok := infeasible[row.row.ID]
			if !ok {
				return ""
			}
			why = because
		}
	}
	return why
}

// withdrawUseCases takes the use cases that rules cannot fill out of the run,
// the emptiest first, as long as the minimum of use cases is kept.
func (r *run) withdrawUseCases(infeasible map[string]string) []coverage.Gap {
	least := r.o.opts.Minimums.Defaulted()
	if r.o.opts.Counts.UseCases != 0 || r.o.opts.Counts.TestCasesPerUseCase != 0 {
		return nil
	}
	var poor []*ucState
	for _, uc := range r.ucs {
		if n, refused := uc.filled(infeasible); n < least.TestCasesPerUseCase && !refused || !uc.varies() {
			poor = append(poor, uc)
		}
	}
	slices.SortStableFunc(poor, func(a, b *ucState) int {
		x, _ := a.filled(infeasible)
		y, _ := b.filled(infeasible)
		return x - y
	})
	var gaps []coverage.Gap
	for _, uc := range poor {
		if len(r.ucs) <= least.UseCases {
			break
		}
		n, _ := uc.filled(infeasible)
		gaps = append(gaps, coverage.Gap{
			Kind: coverage.TargetUseCase, Target: uc.useCase.ID, UseCaseID: uc.useCase.ID, Verdict: coverage.VerdictInfeasible, Limit: coverage.LimitModel,
			Because: fmt.Sprintf("without a model: the document's own words give %d of the %d test cases that a use case needs (%s)", n, least.TestCasesPerUseCase, uc.useCase.Name),
		})
		r.ucs = slices.DeleteFunc(r.ucs, func(u *ucState) bool { return u == uc })
		r.plan.UseCases = slices.DeleteFunc(r.plan.UseCases, func(up model.UseCasePlan) bool { return up.UseCaseID == uc.useCase.ID })
	}
	// The plans moved; the states point at them.
	for _, uc := range r.ucs {
		for i := range r.plan.UseCases {
			if r.plan.UseCases[i].UseCaseID == uc.useCase.ID {
				uc.plan = &r.plan.UseCases[i]
			}
		}
	}
	slices.SortFunc(gaps, func(a, b coverage.Gap) int { return r.place(a.Target) - r.place(b.Target) })
	return gaps
}

// place is the position of a use case in the document.
func (r *run) place(id string) int {
	return slices.IndexFunc(r.plan.Extraction.UseCases, func(u model.UseCase) bool { return u.ID == id })
}

// filled counts the rows that have an item; refused is set when a check
// refused what would have filled another.
func (uc *ucState) filled(infeasible map[string]string) (n int, refused bool) {
	for _, row := range uc.rows {
		switch {
		case row.item != nil:
			n++
		case infeasible[row.row.ID] == "":
			refused = true
		}
	}
	return n, refused
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
