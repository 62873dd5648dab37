package python

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// ragasWork is a call about the shop, the desk and the inn, whose policies are the
// lines that begin with the words, each in a passage of its own; there is a row
// for each list of them.
func ragasWork(tb testing.TB, ratio float64, rows ...[]string) *work {
	tb.Helper()
	call := &generator.Call{Seed: 7, Language: "ru", Profile: model.SupportBot(), Axes: model.SupportBot().Axes}
	for i, ids := range rows {
		call.Rows = append(call.Rows, model.Row{ID: fmt.Sprint("r", i+1), Examples: 1, PolicyIDs: ids, Format: model.SingleTurnQA})
	}
	w := newWork(tb, call, "чай.md", "bikes.md", "旅館.md")
	w.params = ragas.Params{TestSize: 100, ReasoningRatio: ratio}
	for _, doc := range call.Documents {
		for n := 1; n <= doc.NumLines(); n++ {
			for _, start := range []string{"Вскрытую", "Если клиент", "The deposit", "前日"} {
				if strings.HasPrefix(doc.Line(n), start) {
					ev, err := doc.Cut(n, n)
					if err != nil {
						tb.Fatal(err)
					}
					call.Policies = append(call.Policies, model.Policy{ID: start, Statement: doc.Line(n), Evidence: []model.Evidence{ev}})
				}
			}
		}
	}
	if len(call.Policies) != 4 {
		tb.Fatalf("%d policies, want 4", len(call.Policies))
	}
	call.AllPolicies = call.Policies
	call.UseCase = model.UseCase{Name: "Возврат", Evidence: call.Policies[0].Evidence}
	if err := w.cast(tb.Context()); err != nil { // now that there are policies
		tb.Fatal(err)
	}
	return w
}

// plan gives the work a plan with the graph, and returns its slots.
func (w *work) plan(g *ragasGraph) (*ragasPlan, []*slot) {
	p := ragasOrders(w, g)
	w.held = p
	return p, w.slots
}

// graph is a graph of the passages with the words: each has entities and themes
// of its own, and neighbours as named.
func graph(tb testing.TB, w *work, links ...ragasLinkOf) *ragasGraph {
	tb.Helper()
	g := &ragasGraph{nodes: map[string]ragas.Node{}, links: map[string][]ragasLink{}, personas: []ragas.Persona{{Name: "Анна", Role: "Пьёт чай."}, {Name: "Bo", Role: "Rides."}}}
	for _, c := range ragasScope(w) {
		words := strings.Fields(strings.NewReplacer("#", "", ".", "", ",", "").Replace(c.Text))
		g.nodes[c.ID] = ragas.Node{Entities: words[:min(3, len(words))], Themes: words[max(0, len(words)-3):], Embedding: []float32{1, float32(len(words))}}
	}
	for _, l := range links {
		from, to := passageWith(tb, w.passages, l.from), passageWith(tb, w.passages, l.to)
		g.take(&ragasLinked{Relationships: []ragasRelationship{{Type: l.kind, Source: from.ID, Target: to.ID, Score: l.score, Items: [][]string{{"пачку", "пачка"}}}}})
	}
	return g
}

type ragasLinkOf struct {
	from, to, kind string
	score          float64
}

func ids(chunks []chunk.Chunk) []string {
	var out []string
	for _, c := range chunks {
		out = append(out, strings.Fields(strings.TrimLeft(c.Text, "# \n"))[0])
	}
	return out
}

