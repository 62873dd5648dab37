package ragas_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/ragas"
)

func TestSampleJSON(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		s    ragas.Sample
		want string
	}{
		{"zero", ragas.Sample{}, `{"user_input":""}`},
		{"single hop", ragas.Sample{
			UserInput: "a <b>", ReferenceContexts: []string{"c"}, Reference: "r", PersonaName: "Käuferin", QueryStyle: "POOR_GRAMMAR", QueryLength: "SHORT",
			SynthesizerName: "single_hop_specific_query_synthesizer",
		}, `{"user_input":"a <b>","reference_contexts":["c"],"reference":"r","persona_name":"Käuferin","query_style":"POOR_GRAMMAR","query_length":"SHORT","synthesizer_name":"single_hop_specific_query_synthesizer"}`},
		{
			"multi hop",
			ragas.Sample{UserInput: "a", ReferenceContexts: []string{ragas.Tag(1, "c"), ragas.Tag(2, "d")}, Reference: "r", Rubrics: map[string]string{"b": "2", "a": "1"}},
			`{"user_input":"a","reference_contexts":["<1-hop>\n\nc","<2-hop>\n\nd"],"reference":"r","rubrics":{"a":"1","b":"2"}}`,
		},
		{
			"turns",
			ragas.Sample{Turns: []ragas.Turn{{Content: "hi", Type: "human"}, {Content: "ok", Type: "ai", Extra: map[string]json.RawMessage{"tool_calls": json.RawMessage(`[{"name":"f"}]`)}}}, Reference: "r"},
			`{"user_input":[{"content":"hi","type":"human"},{"content":"ok","type":"ai","tool_calls":[{"name":"f"}]}],"reference":"r"}`,
		},
	}
	for _, tt := range tests {
		got, err := tt.s.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		back, err := ragas.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.s, *back); diff != "" {
			t.Errorf("%s, read again (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestSampleParse: the columns of every release are read, and what no field
// takes is kept.
func TestSampleParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     ragas.Sample
	}{
		{
			"0.0", `{"question":"a","ground_truth_context":["c"],"ground_truth":["r"],"question_type":"simple","episode_done":true}`,
			ragas.Sample{UserInput: "a", ReferenceContexts: []string{"c"}, Reference: "r", Extra: map[string]json.RawMessage{"question_type": json.RawMessage(`"simple"`), "episode_done": json.RawMessage(`true`)}},
		},
		{
			"0.1", `{"question":"a","contexts":"['c\\n', \"it's\"]","ground_truth":"r","answer":"x","evolution_type":"simple","metadata":"[{'source': 'f'}]","episode_done":"True"}`,
			ragas.Sample{UserInput: "a", ReferenceContexts: []string{"c\n", "it's"}, Reference: "r", Response: "x", Extra: map[string]json.RawMessage{
				"evolution_type": json.RawMessage(`"simple"`), "metadata": json.RawMessage(`"[{'source': 'f'}]"`), "episode_done": json.RawMessage(`"True"`),
			}},
		},
		{
			"0.2.4", `{"user_input":"a","reference":"r","synthesizer_name":"single_hop_specifc_query_synthesizer","rubric":{"score1":"x"}}`,
			ragas.Sample{UserInput: "a", Reference: "r", SynthesizerName: "single_hop_specific_query_synthesizer", Rubrics: map[string]string{"score1": "x"}},
		},
		{
			"values", `{"user_input":"a","query_style":"Web search like queries","query_length":"long","reference_context_ids":[1,"b"]}`,
			ragas.Sample{UserInput: "a", QueryStyle: "WEB_SEARCH_LIKE", QueryLength: "LONG", ReferenceContextIDs: []string{"1", "b"}},
		},
		{
			"annotated", `{"approval_status":"approved","synthesizer_name":"s","eval_sample":{"user_input":"a","reference":"r"}}`,
			ragas.Sample{UserInput: "a", Reference: "r", SynthesizerName: "s", Extra: map[string]json.RawMessage{"approval_status": json.RawMessage(`"approved"`)}},
		},
		{
			"other types", `{"user_input":{"a":1},"reference":12,"rubrics":[1],"persona_name":NaN}`,
			ragas.Sample{Reference: "12", Extra: map[string]json.RawMessage{"user_input": json.RawMessage(`{"a":1}`), "rubrics": json.RawMessage(`[1]`)}},
		},
		{"a question like a list", `{"user_input":"[1, 2] what is it","reference":"[a] r"}`, ragas.Sample{UserInput: "[1, 2] what is it", Reference: "[a] r"}},
	}
	for _, tt := range tests {
		got, err := ragas.Parse([]byte(tt.in))
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
		var again ragas.Sample
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatal(err)
		}
		if twice, err := again.JSON(); err != nil || string(twice) != string(once) {
			t.Errorf("%s: written %s, then %s (%v)", tt.name, once, twice, err)
		}
	}
}

func ExampleUntag() {
	text, hop := ragas.Untag(ragas.Tag(2, "Valves open at 4 bar."))
	fmt.Println(hop, text)
	// Output: 2 Valves open at 4 bar.
}
