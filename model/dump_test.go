package model_test

import (
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/model"
)

// dump writes what was read from a document, one thing a line.
func dump(d *model.Document) string {
	var b strings.Builder
	for i, x := range d.Blocks {
		fmt.Fprintf(&b, "%d %d-%d %s", i, x.LineStart, x.LineEnd, x.Kind)
		if x.Level > 0 {
			fmt.Fprintf(&b, " level=%d", x.Level)
		}
		if x.Ordered {
			fmt.Fprintf(&b, " n=%d", x.Number)
		}
		if x.Parent >= 0 {
			fmt.Fprintf(&b, " parent=%d", x.Parent)
		}
		if x.Section >= 0 {
			fmt.Fprintf(&b, " section=%d", x.Section)
		}
		if x.Table >= 0 {
			fmt.Fprintf(&b, " table=%d cells=%d", x.Table, len(x.Cells))
		}
		if x.Lead != "" {
			fmt.Fprintf(&b, " lead=%q", x.Lead)
		}
		fmt.Fprintf(&b, " %q\n", x.Text)
	}
	for _, s := range d.Sections {
		fmt.Fprintf(&b, "section %d-%d level=%d parent=%d block=%d %q\n", s.LineStart, s.LineEnd, s.Level, s.Parent, s.Block, s.Title)
	}
	for _, q := range d.QAs {
		fmt.Fprintf(&b, "qa %d-%d topic=%t section=%d %q -> %q\n", q.LineStart, q.LineEnd, q.Topic, q.Section, q.Question, q.Answer)
	}
	for _, t := range d.Tickets {
		fmt.Fprintf(&b, "ticket %d-%d %s empty=%t %q -> %q\n", t.LineStart, t.LineEnd, t.ID, t.Empty, t.Message, t.Answer)
	}
	for i, dl := range d.Dialogues {
		for _, t := range dl.Turns {
			fmt.Fprintf(&b, "dialogue %d %d-%d %s (%s) %q\n", i, t.LineStart, t.LineEnd, t.Speaker, t.Role, t.Text)
		}
	}
	return b.String()
}
