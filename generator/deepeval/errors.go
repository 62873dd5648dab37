package deepeval

import (
	"fmt"
	"strings"
)

// ConfigError says that a setting or an argument cannot be used. It comes before
// any call to a model.
type ConfigError struct {
	Field   string // of the options, "Evolution.Weights", or what was given: "docs"
	Problem string
	Remedy  string
}

// Error implements error.
func (e *ConfigError) Error() string {
	return fmt.Sprintf("deepeval: %s: %s; %s", e.Field, e.Problem, e.Remedy)
}

// NoContextError says that documents gave no context to make goldens from, or
// that there was nothing to make them from at all.
type NoContextError struct {
	Documents []string // their names; empty where no document or context was given
	Chunks    int      // that they have
	Least     int      // that each must have: Contexts.MinPerDocument
	Scored    int      // of them, how many were scored
	Best      float64  // the best score
	Threshold float64  // that none reached
}

// Error implements error.
func (e *NoContextError) Error() string {
	names := strings.Join(e.Documents, ", ")
	switch {
	case names == "":
		return "deepeval: no usable context: no text was given; give documents or contexts that have some"
	case e.Chunks == 0:
		return fmt.Sprintf("deepeval: %s: no usable context: there is no text; leave it out, or give one that has some", names)
	case e.Chunks < e.Least:
		return fmt.Sprintf("deepeval: %s: no usable context: %d chunks, fewer than the %d of Contexts.MinPerDocument; lower it, or Contexts.ChunkTokens", names, e.Chunks, e.Least)
	case e.Scored == 0:
		return fmt.Sprintf("deepeval: %s: no usable context: none of its %d chunks could be scored; try again, or set a negative Contexts.Threshold to take them unscored", names, e.Chunks)
	}
	return fmt.Sprintf("deepeval: %s: no usable context: the best of %d scored chunks has the quality %.2f, below %.2f; lower Contexts.Threshold or set Contexts.KeepPoor",
		names, e.Scored, e.Best, e.Threshold)
}

// ShortError says that fewer goldens were made than asked for. What was made
// stands in the result beside it.
type ShortError struct {
	Asked, Made int
	// Reasons are the distinct reasons, the most frequent first, each with how
	// often it came up.
	Reasons []string
	// Errs are the errors behind them, for errors.As.
	Errs []error
}

// Error implements error.
func (e *ShortError) Error() string {
	s := fmt.Sprintf("deepeval: %d of %d goldens were made", e.Made, e.Asked)
	if len(e.Reasons) > 0 {
		s += ": " + strings.Join(e.Reasons, "; ")
	}
	return s
}

// Unwrap returns the errors behind the reasons.
func (e *ShortError) Unwrap() []error { return e.Errs }

// DuplicateError says that a model gave what exists already.
type DuplicateError struct {
	Input string // what it gave
	Of    string // what it is nearly equal to; empty when that is one of many
}

// Error implements error.
func (e *DuplicateError) Error() string {
	return "the model gives inputs that exist already"
}

// QualityError says that a golden was dropped because it never reached the
// threshold.
type QualityError struct {
	Score, Threshold float64
	Problems         []string // what was found wrong with its best version
}

// Error implements error.
func (e *QualityError) Error() string {
	if len(e.Problems) > 0 {
		return "what was made did not pass: " + strings.Join(e.Problems, "; ")
	}
	return fmt.Sprintf("what was made did not reach the quality %.2f", e.Threshold)
}
