package extract_test

import (
	"os"
	"testing"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/expect"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// The recordings hold replies written by a reader of the prompts; see
// testdata/replies/README.md.
func TestExtractionFromRecordedReplies(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bike_rental_en", "flower_delivery_ru"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open("../../testdata/replies/" + name + ".jsonl")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			client, err := llm.Replay(f)
			if err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile("../../examples/documents/" + name + ".md")
			if err != nil {
				t.Fatal(err)
			}
			doc, err := model.ParseMarkdown(name+".md", b, nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := extract.Extract(t.Context(), []*model.Document{doc}, &extract.Options{Client: client})
			if err != nil {
				t.Fatal(err)
			}
			want, err := expect.Load("../../testdata/expected/" + name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			got := expect.Match(want, res.UseCases, res.Policies)
			t.Logf("use cases: %s\npolicies: %s", got.UseCases, got.Policies)
			for kind, s := range map[string]expect.Score{"use cases": got.UseCases, "policies": got.Policies} {
				if s.Recall < 0.9 || s.Precision < 0.9 {
					t.Errorf("%s: recall %.2f, precision %.2f, want at least .90 of each", kind, s.Recall, s.Precision)
				}
			}
		})
	}
}
