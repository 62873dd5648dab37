package actor

import (
	"regexp"
	"strings"
)

// The kinds of request that Giskard's method makes.
const (
	GiskardTopics    = "giskard_topics"
	GiskardQuestions = "giskard_questions"
	GiskardRewrites  = "giskard_rewrites"
	GiskardAbsence   = "giskard_absence"
	GiskardScope     = "python_giskard_scope"
)

// giskardMarks tell the kinds by their system prompts.
var giskardMarks = []mark{
	{GiskardTopics, "You name the topics of a knowledge base"},
	{GiskardQuestions, "You write messages that people send to the assistant of a business"},
	{GiskardRewrites, "You rewrite messages that people send to the assistant of a business"},
	{GiskardAbsence, "You check whether a knowledge base says something"},
	{GiskardScope, "You read rules that a business gives its assistant"},
	{GiskardScope, "You read rules that a business gives its assistant"},
}

var (
	giskardGroup     = regexp.MustCompile(`<group key="(t\d+)">\n- ([^\n]*)`)
	giskardItem      = regexp.MustCompile(`(?m)^(i\d+): (?:kind "([^"]*)", )?passages [^\n]*`)
	giskardParameter = regexp.MustCompile(`(?m)^   parameter (\S+) = ([^:\n]*)`)
)

// giskard plays the stages of Giskard's method: topics have the names of their
// first words, every message is new and shows its row's parameters as far as a
// few words can, the base says nothing of what is out of scope, and no rule is about
// what cannot be answered.
func giskard(kind, prompt string) any {
	if kind == GiskardScope {
		return map[string]any{"rules": []string{}}
	}
	if kind == GiskardScope {
		return map[string]any{"rules": []string{}}
	}
	if kind == GiskardTopics {
		topics := []map[string]string{}
		for _, m := range giskardGroup.FindAllStringSubmatch(prompt, -1) {
			words := strings.Fields(m[2])
			topics = append(topics, map[string]string{"topic": m[1], "name": strings.Join(words[:min(3, len(words))], " ")})
		}
		return map[string]any{"topics": topics, "unanswerable": []string{}}
	}
	items := []map[string]any{}
	places := giskardItem.FindAllStringSubmatchIndex(prompt, -1)
	for i, at := range places {
		end := len(prompt)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		key, of := prompt[at[2]:at[3]], ""
		if at[4] >= 0 {
			of = prompt[at[4]:at[5]]
		}
		item := giskardPart(kind, of, prompt, key, giskardParameter.FindAllStringSubmatch(prompt[at[1]:end], -1))
		item["item"] = key
		items = append(items, item)
	}
	return map[string]any{"items": items}
}

func giskardPart(kind, of, prompt, key string, parameters [][]string) map[string]any {
	switch kind {
	case GiskardAbsence:
		return map[string]any{"quote": "", "says": false}
	case GiskardRewrites:
		out := map[string]any{"message": "", "opening": "", "assistant": "", "follow_up": "", "impossible": ""}
		if of == "conversational" {
			out["opening"], out["assistant"], out["follow_up"] = Text("opening", prompt, key), Text("reply", prompt, key), showing(Text("follow-up", prompt, key), parameters)
			return out
		}
		out["message"] = showing(Text("rewritten", prompt, key), parameters)
		return out
	default:
		out := map[string]any{
			"turns_on": "something", "fact": "", "situation": "", "message": showing(Text("message", prompt, key), parameters), "answer": "An answer.",
			"second": "", "second_answer": "", "impossible": "",
		}
		switch of {
		case "missing fact":
			out["fact"], out["answer"] = Text("fact", prompt, key), ""
		case "two needs":
			out["second"], out["second_answer"] = Text("second", prompt, key), "Another answer."
		}
		out["situation"] = Text("situation", prompt, key)
		return out
	}
}

// showing returns the text, changed to show what parameters ask of its form, in
// signs that are the same in every language.
func showing(text string, parameters [][]string) string {
	for _, p := range parameters {
		switch p[1] + "=" + p[2] {
		case "length=long":
			text += strings.Repeat(" "+text[:min(4, len(text))], 9)
		case "tone=angry":
			text += " !!"
		case "form=question":
			text += "?"
		case "emoji=present":
			text += " :)"
		case "identifier=present":
			text += " 48213"
		}
	}
	return text
}
