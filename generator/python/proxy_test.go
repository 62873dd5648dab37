package python

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

// embedFunc is an embedder made of a function.
type embedFunc func(ctx context.Context, texts []string) ([][]float32, error)

func (f embedFunc) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return f(ctx, texts)
}

func (embedFunc) Model() string { return "fake-embedder" }

// lengths embeds a text as its number of bytes and a third.
func lengths(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, t := range texts {
		out[i] = []float32{float32(len(t)), 1. / 3}
	}
	return out, nil
}

func proxyCall(c llm.Client) *generator.Call {
	return &generator.Call{Model: c, Embedder: embedFunc(lengths), Log: slog.New(slog.DiscardHandler)}
}

// startProxy starts a proxy for the test.
func startProxy(tb testing.TB, call *generator.Call) *proxy {
	tb.Helper()
	p, err := newProxy(context.WithoutCancel(tb.Context()), call, proxyOptions{Framework: "ragas"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	return p
}

// ask posts a body and returns the status and the body of the reply.
func ask(tb testing.TB, p *proxy, path, body string, edit ...func(*http.Request)) (int, string) {
	tb.Helper()
	status, text, err := try(tb.Context(), p, path, strings.NewReader(body), edit...)
	if err != nil {
		tb.Fatal(err)
	}
	return status, text
}

func try(ctx context.Context, p *proxy, path string, body io.Reader, edit ...func(*http.Request)) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL()+path, body)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+p.Token())
	for _, f := range edit {
		f(r)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(got), err
}

