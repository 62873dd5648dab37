package rules

import (
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// answer is an agent's answer in the making, and what it consists of.
type answer struct {
	w        *work
	r        *rand.Rand
	calm     string
	firm     string
	thanks   string
	facts    []string // statements of fact, offers
	denials  []string
	asks     []string
	asked    string // what is asked for
	handover string
	receiver string
	raw      string // a sample answer of the document that needs no change
}

// most is the number of facts an answer states at the most.
const most = 4

func (a *answer) fact(s string) {
	if s == "" || len(a.facts) >= most || a.has(s) {
		return
	}
	a.facts = append(a.facts, s)
}

func (a *answer) deny(s string) {
	if s != "" && !a.has(s) && len(a.denials) < 2 {
		a.denials = append(a.denials, s)
	}
}

// has reports whether the answer says as much already.
func (a *answer) has(s string) bool {
	words := a.w.k.matter(s)
	for _, x := range slices.Concat(a.facts, a.denials) {
		have := a.w.k.matter(x)
		if x == s || len(words) > 0 && overlap(words, have)*4 >= len(words)*3 && sameNumbers(s, x) {
			return true
		}
	}
	return false
}

func sameNumbers(a, b string) bool {
	return strings.Join(numbers(a), " ") == strings.Join(numbers(b), " ")
}

func numbers(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return r < '0' || r > '9' })
}

func (a *answer) ask(sp lang.Spoken) {
	if sp.Text == "" || len(a.asks) > 0 {
		return
	}
	a.asks = append(a.asks, sp.Text)
	a.asked = sp.Object
}

func (a *answer) hand(sp lang.Spoken) {
	if sp.Text == "" || a.handover != "" {
		return
	}
	a.handover, a.receiver = sp.Text, sp.Object
}

// say puts a spoken norm where it belongs.
func (a *answer) say(sp lang.Spoken) {
	if a.w.l.SpeaksOfCustomer(sp.Text) || a.w.l.Mentions(lang.TopicPerson, sp.Text) {
		return // a rule about customers is not said to one
	}
	switch sp.Act {
	case lang.ActDeny:
		a.deny(sp.Text)
	case lang.ActAsk:
		a.ask(sp)
	case lang.ActHandOver:
		a.hand(sp)
	case lang.ActSorry:
		if a.calm == "" {
			a.calm = sp.Text
		}
	default:
		a.fact(sp.Text)
	}
}

// empty reports whether the answer says nothing of matter.
func (a *answer) empty() bool {
	return len(a.facts) == 0 && len(a.denials) == 0 && a.handover == "" && len(a.asks) == 0
}

func (a *answer) text() string {
	var parts []string
	add := func(s ...string) {
		for _, x := range s {
			if x != "" {
				parts = append(parts, x)
			}
		}
	}
	if a.raw != "" {
		add(a.calm, a.raw)
		return strings.Join(parts, " ")
	}
	a.shorten()
	add(a.calm, a.thanks)
	add(a.denials...)
	add(a.facts...)
	add(a.firm)
	add(a.asks...)
	add(a.handover)
	return strings.Join(parts, " ")
}

// shorten leaves out what an answer can do without until it has no more
// sentences than the rules of form allow.
func (a *answer) shorten() {
	most := a.w.most
	over := func() bool {
		n := len(lang.Sentences(a.calm)) + len(lang.Sentences(a.thanks)) + len(lang.Sentences(a.firm)) + len(lang.Sentences(a.handover))
		for _, s := range slices.Concat(a.denials, a.facts, a.asks) {
			n += len(lang.Sentences(s))
		}
		return most > 0 && n > most
	}
	if over() {
		a.firm = ""
	}
	if over() {
		a.thanks = ""
	}
	for over() && len(a.facts) > 1 && a.join() {
	}
	for over() && len(a.facts) > 1 && len(a.asks)+len(a.denials) > 0 {
		a.facts = a.facts[:len(a.facts)-1]
	}
	for over() && len(a.facts) > 2 {
		a.facts = a.facts[:len(a.facts)-1]
	}
}

// longest is how many characters a sentence joined of two has at the most.
const longest = 160

