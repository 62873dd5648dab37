// Package frame is what the adapters of the frameworks have in common: rows of
// files to records, records to items, and a dataset to records and back.
package frame

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/loose"
	"github.com/casebook-go/casebook/model"
)

// Decode is Codec.Decode for a format whose records parse makes canonical.
func Decode(format string, shape loose.Shape, r io.Reader, parse func([]byte) (json.RawMessage, error)) iter.Seq2[generator.Record, error] {
	return func(yield func(generator.Record, error) bool) {
		b, err := io.ReadAll(r)
		if err != nil {
			yield(generator.Record{}, fmt.Errorf("reading %s records: %w", format, err))
			return
		}
		rows, err := loose.Rows(b, shape)
		var looks *loose.LooksError
		if errors.As(err, &looks) {
			yield(generator.Record{}, &adapters.FileError{Format: format, Looks: looks.Looks, Remedy: looks.Remedy})
			return
		}
		if err != nil {
			yield(generator.Record{}, err)
			return
		}
		for _, row := range rows {
			rec, err := decodeRow(row, shape, parse)
			if err != nil {
				err = &adapters.RecordError{Format: format, Index: row.Index, Line: row.Line, Reason: err.Error()}
			}
			if !yield(rec, err) {
				return
			}
		}
	}
}

func decodeRow(row loose.Row, shape loose.Shape, parse func([]byte) (json.RawMessage, error)) (generator.Record, error) {
	if row.Err != nil {
		return generator.Record{}, row.Err
	}
	f, err := loose.Parse(row.JSON)
	if err != nil {
		return generator.Record{}, err
	}
	if !shape.Match(func(k string) bool { _, ok := f[k]; return ok }) {
		return generator.Record{}, errors.New("its keys are not those of the " + shape.Name)
	}
	for _, k := range shape.Asks {
		if v := f[k]; len(v) > 0 && strings.IndexByte("-0123456789tf", v[0]) >= 0 {
			return generator.Record{}, fmt.Errorf("%s is %s, not a text", k, loose.Kind(v))
		}
	}
	b, err := parse(row.JSON)
	return generator.Record{JSON: b}, err
}

// Lines writes records one a line, with the spaces that Python's json.dumps puts
// between values when spaced is set.
func Lines(w io.Writer, recs []json.RawMessage, spaced bool) error {
	var buf bytes.Buffer
	for _, r := range recs {
		if spaced {
			r = Spaced(r)
		}
		buf.Write(r)
		buf.WriteByte('\n')
	}
	_, err := w.Write(buf.Bytes())
	return err
}

// Array writes records as a list, indented by four spaces.
func Array(w io.Writer, recs []json.RawMessage) error {
	var buf bytes.Buffer
	if len(recs) == 0 {
		buf.WriteString("[]")
	} else {
		joined := append(append([]byte{'['}, bytes.Join(raws(recs), []byte(","))...), ']')
		if err := json.Indent(&buf, joined, "", "    "); err != nil {
			return err
		}
	}
	_, err := w.Write(buf.Bytes())
	return err
}

func raws(recs []json.RawMessage) [][]byte {
	out := make([][]byte, len(recs))
	for i, r := range recs {
		out[i] = r
	}
	return out
}

