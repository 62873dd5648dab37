package python

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
)

// The real Ragas fills every row: with our passages, word for word, in the styles
// and lengths that were drawn, and as many joined as there were to be.
func TestRealRagas(t *testing.T) {
	e := realEngine(t, Ragas, Options{})
	for _, document := range realDocuments() {
		t.Run(document, func(t *testing.T) {
			r := newRealCall(t, e, document, 12)
			styles, lengths, joined := map[string]int{}, map[string]int{}, 0
			for _, rec := range r.filled(t).Records {
				s, err := ragas.Parse(rec.JSON)
				if err != nil {
					t.Fatal(err)
				}
				styles[s.QueryStyle]++
				lengths[s.QueryLength]++
				if len(rec.Spans) != len(s.ReferenceContexts) || len(rec.Spans) != len(s.ReferenceContextIDs) {
					t.Fatalf("%d spans, %d contexts and %d ids: %s", len(rec.Spans), len(s.ReferenceContexts), len(s.ReferenceContextIDs), rec.JSON)
				}
				joined += len(rec.Spans) - 1
				for i, span := range rec.Spans {
					text, _ := ragas.Untag(s.ReferenceContexts[i])
					if want := r.spanned(span); text != want {
						t.Errorf("context %d of %s is not the passage (-want +got):\n%s", i, rec.Row, cmp.Diff(want, text))
					}
				}
				if s.PersonaName == "" {
					t.Errorf("%s has no persona of those that were made", rec.Row)
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
		})
	}
}

// All requests that make one part of the graph fail: everything asked arrives.
func TestRealRagasWithoutAPart(t *testing.T) {
	e := realEngine(t, Ragas, Options{Workers: 1})
	for _, part := range []string{"StringIO", "ThemesAndConcepts", "NEROutput", "Persona"} {
		t.Run(part, func(t *testing.T) {
			r := newRealCall(t, e, "bike_rental_en.md", 12)
			r.on = func(req *llm.Request) (string, error) {
				if schemaOf(req) == part {
					return "", &llm.Error{Kind: llm.KindRefused, Message: "as told"}
				}
				return "", nil
			}
			out, err := r.generate(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Records) != 12 || r.asks["python_ragas "+part] == 0 {
				t.Errorf("%d of 12 records, dropped %v, requests %v", len(out.Records), out.Dropped, r.asks)
			}
		})
	}
}

// Replies that fit their schema and make no sense cost nothing: a scenario is made
// all the same, of all passages.
func TestRealRagasReplies(t *testing.T) {
	testReplies(t, Ragas, "bike_rental_en.md", 6, []oddReply{
		{name: "no theme is anybody's", replies: played{"PersonaThemesMapping": `{"mapping":{"P1":[],"P2":[],"P3":[]}}`}},
		{name: "themes are made up", replies: played{"PersonaThemesMapping": `{"mapping":{"P1":["x"],"P2":["y"],"P3":["z"]}}`}},
		{name: "personas are forgotten", replies: played{"PersonaThemesMapping": `{"mapping":{"P2":["deposit"]}}`}},
		{name: "personas are made up", replies: played{"PersonaThemesMapping": `{"mapping":{"The Manager":["deposit"]}}`}},
		{name: "nothing is combined", replies: played{"ConceptCombinations": `{"combinations":[]}`}},
		{name: "combinations are empty", replies: played{"ConceptCombinations": `{"combinations":[[],[]]}`}},
		{name: "combinations are made up", replies: played{"ConceptCombinations": `{"combinations":[["x","y"]]}`}},
		{name: "all personas have one name", replies: played{"Persona": `{"name":"Клиент","role_description":"Пишет."}`}},
		{name: "personas have no name", replies: played{"Persona": `{"name":" ","role_description":""}`}},
		{name: "summaries are blank", replies: played{"StringIO": `{"text":" "}`}},
		{name: "themes and entities are none", replies: played{"ThemesAndConcepts": `{"output":[]}`, "NEROutput": `{"entities":[]}`}},
		{name: "entities are alike", replies: played{"NEROutput": `{"entities":["Booking","booking","bookings",""]}`}},
	}, func(t *testing.T, r *realCall, out *generator.Output) {
		t.Helper()
		joined := 0
		for _, rec := range out.Records {
			joined += strings.Count(string(rec.JSON), "<2-hop>")
		}
		if n := r.asks["python_ragas GeneratedQueryAnswer"]; joined != 3 || n != 6 {
			t.Errorf("%d records join passages, %d questions were asked for; want 3 and 6", joined, n)
		}
	})
}
