package extract_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// large builds a document of about size bytes with rules, questions and a
// ticket table over an invented vocabulary, so that texts differ.
func large(tb testing.TB, size int) *model.Document {
	tb.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	var vocabulary []string
	for range 4000 {
		var w strings.Builder
		for range 2 + r.IntN(3) {
			w.WriteByte("bdfgklmnprstvz"[r.IntN(14)])
			w.WriteByte("aeiou"[r.IntN(5)])
		}
		vocabulary = append(vocabulary, w.String())
	}
	words := func(n int) string {
		var ws []string
		for range n {
			ws = append(ws, vocabulary[r.IntN(len(vocabulary))])
		}
		return strings.Join(ws, " ")
	}
	var b strings.Builder
	b.WriteString("# Handbook of the support bot\n\nThe bot has no access to accounts.\n")
	for n := 0; b.Len() < size; n++ {
		fmt.Fprintf(&b, "\n## About %s\n\n", words(2))
		for range 6 {
			fmt.Fprintf(&b, "- The bot must %s the %s within %d days.\n", words(1), words(4), 1+r.IntN(30))
			fmt.Fprintf(&b, "- If a customer asks about %s, the bot must not %s the %s.\n", words(2), words(1), words(3))
		}
		fmt.Fprintf(&b, "\n**How do I %s the %s?** You need the %s. We accept %s only.\n", words(1), words(2), words(2), words(3))
		b.WriteString("\n| ticket | message | answer |\n| --- | --- | --- |\n")
		for k := range 8 {
			fmt.Fprintf(&b, "| %d-%d | where is my %s | I hand this over to a colleague, %s. |\n", n, k, words(3), words(2))
		}
	}
	doc, err := model.ParseMarkdown("large.md", []byte(b.String()), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

// BenchmarkExtract shows that time is linear in the document's size.
func BenchmarkExtract(b *testing.B) {
	for _, kb := range []int{125, 250, 500, 1000} {
		doc := large(b, kb<<10)
		b.Run(fmt.Sprintf("%dKB", kb), func(b *testing.B) {
			b.SetBytes(int64(kb) << 10)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := extract.Extract(context.Background(), []*model.Document{doc}, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
