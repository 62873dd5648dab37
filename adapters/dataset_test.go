package adapters_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/deepeval"
	"github.com/casebook-go/casebook/adapters/giskard"
	"github.com/casebook-go/casebook/adapters/ragas"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// datasets are made offline from the example documents, in two languages and
// of both cases.
var datasets = sync.OnceValues(func() (map[string]*model.Dataset, error) {
	paths, err := filepath.Glob(filepath.Join("..", "examples", "documents", "*.md"))
	if err != nil {
		return nil, err
	}
	out := map[string]*model.Dataset{}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		d, err := model.ParseMarkdown(filepath.Base(path), b, nil)
		if err != nil {
			return nil, err
		}
		o, err := orchestrate.New(nil, &orchestrate.Options{Seed: 7})
		if err != nil {
			return nil, err
		}
		res, err := o.Run(context.Background(), &orchestrate.Input{Documents: []*model.Document{d}})
		var short *coverage.ShortfallError
		if err != nil && !errors.As(err, &short) || len(res.Dataset.Examples) == 0 {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out[filepath.Base(path)] = res.Dataset
	}
	return out, nil
})

// made returns the datasets; each caller gets its own.
func made(tb testing.TB) map[string]*model.Dataset {
	tb.Helper()
	all, err := datasets()
	if err != nil || len(all) < 5 {
		tb.Fatalf("%d datasets: %v", len(all), err)
	}
	out := map[string]*model.Dataset{}
	for name, d := range all {
		out[name] = &model.Dataset{
			UseCases: slices.Clone(d.UseCases), Policies: slices.Clone(d.Policies),
			TestCases: slices.Clone(d.TestCases), Examples: slices.Clone(d.Examples),
		}
	}
	return out
}

// through writes the dataset, reads the file and restores it. edit may change
// the file.
func through(tb testing.TB, f adapters.Framework, d *model.Dataset, edit func(string) string) (got *model.Dataset, foreign []int, refused []model.Refusal) {
	tb.Helper()
	recs, err := f.FromDataset(d)
	if err != nil {
		tb.Fatal(err)
	}
	var file, side bytes.Buffer
	if err := f.Encode(&file, recs); err != nil {
		tb.Fatal(err)
	}
	text := file.String()
	if edit != nil {
		text = edit(text)
	}
	c, err := adapters.Read(f, strings.NewReader(text))
	if err != nil || len(c.Refused) > 0 {
		tb.Fatalf("%v, %v", err, c)
	}
	if s, ok := f.(adapters.Sided); ok {
		if strings.Contains(text, "use_case_id") {
			tb.Errorf("the file holds what belongs beside it: %s", text)
		}
		if err := s.EncodeSide(&side, recs); err != nil {
			tb.Fatal(err)
		}
		if c.Records, err = s.JoinSide(c.Records, &side); err != nil {
			tb.Fatal(err)
		}
	}
	return adapters.Restore(f, c.Records)
}

// encoded returns the contract's files of a dataset.
func encoded(tb testing.TB, d *model.Dataset) map[string]string {
	tb.Helper()
	files, err := d.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string]string{}
	for name, b := range files {
		out[string(name)] = string(b)
	}
	return out
}

var natives = []string{
	`{"input":"Wo bleibt mein Paket?","actual_output":null,"expected_output":"Bitte die Nummer nennen.","retrieval_context":null,"context":["a|b"],"name":null,"comments":null,"source_file":"a.md","tools_called":null,"expected_tools":null,"additional_metadata":{"evolutions":["Reasoning"],"synthetic_input_quality":0.9,"context_source_files":["a.md"],"used_source_files":[],"own":{"b":1,"a":[2]}},"custom_column_key_values":null}`,
	`{"input":"x","actual_output":null,"expected_output":"y","retrieval_context":null,"context":null,"name":null,"comments":null,"source_file":null,"tools_called":null,"expected_tools":null,"additional_metadata":{},"custom_column_key_values":null}`,
	`{"scenario":"Eine Kundin wartet","turns":null,"expected_outcome":"Sie erfährt es","user_description":null,"persona":null,"context":null,"name":null,"comments":null,"additional_metadata":null,"custom_column_key_values":null}`,
	`{"user_input":"где заказ","reference_contexts":["<1-hop>\n\nA","<2-hop>\n\nB"],"reference":"Назовите номер.","synthesizer_name":"multi_hop_abstract_query_synthesizer"}`,
	`{"user_input":[{"content":"hi","type":"human"},{"content":"ok","type":"ai","tool_calls":[{"name":"f","args":{"x":1}}]}],"reference":"ref","synthesizer_name":"custom"}`,
	`{"id":"a52f74d3","question":"And then?","reference_answer":"Two years.","reference_context":"Document 12: Parcels.","conversation_history":[{"role":"user","content":"Warranty."},{"role":"assistant","content":"How can I help?"}],"metadata":{"question_type":"conversational","seed_document_id":12,"topic":"Warranty"}}`,
	`{"id":"b","question":"Q","reference_answer":"A","reference_context":"","conversation_history":[],"metadata":{"question_type":"double","original_questions":[{"question":"q1","answer":"a1"}],"seed_document_id":"x7","topic":"T"},"agent_answer":"x","correctness":true}`,
	`[1, "of no format"]`,
	`{"input": "written in another layout", "context": null}`,
}

