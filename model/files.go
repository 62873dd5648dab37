package model

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// File is the name of a file of the contract.
type File string

// The files of a run. The certificate's type lives in package coverage; its
// file is encoded and decoded here like the others.
const (
	FileUseCases    File = "use_cases.json"    // []UseCase under "use_cases"
	FilePolicies    File = "policies.json"     // []Policy under "policies"
	FileTestCases   File = "test_cases.json"   // []TestCase under "test_cases"
	FileDataset     File = "dataset.json"      // []Example under "examples"
	FileManifest    File = "run_manifest.json" // Manifest
	FileCertificate File = "certificate.json"
)

// DataFiles returns the four files that hold a [Dataset], in the order of the
// chain from use cases to examples.
func DataFiles() []File { return []File{FileUseCases, FilePolicies, FileTestCases, FileDataset} }

// Each data file is one object with one list.
type (
	useCasesFile struct {
		UseCases *[]UseCase `json:"use_cases"`
	}
	policiesFile struct {
		Policies *[]Policy `json:"policies"`
	}
	testCasesFile struct {
		TestCases *[]TestCase `json:"test_cases"`
	}
	datasetFile struct {
		Examples *[]Example `json:"examples"`
	}
)

// Encode returns the bytes of a file: UTF-8 JSON without a byte order mark,
// indented by two spaces, HTML not escaped, nil slices and maps written as []
// and {}, with a final newline. For the first four files v is the slice of
// items ([]UseCase for [FileUseCases]), for [FileManifest] a *Manifest, else any
// value. The same v gives the same bytes. The error is a *[FileError].
func Encode(f File, v any) ([]byte, error) {
	var whole any
	ok := true
	switch f {
	case FileUseCases:
		var items []UseCase
		items, ok = v.([]UseCase)
		whole = useCasesFile{&items}
	case FilePolicies:
		var items []Policy
		items, ok = v.([]Policy)
		whole = policiesFile{&items}
	case FileTestCases:
		var items []TestCase
		items, ok = v.([]TestCase)
		whole = testCasesFile{&items}
	case FileDataset:
		var items []Example
		items, ok = v.([]Example)
		whole = datasetFile{&items}
	case FileManifest:
		var m *Manifest
		m, ok = v.(*Manifest)
		ok = ok && m != nil
		whole = m
	default:
		whole = v
	}
	if !ok {
		return nil, &FileError{File: f, Detail: fmt.Sprintf("%T is not what the file holds", v), Remedy: "see the comment of its constant"}
	}
	full, err := complete(reflect.ValueOf(whole), "", 0)
	if err != nil {
		return nil, &FileError{File: f, Path: err.path, Detail: err.detail}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(full.Interface()); err != nil {
		return nil, &FileError{File: f, Detail: "cannot be written as JSON: " + err.Error(), Err: err}
	}
	return b.Bytes(), nil
}

// EncodeJSON is [Encode] for a value of any type under a name of its own.
func EncodeJSON(name string, v any) ([]byte, error) { return Encode(File(name), v) }

func marshalString(s string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

type completeError struct{ path, detail string }

var marshaler = reflect.TypeFor[json.Marshaler]()

// complete returns a copy of v in which no slice or map is nil, and refuses
// strings that are not UTF-8, which encoding/json would change silently.
func complete(v reflect.Value, path string, depth int) (reflect.Value, *completeError) {
	if !v.IsValid() || depth > 100 {
		return v, nil
	}
	t := v.Type()
	if t.Implements(marshaler) {
		return v, nil
	}
	switch v.Kind() {
	case reflect.String:
		if !utf8.ValidString(v.String()) {
			return v, &completeError{path, fmt.Sprintf("%q is not UTF-8", v.String())}
		}
	case reflect.Pointer:
		if v.IsNil() {
			return v, nil
		}
		in, err := complete(v.Elem(), path, depth+1)
		if err != nil {
			return v, err
		}
		out := reflect.New(t.Elem())
		out.Elem().Set(in)
		return out, nil
	case reflect.Interface:
		if v.IsNil() {
			return v, nil
		}
		return complete(v.Elem(), path, depth+1)
	case reflect.Slice, reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 {
			return v, nil
		}
		out := reflect.New(t).Elem()
		if v.Kind() == reflect.Slice {
			out = reflect.MakeSlice(t, v.Len(), v.Len())
		}
		for i := range v.Len() {
			e, err := complete(v.Index(i), path+"["+strconv.Itoa(i)+"]", depth+1)
			if err != nil {
				return v, err
			}
			if e.IsValid() {
				out.Index(i).Set(e)
			}
		}
		return out, nil
	case reflect.Map:
		out := reflect.MakeMapWithSize(t, v.Len())
		for it := v.MapRange(); it.Next(); {
			key := fmt.Sprint(it.Key())
			if !utf8.ValidString(key) {
				return v, &completeError{path, fmt.Sprintf("the key %q is not UTF-8", key)}
			}
			e, err := complete(it.Value(), join(path, key), depth+1)
			if err != nil {
				return v, err
			}
			if !e.IsValid() {
				e = reflect.Zero(t.Elem())
			}
			out.SetMapIndex(it.Key(), e)
		}
		return out, nil
	case reflect.Struct:
		out := reflect.New(t).Elem()
		out.Set(v)
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() {
				continue
			}
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if name == "-" {
				continue
			}
			if name == "" {
				name = f.Name
			}
			e, err := complete(v.Field(i), join(path, name), depth+1)
			if err != nil {
				return v, err
			}
			if e.IsValid() {
				out.Field(i).Set(e)
			}
		}
		return out, nil
	}
	return v, nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// Decode reads a file into what v points at: *[]UseCase and so on for the first
// four files, *Manifest for the manifest, else any pointer. It refuses a byte
// order mark, invalid UTF-8, repeated keys, values of a wrong type, null for a
// field of the contract, a missing list, and anything after the value; unknown
// keys are ignored, as the contract leaves more fields free. On an error, a
// *[FileError], what v points at is not changed.
func Decode(f File, b []byte, v any) error {
	out := reflect.ValueOf(v)
	if out.Kind() != reflect.Pointer || out.IsNil() {
		return &FileError{File: f, Detail: fmt.Sprintf("cannot be read into %T", v), Remedy: "give a pointer"}
	}
	var list string
	fresh := reflect.New(out.Type().Elem())
	into := fresh.Interface()
	ok := true
	switch f {
	case FileUseCases:
		var items *[]UseCase
		items, ok = into.(*[]UseCase)
		list, into = "use_cases", &useCasesFile{items}
	case FilePolicies:
		var items *[]Policy
		items, ok = into.(*[]Policy)
		list, into = "policies", &policiesFile{items}
	case FileTestCases:
		var items *[]TestCase
		items, ok = into.(*[]TestCase)
		list, into = "test_cases", &testCasesFile{items}
	case FileDataset:
		var items *[]Example
		items, ok = into.(*[]Example)
		list, into = "examples", &datasetFile{items}
	case FileManifest:
		_, ok = into.(*Manifest)
	}
	if !ok {
		return &FileError{File: f, Detail: fmt.Sprintf("cannot be read into %T", v), Remedy: "see the comment of its constant"}
	}
	s := scanner{file: f, b: b, list: list}
	if list != "" {
		s.typ = reflect.TypeOf(into)
	}
	if err := s.scan(); err != nil {
		return err
	}
	if err := json.Unmarshal(b, into); err != nil {
		e := &FileError{File: f, Detail: err.Error(), Err: err}
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			e.Path = wrong.Field
			e.Offset, e.Line = int(wrong.Offset), lineOf(b, int(wrong.Offset))
			e.Detail = fmt.Sprintf("a JSON %s stands where %s is expected", wrong.Value, jsonKind(wrong.Type))
			e.Remedy = "correct the value"
		}
		return e
	}
	if list != "" && !s.listed {
		return &FileError{File: f, Detail: fmt.Sprintf("the list %q is missing", list), Remedy: fmt.Sprintf(`the file is one object {"%s": [...]}`, list)}
	}
	out.Elem().Set(fresh.Elem())
	return nil
}

func jsonKind(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.Float32, reflect.Float64:
		return "a number"
	default:
		return "an integer"
	}
}