// join makes one sentence of the last two facts, so that none is lost: an
// exception left out makes a promise of the rule. It reports whether it did.
func (a *answer) join() bool {
	n := len(a.facts)
	first, second := strings.TrimRight(a.facts[n-2], "."), a.facts[n-1]
	if strings.ContainsAny(first, ";?!") || len(lang.Sentences(second)) > 1 || len(lang.Sentences(first)) > 1 || utf8.RuneCountInString(first+second) > longest {
		return false
	}
	a.facts = append(a.facts[:n-2:n-2], first+"; "+lang.Lower(second))
	return true
}

// sentences is the most that an answer may have by the policies; 0 is no limit.
func sentences(l *lang.Language, policies []model.Policy) int {
	most := 0
	for i := range policies {
		p := &policies[i]
		if p.Type != model.Shape && !l.OfReplies(p.Statement) {
			continue
		}
		if n := l.Longest(p.Statement).Sentences; n > 0 && (most == 0 || n < most) {
			most = n
		}
	}
	return most
}

// respond returns the answer to a message that a row's customer wrote.
func (w *work) respond(row *model.Row, m message, r *rand.Rand) (*answer, bool) {
	a := &answer{w: w, r: r}
	policy, role := w.first(row)
	if m.angry {
		a.calm = pick(r, w.calm())
	}
	topic := w.k.matter(m.text)
	usesOpening := m.press == "" || m.opening.text == "" && m.opening.qa >= 0 || m.opening.text != "" && strings.Contains(foldSpace(m.text), foldSpace(firstWords(m.opening.text, 3)))
	if m.opening.qa >= 0 && usesOpening {
		q := w.q(m.opening.qa)
		topic = append(topic, w.k.matter(q.Question)...)
		for i, s := range q.statements {
			if s.Condition != "" && (s.Act == lang.ActAsk || s.Act == lang.ActHandOver) && overlap(w.k.telling(s.Condition), w.k.telling(m.text)) < 1 {
				continue // not the case here
			}
			if i == 0 && s.Act == lang.ActFact && !m.opening.turned {
				s.Text = withoutYes(w.s.Yes, s.Text)
			}
			a.say(s.Spoken)
		}
	}
	for i, id := range row.PolicyIDs {
		p := w.own[id]
		if p == nil || !speaks(p) {
			continue
		}
		v := w.view(p)
		sp := v.spoken
		if !v.speaks {
			continue
		}
		if usesOpening && m.opening.qa >= 0 && w.states(m.opening.qa, p) {
			continue // the answer to its question says it
		}
		shown := m.opening.policy && m.opening.qa < 0 || m.press != "" && m.own
		if i > 0 { // beside the first policy only what its own matter calls for
			if sp.Act == lang.ActHandOver && !w.triggered(p.Statement, m, topic) || sp.Act == lang.ActDeny && overlap(w.k.matter(sp.Text), topic) < 1 {
				continue
			}
			if sp.Act == lang.ActFact && (m.opening.qa >= 0 && usesOpening || overlap(v.matter, topic) < 2) {
				continue
			}
			if (sp.Act == lang.ActAsk || sp.Act == lang.ActOffer) && overlap(v.matter, topic) < 1 {
				continue
			}
		} else if !shown && overlap(v.matter, topic) < 2 {
			continue
		}
		if sp.Act == lang.ActAsk && m.id != "" {
			continue
		}
		a.say(sp)
	}
	if role == model.Pressed && len(a.denials) == 0 && a.handover == "" && policy != nil && speaks(policy) && len(a.facts) > 0 && m.kind != "identify" {
		firm := w.s.Answer.Firm
		if own := w.s.Answer.FirmFor[m.kind]; len(own) > 0 {
			firm = own
		}
		if a.calm != "" { // one understanding is enough
			if less := slices.DeleteFunc(slices.Clone(firm), w.s.Soothing.In); len(less) > 0 {
				firm = less
			}
		}
		a.firm = pick(r, firm)
	}
	w.next(a, row, m, topic)
	if m.opening.qa >= 0 && usesOpening && !m.opening.turned {
		if q := w.q(m.opening.qa); !q.Topic && q.elliptical && len(q.statements) > 0 && len(a.facts) > 0 && a.facts[0] == q.statements[0].Text {
			return nil, false // nobody would understand it without the question
		}
	}
	if a.empty() {
		return nil, false
	}
	if role == model.Pressed && len(a.facts)+len(a.denials) == 0 && a.handover == "" && m.kind != "identify" {
		return nil, false // a question alone does not meet the push
	}
	if a.handover != "" && len(a.facts)+len(a.denials)+len(a.asks) == 0 && m.id == "" {
		a.asks = []string{pick(r, w.s.Answer.AskTrouble)} // whoever takes over must know what it is about
	}
	return a, true
}

