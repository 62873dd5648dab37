package actor

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"regexp"
	"strings"

	"github.com/casebook-go/casebook/generator/llm"
)

// Author is an [Actor] for runs with checks: its messages show what they are to
// show, its replies say what the document says, and it also plays the requests
// that the real DeepEval, Ragas and Giskard make. It writes Russian about
// Russian texts and English about others. Its reply depends on the request alone
// and is none of a person's quality.
type Author struct {
	*Actor
	// Doubts makes its check find a fault in one of so many replies; 0 means in
	// none.
	Doubts int

	shelf shelf
}

// Complete answers a prompt of casebook or of a framework; another one is an
// error.
func (a *Author) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	kind := Kind(req)
	switch kind {
	case "":
		text, err := readUpstream(req, &a.shelf).play()
		if err != nil {
			return nil, err
		}
		return &llm.Response{Text: text}, nil
	case AnswerWrite, AnswerDescribe, AnswerMend, Direct:
		return reply(newOrder(kind, req.Messages[1].Content, &a.shelf).written())
	}
	resp, err := a.Actor.Complete(ctx, req)
	if err != nil {
		return nil, err
	}
	switch kind {
	case DeepEvalInputs, DeepEvalRewrite, DeepEvalEvolve, RagasQuestions, GiskardQuestions, GiskardRewrites:
		return edited(resp.Text, func(lists map[string][]map[string]any) {
			newOrder(kind, req.Messages[1].Content, &a.shelf).withMessages(lists)
		})
	case GiskardScope:
		return reply(beyond(req.Messages[1].Content))
	case AnswerCheck:
		return edited(resp.Text, func(lists map[string][]map[string]any) { a.doubt(lists["items"], req.Messages[1].Content) })
	default:
		return resp, nil
	}
}

var scopeRule = regexp.MustCompile(`(?m)^(p\d+): (.*)$`)

// beyond names the rules on what the assistant has no access to.
func beyond(prompt string) any {
	rules := []string{}
	for _, m := range scopeRule.FindAllStringSubmatch(prompt, -1) {
		if l := languageOf(m[2]); l.Marks.NoAccess.In(m[2]) {
			rules = append(rules, m[1])
		}
	}
	return map[string]any{"rules": rules}
}

// edited changes the items of a reply, by the names of their lists.
func edited(text string, edit func(lists map[string][]map[string]any)) (*llm.Response, error) {
	var lists map[string][]map[string]any
	if err := json.Unmarshal([]byte(text), &lists); err != nil {
		return nil, fmt.Errorf("actor: its own reply: %w", err)
	}
	edit(lists)
	return reply(lists)
}

// doubt finds something without support in some of the replies, by what they and
// their messages say.
func (a *Author) doubt(items []map[string]any, prompt string) {
	for _, m := range checkedReply.FindAllStringSubmatch(prompt, -1) {
		if a.Doubts <= 0 || hash(m[2], m[3])%uint64(a.Doubts) != 0 {
			continue
		}
		for _, it := range items {
			if it["item"] == m[1] {
				it["unsupported"] = []string{m[3]}
			}
		}
	}
}

var (
	checkedReply    = regexp.MustCompile(`(?ms)^(i\d+):\n.*?<message>(.*?)</message>\n   <reply>(.*?)</reply>`)
	documentText    = regexp.MustCompile(`(?s)<document name="[^"]*">\n(.*?)\n</document>`)
	useCaseText     = regexp.MustCompile(`(?s)<use_case>\n(.*?)\n</use_case>`)
	itemLine        = regexp.MustCompile(`(?m)^([irs]\d+):`)
	plannedPolicy   = regexp.MustCompile(`(?m)^   policy (p\d+), (plain|pressed)$`)
	phraseParameter = regexp.MustCompile(`(?m)^   parameter (\S+) = [^\n]*\(quote them`)
	givenMessage    = regexp.MustCompile(`(?s)<given>(.*?)</given>`)
	emptyMessage    = regexp.MustCompile(`(?m)^   what comes in: an empty message`)
	severalItems    = regexp.MustCompile(`^r\d+: [^\n]*, (\d+) items with this key`)
	ragasWords      = map[string][2]int{"LONG": {15, 60}, "MEDIUM": {7, 22}, "SHORT": {1, 8}} // fewest and most
)

// order is a request about items.
type order struct {
	kind, prompt string
	statements   map[string]string // by the keys of their policies
	document     string
	parts        []entry
	shelf        *shelf
}

// entry is what a request says of one item.
type entry struct {
	key, text string
}

