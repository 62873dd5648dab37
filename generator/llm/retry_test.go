package llm_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

func user(text string) *llm.Request {
	return &llm.Request{Messages: []llm.Message{{Role: llm.RoleUser, Content: text}}}
}

func TestRetryByKind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind     llm.Kind
		attempts int
		min, max time.Duration // waited in all
	}{
		// 500 ms doubling, each between a half and the whole.
		{llm.KindRate, 4, 1750 * time.Millisecond, 3500 * time.Millisecond},
		{llm.KindOverload, 4, 1750 * time.Millisecond, 3500 * time.Millisecond},
		{llm.KindMalformed, 4, 1750 * time.Millisecond, 3500 * time.Millisecond},
		{llm.KindTruncated, 2, 0, 0},
		{llm.KindQuota, 1, 0, 0},
		{llm.KindAuth, 1, 0, 0},
		{llm.KindModel, 1, 0, 0},
		{llm.KindTooLong, 1, 0, 0},
		{llm.KindSchema, 1, 0, 0},
		{llm.KindUnsupported, 1, 0, 0},
		{llm.KindBlocked, 1, 0, 0},
		{llm.KindRefused, 1, 0, 0},
	} {
		t.Run(string(tt.kind), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				step := llmtest.Fail(tt.kind)
				step.Times = tt.attempts
				fake := llmtest.New(t, step)
				req := user("hello")
				req.MaxTokens = 100
				start := time.Now()
				_, err := llm.Retry(fake, &llm.RetryOptions{Attempts: 4}).Complete(t.Context(), req)
				var e *llm.Error
				if !errors.As(err, &e) || e.Kind != tt.kind {
					t.Errorf("error = %v, want the provider's own of kind %s", err, tt.kind)
				}
				if d := time.Since(start); d < tt.min || d > tt.max {
					t.Errorf("waited %v, want %v to %v", d, tt.min, tt.max)
				}
				if req.MaxTokens != 100 {
					t.Errorf("the caller's request was changed: MaxTokens = %d", req.MaxTokens)
				}
			})
		})
	}
}

func TestRetrySucceedsLater(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		fake := llmtest.New(t, llmtest.Fail(llm.KindOverload), llmtest.Fail(llm.KindRate), llmtest.Reply("ok"))
		resp, err := llm.Retry(fake, nil).Complete(t.Context(), user("hello"))
		if err != nil || resp.Text != "ok" {
			t.Errorf("got %v, %v; want the third reply", resp, err)
		}
	})
}

func TestRetryTruncatedDoublesTheLimitOnce(t *testing.T) {
	t.Parallel()
	req := user("hello")
	req.MaxTokens = 300
	fake := llmtest.New(t, llmtest.Fail(llm.KindTruncated), llmtest.Reply("whole"))
	resp, err := llm.Retry(fake, nil).Complete(t.Context(), req)
	if err != nil || resp.Text != "whole" {
		t.Fatalf("got %v, %v", resp, err)
	}
	if got := fake.Log()[1].MaxTokens; got != 600 {
		t.Errorf("second attempt asked for %d tokens, want 600", got)
	}

	// Without a limit of its own there is nothing to double.
	fake = llmtest.New(t, llmtest.Fail(llm.KindTruncated))
	if _, err := llm.Retry(fake, nil).Complete(t.Context(), user("hello")); err == nil {
		t.Error("want the truncation as an error")
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		after    time.Duration
		attempts int
		waited   time.Duration
	}{
		{"longer than the backoff", 20 * time.Second, 2, 20 * time.Second},
		{"at the cap", time.Minute, 2, time.Minute},
		{"beyond the cap", time.Hour, 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				fake := llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindRate, RetryAfter: tt.after}, Times: tt.attempts})
				start := time.Now()
				_, err := llm.Retry(fake, &llm.RetryOptions{Attempts: 2}).Complete(t.Context(), user("hello"))
				if err == nil {
					t.Error("want the rate error")
				}
				if d := time.Since(start); d != tt.waited {
					t.Errorf("waited %v, want %v", d, tt.waited)
				}
			})
		})
	}
}

func TestRetryStopsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the run is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, cause)
		defer cancel()
		fake := llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindRate, RetryAfter: 30 * time.Second}})
		start := time.Now()
		_, err := llm.Retry(fake, nil).Complete(ctx, user("hello"))
		var e *llm.Error
		if !errors.Is(err, cause) || !errors.As(err, &e) {
			t.Errorf("error = %v, want the cause and the failure", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("returned after %v, want 1s", d)
		}
	})
}

func TestRetryWaitsAreAFunctionOfSeedAndRequest(t *testing.T) {
	t.Parallel()
	waited := func(seed uint64, text string) (d time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			fake := llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindRate}, Times: 5})
			_, _ = llm.Retry(fake, &llm.RetryOptions{Seed: seed}).Complete(t.Context(), user(text))
			d = time.Since(start)
		})
		return d
	}
	first := waited(1, "hello")
	if again := waited(1, "hello"); again != first {
		t.Errorf("the same request waited %v, then %v", first, again)
	}
	distinct := map[time.Duration]bool{first: true, waited(2, "hello"): true, waited(1, "другой"): true, waited(3, "x"): true}
	if len(distinct) < 4 {
		t.Errorf("other seeds and requests must wait differently: %v", distinct)
	}
}
