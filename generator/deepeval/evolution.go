package deepeval

import (
	"math/rand/v2"
	"slices"
)

// Evolution is a way in which an input is made harder. The values are the ones
// that DeepEval writes into its records.
type Evolution string

// The seven evolutions.
const (
	Reasoning    Evolution = "Reasoning"
	MultiContext Evolution = "Multi-context" // only where a context has two passages
	Concretizing Evolution = "Concretizing"
	Constrained  Evolution = "Constrained"
	Comparative  Evolution = "Comparative"
	Hypothetical Evolution = "Hypothetical"
	InBreadth    Evolution = "In-Breadth"
)

// Evolutions returns all evolutions in a fixed order.
func Evolutions() []Evolution {
	out := make([]Evolution, len(evolutions))
	for i := range evolutions {
		out[i] = evolutions[i].name
	}
	return out
}

// Demand says in English what a right reply to an input of this evolution does:
// "the reply respects the person's condition". It is empty for a name that is no
// evolution.
func (e Evolution) Demand() string {
	if ev := evolutionOf(e); ev != nil {
		return ev.ask
	}
	return ""
}

// evolution says what one evolution asks for. The examples obey the rules that
// stand beside them in the prompt; a test holds that.
type evolution struct {
	name     Evolution
	turn     string // what the message becomes
	scenario string // what the scenario becomes
	before   string // an example of a message
	after    string // and what becomes of it
	ask      string // what a right reply to it must do; for the end stage
}

var evolutions = []evolution{
	{
		name:     Reasoning,
		turn:     "the person tells how things are with them, and two facts or rules must be put together before one knows what to answer. They name neither of them.",
		scenario: "what happens can be settled only by putting two facts or rules together; the scenario names neither of them.",
		before:   "How long do you keep a parcel?",
		after:    "My parcel came in last Friday and I'm only back next Thursday. Will it still be in the locker?",
		ask:      "the reply puts the facts together and says what follows for this person",
	},
	{
		name:     MultiContext,
		turn:     "one need that touches several passages of its context: leaving one of them out would make the answer wrong or half. It is still one matter, not a list of questions.",
		scenario: "what the person needs touches several passages of its context: leaving one of them out would make the outcome wrong or half.",
		before:   "Can I send a parcel from a locker?",
		after:    "I'd like to send my skis from the locker on Sunday and pay there in cash. Does that work?",
		ask:      "the reply uses everything in the passages that the need touches",
	},
	{
		name:     Concretizing,
		turn:     "concrete things of the person's own life stand in place of general terms: what exactly, how many, which place, which day.",
		scenario: "a concrete setting, named things and events stand in place of general terms.",
		before:   "Do you take large parcels?",
		after:    "I'm having a rolled-up carpet sent to me, two metres long. Does that fit into one of your lockers?",
		ask:      "the reply is about exactly the thing that the person names",
	},
	{
		name:     Constrained,
		turn:     "the person has one more condition of their own, which they mention in passing and which matters for the answer.",
		scenario: "the person has one more condition of their own, which matters for the outcome.",
		before:   "How do I open the locker?",
		after:    "My phone is broken, so no app. How do I get my parcel out of the locker?",
		ask:      "the reply respects the person's condition",
	},
	{
		name:     Comparative,
		turn:     "the person wavers between two things that they could do or have, and wants to know which one suits them.",
		scenario: "the person wavers between two things that they could do or have.",
		before:   "Can you bring the parcel to my door?",
		after:    "Should I leave it in the locker or have it brought home? I'm never in before eight.",
		ask:      "the reply says of both options what is true of each",
	},
	{
		name:     Hypothetical,
		turn:     "it has not happened yet: the person asks what if they did this, or if that happened to them.",
		scenario: "the person asks about something that has not happened yet.",
		before:   "How long do you keep a parcel?",
		after:    "What if I only turn up after the weekend, is my parcel gone then?",
		ask:      "the reply says what holds in the case that the person thinks of",
	},
	{
		name:     InBreadth,
		turn:     "another need of the same kind, one that comes up seldom, in place of the first one.",
		scenario: "another need of the same kind, one that comes up seldom, in place of the first one.",
		before:   "How do I open the locker?",
		after:    "I use a wheelchair and my parcel is in the top row. Can you move it lower down?",
		ask:      "the reply meets this rare need as the document allows",
	},
}

func evolutionOf(name Evolution) *evolution {
	i := slices.IndexFunc(evolutions, func(e evolution) bool { return e.name == name })
	if i < 0 {
		return nil
	}
	return &evolutions[i]
}

// draw returns an evolution, "" when none of the weighted ones is left:
// Multi-context needs a context of several passages.
func (c *EvolutionConfig) draw(r *rand.Rand, passages int, except ...Evolution) Evolution {
	weight := func(e Evolution) float64 {
		if e == MultiContext && passages < 2 || slices.Contains(except, e) {
			return 0
		}
		return c.weight(e)
	}
	var sum float64
	for _, e := range evolutions {
		sum += weight(e.name)
	}
	x := r.Float64() * sum
	last := Evolution("")
	for _, e := range evolutions {
		w := weight(e.name)
		if w <= 0 {
			continue
		}
		last = e.name
		if x -= w; x < 0 {
			break
		}
	}
	return last
}

// weight is 1 for every evolution when none is set.
func (c *EvolutionConfig) weight(e Evolution) float64 {
	if c.Weights == nil {
		return 1
	}
	return max(0, c.Weights[e])
}

// onlyMultiContext reports whether no other evolution can be drawn.
func (c *EvolutionConfig) onlyMultiContext() bool {
	for _, e := range evolutions {
		if e.name != MultiContext && c.weight(e.name) > 0 {
			return false
		}
	}
	return c.weight(MultiContext) > 0
}
