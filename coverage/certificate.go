package coverage

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/model"
)

// Verifier is the version of the counting rules behind a [Certificate].
const Verifier = "coverage/1"

//go:embed schema/certificate.json
var certificateSchema []byte

// CertificateSchema returns the JSON Schema (2020-12) of certificate.json.
func CertificateSchema() []byte { return slices.Clone(certificateSchema) }

// Certificate says what a dataset covers and what it does not, and why. It is
// computed from the contents of the files alone.
type Certificate struct {
	Verifier      string           `json:"verifier"`
	DatasetSHA256 string           `json:"dataset_sha256"` // of dataset.json's bytes
	Strength      int              `json:"strength"`       // the least of the use cases
	Tuples        Tuples           `json:"tuples"`
	Policies      []PolicyCoverage `json:"policies"`
	Pairs         []PairCoverage   `json:"pairs"`
	// SentencesUnmapped are sentences of obligation that no policy has as evidence.
	SentencesUnmapped []model.Evidence `json:"sentences_unmapped"`
	Gaps              []Gap            `json:"gaps"`
	Shortfalls        []Shortfall      `json:"shortfalls"`
}

// Tuples are the sums over all use cases.
type Tuples struct {
	Total    int             `json:"total"`
	Feasible int             `json:"feasible"`
	Covered  int             `json:"covered"`
	UseCases []UseCaseTuples `json:"use_cases"`
}

// UseCaseTuples is the recount for one use case over its accepted examples.
type UseCaseTuples struct {
	UseCaseID string `json:"use_case_id"`
	Strength  int    `json:"strength"`
	Total     int    `json:"total"`
	Feasible  int    `json:"feasible"`
	Covered   int    `json:"covered"`
	// Witness gives an example's id for the key of every covered tuple.
	Witness map[string]string `json:"witness"`
}

// PolicyCoverage says which examples show a policy.
type PolicyCoverage struct {
	ID       string   `json:"id"`
	Testable bool     `json:"testable"`
	Reason   string   `json:"reason,omitempty"` // why it is not testable
	Plain    []string `json:"plain,omitempty"`
	Pressed  []string `json:"pressed,omitempty"`
}

// PairCoverage says which examples cite both of two policies that can meet.
type PairCoverage struct {
	Policies [2]string `json:"policies"`
	Examples []string  `json:"examples"`
}

// CertifyInput is what a certificate is computed from.
type CertifyInput struct {
	Dataset    *model.Dataset
	Plan       []model.UseCasePlan
	Unmapped   []model.Evidence
	Gaps       []Gap
	Shortfalls []Shortfall
}

// Certify computes the certificate. Tuples are counted over the test cases that
// have examples, by [Verify]. The error says what in the plan makes no sense
// (*[ModelError]) or that the dataset cannot be encoded.
func Certify(in *CertifyInput) (*Certificate, error) {
	raw, err := model.Encode(model.FileDataset, in.Dataset.Examples)
	if err != nil {
		return nil, fmt.Errorf("coverage: hashing the dataset: %w", err)
	}
	sum := sha256.Sum256(raw)
	c := &Certificate{
		Verifier:          Verifier,
		DatasetSHA256:     hex.EncodeToString(sum[:]),
		Tuples:            Tuples{UseCases: []UseCaseTuples{}},
		Policies:          []PolicyCoverage{},
		SentencesUnmapped: orEmpty(in.Unmapped),
		Gaps:              orEmpty(in.Gaps),
		Shortfalls:        orEmpty(in.Shortfalls),
	}
	accepted := acceptedCases(in.Dataset)
	for i := range in.Plan {
		up := &in.Plan[i]
		m := planModel(up)
		if err := checkModel(m); err != nil {
			return nil, fmt.Errorf("%s: %w", up.UseCaseID, err)
		}
		rep, witness := recountAccepted(m, accepted[up.UseCaseID])
		u := UseCaseTuples{UseCaseID: up.UseCaseID, Strength: m.Strength, Total: rep.Total, Feasible: rep.Feasible, Covered: rep.Covered, Witness: witness}
		if i == 0 || u.Strength < c.Strength {
			c.Strength = u.Strength
		}
		c.Tuples.Total += u.Total
		c.Tuples.Feasible += u.Feasible
		c.Tuples.Covered += u.Covered
		c.Tuples.UseCases = append(c.Tuples.UseCases, u)
	}
	shown := showing(in.Dataset.Examples)
	for i := range in.Dataset.Policies {
		c.Policies = append(c.Policies, policyCoverage(&in.Dataset.Policies[i], shown))
	}
	c.Pairs = pairs(in.Dataset, in.Plan)
	return c, nil
}

