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
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// installation is a folder of programs that play the interpreter and uv: they
// log what they are run with, and the environment they get.
type installation struct {
	t    *testing.T
	dir  string
	base base
}

// newInstallation has an interpreter that fits and a uv that works.
func newInstallation(t *testing.T) *installation {
	t.Helper()
	in := &installation{t: t, dir: t.TempDir()}
	in.base = base{
		Implementation: "CPython", Version: "3.11.9", Minor: [2]int{3, 11}, Executable: in.path("python3.11"),
		System: "linux", Machine: "x86_64", Bits: 64, Venv: true, Pip: true,
	}
	in.describe(in.base)
	in.file("python3.11", `#!/bin/sh
here='`+in.dir+`'
case "$*" in
"-I "*/describe.py)
	cat "$here/describe.json"; exit ;;
"-I -m venv "*)
	for dir in "$@"; do :; done
	echo "$@" >> "$here/log"
	[ ! -e "$here/venv-fails" ] || { echo "no room left" >&2; exit 1; }
	mkdir -p "$dir/bin" && cp "$0" "$dir/bin/python" ;;
*" -m pip "*)
	echo "$@" >> "$here/log"; env > "$here/pip.env" ;;
"-P -s "*"-X utf8 "*)
	[ "$3" != -B ] || shift
	[ ! -e "$here/import-fails" ] || { echo '{"type":"failed","error":{"kind":"import","type":"ImportError","message":"no module grpc"}}'; exit 1; }
	version=0
	case "$6" in
	deepeval) version='`+versionOf(t, DeepEval)+`' ;;
	giskard) version='`+versionOf(t, Giskard)+`' ;;
	esac
	echo '{"type":"ready","protocol":1,"framework":"'"$6"'","version":"'"$version"'","python":"3.11.9","packages":{}}'
	exec cat > /dev/null ;;
*)
	echo "not played: $*" >&2; exit 64 ;;
esac
`)
	in.file("uv", `#!/bin/sh
here='`+in.dir+`'
[ "$1" != --version ] || { echo "uv 0.0.1 (played)"; exit; }
echo uv "$@" >> "$here/log"
env > "$here/uv.env"
[ ! -e "$here/uv-fails" ] || { cat "$here/uv-fails"; exit 1; }
[ ! -e "$here/uv-hangs" ] || {
	sleep 1000 3> "$here/uv-hangs" &
	sleep 1000 3> "$here/uv-hangs"
}
into=
for word in "$@"; do
	[ "$into" != next ] || into="$word"
	[ "$word" != --target ] || into=next
done
[ -z "$into" ] || {
	mkdir -p "$into/litellm/litellm_core_utils/tokenizers"
	for name in 9b5ad71b2ce5302211f9c61530b329a4922fc6a4 fb374d419588a4632f3f557e76b4b70aebbca790; do
		echo "no vocabulary" > "$into/litellm/litellm_core_utils/tokenizers/$name"
	done
}
`)
	// A program cannot be run while it is open to be written, and it is in a child
	// that another test forked meanwhile and that is not its program yet.
	for _, name := range []string{"uv", "python3.11"} {
		for errors.Is(exec.Command(in.path(name), "--version").Run(), syscall.ETXTBSY) {
			runtime.Gosched()
		}
	}
	return in
}

func versionOf(t *testing.T, framework string) string {
	t.Helper()
	p, _ := pinnedFor(framework)
	version, _, _, err := p.contents()
	if err != nil {
		t.Fatal(err)
	}
	return version
}

func (in *installation) path(name string) string { return filepath.Join(in.dir, name) }

func (in *installation) file(name, text string) {
	in.t.Helper()
	if err := os.WriteFile(in.path(name), []byte(text), 0o755); err != nil {
		in.t.Fatal(err)
	}
}

func (in *installation) remove(name string) {
	in.t.Helper()
	if err := os.Remove(in.path(name)); err != nil {
		in.t.Fatal(err)
	}
}

