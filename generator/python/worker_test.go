//go:build linux || darwin

package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// toyDriver does what a framework may do to its worker.
const toyDriver = `
import asyncio, os, socket, subprocess, sys, threading, time, urllib.request
from channel import Job, Out


def load():
    print("noise of an import")
    os.write(1, b"more noise\n")
    subprocess.run(["echo", "noise of a child"])
    assert sys.stdin.read() == "" and os.read(0, 10) == b""
    return {"version": "1.0", "toy-parts": "2"}


def child():
    return subprocess.Popen(["sleep", "1000"]).pid


def once(job: Job, out: Out, task):
    match task.body["do"]:
        case "echo":
            out.record(task.id, {"text": task.body["text"], "seed": task.seed, "shared": job.shared, "op": job.op, "at": job.concurrency})
        case "noise":
            print("noise", flush=True)
            sys.stderr.write("noise \ud800\n")
            os.system("echo noise")
            try:
                input()
            except EOFError:
                out.record(task.id, {"text": "no input"})
        case "raise":
            raise ValueError("нет такого")
        case "leave":
            sys.exit("gone")
        case "exit":
            os._exit(9)
        case "abort":
            os.abort()
        case "memory":
            bytearray(1 << 40)
        case "memory in a thread":
            t = threading.Thread(target=lambda: bytearray(1 << 40))
            t.start()
            t.join()
            time.sleep(1000)
        case "sleep":
            time.sleep(1000)
        case "wrapped memory":
            try:
                bytearray(1 << 40)
            except MemoryError:
                raise RuntimeError("wrapped")
        case "forget":
            return
        case "not finite":
            out.record(task.id, {"text": float("nan")})
        case "not JSON":
            out.record(task.id, {"text": object()})
        case "no object":
            out.record(task.id, ["text"])
        case "too long":
            out.record(task.id, {"text": "x" * (1 << 20)})
        case "surrogate":
            out.record(task.id, {"text": "a\ud800b\u0000"})
        case "threads":
            ts = [threading.Thread(target=out.record, args=(task.id, {"text": str(i) * 10000})) for i in range(16)]
            [t.start() for t in ts]
            [t.join() for t in ts]
        case "late":
            out.record(task.id, {"text": "in time"})
            out.done(task.id)
            out.done(task.id)
            out.error(task.id, ValueError("late"))
            out.record(task.id, {"text": "late"})
            out.record("none", {"text": "of no task"})
            threading.Thread(target=later, args=(out, task.id), daemon=True).start()
        case "close":
            os.close(0); os.close(1)
            sys.stdout = sys.stdin = None
            out.record(task.id, {"text": "closed"})
        case "child":
            out.record(task.id, {"text": str(child())})
        case "child and exit":
            out.record(task.id, {"text": str(child())})
            os._exit(4)
        case "surroundings":
            import resource
            out.record(task.id, {"text": str([sys.flags.safe_path, sys.flags.no_user_site, sys.flags.dont_write_bytecode, sys.flags.utf8_mode,
                sys.flags.hash_randomization, "HTTP_PROXY" in os.environ, os.environ["no_proxy"], oct(os.umask(0o077)), resource.getrlimit(resource.RLIMIT_CORE)])})
        case "fork":
            pid = os.fork()
            if pid == 0:
                time.sleep(1000)
            out.record(task.id, {"text": str(pid)})
            os._exit(4)
        case "connect":
            socket.create_server(("127.0.0.1", 0)).close()
            ours, _ = socket.socketpair()
            ours.close()
            for what in (
                lambda: socket.create_connection(("192.0.2.1", 80), timeout=5),
                lambda: socket.create_connection(("example.com", 80), timeout=5),
                lambda: socket.socket(socket.AF_INET6).connect_ex(("2001:db8::1", 80)),
                lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)),
                lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b"x"], [], 0, ("192.0.2.1", 53)),
                lambda: socket.gethostbyname("example.com"),
                lambda: socket.socket().bind(("", 0)),
                lambda: socket.create_server(("0.0.0.0", 0)),
                lambda: urllib.request.urlopen("http://example.com", timeout=5),
                lambda: asyncio.run(asyncio.open_connection("192.0.2.1", 80)),
            ):
                try:
                    what()
                    out.record(task.id, {"text": "open"})
                except Exception as exc:
                    out.record(task.id, {"text": "refused" if "loopback only" in str(exc) else repr(exc)})
            try:
                socket.create_connection(("127.0.0.1", 1), timeout=5)
            except ConnectionRefusedError:
                out.record(task.id, {"text": "by the system"})
        case "broken text":
            class Broken(Exception):
                def __str__(self):
                    raise RuntimeError
            raise Broken
        case "long text":
            raise ValueError("ы" * 100000)
        case "token":
            raise ValueError("Bearer the-token-of-it")
    out.done(task.id)


def later(out, task_id):
    for _ in range(100):
        out.record(task_id, {"text": "later"})
        out.progress(1, 1)
        time.sleep(0.01)


def run(job: Job, out: Out) -> None:
    for i, task in enumerate(job.tasks):
        try:
            once(job, out, task)
        except Exception as exc:
            out.error(task.id, exc)
        out.progress(i + 1, len(job.tasks))
`

