package giskard_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/bulk"
	"github.com/casebook-go/casebook/internal/wire"
	"github.com/casebook-go/casebook/model"
)

// serve starts a server that plays the model, and returns a client of it with
// the decorators of a run.
func serve(tb testing.TB, o *wire.Options) (*wire.Server, llm.Client) {
	tb.Helper()
	s := wire.New(tb, wire.Client(&fake{}), o)
	c, err := openai.New(openai.Options{APIKey: "k", BaseURL: s.URL(), Model: "m"})
	if err != nil {
		tb.Fatal(err)
	}
	return s, llm.Adaptive(llm.Retry(c, &llm.RetryOptions{Base: time.Millisecond}), c.Capabilities())
}

// With one reply in three broken, all that was asked arrives, in the asked mix.
func TestWire_oneInThreeBroken(t *testing.T) {
	t.Parallel()
	want := giskard.Counts{}
	for _, kind := range giskard.Types()[:6] {
		want[kind] = 10
	}
	for seed := range uint64(3) {
		s, client := serve(t, &wire.Options{Faults: wire.Faults(seed, 1.0/3, wire.BrokenJSON, wire.Refusal, wire.Truncated, wire.CutBody, wire.RateLimit)})
		kb := build(t, &giskard.Input{Documents: []*model.Document{document(t, "a.md", bulk.Document("en", 10_000, seed))}, Model: client}, &giskard.Options{Seed: seed})
		set, err := kb.TestsetOf(t.Context(), want)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		if diff := gocmp.Diff(want, mixOf(set)); diff != "" {
			t.Errorf("seed %d: mix (-want +got):\n%s", seed, diff)
		}
		broken := 0
		for _, n := range s.Faulted() {
			broken += n
		}
		if broken*5 < s.Calls() {
			t.Errorf("seed %d: %d of %d calls were broken, too few for the test", seed, broken, s.Calls())
		}
	}
}

const (
	frameworkCalls = 1.9 // of RAGET, a question
	atOnce         = 16
)

// ask makes a test set of n questions over HTTP, and returns the server.
func ask(tb testing.TB, doc *model.Document, n int, latency time.Duration) *wire.Server {
	tb.Helper()
	s, client := serve(tb, &wire.Options{Latency: latency, Chain: func(wire.Request) string { return "run" }})
	client = llm.NewLimiter(&llm.LimitOptions{Concurrency: atOnce}).Client(client)
	kb, err := giskard.Build(tb.Context(), &giskard.Input{Documents: []*model.Document{doc}, Model: client}, &giskard.Options{Concurrency: atOnce})
	if err != nil {
		tb.Fatal(err)
	}
	set, err := kb.Testset(tb.Context(), n)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := gocmp.Diff(even(n, giskard.Types()...), mixOf(set)); diff != "" {
		tb.Fatalf("mix (-want +got):\n%s", diff)
	}
	if s.MaxConcurrent() > atOnce {
		tb.Fatalf("%d calls were under way at once", s.MaxConcurrent())
	}
	return s
}

// Fewer calls than RAGET makes, the checks counted in.
func TestWire_calls(t *testing.T) {
	t.Parallel()
	const n = 120
	s := ask(t, document(t, "a.md", bulk.Document("en", 60_000, 1)), n, 0)
	if per := float64(s.Calls()) / n; per >= frameworkCalls/2 {
		t.Errorf("%.2f calls a question, want less than half of RAGET's %.1f", per, frameworkCalls)
	}
}

// Calls of one test set are made side by side: it takes as long as their number
// over the concurrency and the longest chain allow. Giskard 2.19.2 takes 29.3 s.
func BenchmarkOverHTTP(b *testing.B) {
	const (
		n       = 120
		latency = 50 * time.Millisecond
	)
	doc := document(b, "a.md", bulk.Document("en", 60_000, 1))
	for b.Loop() {
		start := time.Now()
		s := ask(b, doc, n, latency)
		wall := time.Since(start)
		limit := 1.2 * latency.Seconds() * (float64(s.Calls())/atOnce + float64(s.LongestChain()))
		b.ReportMetric(wall.Seconds()/limit, "of-limit")
		b.ReportMetric(float64(s.Calls())/n, "calls/question")
		b.ReportMetric(float64(s.LongestChain()), "chain")
	}
}

// Only the model's address is asked: what the package is made of opens no
// connection by itself.
func TestImports(t *testing.T) {
	t.Parallel()
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("the go command is not there to list imports")
	}
	out, err := exec.CommandContext(t.Context(), goTool, "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"net/http", "os/exec", "crypto/tls"} {
		if slices.Contains(strings.Fields(string(out)), bad) {
			t.Errorf("the package depends on %s", bad)
		}
	}
}

// One client serves all calls: those that name topics, write, rewrite and check.
func TestWire_oneClient(t *testing.T) {
	t.Parallel()
	s, client := serve(t, &wire.Options{Log: true})
	kb := build(t, &giskard.Input{Documents: []*model.Document{read(t, "tea_shop_ru.md")}, Model: client}, nil)
	if _, err := kb.Testset(t.Context(), 16); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	f := &fake{}
	for _, r := range s.Log() {
		kind, _ := f.play(r.Messages[0].Content, r.Messages[1].Content)
		seen[kind] = true
		if r.Seed == nil {
			t.Errorf("a %s request has no seed", kind)
		}
	}
	for _, kind := range []string{"topics", "questions", "rewrites", "absence", "answers", "checks"} {
		if !seen[kind] {
			t.Errorf("the server saw no %s request", kind)
		}
	}
}

// BenchmarkBuild makes a base of 5,000 rows with vectors of 1,536 numbers: RAGET's
// projection alone takes 38 s.
func BenchmarkBuild(b *testing.B) {
	var rows []giskard.Row
	for i := range 5000 {
		rows = append(rows, giskard.Row{Text: text(false, "row", fmt.Sprint(i)) + " " + text(false, "kind", fmt.Sprint(i%40))})
	}
	for b.Loop() {
		kb, err := giskard.Build(context.Background(), &giskard.Input{Rows: rows, Model: &fake{}, Embedder: wide{}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(len(kb.Topics)), "topics")
	}
}

// wide gives vectors of 1,536 numbers, near for texts with the same words.
type wide struct{}

func (wide) Embed(_ context.Context, texts []string) ([][]float32, error) {
	out := make([][]float32, len(texts))
	for i, s := range texts {
		v := make([]float32, 1536)
		for _, w := range strings.Fields(s) {
			h := fnv.New64a()
			h.Write([]byte(w))
			r := rand.New(rand.NewPCG(h.Sum64(), 1))
			for d := range v {
				v[d] += float32(r.NormFloat64())
			}
		}
		out[i] = v
	}
	return out, nil
}

func BenchmarkTestset(b *testing.B) {
	for _, size := range []int{30_000, 300_000} {
		b.Run(fmt.Sprintf("document=%dk", size/1000), func(b *testing.B) {
			doc := document(b, "a.md", bulk.Document("en", size, 1))
			for b.Loop() {
				kb, err := giskard.Build(context.Background(), &giskard.Input{Documents: []*model.Document{doc}, Model: &fake{}}, nil)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := kb.Testset(context.Background(), 120); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
