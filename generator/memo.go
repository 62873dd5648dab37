package generator

import (
	"context"
	"sync"
)

// Memo keeps what several calls of one run need and one of them makes: a graph
// of the documents, vectors of their parts. It belongs to the run and ends with
// it. The zero value is ready; it is safe for concurrent use.
type Memo struct {
	mu   sync.Mutex
	made map[string]*entry
}

type entry struct {
	done chan struct{} // closed when value and ok are set
	ok   bool
	v    any
}

// Once returns what build made for the key, in this call or in an earlier one of
// the same Memo. Calls that come while it is being made wait for it, or for
// their ctx. A failure is not kept: it is returned to the call that made it, and
// the next one tries again. What is made must follow from the key alone, since
// it is not known which call makes it, and must not be changed afterwards.
//
// A nil Memo keeps nothing. The key must be used with one type only.
func Once[T any](ctx context.Context, m *Memo, key string, build func(context.Context) (T, error)) (T, error) {
	if m == nil {
		return build(ctx)
	}
	for {
		e, mine := m.claim(key)
		if mine {
			return fill(ctx, m, key, e, build)
		}
		select {
		case <-e.done:
			if e.ok {
				v, _ := e.v.(T)
				return v, nil
			}
		case <-ctx.Done():
			var zero T
			return zero, context.Cause(ctx)
		}
	}
}

func (m *Memo) claim(key string) (e *entry, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e := m.made[key]; e != nil {
		return e, false
	}
	if m.made == nil {
		m.made = map[string]*entry{}
	}
	e = &entry{done: make(chan struct{})}
	m.made[key] = e
	return e, true
}

// fill makes the value; should build panic or exit, the entry is given up, so
// that nobody waits for it.
func fill[T any](ctx context.Context, m *Memo, key string, e *entry, build func(context.Context) (T, error)) (T, error) {
	defer func() {
		if !e.ok {
			m.mu.Lock()
			delete(m.made, key)
			m.mu.Unlock()
		}
		close(e.done)
	}()
	v, err := build(ctx)
	if err == nil {
		e.v, e.ok = v, true
	}
	return v, err
}
