package deepeval_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	adapter "github.com/casebook-go/casebook/adapters/deepeval"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

func TestFromContexts(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := synthesizer(t, f, nil)
	cs := contexts(3)
	r, err := s.FromContexts(t.Context(), cs, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Goldens) != 6 || len(r.Records) != 6 || len(r.Failures) != 0 {
		t.Fatalf("%d goldens, %d records, failures %v; want 6, 6, none", len(r.Goldens), len(r.Records), r.Failures)
	}
	for i, g := range r.Goldens {
		c := cs[i/2]
		m := g.Metadata
		if diff := cmp.Diff([]string{c.Passages[0].Text, c.Passages[1].Text}, g.Context); diff != "" {
			t.Errorf("golden %d: context (-want +got):\n%s", i, diff)
		}
		if g.Input == "" || g.ExpectedOutput == "" || g.SourceFile != c.Passages[0].File || g.Conversational() {
			t.Errorf("golden %d: %+v", i, g)
		}
		if len(m.Evolutions) != 1 || !slices.Contains(deepeval.Evolutions(), deepeval.Evolution(m.Evolutions[0])) {
			t.Errorf("golden %d: evolutions %v", i, m.Evolutions)
		}
		if m.InputQuality == nil || *m.InputQuality <= 0 || m.ScenarioQuality != nil {
			t.Errorf("golden %d: quality %v, %v", i, m.InputQuality, m.ScenarioQuality)
		}
	}
	if got := f.total(); got > 7 { // DeepEval makes 7 for one context
		t.Errorf("%d calls for 6 goldens", got)
	}
	if n := coverage.Near; n != 0.8 {
		t.Fatal("the threshold of near duplicates moved")
	}
}

// D1: what one item fails with for good costs that item.
func TestOneItemFails(t *testing.T) {
	t.Parallel()
	f := newFake()
	last := ""
	f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		if !strings.HasPrefix(kind, "deepeval_") && strings.Contains(user(req), "Locker 4 keeps") && strings.Contains(user(req), "answer-only-four") {
			last = kind
			return nil, badRequest(), true
		}
		return nil, nil, false
	}
	// One golden of the fourth context says a word that the last stage cannot bear.
	inner := f.on
	f.on = func(kind string, req *llm.Request, n int) (*llm.Response, error, bool) {
		if kind == actor.DeepEvalEvolve {
			resp, err := f.actor.Complete(t.Context(), req)
			if err == nil && strings.Contains(user(req), "Locker 4 keeps") {
				resp.Text = poison(t, user(req), resp.Text)
			}
			return resp, err, true
		}
		return inner(kind, req, n)
	}
	s := synthesizer(t, f, nil)
	r, err := s.FromContexts(t.Context(), contexts(10), nil)
	var short *deepeval.ShortError
	if !errors.As(err, &short) || short.Asked != 20 || short.Made != 19 || len(r.Goldens) != 19 {
		t.Fatalf("%d goldens and %v, want 19 and a *ShortError", len(r.Goldens), err)
	}
	var e *llm.Error
	if !errors.As(err, &e) || e.Status != 400 {
		t.Errorf("%v does not hold the cause", err)
	}
	if len(r.Failures) != 1 || r.Failures[0].Source != "context 4" {
		t.Errorf("failures %v", r.Failures)
	}
	if last == "" {
		t.Error("no call of the last stage was refused")
	}
}

