package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/model"
)

const bikes = "../documents/bike_rental_en.md"

// call runs the program and returns its exit code and what it wrote.
func call(ctx context.Context, env map[string]string, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	code = run(ctx, &terminal{out: &o, err: &e, env: func(k string) string { return env[k] }}, args)
	return code, o.String(), e.String()
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// refuses is an endpoint that answers every request with one error.
func refuses(t *testing.T, status int, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = fmt.Fprint(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1"
}

func TestBadInputIsOneLineWithTheRightCode(t *testing.T) {
	t.Parallel()
	file := write(t, "file", []byte("x"))
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	ok := func(rest ...string) []string { return append([]string{"generate", "--input", bikes}, rest...) }
	for _, tc := range []struct {
		name string
		args []string
		env  map[string]string
		want string // a part of the line
	}{
		{"no input", []string{"generate"}, nil, "--input is missing"},
		{"no out", []string{"generate", "--input", bikes}, nil, "--out is missing"},
		{"missing file", []string{"generate", "--input", "nowhere.md"}, nil, "does not exist"},
		{"a folder", []string{"generate", "--input", "."}, nil, "is a folder"},
		{"empty", []string{"generate", "--input", write(t, "empty.md", nil)}, nil, "empty"},
		{"blank", []string{"generate", "--input", write(t, "blank.md", []byte("\n \n\t\n"))}, nil, "blank"},
		{"not UTF-8", []string{"generate", "--input", write(t, "cp1251.md", []byte("\xcf\xf0\xe8\xe2\xe5\xf2"))}, nil, "UTF-8"},
		{"binary", []string{"generate", "--input", write(t, "a.bin", []byte("MZ\x00\x01\x02"))}, nil, "NUL"},
		{"50 MB", []string{"generate", "--input", write(t, "big.md", bytes.Repeat([]byte("word "), 10<<20))}, nil, "the limit is 10 MiB"},
		{"no rule in it", []string{"generate", "--input", write(t, "tale.md", []byte("# A tale\n\nOnce upon a time there was a fox in the green wood and it slept.\n"))}, nil, "no rule"},
		{"undecided", []string{"generate", "--input", write(t, "mixed.md", []byte("# Notes\n\nReturns are accepted within 14 days.\n\nDeliveries take 3 working days.\n"))}, nil, "--case"},
		{"out is a file", ok("--out", file), nil, "is a file"},
		{"unwritable out", ok("--out", filepath.Join(file, "below")), nil, "--out"},
		{"unknown flag", ok("--colour", "red"), nil, "flag provided but not defined"},
		{"unknown command", []string{"make"}, nil, "unknown command"},
		{"stray argument", ok("now"), nil, "unexpected argument"},
		{"zero count", ok("--n-use-cases", "0"), nil, "must be above zero"},
		{"negative count", ok("--n-test-cases-per-uc", "-1"), nil, "must be above zero"},
		{"below the minimum", ok("--n-test-cases-per-uc", "2"), nil, "below the minimum of 3"},
		{"zero examples", ok("--n-examples-per-tc", "0"), nil, "must be above zero"},
		{"negative strength", ok("--strength", "-2"), nil, "must be above zero"},
		{"count is no number", ok("--n-use-cases", "many"), nil, `"many" for --n-use-cases: it takes a whole number`},
		{"seed is no number", ok("--seed", "abc"), nil, `"abc" for --seed: it takes a whole number`},
		{"seed is too large", ok("--seed", "99999999999999999999"), nil, "it takes a whole number"},
		{"price is no number", ok("--price-in", "cheap"), nil, "it takes a number"},
		{"timeout without a unit", ok("--call-timeout", "90"), nil, "it takes a duration such as 90s"},
		{"offline is yes or no", ok("--offline=maybe"), nil, "--offline: it takes true or false"},
		{"too strong", ok("--strength", "9"), nil, "datasetgen: --strength: 9 is above 6"},
		{"too few use cases", ok("--n-use-cases", "2"), nil, "datasetgen: --n-use-cases: 2 is below the minimum"},
		{"unknown case", ok("--case", "poet"), nil, "support_bot or operator_quality"},
		{"budget without prices", ok("--budget-usd", "1"), nil, "--price-in and --price-out"},
		{"one price", ok("--price-in", "1"), nil, "belong together"},
		{"record and replay", ok("--record", "a", "--replay", "b"), nil, "exclude each other"},
		{"nothing to record", ok("--record", "a"), nil, "nothing to record"},
		{"replay of nothing", ok("--replay", "nowhere.jsonl"), nil, "cannot be read"},
		{"wrong key", ok("--model", "m", "--base-url", refuses(t, 401, `{"error":{"message":"Incorrect API key provided: sk-secret-0123456789","code":"invalid_api_key"}}`)), map[string]string{"OPENAI_API_KEY": "sk-secret-0123456789"}, "401"},
		{"model refused", ok("--model", "m", "--base-url", refuses(t, 404, `{"error":{"message":"The model m does not exist","code":"model_not_found"}}`)), nil, "does not exist"},
		{"no credit", ok("--model", "m", "--base-url", refuses(t, 429, `{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}`)), nil, "quota"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			args := tc.args
			if args[0] == "generate" && !strings.Contains(strings.Join(args, " "), "--out") && tc.name != "no out" && tc.name != "no input" {
				args = append(args, "--out", out)
			}
			code, stdout, stderr := call(t.Context(), tc.env, args...)
			if code != exitUsage {
				t.Errorf("exit code %d, want %d", code, exitUsage)
			}
			last := stderr[strings.LastIndex(strings.TrimRight(stderr, "\n"), "\n")+1:]
			if !strings.HasPrefix(last, "datasetgen: ") || !strings.Contains(last, tc.want) {
				t.Errorf("the last line is %q, want one with %q", last, tc.want)
			}
			if stdout != "" {
				t.Errorf("it printed %q", stdout)
			}
			if strings.Contains(stderr, "sk-secret") {
				t.Errorf("the key is shown: %s", stderr)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("the output folder was left behind")
			}
		})
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	got := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			got[e.Name()] = "(folder)"
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(b)
	}
	return got
}

// withoutTime leaves out what may differ between two runs.
func withoutTime(t *testing.T, manifest string) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(manifest), &m); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"timestamp", "usage", "input_path", "out_path"} {
		if m[k] == nil {
			t.Errorf("the manifest has no %s", k)
		}
		delete(m, k)
	}
	return m
}

