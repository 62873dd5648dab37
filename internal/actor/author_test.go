package actor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

func newAuthor(tb testing.TB, name string) (*actor.Author, *model.Document) {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "documents", name))
	if err != nil {
		tb.Fatal(err)
	}
	doc, err := model.ParseMarkdown(name, b, nil)
	if err != nil {
		tb.Fatal(err)
	}
	a, err := actor.New(tb.Context(), doc)
	if err != nil {
		tb.Fatal(err)
	}
	return &actor.Author{Actor: a}, doc
}

func TestAuthorsItemsPassEveryCheck(t *testing.T) {
	t.Parallel()
	for _, g := range orchestrate.Builtin() {
		spec := g.Spec()
		if !spec.NeedsModel {
			continue
		}
		for _, name := range []string{"bike_rental_en.md", "flower_delivery_ru.md"} {
			t.Run(spec.Name+" "+name, func(t *testing.T) {
				t.Parallel()
				a, doc := newAuthor(t, name)
				a.Calls = func(*llm.Request) []llm.ToolCall {
					return []llm.ToolCall{{ID: "1", Name: spec.ToolName(), Arguments: allRows[spec.Name]}}
				}
				o, err := orchestrate.New([]generator.Generator{g}, &orchestrate.Options{
					Client: a, ModelName: "author", Seed: 1, Counts: orchestrate.Counts{UseCases: 5, TestCasesPerUseCase: 4},
				})
				if err != nil {
					t.Fatal(err)
				}
				res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
				var short *coverage.ShortfallError
				if err != nil && !errors.As(err, &short) {
					t.Fatal(err)
				}
				for _, r := range res.Refused {
					if r.Check != "support" { // of the extraction
						t.Errorf("refused: %+v", r)
					}
				}
				if n := len(res.Dataset.TestCases); n != 20 {
					t.Errorf("%d test cases, want 20", n)
				}
				for _, tc := range res.Dataset.TestCases {
					if tc.Metadata.Generator != spec.Name {
						t.Errorf("%s was made by %s", tc.ID, tc.Metadata.Generator)
					}
				}
			})
		}
	}
}

// allRows are arguments with which a tool takes every row.
var allRows = map[string]string{
	"deepeval": `{"num_goldens":100,"include_expected_output":true,"document_paths":null}`,
	"ragas":    `{"test_size":100,"reasoning_ratio":0.3,"document_paths":null}`,
	"giskard":  `{"num_questions":100,"document_paths":null}`,
	"direct":   `{"max_test_cases":100,"emphasis":null}`,
}

