package orchestrate

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/casebook-go/casebook/internal/prompt"

	"github.com/casebook-go/casebook"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
)

// Version is the version of the built-in generators.
const Version = casebook.Version

// grow adds rows for policies that no accepted example shows as they should
// be, where the caller left the number of test cases open. It reports whether
// it added any. A policy and role are tried once.
func (r *run) grow() bool {
	if r.planner == nil || r.o.opts.Counts.TestCasesPerUseCase != 0 {
		return false
	}
	shown := map[string]bool{}
	for _, uc := range r.ucs {
		for _, row := range uc.rows {
			if row.item == nil {
				continue
			}
			for i := range row.item.Examples {
				for id, role := range row.item.Examples[i].Metadata.PolicyRoles {
					shown[id+"/"+string(role)] = true
				}
			}
		}
	}
	bears := map[string][]*ucState{} // on which use cases a policy bears
	for _, uc := range r.ucs {
		for k, id := range uc.plan.PolicyIDs {
			if !slices.Contains(uc.plan.PolicyIDs[:k], id) {
				bears[id] = append(bears[id], uc)
			}
		}
	}
	added := false
	for i := range r.plan.Extraction.Policies {
		pol := &r.plan.Extraction.Policies[i]
		if !pol.IsTestable() {
			continue
		}
		for _, role := range []model.Role{model.Plain, model.Pressed} {
			key := pol.ID + "/" + string(role)
			if shown[key] || r.grown[key] {
				continue
			}
			r.grown[key] = true
			for _, uc := range bears[pol.ID] {
				if row, ok := r.planner.extra(uc.plan, pol.ID, role); ok {
					uc.plan.Rows = append(uc.plan.Rows, row)
					state := r.addRow(uc, row)
					state.extra, state.aim = true, pol.ID
					added = true
					break
				}
			}
		}
	}
	r.reorder()
	return added
}

// reorder numbers the rows again after rows were added.
func (r *run) reorder() {
	n := 0
	for _, uc := range r.ucs {
		for _, row := range uc.rows {
			row.order = n
			n++
		}
	}
}

// extra plans one more row of a use case, for a policy in a role, with values
// that no row has yet. It is not ok when all combinations are taken.
func (p *planner) extra(up *model.UseCasePlan, policyID string, role model.Role) (model.Row, bool) {
	have := covered(up, up.Rows)
	array, err := coverage.Build(&coverage.Model{
		Axes: up.Axes, Constraints: up.Constraints, Strength: up.Strength, MustInclude: have,
		Rows: len(have) + 1, Seed: hash(p.seed, up.UseCaseID),
	})
	if err != nil || len(array.Rows) <= len(have) {
		return model.Row{}, false
	}
	row := p.row(up, array.Row(len(have)))
	row.Format = up.Rows[0].Format
	for i := range up.Rows {
		if up.Rows[i].Source == model.SourceFAQParaphrase || up.Rows[i].Source == "" {
			row.Source = up.Rows[i].Source
		}
	}
	if row.Source == "" && p.hasSource(model.SourceFAQParaphrase) {
		row.Source = model.SourceFAQParaphrase
	}
	p.cite(&row, policyID, role)
	for _, id := range up.PolicyIDs {
		if id != policyID {
			p.cite(&row, id, model.Plain)
			break
		}
	}
	return row, true
}

// result returns what there is, without judging it.
func (r *run) result() *Result {
	res := &Result{
		Dataset: &model.Dataset{}, Plan: r.plan, Outcomes: r.outcomes, Refused: slices.Clone(r.refused), Stop: r.stop,
	}
	if r.plan == nil {
		res.Manifest = r.manifest(res.Dataset)
		return res
	}
	res.Refused = append(slices.Clone(r.plan.Extraction.Refused), res.Refused...)
	for _, uc := range r.ucs {
		res.Dataset.UseCases = append(res.Dataset.UseCases, uc.useCase)
		for _, row := range uc.rows {
			if row.item != nil {
				res.Dataset.TestCases = append(res.Dataset.TestCases, row.item.TestCase)
				res.Dataset.Examples = append(res.Dataset.Examples, row.item.Examples...)
			}
		}
	}
	res.Dataset.Policies = slices.Clone(r.plan.Extraction.Policies)
	res.Manifest = r.manifest(res.Dataset)
	return res
}

