package openai_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/wire"
)

// An application composes the client with the decorators it wants, once, and
// hands the result to everything that calls the model.
func Example() {
	server := wire.Start(func(req wire.Request) wire.Reply { // plays the model, and fails at first
		if req.Attempt == 1 {
			return wire.Error(http.StatusServiceUnavailable, "server_is_overloaded", "", "Come again")
		}
		return wire.Reply{Text: `{"title":"Refund of an order"}`, Usage: llm.Usage{Input: 2000, Output: 100}}
	}, nil)
	defer server.Close()

	client, err := openai.New(openai.Options{BaseURL: server.URL(), Model: "gpt-6-luna"})
	if err != nil {
		fmt.Println(err)
		return
	}
	ledger, err := llm.NewLedger(llm.Budget{Calls: 500, USD: 2}, llm.Prices{"gpt-6-luna": {Input: 0.10, Cached: 0.01, CacheWrite: 0.125, Output: 0.50}})
	if err != nil {
		fmt.Println(err)
		return
	}
	limiter := llm.NewLimiter(&llm.LimitOptions{Concurrency: 16})
	model := llm.Adaptive(llm.Retry(ledger.Client(limiter.Client(client)), nil), client.Capabilities())

	type useCase struct {
		Title string `json:"title" jsonschema_description:"In the document's own words."`
	}
	got, _, err := llm.Ask[useCase](context.Background(), model, &llm.Request{
		Purpose:  "extract",
		Messages: []llm.Message{{Role: llm.RoleUser, Content: "Name the use case."}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	spent := ledger.Snapshot()
	fmt.Println(got.Title)
	fmt.Printf("%d calls, %d failed, $%.5f\n", spent.Calls, spent.Failed, spent.USD)
	// Output:
	// Refund of an order
	// 2 calls, 1 failed, $0.00025
}

// A wrong option is named before anything is sent.
func ExampleNew() {
	_, err := openai.New(openai.Options{BaseURL: "localhost:11434/v1"})
	fmt.Println(err)
	var wrong *openai.OptionError
	fmt.Println(errors.As(err, &wrong), wrong.Option)
	// Output:
	// openai: BaseURL: must begin with http:// or https://
	// openai: Model: is missing: name the model to call, there is no default
	// true BaseURL
}
