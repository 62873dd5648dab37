package python

import (
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/chunk"
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

// of returns the passages that a row is about, at most most: those that its
// first policy stands in, one of its use case, then one of each other policy.
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

// at returns the passages that hold lines of an evidence.
func (p *passages) at(ev model.Evidence) []int {
	var out []int
	for i := range p.all {
		s := &p.all[i].Span
		if s.Doc == ev.InputFile && s.StartLine <= ev.LineEnd && ev.LineStart <= s.EndLine {
			out = append(out, i)
		}
	}
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
	best, most := -1, 0
	for _, i := range p.at(ev) {
		s := &p.all[i].Span
		if n := min(s.EndLine, ev.LineEnd) - max(s.StartLine, ev.LineStart) + 1; n > most {
			best, most = i, n
		}
	}
	return best
}
