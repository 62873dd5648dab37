package llm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

// A client that returns neither a reply nor an error breaks its contract. Every
// way through this package makes that a failure that can be told.
func TestClientWithoutReplyOrError(t *testing.T) {
	t.Parallel()
	ledger, err := llm.NewLedger(llm.Budget{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	type reply struct {
		Title string `json:"title"`
	}
	asked := func(ctx context.Context, c llm.Client, req *llm.Request) error {
		_, _, err := llm.Ask[reply](ctx, c, req)
		return err
	}
	plain := func(ctx context.Context, c llm.Client, req *llm.Request) error {
		_, err := c.Complete(ctx, req)
		return err
	}
	for _, tt := range []struct {
		name  string
		wrap  func(llm.Client) llm.Client
		do    func(context.Context, llm.Client, *llm.Request) error
		calls int
	}{
		{"Ask", func(c llm.Client) llm.Client { return c }, asked, 1},
		{"Adaptive", func(c llm.Client) llm.Client { return llm.Adaptive(c, nil) }, plain, 1},
		{"Retry", func(c llm.Client) llm.Client { return llm.Retry(c, &llm.RetryOptions{Attempts: 3}) }, plain, 3},
		{"Ledger", ledger.Client, plain, 1},
		{"Limiter", func(c llm.Client) llm.Client { return llm.NewLimiter(nil).Client(c) }, plain, 1},
		{"Record", func(c llm.Client) llm.Client { return llm.Record(c, &llm.Recorder{}) }, plain, 1},
		{"all of them", func(c llm.Client) llm.Client {
			return llm.Record(llm.Adaptive(llm.Retry(ledger.Client(llm.NewLimiter(nil).Client(c)), &llm.RetryOptions{Attempts: 3}), nil), &llm.Recorder{})
		}, asked, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // Retry waits
				calls := 0
				silent := llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
					calls++
					return nil, nil
				})
				err := tt.do(t.Context(), tt.wrap(silent), user("hello"))
				var e *llm.Error
				if !errors.As(err, &e) || e.Kind != llm.KindMalformed {
					t.Errorf("error = %v, want an *llm.Error of kind %s", err, llm.KindMalformed)
				}
				if calls != tt.calls {
					t.Errorf("the client was called %d times, want %d", calls, tt.calls)
				}
			})
		})
	}
}
