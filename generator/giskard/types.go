package giskard

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Type is a type of question: what it makes hard for an agent. The values are
// those of Giskard's question_type, and one of ours.
type Type string

// The types of question, in the order in which they are made.
const (
	// Simple is one need that the base decides.
	Simple Type = "simple"
	// Complex is a simple one under circumstances that make it harder to get
	// right.
	Complex Type = "complex"
	// Distracting mentions in passing something of another document of the base.
	Distracting Type = "distracting element"
	// Situational has the situation of the person woven in.
	Situational Type = "situational"
	// Double is two needs of one person in one message.
	Double Type = "double"
	// Conversational is an opening message and a follow-up that is understood
	// only with it.
	Conversational Type = "conversational"
	// OutOfScope asks for something plausible that the base does not say.
	OutOfScope Type = "out of scope"
	// MultiContext is a need that only two documents of the base together decide.
	// It is ours: Giskard's report has the name, and nothing there makes it. Give
	// [Options].Weights without it to have Giskard's seven alone.
	MultiContext Type = "multi-context"
)

// Types returns all eight types in their order: Giskard's seven, then ours.
func Types() []Type {
	return []Type{Simple, Complex, Distracting, Situational, Double, Conversational, OutOfScope, MultiContext}
}

// Component is a part of an agent that a type of question tests.
type Component string

// The components, as Giskard's report names them. What each does is Giskard's to
// say; which a type tests is [Type.Components].
const (
	Generator Component = "Generator"
	Retriever Component = "Retriever"
	Rewriter  Component = "Rewriter"
	Routing   Component = "Routing"
	// Knowledge is the knowledge base itself: seen in how the answers differ
	// between topics, so that every question about a topic tests it.
	Knowledge Component = "Knowledge base"
)

// Components returns the components that a type tests; none for an unknown type.
func (t Type) Components() []Component {
	switch t {
	case Simple:
		return []Component{Generator, Retriever, Knowledge}
	case Complex, Situational:
		return []Component{Generator, Knowledge}
	case Distracting:
		return []Component{Generator, Retriever, Rewriter, Knowledge}
	case Double:
		return []Component{Generator, Rewriter, Knowledge}
	case Conversational:
		return []Component{Rewriter, Knowledge}
	case MultiContext:
		return []Component{Retriever, Rewriter, Knowledge}
	case OutOfScope:
		return []Component{Routing}
	default:
		return nil
	}
}

// Demand says in English what a right reply to a question of the type does: "The
// reply settles both." It is empty for a simple one and for an unknown type. fact
// is what one out of scope is about.
func (t Type) Demand(fact string) string {
	switch t {
	case Complex:
		return "The reply applies what the document says to exactly the circumstances that the person names."
	case Distracting:
		return "What the person mentions only in passing does not change the answer: the reply settles the need and is not led away by it."
	case Situational:
		return "The person tells their situation: the reply settles the need in it, and says nothing about the situation that the document does not."
	case Double:
		return "The person has two needs; the reply settles both."
	case Conversational:
		return "The message opens the matter and then asks; the reply answers what is asked, about the matter that was opened."
	case MultiContext:
		return "The answer takes at least two of the passages; the reply brings what they say together."
	case OutOfScope:
		return fmt.Sprintf("The document does not say what the person asks for, and not that %q either. The right reply says so in the assistant's own voice, neither confirms nor denies it, invents nothing, and then does what the document says for such a case: hands over, or names whom to ask; where it says nothing of the kind, it offers help with what it can. So that the document does not settle this is meant, and no fault.", fact)
	default:
		return ""
	}
}

// modified reports whether a question of the type is made by rewriting a first one.
func (t Type) modified() bool {
	switch t {
	case Complex, Distracting, Situational, Double, Conversational:
		return true
	default:
		return false
	}
}

// Weights are the shares of the types: numbers from 0 of which only the ratios
// count. A type without a weight is not made.
type Weights map[Type]float64

// Counts are how many questions of each type to make.
type Counts map[Type]int

// Total is the sum of the counts.
func (c Counts) Total() int {
	n := 0
	for _, k := range c {
		n += k
	}
	return n
}

// String lists the counts above 0 in the order of [Types]: "simple 3, double 1".
func (c Counts) String() string {
	var b strings.Builder
	for _, t := range Types() {
		if c[t] > 0 {
			if b.Len() > 0 {
				b.WriteString(", ")
			}
			fmt.Fprintf(&b, "%s %d", t, c[t])
		}
	}
	return cmp.Or(b.String(), "none")
}

func known(t Type) bool { return slices.Contains(Types(), t) }

// check returns what is wrong with the weights.
func (w Weights) check() error {
	sum := 0.0
	for t, x := range w {
		switch {
		case !known(t):
			return &OptionError{Option: "Weights", Reason: fmt.Sprintf("%q is no type of question; the types are %s", t, listTypes())}
		case !(x >= 0) || math.IsInf(x, 1):
			return &OptionError{Option: "Weights", Reason: fmt.Sprintf("the weight of %q is %v; give a number from 0", t, x)}
		}
		sum += x
	}
	if len(w) > 0 && sum == 0 {
		return &OptionError{Option: "Weights", Reason: "all weights are 0; give at least one type a weight"}
	}
	return nil
}

func listTypes() string {
	var names []string
	for _, t := range Types() {
		names = append(names, fmt.Sprintf("%q", t))
	}
	return strings.Join(names, ", ")
}

// share splits n by the weights exactly: whole parts first, what is left to the
// largest remainders, ties by the order of the types given.
func share(n int, w Weights, order []Type) Counts {
	sum := 0.0
	for _, t := range order {
		sum += w[t]
	}
	out := Counts{}
	if n <= 0 || sum == 0 {
		return out
	}
	type rest struct {
		t Type
		r float64
	}
	var rests []rest
	left := n
	for _, t := range order {
		if w[t] == 0 {
			continue
		}
		x := float64(n) * w[t] / sum
		whole := int(x + 1e-9)
		out[t] = whole
		left -= whole
		rests = append(rests, rest{t, x - float64(whole)})
	}
	slices.SortStableFunc(rests, func(a, b rest) int {
		if math.Abs(a.r-b.r) < 1e-9 {
			return 0
		}
		return cmp.Compare(b.r, a.r)
	})
	for i := range left {
		out[rests[i%len(rests)].t]++
	}
	return out
}
