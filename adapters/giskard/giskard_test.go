package giskard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/giskard"
	"github.com/casebook-go/casebook/generator"
	question "github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/model"
)

func adapt(tb testing.TB, o giskard.Options, call *generator.Call, recs ...generator.Record) *model.Batch {
	tb.Helper()
	b, err := giskard.New(o).Adapt(tb.Context(), call, &generator.Output{Format: question.Format, Records: recs})
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

const conversational = `{"question":"And how long?","reference_answer":"b","conversation_history":[{"role":"user","content":"My parcel has a warranty."},{"role":"assistant","content":"How can I help you with that?"}],"metadata":{"question_type":"conversational","topic":"Warranty"}}`

func TestAdaptForeign(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		o    giskard.Options
		json string
		want string
	}{
		{"simple", giskard.Options{}, `{"id":"x","question":"a","reference_answer":"b","metadata":{"question_type":"simple","topic":"T","seed_document_id":4}}`, "a -> b map[question_type:simple topic:T]"},
		{"no metadata", giskard.Options{}, `{"question":"a","reference_answer":"b"}`, "a -> b map[]"},
		{"texts for objects", giskard.Options{}, `{"question":"a","reference_answer":"b","conversation_history":"[]","metadata":"{\"question_type\": \"own type\"}"}`, "a -> b map[question_type:own type]"},
		{"digits", giskard.Options{}, `{"id":1,"question":12345678901234567890,"reference_answer":7.0}`, "12345678901234567890 -> 7.0 map[]"},
		{"history", giskard.Options{}, conversational, "My parcel has a warranty.\nAnd how long? -> b map[question_type:conversational topic:Warranty]"},
		{"history refused", giskard.Options{RefuseHistory: true}, conversational, "history: record 0: it has a history of 2 turns, and an example has one message"},
		{"history without a question", giskard.Options{}, strings.Replace(conversational, "And how long?", " ", 1), "input: record 0: it has no input"},
		{"out of scope", giskard.Options{}, `{"question":"a","reference_answer":"b","metadata":{"question_type":"out of scope"}}`, "a -> b map[question_type:out of scope]"},
		{"out of scope in its language", giskard.Options{OutOfScope: "Об этом я ничего не знаю."}, `{"question":"a","reference_answer":"b","metadata":{"question_type":"out of scope"}}`, "a -> Об этом я ничего не знаю. map[question_type:out of scope]"},
		{"question is an object", giskard.Options{}, `{"question":{"q":1},"reference_answer":"b"}`, "record: record 0: question is an object, which cannot be read as one"},
		{"answer is a list", giskard.Options{}, `{"question":"a","reference_answer":["b"]}`, "record: record 0: reference_answer is a list, which cannot be read as one"},
		{"no answer", giskard.Options{}, `{"question":"a","reference_answer":null}`, "expected_output: record 0: it has no expected output"},
	}
	for _, tt := range tests {
		b := adapt(t, tt.o, nil, generator.Record{JSON: json.RawMessage(tt.json)})
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
}

// TestAdaptRun: our own refusal of a question out of scope is not replaced.
func TestAdaptRun(t *testing.T) {
	t.Parallel()
	q := &question.Question{ID: "q1", Question: "Verleiht ihr Boote?", ReferenceAnswer: "Nein, nur Räder."}
	q.Metadata.QuestionType, q.Metadata.Topic, q.Metadata.SeedDocumentID = "out of scope", "Verleih", "3"
	native, err := q.JSON()
	if err != nil {
		t.Fatal(err)
	}
	call := &generator.Call{Rows: []model.Row{{ID: "r", Format: model.SingleTurnQA, PolicyIDs: []string{"pol_a"}}}}
	rec := generator.Record{Row: "r", JSON: native, Notes: &generator.Notes{Name: "N", PolicyIDs: []string{"pol_a"}}}
	b := adapt(t, giskard.Options{OutOfScope: "weiß nicht"}, call, rec)
	if len(b.Items) != 1 {
		t.Fatalf("%+v", b)
	}
	ex := b.Items[0].Examples[0]
	if ex.ExpectedOutput != "Nein, nur Räder." || string(ex.Metadata.Native) != string(native) || b.Items[0].TestCase.Parameters["topic"] != model.String("Verleih") {
		t.Errorf("got %+v", b.Items[0])
	}
}

func TestContexts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, context, seed string
		want                []string
	}{
		{"one", "Document 12: Two years.", "12", []string{"Two years."}},
		{"several", "Document 12: a\n\nb\n\nDocument 7: c", "7", []string{"a\n\nb", "c"}},
		{"named ids", "Document x: a\n\nDocument faq-7: b", "faq-7", []string{"a", "b"}},
		{"what only looks like one", "Document 1: a\n\nDocument names: all of them", "1", []string{"a\n\nDocument names: all of them"}},
		{"no document", "Returns within 14 days.", "", []string{"Returns within 14 days."}},
		{"none", " ", "", nil},
	}
	for _, tt := range tests {
		q := &question.Question{Question: "q", ReferenceContext: tt.context}
		q.Metadata.SeedDocumentID = tt.seed
		b, err := q.JSON()
		if err != nil {
			t.Fatal(err)
		}
		got, err := giskard.New(giskard.Options{}).Contexts(generator.Record{JSON: b})
		if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", tt.name, err, diff)
		}
	}
}

