package orchestrate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/casebook-go/casebook/internal/prompt"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/ground"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// run is the state of one run. Only the goroutine of Run changes it; calls
// under way write to their own outcome.
type run struct {
	o        *Orchestrator
	client   llm.Client // nil offline and after the model is given up
	ledger   *llm.Ledger
	events   emitter
	started  time.Time
	lang     *lang.Language // nil for a language without data
	embedder llm.Embedder

	plan     *Plan
	planner  *planner
	policies map[string]*model.Policy
	policyAt map[string][]int // places in the extraction
	ucs      []*ucState
	ids      model.IDs
	seen     *coverage.Index
	ground   *coverage.Ground
	outcomes []Outcome
	refused  []model.Refusal
	single   bool // one use case, which is never left out
	suspect  bool // the model's extraction could not be used
	stop     Stop
	stopErr  error
	rows     map[string]*rowState // by row id
	filled   int                  // rows with an item
	answered bool                 // the model gave at least one usable reply
	grown    map[string]bool
	memo     generator.Memo
	base     *base           // what is there already; nil for a new dataset
	findings []model.Finding // of tests that were brought in
}

type ucState struct {
	useCase model.UseCase
	plan    *model.UseCasePlan
	rows    []*rowState
}

// rowState is a planned row and the item that fills it, if one was accepted.
type rowState struct {
	uc    *ucState
	row   model.Row
	order int    // in the whole plan
	extra bool   // added after the plan was made
	aim   string // the policy that it was added for, if any
	id    string
	item  *model.Item
}

// prepare makes the plan, or takes the one that is given.
func (r *run) prepare(ctx context.Context, in *Input) error {
	if in != nil && in.Plan != nil {
		if in.Base != nil {
			return &JobError{"Base", "it goes with Documents; a plan has its own"}
		}
		return r.adopt(ctx, in.Plan)
	}
	if in == nil {
		return &JobError{"Documents", "there are none"}
	}
	if err := uniqueNames(in.Documents); err != nil {
		return err
	}
	if in.Base != nil {
		return r.prepareBase(ctx, in)
	}
	r.events.emit(Event{Kind: EventStage, Stage: "extract"})
	ex, err := r.extract(ctx, in.Documents)
	if err != nil {
		return err
	}
	return r.planFrom(ctx, in.Documents, ex)
}

// extract reads the documents with the model. What the model cannot do, rules
// do instead; only a provider that cannot be used at all is an error.
func (r *run) extract(ctx context.Context, docs []*model.Document) (*extract.Result, error) {
	o := &extract.Options{Client: r.client, Profile: r.o.opts.Profile, Concurrency: r.o.opts.Concurrency, CallTimeout: r.o.opts.CallTimeout}
	ex, err := extract.Extract(ctx, docs, o)
	if err == nil || r.client == nil || ctx.Err() != nil {
		if ctx.Err() != nil {
			r.stop = StopCancelled
			return nil, context.Cause(ctx)
		}
		return ex, err
	}
	var budget *llm.BudgetError
	switch {
	case errors.As(err, &budget):
		r.giveUp(StopBudget, err)
	case unusable(err):
		r.stop = StopProvider
		return nil, &ProviderError{"extract", err}
	default:
		r.suspect = true
		r.refused = append(r.refused, model.Refusal{Check: "extract", Reason: err.Error()})
		r.events.emit(Event{Kind: EventNotice, Stage: "extract", Message: "the model's extraction cannot be used; rules read the document: " + err.Error()})
	}
	o.Client = nil
	byRules, rulesErr := extract.Extract(ctx, docs, o)
	if rulesErr != nil {
		return nil, fmt.Errorf("%w (and by the model: %w)", rulesErr, err)
	}
	return byRules, nil
}

// unusable reports whether err says that the provider did not answer at all.
func unusable(err error) bool {
	var stopped *llm.StoppedError
	if errors.As(err, &stopped) {
		return true
	}
	var missing *llm.MissingError
	if errors.As(err, &missing) {
		return true
	}
	var e *llm.Error
	return errors.As(err, &e) && (e.Fatal() || e.Kind == llm.KindRate || e.Kind == llm.KindOverload)
}

