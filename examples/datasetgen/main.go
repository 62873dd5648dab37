// Command datasetgen turns a Markdown document into an evaluation dataset, and
// checks datasets. It is an application of casebook: files, flags, environment
// and terminal are its own.
//
//	datasetgen generate --input DOC.md --out DIR [--add-to DIR] [flags]
//	datasetgen validate --out DIR [--input DOC.md]
//	datasetgen import --format FORMAT --from FILE --input DOC.md --out DIR [flags]
//	datasetgen export --format FORMAT --from DIR --to FILE
//	datasetgen setup-frameworks --dir DIR [--only deepeval,ragas,giskard]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"
)

// The exit codes.
const (
	exitDone        = 0
	exitShortfall   = 1   // a shortfall or a violation; files are written
	exitUsage       = 2   // nothing was written
	exitInterrupted = 130 // old files are whole, accepted work is under .partial
)

// failure is an error with its exit code.
type failure struct {
	code int
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

func usage(format string, args ...any) error {
	return &failure{exitUsage, fmt.Errorf(format, args...)}
}

// terminal is what the program reads and writes beside files.
type terminal struct {
	out, err io.Writer
	env      func(string) string
	// live says that err is a terminal on which a line can be written over.
	live bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), endings()...)
	info, err := os.Stderr.Stat()
	t := &terminal{out: os.Stdout, err: os.Stderr, env: os.Getenv, live: err == nil && info.Mode()&os.ModeCharDevice != 0}
	code := run(ctx, t, os.Args[1:])
	stop()
	os.Exit(code)
}

// endings are the signals that interrupt a run. A closed terminal is one of them
// unless the program was started to outlive it, as by nohup.
func endings() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

const help = `datasetgen turns a business document (Markdown) into an evaluation dataset.

  datasetgen generate --input DOC.md --out DIR [flags]    make a dataset
  datasetgen validate --out DIR [--input DOC.md]          check one
  datasetgen import --format FORMAT --from FILE --input DOC.md --out DIR [flags]
                                                          bring tests of another tool in
  datasetgen generate --input DOC.md --add-to DIR --out DIR
                                                          complete a dataset: what is there stays
  datasetgen export --format FORMAT --from DIR --to FILE  write one as another tool's file
  datasetgen setup-frameworks --dir DIR [--only NAMES]    install the real DeepEval, Ragas and Giskard
  datasetgen generate --frameworks DIR --engine python --input DOC.md --out DIR
                                                          ... and have them make the tests

FORMAT is deepeval, ragas or giskard. "datasetgen generate -h" lists the flags. Without a model it works offline; with
OPENAI_API_KEY (or OPENAI_BASE_URL) and OPENAI_MODEL, or the flags of the same
meaning, it uses the model.
Exit codes: 0 done; 1 shortfall or violation (files are written); 2 bad usage or
input, or the model cannot be used (nothing is written); 130 interrupted.
`

// run is the program without the process around it.
func run(ctx context.Context, t *terminal, args []string) int {
	if len(args) == 0 {
		fmt.Fprint(t.err, help)
		return exitUsage
	}
	var err error
	switch args[0] {
	case "generate":
		err = generate(ctx, t, args[1:])
	case "validate":
		err = validate(t, args[1:])
	case "import":
		err = importTests(ctx, t, args[1:])
	case "export":
		err = export(t, args[1:])
	case "setup-frameworks":
		err = setupFrameworks(ctx, t, args[1:], time.Now)
	case "help", "-h", "--help":
		fmt.Fprint(t.out, help)
		return exitDone
	default:
		err = usage("unknown command %q; the commands are generate, validate, import, export and setup-frameworks", args[0])
	}
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return exitDone
	}
	fmt.Fprintf(t.err, "datasetgen: %v\n", err)
	var f *failure
	if errors.As(err, &f) {
		return f.code
	}
	return exitUsage
}

// parse parses flags; what is wrong is one line, not the whole list.
func parse(t *terminal, fs *flag.FlagSet, args []string) error {
	fs.SetOutput(io.Discard)
	err := fs.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(t.out, "Flags of %s:\n", fs.Name())
		fs.SetOutput(t.out)
		fs.PrintDefaults()
		return err
	}
	if err != nil {
		return usage("%s; \"datasetgen %s -h\" lists the flags", plain(fs, err), fs.Name())
	}
	if fs.NArg() > 0 {
		return usage("unexpected argument %q; \"datasetgen %s -h\" lists the flags", fs.Arg(0), fs.Name())
	}
	return nil
}

var unparsed = regexp.MustCompile(`^invalid (?:boolean )?value "(?s:(.*))" for (?:flag )?-([a-z-]+): (?:parse error|value out of range)$`)

// plain says of a value that cannot be parsed what it should be.
func plain(fs *flag.FlagSet, err error) string {
	m := unparsed.FindStringSubmatch(err.Error())
	if m == nil || fs.Lookup(m[2]) == nil {
		return err.Error()
	}
	want := "a value of another kind"
	if g, ok := fs.Lookup(m[2]).Value.(flag.Getter); ok {
		switch g.Get().(type) {
		case int, int64:
			want = "a whole number"
		case float64:
			want = "a number"
		case time.Duration:
			want = "a duration such as 90s or 2m"
		case bool:
			want = "true or false"
		}
	}
	return fmt.Sprintf("invalid value %q for --%s: it takes %s", m[1], m[2], want)
}