func TestRagasPlan(t *testing.T) {
	t.Parallel()
	apart := []string{"Вскрытую", "Если клиент"}
	for _, tt := range []struct {
		name  string
		ratio float64
		rows  [][]string
		links []ragasLinkOf
		want  map[string]int // synthesizers, and "rank" of what was joined
	}{
		{"none is joined at 0", 0, [][]string{apart, apart}, nil, map[string]int{ragas.SingleHopName: 2}},
		{"policies that stand apart are joined", 1, [][]string{apart, apart, {"The deposit"}}, nil, map[string]int{ragas.MultiHopAbstractName: 2, ragas.SingleHopName: 1}},
		{"half of them", 0.5, [][]string{apart, apart, apart, apart}, nil, map[string]int{ragas.MultiHopAbstractName: 2, ragas.SingleHopName: 2}},
		{
			"by their link, where they have one", 1,
			[][]string{apart},
			[]ragasLinkOf{{"Вскрытую", "аллергии", ragas.EntitiesOverlap, 0.5}},
			map[string]int{ragas.MultiHopSpecificName: 1},
		},
		{
			"neighbours come after them", 0.5,
			[][]string{{"The deposit"}, apart, {"The deposit"}, apart, {"The deposit"}, apart, {"The deposit"}, apart},
			[]ragasLinkOf{{"60 euros", "前日", ragas.EntitiesOverlap, 0.9}},
			map[string]int{ragas.SingleHopName: 4, ragas.MultiHopAbstractName: 4},
		},
		{
			"neighbours fill the share", 1,
			[][]string{{"The deposit"}, {"前日"}},
			[]ragasLinkOf{{"60 euros", "前日", ragas.SummarySimilarity, 0.9}},
			map[string]int{ragas.MultiHopAbstractName: 2},
		},
		{"a row without policies has a passage", 1, [][]string{nil}, nil, map[string]int{ragas.SingleHopName: 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := ragasWork(t, tt.ratio, tt.rows...)
			p, slots := w.plan(graph(t, w, tt.links...))
			got := map[string]int{}
			for _, s := range slots {
				got[p.order(w, s).synthesizer()]++
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("synthesizers (-want +got):\n%s", diff)
			}
			again := ragasOrders(w, p.ragasGraph)
			if diff := cmp.Diff(p.orders, again.orders, cmp.AllowUnexported(ragasOrder{}, ragasLink{}), cmp.Comparer(func(a, b chunk.Chunk) bool { return a.ID == b.ID })); diff != "" {
				t.Errorf("a second plan (-first +second):\n%s", diff)
			}
			if len(tt.rows) > 1 {
				return
			}
			// The last of several tries asks for less.
			w.try = w.o.TopUps
			if o := p.order(w, slots[0]); len(o.nodes) != 1 || o.synthesizer() != ragas.SingleHopName {
				t.Errorf("the last try is of %s with %v", o.synthesizer(), ids(o.nodes))
			}
		})
	}
}

// Rows whose message is given, or must be bad, are left to others.
func TestRagasPlanLeavesGivenRows(t *testing.T) {
	t.Parallel()
	w := ragasWork(t, 1, []string{"Вскрытую"}, []string{"Вскрытую"}, []string{"The deposit"})
	w.call.Rows[0].Given = []model.Message{{Role: model.RoleUser, Content: "Привет"}}
	w.call.Rows[1].Corner = "empty"
	if err := w.cast(t.Context()); err != nil {
		t.Fatal(err)
	}
	p, _ := w.plan(graph(t, w))
	if diff := cmp.Diff([]int{2}, slices.Collect(maps.Keys(p.orders))); diff != "" {
		t.Errorf("slots with an order (-want +got):\n%s", diff)
	}
}