// content is the text of a completion.
func content(tb testing.TB, body string) string {
	tb.Helper()
	var r struct {
		Choices []struct {
			Message struct{ Role, Content string }
			Finish  string `json:"finish_reason"`
		}
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil || len(r.Choices) != 1 || r.Choices[0].Finish != "stop" || r.Choices[0].Message.Role != "assistant" {
		tb.Fatalf("the reply is %s (%v)", body, err)
	}
	return r.Choices[0].Message.Content
}

// failure is the code and the message of an error object.
func failure(tb testing.TB, body string) (code, message string) {
	tb.Helper()
	var r struct {
		Error struct{ Code, Message, Type string }
	}
	if err := json.Unmarshal([]byte(body), &r); err != nil || r.Error.Code == "" || r.Error.Message == "" || r.Error.Type == "" {
		tb.Fatalf("the error is %s (%v)", body, err)
	}
	return r.Error.Code, r.Error.Message
}

const questions = `{"$defs":{"Item":{"title":"Item","type":"object","properties":{"q":{"type":"string"},"hops":{"type":"integer"},"level":{"enum":["low","high"],"type":"string"}},"required":["q"]}},` +
	`"title":"Question List","type":"object","properties":{"items":{"type":"array","items":{"$ref":"#/$defs/Item"}}},"required":["items"]}`

func formatOf(schema string) string {
	return `"response_format":{"type":"json_schema","json_schema":{"name":"Question List","schema":` + schema + `}}`
}

func TestProxyRequests(t *testing.T) {
	t.Parallel()
	user := func(s string) []llm.Message { return []llm.Message{{Role: llm.RoleUser, Content: s}} }
	for _, tt := range []struct {
		name, body string
		want       *llm.Request
	}{
		{"a text", `{"model":"gpt-x","messages":[{"role":"user","content":"Вопрос?"}]}`, &llm.Request{Messages: user("Вопрос?")}},
		{
			"every parameter",
			`{"messages":[{"role":"developer","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":""},{"role":"system","content":"t"}],
			  "temperature":0,"top_p":0.9,"user":"u","seed":-7,"max_tokens":50,"n":1,"stream":false,"tools":[],"tool_choice":null,"stop":null,"response_format":{"type":"text"}}`,
			&llm.Request{
				Messages:    []llm.Message{{Role: "system", Content: "s"}, {Role: "user", Content: "q"}, {Role: "assistant"}, {Role: "system", Content: "t"}},
				Temperature: new(0.0), Seed: new(int64(-7)), MaxTokens: 50,
			},
		},
		{"the newer name of the limit wins", `{"messages":[{"role":"user","content":"q"}],"max_tokens":5,"max_completion_tokens":6}`, &llm.Request{Messages: user("q"), MaxTokens: 6}},
		{"parts", `{"messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"б"}]}]}`, &llm.Request{Messages: user("a\nб")}},
		{"any JSON", `{"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_object"}}`, &llm.Request{Messages: user("q"), JSONObject: true}},
		{
			"a schema keeps the order of its properties", `{"messages":[{"role":"user","content":"q"}],` + formatOf(" "+strings.ReplaceAll(questions, `,"`, `, "`)) + `}`,
			&llm.Request{Messages: user("q"), Schema: &llm.Schema{Name: "Question_List", JSON: json.RawMessage(questions)}},
		},
		{
			"a long name is cut", `{"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_schema","json_schema":{"name":"` + strings.Repeat("a.", 40) + `","schema":{}}}}`,
			&llm.Request{Messages: user("q"), Schema: &llm.Schema{Name: strings.Repeat("a_", 32), JSON: json.RawMessage(`{}`)}},
		},
		{
			"a schema without a name has its title", `{"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_schema","json_schema":{"strict":true,"schema":{"title":"Ответ A","type":"object"}}}}`,
			&llm.Request{Messages: user("q"), Schema: &llm.Schema{Name: "A", JSON: json.RawMessage(`{"title":"Ответ A","type":"object"}`), Strict: true}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			model := llmtest.New(t, llmtest.Step{Text: `{"items":[]}`, Usage: llm.Usage{Input: 11, Output: 4}, Times: 2})
			p := startProxy(t, proxyCall(model))
			status, first := ask(t, p, "/chat/completions", tt.body)
			if status != http.StatusOK {
				t.Fatalf("%d %s", status, first)
			}
			if got := content(t, first); got != `{"items":[]}` {
				t.Errorf("content %q", got)
			}
			tt.want.Purpose = "python_ragas"
			if diff := cmp.Diff(tt.want, model.Log()[0]); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			_, again := ask(t, p, "/chat/completions", tt.body)
			if diff := cmp.Diff(first, again); diff != "" {
				t.Errorf("the same request, another reply (-want +got):\n%s", diff)
			}
			if log := model.Log(); llm.Key(log[0]) != llm.Key(log[1]) {
				t.Error("the same request, another key")
			}
			var meta struct {
				ID, Object, Model string
				Usage             usage
			}
			if err := json.Unmarshal([]byte(first), &meta); err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(meta.ID, "chatcmpl-") || meta.Object != "chat.completion" || meta.Model != "fake" || meta.Usage != (usage{11, 4, 15}) {
				t.Errorf("the reply says %+v", meta)
			}
		})
	}
}

func TestProxyRefusesRequests(t *testing.T) {
	t.Parallel()
	p := startProxy(t, proxyCall(llmtest.New(t)))
	chat := func(members string) string { return `{"messages":[{"role":"user","content":"q"}],` + members + `}` }
	cases := []struct{ path, body, code, says string }{
		{"/chat/completions", ``, "bad_request", "cannot be read"},
		{"/chat/completions", `{`, "bad_request", "cannot be read"},
		{"/chat/completions", `[]`, "bad_request", "must not be a array"},
		{"/chat/completions", chat(`"n":1} {"a":2`), "bad_request", "cannot be read"},
		{"/chat/completions", `{"messages":[]}`, "bad_request", "messages are required"},
		{"/chat/completions", `{"messages":[{"role":"tool","content":"x"}]}`, "bad_request", `role "tool"`},
		{"/chat/completions", `{"messages":[{"role":"user"}]}`, "bad_request", "messages[0]: content is required"},
		{"/chat/completions", `{"messages":[{"role":"user","content":7}]}`, "bad_request", "a text or a list of parts"},
		{"/chat/completions", `{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"file:///x"}}]}]}`, "bad_request", "type text"},
		{"/chat/completions", `{"messages":[{"role":"assistant","content":"","tool_calls":[{"id":"1"}]}]}`, "bad_request", "tool calls"},
		{"/chat/completions", chat(`"stream":true`), "bad_request", "stream"},
		{"/chat/completions", chat(`"n":2`), "bad_request", "n must be 1"},
		{"/chat/completions", chat(`"tools":[{"type":"function"}]`), "bad_request", "tools are not supported"},
		{"/chat/completions", chat(`"functions":[{"name":"f"}]`), "bad_request", "tools are not supported"},
		{"/chat/completions", chat(`"stop":["\n"]`), "bad_request", "stop"},
		{"/chat/completions", chat(`"logprobs":true`), "bad_request", "logprobs"},
		{"/chat/completions", chat(`"temperature":2.5`), "bad_request", "between 0 and 2"},
		{"/chat/completions", chat(`"temperature":"0"`), "bad_request", "temperature must not be a string"},
		{"/chat/completions", chat(`"max_tokens":0`), "bad_request", "at least 1"},
		{"/chat/completions", chat(`"seed":1.5`), "bad_request", "seed"},
		{"/chat/completions", chat(`"response_format":{"type":"xml"}`), "bad_request", "json_object or json_schema"},
		{"/chat/completions", chat(`"response_format":{"type":"json_schema"}`), "schema", "the schema is missing"},
		{"/chat/completions", chat(formatOf(`{"$ref":"https://example.com/x"}`)), "schema", "own definitions only"},
		{"/embeddings", `{"input":[]}`, "bad_request", "input is empty"},
		{"/embeddings", `{}`, "bad_request", "input is required"},
		{"/embeddings", `{"input":[[1,2],[3]]}`, "bad_request", "token ids are not taken"},
		{"/embeddings", `{"input":[1,2]}`, "bad_request", "token ids are not taken"},
		{"/embeddings", `{"input":["a",null]}`, "bad_request", "a text or a list of texts"},
		{"/embeddings", `{"input":"a","encoding_format":"int8"}`, "bad_request", "float or base64"},
		{"/embeddings", `{"input":"a","dimensions":4}`, "bad_request", "dimensions"},
		{"/embeddings", `{"input":["a"` + strings.Repeat(`,"a"`, maxInputs) + `]}`, "bad_request", "the limit is 2048"},
	}
	for _, tt := range cases {
		status, body := ask(t, p, tt.path, tt.body)
		code, message := failure(t, body)
		if status != http.StatusBadRequest || code != tt.code || !strings.Contains(message, tt.says) {
			t.Errorf("%.80s: %d %s %q, want 400 %s with %q", tt.body, status, code, message, tt.code, tt.says)
		}
	}
	if got := p.Counts(); got != (proxyCounts{Refused: int64(len(cases))}) {
		t.Errorf("counts %+v, want %d refused", got, len(cases))
	}
}

func TestProxyDoor(t *testing.T) {
	t.Parallel()
	const body = `{"messages":[{"role":"user","content":"q"}]}`
	auth := func(v string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", v) }
	}
	host := func(v string) func(*http.Request) { return func(r *http.Request) { r.Host = v } }
	p := startProxy(t, proxyCall(llmtest.New(t, llmtest.Reply("in").Repeat())))
	other := startProxy(t, proxyCall(llmtest.New(t)))
	if len(p.Token()) != 64 || p.Token() == other.Token() {
		t.Errorf("tokens %q and %q", p.Token(), other.Token())
	}
	for _, tt := range []struct {
		name, path string
		edit       func(*http.Request)
		status     int
		code       string
	}{
		{"a small scheme", "/chat/completions", auth("bearer " + p.Token()), 200, ""},
		{"localhost", "/chat/completions", host("localhost:80"), 200, ""},
		{"version 6", "/chat/completions", host("[::1]:80"), 200, ""},
		{"no token", "/chat/completions", func(r *http.Request) { r.Header.Del("Authorization") }, 401, "token"},
		{"an empty token", "/chat/completions", auth("Bearer "), 401, "token"},
		{"the beginning of the token", "/chat/completions", auth("Bearer " + p.Token()[:63]), 401, "token"},
		{"the token of another", "/chat/completions", auth("Bearer " + other.Token()), 401, "token"},
		{"another scheme", "/chat/completions", auth("Basic " + p.Token()), 401, "token"},
		{"another host", "/chat/completions", host("example.com"), 403, "host"},
		{"a host that begins as ours", "/chat/completions", host("127.0.0.1.example.com:80"), 403, "host"},
		{"a host that is none", "/chat/completions", host(" "), 403, "host"},
		{"the list of models", "/models", func(r *http.Request) { r.Method = http.MethodGet }, 404, "path"},
		{"another path", "/completions", func(*http.Request) {}, 404, "path"},
		{"another method", "/embeddings", func(r *http.Request) { r.Method = http.MethodPut }, 405, "method"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, got := ask(t, p, tt.path, body, tt.edit)
			if status != tt.status {
				t.Fatalf("status %d, want %d: %s", status, tt.status, got)
			}
			if tt.code == "" {
				return
			}
			if code, message := failure(t, got); code != tt.code || strings.Contains(message, p.Token()[:8]) {
				t.Errorf("code %q, message %q; want %q", code, message, tt.code)
			}
		})
	}
	if l, err := net.Listen("tcp4", strings.TrimSuffix(strings.TrimPrefix(p.URL(), "http://"), "/v1")); err == nil {
		l.Close()
		t.Error("the proxy does not listen where it says")
	}
}

