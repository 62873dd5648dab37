package lang

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/model"
)

// Claims is how one language names and describes use cases and policies, and
// the words by which structure is told: what makes a section's title
// structural, what a reply to an off-topic message sounds like, what kind of
// agent a document is about.
type Claims struct {
	// Asks, WantsTo, About and Writes name a use case: from a question, from an
	// action, from a topic, from a message. %s is filled.
	Asks, WantsTo, About, Writes, Message string
	// AskedOutcome, WroteOutcome and RuleOutcome describe a use case: %[1]s is
	// what the customer comes with, %[2]s what follows.
	AskedOutcome, WroteOutcome, RuleOutcome, MessageOutcome string
	// ByRules is what follows when no rule speaks of the matter.
	ByRules string
	// Corner names and describes the corner kinds.
	Corner map[string]string
	// CornerOutcome describes a corner use case.
	CornerOutcome string
	// Policy describes a policy of each type; When and Unless add to it.
	Policy       map[model.PolicyType]string
	When, Unless string
	// EmptySample, HandoverSample and RudeSample state how the document itself
	// answers such tickets; %[2]s is the answer.
	EmptySample, RudeSample string
	// InternalReason says why a policy about an internal process is untestable.
	InternalReason string

	wantsTo      []string // beginnings of questions that an action follows
	toThem       map[string]string
	structural   patterns // titles that order a document and name no matter
	situation    patterns // heads of table columns that hold situations
	wrong        patterns // heads of table columns that hold mistakes
	refuses      patterns // replies to what is off the topic
	injects      patterns // attempts to turn the agent
	wantsHuman   patterns
	event        patterns // prepositions by which a situation is named ("in case of")
	sameFor      patterns // a sentence that extends the one before to other matters
	labelNot     patterns // words that make a label the beginning of a sentence
	acts         patterns // what customers do in a message: ask, say, complain
	impersonal   patterns // "they ask": a condition without a subject
	pronoun      patterns // those of them that may stand for things
	agentNoun    patterns // what a document calls an automatic agent
	copula       patterns // verbs that end what is handed over
	glosses      patterns // words that explain the sentence before
	joins        patterns // a fragment that begins so belongs to the sentence before
	quality      patterns // a document about checking what operators write
	support      patterns // a document about answering customers
	qualityRules []qualityRule
	families     []wordFamily
}

// A wordFamily is words of one matter that stemming keeps apart: "return" and
// "send back" for customers are one thing.
type wordFamily struct {
	words    map[string]bool
	prefixes []string
}

// family reads families, one a line: words, or beginnings of words with "*".
func family(text string) []wordFamily {
	var out []wordFamily
	for line := range strings.Lines(text) {
		f := wordFamily{words: map[string]bool{}}
		for _, w := range strings.Fields(line) {
			if p, ok := strings.CutSuffix(w, "*"); ok {
				f.prefixes = append(f.prefixes, p)
			} else {
				f.words[w] = true
			}
		}
		if len(f.words)+len(f.prefixes) > 0 {
			out = append(out, f)
		}
	}
	return out
}

// Family returns the number of the family that a lower-cased word belongs to.
func (l *Language) Family(word string) (int, bool) {
	for i := range l.Claim.families {
		f := &l.Claim.families[i]
		if f.words[word] {
			return i, true
		}
		for _, p := range f.prefixes {
			if strings.HasPrefix(word, p) {
				return i, true
			}
		}
	}
	return 0, false
}

// A qualityRule names the kind of message that a rule about messages is for.
type qualityRule struct {
	words patterns
	name  string
}

// TaskOf names a use case after a customer's question.
func (l *Language) TaskOf(question string) string {
	c := &l.Claim
	q := strings.TrimRight(strings.TrimSpace(question), " ?!.…:")
	low := strings.ToLower(q)
	for _, p := range c.wantsTo {
		if rest, ok := strings.CutPrefix(low, p+" "); ok {
			action := strings.TrimSpace(q[len(q)-len(rest):])
			if l.startsAction(action) {
				return strings.Replace(c.WantsTo, "%s", l.third(action), 1)
			}
		}
	}
	return strings.Replace(c.Asks, "%s", Lower(q), 1)
}

// startsAction reports whether a text begins with a verb that names an action.
func (l *Language) startsAction(s string) bool {
	toks := tokens(s)
	if len(toks) == 0 {
		return false
	}
	if len(l.Norm.infinitiveEnds) == 0 {
		return !l.stops[toks[0].low]
	}
	for _, e := range l.Norm.infinitiveEnds {
		if strings.HasSuffix(toks[0].low, e) {
			return true
		}
	}
	return false
}

