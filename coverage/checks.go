package coverage

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Candidate is an item that asks to be accepted, with all that a check may
// look at. A check changes nothing in it.
type Candidate struct {
	Documents []*model.Document
	// Ground is what [NewGround] makes of Documents and Lang, best
	// [Ground.WithPolicies]. When nil, [RunChecks] makes it for the candidate: of
	// Documents, or, when there are none, of the use case and the policies.
	Ground *Ground
	// Lang is nil for a language without data: then only the checks that need
	// none run.
	Lang     *lang.Language
	Language string // of the documents: "en", "ru", ...; may be empty
	Profile  *model.Profile
	UseCase  model.UseCase
	// Policies are those of the row, AllPolicies those of the dataset.
	Policies, AllPolicies []model.Policy
	Axes                  []model.Axis
	Row                   model.Row
	Item                  model.Item
	// Seen holds the inputs accepted so far, over the whole dataset; nil means
	// none.
	Seen *Index

	cache *candidateCache // set by Prepared
}

// Finding is one thing that is wrong with a candidate. Message says what, and
// what to do about it, so that a model can repair the item from it alone.
type Finding struct {
	Check   string
	Field   string // "expected_output", "input", "evaluation_criteria", "parameters", ...
	Example int    // index in Item.Examples; -1 when it concerns the test case
	Message string
	Warn    bool // worth a note, no reason to refuse
}

// Check is one rule that every accepted item keeps. Run must be safe for
// concurrent use and a function of the candidate alone.
type Check struct {
	Name string
	Run  func(*Candidate) []Finding

	alone bool
}

// Alone reports whether the check is known not to look at Candidate.Seen, so
// that candidates can be checked at once, in any order. No check that an
// application makes is.
func (c Check) Alone() bool { return c.alone }

// DefaultChecks returns the built-in checks in the order they run:
//
//	contract     the item by itself keeps the contract
//	row          the item is what the row planned: format, source, parameters, policies, roles, count
//	parameters   every value of the row can be seen in every input
//	language     texts are in the document's language, or in the one a parameter asks for
//	placeholder  nothing is left to fill in
//	voice        an answer speaks to the customer as the agent; an input is no exam question
//	grounding    numbers, dates, contacts and codes of an answer stand in document, input or parameters
//	qualifiers   quantities keep their unit and "working", "up to", "at least"
//	claims       an answer claims no status, lookup, act or promise that it cannot know or keep
//	length       an answer is no longer than the document's rules of form allow
//	correction   a correction corrects, and keeps the rest
//	stock        an answer is more than "we will look into it"
//	topic        an answer speaks of the use case, or clarifies, declines or hands over
//	criteria     criteria can be scored and tell things apart
//	paraphrase   a paraphrase is none of its source, no input is a heading
//	duplicate    no input is nearly equal to one accepted before
//
// For a language without data the checks that need words find nothing.
func DefaultChecks() []Check {
	return []Check{
		{"contract", checkContract, true},
		{"row", checkRow, true},
		{"parameters", checkParameters, true},
		{"language", checkLanguage, true},
		{"placeholder", checkPlaceholder, true},
		{"markup", checkMarkup, true},
		{"voice", checkVoice, true},
		{"grounding", checkGrounding, true},
		{"qualifiers", checkQualifiers, true},
		{"claims", checkClaims, true},
		{"length", checkLength, true},
		{"correction", checkCorrection, true},
		{"stock", checkStock, true},
		{"topic", checkTopic, true},
		{"criteria", checkCriteria, true},
		{"paraphrase", checkParaphrase, true},
		{"duplicate", checkDuplicate, false},
	}
}

// RunChecks returns what the checks find, in their order, with Finding.Check
// set to the name of the check. A candidate without Ground gets one for the run.
func RunChecks(cs []Check, c *Candidate) []Finding {
	if len(cs) > 0 {
		c = c.Prepared()
	}
	var all []Finding
	for _, check := range cs {
		for _, f := range check.Run(c) {
			f.Check = check.Name
			all = append(all, f)
		}
	}
	return all
}

