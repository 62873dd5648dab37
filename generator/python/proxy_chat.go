package python

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
)

// chatRequest is what is read of a request for a completion. Parameters that no
// request of casebook has, such as top_p and user, are not read.
type chatRequest struct {
	Model               string          `json:"model"`
	Messages            []chatMessage   `json:"messages"`
	Temperature         *float64        `json:"temperature"`
	MaxTokens           *int            `json:"max_tokens"`
	MaxCompletionTokens *int            `json:"max_completion_tokens"`
	Seed                *int64          `json:"seed"`
	Format              *responseFormat `json:"response_format"`
	N                   *int            `json:"n"`
	Stream              bool            `json:"stream"`
	LogProbs            bool            `json:"logprobs"`
	Stop                json.RawMessage `json:"stop"`
	Tools               json.RawMessage `json:"tools"`
	Functions           json.RawMessage `json:"functions"`

	form replyForm
}

type chatMessage struct {
	Role    string          `json:"role"`
	Content json.RawMessage `json:"content"`
	Calls   json.RawMessage `json:"tool_calls"`
}

type responseFormat struct {
	Type   string `json:"type"`
	Schema struct {
		Name   string          `json:"name"`
		Schema json.RawMessage `json:"schema"`
		Strict bool            `json:"strict"`
	} `json:"json_schema"`
}

// usage is OpenAI's count of tokens.
type usage struct {
	Prompt     int64 `json:"prompt_tokens"`
	Completion int64 `json:"completion_tokens"`
	Total      int64 `json:"total_tokens"`
}

// readChat turns the body of a request into the port's request, the same for the
// same body, and says what form the reply must have. Errors are *[requestError].
func readChat(body []byte, schemas *schemaCache) (*chatRequest, *llm.Request, error) {
	var r chatRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, nil, badRequest("the request cannot be read: %s", problemOf(err))
	}
	switch {
	case r.Stream:
		return nil, nil, badRequest("stream is not supported")
	case r.N != nil && *r.N != 1:
		return nil, nil, badRequest("n must be 1")
	case filled(r.Tools) || filled(r.Functions):
		return nil, nil, badRequest("tools are not supported; ask for a JSON reply")
	case filled(r.Stop):
		return nil, nil, badRequest("stop is not supported")
	case r.LogProbs:
		return nil, nil, badRequest("logprobs are not supported")
	case len(r.Messages) == 0:
		return nil, nil, badRequest("messages are required")
	case r.Temperature != nil && (*r.Temperature < 0 || *r.Temperature > 2):
		return nil, nil, badRequest("temperature must be between 0 and 2")
	}
	req := &llm.Request{Temperature: r.Temperature, Seed: r.Seed}
	for i := range r.Messages {
		m, err := r.Messages[i].read()
		if err != nil {
			return nil, nil, badRequest("messages[%d]: %s", i, err)
		}
		req.Messages = append(req.Messages, m)
	}
	if limit := cmp.Or(r.MaxCompletionTokens, r.MaxTokens); limit != nil {
		if *limit < 1 {
			return nil, nil, badRequest("max_tokens must be at least 1")
		}
		req.MaxTokens = *limit
	}
	if err := r.readFormat(req, schemas); err != nil {
		return nil, nil, err
	}
	return &r, req, nil
}

// filled reports whether a member holds more than nothing, [] or "".
func filled(raw json.RawMessage) bool {
	return given(raw) && string(raw) != "[]" && string(raw) != `""`
}

func (m *chatMessage) read() (llm.Message, error) {
	out := llm.Message{Role: m.Role}
	switch m.Role {
	case llm.RoleSystem, llm.RoleUser, llm.RoleAssistant:
	case "developer":
		out.Role = llm.RoleSystem
	default:
		return out, fmt.Errorf("the role %.20q is not supported", m.Role)
	}
	if filled(m.Calls) {
		return out, fmt.Errorf("tool calls are not supported")
	}
	if !given(m.Content) {
		return out, fmt.Errorf("content is required")
	}
	if m.Content[0] == '"' {
		return out, json.Unmarshal(m.Content, &out.Content)
	}
	var parts []struct {
		Type string  `json:"type"`
		Text *string `json:"text"`
	}
	if json.Unmarshal(m.Content, &parts) != nil || len(parts) == 0 {
		return out, fmt.Errorf("content must be a text or a list of parts")
	}
	texts := make([]string, len(parts))
	for i, part := range parts {
		if part.Type != "text" || part.Text == nil {
			return out, fmt.Errorf("a part of content must be of type text")
		}
		texts[i] = *part.Text
	}
	out.Content = strings.Join(texts, "\n")
	return out, nil
}

