package schema

import (
	"encoding"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"time"

	"github.com/invopop/jsonschema"
)

// The portable limits: Azure documents these, other servers allow more. Every
// object and every array counts as a level, the root as the first.
const (
	maxProperties = 100
	maxLevels     = 5
)

const maxPointers = 4

type shapeKind int

const (
	shapeObject shapeKind = iota
	shapeArray
	shapeString
	shapeInt
	shapeNumber
	shapeBool
	shapeBytes  // []byte, base64 in JSON
	shapeText   // a TextMarshaler, a string in JSON
	shapeTime   // time.Time
	shapeCustom // has a JSONSchema method
)

// jsonKinds are the JSON types of the shapes; a custom one has none.
var jsonKinds = map[shapeKind]string{
	shapeObject: "object", shapeArray: "array", shapeString: "string", shapeInt: "integer", shapeNumber: "number",
	shapeBool: "boolean", shapeBytes: "string", shapeText: "string", shapeTime: "string",
}

// shape is what encoding/json makes of a Go type.
type shape struct {
	kind   shapeKind
	typ    reflect.Type // without pointers
	fields []*field     // of an object, in order
	elem   *shape       // of an array
}

type field struct {
	name     string
	path     string // in Go
	index    []int
	optional bool
	nullable bool // by tag, which the reflector wraps in a oneOf
	required bool // by tag
	shape    *shape
}

// walk collects every problem of a type in one pass.
type walk struct {
	problems   []Problem
	stack      []reflect.Type // what is being walked, popped on the way back
	properties int
}

func (w *walk) add(path, reason, hint string) {
	w.problems = append(w.problems, Problem{Path: path, Reason: reason, Hint: hint})
}

var (
	timeType         = reflect.TypeFor[time.Time]()
	durationType     = reflect.TypeFor[time.Duration]()
	rawMessageType   = reflect.TypeFor[json.RawMessage]()
	jsonNumberType   = reflect.TypeFor[json.Number]()
	schemaSource     = reflect.TypeFor[interface{ JSONSchema() *jsonschema.Schema }]()
	schemaExtender   = reflect.TypeFor[interface{ JSONSchemaExtend(*jsonschema.Schema) }]()
	schemaAlias      = reflect.TypeFor[interface{ JSONSchemaAlias() any }]()
	schemaProperty   = reflect.TypeFor[interface{ JSONSchemaProperty(string) any }]()
	jsonMarshaler    = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler  = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler    = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler  = reflect.TypeFor[encoding.TextUnmarshaler]()
	urlType          = reflect.TypeFor[url.URL]()
	customMethodHint = "give the type a method JSONSchema() *jsonschema.Schema on its value"
)

