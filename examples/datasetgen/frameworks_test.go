package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/python"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
)

// closedModel are flags of a model that nobody asks: the run ends before.
var closedModel = []string{"--model", "m", "--base-url", "http://127.0.0.1:1/v1"}

func TestFlagsOfFrameworksThatCannotBeMeant(t *testing.T) {
	t.Parallel()
	empty := t.TempDir()
	out := filepath.Join(t.TempDir(), "out")
	generate := func(rest ...string) []string {
		return append(append([]string{"generate", "--input", bikes, "--out", out}, closedModel...), rest...)
	}
	for _, tc := range []struct {
		name string
		args []string
		want []string // parts of the line
	}{
		{"set-up without a folder", []string{"setup-frameworks"}, []string{"--dir is missing"}},
		{"set-up of a stray word", []string{"setup-frameworks", empty}, []string{"unexpected argument"}},
		{"set-up of an unknown one", []string{"setup-frameworks", "--dir", empty, "--only", "deepeval,regas"}, []string{`--only: "regas" is unknown`, "deepeval, ragas, giskard"}},
		{"set-up of one twice", []string{"setup-frameworks", "--dir", empty, "--only", "ragas,ragas"}, []string{"--only names ragas twice"}},
		{"set-up of none", []string{"setup-frameworks", "--dir", empty, "--only", " ,"}, []string{"--only names none"}},
		{"set-up with no such interpreter", []string{"setup-frameworks", "--dir", empty, "--interpreter", filepath.Join(empty, "python")}, []string{"--interpreter", "it is missing", "CPython 3.11"}},
		{"set-up in somebody's folder", []string{"setup-frameworks", "--dir", filepath.Dir(write(t, "ragas", nil))}, []string{"it is a file", "name another"}},

		{"unknown engine", generate("--frameworks", empty, "--engine", "rust"), []string{`--engine: "rust" is no engine`, "deepeval=python,ragas=go"}},
		{"unknown engine of one", generate("--frameworks", empty, "--engine", "ragas=rust"), []string{`"rust" of ragas is unknown`}},
		{"unknown name", generate("--frameworks", empty, "--engine", "regas=python"), []string{`"regas" has no engine`}},
		{"a name with one engine", generate("--frameworks", empty, "--engine", "rules=python"), []string{`"rules" has no engine`}},
		{"a name twice", generate("--frameworks", empty, "--engine", "ragas=python,ragas=go"), []string{"--engine names ragas twice"}},
		{"no engine", generate("--frameworks", empty, "--engine", ""), []string{"--engine is empty"}},
		{"no folder", generate("--engine", "python"), []string{"--engine python needs --frameworks", "setup-frameworks"}},
		{"an empty folder name", generate("--engine", "python", "--frameworks", ""), []string{"--frameworks is empty"}},
		{"a folder for nothing", generate("--frameworks", empty), []string{"--frameworks does nothing"}},
		{"a folder for Go", generate("--frameworks", empty, "--engine", "go"), []string{"--frameworks does nothing"}},
		{"unknown fallback", generate("--frameworks", empty, "--engine", "python", "--engine-fallback", "rules"), []string{`--engine-fallback "rules" is unknown`}},
		{"a fallback of nothing", generate("--engine-fallback", "go"), []string{"--engine-fallback does nothing"}},
		{
			"one that is left out", generate("--frameworks", empty, "--engine", "ragas=python", "--generators", "deepeval"),
			[]string{"--engine names ragas, which --generators leaves out"},
		},
		{"no model", []string{"generate", "--input", bikes, "--out", out, "--offline", "--frameworks", empty, "--engine", "ragas=python"}, []string{"ragas in Python needs a model"}},
		{
			"one is missing", generate("--frameworks", empty, "--engine", "ragas=python,deepeval=go"),
			[]string{"environment of ragas", "it is missing", "run: datasetgen setup-frameworks --dir " + shellWord(empty) + " --only ragas"},
		},
		{
			"all are missing", generate("--frameworks", empty, "--engine", "python"),
			[]string{"deepeval: it is missing; ragas: it is missing; giskard: it is missing", "run: datasetgen setup-frameworks --dir " + shellWord(empty) + " --only deepeval,ragas,giskard"},
		},
		{
			"none that has an engine", generate("--frameworks", empty, "--engine", "python", "--generators", "direct,rules"),
			[]string{"--engine python does nothing: none of --generators has an engine", "deepeval, ragas, giskard"},
		},
		{
			"what is chosen is missing", generate("--frameworks", empty, "--engine", "python", "--generators", "giskard,rules"),
			[]string{"environment of giskard", "--only giskard"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := call(t.Context(), nil, tc.args...)
			if code != exitUsage || stdout != "" || strings.Count(stderr, "\n") > 1 && !strings.HasPrefix(stderr, "working offline") {
				t.Errorf("exit code %d, %s%s", code, stdout, stderr)
			}
			for _, want := range tc.want {
				if !strings.Contains(stderr, want) {
					t.Errorf("%q is not in: %s", want, stderr)
				}
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("something was written")
			}
		})
	}
	if left, err := os.ReadDir(empty); err != nil || len(left) > 0 {
		t.Errorf("the folder has %v, %v", left, err)
	}
}

