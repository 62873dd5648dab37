package deepeval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Synthesizer is the method used by itself, outside of a run. It is safe for
// concurrent use. The same input, seed and replies give the same result,
// whatever the concurrency.
type Synthesizer struct {
	o       SynthesizerOptions
	opts    Options // settled
	limiter *llm.Limiter
}

// SynthesizerOptions are the options of a [Synthesizer]. Zero fields mean the
// defaults.
type SynthesizerOptions struct {
	Options
	// Client is the model; required. The synthesizer retries, limits and counts its calls
	// and falls back where a server cannot do what is asked, so that it should be
	// the bare client of a provider.
	Client llm.Client
	// Critic is the model that scores and checks; nil means Client.
	Critic llm.Client
	// Embedder finds passages that belong together; nil means the lexical one.
	Embedder llm.Embedder
	// Capabilities says what the server of Client can do; nil means everything.
	Capabilities *llm.Capabilities
	Retry        *llm.RetryOptions // nil means the defaults
	// Seed decides every draw; it goes to the model, too.
	Seed uint64
	// Language is what the goldens are written in: "en", "ru"; empty means the
	// language of their documents or contexts.
	Language string
	Log      *slog.Logger // nil is silent
}

// Ask says what is asked of a [Synthesizer]. Nil means all zero values.
type Ask struct {
	// Goldens is exactly how many to make; 0 means PerContext of every context.
	Goldens int
	// PerContext is how many to make of a context, or of a given golden; 0 means
	// 2. Where Goldens asks for more than the contexts give that way, they give
	// more.
	PerContext int
	// Scenarios makes conversational goldens, scenario and expected outcome, in
	// place of inputs and expected outputs. They have no turns.
	Scenarios bool
	// InputsOnly leaves the expected outputs or outcomes out.
	InputsOnly bool
}

// Result is what was made.
type Result struct {
	// Goldens stand in the order of their contexts or goldens.
	Goldens []Golden
	// Records are the same goldens with what the format has no place for.
	Records []generator.Record
	// Contexts are those that the goldens were made from.
	Contexts []Context
	// Failures are what was not made or read, each with its reason.
	Failures []Failure
	// Usage counts the calls and tokens of every stage, embeddings included.
	Usage *llm.Spending
}

// Failure is something that was asked for and not made.
type Failure struct {
	// Source is what it was to be made of: the name of a document or file,
	// "context 3", "golden 2", or empty.
	Source string
	Err    error
}

// NewSynthesizer returns a synthesizer. The error is a *[ConfigError].
func NewSynthesizer(o *SynthesizerOptions) (*Synthesizer, error) {
	if o == nil || o.Client == nil {
		return nil, &ConfigError{"Client", "there is no model", "give one"}
	}
	opts, err := o.settled()
	if err != nil {
		return nil, err
	}
	s := &Synthesizer{o: *o, opts: opts, limiter: llm.NewLimiter(&llm.LimitOptions{Concurrency: opts.Concurrency})}
	if s.o.Log == nil {
		s.o.Log = slog.New(slog.DiscardHandler)
	}
	return s, nil
}

// FromDocuments makes goldens of documents: it cuts them into contexts first,
// whose quality a model scores. A document without a good one is a failure of the
// result, a *[NoContextError]. For the rest see [Synthesizer.FromContexts].
func (s *Synthesizer) FromDocuments(ctx context.Context, docs []*model.Document, a *Ask) (*Result, error) {
	return s.fromDocuments(ctx, docs, nil, a)
}

// FromFiles is FromDocuments for Markdown and text files of a file system, by
// their names in it. A file that cannot be read is a failure of the result; the
// others are used.
func (s *Synthesizer) FromFiles(ctx context.Context, files fs.FS, names []string, a *Ask) (*Result, error) {
	if files == nil {
		return &Result{}, &ConfigError{"files", "there is no file system", "give one, for example os.DirFS(\".\")"}
	}
	var docs []*model.Document
	var failed []Failure
	for _, name := range names {
		b, err := fs.ReadFile(files, name)
		if err == nil {
			var doc *model.Document
			if doc, err = model.ParseMarkdown(name, b, nil); err == nil {
				docs = append(docs, doc)
				continue
			}
		}
		failed = append(failed, Failure{Source: name, Err: err})
	}
	return s.fromDocuments(ctx, docs, failed, a)
}

