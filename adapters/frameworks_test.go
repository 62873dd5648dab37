package adapters_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/deepeval"
	"github.com/casebook-go/casebook/adapters/giskard"
	"github.com/casebook-go/casebook/adapters/ragas"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

// asText compares JSON as text, which is faster and reads better.
var asText = cmp.Transformer("text", func(b json.RawMessage) string { return string(b) })

// writers are the ways in which each framework's files can be written.
var writers = map[string][]adapters.Framework{
	"deepeval": {deepeval.New(deepeval.Options{}), deepeval.New(deepeval.Options{Lines: true})},
	"ragas":    {ragas.New(ragas.Options{})},
	"giskard":  {giskard.New(giskard.Options{})},
}

// files returns the files that the framework wrote: the copies that always run,
// and those of CASEBOOK_SHARED.
func files(tb testing.TB, framework string) []string {
	tb.Helper()
	own, err := filepath.Glob(filepath.Join(framework, "testdata", "*"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, dir := range []string{framework, "support_ru"} {
		shared, err := filepath.Glob(filepath.Join(sharedDir(), "fixtures", dir, "*"))
		if err != nil {
			tb.Fatal(err)
		}
		for _, f := range shared {
			if dir == framework || strings.HasPrefix(filepath.Base(f), framework) {
				own = append(own, f)
			}
		}
	}
	var out []string
	for _, f := range own {
		if s, err := os.Stat(f); err == nil && !s.IsDir() && !strings.HasSuffix(f, "_kg.json") {
			out = append(out, f)
		}
	}
	if len(out) == 0 {
		tb.Fatalf("no files of %s", framework)
	}
	return out
}

func sharedDir() string {
	if dir := os.Getenv("CASEBOOK_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "shared")
}

func open(tb testing.TB, f adapters.Codec, path string) *adapters.Contents {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := adapters.Read(f, bytes.NewReader(b))
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	return c
}

// TestFilesOfFrameworks: every file is read whole; written and read again, each
// record is the same; and each becomes an item or is refused for a reason.
func TestFilesOfFrameworks(t *testing.T) {
	t.Parallel()
	for framework, ways := range writers {
		for _, path := range files(t, framework) {
			t.Run(framework+"/"+filepath.Base(path), func(t *testing.T) {
				t.Parallel()
				want := open(t, ways[0], path)
				if len(want.Refused) > 0 || len(want.Records) < 2 {
					t.Fatalf("%d records, refused: %v", len(want.Records), want.Refused)
				}
				for i, way := range ways {
					var buf bytes.Buffer
					if err := way.Encode(&buf, want.Records); err != nil {
						t.Fatal(err)
					}
					got, err := adapters.Read(way, &buf)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, got, asText); diff != "" {
						t.Errorf("way %d (-want +got):\n%s", i, diff)
					}
				}
				b, err := ways[0].Adapt(t.Context(), nil, &generator.Output{Format: ways[0].Format(), Records: want.Records})
				if err != nil {
					t.Fatal(err)
				}
				if len(b.Items)+len(b.Refused) != len(want.Records) {
					t.Errorf("%d records became %d items and %d refusals", len(want.Records), len(b.Items), len(b.Refused))
				}
				for _, r := range b.Refused {
					if r.Check != deepeval.CheckScenario || !strings.HasPrefix(filepath.Base(path), "conversational") {
						t.Errorf("refused: %+v", r)
					}
				}
				if strings.HasPrefix(filepath.Base(path), "conversational") && len(b.Items) > 0 {
					t.Errorf("%d scenarios without an opening message became items", len(b.Items))
				}
			})
		}
	}
}

// TestOneDatasetManyFiles: what a framework wrote in several ways is read as the
// same.
func TestOneDatasetManyFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		framework, want string
		same            []string
	}{
		{"deepeval", "dataset_%s.json", []string{"dataset_%s.jsonl", "dataset_%s.csv"}},
		{"deepeval", "goldens_%s.json", []string{"goldens_%s.jsonl", "goldens_%s.csv"}},
		{"deepeval", "conversational_%s.json", []string{"conversational_%s.jsonl", "conversational_%s.csv"}},
		{"ragas", "docs_%s.jsonl", []string{"docs_%s.csv"}},
		{"ragas", "chunks_%s.jsonl", []string{"chunks_%s.csv"}},
		{"ragas", "docs_%s_evaluation.jsonl", []string{"docs_%s_evaluation.csv"}},
		{"giskard", "testset_%s.jsonl", []string{"testset_%s.csv"}},
	}
	for _, tt := range tests {
		for _, doc := range []string{"bike_rental_en", "tea_shop_ru"} {
			f := writers[tt.framework][0]
			path := func(name string) string { return filepath.Join(tt.framework, "testdata", fmt.Sprintf(name, doc)) }
			want := open(t, f, path(tt.want))
			for _, name := range tt.same {
				if diff := cmp.Diff(want, open(t, f, path(name)), asText); diff != "" {
					t.Errorf("%s and %s (-want +got):\n%s", tt.want, name, diff)
				}
			}
		}
	}
}

var pair = regexp.MustCompile(`\{"answer":("[^"]*"),"question":("[^"]*")\}`)

