package lang

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/model"
)

// Norms is the lexicon of obligation of one language: which words oblige,
// prohibit, hand over, speak of tone or of the shape of a reply, open a
// condition or an exception. Patterns are read by compile.
type Norms struct {
	must, mustNot, leadNot patterns // words of obligation and of prohibition; leadNot only begins a clause
	firstNot               patterns // prohibits only as the first word of a sentence
	notCue                 patterns // what looks like one of them and is none
	mild                   patterns // prohibitions that oblige nobody when said of customers
	practice               patterns // a practice or a fact: obliges where rules stand

	imperative      map[string]bool // verbs that order when they begin a clause
	imperativeAfter map[string]bool // what may stand before them
	imperativeEnds  []string        // endings of imperatives anywhere in a clause
	infinitiveEnds  []string        // endings of infinitives that order when they begin a clause
	practiceEnds    []string        // endings of "we do so"
	notPractice     map[string]bool // words with such an ending that are no verbs

	condition, leadCondition, exception, then patterns
	hence                                     patterns        // after a comma, begins a main clause wherever it stands
	notHence                                  patterns        // what begins like it and does not
	limits                                    map[string]bool // words that oblige and stand in no adverbial
	pronoun                                   map[string]bool // may stand for the agent at the beginning of a clause
	agentVerb                                 patterns        // what agents do and things do not
	either                                    map[string]bool // words before the last member of a series
	unled                                     map[string]bool // verbs that begin no main clause: it names its subject first
	even                                      map[string]bool // words before a condition that lift it
	notCondition                              patterns        // what begins like a condition and is a turn of speech
	agentSubject, customerSubject             patterns

	predicative patterns // words that govern an infinitive ("it is forbidden to")

	escalate, escalateTo, escalateAlone, dativeSubject patterns
	style, format, replyNoun                           patterns

	about, internal, overrule, continuation patterns
	affirm                                  map[string]bool
	unitForms                               map[string]string // word -> unit; "" is skipped over
	against                                 patterns          // words before the number that an update does away with
	bareUnit                                map[string]bool   // units that alone are one of them
	between                                 map[string]bool   // words between two numbers of one unit
	numbers                                 map[string]int    // number words
	schedule                                patterns
}

// Norm is one obligation found in a sentence.
type Norm struct {
	// Part is the part of the sentence that states the norm and can stand for
	// it, conditions included: the whole sentence when it holds one norm.
	Part string
	// Text is the clause that states the obligation, in the sentence's own
	// words, without the conditions and exceptions that were cut out of it.
	Text string
	// Type is what kind of policy the clause makes.
	Type model.PolicyType
	// Cue is the word or phrase that shows the obligation, lower-cased.
	Cue string
	// Weak is set when the clause states a practice or a fact and no word of
	// obligation: whether it binds depends on where it stands.
	Weak bool
	// Conditions and Exceptions say when the obligation applies and when not,
	// in the sentence's own words, with their conjunction.
	Conditions, Exceptions []string
}

// Norms returns the obligations that one sentence states, in order. None means
// that the sentence obliges nobody: it is a question, a story or a label.
func (l *Language) Norms(sentence string) []Norm {
	if l.memory == nil {
		return l.normsOf(sentence)
	}
	return apart(recall(&l.memory.norms, sentence, l.normsOf))
}

func (l *Language) normsOf(sentence string) []Norm {
	sentence = strings.TrimSpace(sentence)
	if sentence == "" || len(sentence) > maxSentence || isQuestion(sentence) {
		return nil
	}
	var out []Norm
	before := ""
	for _, part := range splitParts(sentence) {
		if whole := l.Resolve(before, part); whole != "" {
			part = whole
		}
		out = append(out, l.partNorms(part)...)
		before = part
	}
	return out
}

// Resolve returns a clause that begins with a pronoun with what the pronoun
// stands for, when the clause before begins with the agent ("The bot never
// argues; it hands the chat over"); else "".
func (l *Language) Resolve(before, clause string) string {
	n := &l.Norm
	toks := tokens(clause)
	if before == "" || len(toks) < 3 || !n.pronoun[toks[0].low] || toks[0].start > 0 || !n.agentVerb.in(toks[1:min(len(toks), 5)]) {
		return ""
	}
	of := tokens(before)
	m := n.subject(of)
	if m == 0 || n.condition.at(of, 0) > 0 || n.cueBefore(before, of, m) {
		return ""
	}
	return strings.TrimSpace(before[of[0].start:of[m-1].end]) + clause[toks[0].end:]
}

// cueBefore reports whether a word of obligation stands in the first m tokens:
// then they are no subject alone.
func (n *Norms) cueBefore(s string, toks []token, m int) bool {
	return slices.ContainsFunc(n.cues(s, toks[:m]), func(c cue) bool { return !c.weak })
}

// maxSentence bounds what is read as one sentence: a longer text is no sentence
// of obligation but a paste.
const maxSentence = 4096

func isQuestion(s string) bool {
	s = strings.TrimRight(s, " \t\"'»”)")
	return strings.HasSuffix(s, "?") || strings.HasSuffix(s, "？") || strings.HasSuffix(s, "؟")
}

