package main

import (
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/orchestrate"
)

// generatorNames are the names of the generators that come with casebook.
func generatorNames() []string {
	var names []string
	for _, g := range orchestrate.Builtin() {
		names = append(names, g.Spec().Name)
	}
	return names
}

// chooseGenerators returns the generators that a list names, in the order in
// which casebook offers them; nil, which stands for all, for an empty list. One
// that the run cannot use is refused: asking for it by name must not be in vain.
func chooseGenerators(list string, opts *orchestrate.Options) ([]generator.Generator, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	var wanted []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			wanted = append(wanted, name)
		}
	}
	known := generatorNames()
	for _, name := range wanted {
		if !slices.Contains(known, name) {
			return nil, usage("--generators: %q is unknown; the generators are %s", name, strings.Join(known, ", "))
		}
	}
	if len(wanted) == 0 {
		return nil, usage("--generators names none; the generators are %s", strings.Join(known, ", "))
	}
	var out []generator.Generator
	for _, g := range orchestrate.Builtin() {
		spec := g.Spec()
		if !slices.Contains(wanted, spec.Name) {
			continue
		}
		if spec.NeedsModel && opts.Client == nil {
			return nil, usage("--generators: %s needs a model, and the run has none; leave it out, or name a model", spec.Name)
		}
		out = append(out, g)
	}
	return out, nil
}
