package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExportWritesWhereItIsTold(t *testing.T) {
	t.Parallel()
	made, dir := t.TempDir(), t.TempDir()
	must(t, written, "generate", "--input", bikes, "--out", made)
	export := func(want int, format, to string) string {
		t.Helper()
		_, errs := must(t, []int{want}, "export", "--format", format, "--from", made, "--to", to)
		return lastLine(errs)
	}

	t.Run("a link", func(t *testing.T) {
		link, target := filepath.Join(dir, "link.json"), filepath.Join(dir, "target.json")
		if err := os.Symlink("target.json", link); err != nil {
			t.Skip("no symbolic links here: ", err)
		}
		for range 2 { // the target is made, then replaced
			export(exitDone, "deepeval", link)
			if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Fatalf("the link was replaced: %v, %v", info, err)
			}
			if b, err := os.ReadFile(target); err != nil || !strings.HasPrefix(string(b), "[") {
				t.Fatalf("the target holds %.20q, %v", b, err)
			}
		}
		loop := filepath.Join(dir, "loop.json")
		if err := os.Symlink("loop.json", loop); err != nil {
			t.Fatal(err)
		}
		if got := export(exitUsage, "deepeval", loop); !strings.Contains(got, "loop.json cannot be used") {
			t.Error(got)
		}
	})
	t.Run("a device", func(t *testing.T) {
		for device, code := range map[string]int{"/dev/null": exitDone, "/dev/full": exitUsage} {
			before, err := os.Stat(device)
			if err != nil || before.Mode()&os.ModeCharDevice == 0 {
				t.Skip("there is no device ", device)
			}
			link := filepath.Join(dir, filepath.Base(device)) // whoever runs this may be allowed to replace the device
			if err := os.Symlink(device, link); err != nil {
				t.Fatal(err)
			}
			if got := export(code, "deepeval", link); code == exitUsage && !strings.Contains(got, "no space left") {
				t.Error(got)
			}
			if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("%s was replaced: %v, %v", link, info, err)
			}
			if got := export(exitUsage, "ragas", link); !strings.Contains(got, "needs a second file") {
				t.Error(got)
			}
		}
	})
	t.Run("a side file of something else", func(t *testing.T) {
		to := filepath.Join(dir, "tests.jsonl")
		if err := os.WriteFile(sidePath(to), []byte("my notes\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := export(exitUsage, "ragas", to); !strings.Contains(got, "exists and holds something else") {
			t.Error(got)
		}
		if b, err := os.ReadFile(sidePath(to)); err != nil || string(b) != "my notes\n" {
			t.Errorf("it holds %q, %v", b, err)
		}
		if _, err := os.Lstat(to); err == nil {
			t.Error("the tests were written all the same")
		}
	})
	t.Run("a folder as the side file", func(t *testing.T) {
		to := filepath.Join(dir, "blocked.jsonl")
		if err := os.Mkdir(sidePath(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := export(exitUsage, "ragas", to); !strings.Contains(got, "move it away") {
			t.Error(got)
		}
	})
}

func TestImportReplacesOnlyWhatWasImported(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	args := []string{"import", "--format", "ragas", "--from", ragasEN, "--input", bikeDesk, "--out", out}
	if _, errs := must(t, written, args...); strings.Contains(errs, "replaced") {
		t.Errorf("an empty folder: %s", errs)
	}
	if _, errs := must(t, written, args...); !strings.Contains(errs, "held 6 imported examples, which are replaced") {
		t.Errorf("a second import: %s", errs)
	}
	must(t, written, "generate", "--input", bikeDesk, "--add-to", out, "--out", out)
	before := files(t, out)
	_, errs := must(t, []int{exitUsage}, args...)
	if !strings.Contains(lastLine(errs), "that was generated") {
		t.Errorf("over a generated dataset: %s", errs)
	}
	for name, text := range files(t, out) {
		if text != before[name] {
			t.Errorf("%s was written over", name)
		}
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "dataset.json"), []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, errs := must(t, []int{exitUsage}, append(args[:len(args)-1:len(args)-1], broken)...); !strings.Contains(lastLine(errs), "name another folder") {
		t.Errorf("over part of a dataset: %s", errs)
	}
}

func TestImportSaysWhatBecameOfTheSideFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, other := filepath.Join(dir, "made"), filepath.Join(dir, "other")
	must(t, written, "generate", "--input", bikes, "--out", made)
	must(t, written, "import", "--format", "ragas", "--from", ragasEN, "--input", bikeDesk, "--out", other)
	to, side := filepath.Join(dir, "t.jsonl"), sidePath(filepath.Join(dir, "t.jsonl"))
	export := func(from string) {
		t.Helper()
		must(t, []int{exitDone}, "export", "--format", "ragas", "--from", from, "--to", to)
	}
	notes := func() string {
		t.Helper()
		_, errs := must(t, written, "import", "--format", "ragas", "--from", to, "--input", bikes, "--out", filepath.Join(t.TempDir(), "out"))
		return errs
	}
	export(other)
	foreign, err := os.ReadFile(side)
	if err != nil {
		t.Fatal(err)
	}
	export(made)
	if got := notes(); strings.Contains(got, "another tool") {
		t.Errorf("with its side file: %s", got)
	}
	own, err := os.ReadFile(side)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		side []byte
		want string
	}{
		"none":         {nil, "there is no " + side},
		"of others":    {foreign, side + " knows 0 of "},
		"without some": {own[bytes.IndexByte(own, '\n')+1:], "the others are taken for another tool's"},
	} {
		if err := os.Remove(side); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if tt.side != nil {
			if err := os.WriteFile(side, tt.side, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got := notes(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: it does not say %q: %s", name, tt.want, got)
		}
	}
}

func TestEditedFilesAreToldOf(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	made, again, to := filepath.Join(dir, "made"), filepath.Join(dir, "again"), filepath.Join(dir, "t.json")
	must(t, written, "generate", "--input", bikes, "--out", made)
	use := func(want []int) []string {
		t.Helper()
		_, added := must(t, want, "generate", "--input", bikes, "--add-to", made, "--out", again)
		_, exported := must(t, want, "export", "--format", "deepeval", "--from", made, "--to", to)
		return []string{added, exported}
	}
	edit := func(old, text string) {
		t.Helper()
		path := filepath.Join(made, "dataset.json")
		b, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(b, []byte(old)) {
			t.Fatalf("%q is not there: %v", old, err)
		}
		if err := os.WriteFile(path, bytes.Replace(b, []byte(old), []byte(text), 1), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, errs := range use(written) {
		if strings.Contains(errs, "SHA-256") {
			t.Errorf("as it was made: %s", errs)
		}
	}
	edit(`"expected_output": "`, `"expected_output": "Well. `)
	for _, errs := range use(written) {
		if n := strings.Count(errs, "dataset.json in "+made+" was changed after the run"); n != 1 {
			t.Errorf("edited, told %d times: %s", n, errs)
		}
	}
	edit(`"policy_ids": [`, `"policy_ids": ["pol_nope", `)
	for _, errs := range use([]int{exitUsage}) {
		if !strings.Contains(lastLine(errs), "pol_nope") {
			t.Errorf("a policy that is not there: %s", errs)
		}
	}
}

func TestImportNumbersRecordsAsPeopleDo(t *testing.T) {
	t.Parallel()
	from := write(t, "bad.csv", []byte("input,expected_output\n\"Do I need to book ahead,E-bikes must be booked.\nDo I need to book ahead?,E-bikes must be booked by 18:00 the day before.\n"))
	out, _ := must(t, []int{exitShortfall}, "import", "--format", "deepeval", "--from", from, "--input", bikes, "--out", t.TempDir())
	if !strings.Contains(out, "imported 1 of 2\n") || !strings.Contains(out, "record 1 is refused (read, line 2): its quotation marks are broken") {
		t.Errorf("printed:\n%s", out)
	}
	from = write(t, "seven.jsonl", []byte(`{"user_input": 7, "reference": "E-bikes must be booked."}`+"\n"))
	out, _ = must(t, []int{exitUsage}, "import", "--format", "ragas", "--from", from, "--input", bikes, "--out", t.TempDir())
	if !strings.Contains(out, "record 1 is refused (read, line 1): user_input is a number, not a text") {
		t.Errorf("printed:\n%s", out)
	}
}