// close judges the result: the certificate is computed from the accepted
// examples alone.
func (r *run) close(ctx context.Context) (*Result, error) {
	r.events.emit(Event{Kind: EventStage, Stage: "certify"})
	open, _ := r.openRows()
	switch {
	case ctx.Err() != nil:
		r.stop = StopCancelled
	case r.stop != "":
	case open == 0:
		r.stop = StopComplete
	default:
		r.stop = StopRounds
	}
	infeasible, withdrawn := r.withdraw()
	res := r.result()
	in := &coverage.EnforceInput{
		Infeasible: infeasible,
		Dataset:    res.Dataset, Profile: r.plan.Profile, Plan: r.plan.UseCases,
		Minimums: r.o.opts.Minimums, Counts: r.o.opts.Counts,
		Sources: r.plan.Sources,
	}
	for _, ref := range res.Refused {
		if _, told := infeasible[ref.Row]; !told {
			in.Refused = append(in.Refused, ref)
		}
	}
	for _, c := range r.plan.Extraction.Contradictions {
		in.Contradictions = append(in.Contradictions, coverage.Contradiction{PolicyIDs: c.PolicyIDs, Because: c.Reason})
	}
	switch r.stop {
	case StopBudget:
		in.Stop, in.StopReason = coverage.LimitBudget, r.stopErr.Error()
	case StopCancelled:
		in.Stop, in.StopReason = coverage.LimitDeadline, fmt.Sprint(context.Cause(ctx))
	}
	gaps, short := coverage.Enforce(in)
	gaps = append(gaps, withdrawn...)
	certify := &coverage.CertifyInput{Dataset: res.Dataset, Plan: r.plan.UseCases, Unmapped: r.plan.Extraction.Unmapped, Gaps: gaps}
	if short != nil {
		certify.Shortfalls = short.Shortfalls
	}
	cert, err := coverage.Certify(certify)
	if err != nil {
		return res, err
	}
	res.Certificate = cert
	if ctx.Err() != nil {
		return res, context.Cause(ctx)
	}
	if short != nil {
		return res, short
	}
	return res, nil
}

func (r *run) manifest(d *model.Dataset) *model.Manifest {
	m := &model.Manifest{
		GeneratorVersion: "casebook " + Version, Seed: r.o.opts.Seed,
		LLM:  model.LLM{Provider: "none", Model: "none"},
		Stop: string(r.stop), Routing: "none", Refused: r.refused, Findings: r.findings,
		Counts: model.Counts{UseCases: len(d.UseCases), Policies: len(d.Policies), TestCases: len(d.TestCases), DatasetExamples: len(d.Examples)},
	}
	if r.o.opts.Client != nil {
		m.LLM = model.LLM{Provider: r.o.opts.ProviderName, Model: r.o.opts.ModelName, Temperature: defaultTemperature}
		if m.LLM.Provider == "" {
			m.LLM.Provider = "custom"
		}
	}
	if r.plan != nil {
		m.Language, m.Case = r.plan.Extraction.Language, r.caseOf()
		m.Plan = r.plan.UseCases
		m.Refused = append(slices.Clone(r.plan.Extraction.Refused), r.refused...)
	}
	uses := map[string]*model.GeneratorUse{}
	for _, tc := range d.TestCases {
		u := uses[tc.Metadata.Generator]
		if u == nil {
			u = &model.GeneratorUse{Name: tc.Metadata.Generator, Engine: tc.Metadata.Engine, Version: tc.Metadata.EngineVersion}
			uses[u.Name] = u
		}
	}
	for _, ex := range d.Examples {
		if u := uses[ex.Metadata.Generator]; u != nil {
			u.Items++
		}
	}
	for _, name := range slices.Sorted(maps.Keys(uses)) {
		m.FrameworksUsed = append(m.FrameworksUsed, name)
		m.Generators = append(m.Generators, *uses[name])
	}
	for _, o := range r.outcomes {
		c := model.CallOutcome{Round: o.Round, Call: o.Call, Generator: o.Generator, Tool: o.Tool, UseCaseID: o.UseCaseID, Rows: o.Rows, Kept: o.Kept}
		if o.Err != nil {
			c.Error = oneLine(o.Err.Error())
		}
		m.Outcomes = append(m.Outcomes, c)
	}
	if r.stopErr != nil {
		m.StopReason = oneLine(r.stopErr.Error())
	}
	r.usage(m)
	return m
}

// defaultTemperature is what models use when none is sent, and casebook sends
// none: reasoning models refuse it.
const defaultTemperature = 1

func (r *run) usage(m *model.Manifest) {
	s := r.ledger.Snapshot()
	m.Usage = &model.Usage{Calls: s.Calls, USD: s.USD, ByPurpose: map[string]int64{}}
	served := map[string]bool{}
	for _, line := range s.Lines {
		m.Usage.InputTokens += line.Tokens.Input
		m.Usage.CachedTokens += line.Tokens.Cached
		m.Usage.OutputTokens += line.Tokens.Output
		m.Usage.ReasoningTokens += line.Tokens.Reasoning
		m.Usage.ByPurpose[line.Purpose] += line.Calls
		m.Usage.Retries += line.Failed
		replied := line.Calls > line.Failed
		if replied && line.Purpose == "route" {
			m.Routing = "model"
		}
		if replied && line.Model != "" && line.Purpose != llm.PurposeEmbed {
			served[line.Model] = true
		}
	}
	m.LLM.ServedModel = strings.Join(slices.Sorted(maps.Keys(served)), ", ")
	if r.o.opts.Now != nil {
		m.Timestamp = r.started.Format(time.RFC3339)
		m.Usage.Seconds = r.now().Sub(r.started).Seconds()
	}
}

// spent fills in what the run has used so far.
func (r *run) spent(ev *Event) {
	s := r.ledger.Snapshot()
	ev.Calls, ev.USD, ev.Priced = s.Calls, s.USD, s.Unpriced == 0
	for _, line := range s.Lines {
		ev.Tokens += line.Tokens.Input + line.Tokens.Output
	}
}

func oneLine(s string) string { return prompt.Clip(strings.Join(strings.Fields(s), " "), 500) }