// shapeOf walks t. It returns nil when t was refused; the reasons are in
// w.problems.
func (w *walk) shapeOf(t reflect.Type, path string, level int) *shape {
	for range maxPointers { // a bound, for there are types such as: type P *P
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
	}
	if slices.Contains(w.stack, t) {
		w.add(path, fmt.Sprintf("type %s contains itself", t), "use a flat list whose items name their parent")
		return nil
	}
	w.stack = append(w.stack, t)
	defer func() { w.stack = w.stack[:len(w.stack)-1] }()

	p := reflect.PointerTo(t)
	switch t {
	case timeType:
		return &shape{kind: shapeTime, typ: t}
	case durationType:
		w.add(path, "time.Duration is a count of nanoseconds in JSON", `use a number whose name has the unit, such as TimeoutSeconds int`)
		return nil
	case rawMessageType:
		w.add(path, "json.RawMessage may hold anything", "use a struct")
		return nil
	case urlType:
		w.add(path, "url.URL does not decode from a JSON string", "use a string with jsonschema:\"format=uri\"")
		return nil
	case jsonNumberType:
		w.add(path, "json.Number is a number in JSON and a string in a schema", "use float64 or int64")
		return nil
	}
	switch {
	case t.Implements(schemaSource):
		return &shape{kind: shapeCustom, typ: t}
	case p.Implements(schemaSource):
		w.add(path, fmt.Sprintf("(*%s).JSONSchema has a pointer receiver and would be ignored", t.Name()), "make its receiver a value")
		return nil
	case t.Kind() != reflect.Interface && (p.Implements(schemaAlias) || p.Implements(schemaProperty)):
		w.add(path, fmt.Sprintf("type %s takes its schema from another type, so the reply would not decode", t), customMethodHint)
		return nil
	case p.Implements(schemaExtender) && !t.Implements(schemaExtender):
		w.add(path, fmt.Sprintf("(*%s).JSONSchemaExtend has a pointer receiver and would be ignored", t.Name()), "make its receiver a value")
		return nil
	case t.Kind() != reflect.Interface && (p.Implements(jsonMarshaler) || p.Implements(jsonUnmarshaler)):
		w.add(path, fmt.Sprintf("type %s has JSON of its own that a schema cannot be reflected from", t), customMethodHint)
		return nil
	case t.Kind() != reflect.Interface && (p.Implements(textMarshaler) || p.Implements(textUnmarshaler)):
		if !t.Implements(textMarshaler) || !p.Implements(textUnmarshaler) {
			w.add(path, fmt.Sprintf("type %s does not both encode and decode text", t), "give it MarshalText on its value and UnmarshalText on its pointer")
			return nil
		}
		return &shape{kind: shapeText, typ: t}
	}

	switch t.Kind() {
	case reflect.Struct:
		if w.tooDeep(path, level) {
			return nil
		}
		s := &shape{kind: shapeObject, typ: t}
		before := len(w.problems)
		w.fieldsOf(s, t, nil, path, level)
		if len(w.problems) > before {
			return nil
		}
		return s
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			if t.Elem() != reflect.TypeFor[byte]() {
				w.add(path, fmt.Sprintf("%s is base64 text in JSON and a list of numbers in a schema", t), "use []byte or []int")
				return nil
			}
			return &shape{kind: shapeBytes, typ: t}
		}
		if w.tooDeep(path, level) {
			return nil
		}
		elem := w.shapeOf(t.Elem(), path+"[]", level+1)
		if elem == nil {
			return nil
		}
		return &shape{kind: shapeArray, typ: t, elem: elem}
	case reflect.Map:
		w.add(path, fmt.Sprintf("%s: an object with open keys cannot be strict", t), "use a list of a struct with a key and a value field")
	case reflect.Interface:
		w.add(path, fmt.Sprintf("%s may hold anything", t), "use a struct, or "+customMethodHint)
	case reflect.String:
		return &shape{kind: shapeString, typ: t}
	case reflect.Bool:
		return &shape{kind: shapeBool, typ: t}
	case reflect.Float32, reflect.Float64:
		return &shape{kind: shapeNumber, typ: t}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return &shape{kind: shapeInt, typ: t}
	default:
		w.add(path, fmt.Sprintf("%s has no JSON", t), `remove the field or tag it json:"-"`)
	}
	return nil
}

func (w *walk) tooDeep(path string, level int) bool {
	if level <= maxLevels {
		return false
	}
	w.add(path, fmt.Sprintf("nested deeper than %d levels of objects and lists", maxLevels), "flatten the type")
	return true
}

// fieldsOf adds the fields of struct t to s, those of embedded structs in their
// place.
func (w *walk) fieldsOf(s *shape, t reflect.Type, index []int, path string, level int) {
	for i := range t.NumField() {
		if w.properties > maxProperties {
			return // reported once
		}
		f := t.Field(i)
		at := path + "." + f.Name
		embeds := f.Type
		if f.Anonymous && embeds.Kind() == reflect.Pointer {
			embeds = embeds.Elem()
		}
		if !f.IsExported() && (!f.Anonymous || embeds.Kind() != reflect.Struct) {
			if f.Anonymous && f.Tag.Get("json") != "-" {
				w.add(at, "an unexported embedded type is ignored by encoding/json", `export it or tag it json:"-"`)
			}
			continue
		}
		tag := w.readTag(f, at)
		if tag.skip {
			continue
		}
		where := append(slices.Clone(index), i)
		if f.Anonymous && !tag.named && embeds.Kind() == reflect.Struct && embeds != timeType {
			if f.Type.Kind() == reflect.Pointer && !f.IsExported() {
				w.add(at, "encoding/json cannot allocate an unexported embedded pointer", "embed the struct itself or export its type")
				continue
			}
			if slices.Contains(w.stack, embeds) {
				w.add(at, fmt.Sprintf("type %s embeds itself", embeds), "break the cycle")
				continue
			}
			w.stack = append(w.stack, embeds)
			w.fieldsOf(s, embeds, where, at, level)
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		if !f.IsExported() {
			continue
		}
		w.properties++
		if w.properties > maxProperties {
			w.add(at, fmt.Sprintf("more than %d properties in all", maxProperties), "split the type")
			return
		}
		sh := w.shapeOf(f.Type, at, level+1)
		if sh == nil {
			continue
		}
		w.checkKeywords(f.Tag, sh, at)
		if j := slices.IndexFunc(s.fields, func(g *field) bool { return g.name == tag.name }); j >= 0 {
			w.add(at, fmt.Sprintf("its JSON name %q is that of %s", tag.name, s.fields[j].path), "rename one of them")
			continue
		}
		s.fields = append(s.fields, &field{
			name: tag.name, path: at, index: where, nullable: tag.nullable, required: tag.required, shape: sh,
			optional: !tag.required && (tag.omit || tag.nullable || f.Type.Kind() == reflect.Pointer),
		})
	}
}