// TestDatasetAndBack: a dataset written in a framework's format and read again is
// equal in all four files, also where its examples were records of a framework.
func TestDatasetAndBack(t *testing.T) {
	t.Parallel()
	for name, d := range made(t) {
		for i := range d.Examples {
			if i%2 == 0 && strings.HasPrefix(name, "b") {
				d.Examples[i].Metadata.Native = json.RawMessage(natives[i/2%len(natives)])
				d.TestCases[0].Metadata.Native = json.RawMessage(natives[0])
			}
		}
		want := encoded(t, d)
		for framework, ways := range writers {
			for i, f := range ways {
				t.Run(fmt.Sprintf("%s/%s%d", name, framework, i), func(t *testing.T) {
					t.Parallel()
					got, foreign, refused := through(t, f, d, nil)
					if len(foreign)+len(refused) > 0 {
						t.Fatalf("foreign %v, refused %v", foreign, refused)
					}
					if diff := cmp.Diff(want, encoded(t, got)); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				})
			}
		}
		got, _, _ := through(t, ragas.New(ragas.Options{Evaluation: true}), d, nil)
		if diff := cmp.Diff(want, encoded(t, got)); diff != "" {
			t.Errorf("%s as an EvaluationDataset (-want +got):\n%s", name, diff)
		}
	}
}

// TestRecordsCarriedFurther: lines may be taken out of the file and moved, and
// lines of others be put into it.
func TestRecordsCarriedFurther(t *testing.T) {
	t.Parallel()
	d := made(t)["hotel_en.md"]
	foreignLine := map[string]string{
		"deepeval": `{"input": "foreign", "expected_output": "x"}`,
		"ragas":    `{"user_input": "foreign", "reference": "x"}`,
		"giskard":  `{"id": "f", "question": "foreign", "reference_answer": "x"}`,
	}
	for framework, f := range map[string]adapters.Framework{
		"deepeval": deepeval.New(deepeval.Options{Lines: true}), "ragas": ragas.New(ragas.Options{}), "giskard": giskard.New(giskard.Options{}),
	} {
		got, foreign, refused := through(t, f, d, func(file string) string {
			lines := strings.Split(strings.TrimSpace(file), "\n")
			lines = append(lines[:2:2], lines[3:]...)
			slices.Reverse(lines)
			return foreignLine[framework] + "\n" + strings.Join(lines, "\n")
		})
		if !slices.Equal(foreign, []int{0}) || len(refused) > 0 {
			t.Errorf("%s: foreign %v, refused %v", framework, foreign, refused)
		}
		want := slices.Delete(slices.Clone(d.Examples), 2, 3)
		if diff := cmp.Diff(ids(want), ids(got.Examples)); diff != "" {
			t.Errorf("%s: examples (-want +got):\n%s", framework, diff)
		}
		if len(got.UseCases) != len(d.UseCases) || len(got.Policies) != len(d.Policies) {
			t.Errorf("%s: %d of %d use cases, %d of %d policies", framework, len(got.UseCases), len(d.UseCases), len(got.Policies), len(d.Policies))
		}
	}
}

func ids(examples []model.Example) []string {
	out := make([]string, len(examples))
	for i := range examples {
		out[i] = examples[i].ID
	}
	return out
}