func (r *run) planFrom(ctx context.Context, docs []*model.Document, ex *extract.Result) error {
	profile := r.o.opts.Profile
	if profile == nil {
		if profile = builtinProfile(ex.Case); profile == nil {
			return &OptionError{"Profile", fmt.Sprintf("the case %q has no built-in profile; give one", ex.Case)}
		}
	}
	return r.planWith(ctx, docs, ex, profile)
}

func (r *run) planWith(ctx context.Context, docs []*model.Document, ex *extract.Result, profile *model.Profile) error {
	l, err := ground.Language(ctx, &r.memo, ex.Language)
	if err != nil {
		if r.client == nil {
			return err
		}
		l = nil
	}
	r.lang = l
	r.events.emit(Event{Kind: EventStage, Stage: "plan"})
	r.planner = r.newPlanner(docs, ex, profile)
	plan, err := r.planner.plan(ctx)
	if err != nil {
		return err
	}
	return r.adopt(ctx, plan)
}

func (r *run) newPlanner(docs []*model.Document, ex *extract.Result, profile *model.Profile) *planner {
	p := &planner{
		docs: docs, ex: ex, profile: profile, lang: r.lang,
		counts: r.o.opts.Counts, minimums: r.o.opts.Minimums.Defaulted(),
		strength: r.o.opts.Strength, seed: r.o.opts.Seed, phrases: r.client != nil, base: r.base,
	}
	if r.o.opts.Embedder != nil {
		p.embedder = r.embedder
	}
	return p.index()
}

// adopt makes the run's state of a plan, which stays as it is. Ids follow from
// the plan alone.
func (r *run) adopt(ctx context.Context, given *Plan) error {
	if given.Extraction == nil || given.Profile == nil {
		return &JobError{"Plan", "it lacks its Extraction or Profile; use a plan that Plan returned"}
	}
	plan := given.clone()
	r.plan, r.base = plan, plan.base
	if r.base != nil {
		r.findings = append(r.findings, r.base.findings...)
		for _, id := range slices.Sorted(maps.Keys(r.base.taken)) {
			r.ids.Reserve(id)
		}
	}
	if r.lang == nil {
		r.lang, _ = ground.Language(ctx, &r.memo, plan.Extraction.Language) // nil without data; checks that need words are left out
	}
	if r.lang == nil && r.client == nil {
		_, err := lang.For(plan.Extraction.Language)
		return err
	}
	var texts []string
	r.policyAt = map[string][]int{}
	for i := range plan.Extraction.Policies {
		p := &plan.Extraction.Policies[i]
		r.policies[p.ID] = p
		r.policyAt[p.ID] = append(r.policyAt[p.ID], i)
		texts = append(texts, p.Statement)
	}
	if r.embedder == nil {
		for _, d := range plan.Documents {
			for i := range d.Blocks {
				texts = append(texts, d.Blocks[i].Text)
			}
		}
		r.embedder = &lexical{texts: texts}
	}
	if r.planner == nil {
		r.planner = r.newPlanner(plan.Documents, plan.Extraction, plan.Profile)
		for i := range plan.UseCases {
			for k := range plan.UseCases[i].Rows {
				r.planner.count(&plan.UseCases[i].Rows[k])
			}
		}
	}
	r.seen = &coverage.Index{}
	if len(plan.Documents) > 0 {
		r.ground = ground.Of(ctx, &r.memo, r.lang, plan.Documents, plan.Extraction.Policies)
	}
	r.grown = map[string]bool{}
	r.rows = map[string]*rowState{}
	found := map[string]int{}
	for i := range plan.Extraction.UseCases {
		id := plan.Extraction.UseCases[i].ID
		if _, ok := found[id]; !ok {
			found[id] = i
		}
	}
	for i := range plan.UseCases {
		up := &plan.UseCases[i]
		k, ok := found[up.UseCaseID]
		if !ok {
			return &JobError{"Plan", fmt.Sprintf("use case %q is planned but not in the extraction", up.UseCaseID)}
		}
		uc := &ucState{useCase: plan.Extraction.UseCases[k], plan: up}
		for _, row := range up.Rows {
			if !r.base.has(row.ID) {
				r.addRow(uc, row)
				continue
			}
			item := r.base.items[row.ID]
			state := &rowState{uc: uc, row: row, order: len(r.rows), id: item.TestCase.ID, item: &item}
			uc.rows = append(uc.rows, state)
			r.rows[row.ID] = state
			r.filled++
			for k := range item.Examples {
				r.seen.Add(item.Examples[k].ID, coverage.InputText(&item.Examples[k].Input))
			}
		}
		r.ucs = append(r.ucs, uc)
	}
	return nil
}

