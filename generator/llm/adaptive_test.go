package llm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/schema/strictcheck"
)

var twoTools = []llm.Tool{
	{Name: "generate_direct", Description: "By the model.", Strict: true, Parameters: json.RawMessage(`{"type":"object","properties":{"count":{"type":"integer"}},"required":["count"],"additionalProperties":false}`)},
	{Name: "generate_from_document", Description: "From the text.", Strict: true, Parameters: json.RawMessage(`{"type":"object","properties":{"style":{"type":"string"}},"required":["style"],"additionalProperties":false}`)},
}

func routing(choice llm.ToolChoice) *llm.Request {
	return &llm.Request{
		Messages:   []llm.Message{{Role: llm.RoleSystem, Content: "You route."}, {Role: llm.RoleUser, Content: "Возврат денег"}},
		Tools:      twoTools,
		ToolChoice: choice,
	}
}

// rungOf names the rung of the ladder that a request stands on.
func rungOf(r *llm.Request) string {
	var parts []string
	if len(r.Tools) > 0 {
		parts = append(parts, fmt.Sprintf("tools(%d) %s", len(r.Tools), r.ToolChoice))
		if r.Tools[0].Strict {
			parts = append(parts, "strict")
		}
	}
	if r.Schema != nil {
		s := "schema"
		if r.Schema.Strict {
			s += " strict"
		}
		parts = append(parts, s)
	}
	if r.JSONObject {
		parts = append(parts, "json_object")
	}
	if len(parts) == 0 {
		parts = append(parts, "prompt")
	}
	if r.Effort != "" {
		parts = append(parts, "effort="+r.Effort)
	}
	return strings.Join(parts, " ")
}

func rungs(reqs []*llm.Request) []string {
	var out []string
	for _, r := range reqs {
		out = append(out, rungOf(r))
	}
	return out
}

func unsupported(param, message string) error {
	return &llm.Error{Kind: llm.KindUnsupported, Status: 400, Code: "unsupported_value", Param: param, Message: message}
}

// A server is what refuses and what answers a request.
type server func(r *llm.Request) (*llm.Response, error)

func call(name, args string) *llm.Response {
	return &llm.Response{Calls: []llm.ToolCall{{ID: "x", Name: name, Arguments: args}}, Usage: llm.Usage{Input: 10, Output: 1}}
}

func text(s string) *llm.Response {
	return &llm.Response{Text: s, Usage: llm.Usage{Input: 10, Output: 1}}
}

const routed = `{"calls":[{"generator":"generate_direct","args":{"count":3}}]}`

