package python

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// SetupOptions say what [Setup] makes and with what. Dir is needed; other zero
// fields mean the defaults.
type SetupOptions struct {
	// Dir is the folder for the environments: each gets a folder in it, named
	// after its framework. It is made if it is missing.
	Dir string
	// Only are the frameworks to set up; none means all.
	Only []string
	// Interpreter is the Python that the environments are made with, CPython
	// 3.11: a path or a name on the PATH. "" means python3.11, then python3.
	Interpreter string
	// UV is the program uv, which installs a good deal faster than pip: a path
	// or a name on the PATH. "" means uv if it is there, else pip; "-" means pip.
	UV string
	// Index is the address of the package index. "" means the one that uv or pip
	// is configured for.
	Index string
	// Env is what uv, pip and the search for an interpreter get in their
	// environment beside the little that they need: "NAME=value" for proxies,
	// certificates, indexes, and HOME for their settings and caches. Without
	// HOME they have none and keep nothing.
	Env []string
	// Announce is told what will be done before anything is made; its error ends
	// Setup and is returned as it is. nil means nobody is told.
	Announce func(*Plan) error
	// OnStep is told of each step as it begins. nil means nobody is told.
	OnStep func(Step)
}

// Plan is what Setup is going to do.
type Plan struct {
	// Dir is the folder for the environments, an absolute path.
	Dir string
	// Python is the version of the interpreter, and Installer what installs and
	// its version: "uv 0.13.9". Both are "" when there is nothing to make.
	Python, Installer string
	// Environments are those asked for, in a fixed order.
	Environments []PlannedEnvironment
	// Bytes is about what the environments to be made will take.
	Bytes int64
}

// PlannedEnvironment is one environment of a [Plan].
type PlannedEnvironment struct {
	Framework, Version string
	// Dir is the environment's own folder.
	Dir string
	// Packages is how many will be installed.
	Packages int
	// Bytes is about what it takes, as the sum of file sizes; for one that is
	// there, what it takes.
	Bytes int64
	// Present says that it is there and whole, and is left alone.
	Present bool
	// Reason says why one that is there is made anew; "" for others.
	Reason string
}

// Step is one step of a set-up. Framework is "" where it serves all.
type Step struct {
	Framework string
	// Name is "environment", "packages", "vocabulary" or "import".
	Name string
	// Text says it in words.
	Text string
}

// SetupReport is what Setup left behind.
type SetupReport struct {
	// Dir is the folder of the environments, an absolute path.
	Dir string
	// Environments are those asked for, in a fixed order; after an error, those
	// that are whole.
	Environments []SetupEnvironment
	// Bytes is what they take, as the sum of file sizes.
	Bytes int64
}

// SetupEnvironment is one environment of a [SetupReport].
type SetupEnvironment struct {
	Environment
	// Python is the version of its interpreter.
	Python string
	// Packages is how many its lock files have.
	Packages int
	// Bytes is the sum of its file sizes when it was made.
	Bytes int64
	// Made says that this call made it; else it was there.
	Made bool
}

// SetupError says which step failed: what was run, and the end of what that
// wrote. Unless it is kept the environment has no marker then, and the next
// [Setup] makes it anew.
type SetupError struct {
	Framework string
	// Step is as in [Step].
	Step string
	// Command is what was run, if the step runs something. Credentials are taken
	// out of it, and of Output.
	Command []string
	// Output is the end of what the command wrote.
	Output string
	// Kept says that the environment was there before and is left as it was:
	// what failed does not show that it is at fault.
	Kept bool
	Err  error
}