// findings collects what a check finds.
type findings []Finding

func (fs *findings) add(example int, field, format string, args ...any) {
	*fs = append(*fs, Finding{Field: field, Example: example, Message: fmt.Sprintf(format, args...)})
}

func (fs *findings) warn(example int, field, format string, args ...any) {
	*fs = append(*fs, Finding{Field: field, Example: example, Message: fmt.Sprintf(format, args...), Warn: true})
}

// checkContract runs the contract's own rules on the item. What the
// orchestrator stamps later (ids, case, generator) may still be missing.
func checkContract(c *Candidate) []Finding {
	var fs findings
	d := &model.Dataset{TestCases: []model.TestCase{c.Item.TestCase}}
	tc := &d.TestCases[0]
	fill := func(s *string, with string) {
		if *s == "" {
			*s = with
		}
	}
	fill(&tc.ID, "tc_candidate")
	fill((*string)(&tc.Case), string(c.UseCase.Case))
	fill(&tc.UseCaseID, c.UseCase.ID)
	fill(&tc.Metadata.Generator, "candidate")
	index := map[string]int{}
	for i, ex := range c.Item.Examples {
		fill(&ex.ID, "ex_candidate_"+strconv.Itoa(i+1))
		fill((*string)(&ex.Case), string(tc.Case))
		fill(&ex.UseCaseID, tc.UseCaseID)
		fill(&ex.TestCaseID, tc.ID)
		fill(&ex.Metadata.Generator, tc.Metadata.Generator)
		index[ex.ID] = i
		d.Examples = append(d.Examples, ex)
	}
	docs := slices.DeleteFunc(slices.Clone(c.Documents), func(d *model.Document) bool { return d == nil })
	for _, v := range d.ViolationsWith(c.Profile, docs...) {
		at, ok := index[v.ID]
		if !ok {
			at = -1
		}
		fs.add(at, v.Rule, "%s", v.Message)
	}
	if len(d.Examples) == 0 {
		fs.add(-1, "examples", "the test case has no example; write at least one")
	}
	return fs
}

// checkRow compares the item with the row that was planned.
func checkRow(c *Candidate) []Finding {
	row := &c.Row
	if row.ID == "" {
		return nil
	}
	var fs findings
	tc := &c.Item.TestCase
	for _, name := range sortedKeys(row.Parameters) {
		want := row.Parameters[name]
		got, ok := tc.Parameters[name]
		switch {
		case !ok:
			fs.add(-1, "parameters", "the parameter %s is missing; the plan has %s=%s", name, name, want)
		case got.String() != want.String():
			fs.add(-1, "parameters", "the parameter %s is %q; the plan has %q", name, got, want)
		}
	}
	for _, a := range row.Axes {
		if !contains(tc.Axes, a) {
			fs.add(-1, "parameter_variation_axes", "the planned axis %s is missing from parameter_variation_axes", a)
		}
	}
	for _, id := range tc.PolicyIDs {
		if !contains(row.PolicyIDs, id) {
			fs.add(-1, "policy_ids", "the test case cites %s, which the plan does not; cite only %s", id, strings.Join(row.PolicyIDs, ", "))
		}
	}
	if want := max(row.Examples, 1); len(c.Item.Examples) != want {
		fs.add(-1, "examples", "the test case has %d examples; the plan asks for exactly %d", len(c.Item.Examples), want)
	}
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		if row.Format != "" && ex.Format != row.Format {
			fs.add(i, "format", "the format is %q; the plan has %q", ex.Format, row.Format)
		}
		if row.Source != "" && ex.Metadata.Source != row.Source {
			fs.add(i, "metadata.source", "the source is %q; the plan has %q", ex.Metadata.Source, row.Source)
		}
		if len(row.Given) > 0 && !sameMessages(row.Given, ex.Input.Messages) {
			fs.add(i, "input", "the input must be the given message word for word: %s", quote(joined(row.Given)))
		}
		for _, id := range ex.PolicyIDs {
			if !contains(row.PolicyIDs, id) {
				fs.add(i, "policy_ids", "the example cites %s, which the plan does not; cite only %s", id, strings.Join(row.PolicyIDs, ", "))
				continue
			}
			want, planned := row.Roles[id]
			got := ex.Metadata.PolicyRoles[id]
			switch {
			case got != model.Plain && got != model.Pressed:
				fs.add(i, "metadata.policy_roles", "the policy %s has no role; say plain or pressed", id)
			case planned && got != want:
				fs.add(i, "metadata.policy_roles", "the policy %s is shown as %s; the plan has %s", id, got, want)
			}
		}
	}
	return fs
}

