package coverage

import (
	"strings"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// checkGrounding finds facts of an answer that stand nowhere.
func checkGrounding(c *Candidate) []Finding {
	var fs findings
	g := c.ground()
	l := c.spoken()
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		given := c.given(i)
		supported := func(u unitAmount) bool {
			return g.amounts[u] || given.amounts[u] || g.bare[u] || given.bare[u]
		}
		var qs []quantity
		if l != nil {
			qs = c.amounts(ex.ExpectedOutput)
		}
		reported := map[string]bool{}
		for _, f := range c.facts(ex.ExpectedOutput) {
			ok := g.supports(&f) || given.supports(&f)
			if f.Kind == FactNumber {
				measured, same := quantified(qs, f.Norm, supported)
				// The 9 of 9:00 is no 9 days.
				ok = same || ok && !(measured && !g.plain[f.Norm] && !given.plain[f.Norm])
			}
			if ok || reported[string(f.Kind)+f.Norm] {
				continue
			}
			reported[string(f.Kind)+f.Norm] = true
			if f.Kind == FactPhone {
				fs.add(i, "expected_output", "the phone number %s stands neither in the document nor in the input; leave it out, or repeat the document's exactly as it is written, masked digits included", quote(f.Text))
				continue
			}
			fs.add(i, "expected_output", "the %s %s stands neither in the document nor in the input nor in the parameters; leave it out or use what the document says", f.Kind, quote(f.Text))
		}
		for k := range qs {
			q := &qs[k]
			if !q.words || g.amounts[q.base()] || given.amounts[q.base()] || !q.bare && supported(q.base()) {
				continue
			}
			text := spaced(ex.ExpectedOutput)[q.start:q.end]
			if !reported[text] {
				reported[text] = true
				fs.add(i, "expected_output", "%s stands neither in the document nor in the input; leave it out or use what the document says", quote(text))
			}
		}
	}
	return fs
}

// quantified reports whether a number is that of a quantity, and whether of one
// that the sources have, perhaps in another unit or in words ("14 days" for two
// weeks).
func quantified(qs []quantity, number string, supported func(unitAmount) bool) (measured, same bool) {
	for i := range qs {
		if itoa(qs[i].value) == number {
			measured = true
			same = same || supported(qs[i].base())
		}
	}
	return measured, same
}

// checkQualifiers compares the quantities of an answer with those of the
// document: the unit, and the words that every mention there has.
func checkQualifiers(c *Candidate) []Finding {
	l := c.spoken()
	if l == nil {
		return nil
	}
	var fs findings
	g := c.ground()
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		qs := c.amounts(ex.ExpectedOutput)
		if len(qs) == 0 {
			continue
		}
		given := c.given(i)
		for k := range qs {
			q := &qs[k]
			text := spaced(ex.ExpectedOutput)[q.start:q.end]
			if given.amounts[q.base()] {
				continue // the customer's own figure
			}
			mentions := c.mentions(g, q)
			if len(mentions) == 0 {
				if others := g.byValue[q.value]; !q.words && len(others) > 0 && g.loose[itoa(q.value)] <= 0 && !g.amounts[q.base()] && !g.bare[q.base()] {
					fs.add(i, "expected_output", "%s has another unit than in the document; keep the document's", quote(text))
				}
				continue
			}
			for _, kind := range []string{"working", "calendar"} {
				all, none := true, true
				for _, m := range mentions {
					all = all && m.kinds[kind]
					none = none && !m.kinds[kind]
				}
				switch {
				case all && !q.has(kind):
					fs.add(i, "expected_output", "the document qualifies %s as %s (%s); keep the word", quote(text), kind, example(g, mentions))
				case none && q.kinds[kind]:
					fs.add(i, "expected_output", "the document does not qualify %s as %s; leave the word out", quote(text), kind)
				}
			}
			for _, kind := range []string{"max", "min", "approx"} {
				all := true
				for _, m := range mentions {
					all = all && m.kinds[kind]
				}
				if all && !q.has(kind) {
					fs.add(i, "expected_output", "the document limits %s (%s: %s); keep the limit", quote(text), kind, example(g, mentions))
				}
			}
		}
	}
	return fs
}

// mentions returns where the document has the quantity: in the evidence of the
// use case and the row's policies, or else anywhere.
func (c *Candidate) mentions(g *Ground, q *quantity) []*placedQuantity {
	var near, all []*placedQuantity
	for _, i := range g.amountAt[q.base()] {
		p := &g.placed[i]
		all = append(all, p)
		if c.cites(p.doc, p.start, p.end) {
			near = append(near, p)
		}
	}
	if len(near) > 0 {
		return near
	}
	return all
}

// example says where a quantity stands.
func example(_ *Ground, ps []*placedQuantity) string {
	p := ps[0]
	return "line " + itoa(p.start)
}