func (e *SetupError) Error() string {
	var b strings.Builder
	b.WriteString("python: set-up")
	if e.Framework != "" {
		b.WriteString(" of " + e.Framework)
	}
	fmt.Fprintf(&b, ", step %s: %v", e.Step, e.Err)
	if len(e.Command) > 0 {
		fmt.Fprintf(&b, "\nrun was: %s", strings.Join(e.Command, " "))
	}
	if out := strings.TrimSpace(e.Output); out != "" {
		fmt.Fprintf(&b, "\nit wrote:\n%s", out)
	}
	if e.Kept {
		b.WriteString("\nthe environment is left as it was")
	} else {
		b.WriteString("\nSetup makes it anew when it is called again")
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *SetupError) Unwrap() error { return e.Err }

// InterpreterError says that there is no interpreter for the environments, or
// that the one named cannot make them.
type InterpreterError struct {
	Path   string // as it was named or found; "" for none
	Found  string // what it is
	Want   string
	Remedy string
}

func (e *InterpreterError) Error() string {
	where := "no interpreter on the PATH"
	if e.Path != "" {
		where = "interpreter " + e.Path
	}
	return fmt.Sprintf("python: %s: %s; needed is %s: %s", where, e.Found, e.Want, e.Remedy)
}

// PlatformError says that a framework cannot be installed on an operating system
// and architecture, as its lock file has no packages for them.
type PlatformError struct {
	Framework string // "" for all
	Platform  string // "linux-musl/arm64"
	Known     []string
}

func (e *PlatformError) Error() string {
	what := "the frameworks"
	if e.Framework != "" {
		what = e.Framework
	}
	return fmt.Sprintf("python: %s cannot be set up on %s; there are packages for %s: leave it to the Go engine", what, e.Platform, strings.Join(e.Known, ", "))
}

// FolderError says that a folder cannot be used or is not touched, why, and what
// to do.
type FolderError struct{ Dir, Reason, Remedy string }

func (e *FolderError) Error() string {
	return fmt.Sprintf("python: folder %s cannot be used: %s; %s", e.Dir, e.Reason, e.Remedy)
}

// notOurs is the remedy for what stands where a folder of Setup's is to be.
const notOurs = "name another, or remove it yourself"

// asFolderError says what an error of the operating system means for a folder
// that Setup is to write to.
func asFolderError(dir string, err error) *FolderError {
	if errors.Is(err, fs.ErrPermission) {
		return &FolderError{dir, "this user may not write there (permission denied)", "leave it to its owner, who may call Setup for everybody, or name another"}
	}
	return &FolderError{dir, plainPath(err).Error(), "name another"}
}

// BusyError says that another set-up is at work in a folder.
type BusyError struct{ Dir string }

func (e *BusyError) Error() string {
	return fmt.Sprintf("python: another set-up is at work in %s: wait for its end", e.Dir)
}

// SpaceError says that a disk has too little room for what is to be made.
type SpaceError struct {
	Dir        string
	Need, Have int64 // bytes
}

func (e *SpaceError) Error() string {
	const mb = 1e6
	return fmt.Sprintf("python: %s has %.0f MB of room, and the environments need %.0f MB: free some, or set up fewer frameworks", e.Dir, float64(e.Have)/mb, float64(e.Need)/mb)
}

// The names of steps.
const (
	stepEnvironment = "environment"
	stepPackages    = "packages"
	stepVocabulary  = "vocabulary"
	stepImport      = "import"
)

// Setup makes the environments in which the real frameworks run, from lock
// files that name every package by version and hash; nothing is resolved and
// nothing else is installed. Afterwards nothing needs the package index.
//
// An environment that is there and whole is left alone; any other is made anew,
// for the reason that its step and the plan say. It is whole when [Check] finds
// it and the worker starts in it and imports the framework, which takes seconds:
// what the import does not touch is not looked at, nor are the bytes of files
// compared. One in which the worker is too slow or is killed is kept, with an
// error.
//
// Setup writes to Dir, to a private folder in the system's temporary one that it
// removes, and to the caches of uv and pip where Env has HOME.
// Calls for one folder exclude each other. When ctx ends, what runs is killed.
// The report is nil only where nothing was begun. The error is an *[OptionError],
// *[InterpreterError], *[PlatformError], *[FolderError], *[BusyError],
// *[SpaceError], *[SetupError], the cause of ctx's end, or the one of Announce.
func Setup(ctx context.Context, o *SetupOptions) (*SetupReport, error) {
	if o == nil {
		o = &SetupOptions{}
	}
	s, err := newSetup(o)
	if err != nil {
		return nil, err
	}
	defer s.leave()
	if err := s.prepare(ctx); err != nil {
		return nil, err
	}
	if o.Announce != nil {
		if err := o.Announce(s.plan()); err != nil {
			return nil, err
		}
	}
	return s.run(ctx)
}

// setup is a set-up under way.
type setup struct {
	o     *SetupOptions
	root  string
	parts []*target
	base  *base // nil when there is nothing to make
	uv    string
	tool  string   // what installs, for people
	spare string   // private, in the system's temporary folder
	temp  string   // private, in root
	pip   string   // the interpreter that has pip, when it installs
	hide  []string // what must not be told
}

// target is one environment of a set-up.
type target struct {
	pinned
	dir      string
	version  string
	packages int
	digest   string
	present  *Environment // and whole
	marker   *marker
	reason   string // why one that is there is not whole
	broken   bool   // by the worker's start
	made     bool
}

func newSetup(o *SetupOptions) (*setup, error) {
	switch {
	case o.Dir == "":
		return nil, &OptionError{"Dir", "it is empty", "name the folder for the environments"}
	case !supported:
		return nil, &PlatformError{Platform: goPlatform(), Known: []string{"Linux", "macOS"}}
	}
	for i, name := range o.Only {
		if _, ok := pinnedFor(name); !ok {
			return nil, &OptionError{"Only", fmt.Sprintf("%q is no framework", name), "use " + strings.Join(frameworkNames(), ", ")}
		}
		if slices.Contains(o.Only[:i], name) {
			return nil, &OptionError{"Only", fmt.Sprintf("%s is named twice", name), "name it once"}
		}
	}
	for _, e := range o.Env {
		if name, value, ok := strings.Cut(e, "="); !ok || name == "" || strings.ContainsRune(value, 0) {
			return nil, &OptionError{"Env", fmt.Sprintf("%q is no setting", name), "use NAME=value"}
		}
	}
	root, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, &OptionError{"Dir", err.Error(), "name a folder"}
	}
	s := &setup{o: o, root: root, hide: secretsOf(o)}
	for _, p := range pins() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, p.framework) {
			continue
		}
		one := &target{pinned: p, dir: filepath.Join(root, p.framework)}
		if one.version, one.packages, one.digest, err = p.contents(); err != nil {
			return nil, fmt.Errorf("python: embedded lock files: %w", err)
		}
		s.parts = append(s.parts, one)
	}
	return s, nil
}

