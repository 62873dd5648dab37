package ragas

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/casebook-go/casebook/internal/chunk"
)

// Options configures the method. Nil and zero fields mean the defaults.
type Options struct {
	// Personas are who writes; all of them are used. With none, NumPersonas are
	// made from what the documents are about.
	Personas    []Persona
	NumPersonas int // 0 means 3
	// Shares are the synthesizers and their weights; nil means those of
	// [Distribution] with the reasoning ratio asked for.
	Shares  []Share
	Styles  []Style  // nil means [Styles]
	Lengths []Length // nil means [Lengths]
	// MaxHops is the most contexts of a multi-hop sample; 0 means 3, the least
	// is 2.
	MaxHops int
	// Transforms make the graph of the chunks complete, in order; nil means
	// [DefaultTransforms].
	Transforms []Transform
	Links      LinkOptions
	Chunks     ChunkOptions
	// Context says in words what the questions are for; it goes into the prompts
	// of personas and questions. It may be empty.
	Context string
	Prompts Prompts

	// Batch is how many items one model call makes; 0 means 5, and 8 chunks to be
	// read.
	Batch int
	// Concurrency is how many model calls are under way at once; 0 means 16.
	Concurrency int
	// Attempts is how often an item is asked for before it is given up; 0 means
	// 3. A sample that is given up is made of another scenario, in Rounds more
	// rounds at most; 0 means 6, negative none.
	Attempts, Rounds int
	// Repairs is how often an answer that fails its check is mended; 0 means
	// once, negative never.
	Repairs int
	// Threshold is the least score, 0 to 1, of an answer; 0 means 0.5.
	Threshold float64
	// MaxDocument is how many characters of documents a prompt holds; 0 means
	// 24,000.
	MaxDocument int
	// Seed changes every draw.
	Seed uint64
}

// ChunkOptions says how documents are cut, in tokens (estimated, for any
// script). Zero fields mean the defaults.
type ChunkOptions struct {
	MaxTokens     int // of a chunk; 0 means 256
	MinTokens     int // smaller pieces are joined with a neighbour; 0 means 32
	OverlapTokens int // repeated from the chunk before; 0 means none
}

// Prompts are the system messages; an empty one is the built-in one. What they
// must ask for is in the schema of the reply, which goes with the request.
type Prompts struct {
	Extract  string // summary, themes, entities and score of chunks
	Personas string // who comes to the assistant
	Match    string // which given persona comes with what
	Question string // the inputs
	Answer   string // the expected outputs
	Check    string // of inputs and outputs
	Mend     string // inputs and outputs that did not pass
}

func (o *Options) filled() (*Options, error) {
	f := &Options{}
	if o != nil {
		*f = *o
	}
	if f.Transforms == nil {
		own := *f
		f.Transforms = DefaultTransforms(&own)
	}
	f.NumPersonas = cmp.Or(f.NumPersonas, 3)
	if f.Styles == nil {
		f.Styles = Styles()
	}
	if f.Lengths == nil {
		f.Lengths = Lengths()
	}
	f.MaxHops = cmp.Or(f.MaxHops, 3)
	f.Batch = cmp.Or(f.Batch, 5)
	f.Concurrency = cmp.Or(f.Concurrency, 16)
	f.Attempts = cmp.Or(f.Attempts, 3)
	f.Rounds = cmp.Or(f.Rounds, 6)
	f.Threshold = cmp.Or(f.Threshold, 0.5)
	f.MaxDocument = cmp.Or(f.MaxDocument, 24000)
	return f, f.check()
}

// OptionsError says which option, or field of the [Input], cannot be, and what it
// may be. It comes before any call to a model.
type OptionsError struct{ Option, Reason string }

// Error implements error.
func (e *OptionsError) Error() string { return fmt.Sprintf("ragas: option %s: %s", e.Option, e.Reason) }

func (o *Options) check() error {
	bad := func(option, reason string) error { return &OptionsError{option, reason} }
	for i, p := range o.Personas {
		if p.Name == "" {
			return bad("Personas", fmt.Sprintf("number %d has no name", i+1))
		}
		if j, ok := sameName(p.Name, o.Personas[:i]); ok && o.Personas[j].Name == p.Name {
			return bad("Personas", fmt.Sprintf("%q stands twice; give each a name of its own", p.Name))
		}
	}
	switch {
	case o.NumPersonas < 0:
		return bad("NumPersonas", "it is negative; give 1 or more")
	case len(o.Styles) == 0 || slices.ContainsFunc(o.Styles, func(s Style) bool { return s.Name == "" }):
		return bad("Styles", "give one at least, each with a name")
	case len(o.Lengths) == 0 || slices.ContainsFunc(o.Lengths, func(l Length) bool { return l.Name == "" }):
		return bad("Lengths", "give one at least, each with a name")
	case o.MaxHops < 2:
		return bad("MaxHops", "multi-hop means 2 or more")
	case o.Batch < 0, o.Concurrency < 0, o.Attempts < 0:
		return bad("Batch, Concurrency, Attempts", "none may be negative")
	case o.Threshold < 0 || o.Threshold > 1:
		return bad("Threshold", "give 0 to 1")
	}
	total := 0.0
	for i, s := range o.Shares {
		switch {
		case s.Name == "" || s.Seeds == nil:
			return bad("Shares", fmt.Sprintf("synthesizer %d needs a name and Seeds", i+1))
		case !(s.Weight >= 0) || s.Weight > 1e9:
			return bad("Shares", fmt.Sprintf("the weight of %s is %v; give 0 or more", s.Name, s.Weight))
		}
		total += s.Weight
	}
	if o.Shares != nil && total <= 0 {
		return bad("Shares", "all weights are 0; give one a weight")
	}
	for i, t := range o.Transforms {
		if t.Apply == nil {
			return bad("Transforms", fmt.Sprintf("number %d (%s) has no Apply", i+1, t.Name))
		}
	}
	return nil
}

func (o *Options) chunks() *chunk.Options {
	return &chunk.Options{MaxTokens: o.Chunks.MaxTokens, MinTokens: o.Chunks.MinTokens, OverlapTokens: o.Chunks.OverlapTokens}
}
