package rules

import (
	"math/rand/v2"

	"github.com/casebook-go/casebook/model"
)

// correct makes an example of an operator's message that breaks a rule and its
// corrected version.
func (w *work) correct(row *model.Row, r *rand.Rand) (*model.Example, string) {
	return nil, "not implemented"
}
