// Package strictcheck decides whether a JSON Schema is of the strict subset
// that tool calling and structured replies accept. It is written from the
// published rules alone and shares no code with package schema, so that each
// can prove the other wrong. It is for tests.
package strictcheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits that every known server accepts.
const (
	MaxProperties = 100     // in all
	MaxLevels     = 5       // of objects and arrays; the root is the first
	MaxEnum       = 1000    // enum values in all
	MaxChars      = 120_000 // of names, enum and const values
	LongEnum      = 250     // values of one string enum, beyond which
	MaxLongEnum   = 15_000  // characters is its limit
)

// Violations returns every break of the strict subset in schema, each with the
// JSON pointer of its place; none means that the schema is strict.
func Violations(schema []byte) []string {
	c := &checker{}
	if !utf8.Valid(schema) {
		c.say("", "the text is not UTF-8")
		return c.found
	}
	root, err := parse(schema)
	if err != nil {
		c.say("", "%v", err)
		return c.found
	}
	obj, ok := root.(*node)
	if !ok {
		c.say("", "the root is no object")
		return c.found
	}
	if t, _ := obj.get("type").(string); t != "object" {
		c.say("", "the root's type is not object")
	}
	if obj.has("anyOf") || obj.has("$ref") {
		c.say("", "the root is an anyOf or a $ref")
	}
	c.root = obj
	c.schema("", obj, 1, true)
	if c.properties > MaxProperties {
		c.say("", "%d properties, at most %d", c.properties, MaxProperties)
	}
	if c.enums > MaxEnum {
		c.say("", "%d enum values, at most %d", c.enums, MaxEnum)
	}
	if c.chars > MaxChars {
		c.say("", "%d characters of names and values, at most %d", c.chars, MaxChars)
	}
	return c.found
}

// node is a JSON object with its keys as they stand.
type node struct {
	keys   []string
	values map[string]any
}

func (n *node) get(k string) any { return n.values[k] }

func (n *node) has(k string) bool { _, ok := n.values[k]; return ok }

func parse(text []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	v, err := value(dec)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("text after the schema")
	}
	return v, nil
}

func value(dec *json.Decoder) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	open, ok := tok.(json.Delim)
	if !ok {
		return tok, nil
	}
	if open == '[' {
		items := []any{}
		for dec.More() {
			v, err := value(dec)
			if err != nil {
				return nil, err
			}
			items = append(items, v)
		}
		_, err := dec.Token()
		return items, err
	}
	n := &node{values: map[string]any{}}
	for dec.More() {
		tok, err := dec.Token()
		if err != nil {
			return nil, err
		}
		k := fmt.Sprint(tok)
		v, err := value(dec)
		if err != nil {
			return nil, err
		}
		if n.has(k) {
			return nil, fmt.Errorf("key %q stands twice", k)
		}
		n.keys = append(n.keys, k)
		n.values[k] = v
	}
	_, err = dec.Token()
	return n, err
}

type checker struct {
	found      []string
	root       *node
	properties int
	enums      int
	chars      int
}

func (c *checker) say(at, format string, args ...any) {
	c.found = append(c.found, "#"+at+": "+fmt.Sprintf(format, args...))
}

