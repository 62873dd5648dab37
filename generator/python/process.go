package python

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

//go:embed worker/*.py
var embedded embed.FS

// program returns the files of the worker.
func program() fs.FS {
	files, err := fs.Sub(embedded, "worker")
	if err != nil {
		panic(err) // the name is a constant
	}
	return files
}

const (
	// exitMemory is the status with which a worker ends that came to its limit
	// of memory.
	exitMemory = 71
	// exitShellKilled is the status that shells give a process that SIGKILL ended.
	exitShellKilled = 128 + 9
	// tailSize is how much of a worker's standard error is kept, in bytes.
	tailSize = 64 << 10
	// wordsSize is how much of it goes into an error, in bytes.
	wordsSize = 4 << 10
)

// worker is a process that does one job at a time. Its methods are called from
// one goroutine at a time, but for stop, which may be called from any.
type worker struct {
	env *Environment
	o   *poolOptions
	log *slog.Logger
	cmd *exec.Cmd
	dir string // private; holds the program, and the process's own files

	stdin, stdout, stderr *os.File
	// lines are what the worker wrote, and are closed at the end of its output,
	// after which readErr says how that came.
	lines   chan line
	readErr error
	words   tail

	quitting sync.Once
	quit     chan struct{} // closed by stop: nobody reads lines any more
	exited   chan struct{} // closed when the process has ended and its group was killed
	ended    chan struct{} // closed when nothing of the worker is left

	mu     sync.Mutex
	reaped bool // the process id may be another's
	state  *os.ProcessState
	tokens []string // what must not be told
}

// line is a line of the worker's output. More says that something that follows
// it has arrived already.
type line struct {
	text []byte
	more bool
}

// startWorker starts a process and waits until its framework is imported. When
// it fails, nothing of the worker is left; the error is a *[WorkerError].
func startWorker(ctx context.Context, env *Environment, o *poolOptions) (*worker, error) {
	if !supported {
		return nil, &WorkerError{Framework: env.Framework, Kind: KindUnsupported, Exit: -1}
	}
	w := &worker{
		env: env, o: o, log: o.Log.With("framework", env.Framework),
		lines: make(chan line), quit: make(chan struct{}), exited: make(chan struct{}), ended: make(chan struct{}),
	}
	if err := w.launch(); err != nil {
		return nil, &WorkerError{Framework: env.Framework, Kind: KindStart, Exit: -1, Err: err}
	}
	if err := w.greet(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

// launch starts the process and the goroutines that go with it.
func (w *worker) launch() (err error) {
	// worker/main.py knows the folder by its name.
	if w.dir, err = os.MkdirTemp(w.o.Temp, "casebook-python-"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.removeDir()
		}
	}()
	if w.dir, err = filepath.Abs(w.dir); err != nil {
		return err
	}
	main, err := w.unpack()
	if err != nil {
		return err
	}
	home := filepath.Join(w.dir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}

	var theirs [3]*os.File
	defer func() {
		for _, f := range theirs {
			if f != nil {
				f.Close()
			}
		}
		if err != nil {
			for _, f := range []*os.File{w.stdin, w.stdout, w.stderr} {
				if f != nil {
					f.Close()
				}
			}
		}
	}()
	if theirs[0], w.stdin, err = os.Pipe(); err != nil {
		return err
	}
	if w.stdout, theirs[1], err = os.Pipe(); err != nil {
		return err
	}
	if w.stderr, theirs[2], err = os.Pipe(); err != nil {
		return err
	}
	args := []string{w.env.Interpreter, "-P", "-s"}
	if !w.o.Bytecode {
		args = append(args, "-B")
	}
	args = append(args, "-X", "utf8", main, w.env.Framework, strconv.FormatInt(w.o.Memory, 10), strconv.Itoa(w.o.Line))
	// No context here: the process is ended with its whole group, by stop.
	w.cmd = &exec.Cmd{
		Path: w.env.Interpreter, Args: args,
		Env: environ(w.env, home), Dir: home,
		Stdin: theirs[0], Stdout: theirs[1], Stderr: theirs[2],
		SysProcAttr: ownGroup(),
	}
	if err := w.cmd.Start(); err != nil {
		return err
	}
	var readers sync.WaitGroup
	readers.Go(w.readLines)
	readers.Go(func() { _, _ = io.Copy(&w.words, w.stderr) })
	go w.reap(&readers)
	return nil
}

// unpack writes the program into the private folder and returns the path of its
// main file.
func (w *worker) unpack() (string, error) {
	dir := filepath.Join(w.dir, "worker")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", err
	}
	names, err := fs.Glob(w.o.Program, "*.py")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		b, err := fs.ReadFile(w.o.Program, name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, path.Base(name)), b, 0o600); err != nil {
			return "", err
		}
	}
	return filepath.Join(dir, "main.py"), nil
}

