package ragas

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// Save writes the graph as KnowledgeGraph.save of Ragas does: JSON with an
// indent of two, which [Load] and Ragas read.
func (g *Graph) Save(w io.Writer) error {
	file := graphFile{Nodes: []nodeFile{}, Relationships: []edgeFile{}}
	for _, n := range g.Nodes {
		file.Nodes = append(file.Nodes, nodeFile{ID: n.ID, Properties: n.properties(), Type: n.Type})
	}
	for _, r := range g.Relationships {
		file.Relationships = append(file.Relationships, edgeFile{
			ID: r.ID, Type: r.Type, Source: r.Source, Target: r.Target, Bidirectional: r.Bidirectional, Properties: r.properties(),
		})
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(file); err != nil {
		return fmt.Errorf("ragas: saving the graph: %w", err)
	}
	return nil
}

// Load reads a graph that Ragas or [Graph.Save] wrote. What Ragas itself is
// known to write wrongly is mended and told in Skipped: a node that stands
// twice under one id (its properties are joined), an edge from a node to itself,
// an edge that stands twice, an edge of a node that the file does not have. The
// error is a *[GraphError].
func Load(r io.Reader) (*Graph, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, &GraphError{Reason: "it cannot be read", Err: err}
	}
	var file graphFile
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))))
	if err := dec.Decode(&file); err != nil {
		return nil, &GraphError{Reason: "it is no JSON of a knowledge graph; give the file that KnowledgeGraph.save wrote", Err: err}
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, &GraphError{Reason: "something follows after its end"}
	}
	if file.Nodes == nil {
		return nil, &GraphError{Reason: `it has no "nodes"; give the file that KnowledgeGraph.save wrote`}
	}
	g := &Graph{}
	byID := map[string]*Node{}
	for i, f := range file.Nodes {
		if f.ID == "" {
			return nil, &GraphError{Reason: fmt.Sprintf("node %d has no id", i)}
		}
		n := &Node{ID: f.ID, Type: f.Type}
		if err := n.read(f.Properties); err != nil {
			return nil, &GraphError{Reason: fmt.Sprintf("node %s: %v", f.ID, err), Err: err}
		}
		if first := byID[f.ID]; first != nil {
			first.join(n)
			g.Skipped = append(g.Skipped, fmt.Sprintf("node %s stands again as number %d", f.ID, i+1))
			continue
		}
		byID[f.ID] = n
		g.Nodes = append(g.Nodes, n)
	}
	type edge struct{ kind, from, to string }
	seen := map[edge]bool{}
	for _, f := range file.Relationships {
		e := edge{f.Type, f.Source, f.Target}
		why := ""
		switch {
		case f.Source == f.Target:
			why = "goes from a node to itself"
		case byID[f.Source] == nil || byID[f.Target] == nil:
			why = "is of a node that the file does not have"
		case seen[e]:
			why = "stands again"
		}
		if why != "" {
			g.Skipped = append(g.Skipped, fmt.Sprintf("edge %s (%s) %s", f.ID, f.Type, why))
			continue
		}
		seen[e] = true
		rel := &Relationship{ID: f.ID, Type: f.Type, Source: f.Source, Target: f.Target, Bidirectional: f.Bidirectional}
		if err := rel.read(f.Properties); err != nil {
			return nil, &GraphError{Reason: fmt.Sprintf("edge %s: %v", f.ID, err), Err: err}
		}
		if rel.ID == "" {
			rel.ID = edgeID(rel)
		}
		g.Relationships = append(g.Relationships, rel)
	}
	return g, nil
}

// GraphError says why a file is no knowledge graph.
type GraphError struct {
	Reason string
	Err    error // the cause; may be nil
}

