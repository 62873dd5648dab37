// Package generatortest is a conformance test that any generator can be put
// through, in the manner of testing/fstest.
package generatortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/schema/strictcheck"
	"github.com/casebook-go/casebook/model"
)

// Options say what to put a generator through. The zero value does for a
// generator that needs no model and makes items of the contract.
type Options struct {
	// Calls are dealt to the generator one after another. If nil, [Calls] makes
	// them. Args may be as a model would send them; the test checks them and
	// fills in the defaults.
	Calls []*generator.Call
	// Model returns the model of one call. It must answer the same call in the
	// same way each time. Required for a generator that needs a model.
	Model func(call *generator.Call) llm.Client
	// Adapter reads the records. If nil, records of [generator.BatchFormat] are
	// read by [adapters.Batch], of others it is only checked that they are JSON
	// objects.
	Adapter adapters.Adapter
	// Timeout bounds each call, the time that a call may go on after its context
	// has ended, and the time that its goroutines may outlive it. If zero, 10
	// seconds.
	Timeout time.Duration
}

// Test puts g through the conformance test and reports every failure with
// tb.Errorf, the name of the check first:
//
//   - spec: the spec is valid and the same each time it is asked for, the schema
//     of its tool is strict;
//   - defaults: the arguments {} decode, or only miss required ones;
//   - output: a call ends without error and panic; the records are of the
//     spec's format and parse; each row dealt is filled once or dropped with a
//     reason, and no other row is; spans lie in the call's documents;
//   - call: the call is not changed, not even behind the end of its slices;
//   - same: the same call with the same replies gives the same output;
//   - cancel: a call whose context has ended, or ends while the model is asked,
//     returns at once, the first with an error;
//   - concurrent: calls at once, unless the generator is Serial, give what they
//     give alone (run the test with -race);
//   - leak: no goroutine outlives its call.
//
// A call that cannot be made to return is abandoned and reported.
func Test(tb testing.TB, g generator.Generator, opts *Options) {
	tb.Helper()
	c := &conformance{tb: tb, g: g}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.Timeout <= 0 {
		c.opts.Timeout = 10 * time.Second
	}
	c.label = fmt.Sprintf("%s %p", tb.Name(), c) // an address alone is used again
	if !c.checkSpec() {
		return
	}
	calls := c.opts.Calls
	if calls == nil {
		var err error
		if calls, err = Calls(c.spec); err != nil {
			c.fail("calls", "%v", err)
			return
		}
	}
	if c.spec.NeedsModel && c.opts.Model == nil {
		c.fail("calls", "the generator needs a model; set Options.Model")
		return
	}
	for _, call := range calls {
		c.checkCall(call)
	}
	c.checkLeaks()
}

type conformance struct {
	tb        testing.TB
	g         generator.Generator
	spec      generator.Spec
	opts      Options
	label     string // marks the goroutines of this test
	abandoned bool
}

func (c *conformance) fail(check, format string, args ...any) {
	c.tb.Helper()
	c.tb.Errorf("%s: %s", check, fmt.Sprintf(format, args...))
}

func (c *conformance) checkSpec() bool {
	c.tb.Helper()
	c.spec = c.g.Spec()
	tool, err := generator.ToolFor(c.spec)
	if err != nil {
		c.fail("spec", "%v", err)
		return false
	}
	if v := strictcheck.Violations(tool.Parameters); len(v) > 0 {
		c.fail("spec", "the schema of its tool is not strict: %s", strings.Join(v, "; "))
	}
	again, err := generator.ToolFor(c.g.Spec())
	if err != nil || !reflect.DeepEqual(tool, again) {
		c.fail("spec", "two calls of Spec differ: %s, then %s (%v)", tool.Parameters, again.Parameters, err)
	}
	_, err = generator.CheckArgs(c.spec, nil)
	var bad *generator.ArgsError
	if errors.As(err, &bad) && !slices.ContainsFunc(bad.Problems, func(p string) bool { return !strings.HasSuffix(p, ": is required") }) {
		return true
	}
	if err != nil {
		c.fail("defaults", "%v", err)
		return false
	}
	return true
}