// third turns the first person of a question into the third.
func (l *Language) third(s string) string {
	if len(l.Claim.toThem) == 0 {
		return s
	}
	var b strings.Builder
	last := 0
	for _, t := range tokens(s) {
		if to, ok := l.Claim.toThem[t.low]; ok {
			b.WriteString(s[last:t.start])
			b.WriteString(to)
			last = t.end
		}
	}
	b.WriteString(s[last:])
	return b.String()
}

// Structural reports whether a title orders a document ("FAQ", "Rules",
// "Excerpt") and names no matter that anybody comes with.
func (l *Language) Structural(title string) bool { return l.Claim.structural.in(tokens(title)) }

// Situation reports whether a table column's head announces situations.
func (l *Language) Situation(head string) bool { return l.Claim.situation.in(tokens(head)) }

// Wrong reports whether a table column's head announces mistakes.
func (l *Language) Wrong(head string) bool { return l.Claim.wrong.in(tokens(head)) }

// RefusesTopic reports whether a reply says that a message is off the topic.
func (l *Language) RefusesTopic(reply string) bool { return l.Claim.refuses.in(tokens(reply)) }

// Injects reports whether a message tries to turn the agent from its task.
func (l *Language) Injects(message string) bool { return l.Claim.injects.in(tokens(message)) }

// WantsHuman reports whether a message demands a human.
func (l *Language) WantsHuman(message string) bool { return l.Claim.wantsHuman.in(tokens(message)) }

// Impersonal reports whether a clause says what customers do without naming
// them ("they ask", «пишут»).
func (l *Language) Impersonal(clause string) bool { return l.Claim.impersonal.in(tokens(clause)) }

// SameFor reports whether a sentence extends the rule of the one before to
// other matters ("the same goes for").
func (l *Language) SameFor(sentence string) bool { return l.Claim.sameFor.in(tokens(sentence)) }

// Labels reports whether the words before a colon name a matter, and do not
// begin a sentence.
func (l *Language) Labels(label string) bool {
	toks := tokens(label)
	if len(toks) == 0 || l.Claim.labelNot.in(toks) {
		return false
	}
	cues := l.Norm.cues(label, toks)
	if len(cues) == 0 || cues[0].weak || cues[0].order && len(toks) < 3 {
		return true
	}
	if l.Norm.leadNot.at(toks, 0) > 0 && len(toks) <= 3 {
		return true // "No signal"
	}
	// "Wi-Fi doesn't work" is a matter, "We don't discuss contracts" a rule.
	if l.Norm.mild.at(toks, cues[0].start) == 0 || cues[0].start == 0 || l.Norm.agentSubject.in(toks) {
		return false
	}
	return !slices.ContainsFunc(toks, func(t token) bool { return l.Norm.practises(t.low) })
}

// Joins reports whether a sentence is a fragment of the one before.
func (l *Language) Joins(sentence string) bool {
	toks := tokens(sentence)
	return len(toks) > 0 && (l.Claim.joins.at(toks, 0) > 0 || l.Claim.glosses.in(toks))
}

// QualitySigns counts how often a text speaks of checking what operators write.
func (l *Language) QualitySigns(text string) int { return l.Claim.quality.count(tokens(text)) }

// SupportSigns counts how often a text speaks of answering customers.
func (l *Language) SupportSigns(text string) int { return l.Claim.support.count(tokens(text)) }

// MessageKind names the kind of an operator's message that a rule is about
// ("a message with typos"), or returns "".
func (l *Language) MessageKind(rule string) string {
	toks := tokens(rule)
	for _, q := range l.Claim.qualityRules {
		if q.words.in(toks) {
			return q.name
		}
	}
	return ""
}

// ConditionTask turns a condition ("if the customer asks for a refund") into
// the name of a use case, or returns "" when no customer acts in it.
func (l *Language) ConditionTask(condition string) string {
	toks := tokens(condition)
	i := 0
	for i < len(toks) {
		m := max(l.Norm.condition.at(toks, i), l.Norm.then.at(toks, i))
		if m == 0 {
			break
		}
		i += m
	}
	if i >= len(toks) || i == 0 && l.Claim.event.at(toks, 0) == 0 {
		return ""
	}
	rest := strings.Trim(condition[toks[i].start:], " ,.;:")
	acts := l.Claim.acts.in(toks[i:min(len(toks), i+8)]) || l.CornerKind(rest) != ""
	who := toks[i:min(len(toks), i+4)]
	switch {
	case l.Norm.customerSubject.in(who) && acts:
		return Upper(rest)
	case l.Norm.customerSubject.in(who):
		return "" // a state the customer is in, not what they come with
	case acts && i+2 < len(toks) && !l.Norm.agentSubject.in(who) && l.Claim.acts.at(toks, i) == 0 && l.Claim.impersonal.at(toks, i) == 0:
		return Upper(rest)
	}
	if l.Claim.event.at(toks, 0) > 0 {
		return strings.Replace(l.Claim.Message, "%s", Lower(condition), 1)
	}
	if !acts && l.Claim.pronoun.at(toks, i) > 0 {
		return "" // "while they last": nobody knows of whom
	}
	if l.Claim.impersonal.at(toks, i) > 0 || i+1 < len(toks) && l.Claim.impersonal.at(toks, i+1) > 0 {
		return strings.Replace(l.Claim.Message, "%s", rest, 1)
	}
	return ""
}

