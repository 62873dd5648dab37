package generator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/casebook-go/casebook/internal/schema"
)

// New returns the generator that fn is, with the parameters P. It guarantees:
//
//   - The spec and the schema of P are checked now, not in the middle of a run:
//     the error is a *[SpecError] that names every problem, with the path of
//     the field. What the defaults hold is checked too.
//   - A field of P with a default is optional for the model, and its description
//     says what the default is.
//   - fn is called only with arguments that fit the schema, with the defaults
//     where they say nothing, and for which P's own Validate() error, if there is
//     one, was nil. Else Generate fails with an *[ArgsError].
//   - fn may keep and change its params: every call has its own copy, slices and
//     pointers included. Fields tagged json:"-" are shared by all calls.
//   - fn is not called when ctx has already ended.
//   - An Output without a format gets that of the spec; one of another format is
//     an error. An output that comes with an error is passed on with it.
//
// P is a struct; its fields take the tags json, jsonschema (enum=, minimum=,
// maximum=, minLength=, pattern=, format=, minItems=, ...) and
// jsonschema_description, and the model fills them in the order of the fields.
// The generator is safe for concurrent use if fn is.
func New[P any](spec Spec, defaults P, fn func(ctx context.Context, call *Call, params P) (*Output, error)) (Generator, error) {
	var problems []SpecProblem
	if fn == nil {
		problems = append(problems, SpecProblem{Field: "fn", Reason: "it is nil", Hint: "give a function"})
	}
	if spec.Params != nil {
		problems = append(problems, SpecProblem{Field: "Params", Reason: "it is set", Hint: "leave it to New, which takes the defaults"})
	}
	t := reflect.TypeFor[P]()
	if t.Kind() != reflect.Struct {
		problems = append(problems, SpecProblem{Field: "Params", Reason: fmt.Sprintf("%s is no struct", t), Hint: "use a struct type for the parameters"})
		return nil, &SpecError{Generator: spec.Name, Problems: problems}
	}
	spec.Params = &defaults
	spec.Formats = slices.Clone(spec.Formats)
	sch, more := spec.check()
	if problems = append(problems, more...); len(problems) > 0 {
		return nil, &SpecError{Generator: spec.Name, Problems: problems}
	}
	g := &typed[P]{spec: spec, defaults: schema.Clone(sch, defaults), schema: sch, fn: fn}
	if !sch.Needs() {
		if _, err := g.params(nil); err != nil {
			return nil, &SpecError{Generator: spec.Name, Problems: []SpecProblem{{Field: "Params", Reason: "the defaults are refused: " + err.Error(), Hint: "correct them, or make a field required"}}}
		}
	}
	return g, nil
}

// Must returns g, and panics if err is not nil. It is for package-level
// variables: generator.Must(generator.New(...)).
func Must(g Generator, err error) Generator {
	if err != nil {
		panic(err)
	}
	return g
}

type typed[P any] struct {
	spec     Spec // Params is replaced in what Spec returns
	defaults P
	schema   *schema.Schema
	fn       func(context.Context, *Call, P) (*Output, error)
}

// Spec returns a copy that the caller may change.
func (g *typed[P]) Spec() Spec {
	s := g.spec
	s.Formats = slices.Clone(s.Formats)
	defaults := schema.Clone(g.schema, g.defaults)
	s.Params = &defaults
	return s
}

func (g *typed[P]) params(args json.RawMessage) (P, error) {
	p := g.defaults
	err := g.schema.Decode(args, &p) // which shares nothing with what p held
	return p, argsError(g.spec.ToolName(), err)
}

// Generate implements [Generator].
func (g *typed[P]) Generate(ctx context.Context, call *Call) (*Output, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if call == nil {
		return nil, errors.New("generator: there is no call")
	}
	params, err := g.params(call.Args)
	if err != nil {
		return nil, err
	}
	out, err := g.fn(ctx, call, params)
	switch {
	case out == nil && err == nil:
		return nil, fmt.Errorf("generator %s returned neither output nor error", g.spec.Name)
	case out == nil:
		return nil, err
	case out.Format == "":
		filled := *out
		filled.Format = g.spec.RecordFormat()
		out = &filled
	case out.Format != g.spec.RecordFormat():
		return nil, errors.Join(err, fmt.Errorf("generator %s returned records of format %q, its spec says %q", g.spec.Name, out.Format, g.spec.RecordFormat()))
	}
	return out, err
}

// Decode decodes the arguments of a call, for a generator that is not made by
// [New]: what they leave out stays as in defaults, which are not changed. P is
// the struct that the Params of its spec point at. Decode fails with an
// *[ArgsError], or with a *[SpecError] when P has no strict schema.
func Decode[P any](call *Call, defaults P) (P, error) {
	sch, err := schema.For(reflect.TypeFor[P]())
	if err != nil {
		return defaults, &SpecError{Problems: schemaProblems(err)}
	}
	p := schema.Clone(sch, defaults)
	if sch, err = schema.Describe(reflect.TypeFor[P](), p); err != nil {
		return defaults, &SpecError{Problems: schemaProblems(err)}
	}
	if err := sch.Decode(call.Args, &p); err != nil {
		return defaults, argsError("", err)
	}
	return p, nil
}

// argsError gives the schema's error the tool's name.
func argsError(tool string, err error) error {
	var bad *schema.ArgsError
	if errors.As(err, &bad) {
		return &ArgsError{Tool: tool, Problems: bad.Problems, Err: bad.Err}
	}
	return err
}
