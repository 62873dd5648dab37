package coverage_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// sound returns a dataset of a shop that fulfils everything, with the plan it
// was made by: five use cases of four test cases each, five policies, of which
// the last cannot be tested.
func sound(t testing.TB) *coverage.EnforceInput {
	t.Helper()
	d := &model.Dataset{}
	names := []string{"оплата", "доставка", "возврат", "отмена", "жалоба"}
	types := []model.PolicyType{model.Must, model.MustNot, model.Escalate, model.Style, model.Must}
	for i, n := range names {
		d.UseCases = append(d.UseCases, model.UseCase{ID: fmt.Sprintf("uc_%d", i), Case: model.CaseSupportBot, Name: n})
		d.Policies = append(d.Policies, model.Policy{ID: fmt.Sprintf("pol_%d", i), Case: model.CaseSupportBot, Type: types[i], Statement: "Правило: " + n})
	}
	no := false
	d.Policies[4].Testable, d.Policies[4].UntestableReason = &no, "внутренний процесс"
	axes := []model.Axis{axis("tone", "neutral", "angry"), axis("number", "present", "absent")}
	sources := []model.Source{model.SourceTickets, model.SourceFAQParaphrase, model.SourceCorner}
	var plan []model.UseCasePlan
	for i := range d.UseCases {
		up := model.UseCasePlan{
			UseCaseID: d.UseCases[i].ID, Axes: axes, Strength: 2,
			PolicyIDs: []string{fmt.Sprintf("pol_%d", i%4), fmt.Sprintf("pol_%d", (i+1)%4)},
		}
		a := build(t, &coverage.Model{Axes: axes, Strength: 2})
		for k := range a.Rows {
			r := model.Row{
				ID: fmt.Sprintf("%s/%d", up.UseCaseID, k+1), UseCaseID: up.UseCaseID, Axes: a.Axes, Parameters: map[string]model.Value{},
				PolicyIDs: up.PolicyIDs, Roles: map[string]model.Role{up.PolicyIDs[0]: model.Plain, up.PolicyIDs[1]: model.Pressed},
				Format: model.SingleTurnQA, Source: sources[(i+k)%3], Examples: 1,
			}
			for n, v := range a.Row(k) {
				r.Parameters[n] = model.String(v)
			}
			up.Rows = append(up.Rows, r)
			id := fmt.Sprintf("%d_%d", i, k)
			d.TestCases = append(d.TestCases, model.TestCase{
				ID: "tc_" + id, Case: model.CaseSupportBot, UseCaseID: r.UseCaseID, Parameters: maps.Clone(r.Parameters), Axes: r.Axes, PolicyIDs: r.PolicyIDs,
			})
			d.Examples = append(d.Examples, model.Example{
				ID: "ex_" + id, Case: model.CaseSupportBot, UseCaseID: r.UseCaseID, TestCaseID: "tc_" + id, Format: r.Format,
				Input:          model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: "Где заказ " + id + "?"}}},
				ExpectedOutput: "Уточните номер заказа.", EvaluationCriteria: []string{"просит номер", "без выдумок", "вежливо"}, PolicyIDs: r.PolicyIDs,
				Metadata: model.Metadata{Generator: "rules", Source: r.Source, PolicyRoles: maps.Clone(r.Roles)},
			})
		}
		plan = append(plan, up)
	}
	return &coverage.EnforceInput{Dataset: d, Plan: plan, Profile: model.SupportBot()}
}

// lose removes the test cases that match, with their examples.
func lose(d *model.Dataset, match func(*model.TestCase) bool) {
	gone := make(map[string]bool)
	d.TestCases = slices.DeleteFunc(d.TestCases, func(tc model.TestCase) bool {
		gone[tc.ID] = match(&tc)
		return gone[tc.ID]
	})
	d.Examples = slices.DeleteFunc(d.Examples, func(e model.Example) bool { return gone[e.TestCaseID] })
}

