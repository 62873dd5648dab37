package giskard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// Row is one entry of a knowledge base that is no document.
type Row struct {
	// ID is unique; empty means the row's place, from 0.
	ID   string
	Text string
}

// DecodeRows reads rows from JSON Lines, each line an object of texts: an entry
// as Giskard's and Giskard Hub's knowledge bases hold it. The text of a row is
// that of its column, where one column is named or there is but one, else lines
// "column: text" in the order of the columns, or of the object if none is named.
// A row without text is kept, and left out of a base. A cell that is no text (a
// number, null, NaN) is a *[RowError], as is a row that lacks a named column.
func DecodeRows(r io.Reader, columns ...string) ([]Row, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("giskard: rows cannot be read: %w", err)
	}
	var rows []Row
	n := 0
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		n++
		text, err := rowText(line, columns)
		if err != nil {
			var bad *RowError
			if errors.As(err, &bad) {
				bad.Row = n
			}
			return nil, err
		}
		rows = append(rows, Row{ID: fmt.Sprint(n - 1), Text: text})
	}
	return rows, nil
}

func rowText(line []byte, columns []string) (string, error) {
	names, cells, err := cellsOf(line)
	if err != nil {
		return "", &RowError{Reason: "it is no JSON object of texts: " + err.Error()}
	}
	if len(columns) > 0 {
		names = columns
	}
	var lines []string
	for _, name := range names {
		raw, ok := cells[name]
		if !ok {
			return "", &RowError{Column: name, Reason: "the row has no such column; its columns are " + strings.Join(slices.Sorted(maps.Keys(cells)), ", ")}
		}
		var text *string
		if json.Unmarshal(raw, &text) != nil || text == nil {
			return "", &RowError{Column: name, Reason: fmt.Sprintf("the cell is %.40s, not a text; make it a text or leave the column out", raw)}
		}
		if len(names) == 1 {
			return *text, nil
		}
		if strings.TrimSpace(*text) != "" {
			lines = append(lines, name+": "+*text)
		}
	}
	return strings.Join(lines, "\n"), nil
}

// cellsOf reads an object, with its keys in order.
func cellsOf(line []byte) (names []string, cells map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(line, &cells); err != nil {
		return nil, nil, err
	}
	if cells == nil {
		return nil, nil, errors.New("it is null")
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if _, err := d.Token(); err != nil {
		return nil, nil, err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, nil, err
		}
		name, _ := key.(string)
		if slices.Contains(names, name) {
			return nil, nil, fmt.Errorf("the key %q stands twice", name)
		}
		names = append(names, name)
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return nil, nil, err
		}
	}
	return names, cells, nil
}

// rowsName is the name of the document that rows are put into.
const rowsName = "knowledge_base.md"

// rowChunks puts the rows into one document, a paragraph each, and returns it
// with their chunks: one for each row with text that fits limit tokens, more for
// a longer one.
func rowChunks(rows []Row, limit int) (*model.Document, []chunk.Chunk, error) {
	var src bytes.Buffer
	var out []chunk.Chunk
	seen := map[string]int{}
	for i, row := range rows {
		id := row.ID
		if id == "" {
			id = fmt.Sprint(i)
		}
		if first, ok := seen[id]; ok {
			return nil, nil, &RowError{Row: i + 1, ID: id, Reason: fmt.Sprintf("row %d has the same id; give every row its own", first)}
		}
		seen[id] = i + 1
		if !utf8.ValidString(row.Text) {
			return nil, nil, &RowError{Row: i + 1, ID: id, Reason: "its text is not UTF-8"}
		}
		if strings.ContainsRune(row.Text, 0) {
			return nil, nil, &RowError{Row: i + 1, ID: id, Reason: "its text holds a NUL character"}
		}
		text := strings.TrimSpace(lineEnds.Replace(row.Text))
		if text == "" {
			continue
		}
		parts := []span{{0, len(text)}}
		if chunk.Tokens(text) > limit {
			parts = split(text, limit)
		}
		for k, p := range parts {
			c := chunk.Chunk{ID: id, Text: text[p.start:p.end]}
			if len(parts) > 1 {
				c.ID = fmt.Sprintf("%s#%d", id, k+1)
			}
			c.Tokens = chunk.Tokens(c.Text)
			c.Span.StartByte, c.Span.EndByte = src.Len()+p.start, src.Len()+p.end
			out = append(out, c)
		}
		src.WriteString(text + "\n\n")
	}
	if len(out) == 0 {
		return nil, nil, ErrEmpty
	}
	doc, err := model.ParseMarkdown(rowsName, src.Bytes(), &model.ParseOptions{MaxBytes: max(10<<20, src.Len())})
	if err != nil {
		return nil, nil, fmt.Errorf("giskard: rows: %w", err)
	}
	line, at := 1, 0
	for i := range out {
		s := &out[i].Span
		line += bytes.Count(src.Bytes()[at:s.StartByte], []byte("\n"))
		s.Doc, s.StartLine = rowsName, line
		line += strings.Count(out[i].Text, "\n")
		s.EndLine, at = line, s.EndByte
		out[i].Doc = doc
	}
	return doc, out, nil
}

var lineEnds = strings.NewReplacer("\ufeff", "", "\r\n", "\n", "\r", "\n")

type span struct{ start, end int }

// split cuts a text into parts of at most limit tokens, at ends of lines or
// between words, so that only space is left out.
func split(text string, limit int) []span {
	var out []span
	start, end := 0, 0 // of the part under way
	for i := 0; i < len(text); {
		next := i + wordEnd(text[i:], limit)
		if end > start && chunk.Tokens(text[start:next]) > limit {
			out = append(out, span{start, end})
			start = i
		}
		end = next
		i = next + len(text[next:]) - len(strings.TrimLeft(text[next:], " \t\r\n"))
		if end == start {
			start, end = i, i
		}
	}
	if end > start {
		out = append(out, span{start, end})
	}
	return out
}

// wordEnd is the length of the word that s begins with, or of its first
// characters where it has more than limit: some scripts put no space between
// words.
func wordEnd(s string, limit int) int {
	n := 0
	for i, r := range s {
		if r == ' ' || r == '\t' || r == '\n' || n == limit {
			return i
		}
		n++
	}
	return len(s)
}
