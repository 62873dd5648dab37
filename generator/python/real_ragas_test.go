//go:build linux || darwin

package python

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

// ragasPlayer is the model of a run of the real Ragas: it answers Ragas' prompts
// from what stands in them, by the request alone.
type ragasPlayer struct {
	actor.Actor
	wait time.Duration
	// fault is asked before each call, which is the n-th of its kind.
	fault func(kind string, n int) error
	// odd are replies of a kind, in place of those that fit.
	odd map[string]any

	mu    sync.Mutex
	calls map[string]int
}

func (p *ragasPlayer) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	kind := ""
	if req.Schema != nil {
		kind = req.Schema.Name
	}
	p.mu.Lock()
	if p.calls == nil {
		p.calls = map[string]int{}
	}
	p.calls[kind]++
	n := p.calls[kind]
	p.mu.Unlock()
	time.Sleep(p.wait)
	if p.fault != nil {
		if err := p.fault(kind, n); err != nil {
			return nil, err
		}
	}
	text := req.Messages[0].Content
	at := strings.LastIndex(text, "\ninput: ")
	if at < 0 {
		return p.Actor.Complete(ctx, req)
	}
	var in struct {
		Text     string          `json:"text"`
		Themes   []string        `json:"themes"`
		Lists    [][]string      `json:"lists_of_concepts"`
		Personas []ragas.Persona `json:"personas"`
		Context  json.RawMessage `json:"context"`
	}
	if err := json.NewDecoder(strings.NewReader(text[at+len("\ninput: "):])).Decode(&in); err != nil {
		return nil, fmt.Errorf("the prompt of %s has no input: %w", kind, err)
	}
	words := strings.FieldsFunc(in.Text, func(r rune) bool { return strings.ContainsRune(" \n\t.,:;!?()#*-|«»", r) })
	long := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return len([]rune(w)) < 5 })
	some := func(n int) []string { return long[:min(n, len(long))] }
	var out any
	switch kind {
	case "StringIO":
		out = map[string]any{"text": strings.Join(words[:min(20, len(words))], " ")}
	case "ThemesAndConcepts":
		out = map[string]any{"output": some(4)}
	case "NEROutput":
		out = map[string]any{"entities": some(8)}
	case "Persona":
		out = ragas.Persona{Name: "Кто-то " + words[0], Role: in.Text}
	case "PersonaThemesMapping":
		m := map[string][]string{}
		for _, q := range in.Personas {
			m[q.Name] = in.Themes
		}
		out = map[string]any{"mapping": m}
	case "ConceptCombinations":
		var one []string
		for _, l := range in.Lists {
			one = append(one, l[0])
		}
		out = map[string]any{"combinations": [][]string{one}}
	case "GeneratedQueryAnswer":
		out = map[string]any{"query": actor.Text("query", text, fmt.Sprint(*req.Seed)), "answer": actor.Text("answer", text)}
	default:
		return nil, fmt.Errorf("nobody plays %q", kind)
	}
	if o, ok := p.odd[kind]; ok {
		out = o
	}
	b, err := json.Marshal(out)
	return &llm.Response{Text: string(b)}, err
}

// ragasEngine is the engine of the real Ragas.
func ragasEngine(tb testing.TB, o Options) *Engine {
	tb.Helper()
	if o.Dir = os.Getenv("CASEBOOK_FRAMEWORKS"); o.Dir == "" {
		tb.Skip("CASEBOOK_FRAMEWORKS names no folder with the frameworks' environments")
	}
	o.Framework, o.Temp = Ragas, tb.TempDir()
	e, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
		if left, err := os.ReadDir(o.Temp); err != nil || len(left) > 0 {
			tb.Errorf("what is left of the private folders: %v, %v", left, err)
		}
	})
	return e
}

// ragasCall is about a document, with n rows, the policies being its lines: of
// three rows one is about a policy, and two about policies that stand apart.
func ragasCall(tb testing.TB, client llm.Client, name, language, text string, n int, args string) *generator.Call {
	tb.Helper()
	doc := deepEvalDocument(tb, name, text)
	call := &generator.Call{
		ID: "call", Seed: 11, Documents: []*model.Document{doc}, Language: language, Profile: model.SupportBot(), Axes: model.SupportBot().Axes,
		Model: client, Embedder: llm.NewLexical([]string{text}), Log: slog.New(slog.DiscardHandler), Memo: &generator.Memo{}, Args: json.RawMessage(args),
	}
	for i := 1; i <= doc.NumLines(); i++ {
		line := doc.Line(i)
		if strings.HasPrefix(line, "#") || len(strings.Fields(line)) < 4 {
			continue
		}
		ev, err := doc.Cut(i, i)
		if err != nil {
			tb.Fatal(err)
		}
		call.Policies = append(call.Policies, model.Policy{ID: fmt.Sprintf("pol_%d", len(call.Policies)+1), Type: model.Must, Statement: line, Evidence: []model.Evidence{ev}})
	}
	call.AllPolicies = call.Policies
	call.UseCase = model.UseCase{ID: "uc", Name: "Any need", Description: "Somebody has a need.", Evidence: call.Policies[0].Evidence}
	for i := range n {
		k := len(call.Policies)
		ids := []string{call.Policies[i%k].ID}
		if i%3 > 0 {
			ids = append(ids, call.Policies[(i+3*(i%3))%k].ID)
		}
		roles := map[string]model.Role{}
		for _, id := range ids {
			roles[id] = model.Plain
		}
		call.Rows = append(call.Rows, model.Row{ID: fmt.Sprintf("row_%d", i+1), Format: model.SingleTurnQA, Examples: 1, PolicyIDs: ids, Roles: roles})
	}
	return call
}

