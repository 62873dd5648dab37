package llm_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
)

// embedder is made of a function, and named and counted if the fields say so.
type embedder struct {
	do    func(ctx context.Context, texts []string) ([][]float32, error)
	used  llm.Usage
	model string
	batch int
}

func (e *embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return e.do(ctx, texts)
}

func (e *embedder) EmbedUsage(ctx context.Context, texts []string) ([][]float32, llm.Usage, error) {
	vs, err := e.do(ctx, texts)
	return vs, e.used, err
}
func (e *embedder) Model() string { return e.model }
func (e *embedder) Batch() int    { return e.batch }

// plain is an embedder that says nothing of itself.
type plain func(ctx context.Context, texts []string) ([][]float32, error)

func (p plain) Embed(ctx context.Context, texts []string) ([][]float32, error) { return p(ctx, texts) }

// lengths are vectors that tell texts of different lengths apart.
func lengths(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = []float32{1, float32(len(t))}
	}
	return out, nil
}

func TestLimiterHoldsEmbeddingsAndCompletionsTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var g gauge
		l := llm.NewLimiter(&llm.LimitOptions{Concurrency: 3})
		client := g.client(time.Second)
		e := l.Embedder(plain(func(ctx context.Context, texts []string) ([][]float32, error) {
			if _, err := client.Complete(ctx, user("x")); err != nil {
				return nil, err
			}
			return lengths(ctx, texts)
		}))
		c := l.Client(client)
		start := time.Now()
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if vs, err := e.Embed(t.Context(), []string{"abc"}); err != nil || vs[0][1] != 3 {
					t.Error(vs, err)
				}
			})
			wg.Go(func() {
				if _, err := c.Complete(t.Context(), user("x")); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if g.peak.Load() != 3 || time.Since(start) != 4*time.Second {
			t.Errorf("%d at once, %v; want 3, 4s", g.peak.Load(), time.Since(start))
		}
	})
}

func TestLimiterLearnsFromEmbeddings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := llm.NewLimiter(&llm.LimitOptions{Concurrency: 8, TokensPerMinute: 600})
		calls := 0
		e := l.Embedder(&embedder{used: llm.Usage{Input: 600}, do: func(ctx context.Context, texts []string) ([][]float32, error) {
			if calls++; calls == 1 {
				return nil, &llm.Error{Kind: llm.KindRate, RetryAfter: 5 * time.Second}
			}
			return lengths(ctx, texts)
		}})
		var failed *llm.Error
		if _, err := e.Embed(t.Context(), []string{"a"}); !errors.As(err, &failed) || failed.Kind != llm.KindRate {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := e.Embed(t.Context(), []string{"a"}); err != nil || time.Since(start) < 5*time.Second {
			t.Errorf("the next call came after %v (%v), want the pause that was asked for", time.Since(start), err)
		}
		if l.Concurrency() != 6 {
			t.Errorf("%d at once after a rate error, want 6", l.Concurrency())
		}
		start = time.Now()
		for range 2 { // each of a minute's tokens; the first finds them saved up
			if _, err := e.Embed(t.Context(), []string{"a"}); err != nil {
				t.Fatal(err)
			}
		}
		if d := time.Since(start); d < 50*time.Second {
			t.Errorf("two calls of a minute's tokens each, after another, took %v", d)
		}
	})
}

func TestLimiterGivesThePlaceOfAPanicBack(t *testing.T) {
	t.Parallel()
	l := llm.NewLimiter(&llm.LimitOptions{Concurrency: 1})
	e := l.Embedder(plain(func(context.Context, []string) ([][]float32, error) { panic("broken") }))
	for range 2 {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_, err := e.Embed(t.Context(), []string{"a"})
			t.Error(err)
		}()
	}
}

