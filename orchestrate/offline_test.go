package orchestrate_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// offlineDocuments are the project's own documents, and the shared ones where
// they are present.
func offlineDocuments(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	own, err := filepath.Glob("../examples/documents/*.md")
	if err != nil || len(own) < 5 {
		t.Fatalf("%d documents of the project: %v", len(own), err)
	}
	for _, p := range own {
		out[filepath.Base(p)] = p
	}
	shared := os.Getenv("CASEBOOK_SHARED")
	if shared == "" {
		shared = "../../shared"
	}
	for _, name := range []string{"example_input_raw_support_faq_and_tickets.md", "example_input_raw_operator_quality_checks.md", "example_input_raw_doctor_booking.md"} {
		out[name] = filepath.Join(shared, "inputs", name)
	}
	return out
}

func offline(t *testing.T, doc *model.Document, seed int64) *orchestrate.Result {
	t.Helper()
	o, err := orchestrate.New(nil, &orchestrate.Options{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		t.Fatal(err)
	}
	if short != nil {
		t.Logf("shortfall: %s", short.Details())
	}
	return res
}

var digits = regexp.MustCompile(`\d+`)

// TestOfflineDatasetsAreSound holds every document's offline dataset to the
// contract and the invariants.
func TestOfflineDatasetsAreSound(t *testing.T) {
	t.Parallel()
	for name, path := range offlineDocuments(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
				t.Skipf("%s is not here: set CASEBOOK_SHARED to the folder that has inputs/", name)
			}
			doc := parse(t, path)
			res := offline(t, doc, 42)
			d := res.Dataset
			if len(d.UseCases) < 5 || len(d.Policies) < 5 || len(d.Examples) < 15 {
				t.Errorf("%d use cases, %d policies, %d examples", len(d.UseCases), len(d.Policies), len(d.Examples))
			}
			for _, v := range slices.Concat(d.Violations(doc), coverage.CheckIntegrity(d)) {
				t.Errorf("contract: %s", v)
			}
			lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(strings.TrimPrefix(string(doc.Bytes()), "\ufeff"), "\r\n", "\n"), "\r", "\n"), "\n")
			for _, ev := range evidence(d) {
				if want := strings.Join(lines[ev.LineStart-1:ev.LineEnd], "\n"); ev.Quote != want {
					t.Errorf("lines %d-%d (-want +got):\n%s", ev.LineStart, ev.LineEnd, cmp.Diff(want, ev.Quote))
				}
			}
			for i := range d.Examples {
				ex := &d.Examples[i]
				known := strings.Join(lines, "\n") + coverage.InputText(&ex.Input)
				for _, n := range digits.FindAllString(ex.ExpectedOutput, -1) {
					if !strings.Contains(known, n) {
						t.Errorf("%s: the number %s stands neither in the document nor in the input: %s", ex.ID, n, ex.ExpectedOutput)
					}
				}
				for k := range i {
					if s := coverage.Similar(coverage.InputText(&ex.Input), coverage.InputText(&d.Examples[k].Input)); s >= 0.8 {
						t.Errorf("%s and %s are alike (%.2f)", ex.ID, d.Examples[k].ID, s)
					}
				}
			}
			for _, s := range res.Plan.Sources {
				if !slices.ContainsFunc(d.Examples, func(e model.Example) bool { return e.Metadata.Source == s }) {
					t.Errorf("no example of source %s", s)
				}
			}
			for _, f := range res.Plan.Profile.Formats {
				if !slices.ContainsFunc(d.Examples, func(e model.Example) bool { return e.Format == f.Format }) {
					t.Errorf("no example of format %s", f.Format)
				}
			}
			if diff := coverage.Recheck(res.Certificate, d, res.Plan.UseCases); len(diff) > 0 {
				t.Errorf("the certificate does not hold: %v", diff)
			}
			if got := encode(t, offline(t, doc, 42)); got != encode(t, res) {
				t.Error("a second run with the same seed gives other bytes")
			}
			validates(t, res)
		})
	}
}

func evidence(d *model.Dataset) (all []model.Evidence) {
	for _, u := range d.UseCases {
		all = append(all, u.Evidence...)
	}
	for _, p := range d.Policies {
		all = append(all, slices.Concat(p.Evidence, p.Supersedes)...)
	}
	return all
}

// validates checks the files of a run with a validator that shares nothing
// with what wrote them.
func validates(t *testing.T, res *orchestrate.Result) {
	t.Helper()
	files, err := res.Dataset.Encode()
	if err != nil {
		t.Fatal(err)
	}
	m := *res.Manifest
	m.InputPath, m.OutPath, m.Timestamp = "in.md", "out", "2026-01-02T03:04:05Z"
	for f, v := range map[model.File]any{model.FileManifest: &m, model.FileCertificate: res.Certificate} {
		if files[f], err = model.Encode(f, v); err != nil {
			t.Fatal(err)
		}
	}
	for f, b := range files {
		raw := model.Schema(f)
		if f == model.FileCertificate {
			raw = coverage.CertificateSchema()
		}
		schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("schema of %s: %v", f, err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("schema.json", schema); err != nil {
			t.Fatal(err)
		}
		compiled, err := c.Compile("schema.json")
		if err != nil {
			t.Fatal(err)
		}
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(v); err != nil {
			t.Errorf("%s does not follow its schema: %v", f, err)
		}
	}
}

// What stands beside a statement in an answer of the document goes with it: an
// offer beside a denial, an exception beside a rule, however few the sentences.
func TestAnswersByRulesLeaveNoExceptionOut(t *testing.T) {
	t.Parallel()
	doc := parse(t, "../examples/documents/flower_delivery_ru.md")
	o, err := orchestrate.New(nil, &orchestrate.Options{Seed: 42})
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, ex := range res.Dataset.Examples {
		for rule, beside := range map[string]string{"За 6 часов до интервала": "по эскизу", "Курьеру деньги не отдают": "наличными в мастерской"} {
			said := strings.ToLower(ex.ExpectedOutput)
			if !strings.Contains(said, strings.ToLower(rule)) {
				continue
			}
			seen[rule]++
			if !strings.Contains(said, beside) {
				t.Errorf("%q is answered with %q, without %q", ex.Input.Messages[0].Content, ex.ExpectedOutput, beside)
			}
		}
	}
	if len(seen) != 2 {
		t.Errorf("seen only %v", seen)
	}
}
