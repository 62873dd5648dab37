package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

const (
	teaShop    = "../../adapters/testdata/tea_shop_ru.md"
	bikeDesk   = "../../adapters/testdata/bike_rental_en.md"
	deepevalRU = "../../adapters/deepeval/testdata/dataset_tea_shop_ru.json"
	ragasEN    = "../../adapters/ragas/testdata/docs_bike_rental_en.jsonl"
)

// must runs the program and wants one of the exit codes.
func must(t *testing.T, want []int, args ...string) (out, errs string) {
	t.Helper()
	code, out, errs := call(t.Context(), nil, args...)
	if !slices.Contains(want, code) {
		t.Fatalf("%q: exit code %d, want one of %v: %s%s", args, code, want, out, errs)
	}
	return out, errs
}

var written = []int{exitDone, exitShortfall}

func TestBadExchangeIsOneLineWithTheRightCode(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made := filepath.Join(dir, "made")
	must(t, written, "generate", "--input", bikes, "--out", made)
	letter := write(t, "letter.txt", []byte("Dear team, these are not tests."))
	imp := func(rest ...string) []string {
		return append([]string{"import", "--format", "deepeval", "--input", bikeDesk}, rest...)
	}
	exp := func(rest ...string) []string {
		return append([]string{"export", "--format", "ragas", "--from", made}, rest...)
	}
	for _, tt := range []struct {
		name string
		args []string
		want string // a part of the line
	}{
		{"import: no format", []string{"import"}, "--format is missing"},
		{"import: unknown format", []string{"import", "--format", "promptfoo"}, "deepeval, ragas, giskard"},
		{"import: no file", imp(), "--from is missing"},
		{"import: no input", []string{"import", "--format", "ragas", "--from", ragasEN}, "--input is missing"},
		{"import: missing file", imp("--from", "nowhere.json"), "does not exist"},
		{"import: a folder", imp("--from", "."), "is a folder"},
		{"import: empty", imp("--from", write(t, "a.json", nil)), "empty"},
		{"import: an empty list", imp("--from", write(t, "a.json", []byte("[]"))), "holds no tests"},
		{"import: binary", imp("--from", write(t, "a.json", []byte("PK\x03\x04\x00\x00\x08"))), "looks like"},
		{"import: a letter", imp("--from", letter), "looks like"},
		{"import: not UTF-8", imp("--from", write(t, "a.json", []byte("[{\"input\": \"\xcf\xf0\xe8\"}]"))), "UTF-8"},
		{"import: broken JSON", imp("--from", write(t, "a.json", []byte(`[{"input": "a", `))), "--from"},
		{"import: another tool's file", imp("--from", ragasEN), "samples of Ragas; use --format ragas"},
		{"import: an empty object", imp("--from", write(t, "a.json", []byte("{}"))), "looks like an empty JSON object"},
		{"import: our own file", imp("--from", filepath.Join(made, "dataset.json")), "looks like"},
		{"import: a folder of ours as the file", imp("--from", made), "is a folder"},
		{"import: missing document", []string{"import", "--format", "ragas", "--from", ragasEN, "--input", "nowhere.md"}, "--input nowhere.md does not exist"},
		{"import: unknown case", imp("--from", ragasEN, "--case", "poet"), "support_bot or operator_quality"},
		{"import: nothing fits", []string{"import", "--format", "deepeval", "--input", bikeDesk, "--from", write(t, "f.json", []byte(`[{"input":"Who wrote Faust?","expected_output":"Goethe."}]`))}, "no record could be imported"},
		{"import: out is a file", imp("--from", "../../adapters/deepeval/testdata/goldens_bike_rental_en.json", "--out", letter), "is a file"},
		{"export: no format", []string{"export"}, "--format is missing"},
		{"export: no folder", []string{"export", "--format", "ragas"}, "--from is missing"},
		{"export: no file", exp(), "--to is missing"},
		{"export: missing folder", []string{"export", "--format", "ragas", "--from", "nowhere", "--to", "x"}, "name the folder of a run"},
		{"export: from a file", []string{"export", "--format", "ragas", "--from", letter, "--to", "x"}, "is a file"},
		{"export: from a folder without a dataset", []string{"export", "--format", "ragas", "--from", t.TempDir(), "--to", "x"}, "use_cases.json is missing"},
		{"export: to a folder", exp("--to", dir), "is a folder"},
		{"export: below nothing", exp("--to", filepath.Join(dir, "no", "x.jsonl")), "make it first"},
		{"export: over something else", exp("--to", letter), "holds something else"},
		{"add to nothing", []string{"generate", "--input", bikes, "--add-to", "nowhere"}, "--add-to: nowhere cannot be read"},
		{"add to a file", []string{"generate", "--input", bikes, "--add-to", letter}, "is a file"},
		{"add to an empty folder", []string{"generate", "--input", bikes, "--add-to", t.TempDir()}, "is missing"},
		{"add to a dataset of another document", []string{"generate", "--input", bikeDesk, "--add-to", made}, "another version"},
		{"add to another case", []string{"generate", "--input", bikes, "--add-to", made, "--case", "operator_quality"}, "operator_quality"},
		{"unknown generator", []string{"generate", "--input", bikes, "--generators", "direct,faker"}, `"faker" is unknown; the generators are `},
		{"no generator", []string{"generate", "--input", bikes, "--generators", ","}, "names none"},
		{"empty list of generators", []string{"generate", "--input", bikes, "--generators", ""}, "--generators is empty"},
		{"a generator that needs a model", []string{"generate", "--input", bikes, "--generators", "direct", "--offline"}, "direct needs a model"},
		{"embeddings are not recorded", []string{"generate", "--input", bikes, "--embedding-model", "e", "--record", "x"}, "not recorded"},
		{"embeddings without a price", []string{"generate", "--input", bikes, "--embedding-model", "e", "--budget-usd", "1", "--price-in", "1", "--price-out", "1"}, "--price-embedding"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			args := tt.args
			if args[0] != "export" && !slices.Contains(args, "--out") {
				args = append(slices.Clone(args), "--out", out)
			}
			code, stdout, stderr := call(t.Context(), nil, args...)
			last := lastLine(stderr)
			if code != exitUsage || !strings.HasPrefix(last, "datasetgen: ") || !strings.Contains(last, tt.want) {
				t.Errorf("exit code %d, the last line is %q, want one with %q", code, last, tt.want)
			}
			if stdout != "" && tt.name != "import: nothing fits" {
				t.Errorf("it printed %q", stdout)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("the output folder was left behind")
			}
		})
	}
	t.Cleanup(func() {
		if b, err := os.ReadFile(letter); err != nil || !strings.HasPrefix(string(b), "Dear") {
			t.Errorf("the letter was written over: %q, %v", b, err)
		}
	})
}

