package orchestrate

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/internal/prompt"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

// candidate is an item on its way into the dataset.
type candidate struct {
	row     *rowState
	planned model.Row // the row as the item shows it
	uc      *ucState
	item    model.Item
	outcome int // index in the stage's outcomes
}

// serve dispatches the jobs, adapts and checks what they made in plan order,
// asks once for a repair of what was refused, and keeps the rest.
func (r *run) serve(ctx context.Context, round int, stage string, jobs []job) {
	if len(jobs) == 0 {
		return
	}
	outs := r.dispatch(ctx, round, stage, jobs)
	failed := r.settle(jobs, outs, r.candidates(ctx, jobs, outs))

	var repairs []job
	for i := range jobs {
		findings := failed[i]
		if len(findings) == 0 || ctx.Err() != nil || jobs[i].spec.NeedsModel && r.client == nil {
			continue
		}
		call := *jobs[i].call
		call.ID += "/repair"
		call.Seed = hash(call.Seed, "repair")
		call.Rows, call.Repairs = nil, findings
		for _, row := range jobs[i].call.Rows {
			if _, ok := findings[row.ID]; ok {
				call.Rows = append(call.Rows, cloneRow(row))
			}
		}
		repairs = append(repairs, job{gen: jobs[i].gen, spec: jobs[i].spec, call: &call, stage: "repair"})
	}
	r.outcomes = append(r.outcomes, outs...)
	if len(repairs) > 0 {
		again := r.dispatch(ctx, round, "repair", repairs)
		last := r.settle(repairs, again, r.candidates(ctx, repairs, again))
		r.outcomes = append(r.outcomes, again...)
		// What was to be repaired and did not come back stays refused for what
		// was found the first time.
		for i, j := range repairs {
			for _, row := range j.call.Rows {
				if _, ok := last[i][row.ID]; !ok {
					r.refuseOpen(j, row.ID, j.call.Repairs[row.ID].Findings)
				}
			}
		}
		r.refuseAll(repairs, last)
	}
	// Refused without a repair, because the run ended or the model is gone.
	for i, j := range jobs {
		for _, row := range j.call.Rows {
			if rep, ok := failed[i][row.ID]; ok && !slices.ContainsFunc(repairs, func(p job) bool { return p.call.ID == j.call.ID+"/repair" }) {
				r.refuseOpen(j, row.ID, rep.Findings)
			}
		}
	}
}

func (r *run) refuseAll(jobs []job, findings []map[string]generator.Repair) {
	for i, j := range jobs {
		for _, row := range j.call.Rows {
			if rep, ok := findings[i][row.ID]; ok {
				r.refuseOpen(j, row.ID, rep.Findings)
			}
		}
	}
}

// refuseOpen records the refusal of a row that is still open.
func (r *run) refuseOpen(j job, row string, findings []string) {
	if s := r.rows[row]; s == nil || s.item != nil {
		return
	}
	check, reason := "check", strings.Join(findings, "; ")
	if name, rest, ok := strings.Cut(reason, ": "); ok {
		check, reason = name, rest
	}
	r.refuse(model.Refusal{UseCaseID: j.call.UseCase.ID, Row: row, Generator: j.spec.Name, Check: check, Reason: reason})
}

func (r *run) refuse(ref model.Refusal) {
	ref.Reason = prompt.Clip(ref.Reason, 1000)
	r.refused = append(r.refused, ref)
	r.events.emit(Event{Kind: EventRefused, UseCaseID: ref.UseCaseID, Generator: ref.Generator, Message: ref.Check + ": " + ref.Reason})
}