// poison puts a mark into the first item of the fourth context.
func poison(t *testing.T, prompt, reply string) string {
	t.Helper()
	key := ""
	for _, c := range []string{"c1", "c2", "c3"} {
		_, rest, _ := strings.Cut(prompt, fmt.Sprintf("<context key=%q>", c))
		if part, _, _ := strings.Cut(rest, "</context>"); strings.Contains(part, "Locker 4 keeps") {
			_, items, _ := strings.Cut(prompt, "<items>")
			for line := range strings.SplitSeq(items, "\n") {
				if k, ok := strings.CutSuffix(line, ": context "+c); ok && key == "" {
					key = k
				}
			}
		}
	}
	var v struct {
		Items []map[string]string `json:"items"`
	}
	if err := json.Unmarshal([]byte(reply), &v); err != nil {
		t.Fatal(err)
	}
	for _, it := range v.Items {
		if it["key"] == key {
			it["input"] += " answer-only-four"
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// D2: one reply in three is broken.
func TestBrokenReplies(t *testing.T) {
	t.Parallel()
	for _, scenarios := range []bool{false, true} {
		f := newFake()
		broken := 0
		f.on = func(_ string, req *llm.Request, _ int) (*llm.Response, error, bool) {
			h := fnv.New64a()
			fmt.Fprint(h, len(req.Messages), req.Messages[len(req.Messages)-1].Content, *req.Seed)
			if h.Sum64()%3 != 0 {
				return nil, nil, false
			}
			broken++
			switch h.Sum64() / 3 % 3 {
			case 0:
				return text(`{"items": [{"key": "i1", "inp`), nil, true
			case 1:
				return text(""), nil, true
			default:
				return text("I'd rather talk about the weather."), nil, true
			}
		}
		s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Concurrency = 1; o.Batch = 2 })
		r, err := s.FromContexts(t.Context(), contexts(10), &deepeval.Ask{Scenarios: scenarios})
		if err != nil || len(r.Goldens) != 20 {
			t.Errorf("scenarios %v: %d goldens, %v; want 20", scenarios, len(r.Goldens), err)
		}
		if broken < 10 {
			t.Errorf("only %d replies were broken", broken)
		}
	}
}

// D3: a model that gives fewer inputs than asked, or more.
func TestCountsOfTheModel(t *testing.T) {
	t.Parallel()
	for name, n := range map[string]int{"one of two": 1, "three of two": 3} {
		f := newFake()
		f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
			if kind != actor.DeepEvalInputs {
				return nil, nil, false
			}
			items := []string{}
			for i := range n {
				items = append(items, fmt.Sprintf(`{"key":"i%d","matter":"m","passages":[],"input":%q}`, i+1, actor.Text("hello", fmt.Sprint(i), user(req))))
			}
			return text(`{"items":[%s]}`, strings.Join(items, ",")), nil, true
		}
		r, err := synthesizer(t, f, nil).FromContexts(t.Context(), contexts(1), nil)
		if err != nil || len(r.Goldens) != 2 {
			t.Errorf("%s: %d goldens, %v; want 2", name, len(r.Goldens), err)
		}
	}
	f := newFake()
	f.on = func(kind string, _ *llm.Request, _ int) (*llm.Response, error, bool) {
		return text(`{"items":[]}`), nil, kind == actor.DeepEvalInputs
	}
	r, err := synthesizer(t, f, nil).FromContexts(t.Context(), contexts(1), nil)
	var short *deepeval.ShortError
	if !errors.As(err, &short) || short.Asked != 2 || short.Made != 0 || len(r.Goldens) != 0 {
		t.Errorf("nothing at all gives %v", err)
	}
}

// D4 and a cancelled run: no call leaves after the run has returned.
func TestNothingGoesOnAfterwards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.wait = func(ctx context.Context) {
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
			}
		}
		s := synthesizer(t, f, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 120*time.Millisecond)
		defer cancel()
		r, err := s.FromContexts(ctx, contexts(30), nil)
		if !errors.Is(err, context.DeadlineExceeded) || len(r.Goldens) != 0 {
			t.Errorf("%d goldens and %v, want none and the deadline", len(r.Goldens), err)
		}
		n := f.total()
		time.Sleep(time.Minute)
		synctest.Wait()
		if f.total() != n || f.active != 0 {
			t.Errorf("%d calls left after the run", f.total()-n)
		}
		if _, err := s.FromContexts(t.Context(), contexts(1), nil); err != nil || f.total()-n > 7 {
			t.Errorf("the next run of one context made %d calls (%v), want at most 7", f.total()-n, err)
		}
	})
}

// D5: the limit holds over all stages and clients.
func TestLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.wait = func(context.Context) { time.Sleep(10 * time.Millisecond) }
		s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) {
			o.Concurrency = 5
			o.Critic = f
			o.Contexts.PerDocument = 20
		})
		docs := []*model.Document{long(t, "a.md", 60), long(t, "b.md", 60)}
		r, err := s.FromDocuments(t.Context(), docs, &deepeval.Ask{Goldens: 60})
		if err != nil || len(r.Goldens) != 60 {
			t.Fatalf("%d goldens, %v", len(r.Goldens), err)
		}
		var group sync.WaitGroup // and over all work of one synthesizer
		for range 3 {
			group.Go(func() {
				if _, err := s.FromContexts(t.Context(), contexts(20), nil); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if f.most != 5 {
			t.Errorf("%d calls at once, want 5", f.most)
		}
	})
}

// D6: a server that asks for patience gets it.
func TestRateLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.on = func(_ string, _ *llm.Request, _ int) (*llm.Response, error, bool) {
			if f.total() <= 2 {
				return nil, &llm.Error{Kind: llm.KindRate, Status: 429, RetryAfter: time.Second}, true
			}
			return nil, nil, false
		}
		start := time.Now()
		r, err := synthesizer(t, f, nil).FromContexts(t.Context(), contexts(1), nil)
		if err != nil || len(r.Goldens) != 2 {
			t.Fatalf("%d goldens, %v", len(r.Goldens), err)
		}
		if d := time.Since(start); d < 2*time.Second {
			t.Errorf("it waited %v, want 2 s", d)
		}
	})
}

