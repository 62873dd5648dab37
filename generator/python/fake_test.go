//go:build linux || darwin

package python

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestMain lets the test binary be the interpreter of an environment: under the
// name of one it plays a worker, the part that a file of its environment names.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "python" {
		playPart(filepath.Dir(filepath.Dir(os.Args[0])))
	}
	os.Exit(m.Run())
}

// part is what a fake worker does. When it returns, the process ends with
// status 0.
type part func(f *fakeWorker)

// parts are those that an environment can name. A test file with parts of its
// own adds them here when it is initialised.
var parts = map[string]part{}

// fakeWorker is the worker's side of the protocol, as a part uses it.
type fakeWorker struct {
	dir  string   // of the environment
	args []string // what follows the part's name in the file
	in   *bufio.Reader
	out  io.Writer // the channel
}

// fakeJob is a job as a worker reads it.
type fakeJob struct {
	ID       string          `json:"id"`
	Op       string          `json:"op"`
	Endpoint endpoint        `json:"endpoint"`
	Shared   json.RawMessage `json:"shared"`
	Tasks    []task          `json:"tasks"`
}

func playPart(dir string) {
	f := &fakeWorker{dir: dir, in: bufio.NewReader(os.Stdin), out: os.Stdout}
	if os.Getenv("FAKE_CHILD") != "" {
		f.hang()
	}
	b, err := os.ReadFile(filepath.Join(dir, "part"))
	words := strings.Fields(string(b))
	if err != nil || len(words) == 0 || parts[words[0]] == nil {
		fmt.Fprintf(os.Stderr, "fake: no part %q: %v\n", b, err)
		os.Exit(99)
	}
	f.args = words[1:]
	f.note("worker", os.Getpid())
	parts[words[0]](f)
	os.Exit(0)
}

// note writes a process id where the test finds it.
func (f *fakeWorker) note(who string, pid int) {
	out, err := os.OpenFile(filepath.Join(f.dir, "pids"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintf(out, "%s %d\n", who, pid)
		err = out.Close()
	}
	if err != nil {
		f.die("note: %v", err)
	}
}

func (f *fakeWorker) die(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "fake: "+format+"\n", args...)
	os.Exit(98)
}

// say writes lines to the channel, all at once.
func (f *fakeWorker) say(lines ...string) {
	if _, err := io.WriteString(f.out, strings.Join(lines, "\n")+"\n"); err != nil {
		f.die("say: %v", err)
	}
}

// ready is the first message of a worker of the environment.
func (f *fakeWorker) ready() {
	f.say(`{"type":"ready","protocol":1,"framework":"fake","version":"1.2.3","python":"3.11.0","packages":{"openai":"2"}}`)
}

// job waits for a job. At the end of standard input the process ends.
func (f *fakeWorker) job() *fakeJob {
	b, err := f.in.ReadBytes('\n')
	if err != nil {
		os.Exit(0)
	}
	j := &fakeJob{}
	if err := json.Unmarshal(b, j); err != nil {
		f.die("job: %v", err)
	}
	return j
}

// hang waits until it is killed.
func (f *fakeWorker) hang() {
	r, w, err := os.Pipe()
	if err != nil {
		f.die("hang: %v", err)
	}
	_, _ = io.Copy(io.Discard, r)
	w.Close() // so that it is open while the other end is read
}

// spawn starts a child that hangs and holds the worker's output; it may be told
// to leave the worker's process group.
func (f *fakeWorker) spawn(leave bool) {
	c := exec.Command(os.Args[0])
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: leave}
	c.Env = []string{"FAKE_CHILD=1"}
	if err := c.Start(); err != nil {
		f.die("spawn: %v", err)
	}
	f.note("child", c.Process.Pid)
}

// The lines of a job.

