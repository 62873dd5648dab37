package deepeval

import (
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/internal/brief"
)

// PromptVersion is the version of the built-in prompts; every record holds it
// under [MetaPrompts].
const PromptVersion = "deepeval/1"

// Prompts are the system messages of the method's stages; an empty one means the
// built-in. What they are about (contexts, rows, items) follows in the user
// message, and the shape of the reply is given by a schema, so that one of your
// own only has to say what is wanted. The prompts that write and check expected
// outputs are those of all generators and stay as they are.
type Prompts struct {
	Quality  string         // scores chunks by clarity, depth, structure and relevance
	Style    string         // reads a styling out of given inputs
	Turn     StagePrompts   // of single messages
	Scenario StagePrompts   // of scenarios
	Outcome  OutcomePrompts // of what scenarios should come to
}

// StagePrompts are the prompts of the stages that an input goes through.
type StagePrompts struct {
	Inputs  string // writes the first versions
	Critic  string // scores them
	Rewrite string // mends those that did not pass
	Evolve  string // makes them harder
}

// OutcomePrompts are the prompts of the expected outcomes of scenarios.
type OutcomePrompts struct {
	Write string // writes them, and anew those that did not pass
	Check string // checks scenarios and outcomes by the documents
}

func (p *Prompts) stages(scenarios bool) StagePrompts {
	own, built := p.Turn, turnPrompts
	if scenarios {
		own, built = p.Scenario, scenarioPrompts
	}
	return StagePrompts{
		Inputs: or(own.Inputs, built.Inputs), Critic: or(own.Critic, built.Critic),
		Rewrite: or(own.Rewrite, built.Rewrite), Evolve: or(own.Evolve, built.Evolve),
	}
}

func or(own, built string) string {
	if strings.TrimSpace(own) != "" {
		return own
	}
	return built
}

// maxWords is how long a message may be where nothing else decides its length;
// scenarioWords is the same of a scenario.
const (
	maxWords      = 30
	scenarioWords = 60
)

const data = brief.Untrusted + "\n"

const language = `
Language: write in the language of the document, unless a styling or a parameter asks for another. The examples here are English only because these instructions are.
`

// messageRules hold for every message, first version, rewritten or evolved.
var messageRules = fmt.Sprintf(`
The message
- It comes from the person with the problem, in the first person and in their own words, the way people write in a chat: one need, at most %d words unless a parameter asks for a long one.
- It is never an exam question about the document or the assistant ("in which cases", "what must be done when", "compare", "explain why"), never a heading, and never a copy of the document's wording: do not repeat four words in a row from it.
- It never names what only the document's authors know: rule numbers, section titles, "the policy", "the context", "the assistant".
- It stands by itself: whoever reads it needs no passage in order to understand what is meant.
- What decides its answer stands in the passages of its context: a fact, a condition, or a rule about what the assistant does then (what it asks for, to whom it hands over, what it must not promise). The other rules of the document, where they are given, count like passages. Add nothing that neither says anything about, if the answer would hang on it.
- Details of the person's own life (a name of a thing, a day, an amount) may be made up where they fit the business. Whatever the document says stays as the document says it.
`, maxWords)

const rowRules = `
Rows
- An item that is a row of a plan must be answered by the row's first policy. "plain" is an ordinary situation; "pressed" means that the person pushes for exactly what the policy forbids, or against what it demands; where the policy states a fact, the person wants it otherwise: more, earlier, cheaper, without the condition.
- Every parameter of a row is visible in the message as its meaning says, in every version of the message.
- Rows of one policy are different people, each in a situation of their own.
`

const situation = "You prepare tests for an assistant that answers from a business document."

var turnPrompts = StagePrompts{
	Inputs: situation + ` From contexts, passages of the document that belong together, you write the messages that people send to the assistant. For each item write one message.

` + data + messageRules + `- Items of one context are about different matters in it: another fact or rule decides each of them, as far as the context has so many. They are put differently, too.
- Before you write, say in one sentence who writes and what in the passages decides the answer.
` + rowRules + language,

	Critic: situation + ` You are the critic: people's messages to the assistant are to become tests, and you score each from 0 to 1 before they do. For each item you see its context and its message.

` + data + `
Say first what is wrong, then score. Start at 1 and take off
- 0.6 if nothing in the item's context, or in the other rules where they are given, decides the answer. A rule that tells the assistant to decline, to ask back or to hand over decides it, too; so does a fact that two passages give together.
- 0.6 if it cannot be understood by itself: it points to a text, a passage or something said before.
- 0.6 if nobody with a problem would send it: it is an exam question about the document, a heading, a list of questions, or it speaks of "the customer" and "the assistant" from outside.
- 0.3 if it is unclear what the person wants, or if they want two unrelated things.
- 0.3 if it copies the document's wording, or is much longer than people write in a chat.
- 0.6 if it is a row of a plan and does not turn on the row's first policy, or a parameter of the row cannot be seen in it.
Slips, bluntness, bad temper and an unreasonable wish are no faults: people write like that. Never score below 0.
The problem is empty for a message without a fault; else one sentence that tells a writer what to mend.
`,

	Rewrite: situation + ` Messages that people send to the assistant did not pass a critic. For each item you see its context, the message and what the critic says. Write it anew: mend what was found and keep what was good.

` + data + messageRules + rowRules + language,

	Evolve: situation + ` You are given messages that people send to the assistant, and for each the way in which it becomes harder to answer. Rewrite each in that way.

` + data + messageRules + `- The harder message comes from the same kind of person as the first one, and is no longer than it has to be. It is harder because of what must be thought of in the answer, not because of how it is put.
` + rowRules + language,
}

