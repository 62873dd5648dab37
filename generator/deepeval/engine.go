package deepeval

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// engine takes goldens through the stages of the method. It is used for one
// piece of work.
type engine struct {
	opts      Options // settled
	prompts   StagePrompts
	call      *generator.Call // what prompts are about, with the model that writes
	critics   *generator.Call // the same with the model that judges
	seed      uint64
	scenarios bool
	output    bool // expected outputs are wanted
	planned   bool // the goldens are rows of a plan
	lang      *lang.Language
	speak     string // the language asked for, if any
}

// slot is one golden to make.
type slot struct {
	index   int
	source  string     // what it is made of, for failures
	who     string     // comes; empty leaves it to the model
	context *Context   // nil: from scratch
	row     *model.Row // nil outside a plan
	given   string     // with fixed: the input, which stays as it is
	fixed   bool
	avoid   []string // inputs of its own that it must differ from
	tried   []string // inputs that were written for it and existed already
	made    *made
	err     error // why it is not made

	// In a round of evolutions: the one that is asked for, and those before it
	// that came to nothing.
	way   Evolution
	spent []Evolution
}

func (s *slot) passages() int {
	if s.context == nil {
		return 0
	}
	return len(s.context.Passages)
}

// plain reports whether the slot is not evolved: its input is given, or is of a
// kind that an evolution would undo.
func (s *slot) plain() bool { return s.fixed || s.row != nil && s.row.Corner != "" }

// made is a golden under way, and in the end the golden.
type made struct {
	input      string
	first      string // the input as it was first written
	passages   []int  // of the context, what the writer says it needs
	evolutions []Evolution
	versions   []Version
	score      float64 // of input; the critic's until the last stage gives its own
	scored     bool
	problem    string // what the critic found
	base       base   // before the evolutions
	final      *final
}

// base is an input with what the critic said of it.
type base struct {
	input   string
	score   float64
	scored  bool
	problem string
}

// final is what the last stage adds.
type final struct {
	output, name, description string
	criteria, policies        []string
	shown                     map[string]string
	checked                   bool // the fields that follow are a verdict
	answerable, supported     bool
	asked                     bool // what the evolution asks of the reply is done
	needs                     []int
	problems                  []string
}

// Version is one wording that an input went through.
type Version struct {
	Input string   `json:"input"`
	Made  string   `json:"made"`  // written, rewritten, mended, or the evolution that made it
	Score *float64 `json:"score"` // the critic's; null if it was not asked
}

func (m *made) version(how string) {
	m.versions = append(m.versions, Version{Input: m.input, Made: how})
}

func (m *made) rate(score float64, problem string) {
	m.score, m.scored, m.problem = score, true, problem
	if n := len(m.versions); n > 0 {
		m.versions[n-1].Score = &score
	}
}

// fill makes the goldens of all slots: groups side by side, then what is missing
// or exists already once more, as often as the options allow.
func (e *engine) fill(ctx context.Context, slots []*slot, avoid []string) {
	known := &coverage.Index{}
	for _, a := range avoid {
		known.Add("", a)
	}
	open := slots
	for round := 0; round <= e.opts.TopUps && len(open) > 0 && ctx.Err() == nil; round++ {
		groups := e.groups(open)
		beside := make([][]string, len(groups)) // before any of them goes on
		for i, g := range groups {
			beside[i] = slices.Concat(avoid, e.inputsBeside(slots, g))
		}
		var group errgroup.Group
		group.SetLimit(e.opts.Concurrency)
		for i, g := range groups {
			group.Go(func() error {
				e.group(ctx, g, known, beside[i], round, i)
				return nil
			})
		}
		_ = group.Wait() // always nil: a failure belongs to its slots
		var left []*slot
		for _, s := range open {
			if s.err == nil && s.made.input != "" && !s.fixed { // empty messages are alike
				if of, ok := known.Near(s.made.input); ok {
					s.err = &DuplicateError{Input: s.made.input, Of: of}
				}
			}
			if s.err == nil {
				known.Add(s.made.input, s.made.input)
				continue
			}
			s.made = nil
			left = append(left, s)
			if stage.Fatal(s.err) {
				round = e.opts.TopUps
			}
		}
		open = left
	}
	for _, s := range open {
		if s.err == nil {
			s.err = generator.ErrNotStarted
		}
		if ctx.Err() != nil {
			s.err = context.Cause(ctx)
		}
	}
}

