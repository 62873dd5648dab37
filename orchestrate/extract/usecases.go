package extract

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// A matter is a use case in the making: something that a customer or an
// operator comes with.
type matter struct {
	name, description string
	places            []place
	key, bag          bag   // of what is asked; of that and all that answers it
	answer            bag   // of a loose ticket's answer
	claims            []int // that were said for it
	corner            string
	tickets           int
	asked, said       string   // the question and its answer, of a question
	marks             []string // the names and numbers of the question
	loose             bool     // only a ticket brings it up
	dropped           bool
}

func itoa(n int) string { return strconv.Itoa(n) }

// matters finds what customers or operators come with, in the order of the
// strength of its sign: what is asked, what rules are conditional on, what
// messages rules are about, what tickets bring.
func (e *extraction) matters() {
	e.indexClaims()
	e.topics()
	e.conditions()
	if e.kind != model.CaseOperatorQuality {
		e.sections()
	}
	if e.kind == model.CaseOperatorQuality {
		e.messages()
	} else {
		e.handedOver()
		e.mentions()
	}
	e.mergeMatters()
	if e.kind != model.CaseOperatorQuality {
		e.tickets()
	}
	e.dialogues()
	slices.SortStableFunc(e.found, func(a, b matter) int {
		return cmp.Or(cmp.Compare(a.places[0].doc, b.places[0].doc), cmp.Compare(a.places[0].start, b.places[0].start))
	})
}

func (e *extraction) indexClaims() {
	e.linesOf = map[int][]int{}
	for i := range e.all {
		if e.all[i].dropped {
			continue
		}
		for _, p := range slices.Concat(e.all[i].places, e.all[i].supersedes) {
			for n := p.start; n <= p.end; n++ {
				key := p.doc<<32 | n
				e.linesOf[key] = append(e.linesOf[key], i)
			}
		}
	}
}

// claimsAt returns the claims said on the lines of the places.
func (e *extraction) claimsAt(places []place) []int {
	var out []int
	for _, p := range places {
		for n := p.start; n <= p.end; n++ {
			for _, c := range e.linesOf[p.doc<<32|n] {
				if !slices.Contains(out, c) {
					out = append(out, c)
				}
			}
		}
	}
	return out
}

func (e *extraction) add(m matter) {
	m.name = e.l.Shorten(m.name, maxUseCaseName)
	if strings.Count(m.name, "«") > strings.Count(m.name, "»") {
		m.name += "»"
	}
	if m.name == "" || len(m.places) == 0 {
		return
	}
	if m.corner != "" {
		e.corners[m.corner] = append(e.corners[m.corner], len(e.found))
	}
	e.found = append(e.found, m)
}

// topics makes a matter of every question and of every topic that a customer
// can come with.
func (e *extraction) topics() {
	type group struct {
		doc, qa, section int
		topic            string
	}
	at := map[group]int{}
	var groups [][]*unit
	for i := range e.units {
		u := &e.units[i]
		if u.topic == "" {
			continue
		}
		g := group{u.doc, u.qa, u.section, u.topic}
		k, ok := at[g]
		if !ok {
			k = len(groups)
			at[g] = k
			groups = append(groups, nil)
		}
		groups[k] = append(groups[k], u)
	}
	for _, us := range groups {
		e.topic(us)
	}
}

func (e *extraction) topic(us []*unit) {
	u := us[0]
	doc := e.docs[u.doc]
	var places []place
	if u.qa >= 0 {
		qa := &doc.QAs[u.qa]
		for n := qa.LineStart; n <= qa.LineEnd; n += maxEvidenceLines {
			if p, ok := trim(doc, place{u.doc, n, min(qa.LineEnd, n+maxEvidenceLines-1)}); ok {
				places = append(places, p)
			}
		}
	} else {
		for _, v := range us {
			places = appendPlaces(places, place{v.doc, v.start, v.end})
		}
	}
	claims := e.claimsAt(places)
	var answer []string
	for _, v := range us {
		answer = append(answer, v.text)
	}
	said := strings.Join(answer, " ")
	m := matter{places: places, claims: claims, key: e.x.bag(u.topic), bag: e.x.bag(u.topic + " " + said)}
	outcome := lang.Lower(e.l.Shorten(said, maxQuoted))
	switch {
	case u.situation != "":
		m.name = lang.Upper(strings.TrimRight(u.situation, "."))
		m.description = fill(e.l.Claim.RuleOutcome, m.name, outcome)
	case !u.question && (e.l.Structural(u.topic) || !e.customerMatter(claims)):
		return
	case e.kind == model.CaseOperatorQuality && !u.question:
		return // rules about messages: see messages
	case u.question:
		m.asked, m.said, m.marks = u.topic, outcome, marksOf(u.topic)
		m.name = e.l.TaskOf(u.topic)
		m.description = fill(e.l.Claim.AskedOutcome, strings.TrimRight(u.topic, " ?")+"?", outcome)
	default:
		if task := e.l.ConditionTask(u.topic); task != "" {
			m.name = task
			m.description = fill(e.l.Claim.RuleOutcome, task, outcome)
			break
		}
		m.name = strings.Replace(e.l.Claim.About, "%s", lang.Lower(u.topic), 1)
		m.description = fill(e.l.Claim.AskedOutcome, lang.Lower(u.topic), outcome)
	}
	e.add(m)
}

