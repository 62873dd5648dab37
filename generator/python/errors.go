package python

import (
	"fmt"
	"strings"
)

// Kind says what became of a worker or of a task.
type Kind string

// The kinds of a [WorkerError].
const (
	KindUnsupported Kind = "unsupported" // no worker can run on this operating system
	KindStart       Kind = "start"       // the process could not be started
	KindImport      Kind = "import"      // the framework could not be imported
	KindTimeout     Kind = "timeout"     // it was not ready in time
	KindStall       Kind = "stall"       // it fell silent with no call to the model under way
	KindProtocol    Kind = "protocol"    // it wrote what a worker does not write
	KindOversized   Kind = "oversized"   // it wrote a line, or a job's lines, that are too long
	KindExit        Kind = "exit"        // it ended by itself before its job did
	KindKilled      Kind = "killed"      // a signal that is not ours ended it
	KindMemory      Kind = "memory"      // it came to its limit of memory
	KindCanceled    Kind = "canceled"    // the caller's context ended, or the engine was closed
)

// The kinds of a [TaskError].
const (
	KindModel     Kind = "model"     // a call to the model failed
	KindFramework Kind = "framework" // the framework raised an exception
	KindInput     Kind = "input"     // the task asks for what the framework cannot do
	KindInternal  Kind = "internal"  // the worker itself is at fault
)

// WorkerError says how a worker process ended that was to do a job. Tasks that
// had ended before are not touched by it.
type WorkerError struct {
	// Framework is the one that the worker was to run.
	Framework string
	Kind      Kind
	// Exit is the status with which the process ended by itself, and -1 where a
	// signal or this package ended it, or it never started.
	Exit int
	// Signal names the signal that ended it, if that was not ours: "killed".
	Signal string
	// Stderr is the end of what the worker wrote to its standard error, with
	// tokens and control characters taken out: a few KiB at most.
	Stderr string
	// Err is the cause, where there is one: the end of a context, a fault of
	// the protocol, an error of the operating system, a *[TaskError] of an import.
	Err error
}

// Error names the framework, what happened and what can be done about it.
func (e *WorkerError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "python: the %s worker %s", e.Framework, e.happened())
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Kind == KindExit || e.Kind == KindKilled || e.Kind == KindStart {
		if last := lastLine(e.Stderr, 300); last != "" {
			fmt.Fprintf(&b, " (its last words: %s)", last)
		}
	}
	if r := e.remedy(); r != "" {
		b.WriteString("; " + r)
	}
	return b.String()
}

func (e *WorkerError) happened() string {
	switch e.Kind {
	case KindUnsupported:
		return "cannot run on this operating system"
	case KindStart:
		return "could not be started"
	case KindImport:
		return "could not import the framework"
	case KindTimeout:
		return "was not ready in time"
	case KindStall:
		return "fell silent with no call to the model under way"
	case KindProtocol:
		return "broke the protocol"
	case KindOversized:
		return "wrote too much"
	case KindExit:
		return fmt.Sprintf("ended with status %d before its job did", e.Exit)
	case KindKilled:
		if e.Signal == "" {
			return fmt.Sprintf("was killed (status %d)", e.Exit)
		}
		return "was ended by a signal, " + e.Signal
	case KindMemory:
		return "came to its limit of memory"
	case KindCanceled:
		return "was stopped"
	default:
		return "failed (" + string(e.Kind) + ")"
	}
}

func (e *WorkerError) remedy() string {
	switch e.Kind {
	case KindUnsupported:
		return "use the Go engine there"
	case KindStart:
		return "make its environment anew with python.Setup"
	case KindImport:
		return "make its environment anew with python.Setup, or raise Options.Memory if it is set"
	case KindTimeout:
		return "raise Options.Start, or start fewer workers at once"
	case KindStall:
		return "raise Options.Stall, or lower Options.Batch"
	case KindOversized:
		return "lower Options.Batch"
	case KindKilled:
		return "if nobody killed it, the system may have run out of memory: lower Options.Workers or Options.Batch"
	case KindMemory:
		return "raise Options.Memory, or lower Options.Batch"
	default:
		return ""
	}
}

// futile reports whether another worker would fare no better.
func (e *WorkerError) futile() bool {
	switch e.Kind {
	case KindUnsupported, KindStart, KindImport, KindTimeout, KindCanceled:
		return true
	default:
		return false
	}
}

// Unwrap returns the cause.
func (e *WorkerError) Unwrap() error { return e.Err }

// UselessModelError says that a framework was given up in a run, since the
// model's replies do not come in time, or not in the form that it asks for.
type UselessModelError struct {
	Framework string
	Times     int    // in a row, each asked for again before
	Last      string // what was wrong with the last one
}

// Error names the framework, what was wrong and what can be done about it.
func (e *UselessModelError) Error() string {
	return fmt.Sprintf("python: %s was given up: %d replies of the model in a row could not be used (%s); raise Options.CallTimeout if they come late, else use a model that follows JSON schemas, or the Go engine", e.Framework, e.Times, e.Last)
}

// TaskError is the failure of one task of a job, as the worker tells it. The
// worker lives on.
type TaskError struct {
	// Framework is the one that was at work.
	Framework string
	Kind      Kind
	// Type is the Python class of the exception: "ValueError".
	Type string
	// Message is the exception's text, with tokens taken out, cut where it is
	// very long.
	Message string
}

// Error names the framework and the exception.
func (e *TaskError) Error() string {
	what := e.Type
	switch {
	case what == "":
		what = e.Message
	case e.Message != "":
		what += ": " + e.Message
	}
	switch e.Kind {
	case KindModel:
		return fmt.Sprintf("python: a call of %s to the model failed: %s", e.Framework, what)
	case KindInput:
		return fmt.Sprintf("python: %s cannot take the task: %s", e.Framework, what)
	case KindInternal:
		return fmt.Sprintf("python: the driver of %s failed: %s", e.Framework, what)
	default:
		return fmt.Sprintf("python: %s failed: %s", e.Framework, what)
	}
}

// lastLine is the last line of a text that is not blank, cut after limit bytes.
func lastLine(text string, limit int) string {
	text = strings.TrimSpace(text)
	return clip(strings.TrimSpace(text[strings.LastIndexByte(text, '\n')+1:]), limit)
}

// clip cuts a text that is longer than limit bytes, at the end of a character.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit], "") + "..."
}
