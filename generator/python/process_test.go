//go:build linux || darwin

package python

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// theatre is an environment whose interpreter plays a part, and a pool on it.
type theatre struct {
	env  *Environment
	temp string
	*pool
}

// play runs fn on a pool of fake workers, closes the pool and then looks for what
// must not be left: processes, goroutines, files.
func play(t *testing.T, part string, o poolOptions, fn func(ctx context.Context, th *theatre)) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(bin, "python")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "part"), []byte(part), 0o600); err != nil {
		t.Fatal(err)
	}
	playIn(t, &Environment{Framework: "fake", Version: "1.2.3", Dir: dir, Interpreter: filepath.Join(bin, "python")}, o, fn)
}

// bound is the time within which everything of a test must have ended.
const bound = time.Minute

func playIn(t *testing.T, env *Environment, o poolOptions, fn func(ctx context.Context, th *theatre)) {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(t.Context(), bound, errors.New("the test's own deadline"))
	defer cancel()
	o.Temp = t.TempDir()
	// Goroutines inherit labels, so that those of tests beside this one do not count.
	label := t.Name()
	pprof.Do(ctx, pprof.Labels("theatre", label), func(ctx context.Context) {
		th := &theatre{env: env, temp: o.Temp, pool: newPool(env, o)}
		defer func() {
			if err := th.close(); err != nil {
				t.Errorf("close: %v", err)
			}
		}()
		fn(ctx, th)
	})
	if err := context.Cause(ctx); err != nil {
		t.Errorf("took too long: %v", err)
	}
	left, err := os.ReadDir(o.Temp)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
	eventually(t, "no goroutine is left", func() error {
		var b bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&b, 1); err != nil {
			return err
		}
		for group := range strings.SplitSeq(b.String(), "\n\n") {
			if strings.Contains(group, strconv.Quote(label)) {
				return errors.New(group)
			}
		}
		return nil
	})
	for who, pids := range notes(t, env) {
		for _, pid := range pids {
			if who == "worker" && syscall.Kill(pid, 0) == nil {
				t.Errorf("worker %d is there, or was not waited for", pid)
			}
			if who == "child" {
				eventually(t, "the child is dead", func() error { return running(pid) })
			}
		}
	}
}

// running is an error if a process lives. One that nobody waits for does not.
func running(pid int) error {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err == nil && bytes.Contains(stat, []byte(") Z ")) {
		return nil
	}
	return fmt.Errorf("process %d lives", pid)
}

// notes are the process ids that workers wrote down, by who they are.
func notes(t *testing.T, env *Environment) map[string][]int {
	t.Helper()
	out := map[string][]int{}
	f, err := os.Open(filepath.Join(env.Dir, "pids"))
	if err != nil {
		return out
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		who, pid, _ := strings.Cut(s.Text(), " ")
		n, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		out[who] = append(out[who], n)
	}
	return out
}

// eventually waits until a condition of the operating system holds, which
// nothing tells.
func eventually(t *testing.T, what string, holds func() error) {
	t.Helper()
	ticker := time.NewTicker(2 * time.Millisecond)
	defer ticker.Stop()
	limit := time.After(bound)
	for {
		err := holds()
		if err == nil {
			return
		}
		select {
		case <-ticker.C:
		case <-limit:
			t.Fatalf("never: %s: %v", what, err)
		}
	}
}

// twoTasks is a job of tasks a and b.
func twoTasks() *job {
	return &job{Op: "make", Endpoint: endpoint{URL: "http://127.0.0.1:1/v1", Token: "token-of-the-job"}, Concurrency: 2, Tasks: []task{
		{ID: "a", Seed: 1, Body: json.RawMessage(`"первая"`)}, {ID: "b", Seed: 1 << 62, Body: json.RawMessage(`{"n":2}`)},
	}}
}

// text is the reply of a fake worker's record.
func text(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var r struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	return r.Text
}

// texts are the records of a job, and how its tasks ended.
func texts(t *testing.T, r *replies) []string {
	t.Helper()
	var out []string
	for i := range r.Tasks {
		s := fmt.Sprint(r.Tasks[i].Ended)
		for _, rec := range r.Tasks[i].Records {
			s += " " + text(t, rec)
		}
		if r.Tasks[i].Err != nil {
			s += " " + r.Tasks[i].Err.Error()
		}
		out = append(out, s)
	}
	return out
}

