package orchestrate

import (
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// axes chooses the two or three axes that mean something for a use case, with
// the values that do, so that at least want rows differ.
func (p *planner) axes(uc model.UseCase, policyIDs []string, formats []model.Format, want int) []model.Axis {
	text := uc.Name + "\n" + uc.Description + "\n" + quotes(uc.Evidence)
	for _, id := range policyIDs {
		if pol := p.policies[id]; pol != nil {
			text += "\n" + pol.Statement
		}
	}
	var usable []model.Axis
	for _, a := range p.profile.Axes {
		if coverage.Decidable(p.lang, a) || p.phrases && a.Rule == "phrase" {
			usable = append(usable, a)
		}
	}
	named := func(name string) (model.Axis, bool) {
		i := slices.IndexFunc(usable, func(a model.Axis) bool { return a.Name == name })
		if i < 0 {
			return model.Axis{}, false
		}
		return usable[i], true
	}
	var chosen []model.Axis
	add := func(a model.Axis, ok bool) {
		if ok && len(chosen) < 3 && len(a.Values) > 1 &&
			!slices.ContainsFunc(chosen, func(c model.Axis) bool { return c.Name == a.Name }) {
			chosen = append(chosen, a)
		}
	}
	mentions := func(topic string) bool { return p.lang != nil && p.lang.Mentions(topic, text) }

	// A value that no message of the use case can have is no value of its axis.
	if fault, ok := named("fault"); ok {
		add(p.faults(fault, uc, policyIDs), true)
	}
	if client, ok := named("client_tone"); ok && !slices.Contains(formats, model.SingleUtteranceCorrection) {
		client.Values = slices.DeleteFunc(slices.Clone(client.Values), func(v model.AxisValue) bool { return v.Name == "absent" })
		add(client, true)
	}
	switch p.ex.Corner[uc.ID] {
	case lang.CornerEmpty, lang.CornerGarbage:
		// Signs without words differ in little else.
		add(named("form"))
		add(named("emoji"))
	case lang.CornerAbuse: // every message is angry
	default:
		add(named("tone"))
	}
	if mentions(lang.TopicIdentifier) {
		add(named("identifier"))
	}
	if mentions(lang.TopicUrgency) {
		add(named("urgency"))
	}
	enough := func() bool {
		n := 1
		for _, a := range chosen {
			n *= len(a.Values)
		}
		return len(chosen) >= 2 && n >= want
	}
	for _, name := range []string{"form", "length", "greeting", "spelling", "politeness"} {
		if enough() {
			break
		}
		add(named(name))
	}
	for _, a := range usable {
		if enough() {
			break
		}
		if a.Rule == a.Name { // the others above were chosen or passed over
			continue
		}
		add(a, true)
	}
	return chosen
}

// faults narrows the fault axis to the faults that the use case's own rules
// speak about, filled up with those of the whole document, three at most. A
// use case without such a rule varies between a faultless draft, whose content
// is wrong, and one of the document's faults; where the document names no fault
// the axis has one value and is none.
func (p *planner) faults(axis model.Axis, uc model.UseCase, policyIDs []string) model.Axis {
	if p.lang == nil {
		return model.Axis{}
	}
	var kinds []string
	add := func(text string) {
		for _, k := range p.lang.FaultKinds(text) {
			if !slices.Contains(kinds, k) {
				kinds = append(kinds, k)
			}
		}
	}
	add(uc.Name + "\n" + uc.Description)
	own := len(kinds)
	if own == 0 {
		kinds = append(kinds, "none")
	} else {
		for _, id := range policyIDs {
			if pol := p.policies[id]; pol != nil {
				add(pol.Statement)
			}
		}
	}
	for _, k := range p.faultOrder {
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	if !p.phrases {
		// Without a model a lone slip of spelling is a mechanical task; together
		// with other faults it takes reading.
		for i, k := range kinds {
			if k == "typo" || k == "punctuation" {
				kinds[i] = "several"
			}
		}
		slices.SortStableFunc(kinds, func(a, b string) int { return weight(a) - weight(b) })
		kinds = slices.Compact(kinds)
		if len(kinds) == 1 && kinds[0] != "none" {
			kinds = append(kinds, "none")
		}
	}
	kinds = kinds[:min(len(kinds), 3)]
	var values []model.AxisValue
	for _, k := range kinds {
		if i := slices.IndexFunc(axis.Values, func(v model.AxisValue) bool { return strings.EqualFold(v.Name, k) }); i >= 0 {
			values = append(values, axis.Values[i])
		}
	}
	axis.Values = values
	return axis
}

// weight orders faults by how much a correction of them takes; a faultless
// form, whose content is wrong, comes first.
func weight(fault string) int {
	return slices.Index([]string{"none", "several", "rude", "caps", "exclamation", "emoji"}, fault)
}
