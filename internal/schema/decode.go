package schema

import (
	"bytes"
	"encoding"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// Decode decodes raw, as a model wrote it, into a pointer to the schema's
// struct type. Empty text, blanks and null stand for {}.
//
// What into holds before is the default: a field that raw leaves out, or that
// is optional and null, keeps its value; a struct is filled field by field; a
// list is replaced as a whole. Afterwards into shares no list and no pointer
// with what it held; when Decode fails, into is as it was. It validates against the lenient schema, refuses unknown fields, and
// calls the type's Validate() error if there is one.
//
// It fails with an *[ArgsError]; any other error means that into is of the
// wrong type.
func (s *Schema) Decode(raw json.RawMessage, into any) error {
	dst := reflect.ValueOf(into)
	if dst.Kind() != reflect.Pointer || dst.IsNil() || dst.Type().Elem() != s.typ {
		return fmt.Errorf("schema: cannot decode a %s into a %T", s.typ, into)
	}
	tree, err := s.read(raw)
	if err != nil {
		return err
	}
	fresh, err := s.fill(dst.Elem(), tree)
	if err != nil {
		return err
	}
	dst.Elem().Set(fresh)
	return nil
}

// Fill returns raw with the defaults filled in, validated as by [Schema.Decode]:
// members in the schema's order, nulls and spaces gone, whole numbers without a
// fraction. Equal arguments give equal bytes. defaults is a pointer to the
// schema's struct type and is not changed.
func (s *Schema) Fill(raw json.RawMessage, defaults any) (json.RawMessage, error) {
	def := reflect.ValueOf(defaults)
	if def.Kind() != reflect.Pointer || def.IsNil() || def.Type().Elem() != s.typ {
		return nil, fmt.Errorf("schema: the defaults of a %s are a %T", s.typ, defaults)
	}
	tree, err := s.read(raw)
	if err != nil {
		return nil, err
	}
	if _, err := s.fill(def.Elem(), tree); err != nil {
		return nil, err
	}
	return appendJSON(nil, merge(tree, s.shape, s.plan, def.Elem(), false)), nil
}

// read parses and validates raw.
func (s *Schema) read(raw json.RawMessage) (map[string]any, error) {
	text := bytes.TrimSpace(raw)
	if len(text) == 0 || string(text) == "null" {
		text = []byte("{}")
	}
	v, err := parse(text)
	if err != nil {
		return nil, err
	}
	tree, ok := v.(map[string]any)
	if !ok {
		return nil, &ArgsError{Problems: []string{"must be a JSON object, not " + describe(v)}}
	}
	dropNulls(tree, s.plan)
	wholeNumbers(tree, s.shape)
	problems := s.validate(tree)
	if len(problems) > 0 {
		return nil, &ArgsError{Problems: texts(problems)}
	}
	return tree, nil
}

// fill returns a copy of def with a validated tree decoded over it. The copy is
// deep, for Validate too may change what it is given.
func (s *Schema) fill(def reflect.Value, tree map[string]any) (reflect.Value, error) {
	p := reflect.New(s.typ)
	fresh := p.Elem()
	fresh.Set(def)
	cloneFields(fresh, s.shape)
	prepare(fresh, tree, s.shape)
	b, err := marshal(tree)
	if err != nil {
		return fresh, &ArgsError{Problems: []string{err.Error()}}
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(p.Interface()); err != nil {
		return fresh, &ArgsError{Problems: []string{strings.TrimPrefix(err.Error(), "json: ")}}
	}
	if v, ok := p.Interface().(interface{ Validate() error }); ok {
		if err := v.Validate(); err != nil {
			return fresh, &ArgsError{Problems: split(err), Err: err}
		}
	}
	return fresh, nil
}

// split is the texts of joined errors.
func split(err error) []string {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var out []string
		for _, e := range j.Unwrap() {
			out = append(out, split(e)...)
		}
		if len(out) > 0 {
			return out
		}
	}
	return []string{err.Error()}
}

// parse reads one JSON value. Unlike encoding/json it refuses a key that stands
// twice, and numbers too large to work with.
func parse(text []byte) (any, error) {
	bad := func(format string, args ...any) error {
		return &ArgsError{Problems: []string{fmt.Sprintf(format, args...)}}
	}
	if !utf8.Valid(text) {
		return nil, bad("not valid JSON: the text is not UTF-8")
	}
	if err := json.Unmarshal(text, new(json.RawMessage)); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, bad("not valid JSON: %s at byte %d", syntax, syntax.Offset)
		}
		return nil, bad("not valid JSON: %s", err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var problems []string
	v, err := readValue(dec, "", &problems)
	if err != nil {
		return nil, bad("not valid JSON: %s", err)
	}
	if len(problems) > 0 {
		return nil, &ArgsError{Problems: problems}
	}
	return v, nil
}

func readValue(dec *json.Decoder, path string, problems *[]string) (any, error) {
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch tok := tok.(type) {
	case json.Number:
		if !reasonable(tok.String()) {
			*problems = append(*problems, at(path)+"the number is out of range")
		}
		return tok, nil
	case json.Delim:
		if tok == '[' {
			out := []any{}
			for dec.More() {
				v, err := readValue(dec, path+"["+strconv.Itoa(len(out))+"]", problems)
				if err != nil {
					return nil, err
				}
				out = append(out, v)
			}
			_, err := dec.Token()
			return out, err
		}
		out := map[string]any{}
		for dec.More() {
			k, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name, _ := k.(string) // a key is always a string
			v, err := readValue(dec, join(path, name), problems)
			if err != nil {
				return nil, err
			}
			if _, twice := out[name]; twice {
				*problems = append(*problems, at(join(path, name))+"stands twice; give it once")
			}
			out[name] = v
		}
		_, err := dec.Token()
		return out, err
	default:
		return tok, nil
	}
}

var exponent = regexp.MustCompile(`[eE][+-]?0*([0-9]+)$`)

// reasonable reports whether a number can be worked with exactly: validation
// uses rationals, and 1e999999999 as one of them takes a gigabyte.
func reasonable(num string) bool {
	if len(num) > 400 {
		return false
	}
	m := exponent.FindStringSubmatch(num)
	if m != nil && len(m[1]) > 3 {
		return false
	}
	_, err := strconv.ParseFloat(num, 64)
	return err == nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func at(path string) string {
	if path == "" {
		return ""
	}
	return path + ": "
}

func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case json.Number:
		return "the number " + v.String()
	case []any:
		return "a list"
	default:
		return "an object"
	}
}