// frameworkNames are the names of the frameworks, in their fixed order.
func frameworkNames() []string {
	var names []string
	for _, p := range pins() {
		names = append(names, p.framework)
	}
	return names
}

// prepare looks at what is there, and makes nothing in the folder.
func (s *setup) prepare(ctx context.Context) error {
	if err := isFolder(s.root); err != nil {
		return err
	}
	var err error
	temp := os.TempDir()
	if s.spare, err = os.MkdirTemp(temp, "casebook-setup-"); err != nil {
		e := &FolderError{temp, "private files are to go to this temporary folder: " + plainPath(err).Error(), "name another in TMPDIR"}
		if errors.Is(err, fs.ErrNotExist) {
			e.Reason, e.Remedy = "the temporary folder is missing", "make it, or name another in TMPDIR"
		}
		return e
	}
	missing := false
	for _, p := range s.parts {
		whole, err := s.prove(ctx, p)
		if err != nil {
			return err
		}
		if whole {
			continue
		}
		if err := free(p.dir); err != nil {
			return err
		}
		missing = true
	}
	if !missing {
		return nil
	}
	if s.base, err = s.findBase(ctx); err != nil {
		return err
	}
	for _, p := range s.parts {
		if p.present == nil && !slices.Contains(p.platforms, s.base.platform()) {
			return &PlatformError{p.framework, s.base.platform(), p.platforms}
		}
	}
	return s.findTool(ctx)
}

// leave removes the private folder outside the folder of the environments.
func (s *setup) leave() {
	if s.spare != "" {
		_ = os.RemoveAll(s.spare) // it holds nothing, and the system empties its parent
	}
}

// isFolder returns an error for a path that is no folder and cannot become one,
// and names what is in the way.
func isFolder(dir string) error {
	for path := dir; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		switch {
		case err == nil && !info.IsDir():
			return &FolderError{path, "it is a file", "name a folder"}
		case err == nil || path == filepath.Dir(path):
			return nil
		case errors.Is(err, fs.ErrPermission):
			return asFolderError(dir, err)
		}
	}
}