// planModel is the model that a plan's array was built for.
func planModel(up *model.UseCasePlan) *Model {
	m := &Model{Axes: up.Axes, Constraints: up.Constraints, Strength: up.Strength}
	if m.Strength == 0 {
		m.Strength = 2
	}
	return m
}

// accepted is a test case that has an example, and the first of these.
type accepted struct {
	tc      *model.TestCase
	example string
}

// acceptedCases returns the test cases with an example, by use case.
func acceptedCases(d *model.Dataset) map[string][]accepted {
	first := make(map[string]string, len(d.TestCases)) // example by test case
	for i := range d.Examples {
		e := &d.Examples[i]
		if first[e.TestCaseID] == "" {
			first[e.TestCaseID] = e.ID
		}
	}
	out := make(map[string][]accepted)
	for i := range d.TestCases {
		tc := &d.TestCases[i]
		if id := first[tc.ID]; id != "" {
			out[tc.UseCaseID] = append(out[tc.UseCaseID], accepted{tc, id})
		}
	}
	return out
}

// recountAccepted counts the tuples of a use case over its test cases that have
// an example. The witness of a tuple is the first example of the first of them.
func recountAccepted(m *Model, cases []accepted) (Report, map[string]string) {
	rows := make([]map[string]string, 0, len(cases))
	for _, a := range cases {
		row := make(map[string]string, len(a.tc.Parameters))
		for k, v := range a.tc.Parameters {
			row[k] = v.String()
		}
		rows = append(rows, row)
	}
	rep := Verify(m, rows)
	witness := make(map[string]string, len(rep.Witness))
	for key, i := range rep.Witness {
		witness[key] = cases[i].example
	}
	return rep, witness
}

// showing returns the examples that show each policy, by policy and role.
func showing(examples []model.Example) map[string]map[model.Role][]string {
	out := make(map[string]map[model.Role][]string)
	for i := range examples {
		e := &examples[i]
		for k, id := range e.PolicyIDs {
			role := e.Metadata.PolicyRoles[id]
			if slices.Contains(e.PolicyIDs[:k], id) || role != model.Plain && role != model.Pressed {
				continue
			}
			if out[id] == nil {
				out[id] = make(map[model.Role][]string)
			}
			out[id][role] = append(out[id][role], e.ID)
		}
	}
	return out
}

func policyCoverage(p *model.Policy, shown map[string]map[model.Role][]string) PolicyCoverage {
	c := PolicyCoverage{ID: p.ID, Testable: p.IsTestable()}
	if !c.Testable {
		c.Reason = p.UntestableReason
	}
	c.Plain, c.Pressed = shown[p.ID][model.Plain], shown[p.ID][model.Pressed]
	return c
}

