package llm

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/schema"
)

// AskOptions are the options of [AskWith]. Nil and zero fields mean the defaults.
type AskOptions struct {
	// Repairs is how often the model may correct a reply that does not fit;
	// 0 means once, -1 never.
	Repairs int
}

// Ask asks for a reply of type T, a struct: its JSON Schema goes with the
// request, unless the request has one, and the reply is decoded and checked
// against it, and by T's method Validate() error if it has one. A reply that
// does not fit is sent back once, with what is wrong.
//
// Failures of the model are *[Error]: refused, truncated, ..., and malformed for
// a reply that does not fit in the end. A type that has no schema is an error
// before anything is sent. The Response is the last one, with the usage of all;
// it is nil if there was none.
func Ask[T any](ctx context.Context, c Client, req *Request) (T, *Response, error) {
	return AskWith[T](ctx, c, req, nil)
}

// AskWith is [Ask] with options.
func AskWith[T any](ctx context.Context, c Client, req *Request, o *AskOptions) (T, *Response, error) {
	var zero T
	t := reflect.TypeFor[T]()
	s, err := schema.For(t)
	if err != nil {
		return zero, nil, fmt.Errorf("llm: reply of type %v: %w", t, err)
	}
	if len(req.Tools) > 0 {
		return zero, nil, fmt.Errorf("llm: reply of type %v: a request with tools cannot ask for a JSON reply too", t)
	}
	repairs := 1
	if o != nil && o.Repairs != 0 {
		repairs = max(0, o.Repairs)
	}
	asked := *req
	if asked.Schema == nil {
		asked.Schema = &Schema{Name: schemaName(t.Name()), JSON: s.Strict, Strict: true}
	}
	var used Usage
	for {
		resp, err := complete(ctx, c, &asked)
		if err != nil {
			return zero, nil, err
		}
		used = used.plus(resp.Usage)
		last := *resp
		last.Usage = used
		v := new(T)
		problem := decodeReply(s, resp.Text, v)
		if problem == nil {
			return *v, &last, nil
		}
		if repairs == 0 {
			return zero, &last, &Error{Kind: KindMalformed, Message: "the reply does not fit: " + problem.Error(), Err: problem, Model: resp.Model}
		}
		repairs--
		asked.Messages = append(slices.Clone(asked.Messages),
			Message{Role: RoleAssistant, Content: nonEmpty(resp.Text)},
			Message{Role: RoleUser, Content: "Your reply does not fit what was asked for:\n" + listed(problem) + "\nReply again with the whole JSON object, corrected, and nothing else."})
	}
}

func decodeReply(s *schema.Schema, text string, into any) error {
	raw, err := ParseJSON(text)
	if err != nil {
		return err
	}
	return s.Decode(raw, into)
}

// nonEmpty keeps an empty reply from being sent back: servers refuse an empty
// assistant message.
func nonEmpty(text string) string {
	if strings.TrimSpace(text) == "" {
		return "{}"
	}
	return text
}

// listed is what is wrong with a reply, a problem a line.
func listed(err error) string {
	var args *schema.ArgsError
	if errors.As(err, &args) && len(args.Problems) > 0 {
		var b strings.Builder
		for _, p := range args.Problems {
			b.WriteString("- " + strings.TrimSpace(p) + "\n")
		}
		return strings.TrimRight(b.String(), "\n")
	}
	if errors.Is(err, ErrNoJSON) {
		return "- It holds no whole JSON object."
	}
	return "- " + err.Error()
}
