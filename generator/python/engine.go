package python

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// chunkTokens is the size of passages: those of the Go engines in a run.
const chunkTokens = 256

// mostPassages is how many passages a row is about at most.
const mostPassages = 3

// losses is how often a task may lose its worker before it is given up.
const losses = 2

// hopeless is how many workers, beside two for each that may run at once, may be
// lost in a row in one run before its other tasks are given up.
const hopeless = 4

// useless is how many replies of the model may be unfit in a row in one run, or
// fail, before the frameworks are given up.
const useless = 8

// modelHealth is what the calls of one run, of all frameworks, know of the
// model's replies to them.
type modelHealth struct {
	mu      sync.Mutex
	unfit   int // replies, in a row
	useless *UselessModelError
}

// replied takes notice of a reply, or of why there is none that can be used. The
// error is that of a model that is given up.
func (h *modelHealth) replied(framework string, unfit error) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if unfit == nil {
		h.unfit = 0
		return nil
	}
	if h.unfit++; h.unfit < useless {
		return nil
	}
	if h.useless == nil {
		h.useless = &UselessModelError{framework, h.unfit, unfit.Error()}
	}
	return h.useless
}

// doubtful reports whether no reply is asked for again.
func (h *modelHealth) doubtful() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.unfit >= useless/2
}

// gone returns the error with which the model was given up.
func (h *modelHealth) gone() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.useless == nil {
		return nil
	}
	return h.useless
}

// health is what the calls of one run know of the workers of their framework.
type health struct {
	mu   sync.Mutex
	lost int // in a row
	last *WorkerError
}

// told takes notice of a job: of the worker that it lost, if err is one, and
// whether a task ended.
func (h *health) told(err error, ended bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ended {
		h.lost = 0
	}
	var lost *WorkerError
	if errors.As(err, &lost) {
		h.lost++
		h.last = lost
	}
}

// gone returns the error of the last worker when so many were lost in a row.
func (h *health) gone(most int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost < most {
		return nil
	}
	return h.last
}

// wrap returns the generator that takes over the tool of the Go engine, whose
// parameters are a P.
func wrap[P any](e *Engine, m method, paths func(P) []string) (generator.Generator, error) {
	native, err := m.generator()
	if err != nil {
		return nil, err
	}
	spec := native.Spec()
	p, ok := spec.Params.(*P)
	if !ok {
		return nil, fmt.Errorf("python: the parameters of %s are a %T", spec.Name, spec.Params)
	}
	spec.Params = nil
	spec.OwnInputs = true
	spec.Timeout = e.o.Timeout
	e.method = m
	return generator.New(spec, *p, func(ctx context.Context, call *generator.Call, p P) (*generator.Output, error) {
		return e.generate(ctx, call, paths(p), p)
	})
}

// work is one call.
type work struct {
	*Engine
	call     *generator.Call
	params   any // of the tool: deepeval.Params, ...
	docs     []*model.Document
	passages *passages
	slots    []*slot
	health   *health
	model    *modelHealth
	shared   json.RawMessage
	held     any // what the method's prepare keeps of the call; nil in a repair call
	try      int
}

func (e *Engine) generate(ctx context.Context, call *generator.Call, paths []string, params any) (*generator.Output, error) {
	if call.Model == nil {
		return nil, &OptionError{"Call.Model", "there is no model", "give the call one"}
	}
	docs, err := brief.Documents(call, paths)
	if err != nil {
		return nil, err
	}
	patient := *call
	patient.Model = timed{call.Model, e.o.CallTimeout}
	call = &patient
	w := &work{Engine: e, call: call, params: params, docs: docs}
	if w.passages, err = generator.Once(ctx, call.Memo, memoKey("passages", docs), func(context.Context) (*passages, error) {
		return cut(docs, chunkTokens), nil
	}); err != nil {
		return nil, err
	}
	if w.health, err = generator.Once(ctx, call.Memo, "python health "+e.env.Framework, func(context.Context) (*health, error) { return &health{}, nil }); err != nil {
		return nil, err
	}
	if w.model, err = generator.Once(ctx, call.Memo, "python model", func(context.Context) (*modelHealth, error) { return &modelHealth{}, nil }); err != nil {
		return nil, err
	}
	if len(w.passages.all) == 0 {
		return nil, ErrNoText
	}
	if err := w.cast(ctx); err != nil {
		return nil, err
	}
	if call.Repairs != nil {
		w.mend(ctx)
		return w.output(ctx, nil)
	}
	return w.output(ctx, w.fill(ctx))
}

// timed is a client whose calls end in time: a generator's own limit is for all of
// its calls.
type timed struct {
	llm.Client
	within time.Duration
}

