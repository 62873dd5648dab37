package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/python"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// frameworkNames are the generators that a framework itself can stand behind.
func frameworkNames() []string { return []string{python.DeepEval, python.Ragas, python.Giskard} }

// setupSettings are the flags of setup-frameworks.
type setupSettings struct{ dir, only, interpreter, uv, index string }

func setupFlags(s *setupSettings) *flag.FlagSet {
	fs := flag.NewFlagSet("setup-frameworks", flag.ContinueOnError)
	fs.StringVar(&s.dir, "dir", "", "the folder for the environments (required); generate --frameworks names it again")
	fs.StringVar(&s.only, "only", "", "the frameworks, with commas between: "+strings.Join(frameworkNames(), ",")+" (default: all)")
	fs.StringVar(&s.interpreter, "interpreter", "", "the Python 3.11 to make them with (default: python3.11, then python3)")
	fs.StringVar(&s.uv, "uv", "", "the program uv; - for pip (default: uv if it is there, else pip)")
	fs.StringVar(&s.index, "index", "", "address of the package index (default: as uv or pip is configured)")
	return fs
}

// setupFrameworks makes the environments in which the real frameworks run.
func setupFrameworks(ctx context.Context, t *terminal, args []string, now func() time.Time) error {
	var s setupSettings
	fs := setupFlags(&s)
	if err := parse(t, fs, args); err != nil {
		return err
	}
	if s.dir == "" {
		return usage("--dir is missing: name the folder for the environments")
	}
	var only []string
	given := false
	fs.Visit(func(f *flag.Flag) { given = given || f.Name == "only" })
	if given {
		var err error
		if only, err = listed("only", s.only, frameworkNames()); err != nil {
			return err
		}
	}
	started := now()
	report, err := python.Setup(ctx, &python.SetupOptions{
		Dir: s.dir, Only: only, Interpreter: s.interpreter, UV: s.uv, Index: s.index, Env: installerEnv(t.env),
		Announce: func(p *python.Plan) error { return announce(t.out, p) },
		OnStep: func(step python.Step) {
			fmt.Fprintf(t.err, "%s: %s (%s)\n", step.Framework, step.Text, now().Sub(started).Round(time.Second))
		},
	})
	if report != nil {
		for _, e := range report.Environments {
			state := "there already"
			if e.Made {
				state = "made"
			}
			fmt.Fprintf(t.out, "%s %s: %s, Python %s, %d packages, %s, %s\n", e.Framework, e.Version, state, e.Python, e.Packages, megabytes(e.Bytes), printable(e.Dir))
		}
	}
	var option *python.OptionError
	var interpreter *python.InterpreterError
	var step *python.SetupError
	switch {
	case err == nil:
		fmt.Fprintf(t.out, "in all %s, after %s\n", megabytes(report.Bytes), now().Sub(started).Round(time.Second))
		fmt.Fprintf(t.out, "to use them: datasetgen generate --frameworks %s --engine python\n", shellWord(s.dir))
		return nil
	case ctx.Err() != nil:
		return &failure{exitInterrupted, errors.New("interrupted; what was half made is made anew the next time")}
	case errors.As(err, &option) && setupFlagOf[option.Option] != "":
		return usage("--%s: %s; %s", setupFlagOf[option.Option], option.Reason, option.Remedy)
	case errors.As(err, &interpreter):
		return usage("--interpreter: %w", err)
	case errors.As(err, &step) && len(step.Command) > 0:
		return usage("%w\nthe index is found by --index or the settings of uv and pip; proxies and certificates by HTTPS_PROXY, SSL_CERT_FILE and the like", err)
	}
	return usage("%w", err)
}

// setupFlagOf names the flag that gives an option of the set-up.
var setupFlagOf = map[string]string{"Dir": "dir", "Only": "only", "Interpreter": "interpreter", "UV": "uv", "Index": "index"}

