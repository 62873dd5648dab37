package ragas_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

// edited is a player whose replies to one kind of request are changed. Counts
// are by kind.
type edited struct {
	player llm.Client // nil means the actor
	mu     sync.Mutex
	count  map[string]int
	edit   map[string]func(user string, reply map[string]any)
	asked  map[string][]string // user messages
}

func (e *edited) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	kind := actor.Kind(req)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.count == nil {
		e.count, e.asked = map[string]int{}, map[string][]string{}
	}
	e.count[kind]++
	e.asked[kind] = append(e.asked[kind], req.Messages[1].Content)
	if e.player == nil {
		e.player = player()
	}
	resp, err := e.player.Complete(ctx, req)
	if edit := e.edit[kind]; edit != nil && err == nil {
		var v map[string]any
		if err := json.Unmarshal([]byte(resp.Text), &v); err != nil {
			return nil, err
		}
		edit(req.Messages[1].Content, v)
		b, err := json.Marshal(v)
		return &llm.Response{Text: string(b)}, err
	}
	return resp, err
}

func each(reply map[string]any, list string, do func(i int, item map[string]any)) {
	items, _ := reply[list].([]any)
	for i, x := range items {
		if item, ok := x.(map[string]any); ok {
			do(i, item)
		}
	}
}

func tenPersonas() []ragas.Persona {
	var out []ragas.Persona
	for _, n := range []string{
		"Parent of twins", "Retired engineer", "Student abroad", "Покупатель с чеком", "Gift giver", "Small café owner", "Мама школьника", "Night worker", "Angler", "First-time buyer",
	} {
		out = append(out, ragas.Persona{Name: n, Role: "Comes with a need."})
	}
	return out
}

func TestAllGivenPersonasAreUsed(t *testing.T) {
	t.Parallel()
	m := &edited{edit: map[string]func(string, map[string]any){
		actor.RagasMatch: func(user string, reply map[string]any) {
			each(reply, "personas", func(i int, item map[string]any) {
				switch name := item["name"].(string); i { // the actor writes capitals
				case 1:
					item["name"] = name + "s" // a slip
				case 2:
					if strings.Contains(user, "Parent of twins") { // the first time
						item["name"] = "Somebody else altogether"
					}
				}
			})
		},
	}}
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: m, Documents: shops(t, 4, 5), Size: 25, ReasoningRatio: 0.4}, &ragas.Options{Personas: tenPersonas(), NumPersonas: 3})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, s := range samples(t, set) {
		count[s.PersonaName]++
	}
	for _, p := range tenPersonas() {
		if n := count[p.Name]; n < 2 || n > 3 {
			t.Errorf("%s asks %d times, want 2 or 3", p.Name, n)
		}
	}
	if len(count) != 10 || len(set.Personas) != 10 {
		t.Errorf("%d personas ask", len(count))
	}
	if m.count[actor.RagasMatch] != 2 || len(set.Failures) != 0 || strings.Contains(m.asked[actor.RagasMatch][1], "Parent of twins") {
		t.Errorf("asked %d times, the second time about all: %v", m.count[actor.RagasMatch], set.Failures)
	}
	if m.count[actor.RagasPersonas] != 0 {
		t.Error("personas were made beside those given")
	}
}

func TestPersonasAreMadeUntilThereAreEnough(t *testing.T) {
	t.Parallel()
	m := &edited{edit: map[string]func(string, map[string]any){
		actor.RagasPersonas: func(user string, reply map[string]any) {
			each(reply, "personas", func(i int, item map[string]any) {
				if !strings.Contains(user, "<existing>") && i > 0 {
					item["name"] = "PARENT of twins!" // the same again
				} else if i == 0 && !strings.Contains(user, "<existing>") {
					item["name"] = "Parent of Twins"
				}
			})
		},
	}}
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: m, Documents: shops(t, 2, 4), Size: 8}, &ragas.Options{NumPersonas: 4})
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Personas) != 4 || m.count[actor.RagasPersonas] != 2 {
		t.Errorf("%d personas in %d calls: %v", len(set.Personas), m.count[actor.RagasPersonas], set.Personas)
	}
	names := map[string]bool{}
	for _, p := range set.Personas {
		names[strings.ToLower(p.Name)] = true
	}
	if len(names) != 4 {
		t.Errorf("they are %v", set.Personas)
	}
}

