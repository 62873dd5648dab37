package llm

import (
	"context"
	"errors"
	"hash/fnv"
	"time"
)

// RetryOptions says how often a call is tried and how long to wait in between.
// Nil and zero fields mean the defaults.
type RetryOptions struct {
	// Attempts is how often a call is tried in all; 0 means 5, 1 never repeats.
	Attempts int
	// Base is the wait before the second attempt; it doubles with every further
	// one, up to Max. 0 means 500 ms and 30 s. Each wait is shortened by up to a
	// half, by a jitter that depends on Seed, request and attempt alone.
	Base, Max time.Duration
	// MaxRetryAfter is the longest that a provider's own Retry-After is waited
	// for. If it asks for longer, the failure is returned at once: no attempt
	// before that could succeed. 0 means 1 minute.
	MaxRetryAfter time.Duration
	// Seed is of the jitter.
	Seed uint64
}

// Retry returns c with failures repeated that may pass:
//
//   - rate, overload and malformed, with exponential backoff, and never before
//     the provider's Retry-After;
//   - truncated, once and with MaxTokens doubled, if the request sets it.
//
// All other failures, and errors that are no *[Error], are returned as they
// are. A wait ends with ctx; the error then wraps both the cause and the failure.
//
// Put it outside of budget and limit, so that each attempt is paid for and
// limited. The client is safe for concurrent use if c is.
func Retry(c Client, o *RetryOptions) Client {
	return &retry{wrapped: wrapped{c}, o: o.withDefaults()}
}

func (o *RetryOptions) withDefaults() RetryOptions {
	var out RetryOptions
	if o != nil {
		out = *o
	}
	if out.Attempts <= 0 {
		out.Attempts = 5
	}
	if out.Base <= 0 {
		out.Base = 500 * time.Millisecond
	}
	if out.Max <= 0 {
		out.Max = 30 * time.Second
	}
	if out.MaxRetryAfter <= 0 {
		out.MaxRetryAfter = time.Minute
	}
	return out
}

type retry struct {
	wrapped
	o RetryOptions
}

func (r *retry) Complete(ctx context.Context, req *Request) (*Response, error) {
	var key string // made once, and only for a request that fails
	widened := false
	for attempt := 1; ; attempt++ {
		resp, err := complete(ctx, r.next, req)
		if err == nil {
			return resp, nil
		}
		var e *Error
		if !errors.As(err, &e) || ctx.Err() != nil || attempt >= r.o.Attempts {
			return resp, err
		}
		switch {
		case e.Kind == KindTruncated && !widened && req.MaxTokens > 0:
			widened = true
			wider := *req
			wider.MaxTokens *= 2
			req = &wider
			continue
		case !e.Temporary() || e.RetryAfter > r.o.MaxRetryAfter:
			return resp, err
		}
		if key == "" {
			key = Key(req)
		}
		if cause := pause(ctx, max(r.backoff(key, attempt), e.RetryAfter)); cause != nil {
			return nil, stopped(cause, err)
		}
	}
}

// backoff is the wait after the n-th attempt.
func (r *retry) backoff(key string, n int) time.Duration {
	d := r.o.Base
	for range n - 1 {
		if d >= r.o.Max/2 {
			d = r.o.Max
			break
		}
		d *= 2
	}
	d = min(d, r.o.Max)
	h := fnv.New64a()
	var b [16]byte
	for i := range 8 {
		b[i] = byte(r.o.Seed >> (8 * i))
		b[8+i] = byte(uint64(n) >> (8 * i))
	}
	h.Write(b[:])
	h.Write([]byte(key))
	// FNV's upper bits move little for inputs that differ at their end only:
	// mix before taking a fraction.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return d - time.Duration(float64(d)/2*(float64(x>>11)/(1<<53)))
}