// python311 is an interpreter to run the real worker on.
func python311(t *testing.T) string {
	t.Helper()
	found, err := exec.LookPath("python3.11")
	if err != nil {
		t.Skip("python3.11 is not on the PATH")
	}
	// What is found may be a script that looks for the interpreter by the environment.
	b, err := exec.CommandContext(t.Context(), found, "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skipf("%s does not run: %v", found, err)
	}
	return strings.TrimSpace(string(b))
}

// withDriver is the program with one more driver.
func withDriver(t *testing.T, name, text string) fs.FS {
	t.Helper()
	files := fstest.MapFS{name + "_driver.py": {Data: []byte(text)}}
	names, err := fs.Glob(program(), "*.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		b, err := fs.ReadFile(program(), n)
		if err != nil {
			t.Fatal(err)
		}
		files[n] = &fstest.MapFile{Data: b}
	}
	return files
}

func playToy(t *testing.T, driver string, o poolOptions, fn func(ctx context.Context, th *theatre)) {
	t.Helper()
	env := &Environment{Framework: "toy", Version: "1.0", Dir: t.TempDir(), Interpreter: python311(t)}
	o.Program = withDriver(t, "toy", driver)
	playIn(t, env, o, fn)
}

// toyJob is a job of a task for each thing to do.
func toyJob(t *testing.T, do ...string) *job {
	t.Helper()
	j := &job{Op: "toy", Concurrency: 3, Shared: json.RawMessage(`{"k":"общее"}`), Endpoint: endpoint{URL: "http://127.0.0.1:9/v1", Token: "the-token-of-it", Model: "m", EmbeddingModel: "e"}}
	for i, d := range do {
		b, err := json.Marshal(map[string]string{"do": d, "text": "пример \U0001F600 \u2028"})
		if err != nil {
			t.Fatal(err)
		}
		j.Tasks = append(j.Tasks, task{ID: fmt.Sprint(i), Seed: 1<<62 + int64(i), Body: b})
	}
	return j
}

