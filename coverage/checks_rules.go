package coverage

import (
	"slices"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// ruleBook is what the policies of a dataset say, read once for all candidates.
type ruleBook struct {
	l        *lang.Language
	all      []model.Policy
	byID     map[string]int // the first of an id
	denies   []bool
	denied   bool // one of them denies
	emoji    bool // one of them speaks of emoji
	longest  []lang.Longest
	limiting []int // policies that limit the length of an answer
}

func newRuleBook(l *lang.Language, all []model.Policy) *ruleBook {
	b := &ruleBook{l: l, all: all, byID: make(map[string]int, len(all)), denies: make([]bool, len(all)), longest: make([]lang.Longest, len(all))}
	for i := range all {
		p := &all[i]
		if _, ok := b.byID[p.ID]; !ok {
			b.byID[p.ID] = i
		}
		if l == nil {
			continue
		}
		toks := lang.Tokens(p.Statement)
		_, b.denies[i] = l.Marks.NoAccess.Find(toks)
		b.denied = b.denied || b.denies[i]
		if _, ok := l.Marks.EmojiWord.Find(toks); ok {
			b.emoji = true
		}
		if b.longest[i] = longest(l, p); b.longest[i] != (lang.Longest{}) {
			b.limiting = append(b.limiting, i)
		}
	}
	return b
}

// longest is what a policy allows of an answer's length.
func longest(l *lang.Language, p *model.Policy) lang.Longest {
	if p.Type != model.Shape && !l.OfReplies(p.Statement) {
		return lang.Longest{}
	}
	return l.Longest(p.Statement)
}

// WithPolicies returns the ground together with the policies of the dataset,
// read once for all candidates whose AllPolicies is this very slice. l is the
// language of the candidates, nil for one without data.
func (g *Ground) WithPolicies(l *lang.Language, all []model.Policy) *Ground {
	with := *g
	with.rules = newRuleBook(l, all)
	return &with
}

// rules returns what the dataset's policies say.
func (c *Candidate) rules() *ruleBook {
	if g := c.Ground; g != nil && g.rules != nil && g.rules.l == c.Lang && sameSlice(g.rules.all, c.AllPolicies) {
		return g.rules
	}
	return newRuleBook(c.Lang, c.AllPolicies)
}

func sameSlice(a, b []model.Policy) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// policies returns the row's policies and all others, each once.
func (c *Candidate) policies() []*model.Policy {
	var all []*model.Policy
	seen := map[string]bool{}
	for _, list := range [][]model.Policy{c.Policies, c.AllPolicies} {
		for i := range list {
			if !seen[list[i].ID] {
				seen[list[i].ID] = true
				all = append(all, &list[i])
			}
		}
	}
	return all
}

// named returns the policies with the ids, those of the row first.
func (c *Candidate) named(ids []string) []*model.Policy {
	var out []*model.Policy
	own := func(id string) bool {
		return slices.ContainsFunc(out, func(p *model.Policy) bool { return p.ID == id })
	}
	for i := range c.Policies {
		if p := &c.Policies[i]; contains(ids, p.ID) && !own(p.ID) {
			out = append(out, p)
		}
	}
	var rest []int
	if g := c.Ground; g != nil && g.rules != nil && sameSlice(g.rules.all, c.AllPolicies) {
		for _, id := range ids {
			if i, ok := g.rules.byID[id]; ok && !slices.Contains(rest, i) {
				rest = append(rest, i)
			}
		}
		slices.Sort(rest)
	} else {
		for i := range c.AllPolicies {
			if contains(ids, c.AllPolicies[i].ID) {
				rest = append(rest, i)
			}
		}
	}
	for _, i := range rest {
		if !own(c.AllPolicies[i].ID) {
			out = append(out, &c.AllPolicies[i])
		}
	}
	return out
}