func TestImportPrintsWhatBecameOfEachRecord(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		format, from, input string
		code                int
		want                []string // parts of what is printed
	}{
		{"deepeval", deepevalRU, teaShop, exitShortfall, []string{
			"imported 6 of 8\n", "record 5 is refused (place): its contexts state nothing", "record 6 is refused", "made by: deepeval 6",
			"use cases without enough tests:", "policies that no test presses:", "findings:", "--add-to",
		}},
		{"ragas", ragasEN, bikeDesk, exitDone, []string{"imported 6 of 6\n", "made by: ragas 6", "use cases without enough tests:", " of 3 test cases (The customer reports an accident)"}},
		{"giskard", "../../adapters/giskard/testdata/testset_tea_shop_ru.jsonl", teaShop, exitShortfall, []string{"imported 13 of 14\n", "made by: giskard 13"}},
		{"giskard", "../../adapters/giskard/testdata/testset_bike_rental_en.csv", bikeDesk, exitShortfall, []string{"imported 13 of 14\n", "Customer asks about"}},
	} {
		t.Run(filepath.Base(tt.from), func(t *testing.T) {
			t.Parallel()
			var runs []map[string]string
			for range 2 {
				out := t.TempDir()
				code, stdout, stderr := call(t.Context(), nil, "import", "--format", tt.format, "--from", tt.from, "--input", tt.input, "--out", out)
				if code != tt.code {
					t.Fatalf("exit code %d, want %d: %s%s", code, tt.code, stdout, stderr)
				}
				for _, want := range tt.want {
					if !strings.Contains(stdout, want) {
						t.Errorf("it does not say %q:\n%s", want, stdout)
					}
				}
				runs = append(runs, files(t, out))
				vcode, vout, verr := call(t.Context(), nil, "validate", "--out", out, "--input", tt.input)
				if vcode != exitDone || !strings.Contains(vout, "no item breaks the contract") || !strings.Contains(vout, "gaps are left") || strings.Contains(vout, "the contract holds") {
					t.Errorf("validate: exit code %d:\n%s%s", vcode, vout, verr)
				}
			}
			if len(runs[0]) != 6 {
				t.Errorf("%d files, want 6", len(runs[0]))
			}
			for name, text := range runs[0] {
				if name == "run_manifest.json" {
					if diff := cmp.Diff(withoutTime(t, text), withoutTime(t, runs[1][name])); diff != "" {
						t.Errorf("manifests differ:\n%s", diff)
					}
				} else if text != runs[1][name] {
					t.Errorf("%s differs between two imports", name)
				}
			}
		})
	}
}

func TestExportsComeBackAsTheSameFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bike_rental_en", "flower_delivery_ru", "claims_quality_en"} {
		doc := "../documents/" + name + ".md"
		made := t.TempDir()
		must(t, written, "generate", "--input", doc, "--out", made)
		want := files(t, made)
		for format, file := range map[string]string{"deepeval": "t.json", "deepeval ": "t.jsonl", "ragas": "t.jsonl", "giskard": "t.jsonl"} {
			t.Run(name+"/"+format+"/"+file, func(t *testing.T) {
				t.Parallel()
				format := strings.TrimSpace(format)
				dir, back := t.TempDir(), t.TempDir()
				to := filepath.Join(dir, file)
				for range 2 { // over its own file too
					stdout, _ := must(t, []int{exitDone}, "export", "--format", format, "--from", made, "--to", to)
					if side := strings.Contains(stdout, ".casebook.jsonl"); side != (len(files(t, dir)) == 2) || side != (format == "ragas") {
						t.Errorf("files %v, printed %s", files(t, dir), stdout)
					}
				}
				b, err := os.ReadFile(to)
				if err != nil {
					t.Fatal(err)
				}
				if list := json.Valid(b); list != (file == "t.json") {
					t.Errorf("a JSON list: %v:\n%.200s", list, b)
				}
				stdout, _ := must(t, []int{exitDone}, "import", "--format", format, "--from", to, "--input", doc, "--out", back)
				got := files(t, back)
				for _, f := range model.DataFiles() {
					if diff := cmp.Diff(want[string(f)], got[string(f)]); diff != "" || want[string(f)] == "" {
						t.Errorf("%s (-made +imported):\n%s", f, diff)
					}
				}
				if !strings.Contains(stdout, "imported ") || strings.Contains(stdout, "refused") {
					t.Errorf("printed:\n%s", stdout)
				}
			})
		}
	}
}

func TestWithoutItsSideFileATestIsAForeignOne(t *testing.T) {
	t.Parallel()
	made, back, to := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "t.jsonl")
	must(t, written, "generate", "--input", bikes, "--out", made)
	must(t, []int{exitDone}, "export", "--format", "ragas", "--from", made, "--to", to)
	if err := os.WriteFile(sidePath(to), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, stderr := must(t, []int{exitUsage}, "import", "--format", "ragas", "--from", to, "--input", bikes, "--out", back)
	if last := lastLine(stderr); !strings.Contains(last, ".casebook.jsonl cannot be used") || !strings.Contains(last, "move it away") {
		t.Errorf("a broken side file: %s", last)
	}
	if err := os.Remove(sidePath(to)); err != nil {
		t.Fatal(err)
	}
	stdout, _ := must(t, written, "import", "--format", "ragas", "--from", to, "--input", bikes, "--out", back)
	if !strings.Contains(stdout, "made by: ragas") {
		t.Errorf("printed:\n%s", stdout)
	}
	must(t, []int{exitDone}, "validate", "--out", back, "--input", bikes)
}