// announce says what will be installed, where, and how large it is.
func announce(w io.Writer, p *python.Plan) error {
	fmt.Fprintf(w, "environments in %s:\n", printable(p.Dir))
	for _, e := range p.Environments {
		if e.Present {
			fmt.Fprintf(w, "  %s %s: there already, %s\n", e.Framework, e.Version, megabytes(e.Bytes))
			continue
		}
		fmt.Fprintf(w, "  %s %s: %d packages, about %s\n", e.Framework, e.Version, e.Packages, megabytes(e.Bytes))
	}
	if p.Installer != "" {
		fmt.Fprintf(w, "to install: about %s, by %s with Python %s\n", megabytes(p.Bytes), p.Installer, p.Python)
	}
	return nil
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.0f MB", float64(bytes)/1e6) }

// installerSettings are what uv and pip may have of the environment: how they
// reach an index, and where they keep their settings and caches.
var installerSettings = []string{
	"PATH", "HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "NETRC",
	"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
	"SSL_CERT_FILE", "SSL_CERT_DIR", "SSL_CLIENT_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
	"PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX", "PIP_FIND_LINKS", "PIP_TRUSTED_HOST", "PIP_PROXY",
	"PIP_CERT", "PIP_CLIENT_CERT", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES", "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "PIP_KEYRING_PROVIDER",
	"UV_CONFIG_FILE", "UV_NO_CONFIG", "UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_NO_INDEX", "UV_FIND_LINKS", "UV_INDEX_STRATEGY",
	"UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_OFFLINE", "UV_CACHE_DIR", "UV_NO_CACHE",
	"UV_LINK_MODE", "UV_CONCURRENT_DOWNLOADS", "UV_KEYRING_PROVIDER",
}

func installerEnv(env func(string) string) []string {
	var out []string
	for _, name := range installerSettings {
		if value := env(name); value != "" {
			out = append(out, name+"="+value)
		}
	}
	return out
}

// listed reads a list of names with commas between.
func listed(flag, list string, known []string) ([]string, error) {
	var out []string
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
		case !slices.Contains(known, name):
			return nil, usage("--%s: %q is unknown; use %s", flag, name, strings.Join(known, ", "))
		case slices.Contains(out, name):
			return nil, usage("--%s names %s twice", flag, name)
		default:
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, usage("--%s names none; use %s", flag, strings.Join(known, ", "))
	}
	return out, nil
}

// The engines of --engine.
const (
	engineGo     = "go"
	enginePython = "python"
)

// readEngines reads --engine: one engine for all that have two, or
// "name=engine" with commas between. Names are those that it says something of.
func readEngines(spec string) (map[string]string, error) {
	engines := map[string]string{}
	if e := strings.TrimSpace(spec); e == engineGo || e == enginePython {
		for _, name := range frameworkNames() {
			engines[name] = e
		}
		return engines, nil
	}
	for part := range strings.SplitSeq(spec, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		name, engine, ok := strings.Cut(part, "=")
		name, engine = strings.TrimSpace(name), strings.TrimSpace(engine)
		switch {
		case !ok:
			return nil, usage("--engine: %q is no engine; use python, go, or a list such as deepeval=python,ragas=go", name)
		case !slices.Contains(frameworkNames(), name):
			return nil, usage("--engine: %q has no engine to choose; use %s", name, strings.Join(frameworkNames(), ", "))
		case engine != engineGo && engine != enginePython:
			return nil, usage("--engine: %q of %s is unknown; use python or go", engine, name)
		case engines[name] != "":
			return nil, usage("--engine names %s twice", name)
		}
		engines[name] = engine
	}
	if len(engines) == 0 {
		return nil, usage("--engine is empty: use python, go, or a list such as deepeval=python,ragas=go")
	}
	return engines, nil
}

// checkEngines refuses flags of engines that cannot be meant.
func (s *settings) checkEngines() error {
	if s.given["engine-fallback"] && s.engineFallback != engineGo {
		return usage("--engine-fallback %q is unknown: the only one is go", s.engineFallback)
	}
	if s.given["frameworks"] && s.frameworks == "" {
		return usage("--frameworks is empty: name the folder that setup-frameworks was given")
	}
	wantsPython := false
	if s.given["engine"] {
		engines, err := readEngines(s.engine)
		if err != nil {
			return err
		}
		for _, e := range engines {
			wantsPython = wantsPython || e == enginePython
		}
	}
	switch {
	case wantsPython && s.frameworks == "":
		return usage("--engine python needs --frameworks: name the folder that \"datasetgen setup-frameworks --dir DIR\" filled")
	case !wantsPython && s.frameworks != "":
		return usage("--frameworks does nothing without an engine that uses it: add --engine python")
	case !wantsPython && s.engineFallback != "":
		return usage("--engine-fallback does nothing without --engine python")
	}
	return nil
}

// engine is a Python engine of a run and the Go engine whose place it takes.
type engine struct {
	*python.Engine
	native generator.Generator
}

// engines are the Python engines of a run.
type engines []engine

// names lists them for a reader.
func (es engines) names() string {
	var names []string
	for _, e := range es {
		names = append(names, e.Spec().Name)
	}
	return strings.Join(names, ", ")
}

// close stops their processes.
func (es engines) close(t *terminal) {
	for _, e := range es {
		if err := e.Close(); err != nil {
			fmt.Fprintf(t.err, "note: %s\n", printable(err.Error()))
		}
	}
}

// longestCall is more than any call to a model takes.
const longestCall = 24 * time.Hour