func newOrder(kind, prompt string, s *shelf) *order {
	o := &order{kind: kind, prompt: prompt, statements: map[string]string{}, shelf: s}
	for _, m := range policyLine.FindAllStringSubmatch(prompt, -1) {
		o.statements[m[1]] = m[2]
	}
	for _, m := range documentText.FindAllStringSubmatch(prompt, -1) {
		o.document += m[1] + "\n\n"
	}
	for _, tag := range []string{"<items>\n", "<rows>\n", "<scenarios>\n"} {
		if at := strings.LastIndex(prompt, tag); at >= 0 {
			prompt = prompt[at+len(tag):]
			break
		}
	}
	at := itemLine.FindAllStringSubmatchIndex(prompt, -1)
	for i, m := range at {
		end := len(prompt)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		o.parts = append(o.parts, entry{prompt[m[2]:m[3]], prompt[m[0]:end]})
	}
	return o
}

// prose is about what the n-th item of a part is about: its policies, whose
// statements and keys are returned, else the use case, else the document.
func (o *order) prose(text string, n int) (p *prose, matter string, policies []string) {
	policies = []string{}
	var statements []string
	pressed := false
	for i, m := range plannedPolicy.FindAllStringSubmatch(text, -1) {
		pressed = pressed || i == 0 && m[2] == "pressed"
		policies = append(policies, m[1])
		statements = append(statements, o.statements[m[1]])
	}
	matter = strings.Join(statements, "\n\n")
	about := matter
	if m := useCaseText.FindStringSubmatch(o.prompt); about == "" && m != nil {
		about = m[1]
	}
	if about == "" {
		about = o.document
	}
	parameters := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(text, -1) {
		parameters[m[1]] = m[2]
	}
	h := hash(text, o.prompt, strings.Repeat("+", n))
	return newProse(o.shelf, about, parameters, pressed, rand.New(rand.NewPCG(h, mix(h)))), matter, policies
}

// written plays the stages that write items or describe them.
func (o *order) written() any {
	items := []map[string]any{}
	for _, part := range o.parts {
		n := 1
		if m := severalItems.FindStringSubmatch(part.text); m != nil {
			n = number(m[1])
		}
		for k := range n {
			items = append(items, o.item(part, k))
		}
	}
	return map[string]any{"items": items}
}

// item writes or describes the n-th item of a part.
func (o *order) item(of entry, n int) map[string]any {
	p, matter, policies := o.prose(of.text, n)
	message := o.message(p, of.text)
	topic := p.one(p.keys())
	w := p.words()
	criteria := make([]string, len(w.criteria))
	for i, c := range w.criteria {
		criteria[i] = put(c, "{fact}", p.fact(), "{k}", topic)
	}
	shown := []map[string]string{}
	for _, m := range phraseParameter.FindAllStringSubmatch(of.text, -1) {
		words := strings.Fields(message)
		shown = append(shown, map[string]string{"parameter": m[1], "phrase": strings.Join(words[:min(len(words), 3)], " ")})
	}
	it := map[string]any{
		"situation": p.one(w.situation), "name": put(p.one(w.name), "{k}", topic), "shown": shown, "policies": policies, "criteria": criteria,
	}
	if o.kind == AnswerDescribe {
		it["item"], it["strays"] = of.key, ""
		return it
	}
	it["expected_output"], it["impossible"] = p.reply(message, matter, o.document), ""
	if o.kind == Direct {
		it["row"], it["messages"] = of.key, []turn{{"user", message}}
	} else {
		it["item"], it["message"] = of.key, message
	}
	return it
}

// message returns the message of an item: that which is given, or a new one.
func (o *order) message(p *prose, text string) string {
	if m := givenMessage.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	m := answerItem.FindStringSubmatch(text)
	if m != nil && (o.kind != AnswerMend || strings.Contains(text, "stays word for word")) {
		return m[3]
	}
	if emptyMessage.MatchString(text) {
		return ""
	}
	message, _ := p.message()
	return message
}

// withMessages puts messages that show what they are to show into the reply to a
// stage of a method.
func (o *order) withMessages(lists map[string][]map[string]any) {
	parts := map[any]string{}
	for _, p := range o.parts {
		parts[p.key] = p.text
	}
	for _, items := range lists {
		for _, it := range items {
			text := parts[it["key"]]
			if text == "" {
				text = parts[it["item"]]
			}
			p, _, _ := o.prose(text, 0)
			if m := ragasLength.FindStringSubmatch(text); m != nil {
				p.least, p.longest = ragasWords[m[1]][0], ragasWords[m[1]][1]
			}
			p.into(it)
		}
	}
}

// into replaces the texts of an item that are not empty.
func (p *prose) into(it map[string]any) {
	has := func(name string) bool { return it[name] != nil && it[name] != "" }
	for _, name := range []string{"input", "message", "second"} {
		if has(name) {
			it[name], _ = p.message()
		}
	}
	for _, name := range []string{"situation", "fact"} {
		if has(name) {
			it[name] = p.one(p.words().situation)
		}
	}
	if has("opening") {
		message, _ := p.message()
		it["opening"], it["follow_up"] = halves(message)
		it["assistant"] = p.one(p.words().handover)
	}
}

// hash is a number that follows from the parts.
func hash(parts ...string) uint64 {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p)) // never fails
		h.Write([]byte{0})
	}
	return mix(h.Sum64())
}