// D7: the same whatever the concurrency.
func TestSameAtAnyConcurrency(t *testing.T) {
	t.Parallel()
	for name, ask := range map[string]*deepeval.Ask{"turns": {Goldens: 40}, "scenarios": {Goldens: 40, Scenarios: true}} {
		var want string
		for _, n := range []int{1, 4, 64} {
			f := newFake()
			f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
				h := fnv.New64a()
				fmt.Fprint(h, len(req.Messages), user(req), *req.Seed)
				return text("no"), nil, h.Sum64()%4 == 0
			}
			s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Concurrency = n; o.Evolution.Rounds = 2 })
			r, err := s.FromDocuments(t.Context(), []*model.Document{long(t, "a.md", 30), long(t, "b.md", 9)}, ask)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			r.Usage = nil
			b, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if want == "" {
				want = string(b)
			} else if diff := cmp.Diff(want, string(b)); diff != "" {
				t.Errorf("%s: concurrency %d (-1 +%d):\n%s", name, n, n, diff)
			}
		}
	}
}

// D8: chunks that are no good.
func TestPoorChunks(t *testing.T) {
	t.Parallel()
	bad := func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		if kind != actor.DeepEvalQuality {
			return nil, nil, false
		}
		items := []string{}
		for i := range strings.Count(user(req), "<chunk key=") {
			items = append(items, fmt.Sprintf(`{"key":"c%d","clarity":0.1,"depth":0.1,"structure":0.1,"relevance":0.1}`, i+1))
		}
		return text(`{"chunks":[%s]}`, strings.Join(items, ",")), nil, true
	}
	for _, doc := range []*model.Document{long(t, "long.md", 40), parse(t, "one.md", "We open at nine.")} {
		for _, scenarios := range []bool{false, true} {
			f := newFake()
			f.on = bad
			r, err := synthesizer(t, f, nil).FromDocuments(t.Context(), []*model.Document{doc}, &deepeval.Ask{Scenarios: scenarios})
			var none *deepeval.NoContextError
			if !errors.As(err, &none) || len(r.Goldens) != 0 || none.Threshold != 0.5 || none.Best != 0.1 || none.Documents[0] != doc.Name {
				t.Errorf("%s: %v and %d goldens, want a *NoContextError", doc.Name, err, len(r.Goldens))
			}
			if n := len(f.said(actor.DeepEvalInputs)); n != 0 {
				t.Errorf("%s: %d calls for inputs", doc.Name, n)
			}
		}
		f := newFake()
		f.on = bad
		s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Contexts.KeepPoor = true })
		r, err := s.FromDocuments(t.Context(), []*model.Document{doc}, &deepeval.Ask{Goldens: 2})
		if err != nil || len(r.Goldens) != 2 || !r.Contexts[0].Poor || *r.Goldens[0].Metadata.ContextQuality != 0.1 {
			t.Errorf("%s: kept: %d goldens, %v", doc.Name, len(r.Goldens), err)
		}
	}
}

// D10: the best scored version is kept, with its own score and a flag.
func TestBestVersionIsKept(t *testing.T) {
	t.Parallel()
	for _, scenarios := range []bool{false, true} {
		scores := []string{"0.1", "0.3", "0.2", "0.1", "0.1", "0.1"}
		run := func(change func(*deepeval.SynthesizerOptions)) (*fake, *deepeval.Result, error) {
			f := newFake()
			f.on = func(kind string, req *llm.Request, n int) (*llm.Response, error, bool) {
				if kind != actor.DeepEvalCritic {
					return nil, nil, false
				}
				return text(`{"items":[{"key":"i1","problem":"too vague","score":%s}]}`, scores[min(n, len(scores)-1)]), nil, true
			}
			s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) {
				o.Evolution.Rounds = -1
				if change != nil {
					change(o)
				}
			})
			r, err := s.FromContexts(t.Context(), contexts(1), &deepeval.Ask{Goldens: 1, Scenarios: scenarios, InputsOnly: true})
			return f, r, err
		}
		f, r, err := run(nil)
		if err != nil || len(r.Goldens) != 1 {
			t.Fatalf("%d goldens, %v", len(r.Goldens), err)
		}
		if c, w := len(f.said(actor.DeepEvalCritic)), len(f.said(actor.DeepEvalRewrite)); c != 4 || w != 3 {
			t.Errorf("%d scorings and %d rewrites, want 4 and 3", c, w)
		}
		g := r.Goldens[0]
		var versions []deepeval.Version
		if err := json.Unmarshal(g.Metadata.Extra[deepeval.MetaVersions], &versions); err != nil {
			t.Fatal(err)
		}
		quality := g.Metadata.InputQuality
		if scenarios {
			quality = g.Metadata.ScenarioQuality
		}
		if quality == nil || *quality != 0.3 || len(versions) != 4 || versions[1].Input != g.Input+g.Scenario || *versions[1].Score != 0.3 {
			t.Errorf("kept %q with %v; versions %+v", g.Input+g.Scenario, quality, versions)
		}
		if flag := string(g.Metadata.Extra[deepeval.MetaFlagged]); !strings.Contains(flag, "too vague") {
			t.Errorf("flagged %s", flag)
		}
		_, r, err = run(func(o *deepeval.SynthesizerOptions) { o.Filtration.Drop = true })
		var low *deepeval.QualityError
		if !errors.As(err, &low) || len(r.Goldens) != 0 {
			t.Errorf("dropped: %d goldens, %v", len(r.Goldens), err)
		}
		f, r, err = run(func(o *deepeval.SynthesizerOptions) { o.Filtration.Retries = -1 })
		if err != nil || len(r.Goldens) != 1 || len(f.said(actor.DeepEvalRewrite)) != 0 {
			t.Errorf("without retries: %d goldens, %v", len(r.Goldens), err)
		}
	}
}