// describe is what the interpreter says of itself.
func (in *installation) describe(b base) {
	in.t.Helper()
	text, err := json.Marshal(b)
	if err != nil {
		in.t.Fatal(err)
	}
	in.file("describe.json", string(text)+"\n")
}

// log is what was run since the last call.
func (in *installation) log() []string {
	in.t.Helper()
	b, err := os.ReadFile(in.path("log"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		in.t.Fatal(err)
	}
	in.remove("log")
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func (in *installation) options(dir string, only ...string) *SetupOptions {
	return &SetupOptions{Dir: dir, Only: only, Interpreter: in.path("python3.11"), UV: in.path("uv")}
}

// listing is what stands in a folder.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestSetupMakesEnvironmentsThatCheckFinds(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), filepath.Join(t.TempDir(), "не здесь", "frameworks")
	o := in.options(dir, Giskard, DeepEval)
	o.Env = []string{"HTTPS_PROXY=http://127.0.0.1:9"}
	o.Index = "https://index.example/simple"
	var plan *Plan
	o.Announce = func(p *Plan) error {
		if got := listing(t, dir); plan == nil && got != nil {
			t.Errorf("made before it was announced: %q", got)
		}
		plan = p
		return nil
	}
	var steps []string
	o.OnStep = func(s Step) { steps = append(steps, s.Framework+" "+s.Name) }
	report, err := Setup(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}

	if plan.Python != "3.11.9" || plan.Installer != "uv 0.0.1" || plan.Dir != dir || plan.Bytes < 1e9 || len(plan.Environments) != 2 {
		t.Errorf("plan: %+v", plan)
	}
	if diff := cmp.Diff([]string{
		"deepeval environment", "deepeval packages", "deepeval import",
		"giskard environment", "giskard packages", "giskard import",
	}, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	ran := in.log()
	for i, line := range ran {
		line = strings.ReplaceAll(line, dir, "DIR")
		if _, lock, ok := strings.Cut(line, " -r DIR/"); ok {
			line = strings.Replace(line, " -r DIR/"+lock, " -r TEMP/"+filepath.Base(lock), 1)
		}
		ran[i] = line
	}
	const install = "uv pip install --python DIR/%s/bin/python --no-progress --no-deps --require-hashes --no-build-isolation --only-binary :all:%s -r TEMP/%s.lock"
	if diff := cmp.Diff([]string{
		"-I -m venv --without-pip DIR/deepeval",
		fmt.Sprintf(install, DeepEval, "", "deepeval"),
		"-I -m venv --without-pip DIR/giskard",
		fmt.Sprintf(install, Giskard, " --no-binary langdetect", "giskard.build"),
		fmt.Sprintf(install, Giskard, " --no-binary langdetect", "giskard"),
	}, ran); diff != "" {
		t.Errorf("what was run (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{".casebook-lock", "deepeval", "giskard"}, listing(t, dir)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	for i, framework := range []string{DeepEval, Giskard} {
		env, err := Check(dir, framework)
		if err != nil {
			t.Fatal(err)
		}
		want := &Environment{framework, versionOf(t, framework), filepath.Join(dir, framework), filepath.Join(dir, framework, "bin", "python")}
		if diff := cmp.Diff(want, env); diff != "" {
			t.Errorf("environment (-want +got):\n%s", diff)
		}
		if e := report.Environments[i]; e.Environment != *want || !e.Made || e.Packages < 60 || e.Bytes <= 0 || e.Python != "3.11.9" {
			t.Errorf("report: %+v", e)
		}
	}

	// The environment of uv is what was given and what it needs, and no more.
	b, err := os.ReadFile(in.path("uv.env"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(b)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if name == "_" || name == "SHLVL" || name == "OLDPWD" {
			continue // the shell's own
		}
		names = append(names, name)
		if (name == "HOME" || name == "TMPDIR" || name == "PWD") && !strings.HasPrefix(value, dir) {
			t.Errorf("%s=%s is outside", name, value)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{
		"HOME", "HTTPS_PROXY", "LANG", "NO_COLOR", "PATH", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_INDEX_URL", "PIP_NO_INPUT", "PWD",
		"PYTHONNOUSERSITE", "PYTHONUTF8", "TMPDIR", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_PYTHON_DOWNLOADS",
	}, names); diff != "" {
		t.Errorf("environment of uv (-want +got):\n%s", diff)
	}

	// Again: nothing to do, and no interpreter needed for it.
	o.Interpreter = in.path("gone")
	report, err = Setup(t.Context(), o)
	if err != nil || len(report.Environments) != 2 || report.Environments[0].Made {
		t.Errorf("again: %+v, %v", report, err)
	}
	if !plan.Environments[0].Present || plan.Bytes != 0 || plan.Installer != "" {
		t.Errorf("plan of nothing: %+v", plan)
	}
	if ran := in.log(); ran != nil {
		t.Errorf("again ran %q", ran)
	}
}

func TestSetupByPipNeedsNoneInTheEnvironment(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	o := in.options(dir, DeepEval)
	o.UV = "-"
	if _, err := Setup(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	ran := in.log()
	if len(ran) != 3 || !strings.HasSuffix(ran[1], "/pip") ||
		!strings.HasPrefix(ran[2], "-I -m pip --python "+filepath.Join(dir, "deepeval/bin/python")+" install --no-compile") ||
		!strings.Contains(ran[2], " --no-deps --require-hashes --no-build-isolation --only-binary :all: -r ") {
		t.Errorf("ran %q", ran)
	}
}

func TestSetupRefusesBeforeItMakesAnything(t *testing.T) {
	t.Parallel()
	type world struct {
		in  *installation
		dir string
		o   *SetupOptions
	}
	write := func(t *testing.T, path string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	refused := errors.New("not today")
	as := func(target any) func(error) bool { return func(err error) bool { return errors.As(err, target) } }
	described := func(change func(*base)) func(*testing.T, *world) {
		return func(_ *testing.T, w *world) {
			b := w.in.base
			change(&b)
			w.in.describe(b)
		}
	}
	for _, tc := range []struct {
		name   string
		change func(*testing.T, *world)
		kind   func(error) bool
		want   []string // parts of the message
	}{
		{"no folder", func(_ *testing.T, w *world) { w.o.Dir = "" }, as(new(*OptionError)), []string{"Dir"}},
		{"unknown framework", func(_ *testing.T, w *world) { w.o.Only = []string{"regas"} }, as(new(*OptionError)), []string{`"regas"`, "deepeval, ragas, giskard"}},
		{"named twice", func(_ *testing.T, w *world) { w.o.Only = []string{Ragas, Ragas} }, as(new(*OptionError)), []string{"twice"}},
		{"no setting", func(_ *testing.T, w *world) { w.o.Env = []string{"PATH"} }, as(new(*OptionError)), []string{"Env"}},
		{"no uv", func(_ *testing.T, w *world) { w.o.UV = w.in.path("none") }, as(new(*OptionError)), []string{"UV"}},
		{"another program for uv", func(_ *testing.T, w *world) { w.o.UV = "/bin/echo" }, as(new(*OptionError)), []string{"UV", "does not answer"}},
		{"no interpreter", func(_ *testing.T, w *world) { w.o.Interpreter = w.in.path("none") }, as(new(*InterpreterError)), []string{"missing", "CPython 3.11"}},
		{"another program", func(_ *testing.T, w *world) { w.o.Interpreter = "/bin/echo" }, as(new(*InterpreterError)), []string{"/bin/echo", "does not answer as a Python"}},
		{"a program that fails", func(_ *testing.T, w *world) { w.in.remove("describe.json") }, as(new(*InterpreterError)), []string{"does not run (exit status 1)", "describe.json"}},
		{"3.12", described(func(b *base) { b.Version, b.Minor = "3.12.1", [2]int{3, 12} }), as(new(*InterpreterError)), []string{"it is CPython 3.12.1", "name another"}},
		{"PyPy", described(func(b *base) { b.Implementation = "PyPy" }), as(new(*InterpreterError)), []string{"it is PyPy 3.11.9"}},
		{"no venv", described(func(b *base) { b.Venv = false }), as(new(*InterpreterError)), []string{"venv", "python3.11-venv"}},
		{"no pip", func(_ *testing.T, w *world) {
			b := w.in.base
			b.Pip = false
			w.in.describe(b)
			w.o.UV = "-"
		}, as(new(*InterpreterError)), []string{"ensurepip", "or uv"}},
		{"Windows", described(func(b *base) { b.System, b.Machine = "win32", "AMD64" }), as(new(*PlatformError)), []string{"win32/amd64", "linux/amd64"}},
		{"musl", described(func(b *base) { b.Musl = true }), as(new(*PlatformError)), []string{"giskard", "linux-musl/amd64"}},
		{"32 bits", described(func(b *base) { b.Bits = 32 }), as(new(*PlatformError)), []string{"32 bits"}},
		{"another machine", described(func(b *base) { b.Machine = "riscv64" }), as(new(*PlatformError)), []string{"riscv64"}},
		{"somebody's folder", func(t *testing.T, w *world) { write(t, filepath.Join(w.dir, "giskard", "thesis.txt")) }, as(new(*FolderError)), []string{"giskard", "not made by casebook"}},
		{"a folder with a marker alone", func(t *testing.T, w *world) { write(t, filepath.Join(w.dir, "giskard", markerFile)) }, as(new(*FolderError)), []string{"not made by casebook"}},
		{"a file of the name", func(t *testing.T, w *world) { write(t, filepath.Join(w.dir, "giskard")) }, as(new(*FolderError)), []string{"it is a file"}},
		{"a link of the name", func(t *testing.T, w *world) {
			write(t, filepath.Join(w.dir, "elsewhere", signFile))
			if err := os.Symlink("elsewhere", filepath.Join(w.dir, "giskard")); err != nil {
				t.Fatal(err)
			}
		}, as(new(*FolderError)), []string{"it is a link"}},
		{"announced in vain", func(_ *testing.T, w *world) { w.o.Announce = func(*Plan) error { return refused } }, func(err error) bool { return errors.Is(err, refused) }, []string{"not today"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := &world{in: newInstallation(t), dir: t.TempDir()}
			w.o = w.in.options(w.dir, Giskard)
			tc.change(t, w)
			before := listing(t, w.dir)
			report, err := Setup(t.Context(), w.o)
			if err == nil || report != nil || !tc.kind(err) {
				t.Fatalf("report %v, error %T: %v", report, err, err)
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if diff := cmp.Diff(before, listing(t, w.dir)); diff != "" {
				t.Errorf("the folder changed (-before +after):\n%s", diff)
			}
			if ran := w.in.log(); ran != nil {
				t.Errorf("ran %q", ran)
			}
		})
	}
}

func TestSetupRefusesADiskThatIsTooSmall(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), filepath.Join(t.TempDir(), "new")
	s, err := newSetup(in.options(dir, DeepEval))
	if err != nil {
		t.Fatal(err)
	}
	defer s.leave()
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.parts[0].bytes = 1 << 60
	_, err = s.run(t.Context())
	var small *SpaceError
	if !errors.As(err, &small) || small.Need < 1<<60 || small.Have <= 0 || small.Have >= small.Need {
		t.Fatalf("error %T: %v", err, err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

// A step that fails says what was run and what that wrote, leaves no marker, and
// the next set-up makes the environment anew.
func TestSetupMakesAnewWhatFailed(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		fails, text, step string
		want              string
	}{
		{"venv-fails", "", "environment", "no room left"},
		{"uv-fails", "error: no wheel of grpcio for https://anna:pass-word@index.example/simple (token s3cr3t-t0ken)\n", "packages", "no wheel of grpcio for https://***@index.example/simple (token ***)"},
		{"import-fails", "", "import", "no module grpc"},
	} {
		t.Run(tc.step, func(t *testing.T) {
			t.Parallel()
			in, dir := newInstallation(t), t.TempDir()
			in.file(tc.fails, tc.text)
			o := in.options(dir, DeepEval)
			o.Env = []string{"UV_INDEX_MINE_PASSWORD=s3cr3t-t0ken"}
			o.Index = "https://anna:pass-word@index.example/simple"
			report, err := Setup(t.Context(), o)
			var failed *SetupError
			if !errors.As(err, &failed) || report == nil || len(report.Environments) != 0 {
				t.Fatalf("report %+v, error %T: %v", report, err, err)
			}
			if failed.Framework != DeepEval || failed.Step != tc.step || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %+v", failed)
			}
			if (len(failed.Command) == 0) != (tc.step == "import") {
				t.Errorf("command %q", failed.Command)
			}
			for _, secret := range []string{"pass-word", "s3cr3t"} {
				if strings.Contains(fmt.Sprintf("%v %+v", err, failed), secret) {
					t.Errorf("the error tells %q: %v", secret, err)
				}
			}
			var unfit *EnvironmentError
			if _, err := Check(dir, DeepEval); !errors.As(err, &unfit) || !strings.Contains(err.Error(), "not finished") {
				t.Errorf("Check: %v", err)
			}
			if diff := cmp.Diff([]string{".casebook-lock", "deepeval"}, listing(t, dir)); diff != "" {
				t.Errorf("what is left (-want +got):\n%s", diff)
			}

			in.remove(tc.fails)
			left := filepath.Join(dir, DeepEval, "left over")
			if err := os.WriteFile(left, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := Setup(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the leftovers stay: %v", err)
			}
		})
	}
}

func TestSetupRefusesAVocabularyWithOtherBytes(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	_, err := Setup(t.Context(), in.options(dir, Ragas))
	var failed *SetupError
	if !errors.As(err, &failed) || failed.Step != "vocabulary" || !strings.Contains(err.Error(), "223921b76ee9") {
		t.Fatalf("error %T: %v", err, err)
	}
	ran := in.log()
	last := ran[len(ran)-1]
	if !strings.Contains(last, "--no-deps --require-hashes") || !strings.Contains(last, " --target ") || !strings.HasSuffix(last, "vocabulary.lock") {
		t.Errorf("ran %q", last)
	}
}

// An environment made from other lock files is made anew; the others stay.
func TestSetupReplacesWhatIsOutOfDate(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	o := in.options(dir, DeepEval, Giskard)
	if _, err := Setup(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	in.log()
	path := filepath.Join(dir, Giskard, markerFile)
	m, err := readMarker(path)
	if err != nil {
		t.Fatal(err)
	}
	m.Lock = strings.Repeat("0", 64)
	if err := writeMarker(filepath.Dir(path), m); err != nil {
		t.Fatal(err)
	}
	report, err := Setup(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.Environments[0].Made || !report.Environments[1].Made {
		t.Errorf("report %+v", report)
	}
	if ran := in.log(); len(ran) != 3 {
		t.Errorf("ran %q", ran)
	}
}

func TestSetupsExcludeEachOtherAndSweepWhatOthersLeft(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	unlock, err := lockFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if _, err := Setup(t.Context(), in.options(dir, DeepEval)); !errors.As(err, &busy) || busy.Dir != dir {
		t.Errorf("error %T: %v", err, err)
	}
	unlock()
	if err := os.MkdirAll(filepath.Join(dir, tempPrefix+"123", "cache"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Setup(t.Context(), in.options(dir, DeepEval)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{".casebook-lock", "deepeval"}, listing(t, dir)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
}

// Both processes of the installer hold a pipe open: its end shows that neither
// is left.
func TestSetupThatIsCancelledKillsWhatRuns(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	if err := syscall.Mkfifo(in.path("uv-hangs"), 0o600); err != nil {
		t.Fatal(err)
	}
	stopped := errors.New("the user has enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := make(chan error, 1)
	go func() {
		f, err := os.Open(in.path("uv-hangs")) // returns when somebody writes
		cancel(stopped)
		if err == nil {
			_, err = io.Copy(io.Discard, f)
			f.Close()
		}
		gone <- err
	}()
	report, err := Setup(ctx, in.options(dir, DeepEval))
	if !errors.Is(err, stopped) || len(report.Environments) != 0 {
		t.Errorf("report %+v, error %v", report, err)
	}
	if err := <-gone; err != nil {
		t.Errorf("the pipe: %v", err)
	}
	if diff := cmp.Diff([]string{".casebook-lock", "deepeval"}, listing(t, dir)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if _, err := Check(dir, DeepEval); err == nil {
		t.Error("Check finds it whole")
	}
}

func TestSetupErrorsTellTheStep(t *testing.T) {
	t.Parallel()
	err := &SetupError{Framework: Ragas, Step: "packages", Command: []string{"uv", "pip"}, Output: "oh\nno\n", Err: errors.New("exit status 1")}
	want := "python: set-up of ragas, step packages: exit status 1\nrun was: uv pip\nit wrote:\noh\nno\nSetup makes it anew when it is called again"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// spoil makes the worker fail in an environment that Check finds whole.
func spoil(t *testing.T, env, script string) {
	t.Helper()
	python := filepath.Join(env, "bin", "python")
	if err := os.WriteFile(python, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for errors.Is(exec.Command(python).Run(), syscall.ETXTBSY) { // as newInstallation says
		runtime.Gosched()
	}
	if _, err := Check(filepath.Dir(env), filepath.Base(env)); err != nil {
		t.Fatal(err)
	}
}

// What Check cannot see the worker's start shows: the environment is made anew,
// the plan and a step say why, and the others stay.
func TestSetupMakesAnewWhereTheWorkerDoesNotStart(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, script, want string }{
		{"no module", `echo '{"type":"failed","error":{"kind":"import","type":"ModuleNotFoundError","message":"No module named '"'deepeval.synthesizer'"'"}}'; exit 1`, "ModuleNotFoundError: No module named 'deepeval.synthesizer'"},
		{"another version", `echo '{"type":"ready","protocol":1,"framework":"deepeval","version":"0.0.1","python":"3.11.9","packages":{}}'; exec cat > /dev/null`, "0.0.1"},
		{"no worker", `echo 'Fatal: библиотека повреждена' >&2; exit 127`, "its last words: Fatal: библиотека повреждена"},
		{"a crash", `kill -s SEGV $$`, "segmentation"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in, dir := newInstallation(t), t.TempDir()
			o := in.options(dir, DeepEval, Giskard)
			if _, err := Setup(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			in.log()
			left := filepath.Join(dir, DeepEval, "left over")
			if err := os.WriteFile(left, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			spoil(t, filepath.Join(dir, DeepEval), tc.script)

			var plan *Plan
			o.Announce = func(p *Plan) error { plan = p; return nil }
			var steps []Step
			o.OnStep = func(s Step) { steps = append(steps, s) }
			report, err := Setup(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if e := plan.Environments; e[0].Present || !strings.Contains(e[0].Reason, tc.want) || !e[1].Present || e[1].Reason != "" {
				t.Errorf("plan: %+v", e)
			}
			var names []string
			said := false
			for _, s := range steps {
				names = append(names, s.Framework+" "+s.Name)
				said = said || s.Framework == DeepEval && s.Name == "environment" && strings.Contains(s.Text, "anew") && strings.Contains(s.Text, tc.want)
			}
			if !said {
				t.Errorf("no step says %q: %q", tc.want, steps)
			}
			if diff := cmp.Diff([]string{
				"deepeval import", "giskard import", // as they are
				"deepeval import", // and with nobody else at work
				"deepeval environment", "deepeval packages", "deepeval import",
			}, names); diff != "" {
				t.Errorf("steps (-want +got):\n%s", diff)
			}
			if !report.Environments[0].Made || report.Environments[1].Made {
				t.Errorf("report %+v", report)
			}
			if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the leftovers stay: %v", err)
			}
			if report, err = Setup(t.Context(), o); err != nil || report.Environments[0].Made {
				t.Errorf("again: %+v, %v", report, err)
			}
		})
	}
}

// A worker that was killed, as by a system without memory, says nothing of its
// environment, which may not be to be had again.
func TestSetupKeepsWhatItCouldNotTry(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	o := in.options(dir, DeepEval)
	if _, err := Setup(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	in.log()
	spoil(t, filepath.Join(dir, DeepEval), "kill -s KILL $$")
	_, err := Setup(t.Context(), o)
	var failed *SetupError
	if !errors.As(err, &failed) || !failed.Kept || failed.Step != "import" || !strings.HasSuffix(err.Error(), "\nthe environment is left as it was") {
		t.Errorf("error %T: %v", err, err)
	}
	if ran := in.log(); ran != nil {
		t.Errorf("ran %q", ran)
	}
	if _, err := Check(dir, DeepEval); err != nil {
		t.Error(err)
	}
}

// The culprit is the temporary folder, and not the interpreter.
func TestSetupNamesATemporaryFolderThatIsMissing(t *testing.T) {
	in, dir := newInstallation(t), t.TempDir()
	gone := filepath.Join(dir, "gone")
	t.Setenv("TMPDIR", gone)
	report, err := Setup(t.Context(), in.options(filepath.Join(dir, "frameworks"), DeepEval))
	var folder *FolderError
	if report != nil || !errors.As(err, &folder) || folder.Dir != gone || !strings.Contains(err.Error(), "temporary folder is missing; make it, or name another in TMPDIR") {
		t.Errorf("report %v, error %T: %v", report, err, err)
	}
}

func TestSetupLeavesNothingInTheTemporaryFolder(t *testing.T) {
	in, dir, temp := newInstallation(t), t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	for range 2 {
		if _, err := Setup(t.Context(), in.options(dir, DeepEval)); err != nil {
			t.Fatal(err)
		}
		if got := listing(t, temp); got != nil {
			t.Errorf("left: %q", got)
		}
	}
}

// A file in the way is named itself, at any depth.
func TestSetupAndCheckNameAFileForAFolder(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	file := filepath.Join(dir, "файл")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "frameworks")} {
		_, err := Setup(t.Context(), in.options(dir, DeepEval))
		var folder *FolderError
		if !errors.As(err, &folder) || folder.Dir != file || !strings.HasSuffix(err.Error(), "it is a file; name a folder") {
			t.Errorf("%s: error %T: %v", dir, err, err)
		}
	}
	_, err := Check(file, DeepEval)
	var unfit *EnvironmentError
	if !errors.As(err, &unfit) || unfit.Dir != file || !strings.HasSuffix(err.Error(), "it is a file; name the folder that python.Setup was given") {
		t.Errorf("Check: %T: %v", err, err)
	}
}

// What a program that is no Python writes comes as one line, and never with the
// question that it was asked.
func TestSetupSaysLittleOfAProgramThatIsNoPython(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	in.file("python3.11", `#!/bin/sh
for word in "$@"; do echo "cannot access '$word': File name too long" >&2; done
echo "usage: `+strings.Repeat("слово ", 100)+`" >&2
exit 2
`)
	_, err := Setup(t.Context(), in.options(dir, DeepEval))
	var unfit *InterpreterError
	if !errors.As(err, &unfit) || !strings.HasPrefix(unfit.Found, "it does not run (exit status 2), and says: usage: слово") {
		t.Fatalf("error %T: %v", err, err)
	}
	if strings.Contains(err.Error(), "import") || strings.Contains(err.Error(), "\n") || len(unfit.Found) > 300 {
		t.Errorf("error %q", err)
	}
}

// A program of the name that may not be run is not missing.
func TestSetupTellsWhatMayNotBeRun(t *testing.T) {
	t.Parallel()
	in, dir := newInstallation(t), t.TempDir()
	in.file("shut", "")
	if err := os.Chmod(in.path("shut"), 0o600); err != nil {
		t.Fatal(err)
	}
	o := in.options(dir, DeepEval)
	o.Interpreter = in.path("shut")
	var interpreter *InterpreterError
	if _, err := Setup(t.Context(), o); !errors.As(err, &interpreter) || interpreter.Found != "this user may not run it (permission denied)" || !strings.Contains(interpreter.Remedy, "owner") {
		t.Errorf("error %T: %v", err, err)
	}
	o = in.options(dir, DeepEval)
	o.UV = in.path("shut")
	var option *OptionError
	if _, err := Setup(t.Context(), o); !errors.As(err, &option) || !strings.Contains(option.Reason, "this user may not run it") || !strings.Contains(option.Remedy, "owner") {
		t.Errorf("error %T: %v", err, err)
	}
}

func TestFolderErrorsSayWhatToDoAboutPermission(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "mkdir", Path: "/srv/f/ragas", Err: syscall.EACCES}, "python: folder /srv/f cannot be used: this user may not write there (permission denied); leave it to its owner, who may call Setup for everybody, or name another"},
		{&fs.PathError{Op: "mkdir", Path: "/srv/f/ragas", Err: syscall.EROFS}, "python: folder /srv/f cannot be used: read-only file system; name another"},
	} {
		if diff := cmp.Diff(tc.want, asFolderError("/srv/f", tc.err).Error()); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestSetupSaysThatOthersCannotUseTheInterpreter(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name           string
		program, where fs.FileMode
		want           bool
	}{
		{"open", 0o755, 0o755, false},
		{"closed", 0o700, 0o755, true},
		{"closed, and so are the environments", 0o700, 0o700, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			in, dir := newInstallation(t), t.TempDir()
			for path, mode := range map[string]fs.FileMode{in.dir: tc.program, dir: tc.where} {
				if err := os.Chmod(path, mode); err != nil {
					t.Fatal(err)
				}
			}
			o, said := in.options(dir, DeepEval), ""
			o.OnStep = func(s Step) { said += s.Text + "\n" }
			if _, err := Setup(t.Context(), o); err != nil {
				t.Fatal(err)
			}
			if got := strings.Contains(said, "other users cannot use it, as "+resolved(in.dir)+" is closed to them"); got != tc.want {
				t.Errorf("said %v, in %q", got, said)
			}
		})
	}
}

// A folder of another user is not advised to be removed, and nothing in it is.
func TestSetupLeavesAFolderThatIsAnothers(t *testing.T) {
	t.Parallel()
	needPermissions(t)
	for _, shut := range []string{"", DeepEval} {
		t.Run("shut is "+shut, func(t *testing.T) {
			t.Parallel()
			in, dir := newInstallation(t), t.TempDir()
			if _, err := Setup(t.Context(), in.options(dir, DeepEval)); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, DeepEval, "bin", "python")); err != nil {
				t.Fatal(err)
			}
			in.log()
			for _, path := range []string{filepath.Join(dir, DeepEval, signFile), filepath.Join(dir, lockName)} {
				if err := os.Chmod(path, 0o400); err != nil {
					t.Fatal(err)
				}
			}
			shutFolder(t, filepath.Join(dir, shut), 0o500)
			_, err := Setup(t.Context(), in.options(dir, DeepEval))
			var folder *FolderError
			if !errors.As(err, &folder) || !strings.Contains(err.Error(), "permission denied") || strings.Contains(err.Error(), "remove") || !strings.Contains(folder.Remedy, "owner") {
				t.Errorf("error %T: %v", err, err)
			}
			if ran := in.log(); ran != nil {
				t.Errorf("ran %q", ran)
			}
		})
	}
}

// An interpreter that exec refuses is not made anew by one who may not.
func TestSetupKeepsAnEnvironmentThatMayNotBeRun(t *testing.T) {
	t.Parallel()
	needPermissions(t)
	in, dir := newInstallation(t), t.TempDir()
	o := in.options(dir, DeepEval)
	if _, err := Setup(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	in.log()
	if err := os.Chmod(filepath.Join(dir, DeepEval, "bin", "python"), 0o001); err != nil { // for others, and not for the owner
		t.Fatal(err)
	}
	_, err := Setup(t.Context(), o)
	var folder *FolderError
	if !errors.As(err, &folder) || !strings.Contains(folder.Reason, "may not run the interpreter") {
		t.Errorf("error %T: %v", err, err)
	}
	if ran := in.log(); ran != nil {
		t.Errorf("ran %q", ran)
	}
}