func TestRun(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		part string
		want []string
	}{
		"in order":   {"obedient", []string{`true "первая"`, `true {"n":2}`}},
		"mixed":      {"mixed", []string{"true one two python: fake failed: ValueError: no such thing", "true one two"}},
		"much noise": {"chatty", []string{`true "первая"`, `true {"n":2}`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, c.part, poolOptions{}, func(ctx context.Context, th *theatre) {
				for range 3 {
					j := twoTasks()
					var progress []string
					j.Progress = func(done, total int) { progress = append(progress, fmt.Sprint(done, "/", total)) }
					got, err := th.run(ctx, j, nil)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(c.want, texts(t, got)); diff != "" {
						t.Errorf("replies (-want +got):\n%s", diff)
					}
					if c.part == "mixed" {
						if diff := cmp.Diff([]string{"0/2", "1/2"}, progress); diff != "" {
							t.Errorf("progress (-want +got):\n%s", diff)
						}
					}
				}
				if n := len(notes(t, th.env)["worker"]); n != 1 {
					t.Errorf("three jobs took %d workers, want 1", n)
				}
			})
		})
	}
}

func TestRunOfNoTasks(t *testing.T) {
	t.Parallel()
	play(t, "obedient", poolOptions{}, func(ctx context.Context, th *theatre) {
		if got, err := th.run(ctx, &job{}, nil); err != nil || len(got.Tasks) != 0 {
			t.Errorf("run = %+v, %v", got, err)
		}
	})
}

