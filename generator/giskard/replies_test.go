package giskard_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/model"
)

// Seven shapes of a reply cost no call more than a plain one.
func TestReplies_shapes(t *testing.T) {
	t.Parallel()
	in := &giskard.Input{Documents: []*model.Document{read(t, "bike_rental_en.md")}}
	calls := func(shape func(string) string) int {
		f := &fake{}
		in := *in
		in.Model = llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
			resp, err := f.Complete(ctx, req)
			if err == nil {
				resp.Text = shape(resp.Text)
			}
			return resp, err
		})
		set, err := build(t, &in, nil).Testset(t.Context(), 16)
		if err != nil {
			t.Fatal(err)
		}
		checkSet(t, set)
		return f.count()
	}
	plain := calls(func(s string) string { return s })
	for name, shape := range map[string]func(string) string{
		"fence":          func(s string) string { return "```\n" + s + "\n```" },
		"json fence":     func(s string) string { return "```json\n" + s + "\n```" },
		"JSON fence":     func(s string) string { return "```JSON\n" + s + "\n```" },
		"leading text":   func(s string) string { return "Here is what you asked for:\n" + s },
		"trailing text":  func(s string) string { return s + "\nI hope this helps!" },
		"trailing comma": func(s string) string { return strings.TrimSuffix(s, "}") + ",}" },
		"thoughts":       func(s string) string { return "<think>Is {\"items\": []} right?</think>" + s },
	} {
		if n := calls(shape); n != plain {
			t.Errorf("%s: %d calls, %d with plain replies", name, n, plain)
		}
	}
}

// A question that is an object is not taken, and asked for again; so is a reply
// that is cut off.
func TestReplies_damaged(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(string) string{
		"an object as the message": func(s string) string {
			return strings.Replace(s, `"message":"`, `"message":{"text":"x"},"was":"`, 1)
		},
		"cut off": func(s string) string { return s[:len(s)/2] },
		"an item too few": func(s string) string {
			var r struct {
				Items []json.RawMessage `json:"items"`
			}
			if err := json.Unmarshal([]byte(s), &r); err != nil {
				return s
			}
			r.Items = r.Items[1:]
			b, err := json.Marshal(r)
			if err != nil {
				return s
			}
			return string(b)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &fake{}
			damaged := 0
			client := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
				resp, err := f.Complete(ctx, req)
				if req.Purpose == "giskard_questions" && damaged == 0 {
					damaged++
					resp.Text = damage(resp.Text)
				}
				return resp, err
			})
			kb := build(t, &giskard.Input{Documents: []*model.Document{read(t, "tea_shop_ru.md")}, Model: client}, &giskard.Options{Concurrency: 1})
			want := giskard.Counts{giskard.Double: 3, giskard.Simple: 2}
			set, err := kb.TestsetOf(t.Context(), want)
			if err != nil {
				t.Fatal(err)
			}
			checkSet(t, set)
			if n := f.count("questions"); n != 2 {
				t.Errorf("%d calls for five questions of which one reply was damaged, want 2", n)
			}
			for _, q := range set.Questions {
				if strings.Contains(q.Question, "{") {
					t.Errorf("question %q", q.Question)
				}
			}
		})
	}
}

// A panic, a refusal and a timeout cost the items of one call a retry.
func TestReplies_failures(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() (*llm.Response, error){
		"panic":   func() (*llm.Response, error) { panic("by the test") },
		"refusal": func() (*llm.Response, error) { return nil, &llm.Error{Kind: llm.KindRefused} },
		"timeout": func() (*llm.Response, error) { return nil, context.DeadlineExceeded },
	} {
		for _, purpose := range []string{"giskard_topics", "giskard_questions", "giskard_rewrites", "giskard_absence", "giskard_answer", "giskard_check"} {
			failed := false
			f := &fake{}
			client := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
				if req.Purpose == purpose && !failed {
					failed = true
					return fail()
				}
				return f.Complete(ctx, req)
			})
			kb := build(t, &giskard.Input{Documents: []*model.Document{read(t, "bike_rental_en.md")}, Model: client}, &giskard.Options{Concurrency: 1})
			set, err := kb.Testset(t.Context(), 16)
			if err != nil || !failed {
				t.Errorf("%s in %s (met: %v): %v", name, purpose, failed, err)
				continue
			}
			if set.Report.Replaced > 0 {
				t.Errorf("%s in %s: %d questions were replaced", name, purpose, set.Report.Replaced)
			}
		}
	}
}
