// Package direct makes test cases with the model in one structured call for a
// batch of rows. It is a tool among others, and the first fallback when the
// generators that a router picked left rows open.
package direct

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/model"
)

// Prompt is the version of the prompt; recordings name it.
const Prompt = "direct/2"

// Options configures the generator. Nil means all zero values.
type Options struct {
	// BatchRows is how many rows one model call fills; 0 means 4.
	BatchRows int
	// MaxDocument is how many characters of documents a prompt holds; 0 means
	// 24,000. Beyond it, the lines around the evidence are shown.
	MaxDocument int
}

// Params are the parameters of the tool.
type Params struct {
	MaxTestCases int    `json:"max_test_cases" jsonschema:"minimum=1,maximum=100" jsonschema_description:"The most rows this call may be dealt."`
	Emphasis     string `json:"emphasis" jsonschema:"enum=balanced,enum=edge_cases,enum=pressure" jsonschema_description:"What the inputs lean to: ordinary requests, limits and exceptions of the rules, or people who push for something the rules forbid."`
}

// New returns the generator. Its tool is generate_direct; its records are the
// contract's own items. It is safe for concurrent use; the error is always nil
// unless its own declaration is broken.
func New(o *Options) (generator.Generator, error) {
	opts := Options{}
	if o != nil {
		opts = *o
	}
	if opts.BatchRows <= 0 {
		opts.BatchRows = 4
	}
	if opts.MaxDocument <= 0 {
		opts.MaxDocument = 24000
	}
	d := &direct{opts}
	return generator.New(generator.Spec{
		Name: "direct", Tool: "generate_direct", Record: generator.BatchFormat, NeedsModel: true, Count: "max_test_cases",
		Description: "Writes test cases straight from the use case, its policies and the document: a customer's (or operator's) message for each planned row, the right reply and what it is judged by. " +
			"Good for every format and for any small or mixed set of rows; the right choice when a row must show exact parameter values, gives a verbatim message, or asks for a correction.",
	}, Params{MaxTestCases: 20, Emphasis: "balanced"}, d.generate)
}

type direct struct{ opts Options }

// maxBatches is how many batches of one call are asked for at once. The limit
// on all calls to the model is the client's.
const maxBatches = 4

// reply is what the model is asked for. Field order is the order of thought.
type reply struct {
	Items []replyItem `json:"items" jsonschema_description:"One item for each row, in the order of the rows."`
}

type replyItem struct {
	Row        string       `json:"row" jsonschema_description:"The row's key, for example r1."`
	Situation  string       `json:"situation" jsonschema_description:"Who writes, what they need, and which rule decides it. One sentence in the document's language; it becomes the test case's description."`
	Name       string       `json:"name" jsonschema_description:"A short name of the test case in the document's language."`
	Messages   []replyTurn  `json:"messages" jsonschema_description:"The input. Exactly the turns that the row's format asks for."`
	Shown      []replyShown `json:"shown" jsonschema_description:"For each parameter whose meaning asks to quote it: the words of the input that show its value. Empty when none does."`
	Policies   []string     `json:"policies" jsonschema_description:"Keys of the row's policies that decide this item, the row's first one always among them, for example p1."`
	Output     string       `json:"expected_output" jsonschema_description:"The ideal reply, or the corrected message, ready to be sent."`
	Criteria   []string     `json:"criteria" jsonschema_description:"Three to five statements that a reply can be scored by with yes or no; yes is good."`
	Impossible string       `json:"impossible" jsonschema_description:"Empty; or why this row cannot be written honestly."`
}

type replyTurn struct {
	Role string `json:"role" jsonschema:"enum=user,enum=operator"`
	Text string `json:"text"`
}

type replyShown struct {
	Parameter string `json:"parameter"`
	Phrase    string `json:"phrase"`
}

