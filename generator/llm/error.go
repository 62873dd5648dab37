package llm

import (
	"fmt"
	"strings"
	"time"
)

// Kind is the class of a provider's failure: what to do about it.
type Kind string

// The kinds of failure. Only rate, overload and malformed are worth repeating
// unchanged; quota, auth and model end a run; the others are outcomes of one
// call.
const (
	KindRate        Kind = "rate"        // too many requests: wait
	KindOverload    Kind = "overload"    // server fault or broken connection: wait
	KindQuota       Kind = "quota"       // no money left at the provider: stop
	KindAuth        Kind = "auth"        // key refused: stop
	KindModel       Kind = "model"       // no such model: stop
	KindTooLong     Kind = "too_long"    // the request does not fit: shrink
	KindSchema      Kind = "schema"      // the schema was refused: fall back one mode
	KindUnsupported Kind = "unsupported" // a parameter was refused: drop or translate it
	KindBlocked     Kind = "blocked"     // content filter: an outcome
	KindRefused     Kind = "refused"     // the model declined: an outcome
	KindTruncated   Kind = "truncated"   // cut at the token limit: once more with a larger one
	KindMalformed   Kind = "malformed"   // the reply cannot be read
)

// Error is a failure of the provider or of its reply. Find it with errors.As.
// It never holds a key.
type Error struct {
	Kind       Kind          `json:"kind"`
	Status     int           `json:"status,omitempty"`         // HTTP status, 0 if there was none
	Code       string        `json:"code,omitempty"`           // the provider's error code
	Param      string        `json:"param,omitempty"`          // the parameter the provider complained about
	Message    string        `json:"message,omitempty"`        // the provider's text
	RetryAfter time.Duration `json:"retry_after_ns,omitempty"` // how long the provider asked to wait; 0 if it did not say
	Err        error         `json:"-"`                        // the cause, if any

	// Model and Usage are what the failed call was served by and still used (a
	// refusal and a reply cut at the token limit are paid for); zero if unknown.
	Model string `json:"model,omitempty"`
	Usage Usage  `json:"usage,omitzero"`
}

// Error describes the failure in one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "llm: %s", e.Kind)
	if e.Status != 0 {
		fmt.Fprintf(&b, " (%d", e.Status)
		if e.Code != "" {
			fmt.Fprintf(&b, " %s", e.Code)
		}
		b.WriteString(")")
	}
	switch {
	case e.Message != "":
		fmt.Fprintf(&b, ": %s", e.Message)
	case e.Err != nil:
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Fatal reports whether no further call to the provider can succeed.
func (e *Error) Fatal() bool {
	return e.Kind == KindQuota || e.Kind == KindAuth || e.Kind == KindModel
}

// Temporary reports whether the same request may succeed later.
func (e *Error) Temporary() bool {
	return e.Kind == KindRate || e.Kind == KindOverload || e.Kind == KindMalformed
}
