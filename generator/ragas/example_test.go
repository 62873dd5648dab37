package ragas_test

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/model"
)

// A testset of a document, on its own. The model's replies are given by what a
// call is for; a real client takes its place.
func ExampleGenerate() {
	replies := map[string]string{
		"ragas_extract":   `{"passages": [{"key": "c1", "summary": "Lamps are lent for 3 days for a deposit.", "themes": ["loans"], "entities": ["deposit"], "score": 5}]}`,
		"ragas_questions": `{"messages": [{"key": "s1", "situation": "A student needs a lamp.", "input": "How much is the deposit for a lamp, and for how many days may I keep it?", "uses": [1], "impossible": ""}]}`,
		"ragas_answer": `{"items": [{"item": "i1", "situation": "A student asks for the terms.", "name": "Terms of a loan", "message": "", "shown": [], "policies": [], "impossible": "",
			"expected_output": "The deposit is 20 euro, and you may keep the lamp for 3 days.", "criteria": ["names 20 euro", "names 3 days", "promises no more"]}]}`,
		"ragas_check": `{"items": [{"item": "i1", "message_problem": "", "message_score": 1, "unsettled": "", "needs": ["c1"], "unsupported": [], "missing": [], "asked_problem": ""}]}`,
	}
	client := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		return &llm.Response{Text: replies[req.Purpose]}, nil
	})
	doc, err := model.ParseMarkdown("lamps.md", []byte("# Lamp library\n\nA lamp is lent for 3 days to anybody who leaves a deposit of 20 euro.\n"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := ragas.Generate(context.Background(), &ragas.Input{Client: client, Documents: []*model.Document{doc}, Size: 1}, &ragas.Options{
		Personas: []ragas.Persona{{Name: "Student", Role: "Reads at night."}},
		Styles:   ragas.Styles()[1:2], Lengths: ragas.Lengths()[1:2],
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, r := range set.Records {
		s, err := ragas.Parse(r.JSON)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(s.UserInput)
		fmt.Println(s.Reference)
		fmt.Println(s.ReferenceContextIDs, s.PersonaName, s.QueryStyle, s.QueryLength)
	}
	// Output:
	// How much is the deposit for a lamp, and for how many days may I keep it?
	// The deposit is 20 euro, and you may keep the lamp for 3 days.
	// [lamps.md#1] Student PERFECT_GRAMMAR MEDIUM
}

// A graph that Ragas wrote is completed with edges and saved again. This needs
// no model.
func ExampleLoad() {
	g, err := ragas.Load(strings.NewReader(`{"nodes": [
  {"id": "a", "type": "chunk", "properties": {"page_content": "Lamps are lent for a deposit.", "entities": ["deposit"]}},
  {"id": "b", "type": "chunk", "properties": {"page_content": "Deposits come back in cash.", "entities": ["Deposits"]}}
], "relationships": []}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	ragas.LinkEntities(g, nil)
	for _, r := range g.Relationships {
		fmt.Println(r.Type, r.Source, r.Target, r.Overlap, r.Score)
	}
	if err := g.Save(io.Discard); err != nil {
		fmt.Println(err)
	}
	// Output:
	// entities_overlap a b [[deposit Deposits]] 1
}

func ExampleEstimate() {
	calls, err := ragas.Estimate(&ragas.Input{Graph: ragas.FromTexts("faq", []string{"Lamps are lent for 3 days.", "Deposits come back in cash."}), Size: 20}, nil)
	fmt.Println(calls.All(), "calls,", calls.Questions, "of them for messages", err)
	// Output:
	// 14 calls, 4 of them for messages <nil>
}
