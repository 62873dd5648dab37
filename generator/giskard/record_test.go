package giskard_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/giskard"
)

func TestQuestionJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		q    giskard.Question
		want string
	}{
		{"zero", giskard.Question{}, `{"id":"","question":"","reference_answer":"","reference_context":"","conversation_history":[],"metadata":{}}`},
		{
			"simple",
			giskard.Question{ID: "a1", Question: "<Где>?", ReferenceAnswer: "r", ReferenceContext: "Document 12: c", Metadata: giskard.Metadata{QuestionType: "simple", SeedDocumentID: "12", Topic: "T"}},
			`{"id":"a1","question":"<Где>?","reference_answer":"r","reference_context":"Document 12: c","conversation_history":[],"metadata":{"question_type":"simple","seed_document_id":12,"topic":"T"}}`,
		},
		{
			"double",
			giskard.Question{ID: "b", Metadata: giskard.Metadata{QuestionType: "double", OriginalQuestions: []giskard.QuestionPair{{"q1", "a1"}, {"q2", "a2"}}, SeedDocumentID: "007", Topic: "T"}},
			`{"id":"b","question":"","reference_answer":"","reference_context":"","conversation_history":[],"metadata":{"question_type":"double","original_questions":[{"question":"q1","answer":"a1"},{"question":"q2","answer":"a2"}],"seed_document_id":"007","topic":"T"}}`,
		},
		{
			"conversational",
			giskard.Question{ID: "c", ConversationHistory: []giskard.Message{{Role: "user", Content: "u"}, {Role: "assistant", Content: "a"}}, Metadata: giskard.Metadata{DistractingContext: "d", SituationalContext: "s", FakeFact: "f"}},
			`{"id":"c","question":"","reference_answer":"","reference_context":"","conversation_history":[{"role":"user","content":"u"},{"role":"assistant","content":"a"}],"metadata":{"distracting_context":"d","situational_context":"s","fake_fact":"f"}}`,
		},
	}
	for _, tt := range tests {
		got, err := tt.q.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		back, err := giskard.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.q, *back); diff != "" {
			t.Errorf("%s, read again (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestQuestionParse: what Giskard's loader and its DataFrames made of the
// records is read, and what no field takes is kept.
func TestQuestionParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     giskard.Question
	}{
		{
			"digits", `{"id":12,"question":34,"reference_answer":5.0,"metadata":{"seed_document_id":"7"}}`,
			giskard.Question{ID: "12", Question: "34", ReferenceAnswer: "5.0", Metadata: giskard.Metadata{SeedDocumentID: "7"}},
		},
		{"null history", `{"question":"a","conversation_history":null,"metadata":null,"correctness":null}`, giskard.Question{Question: "a"}},
		{
			"cells", `{"question":"a","conversation_history":"[{'role': 'user', 'content': \"it's\"}]","metadata":"{'question_type': 'double', 'original_questions': [{'answer': 'a', 'question': 'q'}]}"}`,
			giskard.Question{
				Question: "a", ConversationHistory: []giskard.Message{{Role: "user", Content: "it's"}},
				Metadata: giskard.Metadata{QuestionType: "double", OriginalQuestions: []giskard.QuestionPair{{"q", "a"}}},
			},
		},
		{
			"to_dataset", `{"question":"a","conversation_history":"[]","metadata":"{\"topic\": \"T\", \"own\": [1, 2]}"}`,
			giskard.Question{Question: "a", Metadata: giskard.Metadata{Topic: "T", Extra: map[string]json.RawMessage{"own": json.RawMessage(`[1,2]`)}}},
		},
		{
			"answered", `{"question":"a","agent_answer":"x","correctness":false}`,
			giskard.Question{Question: "a", Extra: map[string]json.RawMessage{"agent_answer": json.RawMessage(`"x"`), "correctness": json.RawMessage(`false`)}},
		},
		{
			"other types", `{"question":{"q":1},"reference_answer":["a"],"metadata":["m"],"conversation_history":{"h":1}}`,
			giskard.Question{Extra: map[string]json.RawMessage{
				"question": json.RawMessage(`{"q":1}`), "reference_answer": json.RawMessage(`["a"]`), "metadata": json.RawMessage(`["m"]`), "conversation_history": json.RawMessage(`{"h":1}`),
			}},
		},
	}
	for _, tt := range tests {
		got, err := giskard.Parse([]byte(tt.in))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		once, err := got.JSON()
		if err != nil {
			t.Fatal(err)
		}
		var again giskard.Question
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatal(err)
		}
		if twice, err := again.JSON(); err != nil || string(twice) != string(once) {
			t.Errorf("%s: written %s, then %s (%v)", tt.name, once, twice, err)
		}
	}
}

func ExampleParse() {
	q, err := giskard.Parse([]byte(`{"question": "How long?", "metadata": "{'question_type': 'simple', 'seed_document_id': 12}"}`))
	fmt.Println(q.Question, q.Metadata.QuestionType, q.Metadata.SeedDocumentID, err)
	// Output: How long? simple 12 <nil>
}
