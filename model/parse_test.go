package model_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/model"
)

func parse(t testing.TB, text string) *model.Document {
	t.Helper()
	d, err := model.ParseMarkdown("doc.md", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestLines(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"LF", "a\nb\n", []string{"a", "b"}},
		{"no final line end", "a\nb", []string{"a", "b"}},
		{"CRLF", "a\r\nb\r\n", []string{"a", "b"}},
		{"lone CR", "# a\rb\r\rc", []string{"# a", "b", "", "c"}},
		{"mixed", "a\r\n\rb\n\nc", []string{"a", "", "b", "", "c"}},
		{"byte order mark", "\ufeff# a\nb", []string{"# a", "b"}},
		{"other separators stay", "a\u2028b\u2029c\u0085d\ve\ff\nб", []string{"a\u2028b\u2029c\u0085d\ve\ff", "б"}},
		{"trailing blanks stay", "a  \n\n b\t\n\n\n", []string{"a  ", "", " b\t", "", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := parse(t, c.text)
			var got []string
			for n := 1; n <= d.NumLines(); n++ {
				got = append(got, d.Line(n))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if got, want := d.Text(), strings.Join(c.want, "\n"); got != want {
				t.Errorf("Text() = %q, want %q", got, want)
			}
			checkDocument(t, d)
		})
	}
}

func TestLineOutOfRange(t *testing.T) {
	t.Parallel()
	d := parse(t, "a\nb")
	for _, n := range []int{-1, 0, 3} {
		if got := d.Line(n); got != "" {
			t.Errorf("Line(%d) = %q, want none", n, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		text    string
		limit   int
		problem model.Problem
		line    int
		offset  int
		message string
	}{
		{"empty", "", 0, model.ProblemEmpty, 0, 0, "doc.md: the document is empty; give a document with text in it"},
		{"blank", "\ufeff \n\t\n\u00a0\n", 0, model.ProblemEmpty, 0, 0, "doc.md: the document holds only blank lines; give a document with text in it"},
		{"too large", "abcd", 3, model.ProblemTooLarge, 0, 0, "doc.md: the document has 4 bytes, more than the limit of 3; split it, or raise the limit (ParseOptions.MaxBytes)"},
		{"not UTF-8", "а\nb\xffc", 0, model.ProblemEncoding, 2, 4, "doc.md:2 (byte 4): byte 0xff is not UTF-8; save the document as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", 0, model.ProblemEncoding, 1, 0, "doc.md:1 (byte 0): the document is UTF-16, not UTF-8; save it as UTF-8"},
		{"binary", "PK\n\x00", 0, model.ProblemBinary, 2, 3, "doc.md:2 (byte 3): the document holds a NUL byte, so it is no text file; give a Markdown text file; convert other formats first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := model.ParseMarkdown("doc.md", []byte(c.text), &model.ParseOptions{MaxBytes: c.limit})
			var e *model.ParseError
			if !errors.As(err, &e) {
				t.Fatalf("error is %v, want a *ParseError", err)
			}
			if e.Problem != c.problem || e.Line != c.line || e.Offset != c.offset {
				t.Errorf("problem %s at line %d, byte %d; want %s at line %d, byte %d", e.Problem, e.Line, e.Offset, c.problem, c.line, c.offset)
			}
			if err.Error() != c.message {
				t.Errorf("message %q, want %q", err, c.message)
			}
		})
	}
}

func TestDefaultLimit(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("word\n", model.DefaultMaxBytes/5) // one byte below the limit
	if _, err := model.ParseMarkdown("doc.md", []byte(text), nil); err != nil {
		t.Errorf("%d bytes: %v", len(text), err)
	}
	var e *model.ParseError
	if _, err := model.ParseMarkdown("doc.md", []byte(text+"ab"), nil); !errors.As(err, &e) || e.Problem != model.ProblemTooLarge {
		t.Errorf("%d bytes: %v, want too_large", len(text)+2, err)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	d := parse(t, "\ufeff# Правила\r\n\r\n* Не давать *номер* \\!  \r\n* второе\u2028правило\r\n\r\n")
	e, err := d.Cut(3, 4)
	if err != nil {
		t.Fatal(err)
	}
	want := model.Evidence{InputFile: "doc.md", LineStart: 3, LineEnd: 4, Quote: "* Не давать *номер* \\!  \n* второе\u2028правило"}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("Cut (-want +got):\n%s", diff)
	}
	s, err := d.Span(3, 4)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(d.Bytes()[s.StartByte:s.EndByte]); got != "* Не давать *номер* \\!  \r\n* второе\u2028правило" {
		t.Errorf("Span holds %q", got)
	}
	for _, c := range []struct {
		start, end int
		reason     string
	}{
		{0, 1, "the document has lines 1-5"},
		{4, 6, "the document has lines 1-5"},
		{4, 3, "the range ends before it starts"},
		{2, 3, "line 2, the first, is blank"},
		{4, 5, "line 5, the last, is blank"},
	} {
		_, err := d.Cut(c.start, c.end)
		var re *model.RangeError
		if !errors.As(err, &re) || re.Reason != c.reason {
			t.Errorf("Cut(%d, %d): %v, want %q", c.start, c.end, err, c.reason)
		}
		if _, err := d.Span(c.start, c.end); !errors.As(err, &re) || re.Reason != c.reason {
			t.Errorf("Span(%d, %d): %v, want %q", c.start, c.end, err, c.reason)
		}
	}
}

func TestTighten(t *testing.T) {
	t.Parallel()
	d := parse(t, "\na\n\nb\n \n")
	for _, c := range []struct {
		start, end, first, last int
		ok                      bool
	}{
		{1, 5, 2, 4, true},
		{-3, 99, 2, 4, true},
		{2, 2, 2, 2, true},
		{3, 3, 0, 0, false},
		{4, 2, 0, 0, false},
	} {
		first, last, ok := d.Tighten(c.start, c.end)
		if first != c.first || last != c.last || ok != c.ok {
			t.Errorf("Tighten(%d, %d) = %d, %d, %t, want %d, %d, %t", c.start, c.end, first, last, ok, c.first, c.last, c.ok)
		}
	}
}

func TestSupports(t *testing.T) {
	t.Parallel()
	text := strings.Join([]string{
		"---", "title: x", "---", // 1-3
		"# Heading", "", // 4
		"Setext", "===", "", // 6-7
		"A rule.", "---x", "", // 9-10
		"* * *",         // 12
		"- ", "- first", // 13-14
		"",
		"| a | b |", "|---|---|", "| 1 | 2 |", // 16-18
		"",
		"<!-- not", "in force -->", // 20-21
		"~~struck~~", // 22
		"", "```", "code", "```", "",
		"[note]: # (hidden)", // 28
	}, "\n")
	d := parse(t, text)
	want := map[int]bool{9: true, 10: true, 14: true, 18: true}
	for n := 1; n <= d.NumLines(); n++ {
		if got := d.Supports(n, n); got != want[n] {
			t.Errorf("line %d %q: Supports = %t, want %t", n, d.Line(n), got, want[n])
		}
	}
	if !d.Supports(4, 9) || d.Supports(19, 28) {
		t.Errorf("ranges: Supports(4, 9) = %t, Supports(19, 28) = %t, want true, false", d.Supports(4, 9), d.Supports(19, 28))
	}
}

func TestBlocksIn(t *testing.T) {
	t.Parallel()
	d := parse(t, "# H\n\na\nb\n\n- c\n  d\n- e\n")
	for _, c := range []struct {
		start, end int
		want       []string
	}{
		{1, 8, []string{"H", "a b", "c d", "e"}},
		{4, 6, []string{"a b", "c d"}},
		{2, 2, nil},
		{7, 7, []string{"c d"}},
		{9, 20, nil},
	} {
		var got []string
		for _, b := range d.BlocksIn(c.start, c.end) {
			got = append(got, b.Text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("BlocksIn(%d, %d) (-want +got):\n%s", c.start, c.end, diff)
		}
	}
}

// checkDocument holds what is true of every document.
func checkDocument(t testing.TB, d *model.Document) {
	t.Helper()
	raw := strings.TrimPrefix(string(d.Bytes()), "\ufeff")
	lines := strings.Split(strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\r", "\n"), "\n")
	if n := len(lines); n > 0 && lines[n-1] == "" {
		lines = lines[:n-1]
	}
	if d.NumLines() != len(lines) {
		t.Fatalf("%d lines, want %d", d.NumLines(), len(lines))
	}
	quote := func(what string, start, end int) {
		t.Helper()
		e, err := d.Cut(start, end)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if want := strings.Join(lines[start-1:end], "\n"); e.Quote != want {
			t.Fatalf("%s: quote %q, want %q", what, e.Quote, want)
		}
		s, err := d.Span(start, end)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if got := string(d.Bytes()[s.StartByte:s.EndByte]); strings.ReplaceAll(strings.ReplaceAll(got, "\r\n", "\n"), "\r", "\n") != e.Quote {
			t.Fatalf("%s: the span holds %q, the quote is %q", what, got, e.Quote)
		}
	}
	last := 0
	for i := range d.Blocks {
		b := &d.Blocks[i]
		quote("block "+b.Text, b.LineStart, b.LineEnd)
		if b.LineEnd < last || b.LineStart < last {
			t.Fatalf("block %d (%d-%d) is out of order after line %d", i, b.LineStart, b.LineEnd, last)
		}
		last = b.LineEnd
		if b.Parent >= i || b.Parent < -1 || b.Section >= len(d.Sections) || b.Section < -1 {
			t.Fatalf("block %d has parent %d and section %d of %d", i, b.Parent, b.Section, len(d.Sections))
		}
		if b.InForce() && b.Kind != model.BlockHTML && !d.Supports(b.LineStart, b.LineEnd) {
			t.Fatalf("block %d (%q) is in force and supports nothing", i, b.Text)
		}
	}
	for _, q := range d.QAs {
		quote("question "+q.Question, q.LineStart, q.LineEnd)
		if q.Question == "" || q.Answer == "" {
			t.Fatalf("question %q, answer %q: neither may be empty", q.Question, q.Answer)
		}
	}
	for _, k := range d.Tickets {
		quote("ticket "+k.ID, k.LineStart, k.LineEnd)
		if k.Empty != (k.Message == "") || k.ID == "" {
			t.Fatalf("ticket %+v: a message is empty if and only if it is marked so", k)
		}
	}
	for _, dl := range d.Dialogues {
		if len(dl.Turns) < 2 {
			t.Fatalf("a dialogue has %d turns", len(dl.Turns))
		}
		roles := map[string]bool{}
		for _, u := range dl.Turns {
			quote("turn "+u.Text, u.LineStart, u.LineEnd)
			roles[u.Role] = true
		}
		if !roles[model.RoleUser] || !roles[model.RoleOperator] {
			t.Fatalf("a dialogue has the roles %v", roles)
		}
	}
	for i, s := range d.Sections {
		if s.Parent >= i || s.LineStart < 1 || s.LineEnd > d.NumLines() || s.LineEnd < s.LineStart || d.Blocks[s.Block].Kind != model.BlockHeading {
			t.Fatalf("section %d is %+v", i, s)
		}
	}
}

// The documents of the project, whole, against files that a person has read.
func TestGoldenDocuments(t *testing.T) {
	t.Parallel()
	docs, err := filepath.Glob("../examples/documents/*.md")
	if err != nil || len(docs) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for _, path := range docs {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			d, err := model.ParseMarkdown(name, b, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkDocument(t, d)
			golden := filepath.Join("testdata", strings.TrimSuffix(name, ".md")+".golden")
			if flag.Lookup("update").Value.String() == "true" {
				if err := os.WriteFile(golden, []byte(dump(d)), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v; run go test ./model -update and read what it writes", err)
			}
			if diff := cmp.Diff(string(want), dump(d)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			b = []byte(strings.ReplaceAll(strings.TrimPrefix(string(b), "\ufeff"), "\r\n", "\n"))
			crlf := parse(t, "\ufeff"+strings.ReplaceAll(string(b), "\n", "\r\n"))
			if diff := cmp.Diff(dump(d), dump(crlf)); diff != "" {
				t.Errorf("with CRLF and a byte order mark (-LF +CRLF):\n%s", diff)
			}
			cr := parse(t, strings.ReplaceAll(string(b), "\n", "\r"))
			if diff := cmp.Diff(dump(d), dump(cr)); diff != "" {
				t.Errorf("with lone CR (-LF +CR):\n%s", diff)
			}
		})
	}
}

// shared returns a document of the folder that CASEBOOK_SHARED names.
func shared(t *testing.T, name string) *model.Document {
	t.Helper()
	dir := os.Getenv("CASEBOOK_SHARED")
	if dir == "" {
		dir = "../../shared"
	}
	b, err := os.ReadFile(filepath.Join(dir, "inputs", name))
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("the shared documents are absent (CASEBOOK_SHARED): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	d, err := model.ParseMarkdown(name, b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSharedDocuments(t *testing.T) {
	t.Parallel()
	type counts struct{ QAs, Topics, Tickets, Empty, Dialogues, Turns, Sections int }
	for name, want := range map[string]counts{
		"example_input_raw_support_faq_and_tickets.md": {QAs: 5, Topics: 5, Tickets: 13, Empty: 1, Sections: 4},
		"example_input_raw_doctor_booking.md":          {QAs: 8, Topics: 5, Tickets: 16, Empty: 1, Sections: 7},
		"example_input_raw_operator_quality_checks.md": {Dialogues: 1, Turns: 2, Sections: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := shared(t, name)
			checkDocument(t, d)
			got := counts{QAs: len(d.QAs), Tickets: len(d.Tickets), Dialogues: len(d.Dialogues), Sections: len(d.Sections)}
			for _, q := range d.QAs {
				if q.Topic {
					got.Topics++
				}
				if q.LineStart != q.LineEnd {
					t.Errorf("the entry %q spans lines %d-%d: it swallowed what follows", q.Question, q.LineStart, q.LineEnd)
				}
			}
			for _, k := range d.Tickets {
				if k.Empty {
					got.Empty++
				}
				if strings.ContainsAny(k.Message+k.Answer, `«»\`) {
					t.Errorf("ticket %s keeps marks: %q -> %q", k.ID, k.Message, k.Answer)
				}
				if !strings.HasPrefix(d.Line(k.LineStart), "| "+k.ID) {
					t.Errorf("ticket %s is on line %d %q", k.ID, k.LineStart, d.Line(k.LineStart))
				}
			}
			for _, dl := range d.Dialogues {
				got.Turns += len(dl.Turns)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
