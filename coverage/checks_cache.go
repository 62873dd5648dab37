package coverage

import (
	"sync"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Prepared returns the candidate with what several checks read of it kept from
// one to the next. [RunChecks] prepares a candidate that is not; call it before
// running checks one by one. The item must not change afterwards.
func (c *Candidate) Prepared() *Candidate {
	g := c.Ground
	ready := g != nil && g.rules != nil && g.rules.l == c.Lang && sameSlice(g.rules.all, c.AllPolicies)
	if ready && c.cache != nil {
		return c
	}
	own := *c
	if !ready {
		own.Ground = c.ground().WithPolicies(c.Lang, c.AllPolicies)
	}
	own.cache = &candidateCache{
		toks: map[string][]lang.Token{}, facts: map[string][]located{}, stems: map[string][]string{}, amounts: map[string][]quantity{},
		given: map[int]*basis{}, folds: map[string]string{},
	}
	return &own
}

// candidateCache keeps what is read of the texts of a candidate.
type candidateCache struct {
	mu      sync.Mutex
	toks    map[string][]lang.Token
	facts   map[string][]located
	stems   map[string][]string // in the language of the messages
	amounts map[string][]quantity
	folds   map[string]string
	given   map[int]*basis
}

// kept returns what is kept under a key, or makes it. What it returns is read
// only.
func kept[K comparable, V any](cc *candidateCache, list func(*candidateCache) map[K]V, key K, build func() V) V {
	if cc == nil {
		return build()
	}
	cc.mu.Lock()
	v, ok := list(cc)[key]
	cc.mu.Unlock()
	if !ok {
		v = build()
		cc.mu.Lock()
		list(cc)[key] = v
		cc.mu.Unlock()
	}
	return v
}

func (c *Candidate) tokens(text string) []lang.Token {
	return kept(c.cache, func(cc *candidateCache) map[string][]lang.Token { return cc.toks }, text, func() []lang.Token { return lang.Tokens(text) })
}

func (c *Candidate) facts(text string) []located {
	return kept(c.cache, func(cc *candidateCache) map[string][]located { return cc.facts }, text, func() []located { return findFacts(text) })
}

// stems are those of the language of messages and answers.
func (c *Candidate) stems(l *lang.Language, text string) []string {
	if l != c.spoken() {
		return l.Stems(text)
	}
	return kept(c.cache, func(cc *candidateCache) map[string][]string { return cc.stems }, text, func() []string { return l.Stems(text) })
}

// amounts are the quantities of a text in the language of messages and answers.
func (c *Candidate) amounts(text string) []quantity {
	return kept(c.cache, func(cc *candidateCache) map[string][]quantity { return cc.amounts }, text, func() []quantity {
		qs, _ := measures(c.spoken(), text)
		return qs
	})
}

func (c *Candidate) fold(text string) string {
	return kept(c.cache, func(cc *candidateCache) map[string]string { return cc.folds }, text, func() string { return Fold(text) })
}

// has reports whether a phrase of the lexicon stands in the text.
func (c *Candidate) has(x *lang.Lexicon, text string) bool {
	if x.Empty() {
		return false
	}
	_, ok := x.Find(c.tokens(text))
	return ok
}

// given returns what an example itself gives an answer to rest on: its input and
// the parameters.
func (c *Candidate) given(i int) *basis {
	return kept(c.cache, func(cc *candidateCache) map[int]*basis { return cc.given }, i, func() *basis { return c.basisOf(&c.Item.Examples[i]) })
}

func (c *Candidate) basisOf(ex *model.Example) *basis {
	s := newBasis()
	l := c.spoken()
	for _, m := range ex.Input.Messages {
		s.add(l, m.Content)
	}
	for _, name := range sortedKeys(c.Item.TestCase.Parameters) {
		v := c.Item.TestCase.Parameters[name]
		s.add(l, v.String())
	}
	return &s
}

// shared counts the distinct content stems of a that b has too.
func (c *Candidate) shared(l *lang.Language, a, b string) int {
	have := c.stems(l, b)
	if len(have) == 0 {
		return 0
	}
	set := make(map[string]bool, len(have))
	for _, s := range have {
		set[s] = true
	}
	n := 0
	for _, s := range c.stems(l, a) {
		if set[s] && longer(s, 2) {
			n++
			set[s] = false
		}
	}
	return n
}

// longer reports whether s has more than n runes.
func longer(s string, n int) bool {
	for range s {
		if n--; n < 0 {
			return true
		}
	}
	return false
}
