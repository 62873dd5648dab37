package orchestrate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// ImportInput is what [Orchestrator.Import] brings in.
type ImportInput struct {
	// Documents are what the tests are about. Their base names must differ.
	Documents []*model.Document
	// Framework is the tool that the tests are from.
	Framework adapters.Framework
	// Contents is what its file held, as [adapters.Read] returns it.
	Contents *adapters.Contents
}

// Imported is what [Orchestrator.Import] made of a file.
type Imported struct {
	*Result
	Records int // of the file
	Kept    int // that became examples
	// NotKept says for each other record why, by its index in the file.
	NotKept []model.Refusal
}

// The checks that the refusals of an import name.
const (
	CheckRead     = "read"     // the record cannot be read
	CheckFormat   = "format"   // the case has no format for it
	CheckScenario = "scenario" // it is a scenario without a message
	CheckPlace    = "place"    // nothing of the documents has to do with it
	CheckContract = "contract" // it breaks the contract
)

// Import brings tests into the contract that another tool or an earlier run
// made. Use cases and policies are extracted as in a run; every record is
// placed under the use case and the policies that its contexts or its words
// point to, and is not judged: what the checks find in it goes into the
// manifest's findings. Refused is what breaks the contract or has nothing to do
// with the documents. Records that casebook wrote are restored as they were.
//
// Nothing is generated: the certificate says, with the limit "import", what the
// tests leave uncovered, and a run with the result as [Input.Base] makes it.
//
// The result is never nil. The error is a *[JobError], one of
// [extract.Extract], a *[ProviderError] or the cause of ctx; a file of which
// nothing can be used gives none.
func (o *Orchestrator) Import(ctx context.Context, in *ImportInput) (*Imported, error) {
	r, err := o.newRun()
	out := &Imported{Result: &Result{Dataset: &model.Dataset{}}}
	if err != nil {
		return out, err
	}
	if in == nil || in.Framework == nil || in.Contents == nil {
		return out, &JobError{"Framework", "an import needs the framework and the contents of its file"}
	}
	if err := uniqueNames(in.Documents); err != nil {
		return out, err
	}
	im := &importer{run: r, in: in, generator: frameworkName(in.Framework.Format())}
	err = im.do(ctx)
	if r.stop == "" {
		r.stop = StopImported
	}
	out.Result = im.result
	if out.Result == nil {
		out.Result = r.result()
	}
	out.Records, out.Kept, out.NotKept = in.Contents.Total(), im.kept, im.refusals()
	return out, err
}

// frameworkName is the name of the generator of a format: "deepeval" for
// "deepeval.golden".
func frameworkName(format string) string {
	name, _, _ := strings.Cut(format, ".")
	return name
}

// importer is one import.
type importer struct {
	*run
	in        *ImportInput
	generator string
	ex        *extract.Result
	profile   *model.Profile
	finder    *adapters.Finder
	kept      int
	notKept   []model.Refusal
	left      []model.UseCase // found in the documents, and no part of a restored dataset
	edited    map[string]bool // restored examples with other texts than they were made with
	result    *Result
}

func (im *importer) refuse(index int, check, reason string) {
	im.notKept = append(im.notKept, model.Refusal{Generator: im.generator, Check: check, Reason: prompt.Clip(reason, 1000), Index: index})
}

// refusals returns what was refused in the order of the file.
func (im *importer) refusals() []model.Refusal {
	slices.SortStableFunc(im.notKept, func(a, b model.Refusal) int { return a.Index - b.Index })
	return im.notKept
}

func (im *importer) do(ctx context.Context) error {
	for _, bad := range im.in.Contents.Refused {
		im.refuse(bad.Index, CheckRead, bad.Reason)
	}
	im.events.emit(Event{Kind: EventStage, Stage: "extract"})
	if err := im.read(ctx); err != nil {
		return err
	}
	im.events.emit(Event{Kind: EventStage, Stage: "place"})
	restored, foreign := im.restore()
	tests, err := im.place(ctx, im.adapt(ctx, im.openings(ctx, foreign)))
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		im.stop = StopCancelled
		return context.Cause(ctx)
	}
	b := im.assemble(restored, tests)
	im.base = newBase(b)
	if err := im.planWith(ctx, im.in.Documents, im.ex, im.profile); err != nil {
		return err
	}
	for i := range tests {
		if tests[i].kept() {
			im.kept++
		}
	}
	im.observe(b.Dataset, tests)
	return im.close()
}

