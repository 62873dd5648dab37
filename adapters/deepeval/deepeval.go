// Package deepeval reads and writes the goldens of DeepEval.
//
// # What it reads
//
// Files of Synthesizer.save_as and EvaluationDataset.save_as (JSON, JSON lines,
// CSV), of DataFrames (to_csv, to_json), with the keys in snake_case or
// camelCase. A row with a scenario is conversational. In a golden:
//
//	input                        the message of the user
//	expected_output              the expected output
//	scenario                     the description; the first user turn is the
//	                             message, or what Options.Open writes
//	expected_outcome             the expected output, if Open gives none
//	name                         the name of the test case
//	evolutions                   the parameter "evolution", joined with " + "
//	context, source files, all else   Metadata.Native, where the record is kept whole
//
// # What it writes
//
// The EvaluationDataset of today, lists as lists: DeepEval's own writers join
// contexts with "|", which tears the rows of tables. Of an example that is no
// golden:
//
//	input                the message; a correction is one message with the
//	                     dialogue and the draft
//	expected_output      the expected output
//	context              the evidence of its policies
//	source_file          the document of the first of them
//	name                 the id of the example
//	additional_metadata  under "casebook" all else: see [adapters.Carried]
package deepeval

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"strings"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/internal/frame"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/internal/loose"
	"github.com/casebook-go/casebook/model"
)

// CheckScenario is the check of the refusals of scenarios that lack an opening
// message.
const CheckScenario = frame.CheckScenario

// Opening is how a scenario begins.
type Opening struct {
	// Message is what the user writes first, in the first person; "" refuses the
	// scenario.
	Message string
	// Reply is what the agent should answer; "" stands for the expected outcome.
	Reply string
	// Err says why there is no message; it becomes the reason of the refusal.
	Err error
}

// Options change how goldens are read and written. The zero value is ready.
type Options struct {
	// Lines writes JSON lines in place of a JSON list.
	Lines bool
	// Open writes the opening messages of scenarios without turns, in their
	// order, which takes a model. It is called once for all of a call's records;
	// an error refuses them all. Nil refuses such scenarios.
	Open func(ctx context.Context, scenarios []*deepeval.Golden) ([]Opening, error)
}

// New returns the exchange with DeepEval.
func New(o Options) adapters.Framework { return &exchange{o} }

type exchange struct{ o Options }

func (*exchange) Format() string { return deepeval.Format }

func (*exchange) Decode(r io.Reader) iter.Seq2[generator.Record, error] {
	return frame.Decode(deepeval.Format, loose.DeepEval, r, func(b []byte) (json.RawMessage, error) {
		g, err := deepeval.Parse(b)
		if err != nil {
			return nil, err
		}
		return g.JSON()
	})
}

