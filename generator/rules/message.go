package rules

import (
	"math/rand/v2"
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
	var out []int
	for i := range w.questions() {
		q := w.q(i)
		if len(q.statements) > 0 && cites(w.call.UseCase.Evidence, q.doc, q.LineStart, q.LineEnd) {
			out = append(out, i)
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
	if policy != nil && !slices.ContainsFunc(about, func(i int) bool { return w.states(i, policy) }) {
		for i := range w.questions() {
			if len(w.q(i).statements) > 0 && w.states(i, policy) {
				about = append(about, i)
			}
		}
	}
	if len(about) == 0 {
		about = w.nearestQA(uc.Name, 2)
	}
	if policy != nil { // the question that states the policy goes first
		slices.SortStableFunc(about, func(a, b int) int {
			return num(w.states(b, policy)) - num(w.states(a, policy))
		})
	}
	for _, i := range about {
		q := w.q(i)
		shows := policy != nil && (w.states(i, policy) || !speaks(policy))
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
				out = append(out, opening{text: p, qa: i, turned: true, policy: shows, kind: trouble})
			}
		}
		if q.elliptical && !q.Topic && slices.ContainsFunc(out, func(o opening) bool { return o.qa == i }) {
			continue
		}
		for _, say := range w.needs(q.Question, q.Question+". "+answer, answer) {
			out = append(out, opening{text: say, qa: i, policy: shows, plain: 1, kind: trouble})
		}
		if q.Topic && len(strings.Fields(q.Question)) <= 4 && w.l.Elliptical(q.Question) {
			np := lang.Lower(strings.TrimRight(q.Question, "?!.: "))
			for _, f := range w.s.About {
				out = append(out, opening{text: lang.Upper(fill(f, "{np}", np)), qa: i, policy: shows, plain: 2, kind: "terms"})
			}
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
			for _, say := range w.needs(uc.Name, uc.Name+". "+text, text) {
				out = append(out, opening{text: say, qa: -1, policy: true, plain: 1})
			}
		}
		if policy != nil && role == model.Plain {
			for _, m := range w.matters(policy) {
				for _, say := range m.Plain {
					out = append(out, opening{text: say, qa: -1, policy: true, plain: 1})
				}
			}
		}
	}
	return out
}