// Each sample has the contexts that its answer needs; where that is one, another
// scenario takes its place.
func TestMultiHopMeansThatTheAnswerNeedsTwo(t *testing.T) {
	t.Parallel()
	for _, who := range []string{"writer", "check"} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			k := 0
			m := &edited{edit: map[string]func(string, map[string]any){}}
			if who == "check" {
				m.edit[actor.AnswerCheck] = func(_ string, reply map[string]any) {
					each(reply, "items", func(_ int, item map[string]any) {
						if needs := item["needs"].([]any); len(needs) > 1 {
							if k++; k%2 != 0 {
								item["needs"] = needs[:1]
							}
						}
					})
				}
			} else {
				m.edit[actor.RagasQuestions] = func(_ string, reply map[string]any) {
					each(reply, "messages", func(_ int, item map[string]any) {
						if uses := item["uses"].([]any); len(uses) > 1 {
							if k++; k%2 != 0 {
								item["uses"] = uses[1:2]
							}
						}
					})
				}
			}
			set, err := ragas.Generate(t.Context(), &ragas.Input{Client: m, Documents: shops(t, 5, 5), Size: 20, ReasoningRatio: 0.5}, &ragas.Options{Concurrency: 1, MaxHops: 2})
			if err != nil {
				t.Fatal(err)
			}
			hops := 0
			for i, s := range samples(t, set) {
				checkContexts(t, set, i, s)
				if len(s.ReferenceContexts) > 2 {
					t.Errorf("%d hops, asked for 2 at most", len(s.ReferenceContexts))
				}
				if len(s.ReferenceContexts) == 2 {
					hops++
				}
			}
			if hops != 10 {
				t.Errorf("%d multi-hop samples, want 10", hops)
			}
		})
	}
}

func TestAContextThatTheAnswerDoesNotNeedIsLeftOut(t *testing.T) {
	t.Parallel()
	m := &edited{edit: map[string]func(string, map[string]any){
		actor.AnswerCheck: func(_ string, reply map[string]any) {
			each(reply, "items", func(_ int, item map[string]any) {
				if needs := item["needs"].([]any); len(needs) == 3 {
					item["needs"] = needs[1:]
				}
			})
		},
	}}
	three := ragas.MultiHopAbstract()
	pairs := three.Seeds
	three.Seeds = func(g *ragas.Graph, hops int) []ragas.Seed {
		return slices.DeleteFunc(pairs(g, hops), func(s ragas.Seed) bool { return len(s.Nodes) < 3 })
	}
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: m, Documents: shops(t, 2, 6), Size: 4}, &ragas.Options{Shares: []ragas.Share{{Synthesizer: three, Weight: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range samples(t, set) {
		checkContexts(t, set, i, s)
		if len(s.ReferenceContexts) != 2 {
			t.Errorf("%d contexts, want the two that are needed", len(s.ReferenceContexts))
		}
	}
}

// What can never be as asked is a typed error that says how many there are.
func TestWhatIsNotPossibleIsTyped(t *testing.T) {
	t.Parallel()
	one := []*model.Document{parse(t, "line.md", "Refunds take 5 days.")}
	never := &edited{edit: map[string]func(string, map[string]any){
		actor.AnswerCheck: func(_ string, reply map[string]any) {
			each(reply, "items", func(_ int, item map[string]any) { item["unsettled"] = "whether it rains" })
		},
	}}
	same := &edited{edit: map[string]func(string, map[string]any){
		actor.RagasQuestions: func(_ string, reply map[string]any) {
			each(reply, "messages", func(_ int, item map[string]any) { item["input"] = "where is my money please tell me now" })
		},
	}}
	mended := &edited{edit: map[string]func(string, map[string]any){
		actor.AnswerCheck: func(user string, reply map[string]any) {
			each(reply, "items", func(i int, item map[string]any) {
				if !strings.Contains(user, "<message>money back when</message>") {
					item["message_score"], item["message_problem"] = 0.1, "stiff"
				}
			})
		},
		actor.AnswerMend: func(_ string, reply map[string]any) {
			each(reply, "items", func(_ int, item map[string]any) { item["message"] = "money back when" })
		},
	}}
	for _, tc := range []struct {
		name     string
		in       *ragas.Input
		possible int
		reason   string
	}{
		{"two hops in one chunk", &ragas.Input{Client: player(), Documents: one, Size: 3, ReasoningRatio: 1}, 0, "the graph has nothing for multi_hop"},
		{"more than there are scenarios", &ragas.Input{Client: player(), Documents: one, Size: 1000}, 36, "different scenarios"},
		{"nothing is answered", &ragas.Input{Client: never, Documents: one, Size: 4}, 0, "whether it rains"},
		{"mended into the same", &ragas.Input{Client: mended, Documents: one, Size: 4}, 1, "nearly repeats"},
		{"always the same", &ragas.Input{Client: same, Documents: one, Size: 4}, 1, "nearly repeats"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			set, err := ragas.Generate(t.Context(), tc.in, nil)
			var short *ragas.CountError
			if !errors.As(err, &short) || short.Asked != tc.in.Size || len(set.Records) != short.Possible || !strings.Contains(err.Error(), tc.reason) {
				t.Fatalf("error %v", err)
			}
			if short.Possible != tc.possible {
				t.Errorf("%d possible, want %d", short.Possible, tc.possible)
			}
		})
	}
	// Beside single-hop ones the part of what the graph has not is theirs, and
	// that is said.
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: one, Size: 10, ReasoningRatio: 0.4}, nil)
	if err != nil || len(set.Records) != 10 || len(set.Remarks) != 2 {
		t.Errorf("error %v, remarks %q", err, set.Remarks)
	}
}

