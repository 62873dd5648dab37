// Package answer ends what a generator's method began: it writes the ideal
// replies to inputs, with what they are judged by, or only the latter where there
// is a reply already; has inputs and replies checked against the document, mends
// once what did not pass and keeps the best version. All of it in batches.
package answer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// The versions of the prompts; recordings name them.
const (
	Version = "answer/2"
	// DescribeVersion is that of the prompt for drafts that have a reply.
	DescribeVersion = "describe/1"
)

// Draft is an input that a method made, for a row or outside of a plan.
type Draft struct {
	Row   *model.Row // nil outside of a plan
	Input string     // the message; it may be empty for a row of empty messages
	// Output is a reply that was written elsewhere. Nothing is changed in it, or in
	// the input, unless the check finds something. Empty where the reply is to be
	// written.
	Output string
	// Contexts are the passages that the input was made from.
	Contexts []chunk.Chunk
	// Ask is what the method asks of the input and its reply beside what every
	// one must do, for the writer and the check: "the message has two questions,
	// and the reply answers both". Empty for nothing.
	Ask string
	// Open says that nothing in the document is meant to settle the input: that it
	// does not is no fault.
	Open bool
	// Findings is what was found in an input or its reply that was refused before.
	Findings []string
}

// fixed reports whether the input must stay as it is.
func (d *Draft) fixed() bool { return d.Row != nil && (d.Row.Given != nil || d.Row.Corner == "empty") }

// Final is an input with its reply and what the check found.
type Final struct {
	Input, Output     string
	Name, Description string
	Criteria          []string
	PolicyIDs         []string          // of the row's policies, those shown
	Shown             map[string]string // see [model.Metadata]

	Score      float64 // of the input, 0..1; 0 for one that has nothing to do with the row's first policy
	Answerable bool    // the document and the contexts decide the reply
	Supported  bool    // nothing in the reply is without support
	Asked      bool    // what the method asks is done
	Needs      []int   // indices of the contexts without which the reply could not be known
	Problems   []string
	// Checked is false where the check gave no verdict on this version.
	Checked bool
	Version int // 0 = as first written, or as the draft has it; 1 = mended once, ...

	impossible string // why the model declined to write it
	strays     string // what its message turns on in place of the row's first policy
}

// Pass reports whether nothing speaks against the item.
func (f *Final) Pass(threshold float64) bool {
	return f.Checked && f.Score >= threshold && f.Answerable && f.Supported && f.Asked
}

// Prompts replaces the system messages; "" is the built-in one.
type Prompts struct{ Write, Describe, Check, Mend string }

// Options configures the ending. Nil means all zero values.
type Options struct {
	// Stage is that of all requests; its Name is the prefix of their purposes.
	Stage stage.Options
	// Threshold is the lowest score of an input that passes, 0..1; 0 means 0.5.
	Threshold float64
	// Repairs is how often an item that did not pass is mended; 0 means once, -1
	// never.
	Repairs int
	// Critic checks; nil means the call's model.
	Critic  llm.Client
	Prompts Prompts
	// MaxDocument is how many characters of documents a prompt holds; 0 means
	// 24,000.
	MaxDocument int
	// Temperature of the writing requests; nil leaves it to the server. The check
	// is always asked for at 0.
	Temperature *float64
}

func (o *Options) defaulted(call *generator.Call) *Options {
	c := Options{}
	if o != nil {
		c = *o
	}
	if c.Stage.Name == "" {
		c.Stage.Name = "generate"
	}
	if c.Stage.Seed == 0 {
		c.Stage.Seed = call.Seed
	}
	if c.Threshold == 0 {
		c.Threshold = 0.5
	}
	if c.Repairs == 0 {
		c.Repairs = 1
	}
	if c.Critic == nil {
		c.Critic = call.Model
	}
	if c.MaxDocument == 0 {
		c.MaxDocument = 24000
	}
	return &c
}

// ending is the work on the drafts of one call.
type ending struct {
	call   *generator.Call
	o      *Options
	drafts []Draft
	keys   *brief.Keys
}

func begin(call *generator.Call, drafts []Draft, o *Options) *ending {
	e := &ending{call: call, o: o.defaulted(call), drafts: drafts}
	var rows []model.Row
	for i := range drafts {
		if drafts[i].Row != nil {
			rows = append(rows, *drafts[i].Row)
		}
	}
	e.keys = brief.NewKeys(call, rows)
	return e
}

// stage returns the options of one of the ending's stages. The items are those
// of the drafts with the indices at.
func (e *ending) stage(name string, at []int) stage.Options {
	o := e.o.Stage
	group := o.Group
	o.Name += "_" + name
	if group != nil {
		o.Group = func(i int) string { return group(at[i]) }
	}
	return o
}

