package llm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

// gauge counts the calls under way.
type gauge struct{ now, peak, total atomic.Int64 }

func (g *gauge) client(d time.Duration) llm.Client {
	return llmtest.Func(func(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
		n := g.now.Add(1)
		defer g.now.Add(-1)
		g.total.Add(1)
		for {
			p := g.peak.Load()
			if n <= p || g.peak.CompareAndSwap(p, n) {
				break
			}
		}
		select {
		case <-time.After(d):
			return &llm.Response{}, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	})
}

func TestLimiterIsSharedBetweenClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gauge
		l := llm.NewLimiter(&llm.LimitOptions{Concurrency: 3})
		clients := []llm.Client{l.Client(g.client(time.Second)), l.Client(g.client(time.Second))}
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				if _, err := clients[i%2].Complete(t.Context(), user("x")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if g.peak.Load() != 3 {
			t.Errorf("peak = %d, want 3", g.peak.Load())
		}
		if d := time.Since(start); d != 4*time.Second {
			t.Errorf("12 calls of 1 s, 3 at once, took %v", d)
		}
	})
}

func TestLimiterAdapts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := llm.NewLimiter(&llm.LimitOptions{Concurrency: 8})
		var failing atomic.Bool
		c := l.Client(llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
			time.Sleep(10 * time.Millisecond)
			if failing.Load() {
				return nil, &llm.Error{Kind: llm.KindRate}
			}
			return &llm.Response{}, nil
		}))
		burst := func(n int) {
			var wg sync.WaitGroup
			for range n {
				wg.Go(func() { _, _ = c.Complete(t.Context(), user("x")) })
			}
			wg.Wait()
		}
		// Eight calls meet one limit at once: that is one cut, not eight.
		failing.Store(true)
		burst(8)
		if got := l.Concurrency(); got != 6 {
			t.Fatalf("after one burst of rate errors: %d at once, want 6", got)
		}
		for range 20 {
			burst(1)
		}
		if got := l.Concurrency(); got != 1 {
			t.Fatalf("after many: %d at once, want 1", got)
		}
		failing.Store(false)
		burst(24)
		if got := l.Concurrency(); got != 1 {
			t.Errorf("after 24 successes: %d at once, want 1 still", got)
		}
		burst(1)
		if got := l.Concurrency(); got != 2 {
			t.Errorf("after 25 successes: %d at once, want 2", got)
		}
		burst(25 * 20)
		if got := l.Concurrency(); got != 8 {
			t.Errorf("after many successes: %d at once, want 8, the maximum", got)
		}
	})
}

func TestLimiterPausesEverybody(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		after time.Duration
		want  time.Duration
	}{
		{"without Retry-After", 0, 2 * time.Second},
		{"Retry-After", 7 * time.Second, 7 * time.Second},
		{"capped", time.Hour, time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := llm.NewLimiter(nil)
				bad := l.Client(llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindRate, RetryAfter: tt.after}}))
				good := l.Client(llmtest.New(t, llmtest.Reply("ok")))
				_, _ = bad.Complete(t.Context(), user("x"))
				start := time.Now()
				if _, err := good.Complete(t.Context(), user("y")); err != nil {
					t.Error(err)
				}
				if d := time.Since(start); d != tt.want {
					t.Errorf("another client's call waited %v, want %v", d, tt.want)
				}
			})
		})
	}
}

func TestLimiterLongestPauseCounts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := llm.NewLimiter(nil)
		var wg sync.WaitGroup
		for _, after := range []time.Duration{9 * time.Second, 3 * time.Second} {
			c := l.Client(llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindRate, RetryAfter: after}, Delay: time.Second}))
			wg.Go(func() { _, _ = c.Complete(t.Context(), user("x")) })
		}
		wg.Wait()
		start := time.Now()
		_, _ = l.Client(llmtest.New(t, llmtest.Reply("ok"))).Complete(t.Context(), user("y"))
		if d := time.Since(start); d != 9*time.Second {
			t.Errorf("waited %v, want 9s", d)
		}
	})
}

func TestLimiterRequestsPerMinute(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gauge
		c := llm.NewLimiter(&llm.LimitOptions{RequestsPerMinute: 30}).Client(g.client(0))
		start := time.Now()
		for range 31 {
			if _, err := c.Complete(t.Context(), user("x")); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start).Round(time.Second); d != time.Minute {
			t.Errorf("31 requests at 30 a minute took %v, want 1m", d)
		}
	})
}