func TestRagasTask(t *testing.T) {
	t.Parallel()
	w := ragasWork(t, 1, []string{"Вскрытую", "Если клиент"}, []string{"The deposit"})
	w.call.Rows[1].Examples = 2
	w.call.Avoid = []string{"Верну ли я чай?"}
	g := graph(t, w)
	p, slots := w.plan(g)
	tea, allergy, bikes := passageWith(t, w.passages, "Вскрытую"), passageWith(t, w.passages, "аллергии"), passageWith(t, w.passages, "60 euros")
	node := func(c chunk.Chunk) ragasNode {
		return ragasNode{ID: c.ID, Text: c.Text, Themes: g.nodes[c.ID].Themes, Entities: g.nodes[c.ID].Entities}
	}
	single := node(bikes)
	single.Entities = []string{"deposit"} // of which the policy speaks
	g.nodes[bikes.ID] = ragas.Node{Themes: single.Themes, Entities: []string{"Copenhagen", "deposit"}}
	want := []*ragasSample{
		{
			Synthesizer: ragas.MultiHopAbstractName, Nodes: []ragasNode{node(tea), node(allergy)},
			Link: &ragasTaskLink{Type: ragas.SummarySimilarity, Score: llm.Cosine(g.nodes[tea.ID].Embedding, g.nodes[allergy.ID].Embedding)},
		},
		{Synthesizer: ragas.SingleHopName, Nodes: []ragasNode{single}},
		{Synthesizer: ragas.SingleHopName, Nodes: []ragasNode{single}},
	}
	for i, s := range slots {
		b, err := newRagas().body(w, s)
		if err != nil {
			t.Fatal(err)
		}
		got := b.(*ragasSample)
		say, o := w.wanted(s), p.order(w, s)
		for _, part := range []string{say.Situation, say.Message, say.Reply, "Верну ли я чай?", o.style.Meaning, o.length.Meaning} {
			if !strings.Contains(got.Context, part) {
				t.Errorf("the context of slot %d lacks %q:\n%s", i, part, got.Context)
			}
		}
		if got, want := strings.Contains(got.Context, "each segment"), len(o.nodes) > 1; got != want {
			t.Errorf("slot %d: segments are spoken of: %v, want %v", i, got, want)
		}
		if got, want := strings.Contains(got.Context, fmt.Sprintf("customer %d of 2", s.example+1)), s.row.Examples == 2; got != want {
			t.Errorf("slot %d: other examples are spoken of: %v, want %v", i, got, want)
		}
		want[i].Persona, want[i].Style, want[i].Length, want[i].Context = o.persona%2, o.style.Name, o.length.Name, got.Context
		if diff := cmp.Diff(want[i], got); diff != "" {
			t.Errorf("task %d (-want +got):\n%s", i, diff)
		}
	}
	w.try = 1
	again, err := newRagas().body(w, slots[1])
	if err != nil {
		t.Fatal(err)
	}
	if got := again.(*ragasSample); got.Persona == want[1].Persona {
		t.Errorf("the second try is of persona %d again", got.Persona)
	}
}

// A passage in which Ragas found nothing has its heading for a theme, in every
// language.
func TestRagasTaskWithoutTerms(t *testing.T) {
	t.Parallel()
	w := ragasWork(t, 0, []string{"前日"}, []string{"Вскрытую"})
	_, slots := w.plan(&ragasGraph{})
	for i, want := range []string{"取消", "Возврат"} {
		b, err := newRagas().body(w, slots[i])
		if err != nil {
			t.Fatal(err)
		}
		n := b.(*ragasSample).Nodes[0]
		if diff := cmp.Diff([]string{want}, n.Themes); diff != "" || n.Entities != nil {
			t.Errorf("entities %v, themes (-want +got):\n%s", n.Entities, diff)
		}
	}
}

