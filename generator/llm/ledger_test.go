package llm_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

func newLedger(t *testing.T, b llm.Budget, p llm.Prices) *llm.Ledger {
	t.Helper()
	l, err := llm.NewLedger(b, p)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestEstimateOf(t *testing.T) {
	t.Parallel()
	text := func(s string) int64 { return llm.EstimateOf(user(s)).Input }
	empty := text("")
	for _, tt := range []struct {
		name, text string
		want       int64
	}{
		{"rounded up", "abcde", 2},
		{"four bytes a token", strings.Repeat("word ", 80), 100},
		{"Cyrillic, a token a letter", strings.Repeat("я", 100), 100},
		{"Georgian", strings.Repeat("წ", 100), 150},
	} {
		if got := text(tt.text) - empty; got != tt.want {
			t.Errorf("%s: %d tokens, want %d", tt.name, got, tt.want)
		}
	}
	req := user("")
	if e := llm.EstimateOf(req); e.Output != llm.DefaultReplyTokens {
		t.Errorf("no MaxTokens: %d tokens of reply, want the default", e.Output)
	}
	req.MaxTokens = 77
	req.Model = "m"
	if e := llm.EstimateOf(req); e.Output != 77 || e.Model != "m" {
		t.Errorf("got %+v", e)
	}
	// Everything that is sent counts.
	full := &llm.Request{
		Messages: []llm.Message{{Role: llm.RoleAssistant, Calls: []llm.ToolCall{{Name: "t", Arguments: strings.Repeat("a", 400)}}}},
		Tools:    []llm.Tool{{Name: "t", Description: strings.Repeat("d", 400), Parameters: []byte(strings.Repeat("p", 400))}},
		Schema:   &llm.Schema{Name: "s", JSON: []byte(strings.Repeat("j", 400))},
	}
	if e := llm.EstimateOf(full); e.Input < 400 {
		t.Errorf("input of a request with tools and schema = %d, want 400 at least", e.Input)
	}
}

func TestLedgerCostsByTheServedModel(t *testing.T) {
	t.Parallel()
	prices := llm.Prices{
		"a": {Input: 1, Cached: 0.1, CacheWrite: 1.25, Output: 10},
		"b": {Input: 2, Output: 20},
	}
	for _, tt := range []struct {
		name     string
		asked    string
		served   string
		usage    llm.Usage
		usd      float64
		unpriced int64
	}{
		{"plain", "a", "a", llm.Usage{Input: 1e6, Output: 1e5}, 2, 0},
		{"cached and written pay their own rate", "a", "a", llm.Usage{Input: 1e6, Cached: 6e5, CacheWrite: 3e5}, 0.1 + 0.06 + 0.375, 0},
		{"more cached than input: never negative", "a", "a", llm.Usage{Input: 100, Cached: 1e6}, 0.1, 0},
		{"reasoning is inside the output", "a", "a", llm.Usage{Output: 1e5, Reasoning: 9e4}, 1, 0},
		{"another model served", "a", "b", llm.Usage{Input: 1e6}, 2, 0},
		{"a dated name costs what was asked for", "a", "a-2026-11-01", llm.Usage{Input: 1e6}, 1, 0},
		{"unknown is never zero", "c", "c", llm.Usage{Input: 1e6}, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, llm.Budget{}, prices)
			req := user("x")
			req.Model, req.Purpose = tt.asked, "route"
			c := l.Client(llmtest.New(t, llmtest.Step{Usage: tt.usage, Model: tt.served}))
			if _, err := c.Complete(t.Context(), req); err != nil {
				t.Fatal(err)
			}
			s := l.Snapshot()
			if math.Abs(s.USD-tt.usd) > 1e-9 || s.Unpriced != tt.unpriced {
				t.Errorf("%v USD, %d unpriced; want %v, %d", s.USD, s.Unpriced, tt.usd, tt.unpriced)
			}
			if s.Lines[0].Model != tt.served {
				t.Errorf("accounted to %q, want %q", s.Lines[0].Model, tt.served)
			}
		})
	}
}

