//go:build linux || darwin

package python

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
"-I -c "*)
	cat "$here/describe.json"; exit ;;
"-I -m venv "*)
	for dir in "$@"; do :; done
	echo "$@" >> "$here/log"
	[ ! -e "$here/venv-fails" ] || { echo "no room left" >&2; exit 1; }
	mkdir -p "$dir/bin" && cp "$0" "$dir/bin/python" ;;
*" -m pip "*)
	echo "$@" >> "$here/log"; env > "$here/pip.env" ;;
"-P -s -X utf8 "*)
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
