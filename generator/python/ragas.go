package python

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// What a graph holds at most.
const (
	// ragasPassages bounds the passages: Ragas asks three times about each, and
	// compares each with each, which takes seconds for so many.
	ragasPassages = 160
	ragasTerms    = 10  // themes of a passage, and entities
	ragasTerm     = 120 // characters
	ragasPersonas = 3
)

// ragasMethod gives each slot to one of Ragas' synthesizers, with the passages of
// its row and what Ragas' transforms found in them.
type ragasMethod struct{}

func newRagas() *ragasMethod { return &ragasMethod{} }

func (*ragasMethod) generator() (generator.Generator, error) { return ragas.New(nil) }

func (*ragasMethod) op() string { return "samples" }

// ragasGraph is what Ragas found in passages. It is not changed once it is made.
type ragasGraph struct {
	nodes    map[string]ragas.Node // by the passage's id
	links    map[string][]ragasLink
	personas []ragas.Persona
}

// ragasLink leads from one passage to another.
type ragasLink struct {
	to    string // the passage's id
	kind  string // [ragas.EntitiesOverlap], [ragas.SummarySimilarity]
	score float64
	items [][2]string // of entities, those that both have
}

// ragasOrder is what the sample of a slot is to be.
type ragasOrder struct {
	nodes   []chunk.Chunk // one, or two that link connects
	link    ragasLink
	persona int
	style   ragas.Style
	length  ragas.Length
}

// ragasPlan is what the slots of a call are made of.
type ragasPlan struct {
	*ragasGraph
	orders map[int]*ragasOrder // by the slot's index
}

func (*ragasMethod) prepare(ctx context.Context, w *work) (json.RawMessage, error) {
	of := ragasScope(w)
	key := "ragas graph"
	for i := range of {
		key += "\x00" + of[i].ID
	}
	g, err := generator.Once(ctx, w.call.Memo, memoKey(key, w.docs), func(ctx context.Context) (*ragasGraph, error) {
		return ragasBuild(ctx, w, of)
	})
	if err != nil {
		return nil, err
	}
	w.held = ragasOrders(w, g)
	return json.Marshal(map[string]any{"personas": g.cast()})
}

// cast returns the personas, or somebody where there is none.
func (g *ragasGraph) cast() []ragas.Persona {
	if len(g.personas) > 0 {
		return g.personas
	}
	return []ragas.Persona{{Name: "Customer", Role: "Somebody who has a need that the context is about, and writes to the assistant."}}
}

// ragasScope returns the passages of the graph, in the order of the documents:
// those in which the run's policies stand, and all where there are none. It is
// the same for every call of a run.
func ragasScope(w *work) []chunk.Chunk {
	count := map[int]int{}
	var at []int
	for i := range w.call.AllPolicies {
		for _, ev := range w.call.AllPolicies[i].Evidence {
			if k := w.passages.best(ev); k >= 0 {
				count[k]++
			}
		}
	}
	for i := range w.passages.all {
		if len(count) == 0 || count[i] > 0 {
			at = append(at, i)
		}
	}
	slices.SortStableFunc(at, func(a, b int) int { return count[b] - count[a] })
	at = at[:min(len(at), ragasPassages)]
	slices.Sort(at)
	out := make([]chunk.Chunk, len(at))
	for i, k := range at {
		out[i] = w.passages.all[k]
	}
	return out
}

// ragasFound is the record of a passage.
type ragasFound struct {
	Summary   string    `json:"summary"`
	Embedding []float32 `json:"summary_embedding"`
	Themes    []string  `json:"themes"`
	Entities  []string  `json:"entities"`
}

// ragasLinked is the record of a graph.
type ragasLinked struct {
	Relationships []ragasRelationship `json:"relationships"`
	Personas      []ragas.Persona     `json:"personas"`
}

type ragasRelationship struct {
	Type   string     `json:"type"`
	Source string     `json:"source"` // the passage's id
	Target string     `json:"target"`
	Score  float64    `json:"score"`
	Items  [][]string `json:"items"`
}