// dropNulls deletes the null members that stand for "left out".
func dropNulls(v any, p *plan) {
	if p == nil {
		return
	}
	switch v := v.(type) {
	case map[string]any:
		for name, x := range v {
			if x == nil && p.optional[name] {
				delete(v, name)
				continue
			}
			dropNulls(x, p.props[name])
		}
	case []any:
		for _, x := range v {
			dropNulls(x, p.items)
		}
	}
	for _, u := range p.union {
		dropNulls(v, u)
	}
}

// wholeNumbers writes 5.0 and 5e0 as 5 where Go has an integer: JSON Schema
// calls them integers, encoding/json does not.
func wholeNumbers(v any, sh *shape) any {
	switch v := v.(type) {
	case map[string]any:
		if sh.kind == shapeObject {
			for _, f := range sh.fields {
				if x, ok := v[f.name]; ok {
					v[f.name] = wholeNumbers(x, f.shape)
				}
			}
		}
	case []any:
		if sh.kind == shapeArray {
			for i, x := range v {
				v[i] = wholeNumbers(x, sh.elem)
			}
		}
	case json.Number:
		if sh.kind == shapeInt && strings.ContainsAny(v.String(), ".eE") {
			if r, ok := new(big.Rat).SetString(v.String()); ok && r.IsInt() {
				return json.Number(r.Num().String())
			}
		}
	}
	return v
}

// problem is one problem of a reply.
type problem struct{ path, text string }

func texts(ps []problem) []string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = at(p.path) + p.text
	}
	return out
}