func TestLedgerCountsEmbeddings(t *testing.T) {
	t.Parallel()
	texts := []string{"возврат товара", "return"}
	for _, tt := range []struct {
		name string
		e    llm.Embedder
		want llm.SpendingLine
	}{
		{
			"as the provider counts",
			&embedder{do: lengths, used: llm.Usage{Input: 1e6}, model: "e"},
			llm.SpendingLine{Purpose: llm.PurposeEmbed, Model: "e", Calls: 1, Tokens: llm.Usage{Input: 1e6}, USD: 0.5},
		},
		{
			"estimated", &embedder{do: lengths, model: "e"},
			llm.SpendingLine{Purpose: llm.PurposeEmbed, Model: "e", Calls: 1, Tokens: llm.Usage{Input: 19}, USD: 19 * 0.5e-6},
		},
		{
			"estimated, of an unknown model", plain(lengths),
			llm.SpendingLine{Purpose: llm.PurposeEmbed, Calls: 1, Tokens: llm.Usage{Input: 19}, Unpriced: 1},
		},
		{
			"refused", &embedder{model: "e", do: func(context.Context, []string) ([][]float32, error) {
				return nil, &llm.Error{Kind: llm.KindAuth, Status: 401}
			}},
			llm.SpendingLine{Purpose: llm.PurposeEmbed, Model: "e", Calls: 1, Failed: 1},
		},
		{
			"failed after a part", &embedder{model: "e", do: func(context.Context, []string) ([][]float32, error) {
				return nil, &llm.Error{Kind: llm.KindRate, Usage: llm.Usage{Input: 100}}
			}},
			llm.SpendingLine{Purpose: llm.PurposeEmbed, Model: "e", Calls: 1, Failed: 1, Tokens: llm.Usage{Input: 100}, USD: 100 * 0.5e-6},
		},
		{
			"cut off", &embedder{model: "e", do: func(context.Context, []string) ([][]float32, error) {
				return nil, &llm.Error{Kind: llm.KindOverload}
			}},
			llm.SpendingLine{Purpose: llm.PurposeEmbed, Model: "e", Calls: 1, Failed: 1, Assumed: 19, USD: 19 * 0.5e-6},
		},
	} {
		l, err := llm.NewLedger(llm.Budget{}, llm.Prices{"e": {Input: 0.5}})
		if err != nil {
			t.Fatal(err)
		}
		_, failed := l.Embedder(l1(tt.e)).Embed(t.Context(), texts)
		if (failed != nil) != (tt.want.Failed > 0) {
			t.Errorf("%s: %v", tt.name, failed)
		}
		if diff := cmp.Diff([]llm.SpendingLine{tt.want}, l.Snapshot().Lines); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// l1 puts a limiter around e, through which model and usage must pass.
func l1(e llm.Embedder) llm.Embedder { return llm.NewLimiter(nil).Embedder(e) }

func TestBudgetHoldsForEmbeddings(t *testing.T) {
	t.Parallel()
	called := 0
	count := func(ctx context.Context, texts []string) ([][]float32, error) {
		called++
		return lengths(ctx, texts)
	}
	l, err := llm.NewLedger(llm.Budget{Tokens: 50}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := l.Embedder(plain(count))
	if _, err := e.Embed(t.Context(), []string{strings.Repeat("a", 100)}); err != nil {
		t.Fatal(err)
	}
	var budget *llm.BudgetError
	if _, err := e.Embed(t.Context(), []string{strings.Repeat("a", 100)}); !errors.As(err, &budget) || budget.Purpose != llm.PurposeEmbed {
		t.Errorf("a call beyond the budget: %v", err)
	}
	if called != 1 {
		t.Errorf("%d calls were sent, want 1", called)
	}
	l, err = llm.NewLedger(llm.Budget{USD: 1}, llm.Prices{"chat": {}})
	if err != nil {
		t.Fatal(err)
	}
	var price *llm.PriceError
	if _, err := l.Embedder(&embedder{do: count, model: "e"}).Embed(t.Context(), []string{"a"}); !errors.As(err, &price) || price.Model != "e" {
		t.Errorf("a model of unknown price: %v", err)
	}
}

// A reservation is for the completion that it was made for.
func TestEmbeddingLeavesTheReservation(t *testing.T) {
	t.Parallel()
	l, err := llm.NewLedger(llm.Budget{Calls: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Reserve(llm.Estimate{Input: 10, Output: 10})
	if err != nil {
		t.Fatal(err)
	}
	ctx := llm.WithReservation(t.Context(), r)
	e := l.Embedder(plain(lengths))
	if _, err := e.Embed(ctx, []string{"a"}); err != nil {
		t.Fatal(err)
	}
	var budget *llm.BudgetError
	if _, err := e.Embed(ctx, []string{"a"}); !errors.As(err, &budget) {
		t.Errorf("an embedding took the reservation: %v", err)
	}
	var g gauge
	if _, err := l.Client(g.client(0)).Complete(ctx, user("x")); err != nil {
		t.Errorf("the completion: %v", err)
	}
}

func TestLexicalEmbedderIsFree(t *testing.T) {
	t.Parallel()
	l, err := llm.NewLedger(llm.Budget{Calls: 1, USD: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := l.Embedder(llm.NewLimiter(nil).Embedder(llm.NewLexical(nil)))
	for range 3 {
		if _, err := e.Embed(t.Context(), []string{"a"}); err != nil {
			t.Fatal(err)
		}
	}
	if s := l.Snapshot(); s.Calls != 0 {
		t.Errorf("%d calls were accounted for", s.Calls)
	}
}

func TestRetryEmbedder(t *testing.T) {
	t.Parallel()
	nan := float32(math.NaN())
	type reply struct {
		vs  [][]float32
		err error
	}
	good := reply{vs: [][]float32{{1, 2}, {3, 4}}}
	for _, tt := range []struct {
		name  string
		first reply
		kind  llm.Kind // of the failure when it is not repeated
		again bool
	}{
		{"rate", reply{err: &llm.Error{Kind: llm.KindRate}}, "", true},
		{"overload", reply{err: &llm.Error{Kind: llm.KindOverload}}, "", true},
		{"malformed", reply{err: &llm.Error{Kind: llm.KindMalformed}}, "", true},
		{"one too few", reply{vs: good.vs[:1]}, "", true},
		{"two lengths", reply{vs: [][]float32{{1}, {1, 2}}}, "", true},
		{"no number", reply{vs: [][]float32{{1, 2}, {nan, 2}}}, "", true},
		{"empty", reply{vs: [][]float32{{}, {}}}, "", true},
		{"auth", reply{err: &llm.Error{Kind: llm.KindAuth}}, llm.KindAuth, false},
		{"too long", reply{err: &llm.Error{Kind: llm.KindTooLong}}, llm.KindTooLong, false},
		{"to come again too late", reply{err: &llm.Error{Kind: llm.KindRate, RetryAfter: time.Hour}}, llm.KindRate, false},
		{"another error", reply{err: errors.New("broken")}, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				e := llm.RetryEmbedder(plain(func(context.Context, []string) ([][]float32, error) {
					if calls++; calls == 1 {
						return tt.first.vs, tt.first.err
					}
					return good.vs, nil
				}), nil)
				vs, err := e.Embed(t.Context(), []string{"a", "b"})
				if tt.again {
					if diff := cmp.Diff(good.vs, vs); diff != "" || err != nil || calls != 2 {
						t.Errorf("%d calls, %v (-want +got):\n%s", calls, err, diff)
					}
					return
				}
				var failed *llm.Error
				if calls != 1 || err == nil || tt.kind != "" && (!errors.As(err, &failed) || failed.Kind != tt.kind) {
					t.Errorf("%d calls, %v", calls, err)
				}
			})
		})
	}
}

func TestRetryEmbedderEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		e := llm.RetryEmbedder(plain(func(context.Context, []string) ([][]float32, error) {
			calls++
			return nil, nil
		}), &llm.RetryOptions{Attempts: 3})
		var failed *llm.Error
		if _, err := e.Embed(t.Context(), []string{"a"}); !errors.As(err, &failed) || failed.Kind != llm.KindMalformed || calls != 3 {
			t.Errorf("%d calls, %v; want 3 and a malformed reply", calls, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		calls = 0
		long := llm.RetryEmbedder(plain(func(context.Context, []string) ([][]float32, error) {
			calls++
			return nil, &llm.Error{Kind: llm.KindRate, RetryAfter: 30 * time.Second}
		}), nil)
		if _, err := long.Embed(ctx, []string{"a"}); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &failed) || calls != 1 {
			t.Errorf("%d calls, %v; want the end of the context and the failure", calls, err)
		}
	})
}

func TestCacheEmbedderAsksForEachTextOnce(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked [][]string
	e := llm.CacheEmbedder(&embedder{batch: 3, do: func(ctx context.Context, texts []string) ([][]float32, error) {
		mu.Lock()
		asked = append(asked, slices.Clone(texts))
		mu.Unlock()
		return lengths(ctx, texts)
	}})
	for _, texts := range [][]string{{"a", "bb", "a", "ccc", "dddd"}, {"bb", "eeeee"}, {"a"}, nil} {
		vs, err := e.Embed(t.Context(), texts)
		if err != nil || len(vs) != len(texts) {
			t.Fatal(vs, err)
		}
		for i, v := range vs {
			if int(v[1]) != len(texts[i]) {
				t.Errorf("%q has the vector of another text", texts[i])
			}
		}
	}
	want := [][]string{{"a", "bb", "ccc"}, {"dddd"}, {"eeeee"}}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestCacheEmbedderBoundsACall(t *testing.T) {
	t.Parallel()
	var sizes []int
	e := llm.CacheEmbedder(plain(func(ctx context.Context, texts []string) ([][]float32, error) {
		sizes = append(sizes, len(texts))
		return lengths(ctx, texts)
	}))
	var texts []string
	for i := range 200 {
		texts = append(texts, fmt.Sprint(i))
	}
	for i := range 3 {
		texts = append(texts, strings.Repeat("x", 100_000+i))
	}
	if _, err := e.Embed(t.Context(), texts); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{96, 96, 9, 1, 1}, sizes); diff != "" {
		t.Errorf("texts of each call (-want +got):\n%s", diff)
	}
}

func TestCacheEmbedderSharesWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int64
		e := llm.CacheEmbedder(plain(func(ctx context.Context, texts []string) ([][]float32, error) {
			asked.Add(int64(len(texts)))
			time.Sleep(time.Second)
			return lengths(ctx, texts)
		}))
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				texts := []string{"a", strings.Repeat("b", 2+i%5), "a"}
				vs, err := e.Embed(t.Context(), texts)
				if err != nil || vs[0][1] != 1 || int(vs[1][1]) != len(texts[1]) {
					t.Error(vs, err)
				}
			})
		}
		wg.Wait()
		if asked.Load() != 6 || time.Since(start) != time.Second {
			t.Errorf("%d texts were asked for in %v, want 6 in 1s", asked.Load(), time.Since(start))
		}
	})
}

func TestCacheEmbedderKeepsNoFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		e := llm.CacheEmbedder(&embedder{batch: 1, do: func(ctx context.Context, texts []string) ([][]float32, error) {
			time.Sleep(time.Second)
			if calls++; calls == 2 {
				return nil, &llm.Error{Kind: llm.KindOverload}
			}
			return lengths(ctx, texts)
		}})
		var wg sync.WaitGroup
		for range 3 { // one asks, two wait: all get the failure
			wg.Go(func() {
				var failed *llm.Error
				if _, err := e.Embed(t.Context(), []string{"a", "bb", "ccc"}); !errors.As(err, &failed) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if vs, err := e.Embed(t.Context(), []string{"a", "bb", "ccc"}); err != nil || len(vs) != 3 || calls != 4 {
			t.Errorf("%d calls, %v; want what is missing asked for again", calls, err)
		}
	})
}

func TestCacheEmbedderOfACallerThatLeaves(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var calls atomic.Int64
			e := llm.CacheEmbedder(plain(func(ctx context.Context, texts []string) ([][]float32, error) {
				if calls.Add(1) == 1 {
					if panics {
						time.Sleep(time.Second)
						panic("broken")
					}
					<-ctx.Done()
					return nil, ctx.Err()
				}
				return lengths(ctx, texts)
			}))
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var wg sync.WaitGroup
			wg.Go(func() {
				defer func() {
					if r := recover(); (r != nil) != panics {
						t.Errorf("recovered %v", r)
					}
				}()
				if _, err := e.Embed(short, []string{"a"}); !errors.Is(err, context.DeadlineExceeded) {
					t.Error(err)
				}
			})
			synctest.Wait()
			wg.Go(func() {
				if vs, err := e.Embed(t.Context(), []string{"a"}); err != nil || vs[0][1] != 1 {
					t.Errorf("who waited got %v, %v", vs, err)
				}
			})
			wg.Wait()
			if calls.Load() != 2 {
				t.Errorf("%d calls, want 2", calls.Load())
			}
		})
	}
}

