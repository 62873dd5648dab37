// Package adapters turns the native records of generators into candidates for
// the dataset, and back into files.
//
// An [Adapter] reads the records of one format. A [Set] finds adapters by
// format; there is no global registry. [Batch] is the adapter of generators
// that make the contract's types.
//
// The formats of the frameworks live in packages of their own, each with a
// [Framework]: what [Read] finds in a file becomes items by Adapt, and
// FromDataset makes the records of a file out of a dataset. Those records carry
// what the format has no word for, so that [Restore] gives the dataset back as
// it was. [Finder] finds the texts of foreign records again in the documents.
package adapters

import (
	"context"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

// Adapter reads the records of one format. Implementations must be safe for
// concurrent use and must not change the call or the output. A record that
// cannot be read is a refusal in the batch, with its index and the reason, and
// the rest is kept; an error means that none of the output could be read.
type Adapter interface {
	Format() string
	Adapt(ctx context.Context, call *generator.Call, out *generator.Output) (*model.Batch, error)
}

// Codec reads and writes a framework's own files. Decode yields an error for a
// record it cannot read and goes on with the next where the format allows it.
// Implementations must be safe for concurrent use.
type Codec interface {
	Format() string
	Decode(r io.Reader) iter.Seq2[generator.Record, error]
	Encode(w io.Writer, recs []generator.Record) error
}

// Set finds adapters by format. It is immutable and safe for concurrent use;
// the zero Set knows no format.
type Set struct {
	byFormat map[string]Adapter
	formats  []string
}

// NewSet returns the set of as. A nil adapter, one without a format, and two of
// one format are errors; the last is a *[DuplicateError].
func NewSet(as ...Adapter) (*Set, error) {
	s := &Set{byFormat: make(map[string]Adapter, len(as))}
	for i, a := range as {
		if v := reflect.ValueOf(a); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
			return nil, fmt.Errorf("adapters: adapter %d is nil; leave it out", i)
		}
		f := a.Format()
		if f == "" {
			return nil, fmt.Errorf("adapters: adapter %d (%T) has no format; its Format method must name one", i, a)
		}
		if _, ok := s.byFormat[f]; ok {
			return nil, &DuplicateError{Format: f}
		}
		s.byFormat[f] = a
		s.formats = append(s.formats, f)
	}
	slices.Sort(s.formats)
	return s, nil
}

// For returns the adapter of a format; the empty format stands for
// [generator.BatchFormat]. It fails with a *[FormatError].
func (s *Set) For(format string) (Adapter, error) {
	if format == "" {
		format = generator.BatchFormat
	}
	a, ok := s.byFormat[format]
	if !ok {
		return nil, &FormatError{Format: format, Known: s.Formats()}
	}
	return a, nil
}

// Formats returns the formats of the set, sorted.
func (s *Set) Formats() []string { return slices.Clone(s.formats) }

// FormatError says that no adapter reads a format.
type FormatError struct {
	Format string
	Known  []string
}

// Error implements error.
func (e *FormatError) Error() string {
	if len(e.Known) == 0 {
		return fmt.Sprintf("no adapter reads records of format %q: none is registered", e.Format)
	}
	return fmt.Sprintf("no adapter reads records of format %q; register one, or use one of: %s", e.Format, strings.Join(e.Known, ", "))
}

// DuplicateError says that two adapters read one format.
type DuplicateError struct{ Format string }

// Error implements error.
func (e *DuplicateError) Error() string {
	return fmt.Sprintf("two adapters read records of format %q; register one of them", e.Format)
}