// validate checks a tree against the lenient schema, and then what a schema
// cannot say of Go types. The problems are sorted by path.
func (s *Schema) validate(tree map[string]any) []problem {
	var ps []problem
	var verr *validator.ValidationError
	if err := s.validator.Validate(tree); errors.As(err, &verr) {
		ps = s.leaves(verr, tree, ps)
	} else if err != nil {
		ps = append(ps, problem{"", err.Error()})
	}
	schema := ps
	goProblems(tree, s.shape, "", func(path, text string) {
		if !slices.ContainsFunc(schema, func(q problem) bool { return q.path == path }) {
			ps = append(ps, problem{path, text})
		}
	})
	sort.SliceStable(ps, func(i, j int) bool {
		if ps[i].path != ps[j].path {
			return ps[i].path < ps[j].path
		}
		return ps[i].text < ps[j].text
	})
	return slices.Compact(ps)
}

// leaves are the problems that a validation error is made of.
func (s *Schema) leaves(e *validator.ValidationError, tree any, ps []problem) []problem {
	path := pathOf(tree, e.InstanceLocation)
	add := func(format string, args ...any) { ps = append(ps, problem{path, fmt.Sprintf(format, args...)}) }
	switch k := e.ErrorKind.(type) {
	case *kind.AnyOf:
		var forms []string
		for _, c := range e.Causes {
			var one []string
			for _, p := range s.leaves(c, tree, nil) {
				one = append(one, strings.TrimPrefix(at(p.path), at(path))+p.text)
			}
			forms = append(forms, strings.Join(one, " and "))
		}
		add("none of the allowed forms: %s", strings.Join(forms, ", or "))
	case *kind.Required:
		for _, m := range k.Missing {
			ps = append(ps, problem{join(path, m), isRequired})
		}
	case *kind.AdditionalProperties:
		names := s.plan.at(tree, e.InstanceLocation)
		for _, name := range k.Properties {
			hint := "the fields are " + strings.Join(names, ", ")
			if len(names) == 0 {
				hint = "there are no fields here"
			}
			if near := nearest(name, names); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			ps = append(ps, problem{join(path, name), "there is no such field; " + hint})
		}
	case *kind.Type:
		want := make([]string, len(k.Want))
		for i, w := range k.Want {
			want[i] = article(w)
		}
		add("must be %s, not %s", strings.Join(want, " or "), article(k.Got))
	case *kind.Enum:
		want := make([]string, len(k.Want))
		for i, w := range k.Want {
			b, _ := marshal(w) // came from JSON
			want[i] = string(b)
		}
		b, _ := marshal(k.Got)
		add("must be one of %s, not %s", strings.Join(want, ", "), short(string(b)))
	case *kind.Minimum:
		add("must be at least %s, not %s", rat(k.Want), rat(k.Got))
	case *kind.Maximum:
		add("must be at most %s, not %s", rat(k.Want), rat(k.Got))
	case *kind.ExclusiveMinimum:
		add("must be more than %s, not %s", rat(k.Want), rat(k.Got))
	case *kind.ExclusiveMaximum:
		add("must be less than %s, not %s", rat(k.Want), rat(k.Got))
	case *kind.MultipleOf:
		add("must be a multiple of %s, not %s", rat(k.Want), rat(k.Got))
	case *kind.MinLength:
		add("must have at least %s, not %d", counted(k.Want, "character"), k.Got)
	case *kind.MaxLength:
		add("must have at most %s, not %d", counted(k.Want, "character"), k.Got)
	case *kind.MinItems:
		add("must have at least %s, not %d", counted(k.Want, "item"), k.Got)
	case *kind.MaxItems:
		add("must have at most %s, not %d", counted(k.Want, "item"), k.Got)
	case *kind.UniqueItems:
		add("items %d and %d are equal; give each once", k.Duplicates[0], k.Duplicates[1])
	case *kind.Format:
		b, _ := marshal(k.Got)
		add("%s is no valid %s", short(string(b)), k.Want)
	case *kind.Pattern:
		b, _ := marshal(k.Got)
		add("%s does not match the pattern %s", short(string(b)), k.Want)
	default:
		if len(e.Causes) == 0 {
			add("%s", e.ErrorKind.LocalizedString(message.NewPrinter(language.English)))
		}
		for _, c := range e.Causes {
			ps = s.leaves(c, tree, ps)
		}
	}
	return ps
}