// lexical is llm.NewLexical of the texts, made when it is first asked: most runs
// never ask.
type lexical struct {
	texts []string
	once  sync.Once
	e     llm.Embedder
}

func (l *lexical) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	l.once.Do(func() { l.e, l.texts = llm.NewLexical(l.texts), nil })
	return l.e.Embed(ctx, texts)
}

func (r *run) addRow(uc *ucState, row model.Row) *rowState {
	text := uc.useCase.ID[min(len("uc_"), len(uc.useCase.ID)):]
	for _, a := range row.Axes {
		text += " " + row.Parameters[a].String()
	}
	state := &rowState{uc: uc, row: row, order: len(r.rows), id: r.ids.Make("tc_", text)}
	uc.rows = append(uc.rows, state)
	r.rows[row.ID] = state
	return state
}

// open returns the rows of each use case that no item fills yet.
func (r *run) open() map[*ucState][]*rowState {
	out := map[*ucState][]*rowState{}
	for _, uc := range r.ucs {
		for _, row := range uc.rows {
			if row.item == nil {
				out[uc] = append(out[uc], row)
			}
		}
	}
	return out
}

func (r *run) openRows() (open, all int) { return len(r.rows) - r.filled, len(r.rows) }

// execute goes through the rounds and the fallbacks and closes the run.
func (r *run) execute(ctx context.Context) (*Result, error) {
	round := 0
	for pass := range 2 {
		if r.client != nil {
			for range r.o.opts.MaxRounds {
				if n, _ := r.openRows(); n == 0 || r.client == nil || ctx.Err() != nil {
					break
				}
				round++
				if err := r.round(ctx, round); err != nil {
					return r.result(), err
				}
				if pass > 0 {
					break // one routed round for what was added
				}
			}
			// The second time row by row, so that one row that the model will not
			// write does not take others with it.
			for attempt := range 2 {
				if n, _ := r.openRows(); n == 0 || r.client == nil || ctx.Err() != nil {
					break
				}
				round++
				r.stage(ctx, round, "fallback", &r.o.direct, true, attempt > 0)
			}
			r.fallBack(ctx, &round)
		} else {
			for i := range r.o.gens {
				reg := &r.o.gens[i]
				if reg.spec.NeedsModel || reg.spec.NeedsEmbedder && r.o.opts.Embedder == nil || reg.spec.Name == r.o.rules.spec.Name {
					continue
				}
				if n, _ := r.openRows(); n == 0 || ctx.Err() != nil {
					break
				}
				round++
				r.stage(ctx, round, "generate", reg, false, false)
			}
			r.fallBack(ctx, &round)
		}
		grown, refilled := r.grow(), r.refill()
		if ctx.Err() != nil || !grown && !refilled {
			break
		}
	}
	return r.close(ctx)
}

// fallBack fills what is open by rules, twice: a refused item is tried again
// in other words.
func (r *run) fallBack(ctx context.Context, round *int) {
	for range 2 {
		if n, _ := r.openRows(); n == 0 || ctx.Err() != nil || r.lang == nil {
			return
		}
		*round++
		r.stage(ctx, *round, "fallback", &r.o.rules, true, false)
	}
}