// TestEditsTakenOver: who edits a record in the framework's file edits the
// example, and what cannot be taken over is refused.
func TestEditsTakenOver(t *testing.T) {
	t.Parallel()
	qa := made(t)["flower_delivery_ru.md"]
	corrections := made(t)["claims_quality_en.md"]
	for framework, ways := range writers {
		const answer, question = "Совсем другой ответ.", "Другой вопрос?"
		first := &qa.Examples[0]
		for old, text := range map[string]string{first.ExpectedOutput: answer, first.Input.Messages[0].Content: question} {
			got, _, refused := through(t, ways[0], qa, func(file string) string {
				// The text stands in what is carried too, further on in the line.
				return strings.Replace(file, quote(t, old), quote(t, text), 1)
			})
			if len(refused) > 0 || len(got.Examples) != len(qa.Examples) {
				t.Fatalf("%s: %v", framework, refused)
			}
			ex := got.Examples[0]
			if (ex.ExpectedOutput == answer) != (text == answer) || (ex.Input.Messages[0].Content == question) != (text == question) || ex.ID != first.ID {
				t.Errorf("%s: edited to %q, the example is %+v", framework, text, ex)
			}
		}
		for i, kind := range []string{`""`, "null", `" "`, `[]`} {
			for _, old := range []string{first.ExpectedOutput, first.Input.Messages[0].Content} {
				got, foreign, refused := through(t, ways[0], qa, func(file string) string {
					return strings.Replace(file, quote(t, old), kind, 1)
				})
				if len(refused) != 1 || refused[0].Index != 0 || !strings.Contains(refused[0].Reason, "no text") || len(foreign) > 0 || len(got.Examples) != len(qa.Examples)-1 {
					t.Errorf("%s: %q edited to %s (%d): foreign %v, refused %+v", framework, old, kind, i, foreign, refused)
				}
			}
		}
		k := slices.IndexFunc(corrections.Examples, func(ex model.Example) bool { return len(ex.Input.Messages) > 1 })
		recs, err := ways[0].FromDataset(corrections)
		if err != nil {
			t.Fatal(err)
		}
		recs[k].JSON = []byte(strings.Replace(string(recs[k].JSON), "last message", "first message", 1))
		got, _, refused := adapters.Restore(ways[0], recs)
		if len(refused) != 1 || refused[0].Index != k || !strings.Contains(refused[0].Reason, "edited") || len(got.Examples) != len(corrections.Examples)-1 {
			t.Errorf("%s: an edited dialogue: %+v", framework, refused)
		}
	}
}

func quote(tb testing.TB, s string) string {
	tb.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		tb.Fatal(err)
	}
	return strings.TrimSpace(buf.String())
}

