package orchestrate_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// wide is a plan of n use cases with one row each: n generator calls in one
// round.
func wide(n int) *orchestrate.Plan {
	plan := &orchestrate.Plan{
		Profile:    model.SupportBot(),
		Extraction: &extract.Result{Case: model.CaseSupportBot, Language: "en", Relevant: map[string][]string{}},
	}
	ev := []model.Evidence{{InputFile: "shop.md", LineStart: 3, LineEnd: 3, Quote: "Returns are accepted within 14 days."}}
	plan.Extraction.Policies = []model.Policy{{
		ID: "pol_window", Case: model.CaseSupportBot, Type: model.Must, Name: "Return window", Description: "d",
		Statement: "Returns are accepted within 14 days.", Evidence: ev,
	}}
	for i := range n {
		uc := model.UseCase{ID: fmt.Sprintf("uc_%d", i), Case: model.CaseSupportBot, Name: fmt.Sprintf("Use case %d", i), Description: "d", Evidence: ev}
		plan.Extraction.UseCases = append(plan.Extraction.UseCases, uc)
		plan.UseCases = append(plan.UseCases, model.UseCasePlan{
			UseCaseID: uc.ID, PolicyIDs: []string{"pol_window"}, Strength: 1,
			Axes: []model.Axis{{Name: "tone", Rule: "tone", Values: []model.AxisValue{{Name: "neutral"}}}},
			Rows: []model.Row{{
				ID: uc.ID + "/1", UseCaseID: uc.ID, Axes: []string{"tone"}, Parameters: map[string]model.Value{"tone": model.String("neutral")},
				PolicyIDs: []string{"pol_window"}, Roles: map[string]model.Role{"pol_window": model.Plain},
				Format: model.SingleTurnQA, Source: model.SourceFAQParaphrase, Examples: 1,
			}},
		})
	}
	return plan
}

