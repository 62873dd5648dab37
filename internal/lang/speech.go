package lang

import (
	"regexp"
	"strings"
)

// Speech is what customers and operators of one language say, as data. In all
// texts {id} stands for the noun of an identifier ("order number"), {n} for its
// value, {np} for a topic as the document words it, {who} for who a request is
// handed to, {that} for what is asked for.
type Speech struct {
	Greetings []string // open a message, with their punctuation
	Thanks    []string // close a message politely
	Urgent    []string // sentences that say it is urgent
	Angry     []string // sentences of an angry customer
	Filler    []string // sentences that make a message longer and ask nothing
	Emoji     []string
	AskTail   []string // make a question of a statement

	// IDs are nouns of identifiers as documents name them; the longest that
	// stands in a document is the one its customers have.
	IDs     []string
	GiveID  []string // "My {id} is {n}."
	LacksID []string // "I can't find the {id} right now."
	AnyID   string   // what an identifier is called where a document names none

	// Needs are what customers come with, by topic.
	Needs []Need
	// Matters are what presses a policy, by what the policy is about.
	Matters []Matter
	// Press are sentences that push against any limit, with the kind of limit.
	Press []Press
	// Concerns say which words of an answer satisfy what a line asks for.
	Concerns map[string]Lexicon

	// Turns put a question into other words.
	Turns []TurnRule
	// AskAbout asks about a topic what its answer states: hours, price, term
	// or age. {np} is the topic as the document words it.
	AskAbout map[string][]string
	// Once pushes for what an agent must not do, {act} being the act in the
	// infinitive; Mine turns it from the agent's view into the customer's, an
	// empty word meaning that it cannot be; Cannot opens a denial.
	Once   []string
	Mine   map[string]string
	Cannot []string
	Clock  Lexicon // words of opening hours, which nobody bargains over
	Light  string  // words of a question that tell no need
	// Swaps replace words by others that mean the same; they break up runs of
	// words shared with a source.
	Swaps []Swap
	// Words are the named classes the patterns use.
	Classes map[string]string

	// Generic are words that stand in any rule and tell no topic.
	Generic string

	// Corner holds inputs nobody can simply answer, by kind.
	Corner map[string][]string
	// CornerAsk make a question of an abusive message.
	CornerAsk []string
	// Override opens an injection and is followed by a pressed request.
	Override []string
	// Plot are short injections that need no opening.
	Plot []string

	Answer Answers
	Yes    []string // words for yes and no that open an answer
	// Overrule stands before what no longer holds; Narrow makes a rule on
	// complaints one on a certain kind of them.
	Overrule, Narrow Lexicon
	// Need stands before an order in the infinitive, which ends so.
	Need           string
	InfinitiveEnds []string
	Modal          Lexicon // words with which the infinitive is no order
	Verbs          Lexicon // finite verbs: a sentence without one is elliptical
	VerbEnds       []string
	Needed         Lexicon // words that say that something is required
	// Passing are verbs of passing on, Claiming claims of looking or doing
	// that no document bears out.
	Passing, Claiming Lexicon
	// TermsRule is how a rule on words of the trade sounds.
	TermsRule Lexicon
	// Slots fill {day}, {time} and others in any trade's messages.
	Slots map[string][]string
	// BanRule is how a rule that quotes forbidden phrases sounds, Angered how
	// one on angry customers does, LengthRule, NameRule, SlangRule and
	// GreetRule how rules on those do.
	BanRule, Angered, LengthRule, NameRule, SlangRule, GreetRule Lexicon
	// PoliteRule is how a rule on manners sounds.
	PoliteRule Lexicon
	// Soothing are words of an answer that takes note of anger.
	Soothing Lexicon
	AnyTopic string // what an agent helps with where no topic is named
	The      string // stands before it in a criterion
	Your     string // stands before what is asked for
	// Values name the value of a parameter ("tone=angry"), for a test case's
	// name; Case describes the test case: {uc}, {policy}, {values}.
	Values map[string]string
	Case   CaseFrames

	// What operators write, right and wrong.
	Trades   []Trade // the last is for any business
	Breaches []Breach
	Break    Breaks
	Criteria Criteria

	turns []turnRule
	swaps []swap
}

