package openai

import (
	"context"
	"strings"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/packages/param"
	"github.com/openai/openai-go/v3/responses"
	"github.com/openai/openai-go/v3/shared"

	"github.com/casebook-go/casebook/generator/llm"
)

// leastOutput is the smallest max_output_tokens that Responses takes.
const leastOutput = 16

func (c *Client) completeResponses(ctx context.Context, model string, req *llm.Request) (*llm.Response, error) {
	p, err := c.responseParams(model, req)
	if err != nil {
		return nil, err
	}
	got, err := c.resps.New(ctx, *p)
	if err != nil {
		return nil, c.failed(ctx, err)
	}
	return c.readResponse(got, req)
}

func (c *Client) responseParams(model string, req *llm.Request) (*responses.ResponseNewParams, error) {
	p := &responses.ResponseNewParams{
		Model:       model,
		Store:       openai.Bool(false), // unset stores the document for 30 days
		ServiceTier: responses.ResponseNewParamsServiceTier(c.o.ServiceTier),
	}
	if req.Effort != "" {
		p.Reasoning = shared.ReasoningParam{Effort: shared.ReasoningEffort(req.Effort)}
	}
	items := make(responses.ResponseInputParam, 0, len(req.Messages))
	for i := range req.Messages {
		items = inputItems(items, &req.Messages[i])
	}
	p.Input.OfInputItemList = items
	for i := range req.Tools {
		t := &req.Tools[i]
		params, err := schemaMap(t.Parameters, t.Name)
		if err != nil {
			return nil, err
		}
		// Strict goes always: Responses makes a schema strict when it is omitted.
		f := &responses.FunctionToolParam{Name: t.Name, Parameters: params, Strict: openai.Bool(t.Strict)}
		if t.Description != "" {
			f.Description = openai.String(t.Description)
		}
		p.Tools = append(p.Tools, responses.ToolUnionParam{OfFunction: f})
	}
	if len(req.Tools) > 0 {
		switch req.ToolChoice {
		case "":
		case llm.ToolAuto, llm.ToolRequired, llm.ToolNone:
			p.ToolChoice.OfToolChoiceMode = param.NewOpt(responses.ToolChoiceOptions(req.ToolChoice))
		default:
			p.ToolChoice.OfFunctionTool = &responses.ToolChoiceFunctionParam{Name: string(req.ToolChoice)}
		}
		if req.Parallel != nil {
			p.ParallelToolCalls = openai.Bool(*req.Parallel)
		}
	}
	switch {
	case req.Schema != nil:
		schema, err := schemaMap(req.Schema.JSON, req.Schema.Name)
		if err != nil {
			return nil, err
		}
		p.Text.Format.OfJSONSchema = &responses.ResponseFormatTextJSONSchemaConfigParam{
			Name: req.Schema.Name, Schema: schema, Strict: openai.Bool(req.Schema.Strict),
		}
	case req.JSONObject:
		p.Text.Format.OfJSONObject = &shared.ResponseFormatJSONObjectParam{}
	}
	if req.MaxTokens > 0 {
		p.MaxOutputTokens = openai.Int(int64(max(req.MaxTokens, leastOutput)))
	}
	if req.Temperature != nil {
		p.Temperature = openai.Float(*req.Temperature)
	}
	return p, nil
}

// inputItems appends a message as items. Calls go without the server's own item
// ids: with them it demands the reasoning that came before, which is not kept.
func inputItems(items responses.ResponseInputParam, m *llm.Message) responses.ResponseInputParam {
	switch m.Role {
	case llm.RoleTool:
		out := responses.ResponseInputItemParamOfFunctionCallOutput(m.Content)
		out.OfFunctionCallOutput.CallID = openai.String(m.CallID)
		return append(items, out)
	case llm.RoleAssistant:
		if m.Content != "" || len(m.Calls) == 0 {
			items = append(items, responses.ResponseInputItemParamOfMessage(m.Content, responses.EasyInputMessageRoleAssistant))
		}
		for _, call := range m.Calls {
			items = append(items, responses.ResponseInputItemParamOfFunctionCall(echoedArguments(call.Arguments), call.ID, echoedName(call.Name)))
		}
		return items
	case llm.RoleSystem:
		return append(items, responses.ResponseInputItemParamOfMessage(m.Content, responses.EasyInputMessageRoleSystem))
	default:
		return append(items, responses.ResponseInputItemParamOfMessage(m.Content, responses.EasyInputMessageRoleUser))
	}
}

