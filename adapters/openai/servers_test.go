package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/wire"
)

// via sends what is meant for any host to a server of the test.
type via struct{ to *url.URL }

func (v via) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = v.to.Scheme, v.to.Host
	return http.DefaultTransport.RoundTrip(r)
}

// atOpenAI is a client of api.openai.com, which the server plays.
func atOpenAI(t *testing.T, s *wire.Server, o openai.Options) *openai.Client {
	t.Helper()
	to, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	o.APIKey, o.HTTPClient = testKey, &http.Client{Transport: via{to}}
	return newClient(t, o)
}

func toolRequest() *llm.Request {
	return &llm.Request{
		Messages: []llm.Message{{Role: llm.RoleSystem, Content: "Pick a tool."}, {Role: llm.RoleUser, Content: "Возврат заказа"}},
		Tools: []llm.Tool{
			{
				Name: "generate_direct", Description: "By the model.", Strict: true,
				Parameters: json.RawMessage(`{"type":"object","properties":{"reason":{"type":"string"},"count":{"type":"integer"}},"required":["reason","count"],"additionalProperties":false}`),
			},
			{
				Name: "generate_from_document", Description: "By rules.", Strict: true,
				Parameters: json.RawMessage(`{"type":"object","properties":{"count":{"type":"integer"}},"required":["count"],"additionalProperties":false}`),
			},
		},
		ToolChoice: llm.ToolRequired,
	}
}

var directCall = llm.ToolCall{Name: "generate_direct", Arguments: `{"reason":"возврат","count":3}`}

func notFound() wire.Reply {
	return wire.Reply{Status: 404, Raw: "404 page not found\n", Header: http.Header{"Content-Type": {"text/plain"}}}
}

const toolsNeedResponses = "Function tools with reasoning_effort are not supported for m in /v1/chat/completions. Please use /v1/responses instead."

