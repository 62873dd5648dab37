package python

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"golang.org/x/text/language"
	textmessage "golang.org/x/text/message"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/loose"
)

// The limits of a schema and of a reply to it. Together they bound the work of
// checking one against the other.
const (
	maxSchema      = 256 << 10 // bytes
	maxSchemaDepth = 64
	maxSchemaNodes = 4000    // schemas within schemas, each counted wherever it is referred to
	maxReplyValues = 50000   // of a JSON reply
	maxMending     = 1 << 18 // looks at a value in mending a reply
	maxProblems    = 10      // that a model is told of
)

// replyForm is what the text of a reply must be. read returns the text as it
// should be, whether it is another one than the model's own JSON, and what is
// wrong with it, in words that the model can repair it by.
type replyForm interface {
	read(text string) (out string, mended bool, problems []string)
}

// anyJSON is the form of a reply that must be a JSON object or list.
type anyJSON struct{}

func (anyJSON) read(text string) (string, bool, []string) {
	raw, mended, v, problem := readJSON(text)
	if problem == "" {
		switch v.(type) {
		case map[string]any, []any:
		default:
			problem = noJSON
		}
	}
	if problem != "" {
		return "", false, []string{problem}
	}
	return string(raw), mended, nil
}

const noJSON = "It holds no whole JSON object or list."

// readJSON finds the JSON of a reply. It reports whether the value had to be
// rewritten, or what is wrong.
func readJSON(text string) (raw json.RawMessage, mended bool, v any, problem string) {
	raw, err := llm.ParseJSON(text)
	if err != nil {
		if raw, mended = looseJSON(text); !mended {
			return nil, false, nil, noJSON
		}
	}
	if v, err = decodeJSON(raw); err != nil {
		return nil, false, nil, noJSON
	}
	left := maxReplyValues
	if problem := insane(v, &left); problem != "" {
		return nil, false, nil, problem
	}
	if bytes.Contains(bytes.ToLower(raw), []byte(`\ud`)) {
		// Half of a pair of surrogates is valid JSON and has no UTF-8.
		raw = encode(v)
	} else {
		raw = compact(raw)
	}
	return raw, mended, v, ""
}

// looseJSON reads what Python writes: NaN, and literals in single quotes.
func looseJSON(text string) (json.RawMessage, bool) {
	if raw, err := llm.ParseJSON(string(loose.Finite([]byte(text)))); err == nil {
		return raw, true
	}
	from, to := strings.IndexAny(text, "{["), strings.LastIndexAny(text, "}]")
	if from < 0 || to < from {
		return nil, false
	}
	raw, err := loose.Python(text[from : to+1])
	return raw, err == nil
}

func decodeJSON(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	err := dec.Decode(&v)
	return v, err
}

func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw
	}
	return b.Bytes()
}

var largeExponent = regexp.MustCompile(`[eE][+-]?0*[0-9]{4,}$`)

// insane says why a value is too much to work with: validation uses exact
// rationals, and 1e999999999 as one of them takes a gigabyte. left is how many
// values may still come.
func insane(v any, left *int) string {
	if *left--; *left < 0 {
		return fmt.Sprintf("It holds more than %d values.", maxReplyValues)
	}
	switch v := v.(type) {
	case json.Number:
		if _, err := strconv.ParseFloat(v.String(), 64); err != nil || len(v) > 400 || largeExponent.MatchString(v.String()) {
			return fmt.Sprintf("The number %.20s is out of range.", v)
		}
	case []any:
		for _, x := range v {
			if problem := insane(x, left); problem != "" {
				return problem
			}
		}
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if problem := insane(v[k], left); problem != "" {
				return problem
			}
		}
	}
	return ""
}

// replySchema is a JSON Schema that a reply must follow. It comes from a
// framework and is not trusted: it is small, refers to nothing but its own
// definitions, and never to itself. It is safe for concurrent use.
type replySchema struct {
	text  json.RawMessage // compact
	title string

	root      map[string]any
	validator *jsonschema.Schema
}