func (r *run) dispatch(ctx context.Context, round int, stage string, jobs []job) []Outcome {
	open, all := r.openRows()
	r.events.emit(Event{Kind: EventStage, Stage: stage, Round: round, Total: len(jobs), Rows: all, Open: open})
	reserve := func(ctx context.Context, j *job) (context.Context, func(), error) {
		if !j.spec.NeedsModel || r.client == nil {
			return ctx, func() {}, nil
		}
		prompt := j.call.UseCase.Description + quotes(j.call.UseCase.Evidence)
		return r.reserve(ctx, prompt)
	}
	var done atomic.Int64 // calls end on goroutines of their own
	outs := dispatch(ctx, jobs, r.o.opts.Concurrency, r.o.opts.CallTimeout, reserve, r.o.opts.Log, func(i int, o *Outcome) {
		ev := Event{
			Kind: EventCall, Stage: stage, Round: round, Done: int(done.Add(1)), Total: len(jobs),
			UseCaseID: o.UseCaseID, Generator: o.Generator,
		}
		if o.Err != nil {
			ev.Message = o.Err.Error()
		}
		r.events.emit(ev)
	})
	for i := range outs {
		if outs[i].Err == nil {
			continue
		}
		if stop, ok := fatal(outs[i].Err); ok {
			r.giveUp(stop, outs[i].Err)
		}
	}
	return outs
}

// candidates adapts the outputs and returns what they hold, in plan order.
func (r *run) candidates(ctx context.Context, jobs []job, outs []Outcome) []candidate {
	var all []candidate
	for i := range outs {
		o := &outs[i]
		if o.Output == nil {
			continue
		}
		call := jobs[i].call
		for _, d := range o.Output.Dropped {
			r.refuse(model.Refusal{UseCaseID: call.UseCase.ID, Row: d.Row, Generator: o.Generator, Check: checkDropped, Reason: d.Reason})
		}
		adapter, err := r.o.adapters.For(formatOf(o.Output, jobs[i].spec))
		if err != nil {
			o.Err = err
			continue
		}
		// Adapting is not cancelled: what was paid for is kept.
		batch, err := adapter.Adapt(context.WithoutCancel(ctx), call, o.Output)
		if err != nil {
			o.Err = fmt.Errorf("adapting %s records: %w", adapter.Format(), err)
			continue
		}
		for _, ref := range batch.Refused {
			ref.UseCaseID, ref.Generator = call.UseCase.ID, o.Generator
			r.refuse(ref)
		}
		taken := map[string]bool{}
		for k, item := range batch.Items {
			row := r.placed(call, &item, taken)
			if row == nil {
				r.refuse(model.Refusal{
					UseCaseID: call.UseCase.ID, Row: item.Row, Generator: o.Generator, Check: "placing", Index: k,
					Reason: "the item fits no open row that was dealt to the call",
				})
				continue
			}
			taken[row.row.ID] = true
			c := candidate{row: row, planned: row.row, uc: row.uc, item: item, outcome: i}
			if o.Generator == r.o.rules.spec.Name {
				r.replan(&c)
			}
			r.stamp(&c, o, jobs[i])
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return a.row.order - b.row.order })
	return all
}

func formatOf(out *generator.Output, spec generator.Spec) string {
	if out.Format != "" {
		return out.Format
	}
	return spec.RecordFormat()
}

// placed returns the open row that an item fills: the one it names, or for a
// proposal outside the plan the one whose parameters and format it has.
func (r *run) placed(call *generator.Call, item *model.Item, taken map[string]bool) *rowState {
	for _, dealt := range call.Rows {
		row := r.rows[dealt.ID]
		if row == nil || row.item != nil || taken[dealt.ID] {
			continue
		}
		if item.Row == dealt.ID {
			return row
		}
		if item.Row != "" || len(item.Examples) == 0 || item.Examples[0].Format != dealt.Format {
			continue
		}
		same := true
		for _, a := range dealt.Axes {
			same = same && item.TestCase.Parameters[a] == dealt.Parameters[a]
		}
		if same {
			return row
		}
	}
	return nil
}

// replan lets an item made by rules say which policies it shows: they know only
// when it is made what the document's words give. A row that was added for a
// policy stands for that one.
func (r *run) replan(c *candidate) {
	ids := c.item.TestCase.PolicyIDs
	if len(ids) == 0 || slices.Equal(ids, c.planned.PolicyIDs) || c.row.aim != "" && !slices.Contains(ids, c.row.aim) {
		return
	}
	if slices.ContainsFunc(ids, func(id string) bool { return r.policies[id] == nil }) {
		return
	}
	roles := map[string]model.Role{}
	for _, id := range ids {
		roles[id] = model.Plain
		if role, ok := c.planned.Roles[id]; ok {
			roles[id] = role
		}
	}
	c.planned.PolicyIDs, c.planned.Roles = slices.Clone(ids), roles
}

