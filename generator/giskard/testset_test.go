package giskard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/bulk"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// mixOf counts the questions of a test set by type.
func mixOf(set *giskard.Testset) giskard.Counts {
	out := giskard.Counts{}
	for _, q := range set.Questions {
		out[giskard.Type(q.Metadata.QuestionType)]++
	}
	return out
}

func even(n int, types ...giskard.Type) giskard.Counts {
	out := giskard.Counts{}
	for i := range n {
		out[types[i%len(types)]]++
	}
	return out
}

// Exact counts in the asked mix, whatever the document is.
func TestTestset_counts(t *testing.T) {
	t.Parallel()
	pages := 500_000 // bytes of 200 pages
	if raced {
		pages = 50_000
	}
	twoTypesLess := slices.DeleteFunc(giskard.Types(), func(t giskard.Type) bool { return t == giskard.Distracting || t == giskard.MultiContext })
	for _, tt := range []struct {
		name, text string
		types      []giskard.Type
	}{
		{"one line", "Parcels carry a two-year warranty.", twoTypesLess},
		{"no headings", strings.Repeat("Returns take 14 days. ", 40) + "\n\n" + strings.Repeat("Shipping costs 5 euros. ", 40), giskard.Types()},
		{"two paragraphs", "Parcels carry a two-year warranty, counted from the day on which they arrive.\n\nReturns are free within 14 days, if the seal of the box is not broken by then.", giskard.Types()},
		{"200 pages", bulk.Document("en", pages, 1), giskard.Types()},
		{"200 pages in Russian", bulk.Document("ru", pages, 1), giskard.Types()},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			kb := build(t, &giskard.Input{Documents: []*model.Document{document(t, "a.md", tt.text)}, Model: &fake{}}, nil)
			for _, n := range []int{1, 2, 5, 10, 60, 100} {
				set, err := kb.Testset(t.Context(), n)
				if err != nil {
					t.Fatalf("%d questions: %v", n, err)
				}
				if diff := gocmp.Diff(even(n, tt.types...), mixOf(set)); diff != "" {
					t.Errorf("%d questions: mix (-want +got):\n%s", n, diff)
				}
				checkSet(t, set)
			}
		})
	}
}

// checkSet checks what holds for every test set.
func checkSet(t *testing.T, set *giskard.Testset) {
	t.Helper()
	seen := map[string]bool{}
	for _, q := range set.Questions {
		m := &q.Metadata
		for what, v := range map[string]string{
			"id": q.ID, "question": q.Question, "reference answer": q.ReferenceAnswer, "reference context": q.ReferenceContext,
			"topic": m.Topic, "seed document": m.SeedDocumentID,
		} {
			if strings.TrimSpace(v) == "" {
				t.Errorf("%s question without %s: %+v", m.QuestionType, what, q)
			}
		}
		if seen[q.ID] || seen[q.Question] {
			t.Errorf("id or question stands twice: %s %q", q.ID, q.Question)
		}
		seen[q.ID], seen[q.Question] = true, true
		own := map[string]bool{
			"distracting context": m.DistractingContext != "", "situation": m.SituationalContext != "", "original questions": len(m.OriginalQuestions) == 2,
			"history": len(q.ConversationHistory) == 2, "fake fact": m.FakeFact != "",
			"two contexts": strings.Count(q.ReferenceContext, "Document ") >= 2 && m.QuestionType == string(giskard.MultiContext),
		}
		var has []string
		for what, ok := range own {
			if ok {
				has = append(has, what)
			}
		}
		want := map[giskard.Type]string{
			giskard.Distracting: "distracting context", giskard.Situational: "situation", giskard.Double: "original questions",
			giskard.Conversational: "history", giskard.OutOfScope: "fake fact", giskard.MultiContext: "two contexts",
		}[giskard.Type(m.QuestionType)]
		if strings.Join(has, ", ") != want {
			t.Errorf("a %s question has %q of its own, want %q", m.QuestionType, has, want)
		}
		var components []giskard.Component
		if err := json.Unmarshal(m.Extra["components"], &components); err != nil || !slices.Equal(components, giskard.Type(m.QuestionType).Components()) {
			t.Errorf("a %s question tests %v (%v)", m.QuestionType, components, err)
		}
	}
}

