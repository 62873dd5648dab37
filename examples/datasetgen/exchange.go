package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/deepeval"
	"github.com/casebook-go/casebook/adapters/giskard"
	"github.com/casebook-go/casebook/adapters/ragas"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// maxTests is the largest file of tests that is read.
const maxTests = 100 << 20

// formats are the names of the frameworks whose files can be read and written.
const formats = "deepeval, ragas, giskard"

// framework returns the framework of a name. path is the file to be written.
func framework(name, path string) (adapters.Framework, error) {
	switch name {
	case "":
		return nil, usage("--format is missing: name one of %s", formats)
	case "deepeval":
		return deepeval.New(deepeval.Options{Lines: strings.EqualFold(filepath.Ext(path), ".jsonl")}), nil
	case "ragas":
		return ragas.New(ragas.Options{}), nil
	case "giskard":
		return giskard.New(giskard.Options{}), nil
	}
	return nil, usage("--format %q is unknown; the formats are %s", name, formats)
}

// sidePath is where what a format has no place for stands.
func sidePath(path string) string { return path + ".casebook.jsonl" }

// importTests brings the tests of another tool into a folder of ours.
func importTests(ctx context.Context, t *terminal, args []string) error {
	s := &settings{now: time.Now}
	fs := flag.NewFlagSet("import", flag.ContinueOnError)
	fs.StringVar(&s.format, "format", "", "the tool that the tests are from: "+formats+" (required)")
	fs.StringVar(&s.from, "from", "", "the file with the tests: JSON, JSON lines or CSV, told by its content (required)")
	s.documentFlags(fs)
	s.modelFlags(fs)
	if err := parse(t, fs, args); err != nil {
		return err
	}
	s.given = map[string]bool{}
	fs.Visit(func(f *flag.Flag) { s.given[f.Name] = true })
	tool, err := framework(s.format, "")
	if err != nil {
		return err
	}
	if s.from == "" {
		return usage("--from is missing: name the file with the tests")
	}
	if err := s.check(); err != nil {
		return err
	}
	contents, err := readTests(t, tool, s.from)
	if err != nil {
		return err
	}
	replaces, err := imports(s.out)
	if err != nil {
		return err
	}
	doc, err := readDocument(s.input)
	if err != nil {
		return err
	}
	opts := s.options()
	rec, err := s.provide(t, opts)
	if err != nil {
		return err
	}
	show := newProgress(t, s.now)
	opts.OnEvent = show.event
	o, err := orchestrate.New(nil, opts)
	if err != nil {
		rec.abandon()
		return s.refused(err)
	}
	dir, err := openOut(s.out)
	if err != nil {
		rec.abandon()
		return err
	}
	res, err := o.Import(ctx, &orchestrate.ImportInput{Documents: []*model.Document{doc}, Framework: tool, Contents: contents})
	show.end()
	if ferr := rec.close(); ferr != nil && err == nil {
		err = &failure{exitUsage, ferr}
	}
	switch {
	case ctx.Err() != nil:
		dir.abandon()
		rec.abandon()
		return &failure{exitInterrupted, errors.New("interrupted; the files in --out are as they were")}
	case err != nil:
		dir.abandon()
		rec.abandon()
		return s.refused(err)
	}
	if res.Kept > 0 {
		if replaces > 0 {
			fmt.Fprintf(t.err, "note: %s held %d imported examples, which are replaced\n", s.out, replaces)
		}
		res.Manifest.InputPath, res.Manifest.OutPath = s.input, s.out
		if err := writeRun(dir, res.Result); err != nil {
			return &failure{exitUsage, err}
		}
	}
	fmt.Fprintf(t.out, "imported %d of %d\n", res.Kept, res.Records)
	lines := map[int]int{}
	for _, bad := range contents.Refused {
		lines[bad.Index] = bad.Line
	}
	for _, ref := range res.NotKept {
		where := ref.Check
		if n := lines[ref.Index]; n > 0 {
			where += fmt.Sprintf(", line %d", n)
		}
		fmt.Fprintf(t.out, "record %d is refused (%s): %s\n", ref.Index+1, where, printable(ref.Reason)) // people count from 1
	}
	if res.Kept == 0 {
		dir.abandon()
		rec.abandon()
		return &failure{exitUsage, errors.New("no record could be imported, so nothing was written; the reasons are above")}
	}
	summary(t.out, s.out, res.Result, nil)
	s.sayIdle(t)
	if n := len(res.Manifest.Findings); n > 0 {
		fmt.Fprintf(t.out, "findings: %s in the tests as they are, with reasons in %s\n", findings(res.Manifest.Findings), model.FileManifest)
	}
	uncovered(t.out, res.Dataset, res.Certificate)
	fmt.Fprintf(t.out, "\"datasetgen generate --input %s --add-to %s --out %s\" makes what is missing\n", s.input, s.out, s.out)
	if n := len(res.NotKept); n > 0 {
		return &failure{exitShortfall, fmt.Errorf("records refused: %d; the reasons are above and in %s", n, model.FileManifest)}
	}
	return nil
}

