package python

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
)

// The lock files name every package of an environment with its version and the
// hashes of all files of it. Beside each stands what it was made from.
//
//go:embed locks/*.lock
var lockFiles embed.FS

// layout is the number of the way in which Setup lays an environment out, beside
// what the lock files say of it.
const layout = 1

// pinned is one framework as this version of the package works with it.
type pinned struct {
	framework string
	// locks are installed in this order.
	locks []string
	// source are packages that come as source only. They are built with what the
	// earlier locks brought.
	source []string
	// vocabulary says that tiktoken needs its vocabularies beside the packages.
	vocabulary bool
	// bytes is what the environment takes on linux/amd64, bytecode of what the
	// worker imports included, as the sum of file sizes.
	bytes int64
	// platforms are those for which there are files with the locks' hashes.
	platforms []string
}

// pins returns the frameworks in their fixed order.
func pins() []pinned {
	common := []string{"linux/amd64", "linux/arm64", "darwin/arm64"}
	return []pinned{
		{
			framework: DeepEval, locks: []string{"deepeval"},
			bytes:     100e6,
			platforms: append(common, "darwin/amd64", "linux-musl/amd64"),
		},
		{
			framework: Ragas, locks: []string{"ragas"}, vocabulary: true,
			bytes:     640e6,
			platforms: append(common, "darwin/amd64"),
		},
		{
			framework: Giskard, locks: []string{"giskard.build", "giskard"}, source: []string{"langdetect"},
			bytes:     1217e6,
			platforms: common,
		},
	}
}

// pinnedFor returns the framework of a name; false for an unknown one.
func pinnedFor(framework string) (pinned, bool) {
	for _, p := range pins() {
		if p.framework == framework {
			return p, true
		}
	}
	return pinned{}, false
}

// vocabularyLock pins the package whose files hold tiktoken's vocabularies.
const vocabularyLock = "vocabulary"

// vocabularyFile is one vocabulary, under the name by which tiktoken looks for it.
type vocabularyFile struct{ name, sha256 string }

// vocabularies are cl100k_base, by which Ragas measures texts, and o200k_base,
// by which it cuts them.
func vocabularies() []vocabularyFile {
	return []vocabularyFile{
		{"9b5ad71b2ce5302211f9c61530b329a4922fc6a4", "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7"},
		{"fb374d419588a4632f3f557e76b4b70aebbca790", "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"},
	}
}

func lockFile(name string) ([]byte, error) { return lockFiles.ReadFile("locks/" + name + ".lock") }

// pin is one package of a lock file.
type pin struct {
	name, version string
	hashes        int
}

// readLock returns the packages of a lock file in its order.
func readLock(lock []byte) ([]pin, error) {
	var out []pin
	lines := bufio.NewScanner(bytes.NewReader(lock))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(lines.Text()), `\`))
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "--hash=sha256:"):
			if len(out) == 0 || len(line) != len("--hash=sha256:")+2*sha256.Size {
				return nil, fmt.Errorf("line %d: a hash of no package, or a broken one", n)
			}
			out[len(out)-1].hashes++
		default:
			spec, _, _ := strings.Cut(line, ";")
			name, version, ok := strings.Cut(strings.TrimSpace(spec), "==")
			name, _, _ = strings.Cut(name, "[")
			if !ok || name == "" || version == "" || strings.ContainsAny(name+version, " \t=<>!~@*") {
				return nil, fmt.Errorf("line %d: %q does not pin a version", n, line)
			}
			out = append(out, pin{name: name, version: version})
		}
	}
	return out, lines.Err()
}

// contents reads the framework's locks: its version, how many packages they
// have, and the digest by which an environment made from others is told.
func (p pinned) contents() (version string, packages int, digest string, err error) {
	h := sha256.New()
	fmt.Fprintf(h, "layout %d\n", layout)
	names := p.locks
	if p.vocabulary {
		names = append([]string{vocabularyLock}, names...)
	}
	for _, name := range names {
		b, err := lockFile(name)
		if err != nil {
			return "", 0, "", err
		}
		fmt.Fprintf(h, "%s %d\n%s", name, len(b), b)
		if name == vocabularyLock {
			continue
		}
		read, err := readLock(b)
		if err != nil {
			return "", 0, "", fmt.Errorf("lock %s: %w", name, err)
		}
		packages += len(read)
		for _, one := range read {
			if one.name == p.framework {
				version = one.version
			}
		}
	}
	return version, packages, hex.EncodeToString(h.Sum(nil)), nil
}
