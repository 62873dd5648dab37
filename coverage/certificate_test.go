package coverage_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// certifyInput is what a run hands on from enforcement to the certificate.
func certifyInput(in *coverage.EnforceInput) *coverage.CertifyInput {
	gaps, short := coverage.Enforce(in)
	out := &coverage.CertifyInput{Dataset: in.Dataset, Plan: in.Plan, Gaps: gaps}
	if short != nil {
		out.Shortfalls = short.Shortfalls
	}
	return out
}

func certify(t testing.TB, in *coverage.EnforceInput) *coverage.Certificate {
	t.Helper()
	c, err := coverage.Certify(certifyInput(in))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCertify(t *testing.T) {
	t.Parallel()
	in := sound(t)
	ci := certifyInput(in)
	ci.Unmapped = []model.Evidence{{InputFile: "a.md", LineStart: 12, LineEnd: 12, Quote: "Обязательно."}}
	c, err := coverage.Certify(ci)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := model.Encode(model.FileDataset, in.Dataset.Examples)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(raw)
	if want := hex.EncodeToString(sum[:]); c.DatasetSHA256 != want {
		t.Errorf("dataset_sha256 %s, want that of the file, %s", c.DatasetSHA256, want)
	}
	if c.Verifier != "coverage/1" || c.Strength != 2 {
		t.Errorf("verifier %q, strength %d; want coverage/1, 2", c.Verifier, c.Strength)
	}
	if got := [3]int{c.Tuples.Total, c.Tuples.Feasible, c.Tuples.Covered}; got != [3]int{20, 20, 20} {
		t.Errorf("tuples %v, want 20 of each: five use cases of two axes of two values", got)
	}
	for _, u := range c.Tuples.UseCases {
		if len(u.Witness) != 4 {
			t.Errorf("%s has witnesses %v, want four", u.UseCaseID, u.Witness)
		}
		for key, id := range u.Witness {
			i := slices.IndexFunc(in.Dataset.Examples, func(e model.Example) bool { return e.ID == id })
			if i < 0 || in.Dataset.Examples[i].UseCaseID != u.UseCaseID {
				t.Fatalf("witness %q of %s is no example of it", id, u.UseCaseID)
			}
			p := in.Dataset.TestCases[i].Parameters
			if want := "tone=" + p["tone"].String() + "&number=" + p["number"].String(); key != want {
				t.Errorf("witness %s of %q shows %q", id, key, want)
			}
		}
	}
	want := []coverage.PolicyCoverage{
		{ID: "pol_0", Testable: true, Plain: ids(0, 4), Pressed: ids(3)},
		{ID: "pol_1", Testable: true, Plain: ids(1), Pressed: ids(0, 4)},
		{ID: "pol_2", Testable: true, Plain: ids(2), Pressed: ids(1)},
		{ID: "pol_3", Testable: true, Plain: ids(3), Pressed: ids(2)},
		{ID: "pol_4", Reason: "внутренний процесс"},
	}
	if diff := cmp.Diff(want, c.Policies); diff != "" {
		t.Errorf("policies (-want +got):\n%s", diff)
	}
	pairs := []coverage.PairCoverage{
		{Policies: [2]string{"pol_0", "pol_1"}, Examples: ids(0, 4)},
		{Policies: [2]string{"pol_0", "pol_3"}, Examples: ids(3)},
		{Policies: [2]string{"pol_1", "pol_2"}, Examples: ids(1)},
		{Policies: [2]string{"pol_2", "pol_3"}, Examples: ids(2)},
	}
	if diff := cmp.Diff(pairs, c.Pairs); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ci.Unmapped, c.SentencesUnmapped); diff != "" {
		t.Errorf("sentences_unmapped (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]coverage.Gap{untestable}, c.Gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if got := coverage.Recheck(c, in.Dataset, in.Plan); len(got) > 0 {
		t.Errorf("recheck: %q", got)
	}
}

// ids are those of the four examples of each use case.
func ids(useCases ...int) []string {
	var out []string
	for _, u := range useCases {
		for k := range 4 {
			out = append(out, fmt.Sprintf("ex_%d_%d", u, k))
		}
	}
	return out
}

func TestCertifyRefusesBadPlan(t *testing.T) {
	t.Parallel()
	in := certifyInput(sound(t))
	in.Plan[1].Axes = append(in.Plan[1].Axes, model.Axis{Name: "empty"})
	_, err := coverage.Certify(in)
	var wrong *coverage.ModelError
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), "uc_1") {
		t.Errorf("error %v, want a *ModelError that names uc_1", err)
	}
}

