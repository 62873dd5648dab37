package ragas_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/model"
)

func TestShares(t *testing.T) {
	t.Parallel()
	var docs []*model.Document
	for i := range 40 {
		docs = append(docs, shop(t, fmt.Sprintf("s%d", i), 6))
	}
	const size = 300
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Size: size, ReasoningRatio: 0.4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]map[string]int{}
	add := func(kind, value string) {
		if count[kind] == nil {
			count[kind] = map[string]int{}
		}
		count[kind][value]++
	}
	for i, s := range samples(t, set) {
		add("document", set.Records[i].Spans[0].Doc)
		add("style", s.QueryStyle)
		add("length", s.QueryLength)
		add("persona", s.PersonaName)
		add("synthesizer", s.SynthesizerName)
		add("cell", s.QueryStyle+s.QueryLength)
	}
	t.Log(len(set.Graph.Nodes), len(set.Graph.Relationships), count["synthesizer"], set.Remarks, len(set.Failures))
	for kind, cells := range map[string]int{"document": 40, "style": 4, "length": 3, "persona": 3, "cell": 12} {
		if len(count[kind]) != cells {
			t.Errorf("%d of %d %ss: %v", len(count[kind]), cells, kind, count[kind])
		}
		for value, n := range count[kind] {
			if plan := float64(size) / float64(cells); float64(n) < plan-1 || float64(n) > plan+1 {
				t.Errorf("%s %s: %d, planned %.1f", kind, value, n, plan)
			}
		}
	}
	if got := count["synthesizer"]; got[ragas.SingleHopName] != 180 || got[ragas.MultiHopAbstractName] != 60 || got[ragas.MultiHopSpecificName] != 60 {
		t.Errorf("synthesizers %v", got)
	}
	var short *ragas.CountError
	if errors.As(err, &short) {
		t.Error(short)
	}
}

// corpora are documents of every length; none is like the others.
func corpora(t *testing.T) map[string][]*model.Document {
	long := &strings.Builder{}
	pages := 200
	if raced {
		pages = 20
	}
	for i := range pages {
		long.WriteString(shop(t, fmt.Sprintf("page%d", i), 4).Text())
	}
	var tiny []*model.Document
	for i := range 7 {
		tiny = append(tiny, parse(t, fmt.Sprintf("tiny%d.md", i), fmt.Sprintf("Gift card number %d is valid %d months.", i, i+2)))
	}
	return map[string][]*model.Document{
		"one line":       {parse(t, "line.md", "Возврат возможен в течение 14 дней.")},
		"no headings":    {parse(t, "flat.md", strings.ReplaceAll(shop(t, "flat", 5).Text(), "#", ""))},
		"two paragraphs": {parse(t, "two.md", "Returns are taken within 14 days at the Counter.\n\nThe Counter is open from 9 to 18, except Sunday.\n")},
		"200 pages":      {parse(t, "long.md", long.String())},
		"all tiny":       tiny,
		"mixed":          append([]*model.Document{shop(t, "big", 12), parse(t, "hours.md", "Open 9-18.")}, tiny[0]),
	}
}

func TestExactCounts(t *testing.T) {
	t.Parallel()
	for name, docs := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := completed(t, docs)
			sizes := []int{1, 2, 5, 10, 60, 100}
			if raced {
				sizes = []int{1, 60}
			}
			for _, size := range sizes {
				set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Graph: g, Size: size, ReasoningRatio: 0.4}, nil)
				var short *ragas.CountError
				switch {
				case err == nil && len(set.Records) == size:
				case errors.As(err, &short) && short.Asked == size && short.Possible == len(set.Records) && short.Possible > 0 && len(short.Reasons) > 0:
					t.Log(short)
				default:
					t.Errorf("%d asked: %d made, error %v", size, len(set.Records), err)
				}
				if err != nil && size <= 10 {
					t.Errorf("%d asked: %v", size, err)
				}
				seen := map[string]bool{}
				for i, s := range samples(t, set) {
					if seen[s.UserInput] {
						t.Errorf("%q stands twice", s.UserInput)
					}
					seen[s.UserInput] = true
					checkContexts(t, set, i, s)
				}
			}
		})
	}
}

// completed is the graph of documents, so that it need not be made for each size.
func completed(t *testing.T, docs []*model.Document) *ragas.Graph {
	t.Helper()
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Size: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return set.Graph
}