func TestFourPicksOfFourStylesAreFour(t *testing.T) {
	t.Parallel()
	docs := shops(t, 3, 4)
	g := completed(t, docs)
	seeds := uint64(60)
	if raced {
		seeds = 10
	}
	for seed := range seeds {
		set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Graph: g, Size: 4, ReasoningRatio: 0.5}, &ragas.Options{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		styles := map[string]bool{}
		for _, s := range samples(t, set) {
			styles[s.QueryStyle] = true
		}
		if len(styles) != 4 {
			t.Errorf("seed %d: %d styles", seed, len(styles))
		}
	}
}

// scaled is an embedder whose vectors are longer.
type scaled struct {
	llm.Embedder
	by float32
}

func (s scaled) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vs, err := s.Embedder.Embed(ctx, texts)
	for i := range vs {
		vs[i] = slices.Clone(vs[i])
		for k := range vs[i] {
			vs[i][k] *= s.by
		}
	}
	return vs, err
}

func TestTheLengthOfVectorsCountsForNothing(t *testing.T) {
	t.Parallel()
	docs := shops(t, 6, 6)
	var texts []string
	for _, d := range docs {
		texts = append(texts, d.Text())
	}
	run := func(by float32) (edges, topics []string) {
		m := &edited{}
		set, err := ragas.Generate(t.Context(), &ragas.Input{Client: m, Embedder: scaled{llm.NewLexical(texts), by}, Documents: docs, Size: 12, ReasoningRatio: 0.5}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range set.Graph.Relationships {
			edges = append(edges, r.Type+" "+r.Source+" "+r.Target)
		}
		return edges, m.asked[actor.RagasPersonas]
	}
	edges, topics := run(1)
	moreEdges, moreTopics := run(20)
	if d := cmp.Diff(edges, moreEdges); d != "" {
		t.Errorf("edges (-1 +20)\n%s", d)
	}
	if d := cmp.Diff(topics, moreTopics); d != "" {
		t.Errorf("matters of personas (-1 +20)\n%s", d)
	}
}

func TestDistancesAreFromNoughtToOne(t *testing.T) {
	t.Parallel()
	words := []string{"", "a", "card", "cards", "Card", "карта", "карточка", "カード", "bonus card", "bonnus crad", "zzzz"}
	for name, d := range map[string]ragas.Distance{"jaro": ragas.Jaro, "jaro-winkler": ragas.JaroWinkler, "levenshtein": ragas.Levenshtein, "hamming": ragas.Hamming} {
		for _, a := range words {
			for _, b := range words {
				got := d(a, b)
				if got < 0 || got > 1 || (got == 1) != (a == b) || got != d(b, a) {
					t.Errorf("%s(%q, %q) = %v, the other way %v", name, a, b, got, d(b, a))
				}
			}
		}
		if near, far := d("bonus card", "bonus cart"), d("bonus card", "umbrella rent"); near < 0.85 || near <= far {
			t.Errorf("%s: near %v, far %v", name, near, far)
		}
	}
	if got := fmt.Sprintf("%.4f %.4f", ragas.JaroWinkler("martha", "marhta"), ragas.Jaro("dixon", "dicksonx")); got != "0.9611 0.7667" {
		t.Errorf("Winkler's examples give %s", got)
	}
}

type countingEmbedder struct{ texts int }

func (c *countingEmbedder) Embed(_ context.Context, texts []string) ([][]float32, error) {
	c.texts += len(texts)
	out := make([][]float32, len(texts))
	for i := range out {
		out[i] = []float32{1, float32(i)}
	}
	return out, nil
}

// One call reads several chunks, and what is read is not paid for again.
func TestExtractionIsPaidOnce(t *testing.T) {
	t.Parallel()
	docs := shops(t, 3, 5)
	first := &edited{}
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: first, Documents: docs, Size: 6, ReasoningRatio: 0.5}, nil)
	if err != nil {
		t.Fatal(err)
	}
	chunks := len(set.Graph.OfType(ragas.ChunkNode))
	if most := (chunks + 7) / 8; first.count[actor.RagasExtract] != most {
		t.Errorf("%d calls for %d chunks, want %d", first.count[actor.RagasExtract], chunks, most)
	}
	for _, n := range set.Graph.OfType(ragas.ChunkNode) {
		if n.Summary == "" || n.Themes == nil || n.Entities == nil || n.Embedding == nil || n.Score == 0 {
			t.Errorf("node %s lacks something: %+v", n.ID, n)
		}
	}
	for _, n := range set.Graph.OfType(ragas.DocumentNode) {
		children := set.Graph.Children()[n.ID]
		if !strings.Contains(n.Summary, children[len(children)-1].Summary) {
			t.Error("the summary of a document leaves its end out")
		}
	}
	again := &edited{}
	vectors := &countingEmbedder{}
	g := load(t, save(t, set.Graph))
	if _, err := ragas.Generate(t.Context(), &ragas.Input{Client: again, Embedder: vectors, Documents: docs, Graph: g, Size: 6, ReasoningRatio: 0.5}, nil); err != nil {
		t.Fatal(err)
	}
	if again.count[actor.RagasExtract] != 0 || vectors.texts != 0 {
		t.Errorf("%d calls and %d vectors for a saved graph", again.count[actor.RagasExtract], vectors.texts)
	}
	one := &edited{}
	if _, err := ragas.Generate(t.Context(), &ragas.Input{Client: one, Documents: []*model.Document{parse(t, "one.md", "Refunds take 5 days.")}, Size: 1}, nil); err != nil || one.count[actor.RagasExtract] != 1 {
		t.Errorf("one chunk takes %d calls, error %v", one.count[actor.RagasExtract], err)
	}
}