// D11 and D13: files of odd names, and one that is missing.
func TestFiles(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	names := []string{"a/x.txt", "b/x.txt", "my file.txt", "правила.md"}
	for i, n := range names {
		files[n] = &fstest.MapFile{Data: fmt.Appendf(nil, "# House %d\n\nHouse %d opens at %d o'clock and closes at %d.\n", i, i, i+7, i+17)}
	}
	r, err := synthesizer(t, newFake(), nil).FromFiles(t.Context(), files, names, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, g := range r.Goldens {
		if i%2 == 0 {
			got = append(got, g.SourceFile)
		}
		if want := fmt.Sprintf("House %d opens", slices.Index(names, g.SourceFile)); !strings.Contains(g.Context[0], want) {
			t.Errorf("the context of %s is %q", g.SourceFile, g.Context[0])
		}
		if s := r.Records[i].Spans; len(s) != 1 || s[0].Doc != g.SourceFile {
			t.Errorf("spans %v of %s", s, g.SourceFile)
		}
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}

	r, err = synthesizer(t, newFake(), nil).FromFiles(t.Context(), files, []string{"a/x.txt", "gone.md"}, nil)
	if err == nil || !strings.Contains(err.Error(), "gone.md") || len(r.Failures) != 1 || r.Failures[0].Source != "gone.md" {
		t.Errorf("a missing file: %v, failures %v", err, r.Failures)
	}
	if len(r.Goldens) != 2 || r.Goldens[0].SourceFile != "a/x.txt" {
		t.Errorf("of the other file: %d goldens", len(r.Goldens))
	}
}

// D12: nothing made is an error with its cause.
func TestNothingMade(t *testing.T) {
	t.Parallel()
	critic := newFake()
	critic.on = func(string, *llm.Request, int) (*llm.Response, error, bool) {
		return nil, &llm.Error{Kind: llm.KindAuth, Status: 401, Message: "wrong key"}, true
	}
	s := synthesizer(t, newFake(), func(o *deepeval.SynthesizerOptions) { o.Critic = critic })
	for name, made := range map[string]func() (*deepeval.Result, error){
		"contexts": func() (*deepeval.Result, error) { return s.FromContexts(t.Context(), contexts(3), nil) },
		"documents": func() (*deepeval.Result, error) {
			return s.FromDocuments(t.Context(), []*model.Document{long(t, "a.md", 9)}, nil)
		},
		"none": func() (*deepeval.Result, error) { return s.FromContexts(t.Context(), nil, nil) },
		"empty": func() (*deepeval.Result, error) {
			return s.FromContexts(t.Context(), []deepeval.Context{deepeval.NewContext("a.md", " ")}, nil)
		},
		"no files": func() (*deepeval.Result, error) {
			return s.FromFiles(t.Context(), fstest.MapFS{}, []string{"a.md"}, nil)
		},
	} {
		r, err := made()
		if err == nil || r == nil || len(r.Goldens) != 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var e *llm.Error
		if auth := errors.As(err, &e) && e.Kind == llm.KindAuth; auth != (name == "contexts" || name == "documents") {
			t.Errorf("%s: the cause is %v", name, err)
		}
	}
	if n := critic.total(); n > 2 { // one for the contexts, one for the chunks
		t.Errorf("%d calls with a wrong key", n)
	}
}

// D14: from scratch.
func TestFromScratch(t *testing.T) {
	t.Parallel()
	styling := deepeval.StylingConfig{Scenario: "People who rent bikes", Task: "It answers renters", InputFormat: "a short chat message", ParticipantRoles: "a renter and the assistant"}
	for _, scenarios := range []bool{false, true} {
		f := newFake()
		s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Styling = styling; o.Evolution.Rounds = 2 })
		r, err := s.FromScratch(t.Context(), &deepeval.Ask{Goldens: 3, Scenarios: scenarios})
		if err != nil || len(r.Goldens) != 3 {
			t.Fatalf("%d goldens, %v", len(r.Goldens), err)
		}
		for i, g := range r.Goldens {
			if g.Conversational() != scenarios || len(g.Metadata.Evolutions) != 2 || slices.Contains(g.Metadata.Evolutions, string(deepeval.MultiContext)) {
				t.Errorf("golden %d: %+v, %v", i, g, g.Metadata)
			}
			if g.ExpectedOutput+g.ExpectedOutcome != "" || g.Context != nil {
				t.Errorf("golden %d has an output or a context without a document", i)
			}
			if (g.Metadata.InputQuality != nil) == scenarios || (g.Metadata.ScenarioQuality != nil) != scenarios {
				t.Errorf("golden %d: its final version is not scored", i)
			}
		}
		// Each item was written for somebody else, with its own evolutions.
		first := f.said(actor.DeepEvalInputs)[0]
		if strings.Count(first, "who comes: ") != 3 || !strings.Contains(first, styling.Scenario) {
			t.Errorf("the prompt is\n%s", first)
		}
	}
	var bad *deepeval.ConfigError
	f := newFake()
	if _, err := synthesizer(t, f, nil).FromScratch(t.Context(), &deepeval.Ask{Goldens: 3}); !errors.As(err, &bad) || bad.Field != "Styling" || f.total() != 0 {
		t.Errorf("without a styling: %v after %d calls", err, f.total())
	}
}