func loseID(id string) func(*coverage.EnforceInput) {
	return func(in *coverage.EnforceInput) {
		lose(in.Dataset, func(tc *model.TestCase) bool { return tc.ID == id })
	}
}

// untestable is the one gap of the sound dataset.
var untestable = coverage.Gap{Kind: coverage.TargetPolicy, Target: "pol_4", Verdict: coverage.VerdictUntestable, Because: "внутренний процесс"}

func TestEnforceSound(t *testing.T) {
	t.Parallel()
	in := sound(t)
	gaps, short := coverage.Enforce(in)
	if short != nil {
		t.Errorf("shortfall of a sound dataset: %v", short)
	}
	if diff := cmp.Diff([]coverage.Gap{untestable}, gaps); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(sound(t), in, cmp.AllowUnexported(model.Value{})); diff != "" {
		t.Errorf("the input was changed:\n%s", diff)
	}
}

func TestEnforceShortfalls(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(*coverage.EnforceInput)
		want  []string // shortfalls
	}{
		{"a row that was refused", func(in *coverage.EnforceInput) {
			loseID("tc_0_1")(in)
			in.Refused = []model.Refusal{
				{Row: "uc_0/2", Check: "language", Reason: "first try"},
				{Row: "uc_0/2", Check: "grounding", Reason: "the phone number 123 stands nowhere"},
				{Row: "uc_0/1", Check: "language", Reason: "repaired"},
			}
		}, []string{"test cases of uc_0: 3 of 4 (uc_0/2 refused: grounding: the phone number 123 stands nowhere)"}},
		{"a row that nobody made", loseID("tc_0_1"), []string{"test cases of uc_0: 3 of 4 (uc_0/2 refused: no generator made it)"}},
		{"a row the budget cut off", func(in *coverage.EnforceInput) {
			loseID("tc_0_1")(in)
			in.Stop, in.StopReason = coverage.LimitBudget, "500 calls are spent"
		}, []string{"test cases of uc_0: 3 of 4 (uc_0/2 limit: 500 calls are spent)"}},
		{"a row the deadline cut off", func(in *coverage.EnforceInput) {
			loseID("tc_0_1")(in)
			in.Stop = coverage.LimitDeadline
		}, []string{"test cases of uc_0: 3 of 4 (uc_0/2 limit: the deadline ended the run)"}},
		{"two rows for one test case", func(in *coverage.EnforceInput) {
			in.Plan[0].Rows[1].Parameters = in.Plan[0].Rows[0].Parameters
			loseID("tc_0_1")(in)
		}, []string{
			"combinations of values of uc_0: 3 of 4 (tone=*&number=*: no row was planned for it)",
			"test cases of uc_0: 3 of 4 (uc_0/2 refused: no generator made it)",
		}},
		{"another test case in its place", func(in *coverage.EnforceInput) {
			in.Dataset.TestCases[1].Parameters["tone"] = model.String("mocking")
		}, []string{"planned test cases of uc_0: 3 of 4 (uc_0/2 refused: no generator made it)"}},
		{"a test case without example", func(in *coverage.EnforceInput) {
			in.Dataset.Examples = in.Dataset.Examples[1:]
		}, []string{"test cases of uc_0: 3 of 4 (uc_0/1 refused: no generator made it)", "examples of tc_0_0: 0 of 1 (fewer passed the checks)"}},
		{
			"fewer examples than planned", func(in *coverage.EnforceInput) { in.Plan[0].Rows[0].Examples = 2 },
			[]string{"examples of tc_0_0: 1 of 2 (fewer passed the checks)"},
		},
		{"fewer examples than asked", func(in *coverage.EnforceInput) {
			in.Counts.ExamplesPerTestCase = 2
			in.Dataset.TestCases = in.Dataset.TestCases[:4]
			in.Dataset.Examples = in.Dataset.Examples[:4]
			in.Dataset.UseCases = in.Dataset.UseCases[:1]
			in.Dataset.Policies = nil
			in.Plan = in.Plan[:1]
			in.Minimums = coverage.Minimums{UseCases: -1, Policies: -1, PolicyTypes: -1}
			in.Dataset.Examples = append(in.Dataset.Examples, in.Dataset.Examples[:3]...)
		}, []string{"examples of tc_0_3: 1 of 2 (fewer passed the checks)"}},
		{"a use case that is gone", func(in *coverage.EnforceInput) {
			lose(in.Dataset, func(tc *model.TestCase) bool { return tc.UseCaseID == "uc_4" })
			in.Dataset.UseCases = in.Dataset.UseCases[:4]
		}, []string{"use cases: 4 of 5 (the documents hold no more)", "test cases of uc_4: 0 of 4 (uc_4/1 refused: no generator made it)"}},
		{
			"fewer use cases than asked", func(in *coverage.EnforceInput) { in.Counts.UseCases = 7 },
			[]string{"use cases: 5 of 7 (the documents hold no more)"},
		},
		{"fewer test cases than asked", func(in *coverage.EnforceInput) {
			in.Counts.TestCasesPerUseCase = 5
			in.Dataset.UseCases, in.Plan = in.Dataset.UseCases[:1], in.Plan[:1]
			lose(in.Dataset, func(tc *model.TestCase) bool { return tc.UseCaseID != "uc_0" })
			in.Dataset.Policies = nil
			in.Minimums = coverage.Minimums{UseCases: -1, Policies: -1, PolicyTypes: -1}
		}, []string{"test cases of uc_0: 4 of 5 (no more were planned)"}},
		{"few policies of one type", func(in *coverage.EnforceInput) {
			in.Dataset.Policies = in.Dataset.Policies[:4]
			for i := range in.Dataset.Policies {
				in.Dataset.Policies[i].Type = model.Must
			}
		}, []string{"policies: 4 of 5 (the documents state no more)", "types of policy: 1 of 2 (the documents state no other)"}},
		{"no pressed example", func(in *coverage.EnforceInput) {
			for i := range in.Dataset.Examples {
				delete(in.Dataset.Examples[i].Metadata.PolicyRoles, "pol_2")
			}
		}, []string{
			"plain examples of pol_2: 0 of 1 (the example made for it does not show it)",
			"pressed examples of pol_2: 0 of 1 (the example made for it does not show it)",
		}},
		{"a role of a policy that is not cited", func(in *coverage.EnforceInput) {
			for i := range in.Dataset.Examples {
				if e := &in.Dataset.Examples[i]; e.Metadata.PolicyRoles["pol_2"] == model.Pressed {
					e.PolicyIDs = []string{"pol_1"}
				}
			}
		}, []string{"pressed examples of pol_2: 0 of 1 (the example made for it does not show it)"}},
		{"a policy of no use case", func(in *coverage.EnforceInput) {
			in.Dataset.Policies = append(in.Dataset.Policies, model.Policy{ID: "pol_new"})
		}, []string{"plain examples of pol_new: 0 of 1 (no row was planned for it)", "pressed examples of pol_new: 0 of 1 (no row was planned for it)"}},
		{"two criteria, one twice", func(in *coverage.EnforceInput) {
			in.Dataset.Examples[0].EvaluationCriteria = []string{"просит номер", "вежливо", " вежливо", "  "}
		}, []string{"distinct criteria of ex_0_0: 2 of 3 (the example was accepted with fewer)"}},
		{"no policy", func(in *coverage.EnforceInput) {
			in.Dataset.Examples[0].PolicyIDs = nil
			in.Dataset.TestCases[0].PolicyIDs = nil
		}, []string{"policies of tc_0_0: 0 of 1 (the test case was accepted with fewer)", "policies of ex_0_0: 0 of 1 (the example was accepted with fewer)"}},
		{
			"one axis", func(in *coverage.EnforceInput) { in.Dataset.TestCases[0].Axes = []string{"tone", "tone", "unheard"} },
			[]string{"axes of tc_0_0: 1 of 2 (each axis must be a key of parameters)"},
		},
		{"four axes", func(in *coverage.EnforceInput) {
			tc := &in.Dataset.TestCases[0]
			tc.Parameters["x"], tc.Parameters["y"] = model.Number(1), model.Bool(true)
			tc.Axes = []string{"tone", "number", "x", "y"}
		}, []string{"axes at most of tc_0_0: 4 of 3 (the test case was accepted with more)"}},
		{"a source that was planned", func(in *coverage.EnforceInput) {
			for i := range in.Dataset.Examples {
				if in.Dataset.Examples[i].Metadata.Source == model.SourceCorner {
					in.Dataset.Examples[i].Metadata.Source = model.SourceTickets
				}
			}
		}, []string{"examples of source corner: 0 of 1 (the example made for it has another source)"}},
		{"a format that was not planned", func(in *coverage.EnforceInput) {
			in.Profile.Formats = append(in.Profile.Formats, model.FormatProfile{Format: "letter"})
		}, []string{"examples of format letter: 0 of 1 (no row was planned for it)"}},
		{"a combination that was not planned", func(in *coverage.EnforceInput) {
			in.Plan[0].Rows = in.Plan[0].Rows[:3]
			loseID("tc_0_3")(in)
		}, []string{"combinations of values of uc_0: 3 of 4 (tone=*&number=*: no row was planned for it)"}},
		{"nothing at all", func(in *coverage.EnforceInput) {
			*in = coverage.EnforceInput{}
		}, []string{"use cases: 0 of 5 (the documents hold no more)", "policies: 0 of 5 (the documents state no more)", "types of policy: 0 of 2 (the documents state no other)"}},
		{
			"a plan that makes no sense", func(in *coverage.EnforceInput) {
				in.Plan[0].Constraints = []model.Constraint{{If: map[string]string{"x": "y"}}}
			},
			[]string{"sound plans of uc_0: 0 of 1 (coverage: Constraints[0]: the constraint has no name to blame)"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sound(t)
			tt.spoil(in)
			_, short := coverage.Enforce(in)
			if short == nil {
				t.Fatal("no shortfall")
			}
			got := strings.Split(strings.TrimSuffix(short.Details(), "\n"), "\n")
			for i, g := range got { // which combination is lost depends on the array
				if head, tail, ok := strings.Cut(g, "tone="); ok {
					_, tail, _ = strings.Cut(tail, ":")
					got[i] = head + "tone=*&number=*:" + tail
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("shortfalls (-want +got):\n%s", diff)
			}
		})
	}
}

