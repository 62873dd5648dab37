package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// folder is the folder that a run writes to.
type folder struct {
	path string
	made bool // by this run
}

// openOut makes sure that the folder exists and can be written to, before any
// work is paid for.
func openOut(path string) (*folder, error) {
	d := &folder{path: path}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := os.MkdirAll(path, 0o755); err != nil {
			return nil, usage("--out %s cannot be made: %v", path, reason(err))
		}
		d.made = true
	case err != nil:
		return nil, usage("--out %s cannot be used: %v", path, reason(err))
	case !info.IsDir():
		return nil, usage("--out %s is a file; name a folder", path)
	}
	probe, err := os.CreateTemp(path, ".probe-*")
	if err != nil {
		d.abandon()
		return nil, usage("--out %s cannot be written to: %v", path, reason(err))
	}
	name := probe.Name()
	if err := errors.Join(probe.Close(), os.Remove(name)); err != nil {
		return nil, usage("--out %s cannot be written to: %v", path, reason(err))
	}
	return d, nil
}

// abandon removes the folder again if this run made it and left it empty.
func (d *folder) abandon() {
	if d.made {
		_ = os.Remove(d.path) // fails when it is not empty, and then it should stay
	}
}

// writeRun writes all files of a run: as temporaries, synced, then renamed, the
// manifest last, with the SHA-256 of the others. What goes wrong before the
// first rename leaves the old files whole.
func writeRun(d *folder, res *orchestrate.Result) error {
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return fmt.Errorf("the files cannot be written: %w", err)
	}
	files, err := res.Dataset.Encode()
	if err != nil {
		return err
	}
	if res.Certificate != nil {
		if files[model.FileCertificate], err = model.Encode(model.FileCertificate, res.Certificate); err != nil {
			return err
		}
	}
	res.Manifest.Files = map[string]string{}
	for f, b := range files {
		sum := sha256.Sum256(b)
		res.Manifest.Files[string(f)] = hex.EncodeToString(sum[:])
	}
	if files[model.FileManifest], err = model.Encode(model.FileManifest, res.Manifest); err != nil {
		return err
	}
	order := []model.File{model.FileUseCases, model.FilePolicies, model.FileTestCases, model.FileDataset, model.FileCertificate, model.FileManifest}
	order = slices.DeleteFunc(order, func(f model.File) bool { return files[f] == nil })
	for _, f := range order {
		if info, err := os.Stat(filepath.Join(d.path, string(f))); err == nil && info.IsDir() {
			return fmt.Errorf("%s in %s is a folder; move it away, then run again: nothing was written", f, d.path)
		}
	}
	temps := map[model.File]string{}
	defer func() {
		for _, t := range temps {
			_ = os.Remove(t) // already renamed, or not needed any more
		}
	}()
	for _, f := range order {
		t, err := writeTemp(d.path, string(f), files[f])
		if t != "" {
			temps[f] = t
		}
		if err != nil {
			return fmt.Errorf("%s cannot be written; the old files are as they were: %w", f, err)
		}
	}
	for _, f := range order {
		if err := os.Rename(temps[f], filepath.Join(d.path, string(f))); err != nil {
			return fmt.Errorf("%s cannot be put in place; run again: %w", f, err)
		}
	}
	return nil
}

func writeTemp(dir, name string, b []byte) (path string, err error) {
	f, err := os.CreateTemp(dir, "."+name+"-*")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(b); err != nil {
		return f.Name(), err
	}
	if err := f.Chmod(0o644); err != nil {
		return f.Name(), err
	}
	return f.Name(), f.Sync()
}

// savedRun is what the folder of a run holds.
type savedRun struct {
	dataset     *model.Dataset
	manifest    *model.Manifest
	certificate *coverage.Certificate // nil without its file
	files       map[model.File][]byte
}

