package generator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/schema/strictcheck"
	"github.com/casebook-go/casebook/model"
)

type params struct {
	Count int      `json:"count" jsonschema:"minimum=1,maximum=20" jsonschema_description:"How many test cases"`
	Kinds []string `json:"kinds" jsonschema:"enum=simple,enum=hard"`
	Style string   `json:"style,omitempty"`
}

func start() params { return params{Count: 5, Kinds: []string{"simple"}} }

func echo(_ context.Context, call *generator.Call, p params) (*generator.Output, error) {
	b, err := json.Marshal(p)
	return &generator.Output{Records: []generator.Record{{JSON: b}}}, err
}

func spec() generator.Spec {
	return generator.Spec{Name: "echo", Description: "Echoes its parameters. Use it in tests.", Record: "echo.params"}
}

func must[P any](t *testing.T, s generator.Spec, defaults P, fn func(context.Context, *generator.Call, P) (*generator.Output, error)) generator.Generator {
	t.Helper()
	g, err := generator.New(s, defaults, fn)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	with := func(change func(*generator.Spec)) generator.Spec {
		s := spec()
		change(&s)
		return s
	}
	tests := []struct {
		name string
		spec generator.Spec
		want string // "Field: part of the reason"
	}{
		{"no name", with(func(s *generator.Spec) { s.Name = "" }), `Name: ""`},
		{"capitals", with(func(s *generator.Spec) { s.Name = "Echo" }), `Name: "Echo"`},
		{"dash", with(func(s *generator.Spec) { s.Name = "deep-eval" }), `Name: "deep-eval"`},
		{"cyrillic", with(func(s *generator.Spec) { s.Name = "эхо" }), `Name: "эхо"`},
		{"dot in tool", with(func(s *generator.Spec) { s.Tool = "a.b" }), `Tool: "a.b"`},
		{"long tool", with(func(s *generator.Spec) { s.Tool = strings.Repeat("a", 65) }), "Tool: "},
		{"long name", with(func(s *generator.Spec) { s.Name = strings.Repeat("a", 60) }), "Tool: "},
		{"no description", with(func(s *generator.Spec) { s.Description = " \n" }), "Description: it is empty"},
		{"long description", with(func(s *generator.Spec) { s.Description = strings.Repeat("я", 1025) }), "Description: with its formats it has 1025 characters"},
		{"long with formats", with(func(s *generator.Spec) {
			s.Description = strings.Repeat("я", 1000)
			s.Formats = []model.Format{model.SingleTurnQA}
		}), "Description: with its formats"},
		{"invalid UTF-8", with(func(s *generator.Spec) { s.Description = "\xff" }), "Description: it is not UTF-8"},
		{"negative timeout", with(func(s *generator.Spec) { s.Timeout = -time.Second }), "Timeout: -1s is negative"},
		{"record with spaces", with(func(s *generator.Spec) { s.Record = "echo " }), "Record: "},
		{"empty format", with(func(s *generator.Spec) { s.Formats = []model.Format{""} }), "Formats: "},
		{"format twice", with(func(s *generator.Spec) { s.Formats = []model.Format{"a", "a"} }), "Formats: "},
		{"no formats", with(func(s *generator.Spec) { s.Formats = []model.Format{} }), "Formats: the list is empty"},
		{"unknown count", with(func(s *generator.Spec) { s.Count = "num" }), `Count: the parameters have no "num"`},
		{"count of text", with(func(s *generator.Spec) { s.Count = "style" }), `Count: parameter "style" is no integer`},
		{"params set", with(func(s *generator.Spec) { s.Params = &params{} }), "Params: it is set"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g, err := generator.New(tt.spec, start(), echo)
			var bad *generator.SpecError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v and generator %v, want a *SpecError", err, g)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q lacks %q", err, tt.want)
			}
		})
	}
}

