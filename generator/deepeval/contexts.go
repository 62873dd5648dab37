package deepeval

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// contexts makes contexts of documents, in the order of the documents: up to
// want of each. What a document fails with stands at its place in the errors.
func (e *engine) contexts(ctx context.Context, lib *library, want []int) ([]Context, []error) {
	made := make([][]Context, len(lib.docs))
	errs := make([]error, len(lib.docs))
	var group errgroup.Group
	group.SetLimit(e.opts.Concurrency)
	for i := range lib.docs {
		group.Go(func() error {
			made[i], errs[i] = e.contextsOf(ctx, lib, lib.docs[i], want[i])
			return nil
		})
	}
	_ = group.Wait() // always nil: a failure belongs to its document
	return e.merge(lib, slices.Concat(made...)), errs
}

// candidate is a chunk that may start a context, with the ones that join it.
type candidate struct {
	seed    int
	members []int // seed first
	score   float64
	problem error
}

// contextsOf makes up to want contexts of one document. Chunks are scored in a
// drawn order until enough are good.
func (e *engine) contextsOf(ctx context.Context, lib *library, doc *model.Document, want int) ([]Context, error) {
	o := &e.opts.Contexts
	own := lib.of(doc)
	if len(own) < o.MinPerDocument || len(own) == 0 {
		return nil, &NoContextError{Documents: []string{doc.Name}, Chunks: len(own), Least: o.MinPerDocument, Threshold: o.Threshold}
	}
	if want == 0 { // there are more documents than contexts are wanted
		return nil, nil
	}
	order := slices.Clone(own)
	r := stage.Rand(e.seed, "contexts", doc.Name)
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	var tried, good []candidate
	limit := min(len(order), want*o.Tries)
	for len(good) < want && len(tried) < limit {
		wave := e.wave(lib, own, order, tried, good, min(want-len(good), limit-len(tried)))
		if len(wave) == 0 {
			break
		}
		if o.Threshold >= 0 {
			if err := e.score(ctx, lib, doc, wave, len(tried)); err != nil {
				return nil, err
			}
		}
		for _, c := range wave {
			tried = append(tried, c)
			if c.problem == nil && (c.score > o.Threshold || o.Threshold < 0) {
				good = append(good, c)
			}
		}
	}
	poor := false
	if len(good) == 0 {
		scored := slices.DeleteFunc(slices.Clone(tried), func(c candidate) bool { return c.problem != nil })
		slices.SortStableFunc(scored, func(a, b candidate) int { return -cmp.Compare(a.score, b.score) })
		if !o.KeepPoor || len(scored) == 0 {
			bad := &NoContextError{Documents: []string{doc.Name}, Chunks: len(own), Least: o.MinPerDocument, Scored: len(scored), Threshold: o.Threshold}
			if len(scored) > 0 {
				bad.Best = scored[0].score
				return nil, bad
			}
			return nil, fmt.Errorf("%w: %w", bad, tried[0].problem)
		}
		good, poor = scored[:min(want, len(scored))], true
	}
	out := make([]Context, len(good))
	for i, c := range good {
		out[i] = lib.context(c.members)
		out[i].Quality, out[i].Poor = c.score, poor
	}
	return out, nil
}

// wave returns the next n candidates: chunks that no context holds yet come
// before those that would start one more about the same.
func (e *engine) wave(lib *library, own, order []int, tried, good []candidate, n int) []candidate {
	seen := map[int]bool{}    // was tried
	covered := map[int]bool{} // stands in a context
	sets := map[string]bool{}
	take := func(c candidate) {
		sets[fmt.Sprint(slices.Sorted(slices.Values(c.members)))] = true
		for _, i := range c.members {
			covered[i] = true
		}
	}
	for _, c := range tried {
		seen[c.seed] = true
	}
	for _, c := range good {
		take(c)
	}
	var out []candidate
	for _, again := range []bool{false, true} {
		for _, i := range order {
			if len(out) == n {
				return out
			}
			if seen[i] || covered[i] && !again {
				continue
			}
			c := candidate{seed: i, members: lib.group(i, own, e.opts.Contexts.Passages, e.opts.Contexts.Similarity)}
			if sets[fmt.Sprint(slices.Sorted(slices.Values(c.members)))] {
				continue
			}
			seen[i] = true
			take(c)
			out = append(out, c)
		}
	}
	return out
}

type qualityReply struct {
	Chunks []qualityItem `json:"chunks" jsonschema_description:"One entry for each chunk, in the order given."`
}

