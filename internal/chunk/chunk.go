// Package chunk cuts documents into the passages that a generator gives a model
// as contexts.
//
// A chunk is a contiguous run of bytes of one document, whole blocks where they
// fit. What is no part of the document for a reader is in no chunk: comments,
// link definitions and front matter part the chunks around them, and a thematic
// break or blank line at an end of a chunk is cut off. A comment inside a line of
// text stays, since a chunk has no gaps.
package chunk

import (
	"strconv"
	"strings"

	"github.com/casebook-go/casebook/model"
)

// Chunk is a passage of a document.
type Chunk struct {
	// ID is the document's name, "#" and the chunk's number from 1: "faq.md#3".
	// It is unique among the chunks of one Split; documents of one name are
	// numbered on.
	ID  string
	Doc *model.Document
	// Span is where the chunk stands: Text == string(Doc.Bytes()[StartByte:EndByte]),
	// and its lines hold it.
	Span model.Span
	// Text is the raw bytes, line ends as they are.
	Text string
	// Title is the headings that the chunk stands under, from the outermost,
	// joined with " > "; where it holds small sections, those of the largest.
	// It is empty where there are none.
	Title string
	// Tokens is [Tokens] of Text.
	Tokens int
}

// The sizes that zero options stand for.
const (
	DefaultMaxTokens = 256
	DefaultMinTokens = 32
)

// minMax is the smallest MaxTokens: less would cut words apart.
const minMax = 8

// Options says how large chunks are, in units of [Tokens]. Nil and zero fields
// mean the defaults.
type Options struct {
	// MaxTokens is the most that a chunk has, what it repeats included; 0 means
	// 256, and the least is 8.
	MaxTokens int
	// MinTokens is the size below which a chunk is joined with a neighbour of
	// its top-level section, if both fit; one of less than a quarter of it with
	// any neighbour. 0 means 32, less where MaxTokens is small; negative joins
	// none.
	MinTokens int
	// OverlapTokens is the most that a chunk repeats of the text before it, in
	// whole sentences or lines, and never across what parts chunks. 0 repeats
	// nothing; it is held to half of MaxTokens.
	OverlapTokens int
}

func (o *Options) withDefaults() Options {
	var out Options
	if o != nil {
		out = *o
	}
	if out.MaxTokens <= 0 {
		out.MaxTokens = DefaultMaxTokens
	}
	out.MaxTokens = max(out.MaxTokens, minMax)
	if out.MinTokens == 0 {
		out.MinTokens = min(DefaultMinTokens, out.MaxTokens/4)
	}
	out.MinTokens = max(0, min(out.MinTokens, out.MaxTokens/2))
	out.OverlapTokens = max(0, min(out.OverlapTokens, out.MaxTokens/2))
	return out
}

// Split cuts documents into chunks, in order. Without overlap no word of a
// document is lost or stands in two chunks.
//
// A heading stays with what follows it, an introduction with its list, the head
// of a table with a row. A question with its answer, a ticket, a dialogue and a
// table are one piece if they fit MaxTokens with the headings before them; a
// question of at least MinTokens is a chunk of its own. Other blocks of a section
// fill a chunk together. What does not fit is cut between lines, then between
// sentences, then words; only a word longer than MaxTokens is cut itself.
//
// Every document with text in it gives a chunk. A chunk of headings alone comes
// only of a document that has nothing else, or of headings that are longer than
// MaxTokens together. A heading that a comment parts from all that it stands over
// is in the chunks' titles only.
func Split(docs []*model.Document, o *Options) []Chunk {
	opts := o.withDefaults()
	var out []Chunk
	numbers := map[string]int{}
	for _, d := range docs {
		s := newSplitter(d, opts)
		for _, c := range s.split() {
			numbers[d.Name]++
			c.ID = d.Name + "#" + strconv.Itoa(numbers[d.Name])
			out = append(out, c)
		}
	}
	return out
}

// title joins the headings of a section and of those around it.
func title(d *model.Document, section int) string {
	var parts []string
	for section >= 0 {
		if t := d.Sections[section].Title; t != "" {
			parts = append(parts, t)
		}
		section = d.Sections[section].Parent
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, " > ")
}
