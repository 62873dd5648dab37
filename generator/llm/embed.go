package llm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"sync"
)

// UsageEmbedder is an [Embedder] that says what a call used. Of one that does
// not, the [Ledger] takes an estimate.
type UsageEmbedder interface {
	Embedder
	// EmbedUsage is Embed with the usage of the call, as the provider counted it;
	// zero if it did not.
	EmbedUsage(ctx context.Context, texts []string) ([][]float32, Usage, error)
}

// PurposeEmbed is the purpose under which embedding calls are accounted for.
const PurposeEmbed = "embed"

// EmbedBatch is how many texts the embedders of this package put into one call,
// unless the embedder inside has a method Batch() int and says less.
const EmbedBatch = 96

// embedBytes is the most bytes of such a call, but for a single text.
const embedBytes = 128 << 10

// EmbedderModel returns the name of the model that e uses: what its method
// Model() string says, which the decorators of this package pass on. It is empty
// when e has no such method.
func EmbedderModel(e Embedder) string {
	if m, ok := e.(interface{ Model() string }); ok {
		return m.Model()
	}
	return ""
}

// wrappedEmbedder is the embedder inside a decorator.
type wrappedEmbedder struct{ next Embedder }

// Model names the model of the embedder inside, for [EmbedderModel].
func (w wrappedEmbedder) Model() string { return EmbedderModel(w.next) }

// Batch is the most texts that one call should have.
func (w wrappedEmbedder) Batch() int { return batchOf(w.next) }

func batchOf(e Embedder) int {
	if b, ok := e.(interface{ Batch() int }); ok && b.Batch() > 0 {
		return min(b.Batch(), EmbedBatch)
	}
	return EmbedBatch
}

// free reports whether an embedder calls no provider: it is neither limited nor
// accounted for.
func free(e Embedder) bool {
	_, ok := e.(*lexical)
	return ok
}

// embedUsage embeds with the usage, if e knows it.
func embedUsage(ctx context.Context, e Embedder, texts []string) ([][]float32, Usage, error) {
	if u, ok := e.(UsageEmbedder); ok {
		return u.EmbedUsage(ctx, texts)
	}
	vs, err := e.Embed(ctx, texts)
	return vs, Usage{}, err
}

// EmbedEstimate returns the worst case of one embedding call, by the rules of
// [EstimateOf].
func EmbedEstimate(model string, texts []string) Estimate {
	const perText = 2 // what a model adds to each
	var quarters int64
	for _, t := range texts {
		quarters += quartersOf(t)
	}
	return Estimate{Model: model, Input: (quarters+3)/4 + perText*int64(len(texts))}
}

// Embedder returns e, held to the limits of l, which its calls share with those
// of the clients. It is safe for concurrent use if e is.
func (l *Limiter) Embedder(e Embedder) Embedder {
	if free(e) {
		return e
	}
	return &limitedEmbedder{wrappedEmbedder{e}, l}
}

type limitedEmbedder struct {
	wrappedEmbedder
	l *Limiter
}

func (e *limitedEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vs, _, err := e.EmbedUsage(ctx, texts)
	return vs, err
}

// EmbedUsage is one limited call.
func (e *limitedEmbedder) EmbedUsage(ctx context.Context, texts []string) ([][]float32, Usage, error) {
	l := e.l
	if err := l.enter(ctx); err != nil {
		return nil, Usage{}, unsentError{err}
	}
	asked, epoch, err := l.admit(ctx, func() Estimate { return EmbedEstimate("", texts) })
	if err != nil {
		l.leave()
		return nil, Usage{}, unsentError{err}
	}
	done := false
	defer func() {
		if !done { // a panic below: give the place back
			l.leave()
		}
	}()
	vs, used, err := embedUsage(ctx, e.next, texts)
	done = true
	l.settle(ctx, epoch, asked, answered(used, "", err), err)
	return vs, used, err
}