// D16: what cannot be drawn is known before any call.
func TestOnlyMultiContext(t *testing.T) {
	t.Parallel()
	f := newFake()
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) {
		o.Evolution.Weights = map[deepeval.Evolution]float64{deepeval.MultiContext: 1}
		o.Styling = deepeval.StylingConfig{Scenario: "a", Task: "b", InputFormat: "c"}
	})
	for name, err := range map[string]error{
		"scratch":   second(s.FromScratch(t.Context(), &deepeval.Ask{Goldens: 2})),
		"contexts":  second(s.FromContexts(t.Context(), []deepeval.Context{deepeval.NewContext("a.md", "We open at nine.")}, nil)),
		"documents": second(s.FromDocuments(t.Context(), []*model.Document{parse(t, "a.md", "We open at nine.")}, nil)),
		"goldens":   second(s.FromGoldens(t.Context(), []deepeval.Golden{{Input: "When do you open?"}}, nil)),
	} {
		var bad *deepeval.ConfigError
		if !errors.As(err, &bad) || bad.Field != "Evolution.Weights" {
			t.Errorf("%s: %v, want a *ConfigError", name, err)
		}
	}
	if f.total() != 0 {
		t.Errorf("%d calls before", f.total())
	}
	r, err := s.FromContexts(t.Context(), contexts(1), nil)
	if err != nil || r.Goldens[1].Metadata.Evolutions[0] != string(deepeval.MultiContext) {
		t.Errorf("of two passages: %v", err)
	}
}

func second(_ *deepeval.Result, err error) error { return err }

// D17: a model that repeats itself.
func TestNoDuplicates(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.on = func(kind string, req *llm.Request, n int) (*llm.Response, error, bool) {
		if kind != actor.DeepEvalInputs || n > 1 {
			return nil, nil, false
		}
		return text(`{"items":[{"key":"i1","matter":"","passages":[],"input":"When does my parcel go back, please?"},
			{"key":"i2","matter":"","passages":[],"input":"when does my parcel go back please"},
			{"key":"i3","matter":"","passages":[],"input":"How long may my parcel stay with you?"}]}`), nil, true
	}
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Evolution.Rounds = -1 })
	given := []deepeval.Golden{{Input: "How long may my parcel stay with you", Context: []string{"A parcel stays for 3 days.", "It weighs at most 5 kg."}, SourceFile: "a.md"}}
	r, err := s.FromGoldens(t.Context(), given, &deepeval.Ask{Goldens: 12})
	if err != nil || len(r.Goldens) != 12 {
		t.Fatalf("%d goldens, %v", len(r.Goldens), err)
	}
	all := append([]string{given[0].Input}, inputs(r)...)
	for i, a := range all {
		for _, b := range all[:i] {
			if coverage.Similar(a, b) >= coverage.Near {
				t.Errorf("%q is near %q", a, b)
			}
		}
	}
	for _, p := range f.said(actor.DeepEvalCritic) { // which costs no call of a later stage
		if strings.Contains(p, "when does my parcel go back please") || strings.Contains(p, "How long may my parcel stay with you?") {
			t.Errorf("the critic was asked about a duplicate:\n%s", p)
		}
	}
	said := f.said(actor.DeepEvalInputs)
	if last := said[len(said)-1]; !strings.Contains(last, "- When does my parcel go back, please?") || !strings.Contains(last, "- "+given[0].Input) {
		t.Errorf("the last request does not name what exists:\n%s", last)
	}
	// A model that knows one thing only ends in a typed shortfall.
	f = newFake()
	f.on = func(kind string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		items := []string{}
		for i := range 10 {
			items = append(items, fmt.Sprintf(`{"key":"i%d","matter":"","passages":[],"input":"When do you open?"}`, i+1))
		}
		return text(`{"items":[%s]}`, strings.Join(items, ",")), nil, kind == actor.DeepEvalInputs
	}
	s = synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Evolution.Rounds = -1 })
	r, err = s.FromContexts(t.Context(), contexts(1), &deepeval.Ask{Goldens: 10})
	var short *deepeval.ShortError
	var dup *deepeval.DuplicateError
	if !errors.As(err, &short) || short.Made != 1 || !errors.As(err, &dup) {
		t.Errorf("%d goldens and %v, want 1 and a *ShortError of duplicates", len(r.Goldens), err)
	}
}

