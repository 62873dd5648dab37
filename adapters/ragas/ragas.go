// Package ragas reads and writes the samples of Ragas.
//
// # What it reads
//
// Files of Testset and EvaluationDataset (JSON lines, CSV with Python literals),
// annotated samples, and the columns of every release from 0.0. In a sample:
//
//	user_input            the message of the user; of a multi-turn sample the
//	                      turns of the user in one message, or a refusal
//	reference             the expected output
//	persona_name          the parameter "persona"
//	query_style           the parameter "query_style"
//	query_length          the parameter "query_length"
//	synthesizer_name      the parameters "synthesizer" and "hops"
//	evolution_type        the parameter "evolution" (releases up to 0.1)
//	question_type         the parameter "question_type" (release 0.0)
//	reference_contexts, all else    Metadata.Native, where the record is kept whole
//
// # What it writes
//
// The Testset of today, or the EvaluationDataset, as JSON lines. Of an example
// that is no sample:
//
//	user_input            the message; a correction is one message with the
//	                      dialogue and the draft
//	reference             the expected output
//	reference_contexts    the evidence of its policies
//	rubrics               the evaluation criteria
//	synthesizer_name      "casebook"
//
// Ragas has no place for anything else: it goes into a side file, one line a
// record ([adapters.Sided]).
package ragas

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/internal/frame"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/loose"
	"github.com/casebook-go/casebook/model"
)

// CheckHistory is the check of the refusals of multi-turn samples.
const CheckHistory = frame.CheckHistory

// Options change how samples are read and written. The zero value is ready.
type Options struct {
	// Evaluation writes an EvaluationDataset in place of a Testset: the same
	// without synthesizer_name.
	Evaluation bool
	// RefuseTurns refuses multi-turn samples; else what the user says in them
	// becomes one message.
	RefuseTurns bool
}

// New returns the exchange with Ragas.
func New(o Options) adapters.Sided { return &exchange{o} }

type exchange struct{ o Options }

func (*exchange) Format() string { return ragas.Format }

func (*exchange) Decode(r io.Reader) iter.Seq2[generator.Record, error] {
	return frame.Decode(ragas.Format, loose.Ragas, r, func(b []byte) (json.RawMessage, error) {
		s, err := ragas.Parse(b)
		if err != nil {
			return nil, err
		}
		return s.JSON()
	})
}

