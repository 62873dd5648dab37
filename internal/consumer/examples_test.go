package consumer

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// What the documentation shows can be copied into another module: no example
// imports what only this one may.
func TestExamplesCanBeCopied(t *testing.T) {
	files, err := filepath.Glob("../../generator/*/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, spec := range f.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil || strings.Contains(path, "/internal/") {
				t.Errorf("%s imports %s", file, spec.Path.Value)
			}
		}
	}
	for _, name := range []string{"deepeval", "ragas", "giskard"} {
		if _, err := os.Stat(filepath.Join("../../generator", name, "example_test.go")); err != nil {
			t.Errorf("%s has no example: %v", name, err)
		}
	}
}