// ragasBuild has the graph of passages made. A passage in which nothing could be
// found stays without terms and links, and a graph may have no links or no
// personas. The error is one after which nothing can be made.
func ragasBuild(ctx context.Context, w *work, of []chunk.Chunk) (*ragasGraph, error) {
	g := &ragasGraph{nodes: map[string]ragas.Node{}, links: map[string][]ragasLink{}}
	var tasks []task
	for i := range of {
		t, err := ragasTask(fmt.Sprint("p", i), stage.Hash(0, "ragas passage", of[i].ID), map[string]any{"id": of[i].ID, "text": of[i].Text})
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, t)
	}
	found := make([]ragasFound, len(of))
	err := ragasTries(ctx, w, "graph", tasks, func(i int, rec json.RawMessage) error {
		if err := json.Unmarshal(rec, &found[i]); err != nil {
			found[i] = ragasFound{}
			return err
		}
		found[i].clean()
		return nil
	})
	if err != nil {
		return nil, err
	}
	var nodes []map[string]any
	dim := 0
	for i := range of {
		f := &found[i]
		if dim = cmp.Or(dim, len(f.Embedding)); len(f.Embedding) != dim {
			f.Embedding = nil
		}
		g.nodes[of[i].ID] = ragas.Node{Summary: f.Summary, Embedding: f.Embedding, Themes: f.Themes, Entities: f.Entities}
		nodes = append(nodes, map[string]any{"id": of[i].ID, "summary": f.Summary, "summary_embedding": f.Embedding, "entities": f.Entities})
	}
	t, err := ragasTask("link", stage.Hash(0, "ragas graph", len(of), of[0].ID), map[string]any{"nodes": nodes, "personas": ragasPersonas})
	if err != nil {
		return nil, err
	}
	return g, ragasTries(ctx, w, "link", []task{t}, func(_ int, rec json.RawMessage) error {
		var l ragasLinked
		if err := json.Unmarshal(rec, &l); err != nil {
			return err
		}
		g.take(&l)
		return nil
	})
}

func ragasTask(id string, seed uint64, body any) (task, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return task{}, fmt.Errorf("python: the task %s: %w", id, err)
	}
	return task{ID: id, Seed: int64(seed >> 12), Body: raw}, nil
}

// ragasTries runs tasks of which each may fail, those that did once more.
func ragasTries(ctx context.Context, w *work, op string, tasks []task, take func(i int, rec json.RawMessage) error) error {
	left := make([]int, len(tasks))
	for i := range tasks {
		left[i] = i
	}
	for try := 0; try < 2 && len(left) > 0; try++ {
		batch := make([]task, len(left))
		for k, i := range left {
			batch[k] = tasks[i]
			batch[k].Seed += int64(try)
		}
		results, err := w.run(ctx, op, nil, batch)
		if err != nil {
			return err
		}
		var open []int
		for k, i := range left {
			err := cmp.Or(results[k].err, ErrEmpty)
			if r := results[k].records; len(r) > 0 {
				err = take(i, r[0])
			}
			if err != nil {
				w.call.Log.Warn("ragas: a part of the graph was not made", "op", op, "task", tasks[i].ID, "error", err)
				open = append(open, i)
			}
		}
		left = open
	}
	return nil
}

func (f *ragasFound) clean() {
	f.Summary = brief.Line(f.Summary)
	f.Themes, f.Entities = ragasClean(f.Themes), ragasClean(f.Entities)
	if f.Summary == "" || slices.ContainsFunc(f.Embedding, func(x float32) bool { return math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) }) {
		f.Embedding = nil
	}
}

// ragasClean returns the terms that can be terms, each once.
func ragasClean(terms []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, t := range terms {
		t = brief.Line(t)
		if key := coverage.Fold(t); key != "" && !seen[key] && len([]rune(t)) <= ragasTerm && len(out) < ragasTerms {
			seen[key] = true
			out = append(out, t)
		}
	}
	return out
}

