package rules

import (
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// claim makes a row cite what its message and answer show, and nothing else: a
// certificate must not rest on a plan. The policies that were planned come
// first; when none of them is shown, another one of the use case takes their
// place, and beside a corner message one on such messages or on how any reply
// sounds. It is false when there is none.
func (w *work) claim(row *model.Row, m message, a *answer) bool {
	said := map[string]bool{}
	for _, s := range w.l.Stems(a.text() + "\n" + m.text) {
		said[s] = true
	}
	kind, topic, text := cornerOf(w.l, row, m), w.k.matter(m.text), a.text()
	about := func(p *model.Policy) bool {
		return kind != "" && sameCorner(w.l.CornerKind(p.Statement), kind) && (p.Type != model.Escalate || a.handover != "")
	}
	shows := func(p *model.Policy) bool {
		if !speaks(p) {
			return w.sounds(p, text, m, topic)
		}
		return w.tells(p, said, a) || about(p) || w.says(p, text, m, topic)
	}
	var ids []string
	matter := false
	for _, id := range row.PolicyIDs {
		if p := w.own[id]; p != nil && shows(p) {
			ids = append(ids, id)
			matter = matter || speaks(p)
		}
	}
	if len(ids) > 0 && ids[0] == row.PolicyIDs[0] {
		w.cite(row, ids)
		return true
	}
	add := func(p *model.Policy) {
		ids = slices.Insert(ids, 0, p.ID)
		w.own[p.ID] = p
	}
	if !matter { // what is shown comes before how it sounds
		if p := w.instead(ids, kind, shows, about, said); p != nil {
			add(p)
		}
	}
	if len(ids) == 0 && kind != "" {
		for _, i := range w.heard().sounds {
			if p := &w.policies[i]; shows(p) {
				add(p)
				break
			}
		}
	}
	w.cite(row, ids)
	return len(ids) > 0
}

// instead returns a policy that is shown where none of the planned ones is: of
// the use case, on a corner message of the kind, or of all that there are.
func (w *work) instead(cited []string, kind string, shows, about func(*model.Policy) bool, said map[string]bool) *model.Policy {
	for i := range w.call.Policies {
		if p := &w.call.Policies[i]; speaks(p) && !slices.Contains(cited, p.ID) && shows(p) {
			return p
		}
	}
	if kind != "" {
		for _, i := range w.heard().corners {
			if p := &w.policies[i]; about(p) {
				return p
			}
		}
	}
	if p := w.told(said); p != nil && !slices.Contains(cited, p.ID) {
		return p
	}
	return nil
}

// cite makes the policies those of the row. What was not planned is shown
// plain.
func (w *work) cite(row *model.Row, ids []string) {
	roles := map[string]model.Role{}
	for _, id := range ids {
		roles[id] = model.Plain
		if role, ok := row.Roles[id]; ok {
			roles[id] = role
		}
	}
	row.PolicyIDs, row.Roles = ids, roles
}

// tells reports whether an answer shows a policy. With its message, whose stems
// are said too, it has two of the statement's, or all of a shorter one's; by
// itself it has one of the policy's figures, or half of what the policy states.
// A policy that hands over is shown by an answer that does.
func (w *work) tells(p *model.Policy, said map[string]bool, a *answer) bool {
	if both, all := present(w.l.Stems(p.Statement), said); both < min(2, all) {
		return false
	}
	v, text := w.view(p), a.text()
	if p.Type == model.Escalate {
		return a.handover != "" || w.s.Passing.In(text) || w.l.HandsOver(text)
	}
	if v.speaks && v.spoken.Act == lang.ActAsk && len(a.asks) > 0 {
		return true
	}
	stated := w.k.matter(v.bare)
	both := overlap(stated, w.k.matter(text))
	if figures := figure.FindAllString(v.bare, -1); len(figures) > 0 {
		own := figure.FindAllString(text, -1)
		return both*2 > len(stated) || slices.ContainsFunc(figures, func(f string) bool { return slices.Contains(own, f) })
	}
	return both*2 >= len(stated)
}

// present counts the different stems, and those that are said.
func present(stems []string, said map[string]bool) (both, all int) {
	seen := map[string]bool{}
	for _, s := range stems {
		if !seen[s] && said[s] {
			both++
		}
		seen[s] = true
	}
	return both, len(seen)
}

// sounds reports whether an answer can show a policy on how answers sound: its
// condition is the case, and the apology that it demands is made, as is, in the
// case, what it says must be asked for.
func (w *work) sounds(p *model.Policy, text string, m message, topic []string) bool {
	if w.l.Mentions(lang.TopicApology, p.Statement) && p.Type != model.MustNot && !w.l.Mentions(lang.TopicApology, text) {
		return false
	}
	for _, c := range p.Conditions {
		if overlap(w.k.matter(c), topic) == 0 && !(w.angry(m) && angers(w.l, p.Statement)) {
			return false
		}
	}
	if len(p.Conditions) > 0 && p.Type != model.MustNot && w.l.Mentions(lang.TopicAsk, p.Statement) {
		main := p.Statement
		for _, c := range p.Conditions {
			main = strings.Replace(main, c, "", 1)
		}
		return overlap(w.k.matter(main), w.k.matter(text)) > 0
	}
	return true
}

// says reports whether an answer says a policy in the agent's own voice. Who a
// matter is handed to is the same for many policies: it must be the matter.
func (w *work) says(p *model.Policy, text string, m message, topic []string) bool {
	v := w.view(p)
	if !v.speaks || !strings.Contains(text, v.spoken.Text) {
		return false
	}
	return v.spoken.Act != lang.ActHandOver && v.spoken.Act != lang.ActAsk || w.triggered(p.Statement, m, topic)
}

// sameCorner reports whether a rule on one kind of corner message speaks of
// another: who sends nothing and who sends nonsense are asked the same.
func sameCorner(rule, kind string) bool {
	mute := func(k string) bool { return k == lang.CornerEmpty || k == lang.CornerGarbage }
	return rule == kind || mute(rule) && mute(kind)
}

// told returns the policy of all that the text with these stems shows best: it
// has half of the statement's stems, and no fewer than three. Nil when there is
// none.
func (w *work) told(said map[string]bool) *model.Policy {
	index := w.heard()
	both := map[int]int{}
	for s := range said {
		for _, i := range index.stemmed[s] {
			both[i]++
		}
	}
	best := -1
	for i, n := range both {
		if n < 3 || n*2 < index.lengths[i] {
			continue
		}
		if best < 0 || n > both[best] || n == both[best] && i < best {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	return &w.policies[best]
}

// heard is how the policies of a run are found by what they say.
type heard struct {
	stemmed map[string][]int // testable ones on what is said, by the stems of their statements
	lengths []int            // how many stems each has
	corners []int            // those on corner messages
	sounds  []int            // testable ones on how a reply sounds
}

// heard reads the policies once.
func (rd *reading) heard() *heard {
	rd.indexed.Do(func() {
		h := &heard{stemmed: map[string][]int{}, lengths: make([]int, len(rd.policies))}
		l := rd.k.l
		for i := range rd.policies {
			p := &rd.policies[i]
			if speaks(p) && l.CornerKind(p.Statement) != "" {
				h.corners = append(h.corners, i)
			}
			switch {
			case !p.IsTestable():
				continue
			case !speaks(p):
				h.sounds = append(h.sounds, i)
				continue
			}
			seen := map[string]bool{}
			for _, s := range l.Stems(p.Statement) {
				if !seen[s] {
					seen[s] = true
					h.stemmed[s] = append(h.stemmed[s], i)
				}
			}
			h.lengths[i] = len(seen)
		}
		rd.index = h
	})
	return rd.index
}

// cornerOf is the kind of corner message that a row's is, if any: a ticket may
// be one too.
func cornerOf(l *lang.Language, row *model.Row, m message) string {
	switch {
	case row.Corner != "":
		return row.Corner
	case strings.TrimSpace(m.text) == "":
		return lang.CornerEmpty
	case l.Marks.Abuse.In(m.text):
		return lang.CornerAbuse
	}
	return ""
}
