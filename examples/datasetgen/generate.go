package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// maxInput is the largest document that is read.
const maxInput = 10 << 20

// settings are the flags of a command that reads a document and makes files:
// generate, and in part import.
type settings struct {
	command                       string
	input, out, kind              string
	seed                          int64
	useCases, testCases, examples int
	strength, concurrency         int
	generators, addTo             string
	frameworks, engine            string
	engineFallback                string
	format, from                  string // of import
	model, baseURL                string
	embedding                     string // model of embeddings
	priceEmbedding                float64
	budgetUSD, priceIn, priceOut  float64
	maxCalls, maxTokens           int64
	callTimeout                   time.Duration
	record, replay                string
	offline                       bool
	given                         map[string]bool // flags that were set
	idle                          string          // that flags for a model did nothing; said at the end
	// now is the clock; a test gives its own.
	now func() time.Time
}

func generateFlags(s *settings) *flag.FlagSet {
	fs := flag.NewFlagSet("generate", flag.ContinueOnError)
	s.documentFlags(fs)
	fs.Int64Var(&s.seed, "seed", 0, "seed: the same seed and replies give the same files")
	fs.IntVar(&s.useCases, "n-use-cases", 0, "exactly so many use cases, at least 5 (default: all that are found)")
	fs.IntVar(&s.testCases, "n-test-cases-per-uc", 0, "exactly so many test cases a use case, at least 3 (default: as many as the covering array has)")
	fs.IntVar(&s.examples, "n-examples-per-tc", 0, "exactly so many examples a test case (default 1)")
	fs.IntVar(&s.strength, "strength", 2, "strength of the covering arrays: 2 = all pairs of values, 3 = all triples")
	fs.StringVar(&s.generators, "generators", "", "the generators to choose from, with commas between: "+strings.Join(generatorNames(), ",")+" (default: all that the run can use); what they leave open is made by direct and rules")
	fs.StringVar(&s.engine, "engine", "", "what stands behind deepeval, ragas and giskard: go, python (the framework itself), or one for each, such as deepeval=python,ragas=go (default: go)")
	fs.StringVar(&s.frameworks, "frameworks", "", "the folder that setup-frameworks filled; for --engine python")
	fs.StringVar(&s.engineFallback, "engine-fallback", "", "go: where an environment is missing, does not fit or does not start, warn and use the Go engine (default: stop before anything is asked)")
	fs.StringVar(&s.addTo, "add-to", "", "complete the dataset in this folder: what is there stays as it is; --out may be the same folder")
	s.modelFlags(fs)
	return fs
}

// documentFlags are what generate and import have in common besides the model.
func (s *settings) documentFlags(fs *flag.FlagSet) {
	s.command = fs.Name()
	fs.StringVar(&s.input, "input", "", "the Markdown document (required)")
	fs.StringVar(&s.out, "out", "", "the folder for the files (required)")
	fs.StringVar(&s.kind, "case", "", "kind of agent: support_bot or operator_quality (default: the document decides)")
}

// modelFlags choose the model and bound what it may cost.
func (s *settings) modelFlags(fs *flag.FlagSet) {
	fs.StringVar(&s.model, "model", "", "name of the model (default: OPENAI_MODEL)")
	fs.StringVar(&s.baseURL, "base-url", "", "endpoint that speaks the OpenAI format (default: OPENAI_BASE_URL, else OpenAI)")
	fs.StringVar(&s.embedding, "embedding-model", "", "model of the same endpoint that compares texts (default: OPENAI_EMBEDDING_MODEL, else their words are compared)")
	fs.Float64Var(&s.priceEmbedding, "price-embedding", 0, "dollars per million tokens embedded")
	fs.Float64Var(&s.budgetUSD, "budget-usd", 0, "most dollars to spend; needs --price-in and --price-out")
	fs.Float64Var(&s.priceIn, "price-in", 0, "dollars per million tokens sent")
	fs.Float64Var(&s.priceOut, "price-out", 0, "dollars per million tokens received")
	fs.Int64Var(&s.maxCalls, "max-calls", 0, "most calls to the model (default: no limit)")
	fs.Int64Var(&s.maxTokens, "max-tokens", 0, "most tokens sent and received (default: no limit)")
	fs.DurationVar(&s.callTimeout, "call-timeout", 0, "longest time for one call to the model, and for all that a generator asks in one go; with --engine python a framework has 15 times as long for the latter, 30m at least (default 2m)")
	fs.IntVar(&s.concurrency, "concurrency", 0, "calls at once (default 8)")
	fs.StringVar(&s.record, "record", "", "write every call to the model and its reply to this file")
	fs.StringVar(&s.replay, "replay", "", "answer from a file written by --record instead of a model")
	fs.BoolVar(&s.offline, "offline", false, "use no model even if one is configured")
}

