package llm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

// provider stands for a client of adapters/openai.
var provider = llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
	return &llm.Response{Text: `{"days":14}`, Model: "m", Usage: llm.Usage{Input: 120, Output: 8}}, nil
})

// The order of the decorators, from the outside in: Record, Adaptive, Retry,
// Ledger, Limiter, the provider. So every attempt is paid for and limited, and
// a replay needs none of them.
func Example() {
	ledger, err := llm.NewLedger(llm.Budget{Calls: 100, USD: 0.50}, llm.Prices{"m": {Input: 0.10, Output: 0.50}})
	if err != nil {
		fmt.Println(err)
		return
	}
	limiter := llm.NewLimiter(&llm.LimitOptions{Concurrency: 8})
	var recorder llm.Recorder
	client := llm.Record(llm.Adaptive(llm.Retry(ledger.Client(limiter.Client(provider)), nil), nil), &recorder)

	type answer struct {
		Days int `json:"days"`
	}
	req := &llm.Request{Model: "m", Purpose: "extract", MaxTokens: 200, Messages: []llm.Message{{Role: llm.RoleUser, Content: "How long may goods be returned?"}}}
	got, _, err := llm.Ask[answer](context.Background(), client, req)
	fmt.Println(got.Days, err)
	spent := ledger.Snapshot()
	fmt.Printf("%d call, %d tokens, $%.6f\n", spent.Calls, spent.Tokens.Input+spent.Tokens.Output, spent.USD)
	// Output:
	// 14 <nil>
	// 1 call, 128 tokens, $0.000016
}

func ExampleLedger_Reserve() {
	ledger, err := llm.NewLedger(llm.Budget{Calls: 2}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	client := ledger.Client(provider)
	req := &llm.Request{MaxTokens: 100, Messages: []llm.Message{{Role: llm.RoleUser, Content: "…"}}}
	for i := range 3 { // in plan order; the calls themselves may run at once
		r, err := ledger.Reserve(llm.EstimateOf(req))
		if err != nil {
			var over *llm.BudgetError
			fmt.Println(i, errors.As(err, &over), over.Limit)
			break
		}
		_, err = client.Complete(llm.WithReservation(context.Background(), r), req)
		r.Release() // nothing, if the call was made
		fmt.Println(i, err)
	}
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 2 true calls
}

func ExampleReplay() {
	var file strings.Builder
	req := &llm.Request{Messages: []llm.Message{{Role: llm.RoleUser, Content: "How long?"}}}
	_, _ = llm.Record(provider, llm.NewRecordWriter(&file)).Complete(context.Background(), req)

	client, err := llm.Replay(strings.NewReader(file.String()))
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Complete(context.Background(), req)
	fmt.Println(resp.Text, err)
	// Output: {"days":14} <nil>
}

func ExampleParseCalls() {
	tools := []llm.Tool{{Name: "generate_direct"}}
	for _, c := range llm.ParseCalls("Let me see.\n```json\n{\"name\": \"functions.generate_direct\", \"arguments\": {\"count\": 3}}\n```", tools) {
		fmt.Println(c.ID, c.Name, c.Arguments)
	}
	// Output: call_1 generate_direct {"count":3}
}

func ExampleNewLexical() {
	embedder := llm.NewLexical([]string{"возврат денег", "доставка на дом", "оплата картой"})
	v, _ := embedder.Embed(context.Background(), []string{"Возврата денег жду неделю", "деньги и возврат", "доставка домой"})
	fmt.Println(llm.Cosine(v[0], v[1]) > llm.Cosine(v[0], v[2]))
	// Output: true
}
