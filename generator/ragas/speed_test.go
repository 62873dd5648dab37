package ragas_test

import (
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
)

// ragasCalls is what Ragas 0.4.3 itself needs for a sample at least.
const ragasCalls = 4.1

var shopName = regexp.MustCompile(`Shop (s\d+)|Office ([A-Z][a-z]+)`)

// chainOf is the chain that a call belongs to: the stages of the passage that
// stands first in it come one after the other.
func chainOf(req wire.Request) string {
	if req.Endpoint == wire.Embeddings {
		return ""
	}
	return shopName.FindString(req.Messages[1].Content)
}

func served(tb testing.TB, latency time.Duration, o *wire.Options) (*wire.Server, *openai.Client) {
	tb.Helper()
	w := wire.Options{}
	if o != nil {
		w = *o
	}
	w.Latency, w.Chain = latency, chainOf
	s := wire.New(tb, wire.Client(player()), &w)
	c, err := openai.New(openai.Options{BaseURL: s.URL(), Model: "fake-1", APIKey: "k"})
	if err != nil {
		tb.Fatal(err)
	}
	return s, c
}

func shops(tb testing.TB, n, sections int) []*model.Document {
	tb.Helper()
	var docs []*model.Document
	for i := range n {
		docs = append(docs, shop(tb, fmt.Sprintf("s%d", i), sections))
	}
	return docs
}

const (
	asked  = 300
	atOnce = 16
)

// sampled makes the samples of the documents over HTTP.
func sampled(tb testing.TB, docs []*model.Document, latency time.Duration) *wire.Server {
	tb.Helper()
	server, client := served(tb, latency, nil)
	set, err := ragas.Generate(tb.Context(), &ragas.Input{
		Client: client, Embedder: client.Embedder("vectors"), Documents: docs, Size: asked, ReasoningRatio: 0.4,
	}, &ragas.Options{Concurrency: atOnce})
	if err != nil || len(set.Records) != asked {
		tb.Fatalf("%d samples, %v", len(set.Records), err)
	}
	if server.MaxConcurrent() > atOnce {
		tb.Errorf("%d calls at once, want %d at most", server.MaxConcurrent(), atOnce)
	}
	return server
}

// Fewer calls than Ragas makes, every check counted in.
func TestCallsOverHTTP(t *testing.T) {
	t.Parallel()
	server := sampled(t, shops(t, 40, 6), 0)
	if per := float64(server.Calls()) / asked; per >= ragasCalls/2 {
		t.Errorf("%.2f calls a sample, want less than half of Ragas' %.1f", per, ragasCalls)
	}
}

// 300 samples of 40 documents, 16 calls at once: as fast as the calls allow.
// Ragas 0.4.3 takes 18.5 s.
func BenchmarkOverHTTP(b *testing.B) {
	const latency = 50 * time.Millisecond
	docs := shops(b, 40, 6)
	for b.Loop() {
		start := time.Now()
		server := sampled(b, docs, latency)
		took := time.Since(start)
		chain := server.LongestChain() + 1 // and the personas, who are of no passage
		limit := 1.2 * latency.Seconds() * (float64(server.Calls())/atOnce + float64(chain))
		b.ReportMetric(took.Seconds()/limit, "of-limit")
		b.ReportMetric(float64(server.Calls())/asked, "calls/sample")
		b.ReportMetric(float64(chain), "chain")
	}
}