func TestAdaptiveRouting(t *testing.T) {
	t.Parallel()
	ollama, _ := llm.Preset("ollama")
	lmstudio, _ := llm.Preset("lmstudio")
	for _, tt := range []struct {
		name   string
		caps   *llm.Capabilities
		choice llm.ToolChoice
		serve  server
		want   []string // rungs of the first call
		again  []string // rungs of the second
	}{
		{
			name: "a full server", choice: llm.ToolRequired,
			serve: func(*llm.Request) (*llm.Response, error) { return call("generate_direct", `{"count":3}`), nil },
			want:  []string{"tools(2) required strict"},
			again: []string{"tools(2) required strict"},
		},
		{
			name: "a named tool", choice: "generate_direct",
			serve: func(*llm.Request) (*llm.Response, error) { return call("generate_direct", `{"count":3}`), nil },
			want:  []string{"tools(2) generate_direct strict"},
			again: []string{"tools(2) generate_direct strict"},
		},
		{
			name: "no object form of tool_choice, learned", choice: "generate_direct",
			serve: func(r *llm.Request) (*llm.Response, error) {
				if r.ToolChoice == "generate_direct" {
					return nil, unsupported("tool_choice", "")
				}
				return call("generate_direct", `{"count":3}`), nil
			},
			want:  []string{"tools(2) generate_direct strict", "tools(1) required strict"},
			again: []string{"tools(1) required strict"},
		},
		{
			name: "no object form of tool_choice, known", choice: "generate_direct", caps: lmstudio,
			serve: func(*llm.Request) (*llm.Response, error) { return call("generate_direct", `{"count":3}`), nil },
			want:  []string{"tools(1) required"},
			again: []string{"tools(1) required"},
		},
		{
			name: "tool_choice ignored, the call in text", choice: llm.ToolRequired,
			serve: func(r *llm.Request) (*llm.Response, error) {
				return text("<think>hm</think><tool_call>\n{\"name\":\"generate_direct\",\"arguments\":{\"count\":3}}\n</tool_call>"), nil
			},
			want:  []string{"tools(2) required strict"},
			again: []string{"tools(2) required strict"},
		},
		{
			name: "tool_choice ignored, talk instead: nothing is learned from a reply", choice: llm.ToolRequired,
			serve: func(r *llm.Request) (*llm.Response, error) {
				if len(r.Tools) > 0 {
					return text("Я бы взял второй инструмент."), nil
				}
				return text(routed), nil
			},
			want:  []string{"tools(2) required strict", "tools(2) auto strict", "schema strict"},
			again: []string{"tools(2) required strict", "tools(2) auto strict", "schema strict"},
		},
		{
			name: "no tool_choice at all", choice: llm.ToolRequired, caps: ollama,
			serve: func(*llm.Request) (*llm.Response, error) { return call("generate_direct", `{"count":3}`), nil },
			want:  []string{"tools(2) auto"},
			again: []string{"tools(2) auto"},
		},
		{
			name: "a model without tools", choice: llm.ToolRequired,
			serve: func(r *llm.Request) (*llm.Response, error) {
				if len(r.Tools) > 0 {
					return nil, unsupported("", "registry/gemma does not support tools")
				}
				return text(routed), nil
			},
			want:  []string{"tools(2) required strict", "schema strict"},
			again: []string{"schema strict"},
		},
		{
			name: "neither tools nor schemas", choice: llm.ToolRequired,
			serve: func(r *llm.Request) (*llm.Response, error) {
				switch {
				case len(r.Tools) > 0:
					return nil, unsupported("tools", "")
				case r.Schema != nil || r.JSONObject:
					return nil, unsupported("response_format", "")
				}
				return text("```json\n" + routed + "\n```"), nil
			},
			want:  []string{"tools(2) required strict", "schema strict", "schema", "json_object", "prompt"},
			again: []string{"prompt"},
		},
		{
			name: "tools with effort none only", choice: llm.ToolRequired,
			serve: func(r *llm.Request) (*llm.Response, error) {
				if len(r.Tools) > 0 && r.Effort != "none" {
					return nil, unsupported("reasoning_effort", "Function tools with reasoning_effort are not supported for this model in /v1/chat/completions.")
				}
				return call("generate_direct", `{"count":3}`), nil
			},
			want:  []string{"tools(2) required strict", "tools(2) required strict effort=none"},
			again: []string{"tools(2) required strict effort=none"},
		},
		{
			name: "tools with no effort at all", choice: llm.ToolRequired,
			serve: func(r *llm.Request) (*llm.Response, error) {
				if len(r.Tools) > 0 || r.Effort == "none" {
					return nil, unsupported("reasoning_effort", "")
				}
				return text(routed), nil
			},
			want:  []string{"tools(2) required strict", "tools(2) required strict effort=none", "schema strict"},
			again: []string{"schema strict"},
		},
		{
			name: "strict schemas refused", choice: llm.ToolRequired,
			serve: func(r *llm.Request) (*llm.Response, error) {
				if len(r.Tools) > 0 && r.Tools[0].Strict {
					return nil, &llm.Error{Kind: llm.KindSchema, Status: 400, Param: "tools[0].function.parameters"}
				}
				return call("generate_direct", `{"count":3}`), nil
			},
			want:  []string{"tools(2) required strict", "tools(2) required"},
			again: []string{"tools(2) required"},
		},
		{
			name: "the tools' schemas refused altogether", choice: llm.ToolRequired,
			serve: func(r *llm.Request) (*llm.Response, error) {
				if len(r.Tools) > 0 {
					return nil, &llm.Error{Kind: llm.KindSchema, Status: 400, Param: "tools[0].function.parameters"}
				}
				return text(routed), nil
			},
			want:  []string{"tools(2) required strict", "tools(2) required", "tools(2) auto", "schema strict"},
			again: []string{"schema strict"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fake := llmtest.New(t, llmtest.Step{Times: -1, Do: func(_ context.Context, r *llm.Request) (*llm.Response, error) { return tt.serve(r) }})
			c := llm.Adaptive(fake, tt.caps)
			for i, want := range [][]string{tt.want, tt.again} {
				before := len(fake.Log())
				resp, err := c.Complete(t.Context(), routing(tt.choice))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff([]llm.ToolCall{{ID: "call_1", Name: "generate_direct", Arguments: `{"count":3}`}}, resp.Calls); diff != "" {
					t.Errorf("calls (-want +got):\n%s", diff)
				}
				if resp.Text != "" {
					t.Errorf("text %q left beside the calls", resp.Text)
				}
				if diff := cmp.Diff(want, rungs(fake.Log()[before:])); diff != "" {
					t.Errorf("call %d went by (-want +got):\n%s", i+1, diff)
				}
			}
		})
	}
}

