package llm

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// ErrNoJSON is returned by [ParseJSON] for a text without a JSON value.
var ErrNoJSON = errors.New("llm: there is no whole JSON object or array in the reply")

// ParseJSON returns the JSON value that a reply holds. The whole text counts if
// it is JSON; else reasoning (<think>…</think>) is cut out, and the value is the
// content of the first fenced block that is JSON, else the first balanced object
// or array of the text. A comma before a closing bracket is dropped. A list of bare
// numbers, such as a footnote mark, counts only if there is nothing else. It
// fails with [ErrNoJSON].
func ParseJSON(text string) (json.RawMessage, error) {
	text = strings.TrimPrefix(text, "\ufeff")
	if v, ok := wholeJSON(text); ok {
		return v, nil
	}
	text = stripThoughts(text)
	if v, ok := wholeJSON(text); ok {
		return v, nil
	}
	for _, block := range fenced(text) {
		if v, ok := wholeJSON(block); ok && isComposite(v) {
			return v, nil
		}
	}
	var spare json.RawMessage
	for _, v := range balanced(text) {
		if !isBareList(v) {
			return v, nil
		}
		if spare == nil {
			spare = v
		}
	}
	if spare != nil {
		return spare, nil
	}
	return nil, ErrNoJSON
}

// ParseCalls returns the tool calls that a model wrote into its text instead of
// making them: in <tool_call> elements, else in fenced blocks, else anywhere.
// It reads {"name": …, "arguments" | "parameters": …}, the same under
// "function", {"generator": …, "args": …}, lists of them, and objects that hold
// such a list in "calls", "tool_calls" or "tool_uses" (multi_tool_use.parallel).
// An object without arguments is a call only if it names one of the tools.
//
// The calls have ids call_1, call_2, …; a "functions." prefix is cut from their
// names, missing, blank and null arguments are {}, and a second call with the
// name and arguments of another is dropped. A call of a tool that was not
// offered stays, with its name, so that it can be answered.
func ParseCalls(text string, tools []Tool) []ToolCall {
	return numbered(parseCalls(text, tools), 0)
}

func parseCalls(text string, tools []Tool) []ToolCall {
	text = stripThoughts(strings.TrimPrefix(text, "\ufeff"))
	var calls []ToolCall
	for _, block := range elements(text, "tool_call") {
		values := balanced(block)
		for _, v := range values {
			calls = append(calls, callsIn(v, tools, 0)...)
		}
		if len(values) == 0 || len(calls) == 0 {
			calls = append(calls, taggedCalls(block)...)
		}
	}
	if len(calls) == 0 {
		for _, block := range fenced(text) {
			for _, v := range balanced(block) {
				calls = append(calls, callsIn(v, tools, 0)...)
			}
		}
	}
	if len(calls) == 0 {
		for _, v := range balanced(text) {
			calls = append(calls, callsIn(v, tools, 0)...)
		}
	}
	if len(calls) == 0 {
		calls = taggedCalls(text)
	}
	return tidyCalls(calls, tools)
}

// maxNesting bounds how deep lists of calls may stand in one another.
const maxNesting = 8

// callsIn returns the calls written in a JSON value.
func callsIn(v json.RawMessage, tools []Tool, depth int) []ToolCall {
	v = bytes.TrimSpace(v)
	if len(v) == 0 || depth > maxNesting {
		return nil
	}
	if v[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(v, &list) != nil {
			return nil
		}
		var calls []ToolCall
		for _, item := range list {
			calls = append(calls, callsIn(item, tools, depth+1)...)
		}
		return calls
	}
	if v[0] != '{' {
		return nil
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(v, &o) != nil {
		return nil
	}
	for _, key := range []string{"calls", "tool_calls", "tool_uses"} {
		if list := bytes.TrimSpace(o[key]); len(list) > 0 && list[0] == '[' {
			return callsIn(list, tools, depth+1)
		}
	}
	if f := bytes.TrimSpace(o["function"]); len(f) > 0 && f[0] == '{' {
		return callsIn(f, tools, depth+1)
	}
	for _, key := range []string{"name", "generator", "tool", "tool_name", "recipient_name", "function"} {
		var name string
		if json.Unmarshal(o[key], &name) != nil || strings.TrimSpace(name) == "" {
			continue
		}
		args, given := firstOf(o, "arguments", "parameters", "args", "input")
		if !given && !offered(strings.TrimPrefix(name, prefixFunctions), tools) {
			continue
		}
		return []ToolCall{{Name: name, Arguments: argumentText(args)}}
	}
	// {"the_tool": {…arguments…}}
	if len(o) == 1 {
		for name, args := range o {
			if args = bytes.TrimSpace(args); offered(name, tools) && len(args) > 0 && args[0] == '{' {
				return []ToolCall{{Name: name, Arguments: argumentText(args)}}
			}
		}
	}
	return nil
}

func firstOf(o map[string]json.RawMessage, keys ...string) (json.RawMessage, bool) {
	for _, k := range keys {
		if v, ok := o[k]; ok {
			return v, true
		}
	}
	return nil, false
}

// argumentText is the arguments as a server would have sent them: the text of a
// string, else the JSON itself.
func argumentText(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s // null leaves it empty
	}
	return compacted(raw)
}

