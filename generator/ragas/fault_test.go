package ragas_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
)

// broken is a player of which a share of the replies is of no use. Which ones
// and how follows from the request alone.
func broken(share float64) llm.Client {
	good := player()
	return clientFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		h := fnv.New64a()
		fmt.Fprint(h, llm.Key(req))
		x := h.Sum64()
		resp, err := good.Complete(ctx, req)
		if err != nil || float64(x%1000)/1000 >= share {
			return resp, err
		}
		switch (x / 1000) % 6 {
		case 0:
			return nil, &llm.Error{Kind: llm.KindRefused, Message: "I cannot help with that."}
		case 1:
			return &llm.Response{Text: resp.Text[:len(resp.Text)/2]}, nil
		case 2:
			return &llm.Response{Text: "Sure! Here you are."}, nil
		case 3:
			return nil, &llm.Error{Kind: llm.KindOverload, Status: 503}
		case 4:
			return &llm.Response{Text: strings.NewReplacer(`"s1"`, `"s9"`, `"i1"`, `"i9"`, `"c1"`, `"c9"`).Replace(resp.Text)}, nil
		default:
			panic("a fault of the client")
		}
	})
}

func synthesizers(t *testing.T, set *ragas.Testset) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, s := range samples(t, set) {
		out[s.SynthesizerName]++
	}
	return out
}

func TestBrokenReplies(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		share      float64
		docs, size int
		want       map[string]int
	}{
		{1.0 / 3, 6, 60, map[string]int{ragas.SingleHopName: 36, ragas.MultiHopAbstractName: 12, ragas.MultiHopSpecificName: 12}},
		{0.05, 20, 200, map[string]int{ragas.SingleHopName: 120, ragas.MultiHopAbstractName: 40, ragas.MultiHopSpecificName: 40}},
	} {
		t.Run(fmt.Sprint(tc.share), func(t *testing.T) {
			t.Parallel()
			set, err := ragas.Generate(t.Context(), &ragas.Input{Client: broken(tc.share), Documents: shops(t, tc.docs, 5), Size: tc.size, ReasoningRatio: 0.4}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, synthesizers(t, set)); d != "" {
				t.Errorf("the mix (-want +got)\n%s", d)
			}
			if tc.share > 0.1 && len(set.Failures) == 0 {
				t.Error("nothing is said of what failed")
			}
			for _, f := range set.Failures {
				if f.Stage == "" || f.Item == "" || f.Err == nil {
					t.Errorf("a failure says %+v", f)
				}
			}
			for i, s := range samples(t, set) {
				checkContexts(t, set, i, s)
			}
		})
	}
}

func TestSameRepliesSameBytes(t *testing.T) {
	t.Parallel()
	docs := shops(t, 8, 5)
	run := func(concurrency int, seed uint64) string {
		set, err := ragas.Generate(t.Context(), &ragas.Input{Client: broken(0.2), Documents: docs, Size: 50, ReasoningRatio: 0.5}, &ragas.Options{Concurrency: concurrency, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		for _, r := range set.Records {
			fmt.Fprintf(&b, "%s %v %+v\n", r.JSON, r.Spans, *r.Notes)
		}
		if err := set.Graph.Save(&b); err != nil {
			t.Fatal(err)
		}
		for _, f := range set.Failures {
			fmt.Fprintln(&b, f)
		}
		return b.String()
	}
	want := run(1, 7)
	for _, concurrency := range []int{4, 64} {
		if got := run(concurrency, 7); got != want {
			t.Errorf("at %d calls at once (-1 +%d)\n%s", concurrency, concurrency, cmp.Diff(want, got))
		}
	}
	if run(4, 8) == want {
		t.Error("another seed gives the same testset")
	}
}

func TestNeverMoreCallsAtOnceThanAsked(t *testing.T) {
	t.Parallel()
	good := player()
	var now, most atomic.Int32
	var stage sync.Map
	client := clientFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		stage.Store(req.Purpose, true)
		return good.Complete(ctx, req)
	})
	if _, err := ragas.Generate(t.Context(), &ragas.Input{Client: client, Documents: shops(t, 30, 4), Size: 120, ReasoningRatio: 0.4}, &ragas.Options{Concurrency: 3, Batch: 2}); err != nil {
		t.Fatal(err)
	}
	if most.Load() > 3 {
		t.Errorf("%d calls at once, want 3 at most", most.Load())
	}
	for _, purpose := range []string{"ragas_extract", "ragas_personas", "ragas_questions", "ragas_answer", "ragas_check"} {
		if _, ok := stage.Load(purpose); !ok {
			t.Errorf("no call was for %s", purpose)
		}
	}
}

func TestWhatNoCallCanMendIsTriedOnce(t *testing.T) {
	t.Parallel()
	for kind, most := range map[llm.Kind]int32{llm.KindAuth: 16, llm.KindQuota: 16, llm.KindUnsupported: 12} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int32
			client := clientFunc(func(context.Context, *llm.Request) (*llm.Response, error) {
				calls.Add(1)
				return nil, &llm.Error{Kind: kind, Status: 400}
			})
			_, err := ragas.Generate(t.Context(), &ragas.Input{Client: client, Documents: shops(t, 20, 4), Size: 50}, nil)
			var e *llm.Error
			if !errors.As(err, &e) || e.Kind != kind {
				t.Errorf("error %v", err)
			}
			if calls.Load() > most {
				t.Errorf("%d calls, want %d at most", calls.Load(), most)
			}
		})
	}
}

func TestAnEndedContextEndsTheWork(t *testing.T) {
	t.Parallel()
	good := player()
	enough := errors.New("enough")
	for _, stop := range []string{actor.RagasExtract, actor.RagasPersonas, actor.RagasQuestions, actor.AnswerWrite, actor.AnswerCheck} {
		t.Run(stop, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			client := clientFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
				if actor.Kind(req) == stop {
					cancel(enough)
					return nil, context.Cause(ctx)
				}
				return good.Complete(ctx, req)
			})
			if _, err := ragas.Generate(ctx, &ragas.Input{Client: client, Documents: shops(t, 3, 4), Size: 10}, nil); !errors.Is(err, enough) {
				t.Errorf("error %v", err)
			}
		})
	}
}