// compileSchema reads a schema.
func compileSchema(raw json.RawMessage) (*replySchema, error) {
	switch {
	case !given(raw):
		return nil, errors.New("the schema is missing")
	case len(raw) > maxSchema:
		return nil, fmt.Errorf("the schema has more than %d bytes", maxSchema)
	}
	v, err := decodeJSON(raw)
	if err != nil {
		return nil, fmt.Errorf("the schema is no JSON: %w", err)
	}
	root, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("the schema is no JSON object")
	}
	left := maxSchema
	if problem := insane(v, &left); problem != "" {
		return nil, errors.New("the schema: " + problem)
	}
	s := &replySchema{text: compact(raw), root: root}
	s.title, _ = root["title"].(string)
	w := weigher{s: s, known: map[string]int{}}
	n, err := w.weigh(root, 0)
	if err != nil {
		return nil, err
	}
	if n > maxSchemaNodes {
		return nil, fmt.Errorf("the schema has more than %d parts, definitions counted wherever they are used", maxSchemaNodes)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.AssertFormat()
	if err := c.AddResource(schemaURL, root); err != nil {
		return nil, fmt.Errorf("the schema cannot be used: %w", err)
	}
	if s.validator, err = c.Compile(schemaURL); err != nil {
		return nil, fmt.Errorf("the schema cannot be used: %w", err)
	}
	return s, nil
}

// schemaCache keeps schemas, for a framework has few and sends one with every
// request. The zero value is ready. It is safe for concurrent use.
type schemaCache struct {
	mu    sync.Mutex
	known map[string]*replySchema
}

func (c *schemaCache) compile(raw json.RawMessage) (*replySchema, error) {
	const most = 64
	c.mu.Lock()
	s := c.known[string(raw)]
	c.mu.Unlock()
	if s != nil {
		return s, nil
	}
	s, err := compileSchema(raw)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || len(c.known) >= most {
		c.known = map[string]*replySchema{}
	}
	c.known[string(raw)] = s
	return s, nil
}

const schemaURL = "mem:reply"

// noLoader loads nothing.
type noLoader struct{}

// Load implements jsonschema.URLLoader.
func (noLoader) Load(string) (any, error) {
	return nil, errors.New("a schema may refer to its own definitions only")
}

// weigher counts the parts of a schema, each wherever it is used, and refuses
// what leads out of it or in a circle.
type weigher struct {
	s     *replySchema
	known map[string]int // by reference; -1 while it is being counted
}

// The keywords of a schema that hold a schema, a list of them, or an object of
// them.
var (
	oneSchema    = []string{"additionalItems", "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties"}
	listOfThem   = []string{"allOf", "anyOf", "items", "oneOf", "prefixItems"}
	objectOfThem = []string{"dependencies", "dependentSchemas", "patternProperties", "properties"}
	definitions  = []string{"$defs", "definitions"}
	leadsOut     = []string{"$anchor", "$dynamicAnchor", "$dynamicRef", "$id", "$recursiveAnchor", "$recursiveRef", "$vocabulary"}
)

func (w *weigher) weigh(v any, depth int) (int, error) {
	node, ok := v.(map[string]any)
	if !ok {
		return 1, nil
	}
	if depth > maxSchemaDepth {
		return 0, fmt.Errorf("the schema is nested deeper than %d", maxSchemaDepth)
	}
	n := 1
	add := func(v any) error {
		m, err := w.weigh(v, depth+1)
		n = min(n+m, maxSchemaNodes+1)
		return err
	}
	for _, k := range leadsOut {
		if _, ok := node[k]; ok {
			return 0, fmt.Errorf("the schema holds %s; it may refer to its own definitions only", k)
		}
	}
	for _, k := range oneSchema {
		if err := add(node[k]); err != nil {
			return 0, err
		}
	}
	for _, k := range listOfThem {
		list, _ := node[k].([]any)
		for _, x := range list {
			if err := add(x); err != nil {
				return 0, err
			}
		}
	}
	for _, k := range objectOfThem {
		object, _ := node[k].(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(object)) {
			if err := add(object[name]); err != nil {
				return 0, err
			}
		}
	}
	if depth > 0 {
		for _, k := range definitions {
			if _, ok := node[k]; ok {
				return 0, fmt.Errorf("the schema holds %s below its root", k)
			}
		}
	} else {
		for _, k := range definitions {
			object, _ := node[k].(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(object)) {
				if _, err := w.weigh(object[name], 1); err != nil { // used or not
					return 0, err
				}
			}
		}
	}
	if ref, ok := node["$ref"]; ok {
		m, err := w.refer(ref)
		if err != nil {
			return 0, err
		}
		n = min(n+m, maxSchemaNodes+1)
	}
	return n, nil
}