func (r *chatRequest) readFormat(req *llm.Request, schemas *schemaCache) error {
	f := r.Format
	if f == nil {
		return nil
	}
	switch f.Type {
	case "", "text":
	case "json_object":
		req.JSONObject = true
		r.form = anyJSON{}
	case "json_schema":
		s, err := schemas.compile(f.Schema.Schema)
		if err != nil {
			return &requestError{status: http.StatusBadRequest, code: string(llm.KindSchema), message: "response_format: " + err.Error()}
		}
		r.form = s
		req.Schema = &llm.Schema{Name: schemaName(cmp.Or(f.Schema.Name, s.title)), JSON: s.text, Strict: f.Schema.Strict}
	default:
		return badRequest("response_format must be text, json_object or json_schema")
	}
	return nil
}

// schemaName makes a name that servers take: [a-zA-Z0-9_-]{1,64}.
func schemaName(name string) string {
	clean := strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		default:
			return '_'
		}
	}, name), "_")
	return cmp.Or(clean[:min(len(clean), 64)], "reply")
}

func (p *proxy) serveChat(ctx context.Context, body []byte) reply {
	r, req, err := readChat(body, &p.schemas)
	if err != nil {
		return p.refuse(err)
	}
	req.Purpose = p.purpose
	if out, ok := p.dead(); ok {
		return out
	}
	id := "chatcmpl-" + llm.Key(req)[:16]
	text, used, err := p.complete(ctx, req, r.form)
	if err != nil {
		return p.fail(ended(ctx, err))
	}
	type message struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	}
	type choice struct {
		Index   int     `json:"index"`
		Message message `json:"message"`
		Finish  string  `json:"finish_reason"`
	}
	return reply{http.StatusOK, encode(struct {
		ID      string   `json:"id"`
		Object  string   `json:"object"`
		Created int64    `json:"created"` // 0: a reply does not depend on the clock
		Model   string   `json:"model"`
		Choices []choice `json:"choices"`
		Usage   usage    `json:"usage"`
	}{
		ID: id, Object: "chat.completion", Model: cmp.Or(p.Model(), r.Model),
		Choices: []choice{{Message: message{llm.RoleAssistant, text}, Finish: "stop"}},
		Usage:   usage{Prompt: used.Input, Completion: used.Output, Total: used.Input + used.Output},
	})}
}

// complete asks the model, and again with what is wrong while the reply does not
// have the form. The usage is that of all replies.
func (p *proxy) complete(ctx context.Context, req *llm.Request, form replyForm) (string, llm.Usage, error) {
	var used llm.Usage
	for repairs := 0; ; repairs++ {
		p.chat.Add(1)
		resp, err := p.call.Model.Complete(ctx, req)
		if err == nil && resp == nil {
			err = &llm.Error{Kind: llm.KindMalformed, Message: "the client returned neither a reply nor an error"}
		}
		if unusable(err) {
			return "", used, cmp.Or(p.health.replied(p.framework, err), err)
		}
		if err != nil {
			return "", used, err
		}
		used.Input += resp.Usage.Input
		used.Output += resp.Usage.Output
		if form == nil {
			return resp.Text, used, nil
		}
		text, mended, problems := form.read(resp.Text)
		if len(problems) == 0 {
			_ = p.health.replied(p.framework, nil)
			if mended {
				p.mended.Add(1)
			}
			return text, used, nil
		}
		if repairs >= p.repairs || p.health.doubtful() {
			unfit := &unfitError{problems}
			return "", used, cmp.Or(p.health.replied(p.framework, unfit), error(unfit))
		}
		p.repairN.Add(1)
		again := *req
		said := resp.Text
		if strings.TrimSpace(said) == "" {
			said = "{}" // servers refuse an empty message
		}
		again.Messages = append(slices.Clone(req.Messages),
			llm.Message{Role: llm.RoleAssistant, Content: said},
			llm.Message{Role: llm.RoleUser, Content: "Your reply does not fit what was asked for:\n- " + strings.Join(problems, "\n- ") +
				"\nReply again with the whole JSON value, corrected, and nothing else."})
		req = &again
	}
}

// unusable reports whether err speaks against the model or its server, not
// against the request: retries are behind it.
func unusable(err error) bool {
	var e *llm.Error
	if errors.As(err, &e) {
		return e.Kind == llm.KindMalformed || e.Kind == llm.KindTruncated || e.Kind == llm.KindOverload
	}
	return errors.Is(err, generator.ErrTimeout)
}

// unfitError is a reply that in the end does not have the form asked for.
type unfitError struct{ problems []string }

// Error says what is wrong with the reply.
func (e *unfitError) Error() string {
	return "the reply does not fit what was asked for: " + strings.Join(e.problems, "; ")
}