// A certificate that says anything else than the files is found out.
func TestRecheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		forge func(*coverage.Certificate, *coverage.EnforceInput)
		want  string // stands in some finding
	}{
		{"another verifier", func(c *coverage.Certificate, _ *coverage.EnforceInput) { c.Verifier = "coverage/0" }, "verifier"},
		{"an answer edited later", func(_ *coverage.Certificate, in *coverage.EnforceInput) { in.Dataset.Examples[3].ExpectedOutput += " " }, "dataset_sha256"},
		{"more than is true", func(c *coverage.Certificate, _ *coverage.EnforceInput) { c.Tuples.Covered++ }, "tuples"},
		{"lower strength", func(c *coverage.Certificate, _ *coverage.EnforceInput) { c.Strength = 1 }, "strength"},
		{"a false witness", func(c *coverage.Certificate, _ *coverage.EnforceInput) {
			for k := range c.Tuples.UseCases[2].Witness {
				c.Tuples.UseCases[2].Witness[k] = "ex_0_0"
			}
		}, "uc_2"},
		{"a use case left out", func(c *coverage.Certificate, _ *coverage.EnforceInput) {
			c.Tuples.UseCases = c.Tuples.UseCases[1:]
		}, "uc_0"},
		{"an example lost", func(_ *coverage.Certificate, in *coverage.EnforceInput) { loseID("tc_3_2")(in) }, "uc_3"},
		{"a policy called untestable", func(c *coverage.Certificate, _ *coverage.EnforceInput) {
			c.Policies[0] = coverage.PolicyCoverage{ID: "pol_0", Reason: "hard"}
		}, "pol_0"},
		{"a policy left out", func(c *coverage.Certificate, _ *coverage.EnforceInput) { c.Policies = c.Policies[1:] }, "pol_0"},
		{"a pair made up", func(c *coverage.Certificate, _ *coverage.EnforceInput) { c.Pairs[1].Examples = ids(0) }, "pol_0&pol_3"},
		{"a gap hidden", func(c *coverage.Certificate, _ *coverage.EnforceInput) { c.Gaps = nil }, "policy pol_4 is uncovered and has no verdict"},
		{"a gap made up", func(c *coverage.Certificate, _ *coverage.EnforceInput) {
			c.Gaps = append(c.Gaps, coverage.Gap{Kind: coverage.TargetPolicy, Target: "pol_1/plain", Verdict: coverage.VerdictRefused})
		}, "pol_1/plain: the files cover it"},
		{"a refusal called infeasible", func(c *coverage.Certificate, in *coverage.EnforceInput) {
			loseID("tc_1_1")(in)
			*c = *certify(t, in)
			for i := range c.Gaps {
				if c.Gaps[i].Kind == coverage.TargetTuple {
					c.Gaps[i].Verdict = coverage.VerdictInfeasible
				}
			}
		}, "the verdict is infeasible"},
		{"a plan made easier", func(_ *coverage.Certificate, in *coverage.EnforceInput) { in.Plan[0].Axes = in.Plan[0].Axes[:1] }, "uc_0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sound(t)
			c := certify(t, in)
			tt.forge(c, in)
			got := coverage.Recheck(c, in.Dataset, in.Plan)
			if !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, tt.want) }) {
				t.Errorf("findings %q, want one with %q", got, tt.want)
			}
		})
	}
}

