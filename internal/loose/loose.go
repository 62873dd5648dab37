// Package loose reads values as the files of Python tools hold them: JSON with
// NaN in it, JSON or Python literals inside strings, numbers where a text was
// meant, and writes objects in a fixed order of keys.
package loose

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Fields are the members of an object.
type Fields map[string]json.RawMessage

// Parse returns the members of a JSON object, in which NaN and the infinities
// count as null. The values are valid, compact JSON.
func Parse(b []byte) (Fields, error) {
	b = bytes.TrimSpace(b)
	switch {
	case len(b) == 0:
		return nil, errors.New("it is empty")
	case !utf8.Valid(b):
		return nil, errors.New("it is not UTF-8")
	}
	b = Finite(b)
	if b[0] != '{' {
		if !json.Valid(b) {
			return nil, errors.New("it is no JSON object")
		}
		return nil, fmt.Errorf("it is %s, not an object", Kind(b))
	}
	var f Fields
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	for k, v := range f {
		f[k] = compact(v)
	}
	return f, nil
}

// Kind names the type of a JSON value, for messages.
func Kind(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return "nothing"
	}
	switch raw[0] {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "a text"
	case 't', 'f':
		return "a truth value"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

func compact(raw json.RawMessage) json.RawMessage {
	var buf bytes.Buffer
	if err := json.Compact(&buf, raw); err != nil {
		return raw
	}
	return buf.Bytes()
}

// Finite returns b with null in place of NaN, Infinity and -Infinity outside of
// strings, as Python writes them. It returns b itself when there are none.
func Finite(b []byte) []byte {
	if !bytes.Contains(b, []byte("NaN")) && !bytes.Contains(b, []byte("Infinity")) {
		return b
	}
	out := make([]byte, 0, len(b))
	quoted := false
	for i := 0; i < len(b); {
		c := b[i]
		switch {
		case quoted && c == '\\' && i+1 < len(b):
			out = append(out, c, b[i+1])
			i += 2
			continue
		case c == '"':
			quoted = !quoted
		case !quoted:
			if n := nonFinite(b[i:]); n > 0 {
				out = append(out, "null"...)
				i += n
				continue
			}
		}
		out = append(out, c)
		i++
	}
	return out
}

func nonFinite(b []byte) int {
	for _, w := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(b, []byte(w)) {
			return len(w)
		}
	}
	return 0
}

// IsNull reports whether a value is absent or null.
func IsNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// Text reads a text; a number is read as it is written, a truth value as Python
// writes it, null as "".
func Text(raw json.RawMessage) (string, bool) {
	switch {
	case IsNull(raw):
		return "", true
	case raw[0] == '"':
		var s string
		return s, json.Unmarshal(raw, &s) == nil
	case raw[0] == '{', raw[0] == '[':
		return "", false
	case raw[0] == 't':
		return "True", true
	case raw[0] == 'f':
		return "False", true
	}
	return string(raw), true
}

// Inner returns the object or list that a text holds as JSON or as a Python
// literal; any other value is returned as it is.
func Inner(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || raw[0] != '"' {
		return raw
	}
	s, ok := Text(raw)
	if s = strings.TrimSpace(s); !ok || s == "" || s[0] != '[' && s[0] != '{' && s[0] != '(' {
		return raw
	}
	if b := Finite([]byte(s)); json.Valid(b) {
		return compact(b)
	}
	if v, err := Python(s); err == nil {
		return v
	}
	return raw
}