// TestCopiesOfRecords: a record that was copied and edited is a test of its own;
// one that was only copied is refused.
func TestCopiesOfRecords(t *testing.T) {
	t.Parallel()
	d := made(t)["flower_delivery_ru.md"]
	for framework, ways := range writers {
		recs, err := ways[0].FromDataset(d)
		if err != nil {
			t.Fatal(err)
		}
		first := &d.Examples[0]
		edited := strings.Replace(string(recs[0].JSON), quote(t, first.Input.Messages[0].Content), `"Что-то другое?"`, 1)
		recs = append(recs, recs[0], generator.Record{JSON: []byte(edited)})
		got, foreign, refused := adapters.Restore(ways[0], recs)
		n := len(d.Examples)
		if diff := cmp.Diff(encoded(t, d), encoded(t, got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", framework, diff)
		}
		if !slices.Equal(foreign, []int{n + 1}) || len(refused) != 1 || refused[0].Index != n || !strings.Contains(refused[0].Reason, "repeats an earlier record, that of "+first.ID) {
			t.Errorf("%s: foreign %v, refused %+v", framework, foreign, refused)
		}
		b, err := ways[0].Adapt(t.Context(), nil, &generator.Output{Records: recs[n+1:]})
		if err != nil || len(b.Items) != 1 || strings.Contains(string(b.Items[0].Examples[0].Metadata.Native), `"casebook":`) {
			t.Errorf("%s: the edited copy became %+v, %v", framework, b, err)
		}
	}
}

// TestCorrectionsAsOneMessage: a dialogue and a draft become one message of the
// user, in the language of the dialogue.
func TestCorrectionsAsOneMessage(t *testing.T) {
	t.Parallel()
	dialogue := func(msgs ...model.Message) *model.Dataset {
		return &model.Dataset{Examples: []model.Example{{ID: "ex_a", Input: model.Input{Messages: msgs}, ExpectedOutput: "ok"}}}
	}
	tests := []struct {
		name string
		d    *model.Dataset
		want string
	}{
		{
			"utterance", dialogue(model.Message{Role: "operator", Content: "Wait for the answer, we are busy with other customers."}),
			"Correct this message of an operator:\n\nWait for the answer, we are busy with other customers.",
		},
		{
			"dialogue", dialogue(model.Message{Role: "user", Content: "Здравствуйте, где мой заказ?"}, model.Message{Role: "operator", Content: "ждите, он скоро будет у вас"}),
			"Исправьте последнее сообщение оператора в диалоге:\n\nКлиент: Здравствуйте, где мой заказ?\nОператор: ждите, он скоро будет у вас",
		},
		{"empty", dialogue(model.Message{Role: "user"}), ""},
	}
	for _, tt := range tests {
		for framework, ways := range writers {
			recs, err := ways[0].FromDataset(tt.d)
			if err != nil {
				t.Fatal(err)
			}
			key := map[string]string{"deepeval": "input", "ragas": "user_input", "giskard": "question"}[framework]
			var fields map[string]any
			if err := json.Unmarshal(recs[0].JSON, &fields); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(any(tt.want), fields[key]); diff != "" {
				t.Errorf("%s, %s (-want +got):\n%s", tt.name, framework, diff)
			}
			if d, _, refused := adapters.Restore(ways[0], recs); len(refused) > 0 || cmp.Diff(tt.d.Examples[0].Input, d.Examples[0].Input) != "" {
				t.Errorf("%s, %s: back: %+v, %v", tt.name, framework, d, refused)
			}
		}
	}
}

// TestNativeRecordsGivenBack: an example that was a golden, a sample or a
// question is written as that again, a scenario as the scenario it was.
func TestNativeRecordsGivenBack(t *testing.T) {
	t.Parallel()
	for framework, ways := range writers {
		f := ways[0]
		for _, path := range files(t, framework) {
			if strings.Contains(path, "conversational") || strings.Contains(path, "support_ru") {
				continue
			}
			recs := open(t, f, path).Records
			b, err := f.Adapt(t.Context(), nil, &generator.Output{Records: recs})
			if err != nil || len(b.Refused) > 0 {
				t.Fatalf("%s: %v, %+v", path, err, b.Refused)
			}
			d := &model.Dataset{}
			for i, item := range b.Items {
				item.Examples[0].ID = fmt.Sprintf("ex_%d", i)
				d.Examples = append(d.Examples, item.Examples...)
			}
			out, err := f.FromDataset(d)
			if err != nil {
				t.Fatal(err)
			}
			for i := range out {
				_, bare, err := f.Carried(out[i])
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(string(recs[i].JSON), string(bare.JSON)); diff != "" {
					t.Errorf("%s, record %d (-want +got):\n%s", path, i, diff)
				}
			}
		}
	}
}

// TestWhatIsAskedIsAText: a number is none, be it in a foreign record or in one
// that was edited.
func TestWhatIsAskedIsAText(t *testing.T) {
	t.Parallel()
	for framework, file := range map[string]string{
		"deepeval": `[{"input": %s, "expected_output": 5}]`,
		"ragas":    `{"user_input": %s, "reference": 5}`,
	} {
		for value, want := range map[string]string{"7": "a number, not a text", "-1.5": "a number, not a text", "true": "a truth value, not a text", `"7"`: ""} {
			c, err := adapters.Read(writers[framework][0], strings.NewReader(fmt.Sprintf(file, value)))
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case want == "" && (len(c.Refused) > 0 || len(c.Records) != 1):
				t.Errorf("%s: %s: %+v", framework, value, c)
			case want != "" && (len(c.Refused) != 1 || !strings.Contains(c.Refused[0].Reason, want) || c.Refused[0].Line != 1):
				t.Errorf("%s: %s: %+v, want one refused for %q", framework, value, c, want)
			}
		}
	}
}