// TestFilesWrittenAlike: the files that are written are, byte for byte, those of
// the framework.
func TestFilesWrittenAlike(t *testing.T) {
	t.Parallel()
	tests := []struct {
		way  adapters.Framework
		path string
	}{
		{deepeval.New(deepeval.Options{}), "deepeval/testdata/dataset_%s.json"},
		{deepeval.New(deepeval.Options{}), "deepeval/testdata/conversational_%s.json"},
		{deepeval.New(deepeval.Options{Lines: true}), "deepeval/testdata/conversational_%s.jsonl"},
		{ragas.New(ragas.Options{}), "ragas/testdata/docs_%s.jsonl"},
		{ragas.New(ragas.Options{}), "ragas/testdata/chunks_%s.jsonl"},
		{ragas.New(ragas.Options{Evaluation: true}), "ragas/testdata/docs_%s_evaluation.jsonl"},
		{giskard.New(giskard.Options{}), "giskard/testdata/testset_%s.jsonl"},
	}
	for _, tt := range tests {
		for _, doc := range []string{"bike_rental_en", "tea_shop_ru"} {
			path := fmt.Sprintf(tt.path, doc)
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var got bytes.Buffer
			if err := tt.way.Encode(&got, open(t, tt.way, path).Records); err != nil {
				t.Fatal(err)
			}
			// The model's own reply, kept by Giskard as it came, has its keys in
			// any order.
			if strings.HasPrefix(path, "giskard") {
				want = pair.ReplaceAll(want, []byte(`{"question":$2,"answer":$1}`))
			}
			if diff := cmp.Diff(strings.TrimSpace(string(want)), strings.TrimSpace(got.String())); diff != "" {
				t.Errorf("%s (-want +got):\n%s", path, diff)
			}
		}
	}
}

// TestContextsFound: the contexts of the files stand in the documents that they
// were made from, and the spans hold them.
func TestContextsFound(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{"bike_rental_en", "tea_shop_ru"} {
		finder := adapters.NewFinder([]*model.Document{document(t, filepath.Join("testdata", doc+".md"))})
		for framework, ways := range writers {
			paths, err := filepath.Glob(filepath.Join(framework, "testdata", "*"+doc+"*"))
			if err != nil || len(paths) == 0 {
				t.Fatalf("%v, %v", paths, err)
			}
			for _, path := range paths {
				for i, rec := range open(t, ways[0], path).Records {
					texts, err := ways[0].Contexts(rec)
					if err != nil || len(texts) == 0 {
						t.Fatalf("%s, record %d: %d contexts, %v", path, i, len(texts), err)
					}
					got, err := adapters.Locate(ways[0], finder, rec)
					if err != nil {
						t.Fatal(err)
					}
					if len(got.Spans) != len(texts) {
						t.Errorf("%s, record %d: %d of %d contexts found: %q", path, i, len(got.Spans), len(texts), texts)
					}
				}
			}
		}
	}
}