// environ is the whole environment of a worker: made from nothing, so that
// neither keys nor settings of the application reach it.
func environ(env *Environment, home string) []string {
	return []string{
		"PATH=" + filepath.Dir(env.Interpreter) + ":/usr/bin:/bin",
		"HOME=" + home,
		"TMPDIR=" + home,
		"XDG_CACHE_HOME=" + filepath.Join(home, ".cache"),
		"XDG_CONFIG_HOME=" + filepath.Join(home, ".config"),
		"VIRTUAL_ENV=" + env.Dir,
		"LANG=C.UTF-8",
		"LC_ALL=C.UTF-8",
		"TZ=UTC",
		"PYTHONHASHSEED=0",
		"PYTHONNOUSERSITE=1",
		"TIKTOKEN_CACHE_DIR=" + filepath.Join(env.Dir, "tiktoken"),
		"NO_PROXY=*",
		"no_proxy=*",
		"DO_NOT_TRACK=1",
		"DEEPEVAL_TELEMETRY_OPT_OUT=1",
		"DEEPEVAL_DISABLE_DOTENV=1",
		"DEEPEVAL_DISABLE_LEGACY_KEYFILE=1",
		"RAGAS_DO_NOT_TRACK=true", // the word: a 1 does not count
		"GSK_DISABLE_ANALYTICS=True",
		"LITELLM_LOCAL_MODEL_COST_MAP=True",
		"HF_HUB_OFFLINE=1",
		"HF_HUB_DISABLE_TELEMETRY=1",
		"TRANSFORMERS_OFFLINE=1",
		"ANONYMIZED_TELEMETRY=False",
	}
}

// greet reads the worker's first message.
func (w *worker) greet(ctx context.Context) error {
	timer := time.NewTimer(w.o.Start)
	defer timer.Stop()
	select {
	case l, ok := <-w.lines:
		if !ok {
			return w.gone(ctx)
		}
		m, err := parseMessage(l.text)
		if err != nil {
			return w.fail(KindProtocol, err)
		}
		if m.Type == typeFailed {
			return w.fail(KindImport, m.Error.task(w.env.Framework, w.redact))
		}
		if err := m.hello(w.env); err != nil {
			return w.fail(KindProtocol, err)
		}
		w.log.Debug("a worker is ready", "version", m.Version, "python", m.Python, "packages", m.Packages)
		return nil
	case <-timer.C:
		return w.fail(KindTimeout, fmt.Errorf("nothing within %v", w.o.Start))
	case <-ctx.Done():
		return w.fail(KindCanceled, context.Cause(ctx))
	}
}

// do runs a job, of which line is what the worker is to read. What has arrived is
// returned with an error too, after which nothing of the worker is left; the
// error is a *[WorkerError]. Without an error the worker can take another job if
// fit says so, and has been stopped if not.
func (w *worker) do(ctx context.Context, id string, j *job, line []byte, pending func() int) (got *replies, fit bool, err error) {
	w.mu.Lock()
	if j.Endpoint.Token != "" {
		w.tokens = append(w.tokens, j.Endpoint.Token)
	}
	w.mu.Unlock()
	t := newTranscript(w.env.Framework, id, j, w.o.Records, w.redact)

	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = w.stdin.Write(line) // what is wrong with it is seen by what comes back
	}()
	defer func() {
		if err != nil || !fit {
			w.stop() // closes stdin, so that the writer ends
		}
		<-written
	}()
	fit, err = w.listen(ctx, t, pending)
	return t.out, fit, err
}

// silences is in how many parts Options.Stall is cut: after so many without a
// line and without a call to the model, a worker has stalled.
const silences = 8

// listen reads messages until the result has come.
func (w *worker) listen(ctx context.Context, t *transcript, pending func() int) (fit bool, err error) {
	ticker := time.NewTicker(max(1, w.o.Stall/silences))
	defer ticker.Stop()
	quiet := 0
	for {
		// A context that has ended goes before lines that have come.
		if ctx.Err() != nil {
			return false, w.fail(KindCanceled, context.Cause(ctx))
		}
		select {
		case l, ok := <-w.lines:
			if !ok {
				return false, w.gone(ctx)
			}
			quiet = 0
			m, err := parseMessage(l.text)
			if err == nil {
				err = t.read(m)
			}
			switch {
			case errors.Is(err, errJobSize):
				return false, w.fail(KindOversized, fmt.Errorf("%w: more than %d bytes", err, t.maxSize))
			case err != nil:
				return false, w.fail(KindProtocol, err)
			case !t.over:
			case l.more:
				w.log.Warn("a worker goes on after its result, and is stopped")
				return false, nil
			default:
				return true, nil
			}
		case <-ticker.C:
			if quiet++; pending != nil && pending() > 0 {
				quiet = 0
			}
			if quiet >= silences {
				return false, w.fail(KindStall, fmt.Errorf("nothing for %v", w.o.Stall))
			}
		case <-ctx.Done():
		}
	}
}

// gone is the error of a worker whose output has ended.
func (w *worker) gone(ctx context.Context) *WorkerError {
	if errors.Is(w.readErr, errLineSize) {
		return w.fail(KindOversized, w.readErr)
	}
	timer := time.NewTimer(w.o.Grace)
	defer timer.Stop()
	select {
	case <-w.exited:
	case <-timer.C:
		return w.fail(KindProtocol, errors.New("it closed its output and lives on"))
	case <-ctx.Done():
		return w.fail(KindCanceled, context.Cause(ctx))
	}
	return w.fail("", nil)
}

