package giskard_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
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

// Parts of a test set go through their stages side by side; the calls of all of
// them together are bounded.
func TestTestset_atOnce(t *testing.T) {
	t.Parallel()
	var rows []giskard.Row
	for i := range 30 {
		rows = append(rows, giskard.Row{Text: fmt.Sprintf("Locker %d keeps a parcel of street %d for %d days.", i, i*7, i+2)})
	}
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		active, most := 0, 0
		f := &fake{}
		slow := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
			mu.Lock()
			active++
			most = max(most, active)
			mu.Unlock()
			time.Sleep(time.Second) // of the bubble
			mu.Lock()
			active--
			mu.Unlock()
			return f.Complete(ctx, req)
		})
		kb := build(t, &giskard.Input{Rows: rows, Model: slow}, &giskard.Options{Batch: 1, Concurrency: 3, Weights: giskard.Weights{giskard.Simple: 1}})
		if _, err := kb.Testset(t.Context(), 20); err != nil {
			t.Fatal(err)
		}
		if most != 3 {
			t.Errorf("%d calls at once, want 3", most)
		}
	})
}