var keywordsOf = map[string][]string{
	"string":  {"pattern", "format"},
	"number":  {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
	"integer": {"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
	"array":   {"items", "minItems", "maxItems"},
	"object":  {"properties", "required", "additionalProperties"},
	"boolean": nil,
	"null":    nil,
}

var formats = []string{"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}

func (c *checker) schema(at string, v any, level int, root bool) {
	n, ok := v.(*node)
	if !ok {
		c.say(at, "a schema must be an object, not %v", v)
		return
	}
	if n.has("$ref") {
		c.ref(at, n)
		return
	}
	types := c.types(at, n)
	if len(types) == 0 && !n.has("anyOf") && !n.has("enum") && !n.has("const") {
		c.say(at, "neither type, anyOf, enum nor const: anything would do")
	}
	for _, k := range n.keys {
		switch k {
		case "type":
		case "description":
			if _, ok := n.get(k).(string); !ok {
				c.say(at, "the description is no string")
			}
		case "enum":
			values, ok := n.get(k).([]any)
			if !ok || len(values) == 0 {
				c.say(at, "enum is no list, or is empty")
			}
			c.enums += len(values)
			c.scalars(at, values, types)
		case "const":
			c.scalars(at, []any{n.get(k)}, types)
		case "anyOf":
			c.anyOf(at, n, level)
		case "$defs":
			defs, ok := n.get(k).(*node)
			if !root || !ok {
				c.say(at, "$defs that is not an object at the root")
				continue
			}
			for _, name := range defs.keys {
				c.chars += utf8.RuneCountInString(name)
				c.schema(at+"/$defs/"+name, defs.get(name), level, false)
			}
		default:
			if !slices.ContainsFunc(types, func(t string) bool { return slices.Contains(keywordsOf[t], k) }) {
				c.say(at, "keyword %q is not in the subset for type %v", k, types)
			}
		}
	}
	if slices.Contains(types, "object") {
		c.object(at, n, level)
	}
	if slices.Contains(types, "array") {
		c.level(at, level)
		if !n.has("items") {
			c.say(at, "an array without items")
		} else {
			c.schema(at+"/items", n.get("items"), level+1, false)
		}
	}
	c.bounds(at, n)
}

func (c *checker) level(at string, level int) {
	if level > MaxLevels {
		c.say(at, "level %d, at most %d", level, MaxLevels)
	}
}

func (c *checker) types(at string, n *node) []string {
	var types []string
	switch t := n.get("type").(type) {
	case nil:
		return nil
	case string:
		types = []string{t}
	case []any:
		for _, x := range t {
			types = append(types, fmt.Sprint(x))
		}
		if len(types) != 2 || types[0] == types[1] || !slices.Contains(types, "null") {
			c.say(at, "a list of types that is not one type and null")
		}
	default:
		c.say(at, "the type is no string")
	}
	for _, t := range types {
		if _, ok := keywordsOf[t]; !ok {
			c.say(at, "unknown type %q", t)
		}
	}
	return types
}

func (c *checker) object(at string, n *node, level int) {
	c.level(at, level)
	props, ok := n.get("properties").(*node)
	if !ok {
		c.say(at, "an object without properties")
		return
	}
	if open, ok := n.get("additionalProperties").(bool); !ok || open {
		c.say(at, "additionalProperties is not false")
	}
	var required []string
	list, ok := n.get("required").([]any)
	if !ok {
		c.say(at, "no list of required properties")
	}
	for _, x := range list {
		s, _ := x.(string)
		required = append(required, s)
	}
	if !slices.Equal(required, props.keys) {
		c.say(at, "required is %q, the properties are %q", required, props.keys)
	}
	for _, k := range props.keys {
		c.properties++
		c.chars += utf8.RuneCountInString(k)
		if k == "" {
			c.say(at, "a property without a name")
		}
		c.schema(at+"/properties/"+k, props.get(k), level+1, false)
	}
}

func (c *checker) anyOf(at string, n *node, level int) {
	branches, ok := n.get("anyOf").([]any)
	if !ok || len(branches) == 0 {
		c.say(at, "anyOf is no list, or is empty")
		return
	}
	for _, k := range n.keys {
		if k != "anyOf" && k != "description" {
			c.say(at, "keyword %q beside anyOf", k)
		}
	}
	first := map[string]bool{}
	nulls := 0
	for i, b := range branches {
		c.schema(at+"/anyOf/"+strconv.Itoa(i), b, level, false)
		m, ok := b.(*node)
		if !ok {
			continue
		}
		if m.get("type") == "null" {
			nulls++
		}
		if props, ok := m.get("properties").(*node); ok && len(props.keys) > 0 {
			if first[props.keys[0]] {
				c.say(at, "two objects of an anyOf share their first key %q", props.keys[0])
			}
			first[props.keys[0]] = true
		}
	}
	if nulls > 1 {
		c.say(at, "null stands %d times in an anyOf", nulls)
	}
}

func (c *checker) ref(at string, n *node) {
	if len(n.keys) > 1 {
		c.say(at, "keywords beside $ref: %q", n.keys)
	}
	s, _ := n.get("$ref").(string)
	if s == "#" {
		return
	}
	name, ok := strings.CutPrefix(s, "#/$defs/")
	defs, _ := c.root.get("$defs").(*node)
	if !ok || defs == nil || !defs.has(name) {
		c.say(at, "$ref %q does not resolve", s)
	}
}

// scalars checks the values of an enum or const.
func (c *checker) scalars(at string, values []any, types []string) {
	seen := map[any]bool{}
	chars := 0
	for _, v := range values {
		var t []string
		switch v := v.(type) {
		case string:
			t = []string{"string"}
			chars += utf8.RuneCountInString(v)
		case bool:
			t = []string{"boolean"}
		case json.Number:
			t = []string{"number"}
			if f, err := v.Float64(); err == nil && f == math.Trunc(f) {
				t = append(t, "integer")
			}
		case nil:
			t = []string{"null"}
		default:
			c.say(at, "a value that is no scalar: %v", v)
			continue
		}
		if seen[v] {
			c.say(at, "value %v stands twice", v)
		}
		seen[v] = true
		if len(types) > 0 && !slices.ContainsFunc(t, func(x string) bool { return slices.Contains(types, x) }) {
			c.say(at, "value %v is not of type %v", v, types)
		}
	}
	c.chars += chars
	if len(values) > LongEnum && chars > MaxLongEnum {
		c.say(at, "%d values with %d characters, at most %d", len(values), chars, MaxLongEnum)
	}
}

func (c *checker) bounds(at string, n *node) {
	for _, k := range []string{"multipleOf", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minItems", "maxItems"} {
		if _, ok := n.get(k).(json.Number); n.has(k) && !ok {
			c.say(at, "%s is no number", k)
		}
	}
	for _, k := range []string{"pattern", "format"} {
		s, ok := n.get(k).(string)
		if n.has(k) && !ok {
			c.say(at, "%s is no string", k)
		}
		if k == "format" && ok && !slices.Contains(formats, s) {
			c.say(at, "format %q is not in the subset", s)
		}
	}
}
