// Package expect holds what a careful reader finds in a document, and measures
// an extraction against it. It serves tests: nothing of the library imports it.
package expect

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/casebook-go/casebook/model"
)

// Expected is what a careful reader finds in one document.
type Expected struct {
	Document string     `json:"document"` // base name
	Language string     `json:"language"` // BCP 47 base language
	Case     model.Case `json:"case"`
	UseCases []Item     `json:"use_cases"`
	Policies []Item     `json:"policies"`
}

// Item is one expected use case or policy.
type Item struct {
	// Key names the item for a person; it is unique among its kind.
	Key string `json:"key"`
	// Types are the acceptable types of a policy; use cases have none.
	Types []model.PolicyType `json:"types,omitempty"`
	// Optional items are sound but need not be found: they count for
	// precision, not for recall.
	Optional bool `json:"optional"`
	// Lines are the places where the document states the item.
	Lines []Lines `json:"lines"`
	// Stems are beginnings of words, in lower case: one of them must begin a
	// word of a found item's text.
	Stems []string `json:"stems"`
}

// Lines is a range of lines, first and last, 1-based and inclusive.
type Lines [2]int

// Score says how a set of found items compares with the expected ones.
type Score struct {
	// Recall is the share of required items that were found, Precision the
	// share of found items that were expected. A share of nothing is 1.
	Recall, Precision float64
	// Missed are the keys of required items that were not found, in order.
	Missed []string
	// Unmatched describe the found items that nothing expected was left for,
	// in order. A second item for the same expected one is among them.
	Unmatched []string
	// Pairs maps the id of each matched item to the key of its expected one.
	Pairs map[string]string
}

// String is the score in one line and what lacks in further ones.
func (s Score) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "recall %.2f precision %.2f", s.Recall, s.Precision)
	for _, m := range s.Missed {
		fmt.Fprintf(&b, "\n  missed: %s", m)
	}
	for _, u := range s.Unmatched {
		fmt.Fprintf(&b, "\n  not expected: %s", u)
	}
	return b.String()
}

// Result is the score of each kind.
type Result struct {
	UseCases, Policies Score
}

// Load reads an expectation from a JSON file and checks it: unknown fields,
// empty lists and keys that stand twice are errors.
func Load(path string) (*Expected, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var e Expected
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: text after the expectation", path)
	}
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &e, nil
}

func (e *Expected) check() error {
	var errs []error
	if e.Document == "" || e.Language == "" || e.Case == "" {
		errs = append(errs, errors.New("document, language and case are required"))
	}
	errs = append(errs, checkItems("use case", e.UseCases, false)...)
	errs = append(errs, checkItems("policy", e.Policies, true)...)
	return errors.Join(errs...)
}

func checkItems(kind string, items []Item, typed bool) []error {
	var errs []error
	if len(items) == 0 {
		errs = append(errs, fmt.Errorf("no %s expected", kind))
	}
	known := []model.PolicyType{model.Must, model.MustNot, model.Escalate, model.Style, model.Shape}
	seen := map[string]bool{}
	for _, it := range items {
		fail := func(text string) { errs = append(errs, fmt.Errorf("%s %q: %s", kind, it.Key, text)) }
		switch {
		case it.Key == "":
			fail("no key")
		case seen[it.Key]:
			fail("key stands twice")
		}
		seen[it.Key] = true
		if typed != (len(it.Types) > 0) {
			fail("a policy has types, a use case has none")
		}
		for _, t := range it.Types {
			if !slices.Contains(known, t) {
				fail(fmt.Sprintf("unknown type %q", t))
			}
		}
		if len(it.Lines) == 0 {
			fail("no lines")
		}
		for _, l := range it.Lines {
			if l[0] < 1 || l[1] < l[0] {
				fail(fmt.Sprintf("bad lines %v", l))
			}
		}
		if len(it.Stems) == 0 {
			fail("no stems")
		}
		for _, s := range it.Stems {
			if s == "" || s != fold(s) || len(words(s)) != 1 {
				fail(fmt.Sprintf("stem %q is not the lower-case beginning of one word", s))
			}
		}
	}
	return errs
}