// Where the application asked for it, a missing environment costs a warning, and
// the run is that of the Go engine.
func TestAMissingEnvironmentFallsBackWhereAsked(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	none := filepath.Join(t.TempDir(), "мои среды")
	code, stdout, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out, "--seed", "42",
		"--n-use-cases", "5", "--n-test-cases-per-uc", "3", "--model", "bridge", "--replay", "../../testdata/replies/methods/mixed_bike_rental_en.jsonl",
		"--frameworks", none, "--engine", "python", "--engine-fallback", "go")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, name := range frameworkNames() {
		want := fmt.Sprintf("warning: %s is made by its Go engine, as --engine-fallback says: python: environment of %s in %s: it is missing; run: datasetgen setup-frameworks --dir '%s' --only deepeval,ragas,giskard\n",
			name, name, filepath.Join(none, name), none)
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is not in:\n%s", want, stderr)
		}
	}
	if strings.Contains(stdout, "by the framework itself") {
		t.Errorf("the summary: %s", stdout)
	}
	for _, g := range manifest(t, out).Generators {
		if g.Engine != "go" {
			t.Errorf("made by %+v", g)
		}
	}
}

func TestReadEngines(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]map[string]string{
		"python":                      {"deepeval": "python", "ragas": "python", "giskard": "python"},
		" go ":                        {"deepeval": "go", "ragas": "go", "giskard": "go"},
		"deepeval=python, ragas = go": {"deepeval": "python", "ragas": "go"},
		"giskard=python,":             {"giskard": "python"},
	} {
		got, err := readEngines(spec)
		if err != nil {
			t.Errorf("%q: %v", spec, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", spec, diff)
		}
	}
}

func FuzzReadEngines(f *testing.F) {
	for _, spec := range []string{"", "python", "go", "deepeval=python,ragas=go", "=", ",,", "ragas=python=go", "ragas"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		engines, err := readEngines(spec)
		if (err == nil) != (len(engines) > 0) {
			t.Fatalf("%v, %v", engines, err)
		}
		for name, engine := range engines {
			if engine != engineGo && engine != enginePython {
				t.Fatalf("%s has the engine %q", name, engine)
			}
		}
	})
}

func TestShellWord(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"":            "''",
		"/srv/frames": "/srv/frames",
		"среды/1":     "среды/1",
		"a b":         "'a b'",
		"it's":        `'it'\''s'`,
		"$(rm -rf ~)": "'$(rm -rf ~)'",
		"a\x1b[2Jb":   "'a\uFFFD[2Jb'",
	} {
		if got := shellWord(word); got != want {
			t.Errorf("%q is %s, want %s", word, got, want)
		}
	}
}