// take puts what a record says into the graph, as far as it can be.
func (g *ragasGraph) take(l *ragasLinked) {
	for _, r := range l.Relationships {
		_, a := g.nodes[r.Source]
		_, b := g.nodes[r.Target]
		if !a || !b || r.Source == r.Target || !(r.Score > 0) || r.Type != ragas.EntitiesOverlap && r.Type != ragas.SummarySimilarity {
			continue
		}
		link := ragasLink{kind: r.Type, score: r.Score}
		for _, pair := range r.Items {
			if len(pair) == 2 && coverage.Fold(pair[0]) != "" && coverage.Fold(pair[1]) != "" {
				link.items = append(link.items, [2]string{pair[0], pair[1]})
			}
		}
		if r.Type == ragas.EntitiesOverlap && link.items == nil {
			continue
		}
		to, from := link, link
		to.to, from.to = r.Target, r.Source
		g.links[r.Source] = append(g.links[r.Source], to)
		g.links[r.Target] = append(g.links[r.Target], from)
	}
	for id := range g.links {
		slices.SortStableFunc(g.links[id], func(a, b ragasLink) int { return cmp.Compare(b.score, a.score) })
	}
	known := map[string]bool{}
	for _, p := range l.Personas {
		p = ragas.Persona{Name: prompt.Clip(brief.Line(p.Name), 80), Role: prompt.Clip(brief.Line(p.Role), 400)}
		if key := coverage.Fold(p.Name); key != "" && !known[key] && len(g.personas) < ragasPersonas {
			known[key] = true
			g.personas = append(g.personas, p)
		}
	}
}

// ragasOrders says of what the slots of a call are made. Rows whose policies
// stand in different passages join them by nature, so they are multi-hop first;
// then come those that have a neighbour in the graph.
func ragasOrders(w *work, g *ragasGraph) *ragasPlan {
	p := &ragasPlan{g, map[int]*ragasOrder{}}
	rng := stage.Rand(w.call.Seed, "ragas orders")
	first := rng.IntN(1 << 20)
	var rows []*model.Row
	var free []*ragasOrder
	type pair struct {
		order *ragasOrder
		to    chunk.Chunk
		link  ragasLink
		rank  int
	}
	var pairs []pair
	used := map[string]int{} // of a pair of passages
	for _, s := range w.slots {
		if errors.Is(s.err, ErrGiven) {
			continue
		}
		o := &ragasOrder{nodes: []chunk.Chunk{s.chunks[0]}, persona: first + len(free)}
		p.orders[s.index] = o
		rows, free = append(rows, s.row), append(free, o)
		if to, link, rank := p.partner(w, s, o.nodes[0], used); rank >= 0 {
			used[o.nodes[0].ID+"\x00"+to.ID]++
			pairs = append(pairs, pair{o, to, link, rank})
		}
	}
	styles, lengths := ragas.Dress(rows, w.call.Axes, w.call.Seed)
	for i, o := range free {
		o.style, o.length = styles[i], lengths[i]
	}
	ratio := 0.0
	if params, ok := w.params.(ragas.Params); ok {
		ratio = params.ReasoningRatio
	}
	rng.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	slices.SortStableFunc(pairs, func(a, b pair) int { return a.rank - b.rank })
	for _, m := range pairs[:min(len(pairs), int(ratio*float64(len(free))+0.5))] {
		m.order.nodes = append(m.order.nodes, m.to)
		m.order.link = m.link
	}
	return p
}

// ragasPolicy returns the passage in which most of a policy stands.
func ragasPolicy(w *work, id string) (chunk.Chunk, bool) {
	for _, list := range [][]model.Policy{w.call.Policies, w.call.AllPolicies} {
		for i := range list {
			if list[i].ID != id {
				continue
			}
			for _, ev := range list[i].Evidence {
				if at := w.passages.best(ev); at >= 0 {
					return w.passages.all[at], true
				}
			}
		}
	}
	return chunk.Chunk{}, false
}

