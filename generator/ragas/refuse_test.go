package ragas_test

import (
	"errors"
	"testing"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

// What is missing is told by a typed error that names it.
func TestWhatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	run, err := ragas.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	doc := shop(t, "one", 2)
	generate := func(in *ragas.Input) error { _, err := ragas.Generate(t.Context(), in, nil); return err }
	estimate := func(in *ragas.Input) error { _, err := ragas.Estimate(in, nil); return err }
	for _, tt := range []struct {
		name string
		err  error
		want string
	}{
		{"no input", generate(nil), "Documents"},
		{"no documents", generate(&ragas.Input{Client: &actor.Actor{}, Size: 1}), "Documents"},
		{"a nil document", generate(&ragas.Input{Client: &actor.Actor{}, Documents: []*model.Document{nil}, Size: 1}), "Documents"},
		{"a nil document among others", generate(&ragas.Input{Client: &actor.Actor{}, Documents: []*model.Document{doc, nil}, Size: 1}), "Documents"},
		{"a nil document beside a graph", generate(&ragas.Input{Client: &actor.Actor{}, Documents: []*model.Document{nil}, Graph: ragas.FromTexts("faq", []string{"We open at nine."}), Size: 1}), "Documents"},
		{"a nil document in an estimate", estimate(&ragas.Input{Documents: []*model.Document{nil}, Size: 1}), "Documents"},
		{"no client", generate(&ragas.Input{Documents: []*model.Document{doc}, Size: 1}), "Client"},
		{"no client in a run", func() error { _, err := run.Generate(t.Context(), &generator.Call{}); return err }(), "Call.Model"},
	} {
		var option *ragas.OptionsError
		if !errors.As(tt.err, &option) || option.Option != tt.want {
			t.Errorf("%s: error %v, want an *OptionsError of %s", tt.name, tt.err, tt.want)
		}
	}
	if got, want := len(ragas.Build([]*model.Document{nil, doc}, ragas.ChunkOptions{}).Nodes), len(ragas.Build([]*model.Document{doc}, ragas.ChunkOptions{}).Nodes); got != want {
		t.Errorf("the graph has %d nodes with a nil document and %d without", got, want)
	}
}