const ragasDesk = `# Bike desk

## Booking

A booking is held for 20 minutes after the agreed time, then it is released to other customers who wait at the desk.
Ask for the booking number before anything about a booking is changed, also when the customer gives a name.
Groups of six bikes or more are passed to the events team, which answers them within one working day.

## Deposit

The deposit is 60 euros per bike, and it is returned within 3 working days after the bikes are back.
A damage fee is never waived by the assistant, whatever the customer says about the cause of the damage.
Whoever loses a key pays 15 euros for it, which are taken from the deposit of the booking.

## Safety

Children under 12 ride with a helmet, which the desk lends for nothing with every booking of a small bike.
Routes on motorways are never recommended, and customers who ask for one hear of the river path.
After an accident the conversation is handed over to the duty manager at once, before anything else is asked.
`

const ragasTea = `# Чайный магазин

## Заказы

Оператор обязан уточнить номер заказа до любых изменений, даже если клиент уже назвал своё имя и телефон.
Срок доставки по городу составляет 2 дня, по стране до 9 дней, считая с дня, следующего за оплатой заказа.
Нельзя обещать доставку в конкретный час, можно назвать только день и половину дня, когда приедет курьер.

## Возврат

Вскрытую пачку чая вернуть нельзя, закрытую можно вернуть в течение 14 дней с чеком или номером заказа.
Если пришёл не тот сорт, клиент присылает фото пачки, и магазин заменяет её за свой счёт в течение недели.
Деньги за возврат приходят на карту, с которой платили, в течение 5 рабочих дней после приёмки пачки.

## Передача специалисту

Если клиент сообщает об аллергии, разговор сразу передают старшему смены, советовать сорт в этом случае нельзя.
Жалобу на курьера записывают дословно и передают старшему смены вместе с номером заказа и временем доставки.
`

// ragasDocuments are what the real Ragas is run on: three passages each, of three
// policies.
var ragasDocuments = []struct{ name, language, text string }{
	{"bikes.md", "en", ragasDesk},
	{"чай.md", "ru", ragasTea},
}