func lineOf(b []byte, off int) int { return 1 + bytes.Count(b[:min(off, len(b))], []byte("\n")) }

// fieldType returns the type of a key's value in an object of type t; nil when
// the contract says nothing about it.
func fieldType(t reflect.Type, key string) reflect.Type {
	if t == nil {
		return nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return fieldType(t.Elem(), key)
	case reflect.Map:
		return t.Elem()
	case reflect.Struct:
		for i := range t.NumField() {
			if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name == key {
				return t.Field(i).Type
			}
		}
	}
	return nil
}

func elemType(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Slice || t.Elem().Kind() == reflect.Uint8 {
		return nil
	}
	return t.Elem()
}

// scanner checks what encoding/json lets pass.
type scanner struct {
	file   File
	b      []byte
	dec    *json.Decoder
	typ    reflect.Type // whose fields must not be null; may be nil
	list   string       // key that must be there
	listed bool
}

func (s *scanner) fail(path, detail, remedy string, err error) error {
	off := len(s.b)
	if s.dec != nil {
		off = int(s.dec.InputOffset())
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		off = max(int(syntax.Offset)-1, 0)
	}
	for off < len(s.b) && strings.IndexByte(" \t\r\n", s.b[off]) >= 0 {
		off++
	}
	return &FileError{File: s.file, Path: path, Offset: off, Line: lineOf(s.b, off), Detail: detail, Remedy: remedy, Err: err}
}

