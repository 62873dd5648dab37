package llm_test

import (
	"context"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

func port(b *testing.B) (llm.Client, *llm.Request) {
	b.Helper()
	reply := &llm.Response{Text: `{"a":1}`, Model: "m", Usage: llm.Usage{Input: 1000, Output: 100}}
	bare := llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) { return reply, nil })
	l, err := llm.NewLedger(llm.Budget{Calls: 1 << 50, Tokens: 1 << 60, USD: 1e8}, llm.Prices{"m": {Input: 0.1, Output: 0.5}})
	if err != nil {
		b.Fatal(err)
	}
	req := user(strings.Repeat("four ", 800)) // 4 KB of prompt
	req.Model, req.Purpose, req.MaxTokens = "m", "generate_direct", 500
	return llm.Retry(l.Client(llm.NewLimiter(&llm.LimitOptions{Concurrency: 64, StopAbove: 0.5}).Client(bare)), nil), req
}

// BenchmarkPort measures what retry, budget, accounting and limit cost a call.
func BenchmarkPort(b *testing.B) {
	b.Run("one", func(b *testing.B) {
		c, req := port(b)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Complete(b.Context(), req); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		c, req := port(b)
		b.ReportAllocs()
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := c.Complete(context.Background(), req); err != nil {
					b.Error(err)
				}
			}
		})
	})
	b.Run("adaptive", func(b *testing.B) {
		c, req := port(b)
		c = llm.Adaptive(c, nil)
		req.Schema = &llm.Schema{Name: "a", JSON: []byte(`{"type":"object"}`)}
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.Complete(b.Context(), req); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkKey(b *testing.B) {
	_, req := port(b)
	for b.Loop() {
		llm.Key(req)
	}
}
