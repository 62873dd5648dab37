package ragas_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

// A testset of a document, on its own. The model of the example writes what
// nobody would; a real one takes its place.
func ExampleGenerate() {
	doc, err := model.ParseMarkdown("lamps.md", []byte(`# Lamp library

## Loans

A lamp is lent for 3 days to anybody who leaves a deposit of 20 euro at the Counter in the hall of the library.

## Deposits

The deposit comes back in cash at the Counter on the day on which the lamp is returned, less 5 euro for a lost bulb.
`), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := ragas.Generate(context.Background(), &ragas.Input{
		Client: &actor.Actor{}, Documents: []*model.Document{doc}, Size: 4, ReasoningRatio: 0.5,
	}, &ragas.Options{Chunks: ragas.ChunkOptions{MaxTokens: 40, MinTokens: 20}})
	var short *ragas.CountError
	switch {
	case errors.As(err, &short):
		fmt.Println("only", short.Possible)
	case err != nil:
		fmt.Println(err)
		return
	}
	for _, r := range set.Records {
		s, err := ragas.Parse(r.JSON)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(strings.TrimSuffix(s.SynthesizerName, "_query_synthesizer"), s.ReferenceContextIDs)
	}
	// Output:
	// single_hop_specific [lamps.md#1]
	// single_hop_specific [lamps.md#2]
	// multi_hop_abstract [lamps.md#1 lamps.md#2]
	// multi_hop_specific [lamps.md#1 lamps.md#2]
}

// A graph that Ragas wrote is completed with edges and saved again. This needs
// no model.
func ExampleLoad() {
	g, err := ragas.Load(strings.NewReader(`{"nodes": [
  {"id": "a", "type": "chunk", "properties": {"page_content": "Lamps are lent for a deposit.", "entities": ["deposit"]}},
  {"id": "b", "type": "chunk", "properties": {"page_content": "Deposits come back in cash.", "entities": ["Deposits"]}}
], "relationships": []}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	ragas.LinkEntities(g, nil)
	for _, r := range g.Relationships {
		fmt.Println(r.Type, r.Source, r.Target, r.Overlap, r.Score)
	}
	if err := g.Save(io.Discard); err != nil {
		fmt.Println(err)
	}
	// Output:
	// entities_overlap a b [[deposit Deposits]] 1
}

func ExampleEstimate() {
	calls, err := ragas.Estimate(&ragas.Input{Graph: ragas.FromTexts("faq", []string{"Lamps are lent for 3 days.", "Deposits come back in cash."}), Size: 20}, nil)
	fmt.Println(calls.All(), "calls,", calls.Questions, "of them for messages", err)
	// Output:
	// 14 calls, 4 of them for messages <nil>
}
