package llm

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Adaptive returns a client that gets tool calls and JSON replies from servers
// that take only a part of the protocol. nil capabilities mean all.
//
// A request with Tools goes down this ladder: tools with tool_choice; tools and
// an instruction to call one; a JSON reply {"calls": [{"generator", "args"}]}
// under a schema made of the tools' own; the same without a schema; the prompt
// alone. A request with Schema: strict; not strict; one tool that must be
// called; any JSON object, with the schema in the prompt; the prompt alone.
// Rungs that the server is known not to have are left out. A rung is left when
// the server refuses it (KindSchema, KindUnsupported) or, for a JSON reply or a
// call that is required, when the reply has none. Calls that the model wrote
// into its text are read ([ParseCalls]). A single parameter that is refused is
// dropped or translated, and the call repeated.
//
// What the server refused is remembered for the life of the client: a refused
// parameter or feature for its model, a refused schema for that schema. Nothing
// is learned from a reply, and nothing is switched on again: a call gives what
// it would have given alone, whatever other calls learned meanwhile, only
// cheaper.
//
// Replies then keep these promises: calls have the ids call_<n>, where n counts
// on from the calls in the request; no call stands twice; arguments are never
// blank; when Parallel is false there is at most one. A JSON reply's Text is the
// JSON alone, if there is any. Usage is the sum of all attempts. A required call
// that no rung brought is an *[Error] of [KindMalformed].
//
// Put it outside of Retry, so that every attempt is retried, paid for and
// limited. It is safe for concurrent use if c is.
func Adaptive(c Client, caps *Capabilities) Client {
	if caps == nil {
		caps = AllCapabilities()
	}
	return &adaptive{wrapped: wrapped{c}, caps: *caps, refused: map[refusal]bool{}}
}

type adaptive struct {
	wrapped
	caps Capabilities

	mu      sync.RWMutex
	refused map[refusal]bool
}

// refusal is one thing that the server does not take. What is not given applies
// to all requests of the model.
type refusal struct {
	model string
	what  string // a mode or a parameter
	value string // of the parameter
	with  string // "tools", or the hash of a schema
}

// mode is a rung of a ladder.
type mode string

const (
	modePlain     mode = "plain"       // neither tools nor schema
	modeTools     mode = "tools"       // tools and tool_choice
	modeAutoTools mode = "auto_tools"  // tools and an instruction
	modeStrict    mode = "json_schema" // a strict schema
	modeLoose     mode = "json_schema_loose"
	modeForced    mode = "forced_tool" // the schema as the one tool to call
	modeObject    mode = "json_object"
	modePrompt    mode = "prompt"
)

var (
	toolLadder   = []mode{modeTools, modeAutoTools, modeStrict, modeLoose, modeObject, modePrompt}
	schemaLadder = []mode{modeStrict, modeLoose, modeForced, modeObject, modePrompt}
)

// Refused things that are neither a mode nor a parameter's name.
const (
	namedChoice = "tool_choice:name"
	strictTools = "strict"
)

func (a *adaptive) Complete(ctx context.Context, req *Request) (*Response, error) {
	if len(req.Tools) > 0 && req.Schema != nil {
		return nil, errors.New("llm: a request has tools or a schema for its reply, never both")
	}
	t := a.try(req)
	var (
		used Usage
		last *Response
	)
	for i := 0; i < len(t.ladder); {
		m := t.ladder[i]
		sent, ok := t.shape(m)
		if !ok {
			i++
			continue
		}
		resp, err := complete(ctx, a.next, sent)
		if err != nil {
			if t.learn(m, sent, err) {
				continue // the same rung: without what was refused, or left out
			}
			return nil, err
		}
		used = used.plus(resp.Usage)
		out, ok := t.read(m, sent, resp)
		out.Usage = used
		if ok {
			return out, nil
		}
		last = out
		i++
	}
	if last == nil {
		return nil, &Error{Kind: KindUnsupported, Message: "the server refuses every form of the request"}
	}
	if len(req.Tools) > 0 {
		return nil, &Error{Kind: KindMalformed, Message: "no reply has the tool call that is required", Model: last.Model, Usage: used}
	}
	return last, nil
}