// count is how many of the patterns occur, without overlap.
func (p patterns) count(toks []token) int {
	n := 0
	for i := 0; i < len(toks); {
		if m := p.at(toks, i); m > 0 {
			n++
			i += m
			continue
		}
		i++
	}
	return n
}

// Shorten cuts a text to at most limit runes, at the end of a clause or else
// between words, never after a word that leans on the next.
func (l *Language) Shorten(s string, limit int) string {
	s = strings.Trim(strings.TrimSpace(s), " .;,:—–-")
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	at := 0 // byte offset after limit runes
	for i := range s {
		if limit == 0 {
			at = i
			break
		}
		limit--
	}
	head := s[:at]
	if k := strings.LastIndexAny(head, ",;:("); k > at*3/4 {
		return strings.TrimRight(head[:k], " ,;:(—–-")
	}
	if k := strings.LastIndexFunc(head, unicode.IsSpace); k > 0 {
		head = head[:k]
	}
	for {
		head = strings.TrimRight(head, " ,;:(—–-«“\"")
		k := strings.LastIndexFunc(head, unicode.IsSpace)
		if k < 0 {
			return head
		}
		_, n := utf8.DecodeRuneInString(head[k:])
		if w := strings.ToLower(strings.Trim(head[k+n:], "«»“”\"()")); !l.stops[w] {
			return head
		}
		head = head[:k]
	}
}

// HandedOver returns what a sentence hands over to a person ("accidents and
// injuries" in "Accidents and injuries go to the manager"), or "" when it does
// not begin with it.
func (l *Language) HandedOver(sentence string) string {
	toks := tokens(sentence)
	for i := range toks {
		if l.Norm.escalate.at(toks, i) == 0 && l.Norm.escalateAlone.at(toks, i) == 0 && l.Norm.must.at(toks, i) == 0 && l.Claim.copula.at(toks, i) == 0 {
			continue
		}
		if i == 0 || i > 9 || l.Norm.agentSubject.in(toks[:i]) || l.Norm.condition.at(toks, 0) > 0 {
			return ""
		}
		head := strings.TrimRight(sentence[:toks[i].start], " ,:—–-(→=>")
		if l.Norm.customerSubject.at(toks, 0) == 0 && (l.Norm.continuation.at(toks, 0) > 0 || l.stops[toks[i-1].low]) {
			return ""
		}
		return head
	}
	return ""
}

// Garbled reports whether a short message is no language: none of its words is
// a stop word or known, and one of them cannot be pronounced.
func (l *Language) Garbled(message string, known func(word string) bool) bool {
	toks := tokens(message)
	if len(toks) == 0 {
		return strings.TrimSpace(message) != ""
	}
	if len(toks) > 4 {
		return false
	}
	odd := false
	for _, t := range toks {
		if l.stops[t.low] || known(t.low) {
			return false
		}
		run := 0
		for _, r := range t.low {
			if strings.ContainsRune("aeiouyаеёиоуыэюя0123456789", r) {
				run = 0
				continue
			}
			if run++; run >= 4 {
				odd = true
			}
		}
	}
	return odd
}

// SaidBefore returns what customers do, where a sentence says it in front of a
// dash and the rule behind it ("They swear - we stay calm"), or what stands in
// front of an arrow; else "".
func (l *Language) SaidBefore(sentence string) string {
	toks := tokens(sentence)
	for k := 1; k < len(toks) && k < 12; k++ {
		gap := sentence[toks[k-1].end:toks[k].start]
		if strings.Contains(gap, "→") && !shades(sentence).covers(toks[k-1].end) && k <= 8 {
			return strings.Trim(sentence[:toks[k-1].end], " ")
		}
		if strings.ContainsAny(gap, ":→=") {
			return ""
		}
		if dashed(gap) {
			head := strings.Trim(sentence[:toks[k-1].end+len(closer(sentence, toks[k-1].end, 0, shades(sentence)))], " ")
			if l.Claim.impersonal.in(toks[:min(k, 3)]) && l.Norm.condition.at(toks, 0) == 0 {
				return head
			}
			return ""
		}
	}
	return ""
}

// AgentActs reports whether the agent is named before the word of obligation
// in a clause: then the agent is who it obliges.
func (l *Language) AgentActs(clause, cue string) bool {
	i := strings.Index(strings.ToLower(clause), cue)
	if i < 0 {
		i = len(clause)
	}
	return l.Norm.agentSubject.in(tokens(clause[:i]))
}