// trim drops blank lines at both ends of a place.
func trim(doc *model.Document, p place) (place, bool) {
	for p.start <= p.end && strings.TrimSpace(doc.Line(p.start)) == "" {
		p.start++
	}
	for p.end >= p.start && strings.TrimSpace(doc.Line(p.end)) == "" {
		p.end--
	}
	return p, p.start <= p.end
}

// customerMatter reports whether one of the claims is about what a customer
// comes with, not only about how the agent sounds.
func (e *extraction) customerMatter(claims []int) bool {
	return slices.ContainsFunc(claims, func(i int) bool {
		t := e.all[i].typ
		return t != model.Style && t != model.Shape
	})
}

func fill(frame, a, b string) string {
	frame = strings.ReplaceAll(frame, "%[1]q", "“"+a+"”")
	frame = strings.ReplaceAll(frame, "%[1]s", a)
	frame = strings.ReplaceAll(frame, "%[2]s", b)
	frame = strings.ReplaceAll(frame, "%s", a)
	if !strings.HasSuffix(frame, ".") {
		frame += "."
	}
	return frame
}

// conditions makes a matter of what customers do in the conditions of rules.
func (e *extraction) conditions() {
	for i := range e.all {
		c := &e.all[i]
		if c.dropped || c.situation != "" {
			continue
		}
		for _, cond := range c.conditions {
			task := e.l.ConditionTask(cond)
			if task == "" {
				continue
			}
			e.add(matter{
				name: task, description: fill(e.l.Claim.RuleOutcome, task, lang.Lower(e.l.Shorten(c.text, maxQuoted))),
				places: slices.Clone(c.places), claims: []int{i},
				key: e.x.bag(cond), bag: c.bag, corner: e.l.CornerKind(task),
			})
		}
		if len(c.conditions) == 0 {
			if head := e.l.SaidBefore(c.text); head != "" {
				name := strings.Replace(e.l.Claim.Message, "%s", lang.Lower(head), 1)
				if e.l.SpeaksOfCustomer(head) {
					name = lang.Upper(head)
				}
				e.add(matter{
					name: name, description: fill(e.l.Claim.RuleOutcome, lang.Upper(head), lang.Lower(e.l.Shorten(c.text, maxQuoted))),
					places: slices.Clone(c.places), claims: []int{i},
					key: e.x.bag(head), bag: c.bag, corner: e.l.CornerKind(head),
				})
			}
		}
	}
}

