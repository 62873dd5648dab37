package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
)

// writer is a model that writes what the rules would, so that the checks take it.
func writer(t *testing.T) *actor.Actor {
	t.Helper()
	b, err := os.ReadFile(bikes)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := model.ParseMarkdown(filepath.Base(bikes), b, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, err := actor.New(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	if code, _, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out, "--seed", "42"); code > exitShortfall {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	raw := map[model.File][]byte{}
	for name, text := range files(t, out) {
		raw[model.File(name)] = []byte(text)
	}
	if a.Texts, err = model.DecodeDataset(raw); err != nil {
		t.Fatal(err)
	}
	return a
}

type modelFunc func(context.Context, *llm.Request) (*llm.Response, error)

func (f modelFunc) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	return f(ctx, req)
}

// online are the arguments of a run with the model behind a server, or with
// none when there is only a recording.
func online(s *wire.Server, out string, rest ...string) []string {
	args := []string{"generate", "--input", bikes, "--out", out, "--seed", "42", "--generators", "direct,rules"}
	if s != nil {
		args = append(args, "--model", "actor", "--base-url", s.URL())
	}
	return append(args, rest...)
}

func manifest(t *testing.T, dir string) *model.Manifest {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, string(model.FileManifest)))
	if err != nil {
		t.Fatal(err)
	}
	m := &model.Manifest{}
	if err := model.Decode(model.FileManifest, b, m); err != nil {
		t.Fatal(err)
	}
	return m
}

func made(m *model.Manifest) map[string]int {
	n := map[string]int{}
	for _, g := range m.Generators {
		n[g.Name] = g.Items
	}
	return n
}

// lastLine is the last line of what was printed.
func lastLine(text string) string {
	text = strings.TrimRight(text, "\n")
	return text[strings.LastIndex(text, "\n")+1:]
}

