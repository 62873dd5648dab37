package ragas

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// Build returns the graph of documents as they are: a node for each document and
// each chunk, edges [Child] and [Next]. [Transform]s add the rest. Equal
// documents give an equal graph, ids included. Those without text and those that
// are nil are left out.
func Build(docs []*model.Document, o ChunkOptions) *Graph {
	docs = slices.DeleteFunc(slices.Clone(docs), func(d *model.Document) bool { return d == nil })
	chunks := chunk.Split(docs, (&Options{Chunks: o}).chunks())
	g := &Graph{}
	var next, child []*Relationship
	at := 0
	for k, d := range docs {
		var of []*Node
		for ; at < len(chunks) && chunks[at].Doc == d; at++ {
			of = append(of, chunkNode(&chunks[at]))
		}
		if of == nil {
			continue
		}
		doc := &Node{
			ID: NodeID(DocumentNode, d.Name, fmt.Sprint(k), string(d.Bytes())), Type: DocumentNode,
			Text: string(d.Bytes()), Metadata: map[string]any{"source": d.Name},
		}
		g.Nodes = append(append(g.Nodes, doc), of...)
		for i, n := range of {
			child = append(child, newEdge(Child, doc.ID, n.ID))
			if i > 0 {
				next = append(next, newEdge(Next, of[i-1].ID, n.ID))
			}
		}
	}
	g.Relationships = append(child, next...)
	return g
}

func chunkNode(c *chunk.Chunk) *Node {
	return &Node{
		ID: NodeID(ChunkNode, c.Doc.Name, c.ID, c.Text), Type: ChunkNode, Text: c.Text, Title: c.Title,
		Metadata: map[string]any{"source": c.Doc.Name, "chunk_id": c.ID, "start_byte": c.Span.StartByte, "end_byte": c.Span.EndByte},
	}
}

// FromTexts returns the graph of chunks that somebody else has cut. Source names
// where a text is from; texts of one source follow each other. Empty texts are
// left out.
func FromTexts(source string, texts []string) *Graph {
	g := &Graph{}
	for i, t := range texts {
		if strings.TrimSpace(t) == "" {
			continue
		}
		id := fmt.Sprintf("%s#%d", source, i+1)
		n := &Node{
			ID: NodeID(ChunkNode, source, id, t), Type: ChunkNode, Text: t,
			Metadata: map[string]any{"source": source, "chunk_id": id},
		}
		if k := len(g.Nodes); k > 0 {
			g.Relationships = append(g.Relationships, newEdge(Next, g.Nodes[k-1].ID, n.ID))
		}
		g.Nodes = append(g.Nodes, n)
	}
	return g
}

// corpus finds the place of every node's text in a document.
type corpus struct {
	docs    []*model.Document // those given, then those made of nodes
	given   int
	parents map[string]*Node
	made    map[string]*model.Document // by the id of the node
}

func newCorpus(g *Graph, docs []*model.Document) *corpus {
	return &corpus{docs: slices.Clone(docs), given: len(docs), parents: g.Parents(), made: map[string]*model.Document{}}
}

// place returns the node's text as a chunk of a document: of one of those given,
// else of the node's own document, else of itself. It fails for a text that is
// no document, such as blank space.
func (c *corpus) place(n *Node) (chunk.Chunk, error) {
	source := n.Source()
	for _, named := range []bool{true, false} {
		for _, d := range c.docs[:c.given] {
			if (d.Name == source) != named {
				continue
			}
			if at, ok := find(d, n); ok {
				return c.cut(d, at, n), nil
			}
		}
	}
	owner := n
	if p := c.parents[n.ID]; p != nil && strings.Contains(p.Text, n.Text) {
		owner = p
	}
	d := c.made[owner.ID]
	if d == nil {
		name := source
		if name == "" || owner == n && n.Type == ChunkNode {
			name = strings.Trim(source+"-"+owner.ID[:min(8, len(owner.ID))]+".md", "-")
		}
		var err error
		if d, err = model.ParseMarkdown(name, []byte(owner.Text), nil); err != nil {
			return chunk.Chunk{}, err
		}
		c.made[owner.ID] = d
		c.docs = append(c.docs, d)
	}
	at, _ := find(d, n)
	return c.cut(d, at, n), nil
}

// find returns the offset of the node's text in a document.
func find(d *model.Document, n *Node) (int, bool) {
	at, ok := number(n.Metadata["start_byte"])
	if ok && at >= 0 && at+len(n.Text) <= len(d.Bytes()) && string(d.Bytes()[at:at+len(n.Text)]) == n.Text {
		return at, true
	}
	at = bytes.Index(d.Bytes(), []byte(n.Text))
	return at, at >= 0
}

func number(v any) (int, bool) {
	switch n := v.(type) {
	case int:
		return n, true
	case float64: // as JSON is read
		return int(n), true
	}
	return 0, false
}

func (c *corpus) cut(d *model.Document, at int, n *Node) chunk.Chunk {
	id, _ := n.Metadata["chunk_id"].(string)
	if id == "" {
		id = n.ID
	}
	first := 1 + lines(d.Bytes()[:at])
	return chunk.Chunk{
		ID: id, Doc: d, Text: n.Text, Title: n.Title, Tokens: chunk.Tokens(n.Text),
		Span: model.Span{
			Doc: d.Name, StartByte: at, EndByte: at + len(n.Text),
			StartLine: first, EndLine: first + lines([]byte(strings.TrimRight(n.Text, "\r\n"))),
		},
	}
}

// lines counts the ends of lines: \n, \r\n and \r.
func lines(b []byte) int {
	return bytes.Count(b, []byte("\n")) + bytes.Count(b, []byte("\r")) - bytes.Count(b, []byte("\r\n"))
}
