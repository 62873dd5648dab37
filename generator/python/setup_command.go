package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// commandError is the failure of a command.
type commandError struct {
	command []string
	output  string
	err     error
}

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

const (
	// outputSize is how much of a command's output an error has, in bytes.
	outputSize = 8 << 10
	// grace is how long what a command left behind may hold its output.
	grace = 5 * time.Second
)

// runCommand runs a command of the set-up in the private folder, with its whole
// process group. Its error is a *commandError.
func (s *setup) runCommand(ctx context.Context, words []string) error {
	var output tail
	err := s.execute(ctx, words, s.temp, &output, &output)
	if err != nil {
		return s.commandError(words, output.String(), err)
	}
	return nil
}

func (s *setup) commandError(words []string, output string, err error) *commandError {
	shown := make([]string, len(words))
	for i, w := range words {
		shown[i] = s.redact(w)
	}
	return &commandError{shown, ending(s.redact(clean(output)), outputSize), err}
}

func (s *setup) execute(ctx context.Context, words []string, dir string, stdout, stderr io.Writer) error {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = dir, s.environ(), ownGroup()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.WaitDelay = grace
	cmd.Cancel = func() error {
		killGroup(cmd.Process.Pid)
		return nil
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	// What the command leaves running goes with it. The group is killed before
	// its leader is waited for: until then its id is not another's.
	if awaitExit(cmd.Process.Pid) == nil {
		killGroup(cmd.Process.Pid)
	}
	err := cmd.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, exec.ErrWaitDelay) {
		return errors.New("it ended, and something that it started did not")
	}
	return err
}

// environ is the environment of uv, pip and the interpreter.
func (s *setup) environ() []string {
	given := map[string]bool{}
	for _, e := range s.o.Env {
		name, _, _ := strings.Cut(e, "=")
		given[name] = true
	}
	env := []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"}
	if s.temp != "" && !given["HOME"] {
		env = append(env, "HOME="+filepath.Join(s.temp, "home"))
	}
	env = append(env, s.o.Env...)
	if s.o.Index != "" {
		// Not on a command line, which everybody can read: it may hold credentials.
		env = append(env, "PIP_INDEX_URL="+s.o.Index, "UV_DEFAULT_INDEX="+s.o.Index, "UV_INDEX_URL="+s.o.Index)
	}
	env = append(env,
		"PYTHONUTF8=1", "PYTHONNOUSERSITE=1", "NO_COLOR=1",
		"PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1", "UV_PYTHON_DOWNLOADS=never",
	)
	if s.temp != "" {
		env = append(env, "TMPDIR="+s.temp)
	}
	return env
}

var userinfo = regexp.MustCompile(`(://)[^/\s@"']+@`)

// redact takes credentials out of a text.
func (s *setup) redact(text string) string {
	text = userinfo.ReplaceAllString(text, "${1}***@")
	for _, secret := range s.hide {
		text = strings.ReplaceAll(text, secret, "***")
	}
	return text
}

