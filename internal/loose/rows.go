package loose

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Shape says by its keys whose records a file holds.
type Shape struct {
	Name string // "goldens of DeepEval"
	// Match reports whether a record with these keys is one.
	Match func(has func(key string) bool) bool
	// Asks are the keys of what is asked where it is never a number. Giskard's
	// files are written by pandas, which makes numbers of digits.
	Asks []string
	// Wrappers are the keys of a list of records in an object.
	Wrappers []string
}

// The shapes that are told apart.
var (
	DeepEval = Shape{
		Name: "goldens of DeepEval",
		Match: func(has func(string) bool) bool {
			if has("scenario") {
				return !has("user_input")
			}
			return has("input") && !has("vars") && !has("messages") && !has("target") && !has("question")
		},
		Asks:     []string{"input"},
		Wrappers: []string{"goldens", "conversationalGoldens", "conversational_goldens"},
	}
	Ragas = Shape{
		Name: "samples of Ragas",
		Match: func(has func(string) bool) bool {
			return has("user_input") || has("eval_sample") ||
				has("question") && (has("ground_truth") || has("ground_truths") || has("contexts") || has("ground_truth_context"))
		},
		Asks:     []string{"user_input", "question"},
		Wrappers: []string{"samples"},
	}
	Giskard = Shape{
		Name: "questions of Giskard",
		Match: func(has func(string) bool) bool {
			return has("question") && (has("reference_answer") || has("reference_context"))
		},
		Wrappers: []string{"questions"},
	}
	others = []Shape{
		{Name: "a knowledge graph of Ragas, which has no samples in it", Match: all("nodes", "relationships")},
		{Name: "test cases of Giskard Hub", Match: all("messages", "demo_output")},
		{Name: "scenarios of Giskard Hub", Match: all("interactions")},
		{Name: "a dataset.json of casebook", Match: all("examples")},
		{Name: "test cases of promptfoo", Match: all("vars")},
		{Name: "items of OpenAI Evals", Match: all("item")},
	}
)

func all(keys ...string) func(func(string) bool) bool {
	return func(has func(string) bool) bool {
		return !slices.ContainsFunc(keys, func(k string) bool { return !has(k) })
	}
}

// LooksError says what a file looks like that holds no records of a shape.
type LooksError struct {
	Looks, Remedy string
}

// Error implements error.
func (e *LooksError) Error() string { return "it looks like " + e.Looks }

// Row is one record of a file.
type Row struct {
	Index int    // in the file, from 0
	Line  int    // where it begins, from 1
	JSON  []byte // an object; empty if Err is set
	Err   error
}

// Rows returns the records of a file: JSON (a list, an object with a list in it,
// a DataFrame), JSON lines, objects one after another, or CSV. A row that cannot
// be read has an Err. The error is a *[LooksError] when the file holds nothing of
// the shape.
func Rows(b []byte, shape Shape) ([]Row, error) {
	if err := readable(b); err != nil {
		return nil, err
	}
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	start := bytes.IndexFunc(b, func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) })
	if start < 0 {
		return nil, &LooksError{Looks: "an empty file"}
	}
	var rows []Row
	switch {
	case b[start] == '[':
		rows = list(b, start)
	case b[start] == '{':
		rows = objects(b, shape)
	default:
		return table(b, shape)
	}
	for i := range rows {
		rows[i].Index = i
	}
	if err := check(rows, shape); err != nil {
		return nil, err
	}
	return rows, nil
}

// magics are how files begin that are no text.
var magics = []struct{ prefix, looks, remedy string }{
	{"PK\x03\x04", "a zip archive or an Excel workbook", "save it as CSV or JSON"},
	{"PAR1", "a Parquet file", "save it as JSON or CSV"},
	{"\x1f\x8b", "a gzip archive", "unpack it first"},
	{"%PDF", "a PDF file", ""},
	{"\xff\xfe", "text in UTF-16", "save it as UTF-8"},
	{"\xfe\xff", "text in UTF-16", "save it as UTF-8"},
	{"SQLite format 3", "an SQLite database", ""},
	{"ARROW1", "an Arrow file", "save it as JSON or CSV"},
}

func readable(b []byte) error {
	for _, m := range magics {
		if bytes.HasPrefix(b, []byte(m.prefix)) {
			return &LooksError{m.looks, m.remedy}
		}
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return &LooksError{"a binary file", ""}
	}
	if !utf8.Valid(b) {
		return &LooksError{"text in another encoding than UTF-8", "write it again with the environment variable PYTHONUTF8=1"}
	}
	return nil
}

// check refuses a file in which no row has the shape.
func check(rows []Row, shape Shape) error {
	var first Fields
	for _, r := range rows {
		f, err := Parse(r.JSON)
		if err != nil {
			continue
		}
		if shape.Match(f.has) {
			return nil
		}
		if first == nil {
			first = f
		}
	}
	if first == nil {
		if len(rows) == 0 {
			return nil // an empty list is a dataset without records
		}
		return &LooksError{"JSON that is broken or holds no objects: " + reason(rows[0].Err), ""}
	}
	return &LooksError{looks(first.has, "JSON with the keys ", first.keys()), ""}
}

