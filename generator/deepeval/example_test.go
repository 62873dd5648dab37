package deepeval_test

import (
	"context"
	"fmt"

	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

// A golden of a context that is there already, without a document. The model's
// replies are given by what a call is for; a real client takes its place.
func ExampleSynthesizer_FromContexts() {
	replies := map[string]string{
		"deepeval_inputs": `{"items": [{"key": "i1", "matter": "A parcel is still unfetched.", "passages": ["1"], "input": "My parcel came on Monday. Is it still there on Friday?"}]}`,
		"deepeval_critic": `{"items": [{"key": "i1", "problem": "", "score": 0.9}]}`,
		"deepeval_evolve": `{"items": [{"key": "i1", "idea": "Two facts decide it.", "input": "My parcel came on Monday, and I am away until Friday. Can you keep it?"}]}`,
		"deepeval_answer": `{"items": [{"item": "i1", "situation": "Somebody is away.", "name": "Away for the week", "message": "", "shown": [], "policies": [], "impossible": "",
			"expected_output": "A parcel stays for three days. I can extend that once, by two days.", "criteria": ["names the three days", "offers two more", "offers no more than that"]}]}`,
		"deepeval_check": `{"items": [{"item": "i1", "message_problem": "", "message_score": 1, "unsettled": "", "needs": ["c1", "c2"], "unsupported": [], "missing": [], "asked_problem": ""}]}`,
	}
	model := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		return &llm.Response{Text: replies[req.Purpose]}, nil
	})
	s, err := deepeval.NewSynthesizer(&deepeval.SynthesizerOptions{Client: model, Options: deepeval.Options{
		Evolution: deepeval.EvolutionConfig{Weights: map[deepeval.Evolution]float64{deepeval.Reasoning: 1}},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	lockers := deepeval.NewContext("lockers.md", "A parcel stays in the locker for three days.", "Storage can be extended once, by two days.")
	r, err := s.FromContexts(context.Background(), []deepeval.Context{lockers}, &deepeval.Ask{Goldens: 1})
	for _, g := range r.Goldens {
		fmt.Println(g.Input)
		fmt.Println(g.ExpectedOutput)
		fmt.Println(g.SourceFile, g.Metadata.Evolutions)
	}
	fmt.Println(r.Usage.Calls, "calls", err)
	// Output:
	// My parcel came on Monday, and I am away until Friday. Can you keep it?
	// A parcel stays for three days. I can extend that once, by two days.
	// lockers.md [Reasoning]
	// 5 calls <nil>
}

// A setting that cannot be is told before any call.
func ExampleNewSynthesizer_configuration() {
	var model llmtest.Func // is not asked
	_, err := deepeval.NewSynthesizer(&deepeval.SynthesizerOptions{
		Client:  model,
		Options: deepeval.Options{Evolution: deepeval.EvolutionConfig{Weights: map[deepeval.Evolution]float64{"Reasoning ": 1}}},
	})
	fmt.Println(err)
	// Output:
	// deepeval: Evolution.Weights: Reasoning : 1: no weight of an evolution; use the seven constants with weights of 0 or more
}