// The real Ragas fills every row: with our passages, word for word, in the styles
// and lengths that were drawn, and as many joined as there were to be.
func TestRealRagas(t *testing.T) {
	e := ragasEngine(t, Options{})
	for _, doc := range ragasDocuments {
		t.Run(doc.language, func(t *testing.T) {
			player := &ragasPlayer{}
			call := ragasCall(t, player, doc.name, doc.language, doc.text, 12, `{"test_size":100,"reasoning_ratio":0.5}`)
			out, err := e.Generate(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			if out.Engine != "python" || out.Version != "0.4.3" || len(out.Records) != 12 || len(out.Dropped) > 0 {
				t.Fatalf("engine %s %s, %d records, dropped %v; want python 0.4.3, 12, none", out.Engine, out.Version, len(out.Records), out.Dropped)
			}
			styles, lengths, joined := map[string]int{}, map[string]int{}, 0
			for _, rec := range out.Records {
				s, err := ragas.Parse(rec.JSON)
				if err != nil {
					t.Fatal(err)
				}
				styles[s.QueryStyle]++
				lengths[s.QueryLength]++
				if len(rec.Spans) != len(s.ReferenceContexts) || len(rec.Spans) != len(s.ReferenceContextIDs) || len(rec.Spans) == 0 {
					t.Fatalf("%d spans, %d contexts and %d ids: %s", len(rec.Spans), len(s.ReferenceContexts), len(s.ReferenceContextIDs), rec.JSON)
				}
				if len(rec.Spans) > 1 {
					joined++
				}
				for i, span := range rec.Spans {
					text, _ := ragas.Untag(s.ReferenceContexts[i])
					if want := string(call.Documents[0].Bytes()[span.StartByte:span.EndByte]); text != want {
						t.Errorf("context %d of %s is not the passage (-want +got):\n%s", i, rec.Row, cmp.Diff(want, text))
					}
				}
				if !strings.HasPrefix(s.PersonaName, "Кто-то ") {
					t.Errorf("the persona of %s is %q, want one of those that were made", rec.Row, s.PersonaName)
				}
			}
			if diff := cmp.Diff(map[string]int{ragas.Misspelled: 3, ragas.PerfectGrammar: 3, ragas.PoorGrammar: 3, ragas.WebSearchLike: 3}, styles); diff != "" {
				t.Errorf("styles (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]int{ragas.Long: 4, ragas.Medium: 4, ragas.Short: 4}, lengths); diff != "" {
				t.Errorf("lengths (-want +got):\n%s", diff)
			}
			if joined != 6 {
				t.Errorf("%d samples join passages, want 6", joined)
			}
			t.Logf("calls by the kind of reply: %v", player.calls)
		})
	}
}

// The same seed and replies give the same bytes, however many calls are under way
// at once; another seed gives others.
func TestRealRagasRepeats(t *testing.T) {
	ask := func(e *Engine, seed uint64) string {
		call := ragasCall(t, &ragasPlayer{}, "чай.md", "ru", ragasTea, 9, `{"test_size":100,"reasoning_ratio":0.4}`)
		call.Seed = seed
		out, err := e.Generate(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, r := range out.Records {
			fmt.Fprintf(&b, "%s %s\n", r.Row, r.JSON)
		}
		return b.String()
	}
	wide := ragasEngine(t, Options{})
	first := ask(wide, 11)
	if diff := cmp.Diff(first, ask(ragasEngine(t, Options{Workers: 1, Concurrency: 1, Batch: 3}), 11)); diff != "" {
		t.Errorf("with one call at once (-before +after):\n%s", diff)
	}
	if first == ask(wide, 12) {
		t.Error("another seed gives the same records")
	}
}

// One call in five fails, in one way after the other, or all that make one part
// of the graph: everything asked arrives.
func TestRealRagasOfAFailingServer(t *testing.T) {
	e := ragasEngine(t, Options{Workers: 1})
	fault := func(k llm.Kind) error { return &llm.Error{Kind: k, Message: "as told"} }
	faults := map[string]func(kind string, n int) error{
		"one in five": func(_ string, n int) error {
			if n%5 != 3 {
				return nil
			}
			return fault([]llm.Kind{llm.KindRate, llm.KindOverload, llm.KindMalformed, llm.KindTruncated}[n/5%4])
		},
	}
	for _, part := range []string{"StringIO", "ThemesAndConcepts", "NEROutput", "Persona"} {
		faults["every "+part] = func(kind string, _ int) error {
			if kind == part {
				return fault(llm.KindRefused)
			}
			return nil
		}
	}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			client := llm.Retry(&ragasPlayer{fault: f}, &llm.RetryOptions{Base: time.Millisecond, Max: time.Millisecond})
			out, err := e.Generate(t.Context(), ragasCall(t, client, "bikes.md", "en", ragasDesk, 12, `{"test_size":100,"reasoning_ratio":0.4}`))
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Records) != 12 {
				t.Errorf("%d of 12 records, dropped %v", len(out.Records), out.Dropped)
			}
		})
	}
}

// Replies that fit their schema and make no sense cost nothing: a scenario is made
// all the same, of all passages.
func TestRealRagasOfOddReplies(t *testing.T) {
	e := ragasEngine(t, Options{Workers: 1})
	type object = map[string]any
	for name, odd := range map[string]map[string]any{
		"no theme is anybody's":        {"PersonaThemesMapping": object{"mapping": object{"P1": []string{}, "P2": []string{}, "P3": []string{}}}},
		"themes are made up":           {"PersonaThemesMapping": object{"mapping": object{"P1": []string{"x"}, "P2": []string{"y"}, "P3": []string{"z"}}}},
		"personas are forgotten":       {"PersonaThemesMapping": object{"mapping": object{"P2": []string{"deposit"}}}},
		"personas are made up":         {"PersonaThemesMapping": object{"mapping": object{"The Manager": []string{"deposit"}}}},
		"nothing is combined":          {"ConceptCombinations": object{"combinations": [][]string{}}},
		"combinations are empty":       {"ConceptCombinations": object{"combinations": [][]string{{}, {}}}},
		"combinations are made up":     {"ConceptCombinations": object{"combinations": [][]string{{"x", "y"}}}},
		"all personas have one name":   {"Persona": object{"name": "Клиент", "role_description": "Пишет."}},
		"personas have no name":        {"Persona": object{"name": " ", "role_description": ""}},
		"summaries are blank":          {"StringIO": object{"text": " "}},
		"themes and entities are none": {"ThemesAndConcepts": object{"output": []string{}}, "NEROutput": object{"entities": []string{}}},
		"entities are alike":           {"NEROutput": object{"entities": []string{"Booking", "booking", "bookings", ""}}},
	} {
		t.Run(name, func(t *testing.T) {
			player := &ragasPlayer{odd: odd}
			out, err := e.Generate(t.Context(), ragasCall(t, player, "bikes.md", "en", ragasDesk, 6, `{"test_size":100,"reasoning_ratio":0.5}`))
			if err != nil {
				t.Fatal(err)
			}
			joined := 0
			for _, r := range out.Records {
				joined += len(r.Spans) - 1
			}
			if len(out.Records) != 6 || joined != 3 {
				t.Errorf("%d records, of which %d join passages, dropped %v; want 6 and 3", len(out.Records), joined, out.Dropped)
			}
			if n := player.calls["GeneratedQueryAnswer"]; n != 6 {
				t.Errorf("%d questions were asked for, want 6", n)
			}
		})
	}
}