// BenchmarkDispatch measures what the orchestrator adds to a generator's call in
// a round of 2,000: the time from the round's start until the certificate is
// begun, so dealing, dispatch, events, adapting, checks of form and accepting,
// through a generator that does nothing but fill its row.
func BenchmarkDispatch(b *testing.B) {
	const (
		calls = 2000
		limit = 0.2 // ms a call
	)
	filler, err := generator.New(generator.Spec{Name: "filler", Description: "Fills rows for a benchmark."}, struct{}{},
		func(_ context.Context, call *generator.Call, _ struct{}) (*generator.Output, error) {
			return generator.BatchOutput(&model.Batch{Items: []model.Item{item(call.Rows[0], "An answer.")}}), nil
		})
	if err != nil {
		b.Fatal(err)
	}
	plan := wide(calls)
	var began, took time.Duration
	var clock time.Time
	orch, err := orchestrate.New([]generator.Generator{filler}, &orchestrate.Options{
		Checks: []coverage.Check{}, Counts: orchestrate.Counts{TestCasesPerUseCase: 1}, Minimums: coverage.Minimums{TestCasesPerUseCase: 1},
		OnEvent: func(e orchestrate.Event) {
			if e.Kind != orchestrate.EventStage {
				return
			}
			switch e.Stage {
			case "generate":
				began = time.Since(clock)
			case "certify":
				took += time.Since(clock) - began
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for b.Loop() {
		n++
		clock = time.Now()
		res, _ := orch.Run(b.Context(), &orchestrate.Input{Plan: plan}) // a shortfall: the plan is no whole dataset
		if len(res.Dataset.Examples) != calls || len(res.Outcomes) != calls {
			b.Fatalf("%d examples of %d calls, want %d", len(res.Dataset.Examples), len(res.Outcomes), calls)
		}
	}
	ms := took.Seconds() * 1e3 / float64(n*calls)
	b.ReportMetric(ms, "ms/call")
	b.ReportMetric(ms/limit, "of-limit")
	if ms > limit {
		b.Errorf("%.3f ms a call, the limit is %.1f ms", ms, limit)
	}
}

var (
	benchUseCase = regexp.MustCompile(`(?s)<use_case>\n(.*?)\n</use_case>`)
	benchWindow  = regexp.MustCompile(`<document name=.* lines="[\d-]+">`)
)

// chainOf names what a request belongs to: a window of the extraction, or a use
// case. Within one of them each call needs the answer to the one before, but for
// the batches of one generator call, which overlap and so count once.
func chainOf(req wire.Request) string {
	prompt := req.Messages[1].Content
	switch actor.Kind(&req.Request) {
	case actor.UseCases, actor.Policies, actor.Repair:
		return "window " + benchWindow.FindString(prompt)
	default:
		return "use case " + benchUseCase.FindString(prompt)
	}
}

// longest is the longest chain of a run: no use case can be routed before the
// last window is read, so it is the longest of the windows and then the longest
// of the use cases.
func longest(s *wire.Server) int {
	window, useCase := 0, 0
	for name, n := range s.Chains() {
		if strings.HasPrefix(name, "window ") {
			window = max(window, n)
		} else {
			useCase = max(useCase, n)
		}
	}
	return window + useCase
}

// BenchmarkWallTime compares the time of whole runs over HTTP with what the
// latency of the calls makes unavoidable.
//
// Calls are counted by the server in the run that is timed. The longest chain is
// counted by it in a run that may make all its calls at once: there a call comes
// after another for the one reason that it needs its answer, not because it had
// to queue, which would lengthen the chain and so the allowance.
func BenchmarkWallTime(b *testing.B) {
	const (
		latency     = 50 * time.Millisecond
		concurrency = 16
		limit       = 1.2
	)
	for _, name := range []string{"bike_rental_en.md", "flower_delivery_ru.md"} {
		b.Run(strings.TrimSuffix(name, ".md"), func(b *testing.B) {
			doc := parse(b, "../examples/documents/"+name)
			a := newActor(b, doc)
			// One answer in eight of a first attempt is refused and repaired.
			flawed := modelFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
				resp, err := a.Complete(ctx, req)
				if err == nil && actor.Kind(req) == actor.Direct && !strings.Contains(req.Messages[1].Content, "<attempt>") {
					if n := len(req.Messages[1].Content); n%2 == 0 {
						resp.Text = strings.Replace(resp.Text, "An answer.", "BAD", 1)
					}
				}
				return resp, err
			})
			run := func(atOnce int) (*wire.Server, time.Duration) {
				s := wire.Start(wire.Client(flawed), &wire.Options{Latency: latency, Chain: chainOf})
				defer s.Close()
				c := overHTTP(b, s)
				o := httpOptions(c)
				o.Concurrency, o.Checks, o.Counts = atOnce, []coverage.Check{marked("BAD")}, orchestrate.Counts{}
				orch, err := orchestrate.New(nil, o)
				if err != nil {
					b.Fatal(err)
				}
				start := time.Now()
				res, _ := orch.Run(b.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
				took := time.Since(start)
				if n := res.Manifest.Usage.Calls; res.Stop != orchestrate.StopComplete || n != int64(s.Calls()) {
					b.Fatalf("stop %q after %d calls, the server saw %d", res.Stop, n, s.Calls())
				}
				return s, took
			}
			free, _ := run(1000)
			chain := longest(free)
			var took, least time.Duration
			calls, most := 0, 0
			for b.Loop() {
				s, d := run(concurrency)
				took += d
				calls, most = s.Calls(), max(most, s.MaxConcurrent())
				least += time.Duration(calls)*latency/concurrency + time.Duration(chain)*latency
			}
			if most > concurrency {
				b.Errorf("%d calls at once, %d are allowed", most, concurrency)
			}
			ratio := float64(took) / float64(least)
			b.ReportMetric(float64(calls), "calls")
			b.ReportMetric(float64(chain), "chain")
			b.ReportMetric(ratio, "ratio")
			if ratio > limit {
				b.Errorf("a run takes %.2f × (calls × latency / %d + chain × latency), the limit is %.1f", ratio, concurrency, limit)
			}
		})
	}
}
