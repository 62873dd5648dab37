package coverage

import (
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Shows reports whether an input shows the planned value of every axis that a
// rule can decide in the language (a BCP 47 base language, "en"); axes that no
// rule decides are passed over. It is what the check of the parameters does, for
// generators that choose among ready texts.
func Shows(language string, axes []model.Axis, planned map[string]model.Value, in *model.Input, f model.Format) bool {
	l, _ := lang.For(language) // nil without data: then the rules that need words decide nothing
	if in == nil {
		return true
	}
	m := newMessage(in)
	for _, dear := range []bool{false, true} { // what is seen at a glance comes first
		for _, a := range axes {
			r := ruleOf(a)
			if r == nil || r.words && l == nil || (r.words || r.name == "identifier" || r.name == "language") != dear {
				continue
			}
			if r.value(l, m) != planned[a.Name].String() {
				return false
			}
		}
	}
	return true
}
