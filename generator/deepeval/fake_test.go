package deepeval_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

// fake is a model that plays every stage well, unless a test says otherwise.
type fake struct {
	// on answers a request in place of the actor; ok false leaves it to him. n is
	// how many requests of the kind came before.
	on func(kind string, req *llm.Request, n int) (resp *llm.Response, err error, ok bool)

	actor  *actor.Actor
	mu     sync.Mutex
	calls  map[string]int
	log    []*llm.Request
	active int
	most   int
	wait   func(ctx context.Context) // how long a call takes
}

func newFake() *fake { return &fake{actor: &actor.Actor{}, calls: map[string]int{}} }

func (f *fake) Model() string { return "fake-1" }

func (f *fake) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	kind := actor.Kind(req)
	f.mu.Lock()
	n := f.calls[kind]
	f.calls[kind]++
	f.log = append(f.log, req)
	f.active++
	f.most = max(f.most, f.active)
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		f.active--
		f.mu.Unlock()
	}()
	if f.wait != nil {
		f.wait(ctx)
	}
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if f.on != nil {
		if resp, err, ok := f.on(kind, req, n); ok {
			return resp, err
		}
	}
	resp, err := f.actor.Complete(ctx, req)
	if err == nil && resp.Usage == (llm.Usage{}) {
		resp.Usage = llm.Usage{Input: int64(len(user(req))) / 4, Output: int64(len(resp.Text)) / 4}
	}
	return resp, err
}

func (f *fake) total() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.log)
}

func user(req *llm.Request) string { return req.Messages[1].Content }

// said returns the requests of a kind.
func (f *fake) said(kind string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, r := range f.log {
		if actor.Kind(r) == kind {
			out = append(out, user(r))
		}
	}
	return out
}

func text(format string, args ...any) *llm.Response {
	return &llm.Response{Text: fmt.Sprintf(format, args...)}
}

// badRequest is a failure for good of one call.
func badRequest() error {
	return &llm.Error{Kind: llm.KindBlocked, Status: 400, Message: "no"}
}

func synthesizer(tb testing.TB, f llm.Client, change func(*deepeval.SynthesizerOptions)) *deepeval.Synthesizer {
	tb.Helper()
	o := deepeval.SynthesizerOptions{Client: f, Seed: 7}
	if change != nil {
		change(&o)
	}
	s, err := deepeval.NewSynthesizer(&o)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// contexts are n contexts of two passages each about things of their own.
func contexts(n int) []deepeval.Context {
	out := make([]deepeval.Context, n)
	for i := range out {
		out[i] = deepeval.NewContext(fmt.Sprintf("doc%d.md", i+1),
			fmt.Sprintf("Locker %d keeps a parcel for %d days. After that it goes back.", i+1, i+2),
			fmt.Sprintf("A parcel for locker %d weighs at most %d kg.", i+1, i+5))
	}
	return out
}

func parse(tb testing.TB, name, md string) *model.Document {
	tb.Helper()
	d, err := model.ParseMarkdown(name, []byte(md), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func inputs(r *deepeval.Result) []string {
	var out []string
	for _, g := range r.Goldens {
		out = append(out, g.Input+g.Scenario)
	}
	return out
}

// long is a document of n sections.
func long(tb testing.TB, name string, n int) *model.Document {
	tb.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "## Locker %d\n\nLocker %d keeps a parcel for %d days. After that it goes back to whoever sent it.\n\nA parcel for locker %d weighs at most %d kg.\n\n", i+1, i+1, i+2, i+1, i+5)
	}
	return parse(tb, name, b.String())
}
