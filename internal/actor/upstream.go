package actor

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
)

// errForeign is the error of a request that no framework makes.
var errForeign = errors.New("actor: the request is none of a framework's")

// upstream is a request of DeepEval, Ragas or Giskard. What it asks for is told
// by the keys that the reply is to have and by the labels and tags around the
// material, never by the framework's own words.
type upstream struct {
	prompt string   // the last message of the framework
	all    string   // all of its messages but the examples
	keys   []string // of the reply, sorted; none for plain text
	list   bool     // the reply is a list of such objects
	only   string   // the property that holds the reply where a schema wraps a plain text
	rnd    *rand.Rand
	shelf  *shelf
}

// notFit is how a second request for the same reply begins.
const notFit = "Your reply does not fit"

func readUpstream(req *llm.Request, s *shelf) *upstream {
	ms := req.Messages
	for n := len(ms); n > 2 && strings.HasPrefix(ms[n-1].Content, notFit); n = len(ms) {
		ms = ms[:n-2]
	}
	u := &upstream{prompt: ms[len(ms)-1].Content, shelf: s}
	u.all = u.prompt
	if ms[0].Role == llm.RoleSystem && len(ms) > 1 {
		u.all = ms[0].Content + "\n" + u.prompt
	}
	seed := "none"
	if req.Seed != nil {
		seed = fmt.Sprint(*req.Seed)
	}
	h := hash(u.all, seed)
	u.rnd = rand.New(rand.NewPCG(h, mix(h)))
	switch {
	case req.Schema != nil:
		var of struct {
			Properties map[string]json.RawMessage `json:"properties"`
			Items      struct {
				Properties map[string]json.RawMessage `json:"properties"`
			} `json:"items"`
		}
		if json.Unmarshal(req.Schema.JSON, &of) == nil {
			if of.Properties == nil && of.Items.Properties != nil {
				of.Properties, u.list = of.Items.Properties, true
			}
			u.keys = slices.Sorted(maps.Keys(of.Properties))
		}
		if len(u.keys) == 1 && u.keys[0] == "response" {
			u.keys, u.only = nil, "response"
		}
	case len(ms) > 1 && ms[0].Role == llm.RoleSystem:
		u.keys, u.list = namedKeys(ms[0].Content)
	}
	return u
}

var (
	keyPart  = regexp.MustCompile(`(?i)\bkeys?\b((?:[\s,]|and|'[a-z_]+')+)`)
	keyName  = regexp.MustCompile(`'([a-z_]+)'`)
	listPart = regexp.MustCompile(`(?i)\blist of [^.]{0,40}\bobjects`)
)