// Texts reads a list of texts, be it a list, a text that holds one, or a single
// text. Null and the empty text are nil.
func Texts(raw json.RawMessage) ([]string, bool) {
	raw = Inner(raw)
	if IsNull(raw) {
		return nil, true
	}
	if raw[0] != '[' {
		s, ok := Text(raw)
		if s == "" {
			return nil, ok
		}
		return []string{s}, ok
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	out := make([]string, 0, len(items))
	for _, item := range items {
		s, ok := Text(item)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// Number reads a number or a text that is one; null and "" are nil.
func Number(raw json.RawMessage) (*float64, bool) {
	s, ok := Text(raw)
	if !ok || strings.TrimSpace(s) == "" {
		return nil, ok
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil {
		return nil, false
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, true
	}
	return &f, true
}

// Pairs reads an object of texts; null and "" are nil.
func Pairs(raw json.RawMessage) (map[string]string, bool) {
	f, ok := Members(raw)
	if f == nil {
		return nil, ok
	}
	out := make(map[string]string, len(f))
	for k, v := range f {
		s, ok := Text(v)
		if !ok {
			return nil, false
		}
		out[k] = s
	}
	return out, true
}

// Members reads an object, or a text that holds one; null and "" are nil.
func Members(raw json.RawMessage) (Fields, bool) {
	raw = Inner(raw)
	if IsNull(raw) || string(raw) == `""` {
		return nil, true
	}
	if raw[0] != '{' {
		return nil, false
	}
	f, err := Parse(raw)
	return f, err == nil
}

// List reads a list of objects, or a text that holds one; "" is nil. It reports
// whether every item is an object.
func List[T any](raw json.RawMessage, read func(Fields) T) ([]T, bool) {
	raw = Inner(raw)
	if string(raw) == `""` {
		return nil, true
	}
	var items []json.RawMessage
	if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	out := make([]T, len(items))
	for i, item := range items {
		f, ok := Members(item)
		if !ok || f == nil {
			return nil, false
		}
		out[i] = read(f)
	}
	return out, true
}

// Take removes the first of the keys that has a value, and hands the value to
// read. Should read not accept it, it stays where it was. Keys that hold null
// are removed.
func (f Fields) Take(read func(json.RawMessage) bool, keys ...string) bool {
	taken := false
	for _, k := range keys {
		v, ok := f[k]
		switch {
		case !ok:
		case IsNull(v):
			delete(f, k)
		case !taken && read(v):
			delete(f, k)
			taken = true
		}
	}
	return taken
}

// TakeText takes a text.
func (f Fields) TakeText(into *string, keys ...string) bool {
	return f.Take(func(v json.RawMessage) bool { return set(into, v, Text) }, keys...)
}

// TakeTexts takes a list of texts.
func (f Fields) TakeTexts(into *[]string, keys ...string) bool {
	return f.Take(func(v json.RawMessage) bool { return set(into, v, Texts) }, keys...)
}

// TakeNumber takes a number.
func (f Fields) TakeNumber(into **float64, keys ...string) bool {
	return f.Take(func(v json.RawMessage) bool { return set(into, v, Number) }, keys...)
}

// TakePairs takes an object of texts.
func (f Fields) TakePairs(into *map[string]string, keys ...string) bool {
	return f.Take(func(v json.RawMessage) bool { return set(into, v, Pairs) }, keys...)
}

// TakeRaw takes any value; a text that holds an object or a list is taken as
// what it holds.
func (f Fields) TakeRaw(into *json.RawMessage, keys ...string) bool {
	return f.Take(func(v json.RawMessage) bool { *into = Inner(v); return true }, keys...)
}

func set[T any](into *T, v json.RawMessage, read func(json.RawMessage) (T, bool)) bool {
	got, ok := read(v)
	if ok {
		*into = got
	}
	return ok
}

// Rest returns what is left, nil for nothing. Nulls are left out.
func (f Fields) Rest() map[string]json.RawMessage {
	for k, v := range f {
		if IsNull(v) {
			delete(f, k)
		}
	}
	if len(f) == 0 {
		return nil
	}
	return f
}

// Object writes a JSON object: its keys in the order of the calls, then what is
// left of Rest, sorted. A key of Rest stands in for the value of a Put that has
// none.
type Object struct {
	Rest map[string]json.RawMessage

	buf  bytes.Buffer
	done map[string]bool
	err  error
}

// Put writes a value; a nil one, and an empty text, as null.
func (o *Object) Put(key string, v any) {
	if empty(v) {
		v = nil
		if raw, ok := o.Rest[key]; ok {
			v = raw
		}
	}
	o.put(key, v)
}

// PutText writes a text, also an empty one.
func (o *Object) PutText(key, s string) {
	if raw, ok := o.Rest[key]; ok && s == "" {
		o.put(key, raw)
		return
	}
	o.put(key, s)
}

// Opt is Put, but leaves out what has no value.
func (o *Object) Opt(key string, v any) {
	if _, ok := o.Rest[key]; ok || !empty(v) {
		o.Put(key, v)
	}
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []string:
		return v == nil
	case map[string]string:
		return v == nil
	case json.RawMessage:
		return len(v) == 0
	case *float64:
		return v == nil
	}
	return false
}

func (o *Object) put(key string, v any) {
	if o.done[key] || o.err != nil {
		return
	}
	if f, ok := v.(*float64); ok {
		v = number(*f)
	}
	b, err := Marshal(v)
	if err != nil {
		o.err = fmt.Errorf("%s: %w", key, err)
		return
	}
	name, _ := Marshal(key)
	if o.done == nil {
		o.done = map[string]bool{}
		o.buf.WriteByte('{')
	} else {
		o.buf.WriteByte(',')
	}
	o.done[key] = true
	o.buf.Write(name)
	o.buf.WriteByte(':')
	o.buf.Write(b)
}

// number writes a fraction as Python does: 1.0, not 1.
func number(f float64) any {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return json.RawMessage(strconv.FormatFloat(f, 'f', 1, 64))
	}
	return f
}

// Bytes returns the object.
func (o *Object) Bytes() ([]byte, error) {
	for _, k := range slices.Sorted(maps.Keys(o.Rest)) {
		o.put(k, o.Rest[k])
	}
	if o.err != nil {
		return nil, o.err
	}
	if o.done == nil {
		return []byte("{}"), nil
	}
	return append(o.buf.Bytes(), '}'), nil
}

// Marshal is json.Marshal without the escapes for HTML.
func Marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