func TestProxyRefusesHugeBodies(t *testing.T) {
	t.Parallel()
	p := startProxy(t, proxyCall(llmtest.New(t)))
	endless := io.MultiReader(strings.NewReader(`{"messages":[{"role":"user","content":"`), &letters{maxBody})
	status, body, err := try(t.Context(), p, "/chat/completions", endless)
	if err != nil {
		t.Fatal(err)
	}
	if code, message := failure(t, body); status != http.StatusRequestEntityTooLarge || code != "too_long" {
		t.Errorf("%d %s %s", status, code, message)
	}
	// As much as is allowed is read.
	big := `{"messages":[{"role":"tool","content":"` + strings.Repeat("a", maxBody-100) + `"}]}`
	if status, body := ask(t, p, "/chat/completions", big); status != http.StatusBadRequest {
		t.Errorf("%d %s", status, body)
	}
}

// letters reads as n letters.
type letters struct{ n int }

func (l *letters) Read(b []byte) (int, error) {
	if l.n <= 0 {
		return 0, io.EOF
	}
	b = b[:min(len(b), l.n)]
	for i := range b {
		b[i] = 'a'
	}
	l.n -= len(b)
	return len(b), nil
}

func TestProxyReplies(t *testing.T) {
	t.Parallel()
	const good = `{"items":[{"q":"Какой срок?"}]}`
	schema, object := formatOf(questions), `"response_format":{"type":"json_object"}`
	for _, tt := range []struct {
		name, format string
		replies      []string
		want         string // "" is a failure of kind schema
		counts       proxyCounts
	}{
		{"a text is as it is", `"n":1`, []string{" <think>x</think>\n```json\n{}\n``` "}, " <think>x</think>\n```json\n{}\n``` ", proxyCounts{Chat: 1}},
		{"JSON without its fence", object, []string{"<think>{}</think>Here:\n```json\n{ \"a\": [1] }\n```\nDone."}, `{"a":[1]}`, proxyCounts{Chat: 1}},
		{"a list", object, []string{"Вот: [\"а\"]"}, `["а"]`, proxyCounts{Chat: 1}},
		{"numbers that are none", object, []string{`{"a": NaN}`}, `{"a":null}`, proxyCounts{Chat: 1, Mended: 1}},
		{"Python", object, []string{`{'a': True, 'б': None}`}, `{"a":true,"б":null}`, proxyCounts{Chat: 1, Mended: 1}},
		{"half a surrogate", object, []string{`{"a":"\ud83d"}`}, "{\"a\":\"\ufffd\"}", proxyCounts{Chat: 1}},
		{"a text for JSON, twice", object, []string{"Certainly!", `"text"`, `{"a":1}`}, `{"a":1}`, proxyCounts{Chat: 3, Repairs: 2}},
		{"never JSON", object, []string{"a", "", "c"}, "", proxyCounts{Chat: 3, Repairs: 2}},
		{"what fits is as it is", schema, []string{"Sure: " + good}, good, proxyCounts{Chat: 1}},
		{"a list where an object belongs", schema, []string{`[{"q":"a"}]`, good}, good, proxyCounts{Chat: 2, Repairs: 1}},
		{"asked again", schema, []string{`{"items":[{"hops":1}]}`, good}, good, proxyCounts{Chat: 2, Repairs: 1}},
		{"asked again twice", schema, []string{"", `{"items":[{"q":1}]}`, good}, good, proxyCounts{Chat: 3, Repairs: 2}},
		{"never fits", schema, []string{`{"items":7.5}`, "no", `{"items":null}`}, "", proxyCounts{Chat: 3, Repairs: 2}},
		{"a small number that eats memory", schema, []string{`{"items":[{"q":"a","hops":1e-999999999}]}`, good}, good, proxyCounts{Chat: 2, Repairs: 1}},
		{"a number that eats memory", schema, []string{`{"items":[{"q":"a","hops":1e999999999}]}`, good}, good, proxyCounts{Chat: 2, Repairs: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			steps := make([]llmtest.Step, len(tt.replies))
			for i, r := range tt.replies {
				steps[i] = llmtest.Step{Text: r, Usage: llm.Usage{Input: 10, Output: 1}}
			}
			model := llmtest.New(t, steps...)
			p := startProxy(t, proxyCall(model))
			status, body := ask(t, p, "/chat/completions", `{"messages":[{"role":"system","content":"s"},{"role":"user","content":"q"}],"seed":3,`+tt.format+`}`)
			if diff := cmp.Diff(tt.counts, p.Counts()); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
			if tt.want == "" {
				if code, message := failure(t, body); status != http.StatusUnprocessableEntity || code != "schema" || !strings.Contains(message, "does not fit") {
					t.Errorf("%d %s %s", status, code, message)
				}
				if p.Err() != nil {
					t.Errorf("the job cannot go on: %v", p.Err())
				}
			} else if got := content(t, body); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			} else if n := len(tt.replies); !strings.Contains(body, fmt.Sprintf(`"total_tokens":%d`, 11*n)) {
				t.Errorf("%s does not count %d replies", body, n)
			}
			log := model.Log()
			for i := 1; i < len(log); i++ {
				before, now := log[i-1].Messages, log[i].Messages
				if len(now) != len(before)+2 || now[len(now)-2].Role != llm.RoleAssistant || now[len(now)-2].Content == "" ||
					tt.replies[i-1] != "" && now[len(now)-2].Content != tt.replies[i-1] || !strings.Contains(now[len(now)-1].Content, "\n- ") {
					t.Errorf("the conversation goes on as %+v", now)
				}
				if cmp.Diff(log[0].Schema, log[i].Schema) != "" || log[i].JSONObject != log[0].JSONObject || *log[i].Seed != 3 {
					t.Errorf("asked again in another way: %+v", log[i])
				}
			}
		})
	}
}