func (d *direct) generate(ctx context.Context, call *generator.Call, p Params) (*generator.Output, error) {
	if call.Model == nil {
		return nil, errors.New("direct: the call has no model")
	}
	chunks := slices.Collect(slices.Chunk(call.Rows, d.opts.BatchRows))
	made := make([]batchResult, len(chunks))
	for i, rows := range chunks {
		made[i].fail(rows, generator.ErrNotStarted)
	}
	// Batches know nothing of each other, so they are asked for at once: the
	// call takes as long as its slowest batch. Their items stand in the order of
	// the rows whichever comes first.
	var (
		group  errgroup.Group
		failed atomic.Bool // no later batch can succeed
		slots  = make(chan struct{}, maxBatches)
	)
feed:
	for i, rows := range chunks {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			break feed
		}
		if ctx.Err() != nil || failed.Load() {
			break
		}
		group.Go(func() error {
			defer func() { <-slots }()
			made[i].fail(rows, errExited) // should the model's client end the goroutine
			d.fill(ctx, call, p, rows, &made[i])
			if fatal(made[i].err) {
				failed.Store(true)
			}
			return nil
		})
	}
	_ = group.Wait() // always nil: a failure belongs to its batch
	batch := &model.Batch{}
	var dropped []generator.Drop
	var failures []error
	for i := range made {
		batch.Items = append(batch.Items, made[i].items...)
		dropped = append(dropped, made[i].drops...)
		if err := made[i].err; err != nil && !errors.Is(err, generator.ErrNotStarted) {
			failures = append(failures, err)
		}
	}
	if len(failures) == 0 && ctx.Err() != nil {
		failures = append(failures, context.Cause(ctx))
	}
	out := generator.BatchOutput(batch)
	out.Dropped = dropped
	return out, errors.Join(failures...)
}

// batchResult is what one batch brought.
type batchResult struct {
	items []model.Item
	drops []generator.Drop
	err   error
}

// fail makes b the result of a batch that brought nothing.
func (b *batchResult) fail(rows []model.Row, err error) {
	*b = batchResult{err: err}
	for _, r := range rows {
		b.drops = append(b.drops, generator.Drop{Row: r.ID, Reason: err.Error()})
	}
}

var errExited = errors.New("direct: the model's client exited its goroutine")

// fill asks for one batch. What goes wrong, a panic of the model's client
// included, costs the rows of this batch and no others.
func (d *direct) fill(ctx context.Context, call *generator.Call, p Params, rows []model.Row, out *batchResult) {
	defer func() {
		if v := recover(); v != nil {
			stack := debug.Stack()
			call.Log.Error("generator panicked", "generator", "direct", "call", call.ID, "panic", fmt.Sprint(v), "stack", string(stack))
			out.fail(rows, &generator.PanicError{Value: v, Stack: stack})
		}
	}()
	items, drops, err := d.batch(ctx, call, p, rows)
	if err != nil {
		out.fail(rows, err)
		return
	}
	*out = batchResult{items: items, drops: drops}
}

func fatal(err error) bool {
	var e *llm.Error
	var b *llm.BudgetError
	var m *llm.MissingError
	return errors.As(err, &e) && e.Fatal() || errors.As(err, &b) || errors.As(err, &m)
}

func (d *direct) batch(ctx context.Context, call *generator.Call, p Params, rows []model.Row) ([]model.Item, []generator.Drop, error) {
	keys := brief.NewKeys(call, rows)
	req := &llm.Request{
		Purpose: "generate_direct",
		Messages: []llm.Message{
			{Role: llm.RoleSystem, Content: system(call)},
			{Role: llm.RoleUser, Content: d.user(call, p, rows, keys)},
		},
	}
	rep, _, err := llm.Ask[reply](ctx, call.Model, req)
	if err != nil {
		return nil, nil, err
	}
	var items []model.Item
	var drops []generator.Drop
	for i, row := range rows {
		item, why := assemble(call, row, fmt.Sprintf("r%d", i+1), rep.Items, keys)
		if why != "" {
			drops = append(drops, generator.Drop{Row: row.ID, Reason: why})
			continue
		}
		items = append(items, *item)
	}
	return items, drops, nil
}