// splitParts cuts a sentence at semicolons outside brackets and quotations.
func splitParts(s string) []string {
	var parts []string
	start := 0
	for _, i := range marks(s, ";") {
		parts = append(parts, strings.TrimSpace(s[start:i]))
		start = i + 1
	}
	parts = append(parts, strings.TrimSpace(s[start:]))
	return slices.DeleteFunc(parts, func(p string) bool { return utf8.RuneCountInString(p) < 3 })
}

// marks returns the byte offsets of the runes of set in s that stand outside
// brackets and quotations.
func marks(s, set string) []int {
	var at []int
	for i, in := 0, shades(s); i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if !in.covers(i) && strings.ContainsRune(set, r) {
			at = append(at, i)
		}
		i += n
	}
	return at
}

// shade is a stretch of a sentence that another speaks in: a bracket or a quotation.
type shade struct {
	start, end int
	bracket    bool
}

type shadeList []shade

func (l shadeList) covers(i int) bool {
	for _, s := range l {
		if i >= s.start && i < s.end {
			return true
		}
	}
	return false
}

// shades returns the outermost brackets and quotations of s, marks included.
func shades(s string) shadeList {
	var out shadeList
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		var shut string
		switch r {
		case '(', '[':
			shut = map[rune]string{'(': ")", '[': "]"}[r]
		case '«':
			shut = "»"
		case '“':
			shut = "”"
		case '„':
			shut = "“"
		case '"':
			shut = "\""
		default:
			i += n
			continue
		}
		k := strings.Index(s[i+n:], shut)
		if k < 0 {
			i += n
			continue
		}
		end := i + n + k + len(shut)
		out = append(out, shade{i, end, r == '(' || r == '['})
		i = end
	}
	return out
}

// partNorms finds the norms of a part without semicolons.
func (l *Language) partNorms(part string) []Norm {
	n := &l.Norm
	in := shades(part)
	toks := slices.DeleteFunc(tokens(part), func(t token) bool { return in.covers(t.start) })
	if len(toks) == 0 {
		return nil
	}
	cl := n.clauses(part, toks, in)
	main := cl.main()
	if len(main) == 0 {
		return nil
	}
	cues := n.cues(part, main)
	if len(cues) == 0 {
		return nil
	}
	var out []Norm
	for _, g := range n.split(part, main, cues) {
		norm := Norm{
			Part: part, Text: g.text, Cue: g.cue.text, Weak: g.cue.weak,
			Type:       n.kind(g.toks, g.cue),
			Conditions: cl.conditions, Exceptions: cl.exceptions,
		}
		if g.part != "" {
			norm.Part = g.part
		}
		if norm.Type != model.Escalate && n.escalate.in(g.toks) && slices.ContainsFunc(cl.conditions, func(c string) bool { return l.Claim.wantsHuman.in(tokens(c)) }) {
			norm.Type = model.Escalate
		}
		if norm.Text == "" {
			norm.Text = cl.text(part)
		}
		if of := tokens(norm.Text); len(cl.conditions) > 0 && len(of) > 1 && n.hence.at(of, 0) > 0 && n.notHence.at(of, 0) == 0 {
			norm.Text = norm.Text[of[1].start:]
		}
		if len(cl.conditions) == 1 && !strings.Contains(norm.Part, cl.conditions[0]) {
			norm.Part = Upper(cl.conditions[0]) + ", " + Lower(norm.Part) // a part split off
		}
		out = append(out, norm)
	}
	// A bracket that prohibits something of its own is a norm of its own,
	// unless the clause around it only allows what the bracket limits.
	if len(out) == 1 {
		for _, s := range in {
			if !s.bracket {
				continue
			}
			inner := strings.TrimSpace(part[s.start+1 : s.end-1])
			itoks := tokens(inner)
			if len(itoks) < 2 {
				continue
			}
			icues := n.cues(inner, itoks)
			if len(icues) == 0 || !icues[0].not || icues[0].weak {
				continue
			}
			if out[0].Weak {
				out[0].Type, out[0].Cue, out[0].Weak = n.kind(itoks, icues[0]), icues[0].text, false
				break
			}
			if out[0].Type == model.MustNot {
				break
			}
			out = append(out, Norm{Part: inner, Text: inner, Type: n.kind(itoks, icues[0]), Cue: icues[0].text, Conditions: cl.conditions, Exceptions: cl.exceptions})
			out[0].Part = strings.TrimSpace(part[:s.start]) + part[s.end:]
			break
		}
	}
	return out
}

// A cue is a word of obligation in a clause.
type cue struct {
	start, end int // tokens of the clause
	text       string
	not        bool // prohibits
	weak       bool // a practice or a fact
	order      bool // an imperative
}

