package llm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

func TestKey(t *testing.T) {
	t.Parallel()
	base := func() *llm.Request {
		return &llm.Request{
			Model: "m", Messages: []llm.Message{{Role: llm.RoleUser, Content: "Привет <b>"}},
			Tools: []llm.Tool{{Name: "t", Parameters: json.RawMessage(`{"type":"object","b":1,"a":2}`)}},
		}
	}
	key := llm.Key(base())
	if len(key) != 64 {
		t.Fatalf("key %q is no SHA-256 in hex", key)
	}
	for _, tt := range []struct {
		name   string
		change func(*llm.Request)
		same   bool
	}{
		{"purpose", func(r *llm.Request) { r.Purpose = "route" }, true},
		{"white space in a schema", func(r *llm.Request) { r.Tools[0].Parameters = []byte(`{ "type":"object", "b":1,` + "\n" + `"a":2 }`) }, true},
		{"model", func(r *llm.Request) { r.Model = "n" }, false},
		{"content", func(r *llm.Request) { r.Messages[0].Content = "Привет" }, false},
		{"order of keys in a schema", func(r *llm.Request) { r.Tools[0].Parameters = []byte(`{"type":"object","a":2,"b":1}`) }, false},
		{"max tokens", func(r *llm.Request) { r.MaxTokens = 5 }, false},
		{"a schema that is no JSON", func(r *llm.Request) { r.Tools[0].Parameters = []byte(`{`) }, false},
	} {
		r := base()
		tt.change(r)
		if got := llm.Key(r) == key; got != tt.same {
			t.Errorf("%s: same key = %v, want %v", tt.name, got, tt.same)
		}
	}
	// The key survives the file.
	b, err := json.Marshal(base())
	if err != nil {
		t.Fatal(err)
	}
	var back llm.Request
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if llm.Key(&back) != key {
		t.Error("the key changes on the way through JSON")
	}
}

func TestRecordAndReplay(t *testing.T) {
	t.Parallel()
	temperature := 0.5
	reqs := []*llm.Request{
		user("one"),
		{Model: "m", Temperature: &temperature, Purpose: "route", Messages: []llm.Message{{Role: llm.RoleUser, Content: "два"}}},
		user("fails"), user("one"), user("one"),
	}
	fake := llmtest.New(t,
		llmtest.Step{Text: "first", Usage: llm.Usage{Input: 3, Output: 1}},
		llmtest.Step{Calls: []llm.ToolCall{{ID: "call_1", Name: "t", Arguments: `{"a":1}`}}},
		llmtest.Step{Err: &llm.Error{Kind: llm.KindRefused, Status: 200, Code: "c", Param: "p", Message: "no", Usage: llm.Usage{Output: 2}}},
		llmtest.Reply("second"), llmtest.Reply("third"),
	)
	var rec llm.Recorder
	live := llm.Record(fake, &rec)
	type answer struct {
		Resp *llm.Response
		Err  string
	}
	ask := func(c llm.Client, req *llm.Request) answer {
		resp, err := c.Complete(t.Context(), req)
		return answer{resp, fmt.Sprint(err)}
	}
	var want []answer
	for _, r := range reqs {
		want = append(want, ask(live, r))
	}
	var file bytes.Buffer
	if _, err := rec.WriteTo(&file); err != nil {
		t.Fatal(err)
	}
	replay, err := llm.Replay(&file)
	if err != nil {
		t.Fatal(err)
	}
	var got []answer
	for _, r := range reqs {
		got = append(got, ask(replay, r))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("replay differs (-want +got):\n%s", diff)
	}
	if again := ask(replay, user("one")); again.Resp == nil || again.Resp.Text != "third" {
		t.Errorf("after the last record: %+v, want the last one again", again)
	}
	var e *llm.Error
	if _, err := replay.Complete(t.Context(), user("fails")); !errors.As(err, &e) || e.Kind != llm.KindRefused || e.Usage.Output != 2 {
		t.Errorf("replayed failure = %#v", err)
	}
	var missing *llm.MissingError
	if _, err := replay.Complete(t.Context(), &llm.Request{Purpose: "extract"}); !errors.As(err, &missing) || missing.Purpose != "extract" || missing.Key == "" {
		t.Errorf("unknown request: %v, want a MissingError with purpose and key", err)
	}
}

