package orchestrate_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// malformed is an endpoint that is no model: a page to log in.
type malformed struct{}

func (malformed) Complete(context.Context, *llm.Request) (*llm.Response, error) {
	return nil, &llm.Error{Kind: llm.KindMalformed, Status: 200, Message: "the reply is no JSON object"}
}

func (malformed) Model() string { return "m" }

func TestTheManifestNamesNoModelThatDidNotReply(t *testing.T) {
	t.Parallel()
	doc := document(t, "../examples/documents/bike_rental_en.md")
	synctest.Test(t, func(t *testing.T) {
		o, err := orchestrate.New(nil, &orchestrate.Options{Client: malformed{}, ModelName: "m"})
		if err != nil {
			t.Fatal(err)
		}
		res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
		var short *coverage.ShortfallError
		if err != nil && !errors.As(err, &short) {
			t.Fatal(err)
		}
		m := res.Manifest
		if m.Routing != "none" || m.LLM.ServedModel != "" || m.LLM.Model != "m" || m.StopReason == "" || m.Usage.ByPurpose["route"] == 0 {
			t.Errorf("routing %q, model %+v, stop reason %q, calls %v", m.Routing, m.LLM, m.StopReason, m.Usage.ByPurpose)
		}
	})
}
