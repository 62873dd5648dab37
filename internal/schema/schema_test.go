package schema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"image"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casebook-go/casebook/internal/schema"
	"github.com/casebook-go/casebook/internal/schema/strictcheck"
)

var update = flag.Bool("update", false, "rewrite the golden files")

type (
	flat struct {
		Name  string  `json:"name" jsonschema:"minLength=1,maxLength=40" jsonschema_description:"A name, with commas, and <tags>"`
		Count int     `json:"count" jsonschema:"minimum=1,maximum=20"`
		Ratio float64 `json:"ratio,omitempty" jsonschema:"exclusiveMinimum=0,exclusiveMaximum=1,multipleOf=0.25"`
		Kind  string  `json:"kind" jsonschema:"enum=a,enum=b"`
		Done  bool    `json:"done"`
	}
	span struct {
		Start int  `json:"start" jsonschema:"minimum=1"`
		End   *int `json:"end"`
	}
	nested struct {
		Spans    []span   `json:"spans" jsonschema:"minItems=1,maxItems=3"`
		Optional *[]*span `json:"optional,omitempty"`
		One      *span    `json:"one"`
		Deep     ***int   `json:"deep,omitempty"`
		Pair     [2]int   `json:"pair"`
		Grid     [][]int  `json:"grid"`
	}
	special struct {
		When   time.Time   `json:"when"`
		Later  *time.Time  `json:"later"`
		Addr   netip.Addr  `json:"addr"`
		ID     uuid        `json:"id" jsonschema:"format=uuid"`
		Raw    []byte      `json:"raw,omitempty"`
		Site   string      `json:"site" jsonschema:"format=uri"`
		Colour colour      `json:"colour" jsonschema:"enum=red,enum=green"`
		Small  uint8       `json:"small"`
		Flags  []string    `json:"flags,omitempty" jsonschema:"enum=x,enum=y,uniqueItems=true"`
		Levels []int       `json:"levels" jsonschema:"minimum=1,maximum=5"`
		Either scalar      `json:"either"`
		Shape  customShape `json:"shape"`
	}
	embedded struct {
		flat
		*Extra
		Last string `json:"last"`
	}
	Extra struct {
		Note string `json:"note,omitempty"`
	}
	russian struct {
		Имя   string `json:"имя" jsonschema_description:"Как зовут клиента"`
		Число int    `json:"число,omitempty" jsonschema:"minimum=1"`
	}
	// Point has the name of image.Point and other fields.
	Point struct {
		Lat, Lon float64
	}
	sameNames struct {
		Place Point                `json:"place"`
		Pixel image.Point          `json:"pixel"`
		A     generic[Point]       `json:"a"`
		B     generic[image.Point] `json:"b"`
	}
	generic[T any] struct {
		Value T   `json:"value"`
		List  []T `json:"list"`
	}
	twice struct {
		A, B span
		C    []span
	}
	hidden struct {
		Shown  string
		Secret func()   `json:"-"`
		Also   chan int `jsonschema:"-"`
		inner  any      //nolint:unused // encoding/json must not see it
	}
	empty struct{}
	keyed struct {
		Pattern string `json:"pattern" jsonschema:"pattern=^[a-z]{1\\,3}$"`
	}
	colour string
	scalar struct{ v any }
	uuid   [16]byte
)

func (u uuid) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%x", u[:]), nil }
func (u *uuid) UnmarshalText(b []byte) error {
	if len(b) != 36 {
		return errors.New("a UUID has 36 characters")
	}
	return nil
}

func (scalar) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Description: "Text or a number", OneOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}}}
}
func (s *scalar) UnmarshalJSON(b []byte) error { return json.Unmarshal(b, &s.v) }
func (s scalar) MarshalJSON() ([]byte, error)  { return json.Marshal(s.v) }

// customShape has an optional member and returns the same schema every time,
// as a careless method does.
type customShape map[string]any

var customShapeSchema = func() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), Required: []string{"name"}}
	s.Properties.Set("name", &jsonschema.Schema{Type: "string"})
	s.Properties.Set("size", &jsonschema.Schema{Type: "integer"})
	return s
}()

func (customShape) JSONSchema() *jsonschema.Schema { return customShapeSchema }

