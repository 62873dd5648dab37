package orchestrate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/casebook-go/casebook/adapters"
	deepevalformat "github.com/casebook-go/casebook/adapters/deepeval"
	giskardformat "github.com/casebook-go/casebook/adapters/giskard"
	ragasformat "github.com/casebook-go/casebook/adapters/ragas"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/direct"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/generator/rules"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// Orchestrator runs documents into datasets. It is immutable and safe for
// concurrent use: runs share the client's limits, and nothing else.
type Orchestrator struct {
	opts       *Options
	gens       []registered // offered to the router, in registration order
	direct     registered   // the first fallback
	rules      registered   // the last one
	adapters   *adapters.Set
	noSuitable llm.Tool
	limiter    *llm.Limiter
}

// Input is what a run works on.
type Input struct {
	// Documents are read as one body. Their base names must differ.
	Documents []*model.Document
	// Plan is a plan made by [Orchestrator.Plan], to be run instead of a new
	// one; Documents is then ignored.
	Plan *Plan
	// Base is a dataset of the documents that the run completes; nil makes a new
	// one. It goes with Documents, not with Plan.
	Base *Base
}

// Job is one use case and its policies, without extraction.
type Job struct {
	UseCase  model.UseCase
	Policies []model.Policy
	// Language is the BCP 47 base language to write in. Required without Documents.
	Language string
	// Documents are optional; facts of answers are looked up in them and in
	// the policies.
	Documents []*model.Document
}

// Stop says why a run ended.
type Stop string

// The reasons.
const (
	StopComplete  Stop = "complete"  // everything planned was made
	StopRounds    Stop = "rounds"    // all rounds and fallbacks are done, something is open
	StopBudget    Stop = "budget"    // the budget allowed no further call; completed by rules
	StopProvider  Stop = "provider"  // the provider failed for good; completed by rules
	StopModel     Stop = "model"     // nothing of the model could be used; completed by rules
	StopCancelled Stop = "cancelled" // ctx ended
	StopImported  Stop = "imported"  // tests were brought in and nothing was to be generated
)

// Result is what a run made. It is never nil; after an error it holds what was
// done until then, and its Dataset is consistent.
type Result struct {
	Dataset     *model.Dataset
	Certificate *coverage.Certificate
	// Manifest lacks InputPath, OutPath and Files, which the application knows.
	Manifest *model.Manifest
	Plan     *Plan
	Outcomes []Outcome
	Refused  []model.Refusal
	Stop     Stop
}

// Err joins the errors of the calls that failed, in order; nil if none did.
func (r *Result) Err() error {
	var errs []error
	for i := range r.Outcomes {
		if o := &r.Outcomes[i]; o.Err != nil {
			errs = append(errs, fmt.Errorf("call %s of %s: %w", o.Call, o.Generator, o.Err))
		}
	}
	return errors.Join(errs...)
}

// ProviderError says that the model could not be used before anything was
// made. It wraps the failure, mostly a *[llm.Error].
type ProviderError struct {
	Stage string // extract, route or generate
	Err   error
}

func (e *ProviderError) Error() string {
	remedy := "check the endpoint, the key and the model's name, or run without a model"
	var missing *llm.MissingError
	if errors.As(e.Err, &missing) {
		remedy = "the documents, the options or the seed differ from those of the recording"
	}
	return fmt.Sprintf("orchestrate: the model could not be used (%s): %v: %s", e.Stage, e.Err, remedy)
}

// Unwrap returns the failure.
func (e *ProviderError) Unwrap() error { return e.Err }

// RegistrationError says which generator cannot be used and why.
type RegistrationError struct {
	Name string
	Err  error
}

func (e *RegistrationError) Error() string {
	return fmt.Sprintf("orchestrate: generator %q: %v", e.Name, e.Err)
}

// Unwrap returns the reason.
func (e *RegistrationError) Unwrap() error { return e.Err }

// Builtin returns the generators that come with casebook, in the order in
// which they are offered to a router: deepeval, ragas, giskard, direct, rules.
func Builtin() []generator.Generator {
	return []generator.Generator{
		generator.Must(deepeval.New(nil)), generator.Must(ragas.New(nil)), generator.Must(giskard.New(nil)),
		generator.Must(direct.New(nil)), generator.Must(rules.New(nil)),
	}
}