func TestTransportAuto(t *testing.T) {
	t.Parallel()
	answer := func(wire.Request) wire.Reply { return wire.Reply{Text: "ok"} }
	complete := func(t *testing.T, c llm.Client, req *llm.Request) {
		t.Helper()
		if _, err := c.Complete(t.Context(), req); err != nil {
			t.Error(err)
		}
	}
	calls := func(t *testing.T, s *wire.Server, chat, responses int) {
		t.Helper()
		if got := [2]int{s.Calls(wire.Chat), s.Calls(wire.Responses)}; got != [2]int{chat, responses} {
			t.Errorf("%d calls of chat and %d of responses, want %d and %d", got[0], got[1], chat, responses)
		}
	}
	t.Run("OpenAI", func(t *testing.T) {
		t.Parallel()
		s := wire.New(t, answer, &wire.Options{Log: true, Key: testKey})
		complete(t, atOpenAI(t, s, openai.Options{}), user("x"))
		complete(t, atOpenAI(t, s, openai.Options{Transport: openai.TransportChat}), user("x"))
		calls(t, s, 1, 1)
		for _, req := range s.Log() {
			if !strings.Contains(string(req.Body), `"store":false`) {
				t.Errorf("%s would keep the document: %s", req.Endpoint, req.Body)
			}
		}
	})
	t.Run("elsewhere", func(t *testing.T) {
		t.Parallel()
		s := wire.New(t, answer, nil)
		complete(t, newClient(t, openai.Options{BaseURL: s.URL()}), user("x"))
		calls(t, s, 1, 0)
	})
	for _, status := range []int{404, 405, 501} {
		t.Run(fmt.Sprintf("no responses, %d", status), func(t *testing.T) {
			t.Parallel()
			s := wire.New(t, func(req wire.Request) wire.Reply {
				if req.Endpoint == wire.Responses {
					return wire.Reply{Status: status, Raw: "<html>nothing here</html>"}
				}
				return answer(req)
			}, nil)
			c := atOpenAI(t, s, openai.Options{})
			complete(t, c, user("x"))
			complete(t, c, toolRequest())
			calls(t, s, 2, 1)
		})
	}
	t.Run("no such model", func(t *testing.T) {
		t.Parallel()
		s := wire.New(t, answer, &wire.Options{Models: []string{"other"}})
		_, err := atOpenAI(t, s, openai.Options{}).Complete(t.Context(), user("x"))
		if e := errorOf(t, err); e.Kind != llm.KindModel || e.Code != "model_not_found" {
			t.Errorf("got %v", err)
		}
		calls(t, s, 0, 1)
	})
	t.Run("nothing there at all", func(t *testing.T) {
		t.Parallel()
		s := wire.New(t, func(wire.Request) wire.Reply { return notFound() }, nil)
		c := atOpenAI(t, s, openai.Options{})
		for range 2 {
			_, err := c.Complete(t.Context(), user("x"))
			if e := errorOf(t, err); e.Kind != llm.KindModel || !strings.Contains(e.Message, "base URL") {
				t.Errorf("got %v", err)
			}
		}
		calls(t, s, 2, 2)
	})
	t.Run("explicit responses do not fall back", func(t *testing.T) {
		t.Parallel()
		s := wire.New(t, func(wire.Request) wire.Reply { return notFound() }, nil)
		_, err := newClient(t, openai.Options{BaseURL: s.URL(), Transport: openai.TransportResponses}).Complete(t.Context(), user("x"))
		if e := errorOf(t, err); e.Kind != llm.KindModel {
			t.Errorf("got %v", err)
		}
		calls(t, s, 0, 1)
	})
	toolsOnlyInResponses := func(responses bool) wire.Handler {
		return func(req wire.Request) wire.Reply {
			switch {
			case req.Endpoint == wire.Chat && len(req.Tools) > 0 && (req.Effort != "none" || req.Model == "astra"):
				return wire.Error(400, "", "reasoning_effort", toolsNeedResponses)
			case req.Endpoint == wire.Responses && !responses:
				return notFound()
			case len(req.Tools) > 0:
				return wire.Reply{Calls: []llm.ToolCall{directCall}}
			case req.Schema != nil:
				return wire.Reply{Text: `{"calls":[{"generator":"generate_direct","args":` + directCall.Arguments + `}]}`}
			default:
				return answer(req)
			}
		}
	}
	t.Run("tools in responses only", func(t *testing.T) {
		t.Parallel()
		s := wire.New(t, toolsOnlyInResponses(true), nil)
		c := newClient(t, openai.Options{BaseURL: s.URL()})
		complete(t, c, toolRequest())
		complete(t, c, toolRequest())
		complete(t, c, user("x")) // without tools chat is fine
		calls(t, s, 2, 2)
	})
	t.Run("tools in responses only, and no responses", func(t *testing.T) {
		t.Parallel()
		s := wire.New(t, toolsOnlyInResponses(false), nil)
		c := newClient(t, openai.Options{BaseURL: s.URL()})
		_, err := c.Complete(t.Context(), toolRequest())
		if e := errorOf(t, err); e.Kind != llm.KindUnsupported || e.Param != "reasoning_effort" {
			t.Errorf("got %v, want chat's own refusal, which Adaptive knows to meet", err)
		}
		for model, effort := range map[string]string{"m": "none", "astra": ""} {
			req := toolRequest()
			req.Model = model
			resp, err := llm.Adaptive(c, c.Capabilities()).Complete(t.Context(), req)
			if err != nil || len(resp.Calls) != 1 || resp.Calls[0].Name != "generate_direct" {
				t.Errorf("%s (%s): %+v, %v", model, effort, resp, err)
			}
		}
	})
}

