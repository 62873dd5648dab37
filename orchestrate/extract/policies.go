package extract

import (
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// A claim is a policy in the making.
type claim struct {
	typ                    model.PolicyType
	weak                   bool
	statement              string // can be read alone
	label                  string // the clause that obliges, for a name
	text                   string // what it says, without what it stands under
	cue                    string
	topic                  string
	conditions, exceptions []string
	places                 []place
	supersedes             []place
	bag, own, head         bag // own leaves the topic out, head is the topic
	internal               bool
	marks, headMarks       []string // the names and numbers in it and in its topic
	update                 bool
	situation              string
	dropped                bool
	section, qa, doc       int
}

// A place is a range of lines of a document.
type place struct{ doc, start, end int }

// claims makes policies of the units that oblige.
func (e *extraction) claims() {
	for i := range e.units {
		u := &e.units[i]
		norms := e.l.Norms(u.text)
		found := e.claimsOf(u, norms)
		e.all = append(e.all, found...)
		if about := e.l.About(u.text); strong(norms) && !quoted(u.text) && !e.listed(u) && !about {
			e.obligations++
			if len(found) == 0 {
				e.unmapped(u)
			}
		} else if about && strong(norms) {
			e.refuse(u, "it speaks about the document or the project, not about what the agent does")
		}
	}
	for i := range e.all {
		c := &e.all[i]
		c.own = e.x.bag(c.text)
		c.head = e.x.bag(c.topic)
		c.marks, c.headMarks = marksOf(c.topic, c.text), marksOf(c.topic)
		c.bag = e.x.bag(c.topic + " " + c.text)
	}
	for i := range e.all {
		e.x.count(e.all[i].bag)
	}
}

// claimsOf reads the obligations of one unit.
func (e *extraction) claimsOf(u *unit, norms []lang.Norm) []claim {
	if u.mistakes && !(strong(norms) && (e.l.SpeaksOfAgent(u.text) || len(lang.Words(u.text)) > 6)) {
		return nil // a sample of what went wrong
	}
	if e.l.About(u.text) {
		return nil
	}
	if quoted(u.text) || e.listed(u) || !u.question && e.l.Fragment(u.text) {
		return nil
	}
	base := claim{
		topic: u.topic, places: []place{{u.doc, u.start, u.end}}, update: u.update || e.l.Overrules(u.text),
		situation: u.situation, section: u.section, qa: u.qa, doc: u.doc, internal: e.l.Internal(u.text),
	}
	if u.lead != "" {
		n := e.l.Norms(u.lead)[0]
		c := base
		c.typ, c.cue = n.Type, n.Cue
		c.text = u.lead + " " + lang.Lower(u.text)
		c.statement = c.text
		c.conditions = n.Conditions
		if ns := e.l.Norms(c.text); len(ns) > 0 {
			c.typ, c.conditions, c.exceptions = ns[0].Type, ns[0].Conditions, ns[0].Exceptions
		}
		return []claim{c}
	}
	var extends []claim
	if u.prev >= 0 && e.l.SameFor(u.text) {
		for i := len(e.all) - 1; i >= 0 && e.all[i].places[0] == (place{u.doc, e.units[u.prev].start, e.units[u.prev].end}); i-- {
			c := base
			c.typ, c.weak, c.text = e.all[i].typ, e.all[i].weak, u.text
			c.statement = e.alone(u, u.text)
			if c.typ == model.Escalate || i == 0 || e.all[i-1].places[0] != e.all[i].places[0] {
				extends = []claim{c}
				break
			}
		}
	}
	if len(norms) == 0 {
		if len(extends) > 0 {
			return extends
		}
		if !e.states(u) {
			return nil
		}
		c := base
		c.typ, c.weak, c.text = model.Must, true, u.text
		c.statement = e.alone(u, u.text)
		if e.l.HandsOver(u.text) {
			c.typ = model.Escalate
		}
		return []claim{c}
	}
	out := extends
	for _, n := range norms {
		if n.Weak && !e.binds(u) || u.setting == inIntro && !e.l.AgentActs(n.Text, n.Cue) {
			continue
		}
		if n.Weak && u.setting == inList && e.l.TellsOfCustomers(u.text) {
			continue
		}
		c := base
		c.typ, c.weak, c.text, c.cue = n.Type, n.Weak, n.Part, n.Cue
		c.conditions, c.exceptions = n.Conditions, n.Exceptions
		c.statement = e.alone(u, n.Part)
		if lang.Upper(n.Part) == c.statement {
			c.label = n.Text
		}
		if n.Weak && u.setting == inText && len(lang.Words(n.Part)) < 4 {
			continue
		}
		out = append(out, c)
	}
	// A sentence may state facts besides its norms: "22 spaces; they can't be
	// reserved".
	return out
}

// listed reports whether a unit lists what is checked in messages: kinds of
// message, not rules.
func (e *extraction) listed(u *unit) bool {
	return e.kind == model.CaseOperatorQuality && e.l.SpeaksOfAgent(u.topic) && strings.Count(u.text, ",") >= 3
}

// strong reports whether one of the norms has a word of obligation.
func strong(norms []lang.Norm) bool {
	return slices.ContainsFunc(norms, func(n lang.Norm) bool { return !n.Weak })
}

// states reports whether a sentence without any word of obligation counts as a
// fact the agent must state: only where answers stand.
func (e *extraction) states(u *unit) bool {
	n := len(lang.Words(u.text))
	if u.qa >= 0 && u.leans {
		return true
	}
	return u.setting == inAnswer && n >= 2 || u.setting == inList && n >= 4 && !e.l.TellsOfCustomers(u.text)
}

// binds reports whether a practice or a fact obliges where it stands.
func (e *extraction) binds(u *unit) bool {
	switch u.setting {
	case inAnswer, inList:
		return true
	case inText:
		return true
	default:
		return false
	}
}

// quoted reports whether all of a text is a quotation.
func quoted(s string) bool {
	s = strings.Trim(s, " .")
	for _, q := range []string{"«»", "“”", "\"\""} {
		r := []rune(q)
		if strings.HasPrefix(s, string(r[0])) && strings.HasSuffix(s, string(r[1])) && strings.Count(s, string(r[1])) <= 2 && len(s) > 2 {
			return true
		}
	}
	return false
}

// alone makes a statement that can be read without what stands around it.
func (e *extraction) alone(u *unit, text string) string {
	text = strings.TrimSpace(text)
	if u.leans && u.prev >= 0 {
		if whole := e.l.Resolve(e.units[u.prev].text, text); whole != "" {
			v := *u
			v.leans = false
			u, text = &v, whole
		}
	}
	topic := u.topic
	switch {
	case u.situation != "":
		return strings.TrimRight(u.situation, ".") + ": " + lang.Lower(text)
	case topic == "" && u.leans && u.prev >= 0:
		before := &e.units[u.prev]
		lead := before.text
		for hops := 0; before.leans && before.prev >= 0 && hops < 2; hops++ {
			before = &e.units[before.prev]
			lead = before.text + " " + lead
		}
		return lead + " " + lang.Upper(text)
	case u.row && !strings.ContainsAny(text[len(text)-1:], ".!?") && !begins(text, topic):
		return lang.Upper(topic) + ": " + lang.Lower(text)
	case topic == "" || e.selfContained(u, text):
		return lang.Upper(text)
	case u.question:
		if u.leans && u.prev >= 0 && e.units[u.prev].topic == topic && e.l.RefersBack(text) {
			text = e.units[u.prev].text + " " + lang.Upper(text)
		}
		return asQuestion(topic) + " " + lang.Upper(text)
	default:
		return lang.Upper(topic) + ": " + lang.Lower(text)
	}
}

// asQuestion ends a question with one mark.
func asQuestion(topic string) string {
	topic = strings.TrimSpace(topic)
	if strings.HasSuffix(topic, "!") || strings.HasSuffix(topic, ".") {
		return topic // a call for help
	}
	return strings.TrimRight(topic, " ?") + "?"
}

// begins reports whether a text begins with all the words of a topic.
func begins(text, topic string) bool {
	t, p := lang.Words(text), lang.Words(topic)
	return len(p) <= len(t) && slices.Equal(t[:len(p)], p)
}

// selfContained reports whether a text under a topic names its own matter.
func (e *extraction) selfContained(u *unit, text string) bool {
	if u.leans || e.l.Continues(text) || u.question && e.l.Answers(text) {
		return false
	}
	own := e.x.bag(text)
	if len(common(own.roots, e.x.bag(u.topic).roots)) > 0 {
		return true
	}
	return len(own.roots) >= 6 || e.l.SpeaksOfAgent(text) && len(own.roots) >= 3
}

// merge makes one claim of those that say the same.
func (e *extraction) merge() {
	ix := newIndex(e.x)
	for i := range e.all {
		c := &e.all[i]
		best, score := -1, 0.0
		for _, j := range ix.near(c.bag, 24) {
			d := &e.all[j]
			if s, ok := e.same(c, d); ok && s > score {
				best, score = j, s
			}
		}
		if best < 0 {
			ix.add(i, c.bag)
			continue
		}
		d := &e.all[best]
		d.places = appendPlaces(d.places, c.places...)
		if d.weak && !c.weak {
			d.typ, d.weak, d.statement, d.conditions, d.exceptions, d.cue, d.text, d.label = c.typ, false, c.statement, c.conditions, c.exceptions, c.cue, c.text, c.label
		}
		c.dropped = true
	}
}

// same reports whether two claims say the same, and how surely.
func (e *extraction) same(c, d *claim) (float64, bool) {
	if c.update || d.update {
		return 0, false
	}
	like := e.x.likeness(c.bag, d.bag)
	equal, conflict := numbers(c.bag, d.bag)
	if conflict || len(c.marks)*len(d.marks) > 0 && !slices.Equal(c.marks, d.marks) || differ(c.headMarks, d.headMarks) {
		return 0, false // what holds for one of them need not hold for the other
	}
	near := c.doc == d.doc && c.places[0].start <= d.places[0].end+1 && d.places[0].start <= c.places[0].end+1 || c.qa >= 0 && c.qa == d.qa && c.doc == d.doc
	if near { // neighbours share their topic
		like := e.x.likeness(c.own, d.own)
		return like.jaccard, like.jaccard >= 0.8
	}
	topics := e.x.likeness(c.head, d.head)
	if topics.overlap >= 0.99 && equal > 0 && c.typ == d.typ {
		return topics.overlap, true
	}
	if c.typ == model.Escalate && d.typ == model.Escalate && len(c.conditions) > 0 && len(d.conditions) > 0 {
		if when := e.x.likeness(e.x.bag(strings.Join(c.conditions, " ")), e.x.bag(strings.Join(d.conditions, " "))); when.overlap >= 0.45 {
			return when.overlap, true
		}
	}
	negC, negD := c.typ == model.MustNot, d.typ == model.MustNot
	switch {
	case like.jaccard >= 0.6:
		return 1 + like.jaccard, true
	case negC != negD && equal == 0 && like.jaccard < 0.4:
		return 0, false
	case like.overlap >= 0.75 && like.shared >= 3,
		like.overlap >= 0.55 && like.shared >= 2 && equal > 0,
		like.overlap >= 0.5 && like.shared >= 1 && equal > 0 && min(len(c.bag.roots), len(d.bag.roots)) <= 3,
		negC && negD && like.overlap >= 0.5 && like.shared >= 3,
		like.overlap >= 0.99 && like.shared >= 2:
		return like.overlap, true
	}
	return 0, false
}

func appendPlaces(to []place, more ...place) []place {
	for _, p := range more {
		if !slices.ContainsFunc(to, func(q place) bool { return q.doc == p.doc && q.start <= p.start && p.end <= q.end }) {
			to = append(to, p)
		}
	}
	return to
}

// overrule drops what a later statement explicitly changes.
func (e *extraction) overrule() {
	ix := newIndex(e.x)
	for i := range e.all {
		if c := &e.all[i]; !c.dropped && !c.update {
			ix.add(i, c.bag)
		}
	}
	for i := range e.all {
		c := &e.all[i]
		if !c.update || c.dropped {
			continue
		}
		best, score := -1, 0.0
		for _, j := range ix.near(c.bag, 64) {
			d := &e.all[j]
			if d.dropped {
				continue
			}
			like := e.x.likeness(c.bag, d.bag)
			if like.shared == 0 {
				continue
			}
			old := 0
			for q := range c.bag.number {
				if d.bag.number[q] {
					old++
				}
			}
			_, conflict := numbers(c.bag, d.bag)
			s := like.overlap
			switch {
			case old > 0 && like.overlap >= 0.25:
				s += 0.5
			case conflict && like.overlap >= 0.5:
			default:
				continue
			}
			if s > score {
				best, score = j, s
			}
		}
		if best < 0 {
			continue
		}
		d := &e.all[best]
		c.supersedes = append(c.supersedes, d.places...)
		if rest := withoutNumbers(e.l, d.text, c.bag); rest != "" {
			d.text, d.label = rest, ""
			d.statement = rest
			if d.topic != "" {
				d.statement = lang.Upper(d.topic) + ": " + lang.Lower(rest)
				if isQuestion(d.topic) {
					d.statement = asQuestion(d.topic) + " " + lang.Upper(rest)
				}
			}
			continue
		}
		d.dropped = true
	}
}

// withoutNumbers removes from a statement the part between commas that holds
// quantities of an update; it returns "" when little is left.
func withoutNumbers(l *lang.Language, text string, update bag) string {
	parts := strings.Split(text, ", ")
	var keep []string
	for _, p := range parts {
		hit := false
		for _, q := range l.Quantities(p) {
			hit = hit || update.number[q.Number+" "+q.Unit] || update.number[q.Number+" "]
		}
		if !hit {
			keep = append(keep, p)
		}
	}
	rest := strings.Join(keep, ", ")
	if len(keep) == len(parts) || len(lang.Words(rest)) < 4 {
		rest = l.CutQuantity(text, func(q lang.Quantity) bool { return update.number[q.Number+" "+q.Unit] })
		if len(l.Quantities(rest)) == 0 {
			return ""
		}
	}
	return rest
}

// contradictions pairs claims on one subject that state different quantities.
func (e *extraction) contradictions() [][2]int {
	var out [][2]int
	ix := newIndex(e.x)
	for i := range e.all {
		c := &e.all[i]
		if c.dropped || len(c.bag.number) == 0 {
			continue
		}
		for _, j := range ix.near(c.bag, 16) {
			d := &e.all[j]
			if _, conflict := numbers(c.bag, d.bag); !conflict || c.qa >= 0 && c.qa == d.qa || len(c.supersedes) > 0 {
				continue
			}
			if like := e.x.likeness(c.bag, d.bag); like.shared >= 2 && like.jaccard >= 0.5 && sameConditions(e.x, c, d) {
				out = append(out, [2]int{j, i})
			}
		}
		ix.add(i, c.bag)
	}
	return out
}

func sameConditions(x *lexicon, c, d *claim) bool {
	a, b := x.bag(strings.Join(c.conditions, " ")), x.bag(strings.Join(d.conditions, " "))
	return len(common(a.roots, b.roots)) >= min(len(a.roots), len(b.roots))
}