func TestAdaptiveAutoMayAnswerInText(t *testing.T) {
	t.Parallel()
	fake := llmtest.New(t, llmtest.Reply("No tool fits."))
	resp, err := llm.Adaptive(fake, nil).Complete(t.Context(), routing(llm.ToolAuto))
	if err != nil || resp.Text != "No tool fits." || resp.Calls != nil {
		t.Errorf("got %+v, %v", resp, err)
	}
	// Without tools, an empty list says the same, and the prompt says so.
	fake = llmtest.New(t, llmtest.Reply(`{"calls":[]}`))
	resp, err = llm.Adaptive(fake, &llm.Capabilities{JSONSchema: true, StrictSchema: true}).Complete(t.Context(), routing(llm.ToolAuto))
	if err != nil || resp.Text != "" || resp.Calls != nil {
		t.Errorf("got %+v, %v", resp, err)
	}
	if prompt := fake.Log()[0].Messages[0].Content; !strings.Contains(prompt, "or none") {
		t.Errorf("prompt = %q", prompt)
	}
}

func TestAdaptiveRequiredCallThatNeverComes(t *testing.T) {
	t.Parallel()
	fake := llmtest.New(t, llmtest.Step{Text: "I cannot decide.", Times: 6, Usage: llm.Usage{Input: 10, Output: 2}})
	_, err := llm.Adaptive(fake, nil).Complete(t.Context(), routing(llm.ToolRequired))
	var e *llm.Error
	if !errors.As(err, &e) || e.Kind != llm.KindMalformed || e.Usage.Input != 60 {
		t.Errorf("error = %#v, want malformed with the usage of six attempts", err)
	}
}

