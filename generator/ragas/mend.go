package ragas

import (
	"context"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// mend makes what was refused anew. What the method varied stays.
func (e *engine) mend(ctx context.Context, call *generator.Call) (*generator.Output, error) {
	results := answer.Mend(ctx, call, e.answers(stage.Hash(call.Seed, e.o.Seed, "mend")))
	out := &generator.Output{Engine: "go"}
	var rows []string
	var made []*generator.Record
	var why []error
	for i := range call.Rows {
		row := &call.Rows[i]
		for k := range max(1, row.Examples) {
			var rec *generator.Record
			err := stage.ErrNoAnswer
			if at := len(made); at < len(results) {
				if err = results[at].Err; err == nil {
					rec, err = e.mended(call, row, k, &results[at].Value)
				}
			}
			rows, made, why = append(rows, row.ID), append(made, rec), append(why, err)
		}
	}
	return out, output(ctx, out, rows, made, why)
}

func (e *engine) mended(call *generator.Call, row *model.Row, k int, f *answer.Final) (*generator.Record, error) {
	old := call.Repairs[row.ID].Item
	native := old.TestCase.Metadata.Native
	if k < len(old.Examples) && old.Examples[k].Metadata.Native != nil {
		native = old.Examples[k].Metadata.Native
	}
	s := &Sample{}
	if native != nil {
		var err error
		if s, err = Parse(native); err != nil {
			return nil, err
		}
	}
	s.UserInput, s.Reference = f.Input, f.Output
	rec := &generator.Record{Row: row.ID, Notes: &generator.Notes{
		Name: f.Name, Description: f.Description, Criteria: f.Criteria, PolicyIDs: f.PolicyIDs, Shown: f.Shown,
	}}
	for _, c := range s.ReferenceContexts {
		text, _ := Untag(c)
		span, ok := spanOf(call.Documents, text)
		if !ok {
			rec.Spans = nil
			break
		}
		rec.Spans = append(rec.Spans, span)
	}
	var err error
	rec.JSON, err = s.JSON()
	return rec, err
}

// spanOf finds a context that was cut from a document.
func spanOf(docs []*model.Document, text string) (model.Span, bool) {
	if strings.TrimSpace(text) == "" {
		return model.Span{}, false
	}
	n := &Node{Text: text}
	for _, d := range docs {
		if at, ok := find(d, n); ok {
			return (&corpus{}).cut(d, at, n).Span, true
		}
	}
	return model.Span{}, false
}
