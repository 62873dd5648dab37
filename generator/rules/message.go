package rules

import (
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// opening is what a customer comes with, and what decides it.
type opening struct {
	text   string
	qa     int    // the question it paraphrases, or -1
	turned bool   // it keeps the sense of a yes/no question
	policy bool   // it shows the row's first policy
	plain  int    // lower is more natural
	kind   string // of what presses it, where its policy does not tell
}

// about returns the questions that the use case rests on.
func (w *work) about() []int {
	if !w.known {
		w.known = true
		w.abouts = slices.DeleteFunc(w.meeting(w.call.UseCase.Evidence), func(i int) bool { return len(w.q(i).statements) == 0 })
	}
	return slices.Clone(w.abouts)
}

// meeting returns the questions that stand on lines of the evidence.
func (w *work) meeting(ev []model.Evidence) []int {
	out := w.k.questioned(ev)
	if q := w.topical; q != nil && cites(ev, q.doc, q.LineStart, q.LineEnd) {
		out = append(out, len(w.k.qas))
	}
	return out
}

// sayings returns what a customer with a question may say, the most natural
// kinds first, and whether they say more than the question itself.
func (w *work) sayings(i int) []opening {
	q := w.q(i)
	if q.once == nil { // the use case's own topic
		return w.say(i)
	}
	q.once.Do(func() { q.sayings = w.say(i) })
	return q.sayings
}

func (w *work) say(i int) []opening {
	q := w.q(i)
	var out []opening
	answer := ""
	for _, s := range q.statements {
		answer += s.Text + " "
	}
	trouble := ""
	if w.trouble(q.Question) {
		trouble = "trouble"
	}
	if !q.Topic {
		for _, p := range w.l.Paraphrases(q.Question) {
			out = append(out, opening{text: p, qa: i, turned: true, kind: trouble})
		}
	}
	if q.elliptical && !q.Topic && len(out) > 0 {
		return out
	}
	for _, say := range w.needs(q.Question, q.Question+". "+answer, answer, true) {
		out = append(out, opening{text: say, qa: i, plain: 1, kind: trouble})
	}
	if q.Topic && len(strings.Fields(q.Question)) <= 4 && w.l.Elliptical(q.Question) {
		np := lang.Lower(strings.TrimRight(q.Question, "?!.: "))
		for _, kind := range w.quantities(q) {
			for _, f := range w.s.AskAbout[kind] {
				if overlap(w.k.matter(np), w.k.matter(f)) > 0 {
					continue // it would say the same twice
				}
				out = append(out, opening{text: lang.Upper(fill(f, "{np}", np)), qa: i, plain: 2})
			}
		}
	}
	return out
}

// openings returns what a customer of the use case may say, the most natural
// kinds first.
func (w *work) openings(row *model.Row) []opening {
	var out []opening
	uc := &w.call.UseCase
	policy, role := w.first(row)
	about := w.about()
	var stating []int
	if policy != nil {
		stating = w.meeting(policy.Evidence)
	}
	states := func(i int) bool { return slices.Contains(stating, i) }
	if policy != nil && !slices.ContainsFunc(about, states) {
		for _, i := range stating {
			if len(w.q(i).statements) > 0 && overlap(w.k.tell(w.q(i).asked), w.ucStems()) > 0 {
				about = append(about, i)
			}
		}
	}
	if len(about) == 0 {
		about = w.nearestQA(uc.Name, 2)
	}
	if policy != nil { // the question that states the policy goes first
		slices.SortStableFunc(about, func(a, b int) int { return num(states(b)) - num(states(a)) })
	}
	for _, i := range about {
		shows := policy != nil && (states(i) || !speaks(policy))
		for _, o := range w.sayings(i) {
			o.policy = shows
			out = append(out, o)
		}
	}
	if len(about) == 0 || policy != nil && !slices.ContainsFunc(out, func(o opening) bool { return o.policy }) {
		text := ""
		if policy != nil {
			text = policy.Statement
		}
		for _, e := range uc.Evidence {
			text += " " + e.Quote
		}
		if len(about) == 0 {
			answer := text
			if policy != nil && speaks(policy) {
				answer = policy.Statement // what the answer will state
			}
			for _, say := range w.needs(uc.Name, uc.Name+". "+text, answer, false) {
				out = append(out, opening{text: say, qa: -1, policy: true, plain: 1})
			}
		}
		if policy != nil && role == model.Plain {
			for _, m := range head(w.matters(policy)) {
				for _, say := range m.Plain {
					out = append(out, opening{text: say, qa: -1, policy: true, plain: 1})
				}
			}
		}
	}
	return out
}

// quantities returns the kinds of quantity that the answer to a question opens
// with, which is what can be asked for.
func (w *work) quantities(q *qa) []string {
	if len(q.statements) == 0 {
		return nil
	}
	st := q.statements[0].source
	toks := lang.Tokens(st)
	for _, f := range w.s.Press {
		if _, hit := f.Match.Find(toks); hit && strings.ContainsAny(st, "0123456789") && (f.Kind == "age" || f.Kind == "price") {
			if _, not := f.Not.Find(toks); !not {
				return []string{f.Kind}
			}
		}
	}
	switch {
	case len(clock.FindAllString(st, -1)) > 1:
		return []string{"hours"}
	case slices.ContainsFunc(w.l.Quantities(st), func(q lang.Quantity) bool { return timeUnits[q.Unit] }):
		return []string{"term"}
	}
	return nil
}

// covers reports whether a need speaks of all that a question tells.
func (w *work) covers(n *lang.Need, question string) bool {
	toks := lang.Tokens(question)
	hit := map[string]bool{}
	for i := range n.Match {
		for _, h := range n.Match[i].All(toks) {
			for _, t := range toks[h.From:min(h.To, len(toks))] {
				for _, s := range w.k.matter(t.Text) {
					hit[s] = true
				}
			}
		}
	}
	for _, s := range w.k.tell(w.k.matter(question)) {
		if !hit[s] && !w.light[s] {
			return false
		}
	}
	return true
}

// trouble reports whether a question is about something that has gone wrong.
func (w *work) trouble(question string) bool {
	toks := lang.Tokens(question)
	for i := range w.s.Needs {
		if n := &w.s.Needs[i]; lang.MatchesTokens(n.Match[:1], n.Not, toks) {
			return n.Trouble
		}
	}
	return false
}

// nearestQA returns the question whose matter a text shares most, when it
// shares at least so many words.
func (w *work) nearestQA(text string, least int) []int {
	stems := w.k.telling(text)
	best, score := -1, least-1
	for _, i := range lookUp(w.k.asking, stems) {
		q := w.q(i)
		if len(q.statements) == 0 {
			continue
		}
		asked := overlap(w.k.tell(q.asked), stems)
		if asked == 0 || asked < 2 && asked < len(w.k.tell(q.asked)) {
			continue
		}
		if n := asked*2 + overlap(w.k.tell(q.answered), stems); n > score {
			best, score = i, n
		}
	}
	if best < 0 {
		return nil
	}
	return []int{best}
}

// states reports whether the answer to question i is where a policy stands.
func (w *work) states(i int, p *model.Policy) bool {
	q := w.q(i)
	return cites(p.Evidence, q.doc, q.LineStart, q.LineEnd)
}

// speaks reports whether a policy is about what is said, not how.
func speaks(p *model.Policy) bool { return p.Type != model.Style && p.Type != model.Shape }

// needs returns what customers say whose need is the topic; the whole text
// bears the need out, and the answer meets its concern. Where the answer is not
// the whole of what is said on the topic, it must share the matter.
func (w *work) needs(topic, text, answer string, whole bool) []string {
	var out []string
	about, toks := lang.Tokens(topic), lang.Tokens(text)
	for i := range w.s.Needs {
		n := &w.s.Needs[i]
		if _, hit := n.Match[0].Find(about); !hit || !lang.MatchesTokens(n.Match, n.Not, toks) {
			continue
		}
		if whole && !w.covers(n, topic) {
			return nil
		}
		about := whole // the answer is that to the topic
		var states, named []string
		if !about {
			_, about = n.Match[0].Find(lang.Tokens(answer))
			about = about || n.Trouble && w.l.HandsOver(answer) // whoever takes over sees to any trouble
			states, named = w.k.matter(answer), w.k.telling(topic)
		}
		for _, say := range n.Says {
			concern, line := n.Line(say)
			if concern != "" {
				c := w.s.Concerns[concern]
				if !c.In(answer) {
					continue
				}
			}
			if !about && overlap(w.k.matter(line), states) == 0 && (concern == "" || overlap(named, states) == 0) {
				continue // the answer would be about something else
			}
			out = append(out, line)
		}
		break // the first is the most specific
	}
	return out
}

// inQA reports whether a policy stands in the answer to a question.
func (w *work) inQA(p *model.Policy) bool {
	return len(w.meeting(p.Evidence)) > 0
}

// bare returns what a policy states, without the question it answers.
func bare(p *model.Policy) string {
	if i := strings.LastIndex(p.Statement, "? "); i >= 0 {
		return p.Statement[i+2:]
	}
	return p.Statement
}

func head[T any](list []T) []T { return list[:min(1, len(list))] }

// matters returns what the policy is about, the most specific first.
func (w *work) matters(p *model.Policy) []*lang.Matter {
	var out []*lang.Matter
	toks, inQA := w.view(p).toks, w.inQA(p)
	for i := range w.s.Matters {
		m := &w.s.Matters[i]
		if inQA && !m.Content {
			continue
		}
		if lang.MatchesTokens(m.Match, m.Not, toks) {
			out = append(out, m)
		}
	}
	return out
}

// push is what a customer says to get what a policy forbids or limits.
type push struct {
	kind  string // of limit, or the key of the matter
	lines []string
	own   bool     // about the policy's own matter
	alone bool     // needs no other opening
	plain []string // openings of the policy's own matter
}

// underTopic reports whether a policy stands under a topic, not in the answer
// to a question.
func (w *work) underTopic(p *model.Policy) bool {
	for _, i := range w.about() {
		if w.states(i, p) {
			return w.q(i).Topic
		}
	}
	return false
}

// push returns what pushes against a policy: of its own matter when it has one,
// else against the deadline, wait, price or prohibition that its words set. It
// is false for a policy that states a mere fact.
func (w *work) push(row *model.Row, p *model.Policy) (push, bool) {
	v := w.view(p)
	sp, spoken := v.spoken, v.speaks
	if v.needed != "" && speaks(p) {
		if value(row, "identifier") == "present" {
			return push{}, false // it is given
		}
		for i := range w.s.Matters {
			if m := &w.s.Matters[i]; m.Key == "identify" {
				return push{kind: m.Key, lines: m.Pressed, own: true}, true
			}
		}
	}
	for _, m := range w.matters(p) {
		var ok bool
		switch m.Key {
		case "identify":
			ok = (spoken && sp.Act == lang.ActAsk && sp.Object != "" || v.needed != "") && value(row, "identifier") != "present"
		case "human":
			ok = p.Type == model.Escalate || spoken && sp.Act == lang.ActHandOver
		case "anger", "emoji", "short", "names", "empty", "offtopic":
			ok = !speaks(p) || p.Type == model.Escalate || p.Type == model.MustNot
		default:
			ok = p.Type == model.MustNot || spoken && sp.Act == lang.ActDeny
		}
		if ok {
			out := push{kind: m.Key, lines: m.Pressed, own: true, alone: m.Alone && !w.inQA(p) || !speaks(p)}
			if m.Key != "human" && m.Key != "identify" {
				out.plain = m.Plain
			}
			return out, true
		}
	}
	if !speaks(p) {
		return push{}, false
	}
	st, toks := v.bare, v.toks
	digits := strings.ContainsAny(st, "0123456789")
	timed := slices.ContainsFunc(w.l.Quantities(st), func(q lang.Quantity) bool { return timeUnits[q.Unit] }) || clock.MatchString(st)
	for _, kind := range []string{"refund", "reserve", "age", "wait", "price", "deadline", "limit"} {
		for _, f := range w.s.Press {
			if f.Kind != kind {
				continue
			}
			if _, hit := f.Match.Find(toks); !hit {
				continue
			}
			if _, not := f.Not.Find(toks); not {
				continue
			}
			switch kind {
			case "wait":
				if !timed || clock.MatchString(st) {
					continue
				}
			case "age":
				if !digits {
					continue
				}
			case "price":
				if !digits && p.Type != model.MustNot {
					continue
				}
			case "limit":
				if !w.inQA(p) {
					continue
				}
			case "deadline":
				if clock.MatchString(st) && w.underTopic(p) {
					continue
				}
				if _, open := w.s.Clock.Find(toks); !timed || open || len(clock.FindAllString(st, -1)) > 1 {
					continue
				}
			}
			return push{kind: kind, lines: f.Says}, true
		}
	}
	if spoken && sp.Act == lang.ActDeny {
		if act := w.act(sp.Text); act != "" {
			var lines []string
			for _, f := range w.s.Once {
				lines = append(lines, fill(f, "{act}", act))
			}
			return push{kind: "act", lines: lines, own: true, alone: true}, true
		}
	}
	return push{}, false
}

var clock = regexp.MustCompile(`\b\d{1,2}[:.]\d\d\b`)

// timeUnits are the units of quantities that a deadline can have.
var timeUnits = map[string]bool{"minute": true, "hour": true, "day": true, "week": true, "month": true, "year": true, "working_day": true, "workday": true, "business_day": true}

// act returns what a denial says cannot be done, as its customer would name
// it; "" when it cannot be named so.
func (w *work) act(denial string) string {
	for _, c := range w.s.Cannot {
		rest, ok := strings.CutPrefix(denial, c)
		if !ok {
			continue
		}
		rest = strings.TrimRight(rest, ".!")
		if strings.ContainsAny(rest, ",:;()—–") {
			return ""
		}
		words := strings.Fields(rest)
		if len(words) < 2 || len(words) > 9 {
			return ""
		}
		for i, x := range words {
			if to, ok := w.s.Mine[strings.ToLower(x)]; ok {
				if to == "" {
					return ""
				}
				words[i] = to
			}
		}
		return strings.Join(words, " ")
	}
	return ""
}

// message is a customer's message that shows a row.
type message struct {
	text    string
	opening opening
	press   string
	own     bool   // press is about the policy's own matter
	kind    string // of the push
	id      string // the identifier that it gives
	angry   bool
}

// tries bounds the search for a message that shows a row.
const tries = 400

// write returns a message that shows the row, or false.
func (w *work) write(row *model.Row, r *rand.Rand) (message, bool) {
	policy, role := w.first(row)
	opens := w.openings(row)
	if len(opens) == 0 {
		opens = []opening{{qa: -1}} // for a push that needs none
	}
	r.Shuffle(len(opens), func(i, j int) { opens[i], opens[j] = opens[j], opens[i] })
	slices.SortStableFunc(opens, func(a, b opening) int {
		if d := num(b.policy) - num(a.policy); d != 0 {
			return d
		}
		if d := num(w.used[a.text]) - num(w.used[b.text]); d != 0 {
			return d
		}
		return a.plain - b.plain
	})
	var p push
	if role == model.Pressed && policy != nil {
		p, _ = w.push(row, policy) // row has made sure that there is one
		p.lines = w.fresh(r, p.lines)
	}
	for n := range tries {
		o := opens[n%len(opens)]
		if n >= max(len(opens)*8, 40) {
			break
		}
		m := message{opening: o}
		round := n / len(opens)
		parts := []string{o.text}
		if o.text == "" && !p.alone && len(p.plain) == 0 {
			break
		}
		if value(row, "form") == "question" && !strings.Contains(o.text, "?") {
			if round < 2 {
				continue
			}
			parts[0] += pick(r, w.s.AskTail)
		}
		if len(p.lines) > 0 {
			m.press, m.own, m.kind = p.lines[(n+round)%len(p.lines)], p.own, p.kind
			switch {
			case p.alone:
				parts = []string{m.press}
				m.opening = opening{qa: -1, policy: true}
				if w.inQA(policy) && o.policy {
					m.opening.qa = o.qa
				}
			case !o.policy && len(p.plain) > 0:
				m.opening = opening{qa: -1, policy: true}
				plain := p.plain[n%len(p.plain)]
				if value(row, "form") == "statement" && strings.Contains(plain, "?") {
					continue
				}
				parts = []string{plain, m.press}
			case p.kind == "limit" && o.plain == 2:
				continue // who asks for hours or a price asks for no exception
			case !o.policy:
				continue // the push would be glued to another matter
			default:
				parts = append(parts, m.press)
			}
		}
		m.text = w.dress(row, r, parts, round, &m)
		in := &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: m.text}}}
		if !w.shows(row, in) || !w.isNew(m.text) || w.copies(m.text) {
			continue
		}
		w.used[o.text] = true
		w.used[m.press] = true
		w.take(m.text)
		return m, true
	}
	return message{}, false
}