// pairs lists the testable policies that are relevant to one use case, two by
// two, in the order of the policies.
func pairs(d *model.Dataset, plan []model.UseCasePlan) []PairCoverage {
	places := make(map[string][]int) // of policies
	for i := range d.Policies {
		if d.Policies[i].IsTestable() {
			places[d.Policies[i].ID] = append(places[d.Policies[i].ID], i)
		}
	}
	meet := make(map[[2]int]bool)
	for i := range plan {
		var at []int
		for _, id := range plan[i].PolicyIDs {
			at = append(at, places[id]...)
		}
		for _, a := range at {
			for _, b := range at {
				if a < b {
					meet[[2]int{a, b}] = true
				}
			}
		}
	}
	citing := make(map[string][]int) // examples
	for n := range d.Examples {
		for k, id := range d.Examples[n].PolicyIDs {
			if !slices.Contains(d.Examples[n].PolicyIDs[:k], id) {
				citing[id] = append(citing[id], n)
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(meet), func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	out := make([]PairCoverage, 0, len(order))
	for _, at := range order {
		a, b := d.Policies[at[0]].ID, d.Policies[at[1]].ID
		p := PairCoverage{Policies: [2]string{a, b}, Examples: []string{}}
		for _, n := range citing[a] {
			if slices.Contains(d.Examples[n].PolicyIDs, b) {
				p.Examples = append(p.Examples, d.Examples[n].ID)
			}
		}
		out = append(out, p)
	}
	return out
}

// orEmpty returns a copy that is never nil, so that it is written as a list.
func orEmpty[T any](s []T) []T { return append([]T{}, s...) }

// Recheck computes the certificate again from the files and returns every
// difference as a sentence; none means that the certificate holds. Besides the
// counts it looks whether each thing uncovered has a gap with a verdict, and
// whether each gap is one.
func Recheck(c *Certificate, d *model.Dataset, plan []model.UseCasePlan) []string {
	want, err := Certify(&CertifyInput{Dataset: d, Plan: plan})
	if err != nil {
		return []string{err.Error()}
	}
	var out []string
	differ := func(what string, have, want any) {
		if !reflect.DeepEqual(have, want) {
			out = append(out, fmt.Sprintf("%s: the certificate says %v, the files %v", what, have, want))
		}
	}
	differ("verifier", c.Verifier, want.Verifier)
	differ("dataset_sha256", c.DatasetSHA256, want.DatasetSHA256)
	differ("strength", c.Strength, want.Strength)
	differ("tuples", [3]int{c.Tuples.Total, c.Tuples.Feasible, c.Tuples.Covered}, [3]int{want.Tuples.Total, want.Tuples.Feasible, want.Tuples.Covered})
	compare("tuples of", c.Tuples.UseCases, want.Tuples.UseCases, func(u *UseCaseTuples) string { return u.UseCaseID }, differ)
	compare("policy", c.Policies, want.Policies, func(p *PolicyCoverage) string { return p.ID }, differ)
	compare("pair", c.Pairs, want.Pairs, func(p *PairCoverage) string { return strings.Join(p.Policies[:], "&") }, differ)
	return append(out, recheckGaps(c.Gaps, want, d, plan)...)
}

// compare reports items that are on one side only, and those that differ.
func compare[T any](what string, have, want []T, id func(*T) string, differ func(string, any, any)) {
	if len(have) != len(want) {
		differ("number of entries, "+what, len(have), len(want))
	}
	rest := make(map[string]*T, len(have))
	for i := range have {
		rest[id(&have[i])] = &have[i]
	}
	for i := range want {
		key := id(&want[i])
		if h := rest[key]; h == nil {
			differ(what+" "+key, "nothing", want[i])
		} else {
			differ(what+" "+key, plain(*h), plain(want[i]))
		}
	}
}

// plain folds the difference between an empty and a missing list, which JSON
// loses.
func plain(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return strings.ReplaceAll(string(raw), ":null", ":[]")
}

// recheckGaps compares the gaps of tuples and policies with what is uncovered.
func recheckGaps(gaps []Gap, want *Certificate, d *model.Dataset, plan []model.UseCasePlan) []string {
	type target struct {
		kind Target
		useCase,
		name string
	}
	uncovered := make(map[target]string) // what is known of it
	var order []target
	add := func(t target, what string) {
		uncovered[t] = what
		order = append(order, t)
	}
	cases := acceptedCases(d)
	for i := range plan {
		rep, _ := recountAccepted(planModel(&plan[i]), cases[plan[i].UseCaseID])
		for _, t := range rep.Infeasible {
			add(target{TargetTuple, plan[i].UseCaseID, t.Key()}, "infeasible")
		}
		for _, t := range rep.Missing {
			add(target{TargetTuple, plan[i].UseCaseID, t.Key()}, "feasible")
		}
	}
	for _, p := range want.Policies {
		switch {
		case !p.Testable:
			add(target{TargetPolicy, "", p.ID}, "untestable")
		default:
			if len(p.Plain) == 0 {
				add(target{TargetPolicy, "", p.ID + "/" + string(model.Plain)}, "testable")
			}
			if len(p.Pressed) == 0 {
				add(target{TargetPolicy, "", p.ID + "/" + string(model.Pressed)}, "testable")
			}
		}
	}
	var out []string
	listed := make(map[target]bool)
	for _, g := range gaps {
		t := target{g.Kind, g.UseCaseID, g.Target}
		switch g.Kind {
		case TargetTuple:
		case TargetPolicy:
			t.useCase = ""
		default:
			continue
		}
		listed[t] = true
		switch what, open := uncovered[t]; {
		case !open:
			out = append(out, fmt.Sprintf("gap %s %s: the files cover it", g.Kind, g.Target))
		case g.Limit == LimitModel && what != "infeasible" && what != "untestable":
		case (what == "infeasible") != (g.Verdict == VerdictInfeasible), (what == "untestable") != (g.Verdict == VerdictUntestable):
			out = append(out, fmt.Sprintf("gap %s %s: the verdict is %s, the files say it is %s", g.Kind, g.Target, g.Verdict, what))
		}
	}
	for _, t := range order {
		if !listed[t] {
			out = append(out, fmt.Sprintf("%s %s is uncovered and has no verdict", t.kind, t.name))
		}
	}
	return out
}
