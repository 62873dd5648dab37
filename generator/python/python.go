// Package python runs the real DeepEval, Ragas and Giskard behind the tools of
// the same names: [New] returns a generator that starts the framework in a
// Python process and brings what it makes under the contract.
//
// # What is whose
//
// The framework writes the messages and the expected outputs, with its own
// prompts. casebook gives it passages of the documents and what the planned rows
// are to show, and does the rest: names, criteria and policies of the items, the
// checks that the Go engines' items go through, and the mending of what does not
// pass. A mended record says what the framework had written, under
// [OriginalInput] and [OriginalOutput]. Rows whose message is given or must be
// bad (empty, an attack) are left to other generators, since the frameworks write
// messages of their own: see [generator.Spec].OwnInputs.
//
// # The process
//
// [Setup] makes an environment for each framework, [Check] finds it. A worker
// written in Python and embedded here runs in it, in a private temporary folder
// that is removed at the end, with an environment of its own and the framework's
// telemetry off. It has no key and opens one connection: to a proxy on a
// loopback port that the Go side opens for each job, which answers with the
// call's own model and embedder. So retries, limits, budget, recording and
// counting are the run's, and nothing of them is the framework's. The process
// group is killed when a job fails, stalls or is cancelled; what had arrived is
// kept, and what had not is given to a new worker.
//
// Engines run on Linux and macOS; elsewhere [New] returns an [EnvironmentError].
package python

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/ragas"
)

// The keys under which a record that was mended says what the framework wrote:
// in DeepEval's additional_metadata, in Giskard's metadata, in Ragas' sample.
const (
	OriginalInput  = "original_input"
	OriginalOutput = "original_output"
)

// The names of the frameworks.
const (
	DeepEval = "deepeval"
	Ragas    = "ragas"
	Giskard  = "giskard"
)

// Options are the settings of an engine. Framework and Dir are needed; other
// zero fields mean the defaults.
type Options struct {
	// Framework is [DeepEval], [Ragas] or [Giskard].
	Framework string
	// Dir is the folder that [Setup] was given.
	Dir string
	// Temp is the folder in which the private folders of workers are made; ""
	// means the system's.
	Temp string
	// Workers is how many processes run at once; 0 means 2. A framework takes
	// 0.1 to 0.5 GB in each.
	Workers int
	// Concurrency is how many calls to the model one worker has under way; 0
	// means 16. The run's own limit holds as well.
	Concurrency int
	// Batch is the most items of one job, which a crash can cost; 0 means 8.
	Batch int
	// TopUps is how often items that are missing (the framework failed, or made
	// nothing, a duplicate, or what does not pass) are made again; 0 means
	// twice, -1 never.
	TopUps int
	// Threshold is the lowest score of an input that passes, 0 to 1; 0 means 0.5.
	Threshold float64
	// MaxDocument is how many characters of documents a prompt of casebook's own
	// stages holds; 0 means 24,000.
	MaxDocument int
	// Start is how long a worker may take to import its framework; 0 means 2
	// minutes.
	Start time.Duration
	// Timeout is how long a call of the generator may take, with all its calls to
	// the model and the wait for a free worker; 0 means 30 minutes. The run's own
	// limit on a call does not hold for it.
	Timeout time.Duration
	// CallTimeout is how long a call to the model may take, retries included; 0
	// means 2 minutes.
	CallTimeout time.Duration
	// Stall is how long a worker may be silent while no call to the model is
	// under way; 0 means 2 minutes.
	Stall time.Duration
	// Idle is how long a worker waits for another job before it is stopped; 0
	// means 30 seconds.
	Idle time.Duration
	// Memory is the most bytes of address space a worker may have; 0 means no
	// limit. With its framework imported a worker has 0.2 GB (DeepEval) to 0.9 GB
	// (Ragas, Giskard), much of it never touched; less than 1 GB is of no use to
	// the latter. macOS knows no such limit.
	Memory int64
	// Log is told, at debug level, what workers write to their standard error;
	// nil means nobody.
	Log *slog.Logger
}

