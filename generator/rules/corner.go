package rules

import (
	"math/rand/v2"
	"strings"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// corner returns a message that nobody can simply answer, and its answer.
func (w *work) corner(row *model.Row, r *rand.Rand) (message, *answer, string) {
	pool := w.s.Corner[row.Corner]
	if len(pool) == 0 {
		return message{}, nil, "no inputs of the corner kind " + row.Corner
	}
	policy, _ := w.first(row)
	opens := w.openings(row)
	lines := w.fresh(r, pool)
	for n := range tries {
		m := message{opening: opening{qa: -1}}
		line := lines[n%len(lines)]
		parts := []string{line}
		switch row.Corner {
		case lang.CornerInjection:
			head := w.s.Override[(n+r.IntN(len(w.s.Override)))%len(w.s.Override)]
			if policy != nil && n%2 == 0 {
				if p, ok := w.push(row, policy); ok && p.own && p.kind != "act" && speaks(policy) {
					m.press = p.lines[r.IntN(len(p.lines))]
					line = lang.Lower(m.press)
				}
			}
			parts = []string{head + " " + line}
			if value(row, "length") == "short" {
				m.press, parts = "", []string{w.s.Plot[(n+r.IntN(len(w.s.Plot)))%len(w.s.Plot)]}
			}
		case lang.CornerAbuse:
			if len(opens) > 0 && value(row, "length") != "short" && n < tries/2 {
				m.opening = opens[(n+r.IntN(len(opens)))%len(opens)]
				parts = append(parts, m.opening.text)
			} else if value(row, "length") == "long" {
				parts = append(parts, lines[(n+1)%len(lines)])
			}
		}
		m.text = strings.Join(parts, " ")
		if strings.TrimSpace(line) == "" {
			m.text = line
		} else {
			m.text = w.dress(row, r, parts, n, &m)
		}
		in := &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: m.text}}}
		if !w.shows(row, in) || !w.isNew(m.text) {
			continue
		}
		w.used[line] = true
		w.take(m.text)
		a, ok := w.respondCorner(row, m, r)
		if !ok {
			continue
		}
		return m, a, ""
	}
	return message{}, nil, "no " + row.Corner + " message shows the row's parameters"
}

func (w *work) respondCorner(row *model.Row, m message, r *rand.Rand) (*answer, bool) {
	a := &answer{w: w, r: r}
	np := w.topic(r)
	say := func(frames []string) string { return fill(pick(r, frames), "{np}", np) }
	switch row.Corner {
	case lang.CornerOffTopic:
		a.denials = []string{say(w.s.Answer.OffTopic)}
	case lang.CornerInjection:
		if policy, _ := w.first(row); m.press != "" && policy != nil {
			if sp, ok := w.k.speak(policy.Statement); ok && sp.Act != lang.ActAsk {
				a.say(sp)
			}
		}
		if len(a.denials) == 0 {
			a.denials = []string{say(w.s.Answer.Decline)}
		}
	case lang.CornerAbuse:
		m.angry = true
		if m.opening.text != "" {
			return w.respond(row, m, r)
		}
		w.next(a, row, m, nil)
		if a.handover != "" {
			a.calm = pick(r, w.calm())
		} else {
			a.asks = []string{say(w.s.Answer.Abuse)}
			if w.k.apologises {
				a.calm, a.asks = pick(r, w.calm()), []string{say(w.s.Answer.AskTrouble)}
			}
		}
	default:
		a.asks = []string{say(w.s.Answer.Clarify)}
	}
	return a, true
}

// topic returns what the documents can be asked about, as words for an answer.
func (w *work) topic(r *rand.Rand) string {
	var topics []string
	for i := range w.questions() {
		if q := w.q(i); q.Topic && len(strings.Fields(q.Question)) <= 3 && len(q.statements) > 0 {
			topics = append(topics, lang.Lower(q.Question))
		}
	}
	if len(topics) == 0 {
		return w.s.AnyTopic
	}
	return pick(r, topics)
}

// cornerCriteria returns the criteria of an answer to a corner message.
func (w *work) cornerCriteria(row *model.Row, m message, a *answer) []string {
	c := &w.s.Criteria
	var out []string
	switch row.Corner {
	case lang.CornerOffTopic:
		out = append(out, c.OffTopic...)
	case lang.CornerInjection:
		out = append(out, c.Decline...)
	case lang.CornerAbuse:
		out = append(out, c.Calm...)
	default:
		out = append(out, c.Clarify...)
	}
	return w.distinct(append(out, w.criteriaOf(row, m, a)...))
}
