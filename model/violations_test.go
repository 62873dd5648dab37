package model

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func rules(vs []Violation) []string {
	var out []string
	for _, v := range vs {
		out = append(out, v.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func TestSoundDatasetHasNoViolations(t *testing.T) {
	t.Parallel()
	if vs := sound().Violations(soundDoc()); len(vs) > 0 {
		t.Errorf("violations: %v", vs)
	}
	if vs := soundManifest().Violations(sound()); len(vs) > 0 {
		t.Errorf("violations of the manifest: %v", vs)
	}
}

// Every case breaks one thing in a sound dataset.
func TestViolations(t *testing.T) {
	t.Parallel()
	at := func(i int) *int { return &i }
	no := false
	for _, c := range []struct {
		name   string
		change func(d *Dataset)
		want   []string
	}{
		{"empty id", func(d *Dataset) { d.UseCases[0].ID = "" }, []string{"id"}},
		{"prefix alone", func(d *Dataset) { d.UseCases[0].ID = "uc_" }, []string{"id"}},
		{"wrong prefix", func(d *Dataset) { d.Policies[0].ID = "uc_x" }, []string{"id"}},
		{"alphabet", func(d *Dataset) { d.TestCases[0].ID = "tc_Пароль" }, []string{"id"}},
		{"repeated id", func(d *Dataset) { d.Policies[0].ID = d.Policies[1].ID }, []string{"id_unique"}},
		{"no case", func(d *Dataset) { d.UseCases[0].Case = "" }, []string{"case"}},
		{"two cases", func(d *Dataset) { d.Policies[1].Case = CaseOperatorQuality }, []string{"case"}},
		{"blank name", func(d *Dataset) { d.UseCases[0].Name = " " }, []string{"required"}},
		{"names equal after folding", func(d *Dataset) {
			u := d.UseCases[0]
			u.ID, u.Name = "uc_2", "«УЗНАТЬ» пароль!"
			d.UseCases = append(d.UseCases, u)
		}, []string{"name_unique"}},
		{"no description", func(d *Dataset) { d.TestCases[0].Description = "" }, []string{"required"}},
		{"no statement", func(d *Dataset) { d.Policies[0].Statement = "" }, []string{"required"}},
		{"policy type", func(d *Dataset) { d.Policies[0].Type = "should" }, []string{"policy_type"}},
		{"blank condition", func(d *Dataset) { d.Policies[0].Conditions = []string{""} }, []string{"required"}},
		{"not testable", func(d *Dataset) { d.Policies[0].Testable = &no }, []string{"untestable_reason"}},
		{"no evidence", func(d *Dataset) { d.Policies[0].Evidence = nil }, []string{"evidence"}},
		{"evidence twice", func(d *Dataset) {
			d.Policies[0].Evidence = append(d.Policies[0].Evidence, d.Policies[0].Evidence[0])
		}, []string{"evidence_duplicate"}},
		{"quote trimmed", func(d *Dataset) {
			d.Policies[0].Evidence[0].Quote = "Номер карты спрашиваем до любых изменений."
		}, []string{"evidence_quote"}},
		{"quote of more lines", func(d *Dataset) { d.Policies[0].Evidence[0].LineEnd = 4 }, []string{"evidence_quote"}},
		{"quote with a carriage return", func(d *Dataset) { d.Policies[0].Evidence[0].Quote += "\r" }, []string{"evidence_quote"}},
		{"line 0", func(d *Dataset) { d.Policies[0].Evidence[0].LineStart = 0 }, []string{"evidence_lines"}},
		{"past the end", func(d *Dataset) { d.Policies[0].Evidence[0] = Evidence{"club.md", 99, 99, "x"} }, []string{"evidence_lines"}},
		{"other document", func(d *Dataset) { d.Policies[0].Evidence[0].InputFile = "other.md" }, []string{"evidence_file"}},
		{"a path", func(d *Dataset) { d.Policies[0].Evidence[0].InputFile = "in/club.md" }, []string{"evidence_file"}},
		{"starts blank", func(d *Dataset) {
			d.Policies[0].Evidence[0] = Evidence{"club.md", 2, 3, "\n- Номер карты спрашиваем до любых изменений."}
		}, []string{"evidence_blank"}},
		{"a heading", func(d *Dataset) { d.Policies[0].Evidence[0] = Evidence{"club.md", 1, 1, "# Клуб «Ёлка»"} }, []string{"evidence_support"}},
		{"a table head", func(d *Dataset) {
			d.Policies[0].Evidence[0] = Evidence{"club.md", 6, 7, "| id | сообщение | ответ |\n|---|---|---|"}
		}, []string{"evidence_support"}},
		{"superseded evidence", func(d *Dataset) { d.Policies[0].Supersedes = []Evidence{{"club.md", 3, 3, "x"}} }, []string{"evidence_quote"}},
		{"no parameters", func(d *Dataset) { d.TestCases[0].Parameters = nil }, []string{"axes", "parameters"}},
		{"empty parameter", func(d *Dataset) { d.TestCases[0].Parameters["tone"] = String("") }, []string{"parameters"}},
		{"axis in place of a value", func(d *Dataset) { d.TestCases[0].Parameters["tone"] = String("identifier") }, []string{"parameters"}},
		{"one axis", func(d *Dataset) { d.TestCases[0].Axes = []string{"tone"} }, []string{"axes"}},
		{"four axes", func(d *Dataset) { d.TestCases[0].Axes = []string{"tone", "identifier", "attempts", "x"} }, []string{"axes"}},
		{"axis twice", func(d *Dataset) { d.TestCases[0].Axes = []string{"tone", "tone"} }, []string{"axes"}},
		{"axis without value", func(d *Dataset) { d.TestCases[0].Axes = []string{"tone", "length"} }, []string{"axes"}},
		{"same parameters", func(d *Dataset) {
			c := d.TestCases[0]
			c.ID = "tc_other"
			d.TestCases = append(d.TestCases, c)
		}, []string{"parameters_unique"}},
		{"no policies", func(d *Dataset) { d.TestCases[0].PolicyIDs = nil }, []string{"policy_ids"}},
		{"policy twice", func(d *Dataset) { d.Examples[0].PolicyIDs = []string{"pol_parol", "pol_parol"} }, []string{"policy_ids"}},
		{"policy id form", func(d *Dataset) { d.TestCases[0].PolicyIDs = []string{"parol"} }, []string{"id"}},
		{"no generator", func(d *Dataset) { d.Examples[0].Metadata.Generator = "" }, []string{"required"}},
		{"engine", func(d *Dataset) { d.Examples[0].Metadata.Engine = "rust" }, []string{"engine"}},
		{"split", func(d *Dataset) { d.Examples[0].Metadata.Split = "dev" }, []string{"split"}},
		{"no source", func(d *Dataset) { d.Examples[0].Metadata.Source = "" }, []string{"source"}},
		{"unknown source", func(d *Dataset) { d.Examples[0].Metadata.Source = "web" }, []string{"source"}},
		{"no test case", func(d *Dataset) { d.Examples[0].TestCaseID = "" }, []string{"required"}},
		{"no messages", func(d *Dataset) { d.Examples[0].Input.Messages = nil }, []string{"messages"}},
		{"two messages", func(d *Dataset) {
			d.Examples[0].Input.Messages = append(d.Examples[0].Input.Messages, Message{RoleUser, "и ещё"})
		}, []string{"messages"}},
		{"role", func(d *Dataset) { d.Examples[0].Input.Messages[0].Role = "client" }, []string{"role"}},
		{"operator asks", func(d *Dataset) { d.Examples[0].Input.Messages[0].Role = RoleOperator }, []string{"role"}},
		{"target in a question", func(d *Dataset) { d.Examples[0].Input.TargetMessageIndex = at(0) }, []string{"target_message_index"}},
		{"format of another case", func(d *Dataset) { d.Examples[0].Format = SingleUtteranceCorrection }, []string{"format"}},
		{"blank message in a paraphrase", func(d *Dataset) {
			d.Examples[0].Input.Messages[0].Content = " "
			d.Examples[0].Metadata.Source = SourceFAQParaphrase
		}, []string{"empty_message"}},
		{"blank message as corner", func(d *Dataset) {
			d.Examples[0].Input.Messages[0].Content = ""
			d.Examples[0].Metadata.Source = SourceCorner
		}, nil},
		{"blank message where the export has one", func(d *Dataset) { d.Examples[0].Input.Messages[0].Content = "" }, nil},
		{"no output", func(d *Dataset) { d.Examples[0].ExpectedOutput = "\n" }, []string{"required"}},
		{"dots at the end", func(d *Dataset) { d.Examples[0].ExpectedOutput = "Пароль..." }, []string{"placeholder"}},
		{"slot", func(d *Dataset) { d.Examples[0].ExpectedOutput = "Гость {{name}}, нет." }, []string{"placeholder"}},
		{"internal id", func(d *Dataset) { d.Examples[0].ExpectedOutput = "См. pol_parol." }, []string{"placeholder"}},
		{"TODO", func(d *Dataset) { d.Examples[0].ExpectedOutput = "TODO: ответ" }, []string{"placeholder"}},
		{"todo is a word", func(d *Dataset) { d.Examples[0].ExpectedOutput = "Todo está bien." }, nil},
		{"two criteria", func(d *Dataset) { d.Examples[0].EvaluationCriteria = d.Examples[0].EvaluationCriteria[:2] }, []string{"criteria_count"}},
		{"criteria repeated", func(d *Dataset) {
			d.Examples[0].EvaluationCriteria = append(d.Examples[0].EvaluationCriteria, "пароль НЕ назван")
		}, []string{"criteria"}},
		{"one-word criterion", func(d *Dataset) { d.Examples[0].EvaluationCriteria[0] = "Вежливость" }, []string{"criteria_vague"}},
		{"role of another policy", func(d *Dataset) { d.Examples[0].Metadata.PolicyRoles = map[string]Role{"pol_x": Plain} }, []string{"policy_roles"}},
		{"unknown role of a policy", func(d *Dataset) { d.Examples[0].Metadata.PolicyRoles["pol_parol"] = "hard" }, []string{"policy_roles"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := sound()
			c.change(d)
			vs := d.Violations(soundDoc())
			if diff := cmp.Diff(c.want, rules(vs)); diff != "" {
				t.Errorf("rules (-want +got):\n%s\n%v", diff, vs)
			}
			for _, v := range vs {
				if v.File == "" || v.ID == "" || v.Message == "" {
					t.Errorf("violation %+v does not say where or what", v)
				}
			}
		})
	}
}

func TestCorrectionFormats(t *testing.T) {
	t.Parallel()
	at := func(i int) *int { return &i }
	u, o := Message{RoleUser, "где врач??"}, Message{RoleOperator, "ЖДИТЕ"}
	for _, c := range []struct {
		name   string
		format Format
		target *int
		msgs   []Message
		want   []string
	}{
		{"utterance", SingleUtteranceCorrection, nil, []Message{o}, nil},
		{"utterance with target", SingleUtteranceCorrection, at(0), []Message{o}, nil},
		{"utterance with wrong target", SingleUtteranceCorrection, at(1), []Message{o}, []string{"target_message_index"}},
		{"utterance of a user", SingleUtteranceCorrection, nil, []Message{u}, []string{"role"}},
		{"dialogue", DialogLastTurnCorrection, at(1), []Message{u, o}, nil},
		{"dialogue of four", DialogLastTurnCorrection, at(3), []Message{u, o, u, o}, nil},
		{"dialogue without target", DialogLastTurnCorrection, nil, []Message{u, o}, []string{"target_message_index"}},
		{"dialogue with target inside", DialogLastTurnCorrection, at(1), []Message{u, o, u, o}, []string{"target_message_index"}},
		{"dialogue that ends with the user", DialogLastTurnCorrection, at(2), []Message{u, o, u}, []string{"role"}},
		{"dialogue of one", DialogLastTurnCorrection, at(0), []Message{o}, []string{"messages", "role"}},
		{"blank user turn", DialogLastTurnCorrection, at(1), []Message{{RoleUser, ""}, o}, []string{"empty_message"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := sound()
			e := d.Examples[0]
			e.Case, e.Format, e.Metadata.Source = CaseOperatorQuality, c.format, ""
			e.Input = Input{Messages: c.msgs, TargetMessageIndex: c.target}
			got := (&Dataset{Examples: []Example{e}}).Violations(soundDoc())
			if diff := cmp.Diff(c.want, rules(got)); diff != "" {
				t.Errorf("rules (-want +got):\n%s\n%v", diff, got)
			}
		})
	}
}

func TestOwnProfile(t *testing.T) {
	t.Parallel()
	e := sound().Examples[0]
	e.Case, e.Format, e.Metadata.Source = "translation", "pair", ""
	e.Input.Messages = []Message{{RoleSystem, "Перевод"}, {RoleUser, "да"}}
	d := &Dataset{Examples: []Example{e}}
	if vs := d.Violations(); len(vs) > 0 {
		t.Errorf("an unknown case is held to no format: %v", vs)
	}
	p := &Profile{Case: "translation", Formats: []FormatProfile{{Format: "pair", Roles: []string{RoleUser}, MinTurn: 1, MaxTurn: 1, Target: TargetAbsent}}}
	if diff := cmp.Diff([]string{"messages", "role"}, rules(d.ViolationsWith(p))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestManifestViolations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(m *Manifest)
		want   []string
	}{
		{"path", func(m *Manifest) { m.InputPath = "" }, []string{"required"}},
		{"timestamp", func(m *Manifest) { m.Timestamp = "2024-02-29 12:00" }, []string{"timestamp"}},
		{"provider", func(m *Manifest) { m.LLM.Provider = "" }, []string{"required"}},
		{"model", func(m *Manifest) { m.LLM.Provider = "openai" }, []string{"required"}},
		{"counts", func(m *Manifest) { m.Counts.Policies++ }, []string{"counts"}},
		{"names not sorted", func(m *Manifest) { m.FrameworksUsed = []string{"rules", "direct"} }, []string{"frameworks_used"}},
		{"a name too few", func(m *Manifest) { m.FrameworksUsed = nil }, []string{"frameworks_used"}},
		{"a name too many", func(m *Manifest) { m.FrameworksUsed = []string{"ragas", "rules"} }, []string{"frameworks_used"}},
	} {
		m := soundManifest()
		c.change(m)
		if diff := cmp.Diff(c.want, rules(m.Violations(sound()))); diff != "" {
			t.Errorf("%s: rules (-want +got):\n%s", c.name, diff)
		}
	}
}