func (c *conformance) checkCall(original *generator.Call) {
	c.tb.Helper()
	args, err := generator.CheckArgs(c.spec, original.Args)
	if err != nil {
		c.fail("calls", "call %s: %v; give Options.Calls with arguments", original.ID, err)
		return
	}
	call := c.prepare(original, args)
	before := fingerprint(call)
	first, ok := c.run(c.tb.Context(), call, c.opts.Timeout)
	if !ok || !c.checkOutput(call, first) {
		return
	}
	if diff := firstDifference(before, fingerprint(call)); diff != "" {
		c.fail("call", "call %s was changed: %s", call.ID, diff)
		return
	}

	second, ok := c.run(c.tb.Context(), c.prepare(original, args), c.opts.Timeout)
	if !ok {
		return
	}
	if diff := difference(first, second); diff != "" {
		c.fail("same", "call %s made twice: %s", call.ID, diff)
		return
	}
	c.checkCancel(original, args)
	if !c.spec.Serial {
		c.checkConcurrent(original, args, first)
	}
}

// prepare returns a copy of the call with a model of its own, and with spare
// room behind its slices, in which an append of the generator would be seen.
func (c *conformance) prepare(original *generator.Call, args json.RawMessage) *generator.Call {
	call := *original
	call.Args = args
	call.Documents = spare(call.Documents)
	call.Policies = spare(call.Policies)
	call.Axes = spare(call.Axes)
	call.Rows = spare(call.Rows)
	call.Avoid = spare(call.Avoid)
	if call.Log == nil {
		call.Log = slog.New(slog.DiscardHandler)
	}
	if call.Embedder == nil {
		var texts []string
		for _, d := range call.Documents {
			texts = append(texts, d.Text())
		}
		call.Embedder = llm.NewLexical(texts)
	}
	if c.opts.Model != nil {
		call.Model = c.opts.Model(&call)
	}
	return &call
}

func spare[T any](s []T) []T {
	if s == nil {
		return nil
	}
	return append(make([]T, 0, len(s)+1), s...)
}

// fingerprint is everything of a call that a generator could change, line by
// line.
func fingerprint(call *generator.Call) []string {
	plain := *call
	plain.Model, plain.Embedder, plain.Log = nil, nil, nil
	v := reflect.ValueOf(plain)
	var out []string
	for i := range v.NumField() {
		f := v.Field(i)
		b, err := json.Marshal(f.Interface())
		if err != nil {
			b = fmt.Append(nil, err)
		}
		line := v.Type().Field(i).Name + ": " + string(b)
		if f.Kind() == reflect.Slice && f.Cap() > f.Len() && f.Type() != reflect.TypeFor[json.RawMessage]() {
			full := f.Slice(0, f.Cap())
			if !full.Index(f.Len()).IsZero() {
				line = v.Type().Field(i).Name + ": something was appended behind its end"
			}
		}
		out = append(out, line)
	}
	return out
}

func firstDifference(before, after []string) string {
	for i := range before {
		if before[i] != after[i] {
			return clip(before[i]) + " became " + clip(after[i])
		}
	}
	return ""
}

func clip(s string) string {
	const most = 300
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}

// result is what became of one run of Generate.
type result struct {
	out *generator.Output
	err error
}

// run calls Generate on a goroutine of its own and waits for it. It reports
// false, and has told the test why, when there is no result.
func (c *conformance) run(ctx context.Context, call *generator.Call, patience time.Duration) (result, bool) {
	c.tb.Helper()
	end := c.start(ctx, call)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	return c.await(end, call, timer)
}

type ending struct {
	result
	problem string
}

func (c *conformance) start(ctx context.Context, call *generator.Call) <-chan ending {
	end := make(chan ending, 1)
	go func() {
		e := ending{problem: "the generator exited its goroutine"}
		defer func() {
			if v := recover(); v != nil {
				e.problem = fmt.Sprintf("the generator panicked: %v\n%s", v, debug.Stack())
			}
			end <- e
		}()
		pprof.Do(ctx, pprof.Labels("generatortest", c.label), func(ctx context.Context) {
			e.out, e.err = c.g.Generate(ctx, call)
		})
		e.problem = ""
	}()
	return end
}

