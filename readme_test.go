package casebook_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// The quick start of the README is the body of an example that compiles, runs
// and is checked.
func TestQuickStartIsTheExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("orchestrate/example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)## Use it\n\n```go\n(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md has no quick start under \"Use it\"")
	}
	code := strings.ReplaceAll(string(example), "../examples/documents/", "")
	lines := strings.Split(strings.TrimSpace(string(block[1])), "\n")
	if len(lines) > 25 {
		t.Errorf("the quick start has %d lines", len(lines))
	}
	at := 0
	for _, line := range lines {
		i := strings.Index(code[at:], strings.TrimSpace(line))
		if i < 0 {
			t.Fatalf("the example does not have this line of the README, in this order:\n%s", line)
		}
		at += i
	}
}
