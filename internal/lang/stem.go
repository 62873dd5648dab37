package lang

import (
	"strings"
	"sync"
)

// Stem returns the stem of a word in lower case. Words of one stem are forms of
// one word; a stem is not a word itself.
func (l *Language) Stem(word string) string {
	word = strings.ToLower(word)
	if l.stem == nil {
		return word
	}
	return l.stem(word)
}

// Remembering returns the language with a memory of the stems that were asked
// for, for as long as it is in use: a run meets the same words again and again.
// It is safe for concurrent use.
func (l *Language) Remembering() *Language {
	if l.stem == nil {
		return l
	}
	c := *l
	m := &stemMemory{stems: map[string]string{}, stem: l.stem}
	c.stem = m.of
	return &c
}

type stemMemory struct {
	mu    sync.RWMutex
	stems map[string]string
	stem  func(string) string
}

// mostStems bounds a memory: more different words are no document's vocabulary.
const mostStems = 1 << 17

func (m *stemMemory) of(word string) string {
	m.mu.RLock()
	s, ok := m.stems[word]
	m.mu.RUnlock()
	if ok {
		return s
	}
	s = m.stem(word)
	m.mu.Lock()
	if len(m.stems) < mostStems {
		m.stems[strings.Clone(word)] = s
	}
	m.mu.Unlock()
	return s
}

// Words returns the lower-cased words of a text; see the function [Words].
func (l *Language) Words(text string) []string { return Words(text) }

// Stems returns the stems of the words of a text that are no stop words, in
// order, repeated as they repeat.
func (l *Language) Stems(text string) []string {
	var stems []string
	for _, w := range Words(text) {
		if !l.stops[w] {
			stems = append(stems, l.Stem(w))
		}
	}
	return stems
}

// IsStop reports whether a lower-cased word carries no matter of its own:
// articles, pronouns, prepositions, auxiliaries.
func (l *Language) IsStop(word string) bool { return l.stops[word] }

// set makes a set of the words of a text.
func set(text string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(text) {
		m[w] = true
	}
	return m
}
