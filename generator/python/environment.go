package python

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Environment is one framework's virtual environment, made by [Setup] and found
// whole by [Check].
type Environment struct {
	// Framework is [DeepEval], [Ragas] or [Giskard].
	Framework string
	// Version is the framework's version, as its lock file pins it.
	Version string
	// Dir is the environment's own folder, an absolute path.
	Dir string
	// Interpreter is the Python inside Dir that the worker runs on, an absolute path.
	Interpreter string
}

// EnvironmentError says that a framework's environment is missing or is not the
// one that this version of the package works with.
type EnvironmentError struct {
	// Framework is the framework asked for.
	Framework string
	// Dir is the folder that was to hold the environment.
	Dir string
	// Reason says what is wrong there.
	Reason string
	// Remedy mends what making it anew does not; "" where [Setup] mends it.
	Remedy string
	// Command is that set-up, as a person would type it. The library leaves it
	// empty; an application with a command of its own fills it in.
	Command string
}

// Error ends with what mends the environment: the remedy, the command, or the
// function.
func (e *EnvironmentError) Error() string {
	remedy := "call python.Setup for it"
	switch {
	case e.Remedy != "":
		remedy = e.Remedy
	case e.Command != "":
		remedy = "run: " + e.Command
	}
	return fmt.Sprintf("python: environment of %s in %s: %s; %s", e.Framework, e.Dir, e.Reason, remedy)
}

// The files of Setup's own in an environment.
const (
	// signFile is written before anything else and stays: a folder with it is
	// casebook's to empty.
	signFile = "casebook.setup"
	// markerFile is written last: an environment with it is whole.
	markerFile = "casebook.json"
	// vocabularyDir is where TIKTOKEN_CACHE_DIR points.
	vocabularyDir = "tiktoken"
)

// marker is what an environment says of itself.
type marker struct {
	Framework string `json:"framework"`
	Version   string `json:"version"`
	Lock      string `json:"lock"`        // digest of the lock files
	Base      string `json:"interpreter"` // the Python that the environment was made with
	Python    string `json:"python"`      // its version
	Packages  int    `json:"packages"`
	Bytes     int64  `json:"bytes"` // sum of file sizes
}

// maxMarker is more than any marker has.
const maxMarker = 64 << 10

// Check returns the environment of a framework under dir, the folder that
// [Setup] was given. It reads a marker and looks at files; it starts nothing and
// takes well under a millisecond, so that it does not see packages that were
// damaged later: Setup and [Engine.Start] do. The error is an *[EnvironmentError], or an
// *[OptionError] for a framework that is none.
func Check(dir, framework string) (*Environment, error) {
	p, ok := pinnedFor(framework)
	if !ok {
		return nil, unknownFramework(framework)
	}
	env, _, err := p.check(dir)
	return env, err
}

func (p pinned) check(dir string) (*Environment, *marker, error) {
	wrong := func(format string, args ...any) (*Environment, *marker, error) {
		return nil, nil, &EnvironmentError{Framework: p.framework, Dir: dir, Reason: fmt.Sprintf(format, args...)}
	}
	if dir == "" {
		return wrong("no folder is named")
	}
	root, err := filepath.Abs(dir)
	if err != nil {
		return wrong("%v", err)
	}
	dir = filepath.Join(root, p.framework)
	denied := func(what, base string) (*Environment, *marker, error) {
		e := &EnvironmentError{
			Framework: p.framework, Dir: dir, Reason: what + " is closed to this user (permission denied)",
			Remedy: "have their owner open the folders on the way to it, or name folders of your own to python.Setup",
		}
		if base != "" {
			e.Reason += fmt.Sprintf("; it was made with %q", base)
			e.Remedy = "have the owner open the way to that, or make the environment with an interpreter that every user can run"
		}
		return nil, nil, e
	}
	m, err := readMarker(filepath.Join(dir, markerFile))
	switch {
	case errors.Is(err, fs.ErrPermission):
		return denied("its marker", "")
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(dir); errors.Is(err, fs.ErrNotExist) {
			return wrong("it is missing")
		}
		if !signed(dir) {
			return wrong("the folder was not made by casebook")
		}
		return wrong("its set-up was not finished")
	case err != nil:
		if info, err := os.Stat(root); err == nil && !info.IsDir() {
			return nil, nil, &EnvironmentError{Framework: p.framework, Dir: root, Reason: "it is a file", Remedy: "name the folder that python.Setup was given"}
		}
		return wrong("its marker cannot be read: %v", plainPath(err))
	}
	version, _, digest, err := p.contents()
	if err != nil {
		return nil, nil, fmt.Errorf("python: embedded lock files: %w", err)
	}
	switch {
	case m.Framework != p.framework:
		return wrong("it is made for %q", m.Framework)
	case m.Version != version:
		return wrong("it has version %q, and casebook works with %s", m.Version, version)
	case m.Lock != digest:
		return wrong("it was made from another lock file")
	}
	interpreter := filepath.Join(dir, "bin", "python")
	info, err := os.Stat(interpreter)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return denied("its interpreter", m.Base)
	case err != nil:
		return wrong("its interpreter is gone (%v); it was made with %q", plainPath(err), m.Base)
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		return wrong("its interpreter is no program")
	}
	if p.vocabulary {
		for _, v := range vocabularies() {
			info, err := os.Stat(filepath.Join(dir, vocabularyDir, v.name))
			switch {
			case errors.Is(err, fs.ErrPermission):
				return denied("the vocabulary file "+v.name, "")
			case err != nil || info.Size() == 0:
				return wrong("the vocabulary file %s is missing", v.name)
			}
		}
	}
	return &Environment{Framework: p.framework, Version: version, Dir: dir, Interpreter: interpreter}, m, nil
}

func readMarker(path string) (*marker, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxMarker+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxMarker {
		return nil, fmt.Errorf("it is larger than %d bytes", maxMarker)
	}
	var m marker
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	return &m, nil
}

// signed says whether a folder has the sign that Setup leaves. A link has none.
func signed(dir string) bool {
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return false
	}
	info, err := os.Lstat(filepath.Join(dir, signFile))
	return err == nil && info.Mode().IsRegular()
}

// plainPath leaves out the operation and the path, which the message has.
func plainPath(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