// defaults is what a generator's parameters look like.
type defaults struct {
	Max   int               `json:"max" jsonschema:"minimum=1,maximum=50" jsonschema_description:"How many"`
	Kinds []string          `json:"kinds" jsonschema:"enum=simple,enum=hard"`
	Inner defaultsInner     `json:"inner,omitzero"`
	Where *defaultsInner    `json:"where"`
	Text  string            `json:"text" jsonschema_description:"Нужно всегда"`
	Local func()            `json:"-"`
	When  time.Time         `json:"when,omitzero"`
	Extra map[string]string `json:"-"`
}

type defaultsInner struct {
	Depth int    `json:"depth"`
	Label string `json:"label"`
}

func startDefaults() defaults {
	return defaults{
		Max: 5, Kinds: []string{"simple", "hard"}, Inner: defaultsInner{Depth: 2},
		Where: &defaultsInner{Depth: 3, Label: "x"},
	}
}

func TestStrict(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		typ      reflect.Type
		defaults any
	}{
		{"flat", reflect.TypeFor[flat](), nil},
		{"nested", reflect.TypeFor[nested](), nil},
		{"special", reflect.TypeFor[special](), nil},
		{"embedded", reflect.TypeFor[embedded](), nil},
		{"russian", reflect.TypeFor[russian](), nil},
		{"same_names", reflect.TypeFor[sameNames](), nil},
		{"same_name_root", reflect.TypeFor[struct {
			Point
			Pixel image.Point
		}](), nil},
		{"generic_root", reflect.TypeFor[generic[image.Point]](), nil},
		{"twice", reflect.TypeFor[twice](), nil},
		{"hidden", reflect.TypeFor[hidden](), nil},
		{"empty", reflect.TypeFor[empty](), nil},
		{"escaped_comma", reflect.TypeFor[keyed](), nil},
		{"defaults", reflect.TypeFor[defaults](), startDefaults()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := schema.Describe(tt.typ, tt.defaults)
			if err != nil {
				t.Fatal(err)
			}
			if v := strictcheck.Violations(s.Strict); len(v) > 0 {
				t.Errorf("not strict:\n%s\n%s", strings.Join(v, "\n"), s.Strict)
			}
			compile(t, s.Strict)
			compile(t, s.Lenient)
			var got bytes.Buffer
			for _, raw := range []json.RawMessage{s.Strict, s.Lenient} {
				if err := json.Indent(&got, raw, "", "  "); err != nil {
					t.Fatal(err)
				}
				got.WriteByte('\n')
			}
			golden := filepath.Join("testdata", tt.name+".json")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("%s (-want +got):\n%s", golden, diff)
			}
		})
	}
}

func compile(t *testing.T, raw []byte) {
	t.Helper()
	doc, err := validator.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := validator.NewCompiler()
	if err := c.AddResource("mem:s", doc); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Compile("mem:s"); err != nil {
		t.Fatal(err)
	}
}

// Types that cannot be strict.
type (
	tree                   struct{ Children []tree }
	mutualA                struct{ B *mutualB }
	mutualB                struct{ A []mutualA }
	loop                   struct{ *loopInner } //nolint:unused // the cycle is the test
	loopInner              struct{ *loop }      //nolint:unused // the cycle is the test
	pointerLoop            *pointerLoop
	deepL1                 struct{ A deepL2 }
	deepL2                 struct{ A deepL3 }
	deepL3                 struct{ A deepL4 }
	deepL4                 struct{ A []deepL5 }
	deepL5                 struct{ X int }
	wide                   struct{ A, B, C, D, E, F wide20 }
	wide20                 struct{ A, B, C, D, E, F, G, H, I, J, K, L, M, N, O, P, Q, R, S, T int }
	pointerRecv            struct{ X int }
	extendRecv             struct{ X int }
	aliased                struct{ X int }
	marshals               struct{ X int }
	halfText               struct{ X int }
	proto                  int32
	changed                struct{ X int }
	panics                 struct{ X int }
	returnsNil             struct{ X int }
	unexported             struct{ X int }
	unexpStr               string
	myByte                 byte
	custom[T schemaOption] struct{ X int }
)

