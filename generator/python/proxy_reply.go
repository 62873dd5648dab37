package python

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"

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
	maxReplyValues = 50000     // of a JSON reply
	maxProblems    = 10        // that a model is told of
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
// framework: it is small, and nothing that it refers to is loaded. It is safe for
// concurrent use.
type replySchema struct {
	text  json.RawMessage // compact
	title string

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
	s := &replySchema{text: compact(raw)}
	s.title, _ = root["title"].(string)
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

func (s *replySchema) read(text string) (string, bool, []string) {
	raw, mended, v, problem := readJSON(text)
	if problem != "" {
		return "", false, []string{problem}
	}
	if err := s.validator.Validate(v); err != nil {
		return "", false, problemsOf(err)
	}
	return string(raw), mended, nil
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