func TestCacheEmbedderRefusesAnotherLength(t *testing.T) {
	t.Parallel()
	n := 0
	e := llm.CacheEmbedder(plain(func(_ context.Context, texts []string) ([][]float32, error) {
		n++
		return slices.Repeat([][]float32{make([]float32, n)}, len(texts)), nil
	}))
	if _, err := e.Embed(t.Context(), []string{"a"}); err != nil {
		t.Fatal(err)
	}
	var failed *llm.Error
	if _, err := e.Embed(t.Context(), []string{"b"}); !errors.As(err, &failed) || failed.Kind != llm.KindMalformed {
		t.Errorf("got %v", err)
	}
}

func ExampleCacheEmbedder() {
	ledger, err := llm.NewLedger(llm.Budget{Calls: 100}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	limiter := llm.NewLimiter(nil)
	provider := plain(lengths) // such as an openai.Client's Embedder
	e := llm.CacheEmbedder(llm.RetryEmbedder(ledger.Embedder(limiter.Embedder(provider)), nil))
	for range 2 {
		vs, err := e.Embed(context.Background(), []string{"return", "refund", "return"})
		fmt.Println(len(vs), err, ledger.Snapshot().Calls)
	}
	// Output:
	// 3 <nil> 1
	// 3 <nil> 1
}
