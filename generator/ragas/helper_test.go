package ragas_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

func parse(t testing.TB, name, text string) *model.Document {
	t.Helper()
	d, err := model.ParseMarkdown(name, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// examples are documents of the repository in two languages.
func example(t testing.TB, name string) *model.Document {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "examples", "documents", name))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, name, string(b))
}

// fixture is a file that Ragas itself wrote.
func fixture(t testing.TB, name string) string {
	t.Helper()
	shared := os.Getenv("CASEBOOK_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	b, err := os.ReadFile(filepath.Join(shared, "fixtures", "ragas", name))
	if err != nil {
		t.Skipf("without Ragas' own files (CASEBOOK_SHARED): %v", err)
	}
	return string(b)
}

// shop is a document of several sections, each with rules of its own.
func shop(t testing.TB, name string, sections int) *model.Document {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "# Shop %s\n", name)
	for i := range sections {
		w := func(k int) string { return word(fmt.Sprintf("%s-%d-%d", name, i, k)) }
		fmt.Fprintf(&b, "\n## %s\n\nThe %s of a %s is taken back within %d days. Nobody promises a %s without the %s Certificate from Office %s.\n\n"+
			"Who brings a %s in a %s gets %d coupons, but only with the %s Card, and never before the %s is closed by the staff of the house.\n",
			w(0), w(1), w(2), i+3, w(3), w(4), w(5), w(6), w(7), i+10, w(4), w(8))
	}
	return parse(t, name+".md", b.String())
}

// word is a made-up one that follows from its seed.
func word(seed string) string {
	syllables := []string{"ka", "lo", "mi", "ter", "vu", "sen", "dar", "pil", "mon", "gre", "zu", "fen"}
	h := uint32(2166136261)
	for _, c := range []byte(seed) {
		h = (h ^ uint32(c)) * 16777619
	}
	out := ""
	for range 3 {
		out += syllables[h%uint32(len(syllables))]
		h = h*1664525 + 1013904223
		h ^= h >> 13
	}
	return strings.ToUpper(out[:1]) + out[1:]
}

// player is a model that plays the method; it depends on the request alone.
func player() llm.Client { return &actor.Actor{} }

type clientFunc func(ctx context.Context, req *llm.Request) (*llm.Response, error)

func (f clientFunc) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	return f(ctx, req)
}

func samples(t testing.TB, set *ragas.Testset) []*ragas.Sample {
	t.Helper()
	var out []*ragas.Sample
	for _, r := range set.Records {
		s, err := ragas.Parse(r.JSON)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}
