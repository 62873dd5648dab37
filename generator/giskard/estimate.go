package giskard

import "context"

// Estimate is how many calls a test set takes when every reply fits.
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

// Calls is the number of calls to the model.
func (e *Estimate) Calls() int {
	return e.Topics + e.Questions + e.Rewrites + e.Absence + e.Answers + e.Checks
}

// DryRun says what [Build] and n questions would take, without a call: the base
// is cut and clustered by words alone.
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
	e := kb.Estimate(n)
	e.Topics = batches(len(kb.Topics), topicsPerCall)
	if in.Embedder != nil {
		e.Embeddings = batches(len(kb.chunks), textsPerRequest)
		if e.Absence > 0 {
			e.Embeddings++
		}
	}
	return &e, nil
}

// Estimate says what a test set of n questions takes.
func (kb *KnowledgeBase) Estimate(n int) Estimate {
	counts := kb.counts(n)
	modified := 0
	for t, c := range counts {
		if t.modified() {
			modified += c
		}
	}
	size := kb.o.Batch
	return Estimate{
		Questions: batches(n, size), Rewrites: batches(modified, size), Absence: batches(counts[OutOfScope], size),
		Answers: batches(n, size), Checks: batches(n, size),
	}
}

// textsPerRequest is how many texts vector.Embed sends at once.
const textsPerRequest = 96

func batches(n, size int) int { return (n + size - 1) / size }