func TestReplyProblemsNameThePlace(t *testing.T) {
	t.Parallel()
	s, err := compileSchema(json.RawMessage(questions))
	if err != nil {
		t.Fatal(err)
	}
	_, _, problems := s.read(`{"items":[{"q":"a"},{"q":"b","level":"medium"},{"level":"low"}]}`)
	want := []string{`items.1.level: value must be one of 'low', 'high'`, `items.2: missing property 'q'`}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	many := `{"items":[` + strings.Repeat(`{"q":["`+strings.Repeat("ы", 400)+`","b"]},`, 50) + `{}]}`
	if _, _, problems := s.read(many); len(problems) != maxProblems {
		t.Errorf("%d problems, want %d", len(problems), maxProblems)
	}
}

func TestSchemasThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "schema.json")
	if err := os.WriteFile(file, []byte(`{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"file://`+file+`","type":"object"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, schema, says string }{
		{"none", ``, "missing"},
		{"null", `null`, "missing"},
		{"true", `true`, "no JSON object"},
		{"another address", `{"$ref":"http://127.0.0.1/x"}`, "own definitions only"},
		{"a file", `{"properties":{"a":{"$ref":"file://` + file + `"}}}`, "own definitions only"},
		{"a dialect from a file", `{"$schema":"file://` + file + `","type":"object"}`, "cannot be used"},
		{"a dialect from elsewhere", `{"$schema":"http://127.0.0.1/x"}`, "cannot be used"},
		{"too large", `{"description":"` + strings.Repeat("a", maxSchema) + `"}`, "bytes"},
		{"a small bound that eats memory", `{"minimum":1e-999999999}`, "out of range"},
		{"a bound that eats memory", `{"minimum":1e999999999}`, "out of range"},
		{"no pattern", `{"pattern":"("}`, "cannot be used"},
		{"no type", `{"type":"text"}`, "cannot be used"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := compileSchema(json.RawMessage(tt.schema))
			if err == nil || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v, want one with %q", err, tt.says)
			}
		})
	}
}

func TestProxyModelFailures(t *testing.T) {
	t.Parallel()
	const secret = "sk-very-secret-key"
	kinds := map[llm.Kind]int{
		llm.KindRate: 429, llm.KindOverload: 503, llm.KindQuota: 402, llm.KindAuth: 502, llm.KindModel: 502, llm.KindTooLong: 400, llm.KindSchema: 422,
		llm.KindUnsupported: 400, llm.KindBlocked: 422, llm.KindRefused: 422, llm.KindTruncated: 422, llm.KindMalformed: 502,
	}
	type failed struct {
		name   string
		err    error
		status int
		code   string
		fatal  bool
	}
	cases := []failed{
		{"budget", &llm.BudgetError{Limit: "calls", Max: 1}, 402, "budget", true},
		{"stopped", &llm.StoppedError{Failed: 1, Of: 1, Last: errors.New(secret)}, 503, "stopped", true},
		{"missing", &llm.MissingError{Purpose: "python_ragas", Key: "abc"}, 503, "missing", true},
		{"timed out", generator.ErrTimeout, 504, "timeout", false},
		{"cancelled", context.Canceled, 503, "cancelled", false},
		{"late", fmt.Errorf("x: %w", context.DeadlineExceeded), 503, "cancelled", false},
		{"unknown", errors.New("dial https://user:" + secret + "@host"), 500, "internal", false},
	}
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		e := &llm.Error{Kind: k, Status: 418, Message: "the provider's words", Err: errors.New(secret)}
		cases = append(cases, failed{string(k), fmt.Errorf("wrapped with %s: %w", secret, e), kinds[k], string(k), e.Fatal()})
		silent := &llm.Error{Kind: k, Err: errors.New(secret)}
		cases = append(cases, failed{string(k) + ", silent", silent, kinds[k], string(k), e.Fatal()})
	}
	for _, path := range []string{"/chat/completions", "/embeddings"} {
		for _, tt := range cases {
			t.Run(strings.TrimPrefix(path, "/")+" "+tt.name, func(t *testing.T) {
				t.Parallel()
				var calls atomic.Int32
				fail := func() error { calls.Add(1); return tt.err }
				call := proxyCall(llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) { return nil, fail() }))
				call.Embedder = embedFunc(func(context.Context, []string) ([][]float32, error) { return nil, fail() })
				p := startProxy(t, call)
				const body = `{"messages":[{"role":"user","content":"q"}],"input":"a"}`
				for range 2 {
					status, got := ask(t, p, path, body)
					code, message := failure(t, got)
					if status != tt.status || code != tt.code {
						t.Errorf("%d %s, want %d %s", status, code, tt.status, tt.code)
					}
					if strings.Contains(message, secret) {
						t.Errorf("the message holds a key: %s", message)
					}
					var e *llm.Error
					if errors.As(tt.err, &e) && e.Message != "" && !strings.Contains(message, e.Message) {
						t.Errorf("the message %q does not say what the provider said", message)
					}
				}
				// After a failure that nothing can mend nothing more is asked.
				want := int32(2)
				if tt.fatal {
					want = 1
				}
				if calls.Load() != want || errors.Is(p.Err(), tt.err) != tt.fatal {
					t.Errorf("%d calls and the error %v, want %d calls, fatal %v", calls.Load(), p.Err(), want, tt.fatal)
				}
			})
		}
	}
}

func TestProxySurvivesItsClients(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	for _, tt := range []struct {
		name, code string
		do         func() (*llm.Response, error)
	}{
		{"a panic", "panic", func() (*llm.Response, error) { panic("boom") }},
		{"an exit of the goroutine", "internal", func() (*llm.Response, error) { runtime.Goexit(); return nil, nil }},
		{"nothing at all", "malformed", func() (*llm.Response, error) { return nil, nil }},
	} {
		call := proxyCall(llmtest.New(t,
			llmtest.Step{Do: func(context.Context, *llm.Request) (*llm.Response, error) { return tt.do() }}, llmtest.Reply("well")))
		call.Log = slog.New(slog.NewTextHandler(&log, nil))
		p := startProxy(t, call)
		const body = `{"messages":[{"role":"user","content":"q"}]}`
		_, got := ask(t, p, "/chat/completions", body)
		if code, _ := failure(t, got); code != tt.code {
			t.Errorf("%s: code %q, want %q", tt.name, code, tt.code)
		}
		if _, got := ask(t, p, "/chat/completions", body); content(t, got) != "well" {
			t.Errorf("%s: then %s", tt.name, got)
		}
		p.Close()
		if p.Pending() != 0 {
			t.Errorf("%s: %d calls are still under way", tt.name, p.Pending())
		}
	}
	if !strings.Contains(log.String(), "panic=boom") || !strings.Contains(log.String(), "proxy_test.go") {
		t.Errorf("the log does not tell of the panic: %s", log.String())
	}
}

// The log says what was asked and how it ended, and nothing of what is in it.
func TestProxyLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	call := proxyCall(llmtest.New(t, llmtest.Reply("SECRET REPLY")))
	call.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	p := startProxy(t, call)
	ask(t, p, "/chat/completions", `{"messages":[{"role":"user","content":"SECRET QUESTION"}]}`, func(r *http.Request) { r.Header.Set("X-Casebook-Task", "t7\tx") })
	ask(t, p, "/embeddings", `{"input":[["SECRET"]]}`)
	p.Close()
	got := log.String()
	for _, want := range []string{"purpose=python_ragas", `task="t7\tx"`, "path=/v1/chat/completions", "status=200", "path=/v1/embeddings", "status=400"} {
		if !strings.Contains(got, want) {
			t.Errorf("the log lacks %s:\n%s", want, got)
		}
	}
	if strings.Contains(got, "SECRET") || strings.Contains(got, p.Token()) || strings.Contains(got, "Bearer") {
		t.Errorf("the log tells too much:\n%s", got)
	}
}

func TestProxyEmbeddings(t *testing.T) {
	t.Parallel()
	p := startProxy(t, proxyCall(llmtest.New(t)))
	third := float32(1. / 3)
	for _, tt := range []struct {
		body string
		want [][]float32
	}{
		{`{"model":"m","input":"да"}`, [][]float32{{4, third}}},
		{`{"input":["abc","","я"],"encoding_format":"float"}`, [][]float32{{3, third}, {0, third}, {2, third}}},
		{`{"input":["abc","","я"],"encoding_format":"base64"}`, [][]float32{{3, third}, {0, third}, {2, third}}},
	} {
		status, body := ask(t, p, "/embeddings", tt.body)
		var r struct {
			Object, Model string
			Data          []struct {
				Object    string
				Index     int
				Embedding json.RawMessage
			}
			Usage usage
		}
		if err := json.Unmarshal([]byte(body), &r); status != http.StatusOK || err != nil {
			t.Fatalf("%s: %d %s, %v", tt.body, status, body, err)
		}
		var got [][]float32
		for i, row := range r.Data {
			if row.Index != i || row.Object != "embedding" {
				t.Errorf("%s: row %d is %+v", tt.body, i, row)
			}
			got = append(got, vectorOf(t, row.Embedding))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.body, diff)
		}
		if r.Object != "list" || r.Model != "fake-embedder" || r.Usage.Prompt == 0 || r.Usage.Total != r.Usage.Prompt {
			t.Errorf("%s: %+v", tt.body, r)
		}
	}
	if got := p.Counts(); got != (proxyCounts{Embeddings: 3}) {
		t.Errorf("counts %+v", got)
	}
	if p.EmbeddingModel() != "fake-embedder" || p.Model() != "fake" {
		t.Errorf("models %q and %q", p.Model(), p.EmbeddingModel())
	}
}

func vectorOf(tb testing.TB, raw json.RawMessage) []float32 {
	tb.Helper()
	var list []float32
	if json.Unmarshal(raw, &list) == nil {
		return list
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		tb.Fatal(err)
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		tb.Fatal(err)
	}
	for i := 0; i+4 <= len(b); i += 4 {
		list = append(list, math.Float32frombits(binary.LittleEndian.Uint32(b[i:])))
	}
	return list
}

func TestProxyRefusesBadVectors(t *testing.T) {
	t.Parallel()
	for name, vs := range map[string][][]float32{
		"too few": {{1}}, "several lengths": {{1, 2}, {1}}, "empty": {{}, {}},
		"no number": {{1}, {float32(math.NaN())}}, "endless": {{1}, {float32(math.Inf(-1))}},
	} {
		call := proxyCall(llmtest.New(t))
		call.Embedder = embedFunc(func(context.Context, []string) ([][]float32, error) { return vs, nil })
		p := startProxy(t, call)
		status, body := ask(t, p, "/embeddings", `{"input":["a","b"]}`)
		if code, _ := failure(t, body); status != http.StatusBadGateway || code != "malformed" {
			t.Errorf("%s: %d %s", name, status, code)
		}
	}
}

// A client that is not ours reads the proxy's replies as OpenAI's.
func TestProxySpeaksOpenAI(t *testing.T) {
	t.Parallel()
	model := llmtest.New(t,
		llmtest.Step{Text: `{"items":[{"q":"Ёж?"}]}`, Usage: llm.Usage{Input: 7, Output: 2}},
		llmtest.Fail(llm.KindRate), llmtest.Fail(llm.KindRefused))
	p := startProxy(t, proxyCall(model))
	client, err := openai.New(openai.Options{BaseURL: p.URL(), APIKey: p.Token(), Model: "m", EmbeddingModel: "e"})
	if err != nil {
		t.Fatal(err)
	}
	req := &llm.Request{
		Messages: []llm.Message{{Role: llm.RoleSystem, Content: "s"}, {Role: llm.RoleUser, Content: "q"}},
		Schema:   &llm.Schema{Name: "Items", JSON: json.RawMessage(questions)}, Temperature: new(0.3), MaxTokens: 100,
	}
	resp, err := client.Complete(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	want := &llm.Response{Text: `{"items":[{"q":"Ёж?"}]}`, Finish: "stop", Model: "fake", Usage: llm.Usage{Input: 7, Output: 2}}
	if diff := cmp.Diff(want, resp); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	asked := model.Log()[0]
	asked.Purpose = ""
	if diff := cmp.Diff(req, asked); diff != "" {
		t.Errorf("the request came as another (-want +got):\n%s", diff)
	}
	vs, err := client.Embedder("e").Embed(t.Context(), []string{"да", "abc"})
	if err != nil || cmp.Diff([][]float32{{4, 1. / 3}, {3, 1. / 3}}, vs) != "" {
		t.Errorf("vectors %v, %v", vs, err)
	}
	for _, status := range []int{http.StatusTooManyRequests, http.StatusUnprocessableEntity} {
		_, err := client.Complete(t.Context(), req)
		var e *llm.Error
		if !errors.As(err, &e) || e.Status != status {
			t.Errorf("error %v, want one of status %d", err, status)
		}
	}
}

// What a reply that does not fit costs is counted and held to the budget.
func TestProxyRepairsAreHeldToTheBudget(t *testing.T) {
	t.Parallel()
	ledger, err := llm.NewLedger(llm.Budget{Calls: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := startProxy(t, proxyCall(ledger.Client(llmtest.New(t, llmtest.Reply("a"), llmtest.Reply("b")))))
	status, body := ask(t, p, "/chat/completions", `{"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_object"}}`)
	var budget *llm.BudgetError
	if code, _ := failure(t, body); status != http.StatusPaymentRequired || code != "budget" || !errors.As(p.Err(), &budget) {
		t.Errorf("%d %s, error %v", status, body, p.Err())
	}
	if spent := ledger.Snapshot(); spent.Calls != 2 {
		t.Errorf("%d calls were paid for, want 2", spent.Calls)
	}
}

// A recording made through one proxy answers the same requests through another.
func TestProxyReplaysRecordings(t *testing.T) {
	t.Parallel()
	const body = `{"messages":[{"role":"user","content":"q"}],"seed":4,"response_format":{"type":"json_object"}}`
	var recorder llm.Recorder
	first := startProxy(t, proxyCall(llm.Record(llmtest.New(t, llmtest.Reply("no"), llmtest.Reply(`{"a":1}`)), &recorder)))
	_, want := ask(t, first, "/chat/completions", body)
	var file bytes.Buffer
	if _, err := recorder.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	replay, err := llm.Replay(&file)
	if err != nil {
		t.Fatal(err)
	}
	second := startProxy(t, proxyCall(replay))
	_, got := ask(t, second, "/chat/completions", body)
	if content(t, got) != content(t, want) || first.Counts() != second.Counts() {
		t.Errorf("recorded %s, replayed %s", want, got)
	}
	if status, got := ask(t, second, "/chat/completions", strings.Replace(body, "4", "5", 1)); status != http.StatusServiceUnavailable {
		t.Errorf("a request that was not recorded got %s", got)
	}
	var missing *llm.MissingError
	if !errors.As(second.Err(), &missing) {
		t.Errorf("error %v", second.Err())
	}
}

func TestProxyNeedsAModel(t *testing.T) {
	t.Parallel()
	_, err := newProxy(t.Context(), &generator.Call{}, proxyOptions{})
	var option *OptionError
	if !errors.As(err, &option) {
		t.Errorf("error %v, want an *OptionError", err)
	}
	call := proxyCall(llmtest.New(t))
	call.Embedder, call.Log = nil, nil
	p := startProxy(t, call)
	if status, body := ask(t, p, "/embeddings", `{"input":"a"}`); status != http.StatusBadRequest {
		t.Errorf("%d %s", status, body)
	}
}

// blocked is a model whose calls wait until they are cancelled.
type blocked struct {
	started chan struct{}
	causes  chan error
}

func newBlocked() *blocked {
	return &blocked{started: make(chan struct{}, 1000), causes: make(chan error, 1000)}
}

func (b *blocked) Complete(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
	b.started <- struct{}{}
	<-ctx.Done()
	b.causes <- context.Cause(ctx)
	return nil, context.Cause(ctx)
}

func TestProxyCallEndsWithItsClient(t *testing.T) {
	t.Parallel()
	model := newBlocked()
	p := startProxy(t, proxyCall(model))
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	go func() {
		_, _, err := try(ctx, p, "/chat/completions", strings.NewReader(`{"messages":[{"role":"user","content":"q"}]}`))
		left <- err
	}()
	<-model.started
	if p.Pending() != 1 {
		t.Errorf("%d calls are under way, want 1", p.Pending())
	}
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the client got %v", err)
	}
	<-model.causes // the model's call has ended too
	p.Close()
	if p.Err() != nil || p.Pending() != 0 {
		t.Errorf("error %v, %d under way", p.Err(), p.Pending())
	}
}

func TestProxyEndsWithItsContext(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	model := newBlocked()
	ctx, cancel := context.WithCancelCause(t.Context())
	p, err := newProxy(ctx, proxyCall(model), proxyOptions{Framework: "ragas"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got := make(chan string, 1)
	go func() {
		_, body, _ := try(context.WithoutCancel(ctx), p, "/chat/completions", strings.NewReader(`{"messages":[{"role":"user","content":"q"}]}`))
		got <- body
	}()
	<-model.started
	cancel(enough)
	if cause := <-model.causes; !errors.Is(cause, enough) {
		t.Errorf("the model's call ended with %v", cause)
	}
	if code, _ := failure(t, <-got); code != "cancelled" {
		t.Errorf("code %q", code)
	}
}

// Not parallel: it counts goroutines.
func TestProxyCloseEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 3 {
		model := newBlocked()
		p, err := newProxy(t.Context(), proxyCall(model), proxyOptions{Framework: "ragas"})
		if err != nil {
			t.Fatal(err)
		}
		idle, err := net.Dial("tcp", p.address)
		if err != nil {
			t.Fatal(err)
		}
		var clients sync.WaitGroup
		for range 64 {
			clients.Go(func() {
				if status, body, err := try(t.Context(), p, "/chat/completions", strings.NewReader(`{"messages":[{"role":"user","content":"q"}]}`)); err == nil && status == http.StatusOK {
					t.Errorf("a call that was cancelled got %s", body)
				}
			})
		}
		for range 64 {
			<-model.started
		}
		if p.Pending() != 64 {
			t.Errorf("%d calls are under way, want 64", p.Pending())
		}
		var closers sync.WaitGroup
		for range 3 {
			closers.Go(p.Close)
		}
		closers.Wait()
		if p.Pending() != 0 || len(model.causes) != 64 || p.Err() != nil {
			t.Errorf("closed with %d calls under way, %d ended, error %v", p.Pending(), len(model.causes), p.Err())
		}
		if cause := <-model.causes; !errors.Is(cause, errProxyClosed) {
			t.Errorf("the model's call ended with %v", cause)
		}
		clients.Wait()
		idle.Close()
		if _, err := net.Dial("tcp", p.address); err == nil {
			t.Error("the port is still open")
		}
	}
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before && time.Now().Before(deadline) {
		runtime.Gosched()
	}
	if now := runtime.NumGoroutine(); now > before {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d now:\n%s", before, now, buf[:runtime.Stack(buf, true)])
	}
}

func TestProxyManyAtOnce(t *testing.T) {
	t.Parallel()
	model := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		return &llm.Response{Text: `{"items":[{"q":"` + req.Messages[0].Content + `","hops":3}]}`}, nil
	})
	p := startProxy(t, proxyCall(model))
	var clients sync.WaitGroup
	for i := range 64 {
		clients.Go(func() {
			for k := range 4 {
				q := fmt.Sprintf("вопрос %d.%d", i, k)
				_, body := ask(t, p, "/chat/completions", `{"messages":[{"role":"user","content":"`+q+`"}],`+formatOf(questions)+`}`)
				if got, want := content(t, body), `{"items":[{"q":"`+q+`","hops":3}]}`; got != want {
					t.Errorf("got %s, want %s", got, want)
				}
				if _, body := ask(t, p, "/embeddings", fmt.Sprintf(`{"input":%q}`, q)); !strings.Contains(body, fmt.Sprintf("[%d,", len(q))) {
					t.Errorf("got %s", body)
				}
			}
		})
	}
	clients.Wait()
	if got := p.Counts(); got != (proxyCounts{Chat: 256, Embeddings: 256}) {
		t.Errorf("counts %+v", got)
	}
}

// runPython runs a script with the worker's modules and returns what it printed.
func runPython(t *testing.T, script string, args any) string {
	t.Helper()
	path, err := exec.LookPath("python3.11")
	if err != nil {
		t.Skip("python3.11 is not on the PATH")
	}
	dir := t.TempDir()
	main := filepath.Join(dir, "main.py")
	if err := os.WriteFile(main, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	worker, err := filepath.Abs("worker")
	if err != nil {
		t.Fatal(err)
	}
	input, err := json.Marshal(map[string]any{"worker": worker, "args": args})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-I", "-B", "-X", "utf8", "-W", "error", main)
	cmd.Stdin = bytes.NewReader(input)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return string(out)
}

const pythonHead = `
import asyncio, json, sys, threading
given = json.load(sys.stdin)
sys.path.insert(0, given["worker"])
from endpoint import Endpoint, EndpointError
args = given["args"]
model = Endpoint(args["url"], args["token"], "m", "e", 64)

def failure(call, *a, **k):
    try:
        return ["none", 0, str(call(*a, **k))]
    except EndpointError as e:
        return [e.kind, e.status, e.message]
`

func endpointArgs(p *proxy) map[string]any {
	return map[string]any{"url": p.URL(), "token": p.Token()}
}

func TestEndpointCalls(t *testing.T) {
	t.Parallel()
	model := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		said, err := json.Marshal(req)
		if err != nil {
			return nil, err
		}
		switch {
		case req.Schema != nil:
			return &llm.Response{Text: "```json\n{\"items\": [{\"q\": \"Ёж?\", \"hops\": 1}]}\n```"}, nil
		case req.JSONObject:
			return &llm.Response{Text: "Вот: {\"a\": 1}"}, nil
		}
		return &llm.Response{Text: string(said)}, nil
	})
	p := startProxy(t, proxyCall(model))
	got := runPython(t, pythonHead+`
schema = json.loads(args["schema"])
say = [{"role": "system", "content": "Ты — «клиент»."}, {"role": "user", "content": "Где \ud83d заказ?"}]
print(model.complete(say, temperature=0.5, max_tokens=7, seed=-3, task="задача 1\r\nX: y"))
print(model.complete("Q", json_object=True))
print(model.complete("Q", schema=schema))
async def main():
    print(await model.acomplete("Q", schema=schema, schema_name="other"))
    print(await model.aembed(["да", "abc"]))
asyncio.run(main())
print(model.embed(["да"], task="t1"), model.embed([]))
model.close()
`, map[string]any{"url": p.URL(), "token": p.Token(), "schema": questions})
	want := `{"messages":[{"role":"system","content":"Ты — «клиент»."},{"role":"user","content":"Где ? заказ?"}],"max_tokens":7,"temperature":0.5,"seed":-3}
{"a":1}
{"items":[{"q":"Ёж?","hops":1}]}
{"items":[{"q":"Ёж?","hops":1}]}
[[4.0, 0.3333333432674408], [3.0, 0.3333333432674408]]
[[4.0, 0.3333333432674408]] []
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A schema reaches the model byte for byte, whatever its language: a recording
// is found by them.
func TestEndpointSendsSchemasAsTheyAre(t *testing.T) {
	t.Parallel()
	model := llmtest.New(t, llmtest.JSON(map[string]any{"ответ": "да"}))
	p := startProxy(t, proxyCall(model))
	const schema = `{"title":"Ответ","type":"object","properties":{"ответ":{"description":"<одно> слово","type":"string"},"a":{"type":"number"}},"required":["ответ"]}`
	runPython(t, pythonHead+`
