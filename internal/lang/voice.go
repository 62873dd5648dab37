package lang

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Act is what a sentence in the agent's voice does.
type Act string

// The acts of a sentence in the agent's voice.
const (
	ActFact     Act = "fact"     // states something
	ActDeny     Act = "deny"     // says what the agent cannot do
	ActAsk      Act = "ask"      // asks the customer for something
	ActHandOver Act = "handover" // passes the matter on
	ActOffer    Act = "offer"    // offers something
	ActSorry    Act = "sorry"    // apologises
)

// Spoken is a norm in the agent's own voice.
type Spoken struct {
	Text string // a whole sentence, fit to be sent to a customer
	Act  Act
	// Object is what is asked for (ActAsk) or who it is handed to (ActHandOver),
	// in the form it has in Text; else empty.
	Object string
	// Condition is what the norm made its matter depend on, with its
	// conjunction; it is not in Text. Empty means always.
	Condition string
}

// Voice is the data by which one language turns a norm about an agent into the
// agent's own voice.
type Voice struct {
	// Words are the named word classes that the patterns use, as {name}.
	Words map[string]string
	// Rules are tried in order on a clause without label, condition and stop.
	Rules []VoiceRule
	// Condition matches a leading clause that says when a norm applies; its
	// last group is the main clause.
	Condition []string
	// Parts match what a clause demands after its first demand; the last group
	// is a clause of its own.
	Parts []string
	// Orders match sentences of an answer that speak to the agent, not to the
	// customer.
	Orders []string
	// Then opens a main clause after its condition.
	Then []string
	// Drop are phrases at the start of a clause that say nothing.
	Drop []string
	// Yours turn the customer's into yours; they run before Banned is looked at.
	Yours []Swap
	// Banned are word beginnings that no sentence in the agent's voice has: the
	// agent or customer in the third person, talk about rules.
	Banned []string
	// BannedFirst are words no stated fact begins with: orders to the agent.
	BannedFirst []string
	// Fix is the last chance to change or refuse the words a rule captured.
	Fix map[string]func(string) (string, bool)

	rules      []voiceRule
	conditions []*regexp.Regexp
	parts      []*regexp.Regexp
	orders     []*regexp.Regexp
	yours      []swap
}

// VoiceRule turns a clause that matches Pattern as a whole, regardless of case, into Say.
// $1 to $9 are the groups of the pattern; ${1:fix} passes a group through Voice.Fix.
// An empty Say refuses the clause; Again "$1" speaks the group instead.
type VoiceRule struct {
	Pattern string
	Act     Act
	Say     string
	Object  string
	Again   string
}

// Swap replaces every match of Pattern by To; ${1:fix} as in a [VoiceRule].
type Swap struct{ Pattern, To string }

type voiceRule struct {
	VoiceRule
	re *regexp.Regexp
}

type swap struct {
	re *regexp.Regexp
	to string
}

// compile expands the word classes and compiles the patterns, once.
func (v Voice) compile() Voice {
	expand := func(p string) string {
		for range 3 { // classes may name classes
			for name, words := range v.Words {
				p = strings.ReplaceAll(p, "{"+name+"}", "(?:"+words+")")
			}
		}
		return p
	}
	for _, r := range v.Rules {
		v.rules = append(v.rules, voiceRule{r, regexp.MustCompile(`(?is)^(?:` + expand(r.Pattern) + `)$`)})
	}
	for _, c := range v.Condition {
		v.conditions = append(v.conditions, regexp.MustCompile(`(?is)^(?:`+expand(c)+`)$`))
	}
	for _, o := range v.Orders {
		v.orders = append(v.orders, regexp.MustCompile(`(?is)^(?:`+expand(o)+`)$`))
	}
	for _, p := range v.Parts {
		v.parts = append(v.parts, regexp.MustCompile(`(?is)`+expand(p)+`$`))
	}
	for _, s := range v.Yours {
		v.yours = append(v.yours, swap{regexp.MustCompile(`(?i)` + expand(s.Pattern)), s.To})
	}
	return v
}

// Speak returns a norm or a statement of fact in the agent's own voice. It is
// not ok for one that cannot be turned into a sentence that is surely
// grammatical and can be sent to a customer.
func (l *Language) Speak(norm string) (Spoken, bool) {
	if l.memory == nil {
		return l.speak(norm)
	}
	s := recall(&l.memory.spoken, norm, func(norm string) said {
		sp, ok := l.speak(norm)
		return said{sp, ok}
	})
	return s.spoken, s.ok
}