// Need is what a customer comes with.
type Need struct {
	Key string
	// Trouble is set when something has gone wrong, so that nobody asks for an
	// exception.
	Trouble bool
	// Match must all be found in the topic, Not none.
	Match []Lexicon
	Not   Lexicon
	// Says are messages in a customer's words. A prefix such as "time: " names
	// the concern that the answer must meet.
	Says []string
}

// Matter is what a policy can be about and how a customer comes upon it.
type Matter struct {
	Key   string
	Match []Lexicon // all must be found in the policy
	Not   Lexicon
	// Alone is set when it is a need of its own, which goes with no other.
	Alone bool
	// Content is set when a fact of a FAQ can be about it.
	Content bool
	// Plain come upon it in an ordinary way, Pressed push towards breaking it.
	Plain, Pressed []string
}

// Press is a sentence that pushes against a limit.
type Press struct {
	Kind  string  // "deadline", "wait", "price", "age", "refund", "reserve", "limit"
	Match Lexicon // one is in the policy
	Not   Lexicon
	Says  []string
}

// TurnRule puts a question that matches Pattern into other words.
type TurnRule struct {
	Pattern string
	Says    []string // $1.. are the groups
}

type turnRule struct {
	re   *regexp.Regexp
	says []string
}

// Answers are the speech acts of an agent's answer.
type Answers struct {
	Calm     []string // before the answer to an angry customer
	Clarify  []string // to a message that says nothing
	OffTopic []string // to a message about something else
	Decline  []string // to an attempt to change the agent's task
	Abuse    []string // to abuse without a matter
	HandOver []string // {who}
	AskID    []string // {that}
	GotID    []string // {n}
	Firm     []string // before a rule that a customer pushes against
	// FirmFor replaces Firm for a kind of push.
	FirmFor map[string][]string
	NoID    []string // to a customer without the identifier: {id}
	AskWhat []string // asks what the matter is
	// AskTrouble asks somebody who complains what went wrong.
	AskTrouble []string
}

// CaseFrames describe test cases. {uc} is the use case, {policy} the policy it
// turns on, {says} the message.
type CaseFrames struct {
	Plain, Pressed, Ticket, Corner, Correction, Dialogue string
}

// Criteria are frames of evaluation criteria.
type Criteria struct {
	States   []string // {fact}
	Rule     []string // {rule}
	AskID    []string // {that}
	NoAskID  []string // {n}
	HandOver []string // {who}
	Calm     []string
	NoPromise,
	Deny, Clarify, OffTopic, Decline, Polite, OnTopic, Language, NoInvent []string
	// of corrections
	Fault map[string][]string // by kind of fault
	Keep  []string            // {np}: content kept
	Next  []string
}

// Trade is a line of business: how it is seen in a document, and what its
// operators and customers say.
type Trade struct {
	Key   string
	Match Lexicon
	// Acc and Gen name what a customer has with the business ("appointment"),
	// in the cases that a language distinguishes.
	Acc, Gen string
	// Pairs may have slots, {name}, that Slots fills: the same value on both
	// sides.
	Pairs []Pair
	Slots map[string][]string
	// Terms are words of the trade that a correction must keep.
	Terms Lexicon
}

// Pair is a right message of an operator and what a customer said before.
type Pair struct{ Ask, Say string }

// Breach is a way to break a rule by what is said. {acc} and {gen} are the
// trade's words; {text} is a right message.
type Breach struct {
	Key   string
	Match []Lexicon // of the policy
	Not   Lexicon
	Users []string // what the customer says before
	Bads  []string // what the operator should not have written
	// Goods are right instead when the policy itself cannot be said.
	Goods []string
	// Lead stands before the policy when it can be said.
	Lead []string
	// Single is set when Bad is wrong without what came before it.
	Single bool
}