func (*pointerRecv) JSONSchema() *jsonschema.Schema       { return &jsonschema.Schema{Type: "string"} }
func (*extendRecv) JSONSchemaExtend(s *jsonschema.Schema) {}
func (aliased) JSONSchemaAlias() any                      { return "" }
func (marshals) MarshalJSON() ([]byte, error)             { return []byte("1"), nil }
func (halfText) MarshalText() ([]byte, error)             { return nil, nil }
func (proto) EnumDescriptor() ([]byte, []int)             { return nil, nil }
func (changed) JSONSchemaExtend(s *jsonschema.Schema)     { s.Properties.Delete("X") }
func (panics) JSONSchema() *jsonschema.Schema             { panic("boom") }
func (returnsNil) JSONSchema() *jsonschema.Schema         { return nil }

// custom types describe themselves with the schema of their option.
type schemaOption interface{ schema() *jsonschema.Schema }

func (custom[T]) JSONSchema() *jsonschema.Schema {
	var t T
	return t.schema()
}

type (
	useRef     struct{}
	useAllOf   struct{}
	useTrue    struct{}
	useNoType  struct{}
	useMap     struct{}
	usePattern struct{}
	useTuple   struct{}
	useArray   struct{}
	useDefault struct{}
	useExtras  struct{}
	useBeside  struct{}
	useSame    struct{}
	useDeep    struct{}
	useMissing struct{}
	useWide    struct{}
)

func props(names ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: jsonschema.NewProperties(), Required: names}
	for _, n := range names {
		s.Properties.Set(n, &jsonschema.Schema{Type: "string"})
	}
	return s
}

func (useRef) schema() *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/x"} }
func (useAllOf) schema() *jsonschema.Schema {
	return &jsonschema.Schema{AllOf: []*jsonschema.Schema{{Type: "string"}}}
}
func (useTrue) schema() *jsonschema.Schema { return jsonschema.TrueSchema }
func (useNoType) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Description: "anything"}
}

func (useMap) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", AdditionalProperties: &jsonschema.Schema{Type: "string"}}
}

func (usePattern) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "object", PatternProperties: map[string]*jsonschema.Schema{"a": {Type: "string"}}}
}

func (useTuple) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "array", PrefixItems: []*jsonschema.Schema{{Type: "string"}}}
}
func (useArray) schema() *jsonschema.Schema { return &jsonschema.Schema{Type: "array"} }
func (useDefault) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Default: "x"}
}

func (useExtras) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Extras: map[string]any{"x-y": 1}}
}

func (useBeside) schema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", AnyOf: []*jsonschema.Schema{{Type: "string"}}}
}

func (useSame) schema() *jsonschema.Schema {
	return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{props("a", "b"), props("a", "c")}}
}

func (useDeep) schema() *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for range 5 {
		s = &jsonschema.Schema{Type: "array", Items: s}
	}
	return s
}

func (useWide) schema() *jsonschema.Schema {
	var names []string
	for i := range 100 {
		names = append(names, fmt.Sprintf("p%d", i))
	}
	return props(names...)
}