func (w *weigher) refer(ref any) (int, error) {
	target, ok := w.s.lookUp(ref)
	if !ok {
		return 0, fmt.Errorf("the schema refers to %.80q; it may refer to its own definitions only", fmt.Sprint(ref))
	}
	name, _ := ref.(string)
	switch n, seen := w.known[name]; {
	case seen && n < 0:
		return 0, fmt.Errorf("the schema's definition %.80q refers to itself", name)
	case seen:
		return n, nil
	}
	w.known[name] = -1
	n, err := w.weigh(target, 1)
	w.known[name] = n
	return n, err
}

// lookUp returns the definition that a reference names.
func (s *replySchema) lookUp(ref any) (any, bool) {
	text, _ := ref.(string)
	for _, k := range definitions {
		name, ok := strings.CutPrefix(text, "#/"+k+"/")
		if !ok || strings.Contains(name, "/") {
			continue
		}
		name, err := url.PathUnescape(name)
		if err != nil {
			return nil, false
		}
		defs, _ := s.root[k].(map[string]any)
		target, ok := defs[strings.NewReplacer("~1", "/", "~0", "~").Replace(name)]
		return target, ok
	}
	return nil, false
}

func (s *replySchema) read(text string) (string, bool, []string) {
	raw, mended, v, problem := readJSON(text)
	if problem != "" {
		return "", false, []string{problem}
	}
	err := s.validator.Validate(v)
	if err == nil {
		return string(raw), mended, nil
	}
	if better := s.mend(v); s.validator.Validate(better) == nil {
		return string(encode(better)), true, nil
	}
	return "", false, problemsOf(err)
}

// problemsOf are the problems of a value, the first of many.
func problemsOf(err error) []string {
	var failed *jsonschema.ValidationError
	if !errors.As(err, &failed) {
		return []string{err.Error()}
	}
	var out []string
	english := textmessage.NewPrinter(language.English)
	var walk func(e *jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		path := strings.Join(e.InstanceLocation, ".")
		if path != "" {
			path += ": "
		}
		switch e.ErrorKind.(type) {
		case *kind.AnyOf, *kind.OneOf:
			var forms []string
			for _, c := range e.Causes {
				forms = append(forms, strings.Join(problemsOf(c), " and "))
			}
			out = append(out, path+"fits none of the allowed forms ("+strings.Join(forms, ", or ")+")")
			return
		}
		if len(e.Causes) == 0 {
			out = append(out, path+e.ErrorKind.LocalizedString(english))
		}
		for _, c := range e.Causes {
			walk(c)
		}
	}
	walk(failed)
	slices.Sort(out)
	out = slices.Compact(out)
	out = out[:min(len(out), maxProblems)]
	for i, line := range out {
		if r := []rune(line); len(r) > 300 {
			out[i] = string(r[:300]) + "…"
		}
	}
	return out
}

// mend returns v, changed where it does not fit the schema and there is one way
// only in which it can be meant. What it returns may still not fit.
func (s *replySchema) mend(v any) any {
	m := mender{schema: s, left: maxMending}
	return m.mend(v, s.root)
}

// mender mends one reply. Wrappers that are missing or too many are looked for at
// every level, which only a bound keeps from growing with a power of the depth.
type mender struct {
	schema *replySchema
	left   int // looks at a value
}

// mend returns v as a part of the schema would have it.
func (m *mender) mend(v, schema any) any {
	node, ok := schema.(map[string]any)
	if m.left--; !ok || m.left < 0 {
		return v
	}
	if target, ok := m.schema.lookUp(node["$ref"]); ok {
		v = m.mend(v, target)
	}
	if all, ok := node["allOf"].([]any); ok {
		for _, sub := range all {
			v = m.mend(v, sub)
		}
	}
	for _, k := range []string{"anyOf", "oneOf"} {
		if branches, ok := node[k].([]any); ok {
			v = m.mendBranch(v, branches)
		}
	}
	if types := typesOf(node); len(types) > 0 && !isOneOf(v, types) {
		if types = slices.DeleteFunc(types, func(t string) bool { return t == "null" }); len(types) == 1 {
			v = m.convert(v, types[0], node)
		}
	}
	switch x := v.(type) {
	case string:
		return mendEnum(x, node)
	case map[string]any:
		return m.mendObject(x, node)
	case []any:
		items, ok := node["items"].(map[string]any)
		if !ok {
			return v
		}
		out := make([]any, len(x))
		for i := range x {
			out[i] = m.mend(x[i], items)
		}
		return out
	}
	return v
}

