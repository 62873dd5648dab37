package python

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inventory is a program that lists the packages of its environment, and what
// they require that is not met there. Its arguments are the requirements that
// the environment was made for.
const inventory = `
import importlib.metadata as metadata
import json
import sys

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

have = {canonicalize_name(d.metadata["Name"]): d for d in metadata.distributions()}
extras = {name: {""} for name in have}
for text in sys.argv[1:]:
    asked = Requirement(text)
    extras[canonicalize_name(asked.name)] |= asked.extras
unmet, todo = {}, list(have)
while todo:
    name = todo.pop()
    for text in have[name].requires or []:
        r = Requirement(text)
        if r.marker and not any(r.marker.evaluate({"extra": e}) for e in extras[name]):
            continue
        wanted = canonicalize_name(r.name)
        if wanted not in have:
            unmet[wanted] = f"{name} requires {text}"
            continue
        if not r.specifier.contains(have[wanted].version, prereleases=True):
            unmet[wanted] = f"{name} requires {text}, there is {have[wanted].version}"
        if not r.extras <= extras[wanted]:
            extras[wanted] |= r.extras
            todo.append(wanted)
json.dump({"have": {n: d.version for n, d in have.items()}, "unmet": unmet}, sys.stdout)
`

// leftOut are requirements that are not met on purpose, and why.
func leftOut(framework string) map[string]string {
	if framework != Giskard {
		return nil
	}
	return map[string]string{
		"bert-score": "it brings torch, of 5 GB, and question generation uses neither",
		"docopt":     "the command line of num2words uses it, the library does not",
	}
}

// An environment has the packages of its lock files and no others, every
// requirement of each is met or left out for a reason, and what it needs from
// the internet is there.
func TestRealEnvironmentsAreComplete(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("CASEBOOK_FRAMEWORKS")
	if dir == "" {
		t.Skip("CASEBOOK_FRAMEWORKS names no folder with environments that Setup made")
	}
	var bytes int64
	for _, p := range pins() {
		env, m, err := p.check(dir)
		if err != nil {
			t.Error(err)
			continue
		}
		bytes += m.Bytes
		t.Logf("%s %s: Python %s, %d packages, %.0f MB", p.framework, env.Version, m.Python, m.Packages, float64(m.Bytes)/1e6)
		if about := p.bytes; m.Bytes > about*11/10 || m.Bytes < about*8/10 {
			t.Errorf("%s takes %d bytes and is announced with %d", p.framework, m.Bytes, about)
		}

		locked := map[string]string{}
		for _, name := range p.locks {
			b, err := lockFile(name)
			if err != nil {
				t.Fatal(err)
			}
			read, err := readLock(b)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range read {
				locked[one.name] = one.version
			}
		}
		asked := p.framework
		if asked == Giskard {
			asked = "giskard[llm]"
		}
		cmd := exec.CommandContext(t.Context(), env.Interpreter, "-P", "-s", "-B", "-c", inventory, asked)
		cmd.Env, cmd.Stderr = environ(env, t.TempDir()), os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var found struct{ Have, Unmet map[string]string }
		if err := json.Unmarshal(out, &found); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(locked, found.Have); diff != "" {
			t.Errorf("packages of %s (-locked +installed):\n%s", p.framework, diff)
		}
		for name := range leftOut(p.framework) {
			if found.Unmet[name] == "" {
				t.Errorf("%s: %s is left out and nothing requires it", p.framework, name)
			}
			delete(found.Unmet, name)
		}
		for _, name := range slices.Sorted(maps.Keys(found.Unmet)) {
			t.Errorf("%s: %s", p.framework, found.Unmet[name])
		}
		if torch, _ := filepath.Glob(filepath.Join(env.Dir, "lib", "python3.11", "site-packages", "torch*")); torch != nil {
			t.Errorf("%s has %q", p.framework, torch)
		}
		if p.vocabulary {
			const encode = `import tiktoken; print(*(len(tiktoken.get_encoding(n).encode("Возврат за 14 дней")) for n in ("cl100k_base", "o200k_base")))`
			cmd := exec.CommandContext(t.Context(), env.Interpreter, "-P", "-s", "-B", "-c", encode)
			cmd.Env = append(environ(env, t.TempDir()), "https_proxy=http://127.0.0.1:9", "no_proxy=")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("vocabularies: %v\n%s", err, out)
			}
		}
	}
	t.Logf("in all %.0f MB", float64(bytes)/1e6)
	if bytes >= 2_200_000_000 {
		t.Errorf("the environments take %d bytes", bytes)
	}
}
