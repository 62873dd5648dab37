package ragas_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/ragas"
	"github.com/casebook-go/casebook/generator"
	sample "github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/model"
)

func adapt(tb testing.TB, o ragas.Options, call *generator.Call, recs ...generator.Record) *model.Batch {
	tb.Helper()
	b, err := ragas.New(o).Adapt(tb.Context(), call, &generator.Output{Format: sample.Format, Records: recs})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestAdaptForeign: what each release wrote becomes the message, the expected
// output and the parameters; else it is refused with its index and the reason.
func TestAdaptForeign(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, json, want string }{
		{
			"single hop", `{"user_input":"a","reference_contexts":["c"],"reference":"b","persona_name":"Buyer","query_style":"POOR_GRAMMAR","query_length":"SHORT","synthesizer_name":"single_hop_specific_query_synthesizer"}`,
			"a -> b map[hops:1 persona:Buyer query_length:SHORT query_style:POOR_GRAMMAR synthesizer:single_hop_specific]",
		},
		{
			"multi hop", `{"user_input":"a","reference_contexts":["<1-hop>\n\nc","<2-hop>\n\nd"],"reference":"b","synthesizer_name":"multi_hop_abstract_query_synthesizer"}`,
			"a -> b map[hops:2 synthesizer:multi_hop_abstract]",
		},
		{
			"values for names, misspelt", `{"user_input":"a","reference":"b","query_style":"Misspelled queries","query_length":"QueryLength.LONG","synthesizer_name":"single_hop_specifc_query_synthesizer"}`,
			"a -> b map[hops:1 query_length:LONG query_style:MISSPELLED synthesizer:single_hop_specific]",
		},
		{
			"release 0.2.0", `{"user_input":"a","reference_contexts":["c","d","e"],"reference":"b","synthesizer_name":"AbstractQuerySynthesizer"}`,
			"a -> b map[hops:3 synthesizer:AbstractQuerySynthesizer]",
		},
		{"release 0.1", `{"question":"a","contexts":["c"],"ground_truth":"b","evolution_type":"multi_context","metadata":[{"source":"f"}],"episode_done":true}`, "a -> b map[evolution:multi_context]"},
		{"release 0.0", `{"question":"a","ground_truth_context":["c"],"ground_truth":["b1","b2"],"question_type":"conditional","episode_done":false}`, "a -> b1\nb2 map[question_type:conditional]"},
		{"turns", `{"user_input":[{"content":"a","type":"human"},{"content":"x","type":"ai"},{"content":"r","type":"tool"},{"content":"and a","type":"human"}],"reference":"b"}`, "a\nand a -> b map[]"},
		{"no question", `{"reference":"b"}`, "input: record 0: it has no input"},
		{"no reference", `{"user_input":"a"}`, "expected_output: record 0: it has no expected output"},
		{"question is an object", `{"user_input":{"a":1},"reference":"b"}`, "record: record 0: user_input is an object, not a text"},
		{"no object", `3`, "record: record 0: it is no sample: it is a number, not an object"},
	}
	for _, tt := range tests {
		b := adapt(t, ragas.Options{}, nil, generator.Record{JSON: json.RawMessage(tt.json)})
		var got string
		switch {
		case len(b.Items) == 1:
			ex := b.Items[0].Examples[0]
			got = fmt.Sprintf("%s -> %s %v", ex.Input.Messages[0].Content, ex.ExpectedOutput, b.Items[0].TestCase.Parameters)
		case len(b.Refused) == 1:
			got = b.Refused[0].Check + ": " + b.Refused[0].Reason
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	b := adapt(t, ragas.Options{RefuseTurns: true}, nil, generator.Record{JSON: json.RawMessage(tests[6].json)})
	if len(b.Refused) != 1 || b.Refused[0].Check != ragas.CheckHistory {
		t.Errorf("turns refused by option: %+v", b)
	}
}

// TestAdaptRun: what the method varied stands beside the planned parameters.
func TestAdaptRun(t *testing.T) {
	t.Parallel()
	row := model.Row{ID: "r", Parameters: map[string]model.Value{"tone": model.String("rude")}, Axes: []string{"tone"}, PolicyIDs: []string{"pol_a"}, Format: model.SingleTurnQA}
	s := &sample.Sample{UserInput: "დრო რამდენია?", Reference: "ორი დღე.", ReferenceContexts: []string{sample.Tag(1, "c"), sample.Tag(2, "d")}, PersonaName: "მყიდველი", SynthesizerName: "multi_hop_specific_query_synthesizer"}
	native, err := s.JSON()
	if err != nil {
		t.Fatal(err)
	}
	rec := generator.Record{Row: "r", JSON: native, Notes: &generator.Notes{Name: "N", Description: "D", Criteria: []string{"x", "y", "z"}, PolicyIDs: []string{"pol_a"}}}
	got := adapt(t, ragas.Options{}, &generator.Call{Rows: []model.Row{row}}, rec)
	want := &model.Batch{Items: []model.Item{{
		Row: "r",
		TestCase: model.TestCase{
			Name: "N", Description: "D", Axes: []string{"tone"}, PolicyIDs: []string{"pol_a"},
			Parameters: map[string]model.Value{
				"tone": model.String("rude"), "persona": model.String("მყიდველი"), "hops": model.Number(2), "synthesizer": model.String("multi_hop_specific"),
			},
		},
		Examples: []model.Example{{
			Format: model.SingleTurnQA, Input: model.Input{Messages: []model.Message{{Role: "user", Content: "დრო რამდენია?"}}}, ExpectedOutput: "ორი დღე.",
			EvaluationCriteria: []string{"x", "y", "z"}, PolicyIDs: []string{"pol_a"}, Metadata: model.Metadata{Native: native},
		}},
	}}}
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b model.Value) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestContexts(t *testing.T) {
	t.Parallel()
	got, err := ragas.New(ragas.Options{}).Contexts(generator.Record{JSON: json.RawMessage(`{"user_input":"a","reference_contexts":["<1-hop>\n\nc","<12-hop>\n\n\nd","<x-hop> e"]}`)})
	if diff := cmp.Diff([]string{"c", "\nd", "<x-hop> e"}, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// TestSide: lines of the side file find their records by the question, and those
// of edited questions by place and answer; what belongs to nobody stays away.
func TestSide(t *testing.T) {
	t.Parallel()
	x := ragas.New(ragas.Options{})
	line := func(q, a, casebook string) generator.Record {
		return generator.Record{JSON: json.RawMessage(fmt.Sprintf(`{"user_input":%q,"reference":%q,"casebook":{"n":%q}}`, q, a, casebook))}
	}
	var side bytes.Buffer
	if err := x.EncodeSide(&side, []generator.Record{line("same", "1", "first"), line("same", "2", "second"), line("b", "3", "third"), line("c", "4", "fourth")}); err != nil {
		t.Fatal(err)
	}
	bare := func(q, a string) generator.Record {
		return generator.Record{JSON: json.RawMessage(fmt.Sprintf(`{"user_input":%q,"reference":%q}`, q, a))}
	}
	recs := []generator.Record{bare("c", "4"), bare("same", "1"), bare("edited", "3"), bare("same", "2"), bare("foreign", "4"), {JSON: json.RawMessage(`[`)}}
	before := slices.Clone(recs)
	got, err := x.JoinSide(recs, bytes.NewReader(side.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, rec := range got {
		var fields struct{ Casebook struct{ N string } }
		_ = json.Unmarshal(rec.JSON, &fields)
		names = append(names, fields.Casebook.N)
	}
	if diff := cmp.Diff([]string{"fourth", "first", "third", "second", "", ""}, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, recs); diff != "" {
		t.Errorf("the records given were changed (-want +got):\n%s", diff)
	}
	for _, broken := range []string{"{", `{"record":0}`, "\n\n[]"} {
		if _, err := x.JoinSide(recs, strings.NewReader(broken)); err == nil || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %v, want an error with the line", broken, err)
		}
	}
}

// FuzzDecode: whatever the file is, what is read from it can be written, and is
// the same when it is read again.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"chunks_tea_shop_ru.csv", "docs_bike_rental_en.jsonl", "chunks_bike_rental_en_evaluation.csv"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"user_input":[{"content":1,"type":"human"}],"rubrics":"{'a': 1}","contexts":"[1]","ground_truth":"['a']"}`))
	f.Add([]byte("question,contexts,ground_truth\na,\"['<1-hop>\\n\\nx']\",\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		x := ragas.New(ragas.Options{})
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
		if want, got := texts(c), texts(again); want != got && !strings.Contains(want, `"casebook"`) {
			t.Fatalf("read again (-want +got):\n%s", cmp.Diff(want, got))
		}
		if batch, err := x.Adapt(t.Context(), nil, &generator.Output{Records: c.Records}); err != nil || len(batch.Items)+len(batch.Refused) != len(c.Records) {
			t.Fatalf("%d records: %+v, %v", len(c.Records), batch, err)
		}
		if _, err := x.JoinSide(c.Records, bytes.NewReader(b)); err == nil && bytes.Contains(b, []byte("casebook")) {
			_ = x.EncodeSide(&buf, c.Records)
		}
	})
}

func texts(c *adapters.Contents) string {
	var b strings.Builder
	for _, rec := range c.Records {
		b.Write(rec.JSON)
		b.WriteByte('\n')
	}
	return b.String()
}

func Example() {
	x := ragas.New(ragas.Options{})
	d := &model.Dataset{Examples: []model.Example{{
		ID: "ex_late", Input: model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: "Where is my parcel?"}}},
		ExpectedOutput: "Please give me the order number.",
	}}}
	recs, err := x.FromDataset(d)
	if err != nil {
		fmt.Println(err)
		return
	}
	var file, side bytes.Buffer
	if err := x.Encode(&file, recs); err != nil {
		fmt.Println(err)
		return
	}
	if err := x.EncodeSide(&side, recs); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(file.String())

	contents, err := adapters.Read(x, &file)
	if err != nil {
		fmt.Println(err)
		return
	}
	joined, err := x.JoinSide(contents.Records, &side)
	if err != nil {
		fmt.Println(err)
		return
	}
	back, foreign, refused := adapters.Restore(x, joined)
	fmt.Println(back.Examples[0].ID, len(foreign), len(refused))
	// Output:
	// {"user_input": "Where is my parcel?", "reference": "Please give me the order number.", "synthesizer_name": "casebook"}
	// ex_late 0 0
}
