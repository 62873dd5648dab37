package wire_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/wire"
)

// post sends a body and returns the status and the reply, or the error of the
// connection.
func post(t *testing.T, url, path, body string, header http.Header) (int, string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b), err
}

func chat(text string) string {
	return fmt.Sprintf(`{"model":"m","messages":[{"role":"user","content":%q}],"max_tokens":50}`, text)
}

func TestRequestsAreRead(t *testing.T) {
	t.Parallel()
	f := false
	want := llm.Request{
		Model: "m",
		Messages: []llm.Message{
			{Role: "system", Content: "s"},
			{Role: "user", Content: "ab"},
			{Role: "assistant", Calls: []llm.ToolCall{{ID: "c1", Name: "f", Arguments: "{}"}, {ID: "c2", Name: "g", Arguments: "{}"}}},
			{Role: "tool", Content: "r", CallID: "c1"},
		},
		Tools:      []llm.Tool{{Name: "f", Description: "d", Parameters: json.RawMessage(`{"b":1,"a":2}`), Strict: true}},
		ToolChoice: "f", Parallel: &f, MaxTokens: 9, Effort: "low",
		Schema: &llm.Schema{Name: "n", JSON: json.RawMessage(`{"b":1,"a":2}`), Strict: true},
	}
	for endpoint, body := range map[string]string{
		"/chat/completions": `{"model":"m","messages":[{"role":"system","content":"s"},{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
			{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"c2","type":"function","function":{"name":"g","arguments":"{}"}}]},
			{"role":"tool","tool_call_id":"c1","content":"r"}],
			"tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"b":1,"a":2},"strict":true}}],
			"tool_choice":{"type":"function","function":{"name":"f"}},"parallel_tool_calls":false,"max_completion_tokens":9,"reasoning_effort":"low",
			"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"b":1,"a":2},"strict":true}}}`,
		"/responses": `{"model":"m","instructions":"s","input":[{"role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]},
			{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
			{"type":"function_call_output","call_id":"c1","output":"r"}],
			"tools":[{"type":"function","name":"f","description":"d","parameters":{"b":1,"a":2},"strict":true}],
			"tool_choice":{"type":"function","name":"f"},"parallel_tool_calls":false,"max_output_tokens":9,"reasoning":{"effort":"low"},
			"text":{"format":{"type":"json_schema","name":"n","schema":{"b":1,"a":2},"strict":true}}}`,
	} {
		s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{} }, &wire.Options{Log: true})
		if status, got, err := post(t, s.URL(), endpoint, body, nil); err != nil || status != 200 {
			t.Fatalf("%s: %d, %v: %s", endpoint, status, err, got)
		}
		if diff := cmp.Diff(want, s.Log()[0].Request); diff != "" {
			t.Errorf("%s (-want +got):\n%s", endpoint, diff)
		}
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	const latency = 20 * time.Millisecond
	s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{Text: "ok"} }, &wire.Options{Latency: latency})
	start := time.Now()
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for range i + 1 { // one after the other
				if _, _, err := post(t, s.URL(), "/chat/completions", chat("x"), http.Header{"X-Chain": {fmt.Sprint(i)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if d := time.Since(start); d < 3*latency {
		t.Errorf("3 calls in a row took %v at a latency of %v", d, latency)
	}
	if _, _, err := post(t, s.URL(), "/embeddings", `{"model":"e","input":"x"}`, nil); err != nil {
		t.Error(err)
	}
	if got := [4]int{s.Calls(), s.Calls(wire.Chat), s.Calls(wire.Embeddings), s.LongestChain()}; got != [4]int{7, 6, 1, 3} {
		t.Errorf("calls, of chat, of embeddings, longest chain = %v, want 7, 6, 1, 3", got)
	}
	if got := s.MaxConcurrent(); got < 1 || got > 3 {
		t.Errorf("%d at once", got)
	}
	if status, _, _ := post(t, s.URL(), "/completions", "{}", nil); status != 404 || s.Calls() != 7 {
		t.Errorf("another path: %d, %d calls", status, s.Calls())
	}
}

func TestCallsOfAChainThatOverlapCountOnce(t *testing.T) {
	t.Parallel()
	both := make(chan struct{})
	var once sync.WaitGroup
	once.Add(2)
	go func() { once.Wait(); close(both) }()
	s := wire.New(t, func(wire.Request) wire.Reply {
		once.Done()
		<-both
		return wire.Reply{}
	}, &wire.Options{Chain: func(req wire.Request) string { return req.Model }})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, _, err := post(t, s.URL(), "/chat/completions", chat("x"), nil); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if s.LongestChain() != 1 || s.MaxConcurrent() != 2 {
		t.Errorf("chain %d, at once %d; want 1 and 2", s.LongestChain(), s.MaxConcurrent())
	}
}

func TestKeyAndModel(t *testing.T) {
	t.Parallel()
	s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{} }, &wire.Options{Key: "right", Models: []string{"m"}})
	for _, tt := range []struct {
		key, body string
		want      int
		text      string
	}{
		{"right", chat("x"), 200, "chat.completion"},
		{"wrong", chat("x"), 401, "wrong"},
		{"right", strings.Replace(chat("x"), `"m"`, `"n"`, 1), 404, "model_not_found"},
		{"right", `{`, 400, "parse"},
		{"right", `[]`, 400, "parse"},
	} {
		status, body, err := post(t, s.URL(), "/chat/completions", tt.body, http.Header{"Authorization": {"Bearer " + tt.key}})
		if err != nil || status != tt.want || !strings.Contains(body, tt.text) {
			t.Errorf("%s: %d %s (%v), want %d and %q", tt.key, status, body, err, tt.want, tt.text)
		}
	}
}

func TestEveryFault(t *testing.T) {
	t.Parallel()
	const whole = `{"text":"Ответ целиком, и довольно длинный"}`
	for _, endpoint := range []string{"/chat/completions", "/responses"} {
		for _, tt := range []struct {
			fault  wire.Fault
			status int
			has    []string
			isJSON bool
			broken bool
		}{
			{"", 200, []string{"целиком"}, true, false},
			{wire.RateLimit, 429, []string{"rate_limit_exceeded"}, true, false},
			{wire.ServerError, 500, []string{"server_error"}, true, false},
			{wire.Reset, 0, nil, false, true},
			{wire.CutBody, 200, nil, false, true},
			{wire.BrokenJSON, 200, nil, false, false},
			{wire.Refusal, 200, []string{`"refusal":"I cannot`}, true, false},
			{wire.Truncated, 200, []string{"Ответ", map[string]string{"/responses": "max_output_tokens", "/chat/completions": `"length"`}[endpoint]}, true, false},
		} {
			t.Run(string(tt.fault)+endpoint, func(t *testing.T) {
				t.Parallel()
				s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{Text: whole} }, &wire.Options{Faults: func(wire.Request) wire.Fault { return tt.fault }})
				status, body, err := post(t, s.URL(), endpoint, `{"model":"m","input":"x","messages":[{"role":"user","content":"x"}],"max_tokens":50}`, nil)
				if (err != nil) != tt.broken || status != tt.status && tt.fault != wire.Reset || json.Valid([]byte(body)) != tt.isJSON {
					t.Errorf("%d %s, %v", status, body, err)
				}
				for _, text := range tt.has {
					if !strings.Contains(body, text) {
						t.Errorf("no %q in %s", text, body)
					}
				}
				if tt.fault != "" && (s.Faulted()[tt.fault] != 1 || tt.isJSON && strings.Contains(body, "длинный")) {
					t.Errorf("counted %v, sent %s", s.Faulted(), body)
				}
			})
		}
	}
}

