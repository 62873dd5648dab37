package deepeval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// job is one use of a synthesizer.
type job struct {
	s            *Synthesizer
	ask          Ask
	per          int // goldens of a context
	ledger       *llm.Ledger
	main, critic llm.Client
	embedder     llm.Embedder
}

func (s *Synthesizer) start(a *Ask) (*job, error) {
	j := &job{s: s}
	if a != nil {
		j.ask = *a
	}
	if j.ask.Goldens < 0 || j.ask.PerContext < 0 {
		return nil, &ConfigError{"Ask", fmt.Sprintf("%d goldens, %d of a context", j.ask.Goldens, j.ask.PerContext), "use 0 for the default"}
	}
	j.per = cmp.Or(j.ask.PerContext, 2)
	var err error
	if j.ledger, err = llm.NewLedger(llm.Budget{}, nil); err != nil {
		return nil, err
	}
	j.main = llm.Adaptive(llm.Retry(j.ledger.Client(s.limiter.Client(s.o.Client)), s.o.Retry), s.o.Capabilities)
	j.critic = j.main
	if s.o.Embedder != nil {
		j.embedder = llm.CacheEmbedder(llm.RetryEmbedder(j.ledger.Embedder(s.limiter.Embedder(s.o.Embedder)), s.o.Retry))
	}
	if s.o.Critic != nil {
		j.critic = llm.Adaptive(llm.Retry(j.ledger.Client(s.limiter.Client(s.o.Critic)), s.o.Retry), nil)
	}
	return j, nil
}

// engine returns one for goldens in a language; contexts says whether they have
// contexts, without which nothing supports an expected output.
func (j *job) engine(language string, contexts bool) *engine {
	l, err := lang.For(language)
	if err != nil {
		l = nil // rules that need its words are left out
	}
	call := &generator.Call{
		ID: "deepeval", Seed: j.s.o.Seed, Language: language, Profile: model.SupportBot(),
		Model: j.main, Embedder: j.embedder, Log: j.s.o.Log,
	}
	critics := *call
	critics.Model = j.critic
	return &engine{
		opts: j.s.opts, prompts: j.s.opts.Prompts.stages(j.ask.Scenarios), call: call, critics: &critics,
		seed: j.s.o.Seed, scenarios: j.ask.Scenarios, output: contexts && !j.ask.InputsOnly, lang: l,
		speak: j.s.o.Language,
	}
}

// make fills slots for the contexts.
func (j *job) make(ctx context.Context, e *engine, cs []Context, failed []Failure) (*Result, error) {
	n := j.ask.Goldens
	if n == 0 {
		n = j.per * len(cs)
	}
	var slots []*slot
	for i := range cs {
		k := n / len(cs)
		if i < n%len(cs) {
			k++
		}
		for range k {
			slots = append(slots, &slot{index: len(slots), context: &cs[i], source: fmt.Sprintf("context %d", i+1)})
		}
		if k > e.opts.Batch { // groups that know nothing of each other
			e.cast(slots[len(slots)-k:])
		}
	}
	e.fill(ctx, slots, nil)
	return j.result(e, slots, cs, failed)
}

// result puts together what was made. The error says what is missing.
func (j *job) result(e *engine, slots []*slot, cs []Context, failed []Failure) (*Result, error) {
	r := &Result{Contexts: cs, Failures: failed, Usage: j.ledger.Snapshot()}
	var errs []error
	for _, f := range failed {
		errs = append(errs, fmt.Errorf("deepeval: %s: %w", f.Source, f.Err))
	}
	short := &ShortError{Asked: len(slots)}
	for _, s := range slots {
		err := s.err
		if err == nil {
			var rec generator.Record
			var g Golden
			if rec, g, err = e.record(s); err == nil {
				r.Goldens, r.Records = append(r.Goldens, g), append(r.Records, rec)
				continue
			}
		}
		r.Failures = append(r.Failures, Failure{s.source, err})
		short.add(err)
	}
	short.Made = len(r.Goldens)
	if short.Made < short.Asked {
		short.settle()
		errs = append(errs, short)
	}
	return r, errors.Join(errs...)
}