func TestLedgerSnapshot(t *testing.T) {
	t.Parallel()
	l := newLedger(t, llm.Budget{}, llm.Prices{"fake": {Input: 1, Output: 2}})
	c := l.Client(llmtest.New(t,
		llmtest.Step{Purpose: "route", Usage: llm.Usage{Input: 10, Cached: 4, Output: 5}, Times: 2},
		llmtest.Step{Purpose: "extract", Usage: llm.Usage{Input: 100, Output: 50, Reasoning: 20}, Model: "other"},
		// A refusal is a failure that is paid for.
		llmtest.Step{Purpose: "extract", Err: &llm.Error{Kind: llm.KindRefused, Model: "fake", Usage: llm.Usage{Input: 7, Output: 1}}},
		llmtest.Step{Purpose: "extract", Err: &llm.Error{Kind: llm.KindRate, Status: 429}},
	))
	for _, purpose := range []string{"route", "extract", "extract", "route", "extract"} {
		req := user("x")
		req.Purpose = purpose
		_, _ = c.Complete(t.Context(), req)
	}
	// The price of "other" is unknown, so what was asked for is charged.
	want := &llm.Spending{
		Calls: 5, Failed: 2, Tokens: llm.Usage{Input: 127, Cached: 8, Output: 61, Reasoning: 20}, USD: 0.000241,
		Lines: []llm.SpendingLine{
			{Purpose: "extract", Model: "fake", Calls: 2, Failed: 2, Tokens: llm.Usage{Input: 7, Output: 1}, USD: 0.000009},
			{Purpose: "extract", Model: "other", Calls: 1, Tokens: llm.Usage{Input: 100, Output: 50, Reasoning: 20}, USD: 0.0002},
			{Purpose: "route", Model: "fake", Calls: 2, Tokens: llm.Usage{Input: 20, Cached: 8, Output: 10}, USD: 0.000032},
		},
	}
	if diff := cmp.Diff(want, l.Snapshot()); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
}

func TestLedgerRefusesBeforeTheCall(t *testing.T) {
	t.Parallel()
	req := user(strings.Repeat("a", 400)) // 124 tokens of input
	req.MaxTokens = 876                   // 1,000 in all, 0.876 + 0.124 = 1 milli-dollar
	prices := llm.Prices{"fake": {Input: 1, Output: 1}}
	for _, tt := range []struct {
		name   string
		budget llm.Budget
		limit  string
	}{
		{"calls", llm.Budget{Calls: 3}, "calls"},
		{"tokens", llm.Budget{Tokens: 3999}, "tokens"},
		{"money", llm.Budget{USD: 0.003999}, "usd"},
		{"the first that is reached", llm.Budget{Calls: 100, Tokens: 3999, USD: 100}, "tokens"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, tt.budget, prices)
			// Each call uses all that it may.
			fake := llmtest.New(t, llmtest.Step{Usage: llm.Usage{Input: 124, Output: 876}, Times: 3})
			c := l.Client(fake)
			for range 3 {
				if _, err := c.Complete(t.Context(), req); err != nil {
					t.Fatal(err)
				}
			}
			_, err := c.Complete(t.Context(), req)
			var refused *llm.BudgetError
			if !errors.As(err, &refused) || refused.Limit != tt.limit {
				t.Fatalf("fourth call: %v, want a BudgetError of %s", err, tt.limit)
			}
			if refused.Spent+refused.Worst <= refused.Max {
				t.Errorf("%+v would fit", refused)
			}
			if n := len(fake.Log()); n != 3 {
				t.Errorf("%d calls were sent", n)
			}
		})
	}
}

func TestLedgerGivesBackWhatWasNotUsed(t *testing.T) {
	t.Parallel()
	l := newLedger(t, llm.Budget{Tokens: 10_000}, nil)
	c := l.Client(llmtest.New(t, llmtest.Step{Usage: llm.Usage{Input: 20, Output: 30}, Times: 5}))
	req := user("x")
	req.MaxTokens = 9000
	for range 5 {
		if _, err := c.Complete(t.Context(), req); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLedgerNeverPassesTheBudgetAtOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(t, llm.Budget{Calls: 7, Tokens: 5000}, nil)
	c := l.Client(llmtest.New(t, llmtest.Step{Usage: llm.Usage{Input: 25, Output: 100}, Times: -1}))
	req := user("x")
	req.MaxTokens = 100
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() { _, _ = c.Complete(t.Context(), req) })
	}
	wg.Wait()
	if s := l.Snapshot(); s.Calls > 7 || s.Tokens.Input+s.Tokens.Output > 5000 {
		t.Errorf("spent %+v", s)
	}
}

