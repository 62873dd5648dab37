package llm

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// LimitOptions bounds the calls of a [Limiter]. Nil and zero fields mean the
// defaults.
type LimitOptions struct {
	// Concurrency is the most calls at once; 0 means 16.
	Concurrency int
	// RequestsPerMinute and TokensPerMinute are the account's own limits; 0 is
	// no limit. Tokens are counted by [EstimateOf] before a call and corrected
	// by its usage after.
	RequestsPerMinute, TokensPerMinute int
	// CoolDown is how long no call starts after a rate error that names no
	// Retry-After; 0 means 2 s.
	CoolDown time.Duration
	// MaxRetryAfter is the longest such pause, whatever the provider asks for;
	// 0 means 1 minute.
	MaxRetryAfter time.Duration
	// StopAbove is the share of the last StopWindow calls (0 means 20) that may
	// fail by the provider's fault before the limiter stops: from then on every
	// call is refused with a *[StoppedError]. 0 never stops. Rate errors do not
	// count, nor do the failures of a single request (too long, schema, refused,
	// truncated, ...).
	StopAbove  float64
	StopWindow int
}

// Limiter holds all calls to one provider, of any number of clients, to its
// limits. Calls wait in order of arrival. The number of calls at once adapts: a
// rate error cuts it to three quarters, at least 1, and 25 successes in a row
// raise it by one, up to Concurrency; after a rate error nobody starts before
// the provider's Retry-After. It is safe for concurrent use and has no
// goroutines of its own.
type Limiter struct {
	o        LimitOptions
	requests *rate.Limiter // nil is no limit
	tokens   *rate.Limiter // nil is no limit

	mu      sync.Mutex
	level   float64 // calls allowed at once; its floor counts
	active  int
	epoch   int // number of cuts so far
	streak  int // successes since the last raise, cut or failure
	paused  int // pauses under way
	resume  chan struct{}
	queue   []chan struct{} // waiting for a place, first come first served
	owed    int64           // tokens used beyond the estimates, to be waited for
	recent  []bool          // ring of the last calls: true is a fault
	at      int
	faults  int
	stopped *StoppedError
}

// StoppedError is a call refused because too many of the last ones failed. It
// does not unwrap to the last failure: that was of another call, and repeating
// this one is no use.
type StoppedError struct {
	Failed, Of int   // failures among the last calls
	Last       error // the last failure
}

// Error describes the state and the remedy.
func (e *StoppedError) Error() string {
	return fmt.Sprintf("llm: stopped calling: %d of the last %d calls failed (check the provider's state, then start again): %v", e.Failed, e.Of, e.Last)
}

const (
	cutFactor  = 0.75
	raiseAfter = 25
)

// NewLimiter returns a limiter to be shared by the clients of one provider.
func NewLimiter(o *LimitOptions) *Limiter {
	l := &Limiter{}
	if o != nil {
		l.o = *o
	}
	if l.o.Concurrency <= 0 {
		l.o.Concurrency = 16
	}
	if l.o.CoolDown <= 0 {
		l.o.CoolDown = 2 * time.Second
	}
	if l.o.MaxRetryAfter <= 0 {
		l.o.MaxRetryAfter = time.Minute
	}
	if l.o.StopWindow <= 0 {
		l.o.StopWindow = 20
	}
	if n := l.o.RequestsPerMinute; n > 0 {
		// A whole minute's worth at once would be refused by servers that look
		// at shorter windows.
		l.requests = rate.NewLimiter(rate.Limit(float64(n)/60), max(1, n/60))
	}
	if n := l.o.TokensPerMinute; n > 0 {
		l.tokens = rate.NewLimiter(rate.Limit(float64(n)/60), n)
	}
	if l.o.StopAbove > 0 {
		l.recent = make([]bool, 0, l.o.StopWindow)
	}
	l.level = float64(l.o.Concurrency)
	return l
}

// Client returns c, held to the limits of l. It is safe for concurrent use if c is.
func (l *Limiter) Client(c Client) Client { return &limited{wrapped{c}, l} }

// Concurrency returns the number of calls that may be under way at once now.
func (l *Limiter) Concurrency() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.level)
}

type limited struct {
	wrapped
	l *Limiter
}

func (c *limited) Complete(ctx context.Context, req *Request) (*Response, error) {
	l := c.l
	if err := l.enter(ctx); err != nil {
		return nil, unsentError{err}
	}
	asked, epoch, err := l.admit(ctx, func() Estimate { return EstimateOf(req) })
	if err != nil {
		l.leave()
		return nil, unsentError{err}
	}
	done := false
	defer func() {
		if !done { // a panic below: give the place back
			l.leave()
		}
	}()
	resp, err := complete(ctx, c.next, req)
	done = true
	l.settle(ctx, epoch, asked, resp, err)
	return resp, err
}