model.complete("Q", schema=json.loads(args["schema"]), schema_name="Reply")
`, map[string]any{"url": p.URL(), "token": p.Token(), "schema": schema})
	want := &llm.Schema{Name: "Reply", JSON: json.RawMessage(schema)}
	if diff := cmp.Diff(want, model.Log()[0].Schema); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEndpointErrors(t *testing.T) {
	t.Parallel()
	model := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		if kind := llm.Kind(req.Messages[0].Content); kind != "" {
			return nil, &llm.Error{Kind: kind, Message: "так сказал сервер"}
		}
		panic("boom")
	})
	call := proxyCall(model)
	call.Embedder = embedFunc(func(context.Context, []string) ([][]float32, error) { return nil, &llm.Error{Kind: llm.KindOverload} })
	p := startProxy(t, call)
	got := runPython(t, pythonHead+`
def show(*result):
    print(json.dumps(result[0], ensure_ascii=False))
show(failure(model.complete, "rate"))
show(failure(model.complete, "refused", json_object=True))
show(failure(model.complete, ""))
show(failure(model.embed, ["a"]))
show(failure(model.complete, []))
show(failure(model.complete, "Q", schema={"$ref": "http://x"}))
show(failure(model.complete, "Q", temperature=float("nan"))[:2])
show(failure(model.complete, "Q", schema={"a": object()})[:2])
show(failure(Endpoint(args["url"], "wrong").complete, "Q"))
show(failure(Endpoint("http://127.0.0.1:1/v1", "x").complete, "Q")[:2])
show(failure(model.complete, "x" * (32 << 20))[:2])
async def one():
    try:
        await model.acomplete("blocked")
    except EndpointError as e:
        show([e.kind, e.status, str(e)])