var scenarioRules = fmt.Sprintf(`
The scenario
- It tells who comes to the assistant, in which situation, with what need, and how they go about it: what they know, what they leave out at first, what they insist on. At most %d words, in the third person.
- It is a conversation to be held, not its transcript: no turns, no quotations, no answer of the assistant and no outcome.
- The person is someone with a problem of their own, not somebody who works with the document.
- What decides its outcome stands in the passages of its context: a fact, a condition, or a rule about what the assistant does then. Add nothing that the passages say nothing about, if the outcome would hang on it.
`, scenarioWords)

var scenarioPrompts = StagePrompts{
	Inputs: situation + ` From contexts, passages of the document that belong together, you write scenarios of conversations with the assistant. For each item write one scenario.

` + data + scenarioRules + `- Items of one context are about different matters in it, as far as it has so many, and about different people.
- Before you write, say in one sentence what in the passages decides the outcome.
` + language,

	Critic: situation + ` You are the critic: scenarios of conversations with the assistant are to become tests, and you score each from 0 to 1 before they do. For each item you see its context and the scenario.

` + data + `
Say first what is wrong, then score. Start at 1 and take off
- 0.6 if nothing in the item's context decides how the conversation should end. A rule that tells the assistant to decline, to ask back or to hand over decides it, too.
- 0.6 if it is no conversation with the assistant but a question, a transcript or a summary of a text.
- 0.2 if it is unclear who takes part, 0.2 if it is unclear in which situation, and 0.3 if it is unclear what the person wants.
- 0.3 if no such person would come up with it in earnest.
Never score below 0.
The problem is empty for a scenario without a fault; else one sentence that tells a writer what to mend.
`,

	Rewrite: situation + ` Scenarios of conversations with the assistant did not pass a critic. For each item you see its context, the scenario and what the critic says. Write it anew: mend what was found and keep what was good.

` + data + scenarioRules + language,

	Evolve: situation + ` You are given scenarios of conversations with the assistant, and for each the way in which it becomes harder to handle. Rewrite each in that way.

` + data + scenarioRules + `- The harder scenario is about the same kind of person as the first one.
` + language,
}

const qualityPrompt = situation + ` The document was cut into chunks. You score how well each chunk serves as material for a test.

` + data + `
Each from 0 to 1:
- clarity: one who reads the chunk alone understands what it says.
- depth: it says something that an answer could turn on: a fact, a condition, a rule, a step. A title, a table of contents, a greeting or a sample of chatter has none.
- structure: it is whole: neither torn in the middle nor thrown together.
- relevance: it is about what people come to the assistant with, or about how the assistant must treat them, not about the document itself.
`

const stylePrompt = situation + ` You are shown inputs of tests that exist already. Describe, in English and in one or two sentences each, who asks and in which situation, what the assistant is there for, and what an input looks like (how long it is, in which tone and language, in which form), so that somebody can write more like them without having seen them. Do not repeat an input or anything in it that only one of them is about.

` + data

var outcomePrompts = OutcomePrompts{
	Write: situation + ` For each scenario of a conversation with the assistant, write what it should come to.

` + data + `
The expected outcome
- One or two sentences: what the assistant has told or asked or passed on by the end, and where that leaves the person.
- It states only what the document says, with its qualifiers ("working days", "up to", "only before"). Never invent a number, price, date, contact, link, name, status, promise or action.
- It obeys every rule of the document that applies, and names the next step that the document demands.
` + language,

	Check: situation + ` You check scenarios of conversations with the assistant and what they should come to.

` + data + `
For each item say first what is wrong, then give
- score, from 0 to 1: how good the scenario is as a test: a real person with one clear need, in a clear situation, whose outcome the document decides. Take off for each that is missing.
- answerable: whether the item's context holds what decides the outcome.
- supported: whether everything in the outcome stands in the document or in the scenario and contradicts no rule of the document.
`,
}

// evolutionGuide describes the evolutions that are drawn in a batch.
func evolutionGuide(drawn map[Evolution]bool, scenarios bool) string {
	var b strings.Builder
	b.WriteString("<ways>\n")
	for _, e := range evolutions {
		if !drawn[e.name] {
			continue
		}
		if scenarios {
			fmt.Fprintf(&b, "%s: %s\n", e.name, e.scenario)
			continue
		}
		fmt.Fprintf(&b, "%s: %s\n   for example, of a parcel service: %q becomes %q\n", e.name, e.turn, e.before, e.after)
	}
	b.WriteString("</ways>\n")
	return b.String()
}