// prove says whether an environment is there and whole, and notes why one that
// is there is not. The error is that of a worker which does not show it.
func (s *setup) prove(ctx context.Context, p *target) (whole bool, err error) {
	p.present, p.marker, p.reason, p.broken = nil, nil, "", false
	env, m, err := p.check(s.root)
	if err != nil {
		var unfit *EnvironmentError
		if !errors.As(err, &unfit) {
			return false, err
		}
		if _, err := os.Lstat(p.dir); err == nil {
			p.reason = unfit.Reason
		}
		return false, nil
	}
	s.step(p, stepImport, "it is there; starting the worker in it")
	err = s.try(ctx, env, poolOptions{Temp: s.spare})
	switch {
	case err == nil:
		p.present, p.marker = env, m
		return true, nil
	case ctx.Err() != nil:
		return false, context.Cause(ctx)
	case errors.Is(err, fs.ErrPermission):
		return false, &FolderError{p.dir, "this user may not run the interpreter in it (permission denied)", "have its owner let this user run it, or name another"}
	case !spoiled(err):
		return false, &SetupError{Framework: p.framework, Step: stepImport, Kept: true, Err: err}
	}
	p.broken, p.reason = true, "the worker does not start in it: "+cause(err)
	return false, nil
}

// spoiled says whether an error of a worker's start is the environment's fault,
// and not that of the machine.
func spoiled(err error) bool {
	var w *WorkerError
	if !errors.As(err, &w) {
		return false
	}
	switch w.Kind {
	case KindImport, KindProtocol, KindOversized, KindExit:
		return true
	case KindKilled:
		return w.Exit != exitShellKilled && w.Signal != syscall.SIGKILL.String()
	case KindStart:
		var path *fs.PathError
		return errors.As(err, &path) && path.Op == "fork/exec" && !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.ENOMEM)
	default:
		return false
	}
}

// cause is what went wrong in a worker's start, in a line and without a remedy.
func cause(err error) string {
	const limit = 300
	var raised *TaskError
	if errors.As(err, &raised) {
		return clip(strings.Join(strings.Fields(raised.Type+": "+raised.Message), " "), limit)
	}
	var w *WorkerError
	if !errors.As(err, &w) {
		return clip(plainPath(err).Error(), limit)
	}
	words := "it " + w.happened()
	if w.Err != nil {
		words += ": " + plainPath(w.Err).Error()
	}
	if last := lastLine(w.Stderr, limit); last != "" {
		words += " (its last words: " + last + ")"
	}
	return words
}

// free returns an error for a folder that is not Setup's to empty.
func free(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return asFolderError(dir, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return &FolderError{dir, "it is a link", notOurs}
	case !info.IsDir():
		return &FolderError{dir, "it is a file", notOurs}
	case signed(dir):
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return asFolderError(dir, err)
	}
	if len(entries) > 0 {
		return &FolderError{dir, "it was not made by casebook and is not empty", notOurs}
	}
	return nil
}

func (s *setup) plan() *Plan {
	p := &Plan{Dir: s.root}
	if s.base != nil {
		p.Python, p.Installer = s.base.Version, s.tool
	}
	for _, one := range s.parts {
		e := PlannedEnvironment{Framework: one.framework, Version: one.version, Dir: one.dir, Packages: one.packages, Bytes: one.bytes, Reason: one.reason}
		if one.present != nil {
			e.Present, e.Bytes = true, one.marker.Bytes
		} else {
			p.Bytes += e.Bytes
		}
		p.Environments = append(p.Environments, e)
	}
	return p
}

// margin is room for what is unpacked and removed again.
const margin = 100 << 20

// run makes what is missing.
func (s *setup) run(ctx context.Context) (*SetupReport, error) {
	if s.base == nil {
		return s.report(), nil
	}
	need := int64(margin)
	for _, p := range s.parts {
		if p.present == nil {
			need += p.bytes + p.bytes/20
		}
	}
	if have, ok := room(s.root); ok && have < need {
		return nil, &SpaceError{s.root, need, have}
	}
	if err := os.MkdirAll(s.root, 0o755); err != nil {
		return nil, asFolderError(s.root, err)
	}
	unlock, err := lockFolder(s.root)
	if err != nil {
		return nil, err
	}
	defer unlock()
	s.sweep()
	if s.temp, err = os.MkdirTemp(s.root, tempPrefix); err != nil {
		return nil, asFolderError(s.root, err)
	}
	defer s.sweep()
	if err := os.Mkdir(filepath.Join(s.temp, "home"), 0o700); err != nil {
		return nil, asFolderError(s.temp, err)
	}
	for _, p := range s.parts {
		// Another call may have made it before the lock was ours.
		if p.broken {
			whole, err := s.prove(ctx, p)
			if err != nil {
				return s.report(), err
			}
			if whole {
				continue
			}
		} else if p.present, p.marker, err = p.check(s.root); err == nil {
			continue
		}
		if err := s.build(ctx, p); err != nil {
			return s.report(), err
		}
	}
	return s.report(), nil
}