// enter waits for a place among the calls under way.
func (l *Limiter) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	l.mu.Lock()
	if l.stopped != nil {
		defer l.mu.Unlock()
		return l.stopped
	}
	if l.paused == 0 && len(l.queue) == 0 && l.active < int(l.level) {
		l.active++
		l.mu.Unlock()
		return nil
	}
	place := make(chan struct{})
	l.queue = append(l.queue, place)
	l.mu.Unlock()

	select {
	case <-place:
		l.mu.Lock()
		stopped := l.stopped
		l.mu.Unlock()
		if stopped != nil {
			l.leave()
			return stopped
		}
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, q := range l.queue {
		if q == place {
			l.queue = append(l.queue[:i], l.queue[i+1:]...)
			return context.Cause(ctx)
		}
	}
	// The place was given at the same moment: pass it on.
	l.active--
	l.advance()
	return context.Cause(ctx)
}

// admit waits, with a place held, until the rates allow the call and no pause
// is under way. It returns the tokens it was let in for.
func (l *Limiter) admit(ctx context.Context, worst func() Estimate) (asked int64, epoch int, err error) {
	if l.requests != nil {
		if err := l.requests.Wait(ctx); err != nil {
			return 0, 0, waitError(ctx, err)
		}
	}
	if l.tokens != nil {
		e := worst()
		asked = e.Input + e.Output
		l.mu.Lock()
		n := max(0, min(asked+l.owed, int64(l.tokens.Burst())))
		l.owed += asked - n
		l.mu.Unlock()
		if err := l.tokens.WaitN(ctx, int(n)); err != nil {
			l.mu.Lock()
			l.owed -= asked - n
			l.mu.Unlock()
			return 0, 0, waitError(ctx, err)
		}
	}
	for {
		l.mu.Lock()
		epoch, gate, stopped := l.epoch, l.resume, l.stopped
		if l.paused == 0 {
			gate = nil
		}
		l.mu.Unlock()
		if stopped != nil {
			return 0, 0, stopped
		}
		if gate == nil {
			return asked, epoch, nil
		}
		select {
		case <-gate:
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		}
	}
}

// waitError is the cause of ctx's end. The rate limiter also refuses a wait
// that the deadline would cut short, before it is reached.
func waitError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return fmt.Errorf("llm: rate limit: %w: %w", context.DeadlineExceeded, err)
}

// leave gives a place back.
func (l *Limiter) leave() {
	l.mu.Lock()
	l.active--
	l.advance()
	l.mu.Unlock()
}

// advance lets in those who wait, as far as there is room.
func (l *Limiter) advance() {
	n := 0
	for n < len(l.queue) && (l.stopped != nil || l.paused == 0 && l.active < int(l.level)) {
		l.active++
		close(l.queue[n])
		l.queue[n] = nil
		n++
	}
	l.queue = l.queue[n:]
}

// settle learns from a finished call and gives its place back.
func (l *Limiter) settle(ctx context.Context, epoch int, asked int64, resp *Response, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active--
	if l.tokens != nil {
		if u, _ := usageOf(resp, err); u.Input+u.Output > 0 {
			l.owed += u.Input + u.Output - asked
		}
	}
	var e *Error
	if errors.As(err, &e) && e.Kind == KindRate {
		l.streak = 0
		// Calls that were under way at the last cut met the same limit: they do
		// not cut again.
		if epoch == l.epoch {
			l.epoch++
			l.level = max(1, l.level*cutFactor)
		}
		d := l.o.CoolDown
		if e.RetryAfter > 0 {
			d = e.RetryAfter
		}
		l.hold(min(d, l.o.MaxRetryAfter))
	} else if err == nil {
		if l.streak++; l.streak == raiseAfter {
			l.streak = 0
			l.level = min(l.level+1, float64(l.o.Concurrency))
		}
	} else {
		l.streak = 0
	}
	if l.recent != nil && ctx.Err() == nil && kindOf(err) != KindRate {
		l.watch(err)
	}
	l.advance()
}

// hold starts a pause. Pauses overlap; calls start again after the last.
func (l *Limiter) hold(d time.Duration) {
	if l.paused == 0 {
		l.resume = make(chan struct{})
	}
	l.paused++
	time.AfterFunc(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.paused--; l.paused == 0 {
			close(l.resume)
			l.advance()
		}
	})
}

// watch counts a call among the recent ones and stops the limiter when too
// many of them failed.
func (l *Limiter) watch(err error) {
	fault := false
	switch kindOf(err) {
	case KindOverload, KindQuota, KindAuth, KindModel, KindMalformed:
		fault = true
	case "":
		fault = err != nil
	default: // the request's own failure
	}
	if len(l.recent) < l.o.StopWindow {
		l.recent = append(l.recent, fault)
	} else {
		if l.recent[l.at] {
			l.faults--
		}
		l.recent[l.at] = fault
		l.at = (l.at + 1) % l.o.StopWindow
	}
	if fault {
		l.faults++
	}
	if l.stopped == nil && fault && len(l.recent) == l.o.StopWindow && float64(l.faults) > l.o.StopAbove*float64(l.o.StopWindow) {
		l.stopped = &StoppedError{Failed: l.faults, Of: l.o.StopWindow, Last: err}
	}
}