func (x *exchange) Encode(w io.Writer, recs []generator.Record) error {
	out := make([]json.RawMessage, len(recs))
	for i, rec := range recs {
		s, err := parse(rec)
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		delete(s.Extra, frame.Key)
		if x.o.Evaluation {
			s.SynthesizerName = ""
		}
		if out[i], err = s.JSON(); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return frame.Lines(w, out, true)
}

func parse(rec generator.Record) (*ragas.Sample, error) {
	s, err := ragas.Parse(rec.JSON)
	if err != nil {
		return nil, fmt.Errorf("it is no sample: %w", err)
	}
	return s, nil
}

func (x *exchange) Adapt(ctx context.Context, call *generator.Call, out *generator.Output) (*model.Batch, error) {
	return frame.Adapt(ctx, ragas.Format, call, out, func(_ int, rec generator.Record) (*frame.Reading, error) {
		s, err := parse(rec)
		if err != nil {
			return nil, err
		}
		delete(s.Extra, frame.Key)
		r := &frame.Reading{Input: input(s), Output: s.Reference, Parameters: parameters(s)}
		if n := hops(s); n > 0 {
			r.Numbers = map[string]int{"hops": n}
		}
		if s.Turns != nil && x.o.RefuseTurns {
			r.Check, r.Refused = CheckHistory, fmt.Sprintf("it has %d turns, and an example has one message", len(s.Turns))
		}
		for _, k := range []string{"user_input", "question", "reference", "ground_truth"} {
			if v, ok := s.Extra[k]; ok {
				return nil, fmt.Errorf("%s is %s, not a text", k, loose.Kind(v))
			}
		}
		r.Native, err = s.JSON()
		return r, err
	})
}

// input returns the question, or what the user says in a multi-turn sample.
func input(s *ragas.Sample) string {
	if s.Turns == nil {
		return s.UserInput
	}
	var said []string
	for _, t := range s.Turns {
		if t.Type == "human" && strings.TrimSpace(t.Content) != "" {
			said = append(said, t.Content)
		}
	}
	return strings.Join(said, "\n")
}

func parameters(s *ragas.Sample) map[string]string {
	p := map[string]string{
		"persona": s.PersonaName, "query_style": s.QueryStyle, "query_length": s.QueryLength,
		"synthesizer": strings.TrimSuffix(s.SynthesizerName, "_query_synthesizer"),
	}
	if s.SynthesizerName == frame.Key { // ours, where there was none
		delete(p, "synthesizer")
	}
	for name, key := range map[string]string{"evolution": "evolution_type", "question_type": "question_type"} {
		if text, ok := loose.Text(s.Extra[key]); ok {
			p[name] = text
		}
	}
	return p
}

// hops returns how many contexts the question was made to need: what the tags
// say, else one for the synthesizers of a single context; 0 means unknown.
func hops(s *ragas.Sample) int {
	n := 0
	for _, c := range s.ReferenceContexts {
		if _, hop := ragas.Untag(c); hop > 0 {
			n++
		}
	}
	switch {
	case n > 0:
		return n
	case strings.HasPrefix(s.SynthesizerName, "single_hop"), s.SynthesizerName == "SpecificQuerySynthesizer":
		return 1
	case strings.HasPrefix(s.SynthesizerName, "multi_hop"), strings.HasSuffix(s.SynthesizerName, "AbstractQuerySynthesizer"):
		return len(s.ReferenceContexts)
	}
	return 0
}

func (*exchange) Contexts(rec generator.Record) ([]string, error) {
	s, err := parse(rec)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(s.ReferenceContexts))
	for i, c := range s.ReferenceContexts {
		out[i], _ = ragas.Untag(c)
	}
	return out, nil
}

func (*exchange) FromDataset(d *model.Dataset) ([]generator.Record, error) {
	return frame.FromDataset(d, attach, strip)
}

// attach returns the record of an example with what it carries.
func attach(e *frame.Exported, carried json.RawMessage) (json.RawMessage, error) {
	s := sample(e)
	if s.Extra == nil {
		s.Extra = map[string]json.RawMessage{}
	}
	s.Extra[frame.Key] = carried
	return s.JSON()
}

func sample(e *frame.Exported) *ragas.Sample {
	if s, ok := native(e.Example.Metadata.Native); ok {
		if input(s) != e.Input {
			s.UserInput, s.Turns = e.Input, nil
		}
		if strings.TrimSpace(s.Reference) != e.Example.ExpectedOutput {
			s.Reference = e.Example.ExpectedOutput
		}
		return s
	}
	s := &ragas.Sample{
		UserInput: e.Input, ReferenceContexts: e.Contexts(), Reference: e.Example.ExpectedOutput, SynthesizerName: frame.Key,
	}
	for i, c := range e.Example.EvaluationCriteria {
		if s.Rubrics == nil {
			s.Rubrics = map[string]string{}
		}
		s.Rubrics[fmt.Sprintf("criterion_%02d", i+1)] = c
	}
	return s
}

func native(raw json.RawMessage) (*ragas.Sample, bool) {
	f, err := loose.Parse(raw)
	if err != nil || !loose.Ragas.Match(func(k string) bool { _, ok := f[k]; return ok }) {
		return nil, false
	}
	s, err := ragas.Parse(raw)
	return s, err == nil
}

// strip takes off what a record carries; nil if that is nothing.
func strip(rec json.RawMessage) (carried, bare json.RawMessage, err error) {
	s, err := parse(generator.Record{JSON: rec})
	if err != nil {
		return nil, nil, err
	}
	carried = loose.Inner(s.Extra[frame.Key])
	delete(s.Extra, frame.Key)
	bare, err = s.JSON()
	return carried, bare, err
}