// mendBranch mends v for the one of several schemas that it can be meant for.
func (m *mender) mendBranch(v any, branches []any) any {
	at := -1
	for i, b := range branches {
		if m.accepts(v, b) {
			if at >= 0 {
				return v
			}
			at = i
		}
	}
	if at >= 0 {
		return m.mend(v, branches[at])
	}
	var found any
	for _, b := range branches {
		c := m.mend(v, b)
		if !m.accepts(c, b) {
			continue
		}
		if found != nil {
			return v
		}
		found = c
	}
	if found == nil {
		return v
	}
	return found
}

// accepts reports whether v has the type that a schema asks for, with the
// members that it requires.
func (m *mender) accepts(v, schema any) bool {
	node, ok := schema.(map[string]any)
	if !ok {
		return schema != false
	}
	if m.left--; m.left < 0 {
		return false
	}
	if target, ok := m.schema.lookUp(node["$ref"]); ok && !m.accepts(v, target) {
		return false
	}
	if all, ok := node["allOf"].([]any); ok && slices.ContainsFunc(all, func(b any) bool { return !m.accepts(v, b) }) {
		return false
	}
	for _, k := range []string{"anyOf", "oneOf"} {
		if branches, ok := node[k].([]any); ok && !slices.ContainsFunc(branches, func(b any) bool { return m.accepts(v, b) }) {
			return false
		}
	}
	if types := typesOf(node); len(types) > 0 && !isOneOf(v, types) {
		return false
	}
	switch v := v.(type) {
	case map[string]any:
		return len(missing(v, node)) == 0
	case string:
		enum, ok := node["enum"].([]any)
		return !ok || slices.Contains(enum, any(v))
	}
	return true
}

// typesOf are the JSON types that a schema names, or that its keywords are for.
func typesOf(node map[string]any) []string {
	switch t := node["type"].(type) {
	case string:
		return []string{t}
	case []any:
		var out []string
		for _, x := range t {
			if name, ok := x.(string); ok {
				out = append(out, name)
			}
		}
		return out
	}
	if _, ok := node["properties"]; ok {
		return []string{"object"}
	}
	return nil
}

func isOneOf(v any, types []string) bool {
	for _, t := range types {
		switch x := v.(type) {
		case nil:
			if t == "null" {
				return true
			}
		case bool:
			if t == "boolean" {
				return true
			}
		case string:
			if t == "string" {
				return true
			}
		case json.Number:
			if t == "number" || t == "integer" && isWhole(x) {
				return true
			}
		case []any:
			if t == "array" {
				return true
			}
		case map[string]any:
			if t == "object" {
				return true
			}
		}
	}
	return false
}

func isWhole(n json.Number) bool {
	r, ok := new(big.Rat).SetString(n.String())
	return ok && r.IsInt()
}

// convert returns v as the type, if it can be meant for it.
func (m *mender) convert(v any, to string, node map[string]any) any {
	text, isText := v.(string)
	trimmed := strings.TrimSpace(text)
	list, isList := v.([]any)
	if isText && (to == "array" || to == "object") && trimmed != "" && strings.ContainsRune("[{", rune(trimmed[0])) {
		left := maxReplyValues
		if inner, err := decodeJSON([]byte(trimmed)); err == nil && json.Valid([]byte(trimmed)) && insane(inner, &left) == "" {
			if isOneOf(inner, []string{to}) {
				return inner
			}
			return m.convert(inner, to, node)
		}
	}
	if isList && len(list) == 1 && to != "array" {
		// Once only: lists may stand in one another.
		if x := m.mend(list[0], node); isOneOf(x, []string{to}) {
			return x
		}
	}
	switch to {
	case "integer", "number":
		if isText && json.Valid([]byte(trimmed)) {
			n := json.Number(trimmed)
			left := 1
			if isOneOf(decoded(trimmed), []string{to}) && insane(n, &left) == "" {
				return n
			}
		}
	case "boolean":
		switch strings.ToLower(trimmed) {
		case "true", "yes", "да":
			return true
		case "false", "no", "нет":
			return false
		}
	case "string":
		if n, ok := v.(json.Number); ok {
			return n.String()
		}
	case "array":
		return m.listed(v, node)
	case "object":
		if name, ok := soleProperty(node); ok && v != nil {
			props, _ := node["properties"].(map[string]any)
			if x := m.mend(v, props[name]); m.accepts(x, props[name]) {
				return map[string]any{name: x}
			}
		}
	}
	return v
}