// items are the items of a folder's data files as they are written, by id.
func items(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, f := range model.DataFiles() {
		var file map[string][]json.RawMessage
		if err := json.Unmarshal([]byte(files(t, dir)[string(f)]), &file); err != nil {
			t.Fatal(err)
		}
		for _, list := range file {
			for _, raw := range list {
				var item struct{ ID string }
				if err := json.Unmarshal(raw, &item); err != nil {
					t.Fatal(err)
				}
				out[item.ID] = string(raw)
			}
		}
	}
	return out
}

func TestAddToKeepsEveryByteOfWhatIsThere(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ format, from, input string }{
		"en": {"ragas", ragasEN, bikeDesk}, "ru": {"deepeval", deepevalRU, teaShop},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tests, more := t.TempDir(), t.TempDir()
			must(t, written, "import", "--format", tt.format, "--from", tt.from, "--input", tt.input, "--out", tests)
			before := files(t, tests)
			have := items(t, tests)
			for _, out := range []string{more, tests} { // the same folder last
				stdout, _ := must(t, written, "generate", "--input", tt.input, "--add-to", tests, "--out", out)
				if !strings.Contains(stdout, "rules") || !strings.Contains(stdout, tt.format) {
					t.Errorf("made by others:\n%s", stdout)
				}
				got := items(t, out)
				if len(got) <= len(have) {
					t.Errorf("%d items, there were %d", len(got), len(have))
				}
				for id, want := range have {
					if got[id] != want {
						t.Errorf("%s changed (-before +after):\n%s", id, cmp.Diff(want, got[id]))
					}
				}
				if out == more {
					if diff := cmp.Diff(before, files(t, tests)); diff != "" {
						t.Errorf("the folder that was added to changed:\n%s", diff)
					}
				}
				_, vout, _ := call(t.Context(), nil, "validate", "--out", out, "--input", tt.input)
				for line := range strings.Lines(vout) {
					if strings.HasSuffix(line, "]\n") && !strings.HasSuffix(line, "[shortfall]\n") {
						t.Errorf("validate: %s", line)
					}
				}
			}
			if n := len(files(t, tests)); n != 6 {
				t.Errorf("%d files, want 6", n)
			}
		})
	}
}

func TestAddToWithAModelReadsTheDocumentNoMore(t *testing.T) {
	t.Parallel()
	s := wire.New(t, wire.Client(writer(t)), nil)
	made := t.TempDir()
	must(t, written, "generate", "--input", bikes, "--out", made)
	have := items(t, made)
	must(t, written, online(s, made, "--add-to", made)...)
	got := items(t, made)
	for id, want := range have {
		if got[id] != want {
			t.Errorf("%s changed (-before +after):\n%s", id, cmp.Diff(want, got[id]))
		}
	}
	// Use cases that rules could not fill are gaps too.
	if n := len(strings.Split(files(t, made)["use_cases.json"], `"id": "uc_`)); n <= len(slices.DeleteFunc(slices.Sorted(maps.Keys(have)), func(id string) bool { return !strings.HasPrefix(id, "uc_") }))+1 {
		t.Errorf("no use case was added to %d", n-1)
	}
	m := manifest(t, made)
	for purpose, n := range m.Usage.ByPurpose {
		if strings.HasPrefix(purpose, "extract") {
			t.Errorf("%d calls for %s", n, purpose)
		}
	}
	if m.Usage.Calls == 0 || m.Routing != "model" || m.Usage.ByPurpose["route"] == 0 {
		t.Errorf("%d calls, routing %q: %v", m.Usage.Calls, m.Routing, m.Usage.ByPurpose)
	}
}

