// Package consumer imports casebook as another module does: what it uses is
// public, and nothing of the provider is needed to compile against the SDK.
package consumer

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

type params struct {
	Topic string `json:"topic" jsonschema:"enum=a,enum=b" jsonschema_description:"The topic."`
}

func TestAServiceCanUseTheSDK(t *testing.T) {
	own, err := generator.New(generator.Spec{Name: "own", Description: "Makes nothing, says why."}, params{Topic: "a"},
		func(_ context.Context, call *generator.Call, _ params) (*generator.Output, error) {
			out := generator.BatchOutput(&model.Batch{})
			for _, row := range call.Rows {
				out.Dropped = append(out.Dropped, generator.Drop{Row: row.ID, Reason: "left to the others"})
			}
			return out, nil
		})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("../../examples/documents/bike_rental_en.md")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := model.ParseMarkdown("bike_rental_en.md", b, nil)
	if err != nil {
		t.Fatal(err)
	}
	o, err := orchestrate.New(append(orchestrate.Builtin(), own), &orchestrate.Options{Seed: 42})
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		t.Fatal(err)
	}
	if len(res.Dataset.Examples) == 0 || res.Certificate == nil || res.Manifest == nil {
		t.Fatalf("%d examples, certificate %v, manifest %v", len(res.Dataset.Examples), res.Certificate != nil, res.Manifest != nil)
	}
	if broken := append(res.Dataset.Violations(doc), coverage.CheckIntegrity(res.Dataset)...); len(broken) > 0 {
		t.Errorf("the contract is broken: %v", broken)
	}
}