func TestOfflineRunIsRepeatableAndValid(t *testing.T) {
	t.Parallel()
	var runs []map[string]string
	for range 2 {
		out := t.TempDir()
		code, stdout, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out, "--seed", "42")
		if code > exitShortfall {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		if !strings.Contains(stderr, "working offline") || !strings.Contains(stdout, "use cases") {
			t.Errorf("stderr:\n%s\nstdout:\n%s", stderr, stdout)
		}
		runs = append(runs, files(t, out))
		vcode, vout, _ := call(t.Context(), nil, "validate", "--out", out, "--input", bikes)
		if vcode != code {
			t.Errorf("generate ended with %d, validate with %d:\n%s", code, vcode, vout)
		}
	}
	for _, f := range []model.File{model.FileUseCases, model.FilePolicies, model.FileTestCases, model.FileDataset, model.FileCertificate} {
		if diff := cmp.Diff(runs[0][string(f)], runs[1][string(f)]); diff != "" || runs[0][string(f)] == "" {
			t.Errorf("%s differs between two runs, or is empty:\n%s", f, diff)
		}
	}
	if diff := cmp.Diff(withoutTime(t, runs[0]["run_manifest.json"]), withoutTime(t, runs[1]["run_manifest.json"])); diff != "" {
		t.Errorf("manifests differ:\n%s", diff)
	}
	if len(runs[0]) != 6 {
		t.Errorf("%d files, want 6", len(runs[0]))
	}
}

