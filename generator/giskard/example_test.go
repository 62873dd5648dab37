package giskard_test

import (
	"context"
	"fmt"

	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

// A question of a knowledge base of rows. The model's replies are given by what a
// call is for; a real client takes its place.
func ExampleKnowledgeBase_TestsetOf() {
	replies := map[string]string{
		"giskard_topics": `{"topics": [{"topic": "t1", "name": "Returns"}], "unanswerable": []}`,
		"giskard_questions": `{"items": [{"item": "i1", "turns_on": "Returns are free within 14 days.", "fact": "", "situation": "The person is moving house.",
			"message": "I got a lamp a week ago. Can I still return it?", "answer": "Yes, free of charge.", "second": "", "second_answer": "", "impossible": ""}]}`,
		"giskard_rewrites": `{"items": [{"item": "i1", "message": "We are moving house, and the lamp from last week does not fit. Can I still return it?",
			"opening": "", "assistant": "", "follow_up": "", "impossible": ""}]}`,
		"giskard_answer": `{"items": [{"item": "i1", "situation": "Somebody moves.", "name": "Return after a week", "message": "", "shown": [], "policies": [], "impossible": "",
			"expected_output": "Yes: returns are free within 14 days.", "criteria": ["says yes", "names the 14 days", "asks for no money"]}]}`,
		"giskard_check": `{"items": [{"item": "i1", "message_problem": "", "message_score": 1, "unsettled": "", "needs": ["c1"], "unsupported": [], "missing": [], "asked_problem": ""}]}`,
	}
	model := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		return &llm.Response{Text: replies[req.Purpose]}, nil
	})
	rows := []giskard.Row{{ID: "returns", Text: "Returns are free within 14 days."}}
	kb, err := giskard.Build(context.Background(), &giskard.Input{Rows: rows, Model: model}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := kb.TestsetOf(context.Background(), giskard.Counts{giskard.Situational: 1})
	for _, q := range set.Questions {
		fmt.Println(q.Question)
		fmt.Println(q.ReferenceAnswer)
		fmt.Println(q.Metadata.Topic, q.Metadata.QuestionType, giskard.Type(q.Metadata.QuestionType).Components())
	}
	fmt.Println(set.Report.Made, err)
	// Output:
	// We are moving house, and the lamp from last week does not fit. Can I still return it?
	// Yes: returns are free within 14 days.
	// Returns situational [Generator Knowledge base]
	// situational 1 <nil>
}

// What a test set costs is known before it is made.
func ExampleDryRun() {
	rows := []giskard.Row{{Text: "Returns are free within 14 days."}, {Text: "Parcels carry a warranty of two years."}}
	e, err := giskard.DryRun(context.Background(), &giskard.Input{Rows: rows}, 30, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Calls(), "calls,", e.Answers, "of them for answers")
	// Output:
	// 24 calls, 6 of them for answers
}
