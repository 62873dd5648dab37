package orchestrate

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"time"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Counts says how much to make; see [coverage.Counts].
type Counts = coverage.Counts

// Options configures an [Orchestrator]. The zero value is ready: offline, with
// the built-in generators.
type Options struct {
	// Client is the model. Nil means offline; a typed nil is an error.
	Client llm.Client
	// Embedder is used for similarity; nil means the lexical one.
	Embedder llm.Embedder
	// ModelName and ProviderName go into the manifest, and ModelName selects
	// the price. They choose nothing.
	ModelName, ProviderName string
	// Capabilities is what is known of the client; nil means that it is
	// expected to take tools and schemas, and is found out otherwise.
	Capabilities *llm.Capabilities

	// Adapters are added to the default set; one with the format of a default
	// replaces it.
	Adapters []adapters.Adapter
	// Profile fixes the case; nil lets the document decide.
	Profile *model.Profile
	// Checks replaces [coverage.DefaultChecks]; nil means the default ones, an
	// empty slice none.
	Checks []coverage.Check

	Counts   Counts
	Minimums coverage.Minimums // zero fields mean the contract's
	Strength int               // of the covering arrays; 0 means 2
	Seed     int64

	Concurrency int           // calls at once; 0 means 8
	MaxRounds   int           // of routing; 0 means 2
	CallTimeout time.Duration // of one model call, and of one generator call whose Spec has no Timeout; 0 means 2 minutes

	Budget llm.Budget
	Prices llm.Prices
	// Retry and Limit tune how the client is called; nil means the defaults of
	// package llm, with Concurrency as the limit.
	Retry *llm.RetryOptions
	Limit *llm.LimitOptions

	// Record is given every call to the model and its reply, outside of all
	// fallbacks and retries; a client made by [llm.Replay] answers from it.
	Record llm.RecordWriter

	Log     *slog.Logger     // nil means silent
	Now     func() time.Time // for the manifest and durations; nil leaves both out
	OnEvent func(Event)      // see [Event]
}

// The defaults of the zero Options.
const (
	DefaultConcurrency = 8
	DefaultMaxRounds   = 2
	DefaultCallTimeout = 2 * time.Minute
)

// OptionError says which option cannot be used and why.
type OptionError struct{ Option, Reason string }

func (e *OptionError) Error() string {
	return fmt.Sprintf("orchestrate: option %s: %s", e.Option, e.Reason)
}

func (o *Options) withDefaults() (*Options, error) {
	c := Options{}
	if o != nil {
		c = *o
	}
	var errs []error
	bad := func(option, format string, args ...any) {
		errs = append(errs, &OptionError{option, fmt.Sprintf(format, args...)})
	}
	if c.Client != nil && isNil(c.Client) {
		bad("Client", "a nil %T inside the interface; leave Client nil to run without a model", c.Client)
	}
	if c.Embedder != nil && isNil(c.Embedder) {
		bad("Embedder", "a nil %T inside the interface; leave Embedder nil for the lexical one", c.Embedder)
	}
	for _, n := range []struct {
		name  string
		value int
	}{
		{"Counts.UseCases", c.Counts.UseCases},
		{"Counts.TestCasesPerUseCase", c.Counts.TestCasesPerUseCase},
		{"Counts.ExamplesPerTestCase", c.Counts.ExamplesPerTestCase},
		{"Concurrency", c.Concurrency},
		{"MaxRounds", c.MaxRounds},
		{"Strength", c.Strength},
		{"CallTimeout", int(c.CallTimeout)},
	} {
		if n.value < 0 {
			bad(n.name, "%d is negative; use 0 for the default", n.value)
		}
	}
	if n := c.Counts.TestCasesPerUseCase; n > 0 && n < c.Minimums.Defaulted().TestCasesPerUseCase {
		bad("Counts.TestCasesPerUseCase", "%d is below the minimum of %d test cases a use case", n, c.Minimums.Defaulted().TestCasesPerUseCase)
	}
	if n := c.Counts.UseCases; n > 0 && n < c.Minimums.Defaulted().UseCases {
		bad("Counts.UseCases", "%d is below the minimum of %d use cases", n, c.Minimums.Defaulted().UseCases)
	}
	for i, check := range c.Checks {
		if check.Run == nil {
			bad("Checks", "check %d (%q) has no Run", i, check.Name)
		}
	}
	if c.Profile != nil {
		profileProblems(c.Profile, bad)
	}
	if c.Strength == 0 {
		c.Strength = 2
	}
	if c.Strength > 6 {
		bad("Strength", "%d is above 6", c.Strength)
	}
	if c.Concurrency == 0 {
		c.Concurrency = DefaultConcurrency
	}
	if c.MaxRounds == 0 {
		c.MaxRounds = DefaultMaxRounds
	}
	if c.CallTimeout == 0 {
		c.CallTimeout = DefaultCallTimeout
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Checks == nil {
		c.Checks = coverage.DefaultChecks()
	}
	if c.Budget.Calls < 0 || c.Budget.Tokens < 0 || c.Budget.USD < 0 {
		bad("Budget", "a limit is negative; use 0 for no limit")
	}
	return &c, errors.Join(errs...)
}

// isNil reports whether v is nil or an interface around a nil pointer.
func isNil(v any) bool {
	if v == nil {
		return true
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan, reflect.Interface:
		return r.IsNil()
	default:
		return false
	}
}

// profileProblems reports what no run could be planned with.
func profileProblems(p *model.Profile, bad func(option, format string, args ...any)) {
	if p.Case == "" {
		bad("Profile", "it has no Case")
	}
	if len(p.Formats) == 0 {
		bad("Profile", "it has no Formats")
	}
	for _, f := range p.Formats {
		if f.Format == "" || f.MinTurn < 1 || f.MaxTurn != 0 && f.MaxTurn < f.MinTurn {
			bad("Profile", "format %q needs a name and at least one turn", f.Format)
		}
	}
	if len(p.Axes) < 2 {
		bad("Profile", "it has %d axes; a test case varies at least 2", len(p.Axes))
	}
	for _, a := range p.Axes {
		if len(a.Values) < 2 || a.Name == "" {
			bad("Profile", "axis %q needs a name and at least 2 values", a.Name)
		}
		if !knownRule(a) {
			bad("Profile", "axis %q has the unknown rule %q; use a built-in rule or %q", a.Name, a.Rule, coverage.PhraseRule)
		}
	}
}

func knownRule(a model.Axis) bool {
	return a.Rule == coverage.PhraseRule || slices.ContainsFunc(lang.Known(), func(code string) bool {
		l, err := lang.For(code)
		return err == nil && coverage.Decidable(l, a)
	})
}
