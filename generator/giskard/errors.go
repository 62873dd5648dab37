package giskard

import (
	"errors"
	"fmt"
	"strings"
)

// OptionError is an option, or a field of the [Input], that cannot be used. It
// comes before any call to a model.
type OptionError struct {
	Option string // its name: "Weights", "Input.Model"
	Reason string // what is wrong and what would do
}

// Error implements error.
func (e *OptionError) Error() string { return "giskard: option " + e.Option + ": " + e.Reason }

// RowError is a row of a knowledge base that cannot be used.
type RowError struct {
	Row    int    // its place, from 1
	ID     string // if it has one
	Column string // if one cell is at fault
	Reason string // what is wrong and what would do
}

// Error implements error.
func (e *RowError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "giskard: row %d", e.Row)
	if e.ID != "" {
		fmt.Fprintf(&b, " (%s)", e.ID)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %q", e.Column)
	}
	return b.String() + ": " + e.Reason
}

// DeclinedError says that the model found that a question cannot be written
// honestly: a passage that states nothing, an aside that nobody would make.
type DeclinedError struct{ Reason string }

// Error implements error.
func (e *DeclinedError) Error() string {
	return "the model says that it cannot be written: " + e.Reason
}

// ErrEmpty is the error of a knowledge base without text.
var ErrEmpty = errors.New("giskard: the knowledge base holds no text; give documents or rows with text")

// Short is what a test set lacks of one type of question.
type Short struct {
	Type  Type
	Asked int
	Made  int
	// Possible is how many can be made: as many as asked where a further run may
	// bring them, 0 where the base cannot give the type at all.
	Possible int
	// Reasons are why, each once, in order of appearance.
	Reasons []string
}

// ShortfallError is a test set with fewer questions than asked. What was made
// stands beside it.
type ShortfallError struct {
	Asked, Made int
	// Possible is how many questions can be made in the asked mix.
	Possible int
	Short    []Short
	Err      error // that ended the work early; may be nil
}

// Error implements error.
func (e *ShortfallError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "giskard: %d of %d questions were made, %d are possible", e.Made, e.Asked, e.Possible)
	for _, s := range e.Short {
		fmt.Fprintf(&b, "; %s: %d of %d", s.Type, s.Made, s.Asked)
		if len(s.Reasons) > 0 {
			b.WriteString(" (" + strings.Join(s.Reasons, "; ") + ")")
		}
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	return b.String()
}

// Unwrap returns what ended the work early.
func (e *ShortfallError) Unwrap() error { return e.Err }
