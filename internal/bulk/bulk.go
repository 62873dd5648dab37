// Package bulk writes large business documents for benchmarks: thousands of
// different questions with their answers, rules, tables and tickets, made of
// word lists by a seed.
package bulk

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"unicode"
)

// vocabulary is what the documents of one language are made of. Each question
// and its answers belong together: they share their slots.
type vocabulary struct {
	title, rulesTitle, ticketsTitle, ticketHead string

	chapters []string
	topics   []topic
	things   [][2]string // named two ways: as the subject, and as the object of a sentence
	verbs    []string
	persons  []string
	events   []string
	papers   []string
	places   []string
	units    []string
	rules    []string
	tickets  []string
	replies  []string
}

// topic is a kind of question with the answers it may have.
type topic struct {
	question string
	answers  []string
}

// Languages are the languages that there are word lists for.
func Languages() []string { return []string{"en", "ru"} }

// Document returns Markdown of at least size bytes in a language, the same for
// the same arguments.
func Document(language string, size int, seed uint64) string {
	v := english
	if language == "ru" {
		v = russian
	}
	r := rand.New(rand.NewPCG(seed, 1))
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	var b strings.Builder
	asked := map[string]bool{}
	chapter, ticket := 0, 0
	fmt.Fprintf(&b, "# %s\n\n", v.title)
	for b.Len() < size {
		chapter++
		fmt.Fprintf(&b, "## %d. %s\n\n", chapter, pick(v.chapters))
		for n := 0; n < 12; {
			t, fill := v.topics[r.IntN(len(v.topics))], v.slots(r)
			q := fill.Replace(t.question)
			if asked[q] {
				continue
			}
			asked[q] = true
			n++
			k := r.IntN(len(t.answers))
			answer := upper(fill.Replace(t.answers[k]))
			if r.IntN(4) == 0 {
				answer += " " + upper(fill.Replace(t.answers[(k+1)%len(t.answers)]))
			}
			fmt.Fprintf(&b, "### %s\n\n%s\n\n", upper(q), answer)
		}
		if chapter%4 == 1 {
			fmt.Fprintf(&b, "## %s %d\n\n", v.rulesTitle, chapter)
			for range 6 {
				fmt.Fprintf(&b, "- %s\n", upper(v.slots(r).Replace(pick(v.rules))))
			}
			b.WriteString("\n")
		}
		if chapter%6 == 2 {
			fmt.Fprintf(&b, "## %s %d\n\n%s\n", v.ticketsTitle, chapter, v.ticketHead)
			for range 8 {
				ticket++
				fill := v.slots(r)
				fmt.Fprintf(&b, "| T-%d | %s | %s |\n", ticket, fill.Replace(pick(v.tickets)), upper(fill.Replace(pick(v.replies))))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// slots fills the slots of frames that belong together.
func (v *vocabulary) slots(r *rand.Rand) *strings.Replacer {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	at := r.IntN(len(v.things))
	thing, other := v.things[at], v.things[(at+1+r.IntN(len(v.things)-1))%len(v.things)]
	return strings.NewReplacer(
		"{thing}", thing[0], "{of}", thing[1], "{other}", other[1], "{person}", pick(v.persons), "{event}", pick(v.events),
		"{paper}", pick(v.papers), "{place}", pick(v.places), "{verb}", pick(v.verbs), "{unit}", pick(v.units),
		"{n}", fmt.Sprint(2+r.IntN(58)), "{m}", fmt.Sprint(10*(1+r.IntN(300))), "{id}", fmt.Sprint(10000+r.IntN(80000)),
	)
}

// upper begins every sentence of a text with a capital.
func upper(s string) string {
	rs := []rune(s)
	begins := true
	for i, r := range rs {
		switch {
		case begins && unicode.IsLetter(r):
			rs[i], begins = unicode.ToUpper(r), false
		case r == '.' || r == '?':
			begins = true
		case unicode.IsDigit(r):
			begins = false
		}
	}
	return string(rs)
}