// Match compares found use cases and policies with the expected ones. A found
// item matches an expected one when lines of its evidence overlap a range of
// it, one of its stems begins a word of the item's text (name, description and
// statement), and a policy has one of its types. The matching is one to one,
// covers as many required items as can be covered at all, and among those
// matchings as many found items as can be. Evidence from a file other than
// e.Document does not count.
func Match(e *Expected, useCases []model.UseCase, policies []model.Policy) Result {
	found := make([]candidate, 0, len(useCases))
	for _, u := range useCases {
		found = append(found, candidate{u.ID, u.Name, u.Evidence, words(u.Name + " " + u.Description), ""})
	}
	var r Result
	r.UseCases = score(e.Document, e.UseCases, found)

	found = found[:0]
	for _, p := range policies {
		text := words(p.Name + " " + p.Description + " " + p.Statement)
		found = append(found, candidate{p.ID, p.Name, p.Evidence, text, p.Type})
	}
	r.Policies = score(e.Document, e.Policies, found)
	return r
}

// candidate is a found item of either kind.
type candidate struct {
	id, name string
	evidence []model.Evidence
	words    []string
	typ      model.PolicyType
}

func (c *candidate) matches(document string, it *Item) bool {
	if len(it.Types) > 0 && !slices.Contains(it.Types, c.typ) {
		return false
	}
	cited := slices.ContainsFunc(c.evidence, func(ev model.Evidence) bool {
		return ev.InputFile == document && slices.ContainsFunc(it.Lines, func(l Lines) bool {
			return ev.LineStart <= l[1] && l[0] <= ev.LineEnd
		})
	})
	return cited && slices.ContainsFunc(it.Stems, func(stem string) bool {
		return slices.ContainsFunc(c.words, func(w string) bool { return strings.HasPrefix(w, stem) })
	})
}

func score(document string, items []Item, found []candidate) Score {
	edges := make([][]int, len(items))
	for i := range items {
		for j := range found {
			if found[j].matches(document, &items[i]) {
				edges[i] = append(edges[i], j)
			}
		}
	}
	// An augmenting path never frees an expected item that is matched. So with
	// the required items first, the matching covers as many of them as any can,
	// and is still a maximum one in the end.
	order := make([]int, 0, len(items))
	for _, optional := range []bool{false, true} {
		for i := range items {
			if items[i].Optional == optional {
				order = append(order, i)
			}
		}
	}
	owner := maximum(order, edges, len(found))

	s := Score{Pairs: map[string]string{}}
	hit := make([]bool, len(items))
	matched := 0
	for j, i := range owner {
		if i < 0 {
			s.Unmatched = append(s.Unmatched, found[j].String())
			continue
		}
		hit[i] = true
		matched++
		s.Pairs[found[j].id] = items[i].Key
	}
	required, met := 0, 0
	for i := range items {
		switch {
		case items[i].Optional:
		case hit[i]:
			required, met = required+1, met+1
		default:
			required++
			s.Missed = append(s.Missed, items[i].Key)
		}
	}
	s.Recall = share(met, required)
	s.Precision = share(matched, len(found))
	return s
}

// maximum matches left nodes to right ones by augmenting paths, in the given
// order of left nodes. It returns the left node of every right one, or -1.
func maximum(order []int, edges [][]int, right int) []int {
	owner := slices.Repeat([]int{-1}, right)
	visited := make([]int, right) // the round in which a right node was last tried
	var augment func(i, round int) bool
	augment = func(i, round int) bool {
		for _, j := range edges[i] {
			if visited[j] == round {
				continue
			}
			visited[j] = round
			if owner[j] < 0 || augment(owner[j], round) {
				owner[j] = i
				return true
			}
		}
		return false
	}
	for n, i := range order {
		augment(i, n+1)
	}
	return owner
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 1
	}
	return float64(part) / float64(whole)
}

// String names the candidate, its type and the lines it cites.
func (c candidate) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %q", c.id, c.name)
	if c.typ != "" {
		fmt.Fprintf(&b, " (%s)", c.typ)
	}
	for i, ev := range c.evidence {
		sep := ","
		if i == 0 {
			sep = " lines"
		}
		fmt.Fprintf(&b, "%s %d-%d", sep, ev.LineStart, ev.LineEnd)
	}
	return b.String()
}

// words are the runs of letters, marks and digits of text, folded.
func words(text string) []string {
	return strings.FieldsFunc(fold(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r)
	})
}

// fold lower-cases text and writes the Russian letter that is mostly left
// without its dots in one way.
func fold(text string) string {
	return strings.ReplaceAll(strings.ToLower(text), "ё", "е")
}
