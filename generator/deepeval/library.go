package deepeval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/vector"
	"github.com/casebook-go/casebook/model"
)

// library is documents in chunks, with a unit vector of each.
type library struct {
	docs    []*model.Document
	chunks  []chunk.Chunk
	vectors [][]float32
}

// newLibrary cuts and embeds documents: every chunk is embedded once.
func newLibrary(ctx context.Context, e llm.Embedder, docs []*model.Document, o *ContextConfig, log *slog.Logger) (*library, error) {
	lib := &library{docs: docs, chunks: chunk.Split(docs, &chunk.Options{MaxTokens: o.ChunkTokens, OverlapTokens: o.OverlapTokens})}
	if len(lib.chunks) == 0 {
		return lib, nil
	}
	texts := make([]string, len(lib.chunks))
	for i, c := range lib.chunks {
		texts[i] = c.Text
	}
	if e == nil {
		e = llm.NewLexical(texts)
	}
	vs, err := vector.Embed(ctx, e, texts)
	var fallback *vector.FallbackError
	if err != nil && !errors.As(err, &fallback) {
		return nil, fmt.Errorf("deepeval: embed the chunks: %w", err)
	}
	if fallback != nil {
		log.Warn("the embedder failed; passages are compared by their words", "texts", fallback.Texts, "error", fallback.Err)
	}
	lib.vectors = vs
	return lib, nil
}

// shared is the library of a call's documents, made once in its run.
func shared(ctx context.Context, call *generator.Call, docs []*model.Document, o *ContextConfig) (*library, error) {
	key := fmt.Sprintf("deepeval library %d %d", o.ChunkTokens, o.OverlapTokens)
	for _, d := range docs {
		key += fmt.Sprintf(" %q", d.Name)
	}
	return generator.Once(ctx, call.Memo, key, func(ctx context.Context) (*library, error) {
		return newLibrary(ctx, call.Embedder, docs, o, call.Log)
	})
}

// of returns the numbers of the chunks of a document.
func (lib *library) of(doc *model.Document) []int {
	var out []int
	for i := range lib.chunks {
		if lib.chunks[i].Doc == doc {
			out = append(out, i)
		}
	}
	return out
}

// group returns seed and the chunks among those given that join it, nearest
// first: at most most in all, and only those above the cut.
func (lib *library) group(seed int, among []int, most int, cut float64) []int {
	type near struct {
		i      int
		cosine float64
	}
	var ns []near
	var sum float64
	for _, i := range among {
		if i == seed {
			continue
		}
		c := llm.Cosine(lib.vectors[seed], lib.vectors[i])
		sum += c
		ns = append(ns, near{i, c})
	}
	joins := func(cosine float64) bool { return cosine > cut }
	if cut == 0 { // at least as near as the others are on average
		mean := sum / float64(max(1, len(ns)))
		joins = func(cosine float64) bool { return cosine > 0 && cosine >= mean }
	}
	slices.SortStableFunc(ns, func(a, b near) int { return -cmp.Compare(a.cosine, b.cosine) })
	out := []int{seed}
	for _, n := range ns {
		if len(out) == most || !joins(n.cosine) {
			break
		}
		out = append(out, n.i)
	}
	return out
}

// context makes a context of chunks.
func (lib *library) context(chunks []int) Context {
	var c Context
	for _, i := range chunks {
		c.Passages = append(c.Passages, passage(&lib.chunks[i]))
	}
	return c
}

// evidence returns the chunks that lines of a document lie in.
func (lib *library) evidence(ev []model.Evidence) []int {
	var out []int
	for _, e := range ev {
		for i := range lib.chunks {
			c := &lib.chunks[i]
			if c.Doc.Name == e.InputFile && c.Span.StartLine <= e.LineEnd && e.LineStart <= c.Span.EndLine && !slices.Contains(out, i) {
				out = append(out, i)
			}
		}
	}
	return out
}

// nearest returns the chunks given, the nearest to one first.
func (lib *library) nearest(to int, ids []int) []int {
	out := slices.Clone(ids)
	slices.SortStableFunc(out, func(a, b int) int {
		return -cmp.Compare(llm.Cosine(lib.vectors[to], lib.vectors[a]), llm.Cosine(lib.vectors[to], lib.vectors[b]))
	})
	return out
}

// about returns the chunks that share most words with a text, best first.
func (lib *library) about(ctx context.Context, text string) []int {
	texts := make([]string, 0, len(lib.chunks)+1)
	for _, c := range lib.chunks {
		texts = append(texts, c.Text)
	}
	words := llm.NewLexical(texts)
	vs, err := words.Embed(ctx, append(texts, text))
	if err != nil {
		return nil // which it never does
	}
	last := len(vs) - 1
	cosine := make([]float64, last)
	out := make([]int, last)
	for i := range out {
		out[i], cosine[i] = i, llm.Cosine(vs[i], vs[last])
	}
	slices.SortStableFunc(out, func(a, b int) int { return -cmp.Compare(cosine[a], cosine[b]) })
	return out
}