// readResponse turns a reply into the port's: error and failure, cut, refusal,
// calls, text, in this order.
func (c *Client) readResponse(got *responses.Response, req *llm.Request) (*llm.Response, error) {
	if got == nil {
		return nil, malformed("the reply is null")
	}
	out := &llm.Response{Model: got.Model, Finish: string(got.Status), Usage: llm.Usage{
		Input:      got.Usage.InputTokens,
		Cached:     got.Usage.InputTokensDetails.CachedTokens,
		CacheWrite: got.Usage.InputTokensDetails.CacheWriteTokens,
		Output:     got.Usage.OutputTokens,
		Reasoning:  got.Usage.OutputTokensDetails.ReasoningTokens,
	}}
	if raw := got.JSON.Error.Raw(); raw != "" && raw != "null" {
		return nil, c.served(out, c.replyError([]byte(raw)))
	}
	limit := 0
	if req.MaxTokens > 0 {
		limit = max(req.MaxTokens, leastOutput)
	}
	switch got.Status {
	case responses.ResponseStatusIncomplete:
		out.Finish = got.IncompleteDetails.Reason
		if got.IncompleteDetails.Reason == "content_filter" {
			return nil, c.served(out, &llm.Error{Kind: llm.KindBlocked, Status: 200, Code: "content_filter", Message: "the content filter stopped the reply"})
		}
		return nil, c.served(out, truncated(limit))
	case responses.ResponseStatusCompleted, "":
	case responses.ResponseStatusFailed:
		return nil, c.served(out, &llm.Error{Kind: llm.KindOverload, Status: 200, Message: "the provider failed while it replied"})
	default:
		return nil, c.served(out, malformed("the reply has the status "+c.key.oneLine(string(got.Status))))
	}
	if len(got.Output) == 0 {
		return nil, c.served(out, malformed("the reply has no output"))
	}
	incomplete := false
	var refusal string
	for i := range got.Output {
		item := &got.Output[i]
		switch item.Type {
		case "function_call":
			fc := item.AsFunctionCall()
			out.Calls = append(out.Calls, llm.ToolCall{ID: fc.CallID, Name: fc.Name, Arguments: fc.Arguments})
			incomplete = incomplete || fc.Status == "incomplete"
		case "message":
			text, refused := messageText(item)
			if refused != "" {
				refusal = refused
			}
			// Commentary beside the answer would spoil it; of several answers
			// the last one counts.
			if item.Phase == "" || item.Phase == "final_answer" {
				out.Text = text
			}
			incomplete = incomplete || item.Status == "incomplete"
		default: // reasoning, and what is to come
		}
	}
	switch {
	case refusal != "":
		return nil, c.served(out, &llm.Error{Kind: llm.KindRefused, Status: 200, Message: c.key.oneLine(refusal)})
	case incomplete || cut(out, req, int64(limit)):
		return nil, c.served(out, truncated(limit))
	}
	return out, nil
}

func messageText(item *responses.ResponseOutputItemUnion) (text, refusal string) {
	var b strings.Builder
	for j := range item.Content {
		switch part := &item.Content[j]; part.Type {
		case "output_text", "text", "":
			b.WriteString(part.Text)
		case "refusal":
			refusal = part.Refusal
			if refusal == "" {
				refusal = "the model declined"
			}
		}
	}
	return b.String(), refusal
}