func (x *exchange) Encode(w io.Writer, recs []generator.Record) error {
	out := make([]json.RawMessage, len(recs))
	for i, rec := range recs {
		g, err := deepeval.Parse(rec.JSON)
		if err == nil {
			out[i], err = g.JSON()
		}
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	if x.o.Lines {
		return frame.Lines(w, out, true)
	}
	return frame.Array(w, out)
}

func (x *exchange) Adapt(ctx context.Context, call *generator.Call, out *generator.Output) (*model.Batch, error) {
	openings, err := x.open(ctx, out)
	if err != nil {
		return nil, err
	}
	return frame.Adapt(ctx, deepeval.Format, call, out, func(i int, rec generator.Record) (*frame.Reading, error) {
		g, err := parse(rec)
		if err != nil {
			return nil, err
		}
		r := &frame.Reading{Input: g.Input, Output: g.ExpectedOutput, Name: g.Name, Parameters: parameters(g)}
		takeCasebook(g)
		if r.Native, err = g.JSON(); err != nil {
			return nil, err
		}
		for _, k := range []string{"input", "expected_output"} {
			if v, ok := g.Extra[k]; ok {
				return nil, fmt.Errorf("%s is %s, not a text", k, loose.Kind(v))
			}
		}
		if g.Conversational() {
			read(r, g, openings[i])
		}
		return r, nil
	})
}

func parse(rec generator.Record) (*deepeval.Golden, error) {
	g, err := deepeval.Parse(rec.JSON)
	if err != nil {
		return nil, fmt.Errorf("it is no golden: %w", err)
	}
	return g, nil
}

// open asks for the messages that scenarios without turns begin with.
func (x *exchange) open(ctx context.Context, out *generator.Output) (map[int]Opening, error) {
	if out == nil || x.o.Open == nil {
		return nil, nil
	}
	var at []int
	var scenarios []*deepeval.Golden
	for i, rec := range out.Records {
		g, err := deepeval.Parse(rec.JSON)
		if err == nil && g.Conversational() && firstUser(g) == "" {
			at, scenarios = append(at, i), append(scenarios, g)
		}
	}
	if len(scenarios) == 0 {
		return nil, nil
	}
	made, err := x.o.Open(ctx, scenarios)
	openings := map[int]Opening{}
	for k, i := range at {
		switch {
		case err != nil:
			openings[i] = Opening{Err: err}
		case k < len(made):
			openings[i] = made[k]
		}
	}
	return openings, context.Cause(ctx)
}

var errNoOpening = errors.New("it is a scenario without turns; a model is needed to write the opening message")

// read makes a scenario a question and its answer.
func read(r *frame.Reading, g *deepeval.Golden, o Opening) {
	r.Description = g.Scenario
	r.Input, r.Output = firstUser(g), g.ExpectedOutcome
	if r.Input == "" {
		r.Input, r.Output = o.Message, g.ExpectedOutcome
		if o.Reply != "" {
			r.Output = o.Reply
		}
	}
	if strings.TrimSpace(r.Input) == "" {
		r.Check, r.Refused = CheckScenario, errNoOpening.Error()
		if o.Err != nil {
			r.Refused = "it is a scenario without turns, and its opening message could not be written: " + o.Err.Error()
		}
	}
}

func firstUser(g *deepeval.Golden) string {
	for _, t := range g.Turns {
		if t.Role == model.RoleUser && strings.TrimSpace(t.Content) != "" {
			return t.Content
		}
	}
	return ""
}

func parameters(g *deepeval.Golden) map[string]string {
	p := map[string]string{}
	if g.Metadata != nil {
		p["evolution"] = strings.Join(g.Metadata.Evolutions, " + ")
	}
	return p
}

func (*exchange) Contexts(rec generator.Record) ([]string, error) {
	g, err := parse(rec)
	if err != nil {
		return nil, err
	}
	return g.Context, nil
}

func (*exchange) FromDataset(d *model.Dataset) ([]generator.Record, error) {
	return frame.FromDataset(d, attach, strip)
}

// attach returns the record of an example with what it carries.
func attach(e *frame.Exported, carried json.RawMessage) (json.RawMessage, error) {
	g := golden(e)
	if g.Metadata == nil {
		g.Metadata = &deepeval.Metadata{}
	}
	if g.Metadata.Extra == nil {
		g.Metadata.Extra = map[string]json.RawMessage{}
	}
	g.Metadata.Extra[frame.Key] = carried
	return g.JSON()
}

// strip takes off what a record carries; nil if that is nothing.
func strip(rec json.RawMessage) (carried, bare json.RawMessage, err error) {
	g, err := parse(generator.Record{JSON: rec})
	if err != nil {
		return nil, nil, err
	}
	carried = takeCasebook(g)
	bare, err = g.JSON()
	return carried, bare, err
}

// golden returns the record of an example without what is ours.
func golden(e *frame.Exported) *deepeval.Golden {
	if g, ok := native(e.Example.Metadata.Native); ok {
		if !g.Conversational() && g.Input != e.Input {
			g.Input = e.Input
		}
		if !g.Conversational() && strings.TrimSpace(g.ExpectedOutput) != e.Example.ExpectedOutput {
			g.ExpectedOutput = e.Example.ExpectedOutput
		}
		return g
	}
	g := &deepeval.Golden{
		Input: e.Input, ExpectedOutput: e.Example.ExpectedOutput, Context: e.Contexts(), Name: e.Example.ID,
	}
	if len(e.Evidence) > 0 {
		g.SourceFile = e.Evidence[0].InputFile
	}
	return g
}

func native(raw json.RawMessage) (*deepeval.Golden, bool) {
	f, err := loose.Parse(raw)
	if err != nil || !loose.DeepEval.Match(func(k string) bool { _, ok := f[k]; return ok }) {
		return nil, false
	}
	g, err := deepeval.Parse(raw)
	return g, err == nil
}

// takeCasebook removes what a golden carries, and the metadata if it holds
// nothing else.
func takeCasebook(g *deepeval.Golden) json.RawMessage {
	m := g.Metadata
	if m == nil || m.Extra[frame.Key] == nil {
		return nil
	}
	raw := loose.Inner(m.Extra[frame.Key])
	delete(m.Extra, frame.Key)
	if len(m.Extra) == 0 {
		m.Extra = nil
	}
	if reflect.ValueOf(*m).IsZero() {
		g.Metadata = nil
	}
	return raw
}

func (*exchange) Carried(rec generator.Record) (*adapters.Carried, generator.Record, error) {
	carried, bare, err := strip(rec.JSON)
	if err != nil || carried == nil {
		return nil, rec, err
	}
	rec.JSON = bare
	g, err := parse(rec)
	if err != nil {
		return nil, rec, err
	}
	var texts *frame.Texts
	if !g.Conversational() {
		texts = &frame.Texts{Input: g.Input, Output: g.ExpectedOutput}
	}
	c, err := frame.Carried(carried, bare, texts)
	return c, rec, err
}
