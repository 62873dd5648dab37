package expect_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casebook-go/casebook/internal/expect"
	"github.com/casebook-go/casebook/model"
)

func at(ranges ...[2]int) []model.Evidence {
	var evs []model.Evidence
	for _, r := range ranges {
		evs = append(evs, model.Evidence{InputFile: "doc.md", LineStart: r[0], LineEnd: r[1]})
	}
	return evs
}

func useCase(id, name string, ranges ...[2]int) model.UseCase {
	return model.UseCase{ID: id, Name: name, Evidence: at(ranges...)}
}

func item(key string, optional bool, first, last int, stems ...string) expect.Item {
	return expect.Item{Key: key, Optional: optional, Lines: []expect.Lines{{first, last}}, Stems: stems}
}

func TestMatchUseCases(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		items []expect.Item
		found []model.UseCase
		want  expect.Score
	}{{
		name:  "lines overlap and a stem begins a word",
		items: []expect.Item{item("returns", false, 10, 12, "return", "refund")},
		found: []model.UseCase{useCase("uc_a", "Getting a REFUND", [2]int{1, 1}, [2]int{12, 14})},
		want:  expect.Score{Recall: 1, Precision: 1, Pairs: map[string]string{"uc_a": "returns"}},
	}, {
		name:  "lines beside the range",
		items: []expect.Item{item("returns", false, 10, 12, "return")},
		found: []model.UseCase{useCase("uc_a", "Return", [2]int{13, 14}, [2]int{8, 9})},
		want: expect.Score{
			Missed: []string{"returns"}, Unmatched: []string{`uc_a "Return" lines 13-14, 8-9`}, Pairs: map[string]string{},
		},
	}, {
		name:  "a stem inside a word is no match",
		items: []expect.Item{item("turn", false, 1, 1, "turn")},
		found: []model.UseCase{useCase("uc_a", "Return it", [2]int{1, 1})},
		want:  expect.Score{Missed: []string{"turn"}, Unmatched: []string{`uc_a "Return it" lines 1-1`}, Pairs: map[string]string{}},
	}, {
		name:  "Russian: case and the dots of ё are folded",
		items: []expect.Item{item("счёт", false, 1, 1, "счет")},
		found: []model.UseCase{useCase("uc_a", "«СЧЁТА» просят", [2]int{1, 1})},
		want:  expect.Score{Recall: 1, Precision: 1, Pairs: map[string]string{"uc_a": "счёт"}},
	}, {
		name:  "Georgian",
		items: []expect.Item{item("delivery", false, 1, 1, "მიწოდებ")},
		found: []model.UseCase{useCase("uc_a", "როდის არის მიწოდება?", [2]int{1, 1})},
		want:  expect.Score{Recall: 1, Precision: 1, Pairs: map[string]string{"uc_a": "delivery"}},
	}, {
		name:  "a duplicate counts against precision",
		items: []expect.Item{item("returns", false, 1, 5, "return")},
		found: []model.UseCase{useCase("uc_a", "Return", [2]int{1, 1}), useCase("uc_b", "Returning", [2]int{3, 3})},
		want: expect.Score{
			Recall: 1, Precision: 0.5,
			Unmatched: []string{`uc_b "Returning" lines 3-3`}, Pairs: map[string]string{"uc_a": "returns"},
		},
	}, {
		// In order, "a" would take uc_a and leave nothing for "b".
		name:  "not greedy",
		items: []expect.Item{item("a", false, 1, 9, "x"), item("b", false, 1, 1, "x")},
		found: []model.UseCase{useCase("uc_a", "x", [2]int{1, 1}), useCase("uc_b", "x", [2]int{5, 5})},
		want:  expect.Score{Recall: 1, Precision: 1, Pairs: map[string]string{"uc_a": "b", "uc_b": "a"}},
	}, {
		name:  "required before optional",
		items: []expect.Item{item("extra", true, 1, 9, "x"), item("wanted", false, 1, 1, "x")},
		found: []model.UseCase{useCase("uc_a", "x", [2]int{1, 1})},
		want:  expect.Score{Recall: 1, Precision: 1, Pairs: map[string]string{"uc_a": "wanted"}},
	}, {
		name:  "optional counts for precision only",
		items: []expect.Item{item("extra", true, 1, 1, "x"), item("wanted", false, 2, 2, "x")},
		found: []model.UseCase{useCase("uc_a", "x", [2]int{1, 1})},
		want:  expect.Score{Precision: 1, Missed: []string{"wanted"}, Pairs: map[string]string{"uc_a": "extra"}},
	}, {
		name:  "nothing found",
		items: []expect.Item{item("wanted", false, 2, 2, "x")},
		want:  expect.Score{Precision: 1, Missed: []string{"wanted"}, Pairs: map[string]string{}},
	}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := &expect.Expected{Document: "doc.md", UseCases: tt.items}
			if diff := cmp.Diff(tt.want, expect.Match(e, tt.found, nil).UseCases); diff != "" {
				t.Errorf("score (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMatchPolicies(t *testing.T) {
	t.Parallel()
	e := &expect.Expected{Document: "doc.md", Policies: []expect.Item{
		{Key: "no promise", Types: []model.PolicyType{model.MustNot}, Lines: []expect.Lines{{3, 3}, {7, 8}}, Stems: []string{"promis"}},
		{Key: "tone", Types: []model.PolicyType{model.Style, model.MustNot}, Lines: []expect.Lines{{4, 4}}, Stems: []string{"calm"}},
	}}
	found := []model.Policy{
		{ID: "pol_other", Type: model.Style, Name: "calm", Evidence: []model.Evidence{{InputFile: "other.md", LineStart: 4, LineEnd: 4}}},
		{ID: "pol_type", Type: model.Must, Name: "promise", Evidence: at([2]int{3, 3})},
		{ID: "pol_statement", Type: model.MustNot, Name: "dates", Statement: "Never promises a date.", Evidence: at([2]int{8, 8})},
		{ID: "pol_either", Type: model.MustNot, Description: "Stay calm", Evidence: at([2]int{4, 4})},
	}
	want := expect.Score{
		Recall: 1, Precision: 0.5,
		Unmatched: []string{`pol_other "calm" (style) lines 4-4`, `pol_type "promise" (must) lines 3-3`},
		Pairs:     map[string]string{"pol_statement": "no promise", "pol_either": "tone"},
	}
	if diff := cmp.Diff(want, expect.Match(e, nil, found).Policies); diff != "" {
		t.Errorf("score (-want +got):\n%s", diff)
	}
}

// TestMatchIsMaximum compares the matching with the best of all that can be
// made, tried one by one.
func TestMatchIsMaximum(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.IntRange(1, 6)
		var items []expect.Item
		for i := range rapid.IntRange(1, 5).Draw(t, "items") {
			a, b := line.Draw(t, "first"), line.Draw(t, "last")
			items = append(items, item(string(rune('a'+i)), rapid.Bool().Draw(t, "optional"), min(a, b), max(a, b), "x"))
		}
		var found []model.UseCase
		for i := range rapid.IntRange(0, 5).Draw(t, "found") {
			a, b := line.Draw(t, "start"), line.Draw(t, "end")
			found = append(found, useCase("uc_"+string(rune('a'+i)), "x", [2]int{min(a, b), max(a, b)}))
		}

		wantRequired, wantAll := 0, 0
		required := 0
		for _, it := range items {
			if !it.Optional {
				required++
			}
		}
		used := make([]bool, len(found))
		var try func(i, met, all int)
		try = func(i, met, all int) {
			if i == len(items) {
				wantRequired, wantAll = max(wantRequired, met), max(wantAll, all)
				return
			}
			try(i+1, met, all)
			for j, u := range found {
				ev, l := u.Evidence[0], items[i].Lines[0]
				if used[j] || ev.LineEnd < l[0] || l[1] < ev.LineStart {
					continue
				}
				used[j] = true
				if items[i].Optional {
					try(i+1, met, all+1)
				} else {
					try(i+1, met+1, all+1)
				}
				used[j] = false
			}
		}
		try(0, 0, 0)

		got := expect.Match(&expect.Expected{Document: "doc.md", UseCases: items}, found, nil).UseCases
		if n := required - len(got.Missed); n != wantRequired {
			t.Errorf("%d required items covered, %d can be", n, wantRequired)
		}
		if n := len(got.Pairs); n != wantAll {
			t.Errorf("%d found items matched, %d can be", n, wantAll)
		}
	})
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	const head = `{"document":"d.md","language":"en","case":"support_bot",`
	const good = `{"key":"a","optional":false,"lines":[[1,1]],"stems":["x"]}`
	const pol = `"policies":[{"key":"p","types":["must"],"optional":false,"lines":[[1,1]],"stems":["x"]}]}`
	tests := map[string]struct{ body, want string }{
		"unknown field": {head + `"extra":1,"use_cases":[` + good + `],` + pol, "unknown field"},
		"two values":    {head + `"use_cases":[` + good + `],` + pol + "{}", "text after"},
		"no document":   {`{"language":"en","case":"support_bot","use_cases":[` + good + `],` + pol, "document, language and case"},
		"none expected": {head + `"use_cases":[],` + pol, "no use case expected"},
		"same key":      {head + `"use_cases":[` + good + "," + good + `],` + pol, "stands twice"},
		"lines turned":  {head + `"use_cases":[` + strings.Replace(good, "[1,1]", "[2,1]", 1) + `],` + pol, "bad lines"},
		"upper case":    {head + `"use_cases":[` + strings.Replace(good, `"x"`, `"X"`, 1) + `],` + pol, "lower-case"},
		"two words":     {head + `"use_cases":[` + strings.Replace(good, `"x"`, `"x y"`, 1) + `],` + pol, "one word"},
		"unknown type":  {head + `"use_cases":[` + good + `],` + strings.Replace(pol, "must", "should", 1), "unknown type"},
		"no type":       {head + `"use_cases":[` + good + `],` + strings.Replace(pol, `"must"`, "", 1), "has types"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "e.json")
			if err := os.WriteFile(path, []byte(tt.body), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := expect.Load(path)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load: %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// TestExpectations holds the committed expectations to their documents: every
// range lies in the document and states something, the minimums of a document
// are among what is expected, and no range lies in a comment.
func TestExpectations(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	files, err := filepath.Glob(filepath.Join(root, "testdata", "expected", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 8 {
		t.Fatalf("%d expectations, want 8 at least", len(files))
	}
	shared := os.Getenv("CASEBOOK_SHARED")
	if shared == "" {
		shared = filepath.Join(root, "..", "shared")
	} else if !filepath.IsAbs(shared) {
		shared = filepath.Join(root, shared)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			e, err := expect.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(root, "examples", "documents", e.Document))
			if err == nil {
				checkMinimums(t, e, 4)
			} else {
				checkMinimums(t, e, 2)
				text, err = os.ReadFile(filepath.Join(shared, "inputs", e.Document))
				if os.IsNotExist(err) {
					t.Skipf("%s is not here: set CASEBOOK_SHARED to the folder that holds inputs/", e.Document)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			checkLines(t, e, string(text))
		})
	}
}

// checkMinimums wants enough required items of each kind, and policies of at
// least minTypes types.
func checkMinimums(t *testing.T, e *expect.Expected, minTypes int) {
	t.Helper()
	required := func(items []expect.Item) (n int) {
		for _, it := range items {
			if !it.Optional {
				n++
			}
		}
		return n
	}
	if n := required(e.UseCases); n < 8 {
		t.Errorf("%d required use cases, want 8 at least", n)
	}
	if n := required(e.Policies); n < 8 {
		t.Errorf("%d required policies, want 8 at least", n)
	}
	types := map[model.PolicyType]bool{}
	for _, it := range e.Policies {
		types[it.Types[0]] = true
	}
	if len(types) < minTypes {
		t.Errorf("%d types of policy, want %d at least", len(types), minTypes)
	}
}

func checkLines(t *testing.T, e *expect.Expected, text string) {
	t.Helper()
	lines := strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
	comment := make([]bool, len(lines))
	open := false
	for i, l := range lines {
		open = open || strings.Contains(l, "<!--")
		comment[i] = open
		open = open && !strings.Contains(l, "-->")
	}
	for _, items := range [][]expect.Item{e.UseCases, e.Policies} {
		for _, it := range items {
			for _, r := range it.Lines {
				if r[1] > len(lines) {
					t.Errorf("%s: lines %v of %d", it.Key, r, len(lines))
					continue
				}
				for n := r[0]; n <= r[1]; n++ {
					bare := strings.Trim(lines[n-1], " \t|-:*>=")
					if n == r[0] || n == r[1] {
						if bare == "" || strings.HasPrefix(bare, "#") {
							t.Errorf("%s: line %d states nothing: %q", it.Key, n, lines[n-1])
						}
					}
					if comment[n-1] {
						t.Errorf("%s: line %d is in a comment", it.Key, n)
					}
				}
			}
		}
	}
}