// fail ends the worker and says why. A kind of "" is that of the process's own
// end, which has come.
func (w *worker) fail(kind Kind, cause error) *WorkerError {
	e := &WorkerError{Framework: w.env.Framework, Kind: kind, Exit: -1, Err: cause}
	if kind == "" {
		w.mu.Lock()
		e.Exit, e.Signal = status(w.state)
		w.mu.Unlock()
		switch {
		case e.Exit == exitMemory:
			e.Kind = KindMemory
		case e.Exit == exitShellKilled, e.Signal != "":
			e.Kind = KindKilled
		default:
			e.Kind = KindExit
		}
	}
	w.stop()
	w.log.Debug("a worker failed", "kind", string(e.Kind), "exit", e.Exit, "signal", e.Signal, "cause", cause)
	e.Stderr = ending(w.said(), wordsSize)
	return e
}

// said is the end of the worker's standard error, as it may be told.
func (w *worker) said() string { return w.redact(clean(w.words.String())) }

// redact takes the tokens of the worker's jobs out of a text.
func (w *worker) redact(text string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, token := range w.tokens {
		text = strings.ReplaceAll(text, token, "[token]")
	}
	return text
}

// alive reports whether an idle worker is as it should be: there, and silent.
func (w *worker) alive() bool {
	select {
	case <-w.exited:
		return false
	case <-w.lines:
		return false
	default:
		return true
	}
}

// stop kills the worker's process group and returns when nothing of it is left.
// It may be called twice.
func (w *worker) stop() {
	w.quitting.Do(func() {
		close(w.quit)
		w.kill()
		w.stdin.Close()
	})
	<-w.ended
}

// kill ends every process of the worker's group, as long as the group's id is
// its own.
func (w *worker) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.reaped {
		killGroup(w.cmd.Process.Pid)
	}
}

// readLines passes on what the worker writes.
func (w *worker) readLines() {
	defer close(w.lines)
	r := newLineReader(w.stdout, w.o.Line)
	for {
		text, err := r.next()
		if err != nil {
			w.readErr = err
			return
		}
		select {
		case w.lines <- line{text, r.more()}:
		case <-w.quit:
			return
		}
	}
}

// reap waits for the end of the process and takes away what is left of it.
func (w *worker) reap(readers *sync.WaitGroup) {
	defer close(w.ended)
	// The group is killed before its leader is waited for: until then the id
	// cannot become that of another group.
	process := w.cmd.Process
	var state *os.ProcessState
	if err := awaitExit(process.Pid); err != nil {
		w.log.Warn("what a worker leaves running may not be found", "error", err)
		state, _ = process.Wait()
	}
	w.mu.Lock()
	if state == nil {
		killGroup(process.Pid)
		state, _ = process.Wait() // at once
	}
	w.reaped, w.state = true, state
	w.mu.Unlock()
	close(w.exited)
	// A process that left the group may hold the pipes open.
	timer := time.AfterFunc(w.o.Grace, func() {
		w.stdout.Close()
		w.stderr.Close()
	})
	readers.Wait()
	timer.Stop()
	w.stdout.Close()
	w.stderr.Close()
	w.log.Debug("a worker has ended", "stderr", w.said())
	w.removeDir()
}

// removeDir removes the private folder, folders in it that were closed to us too.
func (w *worker) removeDir() {
	err := os.RemoveAll(w.dir)
	if err == nil {
		return
	}
	_ = filepath.WalkDir(w.dir, func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700) //nolint:gosec // a folder, to be removed next
		}
		return nil
	})
	if err = os.RemoveAll(w.dir); err != nil {
		w.log.Warn("the folder of a worker cannot be removed", "error", err)
	}
}

// status is how a process ended: its exit status, or -1 and a signal's name. It
// is -1 and no name where the system did not tell.
func status(s *os.ProcessState) (exit int, signal string) {
	if s == nil {
		return -1, ""
	}
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return -1, ws.Signal().String()
	}
	return s.ExitCode(), ""
}

// tail keeps the end of what is written to it. It is safe for concurrent use.
type tail struct {
	mu  sync.Mutex
	b   []byte
	cut bool
}

// Write never fails.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	if n > tailSize {
		p, t.cut = p[n-tailSize:], true
	}
	if len(t.b)+len(p) > 2*tailSize {
		t.b, t.cut = append(t.b[:0], t.b[len(t.b)-tailSize:]...), true
	}
	t.b = append(t.b, p...)
	return n, nil
}

// String returns the end of what was written, from the start of a line where it
// was cut: half a token could not be found to be taken out.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, cut := t.b, t.cut
	if len(b) > tailSize {
		b, cut = b[len(b)-tailSize:], true
	}
	if cut {
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			b = b[i+1:]
		} else {
			b = b[min(len(b), 1<<10):]
		}
	}
	return string(b)
}

// ending is the end of a text, at most limit bytes of it, from the start of a
// character.
func ending(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	return "..." + strings.ToValidUTF8(text[len(text)-limit:], "")
}