func (e *ShortError) add(err error) {
	e.Errs = append(e.Errs, err)
}

// settle counts the reasons.
func (e *ShortError) settle() {
	count := map[string]int{}
	for _, err := range e.Errs {
		text := err.Error()
		if count[text]++; count[text] == 1 {
			e.Reasons = append(e.Reasons, text)
		}
	}
	sort.SliceStable(e.Reasons, func(i, k int) bool { return count[e.Reasons[i]] > count[e.Reasons[k]] })
	for i, r := range e.Reasons {
		if count[r] > 1 {
			e.Reasons[i] = fmt.Sprintf("%s (%d times)", r, count[r])
		}
	}
}

// FromScratch makes Ask.Goldens inputs or scenarios without any document, from
// the styling alone: it needs Scenario, Task and InputFormat, and for scenarios
// ParticipantRoles in place of InputFormat. There is nothing that an expected
// output could be right by, so that none is made.
func (s *Synthesizer) FromScratch(ctx context.Context, a *Ask) (*Result, error) {
	j, err := s.start(a)
	if err != nil {
		return &Result{}, err
	}
	if err := s.scratchable(&s.opts.Styling, j.ask.Scenarios); err != nil {
		return &Result{}, err
	}
	if j.ask.Goldens == 0 {
		return &Result{}, &ConfigError{"Ask.Goldens", "it is 0", "say how many to make"}
	}
	st := &s.opts.Styling
	e := j.engine(cmp.Or(s.o.Language, lang.Detect(strings.Join([]string{st.Scenario, st.Task, st.InputFormat, st.ParticipantRoles}, "\n"))), false)
	slots := make([]*slot, j.ask.Goldens)
	for i := range slots {
		slots[i] = &slot{index: i}
	}
	e.cast(slots)
	e.fill(ctx, slots, nil)
	return j.result(e, slots, nil, nil)
}

func (s *Synthesizer) scratchable(st *StylingConfig, scenarios bool) error {
	if s.opts.Evolution.Rounds > 0 && s.opts.Evolution.onlyMultiContext() {
		return onlyMulti("there is no context")
	}
	var lack []string
	need := func(name, value string) {
		if strings.TrimSpace(value) == "" {
			lack = append(lack, name)
		}
	}
	need("Scenario", st.Scenario)
	need("Task", st.Task)
	if scenarios {
		need("ParticipantRoles", st.ParticipantRoles)
	} else {
		need("InputFormat", st.InputFormat)
	}
	if lack != nil {
		return &ConfigError{"Styling", "without a context it needs " + strings.Join(lack, ", "), "set them"}
	}
	return nil
}