// cues returns the words of obligation of a clause, strong ones only when there
// is any, in order.
func (n *Norms) cues(text string, toks []token) []cue {
	masked := make([]bool, len(toks))
	for i := range toks {
		if m := n.notCue.at(toks, i); m > 0 {
			for k := i; k < i+m; k++ {
				masked[k] = true
			}
		}
	}
	said := func(i, m int) string { return strings.ToLower(text[toks[i].start:toks[i+m-1].end]) }
	var strong []cue
	for i := 0; i < len(toks); i++ {
		first := i == 0 || n.clauseBegins(text, toks, i)
		if m := n.negates(toks, i); m > 0 && first && !masked[i] && !(i == 0 && n.affirm[toks[0].low] && commaAfter(text, toks, 0)) {
			strong = append(strong, cue{i, i + m, said(i, m), true, false, false})
			i += m - 1
			continue
		}
		if m := n.mustNot.at(toks, i); m > 0 && !masked[i] {
			if !n.tellsOfCustomers(toks, i) {
				strong = append(strong, cue{i, i + m, said(i, m), true, false, false})
			}
			i += m - 1
			continue
		}
		if m := n.must.at(toks, i); m > 0 && !masked[i] {
			strong = append(strong, cue{i, i + m, said(i, m), false, false, false})
			i += m - 1
			continue
		}
		if !masked[i] && n.orders(text, toks, i, first) {
			strong = append(strong, cue{i, i + 1, said(i, 1), false, false, true})
		}
	}
	if n.predicative.in(toks) { // an infinitive that a modal word governs orders nothing by itself
		strong = slices.DeleteFunc(strong, func(c cue) bool { return c.order && n.infinitive(toks[c.start].low) })
	}
	if len(strong) > 0 {
		return strong
	}
	for i := range toks {
		if m := n.practice.at(toks, i); m > 0 && !masked[i] {
			return []cue{{i, i + m, said(i, m), false, true, false}}
		}
		if n.practises(toks[i].low) {
			return []cue{{i, i + 1, toks[i].low, false, true, false}}
		}
	}
	if n.handsOver(toks) {
		return []cue{{0, 1, toks[0].low, false, true, false}}
	}
	if slices.ContainsFunc(n.quantities(toks), func(q Quantity) bool { return !q.year() }) || n.style.in(toks) || n.format.in(toks) && n.replyNoun.in(toks) {
		return []cue{{0, 1, toks[0].low, false, true, false}}
	}
	return nil
}

// negates returns how many tokens a clause's first negation takes at token i.
func (n *Norms) negates(toks []token, i int) int {
	if m := n.leadNot.at(toks, i); m > 0 || i > 0 {
		return m
	}
	return n.firstNot.at(toks, i)
}

// tellsOfCustomers reports whether a mild prohibition at token i ("do not")
// says what customers do rather than what they may.
func (n *Norms) tellsOfCustomers(toks []token, i int) bool {
	if n.mild.at(toks, i) == 0 {
		return false
	}
	return n.customerSubject.in(toks[max(0, i-3):i])
}

// clauseBegins reports whether token i begins a clause: it is the first word
// after a comma, a colon or a dash, or only lead-in words stand before it.
func (n *Norms) clauseBegins(text string, toks []token, i int) bool {
	for i > 0 {
		gap := text[toks[i-1].end:toks[i].start]
		if strings.ContainsAny(gap, ",:;.") || strings.ContainsAny(gap, "—–") || strings.Contains(gap, " - ") {
			return true
		}
		if !n.imperativeAfter[toks[i-1].low] {
			return false
		}
		i--
	}
	return true
}

func commaAfter(text string, toks []token, i int) bool {
	rest := strings.TrimLeft(text[toks[i].end:], " ")
	return rest == "" || strings.ContainsAny(rest[:1], ",.:;!")
}

// orders reports whether token i is an order: an imperative or, at the
// beginning of a clause, an infinitive.
func (n *Norms) orders(text string, toks []token, i int, first bool) bool {
	w := toks[i].low
	if first && n.imperative[w] && i+1 < len(toks) {
		// "Open from 9" and "Return policy": a verb in form only.
		next := strings.TrimSpace(text[toks[i].end:toks[i+1].start])
		return next == "" || next == "(" || next == "\"" || next == "“" || next == "«"
	}
	if utf8.RuneCountInString(w) < 5 || n.customerSubject.at(toks, i) > 0 {
		return false
	}
	for _, e := range n.imperativeEnds {
		if n.notPractice[w] {
			break
		}
		if strings.HasSuffix(w, e) {
			return true
		}
	}
	return first && n.infinitive(w)
}

func (n *Norms) infinitive(w string) bool {
	for _, e := range n.infinitiveEnds {
		if strings.HasSuffix(w, e) {
			return true
		}
	}
	return false
}

// practises reports whether the form of a word says "we do so".
func (n *Norms) practises(w string) bool {
	if n.notPractice[w] || utf8.RuneCountInString(w) < 5 {
		return false
	}
	for _, e := range n.practiceEnds {
		if strings.HasSuffix(w, e) {
			return true
		}
	}
	return false
}

// A group is a stretch of a main clause that states one norm.
type group struct {
	toks       []token
	cue        cue
	text, part string // "" = the whole
}

