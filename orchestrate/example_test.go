package orchestrate_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

func ExampleOrchestrator_Run() {
	text, err := os.ReadFile("../examples/documents/bike_rental_en.md")
	if err != nil {
		log.Fatal(err)
	}
	doc, err := model.ParseMarkdown("bike_rental_en.md", text, nil)
	if err != nil {
		log.Fatal(err)
	}
	o, err := orchestrate.New(nil, &orchestrate.Options{Seed: 42}) // no client: by rules
	if err != nil {
		log.Fatal(err)
	}
	res, err := o.Run(context.Background(), &orchestrate.Input{Documents: []*model.Document{doc}})
	var short *coverage.ShortfallError // something is missing: err says what, res has the rest
	if err != nil && !errors.As(err, &short) {
		log.Fatal(err)
	}
	for _, ex := range res.Dataset.Examples[:1] {
		fmt.Println(ex.Format, len(ex.Input.Messages), len(ex.EvaluationCriteria) >= 3, ex.PolicyIDs != nil)
	}
	// Output: single_turn_qa 1 true true
}
