package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/invopop/jsonschema"
)

// The limits of the strict subset on enumerations and text.
const (
	maxEnum        = 1000
	maxLongEnum    = 250 // values of one enum, beyond which maxEnumChars holds
	maxEnumChars   = 15_000
	maxSchemaChars = 120_000
)

// reflectRaw reflects t under recover. All references are inlined, so that no
// type can share a definition with another of the same name.
func reflectRaw(t reflect.Type) (s *jsonschema.Schema, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("reflection panicked: %v", v)
		}
	}()
	r := &jsonschema.Reflector{Anonymous: true, DoNotReference: true, Mapper: mapType}
	return r.ReflectFromType(t), nil
}

// mapType gives every field a schema of its own: the reflector writes the
// field's tags into what it is given.
func mapType(t reflect.Type) *jsonschema.Schema {
	switch {
	case t == timeType:
		return nil
	case t.Implements(schemaSource):
		src := reflect.New(t).Interface().(interface{ JSONSchema() *jsonschema.Schema }).JSONSchema()
		own := new(jsonschema.Schema)
		b, err := json.Marshal(src)
		if err == nil {
			err = json.Unmarshal(b, own)
		}
		if src == nil {
			err = errors.New("it returned nil")
		}
		if err != nil {
			panic(fmt.Sprintf("%s.JSONSchema: %v", t, err))
		}
		own.Extras = maps.Clone(src.Extras)
		if own.Description != "" {
			own.Comments = own.Description // the reflector overwrites the description
		}
		return own
	case t.Kind() != reflect.Interface && t.Implements(textMarshaler):
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}

// form is a schema in both dialects, and what decoding must know of it.
type form struct {
	strict, lenient object
	desc            string // goes beside both
	strictNote      string // goes into the strict description only
	plan            *plan
	null            bool // allows null by itself
}

// plan says which members may be left out, and so may be null in a reply.
type plan struct {
	order    []string
	optional map[string]bool
	props    map[string]*plan
	items    *plan
	union    []*plan // of an anyOf
}

// normaliser turns reflected schemas into both dialects.
type normaliser struct {
	problems   []Problem
	properties int
	enums      int
	chars      int
}

func (n *normaliser) add(path, reason, hint string) {
	n.problems = append(n.problems, Problem{Path: path, Reason: reason, Hint: hint})
}

// shaped is the form of a schema that was reflected from a Go type. def is the
// default, the zero Value when there is none.
func (n *normaliser) shaped(s *jsonschema.Schema, sh *shape, path string, level int, def reflect.Value) form {
	if sh.kind == shapeCustom {
		if s.Description == "" {
			s.Description = s.Comments
		}
		return n.custom(s, path, level)
	}
	want := jsonKinds[sh.kind]
	if s.Type != want || len(s.OneOf)+len(s.AnyOf)+len(s.AllOf) > 0 || s.Not != nil || s.If != nil || s.Const != nil {
		n.add(path, fmt.Sprintf("the reflected schema is no %s", want), customMethodHint)
		return form{}
	}
	switch sh.kind {
	case shapeObject:
		return n.shapedObject(s, sh, path, level, def)
	case shapeArray:
		f := n.keywords(s, path)
		items := n.shaped(s.Items, sh.elem, path+"[]", level+1, reflect.Value{})
		f.plan = &plan{items: items.plan}
		n.items(&f, items)
		return f
	case shapeInt:
		f := n.keywords(s, path)
		if sh.typ.Kind() >= reflect.Uint && sh.typ.Kind() <= reflect.Uint64 && s.Minimum == "" && s.ExclusiveMinimum == "" {
			f.strict = append(f.strict, member{"minimum", json.Number("0")})
			f.lenient = append(f.lenient, member{"minimum", json.Number("0")})
		}
		return f
	default:
		return n.keywords(s, path)
	}
}

func (n *normaliser) items(f *form, items form) {
	f.strict = append(f.strict, member{"items", items.in(true)})
	f.lenient = append(f.lenient, member{"items", items.in(false)})
}

func (n *normaliser) shapedObject(s *jsonschema.Schema, sh *shape, path string, level int, def reflect.Value) form {
	var names []string
	if s.Properties != nil {
		for p := s.Properties.Oldest(); p != nil; p = p.Next() {
			names = append(names, p.Key)
		}
	}
	want := make([]string, len(sh.fields))
	for i, f := range sh.fields {
		want[i] = f.name
	}
	if !slices.Equal(names, want) {
		n.add(path, fmt.Sprintf("the reflected properties %v are not the fields %v that encoding/json reads", names, want), "rename or untag the fields that differ")
		return form{}
	}
	var props []property
	for _, fd := range sh.fields {
		p, _ := s.Properties.Get(fd.name)
		if fd.nullable && len(p.OneOf) == 2 {
			p = p.OneOf[0]
		}
		var fdef reflect.Value
		if def.IsValid() {
			fdef = fieldByIndex(def, fd.index)
		}
		f := n.shaped(p, fd.shape, fd.path, level+1, pointee(fdef))
		optional := fd.optional
		if text, err := defaultText(fdef, fd.shape); err != nil {
			n.add(fd.path, "its default does not encode: "+err.Error(), "correct the default")
		} else if text != "" && !fd.required {
			optional = true
			f.desc = withNotes(f.desc, "Default: "+text+".")
			f.strictNote = "Use null for the default."
		}
		props = append(props, property{name: fd.name, form: f, optional: optional})
	}
	f := n.object(props, path)
	f.desc = s.Description
	return f
}

type property struct {
	name     string
	form     form
	optional bool
}

// object is the form of an object: closed, and in the strict dialect with every
// property required.
func (n *normaliser) object(props []property, path string) form {
	var strict, lenient object
	var all, needed list
	pl := &plan{optional: map[string]bool{}, props: map[string]*plan{}}
	for _, p := range props {
		n.properties++
		n.chars += utf8.RuneCountInString(p.name)
		if n.properties == maxProperties+1 {
			n.add(path+"."+p.name, fmt.Sprintf("more than %d properties in all", maxProperties), "split the type")
		}
		pl.order = append(pl.order, p.name)
		pl.props[p.name] = p.form.plan
		all = append(all, p.name)
		if p.optional {
			pl.optional[p.name] = true
			strict = append(strict, member{p.name, p.form.orNull()})
		} else {
			needed = append(needed, p.name)
			strict = append(strict, member{p.name, p.form.in(true)})
		}
		lenient = append(lenient, member{p.name, p.form.in(false)})
	}
	if all == nil {
		all, strict, lenient = list{}, object{}, object{}
	}
	f := form{plan: pl}
	f.strict = object{{"type", "object"}, {"properties", strict}, {"required", all}, {"additionalProperties", false}}
	f.lenient = object{{"type", "object"}, {"properties", lenient}}
	if len(needed) > 0 {
		f.lenient = append(f.lenient, member{"required", needed})
	}
	f.lenient = append(f.lenient, member{"additionalProperties", false})
	return f
}

// in is the schema in one dialect, the description first.
func (f form) in(strict bool) object {
	body, desc := f.lenient, f.desc
	if strict {
		body, desc = f.strict, withNotes(f.desc, f.strictNote)
	}
	if desc == "" {
		return body
	}
	return append(object{{"description", desc}}, body...)
}

// orNull is the strict schema of an optional field.
func (f form) orNull() object {
	if f.null {
		return f.in(true)
	}
	null := object{{"type", "null"}}
	desc := withNotes(f.desc, f.strictNote)
	branches := list{f.strict, null}
	if len(f.strict) == 1 && f.strict[0].key == "anyOf" {
		branches = append(slices.Clone(f.strict[0].value.(list)), null)
	}
	o := object{{"anyOf", branches}}
	if desc != "" {
		o = append(object{{"description", desc}}, o...)
	}
	return o
}

var jsonTypes = []string{"object", "array", "string", "integer", "number", "boolean", "null"}

// keywords is the form of a scalar, or of an array without its items: what the
// strict subset has is kept and said in words too, for there are servers that
// drop it; what it lacks is said in words alone.
func (n *normaliser) keywords(s *jsonschema.Schema, path string) form {
	var f form
	var notes []string
	note := func(format string, args ...any) { notes = append(notes, fmt.Sprintf(format, args...)) }
	both := func(key string, v any) {
		f.strict = append(f.strict, member{key, v})
		f.lenient = append(f.lenient, member{key, v})
	}
	loose := func(key string, v any) { f.lenient = append(f.lenient, member{key, v}) }

	if s.Default != nil {
		n.add(path, "a default in a schema is described but never applied", "give the default as the value of the field")
	}
	both("type", s.Type)
	if len(s.Enum) > 0 {
		both("enum", n.enum(s.Enum, path))
	}
	if s.Const != nil {
		v := n.enum([]any{s.Const}, path)
		both("const", v[0])
	}
	if s.Pattern != "" {
		if _, err := regexp.Compile(s.Pattern); err != nil {
			n.add(path, "the pattern is no regular expression of the RE2 kind", "correct it")
		}
		both("pattern", s.Pattern)
		note("Must match %s.", s.Pattern)
	}
	switch {
	case s.Format == "":
	case slices.Contains(strictFormats, s.Format):
		both("format", s.Format)
		note("Format: %s.", s.Format)
	case slices.Contains(looseFormats, s.Format):
		loose("format", s.Format)
		note("Format: %s.", s.Format)
	default:
		n.add(path, fmt.Sprintf("unknown format %q", s.Format), "use pattern")
	}
	number := func(key string, v json.Number, words string) {
		if v == "" {
			return
		}
		if !jsonNumber.MatchString(v.String()) {
			n.add(path, fmt.Sprintf("%s=%s is no number", key, v), "correct it")
			return
		}
		both(key, v)
		if words != "" {
			note(words, v)
		}
	}
	if s.Minimum != "" && s.Maximum != "" {
		number("minimum", s.Minimum, "")
		number("maximum", s.Maximum, "")
		note("From %s to %s.", s.Minimum, s.Maximum)
	} else {
		number("minimum", s.Minimum, "At least %s.")
		number("maximum", s.Maximum, "At most %s.")
	}
	number("exclusiveMinimum", s.ExclusiveMinimum, "More than %s.")
	number("exclusiveMaximum", s.ExclusiveMaximum, "Less than %s.")
	number("multipleOf", s.MultipleOf, "A multiple of %s.")
	count := func(key string, v *uint64, words, unit string, add func(string, any)) {
		if v == nil {
			return
		}
		add(key, json.Number(fmt.Sprint(*v)))
		note(words+" %s.", counted(int(*v), unit))
	}
	count("minLength", s.MinLength, "At least", "character", loose)
	count("maxLength", s.MaxLength, "At most", "character", loose)
	if s.MinItems != nil && s.MaxItems != nil && *s.MinItems == *s.MaxItems {
		both("minItems", json.Number(fmt.Sprint(*s.MinItems)))
		both("maxItems", json.Number(fmt.Sprint(*s.MaxItems)))
		note("Exactly %s.", counted(int(*s.MinItems), "item"))
	} else {
		count("minItems", s.MinItems, "At least", "item", both)
		count("maxItems", s.MaxItems, "At most", "item", both)
	}
	if s.UniqueItems {
		loose("uniqueItems", true)
		note("No duplicates.")
	}
	if s.ContentEncoding != "" {
		note("Encoded as %s.", s.ContentEncoding)
	}
	if len(s.Examples) > 0 {
		var texts []string
		for _, x := range n.scalars(s.Examples, path) {
			texts = append(texts, string(appendJSON(nil, x)))
		}
		note("For example: %s.", strings.Join(texts, ", "))
	}
	f.desc = withNotes(s.Description, strings.Join(notes, " "))
	return f
}

// enum checks the values of an enum or a const and counts them.
func (n *normaliser) enum(values []any, path string) list {
	out := n.scalars(values, path)
	chars := 0
	for _, v := range out {
		if s, ok := v.(string); ok {
			chars += utf8.RuneCountInString(s)
		}
	}
	n.enums += len(out)
	n.chars += chars
	if len(out) > maxLongEnum && chars > maxEnumChars {
		n.add(path, fmt.Sprintf("an enum of %d values with more than %d characters", len(out), maxEnumChars), "shorten it or use a string")
	}
	return out
}

func (n *normaliser) scalars(values []any, path string) list {
	out := make(list, 0, len(values))
	for _, v := range values {
		b, err := json.Marshal(v)
		if err != nil {
			n.add(path, "a value that is no JSON", "correct it")
			continue
		}
		switch b[0] {
		case '{', '[':
			n.add(path, "an enum of objects or lists", "use strings")
		case '"':
			var s string
			_ = json.Unmarshal(b, &s) // just marshalled
			out = append(out, s)
		default:
			out = append(out, json.RawMessage(b))
		}
	}
	return out
}

// custom is the form of a schema that a type gives of itself. Whatever cannot
// be strict is refused.
func (n *normaliser) custom(s *jsonschema.Schema, path string, level int) form {
	refuse := func(what string) {
		n.add(path, "JSONSchema uses "+what+", which the strict subset does not have", "describe it with type, properties, items, enum and anyOf alone")
	}
	if b, err := json.Marshal(s); err == nil && (string(b) == "true" || string(b) == "false") {
		refuse("a boolean schema")
		return form{}
	}
	for what, used := range map[string]bool{
		"$ref": s.Ref != "" || s.DynamicRef != "", "$defs": len(s.Definitions) > 0,
	} {
		if used {
			refuse(what)
			return form{}
		}
	}
	before := len(n.problems)
	for _, k := range []struct {
		what string
		used bool
	}{
		{"allOf", s.AllOf != nil},
		{"not", s.Not != nil},
		{"if, then and else", s.If != nil || s.Then != nil || s.Else != nil},
		{"dependent keywords", s.DependentSchemas != nil || s.DependentRequired != nil},
		{"prefixItems", s.PrefixItems != nil},
		{"contains", s.Contains != nil || s.MinContains != nil || s.MaxContains != nil},
		{"patternProperties", s.PatternProperties != nil},
		{"propertyNames", s.PropertyNames != nil},
		{"bounds on the number of properties", s.MinProperties != nil || s.MaxProperties != nil},
		{"contentSchema", s.ContentSchema != nil},
		{"keywords of its own", len(s.Extras) > 0},
		{"additionalProperties", s.AdditionalProperties != nil && !reflect.DeepEqual(s.AdditionalProperties, jsonschema.FalseSchema)},
		{"both anyOf and oneOf", s.AnyOf != nil && s.OneOf != nil},
	} {
		if k.used {
			refuse(k.what)
		}
	}
	if len(n.problems) > before {
		return form{}
	}
	if branches := append(slices.Clone(s.AnyOf), s.OneOf...); branches != nil {
		if s.Type != "" || s.Properties != nil || s.Items != nil || s.Enum != nil || s.Const != nil {
			refuse("keywords beside anyOf")
			return form{}
		}
		return n.union(s, branches, path, level)
	}
	if s.Type == "" {
		s.Type = typeOfValues(append(slices.Clone(s.Enum), s.Const))
	}
	if !slices.Contains(jsonTypes, s.Type) {
		n.add(path, fmt.Sprintf("JSONSchema has the type %q", s.Type), "use one of "+strings.Join(jsonTypes, ", ")+"; for several use anyOf")
		return form{}
	}
	if (s.Type == "object" || s.Type == "array") && level > maxLevels {
		n.add(path, fmt.Sprintf("nested deeper than %d levels of objects and lists", maxLevels), "flatten the type")
		return form{}
	}
	if s.Type == "object" {
		if s.Enum != nil || s.Const != nil {
			refuse("an enum of objects")
		}
		var props []property
		if s.Properties != nil {
			for p := s.Properties.Oldest(); p != nil; p = p.Next() {
				props = append(props, property{
					name:     p.Key,
					form:     n.custom(p.Value, path+"."+p.Key, level+1),
					optional: !slices.Contains(s.Required, p.Key),
				})
			}
		}
		for _, r := range s.Required {
			if !slices.ContainsFunc(props, func(p property) bool { return p.name == r }) {
				n.add(path, fmt.Sprintf("JSONSchema requires %q, which is no property", r), "correct it")
			}
		}
		f := n.object(props, path)
		f.desc = s.Description
		return f
	}
	f := n.keywords(s, path)
	f.null = s.Type == "null"
	if s.Type == "array" {
		if s.Items == nil {
			refuse("an array without items")
			return form{}
		}
		items := n.custom(s.Items, path+"[]", level+1)
		f.plan = &plan{items: items.plan}
		n.items(&f, items)
	}
	return f
}

func (n *normaliser) union(s *jsonschema.Schema, branches []*jsonschema.Schema, path string, level int) form {
	f := form{desc: s.Description, plan: &plan{}}
	var strict, lenient list
	first := map[string]bool{}
	for i, b := range branches {
		g := n.custom(b, fmt.Sprintf("%s|%d", path, i), level)
		if g.plan != nil {
			f.plan.union = append(f.plan.union, g.plan)
			if g.plan.items == nil && len(g.plan.order) > 0 {
				if first[g.plan.order[0]] {
					n.add(path, fmt.Sprintf("two objects of an anyOf begin with the key %q", g.plan.order[0]), "begin each with a key of its own")
				}
				first[g.plan.order[0]] = true
			}
		}
		f.null = f.null || g.null
		strict = append(strict, g.in(true))
		lenient = append(lenient, g.in(false))
	}
	f.strict = object{{"anyOf", strict}}
	f.lenient = object{{"anyOf", lenient}}
	return f
}

// typeOfValues is the type that all the values have; "" if they differ.
func typeOfValues(values []any) string {
	t := ""
	for _, v := range values {
		var u string
		switch v := v.(type) {
		case nil:
			continue
		case string:
			u = "string"
		case bool:
			u = "boolean"
		case int, int64, uint64:
			u = "integer"
		case float64, json.Number:
			u = "number"
			if r, ok := new(big.Rat).SetString(fmt.Sprint(v)); ok && r.IsInt() {
				u = "integer"
			}
		default:
			return ""
		}
		if t != "" && t != u {
			return ""
		}
		t = u
	}
	return t
}

// withNotes adds sentences to a description.
func withNotes(desc, notes string) string {
	desc = strings.TrimSpace(desc)
	switch {
	case notes == "":
		return desc
	case desc == "":
		return notes
	}
	if last, _ := utf8.DecodeLastRuneInString(desc); !unicode.IsPunct(last) || last == ')' || last == '"' || last == '»' {
		desc += "."
	}
	return desc + " " + notes
}

// fieldByIndex is Value.FieldByIndex, but the zero Value behind a nil pointer.
func fieldByIndex(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 {
			for v.Kind() == reflect.Pointer {
				if v.IsNil() {
					return reflect.Value{}
				}
				v = v.Elem()
			}
		}
		v = v.Field(x)
	}
	return v
}

// pointee follows pointers; the zero Value stands for nil.
func pointee(v reflect.Value) reflect.Value {
	for v.IsValid() && v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	return v
}

// defaultText is the default of a field as JSON, "" when there is none. A zero
// value is no default, but what a pointer points at is one; the fields of a
// struct have defaults of their own.
func defaultText(v reflect.Value, sh *shape) (string, error) {
	inner := pointee(v)
	switch {
	case !v.IsValid() || v.IsZero() || !inner.IsValid():
		return "", nil
	case sh.kind == shapeObject && v.Kind() != reflect.Pointer:
		return "", nil
	case inner.Kind() == reflect.Slice && inner.Len() == 0:
		return "", nil
	}
	b, err := marshal(inner.Interface())
	return string(b), err
}

// marshal is json.Marshal without HTML escapes.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
