package coverage_test

import (
	"strings"
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

func BenchmarkNewGround(b *testing.B) {
	var md strings.Builder
	for md.Len() < 1<<20 {
		md.WriteString(internet.markdown)
	}
	doc, err := model.ParseMarkdown("big.md", []byte(md.String()), nil)
	if err != nil {
		b.Fatal(err)
	}
	l := language(b, "ru")
	b.SetBytes(int64(md.Len()))
	for b.Loop() {
		coverage.NewGround(l, []*model.Document{doc})
	}
}
