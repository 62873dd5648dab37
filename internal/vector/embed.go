package vector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/casebook-go/casebook/generator/llm"
)

// batchSize is how many texts go into one request; atOnce how many requests are
// under way together.
const (
	batchSize = 96
	atOnce    = 4
)

// FallbackError says that vectors are the lexical embedder's because the given
// one failed. It stands beside vectors that can be used.
type FallbackError struct {
	Texts int   // how many texts
	Err   error // why
}

// Error says what happened.
func (e *FallbackError) Error() string {
	return fmt.Sprintf("vector: %d texts embedded by their words, because the embedder failed: %v", e.Texts, e.Err)
}

// Unwrap returns the failure.
func (e *FallbackError) Unwrap() error { return e.Err }

// Embed returns unit vectors of the texts, in order; a vector may be zero. Each
// distinct text is embedded once, in batches of 96, a few at once. Texts that are
// equal share a vector, which must not be changed.
//
// If e fails, all texts are embedded by [llm.NewLexical], for vectors of two
// embedders cannot be compared, and the vectors come with a *[FallbackError]. So
// do they if e returns a wrong number of vectors, vectors of several lengths, or
// one that is no number. When ctx has ended, its cause is returned, and no
// vectors. A nil e is the lexical embedder.
func Embed(ctx context.Context, e llm.Embedder, texts []string) ([][]float32, error) {
	index := make(map[string]int, len(texts))
	var distinct []string
	for _, t := range texts {
		if _, ok := index[t]; !ok {
			index[t] = len(distinct)
			distinct = append(distinct, t)
		}
	}
	var fallback error
	if e == nil {
		e = llm.NewLexical(texts)
	}
	got, err := batches(ctx, e, distinct)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if err != nil {
		fallback = &FallbackError{Texts: len(texts), Err: err}
		if got, err = llm.NewLexical(texts).Embed(ctx, distinct); err != nil {
			return nil, err
		}
	}
	parallel(len(got), func(i int) { got[i] = unit(got[i]) })
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = got[index[t]]
	}
	return out, fallback
}

// batches embeds texts. The error is that of the first batch that failed; no
// batch starts after a failure.
func batches(ctx context.Context, e llm.Embedder, texts []string) ([][]float32, error) {
	n := (len(texts) + batchSize - 1) / batchSize
	out := make([][]float32, len(texts))
	errs := make([]error, n)
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		next int
		stop bool
	)
	claim := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		if stop || next == n || ctx.Err() != nil {
			return 0, false
		}
		next++
		return next - 1, true
	}
	for range min(n, atOnce) {
		wg.Go(func() {
			for {
				b, ok := claim()
				if !ok {
					return
				}
				from, to := b*batchSize, min((b+1)*batchSize, len(texts))
				vs, err := batch(ctx, e, texts[from:to])
				if err != nil {
					mu.Lock()
					errs[b], stop = err, true
					mu.Unlock()
					return
				}
				copy(out[from:to], vs)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	for _, v := range out {
		if len(v) != len(out[0]) {
			return nil, fmt.Errorf("vectors of %d and of %d dimensions", len(out[0]), len(v))
		}
	}
	return out, nil
}

// batch embeds texts in one call. A panic of e is an error, as everything else
// that makes its vectors useless.
func batch(ctx context.Context, e llm.Embedder, texts []string) (vs [][]float32, err error) {
	defer func() {
		if r := recover(); r != nil {
			vs, err = nil, fmt.Errorf("the embedder panicked: %v", r)
		}
	}()
	vs, err = e.Embed(ctx, texts)
	if err != nil {
		return nil, err
	}
	if len(vs) != len(texts) {
		return nil, fmt.Errorf("%d vectors for %d texts", len(vs), len(texts))
	}
	for _, v := range vs {
		if len(v) == 0 {
			return nil, errors.New("a vector without dimensions")
		}
		for _, x := range v {
			if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
				return nil, errors.New("a vector with a value that is no number")
			}
		}
	}
	return vs, nil
}