func TestMovedAndRenamedInputKeepsTheIDs(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(bikes)
	if err != nil {
		t.Fatal(err)
	}
	ids := func(path string) (out []string) {
		dir := t.TempDir()
		if code, _, stderr := call(t.Context(), nil, "generate", "--input", path, "--out", dir); code > exitShortfall {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		all := files(t, dir)
		for name, key := range map[string]string{"use_cases.json": "use_cases", "policies.json": "policies", "test_cases.json": "test_cases", "dataset.json": "examples"} {
			var f map[string][]struct{ ID string }
			if err := json.Unmarshal([]byte(all[name]), &f); err != nil {
				t.Fatal(err)
			}
			for _, item := range f[key] {
				out = append(out, item.ID)
			}
			if len(f[key]) == 0 {
				t.Errorf("%s holds nothing", name)
			}
		}
		return out
	}
	a, c := ids(bikes), ids(write(t, "other name.markdown", b))
	if diff := cmp.Diff(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(c))); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

func TestInterruptedRunLeavesTheOldFiles(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if code, _, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out); code > exitShortfall {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	before := files(t, out)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	code, _, stderr := call(ctx, nil, "generate", "--input", bikes, "--out", out, "--seed", "2")
	if code != exitInterrupted || !strings.Contains(stderr, "interrupted") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if diff := cmp.Diff(before, files(t, out)); diff != "" {
		t.Errorf("the old files changed:\n%s", diff)
	}
}

func TestValidateNamesWhatIsBroken(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if code, _, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out); code > exitShortfall {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	edit := func(name, from, to string) {
		t.Helper()
		path := filepath.Join(out, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(b), from, to, 1)
		if changed == string(b) {
			t.Fatalf("%s has no %q", name, from)
		}
		if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	edit("dataset.json", `"role": "user"`, `"role": "operator"`)
	edit("policies.json", `"quote": "`, `"quote": "not `)
	code, stdout, _ := call(t.Context(), nil, "validate", "--out", out, "--input", bikes)
	if code != exitShortfall {
		t.Errorf("exit code %d, want 1", code)
	}
	for _, want := range []string{"dataset.json: ex_", "policies.json: pol_", "[sha256]"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no line with %q:\n%s", want, stdout)
		}
	}
	edit("use_cases.json", "{", "[")
	if code, _, stderr := call(t.Context(), nil, "validate", "--out", out); code != exitUsage || !strings.Contains(stderr, "use_cases.json") {
		t.Errorf("a file that is no JSON: exit code %d: %s", code, stderr)
	}
	if code, _, stderr := call(t.Context(), nil, "validate", "--out", t.TempDir()); code != exitUsage || !strings.Contains(stderr, "missing") {
		t.Errorf("an empty folder: exit code %d: %s", code, stderr)
	}
}

func TestAFolderInTheWayStopsBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if err := os.Mkdir(filepath.Join(out, "dataset.json"), 0o755); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(out, ".partial", "mine.txt")
	if err := os.MkdirAll(filepath.Dir(own), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out)
	if code != exitUsage || !strings.Contains(stderr, "is a folder") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if diff := cmp.Diff(map[string]string{"dataset.json": "(folder)", ".partial": "(folder)"}, files(t, out)); diff != "" {
		t.Errorf("the output folder (-want +got):\n%s", diff)
	}
	if err := os.Remove(filepath.Join(out, "dataset.json")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out); code > exitShortfall {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, err := os.Stat(own); err != nil {
		t.Errorf("a folder that is not ours was removed: %v", err)
	}
}

func TestAMissingCertificateIsNamed(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	if code, _, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out); code > exitShortfall {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if err := os.Remove(filepath.Join(out, "certificate.json")); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := call(t.Context(), nil, "validate", "--out", out)
	if code != exitShortfall || !strings.Contains(stdout, "certificate.json") || !strings.Contains(stdout, "[missing]") || !strings.Contains(stderr, "violations: 1") {
		t.Errorf("exit code %d:\n%s%s", code, stdout, stderr)
	}
}

func TestARenamedDocumentIsOneLine(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	must(t, written, "generate", "--input", bikes, "--out", out)
	b, err := os.ReadFile(bikes)
	if err != nil {
		t.Fatal(err)
	}
	validate := func(input string) (int, string) {
		t.Helper()
		code, got, _ := call(t.Context(), nil, "validate", "--out", out, "--input", input)
		return code, got
	}
	want, as := validate(bikes)
	renamed := write(t, "renamed.md", b)
	code, got := validate(renamed)
	const note = "note: the document is called renamed.md here and bike_rental_en.md in the files; every quotation stands in it\n"
	if rest := strings.Replace(got, note, "", 1); code != want || rest != as || rest == got {
		t.Errorf("exit code %d, as it was named %d, printed:\n%s", code, want, got)
	}
	if code, got := validate(write(t, "renamed.md", bytes.Replace(b, []byte("Port Alden"), []byte("Port Oldham\n\n"), 1))); code != exitShortfall || !strings.Contains(got, "evidence") {
		t.Errorf("renamed and changed: exit code %d, printed:\n%.500s", code, got)
	}
	_, errs := must(t, []int{exitUsage}, "generate", "--input", renamed, "--add-to", out, "--out", filepath.Join(t.TempDir(), "new"))
	if !strings.Contains(lastLine(errs), "give it that name again") {
		t.Errorf("add to: %s", errs)
	}
}

func TestFlagsThatDidNothingAreSaidAtTheEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args []string
		env  map[string]string
		want string // "" for no note
	}{
		{nil, nil, ""},
		{[]string{"--model", "m"}, nil, "so that --model did nothing: no OPENAI_API_KEY"},
		{[]string{"--base-url", "http://localhost:1/v1"}, nil, "so that --base-url did nothing: no model is named"},
		{[]string{"--embedding-model", "e", "--max-calls", "3"}, map[string]string{"OPENAI_API_KEY": "k"}, "so that --embedding-model and --max-calls did nothing: no model is named"},
		{[]string{"--model", "m", "--offline"}, nil, ""},
	} {
		for _, command := range [][]string{
			{"generate", "--input", bikes}, {"import", "--format", "ragas", "--from", ragasEN, "--input", bikeDesk},
		} {
			args := append(append(slices.Clone(command), "--out", filepath.Join(t.TempDir(), "out")), tt.args...)
			code, out, errs := call(t.Context(), tt.env, args...)
			if code > exitShortfall {
				t.Fatalf("%q: exit code %d: %s", args, code, errs)
			}
			if said := strings.Contains(out, "note: no model was used, "); said != (tt.want != "") || !strings.Contains(out, tt.want) {
				t.Errorf("%q: want a note with %q:\n%s", args, tt.want, out)
			}
			if offline := strings.Contains(errs, "texts are made by rules"); offline && command[0] == "import" {
				t.Errorf("an import is told to make texts: %s", errs)
			}
		}
	}
}

func TestTestCasesThatVaryTooLittleAreTold(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	must(t, written, "generate", "--input", bikes, "--out", out)
	saved, err := readRun(out)
	if err != nil {
		t.Fatal(err)
	}
	d := saved.dataset
	var got strings.Builder
	if n := breaches(&got, d); n != 0 || got.Len() > 0 {
		t.Errorf("as it was made, %d: %s", n, got.String())
	}
	first := d.TestCases[0]
	for i := range d.TestCases {
		if tc := &d.TestCases[i]; tc.UseCaseID == first.UseCaseID {
			for _, a := range tc.Axes[1:] {
				tc.Parameters[a] = first.Parameters[a]
			}
		}
	}
	if n := breaches(&got, d); n != strings.Count(got.String(), "\n") || !strings.Contains(got.String(), first.UseCaseID+": of its axes only") || !strings.Contains(got.String(), "[axes_vary]\n") {
		t.Errorf("with one axis that varies, %d: %s", n, got.String())
	}
}