func TestLimiterTokensPerMinute(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, used int64) time.Duration {
		var d time.Duration
		synctest.Test(t, func(t *testing.T) {
			req := user("x")
			req.MaxTokens = 5000
			step := llmtest.Step{Times: 30, Usage: llm.Usage{Input: 20, Output: used}}
			c := llm.NewLimiter(&llm.LimitOptions{TokensPerMinute: 6000}).Client(llmtest.New(t, step))
			start := time.Now()
			for range 30 {
				if _, err := c.Complete(t.Context(), req); err != nil {
					t.Fatal(err)
				}
			}
			d = time.Since(start)
		})
		return d
	}
	// 30 × 5,020 tokens at 6,000 a minute, a minute's worth in advance.
	if d := run(t, 5000); d < 23*time.Minute || d > 26*time.Minute {
		t.Errorf("full replies took %v, want about 24 minutes", d)
	}
	// Short replies are not held to the worst case.
	if d := run(t, 180); d > 2*time.Minute {
		t.Errorf("short replies took %v, want under 2 minutes", d)
	}
	// A request larger than a minute's tokens waits; it is not refused.
	synctest.Test(t, func(t *testing.T) {
		req := user("x")
		req.MaxTokens = 50_000
		c := llm.NewLimiter(&llm.LimitOptions{TokensPerMinute: 6000}).Client(llmtest.New(t, llmtest.Reply("ok")))
		if _, err := c.Complete(t.Context(), req); err != nil {
			t.Error(err)
		}
	})
}

func TestLimiterHonoursContextWherever(t *testing.T) {
	t.Parallel()
	cause := errors.New("the run is over")
	for _, tt := range []struct {
		name  string
		limit llm.LimitOptions
		first *llm.Error // of a call before; nil is a slow success
	}{
		{"waiting for a place", llm.LimitOptions{Concurrency: 1}, nil},
		{"in a pause", llm.LimitOptions{}, &llm.Error{Kind: llm.KindRate, RetryAfter: 30 * time.Second}},
		{"waiting for the rate", llm.LimitOptions{RequestsPerMinute: 1}, &llm.Error{Kind: llm.KindRefused}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := llm.NewLimiter(&tt.limit)
				var wg sync.WaitGroup
				if tt.first != nil {
					_, _ = l.Client(llmtest.New(t, llmtest.Step{Err: tt.first})).Complete(t.Context(), user("x"))
				} else {
					slow := l.Client(llmtest.New(t, llmtest.Step{Delay: 20 * time.Second}))
					wg.Go(func() { _, _ = slow.Complete(t.Context(), user("x")) })
					synctest.Wait()
				}
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(3*time.Second, func() { cancel(cause) })
				start := time.Now()
				_, err := l.Client(llmtest.New(t)).Complete(ctx, user("y"))
				if !errors.Is(err, cause) {
					t.Errorf("error = %v, want the cause", err)
				}
				if d := time.Since(start); d != 3*time.Second {
					t.Errorf("returned after %v, want 3s", d)
				}
				wg.Wait()
				// The place must not be lost with the call.
				time.Sleep(2 * time.Minute)
				if _, err := l.Client(llmtest.New(t, llmtest.Reply("ok"))).Complete(t.Context(), user("z")); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

func TestLimiterGivesThePlaceBackAfterAPanic(t *testing.T) {
	t.Parallel()
	l := llm.NewLimiter(&llm.LimitOptions{Concurrency: 1})
	bad := l.Client(llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) { panic("boom") }))
	func() {
		defer func() { _ = recover() }()
		_, _ = bad.Complete(t.Context(), user("x"))
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := l.Client(llmtest.New(t, llmtest.Reply("ok"))).Complete(ctx, user("y")); err != nil {
		t.Error(err)
	}
}

func TestLimiterStopsEarly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := llm.NewLimiter(&llm.LimitOptions{StopAbove: 0.5, StopWindow: 10})
		n := 0
		c := l.Client(llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
			n++
			switch {
			case n <= 30: // half fail: not above
				if n%2 == 0 {
					return nil, &llm.Error{Kind: llm.KindOverload, Status: 500}
				}
			case n <= 50: // outcomes of a call and rate errors are no fault
				if n%2 == 0 {
					return nil, &llm.Error{Kind: llm.KindRefused}
				}
				return nil, &llm.Error{Kind: llm.KindRate}
			default:
				return nil, &llm.Error{Kind: llm.KindAuth, Status: 401}
			}
			return &llm.Response{}, nil
		}))
		var stopped *llm.StoppedError
		for i := range 80 {
			_, err := c.Complete(t.Context(), user("x"))
			if errors.As(err, &stopped) {
				break
			}
			if i == 79 {
				t.Fatal("never stopped")
			}
		}
		if n != 56 {
			t.Errorf("stopped after %d calls, want 56: the sixth fault of ten", n)
		}
		var e *llm.Error
		if !errors.As(stopped.Last, &e) || errors.As(error(stopped), &e) || e.Kind != llm.KindAuth || stopped.Failed != 6 || stopped.Of != 10 {
			t.Errorf("stopped = %+v, want 6 of 10 and the last failure", stopped)
		}
	})
}

func TestLimiterReleasesWaitersWhenItStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := llm.NewLimiter(&llm.LimitOptions{Concurrency: 1, StopAbove: 0.1, StopWindow: 1})
		c := l.Client(llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindAuth}, Delay: time.Second}))
		var wg sync.WaitGroup
		errs := make([]error, 5)
		for i := range errs {
			wg.Go(func() { _, errs[i] = c.Complete(t.Context(), user(fmt.Sprint(i))) })
		}
		wg.Wait()
		n := 0
		for _, err := range errs {
			var stopped *llm.StoppedError
			if errors.As(err, &stopped) {
				n++
			}
		}
		if n != 4 {
			t.Errorf("%d of 4 waiting calls were refused: %v", n, errs)
		}
	})
}

func TestLimiterStopsDuringAPause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := llm.NewLimiter(&llm.LimitOptions{Concurrency: 2, StopAbove: 0.5, StopWindow: 1})
		limited := l.Client(llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindRate, RetryAfter: time.Minute}, Delay: time.Second}))
		refused := l.Client(llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindAuth}, Delay: 2 * time.Second}))
		start := time.Now()
		var wg sync.WaitGroup
		for _, c := range []llm.Client{limited, refused} {
			wg.Go(func() { _, _ = c.Complete(t.Context(), user("x")) })
		}
		synctest.Wait()
		_, err := l.Client(llmtest.New(t)).Complete(t.Context(), user("y"))
		var stopped *llm.StoppedError
		if !errors.As(err, &stopped) || time.Since(start) != 2*time.Second {
			t.Errorf("the waiting call got %v after %v, want a StoppedError after 2s", err, time.Since(start))
		}
		wg.Wait()
	})
}

func TestLimiterRateErrorsDoNotHideFaults(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := llm.NewLimiter(&llm.LimitOptions{StopAbove: 0.5, StopWindow: 4}).Client(llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
			if n++; n%4 == 0 {
				return nil, &llm.Error{Kind: llm.KindOverload, Status: 500}
			}
			return nil, &llm.Error{Kind: llm.KindRate}
		}))
		for range 40 {
			_, _ = c.Complete(t.Context(), user("x"))
		}
		if n != 16 {
			t.Errorf("%d calls were sent, want 16: the fourth fault is the last", n)
		}
	})
}

func TestLimiterForgetsTheTokensOfACancelledWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := llm.NewLimiter(&llm.LimitOptions{TokensPerMinute: 6000}).Client(llmtest.New(t, llmtest.Step{Times: 2}))
		large, small := user("x"), user("x")
		large.MaxTokens, small.MaxTokens = 50_000, 75 // and 25 of input
		first := user("x")
		first.MaxTokens = 5975
		if _, err := c.Complete(t.Context(), first); err != nil { // the whole minute's worth
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := c.Complete(ctx, large); !errors.Is(err, context.Canceled) {
			t.Fatalf("the large call got %v, want it cancelled", err)
		}
		start := time.Now()
		if _, err := c.Complete(t.Context(), small); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("the small call waited %v for tokens that nobody used", d)
		}
	})
}