// What cannot be, and what the caller's own count leaves out, is told and is no
// failure.
func TestEnforceGapsThatAreNoFailure(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(*coverage.EnforceInput)
		want  []coverage.Gap // beside the untestable policy
	}{
		{"a source the documents lack", func(in *coverage.EnforceInput) {
			for i := range in.Dataset.Examples {
				in.Dataset.Examples[i].Metadata.Source = model.SourceCorner
			}
			in.Sources = []model.Source{model.SourceCorner}
		}, []coverage.Gap{
			{Kind: coverage.TargetSource, Target: "tickets", Verdict: coverage.VerdictInfeasible, Because: "the documents have none"},
			{Kind: coverage.TargetSource, Target: "faq_paraphrase", Verdict: coverage.VerdictInfeasible, Because: "the documents have none"},
		}},
		{"a contradiction", func(in *coverage.EnforceInput) {
			for i := range in.Dataset.Examples {
				delete(in.Dataset.Examples[i].Metadata.PolicyRoles, "pol_2")
			}
			in.Contradictions = []coverage.Contradiction{{PolicyIDs: []string{"pol_0", "pol_2"}, Because: "14 или 30 дней"}}
		}, []coverage.Gap{
			{Kind: coverage.TargetPolicy, Target: "pol_2/plain", Verdict: coverage.VerdictContradiction, Because: "14 или 30 дней"},
			{Kind: coverage.TargetPolicy, Target: "pol_2/pressed", Verdict: coverage.VerdictContradiction, Because: "14 или 30 дней"},
			{Kind: coverage.TargetPair, Target: "pol_0&pol_2", Verdict: coverage.VerdictContradiction, Because: "14 или 30 дней"},
		}},
		{"a count", func(in *coverage.EnforceInput) {
			in.Counts.TestCasesPerUseCase = 3
			lose(in.Dataset, func(tc *model.TestCase) bool { return strings.HasSuffix(tc.ID, "_3") })
			for i := range in.Plan {
				in.Plan[i].Rows = in.Plan[i].Rows[:3]
			}
			in.Dataset.Policies[3].Testable = in.Dataset.Policies[4].Testable
			in.Dataset.Policies[3].UntestableReason = "тоже"
			in.Dataset.Policies = append(in.Dataset.Policies, model.Policy{ID: "pol_new"})
		}, []coverage.Gap{
			{Kind: coverage.TargetTuple, Target: "*", UseCaseID: "uc_0", Verdict: coverage.VerdictLimit, Limit: coverage.LimitCount, Because: "the number asked for leaves no room for it"},
			{Kind: coverage.TargetTuple, Target: "*", UseCaseID: "uc_1", Verdict: coverage.VerdictLimit, Limit: coverage.LimitCount, Because: "the number asked for leaves no room for it"},
			{Kind: coverage.TargetTuple, Target: "*", UseCaseID: "uc_2", Verdict: coverage.VerdictLimit, Limit: coverage.LimitCount, Because: "the number asked for leaves no room for it"},
			{Kind: coverage.TargetTuple, Target: "*", UseCaseID: "uc_3", Verdict: coverage.VerdictLimit, Limit: coverage.LimitCount, Because: "the number asked for leaves no room for it"},
			{Kind: coverage.TargetTuple, Target: "*", UseCaseID: "uc_4", Verdict: coverage.VerdictLimit, Limit: coverage.LimitCount, Because: "the number asked for leaves no room for it"},
			{Kind: coverage.TargetPolicy, Target: "pol_3", Verdict: coverage.VerdictUntestable, Because: "тоже"},
			untestable,
			{Kind: coverage.TargetPolicy, Target: "pol_new/plain", Verdict: coverage.VerdictLimit, Limit: coverage.LimitCount, Because: "the number asked for leaves no room for it"},
			{Kind: coverage.TargetPolicy, Target: "pol_new/pressed", Verdict: coverage.VerdictLimit, Limit: coverage.LimitCount, Because: "the number asked for leaves no room for it"},
		}},
		{"a constraint", func(in *coverage.EnforceInput) {
			in.Plan[1].Constraints = []model.Constraint{{Name: "calm", If: map[string]string{"number": "present"}, Then: map[string][]string{"tone": {"neutral"}}}}
			hot := map[string]model.Value{"tone": model.String("angry"), "number": model.String("present")}
			in.Plan[1].Rows = slices.DeleteFunc(in.Plan[1].Rows, func(r model.Row) bool { return maps.Equal(r.Parameters, hot) })
			lose(in.Dataset, func(tc *model.TestCase) bool { return tc.UseCaseID == "uc_1" && maps.Equal(tc.Parameters, hot) })
		}, []coverage.Gap{
			{Kind: coverage.TargetTuple, Target: "tone=angry&number=present", UseCaseID: "uc_1", Verdict: coverage.VerdictInfeasible, Because: "calm"},
		}},
		{"pressed examples not asked for", func(in *coverage.EnforceInput) {
			in.Minimums.AllowUnpressed = true
			for i := range in.Dataset.Examples {
				in.Dataset.Examples[i].Metadata.PolicyRoles = map[string]model.Role{in.Dataset.Examples[i].PolicyIDs[0]: model.Plain}
			}
		}, []coverage.Gap{
			{Kind: coverage.TargetPolicy, Target: "pol_0/pressed", UseCaseID: "uc_3", Verdict: coverage.VerdictRefused, Because: "the example made for it does not show it"},
			{Kind: coverage.TargetPolicy, Target: "pol_1/pressed", UseCaseID: "uc_0", Verdict: coverage.VerdictRefused, Because: "the example made for it does not show it"},
			{Kind: coverage.TargetPolicy, Target: "pol_2/pressed", UseCaseID: "uc_1", Verdict: coverage.VerdictRefused, Because: "the example made for it does not show it"},
			{Kind: coverage.TargetPolicy, Target: "pol_3/pressed", UseCaseID: "uc_2", Verdict: coverage.VerdictRefused, Because: "the example made for it does not show it"},
		}},
		{"minimums switched off", func(in *coverage.EnforceInput) {
			in.Minimums = coverage.Minimums{
				UseCases: -1, Policies: -1, PolicyTypes: -1, TestCasesPerUseCase: -1, ExamplesPerTestCase: -1, CriteriaPerExample: -1, PoliciesPerExample: -1,
				MinAxes: -1, MaxAxes: -1, AllowMissingFormats: true, AllowMissingSources: true, AllowUnpressed: true,
			}
			in.Plan = nil
			in.Dataset = &model.Dataset{UseCases: in.Dataset.UseCases[:1], TestCases: []model.TestCase{{ID: "tc_x", UseCaseID: "uc_0"}}, Examples: []model.Example{{ID: "ex_x"}}}
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sound(t)
			tt.spoil(in)
			gaps, short := coverage.Enforce(in)
			if short != nil {
				t.Errorf("shortfall: %v", short)
			}
			for i := range gaps {
				if gaps[i].Limit == coverage.LimitCount && gaps[i].Kind == coverage.TargetTuple {
					gaps[i].Target = "*" // which one is lost depends on the array
				}
			}
			want := tt.want
			if len(in.Dataset.Policies) == 5 && !slices.Contains(want, untestable) {
				// It stands behind the tuples and the other policies, before the rest.
				at := slices.IndexFunc(want, func(g coverage.Gap) bool { return g.Kind != coverage.TargetPolicy && g.Kind != coverage.TargetTuple })
				if at < 0 {
					at = len(want)
				}
				want = slices.Insert(slices.Clone(want), at, untestable)
			}
			if diff := cmp.Diff(want, gaps); diff != "" {
				t.Errorf("gaps (-want +got):\n%s", diff)
			}
		})
	}
}

