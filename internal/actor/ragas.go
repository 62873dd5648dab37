package actor

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// The kinds of request that Ragas' method makes.
const (
	RagasExtract   = "ragas_extract"
	RagasPersonas  = "ragas_personas"
	RagasMatch     = "ragas_match"
	RagasQuestions = "ragas_questions"
)

// ragasMarks tell the kinds by their system prompts.
var ragasMarks = []mark{
	{RagasExtract, "You read passages of a business document"},
	{RagasPersonas, "You say who writes to the assistant of a business"},
	{RagasMatch, "You say what brings people to write"},
	{RagasQuestions, "You write what people send to the assistant of a business"},
}

var (
	ragasPassage  = regexp.MustCompile(`(?s)<passage key="(c\d+)"[^\n]*\n(.*?)\n</passage>`)
	ragasTopic    = regexp.MustCompile(`(?m)^(t\d+): `)
	ragasMake     = regexp.MustCompile(`Make (\d+) personas`)
	ragasName     = regexp.MustCompile(`(?m)^- name: (.*)$`)
	ragasScenario = regexp.MustCompile(`(?m)^(s\d+):`)
	ragasLength   = regexp.MustCompile(`(?m)^   length ([A-Z]+): `)
	ragasContext  = regexp.MustCompile(`<context number="(\d+)"`)
)

// ragas plays the stages of Ragas' method. It says of a passage what stands in
// it: its first words are the summary, its capitalised words the entities.
func ragas(kind, prompt string) any {
	switch kind {
	case RagasExtract:
		out := []map[string]any{}
		for _, m := range ragasPassage.FindAllStringSubmatch(prompt, -1) {
			words := strings.FieldsFunc(m[2], func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			entities, themes := []string{}, []string{}
			for i, w := range words {
				if r := []rune(w); len(r) > 3 && (unicode.IsUpper(r[0]) || i%7 == 0) && len(entities) < 6 {
					entities = append(entities, w)
				} else if len(r) > 5 && len(themes) < 4 {
					themes = append(themes, w)
				}
			}
			summary := strings.Join(words[:min(len(words), 25)], " ")
			if summary == "" {
				summary = m[2]
			}
			out = append(out, map[string]any{"key": m[1], "summary": summary, "themes": themes, "entities": entities, "score": 4})
		}
		return map[string]any{"passages": out}
	case RagasPersonas:
		n := 0
		if m := ragasMake.FindStringSubmatch(prompt); m != nil {
			_, _ = fmt.Sscan(m[1], &n) // digits
		}
		topics := keysOf(ragasTopic, prompt)
		out := []map[string]any{}
		for i := range n {
			brings := []string{}
			for k := i; k < len(topics); k += n {
				brings = append(brings, topics[k])
			}
			out = append(out, map[string]any{"name": Text("person", prompt, fmt.Sprint(i)), "role_description": "Somebody with a need.", "topics": brings})
		}
		return map[string]any{"personas": out}
	case RagasMatch:
		topics := keysOf(ragasTopic, prompt)
		out := []map[string]any{}
		for i, m := range ragasName.FindAllStringSubmatch(prompt, -1) {
			// As models do: in another case.
			out = append(out, map[string]any{"name": strings.ToUpper(m[1]), "topics": topics[i%max(1, len(topics)):]})
		}
		return map[string]any{"personas": out}
	default: // RagasQuestions
		out := []map[string]any{}
		at := ragasScenario.FindAllStringSubmatchIndex(prompt, -1)
		for i, m := range at {
			end := len(prompt)
			if i+1 < len(at) {
				end = at[i+1][0]
			}
			part, key := prompt[m[0]:end], prompt[m[2]:m[3]]
			words := 2
			if l := ragasLength.FindStringSubmatch(part); l != nil {
				words = map[string]int{"LONG": 20, "MEDIUM": 10}[l[1]]
			}
			text := Text("message", prompt, key)
			for k := 4; k < words; k++ {
				text += " " + Text("", prompt, key, fmt.Sprint(k))[1:9]
			}
			uses := []int{}
			for k := range ragasContext.FindAllString(part, -1) {
				uses = append(uses, k+1)
			}
			out = append(out, map[string]any{"key": key, "situation": "Somebody needs something.", "input": text, "uses": uses, "impossible": ""})
		}
		return map[string]any{"messages": out}
	}
}

func keysOf(re *regexp.Regexp, prompt string) []string {
	out := []string{}
	for _, m := range re.FindAllStringSubmatch(prompt, -1) {
		out = append(out, m[1])
	}
	return out
}