func TestNewRefusesParams(t *testing.T) {
	t.Parallel()
	check := func(err error, field string) {
		t.Helper()
		var bad *generator.SpecError
		if !errors.As(err, &bad) {
			t.Fatalf("got %v, want a *SpecError", err)
		}
		if !cmp.Equal([]string{field}, fields(bad)) {
			t.Errorf("problems of %v, want one of %s: %v", fields(bad), field, err)
		}
	}
	type nested struct {
		Items []struct{ Open map[string]string }
	}
	_, err := generator.New(spec(), nested{}, func(context.Context, *generator.Call, nested) (*generator.Output, error) { return nil, nil })
	check(err, "nested.Items[].Open")
	_, err = generator.New(spec(), 5, func(context.Context, *generator.Call, int) (*generator.Output, error) { return nil, nil })
	check(err, "Params")
	_, err = generator.New(spec(), &params{}, func(context.Context, *generator.Call, *params) (*generator.Output, error) { return nil, nil })
	check(err, "Params")
	_, err = generator.New(spec(), start(), nil)
	check(err, "fn")
	_, err = generator.New(spec(), params{Count: 99}, echo)
	check(err, "params.count")
	_, err = generator.New(spec(), window{From: 5, To: 1}, func(context.Context, *generator.Call, window) (*generator.Output, error) { return nil, nil })
	check(err, "Params")
}

func fields(e *generator.SpecError) []string {
	var out []string
	for _, p := range e.Problems {
		out = append(out, p.Field)
	}
	return out
}

type window struct {
	From int `json:"from"`
	To   int `json:"to"`
}

var errWindow = errors.New("from must be below to")

func (w window) Validate() error {
	if w.From >= w.To {
		return errWindow
	}
	return nil
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	g := must(t, spec(), start(), echo)
	for args, want := range map[string]string{
		"":               `{"count":5,"kinds":["simple"]}`,
		"null":           `{"count":5,"kinds":["simple"]}`,
		`{"count":null}`: `{"count":5,"kinds":["simple"]}`,
		`{"count":7,"kinds":["hard","simple"],"style":"краткий"}`: `{"count":7,"kinds":["hard","simple"],"style":"краткий"}`,
	} {
		out, err := g.Generate(t.Context(), &generator.Call{Args: json.RawMessage(args)})
		if err != nil {
			t.Errorf("%s: %v", args, err)
			continue
		}
		want := &generator.Output{Format: "echo.params", Records: []generator.Record{{JSON: json.RawMessage(want)}}}
		if diff := cmp.Diff(want, out); diff != "" {
			t.Errorf("%s (-want +got):\n%s", args, diff)
		}
	}
}

func TestBadArgsNeverReachTheFunction(t *testing.T) {
	t.Parallel()
	g := must(t, spec(), start(), func(context.Context, *generator.Call, params) (*generator.Output, error) {
		t.Error("called with bad arguments")
		return nil, nil
	})
	_, err := g.Generate(t.Context(), &generator.Call{Args: json.RawMessage(`{"count":0,"kind":["hard"]}`)})
	var bad *generator.ArgsError
	if !errors.As(err, &bad) {
		t.Fatalf("got %v, want an *ArgsError", err)
	}
	want := &generator.ArgsError{Tool: "generate_with_echo", Problems: []string{
		"count: must be at least 1, not 0", `kind: there is no such field; did you mean "kinds"?`,
	}}
	if diff := cmp.Diff(want, bad); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	errStop := errors.New("stop")
	cancel(errStop)
	if _, err := g.Generate(ctx, &generator.Call{}); !errors.Is(err, errStop) {
		t.Errorf("ended ctx: got %v, want its cause", err)
	}
	if _, err := g.Generate(t.Context(), nil); err == nil {
		t.Error("no error for no call")
	}
	w := must(t, spec(), window{From: 1, To: 2}, func(context.Context, *generator.Call, window) (*generator.Output, error) {
		t.Error("called with bad arguments")
		return nil, nil
	})
	if _, err = w.Generate(t.Context(), &generator.Call{Args: json.RawMessage(`{"from":9}`)}); !errors.As(err, &bad) || !errors.Is(err, errWindow) {
		t.Errorf("Validate: got %v, want an *ArgsError around errWindow", err)
	}
}

