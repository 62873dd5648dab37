package deepeval_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
)

// deepEvalCalls is what DeepEval 4.1.10 itself needs for a golden from contexts.
const deepEvalCalls = 3.5

// over HTTP, a call takes 50 ms.
func served(tb testing.TB, f *fake, latency time.Duration) (*wire.Server, *deepeval.Synthesizer) {
	tb.Helper()
	s := wire.New(tb, wire.Client(f), &wire.Options{Latency: latency, Chain: contextOf})
	c, err := openai.New(openai.Options{BaseURL: s.URL(), Model: "fake-1", APIKey: "k"})
	if err != nil {
		tb.Fatal(err)
	}
	return s, synthesizer(tb, c, func(o *deepeval.SynthesizerOptions) {
		o.Concurrency = 100
		o.Capabilities = c.Capabilities()
	})
}

// contextOf is the chain that a call belongs to: the stages of a group of
// contexts come one after the other.
func contextOf(req wire.Request) string {
	_, rest, _ := strings.Cut(req.Messages[1].Content, "Locker ")
	number, _, _ := strings.Cut(rest, " ")
	return number
}

// 100 contexts of 2 goldens, with fewer calls than DeepEval makes, every check
// counted in.
func TestCallsFromContexts(t *testing.T) {
	t.Parallel()
	server, s := served(t, newFake(), 0)
	r, err := s.FromContexts(t.Context(), contexts(100), nil)
	if err != nil || len(r.Goldens) != 200 {
		t.Fatalf("%d goldens, %v", len(r.Goldens), err)
	}
	if calls := float64(server.Calls()) / 200; calls > deepEvalCalls/2 {
		t.Errorf("%.2f calls a golden, want at most half of DeepEval's %.1f", calls, deepEvalCalls)
	}
}

// 100 contexts of 2 goldens, 100 calls at once: the limit is a second. DeepEval
// 4.1.10 takes 64.9 s.
func BenchmarkOverHTTP(b *testing.B) {
	server, s := served(b, newFake(), 50*time.Millisecond)
	for b.Loop() {
		was, start := server.Calls(), time.Now()
		r, err := s.FromContexts(b.Context(), contexts(100), nil)
		took := time.Since(start)
		if err != nil || len(r.Goldens) != 200 {
			b.Fatalf("%d goldens, %v", len(r.Goldens), err)
		}
		b.ReportMetric(took.Seconds(), "of-limit")
		b.ReportMetric(float64(server.Calls()-was)/200, "calls/golden")
		b.ReportMetric(float64(server.LongestChain()), "chain")
	}
}

// From a document, choosing the contexts is counted in: DeepEval makes 5 calls a
// golden.
func TestCallsFromDocuments(t *testing.T) {
	t.Parallel()
	f := newFake()
	r, err := synthesizer(t, f, nil).FromDocuments(t.Context(), []*model.Document{long(t, "a.md", 200)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	calls := float64(f.total()) / float64(len(r.Goldens))
	t.Logf("%d goldens of a document in %d calls: %.2f each (DeepEval: 5)", len(r.Goldens), f.total(), calls)
	if calls > 1.5 {
		t.Errorf("%.2f calls a golden", calls)
	}
}

func BenchmarkContexts(b *testing.B) {
	for _, n := range []int{10, 50, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			f := newFake()
			server, s := served(b, f, 50*time.Millisecond)
			b.ResetTimer()
			goldens := 0
			for b.Loop() {
				r, err := s.FromContexts(b.Context(), contexts(n), nil)
				if err != nil {
					b.Fatal(err)
				}
				goldens += len(r.Goldens)
			}
			b.ReportMetric(float64(server.Calls())/float64(goldens), "calls/golden")
			b.ReportMetric(float64(server.LongestChain()), "chain")
			b.ReportMetric(deepEvalCalls, "deepeval-calls/golden")
		})
	}
}