func (o Options) settled() (Options, error) {
	for _, n := range []struct {
		option string
		value  int64
	}{
		{"Workers", int64(o.Workers)},
		{"Concurrency", int64(o.Concurrency)},
		{"Batch", int64(o.Batch)},
		{"TopUps", int64(o.TopUps) + 1},
		{"MaxDocument", int64(o.MaxDocument)},
		{"Start", int64(o.Start)},
		{"Timeout", int64(o.Timeout)},
		{"CallTimeout", int64(o.CallTimeout)},
		{"Stall", int64(o.Stall)},
		{"Idle", int64(o.Idle)},
		{"Memory", o.Memory},
	} {
		if n.value < 0 {
			return o, &OptionError{n.option, "it is negative", "use 0 for the default"}
		}
	}
	if !(o.Threshold >= 0 && o.Threshold <= 1) {
		return o, &OptionError{"Threshold", fmt.Sprintf("%v is no score", o.Threshold), "use a number from 0 to 1"}
	}
	if o.Temp != "" {
		if info, err := os.Stat(o.Temp); err != nil || !info.IsDir() || !filepath.IsAbs(o.Temp) {
			return o, &OptionError{"Temp", fmt.Sprintf("%q is no absolute path of a folder that is there", o.Temp), "name one, or use the empty text for the system's"}
		}
	}
	o.Workers = cmp.Or(o.Workers, 2)
	o.Concurrency = cmp.Or(o.Concurrency, 16)
	o.Batch = cmp.Or(o.Batch, 8)
	o.TopUps = max(0, cmp.Or(o.TopUps, 2))
	o.Threshold = cmp.Or(o.Threshold, 0.5)
	o.MaxDocument = cmp.Or(o.MaxDocument, 24000)
	o.Start = cmp.Or(o.Start, 2*time.Minute)
	o.Timeout = cmp.Or(o.Timeout, 30*time.Minute)
	o.CallTimeout = cmp.Or(o.CallTimeout, 2*time.Minute)
	o.Stall = cmp.Or(o.Stall, 2*time.Minute)
	o.Idle = cmp.Or(o.Idle, 30*time.Second)
	return o, nil
}

// OptionError says which option cannot be used, why, and what to do.
type OptionError struct{ Option, Reason, Remedy string }

func (e *OptionError) Error() string {
	return fmt.Sprintf("python: option %s: %s; %s", e.Option, e.Reason, e.Remedy)
}

func unknownFramework(name string) *OptionError {
	return &OptionError{"Framework", fmt.Sprintf("%q is none", name), fmt.Sprintf("use %q, %q or %q", DeepEval, Ragas, Giskard)}
}

// Engine is a framework as a generator, with the name, the tool and the record
// format of the Go engine of that framework. It is safe for concurrent use.
type Engine struct {
	env    *Environment
	o      Options
	method method
	inner  generator.Generator
	pool   *pool
}

// New returns the engine of a framework. It starts nothing: the first call does.
// The error is an *[OptionError], or an *[EnvironmentError] where the
// environment is missing or not the one that this version works with.
func New(o Options) (*Engine, error) {
	o, err := o.settled()
	if err != nil {
		return nil, err
	}
	e := &Engine{o: o}
	switch o.Framework {
	case DeepEval:
		e.inner, err = wrap(e, newDeepEval(), func(p deepeval.Params) []string { return p.DocumentPaths })
	case Ragas:
		e.inner, err = wrap(e, newRagas(), func(p ragas.Params) []string { return p.DocumentPaths })
	case Giskard:
		e.inner, err = wrap(e, newGiskard(), func(p giskard.Params) []string { return p.DocumentPaths })
	default:
		return nil, unknownFramework(o.Framework)
	}
	if err != nil {
		return nil, err
	}
	if e.env, err = Check(o.Dir, o.Framework); err != nil {
		return nil, err
	}
	e.pool = newPool(e.env, poolOptions{
		Workers: o.Workers, Temp: o.Temp, Start: o.Start, Stall: o.Stall, Idle: o.Idle, Memory: o.Memory, Log: o.Log,
	})
	return e, nil
}

// Start starts a worker, unless one is idle, and waits until its framework is
// imported. It is not needed: it shows that the environment works before anything
// is paid for. The worker is kept for the next call as any other, see
// [Options].Idle. The error is a *[WorkerError].
func (e *Engine) Start(ctx context.Context) error { return e.pool.start(ctx) }

// Spec is that of the Go engine, without rows whose message is given or bad, and
// with a time limit of its own, [Options].Timeout.
func (e *Engine) Spec() generator.Spec { return e.inner.Spec() }

// Generate fills the rows of a call. The output's engine is "python" and its
// version the framework's. The error is a *[WorkerError], *[TaskError] or
// *[QualityError] where the framework made nothing at all, a *[UselessModelError]
// where it was given up, and the model's own where no later call to it can
// succeed.
func (e *Engine) Generate(ctx context.Context, call *generator.Call) (*generator.Output, error) {
	return e.inner.Generate(ctx, call)
}

// Version is the framework's version.
func (e *Engine) Version() string { return e.env.Version }

// Close stops the workers, those of calls under way too, and waits for them.
// Later calls fail. It may be called twice.
func (e *Engine) Close() error { return e.pool.close() }