asyncio.run(one())
try:
    Endpoint("https://example.com/v1", "x")
except ValueError as e:
    print(e)
model.close()
show(failure(model.complete, "rate"))
`, endpointArgs(p))
	want := `["rate", 429, "llm: rate: так сказал сервер"]
["refused", 422, "llm: refused: так сказал сервер"]
["panic", 500, "the model's client panicked"]
["overload", 503, "llm: overload"]
["bad_request", 400, "messages are required"]
["schema", 400, "response_format: the schema cannot be used: failing loading \"http://x\": a schema may refer to its own definitions only"]
["bad_request", 0]
["bad_request", 0]
["token", 401, "the request does not hold the proxy's token"]
["connection", 0]
["too_long", 0]
["blocked", 422, "blocked (422): llm: blocked: так сказал сервер"]
the endpoint's url must be http://host:port/path
["connection", 0, "ConnectionError: the endpoint is closed"]
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEndpointManyAtOnceInSeveralLoops(t *testing.T) {
	t.Parallel()
	const atOnce = 64
	var now, most atomic.Int32
	full := make(chan struct{})
	var once sync.Once
	model := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		n := now.Add(1)
		defer now.Add(-1)
		most.Store(max(most.Load(), n))
		if n == atOnce {
			once.Do(func() { close(full) })
		}
		select {
		case <-full: // none is answered before all have come
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		return &llm.Response{Text: "Ответ: " + req.Messages[0].Content}, nil
	})
	p := startProxy(t, proxyCall(model))
	got := runPython(t, pythonHead+`
async def many(n):
    out = await asyncio.gather(*(model.acomplete(f"вопрос {n}.{i}") for i in range(64)))
    return sum(text == f"Ответ: вопрос {n}.{i}" for i, text in enumerate(out))
print([asyncio.run(many(n)) for n in range(3)])
threads, right = [], []
for i in range(64):
    ask = lambda i=i: right.append(model.complete(f"{i}") == f"Ответ: {i}")
    threads.append(threading.Thread(target=ask))
[t.start() for t in threads]
[t.join() for t in threads]
print(sum(right), len(model._idle) <= 64)
model.close()
`, endpointArgs(p))
	if got != "[64, 64, 64]\n64 True\n" {
		t.Errorf("got %s", got)
	}
	if most.Load() > atOnce {
		t.Errorf("%d at once, the limit is %d", most.Load(), atOnce)
	}
}