// sections makes a matter of a section that states rules on one subject, named
// by a title that is no more than the subject.
func (e *extraction) sections() {
	type at struct{ doc, section int }
	seen := map[at]int{}
	var order []at
	for i := range e.units {
		u := &e.units[i]
		if u.section < 0 || u.topic != "" {
			continue
		}
		k := at{u.doc, u.section}
		if _, ok := seen[k]; !ok {
			seen[k] = i
			order = append(order, k)
		}
	}
	of := map[at][]int{}
	for i := range e.all {
		k := at{e.all[i].doc, e.all[i].section}
		of[k] = append(of[k], i)
	}
	for _, k := range order {
		doc := e.docs[k.doc]
		s := &doc.Sections[k.section]
		title := strings.TrimSpace(cutNumber(s.Title))
		if s.Level == 1 || s.Parent < 0 && len(doc.Sections) == 1 || e.l.Structural(title) || len(lang.Words(title)) == 0 || len(lang.Words(title)) > 6 {
			continue
		}
		var places []place
		var claims []int
		var said []string
		for _, i := range of[k] {
			c := &e.all[i]
			if c.dropped || c.topic != "" || c.situation != "" || c.update {
				continue
			}
			if c.typ == model.Style || c.typ == model.Shape {
				continue
			}
			claims = append(claims, i)
			places = appendPlaces(places, c.places[0])
			said = append(said, c.text)
		}
		if len(claims) == 0 {
			continue
		}
		answer := strings.Join(said, " ")
		e.add(matter{
			name: strings.Replace(e.l.Claim.About, "%s", lang.Lower(title), 1), description: fill(e.l.Claim.AskedOutcome, lang.Lower(title), lang.Lower(e.l.Shorten(answer, maxQuoted))),
			places: places, claims: claims, key: e.x.bag(title), bag: e.x.bag(title + " " + answer),
		})
	}
}

// handedOver makes a matter of what rules hand over to a person.
func (e *extraction) handedOver() {
	for i := range e.all {
		c := &e.all[i]
		if c.dropped || c.typ != model.Escalate || c.topic != "" || len(c.conditions) > 0 {
			continue
		}
		head := e.l.HandedOver(c.text)
		if head == "" || e.l.SaidBefore(c.text) != "" {
			continue
		}
		name := strings.Replace(e.l.Claim.About, "%s", lang.Lower(head), 1)
		if e.l.SpeaksOfCustomer(head) {
			name = lang.Upper(head)
		}
		e.add(matter{
			name: name, description: fill(e.l.Claim.RuleOutcome, lang.Upper(head), lang.Lower(e.l.Shorten(c.text, maxQuoted))),
			places: slices.Clone(c.places), claims: []int{i}, key: e.x.bag(head), bag: c.bag,
		})
	}
}

// mentions makes matters of the corner kinds that a document says occur.
func (e *extraction) mentions() {
	for i := range e.units {
		u := &e.units[i]
		for _, part := range strings.FieldsFunc(u.text, func(r rune) bool { return strings.ContainsRune(",;:", r) }) {
			if len(lang.Words(part)) > 8 {
				continue
			}
			if kind := e.l.CornerKind(part); kind != "" && strings.Count(u.text, ",") >= 2 {
				e.corner(kind, place{u.doc, u.start, u.end})
			}
		}
	}
}

// corner adds a place to the matter of a corner kind.
func (e *extraction) corner(kind string, p place) *matter {
	for _, i := range e.corners[kind] {
		if m := &e.found[i]; !m.dropped {
			m.places = appendPlaces(m.places, p)
			return m
		}
	}
	name := e.l.Claim.Corner[kind]
	e.corners[kind] = append(e.corners[kind], len(e.found))
	e.found = append(e.found, matter{
		name: name, description: fill(e.l.Claim.CornerOutcome, name, ""), places: []place{p}, corner: kind, key: e.x.bag(name), bag: e.x.bag(name),
	})
	return &e.found[len(e.found)-1]
}

// messages makes a matter of every kind of message that a rule for messages is
// about, and of every kind that the document says is checked.
func (e *extraction) messages() {
	at := map[string]int{}
	put := func(name, rule string, c int, places []place, b bag) {
		if k, ok := at[name]; ok {
			m := &e.found[k]
			m.places = appendPlaces(m.places, places...)
			if c >= 0 {
				m.claims = append(m.claims, c)
			}
			return
		}
		m := matter{name: name, description: fill(e.l.Claim.MessageOutcome, lang.Lower(e.l.Shorten(rule, maxQuoted)), ""), places: slices.Clone(places), key: e.x.bag(name), bag: b}
		if c >= 0 {
			m.claims = []int{c}
		}
		at[name] = len(e.found)
		e.add(m)
	}
	for i := range e.all {
		c := &e.all[i]
		if c.dropped || c.situation != "" || slices.ContainsFunc(c.conditions, func(s string) bool { return e.l.ConditionTask(s) != "" }) {
			continue
		}
		if name := e.l.MessageKind(c.text); name != "" {
			put(name, c.text, i, c.places, c.bag)
		}
	}
	for i := range e.units {
		u := &e.units[i]
		_, list, ok := strings.Cut(u.text, ":")
		if !ok && e.l.SpeaksOfAgent(u.topic) {
			list, ok = u.text, true
		}
		if !ok {
			continue
		}
		parts := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ';' || r == '/' })
		if len(parts) < 3 || len(e.l.Norms(u.text)) > 0 && !e.l.Norms(u.text)[0].Weak {
			continue
		}
		for _, part := range parts {
			if name := e.l.MessageKind(part); name != "" {
				put(name, part, -1, []place{{u.doc, u.start, u.end}}, e.x.bag(part))
			}
		}
	}
}