// parse reads the flags of a command and checks them.
func (s *settings) parse(t *terminal, fs *flag.FlagSet, args []string) error {
	if err := parse(t, fs, args); err != nil {
		return err
	}
	s.given = map[string]bool{}
	fs.Visit(func(f *flag.Flag) { s.given[f.Name] = true })
	return s.check()
}

// check refuses what cannot be meant, before anything is read.
func (s *settings) check() error {
	switch {
	case s.input == "":
		return usage("--input is missing: name the Markdown document")
	case s.out == "":
		return usage("--out is missing: name the folder for the files")
	}
	for _, n := range []struct {
		flag  string
		value float64
	}{
		{"n-use-cases", float64(s.useCases)},
		{"n-test-cases-per-uc", float64(s.testCases)},
		{"n-examples-per-tc", float64(s.examples)},
		{"strength", float64(s.strength)},
		{"concurrency", float64(s.concurrency)},
		{"max-calls", float64(s.maxCalls)},
		{"max-tokens", float64(s.maxTokens)},
		{"budget-usd", s.budgetUSD},
		{"price-in", s.priceIn},
		{"price-out", s.priceOut},
		{"price-embedding", s.priceEmbedding},
		{"call-timeout", float64(s.callTimeout)},
	} {
		if s.given[n.flag] && n.value <= 0 {
			return usage("--%s must be above zero; leave it out for the default", n.flag)
		}
	}
	switch {
	case s.given["generators"] && strings.TrimSpace(s.generators) == "":
		return usage("--generators is empty: name some of %s, or leave it out for all", strings.Join(generatorNames(), ", "))
	case s.given["add-to"] && s.addTo == "":
		return usage("--add-to is empty: name the folder of the dataset to complete")
	case s.kind != "" && s.kind != string(model.CaseSupportBot) && s.kind != string(model.CaseOperatorQuality):
		return usage("--case %q is unknown: use %s or %s", s.kind, model.CaseSupportBot, model.CaseOperatorQuality)
	case s.record != "" && s.replay != "":
		return usage("--record and --replay exclude each other")
	case s.offline && (s.record != "" || s.replay != ""):
		return usage("--offline excludes --record and --replay: there is no model to record")
	case s.priceIn > 0 != (s.priceOut > 0):
		return usage("--price-in and --price-out belong together")
	case s.embedding != "" && (s.record != "" || s.replay != ""):
		return usage("--embedding-model excludes --record and --replay: embeddings are not recorded")
	case s.embedding != "" && s.budgetUSD > 0 && s.priceEmbedding == 0:
		return usage("--budget-usd with --embedding-model needs --price-embedding")
	case s.budgetUSD > 0 && s.priceIn == 0:
		return usage("--budget-usd needs the prices of the model: give --price-in and --price-out")
	}
	return s.checkEngines()
}

func generate(ctx context.Context, t *terminal, args []string) error {
	s := &settings{now: time.Now}
	if err := s.parse(t, generateFlags(s), args); err != nil {
		return err
	}
	return s.run(ctx, t)
}

func (s *settings) run(ctx context.Context, t *terminal) error {
	doc, err := readDocument(s.input)
	if err != nil {
		return err
	}
	in := &orchestrate.Input{Documents: []*model.Document{doc}}
	if s.addTo != "" {
		if in.Base, err = readBase(t, s.addTo); err != nil {
			return err
		}
	}
	opts := s.options()
	rec, err := s.provide(t, opts)
	if err != nil {
		return err
	}
	gens, err := chooseGenerators(s.generators, opts)
	if err != nil {
		rec.abandon()
		return err
	}
	gens, frameworks, err := s.withEngines(t, gens, opts)
	if err != nil {
		rec.abandon()
		return err
	}
	defer frameworks.close(t)
	show := newProgress(t, s.now)
	opts.OnEvent = func(e orchestrate.Event) {
		if e.Kind != orchestrate.EventStage || ctx.Err() == nil { // no stage does anything after the end
			show.event(e)
		}
	}
	o, err := orchestrate.New(gens, opts)
	if err != nil {
		rec.abandon()
		return s.refused(err)
	}
	dir, err := openOut(s.out)
	if err != nil {
		rec.abandon()
		return err
	}
	if len(frameworks) > 0 {
		show.say("start " + frameworks.names())
		if frameworks, err = s.start(ctx, t, gens, frameworks); err == nil {
			o, err = orchestrate.New(gens, opts) // they may be others now
		}
		if err != nil {
			dir.abandon()
			rec.abandon()
			return s.refused(err)
		}
	}
	res, err := o.Run(ctx, in)
	show.end()
	res.Manifest.InputPath, res.Manifest.OutPath = s.input, s.out

	// A recording is kept whatever became of the run: it was paid for.
	if ferr := rec.close(); ferr != nil && err == nil {
		err = &failure{exitUsage, ferr}
	}
	var short *coverage.ShortfallError
	switch {
	case ctx.Err() != nil:
		kept := len(res.Dataset.Examples)
		if kept == 0 {
			dir.abandon()
			rec.abandon()
			return errInterrupted
		}
		partial := filepath.Join(s.out, ".partial")
		if werr := writeRun(&folder{path: partial}, res); werr != nil {
			return &failure{exitInterrupted, fmt.Errorf("interrupted, and the %d accepted examples could not be kept: %w", kept, werr)}
		}
		return &failure{exitInterrupted, fmt.Errorf("interrupted; %d accepted examples are kept in %s, the files in --out are as they were", kept, partial)}
	case err != nil && !errors.As(err, &short):
		dir.abandon()
		rec.abandon()
		return s.refused(err)
	}
	if err := writeRun(dir, res); err != nil {
		return &failure{exitUsage, err}
	}
	if err := removePartial(s.out); err != nil {
		return &failure{exitUsage, fmt.Errorf("the files are written, but the leftovers of an interrupted run are not removed: %w", err)}
	}
	sayFailures(t.err, frameworks, res)
	summary(t.out, s.out, res, short)
	broken := breaches(t.out, res.Dataset)
	s.sayIdle(t)
	if short != nil {
		broken += len(short.Shortfalls)
	}
	if broken > 0 {
		return &failure{exitShortfall, fmt.Errorf("%d of what was asked or demanded is missing; the reasons are above and in certificate.json", broken)}
	}
	return nil
}