// D18: the final input and its output are checked, and the scores stored.
func TestFinalVersionIsChecked(t *testing.T) {
	t.Parallel()
	for _, scenarios := range []bool{false, true} {
		f := newFake()
		r, err := synthesizer(t, f, nil).FromContexts(t.Context(), contexts(1), &deepeval.Ask{Scenarios: scenarios})
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range r.Goldens {
			final := g.Input + g.Scenario
			checked := false
			f.mu.Lock()
			for _, req := range f.log {
				if k := actor.Kind(req); k != actor.DeepEvalCritic && k != actor.DeepEvalOutcome {
					checked = checked || strings.Contains(user(req), final) && strings.Contains(user(req), g.ExpectedOutput+g.ExpectedOutcome)
				}
			}
			f.mu.Unlock()
			if !checked {
				t.Errorf("nobody checked %q with %q", final, g.ExpectedOutput+g.ExpectedOutcome)
			}
			if string(g.Metadata.Extra[deepeval.MetaAnswerable]) != "true" || string(g.Metadata.Extra[deepeval.MetaSupported]) != "true" {
				t.Errorf("verdicts %s, %s", g.Metadata.Extra[deepeval.MetaAnswerable], g.Metadata.Extra[deepeval.MetaSupported])
			}
			quality := g.Metadata.InputQuality
			if scenarios {
				quality = g.Metadata.ScenarioQuality
			}
			if quality == nil {
				t.Error("no score is stored")
			}
		}
	}
}

// D20: tokens are counted, stage by stage.
func TestUsage(t *testing.T) {
	t.Parallel()
	f := newFake()
	served := llm.Usage{}
	f.on = func(_ string, req *llm.Request, _ int) (*llm.Response, error, bool) {
		resp, err := f.actor.Complete(t.Context(), req)
		if err == nil {
			resp.Usage = llm.Usage{Input: int64(len(user(req))), Output: 11}
			served.Input += resp.Usage.Input
			served.Output += resp.Usage.Output
		}
		return resp, err, true
	}
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) {
		o.Concurrency = 1
		o.Embedder = &paid{&served}
		o.Retry = &llm.RetryOptions{Base: time.Millisecond}
	})
	r, err := s.FromDocuments(t.Context(), []*model.Document{long(t, "a.md", 12)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Usage.Tokens != served || r.Usage.Calls != int64(f.total())+1 {
		t.Errorf("%d calls and %+v are reported, %d and %+v were served", r.Usage.Calls, r.Usage.Tokens, f.total(), served)
	}
	var sum llm.Usage
	stages := map[string]bool{}
	for _, l := range r.Usage.Lines {
		sum.Input += l.Tokens.Input
		sum.Output += l.Tokens.Output
		stages[l.Purpose] = true
	}
	for _, want := range []string{"deepeval_quality", "deepeval_inputs", "deepeval_critic", "deepeval_evolve", "deepeval_answer", "deepeval_check", llm.PurposeEmbed} {
		if !stages[want] {
			t.Errorf("no line for %s: %v", want, stages)
		}
	}
	if sum != served {
		t.Errorf("the stages add up to %+v", sum)
	}
}

// paid is an embedder that says what its calls used.
type paid struct{ served *llm.Usage }

func (p *paid) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vs, _, err := p.EmbedUsage(ctx, texts)
	return vs, err
}

func (p *paid) EmbedUsage(ctx context.Context, texts []string) ([][]float32, llm.Usage, error) {
	vs, err := llm.NewLexical(texts).Embed(ctx, texts)
	u := llm.Usage{Input: int64(100 * len(texts))}
	p.served.Input += u.Input
	return vs, u, err
}

// D22: a critic of its own scores, and only it; by default the model itself.
func TestCritic(t *testing.T) {
	t.Parallel()
	main, critic := newFake(), newFake()
	s := synthesizer(t, main, func(o *deepeval.SynthesizerOptions) { o.Critic = critic })
	if _, err := s.FromDocuments(t.Context(), []*model.Document{long(t, "a.md", 9)}, nil); err != nil {
		t.Fatal(err)
	}
	for kind := range critic.calls {
		if kind != actor.DeepEvalCritic && kind != actor.DeepEvalQuality && kind != actor.AnswerCheck {
			t.Errorf("the critic was asked for %s", kind)
		}
	}
	if main.calls[actor.DeepEvalCritic]+main.calls[actor.DeepEvalQuality] != 0 || critic.calls[actor.DeepEvalCritic] == 0 || critic.calls[actor.DeepEvalQuality] == 0 {
		t.Errorf("calls of the model %v, of the critic %v", main.calls, critic.calls)
	}
}

