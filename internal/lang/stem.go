package lang

// Stem returns the stem of a word in lower case. Words of one stem are forms of
// one word; a stem is not a word itself.
func (l *Language) Stem(word string) string { return word }

// Words returns the lower-cased words of a text; see the function [Words].
func (l *Language) Words(text string) []string { return Words(text) }

// Stems returns the stems of the words of a text that are no stop words, in
// order, repeated as they repeat.
func (l *Language) Stems(text string) []string { return Words(text) }

// IsStop reports whether a lower-cased word carries no matter of its own:
// articles, pronouns, prepositions, auxiliaries.
func (l *Language) IsStop(word string) bool { return l.stops[word] }
