package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/openai/openai-go/v3"

	"github.com/casebook-go/casebook/generator/llm"
)

// batchBytes bounds the text of one embedding request: the API takes 300,000
// tokens, and no tokenizer makes more than one of a byte.
const batchBytes = 256 << 10

// Embedder returns an embedder that uses the model, or Options.EmbeddingModel if
// it is empty; without either, Embed fails with an *[OptionError]. Each distinct
// text is sent once, in requests of at most Options.EmbeddingBatch texts and 256
// KiB, one after the other. A blank text is sent as
// ".", because servers refuse an empty one. Failures are as those of
// [Client.Complete]. It is safe for concurrent use.
func (c *Client) Embedder(model string) llm.Embedder {
	return &embedder{c: c, model: cmp.Or(model, c.o.EmbeddingModel)}
}

type embedder struct {
	c     *Client
	model string
}

// Model names the model, for [llm.EmbedderModel].
func (e *embedder) Model() string { return e.model }

// Batch is the most texts of one request.
func (e *embedder) Batch() int { return e.c.o.EmbeddingBatch }

func (e *embedder) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vs, _, err := e.EmbedUsage(ctx, texts)
	return vs, err
}

// EmbedUsage is Embed with the tokens that the server counted, of all requests.
func (e *embedder) EmbedUsage(ctx context.Context, texts []string) ([][]float32, llm.Usage, error) {
	var used llm.Usage
	if e.model == "" {
		return nil, used, &OptionError{Option: "EmbeddingModel", Problem: "is missing: name the model to embed with, there is no default"}
	}
	index := make(map[string]int, len(texts))
	var distinct []string
	at := make([]int, len(texts))
	for i, t := range texts {
		if strings.TrimSpace(t) == "" {
			t = "."
		}
		n, ok := index[t]
		if !ok {
			n = len(distinct)
			index[t] = n
			distinct = append(distinct, t)
		}
		at[i] = n
	}
	vectors := make([][]float32, 0, len(distinct))
	for len(vectors) < len(distinct) {
		left := distinct[len(vectors):]
		n, size := 0, 0
		for n < len(left) && n < e.c.o.EmbeddingBatch && (n == 0 || size+len(left[n]) <= batchBytes) {
			size += len(left[n])
			n++
		}
		got, tokens, err := e.batch(ctx, left[:n])
		if err != nil {
			return nil, used, spent(err, used)
		}
		used.Input += tokens
		if len(vectors) > 0 && len(got[0]) != len(vectors[0]) {
			return nil, used, spent(malformed(fmt.Sprintf("embeddings of %d and of %d dimensions", len(vectors[0]), len(got[0]))), used)
		}
		vectors = append(vectors, got...)
	}
	out := make([][]float32, len(texts))
	for i, n := range at {
		out[i] = vectors[n]
	}
	return out, used, nil
}

// spent adds what the requests before a failure used to it, so that it is
// accounted for.
func spent(err error, used llm.Usage) error {
	var e *llm.Error
	if used.Input == 0 || !errors.As(err, &e) {
		return err
	}
	e.Usage.Input += used.Input
	return err
}

// batch embeds texts in one request.
func (e *embedder) batch(ctx context.Context, texts []string) (vectors [][]float32, tokens int64, err error) {
	if ctx.Err() != nil {
		return nil, 0, context.Cause(ctx)
	}
	got, err := e.c.embed.New(ctx, openai.EmbeddingNewParams{
		Model:          e.model,
		Input:          openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: texts},
		EncodingFormat: openai.EmbeddingNewParamsEncodingFormatFloat,
	})
	if err != nil {
		return nil, 0, e.c.failed(ctx, err)
	}
	if got == nil {
		return nil, 0, malformed("the reply is null")
	}
	if raw := got.JSON.ExtraFields["error"].Raw(); raw != "" && raw != "null" {
		return nil, 0, e.c.replyError([]byte(raw))
	}
	if len(got.Data) != len(texts) {
		return nil, 0, malformed(fmt.Sprintf("%d embeddings for %d texts", len(got.Data), len(texts)))
	}
	out := make([][]float32, len(texts))
	for i := range got.Data {
		d := &got.Data[i]
		if d.Index < 0 || d.Index >= int64(len(out)) || out[d.Index] != nil {
			return nil, 0, malformed(fmt.Sprintf("an embedding has the index %d again or out of range", d.Index))
		}
		if len(d.Embedding) == 0 || len(d.Embedding) != len(got.Data[0].Embedding) {
			return nil, 0, malformed(fmt.Sprintf("an embedding has %d dimensions", len(d.Embedding)))
		}
		v := make([]float32, len(d.Embedding))
		for j, x := range d.Embedding {
			if math.IsNaN(x) || math.Abs(x) > math.MaxFloat32 {
				return nil, 0, malformed("an embedding holds a value that is no number")
			}
			v[j] = float32(x)
		}
		out[d.Index] = v
	}
	return out, max(0, got.Usage.PromptTokens), nil
}