// mergeMatters makes one matter of those that are the same.
func (e *extraction) mergeMatters() {
	ix := newIndex(e.x)
	byCorner := map[string]int{}
	many := e.series()
	left, first := 0, 0
	for i := range e.found {
		m := &e.found[i]
		best, score := -1, 0.0
		kind := without(m.asked, m.marks, nil)
		if s := many[kind]; s != nil {
			switch {
			case s.at >= 0 && len(e.found[s.at].claims)+len(m.claims) <= maxRelevant:
				best = s.at
			case s.made == maxSeries:
				m.dropped = true
				left++
				if first == 0 {
					first = m.places[0].start
				}
				continue
			default:
				if s.made++; s.made == 1 {
					ix.add(i, m.key)
				}
				s.at = i
				e.ofKind(m, kind, "")
				continue
			}
		} else if j, ok := byCorner[m.corner]; ok && m.corner != "" {
			best = j
		} else {
			for _, j := range ix.near(m.key, 24) {
				like := e.x.likeness(m.key, e.found[j].key)
				if like.jaccard >= 0.6 || like.overlap >= 0.9 && like.shared >= 2 {
					if like.jaccard > score {
						best, score = j, like.jaccard
					}
				}
			}
		}
		if best < 0 {
			ix.add(i, m.key)
			if m.corner != "" {
				byCorner[m.corner] = i
			}
			continue
		}
		to := &e.found[best]
		if m.asked != "" && to.asked != "" && differ(m.marks, to.marks) {
			if many[kind] == nil {
				kind = without(to.asked, to.marks, m.marks)
			}
			if len(lang.Words(kind)) < 2 {
				ix.add(i, m.key)
				continue
			}
			e.ofKind(to, kind, m.said)
		}
		to.places = appendPlaces(to.places, m.places...)
		for _, c := range m.claims {
			if !slices.Contains(to.claims, c) {
				to.claims = append(to.claims, c)
			}
		}
		to.bag = union(to.bag, m.bag)
		m.dropped = true
	}
	if left > 0 {
		e.refused = append(e.refused, model.Refusal{
			Check: "extract", Index: first,
			Reason: itoa(left) + " more questions that differ from others only in a name or a number are no use cases of their own",
		})
	}
}

// maxSeries is how many use cases are made of questions that differ only in a
// name or a number; each holds as many of them as it can have policies.
const maxSeries = 5

// A run is questions of one kind, more than one use case can have policies.
type run struct{ at, made int } // the last use case made of them; how many

// series returns the kinds of question of which there are too many for one use
// case.
func (e *extraction) series() map[string]*run {
	times := map[string]int{}
	many := map[string]*run{}
	for i := range e.found {
		m := &e.found[i]
		if len(m.marks) == 0 {
			continue
		}
		kind := without(m.asked, m.marks, nil)
		if times[kind]++; times[kind] == maxRelevant+1 && len(lang.Words(kind)) > 1 {
			many[kind] = &run{at: -1}
		}
	}
	return many
}

// ofKind names a matter after what its questions have in common.
func (e *extraction) ofKind(m *matter, kind, said string) {
	if said != "" && !strings.Contains(m.said, said) && strings.Count(m.said, "; ") < 2 {
		m.said += "; " + said
	}
	m.asked = kind
	m.name = e.l.Shorten(e.l.TaskOf(kind), maxUseCaseName)
	m.description = fill(e.l.Claim.AskedOutcome, strings.TrimRight(kind, " ?")+"?", e.l.Shorten(m.said, maxQuoted))
}

// without removes from a question the marks that another one lacks.
func without(question string, marks, others []string) string {
	var keep []string
	for _, f := range strings.Fields(question) {
		w := strings.ToLower(strings.TrimFunc(f, func(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }))
		if slices.Contains(marks, w) && !slices.Contains(others, w) {
			continue
		}
		keep = append(keep, f)
	}
	return strings.TrimRight(strings.Join(keep, " "), " ?")
}