const isRequired = "is required"

func article(jsonType string) string {
	switch jsonType {
	case "null":
		return "null"
	case "object", "integer":
		return "an " + jsonType
	case "array":
		return "a list"
	default:
		return "a " + jsonType
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// rat writes a bound the short way.
func rat(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	f, _ := r.Float64()
	return strconv.FormatFloat(f, 'g', -1, 64)
}

// short cuts a quoted value that would drown the message.
func short(s string) string {
	const most = 80
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "..."
}

// pathOf writes a location as items[2].start.
func pathOf(tree any, loc []string) string {
	path := ""
	for _, step := range loc {
		switch v := tree.(type) {
		case []any:
			path += "[" + step + "]"
			if i, err := strconv.Atoi(step); err == nil && i < len(v) {
				tree = v[i]
			}
		case map[string]any:
			path = join(path, step)
			tree = v[step]
		}
	}
	return path
}

// at is the names of the properties at a location.
func (p *plan) at(tree any, loc []string) []string {
	for _, step := range loc {
		if p == nil {
			return nil
		}
		switch v := tree.(type) {
		case []any:
			p = p.items
			if i, err := strconv.Atoi(step); err == nil && i < len(v) {
				tree = v[i]
			}
		case map[string]any:
			p = p.props[step]
			tree = v[step]
		}
	}
	if p == nil {
		return nil
	}
	names := p.order
	for _, u := range p.union {
		names = append(slices.Clone(names), u.order...)
	}
	return names
}

// goProblems reports values that a Go type cannot hold.
func goProblems(v any, sh *shape, path string, add func(path, text string)) {
	switch v := v.(type) {
	case map[string]any:
		if sh.kind == shapeObject {
			for _, f := range sh.fields {
				if x, ok := v[f.name]; ok {
					goProblems(x, f.shape, join(path, f.name), add)
				}
			}
		}
	case []any:
		if sh.kind == shapeArray {
			for i, x := range v {
				goProblems(x, sh.elem, fmt.Sprintf("%s[%d]", path, i), add)
			}
		}
	case json.Number:
		zero := reflect.Zero(sh.typ)
		switch {
		case sh.kind == shapeInt && zero.CanInt():
			if i, err := strconv.ParseInt(v.String(), 10, 64); err != nil || zero.OverflowInt(i) {
				add(path, fmt.Sprintf("%s does not fit; give a smaller whole number", v))
			}
		case sh.kind == shapeInt && zero.CanUint():
			if u, err := strconv.ParseUint(v.String(), 10, 64); err != nil || zero.OverflowUint(u) {
				add(path, fmt.Sprintf("%s does not fit; give a smaller whole number", v))
			}
		case sh.kind == shapeNumber:
			if f, err := strconv.ParseFloat(v.String(), 64); err != nil || zero.OverflowFloat(f) {
				add(path, fmt.Sprintf("%s does not fit; give a smaller number", v))
			}
		}
	case string:
		switch sh.kind {
		case shapeBytes:
			if _, err := base64.StdEncoding.DecodeString(v); err != nil {
				add(path, "is not base64")
			}
		case shapeText:
			u := reflect.New(sh.typ).Interface().(encoding.TextUnmarshaler) // checked by the walk
			if err := u.UnmarshalText([]byte(v)); err != nil {
				add(path, fmt.Sprintf("%s: %s", short(quoteText(v)), err))
			}
		case shapeTime:
			u := reflect.New(sh.typ).Interface().(encoding.TextUnmarshaler)
			if err := u.UnmarshalText([]byte(v)); err != nil {
				add(path, fmt.Sprintf("%s is no valid date-time", short(quoteText(v))))
			}
		}
	}
}

func quoteText(s string) string { return string(appendString(nil, s)) }