// A lost row takes its verdict to all that hung on it.
func TestEnforceVerdictOfLostRow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		set  func(*coverage.EnforceInput)
		want coverage.Gap
	}{
		{"refused", func(in *coverage.EnforceInput) {
			in.Refused = []model.Refusal{{Row: "uc_2/1", Check: "voice", Reason: "speaks of the customer"}}
		}, coverage.Gap{Verdict: coverage.VerdictRefused, Because: "voice: speaks of the customer"}},
		{
			"budget", func(in *coverage.EnforceInput) { in.Stop, in.StopReason = coverage.LimitBudget, "2 USD are spent" },
			coverage.Gap{Verdict: coverage.VerdictLimit, Limit: coverage.LimitBudget, Because: "2 USD are spent"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := sound(t)
			loseID("tc_2_0")(in)
			tt.set(in)
			gaps, short := coverage.Enforce(in)
			kinds := make(map[coverage.Target]bool)
			for _, g := range gaps {
				if g == untestable {
					continue
				}
				kinds[g.Kind] = true
				if g.UseCaseID != "uc_2" || g.Verdict != tt.want.Verdict || g.Limit != tt.want.Limit || g.Because != tt.want.Because {
					t.Errorf("gap %+v, want the verdict of %+v", g, tt.want)
				}
				if !g.Failure() {
					t.Errorf("gap %+v is no failure", g)
				}
			}
			if !kinds[coverage.TargetRow] || !kinds[coverage.TargetTuple] {
				t.Errorf("gaps %+v, want the row and its combination", gaps)
			}
			if short == nil || len(short.Shortfalls) != 1 {
				t.Errorf("shortfall %v, want one line for one lost row", short)
			}
		})
	}
}