// Breaks are the ways to break the form of a right message.
type Breaks struct {
	Rude    []string // put in front, rude by its words
	Sarcasm []string // put in front, rude by its sense
	Waffle  []string // empty talk that makes a message too long
	Slang   []string // put in front
	First   []string // a first name put in front
	Emoji   []string
	More    []string // right sentences that make a message longer
	Greet   []string
	Ask     []string // right questions that end a message
}

// compile compiles the patterns, once.
func (s Speech) compile() Speech {
	expand := func(p string) string {
		for name, words := range s.Classes {
			p = strings.ReplaceAll(p, "{"+name+"}", "(?:"+words+")")
		}
		return p
	}
	for _, t := range s.Turns {
		s.turns = append(s.turns, turnRule{regexp.MustCompile(`(?is)^(?:` + expand(t.Pattern) + `)$`), t.Says})
	}
	for _, w := range s.Swaps {
		s.swaps = append(s.swaps, swap{regexp.MustCompile(`(?i)(^|[^\p{L}\d])(?:` + expand(w.Pattern) + `)($|[^\p{L}\d])`), w.To})
	}
	return s
}

// Paraphrases returns a question of a document in other words: several, in a
// fixed order, none of which shares four words in a row with it. None means
// that no pattern of the language fits.
func (l *Language) Paraphrases(question string) []string {
	s := &l.Speech
	q := Lower(trimClause(strings.TrimRight(strings.TrimSpace(question), "？?！.!")))
	var out []string
	seen := map[string]bool{}
	add := func(text string) {
		text = Upper(strings.Join(strings.Fields(text), " "))
		if !seen[text] && SharedRun(text, question) < 4 {
			seen[text] = true
			out = append(out, text)
		}
	}
	bases := []string{q}
	swapped := q
	for _, w := range s.swaps {
		if next := w.re.ReplaceAllString(swapped, "${1}"+w.to+"${2}"); next != swapped {
			swapped = next
			bases = append(bases, swapped)
		}
	}
	for _, t := range s.turns {
		hit := false
		for i := len(bases) - 1; i >= 0; i-- {
			m := t.re.FindStringSubmatchIndex(bases[i])
			if m == nil {
				continue
			}
			hit = true
			for _, say := range t.says {
				add(string(t.re.ExpandString(nil, say, bases[i], m)))
			}
		}
		if hit {
			break
		}
	}
	return out
}

// SharedRun returns the length of the longest run of words that two texts share.
func SharedRun(a, b string) int {
	x, y := Words(a), Words(b)
	best := 0
	prev := make([]int, len(y)+1)
	for i := range x {
		cur := make([]int, len(y)+1)
		for j := range y {
			if x[i] == y[j] {
				cur[j+1] = prev[j] + 1
				best = max(best, cur[j+1])
			}
		}
		prev = cur
	}
	return best
}

// Line returns the message without its concern, and the concern.
func (n *Need) Line(say string) (concern, text string) {
	if c, rest, ok := strings.Cut(say, ": "); ok && !strings.Contains(c, " ") && strings.ToLower(c) == c {
		return c, rest
	}
	return "", say
}

// Matches reports whether all of the lexicons, and not the last, are in the
// text.
func Matches(all []Lexicon, not Lexicon, text string) bool {
	return MatchesTokens(all, not, Tokens(text))
}

// MatchesTokens is Matches for a text that is already in tokens.
func MatchesTokens(all []Lexicon, not Lexicon, toks []Token) bool {
	for i := range all {
		if _, ok := all[i].Find(toks); !ok {
			return false
		}
	}
	if _, ok := not.Find(toks); ok {
		return false
	}
	return len(all) > 0
}

// Elliptical reports whether a sentence has no verb that code can see, so that
// it says something as the answer to a question only.
func (l *Language) Elliptical(sentence string) bool {
	toks := Tokens(sentence)
	if _, ok := l.Speech.Verbs.Find(toks); ok {
		return false
	}
	for _, t := range toks {
		for _, e := range l.Speech.VerbEnds {
			if len(t.Text) > len(e)+2 && strings.HasSuffix(t.Text, e) {
				return false
			}
		}
	}
	return true
}