// D23: goldens with and without context are all used.
func TestFromGoldens(t *testing.T) {
	t.Parallel()
	given := []deepeval.Golden{
		{Input: "Does my parcel wait for me till Monday?", Context: []string{"A parcel stays for 3 days.", "It weighs at most 5 kg."}, SourceFile: "a.md"},
		{Input: "Can I bring a dog into the shop?"},
		{},
	}
	for _, scenarios := range []bool{false, true} {
		f := newFake()
		r, err := synthesizer(t, f, nil).FromGoldens(t.Context(), given, &deepeval.Ask{Scenarios: scenarios})
		if err == nil || !strings.Contains(err.Error(), "golden 3") || len(r.Failures) != 1 || r.Failures[0].Source != "golden 3" {
			t.Errorf("the empty golden: %v, %v", err, r.Failures)
		}
		if len(r.Goldens) != 4 {
			t.Fatalf("%d goldens", len(r.Goldens))
		}
		for i, g := range r.Goldens {
			if (g.Context != nil) != (i < 2) || (g.ExpectedOutput+g.ExpectedOutcome != "") != (i < 2) || g.Conversational() != scenarios {
				t.Errorf("golden %d: %+v", i, g)
			}
		}
		style := f.said(actor.DeepEvalStyle)
		if len(style) != 1 || !strings.Contains(style[0], given[0].Input) || !strings.Contains(style[0], given[1].Input) {
			t.Errorf("the style was read from %q", style)
		}
		for _, p := range f.said(actor.DeepEvalInputs) {
			if !strings.Contains(p, given[0].Input) || !strings.Contains(p, "People who need something.") {
				t.Errorf("a prompt lacks the given inputs or the style:\n%s", p)
			}
		}
	}
	f := newFake()
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Styling.Scenario = "People at the counter" })
	if _, err := s.FromGoldens(t.Context(), given[:1], nil); err != nil || len(f.said(actor.DeepEvalStyle)) != 0 {
		t.Errorf("a styling that is set was overwritten: %v", err)
	}
}

// D24: what a record says of how it was made.
func TestMetadata(t *testing.T) {
	t.Parallel()
	doc := long(t, "a.md", 12)
	other := long(t, "b.md", 12)
	s := synthesizer(t, newFake(), func(o *deepeval.SynthesizerOptions) {
		o.Contexts.MaxFiles, o.Contexts.TargetFiles = 2, 2
		o.Contexts.ChunkTokens = 80
	})
	r, err := s.FromDocuments(t.Context(), []*model.Document{doc, other}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, g := range r.Goldens {
		m := g.Metadata
		if len(m.ContextSourceFiles) != 2 {
			t.Errorf("golden %d: the context has the files %v, want 2", i, m.ContextSourceFiles)
		}
		if len(m.UsedSourceFiles) == 0 {
			t.Errorf("golden %d: no file is used", i)
		}
		for _, u := range m.UsedSourceFiles {
			if !slices.Contains(m.ContextSourceFiles, u) {
				t.Errorf("golden %d: the used file %s is not of the context's %v", i, u, m.ContextSourceFiles)
			}
		}
		var chunks []deepeval.Chunk
		var versions []deepeval.Version
		var name, prompts, first string
		for key, into := range map[string]any{
			deepeval.MetaChunks: &chunks, deepeval.MetaVersions: &versions, deepeval.MetaModel: &name,
			deepeval.MetaPrompts: &prompts, deepeval.MetaOriginalInput: &first,
		} {
			if err := json.Unmarshal(m.Extra[key], into); err != nil {
				t.Errorf("golden %d: %s: %v", i, key, err)
			}
		}
		if name != "fake-1" || prompts != deepeval.PromptVersion || first == "" || first == g.Input {
			t.Errorf("golden %d: model %q, prompts %q, first %q", i, name, prompts, first)
		}
		if len(versions) != 2 || versions[0].Input != first || versions[1].Input != g.Input || versions[1].Made != m.Evolutions[0] {
			t.Errorf("golden %d: versions %+v", i, versions)
		}
		if len(chunks) != len(g.Context) || len(r.Records[i].Spans) != len(g.Context) {
			t.Fatalf("golden %d: %d chunks and %d spans of %d texts", i, len(chunks), len(r.Records[i].Spans), len(g.Context))
		}
		for k, c := range chunks {
			d := doc
			if c.File == "b.md" {
				d = other
			}
			if got := string(d.Bytes()[c.StartByte:c.EndByte]); got != g.Context[k] {
				t.Errorf("golden %d: chunk %s is %q, the context has %q", i, c.ID, got, g.Context[k])
			}
		}
	}
}

// D15: a saved file keeps all metadata, and chunks whole.
func TestSavedGoldens(t *testing.T) {
	t.Parallel()
	cs := []deepeval.Context{deepeval.NewContext("a.md", "| day | hour |\n| --- | --- |\n| Monday | 9 |", "a | b")}
	for _, scenarios := range []bool{false, true} {
		r, err := synthesizer(t, newFake(), nil).FromContexts(t.Context(), cs, &deepeval.Ask{Scenarios: scenarios})
		if err != nil {
			t.Fatal(err)
		}
		for _, lines := range []bool{false, true} {
			x := adapter.New(adapter.Options{Lines: lines})
			var file bytes.Buffer
			if err := x.Encode(&file, r.Records); err != nil {
				t.Fatal(err)
			}
			var got []deepeval.Golden
			for rec, err := range x.Decode(&file) {
				if err != nil {
					t.Fatal(err)
				}
				g, err := deepeval.Parse(rec.JSON)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, *g)
			}
			if diff := cmp.Diff(r.Goldens, got); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
			if len(got) == 0 || len(got[0].Context) != 2 || got[0].Context[1] != "a | b" {
				t.Errorf("the chunks are torn: %+v", got)
			}
		}
	}
}

