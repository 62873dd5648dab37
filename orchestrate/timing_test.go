package orchestrate_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

func TestRunsOfOneOrchestratorAtOnceGiveWhatEachGivesAlone(t *testing.T) {
	t.Parallel()
	documents := []string{bikes, "../examples/documents/hotel_en.md", "../examples/documents/flower_delivery_ru.md"}
	docs := make([]*model.Document, len(documents))
	actors := make([]*actor.Actor, len(documents))
	for i, path := range documents {
		docs[i] = parse(t, path)
		actors[i] = newActor(t, docs[i])
	}
	// One options value, so one client: it answers for the document in the prompt.
	client := modelFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		for i, d := range docs {
			for _, m := range req.Messages {
				if strings.Contains(m.Content, `"`+d.Name+`"`) {
					return actors[i].Complete(ctx, req)
				}
			}
		}
		t.Errorf("a prompt names no document: %.200s", req.Messages[1].Content)
		return nil, &llm.Error{Kind: llm.KindRefused}
	})
	o := &orchestrate.Options{
		Client: client, ModelName: "actor", Seed: 1, Checks: []coverage.Check{}, Concurrency: 4,
		Counts:  orchestrate.Counts{TestCasesPerUseCase: 4},
		OnEvent: func(orchestrate.Event) {}, // one for all runs
	}
	run := func(orch *orchestrate.Orchestrator, doc *model.Document) string {
		res, err := orch.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
		var short *coverage.ShortfallError
		if err != nil && !errors.As(err, &short) {
			t.Errorf("%s: %v", doc.Name, err)
		}
		if len(res.Dataset.Examples) == 0 {
			t.Errorf("%s: nothing was made", doc.Name)
		}
		return encode(t, res)
	}
	orchs := make([]*orchestrate.Orchestrator, 2) // of the same options
	for i := range orchs {
		orch, err := orchestrate.New(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		orchs[i] = orch
	}
	want := make([]string, len(docs))
	for i, d := range docs {
		want[i] = run(orchs[0], d)
	}
	got := make([]string, 2*len(orchs)*len(docs))
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() { got[i] = run(orchs[i%len(orchs)], docs[i%len(docs)]) })
	}
	group.Wait()
	for i, s := range got {
		if w := want[i%len(docs)]; s != w {
			t.Errorf("run %d beside others gives other bytes:\n%s", i, cmp.Diff(w, s))
		}
	}
}

func TestNothingOfARunOutlivesIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // a goroutine that stays behind fails the bubble
		const stubborn = 3 * time.Second
		var started atomic.Int32
		slow := tool(t, "slow", func(*generator.Call, model.Row) (string, error) {
			started.Add(1)
			time.Sleep(stubborn) // fake time, and no eye on ctx
			return "answer", nil
		})
		client := modelFunc(func(context.Context, *llm.Request) (*llm.Response, error) {
			return &llm.Response{Calls: []llm.ToolCall{
				{ID: "1", Name: "generate_with_slow", Arguments: `{"items":1}`},
				{ID: "2", Name: "generate_with_slow", Arguments: `{"items":2}`},
				{ID: "3", Name: "generate_with_slow", Arguments: `{"items":3}`},
			}}, nil
		})
		var returned atomic.Bool
		o := options(client)
		o.Concurrency = 2
		o.OnEvent = func(e orchestrate.Event) {
			if returned.Load() {
				t.Errorf("event %d (%s %s) came after the run", e.Seq, e.Kind, e.Stage)
			}
		}
		orch, err := orchestrate.New([]generator.Generator{slow}, o)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		enough := errors.New("enough")
		time.AfterFunc(time.Second, func() { cancel(enough) })
		start := time.Now()
		res, err := orch.Generate(ctx, returns())
		returned.Store(true)
		if !errors.Is(err, enough) || res.Stop != orchestrate.StopCancelled {
			t.Errorf("err %v, stop %q", err, res.Stop)
		}
		var ended, unstarted, kept int
		for _, out := range res.Outcomes {
			if errors.Is(out.Err, generator.ErrNotStarted) {
				unstarted++
			} else {
				ended++
			}
			kept += out.Kept
		}
		// Two calls were under way and were waited for; what they made is kept.
		// The first is dealt two rows: calls are dealt to in turn.
		if ended != 2 || unstarted != 1 || kept != len(res.Dataset.Examples) || kept == 0 {
			t.Errorf("%d calls ended, %d never started, %d items are kept of %d", ended, unstarted, kept, len(res.Dataset.Examples))
		}
		if took := time.Since(start); took < stubborn || took > 3*stubborn {
			t.Errorf("the run took %v", took)
		}
		before := started.Load()
		time.Sleep(time.Minute) // fake time: whatever was left behind would run now
		synctest.Wait()
		if n := started.Load(); n != before {
			t.Errorf("%d rows were begun after the run", n-before)
		}
	})
}

func TestBatchesOfOneCallAreAskedForAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const each = time.Second
		client := modelFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
			time.Sleep(each) // fake time
			if req.Purpose == "route" {
				return &llm.Response{Calls: []llm.ToolCall{{ID: "1", Name: "generate_direct", Arguments: `{}`}}}, nil
			}
			return &llm.Response{Text: directReply(req, "answer")}, nil
		})
		for atOnce, want := range map[int]time.Duration{1: 3 * each, 2: 2 * each} {
			o := options(client)
			o.Concurrency, o.Counts.TestCasesPerUseCase = atOnce, 8 // two batches
			orch, err := orchestrate.New(nil, o)
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			res, _ := orch.Generate(t.Context(), returns())
			if took := time.Since(start); took != want {
				t.Errorf("at most %d at once: the run took %v, want %v; outcomes %v", atOnce, took, want, res.Err())
			}
			if n := len(res.Dataset.Examples); n != 8 {
				t.Errorf("at most %d at once: %d examples, want 8", atOnce, n)
			}
		}
	})
}
