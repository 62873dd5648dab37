package openai

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/shared"

	"github.com/casebook-go/casebook/generator/llm"
)

// completeChat sends a request to /chat/completions. Servers disagree on the
// name of the token limit: the one that is refused is replaced by the other.
func (c *Client) completeChat(ctx context.Context, model string, req *llm.Request) (*llm.Response, error) {
	t := trait{model, otherTokenParam}
	other := c.knows(t)
	resp, err := c.sendChat(ctx, model, req, other)
	if req.MaxTokens == 0 || !refusesTokenParam(err, c.tokenParam(other)) {
		return resp, err
	}
	resp, second := c.sendChat(ctx, model, req, !other)
	if refusesTokenParam(second, c.tokenParam(!other)) {
		return nil, err
	}
	if second == nil && !other {
		c.learn(t)
	}
	return resp, second
}

// tokenParam is the name under which the token limit is sent.
func (c *Client) tokenParam(other bool) string {
	if (isOpenAI(c.base) || isAzure(c.base)) != other {
		return "max_completion_tokens"
	}
	return "max_tokens"
}

func refusesTokenParam(err error, name string) bool {
	var e *llm.Error
	if !errors.As(err, &e) || e.Kind != llm.KindUnsupported {
		return false
	}
	return e.Param == name || e.Param == "" && strings.Contains(e.Message, name)
}

func (c *Client) sendChat(ctx context.Context, model string, req *llm.Request, other bool) (*llm.Response, error) {
	p, err := c.chatParams(model, req, other)
	if err != nil {
		return nil, err
	}
	got, err := c.chat.New(ctx, *p)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return c.readChat(got, req)
}

func (c *Client) chatParams(model string, req *llm.Request, other bool) (*openai.ChatCompletionNewParams, error) {
	p := &openai.ChatCompletionNewParams{
		Model:           model,
		Messages:        make([]openai.ChatCompletionMessageParamUnion, 0, len(req.Messages)),
		ReasoningEffort: shared.ReasoningEffort(req.Effort),
		ServiceTier:     openai.ChatCompletionNewParamsServiceTier(c.o.ServiceTier),
	}
	if isOpenAI(c.base) || isAzure(c.base) {
		p.Store = openai.Bool(false)
	}
	for i := range req.Messages {
		p.Messages = append(p.Messages, c.chatMessage(&req.Messages[i]))
	}
	for i := range req.Tools {
		t := &req.Tools[i]
		params, err := schemaMap(t.Parameters, t.Name)
		if err != nil {
			return nil, err
		}
		f := shared.FunctionDefinitionParam{Name: t.Name, Parameters: params}
		if t.Description != "" {
			f.Description = openai.String(t.Description)
		}
		if t.Strict {
			f.Strict = openai.Bool(true)
		}
		p.Tools = append(p.Tools, openai.ChatCompletionFunctionTool(f))
	}
	if len(req.Tools) > 0 {
		switch req.ToolChoice {
		case "":
		case llm.ToolAuto, llm.ToolRequired, llm.ToolNone:
			p.ToolChoice.OfAuto = openai.String(string(req.ToolChoice))
		default:
			p.ToolChoice.OfFunctionToolChoice = &openai.ChatCompletionNamedToolChoiceParam{
				Function: openai.ChatCompletionNamedToolChoiceFunctionParam{Name: string(req.ToolChoice)},
			}
		}
		if req.Parallel != nil {
			p.ParallelToolCalls = openai.Bool(*req.Parallel)
		}
	}
	switch {
	case req.Schema != nil:
		if _, err := schemaMap(req.Schema.JSON, req.Schema.Name); err != nil {
			return nil, err
		}
		p.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{
			JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
				Name: req.Schema.Name, Schema: req.Schema.JSON, Strict: openai.Bool(req.Schema.Strict),
			},
		}
	case req.JSONObject:
		p.ResponseFormat.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
	}
	if req.MaxTokens > 0 {
		limit := openai.Int(int64(req.MaxTokens))
		if c.tokenParam(other) == "max_tokens" {
			p.MaxTokens = limit
		} else {
			p.MaxCompletionTokens = limit
		}
	}
	if req.Temperature != nil {
		p.Temperature = openai.Float(*req.Temperature)
	}
	if req.Seed != nil {
		p.Seed = openai.Int(*req.Seed)
	}
	return p, nil
}

func (c *Client) chatMessage(m *llm.Message) openai.ChatCompletionMessageParamUnion {
	switch m.Role {
	case llm.RoleSystem:
		return openai.SystemMessage(m.Content)
	case llm.RoleTool:
		return openai.ToolMessage(m.Content, m.CallID)
	case llm.RoleAssistant:
		var a openai.ChatCompletionAssistantMessageParam
		if m.Content != "" || len(m.Calls) == 0 {
			a.Content.OfString = param.NewOpt(m.Content)
		}
		for _, call := range m.Calls {
			a.ToolCalls = append(a.ToolCalls, openai.ChatCompletionMessageToolCallUnionParam{
				OfFunction: &openai.ChatCompletionMessageFunctionToolCallParam{
					ID: call.ID,
					Function: openai.ChatCompletionMessageFunctionToolCallFunctionParam{
						Name: echoedName(call.Name), Arguments: echoedArguments(call.Arguments),
					},
				},
			})
		}
		return openai.ChatCompletionMessageParamUnion{OfAssistant: &a}
	default:
		return openai.UserMessage(m.Content)
	}
}