// readRun reads the files of a run; only the certificate may be missing.
func readRun(dir string) (*savedRun, error) {
	if info, err := os.Stat(dir); err != nil {
		return nil, usage("%s cannot be read: %v; name the folder of a run", dir, reason(err))
	} else if !info.IsDir() {
		return nil, usage("%s is a file; name the folder of a run", dir)
	}
	r := &savedRun{manifest: &model.Manifest{}, files: map[model.File][]byte{}}
	for _, f := range append(model.DataFiles(), model.FileManifest) {
		b, err := os.ReadFile(filepath.Join(dir, string(f)))
		if err != nil {
			return nil, usage("%s is missing in %s or cannot be read: %v", f, dir, reason(err))
		}
		r.files[f] = b
	}
	var err error
	if r.dataset, err = model.DecodeDataset(r.files); err != nil {
		return nil, usage("%w", err)
	}
	if err := model.Decode(model.FileManifest, r.files[model.FileManifest], r.manifest); err != nil {
		return nil, usage("%w", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, string(model.FileCertificate)))
	switch {
	case errors.Is(err, os.ErrNotExist):
		return r, nil
	case err != nil:
		return nil, usage("%s in %s cannot be read: %v", model.FileCertificate, dir, reason(err))
	}
	r.certificate, r.files[model.FileCertificate] = &coverage.Certificate{}, b
	if err := model.Decode(model.FileCertificate, b, r.certificate); err != nil {
		return nil, usage("%w", err)
	}
	return r, nil
}

// changed returns the files that are others than those that the run wrote.
func (r *savedRun) changed() []model.File {
	var out []model.File
	for _, name := range slices.Sorted(maps.Keys(r.manifest.Files)) {
		b := r.files[model.File(name)]
		sum := sha256.Sum256(b)
		if b != nil && hex.EncodeToString(sum[:]) != r.manifest.Files[name] {
			out = append(out, model.File(name))
		}
	}
	return out
}

// warn says that files were edited; what is done with them goes on.
func (r *savedRun) warn(t *terminal, dir string) {
	for _, f := range r.changed() {
		fmt.Fprintf(t.err, "note: %s in %s was changed after the run: its SHA-256 is not the manifest's; it is taken as it is now\n", f, dir)
	}
}

// readBase reads a dataset that is to be completed.
func readBase(t *terminal, dir string) (*orchestrate.Base, error) {
	r, err := readRun(dir)
	if err != nil {
		return nil, usage("--add-to: %w", err)
	}
	r.warn(t, dir)
	return &orchestrate.Base{Dataset: r.dataset, Manifest: r.manifest, Certificate: r.certificate}, nil
}

// target returns the file that a path stands for, through symbolic links, be it
// there or not.
func target(path string) (string, error) {
	const most = 40 // links, as the kernel follows them
	for range most {
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&os.ModeSymlink == 0 {
			return path, nil //nolint:nilerr // what is not there is no link
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", errors.New("too many symbolic links")
}

// replace writes files of any names, each whole or not at all. A symbolic link
// stays, and the file that it leads to is written.
func replace(paths []string, contents [][]byte) error {
	paths = slices.Clone(paths)
	for i, path := range paths {
		to, err := target(path)
		if err != nil {
			return usage("%s cannot be written: %v", path, reason(err))
		}
		paths[i] = to
	}
	var temps []string
	defer func() {
		for _, t := range temps {
			_ = os.Remove(t) // already renamed, or not needed any more
		}
	}()
	for i, path := range paths {
		t, err := writeTemp(filepath.Dir(path), filepath.Base(path), contents[i])
		if t != "" {
			temps = append(temps, t)
		}
		if err != nil {
			return usage("%s cannot be written: %v", path, reason(err))
		}
	}
	for i, path := range paths {
		if err := os.Rename(temps[i], path); err != nil {
			return usage("%s cannot be put in place: %v", path, reason(err))
		}
	}
	return nil
}

// removePartial removes what an interrupted run left, and nothing else that
// may have that name.
func removePartial(out string) error {
	partial := filepath.Join(out, ".partial")
	if _, err := os.Stat(filepath.Join(partial, string(model.FileManifest))); err == nil {
		return os.RemoveAll(partial)
	}
	return nil // there is none, or it is not ours
}