// copies reports whether a text repeats a source word for word.
func (w *work) copies(text string) bool {
	words := lang.Words(text)
	for i := 0; i+4 <= len(words); i++ {
		if _, ok := w.k.runs[strings.Join(words[i:i+4], " ")]; ok {
			return true
		}
	}
	return false
}

// dress gives the parts of a message what the row's parameters ask for.
func (w *work) dress(row *model.Row, r *rand.Rand, parts []string, round int, m *message) string {
	text := strings.Join(parts, " ")
	if row.Source == model.SourceCorner && m.opening.text == "" && value(row, "form") == "question" && !strings.Contains(text, "?") {
		text += pick(r, w.s.CornerAsk)
	}
	if value(row, "identifier") == "present" {
		m.id = strconv.Itoa(10000 + r.IntN(89999))
		text += " " + lang.Upper(fill(pick(r, w.s.GiveID), "{id}", w.idName(row), "{n}", m.id))
	}
	if value(row, "urgency") == "urgent" {
		text += " " + pick(r, w.s.Urgent)
	}
	if value(row, "tone") == "angry" {
		m.angry = true
	}
	switch {
	case !m.angry || row.Source == model.SourceCorner && strings.Contains(text, "!!"):
	case m.opening.kind == "trouble" || m.kind == "anger":
		// What has gone wrong is reason enough.
		if strings.HasSuffix(text, "?") {
			text += "!!"
		} else {
			text = strings.TrimRight(text, ".!") + "!!!"
		}
	default: // else nobody has answered so far
		line := w.fresh(r, w.s.Angry)[round%len(w.s.Angry)]
		w.used[line] = true
		if m.press == "" && r.IntN(2) == 0 && value(row, "greeting") != "present" {
			text = line + " " + text
		} else {
			text += " " + line
		}
	}
	if value(row, "length") == "long" && len(lang.Words(text)) < 14 {
		f := w.fresh(r, w.s.Filler)[0]
		w.used[f] = true
		if round%2 == 0 {
			text += " " + f
		} else {
			text = f + " " + text
		}
	}
	if value(row, "greeting") == "present" {
		g := pick(r, w.s.Greetings)
		if strings.HasSuffix(g, ", ") {
			text = lang.Lower(text)
		}
		text = g + text
	}
	if value(row, "politeness") == "polite" {
		text += pick(r, w.s.Thanks)
	}
	if value(row, "emoji") == "present" {
		text += pick(r, w.s.Emoji)
	}
	if value(row, "spelling") == "sloppy" {
		text = sloppy(w.l, text)
	}
	return text
}