// echoedName makes a name that the model may have invented fit to be sent back:
// servers refuse a whole conversation for one that is not [a-zA-Z0-9_-]{1,64}.
func echoedName(name string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		default:
			return '_'
		}
	}, name)
	if clean == "" {
		return "unnamed"
	}
	return clean[:min(len(clean), 64)]
}

// echoedArguments does the same for arguments: some servers take nothing but an
// object.
func echoedArguments(args string) string {
	if strings.TrimSpace(args) == "" || strings.TrimSpace(args) == "null" {
		return "{}"
	}
	if json.Valid([]byte(args)) && strings.TrimSpace(args)[0] == '{' {
		return args
	}
	b, err := json.Marshal(map[string]string{"unreadable": args})
	if err != nil { // no string fails
		return "{}"
	}
	return string(b)
}

// schemaMap is a schema in the form that the SDK takes. Its values stay as they
// are written, so that the properties keep their order, which is the order in
// which a model fills them.
func schemaMap(schema json.RawMessage, name string) (map[string]any, error) {
	if len(schema) == 0 {
		schema = json.RawMessage(`{"type":"object","properties":{},"required":[],"additionalProperties":false}`)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(schema, &members); err != nil || members == nil {
		return nil, &llm.Error{Kind: llm.KindSchema, Param: name, Message: "the schema of " + name + " is no JSON object", Err: err}
	}
	out := make(map[string]any, len(members))
	for k, v := range members {
		out[k] = v
	}
	return out, nil
}

// readChat turns a reply into the port's. The order of the checks matters: a
// reply may be cut and hold calls, or be refused and hold no content.
func (c *Client) readChat(got *openai.ChatCompletion, req *llm.Request) (*llm.Response, error) {
	if got == nil {
		return nil, malformed("the reply is null")
	}
	out := &llm.Response{Model: got.Model, Usage: llm.Usage{
		Input:      got.Usage.PromptTokens,
		Cached:     got.Usage.PromptTokensDetails.CachedTokens,
		CacheWrite: got.Usage.PromptTokensDetails.CacheWriteTokens,
		Output:     got.Usage.CompletionTokens,
		Reasoning:  got.Usage.CompletionTokensDetails.ReasoningTokens,
	}}
	if raw := got.JSON.ExtraFields["error"].Raw(); raw != "" && raw != "null" && (len(got.Choices) == 0 || got.Choices[0].Message.Content == "") {
		return nil, c.served(out, c.replyError([]byte(raw)))
	}
	if len(got.Choices) == 0 {
		return nil, c.served(out, malformed("the reply has no choices"))
	}
	choice := &got.Choices[0]
	msg := &choice.Message
	out.Finish = choice.FinishReason
	out.Text = contentText(msg.Content, msg.JSON.Content.Raw())
	for i := range msg.ToolCalls {
		call := &msg.ToolCalls[i]
		if call.Function.Name == "" && call.Custom.Name != "" {
			out.Calls = append(out.Calls, llm.ToolCall{ID: call.ID, Name: call.Custom.Name, Arguments: call.Custom.Input})
			continue
		}
		out.Calls = append(out.Calls, llm.ToolCall{ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments})
	}
	//nolint:staticcheck // deprecated, and still what older servers send
	if f := &msg.FunctionCall; len(out.Calls) == 0 && f.Name != "" {
		out.Calls = []llm.ToolCall{{Name: f.Name, Arguments: f.Arguments}}
	}
	switch {
	case msg.Refusal != "":
		return nil, c.served(out, &llm.Error{Kind: llm.KindRefused, Status: 200, Message: c.key.oneLine(msg.Refusal)})
	case choice.FinishReason == "content_filter":
		return nil, c.served(out, &llm.Error{Kind: llm.KindBlocked, Status: 200, Code: "content_filter", Message: "the content filter stopped the reply"})
	case choice.FinishReason == "length" || cut(out, req, int64(req.MaxTokens)):
		return nil, c.served(out, truncated(req.MaxTokens))
	case choice.FinishReason == "error":
		if raw := choice.JSON.ExtraFields["error"].Raw(); raw != "" && raw != "null" {
			return nil, c.served(out, c.replyError([]byte(raw)))
		}
		return nil, c.served(out, &llm.Error{Kind: llm.KindOverload, Status: 200, Message: "the provider failed while it replied"})
	}
	return out, nil
}

// contentText is the text of a message. Some servers send a list of parts, which
// the SDK hands on as raw JSON.
func contentText(content, raw string) string {
	if !strings.HasPrefix(strings.TrimSpace(raw), "[") {
		return content
	}
	var parts []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	if json.Unmarshal([]byte(raw), &parts) != nil {
		return content
	}
	var b strings.Builder
	for _, p := range parts {
		if p.Type == "" || p.Type == "text" || p.Type == "output_text" {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// cut reports whether the token limit ended a reply that does not say so. A
// reply of exactly the limit is taken to be cut. One beyond it comes from a
// server that counts or limits otherwise, and is cut only if it is visibly
// broken.
func cut(out *llm.Response, req *llm.Request, limit int64) bool {
	switch {
	case limit == 0 || out.Usage.Output < limit:
		return false
	case out.Usage.Output == limit:
		return true
	}
	for i := range out.Calls {
		if a := strings.TrimSpace(out.Calls[i].Arguments); a != "" && !json.Valid([]byte(a)) {
			return true
		}
	}
	return len(out.Calls) == 0 && (req.Schema != nil || req.JSONObject) && !strings.HasSuffix(strings.TrimRight(out.Text, "` \n\r\t"), "}")
}
