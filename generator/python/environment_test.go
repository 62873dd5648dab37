//go:build linux || darwin

package python

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// whole makes an environment that Check finds whole, without any package.
func whole(tb testing.TB, dir, framework string) {
	tb.Helper()
	p, _ := pinnedFor(framework)
	version, packages, digest, err := p.contents()
	if err != nil {
		tb.Fatal(err)
	}
	env := filepath.Join(dir, framework)
	files := map[string]fs.FileMode{signFile: 0o600, "bin/python": 0o755}
	if p.vocabulary {
		for _, v := range vocabularies() {
			files[vocabularyDir+"/"+v.name] = 0o644
		}
	}
	for name, mode := range files {
		path := filepath.Join(env, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("x"), mode); err != nil {
			tb.Fatal(err)
		}
	}
	m := &marker{Framework: framework, Version: version, Lock: digest, Base: "/usr/bin/python3.11", Python: "3.11.9", Packages: packages, Bytes: 3}
	if err := writeMarker(env, m); err != nil {
		tb.Fatal(err)
	}
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	marked := func(change func(*marker)) func(*testing.T, string) {
		return func(t *testing.T, env string) {
			t.Helper()
			m, err := readMarker(filepath.Join(env, markerFile))
			if err != nil {
				t.Fatal(err)
			}
			change(m)
			if err := writeMarker(env, m); err != nil {
				t.Fatal(err)
			}
		}
	}
	without := func(name string) func(*testing.T, string) {
		return func(t *testing.T, env string) {
			t.Helper()
			if err := os.RemoveAll(filepath.Join(env, name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	holds := func(name, text string) func(*testing.T, string) {
		return func(t *testing.T, env string) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(env, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, tc := range []struct {
		name   string
		change func(*testing.T, string)
		want   string // "" for an environment that fits
	}{
		{"whole", func(*testing.T, string) {}, ""},
		{"missing", without(""), "it is missing"},
		{"unfinished", without(markerFile), "not finished"},
		{"foreign", func(t *testing.T, env string) {
			t.Helper()
			without(markerFile)(t, env)
			without(signFile)(t, env)
		}, "not made by casebook"},
		{"empty marker", holds(markerFile, ""), "marker cannot be read"},
		{"broken marker", holds(markerFile, `{"framework":`), "marker cannot be read"},
		{"marker of another kind", holds(markerFile, `[1]`), "marker cannot be read"},
		{"huge marker", holds(markerFile, strings.Repeat(" ", maxMarker+1)), "larger than"},
		{"another framework", marked(func(m *marker) { m.Framework = Giskard }), `made for "giskard"`},
		{"another version", marked(func(m *marker) { m.Version = "0.4.2" }), "casebook works with 0.4.3"},
		{"another lock", marked(func(m *marker) { m.Lock = "" }), "another lock file"},
		{"no interpreter", without("bin/python"), "interpreter is gone"},
		{"a link to nothing", func(t *testing.T, env string) {
			t.Helper()
			without("bin/python")(t, env)
			if err := os.Symlink("/nowhere/python3.11", filepath.Join(env, "bin/python")); err != nil {
				t.Fatal(err)
			}
		}, `made with "/usr/bin/python3.11"`},
		{"no program", func(t *testing.T, env string) {
			t.Helper()
			if err := os.Chmod(filepath.Join(env, "bin/python"), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "is no program"},
		{"no vocabulary", without(vocabularyDir), "vocabulary file"},
		{"an empty vocabulary", holds(vocabularyDir+"/fb374d419588a4632f3f557e76b4b70aebbca790", ""), "vocabulary file fb374d"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			whole(t, dir, Ragas)
			tc.change(t, filepath.Join(dir, Ragas))
			env, err := Check(dir, Ragas)
			if tc.want == "" {
				if err != nil || env.Interpreter != filepath.Join(dir, Ragas, "bin/python") {
					t.Fatalf("%+v, %v", env, err)
				}
				return
			}
			var unfit *EnvironmentError
			if !errors.As(err, &unfit) || env != nil || unfit.Framework != Ragas {
				t.Fatalf("%+v, error %T: %v", env, err, err)
			}
			if !strings.Contains(unfit.Reason, tc.want) || !strings.HasSuffix(err.Error(), "; call python.Setup for it") {
				t.Errorf("error %q does not say %q", err, tc.want)
			}
		})
	}
}

// needPermissions skips a test where modes of files hold nobody off.
func needPermissions(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("the superuser may read and write everything")
	}
}

// shutFolder changes the mode of a folder until the test ends.
func shutFolder(t *testing.T, dir string, mode fs.FileMode) {
	t.Helper()
	t.Cleanup(func() { _ = os.Chmod(dir, 0o700) })
	if err := os.Chmod(dir, mode); err != nil {
		t.Fatal(err)
	}
}

// What this user may not see is neither gone nor to be made anew.
func TestCheckTellsWhatIsClosedFromWhatIsGone(t *testing.T) {
	t.Parallel()
	needPermissions(t)
	for _, tc := range []struct {
		shut, reason, remedy string
	}{
		{"", "its marker is closed to this user (permission denied)", "have their owner open the folders on the way to it"},
		{Ragas, "its marker is closed to this user (permission denied)", "have their owner open the folders on the way to it"},
		{Ragas + "/bin", `its interpreter is closed to this user (permission denied); it was made with "/usr/bin/python3.11"`, "with an interpreter that every user can run"},
		{Ragas + "/" + vocabularyDir, "the vocabulary file " + vocabularies()[0].name + " is closed to this user (permission denied)", "have their owner open the folders on the way to it"},
	} {
		t.Run("shut is "+tc.shut, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			whole(t, dir, Ragas)
			shutFolder(t, filepath.Join(dir, tc.shut), 0)
			_, err := Check(dir, Ragas)
			var unfit *EnvironmentError
			if !errors.As(err, &unfit) || unfit.Reason != tc.reason || !strings.Contains(unfit.Remedy, tc.remedy) {
				t.Fatalf("error %T: %v", err, err)
			}
			unfit.Command = "myservice install"
			if !strings.HasSuffix(err.Error(), "; "+unfit.Remedy) || strings.Contains(err.Error(), unfit.Command) {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestCheckOfNothing(t *testing.T) {
	t.Parallel()
	var unfit *EnvironmentError
	if _, err := Check("", Ragas); !errors.As(err, &unfit) {
		t.Errorf("no folder: %T %v", err, err)
	}
	var option *OptionError
	if _, err := Check(t.TempDir(), "../ragas"); !errors.As(err, &option) || option.Option != "Framework" {
		t.Errorf("no framework: %T %v", err, err)
	}
}

// An environment may be reached through a link, and by a relative path.
func TestCheckFollowsTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	whole(t, dir, DeepEval)
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	if env, err := Check(link, DeepEval); err != nil || env.Dir != filepath.Join(link, DeepEval) {
		t.Errorf("%+v, %v", env, err)
	}
}

func ExampleCheck() {
	_, err := Check("/srv/frameworks", Ragas)
	var e *EnvironmentError
	if errors.As(err, &e) {
		e.Command = "myservice install --only " + e.Framework
	}
	fmt.Println(err)
	// Output: python: environment of ragas in /srv/frameworks/ragas: it is missing; run: myservice install --only ragas
}

func FuzzCheckReadsMarkers(f *testing.F) {
	dir := f.TempDir()
	whole(f, dir, DeepEval)
	path := filepath.Join(dir, DeepEval, markerFile)
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"framework":"deepeval","version":"4.1.10","bytes":1e99}`))
	f.Add([]byte("null"))
	f.Add([]byte("\xff{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		env, err := Check(dir, DeepEval)
		var unfit *EnvironmentError
		if (env == nil) == (err == nil) || err != nil && !errors.As(err, &unfit) {
			t.Fatalf("%+v, %T %v", env, err, err)
		}
	})
}
