package actor

import "regexp"

// The kinds of request that end every method.
const (
	AnswerWrite    = "answer"
	AnswerDescribe = "answer_describe"
	AnswerCheck    = "answer_check"
	AnswerMend     = "answer_mend"
)

var answerMarks = []mark{
	{AnswerWrite, "Repeat the message exactly, write the ideal reply"},
	{AnswerDescribe, "You describe tests of an assistant"},
	{AnswerMend, "with a reply that did not pass a check"},
	{AnswerCheck, "You check tests of an assistant"},
}

var (
	answerItem = regexp.MustCompile(`(?ms)^(i\d+):\n(.*?)<message>(.*?)</message>`)
	passageKey = regexp.MustCompile(`\bc\d+\b`)
	policyKey  = regexp.MustCompile(`(?m)^   policy (p\d+),`)
	passages   = regexp.MustCompile(`(?m)^   passages: (.*)$`)
)

// answers plays the end of a method: every reply is new and passes, and needs
// all its passages; criteria are always the same.
func answers(kind, prompt string) any {
	out := []map[string]any{}
	for _, m := range answerItem.FindAllStringSubmatch(prompt, -1) {
		if kind == AnswerCheck {
			needs := []string{}
			if p := passages.FindStringSubmatch(m[2]); p != nil {
				needs = append(needs, passageKey.FindAllString(p[1], -1)...)
			}
			out = append(out, map[string]any{
				"item": m[1], "message_problem": "", "message_score": 0.9, "unsettled": "", "needs": needs,
				"unsupported": []string{}, "missing": []string{}, "asked_problem": "",
			})
			continue
		}
		policies := []string{}
		if p := policyKey.FindStringSubmatch(m[2]); p != nil {
			policies = append(policies, p[1])
		}
		if kind == AnswerDescribe {
			out = append(out, map[string]any{
				"item": m[1], "situation": "Somebody needs something.", "strays": "", "name": Text("case", prompt, m[1]), "shown": []any{}, "policies": policies,
				"criteria": []string{"says this", "asks that", "promises nothing"},
			})
			continue
		}
		message := m[3]
		if kind == AnswerMend {
			message = Text("mended", prompt, m[1])
		}
		out = append(out, map[string]any{
			"item": m[1], "situation": "Somebody needs something.", "name": Text("case", prompt, m[1]), "message": message, "shown": []any{},
			"policies": policies, "expected_output": Text("answer", prompt, m[1]),
			"criteria": []string{"says this", "asks that", "promises nothing"}, "impossible": "",
		})
	}
	return map[string]any{"items": out}
}
