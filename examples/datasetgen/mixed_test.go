package main

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A whole run by recorded replies, in which the model picks another framework's
// method for each use case: the manifest says what happened, with all checks on.
func TestTheModelPicksAnotherMethodForEachUseCase(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	code, stdout, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out, "--seed", "42",
		"--n-use-cases", "5", "--n-test-cases-per-uc", "3", "--model", "bridge", "--replay", "../../testdata/replies/methods/mixed_bike_rental_en.jsonl")
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	m := manifest(t, out)
	want := map[string]int{"deepeval": 6, "giskard": 3, "ragas": 6}
	if diff := cmp.Diff(want, made(m)); diff != "" {
		t.Errorf("generators (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), m.FrameworksUsed); diff != "" {
		t.Errorf("frameworks_used (-want +got):\n%s", diff)
	}
	if m.Routing != "model" || m.Usage.Calls != 31 || m.Counts.DatasetExamples != 15 || len(m.Refused) > 0 {
		t.Errorf("routing %q, %d calls, %d examples, refused %v", m.Routing, m.Usage.Calls, m.Counts.DatasetExamples, m.Refused)
	}
	if !strings.Contains(stdout, "made by: deepeval 6, giskard 3, ragas 6") {
		t.Errorf("the summary: %s", stdout)
	}
	if code, stdout, stderr := call(t.Context(), nil, "validate", "--out", out, "--input", bikes); code != exitDone || !strings.Contains(stdout, "the contract holds") {
		t.Errorf("validate: %d, %s%s", code, stdout, stderr)
	}
}