// A type that the base cannot give is an error before anything is asked.
func TestTestset_impossibleType(t *testing.T) {
	t.Parallel()
	f := &fake{}
	o := &giskard.Options{Weights: giskard.Weights{giskard.Simple: 1, giskard.Distracting: 1}}
	kb := build(t, &giskard.Input{Rows: []giskard.Row{{Text: "Parcels carry a two-year warranty."}}, Model: f}, o)
	before := f.count()
	set, err := kb.Testset(t.Context(), 10)
	var short *giskard.ShortfallError
	if !errors.As(err, &short) {
		t.Fatalf("error %v, want a *ShortfallError", err)
	}
	if short.Asked != 10 || short.Possible != 5 || len(short.Short) != 1 || short.Short[0].Type != giskard.Distracting || len(short.Short[0].Reasons) != 1 {
		t.Errorf("got %+v", short)
	}
	if set == nil || len(set.Questions) != 0 || f.count() != before {
		t.Errorf("%d calls were made for %v", f.count()-before, set)
	}
}

// A model that repeats itself ends in an error that says how many there are.
func TestTestset_shortfall(t *testing.T) {
	t.Parallel()
	o := &giskard.Options{Weights: giskard.Weights{giskard.Simple: 1}, Rounds: 1}
	kb := build(t, &giskard.Input{Rows: []giskard.Row{{Text: "Parcels carry a two-year warranty."}}, Model: &fake{same: true}}, o)
	set, err := kb.Testset(t.Context(), 3)
	var short *giskard.ShortfallError
	if !errors.As(err, &short) || len(set.Questions) != 1 {
		t.Fatalf("%d questions, error %v; want one and a *ShortfallError", len(set.Questions), err)
	}
	want := &giskard.ShortfallError{Asked: 3, Made: 1, Possible: 1, Short: []giskard.Short{{
		Type: giskard.Simple, Asked: 3, Made: 1, Possible: 1, Reasons: []string{"it says nearly the same as another question"},
	}}}
	if diff := gocmp.Diff(want, short); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if set.Report.Duplicates != 4 || set.Report.Written != 5 || set.Report.DuplicateRate() != 0.8 {
		t.Errorf("report %+v, want 4 near copies of 5", set.Report)
	}
}

// Nothing at all is a typed error with its causes.
func TestTestset_nothing(t *testing.T) {
	t.Parallel()
	f := &fake{}
	kb := build(t, &giskard.Input{Rows: []giskard.Row{{Text: "Parcels carry a two-year warranty."}}, Model: llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		if req.Purpose == "giskard_topics" {
			return f.Complete(ctx, req)
		}
		return nil, &llm.Error{Kind: llm.KindAuth, Message: "no such key"}
	})}, nil)
	set, err := kb.Testset(t.Context(), 6)
	var short *giskard.ShortfallError
	var cause *llm.Error
	if !errors.As(err, &short) || !errors.As(err, &cause) || cause.Kind != llm.KindAuth || len(set.Questions) != 0 || len(short.Short) == 0 {
		t.Errorf("%d questions, error %v; want none and a *ShortfallError of an *llm.Error", len(set.Questions), err)
	}
}

// The same seed and replies give the same bytes at any concurrency; another seed
// gives others. The seed and the temperature are sent and stored.
func TestTestset_same(t *testing.T) {
	t.Parallel()
	doc := document(t, "a.md", bulk.Document("ru", 30_000, 3))
	write := func(seed uint64, concurrency int) string {
		f := &fake{}
		temperature := 0.7
		kb := build(t, &giskard.Input{Documents: []*model.Document{doc}, Model: f}, &giskard.Options{Seed: seed, Concurrency: concurrency, Temperature: &temperature})
		set, err := kb.Testset(t.Context(), 40)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		records, err := set.Records()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			b.Write(r.JSON)
			fmt.Fprintln(&b, r.Spans)
		}
		for _, req := range f.log {
			if req.Seed == nil || req.Temperature == nil {
				t.Fatalf("a %s request has no seed or temperature", req.Purpose)
			}
			if want := map[string]float64{"giskard_questions": 0.7, "giskard_rewrites": 0.7, "giskard_answer": 0.7}[req.Purpose]; *req.Temperature != want {
				t.Fatalf("temperature of a %s request: %v, want %v", req.Purpose, *req.Temperature, want)
			}
		}
		q := &set.Questions[0]
		if s, temp := string(q.Metadata.Extra["seed"]), string(q.Metadata.Extra["temperature"]); s != fmt.Sprint(seed) || temp != "0.7" {
			t.Fatalf("seed %s and temperature %s are stored, want %d and 0.7", s, temp, seed)
		}
		return b.String()
	}
	first := write(7, 1)
	for _, c := range []int{4, 64} {
		if diff := gocmp.Diff(first, write(7, c)); diff != "" {
			t.Errorf("at concurrency %d (-1 +%d):\n%s", c, c, diff)
		}
	}
	if first == write(8, 4) {
		t.Error("another seed gives the same")
	}
}