// tempPrefix begins the names of private folders, which are removed at the end
// or, where a set-up was killed, by the next.
const tempPrefix = ".casebook-"

func (s *setup) sweep() {
	entries, _ := os.ReadDir(s.root)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), tempPrefix) && e.IsDir() {
			_ = os.RemoveAll(filepath.Join(s.root, e.Name())) // else the next set-up tries again
		}
	}
}

func (s *setup) report() *SetupReport {
	r := &SetupReport{Dir: s.root}
	for _, p := range s.parts {
		if p.present == nil {
			continue
		}
		r.Environments = append(r.Environments, SetupEnvironment{
			Environment: *p.present, Python: p.marker.Python, Packages: p.packages, Bytes: p.marker.Bytes, Made: p.made,
		})
		r.Bytes += p.marker.Bytes
	}
	return r
}

func (s *setup) step(p *target, name, format string, args ...any) {
	if s.o.OnStep != nil {
		s.o.OnStep(Step{p.framework, name, fmt.Sprintf(format, args...)})
	}
}

// build makes one environment; its marker is the last thing that is written.
func (s *setup) build(ctx context.Context, p *target) error {
	fail := func(step string, err error) error { return asSetupError(p.framework, step, err) }

	what := "making an environment with Python " + s.base.Version
	if p.reason != "" {
		what = "making it anew with Python " + s.base.Version + ", as " + p.reason
	}
	if dir := closedWay(s.base.Executable, s.root); dir != "" {
		what += "; other users cannot use it, as " + dir + " is closed to them"
	}
	s.step(p, stepEnvironment, "%s", what)
	if err := claim(p.dir); err != nil {
		return fail(stepEnvironment, err)
	}
	if err := s.runCommand(ctx, []string{s.base.Executable, "-I", "-m", "venv", "--without-pip", p.dir}); err != nil {
		return fail(stepEnvironment, err)
	}

	s.step(p, stepPackages, "installing %s and %d packages it needs with %s", p.version, p.packages-1, s.tool)
	for _, lock := range p.locks {
		if err := s.install(ctx, p, lock, ""); err != nil {
			return fail(stepPackages, err)
		}
	}

	if p.vocabulary {
		s.step(p, stepVocabulary, "writing the vocabularies by which it measures texts")
		if err := s.vocabulary(ctx, p); err != nil {
			return fail(stepVocabulary, err)
		}
	}

	s.step(p, stepImport, "starting the worker in it")
	env := &Environment{Framework: p.framework, Version: p.version, Dir: p.dir, Interpreter: filepath.Join(p.dir, "bin", "python")}
	if err := s.try(ctx, env, poolOptions{Temp: s.temp, Bytecode: true}); err != nil {
		return fail(stepImport, err)
	}

	size, err := sizeOf(p.dir)
	if err != nil {
		return fail(stepImport, err)
	}
	m := &marker{
		Framework: p.framework, Version: p.version, Lock: p.digest,
		Base: s.base.Executable, Python: s.base.Version, Packages: p.packages, Bytes: size,
	}
	if err := writeMarker(p.dir, m); err != nil {
		return fail(stepImport, err)
	}
	if p.present, p.marker, err = p.check(s.root); err != nil {
		return fail(stepImport, err)
	}
	p.made = true
	return nil
}