func reason(err error) string {
	if err == nil {
		return "its records have no keys"
	}
	return err.Error()
}

func (f Fields) has(key string) bool { _, ok := f[key]; return ok }

func (f Fields) keys() []string {
	keys := make([]string, 0, len(f))
	for k := range f {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func looks(has func(string) bool, what string, keys []string) string {
	for _, s := range append([]Shape{DeepEval, Ragas, Giskard}, others...) {
		if s.Match(has) {
			return s.Name
		}
	}
	if len(keys) == 0 {
		return "an empty JSON object"
	}
	const most = 8
	for i, k := range keys {
		if r := []rune(k); len(r) > 30 {
			keys[i] = string(r[:30]) + "…"
		}
	}
	if len(keys) > most {
		keys = append(keys[:most:most], "…")
	}
	return what + strings.Join(keys, ", ")
}

// list splits the list that begins at start into its elements, so that a broken
// one does not take the others with it.
func list(b []byte, start int) []Row {
	var rows []Row
	lines := &liner{b: b}
	end := len(bytes.TrimRight(b, " \t\r\n"))
	closed := false
	from, depth, quoted := -1, 0, false
	for i := start + 1; i < end && !closed; i++ {
		c := b[i]
		switch {
		case quoted:
			if c == '\\' {
				i++
			} else if c == '"' {
				quoted = false
			}
			continue
		case strings.IndexByte(" \t\r\n", c) >= 0:
			continue
		case depth == 0 && (c == ',' || c == ']'):
			if from >= 0 {
				rows = append(rows, Row{Line: lines.line(from)}.with(b[from:i]))
			}
			from = -1
			closed = c == ']'
			continue
		}
		if from < 0 {
			from = i
		}
		switch c {
		case '"':
			quoted = true
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
	}
	switch {
	case from >= 0:
		rows = append(rows, Row{Line: lines.line(from), Err: errors.New("the file ends inside it")})
	case !closed && len(rows) > 0:
		rows = append(rows, Row{Line: lines.line(end), Err: errors.New("the file ends before the list does")})
	}
	return rows
}

// liner counts the lines of a text up to offsets that only grow.
type liner struct {
	b     []byte
	at, n int
}

func (l *liner) line(at int) int {
	at = max(min(at, len(l.b)), l.at)
	l.n += bytes.Count(l.b[l.at:at], []byte("\n"))
	l.at = at
	return l.n + 1
}

// with makes the row of a text, which may be a Python literal in place of JSON.
func (r Row) with(text []byte) Row {
	if _, err := Parse(text); err != nil {
		if py, perr := Python(string(text)); perr == nil && py[0] == '{' {
			r.JSON = py
			return r
		}
		r.Err = err
		return r
	}
	r.JSON = Finite(bytes.TrimSpace(text))
	return r
}

// objects reads what begins with "{": JSON lines, one object, or several of any
// layout.
func objects(b []byte, shape Shape) []Row {
	first, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	whole := Finite(b)
	if json.Valid(whole) {
		return one(whole, shape)
	}
	if r := (Row{}).with(first); r.Err == nil || !stream(whole) {
		return lines(b)
	}
	var rows []Row
	at := &liner{b: whole}
	dec := json.NewDecoder(bytes.NewReader(whole))
	for {
		var raw json.RawMessage
		err := dec.Decode(&raw)
		if errors.Is(err, io.EOF) {
			return rows
		}
		end := int(dec.InputOffset())
		if err != nil {
			return append(rows, Row{Line: at.line(end), Err: fmt.Errorf("it is no JSON object, and what follows cannot be told from it: %w", err)})
		}
		rows = append(rows, Row{Line: at.line(end - len(raw))}.with(raw))
	}
}

// stream reports whether b begins with a whole JSON value.
func stream(b []byte) bool {
	var raw json.RawMessage
	return json.NewDecoder(bytes.NewReader(b)).Decode(&raw) == nil
}

func lines(b []byte) []Row {
	var rows []Row
	n := 0
	for len(b) > 0 {
		var l []byte
		l, b, _ = bytes.Cut(b, []byte("\n"))
		n++
		if len(bytes.TrimSpace(l)) > 0 {
			rows = append(rows, Row{Line: n}.with(l))
		}
	}
	return rows
}

// one reads a single object: a record, a wrapper of records, or a DataFrame as
// to_json writes it by default (columns of cells) or with orient "split".
func one(b []byte, shape Shape) []Row {
	single := []Row{Row{Line: (&liner{b: b}).line(len(b) - len(bytes.TrimLeft(b, " \t\r\n")))}.with(b)}
	f, err := Parse(b)
	if err != nil {
		return single
	}
	var rows []Row
	wrapped := false
	for _, k := range shape.Wrappers {
		if v, ok := f[k]; ok && v[0] == '[' {
			wrapped = true
			rows = append(rows, elements(v)...)
		}
	}
	switch {
	case wrapped:
		return rows
	case f.has("columns") && f.has("data"):
		if rows := split(f); rows != nil {
			return rows
		}
	case shape.Match(f.has):
		if rows := columns(b); rows != nil {
			return rows
		}
	}
	return single
}

func elements(v json.RawMessage) []Row {
	var items []json.RawMessage
	if json.Unmarshal(v, &items) != nil {
		return nil
	}
	rows := make([]Row, len(items))
	for i, item := range items {
		rows[i] = Row{Line: 1}.with(item)
	}
	return rows
}

func split(f Fields) []Row {
	var names []string
	var cells [][]json.RawMessage
	var index []json.RawMessage
	if json.Unmarshal(f["columns"], &names) != nil || json.Unmarshal(f["data"], &cells) != nil {
		return nil
	}
	_ = json.Unmarshal(f["index"], &index)
	rows := make([]Row, len(cells))
	for i, c := range cells {
		o := &Object{}
		for k, n := range names {
			if k < len(c) {
				o.put(n, c[k])
			}
		}
		if i < len(index) {
			indexed(o, index[i])
		}
		rows[i] = made(o)
	}
	return rows
}

// indexed keeps the label of a DataFrame's row as its id, unless it is only its
// number.
func indexed(o *Object, label json.RawMessage) {
	if len(label) > 0 && label[0] == '"' {
		o.put("id", label)
	}
}

func made(o *Object) Row {
	b, err := o.Bytes()
	return Row{Line: 1, JSON: b, Err: err}
}

// columns reads {"input": {"0": ..., "1": ...}, ...}; nil if it is not that.
func columns(b []byte) []Row {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var labels []string
	cells := map[string]*Object{}
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil
		}
		if t, err := dec.Token(); err != nil || t != json.Delim('{') {
			return nil
		}
		for dec.More() {
			label, err := dec.Token()
			var v json.RawMessage
			if err != nil || dec.Decode(&v) != nil {
				return nil
			}
			l := label.(string)
			if cells[l] == nil {
				cells[l] = &Object{}
				labels = append(labels, l)
			}
			cells[l].put(name.(string), v)
		}
		if _, err := dec.Token(); err != nil {
			return nil
		}
	}
	rows := make([]Row, len(labels))
	for i, l := range labels {
		if strings.Trim(l, "0123456789") != "" {
			cells[l].put("id", l)
		}
		rows[i] = made(cells[l])
	}
	return rows
}

// table reads CSV. Cells stay texts, empty ones and those that pandas writes for
// nothing are null.
func table(b []byte, shape Shape) ([]Row, error) {
	var header []string
	var r *csv.Reader
	for _, comma := range ",;\t" {
		r = csv.NewReader(bytes.NewReader(b))
		r.Comma, r.FieldsPerRecord = comma, -1
		h, err := r.Read()
		if err != nil {
			continue
		}
		for i := range h {
			h[i] = strings.TrimSpace(h[i])
		}
		if shape.Match(func(k string) bool { return slices.Contains(h, k) }) {
			header = h
			break
		}
	}
	if header == nil {
		return nil, notTable(b)
	}
	var rows []Row
	skipped := 0 // lines before those that r reads
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		out := Row{Index: len(rows)}
		var bad *csv.ParseError
		switch {
		case errors.As(err, &bad):
			out.Line, out.Err = skipped+bad.StartLine, fmt.Errorf("its quotation marks are broken: %w", bad.Err)
			if bad.Line > bad.StartLine {
				// A mark that is not closed took lines with it that may be rows.
				comma := r.Comma
				skipped += bad.StartLine
				for range bad.StartLine {
					_, b, _ = bytes.Cut(b, []byte("\n"))
				}
				r = csv.NewReader(bytes.NewReader(b))
				r.Comma, r.FieldsPerRecord = comma, -1
			}
		case err != nil:
			return nil, err
		default:
			out.Line, _ = r.FieldPos(0)
			out.Line += skipped
			if len(cells) > len(header) {
				out.Err = fmt.Errorf("it has %d cells, the header %d", len(cells), len(header))
				break
			}
			o := &Object{}
			for i, c := range cells {
				if header[i] != "" {
					o.put(header[i], cell(c))
				}
			}
			out.JSON, out.Err = o.Bytes()
		}
		rows = append(rows, out)
	}
}

func cell(s string) any {
	switch s {
	case "", "NaN", "nan", "None":
		return nil
	}
	return s
}

func notTable(b []byte) error {
	first, _, _ := bytes.Cut(b, []byte("\n"))
	if bytes.HasPrefix(bytes.TrimSpace(first), []byte("<")) {
		return &LooksError{"HTML or XML", ""}
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.FieldsPerRecord = -1
	header, err := r.Read()
	if err != nil || len(header) < 2 || len(bytes.TrimSpace(first)) > 2000 || bytes.HasPrefix(first, []byte("#")) {
		return &LooksError{"plain text or Markdown", ""}
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	return &LooksError{looks(func(k string) bool { return slices.Contains(header, k) }, "a CSV file with the columns ", header), ""}
}
