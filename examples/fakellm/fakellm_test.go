package fakellm_test

import (
	"context"
	"errors"
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/examples/fakellm"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/generatortest"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

func policy() model.Policy {
	return model.Policy{
		ID: "pol_deposit", Case: model.CaseSupportBot, Type: model.Must, Name: "Deposit returned",
		Description: "The answer states when the deposit is returned.",
		Statement:   "The deposit of 60 euros is returned within 3 working days.",
		Evidence:    []model.Evidence{{InputFile: "rental.md", LineStart: 4, LineEnd: 4, Quote: "The deposit of 60 euros is returned within 3 working days."}},
	}
}

func job() *orchestrate.Job {
	p := policy()
	return &orchestrate.Job{
		Language: "en",
		UseCase: model.UseCase{
			ID: "uc_deposit", Case: model.CaseSupportBot, Name: "Get the deposit back",
			Description: "A renter wants to know when the deposit comes back.", Evidence: p.Evidence,
		},
		Policies: []model.Policy{p},
	}
}

// A model that follows a script: the router calls our tool, and the tool asks
// for an exchange for each row. llmtest fails the test when a request comes
// that the script does not expect, and when a step is left over.
func TestOurGeneratorIsPickedAndItsItemsAreKept(t *testing.T) {
	t.Parallel()
	g, err := fakellm.New()
	if err != nil {
		t.Fatal(err)
	}
	exchange := func(q, a string) llmtest.Step {
		return llmtest.JSON(map[string]any{"question": q, "answer": a, "criteria": []string{"States 3 working days", "Names the deposit of 60 euros", "Promises no earlier date"}}).For("exchange")
	}
	model := llmtest.New(t,
		llmtest.Call("generate_with_exchange", map[string]any{"persona": "regular"}).For("route"),
		exchange("When is my money back?", "We return the deposit of 60 euros within 3 working days."),
		exchange("I gave back the bike. Deposit?", "The 60 euros come back to you within 3 working days."),
		exchange("Give me my deposit NOW!!!", "I understand that you are upset. The deposit of 60 euros is returned within 3 working days."),
	)
	o, err := orchestrate.New([]generator.Generator{g}, &orchestrate.Options{
		Client: model, Counts: orchestrate.Counts{TestCasesPerUseCase: 3},
		// This test is about our generator; the texts above show no planned values.
		Checks: []coverage.Check{}, Minimums: coverage.Minimums{AllowUnpressed: true},
	})
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.Generate(t.Context(), job())
	if err != nil {
		t.Fatal(err)
	}
	for _, ex := range res.Dataset.Examples {
		if ex.Metadata.Generator != "exchange" {
			t.Errorf("%s was made by %s", ex.ID, ex.Metadata.Generator)
		}
	}
	if n := len(res.Dataset.Examples); n != 3 {
		t.Errorf("%d examples, want 3", n)
	}
}

// What does the application see when the provider refuses the key?
func TestARefusedKeyIsATypedError(t *testing.T) {
	t.Parallel()
	o, err := orchestrate.New(nil, &orchestrate.Options{Client: llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
		return nil, &llm.Error{Kind: llm.KindAuth, Status: 401, Message: "invalid key"}
	})})
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.Generate(t.Context(), job())
	var provider *orchestrate.ProviderError
	var cause *llm.Error
	if !errors.As(err, &provider) || !errors.As(err, &cause) || cause.Kind != llm.KindAuth {
		t.Fatalf("got %v", err)
	}
	if len(res.Dataset.Examples) != 0 {
		t.Errorf("%d examples were made", len(res.Dataset.Examples))
	}
}

// The conformance test that every generator can be put through.
func TestConformance(t *testing.T) {
	t.Parallel()
	g, err := fakellm.New()
	if err != nil {
		t.Fatal(err)
	}
	generatortest.Test(t, g, &generatortest.Options{
		Model: func(*generator.Call) llm.Client {
			return llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
				return &llm.Response{Text: `{"question":"q","answer":"a","criteria":["one","two","three"]}`}, nil
			})
		},
	})
}