// split cuts a main clause in two where a conjunction joins an obligation and
// a prohibition, each with its own words.
func (n *Norms) split(text string, toks []token, cues []cue) []group {
	whole := []group{{toks: toks, cue: decisive(cues)}}
	if j := n.handoverJoint(text, toks); j > 0 {
		subject := ""
		if m := n.subject(toks); m > 0 {
			subject = strings.TrimSpace(text[toks[0].start:toks[m-1].end]) + " "
		}
		k := j
		if n.jointWord(toks[j-1].low) {
			k--
		}
		head, tail := text[toks[0].start:toks[k-1].end], text[toks[j].start:]
		if n.jointWord(toks[j].low) && j+1 < len(toks) {
			tail = text[toks[j+1].start:]
		}
		headCue := cues[0]
		if headCue.start >= k {
			headCue = cue{0, 1, toks[0].low, false, true, false}
		}
		part := subject + tail
		if subject == "" && (len(toks)-j < 4 || n.continuation.at(toks, j) > 0) {
			part = text // cannot be read alone
		}
		return []group{
			{toks: toks[:k], cue: headCue, text: head, part: text[:toks[k-1].end]},
			{toks: toks[j:], cue: cue{0, 1, toks[j].low, false, headCue.weak, false}, text: subject + strings.TrimRight(tail, " ."), part: part},
		}
	}
	if c := cues[0]; c.not && !c.weak {
		// "The bot asks for the name and does not repeat it."
		m := n.subject(toks)
		if m > 0 && c.start-m >= 4 && n.jointWord(toks[c.start-1].low) && sameSentence(text, toks, 0, c.start) {
			subject := strings.TrimSpace(text[toks[0].start:toks[m-1].end])
			return []group{
				{toks: toks[:c.start-1], cue: cue{0, m, strings.ToLower(subject), false, false, false}, text: text[toks[0].start:toks[c.start-2].end], part: text[:toks[c.start-2].end]},
				{toks: toks[c.start:], cue: cue{0, c.end - c.start, c.text, true, false, false}, text: subject + " " + text[toks[c.start].start:], part: subject + " " + text[toks[c.start].start:]},
			}
		}
	}
	for _, c := range cues[1:] {
		first := cues[0]
		if c.weak || first.weak || c.not == first.not || c.start < first.end+1 {
			continue
		}
		// The joint: a comma or a conjunction right before the cue, with at
		// most a subject between.
		j := c.start
		for j > first.end && c.start-j < 3 && !jointBefore(text, toks, j) {
			j--
		}
		if j < first.end || !jointBefore(text, toks, j) || !sameSentence(text, toks, first.start, j) {
			continue
		}
		head := strings.TrimRight(text[:gapStart(text, toks, j)], " ,—–-")
		tail := text[toks[j].start:]
		if j == c.start && !c.order && !first.order { // the subject is said once
			subject := strings.TrimSpace(text[toks[0].start:toks[first.start].start])
			if subject != "" && len(strings.Fields(subject)) <= 6 && !strings.ContainsAny(subject, ",:—") {
				tail = subject + " " + tail
			}
		}
		k := j
		return []group{
			{toks: toks[:k], cue: first, text: strings.TrimRight(text[toks[0].start:toks[k-1].end], " "), part: head},
			{toks: toks[k:], cue: cue{0, c.end - k, c.text, c.not, c.weak, c.order}, text: strings.TrimRight(tail, " ."), part: tail},
		}
	}
	return whole
}

// handoverJoint returns the token at which a second act begins that hands over
// ("asks for the name, then passes the chat on"), or 0.
func (n *Norms) handoverJoint(text string, toks []token) int {
	for j := 3; j < len(toks); j++ {
		if !jointBefore(text, toks, j) || n.handsOver(toks[:j]) {
			continue
		}
		i := j
		for i < len(toks)-1 && i < j+2 && n.escalate.at(toks, i) == 0 && n.escalateAlone.at(toks, i) == 0 {
			i++
		}
		later := false
		for k := j + 1; k <= i; k++ {
			later = later || jointBefore(text, toks, k) && !n.jointWord(toks[k-1].low) || k > j+1 && jointBefore(text, toks, k)
		}
		if later {
			continue // the act begins at a later joint
		}
		if n.escalate.at(toks, i)+n.escalateAlone.at(toks, i) == 0 || !n.handsOver(toks[j:]) {
			continue
		}
		if i > j && n.mustNot.at(toks, j) > 0 || n.subject(toks) >= j-1 {
			continue
		}
		return j
	}
	return 0
}

// subject returns how many tokens name the agent at the beginning of a clause.
func (n *Norms) subject(toks []token) int {
	for i := 0; i < len(toks) && i < 3; i++ {
		if m := n.agentSubject.at(toks, i); m > 0 {
			return i + m
		}
	}
	return 0
}

func (n *Norms) jointWord(w string) bool {
	switch w {
	case "and", "but", "then", "и", "а", "но", "затем":
		return true
	}
	return false
}

// sameSentence reports whether no condition was cut out between two tokens, so
// that a cut leaves both parts whole.
func sameSentence(text string, toks []token, from, to int) bool {
	for i := from + 1; i < to; i++ {
		if strings.ContainsAny(text[toks[i-1].end:toks[i].start], ".;") {
			return false
		}
	}
	return true
}

func jointBefore(text string, toks []token, j int) bool {
	if j == 0 || strings.Contains(text[toks[j-1].end:toks[j].start], ",") {
		return true
	}
	switch toks[j-1].low {
	case "and", "but", "и", "а", "но":
		return true
	}
	return false
}

// gapStart returns the offset at which the comma or conjunction before token j
// begins.
func gapStart(text string, toks []token, j int) int {
	if j > 0 && strings.Contains(text[toks[j-1].end:toks[j].start], ",") {
		return toks[j-1].end
	}
	if j > 0 {
		return toks[j-1].start
	}
	return toks[j].start
}