func TestLedgerCallsThatMayHaveBeenBilled(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
		want bool // charged with the worst case
	}{
		{"deadline", context.DeadlineExceeded, true},
		{"broken connection", &llm.Error{Kind: llm.KindOverload}, true},
		{"cut body", &llm.Error{Kind: llm.KindOverload, Status: 200}, true},
		{"unreadable reply", &llm.Error{Kind: llm.KindMalformed}, true},
		{"server fault", &llm.Error{Kind: llm.KindOverload, Status: 503}, false},
		{"rate", &llm.Error{Kind: llm.KindRate, Status: 429}, false},
		{"key refused", &llm.Error{Kind: llm.KindAuth, Status: 401}, false},
		{"known usage", &llm.Error{Kind: llm.KindTruncated, Usage: llm.Usage{Output: 1}}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(t, llm.Budget{Tokens: 1500}, nil)
			c := l.Client(llmtest.New(t, llmtest.Step{Err: tt.err, Times: -1}))
			req := user("x")
			req.MaxTokens = 1000
			_, _ = c.Complete(t.Context(), req)
			_, err := c.Complete(t.Context(), req)
			var refused *llm.BudgetError
			if got := errors.As(err, &refused); got != tt.want {
				t.Errorf("second call refused: %v, want %v (%v)", got, tt.want, err)
			}
			if got := l.Snapshot().Assumed > 0; got != tt.want {
				t.Errorf("assumed = %d", l.Snapshot().Assumed)
			}
		})
	}
}

func TestLedgerPrices(t *testing.T) {
	t.Parallel()
	l := newLedger(t, llm.Budget{USD: 1}, llm.Prices{"known": {Input: 1}})
	if err := l.CheckPrice("known"); err != nil {
		t.Error(err)
	}
	var unknown *llm.PriceError
	if err := l.CheckPrice("new"); !errors.As(err, &unknown) || unknown.Model != "new" {
		t.Errorf("CheckPrice = %v, want a PriceError that names the model", err)
	}
	// Nothing is sent for a model without a price: the script is empty. The
	// client's own model counts through decorators.
	c := l.Client(llm.NewLimiter(nil).Client(llm.Adaptive(llmtest.New(t), nil)))
	if _, err := c.Complete(t.Context(), user("x")); !errors.As(err, &unknown) || unknown.Model != "fake" {
		t.Errorf("Complete = %v, want a PriceError for the client's model", err)
	}
	if _, err := l.Reserve(llm.Estimate{Input: 1}); !errors.As(err, &unknown) || unknown.Model != "fake" {
		t.Errorf("Reserve = %v, want a PriceError for the client's model", err)
	}
	nameless := l.Client(llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
		t.Error("sent")
		return nil, nil
	}))
	if _, err := nameless.Complete(t.Context(), user("x")); !errors.As(err, &unknown) || unknown.Model != "" {
		t.Errorf("Complete = %v, want a PriceError for no name", err)
	}
	for _, bad := range []llm.Budget{{Calls: -1}, {Tokens: -1}, {USD: -1}, {USD: math.NaN()}} {
		if _, err := llm.NewLedger(bad, nil); err == nil {
			t.Errorf("budget %+v was accepted", bad)
		}
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := llm.NewLedger(llm.Budget{}, llm.Prices{"m": {Output: bad}}); err == nil {
			t.Errorf("price %v was accepted", bad)
		}
	}
}

func TestReservation(t *testing.T) {
	t.Parallel()
	l := newLedger(t, llm.Budget{Calls: 2, Tokens: 3000}, nil)
	fake := llmtest.New(t, llmtest.Step{Usage: llm.Usage{Output: 10}, Times: 2})
	c := l.Client(fake)
	req := user("x")
	req.MaxTokens = 1000
	first, err := l.Reserve(llm.EstimateOf(req))
	if err != nil {
		t.Fatal(err)
	}
	second, err := l.Reserve(llm.EstimateOf(req))
	if err != nil {
		t.Fatal(err)
	}
	var refused *llm.BudgetError
	if _, err := l.Reserve(llm.EstimateOf(req)); !errors.As(err, &refused) || refused.Limit != "calls" || refused.Held != 2 {
		t.Fatalf("third reservation: %v, want a refusal: two are held", err)
	}
	// Others cannot take what is reserved; its owner can.
	if _, err := c.Complete(t.Context(), req); !errors.As(err, &refused) {
		t.Errorf("call without a reservation: %v, want a refusal", err)
	}
	ctx := llm.WithReservation(t.Context(), first)
	if _, err := c.Complete(ctx, req); err != nil {
		t.Errorf("call with a reservation: %v", err)
	}
	first.Release() // used: nothing to give back
	// Its second call reserves for itself, and there is nothing left.
	if _, err := c.Complete(ctx, req); !errors.As(err, &refused) {
		t.Errorf("second call under one reservation: %v, want a refusal", err)
	}
	second.Release()
	second.Release()
	if _, err := c.Complete(ctx, req); err != nil {
		t.Errorf("after the release: %v", err)
	}
	if s := l.Snapshot(); s.Calls != 2 {
		t.Errorf("%d calls", s.Calls)
	}
}

