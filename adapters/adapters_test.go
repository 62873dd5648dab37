package adapters_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

type named string

func (n named) Format() string { return string(n) }

func (n named) Adapt(context.Context, *generator.Call, *generator.Output) (*model.Batch, error) {
	return &model.Batch{}, nil
}

type pointer struct{ named }

func TestSet(t *testing.T) {
	t.Parallel()
	s, err := adapters.NewSet(named("z"), adapters.Batch(), named("a"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", generator.BatchFormat, "z"}, s.Formats()); diff != "" {
		t.Errorf("formats (-want +got):\n%s", diff)
	}
	s.Formats()[0] = "changed by the caller"
	for format, want := range map[string]string{"a": "a", "z": "z", "": generator.BatchFormat, generator.BatchFormat: generator.BatchFormat} {
		a, err := s.For(format)
		if err != nil || a.Format() != want {
			t.Errorf("For(%q) = %v, %v; want the adapter of %q", format, a, err, want)
		}
	}
	_, err = s.For("b")
	var unknown *adapters.FormatError
	if !errors.As(err, &unknown) {
		t.Fatalf("got %v, want a *FormatError", err)
	}
	if diff := cmp.Diff(&adapters.FormatError{Format: "b", Known: []string{"a", generator.BatchFormat, "z"}}, unknown); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(err.Error(), `"b"`) || !strings.Contains(err.Error(), "a, casebook.item, z") {
		t.Errorf("error %q names neither the format nor the known ones", err)
	}
	if _, err := new(adapters.Set).For(""); !errors.As(err, &unknown) || !strings.Contains(err.Error(), "none is registered") {
		t.Errorf("zero set: %v", err)
	}
}

func TestNewSetRefuses(t *testing.T) {
	t.Parallel()
	var dup *adapters.DuplicateError
	if _, err := adapters.NewSet(named("a"), named("a")); !errors.As(err, &dup) || dup.Format != "a" {
		t.Errorf("two of one format: %v", err)
	}
	for name, a := range map[string]adapters.Adapter{"nil": nil, "typed nil": (*pointer)(nil), "no format": named("")} {
		if s, err := adapters.NewSet(named("a"), a); err == nil || !strings.Contains(err.Error(), "adapter 1 ") {
			t.Errorf("%s: got %v, %v; want an error that names adapter 1", name, s, err)
		}
	}
}

func call() *generator.Call {
	return &generator.Call{UseCase: model.UseCase{ID: "uc"}, Rows: []model.Row{{ID: "r1"}, {ID: "r2"}, {ID: "r3"}}}
}

func rec(row, json string) generator.Record { return generator.Record{Row: row, JSON: []byte(json)} }

func TestBatch(t *testing.T) {
	t.Parallel()
	ok := `{"test_case":{"id":"tc","name":"Где заказ?"},"examples":[]}`
	item := func(row string) model.Item {
		return model.Item{Row: row, TestCase: model.TestCase{ID: "tc", Name: "Где заказ?"}, Examples: []model.Example{}}
	}
	refusal := func(index int, row, check, reason string) model.Refusal {
		return model.Refusal{UseCaseID: "uc", Row: row, Check: check, Reason: reason, Index: index}
	}
	tests := []struct {
		name string
		recs []generator.Record
		want model.Batch
	}{
		{"none", nil, model.Batch{}},
		{"kept in order", []generator.Record{rec("r2", ok), rec("r1", ok)}, model.Batch{Items: []model.Item{item("r2"), item("r1")}}},
		{"a proposal", []generator.Record{rec("", ok), rec("", ok)}, model.Batch{Items: []model.Item{item(""), item("")}}},
		{"row inside", []generator.Record{rec("", `{"row":"r1",`+ok[1:])}, model.Batch{Items: []model.Item{item("r1")}}},
		{"same row inside", []generator.Record{rec("r1", `{"row":"r1",`+ok[1:])}, model.Batch{Items: []model.Item{item("r1")}}},
		{"unknown keys", []generator.Record{rec("r1", `{"extra":1,`+ok[1:])}, model.Batch{Items: []model.Item{item("r1")}}},
		{"malformed among good", []generator.Record{rec("r1", ok), rec("r2", `{"test_case":`), rec("r3", ok)}, model.Batch{
			Items:   []model.Item{item("r1"), item("r3")},
			Refused: []model.Refusal{refusal(1, "r2", "record", "record 1: it is no item: unexpected end of JSON input")},
		}},
		{"not an item", []generator.Record{rec("r1", " \n"), rec("r1", `[1]`), rec("r1", `{"examples":[]}`), rec("r1", `{"test_case":null}`), rec("r1", "{\"test_case\":{\"name\":\"\xff\"}}"), rec("r1", `{"test_case":{"parameters":{"a":[1]}}}`), rec("r1", ok+ok)}, model.Batch{
			Refused: []model.Refusal{
				refusal(0, "r1", "record", "record 0: it is empty; a record is the JSON of an item"),
				refusal(1, "r1", "record", "record 1: it is no JSON object"),
				refusal(2, "r1", "record", "record 2: it is no item: test_case is missing"),
				refusal(3, "r1", "record", "record 3: it is no item: test_case is missing"),
				refusal(4, "r1", "record", "record 4: it is not UTF-8"),
				refusal(5, "r1", "record", "record 5: it is no item: a parameter value must be a string, a number or a bool, not [1]"),
				refusal(6, "r1", "record", "record 6: it is no item: invalid character '{' after top-level value"),
			},
		}},
		{"a malformed record does not fill its row", []generator.Record{rec("r1", `{`), rec("r1", ok)}, model.Batch{
			Items:   []model.Item{item("r1")},
			Refused: []model.Refusal{refusal(0, "r1", "record", "record 0: it is no item: unexpected end of JSON input")},
		}},
		{"not dealt", []generator.Record{rec("r9", ok), rec("", `{"row":"r9",`+ok[1:])}, model.Batch{
			Refused: []model.Refusal{
				refusal(0, "r9", "row", `record 0 is for row "r9", which was not dealt to the call`),
				refusal(1, "r9", "row", `record 1 is for row "r9", which was not dealt to the call`),
			},
		}},
		{"twice", []generator.Record{rec("r1", ok), rec("r2", ok), rec("r1", ok)}, model.Batch{
			Items:   []model.Item{item("r1"), item("r2")},
			Refused: []model.Refusal{refusal(2, "r1", "row", `record 2 is for row "r1", which record 0 has filled`)},
		}},
		{"rows disagree", []generator.Record{rec("r1", `{"row":"r2",`+ok[1:])}, model.Batch{
			Refused: []model.Refusal{refusal(0, "r1", "row", `record 0 is for row "r1" and says row "r2" inside`)},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := adapters.Batch().Adapt(t.Context(), call(), &generator.Output{Format: generator.BatchFormat, Records: tt.recs})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBatchWithout(t *testing.T) {
	t.Parallel()
	ok := &generator.Output{Records: []generator.Record{rec("r1", `{"test_case":{}}`), rec("", `{"test_case":{}}`)}}
	for name, c := range map[string]*generator.Call{"no call": nil, "no rows": {}} {
		b, err := adapters.Batch().Adapt(t.Context(), c, ok)
		if err != nil || len(b.Items) != 1 || len(b.Refused) != 1 {
			t.Errorf("%s: got %+v, %v; want the proposal alone", name, b, err)
		}
	}
	if b, err := adapters.Batch().Adapt(t.Context(), call(), nil); err != nil || len(b.Items)+len(b.Refused) > 0 {
		t.Errorf("no output: %+v, %v", b, err)
	}
	var format *adapters.FormatError
	if _, err := adapters.Batch().Adapt(t.Context(), call(), &generator.Output{Format: "x"}); !errors.As(err, &format) {
		t.Errorf("another format: %v, want a *FormatError", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := adapters.Batch().Adapt(ctx, call(), ok); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func TestBatchOutputRoundTrip(t *testing.T) {
	t.Parallel()
	want := &model.Batch{Items: []model.Item{
		{Row: "r1", TestCase: model.TestCase{ID: "a", Name: "Wo ist <meine> Bestellung?", Parameters: map[string]model.Value{"n": model.Number(5), "s": model.String("x"), "b": model.Bool(true)}}},
		{TestCase: model.TestCase{ID: "b", Metadata: model.Metadata{Native: json.RawMessage(`{"golden":1}`)}}, Examples: []model.Example{{ID: "e"}}},
	}}
	got, err := adapters.Batch().Adapt(t.Context(), call(), generator.BatchOutput(want))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b model.Value) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzBatch: whatever the records are, each becomes an item or a refusal, no row
// is filled twice, and what is kept can be written and read again.
func FuzzBatch(f *testing.F) {
	for _, s := range []string{
		"", "{}", "null", "[]", `{"test_case":{}}`, `{"row":"r1","test_case":{"parameters":{"a":1e999}}}`,
		`{"test_case":{"id":"a","metadata":{"native":{"x":1}}},"examples":[{"input":{"messages":[]}}]}`, `{"TEST_CASE":{}}`, "{\"test_case\":{\"name\":\"\xff\"}}",
	} {
		f.Add("r1", []byte(s), "r2", []byte(`{"test_case":{"id":"tc"}}`))
		f.Add("r1", []byte(s), "r1", []byte(s))
		f.Add("", []byte(s), "r9", []byte(s))
	}
	f.Fuzz(func(t *testing.T, row1 string, json1 []byte, row2 string, json2 []byte) {
		out := &generator.Output{Records: []generator.Record{{Row: row1, JSON: json1}, {Row: row2, JSON: json2}}}
		b, err := adapters.Batch().Adapt(t.Context(), call(), out)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Items)+len(b.Refused) != len(out.Records) {
			t.Fatalf("%d records became %d items and %d refusals", len(out.Records), len(b.Items), len(b.Refused))
		}
		seen := map[string]bool{}
		for _, item := range b.Items {
			if item.Row != "" && (seen[item.Row] || !slices.ContainsFunc(call().Rows, func(r model.Row) bool { return r.ID == item.Row })) {
				t.Fatalf("row %q was not dealt, or is filled twice", item.Row)
			}
			seen[item.Row] = true
		}
		for _, r := range b.Refused {
			if r.Reason == "" || r.Check == "" {
				t.Fatalf("refusal without a reason: %+v", r)
			}
		}
		again, err := adapters.Batch().Adapt(t.Context(), call(), generator.BatchOutput(b))
		if err != nil || len(again.Items) != len(b.Items) {
			t.Fatalf("written and read again, %d items became %d (%v): %+v", len(b.Items), len(again.Items), err, again.Refused)
		}
	})
}

func ExampleSet_For() {
	set, err := adapters.NewSet(adapters.Batch())
	if err != nil {
		fmt.Println(err)
		return
	}
	adapter, err := set.For(generator.BatchFormat)
	fmt.Println(adapter.Format(), err)
	_, err = set.For("deepeval.golden")
	fmt.Println(err)
	// Output:
	// casebook.item <nil>
	// no adapter reads records of format "deepeval.golden"; register one, or use one of: casebook.item
}

func ExampleBatch() {
	call := &generator.Call{Rows: []model.Row{{ID: "row_1"}}}
	out := &generator.Output{Format: generator.BatchFormat, Records: []generator.Record{
		{Row: "row_1", JSON: json.RawMessage(`{"test_case": {"name": "A late order"}, "examples": []}`)},
		{Row: "row_2", JSON: json.RawMessage(`{"test_case": {"name": "Another"}, "examples": []}`)},
	}}
	batch, err := adapters.Batch().Adapt(context.Background(), call, out)
	fmt.Println(batch.Items[0].Row, batch.Items[0].TestCase.Name, err)
	fmt.Println(batch.Refused[0].Reason)
	// Output:
	// row_1 A late order <nil>
	// record 1 is for row "row_2", which was not dealt to the call
}