// namedKeys returns the keys that instructions in words ask for, and whether a
// list of such objects is.
func namedKeys(system string) (keys []string, list bool) {
	for _, part := range keyPart.FindAllStringSubmatch(system, -1) {
		for _, m := range keyName.FindAllStringSubmatch(part[1], -1) {
			keys = append(keys, m[1])
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), listPart.MatchString(system)
}

func (u *upstream) play() (string, error) {
	var v any
	switch strings.Join(u.keys, " ") {
	case "": // plain text
		text, err := u.text()
		if err != nil {
			return "", err
		}
		if u.only == "" {
			return text, nil
		}
		v = map[string]any{u.only: text}
	case "data":
		v = u.inputs()
	case "feedback score":
		v = map[string]any{"feedback": "Clear.", "score": float64(70+u.rnd.IntN(30)) / 100}
	case "rewritten_input":
		message, _ := u.about(u.label("Context:"), u.label("Query:")).message()
		v = map[string]any{"rewritten_input": message}
	case "input used_source_files", "input":
		message, _ := u.about(u.matter(), u.label("Evolved Input:")).message()
		v = map[string]any{"input": message}
	default:
		var err error
		if v, err = u.ragas(); errors.Is(err, errForeign) {
			v, err = u.giskard()
		}
		if err != nil {
			return "", err
		}
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// text plays what is answered in plain words.
func (u *upstream) text() (string, error) {
	lines := strings.Split(strings.TrimSpace(u.prompt), "\n")
	last := strings.TrimSpace(lines[len(lines)-1])
	switch {
	case strings.HasPrefix(last, "Rewritten Input:"):
		input := u.label("Input:")
		p := u.about(u.label("Context:"))
		return strings.TrimRight(input, " ") + p.one(p.words().evolve), nil
	case strings.HasPrefix(last, "Generated Response:"):
		return u.about(u.label("Context:")).reply(u.label("Input:"), "", ""), nil
	case tagged(u.prompt, "description") != "" && tagged(u.prompt, "context") != "":
		p := u.about(tagged(u.prompt, "context"))
		return p.one(p.words().situation), nil
	case tagged(u.prompt, "documents") != "":
		p := u.about(tagged(u.prompt, "documents"))
		return `"` + lang.Upper(p.one(p.keys())) + `"`, nil
	default:
		return "", errForeign
	}
}

// inputs plays DeepEval's request for inputs: as many as it asks for.
func (u *upstream) inputs() any {
	p := u.about(u.label("Context:"), u.matter())
	data := []any{}
	for range number(u.label("Max Goldens Per Context:")) {
		message, _ := p.message()
		data = append(data, map[string]any{"input": message})
	}
	return map[string]any{"data": data}
}

// number returns the number that a text is, 1 for none, at most 20.
func number(text string) int {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		return 1
	}
	return max(1, min(n, 20))
}

var (
	labelLine   = regexp.MustCompile(`(?m)^ *[A-Z][A-Za-z ]{2,30}: *$`)
	quotedLabel = regexp.MustCompile(`(?m)^ *(?:Scenario|Task|Input Format): "`)
)

// label returns what stands below the last line that is the label.
func (u *upstream) label(name string) string {
	at := -1
	for _, m := range labelLine.FindAllStringIndex(u.prompt, -1) {
		if strings.TrimSpace(u.prompt[m[0]:m[1]]) == name {
			at = m[1]
		}
	}
	if at < 0 {
		return ""
	}
	rest := u.prompt[at:]
	for _, next := range []*regexp.Regexp{labelLine, quotedLabel} {
		if m := next.FindStringIndex(rest); m != nil {
			rest = rest[:m[0]]
		}
	}
	return unlisted(strings.TrimSpace(rest))
}

var pythonItem = regexp.MustCompile(`(?s)'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"`)

// unlisted returns the texts of a list as Python prints it, one after the other;
// another text is returned as it is.
func unlisted(s string) string {
	if !strings.HasPrefix(s, "['") && !strings.HasPrefix(s, `["`) || !strings.HasSuffix(s, "]") {
		return s
	}
	var out []string
	for _, m := range pythonItem.FindAllStringSubmatch(s, -1) {
		out = append(out, strings.NewReplacer(`\n`, "\n", `\'`, "'", `\"`, `"`, `\\`, `\`, `\t`, "\t", `\xa0`, " ").Replace(m[1]+m[2]))
	}
	return strings.Join(out, "\n\n")
}

func tagged(s, tag string) string {
	open, end := "<"+tag+">", "</"+tag+">"
	i := strings.LastIndex(s, open)
	if i < 0 {
		return ""
	}
	body, _, ok := strings.Cut(s[i+len(open):], end)
	if !ok {
		return ""
	}
	return strings.TrimSpace(body)
}

// How casebook says in words what the row of an item asks for.
var (
	turnsOn    = regexp.MustCompile(`What the reply turns on: ([^\n"\\]+)`)
	touches    = regexp.MustCompile(`It also touches: ([^\n"\\]+)`)
	wantsShown = regexp.MustCompile(`; ([a-z_]+) = ([a-z_]+): `)
)

const presses = "The customer presses against it"

// matter returns the statement that the item is to turn on, "" for none.
func (u *upstream) matter() string {
	if m := turnsOn.FindStringSubmatch(u.all); m != nil {
		return m[1]
	}
	if m := touches.FindStringSubmatch(u.all); m != nil {
		return m[1]
	}
	return ""
}

// about returns the prose about the first of the texts that is not empty.
func (u *upstream) about(texts ...string) *prose {
	text := ""
	for _, t := range texts {
		if text = strings.TrimSpace(t); text != "" {
			break
		}
	}
	parameters := map[string]string{}
	for _, m := range wantsShown.FindAllStringSubmatch(u.all, -1) {
		parameters[m[1]] = m[2]
	}
	return newProse(u.shelf, text, parameters, strings.Contains(u.all, presses), u.rnd)
}

// ragas plays the requests of Ragas, whose material is a JSON object.
func (u *upstream) ragas() (any, error) {
	at := strings.LastIndex(u.prompt, "\ninput: {")
	if at < 0 {
		return nil, errForeign
	}
	type person struct {
		Name string `json:"name"`
	}
	var in struct {
		Text     string          `json:"text"`
		Max      int             `json:"max_num"`
		Themes   []string        `json:"themes"`
		Term     string          `json:"term"`
		Personas []person        `json:"personas"`
		Lists    [][]string      `json:"lists_of_concepts"`
		Most     int             `json:"max_combinations"`
		Context  json.RawMessage `json:"context"`
		Wanted   string          `json:"llm_context"`
		Node     string          `json:"node_content"`
	}
	if err := json.NewDecoder(strings.NewReader(u.prompt[at+len("\ninput: "):])).Decode(&in); err != nil {
		return nil, fmt.Errorf("actor: the input of the request: %w", err)
	}
	u.all = in.Wanted // where line ends are line ends
	p := u.about(in.Text)
	w := p.words()
	keys := p.keys()
	switch strings.Join(u.keys, " ") {
	case "text":
		return map[string]any{"text": strings.Join(firstOf(sentences(p.text), 2), " ")}, nil
	case "output":
		return map[string]any{"output": firstOf(distinct(keys), min(max(in.Max, 1), 6))}, nil
	case "entities":
		return map[string]any{"entities": firstOf(entities(in.Text, keys), min(max(in.Max, 1), 6))}, nil
	case "name role_description":
		return map[string]any{"name": p.one(w.role), "role_description": p.one(w.roleText)}, nil
	case "mapping":
		out := map[string][]string{}
		for i, q := range in.Personas {
			if len(in.Themes) > 0 {
				out[q.Name] = in.Themes[i%len(in.Themes):]
			}
		}
		return map[string]any{"mapping": out}, nil
	case "combinations":
		out := [][]string{}
		for i := 0; len(in.Lists) > 1 && i < max(1, in.Most) && i < len(in.Lists[0]) && i < len(in.Lists[1]); i++ {
			out = append(out, []string{in.Lists[0][i], in.Lists[1][i]})
		}
		return map[string]any{"combinations": out}, nil
	case "score":
		return map[string]any{"score": 4}, nil
	case "answer query":
		var contexts []string
		if json.Unmarshal(in.Context, &contexts) != nil {
			contexts = []string{""}
			if err := json.Unmarshal(in.Context, &contexts[0]); err != nil {
				return nil, fmt.Errorf("actor: the context of the request: %w", err)
			}
		}
		for i := range contexts {
			contexts[i] = hopMark.ReplaceAllString(contexts[i], "")
		}
		p := u.about(strings.Join(contexts, "\n\n"))
		return u.pair(p, "query", "answer"), nil
	}
	return nil, errForeign
}

var hopMark = regexp.MustCompile(`^<\d+-hop>\s*`)

// pair writes a message and the reply to it under the keys.
func (u *upstream) pair(p *prose, question, answer string) map[string]any {
	q := *p
	if q.text = u.matter(); q.text == "" { // what the row is about
		q.text = p.text
	}
	message, _ := q.message()
	return map[string]any{question: message, answer: p.reply(message, u.matter(), "")}
}

func firstOf(list []string, n int) []string { return list[:min(len(list), n)] }

func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// entities returns the words of a text that have a capital inside of a sentence,
// and then the keys.
func entities(text string, keys []string) []string {
	var out []string
	for _, t := range lang.Tokens(text) {
		word := text[t.Start:t.End]
		if r := []rune(word); len(r) > 2 && !t.Break && strings.ToLower(word[:len(string(r[0]))]) != word[:len(string(r[0]))] {
			out = append(out, word)
		}
	}
	return distinct(append(out, keys...))
}

// giskard plays the requests of RAGET, which asks for JSON in words.
func (u *upstream) giskard() (any, error) {
	question, answer := tagged(u.prompt, "question"), tagged(u.prompt, "answer")
	switch strings.Join(u.keys, " ") {
	case "answer question":
		if q1 := tagged(u.prompt, "question1"); q1 != "" {
			// The first question shows what the message is to show.
			return map[string]any{"question": q1, "answer": tagged(u.prompt, "answer1")}, nil
		}
		p := u.about(u.prompt)
		if u.list {
			return []any{u.pair(p, "question", "answer"), u.pair(p, "question", "answer")}, nil
		}
		return u.pair(p, "question", "answer"), nil
	case "pairs":
		p := u.about(u.prompt)
		return map[string]any{"pairs": []any{u.pair(p, "question", "answer"), u.pair(p, "question", "answer")}}, nil
	case "question":
		if question == "" {
			return nil, errForeign
		}
		// Made harder, set beside another passage, or told by somebody: what the
		// answer is stays, and the row's needs too.
		message, _ := u.about(u.matter(), answer, tagged(u.prompt, "context"), question).message()
		return map[string]any{"question": message}, nil
	case "introduction question":
		introduction, rest := halves(question)
		return map[string]any{"introduction": introduction, "question": rest}, nil
	case "fake_fact question selected_fact":
		p := u.about(u.prompt)
		message, about := p.message()
		return map[string]any{"selected_fact": strings.Join(firstOf(sentences(p.text), 1), " "), "fake_fact": lang.Upper(about), "question": message}, nil
	default:
		return nil, errForeign
	}
}

// halves cuts a message in two: after a sentence, else after a word.
func halves(message string) (first, second string) {
	sentences := lang.Sentences(message)
	if len(sentences) > 1 {
		last := sentences[len(sentences)-1]
		if i := strings.LastIndex(message, last); i > 0 {
			return strings.TrimSpace(message[:i]), strings.TrimSpace(message[i:])
		}
	}
	words := strings.Fields(message)
	if len(words) < 2 {
		return message, message
	}
	n := len(words) / 2
	return strings.Join(words[:n], " "), strings.Join(words[n:], " ")
}
