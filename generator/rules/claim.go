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
		return !speaks(p) || w.tells(p, said) || about(p) || w.says(p, text, m, topic)
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
	if !matter { // what is shown comes before how it sounds
		others := w.call.Policies
		if kind != "" {
			others = slices.Concat(others, w.call.AllPolicies)
		}
		for i := range others {
			if p := &others[i]; speaks(p) && !slices.Contains(ids, p.ID) && shows(p) && (i < len(w.call.Policies) || about(p)) {
				ids = slices.Insert(ids, 0, p.ID)
				w.own[p.ID] = p
				matter = true
				break
			}
		}
	}
	if !matter {
		if p := w.told(said); p != nil && !slices.Contains(ids, p.ID) {
			ids = slices.Insert(ids, 0, p.ID)
			w.own[p.ID] = p
		}
	}
	if len(ids) == 0 && kind != "" {
		for i := range w.call.AllPolicies {
			if p := &w.call.AllPolicies[i]; !speaks(p) && p.IsTestable() {
				ids = append(ids, p.ID)
				w.own[p.ID] = p
				break
			}
		}
	}
	w.cite(row, ids)
	return len(ids) > 0
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

// tells reports whether a text with these stems shows a policy: it has two of
// the statement's, or all of a shorter one's.
func (w *work) tells(p *model.Policy, said map[string]bool) bool {
	stems := map[string]bool{}
	both := 0
	for _, s := range w.l.Stems(p.Statement) {
		if !stems[s] && said[s] {
			both++
		}
		stems[s] = true
	}
	return both >= min(2, len(stems))
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
	w.indexed.Do(func() {
		w.stemmed = map[string][]int{}
		w.lengths = make([]int, len(w.policies))
		for i := range w.policies {
			p := &w.policies[i]
			if !speaks(p) || !p.IsTestable() {
				continue
			}
			seen := map[string]bool{}
			for _, s := range w.l.Stems(p.Statement) {
				if !seen[s] {
					seen[s] = true
					w.stemmed[s] = append(w.stemmed[s], i)
				}
			}
			w.lengths[i] = len(seen)
		}
	})
	both := map[int]int{}
	for s := range said {
		for _, i := range w.stemmed[s] {
			both[i]++
		}
	}
	best := -1
	for i, n := range both {
		if n < 3 || n*2 < w.lengths[i] {
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