// stamp writes what no generator decides: ids, links, and who made the item.
func (r *run) stamp(c *candidate, o *Outcome, j job) {
	row := &c.planned
	item := &c.item
	item.Row = row.ID
	meta := model.Metadata{Generator: o.Generator, Engine: o.Output.Engine, EngineVersion: o.Output.Version}
	if meta.Engine == "" {
		meta.Engine = "go"
	}
	if meta.EngineVersion == "" && meta.Engine == "go" {
		meta.EngineVersion = Version
	}
	if o.Generator == r.o.direct.spec.Name && j.call.Fallback {
		meta.Generator = "openai_fallback"
	}
	tc := &item.TestCase
	tc.ID, tc.Case, tc.UseCaseID = c.row.id, r.caseOf(), c.uc.useCase.ID
	tc.Axes = slices.Clone(row.Axes)
	params := map[string]model.Value{}
	maps.Copy(params, tc.Parameters)
	maps.Copy(params, row.Parameters)
	tc.Parameters = params
	if len(tc.PolicyIDs) == 0 {
		tc.PolicyIDs = slices.Clone(row.PolicyIDs)
	}
	meta.Native = tc.Metadata.Native
	tc.Metadata = meta
	item.Examples = slices.Clone(item.Examples)
	for i := range item.Examples {
		ex := &item.Examples[i]
		ex.ID = "ex_" + strings.TrimPrefix(tc.ID, "tc_")
		if i > 0 {
			ex.ID += fmt.Sprintf("_n%d", i+1)
		}
		ex.Case, ex.UseCaseID, ex.TestCaseID = tc.Case, tc.UseCaseID, tc.ID
		if ex.Format == "" {
			ex.Format = row.Format
		}
		if len(ex.PolicyIDs) == 0 {
			ex.PolicyIDs = slices.Clone(tc.PolicyIDs)
		}
		m := meta
		m.Native = ex.Metadata.Native
		m.Source, m.Split = row.Source, ex.Metadata.Split
		m.Shown = ex.Metadata.Shown
		m.PolicyRoles = map[string]model.Role{}
		for _, id := range ex.PolicyIDs {
			if role, ok := row.Roles[id]; ok {
				m.PolicyRoles[id] = role
			}
			if role, ok := ex.Metadata.PolicyRoles[id]; ok && (role == model.Plain || role == model.Pressed) {
				m.PolicyRoles[id] = role
			}
		}
		if m.Split == "" && row.Source == model.SourceCorner {
			m.Split = "corner"
		}
		ex.Metadata = m
	}
}

func (r *run) caseOf() model.Case { return r.plan.Profile.Case }

// settle checks the candidates in plan order, keeps the good ones and returns
// for each job what was found in the others.
func (r *run) settle(jobs []job, outs []Outcome, cands []candidate) []map[string]generator.Repair {
	failed := make([]map[string]generator.Repair, len(jobs))
	for chunk := range slices.Chunk(cands, atOnce) {
		r.settleSome(jobs, outs, chunk, failed)
	}
	return failed
}

// atOnce is how many candidates are looked at together: what is read of them is
// kept meanwhile.
const atOnce = 256

func (r *run) settleSome(jobs []job, outs []Outcome, cands []candidate, failed []map[string]generator.Repair) {
	looks := r.inspect(cands)
	for i, c := range cands {
		if c.row.item != nil {
			continue
		}
		findings := r.check(&c, &looks[i])
		if len(findings) == 0 {
			item := c.item
			c.row.item = &item
			c.row.take(c.planned)
			for i := range item.Examples {
				r.seen.Add(item.Examples[i].ID, coverage.InputText(&item.Examples[i].Input))
			}
			r.filled++
			outs[c.outcome].Kept++
			if jobs[c.outcome].spec.NeedsModel {
				r.answered = true
			}
			open, all := r.openRows()
			r.events.emit(Event{Kind: EventKept, Stage: outs[c.outcome].Stage, UseCaseID: c.uc.useCase.ID, Generator: item.TestCase.Metadata.Generator, Rows: all, Open: open})
			continue
		}
		if failed[c.outcome] == nil {
			failed[c.outcome] = map[string]generator.Repair{}
		}
		failed[c.outcome][c.row.row.ID] = generator.Repair{Item: c.item, Findings: findings}
	}
}