// inputsBeside are the inputs made already of the contexts of a group, which its
// new ones must differ from.
func (e *engine) inputsBeside(slots []*slot, g []*slot) []string {
	var out []string
	for _, s := range slots {
		if s.made == nil || s.err != nil {
			continue
		}
		if slices.ContainsFunc(g, func(o *slot) bool { return o.context == s.context || e.planned }) {
			out = append(out, s.made.input)
		}
	}
	for _, s := range g {
		for _, a := range s.avoid {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
		var dup *DuplicateError
		if errors.As(s.err, &dup) {
			out = append(out, dup.Input)
		}
	}
	return out
}

// groups parts slots into what one call is about. Those of one context stay
// together where they fit.
func (e *engine) groups(slots []*slot) [][]*slot {
	var out [][]*slot
	for i := 0; i < len(slots); {
		n := 1
		for i+n < len(slots) && n < e.opts.Batch && slots[i+n].context == slots[i].context {
			n++
		}
		if k := len(out) - 1; k >= 0 && len(out[k])+n <= e.opts.Batch {
			out[k] = append(out[k], slots[i:i+n]...)
		} else {
			out = append(out, slices.Clone(slots[i:i+n]))
		}
		i += n
	}
	return out
}

// group takes one group through the stages. Every slot of it ends with a golden
// or an error.
func (e *engine) group(ctx context.Context, g []*slot, known *coverage.Index, avoid []string, round, number int) {
	w := &work{engine: e, round: round, number: number, known: known, avoid: avoid}
	w.keys = brief.NewKeys(e.call, rowsOf(g))
	for _, s := range g {
		s.err, s.made = nil, nil
	}
	defer func() { // a stage that is cut short leaves no slot without an outcome
		for _, s := range g {
			if s.err == nil && s.made == nil {
				s.err = generator.ErrNotStarted
			}
		}
	}()
	for _, step := range []func(){
		func() { w.inputs(ctx, g) },
		func() { w.filter(ctx, alive(g), e.opts.Filtration.Retries) },
		func() { w.evolve(ctx, alive(g)) },
	} {
		step()
		if err := over(ctx, g); err != nil {
			for _, s := range g {
				s.err = err
			}
			return
		}
	}
	g = alive(g)
	switch {
	case !e.output:
		w.rescore(ctx, g)
	case e.scenarios:
		w.outcomes(ctx, g)
	default:
		w.finish(ctx, g)
	}
	for _, s := range alive(g) {
		e.judge(s)
	}
}

// over returns why no stage that follows can succeed.
func over(ctx context.Context, g []*slot) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, s := range g {
		if s.err != nil && stage.Fatal(s.err) {
			return s.err
		}
	}
	return nil
}

// judge refuses what did not pass: in a run always, since another generator can
// fill its row, alone where the options ask for it.
func (e *engine) judge(s *slot) {
	m := s.made
	var low bool
	switch {
	case s.plain(): // its input is as it must be
		low = m.final != nil && m.final.checked && !m.final.supported
	case e.planned:
		low = !m.final.holds() || m.scored && m.score < e.opts.Filtration.Threshold
	default:
		low = e.opts.Filtration.Drop
	}
	if low && e.flagged(m) {
		s.err = &QualityError{Score: m.score, Threshold: e.opts.Filtration.Threshold, Problems: m.problems()}
	}
}

// flagged reports whether the golden did not pass.
func (e *engine) flagged(m *made) bool {
	return m.scored && m.score < e.opts.Filtration.Threshold || m.final != nil && !(m.final.holds() && m.final.asked)
}

// holds reports whether the golden was found right.
func (f *final) holds() bool { return f != nil && f.checked && f.answerable && f.supported }

func (m *made) problems() []string {
	if m.final != nil && len(m.final.problems) > 0 {
		return m.final.problems
	}
	if m.problem != "" {
		return []string{m.problem}
	}
	return nil
}

// work is one group in one round.
type work struct {
	*engine
	round, number int
	known         *coverage.Index
	avoid         []string
	keys          *brief.Keys
}

// stage are the options of one stage of the group: all of it in one call.
func (w *work) stage(name string, items int, turn ...int) stage.Options {
	o := w.engine.stage(name, w.round, w.number, turn)
	o.Batch = items
	return o
}

// stage are the options of a stage; the parts tell its calls from others.
func (e *engine) stage(name string, parts ...any) stage.Options {
	return stage.Options{
		Name: "deepeval_" + name, Concurrency: e.opts.Concurrency,
		Seed: stage.Rand(e.seed, append([]any{name}, parts...)...).Uint64(),
	}
}

func alive(g []*slot) []*slot {
	return slices.DeleteFunc(slices.Clone(g), func(s *slot) bool { return s.err != nil })
}

func rowsOf(g []*slot) []model.Row {
	var out []model.Row
	for _, s := range g {
		if s.row != nil && !slices.ContainsFunc(out, func(r model.Row) bool { return r.ID == s.row.ID }) {
			out = append(out, *s.row)
		}
	}
	return out
}

// keyIndex reads a key that a model copied: i3, "3", [i3].
func keyIndex(key, prefix string, n int) int {
	key = strings.Trim(strings.TrimSpace(key), "[](){}<>.:#\"' ")
	k, err := strconv.Atoi(strings.TrimPrefix(strings.ToLower(key), prefix))
	if err != nil || k < 1 || k > n {
		return -1
	}
	return k - 1
}