func TestAuthorDoubtsAPartOfTheReplies(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("<items>\n")
	for i := range 40 {
		fmt.Fprintf(&b, "i%d:\n   passages: c1\n   <message>Question %d?</message>\n   <reply>Answer %d.</reply>\n", i+1, i, i)
	}
	req := &llm.Request{Messages: []llm.Message{{Role: llm.RoleSystem, Content: "You check tests of an assistant"}, {Role: llm.RoleUser, Content: b.String()}}}
	found := func(doubts int) []string {
		resp, err := (&actor.Author{Actor: &actor.Actor{}, Doubts: doubts}).Complete(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		var rep struct {
			Items []struct {
				Item        string
				Unsupported []string
			}
		}
		if err := json.Unmarshal([]byte(resp.Text), &rep); err != nil || len(rep.Items) != 40 {
			t.Fatalf("%d items, %v", len(rep.Items), err)
		}
		var out []string
		for i, it := range rep.Items {
			if len(it.Unsupported) > 0 {
				out = append(out, it.Item)
				if want := fmt.Sprintf("Answer %d.", i); it.Unsupported[0] != want {
					t.Errorf("%s lacks support for %q, want its reply %q", it.Item, it.Unsupported, want)
				}
			}
		}
		return out
	}
	if none := found(0); none != nil {
		t.Errorf("without doubts: %v", none)
	}
	if n := len(found(4)); n < 4 || n > 18 {
		t.Errorf("one in four of 40 are %d", n)
	}
}

// schema is a JSON schema with the properties.
func schema(names ...string) *llm.Schema {
	properties := map[string]any{}
	for _, n := range names {
		properties[n] = map[string]any{"type": "string"}
	}
	b, err := json.Marshal(map[string]any{"type": "object", "properties": properties})
	if err != nil {
		panic(err)
	}
	return &llm.Schema{Name: "Reply", JSON: b}
}

// The words with which casebook tells a framework what it wants.
const (
	wanted   = "What it is about: When do I get my deposit back\nWhat the reply turns on: Banks take up to 5 working days to show it.\n"
	wantedRU = "What it is about: Отмена\nWhat the reply turns on: За 6 часов до интервала вернём всё.\nThe customer presses against it: asks for more.\n"
	shows    = "one message; in the language of the context; tone = angry: openly angry; form = question: it asks; length = long: more than 8 words"
)

const passage = `## Money

Q: When do I get my deposit back?
A: The hold of 80 euros is released when the bike is back; banks take up to 5 working days to show it.`

const passageRU = `## Деньги

Вопрос: Как отменить заказ?
Ответ: За 6 часов до интервала вернём всё, позже удержим половину.`

func ragasInput(tb testing.TB, v map[string]any) string {
	tb.Helper()
	b, err := json.MarshalIndent(v, "", "    ")
	if err != nil {
		tb.Fatal(err)
	}
	return "Do this.\nExample 1\nInput: {}\nOutput: {}\n\nNow the same\ninput: " + string(b) + "\nOutput: "
}

func TestAuthorPlaysTheFrameworks(t *testing.T) {
	t.Parallel()
	user := func(text string) []llm.Message { return []llm.Message{{Role: llm.RoleUser, Content: text}} }
	giskard := func(system, text string) []llm.Message {
		return []llm.Message{
			{Role: llm.RoleSystem, Content: system}, {Role: llm.RoleUser, Content: "an example"}, {Role: llm.RoleAssistant, Content: "{}"}, {Role: llm.RoleUser, Content: text},
		}
	}
	for _, tt := range []struct {
		name string
		req  llm.Request
		want map[string]string // what stands in the members; "" in one for a plain text
	}{
		{"deepeval inputs", llm.Request{Messages: user("Example context: [\"x\"]\n`" + wanted + "`\n" + shows + "\n\n        Max Goldens Per Context:\n        2\n\n        Context:\n        ['" + strings.ReplaceAll(passage, "\n", `\n`) + "']\n\n        JSON:\n"), Schema: schema("data")}, map[string]string{"data": "!!"}},
		{"deepeval critic", llm.Request{Messages: user("Query:\nwhat?\n\nJSON:\n"), Schema: schema("score", "feedback")}, map[string]string{"score": "0."}},
		{"deepeval rewrite", llm.Request{Messages: user("Context:\n" + passageRU + "\n\nQuery:\nчто?\n\nFeedback:\nunclear\n\nJSON:\n"), Schema: schema("rewritten_input")}, map[string]string{"rewritten_input": " "}},
		{"deepeval evolution", llm.Request{Messages: user("Context:\n['x']\nInput:\nWhat about the deposit?\nRewritten Input:\n"), Schema: schema("response")}, map[string]string{"response": "What about the deposit? And"}},
		{"deepeval evolution as text", llm.Request{Messages: user("Input:\nА залог?\nContext:\n" + passageRU + "\nRewritten Input:\n")}, map[string]string{"": "А залог? И"}},
		{"deepeval styling", llm.Request{Messages: user("Evolved Input:\nWhat about the deposit?\n\n" + `Scenario: "` + wanted + `"` + "\n" + `Input Format: "` + shows + `"` + "\n\nJSON:\n"), Schema: schema("input", "used_source_files")}, map[string]string{"input": "!!"}},
		{"deepeval reply", llm.Request{Messages: user("Context:\n" + passage + "\n\nInput:\nHow many working days do banks take?\n\nGenerated Response:\n"), Schema: schema("response")}, map[string]string{"response": "5 working days"}},
		{"ragas summary", llm.Request{Messages: user(ragasInput(t, map[string]any{"text": passage})), Schema: schema("text")}, map[string]string{"text": "80 euros"}},
		{"ragas themes", llm.Request{Messages: user(ragasInput(t, map[string]any{"text": passage, "max_num": 10})), Schema: schema("output")}, map[string]string{"output": "working days"}},
		{"ragas entities", llm.Request{Messages: user(ragasInput(t, map[string]any{"text": passageRU, "max_num": 10})), Schema: schema("entities")}, map[string]string{"entities": "отменить заказ"}},
		{"ragas persona", llm.Request{Messages: user(ragasInput(t, map[string]any{"text": passageRU})), Schema: schema("name", "role_description")}, map[string]string{"name": "", "role_description": "."}},
		{"ragas matching", llm.Request{Messages: user(ragasInput(t, map[string]any{"themes": []string{"t1", "t2"}, "personas": []any{map[string]any{"name": "P1"}, map[string]any{"name": "P2"}}})), Schema: schema("mapping")}, map[string]string{"mapping": `{"P1":["t1","t2"],"P2":["t2"]}`}},
		{"ragas concepts", llm.Request{Messages: user(ragasInput(t, map[string]any{"lists_of_concepts": [][]string{{"a", "b"}, {"c"}}, "max_combinations": 3})), Schema: schema("combinations")}, map[string]string{"combinations": `[["a","c"]]`}},
		{"ragas single hop", llm.Request{Messages: user(ragasInput(t, map[string]any{"term": "deposit", "context": passage, "llm_context": wanted + shows})), Schema: schema("query", "answer")}, map[string]string{"query": "!!", "answer": "5 working days"}},
		{"ragas multi hop", llm.Request{Messages: user(ragasInput(t, map[string]any{"themes": []string{"x"}, "context": []string{"<1-hop>\n\n" + passageRU, "<2-hop>\n\nПозже никак."}, "llm_context": wantedRU + shows})), Schema: schema("query", "answer")}, map[string]string{"query": "!!", "answer": "За 6 часов"}},
		{"giskard question", llm.Request{Messages: giskard("About: "+wanted+shows+"\na single JSON object with keys 'question' and 'answer', no more", "\n------\n"+passage+"\n------\n")}, map[string]string{"question": "!!", "answer": "5 working days"}},
		{"giskard rewriting", llm.Request{Messages: giskard("About: "+wantedRU+shows+"\nan object, with the key 'question'.", "<question>\nА деньги?\n</question>\n\n<context>\n"+passageRU+"\n</context>")}, map[string]string{"question": "!!"}},
		{"giskard situation", llm.Request{Messages: giskard("Return the description.", "<description>"+wanted+"</description>\n<context>"+passageRU+"</context>")}, map[string]string{"": "."}},
		{"giskard conversation", llm.Request{Messages: giskard("Object with keys 'introduction' and 'question'.", "<question>Добрый день! А деньги вернёте?</question>")}, map[string]string{"introduction": "Добрый день!", "question": "А деньги вернёте?"}},
		{"giskard two questions in one", llm.Request{Messages: giskard("Object, with keys 'question' and 'answer'.", "<question1>One?</question1>\n<answer1>1.</answer1>\n---------\n<question2>Two?</question2>\n<answer2>2.</answer2>")}, map[string]string{"question": "One?", "answer": "1."}},
		{"giskard out of scope", llm.Request{Messages: giskard("Object with keys 'selected_fact', 'fake_fact' and 'question' , no more", passageRU)}, map[string]string{"selected_fact": "заказ", "fake_fact": "", "question": " "}},
		{"giskard topic", llm.Request{Messages: user("<documents>\nBlue.\n</documents>\n\n<documents>\n" + passage + "\n</documents>\n\nThe topic is:\n")}, map[string]string{"": `"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := &actor.Author{Actor: &actor.Actor{}}
			resp, err := a.Complete(t.Context(), &tt.req)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]json.RawMessage{"": json.RawMessage(resp.Text)}
			if _, plain := tt.want[""]; !plain {
				got = nil
				if err := json.Unmarshal([]byte(resp.Text), &got); err != nil {
					t.Fatalf("%v in %s", err, resp.Text)
				}
				if len(got) != len(tt.want) && tt.req.Schema == nil {
					t.Errorf("got the members of %s", resp.Text)
				}
			}
			for k, want := range tt.want {
				if len(got[k]) < 3 || !strings.Contains(string(got[k]), want) {
					t.Errorf("%q is %s, want %q in it", k, got[k], want)
				}
			}
		})
	}
}

func TestAuthorAnswersATwoPartRequestWithAList(t *testing.T) {
	t.Parallel()
	req := &llm.Request{Messages: []llm.Message{
		{Role: llm.RoleSystem, Content: wanted + shows + "\nOutput a list of exactly two JSON objects with keys 'question' and 'answer'."}, {Role: llm.RoleUser, Content: passage},
	}}
	resp, err := (&actor.Author{Actor: &actor.Actor{}}).Complete(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []struct{ Question, Answer string }
	if err := json.Unmarshal([]byte(resp.Text), &pairs); err != nil || len(pairs) != 2 || pairs[0].Question == pairs[1].Question {
		t.Errorf("got %s (%v), want two different pairs", resp.Text, err)
	}
}

func TestAuthorsReplyDependsOnTheRequestAlone(t *testing.T) {
	t.Parallel()
	a := &actor.Author{Actor: &actor.Actor{}}
	ask := func(seed int64, more ...llm.Message) string {
		req := &llm.Request{Seed: &seed, Schema: schema("query", "answer"), Messages: append([]llm.Message{{
			Role: llm.RoleUser, Content: ragasInput(t, map[string]any{"context": passageRU, "llm_context": wantedRU + shows}),
		}}, more...)}
		resp, err := a.Complete(context.WithoutCancel(t.Context()), req)
		if err != nil {
			t.Fatal(err)
		}
		return resp.Text
	}
	if diff := cmp.Diff(ask(1), ask(1)); diff != "" {
		t.Errorf("the same request twice:\n%s", diff)
	}
	// A reply that is asked for again is the same: it was right.
	again := []llm.Message{{Role: llm.RoleAssistant, Content: "half of"}, {Role: llm.RoleUser, Content: "Your reply does not fit what was asked for: it ends early."}}
	if diff := cmp.Diff(ask(1), ask(1, again...)); diff != "" {
		t.Errorf("asked again:\n%s", diff)
	}
	var known coverage.Index
	for seed := range int64(40) {
		var pair struct{ Query string }
		if err := json.Unmarshal([]byte(ask(seed)), &pair); err != nil {
			t.Fatal(err)
		}
		if id, near := known.Near(pair.Query); near {
			t.Errorf("seed %d repeats %s: %s", seed, id, pair.Query)
		}
		known.Add(fmt.Sprint("seed ", seed), pair.Query)
	}
}

func TestAuthorRefusesWhatNobodyAsks(t *testing.T) {
	t.Parallel()
	a := &actor.Author{Actor: &actor.Actor{}}
	for _, req := range []*llm.Request{
		{Messages: []llm.Message{{Role: llm.RoleUser, Content: "Tell me a joke."}}},
		{Messages: []llm.Message{{Role: llm.RoleUser, Content: "Tell me a joke."}}, Schema: schema("joke")},
		{Messages: []llm.Message{{Role: llm.RoleUser, Content: "\ninput: {\"text\": \"x\"}"}}, Schema: schema("joke")},
		{Messages: []llm.Message{{Role: llm.RoleSystem, Content: "Keys 'setup' and 'point'."}, {Role: llm.RoleUser, Content: "?"}}},
	} {
		if resp, err := a.Complete(t.Context(), req); err == nil {
			t.Errorf("%+v was answered with %s", req.Messages, resp.Text)
		}
	}
}
