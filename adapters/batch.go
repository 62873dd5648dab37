package adapters

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

// The checks that the refusals of [Batch] name.
const (
	CheckRecord = "record" // the record is no item
	CheckRow    = "row"    // the row is not one of the call's, or filled already
)

// Batch returns the adapter of [generator.BatchFormat]: each record is the JSON
// of a [model.Item]. A record's row stands beside it; one inside must agree.
// Refused are a record that is no item, one for a row that was not dealt to the
// call, and a second one for the same row; a record without a row is a proposal
// and kept.
func Batch() Adapter { return batch{} }

type batch struct{}

func (batch) Format() string { return generator.BatchFormat }

func (batch) Adapt(ctx context.Context, call *generator.Call, out *generator.Output) (*model.Batch, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	b := &model.Batch{}
	if out == nil {
		return b, nil
	}
	if out.Format != "" && out.Format != generator.BatchFormat {
		return nil, &FormatError{Format: out.Format, Known: []string{generator.BatchFormat}}
	}
	var useCase string
	dealt := map[string]bool{}
	if call != nil {
		useCase = call.UseCase.ID
		for _, r := range call.Rows {
			dealt[r.ID] = true
		}
	}
	filled := map[string]int{}
	for i, rec := range out.Records {
		refuse := func(row, check, format string, args ...any) {
			b.Refused = append(b.Refused, model.Refusal{
				UseCaseID: useCase, Row: row, Check: check, Reason: fmt.Sprintf(format, args...), Index: i,
			})
		}
		item, err := decodeItem(rec.JSON)
		if err != nil {
			refuse(rec.Row, CheckRecord, "record %d: %s", i, err)
			continue
		}
		if rec.Row != "" && item.Row != "" && item.Row != rec.Row {
			refuse(rec.Row, CheckRow, "record %d is for row %q and says row %q inside", i, rec.Row, item.Row)
			continue
		}
		if rec.Row != "" {
			item.Row = rec.Row
		}
		if item.Row != "" {
			if !dealt[item.Row] {
				refuse(item.Row, CheckRow, "record %d is for row %q, which was not dealt to the call", i, item.Row)
				continue
			}
			if first, twice := filled[item.Row]; twice {
				refuse(item.Row, CheckRow, "record %d is for row %q, which record %d has filled", i, item.Row, first)
				continue
			}
			filled[item.Row] = i
		}
		b.Items = append(b.Items, *item)
	}
	return b, nil
}

// decodeItem reads one item. Unknown keys are ignored, as in the contract's
// files.
func decodeItem(raw []byte) (*model.Item, error) {
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0:
		return nil, errors.New("it is empty; a record is the JSON of an item")
	case !utf8.Valid(raw):
		return nil, errors.New("it is not UTF-8")
	case raw[0] != '{':
		return nil, errors.New("it is no JSON object")
	}
	var keys struct {
		TestCase json.RawMessage `json:"test_case"`
	}
	if err := json.Unmarshal(raw, &keys); err != nil {
		return nil, fmt.Errorf("it is no item: %w", err)
	}
	if len(keys.TestCase) == 0 || string(keys.TestCase) == "null" {
		return nil, errors.New("it is no item: test_case is missing")
	}
	item := new(model.Item)
	if err := json.Unmarshal(raw, item); err != nil {
		return nil, fmt.Errorf("it is no item: %w", err)
	}
	return item, nil
}
