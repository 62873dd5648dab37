package ragas

import (
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/prompt"
)

const extractPrompt = `You read passages of a business document, so that messages of customers can be made from them later. For each passage, say what it holds.

` + brief.Untrusted + `

- summary: one or two sentences with every rule, fact, number and condition of the passage that a reply to a customer could need, and nothing that the passage does not say.
- themes: up to five matters that the passage treats, each in two to four words, as somebody would name the reason why they write: "return of opened goods". The most important first.
- entities: up to ten concrete things that the passage names: products, services, places, people, departments, papers, amounts, terms with their number. Each as the passage writes it, without a verb. No word so common that it fits any business, such as "client" or "question" alone.
- score, 1 to 5: can the message of a customer turn on this passage? 5: it decides what a customer gets, pays, must do or is told, or what the assistant must or must not do. 3: one useful thing among others. 2: general words, matter that concerns no customer, or an export of old messages with somebody's answers, which are no rules. 1: a heading, a table of contents, an empty frame.

All texts are in the language of the passage.`

const personaPrompt = `You say who writes to the assistant of a business. You are given the matters that its documents treat, under keys t1, t2 and so on.

` + brief.Untrusted + `

- A persona is somebody who comes with a need of their own: a customer, a buyer, a patient, a guest, a caller, whoever the documents serve. Never somebody who works for the business, never somebody who studies or checks documents.
- name: two to five words that say who it is: "Parent of a small child". No two personas are alike, in name or in need.
- role_description: one or two sentences in the third person: who they are, what brings them, how they talk. It states no rule of the documents.
- topics: the keys of all matters that could bring this person to write; at least one. Together the personas cover as many matters as they can.

Names and descriptions are in the language of the matters.`

const matchPrompt = `You say what brings people to write to the assistant of a business. You are given personas, and the matters that the documents treat, under keys t1, t2 and so on.

` + brief.Untrusted + `

For each persona, repeat the name exactly as it stands and list in topics the keys of all matters in which this person can have a need of their own; none if there is none.`

const questionPrompt = `You write what people send to the assistant of a business. Each scenario says who writes, in which style, how long and about what, and gives contexts: passages of the documents that a right reply needs.

` + brief.Untrusted + `

%s
The scenario
- First the situation: what happened to this person, what do they want, and which sentence of the contexts decides the reply. Then the message.
- The persona says who writes and how they talk; the need comes from the contexts. The message does not introduce the person unless it matters. Where persona and contexts do not go together, the contexts win.
- terms: what the message is about. Say it the way this person would, not as the document does.
- With several contexts the message is one need of one person in one situation, and a right reply must take something from each context. Never two questions glued together. List in uses the numbers of the contexts that a right reply cannot do without; be strict.
- Style and length are visible in the message and are no reason to be unclear. Count the words. What a row asks for goes before style, length and persona.
- Scenarios on the same context differ in situation, in need and in words.
- impossible: empty; or why no honest message can be written of these contexts, and then the message is left empty.

Everything is in the language of the document, unless a row asks for another.`

// temperatures: facts are read as they stand, people and messages are to vary.
const (
	exact = 0.0
	vary  = 0.9
)

// opening says of what kind the work is.
func opening(b *strings.Builder, call *generator.Call, context string) {
	b.WriteString(brief.Head(call))
	if context != "" {
		fmt.Fprintf(b, "What it is for: %s\n", prompt.Fence(context))
	}
}