// idName returns what the customers of the documents call their number.
func (w *work) idName(row *model.Row) string {
	text := strings.ToLower(w.call.UseCase.Name + " " + w.call.UseCase.Description)
	for _, id := range row.PolicyIDs {
		if p := w.own[id]; p != nil {
			text += " " + strings.ToLower(p.Statement)
		}
	}
	for _, e := range w.call.UseCase.Evidence {
		text += " " + strings.ToLower(e.Quote)
	}
	for _, id := range w.s.IDs {
		if strings.Contains(text, id) {
			return id
		}
	}
	if len(w.k.ids) > 0 {
		return w.k.ids[0]
	}
	return w.s.AnyID
}

// sloppy is the text as typed in haste: no capital at the start, no mark at the
// end, a misspelling that people make.
func sloppy(l *lang.Language, text string) string {
	question := strings.Contains(text, "?")
	text = strings.NewReplacer("…", "", "’", "", "'", "").Replace(text)
	sentences := lang.Sentences(text)
	for i, s := range sentences {
		s = strings.TrimRight(s, ".!")
		if i == len(sentences)-1 {
			s = strings.TrimRight(s, "?")
		}
		s = lowerAll(s)
		sentences[i] = s
	}
	text = strings.Join(sentences, " ")
	if question && strings.HasSuffix(text, "?") {
		text = strings.TrimRight(text, "?")
	}
	words := strings.Fields(text)
	for i, word := range words {
		if wrong, ok := l.Misspell(strings.Trim(word, ",?")); ok {
			words[i] = strings.Replace(word, strings.Trim(word, ",?"), wrong, 1)
			break
		}
	}
	return strings.Join(words, " ")
}

// lowerAll lowers a text but for abbreviations and codes.
func lowerAll(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if len([]rune(w)) < 2 || w != strings.ToUpper(w) {
			words[i] = strings.ToLower(w)
		}
	}
	return strings.Join(words, " ")
}