func TestAnInterruptedAddToLeavesTheTests(t *testing.T) {
	t.Parallel()
	tests := t.TempDir()
	must(t, written, "import", "--format", "ragas", "--from", ragasEN, "--input", bikeDesk, "--out", tests)
	before := files(t, tests)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, stderr := call(ctx, nil, "generate", "--input", bikeDesk, "--add-to", tests, "--out", tests)
	if code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	after := files(t, tests)
	delete(after, ".partial")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the tests changed:\n%s", diff)
	}
	code, _, stderr = call(ctx, nil, "import", "--format", "ragas", "--from", ragasEN, "--input", bikeDesk, "--out", tests)
	if code != exitInterrupted {
		t.Errorf("import: exit code %d: %s", code, stderr)
	}
}

func TestScenariosNeedAModel(t *testing.T) {
	t.Parallel()
	const scenarios = "../../adapters/deepeval/testdata/conversational_bike_rental_en.json"
	args := func(out string, rest ...string) []string {
		return append([]string{"import", "--format", "deepeval", "--from", scenarios, "--input", bikeDesk, "--case", "support_bot", "--out", out}, rest...)
	}
	out := filepath.Join(t.TempDir(), "out")
	stdout, _ := must(t, []int{exitUsage}, args(out)...)
	if !strings.Contains(stdout, "imported 0 of 4") || strings.Count(stdout, "a model is needed") != 4 {
		t.Errorf("printed:\n%s", stdout)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("the output folder was left behind")
	}

	a := writer(t)
	key := regexp.MustCompile(`<scenario key="(s\d+)">\n(.*)\n`)
	s := wire.New(t, wire.Client(modelFunc(func(c context.Context, req *llm.Request) (*llm.Response, error) {
		if !strings.Contains(req.Messages[0].Content, "first message of the person") {
			return a.Complete(c, req)
		}
		var list []map[string]string
		for _, m := range key.FindAllStringSubmatch(req.Messages[1].Content, -1) {
			list = append(list, map[string]string{"key": m[1], "message": "Hello, I have this with my booking: " + m[2]})
		}
		b, err := json.Marshal(map[string]any{"messages": list})
		return &llm.Response{Text: string(b)}, err
	})), nil)
	recorded, replayed, record := t.TempDir(), t.TempDir(), filepath.Join(t.TempDir(), "calls.jsonl")
	stdout, _ = must(t, written, args(recorded, "--model", "actor", "--base-url", s.URL(), "--record", record)...)
	if strings.Contains(stdout, "imported 0") || strings.Contains(stdout, "scenario") {
		t.Errorf("printed:\n%s", stdout)
	}
	must(t, written, args(replayed, "--replay", record)...)
	for _, f := range append(model.DataFiles(), model.FileCertificate) {
		if diff := cmp.Diff(files(t, recorded)[string(f)], files(t, replayed)[string(f)]); diff != "" {
			t.Errorf("%s (-recorded +replayed):\n%s", f, diff)
		}
	}
	if n := manifest(t, recorded).Usage.ByPurpose["import_opening"]; n != 1 {
		t.Errorf("%d calls for four scenarios", n)
	}
}