// What uv and pip get of the environment is a list of names: no key is on it.
func TestInstallersGetNoKey(t *testing.T) {
	t.Parallel()
	got := installerEnv(func(name string) string {
		return map[string]string{"OPENAI_API_KEY": "sk-1", "HTTPS_PROXY": "http://proxy", "HOME": "/home/anna", "PYTHONPATH": "/x"}[name]
	})
	if diff := cmp.Diff([]string{"HOME=/home/anna", "HTTPS_PROXY=http://proxy"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSetupSaysWhatItWillDo(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	if err := announce(&b, &python.Plan{
		Dir: "/srv/frames", Python: "3.11.9", Installer: "uv 0.13.9", Bytes: 1_857_000_000,
		Environments: []python.PlannedEnvironment{
			{Framework: "deepeval", Version: "4.1.10", Packages: 66, Bytes: 100_000_000, Present: true},
			{Framework: "ragas", Version: "0.4.3", Packages: 95, Bytes: 640_000_000},
			{Framework: "giskard", Version: "2.19.2", Packages: 142, Bytes: 1_217_000_000},
		},
	}); err != nil {
		t.Fatal(err)
	}
	want := `environments in /srv/frames:
  deepeval 4.1.10: there already, 100 MB
  ragas 0.4.3: 95 packages, about 640 MB
  giskard 2.19.2: 142 packages, about 1217 MB
to install: about 1857 MB, by uv 0.13.9 with Python 3.11.9
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// realFrameworks is the folder of the environments; it skips the test where
// there is none.
func realFrameworks(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("CASEBOOK_FRAMEWORKS")
	if dir == "" {
		t.Skip("CASEBOOK_FRAMEWORKS names no folder that setup-frameworks filled")
	}
	return dir
}

// author is a model that writes what each framework asks it for. It is given
// every use case by the router's pick of one framework.
func author(t *testing.T, framework string) *actor.Author {
	t.Helper()
	doc, err := readDocument(bikes)
	if err != nil {
		t.Fatal(err)
	}
	played, err := actor.New(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	arguments := map[string]string{
		"deepeval": `{"num_goldens":100,"include_expected_output":true,"document_paths":null}`,
		"giskard":  `{"num_questions":100,"document_paths":null}`,
	}[framework]
	played.Calls = func(*llm.Request) []llm.ToolCall {
		return []llm.ToolCall{{ID: "1", Name: "generate_with_" + framework, Arguments: arguments}}
	}
	return &actor.Author{Actor: played}
}

func TestRealEngineMakesADataset(t *testing.T) {
	t.Parallel()
	dir := realFrameworks(t)
	out := filepath.Join(t.TempDir(), "out")
	s := wire.New(t, wire.Client(author(t, "deepeval")), nil)
	code, stdout, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out, "--seed", "42", "--n-use-cases", "5", "--n-test-cases-per-uc", "4",
		"--generators", "deepeval,rules", "--engine", "deepeval=python", "--frameworks", dir, "--model", "author", "--base-url", s.URL())
	if code != exitDone {
		t.Fatalf("exit code %d: %s%s", code, stdout, stderr)
	}
	if left := children(filepath.Join(dir, "deepeval")); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
	items := 0
	for _, g := range manifest(t, out).Generators {
		if g.Name == "deepeval" && g.Engine == "python" && g.Version == "4.1.10" {
			items = g.Items
		}
	}
	if items == 0 || !strings.Contains(stdout, fmt.Sprintf("of these by the framework itself: deepeval 4.1.10 %d\n", items)) {
		t.Errorf("%d items; the summary: %s", items, stdout)
	}
	if code, stdout, stderr := call(t.Context(), nil, "validate", "--out", out, "--input", bikes); code != exitDone {
		t.Errorf("validate: %d, %s%s", code, stdout, stderr)
	}
}

// A run that is interrupted while a framework waits for the model leaves no
// process of it, and the old files.
func TestRealEngineIsStoppedWithTheRun(t *testing.T) {
	t.Parallel()
	dir := realFrameworks(t)
	out := t.TempDir()
	if err := os.WriteFile(filepath.Join(out, string(model.FileDataset)), []byte("[]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	played := author(t, "giskard")
	var asked atomic.Bool
	var workers atomic.Int64
	s := wire.New(t, wire.Client(modelFunc(func(c context.Context, req *llm.Request) (*llm.Response, error) {
		// A prompt that is none of casebook's own is the framework's.
		if actor.Kind(req) == "" && asked.CompareAndSwap(false, true) {
			workers.Store(int64(len(children(dir))))
			cancel(errors.New("interrupt"))
		}
		return played.Complete(c, req)
	})), nil)
	code, _, stderr := call(ctx, nil, "generate", "--input", bikes, "--out", out, "--n-use-cases", "5", "--n-test-cases-per-uc", "3",
		"--generators", "giskard", "--engine", "python", "--frameworks", dir, "--model", "author", "--base-url", s.URL())
	if code != exitInterrupted {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if runtime.GOOS == "linux" && workers.Load() == 0 {
		t.Error("no worker was seen")
	}
	if left := children(filepath.Join(dir, "giskard")); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
	if b, err := os.ReadFile(filepath.Join(out, string(model.FileDataset))); err != nil || string(b) != "[]\n" {
		t.Errorf("the old file: %q, %v", b, err)
	}
}

// children are the command lines of this process's children that name a folder;
// none where the system does not tell.
func children(dir string) []string {
	paths, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	var out []string
	for _, path := range paths {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 2 || fields[1] != fmt.Sprint(os.Getpid()) {
			continue
		}
		line, err := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if err == nil && strings.Contains(string(line), dir) {
			out = append(out, strings.ReplaceAll(string(line), "\x00", " "))
		}
	}
	return out
}