func (c *conformance) await(end <-chan ending, call *generator.Call, timer *time.Timer) (result, bool) {
	c.tb.Helper()
	select {
	case e := <-end:
		if e.problem != "" {
			c.fail("output", "call %s: %s", call.ID, e.problem)
			return result{}, false
		}
		return e.result, true
	case <-timer.C:
		c.abandoned = true
		c.fail("cancel", "call %s did not return within %v", call.ID, c.opts.Timeout)
		return result{}, false
	}
}

func (c *conformance) checkCancel(original *generator.Call, args json.RawMessage) {
	c.tb.Helper()
	ended, cancel := context.WithCancel(c.tb.Context())
	cancel()
	call := c.prepare(original, args)
	r, ok := c.run(ended, call, c.opts.Timeout)
	if !ok {
		return
	}
	if !errors.Is(r.err, context.Canceled) {
		c.fail("cancel", "call %s with an ended context returned the error %v, want one that wraps context.Canceled", call.ID, r.err)
	}
	if c.opts.Model == nil {
		return
	}
	// The context ends while the model is being asked.
	asked := make(chan struct{}, 1)
	call = c.prepare(original, args)
	call.Model = blocked{asked}
	ctx, cancel := context.WithCancel(c.tb.Context())
	defer cancel()
	end := c.start(ctx, call)
	timer := time.NewTimer(c.opts.Timeout)
	defer timer.Stop()
	select {
	case <-asked:
		cancel()
		timer.Reset(c.opts.Timeout)
	case e := <-end:
		if e.problem != "" {
			c.fail("output", "call %s: %s", call.ID, e.problem)
		}
		return // it never asked
	case <-timer.C:
		timer.Reset(0)
	}
	c.await(end, call, timer)
}

// blocked is a model that answers when its caller gives up.
type blocked struct{ asked chan<- struct{} }

