//go:build linux || darwin

package python_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/python"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// callTime is how long the played model takes for a call.
const callTime = 50 * time.Millisecond

// BenchmarkEngines runs each framework's method by its two engines over the same
// rows of one document, twice each: in the first run the python engine starts its
// workers. The routes and checks of the run are in the times, the extraction is
// not. With -v it prints a table:
//
//	CASEBOOK_FRAMEWORKS=DIR go test ./generator/python -run '^$' -bench Engines -benchtime 1x -v
func BenchmarkEngines(b *testing.B) {
	frameworks(b)
	var table strings.Builder
	table.WriteString("\n| framework | engine | rows asked | made | calls | vectors | first run | next run | peak memory | of the workers |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n")
	for _, name := range names {
		for _, kind := range []string{"go", "python"} {
			b.Run(name+"/"+kind, func(b *testing.B) {
				var g generator.Generator
				if kind == "python" {
					g = newEngine(b, name, python.Options{})
				} else {
					g = nativeEngine(name)
				}
				var r engineCost
				for b.Loop() {
					r = measure(b, name, g)
				}
				b.ReportMetric(float64(r.asked), "rows")
				b.ReportMetric(float64(r.made), "made")
				b.ReportMetric(float64(r.calls), "calls")
				b.ReportMetric(float64(r.vectors), "vectors")
				b.ReportMetric(r.first.Seconds(), "s/first")
				b.ReportMetric(r.next.Seconds(), "s/next")
				b.ReportMetric(float64(r.self)/1e6, "MB")
				b.ReportMetric(float64(r.workers)/1e6, "MB-workers")
				fmt.Fprintf(&table, "| %s | %s | %d | %d | %d | %d | %.1f s | %.1f s | %s | %s |\n",
					name, kind, r.asked, r.made, r.calls, r.vectors, r.first.Seconds(), r.next.Seconds(), megabytes(r.self), megabytes(r.workers))
			})
		}
	}
	fmt.Fprintf(&table, "\nOne call takes %v; %d processors; both runs of one engine ask for the same; the memory is that of the process with server and model, and of its two workers together.", callTime, runtime.GOMAXPROCS(0))
	b.Log(table.String())
}

func nativeEngine(name string) generator.Generator {
	switch name {
	case python.DeepEval:
		return generator.Must(deepeval.New(nil))
	case python.Ragas:
		return generator.Must(ragas.New(nil))
	default:
		return generator.Must(giskard.New(nil))
	}
}

// engineCost is what two runs of an engine took.
type engineCost struct {
	asked, made    int   // test cases, in each run
	calls, vectors int64 // of the engine, in the first run
	first, next    time.Duration
	self, workers  int64 // bytes at the peak; 0 where the system does not tell
}

func measure(b *testing.B, name string, g generator.Generator) engineCost {
	b.Helper()
	doc := readDocument(b, "bike_rental_en.md")
	played, err := actor.New(b.Context(), doc)
	if err != nil {
		b.Fatal(err)
	}
	played.Calls = func(*llm.Request) []llm.ToolCall {
		return []llm.ToolCall{{ID: "1", Name: "generate_with_" + name, Arguments: arguments[name]}}
	}
	s := wire.New(b, wire.Client(&actor.Author{Actor: played}), &wire.Options{Latency: callTime})
	client, err := openai.New(openai.Options{BaseURL: s.URL(), Model: "author", APIKey: "k"})
	if err != nil {
		b.Fatal(err)
	}
	o, err := orchestrate.New([]generator.Generator{g}, &orchestrate.Options{
		Client: client, Embedder: client.Embedder("vectors"), Capabilities: client.Capabilities(), ModelName: "author", Seed: 1,
		Counts: orchestrate.Counts{TestCasesPerUseCase: 4}, Concurrency: 16, CallTimeout: 10 * time.Minute,
	})
	if err != nil {
		b.Fatal(err)
	}
	in := &orchestrate.Input{Documents: []*model.Document{doc}}
	if in.Plan, err = o.Plan(b.Context(), in); err != nil {
		b.Fatal(err)
	}
	var cost engineCost
	for i := range in.Plan.UseCases {
		// Rows that no framework can fill are left to neither engine.
		uc := &in.Plan.UseCases[i]
		var rows []model.Row
		for _, row := range uc.Rows {
			if row.Given == nil && row.Corner == "" {
				rows = append(rows, row)
			}
		}
		uc.Rows = rows
		cost.asked += len(rows)
	}
	watch := watchMemory()
	for k := range 2 {
		start := time.Now()
		res, err := o.Run(b.Context(), in)
		var short *coverage.ShortfallError // the rows left out
		if err != nil && !errors.As(err, &short) {
			b.Fatal(err)
		}
		took := time.Since(start)
		if k == 1 {
			cost.next = took
			continue
		}
		cost.first = took
		for _, tc := range res.Dataset.TestCases {
			if tc.Metadata.Generator == name {
				cost.made++
			}
		}
		for purpose, n := range res.Manifest.Usage.ByPurpose {
			switch {
			case purpose == llm.PurposeEmbed:
				cost.vectors += n
			case strings.HasPrefix(strings.TrimPrefix(purpose, "python_"), name):
				cost.calls += n
			}
		}
	}
	cost.self, cost.workers = watch()
	return cost
}

// watchMemory follows the peak of this process and of its children together,
// until the function that it returns is called.
func watchMemory() func() (self, workers int64) {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600) // the peak begins anew, where the system can
	done := make(chan struct{})
	var wg sync.WaitGroup
	peaks := map[int]int64{}
	wg.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			for _, pid := range childrenOf(os.Getpid()) {
				peaks[pid] = max(peaks[pid], peak(strconv.Itoa(pid)))
			}
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	})
	return func() (int64, int64) {
		close(done)
		wg.Wait()
		var workers int64
		for _, n := range peaks {
			workers += n
		}
		return peak("self"), workers
	}
}

// peak is the most memory that a process had resident so far, in bytes.
func peak(pid string) int64 {
	b, err := os.ReadFile(filepath.Join("/proc", pid, "status"))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmHWM:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				return 0
			}
			return n << 10
		}
	}
	return 0
}

func megabytes(n int64) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%d MB", n/1e6)
}
