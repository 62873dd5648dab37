package python

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestJobOnTheWire(t *testing.T) {
	t.Parallel()
	j := &job{
		Op: "samples", Endpoint: endpoint{URL: "http://127.0.0.1:80/v1", Token: "t", Model: "m", EmbeddingModel: "e"}, Concurrency: 16,
		Tasks: []task{{ID: "t1", Seed: 1<<62 + 1, Body: json.RawMessage(`{"вопрос":"<b>"}`)}},
	}
	got, err := j.encode("j1")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"job","id":"j1","op":"samples","endpoint":{"url":"http://127.0.0.1:80/v1","token":"t","model":"m","embedding_model":"e"},` +
		`"concurrency":16,"shared":null,"tasks":[{"id":"t1","seed":4611686018427387905,"body":{"вопрос":"\u003cb\u003e"}}]}` + "\n"
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("job (-want +got):\n%s", diff)
	}
	for name, bad := range map[string]*job{
		"an id twice": {Tasks: []task{{ID: "a"}, {ID: "a"}}},
		"no JSON":     {Tasks: []task{{ID: "a", Body: json.RawMessage("{")}}},
	} {
		if b, err := bad.encode("j1"); err == nil {
			t.Errorf("%s: written as %s", name, b)
		}
	}
}

func TestParseMessage(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]*message{
		`{"type":"ready","protocol":1,"framework":"ragas","version":"0.4.3","python":"3.11.7","packages":{"openai":"2.1.0"}}`: {
			Type: typeReady, Protocol: 1, Framework: "ragas", Version: "0.4.3", Python: "3.11.7", Packages: map[string]string{"openai": "2.1.0"},
		},
		`{"type":"failed","error":{"kind":"import","type":"ImportError","message":"x"}}`: {
			Type: typeFailed, Error: &fault{Kind: KindImport, Type: "ImportError", Message: "x"},
		},
		`{"type":"record","job":"j1","task":"t1","record": {"n":1e3,"текст":"да"} }`: {
			Type: typeRecord, Job: "j1", Task: "t1", Record: json.RawMessage(`{"n":1e3,"текст":"да"}`),
		},
		`{"type":"progress","job":"j1","done":3,"total":10}`: {Type: typeProgress, Job: "j1", Done: 3, Total: 10},
		`{"type":"done","job":"j1","task":"t1","later":[]}`:  {Type: typeDone, Job: "j1", Task: "t1"},
		`{"type":"result","job":"j1","records":5,"errors":1}`: {
			Type: typeResult, Job: "j1", Records: 5, Errors: 1,
		},
	} {
		got, err := parseMessage([]byte(line))
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
	for _, line := range []string{
		"", " ", "null", "[]", "{}", `"ready"`, "1", "Fetching 3 files: 100%", `{"type":"ready"`, `{"type":"ready"} {"type":"ready"}`,
		`{"type":"READY"}`, `{"type":["ready"]}`, `{"type":"record","job":"j1","task":"t1"}`, `{"type":"record","record":null}`,
		`{"type":"record","record":NaN}`, `{"type":"error","job":"j1","task":"t1"}`, `{"type":"failed"}`, `{"type":"result","records":-1}`,
		`{"type":"result","records":1.5}`, `{"type":"done","job":1}`, "{\"type\":\"done\",\"job\":\"\xff\"}", "{\"type\":\"done\x00\"}",
		strings.Repeat("[", 20000),
	} {
		if got, err := parseMessage([]byte(line)); err == nil {
			t.Errorf("%.60q is taken for %+v", line, got)
		}
	}
}

func TestLineReader(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 200<<10)
	for name, c := range map[string]struct {
		in    string
		limit int
		want  []string
		err   error
	}{
		"lines":              {"a\n\nbc\n", 10, []string{"a", "", "bc"}, io.EOF},
		"nothing":            {"", 10, nil, io.EOF},
		"an end that is cut": {"a\nbc", 10, []string{"a"}, io.EOF},
		"as long as may be":  {"0123456789\na\n", 10, []string{"0123456789", "a"}, io.EOF},
		"too long":           {"a\n0123456789x\n", 10, []string{"a"}, errLineSize},
		"longer than a part": {long + "\nb\n", 200 << 10, []string{long, "b"}, io.EOF},
		"too long by one":    {long + "x\n", 200 << 10, nil, errLineSize},
	} {
		for how, reader := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader, "with the error": iotest.DataErrReader,
		} {
			r := newLineReader(reader(strings.NewReader(c.in)), c.limit)
			var got []string
			line, err := r.next()
			for ; err == nil; line, err = r.next() {
				got = append(got, string(line))
			}
			if diff := cmp.Diff(c.want, got); diff != "" || !errors.Is(err, c.err) {
				t.Errorf("%s, %s: error %v, want %v; lines (-want +got):\n%.400s", name, how, err, c.err, diff)
			}
		}
	}
}

// TestLineReaderReadsNoMoreThanItMay holds that a line without an end is given up
// at the limit, not at the end of memory.
func TestLineReaderReadsNoMoreThanItMay(t *testing.T) {
	t.Parallel()
	endless := &endlessReader{}
	if _, err := newLineReader(endless, 1<<20).next(); !errors.Is(err, errLineSize) {
		t.Errorf("error %v, want that the line is too long", err)
	}
	if endless.n > 1<<20+128<<10 {
		t.Errorf("read %d bytes of a line that may have %d", endless.n, 1<<20)
	}
}

type endlessReader struct{ n int }

func (r *endlessReader) Read(p []byte) (int, error) {
	r.n += len(p)
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestTail(t *testing.T) {
	t.Parallel()
	line := strings.Repeat("y", 99) + "\n"
	for name, c := range map[string]struct {
		writes []string
		want   string
	}{
		"all of it":        {[]string{"a\n", "b"}, "a\nb"},
		"from a line":      {slices.Repeat([]string{line}, 3000), strings.Repeat(line, tailSize/len(line))},
		"of one write":     {[]string{strings.Repeat(line, 3000)}, strings.Repeat(line, tailSize/len(line))},
		"of a single line": {[]string{strings.Repeat("z", tailSize+1)}, strings.Repeat("z", tailSize-1<<10)},
	} {
		var got tail
		for _, w := range c.writes {
			if n, err := got.Write([]byte(w)); n != len(w) || err != nil {
				t.Fatalf("%s: write: %d, %v", name, n, err)
			}
		}
		if s := got.String(); s != c.want {
			t.Errorf("%s: %d bytes %.50q, want %d bytes %.50q", name, len(s), s, len(c.want), c.want)
		}
		if len(got.b) > 2*tailSize {
			t.Errorf("%s: %d bytes are kept", name, len(got.b))
		}
	}
}

func TestErrorsSayWhatToDo(t *testing.T) {
	t.Parallel()
	cause := errors.New("some cause")
	for _, kind := range []Kind{
		KindUnsupported, KindStart, KindImport, KindTimeout, KindStall, KindProtocol, KindOversized, KindExit, KindKilled, KindMemory, KindCanceled,
	} {
		err := &WorkerError{Framework: "ragas", Kind: kind, Exit: -1, Stderr: "first\nlast \x00", Err: cause}
		if s := err.Error(); !strings.HasPrefix(s, "python: the ragas worker ") || !strings.Contains(s, "some cause") || strings.Contains(s, "first") || strings.Contains(s, "failed (") {
			t.Errorf("%s: %s", kind, s)
		}
		if !errors.Is(err, cause) {
			t.Errorf("%s: the cause is lost", kind)
		}
	}
	for _, kind := range []Kind{KindModel, KindFramework, KindInput, KindInternal} {
		for _, err := range []*TaskError{{"giskard", kind, "ValueError", "текст"}, {"giskard", kind, "", "текст"}} {
			if s := err.Error(); !strings.Contains(s, "giskard") || !strings.HasSuffix(s, ": текст") || strings.Contains(s, ": :") {
				t.Errorf("%s: %s", kind, s)
			}
		}
	}
}

// FuzzParseMessage holds that whatever a worker writes is refused or read as what
// can be written again, and that a transcript of it stays in order.
func FuzzParseMessage(f *testing.F) {
	for _, line := range []string{
		`{"type":"ready","protocol":1,"framework":"ragas","version":"0.4.3","packages":{"a":"b"}}`,
		`{"type":"record","job":"j1","task":"a","record":{"текст":"да","n":1e308}}`,
		`{"type":"done","job":"j1","task":"a"}`,
		`{"type":"error","job":"j1","task":"b","error":{"kind":"model","type":"T","message":"m"}}`,
		`{"type":"progress","job":"j1","done":1,"total":2}`,
		`{"type":"result","job":"j1","records":0,"errors":0}`,
		`{"type":"failed","error":{}}`, "{}", "null", "", "\xff", `{"type":"done","task":"\ud800"}`,
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tr := newTranscript("fake", "j1", &job{Tasks: []task{{ID: "a"}, {ID: "b"}}}, 1<<10, func(s string) string { return s })
		r := newLineReader(bytes.NewReader(b), 1<<12)
		for {
			line, err := r.next()
			if err != nil {
				break
			}
			if len(line) > 1<<12 || bytes.IndexByte(line, '\n') >= 0 {
				t.Fatalf("a line of %d bytes: %q", len(line), line)
			}
			m, err := parseMessage(line)
			if err != nil {
				continue
			}
			again, err := json.Marshal(m)
			if err != nil {
				t.Fatalf("%q is taken for %+v, which cannot be written: %v", line, m, err)
			}
			if m2, err := parseMessage(again); err != nil || fmt.Sprint(m2.Type, m2.Task, m2.Job) != fmt.Sprint(m.Type, m.Task, m.Job) {
				t.Fatalf("%q is read as %s, and that as %+v, %v", line, again, m2, err)
			}
			_ = m.hello(&Environment{Framework: "fake"})
			if tr.read(m) != nil {
				break
			}
		}
		kept := 0
		for i := range tr.out.Tasks {
			for _, rec := range tr.out.Tasks[i].Records {
				kept += len(rec)
				if !json.Valid(rec) || !utf8.Valid(rec) {
					t.Fatalf("a record is %q", rec)
				}
			}
			if e := tr.out.Tasks[i].Err; e != nil && (!tr.out.Tasks[i].Ended || !utf8.ValidString(e.Message)) {
				t.Fatalf("task %d: %+v", i, tr.out.Tasks[i])
			}
		}
		if kept > 1<<10 {
			t.Fatalf("%d bytes of records are kept", kept)
		}
	})
}
