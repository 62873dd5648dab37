package ragas_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/bulk"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// Every call is counted, and a dry run knows them beforehand.
func TestEveryCallIsCounted(t *testing.T) {
	t.Parallel()
	large := 150_000
	if raced {
		large = 20_000
	}
	for name, tc := range map[string]struct {
		in *ragas.Input
		o  *ragas.Options
	}{
		"one line":   {&ragas.Input{Documents: []*model.Document{parse(t, "a.md", "Refunds take 5 days.")}, Size: 10}, nil},
		"small":      {&ragas.Input{Documents: shops(t, 3, 5), Size: 20, ReasoningRatio: 0.4}, nil},
		"forty":      {&ragas.Input{Documents: shops(t, 40, 6), Size: 300, ReasoningRatio: 0.4}, nil},
		"given":      {&ragas.Input{Documents: shops(t, 6, 5), Size: 40, ReasoningRatio: 1}, &ragas.Options{Personas: tenPersonas(), Batch: 3}},
		"large":      {&ragas.Input{Documents: []*model.Document{parse(t, "large.md", bulk.Document("ru", large, 1))}, Size: 60, ReasoningRatio: 0.4}, nil},
		"pre-cut":    {&ragas.Input{Graph: ragas.FromTexts("faq", []string{"Lamps are lent for 3 days.", "Deposits come back in cash."}), Size: 12, ReasoningRatio: 0.5}, nil},
		"no repeats": {&ragas.Input{Graph: completed(t, shops(t, 4, 4)), Size: 9}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := ragas.Estimate(tc.in, tc.o)
			if err != nil {
				t.Fatal(err)
			}
			ledger, err := llm.NewLedger(llm.Budget{}, nil)
			if err != nil {
				t.Fatal(err)
			}
			m := &edited{}
			in := *tc.in
			in.Client = ledger.Client(m)
			if _, err := ragas.Generate(t.Context(), &in, tc.o); err != nil {
				t.Fatal(err)
			}
			made := 0
			for _, n := range m.count {
				made += n
			}
			spent := ledger.Snapshot()
			byPurpose := int64(0)
			for _, l := range spent.Lines {
				if !strings.HasPrefix(l.Purpose, "ragas_") {
					t.Errorf("a call is for %q", l.Purpose)
				}
				byPurpose += l.Calls
			}
			if spent.Calls != int64(made) || byPurpose != int64(made) {
				t.Errorf("%d calls made, %d counted, %d by purpose", made, spent.Calls, byPurpose)
			}
			if off := math.Abs(float64(plan.All() - made)); off > 0.1*float64(made) && off > 1 {
				t.Errorf("%d calls expected (%+v), %d made: %v", plan.All(), plan, made, m.count)
			}
		})
	}
}

func TestABudgetIsHard(t *testing.T) {
	t.Parallel()
	docs := shops(t, 5, 5)
	for _, calls := range []int64{1, 6, 12} {
		t.Run(fmt.Sprint(calls), func(t *testing.T) {
			t.Parallel()
			ledger, err := llm.NewLedger(llm.Budget{Calls: calls}, nil)
			if err != nil {
				t.Fatal(err)
			}
			m := &edited{}
			set, err := ragas.Generate(t.Context(), &ragas.Input{Client: ledger.Client(m), Documents: docs, Size: 40}, nil)
			var spent *llm.BudgetError
			if !errors.As(err, &spent) {
				t.Errorf("error %v", err)
			}
			made := int64(0)
			for _, n := range m.count {
				made += int64(n)
			}
			if made > calls {
				t.Errorf("%d calls for a budget of %d", made, calls)
			}
			if calls > 4 && (set == nil || set.Graph == nil) {
				t.Error("what was paid for is lost")
			}
		})
	}
}

// The prompts say the language, which follows the documents.
func TestTheLanguageIsThatOfTheDocuments(t *testing.T) {
	t.Parallel()
	for code, doc := range map[string]*model.Document{
		"en": example(t, "hotel_en.md"), "ru": example(t, "flower_delivery_ru.md"),
		"de": parse(t, "de.md", "# Laden\n\nWer eine Lampe zurückgibt, bekommt das Geld innerhalb von 14 Tagen.\n\n## Zeiten\n\nDer Laden ist von neun bis sechs geöffnet, nur am Sonntag nicht.\n"),
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			seen := map[string]bool{}
			client := clientFunc(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
				mu.Lock()
				seen[actor.Kind(req)] = true
				mu.Unlock()
				if !strings.HasPrefix(req.Messages[1].Content, "Language of the document: "+code+".") {
					t.Errorf("%s says %.60q", req.Purpose, req.Messages[1].Content)
				}
				return player().Complete(ctx, req)
			})
			set, err := ragas.Generate(t.Context(), &ragas.Input{Client: client, Documents: []*model.Document{doc}, Size: 7, ReasoningRatio: 0.4}, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range samples(t, set) {
				checkContexts(t, set, i, s)
			}
			if len(seen) != 5 {
				t.Errorf("kinds of calls: %v", seen)
			}
		})
	}
}

// A text that is too long for one call is read to its end.
func TestLongTextsAreReadWhole(t *testing.T) {
	t.Parallel()
	text := bulk.Document("en", 60_000, 3) + "\n\nThe last thing of all is the Zanzibar Voucher.\n"
	g := &ragas.Graph{Nodes: []*ragas.Node{{ID: "d", Type: ragas.DocumentNode, Text: text, Metadata: map[string]any{"source": "long.md"}}}}
	m := &edited{edit: map[string]func(string, map[string]any){
		actor.RagasExtract: func(user string, reply map[string]any) {
			each(reply, "passages", func(i int, item map[string]any) {
				part := strings.Split(user, "<passage ")[i+1]
				item["summary"] = fmt.Sprint("Zanzibar: ", strings.Contains(part, "Zanzibar"))
			})
		},
	}}
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: m, Graph: g, Size: 2}, nil)
	if err != nil {
		t.Fatal(err)
	}
	asked := strings.Join(m.asked[actor.RagasExtract], "\n")
	if !strings.Contains(asked, "Zanzibar Voucher") || !strings.HasSuffix(set.Graph.Nodes[0].Summary, "Zanzibar: true") {
		t.Error("the end of the text was not read")
	}
	for _, part := range strings.Split(asked, "<passage ")[1:] {
		if n := chunk.Tokens(part); n > 1700 {
			t.Errorf("a passage of %d tokens", n)
		}
	}
	if n := len(set.Graph.Nodes[0].Entities); n > 10 {
		t.Errorf("%d entities", n)
	}
}
