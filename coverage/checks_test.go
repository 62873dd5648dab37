package coverage_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

var fine = sample{in: "when will a bike reach me in Leeds?", out: "Delivery within the country takes 3–5 working days."}

// found lists what one check finds, without warnings.
func found(t *testing.T, name string, c *coverage.Candidate) []string {
	t.Helper()
	var out []string
	for _, f := range coverage.RunChecks(coverage.DefaultChecks(), c) {
		if f.Check == name && !f.Warn {
			out = append(out, fmt.Sprintf("%s[%d]", f.Field, f.Example))
		}
	}
	return out
}

func TestCheckRow(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*coverage.Candidate)
		want   []string
	}{
		"as planned":             {func(*coverage.Candidate) {}, nil},
		"outside the plan":       {func(c *coverage.Candidate) { c.Row = model.Row{}; c.Item.Examples[0].Format = "other" }, nil},
		"an extra parameter":     {func(c *coverage.Candidate) { c.Item.TestCase.Parameters["style"] = model.String("casual") }, nil},
		"parameter changed":      {func(c *coverage.Candidate) { c.Row.Parameters = map[string]model.Value{"form": model.String("else")} }, []string{"parameters[-1]"}},
		"parameter missing":      {func(c *coverage.Candidate) { c.Row.Parameters = map[string]model.Value{"tone": model.String("angry")} }, []string{"parameters[-1]"}},
		"axis missing":           {func(c *coverage.Candidate) { c.Item.TestCase.Axes = []string{"form"} }, []string{"parameter_variation_axes[-1]"}},
		"foreign policy":         {func(c *coverage.Candidate) { c.Item.TestCase.PolicyIDs = []string{"pol_tone"} }, []string{"policy_ids[-1]"}},
		"foreign example policy": {func(c *coverage.Candidate) { c.Item.Examples[0].PolicyIDs = []string{"pol_tone"} }, []string{"policy_ids[0]"}},
		"role missing":           {func(c *coverage.Candidate) { c.Item.Examples[0].Metadata.PolicyRoles = nil }, []string{"metadata.policy_roles[0]"}},
		"role changed":           {func(c *coverage.Candidate) { c.Row.Roles = map[string]model.Role{"pol_delivery": model.Pressed} }, []string{"metadata.policy_roles[0]"}},
		"wrong format":           {func(c *coverage.Candidate) { c.Row.Format = model.DialogLastTurnCorrection }, []string{"format[0]"}},
		"wrong source":           {func(c *coverage.Candidate) { c.Row.Source = model.SourceTickets }, []string{"metadata.source[0]"}},
		"too few examples":       {func(c *coverage.Candidate) { c.Row.Examples = 2 }, []string{"examples[-1]"}},
		"the ticket kept":        {func(c *coverage.Candidate) { c.Row.Given = c.Item.Examples[0].Input.Messages }, nil},
		"the ticket reworded": {func(c *coverage.Candidate) {
			c.Row.Given = []model.Message{{Role: "user", Content: "When will a bike reach me in Leeds?"}}
		}, []string{"input[0]"}},
		"a message put before it": {func(c *coverage.Candidate) {
			c.Row.Given = []model.Message{{Role: "user", Content: "Hi"}, c.Item.Examples[0].Input.Messages[0]}
		}, []string{"input[0]"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := bikes.candidate(t, fine)
			c.change(in)
			if diff := cmp.Diff(c.want, found(t, "row", in)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestCheckContract(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*coverage.Candidate)
		want   int // example, -1 for the test case, -2 for none
	}{
		"whole": {func(*coverage.Candidate) {}, -2},
		"ids not yet given": {func(c *coverage.Candidate) {
			c.Item.TestCase.ID, c.Item.Examples[0].ID, c.Item.Examples[0].TestCaseID = "", "", ""
			c.Item.TestCase.Metadata.Generator, c.Item.Examples[0].Metadata.Generator = "", ""
		}, -2},
		"no name":        {func(c *coverage.Candidate) { c.Item.TestCase.Name = "" }, -1},
		"no output":      {func(c *coverage.Candidate) { c.Item.Examples[0].ExpectedOutput = "" }, 0},
		"two messages":   {func(c *coverage.Candidate) { m := &c.Item.Examples[0].Input.Messages; *m = append(*m, (*m)[0]) }, 0},
		"wrong role":     {func(c *coverage.Candidate) { c.Item.Examples[0].Input.Messages[0].Role = "operator" }, 0},
		"two criteria":   {func(c *coverage.Candidate) { c.Item.Examples[0].EvaluationCriteria = bikes.criteria[:2] }, 0},
		"no example":     {func(c *coverage.Candidate) { c.Item.Examples = nil }, -1},
		"no such source": {func(c *coverage.Candidate) { c.Item.Examples[0].Metadata.Source = "guess" }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := bikes.candidate(t, fine)
			c.change(in)
			got := -2
			for _, f := range coverage.RunChecks(coverage.DefaultChecks(), in) {
				if f.Check == "contract" {
					got = f.Example
				}
			}
			if got != c.want {
				t.Errorf("finding at %d, want %d", got, c.want)
			}
		})
	}
}

func TestCheckParametersByPhrase(t *testing.T) {
	t.Parallel()
	for phrase, want := range map[string]int{"in Leeds": 0, "IN  leeds!": 0, "": 1, "L": 1, "in York": 1} {
		c := bikes.candidate(t, fine)
		c.Axes = []model.Axis{{Name: "place", Rule: coverage.PhraseRule}}
		c.Row.Parameters["place"] = model.String("town")
		c.Item.TestCase.Parameters = c.Row.Parameters
		c.Item.Examples[0].Metadata.Shown = map[string]string{"place": phrase}
		if got := found(t, "parameters", c); len(got) != want {
			t.Errorf("phrase %q: %v, want %d findings", phrase, got, want)
		}
	}
}

// A parameter may ask for another language than the document's: then message and
// answer follow it, criteria do not.
func TestCheckLanguageOfParameter(t *testing.T) {
	t.Parallel()
	axis := model.Axis{Name: "language", Rule: "language", Values: []model.AxisValue{{Name: "ru"}, {Name: "en"}}}
	run := func(s sample) []string {
		s.params = map[string]string{"language": "ru"}
		c := bikes.candidate(t, s)
		c.Axes = []model.Axis{axis}
		return append(found(t, "language", c), append(found(t, "parameters", c), found(t, "qualifiers", c)...)...)
	}
	good := sample{in: "сколько дней будет идти доставка велосипеда?", out: "Доставка по стране занимает 3–5 рабочих дней."}
	if got := run(good); len(got) > 0 {
		t.Errorf("good: %v", got)
	}
	for name, c := range map[string]struct{ in, out, want string }{
		"input":     {fine.in, good.out, "input[0] input[0]"},
		"output":    {good.in, fine.out, "expected_output[0]"},
		"qualifier": {good.in, "Доставка по стране занимает 3–5 дней.", "expected_output[0]"},
	} {
		if got := strings.Join(run(sample{in: c.in, out: c.out}), " "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestCheckDuplicate(t *testing.T) {
	t.Parallel()
	var seen coverage.Index
	seen.Add("ex_old", "When will a bike reach me in Leeds")
	c := bikes.candidate(t, fine)
	c.Seen = &seen
	var got string
	for _, f := range coverage.RunChecks(coverage.DefaultChecks(), c) {
		got += f.Check + " " + f.Message
	}
	if !strings.Contains(got, "duplicate") || !strings.Contains(got, "ex_old") {
		t.Errorf("findings = %q", got)
	}
	c = bikes.candidate(t, fine)
	c.Row.Examples = 2
	c.Item.Examples = append(c.Item.Examples, c.Item.Examples[0])
	if got := found(t, "duplicate", c); !cmp.Equal(got, []string{"input[1]"}) {
		t.Errorf("two equal examples: %v", got)
	}
	// A dialogue is compared as a whole.
	d := spa.candidate(t, sample{user: "I'd like to come on Friday with my sister", in: "see you", out: "See you."})
	d.Seen = &coverage.Index{}
	d.Seen.Add("ex_a", "Is there a parking place near your house?\nsee you")
	if got := found(t, "duplicate", d); len(got) > 0 {
		t.Errorf("another dialogue with the same last turn: %v", got)
	}
}

// Without documents an answer rests on the use case and the policies.
func TestChecksWithoutDocuments(t *testing.T) {
	t.Parallel()
	c := bikes.candidate(t, fine)
	c.Documents = nil
	if got := found(t, "grounding", c); len(got) > 0 {
		t.Errorf("grounding: %v", got)
	}
	c.Item.Examples[0].ExpectedOutput = "Delivery within the country takes 3–6 days."
	if got := append(found(t, "grounding", c), found(t, "qualifiers", c)...); len(got) != 2 {
		t.Errorf("grounding and qualifiers: %v", got)
	}
}

// Text in a comment is not in force and grounds nothing.
func TestGroundLeavesCommentsOut(t *testing.T) {
	t.Parallel()
	b := *bikes
	b.markdown += "\n<!-- Delivery takes 9 working days. -->\n"
	c := b.candidate(t, sample{in: fine.in, out: "Delivery takes 9 working days."})
	if got := found(t, "grounding", c); len(got) != 1 {
		t.Errorf("findings = %v", got)
	}
}

// The checks are functions of the candidate: twice the same, and nothing changed.
func TestChecksAreRepeatable(t *testing.T) {
	t.Parallel()
	c := internet.candidate(t, sample{in: "где деньги???", out: "Деньги вернули, клиент получит 500 USD через 9 дней, звоните 8-800-123-45-67!!", params: map[string]string{"tone": "neutral", "greeting": "present"}})
	before := fmt.Sprintf("%+v", c.Item)
	first := coverage.RunChecks(coverage.DefaultChecks(), c)
	second := coverage.RunChecks(coverage.DefaultChecks(), c)
	if diff := cmp.Diff(first, second); diff != "" || len(first) < 5 {
		t.Errorf("%d findings (-first +second)\n%s", len(first), diff)
	}
	if after := fmt.Sprintf("%+v", c.Item); after != before {
		t.Error("a check changed the item")
	}
	// A check alone, without prepared ground, finds the same.
	var alone []coverage.Finding
	for _, check := range coverage.DefaultChecks() {
		for _, f := range check.Run(c) {
			f.Check = check.Name
			alone = append(alone, f)
		}
	}
	if diff := cmp.Diff(first, alone); diff != "" {
		t.Errorf("(-together +alone)\n%s", diff)
	}
}

// Checks look at what a model wrote: nothing in it may break them.
func FuzzChecks(f *testing.F) {
	f.Add("Where is order 5?", "Within 14 working days, 8-800-XXX.", "The answer names 14 days")
	f.Add("", "", "")
	f.Add("\xff", "{{x}} [имя] через неделю…", "«»")
	f.Add("двадцать пять дней", "25 дней до 2-", "от 2 до 7 рабочих дней")
	doc, err := model.ParseMarkdown("d.md", []byte(internet.markdown), nil)
	if err != nil {
		f.Fatal(err)
	}
	l, err := lang.For("ru")
	if err != nil {
		f.Fatal(err)
	}
	ground := coverage.NewGround(l, []*model.Document{doc})
	f.Fuzz(func(t *testing.T, in, out, criterion string) {
		for _, l := range []*lang.Language{l, nil} {
			for _, p := range []*model.Profile{model.SupportBot(), model.OperatorQuality()} {
				ex := model.Example{Format: p.Formats[0].Format, ExpectedOutput: out, EvaluationCriteria: []string{criterion, criterion, in}, PolicyIDs: []string{"pol_access"}}
				ex.Input.Messages = []model.Message{{Role: p.Formats[0].First, Content: in}}
				c := &coverage.Candidate{
					Documents: []*model.Document{doc}, Ground: ground, Lang: l, Language: "ru", Profile: p, UseCase: internet.useCase,
					Policies: internet.policies, AllPolicies: internet.policies, Axes: p.Axes,
					Item: model.Item{TestCase: model.TestCase{Name: in, Parameters: map[string]model.Value{"tone": model.String("angry")}}, Examples: []model.Example{ex}},
				}
				for _, x := range coverage.RunChecks(coverage.DefaultChecks(), c) {
					if x.Check == "" || x.Message == "" {
						t.Fatalf("empty finding %+v", x)
					}
				}
			}
		}
	})
}