func (*exchange) Carried(rec generator.Record) (*adapters.Carried, generator.Record, error) {
	carried, bare, err := strip(rec.JSON)
	if err != nil || carried == nil {
		return nil, rec, err
	}
	rec.JSON = bare
	s, err := parse(rec)
	if err != nil {
		return nil, rec, err
	}
	c, err := frame.Carried(carried, bare, &frame.Texts{Input: input(s), Output: s.Reference})
	return c, rec, err
}

// sideLine is a line of the side file.
type sideLine struct {
	Record    int             `json:"record"` // its index when the files were written
	Input     string          `json:"user_input_sha256"`
	Reference string          `json:"reference_sha256"`
	Name      string          `json:"synthesizer_name,omitempty"` // an EvaluationDataset has none
	Casebook  json.RawMessage `json:"casebook"`
}

// hash is the beginning of a SHA-256; it tells the texts of one file apart.
func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:8])
}

// EncodeSide writes a line for each record that carries something.
func (*exchange) EncodeSide(w io.Writer, recs []generator.Record) error {
	var out []json.RawMessage
	for i, rec := range recs {
		s, err := parse(rec)
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		if carried := s.Extra[frame.Key]; carried != nil {
			b, err := loose.Marshal(sideLine{
				Record: i, Input: hash(input(s)), Reference: hash(s.Reference), Name: s.SynthesizerName, Casebook: carried,
			})
			if err != nil {
				return fmt.Errorf("record %d: %w", i, err)
			}
			out = append(out, b)
		}
	}
	return frame.Lines(w, out, false)
}

// JoinSide gives each record the line of the side file that was written for its
// question; of several with one question, in their order. A record whose
// question was edited gets the line that was written for its place and answer.
// A line that cannot be read is an error with its number.
func (*exchange) JoinSide(recs []generator.Record, side io.Reader) ([]generator.Record, error) {
	lines, err := sideLines(side)
	if err != nil {
		return nil, err
	}
	byInput, byPlace := map[string][]int{}, map[int]int{}
	for i, l := range lines {
		byInput[l.Input] = append(byInput[l.Input], i)
		byPlace[l.Record] = i
	}
	out := slices.Clone(recs)
	samples := make([]*ragas.Sample, len(recs))
	used := make([]bool, len(lines))
	join := func(i, l int) {
		s := samples[i]
		if s.Extra == nil {
			s.Extra = map[string]json.RawMessage{}
		}
		s.Extra[frame.Key] = lines[l].Casebook
		if s.SynthesizerName == "" {
			s.SynthesizerName = lines[l].Name
		}
		if b, err := s.JSON(); err == nil {
			out[i].JSON = b
		}
		samples[i], used[l] = nil, true
	}
	for i, rec := range recs {
		s, err := parse(rec)
		if err != nil {
			continue // stays as it is: adapting it says what is wrong
		}
		samples[i] = s
		if ls := byInput[hash(input(s))]; len(ls) > 0 {
			byInput[hash(input(s))] = ls[1:]
			join(i, ls[0])
		}
	}
	for i, s := range samples {
		if l, ok := byPlace[i]; ok && s != nil && !used[l] && lines[l].Reference == hash(s.Reference) {
			join(i, l)
		}
	}
	return out, nil
}

var object = regexp.MustCompile(`^\s*\{`)

func sideLines(r io.Reader) ([]sideLine, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	var out []sideLine
	for n, l := range bytes.Split(b, []byte("\n")) {
		if len(bytes.TrimSpace(l)) == 0 {
			continue
		}
		var s sideLine
		err := json.Unmarshal(l, &s)
		if err == nil && !object.Match(s.Casebook) {
			err = errors.New("it has no casebook object")
		}
		if err != nil {
			return nil, fmt.Errorf("the side file, line %d: %w", n+1, err)
		}
		out = append(out, s)
	}
	return out, nil
}
