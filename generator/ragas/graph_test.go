package ragas_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/model"
)

func load(t testing.TB, text string) *ragas.Graph {
	t.Helper()
	g, err := ragas.Load(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func save(t testing.TB, g *ragas.Graph) string {
	t.Helper()
	var b bytes.Buffer
	if err := g.Save(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// shape is JSON with its numbers as float32 holds them: vectors are kept so.
func shape(t testing.TB, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	var walk func(v any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k := range v {
				v[k] = walk(v[k])
			}
		case []any:
			for i := range v {
				v[i] = walk(v[i])
			}
		case float64:
			return float64(float32(v))
		}
		return v
	}
	return walk(v)
}

func TestGraphsOfRagasAreReadAndWrittenBack(t *testing.T) {
	t.Parallel()
	for name, nodes := range map[string]int{
		"chunks_bike_rental_en_kg.json": 4, "chunks_tea_shop_ru_kg.json": 4, "docs_bike_rental_en_kg.json": 1, "docs_tea_shop_ru_kg.json": 1, "multihop_inputs_kg.json": 11,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := fixture(t, name)
			g := load(t, text)
			if len(g.Nodes) != nodes || len(g.Skipped) != 0 {
				t.Errorf("%d nodes, want %d; skipped %v", len(g.Nodes), nodes, g.Skipped)
			}
			out := save(t, g)
			if d := cmp.Diff(shape(t, text), shape(t, out)); d != "" {
				t.Errorf("written back (-want +got)\n%s", d)
			}
			if d := cmp.Diff(g, load(t, out)); d != "" {
				t.Errorf("read again (-want +got)\n%s", d)
			}
		})
	}
}

// A graph of Ragas without any work of ours gives samples.
func TestAGraphOfRagasServes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"chunks_tea_shop_ru_kg.json", "docs_bike_rental_en_kg.json", "multihop_inputs_kg.json"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Graph: load(t, fixture(t, name)), Size: 8, ReasoningRatio: 0.5}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range samples(t, set) {
				checkContexts(t, set, i, s)
			}
		})
	}
}

