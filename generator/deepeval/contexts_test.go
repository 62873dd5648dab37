package deepeval_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// angles embeds texts at fixed angles: the first word of a text decides.
type angles struct {
	of    map[string][]float32
	texts int
	calls int
}

func (a *angles) Embed(_ context.Context, texts []string) ([][]float32, error) {
	a.calls++
	a.texts += len(texts)
	if a.of == nil {
		return llm.NewLexical(texts).Embed(context.Background(), texts)
	}
	out := make([][]float32, len(texts))
	for i, t := range texts {
		for word, v := range a.of {
			if strings.Contains(t, word) {
				out[i] = v
			}
		}
	}
	return out, nil
}

// D9: an absolute cut holds for every neighbour, and the length of a vector
// counts for nothing.
func TestSimilarity(t *testing.T) {
	t.Parallel()
	doc := parse(t, "a.md", "# North\n\nThe north door is open from nine to five and nobody minds it.\n\n# East\n\nThe east door is shut on Sundays and on every public holiday.\n\n# South\n\nThe south door is for deliveries and for people with bikes alone.\n")
	e := &angles{of: map[string][]float32{"north": {3, 0, 0}, "east": {0, 0.5, 0}, "south": {0.1, 0, 9}}}
	for similarity, want := range map[float64]int{0.99: 1, 0.005: 2} {
		s := synthesizer(t, newFake(), func(o *deepeval.SynthesizerOptions) {
			o.Embedder = e
			o.Contexts.Similarity = similarity
			o.Contexts.ChunkTokens = 20
		})
		r, err := s.FromDocuments(t.Context(), []*model.Document{doc}, nil)
		if err != nil {
			t.Fatal(err)
		}
		most := 0
		for _, c := range r.Contexts {
			most = max(most, len(c.Passages))
		}
		if most != want {
			t.Errorf("above a cosine of %v: contexts of up to %d passages, want %d", similarity, most, want)
		}
	}
}

// D21: each chunk is embedded once, and scoring stops early.
func TestEarlyStop(t *testing.T) {
	t.Parallel()
	e := &angles{}
	f := newFake()
	s := synthesizer(t, f, func(o *deepeval.SynthesizerOptions) {
		o.Embedder = e
		o.Contexts.ChunkTokens = 50
	})
	var b strings.Builder
	for i := range 10 {
		fmt.Fprintf(&b, "## Room %d\n\n", i)
		for k := range 5 {
			fmt.Fprintf(&b, "Room %d has %d beds and a view of the old harbour wall. ", i, k+2)
		}
		b.WriteString("\n\n")
	}
	doc := parse(t, "rooms.md", b.String())
	chunks := chunk.Split([]*model.Document{doc}, &chunk.Options{MaxTokens: 50})
	r, err := s.FromDocuments(t.Context(), []*model.Document{doc}, nil)
	if err != nil || len(r.Contexts) != 3 {
		t.Fatalf("%d contexts, %v", len(r.Contexts), err)
	}
	if len(chunks) < 10 || e.texts != len(chunks) || e.calls != 1 {
		t.Errorf("%d texts of %d chunks in %d requests, want each once in 1", e.texts, len(chunks), e.calls)
	}
	said := f.said(actor.DeepEvalQuality)
	if n := strings.Count(strings.Join(said, ""), "<chunk key="); n != 3 || len(said) != 1 {
		t.Errorf("%d chunks were scored in %d calls, want 3 in 1", n, len(said))
	}
}

// Contexts differ, and hold what stands near their first chunk.
func TestContextsDiffer(t *testing.T) {
	t.Parallel()
	s := synthesizer(t, newFake(), func(o *deepeval.SynthesizerOptions) { o.Contexts.ChunkTokens = 60 })
	for sections, want := range map[int]int{40: 10, 2: 1} {
		r, err := s.FromDocuments(t.Context(), []*model.Document{long(t, "a.md", sections)}, &deepeval.Ask{Goldens: 20})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Contexts) != want {
			t.Errorf("%d contexts of %d sections for 20 goldens, want %d", len(r.Contexts), sections, want)
		}
		contextsDiffer(t, r.Contexts)
	}
}

func contextsDiffer(t *testing.T, cs []deepeval.Context) {
	t.Helper()
	sets := map[string]bool{}
	for _, c := range cs {
		var ids []string
		for _, p := range c.Passages {
			ids = append(ids, p.ID)
		}
		slices.Sort(ids)
		if key := strings.Join(ids, " "); sets[key] {
			t.Errorf("two contexts of %s", key)
		} else {
			sets[key] = true
		}
		if len(slices.Compact(ids)) != len(c.Passages) || len(c.Passages) > 3 || c.Quality < 0.5 {
			t.Errorf("context %+v", c)
		}
	}
}

// Chunks of a document that has few give what they can.
func TestFewChunks(t *testing.T) {
	t.Parallel()
	s := synthesizer(t, newFake(), func(o *deepeval.SynthesizerOptions) { o.Contexts.MinPerDocument = 2 })
	r, err := s.FromDocuments(t.Context(), []*model.Document{parse(t, "one.md", "We open at nine."), long(t, "a.md", 200)}, nil)
	if err == nil || !strings.Contains(err.Error(), "one.md") || len(r.Goldens) != 6 {
		t.Errorf("%d goldens, %v; want 6 and an error of one.md", len(r.Goldens), err)
	}
}
