package llm_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

type verdict struct {
	Kind  string   `json:"kind" jsonschema:"enum=must,enum=must_not"`
	Lines []int    `json:"lines" jsonschema:"minItems=1"`
	Note  *string  `json:"note,omitempty"`
	Tags  []string `json:"tags,omitempty"`
}

func (v verdict) Validate() error {
	for _, n := range v.Lines {
		if n > 100 {
			return fmt.Errorf("line %d is beyond the document's 100 lines", n)
		}
	}
	return nil
}

func TestAsk(t *testing.T) {
	t.Parallel()
	fake := llmtest.New(t, llmtest.Step{Text: "Вот:\n```json\n{\"kind\":\"must\",\"lines\":[3],\"note\":null,\"tags\":null}\n```", Usage: llm.Usage{Output: 5}})
	req := user("Which rule?")
	got, resp, err := llm.Ask[verdict](t.Context(), fake, req)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(verdict{Kind: "must", Lines: []int{3}}, got); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
	if resp.Usage.Output != 5 {
		t.Errorf("usage = %+v", resp.Usage)
	}
	sent := fake.Log()[0].Schema
	if sent == nil || !sent.Strict || sent.Name != "verdict" || !strings.Contains(string(sent.JSON), `"must_not"`) {
		t.Errorf("schema sent = %+v", sent)
	}
	if req.Schema != nil {
		t.Error("the caller's request was changed")
	}
}

func TestAskRepairsOnce(t *testing.T) {
	t.Parallel()
	const good = `{"kind":"must","lines":[3],"note":null,"tags":null}`
	for _, tt := range []struct {
		name, first string
		want        []string // in the repair message
	}{
		{"a wrong value", `{"kind":"maybe","lines":[3],"note":null,"tags":null}`, []string{"kind", "must_not"}},
		{"two problems at once", `{"kind":"maybe","lines":[],"note":null,"tags":null}`, []string{"kind", "lines"}},
		{"an unknown field", `{"kind":"must","lines":[3],"colour":"red"}`, []string{"colour"}},
		{"the type's own check", `{"kind":"must","lines":[300],"note":null,"tags":null}`, []string{"line 300", "100 lines"}},
		{"no JSON", "Не знаю.", []string{"JSON object"}},
		{"empty", "", []string{"JSON object"}},
		{"cut off", `{"kind":"must","lines":[`, []string{"JSON object"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			fake := llmtest.New(t, llmtest.Step{Text: tt.first, Usage: llm.Usage{Output: 5}}, llmtest.Step{Text: good, Usage: llm.Usage{Output: 7}})
			got, resp, err := llm.Ask[verdict](t.Context(), fake, user("Which rule?"))
			if err != nil || got.Kind != "must" {
				t.Fatalf("got %+v, %v", got, err)
			}
			if resp.Usage.Output != 12 {
				t.Errorf("usage = %+v, want that of both replies", resp.Usage)
			}
			repair := fake.Log()[1].Messages
			if len(repair) != 3 || repair[1].Role != llm.RoleAssistant || repair[1].Content == "" {
				t.Fatalf("repair conversation = %+v", repair)
			}
			for _, w := range tt.want {
				if !strings.Contains(repair[2].Content, w) {
					t.Errorf("the repair message does not quote %q:\n%s", w, repair[2].Content)
				}
			}
		})
	}
}

func TestAskRepairRounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		o     *llm.AskOptions
		calls int
	}{{nil, 2}, {&llm.AskOptions{}, 2}, {&llm.AskOptions{Repairs: 2}, 3}, {&llm.AskOptions{Repairs: -1}, 1}} {
		fake := llmtest.New(t, llmtest.Step{Text: "no", Times: tt.calls})
		_, resp, err := llm.AskWith[verdict](t.Context(), fake, user("x"), tt.o)
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != llm.KindMalformed || !errors.Is(err, llm.ErrNoJSON) {
			t.Errorf("%+v: error = %v, want malformed", tt.o, err)
		}
		if resp == nil || resp.Text != "no" {
			t.Errorf("%+v: response = %+v, want the last one", tt.o, resp)
		}
	}
}

