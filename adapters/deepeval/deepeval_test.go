package deepeval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/deepeval"
	"github.com/casebook-go/casebook/generator"
	golden "github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/model"
)

var values = cmp.Comparer(func(a, b model.Value) bool { return a == b })

func record(tb testing.TB, g *golden.Golden) generator.Record {
	tb.Helper()
	b, err := g.JSON()
	if err != nil {
		tb.Fatal(err)
	}
	return generator.Record{JSON: b}
}

func adapt(tb testing.TB, o deepeval.Options, call *generator.Call, recs ...generator.Record) *model.Batch {
	tb.Helper()
	b, err := deepeval.New(o).Adapt(tb.Context(), call, &generator.Output{Format: golden.Format, Records: recs})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestAdaptRun: the record of a run becomes the item of its row, with what the
// method varied as a parameter.
func TestAdaptRun(t *testing.T) {
	t.Parallel()
	quality := 0.8
	row := model.Row{
		ID: "row_1", Parameters: map[string]model.Value{"tone": model.String("calm")}, Axes: []string{"tone", "length"},
		PolicyIDs: []string{"pol_a", "pol_b"}, Format: model.SingleTurnQA, Examples: 2,
	}
	ticket := model.Row{ID: "row_2", Given: []model.Message{{Role: "user", Content: "где мой заказ??"}}, PolicyIDs: []string{"pol_a"}, Format: model.SingleTurnQA}
	empty := model.Row{ID: "row_3", Corner: "empty", PolicyIDs: []string{"pol_a"}, Format: model.SingleTurnQA}
	call := &generator.Call{UseCase: model.UseCase{ID: "uc"}, Rows: []model.Row{row, ticket, empty}}
	rec := record(t, &golden.Golden{
		Input: "Kann ich die Schuhe zurückgeben?", ExpectedOutput: " Ja, innerhalb von 14 Tagen. ", Context: []string{"c"},
		Metadata: &golden.Metadata{Evolutions: []string{"Reasoning", "Comparative"}, InputQuality: &quality},
	})
	rec.Row = "row_1"
	rec.Notes = &generator.Notes{
		Name: "Rückgabe", Description: "Jemand will Schuhe zurückgeben", Criteria: []string{"a", " a", "", "b", "c"},
		PolicyIDs: []string{"pol_a"}, Shown: map[string]string{"mood": "Kann ich"},
	}
	second := rec
	second.JSON = bytes.Replace(rec.JSON, []byte("Schuhe"), []byte("Hosen"), 1)
	third := rec
	given := record(t, &golden.Golden{ExpectedOutput: "Назовите номер."})
	given.Row, given.Notes = "row_2", &generator.Notes{Name: "Т"}
	blank := record(t, &golden.Golden{ExpectedOutput: "Чем помочь?"})
	blank.Row, blank.Notes = "row_3", &generator.Notes{Name: "П"}
	stray := rec
	stray.Row = "row_9"

	got := adapt(t, deepeval.Options{}, call, rec, given, second, third, stray, blank)
	example := func(in, out string, rec generator.Record) model.Example {
		return model.Example{
			Format: model.SingleTurnQA, Input: model.Input{Messages: []model.Message{{Role: "user", Content: in}}}, ExpectedOutput: out,
			Metadata: model.Metadata{Native: rec.JSON},
		}
	}
	one, two := example("Kann ich die Schuhe zurückgeben?", "Ja, innerhalb von 14 Tagen.", rec), example("Kann ich die Hosen zurückgeben?", "Ja, innerhalb von 14 Tagen.", second)
	for _, ex := range []*model.Example{&one, &two} {
		ex.EvaluationCriteria, ex.PolicyIDs, ex.Metadata.Shown = []string{"a", "b", "c"}, []string{"pol_a"}, map[string]string{"mood": "Kann ich"}
	}
	want := &model.Batch{
		Items: []model.Item{
			{Row: "row_1", TestCase: model.TestCase{
				Name: "Rückgabe", Description: "Jemand will Schuhe zurückgeben", Axes: []string{"tone", "length"}, PolicyIDs: []string{"pol_a", "pol_b"},
				Parameters: map[string]model.Value{"tone": model.String("calm"), "evolution": model.String("Reasoning + Comparative")},
			}, Examples: []model.Example{one, two}},
			{Row: "row_2", TestCase: model.TestCase{Name: "Т", PolicyIDs: []string{"pol_a"}}, Examples: []model.Example{example("где мой заказ??", "Назовите номер.", given)}},
			{Row: "row_3", TestCase: model.TestCase{Name: "П", PolicyIDs: []string{"pol_a"}}, Examples: []model.Example{example("", "Чем помочь?", blank)}},
		},
		Refused: []model.Refusal{
			{UseCaseID: "uc", Row: "row_1", Check: adapters.CheckRow, Reason: `record 3: row "row_1" has its 2 examples`, Index: 3},
			{UseCaseID: "uc", Row: "row_9", Check: adapters.CheckRow, Reason: `record 4: it is for row "row_9", which was not dealt to the call`, Index: 4},
		},
	}
	if diff := cmp.Diff(want, got, values); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAdaptForeign: a record without notes becomes an item without place, or is
// refused with its index and the reason.
func TestAdaptForeign(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, json, want string }{
		{"golden", `{"input":"a","expected_output":"b","name":"N"}`, "N: a -> b"},
		{"null input", `{"input":null,"expected_output":"b"}`, "input: record 0: it has no input"},
		{"blank input", `{"input":" \n","expected_output":"b"}`, "input: record 0: it has no input"},
		{"null output", `{"input":"a","expected_output":null}`, "expected_output: record 0: it has no expected output"},
		{"input is an object", `{"input":{"x":1},"expected_output":"b"}`, "record: record 0: input is an object, not a text"},
		{"output is a list", `{"input":"a","expected_output":["b"]}`, "record: record 0: expected_output is a list, not a text"},
		{"no golden", `[]`, "record: record 0: it is no golden: it is a list, not an object"},
		{"digits", `{"input":12,"expected_output":true}`, ": 12 -> True"},
		{"scenario", `{"scenario":"S","expected_outcome":"b"}`, "scenario: record 0: it is a scenario without turns; a model is needed to write the opening message"},
		{"scenario with turns", `{"scenario":"S","expected_outcome":"b","turns":[{"role":"assistant","content":"hi"},{"role":"user","content":"a"}]}`, "(S): a -> b"},
		{"turns as a text", `{"scenario":"S","expected_outcome":"b","turns":"[{'role': 'user', 'content': 'a'}]"}`, "(S): a -> b"},
	}
	for _, tt := range tests {
		b := adapt(t, deepeval.Options{}, nil, generator.Record{JSON: json.RawMessage(tt.json)})
		var got string
		switch {
		case len(b.Items) == 1:
			tc, ex := b.Items[0].TestCase, b.Items[0].Examples[0]
			got = tc.Name
			if tc.Description != "" {
				got = "(" + tc.Description + ")"
			}
			got += ": " + ex.Input.Messages[0].Content + " -> " + ex.ExpectedOutput
		case len(b.Refused) == 1:
			got = b.Refused[0].Check + ": " + b.Refused[0].Reason
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestScenariosOpened: the messages of all scenarios without turns are asked for
// at once; the scenario itself is kept.
func TestScenariosOpened(t *testing.T) {
	t.Parallel()
	scenario := func(s string) generator.Record {
		return record(t, &golden.Golden{Scenario: s, ExpectedOutcome: "erfährt " + s})
	}
	recs := []generator.Record{scenario("eins"), record(t, &golden.Golden{Input: "a", ExpectedOutput: "b"}), scenario("zwei"), scenario("drei"), scenario("vier")}
	calls := 0
	o := deepeval.Options{Open: func(_ context.Context, gs []*golden.Golden) ([]deepeval.Opening, error) {
		calls++
		if len(gs) != 4 || gs[1].Scenario != "zwei" {
			t.Errorf("asked for %v", gs)
		}
		return []deepeval.Opening{{Message: "Ich bin eins", Reply: "Gern."}, {Message: "Ich bin zwei"}, {Err: errors.New("no words")}}, nil
	}}
	b := adapt(t, o, nil, recs...)
	var got []string
	for _, item := range b.Items {
		got = append(got, item.Examples[0].Input.Messages[0].Content+" -> "+item.Examples[0].ExpectedOutput)
	}
	for _, r := range b.Refused {
		got = append(got, r.Reason)
	}
	want := []string{
		"Ich bin eins -> Gern.", "a -> b", "Ich bin zwei -> erfährt zwei",
		"record 3: it is a scenario without turns, and its opening message could not be written: no words",
		"record 4: it is a scenario without turns; a model is needed to write the opening message",
	}
	if diff := cmp.Diff(want, got); diff != "" || calls != 1 {
		t.Errorf("%d calls (-want +got):\n%s", calls, diff)
	}
	back, err := deepeval.New(o).FromDataset(&model.Dataset{Examples: b.Items[0].Examples})
	if err != nil {
		t.Fatal(err)
	}
	var g golden.Golden
	if err := json.Unmarshal(back[0].JSON, &g); err != nil || g.Scenario != "eins" || g.ExpectedOutcome != "erfährt eins" || g.Input != "" || g.Turns != nil {
		t.Errorf("the scenario became %s (%v)", back[0].JSON, err)
	}
	o.Open = func(context.Context, []*golden.Golden) ([]deepeval.Opening, error) {
		return nil, errors.New("the model is down")
	}
	if b := adapt(t, o, nil, recs...); len(b.Items) != 1 || len(b.Refused) != 4 || !strings.Contains(b.Refused[0].Reason, "the model is down") {
		t.Errorf("with a failing model: %+v", b)
	}
}

func TestAdaptRefusesOtherFormats(t *testing.T) {
	t.Parallel()
	x := deepeval.New(deepeval.Options{})
	var format *adapters.FormatError
	if _, err := x.Adapt(t.Context(), nil, &generator.Output{Format: "ragas.sample"}); !errors.As(err, &format) {
		t.Errorf("another format: %v, want a *FormatError", err)
	}
	if b, err := x.Adapt(t.Context(), nil, nil); err != nil || len(b.Items)+len(b.Refused) > 0 {
		t.Errorf("no output: %+v, %v", b, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := x.Adapt(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func texts(c *adapters.Contents) string {
	var b strings.Builder
	for _, rec := range c.Records {
		b.Write(rec.JSON)
		b.WriteByte('\n')
	}
	return b.String()
}

// FuzzDecode: whatever the file is, what is read from it can be written, and is
// the same when it is read again.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"goldens_tea_shop_ru.csv", "dataset_tea_shop_ru.jsonl", "pandas_bike_rental_en.csv", "conversational_bike_rental_en.json"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"input":"a","turns":[{"role":1}],"additional_metadata":"{'evolutions': 'x', 'casebook': 1}","context":{"a":1},"toolsCalled":[]}`))
	f.Add([]byte(`{"scenario":" ","input":[],"persona":{"a":NaN},"images_mapping":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, x := range []adapters.Framework{deepeval.New(deepeval.Options{}), deepeval.New(deepeval.Options{Lines: true})} {
			c, err := adapters.Read(x, bytes.NewReader(b))
			if err != nil || len(c.Records) == 0 {
				return
			}
			var buf bytes.Buffer
			if err := x.Encode(&buf, c.Records); err != nil {
				t.Fatal(err)
			}
			again, err := adapters.Read(x, &buf)
			if err != nil {
				t.Fatal(err)
			}
			if want, got := texts(c), texts(again); want != got {
				t.Fatalf("read again (-want +got):\n%s", cmp.Diff(want, got))
			}
			if batch, err := x.Adapt(t.Context(), nil, &generator.Output{Records: c.Records}); err != nil || len(batch.Items)+len(batch.Refused) != len(c.Records) {
				t.Fatalf("%d records: %+v, %v", len(c.Records), batch, err)
			}
		}
	})
}

func Example() {
	file := `[{"input": "Can I return worn shoes?", "expected_output": "No, only unworn ones.", "context": ["Worn shoes are not taken back."]}]`
	x := deepeval.New(deepeval.Options{})
	contents, err := adapters.Read(x, strings.NewReader(file))
	if err != nil {
		fmt.Println(err)
		return
	}
	batch, err := x.Adapt(context.Background(), nil, &generator.Output{Format: x.Format(), Records: contents.Records})
	if err != nil {
		fmt.Println(err)
		return
	}
	ex := batch.Items[0].Examples[0]
	fmt.Println(ex.Input.Messages[0].Content)
	fmt.Println(ex.ExpectedOutput)
	// Output:
	// Can I return worn shoes?
	// No, only unworn ones.
}