// read extracts use cases and policies. Where the documents do not say what
// kind of agent they are about, the tests do: those that casebook wrote have
// their case, the others ask and have an answer.
func (im *importer) read(ctx context.Context) error {
	im.profile = im.o.opts.Profile
	ex, err := im.extract(ctx, im.in.Documents)
	var undecided *extract.CaseError
	if im.profile == nil && errors.As(err, &undecided) && ctx.Err() == nil {
		opts := *im.o.opts
		opts.Profile = model.SupportBot()
		if d, _, _ := adapters.Restore(im.in.Framework, im.in.Contents.Records); d != nil && len(d.UseCases) > 0 {
			if own := builtinProfile(d.UseCases[0].Case); own != nil {
				opts.Profile = own
			}
		}
		own := *im.o
		own.opts = &opts
		im.o, im.profile = &own, opts.Profile
		ex, err = im.extract(ctx, im.in.Documents)
	}
	if err != nil {
		return err
	}
	if im.profile == nil {
		if im.profile = builtinProfile(ex.Case); im.profile == nil {
			return &OptionError{"Profile", fmt.Sprintf("the case %q has no built-in profile; give one", ex.Case)}
		}
	}
	im.ex = ex
	if im.lang, err = lang.For(ex.Language); err != nil {
		if im.client == nil {
			return err
		}
		im.lang = nil
	}
	im.finder = adapters.NewFinder(im.in.Documents)
	return nil
}

// source is a record on its way.
type source struct {
	index  int // in the file
	record generator.Record
	// opening is the first message that was written for a scenario; native is
	// then the record as it was.
	opening string
	native  json.RawMessage
}

// restore takes the records that casebook wrote as they were, and returns the
// others. A dataset of other documents is not restored: its tests are foreign.
func (im *importer) restore() (*model.Dataset, []source) {
	records := im.in.Contents.Records
	d, foreign, refused := adapters.Restore(im.in.Framework, records)
	if d != nil {
		err := (&Base{Dataset: d}).check(im.in.Documents, im.profile)
		if err == nil && d.UseCases[0].Case != im.profile.Case {
			err = fmt.Errorf("its case is %s, not %s", d.UseCases[0].Case, im.profile.Case)
		}
		if err != nil {
			im.events.emit(Event{Kind: EventNotice, Stage: "place", Message: "the records are of a dataset that is not of this document, they are placed anew: " + err.Error()})
			d = nil
		}
	}
	if d == nil {
		foreign = nil
		for i := range records {
			foreign = append(foreign, i)
		}
	} else {
		for _, ref := range refused {
			im.refuse(im.in.Contents.Index[ref.Index], ref.Check, strings.TrimPrefix(ref.Reason, fmt.Sprintf("record %d: ", ref.Index)))
		}
		im.kept += len(records) - len(foreign) - len(refused)
		im.edited = edited(im.in.Framework, records)
		im.adoptExtraction(d, len(foreign) > 0)
	}
	var out []source
	for _, i := range foreign {
		rec := records[i]
		if d == nil {
			if _, bare, err := im.in.Framework.Carried(rec); err == nil {
				rec = bare
			}
		}
		out = append(out, source{index: im.in.Contents.Index[i], record: rec})
	}
	return d, out
}

// edited returns the examples that were edited in the framework's file. A copy
// of a record is none of them.
func edited(f adapters.Framework, records []generator.Record) map[string]bool {
	out := map[string]bool{}
	for _, rec := range records {
		c, _, err := f.Carried(rec)
		if err != nil || c == nil {
			continue
		}
		if _, copied := out[c.Example.Item.ID]; !copied {
			out[c.Example.Item.ID] = c.Edited
		}
	}
	return out
}