func compacted(raw []byte) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

// taggedCalls reads the form of models that write calls as markup:
// <function=name><parameter=key>value</parameter></function>.
func taggedCalls(text string) []ToolCall {
	var calls []ToolCall
	for {
		_, rest, ok := strings.Cut(text, "<function=")
		if !ok {
			return calls
		}
		name, body, ok := strings.Cut(rest, ">")
		if !ok {
			return calls
		}
		body, text, _ = strings.Cut(body, "</function>")
		name = strings.Trim(strings.TrimSpace(name), `"'`)
		if name == "" || strings.ContainsAny(name, " \n<{") {
			continue
		}
		var args bytes.Buffer
		args.WriteByte('{')
		seen := map[string]bool{}
		for {
			_, rest, ok := strings.Cut(body, "<parameter=")
			if !ok {
				break
			}
			key, rest, ok := strings.Cut(rest, ">")
			if !ok {
				break
			}
			var value string
			value, body, _ = strings.Cut(rest, "</parameter>")
			if key = strings.Trim(strings.TrimSpace(key), `"'`); seen[key] {
				continue
			}
			seen[key] = true
			if args.Len() > 1 {
				args.WriteByte(',')
			}
			args.Write(quoted(key))
			args.WriteByte(':')
			if v, ok := wholeJSON(value); ok {
				args.Write(v)
			} else {
				args.Write(quoted(strings.Trim(value, "\n")))
			}
		}
		args.WriteByte('}')
		calls = append(calls, ToolCall{Name: name, Arguments: args.String()})
	}
}

func quoted(s string) []byte {
	b, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return []byte(`""`)
	}
	return b
}

const prefixFunctions = "functions."

// tidyCalls makes the calls of a reply what the port promises: nested parallel
// calls unwrapped, names as offered, arguments never blank, no call twice.
func tidyCalls(calls []ToolCall, tools []Tool) []ToolCall {
	var flat []ToolCall
	for _, c := range calls {
		if !offered(c.Name, tools) {
			c.Name = strings.TrimSpace(c.Name)
			if c.Name == "multi_tool_use.parallel" || c.Name == "parallel" {
				flat = append(flat, callsIn(json.RawMessage(c.Arguments), tools, 0)...)
				continue
			}
		}
		flat = append(flat, c)
	}
	out := make([]ToolCall, 0, len(flat))
	seen := make(map[[2]string]bool, len(flat))
	for _, c := range flat {
		if !offered(c.Name, tools) {
			c.Name = strings.TrimPrefix(strings.TrimSpace(c.Name), prefixFunctions)
		}
		c.Arguments = tidyArguments(c.Arguments)
		id := [2]string{c.Name, canonicalJSON(c.Arguments)}
		if !seen[id] {
			seen[id] = true
			out = append(out, c)
		}
	}
	return out
}

// tidyArguments resolves the ways in which "nothing" is written, and arguments
// that were encoded twice.
func tidyArguments(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1 && s[0] == '"' {
		var inner string
		if json.Unmarshal([]byte(s), &inner) == nil {
			inner = strings.TrimSpace(inner)
			if v, ok := wholeJSON(inner); inner == "" || inner == "null" || ok && v[0] == '{' {
				s = inner
			}
		}
	}
	if s == "" || s == "null" {
		return "{}"
	}
	return s
}

// canonicalJSON is s with sorted keys and no white space, or s itself if it is
// no JSON.
func canonicalJSON(s string) string {
	d := json.NewDecoder(strings.NewReader(s))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil || d.More() {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		return s
	}
	return string(b)
}

// numbered gives the calls the ids call_<n>, n from after+1.
func numbered(calls []ToolCall, after int) []ToolCall {
	for i := range calls {
		calls[i].ID = "call_" + strconv.Itoa(after+i+1)
	}
	return calls
}

func offered(name string, tools []Tool) bool {
	return slices.ContainsFunc(tools, func(t Tool) bool { return t.Name == name })
}

// stripThoughts cuts out <think>…</think>. A closing tag without an opening one
// ends thoughts that began with the reply.
func stripThoughts(text string) string {
	if !strings.Contains(text, "think") {
		return text
	}
	if lead := strings.TrimSpace(text); lead != "" && (lead[0] == '{' || lead[0] == '[') {
		return text // the tags stand in a value rather than around thoughts
	}
	for _, tag := range []string{"think", "thinking"} {
		start, end := "<"+tag+">", "</"+tag+">"
		var b strings.Builder
		rest := text
		for {
			j := strings.Index(rest, end)
			if j < 0 {
				break
			}
			if i := strings.Index(rest[:j], start); i < 0 {
				b.Reset() // everything before was thought
			} else {
				b.WriteString(rest[:i])
			}
			rest = rest[j+len(end):]
		}
		text = b.String() + rest
	}
	return text
}