// take makes the row what its item shows.
func (s *rowState) take(row model.Row) {
	s.row = row
	for i := range s.uc.plan.Rows {
		if s.uc.plan.Rows[i].ID == row.ID {
			s.uc.plan.Rows[i] = cloneRow(row)
		}
	}
}

// look is what the checks that need no other candidate find in one.
type look struct {
	in    *coverage.Candidate
	found [][]coverage.Finding // by check
}

// inspect runs those checks, on all candidates at once.
func (r *run) inspect(cands []candidate) []look {
	looks := make([]look, len(cands))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range cands {
		if cands[i].row.item != nil {
			continue
		}
		group.Go(func() error {
			in := r.checked(&cands[i])
			looks[i] = look{in, make([][]coverage.Finding, len(r.o.opts.Checks))}
			for k, check := range r.o.opts.Checks {
				if check.Alone() {
					looks[i].found[k] = r.runCheck(check, in)
				}
			}
			return nil
		})
	}
	_ = group.Wait() // always nil: what is found is data
	return looks
}

// checked returns a candidate as the checks see it.
func (r *run) checked(c *candidate) *coverage.Candidate {
	in := &coverage.Candidate{
		Documents: r.plan.Documents, Ground: r.ground, Lang: r.lang, Language: r.plan.Extraction.Language, Profile: r.plan.Profile,
		UseCase: c.uc.useCase, AllPolicies: r.plan.Extraction.Policies, Axes: c.uc.plan.Axes,
		Row: c.planned, Item: c.item, Seen: r.seen,
	}
	for _, id := range c.planned.PolicyIDs {
		if p := r.policies[id]; p != nil {
			in.Policies = append(in.Policies, *p)
		}
	}
	if len(r.o.opts.Checks) == 0 {
		return in
	}
	return in.Prepared()
}

// check returns what is wrong with a candidate; nothing means it is kept.
func (r *run) check(c *candidate, seen *look) []string {
	var out []string
	if n := len(c.item.Examples); n != c.row.row.Examples {
		out = append(out, fmt.Sprintf("examples: the row asks for %d, the item has %d", c.row.row.Examples, n))
	}
	for k, check := range r.o.opts.Checks {
		found := seen.found[k]
		if !check.Alone() {
			found = r.runCheck(check, seen.in)
		}
		for _, f := range found {
			if f.Warn {
				continue
			}
			if s := f.Check + ": " + f.Message; !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// runChecks runs all checks on a candidate.
func (r *run) runChecks(in *coverage.Candidate) (found []coverage.Finding) {
	if len(r.o.opts.Checks) > 0 {
		in = in.Prepared()
	}
	for _, check := range r.o.opts.Checks {
		found = append(found, r.runCheck(check, in)...)
	}
	return found
}

// runCheck runs a check; one that panics refuses the candidate.
func (r *run) runCheck(check coverage.Check, in *coverage.Candidate) (found []coverage.Finding) {
	defer func() {
		if v := recover(); v != nil {
			r.o.opts.Log.Error("check panicked", "check", check.Name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			found = []coverage.Finding{{Check: check.Name, Message: fmt.Sprintf("the check panicked: %v", v)}}
		}
	}()
	return coverage.RunChecks([]coverage.Check{check}, in)
}

func cloneRow(row model.Row) model.Row {
	row.Parameters = maps.Clone(row.Parameters)
	row.Roles = maps.Clone(row.Roles)
	row.Axes = slices.Clone(row.Axes)
	row.PolicyIDs = slices.Clone(row.PolicyIDs)
	row.Given = slices.Clone(row.Given)
	return row
}

// checkDropped is the check of a refusal by the generator itself: it could not
// fill the row.
const checkDropped = "dropped"
