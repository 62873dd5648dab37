// Package schema turns Go structs into JSON Schemas of the strict subset that
// tool calling and structured replies accept, and decodes what a model sent
// back into those structs.
//
// The reflection is that of invopop/jsonschema. Before it, a walk of the type
// refuses what cannot be strict, every problem at once and with its Go path;
// after it, a normaliser makes both dialects of [Schema].
//
// # Fields
//
// A field is optional when it has omitempty, omitzero, a pointer type, the
// keyword nullable, or a default: in the strict schema it may then be null.
// Bounds come from the jsonschema tag (enum, minimum, maximum,
// exclusiveMinimum, exclusiveMaximum, multipleOf, minLength, maxLength,
// pattern, format, minItems, maxItems, uniqueItems, example, required,
// nullable), the description from jsonschema_description. Properties keep the
// order of the fields, because a model writes them in that order.
package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema is the schema of one struct type. It is immutable and safe for
// concurrent use. Equal types and defaults give equal bytes.
type Schema struct {
	// Strict is of the strict subset: every property is required, every object
	// is closed, an optional field may be null. It is what a model is sent.
	// Its size is within the limits of every known server: 100 properties and
	// 5 levels of objects and lists.
	Strict json.RawMessage
	// Lenient holds the original constraints, with optional fields left
	// optional. It is what a reply is validated against, and what a server
	// without a strict mode can be sent.
	Lenient json.RawMessage

	typ       reflect.Type
	shape     *shape
	plan      *plan
	validator *validator.Schema
	needs     bool
}

// Needs reports whether the schema has required fields at its root, so that {}
// is not enough.
func (s *Schema) Needs() bool { return s.needs }

// Kind returns the JSON type of the root field of a JSON name, and whether there
// is one. It is "" for a type with a schema of its own.
func (s *Schema) Kind(name string) (string, bool) {
	for _, f := range s.shape.fields {
		if f.name == name {
			return jsonKinds[f.shape.kind], true
		}
	}
	return "", false
}

// key identifies a schema: the JSON of the defaults is "" where there are none.
type key struct {
	typ      reflect.Type
	defaults string
}

// cache holds *Schema by key: reflecting and compiling take a millisecond, and
// every call needs the schema of its parameters.
var cache sync.Map

// For returns the schema of struct type t. It fails with an *[Error].
func For(t reflect.Type) (*Schema, error) { return Describe(t, nil) }

// Describe is [For] with defaults, a value of type t or a pointer to one. A
// field with a default is optional, and its description says "Default: 5. Use
// null for the default." A zero field has no default. Describe fails with an
// *[Error].
func Describe(t reflect.Type, defaults any) (*Schema, error) {
	if t == nil {
		return nil, &Error{Type: "nil", Problems: []Problem{{Path: "nil", Reason: "there is no type", Hint: "give a struct"}}}
	}
	name := typeName(t)
	def := pointee(reflect.ValueOf(defaults))
	if defaults != nil && (!def.IsValid() || def.Type() != t) {
		return nil, &Error{Type: name, Problems: []Problem{{Path: name, Reason: fmt.Sprintf("its defaults are a %T", defaults), Hint: "give a " + t.String()}}}
	}
	k := key{typ: t}
	if def.IsValid() && !def.IsZero() && t.Kind() == reflect.Struct {
		b, err := marshal(def.Interface())
		if err == nil {
			k.defaults = string(b)
		}
		if s, ok := cache.Load(k); ok && err == nil {
			return s.(*Schema), nil
		}
		s, err := build(t, name, def)
		if err != nil {
			return nil, err
		}
		got, _ := cache.LoadOrStore(k, s)
		return got.(*Schema), nil
	}
	if s, ok := cache.Load(k); ok {
		return s.(*Schema), nil
	}
	s, err := build(t, name, reflect.Value{})
	if err != nil {
		return nil, err
	}
	got, _ := cache.LoadOrStore(k, s)
	return got.(*Schema), nil
}

func build(t reflect.Type, name string, def reflect.Value) (*Schema, error) {
	fail := func(problems []Problem) (*Schema, error) { return nil, &Error{Type: name, Problems: problems} }
	if t.Kind() != reflect.Struct {
		return fail([]Problem{{Path: name, Reason: "the root is a " + t.Kind().String(), Hint: "give a struct"}})
	}
	var w walk
	sh := w.shapeOf(t, name, 1)
	if len(w.problems) > 0 {
		return fail(w.problems)
	}
	if sh.kind != shapeObject {
		return fail([]Problem{{Path: name, Reason: "the root is no plain struct", Hint: "wrap it into a field of a struct"}})
	}
	raw, err := reflectRaw(t)
	if err != nil {
		return fail([]Problem{{Path: name, Reason: err.Error(), Hint: "check the JSONSchema methods of the type and its fields"}})
	}
	var n normaliser
	f := n.shaped(raw, sh, name, 1, def)
	if n.enums > maxEnum {
		n.add(name, fmt.Sprintf("%d enum values in all, the limit is %d", n.enums, maxEnum), "shorten the enums")
	}
	if n.chars > maxSchemaChars {
		n.add(name, fmt.Sprintf("%d characters of names and enum values, the limit is %d", n.chars, maxSchemaChars), "shorten them")
	}
	if len(n.problems) > 0 {
		return fail(n.problems)
	}
	s := &Schema{typ: t, shape: sh, plan: f.plan, needs: len(f.plan.optional) < len(f.plan.order)}
	s.Strict = appendJSON(nil, f.in(true))
	s.Lenient = appendJSON(nil, f.in(false))
	if s.validator, err = compile(s.Lenient); err != nil {
		return fail([]Problem{{Path: name, Reason: "the schema does not compile: " + err.Error(), Hint: "check the JSONSchema methods of the type and its fields"}})
	}
	if def.IsValid() {
		if problems := s.checkDefaults(def); len(problems) > 0 {
			return fail(problems)
		}
	}
	return s, nil
}

// compile makes a validator that asserts formats and loads nothing.
func compile(raw []byte) (*validator.Schema, error) {
	doc, err := validator.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	c := validator.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("mem:schema", doc); err != nil {
		return nil, err
	}
	return c.Compile("mem:schema")
}

// typeName is the name of a type in problem paths: without its package, and
// short for generic types.
func typeName(t reflect.Type) string {
	name, _, generic := strings.Cut(t.Name(), "[")
	switch {
	case name == "":
		return "struct"
	case generic:
		return name + "[...]"
	}
	return name
}

// Problem is one reason why a type has no strict schema.
type Problem struct {
	Path   string // of the field in Go: "Params.Items[].Start"
	Reason string
	Hint   string // what to do about it
}

// Error says why a type has no strict schema: every problem, not the first.
type Error struct {
	Type     string
	Problems []Problem
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s has no strict schema: ", e.Type)
	for i, p := range e.Problems {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s: %s (%s)", p.Path, p.Reason, p.Hint)
	}
	return b.String()
}

// ArgsError says what is wrong with a model's arguments or reply, every problem
// at once and in words that the model can repair them by.
type ArgsError struct {
	Problems []string
	Err      error // from the type's own Validate, if that is what failed
}

// Error implements error.
func (e *ArgsError) Error() string { return strings.Join(e.Problems, "; ") }

// Unwrap returns the error of the type's own Validate method.
func (e *ArgsError) Unwrap() error { return e.Err }