// Spaced returns compact JSON with a space after each comma and colon.
func Spaced(b []byte) []byte {
	out := make([]byte, 0, len(b)+len(b)/8)
	quoted := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		out = append(out, c)
		switch {
		case quoted && c == '\\' && i+1 < len(b):
			i++
			out = append(out, b[i])
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}

// The checks that refusals name, besides those of package adapters.
const (
	CheckInput    = "input"           // there is no message
	CheckOutput   = "expected_output" // there is no expected output
	CheckScenario = "scenario"        // a model has to write the opening message
	CheckHistory  = "history"         // several turns do not fit
)

// Reading is what an adapter reads in a record.
type Reading struct {
	Input       string
	Output      string
	Name        string
	Description string
	Parameters  map[string]string // empty values are left out
	Numbers     map[string]int
	Native      json.RawMessage
	// Refused, when set, says why the record makes no item, and Check what
	// refused it.
	Refused, Check string
}

// Adapt is Adapter.Adapt for a format whose records read reads. The records of
// one row make one item.
func Adapt(ctx context.Context, format string, call *generator.Call, out *generator.Output, read func(i int, rec generator.Record) (*Reading, error)) (*model.Batch, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	b := &model.Batch{}
	if out == nil {
		return b, nil
	}
	if out.Format != "" && out.Format != format {
		return nil, &adapters.FormatError{Format: out.Format, Known: []string{format}}
	}
	p := &placing{call: call, rows: map[string]*model.Row{}, items: map[string]int{}, batch: b}
	if call != nil {
		for i := range call.Rows {
			p.rows[call.Rows[i].ID] = &call.Rows[i]
		}
	}
	for i, rec := range out.Records {
		p.add(i, rec, read)
	}
	return b, nil
}

type placing struct {
	call  *generator.Call
	rows  map[string]*model.Row
	items map[string]int // of a row, in the batch
	batch *model.Batch
}

func (p *placing) refuse(i int, rec generator.Record, check, format string, args ...any) {
	r := model.Refusal{Row: rec.Row, Check: check, Reason: fmt.Sprintf("record %d: ", i) + fmt.Sprintf(format, args...), Index: i}
	if p.call != nil {
		r.UseCaseID = p.call.UseCase.ID
	}
	p.batch.Refused = append(p.batch.Refused, r)
}

func (p *placing) add(i int, rec generator.Record, read func(int, generator.Record) (*Reading, error)) {
	var row *model.Row
	if rec.Row != "" {
		if row = p.rows[rec.Row]; row == nil {
			p.refuse(i, rec, adapters.CheckRow, "it is for row %q, which was not dealt to the call", rec.Row)
			return
		}
		if k, ok := p.items[rec.Row]; ok && len(p.batch.Items[k].Examples) >= max(row.Examples, 1) {
			p.refuse(i, rec, adapters.CheckRow, "row %q has its %d examples", rec.Row, max(row.Examples, 1))
			return
		}
	}
	r, err := read(i, rec)
	if err != nil {
		p.refuse(i, rec, adapters.CheckRecord, "%s", err)
		return
	}
	empty := row != nil && row.Corner == "empty" || row != nil && len(row.Given) > 0
	switch {
	case r.Refused != "":
		p.refuse(i, rec, r.Check, "%s", r.Refused)
		return
	case strings.TrimSpace(r.Input) == "" && !empty:
		p.refuse(i, rec, CheckInput, "it has no input")
		return
	case strings.TrimSpace(r.Output) == "":
		p.refuse(i, rec, CheckOutput, "it has no expected output")
		return
	}
	item, ex := r.item(row, rec)
	if k, ok := p.items[rec.Row]; ok && rec.Row != "" {
		p.batch.Items[k].Examples = append(p.batch.Items[k].Examples, ex)
		return
	}
	if rec.Row != "" {
		p.items[rec.Row] = len(p.batch.Items)
	}
	item.Examples = []model.Example{ex}
	p.batch.Items = append(p.batch.Items, item)
}

func (r *Reading) item(row *model.Row, rec generator.Record) (model.Item, model.Example) {
	item := model.Item{Row: rec.Row, TestCase: model.TestCase{Name: r.Name, Description: r.Description}}
	params := map[string]model.Value{}
	for k, v := range r.Parameters {
		if strings.TrimSpace(v) != "" {
			params[k] = model.String(v)
		}
	}
	for k, v := range r.Numbers {
		params[k] = model.Number(float64(v))
	}
	ex := model.Example{
		Format:         model.SingleTurnQA,
		Input:          model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: r.Input}}},
		ExpectedOutput: strings.TrimSpace(r.Output),
		Metadata:       model.Metadata{Native: r.Native},
	}
	if row != nil {
		for k, v := range row.Parameters {
			params[k] = v
		}
		item.TestCase.Axes = slices.Clone(row.Axes)
		item.TestCase.PolicyIDs = slices.Clone(row.PolicyIDs)
		if row.Format != "" {
			ex.Format = row.Format
		}
		if len(row.Given) > 0 {
			ex.Input.Messages = slices.Clone(row.Given)
		}
	}
	if len(params) > 0 {
		item.TestCase.Parameters = params
	}
	if n := rec.Notes; n != nil {
		item.TestCase.Name, item.TestCase.Description = or(n.Name, r.Name), or(n.Description, r.Description)
		for _, c := range n.Criteria {
			if c = strings.TrimSpace(c); c != "" && !slices.Contains(ex.EvaluationCriteria, c) {
				ex.EvaluationCriteria = append(ex.EvaluationCriteria, c)
			}
		}
		ex.PolicyIDs = slices.Clone(n.PolicyIDs)
		if len(n.Shown) > 0 {
			ex.Metadata.Shown = n.Shown
		}
	}
	return item, ex
}

func or(a, b string) string {
	if strings.TrimSpace(a) != "" {
		return a
	}
	return b
}
