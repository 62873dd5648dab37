package coverage

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func contains(list []string, s string) bool { return slices.Contains(list, s) }

func itoa(n int) string { return strconv.Itoa(n) }

// atoi returns -1 for what is no whole number.
func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// quote quotes a text for a message, cut when it is long.
func quote(s string) string {
	const most = 80
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	return `"` + s + `"`
}

func joined(ms []model.Message) string { return InputText(&model.Input{Messages: ms}) }

func sameMessages(a, b []model.Message) bool { return slices.Equal(a, b) }

// checkLength holds an answer to the number of sentences or characters that a
// rule of the document allows.
func checkLength(c *Candidate) []Finding {
	l := c.spoken()
	if l == nil {
		return nil
	}
	var fs findings
	hold := func(p *model.Policy, allowed lang.Longest) {
		for i := range c.Item.Examples {
			if what, have, most, over := allowed.Exceeds(c.Item.Examples[i].ExpectedOutput); over {
				fs.add(i, "expected_output", "the answer has %d %s, the document allows %d (%s); shorten it", have, what, most, quote(p.Statement))
			}
		}
	}
	own := map[string]bool{}
	for i := range c.Policies {
		if p := &c.Policies[i]; !own[p.ID] {
			own[p.ID] = true
			hold(p, longest(l, p))
		}
	}
	book := c.rules()
	if l != c.Lang {
		book = newRuleBook(l, c.AllPolicies)
	}
	for _, i := range book.limiting {
		if p := &c.AllPolicies[i]; !own[p.ID] && book.byID[p.ID] == i {
			hold(p, book.longest[i])
		}
	}
	return fs
}