// elements returns the contents of <tag>…</tag>; the last may be unclosed.
func elements(text, tag string) []string {
	var out []string
	for {
		_, rest, ok := strings.Cut(text, "<"+tag+">")
		if !ok {
			return out
		}
		var body string
		body, text, _ = strings.Cut(rest, "</"+tag+">")
		out = append(out, body)
	}
}

// fenced returns the contents of the fenced code blocks; the last may be
// unclosed.
func fenced(text string) []string {
	if !strings.Contains(text, "```") && !strings.Contains(text, "~~~") {
		return nil
	}
	var (
		out   []string
		block strings.Builder
		mark  string // of the open fence
	)
	for line := range strings.Lines(text) {
		trimmed := strings.TrimSpace(line)
		if mark == "" {
			for _, f := range []string{"```", "~~~"} {
				if strings.HasPrefix(trimmed, f) {
					mark = trimmed[:len(trimmed)-len(strings.TrimLeft(trimmed, f[:1]))]
					block.Reset()
					// ```{"a":1}``` on one line
					info := strings.TrimLeft(trimmed, f[:1])
					if k := strings.IndexAny(info, "{["); k >= 0 {
						body, closed := strings.CutSuffix(info[k:], mark)
						block.WriteString(body + "\n")
						if closed {
							out = append(out, block.String())
							mark = ""
						}
					}
					break
				}
			}
			continue
		}
		if strings.HasPrefix(trimmed, mark) && strings.Trim(trimmed, mark[:1]) == "" {
			out = append(out, block.String())
			mark = ""
			continue
		}
		block.WriteString(line)
	}
	if mark != "" {
		out = append(out, block.String())
	}
	return out
}

// wholeJSON returns s without the space around it, if it is JSON.
func wholeJSON(s string) (json.RawMessage, bool) {
	s = strings.TrimFunc(s, unicode.IsSpace)
	if s == "" {
		return nil, false
	}
	return validJSON([]byte(s))
}

// validJSON returns v, or v without the commas before its closing brackets, if
// that is JSON.
func validJSON(v []byte) (json.RawMessage, bool) {
	if json.Valid(v) {
		return v, true
	}
	if v = untrailed(v); v != nil && json.Valid(v) {
		return v, true
	}
	return nil, false
}

const jsonSpace = " \t\r\n"

// untrailed returns a copy of v without the commas, outside of strings, that
// only space parts from a closing bracket; nil when there is none.
func untrailed(v []byte) []byte {
	var out []byte
	from, inString := 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && c == ',':
			before, after := bytes.TrimRight(v[from:i], jsonSpace), bytes.TrimLeft(v[i+1:], jsonSpace)
			if len(before) > 0 && !strings.ContainsRune("{[,", rune(before[len(before)-1])) && len(after) > 0 && (after[0] == '}' || after[0] == ']') {
				out = append(out, v[from:i]...)
				from = i + 1
			}
		}
	}
	if from == 0 {
		return nil
	}
	return append(out, v[from:]...)
}

func isComposite(v json.RawMessage) bool { return v[0] == '{' || v[0] == '[' }

// isBareList reports whether v is an array of numbers, bools or nulls, or empty.
func isBareList(v json.RawMessage) bool {
	return v[0] == '[' && !bytes.ContainsAny(v[1:], `{["`)
}

// balanced returns the objects and arrays of a text that are valid JSON, in
// order and none inside another.
func balanced(text string) []json.RawMessage {
	var out []json.RawMessage
	// A text of nothing but opening brackets must not cost its square.
	effort := 1<<16 + 16*len(text)
	for i := 0; i < len(text) && effort > 0; i++ {
		if c := text[i]; c != '{' && c != '[' {
			continue
		}
		end := closing(text[i:])
		effort -= max(end, 1)
		if end < 0 {
			if beginsLikeJSON(text[i:]) {
				return out // cut off: a value inside is not the value
			}
			effort -= len(text) - i // nothing closes it: count the whole scan
			continue
		}
		if v, ok := validJSON([]byte(text[i : i+end])); ok {
			out = append(out, v)
			i += end - 1
		}
	}
	return out
}

// beginsLikeJSON reports whether what follows an opening bracket could follow it
// in JSON.
func beginsLikeJSON(s string) bool {
	rest := strings.TrimLeft(s[1:], " \t\r\n")
	if rest == "" {
		return true
	}
	if s[0] == '{' {
		return rest[0] == '"'
	}
	return strings.IndexByte(`{["-0123456789tfn`, rest[0]) >= 0
}

// closing returns the length of the bracketed text that s begins with, or -1.
func closing(s string) int {
	depth, inString := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