// arguable reports whether an input may count for a value that the classifier
// does not give it. A sentence without a question mark that begins with a
// question word can be a statement ("who is to blame is for the assessor"), and
// a misspelling that no list has is told by its correction.
func (c *Candidate) arguable(a model.Axis, want, got string, ex *model.Example) bool {
	switch {
	case a.Rule == "form" && want == "statement":
		return !strings.ContainsAny(InputText(&ex.Input), "?？؟")
	case a.Rule == "fault" && want == "typo" && got == "none" && c.correction(ex.Format):
		return respelt(last(&ex.Input), ex.ExpectedOutput)
	default:
		return false
	}
}

// respelt reports whether the correction spells a word of the message
// differently: a word of four letters or more, one or two letters off.
func respelt(draft, out string) bool {
	words := func(text string) map[string]bool {
		set := map[string]bool{}
		for _, w := range lang.Words(text) {
			if utf8.RuneCountInString(w) >= 4 {
				set[w] = true
			}
		}
		return set
	}
	before, after := words(draft), words(out)
	for w := range before {
		if after[w] {
			continue
		}
		for v := range after {
			// Another ending is another form of the word, not a misspelling.
			if !before[v] && letters(w, v) <= 2 && firstRunes(w, 1) == firstRunes(v, 1) && w[len(w)-2:] == v[len(v)-2:] {
				return true
			}
		}
	}
	return false
}

// letters is the edit distance of two words; swapped neighbours count once.
func letters(a, b string) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d > 2 || d < -2 {
		return 3
	}
	rows := make([][]int, len(x)+1)
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
		rows[i][0] = i
	}
	for k := range rows[0] {
		rows[0][k] = k
	}
	for i := 1; i <= len(x); i++ {
		for k := 1; k <= len(y); k++ {
			cost := 1
			if x[i-1] == y[k-1] {
				cost = 0
			}
			rows[i][k] = min(rows[i-1][k]+1, rows[i][k-1]+1, rows[i-1][k-1]+cost)
			if i > 1 && k > 1 && x[i-1] == y[k-2] && x[i-2] == y[k-1] {
				rows[i][k] = min(rows[i][k], rows[i-2][k-2]+1)
			}
		}
	}
	return rows[len(x)][len(y)]
}

// checkParameters looks for every planned value in every input.
func checkParameters(c *Candidate) []Finding {
	var fs findings
	for _, a := range c.Axes {
		want, ok := c.planned(a.Name)
		if !ok {
			continue
		}
		for i := range c.Item.Examples {
			ex := &c.Item.Examples[i]
			l := c.Lang
			if a.Rule != "language" {
				l = c.spoken()
			}
			got, decided := Classify(l, a, &ex.Input, ex.Format)
			switch {
			case decided && got != want && c.arguable(a, want, got, ex):
			case decided && got != want:
				how := Meaning(a, want)
				if how != "" {
					how = ": " + how
				}
				fs.add(i, "input", "the input shows %s=%s, the plan asks for %s=%s%s; rewrite the input so that it shows", a.Name, got, a.Name, want, how)
			case !decided:
				phrase := Fold(ex.Metadata.Shown[a.Name])
				switch {
				case utf8.RuneCountInString(phrase) < 2:
					fs.add(i, "metadata.shown", "no phrase shows %s=%s; quote the words of the input that do", a.Name, want)
				case !strings.Contains(Fold(InputText(&ex.Input)), phrase):
					fs.add(i, "metadata.shown", "the phrase %s, which is to show %s=%s, does not stand in the input; quote words that do", quote(ex.Metadata.Shown[a.Name]), a.Name, want)
				}
			}
		}
	}
	return fs
}