func (useMissing) schema() *jsonschema.Schema {
	s := props("a")
	s.Required = []string{"b"}
	return s
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		typ  reflect.Type
		want []string // each in the message
	}{
		{"not a struct", reflect.TypeFor[int](), []string{"int: the root is a int"}},
		{"pointer", reflect.TypeFor[*flat](), []string{"the root is a ptr"}},
		{"list root", reflect.TypeFor[[]flat](), []string{"the root is a slice"}},
		{"time root", reflect.TypeFor[time.Time](), []string{"Time: the root is no plain struct"}},
		{"channel", reflect.TypeFor[struct{ C chan int }](), []string{"struct.C: chan int has no JSON"}},
		{"func", reflect.TypeFor[struct{ F func() }](), []string{"struct.F: func() has no JSON"}},
		{"complex", reflect.TypeFor[struct{ Z complex128 }](), []string{"struct.Z:"}},
		{"any", reflect.TypeFor[struct{ A any }](), []string{"struct.A: interface {} may hold anything"}},
		{"interface", reflect.TypeFor[struct{ E error }](), []string{"struct.E: error may hold anything"}},
		{"list of any", reflect.TypeFor[struct{ A [][]any }](), []string{"struct.A[][]: "}},
		{"raw message", reflect.TypeFor[struct{ R json.RawMessage }](), []string{"struct.R: json.RawMessage"}},
		{"json number", reflect.TypeFor[struct{ N json.Number }](), []string{"struct.N: json.Number"}},
		{"map", reflect.TypeFor[struct{ M map[string]int }](), []string{"struct.M: map[string]int", "a list of a struct"}},
		{"map of int", reflect.TypeFor[struct{ M map[int]string }](), []string{"struct.M: "}},
		{"duration", reflect.TypeFor[struct{ D time.Duration }](), []string{"struct.D: time.Duration", "unit"}},
		{"url", reflect.TypeFor[struct{ U *url.URL }](), []string{"struct.U: url.URL", "format=uri"}},
		{"named bytes", reflect.TypeFor[struct{ B []myByte }](), []string{"struct.B: "}},
		{"recursion", reflect.TypeFor[tree](), []string{"tree.Children[]: type schema_test.tree contains itself"}},
		{"mutual recursion", reflect.TypeFor[mutualA](), []string{"mutualA.B.A[]: "}},
		{"embedded cycle", reflect.TypeFor[loop](), []string{"loop.loopInner"}},
		{"pointer to itself", reflect.TypeFor[struct{ P pointerLoop }](), []string{"struct.P: "}},
		{"generic recursion", reflect.TypeFor[generic[tree]](), []string{"generic[...].Value.Children[]"}},
		{"six levels", reflect.TypeFor[deepL1](), []string{"deepL1.A.A.A.A[]: nested deeper than 5 levels"}},
		{"101 properties", reflect.TypeFor[wide](), []string{"wide.E.P: more than 100 properties"}},
		{"same JSON name", built(`json:"x"`, `json:"x"`), []string{`struct.F1: its JSON name "x" is that of struct.F0`}},
		{"shadowed by embedding", reflect.TypeFor[struct {
			Extra
			Note string `json:"note"`
		}](), []string{`struct.Note: its JSON name "note" is that of struct.Extra.Note`}},
		{"unexported embedded pointer", reflect.TypeFor[struct{ *unexported }](), []string{"struct.unexported: "}},
		{"unexported embedded text", reflect.TypeFor[struct{ unexpStr }](), []string{"struct.unexpStr: "}},
		{"string option", reflect.TypeFor[struct {
			N int `json:"n,string"`
		}](), []string{"struct.N: the json option"}},
		{"json option", built(`json:"n,omitemtpy"`), []string{`struct.F0: unknown json option "omitemtpy"`, `did you mean "omitempty"?`}},
		{"property name", reflect.TypeFor[struct {
			N int `json:"a b"`
		}](), []string{`struct.N: "a b" is no property name`}},
		{"malformed tag", built(`json: "n"`), []string{"struct.F0: the struct tag is malformed"}},
		{"misspelt tag", reflect.TypeFor[struct {
			N int `jsonshcema:"minimum=1"`
		}](), []string{`struct.N: unknown tag "jsonshcema"`, `did you mean "jsonschema"?`}},
		{"extras", reflect.TypeFor[struct {
			N int `jsonschema_extras:"a=b"`
		}](), []string{`unknown tag "jsonschema_extras"`}},
		{"misspelt keyword", reflect.TypeFor[struct {
			N int `jsonschema:"minimun=1"`
		}](), []string{`struct.N: unknown keyword "minimun"`, `did you mean "minimum"?`}},
		{"space before keyword", reflect.TypeFor[struct {
			N int `jsonschema:"minimum=1, maximum=2"`
		}](), []string{`unknown keyword " maximum"`}},
		{"comma in description", reflect.TypeFor[struct {
			N int `jsonschema:"description=one, two"`
		}](), []string{`struct.N: unknown keyword " two"`, "jsonschema_description"}},
		{"invalid value", reflect.TypeFor[struct {
			N int `jsonschema:"maximum=abc"`
		}](), []string{"struct.N: maximum=abc: not a number"}},
		{"infinite bound", reflect.TypeFor[struct {
			N float64 `jsonschema:"maximum=Inf"`
		}](), []string{"maximum=Inf: not a number"}},
		{"invalid count", reflect.TypeFor[struct {
			N []int `jsonschema:"maxItems=-1"`
		}](), []string{"maxItems=-1: not a count"}},
		{"invalid pattern", reflect.TypeFor[struct {
			S string `jsonschema:"pattern=(?!a)"`
		}](), []string{"pattern=(?!a): not a regular expression"}},
		{"unknown format", reflect.TypeFor[struct {
			S string `jsonschema:"format=phone"`
		}](), []string{"format=phone: unknown format"}},
		{"false uniqueItems", reflect.TypeFor[struct {
			S []int `jsonschema:"uniqueItems=false"`
		}](), []string{"uniqueItems=false: only true"}},
		{"enum of words for a number", reflect.TypeFor[struct {
			N int `jsonschema:"enum=one"`
		}](), []string{"enum=one: not a whole number"}},
		{"enum twice", reflect.TypeFor[struct {
			S string `jsonschema:"enum=a,enum=a"`
		}](), []string{"enum=a stands twice"}},
		{"bound twice", reflect.TypeFor[struct {
			N int `jsonschema:"minimum=1,minimum=2"`
		}](), []string{`keyword "minimum" stands twice`}},
		{"bounds crossed", reflect.TypeFor[struct {
			N int `jsonschema:"minimum=5,maximum=2"`
		}](), []string{"no value is allowed by minimum=5, maximum=2"}},
		{"no value", reflect.TypeFor[struct {
			N int `jsonschema:"minimum"`
		}](), []string{`keyword "minimum" has no value`}},
		{"wrong type", reflect.TypeFor[struct {
			S string `jsonschema:"minimum=1"`
		}](), []string{`keyword "minimum" does not apply to string`}},
		{"keyword on a struct", reflect.TypeFor[struct {
			S span `jsonschema:"minLength=1"`
		}](), []string{`keyword "minLength" does not apply`}},
		{"keyword on a list of structs", reflect.TypeFor[struct {
			S []span `jsonschema:"pattern=a"`
		}](), []string{`keyword "pattern" does not apply`}},
		{"format of a time", reflect.TypeFor[struct {
			T time.Time `jsonschema:"format=date"`
		}](), []string{`keyword "format" does not apply`}},
		{"default in the tag", reflect.TypeFor[struct {
			N int `jsonschema:"default=5"`
		}](), []string{"struct.N: a default in a tag is described but never applied"}},
		{"required and nullable", reflect.TypeFor[struct {
			N int `jsonschema:"required,nullable"`
		}](), []string{"contradict"}},
		{"pointer receiver", reflect.TypeFor[struct{ P pointerRecv }](), []string{"struct.P: (*pointerRecv).JSONSchema has a pointer receiver"}},
		{"pointer receiver of extend", reflect.TypeFor[struct{ P extendRecv }](), []string{"struct.P: (*extendRecv).JSONSchemaExtend"}},
		{"alias", reflect.TypeFor[struct{ P aliased }](), []string{"struct.P: "}},
		{"JSON of its own", reflect.TypeFor[struct{ P marshals }](), []string{"struct.P: ", "JSONSchema()"}},
		{"half text", reflect.TypeFor[struct{ P halfText }](), []string{"struct.P: ", "UnmarshalText"}},
		{"protobuf enum", reflect.TypeFor[struct{ P proto }](), []string{"struct.P: the reflected schema is no integer"}},
		{"extend that drops a field", reflect.TypeFor[struct{ P changed }](), []string{"struct.P: the reflected properties"}},
		{"panicking JSONSchema", reflect.TypeFor[struct{ P panics }](), []string{"boom"}},
		{"nil JSONSchema", reflect.TypeFor[struct{ P returnsNil }](), []string{"returned nil"}},
		{"custom $ref", reflect.TypeFor[struct{ P custom[useRef] }](), []string{"struct.P: JSONSchema uses $ref"}},
		{"custom allOf", reflect.TypeFor[struct{ P []custom[useAllOf] }](), []string{"struct.P[]: JSONSchema uses allOf"}},
		{"custom true", reflect.TypeFor[struct{ P custom[useTrue] }](), []string{"struct.P: JSONSchema uses a boolean schema"}},
		{"custom without type", reflect.TypeFor[struct{ P custom[useNoType] }](), []string{"struct.P: JSONSchema has the type"}},
		{"custom map", reflect.TypeFor[struct{ P custom[useMap] }](), []string{"additionalProperties"}},
		{"custom patternProperties", reflect.TypeFor[struct{ P custom[usePattern] }](), []string{"patternProperties"}},
		{"custom tuple", reflect.TypeFor[struct{ P custom[useTuple] }](), []string{"prefixItems"}},
		{"custom array", reflect.TypeFor[struct{ P custom[useArray] }](), []string{"array without items"}},
		{"custom default", reflect.TypeFor[struct{ P custom[useDefault] }](), []string{"default"}},
		{"custom extras", reflect.TypeFor[struct{ P custom[useExtras] }](), []string{"keywords of its own"}},
		{"custom beside anyOf", reflect.TypeFor[struct{ P custom[useBeside] }](), []string{"beside anyOf"}},
		{"custom same first key", reflect.TypeFor[struct{ P custom[useSame] }](), []string{`begin with the key "a"`}},
		{"custom too deep", reflect.TypeFor[struct{ P custom[useDeep] }](), []string{"struct.P[][][][]: nested deeper"}},
		{"custom too wide", reflect.TypeFor[struct{ P custom[useWide] }](), []string{"struct.P: more than 100 properties"}},
		{"custom required", reflect.TypeFor[struct{ P custom[useMissing] }](), []string{`requires "b"`}},
		{"all at once", reflect.TypeFor[struct {
			A any
			B chan int
			C struct{ D map[string]any }
		}](), []string{"struct.A:", "struct.B:", "struct.C.D:"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := schema.For(tt.typ)
			var bad *schema.Error
			if !errors.As(err, &bad) {
				t.Fatalf("got %v and schema %v, want a *schema.Error", err, s)
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("error %q lacks %q", err, w)
				}
			}
			for _, p := range bad.Problems {
				if p.Path == "" || p.Reason == "" || p.Hint == "" {
					t.Errorf("problem %+v lacks a path, a reason or a hint", p)
				}
			}
		})
	}
	if _, err := schema.For(nil); err == nil {
		t.Error("no error for no type")
	}
}

