package orchestrate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

type fn struct {
	spec generator.Spec
	f    func(context.Context, *generator.Call) (*generator.Output, error)
}

func (g fn) Spec() generator.Spec { return g.spec }
func (g fn) Generate(ctx context.Context, c *generator.Call) (*generator.Output, error) {
	return g.f(ctx, c)
}

func jobOf(id string, serial bool, f func(context.Context, *generator.Call) (*generator.Output, error)) job {
	spec := generator.Spec{Name: id, Serial: serial}
	return job{gen: fn{spec, f}, spec: spec, stage: "generate", call: &generator.Call{ID: id, Rows: []model.Row{{ID: "row-" + id}}}}
}

func unreserved(ctx context.Context, _ *job) (context.Context, func(), error) {
	return ctx, func() {}, nil
}

func TestDispatchKeepsOrderAndLosesNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var now, peak atomic.Int32
		enter := func() func() {
			n := now.Add(1)
			for {
				p := peak.Load()
				if n <= p || peak.CompareAndSwap(p, n) {
					break
				}
			}
			return func() { now.Add(-1) }
		}
		slow := func(ctx context.Context, c *generator.Call) (*generator.Output, error) {
			defer enter()()
			time.Sleep(3 * time.Second) // fake time
			return &generator.Output{Format: c.ID}, nil
		}
		boom := errors.New("boom")
		jobs := []job{
			jobOf("slow", false, slow),
			jobOf("bad", false, func(context.Context, *generator.Call) (*generator.Output, error) { defer enter()(); return nil, boom }),
			jobOf("panic", false, func(context.Context, *generator.Call) (*generator.Output, error) { defer enter()(); panic(boom) }),
			jobOf("goexit", false, func(context.Context, *generator.Call) (*generator.Output, error) {
				defer enter()()
				runtime.Goexit()
				return nil, nil
			}),
			jobOf("hang", false, func(ctx context.Context, _ *generator.Call) (*generator.Output, error) {
				defer enter()()
				<-ctx.Done()
				return &generator.Output{Format: "half"}, ctx.Err()
			}),
			jobOf("nothing", false, func(context.Context, *generator.Call) (*generator.Output, error) { return nil, nil }),
			jobOf("serial", true, func(_ context.Context, c *generator.Call) (*generator.Output, error) {
				if now.Load() != 0 {
					t.Error("a serial call ran beside another")
				}
				return &generator.Output{Format: c.ID}, nil
			}),
		}
		start := time.Now()
		outs := dispatch(t.Context(), jobs, 2, 5*time.Second, unreserved, slog.New(slog.DiscardHandler), nil)
		if got := time.Since(start); got != 5*time.Second {
			t.Errorf("took %v, want 5s: the hanging call sets the time", got)
		}
		if peak.Load() != 2 {
			t.Errorf("%d calls at once, want 2", peak.Load())
		}
		var ids, formats []string
		for i := range outs {
			ids = append(ids, outs[i].Call)
			f := ""
			if outs[i].Output != nil {
				f = outs[i].Output.Format
			}
			formats = append(formats, f)
		}
		if diff := cmp.Diff([]string{"slow", "bad", "panic", "goexit", "hang", "nothing", "serial"}, ids); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([]string{"slow", "", "", "", "half", "", "serial"}, formats); diff != "" {
			t.Errorf("outputs (-want +got):\n%s", diff)
		}
		if !errors.Is(outs[1].Err, boom) {
			t.Errorf("bad: %v", outs[1].Err)
		}
		var p *generator.PanicError
		if !errors.As(outs[2].Err, &p) || !errors.Is(outs[2].Err, boom) || len(p.Stack) == 0 {
			t.Errorf("panic: %v", outs[2].Err)
		}
		if !errors.Is(outs[3].Err, errExited) {
			t.Errorf("goexit: %v", outs[3].Err)
		}
		if !errors.Is(outs[4].Err, generator.ErrTimeout) || !errors.Is(outs[4].Err, context.DeadlineExceeded) {
			t.Errorf("hang: %v", outs[4].Err)
		}
		if outs[5].Err == nil || outs[6].Err != nil || outs[0].Err != nil {
			t.Errorf("nothing: %v, serial: %v, slow: %v", outs[5].Err, outs[6].Err, outs[0].Err)
		}
	})
}

func TestDispatchTellsATimeoutOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		late := jobOf("late", false, func(ctx context.Context, _ *generator.Call) (*generator.Output, error) {
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		outs := dispatch(t.Context(), []job{late}, 1, time.Second, unreserved, slog.New(slog.DiscardHandler), nil)
		if got, want := fmt.Sprint(outs[0].Err), generator.ErrTimeout.Error(); got != want {
			t.Errorf("error %q, want %q", got, want)
		}
	})
}

func TestDispatchStopsFeedingWhenCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		var jobs []job
		for _, id := range []string{"a", "b", "c", "d"} {
			jobs = append(jobs, jobOf(id, id == "d", func(ctx context.Context, c *generator.Call) (*generator.Output, error) {
				if c.ID == "a" {
					time.Sleep(time.Second) // fake time; finishes in spite of the end
					return &generator.Output{Format: "a"}, nil
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}))
		}
		go func() { time.Sleep(500 * time.Millisecond); cancel(why) }()
		outs := dispatch(ctx, jobs, 2, time.Minute, unreserved, slog.New(slog.DiscardHandler), nil)
		if outs[0].Err != nil || outs[0].Output == nil {
			t.Errorf("a: %v, want its finished work", outs[0].Err)
		}
		if !errors.Is(outs[1].Err, why) {
			t.Errorf("b: %v, want the cause", outs[1].Err)
		}
		for _, o := range outs[2:] {
			if !errors.Is(o.Err, generator.ErrNotStarted) {
				t.Errorf("%s: %v, want ErrNotStarted", o.Call, o.Err)
			}
		}
	})
}

func TestDealGivesEachRowOnce(t *testing.T) {
	t.Parallel()
	reg := func(count string, formats ...model.Format) *registered {
		return &registered{spec: generator.Spec{Count: count, Formats: formats}}
	}
	rows := func(formats ...model.Format) []*rowState {
		var out []*rowState
		for i, f := range formats {
			out = append(out, &rowState{order: i, row: model.Row{Format: f}})
		}
		return out
	}
	bad := rows(model.SingleTurnQA, model.SingleTurnQA, model.SingleTurnQA, model.SingleTurnQA)
	bad[1].row.Given = []model.Message{{Role: model.RoleUser, Content: "where is it"}}
	bad[2].row.Corner = "garbage"
	own := &registered{spec: generator.Spec{OwnInputs: true}}
	const qa, fix = model.SingleTurnQA, model.SingleUtteranceCorrection
	for _, tc := range []struct {
		name  string
		calls []accepted
		rows  []*rowState
		want  [][]int
	}{
		{"in turn", []accepted{{reg: reg("")}, {reg: reg("")}}, rows(qa, qa, qa, qa, qa), [][]int{{0, 2, 4}, {1, 3}}},
		{"count is an upper bound", []accepted{{reg("n"), []byte(`{"n":1}`)}, {reg: reg("")}}, rows(qa, qa, qa, qa), [][]int{{0}, {1, 2, 3}}},
		{"all full: rows stay open", []accepted{{reg("n"), []byte(`{"n":1}`)}, {reg("n"), []byte(`{"n":2}`)}}, rows(qa, qa, qa, qa, qa), [][]int{{0}, {1, 2}}},
		{"formats", []accepted{{reg: reg("", qa)}, {reg: reg("", fix)}}, rows(fix, fix, qa, fix), [][]int{{2}, {0, 1, 3}}},
		{"inputs of its own", []accepted{{reg: own}, {reg: reg("")}}, bad, [][]int{{0, 3}, {1, 2}}},
		{"inputs of its own alone", []accepted{{reg: own}}, bad, [][]int{{0, 3}}},
		{"nobody", []accepted{{reg: reg("", qa)}}, rows(fix), [][]int{nil}},
		{"no calls", nil, rows(qa), [][]int{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := [][]int{}
			for _, part := range deal(tc.calls, tc.rows) {
				var ids []int
				for _, r := range part {
					ids = append(ids, r.order)
				}
				got = append(got, ids)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("rows by call (-want +got):\n%s", diff)
			}
		})
	}
}