// Neighbours, topics and questions do not depend on the length of vectors.
func TestTestset_scaledVectors(t *testing.T) {
	t.Parallel()
	doc := document(t, "a.md", bulk.Document("en", 30_000, 3))
	write := func(scale float32) []giskard.Question {
		kb := build(t, &giskard.Input{Documents: []*model.Document{doc}, Model: &fake{}, Embedder: scaled{scale}}, nil)
		if len(kb.Notices) > 0 {
			t.Fatal(kb.Notices)
		}
		set, err := kb.Testset(t.Context(), 30)
		if err != nil {
			t.Fatal(err)
		}
		return set.Questions
	}
	want := write(1)
	if diff := gocmp.Diff(want, write(20)); diff != "" {
		t.Errorf("(-x1 +x20):\n%s", diff)
	}
	if !slices.ContainsFunc(want, func(q giskard.Question) bool { return q.Metadata.Extra["neighbour_document_ids"] != nil }) {
		t.Error("no question has a neighbour in its context")
	}
}

type scaled struct{ by float32 }

func (s scaled) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vs, err := llm.NewLexical(nil).Embed(ctx, texts)
	for _, v := range vs {
		for i := range v {
			v[i] *= s.by
		}
	}
	return vs, err
}

// Every topic has a question when there are as many questions as topics, and
// also when questions come to nothing.
func TestTestset_topics(t *testing.T) {
	t.Parallel()
	doc := document(t, "a.md", bulk.Document("en", 30_000, 3))
	kb := build(t, &giskard.Input{Documents: []*model.Document{doc}, Model: &fake{unsupported: func(message string) bool { return strings.HasSuffix(message, "a") }}}, nil)
	if len(kb.Topics) < 3 {
		t.Fatalf("%d topics, too few to tell", len(kb.Topics))
	}
	for _, n := range []int{len(kb.Topics), len(kb.Topics) + 7, 100} {
		set, err := kb.Testset(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		asked := map[string]int{}
		for _, q := range set.Questions {
			asked[q.Metadata.Topic]++
		}
		for _, topic := range kb.Topics {
			if asked[topic.Name] == 0 {
				t.Errorf("%d questions: none about %q", n, topic.Name)
			}
		}
		if set.Report.GroundedRate() == 1 || set.Report.Grounded != n {
			t.Errorf("report %+v: want %d grounded answers and some that are not", set.Report, n)
		}
	}
}

// The distracting document is neither seed nor context, even among copies.
func TestTestset_distraction(t *testing.T) {
	t.Parallel()
	var rows []giskard.Row
	for i := range 12 {
		rows = append(rows, giskard.Row{Text: text(false, "row", fmt.Sprint(i/2))}) // every text twice
	}
	kb := build(t, &giskard.Input{Rows: rows, Model: &fake{}}, nil)
	set, err := kb.TestsetOf(t.Context(), giskard.Counts{giskard.Distracting: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range set.Questions {
		if strings.Contains(q.ReferenceContext, q.Metadata.DistractingContext) {
			t.Errorf("%q distracts and stands in the context:\n%s", q.Metadata.DistractingContext, q.ReferenceContext)
		}
	}
}

// What is answered, and by what it is judged, is the message after its last
// rewrite; the reference answer is never that of an earlier one.
func TestTestset_answersAfterRewrites(t *testing.T) {
	t.Parallel()
	kb := build(t, &giskard.Input{Documents: []*model.Document{read(t, "bike_rental_en.md")}, Model: &fake{}}, nil)
	set, err := kb.TestsetOf(t.Context(), giskard.Counts{giskard.Complex: 5, giskard.Double: 5, giskard.Conversational: 5})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range set.Questions {
		asked := q.Question
		if len(q.ConversationHistory) > 0 {
			asked = q.ConversationHistory[0].Content + "\n" + q.Question
		}
		if want := text(false, "output", asked); q.ReferenceAnswer != want {
			t.Errorf("the answer to %q is %q, want %q", asked, q.ReferenceAnswer, want)
		}
	}
}

// What is out of scope is looked for in the whole base, not in the context only.
func TestTestset_outOfScope(t *testing.T) {
	t.Parallel()
	// The fact that is made up first stands in a row that is no neighbour.
	var rows []giskard.Row
	for i := range 30 {
		rows = append(rows, giskard.Row{ID: fmt.Sprint("r", i), Text: text(false, "row", fmt.Sprint(i))})
	}
	rows[17].Text = "Zebras may be rented by the hour at the back gate."
	seen, refused := 0, 0
	f := &fake{says: func(user, item string) string {
		if strings.Contains(item, "zebra") {
			if strings.Contains(user, "back gate") {
				seen++
				return "Zebras may be rented"
			}
		}
		return ""
	}}
	first := true
	client := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		resp, err := f.Complete(ctx, req)
		if req.Purpose == "giskard_questions" && first {
			first = false
			var r struct {
				Items []map[string]any `json:"items"`
			}
			if err := json.Unmarshal([]byte(resp.Text), &r); err != nil {
				return nil, err
			}
			r.Items[0]["fact"], r.Items[0]["message"] = "Zebras are rented for an hour.", "Can I rent a zebra for an hour?"
			b, err := json.Marshal(r)
			return &llm.Response{Text: string(b)}, err
		}
		if strings.Contains(req.Messages[1].Content, "an earlier answer was refused: the documents say it") {
			refused++
		}
		return resp, err
	})
	kb := build(t, &giskard.Input{Rows: rows, Model: client}, &giskard.Options{Neighbours: 1, Concurrency: 1, Seed: 5})
	set, err := kb.TestsetOf(t.Context(), giskard.Counts{giskard.OutOfScope: 3})
	if err != nil {
		t.Fatal(err)
	}
	if seen != 1 || refused != 1 {
		t.Errorf("the row that says it was seen %d times, and asked for anew %d times; want once", seen, refused)
	}
	for _, q := range set.Questions {
		if strings.Contains(q.Question+q.Metadata.FakeFact, "ebra") {
			t.Errorf("%q is in the base and was kept", q.Question)
		}
	}
}

// A multi-context question whose answer needs one document only is replaced.
func TestTestset_multiContext(t *testing.T) {
	t.Parallel()
	in := &giskard.Input{Documents: []*model.Document{read(t, "tea_shop_ru.md")}, Model: &fake{needs: 1}}
	_, err := build(t, in, &giskard.Options{Rounds: 1}).TestsetOf(t.Context(), giskard.Counts{giskard.MultiContext: 2})
	var short *giskard.ShortfallError
	if !errors.As(err, &short) || short.Made != 0 || !strings.Contains(short.Error(), "needs one document only") {
		t.Errorf("error %v, want a *ShortfallError on the one document", err)
	}
	in.Model = &fake{}
	set, err := build(t, in, nil).TestsetOf(t.Context(), giskard.Counts{giskard.MultiContext: 4})
	if err != nil {
		t.Fatal(err)
	}
	checkSet(t, set)
}

// Asked for Russian or of a Russian document, everything is Russian: there is no
// fixed sentence in it.
func TestTestset_language(t *testing.T) {
	t.Parallel()
	kb := build(t, &giskard.Input{Documents: []*model.Document{read(t, "tea_shop_ru.md")}, Model: &fake{}}, nil)
	if kb.Language != "ru" {
		t.Fatalf("language %q", kb.Language)
	}
	set, err := kb.Testset(t.Context(), 24)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range set.Questions {
		texts := []string{q.Question, q.ReferenceAnswer, q.Metadata.Topic, q.Metadata.SituationalContext, q.Metadata.FakeFact}
		for _, m := range q.ConversationHistory {
			texts = append(texts, m.Content)
		}
		for _, s := range texts {
			if strings.ContainsAny(s, "abcdefghijklmnopqrstuvwxyz") {
				t.Errorf("%s: %q is not Russian", q.Metadata.QuestionType, s)
			}
		}
	}
	// A model that answers in English is asked again, and in the end not heard.
	english := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		r := *req
		r.Messages = slices.Clone(req.Messages)
		r.Messages[1].Content = strings.ReplaceAll(r.Messages[1].Content, "passages: ru", "passages: en")
		return (&fake{}).Complete(ctx, &r)
	})
	kb = build(t, &giskard.Input{Documents: []*model.Document{read(t, "tea_shop_ru.md")}, Model: english}, &giskard.Options{Rounds: -1})
	for _, topic := range kb.Topics {
		if lang.Detect(topic.Name) == "en" {
			t.Errorf("topic %q", topic.Name)
		}
	}
	_, err = kb.Testset(t.Context(), 4)
	if err == nil || !strings.Contains(err.Error(), "not in the language") {
		t.Errorf("error %v", err)
	}
}

