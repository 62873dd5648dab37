package deepeval

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDefaultsAreDeepEvals(t *testing.T) {
	t.Parallel()
	got, err := (*Options)(nil).settled()
	if err != nil {
		t.Fatal(err)
	}
	want := Options{
		Filtration:  FiltrationConfig{Threshold: 0.5, Retries: 3},
		Evolution:   EvolutionConfig{Rounds: 1},
		Contexts:    ContextConfig{MinPerDocument: 1, Passages: 3, ChunkTokens: 1024, Threshold: 0.5, Tries: 3, MaxFiles: 1},
		Batch:       6,
		Concurrency: 16,
		TopUps:      2,
		MaxDocument: 24000,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	none, err := (&Options{Filtration: FiltrationConfig{Retries: -1, Threshold: -1}, Evolution: EvolutionConfig{Rounds: -1}, TopUps: -1}).settled()
	if err != nil || none.Filtration.Retries != 0 || none.Evolution.Rounds != 0 || none.TopUps != 0 || none.Filtration.Threshold != -1 {
		t.Errorf("none of each: %+v, %v", none, err)
	}
}

func TestOptionsRefused(t *testing.T) {
	t.Parallel()
	for field, o := range map[string]Options{
		"Batch":                  {Batch: -1},
		"Concurrency":            {Concurrency: -4},
		"TopUps":                 {TopUps: -2},
		"Filtration.Threshold":   {Filtration: FiltrationConfig{Threshold: 1.5}},
		"Contexts.Threshold":     {Contexts: ContextConfig{Threshold: math.NaN()}},
		"Contexts.OverlapTokens": {Contexts: ContextConfig{ChunkTokens: 100, OverlapTokens: 100}},
		"Contexts.TargetFiles":   {Contexts: ContextConfig{MaxFiles: 2, TargetFiles: 3}},
		"Evolution.Weights":      {Evolution: EvolutionConfig{Weights: map[Evolution]float64{"Multi-Context": 1}}},
	} {
		for name, err := range map[string]error{
			"settled": func() error { _, err := o.settled(); return err }(),
			"New":     func() error { _, err := New(&o); return err }(),
		} {
			var bad *ConfigError
			if !errors.As(err, &bad) || bad.Field != field {
				t.Errorf("%s: %s gives %v, want a *ConfigError of the field", name, field, err)
			}
		}
	}
	for name, w := range map[string]map[Evolution]float64{
		"negative": {Reasoning: -1}, "zero": {Reasoning: 0}, "infinite": {Reasoning: math.Inf(1)}, "empty": {},
	} {
		if _, err := (&Options{Evolution: EvolutionConfig{Weights: w}}).settled(); err == nil {
			t.Errorf("%s weights pass", name)
		}
	}
	if _, err := NewSynthesizer(&SynthesizerOptions{}); err == nil {
		t.Error("a synthesizer without a model")
	}
}
