package deepeval_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/model"
)

// What is missing is told before any call, by a typed error that names it and
// the remedy.
func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Contexts.MinPerDocument = 5 })
	run, err := deepeval.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	doc := parse(t, "a.md", "We open at nine.")
	for _, tt := range []struct {
		name string
		do   func() error
		want string // field of a *ConfigError; empty for a *NoContextError
		says []string
	}{
		{"no client", func() error { _, err := deepeval.NewSynthesizer(nil); return err }, "Client", nil},
		{"no client in a run", func() error { _, err := run.Generate(t.Context(), &generator.Call{}); return err }, "Call.Model", nil},
		{"no file system", func() error { return second(s.FromFiles(t.Context(), nil, []string{"a"}, nil)) }, "files", []string{"os.DirFS"}},
		{"a nil document", func() error { return second(s.FromDocuments(t.Context(), []*model.Document{doc, nil}, nil)) }, "docs", []string{"number 2 is nil"}},
		{"no documents", func() error { return second(s.FromDocuments(t.Context(), nil, nil)) }, "", []string{"no text was given", "give documents or contexts"}},
		{"no contexts", func() error { return second(s.FromContexts(t.Context(), nil, nil)) }, "", []string{"no text was given", "give documents or contexts"}},
		{"no files", func() error { return second(s.FromFiles(t.Context(), fstest.MapFS{}, nil, nil)) }, "", []string{"no text was given"}},
		{"no text", func() error {
			return second(s.FromDocuments(t.Context(), []*model.Document{parse(t, "e.md", "<!-- nothing -->")}, nil))
		}, "", []string{"e.md", "there is no text"}},
		{"a short document", func() error { return second(s.FromDocuments(t.Context(), []*model.Document{doc}, nil)) }, "", []string{"a.md", "fewer than the 5 of Contexts.MinPerDocument", "lower it"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.do()
			var config *deepeval.ConfigError
			var none *deepeval.NoContextError
			switch {
			case tt.want != "" && (!errors.As(err, &config) || config.Field != tt.want || config.Remedy == ""):
				t.Fatalf("error %v, want a *ConfigError of %s", err, tt.want)
			case tt.want == "" && !errors.As(err, &none):
				t.Fatalf("error %v, want a *NoContextError", err)
			}
			for _, part := range tt.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q, want it to say %q", err, part)
				}
			}
			if strings.Contains(err.Error(), ": :") {
				t.Errorf("error %q names nothing", err)
			}
		})
	}
	t.Cleanup(func() {
		if len(f.log) > 0 {
			t.Errorf("the model was asked %d times", len(f.log))
		}
	})
}

// Fewer goldens than documents: those of no context are left alone.
func TestFewerGoldensThanDocuments(t *testing.T) {
	t.Parallel()
	docs := []*model.Document{long(t, "a.md", 2), long(t, "b.md", 2), long(t, "c.md", 2)}
	r, err := synthesizer(t, newFake(), nil).FromDocuments(t.Context(), docs, &deepeval.Ask{Goldens: 1})
	if err != nil || len(r.Goldens) != 1 || len(r.Contexts) != 1 || len(r.Failures) != 0 {
		t.Errorf("%d goldens of %d contexts, failures %v, error %v; want one golden of one context", len(r.Goldens), len(r.Contexts), r.Failures, err)
	}
}
