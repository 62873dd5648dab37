package schema

import (
	"fmt"
	"math/big"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The struct tags that are read here. A key close to one of them is taken for
// a slip of the pen.
var tagKeys = []string{"json", "jsonschema", "jsonschema_description"}

// formats are the string formats that both the strict subset and the validator
// know.
var strictFormats = []string{"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"}

// looseFormats are known to the validator only; the strict schema names them in
// the description.
var looseFormats = []string{"uri", "uri-reference", "uri-template", "iri", "iri-reference", "json-pointer", "relative-json-pointer", "regex", "period", "semver"}

var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$`)

// fieldTag is what the tags of one struct field say.
type fieldTag struct {
	name     string // in JSON
	skip     bool
	named    bool // the name is given, not the field's
	omit     bool // omitempty or omitzero
	required bool
	nullable bool
}

// splitTag splits a struct tag into its key:"value" pairs, and reports whether
// it has the conventional form.
func splitTag(tag reflect.StructTag) (pairs [][2]string, ok bool) {
	s := string(tag)
	for {
		s = strings.TrimLeft(s, " ")
		if s == "" {
			return pairs, true
		}
		key, rest, found := strings.Cut(s, ":")
		if !found || key == "" || strings.ContainsAny(key, " \"\t") || !strings.HasPrefix(rest, `"`) {
			return pairs, false
		}
		end := 1
		for end < len(rest) && rest[end] != '"' {
			if rest[end] == '\\' {
				end++
			}
			end++
		}
		if end >= len(rest) {
			return pairs, false
		}
		value, err := strconv.Unquote(rest[:end+1])
		if err != nil {
			return pairs, false
		}
		pairs = append(pairs, [2]string{key, value})
		s = rest[end+1:]
		if s != "" && s[0] != ' ' {
			return pairs, false
		}
	}
}

// splitComma splits on the commas that no backslash stands before.
func splitComma(s string) []string {
	var parts []string
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == ',':
			b.WriteByte(',')
			i++
		case s[i] == ',':
			parts = append(parts, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	return append(parts, b.String())
}

// readTag reads the tags of f that do not depend on its type.
func (w *walk) readTag(f reflect.StructField, path string) fieldTag {
	t := fieldTag{name: f.Name}
	pairs, ok := splitTag(f.Tag)
	if !ok {
		w.add(path, "the struct tag is malformed and would be ignored", `write it as json:"name" jsonschema:"minimum=1" jsonschema_description:"free text"`)
		return t
	}
	seen := map[string]bool{}
	for _, p := range pairs {
		key := p[0]
		if slices.Contains(tagKeys, key) {
			if seen[key] {
				w.add(path, fmt.Sprintf("the tag %q stands twice", key), "keep one")
			}
			seen[key] = true
			continue
		}
		if near := nearest(key, tagKeys); near != "" || strings.HasPrefix(strings.ToLower(key), "jsonschema") {
			hint := "remove it"
			if near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			w.add(path, fmt.Sprintf("unknown tag %q", key), hint)
		}
	}
	opts := strings.Split(f.Tag.Get("json"), ",")
	if f.Tag.Get("json") == "-" || strings.Split(f.Tag.Get("jsonschema"), ",")[0] == "-" {
		t.skip = true
		return t
	}
	if opts[0] != "" {
		t.name, t.named = opts[0], true
	}
	for _, o := range opts[1:] {
		switch o {
		case "omitempty", "omitzero":
			t.omit = true
		case "string":
			w.add(path, "the json option \",string\" makes a number of text that often does not parse", "drop the option")
		case "":
		default:
			hint := "the options are omitempty and omitzero"
			if near := nearest(o, []string{"omitempty", "omitzero"}); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			w.add(path, fmt.Sprintf("unknown json option %q", o), hint)
		}
	}
	if t.name == "-" || strings.IndexFunc(t.name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.", r)
	}) >= 0 {
		w.add(path, fmt.Sprintf("%q is no property name", t.name), "use letters, digits, _ - and .")
	}
	for _, kw := range splitComma(f.Tag.Get("jsonschema")) {
		switch kw {
		case "required":
			t.required = true
		case "nullable":
			t.nullable = true
		}
	}
	if t.required && t.nullable {
		w.add(path, "required and nullable contradict each other", "keep one")
	}
	return t
}

// The keywords of the jsonschema tag by the kind of what they bound.
var (
	stringKeywords = []string{"minLength", "maxLength", "pattern", "format", "enum", "example"}
	numberKeywords = []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "enum", "example"}
	arrayKeywords  = []string{"minItems", "maxItems", "uniqueItems"}
	anyKeywords    = []string{"required", "nullable", "description", "title"}
)

// repeats are the keywords that may stand more than once.
var repeats = []string{"enum", "example"}