// imports returns how many examples of an earlier import a folder holds, which
// can be had again. A folder with a dataset that was generated, or with files
// that are none of a run, is refused.
func imports(out string) (int, error) {
	there := slices.ContainsFunc(append(model.DataFiles(), model.FileManifest), func(f model.File) bool {
		_, err := os.Lstat(filepath.Join(out, string(f)))
		return err == nil
	})
	if !there {
		return 0, nil
	}
	saved, err := readRun(out)
	if err != nil {
		return 0, usage("--out %s is not empty, and what is there is no whole dataset: %v; name another folder", out, err)
	}
	if saved.manifest.Stop != string(orchestrate.StopImported) {
		return 0, usage("--out %s holds a dataset of %d examples that was generated, and importing would replace it: name another folder, or remove its files", out, len(saved.dataset.Examples))
	}
	return len(saved.dataset.Examples), nil
}

// readTests reads a file of tests, and what casebook wrote beside it.
func readTests(t *terminal, tool adapters.Framework, path string) (*adapters.Contents, error) {
	b, err := readSmall("--from", path)
	if err != nil {
		return nil, err
	}
	contents, err := adapters.Read(tool, bytes.NewReader(b))
	if err != nil {
		return nil, usage("--from %s: %w%s", path, err, otherFormat(b))
	}
	if contents.Total() == 0 {
		return nil, usage("--from %s holds no tests; name a file with some", path)
	}
	sided, ok := tool.(adapters.Sided)
	if !ok {
		return contents, nil
	}
	side, err := os.ReadFile(sidePath(path))
	if errors.Is(err, os.ErrNotExist) {
		fmt.Fprintf(t.err, "note: there is no %s: the tests are taken for another tool's; if casebook exported them, put it back beside them\n", sidePath(path))
		return contents, nil
	}
	if err == nil {
		contents.Records, err = sided.JoinSide(contents.Records, bytes.NewReader(side))
	}
	if err != nil {
		return nil, usage("%s cannot be used: %v; move it away to import the tests without it", sidePath(path), reason(err))
	}
	joined := 0
	for _, rec := range contents.Records {
		if c, _, err := tool.Carried(rec); c != nil || err != nil {
			joined++
		}
	}
	if n := len(contents.Records); joined < n {
		fmt.Fprintf(t.err, "note: %s knows %d of %d records; the others are taken for another tool's\n", sidePath(path), joined, n)
	}
	return contents, nil
}

// otherFormat says with which --format a file can be read, "" for none.
func otherFormat(b []byte) string {
	for _, name := range strings.Split(formats, ", ") {
		tool, err := framework(name, "")
		if err != nil {
			continue
		}
		if c, err := adapters.Read(tool, bytes.NewReader(b)); err == nil && len(c.Records) > 0 {
			return "; use --format " + name
		}
	}
	return ""
}

// readSmall reads a whole file that may be any; every error says what to do.
func readSmall(name, path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, usage("%s %s does not exist; check the path", name, path)
	case err != nil:
		return nil, usage("%s %s cannot be read: %v", name, path, reason(err))
	case info.IsDir():
		return nil, usage("%s %s is a folder; name a file in it", name, path)
	case info.Size() > maxTests:
		return nil, usage("%s %s is %.1f MiB; the limit is %d MiB, split the file", name, path, float64(info.Size())/(1<<20), maxTests>>20)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, usage("%s %s cannot be read: %v", name, path, reason(err))
	}
	return b, nil
}

// export writes the dataset of a folder as another tool's file.
func export(t *terminal, args []string) error {
	var format, from, to string
	fs := flag.NewFlagSet("export", flag.ContinueOnError)
	fs.StringVar(&format, "format", "", "the tool to write for: "+formats+" (required)")
	fs.StringVar(&from, "from", "", "the folder with the files of a run (required)")
	fs.StringVar(&to, "to", "", "the file to write; for deepeval .jsonl means JSON lines, anything else a JSON list (required)")
	if err := parse(t, fs, args); err != nil {
		return err
	}
	tool, err := framework(format, to)
	switch {
	case err != nil:
		return err
	case from == "":
		return usage("--from is missing: name the folder with the files of a run")
	case to == "":
		return usage("--to is missing: name the file to write")
	}
	saved, err := readRun(from)
	if err != nil {
		return usage("--from: %w", err)
	}
	if broken := coverage.CheckIntegrity(saved.dataset); len(broken) > 0 {
		return usage("--from %s cannot be exported: %v; \"datasetgen validate\" lists all that is wrong", from, broken[0])
	}
	saved.warn(t, from)
	plain, err := writable(tool, to)
	if err != nil {
		return err
	}
	records, err := tool.FromDataset(saved.dataset)
	if err != nil {
		return usage("--from %s cannot be written as %s: %w", from, format, err)
	}
	var main bytes.Buffer
	if err := tool.Encode(&main, records); err != nil {
		return usage("--from %s cannot be written as %s: %w", from, format, err)
	}
	if !plain {
		f, err := os.OpenFile(to, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.Write(main.Bytes())
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			return usage("--to %s cannot be written: %v", to, reason(err))
		}
		fmt.Fprintf(t.err, "%s: %d examples\n", to, len(records)) // what to is may be standard output
		return nil
	}
	paths, contents := []string{to}, [][]byte{main.Bytes()}
	if sided, ok := tool.(adapters.Sided); ok {
		var side bytes.Buffer
		if err := sided.EncodeSide(&side, records); err != nil {
			return usage("--from %s cannot be written as %s: %w", from, format, err)
		}
		// The side file first: without it the tests would be foreign ones.
		paths, contents = []string{sidePath(to), to}, [][]byte{side.Bytes(), main.Bytes()}
	}
	if err := replace(paths, contents); err != nil {
		return err
	}
	fmt.Fprintf(t.out, "%s: %d examples\n", to, len(records))
	if len(paths) > 1 {
		fmt.Fprintf(t.out, "%s: what %s has no place for; keep it beside the file\n", paths[0], format)
	}
	return nil
}