// What a run without a model cannot make is told and is no failure, but it
// excuses nothing else.
func TestEnforceInfeasibleWithoutModel(t *testing.T) {
	t.Parallel()
	in := sound(t)
	loseID("tc_2_0")(in)
	in.Infeasible = map[string]string{"uc_2/1": "no sentence is angry"}
	gaps, short := coverage.Enforce(in)
	if short != nil {
		t.Errorf("shortfall: %v", short)
	}
	var got []coverage.Target
	for _, g := range gaps {
		if g.Limit == coverage.LimitModel && g.Verdict == coverage.VerdictInfeasible && g.Because == "no sentence is angry" {
			got = append(got, g.Kind)
		}
	}
	if diff := cmp.Diff([]coverage.Target{coverage.TargetRow, coverage.TargetTuple}, got); diff != "" {
		t.Errorf("kinds of gap (-want +got):\n%s", diff)
	}
	if found := coverage.Recheck(certify(t, in), in.Dataset, in.Plan); len(found) > 0 {
		t.Errorf("recheck: %q", found)
	}

	loseID("tc_2_1")(in)
	loseID("tc_2_2")(in)
	in.Refused = []model.Refusal{{Row: "uc_2/2", Check: "voice", Reason: "third person"}}
	in.Infeasible["uc_2/3"] = "no sentence is angry"
	_, short = coverage.Enforce(in)
	if want := "test cases of uc_2: 1 of 3 (uc_2/2 refused: voice: third person)\n"; short == nil || short.Details() != want {
		t.Errorf("shortfall %v, want %q: the minimum holds all the same", short, want)
	}
}