func TestReplayGivesTheFilesOfTheRecordedRun(t *testing.T) {
	t.Parallel()
	const key = "sk-secret-0123456789"
	s := wire.New(t, wire.Client(writer(t)), &wire.Options{Key: key})
	recorded, replayed := t.TempDir(), t.TempDir()
	record := filepath.Join(t.TempDir(), "calls.jsonl")
	code, _, stderr := call(t.Context(), map[string]string{"OPENAI_API_KEY": key}, online(s, recorded, "--record", record)...)
	if code > exitShortfall {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if n := made(manifest(t, recorded)); n["direct"]+n["openai_fallback"] < 10 {
		t.Fatalf("the model made too little for a test: %v", n)
	}
	lines, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(lines, []byte(key)) {
		t.Error("the key is in the recording")
	}
	for name, text := range files(t, recorded) {
		if strings.Contains(text, key) {
			t.Errorf("the key is in %s", name)
		}
	}
	calls := s.Calls()
	if code2, _, stderr := call(t.Context(), nil, online(nil, replayed, "--replay", record)...); code2 != code {
		t.Fatalf("exit code %d, recorded %d: %s", code2, code, stderr)
	}
	if n := s.Calls(); n != calls {
		t.Errorf("the replay made %d calls", n-calls)
	}
	before, after := files(t, recorded), files(t, replayed)
	for _, f := range append(model.DataFiles(), model.FileCertificate) {
		if diff := cmp.Diff(before[string(f)], after[string(f)]); diff != "" || before[string(f)] == "" {
			t.Errorf("%s differs, or is empty (-recorded +replayed):\n%s", f, diff)
		}
	}
	a, b := withoutTime(t, before["run_manifest.json"]), withoutTime(t, after["run_manifest.json"])
	delete(a, "llm") // the provider of a replay is "replay"
	delete(b, "llm")
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("manifests differ (-recorded +replayed):\n%s", diff)
	}
	if code, _, stderr := call(t.Context(), nil, online(s, t.TempDir(), "--record", record)...); code != exitUsage || !strings.Contains(stderr, "exists already") {
		t.Errorf("a recording over another: exit code %d: %s", code, stderr)
	}

	t.Run("of another run", func(t *testing.T) {
		t.Parallel()
		for name, lines := range map[string][]byte{
			"nothing recorded": nil,
			"extraction alone": linesFor(t, lines, "extract_use_cases", "extract_policies", "extract_repair"),
			"routing too":      linesFor(t, lines, "extract_use_cases", "extract_policies", "extract_repair", "route"),
		} {
			out := filepath.Join(t.TempDir(), "out")
			code, stdout, stderr := call(t.Context(), nil, online(nil, out, "--replay", write(t, "part.jsonl", lines))...)
			if last := lastLine(stderr); code != exitUsage || !strings.HasPrefix(last, "datasetgen: ") || !strings.Contains(last, "no record answers the request for") {
				t.Errorf("%s: exit code %d, last line %q", name, code, last)
			}
			if _, err := os.Stat(out); err == nil || stdout != "" {
				t.Errorf("%s: something was written: %q", name, stdout)
			}
		}
	})
	t.Run("that ends early", func(t *testing.T) {
		t.Parallel()
		// Half of the answers to generate_direct are left, so some items are accepted.
		part := linesFor(t, lines, "extract_use_cases", "extract_policies", "extract_repair", "route")
		answers := bytes.SplitAfter(linesFor(t, lines, "generate_direct"), []byte("\n"))
		part = append(part, bytes.Join(answers[:len(answers)/2], nil)...)
		out := t.TempDir()
		code, stdout, stderr := call(t.Context(), nil, online(nil, out, "--replay", write(t, "part.jsonl", part))...)
		if code > exitShortfall {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		m := manifest(t, out)
		if n := made(m); n["direct"] == 0 || n["rules"] == 0 {
			t.Errorf("made by %v, want the recording and the rules", n)
		}
		if m.Stop != "provider" || !strings.Contains(m.StopReason, "no record answers") || !strings.Contains(stdout, "no record answers") {
			t.Errorf("stop %q: %s\n%s", m.Stop, m.StopReason, stdout)
		}
	})
	t.Run("of an interrupted run", func(t *testing.T) {
		t.Parallel()
		// A killed run leaves half a line; a broken line before it is no recording.
		half := append(bytes.Clone(lines), lines[:40]...)
		if code2, _, stderr := call(t.Context(), nil, online(nil, t.TempDir(), "--replay", write(t, "half.jsonl", half))...); code2 != code {
			t.Errorf("half a line at the end: exit code %d: %s", code2, stderr)
		}
		broken := append([]byte("{\"key\":\n"), lines...)
		code, _, stderr := call(t.Context(), nil, online(nil, filepath.Join(t.TempDir(), "out"), "--replay", write(t, "broken.jsonl", broken))...)
		if code != exitUsage || !strings.Contains(lastLine(stderr), "line 1") {
			t.Errorf("a broken line: exit code %d: %s", code, stderr)
		}
	})
}

// linesFor returns the lines of a recording that are for the purposes.
func linesFor(t *testing.T, record []byte, purposes ...string) []byte {
	t.Helper()
	var out []byte
	for line := range bytes.Lines(record) {
		var e struct{ Purpose string }
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		for _, p := range purposes {
			if e.Purpose == p {
				out = append(out, line...)
			}
		}
	}
	return out
}

func TestMaxCallsIsHonoured(t *testing.T) {
	t.Parallel()
	a := writer(t)
	for _, limit := range []string{"1", "20"} {
		s := wire.New(t, wire.Client(a), nil)
		out := t.TempDir()
		code, stdout, stderr := call(t.Context(), nil, online(s, out, "--max-calls", limit)...)
		if code > exitShortfall {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		m := manifest(t, out)
		if n, want := s.Calls(), m.Usage.Calls; int64(n) != want || limit == "1" && n > 1 || n > 20 || n == 0 {
			t.Errorf("--max-calls %s: the server saw %d calls, the manifest says %d", limit, n, want)
		}
		if m.Stop != "budget" || !strings.Contains(stdout, "budget") || made(m)["rules"] == 0 {
			t.Errorf("--max-calls %s: stop %q, made by %v\n%s", limit, m.Stop, made(m), stdout)
		}
		_, vout, _ := call(t.Context(), nil, "validate", "--out", out, "--input", bikes)
		for line := range strings.Lines(vout) {
			// A use case that is short of test cases may also vary too little.
			if strings.HasSuffix(line, "]\n") && !strings.HasSuffix(line, "[shortfall]\n") && !strings.HasSuffix(line, "[axes_vary]\n") {
				t.Errorf("--max-calls %s: validate: %s", limit, line)
			}
			if strings.HasSuffix(line, "[axes_vary]\n") && !strings.Contains(stdout, line) {
				t.Errorf("--max-calls %s: what validate finds was not told: %s", limit, line)
			}
		}
	}
}

func TestInterruptedRunKeepsWhatWasAccepted(t *testing.T) {
	t.Parallel()
	a := writer(t)
	out := t.TempDir()
	if code, _, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out); code > exitShortfall {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	before := files(t, out)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	a.Calls = func(*llm.Request) []llm.ToolCall { // the rest comes in a second round
		return []llm.ToolCall{{ID: "1", Name: "generate_direct", Arguments: `{"max_test_cases":2}`}}
	}
	var direct, later atomic.Bool
	s := wire.New(t, wire.Client(modelFunc(func(c context.Context, req *llm.Request) (*llm.Response, error) {
		switch kind := actor.Kind(req); {
		case kind == actor.Direct:
			direct.Store(true)
		case kind == actor.Route && direct.Load() && later.CompareAndSwap(false, true):
			cancel(errors.New("interrupt")) // the first round is accepted
		}
		return a.Complete(c, req)
	})), nil)
	record := filepath.Join(t.TempDir(), "calls.jsonl")
	code, stdout, stderr := call(ctx, nil, online(s, out, "--record", record)...)
	if code != exitInterrupted || stdout != "" || strings.Contains(stderr, "certify") {
		t.Errorf("exit code %d, want 130, or a stage after the end: %s%s", code, stdout, stderr)
	}
	partial := filepath.Join(out, ".partial")
	if last := lastLine(stderr); !strings.Contains(last, "are kept in "+partial) {
		t.Errorf("the last line is %q", last)
	}
	after := files(t, out)
	if after[".partial"] == "" {
		t.Error("there is no .partial")
	}
	delete(after, ".partial")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the old files changed (-before +after):\n%s", diff)
	}
	m := manifest(t, partial)
	if n := made(m); m.Stop != "cancelled" || n["direct"] == 0 || n["rules"] > 0 || m.Counts.DatasetExamples != n["direct"] {
		t.Errorf("the manifest: stop %q, made by %v, counts %+v", m.Stop, made(m), m.Counts)
	}
	kept := map[model.File][]byte{}
	for name, text := range files(t, partial) {
		kept[model.File(name)] = []byte(text)
	}
	d, err := model.DecodeDataset(kept)
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Examples) != m.Counts.DatasetExamples {
		t.Errorf("%d examples are kept, the manifest says %d", len(d.Examples), m.Counts.DatasetExamples)
	}

	// What was paid for is in the recording; a whole run clears the leftovers.
	if b, err := os.ReadFile(record); err != nil || len(linesFor(t, b, "generate_direct")) == 0 {
		t.Errorf("the recording of the interrupted run: %d bytes, %v", len(b), err)
	}
	if code, _, stderr := call(t.Context(), nil, "generate", "--input", bikes, "--out", out); code > exitShortfall {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if _, err := os.Stat(partial); err == nil {
		t.Error("a whole run leaves .partial behind")
	}
}

func TestProviderThatFailsLater(t *testing.T) {
	t.Parallel()
	a := writer(t)
	for _, tt := range []struct {
		name string
		good int32 // answers to generate_direct before the failure
		code int   // at most
	}{{"after some items", 6, exitShortfall}, {"before the first item", 0, exitUsage}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var direct atomic.Int32
			s := wire.New(t, wire.Client(modelFunc(func(c context.Context, req *llm.Request) (*llm.Response, error) {
				if actor.Kind(req) == actor.Direct && direct.Add(1) > tt.good {
					return nil, &llm.Error{Kind: llm.KindQuota, Status: 429, Code: "insufficient_quota", Message: "no credit left"}
				}
				return a.Complete(c, req)
			})), nil)
			out := filepath.Join(t.TempDir(), "out")
			code, stdout, stderr := call(t.Context(), nil, online(s, out)...)
			if tt.code == exitUsage {
				if last := lastLine(stderr); code != exitUsage || !strings.Contains(last, "no credit left") {
					t.Errorf("exit code %d, last line %q", code, last)
				}
				if _, err := os.Stat(out); err == nil || stdout != "" {
					t.Errorf("something was written: %q", stdout)
				}
				return
			}
			if code > exitShortfall {
				t.Fatalf("exit code %d: %s", code, stderr)
			}
			m := manifest(t, out)
			if n := made(m); n["direct"] == 0 || n["rules"] == 0 {
				t.Errorf("made by %v", n)
			}
			if m.Stop != "provider" || !strings.Contains(m.StopReason, "no credit left") {
				t.Errorf("the manifest: stop %q: %q", m.Stop, m.StopReason)
			}
			for _, want := range []string{"the model was given up", "no credit left", "made by: direct", "rules"} {
				if !strings.Contains(stdout, want) {
					t.Errorf("the summary lacks %q:\n%s", want, stdout)
				}
			}
		})
	}
}

func TestARecordingOfNothingIsNotLeft(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	record := filepath.Join(dir, "calls.jsonl")
	for _, rest := range [][]string{{}, {"--strength", "9"}, {"--generators", "poet"}} { // refused by the endpoint, by the options, before both
		args := []string{
			"generate", "--input", bikes, "--out", filepath.Join(dir, "out"), "--record", record,
			"--model", "m", "--base-url", refuses(t, 401, `{"error":{"message":"no","code":"invalid_api_key"}}`),
		}
		must(t, []int{exitUsage}, append(args, rest...)...)
		if got := files(t, dir); len(got) > 0 {
			t.Errorf("%q: left behind: %q", rest, got)
		}
	}
}