func (l *Language) speak(norm string) (Spoken, bool) {
	if l.Fragment(norm) {
		return Spoken{}, false
	}
	// Of several sentences the last is the norm, unless all are facts: no demand
	// reaches beyond its sentence.
	if ss := Sentences(norm); len(ss) > 1 {
		for _, s := range ss {
			if sp, ok := l.Voice.speak(s, 0); ok && sp.Act != ActFact {
				last := ss[len(ss)-1]
				if whole := l.Resolve(ss[len(ss)-2], last); whole != "" {
					last = whole
				}
				return l.Voice.speak(last, 0)
			}
		}
	}
	return l.Voice.speak(norm, 0)
}

// SpeakAll returns what a norm demands, one sentence for each demand that can
// be turned into the agent's own voice, in order.
func (l *Language) SpeakAll(norm string) []Spoken {
	var out []Spoken
	add := func(s Spoken, ok bool) {
		for _, x := range out {
			ok = ok && x.Text != s.Text
		}
		if ok {
			out = append(out, s)
		}
	}
	rest := trimClause(norm)
	for range 4 {
		add(l.Speak(rest))
		next := ""
		for _, re := range l.Voice.parts {
			if m := re.FindStringSubmatch(rest); m != nil && (next == "" || len(m[1]) > len(next)) {
				next = m[1]
			}
		}
		if next == "" {
			break
		}
		rest = trimClause(next)
	}
	return out
}

// Quote returns a sentence that already speaks to the customer, as the answers
// of a FAQ do, ready to be sent. It is not ok for one that speaks about the
// agent or the customer.
func (l *Language) Quote(sentence string) (Spoken, bool) {
	if l.memory == nil {
		return l.quote(sentence)
	}
	s := recall(&l.memory.quoted, sentence, func(sentence string) said {
		sp, ok := l.quote(sentence)
		return said{sp, ok}
	})
	return s.spoken, s.ok
}

func (l *Language) quote(sentence string) (Spoken, bool) {
	clause := trimClause(sentence)
	if l.Fragment(clause) {
		return Spoken{}, false
	}
	for _, re := range l.Voice.orders {
		if re.MatchString(clause) {
			return Spoken{}, false
		}
	}
	s, ok := l.Voice.finish(clause)
	return Spoken{Text: s, Act: ActFact}, ok
}

func (v *Voice) speak(norm string, depth int) (Spoken, bool) {
	clause := trimClause(norm)
	if clause == "" || depth > 4 {
		return Spoken{}, false
	}
	for _, d := range v.Drop {
		if rest, ok := cutPrefixFold(clause, d); ok {
			clause = trimClause(rest)
		}
	}
	if head, tail, ok := strings.Cut(clause, "; "); ok && v.demands(tail) {
		clause = head
	}
	for _, r := range v.rules {
		m := r.re.FindStringSubmatch(clause)
		if m == nil {
			continue
		}
		if r.Again != "" {
			sub, ok := v.fill(r.Again, m)
			if !ok {
				continue
			}
			return v.speak(sub, depth+1)
		}
		if r.Say == "" {
			return Spoken{}, false
		}
		text, ok := v.fill(r.Say, m)
		if !ok {
			continue
		}
		object := ""
		if r.Object != "" {
			if object, ok = v.fill(r.Object, m); !ok {
				continue
			}
			object = v.toYours(object)
		}
		if s, ok := v.finish(text); ok {
			return Spoken{Text: s, Act: r.Act, Object: trimClause(object)}, true
		}
	}
	if s, ok, hit := v.conditional(clause, depth); hit {
		return s, ok
	}
	first := strings.ToLower(firstWord(clause))
	for _, b := range v.BannedFirst {
		if first == b {
			return Spoken{}, false
		}
	}
	for _, re := range v.orders {
		if re.MatchString(clause) {
			return Spoken{}, false
		}
	}
	s, ok := v.finish(clause)
	return Spoken{Text: s, Act: ActFact}, ok
}

// conditional speaks the main clause of one that begins with a condition or a
// label. Of several places where the main clause may begin, the first counts at
// which it demands something of the agent.
func (v *Voice) conditional(clause string, depth int) (s Spoken, ok, hit bool) {
	lead := false
	for _, re := range v.conditions {
		lead = lead || re.MatchString(clause)
	}
	if !lead {
		return Spoken{}, false, false
	}
	fact := false
	for i := range clause {
		for _, sep := range []string{", ", ": ", " — ", " – ", " - "} {
			if i == 0 || !strings.HasPrefix(clause[i:], sep) {
				continue
			}
			main := clause[i+len(sep):]
			for _, then := range v.Then {
				main, _ = cutPrefixFold(main, then)
			}
			sub, ok := v.speak(main, depth+1)
			if ok && sub.Act != ActFact {
				if sub.Condition == "" {
					sub.Condition = strings.TrimSpace(clause[:i])
				}
				return sub, true, true
			}
			fact = fact || ok
		}
	}
	if !fact {
		return Spoken{}, false, true
	}
	whole, ok := v.finish(clause) // a fact is true under its condition only
	return Spoken{Text: whole, Act: ActFact, Condition: clause}, ok, true
}