func TestRecordDoesNotDependOnTiming(t *testing.T) {
	t.Parallel()
	record := func() string {
		var rec llm.Recorder
		c := llm.Record(llmtest.Func(func(_ context.Context, r *llm.Request) (*llm.Response, error) {
			return &llm.Response{Text: r.Messages[0].Content}, nil
		}), &rec)
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() { _, _ = c.Complete(t.Context(), user(fmt.Sprint(i))) })
		}
		wg.Wait()
		var b strings.Builder
		if _, err := rec.WriteTo(&b); err != nil {
			t.Error(err)
		}
		return b.String()
	}
	first := record()
	if strings.Count(first, "\n") != 50 {
		t.Fatalf("%d lines, want 50", strings.Count(first, "\n"))
	}
	for range 5 {
		if record() != first {
			t.Fatal("the file depends on timing")
		}
	}
}

func TestRecordHoldsNoKey(t *testing.T) {
	t.Parallel()
	const key = "sk-proj-Abc123_xyz-987"
	var file bytes.Buffer
	c := llm.Record(llmtest.New(t,
		llmtest.Step{Err: &llm.Error{Kind: llm.KindAuth, Message: "Incorrect API key provided: " + key + "."}},
		llmtest.Step{Err: &llm.Error{Kind: llm.KindAuth, Err: errors.New("header Authorization: Bearer " + key)}},
	), llm.NewRecordWriter(&file))
	for range 2 {
		_, _ = c.Complete(t.Context(), user("x"))
	}
	if s := file.String(); strings.Contains(s, "Abc123") || strings.Count(s, "\n") != 2 {
		t.Errorf("recorded:\n%s", s)
	}
}

type brokenWriter struct{}

func (brokenWriter) WriteEntry(*llm.Entry) error { return errors.New("disk full") }

func TestRecordOnlyWhatIsTrueOfTheRequest(t *testing.T) {
	t.Parallel()
	var file bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	c := llm.Record(llmtest.Func(func(ctx context.Context, _ *llm.Request) (*llm.Response, error) {
		if ctx.Err() != nil {
			return nil, &llm.Error{Kind: llm.KindOverload, Err: ctx.Err()}
		}
		return nil, &llm.BudgetError{Limit: "calls"}
	}), llm.NewRecordWriter(&file))
	_, _ = c.Complete(ctx, user("x"))
	cancel()
	_, _ = c.Complete(ctx, user("x"))
	if file.Len() > 0 {
		t.Errorf("recorded %s", file.String())
	}
	if _, err := llm.Record(llmtest.New(t, llmtest.Reply("ok")), brokenWriter{}).Complete(t.Context(), user("x")); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("error = %v, want the writer's", err)
	}
}

func TestReplayOfBrokenFiles(t *testing.T) {
	t.Parallel()
	good := `{"key":"","request":{"messages":[{"role":"user","content":"x"}]},"response":{"text":"ok","usage":{"input":0,"output":0}}}`
	for _, tt := range []struct {
		name, file string
		ok         bool
	}{
		{"a key is optional", good + "\n", true},
		{"blank lines", "\n" + good + "\n\n", true},
		{"last line cut by a kill", good + "\n" + good[:40], true},
		{"cut in the middle", good[:40] + "\n" + good + "\n", false},
		{"neither response nor error", `{"request":{"messages":[]}}` + "\n", false},
		{"no request", `{"response":{"usage":{"input":0,"output":0}}}` + "\n", false},
	} {
		c, err := llm.Replay(strings.NewReader(tt.file))
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil {
			if _, err := c.Complete(t.Context(), user("x")); err != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}
