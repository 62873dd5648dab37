package coverage

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
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
	for i := range in.Plan {
		up := &in.Plan[i]
		m := planModel(up)
		if err := checkModel(m); err != nil {
			return nil, fmt.Errorf("%s: %w", up.UseCaseID, err)
		}
		rep, witness := recountAccepted(m, up.UseCaseID, in.Dataset)
		u := UseCaseTuples{UseCaseID: up.UseCaseID, Strength: m.Strength, Total: rep.Total, Feasible: rep.Feasible, Covered: rep.Covered, Witness: witness}
		if i == 0 || u.Strength < c.Strength {
			c.Strength = u.Strength
		}
		c.Tuples.Total += u.Total
		c.Tuples.Feasible += u.Feasible
		c.Tuples.Covered += u.Covered
		c.Tuples.UseCases = append(c.Tuples.UseCases, u)
	}
	for i := range in.Dataset.Policies {
		c.Policies = append(c.Policies, policyCoverage(&in.Dataset.Policies[i], in.Dataset.Examples))
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

// recountAccepted counts the tuples of a use case over its test cases that have
// an example. The witness of a tuple is the first example of the first of them.
func recountAccepted(m *Model, useCase string, d *model.Dataset) (Report, map[string]string) {
	first := make(map[string]string) // example by test case, "" for none yet
	for i := range d.TestCases {
		if tc := &d.TestCases[i]; tc.UseCaseID == useCase {
			first[tc.ID] = ""
		}
	}
	for i := range d.Examples {
		e := &d.Examples[i]
		if id, ok := first[e.TestCaseID]; ok && id == "" {
			first[e.TestCaseID] = e.ID
		}
	}
	var rows []map[string]string
	var examples []string
	for i := range d.TestCases {
		tc := &d.TestCases[i]
		if tc.UseCaseID != useCase || first[tc.ID] == "" {
			continue
		}
		id := first[tc.ID]
		row := make(map[string]string, len(tc.Parameters))
		for k, v := range tc.Parameters {
			row[k] = v.String()
		}
		rows, examples = append(rows, row), append(examples, id)
	}
	rep := Verify(m, rows)
	witness := make(map[string]string, len(rep.Witness))
	for key, i := range rep.Witness {
		witness[key] = examples[i]
	}
	return rep, witness
}

func policyCoverage(p *model.Policy, examples []model.Example) PolicyCoverage {
	c := PolicyCoverage{ID: p.ID, Testable: p.IsTestable()}
	if !c.Testable {
		c.Reason = p.UntestableReason
	}
	for i := range examples {
		switch e := &examples[i]; {
		case shows(e, p.ID, model.Plain):
			c.Plain = append(c.Plain, e.ID)
		case shows(e, p.ID, model.Pressed):
			c.Pressed = append(c.Pressed, e.ID)
		}
	}
	return c
}

// pairs lists the testable policies that are relevant to one use case, two by
// two, in the order of the policies.
func pairs(d *model.Dataset, plan []model.UseCasePlan) []PairCoverage {
	meet := make(map[[2]string]bool)
	for i := range plan {
		for _, a := range plan[i].PolicyIDs {
			for _, b := range plan[i].PolicyIDs {
				meet[[2]string{a, b}] = true
			}
		}
	}
	out := []PairCoverage{}
	for i := range d.Policies {
		for k := i + 1; k < len(d.Policies); k++ {
			a, b := &d.Policies[i], &d.Policies[k]
			if !meet[[2]string{a.ID, b.ID}] || !a.IsTestable() || !b.IsTestable() {
				continue
			}
			p := PairCoverage{Policies: [2]string{a.ID, b.ID}, Examples: []string{}}
			for n := range d.Examples {
				if e := &d.Examples[n]; slices.Contains(e.PolicyIDs, a.ID) && slices.Contains(e.PolicyIDs, b.ID) {
					p.Examples = append(p.Examples, e.ID)
				}
			}
			out = append(out, p)
		}
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
	for i := range plan {
		rep, _ := recountAccepted(planModel(&plan[i]), plan[i].UseCaseID, d)
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