// trouble reports whether a question is about something that has gone wrong.
func (w *work) trouble(question string) bool {
	for i := range w.s.Needs {
		if n := &w.s.Needs[i]; n.Match[0].In(question) && !n.Not.In(question) {
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
		if asked == 0 {
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
// bears the need out, and the answer meets its concern.
func (w *work) needs(topic, text, answer string) []string {
	var out []string
	for i := range w.s.Needs {
		n := &w.s.Needs[i]
		if !n.Match[0].In(topic) || !lang.Matches(n.Match, n.Not, text) {
			continue
		}
		for _, say := range n.Says {
			concern, line := n.Line(say)
			if concern != "" {
				c := w.s.Concerns[concern]
				if !c.In(answer) {
					continue
				}
			}
			out = append(out, line)
		}
		break // the first is the most specific
	}
	return out
}

// inQA reports whether a policy stands in the answer to a question.
func (w *work) inQA(p *model.Policy) bool {
	for i := range w.questions() {
		if w.states(i, p) {
			return true
		}
	}
	return false
}

// bare returns what a policy states, without the question it answers.
func (w *work) bare(p *model.Policy) string {
	if i := strings.LastIndex(p.Statement, "? "); i >= 0 {
		return p.Statement[i+2:]
	}
	return p.Statement
}

// matters returns what the policy is about.
func (w *work) matters(p *model.Policy) []*lang.Matter {
	var out []*lang.Matter
	for i := range w.s.Matters {
		m := &w.s.Matters[i]
		if w.inQA(p) && !m.Content {
			continue
		}
		if lang.Matches(m.Match, m.Not, w.bare(p)) {
			out = append(out, m)
		}
	}
	if len(out) > 1 {
		out = out[:1]
	}
	return out
}

// presses returns sentences that push towards breaking a policy. own is set
// when they are about the policy's own matter and need no other opening.
func (w *work) presses(p *model.Policy, kind string) (lines []string, own, alone bool) {
	for _, m := range w.matters(p) {
		return m.Pressed, true, m.Alone && !w.inQA(p)
	}
	kinds := w.limits(p)
	if kind != "" {
		kinds = []string{kind}
	}
	for _, f := range w.s.Press {
		if slices.Contains(kinds, f.Kind) {
			lines = append(lines, f.Says...)
		}
	}
	return lines, false, false
}

// limits returns the kinds of limit that a policy sets.
func (w *work) limits(p *model.Policy) []string {
	kinds := []string{"fact"}
	if w.s.Limit.In(p.Statement) || p.Type == model.MustNot {
		kinds = []string{"limit"}
	}
	price, wait := w.s.Concerns["price"], w.s.Concerns["time"]
	switch digits := strings.ContainsAny(p.Statement, "0123456789"); {
	case digits && w.s.Wait.In(p.Statement) && wait.In(p.Statement):
		kinds = []string{"wait", "fact"}
	case digits && price.In(p.Statement) && !wait.In(p.Statement):
		kinds = []string{"price", "terms"}
	}
	return kinds
}

// message is a customer's message that shows a row.
type message struct {
	text    string
	opening opening
	press   string
	own     bool   // press is about the policy's own matter
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
		return message{}, false
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
	own, alone := false, false
	byKind := map[string][]string{}
	pressesFor := func(o opening) []string {
		if role != model.Pressed || policy == nil {
			return nil
		}
		if lines, ok := byKind[o.kind]; ok {
			return lines
		}
		lines, isOwn, isAlone := w.presses(policy, o.kind)
		own, alone = isOwn, isAlone
		lines = w.fresh(r, lines)
		// Few words are for short messages only.
		short := value(row, "length") == "short"
		slices.SortStableFunc(lines, func(a, b string) int {
			few := func(s string) bool { return len(lang.Words(s)) <= 3 }
			return num(few(a) != short) - num(few(b) != short)
		})
		if !own && len(lines) > 4 {
			lines = lines[:4]
		}
		byKind[o.kind] = lines
		return lines
	}
	for n := range tries {
		o := opens[n%len(opens)]
		if n >= len(opens)*8 {
			break
		}
		m := message{opening: o}
		round := n / len(opens)
		parts := []string{o.text}
		if value(row, "form") == "question" && !strings.Contains(o.text, "?") {
			if round < 2 {
				continue
			}
			parts[0] += pick(r, w.s.AskTail)
		}
		if presses := pressesFor(o); len(presses) > 0 {
			m.press, m.own = presses[(n+round)%len(presses)], own
			switch {
			case alone || own && value(row, "length") == "short":
				parts = []string{m.press}
				m.opening = opening{qa: -1, policy: true}
				if w.inQA(policy) {
					m.opening.qa = o.qa
				}
			default:
				parts = append(parts, m.press)
			}
		} else if !o.policy && policy != nil && speaks(policy) && policy.Type != model.Must {
			for _, x := range w.matters(policy) {
				if len(x.Plain) > 0 {
					parts = append(parts, x.Plain[(n+round)%len(x.Plain)])
				}
			}
		}
		m.text = w.dress(row, r, parts, round, &m)
		in := &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: m.text}}}
		if !w.shows(row, in) || !w.isNew(m.text) || w.copies(m.text) {
			continue
		}
		w.used[o.text] = true
		w.used[m.press] = true
		w.inputs = append(w.inputs, m.text)
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
	if row.Source == model.SourceCorner && value(row, "form") == "question" && !strings.Contains(text, "?") {
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
	if m.angry && value(row, "length") == "short" && row.Source != model.SourceCorner {
		// Marks are anger enough where there is no room for words.
		if strings.HasSuffix(text, "?") {
			text += "!!"
		} else {
			text = strings.TrimRight(text, ".!") + "!!!"
		}
	} else if m.angry {
		line := pick(r, w.fresh(r, w.s.Angry))
		w.used[line] = true
		if r.IntN(2) == 0 && value(row, "greeting") != "present" {
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
		if p := w.policies[id]; p != nil {
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
