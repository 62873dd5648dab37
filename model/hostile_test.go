package model_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/casebook-go/casebook/model"
)

// hostile returns Markdown of about n bytes that makes naive parsers quadratic.
func hostile(n int) map[string]string {
	grow := func(f func(b *strings.Builder, i int)) string {
		var b strings.Builder
		for i := 1; b.Len() < n; i++ {
			f(&b, i)
		}
		return b.String()
	}
	rep := func(s string) string { return strings.Repeat(s, n/len(s)) }
	return map[string]string{
		"brackets":           rep("["),
		"links without end":  rep("[a]("),
		"links with titles":  rep(`[a](b "`),
		"bracket pairs":      rep("[a]"),
		"images":             rep("!["),
		"definitions":        rep("[a]: b\n"),
		"definitions used":   grow(func(b *strings.Builder, i int) { fmt.Fprintf(b, "[a%d]: b\n\n[a%d]\n\n", i, i) }),
		"stars":              rep("**a *b_ "),
		"crossing emphasis":  rep("a**b_c* "),
		"strikes":            rep("~~a "),
		"backticks":          grow(func(b *strings.Builder, i int) { b.WriteString(strings.Repeat("`", i) + "a") }),
		"backticks, comment": grow(func(b *strings.Builder, i int) { b.WriteString(strings.Repeat("`", i) + "a <!--") }),
		"quotes":             rep(">"),
		"quotes, blank":      strings.Repeat(">", n/100) + strings.Repeat("\n", n),
		"quoted lines":       rep("> > > > a\n"),
		"bullets on a line":  rep("- ") + "a",
		"bullets, blank":     strings.Repeat("- ", n/100) + "a" + strings.Repeat("\n", n),
		"stairs":             grow(func(b *strings.Builder, i int) { b.WriteString(strings.Repeat(" ", i*2) + "- a\n") }),
		"bullets":            rep("- a\n"),
		"empty bullets":      rep("-\n"),
		"wide table":         strings.Repeat("|a", 700) + "\n" + strings.Repeat("|-", 700) + "\n" + rep("a|\n"),
		"one wide table":     strings.Repeat("|a", n/4) + "\n" + strings.Repeat("|-", n/4) + "\n" + strings.Repeat("|", n/2),
		"tables":             rep("|a|b|\n|-|-|\n"),
		"pipes":              rep("a|b\n"),
		"tags":               rep("<a "),
		"struck tags":        rep("<s>"),
		"entities":           rep("&amp"),
		"comments":           rep("a <!-- "),
		"open comments":      rep("a <!-- b\n"),
		"comment each line":  rep("<!-- a --> b\n"),
		"escapes":            rep(`\`),
		"fences":             rep("```\n"),
		"fence in an item":   "- ```\n" + rep("\n"),
		"setext":             rep("a\n-\n"),
		"headings":           rep("# a?\n"),
		"questions":          rep("a?\n\n"),
		"bold questions":     rep("**a?**\n\n"),
		"labels":             rep("Note: a\nTip: b\n"),
		"labels, text":       rep("A: a\n\nb\n\nB: c\n\n"),
		"labelled items":     grow(func(b *strings.Builder, i int) { fmt.Fprintf(b, "- L%c%d: a\n", 'a'+i%26, i) }),
		"bold items":         rep("- **a**: b\n"),
		"tabs":               rep("\t"),
		"carriage returns":   rep("\r"),
		"quotation marks":    rep(`"a" `),
		"front matter":       "---\n" + rep("a: b\n"),
		"digits":             rep("1"),
		"numbers":            rep("1. "),
		"one line":           rep("word "),
	}
}

// Time on hostile text must grow with its size, not with its square: the bound
// is far above what any case takes and far below what a quadratic one would.
func TestParseHostile(t *testing.T) {
	t.Parallel()
	n := 1 << 19
	if testing.Short() {
		n = 1 << 17
	}
	for name, text := range hostile(n) {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := model.ParseMarkdown("h.md", []byte(text), nil)
			if took := time.Since(start); took > 20*time.Second {
				t.Errorf("%d bytes took %s", len(text), took)
			} else {
				t.Logf("%d bytes in %s (%v)", len(text), took.Round(time.Millisecond), err)
			}
		})
	}
}