// round routes every use case that has open rows, deals the rows to the
// accepted calls and dispatches them.
func (r *run) round(ctx context.Context, round int) error {
	open := r.open()
	var ucs []*ucState
	for _, uc := range r.ucs {
		if len(open[uc]) > 0 {
			ucs = append(ucs, uc)
		}
	}
	if r.suspect && round == 1 && !r.probe(ctx, ucs, open) {
		return r.failedEarly(ctx, "route")
	}
	r.events.emit(Event{Kind: EventStage, Stage: "route", Round: round, Total: len(ucs)})
	results := make([]routed, len(ucs))
	var group errgroup.Group
	group.SetLimit(r.o.opts.Concurrency)
	for i, uc := range ucs {
		results[i].err = generator.ErrNotStarted
		// Budget is given out in plan order: the reservation precedes the goroutine.
		callCtx, release, err := r.reserve(ctx, r.routeMessage(uc, open[uc]))
		if err != nil {
			results[i].err = err
			continue
		}
		if ctx.Err() != nil {
			release()
			continue
		}
		group.Go(func() error {
			defer release()
			results[i] = r.route(callCtx, round, uc, open[uc])
			return nil
		})
	}
	_ = group.Wait() // always nil: failure is data

	var jobs []job
	down := 0
	var firstErr error
	for i, uc := range ucs {
		res := &results[i]
		r.outcomes = append(r.outcomes, res.outcome...)
		if res.err != nil {
			if firstErr == nil {
				firstErr = res.err
			}
			if unusable(res.err) {
				down++
			}
			r.outcomes = append(r.outcomes, Outcome{
				Round: round, Call: fmt.Sprintf("r%d/%s/route", round, uc.useCase.ID), UseCaseID: uc.useCase.ID, Stage: "route", Err: res.err,
			})
			if stop, ok := fatal(res.err); ok {
				r.giveUp(stop, res.err)
			}
			continue
		}
		r.answered = true
		if res.reason != "" && len(res.calls) == 0 {
			r.outcomes = append(r.outcomes, Outcome{
				Round: round, Call: fmt.Sprintf("r%d/%s/route", round, uc.useCase.ID), UseCaseID: uc.useCase.ID, Stage: "route", Err: &NoSuitableError{prompt.Clip(res.reason, 300)},
			})
		}
		for k, rows := range deal(res.calls, open[uc]) {
			if len(rows) > 0 {
				jobs = append(jobs, r.job(res.calls[k].reg, res.calls[k].args, uc, rows, round, len(jobs), "generate", false))
			}
		}
	}
	if ctx.Err() == nil && down == len(ucs) && r.made() == 0 && !r.answered && r.unproven() {
		r.stop = StopProvider
		return &ProviderError{"route", firstErr}
	}
	if err := r.failedEarly(ctx, "route"); err != nil {
		return err
	}
	r.serve(ctx, round, "generate", jobs)
	if err := r.failedEarly(ctx, "generate"); err != nil {
		return err
	}
	if round == 1 && r.made() == 0 && ctx.Err() == nil && r.client != nil && r.suspect {
		r.giveUp(StopModel, errors.New("neither its extraction nor anything it generated in the first round could be used"))
	}
	return nil
}

// probes is how many use cases a model is asked about before it is given up.
const probes = 3

// probe asks a model whose extraction could not be used about a few use cases,
// one after another, before it is asked about all. It reports whether the model
// can be used at all, and gives it up if not.
func (r *run) probe(ctx context.Context, ucs []*ucState, open map[*ucState][]*rowState) bool {
	if len(ucs) < 2 {
		return true
	}
	for i, uc := range ucs[:min(probes, len(ucs))] {
		res := r.route(ctx, 1, uc, open[uc])
		if res.err == nil || ctx.Err() != nil {
			return true
		}
		r.outcomes = append(r.outcomes, Outcome{
			Round: 1, Call: fmt.Sprintf("r1/%s/route", uc.useCase.ID), UseCaseID: uc.useCase.ID, Stage: "route", Err: res.err,
		})
		if stop, ok := fatal(res.err); ok {
			r.giveUp(stop, res.err)
			return false
		}
		if i == min(probes, len(ucs))-1 {
			r.giveUp(StopModel, res.err)
		}
	}
	return false
}

// failedEarly is the error of a provider that failed for good before an item
// was accepted: there is nothing yet that rules would complete.
func (r *run) failedEarly(ctx context.Context, stage string) error {
	if r.stop == StopProvider && r.made() == 0 && ctx.Err() == nil {
		return &ProviderError{stage, r.stopErr}
	}
	return nil // a run that was ended says so itself
}