// FromGoldens makes Ask.PerContext new goldens of each given one: of its context
// where it has one, else as FromScratch does. None repeats a given one. Unless
// a styling is set, it is read out of the inputs of up to ten of them.
func (s *Synthesizer) FromGoldens(ctx context.Context, given []Golden, a *Ask) (*Result, error) {
	j, err := s.start(a)
	if err != nil {
		return &Result{}, err
	}
	var failed []Failure
	var cs []Context
	var at []int        // the golden of each context
	var bare []int      // goldens without a context
	var exists []string // inputs
	for i := range given {
		g := &given[i]
		text := strings.TrimSpace(cmp.Or(g.Scenario, g.Input))
		if text != "" {
			exists = append(exists, text)
		}
		c := NewContext(g.SourceFile, g.Context...)
		if made, _ := prepare([]Context{c}); len(made) == 1 {
			cs, at = append(cs, made[0]), append(at, i)
		} else if text != "" {
			bare = append(bare, i)
		} else {
			failed = append(failed, Failure{fmt.Sprintf("golden %d", i+1), errors.New("it has neither an input nor a context")})
		}
	}
	if len(cs)+len(bare) == 0 {
		_, err := j.result(nil, nil, nil, failed)
		return &Result{Failures: failed}, errors.Join(&ConfigError{"goldens", "none of the given goldens can be used", "give some with an input or a context"}, err)
	}
	many := s.opts.Evolution.Rounds > 0 && s.opts.Evolution.onlyMultiContext()
	if many && (len(bare) > 0 || !slices.ContainsFunc(cs, func(c Context) bool { return len(c.Passages) > 1 })) {
		return &Result{Failures: failed}, onlyMulti("not every golden has a context of several passages")
	}
	language := cmp.Or(s.o.Language, lang.Detect(strings.Join(exists, "\n")), s.language(nil, cs))
	e := j.engine(language, true)
	if s.opts.Styling.empty() && len(exists) > 0 {
		st, err := e.style(ctx, exists)
		if err != nil {
			r, _ := j.result(nil, nil, nil, failed)
			return r, err
		}
		st.ExpectedOutputFormat = s.opts.Styling.ExpectedOutputFormat
		e.opts.Styling = *st
	}
	// A number asked for goes to the goldens in turn.
	n := cmp.Or(j.ask.Goldens, j.per*(len(cs)+len(bare)))
	var with, without, all []*slot
	order := make([][]*slot, len(given))
	usable := slices.Sorted(slices.Values(slices.Concat(at, bare)))
	for k := range n {
		i := usable[k%len(usable)]
		sl := &slot{source: fmt.Sprintf("golden %d", i+1)}
		if c := slices.Index(at, i); c >= 0 {
			sl.context = &cs[c]
		}
		order[i] = append(order[i], sl)
	}
	for _, part := range order {
		for _, sl := range part {
			sl.index = len(all)
			all = append(all, sl)
			if sl.context != nil {
				with = append(with, sl)
			} else {
				without = append(without, sl)
			}
		}
	}
	e.fill(ctx, with, exists)
	if len(without) > 0 {
		scratch := *e
		scratch.output = false
		scratch.cast(without)
		for _, sl := range with {
			if sl.err == nil {
				exists = append(exists, sl.made.input)
			}
		}
		scratch.fill(ctx, without, exists)
	}
	return j.result(e, all, cs, failed)
}

type styleReply struct {
	Scenario    string `json:"scenario" jsonschema_description:"Who asks, and in which situation."`
	Task        string `json:"task" jsonschema_description:"What the assistant is there for."`
	InputFormat string `json:"input_format" jsonschema_description:"What an input looks like: length, tone, language, form."`
	Roles       string `json:"participant_roles" jsonschema_description:"Who takes part in the conversation."`
}

// style reads a styling out of inputs that exist.
func (e *engine) style(ctx context.Context, inputs []string) (*StylingConfig, error) {
	const most = 10
	sample := slices.Clone(inputs)
	r := stage.Rand(e.seed, "style")
	r.Shuffle(len(sample), func(i, k int) { sample[i], sample[k] = sample[k], sample[i] })
	sample = sample[:min(most, len(sample))]
	o := e.stage("style")
	results := stage.Run(ctx, e.call, [][]string{sample}, o, func(ctx context.Context, batch [][]string, _ int, seed int64) ([]*StylingConfig, error) {
		rep, err := stage.Ask[styleReply](ctx, e.call.Model, "deepeval_style", or(e.opts.Prompts.Style, stylePrompt), styleMessage(batch[0]), seed, 0)
		if err != nil {
			return nil, err
		}
		return []*StylingConfig{{Scenario: rep.Scenario, Task: rep.Task, InputFormat: rep.InputFormat, ParticipantRoles: rep.Roles}}, nil
	})
	if err := results[0].Err; err != nil {
		return nil, fmt.Errorf("deepeval: read the style of the given goldens: %w", err)
	}
	return &results[0].Value, nil
}