func (j *fakeJob) record(task, text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"type":"record","job":%q,"task":%q,"record":{"text":%s}}`, j.ID, task, b)
}

func (j *fakeJob) done(task string) string {
	return fmt.Sprintf(`{"type":"done","job":%q,"task":%q}`, j.ID, task)
}

func (j *fakeJob) failed(task string) string {
	return fmt.Sprintf(`{"type":"error","job":%q,"task":%q,"error":{"kind":"framework","type":"ValueError","message":"no such thing"}}`, j.ID, task)
}

func (j *fakeJob) result(records, errors int) string {
	return fmt.Sprintf(`{"type":"result","job":%q,"records":%d,"errors":%d}`, j.ID, records, errors)
}

// all are the lines of a job that is done as it should be, a record for each
// task: the task's body.
func (j *fakeJob) all() []string {
	var lines []string
	for _, t := range j.Tasks {
		lines = append(lines, j.record(t.ID, string(t.Body)), j.done(t.ID))
	}
	return append(lines, j.result(len(j.Tasks), 0))
}

// begin is ready, reads a job and writes the first task's record and end.
func (f *fakeWorker) begin() *fakeJob {
	f.ready()
	j := f.job()
	f.say(j.all()[:2]...)
	return j
}

func init() { //nolint:gochecknoinits // parts use what is declared beside them
	lines := func(write func(j *fakeJob) []string) part {
		return func(f *fakeWorker) {
			f.say(write(f.begin())...)
			f.note("silent", os.Getpid())
			f.hang()
		}
	}
	exit := func(status int) part {
		return func(f *fakeWorker) {
			f.begin()
			fmt.Fprintf(os.Stderr, "a first line\nwhat came last\n")
			os.Exit(status)
		}
	}
	first := func(line string) part {
		return func(f *fakeWorker) {
			f.say(line)
			f.hang()
		}
	}
	own := map[string]part{
		// Workers in order.
		"obedient": func(f *fakeWorker) {
			f.ready()
			for {
				f.say(f.job().all()...)
			}
		},
		"mixed": func(f *fakeWorker) { // records of all tasks first, then their ends backwards
			f.ready()
			for {
				j := f.job()
				n := 0
				for _, t := range j.Tasks {
					f.say(j.record(t.ID, "one"), j.record(t.ID, "two"), fmt.Sprintf(`{"type":"progress","job":%q,"done":%d,"total":%d}`, j.ID, n, len(j.Tasks)))
					n++
				}
				for i := range slices.Backward(j.Tasks) {
					if i == 0 {
						f.say(j.failed(j.Tasks[i].ID))
					} else {
						f.say(j.done(j.Tasks[i].ID))
					}
				}
				f.say(j.result(2*n, 1))
			}
		},
		"talker": func(f *fakeWorker) { // four records a task, and progress after each
			f.ready()
			for {
				j := f.job()
				n := 0
				for _, t := range j.Tasks {
					for k := range 4 {
						n++
						f.say(j.record(t.ID, fmt.Sprint(k, strings.Repeat("x", 8<<10))), fmt.Sprintf(`{"type":"progress","job":%q,"done":%d,"total":%d}`, j.ID, n, 4*len(j.Tasks)))
					}
					f.say(j.done(t.ID))
				}
				f.say(j.result(n, 0))
			}
		},
		"surroundings": func(f *fakeWorker) {
			f.ready()
			j := f.job()
			tell := func(v any) string {
				b, err := json.Marshal(v)
				if err != nil {
					f.die("%v", err)
				}
				return string(b)
			}
			cwd, _ := os.Getwd()
			modes := map[string]string{}
			main := os.Args[len(os.Args)-4]
			for _, name := range []string{filepath.Dir(filepath.Dir(main)), filepath.Dir(main), main, cwd} {
				if info, err := os.Stat(name); err == nil {
					modes[filepath.Base(name)] = info.Mode().String()
				}
			}
			shut := filepath.Join(cwd, "a", "b")
			if os.MkdirAll(shut, 0o700) != nil || os.WriteFile(filepath.Join(shut, "c"), nil, 0) != nil || os.Chmod(shut, 0o500) != nil {
				f.die("cannot litter")
			}
			f.say(j.record("a", tell(os.Args)), j.record("a", tell(os.Environ())), j.record("a", tell(modes)), j.record("a", tell(cwd)), j.done("a"), j.result(4, 0))
			f.job()
		},
		"chatty": func(f *fakeWorker) { // much on standard error, then the job
			f.ready()
			for {
				j := f.job()
				os.Stderr.Write(bytes.Repeat([]byte("flood "), 1<<20))
				f.say(j.all()...)
			}
		},

		// Workers that never get ready.
		"hang":           (*fakeWorker).hang,
		"exit at once":   func(*fakeWorker) { os.Exit(3) },
		"failed":         first(`{"type":"failed","error":{"kind":"import","type":"ImportError","message":"no module named x"}}`),
		"first garbage":  first(`Traceback (most recent call last):`),
		"first record":   first(`{"type":"record","job":"j1","task":"a","record":{}}`),
		"protocol 2":     first(`{"type":"ready","protocol":2,"framework":"fake","version":"1.2.3"}`),
		"framework":      first(`{"type":"ready","protocol":1,"framework":"other","version":"1.2.3"}`),
		"version":        first(`{"type":"ready","protocol":1,"framework":"fake","version":"1.2.4"}`),
		"closed at once": func(f *fakeWorker) { os.Stdout.Close(); f.hang() },

		// Workers that fail in a job, after the first task has ended.
		"garbage":    lines(func(*fakeJob) []string { return []string{"no JSON"} }),
		"blank line": lines(func(*fakeJob) []string { return []string{""} }),
		"NUL":        lines(func(j *fakeJob) []string { return []string{strings.ReplaceAll(j.done("b"), "done", "do\x00ne")} }),
		"no UTF-8": lines(func(j *fakeJob) []string {
			return []string{j.record("b", "?") + "\n" + strings.ReplaceAll(j.record("b", "?"), "?", "\xff\xfe")}
		}),
		"no object": lines(func(j *fakeJob) []string {
			return []string{strings.ReplaceAll(j.record("b", ""), `{"text":""}`, `[1]`)}
		}),
		"unknown type": lines(func(j *fakeJob) []string { return []string{strings.ReplaceAll(j.done("b"), "done", "finished")} }),
		"unknown task": lines(func(j *fakeJob) []string { return []string{j.done("z")} }),
		"other job":    lines(func(j *fakeJob) []string { j.ID = "j7"; return []string{j.done("b")} }),
		"ended twice":  lines(func(j *fakeJob) []string { return []string{j.done("a")} }),
		"late record":  lines(func(j *fakeJob) []string { return []string{j.record("a", "late")} }),
		"second ready": lines(func(*fakeJob) []string {
			return []string{`{"type":"ready","protocol":1,"framework":"fake","version":"1.2.3"}`}
		}),
		"early result":   lines(func(j *fakeJob) []string { return []string{j.result(1, 0)} }),
		"wrong count":    lines(func(j *fakeJob) []string { return []string{j.done("b"), j.result(2, 0)} }),
		"below zero":     lines(func(j *fakeJob) []string { return []string{`{"type":"progress","job":"j1","done":-1}`} }),
		"error of none":  lines(func(j *fakeJob) []string { return []string{`{"type":"error","job":"j1","task":"b"}`} }),
		"silent":         lines(func(j *fakeJob) []string { return []string{j.record("b", "half")} }),
		"exit 0":         exit(0),
		"exit 1":         exit(1),
		"exit 71":        exit(exitMemory),
		"exit 137":       exit(137),
		"closes output":  func(f *fakeWorker) { f.begin(); os.Stdout.Close(); f.hang() },
		"kills itself":   func(f *fakeWorker) { f.begin(); f.signal(syscall.SIGKILL) },
		"ends by signal": func(f *fakeWorker) { f.begin(); f.signal(syscall.SIGTERM) },
		"half a line": func(f *fakeWorker) {
			j := f.begin()
			fmt.Fprint(f.out, j.done("b"))
		},
		"endless line": func(f *fakeWorker) {
			f.begin()
			for {
				if _, err := f.out.Write(bytes.Repeat([]byte("x"), 1<<20)); err != nil {
					f.die("%v", err)
				}
			}
		},
		"endless records": func(f *fakeWorker) {
			j := f.begin()
			for {
				f.say(j.record("b", strings.Repeat("x", 1<<10)))
			}
		},
		"endless words": func(f *fakeWorker) {
			f.begin()
			f.note("silent", os.Getpid())
			for {
				os.Stderr.Write(bytes.Repeat([]byte("flood\n"), 1<<10))
			}
		},
		"deaf": func(f *fakeWorker) { f.ready(); f.note("silent", os.Getpid()); f.hang() }, // reads no job
		"ignores signals": func(f *fakeWorker) {
			signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGPIPE)
			f.begin()
			f.hang()
		},
		"child": func(f *fakeWorker) {
			f.begin()
			f.spawn(false)
			os.Exit(5)
		},
		"child outside": func(f *fakeWorker) {
			f.begin()
			f.spawn(true)
			os.Exit(5)
		},
		"child and hang": func(f *fakeWorker) {
			f.begin()
			f.spawn(false)
			f.note("silent", os.Getpid())
			f.hang()
		},
		"tells token": func(f *fakeWorker) {
			j := f.begin()
			t := j.Endpoint.Token
			fmt.Fprintf(os.Stderr, "Authorization: Bearer %s\x1b[31m\n", t)
			f.say(strings.ReplaceAll(j.failed("b"), "no such thing", "bearer "+t))
			os.Exit(1)
		},

		// Workers that go on after the result.
		"goes on": func(f *fakeWorker) {
			f.ready()
			for {
				j := f.job()
				f.say(append(j.all(), j.record("a", "late"))...)
			}
		},
		"goes on later": func(f *fakeWorker) {
			f.ready()
			j := f.job()
			f.say(j.all()...)
			f.waitFor("go-on")
			f.say(j.record("a", "late"))
			f.note("late", os.Getpid())
			f.hang()
		},
	}
	for name, p := range own {
		parts[strings.ReplaceAll(name, " ", "-")] = p
	}
}

// signal sends a signal to the worker itself and waits for it.
func (f *fakeWorker) signal(s syscall.Signal) {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		f.die("%v", err)
	}
	f.hang()
}

// waitFor returns when a test has opened the named pipe of the environment for
// writing.
func (f *fakeWorker) waitFor(name string) {
	p, err := os.Open(filepath.Join(f.dir, name))
	if err != nil {
		f.die("%v", err)
	}
	p.Close()
}