// TestWorker runs the real program on a driver that does what frameworks do, task
// after task in one process.
func TestWorker(t *testing.T) {
	t.Parallel()
	playToy(t, toyDriver, poolOptions{Line: 1 << 20}, func(ctx context.Context, th *theatre) {
		var first *worker
		for range 2 { // the second job finds the worker as the first did
			do := []string{"echo", "noise", "raise", "forget", "not finite", "not JSON", "no object", "too long", "surrogate", "broken text", "token", "surroundings", "connect"}
			want := []string{
				"true пример \U0001F600 \u2028", "true no input", "true python: toy failed: ValueError: нет такого",
				"true python: the driver of toy failed: RuntimeError: the driver left the task open",
				"true python: toy failed: ValueError: Out of range float values are not JSON compliant",
				"true python: toy failed: TypeError: Object of type object is not JSON serializable",
				"true python: toy failed: TypeError: a record is a dict, not list",
				"true python: toy failed: ValueError: a message of 1048637 bytes is too long",
				"true a\uFFFDb\x00", "true python: toy failed: Broken: its text cannot be read (RuntimeError)",
				"true python: toy failed: ValueError: Bearer [token]",
				"true [True, 1, 1, 1, 0, False, '*', '0o77', (0, 0)]",
				"true" + strings.Repeat(" refused", 10) + " by the system",
			}
			j := toyJob(t, do...)
			last := ""
			j.Progress = func(done, total int) { last = fmt.Sprint(done, " of ", total) }
			got, err := th.run(ctx, j, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, texts(t, got)); diff != "" {
				t.Errorf("replies (-want +got):\n%s", diff)
			}
			var echo struct {
				Seed   int64             `json:"seed"`
				Shared map[string]string `json:"shared"`
				Op     string            `json:"op"`
				At     int               `json:"at"`
			}
			if err := json.Unmarshal(got.Tasks[0].Records[0], &echo); err != nil {
				t.Fatal(err)
			}
			if echo.Seed != 1<<62 || echo.Shared["k"] != "общее" || echo.Op != "toy" || echo.At != 3 {
				t.Errorf("the driver saw %+v", echo)
			}
			if last != "13 of 13" {
				t.Errorf("progress ends with %s", last)
			}
			if first == nil {
				first = th.idle[0].worker
			}
		}
		got, err := th.run(ctx, toyJob(t, "close", "echo"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"true closed", "true пример \U0001F600 \u2028"}, texts(t, got)); diff != "" {
			t.Errorf("replies (-want +got):\n%s", diff)
		}
		if len(th.idle) != 1 || th.idle[0].worker != first {
			t.Errorf("the jobs did not go to one worker: %+v", th.idle)
		}
	})
}

func TestWorkerKeepsThreadsApart(t *testing.T) {
	t.Parallel()
	playToy(t, toyDriver, poolOptions{}, func(ctx context.Context, th *theatre) {
		got, err := th.run(ctx, toyJob(t, "threads", "late"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(got.Tasks[0].Records); n != 16 {
			t.Errorf("%d records, want 16", n)
		}
		if diff := cmp.Diff("true in time", texts(t, got)[1]); diff != "" {
			t.Errorf("replies (-want +got):\n%s", diff)
		}
		// The first job's thread goes on in the second job.
		got, err = th.run(ctx, toyJob(t, "threads", "echo"), nil)
		if err != nil || len(got.Tasks[0].Records) != 16 {
			t.Errorf("second job: %v", err)
		}
	})
}

func TestWorkerEnds(t *testing.T) {
	t.Parallel()
	for do, c := range map[string]struct {
		kind   Kind
		exit   int
		signal string
		words  string
	}{
		"exit":               {kind: KindExit, exit: 9},
		"abort":              {kind: KindKilled, exit: -1, signal: "aborted", words: "Fatal Python error: Aborted"},
		"memory":             {kind: KindMemory, exit: exitMemory},
		"memory in a thread": {kind: KindMemory, exit: exitMemory},
		"wrapped memory":     {kind: KindMemory, exit: exitMemory},
		"child and exit":     {kind: KindExit, exit: 4},
		"fork":               {kind: KindExit, exit: 4},
	} {
		t.Run(do, func(t *testing.T) {
			t.Parallel()
			playToy(t, toyDriver, poolOptions{Memory: 2 << 30}, func(ctx context.Context, th *theatre) {
				got, err := th.run(ctx, toyJob(t, "echo", do, "echo"), nil)
				var failed *WorkerError
				if !errors.As(err, &failed) || failed.Kind != c.kind || failed.Exit != c.exit {
					t.Fatalf("error %+v (%v), want kind %q and status %d", failed, err, c.kind, c.exit)
				}
				if !strings.HasPrefix(failed.Signal, c.signal) || !strings.Contains(failed.Stderr, c.words) {
					t.Errorf("signal %q, want %q; standard error, want %q in it:\n%s", failed.Signal, c.signal, c.words, failed.Stderr)
				}
				if !got.Tasks[0].Ended || got.Tasks[1].Ended || got.Tasks[2].Ended {
					t.Errorf("replies: %v", texts(t, got))
				}
				for _, rec := range got.Tasks[1].Records {
					checkDead(t, text(t, rec))
				}
			})
		})
	}
}

// checkDead holds that a process that a worker started has ended.
func checkDead(t *testing.T, pid string) {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(pid, &n); err != nil || n < 2 {
		t.Fatalf("no process id: %q", pid)
	}
	eventually(t, "the child is dead", func() error { return running(n) })
}

// TestWorkerLeaves holds that sys.exit in a driver is the failure of the tasks that
// are left, not of the worker.
func TestWorkerLeaves(t *testing.T) {
	t.Parallel()
	playToy(t, toyDriver, poolOptions{}, func(ctx context.Context, th *theatre) {
		got, err := th.run(ctx, toyJob(t, "echo", "leave", "echo"), nil)
		if err != nil {
			t.Fatal(err)
		}
		gone := "true python: toy failed: SystemExit: gone"
		if diff := cmp.Diff([]string{"true пример \U0001F600 \u2028", gone, gone}, texts(t, got)); diff != "" {
			t.Errorf("replies (-want +got):\n%s", diff)
		}
		first := th.idle[0].worker
		if _, err := th.run(ctx, toyJob(t, "echo"), nil); err != nil || len(th.idle) != 1 || th.idle[0].worker != first {
			t.Errorf("the worker did not live on: %v", err)
		}
	})
}

func TestWorkerImports(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		driver string
		kind   Kind
		want   string
	}{
		"missing":     {"import no_such_framework", KindImport, "ModuleNotFoundError: No module named 'no_such_framework'"},
		"no load":     {"", KindImport, "AttributeError"},
		"leaves":      {"import sys\ndef load():\n    sys.exit(0)", KindImport, "SystemExit: 0"},
		"no version":  {"def load():\n    return {}", KindImport, "KeyError: 'version'"},
		"other":       {"def load():\n    return {'version': '1.1'}", KindProtocol, `it runs version "1.1" instead of "1.0"`},
		"exits":       {"import os\nos._exit(7)", KindExit, "status 7"},
		"out of room": {"bytearray(1 << 40)", KindMemory, "limit of memory"},
		"little room": {"import mmap\nheld = []\ntry:\n    while True:\n        held.append(mmap.mmap(-1, 8 << 20))\nexcept OSError:\n    pass\nraise ImportError('failed to map')", KindMemory, "limit of memory"},
		"slow":        {"import time\ntime.sleep(1000)", KindTimeout, "nothing within 2s"},
		"slow in C":   {"import re\nre.match('(a*)*b', 'a' * 64)", KindTimeout, "nothing within 2s"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := poolOptions{Memory: 2 << 30}
			if c.kind == KindTimeout {
				o.Start = 2 * time.Second
			}
			playToy(t, c.driver, o, func(ctx context.Context, th *theatre) {
				_, err := th.run(ctx, toyJob(t, "echo"), nil)
				var failed *WorkerError
				if !errors.As(err, &failed) || failed.Kind != c.kind || !strings.Contains(err.Error(), c.want) {
					t.Errorf("error %v, want kind %q and %q in it", err, c.kind, c.want)
				}
			})
		})
	}
}

