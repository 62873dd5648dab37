package python

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/internal/answer"
)

// giskardMethod runs Giskard's RAGET: one question of one type for each slot.
type giskardMethod struct{}

func newGiskard() *giskardMethod { return &giskardMethod{} }

func (*giskardMethod) generator() (generator.Generator, error) { return giskard.New(nil) }

func (*giskardMethod) prepare(context.Context, *work) (json.RawMessage, error) { return nil, nil }

func (*giskardMethod) op() string { return "questions" }

func (*giskardMethod) body(*work, *slot) (any, error) { return nil, errors.ErrUnsupported }

func (*giskardMethod) read(*work, *slot, json.RawMessage) (*made, error) {
	return nil, errors.ErrUnsupported
}

func (*giskardMethod) write(*work, *slot, *answer.Final) (json.RawMessage, error) {
	return nil, errors.ErrUnsupported
}