// A cancelled task ends its call to the model, and leaves its thread to others.
func TestEndpointCancel(t *testing.T) {
	t.Parallel()
	arrived, ended := make(chan struct{}), make(chan struct{})
	model := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		what := req.Messages[0].Content
		switch what {
		case "hang":
			close(arrived)
			<-ctx.Done()
			close(ended)
			return nil, ctx.Err()
		case "arrived":
			<-arrived
		case "ended":
			<-ended
		}
		return &llm.Response{Text: what}, nil
	})
	p := startProxy(t, proxyCall(model))
	got := runPython(t, pythonHead+`
single = Endpoint(args["url"], args["token"], concurrency=1)
async def main():
    hang = asyncio.create_task(single.acomplete("hang"))
    print(await model.acomplete("arrived"))
    hang.cancel()
    try:
        await hang
    except asyncio.CancelledError:
        print("cancelled")
    print(await single.acomplete("ended"))
asyncio.run(main())
single.close()
model.close()
`, endpointArgs(p))
	if got != "arrived\ncancelled\nended\n" {
		t.Errorf("got %s", got)
	}
}

// rude is a server that answers n requests on each connection and then closes
// it, saying nothing of that; from the second reply on it sends the first cut
// bytes only, unless that is 0.
type rude struct {
	perConnection, cut int
	connections, calls atomic.Int32
}

