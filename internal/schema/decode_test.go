package schema_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/casebook-go/casebook/internal/schema"
)

func describe(tb testing.TB, typ reflect.Type, defaults any) *schema.Schema {
	tb.Helper()
	s, err := schema.Describe(typ, defaults)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

var ignoreFuncs = cmpopts.IgnoreFields(defaults{}, "Local")

func TestDecodeDefaults(t *testing.T) {
	t.Parallel()
	s := describe(t, reflect.TypeFor[defaults](), startDefaults())
	tests := []struct {
		name string
		raw  string
		want func(*defaults)
	}{
		{"nulls keep the defaults", `{"max":null,"kinds":null,"inner":null,"where":null,"text":"a","when":null}`, func(d *defaults) {}},
		{"left out", `{"text":"a"}`, func(d *defaults) {}},
		{"given", `{"max":7,"kinds":["hard"],"text":"a"}`, func(d *defaults) { d.Max, d.Kinds = 7, []string{"hard"} }},
		{"empty list", `{"kinds":[],"text":"a"}`, func(d *defaults) { d.Kinds = []string{} }},
		{"zero is not absent", `{"inner":{"depth":0,"label":""},"text":"a"}`, func(d *defaults) { d.Inner = defaultsInner{} }},
		{"struct by field", `{"inner":{"depth":null,"label":"l"},"text":"a"}`, func(d *defaults) { d.Inner.Label = "l" }},
		{"pointer by field", `{"where":{"depth":9,"label":null},"text":"a"}`, func(d *defaults) { d.Where = &defaultsInner{Depth: 9, Label: "x"} }},
		{"whole number with a fraction", `{"max":7.0,"text":"a"}`, func(d *defaults) { d.Max = 7 }},
		{"whole number with an exponent", `{"max":1e1,"text":"a"}`, func(d *defaults) { d.Max = 10 }},
		{"spaces", " \n{ \"text\" : \"a\" }\t", func(d *defaults) {}},
		{"russian", `{"text":"Где мой заказ?"}`, func(d *defaults) { d.Text = "Где мой заказ?" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, want := startDefaults(), startDefaults()
			want.Text = "a"
			tt.want(&want)
			if err := s.Decode(json.RawMessage(tt.raw), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, ignoreFuncs); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A list's old elements would shine through the new ones, and the defaults'
// backing array would be written to, if encoding/json were left alone.
func TestDecodeSharesNothing(t *testing.T) {
	t.Parallel()
	type item struct {
		A int    `json:"a"`
		B string `json:"b,omitempty"`
	}
	type params struct {
		Items []item            `json:"items"`
		Ptr   *item             `json:"ptr"`
		Fixed [2]item           `json:"fixed"`
		Map   map[string]string `json:"-"`
	}
	start := params{Items: []item{{1, "one"}, {2, "two"}}, Ptr: &item{3, "three"}, Fixed: [2]item{{4, "four"}, {5, "five"}}}
	s := describe(t, reflect.TypeFor[params](), start)
	got := start
	if err := s.Decode([]byte(`{"items":[{"a":9}],"ptr":{"a":8},"fixed":[{"a":6},{"a":7}]}`), &got); err != nil {
		t.Fatal(err)
	}
	want := params{Items: []item{{9, ""}}, Ptr: &item{8, "three"}, Fixed: [2]item{{6, ""}, {7, ""}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("decoded (-want +got):\n%s", diff)
	}
	kept := params{Items: []item{{1, "one"}, {2, "two"}}, Ptr: &item{3, "three"}, Fixed: [2]item{{4, "four"}, {5, "five"}}}
	if diff := cmp.Diff(kept, start); diff != "" {
		t.Errorf("the defaults changed (-want +got):\n%s", diff)
	}
}

func TestClone(t *testing.T) {
	t.Parallel()
	s := describe(t, reflect.TypeFor[defaults](), nil)
	start := startDefaults()
	got := schema.Clone(s, start)
	got.Kinds[0], got.Where.Depth = "changed", 99
	if diff := cmp.Diff(startDefaults(), start, ignoreFuncs); diff != "" {
		t.Errorf("a change of the clone is seen in the original (-want +got):\n%s", diff)
	}
	e := embedded{Extra: &Extra{Note: "a"}}
	copied := schema.Clone(describe(t, reflect.TypeFor[embedded](), nil), e)
	copied.Note = "b"
	if e.Note != "a" || copied.Note != "b" {
		t.Errorf("embedded pointer: original %q, clone %q", e.Note, copied.Note)
	}
}

func TestDecodeEmpty(t *testing.T) {
	t.Parallel()
	type optional struct {
		N int `json:"n,omitempty"`
	}
	for _, raw := range []string{"", "  \n", "null", "{}", `{"n":null}`} {
		got := optional{N: 5}
		if err := describe(t, reflect.TypeFor[optional](), nil).Decode([]byte(raw), &got); err != nil || got.N != 5 {
			t.Errorf("%q: got %v, %v; want the preset", raw, got, err)
		}
		err := describe(t, reflect.TypeFor[flat](), nil).Decode([]byte(raw), new(flat))
		var bad *schema.ArgsError
		if !errors.As(err, &bad) {
			t.Errorf("%q: required fields are not missed: %v", raw, err)
		}
	}
}

func TestDecodeProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		typ  reflect.Type
		raw  string
		want []string
	}{
		{"not JSON", reflect.TypeFor[flat](), `{"name":`, []string{"not valid JSON: unexpected end of JSON input at byte 8"}},
		{"two values", reflect.TypeFor[flat](), `{} {}`, []string{"not valid JSON: invalid character '{' after top-level value at byte 4"}},
		{"not UTF-8", reflect.TypeFor[flat](), "{\"name\":\"\xff\"}", []string{"not valid JSON: the text is not UTF-8"}},
		{"list", reflect.TypeFor[flat](), `[1]`, []string{"must be a JSON object, not a list"}},
		{"text", reflect.TypeFor[flat](), `"x"`, []string{"must be a JSON object, not a string"}},
		{"key twice", reflect.TypeFor[flat](), `{"name":"a","name":"b"}`, []string{"name: stands twice; give it once"}},
		{"everything", reflect.TypeFor[flat](), `{"name":"","count":0,"ratio":1.3,"kind":"c","done":"yes","naem":1}`, []string{
			"count: must be at least 1, not 0",
			"done: must be a boolean, not a string",
			`kind: must be one of "a", "b", not "c"`,
			`naem: there is no such field; did you mean "name"?`,
			"name: must have at least 1 character, not 0",
			"ratio: must be a multiple of 0.25, not 1.3",
			"ratio: must be less than 1, not 1.3",
		}},
		{"missing", reflect.TypeFor[flat](), `{"name":"a","kind":"a"}`, []string{"count: is required", "done: is required"}},
		{"required null", reflect.TypeFor[flat](), `{"name":null,"count":1,"kind":"a","done":true}`, []string{"name: must be a string, not null"}},
		{"field names keep their case", reflect.TypeFor[flat](), `{"Name":"a","count":1,"kind":"a","done":true}`, []string{
			`Name: there is no such field; did you mean "name"?`, "name: is required",
		}},
		{"paths", reflect.TypeFor[nested](), `{"spans":[{"start":1},{"start":0,"x":1}],"pair":[1],"grid":[[1,"a"]]}`, []string{
			"grid[0][1]: must be an integer, not a string",
			"pair: must have at least 2 items, not 1",
			"spans[1].start: must be at least 1, not 0",
			"spans[1].x: there is no such field; the fields are start, end",
		}},
		{"null in a list", reflect.TypeFor[nested](), `{"spans":[null],"pair":[1,2],"grid":[]}`, []string{"spans[0]: must be an object, not null"}},
		{"Go types", reflect.TypeFor[special](), `{"when":"2026-01-01T00:00:00Z","addr":"nowhere","id":"00000000-0000-0000-0000-000000000000","raw":"%","site":"https://example.com","colour":"red","small":256,"levels":[],"either":1,"shape":{"name":"n","size":null}}`, []string{
			`addr: "nowhere": ParseAddr("nowhere"): unable to parse IP`,
			"raw: is not base64",
			"small: 256 does not fit; give a smaller whole number",
		}},
		{"formats", reflect.TypeFor[special](), `{"when":"today","addr":"::1","id":"x","site":"a b","colour":"blue","small":-1,"levels":[9],"either":true,"shape":{}}`, []string{
			`colour: must be one of "red", "green", not "blue"`,
			"either: none of the allowed forms: must be a string, not a boolean, or must be a number, not a boolean",
			`id: "x" is no valid uuid`,
			"levels[0]: must be at most 5, not 9",
			"shape.name: is required",
			`site: "a b" is no valid uri`,
			"small: must be at least 0, not -1",
			`when: "today" is no valid date-time`,
		}},
		{"huge exponent", reflect.TypeFor[flat](), `{"name":"a","count":1e999999999,"kind":"a","done":true}`, []string{"count: the number is out of range"}},
		{"tiny exponent", reflect.TypeFor[flat](), `{"name":"a","count":1,"ratio":1e-999999999,"kind":"a","done":true}`, []string{"ratio: the number is out of range"}},
		{"integer overflow", reflect.TypeFor[twice](), `{"A":{"start":99999999999999999999},"B":{"start":1},"C":[]}`, []string{"A.start: 99999999999999999999 does not fit; give a smaller whole number"}},
		{"no fields", reflect.TypeFor[empty](), `{"a":1}`, []string{"a: there is no such field; there are no fields here"}},
		{"russian", reflect.TypeFor[russian](), `{"имя":1,"число":0}`, []string{"имя: must be a string, not a number", "число: must be at least 1, not 0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			into := reflect.New(tt.typ)
			err := describe(t, tt.typ, nil).Decode([]byte(tt.raw), into.Interface())
			var bad *schema.ArgsError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want a *schema.ArgsError", err)
			}
			if diff := cmp.Diff(tt.want, bad.Problems); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if !into.Elem().IsZero() {
				t.Errorf("a failed Decode left %+v", into.Elem())
			}
		})
	}
}

func TestDecodeIntoWrongType(t *testing.T) {
	t.Parallel()
	s := describe(t, reflect.TypeFor[flat](), nil)
	var bad *schema.ArgsError
	for _, into := range []any{nil, flat{}, (*flat)(nil), new(span)} {
		if err := s.Decode([]byte(`{}`), into); err == nil || errors.As(err, &bad) {
			t.Errorf("into %T: got %v, want an error that is no *ArgsError", into, err)
		}
	}
}

type bounded struct {
	Low  int      `json:"low"`
	High int      `json:"high"`
	Tags []string `json:"tags,omitempty"`
}

var errOrder = errors.New("low must be below high")

// Validate changes what it is given, as methods that tidy up do.
func (b *bounded) Validate() error {
	for i := range b.Tags {
		b.Tags[i] = strings.ToLower(b.Tags[i])
	}
	if b.Low >= b.High {
		return errors.Join(errOrder, fmt.Errorf("high must be above %d", b.Low))
	}
	return nil
}

func TestValidate(t *testing.T) {
	t.Parallel()
	start := bounded{Low: 1, High: 2, Tags: []string{"A"}}
	s := describe(t, reflect.TypeFor[bounded](), start)
	got := start
	err := s.Decode([]byte(`{"low":5,"high":3}`), &got)
	var bad *schema.ArgsError
	if !errors.As(err, &bad) || !errors.Is(err, errOrder) {
		t.Fatalf("got %v, want an *ArgsError around errOrder", err)
	}
	if diff := cmp.Diff([]string{"low must be below high", "high must be above 5"}, bad.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if got.Low != 1 {
		t.Errorf("a failed Decode left %+v", got)
	}
	if _, err := s.Fill(nil, &start); err != nil || start.Tags[0] != "A" {
		t.Errorf("Fill: %v, and the defaults are %+v", err, start)
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	start := startDefaults()
	s := describe(t, reflect.TypeFor[defaults](), start)
	for raw, want := range map[string]string{
		`{"text":"<a>"}`: `{"max":5,"kinds":["simple","hard"],"where":{"depth":3,"label":"x"},"text":"<a>"}`,
		`{"text":"a","where":{"label":"y"},"kinds":null,"max": 7.0}`:             `{"max":7,"kinds":["simple","hard"],"where":{"depth":3,"label":"y"},"text":"a"}`,
		`{"inner":{"label":"l"},"text":"a","kinds":[],"where":{"label":"x"}}`:    `{"max":5,"kinds":[],"inner":{"depth":2,"label":"l"},"where":{"depth":3,"label":"x"},"text":"a"}`,
		`{"inner":{"label":"l","depth":0},"kinds":[],"where":null,"text": "a" }`: `{"max":5,"kinds":[],"inner":{"depth":0,"label":"l"},"where":{"depth":3,"label":"x"},"text":"a"}`,
	} {
		got, err := s.Fill([]byte(raw), &start)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", raw, diff)
		}
		again, err := s.Fill(got, &start)
		if err != nil || string(again) != string(got) {
			t.Errorf("Fill of %s is %s, %v; want itself", got, again, err)
		}
	}
	var bad *schema.ArgsError
	if _, err := s.Fill(nil, &start); !errors.As(err, &bad) {
		t.Errorf("a required field is not missed: %v", err)
	}
	if _, err := s.Fill(nil, startDefaults()); err == nil || errors.As(err, &bad) {
		t.Errorf("defaults that are no pointer: %v", err)
	}
	if diff := cmp.Diff(startDefaults(), start, ignoreFuncs); diff != "" {
		t.Errorf("the defaults changed (-want +got):\n%s", diff)
	}
}

// FuzzDecode: whatever a model sends, Decode neither panics nor half-writes,
// and what it accepts survives being filled, sent and decoded again.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		"", "null", "{}", `{"text":"a"}`, `{"max":7,"kinds":["hard"],"inner":{"depth":null,"label":"l"},"where":null,"text":"a","when":"2026-01-01T00:00:00Z"}`,
		`{"max":1e999999999}`, `{"max":5.0,"text":"\ud800"}`, `{"text":"a","text":"b"}`, `[[[[`, `{"kinds":[null]}`, "{\"text\":\"\xff\"}",
	} {
		f.Add([]byte(s))
	}
	s := describe(f, reflect.TypeFor[defaults](), startDefaults())
	f.Fuzz(func(t *testing.T, raw []byte) {
		got := startDefaults()
		err := s.Decode(raw, &got)
		if err != nil {
			var bad *schema.ArgsError
			if !errors.As(err, &bad) || len(bad.Problems) == 0 {
				t.Fatalf("error %v of type %T", err, err)
			}
			if diff := cmp.Diff(startDefaults(), got, ignoreFuncs); diff != "" {
				t.Fatalf("a failed Decode changed its target (-want +got):\n%s", diff)
			}
			return
		}
		start := startDefaults()
		filled, err := s.Fill(raw, &start)
		if err != nil {
			t.Fatalf("Decode accepts %q, Fill does not: %v", raw, err)
		}
		again := startDefaults()
		if err := s.Decode(filled, &again); err != nil {
			t.Fatalf("Fill of %q gave %q, which does not decode: %v", raw, filled, err)
		}
		if diff := cmp.Diff(got, again, ignoreFuncs); diff != "" {
			t.Fatalf("%q and its fill %q differ (-want +got):\n%s", raw, filled, diff)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	s := describe(b, reflect.TypeFor[defaults](), startDefaults())
	raw := []byte(`{"max":7,"kinds":["hard"],"inner":null,"where":null,"text":"a","when":null}`)
	for b.Loop() {
		d := startDefaults()
		if err := s.Decode(raw, &d); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDescribeCached(b *testing.B) {
	for b.Loop() {
		if _, err := schema.Describe(reflect.TypeFor[defaults](), startDefaults()); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleSchema_Decode() {
	type params struct {
		Count int    `json:"count" jsonschema:"minimum=1,maximum=20" jsonschema_description:"How many"`
		Style string `json:"style" jsonschema:"enum=short,enum=long"`
	}
	s, err := schema.Describe(reflect.TypeFor[params](), params{Count: 5})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := params{Count: 5}
	fmt.Println(s.Decode([]byte(`{"count":null,"style":"short"}`), &p), p)
	fmt.Println(s.Decode([]byte(`{"count":99,"stile":"short"}`), &p))
	// Output:
	// <nil> {5 short}
	// count: must be at most 20, not 99; stile: there is no such field; did you mean "style"?; style: is required
}
