package model

import "slices"

// Format returns what the profile says about a format.
func (p *Profile) Format(f Format) (FormatProfile, bool) {
	if p == nil {
		return FormatProfile{}, false
	}
	for _, fp := range p.Formats {
		if fp.Format == f {
			return fp, true
		}
	}
	return FormatProfile{}, false
}

// HasSource reports whether examples of the profile may carry source s. A
// profile without sources takes none.
func (p *Profile) HasSource(s Source) bool { return p != nil && slices.Contains(p.Sources, s) }

// Axis returns the profile's axis of that name.
func (p *Profile) Axis(name string) (Axis, bool) {
	if p == nil {
		return Axis{}, false
	}
	for _, a := range p.Axes {
		if a.Name == name {
			return a, true
		}
	}
	return Axis{}, false
}

// SupportBot returns the profile of an agent that answers customers: a support
// bot, appointment booking. Each call returns a new value.
func SupportBot() *Profile {
	return &Profile{
		Case: CaseSupportBot,
		Formats: []FormatProfile{{
			Format: SingleTurnQA,
			Roles:  []string{RoleUser},
			First:  RoleUser, Last: RoleUser,
			MinTurn: 1, MaxTurn: 1,
			Target: TargetAbsent,
		}},
		Sources: []Source{SourceTickets, SourceFAQParaphrase, SourceCorner},
		Axes: []Axis{
			ruled("tone", "neutral", "angry"),
			ruled("identifier", "present", "absent"),
			ruled("form", "question", "statement"),
			ruled("length", "short", "long"),
			ruled("greeting", "present", "absent"),
			ruled("politeness", "polite", "plain"),
			ruled("urgency", "urgent", "normal"),
			ruled("spelling", "clean", "sloppy"),
			ruled("emoji", "present", "absent"),
		},
	}
}

// OperatorQuality returns the profile of an agent that corrects what operators
// write, with and without a dialogue around it. Each call returns a new value.
func OperatorQuality() *Profile {
	return &Profile{
		Case: CaseOperatorQuality,
		Formats: []FormatProfile{
			{
				Format: SingleUtteranceCorrection,
				Roles:  []string{RoleOperator},
				First:  RoleOperator, Last: RoleOperator,
				MinTurn: 1, MaxTurn: 1,
				Target:     TargetOptional,
				Correction: true,
			},
			{
				Format: DialogLastTurnCorrection,
				Roles:  []string{RoleUser, RoleOperator},
				First:  RoleUser, Last: RoleOperator,
				MinTurn:    2,
				Target:     TargetLast,
				Correction: true,
			},
		},
		Axes: []Axis{
			ruled("fault", "none", "caps", "exclamation", "punctuation", "typo", "emoji", "rude", "several"),
			ruled("length", "short", "long"),
			ruled("client_tone", "absent", "neutral", "angry"),
			ruled("form", "question", "statement"),
			ruled("greeting", "present", "absent"),
		},
	}
}

// ruled returns an axis that is shown by the rule of its own name.
func ruled(name string, values ...string) Axis {
	a := Axis{Name: name, Rule: name}
	for _, v := range values {
		a.Values = append(a.Values, AxisValue{Name: v})
	}
	return a
}