func TestReservationTooSmallIsRaised(t *testing.T) {
	t.Parallel()
	small := llm.Estimate{Input: 100, Output: 100}
	req := user("x")
	req.MaxTokens = 1000
	for _, tt := range []struct {
		name   string
		tokens int64
		ok     bool
	}{{"the budget allows the rest", 1300, true}, {"it does not", 900, false}} {
		l := newLedger(t, llm.Budget{Tokens: tt.tokens}, nil)
		r, err := l.Reserve(small)
		if err != nil {
			t.Fatal(err)
		}
		c := l.Client(llmtest.New(t, llmtest.Step{Times: -1}))
		if _, err := c.Complete(llm.WithReservation(t.Context(), r), req); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		r.Release()
		// A refused call leaves nothing held.
		if _, err := l.Reserve(llm.Estimate{Output: tt.tokens}); err != nil {
			t.Errorf("%s: after all is done: %v", tt.name, err)
		}
	}
}

func TestReservationOfAnotherLedgerIsNotUsed(t *testing.T) {
	t.Parallel()
	other := newLedger(t, llm.Budget{Calls: 1}, nil)
	r, err := other.Reserve(llm.Estimate{})
	if err != nil {
		t.Fatal(err)
	}
	l := newLedger(t, llm.Budget{Calls: 1}, nil)
	c := l.Client(llmtest.New(t, llmtest.Reply("ok")))
	if _, err := c.Complete(llm.WithReservation(t.Context(), r), user("x")); err != nil {
		t.Fatal(err)
	}
	r.Release()
	if _, err := other.Reserve(llm.Estimate{}); err != nil {
		t.Errorf("the reservation was spent elsewhere: %v", err)
	}
}

func TestLedgerCallsThatWereNeverSentCostNothing(t *testing.T) {
	t.Parallel()
	l := newLedger(t, llm.Budget{Calls: 1}, nil)
	limiter := llm.NewLimiter(&llm.LimitOptions{StopAbove: 0.5, StopWindow: 1})
	_, _ = limiter.Client(llmtest.New(t, llmtest.Fail(llm.KindAuth))).Complete(t.Context(), user("x"))
	var stopped *llm.StoppedError
	// A stopped limiter is not retried either: that would wait.
	c := llm.Retry(l.Client(limiter.Client(llmtest.New(t))), &llm.RetryOptions{Base: time.Hour})
	if _, err := c.Complete(t.Context(), user("x")); !errors.As(err, &stopped) {
		t.Errorf("error = %v, want the limiter's", err)
	}
	empty, err := llm.Replay()
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Client(empty).Complete(ended, user("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v", err)
	}
	if s := l.Snapshot(); s.Calls != 0 {
		t.Errorf("accounted %+v", s)
	}
	if _, err := l.Reserve(llm.Estimate{}); err != nil {
		t.Errorf("something is still held: %v", err)
	}
}

func TestLedgerSettlesAfterAPanic(t *testing.T) {
	t.Parallel()
	l := newLedger(t, llm.Budget{Calls: 5}, nil)
	c := l.Client(llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) { panic("boom") }))
	func() {
		defer func() { _ = recover() }()
		_, _ = c.Complete(t.Context(), user("x"))
	}()
	if s := l.Snapshot(); s.Calls != 1 || s.Failed != 1 {
		t.Errorf("%d calls, %d failed; want 1, 1", s.Calls, s.Failed)
	}
}

func TestEachAttemptIsPaidFor(t *testing.T) {
	t.Parallel()
	l := newLedger(t, llm.Budget{Calls: 2}, nil)
	step := llmtest.Fail(llm.KindTruncated)
	fake := llmtest.New(t, step, llmtest.Fail(llm.KindMalformed))
	req := user("x")
	req.MaxTokens = 10
	_, err := llm.Retry(l.Client(fake), &llm.RetryOptions{Base: 1}).Complete(t.Context(), req)
	var refused *llm.BudgetError
	if !errors.As(err, &refused) {
		t.Errorf("error = %v, want the third attempt refused", err)
	}
}