// made counts the rows that this run filled.
func (r *run) made() int {
	if r.base == nil {
		return r.filled
	}
	return r.filled - len(r.base.items)
}

// unproven reports whether nothing so far shows that the provider works.
func (r *run) unproven() bool {
	s := r.ledger.Snapshot()
	return s.Calls == s.Failed
}

// NoSuitableError is the outcome of a router that found no generator suitable.
type NoSuitableError struct{ Reason string }

func (e *NoSuitableError) Error() string { return "no generator was found suitable: " + e.Reason }

// stage gives the open rows to one generator: a call for each use case, or for
// each row.
func (r *run) stage(ctx context.Context, round int, name string, reg *registered, fallback, single bool) {
	open := r.open()
	var jobs []job
	for _, uc := range r.ucs {
		rows := slices.DeleteFunc(slices.Clone(open[uc]), func(row *rowState) bool { return !reg.makes(&row.row) })
		if len(rows) == 0 {
			continue
		}
		args, err := generator.CheckArgs(reg.spec, nil)
		if err != nil { // a required parameter without a default
			r.outcomes = append(r.outcomes, Outcome{Round: round, Generator: reg.spec.Name, Tool: reg.tool.Name, UseCaseID: uc.useCase.ID, Stage: name, Err: err})
			continue
		}
		if n := reg.bound(args); !fallback && n >= 0 && n < len(rows) {
			rows = rows[:n]
		}
		size := len(rows)
		if single {
			size = 1
		}
		for part := range slices.Chunk(rows, size) {
			jobs = append(jobs, r.job(reg, args, uc, part, round, len(jobs), name, fallback))
		}
	}
	r.serve(ctx, round, name, jobs)
}

func (r *run) job(reg *registered, args []byte, uc *ucState, rows []*rowState, round, index int, stage string, fallback bool) job {
	call := &generator.Call{
		ID:    fmt.Sprintf("r%d/%d", round, index+1),
		Round: round, Index: index, Seed: hash(r.o.opts.Seed, round, uc.useCase.ID, reg.spec.Name, index),
		Documents: r.plan.Documents, Language: r.plan.Extraction.Language, Profile: r.plan.Profile,
		UseCase: uc.useCase, Axes: uc.plan.Axes, Args: args, Fallback: fallback, AllPolicies: r.plan.Extraction.Policies,
		Embedder: r.embedder, Memo: &r.memo, Log: r.o.opts.Log,
	}
	if r.client != nil {
		call.Model = r.client
	}
	cited := map[string]bool{}
	for _, row := range rows {
		call.Rows = append(call.Rows, cloneRow(row.row))
		for _, id := range row.row.PolicyIDs {
			cited[id] = true
		}
	}
	var places []int
	for id := range cited {
		places = append(places, r.policyAt[id]...)
	}
	slices.Sort(places)
	for _, i := range places {
		call.Policies = append(call.Policies, r.plan.Extraction.Policies[i])
	}
	for _, row := range uc.rows {
		if row.item != nil {
			for i := range row.item.Examples {
				call.Avoid = append(call.Avoid, coverage.InputText(&row.item.Examples[i].Input))
			}
		}
	}
	return job{gen: reg.gen, spec: reg.spec, call: call, stage: stage}
}

// giveUp ends the use of the model: what is open is completed by rules.
func (r *run) giveUp(stop Stop, err error) {
	if r.client == nil {
		return
	}
	r.client, r.stop, r.stopErr = nil, stop, err
	r.events.emit(Event{Kind: EventNotice, Message: "the model is used no further: " + err.Error()})
}

// reserve sets the first model call of a piece of work aside in the budget.
func (r *run) reserve(ctx context.Context, prompt string) (context.Context, func(), error) {
	res, err := r.ledger.Reserve(llm.EstimateOf(&llm.Request{
		Model: r.o.opts.ModelName, Messages: []llm.Message{{Role: llm.RoleUser, Content: prompt}},
	}))
	if err != nil {
		return ctx, nil, err
	}
	return llm.WithReservation(ctx, res), res.Release, nil
}