func foldSpace(s string) string { return strings.Join(lang.Words(s), " ") }

func firstWords(s string, n int) string {
	words := lang.Words(s)
	return strings.Join(words[:min(n, len(words))], " ")
}

// withoutYes cuts a leading yes or no, which answers a question that was not
// asked in that way.
func withoutYes(yes []string, s string) string {
	for _, y := range yes {
		for _, mark := range []string{", ", ". ", "; ", ": "} {
			if rest, ok := strings.CutPrefix(s, y+mark); ok && len(strings.Fields(rest)) >= 3 {
				return lang.Upper(rest)
			}
		}
	}
	return s
}

// triggered reports whether a message is what a rule speaks about.
func (w *work) triggered(rule string, m message, topic []string) bool {
	return w.angry(m) && angers(w.l, rule) || overlap(w.k.matter(rule), topic) >= 2
}

// angry reports whether a message is an angry one.
func (w *work) angry(m message) bool {
	return m.angry || w.l.Marks.Anger.In(m.text) || w.l.Marks.Abuse.In(m.text)
}

// angers reports whether a rule is on anger, whatever it is about.
func angers(l *lang.Language, rule string) bool {
	if l.Speech.Narrow.In(rule) {
		return false
	}
	for i := range l.Speech.Matters {
		if x := &l.Speech.Matters[i]; x.Key == "anger" && lang.Matches(x.Match, x.Not, rule) {
			return true
		}
	}
	return false
}

// next adds the step that the documents demand after the answer: asking for
// what identifies the case, passing it on.
func (w *work) next(a *answer, row *model.Row, m message, topic []string) {
	if m.id != "" {
		a.facts = slices.DeleteFunc(a.facts, func(f string) bool {
			return len(a.facts) > 1 && w.needed(f) != "" && len(strings.Fields(f)) <= 7 // it is given
		})
		demanded := row.Given == nil
		if len(a.asks) > 0 && w.asksNumber(a.asked) {
			a.asks, a.asked = nil, ""
			demanded = true
		}
		if demanded {
			a.thanks = fill(pick(a.r, w.s.Answer.GotID), "{n}", m.id)
		}
	}
	if len(a.asks) == 0 && m.id == "" {
		best, score := lang.Spoken{}, 0
		for _, i := range lookUp(w.k.asked, topic) {
			s := &w.k.statements[i]
			if n := overlap(s.stems, topic); n > score {
				best, score = s.Spoken, n
			}
		}
		a.ask(best)
	}
	if len(a.asks) == 0 && m.id == "" { // a fact says what is needed
		for _, f := range a.facts {
			if that := w.needed(f); that != "" {
				a.asks = append(a.asks, fill(pick(a.r, w.s.Answer.AskID), "{that}", that))
				a.asked = that
				break
			}
		}
	}
	if len(a.asks) == 0 && m.id == "" && row.Given == nil && (w.acts(m.text) || len(a.denials) > 0) { // on something that must be found first
		for i := range w.k.statements {
			if s := &w.k.statements[i]; s.Act == lang.ActAsk && w.asksNumber(s.Object) {
				a.ask(s.Spoken)
				break
			}
		}
		if that := w.demanded(); len(a.asks) == 0 && that != "" {
			a.asks = append(a.asks, fill(pick(a.r, w.s.Answer.AskID), "{that}", that))
			a.asked = that
		}
	}
	if a.handover == "" {
		angry := w.angry(m)
		best, score := lang.Spoken{}, 0
		for _, i := range w.k.handing {
			s := &w.k.statements[i]
			n := overlap(s.stems, topic)
			if n < 2 && !(angry && s.angers) && !(len(a.denials) > 0 && w.follows(i, a.denials)) {
				continue
			}
			if len(a.denials) > 0 && w.follows(i, a.denials) {
				n += 10 // who does what the agent cannot
			}
			if n+1 > score {
				best, score = s.Spoken, n+1
			}
		}
		a.hand(best)
	}
}

// demanded returns the identifier that the documents say must be asked for, as
// the object of an asking sentence; empty when they name none.
func (w *work) demanded() string {
	for _, low := range w.k.demands {
		for _, id := range w.s.IDs {
			if strings.Contains(low, id) {
				return w.s.Your + id
			}
		}
	}
	return ""
}

