package bulk_test

import (
	"strings"
	"testing"

	"github.com/casebook-go/casebook/internal/bulk"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

func TestDocument(t *testing.T) {
	t.Parallel()
	const size = 1 << 18
	for _, code := range bulk.Languages() {
		text := bulk.Document(code, size, 1)
		if text != bulk.Document(code, size, 1) || text == bulk.Document(code, size, 2) {
			t.Errorf("%s: the text does not follow from language, size and seed", code)
		}
		if len(text) < size || len(text) > size+size/10 || strings.Contains(text, "{") {
			t.Errorf("%s: %d bytes, a slot left open: %v", code, len(text), strings.Contains(text, "{"))
		}
		if got := lang.Detect(text); got != code {
			t.Errorf("%s reads as %q", code, got)
		}
		doc, err := model.ParseMarkdown("bulk.md", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(doc.QAs) < 500 || len(doc.Tickets) < 20 {
			t.Errorf("%s: %d questions and %d tickets", code, len(doc.QAs), len(doc.Tickets))
		}
		asked := map[string]bool{}
		for _, qa := range doc.QAs {
			if asked[qa.Question] {
				t.Errorf("%s: %q is asked twice", code, qa.Question)
			}
			asked[qa.Question] = true
		}
	}
}
