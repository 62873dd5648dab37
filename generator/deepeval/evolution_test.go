package deepeval

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
)

func TestEvolutionsAreDeepEvals(t *testing.T) {
	t.Parallel()
	want := []Evolution{"Reasoning", "Multi-context", "Concretizing", "Constrained", "Comparative", "Hypothetical", "In-Breadth"}
	if diff := cmp.Diff(want, Evolutions()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEvolutionsDemandSomethingOfTheReply(t *testing.T) {
	t.Parallel()
	seen := map[string]Evolution{}
	for _, e := range Evolutions() {
		d := e.Demand()
		if other, twice := seen[d]; twice || !strings.HasPrefix(d, "the reply ") {
			t.Errorf("%s demands %q, as %q does", e, d, other)
		}
		seen[d] = e
	}
	if got := Evolution("Deepening").Demand(); got != "" {
		t.Errorf("what is no evolution demands %q", got)
	}
}

func TestDraw(t *testing.T) {
	t.Parallel()
	const n = 7000
	count := func(c EvolutionConfig, passages int) map[Evolution]int {
		r := rand.New(rand.NewPCG(1, 2))
		got := map[Evolution]int{}
		for range n {
			got[c.draw(r, passages)]++
		}
		return got
	}
	for _, e := range Evolutions() {
		if got := count(EvolutionConfig{}, 2)[e]; got < 850 || got > 1150 {
			t.Errorf("%s was drawn %d times of %d, want about 1000", e, got, n)
		}
	}
	one := count(EvolutionConfig{}, 1)
	if one[MultiContext] != 0 || one[Reasoning] < 1000 || one[""] != 0 {
		t.Errorf("of a context with one passage: %v", one)
	}
	weighted := count(EvolutionConfig{Weights: map[Evolution]float64{Comparative: 3, Hypothetical: 1}}, 2)
	if len(weighted) != 2 || weighted[Comparative] < 5000 || weighted[Comparative] > 5500 {
		t.Errorf("3 to 1 gave %v", weighted)
	}
	if got := count(EvolutionConfig{Weights: map[Evolution]float64{MultiContext: 1}}, 1); got[""] != n {
		t.Errorf("only Multi-context without a second passage gave %v", got)
	}
}

// Every example of a prompt obeys the rules that the prompt gives.
func TestExamplesObeyTheRules(t *testing.T) {
	t.Parallel()
	exam := []string{"compare ", "in which cases", "explain", "what must", "according to", "the document", "the policy", "the assistant", "the context", "the customer"}
	for _, e := range evolutions {
		for _, text := range []string{e.before, e.after} {
			if n := len(strings.Fields(text)); n > maxWords || n < 3 {
				t.Errorf("%s: %q has %d words, the rule says at most %d", e.name, text, n, maxWords)
			}
			for _, bad := range exam {
				if strings.Contains(strings.ToLower(text), bad) {
					t.Errorf("%s: %q reads like an exam question: %q", e.name, text, bad)
				}
			}
		}
		words := strings.FieldsFunc(strings.ToLower(e.after), func(r rune) bool { return r == ' ' || r == '\'' || r == ',' || r == '.' || r == '?' })
		if !slices.ContainsFunc(words, func(w string) bool { return w == "i" || w == "my" || w == "me" }) {
			t.Errorf("%s: %q is not in the first person", e.name, e.after)
		}
		if coverage.Similar(e.before, e.after) > 0.5 {
			t.Errorf("%s: %q hardly differs from %q", e.name, e.after, e.before)
		}
		for _, text := range []string{e.turn, e.scenario, e.ask} {
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s says nothing", e.name)
			}
		}
	}
}

func TestGuideNamesWhatWasDrawn(t *testing.T) {
	t.Parallel()
	got := evolutionGuide(map[Evolution]bool{Comparative: true, InBreadth: true}, false)
	for e, want := range map[Evolution]bool{Comparative: true, InBreadth: true, Reasoning: false, Hypothetical: false} {
		if strings.Contains(got, "\n"+string(e)+":") != want {
			t.Errorf("%s named: %v, want %v:\n%s", e, !want, want, got)
		}
	}
}