// built returns a struct type with tags that vet would refuse in source.
func built(tags ...reflect.StructTag) reflect.Type {
	var fields []reflect.StructField
	for i, tag := range tags {
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: reflect.TypeFor[int](), Tag: tag})
	}
	return reflect.StructOf(fields)
}

func TestDefaultsRefused(t *testing.T) {
	t.Parallel()
	type kinds struct {
		Max  int     `json:"max" jsonschema:"maximum=5"`
		Kind string  `json:"kind" jsonschema:"enum=a,enum=b"`
		F    float64 `json:"f"`
	}
	_, err := schema.Describe(reflect.TypeFor[kinds](), kinds{Max: 9, Kind: "z"})
	var bad *schema.Error
	if !errors.As(err, &bad) || len(bad.Problems) != 2 {
		t.Fatalf("got %v, want two problems", err)
	}
	if _, err := schema.Describe(reflect.TypeFor[kinds](), flat{}); !errors.As(err, &bad) {
		t.Errorf("defaults of another type: got %v", err)
	}
}

func TestSameBytes(t *testing.T) {
	t.Parallel()
	type private struct { // no other test asks for it, so that the first calls race
		A []span `json:"a"`
		B *int   `json:"b"`
	}
	var wg sync.WaitGroup
	got := make([]*schema.Schema, 32)
	for i := range got {
		wg.Go(func() {
			s, err := schema.For(reflect.TypeFor[private]())
			if err != nil {
				t.Error(err)
			}
			got[i] = s
			var p private
			if err := s.Decode([]byte(`{"a":[{"start":1,"end":null}],"b":null}`), &p); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, s := range got[1:] {
		if s != got[0] {
			t.Fatal("two schemas of one type")
		}
	}
}

func TestDefaultsDoNotMix(t *testing.T) {
	t.Parallel()
	type p struct {
		N int `json:"n"`
	}
	five, err := schema.Describe(reflect.TypeFor[p](), &p{N: 5})
	if err != nil {
		t.Fatal(err)
	}
	six, err := schema.Describe(reflect.TypeFor[p](), p{N: 6})
	if err != nil {
		t.Fatal(err)
	}
	none, err := schema.For(reflect.TypeFor[p]())
	if err != nil {
		t.Fatal(err)
	}
	for s, want := range map[*schema.Schema]string{five: "Default: 5.", six: "Default: 6."} {
		if !bytes.Contains(s.Strict, []byte(want)) {
			t.Errorf("%s lacks %q", s.Strict, want)
		}
	}
	if bytes.Contains(none.Strict, []byte("Default")) || !none.Needs() || five.Needs() {
		t.Errorf("without defaults: %s", none.Strict)
	}
}