// writable refuses to write over a folder, and over a file that holds something
// else than tests of the format, or beside them something else than what the
// format has no place for. A device or a pipe, which is not plain, is written to
// as it is.
func writable(tool adapters.Framework, path string) (plain bool, err error) {
	sided, beside := tool.(adapters.Sided)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		to, err := target(path)
		if err != nil {
			return false, usage("--to %s cannot be used: %v", path, reason(err))
		}
		parent, err := os.Stat(filepath.Dir(to))
		if err != nil || !parent.IsDir() {
			return false, usage("--to %s: there is no folder %s; make it first", path, filepath.Dir(to))
		}
	case err != nil:
		return false, usage("--to %s cannot be used: %v", path, reason(err))
	case info.IsDir():
		return false, usage("--to %s is a folder; name a file in it", path)
	case !info.Mode().IsRegular() && beside:
		return false, usage("--to %s is a device or a pipe, and this format needs a second file beside the tests; name a file", path)
	case !info.Mode().IsRegular():
		return false, nil
	default:
		if err := overwritable("--to", path, func(b []byte) error { _, err := adapters.Read(tool, bytes.NewReader(b)); return err }); err != nil {
			return false, err
		}
	}
	if !beside {
		return true, nil
	}
	side := sidePath(path)
	info, err = os.Stat(side)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return true, nil
	case err != nil:
		return false, usage("%s, the second file of --to, cannot be used: %v", side, reason(err))
	case !info.Mode().IsRegular():
		return false, usage("%s, the second file of --to, is there and is no file; name another --to, or move it away", side)
	}
	return true, overwritable("the second file of --to,", side, func(b []byte) error { _, err := sided.JoinSide(nil, bytes.NewReader(b)); return err })
}

// overwritable refuses a file that is not empty and that read cannot read.
func overwritable(name, path string, read func([]byte) error) error {
	b, err := readSmall(name, path)
	if err != nil {
		return err
	}
	if len(b) > 0 && read(b) != nil {
		return usage("%s %s exists and holds something else; name another file, or remove it", name, path)
	}
	return nil
}

// imported returns the gaps that are left because tests were brought in.
func imported(c *coverage.Certificate) []coverage.Gap {
	if c == nil {
		return nil
	}
	var out []coverage.Gap
	for _, g := range c.Gaps {
		if g.Limit == coverage.LimitImport {
			out = append(out, g)
		}
	}
	return out
}

// uncovered lists the use cases and policies that imported tests leave open.
func uncovered(w io.Writer, d *model.Dataset, c *coverage.Certificate) {
	names := map[string]string{}
	for i := range d.UseCases {
		names[d.UseCases[i].ID] = d.UseCases[i].Name
	}
	for i := range d.Policies {
		names[d.Policies[i].ID] = d.Policies[i].Statement
	}
	var useCases, policies []string
	var halves []string
	plain := map[string]bool{}
	for _, g := range imported(c) {
		id, role, _ := strings.Cut(g.Target, "/")
		switch {
		case g.Kind == coverage.TargetUseCase:
			useCases = append(useCases, fmt.Sprintf("%s: %s", id, g.Because))
		case g.Kind == coverage.TargetPolicy && role == string(model.Plain):
			plain[id] = true
			policies = append(policies, fmt.Sprintf("%s: no test (%s)", id, names[id]))
		case g.Kind == coverage.TargetPolicy && !plain[id]:
			halves = append(halves, fmt.Sprintf("%s: no test that pushes against it (%s)", id, names[id]))
		}
	}
	list(w, "use cases without enough tests", useCases)
	list(w, "policies without a test", policies)
	list(w, "policies that no test presses", halves)
}

func list(w io.Writer, title string, lines []string) {
	const most = 12
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(w, "%s: %d\n", title, len(lines))
	for i, line := range lines {
		if i == most {
			fmt.Fprintf(w, "  ... and %d more in certificate.json\n", len(lines)-most)
			return
		}
		fmt.Fprintf(w, "  %s\n", printable(line))
	}
}

// findings counts findings by check.
func findings(fs []model.Finding) string {
	n := make([]model.Example, len(fs)) // tally counts examples
	for i, f := range fs {
		n[i].ID = f.Check
	}
	return tally(n, func(e *model.Example) string { return e.ID })
}
