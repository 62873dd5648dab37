package deepeval

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
)

// The keys that records have under additional_metadata beside DeepEval's own.
const (
	MetaOriginalInput = "original_input" // the input as it was first written
	MetaVersions      = "versions"       // the wordings it went through, as [Version]
	MetaChunks        = "chunks"         // of the context, as [Chunk]
	MetaModel         = "model"          // that wrote it
	MetaPrompts       = "prompt_version"
	MetaAnswerable    = "answerable" // from its context, as checked at the end
	MetaSupported     = "supported"  // the expected output, by the documents
	MetaFlagged       = "flagged"    // why it did not pass and was kept
)

// Chunk says where a text of a golden's context stands.
type Chunk struct {
	ID        string `json:"id,omitempty"`
	File      string `json:"file,omitempty"`
	StartByte int    `json:"start_byte"`
	EndByte   int    `json:"end_byte"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
}

// golden returns the record of a slot as DeepEval would write it.
func (e *engine) golden(s *slot) Golden {
	m := s.made
	meta := &Metadata{Evolutions: []string{}, Extra: map[string]json.RawMessage{}}
	for _, ev := range m.evolutions {
		meta.Evolutions = append(meta.Evolutions, string(ev))
	}
	put := func(key string, v any) {
		if b, err := json.Marshal(v); err == nil { // strings, numbers and structs of them
			meta.Extra[key] = b
		}
	}
	var score *float64
	if m.scored {
		score = &m.score
	}
	g := Golden{Metadata: meta}
	if e.scenarios {
		g.Scenario, meta.ScenarioQuality = m.input, score
	} else {
		g.Input, meta.InputQuality = m.input, score
	}
	if m.final != nil {
		if e.scenarios {
			g.ExpectedOutcome = m.final.output
		} else {
			g.ExpectedOutput = m.final.output
		}
		g.Name = m.final.name
		if m.final.checked {
			put(MetaAnswerable, m.final.answerable)
			put(MetaSupported, m.final.supported)
		}
	}
	if c := s.context; c != nil {
		g.Context = c.texts()
		meta.ContextSourceFiles = nonNil(c.Files())
		meta.UsedSourceFiles = nonNil(c.files(m.used(len(c.Passages))))
		if c.Quality > 0 {
			q := c.Quality
			meta.ContextQuality = &q
		}
		if files := c.Files(); len(files) > 0 {
			if e.scenarios {
				meta.SourceFiles = files[0]
			} else {
				g.SourceFile = files[0]
			}
		}
		chunks := make([]Chunk, len(c.Passages))
		for i, p := range c.Passages {
			chunks[i] = Chunk{p.ID, p.File, p.Span.StartByte, p.Span.EndByte, p.Span.StartLine, p.Span.EndLine}
		}
		put(MetaChunks, chunks)
	}
	put(MetaOriginalInput, m.first)
	put(MetaVersions, append([]Version{}, m.versions...))
	if name := llm.ModelOf(e.call.Model); name != "" {
		put(MetaModel, name)
	}
	put(MetaPrompts, PromptVersion)
	if e.flagged(m) && !s.plain() {
		put(MetaFlagged, slices.Concat([]string{fmt.Sprintf("quality %.2f", m.score)}, m.problems()))
	}
	return g
}

// used are the passages that the golden needs: those found at the end, else
// those that the writer named, else all.
func (m *made) used(n int) []int {
	for _, of := range [][]int{m.needs(), m.passages} {
		of = slices.DeleteFunc(slices.Clone(of), func(i int) bool { return i < 0 || i >= n })
		if len(of) > 0 {
			return of
		}
	}
	return nil
}

func (m *made) needs() []int {
	if m.final == nil {
		return nil
	}
	return m.final.needs
}

func nonNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// record returns the record of a slot, with what travels beside it.
func (e *engine) record(s *slot) (generator.Record, Golden, error) {
	g := e.golden(s)
	b, err := g.JSON()
	if err != nil {
		return generator.Record{}, g, fmt.Errorf("deepeval: write the record: %w", err)
	}
	rec := generator.Record{JSON: b}
	if s.row != nil {
		rec.Row = s.row.ID
	}
	if s.context != nil {
		rec.Spans = s.context.spans()
	}
	if f := s.made.final; f != nil {
		rec.Notes = &generator.Notes{Name: f.name, Description: f.description, Criteria: f.criteria, PolicyIDs: f.policies, Shown: f.shown}
	}
	return rec, g, nil
}
