package model_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/model"
)

func TestProfiles(t *testing.T) {
	t.Parallel()
	for _, profile := range []func() *model.Profile{model.SupportBot, model.OperatorQuality} {
		p := profile()
		if diff := cmp.Diff(p, profile()); diff != "" {
			t.Errorf("%s differs from call to call: %s", p.Case, diff)
		}
		p.Axes[0].Values[0].Name = "changed"
		if profile().Axes[0].Values[0].Name == "changed" {
			t.Errorf("%s: two calls share their axes", p.Case)
		}
		seen := map[string]bool{}
		for _, a := range p.Axes {
			if a.Name == "" || a.Rule == "" || len(a.Values) < 2 || seen[a.Name] {
				t.Errorf("%s: axis %+v", p.Case, a)
			}
			seen[a.Name] = true
		}
		for _, f := range p.Formats {
			if got, ok := p.Format(f.Format); !ok || !cmp.Equal(got, f) {
				t.Errorf("Format(%s) = %+v, %v", f.Format, got, ok)
			}
			if !slices.Contains(f.Roles, f.First) || !slices.Contains(f.Roles, f.Last) || f.MaxTurn != 0 && f.MaxTurn < f.MinTurn {
				t.Errorf("format %+v contradicts itself", f)
			}
		}
		if _, ok := p.Format("no such"); ok {
			t.Error("an unknown format is found")
		}
		if _, ok := p.Axis("no such"); ok {
			t.Error("an unknown axis is found")
		}
	}
	if !model.SupportBot().HasSource(model.SourceTickets) || model.OperatorQuality().HasSource(model.SourceTickets) {
		t.Error("sources: tickets belong to support only")
	}
	var none *model.Profile
	if _, ok := none.Format(model.SingleTurnQA); ok || none.HasSource("") {
		t.Error("a nil profile has something")
	}
}
