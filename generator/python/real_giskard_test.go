package python

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
)

// The contract between what Giskard makes and what comes out, in two languages.
func TestRealGiskard(t *testing.T) {
	e := realEngine(t, Giskard, Options{})
	for _, document := range realDocuments() {
		t.Run(document, func(t *testing.T) {
			r := newRealCall(t, e, document, 14)
			r.on = func(req *llm.Request) (string, error) {
				if req.Purpose == "python_giskard_scope" { // the first policy is the one on what cannot be answered
					return `{"rules":["p1"]}`, nil
				}
				return "", nil
			}
			first := slices.IndexFunc(r.Policies, func(p model.Policy) bool {
				return p.Type == model.Must || p.Type == model.MustNot || p.Type == model.Escalate
			})
			for i := range 2 { // so that what is out of scope has rows
				id := r.Policies[first].ID
				r.Rows[i].PolicyIDs, r.Rows[i].Roles = []string{id}, map[string]model.Role{id: model.Plain}
			}
			types := map[string]int{}
			for _, rec := range r.filled(t).Records {
				q, err := giskard.Parse(rec.JSON)
				if err != nil {
					t.Fatal(err)
				}
				for _, s := range rec.Spans {
					if text := r.spanned(s); !strings.Contains(q.ReferenceContext, ": "+text) {
						t.Errorf("%s: the reference context lacks\n%s", rec.Row, text)
					}
				}
				if len(q.Extra) > 0 || q.Metadata.Topic == "" || q.Metadata.Topic == "Others" {
					t.Errorf("%s: other keys %v, topic %q", rec.Row, q.Extra, q.Metadata.Topic)
				}
				if strings.Contains(string(rec.JSON), giskardSituation) || q.ReferenceAnswer == giskardRefusal {
					t.Errorf("%s: what Giskard says in the model's place is in the record: %s", rec.Row, rec.JSON)
				}
				if document == "flower_delivery_ru.md" && strings.Contains(string(rec.JSON), giskardHelp) {
					t.Errorf("%s: an English turn is in the record: %s", rec.Row, rec.JSON)
				}
				types[q.Metadata.QuestionType]++
			}
			if want := []string{"complex", "conversational", "distracting element", "double", "out of scope", "simple", "situational"}; !slices.Equal(want, slices.Sorted(maps.Keys(types))) {
				t.Errorf("the types are %v", types)
			}
		})
	}
}

// embedder returns what its function does.
type embedder func(texts []string) ([][]float32, error)

func (e embedder) Embed(_ context.Context, texts []string) ([][]float32, error) { return e(texts) }

// Vectors are those of the call, asked for once for a knowledge base, and what is
// near to the seed is in the context, whatever the length of the vectors.
func TestRealGiskardVectors(t *testing.T) {
	e := realEngine(t, Giskard, Options{TopUps: -1, Workers: 1})
	for _, tt := range []struct {
		name     string
		vector   func(i int) []float32
		together bool // all passages are near to each other
		err      error
	}{
		{name: "all near", vector: func(int) []float32 { return []float32{20, 1} }, together: true},
		{name: "all far", vector: func(i int) []float32 { v := make([]float32, 400); v[i] = 3; return v }},
		{name: "nothing known", vector: func(int) []float32 { return []float32{0, 0} }, together: true},
		{name: "no vectors", err: outOfOrder()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRealCall(t, e, "bike_rental_en.md", 3)
			var mu sync.Mutex
			asked, known := 0, map[string]int{}
			r.Embedder = embedder(func(texts []string) ([][]float32, error) {
				mu.Lock()
				defer mu.Unlock()
				asked++
				if tt.err != nil {
					return nil, tt.err
				}
				out := make([][]float32, len(texts))
				for i, text := range texts {
					if _, ok := known[text]; !ok {
						known[text] = len(known)
					}
					out[i] = tt.vector(known[text])
				}
				return out, nil
			})
			out, err := r.generate(t.Context())
			if tt.err != nil {
				if err == nil || !strings.Contains(err.Error(), "out of order") || len(out.Dropped) != 3 {
					t.Fatalf("error %v, dropped %v", err, out.Dropped)
				}
				return
			}
			if err != nil || len(out.Records) != 3 {
				t.Fatalf("%d records, dropped %v, error %v", len(out.Records), out.Dropped, err)
			}
			// The same worker has served other vectors under the same name.
			if asked < 1 || asked > 2 {
				t.Errorf("asked for vectors %d times", asked)
			}
			for _, rec := range out.Records {
				if got := len(rec.Spans) >= 4; got != tt.together {
					t.Errorf("%s has %d contexts", rec.Row, len(rec.Spans))
				}
			}
		})
	}
}

// What Giskard does with replies that are not what it asks for, in a row for each
// type in scope.
func TestRealGiskardReplies(t *testing.T) {
	testReplies(t, Giskard, "flower_delivery_ru.md", 6, []oddReply{
		// The prompt for a situation shows an example of another step, in JSON.
		{name: "a situation in JSON", replies: played{"": `{"question": "Медсестра переезжает в Тверь."}`}, kind: `"question_type":"situational"`, has: `"situational_context":"Медсестра переезжает в Тверь."`},
		{name: "a situation in quotes", replies: played{"": `"Медсестра переезжает."`}, kind: `"question_type":"situational"`, has: `"situational_context":"Медсестра переезжает."`},
		{name: "a blank question", replies: played{"question": `{"question":"  "}`}, dropped: 3, reason: "the input is blank"},
		{name: "a question that is an object", replies: played{"question": `{"question":{"ru":"Где заказ?","en":"Where?"}}`}, dropped: 3, reason: "schema"},
		{name: "one half of two", replies: played{"pairs": `{"pairs":[{"question":"Где заказ?","answer":"В пути."}]}`}, dropped: 1, reason: "schema"},
		{name: "no JSON", replies: played{"turns": `Где заказ?`}, dropped: 1, reason: "schema"},
	}, nil)
}