func TestFaultsAreOfTheContentAlone(t *testing.T) {
	t.Parallel()
	const n, rate = 7000, .2
	count := map[wire.Fault]int{}
	seen := map[string]wire.Fault{}
	faults, other := wire.Faults(1, rate), wire.Faults(2, rate)
	differs := false
	for i := range n {
		req := wire.Request{Attempt: 1 + i%3, Endpoint: wire.Chat}
		copy(req.Content[:], fmt.Sprintf("%032d", i/3))
		f := faults(req)
		count[f]++
		seen[fmt.Sprint(req.Attempt, string(req.Content[:]))] = f
		differs = differs || f != other(req)
	}
	for i := n - 1; i >= 0; i-- { // in another order
		req := wire.Request{Attempt: 1 + i%3, Endpoint: wire.Chat}
		copy(req.Content[:], fmt.Sprintf("%032d", i/3))
		if got := faults(req); got != seen[fmt.Sprint(req.Attempt, string(req.Content[:]))] {
			t.Fatalf("%d: %q depends on the order", i, got)
		}
	}
	if !differs {
		t.Error("the seed does not count")
	}
	if share := 1 - float64(count[""])/n; math.Abs(share-rate) > .02 {
		t.Errorf("%.3f of the calls fail, want %.1f", share, rate)
	}
	if len(count) != 8 {
		t.Errorf("kinds: %v", count)
	}
	for f, c := range count {
		if want := n * rate / 7; f != "" && (float64(c) < want*.7 || float64(c) > want*1.3) {
			t.Errorf("%s came %d times, want about %.0f", f, c, want)
		}
	}
	only := wire.Faults(1, 1, wire.Refusal, wire.CutBody)
	for i := range 20 {
		if f := only(wire.Request{Attempt: i}); f != wire.Refusal && f != wire.CutBody {
			t.Errorf("got %q", f)
		}
		if f := only(wire.Request{Attempt: i, Endpoint: wire.Embeddings}); f == wire.Refusal {
			t.Error("an embedding is refused")
		}
	}
}