// demands reports whether a clause is one of the rules or an order.
func (v *Voice) demands(clause string) bool {
	clause = trimClause(clause)
	first := strings.ToLower(firstWord(clause))
	for _, b := range v.BannedFirst {
		if first == b {
			return true
		}
	}
	for _, r := range v.rules {
		if r.re.MatchString(clause) {
			return true
		}
	}
	return false
}

// finish makes a clause a sentence and refuses what must not be sent.
func (v *Voice) finish(clause string) (string, bool) {
	s := v.toYours(clause)
	for _, w := range Words(s) {
		for _, b := range v.Banned {
			whole := strings.HasSuffix(b, "!")
			if w == strings.TrimSuffix(b, "!") || !whole && strings.HasPrefix(w, b) {
				return "", false
			}
		}
	}
	if utf8.RuneCountInString(s) < 8 || strings.ContainsAny(s, "|{}<>[]") || unbalanced(s) {
		return "", false
	}
	return Sentence(s), true
}

func (v *Voice) toYours(s string) string {
	for _, w := range v.yours {
		if idx := w.re.FindAllStringSubmatchIndex(s, -1); idx != nil {
			var b strings.Builder
			at := 0
			for _, m := range idx {
				groups := make([]string, len(m)/2)
				for g := range groups {
					if m[2*g] >= 0 {
						groups[g] = s[m[2*g]:m[2*g+1]]
					}
				}
				to, ok := v.fill(w.to, groups)
				if !ok {
					continue
				}
				b.WriteString(s[at:m[0]])
				b.WriteString(to)
				at = m[1]
			}
			b.WriteString(s[at:])
			s = b.String()
		}
	}
	return s
}

// fill puts the groups of a match into a template.
func (v *Voice) fill(template string, groups []string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(template); i++ {
		if template[i] != '$' || i+1 == len(template) {
			b.WriteByte(template[i])
			continue
		}
		var n int
		var fix string
		if template[i+1] == '{' {
			end := strings.IndexByte(template[i:], '}')
			name, f, _ := strings.Cut(template[i+2:i+end], ":")
			n, fix = int(name[0]-'0'), f
			i += end
		} else {
			n = int(template[i+1] - '0')
			i++
		}
		g := ""
		if n < len(groups) {
			g = strings.TrimSpace(groups[n])
		}
		for _, name := range strings.Split(fix, ":") {
			if name == "" {
				continue
			}
			var ok bool
			if g, ok = v.Fix[name](g); !ok {
				return "", false
			}
		}
		b.WriteString(g)
	}
	return strings.Join(strings.Fields(b.String()), " "), true
}

// Sentence returns a clause as a sentence: a capital first and a stop last.
func Sentence(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	s = strings.TrimRight(s, " ,;:–—-")
	if s == "" {
		return ""
	}
	s = Upper(s)
	if last, _ := utf8.DecodeLastRuneInString(s); !strings.ContainsRune(".!?…", last) {
		s += "."
	}
	return s
}

// Upper returns s with its first letter in upper case.
func Upper(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	return string(unicode.ToUpper(r)) + s[n:]
}

// Lower returns s with its first letter in lower case, unless the first word
// is an abbreviation, a name of one letter, or mixed in case.
func Lower(s string) string {
	w := firstWord(s)
	r, n := utf8.DecodeRuneInString(w)
	if n == 0 || w == "I" || strings.HasPrefix(w, "I'") {
		return s
	}
	if len(w) > n && w[n:] != strings.ToLower(w[n:]) || !strings.HasPrefix(s, w) {
		return s
	}
	return string(unicode.ToLower(r)) + s[n:]
}

func firstWord(s string) string {
	return strings.TrimRight(strings.SplitN(strings.TrimSpace(s), " ", 2)[0], ",.:;!?")
}

func trimClause(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	for {
		t := strings.TrimLeft(strings.TrimRight(s, " .;,:!"), " -–—*•")
		if t == s {
			return s
		}
		s = t
	}
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return s, false
	}
	return s[len(prefix):], true
}

func unbalanced(s string) bool {
	return strings.Count(s, "(") != strings.Count(s, ")") || strings.Count(s, "«") != strings.Count(s, "»") ||
		strings.Count(s, "“") != strings.Count(s, "”") || strings.Count(s, `"`)%2 != 0
}