// TestWorkerEndsWithItsParent holds that nothing lives on when the Go process is
// gone, whatever it was that ended it: standard input is at its end then.
func TestWorkerEndsWithItsParent(t *testing.T) {
	t.Parallel()
	interpreter := python311(t)
	private := filepath.Join(t.TempDir(), "casebook-python-1")
	dir := filepath.Join(private, "worker")
	files := withDriver(t, "toy", toyDriver)
	if err := os.CopyFS(dir, files); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), bound)
	defer cancel()
	c := exec.CommandContext(ctx, interpreter, "-P", "-s", "-B", "-X", "utf8", filepath.Join(dir, "main.py"), "toy")
	c.SysProcAttr = ownGroup()
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := toyJob(t, "child", "sleep").encode("j1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(line); err != nil {
		t.Fatal(err)
	}
	lines := newLineReader(out, 1<<20)
	var child string
	for child == "" {
		b, err := lines.next()
		if err != nil {
			t.Fatal(err)
		}
		if m, err := parseMessage(b); err != nil {
			t.Fatal(err)
		} else if m.Type == typeRecord {
			child = text(t, m.Record)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	err = c.Wait()
	var exit *exec.ExitError
	if ctx.Err() != nil || !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
		t.Errorf("the worker ended with %v, %v; want a kill of its group", err, ctx.Err())
	}
	checkDead(t, child)
	if _, err := os.Stat(private); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the private folder is left: %v", err)
	}
}
