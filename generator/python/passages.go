package python

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/vector"
	"github.com/casebook-go/casebook/model"
)

// passages cuts the documents of a call and knows which of them a row is about.
type passages struct {
	all  []chunk.Chunk
	byID map[string]int
}

func cut(docs []*model.Document, tokens int) *passages {
	p := &passages{all: chunk.Split(docs, &chunk.Options{MaxTokens: tokens}), byID: map[string]int{}}
	for i := range p.all {
		p.byID[p.all[i].ID] = i
	}
	return p
}

// id returns the passage with an id.
func (p *passages) id(id string) (chunk.Chunk, bool) {
	i, ok := p.byID[id]
	if !ok {
		return chunk.Chunk{}, false
	}
	return p.all[i], true
}

// text returns the passage whose text is a context of a record: the framework
// may have trimmed it, or joined its lines.
func (p *passages) text(context string) (chunk.Chunk, bool) {
	want := strings.Fields(context)
	for i := range p.all {
		if slices.Equal(strings.Fields(p.all[i].Text), want) {
			return p.all[i], true
		}
	}
	return chunk.Chunk{}, false
}

// of returns the passages that a row is about, at most most: those that hold the
// most of its first policy, one of its use case, then one of each other policy.
func (p *passages) of(call *generator.Call, row *model.Row, most int) []chunk.Chunk {
	var ids []int
	add := func(evidence []model.Evidence, n int) {
		for _, ev := range evidence {
			for _, i := range p.at(ev) {
				if n > 0 && len(ids) < most && !slices.Contains(ids, i) {
					ids = append(ids, i)
					n--
				}
			}
		}
	}
	for k, id := range row.PolicyIDs {
		for i := range call.Policies {
			if call.Policies[i].ID != id {
				continue
			}
			if k == 0 {
				add(call.Policies[i].Evidence, 2)
			} else {
				add(call.Policies[i].Evidence, 1)
			}
		}
		if k == 0 {
			add(call.UseCase.Evidence, 1)
		}
	}
	add(call.UseCase.Evidence, max(0, 1-len(ids)))
	out := make([]chunk.Chunk, len(ids))
	for k, i := range ids {
		out[k] = p.all[i]
	}
	return out
}

// nearest returns, for each text, the passage whose words are nearest to its: for
// rows of which nothing stands in the documents that the call may use.
func (p *passages) nearest(ctx context.Context, texts []string) ([]chunk.Chunk, error) {
	if len(texts) == 0 || len(p.all) == 0 {
		return nil, nil
	}
	all := make([]string, len(p.all))
	for i := range p.all {
		all[i] = p.all[i].Text
	}
	vs, err := llm.NewLexical(all).Embed(ctx, slices.Concat(all, texts))
	if err != nil {
		return nil, err
	}
	out := make([]chunk.Chunk, len(texts))
	for i := range texts {
		out[i] = p.all[0]
		for _, n := range vector.Search(vs[:len(all)], vs[len(all)+i], 1) {
			out[i] = p.all[n.Index]
		}
	}
	return out, nil
}

// at returns the passages that hold lines of an evidence, those with the most
// lines first.
func (p *passages) at(ev model.Evidence) []int {
	var out []int
	held := map[int]int{}
	for i := range p.all {
		s := &p.all[i].Span
		if n := min(s.EndLine, ev.LineEnd) - max(s.StartLine, ev.LineStart) + 1; s.Doc == ev.InputFile && n > 0 {
			out = append(out, i)
			held[i] = n
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(held[b], held[a]) })
	return out
}

// named returns the passage with an id, if its text is that of a context, else
// the one whose text it is: passages may be alike.
func (p *passages) named(id, context string) (chunk.Chunk, bool) {
	if c, ok := p.id(id); ok && slices.Equal(strings.Fields(c.Text), strings.Fields(context)) {
		return c, true
	}
	return p.text(context)
}

// best returns the index of the passage that holds the most lines of an evidence,
// the first of equals; -1 is none.
func (p *passages) best(ev model.Evidence) int {
	if at := p.at(ev); len(at) > 0 {
		return at[0]
	}
	return -1
}