// partner returns the passage that a slot's question can join with its own, and
// how: that of another policy of its row (rank 0), else the neighbour in the
// graph that was taken least, the strongest first (rank 1). A rank of -1 is none.
func (g *ragasGraph) partner(w *work, s *slot, own chunk.Chunk, used map[string]int) (chunk.Chunk, ragasLink, int) {
	for _, id := range s.row.PolicyIDs[min(1, len(s.row.PolicyIDs)):] {
		to, ok := ragasPolicy(w, id)
		if !ok || to.ID == own.ID {
			continue
		}
		if i := slices.IndexFunc(g.links[own.ID], func(l ragasLink) bool { return l.to == to.ID }); i >= 0 {
			return to, g.links[own.ID][i], 0
		}
		// The synthesizer of themes takes any two passages that are said to be
		// alike; how much is nothing to it.
		a, b := g.nodes[own.ID], g.nodes[to.ID]
		return to, ragasLink{to: to.ID, kind: ragas.SummarySimilarity, score: max(0.01, llm.Cosine(a.Embedding, b.Embedding))}, 0
	}
	best := -1
	for i, l := range g.links[own.ID] {
		if best < 0 || used[own.ID+"\x00"+l.to] < used[own.ID+"\x00"+g.links[own.ID][best].to] {
			best = i
		}
	}
	if best < 0 {
		return chunk.Chunk{}, ragasLink{}, -1
	}
	l := g.links[own.ID][best]
	to, ok := w.passages.id(l.to)
	if !ok {
		return chunk.Chunk{}, ragasLink{}, -1
	}
	return to, l, 1
}

// ragasSample is the task of a slot.
type ragasSample struct {
	Synthesizer string         `json:"synthesizer"`
	Nodes       []ragasNode    `json:"nodes"`
	Link        *ragasTaskLink `json:"link"`
	Persona     int            `json:"persona"`
	Style       string         `json:"style"`
	Length      string         `json:"length"`
	Context     string         `json:"context"`
}

type ragasNode struct {
	ID       string   `json:"id"`
	Text     string   `json:"text"`
	Themes   []string `json:"themes"`
	Entities []string `json:"entities"`
}

type ragasTaskLink struct {
	Type  string      `json:"type"`
	Score float64     `json:"score"`
	Items [][2]string `json:"items"`
}

// order returns what a slot's sample is to be at the try under way: at the last
// one of several from one passage, which asks for less.
func (p *ragasPlan) order(w *work, s *slot) *ragasOrder {
	o := p.orders[s.index]
	if o == nil {
		return nil
	}
	if w.try > 0 && w.try >= w.o.TopUps && len(o.nodes) > 1 {
		single := *o
		single.nodes, single.link = o.nodes[:1], ragasLink{}
		return &single
	}
	return o
}

func (o *ragasOrder) synthesizer() string {
	switch o.link.kind {
	case ragas.EntitiesOverlap:
		return ragas.MultiHopSpecificName
	case ragas.SummarySimilarity:
		return ragas.MultiHopAbstractName
	default:
		return ragas.SingleHopName
	}
}

func (*ragasMethod) body(w *work, s *slot) (any, error) {
	p, ok := w.held.(*ragasPlan)
	if !ok {
		return nil, errors.New("python: ragas has no plan of the call")
	}
	o := p.order(w, s)
	if o == nil {
		return nil, fmt.Errorf("python: ragas has no plan for row %s", s.row.ID)
	}
	t := &ragasSample{
		Synthesizer: o.synthesizer(), Persona: (o.persona + w.try) % len(p.cast()), Style: o.style.Name, Length: o.length.Name,
		Context: ragasContext(w, s, o),
	}
	for i := range o.nodes {
		n := p.nodes[o.nodes[i].ID]
		t.Nodes = append(t.Nodes, ragasNode{ID: o.nodes[i].ID, Text: o.nodes[i].Text, Themes: n.Themes, Entities: n.Entities})
	}
	if len(t.Nodes) > 1 {
		t.Link = &ragasTaskLink{Type: o.link.kind, Score: o.link.score, Items: o.link.items}
	} else {
		t.Nodes[0].Entities, t.Nodes[0].Themes = ragasMatter(w, s, t.Nodes[0].Entities, t.Nodes[0].Themes)
	}
	for i := range t.Nodes {
		if n := &t.Nodes[i]; len(n.Themes) == 0 && (len(n.Entities) == 0 || len(t.Nodes) > 1) {
			n.Themes = ragasTitle(w, &o.nodes[i])
		}
	}
	return t, nil
}

