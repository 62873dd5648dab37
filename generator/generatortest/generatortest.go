// Package generatortest is a conformance test that any generator can be put
// through.
package generatortest

import (
	"testing"

	"github.com/casebook-go/casebook/generator"
)

// Options are the calls to put a generator through. The zero value is ready.
type Options struct {
	// Calls are dealt to the generator; nil means one call of three rows over
	// a small document of the package.
	Calls []*generator.Call
}

// Test puts g through the conformance test.
func Test(t testing.TB, g generator.Generator, opts *Options) { t.Helper() }