// Model is the name of the client's model.
func (t timed) Model() string { return llm.ModelOf(t.Client) }

// Complete returns [generator.ErrTimeout] when it takes too long.
func (t timed) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	inner, cancel := context.WithTimeoutCause(ctx, t.within, generator.ErrTimeout)
	defer cancel()
	resp, err := t.Client.Complete(inner, req)
	if err != nil && ctx.Err() == nil && errors.Is(context.Cause(inner), generator.ErrTimeout) {
		return nil, generator.ErrTimeout
	}
	return resp, err
}

// memoKey names what the calls of a run share of some documents.
func memoKey(what string, docs []*model.Document) string {
	key := "python " + what
	for _, d := range docs {
		key += "\x00" + d.Name
	}
	return key
}

// ErrGiven is the error of rows that no framework can fill: their message is
// given, or must be one that no framework writes.
var ErrGiven = errors.New("the framework writes messages of its own, and the row's is given or must be a bad one")

// ErrDuplicate is the error of an item whose input exists already, or nearly.
var ErrDuplicate = errors.New("its input repeats one that exists")

// ErrNoText is the error of a call whose documents hold nothing to ask about.
var ErrNoText = errors.New("python: there is no text in the documents")

// ErrEmpty is the error of an item for which the framework made nothing.
var ErrEmpty = errors.New("the framework made nothing for it")

// cast makes the slots of the call. A row that cites nothing in the documents
// that the call may use gets the passage that is nearest to it by its words.
func (w *work) cast(ctx context.Context) error {
	w.slots = nil
	var far []*slot
	var abouts []string
	for i := range w.call.Rows {
		row := &w.call.Rows[i]
		chunks := w.passages.of(w.call, row, mostPassages)
		for k := range max(1, row.Examples) {
			s := &slot{index: len(w.slots), row: row, example: k, chunks: chunks, err: generator.ErrNotStarted}
			if w.call.Repairs == nil && (row.Given != nil || row.Corner != "") {
				s.err = ErrGiven
			}
			w.slots = append(w.slots, s)
			if len(chunks) == 0 {
				far, abouts = append(far, s), append(abouts, w.wanted(s).Situation)
			}
		}
	}
	near, err := w.passages.nearest(ctx, abouts)
	if err != nil {
		return err
	}
	for i, s := range far {
		s.chunks = near[i : i+1]
	}
	return nil
}

// fill makes the items of the slots, and what is missing again. The error is
// one after which no item can be made.
func (w *work) fill(ctx context.Context) error {
	open := slices.DeleteFunc(slices.Clone(w.slots), func(s *slot) bool { return errors.Is(s.err, ErrGiven) })
	if len(open) == 0 {
		return nil
	}
	shared, err := w.method.prepare(ctx, w)
	if err != nil {
		for _, s := range open {
			s.err = err
		}
		return err
	}
	w.shared = shared
	known := &coverage.Index{}
	for i, a := range w.call.Avoid {
		known.Add(fmt.Sprint("known ", i), a)
	}
	for ; w.try <= w.o.TopUps && len(open) > 0; w.try++ {
		failed := w.make(ctx, open)
		w.distinct(open, known)
		arrived := slices.DeleteFunc(slices.Clone(open), func(s *slot) bool { return s.err != nil })
		if stage.Fatal(failed) || ctx.Err() != nil {
			for _, s := range arrived {
				s.err = cmp.Or(failed, context.Cause(ctx))
			}
			return failed
		}
		w.finish(ctx, arrived)
		if failed != nil {
			return failed
		}
		open = slices.DeleteFunc(open, func(s *slot) bool { return s.err == nil || isLost(s.err) })
		if slices.ContainsFunc(open, func(s *slot) bool { return stage.Fatal(s.err) }) {
			break
		}
	}
	return nil
}

// make has the framework make an item for each slot.
func (w *work) make(ctx context.Context, open []*slot) error {
	tasks := make([]task, len(open))
	for i, s := range open {
		s.made, s.final = nil, nil
		s.seed = stage.Hash(w.call.Seed, s.row.ID, s.example, w.try)
		body, err := w.method.body(w, s)
		if err != nil {
			return err
		}
		raw, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("python: the task of row %s: %w", s.row.ID, err)
		}
		tasks[i] = task{ID: fmt.Sprintf("%d", s.index), Seed: int64(s.seed >> 12), Body: raw}
	}
	results, err := w.run(ctx, w.method.op(), w.shared, tasks)
	for i, s := range open {
		r := &results[i]
		s.err = r.err
		if s.err == nil && len(r.records) == 0 {
			s.err = cmp.Or(err, ErrEmpty)
		}
		for _, rec := range r.records {
			if s.made, s.err = w.method.read(w, s, rec); s.err == nil {
				s.err = cmp.Or(blank(s.made), w.foreign(s.made))
			}
			if s.err == nil {
				break // what is more than asked is cut
			}
		}
	}
	return err
}

