package orchestrate_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/vector"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// embedding is a generator that embeds the same texts for every row.
func embedding(t *testing.T, texts []string, failed *error) generator.Generator {
	t.Helper()
	var mu sync.Mutex
	return tool(t, "alpha", func(call *generator.Call, _ model.Row) (string, error) {
		vs, err := vector.Embed(t.Context(), call.Embedder, texts)
		if len(vs) != len(texts) {
			t.Errorf("%d vectors for %d texts: %v", len(vs), len(texts), err)
		}
		mu.Lock()
		defer mu.Unlock()
		*failed = err
		return "A", nil
	})
}

// routed is a client that sends every row to alpha.
func routed(t *testing.T) llm.Client {
	return llmtest.New(t, llmtest.Call("generate_with_alpha", `{"items":null,"mode":null}`).For("route").Repeat())
}

func TestEveryTextIsEmbeddedOnceARun(t *testing.T) {
	t.Parallel()
	s := wire.New(t, nil, &wire.Options{Log: true, Faults: func(req wire.Request) wire.Fault {
		return map[int]wire.Fault{1: wire.RateLimit, 2: wire.BrokenJSON}[req.Attempt]
	}})
	c, err := openai.New(openai.Options{BaseURL: s.URL(), APIKey: "k", Model: "m", EmbeddingModel: "e"})
	if err != nil {
		t.Fatal(err)
	}
	o := options(routed(t))
	o.Embedder = c.Embedder("")
	o.Retry = &llm.RetryOptions{Base: time.Millisecond}
	o.Limit = &llm.LimitOptions{CoolDown: time.Millisecond}
	var failed error
	res, err := generate(t, []generator.Generator{embedding(t, []string{"возврат", "return", "возврат"}, &failed)}, o)
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if n := s.Calls(wire.Embeddings); n != 3 {
		t.Errorf("%d requests, want 3: two that fail and one for all rows", n)
	}
	if diff := cmp.Diff([]string{"возврат", "return"}, s.Log()[2].Texts); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
	u := res.Manifest.Usage
	if u.ByPurpose[llm.PurposeEmbed] != 3 || u.Retries != 2 || u.InputTokens == 0 || res.Manifest.LLM.ServedModel == "e" {
		t.Errorf("usage %+v, served by %q", u, res.Manifest.LLM.ServedModel)
	}
}

type failing struct{ calls int }

func (f *failing) Embed(context.Context, []string) ([][]float32, error) {
	f.calls++
	return nil, &llm.Error{Kind: llm.KindAuth, Status: 401, Message: "no"}
}

func TestARunGoesOnWithoutItsEmbedder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		budget llm.Budget
		calls  int
	}{
		{"the provider refuses it", llm.Budget{}, 1},
		{"the budget has no price for it", llm.Budget{USD: 1}, 0},
	} {
		f := &failing{}
		o := options(routed(t))
		o.Embedder, o.Budget, o.Prices = f, tt.budget, llm.Prices{"fake": {}}
		o.Concurrency = 1
		var notices []string
		o.OnEvent = func(ev orchestrate.Event) {
			if ev.Kind == orchestrate.EventNotice {
				notices = append(notices, ev.Message)
			}
		}
		var failed error
		res, err := generate(t, []generator.Generator{embedding(t, []string{"a", "b"}, &failed)}, o)
		if err != nil || res.Stop != orchestrate.StopComplete || made(res)["alpha"] != 4 {
			t.Errorf("%s: %v, stop %q, made %v", tt.name, err, res.Stop, made(res))
		}
		var fallback *vector.FallbackError
		if !errors.As(failed, &fallback) {
			t.Errorf("%s: the generator was told %v", tt.name, failed)
		}
		if f.calls != tt.calls {
			t.Errorf("%s: %d calls, want %d", tt.name, f.calls, tt.calls)
		}
		if len(notices) != 1 || !strings.Contains(notices[0], "words are compared") {
			t.Errorf("%s: notices %q, want one", tt.name, notices)
		}
	}
}
