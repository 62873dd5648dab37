package actor

import (
	"context"
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
type Author struct{ *Actor }

// Complete answers a prompt of casebook or of a framework; another one is an
// error.
func (a *Author) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	switch kind := Kind(req); kind {
	case "":
		text, err := readUpstream(req).play()
		if err != nil {
			return nil, err
		}
		return &llm.Response{Text: text}, nil
	case AnswerWrite, AnswerDescribe, AnswerMend, Direct:
		return reply(written(kind, req.Messages[1].Content))
	default:
		return a.Actor.Complete(ctx, req)
	}
}

var (
	documentText    = regexp.MustCompile(`(?s)<document name="[^"]*">\n(.*?)\n</document>`)
	useCaseText     = regexp.MustCompile(`(?s)<use_case>\n(.*?)\n</use_case>`)
	itemLine        = regexp.MustCompile(`(?m)^([ir]\d+):.*$`)
	plannedPolicy   = regexp.MustCompile(`(?m)^   policy (p\d+), (plain|pressed)$`)
	phraseParameter = regexp.MustCompile(`(?m)^   parameter (\S+) = [^\n]*\(quote them`)
	givenMessage    = regexp.MustCompile(`(?s)<given>(.*?)</given>`)
	emptyMessage    = regexp.MustCompile(`(?m)^   what comes in: an empty message`)
	twice           = regexp.MustCompile(`^r\d+: [^\n]*, (\d+) items with this key`)
)

// written plays the stages that write items or describe them.
func written(kind, prompt string) any {
	o := order{kind: kind, prompt: prompt, statements: map[string]string{}}
	for _, m := range policyLine.FindAllStringSubmatch(prompt, -1) {
		o.statements[m[1]] = m[2]
	}
	for _, m := range documentText.FindAllStringSubmatch(prompt, -1) {
		o.document += m[1] + "\n\n"
	}
	tag := "<items>\n"
	if kind == Direct {
		tag = "<rows>\n"
	}
	list := prompt[strings.LastIndex(prompt, tag)+len(tag):]
	items := []map[string]any{}
	at := itemLine.FindAllStringSubmatchIndex(list, -1)
	for i, m := range at {
		end := len(list)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		key, part := list[m[2]:m[3]], list[m[0]:end]
		n := 1
		if m := twice.FindStringSubmatch(part); m != nil {
			n = number(m[1])
		}
		for k := range n {
			items = append(items, o.item(key, part, k))
		}
	}
	return map[string]any{"items": items}
}

// order is a request for items.
type order struct {
	kind, prompt string
	statements   map[string]string // by the keys of their policies
	document     string
}

// item writes or describes one of the items of a key.
func (o *order) item(key, part string, n int) map[string]any {
	policies, texts, pressed := []string{}, []string{}, false
	for i, m := range plannedPolicy.FindAllStringSubmatch(part, -1) {
		pressed = pressed || i == 0 && m[2] == "pressed"
		policies = append(policies, m[1])
		texts = append(texts, o.statements[m[1]])
	}
	matter := strings.Join(texts, "\n\n")
	about := matter
	if m := useCaseText.FindStringSubmatch(o.prompt); about == "" && m != nil {
		about = m[1]
	}
	if about == "" {
		about = o.document
	}
	parameters := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(part, -1) {
		parameters[m[1]] = m[2]
	}
	h := hash(part, o.prompt, strings.Repeat("+", n))
	p := newProse(about, parameters, pressed, rand.New(rand.NewPCG(h, mix(h))))
	message := o.message(p, part)
	topic := p.one(p.keys())
	w := p.words()
	criteria := make([]string, len(w.criteria))
	for i, c := range w.criteria {
		criteria[i] = put(c, "{fact}", p.fact(), "{k}", topic)
	}
	shown := []map[string]string{}
	for _, m := range phraseParameter.FindAllStringSubmatch(part, -1) {
		words := strings.Fields(message)
		shown = append(shown, map[string]string{"parameter": m[1], "phrase": strings.Join(words[:min(len(words), 3)], " ")})
	}
	it := map[string]any{
		"situation": p.one(w.situation), "name": put(p.one(w.name), "{k}", topic), "shown": shown, "policies": policies, "criteria": criteria,
	}
	if o.kind == AnswerDescribe {
		it["item"] = key
		return it
	}
	all := *p
	all.text = about + "\n\n" + o.document
	it["expected_output"], it["impossible"] = all.reply(message, matter), ""
	if o.kind == Direct {
		it["row"], it["messages"] = key, []turn{{"user", message}}
	} else {
		it["item"], it["message"] = key, message
	}
	return it
}

// message returns the message of an item: that which is given, or a new one.
func (o *order) message(p *prose, part string) string {
	if m := givenMessage.FindStringSubmatch(part); m != nil {
		return m[1]
	}
	m := answerItem.FindStringSubmatch(part)
	if m != nil && (o.kind != AnswerMend || strings.Contains(part, "stays word for word")) {
		return m[3]
	}
	if emptyMessage.MatchString(part) {
		return ""
	}
	text, _ := p.message()
	return text
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
