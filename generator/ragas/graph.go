package ragas

import (
	"crypto/sha1" // RFC 9562 asks for it in name-based ids
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
)

// The types of a [Node].
const (
	DocumentNode = "document"
	ChunkNode    = "chunk"
)

// The types of a [Relationship] that the built-in transforms make.
const (
	Child             = "child"              // from a document to its chunk
	Next              = "next"               // from a chunk to the one after it
	SummarySimilarity = "summary_similarity" // chunks whose summaries are close; both ways
	EntitiesOverlap   = "entities_overlap"   // chunks that name the same things
)

// Graph is a knowledge graph: documents, their chunks, and what connects them.
// It is plain data; several goroutines may read it while none writes.
type Graph struct {
	Nodes         []*Node
	Relationships []*Relationship
	// Skipped says what [Load] left out, one line each. It is not saved.
	Skipped []string
}

// Node is a document or a chunk of one.
type Node struct {
	ID   string // a UUID, made of what the node is: see [NodeID]
	Type string // [DocumentNode], [ChunkNode], or empty when unknown
	Text string // page_content: the text word for word
	// Metadata is document_metadata. The chunks of this package hold "source",
	// the name of the document, "chunk_id", "start_byte" and "end_byte".
	Metadata map[string]any
	Title    string // the headings over a chunk
	Summary  string
	// Embedding is that of the summary; of any length.
	Embedding []float32
	Themes    []string
	Entities  []string
	// Score says how much a question of a customer can turn on the text, 1 to
	// 5; 0 is unknown.
	Score int
	// Extra holds all other properties by their names.
	Extra map[string]json.RawMessage
}

// Source is the name of the document that the node comes from, as far as its
// metadata says.
func (n *Node) Source() string {
	s, _ := n.Metadata["source"].(string)
	return s
}

// Relationship is an edge of a [Graph].
type Relationship struct {
	ID             string
	Type           string
	Source, Target string // ids of nodes
	Bidirectional  bool
	// Score is the summary_similarity or entities_overlap_score, 0 for edges of
	// other types.
	Score float64
	// Overlap is what two nodes share: pairs of an entity of Source and one of
	// Target.
	Overlap [][2]string
	// Extra holds all other properties by their names.
	Extra map[string]json.RawMessage
}

// Node returns the node with the id, or nil.
func (g *Graph) Node(id string) *Node {
	for _, n := range g.Nodes {
		if n.ID == id {
			return n
		}
	}
	return nil
}

// OfType returns the nodes of a type, in order.
func (g *Graph) OfType(kind string) []*Node {
	var out []*Node
	for _, n := range g.Nodes {
		if n.Type == kind {
			out = append(out, n)
		}
	}
	return out
}

// Children returns, for every document's id, its chunks in order. It takes time
// in proportion to the graph.
func (g *Graph) Children() map[string][]*Node {
	byID := g.byID()
	out := map[string][]*Node{}
	for _, r := range g.Relationships {
		if n := byID[r.Target]; r.Type == Child && n != nil {
			out[r.Source] = append(out[r.Source], n)
		}
	}
	return out
}

// Parents returns, for every chunk's id, the document it is a chunk of. It takes
// time in proportion to the graph.
func (g *Graph) Parents() map[string]*Node {
	byID := g.byID()
	out := map[string]*Node{}
	for _, r := range g.Relationships {
		if n := byID[r.Source]; r.Type == Child && n != nil && out[r.Target] == nil {
			out[r.Target] = n
		}
	}
	return out
}

func (g *Graph) byID() map[string]*Node {
	out := make(map[string]*Node, len(g.Nodes))
	for _, n := range g.Nodes {
		out[n.ID] = n
	}
	return out
}

// Remove takes nodes out, and every edge that touches one. A chunk's neighbours
// are joined by a new edge [Next].
func (g *Graph) Remove(drop func(n *Node) bool) {
	gone := map[string]bool{}
	g.Nodes = slices.DeleteFunc(g.Nodes, func(n *Node) bool {
		if drop(n) {
			gone[n.ID] = true
		}
		return gone[n.ID]
	})
	if len(gone) == 0 {
		return
	}
	after := map[string]string{}
	for _, r := range g.Relationships {
		if r.Type == Next {
			after[r.Source] = r.Target
		}
	}
	var bridges []*Relationship
	for _, r := range g.Relationships {
		if r.Type != Next || gone[r.Source] || !gone[r.Target] {
			continue
		}
		to := r.Target
		for steps := 0; gone[to] && steps <= len(gone); steps++ {
			to = after[to]
		}
		if to != "" && !gone[to] && to != r.Source {
			bridges = append(bridges, newEdge(Next, r.Source, to))
		}
	}
	g.Relationships = slices.DeleteFunc(g.Relationships, func(r *Relationship) bool { return gone[r.Source] || gone[r.Target] })
	g.Relationships = append(g.Relationships, bridges...)
}

// Connect adds an edge, unless the graph has one of that type between the same
// nodes, or the two are one. It reports whether it did.
func (g *Graph) Connect(r *Relationship) bool {
	if r.Source == r.Target {
		return false
	}
	for _, e := range g.Relationships {
		if e.Type == r.Type && (e.Source == r.Source && e.Target == r.Target ||
			(e.Bidirectional || r.Bidirectional) && e.Source == r.Target && e.Target == r.Source) {
			return false
		}
	}
	if r.ID == "" {
		r.ID = edgeID(r)
	}
	g.Relationships = append(g.Relationships, r)
	return true
}

// clear removes the edges of a type, so that a transform may run again.
func (g *Graph) clear(kind string) {
	g.Relationships = slices.DeleteFunc(g.Relationships, func(r *Relationship) bool { return r.Type == kind })
}

func newEdge(kind, from, to string) *Relationship {
	r := &Relationship{Type: kind, Source: from, Target: to}
	r.ID = edgeID(r)
	return r
}

func edgeID(r *Relationship) string { return uuid("edge", r.Type, r.Source, r.Target) }

// NodeID returns the id of a node: a name-based UUID (version 5) of its type,
// its document, the range of bytes it is and its text. Equal nodes have equal
// ids in every run.
func NodeID(kind, source, where, text string) string { return uuid("node", kind, source, where, text) }

// namespace is of the ids of this package: the UUID of its import path in the
// namespace of URLs.
var namespace = sha1Of([]byte{
	0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
}, "https://github.com/casebook-go/casebook/generator/ragas")

// uuid returns a version 5 UUID (RFC 9562) of the parts.
func uuid(parts ...string) string {
	b := sha1Of(namespace, strings.Join(parts, "\x00"))
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

func sha1Of(space []byte, name string) []byte {
	h := sha1.New()
	h.Write(space)
	h.Write([]byte(name))
	b := h.Sum(nil)[:16]
	b[6] = b[6]&0x0f | 0x50
	b[8] = b[8]&0x3f | 0x80
	return b
}
