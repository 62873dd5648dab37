package giskard_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/bulk"
	"github.com/casebook-go/casebook/internal/vector"
	"github.com/casebook-go/casebook/model"
)

// One, two and three documents give a base and questions.
func TestBuild_few(t *testing.T) {
	t.Parallel()
	texts := []string{"Parcels carry a two-year warranty.", "Returns are free within 14 days.", "Доставка по городу занимает два дня."}
	for n := 1; n <= 3; n++ {
		var rows []giskard.Row
		for _, s := range texts[:n] {
			rows = append(rows, giskard.Row{Text: s})
		}
		set, err := build(t, &giskard.Input{Rows: rows, Model: &fake{}}, nil).Testset(t.Context(), 12)
		if err != nil {
			t.Errorf("%d documents: %v", n, err)
			continue
		}
		checkSet(t, set)
	}
}

func TestBuild_badRows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		rows []giskard.Row
		want *giskard.RowError
	}{
		{"ids twice", []giskard.Row{{ID: "a", Text: "x"}, {ID: "b", Text: "y"}, {ID: "a", Text: "z"}}, &giskard.RowError{Row: 3, ID: "a"}},
		{"an id like a place", []giskard.Row{{Text: "x"}, {ID: "0", Text: "y"}}, &giskard.RowError{Row: 2, ID: "0"}},
		{"no UTF-8", []giskard.Row{{ID: "a", Text: "x"}, {ID: "b", Text: "\xff"}}, &giskard.RowError{Row: 2, ID: "b"}},
		{"NUL", []giskard.Row{{ID: "a", Text: "x\x00"}}, &giskard.RowError{Row: 1, ID: "a"}},
	} {
		_, err := giskard.Build(t.Context(), &giskard.Input{Rows: tt.rows, Model: &fake{}}, nil)
		checkRowError(t, tt.name, err, tt.want)
	}
	for _, rows := range [][]giskard.Row{nil, {{Text: " \n"}}} {
		if _, err := giskard.Build(t.Context(), &giskard.Input{Rows: rows, Model: &fake{}}, nil); !errors.Is(err, giskard.ErrEmpty) {
			t.Errorf("rows %v: error %v, want ErrEmpty", rows, err)
		}
	}
}

func checkRowError(t *testing.T, name string, err error, want *giskard.RowError) {
	t.Helper()
	var got *giskard.RowError
	if !errors.As(err, &got) || got.Reason == "" {
		t.Errorf("%s: error %v, want a *RowError with a reason", name, err)
		return
	}
	if got.Row != want.Row || got.ID != want.ID || got.Column != want.Column {
		t.Errorf("%s: row %d %q column %q, want row %d %q column %q", name, got.Row, got.ID, got.Column, want.Row, want.ID, want.Column)
	}
}

func TestDecodeRows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		columns  []string
		want     []giskard.Row
	}{
		{"one column", `{"text":"007"}` + "\n\n" + `{"text":"8"}`, nil, []giskard.Row{{ID: "0", Text: "007"}, {ID: "1", Text: "8"}}},
		{"several columns, in their order", `{"q":"Гарантия?","a":"Два года."}`, nil, []giskard.Row{{ID: "0", Text: "q: Гарантия?\na: Два года."}}},
		{"named columns", `{"q":"Warranty?","n":7,"a":"Two years."}`, []string{"a", "q"}, []giskard.Row{{ID: "0", Text: "a: Two years.\nq: Warranty?"}}},
		{"one named", `{"q":"Warranty?","n":7}`, []string{"q"}, []giskard.Row{{ID: "0", Text: "Warranty?"}}},
		{"byte order mark", "\ufeff" + `{"text":"a"}`, nil, []giskard.Row{{ID: "0", Text: "a"}}},
	} {
		got, err := giskard.DecodeRows(strings.NewReader(tt.in), tt.columns...)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if diff := gocmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
	for _, tt := range []struct {
		name, in string
		columns  []string
		want     *giskard.RowError
	}{
		{"a number", `{"text":"a"}` + "\n" + `{"text":5}`, nil, &giskard.RowError{Row: 2, Column: "text"}},
		{"null", `{"q":"a","a":null}`, nil, &giskard.RowError{Row: 1, Column: "a"}},
		{"NaN", `{"text":NaN}`, nil, &giskard.RowError{Row: 1}},
		{"no object", `["a"]`, nil, &giskard.RowError{Row: 1}},
		{"a key twice", `{"a":"x","a":"y"}`, nil, &giskard.RowError{Row: 1}},
		{"a column that is not there", `{"q":"a"}`, []string{"z"}, &giskard.RowError{Row: 1, Column: "z"}},
	} {
		_, err := giskard.DecodeRows(strings.NewReader(tt.in), tt.columns...)
		checkRowError(t, tt.name, err, tt.want)
	}
}