func TestChunksOfNoUseAreLeftOut(t *testing.T) {
	t.Parallel()
	doc := shop(t, "f", 6)
	m := &edited{edit: map[string]func(string, map[string]any){
		actor.RagasExtract: func(_ string, reply map[string]any) {
			each(reply, "passages", func(i int, item map[string]any) { item["score"] = 1 + i%4 })
		},
	}}
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: m, Documents: []*model.Document{doc}, Size: 4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range set.Graph.OfType(ragas.ChunkNode) {
		if n.Score <= 2 {
			t.Errorf("a chunk with the score %d is still there", n.Score)
		}
	}
	m.edit[actor.RagasExtract] = func(_ string, reply map[string]any) {
		each(reply, "passages", func(_ int, item map[string]any) { item["score"] = 1 })
	}
	set, err = ragas.Generate(t.Context(), &ragas.Input{Client: m, Documents: []*model.Document{doc}, Size: 4}, nil)
	if err != nil || len(set.Graph.OfType(ragas.ChunkNode)) != 1 {
		t.Errorf("%d chunks are left, error %v; want the best one", len(set.Graph.OfType(ragas.ChunkNode)), err)
	}
}

func TestPartsAreReplaceable(t *testing.T) {
	t.Parallel()
	g := ragas.FromTexts("faq", []string{"Lamps are lent for 3 days to anybody who leaves a deposit.", "Deposits come back on the day of return, in cash only."})
	marks := 0
	own := ragas.Transform{Name: "mark", Apply: func(_ context.Context, call *generator.Call, g *ragas.Graph) error {
		for _, n := range g.Nodes {
			n.Extra = map[string]json.RawMessage{"mark": json.RawMessage(`true`)}
			marks++
		}
		if call.Model == nil || call.Embedder == nil || call.Language != "en" {
			return errors.New("the call lacks something")
		}
		return nil
	}}
	both := ragas.Synthesizer{Name: "own_synthesizer", MultiHop: true, Ask: "Ask for both.", Seeds: func(g *ragas.Graph, _ int) []ragas.Seed {
		return []ragas.Seed{{Nodes: g.Nodes, Terms: []string{"deposit"}}}
	}}
	m := &edited{}
	client := clientFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		if req.Purpose == "ragas_questions" && req.Messages[0].Content != "You write what people send to the assistant of a business, my way." {
			t.Errorf("the prompt is %.60q", req.Messages[0].Content)
		}
		return m.Complete(ctx, req)
	})
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: client, Graph: g, Size: 4}, &ragas.Options{
		Transforms: []ragas.Transform{own},
		Shares:     []ragas.Share{{Synthesizer: both, Weight: 3}, {Synthesizer: ragas.SingleHop(), Weight: 1}},
		Styles:     []ragas.Style{{Name: "SHOUTED", Meaning: "in capitals"}},
		Lengths:    []ragas.Length{{Name: "ANY", Meaning: "any length"}},
		Personas:   []ragas.Persona{{Name: "Lender"}},
		Context:    "a lamp library",
		Prompts:    ragas.Prompts{Question: "You write what people send to the assistant of a business, my way."},
	})
	// One pair in one style and length for one persona gives one sample.
	var short *ragas.CountError
	if !errors.As(err, &short) && err != nil {
		t.Fatal(err)
	}
	if got := synthesizers(t, set); got["own_synthesizer"] != 1 || got[ragas.SingleHopName] != 2 || short.Possible != 3 {
		t.Errorf("%v, error %v", got, err)
	}
	if marks != 2 || m.count[actor.RagasExtract] != 0 {
		t.Errorf("%d nodes marked, %d extractions", marks, m.count[actor.RagasExtract])
	}
	for _, s := range samples(t, set) {
		if s.QueryStyle != "SHOUTED" || s.QueryLength != "ANY" || s.PersonaName != "Lender" {
			t.Errorf("%+v", s)
		}
	}
	if !strings.Contains(m.asked[actor.RagasQuestions][0], "a lamp library") {
		t.Error("the context is not said")
	}
	if g.Nodes[0].Extra != nil {
		t.Error("the graph that was given was changed")
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	t.Parallel()
	none := ragas.SingleHop()
	none.Seeds = nil
	for name, o := range map[string]*ragas.Options{
		"Personas":   {Personas: []ragas.Persona{{Name: "A"}, {Name: "A"}}},
		"Styles":     {Styles: []ragas.Style{}},
		"Lengths":    {Lengths: []ragas.Length{{}}},
		"MaxHops":    {MaxHops: 1},
		"Shares":     {Shares: []ragas.Share{{Synthesizer: none, Weight: 1}}},
		"Transforms": {Transforms: []ragas.Transform{{Name: "x"}}},
		"Threshold":  {Threshold: 2},
	} {
		_, err := ragas.New(o)
		var e *ragas.OptionsError
		if !errors.As(err, &e) || e.Option != name || e.Reason == "" {
			t.Errorf("%s: error %v", name, err)
		}
	}
	if _, err := ragas.New(&ragas.Options{Shares: []ragas.Share{{Synthesizer: ragas.SingleHop()}}}); err == nil {
		t.Error("weights of 0 alone were accepted")
	}
}
