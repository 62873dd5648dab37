package coverage

import (
	"slices"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Shows reports whether an input shows the planned value of every axis that a
// rule can decide in the language (a BCP 47 base language, "en"); axes that no
// rule decides are passed over. It is what the check of the parameters does, for
// generators that choose among ready texts.
func Shows(language string, axes []model.Axis, planned map[string]model.Value, in *model.Input, f model.Format) bool {
	l, _ := lang.For(language) // nil without data: then the rules that need words decide nothing
	return !slices.ContainsFunc(axes, func(a model.Axis) bool {
		value, ok := Classify(l, a, in, f)
		return ok && value != planned[a.Name].String()
	})
}
