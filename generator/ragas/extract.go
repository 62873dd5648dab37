package ragas

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// extraction is what the model says of one passage.
type extraction struct {
	Key      string   `json:"key" jsonschema_description:"The passage's key, for example c1."`
	Summary  string   `json:"summary" jsonschema_description:"One or two sentences with all that a reply could need."`
	Themes   []string `json:"themes" jsonschema_description:"Up to five matters, two to four words each."`
	Entities []string `json:"entities" jsonschema_description:"Up to ten concrete things that the passage names, as it writes them."`
	Score    int      `json:"score" jsonschema:"minimum=1,maximum=5" jsonschema_description:"How much the message of a customer can turn on the passage, 1 to 5."`
}

type extractions struct {
	Passages []extraction `json:"passages" jsonschema_description:"One for each passage, in their order."`
}

// The most that a node holds, and the most that one passage is.
const (
	maxThemes      = 10
	maxEntities    = 10
	passageTokens  = 1500
	extractionsPer = 8 // passages of one call, by default
)

// passage is a part of a node that is read at once: most nodes are one.
type passage struct {
	node *Node
	text string
}

// Extract fills in what a chunk is about: summary, themes, entities and score,
// all in one call for several chunks. Chunks that have them are left alone. A
// text that is too long for one call is read whole, in parts. A document's
// summary is that of its chunks.
func Extract(o *Options) Transform {
	return Transform{"extract", func(ctx context.Context, call *generator.Call, g *Graph) error {
		var todo []passage
		for _, n := range leaves(g) {
			if n.unread() {
				for _, text := range parts(n) {
					todo = append(todo, passage{n, text})
				}
			}
		}
		results := stage.Run(ctx, call, todo, stage.Options{
			Name: "ragas_extract", Batch: cmp.Or(o.Batch, extractionsPer), Concurrency: cmp.Or(o.Concurrency, 16), Attempts: o.Attempts, Seed: o.Seed,
		}, func(ctx context.Context, batch []passage, _ int, seed int64) ([]*extraction, error) {
			return extract(ctx, call, o, batch, seed)
		})
		byNode := map[*Node][]extraction{}
		var failures []Failure
		var cause error
		for i, r := range results {
			if r.Err != nil {
				failures = append(failures, Failure{Stage: "extract", Item: label(todo[i].node), Err: r.Err})
				if cause == nil || stage.Fatal(r.Err) && !stage.Fatal(cause) {
					cause = r.Err
				}
				continue
			}
			byNode[todo[i].node] = append(byNode[todo[i].node], r.Value)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if len(todo) > 0 && len(failures) == len(todo) || stage.Fatal(cause) {
			return fmt.Errorf("ragas: the documents could not be read: %w", cause)
		}
		for _, n := range leaves(g) {
			if list := byNode[n]; list != nil {
				n.learn(list)
			}
		}
		summarise(g)
		if failures != nil {
			return &PartialError{failures}
		}
		return nil
	}}
}

// unread reports whether something of n is not known yet.
func (n *Node) unread() bool { return n.Summary == "" || n.Themes == nil || n.Entities == nil }

func label(n *Node) string {
	if id, _ := n.Metadata["chunk_id"].(string); id != "" {
		return id
	}
	return cmp.Or(n.Source(), n.ID)
}

// parts cuts a text that is too long for one call.
func parts(n *Node) []string {
	if chunk.Tokens(n.Text) <= passageTokens {
		return []string{n.Text}
	}
	doc, err := model.ParseMarkdown(label(n), []byte(n.Text), nil)
	if err != nil {
		return []string{n.Text}
	}
	var out []string
	for _, c := range chunk.Split([]*model.Document{doc}, &chunk.Options{MaxTokens: passageTokens}) {
		out = append(out, c.Text)
	}
	return out
}

func extract(ctx context.Context, call *generator.Call, o *Options, batch []passage, seed int64) ([]*extraction, error) {
	var b strings.Builder
	opening(&b, call, "")
	for i, p := range batch {
		fmt.Fprintf(&b, "\n<passage key=\"c%d\" title=%q>\n%s\n</passage>\n", i+1, prompt.Fence(p.node.Title), prompt.Fence(p.text))
	}
	b.WriteString("\nSay what each passage holds.")
	rep, err := stage.Ask[extractions](ctx, call.Model, "ragas_extract", cmp.Or(o.Prompts.Extract, extractPrompt), b.String(), seed, exact)
	if err != nil {
		return nil, err
	}
	out := make([]*extraction, len(batch))
	for i := range batch {
		key := fmt.Sprintf("c%d", i+1)
		at := slices.IndexFunc(rep.Passages, func(e extraction) bool { return strings.TrimSpace(e.Key) == key })
		if at >= 0 && strings.TrimSpace(rep.Passages[at].Summary) != "" {
			out[i] = &rep.Passages[at]
		}
	}
	return out, nil
}

// learn takes over what was said of the parts of n.
func (n *Node) learn(list []extraction) {
	words := stems(n.Text)
	var summaries []string
	themes, entities, best := []string{}, []string{}, 0
	for _, e := range list {
		summaries = append(summaries, strings.Join(strings.Fields(e.Summary), " "))
		for _, t := range e.Themes {
			if len(themes) < maxThemes {
				themes = appendTerm(themes, strings.TrimSpace(t))
			}
		}
		for _, x := range e.Entities {
			// What the text does not name would link it with a text that does.
			if len(entities) < maxEntities && namesIt(x, words) {
				entities = appendTerm(entities, strings.TrimSpace(x))
			}
		}
		best = max(best, e.Score)
	}
	n.Summary = cmp.Or(n.Summary, strings.Join(summaries, " "))
	if n.Themes == nil {
		n.Themes = themes
	}
	if n.Entities == nil {
		n.Entities = entities
	}
	if n.Score == 0 {
		n.Score = best
	}
}

// stems returns the beginnings of the words of a text; a language inflects at
// their ends.
func stems(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(coverage.Fold(text)) {
		out[stem(w)] = true
	}
	return out
}

func stem(word string) string { return prefix(word, 4) }

// namesIt reports whether the words stand in a text, in any form.
func namesIt(name string, words map[string]bool) bool {
	fields := strings.Fields(coverage.Fold(name))
	for _, w := range fields {
		if !words[stem(w)] && !dense(w) {
			return false
		}
	}
	return len(fields) > 0
}

// dense reports whether a word is of a script that puts no space between words:
// there it is no word of its own.
func dense(w string) bool {
	for _, r := range w {
		if isDense(r) {
			return true
		}
	}
	return false
}

// summarise gives every document the summaries of its chunks: all of it, not its
// first pages.
func summarise(g *Graph) {
	children := g.Children()
	for _, n := range g.Nodes {
		if n.Type != DocumentNode || n.Summary != "" {
			continue
		}
		var all []string
		for _, c := range children[n.ID] {
			if c.Summary != "" {
				all = append(all, c.Summary)
			}
		}
		n.Summary = strings.Join(all, "\n")
	}
}

// complete runs the transforms. What single nodes lack is told and ends nothing.
func complete(ctx context.Context, call *generator.Call, g *Graph, transforms []Transform) ([]Failure, error) {
	var failures []Failure
	for _, t := range transforms {
		err := t.Apply(ctx, call, g)
		var partial *PartialError
		switch {
		case errors.As(err, &partial):
			failures = append(failures, partial.Failures...)
		case err != nil:
			return failures, fmt.Errorf("transform %s: %w", t.Name, err)
		}
	}
	return failures, nil
}