func TestGeneratorsAreChosenByName(t *testing.T) {
	t.Parallel()
	for list, want := range map[string][]string{"": nil, "rules": {"rules"}, " rules , direct": {"direct", "rules"}, "rules,rules": {"rules"}} {
		gens, err := chooseGenerators(list, &orchestrate.Options{Client: modelFunc(nil)})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, g := range gens {
			got = append(got, g.Spec().Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", list, diff)
		}
	}
	out := t.TempDir()
	must(t, written, "generate", "--input", bikes, "--out", out, "--generators", "rules")
	if diff := cmp.Diff([]string{"rules"}, manifest(t, out).FrameworksUsed); diff != "" {
		t.Errorf("frameworks used (-want +got):\n%s", diff)
	}
}

// Every file that the three frameworks really wrote is imported: nine records
// of ten, or each refusal is for a true reason.
func TestSharedFixturesAreImported(t *testing.T) {
	t.Parallel()
	shared := os.Getenv("CASEBOOK_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	if _, err := os.Stat(filepath.Join(shared, "fixtures")); err != nil {
		t.Skipf("the files of the frameworks are not here: %v; name their folder in CASEBOOK_SHARED", err)
	}
	inputs := filepath.Join(shared, "inputs")
	for _, tt := range []struct{ pattern, input string }{
		{"*/*bike_rental_en*", filepath.Join(shared, "fixtures/documents/bike_rental_en.md")},
		{"*/*tea_shop_ru*", filepath.Join(shared, "fixtures/documents/tea_shop_ru.md")},
		{"support_ru/*", filepath.Join(inputs, "example_input_raw_support_faq_and_tickets.md")},
	} {
		paths, err := filepath.Glob(filepath.Join(shared, "fixtures", tt.pattern))
		if err != nil || len(paths) == 0 {
			t.Fatal(tt.pattern, err)
		}
		for _, path := range paths {
			format := filepath.Base(filepath.Dir(path))
			if format == "documents" || strings.HasSuffix(path, "_kg.json") {
				continue
			}
			if format == "support_ru" {
				format, _, _ = strings.Cut(strings.ReplaceAll(filepath.Base(path), "_", "."), ".")
			}
			t.Run(strings.TrimPrefix(path, shared), func(t *testing.T) {
				t.Parallel()
				out := t.TempDir()
				code, stdout, stderr := call(t.Context(), nil, "import", "--format", format, "--from", path, "--input", tt.input, "--out", out)
				var kept, all int
				if _, err := fmt.Sscanf(stdout, "imported %d of %d", &kept, &all); err != nil || all == 0 {
					t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
				}
				for line := range strings.Lines(stdout) {
					if strings.HasPrefix(line, "record ") && !strings.Contains(line, "they are headings") && !strings.Contains(line, "a model is needed") {
						t.Errorf("%d of %d: %s", kept, all, line)
					}
				}
				if kept == 0 {
					return
				}
				if vcode, vout, verr := call(t.Context(), nil, "validate", "--out", out, "--input", tt.input); vcode != exitDone {
					t.Errorf("validate: exit code %d:\n%s%s", vcode, vout, verr)
				}
			})
		}
	}
}

// A file of tests of several documents: what one refuses, another takes.
func TestTestsOfSeveralDocuments(t *testing.T) {
	t.Parallel()
	shared := os.Getenv("CASEBOOK_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	from := filepath.Join(shared, "fixtures/ragas/multihop_inputs.jsonl")
	if _, err := os.Stat(from); err != nil {
		t.Skipf("the files of the frameworks are not here: %v; name their folder in CASEBOOK_SHARED", err)
	}
	inputs, err := filepath.Glob(filepath.Join(shared, "inputs/*.md"))
	if err != nil || len(inputs) == 0 {
		t.Fatal(inputs, err)
	}
	refused, total := map[int]int{}, 0
	for _, input := range inputs {
		_, stdout, _ := call(t.Context(), nil, "import", "--format", "ragas", "--from", from, "--input", input, "--out", t.TempDir())
		kept := 0
		if _, err := fmt.Sscanf(stdout, "imported %d of %d", &kept, &total); err != nil {
			t.Fatalf("%s: %s", input, stdout)
		}
		for line := range strings.Lines(stdout) {
			var index int
			if _, err := fmt.Sscanf(line, "record %d is refused", &index); err == nil {
				refused[index]++
			}
		}
	}
	for index, n := range refused {
		if n == len(inputs) {
			t.Errorf("record %d is refused with every document", index)
		}
	}
	if total == 0 || len(refused) == 0 {
		t.Errorf("%d records, refused %v", total, refused)
	}
}

func TestASideFileIsWrittenWhole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := replace([]string{filepath.Join(dir, "a"), filepath.Join(dir, "no", "b")}, [][]byte{[]byte("a"), []byte("b")}); err == nil {
		t.Error("a file below no folder was written")
	}
	if got := files(t, dir); len(got) > 0 {
		t.Errorf("left behind: %v", got)
	}
	if err := replace([]string{filepath.Join(dir, "a"), filepath.Join(dir, "b")}, [][]byte{[]byte("a"), []byte("b")}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"a": "a", "b": "b"}, files(t, dir)); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal([]byte(sidePath("x.jsonl")), []byte("x.jsonl.casebook.jsonl")) {
		t.Error(sidePath("x.jsonl"))
	}
}
