package coverage_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

func TestCheckIntegrity(t *testing.T) {
	t.Parallel()
	type found struct {
		File     model.File
		ID, Rule string
	}
	for _, tt := range []struct {
		name  string
		spoil func(*model.Dataset)
		want  []found
	}{
		{"sound", func(*model.Dataset) {}, nil},
		{"empty", func(d *model.Dataset) { *d = model.Dataset{} }, nil},
		{"two cases in a run", func(d *model.Dataset) {
			d.UseCases[4].Case = model.CaseOperatorQuality
			d.Policies[2].Case = model.CaseOperatorQuality
			lose(d, func(tc *model.TestCase) bool { return tc.UseCaseID == "uc_4" })
		}, []found{{model.FileUseCases, "uc_4", coverage.RuleCase}, {model.FilePolicies, "pol_2", coverage.RuleCase}}},
		{"case of a test case and an example", func(d *model.Dataset) {
			d.TestCases[3].Case, d.Examples[5].Case = "booking", "booking"
		}, []found{{model.FileTestCases, "tc_0_3", coverage.RuleCase}, {model.FileDataset, "ex_1_1", coverage.RuleCase}}},
		{
			"unknown use case", func(d *model.Dataset) { d.TestCases[0].UseCaseID = "uc_x" },
			[]found{{model.FileTestCases, "tc_0_0", coverage.RuleUseCaseLink}, {model.FileDataset, "ex_0_0", coverage.RuleSameUseCase}},
		},
		{
			"use case of another test case", func(d *model.Dataset) { d.Examples[0].UseCaseID = "uc_3" },
			[]found{{model.FileDataset, "ex_0_0", coverage.RuleSameUseCase}},
		},
		{
			"unknown test case", func(d *model.Dataset) { d.Examples[0].TestCaseID = "tc_x" },
			[]found{{model.FileTestCases, "tc_0_0", coverage.RuleNoExample}, {model.FileDataset, "ex_0_0", coverage.RuleTestCaseLink}},
		},
		{
			"unknown policy", func(d *model.Dataset) {
				d.TestCases[0].PolicyIDs = append([]string{"pol_unknown"}, d.TestCases[0].PolicyIDs...)
			},
			[]found{{model.FileTestCases, "tc_0_0", coverage.RulePolicyLink}},
		},
		{
			"policy that the test case lacks", func(d *model.Dataset) { d.Examples[0].PolicyIDs = []string{"pol_0", "pol_1", "pol_3"} },
			[]found{{model.FileDataset, "ex_0_0", coverage.RulePolicySubset}},
		},
		{"roles", func(d *model.Dataset) {
			d.Examples[0].Metadata.PolicyRoles = map[string]model.Role{"pol_3": model.Plain, "pol_0": "shouted"}
		}, []found{{model.FileDataset, "ex_0_0", coverage.RulePolicyRoles}, {model.FileDataset, "ex_0_0", coverage.RulePolicyRoles}}},
		{"no roles", func(d *model.Dataset) { d.Examples[0].Metadata.PolicyRoles = nil }, nil},
		{
			"no example", func(d *model.Dataset) { d.Examples = d.Examples[1:] },
			[]found{{model.FileTestCases, "tc_0_0", coverage.RuleNoExample}},
		},
		{
			"same parameters", func(d *model.Dataset) { d.TestCases[2].Parameters = d.TestCases[0].Parameters },
			[]found{{model.FileTestCases, "tc_0_2", coverage.RuleSameParameter}},
		},
		{"same parameters in two use cases", func(d *model.Dataset) {
			d.TestCases[4].Parameters = d.TestCases[0].Parameters
			d.TestCases[5].Parameters["x"] = model.Bool(true)
		}, nil},
		{"number and its text", func(d *model.Dataset) {
			d.TestCases[0].Parameters["n"], d.TestCases[1].Parameters["n"] = model.Number(1), model.String("1")
			d.TestCases[1].Parameters["tone"] = d.TestCases[0].Parameters["tone"]
			d.TestCases[1].Parameters["number"] = d.TestCases[0].Parameters["number"]
		}, nil},
		{"one axis that varies", func(d *model.Dataset) {
			for i := range 4 {
				d.TestCases[i].Parameters["tone"] = model.String("angry")
				d.TestCases[i].Parameters["step"] = model.Number(float64(i)) // no axis
			}
		}, []found{{model.FileUseCases, "uc_0", coverage.RuleAxesVary}}},
		{"one test case", func(d *model.Dataset) {
			lose(d, func(tc *model.TestCase) bool { return tc.UseCaseID == "uc_0" && tc.ID != "tc_0_0" })
		}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := sound(t).Dataset
			tt.spoil(d)
			var got []found
			for _, v := range coverage.CheckIntegrity(d) {
				if v.Message == "" {
					t.Errorf("no message: %+v", v)
				}
				got = append(got, found{v.File, v.ID, v.Rule})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("violations (-want +got):\n%s", diff)
			}
		})
	}
}
