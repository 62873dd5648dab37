package ragas

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/internal/vector"
)

// people are the personas and what could bring each of them to write.
type people struct {
	personas []Persona
	topicOf  map[string]int // of a node's id; absent is anybody's
	comes    [][]bool       // of each persona, by topic; nil is anything
}

func (p *people) suits(persona int, n *Node) bool {
	topic, ok := p.topicOf[n.ID]
	return !ok || p.comes[persona] == nil || p.comes[persona][topic]
}

// topics are the matters of a graph: groups of chunks that are near to each
// other, of which the one with the longest summary speaks for all.
const maxTopics = 16

func topics(g *Graph) (texts []string, of map[string]int) {
	var nodes []*Node
	var vs [][]float32
	for _, n := range leaves(g) {
		nodes = append(nodes, n)
		if n.Embedding != nil {
			vs = append(vs, n.Embedding)
		}
	}
	labels := make([]int, len(nodes))
	switch {
	case len(nodes) <= maxTopics:
		for i := range labels {
			labels[i] = i
		}
	default:
		if len(vs) == len(nodes) {
			labels = vector.Cluster(vs, &vector.ClusterOptions{Max: maxTopics})
		}
		if slices.Max(labels) < 1 { // no groups to tell apart
			for i := range labels {
				labels[i] = vector.Noise
			}
		}
		lone(labels)
	}
	of = map[string]int{}
	number := map[int]int{}
	for i, n := range nodes {
		if labels[i] < 0 {
			continue
		}
		text := cmp.Or(n.Summary, n.Text)
		t, ok := number[labels[i]]
		if !ok {
			t = len(texts)
			number[labels[i]] = t
			texts = append(texts, text)
		}
		of[n.ID] = t
		if len(text) > len(texts[t]) {
			texts[t] = text
		}
	}
	return texts, of
}

// lone makes topics of single chunks that are in no group, evenly spread, as
// many as there is room for.
func lone(labels []int) {
	next := slices.Max(labels) + 1
	var out []int
	for i, l := range labels {
		if l < 0 {
			out = append(out, i)
		}
	}
	room := min(maxTopics-next, len(out))
	for k := range room {
		labels[out[k*len(out)/room]] = next + k
	}
}

// meet returns the personas of the options, with what could bring them, or makes
// as many as they ask for. What cannot be made is told and ends nothing: a
// question can come from nobody in particular.
func meet(ctx context.Context, call *generator.Call, g *Graph, o *Options, seed uint64) (*people, []Failure) {
	texts, of := topics(g)
	p := &people{topicOf: of}
	if o.Personas != nil {
		return p, p.match(ctx, call, texts, o, seed)
	}
	return p, p.make(ctx, call, texts, o, seed)
}

type personaItem struct {
	Name   string   `json:"name" jsonschema_description:"Two to five words that say who it is."`
	Role   string   `json:"role_description" jsonschema_description:"One or two sentences: who they are, what brings them, how they talk."`
	Topics []string `json:"topics" jsonschema_description:"Keys of the matters that could bring this person to write, for example t1."`
}

type personaItems struct {
	Personas []personaItem `json:"personas"`
}

// make asks for personas until there are enough, each time for those that are
// missing.
func (p *people) make(ctx context.Context, call *generator.Call, texts []string, o *Options, seed uint64) []Failure {
	var last error
	for attempt := 0; attempt < o.Attempts && len(p.personas) < o.NumPersonas && ctx.Err() == nil; attempt++ {
		missing := o.NumPersonas - len(p.personas)
		r := stage.Run(ctx, call, []int{missing}, stage.Options{Name: "ragas_personas", Batch: 1, Attempts: 1, Seed: stage.Hash(seed, attempt)},
			func(ctx context.Context, _ []int, _ int, seed int64) ([]*personaItems, error) {
				rep, err := stage.Ask[personaItems](ctx, call.Model, "ragas_personas", cmp.Or(o.Prompts.Personas, personaPrompt), p.brief(call, texts, o, missing), seed, vary)
				return []*personaItems{&rep}, err
			})[0]
		if r.Err != nil {
			last = r.Err
			continue
		}
		last = fmt.Errorf("the model made %d of %d", len(p.personas), o.NumPersonas)
		for _, item := range r.Value.Personas {
			item.Name = strings.Join(strings.Fields(item.Name), " ")
			if _, known := sameName(item.Name, p.personas); known || item.Name == "" || len(p.personas) == o.NumPersonas {
				continue
			}
			p.personas = append(p.personas, Persona{item.Name, strings.Join(strings.Fields(item.Role), " ")})
			p.comes = append(p.comes, chosen(item.Topics, len(texts)))
		}
	}
	if len(p.personas) < o.NumPersonas {
		return []Failure{{Stage: "personas", Item: fmt.Sprintf("%d of %d", o.NumPersonas-len(p.personas), o.NumPersonas), Err: cmp.Or(context.Cause(ctx), last)}}
	}
	return nil
}