// attempt is one request on its way down the ladder.
type attempt struct {
	a      *adaptive
	req    *Request
	ladder []mode
	schema string // hash of the tools or the schema
	mine   map[refusal]bool
}

func (a *adaptive) try(req *Request) *attempt {
	t := &attempt{a: a, req: req, ladder: []mode{modePlain}}
	switch {
	case len(req.Tools) > 0 && req.ToolChoice != ToolNone:
		t.ladder = toolLadder
		t.schema = schemaHash(req.Tools, nil)
	case req.Schema != nil:
		t.ladder = schemaLadder
		t.schema = schemaHash(nil, req.Schema)
	}
	return t
}

func schemaHash(tools []Tool, s *Schema) string {
	h := sha256.New()
	for i := range tools {
		fmt.Fprintf(h, "%q %s\n", tools[i].Name, tools[i].Parameters)
	}
	if s != nil {
		fmt.Fprintf(h, "%q %s\n", s.Name, s.JSON)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// no reports whether the server is known to refuse the thing.
func (t *attempt) no(what, value, with string) bool {
	t.a.mu.RLock()
	defer t.a.mu.RUnlock()
	return t.a.refused[refusal{t.req.Model, what, value, with}]
}

// has reports whether the rung may be tried.
func (t *attempt) has(m mode) bool {
	if t.no(string(m), "", "") || t.no(string(m), "", t.schema) {
		return false
	}
	caps := &t.a.caps
	switch m {
	case modeTools:
		return caps.Tools && (t.mayAnswer() || t.takesRequired())
	case modeAutoTools:
		return caps.Tools && !t.mayAnswer()
	case modeStrict:
		return caps.JSONSchema && caps.StrictSchema && t.isStrict()
	case modeLoose:
		return caps.JSONSchema
	case modeForced:
		return caps.Tools && t.takesRequired()
	case modeObject:
		return caps.JSONObject
	default:
		return true
	}
}

// mayAnswer reports whether a reply without calls is fine.
func (t *attempt) mayAnswer() bool {
	return t.req.ToolChoice == "" || t.req.ToolChoice == ToolAuto
}

func (t *attempt) takesRequired() bool {
	f := t.a.caps.ToolChoice
	return (f == ChoiceString || f == ChoiceObject) && !t.no("tool_choice", "", "")
}

func (t *attempt) isStrict() bool {
	if s := t.req.Schema; s != nil {
		return s.Strict
	}
	return !slices.ContainsFunc(t.req.Tools, func(tool Tool) bool { return !tool.Strict })
}

// shape makes the request of a rung. It reports false if the server has none.
func (t *attempt) shape(m mode) (*Request, bool) {
	if !t.has(m) {
		return nil, false
	}
	caps, req := &t.a.caps, t.req
	sent := *req
	switch m {
	case modePlain:
		if req.ToolChoice == ToolNone && len(req.Tools) > 0 && (!caps.Tools || !t.takesRequired() || t.no(string(modeTools), "", "")) {
			t.plainMessages(&sent)
		}
		if req.JSONObject && (!caps.JSONObject || t.no(string(modeObject), "", "")) {
			sent.JSONObject = false
			sent.Messages = instructed(sent.Messages, "Reply with one JSON object and nothing else.")
		}
	case modeTools:
		t.chooseTool(&sent)
	case modeAutoTools:
		if i := toolIndex(req); i >= 0 {
			sent.Tools = req.Tools[i : i+1]
		}
		sent.ToolChoice = ToolAuto
		sent.Messages = instructed(sent.Messages, "You must answer by calling at least one of these tools: "+toolNames(sent.Tools)+". Do not answer in text.")
	case modeForced:
		sent.Tools = []Tool{{Name: schemaName(req.Schema.Name), Description: "Gives the reply.", Parameters: req.Schema.JSON, Strict: req.Schema.Strict}}
		sent.ToolChoice = ToolRequired
		sent.Schema = nil
	default: // a JSON reply
		schema := req.Schema
		how := ""
		if len(req.Tools) > 0 {
			t.plainMessages(&sent)
			schema = t.routerSchema()
			how = t.routerPrompt(m == modeObject || m == modePrompt || caps.SchemaText)
		} else if m == modeObject || m == modePrompt || caps.SchemaText {
			how = "Reply with one JSON object that follows this JSON Schema, and with nothing else:\n" + string(schema.JSON)
		}
		sent.Schema, sent.JSONObject = nil, m == modeObject
		if m == modeStrict || m == modeLoose {
			copied := *schema
			copied.Strict = m == modeStrict
			sent.Schema = &copied
		}
		if how != "" {
			sent.Messages = instructed(sent.Messages, how)
		}
	}
	if !t.adjust(&sent) {
		return nil, false
	}
	return &sent, true
}

// chooseTool writes the tool choice in a form that the server takes.
func (t *attempt) chooseTool(sent *Request) {
	i := toolIndex(t.req)
	switch {
	case i < 0:
		return // auto or required
	case len(t.req.Tools) == 1:
		sent.ToolChoice = ToolRequired
	case t.a.caps.ToolChoice != ChoiceObject || t.no(namedChoice, "", ""):
		sent.Tools = t.req.Tools[i : i+1]
		sent.ToolChoice = ToolRequired
	}
}

// toolIndex is the place of the tool that the choice names, or -1.
func toolIndex(req *Request) int {
	return slices.IndexFunc(req.Tools, func(t Tool) bool { return t.Name == string(req.ToolChoice) })
}

// adjust drops or translates the parameters that the server does not take. It
// reports false if the request cannot be sent with tools at all.
func (t *attempt) adjust(sent *Request) bool {
	caps := &t.a.caps
	with := ""
	if len(sent.Tools) > 0 {
		with = "tools"
		if !caps.StrictTools || t.no(strictTools, "", "") || t.no(strictTools, "", t.schema) {
			loose := slices.Clone(sent.Tools)
			for i := range loose {
				loose[i].Strict = false
			}
			sent.Tools = loose
		}
	}
	if sent.Parallel != nil && (!caps.Parallel || len(sent.Tools) == 0 || t.no("parallel_tool_calls", strconv.FormatBool(*sent.Parallel), "")) {
		sent.Parallel = nil
	}
	if sent.Temperature != nil && (!caps.Temperature || t.no("temperature", formatFloat(sent.Temperature), with)) {
		sent.Temperature = nil
	}
	if sent.Seed != nil && (!caps.Seed || t.no("seed", "", with)) {
		sent.Seed = nil
	}
	if sent.MaxTokens != 0 && (!caps.MaxTokens || t.no("max_tokens", "", with)) {
		sent.MaxTokens = 0
	}
	// Some models take tools only with effort "none", others have no "none".
	candidates := []string{sent.Effort, ""}
	if with != "" {
		candidates = []string{sent.Effort, "none", ""}
	} else if sent.Effort == "none" {
		candidates = []string{"none", "minimal", "low", ""}
	}
	if !caps.Effort {
		candidates = []string{""}
	}
	for _, e := range candidates {
		if !t.no("reasoning_effort", e, with) {
			sent.Effort = e
			return true
		}
	}
	return false
}

func formatFloat(f *float64) string { return strconv.FormatFloat(*f, 'g', -1, 64) }

// learn notes what the server refused. It reports false if that was nothing
// which this call could leave out.
func (t *attempt) learn(m mode, sent *Request, err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		return false
	}
	r := refusal{model: t.req.Model}
	with := ""
	if len(sent.Tools) > 0 {
		with = "tools"
	}
	anyStrict := slices.ContainsFunc(sent.Tools, func(tool Tool) bool { return tool.Strict })
	switch e.Kind {
	case KindSchema:
		switch {
		case with != "" && anyStrict:
			r.what, r.with = strictTools, t.schema
		case m == modePlain && sent.JSONObject:
			r.what = string(modeObject)
		case m == modePlain || m == modePrompt:
			return false
		default:
			r.what, r.with = string(m), t.schema
		}
	case KindUnsupported:
		r.what = refusedParam(e, sent)
		switch r.what {
		case "temperature":
			r.value, r.with = formatFloat(sent.Temperature), with
		case "seed", "max_tokens":
			r.with = with
		case "reasoning_effort":
			r.value, r.with = sent.Effort, with
		case "parallel_tool_calls":
			r.value = strconv.FormatBool(*sent.Parallel)
		case "tool_choice":
			if toolIndex(sent) >= 0 {
				r.what = namedChoice
			}
		case "strict":
			if !anyStrict {
				r.what = string(modeStrict)
			}
		case "response_format":
			r.what = string(modeObject)
			if sent.Schema != nil {
				r.what = string(m)
			}
		case "tools":
			r.what = string(modeTools)
			for _, other := range []mode{modeAutoTools, modeForced} {
				t.note(refusal{model: t.req.Model, what: string(other)})
			}
		default:
			return false
		}
	default:
		return false
	}
	t.note(r)
	return t.first(r)
}

func (t *attempt) note(r refusal) {
	t.a.mu.Lock()
	t.a.refused[r] = true
	t.a.mu.Unlock()
}

// first reports whether this call meets the refusal for the first time. A
// second time means that leaving the thing out did not help.
func (t *attempt) first(r refusal) bool {
	if t.mine[r] {
		return false
	}
	if t.mine == nil {
		t.mine = map[refusal]bool{}
	}
	t.mine[r] = true
	return true
}

// refusedParam is the parameter that an error is about, by one name for all
// servers: by Param, else by the first in the message of those that the request
// carries. It is empty if there is none: then nothing can be left out.
func refusedParam(e *Error, sent *Request) string {
	tools := len(sent.Tools) > 0
	anyStrict := slices.ContainsFunc(sent.Tools, func(tool Tool) bool { return tool.Strict })
	params := []struct {
		name    string
		carried bool
		as      []string
	}{
		// Models that think take tools only with some efforts, "" among them or not.
		{"reasoning_effort", tools || sent.Effort != "", []string{"reasoning_effort", "reasoning.effort", "reasoning"}},
		{"parallel_tool_calls", sent.Parallel != nil, []string{"parallel_tool_calls"}},
		{"tool_choice", tools && sent.ToolChoice != "" && sent.ToolChoice != ToolAuto, []string{"tool_choice"}},
		{"response_format", sent.Schema != nil || sent.JSONObject, []string{"response_format", "text.format", "json_schema", "json_object"}},
		{"temperature", sent.Temperature != nil, []string{"temperature"}},
		{"seed", sent.Seed != nil, []string{"seed"}},
		{"max_tokens", sent.MaxTokens != 0, []string{"max_completion_tokens", "max_output_tokens", "max_tokens"}},
		{"strict", anyStrict || sent.Schema != nil && sent.Schema.Strict, []string{"strict"}},
		{"tools", tools, []string{"tools", "functions", "tool", "function"}},
	}
	for _, text := range []string{e.Param, e.Message} {
		text = strings.ToLower(text)
		for _, p := range params {
			if p.carried && slices.ContainsFunc(p.as, func(word string) bool { return hasWord(text, word) }) {
				return p.name
			}
		}
	}
	return ""
}

// hasWord reports whether word stands in text with no letter beside it.
func hasWord(text, word string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], word)
		if i < 0 {
			return false
		}
		i += from
		end := i + len(word)
		isLetter := func(c byte) bool { return c >= 'a' && c <= 'z' }
		if (i == 0 || !isLetter(text[i-1])) && (end == len(text) || !isLetter(text[end])) {
			return true
		}
		from = end
	}
}

