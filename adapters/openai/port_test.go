package openai_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/wire"
)

const testKey = "sk-test-0123456789abcdef"

func user(text string) *llm.Request {
	return &llm.Request{Messages: []llm.Message{{Role: llm.RoleUser, Content: text}}}
}

func newClient(tb testing.TB, o openai.Options) *openai.Client {
	tb.Helper()
	if o.Model == "" {
		o.Model = "m"
	}
	c, err := openai.New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// raw serves one reply for every call.
func raw(tb testing.TB, status int, header http.Header, body string) string {
	tb.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for k, v := range header {
			w.Header()[k] = v
		}
		w.WriteHeader(status)
		w.Write([]byte(body))
	}))
	tb.Cleanup(s.Close)
	return s.URL + "/v1"
}

func errorOf(tb testing.TB, err error) *llm.Error {
	tb.Helper()
	var e *llm.Error
	if !errors.As(err, &e) {
		tb.Fatalf("error = %v (%T), want an *llm.Error", err, err)
	}
	return e
}

func TestNewRefusesWrongOptions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		o    openai.Options
		want []string // the options that are wrong
	}{
		{"nothing", openai.Options{}, []string{"Model", "APIKey"}},
		{"blank model", openai.Options{APIKey: testKey, Model: " \n"}, []string{"Model"}},
		{"no key at OpenAI", openai.Options{Model: "m"}, []string{"APIKey"}},
		{"no key at OpenAI by its URL", openai.Options{Model: "m", BaseURL: "https://API.openai.com/v1/"}, []string{"APIKey"}},
		{"no key elsewhere", openai.Options{Model: "m", BaseURL: "http://localhost:11434/v1"}, nil},
		{"key with a line end", openai.Options{APIKey: testKey + "\n", Model: "m"}, []string{"APIKey"}},
		{"key in Cyrillic", openai.Options{APIKey: "ключ", Model: "m"}, []string{"APIKey"}},
		{"no scheme", openai.Options{Model: "m", BaseURL: "localhost:11434/v1"}, []string{"BaseURL"}},
		{"no host", openai.Options{Model: "m", BaseURL: "http:///v1"}, []string{"BaseURL"}},
		{"broken", openai.Options{Model: "m", BaseURL: "http://[::1/v1"}, []string{"BaseURL"}},
		{"password", openai.Options{Model: "m", BaseURL: "https://u:" + testKey + "@host/v1"}, []string{"BaseURL"}},
		{"query", openai.Options{Model: "m", BaseURL: "https://host/v1?key=" + testKey}, []string{"BaseURL"}},
		{"transport", openai.Options{APIKey: testKey, Model: "m", Transport: "grpc"}, []string{"Transport"}},
		{"batch", openai.Options{APIKey: testKey, Model: "m", EmbeddingBatch: 5000}, []string{"EmbeddingBatch"}},
		{"fine", openai.Options{APIKey: testKey, Model: "m"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := openai.New(tt.o)
			if (c == nil) == (err == nil) {
				t.Fatalf("client %v and error %v", c, err)
			}
			var got []string
			for _, e := range split(err) {
				var oe *openai.OptionError
				if !errors.As(e, &oe) {
					t.Fatalf("%v is no *OptionError", e)
				}
				got = append(got, oe.Option)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("wrong options (-want +got):\n%s\n%v", diff, err)
			}
			if err != nil && strings.Contains(err.Error(), testKey) {
				t.Errorf("the key is in %q", err)
			}
		})
	}
}

func split(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err != nil {
		return []error{err}
	}
	return nil
}