type qualityItem struct {
	Key       string  `json:"key" jsonschema_description:"The chunk's key, for example c1."`
	Clarity   float64 `json:"clarity" jsonschema:"minimum=0,maximum=1"`
	Depth     float64 `json:"depth" jsonschema:"minimum=0,maximum=1"`
	Structure float64 `json:"structure" jsonschema:"minimum=0,maximum=1"`
	Relevance float64 `json:"relevance" jsonschema:"minimum=0,maximum=1"`
}

// score fills in the scores of candidates, several in one call. The error is one
// that ends the work; a candidate of its own keeps its problem.
func (e *engine) score(ctx context.Context, lib *library, doc *model.Document, wave []candidate, from int) error {
	idx := make([]int, len(wave))
	for i := range idx {
		idx[i] = i
	}
	o := e.stage("quality", doc.Name, from)
	results := stage.Run(ctx, e.critics, idx, o, func(ctx context.Context, batch []int, _ int, seed int64) ([]*float64, error) {
		var b strings.Builder
		b.WriteString("<chunks>\n")
		for k, i := range batch {
			c := &lib.chunks[wave[i].seed]
			fmt.Fprintf(&b, "<chunk key=\"c%d\" under=%q>\n%s\n</chunk>\n", k+1, prompt.Fence(c.Title), prompt.Fence(c.Text))
		}
		b.WriteString("</chunks>\n\nScore all chunks.")
		rep, err := stage.Ask[qualityReply](ctx, e.critics.Model, "deepeval_quality", or(e.opts.Prompts.Quality, qualityPrompt), b.String(), seed, 0)
		if err != nil {
			return nil, err
		}
		out := make([]*float64, len(batch))
		for _, it := range rep.Chunks {
			if k := keyIndex(it.Key, "c", len(batch)); k >= 0 && out[k] == nil {
				mean := (it.Clarity + it.Depth + it.Structure + it.Relevance) / 4
				out[k] = &mean
			}
		}
		return out, nil
	})
	var fatal error
	for i, r := range results {
		wave[i].score, wave[i].problem = r.Value, r.Err
		if r.Err != nil && stage.Fatal(r.Err) {
			fatal = r.Err
		}
	}
	if fatal == nil && ctx.Err() != nil {
		fatal = context.Cause(ctx)
	}
	return fatal
}

// merge joins every context with the nearest ones of other documents.
func (e *engine) merge(lib *library, cs []Context) []Context {
	o := &e.opts.Contexts
	if o.MaxFiles < 2 || len(cs) < 2 {
		return cs
	}
	at := map[string]int{}
	for i := range lib.chunks {
		at[lib.chunks[i].ID] = i
	}
	centre := func(c *Context) []float32 {
		var sum []float32
		for _, p := range c.Passages {
			v := lib.vectors[at[p.ID]]
			if sum == nil {
				sum = make([]float32, len(v))
			}
			for k := range v {
				sum[k] += v[k]
			}
		}
		return sum
	}
	centres := make([][]float32, len(cs))
	for i := range cs {
		centres[i] = centre(&cs[i])
	}
	out := make([]Context, len(cs))
	for i, c := range cs {
		files := o.TargetFiles
		if files == 0 {
			files = 2 + stage.Rand(e.seed, "merge", i).IntN(o.MaxFiles-1)
		}
		others := make([]int, 0, len(cs)-1)
		for j := range cs {
			if j != i {
				others = append(others, j)
			}
		}
		near := make([]float64, len(cs))
		for _, j := range others {
			near[j] = llm.Cosine(centres[i], centres[j])
		}
		slices.SortStableFunc(others, func(a, b int) int { return -cmp.Compare(near[a], near[b]) })
		joined := c
		joined.Passages = slices.Clone(c.Passages)
		for _, j := range others {
			if len(joined.Files()) >= files {
				break
			}
			if !slices.Contains(joined.Files(), cs[j].Passages[0].File) {
				joined.Passages = append(joined.Passages, cs[j].Passages...)
			}
		}
		out[i] = joined
	}
	return out
}

// share deals n contexts out to documents, as evenly as their chunks allow; most
// bounds what one gets, 0 does not.
func share(n int, chunks []int, most int) []int {
	out := make([]int, len(chunks))
	for left := n; left > 0; {
		dealt := false
		for i := range chunks {
			if left > 0 && out[i] < chunks[i] && (most == 0 || out[i] < most) {
				out[i]++
				left--
				dealt = true
			}
		}
		if !dealt {
			break
		}
	}
	return out
}
