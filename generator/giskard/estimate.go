package giskard

import (
	"context"
	"slices"
)

// Estimate is how many calls a test set takes when every reply fits: nothing is
// asked for again, mended or replaced.
type Estimate struct {
	Topics    int `json:"topics"`    // calls that name topics
	Questions int `json:"questions"` // that write first questions
	Rewrites  int `json:"rewrites"`  // that turn them into their types
	Absence   int `json:"absence"`   // that check what is out of scope
	Answers   int `json:"answers"`   // that write answers
	Checks    int `json:"checks"`    // that verify them
	// Embeddings are requests to the embedder, if there is one.
	Embeddings int `json:"embeddings"`
}

// Calls is the number of calls to the model, those to the embedder left out.
func (e Estimate) Calls() int {
	return e.Topics + e.Questions + e.Rewrites + e.Absence + e.Answers + e.Checks
}

// DryRun says what [Build] and n questions would take, without a call: the base
// is cut and clustered by words alone. It needs no model and fails as Build does.
func DryRun(ctx context.Context, in *Input, n int, o *Options) (*Estimate, error) {
	src, opts, err := in.source(o)
	if err != nil {
		return nil, err
	}
	src.model, src.embedder = nil, nil
	kb, err := build(ctx, src, opts)
	if err != nil {
		return nil, err
	}
	kb.dense = in.Embedder != nil
	e := kb.Estimate(n)
	e.Topics = batches(len(kb.Topics), topicsPerCall)
	if in.Embedder != nil {
		e.Embeddings += batches(len(kb.chunks), textsPerRequest)
	}
	return &e, nil
}

// Estimate says what a test set of n questions in the mix of the options takes,
// without a call.
func (kb *KnowledgeBase) Estimate(n int) Estimate {
	var e Estimate
	for kinds := range slices.Chunk(kb.counts(n).types(kb.o.Seed), kb.o.part()) {
		modified, absent := 0, 0
		for _, t := range kinds {
			switch {
			case t.modified():
				modified++
			case t == OutOfScope:
				absent++
			}
		}
		if kb.dense && absent > 0 {
			e.Embeddings++ // of what is looked for
		}
		size := kb.o.Batch
		e.Questions += batches(len(kinds), size)
		e.Rewrites += batches(modified, size)
		e.Absence += batches(absent, size)
		e.Answers += batches(len(kinds), size)
		e.Checks += batches(len(kinds), size)
	}
	return e
}

// textsPerRequest is how many texts vector.Embed sends at once.
const textsPerRequest = 96

func batches(n, size int) int { return (n + size - 1) / size }
