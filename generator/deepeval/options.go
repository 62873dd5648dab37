package deepeval

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Options are the settings of the method. Nil and zero fields mean the
// defaults, which are DeepEval's where it has them.
type Options struct {
	Filtration FiltrationConfig
	Evolution  EvolutionConfig
	Styling    StylingConfig
	Contexts   ContextConfig
	Prompts    Prompts
	// Batch is how many goldens one call to the model is about; 0 means 6. Those
	// of one context stand together where they fit.
	Batch int
	// Concurrency is how many calls to a model are under way at once, over all
	// stages; 0 means 16. In a run the run's own limit holds as well.
	Concurrency int
	// TopUps is how often goldens that are missing (a duplicate, a failed call)
	// are made again; 0 means twice, -1 never.
	TopUps int
	// MaxDocument is how many characters of documents a prompt of the last
	// stages holds; 0 means 24,000.
	MaxDocument int
}

// FiltrationConfig is about the critic, which scores inputs from 0 to 1.
type FiltrationConfig struct {
	// Threshold is the score from which an input is good enough; 0 means 0.5,
	// negative lets every input pass unscored.
	Threshold float64
	// Retries is how often an input below it is rewritten; 0 means 3, -1 never.
	// The version with the best score is kept.
	Retries int
	// Drop leaves out what stays below the threshold to the end; it is then made
	// anew as Options.TopUps allows. Otherwise it is kept and flagged.
	Drop bool
}

// EvolutionConfig says how inputs are made harder.
type EvolutionConfig struct {
	// Rounds is how many evolutions every input goes through; 0 means 1, -1 none.
	Rounds int
	// Weights are how likely each evolution is to be drawn. They need not add up
	// to 1; an evolution that is left out is never drawn; nil means all alike.
	Weights map[Evolution]float64
}

// StylingConfig says what inputs and outputs are like. It goes into the prompts
// that write them and costs no call of its own.
type StylingConfig struct {
	Scenario             string // who asks, and in which situation
	Task                 string // what the agent under test is there for
	InputFormat          string // what an input looks like
	ExpectedOutputFormat string // what an expected output looks like
	// ParticipantRoles are for scenarios: who takes part in the conversation.
	ParticipantRoles string
}

func (s *StylingConfig) empty() bool {
	return strings.TrimSpace(s.Scenario+s.Task+s.InputFormat+s.ParticipantRoles) == ""
}

// ContextConfig says how documents become contexts.
type ContextConfig struct {
	// PerDocument is the most contexts of one document; 0 means 3, or as many as
	// the goldens asked for need. MinPerDocument is the fewest chunks that a
	// document must have; 0 means 1. One with fewer is a *[NoContextError].
	PerDocument, MinPerDocument int
	// Passages is the most chunks of a context; 0 means 3.
	Passages int
	// ChunkTokens is the most tokens of a chunk, by an estimate for any script; 0
	// means 1024. OverlapTokens is how many of a chunk are repeated in the next; 0
	// means none.
	ChunkTokens, OverlapTokens int
	// Threshold is the score above which a chunk is good enough to start a
	// context; 0 means 0.5, negative takes every chunk unscored.
	Threshold float64
	// Tries is how many chunks are scored for each context that is wanted; 0
	// means 3. Scoring stops as soon as there are enough good ones.
	Tries int
	// KeepPoor makes contexts of the best chunks, flagged, when none is good
	// enough. Otherwise the document gives a *[NoContextError].
	KeepPoor bool
	// Similarity is the cosine above which a neighbour joins a context. 0 means
	// a cut that follows the embedder: a neighbour must be nearer than the
	// document's chunks are on average.
	Similarity float64
	// MaxFiles merges a context with the nearest ones of other documents, up to
	// so many documents in all; 0 and 1 merge none. TargetFiles, from 2 up, is
	// how many it is exactly where there are so many; 0 draws a number.
	MaxFiles, TargetFiles int
}

// settled returns the options with the defaults filled in.
func (o *Options) settled() (Options, error) {
	var s Options
	if o != nil {
		s = *o
	}
	var bad *ConfigError
	num := func(field string, p *int, def int, none bool) {
		switch {
		case *p == 0:
			*p = def
		case *p == -1 && none:
			*p = 0
		case *p < 0 && bad == nil:
			bad = &ConfigError{field, fmt.Sprintf("%d is negative", *p), "use 0 for the default"}
		}
	}
	score := func(field string, p *float64, def float64) {
		if *p == 0 {
			*p = def
		}
		if (math.IsNaN(*p) || *p > 1) && bad == nil {
			bad = &ConfigError{field, fmt.Sprintf("%v is no score", *p), "use a number from 0 to 1, or a negative one for none"}
		}
	}
	num("Batch", &s.Batch, 6, false)
	num("Concurrency", &s.Concurrency, 16, false)
	num("TopUps", &s.TopUps, 2, true)
	num("MaxDocument", &s.MaxDocument, 24000, false)
	score("Filtration.Threshold", &s.Filtration.Threshold, 0.5)
	num("Filtration.Retries", &s.Filtration.Retries, 3, true)
	num("Evolution.Rounds", &s.Evolution.Rounds, 1, true)
	c := &s.Contexts
	num("Contexts.PerDocument", &c.PerDocument, 0, false)
	num("Contexts.MinPerDocument", &c.MinPerDocument, 1, false)
	num("Contexts.Passages", &c.Passages, 3, false)
	num("Contexts.ChunkTokens", &c.ChunkTokens, 1024, false)
	num("Contexts.OverlapTokens", &c.OverlapTokens, 0, false)
	score("Contexts.Threshold", &c.Threshold, 0.5)
	num("Contexts.Tries", &c.Tries, 3, false)
	score("Contexts.Similarity", &c.Similarity, 0)
	num("Contexts.MaxFiles", &c.MaxFiles, 1, false)
	num("Contexts.TargetFiles", &c.TargetFiles, 0, false)
	if bad != nil {
		return s, bad
	}
	switch {
	case c.OverlapTokens >= c.ChunkTokens:
		return s, &ConfigError{"Contexts.OverlapTokens", fmt.Sprintf("%d is no less than the chunk's %d", c.OverlapTokens, c.ChunkTokens), "use a smaller overlap"}
	case c.TargetFiles == 1 || c.TargetFiles > c.MaxFiles:
		return s, &ConfigError{"Contexts.TargetFiles", fmt.Sprintf("%d is not within 2 and MaxFiles = %d", c.TargetFiles, c.MaxFiles), "raise MaxFiles, or use 0 for a drawn number"}
	}
	return s, s.Evolution.check()
}

func (c *EvolutionConfig) check() error {
	if c.Weights == nil || c.Rounds == 0 {
		return nil
	}
	var names []string
	var sum float64
	for e, w := range c.Weights {
		if evolutionOf(e) == nil || w < 0 || math.IsNaN(w) || math.IsInf(w, 0) {
			names = append(names, fmt.Sprintf("%s: %v", e, w))
			continue
		}
		sum += w
	}
	slices.Sort(names)
	switch {
	case names != nil:
		return &ConfigError{"Evolution.Weights", strings.Join(names, ", ") + ": no weight of an evolution", "use the seven constants with weights of 0 or more"}
	case sum <= 0:
		return &ConfigError{"Evolution.Weights", "no evolution has a weight", "use nil for all, or Rounds = -1 for none"}
	}
	return nil
}