func TestWhatRagasWritesWronglyIsMended(t *testing.T) {
	t.Parallel()
	g := load(t, "\ufeff"+`{"nodes": [
		{"id": "a", "type": "chunk", "properties": {"page_content": "A", "entities": {"ORG": ["X"], "DATE": ["May"]}, "keyphrases": ["k"]}},
		{"id": "b", "type": "", "properties": {"page_content": "B"}},
		{"id": "a", "type": "chunk", "properties": {"page_content": "other", "summary": "S", "headlines": ["H"]}}],
	"relationships": [
		{"id": "1", "type": "next", "source": "a", "target": "b", "bidirectional": false, "properties": {}},
		{"id": "2", "type": "next", "source": "a", "target": "b", "bidirectional": false, "properties": {}},
		{"id": "3", "type": "summary_similarity", "source": "a", "target": "a", "bidirectional": true, "properties": {"summary_similarity": 1}},
		{"id": "4", "type": "next", "source": "a", "target": "gone", "bidirectional": false, "properties": {}}]}`)
	want := &ragas.Graph{
		Nodes: []*ragas.Node{
			{
				ID: "a", Type: "chunk", Text: "A", Summary: "S", Entities: []string{"May", "X"},
				Extra: map[string]json.RawMessage{"keyphrases": json.RawMessage(`["k"]`), "headlines": json.RawMessage(`["H"]`)},
			},
			{ID: "b", Text: "B"},
		},
		Relationships: []*ragas.Relationship{{ID: "1", Type: "next", Source: "a", Target: "b"}},
		Skipped: []string{
			"node a stands again as number 3", "edge 2 (next) stands again", "edge 3 (summary_similarity) goes from a node to itself",
			"edge 4 (next) is of a node that the file does not have",
		},
	}
	if d := cmp.Diff(want, g); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for name, text := range map[string]string{
		"no JSON": `[`, "another file": `{"a": 1}`, "two values": `{"nodes": []} {}`, "no id": `{"nodes": [{"type": "chunk"}]}`,
		"a number for a text": `{"nodes": [{"id": "a", "properties": {"page_content": 1}}]}`,
	} {
		_, err := ragas.Load(strings.NewReader(text))
		var e *ragas.GraphError
		if !errors.As(err, &e) || e.Reason == "" {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(`{"nodes": [{"id": "a", "type": "chunk", "properties": {"page_content": "A", "summary_embedding": [0.1, 1e-9]}}], "relationships": [{"source": "a", "target": "a"}]}`)
	f.Add(`{"nodes": [{"id": "a", "properties": {"SUMMARY": "x", "document_metadata": {"source": 1}}}, {"id": "b"}], "relationships": [{"type": "entities_overlap", "source": "a", "target": "b", "properties": {"overlapped_items": [["x", "y"]]}}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ragas.Load(strings.NewReader(text))
		if err != nil {
			return
		}
		out := save(t, g)
		again, err := ragas.Load(strings.NewReader(out))
		if err != nil || len(again.Nodes) != len(g.Nodes) || len(again.Relationships) != len(g.Relationships) || len(again.Skipped) > 0 {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		if d := cmp.Diff(out, save(t, again)); d != "" {
			t.Errorf("(-want +got)\n%s", d)
		}
	})
}

func TestIDsAreNamesOfWhatTheyStandFor(t *testing.T) {
	t.Parallel()
	docs := shops(t, 2, 4)
	a, b := ragas.Build(docs, ragas.ChunkOptions{}), ragas.Build(docs, ragas.ChunkOptions{})
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("two graphs of the same documents (-first +second)\n%s", d)
	}
	v5 := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	seen := map[string]bool{}
	for _, n := range a.Nodes {
		if !v5.MatchString(n.ID) || seen[n.ID] {
			t.Errorf("id %s", n.ID)
		}
		seen[n.ID] = true
	}
	for _, r := range a.Relationships {
		if !v5.MatchString(r.ID) || seen[r.ID] {
			t.Errorf("id %s", r.ID)
		}
		seen[r.ID] = true
	}
	// A document given twice has nodes of its own each time.
	twice := ragas.Build([]*model.Document{docs[0], docs[0]}, ragas.ChunkOptions{})
	ids := map[string]bool{}
	for _, n := range twice.Nodes {
		if ids[n.ID] {
			t.Errorf("the id %s stands twice", n.ID)
		}
		ids[n.ID] = true
	}
}

func TestGraphQueries(t *testing.T) {
	t.Parallel()
	doc := shop(t, "q", 5)
	g := ragas.Build([]*model.Document{doc}, ragas.ChunkOptions{})
	chunks := g.OfType(ragas.ChunkNode)
	if len(chunks) < 4 || len(g.OfType(ragas.DocumentNode)) != 1 {
		t.Fatalf("%d chunks", len(chunks))
	}
	d := g.OfType(ragas.DocumentNode)[0]
	if got := g.Children()[d.ID]; !cmp.Equal(got, chunks) {
		t.Errorf("%d children", len(got))
	}
	parents := g.Parents()
	for _, c := range chunks {
		if parents[c.ID] != d || g.Node(c.ID) != c {
			t.Errorf("parent of %s", c.ID)
		}
	}
	next := func() []string {
		var out []string
		for _, r := range g.Relationships {
			if r.Type == ragas.Next {
				out = append(out, fmt.Sprint(g.Node(r.Source).Metadata["chunk_id"], " ", g.Node(r.Target).Metadata["chunk_id"]))
			}
		}
		return out
	}
	gone := chunks[1].ID
	g.Remove(func(n *ragas.Node) bool { return n.ID == gone })
	if got := next(); got[len(got)-1] != "q.md#1 q.md#3" || len(got) != len(chunks)-2 {
		t.Errorf("next: %v", got)
	}
	if g.Node(gone) != nil || len(g.Children()[d.ID]) != len(chunks)-1 {
		t.Error("a removed node is still there")
	}
	e := &ragas.Relationship{Type: "mine", Source: chunks[0].ID, Target: chunks[2].ID, Bidirectional: true}
	back := &ragas.Relationship{Type: "mine", Source: chunks[2].ID, Target: chunks[0].ID}
	self := &ragas.Relationship{Type: "mine", Source: chunks[0].ID, Target: chunks[0].ID}
	if !g.Connect(e) || g.Connect(back) || g.Connect(self) || e.ID == "" {
		t.Error("edges are made once, and never to the node itself")
	}
}

func TestEveryWordOfADocumentIsInOneChunk(t *testing.T) {
	t.Parallel()
	// A table of contents repeats the headings, out of order.
	doc := parse(t, "toc.md", "# Guide\n\n- Returns\n- Delivery\n\n## Delivery\n\n"+strings.Repeat("Parcels come on work days. ", 80)+
		"\n\n## Returns\n\n"+strings.Repeat("Goods are taken back closed. ", 80)+"\n")
	words := 0
	for _, c := range ragas.Build([]*model.Document{doc}, ragas.ChunkOptions{}).OfType(ragas.ChunkNode) {
		words += len(strings.Fields(c.Text))
	}
	if want := len(strings.Fields(doc.Text())); words != want {
		t.Errorf("%d words in the chunks, %d in the document", words, want)
	}
}
