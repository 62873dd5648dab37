package coverage

import (
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Classify returns the value of an axis that an input shows. It is total: for
// an axis with a built-in rule every input has a value. It is not ok for an
// unknown rule, for the rule "phrase", and for a rule that needs words when l
// is nil; such an axis is shown by a phrase.
func Classify(l *lang.Language, a model.Axis, in *model.Input, f model.Format) (value string, ok bool) {
	return "", false
}

// Decidable reports whether [Classify] can decide the axis in the language.
func Decidable(l *lang.Language, a model.Axis) bool { return false }

// Meaning says in English how a text shows a value of an axis, worded for a
// prompt; empty when the rule or the value is not built in.
func Meaning(a model.Axis, value string) string { return "" }

// Faults returns the visible faults of an operator's message, sorted: caps,
// emoji, exclamation, punctuation, rude, typo. l may be nil.
func Faults(l *lang.Language, text string) []string { return nil }

// InputText returns the text of an input that is compared with others: its
// messages, one on a line.
func InputText(in *model.Input) string { return "" }