// TestEncode: what Giskard's loader and report stumble over is not written.
func TestEncode(t *testing.T) {
	t.Parallel()
	var got bytes.Buffer
	err := giskard.New(giskard.Options{}).Encode(&got, []generator.Record{
		{JSON: json.RawMessage(`{"id":"77","question":"a","reference_answer":"b"}`)},
		{JSON: json.RawMessage(`{"question":"<где>","reference_answer":"b","metadata":{"topic":"T","seed_document_id":"007","own":1},"correctness":false,"agent_answer":"x"}`)},
	})
	want := `{"id":"q_77","question":"a","reference_answer":"b","reference_context":"","conversation_history":[],"metadata":{"question_type":"simple","topic":"Others"}}
{"id":"q_9cf0176e054f","question":"<где>","reference_answer":"b","reference_context":"","conversation_history":[],"metadata":{"question_type":"simple","seed_document_id":"007","topic":"T","own":1},"agent_answer":"x","correctness":false}
`
	if diff := cmp.Diff(want, got.String()); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// FuzzDecode: whatever the file is, what is read from it can be written, and is
// the same when it was written once and read again.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"testset_tea_shop_ru.csv", "testset_bike_rental_en.jsonl", "testset_tea_shop_ru_records.json"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"id":1,"question":{},"reference_answer":1e5,"conversation_history":[1],"metadata":["x"],"correctness":null}`))
	f.Add([]byte(`{"question":"q","reference_context":"Document 1: ","metadata":{"original_questions":[{"question":1}],"seed_document_id":{"a":1}}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		x := giskard.New(giskard.Options{})
		c, err := adapters.Read(x, bytes.NewReader(b))
		if err != nil || len(c.Records) == 0 {
			return
		}
		var last string
		for i := range 3 {
			var buf bytes.Buffer
			if err := x.Encode(&buf, c.Records); err != nil {
				t.Fatal(err)
			}
			if i > 0 && buf.String() != last {
				t.Fatalf("written again (-want +got):\n%s", cmp.Diff(last, buf.String()))
			}
			last = buf.String()
			if c, err = adapters.Read(x, &buf); err != nil || len(c.Refused) > 0 {
				t.Fatalf("%v, %v: %s", err, c, last)
			}
		}
		if batch, err := x.Adapt(t.Context(), nil, &generator.Output{Records: c.Records}); err != nil || len(batch.Items)+len(batch.Refused) != len(c.Records) {
			t.Fatalf("%d records: %+v, %v", len(c.Records), batch, err)
		}
		for _, rec := range c.Records {
			if _, err := x.Contexts(rec); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func Example() {
	x := giskard.New(giskard.Options{})
	contents, err := adapters.Read(x, strings.NewReader(conversational))
	if err != nil {
		fmt.Println(err)
		return
	}
	batch, err := x.Adapt(context.Background(), nil, &generator.Output{Format: x.Format(), Records: contents.Records})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(batch.Items[0].Examples[0].Input.Messages[0].Content)
	// Output:
	// My parcel has a warranty.
	// And how long?
}