// errInterrupted is the end of a run that has nothing to keep.
var errInterrupted = &failure{exitInterrupted, errors.New("interrupted; nothing was accepted yet, the files in --out are as they were")}

// breaches prints the rules that a dataset with too few test cases may break, as
// validate does, and returns how many.
func breaches(w io.Writer, d *model.Dataset) int {
	found := coverage.CheckIntegrity(d)
	for _, v := range found {
		fmt.Fprintln(w, printable(v.String()))
	}
	return len(found)
}

// sayIdle says which flags did nothing.
func (s *settings) sayIdle(t *terminal) {
	if s.idle != "" {
		fmt.Fprintln(t.out, s.idle)
	}
}

// options are those that the flags give.
func (s *settings) options() *orchestrate.Options {
	opts := &orchestrate.Options{
		Counts:   orchestrate.Counts{UseCases: s.useCases, TestCasesPerUseCase: s.testCases, ExamplesPerTestCase: s.examples},
		Strength: s.strength, Seed: s.seed, Concurrency: s.concurrency, CallTimeout: s.callTimeout,
		Budget: llm.Budget{Calls: s.maxCalls, Tokens: s.maxTokens, USD: s.budgetUSD},
		Now:    s.now,
	}
	switch model.Case(s.kind) {
	case model.CaseSupportBot:
		opts.Profile = model.SupportBot()
	case model.CaseOperatorQuality:
		opts.Profile = model.OperatorQuality()
	}
	return opts
}

// refused is the line for an error that left nothing to write.
func (s *settings) refused(err error) error {
	var f *failure
	var undecided *extract.CaseError
	var base *orchestrate.BaseError
	var option *orchestrate.OptionError
	switch {
	case errors.As(err, &f):
		return err
	case errors.As(err, &option) && flagOf[option.Option] != "":
		return usage("--%s: %s", flagOf[option.Option], option.Reason)
	case errors.As(err, &undecided):
		return usage("--input %s does not show whether it is about a support bot or about the quality of operators: say it with --case", s.input)
	case errors.As(err, &base):
		return usage("--add-to %s cannot be completed with %s: %w", s.addTo, s.input, base)
	}
	return usage("%w", err)
}

// flagOf names the flag that gives an option.
var flagOf = map[string]string{
	"Counts.UseCases": "n-use-cases", "Counts.TestCasesPerUseCase": "n-test-cases-per-uc", "Counts.ExamplesPerTestCase": "n-examples-per-tc",
	"Strength": "strength", "Concurrency": "concurrency", "CallTimeout": "call-timeout", "Seed": "seed",
}

// readDocument reads the input; every error says what to do.
func readDocument(path string) (*model.Document, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, usage("--input %s does not exist; check the path", path)
	case err != nil:
		return nil, usage("--input %s cannot be read: %v", path, reason(err))
	case info.IsDir():
		return nil, usage("--input %s is a folder; name a Markdown file in it", path)
	case info.Size() > maxInput:
		return nil, usage("--input %s is %.1f MiB; the limit is %d MiB, split the document", path, float64(info.Size())/(1<<20), maxInput>>20)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("--input %s cannot be read: %v", path, reason(err))
	}
	doc, err := model.ParseMarkdown(filepath.Base(path), b, &model.ParseOptions{MaxBytes: maxInput})
	if err != nil {
		return nil, usage("--input %s: %w", path, err)
	}
	return doc, nil
}

// reason leaves out the path that the message already has.
func reason(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
