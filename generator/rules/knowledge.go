package rules

import (
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// statement is one sentence of a document that an agent can say.
type statement struct {
	lang.Spoken
	source     string // as the document has it
	doc        string
	start, end int
	stems      []string // of source, and of the heading and question above it
	own        []string // of source
	qa         int      // index in knowledge.qas, or -1
	angers     bool     // it hands angry people over
}

// qa is a question or topic of a document with what an agent can say on it.
type qa struct {
	model.QA
	doc        string
	statements []statement
	whole      bool     // every sentence of the answer could be said
	elliptical bool     // the answer says something after its question only
	asked      []string // stems of the question
	answered   []string // stems of the answer
	needs      []string // keys of the needs that the question speaks of

	once    *sync.Once
	sayings []opening // see work.sayings
}

// knowledge is what the documents of a call state, in the agent's voice.
type knowledge struct {
	l          *lang.Language
	qas        []qa
	statements []statement     // in document order, those of questions included
	sources    []string        // texts that a paraphrase must not repeat
	ids        []string        // identifiers that the documents name, longest first
	aliases    []string        // what the documents call the agent
	dead       []dead          // figures that no longer hold
	rules      string          // all but samples, lower-cased
	text       string          // all of it, lower-cased
	common     map[string]bool // stems that stand in so much of the text that they tell nothing

	light   map[string]bool     // stems of words that tell no need
	asks    places              // questions
	said    places              // statements
	roots   map[string][]int    // statements by the roots of their stems
	asked   map[string][]int    // those that ask for something
	asking  map[string][]int    // questions by the roots of the stems they ask with
	runs    map[string]struct{} // runs of four words of sources
	samples map[string]string   // the sample answer to a ticket's message
	handing []int               // statements that hand over
	own     *lang.Trade         // the line of business
	polite  bool                // there is a rule on how people are spoken to
	faults  []string            // visible faults that the text speaks of

	apologises bool     // the documents speak of apologies
	demands    []string // texts that demand an identifier, lower-cased
}

// readForm notes what the documents say of every answer.
func (k *knowledge) readForm(docs []*model.Document) {
	for _, d := range docs {
		for i := range d.Blocks {
			b := &d.Blocks[i]
			if !b.InForce() || b.Table >= 0 {
				continue
			}
			k.apologises = k.apologises || k.l.Mentions(lang.TopicApology, b.Text)
			if low := strings.ToLower(b.Text); len(k.demands) < 100 && slices.ContainsFunc(k.l.Speech.IDs, func(id string) bool { return strings.Contains(low, id) }) && k.l.Mentions(lang.TopicAsk, b.Text) {
				k.demands = append(k.demands, low)
			}
		}
	}
}

func learn(l *lang.Language, docs []*model.Document) *knowledge {
	k := &knowledge{l: l.Remembering()}
	k.readForm(docs)
	var text, rules strings.Builder
	for _, d := range docs {
		raw := d.Text()
		text.WriteString(strings.ToLower(raw) + "\n")
		k.aliases = append(k.aliases, aliases(raw)...)
	}
	k.text = text.String()
	k.readAhead(docs)
	for _, d := range docs {
		raw := d.Text()
		from := len(k.qas)
		for i := range d.QAs {
			q := d.QAs[i]
			q.Topic = q.Topic || len(strings.Fields(q.Question)) == 1
			k.sources = append(k.sources, q.Question, q.Answer)
			entry := qa{QA: q, doc: d.Name, whole: true, once: new(sync.Once)}
			for n, s := range lang.Sentences(q.Answer) {
				spoken := k.quote(s)
				if len(spoken) == 0 {
					entry.whole = false
					continue
				}
				for _, sp := range spoken {
					if w := strings.ToLower(strings.SplitN(sp.Text, " ", 2)[0]); l.Speech.Need != "" && !l.Speech.Modal.In(sp.Text) && slices.ContainsFunc(l.Speech.InfinitiveEnds, func(e string) bool { return strings.HasSuffix(w, e) }) {
						sp.Text = l.Speech.Need + " " + lang.Lower(sp.Text)
					} else if n == 0 && q.Topic {
						sp.Text = underTopic(l, raw, q.Question, s, sp.Text)
					}
					entry.statements = append(entry.statements, statement{
						Spoken: sp, source: s, doc: d.Name, start: q.LineStart, end: q.LineEnd,
						stems: k.matter(q.Question + " " + s), own: k.matter(s), qa: len(k.qas),
					})
				}
				if n == 0 {
					entry.elliptical = l.Elliptical(s)
				}
			}
			entry.asked, entry.answered = k.matter(q.Question), k.matter(q.Answer)
			entry.needs = needKeys(l, q.Question)
			k.qas = append(k.qas, entry)
		}
		answered, sampled := newLines(d.NumLines()), sampled(d)
		for i := from; i < len(k.qas); i++ {
			answered.add(k.qas[i].LineStart, k.qas[i].LineEnd)
		}
		for i := range d.Blocks {
			b := &d.Blocks[i]
			if !b.InForce() || sampled.any(b.LineStart, b.LineEnd) {
				continue
			}
			rules.WriteString(strings.ToLower(b.Text) + "\n")
			if answered.all(b.LineStart, b.LineEnd) {
				continue
			}
			head := ""
			if b.Section >= 0 && b.Section < len(d.Sections) {
				head = d.Sections[b.Section].Title
			}
			for _, s := range lang.Sentences(b.Text) {
				sp, ok := k.speak(s)
				if !ok {
					continue
				}
				st := statement{Spoken: sp, source: s, doc: d.Name, start: b.LineStart, end: b.LineEnd, stems: k.matter(b.Lead + " " + s + " " + head), own: k.matter(s), qa: -1}
				if sp.Act == lang.ActAsk || sp.Act == lang.ActHandOver {
					// What comes before it in its block is what it follows on.
					object := k.matter(sp.Object)
					st.stems = slices.DeleteFunc(k.matter(b.Text+" "+head), func(x string) bool { return slices.Contains(object, x) })
				}
				k.statements = append(k.statements, st)
			}
		}
		for _, t := range d.Tickets {
			k.sources = append(k.sources, t.Message)
		}
	}
	for i := range k.qas {
		k.statements = append(k.statements, k.qas[i].statements...)
	}
	slices.SortStableFunc(k.statements, func(a, b statement) int {
		if a.doc != b.doc {
			return strings.Compare(a.doc, b.doc)
		}
		return a.start - b.start
	})
	k.rules = rules.String()
	k.overrule(docs)
	k.common = k.frequent(docs)
	k.index(docs)
	for _, id := range l.Speech.IDs {
		if strings.Contains(k.text, id) {
			k.ids = append(k.ids, id)
		}
	}
	return k
}

// readAhead reads what documents say side by side, for a language that
// remembers.
func (k *knowledge) readAhead(docs []*model.Document) {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for _, d := range docs {
		for blocks := range slices.Chunk(d.Blocks, 64) {
			group.Go(func() error {
				for i := range blocks {
					if b := &blocks[i]; b.InForce() {
						for _, s := range lang.Sentences(b.Text) {
							k.speak(s)
							k.matter(s)
						}
					}
				}
				return nil
			})
		}
	}
	_ = group.Wait() // always nil
}

// lines are lines of a document, for questions about ranges of them.
type lines []int // how many of the lines before this one are in

func newLines(n int) lines { return make(lines, n+2) }

// add adds a range of lines.
func (l lines) add(start, end int) {
	for i := max(start, 1); i <= end && i < len(l); i++ {
		l[i] = 1
	}
}

func (l lines) all(start, end int) bool {
	for i := max(start, 1); i <= end && i < len(l); i++ {
		if l[i] == 0 {
			return false
		}
	}
	return true
}

func (l lines) any(start, end int) bool {
	for i := max(start, 1); i <= end && i < len(l); i++ {
		if l[i] == 1 {
			return true
		}
	}
	return false
}

// places finds what stands on lines of documents.
type places map[string]map[int][]int // by document and line

// add notes that item n, which is greater than those before, stands on the lines.
func (p *places) add(doc string, start, end, n int) {
	if *p == nil {
		*p = places{}
	}
	at := (*p)[doc]
	if at == nil {
		at = map[int][]int{}
		(*p)[doc] = at
	}
	for i := start; i <= end; i++ {
		at[i] = append(at[i], n)
	}
}

// meet returns what stands on lines of the evidence, in order.
func (p places) meet(ev ...model.Evidence) []int {
	var out []int
	for _, e := range ev {
		at := p[e.InputFile]
		if n := e.LineEnd - e.LineStart; n > len(at) {
			for line, list := range at {
				if line >= e.LineStart && line <= e.LineEnd {
					out = append(out, list...)
				}
			}
			continue
		}
		for i := e.LineStart; i <= e.LineEnd; i++ {
			out = append(out, at[i]...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// questioned returns the questions on lines of the evidence, in order.
func (k *knowledge) questioned(ev []model.Evidence) []int { return k.asks.meet(ev...) }

// sampled returns the lines of a document that hold tickets and dialogues.
func sampled(d *model.Document) lines {
	l := newLines(d.NumLines())
	for _, t := range d.Tickets {
		l.add(t.LineStart, t.LineEnd)
	}
	for _, g := range d.Dialogues {
		for _, t := range g.Turns {
			l.add(t.LineStart, t.LineEnd)
		}
	}
	return l
}

// index makes the ways to find statements without looking at all of them.
func (k *knowledge) index(docs []*model.Document) {
	k.asked = map[string][]int{}
	k.roots, k.asking, k.runs, k.samples = map[string][]int{}, map[string][]int{}, map[string]struct{}{}, map[string]string{}
	k.light = map[string]bool{}
	for _, s := range k.l.Stems(k.l.Speech.Light) {
		k.light[s] = true
	}
	for i := range k.qas {
		k.asks.add(k.qas[i].doc, k.qas[i].LineStart, k.qas[i].LineEnd, i)
	}
	for i := range k.statements {
		k.said.add(k.statements[i].doc, k.statements[i].start, k.statements[i].end, i)
	}
	put := func(m map[string][]int, at int, stems []string) {
		for _, s := range stems {
			r := root(s)
			if n := len(m[r]); n == 0 || m[r][n-1] != at {
				m[r] = append(m[r], at)
			}
		}
	}
	for i := range k.statements {
		s := &k.statements[i]
		put(k.roots, i, s.stems)
		put(k.roots, i, s.own)
		if s.Act == lang.ActAsk && s.Object != "" {
			put(k.asked, i, s.stems)
			put(k.asked, i, s.own)
		}
		if s.Act == lang.ActHandOver {
			s.angers = angers(k.l, s.source)
			k.handing = append(k.handing, i)
		}
	}
	for i := range k.qas {
		put(k.asking, i, k.qas[i].asked)
	}
	for _, s := range k.sources {
		words := lang.Words(s)
		for i := 0; i+4 <= len(words); i++ {
			k.runs[strings.Join(words[i:i+4], " ")] = struct{}{}
		}
	}
	for _, d := range docs {
		for _, t := range d.Tickets {
			k.samples[t.Message] = t.Answer
		}
	}
	k.own = trade(k.l, k.text)
	k.polite = politeness(k.l, k.text)
	k.faults = k.l.FaultKinds(k.text)
}

// root is the same for all related stems; unrelated ones may share it.
func root(stem string) string {
	if utf8.RuneCountInString(stem) == len(stem) {
		return stem // only stems of other scripts are compared by their root
	}
	return prefix(stem, 5)
}

// near returns the statements that share a root with the stems, in order.
func (k *knowledge) near(stems ...string) []int { return lookUp(k.roots, stems) }

func lookUp(m map[string][]int, stems []string) []int {
	var out []int
	for i, s := range stems {
		if !slices.Contains(stems[:i], s) {
			out = append(out, m[root(s)]...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// meets says of how many of the stems each statement has the root: no fewer
// than it has related stems.
func (k *knowledge) meets(stems []string) []uint8 {
	out := make([]uint8, len(k.statements))
	for _, s := range stems {
		for _, i := range k.roots[root(s)] {
			if out[i] < 255 {
				out[i]++
			}
		}
	}
	return out
}

// figure is a number as a text has it, a time of day included.
var figure = regexp.MustCompile(`\d+(?::\d+)?`)

// overrule puts the figures of a later statement ("7:00 to 10:30 instead of
// 6:30 to 10:00") into the statements that it overrules.
func (k *knowledge) overrule(docs []*model.Document) {
	var all *overruled
	told := map[string]bool{}
	for _, d := range docs {
		samples := sampled(d)
		for i := range d.Blocks {
			b := &d.Blocks[i]
			if !b.InForce() || samples.any(b.LineStart, b.LineEnd) {
				continue
			}
			for _, s := range lang.Sentences(b.Text) {
				toks := lang.Tokens(s)
				hit, ok := k.l.Speech.Overrule.Find(toks)
				if !ok || hit.From == 0 {
					continue
				}
				at := toks[hit.From].Start
				before, after := figure.FindAllString(s[:at], -1), figure.FindAllString(s[at:], -1)
				if len(after) == 0 || len(before) < len(after) {
					continue
				}
				now := before[len(before)-len(after):]
				old := slices.DeleteFunc(slices.Clone(after), func(f string) bool { return slices.Contains(now, f) })
				matter := k.matter(s)
				if !told[s] { // documents repeat themselves
					told[s] = true
					k.dead = append(k.dead, dead{old, matter})
				}
				if all == nil {
					all = newOverruled(k)
				}
				all.replace(k, s, matter, after, now)
			}
		}
	}
}

// overruled finds the statements that have a figure.
type overruled struct {
	statements []*statement
	having     map[string][]int // by figure
	from       map[string][]int // by source
	tried      []int            // the last update that was tried on each
	updates    int
}

func newOverruled(k *knowledge) *overruled {
	o := &overruled{having: map[string][]int{}, from: map[string][]int{}}
	add := func(st *statement) {
		n := len(o.statements)
		o.statements = append(o.statements, st)
		o.from[st.source] = append(o.from[st.source], n)
		o.note(n)
	}
	for i := range k.statements {
		add(&k.statements[i])
	}
	for i := range k.qas {
		for j := range k.qas[i].statements {
			add(&k.qas[i].statements[j])
		}
	}
	o.tried = make([]int, len(o.statements))
	return o
}

// note files a statement under its figures.
func (o *overruled) note(n int) {
	for _, f := range figure.FindAllString(o.statements[n].Text, -1) {
		if list := o.having[f]; len(list) == 0 || list[len(list)-1] != n {
			o.having[f] = append(list, n)
		}
	}
}

// dead is a figure that a later statement overruled, and its matter.
type dead struct {
	figures []string
	matter  []string
}

// outdated reports whether a text gives a figure that no longer holds.
func (k *knowledge) outdated(text string) bool {
	stems, figures := k.matter(text), figure.FindAllString(text, -1)
	return slices.ContainsFunc(k.dead, func(d dead) bool {
		return overlap(stems, d.matter) > 0 && slices.ContainsFunc(d.figures, func(f string) bool { return slices.Contains(figures, f) })
	})
}

// replace puts new figures for old ones into the statements on the matter.
func (o *overruled) replace(k *knowledge, update string, matter, old, now []string) {
	change := func(st *statement) bool {
		if st.source == update {
			toks := lang.Tokens(st.Text)
			if hit, ok := k.l.Speech.Overrule.Find(toks); ok && hit.From > 0 {
				st.Text = lang.Sentence(strings.TrimRight(st.Text[:toks[hit.From].Start], " ,"))
				return true
			}
			return false
		}
		if overlap(matter, st.stems) < 1 {
			return false
		}
		found := figure.FindAllStringIndex(st.Text, -1)
		for i := 0; i+len(old) <= len(found); i++ {
			same := true
			for j := range old {
				same = same && st.Text[found[i+j][0]:found[i+j][1]] == old[j]
			}
			if !same {
				continue
			}
			for j := len(old) - 1; j >= 0; j-- {
				st.Text = st.Text[:found[i+j][0]] + now[j] + st.Text[found[i+j][1]:]
			}
			return true
		}
		return false
	}
	o.updates++
	for _, n := range slices.Concat(o.from[update], o.having[old[0]]) {
		if o.tried[n] != o.updates {
			o.tried[n] = o.updates
			if change(o.statements[n]) {
				o.note(n)
			}
		}
	}
}

// frequent returns the stems of more than a sixth of the statements and
// tickets: the document's own subject.
func (k *knowledge) frequent(docs []*model.Document) map[string]bool {
	count, total := map[string]int{}, 0
	add := func(stems []string) {
		total++
		for _, s := range stems {
			count[s]++
		}
	}
	for i := range k.statements {
		add(k.statements[i].own)
	}
	for _, d := range docs {
		for _, t := range d.Tickets {
			add(k.matter(t.Message + " " + t.Answer))
		}
	}
	out := map[string]bool{}
	for s, n := range count {
		if n >= 4 && n*6 > total {
			out[s] = true
		}
	}
	return out
}

// telling returns the stems of a text that tell its topic from others.
func (k *knowledge) telling(text string) []string {
	return k.tell(k.matter(text))
}

// tell returns those of the stems that tell a topic from others.
func (k *knowledge) tell(stems []string) []string {
	var out []string
	for _, s := range stems {
		if !k.common[s] {
			out = append(out, s)
		}
	}
	return out
}

// quote returns what an agent can say of one sentence of an answer: the whole
// sentence as it stands, or those of its parts that can be said.
func (k *knowledge) quote(s string) []lang.Spoken {
	if sp, ok := k.l.Quote(s); ok && !k.named(s) {
		return []lang.Spoken{sp}
	}
	if sp, ok := k.speak(s); ok {
		return []lang.Spoken{sp}
	}
	var out []lang.Spoken
	parts := strings.Split(s, "; ")
	if len(parts) < 2 {
		return nil
	}
	for _, p := range parts {
		if sp, ok := k.l.Quote(p); ok && !k.named(p) {
			out = append(out, sp)
		} else if sp, ok := k.speak(p); ok {
			out = append(out, sp)
		}
	}
	return out
}

// named reports whether a text names the agent.
func (k *knowledge) named(s string) bool {
	return slices.ContainsFunc(k.aliases, func(a string) bool { return strings.Contains(s, a) })
}

// speak is Speak with the agent's own name for what it is.
func (k *knowledge) speak(s string) (lang.Spoken, bool) { return k.l.Speak(k.anonymous(s)) }

// all is SpeakAll with the agent's own name for what it is.
func (k *knowledge) all(s string) []lang.Spoken { return k.l.SpeakAll(k.anonymous(s)) }

// anonymous replaces the agent's own name by what it is.
func (k *knowledge) anonymous(s string) string {
	for _, a := range k.aliases {
		s = strings.ReplaceAll(s, a+"'s ", "the bot's ")
		if rest, ok := strings.CutPrefix(s, a+" "); ok {
			s = "The bot " + rest
		}
		s = strings.ReplaceAll(s, " "+a+" ", " the bot ")
	}
	return s
}

var alias = regexp.MustCompile(`\*?(\p{Lu}[\p{Ll}]{2,})\*?, (?:our|the) (?:chat ?)?(?:bot|chatbot|assistant)\b|(?:bot|assistant) (?:called|named) \*?(\p{Lu}\p{Ll}{2,})`)

// aliases returns the names by which a document calls its agent.
func aliases(text string) []string {
	var out []string
	for _, m := range alias.FindAllStringSubmatch(text, -1) {
		out = append(out, m[1]+m[2])
	}
	return out
}

// underTopic puts the topic in front of an answer that does not name it.
func underTopic(l *lang.Language, raw, topic, answer, spoken string) string {
	have := map[string]bool{}
	for _, s := range l.Stems(answer) {
		have[s] = true
	}
	for _, s := range l.Stems(topic) {
		if have[s] || len(s) >= 4 && slices.ContainsFunc(l.Stems(answer), func(x string) bool { return related(x, s) }) {
			return spoken
		}
	}
	topic = strings.TrimRight(topic, "?!.: ")
	if len(strings.Fields(topic)) > 4 || strings.Contains(topic, "/") {
		return spoken
	}
	if strings.HasSuffix(topic, ")") {
		topic = strings.TrimSpace(topic[:strings.LastIndex(topic, "(")])
	}
	if first := strings.SplitN(strings.TrimSpace(answer), " ", 2)[0]; strings.HasPrefix(spoken, first) && !strings.Contains(raw, " "+strings.ToLower(first)+" ") { // perhaps a name
		return lang.Upper(topic) + ": " + spoken
	}
	return lang.Upper(topic) + ": " + lang.Lower(spoken)
}

// related reports whether two stems are forms of one root.
func related(a, b string) bool {
	if a == b {
		return true
	}
	x, y := utf8.RuneCountInString(a), utf8.RuneCountInString(b)
	if len(a) == x || len(b) == y || x-y > 2 || y-x > 2 { // a stemmer of an unaccented script does enough
		return false
	}
	keep := max(5, min(x, y)-1)
	return x >= keep && y >= keep && prefix(a, keep) == prefix(b, keep)
}

func prefix(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// matter returns the stems of a text that carry matter, once each.
func (k *knowledge) matter(text string) []string {
	var out []string
	for _, s := range k.l.Stems(text) {
		if utf8.RuneCountInString(s) < 3 || generic[s] || slices.Contains(out, s) {
			continue
		}
		out = append(out, s)
	}
	return out
}

// overlap counts the stems of a that b has.
func overlap(a, b []string) int {
	n := 0
	for _, x := range a {
		if slices.ContainsFunc(b, func(y string) bool { return x == y || related(x, y) }) {
			n++
		}
	}
	return n
}

// cites reports whether evidence and lines meet.
func cites(ev []model.Evidence, doc string, start, end int) bool {
	return slices.ContainsFunc(ev, func(e model.Evidence) bool {
		return e.InputFile == doc && e.LineStart <= end && start <= e.LineEnd
	})
}

// generic are stems of words that stand in every rule and tell no topic.
var generic = genericStems()

func genericStems() map[string]bool {
	stems := map[string]bool{}
	for _, code := range lang.Known() {
		l, err := lang.For(code)
		if err != nil {
			continue
		}
		for _, w := range strings.Fields(l.Speech.Generic) {
			stems[l.Stem(w)] = true
		}
	}
	return stems
}