// read turns the reply of a rung into the reply that the request asked for. It
// reports false if the reply has no call, or no JSON, that it must have.
func (t *attempt) read(m mode, sent *Request, resp *Response) (*Response, bool) {
	out := *resp
	req := t.req
	switch {
	case len(t.ladder) == 1:
		if req.JSONObject {
			if v, err := ParseJSON(out.Text); err == nil {
				out.Text = string(v)
			}
		}
		return &out, true
	case req.Schema != nil && len(req.Tools) == 0:
		if m == modeForced {
			out.Calls = nil
			for _, c := range tidyCalls(resp.Calls, sent.Tools) {
				if v, ok := wholeJSON(c.Arguments); ok {
					out.Text = string(v)
					return &out, true
				}
			}
		}
		v, err := ParseJSON(out.Text)
		if err != nil {
			return &out, false
		}
		out.Text = string(v)
		return &out, true
	}
	out.Calls = tidyCalls(resp.Calls, req.Tools)
	if len(out.Calls) == 0 {
		if out.Calls = parseCalls(resp.Text, req.Tools); len(out.Calls) > 0 {
			out.Text = ""
		}
	}
	if req.Parallel != nil && !*req.Parallel && len(out.Calls) > 1 {
		out.Calls = out.Calls[:1]
	}
	before := 0
	for i := range req.Messages {
		before += len(req.Messages[i].Calls)
	}
	numbered(out.Calls, before)
	if len(out.Calls) > 0 {
		return &out, true
	}
	out.Calls = nil
	if m != modeTools && m != modeAutoTools && t.mayAnswer() {
		// {"calls": []} is the way to say nothing.
		if v, err := ParseJSON(out.Text); err == nil && isEmptyRouter(v) {
			out.Text = ""
		}
	}
	return &out, t.mayAnswer()
}