// TestFaults holds what every fault of a worker comes to: a typed error in
// bounded time, what had arrived, and nothing left.
func TestFaults(t *testing.T) {
	t.Parallel()
	const none, first = "false|false", `true "первая"|false`
	for part, c := range map[string]struct {
		o      poolOptions
		kind   Kind
		exit   int
		signal string
		want   string // in the error's text
		got    string // replies; "" means that the first task had ended
	}{
		"hang":           {o: poolOptions{Start: 300 * time.Millisecond}, kind: KindTimeout, exit: -1, want: "nothing within 300ms; raise Options.Start", got: none},
		"exit-at-once":   {kind: KindExit, exit: 3, want: "status 3", got: none},
		"failed":         {kind: KindImport, exit: -1, want: "could not import the framework: python: fake failed: ImportError: no module named x; make its environment anew with python.Setup", got: none},
		"first-garbage":  {kind: KindProtocol, exit: -1, want: "a line is no message", got: none},
		"first-record":   {kind: KindProtocol, exit: -1, want: `its first message is "record"`, got: none},
		"protocol-2":     {kind: KindProtocol, exit: -1, want: "it speaks protocol 2 instead of 1", got: none},
		"framework":      {kind: KindProtocol, exit: -1, want: `it runs "other"`, got: none},
		"version":        {kind: KindProtocol, exit: -1, want: `it runs version "1.2.4" instead of "1.2.3"`, got: none},
		"closed-at-once": {o: poolOptions{Grace: 100 * time.Millisecond}, kind: KindProtocol, exit: -1, want: "it closed its output and lives on", got: none},

		"garbage":        {kind: KindProtocol, exit: -1, want: "a line is no message"},
		"blank-line":     {kind: KindProtocol, exit: -1, want: "a line is no message"},
		"NUL":            {kind: KindProtocol, exit: -1, want: "a line is no message"},
		"no-UTF-8":       {kind: KindProtocol, exit: -1, want: "a line is not UTF-8", got: `true "первая"|false ?`},
		"no-object":      {kind: KindProtocol, exit: -1, want: "a record is no object"},
		"unknown-type":   {kind: KindProtocol, exit: -1, want: `has the type "finished"`},
		"unknown-task":   {kind: KindProtocol, exit: -1, want: `of task "z"`},
		"other-job":      {kind: KindProtocol, exit: -1, want: `of job "j7" instead of "j1"`},
		"ended-twice":    {kind: KindProtocol, exit: -1, want: `of task "a", which had ended`},
		"late-record":    {kind: KindProtocol, exit: -1, want: `of task "a", which had ended`},
		"second-ready":   {kind: KindProtocol, exit: -1, want: `"ready" comes in the middle of a job`},
		"early-result":   {kind: KindProtocol, exit: -1, want: `before the end of task "b"`},
		"wrong-count":    {kind: KindProtocol, exit: -1, want: "counts 2 records and 0 errors where 1 and 0 came", got: `true "первая"|true`},
		"below-zero":     {kind: KindProtocol, exit: -1, want: "counts below zero"},
		"error-of-none":  {kind: KindProtocol, exit: -1, want: "names no error"},
		"closes-output":  {o: poolOptions{Grace: 100 * time.Millisecond}, kind: KindProtocol, exit: -1, want: "it closed its output and lives on"},
		"silent":         {o: poolOptions{Stall: 300 * time.Millisecond}, kind: KindStall, exit: -1, want: "nothing for 300ms; raise Options.Stall", got: `true "первая"|false half`},
		"deaf":           {o: poolOptions{Stall: 300 * time.Millisecond}, kind: KindStall, exit: -1, want: "nothing for 300ms", got: none},
		"exit-0":         {kind: KindExit, exit: 0, want: "status 0"},
		"exit-1":         {kind: KindExit, exit: 1, want: "status 1 before its job did (its last words: what came last)"},
		"exit-71":        {kind: KindMemory, exit: 71, want: "limit of memory; raise Options.Memory"},
		"exit-137":       {kind: KindKilled, exit: 137, want: "killed (status 137)"},
		"kills-itself":   {kind: KindKilled, exit: -1, signal: "killed", want: "ended by a signal, killed; if nobody killed it, the system may have run out of memory"},
		"ends-by-signal": {kind: KindKilled, exit: -1, signal: "terminated", want: "ended by a signal, terminated"},
		"half-a-line":    {kind: KindExit, exit: 0, want: "status 0"},
		"endless-line":   {o: poolOptions{Line: 1 << 20}, kind: KindOversized, exit: -1, want: "a line is too long: more than 1048576 bytes; lower Options.Batch"},
		"endless-records": {
			o: poolOptions{Records: 64 << 10}, kind: KindOversized, exit: -1, want: "the records of one job are too large: more than 65536 bytes", got: "(not compared)",
		},
		"endless-words":  {o: poolOptions{Stall: 300 * time.Millisecond}, kind: KindStall, exit: -1, want: "nothing for 300ms"},
		"child":          {kind: KindExit, exit: 5, want: "status 5"},
		"child-and-hang": {o: poolOptions{Stall: 300 * time.Millisecond}, kind: KindStall, exit: -1, want: "nothing for 300ms"},
		"tells-token": {
			kind: KindExit, exit: 1, want: "(its last words: Authorization: Bearer [token][31m)",
			got: `true "первая"|true python: fake failed: ValueError: bearer [token]`,
		},
	} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			c.o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
			play(t, part, c.o, func(ctx context.Context, th *theatre) {
				j := twoTasks()
				if part == "deaf" {
					j.Shared = json.RawMessage(`"` + strings.Repeat("x", 4<<20) + `"`) // more than a pipe holds
				}
				got, err := th.run(ctx, j, func() int {
					// Stalls begin when the worker has written what it is to write.
					if len(notes(t, th.env)["silent"]) == 0 {
						return 1
					}
					return 0
				})
				var failed *WorkerError
				if !errors.As(err, &failed) {
					t.Fatalf("error %v, want a *WorkerError", err)
				}
				if failed.Kind != c.kind || failed.Exit != c.exit || failed.Signal != c.signal || failed.Framework != "fake" {
					t.Errorf("error is %+v, want kind %q, status %d, signal %q", failed, c.kind, c.exit, c.signal)
				}
				if !strings.Contains(err.Error(), c.want) {
					t.Errorf("error says %q, want %q in it", err, c.want)
				}
				if len(failed.Stderr) > wordsSize+3 {
					t.Errorf("error keeps %d bytes of standard error", len(failed.Stderr))
				}
				if c.got == "" {
					c.got = first
				}
				if c.got != "(not compared)" {
					if diff := cmp.Diff(c.got, strings.Join(texts(t, got), "|")); diff != "" {
						t.Errorf("replies (-want +got):\n%s", diff)
					}
				}
			})
			if strings.Contains(log.String(), "token-of-the-job") {
				t.Errorf("the log holds a token: %s", log.String())
			}
			if !strings.Contains(log.String(), "kind="+string(c.kind)) {
				t.Errorf("the log does not say what happened: %s", log.String())
			}
			if part == "exit-1" && !strings.Contains(log.String(), "a first line") {
				t.Errorf("the log does not hold the worker's words: %s", log.String())
			}
		})
	}
}