// withEngines puts the frameworks themselves in the place of the generators that
// --engine names. What they need is looked at now, so that a run does not find
// out in its middle. The engines returned are to be started, and to be closed.
func (s *settings) withEngines(t *terminal, gens []generator.Generator, opts *orchestrate.Options) ([]generator.Generator, engines, error) {
	if s.engine == "" {
		return gens, nil, nil
	}
	chosen, err := readEngines(s.engine)
	if err != nil {
		return nil, nil, err
	}
	if gens == nil {
		gens = orchestrate.Builtin()
	}
	gens = slices.Clone(gens)
	each := strings.Contains(s.engine, "=")
	if !each && chosen[python.DeepEval] == enginePython && !slices.ContainsFunc(gens, func(g generator.Generator) bool { return chosen[g.Spec().Name] != "" }) {
		return nil, nil, usage("--engine python does nothing: none of --generators has an engine to choose; add %s, or leave --engine out", strings.Join(frameworkNames(), ", "))
	}
	var made engines
	var missing []*python.EnvironmentError
	for _, name := range frameworkNames() {
		i := slices.IndexFunc(gens, func(g generator.Generator) bool { return g.Spec().Name == name })
		switch {
		case i < 0 && each && chosen[name] != "":
			made.close(t)
			return nil, nil, usage("--engine names %s, which --generators leaves out", name)
		case i < 0 || chosen[name] != enginePython:
			continue
		case opts.Client == nil:
			made.close(t)
			return nil, nil, usage("--engine: %s in Python needs a model, and the run has none; name a model, or leave --engine out", name)
		}
		e, err := python.New(python.Options{
			Framework: name, Dir: s.frameworks, CallTimeout: s.callTimeout,
			Timeout: 15 * min(max(s.callTimeout, orchestrate.DefaultCallTimeout), longestCall),
		})
		var environment *python.EnvironmentError
		switch {
		case err == nil:
			made = append(made, engine{e, gens[i]})
			gens[i] = e
		case errors.As(err, &environment):
			missing = append(missing, environment)
		default:
			made.close(t)
			return nil, nil, usage("--engine: %w", err)
		}
	}
	if len(missing) == 0 {
		return gens, made, nil
	}
	var names, reasons []string
	for _, e := range missing {
		names = append(names, e.Framework)
		reasons = append(reasons, fmt.Sprintf("%s: %s", e.Framework, e.Reason))
	}
	command := s.setupCommand(names)
	if s.engineFallback == "" {
		made.close(t)
		if len(missing) == 1 {
			missing[0].Command = command
			return nil, nil, usage("--engine: %w", missing[0])
		}
		return nil, nil, usage("--engine: environments in %s do not fit (%s); run: %s", s.frameworks, strings.Join(reasons, "; "), command)
	}
	for _, e := range missing {
		e.Command = command
		warnFallback(t, e.Framework, e.Error())
	}
	return gens, made, nil
}

func (s *settings) setupCommand(names []string) string {
	return fmt.Sprintf("datasetgen setup-frameworks --dir %s --only %s", shellWord(s.frameworks), strings.Join(names, ","))
}

func warnFallback(t *terminal, name, why string) {
	fmt.Fprintf(t.err, "warning: %s is made by its Go engine, as --engine-fallback says: %s\n", name, printable(why))
}

// start waits until the frameworks are imported, all at once, so that one that
// cannot be is known before anything is paid for. With --engine-fallback its
// place among the generators is given back to the Go engine; the engines
// returned are those that run.
func (s *settings) start(ctx context.Context, t *terminal, gens []generator.Generator, es engines) (engines, error) {
	failures := make([]error, len(es))
	var starting sync.WaitGroup
	for i, e := range es {
		starting.Go(func() { failures[i] = e.Start(ctx) })
	}
	starting.Wait()
	if ctx.Err() != nil {
		return nil, errInterrupted
	}
	var running engines
	var names, broken, reasons, remedies []string
	for i, e := range es {
		name := e.Spec().Name
		if failures[i] == nil {
			running = append(running, e)
			continue
		}
		reason, remedy := s.notStarted(failures[i])
		if s.engineFallback != "" {
			warnFallback(t, name, fmt.Sprintf("it does not start: %s; %s", reason, cmp.Or(remedy, "run: "+s.setupCommand([]string{name}))))
			gens[slices.IndexFunc(gens, func(g generator.Generator) bool { return g.Spec().Name == name })] = e.native
			continue
		}
		names, reasons = append(names, name), append(reasons, reason)
		switch {
		case remedy == "":
			broken = append(broken, name)
		case !slices.Contains(remedies, remedy):
			remedies = append(remedies, remedy)
		}
	}
	if len(names) == 0 {
		return running, nil
	}
	if len(broken) > 0 {
		remedies = append(remedies, "run: "+s.setupCommand(broken))
	}
	var what string
	if len(names) == 1 {
		what = names[0] + " does not start: " + reasons[0]
	} else {
		for i, name := range names {
			reasons[i] = name + ": " + reasons[i]
		}
		what = "frameworks do not start (" + strings.Join(reasons, "; ") + ")"
	}
	return nil, usage("--engine: %s; %s", printable(what), strings.Join(remedies, "; "))
}

