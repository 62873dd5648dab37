// Package vector embeds texts and finds which of them belong together.
//
// Nothing here has a cut at an absolute cosine: models differ in how close they
// put what, so every choice is by rank or relative to the vectors at hand, and
// the length of a vector counts for nothing.
package vector

import (
	"context"
	"fmt"

	"github.com/casebook-go/casebook/generator/llm"
)

// Neighbour is a vector near to another.
type Neighbour struct {
	Index  int     // in the vectors searched
	Cosine float64 // -1 to 1; 0 for a zero vector
}

// ClusterOptions bounds [Cluster]. Nil and zero fields mean the defaults.
type ClusterOptions struct {
	// Min is the fewest members of a cluster; 0 means the square root of the
	// number of vectors over two, at least 2 and at most 20.
	Min int
	// Max is the most clusters; 0 means the square root of twice the number of
	// vectors, at most 60.
	Max int
}

// FallbackError says that vectors are the lexical embedder's because the given
// one failed. It stands beside vectors that can be used.
type FallbackError struct {
	Texts int   // how many texts
	Err   error // why
}

// Error says what happened.
func (e *FallbackError) Error() string {
	return fmt.Sprintf("vector: %d texts embedded by their words, because the embedder failed: %v", e.Texts, e.Err)
}

// Unwrap returns the failure.
func (e *FallbackError) Unwrap() error { return e.Err }

var _ = context.Background
var _ llm.Embedder