// Servers as reference pages and bug reports describe them; all of them must
// give the one call that is wanted, through Adaptive.
func TestToolCallsFromEveryKindOfServer(t *testing.T) {
	t.Parallel()
	object := func(status int, text string) wire.Reply {
		b, err := json.Marshal(map[string]string{"error": text})
		if err != nil {
			t.Fatal(err)
		}
		return wire.Reply{Status: status, Raw: string(b)}
	}
	router := `{"calls":[{"generator":"generate_direct","args":` + directCall.Arguments + `}]}`
	for _, tt := range []struct {
		name  string
		serve wire.Handler
		calls int // that two completions may cost at most
	}{
		{"good", func(wire.Request) wire.Reply { return wire.Reply{Calls: []llm.ToolCall{directCall}} }, 2},
		{"finish stop", func(wire.Request) wire.Reply {
			return wire.Reply{Calls: []llm.ToolCall{directCall}, Finish: "stop"}
		}, 2},
		{"no tools, json_schema", func(req wire.Request) wire.Reply {
			switch {
			case len(req.Tools) > 0:
				return wire.Error(400, "", "", "registry.ollama.ai/library/m does not support tools")
			case req.Schema != nil:
				return wire.Reply{Text: router}
			default:
				return wire.Reply{Text: "What do you mean?"}
			}
		}, 3},
		{"no tools, no json_schema, json_object", func(req wire.Request) wire.Reply {
			switch {
			case len(req.Tools) > 0:
				return wire.Reply{Status: 500, Raw: `{"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}}`}
			case req.Schema != nil:
				return wire.Error(400, "unsupported_parameter", "response_format", "json_schema is not supported")
			case req.JSONObject:
				return wire.Reply{Text: router}
			default:
				return wire.Reply{Text: "What do you mean?"}
			}
		}, 6},
		{"nothing but text", func(req wire.Request) wire.Reply {
			switch {
			case len(req.Tools) > 0:
				return object(400, "model m does not support tools")
			case req.Schema != nil || req.JSONObject:
				return object(400, "'response_format.type' must be 'text'")
			default:
				return wire.Reply{Text: "<think>{\"calls\":[]}</think>Sure!\n```json\n" + router + "\n```"}
			}
		}, 8},
		{"Ollama: the choice is ignored, the call comes as text", func(req wire.Request) wire.Reply {
			if len(req.Tools) > 0 && req.ToolChoice == llm.ToolRequired && !strings.Contains(req.Messages[0].Content, "must") {
				return wire.Reply{Text: "Let me think about refunds."}
			}
			return wire.Reply{Text: `{"name":"generate_direct","parameters":` + directCall.Arguments + `}`}
		}, 4},
		{"tags", func(wire.Request) wire.Reply {
			return wire.Reply{Text: "<tool_call>\n{\"name\":\"functions.generate_direct\",\"arguments\":" + directCall.Arguments + "}\n</tool_call>"}
		}, 2},
		{"LM Studio: strings only", func(req wire.Request) wire.Reply {
			if strings.Contains(string(req.Body), `"tool_choice":{`) {
				return object(400, "Invalid tool_choice type: 'object'. Supported string values: none, auto, required")
			}
			if req.JSONObject {
				return object(400, "'response_format.type' must be 'json_schema' or 'text'")
			}
			return wire.Reply{Calls: []llm.ToolCall{directCall}}
		}, 3},
		{"vLLM without a parser", func(req wire.Request) wire.Reply {
			if len(req.Tools) > 0 {
				return wire.Reply{Status: 400, Raw: `{"object":"error","message":"\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set","type":"BadRequestError","param":null,"code":400}`}
			}
			return wire.Reply{Text: router}
		}, 3},
		{"no endpoint of the router takes tools", func(req wire.Request) wire.Reply {
			if len(req.Tools) > 0 {
				return wire.Reply{Status: 404, Raw: `{"error":{"message":"No endpoints found that support tool use.","code":404}}`}
			}
			return wire.Reply{Text: router}
		}, 3},
		{"parallel_tool_calls and strict are refused", func(req wire.Request) wire.Reply {
			if req.Parallel != nil {
				return wire.Error(400, "unknown_parameter", "parallel_tool_calls", "Unknown parameter: 'parallel_tool_calls'.")
			}
			if strings.Contains(string(req.Body), `"strict":true`) {
				return object(422, "Extra inputs are not permitted: strict")
			}
			return wire.Reply{Calls: []llm.ToolCall{directCall, directCall}}
		}, 6},
	} {
		for _, choice := range []llm.ToolChoice{llm.ToolRequired, "generate_direct"} {
			t.Run(tt.name+"/"+string(choice), func(t *testing.T) {
				t.Parallel()
				s := wire.New(t, tt.serve, nil)
				client := newClient(t, openai.Options{BaseURL: s.URL()})
				caps := client.Capabilities()
				caps.ToolChoice = llm.ChoiceObject // the hardest way
				c := llm.Adaptive(client, caps)
				req := toolRequest()
				req.ToolChoice, req.Parallel = choice, ptr(false)
				for range 2 {
					resp, err := c.Complete(t.Context(), req)
					if err != nil {
						t.Fatal(err)
					}
					want := []llm.ToolCall{{ID: "call_1", Name: directCall.Name, Arguments: directCall.Arguments}}
					if diff := cmp.Diff(want, resp.Calls); diff != "" {
						t.Errorf("(-want +got):\n%s", diff)
					}
				}
				if s.Calls() > tt.calls {
					t.Errorf("%d calls, want %d at most: a refusal is to be remembered", s.Calls(), tt.calls)
				}
			})
		}
	}
}

