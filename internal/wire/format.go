package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/casebook-go/casebook/generator/llm"
)

// body is what the two endpoints for completions take between them.
type body struct {
	Model             string            `json:"model"`
	Messages          []wireMessage     `json:"messages"`
	Instructions      string            `json:"instructions"`
	Input             json.RawMessage   `json:"input"`
	Tools             []json.RawMessage `json:"tools"`
	ToolChoice        json.RawMessage   `json:"tool_choice"`
	ParallelToolCalls *bool             `json:"parallel_tool_calls"`
	ResponseFormat    struct {
		Type       string      `json:"type"`
		JSONSchema *llm.Schema `json:"json_schema"`
	} `json:"response_format"`
	Text struct {
		Format struct {
			Type string `json:"type"`
			llm.Schema
		} `json:"format"`
	} `json:"text"`
	MaxTokens           int      `json:"max_tokens"`
	MaxCompletionTokens int      `json:"max_completion_tokens"`
	MaxOutputTokens     int      `json:"max_output_tokens"`
	Temperature         *float64 `json:"temperature"`
	Seed                *int64   `json:"seed"`
	ReasoningEffort     string   `json:"reasoning_effort"`
	Reasoning           struct {
		Effort string `json:"effort"`
	} `json:"reasoning"`
}

type wireMessage struct {
	Role       string          `json:"role"`
	Content    json.RawMessage `json:"content"`
	ToolCallID string          `json:"tool_call_id"`
	ToolCalls  []struct {
		ID       string `json:"id"`
		Function struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
	} `json:"tool_calls"`

	// Of an item of Responses.
	Type      string          `json:"type"`
	CallID    string          `json:"call_id"`
	Name      string          `json:"name"`
	Arguments string          `json:"arguments"`
	Output    json.RawMessage `json:"output"`
}

// read reads a request into the port's form.
func read(endpoint string, raw []byte) (Request, error) {
	req := Request{Endpoint: endpoint, Body: raw}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return req, fmt.Errorf("we could not parse the JSON body of your request: %w", err)
	}
	req.Content = content(endpoint, members)
	if endpoint == Embeddings {
		return req, readEmbeddings(&req, members)
	}
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return req, err
	}
	r := &req.Request
	r.Model, r.Parallel, r.Temperature, r.Seed = b.Model, b.ParallelToolCalls, b.Temperature, b.Seed
	r.MaxTokens = max(b.MaxTokens, b.MaxCompletionTokens, b.MaxOutputTokens)
	r.Effort = b.ReasoningEffort + b.Reasoning.Effort
	messages := b.Messages
	if endpoint == Responses {
		if b.Instructions != "" {
			r.Messages = append(r.Messages, llm.Message{Role: llm.RoleSystem, Content: b.Instructions})
		}
		if len(b.Input) > 0 && b.Input[0] == '"' {
			messages = []wireMessage{{Role: llm.RoleUser, Content: b.Input}}
		} else if err := json.Unmarshal(b.Input, &messages); err != nil {
			return req, fmt.Errorf("input: %w", err)
		}
	}
	for i := range messages {
		readMessage(r, &messages[i])
	}
	for _, t := range b.Tools {
		var tool struct {
			llm.Tool
			Function *llm.Tool `json:"function"`
		}
		if err := json.Unmarshal(t, &tool); err != nil {
			return req, fmt.Errorf("tools: %w", err)
		}
		if tool.Function != nil {
			tool.Tool = *tool.Function
		}
		r.Tools = append(r.Tools, tool.Tool)
	}
	r.ToolChoice = readChoice(b.ToolChoice)
	switch {
	case b.ResponseFormat.Type == "json_schema":
		r.Schema = b.ResponseFormat.JSONSchema
	case b.Text.Format.Type == "json_schema":
		schema := b.Text.Format.Schema
		r.Schema = &schema
	case b.ResponseFormat.Type == "json_object", b.Text.Format.Type == "json_object":
		r.JSONObject = true
	}
	return req, nil
}

func readEmbeddings(req *Request, members map[string]json.RawMessage) error {
	if err := json.Unmarshal(members["model"], &req.Model); err != nil {
		return fmt.Errorf("model: %w", err)
	}
	input := members["input"]
	if bytes.HasPrefix(input, []byte(`"`)) {
		input = append(append([]byte("["), input...), ']')
	}
	if err := json.Unmarshal(input, &req.Texts); err != nil {
		return fmt.Errorf("input: %w", err)
	}
	for _, t := range req.Texts {
		if t == "" {
			return fmt.Errorf("'$.input' is invalid: input cannot be an empty string")
		}
	}
	return nil
}

