package python

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/internal/answer"
)

// deepEvalMethod runs DeepEval's Synthesizer in contexts mode: one context of
// passages for each item.
type deepEvalMethod struct{}

func newDeepEval() *deepEvalMethod { return &deepEvalMethod{} }

func (*deepEvalMethod) generator() (generator.Generator, error) { return deepeval.New(nil) }

func (*deepEvalMethod) prepare(context.Context, *work) (json.RawMessage, error) { return nil, nil }

func (*deepEvalMethod) op() string { return "goldens" }

func (*deepEvalMethod) body(*work, *slot) (any, error) { return nil, errors.New("python: not written yet") }

func (*deepEvalMethod) read(*work, *slot, json.RawMessage) (*made, error) {
	return nil, errors.New("python: not written yet")
}

func (*deepEvalMethod) write(*work, *slot, *answer.Final) (json.RawMessage, error) {
	return nil, errors.New("python: not written yet")
}