func TestRagasGraphTakesWhatCanBe(t *testing.T) {
	t.Parallel()
	g := &ragasGraph{nodes: map[string]ragas.Node{"a": {}, "b": {}, "c": {}}, links: map[string][]ragasLink{}}
	items := [][]string{{"Чек", "чек"}, {"x"}, {"", "y"}}
	g.take(&ragasLinked{
		Relationships: []ragasRelationship{
			{Type: ragas.SummarySimilarity, Source: "a", Target: "b", Score: 0.8},
			{Type: ragas.EntitiesOverlap, Source: "c", Target: "a", Score: 0.9, Items: items},
			{Type: ragas.EntitiesOverlap, Source: "b", Target: "c", Score: 0.9, Items: [][]string{{"", "y"}}},
			{Type: ragas.SummarySimilarity, Source: "a", Target: "a", Score: 1},
			{Type: ragas.SummarySimilarity, Source: "a", Target: "z", Score: 1},
			{Type: ragas.SummarySimilarity, Source: "b", Target: "c", Score: 0},
			{Type: ragas.Child, Source: "b", Target: "c", Score: 1},
		},
		Personas: []ragas.Persona{{Name: " Анна\nК. ", Role: "Ждёт."}, {Name: "анна к", Role: "Ещё."}, {Name: "?!"}, {Name: "Bo"}, {Name: "山田"}, {Name: "Four"}},
	})
	want := &ragasGraph{
		nodes: g.nodes,
		links: map[string][]ragasLink{
			"a": {{"c", ragas.EntitiesOverlap, 0.9, [][2]string{{"Чек", "чек"}}}, {"b", ragas.SummarySimilarity, 0.8, nil}},
			"b": {{"a", ragas.SummarySimilarity, 0.8, nil}},
			"c": {{"a", ragas.EntitiesOverlap, 0.9, [][2]string{{"Чек", "чек"}}}},
		},
		personas: []ragas.Persona{{Name: "Анна К.", Role: "Ждёт."}, {Name: "Bo"}, {Name: "山田"}},
	}
	if diff := cmp.Diff(want, g, cmp.AllowUnexported(ragasGraph{}, ragasLink{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRagasFoundIsCleaned(t *testing.T) {
	t.Parallel()
	many := make([]string, 30)
	for i := range many {
		many[i] = fmt.Sprint("t", i)
	}
	got := ragasFound{
		Summary: " Чай\n и  срок. ", Embedding: []float32{1, float32(math.Inf(1))},
		Themes: []string{" Срок\nвозврата ", "срок возврата", "", "—", strings.Repeat("ж", ragasTerm+1), "返品"}, Entities: many,
	}
	got.clean()
	if diff := cmp.Diff(ragasFound{Summary: "Чай и срок.", Themes: []string{"Срок возврата", "返品"}, Entities: many[:ragasTerms]}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The graph is of the passages in which policies stand; of the fullest, where
// there are too many.
func TestRagasScope(t *testing.T) {
	t.Parallel()
	w := ragasWork(t, 0)
	if diff := cmp.Diff(4, len(ragasScope(w))); diff != "" {
		t.Errorf("passages of four policies (-want +got):\n%s", diff)
	}
	w.call.AllPolicies = nil
	if diff := cmp.Diff(len(w.passages.all), len(ragasScope(w))); diff != "" {
		t.Errorf("passages without policies (-want +got):\n%s", diff)
	}
	doc := parseDocument(t, "long.md", strings.Repeat("A sentence of a document that has a great many of them, each a paragraph of its own for a passage.\n\n", 2*ragasPassages))
	w.call.Documents, w.docs = []*model.Document{doc}, []*model.Document{doc}
	w.passages = cut(w.docs, 32)
	if len(w.passages.all) <= ragasPassages {
		t.Fatalf("%d passages, want more than %d", len(w.passages.all), ragasPassages)
	}
	last := w.passages.all[len(w.passages.all)-1]
	ev := model.Evidence{InputFile: doc.Name, LineStart: last.Span.StartLine, LineEnd: last.Span.EndLine}
	for i := range w.passages.all {
		s := w.passages.all[i].Span
		w.call.AllPolicies = append(w.call.AllPolicies, model.Policy{ID: fmt.Sprint(i), Evidence: []model.Evidence{{InputFile: doc.Name, LineStart: s.StartLine, LineEnd: s.EndLine}}})
	}
	w.call.AllPolicies = append(w.call.AllPolicies, model.Policy{ID: "again", Evidence: []model.Evidence{ev}})
	got := ragasScope(w)
	if len(got) != ragasPassages || got[len(got)-1].ID != last.ID || got[0].ID != w.passages.all[0].ID {
		t.Errorf("%d passages from %s to %s, want %d with the fullest, %s", len(got), got[0].ID, got[len(got)-1].ID, ragasPassages, last.ID)
	}
}

// native is a sample as the driver writes it of an order.
func native(tb testing.TB, s *slot, o *ragasOrder, change func(m map[string]any)) json.RawMessage {
	tb.Helper()
	m := map[string]any{
		"user_input": "Можно ли вернуть открытый чай?", "reference": "Нет, вскрытую пачку вернуть нельзя.", "persona_name": "Анна",
		"query_style": o.style.Name, "query_length": o.length.Name, "synthesizer_name": o.synthesizer(),
	}
	var contexts, ids []string
	for i, c := range o.nodes {
		text := c.Text
		if len(o.nodes) > 1 {
			text = ragas.Tag(i+1, text)
		}
		contexts, ids = append(contexts, text), append(ids, c.ID)
	}
	m["reference_contexts"], m["reference_context_ids"] = contexts, ids
	if change != nil {
		change(m)
	}
	return rawJSON(tb, m)
}

func TestRagasRecordsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := ragasWork(t, 1, []string{"Вскрытую"}, []string{"Вскрытую", "Если клиент"})
	p, slots := w.plan(graph(t, w))
	const single, multi = 0, 1
	put := func(key string, v any) func(map[string]any) { return func(m map[string]any) { m[key] = v } }
	bikes := passageWith(t, w.passages, "60 euros")
	for _, tt := range []struct {
		name   string
		of     int
		change func(map[string]any)
		want   string
	}{
		{"a question that is an object", single, put("user_input", map[string]any{"text": "?"}), "no sample of Ragas"},
		{"a question that is a number", single, put("user_input", 7), "no sample of Ragas"},
		{"turns", single, put("user_input", []any{map[string]any{"content": "hi", "type": "human"}}), "no sample of Ragas"},
		{"turns in a text", single, put("user_input", `[{"content": "hi", "type": "human"}]`), "several turns"},
		{"an answer that is a list", single, put("reference", []string{"a"}), "no sample of Ragas"},
		{"a context that is an object", single, put("reference_contexts", []any{map[string]any{"text": "a"}}), "no sample of Ragas"},
		{"a context that is a text", single, put("reference_contexts", "a"), "no sample of Ragas"},
		{"an id that is a number", single, put("reference_context_ids", []any{1}), "no sample of Ragas"},
		{"no context", single, put("reference_contexts", nil), ErrContext.Error()},
		{"a context that was changed", single, put("reference_contexts", []string{"Вскрытую пачку чая вернуть можно."}), ErrContext.Error()},
		{"a context of another row", single, put("reference_contexts", []string{bikes.Text}), "not those"},
		{"one context of two", multi, func(m map[string]any) { m["reference_contexts"] = m["reference_contexts"].([]string)[:1] }, "has but one"},
		{"one context twice", multi, func(m map[string]any) {
			c := m["reference_contexts"].([]string)
			m["reference_contexts"] = []string{c[0], c[0]}
		}, "twice"},
		{"contexts in another order", multi, func(m map[string]any) { slices.Reverse(m["reference_contexts"].([]string)) }, "not those"},
		{"another synthesizer", multi, put("synthesizer_name", ragas.MultiHopSpecificName), "not asked"},
		{"a single hop for two", multi, put("synthesizer_name", ragas.SingleHopName), "not asked"},
		{"another style", single, put("query_style", "SHOUTED"), "not asked"},
		{"another length", single, put("query_length", "EPIC"), "not asked"},
		{"a mark of the prompt", single, put("reference", "As <1-hop> says, no."), "own prompt"},
		{"an example of the prompt", single, put("user_input", "What is the purpose of microservices in software architecture?"), "own prompt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := slots[tt.of]
			m, err := newRagas().read(w, s, native(t, s, p.order(w, s), tt.change))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("read %v, error %v; want %q in an error", m, err, tt.want)
			}
		})
	}
	for _, raw := range []string{``, `null`, `[]`, `"x"`, `{"user_input":`, `{"user_input":"a"} {}`} {
		if m, err := newRagas().read(w, slots[single], json.RawMessage(raw)); err == nil {
			t.Errorf("%q is read as %v", raw, m)
		}
	}
}

func TestRagasRecordsThatAreTaken(t *testing.T) {
	t.Parallel()
	w := ragasWork(t, 1, []string{"Вскрытую"}, []string{"Вскрытую", "Если клиент"}, []string{"前日"}, []string{"The deposit"})
	p, slots := w.plan(graph(t, w))
	for i, want := range []struct{ contexts, input string }{
		{"[Вскрытую]", "Можно ли вернуть открытый чай?"}, {"[Вскрытую Если]", "Верну чай, если аллергия?"}, {"[前日までの取消は無料です。当日の取消は全額をいただきます。]", "当日でも取り消せますか。"}, {"[The]", "When is my deposit back?"},
	} {
		s := slots[i]
		for name, change := range map[string]func(map[string]any){
			"as it is":       func(m map[string]any) {},
			"without ids":    func(m map[string]any) { delete(m, "reference_context_ids") },
			"with other ids": func(m map[string]any) { m["reference_context_ids"] = []string{"x", "bikes.md#1"} },
			"in other spaces": func(m map[string]any) {
				c := m["reference_contexts"].([]string)
				c[0] = strings.ReplaceAll(c[0], " ", " \n ")
			},
		} {
			m, err := newRagas().read(w, s, native(t, s, p.order(w, s), func(m map[string]any) { m["user_input"] = want.input; change(m) }))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var got []string
			for _, c := range m.contexts {
				lines := strings.Split(strings.TrimSpace(c.Text), "\n")
				got = append(got, strings.Fields(lines[len(lines)-1])[0])
			}
			if fmt.Sprint(got) != want.contexts || m.input != want.input || m.output != "Нет, вскрытую пачку вернуть нельзя." {
				t.Errorf("%s: contexts %v, input %q, output %q; want %s and %q", name, got, m.input, m.output, want.contexts, want.input)
			}
			if got, want := strings.Contains(m.ask, "at least two"), len(m.contexts) > 1; got != want {
				t.Errorf("%s: two passages are asked for: %v, want %v", name, got, want)
			}
			if o := p.order(w, s); !strings.Contains(m.ask, o.style.Meaning) || !strings.Contains(m.ask, o.length.Meaning) {
				t.Errorf("%s: style or length is not asked for: %s", name, m.ask)
			}
		}
	}
	// A persona that Ragas did not make is nobody.
	m, err := newRagas().read(w, slots[0], native(t, slots[0], p.order(w, slots[0]), func(m map[string]any) { m["persona_name"] = "Customer" }))
	if err != nil || m.native.(*ragas.Sample).PersonaName != "" {
		t.Errorf("the persona is %q, error %v; want none", m.native.(*ragas.Sample).PersonaName, err)
	}
}

func TestRagasWrites(t *testing.T) {
	t.Parallel()
	w := ragasWork(t, 1, []string{"Вскрытую"}, []string{"Вскрытую", "Если клиент"})
	p, slots := w.plan(graph(t, w))
	// write gives a record the words, and returns how it changed.
	write := func(of int, record json.RawMessage, f answer.Final) (json.RawMessage, map[string]any) {
		t.Helper()
		s := slots[of]
		got := rewritten(t, newRagas(), w, s, record, f)
		before, after, changed := object(t, record), object(t, got), map[string]any{}
		for k := range after {
			if !cmp.Equal(before[k], after[k]) {
				changed[k] = after[k]
			}
		}
		for k := range before {
			if _, ok := after[k]; !ok {
				changed[k] = nil
			}
		}
		return got, changed
	}
	want := func(name string, want, got map[string]any) {
		t.Helper()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s changes (-want +got):\n%s", name, diff)
		}
	}
	first := native(t, slots[0], p.order(w, slots[0]), func(m map[string]any) { m["kept"] = map[string]any{"as": 1} })
	_, changed := write(0, first, answer.Final{})
	want("nothing", map[string]any{}, changed)
	second, changed := write(0, first, answer.Final{Input: "А открытый?", Output: "Нет."})
	want("mending", map[string]any{
		"user_input": "А открытый?", "reference": "Нет.", OriginalInput: "Можно ли вернуть открытый чай?", OriginalOutput: "Нет, вскрытую пачку вернуть нельзя.",
	}, changed)
	w.held = nil // as in a repair call
	third, changed := write(0, second, answer.Final{Output: "Нет, увы."})
	want("mending twice", map[string]any{"reference": "Нет, увы."}, changed)
	_, changed = write(0, third, answer.Final{Input: "Можно ли вернуть открытый чай?"})
	want("mending back", map[string]any{"user_input": "Можно ли вернуть открытый чай?", OriginalInput: nil}, changed)

	multi := native(t, slots[1], p.order(w, slots[1]), nil)
	_, changed = write(1, multi, answer.Final{Checked: true, Needs: []int{0, 1}})
	want("two contexts needed", map[string]any{}, changed)
	_, changed = write(1, multi, answer.Final{Needs: []int{1}})
	want("a verdict that was not given", map[string]any{}, changed)
	allergy := passageWith(t, w.passages, "аллергии")
	_, changed = write(1, multi, answer.Final{Checked: true, Needs: []int{1}})
	want("one context needed", map[string]any{
		"synthesizer_name": ragas.SingleHopName, "reference_contexts": []any{allergy.Text}, "reference_context_ids": []any{allergy.ID},
	}, changed)
	if got := slots[1].made.contexts; len(got) != 1 || got[0].ID != allergy.ID {
		t.Errorf("the contexts of the slot are %v, want %s", ids(got), allergy.ID)
	}
}

// Whatever a worker writes is refused, or is a sample of our passages.
func FuzzRagasRecord(f *testing.F) {
	w := ragasWork(f, 1, []string{"Вскрытую"}, []string{"Вскрытую", "Если клиент"})
	p, slots := w.plan(graph(f, w))
	for _, s := range slots {
		f.Add([]byte(native(f, s, p.order(w, s), nil)))
	}
	f.Add([]byte(`{"user_input": [{"content": "hi", "type": "human"}], "reference_contexts": "['a']"}`))
	f.Add([]byte(`{"question": "a", "contexts": ["b"], "ground_truth": NaN}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		for _, s := range slots {
			m, err := newRagas().read(w, s, record)
			if err != nil {
				continue
			}
			for _, c := range m.contexts {
				if known, ok := w.passages.id(c.ID); !ok || known.Text != c.Text {
					t.Errorf("%q is no passage", c.Text)
				}
			}
			s.made = m
			b, err := newRagas().write(w, s, &answer.Final{Input: m.input, Output: m.output})
			if err != nil {
				t.Errorf("what was read cannot be written: %v", err)
				continue
			}
			again, err := newRagas().read(w, s, b)
			if err != nil || again.input != m.input || again.output != m.output {
				t.Errorf("what was written is read as %v, error %v", again, err)
			}
		}
	})
}

// What Ragas itself wrote is read, and written back as it was.
func TestRagasReadsWhatRagasWrote(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "adapters", "ragas", "testdata", "*_*_??.jsonl"))
	if err != nil || len(files) != 4 {
		t.Fatalf("files %v, error %v; want four", files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for n, record := range strings.Split(strings.TrimSpace(string(b)), "\n") {
			before := object(t, json.RawMessage(record))
			w, s := &work{passages: &passages{byID: map[string]int{}}}, &slot{}
			for i, c := range before["reference_contexts"].([]any) {
				w.passages.all = append(w.passages.all, chunk.Chunk{ID: fmt.Sprint(i), Text: c.(string)})
			}
			if s.made, err = newRagas().read(w, s, json.RawMessage(record)); err != nil {
				t.Errorf("%s, line %d: %v", filepath.Base(name), n+1, err)
				continue
			}
			got, err := newRagas().write(w, s, &answer.Final{Input: s.made.input, Output: s.made.output})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, object(t, got)); diff != "" {
				t.Errorf("%s, line %d (-before +after):\n%s", filepath.Base(name), n+1, diff)
			}
		}
	}
}
