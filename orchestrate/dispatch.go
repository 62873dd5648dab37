package orchestrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
)

// Outcome is what became of one call. A call may leave both an Output and an
// Err: what it finished before it failed is kept. Err is
// [generator.ErrNotStarted] for a call that the run never came to.
type Outcome struct {
	Round     int
	Call      string // the call's id
	Generator string
	Tool      string
	UseCaseID string
	Stage     string // generate, repair or fallback
	Rows      []string
	// Kept counts the items of the call that were accepted.
	Kept   int
	Output *generator.Output
	Err    error
}

// job is one call together with the generator that will serve it.
type job struct {
	gen   generator.Generator
	spec  generator.Spec
	call  *generator.Call
	stage string
}

var errExited = errors.New("the generator exited its goroutine")

// dispatch runs the jobs at once, at most limit at a time, and returns one
// outcome for each in the order of jobs. A failure is data: it stops no other
// call. Jobs of Serial generators run after the others, one by one. When ctx
// ends, running calls are waited for and the rest stay ErrNotStarted.
func dispatch(ctx context.Context, jobs []job, limit int, timeout time.Duration, reserve func(context.Context, *job) (context.Context, func(), error), log *slog.Logger, done func(i int, o *Outcome)) []Outcome {
	outs := make([]Outcome, len(jobs))
	for i, j := range jobs {
		rows := make([]string, len(j.call.Rows))
		for k, r := range j.call.Rows {
			rows[k] = r.ID
		}
		outs[i] = Outcome{
			Round: j.call.Round, Call: j.call.ID, Generator: j.spec.Name, Tool: j.spec.ToolName(),
			UseCaseID: j.call.UseCase.ID, Stage: j.stage, Rows: rows, Err: generator.ErrNotStarted,
		}
	}
	run := func(ctx context.Context, i int) {
		defer func() {
			if done != nil {
				done(i, &outs[i])
			}
		}()
		runOne(ctx, jobs[i], timeout, log, &outs[i])
	}
	var group errgroup.Group // the zero Group does not cancel on error
	slots := make(chan struct{}, limit)
feed:
	for i := range jobs {
		if jobs[i].spec.Serial {
			continue
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			break feed
		}
		if ctx.Err() != nil { // select is random when both are ready
			break feed
		}
		// Reserving here, not in the goroutine, gives the budget out in plan order.
		callCtx, release, err := reserve(ctx, &jobs[i])
		if err != nil {
			outs[i].Err = err
			<-slots
			continue
		}
		group.Go(func() error {
			defer func() { <-slots }()
			defer release()
			run(callCtx, i)
			return nil
		})
	}
	_ = group.Wait() // always nil: failure is data
	for i := range jobs {
		if !jobs[i].spec.Serial || ctx.Err() != nil {
			continue
		}
		callCtx, release, err := reserve(ctx, &jobs[i])
		if err != nil {
			outs[i].Err = err
			continue
		}
		// A goroutine of its own, so that runtime.Goexit in a generator ends
		// that call and not the run.
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			run(callCtx, i)
		}()
		<-ended
		release()
	}
	return outs
}

func runOne(ctx context.Context, j job, timeout time.Duration, log *slog.Logger, out *Outcome) {
	out.Err = errExited
	if j.spec.Timeout > 0 {
		timeout = j.spec.Timeout
	}
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, generator.ErrTimeout)
	defer cancel()
	defer func() {
		if v := recover(); v != nil {
			p := &generator.PanicError{Value: v, Stack: debug.Stack()}
			log.Error("generator panicked", "generator", j.spec.Name, "call", j.call.ID, "panic", fmt.Sprint(v), "stack", string(p.Stack))
			out.Output, out.Err = nil, p
		}
	}()
	output, err := j.gen.Generate(ctx, j.call)
	out.Output = output
	switch {
	case err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)):
		out.Err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	case err != nil:
		out.Err = err
	case output == nil:
		out.Err = errors.New("the generator returned neither output nor error")
	default:
		out.Err = nil
	}
}

// fatal reports whether err means that no further call to the model can
// succeed, and why.
func fatal(err error) (Stop, bool) {
	var e *llm.Error
	if errors.As(err, &e) && e.Fatal() {
		return StopProvider, true
	}
	var missing *llm.MissingError // of a replay
	if errors.As(err, &missing) {
		return StopProvider, true
	}
	var b *llm.BudgetError
	if errors.As(err, &b) {
		return StopBudget, true
	}
	return "", false
}