// A server that fails most of the time still answers in the end, in the same
// words, whatever the number of calls at once.
func TestAnswersThroughFaults(t *testing.T) {
	t.Parallel()
	type reply struct {
		Number int `json:"number"`
	}
	run := func(t *testing.T, via openai.Transport, concurrency int) (map[wire.Fault]int, []string) {
		s := wire.New(t, func(req wire.Request) wire.Reply {
			last := req.Messages[len(req.Messages)-1].Content
			return wire.Reply{Text: `{"number":` + strings.TrimPrefix(last, "Номер ") + `}`}
		}, &wire.Options{Key: testKey, Faults: wire.Faults(7, .5)})
		limiter := llm.NewLimiter(&llm.LimitOptions{Concurrency: concurrency})
		ledger, err := llm.NewLedger(llm.Budget{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		client := newClient(t, openai.Options{BaseURL: s.URL(), APIKey: testKey, Transport: via})
		c := llm.Adaptive(llm.Retry(ledger.Client(limiter.Client(client)), &llm.RetryOptions{Attempts: 20, Base: time.Millisecond, Max: 4 * time.Millisecond}), client.Capabilities())
		out := make([]string, 60)
		var wg sync.WaitGroup
		for i := range out {
			wg.Go(func() {
				req := user(fmt.Sprintf("Номер %d", i))
				req.MaxTokens = 50
				got, _, err := llm.Ask[reply](t.Context(), c, req)
				var e *llm.Error
				switch {
				case err == nil:
					out[i] = fmt.Sprint(got.Number)
				case errors.As(err, &e):
					out[i] = string(e.Kind)
				default:
					out[i] = err.Error()
				}
			})
		}
		wg.Wait()
		if spent := ledger.Snapshot(); int(spent.Calls) != s.Calls() {
			t.Errorf("the ledger counts %d calls, the server %d", spent.Calls, s.Calls())
		}
		return s.Faulted(), out
	}
	for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
		t.Run(string(via), func(t *testing.T) {
			t.Parallel()
			faults, first := run(t, via, 1)
			if len(faults) != 7 {
				t.Errorf("not every fault came: %v", faults)
			}
			answered := 0
			for i, got := range first {
				switch got {
				case fmt.Sprint(i):
					answered++
				case string(llm.KindRefused), string(llm.KindTruncated): // outcomes, not failures to repeat
				default:
					t.Errorf("%d: %s", i, got)
				}
			}
			if answered < 45 {
				t.Errorf("%d of 60 answered: %v", answered, first)
			}
			for _, n := range []int{4, 64} {
				again, same := run(t, via, n)
				if diff := cmp.Diff(first, same); diff != "" {
					t.Errorf("%d at once (-1 +%d):\n%s", n, n, diff)
				}
				if diff := cmp.Diff(faults, again); diff != "" {
					t.Errorf("faults, %d at once (-1 +%d):\n%s", n, n, diff)
				}
			}
		})
	}
}

func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	s := wire.New(t, func(req wire.Request) wire.Reply {
		if req.Endpoint == wire.Chat && len(req.Tools) > 0 {
			return wire.Error(400, "", "reasoning_effort", toolsNeedResponses)
		}
		return wire.Reply{Text: req.Messages[len(req.Messages)-1].Content}
	}, &wire.Options{Latency: time.Millisecond})
	c := newClient(t, openai.Options{BaseURL: s.URL()})
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			req := user(fmt.Sprint(i))
			if i%2 == 1 {
				req.Tools = toolRequest().Tools
			}
			resp, err := c.Complete(t.Context(), req)
			if err != nil || resp.Text != fmt.Sprint(i) {
				t.Errorf("%d: %+v, %v", i, resp, err)
			}
			if i%20 == 0 {
				if _, err := c.Embedder("e").Embed(t.Context(), []string{fmt.Sprint(i), "x"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s.MaxConcurrent() < 2 {
		t.Errorf("never more than %d at once", s.MaxConcurrent())
	}
}

// Servers and proxies repeat the key in every place they can; no error may.
func TestKeyIsInNoError(t *testing.T) {
	t.Parallel()
	const hostileKey = `sk-"quoted"<&>+/=%41-0123456789`
	for _, key := range []string{testKey, hostileKey, "ollama", "x"} {
		echo := url.QueryEscape(key)
		quoted, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		text := string(quoted)
		in := text[1 : len(text)-1] // as it stands inside a JSON string
		bodies := []string{
			`{"error":{"message":"wrong key ` + in + `, ` + in + ` or ` + echo + `","type":` + text + `,"param":` + text + `,"code":` + text + `}}`,
			`{"error":` + text + `}`, `{"detail":` + text + `}`, `{"detail":[{"loc":["body",` + text + `],"msg":` + text + `}]}`,
			`{"object":"error","message":` + text + `}`, `[{"error":{"message":` + text + `}}]`,
			`<html><title>` + key + `</title></html>`, `<p>` + key + `</p>`, key, ``,
			`{"error":{"message":"` + strings.Repeat("long ", 118) + in + `"}}`, // at the cut
			`{"error":{"message":"m","metadata":{"raw":` + text + `}}}`,
			`{"model":` + text + `,"choices":[{"finish_reason":"stop","message":{"refusal":` + text + `}}]}`,
			`{"model":` + text + `,"choices":[{"finish_reason":"length","message":{}}]}`,
			`{"model":` + text + `,"choices":[{"finish_reason":"error","error":{"message":` + text + `},"message":{}}]}`,
			`{"model":` + text + `,"status":"failed","error":{"code":` + text + `,"message":` + text + `}}`,
			`{"model":` + text + `,"status":` + text + `,"output":[]}`,
			`{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":` + text + `}]}]}`,
			`{"choices":` + text + `}`, `{"choices":[` + in,
		}
		for i, body := range bodies {
			for _, status := range []int{200, 302, 400, 401, 404, 429, 500} {
				for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
					header := http.Header{}
					if status == 302 {
						header.Set("Location", "http://host/"+echo)
					}
					c := newClient(t, openai.Options{BaseURL: raw(t, status, header, body), APIKey: key, Transport: via})
					_, err := c.Complete(t.Context(), user("hello"))
					noKey(t, fmt.Sprintf("body %d, %d, %s", i, status, via), err, key)
					_, err = c.Embedder("e").Embed(t.Context(), []string{"a"})
					noKey(t, fmt.Sprintf("body %d, %d, embeddings", i, status), err, key)
				}
			}
		}
		// A transport may put what it sent into its error.
		c := newClient(t, openai.Options{BaseURL: "http://host/v1", APIKey: key, HTTPClient: &http.Client{Transport: leaky{}}})
		_, err = c.Complete(t.Context(), user("hello"))
		noKey(t, "transport", err, key)
		if e := errorOf(t, err); e.Kind != llm.KindOverload {
			t.Errorf("transport: %v", err)
		}
		// A server that does not speak HTTP repeats it in Go's own error.
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			fmt.Fprintf(conn, "%s\r\n\r\n", r.Header.Get("Authorization"))
			conn.Close()
		}))
		t.Cleanup(s.Close)
		_, err = newClient(t, openai.Options{BaseURL: s.URL, APIKey: key}).Complete(t.Context(), user("hello"))
		noKey(t, "not HTTP", err, key)
	}
}