// Counts and weights are kept exactly.
func TestTestset_mix(t *testing.T) {
	t.Parallel()
	in := &giskard.Input{Documents: []*model.Document{read(t, "bike_rental_en.md")}, Model: &fake{}}
	kb := build(t, in, &giskard.Options{Weights: giskard.Weights{giskard.Simple: 1, giskard.Double: 2, giskard.OutOfScope: 0.5}})
	set, err := kb.Testset(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(giskard.Counts{giskard.Simple: 3, giskard.Double: 6, giskard.OutOfScope: 1}, mixOf(set)); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	want := giskard.Counts{giskard.Situational: 3, giskard.Conversational: 2}
	if set, err = kb.TestsetOf(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(want, mixOf(set)); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	for _, bad := range []giskard.Counts{nil, {"other": 1}, {giskard.Simple: -1}} {
		var option *giskard.OptionError
		if _, err := kb.TestsetOf(t.Context(), bad); !errors.As(err, &option) {
			t.Errorf("counts %v: error %v, want an *OptionError", bad, err)
		}
	}
}

// Long documents are cut; a context never repeats a document.
func TestTestset_contexts(t *testing.T) {
	t.Parallel()
	in := &giskard.Input{Documents: []*model.Document{document(t, "a.md", bulk.Document("ru", 40_000, 9))}, Model: &fake{}}
	kb := build(t, in, &giskard.Options{PassageTokens: 80, Neighbours: 50})
	set, err := kb.TestsetOf(t.Context(), giskard.Counts{giskard.Simple: 20})
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range set.Questions {
		var ids []string
		if raw := q.Metadata.Extra["neighbour_document_ids"]; raw != nil {
			if err := json.Unmarshal(raw, &ids); err != nil {
				t.Fatal(err)
			}
		}
		ids = append(ids, q.Metadata.SeedDocumentID)
		slices.Sort(ids)
		if len(slices.Compact(slices.Clone(ids))) != len(ids) {
			t.Errorf("a document stands twice in the context: %v", ids)
		}
	}
	for _, topic := range kb.Topics {
		if len(topic.Documents) == 0 {
			t.Errorf("topic %q is empty", topic.Name)
		}
	}
	if records, err := set.Records(); err != nil || len(records) != 20 {
		t.Errorf("%d records, %v", len(records), err)
	} else {
		for _, r := range records {
			for _, s := range r.Spans {
				if n := chunk.Tokens(string(in.Documents[0].Bytes()[s.StartByte:s.EndByte])); n > 80 {
					t.Errorf("a passage has %d tokens", n)
				}
			}
		}
	}
	// As many neighbours as asked are never more than there are.
	three := build(t, &giskard.Input{Rows: []giskard.Row{{Text: "warranty two years"}, {Text: "warranty returns"}, {Text: "returns two weeks"}}, Model: &fake{}}, &giskard.Options{Neighbours: 10})
	if set, err = three.Testset(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	for _, q := range set.Questions {
		if n := strings.Count(q.ReferenceContext, "Document "); n > 3 {
			t.Errorf("%d documents in a context of three: %s", n, q.ReferenceContext)
		}
	}
}

// Two replies never end up under one id, and an id follows from the inputs.
func TestTestset_ids(t *testing.T) {
	t.Parallel()
	kb := build(t, &giskard.Input{Rows: []giskard.Row{{ID: "007", Text: "Parcels carry a two-year warranty."}, {ID: "7", Text: "Returns are free."}}, Model: &fake{}}, nil)
	set, err := kb.Testset(t.Context(), 8)
	if err != nil {
		t.Fatal(err)
	}
	records, err := set.Records()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range records {
		q, err := giskard.Parse(r.JSON)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(set.Questions[i].Metadata.SeedDocumentID, q.Metadata.SeedDocumentID); diff != "" {
			t.Errorf("seed document, written and read (-want +got):\n%s", diff)
		}
	}
	if !slices.ContainsFunc(set.Questions, func(q giskard.Question) bool { return q.Metadata.SeedDocumentID == "007" }) {
		t.Error("no question of 007")
	}
}

// A passage of which the model says that it states nothing is not asked about
// again; if none states anything, the error says so.
func TestTestset_declined(t *testing.T) {
	t.Parallel()
	rows := []giskard.Row{{ID: "intro", Text: "This page has three parts."}, {ID: "a", Text: "Parcels carry a two-year warranty."}, {ID: "b", Text: "Returns are free within 14 days."}}
	asked := 0
	f := &fake{declines: func(kind, item, user string) string {
		m := regexp.MustCompile(`passages (d\d+)`).FindStringSubmatch(item)
		if kind == "need" && strings.Contains(user, "<passage key=\""+m[1]+"\">\nThis page") {
			asked++
			return "It only describes the page."
		}
		return ""
	}}
	o := &giskard.Options{Weights: giskard.Weights{giskard.Simple: 1}, Concurrency: 1}
	set, err := build(t, &giskard.Input{Rows: rows, Model: f}, o).Testset(t.Context(), 9)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range set.Questions {
		if q.Metadata.SeedDocumentID == "intro" {
			t.Errorf("a question about what states nothing: %+v", q)
		}
	}
	if asked == 0 || asked > 3 { // each place once, in the first round
		t.Errorf("it was asked about %d times", asked)
	}
	_, err = build(t, &giskard.Input{Rows: rows[:1], Model: f}, o).Testset(t.Context(), 2)
	var short *giskard.ShortfallError
	if !errors.As(err, &short) || short.Made != 0 || !strings.Contains(err.Error(), "It only describes the page.") {
		t.Errorf("error %v, want a *ShortfallError with the reason", err)
	}
}

// Where the documents are too long for a prompt, an answer is written from what
// they say of the input besides its context, and the document is not shown empty.
func TestTestset_longDocuments(t *testing.T) {
	t.Parallel()
	text := bulk.Document("en", 60_000, 4) + "\n\nZebras are never rented to anybody under sixteen.\n"
	f := &fake{}
	client := llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		resp, err := f.Complete(ctx, req)
		if req.Purpose == "giskard_questions" {
			resp.Text = strings.Replace(resp.Text, `"message":"I need`, `"message":"My zebras, are they rented to me? I need`, 1)
		}
		return resp, err
	})
	kb := build(t, &giskard.Input{Documents: []*model.Document{document(t, "a.md", text)}, Model: client}, nil)
	if _, err := kb.TestsetOf(t.Context(), giskard.Counts{giskard.Simple: 3}); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, req := range f.log {
		user := req.Messages[1].Content
		if strings.Contains(user, "<document") {
			t.Errorf("a %s request shows the document", req.Purpose)
		}
		if (req.Purpose == "giskard_answer" || req.Purpose == "giskard_check") && strings.Contains(user, "under sixteen") {
			seen++
		}
	}
	if seen != 2 {
		t.Errorf("what the documents say of the input stands in %d of two requests", seen)
	}
}