// The environment has a key, an address and headers of its own: none may be used.
func TestEnvironmentIsNotRead(t *testing.T) {
	for _, name := range []string{"OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY", "OPENAI_WEBHOOK_SECRET"} {
		t.Setenv(name, "sk-from-the-environment")
	}
	t.Setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
	t.Setenv("OPENAI_CUSTOM_HEADERS", "X-Custom: sk-from-the-environment")
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
		s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{Text: "ok"} }, &wire.Options{Log: true})
		c := newClient(t, openai.Options{BaseURL: s.URL(), Transport: via})
		if _, err := c.Complete(t.Context(), user("hello")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Embedder("e").Embed(t.Context(), []string{"a"}); err != nil {
			t.Fatal(err)
		}
		for _, req := range s.Log() {
			for name, values := range req.Header {
				if strings.Contains(strings.Join(values, " "), "sk-from") || name == "Authorization" || strings.HasPrefix(name, "X-Stainless") {
					t.Errorf("%s: header %s: %q was sent", req.Endpoint, name, values)
				}
			}
		}
		if n := s.Calls(); n != 2 {
			t.Errorf("%d calls came, want 2", n)
		}
	}
	if _, err := openai.New(openai.Options{}); err == nil {
		t.Error("the key or the model came from the environment")
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{Text: "ok"} }, &wire.Options{Log: true, Key: testKey})
	c := newClient(t, openai.Options{BaseURL: s.URL() + "/", APIKey: testKey, Organization: "org", Project: "proj", ServiceTier: "flex"})
	if _, err := c.Complete(t.Context(), user("hello")); err != nil {
		t.Fatal(err)
	}
	h := s.Log()[0].Header
	got := []string{h.Get("Authorization"), h.Get("OpenAI-Organization"), h.Get("OpenAI-Project")}
	if diff := cmp.Diff([]string{"Bearer " + testKey, "org", "proj"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !strings.Contains(string(s.Log()[0].Body), `"service_tier":"flex"`) {
		t.Errorf("no service tier in %s", s.Log()[0].Body)
	}
}

// Every row: a reply with a status of failure, in the shapes that servers use,
// and what it must become. Both transports read them alike.
func TestStatusErrors(t *testing.T) {
	t.Parallel()
	openaiBody := func(code, param, message string) string {
		b, err := json.Marshal(map[string]any{"error": map[string]any{"message": message, "type": "invalid_request_error", "param": param, "code": code}})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for _, tt := range []struct {
		name    string
		status  int
		header  http.Header
		body    string
		want    llm.Error
		message string // if not the whole message is given
	}{
		// Shapes.
		{name: "openai", status: 429, body: openaiBody("rate_limit_exceeded", "", "Slow down"), want: llm.Error{Kind: llm.KindRate, Code: "rate_limit_exceeded", Message: "Slow down"}},
		{name: "integer code", status: 400, body: `{"error":{"message":"bad","type":"BadRequestError","param":null,"code":400}}`, want: llm.Error{Kind: llm.KindUnsupported, Code: "400", Message: "bad"}},
		{name: "text", status: 400, body: `{"error":"'response_format.type' must be 'json_schema' or 'text'"}`, want: llm.Error{Kind: llm.KindUnsupported, Message: "'response_format.type' must be 'json_schema' or 'text'"}},
		{name: "detail", status: 401, body: `{"detail":"Not authenticated"}`, want: llm.Error{Kind: llm.KindAuth, Message: "Not authenticated"}},
		{name: "detail list", status: 422, body: `{"detail":[{"loc":["body","temperature"],"msg":"Extra inputs are not permitted","type":"extra_forbidden"}]}`, want: llm.Error{Kind: llm.KindUnsupported, Code: "", Param: "temperature", Message: "Extra inputs are not permitted"}},
		{name: "old vLLM", status: 404, body: `{"object":"error","message":"The model x does not exist.","type":"NotFoundError","param":null,"code":404}`, want: llm.Error{Kind: llm.KindModel, Code: "404", Message: "The model x does not exist. (check the model's name and the base URL)"}},
		{name: "Gemini array", status: 429, body: `[{"error":{"code":429,"message":"You exceeded your current quota","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34s"}]}}]`, want: llm.Error{Kind: llm.KindRate, Code: "429", Message: "You exceeded your current quota", RetryAfter: 34 * time.Second}},
		{name: "HTML", status: 502, header: http.Header{"Content-Type": {"text/html"}}, body: "<html>\n<head><title>502 Bad\n Gateway</title></head><body>nginx</body></html>", want: llm.Error{Kind: llm.KindOverload, Message: "502 Bad Gateway"}},
		{name: "HTML without a title", status: 503, header: http.Header{"Content-Type": {"text/html"}}, body: "<p>ОШИБКА &amp; <b>всё</b></p>", want: llm.Error{Kind: llm.KindOverload, Message: "ОШИБКА & всё"}},
		{name: "plain text", status: 404, header: http.Header{"Content-Type": {"text/plain"}}, body: "404 page not found\n", want: llm.Error{Kind: llm.KindModel, Message: "404 page not found (check the model's name and the base URL)"}},
		{name: "empty", status: 500, body: "", want: llm.Error{Kind: llm.KindOverload, Message: "internal server error"}},
		{name: "null", status: 500, body: "null", want: llm.Error{Kind: llm.KindOverload, Message: "internal server error"}},
		{name: "broken JSON", status: 500, body: `{"error":{"mess`, want: llm.Error{Kind: llm.KindOverload, Message: `{"error":{"mess`}},
		{name: "upstream", status: 429, body: `{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"{\"error\":{\"message\":\"busy\"}}","provider_name":"X"}}}`, want: llm.Error{Kind: llm.KindRate, Code: "429", Message: "Provider returned error: busy"}},
		// Waits.
		{name: "seconds", status: 429, header: http.Header{"Retry-After": {"7"}}, body: "{}", want: llm.Error{Kind: llm.KindRate, Message: "too many requests", RetryAfter: 7 * time.Second}},
		{name: "milliseconds first", status: 503, header: http.Header{"Retry-After": {"7"}, "Retry-After-Ms": {"250"}}, body: "{}", want: llm.Error{Kind: llm.KindOverload, Message: "service unavailable", RetryAfter: 250 * time.Millisecond}},
		{name: "a date, by the server's clock", status: 429, header: http.Header{"Date": {"Tue, 03 Mar 2020 10:00:00 GMT"}, "Retry-After": {"Tue, 03 Mar 2020 10:00:20 GMT"}}, body: "{}", want: llm.Error{Kind: llm.KindRate, Message: "too many requests", RetryAfter: 20 * time.Second}},
		{name: "nonsense", status: 429, header: http.Header{"Retry-After": {"soon"}, "Retry-After-Ms": {"-5"}}, body: "{}", want: llm.Error{Kind: llm.KindRate, Message: "too many requests"}},
		{name: "for ever", status: 429, header: http.Header{"Retry-After": {"1e300"}}, body: "{}", want: llm.Error{Kind: llm.KindRate, Message: "too many requests", RetryAfter: 1 << 62}},
		// Classes.
		{name: "slow down", status: 503, body: openaiBody("slow_down", "", "x"), want: llm.Error{Kind: llm.KindRate, Code: "slow_down", Message: "x"}},
		{name: "quota", status: 429, body: openaiBody("insufficient_quota", "", "x"), want: llm.Error{Kind: llm.KindQuota, Code: "insufficient_quota", Message: "x"}},
		{name: "spend limit", status: 429, body: openaiBody("project_spend_limit_exceeded", "", "x"), want: llm.Error{Kind: llm.KindQuota, Code: "project_spend_limit_exceeded", Message: "x"}},
		{name: "payment", status: 402, body: `{"error":"Insufficient Balance"}`, want: llm.Error{Kind: llm.KindQuota, Message: "Insufficient Balance"}},
		{name: "quota is only wording", status: 429, body: `{"error":{"message":"Quota exceeded, retry","code":"429"}}`, want: llm.Error{Kind: llm.KindRate, Code: "429", Message: "Quota exceeded, retry"}},
		{name: "type insufficient_quota with a rate's code", status: 429, body: `{"error":{"message":"x","type":"insufficient_quota","code":"rate_limit_exceeded"}}`, want: llm.Error{Kind: llm.KindRate, Code: "rate_limit_exceeded", Message: "x"}},
		{name: "type insufficient_quota and no code", status: 429, body: `{"error":{"message":"x","type":"insufficient_quota","code":null}}`, want: llm.Error{Kind: llm.KindRate, Message: "x"}},
		{name: "never fits the minute", status: 429, body: openaiBody("rate_limit_exceeded", "", "Request too large for m on tokens per min (TPM): Limit 1, Requested 2"), want: llm.Error{Kind: llm.KindTooLong, Code: "rate_limit_exceeded"}, message: "Request too large"},
		{name: "overloaded", status: 503, body: openaiBody("server_is_overloaded", "", "x"), want: llm.Error{Kind: llm.KindOverload, Code: "server_is_overloaded", Message: "x"}},
		{name: "408", status: 408, body: "", want: llm.Error{Kind: llm.KindOverload, Message: "request timeout"}},
		{name: "409", status: 409, body: "", want: llm.Error{Kind: llm.KindOverload, Message: "conflict"}},
		{name: "401", status: 401, body: openaiBody("invalid_api_key", "", "Incorrect API key provided"), want: llm.Error{Kind: llm.KindAuth, Code: "invalid_api_key", Message: "Incorrect API key provided"}},
		{name: "403", status: 403, body: "", want: llm.Error{Kind: llm.KindAuth, Message: "forbidden"}},
		{name: "moderation before the model", status: 403, body: `{"error":{"code":403,"message":"flagged","metadata":{"reasons":["violence"],"flagged_input":"…"}}}`, want: llm.Error{Kind: llm.KindBlocked, Code: "403", Message: "flagged"}},
		{name: "Gemini's key", status: 400, body: `{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT"}}`, want: llm.Error{Kind: llm.KindAuth, Code: "400"}, message: "API key not valid"},
		{name: "model", status: 404, body: openaiBody("model_not_found", "", "x"), want: llm.Error{Kind: llm.KindModel, Code: "model_not_found", Message: "x"}},
		{name: "model as a parameter", status: 400, body: openaiBody("invalid_value", "model", "x"), want: llm.Error{Kind: llm.KindModel, Code: "invalid_value", Param: "model", Message: "x"}},
		{name: "no endpoint takes tools", status: 404, body: `{"error":{"message":"No endpoints found that support tool use.","code":404}}`, want: llm.Error{Kind: llm.KindUnsupported, Code: "404", Message: "No endpoints found that support tool use."}},
		{name: "too long by code", status: 400, body: openaiBody("context_length_exceeded", "messages", "x"), want: llm.Error{Kind: llm.KindTooLong, Code: "context_length_exceeded", Param: "messages", Message: "x"}},
		{name: "too long by text", status: 400, body: `{"object":"error","message":"This model's maximum context length is 4096 tokens","code":400}`, want: llm.Error{Kind: llm.KindTooLong, Code: "400"}, message: "maximum context"},
		{name: "too long by type", status: 500, body: `{"error":{"code":500,"type":"exceed_context_size_error","message":"the request exceeds the available context size"}}`, want: llm.Error{Kind: llm.KindTooLong, Code: "500"}, message: "available context size"},
		{name: "413", status: 413, body: "", want: llm.Error{Kind: llm.KindTooLong, Message: "request entity too large"}},
		{name: "function schema", status: 400, body: openaiBody("invalid_function_parameters", "tools[0].function.parameters", "In context=('properties','x'), 'default' is not permitted."), want: llm.Error{Kind: llm.KindSchema, Code: "invalid_function_parameters", Param: "tools[0].function.parameters", Message: "In context=('properties','x'), 'default' is not permitted."}},
		{name: "reply schema", status: 400, body: openaiBody("invalid_json_schema", "response_format", "x is not supported"), want: llm.Error{Kind: llm.KindSchema, Code: "invalid_json_schema", Param: "response_format", Message: "x is not supported"}},
		{name: "schema by text", status: 400, body: openaiBody("", "", "Invalid schema for response_format 'x'"), want: llm.Error{Kind: llm.KindSchema, Message: "Invalid schema for response_format 'x'"}},
		{name: "schema by parameter", status: 400, body: openaiBody("", "text.format.schema", "bad"), want: llm.Error{Kind: llm.KindSchema, Param: "text.format.schema", Message: "bad"}},
		{name: "tools by parameter", status: 400, body: openaiBody("array_above_max_length", "tools", "too many"), want: llm.Error{Kind: llm.KindSchema, Code: "array_above_max_length", Param: "tools", Message: "too many"}},
		{name: "temperature", status: 400, body: openaiBody("unsupported_value", "temperature", "x"), want: llm.Error{Kind: llm.KindUnsupported, Code: "unsupported_value", Param: "temperature", Message: "x"}},
		{name: "response_format is not taken at all", status: 400, body: openaiBody("unsupported_parameter", "response_format", "x"), want: llm.Error{Kind: llm.KindUnsupported, Code: "unsupported_parameter", Param: "response_format", Message: "x"}},
		{name: "Ollama without tools", status: 400, body: `{"error":{"message":"registry.ollama.ai/library/x does not support tools","type":"api_error","param":null,"code":null}}`, want: llm.Error{Kind: llm.KindUnsupported, Message: "registry.ollama.ai/library/x does not support tools"}},
		{name: "LM Studio's choice", status: 400, body: `{"error":"Invalid tool_choice type: 'object'. Supported string values: none, auto, required"}`, want: llm.Error{Kind: llm.KindUnsupported}, message: "Invalid tool_choice type"},
		{name: "llama.cpp without templates", status: 500, body: `{"error":{"code":500,"message":"tools param requires --jinja flag","type":"server_error"}}`, want: llm.Error{Kind: llm.KindUnsupported, Code: "500", Message: "tools param requires --jinja flag"}},
		{name: "Azure's filter", status: 400, body: openaiBody("content_filter", "prompt", "The response was filtered"), want: llm.Error{Kind: llm.KindBlocked, Code: "content_filter", Param: "prompt", Message: "The response was filtered"}},
		{name: "Azure's inner error", status: 400, body: `{"error":{"message":"m","code":"bad","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, want: llm.Error{Kind: llm.KindBlocked, Code: "content_filter", Message: "m"}},
		{name: "flagged prompt", status: 400, body: openaiBody("invalid_prompt", "", "x"), want: llm.Error{Kind: llm.KindBlocked, Code: "invalid_prompt", Message: "x"}},
		{name: "redirect", status: 308, header: http.Header{"Location": {"https://elsewhere/v1"}}, body: "", want: llm.Error{Kind: llm.KindModel, Message: "the server redirects to https://elsewhere/v1: give the final address as BaseURL"}},
	} {
		for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
			t.Run(tt.name+"/"+string(via), func(t *testing.T) {
				t.Parallel()
				c := newClient(t, openai.Options{BaseURL: raw(t, tt.status, tt.header, tt.body), Transport: via})
				_, err := c.Complete(t.Context(), user("hello"))
				got := *errorOf(t, err)
				got.Err = nil
				want := tt.want
				want.Status = tt.status
				if tt.message != "" && strings.Contains(got.Message, tt.message) {
					want.Message = got.Message
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// Replies with a status of success that are none.
func TestReplyErrors(t *testing.T) {
	t.Parallel()
	const usageChat = `"model":"served","usage":{"prompt_tokens":"7","completion_tokens":100}`
	const usageResp = `"model":"served","usage":{"input_tokens":7,"output_tokens":100}`
	usage := llm.Usage{Input: 7, Output: 100}
	for _, tt := range []struct {
		name string
		via  openai.Transport // empty: both
		max  int
		body string
		want llm.Kind
		code string
		used llm.Usage
	}{
		{name: "null", body: "null", want: llm.KindMalformed},
		{name: "empty", body: "", want: llm.KindMalformed},
		{name: "blank", body: " \n", want: llm.KindMalformed},
		{name: "HTML", body: "<html><title>Sign in</title></html>", want: llm.KindMalformed},
		{name: "text", body: "ok", want: llm.KindMalformed},
		{name: "number", body: "42", want: llm.KindMalformed},
		{name: "half an object", body: `{"id":"x","choices":[{"mess`, want: llm.KindMalformed},
		{name: "wrong type", body: `{"choices":7,"output":7}`, want: llm.KindMalformed},
		{name: "no choices and no output", body: `{"choices":[],"output":[]}`, want: llm.KindMalformed},
		{name: "array of errors", body: `[{"error":{"code":503,"message":"x"}}]`, want: llm.KindOverload, code: "503"},
		{name: "error object", body: `{"error":{"message":"upstream","code":502}}`, want: llm.KindOverload, code: "502"},
		{name: "error without a code", body: `{"error":{"message":"upstream"}}`, want: llm.KindOverload},
		{name: "error text", body: `{"error":"busy"}`, want: llm.KindOverload},
		{name: "rate in the body", body: `{"error":{"message":"x","code":429}}`, want: llm.KindRate, code: "429"},
		{name: "key in the body", body: `{"error":{"message":"x","code":401}}`, want: llm.KindAuth, code: "401"},
		{name: "LM Studio on a wrong path", body: `{"error":"Unexpected endpoint or method. (POST /chat/completions)"}`, want: llm.KindModel},

		{name: "length", via: openai.TransportChat, body: `{` + usageChat + `,"choices":[{"finish_reason":"length","message":{"content":"cut"}}]}`, want: llm.KindTruncated, used: usage},
		{name: "length without content", via: openai.TransportChat, body: `{` + usageChat + `,"choices":[{"finish_reason":"length","message":{"content":null}}]}`, want: llm.KindTruncated, used: usage},
		{name: "at the limit and the finish stop", via: openai.TransportChat, max: 100, body: `{` + usageChat + `,"choices":[{"finish_reason":"stop","message":{"content":"It goes on and"}}]}`, want: llm.KindTruncated, used: usage},
		{name: "at the limit, responses", via: openai.TransportResponses, max: 100, body: `{"status":"completed",` + usageResp + `,"output":[{"type":"message","content":[{"type":"output_text","text":"It goes on and"}]}]}`, want: llm.KindTruncated, used: usage},
		{name: "at the limit with calls", via: openai.TransportChat, max: 100, body: `{` + usageChat + `,"choices":[{"finish_reason":"tool_calls","message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"a\":"}}]}}]}`, want: llm.KindTruncated, used: usage},
		{name: "beyond the limit with a broken call", via: openai.TransportChat, max: 50, body: `{` + usageChat + `,"choices":[{"finish_reason":"stop","message":{"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{\"a\":"}}]}}]}`, want: llm.KindTruncated, used: usage},
		{name: "filter", via: openai.TransportChat, body: `{` + usageChat + `,"choices":[{"finish_reason":"content_filter","message":{"content":"par"}}]}`, want: llm.KindBlocked, code: "content_filter", used: usage},
		{name: "refusal", via: openai.TransportChat, body: `{` + usageChat + `,"choices":[{"finish_reason":"stop","message":{"content":null,"refusal":"I cannot"}}]}`, want: llm.KindRefused, used: usage},
		{name: "provider failed in the middle", via: openai.TransportChat, body: `{` + usageChat + `,"choices":[{"finish_reason":"error","error":{"code":429,"message":"x"},"message":{"content":"par"}}]}`, want: llm.KindRate, code: "429", used: usage},
		{name: "provider failed and says nothing", via: openai.TransportChat, body: `{` + usageChat + `,"choices":[{"finish_reason":"error","message":{"content":""}}]}`, want: llm.KindOverload, used: usage},

		{name: "failed", via: openai.TransportResponses, body: `{"status":"failed",` + usageResp + `,"error":{"code":"server_error","message":"x"},"output":[]}`, want: llm.KindOverload, code: "server_error", used: usage},
		{name: "failed by rate", via: openai.TransportResponses, body: `{"status":"failed",` + usageResp + `,"error":{"code":"rate_limit_exceeded","message":"x"},"output":[]}`, want: llm.KindRate, code: "rate_limit_exceeded", used: usage},
		{name: "failed by policy", via: openai.TransportResponses, body: `{"status":"failed",` + usageResp + `,"error":{"code":"invalid_prompt","message":"x"},"output":[]}`, want: llm.KindBlocked, code: "invalid_prompt", used: usage},
		{name: "failed and says nothing", via: openai.TransportResponses, body: `{"status":"failed",` + usageResp + `,"error":null,"output":[]}`, want: llm.KindOverload, used: usage},
		{name: "incomplete", via: openai.TransportResponses, body: `{"status":"incomplete",` + usageResp + `,"incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"reasoning"}]}`, want: llm.KindTruncated, used: usage},
		{name: "incomplete by filter", via: openai.TransportResponses, body: `{"status":"incomplete",` + usageResp + `,"incomplete_details":{"reason":"content_filter"},"output":[]}`, want: llm.KindBlocked, code: "content_filter", used: usage},
		{name: "incomplete call", via: openai.TransportResponses, body: `{"status":"completed",` + usageResp + `,"output":[{"type":"function_call","status":"incomplete","call_id":"a","name":"f","arguments":"{"}]}`, want: llm.KindTruncated, used: usage},
		{name: "refusal part", via: openai.TransportResponses, body: `{"status":"completed",` + usageResp + `,"output":[{"type":"message","role":"assistant","content":[{"type":"refusal","refusal":"Не могу"}]}]}`, want: llm.KindRefused, used: usage},
		{name: "still working", via: openai.TransportResponses, body: `{"status":"in_progress",` + usageResp + `,"output":[]}`, want: llm.KindMalformed, used: usage},
	} {
		for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
			if tt.via != "" && tt.via != via {
				continue
			}
			t.Run(tt.name+"/"+string(via), func(t *testing.T) {
				t.Parallel()
				c := newClient(t, openai.Options{BaseURL: raw(t, 200, nil, tt.body), Transport: via})
				req := user("hello")
				req.MaxTokens = tt.max
				resp, err := c.Complete(t.Context(), req)
				if resp != nil {
					t.Errorf("a response beside the error: %+v", resp)
				}
				e := errorOf(t, err)
				if e.Kind != tt.want || e.Status != 200 || e.Code != tt.code || e.Usage != tt.used {
					t.Errorf("got kind %q, status %d, code %q, usage %+v; want %q, 200, %q, %+v\n%v", e.Kind, e.Status, e.Code, e.Usage, tt.want, tt.code, tt.used, err)
				}
				if tt.used != (llm.Usage{}) && e.Model != "served" {
					t.Errorf("served by %q", e.Model)
				}
				if e.Message == "" {
					t.Error("no message")
				}
			})
		}
	}
}

// Replies that deviate and are fine.
func TestReplies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		via  openai.Transport
		max  int
		body string
		want llm.Response
	}{
		{
			"text", openai.TransportChat, 0, `{"model":"s","choices":[{"finish_reason":"stop","message":{"content":"да"}}],"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3},"completion_tokens_details":{"reasoning_tokens":2}}}`,
			llm.Response{Text: "да", Finish: "stop", Model: "s", Usage: llm.Usage{Input: 10, Cached: 4, CacheWrite: 3, Output: 5, Reasoning: 2}},
		},
		{"parts", openai.TransportChat, 0, `{"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"image"},{"type":"text","text":"b"}]}}]}`, llm.Response{Text: "ab"}},
		{"text that begins with a bracket", openai.TransportChat, 0, `{"choices":[{"message":{"content":"[{\"type\":\"text\",\"text\":\"a\"}]"}}]}`, llm.Response{Text: `[{"type":"text","text":"a"}]`}},
		{
			"calls with the finish stop", openai.TransportChat, 0, `{"choices":[{"finish_reason":"stop","message":{"content":null,"tool_calls":[{"id":"1","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"2","function":{"name":"g","arguments":{"a":1}}}]}}]}`,
			llm.Response{Finish: "stop", Calls: []llm.ToolCall{{ID: "1", Name: "f", Arguments: "{}"}, {ID: "2", Name: "g", Arguments: `{"a":1}`}}},
		},
		{"calls null", openai.TransportChat, 0, `{"choices":[{"message":{"content":"x","tool_calls":null,"function_call":null}}]}`, llm.Response{Text: "x"}},
		{"arguments null", openai.TransportChat, 0, `{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":null}}]}}]}`, llm.Response{Calls: []llm.ToolCall{{Name: "f"}}}},
		{"old function_call", openai.TransportChat, 0, `{"choices":[{"message":{"content":null,"function_call":{"name":"f","arguments":"{}"}}}]}`, llm.Response{Calls: []llm.ToolCall{{Name: "f", Arguments: "{}"}}}},
		{"custom call", openai.TransportChat, 0, `{"choices":[{"message":{"tool_calls":[{"id":"1","type":"custom","custom":{"name":"f","input":"x"}}]}}]}`, llm.Response{Calls: []llm.ToolCall{{ID: "1", Name: "f", Arguments: "x"}}}},
		{"error null beside a reply", openai.TransportChat, 0, `{"error":null,"choices":[{"message":{"content":"x"}}]}`, llm.Response{Text: "x"}},
		{"beyond a limit that the server counts otherwise", openai.TransportChat, 5, `{"choices":[{"finish_reason":"stop","message":{"content":"whole"}}],"usage":{"completion_tokens":9}}`, llm.Response{Text: "whole", Finish: "stop", Usage: llm.Usage{Output: 9}}},
		{"byte order mark", openai.TransportChat, 0, "\ufeff" + `{"choices":[{"message":{"content":"x"}}]}`, llm.Response{Text: "x"}},

		{
			"answer, commentary, reasoning", openai.TransportResponses, 0, `{"status":"completed","model":"s","error":null,"output":[{"type":"reasoning","summary":[]},{"type":"message","phase":"commentary","content":[{"type":"output_text","text":"hm"}]},{"type":"message","phase":"final_answer","content":[{"type":"output_text","text":"{\"a\":"},{"type":"output_text","text":"1}"}]},{"type":"message","phase":"commentary","content":[{"type":"output_text","text":"so"}]},{"type":"new_thing"}],"usage":{"input_tokens":10,"output_tokens":5,"input_tokens_details":{"cached_tokens":4,"cache_write_tokens":3},"output_tokens_details":{"reasoning_tokens":2}}}`,
			llm.Response{Text: `{"a":1}`, Finish: "completed", Model: "s", Usage: llm.Usage{Input: 10, Cached: 4, CacheWrite: 3, Output: 5, Reasoning: 2}},
		},
		{
			"calls by call_id", openai.TransportResponses, 0, `{"status":"completed","output":[{"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call","id":"fc_2","call_id":"c2","name":"g","arguments":{"a":1}}]}`,
			llm.Response{Finish: "completed", Calls: []llm.ToolCall{{ID: "c1", Name: "f", Arguments: "{}"}, {ID: "c2", Name: "g", Arguments: `{"a":1}`}}},
		},
		{"no status", openai.TransportResponses, 0, `{"output":[{"type":"message","content":[{"type":"output_text","text":"x"}]}]}`, llm.Response{Text: "x"}},
	} {
		t.Run(tt.name+"/"+string(tt.via), func(t *testing.T) {
			t.Parallel()
			// Servers that call JSON something else are read too.
			c := newClient(t, openai.Options{BaseURL: raw(t, 200, http.Header{"Content-Type": {"text/plain"}}, tt.body), Transport: tt.via})
			req := user("hello")
			req.MaxTokens = tt.max
			got, err := c.Complete(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestBrokenConnections(t *testing.T) {
	t.Parallel()
	for _, fault := range []wire.Fault{wire.Reset, wire.CutBody} {
		for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
			t.Run(string(fault)+"/"+string(via), func(t *testing.T) {
				t.Parallel()
				s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{Text: "x", Fault: fault} }, nil)
				_, err := newClient(t, openai.Options{BaseURL: s.URL(), Transport: via}).Complete(t.Context(), user("hello"))
				e := errorOf(t, err)
				if e.Kind != llm.KindOverload || e.Err == nil || !e.Temporary() {
					t.Errorf("got %+v, want a failure that passes, with its cause", e)
				}
				if n := s.Calls(); n != 1 {
					t.Errorf("the adapter called %d times, want once: retries are the decorator's", n)
				}
			})
		}
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		s := httptest.NewServer(http.NotFoundHandler())
		url := s.URL
		s.Close()
		_, err := newClient(t, openai.Options{BaseURL: url}).Complete(t.Context(), user("hello"))
		if e := errorOf(t, err); e.Kind != llm.KindOverload || !strings.Contains(e.Message, "refused") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the client's own timeout", func(t *testing.T) {
		t.Parallel()
		s := wire.New(t, nil, &wire.Options{Latency: time.Minute})
		c := newClient(t, openai.Options{BaseURL: s.URL(), HTTPClient: &http.Client{Timeout: 20 * time.Millisecond}})
		_, err := c.Complete(t.Context(), user("hello"))
		if e := errorOf(t, err); e.Kind != llm.KindOverload {
			t.Errorf("got %v", err)
		}
	})
}

func TestContextErrorsAreAsTheyAre(t *testing.T) {
	t.Parallel()
	s := wire.New(t, nil, &wire.Options{Latency: time.Minute})
	c := newClient(t, openai.Options{BaseURL: s.URL()})
	e := c.Embedder("e")
	stop := errors.New("enough")
	for name, call := range map[string]func(ctx context.Context) error{
		"complete": func(ctx context.Context) error { _, err := c.Complete(ctx, user("hello")); return err },
		"embed":    func(ctx context.Context) error { _, err := e.Embed(ctx, []string{"a"}); return err },
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(stop)
		if err := call(ctx); !errors.Is(err, stop) {
			t.Errorf("%s, cancelled before: %v", name, err)
		}
		ctx, cancelLater := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancelLater()
		if err := call(ctx); err != context.DeadlineExceeded { //nolint:errorlint // as it is
			t.Errorf("%s, deadline: %v", name, err)
		}
	}
}

// A redirect would carry a customer's document to another host.
func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var hits atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { hits.Add(1) }))
	t.Cleanup(other.Close)
	c := newClient(t, openai.Options{BaseURL: raw(t, 307, http.Header{"Location": {other.URL}}, ""), HTTPClient: &http.Client{}})
	_, err := c.Complete(t.Context(), user("hello"))
	if e := errorOf(t, err); !e.Fatal() || !strings.Contains(e.Message, "redirects") {
		t.Errorf("got %v", err)
	}
	if hits.Load() != 0 {
		t.Error("the redirect was followed")
	}
}