func (s *scanner) scan() error {
	switch {
	case bytes.HasPrefix(s.b, []byte("\ufeff")):
		return &FileError{File: s.file, Line: 1, Detail: "the file begins with a byte order mark", Remedy: "save it as UTF-8 without one"}
	case len(bytes.TrimSpace(s.b)) == 0:
		return &FileError{File: s.file, Detail: "the file is empty", Remedy: "generate it again"}
	case !utf8.Valid(s.b):
		off := 0
		for off < len(s.b) {
			r, n := utf8.DecodeRune(s.b[off:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			off += n
		}
		return &FileError{File: s.file, Offset: off, Line: lineOf(s.b, off), Detail: "the file is not UTF-8", Remedy: "save it as UTF-8"}
	}
	s.dec = json.NewDecoder(bytes.NewReader(s.b))
	s.dec.UseNumber()
	if err := s.value("", s.typ, 0); err != nil {
		return err
	}
	if _, err := s.dec.Token(); !errors.Is(err, io.EOF) {
		return s.fail("", "something follows the JSON value", "leave one value in the file", err)
	}
	return nil
}

func (s *scanner) value(path string, typ reflect.Type, depth int) error {
	t, err := s.dec.Token()
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return s.fail(path, "the JSON ends too early", "the file was cut off: generate it again", err)
		}
		return s.fail(path, "is no JSON: "+err.Error(), "correct the syntax", err)
	}
	if depth > 1000 {
		return s.fail("", "the JSON is nested too deeply", "no file of the contract is", nil)
	}
	switch t {
	case nil:
		if typ != nil {
			return s.fail(path, "is null", "leave the key out, or give a value", nil)
		}
	case json.Delim('{'):
		seen := map[string]bool{}
		for s.dec.More() {
			k, err := s.dec.Token()
			if err != nil {
				return s.fail(path, "is no JSON: "+err.Error(), "correct the syntax", err)
			}
			name, _ := k.(string)
			if seen[name] {
				return s.fail(join(path, name), "the key is repeated", "keep one of the two", nil)
			}
			seen[name] = true
			if depth == 0 && name == s.list {
				s.listed = true
			}
			if err := s.value(join(path, name), fieldType(typ, name), depth+1); err != nil {
				return err
			}
		}
		return s.end(path)
	case json.Delim('['):
		for i := 0; s.dec.More(); i++ {
			if err := s.value(path+"["+strconv.Itoa(i)+"]", elemType(typ), depth+1); err != nil {
				return err
			}
		}
		return s.end(path)
	}
	return nil
}

func (s *scanner) end(path string) error {
	if _, err := s.dec.Token(); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return s.fail(path, "the JSON ends too early", "the file was cut off: generate it again", err)
		}
		return s.fail(path, "is no JSON: "+err.Error(), "correct the syntax", err)
	}
	return nil
}

// Encode returns the four data files.
func (d *Dataset) Encode() (map[File][]byte, error) {
	out := map[File][]byte{}
	for f, items := range map[File]any{
		FileUseCases: d.UseCases, FilePolicies: d.Policies, FileTestCases: d.TestCases, FileDataset: d.Examples,
	} {
		b, err := Encode(f, items)
		if err != nil {
			return nil, err
		}
		out[f] = b
	}
	return out, nil
}

// DecodeDataset reads the four data files; a missing one is an error. The error
// is a *[FileError], or several joined, one a file.
func DecodeDataset(files map[File][]byte) (*Dataset, error) {
	d := &Dataset{}
	parts := map[File]any{
		FileUseCases: &d.UseCases, FilePolicies: &d.Policies, FileTestCases: &d.TestCases, FileDataset: &d.Examples,
	}
	var errs []error
	for _, f := range DataFiles() {
		b, ok := files[f]
		if !ok {
			errs = append(errs, &FileError{File: f, Detail: "the file is missing", Remedy: "generate it again"})
			continue
		}
		if err := Decode(f, b, parts[f]); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return d, nil
}

//go:embed schema/*.json
var schemas embed.FS

// Schema returns the JSON Schema (draft 2020-12) of a file as it is committed
// beside the package; nil for a file without one.
func Schema(f File) []byte {
	b, err := schemas.ReadFile("schema/" + string(f))
	if err != nil {
		return nil
	}
	return b
}