func TestAskFailures(t *testing.T) {
	t.Parallel()
	for _, kind := range []llm.Kind{llm.KindRefused, llm.KindTruncated, llm.KindMalformed, llm.KindBlocked} {
		fake := llmtest.New(t, llmtest.Fail(kind))
		_, _, err := llm.Ask[verdict](t.Context(), fake, user("x"))
		var e *llm.Error
		if !errors.As(err, &e) || e.Kind != kind {
			t.Errorf("%s: error = %v", kind, err)
		}
	}
	// Nothing is sent for a mistake of the caller.
	nothing := llmtest.New(t)
	if _, _, err := llm.Ask[struct {
		F func() `json:"f"`
	}](t.Context(), nothing, user("x")); err == nil {
		t.Error("a type without a schema was accepted")
	}
	if _, _, err := llm.Ask[verdict](t.Context(), nothing, &llm.Request{Tools: twoTools}); err == nil {
		t.Error("a request with tools was accepted")
	}
}

func TestAskKeepsTheCallersSchema(t *testing.T) {
	t.Parallel()
	req := user("x")
	req.Schema = &llm.Schema{Name: "mine", JSON: json.RawMessage(`{"type":"object"}`)}
	fake := llmtest.New(t, llmtest.JSON(verdict{Kind: "must", Lines: []int{1}}))
	if _, _, err := llm.Ask[verdict](t.Context(), fake, req); err != nil {
		t.Fatal(err)
	}
	if got := fake.Log()[0].Schema.Name; got != "mine" {
		t.Errorf("schema %q was sent", got)
	}
}

// The whole port, outside in, against a server that takes neither schemas nor
// tools and fails at first.
func TestAskThroughEverything(t *testing.T) {
	t.Parallel()
	failed := false
	server := llmtest.Func(func(_ context.Context, r *llm.Request) (*llm.Response, error) {
		switch {
		case r.Schema != nil || len(r.Tools) > 0 || r.JSONObject:
			return nil, &llm.Error{Kind: llm.KindUnsupported, Status: 400, Message: "response_format and tools are not supported"}
		case !failed:
			failed = true
			return nil, &llm.Error{Kind: llm.KindMalformed}
		case len(r.Messages) < 3:
			return &llm.Response{Text: `{"kind":"??"}`, Model: "m", Usage: llm.Usage{Input: 5}}, nil
		}
		return &llm.Response{Text: `{"kind":"must","lines":[1]}`, Model: "m", Usage: llm.Usage{Input: 5}}, nil
	})
	l := newLedger(t, llm.Budget{Calls: 100}, nil)
	var rec llm.Recorder
	c := llm.Record(llm.Adaptive(llm.Retry(l.Client(llm.NewLimiter(nil).Client(server)), &llm.RetryOptions{Base: 1}), nil), &rec)
	req := user("x")
	req.Purpose = "extract"
	live, _, err := llm.Ask[verdict](t.Context(), c, req)
	if err != nil || live.Kind != "must" {
		t.Fatalf("got %+v, %v", live, err)
	}
	if s := l.Snapshot(); s.Lines[0].Purpose != "extract" || s.Calls != 7 || s.Failed != 5 {
		t.Errorf("accounted %+v, want 7 calls, 4 refused and 1 broken", s)
	}
	var file strings.Builder
	if _, err := rec.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	replay, err := llm.Replay(strings.NewReader(file.String()))
	if err != nil {
		t.Fatal(err)
	}
	again, _, err := llm.Ask[verdict](t.Context(), replay, req)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(live, again); diff != "" {
		t.Errorf("the replay differs (-live +replay):\n%s", diff)
	}
}
