package main

import (
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
