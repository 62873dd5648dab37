package ragas

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// engine is the method with its options filled in.
type engine struct {
	o      *Options
	shares []Share
}

func (e *engine) with(ratio float64) *engine {
	out := *e
	out.shares = e.o.Shares
	if out.shares == nil {
		out.shares = Distribution(ratio)
	}
	return &out
}

// world is what all questions of a run share. It is not changed once it is made.
type world struct {
	graph    *Graph
	docs     []*model.Document
	nodes    []*Node                // what questions could be made of before any was dropped
	places   map[string]chunk.Chunk // of a node's id
	people   *people
	failures []Failure
}

// build completes a graph and meets the people. What follows from it alone is
// the same in every call: the seed is of the documents and the options.
func (e *engine) build(ctx context.Context, call *generator.Call, g *Graph, docs []*model.Document) (*world, error) {
	seed := stage.Hash(e.o.Seed, "ragas graph")
	for _, n := range leaves(g) {
		seed = stage.Hash(seed, n.ID)
	}
	plain := *call
	plain.Seed = seed
	plain.Rows, plain.Avoid, plain.Repairs = nil, nil, nil
	c := newCorpus(g, docs)
	w := &world{graph: g, places: map[string]chunk.Chunk{}}
	for _, n := range leaves(g) {
		at, err := c.place(n)
		if err != nil {
			w.failures = append(w.failures, Failure{Stage: "documents", Item: label(n), Err: err})
			continue
		}
		w.places[n.ID] = at
		w.nodes = append(w.nodes, n)
	}
	w.docs = c.docs
	g.Remove(func(n *Node) bool { _, ok := w.places[n.ID]; return n.Type != DocumentNode && !ok })
	failures, err := complete(ctx, &plain, g, e.o.Transforms)
	if err != nil {
		return nil, err
	}
	p, more := meet(ctx, &plain, g, e.o, stage.Hash(seed, "people"))
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	w.people = p
	w.failures = append(append(w.failures, failures...), more...)
	return w, nil
}

// Input is what a testset is made of. One of Graph and Documents is required.
type Input struct {
	// Client serves every call; required. It is called as it is: put [llm.Retry],
	// and [llm.Adaptive] around that, around the bare client of a provider.
	Client llm.Client
	// Embedder makes the vectors of summaries; nil means their words.
	Embedder llm.Embedder
	// Documents are cut, unless Graph is set: then they are where the texts of
	// its nodes are looked for.
	Documents []*model.Document
	// Graph is used as it is, and completed: what it has is not paid for again.
	// See [Load], [Build] and [FromTexts].
	Graph *Graph
	// Language is the code of the documents' language; empty is found out.
	Language string
	Profile  *model.Profile // nil means [model.SupportBot]
	Log      *slog.Logger   // nil discards
	// Size is how many samples to make.
	Size int
	// ReasoningRatio, 0 to 1, is the share of multi-hop samples. It counts unless
	// the options have Shares.
	ReasoningRatio float64
}

// Testset is what [Generate] made.
type Testset struct {
	// Records are the samples in their order, with the places of their contexts
	// and notes.
	Records []generator.Record
	// Documents are what the spans lie in: those given, and for a graph of
	// others the ones made of its nodes.
	Documents []*model.Document
	Graph     *Graph // completed; save it to make more of it
	Personas  []Persona
	// Failures are what could not be made, also where something else took its
	// place.
	Failures []Failure
	// Remarks say where the mix is not the one asked for, and why.
	Remarks []string
}

// CountError says that fewer samples than asked for were made: no more are
// possible, or no more were accepted. Beside it stands what was made.
type CountError struct {
	Asked, Possible int      // samples
	Reasons         []string // at most one for each kind of failure, the most frequent first
}

// Error implements error.
func (e *CountError) Error() string {
	s := fmt.Sprintf("ragas: only %d of %d samples are possible", e.Possible, e.Asked)
	if len(e.Reasons) > 0 {
		s += ": " + strings.Join(e.Reasons, "; ")
	}
	return s
}

// Generate makes a testset of exactly in.Size samples. The error is a
// *[CountError] when there are fewer, an *[OptionsError], or what ended the work:
// a failure of the provider, the end of ctx. The testset is then nil or holds
// what there is. Equal inputs and replies give equal testsets. It changes neither
// in nor o, so that calls may share them.
func Generate(ctx context.Context, in *Input, o *Options) (*Testset, error) {
	filled, err := in.check(o)
	if err != nil {
		return nil, err
	}
	if in.Client == nil {
		return nil, &OptionsError{"Client", "there is no model; give one"}
	}
	e := (&engine{o: filled}).with(in.ReasoningRatio)
	g := in.Graph
	if g == nil {
		g = Build(in.Documents, filled.Chunks)
	} else {
		g = g.clone()
	}
	if len(leaves(g)) == 0 {
		return nil, &CountError{Asked: in.Size, Reasons: []string{"there is no text in the documents"}}
	}
	w, err := e.build(ctx, in.call(g), g, in.Documents)
	if err != nil {
		return nil, err
	}
	return e.testset(ctx, in, w)
}

// check returns the options filled in, or says what cannot be.
func (in *Input) check(o *Options) (*Options, error) {
	filled, err := o.filled()
	if err != nil {
		return nil, err
	}
	switch {
	case in == nil || in.Graph == nil && len(in.Documents) == 0:
		return nil, &OptionsError{"Documents", "give documents or a graph"}
	case slices.Contains(in.Documents, nil):
		return nil, &OptionsError{"Documents", fmt.Sprintf("number %d is nil; leave it out", slices.Index(in.Documents, nil)+1)}
	case in.Size < 1:
		return nil, &OptionsError{"Size", "give 1 or more"}
	case !(in.ReasoningRatio >= 0 && in.ReasoningRatio <= 1):
		return nil, &OptionsError{"ReasoningRatio", "give 0 to 1"}
	}
	return filled, nil
}

// call is a call outside of a run.
func (in *Input) call(g *Graph) *generator.Call {
	call := &generator.Call{
		ID: "ragas", Documents: in.Documents, Language: in.Language, Profile: in.Profile,
		Model: in.Client, Embedder: in.Embedder, Log: in.Log,
	}
	texts := make([]string, 0, len(g.Nodes))
	var sample strings.Builder
	for _, n := range leaves(g) {
		texts = append(texts, n.Text)
		if sample.Len() < 20000 {
			sample.WriteString(n.Text + "\n")
		}
	}
	if call.Language == "" {
		call.Language = lang.Detect(sample.String())
	}
	if call.Profile == nil {
		call.Profile = model.SupportBot()
	}
	if call.Embedder == nil {
		call.Embedder = llm.NewLexical(texts)
	}
	if call.Log == nil {
		call.Log = slog.New(slog.DiscardHandler)
	}
	return call
}

// clone returns a graph that may be completed without changing g.
func (g *Graph) clone() *Graph {
	out := &Graph{Skipped: g.Skipped}
	for _, n := range g.Nodes {
		c := *n
		out.Nodes = append(out.Nodes, &c)
	}
	for _, r := range g.Relationships {
		c := *r
		out.Relationships = append(out.Relationships, &c)
	}
	return out
}