// Error implements error.
func (e *GraphError) Error() string {
	s := "ragas: the file is no knowledge graph: " + e.Reason
	if e.Err != nil && !strings.Contains(s, e.Err.Error()) {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *GraphError) Unwrap() error { return e.Err }

type graphFile struct {
	Nodes         []nodeFile `json:"nodes"`
	Relationships []edgeFile `json:"relationships"`
}

// The members stand in the order in which Ragas writes them.
type nodeFile struct {
	ID         string                     `json:"id"`
	Properties map[string]json.RawMessage `json:"properties"`
	Type       string                     `json:"type"`
}

type edgeFile struct {
	ID            string                     `json:"id"`
	Type          string                     `json:"type"`
	Source        string                     `json:"source"`
	Target        string                     `json:"target"`
	Bidirectional bool                       `json:"bidirectional"`
	Properties    map[string]json.RawMessage `json:"properties"`
}

// The names of the properties.
const (
	propText      = "page_content"
	propMetadata  = "document_metadata"
	propTitle     = "title"
	propSummary   = "summary"
	propEmbedding = "summary_embedding"
	propThemes    = "themes"
	propEntities  = "entities"
	propScore     = "score"
	propOverlap   = "overlapped_items"
)

func (n *Node) properties() map[string]json.RawMessage {
	p := properties(maps.Clone(n.Extra))
	if p == nil {
		p = properties{}
	}
	p.put(propText, n.Text, n.Text != "")
	p.put(propMetadata, n.Metadata, n.Metadata != nil)
	p.put(propTitle, n.Title, n.Title != "")
	p.put(propSummary, n.Summary, n.Summary != "")
	p.put(propEmbedding, n.Embedding, n.Embedding != nil)
	p.put(propThemes, n.Themes, n.Themes != nil)
	p.put(propEntities, n.Entities, n.Entities != nil)
	p.put(propScore, n.Score, n.Score != 0)
	return p
}

type properties map[string]json.RawMessage

func (p properties) put(key string, v any, set bool) {
	if !set {
		return
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err == nil { // strings, numbers and what was read from JSON
		p[key] = bytes.TrimSpace(b.Bytes())
	}
}

func (n *Node) read(p map[string]json.RawMessage) error {
	for _, key := range slices.Sorted(maps.Keys(p)) {
		raw := p[key]
		var err error
		switch strings.ToLower(key) { // Ragas lower-cases the names
		case propText:
			err = json.Unmarshal(raw, &n.Text)
		case propMetadata:
			err = json.Unmarshal(raw, &n.Metadata)
		case propSummary:
			err = json.Unmarshal(raw, &n.Summary)
		case propEmbedding:
			err = json.Unmarshal(raw, &n.Embedding)
		case propThemes:
			n.Themes, err = stringList(raw)
		case propEntities:
			n.Entities, err = stringList(raw)
		case propTitle:
			if json.Unmarshal(raw, &n.Title) != nil {
				n.keep(key, raw)
			}
		case propScore:
			if json.Unmarshal(raw, &n.Score) != nil {
				n.keep(key, raw)
			}
		default:
			n.keep(key, raw)
		}
		if err != nil {
			return fmt.Errorf("property %s: %w", key, err)
		}
	}
	return nil
}

func (n *Node) keep(key string, raw json.RawMessage) {
	if n.Extra == nil {
		n.Extra = map[string]json.RawMessage{}
	}
	n.Extra[key] = raw
}

// stringList reads a list of strings, or a map of such lists, as versions
// before 0.2.4 wrote entities by their kind.
func stringList(raw json.RawMessage) ([]string, error) {
	var list []string
	if err := json.Unmarshal(raw, &list); err == nil {
		return list, nil
	}
	var byKind map[string][]string
	if err := json.Unmarshal(raw, &byKind); err != nil {
		return nil, err
	}
	list = []string{}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		list = append(list, byKind[kind]...)
	}
	return list, nil
}

// join takes from m what n does not have.
func (n *Node) join(m *Node) {
	if n.Type == "" {
		n.Type = m.Type
	}
	if n.Text == "" {
		n.Text = m.Text
	}
	if n.Metadata == nil {
		n.Metadata = m.Metadata
	}
	if n.Title == "" {
		n.Title = m.Title
	}
	if n.Summary == "" {
		n.Summary = m.Summary
	}
	if n.Embedding == nil {
		n.Embedding = m.Embedding
	}
	if n.Themes == nil {
		n.Themes = m.Themes
	}
	if n.Entities == nil {
		n.Entities = m.Entities
	}
	if n.Score == 0 {
		n.Score = m.Score
	}
	for _, key := range slices.Sorted(maps.Keys(m.Extra)) {
		if _, has := n.Extra[key]; !has {
			n.keep(key, m.Extra[key])
		}
	}
}

// scoreName is the property that holds the score of an edge; "" for none.
func scoreName(kind string) string {
	switch kind {
	case SummarySimilarity:
		return "summary_similarity"
	case EntitiesOverlap:
		return "entities_overlap_score"
	default:
		return ""
	}
}

func (r *Relationship) properties() map[string]json.RawMessage {
	p := properties(maps.Clone(r.Extra))
	if p == nil {
		p = properties{}
	}
	if name := scoreName(r.Type); name != "" {
		p.put(name, r.Score, true)
	}
	p.put(propOverlap, r.Overlap, r.Overlap != nil)
	return p
}

func (r *Relationship) read(p map[string]json.RawMessage) error {
	for _, key := range slices.Sorted(maps.Keys(p)) {
		var err error
		switch key {
		case scoreName(r.Type):
			err = json.Unmarshal(p[key], &r.Score)
		case propOverlap:
			err = json.Unmarshal(p[key], &r.Overlap)
		default:
			if r.Extra == nil {
				r.Extra = map[string]json.RawMessage{}
			}
			r.Extra[key] = p[key]
		}
		if err != nil {
			return fmt.Errorf("property %s: %w", key, err)
		}
	}
	return nil
}
