package lang

import "github.com/casebook-go/casebook/model"

// Norms is the lexicon of obligation of one language.
type Norms struct{}

// Norm is one obligation found in a sentence.
type Norm struct {
	// Text is the clause that states the obligation, in the sentence's own
	// words, without the conditions and exceptions that were cut out of it.
	Text string
	// Type is what kind of policy the clause makes.
	Type model.PolicyType
	// Cue is the word or phrase that shows the obligation, lower-cased.
	Cue string
	// Weak is set when the clause states a practice or a fact with a limit and
	// no word of obligation: whether it binds depends on where it stands.
	Weak bool
	// Conditions and Exceptions say when the obligation applies and when not,
	// in the sentence's own words, with their conjunction.
	Conditions, Exceptions []string
}

// Norms returns the obligations that one sentence states, in order. None means
// that the sentence obliges nobody.
func (l *Language) Norms(sentence string) []Norm { return nil }