// claim makes a folder, or empties one of ours, and leaves the sign in it.
func claim(dir string) error {
	if err := free(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return asFolderError(dir, err)
	}
	const sign = "This folder belongs to casebook's python.Setup, which may empty it and make it anew.\n"
	if err := os.WriteFile(filepath.Join(dir, signFile), []byte(sign), 0o600); err != nil {
		return asFolderError(dir, err)
	}
	// The marker first: what is half removed must not pass for whole.
	if err := os.Remove(filepath.Join(dir, markerFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return asFolderError(dir, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == signFile {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// install installs a lock file's packages into an environment, or into a folder.
func (s *setup) install(ctx context.Context, p *target, lock, into string) error {
	b, err := lockFile(lock)
	if err != nil {
		return err
	}
	path := filepath.Join(s.temp, lock+".lock")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		return err
	}
	interpreter := filepath.Join(p.dir, "bin", "python")
	var words []string
	if s.uv != "" {
		words = []string{s.uv, "pip", "install", "--python", interpreter, "--no-progress"}
	} else {
		if err := s.needPip(ctx); err != nil {
			return err
		}
		words = []string{
			s.pip, "-I", "-m", "pip", "--python", interpreter, "install",
			"--no-compile", "--no-warn-script-location", "--progress-bar", "off", "--use-pep517",
		}
	}
	// Packages come as they were built, but for those named, which are built with
	// what the environment has: nothing without a hash takes part.
	words = append(words, "--no-deps", "--require-hashes", "--no-build-isolation", "--only-binary", ":all:")
	for _, name := range p.source {
		words = append(words, "--no-binary", name)
	}
	if into != "" {
		words = append(words, "--target", into)
	}
	return s.runCommand(ctx, append(words, "-r", path))
}

// needPip makes, once, an environment that has pip, so that those of the
// frameworks need none.
func (s *setup) needPip(ctx context.Context) error {
	if s.pip != "" {
		return nil
	}
	dir := filepath.Join(s.temp, "pip")
	if err := s.runCommand(ctx, []string{s.base.Executable, "-I", "-m", "venv", dir}); err != nil {
		return err
	}
	s.pip = filepath.Join(dir, "bin", "python")
	return nil
}

// vocabularyFolder is where the package of [vocabularyLock] has them.
const vocabularyFolder = "litellm/litellm_core_utils/tokenizers"

// vocabulary takes tiktoken's vocabularies out of a package that has them.
func (s *setup) vocabulary(ctx context.Context, p *target) error {
	from := filepath.Join(s.temp, vocabularyDir)
	defer os.RemoveAll(from) //nolint:errcheck // it goes with the private folder
	if err := s.install(ctx, p, vocabularyLock, from); err != nil {
		return err
	}
	to := filepath.Join(p.dir, vocabularyDir)
	if err := os.Mkdir(to, 0o755); err != nil {
		return err
	}
	for _, v := range vocabularies() {
		b, err := os.ReadFile(filepath.Join(from, filepath.FromSlash(vocabularyFolder), v.name))
		if err != nil {
			return err
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != v.sha256 {
			return fmt.Errorf("the vocabulary %s has the SHA-256 %x, and not %s", v.name, sum, v.sha256)
		}
		if err := os.WriteFile(filepath.Join(to, v.name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeMarker writes the marker as a whole or not at all.
func writeMarker(dir string, m *marker) error {
	b, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, markerFile+".")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // it has been renamed
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, markerFile))
}

// sizeOf is the sum of the sizes of the files in a folder.
func sizeOf(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			sum += info.Size()
		}
		return err
	})
	return sum, err
}

// asSetupError gives an error of a step its place.
func asSetupError(framework, step string, err error) error {
	var folder *FolderError
	if errors.As(err, &folder) {
		return err
	}
	e := &SetupError{Framework: framework, Step: step, Err: err}
	var c *commandError
	if errors.As(err, &c) {
		e.Command, e.Output, e.Err = c.command, c.output, c.err
	}
	return e
}

// closedWay is what on the way to a program only some users may enter or run,
// where everybody may enter the folder; "" for nothing. What both ways share
// counts for neither: who cannot come so far needs neither.
func closedWay(program, folder string) string {
	program, folder = resolved(program), resolved(folder)
	if closed(folder, program) != "" {
		return ""
	}
	return closed(program, folder)
}

// closed is the innermost part of a path that others may not enter or run, of
// the parts that another path does not share.
func closed(path, other string) string {
	for {
		if rel, err := filepath.Rel(path, other); err != nil || filepath.IsLocal(rel) {
			return ""
		}
		if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o001 == 0 {
			return path
		}
		path = filepath.Dir(path)
	}
}

// resolved is a path without links, or as it is where it does not exist.
func resolved(path string) string {
	if p, err := filepath.EvalSymlinks(path); err == nil {
		return p
	}
	return path
}
