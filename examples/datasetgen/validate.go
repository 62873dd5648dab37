package main

import (
	"flag"
	"fmt"
	"maps"
	"slices"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// validate checks the files of a run: every break is one line with file, id
// and rule.
func validate(t *terminal, args []string) error {
	var out, input string
	fs := flag.NewFlagSet("validate", flag.ContinueOnError)
	fs.StringVar(&out, "out", "", "the folder with the files (required)")
	fs.StringVar(&input, "input", "", "the document, to compare every quotation with it")
	if err := parse(t, fs, args); err != nil {
		return err
	}
	if out == "" {
		return usage("--out is missing: name the folder with the files")
	}
	var docs []*model.Document
	if input != "" {
		doc, err := readDocument(input)
		if err != nil {
			return err
		}
		docs = append(docs, doc)
	}
	saved, err := readRun(out)
	if err != nil {
		return err
	}
	dataset, cert := saved.dataset, saved.certificate

	found := violations(saved, docs)
	if name := renamed(saved.dataset, docs); name != "" {
		fmt.Fprintf(t.out, "note: the document is called %s here and %s in the files; every quotation stands in it\n", docs[0].Name, name)
		found = violations(saved, nil)
	}
	fmt.Fprintf(t.out, "use_cases.json: %d\npolicies.json: %d\ntest_cases.json: %d\ndataset.json: %d\n",
		len(dataset.UseCases), len(dataset.Policies), len(dataset.TestCases), len(dataset.Examples))
	fmt.Fprintf(t.out, "formats: %s\n", tally(dataset.Examples, func(e *model.Example) string { return string(e.Format) }))
	if s := tally(dataset.Examples, func(e *model.Example) string { return string(e.Metadata.Source) }); s != "" {
		fmt.Fprintf(t.out, "sources: %s\n", s)
	}
	for _, v := range found {
		fmt.Fprintln(t.out, printable(v.String()))
	}
	if len(found) > 0 {
		return &failure{exitShortfall, fmt.Errorf("violations: %d", len(found))}
	}
	if left := imported(cert); len(left) > 0 {
		fmt.Fprintf(t.out, "no item breaks the contract; the tests were imported, and %d gaps are left, with reasons in %s\n", len(left), model.FileCertificate)
		uncovered(t.out, dataset, cert)
		return nil
	}
	fmt.Fprintln(t.out, "the contract holds")
	return nil
}

// violations returns what breaks the contract in the files of a run.
func violations(saved *savedRun, docs []*model.Document) []model.Violation {
	d, m, cert := saved.dataset, saved.manifest, saved.certificate
	found := d.Violations(docs...)
	found = append(found, coverage.CheckIntegrity(d)...)
	add := func(f model.File, id, rule, format string, args ...any) {
		found = append(found, model.Violation{File: f, ID: id, Rule: rule, Message: fmt.Sprintf(format, args...)})
	}
	have := model.Counts{UseCases: len(d.UseCases), Policies: len(d.Policies), TestCases: len(d.TestCases), DatasetExamples: len(d.Examples)}
	if m.Counts != have {
		add(model.FileManifest, "", "counts", "it says %+v, the files have %+v", m.Counts, have)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if saved.files[model.File(name)] == nil {
			add(model.File(name), "", "missing", "the manifest lists it and it is not there")
		}
	}
	for _, f := range saved.changed() {
		add(f, "", "sha256", "the file was changed after the run: its SHA-256 is not the manifest's")
	}
	profile := model.SupportBot()
	if m.Case == model.CaseOperatorQuality {
		profile = model.OperatorQuality()
	}
	var planned []model.Source
	for _, up := range m.Plan {
		for _, row := range up.Rows {
			planned = append(planned, row.Source)
		}
	}
	in := &coverage.EnforceInput{Dataset: d, Profile: profile, Plan: m.Plan, Refused: m.Refused, Sources: planned}
	if len(planned) == 0 {
		in.Minimums.AllowMissingSources = true
	}
	if cert != nil {
		for _, diff := range coverage.Recheck(cert, d, m.Plan) {
			add(model.FileCertificate, "", "recount", "%s", diff)
		}
		for _, s := range cert.Shortfalls {
			add(model.FileCertificate, s.Where, "shortfall", "%s: %d of %d: %s", s.What, s.Have, s.Want, s.Why)
		}
		return found
	}
	if _, listed := m.Files[string(model.FileCertificate)]; listed {
		return found // without it nobody knows which gaps were excused
	}
	if _, short := coverage.Enforce(in); short != nil {
		for _, s := range short.Shortfalls {
			add(model.FileDataset, s.Where, "minimum", "%s: %d of %d: %s", s.What, s.Have, s.Want, s.Why)
		}
	}
	return found
}

// renamed returns the name that the files have for the document, if it is
// another and all that they quote stands in the document where they say; else "".
func renamed(d *model.Dataset, docs []*model.Document) string {
	if len(docs) != 1 {
		return ""
	}
	name := ""
	for _, ev := range quotations(d) {
		if name == "" {
			name = ev.InputFile
		}
		if ev.InputFile != name {
			return ""
		}
	}
	if name == "" || name == docs[0].Name {
		return ""
	}
	doc := *docs[0]
	doc.Name = name
	if len(d.Violations(&doc)) > len(d.Violations()) {
		return ""
	}
	return name
}

// quotations are all that use cases and policies quote.
func quotations(d *model.Dataset) []model.Evidence {
	var out []model.Evidence
	for i := range d.UseCases {
		out = append(out, d.UseCases[i].Evidence...)
	}
	for i := range d.Policies {
		out = append(out, d.Policies[i].Evidence...)
	}
	return out
}