// A failure is not hidden behind another row that could not be made.
func TestEnforceFailureBeforeInfeasible(t *testing.T) {
	t.Parallel()
	in := sound(t)
	lose(in.Dataset, func(tc *model.TestCase) bool { return tc.UseCaseID == "uc_1" }) // the only ones that press pol_2
	in.Infeasible = map[string]string{"uc_1/1": "no model"}
	gaps, _ := coverage.Enforce(in)
	i := slices.IndexFunc(gaps, func(g coverage.Gap) bool { return g.Target == "pol_2/pressed" })
	if i < 0 || gaps[i].Verdict != coverage.VerdictRefused {
		t.Errorf("gaps %+v, want pol_2/pressed as refused", gaps)
	}
}

func TestShortfallError(t *testing.T) {
	t.Parallel()
	var err error = &coverage.ShortfallError{Shortfalls: []coverage.Shortfall{
		{What: "use cases", Have: 2, Want: 5, Why: "the documents hold no more"},
		{What: "test cases", Where: "uc_a", Have: 1, Want: 3, Why: "uc_a/2 refused:\nlanguage"},
		{What: "policies", Have: 1, Want: 5, Why: "x"},
		{What: "axes", Where: "tc_a", Have: 1, Want: 2, Why: "y"},
	}}
	want := "coverage: shortfall: use cases: 2 of 5 (the documents hold no more); test cases of uc_a: 1 of 3 (uc_a/2 refused: language); policies: 1 of 5 (x); and 1 more"
	if err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
	var short *coverage.ShortfallError
	if !errors.As(fmt.Errorf("run: %w", err), &short) || strings.Count(short.Details(), "\n") != 4 {
		t.Errorf("details %q, want four lines", short.Details())
	}
}