// ErrUnchecked is the error of an item that could not be checked.
var ErrUnchecked = errors.New("the check gave no verdict on it")

// ErrForeign is the error of an item that holds what no message and no reply is
// made of: a control character, or a tag of a prompt.
var ErrForeign = errors.New("it holds what is no part of a message")

// foreign finds what stands neither in a message nor in the documents.
func (w *work) foreign(m *made) error {
	if parts := coverage.Markup(m.input+"\n"+m.output, w.docs...); len(parts) > 0 {
		return fmt.Errorf("%w: %q", ErrForeign, parts)
	}
	return nil
}

func blank(m *made) error {
	switch {
	case strings.TrimSpace(m.input) == "":
		return fmt.Errorf("%w: the input is blank", ErrEmpty)
	case strings.TrimSpace(m.output) == "" && !m.open:
		return fmt.Errorf("%w: the expected output is blank", ErrEmpty)
	}
	return nil
}

// distinct keeps one of the items that repeat each other.
func (w *work) distinct(open []*slot, known *coverage.Index) {
	for _, s := range open {
		if s.err != nil {
			continue
		}
		if _, near := known.Near(s.made.input); near {
			s.err = ErrDuplicate
			continue
		}
		known.Add(fmt.Sprintf("%d %d", w.try, s.index), s.made.input)
	}
}

// taskResult is what came of one task.
type taskResult struct {
	records []json.RawMessage
	err     error
}

// run gives tasks to workers, in jobs of at most Batch. A task that lost its
// worker is given to another, alone. The error is one after which no task can
// succeed: the model's, that of workers which cannot start or are all lost, or
// the cause of ctx.
func (w *work) run(ctx context.Context, op string, shared json.RawMessage, tasks []task) ([]taskResult, error) {
	out := make([]taskResult, len(tasks))
	left := make([]int, len(tasks))
	for i := range tasks {
		left[i] = i
	}
	for loss := 0; loss < losses && len(left) > 0; loss++ {
		size := w.o.Batch
		if loss > 0 {
			size = 1
		}
		var group errgroup.Group
		group.SetLimit(w.o.Workers)
		for at := range slices.Chunk(left, size) {
			group.Go(func() error {
				if err := cmp.Or(w.model.gone(), w.health.gone(hopeless+2*w.o.Workers)); err != nil {
					return err
				}
				return w.job(ctx, op, shared, tasks, at, out)
			})
		}
		if err := group.Wait(); err != nil {
			return out, err
		}
		if ctx.Err() != nil {
			return out, context.Cause(ctx)
		}
		left = slices.DeleteFunc(left, func(i int) bool { return !isLost(out[i].err) })
	}
	return out, nil
}

func isLost(err error) bool {
	var lost *WorkerError
	return errors.As(err, &lost)
}

// callsOf says how many calls of a proxy are under way, counting one where calls
// have come and gone since it was last asked.
func callsOf(p *proxy) func() int {
	last := p.Counts()
	return func() int {
		now := p.Counts()
		came := now != last
		last = now
		if n := p.Pending(); n > 0 || !came {
			return n
		}
		return 1
	}
}

// job runs the tasks at on one worker.
func (w *work) job(ctx context.Context, op string, shared json.RawMessage, tasks []task, at []int, out []taskResult) error {
	p, err := newProxy(ctx, w.call, proxyOptions{Framework: w.env.Framework, Health: w.model})
	if err != nil {
		return err
	}
	defer p.Close()
	j := &job{Op: op, Endpoint: endpoint{URL: p.URL(), Token: p.Token(), Model: p.Model(), EmbeddingModel: p.EmbeddingModel()}, Concurrency: w.o.Concurrency, Shared: shared}
	for _, i := range at {
		j.Tasks = append(j.Tasks, tasks[i])
	}
	got, err := w.pool.run(ctx, j, callsOf(p))
	w.health.told(err, slices.ContainsFunc(got.Tasks, func(t taskReply) bool { return t.Ended }))
	for k, i := range at {
		t := &got.Tasks[k]
		out[i] = taskResult{records: t.Records}
		switch {
		case t.Err != nil:
			out[i].err = t.Err
		case !t.Ended:
			out[i].err = cmp.Or(err, ErrEmpty)
		}
	}
	var lost *WorkerError
	switch fatal := p.Err(); {
	case fatal != nil:
		return fatal
	case errors.As(err, &lost) && lost.futile():
		return lost
	}
	return nil
}

