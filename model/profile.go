package model

// SupportBot returns the profile of a bot that answers customers, appointment
// booking included.
func SupportBot() *Profile {
	return &Profile{
		Case: CaseSupportBot,
		Formats: []FormatProfile{{
			Format: SingleTurnQA, Roles: []string{RoleUser},
			First: RoleUser, Last: RoleUser, MinTurn: 1, MaxTurn: 1, Target: TargetAbsent,
		}},
		Sources: []Source{SourceTickets, SourceFAQParaphrase, SourceCorner},
	}
}

// OperatorQuality returns the profile of an agent that corrects an operator's
// messages, alone or in a dialogue.
func OperatorQuality() *Profile {
	return &Profile{
		Case: CaseOperatorQuality,
		Formats: []FormatProfile{{
			Format: SingleUtteranceCorrection, Roles: []string{RoleOperator},
			First: RoleOperator, Last: RoleOperator, MinTurn: 1, MaxTurn: 1,
			Target: TargetOptional, Correction: true,
		}, {
			Format: DialogLastTurnCorrection, Roles: []string{RoleUser, RoleOperator, RoleAssistant, RoleSystem},
			First: RoleUser, Last: RoleOperator, MinTurn: 2,
			Target: TargetLast, Correction: true,
		}},
	}
}

// Format returns the profile of a format, and whether p has it.
func (p *Profile) Format(f Format) (FormatProfile, bool) {
	for _, fp := range p.Formats {
		if fp.Format == f {
			return fp, true
		}
	}
	return FormatProfile{}, false
}