// decisive is the cue that decides the type: a prohibition that comes first or
// right after an obligation word, else the first.
func decisive(cues []cue) cue {
	for _, c := range cues {
		if !c.order || c.not {
			return c
		}
	}
	return cues[0]
}

// contrasts reports whether a prohibition only sets off what the clause before
// it states ("..., never by phone", "а не ...").
func (n *Norms) contrasts(toks []token, c cue) bool {
	if !c.not || c.start < 3 || n.mild.at(toks, c.start) != 1 && n.leadNot.at(toks, c.start) != 1 || c.end-c.start != 1 {
		return false
	}
	prev := toks[c.start-1].low
	if prev != "а" && prev != "and" && len(n.infinitiveEnds) > 0 {
		return false
	}
	if c.end < len(toks) && n.imperative[toks[c.end].low] {
		return false
	}
	for i := 0; i < c.start; i++ {
		if n.practice.at(toks, i) > 0 || n.practises(toks[i].low) {
			return true
		}
	}
	return n.handsOver(toks[:c.start])
}

// kind decides the type of a policy from its clause.
func (n *Norms) kind(toks []token, c cue) model.PolicyType {
	if n.contrasts(toks, c) {
		c.not = false
		toks = toks[:c.start]
	}
	if n.handsOver(toks) && !(c.not && c.start == 0) {
		return model.Escalate
	}
	style := n.style.in(toks)
	if n.format.in(toks) && n.replyNoun.in(toks) && len(n.quantities(toks)) > 0 {
		return model.Shape // "no longer than five sentences" is no prohibition
	}
	if c.not {
		if style {
			return model.Style
		}
		return model.MustNot
	}
	if n.format.in(toks) && n.replyNoun.in(toks) {
		return model.Shape
	}
	if style {
		return model.Style
	}
	return model.Must
}

// handsOver reports whether a clause hands something over to a person.
func (n *Norms) handsOver(toks []token) bool {
	if n.escalateAlone.in(toks) {
		return true
	}
	for i := range toks {
		m := n.escalate.at(toks, i)
		if m == 0 || i > 0 && n.mustNot.at(toks, i-1) == 1 {
			continue
		}
		for k := i + 1; k < len(toks) && k <= i+9; k++ {
			if e := n.escalateTo.at(toks, k); e > 0 && !(k+e < len(toks) && n.dativeSubject.at(toks, k+e) > 0) {
				return true
			}
		}
	}
	return false
}

// A clausing is a sentence with its conditions and exceptions marked.
type clausing struct {
	toks                   []token
	cut                    []bool
	ranges                 [][2]int // bytes of what was cut
	conditions, exceptions []string
}

func (c *clausing) main() []token {
	var out []token
	for i, t := range c.toks {
		if !c.cut[i] {
			out = append(out, t)
		}
	}
	return out
}

// text is the sentence without what was cut.
func (c *clausing) text(s string) string {
	var b strings.Builder
	last := 0
	for _, r := range c.ranges {
		b.WriteString(strings.TrimRight(s[last:r[0]], " ,"))
		b.WriteByte(' ')
		last = r[1]
		for _, mark := range []string{" —", " –", " -", ",", ":"} {
			if rest, ok := strings.CutPrefix(s[last:], mark); ok && (r[0] == 0 || mark != ":") {
				last = len(s) - len(rest)
				break
			}
		}
	}
	b.WriteString(s[last:])
	out := strings.Join(strings.Fields(b.String()), " ")
	for _, p := range []string{" ,", " .", " ;", " :"} {
		out = strings.ReplaceAll(out, p, p[1:])
	}
	return strings.Trim(out, " ,;:—–-")
}

// clauses marks the conditions and exceptions of a sentence.
func (n *Norms) clauses(s string, toks []token, in shadeList) *clausing {
	c := &clausing{toks: toks, cut: make([]bool, len(toks))}
	mark := func(from, to int) string { // tokens [from,to)
		for i := from; i < to; i++ {
			c.cut[i] = true
		}
		end := toks[to-1].end
		end += len(closer(s, end, toks[from].start, in))
		c.ranges = append(c.ranges, [2]int{toks[from].start, end})
		return strings.TrimSpace(s[toks[from].start:end])
	}
	for i := 0; i < len(toks); i++ {
		if m := n.exception.at(toks, i); m > 0 {
			end := n.clauseEnd(s, toks, i+m, i == 0)
			if end > i && end-i < len(toks) {
				c.exceptions = append(c.exceptions, mark(i, end))
				i = end - 1
			}
			continue
		}
		lead := i == 0 || n.afterLabel(s, toks, i)
		if m := n.condition.at(toks, i); m > 0 && i+m < len(toks) && strings.Contains(s[toks[i+m-1].end:toks[i+m].start], ",") {
			continue // "what, where and when, ..."
		}
		if i > 0 && n.even[toks[i-1].low] {
			continue // "even if": the obligation holds anyway
		}
		if m := n.condition.at(toks, i); m > 0 {
			end := n.clauseEnd(s, toks, i+m, lead || !n.hasCue(s, toks[:i]))
			if end > i && end-i < len(toks) {
				c.conditions = append(c.conditions, mark(i, end))
				i = end - 1
			}
			continue
		}
		if lead {
			if m := n.leadCondition.at(toks, i); m > 0 && n.notCondition.at(toks, i) == 0 && (i > 0 || n.firstNot.at(toks, i) == 0) {
				// "For orders over 50, ...": only when a comma or a dash ends it
				// and an obligation follows.
				if end := n.adverbialEnd(s, toks, i); end > i && end < len(toks) && n.hasCue(s, toks[end:]) &&
					!slices.ContainsFunc(toks[i:end-1], func(t token) bool { return n.limits[t.low] }) {
					c.conditions = append(c.conditions, mark(i, end))
					i = end - 1
				}
			}
		}
	}
	return c
}