// Finish writes, or describes the drafts that have a reply, checks and mends. The
// results are in the order of the drafts; one without a value could not be
// written or described at all. A value that does not pass
// says so in its Problems: whether it is kept is the caller's to decide. If the
// check of a version fails, the version is kept, unchecked.
func Finish(ctx context.Context, call *generator.Call, drafts []Draft, o *Options) []stage.Result[Final] {
	e := begin(call, drafts, o)
	best := make([]stage.Result[Final], len(drafts))
	all := indices(drafts)
	var bare, whole []int
	for _, i := range all {
		if drafts[i].Output == "" {
			bare = append(bare, i)
		} else {
			whole = append(whole, i)
		}
	}
	for k, r := range e.write(ctx, bare) {
		best[bare[k]] = r
	}
	for k, r := range e.describe(ctx, whole) {
		best[whole[k]] = r
	}
	e.check(ctx, best, alive(best, all))
	e.improve(ctx, best, e.o.Repairs)
	return best
}

// improve mends what does not pass, at most times times.
func (e *ending) improve(ctx context.Context, best []stage.Result[Final], times int) {
	for turn := range max(0, times) {
		var open []int
		for _, i := range alive(best, indices(best)) {
			if f := &best[i].Value; f.Checked && (!f.Pass(e.o.Threshold) || len(f.Problems) > 0) {
				open = append(open, i)
			}
		}
		if len(open) == 0 || ctx.Err() != nil {
			return
		}
		mended := e.mend(ctx, open, best, turn)
		fresh := make([]stage.Result[Final], len(best))
		for k, i := range open {
			fresh[i] = mended[k]
			fresh[i].Value.Version = best[i].Value.Version + 1
		}
		ok := alive(fresh, open)
		e.check(ctx, fresh, ok)
		for _, i := range ok {
			if e.better(&fresh[i].Value, &best[i].Value) {
				best[i] = fresh[i]
			}
		}
	}
}

// better reports whether a is to be kept in place of b. An unchecked version is
// never better than a checked one.
func (e *ending) better(a, b *Final) bool {
	rank := func(f *Final) int {
		n := 0
		for _, ok := range []bool{f.Supported, f.Answerable, f.Asked, f.Score >= e.o.Threshold} {
			n *= 2
			if ok {
				n++
			}
		}
		return n
	}
	switch {
	case a.Checked != b.Checked:
		return a.Checked
	case rank(a) != rank(b):
		return rank(a) > rank(b)
	case len(a.Problems) != len(b.Problems):
		return len(a.Problems) < len(b.Problems)
	default:
		return a.Score >= b.Score
	}
}

// Mend writes the refused items of a repair call anew, by what was found in
// them, and checks the new versions. There is a result for each example that the
// rows ask for, in their order.
func Mend(ctx context.Context, call *generator.Call, o *Options) []stage.Result[Final] {
	var drafts []Draft
	var before []stage.Result[Final]
	for i := range call.Rows {
		row := &call.Rows[i]
		rep := call.Repairs[row.ID]
		for k := range max(1, row.Examples) {
			d := Draft{Row: row, Findings: rep.Findings}
			f := Final{Name: rep.Item.TestCase.Name, Description: rep.Item.TestCase.Description}
			if k < len(rep.Item.Examples) {
				ex := rep.Item.Examples[k]
				if n := len(ex.Input.Messages); n > 0 {
					d.Input = ex.Input.Messages[n-1].Content
				}
				f.Input, f.Output, f.Criteria, f.PolicyIDs, f.Shown = d.Input, ex.ExpectedOutput, ex.EvaluationCriteria, ex.PolicyIDs, ex.Metadata.Shown
			}
			drafts = append(drafts, d)
			before = append(before, stage.Result[Final]{Value: f})
		}
	}
	// What was found is said once, with the attempt, not as the row's own part.
	scope := *call
	scope.Repairs = nil
	e := begin(&scope, drafts, o)
	mended := e.mend(ctx, indices(drafts), before, 0)
	for i := range mended {
		mended[i].Value.Version = 1
	}
	e.check(ctx, mended, alive(mended, indices(drafts)))
	return mended
}

func indices[T any](s []T) []int {
	out := make([]int, len(s))
	for i := range s {
		out[i] = i
	}
	return out
}

// alive returns those of the indices whose result has a value.
func alive(rs []stage.Result[Final], at []int) []int {
	return slices.DeleteFunc(slices.Clone(at), func(i int) bool { return rs[i].Err != nil })
}

// ImpossibleError says that the model declined to write an item, and why.
type ImpossibleError struct{ Reason string }

func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("the model says it cannot be written: %s", e.Reason)
}

func lines(list []string) []string {
	var out []string
	for _, s := range list {
		if s = brief.Line(s); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func empty(s string) bool {
	s = strings.ToLower(strings.Trim(strings.TrimSpace(s), ".-—–\"'"))
	return s == "" || s == "none" || s == "null" || s == "n/a" || s == "нет"
}