// finish has the items described, checked and mended, and says which are in.
func (w *work) finish(ctx context.Context, open []*slot) {
	drafts := make([]answer.Draft, len(open))
	for i, s := range open {
		drafts[i] = answer.Draft{Row: s.row, Input: s.made.input, Output: s.made.output, Contexts: s.made.contexts, Ask: s.made.ask, Open: s.made.open}
	}
	o := w.answers()
	o.Stage.Seed = stage.Hash(w.call.Seed, "finish", w.try)
	for i, r := range answer.Finish(ctx, w.call, drafts, o) {
		w.take(open[i], r)
	}
}

func (w *work) answers() *answer.Options {
	return &answer.Options{
		Stage: stage.Options{Name: w.env.Framework, Batch: 6, Concurrency: w.o.Concurrency}, Threshold: w.o.Threshold, MaxDocument: w.o.MaxDocument,
	}
}

// QualityError says that an item did not pass the check, mended or not.
type QualityError struct {
	Score     float64 // of the input, 0 to 1
	Threshold float64
	Problems  []string
}

func (e *QualityError) Error() string {
	return fmt.Sprintf("it did not pass the check, with a score of %.2f where %.2f is needed: %s", e.Score, e.Threshold, cmp.Or(strings.Join(e.Problems, "; "), "no reason given"))
}

func (w *work) take(s *slot, r stage.Result[answer.Final]) {
	s.err = r.Err
	if s.err != nil {
		return
	}
	f := r.Value
	// Nobody but the check has read what a framework wrote.
	if !f.Checked {
		s.err = fmt.Errorf("%w: %s", ErrUnchecked, strings.Join(f.Problems, "; "))
		return
	}
	if !(f.Supported && f.Score >= w.o.Threshold && (f.Answerable || s.made.open)) {
		s.err = &QualityError{f.Score, w.o.Threshold, f.Problems}
		return
	}
	s.final = &f
}

// mend writes refused items anew by what was found in them.
func (w *work) mend(ctx context.Context) {
	for i, r := range answer.Mend(ctx, w.call, w.answers()) {
		s := w.slots[i]
		item := w.call.Repairs[s.row.ID].Item
		if s.example >= len(item.Examples) || len(item.Examples[s.example].Metadata.Native) == 0 {
			s.err = ErrEmpty
			continue
		}
		if s.made, s.err = w.method.read(w, s, item.Examples[s.example].Metadata.Native); s.err == nil {
			w.take(s, r)
		}
	}
}

// output puts the records in the order of the rows. A failure belongs to its
// row; it is the call's when nothing was made.
func (w *work) output(ctx context.Context, failed error) (*generator.Output, error) {
	out := &generator.Output{Engine: "python", Version: w.env.Version}
	filled, told := map[string]bool{}, map[string]bool{}
	var first, dead error
	for _, s := range w.slots {
		if s.err == nil {
			var rec generator.Record
			if rec, s.err = w.record(s); s.err == nil {
				out.Records = append(out.Records, rec)
				filled[s.row.ID] = true
				continue
			}
		}
		if !errors.Is(s.err, ErrGiven) {
			first = cmp.Or(first, s.err)
		}
		if stage.Fatal(s.err) {
			dead = cmp.Or(dead, s.err)
		}
	}
	for _, s := range w.slots {
		if s.err != nil && !filled[s.row.ID] && !told[s.row.ID] {
			told[s.row.ID] = true
			out.Dropped = append(out.Dropped, generator.Drop{Row: s.row.ID, Reason: s.err.Error()})
		}
	}
	switch {
	case ctx.Err() != nil:
		return out, context.Cause(ctx)
	case failed != nil:
		return out, failed
	case dead != nil:
		return out, dead
	case len(out.Records) == 0 && first != nil:
		return out, fmt.Errorf("python: %s %s made nothing: %w", w.env.Framework, w.env.Version, first)
	}
	return out, nil
}

func (w *work) record(s *slot) (generator.Record, error) {
	b, err := w.method.write(w, s, s.final)
	if err != nil {
		return generator.Record{}, fmt.Errorf("the record cannot be written: %w", err)
	}
	f := s.final
	rec := generator.Record{Row: s.row.ID, JSON: b, Notes: &generator.Notes{
		Name: f.Name, Description: f.Description, Criteria: f.Criteria, PolicyIDs: f.PolicyIDs, Shown: f.Shown,
	}}
	for i := range s.made.contexts {
		rec.Spans = append(rec.Spans, s.made.contexts[i].Span)
	}
	return rec, nil
}
