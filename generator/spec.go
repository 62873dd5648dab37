package generator

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/schema"
	"github.com/casebook-go/casebook/model"
)

// maxDescription is the longest description of a tool, in characters, that
// every known server takes.
const maxDescription = 1024

var (
	specName = regexp.MustCompile(`^[a-z0-9_]+$`)
	toolName = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
)

// ToolName returns the name of the tool that offers the generator to a model.
func (s Spec) ToolName() string {
	if s.Tool != "" {
		return s.Tool
	}
	return "generate_with_" + s.Name
}

// RecordFormat returns the format of the generator's records.
func (s Spec) RecordFormat() string {
	if s.Record != "" {
		return s.Record
	}
	return BatchFormat
}

// Validate reports everything that is wrong with the spec, its parameters'
// schema included, as a *[SpecError].
func (s Spec) Validate() error {
	if _, problems := s.check(); len(problems) > 0 {
		return &SpecError{Generator: s.Name, Problems: problems}
	}
	return nil
}

// ToolFor returns the tool that offers the generator of spec to a model. Its
// parameters are of the strict subset, its description says what the generator
// makes and when to use it. Equal specs give equal bytes. It fails with a
// *[SpecError].
func ToolFor(spec Spec) (llm.Tool, error) {
	sch, problems := spec.check()
	if len(problems) > 0 {
		return llm.Tool{}, &SpecError{Generator: spec.Name, Problems: problems}
	}
	return llm.Tool{Name: spec.ToolName(), Description: spec.toolDescription(), Parameters: sch.Strict, Strict: true}, nil
}

// CheckArgs validates the arguments a model gave for the tool of spec and
// returns them with the defaults filled in, ready for [Call].Args. Empty
// arguments and null stand for {}. Equal arguments give equal bytes, whatever
// the order of their members. It fails with an *[ArgsError].
func CheckArgs(spec Spec, args json.RawMessage) (json.RawMessage, error) {
	params := spec.params()
	sch, err := describe(params)
	if err != nil {
		return nil, &SpecError{Generator: spec.Name, Problems: schemaProblems(err)}
	}
	out, err := sch.Fill(args, params)
	return out, argsError(spec.ToolName(), err)
}

// params is a pointer to a struct, an empty one for a tool without parameters.
func (s Spec) params() any {
	if s.Params == nil {
		return new(struct{})
	}
	return s.Params
}

func describe(params any) (*schema.Schema, error) {
	v := reflect.ValueOf(params)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("%T is no pointer to a struct", params)
	}
	return schema.Describe(v.Type().Elem(), params)
}

func (s Spec) toolDescription() string {
	d := strings.TrimSpace(s.Description)
	if s.OwnInputs {
		d += "\nNot for rows whose message is given, empty, garbage, off topic, abusive or an attack."
	}
	if len(s.Formats) == 0 {
		return d
	}
	names := make([]string, len(s.Formats))
	for i, f := range s.Formats {
		names[i] = string(f)
	}
	return d + "\nOnly for test cases of the format " + strings.Join(names, " or ") + "."
}

func (s Spec) check() (*schema.Schema, []SpecProblem) {
	var ps []SpecProblem
	add := func(field, reason, hint string) { ps = append(ps, SpecProblem{field, reason, hint}) }
	if !specName.MatchString(s.Name) {
		add("Name", fmt.Sprintf("%q", s.Name), "use lower-case ASCII letters, digits and _")
	}
	if !toolName.MatchString(s.ToolName()) {
		add("Tool", fmt.Sprintf("%q is no tool name", s.ToolName()), "use 1 to 64 ASCII letters, digits, _ and -")
	}
	switch n := utf8.RuneCountInString(s.toolDescription()); {
	case strings.TrimSpace(s.Description) == "":
		add("Description", "it is empty", "say what the generator makes and when to use it; the router has nothing else to choose by")
	case !utf8.ValidString(s.Description):
		add("Description", "it is not UTF-8", "correct it")
	case n > maxDescription:
		add("Description", fmt.Sprintf("with its formats it has %d characters", n), fmt.Sprintf("shorten it to %d", maxDescription))
	}
	if s.Timeout < 0 {
		add("Timeout", fmt.Sprintf("%v is negative", s.Timeout), "use 0 for the orchestrator's")
	}
	if s.Record != strings.TrimSpace(s.Record) {
		add("Record", fmt.Sprintf("%q has spaces around it", s.Record), "remove them")
	}
	seen := map[model.Format]bool{}
	for _, f := range s.Formats {
		if strings.TrimSpace(string(f)) == "" || seen[f] {
			add("Formats", fmt.Sprintf("%q is empty or stands twice", f), "list each format once; nil means all")
		}
		seen[f] = true
	}
	if s.Formats != nil && len(s.Formats) == 0 {
		add("Formats", "the list is empty", "nil means all")
	}
	sch, err := describe(s.params())
	if err != nil {
		return nil, append(ps, schemaProblems(err)...)
	}
	if s.Count != "" {
		if kind, ok := sch.Kind(s.Count); !ok {
			add("Count", fmt.Sprintf("the parameters have no %q", s.Count), "give the JSON name of an integer field")
		} else if kind != "integer" {
			add("Count", fmt.Sprintf("parameter %q is no integer", s.Count), "give the JSON name of an integer field")
		}
	}
	return sch, ps
}

func schemaProblems(err error) []SpecProblem {
	var bad *schema.Error
	if !errors.As(err, &bad) {
		return []SpecProblem{{Field: "Params", Reason: err.Error(), Hint: "give a pointer to a struct"}}
	}
	out := make([]SpecProblem, len(bad.Problems))
	for i, p := range bad.Problems {
		out[i] = SpecProblem{Field: p.Path, Reason: p.Reason, Hint: p.Hint}
	}
	return out
}
