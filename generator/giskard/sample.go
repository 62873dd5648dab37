package giskard

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// seeds draws seed passages: topics in proportion to their size, each at least
// once where there are as many draws, and the passages of a topic each once
// before any comes again.
type seeds struct {
	kb    *KnowledgeBase
	decks []deck // by topic
}

type deck struct {
	members []int // shuffled
	next    int
}

func (kb *KnowledgeBase) seeds(seed uint64) *seeds {
	s := &seeds{kb: kb, decks: make([]deck, len(kb.Topics))}
	for i, t := range kb.topicOf {
		s.decks[t].members = append(s.decks[t].members, i)
	}
	for t := range s.decks {
		shuffle(stage.Rand(seed, "giskard", "passages", t), s.decks[t].members)
	}
	return s
}

// draw returns the next passage of a topic that ok accepts, and -1 if it has
// none.
func (s *seeds) draw(topic int, ok func(chunk int) bool) int {
	d := &s.decks[topic]
	for range d.members {
		c := d.members[d.next%len(d.members)]
		d.next++
		if ok(c) {
			return c
		}
	}
	return -1
}

// topics returns the topics of n questions, shuffled: each topic at least once
// when n allows, the rest by size.
func (kb *KnowledgeBase) topics(n int, seed uint64) []int {
	order := make([]int, len(kb.Topics))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(kb.Topics[b].Documents), len(kb.Topics[a].Documents))
	})
	quota := make([]int, len(kb.Topics))
	left := n
	for _, t := range order {
		if left == 0 {
			break
		}
		quota[t]++
		left--
	}
	// What is left goes one by one to the topic that is furthest behind its size.
	for ; left > 0; left-- {
		best := order[0]
		for _, t := range order[1:] {
			if len(kb.Topics[t].Documents)*(quota[best]+1) > len(kb.Topics[best].Documents)*(quota[t]+1) {
				best = t
			}
		}
		quota[best]++
	}
	var out []int
	for t, q := range quota {
		for range q {
			out = append(out, t)
		}
	}
	shuffle(stage.Rand(seed, "giskard", "topics", n), out)
	return out
}

// types returns the types of questions, shuffled.
func (c Counts) types(seed uint64) []Type {
	var out []Type
	for _, t := range Types() {
		for range c[t] {
			out = append(out, t)
		}
	}
	shuffle(stage.Rand(seed, "giskard", "types", len(out)), out)
	return out
}

func shuffle[T any](r *rand.Rand, s []T) {
	r.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
}

// lacks says why the base cannot give a type at all; "" if it can.
func (kb *KnowledgeBase) lacks(t Type) string {
	switch t {
	case Distracting:
		if len(kb.chunks) < 2 {
			return "the base has no other document to distract with"
		}
	case MultiContext:
		if len(kb.chunks) < 2 {
			return "the base has no second document to join"
		}
		if !slices.ContainsFunc(kb.nearest, func(n int) bool { return n >= 0 }) {
			return "no document of the base has a neighbour"
		}
	}
	return ""
}

// counts splits n by the weights of the options over the types that can be given.
func (kb *KnowledgeBase) counts(n int) Counts {
	w, named := kb.o.weights()
	if !named {
		for _, t := range Types() {
			if kb.lacks(t) != "" {
				delete(w, t)
			}
		}
	}
	return share(n, w, Types())
}

// distraction draws a passage that is neither seed nor context, of another
// topic if there is one; -1 if none is left.
func (kb *KnowledgeBase) distraction(r *rand.Rand, contexts []int) int {
	var other, all []int
	for i := range kb.chunks {
		if slices.ContainsFunc(contexts, func(c int) bool { return kb.same(i, c) }) {
			continue
		}
		all = append(all, i)
		if kb.topicOf[i] != kb.topicOf[contexts[0]] {
			other = append(other, i)
		}
	}
	if len(other) > 0 {
		all = other
	}
	if len(all) == 0 {
		return -1
	}
	return all[r.IntN(len(all))]
}

// same reports whether two passages say the same, word for word.
func (kb *KnowledgeBase) same(a, b int) bool {
	return kb.texts[a] == kb.texts[b]
}

// slot is a question to make.
type slot struct {
	row      *model.Row // nil outside a run
	kind     Type
	contexts []int // the seed first
	distract int   // a passage, for distracting ones; -1
	nth      int   // how many questions about the seed came before
	avoid    []string
	before   *Question // of a repair: the record of the refused attempt

	question // what is made, stage by stage
}

func (s *slot) seed() int { return s.contexts[0] }

// place gives a slot its passages. Where the seed's neighbours leave no other
// document to distract with, the last ones are let go.
func (kb *KnowledgeBase) place(s *slot, seed int, r *rand.Rand) error {
	least := 1
	if s.kind == MultiContext {
		least = 2
	}
	s.contexts, s.distract = kb.context(seed, least), -1
	if s.kind != Distracting {
		return nil
	}
	for {
		if s.distract = kb.distraction(r, s.contexts); s.distract >= 0 {
			return nil
		}
		if len(s.contexts) == 1 {
			return fmt.Errorf("no document differs from %s to distract with", kb.chunks[seed].ID)
		}
		s.contexts = s.contexts[:len(s.contexts)-1]
	}
}
