package python

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"strconv"
	"sync"
	"time"
)

// poolOptions are the settings of a pool; zero fields mean the defaults.
type poolOptions struct {
	Workers int           // processes at once; 0 means 1
	Start   time.Duration // until a worker is ready; 0 means 2 minutes
	Stall   time.Duration // of silence with no call to the model under way; 0 means 2 minutes
	Idle    time.Duration // until a worker without a job is stopped; 0 means 30 seconds
	Memory  int64         // bytes of address space of a worker; 0 means no limit
	Line    int           // bytes of a line of a worker; 0 means 16 MiB
	Records int           // bytes of the records of a job; 0 means 256 MiB
	// Grace is how long pipes are read after the end of a worker, and how long a
	// worker may live without its output; 0 means 2 seconds.
	Grace   time.Duration
	Temp    string       // where private folders are made; "" means the system's
	Program fs.FS        // the worker's files; nil means those embedded here
	Log     *slog.Logger // nil means none
	// Bytecode lets a worker write the bytecode of what it imports into its
	// environment.
	Bytecode bool
}

func (o poolOptions) settled() poolOptions {
	o.Workers = max(1, o.Workers)
	o.Start = cmp.Or(o.Start, 2*time.Minute)
	o.Stall = cmp.Or(o.Stall, 2*time.Minute)
	o.Idle = cmp.Or(o.Idle, 30*time.Second)
	o.Line = cmp.Or(o.Line, 16<<20)
	o.Records = cmp.Or(o.Records, 256<<20)
	o.Grace = cmp.Or(o.Grace, 2*time.Second)
	if o.Program == nil {
		o.Program = program()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// errClosed is the cause of what a closed pool does not do.
var errClosed = errors.New("the engine is closed")

// pool starts workers when there are jobs for them, at most so many at once, and
// keeps them for the next job. It is safe for concurrent use.
type pool struct {
	env   *Environment
	o     poolOptions
	slots chan struct{} // one in it for each job under way
	// closing is closed when the pool is.
	closing chan struct{}
	running sync.WaitGroup

	mu     sync.Mutex
	closed bool
	jobs   int // that were ever given
	idle   []*idler
}

// idler is a worker without a job, and what stops it after a while.
type idler struct {
	*worker
	timer *time.Timer
}

func newPool(env *Environment, o poolOptions) *pool {
	o = o.settled()
	return &pool{env: env, o: o, slots: make(chan struct{}, o.Workers), closing: make(chan struct{})}
}

// run gives a job to a worker: an idle one, a new one, or, when all are at work,
// the first that is free. pending says how many calls to the model are under way
// for the job; nil means none.
//
// The replies are never nil. A *[WorkerError] tells that the worker is lost, and
// with it the tasks that have not ended; what had arrived is in the replies. Any
// other error says that the job cannot be written.
func (p *pool) run(ctx context.Context, j *job, pending func() int) (*replies, error) {
	p.mu.Lock()
	p.jobs++
	id := "j" + strconv.Itoa(p.jobs)
	p.mu.Unlock()
	got := emptyReplies(j)
	line, err := j.encode(id)
	if err != nil {
		return got, err
	}
	err = p.with(ctx, func(ctx context.Context, w *worker) (fit bool, err error) {
		got, fit, err = w.do(ctx, id, j, line, pending)
		return fit, err
	})
	return got, err
}

// start sees to it that there is a worker that has imported its framework. The
// error is a *[WorkerError].
func (p *pool) start(ctx context.Context) error {
	return p.with(ctx, func(context.Context, *worker) (bool, error) { return true, nil })
}

// with gives fn a worker: an idle one, a new one, or, when all are at work, the
// first that is free. The worker is kept if fn finds it fit for more.
func (p *pool) with(ctx context.Context, fn func(context.Context, *worker) (fit bool, err error)) error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return p.canceled(errClosed)
	}
	p.running.Add(1)
	p.mu.Unlock()
	defer p.running.Done()

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stopped := make(chan struct{})
	defer func() { <-stopped }()
	done := make(chan struct{})
	defer close(done)
	go func() {
		defer close(stopped)
		select {
		case <-p.closing:
			cancel(errClosed)
		case <-done:
		}
	}()

	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
	}
	if ctx.Err() != nil {
		return p.canceled(context.Cause(ctx))
	}
	w := p.take()
	if w == nil {
		var err error
		if w, err = startWorker(ctx, p.env, &p.o); err != nil {
			return err
		}
	}
	fit, err := fn(ctx, w)
	if fit {
		p.give(w)
	}
	return err
}

func (p *pool) canceled(cause error) *WorkerError {
	return &WorkerError{Framework: p.env.Framework, Kind: KindCanceled, Exit: -1, Err: cause}
}

// take returns an idle worker that is still in order, the last one used first,
// and nil when there is none.
func (p *pool) take() *worker {
	for {
		p.mu.Lock()
		n := len(p.idle)
		if n == 0 {
			p.mu.Unlock()
			return nil
		}
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		w.timer.Stop()
		if w.alive() {
			return w.worker
		}
		w.stop()
	}
}

// give keeps a worker for the next job.
func (p *pool) give(w *worker) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		w.stop()
		return
	}
	i := &idler{worker: w}
	i.timer = time.AfterFunc(p.o.Idle, func() { p.retire(i) })
	p.idle = append(p.idle, i)
	p.mu.Unlock()
}

// retire stops a worker that has been idle for long, if it still is.
func (p *pool) retire(i *idler) {
	p.mu.Lock()
	for k, other := range p.idle {
		if other == i {
			p.idle = append(p.idle[:k:k], p.idle[k+1:]...)
			p.running.Add(1)
			p.mu.Unlock()
			i.stop()
			p.running.Done()
			return
		}
	}
	p.mu.Unlock()
}

// close stops all workers, those of jobs under way too, and returns when nothing
// of them is left. It may be called twice.
func (p *pool) close() error {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		close(p.closing)
	}
	idle := p.idle
	p.idle = nil
	p.mu.Unlock()
	var stopping sync.WaitGroup
	for _, i := range idle {
		i.timer.Stop()
		stopping.Go(i.stop)
	}
	stopping.Wait()
	p.running.Wait()
	return nil
}