// checkContexts checks the places of a sample's contexts and its hops.
func checkContexts(t *testing.T, set *ragas.Testset, i int, s *ragas.Sample) {
	t.Helper()
	spans := set.Records[i].Spans
	multi := s.SynthesizerName != ragas.SingleHopName
	if len(spans) != len(s.ReferenceContexts) || len(s.ReferenceContextIDs) != len(spans) || multi != (len(spans) > 1) || len(spans) > 3 {
		t.Fatalf("%s: %d contexts, %d ids, %d spans", s.SynthesizerName, len(s.ReferenceContexts), len(s.ReferenceContextIDs), len(spans))
	}
	for k, c := range s.ReferenceContexts {
		text, hop := ragas.Untag(c)
		if multi && hop != k+1 || !multi && hop != 0 {
			t.Errorf("context %d has the tag %d", k, hop)
		}
		at := slices.IndexFunc(set.Documents, func(d *model.Document) bool { return d.Name == spans[k].Doc })
		if at < 0 || string(set.Documents[at].Bytes()[spans[k].StartByte:spans[k].EndByte]) != text {
			t.Errorf("context %d is not what its span %+v says", k, spans[k])
		}
		if d := set.Documents[max(at, 0)]; spans[k].StartLine < 1 || spans[k].EndLine > d.NumLines() || !strings.Contains(d.Line(spans[k].EndLine), lastLine(text)) {
			t.Errorf("context %d: lines %d-%d", k, spans[k].StartLine, spans[k].EndLine)
		}
		if s.ReferenceContextIDs[k] == "" || slices.Index(s.ReferenceContextIDs, s.ReferenceContextIDs[k]) != k {
			t.Errorf("ids %v", s.ReferenceContextIDs)
		}
	}
}

func lastLine(text string) string {
	text = strings.TrimRight(text, "\r\n")
	return text[strings.LastIndexAny(text, "\r\n")+1:]
}

func TestEveryDocumentGetsAQuestion(t *testing.T) {
	t.Parallel()
	for name, docs := range corpora(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Size: len(docs), ReasoningRatio: 0}, nil)
			if err != nil {
				t.Fatal(err)
			}
			asked := map[string]bool{}
			for _, r := range set.Records {
				asked[r.Spans[0].Doc] = true
			}
			if len(asked) != len(docs) {
				t.Errorf("%d of %d documents have a question", len(asked), len(docs))
			}
		})
	}
	t.Run("one is empty", func(t *testing.T) {
		t.Parallel()
		docs := []*model.Document{parse(t, "c.md", "<!-- to be written -->\n"), parse(t, "h.md", "Open 9-18."), parse(t, "e.md", "\n---\n\n[c]: # (later)\n")}
		set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Size: 5}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range set.Records {
			if r.Spans[0].Doc != "h.md" {
				t.Errorf("a question is of %s", r.Spans[0].Doc)
			}
		}
	})
	for name, in := range map[string]*ragas.Input{
		"empty list":      {Client: player(), Size: 5},
		"comments only":   {Client: player(), Size: 5, Documents: []*model.Document{parse(t, "c.md", "<!-- to be written -->\n")}},
		"empty graph":     {Client: player(), Size: 5, Graph: &ragas.Graph{}},
		"graph of blanks": {Client: player(), Size: 5, Graph: ragas.FromTexts("a", []string{"", " \n"})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ragas.Generate(t.Context(), in, nil)
			var count *ragas.CountError
			var option *ragas.OptionsError
			if !errors.As(err, &count) && !errors.As(err, &option) {
				t.Errorf("error %v, want a typed one", err)
			}
		})
	}
}

// Each chunk is asked about once before any is asked about twice, and few
// questions are not all of the beginning.
func TestQuestionsAreSpreadOverADocument(t *testing.T) {
	t.Parallel()
	docs := []*model.Document{shop(t, "spread", 24)}
	g := completed(t, docs)
	chunks := len(g.OfType(ragas.ChunkNode))
	asked := func(size int, seed uint64) map[int]int {
		set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Graph: g, Size: size}, &ragas.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		out := map[int]int{}
		for _, r := range set.Records {
			out[r.Spans[0].StartByte]++
		}
		return out
	}
	if got := asked(chunks, 0); len(got) != chunks {
		t.Errorf("%d questions are of %d of %d chunks", chunks, len(got), chunks)
	}
	half := len(docs[0].Bytes()) / 2
	late := 0
	for seed := range uint64(10) {
		for at := range asked(4, seed) {
			if at > half {
				late++
			}
		}
	}
	if late < 10 || late > 30 {
		t.Errorf("%d of 40 questions are of the second half", late)
	}
}

// What decides more is asked about first.
func TestChunksThatDecideMoreComeFirst(t *testing.T) {
	t.Parallel()
	docs := []*model.Document{shop(t, "worth", 12)}
	g := completed(t, docs)
	for i, n := range g.OfType(ragas.ChunkNode) {
		n.Score = 3 + i%3
	}
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Graph: g, Size: 4, ReasoningRatio: 0.5}, nil)
	if err != nil {
		t.Fatal(err)
	}
	byID := map[string]*ragas.Node{}
	for _, n := range g.Nodes {
		id, _ := n.Metadata["chunk_id"].(string)
		byID[id] = n
	}
	for _, s := range samples(t, set) {
		for _, id := range s.ReferenceContextIDs {
			if byID[id].Score < 4 {
				t.Errorf("%s asks of %s, which has the score %d", s.SynthesizerName, id, byID[id].Score)
			}
		}
	}
}