// secretsOf are the credentials in addresses of the options, and the values of
// settings that are credentials by their name; the longest first.
func secretsOf(o *SetupOptions) []string {
	var out []string
	add := func(secret string) {
		if len(secret) > 3 && !slices.Contains(out, secret) {
			out = append(out, secret)
		}
	}
	addresses := func(text string) {
		for word := range strings.FieldsSeq(text) {
			if u, err := url.Parse(word); err == nil && u.User != nil {
				if password, ok := u.User.Password(); ok {
					add(password)
					add(url.QueryEscape(password))
				} else {
					add(u.User.Username())
				}
			}
		}
	}
	addresses(o.Index)
	for _, e := range o.Env {
		name, value, _ := strings.Cut(e, "=")
		addresses(value)
		for _, mark := range []string{"PASSWORD", "TOKEN", "SECRET", "API_KEY"} {
			if strings.Contains(strings.ToUpper(name), mark) {
				add(value)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b string) int { return len(b) - len(a) })
	return out
}

// base is the interpreter that environments are made with, as it describes
// itself.
type base struct {
	Implementation string `json:"implementation"`
	Version        string `json:"version"`
	Minor          [2]int `json:"minor"`
	Executable     string `json:"executable"`
	System         string `json:"system"`
	Machine        string `json:"machine"`
	Musl           bool   `json:"musl"`
	Bits           int    `json:"bits"`
	Venv           bool   `json:"venv"`
	Pip            bool   `json:"pip"` // venv can bring it
}

// describe is the program by which an interpreter describes itself. It must run
// on interpreters that are refused for their age.
const describe = `
import json, platform, struct, sys, sysconfig
def has(name):
    try:
        __import__(name)
        return True
    except ImportError:
        return False
print(json.dumps({
    "implementation": platform.python_implementation(), "version": platform.python_version(),
    "minor": list(sys.version_info[:2]), "executable": sys.executable or "",
    "system": sys.platform, "machine": platform.machine(), "bits": struct.calcsize("P") * 8,
    "musl": "musl" in str(sysconfig.get_config_var("HOST_GNU_TYPE")) or "musl" in str(sysconfig.get_config_var("SOABI")),
    "venv": has("venv"), "pip": has("ensurepip"),
}))
`

// platform is the interpreter's, which need not be that of this program.
func (b *base) platform() string {
	system := b.System
	if b.Musl {
		system += "-musl"
	}
	arch := map[string]string{"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}[strings.ToLower(b.Machine)]
	if arch == "" || b.Bits != 64 {
		arch = fmt.Sprintf("%s (%d bits)", b.Machine, b.Bits)
	}
	return system + "/" + arch
}

func goPlatform() string { return runtime.GOOS + "/" + runtime.GOARCH }

const wantPython = "CPython 3.11"

// findBase returns the first interpreter that fits, of one if it is named.
func (s *setup) findBase(ctx context.Context) (*base, error) {
	names := []string{"python3.11", "python3"}
	remedy := "install it, or name one"
	if s.o.Interpreter != "" {
		names, remedy = []string{s.o.Interpreter}, "name another interpreter"
	}
	first := &InterpreterError{Found: strings.Join(names, " and ") + " are missing", Want: wantPython, Remedy: remedy}
	if s.o.Interpreter != "" {
		first.Path, first.Found = s.o.Interpreter, "it is missing"
	}
	tried := false
	for _, name := range names {
		path, err := exec.LookPath(name)
		switch {
		case err == nil:
		case s.o.Interpreter != "" && errors.Is(err, fs.ErrPermission):
			first.Found, first.Remedy = notRunnable, mayRun
			continue
		case s.o.Interpreter != "" && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, exec.ErrNotFound):
			first.Found = plain(err)
			continue
		default:
			continue
		}
		if path, err = filepath.Abs(path); err != nil {
			continue
		}
		b, wrong, err := s.ask(ctx, path)
		if err != nil {
			return nil, err
		}
		if wrong == "" {
			return b, nil
		}
		if !tried {
			first.Path, first.Found, tried = path, wrong, true
			if wrong == notRunnable {
				first.Remedy = mayRun
			}
			if b != nil && !b.Venv {
				first.Remedy = "install its package python3.11-venv, or name another interpreter"
			}
		}
	}
	return nil, first
}

// askTime is how long an interpreter may take to describe itself.
const askTime = time.Minute

// What is said of a program that this user may not run, and the remedy.
const (
	notRunnable = "this user may not run it (permission denied)"
	mayRun      = "have its owner let this user run it, or name another interpreter"
)

// plain leaves out of an error of starting a program what the message has.
func plain(err error) string {
	var e *exec.Error
	if errors.As(err, &e) {
		err = e.Err
	}
	return plainPath(err).Error()
}

// ask has an interpreter describe itself; wrong says why it does not fit.
func (s *setup) ask(ctx context.Context, path string) (b *base, wrong string, err error) {
	asking, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	var out, words tail
	// A file, for programs that are no Python repeat their command line.
	program := filepath.Join(s.spare, "describe.py")
	if err := os.WriteFile(program, []byte(describe), 0o600); err != nil {
		return nil, "", asFolderError(s.spare, err)
	}
	if err := s.execute(asking, []string{path, "-I", program}, s.spare, &out, &words); err != nil {
		switch {
		case ctx.Err() != nil:
			return nil, "", context.Cause(ctx)
		case errors.Is(err, fs.ErrPermission):
			return nil, notRunnable, nil
		}
		wrong = "it does not run (" + plain(err) + ")"
		if said := lastLine(s.redact(clean(words.String())), 200); said != "" {
			wrong += ", and says: " + said
		}
		return nil, wrong, nil
	}
	b = new(base)
	last := out.String()
	last = last[strings.LastIndexByte(strings.TrimSpace(last), '\n')+1:]
	if err := json.Unmarshal([]byte(last), b); err != nil {
		return nil, "it does not answer as a Python does", nil
	}
	switch {
	case b.Implementation != "CPython" || b.Minor != [2]int{3, 11}:
		return b, fmt.Sprintf("it is %s %s", b.Implementation, b.Version), nil
	case !filepath.IsAbs(b.Executable):
		return b, "it does not know its own path", nil
	case !b.Venv:
		return b, "it has no module venv", nil
	}
	return b, "", nil
}

// findTool chooses what installs.
func (s *setup) findTool(ctx context.Context) error {
	if s.o.UV != "-" {
		name := s.o.UV
		if name == "" {
			name = "uv"
		}
		path, err := exec.LookPath(name)
		if err == nil {
			path, err = filepath.Abs(path)
		}
		var out tail
		if err == nil {
			asking, cancel := context.WithTimeout(ctx, askTime)
			defer cancel()
			err = s.execute(asking, []string{path, "--version"}, s.spare, &out, io.Discard)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		version := strings.Fields(out.String())
		if err == nil && (len(version) < 2 || version[0] != "uv") {
			err = errors.New("it does not answer as uv does")
		}
		if err == nil {
			s.uv, s.tool = path, "uv "+version[1]
			return nil
		}
		if s.o.UV != "" && errors.Is(err, fs.ErrPermission) {
			return &OptionError{"UV", s.o.UV + ": " + notRunnable, `have its owner let this user run it, or use "-" for pip`}
		}
		if s.o.UV != "" {
			return &OptionError{"UV", s.o.UV + ": " + plain(err), `name the program uv, or "-" for pip`}
		}
	}
	if !s.base.Pip {
		return &InterpreterError{s.base.Executable, "it has no module ensurepip", wantPython + " with pip", "install its package python3.11-venv, or uv, or name another interpreter"}
	}
	s.tool = "pip"
	return nil
}

// importTime is how long a framework may take to import that has no bytecode yet.
const importTime = 10 * time.Minute

// try starts the worker in an environment, as an engine does, and stops it when
// its framework is imported. With Bytecode the imports leave theirs, which
// engines only read.
func (s *setup) try(ctx context.Context, env *Environment, o poolOptions) error {
	o.Start = importTime
	o = o.settled()
	w, err := startWorker(ctx, env, &o)
	if err != nil {
		return err
	}
	w.stop()
	return nil
}
