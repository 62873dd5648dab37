package generatortest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/generatortest"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/schema/strictcheck"
	"github.com/casebook-go/casebook/model"
)

// recorder is a test that keeps its failures.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failures []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// written is a generator written by hand.
type written struct {
	spec func() generator.Spec
	fn   func(ctx context.Context, call *generator.Call) (*generator.Output, error)
}

func (w written) Spec() generator.Spec { return w.spec() }

func (w written) Generate(ctx context.Context, call *generator.Call) (*generator.Output, error) {
	return w.fn(ctx, call)
}

func spec() generator.Spec {
	return generator.Spec{Name: "plain", Description: "Fills every row with its first parameter. For tests."}
}

// fill makes one item for each row.
func fill(call *generator.Call) *generator.Output {
	b := &model.Batch{}
	for _, row := range call.Rows {
		b.Items = append(b.Items, model.Item{Row: row.ID, TestCase: model.TestCase{Name: row.Parameters["tone"].String()}})
	}
	return generator.BatchOutput(b)
}

// good is a generator that passes, with fn between the check of ctx and the
// output.
func good(change func(ctx context.Context, call *generator.Call, out *generator.Output)) written {
	return written{spec: spec, fn: func(ctx context.Context, call *generator.Call) (*generator.Output, error) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out := fill(call)
		if change != nil {
			change(ctx, call, out)
		}
		return out, nil
	}}
}

type params struct {
	Count int `json:"count" jsonschema:"minimum=1"`
}

func (p params) Validate() error {
	if p.Count == 13 {
		return errors.New("13 is unlucky")
	}
	return nil
}

func TestGood(t *testing.T) {
	t.Parallel()
	typed := func(s generator.Spec, fn func(context.Context, *generator.Call, params) (*generator.Output, error)) generator.Generator {
		g, err := generator.New(s, params{Count: 3}, fn)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	needsModel := spec()
	needsModel.NeedsModel = true
	native := spec()
	native.Record = "own.format"
	correction := spec()
	correction.Formats = []model.Format{model.DialogLastTurnCorrection}
	var busy atomic.Int32
	serial := spec()
	serial.Serial = true

	for name, tt := range map[string]struct {
		g    generator.Generator
		opts *generatortest.Options
	}{
		"by hand": {good(nil), nil},
		"typed": {typed(spec(), func(_ context.Context, call *generator.Call, _ params) (*generator.Output, error) {
			return fill(call), nil
		}), nil},
		"drops with a reason": {typed(spec(), func(_ context.Context, call *generator.Call, _ params) (*generator.Output, error) {
			out := fill(call)
			out.Records = out.Records[:1]
			for _, r := range call.Rows[1:] {
				out.Dropped = append(out.Dropped, generator.Drop{Row: r.ID, Reason: "no such customer"})
			}
			return out, nil
		}), nil},
		"corrections": {typed(correction, func(_ context.Context, call *generator.Call, _ params) (*generator.Output, error) {
			if call.Rows[0].Format != model.DialogLastTurnCorrection || call.Profile.Case != model.CaseOperatorQuality {
				return nil, fmt.Errorf("row of format %s in the case %s", call.Rows[0].Format, call.Profile.Case)
			}
			return fill(call), nil
		}), nil},
		"native records": {typed(native, func(_ context.Context, call *generator.Call, _ params) (*generator.Output, error) {
			out := &generator.Output{}
			for _, r := range call.Rows {
				out.Records = append(out.Records, generator.Record{Row: r.ID, JSON: json.RawMessage(`{"native":true}`)})
			}
			return out, nil
		}), nil},
		"with a model and a helper goroutine": {typed(needsModel, func(ctx context.Context, call *generator.Call, _ params) (*generator.Output, error) {
			var err error
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, err = call.Model.Complete(ctx, &llm.Request{})
			}()
			<-done
			return fill(call), err
		}), &generatortest.Options{Model: func(*generator.Call) llm.Client {
			return llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) { return &llm.Response{}, nil })
		}}},
		"serial": {typed(serial, func(_ context.Context, call *generator.Call, _ params) (*generator.Output, error) {
			defer busy.Add(-1)
			if busy.Add(1) > 1 {
				return nil, errors.New("two at once")
			}
			return fill(call), nil
		}), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			generatortest.Test(t, tt.g, tt.opts)
		})
	}
}