// closer returns what must follow a cut text so that its last bracket or
// quotation is whole.
func closer(s string, end, start int, in shadeList) string {
	for _, x := range in {
		if x.start >= start && x.start >= end && strings.TrimSpace(s[end:x.start]) == "" {
			return s[end:x.end]
		}
	}
	return ""
}

// dashed reports whether a gap between words holds a dash or an arrow that
// stands between clauses.
func dashed(gap string) bool {
	for _, d := range []string{" — ", " – ", " - ", " -- ", "— ", "→", "=>", "=", " —"} {
		if strings.Contains(gap, d) {
			return true
		}
	}
	return false
}

func (n *Norms) hasCue(s string, toks []token) bool {
	return len(toks) > 0 && len(n.cues(s, toks)) > 0
}

// afterLabel reports whether token i follows a short label and a colon or dash.
func (n *Norms) afterLabel(s string, toks []token, i int) bool {
	if i == 0 || i > 5 {
		return i == 0
	}
	gap := s[toks[i-1].end:toks[i].start]
	return strings.Contains(gap, ":") || strings.ContainsAny(gap, "—–")
}

func (n *Norms) adverbialEnd(s string, toks []token, i int) int {
	for k := i + 1; k < len(toks) && k < i+12; k++ {
		gap := s[toks[k-1].end:toks[k].start]
		if strings.Contains(gap, ",") || dashed(gap) {
			return k
		}
	}
	return -1
}

// clauseEnd returns the token after the clause that a conjunction before token
// after opens. A leading clause ends where the main clause begins; any other goes to
// the end of the sentence or to the next clause that obliges.
func (n *Norms) clauseEnd(s string, toks []token, after int, lead bool) int {
	first, before := -1, -1
	if lead {
		if k := n.seriesEnd(s, toks, after); k > 0 {
			return k
		}
		for k := after + 1; k < len(toks); k++ {
			if gap := s[toks[k-1].end:toks[k].start]; dashed(gap) {
				return k
			}
		}
	}
	for k := after + 1; k < len(toks); k++ {
		gap := s[toks[k-1].end:toks[k].start]
		dash := dashed(gap) || strings.Contains(gap, ":")
		comma := strings.Contains(gap, ",")
		switch {
		case dash:
			return k
		case n.then.at(toks, k) > 0 && (comma || lead):
			return k
		case comma:
			if first < 0 {
				first = k
			}
			if (lead || n.jointWord(toks[k].low)) && n.mainBegins(s, toks, k) {
				if lead && before > 0 && n.jointWord(toks[k].low) && !n.unled[toks[before].low] {
					return before // what is joined to a main clause stands after it
				}
				return k
			}
			before = k
		}
	}
	if lead {
		if first < 0 {
			return n.bareEnd(toks, after)
		}
		return first
	}
	return len(toks)
}

// seriesEnd returns the token at which the main clause begins after a leading
// condition that is a series ("If A, B or C, the bot must ..."), or 0 when the
// condition is none.
func (n *Norms) seriesEnd(s string, toks []token, after int) int {
	member := 0 // where the last member after the first begins
	either, own := false, false
	for k := after + 1; k < len(toks); k++ {
		gap := s[toks[k-1].end:toks[k].start]
		if dashed(gap) || strings.ContainsAny(gap, ":.") {
			return 0
		}
		comma := strings.Contains(gap, ",")
		switch {
		case !comma:
		case n.hence.at(toks, k) > 0 && n.notHence.at(toks, k) == 0:
			return k
		case member > 0 && either && !own && !n.jointWord(toks[k].low) && !n.either[toks[k].low] && n.mainBegins(s, toks, k):
			return k
		default:
			// The main clause may have begun here: then it is no series.
			own = own || n.subject(toks[k:]) == 1 || n.orders(s, toks, k, true)
			member, either = k, n.either[toks[k].low]
			continue
		}
		if member > 0 {
			either = either || n.either[toks[k].low]
			own = own || n.must.at(toks, k) > 0
		}
	}
	return 0
}

// Fragment reports whether a text is a condition without what it is the
// condition of.
func (l *Language) Fragment(text string) bool {
	n := &l.Norm
	toks := tokens(text)
	m := n.condition.at(toks, 0)
	if m == 0 || m >= len(toks) || isQuestion(text) {
		return false
	}
	marked := false
	for k := m; k < len(toks); k++ {
		gap := text[toks[k-1].end:toks[k].start]
		if dashed(gap) || strings.Contains(gap, ":") || n.then.at(toks, k) > 0 {
			return false
		}
		if strings.Contains(gap, ",") {
			marked = true
			if !n.unled[toks[k].low] && !n.either[toks[k].low] {
				return false
			}
		}
	}
	return marked || len(toks) < m+4 // in a longer one the comma may be forgotten
}

