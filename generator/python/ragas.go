package python

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/answer"
)

// ragasMethod gives the rows of a call to the synthesizers of Ragas.
type ragasMethod struct{}

func newRagas() *ragasMethod { return &ragasMethod{} }

func (*ragasMethod) generator() (generator.Generator, error) { return ragas.New(nil) }

func (*ragasMethod) op() string { return "samples" }

func (*ragasMethod) prepare(context.Context, *work) (json.RawMessage, error) { return nil, nil }

func (*ragasMethod) body(*work, *slot) (any, error) { return nil, errors.New("not written yet") }

func (*ragasMethod) read(*work, *slot, json.RawMessage) (*made, error) {
	return nil, errors.New("not written yet")
}

func (*ragasMethod) write(*work, *slot, *answer.Final) (json.RawMessage, error) {
	return nil, errors.New("not written yet")
}