func union(a, b bag) bag {
	roots := append(slices.Clone(a.roots), b.roots...)
	slices.Sort(roots)
	return bag{roots: slices.Compact(roots), number: a.number}
}

// tickets puts each ticket to the matter it brings up, or makes a new one.
func (e *extraction) tickets() {
	ix := newIndex(e.x)
	for i := range e.found {
		if !e.found[i].dropped {
			ix.add(i, e.found[i].bag)
		}
	}
	known := func(w string) bool {
		id, ok := e.x.roots[w]
		return ok && id >= 0 && e.x.df[id] > 0
	}
	type own struct{ n, doc int }
	var loose []own
	total := 0
	for d, doc := range e.docs {
		total += len(doc.Tickets)
		for k := range doc.Tickets {
			t := &doc.Tickets[k]
			p := place{d, t.LineStart, min(t.LineEnd, t.LineStart+maxEvidenceLines-1)}
			if kind := e.ticketCorner(t, known); kind != "" {
				m := e.corner(kind, p)
				m.tickets++
				if c := e.sample(t, kind, p); c >= 0 {
					e.corner(kind, p).claims = append(e.corner(kind, p).claims, c)
				}
				continue
			}
			if j := e.home(ix, t); j >= 0 {
				m := &e.found[j]
				m.places = appendPlaces(m.places, p)
				m.tickets++
				continue
			}
			loose = append(loose, own{k, d})
		}
	}
	for i := range e.asked {
		u := &e.asked[i]
		t := &model.Ticket{Message: strings.Trim(u.text, "«»“”\" "), LineStart: u.start, LineEnd: u.end}
		p := place{u.doc, u.start, u.end}
		if kind := e.ticketCorner(t, known); kind != "" {
			e.corner(kind, p).tickets++
		} else if j := e.home(ix, t); j >= 0 {
			e.found[j].places = appendPlaces(e.found[j].places, p)
		} else {
			e.looseTicket(ix, u.doc, t)
		}
	}
	for _, o := range loose {
		e.looseTicket(ix, o.doc, &e.docs[o.doc].Tickets[o.n])
	}
	e.rare(total)
}

// rare drops, out of a large export, the matters that single tickets bring up
// and no rule speaks of: what came up once in hundreds is no use case.
func (e *extraction) rare(total int) {
	if total <= fewTickets {
		return
	}
	dropped, first := 0, 0
	for i := range e.found {
		if m := &e.found[i]; m.loose && m.tickets < 2+total/fewTickets/4 {
			m.dropped = true
			dropped++
			if first == 0 {
				first = m.places[0].start
			}
		}
	}
	if dropped > 0 {
		e.refused = append(e.refused, model.Refusal{
			Check: "extract", Index: first,
			Reason: "of " + itoa(total) + " tickets, " + itoa(dropped) + " kinds that no rule or question covers came up too seldom to be use cases",
		})
	}
}

const fewTickets = 60 // an export up to this size is read ticket by ticket

func (e *extraction) ticketCorner(t *model.Ticket, known func(string) bool) string {
	switch {
	case t.Empty || strings.TrimSpace(t.Message) == "":
		return lang.CornerEmpty
	case e.l.Injects(t.Message):
		return lang.CornerInjection
	case e.l.Garbled(t.Message, known):
		return lang.CornerGarbage
	case e.l.RefusesTopic(t.Answer):
		return lang.CornerOffTopic
	}
	return ""
}

// home returns the matter that a ticket brings up, or -1: the one whose words
// cover most of what the customer says, with the answer as a second opinion.
func (e *extraction) home(ix *index, t *model.Ticket) int {
	msg, ans := e.messageBag(t.Message), e.x.bag(t.Answer)
	if len(msg.roots) == 0 {
		return -1
	}
	abusive := e.l.Marks.Abuse.In(t.Message)
	best, score := -1, 0.0
	for _, j := range ix.near(union(msg, ans), 24) {
		m := &e.found[j]
		if m.corner == lang.CornerEmpty || m.corner == lang.CornerGarbage || m.corner == lang.CornerOffTopic {
			continue
		}
		said := e.x.mass(common(msg.roots, m.bag.roots)) / e.x.mass(msg.roots)
		asked := 0.0
		if len(m.key.roots) > 0 {
			asked = e.x.mass(common(msg.roots, m.key.roots)) / e.x.mass(m.key.roots)
		}
		answered := 0.0
		if len(ans.roots) > 0 {
			answered = e.x.mass(common(ans.roots, m.bag.roots)) / e.x.mass(ans.roots)
		}
		s := said + asked + answered
		if abusive && asked < 0.4 {
			continue // what it swears about is not this
		}
		need := 0.75
		if answered < 0.15 {
			need = 1 // one shared word is no proof where the answer says nothing
		}
		if (said >= 0.25 || asked >= 0.4) && s >= need && s > score {
			best, score = j, s
		}
	}
	return best
}