func (s *Synthesizer) fromDocuments(ctx context.Context, docs []*model.Document, failed []Failure, a *Ask) (*Result, error) {
	j, err := s.start(a)
	if err != nil {
		return &Result{Failures: failed}, err
	}
	if i := slices.Index(docs, nil); i >= 0 {
		return &Result{Failures: failed}, &ConfigError{"docs", fmt.Sprintf("number %d is nil", i+1), "leave it out"}
	}
	e := j.engine(s.language(docs, nil), true)
	o := &s.opts.Contexts
	lib, err := newLibrary(ctx, j.embedder, docs, o, s.o.Log)
	if err != nil {
		r, _ := j.result(nil, nil, nil, failed)
		return r, err
	}
	chunks := make([]int, len(docs))
	for i, d := range docs {
		chunks[i] = len(lib.of(d))
	}
	if s.opts.Evolution.Rounds > 0 && s.opts.Evolution.onlyMultiContext() && o.MaxFiles < 2 && (o.Passages < 2 || len(chunks) > 0 && slices.Max(chunks) < 2) {
		return &Result{Failures: failed}, onlyMulti("no document has a second chunk")
	}
	most := o.PerDocument
	var n int
	if j.ask.Goldens > 0 {
		n = (j.ask.Goldens + j.per - 1) / j.per
	} else {
		most = cmp.Or(most, 3)
		n = most * len(docs)
	}
	cs, errs := e.contexts(ctx, lib, share(n, chunks, most))
	var lost []error
	for i, err := range errs {
		if err != nil {
			failed = append(failed, Failure{Source: docs[i].Name, Err: err})
			lost = append(lost, err)
		}
	}
	if len(cs) == 0 {
		if len(docs) == 0 {
			lost = append(lost, &NoContextError{})
			for _, f := range failed {
				lost = append(lost, f.Err)
			}
		}
		r, _ := j.result(nil, nil, nil, failed)
		return r, errors.Join(lost...)
	}
	return j.make(ctx, e, cs, failed)
}

// FromContexts makes goldens of contexts: inputs, scored and mended by a critic
// that sees the context, made harder by evolutions, with expected outputs that
// are checked against the documents.
//
// The result is never nil and holds what was made. The error joins what did not
// come about: what documents, files and contexts failed with, and a *[ShortError]
// when goldens are missing, which says how many and why. Find them with errors.As.
// What cannot be used at all is a *[ConfigError], before any call.
func (s *Synthesizer) FromContexts(ctx context.Context, contexts []Context, a *Ask) (*Result, error) {
	j, err := s.start(a)
	if err != nil {
		return &Result{}, err
	}
	cs, failed := prepare(contexts)
	if len(cs) == 0 {
		err := error(&NoContextError{})
		for _, f := range failed {
			err = errors.Join(err, f.Err)
		}
		return &Result{Failures: failed}, err
	}
	if s.opts.Evolution.Rounds > 0 && s.opts.Evolution.onlyMultiContext() &&
		!slices.ContainsFunc(cs, func(c Context) bool { return len(c.Passages) > 1 }) {
		return &Result{Failures: failed}, onlyMulti("no context has a second passage")
	}
	return j.make(ctx, j.engine(s.language(nil, cs), true), cs, failed)
}

func onlyMulti(why string) error {
	return &ConfigError{"Evolution.Weights", "only Multi-context has a weight, and " + why, "give another evolution a weight, or set Rounds to -1"}
}

// prepare gives every passage an id and a document, so that expected outputs can
// be checked against it.
func prepare(contexts []Context) ([]Context, []Failure) {
	var out []Context
	var failed []Failure
	for i, c := range contexts {
		c.Passages = slices.DeleteFunc(slices.Clone(c.Passages), func(p Passage) bool { return strings.TrimSpace(p.Text) == "" })
		if len(c.Passages) == 0 {
			failed = append(failed, Failure{fmt.Sprintf("context %d", i+1), errors.New("it has no text")})
			continue
		}
		texts := map[string]string{}
		for k := range c.Passages {
			p := &c.Passages[k]
			if p.ID == "" {
				p.ID = fmt.Sprintf("context %d#%d", i+1, k+1)
			}
			if p.doc == nil {
				texts[p.File] += p.Text + "\n\n"
			}
		}
		for _, file := range slices.Sorted(maps.Keys(texts)) {
			doc, err := model.ParseMarkdown(cmp.Or(file, fmt.Sprintf("context %d", i+1)), []byte(texts[file]), nil)
			if err != nil {
				failed = append(failed, Failure{fmt.Sprintf("context %d", i+1), err})
				continue
			}
			for k := range c.Passages {
				if p := &c.Passages[k]; p.doc == nil && p.File == file {
					p.doc = doc
				}
			}
		}
		if !slices.ContainsFunc(c.Passages, func(p Passage) bool { return p.doc == nil }) {
			out = append(out, c)
		}
	}
	return out, failed
}

// language is the one asked for, else that of the documents or contexts.
func (s *Synthesizer) language(docs []*model.Document, cs []Context) string {
	if s.o.Language != "" {
		return s.o.Language
	}
	const enough = 20000
	var b strings.Builder
	for _, d := range docs {
		b.WriteString(d.Text() + "\n")
	}
	for _, c := range cs {
		for _, p := range c.Passages {
			if b.Len() < enough {
				b.WriteString(p.Text + "\n")
			}
		}
	}
	return lang.Detect(b.String())
}
