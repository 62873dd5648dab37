package coverage

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/casebook-go/casebook/model"
)

// closing is the end of an element. Prompts have them, and models repeat them.
var closing = regexp.MustCompile(`</\s*[\p{L}_][\p{L}\p{N}_.:-]*\s*>`)

// Markup returns what no message and no reply is made of: control characters, as
// "U+0007", those that embed or override a direction of text, and closing tags
// that stand in none of the documents.
func Markup(text string, docs ...*model.Document) []string {
	var out []string
	add := func(part string) {
		if !slices.Contains(out, part) {
			out = append(out, part)
		}
	}
	for _, r := range text {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			add(fmt.Sprintf("%U", r))
		}
	}
	if strings.Contains(text, "</") {
		for _, tag := range closing.FindAllString(text, -1) {
			if !slices.ContainsFunc(docs, func(d *model.Document) bool { return strings.Contains(d.Text(), tag) }) {
				add(tag)
			}
		}
	}
	return out
}

// checkMarkup finds what belongs to a prompt or a terminal.
func checkMarkup(c *Candidate) []Finding {
	var fs findings
	look := func(i int, field, text string) {
		for _, part := range Markup(text, c.Documents...) {
			fs.add(i, field, "%s is no part of a text that people write; leave it out", quote(part))
		}
	}
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		if len(c.Row.Given) == 0 && c.Row.Corner == "" && ex.Metadata.Source != model.SourceTickets {
			look(i, "input", InputText(&ex.Input))
		}
		look(i, "expected_output", ex.ExpectedOutput)
		look(i, "evaluation_criteria", strings.Join(ex.EvaluationCriteria, "\n"))
	}
	look(-1, "description", c.Item.TestCase.Name+"\n"+c.Item.TestCase.Description)
	return fs
}