func isEmptyRouter(v json.RawMessage) bool {
	var o map[string]json.RawMessage
	return json.Unmarshal(v, &o) == nil && len(o) == 1 && o["calls"] != nil
}

// plainMessages takes the tools out of a request: their calls and answers in the
// conversation become text.
func (t *attempt) plainMessages(sent *Request) {
	sent.Tools, sent.ToolChoice = nil, ""
	out := make([]Message, 0, len(sent.Messages))
	for _, m := range sent.Messages {
		switch {
		case m.Role == RoleTool:
			m = Message{Role: RoleUser, Content: "Result of " + cmp.Or(m.CallID, "the call") + ":\n" + m.Content}
		case len(m.Calls) > 0:
			m = Message{Role: m.Role, Content: strings.TrimSpace(m.Content + "\n" + writtenCalls(m.Calls))}
		}
		out = append(out, m)
	}
	sent.Messages = out
}

// writtenCalls is a reply of the router form.
func writtenCalls(calls []ToolCall) string {
	var b strings.Builder
	b.WriteString(`{"calls":[`)
	for i, c := range calls {
		if i > 0 {
			b.WriteByte(',')
		}
		args, ok := wholeJSON(c.Arguments)
		if !ok {
			args = quoted(c.Arguments)
		}
		fmt.Fprintf(&b, `{"generator":%s,"args":%s}`, quoted(c.Name), args)
	}
	b.WriteString("]}")
	return b.String()
}