// ragasMatter keeps the terms that the row's first policy speaks of: entities,
// else themes. Where there is none, all stay.
func ragasMatter(w *work, s *slot, entities, themes []string) ([]string, []string) {
	if len(s.row.PolicyIDs) == 0 {
		return entities, themes
	}
	i := slices.IndexFunc(w.call.Policies, func(p model.Policy) bool { return p.ID == s.row.PolicyIDs[0] })
	if i < 0 {
		return entities, themes
	}
	stems := ragasStems(w.call.Language, w.call.Policies[i].Statement)
	about := func(terms []string) []string {
		var out []string
		for _, t := range terms {
			if slices.ContainsFunc(ragasStems(w.call.Language, t), func(s string) bool { return slices.Contains(stems, s) }) {
				out = append(out, t)
			}
		}
		return out
	}
	if some := about(entities); some != nil {
		return some, themes
	}
	if some := about(themes); some != nil {
		return nil, some
	}
	return entities, themes
}

func ragasStems(language, text string) []string {
	if l, err := lang.For(language); err == nil {
		return l.Stems(text)
	}
	return strings.Fields(coverage.Fold(text))
}

// ragasTitle is the theme of a passage in which Ragas found none: the last of its
// headings, else what the call is about.
func ragasTitle(w *work, c *chunk.Chunk) []string {
	title := c.Title
	if i := strings.LastIndex(title, " > "); i >= 0 {
		title = title[i+3:]
	}
	return []string{cmp.Or(brief.Line(title), brief.Line(w.call.UseCase.Name), prompt.Clip(brief.Line(c.Text), ragasTerm))}
}

// ragasContext says what the row wants, in the place that Ragas has for it.
func ragasContext(w *work, s *slot, o *ragasOrder) string {
	say := w.wanted(s)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\nThe query is %s.\n", say.Situation, say.Message)
	fmt.Fprintf(&b, "Its style: %s. Its length: %s.\n", o.style.Meaning, o.length.Meaning)
	b.WriteString("The persona is the customer. Terms and themes are hints: the query names the matter as a customer would.\n")
	if len(o.nodes) > 1 {
		b.WriteString("It is one need whose answer takes something from each segment of the context; nobody asks two questions, and segments are never mentioned.\n")
	}
	if s.row.Examples > 1 {
		b.WriteString(s.customer() + "\n")
	}
	fmt.Fprintf(&b, "\nThe answer is %s.\n", say.Reply)
	b.WriteString(brief.Avoid(w.call.Avoid))
	return strings.TrimSpace(b.String())
}

// ragasTypes are the types that Ragas gives the parts of a sample of a single
// turn. [ragas.Parse] takes others too, which a worker does not write.
type ragasTypes struct {
	UserInput           string            `json:"user_input"`
	Reference           string            `json:"reference"`
	ReferenceContexts   []string          `json:"reference_contexts"`
	ReferenceContextIDs []string          `json:"reference_context_ids"`
	RetrievedContexts   []string          `json:"retrieved_contexts"`
	RetrievedContextIDs []string          `json:"retrieved_context_ids"`
	Response            string            `json:"response"`
	MultiResponses      []string          `json:"multi_responses"`
	Rubrics             map[string]string `json:"rubrics"`
	PersonaName         string            `json:"persona_name"`
	QueryStyle          string            `json:"query_style"`
	QueryLength         string            `json:"query_length"`
	SynthesizerName     string            `json:"synthesizer_name"`
	OriginalInput       string            `json:"original_input"`
	OriginalOutput      string            `json:"original_output"`
}

// ragasLeaks are what shows that a text is of the prompt, not of the document:
// its marks of segments, and the answers of its examples.
var (
	ragasLeak     = regexp.MustCompile(`(?i)<\s*\d+\s*-\s*hop\s*>`)
	ragasExamples = []string{
		"What is the purpose of microservices in software architecture?",
		"Microservices are designed to structure applications as a collection of loosely coupled services, each focusing on a single functionality.",
		"How was the experimental validation of the theory of relativity achieved during the 1919 solar eclipse?",
	}
)