func readMessage(r *llm.Request, m *wireMessage) {
	switch m.Type {
	case "function_call": // one item for each call of a message
		call := llm.ToolCall{ID: m.CallID, Name: m.Name, Arguments: m.Arguments}
		if n := len(r.Messages); n > 0 && r.Messages[n-1].Role == llm.RoleAssistant {
			r.Messages[n-1].Calls = append(r.Messages[n-1].Calls, call)
			return
		}
		r.Messages = append(r.Messages, llm.Message{Role: llm.RoleAssistant, Calls: []llm.ToolCall{call}})
		return
	case "function_call_output":
		r.Messages = append(r.Messages, llm.Message{Role: llm.RoleTool, Content: text(m.Output), CallID: m.CallID})
		return
	}
	out := llm.Message{Role: m.Role, Content: text(m.Content), CallID: m.ToolCallID}
	for _, c := range m.ToolCalls {
		out.Calls = append(out.Calls, llm.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: c.Function.Arguments})
	}
	r.Messages = append(r.Messages, out)
}

// text is a content: a string or a list of parts.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	var parts []struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	var b strings.Builder
	for _, p := range parts {
		b.WriteString(p.Text)
	}
	return b.String()
}

func readChoice(raw json.RawMessage) llm.ToolChoice {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return llm.ToolChoice(s)
	}
	var named struct {
		Name     string `json:"name"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
	}
	if json.Unmarshal(raw, &named) != nil {
		return ""
	}
	return llm.ToolChoice(named.Name + named.Function.Name)
}

func estimate(s string) int64 { return int64(len(s)/4 + 1) }

// usage is the reply's own, or an estimate that stays under the token limit.
func usage(req *Request, r *Reply) llm.Usage {
	if r.Usage != (llm.Usage{}) {
		return r.Usage
	}
	written := r.Text + r.Refusal
	for _, c := range r.Calls {
		written += c.Name + c.Arguments
	}
	u := llm.Usage{Input: estimate(string(req.Body)), Output: estimate(written)}
	if req.MaxTokens > 0 {
		u.Output = min(u.Output, int64(req.MaxTokens)-1)
	}
	return u
}

func modelOf(req *Request, r *Reply) string {
	if r.Model != "" {
		return r.Model
	}
	return req.Model
}

func chatBody(req *Request, r *Reply) []byte {
	msg := map[string]any{"role": "assistant", "content": orNull(r.Text), "refusal": orNull(r.Refusal)}
	finish := "stop"
	if len(r.Calls) > 0 {
		finish = "tool_calls"
		var calls []any
		for i, c := range r.Calls {
			calls = append(calls, map[string]any{
				"id": callID(c, i), "type": "function",
				"function": map[string]any{"name": c.Name, "arguments": c.Arguments},
			})
		}
		msg["tool_calls"] = calls
	} else if r.Refusal == "" {
		msg["content"] = r.Text
	}
	if r.Finish != "" {
		finish = r.Finish
	}
	u := usage(req, r)
	return encode(map[string]any{
		"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": modelOf(req, r),
		"choices": []any{map[string]any{"index": 0, "message": msg, "finish_reason": finish, "logprobs": nil}},
		"usage": map[string]any{
			"prompt_tokens": u.Input, "completion_tokens": u.Output, "total_tokens": u.Input + u.Output,
			"prompt_tokens_details":     map[string]any{"cached_tokens": u.Cached, "cache_write_tokens": u.CacheWrite},
			"completion_tokens_details": map[string]any{"reasoning_tokens": u.Reasoning},
		},
	})
}

func callID(c llm.ToolCall, i int) string {
	if c.ID != "" {
		return c.ID
	}
	return fmt.Sprintf("call_%d", i+1)
}

func responsesBody(req *Request, r *Reply) []byte {
	status, reason := "completed", ""
	switch r.Finish {
	case "length":
		status, reason = "incomplete", "max_output_tokens"
	case "content_filter":
		status, reason = "incomplete", "content_filter"
	}
	output := []any{}
	for i, c := range r.Calls {
		output = append(output, map[string]any{
			"type": "function_call", "id": fmt.Sprintf("fc_%d", i+1), "call_id": callID(c, i),
			"name": c.Name, "arguments": c.Arguments, "status": status,
		})
	}
	if r.Refusal != "" || r.Text != "" || len(r.Calls) == 0 {
		part := map[string]any{"type": "output_text", "text": r.Text, "annotations": []any{}}
		if r.Refusal != "" {
			part = map[string]any{"type": "refusal", "refusal": r.Refusal}
		}
		output = append(output, map[string]any{
			"type": "message", "id": "msg_1", "role": "assistant", "status": status, "content": []any{part},
		})
	}
	u := usage(req, r)
	out := map[string]any{
		"id": "resp_1", "object": "response", "created_at": 1, "status": status, "model": modelOf(req, r),
		"error": nil, "incomplete_details": nil, "output": output,
		"usage": map[string]any{
			"input_tokens": u.Input, "output_tokens": u.Output, "total_tokens": u.Input + u.Output,
			"input_tokens_details":  map[string]any{"cached_tokens": u.Cached, "cache_write_tokens": u.CacheWrite},
			"output_tokens_details": map[string]any{"reasoning_tokens": u.Reasoning},
		},
	}
	if reason != "" {
		out["incomplete_details"] = map[string]any{"reason": reason}
	}
	return encode(out)
}