// mainBegins reports whether the words from token k to the next comma oblige
// or order: then a main clause begins at k.
func (n *Norms) mainBegins(s string, toks []token, k int) bool {
	end := k + 1
	for end < len(toks) && !strings.ContainsAny(s[toks[end-1].end:toks[end].start], ",;—–") {
		end++
	}
	if n.condition.at(toks, k) > 0 || n.exception.at(toks, k) > 0 || n.unled[toks[k].low] || n.either[toks[k].low] {
		return false
	}
	cs := n.cues(s, toks[k:end])
	if len(cs) == 0 {
		return false
	}
	if cs[0].weak {
		return n.agentSubject.at(toks, k) > 0 || cs[0].start <= 2 && n.practises(toks[k+cs[0].start].low)
	}
	return !n.customerSubject.in(toks[k:k+cs[0].start]) || !cs[0].not
}

// bareEnd finds the main clause after a condition without a comma: at its
// first order or agent.
func (n *Norms) bareEnd(toks []token, after int) int {
	for k := after + 2; k < len(toks)-1; k++ {
		if n.agentSubject.at(toks, k) > 0 && n.must.at(toks, k+1)+n.mustNot.at(toks, k+1) > 0 {
			return k
		}
	}
	return -1
}

// WithAgents returns the language with names that a document gives its agent
// ("Quay, our bot"), in any case.
func (l *Language) WithAgents(names ...string) *Language {
	if len(names) == 0 {
		return l
	}
	c := *l
	if l.memory != nil {
		c.memory = &memory{}
	}
	var b strings.Builder
	for _, n := range names {
		b.WriteString(strings.ToLower(n))
		b.WriteByte('\n')
	}
	c.Norm.agentSubject = l.Norm.agentSubject.with(compile(b.String()))
	return &c
}

// AgentName returns the name that a text gives to the agent in apposition
// ("Quay, our bot", «бот Квант»), or "".
func (l *Language) AgentName(text string) string {
	toks := tokens(text)
	for i := range toks {
		if l.Claim.agentNoun.at(toks, i) == 0 {
			continue
		}
		// A name behind: bot “Quay”, бот Квант.
		if i+1 < len(toks) && strings.Trim(text[toks[i].end:toks[i+1].start], " «“\"*_") == "" && named(text, toks[i+1]) {
			return text[toks[i+1].start:toks[i+1].end]
		}
		// A name in front: Quay, our bot.
		j := i - 1
		for j >= 0 && j > i-3 && l.stops[toks[j].low] {
			j--
		}
		if j >= 0 && j < i && strings.Contains(text[toks[j].end:toks[i].start], ",") && named(text, toks[j]) {
			return text[toks[j].start:toks[j].end]
		}
	}
	return ""
}

// named reports whether a token is written like a name.
func named(text string, t token) bool {
	r, _ := utf8.DecodeRuneInString(text[t.start:])
	return unicode.IsUpper(r) && utf8.RuneCountInString(t.low) > 2
}

// About reports whether a sentence speaks about the document or the project
// that it stands in, not about what an agent does.
func (l *Language) About(sentence string) bool { return l.Norm.about.in(tokens(sentence)) }

// Internal reports whether a sentence speaks about an internal process, which
// no answer of an agent can show.
func (l *Language) Internal(sentence string) bool { return l.Norm.internal.in(tokens(sentence)) }

// Overrules reports whether a sentence says that it changes an earlier rule.
func (l *Language) Overrules(sentence string) bool { return l.Norm.overrule.in(tokens(sentence)) }

// Continues reports whether a sentence cannot be read without the one before:
// it begins with a conjunction, a comparative or a pronoun.
func (l *Language) Continues(sentence string) bool {
	toks := tokens(sentence)
	return len(toks) > 0 && l.Norm.continuation.at(toks, 0) > 0
}

// RefersBack reports whether a sentence begins with a preposition and a pronoun
// ("without it"), which only the sentence before explains.
func (l *Language) RefersBack(sentence string) bool {
	toks := tokens(sentence)
	return len(toks) > 1 && l.Norm.continuation.at(toks, 0) == 2
}

// Schedule reports whether a sentence names days of the week.
func (l *Language) Schedule(sentence string) bool { return l.Norm.schedule.in(tokens(sentence)) }

// HandsOver reports whether a text hands something over to a person.
func (l *Language) HandsOver(text string) bool { return l.Norm.handsOver(tokens(text)) }

// SpeaksOfAgent reports whether a text names the agent or its replies.
func (l *Language) SpeaksOfAgent(text string) bool { return l.Norm.agentSubject.in(tokens(text)) }

// SpeaksOfCustomer reports whether a text names the customer.
func (l *Language) SpeaksOfCustomer(text string) bool { return l.Norm.customerSubject.in(tokens(text)) }