func TestBad(t *testing.T) {
	t.Parallel()
	release := make(chan struct{}) // ends what the bad generators leave behind
	t.Cleanup(func() { close(release) })
	with := func(change func(*generator.Spec)) written {
		g := good(nil)
		g.spec = func() generator.Spec {
			s := spec()
			change(&s)
			return s
		}
		return g
	}
	failing := func(out *generator.Output, err error) written {
		return written{spec: spec, fn: func(ctx context.Context, _ *generator.Call) (*generator.Output, error) {
			return out, errors.Join(err, ctx.Err())
		}}
	}
	var asked, made, busy atomic.Int32
	met := make(chan struct{}, 1)
	impatient := generatortest.Options{Timeout: 300 * time.Millisecond}
	asksModel := func(ask func(ctx context.Context, call *generator.Call)) written {
		g := good(func(ctx context.Context, call *generator.Call, _ *generator.Output) { ask(ctx, call) })
		g.spec = func() generator.Spec {
			s := spec()
			s.NeedsModel = true
			return s
		}
		return g
	}
	answers := func(*generator.Call) llm.Client {
		return llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) { return &llm.Response{}, nil })
	}

	for name, tt := range map[string]struct {
		g    generator.Generator
		opts generatortest.Options
		want string // in one of the failures; the check's name first
	}{
		"invalid name":    {with(func(s *generator.Spec) { s.Name = "A B" }), generatortest.Options{}, `spec: generator "A B" cannot be registered: Name`},
		"no description":  {with(func(s *generator.Spec) { s.Description = "" }), generatortest.Options{}, "Description: it is empty"},
		"schema":          {with(func(s *generator.Spec) { s.Params = &struct{ M map[string]int }{} }), generatortest.Options{}, "struct.M: map[string]int"},
		"changing spec":   {with(func(s *generator.Spec) { s.Description = fmt.Sprint(asked.Add(1)) }), generatortest.Options{}, "spec: two calls of Spec differ"},
		"refused default": {with(func(s *generator.Spec) { s.Params = &params{Count: 13} }), generatortest.Options{}, "defaults: invalid arguments for generate_with_plain: 13 is unlucky"},
		"required params": {with(func(s *generator.Spec) { s.Params = &params{} }), generatortest.Options{}, "calls: call call_en: invalid arguments for generate_with_plain: count: is required; give Options.Calls"},
		"no model":        {with(func(s *generator.Spec) { s.NeedsModel = true }), generatortest.Options{}, "calls: the generator needs a model"},

		"error":   {failing(nil, errors.New("no luck")), generatortest.Options{}, "output: call call_en: output <nil> and error no luck"},
		"nothing": {failing(nil, nil), generatortest.Options{}, "output: call call_en: output <nil> and error <nil>"},
		"panic":   {good(func(context.Context, *generator.Call, *generator.Output) { panic("boom") }), generatortest.Options{}, "output: call call_en: the generator panicked: boom"},
		"goexit":  {good(func(context.Context, *generator.Call, *generator.Output) { runtime.Goexit() }), generatortest.Options{}, "output: call call_en: the generator exited its goroutine"},
		"format":  {good(func(_ context.Context, _ *generator.Call, o *generator.Output) { o.Format = "x" }), generatortest.Options{}, `output: the format is "x"`},
		"engine":  {good(func(_ context.Context, _ *generator.Call, o *generator.Output) { o.Engine = "rust" }), generatortest.Options{}, `output: the engine is "rust"`},
		"foreign row": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records = append(o.Records, generator.Record{Row: "row_9", JSON: o.Records[0].JSON})
		}), generatortest.Options{}, `output: record 3 fills row "row_9", which was not dealt`},
		"row twice": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records = append(o.Records, o.Records[0])
		}), generatortest.Options{}, `output: record 3 fills row "row_1" once more`},
		"row forgotten": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records = o.Records[1:]
		}), generatortest.Options{}, `output: row "row_1" is neither filled nor dropped`},
		"dropped without a reason": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records, o.Dropped = o.Records[1:], []generator.Drop{{Row: "row_1", Reason: " "}}
		}), generatortest.Options{}, `output: row "row_1" is dropped without a reason`},
		"filled and dropped": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Dropped = []generator.Drop{{Row: "row_1", Reason: "why not"}}
		}), generatortest.Options{}, `output: row "row_1" is both filled and dropped`},
		"dropped twice": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records, o.Dropped = o.Records[1:], []generator.Drop{{Row: "row_1", Reason: "a"}, {Row: "row_1", Reason: "b"}}
		}), generatortest.Options{}, `output: row "row_1" is dropped twice`},
		"foreign row dropped": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Dropped = []generator.Drop{{Row: "row_9", Reason: "a"}}
		}), generatortest.Options{}, `output: row "row_9" is dropped, and was not dealt`},
		"no JSON": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records[1].JSON = json.RawMessage(`{"a":`)
		}), generatortest.Options{}, "output: record 1 is no JSON object"},
		"no item": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records[1].JSON = json.RawMessage(`{"test_case":5}`)
		}), generatortest.Options{}, "output: record 1 does not parse"},
		"span": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records[0].Spans = []model.Span{{Doc: "elsewhere.md", EndByte: 1, StartLine: 1, EndLine: 1}}
		}), generatortest.Options{}, "output: record 0 has a span outside"},

		"row changed": {good(func(_ context.Context, c *generator.Call, _ *generator.Output) {
			c.Rows[0].Parameters["tone"] = model.String("other")
		}), generatortest.Options{}, "call: call call_en was changed: Rows: "},
		"policies reordered": {good(func(_ context.Context, c *generator.Call, _ *generator.Output) {
			slices.Reverse(c.Policies)
		}), generatortest.Options{}, "call: call call_en was changed: Policies: "},
		"field changed": {good(func(_ context.Context, c *generator.Call, _ *generator.Output) {
			c.Seed++
		}), generatortest.Options{}, "call: call call_en was changed: Seed: 7 became Seed: 8"},
		"profile changed": {good(func(_ context.Context, c *generator.Call, _ *generator.Output) {
			c.Profile.Sources = nil
		}), generatortest.Options{}, "call: call call_en was changed: Profile: "},
		"appended behind": {good(func(_ context.Context, c *generator.Call, _ *generator.Output) {
			_ = append(c.Avoid, "mine")
		}), generatortest.Options{}, " became Avoid: something was appended behind its end"},

		"changes its mind": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Records[0].JSON = fmt.Appendf(nil, `{"test_case":{"name":"%d"}}`, made.Add(1))
		}), generatortest.Options{}, "same: call call_en made twice: record 0 is "},
		"drops differently": {good(func(_ context.Context, _ *generator.Call, o *generator.Output) {
			o.Version = fmt.Sprint(made.Add(1))
		}), generatortest.Options{}, "same: call call_en made twice: the outputs are "},
		"shares its state": {good(func(ctx context.Context, c *generator.Call, o *generator.Output) {
			defer busy.Add(-1)
			if busy.Add(1) == 1 {
				select {
				case <-met:
				case <-time.After(50 * time.Millisecond): // it is alone
				}
				return
			}
			select {
			case met <- struct{}{}:
			default:
			}
			o.Records[0].JSON = json.RawMessage(`{"test_case":{"name":"disturbed"}}`)
		}), generatortest.Options{}, "concurrent: call call_en made 8 times at once: record 0 is "},

		"ignores an ended context": {written{spec: spec, fn: func(_ context.Context, call *generator.Call) (*generator.Output, error) {
			return fill(call), nil
		}}, generatortest.Options{}, "cancel: call call_en with an ended context returned the error <nil>"},
		"hides the cause": {written{spec: spec, fn: func(ctx context.Context, call *generator.Call) (*generator.Output, error) {
			if ctx.Err() != nil {
				return nil, errors.New("something went wrong")
			}
			return fill(call), nil
		}}, generatortest.Options{}, "cancel: call call_en with an ended context returned the error something went wrong"},
		"goes on after the model gave up": {asksModel(func(ctx context.Context, call *generator.Call) {
			if _, err := call.Model.Complete(ctx, &llm.Request{}); err != nil {
				<-release
			}
		}), generatortest.Options{Model: answers, Timeout: impatient.Timeout}, "cancel: call call_en did not return within"},
		"never returns": {good(func(context.Context, *generator.Call, *generator.Output) { <-release }), impatient, "cancel: call call_en did not return within"},
		"leaves a goroutine": {good(func(context.Context, *generator.Call, *generator.Output) {
			go func() { <-release }()
		}), impatient, "leak: a goroutine outlives its call"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{TB: t}
			generatortest.Test(r, tt.g, &tt.opts)
			if !slices.ContainsFunc(r.failures, func(f string) bool { return strings.Contains(f, tt.want) }) {
				t.Fatalf("failures:\n%s\nwant one with %q", strings.Join(r.failures, "\n"), tt.want)
			}
			check, _, _ := strings.Cut(r.failures[0], ": ")
			for _, f := range r.failures {
				if !strings.HasPrefix(f, check+": ") {
					t.Errorf("it also fails for another reason: %s", f)
				}
			}
		})
	}
}

func TestCalls(t *testing.T) {
	t.Parallel()
	for _, format := range []model.Format{model.SingleTurnQA, model.SingleUtteranceCorrection, model.DialogLastTurnCorrection, "own_format"} {
		s := spec()
		s.Formats = []model.Format{format}
		calls, err := generatortest.Calls(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range calls {
			if len(call.Rows) != 3 || call.Rows[0].Format != format || call.Language == "" {
				t.Errorf("%s: call %+v", format, call)
			}
			for _, ev := range [][]model.Evidence{call.UseCase.Evidence, call.Policies[0].Evidence, call.Policies[1].Evidence} {
				if len(ev) != 1 || ev[0].Quote == "" || ev[0].Quote != call.Documents[0].Line(ev[0].LineStart) {
					t.Errorf("%s: evidence %+v", call.ID, ev)
				}
			}
		}
	}
	if v := strictcheck.Violations([]byte(`{}`)); len(v) == 0 { // the spec check rests on it
		t.Error("the checker of strict schemas finds nothing")
	}
}