// checkKeywords checks the jsonschema tag of a field of shape sh: a keyword that
// is misspelt, that does not fit the type or that has an impossible value would
// silently vanish.
func (w *walk) checkKeywords(tag reflect.StructTag, sh *shape, path string) {
	text, ok := tag.Lookup("jsonschema")
	if !ok || text == "" {
		return
	}
	allowed := slices.Clone(anyKeywords)
	target := sh // what the string and number keywords bound
	switch sh.kind {
	case shapeArray:
		if sh.typ.Kind() == reflect.Slice {
			allowed = append(allowed, arrayKeywords...)
		}
		target = sh.elem
	}
	if target != nil {
		switch target.kind {
		case shapeString, shapeText:
			allowed = append(allowed, stringKeywords...)
		case shapeTime:
			allowed = append(allowed, "example")
		case shapeInt, shapeNumber:
			allowed = append(allowed, numberKeywords...)
		}
	}
	var known []string
	known = append(known, stringKeywords...)
	known = append(known, numberKeywords...)
	known = append(known, arrayKeywords...)
	known = append(known, anyKeywords...)

	got := map[string]string{}
	enum := map[string]bool{}
	for _, kw := range splitComma(text) {
		key, value, hasValue := strings.Cut(kw, "=")
		switch {
		case key == "default":
			w.add(path, "a default in a tag is described but never applied", "give the default as the value of the field, and make the field optional (omitempty)")
			continue
		case !slices.Contains(known, key):
			hint := "the keywords here are " + strings.Join(allowed, ", ")
			if near := nearest(strings.TrimSpace(key), allowed); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			} else if !hasValue {
				hint = `text with a comma goes into jsonschema_description:"..."; a comma in a value is written \\,`
			}
			w.add(path, fmt.Sprintf("unknown keyword %q in the jsonschema tag", key), hint)
			continue
		case !slices.Contains(allowed, key):
			w.add(path, fmt.Sprintf("keyword %q does not apply to %s", key, sh.typ), "the keywords here are "+strings.Join(allowed, ", "))
			continue
		case key == "required" || key == "nullable":
			if hasValue {
				w.add(path, fmt.Sprintf("keyword %q takes no value", key), "drop the value")
			}
			continue
		case !hasValue || value == "":
			w.add(path, fmt.Sprintf("keyword %q has no value", key), "write "+key+"=value")
			continue
		}
		if _, twice := got[key]; twice && !slices.Contains(repeats, key) {
			w.add(path, fmt.Sprintf("keyword %q stands twice", key), "keep one")
			continue
		}
		got[key] = value
		if problem := keywordValue(key, value, target); problem != "" {
			w.add(path, fmt.Sprintf("%s=%s: %s", key, value, problem), "correct the value")
			delete(got, key)
			continue
		}
		if key == "enum" {
			if enum[value] {
				w.add(path, fmt.Sprintf("enum=%s stands twice", value), "keep one")
			}
			enum[value] = true
		}
	}
	for _, pair := range [][2]string{
		{"minLength", "maxLength"},
		{"minItems", "maxItems"},
		{"minimum", "maximum"},
		{"exclusiveMinimum", "maximum"},
		{"minimum", "exclusiveMaximum"},
		{"exclusiveMinimum", "exclusiveMaximum"},
	} {
		lo, okLo := new(big.Rat).SetString(got[pair[0]])
		hi, okHi := new(big.Rat).SetString(got[pair[1]])
		if !okLo || !okHi {
			continue
		}
		strictly := strings.HasPrefix(pair[0], "excl") || strings.HasPrefix(pair[1], "excl")
		if c := lo.Cmp(hi); c > 0 || c == 0 && strictly {
			w.add(path, fmt.Sprintf("no value is allowed by %s=%s, %s=%s", pair[0], got[pair[0]], pair[1], got[pair[1]]), "correct the bounds")
		}
	}
}

// keywordValue says what is wrong with the value of a keyword; "" is nothing.
func keywordValue(key, value string, target *shape) string {
	switch key {
	case "minLength", "maxLength", "minItems", "maxItems":
		if _, err := strconv.ParseUint(value, 10, 31); err != nil {
			return "not a count"
		}
	case "uniqueItems":
		if value != "true" {
			return "only true has a meaning"
		}
	case "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf":
		if !jsonNumber.MatchString(value) {
			return "not a number"
		}
		if key == "multipleOf" {
			if r, _ := new(big.Rat).SetString(value); r.Sign() <= 0 {
				return "not above zero"
			}
		}
	case "pattern":
		if _, err := regexp.Compile(value); err != nil {
			return "not a regular expression of the RE2 kind"
		}
	case "format":
		if !slices.Contains(strictFormats, value) && !slices.Contains(looseFormats, value) {
			return "unknown format; known are " + strings.Join(strictFormats, ", ") + ", " + strings.Join(looseFormats, ", ")
		}
	case "enum", "example":
		switch target.kind {
		case shapeInt:
			if _, err := strconv.ParseInt(value, 10, 64); err != nil {
				return "not a whole number"
			}
		case shapeNumber:
			if !jsonNumber.MatchString(value) {
				return "not a number"
			}
		}
	}
	return ""
}

// nearest returns the candidate that s is a misspelling of, or "".
func nearest(s string, candidates []string) string {
	best, at := "", 3
	for _, c := range candidates {
		if s == c || len(c) < 4 && !strings.EqualFold(s, c) {
			continue
		}
		if d := distance(strings.ToLower(s), strings.ToLower(c)); d < at && d*3 <= len(c) {
			best, at = c, d
		}
	}
	return best
}

// distance is the Levenshtein distance in bytes, in which two neighbours that
// changed places count once.
func distance(a, b string) int {
	before, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j-1]+cost, prev[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, prev, row = prev, row, before
	}
	return prev[len(b)]
}