// answered is a finished embedding call as a response, nil for a failed one.
func answered(used Usage, model string, err error) *Response {
	if err != nil {
		return nil
	}
	return &Response{Model: model, Usage: used}
}

// Embedder returns e, accounted for under [PurposeEmbed] and held to the budget
// of l. Its model is [EmbedderModel] e; with a budget in money it must have a
// price. A reservation in the context is left to the completion that it was made
// for. The embedder is safe for concurrent use if e is.
func (l *Ledger) Embedder(e Embedder) Embedder {
	if free(e) {
		return e
	}
	return &accountedEmbedder{wrappedEmbedder{e}, l}
}

type accountedEmbedder struct {
	wrappedEmbedder
	l *Ledger
}

func (e *accountedEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vs, _, err := e.EmbedUsage(ctx, texts)
	return vs, err
}

// EmbedUsage is one accounted call.
func (e *accountedEmbedder) EmbedUsage(ctx context.Context, texts []string) ([][]float32, Usage, error) {
	if ctx.Err() != nil {
		return nil, Usage{}, context.Cause(ctx)
	}
	worst := EmbedEstimate(e.Model(), texts)
	held, err := e.l.take(context.WithValue(ctx, reservationKey{}, nil), worst, PurposeEmbed)
	if err != nil {
		return nil, Usage{}, err
	}
	settled := false
	defer func() {
		if !settled { // a panic below
			e.l.settle(PurposeEmbed, worst, held, nil, errPanic)
		}
	}()
	vs, used, err := embedUsage(ctx, e.next, texts)
	if err == nil && used == (Usage{}) {
		used.Input = worst.Input
	}
	settled = true
	e.l.settle(PurposeEmbed, worst, held, answered(used, worst.Model, err), err)
	return vs, used, err
}

// RetryEmbedder returns e with failures repeated that may pass, by the rules of
// [Retry]. Vectors that cannot be used (another number than of texts, of several
// lengths, or holding what is no number) are a failure of [KindMalformed]. Put it
// outside of budget and limit. The embedder is safe for concurrent use if e is.
func RetryEmbedder(e Embedder, o *RetryOptions) Embedder {
	return &retryEmbedder{wrappedEmbedder{e}, retry{o: o.withDefaults()}}
}

type retryEmbedder struct {
	wrappedEmbedder
	retry retry
}

func (e *retryEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if len(texts) == 0 {
		return nil, nil
	}
	for attempt := 1; ; attempt++ {
		vs, err := e.next.Embed(ctx, texts)
		if err == nil {
			err = checkVectors(vs, len(texts))
		}
		if err == nil {
			return vs, nil
		}
		var failed *Error
		if !errors.As(err, &failed) || ctx.Err() != nil || attempt >= e.retry.o.Attempts ||
			!failed.Temporary() || failed.RetryAfter > e.retry.o.MaxRetryAfter {
			return nil, err
		}
		if cause := pause(ctx, max(e.retry.backoff(textsKey(texts), attempt), failed.RetryAfter)); cause != nil {
			return nil, stopped(cause, err)
		}
	}
}

// checkVectors returns a malformed *[Error] for vectors that cannot be used.
func checkVectors(vs [][]float32, n int) error {
	bad := func(format string, args ...any) error {
		return &Error{Kind: KindMalformed, Message: fmt.Sprintf(format, args...)}
	}
	if len(vs) != n {
		return bad("%d vectors for %d texts", len(vs), n)
	}
	for _, v := range vs {
		if len(v) == 0 || len(v) != len(vs[0]) {
			return bad("vectors of %d and of %d dimensions", len(vs[0]), len(v))
		}
		for _, x := range v {
			if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
				return bad("a vector holds a value that is no number")
			}
		}
	}
	return nil
}

