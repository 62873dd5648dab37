package adapters

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

// Framework is all that casebook knows of another tool's files: how they are
// read and written, what their records become, and the way back. The packages
// below this one have one each, made by New. Implementations are safe for
// concurrent use.
type Framework interface {
	Codec
	Adapter

	// Contexts returns the texts that a record was made of, in their order and
	// without what the framework adds to them. See [Locate].
	Contexts(rec generator.Record) ([]string, error)

	// FromDataset returns a record for each example of a dataset, in order. An
	// example that was a record of this format gets it back; others are mapped.
	// Each record carries what casebook knows of its example.
	FromDataset(d *model.Dataset) ([]generator.Record, error)

	// Carried returns what a record carries of a dataset that FromDataset made
	// it of, and the record without it; nil for a foreign one.
	Carried(rec generator.Record) (*Carried, generator.Record, error)
}

// Sided is a [Framework] whose files have no place for what its records carry.
// It stands in a file of its own beside the framework's, one line a record.
type Sided interface {
	Framework

	// EncodeSide writes what the records carry.
	EncodeSide(w io.Writer, recs []generator.Record) error

	// JoinSide returns the records with what was written beside them. Records
	// are found by their texts, so that lines may be taken out of the file or
	// moved in it.
	JoinSide(recs []generator.Record, side io.Reader) ([]generator.Record, error)
}

// Contents is what a file held.
type Contents struct {
	Records []generator.Record
	Index   []int          // of each record in the file, from 0
	Refused []*RecordError // what could not be read
}

// Total is the number of records of the file, read or not.
func (c *Contents) Total() int { return len(c.Records) + len(c.Refused) }

// Read reads a file whole. The error is a *[FileError] when the file holds none
// of the format's records, or the reader's own.
func Read(c Codec, r io.Reader) (*Contents, error) {
	out := &Contents{}
	for rec, err := range c.Decode(r) {
		var bad *RecordError
		switch {
		case err == nil:
			out.Index = append(out.Index, len(out.Records)+len(out.Refused))
			out.Records = append(out.Records, rec)
		case errors.As(err, &bad):
			out.Refused = append(out.Refused, bad)
		default:
			return nil, err
		}
	}
	return out, nil
}

// RecordError says why a record of a file could not be read; those after it are
// read all the same.
type RecordError struct {
	Format string
	Index  int // of the record in the file, from 0
	Line   int // of the file where the record begins, from 1
	Reason string
}

// Error implements error.
func (e *RecordError) Error() string {
	return fmt.Sprintf("%s: record %d (line %d): %s", e.Format, e.Index, e.Line, e.Reason)
}

// FileError says that a file holds no records of a format.
type FileError struct {
	Format string
	Looks  string // what the file looks like: "a CSV file with the columns a, b"
	Remedy string // may be empty
}