// calm returns what an answer to an angry customer begins with: an apology
// where the documents demand one.
func (w *work) calm() []string {
	if !w.k.apologises {
		return w.s.Answer.Calm
	}
	return slices.DeleteFunc(slices.Clone(w.s.Answer.Calm), func(s string) bool { return !w.l.Mentions(lang.TopicApology, s) })
}

// acts reports whether a message wants something done to an order or a record
// of the customer's own.
func (w *work) acts(text string) bool {
	for i := range w.s.Needs {
		n := &w.s.Needs[i]
		switch n.Key {
		case "cancel", "reschedule", "return", "refund", "address", "status", "double_charge", "replace", "damaged", "pause", "late":
			if lang.Matches(n.Match, n.Not, text) {
				return true
			}
		}
	}
	return false
}

// follows reports whether a statement stands beside one of the denials: what
// the agent does instead.
func (w *work) follows(at int, denials []string) bool {
	s := &w.k.statements[at]
	for i := at - 1; i >= 0 && w.k.statements[i].doc == s.doc && s.start-w.k.statements[i].end <= 2; i-- {
		if d := &w.k.statements[i]; d.Act == lang.ActDeny && slices.Contains(denials, d.Text) {
			return true
		}
	}
	for i := at + 1; i < len(w.k.statements) && w.k.statements[i].doc == s.doc && w.k.statements[i].start-s.end <= 2; i++ {
		if d := &w.k.statements[i]; d.Act == lang.ActDeny && slices.Contains(denials, d.Text) {
			return true
		}
	}
	return false
}

func (w *work) asksNumber(object string) bool {
	low := strings.ToLower(object)
	for _, id := range w.s.IDs {
		if strings.Contains(low, id) {
			return true
		}
	}
	return false
}

// needed returns the identifier that a fact says is needed, as the object of
// an asking sentence.
func (w *work) needed(fact string) string {
	if !w.s.Needed.In(fact) {
		return ""
	}
	low := strings.ToLower(fact)
	for _, id := range w.s.IDs {
		if strings.Contains(low, id) {
			return w.s.Your + id
		}
	}
	return ""
}

// criteriaOf returns the criteria of an answer.
func (w *work) criteriaOf(row *model.Row, m message, a *answer) []string {
	c := &w.s.Criteria
	var out []string
	frames := w.fresh(a.r, c.States)
	for i, f := range a.facts {
		out = append(out, fill(frames[i%len(frames)], "{fact}", quoted(f)))
		if i == 1 {
			break
		}
	}
	for i, d := range a.denials {
		out = append(out, fill(frames[(i+2)%len(frames)], "{fact}", quoted(d)))
	}
	if a.asked != "" {
		that := a.asked
		if rest, ok := strings.CutPrefix(that, w.s.Your); ok && w.s.Your != "" {
			that = w.s.The + rest
		}
		out = append(out, fill(pick(a.r, c.AskID), "{that}", that))
	}
	if a.receiver != "" {
		out = append(out, fill(pick(a.r, c.HandOver), "{who}", a.receiver))
	}
	if m.id != "" {
		out = append(out, fill(pick(a.r, c.NoAskID), "{n}", m.id))
	}
	if a.calm != "" {
		out = append(out, pick(a.r, c.Calm))
	}
	if m.press != "" {
		out = append(out, pick(a.r, c.NoPromise))
	}
	if len(a.denials) > 0 {
		out = append(out, pick(a.r, c.Deny))
	}
	for _, id := range row.PolicyIDs {
		if p := w.own[id]; p != nil && !speaks(p) {
			out = append(out, fill(pick(a.r, c.Rule), "{rule}", quoted(p.Statement)))
		}
	}
	out = append(out, w.fresh(a.r, c.NoInvent)[0], pick(a.r, c.OnTopic), pick(a.r, c.Polite))
	return w.distinct(out)
}

func quoted(s string) string {
	s = strings.TrimRight(s, ". ")
	if r := []rune(s); len(r) > 220 {
		cut := strings.LastIndexAny(string(r[:220]), " ")
		s = strings.TrimRight(s[:cut], " ,;:") + " …"
	}
	return strings.NewReplacer("«", "„", "»", "“").Replace(s)
}
