package extract_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/internal/expect"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

const (
	wantRecall    = 0.85
	wantPrecision = 0.80
)

// TestExpected holds extraction by rules to what a careful reader found in each
// document before any code read it.
func TestExpected(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/expected/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no expectations: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".json"), func(t *testing.T) {
			t.Parallel()
			want, err := expect.Load(f)
			if err != nil {
				t.Fatal(err)
			}
			doc := expectedDocument(t, want.Document)
			res, err := extract.Extract(context.Background(), []*model.Document{doc}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if res.Case != want.Case || res.Language != want.Language {
				t.Errorf("case %s in %s, want %s in %s", res.Case, res.Language, want.Case, want.Language)
			}
			got := expect.Match(want, res.UseCases, res.Policies)
			for _, k := range []struct {
				kind  string
				score expect.Score
			}{{"use cases", got.UseCases}, {"policies", got.Policies}} {
				if k.score.Recall < wantRecall || k.score.Precision < wantPrecision {
					t.Errorf("%s: %v", k.kind, k.score)
				} else {
					t.Logf("%s: recall %.2f precision %.2f", k.kind, k.score.Recall, k.score.Precision)
				}
			}
		})
	}
}

// expectedDocument parses a document of the examples or, when it is one of those that
// are not part of the repository, of the directory that CASEBOOK_SHARED names.
func expectedDocument(t *testing.T, name string) *model.Document {
	t.Helper()
	path := filepath.Join("../../examples/documents", name)
	if _, err := os.Stat(path); err != nil {
		shared := os.Getenv("CASEBOOK_SHARED")
		if shared == "" {
			shared = "../../../shared"
		}
		path = filepath.Join(shared, "inputs", name)
		if _, err := os.Stat(path); err != nil {
			t.Skipf("%s is not part of the repository and not below CASEBOOK_SHARED (%s)", name, shared)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := model.ParseMarkdown(name, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
