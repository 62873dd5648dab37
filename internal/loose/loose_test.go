package loose_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/internal/loose"
)

func TestPython(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{`[]`, `[]`},
		{`['a', "it's", 'say "hi"']`, `["a","it's","say \"hi\""]`},
		{`['строка\nвторая', '\u0416\x41\t\\']`, `["строка\nвторая","ЖA\t\\"]`},
		{`'\ud83d\ude00\U0001F600'`, `"😀😀"`},
		{`{'question_type': 'simple', 'seed_document_id': 4, 'ok': True, 'none': None, 'f': 1.5}`, `{"question_type":"simple","seed_document_id":4,"ok":true,"none":null,"f":1.5}`},
		{`{1: 'a', None: 'b', True: 'c'}`, `{"1":"a","null":"b","true":"c"}`},
		{`(1, 2,)`, `[1,2]`},
		{`(1,)`, `[1]`},
		{`()`, `[]`},
		{`[1., .5, -3, +4, 1e5, nan, inf, -inf]`, `[1,0.5,-3,4,1e5,null,null,null]`},
		{`'one ' 'text'`, `"one text"`},
		{`u'a'`, `"a"`},
		{`'''a
'b' '''`, `"a\n'b' "`},
		{`''`, `""`},
		{`'\d\101\0'`, `"\\dA\u0000"`},
		{"[ 'a'\n , ]", `["a"]`},
	}
	for _, tt := range tests {
		got, err := loose.Python(tt.in)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if diff := cmp.Diff(tt.want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.in, diff)
		}
	}
}

func TestPythonRefuses(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		``, `a`, `[a]`, `['a'`, `['a' b]`, `['a'; 'b']`, `{'a'}`, `{'a': 1, 'a': 2}`, `{['a']: 1}`, `(1)`, `'a`, "'a\nb'", `'\ud83d'`, `'\x4'`, `'\N{DASH}'`,
		`open('x')`, `1 + 1`, `012`, `1_000`, `0x10`, `[1 2]`, `[,]`, `True1`, `['a'] x`, `b'a'`, `f'a'`, `'\U00110000'`, strings.Repeat("[", 300),
	} {
		got, err := loose.Python(in)
		var bad *loose.PythonError
		if !errors.As(err, &bad) || bad.Offset > len(in) {
			t.Errorf("%q: %s, %v; want a *PythonError", in, got, err)
		}
	}
}

// FuzzPython: what is read is valid JSON, and read as such again if it holds no
// words that Python spells in another way.
func FuzzPython(f *testing.F) {
	for _, s := range []string{`['a', "b"]`, `{'a': {'b': (1, None)}}`, `'\n\u0041'`, `-1.5e3`, `[[[`, `'''`, `nan`, `{1: 2}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := loose.Python(s)
		if err != nil {
			return
		}
		if !json.Valid(got) {
			t.Fatalf("%q became %s", s, got)
		}
		for _, w := range []string{"true", "false", "null", `\u`, `\/`} {
			if strings.Contains(string(got), w) {
				return
			}
		}
		again, err := loose.Python(string(got))
		if err != nil || string(again) != string(got) {
			t.Fatalf("%q became %s, and that %s (%v)", s, got, again, err)
		}
	})
}

func TestFinite(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`{"a": NaN, "b": [Infinity, -Infinity, 1]}`: `{"a": null, "b": [null, null, 1]}`,
		`{"a": "NaN \" NaN", "NaN": 1}`:             `{"a": "NaN \" NaN", "NaN": 1}`,
		`{"a": 1}`:                                  `{"a": 1}`,
	} {
		if got := string(loose.Finite([]byte(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestTake(t *testing.T) {
	t.Parallel()
	f, err := loose.Parse([]byte(`{"text": 12.50, "bool": true, "list": "['a', 'b']", "single": "a|b", "json": "{\"k\": [1]}", "object": {"k": 1}, "number": "0.5",
		"none": null, "second": "s", "pairs": {"a": 1, "b": "x"}, "kept": [{"x": 1}]}`))
	if err != nil {
		t.Fatal(err)
	}
	var text, boolean, object, second string
	var list, single, kept []string
	var number *float64
	var raw json.RawMessage
	var pairs map[string]string
	for name, ok := range map[string]bool{
		"text": f.TakeText(&text, "text"), "bool": f.TakeText(&boolean, "bool"), "list": f.TakeTexts(&list, "list"),
		"single": f.TakeTexts(&single, "single"), "number": f.TakeNumber(&number, "number"), "raw": f.TakeRaw(&raw, "json"),
		"second": f.TakeText(&second, "none", "second"), "pairs": f.TakePairs(&pairs, "pairs"),
	} {
		if !ok {
			t.Errorf("%s was not taken", name)
		}
	}
	if f.TakeText(&object, "object") || f.TakeTexts(&kept, "kept") || f.TakeText(&object, "absent") {
		t.Error("an object was taken for a text, or a list of objects for texts")
	}
	got := fmt.Sprint(text, boolean, list, single, *number, string(raw), second, pairs, f.Rest())
	want := fmt.Sprint("12.50", "True", []string{"a", "b"}, []string{"a|b"}, 0.5, `{"k":[1]}`, "s", map[string]string{"a": "1", "b": "x"},
		map[string]json.RawMessage{"object": json.RawMessage(`{"k":1}`), "kept": json.RawMessage(`[{"x":1}]`)})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	half, one := 0.5, 1.0
	o := &loose.Object{Rest: map[string]json.RawMessage{"z": []byte("1"), "a": []byte(`"<b>"`), "misfit": []byte("[1]")}}
	o.Put("text", "<&>")
	o.Put("none", "")
	o.PutText("empty", "")
	o.Opt("left out", []string(nil))
	o.Opt("list", []string{})
	o.Put("misfit", "")
	o.Put("half", &half)
	o.Put("one", &one)
	got, err := o.Bytes()
	want := `{"text":"<&>","none":null,"empty":"","list":[],"misfit":[1],"half":0.5,"one":1.0,"a":"<b>","z":1}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s (%v)\nwant %s", got, err, want)
	}
	bad := &loose.Object{Rest: map[string]json.RawMessage{"x": []byte("{")}}
	if _, err := bad.Bytes(); err == nil {
		t.Error("a raw value that is no JSON was written")
	}
}

