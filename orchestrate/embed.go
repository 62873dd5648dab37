package orchestrate

import (
	"context"
	"errors"
	"sync"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
)

// newEmbedder returns the run's embedder: the caller's, with every text embedded
// once, and every attempt paid for and limited. It is nil if there is none.
func (r *run) newEmbedder() llm.Embedder {
	if r.o.opts.Embedder == nil {
		return nil
	}
	paid := r.ledger.Embedder(r.o.limiter.Embedder(r.o.opts.Embedder))
	return &embedding{r: r, next: llm.CacheEmbedder(llm.RetryEmbedder(paid, r.o.opts.Retry))}
}

// embedding is the run's embedder from the outside. Who uses it compares words
// when it fails; it says so once, and asks no more when nothing can change it.
type embedding struct {
	r    *run
	next llm.Embedder

	mu     sync.Mutex
	told   bool
	failed error
}

func (e *embedding) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	e.mu.Lock()
	failed := e.failed
	e.mu.Unlock()
	if failed != nil {
		return nil, failed
	}
	inner, cancel := context.WithTimeoutCause(ctx, e.r.o.opts.CallTimeout, generator.ErrTimeout)
	defer cancel()
	vs, err := e.next.Embed(inner, texts)
	if err != nil && ctx.Err() == nil {
		e.tell(err)
	}
	return vs, err
}

func (e *embedding) tell(err error) {
	var (
		provider *llm.Error
		stopped  *llm.StoppedError
		budget   *llm.BudgetError
		price    *llm.PriceError
	)
	e.mu.Lock()
	first := !e.told
	e.told = true
	if errors.As(err, &provider) && provider.Fatal() || errors.As(err, &stopped) || errors.As(err, &budget) || errors.As(err, &price) {
		e.failed = err
	}
	e.mu.Unlock()
	if first {
		e.r.events.emit(Event{Kind: EventNotice, Message: "words are compared instead of embeddings: " + err.Error()})
	}
}