// TellsOfCustomers reports whether a text says what customers are used to do:
// it begins by naming them, and nothing in it allows, limits or counts.
func (l *Language) TellsOfCustomers(text string) bool {
	toks := tokens(text)
	n := &l.Norm
	return len(toks) > 0 && n.customerSubject.at(toks, 0) > 0 && !n.practice.in(toks) && !n.must.in(toks) && !n.mustNot.in(toks) && len(n.quantities(toks)) == 0
}

// Affirms reports whether a text is no more than yes, no or the like.
func (l *Language) Affirms(text string) bool {
	ws := Words(text)
	for _, w := range ws {
		if !l.Norm.affirm[w] {
			return false
		}
	}
	return len(ws) > 0
}

// Answers reports whether a text begins with yes, no or the like and goes on.
func (l *Language) Answers(text string) bool {
	toks := tokens(text)
	return len(toks) > 1 && l.Norm.affirm[toks[0].low] && commaAfter(text, toks, 0)
}

// Quantity is a number of a text with its unit.
type Quantity struct {
	Number string // as written; 9:00 is 9
	Unit   string // "day", "hour", ...; "" when none is known
}

// Quantities returns the numbers of a text in order.
func (l *Language) Quantities(text string) []Quantity { return l.Norm.quantities(tokens(text)) }

func (n *Norms) quantities(toks []token) []Quantity {
	if !slices.ContainsFunc(toks, func(t token) bool {
		_, unit := n.unitForms[t.low]
		return unit || strings.ContainsAny(t.low, "0123456789")
	}) {
		return nil
	}
	var out []Quantity
	var wait []Quantity // that wait for a unit: "2–7 days"
	lastUnit := ""
	spelled := false // in words, which are quantities only with a unit
	update := false  // the number waiting is set against the one before
	flush := func(unit string) {
		if k := len(out) - 1; unit == "" && update && k >= 0 && len(wait) > 0 {
			unit = lastUnit
		}
		if unit != "" {
			lastUnit = unit
		}
		update = false
		if unit != "" || !spelled {
			for _, q := range wait {
				if q.Unit == "" {
					q.Unit = unit
				}
				out = append(out, q.canonical())
			}
		}
		wait, spelled = nil, false
	}
	for i, t := range toks {
		if r, _ := utf8.DecodeRuneInString(t.low); unicode.IsDigit(r) {
			if spelled {
				flush("")
			}
			if i > 0 && len(wait) == 0 {
				update = n.against.at(toks, i-1) > 0 || i > 1 && n.against.at(toks, i-2) > 1
			}
			num, unit := t.low, ""
			if k := strings.IndexFunc(num, unicode.IsLetter); k > 0 {
				num, unit = strings.TrimRight(num[:k], "-"), n.unitForms[num[k:]]
			}
			wait = append(wait, Quantity{strings.TrimSuffix(num, ":00"), unit})
			continue
		}
		if words := strings.Split(t.low, "-"); len(words) <= 2 {
			var nums []Quantity
			for _, w := range words {
				if v, ok := lookup(n.numbers, w); ok {
					nums = append(nums, Quantity{strconv.Itoa(v), ""})
				}
			}
			if len(nums) == len(words) {
				wait, spelled = append(wait, nums...), true
				continue
			}
		}
		if u, ok := n.unitForms[t.low]; ok {
			if u == "" && len(wait) > 0 {
				continue
			}
			if len(wait) == 0 && n.bareUnit[t.low] {
				wait = append(wait, Quantity{"1", ""})
			}
			flush(u)
			continue
		}
		if !n.between[t.low] {
			flush("")
		}
	}
	flush("")
	return out
}

// year reports whether the quantity is a calendar year, which limits nothing.
func (q Quantity) year() bool {
	return q.Unit == "" && len(q.Number) == 4 && (strings.HasPrefix(q.Number, "19") || strings.HasPrefix(q.Number, "20"))
}

// canonical makes quantities of one length of time equal: a day is 24 hours.
func (q Quantity) canonical() Quantity {
	per := map[string]int{"day": 24, "week": 7 * 24, "hour": 1}[q.Unit]
	if v, err := strconv.Atoi(q.Number); err == nil && per > 0 {
		return Quantity{strconv.Itoa(v * per), "hour"}
	}
	return q
}

// CutQuantity removes from a clause the prepositional phrase around each
// quantity that drop accepts ("at 15 pounds a night"); it returns "" when there
// is no such phrase.
func (l *Language) CutQuantity(clause string, drop func(Quantity) bool) string {
	n := &l.Norm
	toks := tokens(clause)
	for i := 1; i < len(toks); i++ {
		r, _ := utf8.DecodeRuneInString(toks[i].low)
		if !unicode.IsDigit(r) || !l.stops[toks[i-1].low] {
			continue
		}
		end := i + 1
		for end < len(toks) && end < i+4 && !strings.ContainsAny(clause[toks[end-1].end:toks[end].start], ",;:.—–(") {
			end++
		}
		qs := n.quantities(toks[i:end])
		if len(qs) == 0 || !drop(qs[0]) {
			continue
		}
		rest := strings.TrimSpace(clause[:toks[i-1].start]) + clause[toks[end-1].end:]
		if len(Words(rest)) < 4 {
			return ""
		}
		return rest
	}
	return ""
}