// instructed returns the messages with a text added to the first system
// message: some chat templates allow no other.
func instructed(messages []Message, text string) []Message {
	if len(messages) > 0 && messages[0].Role == RoleSystem {
		out := slices.Clone(messages)
		out[0].Content = strings.TrimRight(out[0].Content, "\n") + "\n\n" + text
		return out
	}
	return append([]Message{{Role: RoleSystem, Content: text}}, messages...)
}

func toolNames(tools []Tool) string {
	names := make([]string, len(tools))
	for i := range tools {
		names[i] = tools[i].Name
	}
	return strings.Join(names, ", ")
}

// routed are the tools that the router object offers.
func (t *attempt) routed() []Tool {
	if i := toolIndex(t.req); i >= 0 {
		return t.req.Tools[i : i+1]
	}
	return t.req.Tools
}

func (t *attempt) routerPrompt(withSchemas bool) string {
	var b strings.Builder
	b.WriteString("You can call these tools:\n")
	for _, tool := range t.routed() {
		fmt.Fprintf(&b, "- %s: %s\n", tool.Name, tool.Description)
		if withSchemas {
			fmt.Fprintf(&b, "  JSON Schema of its args: %s\n", parametersOf(&tool))
		}
	}
	b.WriteString(`Reply with one JSON object and nothing else: {"calls":[{"generator":"<name of a tool>","args":{…}}]}, with one entry for each call`)
	if t.mayAnswer() {
		b.WriteString(", or none to call no tool.")
	} else {
		b.WriteString(". Call at least one tool.")
	}
	return b.String()
}