type leaky struct{}

func (leaky) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("cannot send %v", r.Header)
}

// noKey looks for the key in an error, in all that it wraps and in its JSON.
func noKey(t *testing.T, where string, err error, key string) {
	t.Helper()
	if err == nil {
		return // not every body is an error of both transports
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		b, jerr := json.Marshal(e)
		if jerr != nil {
			t.Fatal(jerr)
		}
		for _, text := range []string{e.Error(), fmt.Sprintf("%+v", e), fmt.Sprintf("%#v", e), string(b)} {
			if len(key) >= 8 && (strings.Contains(text, key) || strings.Contains(text, url.QueryEscape(key))) {
				t.Errorf("%s: the key %q is in %q", where, key, text)
			}
			// A key that is a word is cut out as a word: "x" may stand in "max".
			if words := strings.FieldsFunc(e.Error(), func(r rune) bool { return strings.ContainsRune(` "'.,:;()[]`, r) }); len(key) < 8 && slices.Contains(words, key) {
				t.Errorf("%s: the key %q is in %q", where, key, e)
			}
		}
	}
}

func TestClientIsAnEmbedderAndAClient(t *testing.T) {
	t.Parallel()
	c := newClient(t, openai.Options{BaseURL: "http://host/v1", Model: "m"})
	var _ llm.Client = c
	var _ llm.Embedder = c.Embedder("e")
	if got := llm.ModelOf(llm.Retry(c, nil)); got != "m" {
		t.Errorf("model through a decorator: %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Complete(ctx, user("x")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