func TestAttemptsOfOneContent(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	s := wire.New(t, func(req wire.Request) wire.Reply {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, fmt.Sprintf("%s %s %d", req.Endpoint, req.Messages[0].Content, req.Attempt))
		return wire.Reply{}
	}, nil)
	for _, body := range []string{chat("a"), chat("b"), chat("a"), strings.Replace(chat("a"), "50", "100", 1), strings.Replace(chat("a"), `"model"`, ` "model"`, 1)} {
		if _, _, err := post(t, s.URL(), "/chat/completions", body, nil); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := post(t, s.URL(), "/responses", `{"model":"m","input":"a"}`, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{"chat a 1", "chat b 1", "chat a 2", "chat a 3", "chat a 4", "responses a 1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestClientAsHandler(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
		has    string
	}{
		{nil, 200, `"content":"да"`},
		{&llm.Error{Kind: llm.KindRate, RetryAfter: time.Second}, 429, "error"},
		{&llm.Error{Kind: llm.KindUnsupported, Code: "unsupported_value", Param: "temperature", Message: "no"}, 400, `"param":"temperature"`},
		{&llm.Error{Kind: llm.KindRefused}, 200, `"refusal":"I cannot`},
		{&llm.Error{Kind: llm.KindTruncated}, 200, `"length"`},
		{&llm.Error{Kind: llm.KindBlocked}, 200, `"content_filter"`},
		{&llm.Error{Kind: llm.KindAuth}, 401, "error"},
		{&llm.Error{Kind: llm.KindModel}, 404, "error"},
		{&llm.Error{Kind: llm.KindQuota}, 402, "error"},
		{&llm.Error{Kind: llm.KindTooLong}, 413, "error"},
		{&llm.Error{Kind: llm.KindOverload}, 503, "error"},
		{&llm.Error{Kind: llm.KindOverload, Status: 529}, 529, "error"},
		{errors.New("broken fake"), 500, "broken fake"},
	} {
		fake := llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
			if tt.err != nil {
				return nil, tt.err
			}
			return &llm.Response{Text: "да"}, nil
		})
		s := wire.New(t, wire.Client(fake), nil)
		status, body, err := post(t, s.URL(), "/chat/completions", chat("x"), nil)
		if err != nil || status != tt.status || !strings.Contains(body, tt.has) {
			t.Errorf("%v: %d %s (%v), want %d with %s", tt.err, status, body, err, tt.status, tt.has)
		}
	}
}

func TestEmbeddingsAndModels(t *testing.T) {
	t.Parallel()
	s := wire.New(t, nil, &wire.Options{Models: []string{"e"}})
	_, body, err := post(t, s.URL(), "/embeddings", `{"model":"e","input":["один два","один два","three"]}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Data []struct {
			Index     int
			Embedding []float32
		}
	}
	if err := json.NewDecoder(bytes.NewReader([]byte(body))).Decode(&got); err != nil || len(got.Data) != 3 {
		t.Fatalf("%s: %v", body, err)
	}
	if !slices.Equal(got.Data[0].Embedding, got.Data[1].Embedding) || slices.Equal(got.Data[0].Embedding, got.Data[2].Embedding) {
		t.Errorf("vectors of one text must be equal, of two not: %s", body)
	}
	if status, _, _ := post(t, s.URL(), "/embeddings", `{"model":"e","input":[""]}`, nil); status != 400 {
		t.Errorf("an empty text: %d, want 400 as at OpenAI", status)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL()+"/models", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if b, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(b), `"id":"e"`) {
		t.Errorf("models: %s, %v", b, err)
	}
}
