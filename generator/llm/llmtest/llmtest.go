// Package llmtest provides models for tests: [New] follows a script and fails
// the test when the script and the calls differ, [Func] is a client made of a
// function.
package llmtest

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casebook-go/casebook/generator/llm"
)

// Func is a client made of a function, which must be safe for concurrent use.
type Func func(ctx context.Context, req *llm.Request) (*llm.Response, error)

// Complete calls f.
func (f Func) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	return f(ctx, req)
}

// Step is one expected request and its answer. The answer is Do's, if it is
// set, else Err, else a response made of Text or JSON, Calls, Usage and Model.
type Step struct {
	Purpose string                      // of the request; empty accepts every purpose
	Match   func(req *llm.Request) bool // nil accepts every request
	Times   int                         // how often it must answer; 0 means once, -1 any number of times
	Delay   time.Duration               // before the answer; ended by ctx. Use it inside a synctest bubble

	Do    func(ctx context.Context, req *llm.Request) (*llm.Response, error)
	Err   error
	Text  string
	JSON  any // encoded into the reply's text
	Calls []llm.ToolCall
	Usage llm.Usage
	Model string // that served it; empty means "fake"
}

// Reply is a step that answers with a text.
func Reply(text string) Step { return Step{Text: text} }

// JSON is a step that answers with v in JSON.
func JSON(v any) Step { return Step{JSON: v} }

// Fail is a step that fails with an error of the kind.
func Fail(kind llm.Kind) Step {
	return Step{Err: &llm.Error{Kind: kind, Message: "by the script"}}
}

// Call is a step that calls a tool. args is a string, sent as it is, or a value
// that is encoded in JSON. Call several tools with several steps' Calls.
func Call(tool string, args any) Step {
	text, ok := args.(string)
	if !ok {
		text = encode(args)
	}
	return Step{Calls: []llm.ToolCall{{ID: "call_1", Name: tool, Arguments: text}}}
}

// For returns the step for requests of one purpose.
func (s Step) For(purpose string) Step {
	s.Purpose = purpose
	return s
}

// Repeat returns the step answering any number of times.
func (s Step) Repeat() Step {
	s.Times = -1
	return s
}

// Client answers requests from a script. It is safe for concurrent use.
type Client struct {
	tb testing.TB

	mu    sync.Mutex
	steps []Step
	used  []int
	log   []*llm.Request
}

// New returns a client that answers each request with the first step that
// accepts it and is not used up. Steps that accept every request are therefore
// used in order; give steps a Purpose or a Match where requests come at once.
//
// A request that no step accepts is an error of the test and of the call, and
// so is a step that is left over when the test ends.
func New(tb testing.TB, steps ...Step) *Client {
	tb.Helper()
	c := &Client{tb: tb, steps: slices.Clone(steps), used: make([]int, len(steps))}
	tb.Cleanup(c.check)
	return c
}

// Model returns "fake", the model of requests that name none.
func (c *Client) Model() string { return "fake" }

// Complete answers with the first step left that accepts the request.
func (c *Client) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	c.mu.Lock()
	c.log = append(c.log, clone(req))
	n := len(c.log)
	at := -1
	for i := range c.steps {
		if c.left(i) && c.steps[i].accepts(req) {
			at = i
			c.used[i]++
			break
		}
	}
	var open string
	if at < 0 {
		open = c.describeLeft()
	}
	c.mu.Unlock()
	if at < 0 {
		err := &ScriptError{Request: n, Purpose: req.Purpose, Last: lastMessage(req), Left: open}
		c.tb.Errorf("%v", err)
		return nil, err
	}
	s := &c.steps[at]
	if s.Delay > 0 {
		t := time.NewTimer(s.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if s.Do != nil {
		return s.Do(ctx, req)
	}
	if s.Err != nil {
		return nil, s.Err
	}
	text := s.Text
	if s.JSON != nil {
		text = encode(s.JSON)
	}
	return &llm.Response{Text: text, Calls: slices.Clone(s.Calls), Usage: s.Usage, Model: cmp.Or(s.Model, req.Model, c.Model())}, nil
}

// Log returns copies of the requests so far, in order of arrival.
func (c *Client) Log() []*llm.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

// left reports whether step i may still answer.
func (c *Client) left(i int) bool {
	n := c.steps[i].Times
	return n < 0 || c.used[i] < max(n, 1)
}

func (s *Step) accepts(req *llm.Request) bool {
	return (s.Purpose == "" || s.Purpose == req.Purpose) && (s.Match == nil || s.Match(req))
}

// describeLeft lists the steps that must still answer.
func (c *Client) describeLeft() string {
	var out []string
	for i := range c.steps {
		if c.steps[i].Times >= 0 && c.left(i) {
			out = append(out, fmt.Sprintf("%d (purpose %q, answered %d of %d)", i+1, c.steps[i].Purpose, c.used[i], max(c.steps[i].Times, 1)))
		}
	}
	return strings.Join(out, ", ")
}

func (c *Client) check() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if open := c.describeLeft(); open != "" {
		c.tb.Errorf("llmtest: the test ended after %d requests with steps left: %s", len(c.log), open)
	}
}

// ScriptError is a request that the script has no step for.
type ScriptError struct {
	Request int    // its number, from 1
	Purpose string // of the request
	Last    string // the beginning of its last message
	Left    string // the steps left over
}

// Error describes the request and what the script has left.
func (e *ScriptError) Error() string {
	left := e.Left
	if left == "" {
		left = "none"
	}
	return fmt.Sprintf("llmtest: no step accepts request %d (purpose %q, last message %q); steps left: %s", e.Request, e.Purpose, e.Last, left)
}

func lastMessage(req *llm.Request) string {
	if len(req.Messages) == 0 {
		return ""
	}
	text := []rune(req.Messages[len(req.Messages)-1].Content)
	if len(text) > 80 {
		text = append(text[:80], '…')
	}
	return string(text)
}

func clone(req *llm.Request) *llm.Request {
	copied := *req
	copied.Messages = slices.Clone(req.Messages)
	copied.Tools = slices.Clone(req.Tools)
	return &copied
}

// encode panics on a value that has no JSON, which only a wrong script holds.
func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("llmtest: a step's value has no JSON: %v", err))
	}
	return string(b)
}
