package llm

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ModelOf returns the name of the model that c uses for a request that names
// none: what its method Model() string says, which the decorators of this
// package pass on. It is empty when c has no such method.
func ModelOf(c Client) string {
	if m, ok := c.(interface{ Model() string }); ok {
		return m.Model()
	}
	return ""
}

// wrapped is the client inside a decorator.
type wrapped struct{ next Client }

// Model names the model of the client inside, for [ModelOf].
func (w wrapped) Model() string { return ModelOf(w.next) }

// complete asks c. Decorators and [Ask] call clients through it alone: a client
// that returns neither a reply nor an error, against its contract, has failed.
func complete(ctx context.Context, c Client, req *Request) (*Response, error) {
	resp, err := c.Complete(ctx, req)
	if resp == nil && err == nil {
		return nil, &Error{Kind: KindMalformed, Message: "the client returned neither a reply nor an error"}
	}
	return resp, err
}

// kindOf is the kind of a provider's failure, or "" for any other error.
func kindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// pause waits for d. If ctx ends first, it returns the cause.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// stopped is the error of a call that ctx ended: its cause, and the failure
// that the call was waiting to repeat.
func stopped(cause, last error) error {
	if last == nil {
		return cause
	}
	return fmt.Errorf("%w: %w", cause, last)
}

// unsentError is the error of a call that never left: it costs nothing.
type unsentError struct{ error }

// Unwrap returns the reason.
func (e unsentError) Unwrap() error { return e.error }

func (u Usage) plus(v Usage) Usage {
	u.Input += v.Input
	u.Cached += v.Cached
	u.CacheWrite += v.CacheWrite
	u.Output += v.Output
	u.Reasoning += v.Reasoning
	return u
}

// usageOf is what a call used, successful or not, and the model that served it.
func usageOf(resp *Response, err error) (Usage, string) {
	if resp != nil {
		return resp.Usage, resp.Model
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Usage, e.Model
	}
	return Usage{}, ""
}
