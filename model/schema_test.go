package model

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/invopop/jsonschema"
	checker2020 "github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite the schemas and golden files")

// schemaOf makes the JSON Schema of a file from the Go type it is written from.
func schemaOf(t *testing.T, f File, v any) []byte {
	t.Helper()
	r := &jsonschema.Reflector{
		Anonymous:                 true,
		ExpandedStruct:            true,
		AllowAdditionalProperties: true, // the contract leaves more fields free
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			switch t {
			case reflect.TypeFor[Value]():
				return &jsonschema.Schema{
					AnyOf:       []*jsonschema.Schema{{Type: "string"}, {Type: "number"}, {Type: "boolean"}},
					Description: "A concrete scalar.",
				}
			case reflect.TypeFor[json.RawMessage]():
				return &jsonschema.Schema{Description: "The generator's own record."}
			}
			return nil
		},
	}
	if err := r.AddGoComments("github.com/casebook-go/casebook/model", "./"); err != nil {
		t.Fatal(err)
	}
	for k, c := range r.CommentMap {
		r.CommentMap[k] = strings.Join(strings.Fields(c), " ")
	}
	s := r.Reflect(v)
	s.Title = string(f)
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSchemasFollowTypes(t *testing.T) {
	t.Parallel()
	for f, v := range map[File]any{
		FileUseCases: useCasesFile{}, FilePolicies: policiesFile{}, FileTestCases: testCasesFile{},
		FileDataset: datasetFile{}, FileManifest: Manifest{},
	} {
		want := schemaOf(t, f, v)
		if *update {
			if err := os.WriteFile(filepath.Join("schema", string(f)), want, 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(string(want), string(Schema(f))); diff != "" {
			t.Errorf("schema/%s is not what the types say; run go test ./model -update (-want +got):\n%s", f, diff)
		}
	}
}

// compiled returns a file's schema in a validator that shares no code with us.
func compiled(t *testing.T, f File) *checker2020.Schema {
	t.Helper()
	doc, err := checker2020.UnmarshalJSON(bytes.NewReader(Schema(f)))
	if err != nil {
		t.Fatal(err)
	}
	c := checker2020.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("file:///"+string(f), doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("file:///" + string(f))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEncodedFilesValidate(t *testing.T) {
	t.Parallel()
	d := sound()
	files, err := d.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m := soundManifest()
	if files[FileManifest], err = Encode(FileManifest, m); err != nil {
		t.Fatal(err)
	}
	for f, b := range files {
		if err := validate(t, f, b); err != nil {
			t.Errorf("%s: %v\n%s", f, err, b)
		}
	}
}

func validate(t *testing.T, f File, b []byte) error {
	t.Helper()
	v, err := checker2020.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return compiled(t, f).Validate(v)
}

// TestSchemasRefuse changes one thing in files that validate.
func TestSchemasRefuse(t *testing.T) {
	t.Parallel()
	files, err := sound().Encode()
	if err != nil {
		t.Fatal(err)
	}
	if files[FileManifest], err = Encode(FileManifest, soundManifest()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		file     File
		old, new string
	}{
		{"missing required", FileUseCases, `"description"`, `"about"`},
		{"empty list", FileUseCases, `"evidence": [`, `"proof": [`},
		{"id of another kind", FileUseCases, `"id": "uc_`, `"id": "pol_`},
		{"id alphabet", FileUseCases, `"id": "uc_`, `"id": "uc_É`},
		{"line zero", FileUseCases, `"line_start": 3`, `"line_start": 0`},
		{"line as text", FileUseCases, `"line_start": 3`, `"line_start": "3"`},
		{"unknown policy type", FilePolicies, `"type": "must"`, `"type": "should"`},
		{"nested parameter", FileTestCases, `"tone": "angry"`, `"tone": {"of": "voice"}`},
		{"null parameter", FileTestCases, `"tone": "angry"`, `"tone": null`},
		{"one axis", FileTestCases, `"tone",`, ``},
		{"no generator", FileTestCases, `"generator"`, `"maker"`},
		{"null target index", FileDataset, `"messages": [`, `"target_message_index": null, "messages": [`},
		{"unknown role", FileDataset, `"role": "user"`, `"role": "customer"`},
		{"content no string", FileDataset, `"content": "`, `"content": 1, "was": "`},
		{"empty output", FileDataset, `"expected_output": "`, `"expected_output": "", "was": "`},
		{"split", FileDataset, `"split": "test"`, `"split": "dev"`},
		{"no timestamp", FileManifest, `"timestamp": "`, `"timestamp": "on `},
		{"seed as text", FileManifest, `"seed": 42`, `"seed": "42"`},
		{"null seed", FileManifest, `"seed": 42`, `"seed": null`},
		{"no counts", FileManifest, `"counts"`, `"numbers"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := strings.Replace(string(files[c.file]), c.old, c.new, 1)
			if b == string(files[c.file]) {
				t.Fatalf("%s does not hold %s:\n%s", c.file, c.old, b)
			}
			if err := validate(t, c.file, []byte(b)); err == nil {
				t.Errorf("%s is accepted with %s in place of %s", c.file, c.new, c.old)
			}
		})
	}
}
