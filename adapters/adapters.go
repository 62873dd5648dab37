// Package adapters turns the native records of generators into candidates for
// the dataset.
package adapters

import (
	"context"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

// Adapter reads the records of one format. Implementations must be safe for
// concurrent use and must not change the call or the output. A record that
// cannot be read is a refusal in the batch, not an error.
type Adapter interface {
	Format() string
	Adapt(ctx context.Context, call *generator.Call, out *generator.Output) (*model.Batch, error)
}

// Codec reads and writes a framework's own files.
type Codec interface {
	Format() string
	Decode(r io.Reader) iter.Seq2[generator.Record, error]
	Encode(w io.Writer, recs []generator.Record) error
}

// Set finds adapters by format. It is immutable and safe for concurrent use.
type Set struct {
	byFormat map[string]Adapter
	formats  []string
}

// NewSet returns the set of the adapters and [Batch]. A nil adapter, an empty
// format and two adapters of one format are errors.
func NewSet(as ...Adapter) (*Set, error) { return &Set{}, nil }

// For returns the adapter of a format; the empty format is
// [generator.BatchFormat]. It fails with a *[FormatError].
func (s *Set) For(format string) (Adapter, error) {
	return nil, &FormatError{Format: format, Known: s.Formats()}
}

// Formats returns the formats of the set, sorted.
func (s *Set) Formats() []string { return s.formats }

// Batch returns the adapter of [generator.BatchFormat].
func Batch() Adapter { return batch{} }

type batch struct{}

func (batch) Format() string { return generator.BatchFormat }

func (batch) Adapt(ctx context.Context, call *generator.Call, out *generator.Output) (*model.Batch, error) {
	return &model.Batch{}, nil
}

// FormatError says that no adapter reads a format.
type FormatError struct {
	Format string
	Known  []string
}

// Error implements error.
func (e *FormatError) Error() string {
	return fmt.Sprintf("no adapter reads %q; known formats: %s", e.Format, strings.Join(e.Known, ", "))
}