// adoptExtraction makes the use cases and policies of a restored dataset those
// of the result. With foreign records beside it, what else was found in the
// documents is needed too, where the dataset is a part of that.
func (im *importer) adoptExtraction(d *model.Dataset, more bool) {
	b := &Base{Dataset: d}
	found := im.ex
	if b.within(found) && more {
		return
	}
	ex := *found
	ex.UseCases, ex.Policies = d.UseCases, d.Policies
	if b.within(found) {
		im.left = slices.DeleteFunc(slices.Clone(found.UseCases), func(uc model.UseCase) bool {
			return slices.ContainsFunc(d.UseCases, func(have model.UseCase) bool { return have.ID == uc.ID })
		})
	}
	if !b.within(found) {
		ex.Relevant, ex.Corner = map[string][]string{}, map[string]string{}
		ex.Contradictions = nil
		for i := range d.TestCases {
			tc := &d.TestCases[i]
			for _, id := range tc.PolicyIDs {
				if !slices.Contains(ex.Relevant[tc.UseCaseID], id) {
					ex.Relevant[tc.UseCaseID] = append(ex.Relevant[tc.UseCaseID], id)
				}
			}
		}
	}
	im.ex = &ex
}

// draft is a foreign record as its adapter reads it, before it is placed.
type draft struct {
	source
	item     model.Item
	spans    []model.Span // of the contexts that state something
	located  bool         // a context was found in the documents
	useCase  string       // chosen
	policies []string
	example  model.Example
	test     string // id of its test case
	classes  map[string]string
}

func (d *draft) kept() bool { return d.test != "" }

// adapt has the framework's adapter read the records, one by one, so that a
// refusal is of one record.
func (im *importer) adapt(ctx context.Context, sources []source) []draft {
	call := &generator.Call{
		ID: "import", Documents: im.in.Documents, Language: im.ex.Language, Profile: im.profile,
		Policies: im.ex.Policies, AllPolicies: im.ex.Policies, Log: im.o.opts.Log,
		Embedder: im.embedder,
	}
	if call.Embedder == nil {
		call.Embedder = llm.NewLexical(nil)
	}
	var out []draft
	for _, s := range sources {
		rec := s.record
		if located, err := adapters.Locate(im.in.Framework, im.finder, rec); err == nil {
			rec = located
		}
		batch, err := im.in.Framework.Adapt(ctx, call, &generator.Output{Format: im.in.Framework.Format(), Records: []generator.Record{rec}, Engine: "file"})
		switch {
		case err != nil:
			im.refuse(s.index, CheckRead, err.Error())
		case len(batch.Refused) > 0:
			// The adapter saw one record, so its index says nothing.
			im.refuse(s.index, batch.Refused[0].Check, strings.TrimPrefix(batch.Refused[0].Reason, "record 0: "))
		case len(batch.Items) == 0 || len(batch.Items[0].Examples) == 0:
			im.refuse(s.index, CheckRead, "it holds neither a question nor an answer")
		default:
			d := draft{source: s, item: batch.Items[0], located: len(rec.Spans) > 0}
			for _, span := range rec.Spans {
				d.spans = append(d.spans, im.stating(span)...)
			}
			d.example = d.item.Examples[0]
			if s.native != nil {
				d.example.Metadata.Native = s.native
			} else if d.example.Metadata.Native == nil {
				d.example.Metadata.Native = s.record.JSON
			}
			out = append(out, d)
		}
	}
	return out
}

// stating returns the span unless it holds nothing that states something, such
// as a heading alone.
func (im *importer) stating(span model.Span) []model.Span {
	for _, d := range im.in.Documents {
		if d.Name == span.Doc && d.Supports(span.StartLine, span.EndLine) {
			return []model.Span{span}
		}
	}
	return nil
}

