package lang

import (
	"slices"
	"strings"
	"sync"
)

// Remembering returns the language with a memory of what it was asked: a run
// meets the same words and sentences again and again, and documents repeat
// themselves. The memory lives as long as what is returned, which is safe for
// concurrent use.
func (l *Language) Remembering() *Language {
	if l.memory != nil {
		return l
	}
	c := *l
	c.memory = &memory{}
	return &c
}

// memory is what a language was asked before.
type memory struct {
	stems  remembered[string]
	spoken remembered[said]
	quoted remembered[said]
	norms  remembered[[]Norm]
}

type said struct {
	spoken Spoken
	ok     bool
}

// remembered are answers by what was asked. The zero value is ready.
type remembered[T any] struct {
	mu      sync.RWMutex
	answers map[string]T
}

// mostRemembered bounds a memory: no document has more different words, or
// sentences that are worth it.
const mostRemembered = 1 << 17

func recall[T any](r *remembered[T], asked string, answer func(string) T) T {
	r.mu.RLock()
	v, ok := r.answers[asked]
	r.mu.RUnlock()
	if ok {
		return v
	}
	v = answer(asked)
	r.mu.Lock()
	if r.answers == nil {
		r.answers = map[string]T{}
	}
	if len(r.answers) < mostRemembered {
		r.answers[strings.Clone(asked)] = v
	}
	r.mu.Unlock()
	return v
}

// apart returns norms whose lists the caller may append to.
func apart(norms []Norm) []Norm {
	out := slices.Clone(norms)
	for i := range out {
		out[i].Conditions, out[i].Exceptions = slices.Clip(out[i].Conditions), slices.Clip(out[i].Exceptions)
	}
	return out
}