func (p *people) brief(call *generator.Call, texts []string, o *Options, missing int) string {
	var b strings.Builder
	opening(&b, call, o.Context)
	writeTopics(&b, texts)
	if len(p.personas) > 0 {
		b.WriteString("\nThese personas exist already:\n<existing>\n")
		for _, q := range p.personas {
			fmt.Fprintf(&b, "- %s: %s\n", prompt.Fence(q.Name), prompt.Fence(q.Role))
		}
		b.WriteString("</existing>\n")
	}
	fmt.Fprintf(&b, "\nMake %d personas.", missing)
	return b.String()
}

func writeTopics(b *strings.Builder, texts []string) {
	b.WriteString("\n<matters>\n")
	for i, t := range texts {
		fmt.Fprintf(b, "t%d: %s\n", i+1, prompt.Fence(prompt.Clip(strings.Join(strings.Fields(t), " "), 400)))
	}
	b.WriteString("</matters>\n")
}

// chosen reads keys of topics. None at all is taken for any.
func chosen(keys []string, n int) []bool {
	out := make([]bool, n)
	some := false
	for _, k := range keys {
		var t int
		if _, err := fmt.Sscanf(strings.TrimSpace(strings.ToLower(k)), "t%d", &t); err == nil && t >= 1 && t <= n {
			out[t-1] = true
			some = true
		}
	}
	if !some {
		return nil
	}
	return out
}

// personasPer is how many given personas are asked about in one call.
const personasPer = 20

type matchItem struct {
	Name   string   `json:"name" jsonschema_description:"The persona's name, exactly as given."`
	Topics []string `json:"topics" jsonschema_description:"Keys of the matters in which this person can have a need of their own."`
}

type matchItems struct {
	Personas []matchItem `json:"personas" jsonschema_description:"One for each persona, in their order."`
}

// match asks what brings the given personas. One whose name does not come back,
// in whatever spelling, is asked about again, and in the end comes with anything.
func (p *people) match(ctx context.Context, call *generator.Call, texts []string, o *Options, seed uint64) []Failure {
	p.personas = o.Personas
	p.comes = make([][]bool, len(o.Personas))
	if len(texts) < 2 {
		return nil
	}
	results := stage.Run(ctx, call, o.Personas, stage.Options{Name: "ragas_match", Batch: personasPer, Concurrency: o.Concurrency, Attempts: o.Attempts, Seed: seed},
		func(ctx context.Context, batch []Persona, _ int, seed int64) ([]*[]bool, error) {
			var b strings.Builder
			opening(&b, call, o.Context)
			writeTopics(&b, texts)
			b.WriteString("\n<personas>\n")
			for _, q := range batch {
				fmt.Fprintf(&b, "- name: %s\n  %s\n", prompt.Fence(q.Name), prompt.Fence(q.Role))
			}
			b.WriteString("</personas>\n\nSay what brings each persona.")
			rep, err := stage.Ask[matchItems](ctx, call.Model, "ragas_match", cmp.Or(o.Prompts.Match, matchPrompt), b.String(), seed, exact)
			out := make([]*[]bool, len(batch))
			for _, item := range rep.Personas {
				if i, ok := sameName(item.Name, batch); ok && out[i] == nil {
					topics := chosen(item.Topics, len(texts))
					out[i] = &topics
				}
			}
			return out, err
		})
	var failures []Failure
	for i, r := range results {
		if r.Err != nil {
			failures = append(failures, Failure{Stage: "personas", Item: o.Personas[i].Name, Err: r.Err})
			continue
		}
		p.comes[i] = r.Value
	}
	return failures
}
