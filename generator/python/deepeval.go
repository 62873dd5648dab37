package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/stage"
)

// deepEvalMethod runs DeepEval's Synthesizer from contexts: for each slot one
// context, its passages, and one golden.
type deepEvalMethod struct{}

func newDeepEval() *deepEvalMethod { return &deepEvalMethod{} }

func (*deepEvalMethod) generator() (generator.Generator, error) { return deepeval.New(nil) }

func (*deepEvalMethod) prepare(context.Context, *work) (json.RawMessage, error) { return nil, nil }

func (*deepEvalMethod) op() string { return "goldens" }

// deepEvalTask is what the driver makes a golden of.
type deepEvalTask struct {
	Contexts  []string           `json:"contexts"`
	Files     []string           `json:"files"` // the document of each context
	Evolution deepeval.Evolution `json:"evolution"`

	Scenario             string `json:"scenario"`
	Task                 string `json:"task"`
	InputFormat          string `json:"input_format"`
	ExpectedOutputFormat string `json:"expected_output_format"`

	Threshold   float64 `json:"threshold"`
	Temperature float64 `json:"temperature"`
}

// deepEvalPurpose is the styling's task, which is the same for all rows.
const deepEvalPurpose = "answer the customer as the business's own assistant, by what the context says and nothing else"

// deepEvalAny is said of messages because DeepEval wants a statement among the
// inputs of a context, and here there is one input.
const deepEvalAny = "; a question, a request or a complaint, whichever comes naturally, that wants a reply"

// deepEvalWarm is the temperature of attempts after the first, which is made at
// 0 as DeepEval's own models are.
const deepEvalWarm = 0.7

func (*deepEvalMethod) body(w *work, s *slot) (any, error) {
	say := w.wanted(s)
	t := &deepEvalTask{
		Contexts: []string{}, Files: []string{}, Evolution: deepEvalEvolution(w, s),
		Scenario: say.Situation, Task: deepEvalPurpose, InputFormat: say.Message + deepEvalAny, ExpectedOutputFormat: say.Reply,
		Threshold: w.o.Threshold,
	}
	for i := range s.chunks {
		t.Contexts = append(t.Contexts, s.chunks[i].Text)
		t.Files = append(t.Files, s.chunks[i].Doc.Name)
	}
	if s.row.Examples > 1 {
		t.Scenario += "\n" + s.customer()
	}
	if w.try > 0 {
		t.Temperature = deepEvalWarm
	}
	return t, nil
}

// deepEvalEvolution deals the evolutions out to the slots of a call, in an order
// that its seed draws. A slot that is made again gets others; the last time none,
// as an input that no evolution fits stays as it was.
func deepEvalEvolution(w *work, s *slot) deepeval.Evolution {
	if w.try > 0 && w.try >= w.o.TopUps {
		return ""
	}
	ways := deepeval.Evolutions()
	if len(s.chunks) < 2 {
		ways = slices.DeleteFunc(ways, func(e deepeval.Evolution) bool { return e == deepeval.MultiContext })
	}
	stage.Rand(w.call.Seed, "evolution").Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
	// Slots that follow each other at a fixed distance do not keep to a few.
	at := (s.index + s.index/len(ways)) % len(ways)
	for range w.try {
		spent := ways[at]
		ways = slices.DeleteFunc(ways, func(e deepeval.Evolution) bool {
			// DeepEval lets the rarer need leave the context.
			return len(ways) > 2 && (e == spent || e == deepeval.InBreadth)
		})
		at %= len(ways)
	}
	return ways[at]
}

// goldenTypes are the types that DeepEval gives the parts of a golden that are
// read here. [deepeval.Parse] takes others too, which a worker does not write.
type goldenTypes struct {
	Input          string   `json:"input"`
	ActualOutput   *string  `json:"actual_output"`
	ExpectedOutput *string  `json:"expected_output"`
	Context        []string `json:"context"`
	SourceFile     *string  `json:"source_file"`
	Name           *string  `json:"name"`
	Comments       *string  `json:"comments"`
	Metadata       *struct {
		Evolutions         []string `json:"evolutions"`
		InputQuality       *float64 `json:"synthetic_input_quality"`
		ContextSourceFiles []string `json:"context_source_files"`
		UsedSourceFiles    []string `json:"used_source_files"`
		OriginalInput      *string  `json:"original_input"`
		OriginalOutput     *string  `json:"original_output"`
	} `json:"additional_metadata"`
}

func (*deepEvalMethod) read(w *work, s *slot, record json.RawMessage) (*made, error) {
	g, err := parsed(record, &goldenTypes{}, deepeval.Parse)
	if err != nil {
		return nil, fmt.Errorf("it is no golden of DeepEval: %w", err)
	}
	if g.Conversational() {
		return nil, errors.New("it is a conversational golden of DeepEval, where one with an input belongs")
	}
	m := &made{native: g, input: g.Input, output: g.ExpectedOutput}
	for _, text := range g.Context {
		if c, ok := deepEvalPassage(w, s, text); ok && !among(m.contexts, c.ID) {
			m.contexts = append(m.contexts, c)
		}
	}
	if len(m.contexts) == 0 {
		return nil, ErrContext
	}
	if g.Metadata == nil {
		g.Metadata = &deepeval.Metadata{}
	}
	deepEvalClaims(g.Metadata, m.contexts)
	var asks []string
	for _, e := range g.Metadata.Evolutions {
		if d := deepeval.Evolution(e).Demand(); !slices.Contains(asks, d) {
			asks = append(asks, d)
		}
	}
	m.ask = strings.Join(asks, "; ")
	return m, nil
}

// deepEvalPassage finds a context among the slot's passages, then among all:
// documents may share one.
func deepEvalPassage(w *work, s *slot, text string) (chunk.Chunk, bool) {
	if i := slices.IndexFunc(s.chunks, func(c chunk.Chunk) bool { return c.Text == text }); i >= 0 {
		return s.chunks[i], true
	}
	return w.passages.text(text)
}

// deepEvalClaims takes out of the metadata what cannot be true: DeepEval writes
// down the files that a model names, and whatever score a critic gives.
func deepEvalClaims(m *deepeval.Metadata, contexts []chunk.Chunk) {
	m.Evolutions = slices.DeleteFunc(m.Evolutions, func(e string) bool {
		return !slices.Contains(deepeval.Evolutions(), deepeval.Evolution(e)) || e == string(deepeval.MultiContext) && len(contexts) < 2
	})
	if q := m.InputQuality; q != nil && !(*q >= 0 && *q <= 1) {
		m.InputQuality = nil
	}
	foreign := func(file string) bool {
		return !slices.ContainsFunc(contexts, func(c chunk.Chunk) bool { return c.Doc.Name == file })
	}
	m.ContextSourceFiles = slices.DeleteFunc(m.ContextSourceFiles, foreign)
	m.UsedSourceFiles = slices.DeleteFunc(m.UsedSourceFiles, foreign)
}

func (*deepEvalMethod) write(_ *work, s *slot, f *answer.Final) (json.RawMessage, error) {
	g := *s.made.native.(*deepeval.Golden)
	meta := *g.Metadata
	g.Metadata = &meta
	if f.Checked && len(f.Needs) < 2 { // it did not become what the name says
		meta.Evolutions = slices.DeleteFunc(slices.Clone(meta.Evolutions), func(e string) bool { return e == string(deepeval.MultiContext) })
	}
	var err error
	if meta.Extra, err = originals(meta.Extra, g.Input, g.ExpectedOutput, f); err != nil {
		return nil, err
	}
	g.Input, g.ExpectedOutput = f.Input, f.Output
	return g.JSON()
}
