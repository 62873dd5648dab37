package deepeval_test

import (
	"context"
	"fmt"

	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/internal/actor"
)

// Goldens of contexts that are there already, without a document. The model of
// the example writes what nobody would; a real one takes its place.
func ExampleSynthesizer_FromContexts() {
	s, err := deepeval.NewSynthesizer(&deepeval.SynthesizerOptions{
		Client: &actor.Actor{},
		Seed:   42,
		Options: deepeval.Options{
			Evolution: deepeval.EvolutionConfig{Rounds: 2, Weights: map[deepeval.Evolution]float64{
				deepeval.Reasoning: 2, deepeval.Comparative: 1,
			}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := s.FromContexts(context.Background(), []deepeval.Context{
		deepeval.NewContext("lockers.md", "A parcel stays in the locker for three days.", "Storage can be extended once, by two days."),
	}, &deepeval.Ask{Goldens: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, g := range r.Goldens {
		fmt.Println(g.SourceFile, len(g.Context), g.Metadata.Evolutions)
	}
	fmt.Println(r.Usage.Calls, "calls")
	// Output:
	// lockers.md 2 [Reasoning Reasoning]
	// lockers.md 2 [Reasoning Reasoning]
	// lockers.md 2 [Reasoning Reasoning]
	// 6 calls
}

func ExampleNewSynthesizer_configuration() {
	_, err := deepeval.NewSynthesizer(&deepeval.SynthesizerOptions{
		Client:  &actor.Actor{},
		Options: deepeval.Options{Evolution: deepeval.EvolutionConfig{Weights: map[deepeval.Evolution]float64{"Reasoning ": 1}}},
	})
	fmt.Println(err)
	// Output:
	// deepeval: Evolution.Weights: Reasoning : 1: no weight of an evolution; use the seven constants with weights of 0 or more
}