func (s *rude) serve(l net.Listener) {
	const body = `{"choices":[{"message":{"role":"assistant","content":"ok"}}]}`
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		s.connections.Add(1)
		go func() {
			defer c.Close()
			r := newRequests(c)
			for range s.perConnection {
				if !r.next() {
					return
				}
				n := int(s.calls.Add(1))
				reply := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
				if s.cut > 0 && n > 1 {
					io.WriteString(c, reply[:s.cut])
					return
				}
				io.WriteString(c, reply)
			}
		}()
	}
}

// TestEndpointReconnects: an idle connection that died is replaced in silence;
// a reply that has begun is not asked for again.
func TestEndpointReconnects(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name               string
		perConnection, cut int
		want               string
		connections, calls int32
	}{
		{"kept alive", 100, 0, "ok ok ok ok\n", 1, 4},
		{"closed after two", 2, 0, "ok ok ok ok\n", 2, 4},
		{"closed after each", 1, 0, "ok ok ok ok\n", 4, 4},
		{"cut off in the first line", 100, 5, "ok connection connection connection\n", 3, 4},
		{"cut off in the head", 100, 20, "ok protocol protocol protocol\n", 3, 4},
		{"cut off in the body", 100, 90, "ok connection connection connection\n", 3, 4},
		{"no reply at all", 0, 0, "connection connection connection connection\n", 4, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			s := &rude{perConnection: tt.perConnection, cut: tt.cut}
			served := make(chan struct{})
			go func() { defer close(served); s.serve(l) }()
			t.Cleanup(func() { l.Close(); <-served })
			got := runPython(t, pythonHead+`
def ask():
    try:
        return model.complete("Q")
    except EndpointError as e:
        return e.kind
print(ask(), ask(), ask(), ask())
model.close()
`, map[string]any{"url": "http://" + l.Addr().String() + "/v1", "token": "x"})
			if got != tt.want || s.calls.Load() != tt.calls || s.connections.Load() != tt.connections {
				t.Errorf("got %q, %d calls on %d connections; want %q, %d on %d", got, s.calls.Load(), s.connections.Load(), tt.want, tt.calls, tt.connections)
			}
		})
	}
}

func TestEndpointUnreadableReplies(t *testing.T) {
	t.Parallel()
	for name, reply := range map[string]string{
		"no JSON": "<html>", "no choices": `{"choices":[]}`, "no text": `{"choices":[{"message":{"content":null}}]}`, "a list": `[1]`, "not UTF-8": "\"\xff\"",
	} {
		for _, status := range []int{200, 500} {
			server := http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(status)
				io.WriteString(w, reply)
			})}
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			go func() { _ = server.Serve(l) }()
			got := runPython(t, pythonHead+`
print(failure(model.complete, "Q")[:2], failure(model.embed, ["a"])[:2])
model.close()
`, map[string]any{"url": "http://" + l.Addr().String() + "/v1", "token": "x"})
			if want := fmt.Sprintf("['protocol', %d] ['protocol', %d]\n", status, status); got != want {
				t.Errorf("%s: got %s, want %s", name, got, want)
			}
			server.Close()
		}
	}
}

// requests reads the requests of a connection.
type requests struct{ r *bufio.Reader }

func newRequests(c net.Conn) *requests { return &requests{bufio.NewReader(c)} }

func (r *requests) next() bool {
	req, err := http.ReadRequest(r.r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	return err == nil
}
