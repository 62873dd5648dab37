package deepeval_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/deepeval"
)

func TestGoldenJSON(t *testing.T) {
	t.Parallel()
	quality, whole := 0.75, 1.0
	tests := []struct {
		name string
		g    deepeval.Golden
		want string
	}{
		{"zero", deepeval.Golden{}, `{"input":"","actual_output":null,"expected_output":null,"retrieval_context":null,"context":null,"name":null,"comments":null,"source_file":null,"tools_called":null,"expected_tools":null,"additional_metadata":null,"custom_column_key_values":null}`},
		{"single turn", deepeval.Golden{
			Input: "Где <мой> заказ & чек?", ExpectedOutput: "x", Context: []string{}, SourceFile: "a.md", CustomKeys: map[string]string{"b": "2", "a": "1"},
			Metadata: &deepeval.Metadata{Evolutions: []string{"Reasoning"}, InputQuality: &quality, ContextSourceFiles: []string{"a.md"}, UsedSourceFiles: []string{}, ContextQuality: &whole},
		}, `{"input":"Где <мой> заказ & чек?","actual_output":null,"expected_output":"x","retrieval_context":null,"context":[],"name":null,"comments":null,"source_file":"a.md","tools_called":null,"expected_tools":null,"additional_metadata":{"evolutions":["Reasoning"],"synthetic_input_quality":0.75,"context_source_files":["a.md"],"used_source_files":[],"context_quality":1.0},"custom_column_key_values":{"a":"1","b":"2"}}`},
		{
			"from scratch",
			deepeval.Golden{Input: "q", Metadata: &deepeval.Metadata{Evolutions: []string{"Hypothetical"}}},
			`{"input":"q","actual_output":null,"expected_output":null,"retrieval_context":null,"context":null,"name":null,"comments":null,"source_file":null,"tools_called":null,"expected_tools":null,"additional_metadata":{"evolutions":["Hypothetical"]},"custom_column_key_values":null}`,
		},
		{"conversational", deepeval.Golden{
			Scenario: "s", ExpectedOutcome: "o", Context: []string{"c"}, Turns: []deepeval.Turn{{Role: "user", Content: "hi"}},
			Metadata: &deepeval.Metadata{Evolutions: []string{"In-Breadth"}, ScenarioQuality: &quality, ContextSourceFiles: []string{}, UsedSourceFiles: []string{}},
		}, `{"scenario":"s","turns":[{"role":"user","content":"hi"}],"expected_outcome":"o","user_description":null,"persona":null,"context":["c"],"name":null,"comments":null,"additional_metadata":{"evolutions":["In-Breadth"],"synthetic_scenario_quality":0.75,"source_files":null,"context_source_files":[],"used_source_files":[]},"custom_column_key_values":null}`},
	}
	for _, tt := range tests {
		got, err := tt.g.JSON()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
		back, err := deepeval.Parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.g, *back); diff != "" {
			t.Errorf("%s, read again (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestGoldenParse: what other releases and other tools wrote is read, and what
// no field takes is kept.
func TestGoldenParse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     deepeval.Golden
	}{
		{
			"camel case", `{"input":"a","actualOutput":"b","expectedOutput":"c","retrievalContext":["r"],"sourceFile":"f","toolsCalled":[{"name":"t"}],"expectedTools":[],"additionalMetadata":{"evolutions":["Reasoning"]},"customColumnKeyValues":{"k":1}}`,
			deepeval.Golden{
				Input: "a", ActualOutput: "b", ExpectedOutput: "c", RetrievalContext: []string{"r"}, SourceFile: "f", ToolsCalled: json.RawMessage(`[{"name":"t"}]`), ExpectedTools: json.RawMessage(`[]`),
				Metadata: &deepeval.Metadata{Evolutions: []string{"Reasoning"}}, CustomKeys: map[string]string{"k": "1"},
			},
		},
		{
			"cells", `{"input":"a","context":"one|two","retrieval_context":"['x', \"it's\"]","additional_metadata":"{'evolutions': ['Reasoning'], 'synthetic_input_quality': 0.5, 'own': None}","tools_called":"[]"}`,
			deepeval.Golden{
				Input: "a", Context: []string{"one|two"}, RetrievalContext: []string{"x", "it's"}, ToolsCalled: json.RawMessage(`[]`),
				Metadata: &deepeval.Metadata{Evolutions: []string{"Reasoning"}, InputQuality: pointer(0.5)},
			},
		},
		{
			"columns of a DataFrame", `{"input":"a","evolutions":"['Reasoning']","synthetic_input_quality":"0.9","context_quality":NaN,"n_chunks_per_context":"1"}`,
			deepeval.Golden{Input: "a", Metadata: &deepeval.Metadata{Evolutions: []string{"Reasoning"}, InputQuality: pointer(0.9)}, Extra: map[string]json.RawMessage{"n_chunks_per_context": json.RawMessage(`"1"`)}},
		},
		{
			"unknown keys and other types", `{"input":["a"],"context":[{"x":1}],"images_mapping":{"k":{}},"additional_metadata":{"evolutions":{"a":1},"mine":[1]}}`,
			deepeval.Golden{
				Metadata: &deepeval.Metadata{Extra: map[string]json.RawMessage{"evolutions": json.RawMessage(`{"a":1}`), "mine": json.RawMessage(`[1]`)}},
				Extra:    map[string]json.RawMessage{"context": json.RawMessage(`[{"x":1}]`), "images_mapping": json.RawMessage(`{"k":{}}`), "input": json.RawMessage(`["a"]`)},
			},
		},
		{
			"save_as of the synthesizer", `{"scenario":"s","expected_outcome":"o","context":["c"],"source_files":"docs/a.md"}`,
			deepeval.Golden{Scenario: "s", ExpectedOutcome: "o", Context: []string{"c"}, Extra: map[string]json.RawMessage{"source_files": json.RawMessage(`"docs/a.md"`)}},
		},
	}
	for _, tt := range tests {
		got, err := deepeval.Parse([]byte(tt.in))
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
		var again deepeval.Golden
		if err := json.Unmarshal(once, &again); err != nil {
			t.Fatal(err)
		}
		if twice, err := again.JSON(); err != nil || string(twice) != string(once) {
			t.Errorf("%s: written %s, then %s (%v)", tt.name, once, twice, err)
		}
	}
	for _, bad := range []string{"", "[]", "{", `"x"`, "{\"input\":\"\xff\"}"} {
		if _, err := deepeval.Parse([]byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func pointer(f float64) *float64 { return &f }

func ExampleGolden_JSON() {
	g := deepeval.Golden{Scenario: "A renter is late and asks whether the bike is still there", ExpectedOutcome: "The renter knows how long it is kept"}
	b, err := g.JSON()
	fmt.Println(string(b), err)
	// Output:
	// {"scenario":"A renter is late and asks whether the bike is still there","turns":null,"expected_outcome":"The renter knows how long it is kept","user_description":null,"persona":null,"context":null,"name":null,"comments":null,"additional_metadata":null,"custom_column_key_values":null} <nil>
}
