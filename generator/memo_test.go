package generator_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/casebook-go/casebook/generator"
)

func TestOnceMakesOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m generator.Memo
		var made atomic.Int32
		release := make(chan struct{})
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				v, err := generator.Once(t.Context(), &m, "graph", func(context.Context) (int, error) {
					<-release
					return int(made.Add(1)), nil
				})
				if v != 1 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
			})
		}
		synctest.Wait()
		close(release)
		wg.Wait()
		if n := made.Load(); n != 1 {
			t.Errorf("made %d times", n)
		}
	})
}

func TestOnceKeepsNoFailure(t *testing.T) {
	t.Parallel()
	var m generator.Memo
	boom := errors.New("boom")
	if _, err := generator.Once(t.Context(), &m, "k", func(context.Context) (int, error) { return 0, boom }); !errors.Is(err, boom) {
		t.Errorf("got %v, want boom", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_, _ = generator.Once(t.Context(), &m, "k", func(context.Context) (int, error) { panic("no") })
	}()
	v, err := generator.Once(t.Context(), &m, "k", func(context.Context) (int, error) { return 7, nil })
	if v != 7 || err != nil {
		t.Errorf("got %d, %v; want 7", v, err)
	}
	if v, _ := generator.Once(t.Context(), &m, "k", func(context.Context) (int, error) { return 8, nil }); v != 7 {
		t.Errorf("got %d, want the kept 7", v)
	}
	if v, _ := generator.Once(t.Context(), nil, "k", func(context.Context) (int, error) { return 9, nil }); v != 9 {
		t.Errorf("nil memo: got %d, want 9", v)
	}
}

func TestOnceWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var m generator.Memo
		stop := make(chan struct{})
		go func() {
			_, _ = generator.Once(context.WithoutCancel(t.Context()), &m, "k", func(context.Context) (int, error) { <-stop; return 1, nil })
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		cancel(enough)
		if _, err := generator.Once(ctx, &m, "k", func(context.Context) (int, error) { return 2, nil }); !errors.Is(err, enough) {
			t.Errorf("got %v, want the cause of the ended context", err)
		}
		close(stop)
		synctest.Wait()
	})
}