func (b blocked) Complete(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
	select {
	case b.asked <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

const atOnce = 8

func (c *conformance) checkConcurrent(original *generator.Call, args json.RawMessage, want result) {
	c.tb.Helper()
	ends := make([]<-chan ending, atOnce)
	calls := make([]*generator.Call, atOnce)
	for i := range ends {
		calls[i] = c.prepare(original, args)
	}
	for i := range ends {
		ends[i] = c.start(c.tb.Context(), calls[i])
	}
	timer := time.NewTimer(c.opts.Timeout)
	defer timer.Stop()
	got := make([]result, atOnce)
	all := true
	for i := range ends { // all of them, so that none runs into the next check
		var ok bool
		got[i], ok = c.await(ends[i], calls[i], timer)
		all = all && ok
	}
	for i := range got {
		if diff := difference(want, got[i]); all && diff != "" {
			c.fail("concurrent", "call %s made %d times at once: %s", original.ID, atOnce, diff)
			return
		}
	}
}

// difference says how two results of one call differ; "" means not at all.
func difference(a, b result) string {
	if (a.err == nil) != (b.err == nil) || a.err != nil && a.err.Error() != b.err.Error() {
		return fmt.Sprintf("the errors are %v and %v", a.err, b.err)
	}
	if reflect.DeepEqual(a.out, b.out) {
		return ""
	}
	if a.out == nil || b.out == nil || len(a.out.Records) != len(b.out.Records) {
		return "the outputs have different numbers of records"
	}
	for i := range a.out.Records {
		if x, y := a.out.Records[i], b.out.Records[i]; !reflect.DeepEqual(x, y) {
			return fmt.Sprintf("record %d is %s for row %q, and then %s for row %q", i, clip(string(x.JSON)), x.Row, clip(string(y.JSON)), y.Row)
		}
	}
	return fmt.Sprintf("the outputs are %s %s with %d dropped, and %s %s with %d dropped",
		a.out.Engine, a.out.Version, len(a.out.Dropped), b.out.Engine, b.out.Version, len(b.out.Dropped))
}

// checkOutput reports whether the output is worth looking at further.
func (c *conformance) checkOutput(call *generator.Call, r result) bool {
	c.tb.Helper()
	if r.err != nil || r.out == nil {
		c.fail("output", "call %s: output %v and error %v, want an output and no error", call.ID, r.out, r.err)
		return false
	}
	format := c.spec.RecordFormat()
	if r.out.Format != "" && r.out.Format != format {
		c.fail("output", "the format is %q, the spec says %q", r.out.Format, format)
		return false
	}
	if !slices.Contains([]string{"", "go", "python", "file"}, r.out.Engine) {
		c.fail("output", "the engine is %q, want go, python or file", r.out.Engine)
	}
	c.checkRows(call, r.out)
	c.checkRecords(call, r.out)
	return true
}

func (c *conformance) checkRows(call *generator.Call, out *generator.Output) {
	c.tb.Helper()
	room := map[string]int{} // how many records a row may still have
	for _, row := range call.Rows {
		room[row.ID] = 1
		if c.spec.RecordFormat() != generator.BatchFormat {
			room[row.ID] = max(1, row.Examples)
		}
	}
	filled := map[string]bool{}
	for i, rec := range out.Records {
		left, dealt := room[rec.Row]
		switch {
		case rec.Row == "":
		case !dealt:
			c.fail("output", "record %d fills row %q, which was not dealt to call %s", i, rec.Row, call.ID)
		case left == 0:
			c.fail("output", "record %d fills row %q once more", i, rec.Row)
		default:
			room[rec.Row]--
			filled[rec.Row] = true
		}
	}
	dropped := map[string]bool{}
	for _, d := range out.Dropped {
		_, dealt := room[d.Row]
		switch {
		case strings.TrimSpace(d.Reason) == "":
			c.fail("output", "row %q is dropped without a reason", d.Row)
		case d.Row == "":
		case !dealt:
			c.fail("output", "row %q is dropped, and was not dealt to call %s", d.Row, call.ID)
		case filled[d.Row]:
			c.fail("output", "row %q is both filled and dropped", d.Row)
		case dropped[d.Row]:
			c.fail("output", "row %q is dropped twice", d.Row)
		}
		dropped[d.Row] = true
	}
	for _, row := range call.Rows {
		if !filled[row.ID] && !dropped[row.ID] {
			c.fail("output", "row %q is neither filled nor dropped with a reason", row.ID)
		}
	}
}

func (c *conformance) checkRecords(call *generator.Call, out *generator.Output) {
	c.tb.Helper()
	for i, rec := range out.Records {
		var object map[string]json.RawMessage
		if err := json.Unmarshal(rec.JSON, &object); err != nil || object == nil {
			c.fail("output", "record %d is no JSON object (%v): %s", i, err, clip(string(rec.JSON)))
			return
		}
		for _, s := range rec.Spans {
			if !spanLies(s, call.Documents) {
				c.fail("output", "record %d has a span outside the call's documents: %+v", i, s)
			}
		}
	}
	adapter := c.opts.Adapter
	if adapter == nil {
		if c.spec.RecordFormat() != generator.BatchFormat {
			return
		}
		adapter = adapters.Batch()
	}
	b, err := adapter.Adapt(c.tb.Context(), call, out)
	if err != nil {
		c.fail("output", "the records do not parse: %v", err)
		return
	}
	for _, r := range b.Refused {
		c.fail("output", "record %d does not parse: %s", r.Index, r.Reason)
	}
}

func spanLies(s model.Span, docs []*model.Document) bool {
	i := slices.IndexFunc(docs, func(d *model.Document) bool { return d.Name == s.Doc })
	return i >= 0 && s.StartByte >= 0 && s.StartByte < s.EndByte &&
		s.StartLine >= 1 && s.StartLine <= s.EndLine && s.EndLine <= docs[i].NumLines()
}

// checkLeaks looks for goroutines that still carry the label of this test: they
// were started by a call, for a goroutine inherits the labels of its parent.
func (c *conformance) checkLeaks() {
	c.tb.Helper()
	if c.abandoned {
		return // its goroutine is still there, and reported
	}
	deadline := time.NewTimer(c.opts.Timeout)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		left := c.running()
		if left == "" {
			return
		}
		select {
		case <-deadline.C:
			c.fail("leak", "a goroutine outlives its call:\n%s", left)
			return
		case <-tick.C:
		}
	}
}

func (c *conformance) running() string {
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
		return ""
	}
	for stack := range strings.SplitSeq(b.String(), "\n\n") {
		if strings.Contains(stack, `"generatortest":`+strconv.Quote(c.label)) {
			return stack
		}
	}
	return ""
}