// messageBag is what a message is about, whoever it calls for.
func (e *extraction) messageBag(message string) bag {
	ws := lang.Words(message)
	ws = slices.DeleteFunc(ws, e.l.SpeaksOfAgent)
	return e.x.bag(strings.Join(ws, " "))
}

// looseTicket makes a matter of a ticket that no rule or question is near to,
// or puts it to one that another such ticket made.
func (e *extraction) looseTicket(ix *index, d int, t *model.Ticket) {
	p := place{d, t.LineStart, min(t.LineEnd, t.LineStart+maxEvidenceLines-1)}
	message := strings.TrimSpace(t.Message)
	msg := e.x.bag(message)
	for _, j := range ix.near(msg, 24) {
		if m := &e.found[j]; m.tickets > 0 && e.x.likeness(msg, m.key).jaccard >= 0.4 {
			m.places = appendPlaces(m.places, p)
			m.tickets++
			return
		}
	}
	if e.l.Marks.Abuse.In(message) {
		m := e.corner(lang.CornerAbuse, p)
		m.tickets++
		if c := e.sample(t, lang.CornerAbuse, p); c >= 0 {
			m.claims = append(m.claims, c)
		}
		return
	}
	quoted := e.l.Shorten(message, maxQuoted)
	name := strings.Replace(e.l.Claim.Writes, "%s", "«"+e.l.Shorten(message, 60)+"»", 1)
	if e.l.Code == "en" {
		name = strings.NewReplacer("«", "“", "»", "”").Replace(name)
	}
	e.add(matter{
		name: name, description: fill(e.l.Claim.WroteOutcome, quoted, e.l.Claim.ByRules), places: []place{p}, key: msg, answer: e.x.bag(t.Answer), loose: true,
		bag: union(msg, e.x.bag(t.Answer)), tickets: 1,
	})
	ix.add(len(e.found)-1, msg)
}

// sample makes a claim of how the document itself answers an empty or an
// abusive message, where no rule of it speaks of that. Answers to tickets are
// noisy and make no claims otherwise: these two acts, to ask what is needed and
// to stay calm and hand over, state and promise nothing. It returns -1 for any
// other answer.
func (e *extraction) sample(t *model.Ticket, corner string, p place) int {
	m := &e.l.Marks
	answer := strings.TrimSpace(t.Answer)
	if answer == "" || m.Status.In(answer) || m.Promise.In(answer) || m.Lookup.In(answer) {
		return -1
	}
	over := e.l.HandsOver(answer) || m.HandOver.In(answer)
	var frame string
	typ := model.Must
	switch {
	case corner == lang.CornerEmpty && !over:
		frame = e.l.Claim.EmptySample
	case corner == lang.CornerAbuse && over:
		frame, typ = e.l.Claim.RudeSample, model.Style
	default:
		return -1
	}
	for i := range e.all {
		c := &e.all[i]
		if c.dropped || c.typ != typ && typ != model.Must {
			continue
		}
		kind, ok := e.kinds[i]
		if !ok {
			kind = e.l.CornerKind(c.text)
			e.kinds[i] = kind
		}
		if kind == corner {
			return -1
		}
	}
	c := claim{typ: typ, weak: true, places: []place{p}, section: -1, qa: -1, doc: p.doc}
	c.statement = strings.TrimSuffix(fill(frame, strings.TrimSpace(t.Message), strings.TrimRight(answer, " .")), ".")
	c.text = c.statement
	c.bag = e.x.bag(c.statement)
	c.own = c.bag
	e.all = append(e.all, c)
	return len(e.all) - 1
}

