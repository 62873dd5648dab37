package openai_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/llm"
)

const benchReply = `{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop","logprobs":null,"message":{"role":"assistant","content":"{\"ok\":true}","refusal":null}}],"usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}`

// benchServer answers at once.
func benchServer(tb testing.TB) string {
	tb.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, benchReply)
	}))
	tb.Cleanup(s.Close)
	return s.URL + "/v1"
}

const benchConcurrency = 16

// throughput makes n calls, several at once, and returns how long they took.
func throughput(b *testing.B, n int, call func(ctx context.Context) error) time.Duration {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	start := time.Now()
	for range benchConcurrency {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if err := call(b.Context()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	return time.Since(start)
}

// BenchmarkPort compares the whole port, with all its decorators, with the bare
// SDK: in one run, against one server, in turns, so that both meet the same
// machine. The ratio is of calls per second; it must stay above 0.5.
func BenchmarkPort(b *testing.B) {
	for _, bb := range []struct {
		name string
		req  *llm.Request
	}{
		{"text", user("Reply with one JSON object.")},
		{"tools", toolsForBench()},
	} {
		b.Run(bb.name, func(b *testing.B) { benchPort(b, bb.req) })
	}
}

// toolsForBench is a request whose reply needs no call.
func toolsForBench() *llm.Request {
	req := toolRequest()
	req.ToolChoice = llm.ToolAuto
	return req
}

func benchPort(b *testing.B, req *llm.Request) {
	url := benchServer(b)
	transport := &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 256}
	b.Cleanup(transport.CloseIdleConnections)
	hc := &http.Client{Transport: transport}

	chat := sdk.NewChatCompletionService(option.WithBaseURL(url), option.WithHTTPClient(hc), option.WithMaxRetries(0), option.WithAPIKey(testKey))
	bare := func(ctx context.Context) error {
		params := sdk.ChatCompletionNewParams{Model: "m"}
		for _, m := range req.Messages {
			if m.Role == llm.RoleSystem {
				params.Messages = append(params.Messages, sdk.SystemMessage(m.Content))
			} else {
				params.Messages = append(params.Messages, sdk.UserMessage(m.Content))
			}
		}
		for _, t := range req.Tools {
			params.Tools = append(params.Tools, sdk.ChatCompletionFunctionTool(sdk.FunctionDefinitionParam{
				Name: t.Name, Description: sdk.String(t.Description), Strict: sdk.Bool(true), Parameters: plainSchemas[t.Name],
			}))
		}
		_, err := chat.New(ctx, params)
		return err
	}

	client := newClient(b, openai.Options{BaseURL: url, APIKey: testKey, HTTPClient: hc})
	ledger, err := llm.NewLedger(llm.Budget{Calls: 1 << 40, Tokens: 1 << 50, USD: 1e9}, llm.Prices{"m": {Input: .1, Output: .5}})
	if err != nil {
		b.Fatal(err)
	}
	limiter := llm.NewLimiter(&llm.LimitOptions{Concurrency: benchConcurrency})
	port := llm.Adaptive(llm.Retry(ledger.Client(limiter.Client(client)), nil), client.Capabilities())
	whole := func(ctx context.Context) error {
		_, err := port.Complete(ctx, req)
		return err
	}

	const warm = 200
	throughput(b, warm, bare)
	throughput(b, warm, whole)
	b.ReportAllocs()
	b.ResetTimer()
	const turn = 500
	var bareTime, portTime time.Duration
	for done := 0; done < b.N; done += turn {
		n := min(turn, b.N-done)
		bareTime += throughput(b, n, bare)
		portTime += throughput(b, n, whole)
	}
	b.ReportMetric(float64(b.N)/bareTime.Seconds(), "bare-calls/s")
	b.ReportMetric(float64(b.N)/portTime.Seconds(), "port-calls/s")
	if b.N >= turn {
		b.ReportMetric(bareTime.Seconds()/portTime.Seconds(), "ratio")
	}
}

// plainSchemas are the tools' schemas as a program on the bare SDK writes them.
var plainSchemas = map[string]sdk.FunctionParameters{
	"generate_direct": {
		"type": "object", "required": []string{"reason", "count"}, "additionalProperties": false,
		"properties": map[string]any{"reason": map[string]any{"type": "string"}, "count": map[string]any{"type": "integer"}},
	},
	"generate_from_document": {
		"type": "object", "required": []string{"count"}, "additionalProperties": false,
		"properties": map[string]any{"count": map[string]any{"type": "integer"}},
	},
}