// New returns an orchestrator of the generators; nil means [Builtin]. Its
// errors are *[RegistrationError] and *[OptionError], joined. The direct and
// rules generators are the fallbacks of every orchestrator, registered or not.
func New(gens []generator.Generator, opts *Options) (*Orchestrator, error) {
	o := &Orchestrator{}
	var err error
	if o.opts, err = opts.withDefaults(); err != nil {
		return nil, err
	}
	if gens == nil {
		gens = Builtin()
	}
	var errs []error
	for _, g := range gens {
		if isNil(g) {
			errs = append(errs, &RegistrationError{"", errors.New("it is nil")})
			continue
		}
		reg, err := register(g)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, other := range o.gens {
			if other.spec.Name == reg.spec.Name || other.tool.Name == reg.tool.Name {
				errs = append(errs, &RegistrationError{reg.spec.Name, fmt.Errorf("its name or tool %q is taken; give each generator its own", reg.tool.Name)})
			}
		}
		if reg.tool.Name == noSuitable {
			errs = append(errs, &RegistrationError{reg.spec.Name, fmt.Errorf("the tool name %q is reserved", noSuitable)})
		}
		o.gens = append(o.gens, reg)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if o.direct, err = o.builtin(generator.Must(direct.New(nil))); err != nil {
		return nil, err
	}
	if o.rules, err = o.builtin(generator.Must(rules.New(nil))); err != nil {
		return nil, err
	}
	if o.adapters, err = adapterSet(o.opts.Adapters); err != nil {
		return nil, err
	}
	for _, reg := range o.gens {
		if _, err := o.adapters.For(reg.spec.RecordFormat()); err != nil {
			return nil, &RegistrationError{reg.spec.Name, err}
		}
	}
	none, err := generator.ToolFor(generator.Spec{
		Name: noSuitable, Tool: noSuitable, Params: &noSuitableParams{},
		Description: "Call this, and nothing else, when none of the generators can make any of the rows.",
	})
	if err != nil {
		return nil, err
	}
	o.noSuitable = none
	limit := llm.LimitOptions{Concurrency: o.opts.Concurrency}
	if o.opts.Limit != nil {
		limit = *o.opts.Limit
	}
	o.limiter = llm.NewLimiter(&limit)
	return o, nil
}

func register(g generator.Generator) (registered, error) {
	spec := g.Spec()
	tool, err := generator.ToolFor(spec)
	if err != nil {
		return registered{}, &RegistrationError{spec.Name, err}
	}
	return registered{g, spec, tool}, nil
}

// builtin returns the registered generator of the same name, if there is one,
// so that an application's replacement is also the fallback.
func (o *Orchestrator) builtin(g generator.Generator) (registered, error) {
	name := g.Spec().Name
	if i := slices.IndexFunc(o.gens, func(r registered) bool { return r.spec.Name == name }); i >= 0 {
		return o.gens[i], nil
	}
	return register(g)
}

func adapterSet(own []adapters.Adapter) (*adapters.Set, error) {
	all := slices.Clone(own)
	defaults := []adapters.Adapter{
		adapters.Batch(), deepevalformat.New(deepevalformat.Options{}), ragasformat.New(ragasformat.Options{}), giskardformat.New(giskardformat.Options{}),
	}
	for _, d := range defaults {
		if !slices.ContainsFunc(own, func(a adapters.Adapter) bool { return !isNil(a) && a.Format() == d.Format() }) {
			all = append(all, d)
		}
	}
	return adapters.NewSet(all...)
}

// Plan extracts and plans, and makes nothing. Its errors are those of
// [extract.Extract], *[ProviderError] and the cause of ctx.
func (o *Orchestrator) Plan(ctx context.Context, in *Input) (*Plan, error) {
	r, err := o.newRun()
	if err != nil {
		return nil, err
	}
	if err := r.prepare(ctx, in); err != nil {
		return nil, err
	}
	return r.plan, nil
}

// Run makes a dataset of the documents. The result is never nil. The error is
// nil when everything was made that the plan and the minimums ask for; else it
// is a *[coverage.ShortfallError], a *[ProviderError] when the model could not
// be used at all, an error of [extract.Extract], a *[llm.PriceError] or the
// cause of ctx. Failures of single calls are in [Result.Outcomes].
func (o *Orchestrator) Run(ctx context.Context, in *Input) (*Result, error) {
	r, err := o.newRun()
	if err != nil {
		return &Result{Dataset: &model.Dataset{}}, err
	}
	if err := r.prepare(ctx, in); err != nil {
		return r.result(), err
	}
	return r.execute(ctx)
}

// Generate makes a dataset of one use case and its policies. The minimums that
// concern a whole document do not apply. For errors see [Orchestrator.Run].
func (o *Orchestrator) Generate(ctx context.Context, job *Job) (*Result, error) {
	if job == nil {
		return &Result{Dataset: &model.Dataset{}}, &JobError{"UseCase", "the job is nil"}
	}
	single := *o
	opts := *o.opts
	opts.Minimums.UseCases, opts.Minimums.Policies, opts.Minimums.PolicyTypes = -1, -1, -1
	opts.Minimums.AllowMissingFormats, opts.Minimums.AllowMissingSources = true, true
	opts.Counts.UseCases = 0
	single.opts = &opts
	r, err := single.newRun()
	if err != nil {
		return &Result{Dataset: &model.Dataset{}}, err
	}
	r.single = true
	ex, err := job.extraction()
	if err != nil {
		return r.result(), err
	}
	if err := r.planFrom(ctx, job.Documents, ex); err != nil {
		return r.result(), err
	}
	return r.execute(ctx)
}

// JobError says what a [Job] lacks.
type JobError struct{ Field, Problem string }

func (e *JobError) Error() string { return fmt.Sprintf("orchestrate: job: %s: %s", e.Field, e.Problem) }

func (j *Job) extraction() (*extract.Result, error) {
	if j.UseCase.ID == "" || j.UseCase.Name == "" {
		return nil, &JobError{"UseCase", "it needs an id and a name"}
	}
	if len(j.Policies) == 0 {
		return nil, &JobError{"Policies", "at least one is needed: an example is judged by the policies it cites"}
	}
	if slices.Contains(j.Documents, nil) {
		return nil, &JobError{"Documents", "one is nil"}
	}
	own := model.Dataset{UseCases: []model.UseCase{j.UseCase}, Policies: j.Policies}
	if broken := own.Violations(); len(broken) > 0 {
		return nil, &JobError{string(broken[0].File) + " " + broken[0].ID, broken[0].Message}
	}
	ex := &extract.Result{
		Case: j.UseCase.Case, Language: j.Language,
		UseCases: []model.UseCase{j.UseCase}, Policies: j.Policies,
		Relevant: map[string][]string{}, Corner: map[string]string{},
	}
	for _, p := range j.Policies {
		ex.Relevant[j.UseCase.ID] = append(ex.Relevant[j.UseCase.ID], p.ID)
	}
	if ex.Language == "" {
		text := ""
		for _, d := range j.Documents {
			text += d.Text() + "\n"
		}
		ex.Language = lang.Detect(text)
		if ex.Language == "" {
			return nil, &JobError{"Language", "it is empty and cannot be told from the documents; set it"}
		}
	}
	return ex, nil
}

// builtinProfile returns the profile of a case.
func builtinProfile(c model.Case) *model.Profile {
	switch c {
	case model.CaseOperatorQuality:
		return model.OperatorQuality()
	case model.CaseSupportBot, "":
		return model.SupportBot()
	default:
		return nil
	}
}

// newRun starts the accounting of one run.
func (o *Orchestrator) newRun() (*run, error) {
	r := &run{o: o, policies: map[string]*model.Policy{}}
	r.events = emitter{fn: o.opts.OnEvent, spent: r.spent}
	ledger, err := llm.NewLedger(o.opts.Budget, o.opts.Prices)
	if err != nil {
		return nil, err
	}
	r.ledger = ledger
	r.embedder = r.newEmbedder()
	if o.opts.Now != nil {
		r.started = o.opts.Now()
	}
	if o.opts.Client == nil {
		return r, nil
	}
	if err := ledger.CheckPrice(o.opts.ModelName); err != nil {
		return nil, err
	}
	retry := llm.RetryOptions{}
	if o.opts.Retry != nil {
		retry = *o.opts.Retry
	}
	// Each attempt is paid for and limited, so retry is outside of both.
	client := llm.Retry(ledger.Client(o.limiter.Client(o.opts.Client)), &retry)
	r.client = llm.Adaptive(client, o.opts.Capabilities)
	if o.opts.Record != nil {
		r.client = llm.Record(r.client, o.opts.Record)
	}
	return r, nil
}

func (r *run) now() time.Time {
	if r.o.opts.Now == nil {
		return time.Time{}
	}
	return r.o.opts.Now()
}
