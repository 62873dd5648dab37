package ragas

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// bundle is a part of the drafts whose documents fit into one prompt.
type bundle struct {
	docs     []*model.Document
	at       []int // of the drafts
	evidence []model.Evidence
}

// finish has the drafts answered and checked against their whole documents, as
// many of these at once as a prompt holds. Of a longer document a prompt holds
// the parts around the contexts.
func (e *engine) finish(ctx context.Context, call *generator.Call, drafts []answer.Draft, seed uint64) []stage.Result[answer.Final] {
	out := make([]stage.Result[answer.Final], len(drafts))
	limited := llm.NewLimiter(&llm.LimitOptions{Concurrency: e.o.Concurrency}).Client(call.Model)
	bundles := bundled(drafts, e.o.MaxDocument, e.o.Batch)
	var group errgroup.Group
	group.SetLimit(e.o.Concurrency)
	for n, b := range bundles {
		group.Go(func() error {
			part := make([]answer.Draft, len(b.at))
			for k, i := range b.at {
				part[k] = drafts[i]
			}
			scope := *call
			scope.Documents, scope.Model = b.docs, limited
			scope.UseCase.Evidence = b.evidence
			for k, r := range answer.Finish(ctx, &scope, part, e.answers(stage.Hash(seed, n))) {
				out[b.at[k]] = r
			}
			return nil
		})
	}
	_ = group.Wait() // always nil: a failure is that of its drafts
	return out
}

// bundled cuts drafts into bundles, in order.
func bundled(drafts []answer.Draft, maxDocument, batch int) []bundle {
	var out []bundle
	var b bundle
	longest := 0 // of the bundle's documents
	for i := range drafts {
		docs, size := joined(b.docs, longest, &drafts[i])
		// Every document has an equal share of the prompt.
		full := size*len(docs) > maxDocument
		if len(b.at) > 0 && full && (len(docs) > len(b.docs) || len(b.at) >= batch) {
			out = append(out, b)
			b = bundle{}
			docs, size = joined(nil, 0, &drafts[i])
		}
		b.docs, longest = docs, size
		b.at = append(b.at, i)
		for _, c := range drafts[i].Contexts {
			b.evidence = append(b.evidence, model.Evidence{InputFile: c.Doc.Name, LineStart: c.Span.StartLine, LineEnd: c.Span.EndLine})
		}
	}
	if len(b.at) > 0 {
		out = append(out, b)
	}
	return out
}

// joined returns the documents with those of a draft, and the length of the
// longest.
func joined(docs []*model.Document, longest int, d *answer.Draft) ([]*model.Document, int) {
	docs = slices.Clone(docs)
	for _, c := range d.Contexts {
		if !slices.Contains(docs, c.Doc) {
			docs = append(docs, c.Doc)
			longest = max(longest, len(c.Doc.Bytes()))
		}
	}
	return docs, longest
}