func TestDefaultsAreOwnedByEachCall(t *testing.T) {
	t.Parallel()
	mine := start()
	g := must(t, spec(), mine, func(_ context.Context, c *generator.Call, p params) (*generator.Output, error) {
		got := p.Kinds[0]
		p.Kinds[0] = "changed by a call"
		if got != "simple" {
			return nil, fmt.Errorf("the default is %q", got)
		}
		return &generator.Output{}, nil
	})
	mine.Kinds[0] = "changed by the caller"
	g.Spec().Params.(*params).Kinds[0] = "changed through the spec"
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := g.Generate(t.Context(), &generator.Call{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, tt := range []struct {
		name    string
		out     *generator.Output
		err     error
		wantOut *generator.Output
		wantErr string
	}{
		{"nothing", nil, nil, nil, "neither output nor error"},
		{"error", nil, boom, nil, "boom"},
		{"both", &generator.Output{Engine: "go"}, boom, &generator.Output{Engine: "go", Format: "echo.params"}, "boom"},
		{"other format", &generator.Output{Format: "x"}, nil, nil, `format "x", its spec says "echo.params"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := must(t, spec(), start(), func(context.Context, *generator.Call, params) (*generator.Output, error) { return tt.out, tt.err })
			out, err := g.Generate(t.Context(), &generator.Call{})
			if diff := cmp.Diff(tt.wantOut, out); diff != "" {
				t.Errorf("output (-want +got):\n%s", diff)
			}
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("error %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func TestToolFor(t *testing.T) {
	t.Parallel()
	s := spec()
	s.Formats = []model.Format{model.SingleTurnQA, "own_format"}
	tool, err := generator.ToolFor(must(t, s, start(), echo).Spec())
	if err != nil {
		t.Fatal(err)
	}
	if v := strictcheck.Violations(tool.Parameters); len(v) > 0 || !tool.Strict {
		t.Errorf("not strict: %v", v)
	}
	if tool.Name != "generate_with_echo" || !strings.HasPrefix(tool.Description, s.Description) || !strings.Contains(tool.Description, "single_turn_qa or own_format") {
		t.Errorf("tool %q, %q", tool.Name, tool.Description)
	}
	if !strings.Contains(string(tool.Parameters), "Default: 5. Use null for the default.") {
		t.Errorf("the default is not described: %s", tool.Parameters)
	}
	bare, err := generator.ToolFor(generator.Spec{Name: "bare", Description: "Takes nothing."})
	if err != nil || len(strictcheck.Violations(bare.Parameters)) > 0 {
		t.Errorf("without parameters: %v, %s", err, bare.Parameters)
	}
	var bad *generator.SpecError
	for _, p := range []any{params{}, (*params)(nil), 5, new(int)} {
		if _, err := generator.ToolFor(generator.Spec{Name: "a", Description: "b", Params: p}); !errors.As(err, &bad) {
			t.Errorf("Params %T: got %v, want a *SpecError", p, err)
		}
		if _, err := generator.CheckArgs(generator.Spec{Name: "a", Description: "b", Params: p}, nil); !errors.As(err, &bad) {
			t.Errorf("arguments for Params %T: got %v, want a *SpecError", p, err)
		}
	}
}

func TestCheckArgs(t *testing.T) {
	t.Parallel()
	s := must(t, spec(), start(), echo).Spec()
	for args, want := range map[string]string{
		"":    `{"count":5,"kinds":["simple"]}`,
		"{ }": `{"count":5,"kinds":["simple"]}`,
		`{"style":"s", "kinds":null,"count":3.0}`: `{"count":3,"kinds":["simple"],"style":"s"}`,
		`{"count":3,"style":"s"}`:                 `{"count":3,"kinds":["simple"],"style":"s"}`,
	} {
		got, err := generator.CheckArgs(s, json.RawMessage(args))
		if err != nil || string(got) != want {
			t.Errorf("%q: got %s, %v; want %s", args, got, err, want)
		}
	}
	var bad *generator.ArgsError
	if _, err := generator.CheckArgs(s, json.RawMessage(`{"count":"many"}`)); !errors.As(err, &bad) || bad.Tool != "generate_with_echo" {
		t.Errorf("got %v, want an *ArgsError of the tool", err)
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	mine := start()
	got, err := generator.Decode(&generator.Call{Args: json.RawMessage(`{"count":2}`)}, mine)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(params{Count: 2, Kinds: []string{"simple"}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	got.Kinds[0] = "changed"
	if mine.Kinds[0] != "simple" {
		t.Error("the decoded value shares a slice with the defaults")
	}
	var bad *generator.ArgsError
	if _, err := generator.Decode(&generator.Call{Args: json.RawMessage(`{"count":99}`)}, mine); !errors.As(err, &bad) {
		t.Errorf("got %v, want an *ArgsError", err)
	}
	var spec *generator.SpecError
	if _, err := generator.Decode(&generator.Call{}, struct{ A any }{}); !errors.As(err, &spec) {
		t.Errorf("got %v, want a *SpecError", err)
	}
}

func TestBatchOutput(t *testing.T) {
	t.Parallel()
	b := &model.Batch{
		Items: []model.Item{
			{Row: "r1", TestCase: model.TestCase{ID: "tc1", Name: "<b> где заказ"}},
			{TestCase: model.TestCase{ID: "tc2"}},
			{Row: "r2", TestCase: model.TestCase{ID: "tc3", Metadata: model.Metadata{Native: json.RawMessage(`{`)}}},
		},
		Refused: []model.Refusal{{Row: "r3", Reason: "no fact for it"}},
	}
	out := generator.BatchOutput(b)
	if out.Format != generator.BatchFormat || len(out.Records) != 2 || len(out.Dropped) != 2 {
		t.Fatalf("got %+v", out)
	}
	if out.Records[0].Row != "r1" || out.Records[1].Row != "" || b.Items[0].Row != "r1" {
		t.Errorf("rows: %+v", out.Records)
	}
	var item model.Item
	if err := json.Unmarshal(out.Records[0].JSON, &item); err != nil || item.Row != "" || item.TestCase.Name != "<b> где заказ" {
		t.Errorf("record 0 is %+v, %v", item, err)
	}
	if d := out.Dropped; d[0].Row != "r2" || !strings.Contains(d[0].Reason, "no JSON") || d[1] != (generator.Drop{Row: "r3", Reason: "no fact for it"}) {
		t.Errorf("dropped: %+v", d)
	}
	if diff := cmp.Diff(&generator.Output{Format: generator.BatchFormat}, generator.BatchOutput(nil)); diff != "" {
		t.Errorf("no batch (-want +got):\n%s", diff)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("cause")
	p := &generator.PanicError{Value: cause, Stack: []byte("secret stack")}
	if !errors.Is(p, cause) || strings.Contains(p.Error(), "secret") {
		t.Errorf("panic error %v", p)
	}
	if err := (&generator.PanicError{Value: 5}).Unwrap(); err != nil {
		t.Errorf("a panic with 5 unwraps to %v", err)
	}
	u := &generator.UnknownToolError{Name: "x", Valid: []string{"a", "b"}}
	if got, want := u.Error(), `there is no tool "x"; call one of: a, b`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (&generator.ArgsError{Problems: []string{"a", "b"}}).Error(); got != "invalid arguments: a; b" {
		t.Errorf("got %q", got)
	}
}

func TestMust(t *testing.T) {
	t.Parallel()
	defer func() {
		var bad *generator.SpecError
		if err, ok := recover().(error); !ok || !errors.As(err, &bad) {
			t.Errorf("Must panicked with %v, want the *SpecError", err)
		}
	}()
	generator.Must(generator.New(generator.Spec{}, start(), echo))
}
