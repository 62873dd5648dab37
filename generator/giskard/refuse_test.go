package giskard_test

import (
	"errors"
	"testing"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/model"
)

// What is missing is told by a typed error that names it.
func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	run, err := giskard.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := model.ParseMarkdown("a.md", []byte("We open at nine."), nil)
	if err != nil {
		t.Fatal(err)
	}
	made := func(in *giskard.Input) error { _, err := giskard.Build(t.Context(), in, nil); return err }
	dry := func(in *giskard.Input) error { _, err := giskard.DryRun(t.Context(), in, 5, nil); return err }
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"no input", made(nil), "Input"},
		{"no input in a dry run", dry(nil), "Input"},
		{"no client", made(&giskard.Input{Documents: []*model.Document{doc}}), "Input.Model"},
		{"a nil document", made(&giskard.Input{Model: &fake{}, Documents: []*model.Document{nil}}), "Input.Documents"},
		{"a nil document among others", made(&giskard.Input{Model: &fake{}, Documents: []*model.Document{doc, nil}}), "Input.Documents"},
		{"a nil document in a dry run", dry(&giskard.Input{Documents: []*model.Document{nil}}), "Input.Documents"},
		{"documents and rows", made(&giskard.Input{Model: &fake{}, Documents: []*model.Document{doc}, Rows: []giskard.Row{{Text: "x"}}}), "Input"},
		{"no client in a run", func() error { _, err := run.Generate(t.Context(), &generator.Call{}); return err }(), "Call.Model"},
	} {
		var option *giskard.OptionError
		if !errors.As(tt.err, &option) || option.Option != tt.want {
			t.Errorf("%s: error %v, want an *OptionError of %s", tt.name, tt.err, tt.want)
		}
	}
	if err := made(&giskard.Input{Model: &fake{}}); !errors.Is(err, giskard.ErrEmpty) {
		t.Errorf("nothing to make a base of: error %v, want ErrEmpty", err)
	}
}

// The estimate of a base is used as it comes, without a variable.
func TestEstimateOfAValue(t *testing.T) {
	t.Parallel()
	kb := build(t, &giskard.Input{Rows: []giskard.Row{{Text: "Parcels carry a two-year warranty."}}, Model: &fake{}}, nil)
	if n, e := kb.Estimate(12).Calls(), kb.Estimate(12); n == 0 || n != e.Questions+e.Rewrites+e.Absence+e.Answers+e.Checks {
		t.Errorf("%d calls of %+v", n, e)
	}
}