func (*ragasMethod) read(w *work, s *slot, record json.RawMessage) (*made, error) {
	sample, err := parsed(record, &ragasTypes{}, ragas.Parse)
	if err != nil {
		return nil, fmt.Errorf("it is no sample of Ragas: %w", err)
	}
	if sample.Turns != nil {
		return nil, errors.New("it is a sample of several turns, where one with a question belongs")
	}
	for _, text := range []string{sample.UserInput, sample.Reference} {
		if ragasLeak.MatchString(text) || slices.ContainsFunc(ragasExamples, func(e string) bool { return coverage.Fold(e) == coverage.Fold(text) }) {
			return nil, errors.New("it repeats Ragas' own prompt")
		}
	}
	m := &made{native: sample, input: sample.UserInput, output: sample.Reference}
	for i, text := range sample.ReferenceContexts {
		text, _ = ragas.Untag(text)
		id := ""
		if i < len(sample.ReferenceContextIDs) {
			id = sample.ReferenceContextIDs[i]
		}
		c, ok := w.passages.named(id, text)
		if !ok {
			return nil, ErrContext
		}
		if !among(m.contexts, c.ID) {
			m.contexts = append(m.contexts, c)
		}
	}
	if err := ragasClaims(w, s, sample, m.contexts); err != nil {
		return nil, err
	}
	m.ask = ragasAsk(sample, len(m.contexts))
	return m, nil
}

// ragasClaims refuses a sample that is not what the slot ordered, and takes out
// what it cannot know. Of a refused item there is no order any more.
func ragasClaims(w *work, s *slot, sample *ragas.Sample, contexts []chunk.Chunk) error {
	multi := sample.SynthesizerName != ragas.SingleHopName
	switch {
	case len(contexts) == 0:
		return ErrContext
	case len(contexts) != len(sample.ReferenceContexts):
		return errors.New("a context stands in it twice")
	case multi && len(contexts) < 2:
		return errors.New("its question joins contexts, and it has but one")
	}
	p, ok := w.held.(*ragasPlan)
	if !ok {
		return nil
	}
	o := p.order(w, s)
	switch {
	case o == nil || sample.SynthesizerName != o.synthesizer():
		return fmt.Errorf("it is of the synthesizer %q, which was not asked", sample.SynthesizerName)
	case sample.QueryStyle != o.style.Name || sample.QueryLength != o.length.Name:
		return fmt.Errorf("it has style %q and length %q, which were not asked for", sample.QueryStyle, sample.QueryLength)
	case !slices.EqualFunc(contexts, o.nodes, func(a, b chunk.Chunk) bool { return a.ID == b.ID }):
		return errors.New("its contexts are not those that it was to be made of")
	}
	if !slices.ContainsFunc(p.personas, func(q ragas.Persona) bool { return q.Name == sample.PersonaName }) {
		sample.PersonaName = ""
	}
	return nil
}

// ragasAsk says what the scenario asks of the message and its reply.
func ragasAsk(sample *ragas.Sample, contexts int) string {
	var b strings.Builder
	if contexts > 1 {
		b.WriteString("A right reply needs at least two of the item's passages and joins what they say. ")
	}
	style := slices.IndexFunc(ragas.Styles(), func(s ragas.Style) bool { return s.Name == sample.QueryStyle })
	length := slices.IndexFunc(ragas.Lengths(), func(l ragas.Length) bool { return l.Name == sample.QueryLength })
	if style >= 0 && length >= 0 {
		fmt.Fprintf(&b, "The message keeps its style (%s) and its length (%s).", ragas.Styles()[style].Meaning, ragas.Lengths()[length].Meaning)
	}
	return strings.TrimSpace(b.String())
}

// write makes a sample of one hop of one whose reply was found to need one of its
// contexts alone; the slot's contexts follow.
func (*ragasMethod) write(_ *work, s *slot, f *answer.Final) (json.RawMessage, error) {
	sample := *s.made.native.(*ragas.Sample)
	var err error
	if sample.Extra, err = originals(sample.Extra, sample.UserInput, sample.Reference, f); err != nil {
		return nil, err
	}
	sample.UserInput, sample.Reference = f.Input, f.Output
	if len(s.made.contexts) > 1 && f.Checked && len(f.Needs) == 1 && f.Needs[0] >= 0 && f.Needs[0] < len(s.made.contexts) {
		c := s.made.contexts[f.Needs[0]]
		s.made.contexts = []chunk.Chunk{c}
		sample.ReferenceContexts, sample.ReferenceContextIDs = []string{c.Text}, []string{c.ID}
		sample.SynthesizerName = ragas.SingleHopName
	}
	return sample.JSON()
}