func TestAdaptiveTidiesCalls(t *testing.T) {
	t.Parallel()
	fake := llmtest.New(t, llmtest.Step{Calls: []llm.ToolCall{
		{ID: "a", Name: "functions.generate_direct", Arguments: ` {"count": 3, "x": 1}`},
		{ID: "a", Name: "generate_direct", Arguments: `{"x":1,"count":3}`}, // the same again
		{ID: "", Name: "generate_direct", Arguments: ""},
		{ID: "b", Name: "generate_direct", Arguments: "null"}, // the same again
		{ID: "c", Name: "multi_tool_use.parallel", Arguments: `{"tool_uses":[{"recipient_name":"functions.generate_from_document","parameters":{"style":"plain"}}]}`},
		{ID: "d", Name: "invented", Arguments: `{"broken`},
	}})
	req := routing(llm.ToolRequired)
	req.Messages = append(req.Messages, llm.Message{Role: llm.RoleAssistant, Calls: []llm.ToolCall{{ID: "call_1"}, {ID: "call_2"}}})
	resp, err := llm.Adaptive(fake, nil).Complete(t.Context(), req)
	if err != nil {
		t.Fatal(err)
	}
	want := []llm.ToolCall{
		{ID: "call_3", Name: "generate_direct", Arguments: `{"count": 3, "x": 1}`},
		{ID: "call_4", Name: "generate_direct", Arguments: "{}"},
		{ID: "call_5", Name: "generate_from_document", Arguments: `{"style":"plain"}`},
		{ID: "call_6", Name: "invented", Arguments: `{"broken`},
	}
	if diff := cmp.Diff(want, resp.Calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestAdaptiveOneCallWhenParallelIsOff(t *testing.T) {
	t.Parallel()
	off := false
	req := routing(llm.ToolRequired)
	req.Parallel = &off
	fake := llmtest.New(t,
		llmtest.Step{Err: unsupported("parallel_tool_calls", "")},
		llmtest.Step{Calls: []llm.ToolCall{{Name: "generate_direct", Arguments: `{"count":1}`}, {Name: "generate_direct", Arguments: `{"count":2}`}}})
	resp, err := llm.Adaptive(fake, nil).Complete(t.Context(), req)
	if err != nil || len(resp.Calls) != 1 {
		t.Errorf("got %+v, %v; want one call", resp, err)
	}
	if log := fake.Log(); log[0].Parallel == nil || log[1].Parallel != nil {
		t.Error("want the parameter sent, then dropped")
	}
}

func TestAdaptiveDropsParameters(t *testing.T) {
	t.Parallel()
	temperature, seed := 0.3, int64(7)
	req := user("x")
	req.Temperature, req.Seed, req.MaxTokens, req.Effort = &temperature, &seed, 100, "none"
	refuse := map[string]error{
		"temperature":           unsupported("temperature", ""),
		"seed":                  unsupported("", "Unrecognized request argument supplied: seed"),
		"max_completion_tokens": unsupported("max_completion_tokens", ""),
		"none":                  unsupported("reasoning.effort", ""),
		"minimal":               unsupported("", "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model."),
	}
	sent := 0
	fake := llmtest.Func(func(_ context.Context, r *llm.Request) (*llm.Response, error) {
		sent++
		switch {
		case r.Temperature != nil:
			return nil, refuse["temperature"]
		case r.Seed != nil:
			return nil, refuse["seed"]
		case r.MaxTokens != 0:
			return nil, refuse["max_completion_tokens"]
		case refuse[r.Effort] != nil:
			return nil, refuse[r.Effort]
		}
		return &llm.Response{Text: "effort " + r.Effort}, nil
	})
	c := llm.Adaptive(fake, nil)
	for i, want := range []int{6, 1} {
		sent = 0
		resp, err := c.Complete(t.Context(), req)
		if err != nil || resp.Text != "effort low" {
			t.Fatalf("got %+v, %v; want the nearest effort that is taken", resp, err)
		}
		if sent != want {
			t.Errorf("call %d was sent %d times, want %d", i+1, sent, want)
		}
	}
	if *req.Temperature != 0.3 || req.MaxTokens != 100 {
		t.Error("the caller's request was changed")
	}
	// Another temperature may be taken.
	other := 1.0
	again := *req
	again.Temperature = &other
	sent = 0
	if _, err := c.Complete(t.Context(), &again); err != nil || sent != 2 {
		t.Errorf("another value was sent %d times, %v; want 2", sent, err)
	}
}

func TestAdaptiveReturnsWhatItCannotHelp(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		unsupported("temperature", ""), // which the request does not set
		unsupported("top_p", ""),
		unsupported("", "something is wrong"),
		&llm.Error{Kind: llm.KindSchema},
		&llm.Error{Kind: llm.KindTooLong, Message: "tools and tool_choice are too long"},
		&llm.Error{Kind: llm.KindRefused},
		context.Canceled,
	} {
		fake := llmtest.New(t, llmtest.Step{Err: err})
		if _, got := llm.Adaptive(fake, nil).Complete(t.Context(), user("x")); !errors.Is(got, err) {
			t.Errorf("got %v, want %v", got, err)
		}
	}
	// A server that keeps refusing the same thing does not loop.
	req := user("x")
	req.MaxTokens = 5
	fake := llmtest.New(t, llmtest.Step{Err: unsupported("max_tokens", ""), Times: 2})
	if _, err := llm.Adaptive(fake, nil).Complete(t.Context(), req); err == nil {
		t.Error("want the refusal")
	}
}

func jsonReply() *llm.Request {
	return &llm.Request{
		Messages: []llm.Message{{Role: llm.RoleUser, Content: "Как вернуть товар?"}},
		Schema:   &llm.Schema{Name: "answer", Strict: true, JSON: json.RawMessage(`{"type":"object","properties":{"text":{"type":"string"}},"required":["text"],"additionalProperties":false}`)},
	}
}

func TestAdaptiveJSONReplies(t *testing.T) {
	t.Parallel()
	const good = `{"text":"В течение 14 дней"}`
	ollama, _ := llm.Preset("ollama")
	for _, tt := range []struct {
		name  string
		caps  *llm.Capabilities
		serve server
		want  []string
		again []string
	}{
		{
			name:  "strict",
			serve: func(*llm.Request) (*llm.Response, error) { return text(good), nil },
			want:  []string{"schema strict"}, again: []string{"schema strict"},
		},
		{
			name: "thoughts and a fence around it",
			serve: func(*llm.Request) (*llm.Response, error) {
				return text("<think>{}</think>\n```json\n" + good + "\n```\n"), nil
			},
			want: []string{"schema strict"}, again: []string{"schema strict"},
		},
		{
			name: "strict refused",
			serve: func(r *llm.Request) (*llm.Response, error) {
				if r.Schema.Strict {
					return nil, &llm.Error{Kind: llm.KindSchema, Param: "response_format"}
				}
				return text(good), nil
			},
			want: []string{"schema strict", "schema"}, again: []string{"schema"},
		},
		{
			name: "schemas unknown: a tool that must be called",
			serve: func(r *llm.Request) (*llm.Response, error) {
				if r.Schema != nil {
					return nil, unsupported("response_format", "")
				}
				return call("answer", good), nil
			},
			want: []string{"schema strict", "schema", "tools(1) required strict"}, again: []string{"tools(1) required strict"},
		},
		{
			name: "schemas and tools unknown",
			serve: func(r *llm.Request) (*llm.Response, error) {
				if r.Schema != nil || len(r.Tools) > 0 {
					return nil, unsupported("", "response_format json_schema and tools are not supported")
				}
				return text(good), nil
			},
			want:  []string{"schema strict", "schema", "tools(1) required strict", "json_object"},
			again: []string{"json_object"},
		},
		{
			name: "the schema ignored", caps: &llm.Capabilities{JSONSchema: true, JSONObject: true},
			serve: func(r *llm.Request) (*llm.Response, error) {
				if r.Schema != nil {
					return text("Конечно! В течение 14 дней."), nil
				}
				return text(good), nil
			},
			want: []string{"schema", "json_object"}, again: []string{"schema", "json_object"},
		},
		{
			name: "known to show no schema", caps: ollama,
			serve: func(r *llm.Request) (*llm.Response, error) {
				if !strings.Contains(r.Messages[0].Content, `"text":{"type":"string"}`) {
					return nil, errors.New("the schema is not in the prompt")
				}
				return text(good), nil
			},
			want: []string{"schema"}, again: []string{"schema"},
		},
		{
			name: "a prompt and nothing else", caps: &llm.Capabilities{},
			serve: func(r *llm.Request) (*llm.Response, error) {
				if !strings.Contains(r.Messages[0].Content, `"text":{"type":"string"}`) {
					return nil, errors.New("the schema is not in the prompt")
				}
				return text(good), nil
			},
			want: []string{"prompt"}, again: []string{"prompt"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fake := llmtest.New(t, llmtest.Step{Times: -1, Do: func(_ context.Context, r *llm.Request) (*llm.Response, error) { return tt.serve(r) }})
			c := llm.Adaptive(fake, tt.caps)
			for i, want := range [][]string{tt.want, tt.again} {
				before := len(fake.Log())
				resp, err := c.Complete(t.Context(), jsonReply())
				if err != nil {
					t.Fatal(err)
				}
				if resp.Text != good {
					t.Errorf("text = %q, want the JSON alone", resp.Text)
				}
				log := fake.Log()[before:]
				if resp.Usage.Input > int64(10*len(log)) || resp.Usage.Input == 0 {
					t.Errorf("usage = %+v after %d attempts", resp.Usage, len(log))
				}
				if diff := cmp.Diff(want, rungs(log)); diff != "" {
					t.Errorf("call %d went by (-want +got):\n%s", i+1, diff)
				}
				for _, r := range log {
					if len(r.Tools) > 0 && (r.Schema != nil || r.JSONObject) {
						t.Errorf("tools and a JSON reply in one request: %s", rungOf(r))
					}
				}
			}
		})
	}
}

func TestAdaptiveReplyWithoutJSONIsReturnedAsItIs(t *testing.T) {
	t.Parallel()
	fake := llmtest.New(t, llmtest.Step{Text: "Нет.", Times: 5})
	resp, err := llm.Adaptive(fake, nil).Complete(t.Context(), jsonReply())
	if err != nil || resp.Text != "Нет." {
		t.Errorf("got %+v, %v; want the last reply, for the caller to repair", resp, err)
	}
}

func TestAdaptiveOneNamedToolIsRequired(t *testing.T) {
	t.Parallel()
	// Several servers take the string form of tool_choice only.
	req := routing("generate_direct")
	req.Tools = twoTools[:1]
	fake := llmtest.New(t, llmtest.Call("generate_direct", "{}"))
	if _, err := llm.Adaptive(fake, nil).Complete(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if got := fake.Log()[0].ToolChoice; got != llm.ToolRequired {
		t.Errorf("tool choice %q was sent, want required", got)
	}
}

func TestAdaptiveRemembersARefusedSchemaForItAlone(t *testing.T) {
	t.Parallel()
	fake := llmtest.New(t, llmtest.Step{Times: -1, Do: func(_ context.Context, r *llm.Request) (*llm.Response, error) {
		if r.Tools[0].Name == "generate_direct" && r.Tools[0].Strict {
			return nil, &llm.Error{Kind: llm.KindSchema, Param: "tools[0].function.parameters"}
		}
		return call(r.Tools[0].Name, "{}"), nil
	}})
	c := llm.Adaptive(fake, nil)
	for range 2 {
		for _, tools := range [][]llm.Tool{twoTools, twoTools[1:]} {
			req := routing(llm.ToolRequired)
			req.Tools = tools
			if _, err := c.Complete(t.Context(), req); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []string{
		"tools(2) required strict", "tools(2) required", "tools(1) required strict",
		"tools(2) required", "tools(1) required strict",
	}
	if diff := cmp.Diff(want, rungs(fake.Log())); diff != "" {
		t.Errorf("went by (-want +got):\n%s", diff)
	}
}

func TestAdaptiveToolNone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		caps  *llm.Capabilities
		serve server
		want  []string
	}{
		{"taken", nil, func(*llm.Request) (*llm.Response, error) { return text("ok"), nil }, []string{"tools(2) none strict"}},
		{"known not to be taken", &llm.Capabilities{Tools: true}, func(*llm.Request) (*llm.Response, error) { return text("ok"), nil }, []string{"prompt"}},
		{"refused", nil, func(r *llm.Request) (*llm.Response, error) {
			if len(r.Tools) > 0 {
				return nil, unsupported("tool_choice", "")
			}
			return text("ok"), nil
		}, []string{"tools(2) none strict", "prompt"}},
		{"no tools at all", nil, func(r *llm.Request) (*llm.Response, error) {
			if len(r.Tools) > 0 {
				return nil, unsupported("", "does not support tools")
			}
			return text("ok"), nil
		}, []string{"tools(2) none strict", "prompt"}},
	} {
		fake := llmtest.New(t, llmtest.Step{Times: -1, Do: func(_ context.Context, r *llm.Request) (*llm.Response, error) { return tt.serve(r) }})
		resp, err := llm.Adaptive(fake, tt.caps).Complete(t.Context(), routing(llm.ToolNone))
		if err != nil || resp.Text != "ok" {
			t.Errorf("%s: got %+v, %v", tt.name, resp, err)
		}
		if diff := cmp.Diff(tt.want, rungs(fake.Log())); diff != "" {
			t.Errorf("%s: went by (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestAdaptiveToolsAndSchema(t *testing.T) {
	t.Parallel()
	req := routing(llm.ToolAuto)
	req.Schema = jsonReply().Schema
	if _, err := llm.Adaptive(llmtest.New(t), nil).Complete(t.Context(), req); err == nil {
		t.Error("tools together with a schema were accepted")
	}
}

func TestAdaptiveJSONObject(t *testing.T) {
	t.Parallel()
	req := user("x")
	req.JSONObject = true
	fake := llmtest.New(t, llmtest.Step{Err: &llm.Error{Kind: llm.KindSchema, Param: "response_format"}}, llmtest.Reply("Here: {\"a\":1}"))
	resp, err := llm.Adaptive(fake, nil).Complete(t.Context(), req)
	if err != nil || resp.Text != `{"a":1}` {
		t.Errorf("got %+v, %v", resp, err)
	}
	if last := fake.Log()[1]; last.JSONObject || !strings.Contains(last.Messages[0].Content, "JSON") {
		t.Errorf("second request = %+v, want the wish in the prompt", last)
	}
}

// What one call learns must not change what another gets.
func TestAdaptiveResultsDoNotDependOnOrder(t *testing.T) {
	t.Parallel()
	// Refuses the schema "bad" strictly, and all tools with effort.
	serve := llmtest.Func(func(_ context.Context, r *llm.Request) (*llm.Response, error) {
		switch {
		case r.Schema != nil && r.Schema.Strict && r.Schema.Name == "bad":
			return nil, &llm.Error{Kind: llm.KindSchema, Param: "response_format"}
		case len(r.Tools) > 0 && r.Effort != "none":
			return nil, unsupported("reasoning_effort", "")
		case len(r.Tools) > 0:
			return call("generate_direct", "{}"), nil
		}
		return text(fmt.Sprintf(`{"by":%q}`, rungOf(r))), nil
	})
	request := func(i int) *llm.Request {
		switch i % 3 {
		case 0:
			return routing(llm.ToolRequired)
		case 1:
			r := jsonReply()
			r.Schema.Name = "bad"
			return r
		default:
			r := jsonReply()
			r.Effort = "low"
			return r
		}
	}
	want := make([]*llm.Response, 3)
	for i := range want {
		var err error
		if want[i], err = llm.Adaptive(serve, nil).Complete(t.Context(), request(i)); err != nil {
			t.Fatal(err)
		}
	}
	c := llm.Adaptive(serve, nil)
	var wg sync.WaitGroup
	for i := range 60 {
		wg.Go(func() {
			got, err := c.Complete(t.Context(), request(i))
			if err != nil {
				t.Error(err)
				return
			}
			if diff := cmp.Diff(want[i%3], got); diff != "" {
				t.Errorf("request %d (-alone +at once):\n%s", i%3, diff)
			}
		})
	}
	wg.Wait()
}

func TestAdaptiveRouterSchema(t *testing.T) {
	t.Parallel()
	req := routing(llm.ToolRequired)
	recursive := `{"type":"object","description":"a \"$ref\":\"#/$defs/node\" in words","properties":{"tree":{"$ref":"#/$defs/node"}},"required":["tree"],"additionalProperties":false,` +
		`"$defs":{"node":{"type":"object","properties":{"label":{"type":"string"},"kids":{"type":"array","items":{"$ref":"#/$defs/node"}}},"required":["label","kids"],"additionalProperties":false}}}`
	self := `{"type":"object","properties":{"next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["next"],"additionalProperties":false}`
	req.Tools = append(req.Tools[:2:2],
		llm.Tool{Name: "trees", Strict: true, Parameters: json.RawMessage(recursive)},
		llm.Tool{Name: "woods", Strict: true, Parameters: json.RawMessage(recursive)},
		llm.Tool{Name: "chain", Strict: true, Parameters: json.RawMessage(self)},
		llm.Tool{Name: "nothing", Strict: true})
	fake := llmtest.New(t, llmtest.Reply(`{"calls":[{"generator":"nothing","args":{}}]}`))
	resp, err := llm.Adaptive(fake, &llm.Capabilities{JSONSchema: true, StrictSchema: true}).Complete(t.Context(), req)
	if err != nil || len(resp.Calls) != 1 || resp.Calls[0].Name != "nothing" {
		t.Fatalf("got %+v, %v", resp, err)
	}
	sent := fake.Log()[0]
	if !sent.Schema.Strict || sent.Schema.Name != "calls" {
		t.Errorf("schema = %+v", sent.Schema)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(sent.Schema.JSON)))
	if err != nil {
		t.Fatalf("%v in %s", err, sent.Schema.JSON)
	}
	for _, v := range strictcheck.Violations(sent.Schema.JSON) {
		// A first key in common is fine where its one-value enums differ.
		if !strings.Contains(v, `share their first key "generator"`) {
			t.Errorf("not strict: %s", v)
		}
	}
	for _, tool := range req.Tools {
		if n := strings.Count(string(sent.Schema.JSON), `{"type":"object","properties":{"generator":{"type":"string","enum":["`+tool.Name+`"]}`); n != 1 {
			t.Errorf("%d branches begin with the name %s, want 1", n, tool.Name)
		}
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("router.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := compiler.Compile("router.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reply string
		ok    bool
	}{
		{`{"calls":[{"generator":"generate_direct","args":{"count":1}}]}`, true},
		{`{"calls":[{"generator":"nothing","args":{}},{"generator":"chain","args":{"next":{"next":null}}}]}`, true},
		{`{"calls":[{"generator":"trees","args":{"tree":{"label":"a","kids":[{"label":"b","kids":[]}]}}}]}`, true},
		{`{"calls":[{"generator":"woods","args":{"tree":{"label":"a","kids":[{"label":1,"kids":[]}]}}}]}`, false},
		{`{"calls":[{"generator":"generate_direct","args":{"style":"x"}}]}`, false},
		{`{"calls":[{"generator":"invented","args":{}}]}`, false},
		{`{"calls":[]}`, false}, // a call is required
	} {
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(tt.reply))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(v); (err == nil) != tt.ok {
			t.Errorf("%s: valid = %v, want %v: %v", tt.reply, err == nil, tt.ok, err)
		}
	}
}

func TestAdaptiveHistoryWithoutTools(t *testing.T) {
	t.Parallel()
	req := routing(llm.ToolRequired)
	req.Messages = append(req.Messages,
		llm.Message{Role: llm.RoleAssistant, Calls: []llm.ToolCall{{ID: "call_1", Name: "generate_direct", Arguments: `{"count":0}`}}},
		llm.Message{Role: llm.RoleTool, CallID: "call_1", Content: "count must be at least 1"})
	fake := llmtest.New(t, llmtest.Reply(routed))
	resp, err := llm.Adaptive(fake, &llm.Capabilities{}).Complete(t.Context(), req)
	if err != nil || resp.Calls[0].ID != "call_2" {
		t.Fatalf("got %+v, %v", resp, err)
	}
	sent := fake.Log()[0]
	if !strings.HasPrefix(sent.Messages[0].Content, "You route.\n\n") || sent.Messages[1].Role == llm.RoleSystem {
		t.Errorf("want one system message, with the instruction at its end: %+v", sent.Messages)
	}
	want := []llm.Message{
		{Role: llm.RoleAssistant, Content: `{"calls":[{"generator":"generate_direct","args":{"count":0}}]}`},
		{Role: llm.RoleUser, Content: "Result of call_1:\ncount must be at least 1"},
	}
	if diff := cmp.Diff(want, sent.Messages[2:]); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
	if !strings.Contains(sent.Messages[0].Content, "at least one tool") {
		t.Error("the prompt does not require a call")
	}
	for _, tool := range twoTools {
		if !strings.Contains(sent.Messages[0].Content, tool.Name) || !strings.Contains(sent.Messages[0].Content, string(tool.Parameters)) {
			t.Errorf("the prompt lacks %s and its schema", tool.Name)
		}
	}
}

func TestPreset(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"openai", "azure", "openrouter", "vllm", "gemini", "llama.cpp", "lmstudio", "ollama"} {
		if c, ok := llm.Preset(name); !ok || c == nil {
			t.Errorf("no preset %q", name)
		}
	}
	if _, ok := llm.Preset("nobody"); ok {
		t.Error("a preset for nobody")
	}
}
