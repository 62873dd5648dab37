package lang

import "strings"

// Stem returns the stem of a word in lower case. Words of one stem are forms of
// one word; a stem is not a word itself.
func (l *Language) Stem(word string) string {
	word = strings.ToLower(word)
	if l.stem == nil {
		return word
	}
	if l.memory == nil {
		return l.stem(word)
	}
	return recall(&l.memory.stems, word, l.stem)
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