// dialogues adds a dialogue to the matter that its first message brings up.
func (e *extraction) dialogues() {
	ix := newIndex(e.x)
	for i := range e.found {
		if !e.found[i].dropped {
			ix.add(i, e.found[i].key)
		}
	}
	for d, doc := range e.docs {
		for _, dl := range doc.Dialogues {
			for _, t := range dl.Turns {
				if t.Role != model.RoleUser {
					continue
				}
				msg := e.x.bag(t.Text)
				best, score := -1, 0.0
				for _, j := range ix.near(msg, 8) {
					m := &e.found[j]
					if s := e.x.mass(common(msg.roots, m.key.roots)) / max(1, e.x.mass(m.key.roots)); s >= 0.4 && s > score {
						best, score = j, s
					}
				}
				if best >= 0 {
					e.found[best].places = appendPlaces(e.found[best].places, place{d, t.LineStart, min(t.LineEnd, t.LineStart+maxEvidenceLines-1)})
				}
			}
		}
	}
}

const (
	maxRelevant = 5  // policies of a use case
	maxBearing  = 32 // policies that are weighed for it
)

// relevant returns the claims that bear on a matter, the most relevant first.
func (e *extraction) relevant(m *matter) []int {
	type scored struct {
		claim int
		score float64
	}
	var out []scored
	near := e.bearing.near(union(m.bag, m.key), maxBearing)
	near = append(near, m.claims...)
	slices.Sort(near)
	for _, i := range slices.Compact(near) {
		c := &e.all[i]
		if c.dropped {
			continue
		}
		s := 0.0
		if slices.Contains(m.claims, i) {
			s += 2
		}
		like := e.x.likeness(m.bag, c.bag)
		asked := e.x.likeness(m.key, c.bag)
		s += like.overlap*0.5 + asked.overlap
		if m.loose {
			if told := e.x.likeness(m.answer, c.bag); told.shared >= 2 {
				s += told.overlap
			}
			if slices.ContainsFunc(common(m.key.roots, c.bag.roots), func(id int) bool { return e.x.df[id] <= 2 }) {
				s += 0.4 // a rare word of the message
			}
		}
		if like.shared == 0 && s == 0 {
			continue
		}
		floor := 0.6
		if m.loose {
			floor = 0.45
		}
		if s >= floor {
			out = append(out, scored{i, s})
		}
	}
	slices.SortStableFunc(out, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	if len(out) > maxRelevant {
		out = out[:maxRelevant]
	}
	var ids []int
	for _, s := range out {
		ids = append(ids, s.claim)
	}
	if len(ids) == 0 || m.loose {
		for _, i := range e.general(m) {
			if !slices.Contains(ids, i) && len(ids) < maxRelevant {
				ids = append(ids, i)
			}
		}
	}
	return ids
}

// general returns the general rules that any matter meets: what is handed over
// and what the agent cannot see or may not do; a corner kind meets first how
// the agent sounds.
func (e *extraction) general(m *matter) []int {
	want := []model.PolicyType{model.Escalate, model.MustNot}
	if m.corner == lang.CornerAbuse {
		want = []model.PolicyType{model.Style, model.Escalate}
	} else if m.corner != "" {
		want = []model.PolicyType{model.MustNot}
	}
	want = append(want, model.Style, model.Must)
	var ids []int
	for k, t := range want {
		if k >= 2 && len(ids) > 0 || m.corner != "" && len(ids) > 0 {
			break
		}
		if i := e.firstGeneral(t); i >= 0 {
			ids = append(ids, i)
		}
	}
	return ids
}

// firstGeneral returns the first claim of a type that stands under no topic, and
// best one that speaks of the agent; or -1.
func (e *extraction) firstGeneral(t model.PolicyType) int {
	if i, ok := e.generals[t]; ok {
		return i
	}
	best, score := -1, -1
	for i := range e.all {
		c := &e.all[i]
		if c.dropped || c.typ != t || c.topic != "" || c.situation != "" || c.internal {
			continue
		}
		s := 0
		if e.l.SpeaksOfAgent(c.text) {
			s++
		}
		if t == model.Escalate && len(c.conditions) == 0 {
			s++
		}
		if e.l.Marks.NoAccess.In(c.text) && t == model.MustNot {
			s += 2
		}
		if s > score {
			best, score = i, s
		}
	}
	e.generals[t] = best
	return best
}
