package stage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/stage"
)

func call() *generator.Call { return &generator.Call{Log: slog.New(slog.DiscardHandler)} }

func numbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func double(batch []int) []*int {
	out := make([]*int, len(batch))
	for k, v := range batch {
		d := 2 * v
		out[k] = &d
	}
	return out
}

func values(t *testing.T, rs []stage.Result[int]) []int {
	t.Helper()
	out := make([]int, len(rs))
	for i, r := range rs {
		if r.Err != nil {
			t.Errorf("item %d: %v", i, r.Err)
		}
		out[i] = r.Value
	}
	return out
}

func TestRunKeepsOrderAndGroups(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var asked [][]int
	o := stage.Options{Batch: 3, Group: func(i int) string { return fmt.Sprint(i % 2) }}
	rs := stage.Run(t.Context(), call(), numbers(9), o, func(_ context.Context, batch []int, _ int, _ int64) ([]*int, error) {
		mu.Lock()
		asked = append(asked, slices.Clone(batch))
		mu.Unlock()
		return double(batch), nil
	})
	if diff := cmp.Diff([]int{0, 2, 4, 6, 8, 10, 12, 14, 16}, values(t, rs)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	slices.SortFunc(asked, slices.Compare[[]int])
	// Five of one group make batches of 2 and 3, not of 3 and 2 with a rest.
	if diff := cmp.Diff([][]int{{0, 2}, {1, 3}, {4, 6, 8}, {5, 7}}, asked); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestRunAsksAgainAboutWhatIsLeft(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	sizes := map[int][]int{}
	seeds := map[int64]bool{}
	rs := stage.Run(t.Context(), call(), numbers(8), stage.Options{Batch: 4, Seed: 7}, func(_ context.Context, batch []int, attempt int, seed int64) ([]*int, error) {
		mu.Lock()
		defer mu.Unlock()
		sizes[attempt] = append(sizes[attempt], len(batch))
		if seeds[seed] {
			t.Errorf("seed %d was used twice", seed)
		}
		seeds[seed] = true
		out := double(batch)
		switch {
		case attempt == 0 && slices.Contains(batch, 0):
			return nil, &llm.Error{Kind: llm.KindMalformed}
		case attempt == 0:
			out[1] = nil // left out
		case attempt == 1 && slices.Contains(batch, 5):
			panic("boom")
		}
		return out, nil
	})
	if diff := cmp.Diff([]int{0, 2, 4, 6, 8, 10, 12, 14}, values(t, rs)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for a := range sizes {
		slices.Sort(sizes[a])
	}
	if diff := cmp.Diff(map[int][]int{0: {4, 4}, 1: {1, 2, 2}, 2: {1, 1}}, sizes); diff != "" {
		t.Errorf("sizes by attempt (-want +got):\n%s", diff)
	}
}

func TestRunSaysWhy(t *testing.T) {
	t.Parallel()
	quota := &llm.Error{Kind: llm.KindQuota}
	bad := &llm.Error{Kind: llm.KindUnsupported}
	for _, tt := range []struct {
		name  string
		ask   func(batch []int) ([]*int, error)
		want  error
		calls int32
	}{
		{"never answered", func(batch []int) ([]*int, error) { return make([]*int, len(batch)), nil }, stage.ErrNoAnswer, 4},
		{"a short reply", func([]int) ([]*int, error) { return nil, nil }, stage.ErrNoAnswer, 4},
		{"no money left", func([]int) ([]*int, error) { return nil, quota }, quota, 1},
		{"a refused request", func([]int) ([]*int, error) { return nil, bad }, bad, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			rs := stage.Run(t.Context(), call(), numbers(1), stage.Options{Name: "critic"}, func(_ context.Context, batch []int, _ int, _ int64) ([]*int, error) {
				calls.Add(1)
				return tt.ask(batch)
			})
			if !errors.Is(rs[0].Err, tt.want) || !strings.Contains(rs[0].Err.Error(), "critic") {
				t.Errorf("got %v, want %v of the stage critic", rs[0].Err, tt.want)
			}
			if calls.Load() != tt.calls {
				t.Errorf("%d calls, want %d", calls.Load(), tt.calls)
			}
		})
	}
	rs := stage.Run(t.Context(), call(), numbers(1), stage.Options{}, func(context.Context, []int, int, int64) ([]*int, error) { panic("boom") })
	var p *generator.PanicError
	if !errors.As(rs[0].Err, &p) {
		t.Errorf("got %v, want a *PanicError", rs[0].Err)
	}
}

func TestRunStopsWhenNothingCanSucceed(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	rs := stage.Run(t.Context(), call(), numbers(50), stage.Options{Batch: 1, Concurrency: 1}, func(context.Context, []int, int, int64) ([]*int, error) {
		calls.Add(1)
		return nil, &llm.Error{Kind: llm.KindAuth}
	})
	if calls.Load() != 1 || !errors.Is(rs[49].Err, generator.ErrNotStarted) {
		t.Errorf("%d calls, last item %v; want 1 and not started", calls.Load(), rs[49].Err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		var running atomic.Int32
		go func() { time.Sleep(time.Second); cancel(enough) }()
		rs := stage.Run(ctx, call(), numbers(9), stage.Options{Batch: 1, Concurrency: 3}, func(ctx context.Context, _ []int, _ int, _ int64) ([]*int, error) {
			if running.Add(1) > 3 {
				t.Error("more than 3 at once")
			}
			defer running.Add(-1)
			<-ctx.Done()
			return nil, ctx.Err()
		})
		for i, r := range rs {
			if want := enough; i < 3 && !errors.Is(r.Err, want) || i >= 3 && !errors.Is(r.Err, generator.ErrNotStarted) {
				t.Errorf("item %d: %v", i, r.Err)
			}
		}
	})
}

func TestRandFollowsFromItsParts(t *testing.T) {
	t.Parallel()
	a, b, c := stage.Rand(1, "x", 2), stage.Rand(1, "x", 2), stage.Rand(1, "x", 3)
	for range 10 {
		x, y, z := a.Uint64(), b.Uint64(), c.Uint64()
		if x != y || x == z {
			t.Fatalf("%d, %d, %d: want the first two equal and the third not", x, y, z)
		}
	}
	if stage.Hash(1, "ab", "c") == stage.Hash(1, "a", "bc") {
		t.Error("parts run together")
	}
}

func TestFatal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  error
		want bool
	}{
		{nil, false},
		{errors.New("other"), false},
		{stage.ErrNoAnswer, false},
		{&llm.Error{Kind: llm.KindRate}, false},
		{&llm.Error{Kind: llm.KindMalformed}, false},
		{&llm.Error{Kind: llm.KindAuth}, true},
		{fmt.Errorf("stage: %w", &llm.Error{Kind: llm.KindQuota}), true},
		{&llm.BudgetError{}, true},
		{&llm.MissingError{}, true},
		{&llm.StoppedError{}, true},
	} {
		if got := stage.Fatal(tt.err); got != tt.want {
			t.Errorf("Fatal(%v) = %v", tt.err, got)
		}
	}
}