// assemble makes the item of one row out of the reply, or says why it cannot.
func assemble(call *generator.Call, row model.Row, key string, made []replyItem, keys *brief.Keys) (*model.Item, string) {
	var mine []replyItem
	for _, m := range made {
		if strings.TrimSpace(m.Row) == key {
			mine = append(mine, m)
		}
	}
	if len(mine) == 0 {
		return nil, "the model's reply has no item for the row"
	}
	if why := strings.TrimSpace(mine[0].Impossible); why != "" && mine[0].Output == "" {
		return nil, "the model says it cannot be written: " + why
	}
	if len(mine) > row.Examples {
		mine = mine[:row.Examples]
	}
	item := &model.Item{Row: row.ID, TestCase: model.TestCase{
		Name: brief.Line(mine[0].Name), Description: brief.Line(mine[0].Situation), PolicyIDs: slices.Clone(row.PolicyIDs),
	}}
	for _, m := range mine {
		ex := model.Example{Format: row.Format, ExpectedOutput: strings.TrimSpace(m.Output)}
		for _, t := range m.Messages {
			ex.Input.Messages = append(ex.Input.Messages, model.Message{Role: t.Role, Content: strings.TrimSpace(t.Text)})
		}
		if row.Given != nil {
			ex.Input.Messages = slices.Clone(row.Given)
		}
		if f, ok := call.Profile.Format(row.Format); ok && f.Target == model.TargetLast {
			last := len(ex.Input.Messages) - 1
			ex.Input.TargetMessageIndex = &last
		}
		for _, c := range m.Criteria {
			if c = brief.Line(c); c != "" && !slices.Contains(ex.EvaluationCriteria, c) {
				ex.EvaluationCriteria = append(ex.EvaluationCriteria, c)
			}
		}
		if !slices.ContainsFunc(m.Policies, func(k string) bool { return slices.Contains(row.PolicyIDs, keys.Policy(k)) }) {
			return nil, "the model's item names none of the row's policies"
		}
		ex.PolicyIDs = keys.Policies(&row, m.Policies)
		for _, s := range m.Shown {
			if s.Phrase == "" {
				continue
			}
			if ex.Metadata.Shown == nil {
				ex.Metadata.Shown = map[string]string{}
			}
			ex.Metadata.Shown[s.Parameter] = s.Phrase
		}
		item.Examples = append(item.Examples, ex)
	}
	return item, ""
}

func system(call *generator.Call) string {
	correction := false
	for _, r := range call.Rows {
		if f, ok := call.Profile.Format(r.Format); ok && f.Correction {
			correction = true
		}
	}
	var b strings.Builder
	b.WriteString(`You write test data for an assistant that must follow a business document. For each row you are given, write one realistic input and the ideal reply.

` + brief.Untrusted + `

The input
` + brief.InputRules + `

The reply
` + brief.ReplyRules + `

The criteria
` + brief.CriteriaRules + `

Language: messages, replies, names, situations and criteria are in the language of the document, unless a parameter asks for another.
`)
	if correction {
		b.WriteString(`
Corrections
- In a single-utterance row the input is one operator message that has a fault; the reply is that message, corrected.
- In a dialogue row the input starts with the user and ends with a faulty operator turn; the reply is the corrected last turn alone.
- The fault breaks the row's pressed policy. Keep every fact and request of the draft that the rules allow; mend all faults, also those of form; leave words alone that a rule protects. The corrected text must differ from the draft.
- The draft must be about the business of the document, something its operators would really write.
- fault, form, length and greeting are those of the operator's message that is corrected; client_tone is that of the customer's messages. fault=none means that its form is clean and its content breaks the policy.
`)
	}
	return b.String()
}

func (d *direct) user(call *generator.Call, p Params, rows []model.Row, keys *brief.Keys) string {
	lead := ""
	switch p.Emphasis {
	case "edge_cases":
		lead = "Lean to the limits and exceptions of the rules.\n"
	case "pressure":
		lead = "Lean to people who push.\n"
	}
	var b strings.Builder
	b.WriteString(brief.Head(call) + lead + brief.Body(call, keys, d.opts.MaxDocument))
	b.WriteString("\n<rows>\n")
	for i := range rows {
		brief.Row(&b, call, rows[i], fmt.Sprintf("r%d", i+1), keys)
	}
	b.WriteString("</rows>\n")
	b.WriteString(brief.Avoid(call.Avoid))
	b.WriteString("\nWrite the items of all rows.")
	return b.String()
}
