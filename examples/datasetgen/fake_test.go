//go:build linux || darwin

package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/python"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// mainVar is the variable by which the test binary is the program itself.
const mainVar = "DATASETGEN_TEST_MAIN"

// TestMain lets the test binary be the program, and the interpreter of an
// environment: under the name of one it plays a worker, the part that a file of
// its environment names.
func TestMain(m *testing.M) {
	switch {
	case filepath.Base(os.Args[0]) == "python":
		play(os.Args[0])
	case os.Getenv(mainVar) != "":
		main()
	}
	os.Exit(m.Run())
}

// The parts of a worker.
const (
	partBroken = "broken" // it cannot import its framework
	partSilent = "silent" // it ends at once
	partMute   = "mute"   // it is ready, and fails every task
	partMortal = "mortal" // it is ready, and ends at every job
	partSlow   = "slow"   // it is never ready, and says in the file "started" that it runs
)

func play(interpreter string) {
	dir := filepath.Dir(filepath.Dir(interpreter))
	b, err := os.ReadFile(filepath.Join(dir, "part"))
	part, version, ok := strings.Cut(string(b), " ")
	if err != nil || !ok {
		fmt.Fprintf(os.Stderr, "fake: no part %q: %v\n", b, err)
		os.Exit(99)
	}
	in := bufio.NewReader(os.Stdin)
	switch part {
	case partBroken:
		fmt.Println(`{"type":"failed","error":{"kind":"import","type":"ModuleNotFoundError","message":"No module named 'synthesizer'"}}`)
		os.Exit(1)
	case partSilent:
		fmt.Fprintln(os.Stderr, "Illegal instruction")
		os.Exit(3)
	case partSlow:
		if err := os.WriteFile(filepath.Join(dir, "started"), []byte("yes"), 0o600); err != nil {
			os.Exit(99)
		}
		_, _ = io.Copy(io.Discard, in)
		os.Exit(0)
	}
	fmt.Printf(`{"type":"ready","protocol":1,"framework":%q,"version":%q,"python":"3.11.0","packages":{}}`+"\n", filepath.Base(dir), version)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			os.Exit(0)
		}
		if part == partMortal {
			fmt.Fprintln(os.Stderr, "Segmentation fault")
			os.Exit(4)
		}
		var job struct {
			ID    string
			Tasks []struct{ ID string }
		}
		if err := json.Unmarshal(line, &job); err != nil {
			os.Exit(99)
		}
		for _, task := range job.Tasks {
			fmt.Printf(`{"type":"error","job":%q,"task":%q,"error":{"kind":"framework","type":"ValueError","message":"нет вопросов"}}`+"\n", job.ID, task.ID)
		}
		fmt.Printf(`{"type":"result","job":%q,"records":0,"errors":%d}`+"\n", job.ID, len(job.Tasks))
	}
}

