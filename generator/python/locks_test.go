package python

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What is embedded pins every package with its hashes, says how it was made, and
// has none of the packages that question generation never uses.
func TestLocksAreFull(t *testing.T) {
	t.Parallel()
	entries, err := lockFiles.ReadDir("locks")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{vocabularyLock: true}
	for _, p := range pins() {
		for _, name := range p.locks {
			used[name] = true
		}
	}
	total := 0
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".lock")
		if !used[name] {
			t.Errorf("%s is embedded and not used", e.Name())
		}
		delete(used, name)
		b, err := lockFile(name)
		if err != nil {
			t.Fatal(err)
		}
		total += len(b)
		head := string(b[:min(len(b), 400)])
		if !strings.HasPrefix(head, "#") || !strings.Contains(head, "uv pip compile "+name+".in") || !strings.Contains(head, "--generate-hashes") {
			t.Errorf("%s does not say how it was made:\n%s", e.Name(), head)
		}
		pinned, err := readLock(b)
		if err != nil {
			t.Fatalf("%s: %v", e.Name(), err)
		}
		seen := map[string]bool{}
		for _, p := range pinned {
			if p.hashes == 0 || seen[p.name] {
				t.Errorf("%s: %+v has no hash, or is there twice", e.Name(), p)
			}
			seen[p.name] = true
			switch p.name {
			case "torch", "bert-score", "triton", "docopt", "transformers":
				t.Errorf("%s brings %s", e.Name(), p.name)
			}
			if strings.HasPrefix(p.name, "nvidia-") {
				t.Errorf("%s brings %s", e.Name(), p.name)
			}
		}
		asked, err := os.ReadFile("locks/" + name + ".in")
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(asked)) {
			if want := regexp.MustCompile(`^[a-z-]+`).FindString(line); want != "" && !seen[want] {
				t.Errorf("%s lacks %s", e.Name(), want)
			}
		}
	}
	if len(used) > 0 {
		t.Errorf("not embedded: %v", used)
	}
	if total > 1<<20 {
		t.Errorf("the lock files take %d bytes", total)
	}
}

func TestPinsHaveTheirVersions(t *testing.T) {
	t.Parallel()
	type summary struct{ Framework, Version string }
	var got []summary
	digests := map[string]bool{}
	for _, p := range pins() {
		version, packages, digest, err := p.contents()
		if err != nil {
			t.Fatal(err)
		}
		if packages < 50 || len(digest) != 64 || digests[digest] || p.bytes < 50e6 || len(p.platforms) == 0 {
			t.Errorf("%s: %d packages, digest %s, %d bytes, %v", p.framework, packages, digest, p.bytes, p.platforms)
		}
		digests[digest] = true
		got = append(got, summary{p.framework, version})
	}
	want := []summary{{DeepEval, "4.1.10"}, {Ragas, "0.4.3"}, {Giskard, "2.19.2"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

var lockTable = []struct {
	name, text string
	want       []pin
	broken     bool
}{
	{"nothing", "", nil, false},
	{"comments", "# uv\n\n  # more\n", nil, false},
	{"a package", "a==1.0 \\\n    --hash=sha256:" + strings.Repeat("0", 64) + " \\\n    --hash=sha256:" + strings.Repeat("1", 64) + "\n", []pin{{"a", "1.0", 2}}, false},
	{"extras and markers", "giskard[llm]==2.19.2 ; python_version < '3.12' \\\n--hash=sha256:" + strings.Repeat("a", 64), []pin{{"giskard", "2.19.2", 1}}, false},
	{"a range", "a>=1.0\n", nil, true},
	{"a wildcard", "a==1.*\n", nil, true},
	{"no version", "a\n", nil, true},
	{"an option", "--index-url https://example.com\n", nil, true},
	{"an address", "a @ https://example.com/a.whl\n", nil, true},
	{"a hash of nothing", "--hash=sha256:" + strings.Repeat("0", 64) + "\n", nil, true},
	{"a short hash", "a==1 \\\n--hash=sha256:00\n", nil, true},
	{"another hash", "a==1 \\\n--hash=md5:00\n", nil, true},
}

func TestReadLock(t *testing.T) {
	t.Parallel()
	for _, tc := range lockTable {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := readLock([]byte(tc.text))
			if (err != nil) != tc.broken {
				t.Fatalf("error %v", err)
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(pin{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzReadLock(f *testing.F) {
	for _, tc := range lockTable {
		f.Add([]byte(tc.text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		read, err := readLock(b)
		if err != nil {
			return
		}
		for _, p := range read {
			if p.name == "" || p.version == "" || strings.ContainsAny(p.name+p.version, " <>~*@") {
				t.Fatalf("%+v pins nothing", p)
			}
		}
	})
}