// decoded is the JSON value of a text, nil for none.
func decoded(text string) any {
	v, err := decodeJSON([]byte(text))
	if err != nil {
		return nil
	}
	return v
}

// listed returns the list that v stands for: the one in an object of one member,
// or that with v as its only item.
func (m *mender) listed(v any, node map[string]any) any {
	items, ok := node["items"]
	if !ok {
		return v
	}
	if object, ok := v.(map[string]any); ok && len(object) == 1 {
		for _, x := range object {
			if list, ok := x.([]any); ok {
				return list
			}
		}
	}
	if text, ok := v.(string); ok && (strings.ContainsAny(text, "\n,;") || strings.TrimSpace(text) == "") {
		return v // an enumeration, perhaps, or nothing
	}
	if x := m.mend(v, items); v != nil && m.accepts(x, items) {
		return []any{x}
	}
	return v
}

// mendEnum returns the allowed value that differs from text in case and space
// only.
func mendEnum(text string, node map[string]any) string {
	enum, ok := node["enum"].([]any)
	if !ok || slices.Contains(enum, any(text)) {
		return text
	}
	found := ""
	for _, x := range enum {
		if s, ok := x.(string); ok && strings.EqualFold(strings.TrimSpace(s), strings.TrimSpace(text)) {
			if found != "" {
				return text
			}
			found = s
		}
	}
	if found == "" {
		return text
	}
	return found
}

// missing are the required members that an object lacks, sorted.
func missing(v, node map[string]any) []string {
	required, _ := node["required"].([]any)
	var out []string
	for _, r := range required {
		if name, ok := r.(string); ok {
			if _, has := v[name]; !has {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// soleProperty is the name of the one property of a schema.
func soleProperty(node map[string]any) (string, bool) {
	props, _ := node["properties"].(map[string]any)
	if len(props) != 1 {
		return "", false
	}
	for name := range props {
		return name, true
	}
	return "", false
}

func (m *mender) mendObject(v, node map[string]any) map[string]any {
	v = maps.Clone(v)
	props, ok := node["properties"].(map[string]any)
	if !ok {
		for name, x := range v { // a mapping
			v[name] = m.mend(x, node["additionalProperties"])
		}
		return v
	}
	rename(v, node, props)
	if len(missing(v, node)) > 0 {
		v = m.unwrapped(v, node, props)
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		x := v[name]
		prop, known := props[name]
		if !known {
			if node["additionalProperties"] == false {
				delete(v, name)
			}
			continue
		}
		v[name] = m.mend(x, prop)
		if x == nil && !m.accepts(nil, prop) && !requires(node, name) {
			delete(v, name)
		}
	}
	return v
}

func requires(node map[string]any, name string) bool {
	required, _ := node["required"].([]any)
	return slices.Contains(required, any(name))
}

// rename gives required members the names that they have but for case, spaces
// and marks.
func rename(v, node, props map[string]any) {
	for _, name := range missing(v, node) {
		var found []string
		for k := range v {
			if _, known := props[k]; !known && folded(k) == folded(name) {
				found = append(found, k)
			}
		}
		if len(found) == 1 && folded(name) != "" {
			v[name] = v[found[0]]
			delete(v, found[0])
		}
	}
}

func folded(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, name)
}

// unwrapped returns the object that v holds instead of being it, or the one that
// v is the only member of.
func (m *mender) unwrapped(v, node, props map[string]any) map[string]any {
	for name := range props {
		if _, has := v[name]; has {
			return v
		}
	}
	whole := func(x any) bool {
		object, ok := x.(map[string]any)
		return ok && len(missing(object, node)) == 0
	}
	// Some models fill a copy of the schema.
	if x := v["properties"]; whole(x) {
		return x.(map[string]any)
	}
	if len(v) == 1 {
		for _, x := range v {
			if whole(x) {
				return x.(map[string]any)
			}
			// A text under another name may be an excuse.
			_, isText := x.(string)
			if name, ok := soleProperty(node); ok && !isText && m.accepts(x, props[name]) {
				return map[string]any{name: x}
			}
		}
	}
	if name, ok := soleProperty(node); ok {
		if x := m.mend(v, props[name]); m.accepts(x, props[name]) {
			return map[string]any{name: x}
		}
	}
	return v
}