func FuzzDecodeRows(f *testing.F) {
	f.Add(`{"text":"a"}` + "\n" + `{"q":1}`)
	f.Add(`{"a":{"b":[`)
	f.Fuzz(func(t *testing.T, in string) {
		rows, err := giskard.DecodeRows(strings.NewReader(in))
		var bad *giskard.RowError
		if err != nil && !errors.As(err, &bad) {
			t.Fatalf("error %v of rows %v", err, rows)
		}
	})
}

// A row that is too long is cut within the limit, and no word of it is lost; the
// spans of its parts hold their texts.
func TestBuild_longRows(t *testing.T) {
	t.Parallel()
	rows := []giskard.Row{
		{ID: "short", Text: "A short one.\r\nOf two lines."},
		{ID: "long", Text: strings.Repeat("Возврат занимает четырнадцать дней. ", 120)},
		{ID: "unspaced", Text: strings.Repeat("保修期为两年", 200)},
	}
	kb := build(t, &giskard.Input{Rows: rows, Model: &fake{}}, &giskard.Options{PassageTokens: 100, Language: "ru"})
	total := 0
	for _, topic := range kb.Topics {
		total += len(topic.Documents)
	}
	if total < 10 {
		t.Errorf("%d passages, want the long rows cut", total)
	}
	set, err := kb.TestsetOf(t.Context(), giskard.Counts{giskard.Simple: 2 * total})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, q := range set.Questions {
		_, text, _ := strings.Cut(q.ReferenceContext, ": ")
		text, _, _ = strings.Cut(text, "\n\nDocument ")
		seen[q.Metadata.SeedDocumentID] = text
	}
	var ids []string
	for id := range seen {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	joined := map[string]string{}
	for _, id := range ids {
		row, _, _ := strings.Cut(id, "#")
		joined[row] += seen[id]
	}
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	for _, r := range rows {
		if got := squeeze(joined[r.ID]); got != squeeze(r.Text) {
			t.Errorf("row %s: %d of %d bytes of its words are in passages", r.ID, len(got), len(squeeze(r.Text)))
		}
	}
}

// A topic that the model cannot name is named by its text, and the run goes on.
func TestBuild_namingFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		language, want string
	}{{"en", ""}, {"ru", ""}} {
		doc := document(t, "a.md", bulk.Document(tt.language, 30_000, 3))
		for _, fault := range []llm.Kind{llm.KindRate, llm.KindMalformed} {
			failing := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
				if req.Purpose == "giskard_topics" {
					return nil, &llm.Error{Kind: fault}
				}
				return (&fake{}).Complete(ctx, req)
			})
			kb := build(t, &giskard.Input{Documents: []*model.Document{doc}, Model: failing}, nil)
			if len(kb.Notices) == 0 {
				t.Error("no notice of the failure")
			}
			for _, topic := range kb.Topics {
				if strings.TrimSpace(topic.Name) == "" || !strings.Contains(strings.ToLower(string(doc.Bytes())), strings.ToLower(strings.Split(topic.Name, ", ")[0])) {
					t.Errorf("topic %q is not of the text", topic.Name)
				}
			}
			if _, err := kb.Testset(t.Context(), 8); err != nil {
				t.Error(err)
			}
		}
	}
}

// Topics of one name are one topic.
func TestBuild_sameNames(t *testing.T) {
	t.Parallel()
	doc := document(t, "a.md", bulk.Document("en", 60_000, 3))
	n := 0
	kb := build(t, &giskard.Input{Documents: []*model.Document{doc}, Model: &fake{topics: func(key, _ string) string {
		n++
		return []string{"Returns", "returns", "  RETURNS.", "Delivery"}[n%4]
	}}}, nil)
	var names []string
	docs := 0
	for _, topic := range kb.Topics {
		names = append(names, topic.Name)
		docs += len(topic.Documents)
	}
	if n < 4 || len(names) != 2 {
		t.Errorf("%d clusters gave the topics %q, want two", n, names)
	}
	set, err := kb.Testset(t.Context(), 4)
	if err != nil {
		t.Fatal(err)
	}
	checkSet(t, set)
}