// TestRunWaitsForTheModel holds that silence is no stall as long as a call to the
// model is under way.
func TestRunWaitsForTheModel(t *testing.T) {
	t.Parallel()
	play(t, "silent", poolOptions{Stall: 100 * time.Millisecond}, func(ctx context.Context, th *theatre) {
		asked := 0
		_, err := th.run(ctx, twoTasks(), func() int {
			if asked++; asked < 5*silences {
				return 1
			}
			return 0
		})
		var failed *WorkerError
		if !errors.As(err, &failed) || failed.Kind != KindStall {
			t.Errorf("error %v, want a stall", err)
		}
		if want := 6*silences - 1; asked < want {
			t.Errorf("stalled after %d looks at the calls, want %d or more", asked, want)
		}
	})
}

// TestChildOutside holds that a process that left the worker's group holds nothing
// up, though it lives and has the worker's output open.
func TestChildOutside(t *testing.T) {
	t.Parallel()
	play(t, "child-outside", poolOptions{Grace: 200 * time.Millisecond}, func(ctx context.Context, th *theatre) {
		_, err := th.run(ctx, twoTasks(), nil)
		var failed *WorkerError
		if !errors.As(err, &failed) || failed.Kind != KindExit || failed.Exit != 5 {
			t.Errorf("error %v, want status 5", err)
		}
		child := notes(t, th.env)["child"]
		if len(child) != 1 || running(child[0]) == nil {
			t.Fatalf("child %v is not there, so that this test shows nothing", child)
		}
		if err := syscall.Kill(child[0], syscall.SIGKILL); err != nil {
			t.Error(err)
		}
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, part := range []string{"silent", "ignores-signals", "hang", "deaf", "endless-words", "child-and-hang", "closed-at-once"} {
		t.Run(part, func(t *testing.T) {
			t.Parallel()
			play(t, part, poolOptions{}, func(ctx context.Context, th *theatre) {
				why := errors.New("enough")
				ctx, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				var wg sync.WaitGroup
				defer wg.Wait()
				wg.Go(func() {
					eventually(t, "the worker runs", func() error {
						if len(notes(t, th.env)["worker"]) == 0 {
							return errors.New("not yet")
						}
						return nil
					})
					cancel(why)
				})
				_, err := th.run(ctx, twoTasks(), nil)
				var failed *WorkerError
				if !errors.As(err, &failed) || failed.Kind != KindCanceled || !errors.Is(err, why) {
					t.Errorf("error %v, want canceled because of %v", err, why)
				}
			})
		})
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	play(t, "silent", poolOptions{}, func(ctx context.Context, th *theatre) {
		ctx, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
		defer cancel()
		if _, err := th.run(ctx, twoTasks(), nil); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want the deadline", err)
		}
	})
}

func TestCloseEndsJobs(t *testing.T) {
	t.Parallel()
	play(t, "silent", poolOptions{Workers: 2}, func(ctx context.Context, th *theatre) {
		var wg sync.WaitGroup
		for range 4 { // two at work, two that wait
			wg.Go(func() {
				_, err := th.run(ctx, twoTasks(), nil)
				if !errors.Is(err, errClosed) {
					t.Errorf("error %v, want that the engine is closed", err)
				}
			})
		}
		eventually(t, "two workers run", func() error {
			if n := len(notes(t, th.env)["worker"]); n != 2 {
				return fmt.Errorf("%d do", n)
			}
			return nil
		})
		if err := th.close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(th.temp); err != nil || len(left) > 0 {
			t.Errorf("left when close returns: %v, %v", left, err)
		}
		wg.Wait()
		if got, err := th.run(ctx, twoTasks(), nil); !errors.Is(err, errClosed) || len(got.Tasks) != 2 {
			t.Errorf("run of a closed pool: %+v, %v", got, err)
		}
		if n := len(notes(t, th.env)["worker"]); n != 2 {
			t.Errorf("%d workers were started, want 2", n)
		}
	})
}

func TestStartFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("no program"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, interpreter := range map[string]string{"missing": filepath.Join(dir, "none"), "not executable": file, "folder": dir} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playIn(t, &Environment{Framework: "fake", Version: "1.2.3", Dir: dir, Interpreter: interpreter}, poolOptions{}, func(ctx context.Context, th *theatre) {
				got, err := th.run(ctx, twoTasks(), nil)
				var failed *WorkerError
				if !errors.As(err, &failed) || failed.Kind != KindStart || failed.Exit != -1 || !strings.Contains(err.Error(), "python.Setup") {
					t.Errorf("error %v, want that it could not be started", err)
				}
				if diff := cmp.Diff([]string{"false", "false"}, texts(t, got)); diff != "" {
					t.Errorf("replies (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestRunRefusesTasksOfOneID(t *testing.T) {
	t.Parallel()
	play(t, "obedient", poolOptions{}, func(ctx context.Context, th *theatre) {
		j := twoTasks()
		j.Tasks[1].ID = "a"
		if _, err := th.run(ctx, j, nil); err == nil || !strings.Contains(err.Error(), `the id "a"`) {
			t.Errorf("error %v, want one about the id", err)
		}
	})
}

// TestSurroundings holds what a worker is given, and that it is all.
func TestSurroundings(t *testing.T) {
	t.Parallel()
	play(t, "surroundings", poolOptions{Memory: 1 << 33, Line: 1 << 20}, func(ctx context.Context, th *theatre) {
		j := twoTasks()
		j.Tasks = j.Tasks[:1]
		got, err := th.run(ctx, j, nil)
		if err != nil {
			t.Fatal(err)
		}
		records := got.Tasks[0].Records
		var args, env []string
		var modes map[string]string
		var cwd string
		for i, into := range []any{&args, &env, &modes, &cwd} {
			if err := json.Unmarshal([]byte(text(t, records[i])), into); err != nil {
				t.Fatal(err)
			}
		}
		private := filepath.Dir(cwd)
		if filepath.Dir(private) != th.temp {
			t.Errorf("works in %s, which is not in a folder of its own in %s", cwd, th.temp)
		}
		named := strings.NewReplacer(private, "PRIVATE", th.env.Dir, "ENV")
		for i := range args {
			args[i] = named.Replace(args[i])
		}
		for i := range env {
			env[i] = named.Replace(env[i])
		}
		slices.Sort(env)
		if diff := cmp.Diff([]string{
			"ENV/bin/python", "-P", "-s", "-B", "-X", "utf8", "PRIVATE/worker/main.py", "fake", "8589934592", "1048576",
		}, args); diff != "" {
			t.Errorf("arguments (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{
			"ANONYMIZED_TELEMETRY=False", "DEEPEVAL_DISABLE_DOTENV=1", "DEEPEVAL_DISABLE_LEGACY_KEYFILE=1", "DEEPEVAL_TELEMETRY_OPT_OUT=1",
			"DO_NOT_TRACK=1", "GSK_DISABLE_ANALYTICS=True", "HF_HUB_DISABLE_TELEMETRY=1", "HF_HUB_OFFLINE=1", "HOME=PRIVATE/home",
			"LANG=C.UTF-8", "LC_ALL=C.UTF-8", "LITELLM_LOCAL_MODEL_COST_MAP=True", "NO_PROXY=*", "PATH=ENV/bin:/usr/bin:/bin",
			"PYTHONHASHSEED=0", "PYTHONNOUSERSITE=1", "RAGAS_DO_NOT_TRACK=true", "TIKTOKEN_CACHE_DIR=ENV/tiktoken", "TMPDIR=PRIVATE/home",
			"TRANSFORMERS_OFFLINE=1", "TZ=UTC", "VIRTUAL_ENV=ENV", "XDG_CACHE_HOME=PRIVATE/home/.cache", "XDG_CONFIG_HOME=PRIVATE/home/.config", "no_proxy=*",
		}, env); diff != "" {
			t.Errorf("environment (-want +got):\n%s", diff)
		}
		delete(modes, filepath.Base(private))
		if diff := cmp.Diff(map[string]string{"worker": "drwx------", "main.py": "-rw-------", "home": "drwx------"}, modes); diff != "" {
			t.Errorf("modes (-want +got):\n%s", diff)
		}
		info, err := os.Stat(private)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("the private folder is %v, %v", info, err)
		}
	})
}

// TestGoesOn holds that a worker is not used again that writes when it should be
// silent, and that the job that it had done counts.
func TestGoesOn(t *testing.T) {
	t.Parallel()
	play(t, "goes-on", poolOptions{}, func(ctx context.Context, th *theatre) {
		for range 2 {
			if _, err := th.run(ctx, twoTasks(), nil); err != nil {
				t.Error(err)
			}
			if len(th.idle) > 0 {
				t.Error("the worker was kept")
			}
		}
		if n := len(notes(t, th.env)["worker"]); n != 2 {
			t.Errorf("%d workers were started, want 2", n)
		}
	})
}

func TestGoesOnLater(t *testing.T) {
	t.Parallel()
	play(t, "goes-on-later", poolOptions{Workers: 1}, func(ctx context.Context, th *theatre) {
		gate := filepath.Join(th.env.Dir, "go-on")
		if err := syscall.Mkfifo(gate, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := th.run(ctx, twoTasks(), nil); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(gate, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		eventually(t, "the worker has gone on", func() error {
			if len(notes(t, th.env)["late"]) == 0 {
				return errors.New("not yet")
			}
			return nil
		})
		// The late line is found before the job or as its first; both are told by type.
		if _, err := th.run(ctx, twoTasks(), nil); err != nil {
			var failed *WorkerError
			if !errors.As(err, &failed) || failed.Kind != KindProtocol {
				t.Errorf("error %v, want none or one of the protocol", err)
			}
		}
	})
}

func TestIdleWorkers(t *testing.T) {
	t.Parallel()
	t.Run("are stopped", func(t *testing.T) {
		t.Parallel()
		play(t, "obedient", poolOptions{Idle: time.Millisecond}, func(ctx context.Context, th *theatre) {
			if _, err := th.run(ctx, twoTasks(), nil); err != nil {
				t.Fatal(err)
			}
			pid := notes(t, th.env)["worker"][0]
			eventually(t, "the worker has ended", func() error { return running(pid) })
			eventually(t, "its folder is gone", func() error {
				if left, err := os.ReadDir(th.temp); err != nil || len(left) > 0 {
					return fmt.Errorf("%v, %w", left, err)
				}
				return nil
			})
		})
	})
	t.Run("may die", func(t *testing.T) {
		t.Parallel()
		play(t, "obedient", poolOptions{}, func(ctx context.Context, th *theatre) {
			if _, err := th.run(ctx, twoTasks(), nil); err != nil {
				t.Fatal(err)
			}
			w := th.idle[0]
			if err := syscall.Kill(notes(t, th.env)["worker"][0], syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-w.exited
			if _, err := th.run(ctx, twoTasks(), nil); err != nil {
				t.Error(err)
			}
		})
	})
}

// TestWorkers holds that no more workers run than may, and that waiting for one
// ends with the caller's context.
func TestWorkers(t *testing.T) {
	t.Parallel()
	play(t, "obedient", poolOptions{Workers: 3}, func(ctx context.Context, th *theatre) {
		var wg sync.WaitGroup
		for range 24 {
			wg.Go(func() {
				got, err := th.run(ctx, twoTasks(), nil)
				if err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff([]string{`true "первая"`, `true {"n":2}`}, texts(t, got)); diff != "" {
					t.Errorf("replies (-want +got):\n%s", diff)
				}
			})
		}
		wg.Wait()
		if n := len(notes(t, th.env)["worker"]); n > 3 {
			t.Errorf("%d workers were started, want 3 at most", n)
		}
	})
	t.Run("waiting ends", func(t *testing.T) {
		t.Parallel()
		play(t, "silent", poolOptions{}, func(ctx context.Context, th *theatre) {
			busy, cancel := context.WithCancel(ctx)
			var wg sync.WaitGroup
			wg.Go(func() { _, _ = th.run(busy, twoTasks(), nil) })
			eventually(t, "the worker is at work", func() error {
				if len(th.slots) == 0 {
					return errors.New("not yet")
				}
				return nil
			})
			waiting, enough := context.WithTimeout(ctx, 20*time.Millisecond)
			defer enough()
			if _, err := th.run(waiting, twoTasks(), nil); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v, want the deadline", err)
			}
			cancel()
			wg.Wait()
		})
	})
}

// TestKilledAtRandom kills workers after any number of lines. Each job comes to a
// typed error or is done; what arrived is what the worker had written; and a new
// worker does what was lost.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	const tasks, records = 8, 4
	var mu sync.Mutex
	killed := 0
	t.Cleanup(func() {
		if killed < 20 {
			t.Errorf("%d workers of 60 were killed in time, so that this test shows little", killed)
		}
	})
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 1))
			play(t, "talker", poolOptions{Workers: 2}, func(ctx context.Context, th *theatre) {
				j := &job{}
				for i := range tasks {
					j.Tasks = append(j.Tasks, task{ID: fmt.Sprint(i), Body: json.RawMessage("null")})
				}
				at := rnd.IntN(tasks * records)
				j.Progress = func(done, _ int) {
					if done == at {
						_ = syscall.Kill(notes(t, th.env)["worker"][0], syscall.SIGKILL)
					}
				}
				got, err := th.run(ctx, j, nil)
				lost := checkTalk(t, j, got, records)
				var failed *WorkerError
				switch {
				case err == nil && len(lost.Tasks) > 0:
					t.Errorf("no error, and %d tasks did not end", len(lost.Tasks))
				case err != nil && (!errors.As(err, &failed) || failed.Kind != KindKilled || failed.Signal != "killed"):
					t.Errorf("error %v, want that the worker was killed", err)
				case err != nil:
					mu.Lock()
					killed++
					mu.Unlock()
				}
				if len(lost.Tasks) == 0 {
					return
				}
				got, err = th.run(ctx, lost, nil)
				if err != nil {
					t.Fatal(err)
				}
				if again := checkTalk(t, lost, got, records); len(again.Tasks) > 0 {
					t.Errorf("%d tasks were lost again", len(again.Tasks))
				}
			})
		})
	}
}

// checkTalk compares replies with what a talker writes, and returns a job of the
// tasks that did not end.
func checkTalk(t *testing.T, j *job, got *replies, records int) *job {
	t.Helper()
	lost := &job{}
	if len(got.Tasks) != len(j.Tasks) {
		t.Fatalf("%d replies for %d tasks", len(got.Tasks), len(j.Tasks))
	}
	for i := range got.Tasks {
		r := &got.Tasks[i]
		if r.Ended && len(r.Records) != records {
			t.Errorf("task %d ended with %d records, want %d", i, len(r.Records), records)
		}
		if !r.Ended {
			lost.Tasks = append(lost.Tasks, j.Tasks[i])
		}
		for k, rec := range r.Records {
			if s := text(t, rec); s != fmt.Sprint(k, strings.Repeat("x", 8<<10)) {
				t.Errorf("record %d of task %d is %.20q", k, i, s)
			}
		}
	}
	return lost
}

// TestKilledBesideOthers kills any of the workers that are at work. The jobs of
// the others are not touched, and what was lost is done in the end.
func TestKilledBesideOthers(t *testing.T) {
	t.Parallel()
	const jobs, tasks, records, kills = 6, 8, 4, 8
	play(t, "talker", poolOptions{Workers: 3}, func(ctx context.Context, th *theatre) {
		var mu sync.Mutex
		left, rnd := kills, rand.New(rand.NewPCG(7, 7))
		strike := func() {
			mu.Lock()
			defer mu.Unlock()
			if left == 0 || rnd.IntN(10) > 0 {
				return
			}
			left--
			pids := notes(t, th.env)["worker"]
			_ = syscall.Kill(pids[max(0, len(pids)-1-rnd.IntN(3))], syscall.SIGKILL)
		}
		var wg sync.WaitGroup
		for n := range jobs {
			wg.Go(func() {
				j := &job{}
				for i := range tasks {
					j.Tasks = append(j.Tasks, task{ID: fmt.Sprint(n, "/", i), Body: json.RawMessage("null")})
				}
				for losses := 0; len(j.Tasks) > 0; losses++ {
					if losses > kills {
						t.Errorf("job %d was lost %d times, and %d workers were killed", n, losses, kills)
						return
					}
					j.Progress = func(int, int) { strike() }
					got, err := th.run(ctx, j, nil)
					var failed *WorkerError
					if err != nil && (!errors.As(err, &failed) || failed.Kind != KindKilled) {
						t.Errorf("error %v, want that the worker was killed", err)
						return
					}
					j = checkTalk(t, j, got, records)
				}
			})
		}
		wg.Wait()
		if left > 0 {
			t.Errorf("%d workers were not killed, so that this test shows less", left)
		}
	})
}