// D25: the document's language, or the one asked for, and replaced prompts.
func TestLanguageAndPrompts(t *testing.T) {
	t.Parallel()
	ru := []deepeval.Context{deepeval.NewContext("п.md", "Посылка хранится три дня, потом её отправляют обратно.", "Посылка весит не больше пяти килограммов.")}
	for want, language := range map[string]string{"ru": "", "de": "de"} {
		f := newFake()
		s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Language = language })
		if _, err := s.FromContexts(t.Context(), ru, nil); err != nil {
			t.Fatal(err)
		}
		for _, kind := range []string{actor.DeepEvalInputs, actor.DeepEvalEvolve, actor.AnswerWrite} {
			for _, p := range f.said(kind) {
				if !strings.Contains(p, "Language of the document: "+want) || (language != "") != strings.Contains(p, "whatever the ") {
					t.Errorf("%s does not name the language %s:\n%s", kind, want, p)
				}
			}
		}
	}
	own := "Write as a pirate. For each item write one message."
	f := newFake()
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) { o.Prompts.Turn.Inputs = own })
	if _, err := s.FromContexts(t.Context(), ru, nil); err != nil {
		t.Fatal(err)
	}
	if got := f.log[0].Messages[0].Content; got != own {
		t.Errorf("the prompt is %q", got)
	}
	if lang.Detect(ru[0].Passages[0].Text) != "ru" {
		t.Error("the test's text is not Russian")
	}
}

// A scenario whose outcome is not supported is written once more; the better of
// the two is kept.
func TestOutcomeIsMended(t *testing.T) {
	t.Parallel()
	for name, verdicts := range map[string][]string{
		"better": {`"score":0.4,"answerable":true,"supported":false`, `"score":0.9,"answerable":true,"supported":true`},
		"worse":  {`"score":0.9,"answerable":true,"supported":false`, `"score":0.2,"answerable":false,"supported":false`},
	} {
		f := newFake()
		f.on = func(kind string, req *llm.Request, n int) (*llm.Response, error, bool) {
			return text(`{"items":[{"key":"i1","problem":"the hour is invented",%s}]}`, verdicts[min(n, 1)]), nil, kind == actor.DeepEvalOutcomes
		}
		r, err := synthesizer(t, f, nil).FromContexts(t.Context(), contexts(1), &deepeval.Ask{Goldens: 1, Scenarios: true})
		if err != nil {
			t.Fatal(err)
		}
		said := f.said(actor.DeepEvalOutcome)
		if len(said) != 2 || !strings.Contains(said[1], "found wrong: the hour is invented") {
			t.Fatalf("%s: the writer was asked %d times: %v", name, len(said), said)
		}
		checks := f.said(actor.DeepEvalOutcomes)
		kept := 1
		if name == "worse" {
			kept = 0
		}
		if !strings.Contains(checks[kept], r.Goldens[0].ExpectedOutcome) || strings.Contains(checks[1-kept], r.Goldens[0].ExpectedOutcome) {
			t.Errorf("%s: %q is kept", name, r.Goldens[0].ExpectedOutcome)
		}
		if flagged := r.Goldens[0].Metadata.Extra[deepeval.MetaFlagged] != nil; flagged != (name == "worse") {
			t.Errorf("%s: flagged %v", name, flagged)
		}
	}
}

// Where no later stage does it, the critic scores what the evolution made, and a
// better version from before is taken back.
func TestEvolvedInputIsScored(t *testing.T) {
	t.Parallel()
	for _, scenarios := range []bool{false, true} {
		f := newFake()
		f.on = func(kind string, _ *llm.Request, n int) (*llm.Response, error, bool) {
			return text(`{"items":[{"key":"i1","problem":"p","score":%s}]}`, []string{"0.9", "0.2"}[min(n, 1)]), nil, kind == actor.DeepEvalCritic
		}
		r, err := synthesizer(t, f, nil).FromContexts(t.Context(), contexts(1), &deepeval.Ask{Goldens: 1, Scenarios: scenarios, InputsOnly: true})
		if err != nil {
			t.Fatal(err)
		}
		g := r.Goldens[0]
		quality := g.Metadata.InputQuality
		if scenarios {
			quality = g.Metadata.ScenarioQuality
		}
		if len(g.Metadata.Evolutions) != 0 || quality == nil || *quality != 0.9 || !strings.HasPrefix(g.Input+g.Scenario, "message ") {
			t.Errorf("kept %q of quality %v with the evolutions %v", g.Input+g.Scenario, quality, g.Metadata.Evolutions)
		}
		if n := len(f.said(actor.DeepEvalCritic)); n != 2 {
			t.Errorf("%d scorings, want 2", n)
		}
	}
}
