// Package llm is the model port of casebook: the two interfaces a provider
// implements, the request and response they exchange, one error type, and the
// decorators that every call goes through.
//
// Nothing here reads the environment, opens a connection or knows a provider;
// adapters/openai maps the port to the wire.
//
// Decorators stand in this order, from the outside in: [Record], [Adaptive],
// [Retry], [Ledger.Client], [Limiter.Client], the provider. So a replay needs no
// other, and every attempt is retried, paid for and limited. Those of an embedder
// are [CacheEmbedder], [RetryEmbedder], [Ledger.Embedder] and [Limiter.Embedder].
package llm

import (
	"context"
	"encoding/json"
)

// Client completes one request. Implementations must be safe for concurrent
// use, must honour ctx, and must return a *[Error] for every failure of the
// provider, so that decorators can tell what to do about it, with the usage of a
// failure that was paid for. Without an error there is a response; to decorators
// and [Ask] a client that returns neither has failed with [KindMalformed]. A client that has a model of its own should say its
// name in a method Model() string; see [ModelOf].
type Client interface {
	Complete(ctx context.Context, req *Request) (*Response, error)
}

// Embedder turns texts into vectors, one for each text and in the same order,
// all of one length. Implementations must be safe for concurrent use.
type Embedder interface {
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// Request is one completion to make. A client must not modify it.
type Request struct {
	// Model names the model; empty means the client's own.
	Model    string    `json:"model,omitempty"`
	Messages []Message `json:"messages"`
	// Tools are offered in this order.
	Tools []Tool `json:"tools,omitempty"`
	// ToolChoice is meaningful with Tools only; empty means auto.
	ToolChoice ToolChoice `json:"tool_choice,omitempty"`
	// Parallel allows several calls in one reply; nil leaves it to the server.
	Parallel *bool `json:"parallel_tool_calls,omitempty"`
	// Schema asks for a JSON reply. Never together with Tools.
	Schema *Schema `json:"schema,omitempty"`
	// JSONObject asks for any JSON object; for servers that take no schema.
	JSONObject bool `json:"json_object,omitempty"`
	// MaxTokens bounds the reply, reasoning included; 0 leaves it to the server.
	MaxTokens   int      `json:"max_tokens,omitempty"`
	Temperature *float64 `json:"temperature,omitempty"`
	Seed        *int64   `json:"seed,omitempty"`
	// Effort is the reasoning effort ("none", "low", ...); empty leaves it out.
	Effort string `json:"effort,omitempty"`

	// Purpose says what the call is for; casebook's own are "extract_use_cases",
	// "extract_policies", "extract_repair", "route" and "generate_direct". It goes
	// to accounting and logs and is not part of the request.
	Purpose string `json:"-"`
}

// ToolChoice says whether the model must call a tool. Any value but the three
// constants is the name of the one tool that must be called.
type ToolChoice string

// The tool choices that are no tool's name.
const (
	ToolAuto     ToolChoice = "auto"
	ToolRequired ToolChoice = "required"
	ToolNone     ToolChoice = "none"
)

// The roles of a [Message].
const (
	RoleSystem    = "system"
	RoleUser      = "user"
	RoleAssistant = "assistant"
	RoleTool      = "tool"
)

// Message is one message of a conversation with the model.
type Message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
	// Calls are the tool calls of an assistant message.
	Calls []ToolCall `json:"tool_calls,omitempty"`
	// CallID is, in a tool message, the call it answers.
	CallID string `json:"tool_call_id,omitempty"`
}

// Tool is a function offered to the model. Parameters is a JSON Schema of the
// strict subset when Strict is true.
type Tool struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters"`
	Strict      bool            `json:"strict,omitempty"`
}

// Schema is the JSON Schema a reply must follow.
type Schema struct {
	Name   string          `json:"name"`
	JSON   json.RawMessage `json:"schema"`
	Strict bool            `json:"strict,omitempty"`
}

// ToolCall is a call the model made. Arguments is as the model wrote it and may
// be no JSON at all.
type ToolCall struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

// Response is the model's reply.
type Response struct {
	Text   string     `json:"text,omitempty"`
	Calls  []ToolCall `json:"calls,omitempty"`
	Finish string     `json:"finish,omitempty"` // as the server said; never used to find calls
	Model  string     `json:"model,omitempty"`  // as served
	Usage  Usage      `json:"usage"`
}

// Usage counts the tokens of one reply. Cached and CacheWrite are part of
// Input, Reasoning is part of Output.
type Usage struct {
	Input      int64 `json:"input"`
	Cached     int64 `json:"cached,omitempty"`
	CacheWrite int64 `json:"cache_write,omitempty"`
	Output     int64 `json:"output"`
	Reasoning  int64 `json:"reasoning,omitempty"`
}
