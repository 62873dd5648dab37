package python_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/python"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// The framework takes the place of the Go engine of the same name, and is closed
// when the run is over.
func ExampleNew() {
	run := func(ctx context.Context, client llm.Client, doc *model.Document) (*orchestrate.Result, error) {
		ragas, err := python.New(python.Options{Framework: python.Ragas, Dir: "/srv/frameworks"})
		if err != nil {
			return nil, err // a *python.EnvironmentError names what is missing
		}
		defer ragas.Close()
		if err := ragas.Start(ctx); err != nil {
			return nil, err // before anything is paid for
		}
		gens := orchestrate.Builtin()
		for i := range gens {
			if gens[i].Spec().Name == python.Ragas {
				gens[i] = ragas
			}
		}
		o, err := orchestrate.New(gens, &orchestrate.Options{Client: client})
		if err != nil {
			return nil, err
		}
		return o.Run(ctx, &orchestrate.Input{Documents: []*model.Document{doc}})
	}
	_, err := run(context.Background(), nil, nil)
	var missing *python.EnvironmentError
	if errors.As(err, &missing) {
		fmt.Println(missing.Framework+":", missing.Reason)
	}
	// Output: ragas: it is missing
}