// sentence returns the tokens from..to-1 of the sentence of token i.
func sentence(toks []lang.Token, i int) (from, to int) {
	for from = i; from > 0 && !toks[from].Break; from-- {
	}
	for to = i + 1; to < len(toks) && !toks[to].Break; to++ {
	}
	return from, to
}

// asks reports whether the sentence of tokens from..to-1 ends with a question
// mark.
func asks(text string, toks []lang.Token, to int) bool {
	end := len(text)
	if to < len(toks) {
		end = toks[to].Start
	}
	return strings.ContainsAny(text[toks[to-1].End:end], "?？؟")
}

// claimed returns the hits of a lexicon that are claims: not denied, not asked
// and, when cases is set, not made the case of a condition.
func claimed(l *lang.Language, x *lang.Lexicon, text string, toks []lang.Token, cases bool) []lang.Hit {
	var hits []lang.Hit
	for _, h := range x.All(toks) {
		from, to := sentence(toks, h.From)
		if asks(text, toks, to) {
			continue
		}
		ok := true
		for k := max(from, h.From-4); k < h.To; k++ {
			if _, no := l.Marks.Negation.At(toks, k); no {
				ok = false
			}
		}
		if cases {
			for k := max(from, h.From-8); k < h.From; k++ {
				if _, cond := l.Marks.Conditional.At(toks, k); cond {
					ok = false
				}
			}
			for k := max(from, h.From-2); k < h.From; k++ {
				if _, you := l.Marks.You.At(toks, k); you && !toks[h.From].Pause {
					ok = false
				}
			}
		}
		if ok {
			hits = append(hits, h)
		}
	}
	return hits
}

// span returns the text of a hit.
func span(text string, toks []lang.Token, h lang.Hit) string {
	return text[toks[h.From].Start:toks[h.To-1].End]
}

// checkClaims finds what an answer claims to have done, seen or to promise
// against the document.
func checkClaims(c *Candidate) []Finding {
	l := c.spoken()
	if l == nil {
		return nil
	}
	var fs findings
	g := c.ground()
	m := &l.Marks
	blind := g.noAccess // the agent cannot see the customer's matter
	rowBlind, needsID := false, ""
	blind = blind || c.rules().denied
	for i := range c.Policies {
		p := &c.Policies[i]
		rowBlind = rowBlind || c.denies(p)
		blind = blind || rowBlind
		if needsID == "" && c.Lang != nil && p.Type != model.Style && c.has(&c.Lang.Marks.NeedsID, p.Statement) {
			needsID = p.Statement
		}
	}
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		text := ex.ExpectedOutput
		toks := c.tokens(text)
		input := InputText(&ex.Input)
		inToks := c.tokens(input)
		correction := c.correction(ex.Format)
		for _, h := range claimed(l, &m.Status, text, toks, true) {
			if echoed(inToks, toks[h.To-1].Text) {
				continue
			}
			fs.add(i, "expected_output", "%s claims a status that nobody has looked up; say what the document says, ask, or hand over", quote(span(text, toks, h)))
		}
		if rowBlind || blind && !correction {
			for _, h := range claimed(l, &m.Lookup, text, toks, false) {
				fs.add(i, "expected_output", "%s claims a look into data that the agent has no access to; hand over instead", quote(span(text, toks, h)))
			}
		}
		identified := identified(l, input, func() []lang.Token { return inToks })
		if rowBlind || needsID != "" && !identified {
			for _, h := range claimed(l, &m.Act, text, toks, true) {
				if rowBlind {
					fs.add(i, "expected_output", "%s claims an act that the agent has no access for; hand over instead", quote(span(text, toks, h)))
				} else {
					fs.add(i, "expected_output", "%s claims the act before the customer is identified; ask first, as the rule says: %s", quote(span(text, toks, h)), quote(needsID))
				}
			}
		}
		if c.Lang != l {
			continue // the document's promises are in another language
		}
		given := c.given(i)
		for _, h := range claimed(l, &m.Promise, text, toks, false) {
			if g.promises[h.Phrase] || given.promises[h.Phrase] {
				continue
			}
			fs.add(i, "expected_output", "%s promises what the document does not; leave it out", quote(span(text, toks, h)))
		}
	}
	return fs
}

// denies reports whether a policy says that the agent cannot see or do
// something.
func (c *Candidate) denies(p *model.Policy) bool {
	return c.Lang != nil && c.has(&c.Lang.Marks.NoAccess, p.Statement)
}

// echoed reports whether a word stands in the tokens in some form.
func echoed(toks []lang.Token, word string) bool {
	stem := firstRunes(word, 5)
	for _, t := range toks {
		if strings.HasPrefix(t.Text, stem) {
			return true
		}
	}
	return false
}

// firstRunes returns the first n runes of s.
func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
