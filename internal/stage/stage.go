// Package stage runs one stage of a generator's method: it asks the model about
// many items in batches, side by side, and again about the items that it did not
// answer, so that a bad reply costs its batch a retry and nothing else.
package stage

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
)

// Options configures a stage.
type Options struct {
	// Name goes into errors, and into the seeds of the batches.
	Name string
	// Batch is the most items in one request; 0 means 5.
	Batch int
	// Concurrency is the most requests at once; 0 means 8. The client may have a
	// limit of its own.
	Concurrency int
	// Attempts is how often an item is asked about; 0 means 4.
	Attempts int
	// Group keeps items apart: those of different groups never share a batch. Nil
	// means one group.
	Group func(i int) string
	// Seed is what the seeds of the batches follow from.
	Seed uint64
}

func (o Options) defaulted() Options {
	if o.Batch <= 0 {
		o.Batch = 5
	}
	if o.Concurrency <= 0 {
		o.Concurrency = 8
	}
	if o.Attempts <= 0 {
		o.Attempts = 4
	}
	return o
}

// Result is what became of one item.
type Result[O any] struct {
	Value O
	Err   error // why there is no value; nil if there is one
}

// ErrNoAnswer is the error of an item that the model's replies left out.
var ErrNoAnswer = errors.New("the model's replies have nothing for it")

var errExited = errors.New("the model's client exited its goroutine")

// Run asks about the items and returns a result for each, in their order. ask
// makes one request for a batch and returns an answer for each of its items; nil
// is one that cannot be used. Items without an answer are asked about again with
// the others that are left, in smaller batches each time.
//
// What is asked follows from the items, the options and the replies, never from
// timing: attempt counts from 0, and seed differs with attempt and batch. A
// failure or panic is that of its batch. After a failure that no later call can
// mend, and when ctx ends, what has not been asked is
// [generator.ErrNotStarted]. Run waits for every request it made.
func Run[I, O any](ctx context.Context, call *generator.Call, items []I, o Options, ask func(ctx context.Context, batch []I, attempt int, seed int64) ([]*O, error)) []Result[O] {
	o = o.defaulted()
	out := make([]Result[O], len(items))
	left := make([]int, len(items))
	for i := range items {
		out[i].Err = generator.ErrNotStarted
		left[i] = i
	}
	var dead atomic.Bool
	for attempt := 0; attempt < o.Attempts && len(left) > 0 && !dead.Load() && ctx.Err() == nil; attempt++ {
		batches := o.batches(left, max(1, o.Batch>>(attempt*attempt)))
		var group errgroup.Group
		group.SetLimit(o.Concurrency)
		for n, batch := range batches {
			if dead.Load() || ctx.Err() != nil {
				break
			}
			group.Go(func() error {
				if !dead.Load() && ctx.Err() == nil {
					seed := int64(Hash(o.Seed, o.Name, attempt, n) >> 1)
					err := serve(ctx, call, items, batch, out, o.Name, func(part []I) ([]*O, error) { return ask(ctx, part, attempt, seed) })
					if Fatal(err) {
						dead.Store(true)
					}
				}
				return nil
			})
		}
		_ = group.Wait() // always nil: a failure is that of its items
		var open []int
		for _, i := range left {
			if out[i].Err != nil && !permanent(out[i].Err) {
				open = append(open, i)
			}
		}
		left = open
	}
	return out
}

// serve asks about one batch and writes the results of its items.
func serve[I, O any](ctx context.Context, call *generator.Call, items []I, batch []int, out []Result[O], name string, ask func([]I) ([]*O, error)) (err error) {
	fail := func(err error) {
		for _, i := range batch {
			out[i].Err = fmt.Errorf("%s: %w", name, err)
		}
	}
	fail(errExited)
	defer func() {
		if v := recover(); v != nil {
			p := &generator.PanicError{Value: v, Stack: debug.Stack()}
			if call != nil && call.Log != nil {
				call.Log.Error("stage panicked", "stage", name, "panic", fmt.Sprint(v), "stack", string(p.Stack))
			}
			fail(p)
			err = p
		}
	}()
	part := make([]I, len(batch))
	for k, i := range batch {
		part[k] = items[i]
	}
	answers, err := ask(part)
	if err != nil {
		fail(err)
		if ctx.Err() != nil {
			fail(context.Cause(ctx))
		}
	}
	for k, i := range batch {
		switch {
		case k < len(answers) && answers[k] != nil:
			out[i] = Result[O]{Value: *answers[k]}
		case err == nil:
			out[i].Err = fmt.Errorf("%s: %w", name, ErrNoAnswer)
		}
	}
	return err
}

// batches cuts the indices into batches of one group each, groups in the order
// in which they come up.
func (o *Options) batches(left []int, size int) [][]int {
	var order []string
	groups := map[string][]int{}
	for _, i := range left {
		key := ""
		if o.Group != nil {
			key = o.Group(i)
		}
		if groups[key] == nil {
			order = append(order, key)
		}
		groups[key] = append(groups[key], i)
	}
	var out [][]int
	for _, key := range order {
		// Of equal size, so that none is left with a single item.
		g := groups[key]
		n := (len(g) + size - 1) / size
		for k := range n {
			out = append(out, g[k*len(g)/n:(k+1)*len(g)/n])
		}
	}
	return out
}

// Ask makes the request of a batch: a system message, a user message, and a reply
// of type T. See [llm.Ask] for the errors.
func Ask[T any](ctx context.Context, c llm.Client, purpose, system, user string, seed int64, temperature float64) (T, error) {
	rep, _, err := llm.Ask[T](ctx, c, &llm.Request{
		Purpose: purpose, Seed: &seed, Temperature: &temperature,
		Messages: []llm.Message{{Role: llm.RoleSystem, Content: system}, {Role: llm.RoleUser, Content: user}},
	})
	return rep, err
}

// Fatal reports whether no later request can succeed: the provider has refused
// key, model or money, the budget is spent, the limiter has stopped, or a replay
// has no reply.
func Fatal(err error) bool {
	var e *llm.Error
	var b *llm.BudgetError
	var m *llm.MissingError
	var s *llm.StoppedError
	return errors.As(err, &e) && e.Fatal() || errors.As(err, &b) || errors.As(err, &m) || errors.As(err, &s)
}

// permanent reports whether asking again about the same item is of no use.
func permanent(err error) bool {
	var e *llm.Error
	return Fatal(err) || errors.As(err, &e) && (e.Kind == llm.KindUnsupported || e.Kind == llm.KindSchema)
}

// Hash returns a number that follows from the parts, the same on every machine.
func Hash(seed uint64, parts ...any) uint64 {
	h := fnv.New64a()
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], seed)
	h.Write(b[:]) // a hash never fails to be written to
	for _, p := range parts {
		fmt.Fprintf(h, "\x00%v", p)
	}
	// FNV alone leaves the high bits of short inputs alike.
	x := h.Sum64()
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// Rand returns a source of draws that follow from the parts.
func Rand(seed uint64, parts ...any) *rand.Rand {
	return rand.New(rand.NewPCG(Hash(seed, parts...), Hash(seed, append(parts, "2")...)))
}