// routerSchema is the schema of {"calls": [{"generator", "args"}]}: a branch for
// each tool, told apart by its first key.
func (t *attempt) routerSchema() *Schema {
	var items, defs strings.Builder
	tools := t.routed()
	for i := range tools {
		args, own := lifted(parametersOf(&tools[i]), tools[i].Name+"__")
		for _, d := range own {
			if defs.Len() > 0 {
				defs.WriteByte(',')
			}
			fmt.Fprintf(&defs, "%s:%s", quoted(d.key), d.value)
		}
		if i > 0 {
			items.WriteByte(',')
		}
		fmt.Fprintf(&items, `{"type":"object","properties":{"generator":{"type":"string","enum":[%s]},"args":%s},"required":["generator","args"],"additionalProperties":false}`,
			quoted(tools[i].Name), args)
	}
	branches := items.String()
	if len(tools) > 1 {
		branches = `{"anyOf":[` + branches + `]}`
	}
	least := ""
	if !t.mayAnswer() {
		least = `,"minItems":1`
	}
	schema := `{"type":"object","properties":{"calls":{"type":"array","items":` + branches + least + `}},"required":["calls"],"additionalProperties":false`
	if defs.Len() > 0 {
		schema += `,"$defs":{` + defs.String() + `}`
	}
	return &Schema{Name: "calls", JSON: json.RawMessage(schema + "}")}
}

// parametersOf is the tool's schema, compact; an open object if it has none.
func parametersOf(tool *Tool) json.RawMessage {
	if v, ok := wholeJSON(string(tool.Parameters)); ok && v[0] == '{' {
		return json.RawMessage(compacted(v))
	}
	return json.RawMessage(`{"type":"object","properties":{},"required":[],"additionalProperties":false}`)
}

type member struct {
	key   string
	value json.RawMessage
}

// lifted prepares a compact schema for a place inside another: its $defs, and
// itself if it refers to its root, are returned apart, under a prefix.
func lifted(schema json.RawMessage, prefix string) (json.RawMessage, []member) {
	// In compact JSON an unescaped "$ref":"# cannot be inside a string.
	const toDefs, toRoot = `"$ref":"#/$defs/`, `"$ref":"#"`
	text := string(schema)
	if !strings.Contains(text, toDefs) && !strings.Contains(text, toRoot) {
		return schema, nil
	}
	root := strings.Contains(text, toRoot)
	text = strings.ReplaceAll(text, toDefs, toDefs+prefix)
	text = strings.ReplaceAll(text, toRoot, `"$ref":"#/$defs/`+prefix+`root"`)
	var defs []member
	var body strings.Builder
	for _, m := range members(json.RawMessage(text)) {
		if m.key == "$defs" {
			for _, d := range members(m.value) {
				defs = append(defs, member{prefix + d.key, d.value})
			}
			continue
		}
		if body.Len() > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, "%s:%s", quoted(m.key), m.value)
	}
	whole := json.RawMessage("{" + body.String() + "}")
	if !root {
		return whole, defs
	}
	return json.RawMessage(`{"$ref":"#/$defs/` + prefix + `root"}`), append([]member{{prefix + "root", whole}}, defs...)
}

// members returns the members of an object in their order; nil if it is none.
func members(raw json.RawMessage) []member {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	var out []member
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil
		}
		name, ok := key.(string)
		var value json.RawMessage
		if !ok || d.Decode(&value) != nil {
			return nil
		}
		out = append(out, member{name, value})
	}
	return out
}

// schemaName makes a name that servers take: [a-zA-Z0-9_-]{1,64}.
func schemaName(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		default:
			return '_'
		}
	}, name)
	clean = strings.Trim(clean, "_")
	return cmp.Or(clean[:min(len(clean), 64)], "reply")
}