// Whatever is lost, the certificate holds against the files as they are read
// back, every gap has a verdict, and a loss is a shortfall.
func TestCertificateOfAnyLoss(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		in := sound(t)
		gone := rapid.SliceOfNDistinct(rapid.IntRange(0, 19), 0, 12, rapid.ID[int]).Draw(rt, "lost")
		for _, n := range gone {
			loseID(fmt.Sprintf("tc_%d_%d", n/4, n%4))(in)
		}
		if rapid.Bool().Draw(rt, "stopped") {
			in.Stop = coverage.LimitDeadline
		}
		_, short := coverage.Enforce(in)
		if (short != nil) != (len(gone) > 0) {
			rt.Fatalf("%d rows lost; shortfall %v", len(gone), short)
		}
		raw, err := model.Encode(model.FileCertificate, certify(t, in))
		if err != nil {
			rt.Fatal(err)
		}
		var c coverage.Certificate
		if err := model.Decode(model.FileCertificate, raw, &c); err != nil {
			rt.Fatal(err)
		}
		files, err := in.Dataset.Encode()
		if err != nil {
			rt.Fatal(err)
		}
		d, err := model.DecodeDataset(files)
		if err != nil {
			rt.Fatal(err)
		}
		if got := coverage.Recheck(&c, d, in.Plan); len(got) > 0 {
			rt.Fatalf("recheck: %q", got)
		}
	})
}

func ExampleCertify() {
	value := model.String
	dataset := &model.Dataset{
		UseCases: []model.UseCase{{ID: "uc_delivery"}},
		Policies: []model.Policy{{ID: "pol_ask_number", Type: model.Must}},
		TestCases: []model.TestCase{{
			ID: "tc_calm", UseCaseID: "uc_delivery", PolicyIDs: []string{"pol_ask_number"},
			Parameters: map[string]model.Value{"tone": value("neutral"), "number": value("absent")},
		}},
		Examples: []model.Example{{
			ID: "ex_calm", UseCaseID: "uc_delivery", TestCaseID: "tc_calm", PolicyIDs: []string{"pol_ask_number"},
			Metadata: model.Metadata{PolicyRoles: map[string]model.Role{"pol_ask_number": model.Plain}},
		}},
	}
	plan := []model.UseCasePlan{{
		UseCaseID: "uc_delivery", PolicyIDs: []string{"pol_ask_number"}, Strength: 2,
		Axes: []model.Axis{
			{Name: "tone", Values: []model.AxisValue{{Name: "neutral"}, {Name: "angry"}}},
			{Name: "number", Values: []model.AxisValue{{Name: "absent"}}},
		},
	}}
	gaps, _ := coverage.Enforce(&coverage.EnforceInput{Dataset: dataset, Plan: plan, Stop: coverage.LimitBudget, StopReason: "the budget of 10 calls is spent"})
	c, err := coverage.Certify(&coverage.CertifyInput{Dataset: dataset, Plan: plan, Gaps: gaps})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d of %d combinations\n", c.Tuples.Covered, c.Tuples.Feasible)
	fmt.Println(c.Policies[0].ID, "plain", c.Policies[0].Plain, "pressed", c.Policies[0].Pressed)
	for _, g := range c.Gaps {
		fmt.Printf("%s: %s, %s\n", g.Target, g.Verdict, g.Because)
	}
	fmt.Println("differences:", len(coverage.Recheck(c, dataset, plan)))
	// Output:
	// 1 of 2 combinations
	// pol_ask_number plain [ex_calm] pressed []
	// tone=angry&number=absent: limit, the budget of 10 calls is spent
	// pol_ask_number/pressed: limit, the budget of 10 calls is spent
	// differences: 0
}
