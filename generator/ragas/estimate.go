package ragas

import (
	"cmp"

	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
)

// Calls is how many calls of the model a testset takes, by what they are for.
type Calls struct {
	Extract   int // that read the chunks; none with Transforms of your own
	Personas  int // that make personas, or say what brings those given
	Questions int // that write messages
	Answers   int // that write replies
	Checks    int // that check both
}

// All is their sum.
func (c Calls) All() int { return c.Extract + c.Personas + c.Questions + c.Answers + c.Checks }

// Estimate says, without a call, how many calls [Generate] makes for the input
// if no reply is refused and nothing has to be mended. Vectors come on top: one
// request for many texts. It fails as Generate does for an input or options that
// cannot be.
func Estimate(in *Input, o *Options) (Calls, error) {
	filled, err := in.check(o)
	if err != nil {
		return Calls{}, err
	}
	g := in.Graph
	if g == nil {
		g = Build(in.Documents, filled.Chunks)
	}
	nodes := leaves(g)
	if len(nodes) == 0 {
		return Calls{}, &CountError{Asked: in.Size, Reasons: []string{"there is no text in the documents"}}
	}
	var c Calls
	pieces := 0
	for _, n := range nodes {
		if n.unread() {
			pieces += len(parts(n))
		}
	}
	if o == nil || o.Transforms == nil {
		per := extractionsPer
		if o != nil {
			per = cmp.Or(o.Batch, per)
		}
		c.Extract = ceil(pieces, per)
	}
	c.Personas = 1
	if filled.Personas != nil {
		c.Personas = ceil(len(filled.Personas), personasPer)
		if len(nodes) < 2 {
			c.Personas = 0
		}
	}
	c.Questions = ceil(in.Size, filled.Batch)
	// The answers are written for what fits into one prompt with its documents.
	corpus := newCorpus(g, in.Documents)
	var drafts []answer.Draft
	for i := range in.Size {
		at, err := corpus.place(nodes[i*len(nodes)/in.Size])
		if err == nil {
			drafts = append(drafts, answer.Draft{Contexts: []chunk.Chunk{at}})
		}
	}
	for _, b := range bundled(drafts, filled.MaxDocument, filled.Batch) {
		c.Answers += ceil(len(b.at), filled.Batch)
	}
	c.Checks = c.Answers
	return c, nil
}

func ceil(n, per int) int { return (n + per - 1) / per }