func document(tb testing.TB, path string) *model.Document {
	tb.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := model.ParseMarkdown(filepath.Base(path), b, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

// TestOtherFiles: a file of something else says what it looks like.
func TestOtherFiles(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, file, looks string }{
		{"empty", " \n", "an empty file"},
		{"markdown", "# Returns\n\nWithin 14 days, unworn.\n", "plain text or Markdown"},
		{"html", "<!doctype html>\n<p>no</p>", "HTML or XML"},
		{"workbook", "PK\x03\x04\x14\x00", "a zip archive or an Excel workbook"},
		{"parquet", "PAR1\x15\x04", "a Parquet file"},
		{"binary", "abc\x00def", "a binary file"},
		{"utf-16", "\xff\xfe{\x00", "text in UTF-16"},
		{"cp1251", "{\"input\": \"\xc3\xe4\xe5\"}", "text in another encoding than UTF-8"},
		{"other csv", "id,subject,body\n1,a,b\n", "a CSV file with the columns id, subject, body"},
		{"other json", `{"b": 1, "a": 2}`, "JSON with the keys a, b"},
		{"list of numbers", "[1, 2]", "JSON that is broken or holds no objects: it is a number, not an object"},
		{"promptfoo", `[{"vars": {"input": "x"}}]`, "test cases of promptfoo"},
		{"hub", `[{"messages": [], "demo_output": {}}]`, "test cases of Giskard Hub"},
		{"graph", `{"nodes": [], "relationships": []}`, "a knowledge graph of Ragas, which has no samples in it"},
	}
	for _, tt := range tests {
		for framework, ways := range writers {
			_, err := adapters.Read(ways[0], strings.NewReader(tt.file))
			var file *adapters.FileError
			if !errors.As(err, &file) || file.Looks != tt.looks || file.Format != ways[0].Format() {
				t.Errorf("%s as %s: %v, want a *FileError that says %q", tt.name, framework, err, tt.looks)
			}
		}
	}
	for framework, ways := range writers {
		for other, file := range map[string]string{
			"deepeval": "deepeval/testdata/goldens_tea_shop_ru.jsonl", "ragas": "ragas/testdata/docs_tea_shop_ru.csv", "giskard": "giskard/testdata/testset_tea_shop_ru.jsonl",
		} {
			if other == framework {
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = adapters.Read(ways[0], bytes.NewReader(b))
			var wrong *adapters.FileError
			if !errors.As(err, &wrong) || !strings.Contains(strings.ToLower(wrong.Looks), other) {
				t.Errorf("%s as %s: %v", file, framework, err)
			}
		}
	}
}

// TestBadRows: a bad row is refused in its place with its line, and the others
// are read.
func TestBadRows(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("длинный текст ", 20_000) // far beyond 64 KiB
	tests := []struct {
		name, framework, file string
		want                  []string // the inputs; "!" and the line of a bad row
	}{
		{"lines", "deepeval", `{"input": "a"}` + "\n\n{broken\n" + `{"input": "b"}` + "\r\n" + `{"other": 1}`, []string{"a", "!3", "b", "!5"}},
		{"list", "deepeval", "[\n{\"input\": \"a\"},\n{\"input\": },\n\n7, {\"input\": \"b, ]\\\"\"}\n]\n", []string{"a", "!3", "!5", `b, ]"`}},
		{"list cut off", "deepeval", "[{\"input\": \"a\"},\n{\"input\": \"b", []string{"a", "!2"}},
		{"pretty objects", "deepeval", "{\n \"input\": \"a\"\n}\n{\n \"input\": \"b\"\n}\n", []string{"a", "b"}},
		{"wrapped", "deepeval", `{"goldens": [{"input": "a"}], "conversationalGoldens": [{"scenario": "s", "turns": [{"role": "user", "content": "b"}]}]}`, []string{"a", "b"}},
		{"one object", "deepeval", `{"input": "a"}`, []string{"a"}},
		{"long lines", "deepeval", `{"input": "a"}` + "\n" + `{"input": "` + long + `"}` + "\n", []string{"a", long}},
		{"csv", "deepeval", "\xef\xbb\xbfinput,expected_output\r\n\"a\r\n\r\nsecond, line\",x\r\nb,x,y\r\nc,x\r\n", []string{"a\n\nsecond, line", "!5", "c"}},
		{"csv quotes", "deepeval", "input,expected_output\na,x\n\"b\" c,x\nd,x\n", []string{"a", "!3", "d"}},
		{"semicolons", "deepeval", "input;expected_output\na;x\n", []string{"a"}},
		{"index of pandas", "deepeval", ",input,expected_output\n0,a,x\n1,b,x\n", []string{"a", "b"}},
		{"columns of pandas", "deepeval", `{"input":{"0":"a","1":"b"},"expected_output":{"0":"x","1":null}}`, []string{"a", "b"}},
		{"split of pandas", "deepeval", `{"columns":["input","expected_output"],"index":[0,1],"data":[["a","x"],["b",null]]}`, []string{"a", "b"}},
		{"nan", "deepeval", `{"input": "a NaN", "expected_output": NaN, "context": [NaN]}` + "\n", []string{"a NaN"}},
		{"digits", "giskard", `{"id":"1","question":12,"reference_answer":3.50}` + "\n", []string{"12"}},
		{"camel case", "deepeval", `{"input": "a", "expectedOutput": "x", "sourceFile": "f"}`, []string{"a"}},
		{"release 0.1", "ragas", "question,contexts,ground_truth,evolution_type,metadata,episode_done\na,\"['it\\'s <b>\\n', \"\"don't\"\"]\",x,simple,\"[{'source': 'f'}]\",True\n", []string{"a"}},
		{"annotated", "ragas", `[{"approval_status": "approved", "synthesizer_name": "s", "eval_sample": {"user_input": "a", "reference": "x"}}]`, []string{"a"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := writers[tt.framework][0]
			var got []string
			for rec, err := range f.Decode(strings.NewReader(tt.file)) {
				var bad *adapters.RecordError
				if errors.As(err, &bad) {
					if bad.Index != len(got) || bad.Reason == "" || bad.Format != f.Format() {
						t.Errorf("record %d: %#v", len(got), bad)
					}
					got = append(got, fmt.Sprintf("!%d", bad.Line))
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, input(t, f, rec))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// input returns the message that a record becomes; the expected output is
// supplied, since many of the records here have none.
func input(tb testing.TB, f adapters.Framework, rec generator.Record) string {
	tb.Helper()
	for _, with := range []string{"", `{"expected_output":"x",`, `{"expected_outcome":"x",`} {
		r := rec
		if with != "" {
			s := string(rec.JSON)
			for _, k := range []string{`"expected_output":null,`, `"expected_outcome":null,`} {
				s = strings.Replace(s, k, "", 1)
			}
			r.JSON = []byte(with + strings.TrimPrefix(s, "{"))
		}
		b, err := f.Adapt(tb.Context(), nil, &generator.Output{Format: f.Format(), Records: []generator.Record{r}})
		if err != nil {
			tb.Fatal(err)
		}
		if len(b.Items) == 1 {
			return b.Items[0].Examples[0].Input.Messages[0].Content
		}
	}
	tb.Fatalf("no item of %s", rec.JSON)
	return ""
}
