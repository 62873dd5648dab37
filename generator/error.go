package generator

import (
	"errors"
	"fmt"
	"strings"
)

// ErrNotStarted is the outcome of a call that the run ended before.
var ErrNotStarted = errors.New("the call was not started")

// ErrTimeout is the outcome of a call that took longer than its timeout.
var ErrTimeout = errors.New("the call timed out")

// PanicError is the outcome of a call whose generator panicked.
type PanicError struct {
	Value any
	Stack []byte // as debug.Stack gives it; for logs, never for the model
}

// Error implements error. It does not hold the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("the generator panicked: %v", e.Value) }

// Unwrap returns the value the generator panicked with, if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// UnknownToolError is the outcome of a call to a tool that does not exist.
type UnknownToolError struct {
	Name  string
	Valid []string // the names of the tools that do
}

// Error implements error.
func (e *UnknownToolError) Error() string {
	return fmt.Sprintf("there is no tool %q; call one of: %s", e.Name, strings.Join(e.Valid, ", "))
}

// ArgsError is the outcome of a call with arguments that do not fit the tool's
// schema. Its text is worded so that a model can repair them.
type ArgsError struct {
	Tool     string
	Problems []string // each by itself, with the path of the argument
	Err      error    // from the parameters' own Validate method, if that failed
}

// Error implements error.
func (e *ArgsError) Error() string {
	text := strings.Join(e.Problems, "; ")
	if e.Tool == "" {
		return "invalid arguments: " + text
	}
	return "invalid arguments for " + e.Tool + ": " + text
}

// Unwrap returns the error of the parameters' own Validate method.
func (e *ArgsError) Unwrap() error { return e.Err }

// SpecProblem is one thing that is wrong with a [Spec] or its parameters.
type SpecProblem struct {
	Field  string // of the spec, or the Go path of the parameter: "Params.Items[].Start"
	Reason string
	Hint   string // what to do about it
}

// SpecError says why a generator cannot be registered: every problem, not the
// first.
type SpecError struct {
	Generator string
	Problems  []SpecProblem
}

// Error implements error.
func (e *SpecError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "generator %q cannot be registered: ", e.Generator)
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s: %s (%s)", p.Field, p.Reason, p.Hint)
	}
	return b.String()
}