// An embedder that fails is replaced by words; each text is embedded once.
func TestBuild_embedding(t *testing.T) {
	t.Parallel()
	doc := document(t, "a.md", bulk.Document("en", 30_000, 3))
	e := &counting{fail: true}
	kb := build(t, &giskard.Input{Documents: []*model.Document{doc}, Model: &fake{}, Embedder: e}, nil)
	var fell *vector.FallbackError
	if len(kb.Notices) != 1 || !errors.As(kb.Notices[0], &fell) {
		t.Errorf("notices %v, want a *vector.FallbackError", kb.Notices)
	}
	if _, err := kb.Testset(t.Context(), 16); err != nil {
		t.Error(err)
	}
	e = &counting{}
	kb = build(t, &giskard.Input{Documents: []*model.Document{doc}, Model: &fake{}, Embedder: e}, nil)
	if _, err := kb.TestsetOf(t.Context(), giskard.Counts{giskard.Simple: 16}); err != nil {
		t.Error(err)
	}
	if len(e.texts) == 0 {
		t.Error("nothing was embedded")
	}
	for text, n := range e.texts {
		if n > 1 {
			t.Errorf("%.40q was embedded %d times", text, n)
		}
	}
}

type counting struct {
	fail bool

	mu    sync.Mutex
	texts map[string]int
}

func (c *counting) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if c.fail {
		return nil, &llm.Error{Kind: llm.KindRate, Status: 429}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.texts == nil {
		c.texts = map[string]int{}
	}
	for _, s := range texts {
		c.texts[s]++
	}
	return llm.NewLexical(nil).Embed(ctx, texts)
}

func TestBuild_options(t *testing.T) {
	t.Parallel()
	hot := 3.0
	for name, o := range map[string]*giskard.Options{
		"Weights":     {Weights: giskard.Weights{"other": 1}},
		"Batch":       {Batch: -1},
		"Threshold":   {Threshold: 2},
		"Temperature": {Temperature: &hot},
	} {
		_, err := giskard.Build(t.Context(), &giskard.Input{Rows: []giskard.Row{{Text: "a"}}, Model: &fake{}}, o)
		var bad *giskard.OptionError
		if !errors.As(err, &bad) || bad.Option != name {
			t.Errorf("%s: error %v, want an *OptionError", name, err)
		}
	}
	if _, err := giskard.Build(t.Context(), &giskard.Input{Rows: []giskard.Row{{Text: "a"}}}, nil); err == nil {
		t.Error("no error without a model")
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("enough"))
	if _, err := giskard.Build(ctx, &giskard.Input{Rows: []giskard.Row{{Text: "a"}}, Model: &fake{}}, nil); err == nil || err.Error() != "enough" {
		t.Errorf("error %v, want the cause of the context", err)
	}
}

// A dry run counts the calls that the real one then makes.
func TestDryRun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size, n int
	}{{400, 10}, {30_000, 60}, {60_000, 120}} {
		e := &requests{}
		f := &fake{}
		in := &giskard.Input{Documents: []*model.Document{document(t, "a.md", bulk.Document("en", tt.size, 5))}, Model: f, Embedder: e}
		planned, err := giskard.DryRun(t.Context(), in, tt.n, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.count() != 0 || e.n.Load() != 0 {
			t.Errorf("the dry run made %d calls and %d embeddings", f.count(), e.n.Load())
		}
		if _, err := build(t, in, nil).Testset(t.Context(), tt.n); err != nil {
			t.Fatal(err)
		}
		made := giskard.Estimate{
			Topics: f.count("topics"), Questions: f.count("questions"), Rewrites: f.count("rewrites"), Absence: f.count("absence"),
			Answers: f.count("answers"), Checks: f.count("checks"), Embeddings: int(e.n.Load()),
		}
		if diff := gocmp.Diff(made, *planned); diff != "" {
			t.Errorf("%d questions (-made +planned):\n%s", tt.n, diff)
		}
		if d := planned.Calls() - f.count(); d*20 > f.count() || -d*20 > f.count() {
			t.Errorf("%d calls planned, %d made", planned.Calls(), f.count())
		}
	}
}

type requests struct{ n atomic.Int64 }

func (r *requests) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	r.n.Add(1)
	return llm.NewLexical(nil).Embed(ctx, texts)
}

func ExampleBuild() {
	rows, err := giskard.DecodeRows(strings.NewReader(`{"text":"The deposit is 60 euros per bike. It is returned within 3 working days."}
{"text":"A booking is held for 20 minutes after the agreed time."}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	kb, err := giskard.Build(context.Background(), &giskard.Input{Rows: rows, Model: &fake{}}, &giskard.Options{
		Weights: giskard.Weights{giskard.Simple: 2, giskard.Double: 1}, Seed: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	set, err := kb.Testset(context.Background(), 6)
	fmt.Println(set.Report.Made, err)
	// Output: simple 4, double 2 <nil>
}
