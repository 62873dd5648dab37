package ragas

import (
	"slices"

	"github.com/casebook-go/casebook/coverage"
)

// Persona is somebody who comes with a need: a customer, a caller, a patient.
// Its JSON is that of Ragas.
type Persona struct {
	Name string `json:"name"`
	Role string `json:"role_description"` // who they are and what brings them
}

// sameName finds the persona that a model means by a name, which it may have
// written in another case or spelling. There is none if two are as near.
func sameName(name string, personas []Persona) (int, bool) {
	name = coverage.Fold(name)
	if name == "" {
		return 0, false
	}
	exact := func(p Persona) bool { return coverage.Fold(p.Name) == name }
	if i := slices.IndexFunc(personas, exact); i >= 0 {
		return i, true
	}
	const like, clearly = 0.85, 0.03
	best, at, second := 0.0, 0, 0.0
	for i, p := range personas {
		switch d := JaroWinkler(stemmed(name), stemmed(coverage.Fold(p.Name))); {
		case d > best:
			best, at, second = d, i, best
		case d > second:
			second = d
		}
	}
	return at, best >= like && best-second >= clearly
}
