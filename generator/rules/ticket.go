package rules

import (
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// reply returns the answer to a message that stands in the documents.
func (w *work) reply(row *model.Row, r *rand.Rand) (message, *answer, string) {
	m := message{text: row.Given[len(row.Given)-1].Content, opening: opening{qa: -1}}
	a := &answer{w: w, r: r}
	if strings.TrimSpace(m.text) == "" {
		a.asks = []string{pick(r, w.s.Answer.Clarify)}
		return m, a, ""
	}
	sample := w.k.samples[m.text]
	in := &model.Input{Messages: row.Given}
	m.angry = w.classify("tone", in) == "angry"
	given := w.classify("identifier", in) == "present"
	if given {
		m.id = longestNumber(m.text)
	}
	if m.angry {
		a.calm = pick(r, w.calm())
	}
	topic := w.k.telling(m.text)
	hints := w.k.telling(sample)
	keys := w.needKeys(m.text)

	// The statements that decide: what message and sample speak about.
	type scored struct {
		s    *statement
		n, i int
	}
	var found []scored
	topics, hinted := w.k.meets(topic), w.k.meets(hints)
	for _, i := range w.k.near(append(slices.Clone(topic), w.cited()...)...) {
		s := &w.k.statements[i]
		if topics[i] < 2 && (topics[i] < 1 || hinted[i] < 2) && !(s.qa >= 0 && len(keys) > 0) {
			continue // too little in common, whatever is related
		}
		if s.qa < 0 && s.Act == lang.ActFact && !w.standsFor(row, s) {
			continue
		}
		t, h := overlap(topic, s.stems), overlap(hints, w.k.tell(s.own))
		same := s.qa >= 0 && slices.ContainsFunc(w.k.qas[s.qa].needs, func(k string) bool { return slices.Contains(keys, k) })
		if t < 2 && !same && (t < 1 || h < 2) {
			continue
		}
		n := 3*t + 2*min(3, h)
		if same {
			n += 4
		}
		for _, id := range row.PolicyIDs {
			if p := w.own[id]; p != nil && cites(p.Evidence, s.doc, s.start, s.end) && n > 0 {
				n++
			}
		}
		if n >= 5 {
			found = append(found, scored{s, n, i})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return b.n - a.n })
	for i, f := range found {
		if f.n*4 < found[0].n*3 || i >= 3 {
			found = found[:i]
			break
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.i - b.i })
	for _, f := range found {
		if f.s.Act == lang.ActHandOver && f.s.Condition != "" && !w.triggered(f.s.source, m, topic) {
			continue
		}
		if a.empty() && w.l.Joins(f.s.source) {
			continue // it goes on with what is not said
		}
		if f.s.Act == lang.ActAsk && m.id != "" || given && f.s.Act != lang.ActDeny && w.l.Marks.NeedsID.In(f.s.source) && (w.s.Needed.In(f.s.source) || f.s.Act == lang.ActAsk) {
			continue // it is given
		}
		sp := f.s.Spoken
		if sp.Act == lang.ActFact {
			if sp.Text = withoutYes(w.s.Yes, sp.Text); sp.Text != f.s.Text && len(strings.Fields(sp.Text)) < 6 {
				continue
			}
		}
		a.say(sp)
	}
	// One statement out of an answer of the document is a dead end or half of the
	// truth: what stands beside it there belongs to it, in the document's order.
	if len(found) == 1 && found[0].s.qa >= 0 && found[0].s.Act == lang.ActFact && found[0].s.Condition == "" && len(a.facts) == 1 && len(a.denials) == 0 {
		a.facts = nil
		for _, other := range w.q(found[0].s.qa).statements {
			if other.Act == lang.ActFact && other.Condition == "" {
				a.say(other.Spoken)
			}
		}
	}
	if w.usable(a, sample, m) {
		a.raw = lang.Sentence(sample)
		if m.angry && (w.l.Marks.HandOver.In(sample) || len(a.raw) > 0) && w.s.Soothing.In(sample) {
			a.calm = ""
		}
		return m, w.read(a, sample), ""
	}
	w.fromSample(a, m, sample)
	if !a.empty() || m.angry {
		w.next(a, row, m, topic)
	}
	if a.empty() {
		switch {
		case w.l.Marks.Refuse.In(sample) && w.safe(sample, m):
			a.denials = []string{lang.Sentence(sample)}
		case m.angry && (w.l.Marks.Abuse.In(m.text) || len(topic) <= 3):
			a.calm = ""
			a.asks = []string{pick(r, w.s.Answer.Abuse)}
			if w.k.apologises {
				a.calm, a.asks = pick(r, w.calm()), []string{pick(r, w.s.Answer.AskTrouble)}
			}
		case w.l.Marks.Clarify.In(sample) && w.safe(sample, m):
			a.asks = []string{lang.Sentence(sample)}
		case len(topic) == 0:
			a.asks = []string{pick(r, w.s.Answer.Clarify)}
		default:
			return m, nil, "no rule or fact of the document decides the message"
		}
	}
	if a.raw == "" && len(a.facts) > 0 && !w.meets(m.text, a) {
		return m, nil, "what the document states of it answers another need"
	}
	return m, a, ""
}

// usable reports whether a sample answer can be given as it stands: it claims
// nothing, and it says all that the documents state on the matter.
func (w *work) usable(a *answer, sample string, m message) bool {
	if !w.safe(sample, m) || w.l.Marks.Stock.In(sample) {
		return false
	}
	k := &w.l.Marks
	if m.id != "" && k.Clarify.In(sample) && k.NeedsID.In(sample) {
		return false
	}
	have := w.k.matter(sample)
	for _, f := range slices.Concat(a.facts, a.denials) {
		words := w.k.matter(f)
		if overlap(words, have)*4 < len(words)*3 {
			return false
		}
		for _, n := range numbers(f) {
			if !slices.Contains(numbers(sample), n) {
				return false
			}
		}
	}
	return true
}

// read sorts the sentences of a sample answer into what they do, for the
// criteria.
func (w *work) read(a *answer, sample string) *answer {
	a.facts, a.denials, a.asks, a.handover, a.asked, a.receiver = nil, nil, nil, "", "", ""
	for _, s := range lang.Sentences(sample) {
		if len(lang.Words(s)) >= 3 {
			a.facts = append(a.facts, lang.Sentence(s))
		}
	}
	return a
}

// fromSample takes from an operator's sample answer what it asks for and who it
// passes the matter to, and what facts the documents bear out word by word.
// What it claims to have looked up or done is left out.
func (w *work) fromSample(a *answer, m message, sample string) {
	k := &w.l.Marks
	for _, s := range lang.Sentences(sample) {
		s = strings.TrimSpace(s)
		for _, dash := range []string{" — ", " – ", " - "} {
			if head, tail, ok := strings.Cut(s, dash); ok && w.claims(tail) && !w.claims(head) && len(strings.Fields(head)) >= 3 {
				s = head
			}
		}
		if w.claims(s) || w.k.outdated(s) {
			continue
		}
		switch {
		case k.HandOver.In(s) && w.l.Speech.Passing.In(s):
			if a.handover == "" && strings.Contains(w.k.text, strings.ToLower(lastWord(s))) {
				a.handover = lang.Sentence(s)
			}
		case k.Clarify.In(s) || strings.HasSuffix(s, "?") && len(a.asks) == 0:
			if len(a.asks) == 0 && m.id == "" && !k.Stock.In(s) && len(lang.Words(s)) >= 3 {
				a.asks = []string{lang.Sentence(s)}
			}
		case k.NoAccess.In(s):
			for i := range w.k.statements {
				if d := &w.k.statements[i]; d.Act == lang.ActDeny && k.NoAccess.In(d.source) {
					a.deny(d.Text)
					break
				}
			}
		default:
			if len(a.facts)+len(a.denials) == 0 && w.borneOut(s) {
				a.fact(lang.Sentence(s))
			}
		}
	}
}

// claims reports whether a sentence claims what an agent cannot answer for.
func (w *work) claims(s string) bool {
	k := &w.l.Marks
	return k.Lookup.In(s) || k.Act.In(s) || k.Status.In(s) || k.Promise.In(s) && !w.borneOut(s) || w.s.Claiming.In(s)
}

// safe reports whether a whole sample can be said.
func (w *work) safe(sample string, m message) bool {
	if sample == "" || w.k.outdated(sample) || w.claims(sample) || len(lang.Words(sample)) < 3 {
		return false
	}
	for _, f := range coverage.Facts(sample) {
		if !strings.Contains(w.k.rules, strings.ToLower(f.Text)) && !strings.Contains(m.text, f.Text) {
			return false
		}
	}
	return true
}

// borneOut reports whether the documents state what a sentence says, outside of
// samples: one statement has nearly all of its words and all of its numbers.
func (w *work) borneOut(s string) bool {
	words := w.k.matter(s)
	if len(words) < 2 {
		return false
	}
	for _, i := range w.k.near(words...) {
		st := &w.k.statements[i]
		if overlap(words, st.stems)*5 >= len(words)*4 {
			ok := true
			for _, n := range numbers(s) {
				ok = ok && slices.Contains(numbers(st.source), n)
			}
			if ok {
				return true
			}
		}
	}
	return false
}

func (w *work) classify(axis string, in *model.Input) string {
	v, _ := coverage.Classify(w.l, model.Axis{Name: axis, Rule: axis}, in, model.SingleTurnQA)
	return v
}

// meets reports whether an answer speaks of what a message wants done, if it
// wants anything done.
func (w *work) meets(text string, a *answer) bool {
	said := strings.Join(slices.Concat(a.facts, a.denials), " ")
	for i := range w.s.Needs {
		n := &w.s.Needs[i]
		switch n.Key {
		case "cancel", "reschedule", "return", "refund", "replace":
			if lang.Matches(n.Match, n.Not, text) && !lang.Matches(n.Match[:1], lang.Lexicon{}, said) {
				return false
			}
		}
	}
	return true
}

// needKeys returns the keys of the needs that a text speaks of.
func (w *work) needKeys(text string) []string { return needKeys(w.l, text) }

func needKeys(l *lang.Language, text string) []string {
	var out []string
	toks := lang.Tokens(text)
	for i := range l.Speech.Needs {
		if n := &l.Speech.Needs[i]; lang.MatchesTokens(n.Match, n.Not, toks) {
			out = append(out, n.Key)
		}
	}
	return out
}

// standsFor reports whether a statement is where a policy of the row stands.
func (w *work) standsFor(row *model.Row, s *statement) bool {
	return slices.ContainsFunc(row.PolicyIDs, func(id string) bool {
		p := w.own[id]
		return p != nil && cites(p.Evidence, s.doc, s.start, s.end)
	})
}

func longestNumber(s string) string {
	best := ""
	for _, n := range numbers(s) {
		if len(n) > len(best) {
			best = n
		}
	}
	if len(best) < 4 {
		return ""
	}
	return best
}

func lastWord(s string) string {
	words := lang.Words(s)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// cited returns the stems of the use case's questions, whose answers decide a
// ticket in whatever words it comes.
func (w *work) cited() []string {
	var out []string
	for _, i := range w.about() {
		out = append(out, w.q(i).asked...)
	}
	return out
}