// notStarted says why a framework does not start and what helps; "" where its
// environment is to be made anew.
func (s *settings) notStarted(err error) (reason, remedy string) {
	var e *python.WorkerError
	if !errors.As(err, &e) {
		return plainReason(err), ""
	}
	var raised *python.TaskError
	switch {
	case errors.As(e.Err, &raised):
		reason = raised.Type + ": " + raised.Message
	case e.Err != nil:
		reason = e.Err.Error()
	case e.Signal != "":
		reason = "it was ended by a signal, " + e.Signal
	default:
		reason = fmt.Sprintf("it ended with status %d", e.Exit)
	}
	said := strings.TrimSpace(e.Stderr)
	if last := strings.TrimSpace(said[strings.LastIndexByte(said, '\n')+1:]); raised == nil && last != "" {
		reason += " (its last words: " + clipped(last) + ")"
	}
	var path *fs.PathError
	switch e.Kind {
	case python.KindUnsupported:
		return "frameworks run on Linux and macOS only", "leave --engine out"
	case python.KindTimeout:
		return reason, "try again when the machine is less busy, or with fewer frameworks at once"
	case python.KindKilled, python.KindMemory:
		return reason, "if nobody stopped it, there was too little memory: name fewer frameworks by --engine, such as ragas=python"
	case python.KindStart:
		if dir, err := filepath.Abs(s.frameworks); err == nil && errors.As(e.Err, &path) && !strings.HasPrefix(path.Path, filepath.Join(dir, e.Framework)+string(filepath.Separator)) {
			return reason, "see to the folder for temporary files, which TMPDIR names"
		}
	}
	return reason, ""
}

// sayEngines says which generators were the frameworks themselves.
func sayEngines(w io.Writer, m *model.Manifest) {
	var parts []string
	for _, g := range m.Generators {
		if g.Engine == enginePython {
			parts = append(parts, fmt.Sprintf("%s %s %d", g.Name, g.Version, g.Items))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(w, "of these by the framework itself: %s\n", printable(strings.Join(parts, ", ")))
	}
}

// sayFailures says of each framework of which calls failed, or which made nothing
// of what it was given, how often and mostly why.
func sayFailures(w io.Writer, es engines, res *orchestrate.Result) {
	for _, e := range es {
		name := e.Spec().Name
		calls, made := 0, 0
		var failed, refused []string
		for i := range res.Outcomes {
			o := &res.Outcomes[i]
			if o.Generator != name || len(o.Rows) == 0 {
				continue
			}
			calls++
			made += o.Kept
			if o.Err != nil {
				failed = append(failed, plainReason(o.Err))
			}
		}
		for _, r := range res.Refused {
			if r.Generator == name {
				refused = append(refused, plainWords(r.Reason))
			}
		}
		switch {
		case calls > 0 && made == 0:
			fmt.Fprintf(w, "note: %s (python) made nothing: %s\n", name, reasonOf(append(failed, refused...)))
		case len(failed) > 0:
			fmt.Fprintf(w, "note: %d of %d calls of %s (python) failed: %s\n", len(failed), calls, name, reasonOf(failed))
		}
	}
}

// flagged has the names of this program for those of the library.
var flagged = strings.NewReplacer("Options.CallTimeout", "--call-timeout", "python.Setup", "setup-frameworks")

// plainReason is an error of a framework in words for the user of this program.
func plainReason(err error) string {
	if errors.Is(err, generator.ErrTimeout) {
		return "the model was too slow; give it longer with --call-timeout"
	}
	return plainWords(err.Error())
}

func plainWords(reason string) string { return flagged.Replace(strings.TrimPrefix(reason, "python: ")) }

// reasonOf is the most frequent of the reasons, the first of several such, as
// one line.
func reasonOf(reasons []string) string {
	if len(reasons) == 0 {
		return "no reason is known"
	}
	times := map[string]int{}
	most := reasons[0]
	for _, r := range reasons {
		times[r]++
	}
	for _, r := range reasons {
		if times[r] > times[most] {
			most = r
		}
	}
	return printable(clipped(most))
}

// clipped cuts a text that is too long for a line.
func clipped(s string) string {
	const longest = 400
	if r := []rune(s); len(r) > longest {
		return string(r[:longest]) + "..."
	}
	return s
}

// shellWord is a word as a shell reads it back.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+,:@%", r) || r > 0x7f
	}
	if s != "" && strings.TrimLeftFunc(s, plain) == "" {
		return printable(s)
	}
	return "'" + strings.ReplaceAll(printable(s), "'", `'\''`) + "'"
}