// close writes the certificate: what is open is so because nothing was to be
// generated.
func (im *importer) close() error {
	im.events.emit(Event{Kind: EventStage, Stage: "certify"})
	im.stop = StopImported
	im.refused = append(im.refused, im.refusals()...)
	im.outcomes = nil
	res := im.run.result()
	res.Manifest.Routing = "none"
	im.result = res
	in := &coverage.EnforceInput{
		Dataset: res.Dataset, Profile: im.plan.Profile, Plan: im.plan.UseCases, Minimums: im.o.opts.Minimums, Sources: im.plan.Sources,
		Stop: coverage.LimitImport, StopReason: notGenerated,
	}
	for _, c := range im.ex.Contradictions {
		in.Contradictions = append(in.Contradictions, coverage.Contradiction{PolicyIDs: c.PolicyIDs, Because: c.Reason})
	}
	gaps, _ := coverage.Enforce(in) // what the tests lack is told, and is no failure of bringing them in
	cert, err := coverage.Certify(&coverage.CertifyInput{
		Dataset: res.Dataset, Plan: im.plan.UseCases, Unmapped: im.ex.Unmapped, Gaps: append(im.thin(res.Dataset), gaps...),
	})
	if err != nil {
		return err
	}
	res.Certificate = cert
	return nil
}

const notGenerated = "the tests were brought in, and nothing was generated"

// thin tells of the use cases with fewer test cases than the contract asks for.
func (im *importer) thin(d *model.Dataset) []coverage.Gap {
	n := map[string]int{}
	for i := range d.TestCases {
		n[d.TestCases[i].UseCaseID]++
	}
	want := im.o.opts.Minimums.Defaulted().TestCasesPerUseCase
	var out []coverage.Gap
	all := slices.Concat(d.UseCases, im.left)
	for i := range all {
		uc := &all[i]
		have := n[uc.ID]
		if have >= want {
			continue
		}
		out = append(out, coverage.Gap{
			Kind: coverage.TargetUseCase, Target: uc.ID, UseCaseID: uc.ID, Verdict: coverage.VerdictLimit, Limit: coverage.LimitImport,
			Because: fmt.Sprintf("%d of %d test cases (%s): %s", have, want, uc.Name, notGenerated),
		})
	}
	return out
}

// observe runs the checks on what was kept, but for records that are as casebook
// wrote them. A test is kept whatever they find; what they find is told.
func (im *importer) observe(d *model.Dataset, drafts []draft) {
	seen := &coverage.Index{}
	cases := map[string]*model.TestCase{}
	for i := range d.TestCases {
		cases[d.TestCases[i].ID] = &d.TestCases[i]
	}
	foreign := map[string]bool{}
	for i := range drafts {
		foreign[drafts[i].example.ID] = drafts[i].kept()
	}
	useCases := map[string]model.UseCase{}
	for _, uc := range im.ex.UseCases {
		useCases[uc.ID] = uc
	}
	for i := range d.Examples {
		e := &d.Examples[i]
		tc := cases[e.TestCaseID]
		if (foreign[e.ID] || im.edited[e.ID]) && tc != nil {
			in := &coverage.Candidate{
				Documents: im.in.Documents, Ground: im.ground, Lang: im.lang, Language: im.ex.Language, Profile: im.profile,
				UseCase: useCases[e.UseCaseID], AllPolicies: im.ex.Policies, Seen: seen,
				Item: model.Item{TestCase: *tc, Examples: []model.Example{*e}},
			}
			for _, id := range e.PolicyIDs {
				if p := im.policies[id]; p != nil {
					in.Policies = append(in.Policies, *p)
				}
			}
			for _, f := range im.runChecks(in) {
				if found := (model.Finding{ExampleID: e.ID, Check: f.Check, Message: f.Message}); !f.Warn && !slices.Contains(im.findings, found) {
					im.findings = append(im.findings, found)
				}
			}
		}
		seen.Add(e.ID, coverage.InputText(&e.Input))
	}
}

// uniqueNames checks the documents of a run.
func uniqueNames(docs []*model.Document) error {
	if len(docs) == 0 {
		return &JobError{"Documents", "there are none"}
	}
	names := map[string]bool{}
	for _, d := range docs {
		if d == nil {
			return &JobError{"Documents", "one is nil"}
		}
		if names[d.Name] {
			return &JobError{"Documents", fmt.Sprintf("two have the name %q; evidence could not tell them apart", d.Name)}
		}
		names[d.Name] = true
	}
	return nil
}
