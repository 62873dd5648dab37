package deepeval

import (
	"slices"

	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// Context is what goldens are made from: passages that belong together.
type Context struct {
	Passages []Passage
	// Quality is the score of the chunk that the context grew from, 0 to 1; 0
	// where none was scored.
	Quality float64
	// Poor is set when the chunk is below the threshold and was kept for want of
	// a better one.
	Poor bool
}

// Passage is one piece of text of a context.
type Passage struct {
	ID    string // unique in its documents: "file.md#3"
	File  string // name of its document
	Title string // the headings it stands under
	Text  string
	Span  model.Span // zero when no document was given

	doc *model.Document
}

// NewContext returns a context of texts that all come from one file; an empty
// name stands for a source that is not known.
func NewContext(file string, texts ...string) Context {
	var c Context
	for _, t := range texts {
		c.Passages = append(c.Passages, Passage{File: file, Text: t})
	}
	return c
}

// Files returns the names of the files of the context, in order of appearance.
func (c Context) Files() []string { return c.files(nil) }

// files is Files for the passages numbered in of, or for all.
func (c *Context) files(of []int) []string {
	var out []string
	for i, p := range c.Passages {
		if p.File != "" && (of == nil || slices.Contains(of, i)) && !slices.Contains(out, p.File) {
			out = append(out, p.File)
		}
	}
	return out
}

func (c *Context) texts() []string {
	out := make([]string, len(c.Passages))
	for i, p := range c.Passages {
		out[i] = p.Text
	}
	return out
}

// spans are those of the passages, none if one of them has no document.
func (c *Context) spans() []model.Span {
	out := make([]model.Span, 0, len(c.Passages))
	for _, p := range c.Passages {
		if p.doc == nil || p.Span.EndByte <= p.Span.StartByte {
			return nil
		}
		out = append(out, p.Span)
	}
	return out
}

func (c *Context) chunks() []chunk.Chunk {
	out := make([]chunk.Chunk, len(c.Passages))
	for i, p := range c.Passages {
		out[i] = chunk.Chunk{ID: p.ID, Doc: p.doc, Span: p.Span, Text: p.Text, Title: p.Title, Tokens: chunk.Tokens(p.Text)}
	}
	return out
}

func passage(c *chunk.Chunk) Passage {
	return Passage{ID: c.ID, File: c.Doc.Name, Title: c.Title, Text: c.Text, Span: c.Span, doc: c.Doc}
}
