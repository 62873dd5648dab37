package ragas_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
)

// What Ragas 0.4.3 itself needs, by its parity page: calls of a sample, and
// seconds for 300 samples of 40 documents at 50 ms a call and 16 at once.
const (
	ragasCallsLow, ragasCallsHigh = 4.1, 8.4
	ragasSeconds                  = 18.5
)

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

// 40 documents, 300 samples, 16 calls at once: as fast as the calls allow, and
// fewer of them than Ragas makes, every check counted in.
func TestSpeed(t *testing.T) {
	if testing.Short() || raced {
		t.Skip("it measures time")
	}
	const latency, atOnce, size = 50 * time.Millisecond, 16, 300
	docs := shops(t, 40, 6)
	var took, limit time.Duration
	for range 5 { // the machine may be busy
		server, client := served(t, latency, &wire.Options{Log: true})
		start := time.Now()
		set, err := ragas.Generate(t.Context(), &ragas.Input{
			Client: client, Embedder: client.Embedder("vectors"), Documents: docs, Size: size, ReasoningRatio: 0.4,
		}, &ragas.Options{Concurrency: atOnce})
		took = time.Since(start)
		if err != nil || len(set.Records) != size {
			t.Fatalf("%d samples, %v", len(set.Records), err)
		}
		calls := server.Calls()
		chain := server.LongestChain() + 1 // and the personas, who are of no passage
		limit = time.Duration(1.2 * float64(latency) * (float64(calls)/atOnce + float64(chain)))
		perSample := float64(calls) / size
		t.Logf("300 samples of 40 documents in %v, at most %v (Ragas: %.1f s); %d calls, %d of them for vectors, the longest chain %d, %d at once at most; %.2f calls a sample (Ragas: %.1f-%.1f)",
			took.Round(time.Millisecond), limit.Round(time.Millisecond), ragasSeconds, calls, server.Calls(wire.Embeddings), chain, server.MaxConcurrent(), perSample, ragasCallsLow, ragasCallsHigh)
		if server.MaxConcurrent() > atOnce {
			t.Errorf("%d calls at once, want %d at most", server.MaxConcurrent(), atOnce)
		}
		if perSample >= ragasCallsLow {
			t.Errorf("%.2f calls a sample, Ragas makes %.1f", perSample, ragasCallsLow)
		}
		if took <= limit {
			return
		}
		// On a busy machine the server itself is slower than its latency.
		alone := sent(t, server, atOnce)
		if slower := time.Duration(1.2 * float64(alone+time.Duration(chain)*latency)); took <= slower {
			t.Logf("the same calls merely sent take %v here, so at most %v", alone.Round(time.Millisecond), slower.Round(time.Millisecond))
			return
		}
	}
	t.Errorf("the last of five took %v, want at most %v", took, limit)
}

// sent is how long the calls that a server has had take when nothing is done but
// to send them again, n at once.
func sent(t *testing.T, server *wire.Server, n int) time.Duration {
	t.Helper()
	paths := map[string]string{wire.Chat: "/chat/completions", wire.Responses: "/responses", wire.Embeddings: "/embeddings"}
	log := server.Log()
	start := time.Now()
	var group errgroup.Group
	group.SetLimit(n)
	for _, r := range log {
		group.Go(func() error {
			resp, err := http.Post(server.URL()+paths[r.Endpoint], "application/json", bytes.NewReader(r.Body))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	return time.Since(start)
}

func BenchmarkGenerate(b *testing.B) {
	docs := shops(b, 40, 6)
	server, client := served(b, 50*time.Millisecond, nil)
	b.ResetTimer()
	n := 0
	for b.Loop() {
		set, err := ragas.Generate(b.Context(), &ragas.Input{Client: client, Documents: docs, Size: 300, ReasoningRatio: 0.4}, nil)
		if err != nil {
			b.Fatal(err)
		}
		n += len(set.Records)
	}
	b.ReportMetric(float64(server.Calls())/float64(n), "calls/sample")
	b.ReportMetric(ragasCallsLow, "ragas-calls/sample")
	b.ReportMetric(float64(server.LongestChain()), "chain")
}