// Error implements error.
func (e *FileError) Error() string {
	s := fmt.Sprintf("the file holds no records of format %s: it looks like %s", e.Format, e.Looks)
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Carried is what a record carries of a dataset: an example with all that it
// refers to, each with its place in the dataset.
type Carried struct {
	Version  int                     `json:"version"` // of this layout: 1
	Example  Placed[model.Example]   `json:"example"`
	TestCase *Placed[model.TestCase] `json:"test_case,omitempty"`
	UseCase  *Placed[model.UseCase]  `json:"use_case,omitempty"`
	Policies []Placed[model.Policy]  `json:"policies,omitempty"`
	Rest     *Rest                   `json:"rest,omitempty"`
	Native   bool                    `json:"native,omitempty"` // the example's native record is this one
	// Edited says that the record's texts are others than those it was written
	// with; the example has the record's.
	Edited bool `json:"-"`
}

// Rest is what no example of the dataset refers to; one record carries it.
type Rest struct {
	UseCases  []Placed[model.UseCase]  `json:"use_cases,omitempty"`
	Policies  []Placed[model.Policy]   `json:"policies,omitempty"`
	TestCases []Placed[model.TestCase] `json:"test_cases,omitempty"`
}

// Placed is an item with its index in the dataset.
type Placed[T any] struct {
	At   int `json:"at"`
	Item T   `json:"item"`
}

// Restore puts together the dataset that the records carry. It returns the
// indexes of the records that carry nothing; those are foreign and have to be
// adapted. The dataset is nil when no record carries anything. An input or
// expected output that was edited in the framework's file is taken over; a
// record whose edit cannot be, or that carries what cannot be read, is in
// refused.
//
// Records may have been taken out of the file or moved: the items keep their
// order. What no example refers to is carried by the first record. A copy of a
// record is foreign if its texts were edited, else refused.
func Restore(f Framework, recs []generator.Record) (d *model.Dataset, foreign []int, refused []model.Refusal) {
	var (
		useCases  placed[model.UseCase]
		policies  placed[model.Policy]
		testCases placed[model.TestCase]
		examples  placed[model.Example]
		first     = map[string]bool{} // examples that a record carries
	)
	for i, rec := range recs {
		c, _, err := f.Carried(rec)
		switch {
		case err != nil:
			refused = append(refused, model.Refusal{Check: CheckRecord, Reason: fmt.Sprintf("record %d: %s", i, err), Index: i})
			continue
		case c == nil:
			foreign = append(foreign, i)
			continue
		}
		id := c.Example.Item.ID
		if first[id] {
			if kept := examples.get(id); sameTexts(&kept, &c.Example.Item) {
				refused = append(refused, model.Refusal{Check: CheckRecord, Reason: fmt.Sprintf("record %d: it repeats an earlier record, that of %s", i, id), Index: i})
			} else {
				foreign = append(foreign, i)
			}
			continue
		}
		first[id] = true
		examples.add(c.Example, c.Example.Item.ID)
		if c.TestCase != nil {
			testCases.add(*c.TestCase, c.TestCase.Item.ID)
		}
		if c.UseCase != nil {
			useCases.add(*c.UseCase, c.UseCase.Item.ID)
		}
		for _, p := range c.Policies {
			policies.add(p, p.Item.ID)
		}
		if c.Rest == nil {
			continue
		}
		for _, p := range c.Rest.UseCases {
			useCases.add(p, p.Item.ID)
		}
		for _, p := range c.Rest.Policies {
			policies.add(p, p.Item.ID)
		}
		for _, p := range c.Rest.TestCases {
			testCases.add(p, p.Item.ID)
		}
	}
	if len(first) == 0 {
		return nil, foreign, refused
	}
	return &model.Dataset{
		UseCases: useCases.items(), Policies: policies.items(), TestCases: testCases.items(), Examples: examples.items(),
	}, foreign, refused
}

func sameTexts(a, b *model.Example) bool {
	return a.ExpectedOutput == b.ExpectedOutput && slices.Equal(a.Input.Messages, b.Input.Messages)
}

// placed collects items by their id; of several with one id the first is kept.
type placed[T any] struct {
	index map[string]int
	all   []Placed[T]
}

func (p *placed[T]) add(item Placed[T], id string) {
	if _, ok := p.index[id]; ok {
		return
	}
	if p.index == nil {
		p.index = map[string]int{}
	}
	p.index[id] = len(p.all)
	p.all = append(p.all, item)
}

func (p *placed[T]) get(id string) T { return p.all[p.index[id]].Item }

func (p *placed[T]) items() []T {
	slices.SortStableFunc(p.all, func(a, b Placed[T]) int { return cmp.Compare(a.At, b.At) })
	out := make([]T, len(p.all))
	for i := range p.all {
		out[i] = p.all[i].Item
	}
	return out
}

// Locate returns the record with the spans of those of its contexts that are
// found in the documents, in their order. Contexts that are not found stay
// texts. It fails only if the record cannot be read.
func Locate(f Framework, docs *Finder, rec generator.Record) (generator.Record, error) {
	texts, err := f.Contexts(rec)
	if err != nil {
		return rec, err
	}
	rec.Spans = nil
	for _, t := range texts {
		spans, _ := docs.Find(t)
		rec.Spans = append(rec.Spans, spans...)
	}
	return rec, nil
}