// fakeEnvironment puts an environment under dir in which this binary plays a part
// as the framework's worker.
func fakeEnvironment(t *testing.T, dir, framework, part string) {
	t.Helper()
	digest := sha256.New()
	fmt.Fprintf(digest, "layout 1\n")
	version := ""
	for _, name := range map[string][]string{"deepeval": {"deepeval"}, "giskard": {"giskard.build", "giskard"}}[framework] {
		lock, err := os.ReadFile("../../generator/python/locks/" + name + ".lock")
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(digest, "%s %d\n%s", name, len(lock), lock)
		if m := regexp.MustCompile(`(?m)^` + framework + `(?:\[.*\])?==(\S+)`).FindSubmatch(lock); m != nil {
			version = string(m[1])
		}
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	marker, err := json.Marshal(map[string]string{"framework": framework, "version": version, "lock": fmt.Sprintf("%x", digest.Sum(nil))})
	if err != nil {
		t.Fatal(err)
	}
	dir = filepath.Join(dir, framework)
	err = errors.Join(
		os.MkdirAll(filepath.Join(dir, "bin"), 0o755),
		os.Symlink(self, filepath.Join(dir, "bin", "python")),
		os.WriteFile(filepath.Join(dir, "part"), []byte(part+" "+version), 0o600),
		os.WriteFile(filepath.Join(dir, "casebook.json"), marker, 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// framed are the arguments of a run by DeepEval and Giskard in Python.
func framed(dir, out, url string, rest ...string) []string {
	return append([]string{
		"generate", "--input", bikes, "--out", out, "--seed", "42", "--n-use-cases", "5", "--n-test-cases-per-uc", "3",
		"--generators", "deepeval,giskard", "--engine", "python", "--frameworks", dir, "--model", "author", "--base-url", url,
	}, rest...)
}

// A framework that cannot be used is told with what helps, before the model is
// asked anything and anything is written.
func TestAFrameworkThatDoesNotStartStopsTheRun(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, deepeval, giskard string
		want                    string // DIR is the folder
	}{
		{
			"one cannot be imported", partBroken, partMute,
			"--engine: deepeval does not start: ModuleNotFoundError: No module named 'synthesizer'; run: datasetgen setup-frameworks --dir DIR --only deepeval",
		},
		{
			"one ends", partMute, partSilent,
			"--engine: giskard does not start: it ended with status 3 (its last words: Illegal instruction); run: datasetgen setup-frameworks --dir DIR --only giskard",
		},
		{
			"both", partBroken, partSilent,
			"--engine: frameworks do not start (deepeval: ModuleNotFoundError: No module named 'synthesizer'; giskard: it ended with status 3 (its last words: Illegal instruction)); " +
				"run: datasetgen setup-frameworks --dir DIR --only deepeval,giskard",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
			fakeEnvironment(t, dir, "deepeval", tc.deepeval)
			fakeEnvironment(t, dir, "giskard", tc.giskard)
			s := wire.New(t, wire.Client(author(t, "deepeval")), nil)
			code, stdout, stderr := call(t.Context(), nil, framed(dir, out, s.URL())...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit code %d: %s", code, stdout)
			}
			want := "start deepeval, giskard\ndatasetgen: " + strings.ReplaceAll(tc.want, "DIR", shellWord(dir)) + "\n"
			if diff := cmp.Diff(want, stderr); diff != "" {
				t.Errorf("stderr (-want +got):\n%s", diff)
			}
			if n := s.Calls(); n > 0 {
				t.Errorf("the model was asked %d times", n)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("something was written")
			}
		})
	}
}

func TestAFrameworkThatDoesNotStartFallsBackWhereAsked(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	fakeEnvironment(t, dir, "deepeval", partBroken)
	fakeEnvironment(t, dir, "giskard", partMute)
	s := wire.New(t, wire.Client(author(t, "deepeval")), nil)
	code, stdout, stderr := call(t.Context(), nil, framed(dir, out, s.URL(), "--engine-fallback", "go")...)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := "warning: deepeval is made by its Go engine, as --engine-fallback says: it does not start: ModuleNotFoundError: No module named 'synthesizer'; " +
		"run: datasetgen setup-frameworks --dir " + shellWord(dir) + " --only deepeval\n"
	if !strings.Contains(stderr, want) || strings.Contains(stderr, "note:") {
		t.Errorf("%q is not in, or a note is in:\n%s", want, stderr)
	}
	items := 0
	for _, g := range manifest(t, out).Generators {
		if g.Name == "deepeval" && g.Engine == "go" {
			items = g.Items
		}
	}
	if items == 0 {
		t.Errorf("nothing is by the Go engine: %s", stdout)
	}
}

func TestARunIsInterruptedWhileFrameworksStart(t *testing.T) {
	t.Parallel()
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	fakeEnvironment(t, dir, "deepeval", partMute)
	fakeEnvironment(t, dir, "giskard", partSlow)
	started := filepath.Join(dir, "giskard", "started")
	if err := syscall.Mkfifo(started, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		defer cancel()
		if b, err := os.ReadFile(started); err != nil || string(b) != "yes" {
			t.Errorf("the worker says %q, %v", b, err)
		}
	}()
	s := wire.New(t, wire.Client(author(t, "deepeval")), nil)
	code, stdout, stderr := call(ctx, nil, framed(dir, out, s.URL())...)
	if code != exitInterrupted || stdout != "" || !strings.Contains(stderr, "interrupted; nothing was accepted yet") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(out); err == nil || s.Calls() > 0 {
		t.Errorf("something was written (%v), or the model asked", err)
	}
	if left := children(dir); len(left) > 0 {
		t.Errorf("processes are left: %q", left)
	}
}

// A folder that cannot be written is not mended by another set-up.
func TestFrameworksWithoutAFolderForTemporaryFiles(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	fakeEnvironment(t, dir, "deepeval", partMute)
	s := wire.New(t, wire.Client(author(t, "deepeval")), nil)
	t.Setenv("TMPDIR", filepath.Join(dir, "nowhere"))
	code, _, stderr := call(t.Context(), nil, framed(dir, out, s.URL(), "--generators", "deepeval")...)
	if code != exitUsage || !strings.Contains(stderr, "deepeval does not start") || !strings.HasSuffix(stderr, "; see to the folder for temporary files, which TMPDIR names\n") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// A framework that starts and makes nothing is told once, with the reason.
func TestAFrameworkThatMakesNothingIsTold(t *testing.T) {
	t.Parallel()
	for part, want := range map[string]string{
		partMute:   "deepeval failed: ValueError: нет вопросов\n",
		partMortal: "the deepeval worker ended with status 4 before its job did (its last words: Segmentation fault)",
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
			fakeEnvironment(t, dir, "deepeval", part)
			s := wire.New(t, wire.Client(author(t, "deepeval")), nil)
			code, _, stderr := call(t.Context(), nil, framed(dir, out, s.URL(), "--generators", "deepeval,rules")...)
			if code != exitDone {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			if want := "note: deepeval (python) made nothing: " + want; strings.Count(stderr, "note: ") != 1 || !strings.Contains(stderr, want) {
				t.Errorf("%q is not in, or another note is in:\n%s", want, stderr)
			}
		})
	}
}

func TestFailuresOfFrameworksAreCounted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fakeEnvironment(t, dir, "deepeval", partMute)
	e, err := python.New(python.Options{Framework: "deepeval", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	of := func(name string, kept int, err error) orchestrate.Outcome {
		return orchestrate.Outcome{Generator: name, Rows: []string{"r1"}, Kept: kept, Err: err}
	}
	late := fmt.Errorf("%w: %w", generator.ErrTimeout, generator.ErrTimeout)
	lost := &python.WorkerError{Framework: "deepeval", Kind: python.KindStall}
	for _, tc := range []struct {
		name    string
		calls   []orchestrate.Outcome
		refused []model.Refusal
		want    string
	}{
		{"no call", []orchestrate.Outcome{of("ragas", 0, lost), {Generator: "deepeval", Stage: "route", Err: lost}}, nil, ""},
		{"all is well", []orchestrate.Outcome{of("deepeval", 2, nil), of("ragas", 0, lost)}, []model.Refusal{{Generator: "deepeval", Reason: "x"}}, ""},
		{
			"some fail",
			[]orchestrate.Outcome{of("deepeval", 2, nil), of("deepeval", 1, lost), of("deepeval", 0, late), of("deepeval", 0, late), of("deepeval", 3, nil)},
			nil,
			"note: 3 of 5 calls of deepeval (python) failed: the model was too slow; give it longer with --call-timeout\n",
		},
		{
			"all is refused",
			[]orchestrate.Outcome{of("deepeval", 0, nil)},
			[]model.Refusal{{Generator: "ragas", Reason: "a"}, {Generator: "deepeval", Reason: "b\x1b[2J"}, {Generator: "deepeval", Reason: "c: raise Options.CallTimeout"}, {Generator: "deepeval", Reason: "c: raise Options.CallTimeout"}},
			"note: deepeval (python) made nothing: c: raise --call-timeout\n",
		},
		{
			"a long reason",
			[]orchestrate.Outcome{of("deepeval", 0, nil)},
			[]model.Refusal{{Generator: "deepeval", Reason: strings.Repeat("ы\n", 500)}},
			"note: deepeval (python) made nothing: " + strings.Repeat("ы ", 200) + "...\n",
		},
		{"no reason", []orchestrate.Outcome{of("deepeval", 0, nil)}, nil, "note: deepeval (python) made nothing: no reason is known\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var b strings.Builder
			sayFailures(&b, engines{{Engine: e}}, &orchestrate.Result{Outcomes: tc.calls, Refused: tc.refused})
			if diff := cmp.Diff(tc.want, b.String()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A terminal that is closed ends a run as an interrupt does, unless it was
// started to outlive its terminal.
func TestAClosedTerminalInterrupts(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name  string
		shell string // starts the program
		code  int
		want  string
	}{
		{"closed", `exec "$0" "$@"`, exitInterrupted, "interrupted"},
		{"nohup", `trap "" HUP; exec "$0" "$@"`, exitUsage, "401"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir, temp := t.TempDir(), t.TempDir()
			fakeEnvironment(t, dir, "deepeval", partMute)
			var pid atomic.Int64
			begun := make(chan struct{})
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body) // else the end of the client is not seen
				<-begun
				if err := syscall.Kill(int(pid.Load()), syscall.SIGHUP); err != nil {
					t.Error(err)
				}
				if tc.code == exitInterrupted {
					<-r.Context().Done()
				}
				w.WriteHeader(http.StatusUnauthorized)
			}))
			t.Cleanup(s.Close)
			args := append([]string{"-c", tc.shell, self}, framed(dir, filepath.Join(t.TempDir(), "out"), s.URL+"/v1", "--generators", "deepeval")...)
			cmd := exec.CommandContext(t.Context(), "/bin/sh", args...)
			cmd.Env = []string{mainVar + "=1", "TMPDIR=" + temp}
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			pid.Store(int64(cmd.Process.Pid))
			close(begun)
			var exit *exec.ExitError
			if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != tc.code || !strings.Contains(lastLine(stderr.String()), tc.want) {
				t.Errorf("%v: %s", err, stderr.String())
			}
			if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
