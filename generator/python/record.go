package python

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
)

// ErrContext is the error of a record whose contexts are no passages of the
// documents.
var ErrContext = errors.New("its contexts are no passages of the documents")

// parsed reads a record whose parts have the types of what types points to: the
// parsers of the record formats take others too.
func parsed[T any](record json.RawMessage, types any, parse func([]byte) (*T, error)) (*T, error) {
	if err := json.Unmarshal(record, types); err != nil {
		return nil, err
	}
	return parse(record)
}

func among(passages []chunk.Chunk, id string) bool {
	return slices.ContainsFunc(passages, func(c chunk.Chunk) bool { return c.ID == id })
}

// customer tells a framework that the row of a slot has other examples.
func (s *slot) customer() string {
	return fmt.Sprintf("This is customer %d of %d who come with it, each for a reason of their own.", s.example+1, s.row.Examples)
}

// originals returns the extra keys of a record with what the framework wrote,
// where f is not that.
func originals(extra map[string]json.RawMessage, input, output string, f *answer.Final) (map[string]json.RawMessage, error) {
	out := maps.Clone(extra)
	if out == nil {
		out = map[string]json.RawMessage{}
	}
	return out, cmp.Or(keepOriginal(out, OriginalInput, input, f.Input), keepOriginal(out, OriginalOutput, output, f.Output))
}

// keepOriginal notes under a key what the framework wrote, where now is not that.
// What an earlier change noted stays.
func keepOriginal(extra map[string]json.RawMessage, key, before, now string) error {
	if raw, ok := extra[key]; ok {
		var first string
		if err := json.Unmarshal(raw, &first); err != nil {
			return fmt.Errorf("%s is no text: %w", key, err)
		}
		before = first
	}
	if before == now {
		delete(extra, key)
		return nil
	}
	raw, err := json.Marshal(before)
	if err != nil {
		return err
	}
	extra[key] = raw
	return nil
}