// textsKey is a hash of the texts of a call.
func textsKey(texts []string) string {
	h := sha256.New()
	var n [8]byte
	for _, t := range texts {
		binary.BigEndian.PutUint64(n[:], uint64(len(t)))
		h.Write(n[:])
		h.Write([]byte(t))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// CacheEmbedder returns an embedder that asks e for each distinct text once, in
// calls of at most [EmbedBatch] texts and 128 KiB, one after the other, and keeps the vectors
// as long as it lives. A text that another caller is just asking for is waited
// for. A failure is kept for nobody but those who wait for it; if it was the end
// of the asking caller's ctx, they ask themselves.
//
// The vectors are shared and must not be changed. All are of one length: a call
// that gives another is a failure of [KindMalformed]. Put it outside of all other
// decorators. It is safe for concurrent use if e is.
func CacheEmbedder(e Embedder) Embedder {
	return &cacheEmbedder{wrappedEmbedder: wrappedEmbedder{e}, known: map[string]*cached{}}
}

type cacheEmbedder struct {
	wrappedEmbedder

	mu    sync.Mutex
	known map[string]*cached
	dim   int // of all vectors; 0 before the first
}

// cached is the vector of a text, once done is closed.
type cached struct {
	done   chan struct{}
	vector []float32 // nil after a failure
	err    error
	left   bool // the failure was the asking caller's own end
}

func (c *cacheEmbedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		mine, entries := c.claim(texts)
		if err := c.ask(ctx, mine, entries); err != nil {
			return nil, err
		}
		again := false
		for i, t := range texts {
			e := entries[t]
			select {
			case <-e.done:
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			}
			switch {
			case e.vector != nil:
				out[i] = e.vector
			case e.left:
				again = true
			default:
				return nil, e.err
			}
		}
		if !again {
			return out, nil
		}
	}
}

// claim returns the entries of texts, and those texts that nobody asks for yet.
func (c *cacheEmbedder) claim(texts []string) (mine []string, entries map[string]*cached) {
	entries = make(map[string]*cached, len(texts))
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, t := range texts {
		if entries[t] != nil {
			continue
		}
		e := c.known[t]
		if e == nil {
			e = &cached{done: make(chan struct{})}
			c.known[t] = e
			mine = append(mine, t)
		}
		entries[t] = e
	}
	return mine, entries
}

// ask gets the vectors of texts, whose entries are this caller's to fill. After
// the first failure the texts left are given up with it.
func (c *cacheEmbedder) ask(ctx context.Context, texts []string, entries map[string]*cached) error {
	err := errPanic // until it is known that nothing panicked
	defer func() {
		c.giveUp(ctx, texts, entries, err)
	}()
	size := c.Batch()
	for len(texts) > 0 {
		n, bytes := 0, 0
		for n < min(size, len(texts)) && (n == 0 || bytes+len(texts[n]) <= embedBytes) {
			bytes += len(texts[n])
			n++
		}
		vs, failed := c.next.Embed(ctx, texts[:n])
		if failed == nil {
			failed = checkVectors(vs, n)
		}
		if failed == nil {
			failed = c.sameLength(len(vs[0]))
		}
		if failed != nil {
			err = failed
			return err
		}
		for i, t := range texts[:n] {
			e := entries[t]
			e.vector = vs[i]
			close(e.done)
		}
		texts = texts[n:]
	}
	err = nil
	return nil
}

func (c *cacheEmbedder) giveUp(ctx context.Context, texts []string, entries map[string]*cached, err error) {
	if len(texts) == 0 {
		return
	}
	c.mu.Lock()
	for _, t := range texts {
		delete(c.known, t)
	}
	c.mu.Unlock()
	for _, t := range texts {
		e := entries[t]
		e.err, e.left = err, ctx.Err() != nil || errors.Is(err, errPanic)
		close(e.done)
	}
}

func (c *cacheEmbedder) sameLength(n int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dim == 0 {
		c.dim = n
	}
	if c.dim != n {
		return &Error{Kind: KindMalformed, Message: fmt.Sprintf("vectors of %d and of %d dimensions", c.dim, n)}
	}
	return nil
}