// FuzzRows: whatever the file is, the rows are in order and each is an object or
// an error.
func FuzzRows(f *testing.F) {
	for _, s := range []string{
		`[{"input":"a"},{"input":}]`, "{\"input\":\"a\"}\n{", "input,expected_output\n\"a\nb\",c\n", `{"goldens":[{"input":1}]}`,
		`{"input":{"0":"a"},"expected_output":{"0":1}}`, `{"columns":["input"],"data":[["a"],[]],"index":["x"]}`, "{\n}\n{\"input\":NaN}", "[[", "\xef\xbb\xbf[", "input;x\n",
		"{'input': 'a'}\n", "[{'input': 'a'}]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, shape := range []loose.Shape{loose.DeepEval, loose.Ragas, loose.Giskard} {
			rows, err := loose.Rows(b, shape)
			var looks *loose.LooksError
			if err != nil && !errors.As(err, &looks) {
				t.Fatal(err)
			}
			line := 0
			for i, r := range rows {
				if r.Index != i || r.Line < max(line, 1) || r.Line > 1+strings.Count(string(b), "\n") {
					t.Fatalf("row %d: index %d, line %d after %d", i, r.Index, r.Line, line)
				}
				line = r.Line
				if _, err := loose.Parse(r.JSON); (err == nil) == (r.Err != nil) {
					t.Fatalf("row %d: %q with the error %v", i, r.JSON, r.Err)
				}
			}
		}
	})
}

func TestRowsAfterAMarkThatIsNeverClosed(t *testing.T) {
	t.Parallel()
	const head = "input,expected_output\r\n"
	for name, tt := range map[string]struct {
		csv  string
		want []string // the rows by their line, "!" for a broken one
	}{
		"first of three":       {head + "\"a,b\nc,d\n\ne,f\n", []string{"2!", "3 c", "5 e"}},
		"after a longer cell":  {head + "\"a\nb\",c\nd,\"e\nf,g\n", []string{"2 a\nb", "4!", "5 f"}},
		"last":                 {head + "a,b\nc,\"d\n", []string{"2 a", "3!"}},
		"two of them":          {head + "\"a,b\nc,d\n\"e,f\ng,h\n", []string{"2!", "3 c", "4!", "5 g"}},
		"a mark inside a cell": {head + "a\"b,c\nd,e\n", []string{"2!", "3 d"}},
	} {
		rows, err := loose.Rows([]byte(tt.csv), loose.DeepEval)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got []string
		for i, r := range rows {
			if r.Index != i {
				t.Errorf("%s: row %d has the index %d", name, i, r.Index)
			}
			if r.Err != nil {
				got = append(got, fmt.Sprintf("%d!", r.Line))
				continue
			}
			f, err := loose.Parse(r.JSON)
			if err != nil {
				t.Fatal(err)
			}
			text, _ := loose.Text(f["input"])
			got = append(got, fmt.Sprintf("%d %s", r.Line, text))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAnEmptyObjectIsCalledSo(t *testing.T) {
	t.Parallel()
	for _, shape := range []loose.Shape{loose.DeepEval, loose.Ragas, loose.Giskard} {
		var looks *loose.LooksError
		if _, err := loose.Rows([]byte("{}"), shape); !errors.As(err, &looks) || looks.Looks != "an empty JSON object" {
			t.Errorf("%s: %v", shape.Name, err)
		}
	}
}
