// Package lang holds everything that is true of one natural language, as data:
// its words for obligation, its speech frames, how a norm about an agent is
// turned into the agent's own voice, and its marks of tone. The engines that
// read the data are the same for every language; adding a language is adding
// data.
package lang

import (
	"fmt"
	"slices"
	"strings"
)

// Language is the data of one language. It is immutable.
type Language struct {
	Code string // BCP 47 base language
	Name string // in English

	stem  func(string) string
	stops map[string]bool

	memory *memory // nil for a language that remembers nothing

	Norm   Norms  // obligations: norms.go
	Claim  Claims // names and descriptions of use cases and policies: claims.go
	Voice  Voice  // a norm in the agent's own voice: voice.go
	Speech Speech // what customers and operators say: speech.go
	Marks  Marks  // what shows tone, identifiers, abuse, vagueness: marks.go
}

// UnknownError says that there is no data for a language.
type UnknownError struct {
	Code  string // "" when the language could not be told
	Known []string
}

// Error names the language and the remedy.
func (e *UnknownError) Error() string {
	what := "the language of the document could not be told"
	if e.Code != "" {
		what = fmt.Sprintf("no offline data for language %q", e.Code)
	}
	return fmt.Sprintf("lang: %s; without a model casebook reads %s: use a model for other languages", what, strings.Join(e.Known, ", "))
}

// For returns the data of a language, or an *[UnknownError].
func For(code string) (*Language, error) {
	for _, l := range languages {
		if l.Code == code {
			return l, nil
		}
	}
	return nil, &UnknownError{Code: code, Known: Known()}
}

// Known returns the codes of the languages that there is data for, sorted.
func Known() []string {
	var codes []string
	for _, l := range languages {
		codes = append(codes, l.Code)
	}
	slices.Sort(codes)
	return codes
}

var languages = []*Language{english, russian}

var english = &Language{Code: "en", Name: "English", stem: stemEN, stops: stopsEN, Norm: normsEN, Claim: claimsEN, Voice: voiceEN, Speech: speechEN, Marks: marksEN}

var russian = &Language{Code: "ru", Name: "Russian", stem: stemRU, stops: stopsRU, Norm: normsRU, Claim: claimsRU, Voice: voiceRU, Speech: speechRU, Marks: marksRU}
