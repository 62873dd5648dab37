package llmtest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

// recorder is a test that collects its errors instead of failing.
type recorder struct {
	testing.TB

	mu      sync.Mutex
	errors  []string
	cleanup []func()
}

func (r *recorder) Helper() {}

func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// end ends the test and returns what it complained about.
func (r *recorder) end() []string {
	for _, f := range r.cleanup {
		f()
	}
	return r.errors
}

func request(purpose, text string) *llm.Request {
	return &llm.Request{Purpose: purpose, Messages: []llm.Message{{Role: llm.RoleUser, Content: text}}}
}

func TestScriptIsFollowed(t *testing.T) {
	t.Parallel()
	c := llmtest.New(t,
		llmtest.Reply("first"),
		llmtest.Reply("routed").For("route"),
		llmtest.JSON(map[string]int{"n": 1}).For("extract"),
		llmtest.Call("make", map[string]int{"n": 1}).For("call"),
		llmtest.Fail(llm.KindRate).For("fail"),
		llmtest.Reply("again").For("often").Repeat(),
		llmtest.Step{Match: func(r *llm.Request) bool { return strings.Contains(r.Messages[0].Content, "второй") }, Text: "matched"},
		llmtest.Step{Purpose: "do", Do: func(_ context.Context, r *llm.Request) (*llm.Response, error) {
			return &llm.Response{Text: "done " + r.Purpose}, nil
		}},
	)
	for _, tt := range []struct{ purpose, text, want string }{
		{"x", "", "first"},
		{"often", "", "again"},
		{"do", "", "done do"},
		{"y", "второй", "matched"},
		{"extract", "", `{"n":1}`},
		{"often", "", "again"},
		{"route", "", "routed"},
	} {
		resp, err := c.Complete(t.Context(), request(tt.purpose, tt.text))
		if err != nil || resp.Text != tt.want {
			t.Errorf("%s: got %+v, %v; want %q", tt.purpose, resp, err, tt.want)
		}
	}
	resp, err := c.Complete(t.Context(), request("call", ""))
	if err != nil || len(resp.Calls) != 1 || resp.Calls[0].Arguments != `{"n":1}` || resp.Model != "fake" {
		t.Errorf("got %+v, %v", resp, err)
	}
	var e *llm.Error
	if _, err := c.Complete(t.Context(), request("fail", "")); !errors.As(err, &e) || e.Kind != llm.KindRate {
		t.Errorf("error = %v", err)
	}
	if log := c.Log(); len(log) != 9 || log[3].Messages[0].Content != "второй" {
		t.Errorf("log has %d requests", len(log))
	}
}

func TestScriptFailsLoudly(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		steps []llmtest.Step
		calls []*llm.Request
		want  []string // in the complaints, in order
	}{
		{"nothing is asked of nothing", nil, nil, nil},
		{"the script ends", []llmtest.Step{llmtest.Reply("a")}, []*llm.Request{request("p", ""), request("q", "текст")}, []string{`request 2 (purpose "q", last message "текст"); steps left: none`}},
		{"a step is left over", []llmtest.Step{llmtest.Reply("a"), llmtest.Reply("b").For("p")}, []*llm.Request{request("", "")}, []string{`2 (purpose "p", answered 0 of 1)`}},
		{"a step answers too seldom", []llmtest.Step{{Times: 3}}, []*llm.Request{request("", "")}, []string{"answered 1 of 3"}},
		{"a step that may repeat need not", []llmtest.Step{llmtest.Reply("a").Repeat()}, nil, nil},
		{"no step accepts", []llmtest.Step{llmtest.Reply("a").For("p")}, []*llm.Request{request("q", "")}, []string{`request 1 (purpose "q"`, "answered 0 of 1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := &recorder{}
			c := llmtest.New(r, tt.steps...)
			for _, req := range tt.calls {
				before := len(r.errors)
				_, err := c.Complete(t.Context(), req)
				var script *llmtest.ScriptError
				if errors.As(err, &script) != (len(r.errors) > before) {
					t.Errorf("the call's error and the test's must come together: %v, %q", err, r.errors)
				}
			}
			got := r.end()
			if len(got) != len(tt.want) {
				t.Fatalf("complaints %q, want %d", got, len(tt.want))
			}
			for i := range got {
				if !strings.Contains(got[i], tt.want[i]) {
					t.Errorf("complaint %q, want it to say %q", got[i], tt.want[i])
				}
			}
		})
	}
}

func TestScriptAtOnce(t *testing.T) {
	t.Parallel()
	var steps []llmtest.Step
	for i := range 50 {
		want := fmt.Sprint(i)
		steps = append(steps, llmtest.Step{Text: want, Match: func(r *llm.Request) bool { return r.Messages[0].Content == want }})
	}
	c := llmtest.New(t, steps...)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			want := fmt.Sprint(i)
			if resp, err := c.Complete(t.Context(), request("", want)); err != nil || resp.Text != want {
				t.Errorf("request %d: %+v, %v", i, resp, err)
			}
		})
	}
	wg.Wait()
}

func TestDelayEndsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := llmtest.New(t, llmtest.Step{Text: "slow", Delay: 5 * time.Second, Times: 2})
		start := time.Now()
		if _, err := c.Complete(t.Context(), request("", "")); err != nil || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start = time.Now()
		if _, err := c.Complete(ctx, request("", "")); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != time.Second {
			t.Errorf("%v after %v, want the deadline after 1s", err, time.Since(start))
		}
	})
}
