package model

// Document is a Markdown document, read once and immutable.
type Document struct {
	// Name is the base name of the file; it goes into evidence and is used for
	// nothing else.
	Name string
	// Blocks are the leaf blocks in document order: a heading, a paragraph, a
	// list item's own text, a table row, a code block, a comment.
	Blocks []Block
	// Sections are the headings in order; a Block's Section indexes them.
	Sections []Section
	// QAs are the question/answer pairs and topic/answer entries, in order.
	QAs []QA
	// Tickets are the rows of ticket tables, in order.
	Tickets []Ticket
	// Dialogues are the dialogue excerpts, in order.
	Dialogues []Dialogue

	raw   []byte
	lines []string // line ends removed, nothing trimmed
	ends  []int    // byte offset in raw after each line's terminator
	start int      // offset in raw of the first line: 3 after a BOM
	seen  []seen   // for each block, what the structure is found by
}

// BlockKind is the kind of a [Block].
type BlockKind string

// The kinds of block.
const (
	BlockHeading   BlockKind = "heading"
	BlockParagraph BlockKind = "paragraph"
	BlockItem      BlockKind = "item"      // a list item's own text, without nested items
	BlockHeaderRow BlockKind = "header"    // of a table
	BlockRow       BlockKind = "row"       // of a table; the separator line is no block
	BlockCode      BlockKind = "code"      // fenced or indented
	BlockHTML      BlockKind = "html"      // HTML that is not a comment
	BlockComment   BlockKind = "comment"   // not in force
	BlockMatter    BlockKind = "matter"    // front matter
	BlockRule      BlockKind = "rule"      // a thematic break
	BlockQuoted    BlockKind = "quotation" // a paragraph of a block quote
)

// Block is a leaf block of a document.
type Block struct {
	Kind BlockKind
	// Text is what a reader sees: escapes and Markdown marks removed, comments
	// cut out, soft line breaks as one space.
	Text string
	// Lead is the bold or label part that the block begins with ("Returns" in
	// "**Returns**: within 14 days"), without its colon; often empty.
	Lead string
	// Cells are the texts of a table row's cells.
	Cells []string
	Level int // of a heading 1-6; nesting depth of an item, from 1
	// Ordered is set for items of a numbered list; Number is as written.
	Ordered bool
	Number  int
	// LineStart and LineEnd are 1-based; neither is a blank line.
	LineStart, LineEnd int
	// Section indexes Document.Sections: the heading the block stands under,
	// or -1. A heading's own block has its own section.
	Section int
	// Parent indexes Document.Blocks: the item or paragraph that a nested item
	// belongs to, or a list's introduction ("The bot must:"), or -1.
	Parent int
	// Table numbers the tables of the document from 0; -1 outside tables.
	Table int
}

// InForce reports whether the block states something: a heading, a comment,
// front matter, a rule, code and a table's header do not.
func (b *Block) InForce() bool {
	switch b.Kind {
	case BlockParagraph, BlockItem, BlockRow, BlockQuoted, BlockHTML:
		return b.Text != ""
	default:
		return false
	}
}

// Section is a heading and what it governs.
type Section struct {
	Title string
	Level int
	// Block indexes Document.Blocks.
	Block int
	// Parent indexes Document.Sections, or is -1.
	Parent int
	// LineStart is the heading's line, LineEnd the last line before the next
	// heading of the same or a higher level.
	LineStart, LineEnd int
}

// QA is a question of the document with its answer, or a topic with what the
// document says on it.
type QA struct {
	// Question is the question or topic as a reader sees it, without number,
	// marks and colon.
	Question string
	// Answer is the answer as a reader sees it; paragraphs and items of it are
	// parted by "\n". Neither it nor Question is empty.
	Answer string
	// Topic is set when Question is a label ("Returns"), not a question.
	Topic              bool
	LineStart, LineEnd int
	Section            int
}

// Ticket is one row of a ticket table.
type Ticket struct {
	// ID is the code in the row, or the ticket's number in the document where
	// its table has no codes.
	ID string
	// Message is the customer's message word for word, without the cell's
	// quotation marks and Markdown escapes. It is empty when Empty is set.
	Message string
	// Empty is set when the export marks the message as empty ("(empty
	// message)") or the cell is blank.
	Empty bool
	// Answer is the operator's answer, likewise unquoted. It is a sample, not
	// a gold answer.
	Answer             string
	LineStart, LineEnd int
}

// Turn is one turn of a dialogue excerpt.
type Turn struct {
	// Speaker is the label as written ("Operator").
	Speaker string
	// Role is RoleUser for the speaker who opens the dialogue and RoleOperator
	// for the one who answers; the other way round where the labels say that
	// the operator speaks first.
	Role               string
	Text               string
	LineStart, LineEnd int
}

// Dialogue is a dialogue excerpt of the document.
type Dialogue struct {
	Turns []Turn
}

// ParseOptions bounds the parsing of a document. The zero value is ready.
type ParseOptions struct {
	// MaxBytes is the largest document accepted; 0 means 10 MiB.
	MaxBytes int
}