// planned returns the value an axis has in the row, or in a test case outside
// the plan.
func (c *Candidate) planned(axis string) (string, bool) {
	params := c.Row.Parameters
	if c.Row.ID == "" {
		params = c.Item.TestCase.Parameters
	}
	v, ok := params[axis]
	return v.String(), ok
}

// asked returns the language that messages and answers are to be in.
func (c *Candidate) asked() string {
	for _, a := range c.Axes {
		if a.Rule == "language" {
			if v, ok := c.planned(a.Name); ok && v != "unknown" {
				return v
			}
		}
	}
	if v, ok := c.planned("language"); ok && len(v) == 2 {
		return strings.ToLower(v)
	}
	return c.Language
}

// spoken returns the data of the language of messages and answers, or nil.
func (c *Candidate) spoken() *lang.Language {
	code := c.asked()
	if c.Lang != nil && (code == "" || code == c.Lang.Code) {
		return c.Lang
	}
	l, err := lang.For(code)
	if err != nil {
		return nil
	}
	return l
}

// correction reports whether examples of a format are corrections.
func (c *Candidate) correction(f model.Format) bool {
	if fp, ok := c.Profile.Format(f); ok {
		return fp.Correction
	}
	return f == model.SingleUtteranceCorrection || f == model.DialogLastTurnCorrection
}

// checkDuplicate compares the inputs with those accepted before and with each
// other.
func checkDuplicate(c *Candidate) []Finding {
	var fs findings
	var own Index
	for i := range c.Item.Examples {
		text := InputText(&c.Item.Examples[i].Input)
		if id, ok := c.Seen.Near(text); ok {
			fs.add(i, "input", "the input is nearly the same as that of %s; write one with another situation and other words", id)
		} else if id, ok := own.Near(text); ok {
			fs.add(i, "input", "the input is nearly the same as that of example %s of this test case; write one with another situation and other words", id)
		}
		own.Add(strconv.Itoa(i+1), text)
	}
	return fs
}

// checkParaphrase holds paraphrases to other words than their source's, and
// every written input to be more than a heading.
func checkParaphrase(c *Candidate) []Finding {
	var fs findings
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		if len(c.Row.Given) > 0 || ex.Metadata.Source == model.SourceTickets {
			continue
		}
		text := last(&ex.Input)
		if f := Fold(text); f != "" && c.ground().heading(f) {
			fs.add(i, "input", "the input is a heading of the document; write what a person with this need would say")
			continue
		}
		if ex.Metadata.Source != model.SourceFAQParaphrase {
			continue
		}
		if run, ok := c.copies(text); ok {
			fs.add(i, "input", "the input copies %s from the document; a paraphrase shares no %d words in a row with its source: say it in other words", quote(run), ParaphraseRun)
		}
	}
	return fs
}

func (g *Ground) heading(folded string) bool { return g != nil && g.headings[folded] }

// cites reports whether the evidence of the use case or of the row's policies
// overlaps the lines.
func (c *Candidate) cites(doc string, start, end int) bool {
	over := func(es []model.Evidence) bool {
		for _, e := range es {
			if e.InputFile == doc && e.LineStart <= end && start <= e.LineEnd {
				return true
			}
		}
		return false
	}
	if over(c.UseCase.Evidence) {
		return true
	}
	for i := range c.Policies {
		if over(c.Policies[i].Evidence) {
			return true
		}
	}
	return false
}
