package model

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	got, err := Encode(FileUseCases, []UseCase{{ID: "uc_a", Case: CaseSupportBot, Name: "<б> & \"в\"", Description: "a\nb"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "use_cases": [
    {
      "id": "uc_a",
      "case": "support_bot",
      "name": "<б> & \"в\"",
      "description": "a\nb",
      "evidence": []
    }
  ]
}
`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, f := range DataFiles() {
		b, err := (&Dataset{}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(string(b[f]), "\": []\n}\n") {
			t.Errorf("%s of an empty dataset is %q", f, b[f])
		}
	}
	b, err := EncodeJSON("certificate.json", struct {
		Gaps  []string          `json:"gaps"`
		By    map[string]string `json:"by"`
		Some  *int              `json:"some"`
		Maybe []string          `json:"maybe,omitempty"`
	}{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), "{\n  \"gaps\": [],\n  \"by\": {},\n  \"some\": null\n}\n"; got != want {
		t.Errorf("EncodeJSON = %q, want %q", got, want)
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	tc := sound().TestCases
	tc[0].Parameters = map[string]Value{"x": Number(math.Inf(1))}
	bad := sound().UseCases
	bad[0].Name = "a\xff"
	for _, c := range []struct {
		name string
		file File
		v    any
		want string
	}{
		{"wrong type", FilePolicies, []UseCase{}, "[]model.UseCase is not what the file holds"},
		{"manifest by value", FileManifest, Manifest{}, "model.Manifest is not what the file holds"},
		{"nil manifest", FileManifest, (*Manifest)(nil), "is not what the file holds"},
		{"infinity", FileTestCases, tc, "the number +Inf has no form in JSON"},
		{"not a number", File("x.json"), math.NaN(), "NaN"},
		{"not UTF-8", FileUseCases, bad, `use_cases[0].name: "a\xff" is not UTF-8`},
	} {
		_, err := Encode(c.file, c.v)
		var e *FileError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), string(c.file)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	d := sound()
	d.Examples[0].Metadata.Native = []byte(`{"a": [1, null]}`)
	at := 0
	d.Examples[0].Input.TargetMessageIndex = &at
	files, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	got, err := DecodeDataset(files)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for f, b := range files {
		if diff := cmp.Diff(string(b), string(again[f])); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f, diff)
		}
	}
	if diff := cmp.Diff(d.TestCases, got.TestCases); diff != "" {
		t.Errorf("test cases (-want +got):\n%s", diff)
	}
	m := soundManifest()
	b, err := Encode(FileManifest, m)
	if err != nil {
		t.Fatal(err)
	}
	var back Manifest
	if err := Decode(FileManifest, b, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(*m, back); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"empty", " \n", "policies.json: the file is empty; generate it again"},
		{"byte order mark", "\ufeff{}", "policies.json:1 (byte 0): the file begins with a byte order mark; save it as UTF-8 without one"},
		{"not UTF-8", "{\n\"a\": \"\xff\"}", "policies.json:2 (byte 8): the file is not UTF-8; save it as UTF-8"},
		{"no JSON", "{\n  policies: []}", "policies.json:2 (byte 4): is no JSON: invalid character 'p'; correct the syntax"},
		{"cut off", `{"policies": [{"id": "pol_a"`, "policies.json:1 (byte 28): policies[0]: the JSON ends too early; the file was cut off: generate it again"},
		{"trailing", `{"policies": []} {}`, "policies.json:1 (byte 18): something follows the JSON value; leave one value in the file"},
		{"missing list", `{"policy": []}`, `policies.json: the list "policies" is missing; the file is one object {"policies": [...]}`},
		{"a list on top", `[]`, "policies.json:1 (byte 1): a JSON array stands where an object is expected; correct the value"},
		{"null list", `{"policies": null}`, "policies.json:1 (byte 17): policies: is null; leave the key out, or give a value"},
		{"repeated key", "{\"policies\": [\n{\"id\": \"pol_a\", \"id\": \"pol_b\"}]}", "policies.json:2 (byte 35): policies[0].id: the key is repeated; keep one of the two"},
		{"wrong type", `{"policies": [{"id": 7}]}`, "policies.json:1 (byte 22): policies.id: a JSON number stands where a string is expected; correct the value"},
		{"fraction of a line", `{"policies": [{"evidence": [{"line_start": 1.5}]}]}`, "policies.json:1 (byte 46): policies.evidence.line_start: a JSON number 1.5 stands where an integer is expected; correct the value"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			kept := []Policy{{ID: "pol_kept"}}
			err := Decode(FilePolicies, []byte(c.text), &kept)
			var e *FileError
			if !errors.As(err, &e) {
				t.Fatalf("error is %v, want a *FileError", err)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(kept) != 1 || kept[0].ID != "pol_kept" {
				t.Errorf("the value was changed to %+v", kept)
			}
		})
	}
	for name, text := range map[string]string{
		"null target index": `{"examples": [{"input": {"target_message_index": null}}]}`,
		"nested repetition": `{"examples": [{"metadata": {"native": {"a": {"b": 1, "b": 2}}}}]}`,
	} {
		var ex []Example
		if err := Decode(FileDataset, []byte(text), &ex); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for _, text := range []string{"null", "[1]", `{"a": 1}`} {
		var tcs []TestCase
		if err := Decode(FileTestCases, []byte(`{"test_cases": [{"parameters": {"x": `+text+`}}]}`), &tcs); err == nil {
			t.Errorf("the parameter %s is accepted", text)
		}
	}
	var wrong []UseCase
	if err := Decode(FilePolicies, []byte(`{"policies": []}`), &wrong); err == nil {
		t.Error("policies are read into use cases")
	}
}

func TestDecodeAllows(t *testing.T) {
	t.Parallel()
	text := `{"examples": [{"id": "ex_a", "mark": null, "metadata": {"generator": "g", "extra": {"role": null}, "native": {"id": null}}}], "more": [null]}`
	var ex []Example
	if err := Decode(FileDataset, []byte(text), &ex); err != nil {
		t.Fatal(err)
	}
	if len(ex) != 1 || ex[0].ID != "ex_a" || string(ex[0].Metadata.Native) != `{"id": null}` {
		t.Errorf("got %+v", ex)
	}
}

func TestDecodeDatasetNamesEveryFile(t *testing.T) {
	t.Parallel()
	_, err := DecodeDataset(map[File][]byte{FileUseCases: []byte("{"), FilePolicies: []byte(`{"policies": []}`)})
	for _, want := range []string{"use_cases.json:1", "test_cases.json: the file is missing", "dataset.json: the file is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %q", err, want)
		}
	}
}

func TestValue(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`"a<b"`: `"a<b"`, `1.50`: `1.5`, `1e3`: `1000`, `-0`: `0`, `123456789`: `123456789`,
		`12345678901234567890`: `12345678901234567890`, `true`: `true`, `1e-9`: `1e-09`,
	} {
		var v Value
		if err := v.UnmarshalJSON([]byte(in)); err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		got, err := v.MarshalJSON()
		if err != nil || string(got) != want {
			t.Errorf("%s is written %s (%v), want %s", in, got, err, want)
		}
	}
	if Number(1000) != func() (v Value) { _ = v.UnmarshalJSON([]byte("1e3")); return v }() {
		t.Error("1e3 is not 1000")
	}
	if String("1").Equal(Number(1)) || String("true").Equal(Bool(true)) {
		t.Error("values of different types are equal")
	}
}

func TestSlug(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		max  int
		want string
	}{
		{"Delivery status", 0, "delivery_status"},
		{"  «Срок доставки»: 2–7 дней!", 0, "srok_dostavki_2_7_dney"},
		{"Щука, ёж и объём", 0, "shchuka_ezh_i_obem"},
		{"Їжак і ґанок, Європа, м'ята", 0, "yizhak_i_ganok_yevropa_myata"},
		{"Crème brûlée für Straße", 0, "creme_brulee_fur_strasse"},
		{"Zażółć gęślą jaźń", 0, "zazolc_gesla_jazn"},
		{"ﬁne ½", 0, "fine_1_2"},
		{"დაბრუნება", 0, "d1e4e875"},
		{"退货 FAQ", 0, "faq_974c9dfd"},
		{"!!!", 0, "2d53a722"},
		{"", 0, "811c9dc5"},
		{"one two three", 9, "one_two"},
		{"abcdefghij", 4, "abcd"},
	} {
		got := Slug(c.text, c.max)
		if got != c.want {
			t.Errorf("Slug(%q, %d) = %q, want %q", c.text, c.max, got, c.want)
		}
	}
	if a, b := Slug("Йод", 0), Slug("И\u0306од", 0); a != b {
		t.Errorf("composed and decomposed letters differ: %q, %q", a, b)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	var s IDs
	s.Reserve("uc_b_2")
	var got []string
	for _, text := range []string{"A", "a!", "a", "b", "b", "b 2", "a 2"} {
		got = append(got, s.Make("uc_", text))
	}
	want := []string{"uc_a", "uc_a_2", "uc_a_3", "uc_b", "uc_b_3", "uc_b_2_2", "uc_a_2_2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What decodes must encode, and decode again to the same.
func FuzzDecode(f *testing.F) {
	files, err := sound().Encode()
	if err != nil {
		f.Fatal(err)
	}
	if files[FileManifest], err = Encode(FileManifest, soundManifest()); err != nil {
		f.Fatal(err)
	}
	for i, name := range append(DataFiles(), FileManifest) {
		f.Add(i, files[name])
		f.Add(i, []byte(`{"`+strings.TrimSuffix(string(name), ".json")+`": [{}]}`))
	}
	f.Add(2, []byte(`{"test_cases": [{"parameters": {"a": 1e400, "b": -0, "c": "\ud800"}}]}`))
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		switch {
		case i == 0:
			roundTrip[[]UseCase](t, FileUseCases, b)
		case i == 1:
			roundTrip[[]Policy](t, FilePolicies, b)
		case i == 2:
			roundTrip[[]TestCase](t, FileTestCases, b)
		case i == 3:
			roundTrip[[]Example](t, FileDataset, b)
		default:
			var m Manifest
			if Decode(FileManifest, b, &m) != nil {
				return
			}
			once, err := Encode(FileManifest, &m)
			if err != nil {
				t.Fatal(err)
			}
			var back Manifest
			if err := Decode(FileManifest, once, &back); err != nil {
				t.Fatalf("%v\n%s", err, once)
			}
			twice, err := Encode(FileManifest, &back)
			if err != nil || !bytes.Equal(once, twice) {
				t.Fatalf("(%v) once:\n%s\ntwice:\n%s", err, once, twice)
			}
		}
	})
}

func roundTrip[T any](t *testing.T, f File, b []byte) {
	t.Helper()
	var v, back T
	if Decode(f, b, &v) != nil {
		return
	}
	once, err := Encode(f, v)
	if err != nil {
		t.Fatal(err)
	}
	if err := Decode(f, once, &back); err != nil {
		t.Fatalf("%v\n%s", err, once)
	}
	twice, err := Encode(f, back)
	if err != nil || !bytes.Equal(once, twice) {
		t.Fatalf("(%v) once:\n%s\ntwice:\n%s", err, once, twice)
	}
	switch v := any(v).(type) { // no panic on whatever was read
	case []UseCase:
		(&Dataset{UseCases: v}).Violations(soundDoc())
	case []Policy:
		(&Dataset{Policies: v}).Violations(soundDoc())
	case []TestCase:
		(&Dataset{TestCases: v}).Violations()
	case []Example:
		(&Dataset{Examples: v}).Violations()
	}
}
