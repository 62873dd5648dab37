package generator

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
)

// New returns a generator of the typed function fn.
func New[P any](spec Spec, defaults P, fn func(ctx context.Context, call *Call, params P) (*Output, error)) (Generator, error) {
	return nil, errors.ErrUnsupported
}

// Must returns g, and panics if err is not nil. It is for package-level
// variables: generator.Must(generator.New(...)).
func Must(g Generator, err error) Generator {
	if err != nil {
		panic(err)
	}
	return g
}

// Decode decodes the arguments of a call for a generator that is not made by
// [New]: defaults stay where the arguments say nothing. It fails with an
// *[ArgsError].
func Decode[P any](call *Call, defaults P) (P, error) {
	return defaults, errors.ErrUnsupported
}

// CheckArgs validates the arguments a model gave for the tool of spec and
// returns them with the defaults filled in, ready for [Call].Args. Empty
// arguments and null stand for {}. It fails with an *[ArgsError].
func CheckArgs(spec Spec, args json.RawMessage) (json.RawMessage, error) {
	return nil, errors.ErrUnsupported
}

// ToolName returns the name of the tool that offers the generator to a model.
func (s Spec) ToolName() string {
	if s.Tool != "" {
		return s.Tool
	}
	return "generate_with_" + s.Name
}

// RecordFormat returns the format of the generator's records.
func (s Spec) RecordFormat() string {
	if s.Record != "" {
		return s.Record
	}
	return BatchFormat
}

// ToolFor returns the tool that offers the generator of spec to a model.
func ToolFor(spec Spec) (llm.Tool, error) {
	return llm.Tool{}, errors.ErrUnsupported
}

// BatchOutput returns b as the output of a generator that makes the contract's
// types; it needs no adapter of its own.
func BatchOutput(b *model.Batch) *Output { return &Output{Format: BatchFormat} }
