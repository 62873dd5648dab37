package python

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

func giskardPolicy(id string, kind model.PolicyType, line int) model.Policy {
	return model.Policy{ID: id, Type: kind, Statement: "Правило " + id, Evidence: []model.Evidence{{InputFile: "чай.md", LineStart: line, LineEnd: line}}}
}

func giskardShopCall() *generator.Call {
	policies := []model.Policy{giskardPolicy("pol_return", model.MustNot, 5), giskardPolicy("pol_hour", model.MustNot, 9), giskardPolicy("pol_allergy", model.Escalate, 13)}
	return &generator.Call{
		Seed: 1, Language: "ru", UseCase: model.UseCase{Name: "Заказ чая", Description: "Клиент пишет о заказе."},
		Policies: policies, AllPolicies: policies,
	}
}

func giskardRows(n int, policies ...string) []model.Row {
	rows := make([]model.Row, n)
	for i := range rows {
		rows[i] = model.Row{ID: fmt.Sprintf("r%d", i), Examples: 1, PolicyIDs: []string{policies[i%len(policies)]}, Roles: map[string]model.Role{}}
	}
	return rows
}

func giskardPlanOf(w *work, types ...giskard.Type) *giskardPlan {
	return &giskardPlan{types: types, topics: giskardTopics(w.passages)}
}

func giskardID(tb testing.TB, w *work, words string) string {
	tb.Helper()
	return passageWith(tb, w.passages, words).ID
}

func TestGiskardTask(t *testing.T) {
	t.Parallel()
	call := giskardShopCall()
	call.Axes = []model.Axis{{Name: "language", Rule: "language"}}
	call.Rows = []model.Row{
		{ID: "r1", Examples: 2, PolicyIDs: []string{"pol_return", "pol_allergy"}, Roles: map[string]model.Role{"pol_return": model.Pressed}},
		{ID: "r2", Examples: 1, PolicyIDs: []string{"pol_hour"}, Parameters: map[string]model.Value{"language": model.String("en")}, Axes: []string{"language"}},
	}
	w := newWork(t, call, "чай.md", "bikes.md")
	w.held = giskardPlanOf(w, giskard.Distracting, giskard.OutOfScope, giskard.Double)
	body := func(s *slot) *giskardTask {
		b, err := newGiskard().body(w, s)
		if err != nil {
			t.Fatal(err)
		}
		return b.(*giskardTask)
	}
	slots := w.slots
	got := []*giskardTask{body(slots[0]), body(slots[1]), body(slots[2])}
	say := w.wanted(slots[0])
	for i, parts := range [][]string{
		{"Правило pol_return", "presses against it", "It also touches: Правило pol_allergy", "customer 1 of 2", say.Message, say.Reply},
		{"customer 2 of 2"},
		{"Правило pol_hour", "language = en"},
	} {
		for _, part := range parts {
			if !strings.Contains(got[i].Agent, part) {
				t.Errorf("task %d: the agent's description lacks %q:\n%s", i, part, got[i].Agent)
			}
		}
	}
	shown := []string{giskardID(t, w, "Вскрытую"), giskardID(t, w, "аллергии")}
	want := []*giskardTask{
		{Type: giskard.Distracting, Context: shown, Distraction: got[0].Distraction, Language: "ru", Agent: got[0].Agent},
		{Type: giskard.OutOfScope, Context: shown, Language: "ru", Agent: got[1].Agent},
		{Type: giskard.Double, Context: []string{giskardID(t, w, "конкретный час")}, Language: "en", Agent: got[2].Agent},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if c, ok := w.passages.id(got[0].Distraction); !ok || slices.Contains(shown, c.ID) {
		t.Errorf("%q distracts from %v", got[0].Distraction, shown)
	}

	w.try = 1
	if again := body(slots[0]); again.Type != giskard.Distracting || again.Agent == got[0].Agent {
		t.Errorf("the second time it is %q, asked for as before: %t", again.Type, again.Agent == got[0].Agent)
	}
	w.try = w.o.TopUps
	if last := body(slots[0]); last.Type != giskard.Simple || last.Distraction != "" {
		t.Errorf("the last time it is %q, %q distracts", last.Type, last.Distraction)
	}
}

// The seed document is the passage with the most of the row's first policy, not
// the first of them.
func TestGiskardSeed(t *testing.T) {
	t.Parallel()
	call := &generator.Call{Rows: giskardRows(1, "pol_long"), Policies: []model.Policy{
		giskardPolicy("pol_other", model.Must, 5),
		{ID: "pol_long", Statement: "Доставка и передача", Evidence: []model.Evidence{{InputFile: "else.md", LineStart: 1, LineEnd: 9}, {InputFile: "чай.md", LineStart: 9, LineEnd: 13}}},
	}}
	w := newWork(t, call, "чай.md")
	b, err := newGiskard().body(w, w.slots[0])
	if err != nil {
		t.Fatal(err)
	}
	want := []string{giskardID(t, w, "аллергии"), giskardID(t, w, "конкретный час")}
	if diff := cmp.Diff(want, b.(*giskardTask).Context); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A row whose policies stand in no document of the call is about the passage with
// the most of their words.
func TestGiskardTaskOfAnotherDocument(t *testing.T) {
	t.Parallel()
	call := &generator.Call{Rows: giskardRows(1, "pol_else"), Policies: []model.Policy{{
		ID: "pol_else", Statement: "The deposit per bike is returned", Evidence: []model.Evidence{{InputFile: "rules.md", LineStart: 1, LineEnd: 1}},
	}}}
	w := newWork(t, call, "чай.md", "bikes.md")
	if _, err := newGiskard().prepare(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	b, err := newGiskard().body(w, w.slots[0])
	if err != nil {
		t.Fatal(err)
	}
	if got, want := b.(*giskardTask).Context, []string{giskardID(t, w, "60 euros")}; !slices.Equal(got, want) {
		t.Errorf("it is about %v, not %v", got, want)
	}
}

func TestGiskardTypesAreDealtEvenly(t *testing.T) {
	t.Parallel()
	all := slices.DeleteFunc(giskard.Types(), func(t giskard.Type) bool { return t == giskard.MultiContext })
	inScope := slices.DeleteFunc(slices.Clone(all), func(t giskard.Type) bool { return t == giskard.OutOfScope })
	counts := func(n int, types ...giskard.Type) map[giskard.Type]int {
		out := map[giskard.Type]int{}
		for _, t := range types {
			out[t] = n
		}
		return out
	}
	short := map[string]model.Value{"length": model.String("short")}
	for _, tt := range []struct {
		name   string
		rows   []model.Row
		files  []string
		beyond map[string]bool
		change func(rows []model.Row)
		want   map[giskard.Type]int
	}{
		{name: "six types", rows: giskardRows(12, "pol_return", "pol_hour"), files: []string{"чай.md"}, want: counts(2, inScope...)},
		{name: "all types", rows: giskardRows(14, "pol_return", "pol_allergy"), files: []string{"чай.md"}, beyond: map[string]bool{"pol_allergy": true}, want: counts(2, all...)},
		{
			name: "one row of many is about what cannot be answered", rows: append(giskardRows(6, "pol_return"), giskardRows(1, "pol_allergy")...), files: []string{"чай.md"},
			beyond: map[string]bool{"pol_allergy": true}, want: counts(1, all...),
		},
		{
			name: "short messages", rows: giskardRows(8, "pol_return", "pol_allergy"), files: []string{"чай.md"}, beyond: map[string]bool{"pol_allergy": true},
			change: func(rows []model.Row) {
				for i := range rows {
					rows[i].Parameters = short
				}
			},
			want: counts(4, giskard.Simple, giskard.OutOfScope),
		},
		{name: "nothing to distract with", rows: giskardRows(10, "pol_return"), files: []string{"bikes.md"}, want: counts(2, slices.DeleteFunc(slices.Clone(inScope), func(t giskard.Type) bool { return t == giskard.Distracting })...)},
		{
			name: "several examples, and rows that are none of Giskard's", rows: giskardRows(5, "pol_return"), files: []string{"чай.md"},
			change: func(rows []model.Row) {
				rows[0].Examples, rows[1].Given, rows[2].Corner, rows[3].Examples = 3, []model.Message{{Role: "user", Content: "?"}}, "off_topic", 8
			},
			want: func() map[giskard.Type]int { m := counts(2, inScope...); m[""] = 2; return m }(),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			first := map[giskard.Type]bool{}
			for seed := range uint64(20) {
				call := giskardShopCall()
				call.Seed, call.Axes, call.Rows = seed, []model.Axis{{Name: "length", Rule: "length"}}, slices.Clone(tt.rows)
				if tt.change != nil {
					tt.change(call.Rows)
				}
				w := newWork(t, call, tt.files...)
				plan := giskardTypes(w, tt.beyond)
				got := map[giskard.Type]int{}
				for _, kind := range plan {
					got[kind]++
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("seed %d (-want +got):\n%s", seed, diff)
				}
				if diff := cmp.Diff(plan, giskardTypes(w, tt.beyond)); diff != "" {
					t.Errorf("seed %d, again (-want +got):\n%s", seed, diff)
				}
				first[plan[0]] = true
			}
			if len(first) < 2 && len(tt.want) > 2 {
				t.Errorf("of 20 calls, all begin with %v", first)
			}
		})
	}

	few := map[giskard.Type]bool{}
	for seed := range uint64(20) {
		call := giskardShopCall()
		call.Seed, call.Rows = seed, giskardRows(2, "pol_return")
		for _, kind := range giskardTypes(newWork(t, call, "чай.md"), nil) {
			few[kind] = true
		}
	}
	if len(few) < len(inScope) {
		t.Errorf("20 calls of two rows have only %v", few)
	}
}

// What distracts is of another topic where there is one, and never what the row
// is about, be it said twice.
func TestGiskardDistraction(t *testing.T) {
	t.Parallel()
	passage := func(id, topic, text string) chunk.Chunk {
		return chunk.Chunk{ID: id, Title: "Shop > " + topic, Text: text}
	}
	seed, twin := passage("a", "Returns", "Within 14 days."), passage("b", "Delivery", "Within 14 days.\n")
	near, far, further := passage("c", "Returns", "Opened packs stay."), passage("d", "Delivery", "Two days."), passage("e", "Allergy", "Ask the lead.")
	for _, tt := range []struct {
		name string
		all  []chunk.Chunk
		want []string
	}{
		{"another topic", []chunk.Chunk{near, seed, twin, far, further}, []string{"d", "e"}},
		{"its own topic alone", []chunk.Chunk{near, seed, twin}, []string{"c"}},
		{"nothing else", []chunk.Chunk{seed, twin}, nil},
	} {
		w := &work{call: &generator.Call{}, passages: &passages{all: tt.all}}
		w.held = giskardPlanOf(w)
		got := map[string]bool{}
		for i := range 40 {
			s := &slot{row: &model.Row{ID: fmt.Sprint(i)}, chunks: []chunk.Chunk{seed}}
			c, ok := giskardDistraction(w, s)
			if again, _ := giskardDistraction(w, s); again.ID != c.ID {
				t.Errorf("%s: %q, and then %q", tt.name, c.ID, again.ID)
			}
			if ok {
				got[c.ID] = true
			}
		}
		if diff := cmp.Diff(tt.want, slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestGiskardTopics(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"below the title", teaShop, []string{"Возврат", "Доставка", "Передача специалисту", "Передача специалисту"}},
		{"a single passage", "# A\n\n## B\n\nText of it.\n", []string{"B"}},
		{"no headings", "One.\n\nTwo.\n", []string{""}},
		{"several titles", "# Tea\n\nGreen.\n\n# Bikes\n\nRed.\n\n## Deposit\n\n60 euros.\n", []string{"Tea", "Bikes", "Bikes"}},
		{"text below the title", "# Desk\n\nWe rent.\n\n## Deposit\n\n60 euros.\n\n### Lost\n\nAll of it.\n", []string{"Desk", "Deposit", "Deposit"}},
		{"a heading that holds a mark", "# Desk\n\n## Menu > Cards\n\nCards.\n\n## Other\n\nCash.\n", []string{"Menu", "Other"}},
		{"another script", "# 規則\n\n## 取消\n\n無料です。\n\n## 予約\n\n前日まで。\n", []string{"取消", "予約"}},
	} {
		p := &passages{all: chunk.Split([]*model.Document{parseDocument(t, "a.md", tt.text)}, &chunk.Options{MaxTokens: 40, MinTokens: -1})}
		topics := giskardTopics(p)
		var got []string
		for _, c := range p.all {
			got = append(got, topics[c.ID])
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Which policies are about what cannot be answered is asked once in a run, and
// only where a row may turn on one.
func TestGiskardScope(t *testing.T) {
	t.Parallel()
	no := false
	for _, tt := range []struct {
		name   string
		rows   []model.Row
		reply  *llmtest.Step // nil: nothing is asked
		beyond bool          // pol_allergy is
		err    bool
	}{
		{name: "one is", rows: giskardRows(1, "pol_allergy"), reply: new(llmtest.JSON(map[string]any{"rules": []string{" p3 ", "p9", "x"}})), beyond: true},
		{name: "none is", rows: giskardRows(1, "pol_allergy"), reply: new(llmtest.JSON(map[string]any{"rules": []string{}}))},
		{name: "it is not known", rows: giskardRows(1, "pol_allergy"), reply: &llmtest.Step{Err: &llm.Error{Kind: llm.KindOverload, Status: 503, Message: "out of order"}}},
		{name: "no later call can succeed", rows: giskardRows(1, "pol_allergy"), reply: &llmtest.Step{Err: &llm.Error{Kind: llm.KindAuth, Status: 401, Message: "no key"}}, err: true},
		{name: "rules of tone", rows: giskardRows(1, "pol_tone")},
		{name: "a rule that nothing shows", rows: giskardRows(1, "pol_hidden")},
		{name: "no policies", rows: []model.Row{{ID: "r", Examples: 1}}},
		{name: "only bad messages", rows: []model.Row{{ID: "r", Examples: 1, Corner: "abuse", PolicyIDs: []string{"pol_allergy"}}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			call := giskardShopCall()
			hidden := giskardPolicy("pol_hidden", model.Escalate, 13)
			hidden.Testable = &no
			call.AllPolicies = append(call.AllPolicies, giskardPolicy("pol_tone", model.Style, 5), hidden)
			call.Memo, call.Rows = &generator.Memo{}, tt.rows
			var steps []llmtest.Step
			if tt.reply != nil {
				steps = append(steps, tt.reply.For("python_giskard_scope"))
			}
			call.Model = llmtest.New(t, steps...)
			for i := range 2 {
				if i > 0 && tt.reply != nil && tt.reply.Err != nil {
					break // a failure is not kept
				}
				w := newWork(t, call, "чай.md")
				call.Documents = nil
				got, err := giskardBeyond(t.Context(), w)
				if (err != nil) != tt.err || got["pol_allergy"] != tt.beyond || len(got) > 1 {
					t.Errorf("time %d: %v, %v", i, got, err)
				}
			}
		})
	}
}

func TestGiskardPrepare(t *testing.T) {
	t.Parallel()
	call := giskardShopCall()
	call.Rows = giskardRows(6, "pol_return")
	call.Model = llmtest.New(t, llmtest.JSON(map[string]any{"rules": []string{}}).For("python_giskard_scope"))
	w := newWork(t, call, "чай.md", "bikes.md")
	raw, err := newGiskard().prepare(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	var got giskardBase
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	want := giskardBase{}
	for _, c := range w.passages.all {
		want.Passages = append(want.Passages, giskardPassage{ID: c.ID, Text: c.Text, Topic: giskardTopics(w.passages)[c.ID]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if plan, ok := w.held.(*giskardPlan); !ok || len(plan.types) != 6 || slices.Contains(plan.types, "") {
		t.Errorf("the plan is %v", w.held)
	}

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	call.Model = llmtest.Func(func(ctx context.Context, _ *llm.Request) (*llm.Response, error) { return nil, ctx.Err() })
	if _, err := newGiskard().prepare(cancelled, w); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// giskardQuestion is a record as Giskard 2.19.2 writes it, with changes.
func giskardQuestion(tb testing.TB, contexts []chunk.Chunk, change, meta map[string]any) json.RawMessage {
	tb.Helper()
	var reference []string
	seed := ""
	for i, c := range contexts {
		if i == 0 {
			seed = c.ID
		}
		reference = append(reference, "Document "+c.ID+": "+c.Text)
	}
	m := map[string]any{"question_type": "simple", "seed_document_id": seed, "topic": "Others"}
	q := map[string]any{
		"id": "77a0159a-531e-a7bd-acc4-e25eb24d85a9", "question": "Открыл пачку. Вернёте деньги?", "reference_answer": "Вскрытую не вернуть.",
		"reference_context": strings.Join(reference, "\n\n"), "conversation_history": []any{}, "metadata": m,
	}
	maps.Copy(m, meta)
	maps.Copy(q, change)
	return rawJSON(tb, q)
}

type giskardRead struct {
	Input, Output, Ask, Topic string
	Open                      bool
	Contexts                  []string // ids
}

func TestGiskardRead(t *testing.T) {
	t.Parallel()
	call := giskardShopCall()
	call.Rows = giskardRows(1, "pol_return")
	w := newWork(t, call, "чай.md", "bikes.md")
	s := w.slots[0]
	own := passageWith(t, w.passages, "Вскрытую")
	near := passageWith(t, w.passages, "конкретный час")
	far := passageWith(t, w.passages, "60 euros")
	base := giskardRead{Input: "Открыл пачку. Вернёте деньги?", Output: "Вскрытую не вернуть.", Topic: "Возврат", Contexts: []string{own.ID}}
	with := func(f func(r *giskardRead)) *giskardRead {
		r := base
		f(&r)
		return &r
	}
	turns := []any{map[string]any{"role": "user", "content": " Открыл пачку. "}, map[string]any{"role": "assistant", "content": giskardHelp}}
	pairs := []any{map[string]any{"question": "a", "answer": "b"}, map[string]any{"question": "c", "answer": "d"}}
	for _, tt := range []struct {
		name         string
		kind         giskard.Type // of the task; "" means simple
		contexts     []chunk.Chunk
		change, meta map[string]any
		want         *giskardRead
		err          string
	}{
		{name: "simple", want: &base},
		{name: "with neighbours", contexts: []chunk.Chunk{own, near, far}, want: with(func(r *giskardRead) { r.Contexts = []string{own.ID, near.ID, far.ID} })},
		{name: "a neighbour twice", contexts: []chunk.Chunk{own, near, near}, want: with(func(r *giskardRead) { r.Contexts = []string{own.ID, near.ID} })},
		{name: "a topic of its own", meta: map[string]any{"topic": "Refunds"}, want: &base},
		{name: "space around it", change: map[string]any{"question": "\nОткрыл пачку. Вернёте деньги? ", "reference_answer": " Вскрытую не вернуть.\n"}, want: &base},
		{name: "complex", kind: giskard.Complex, meta: map[string]any{"question_type": "complex"}, want: with(func(r *giskardRead) { r.Ask = giskard.Complex.Demand("") })},
		{
			name: "distracting", kind: giskard.Distracting, meta: map[string]any{"question_type": "distracting element", "distracting_context": near.Text},
			want: with(func(r *giskardRead) { r.Ask = giskard.Distracting.Demand("") }),
		},
		{
			name: "situational", kind: giskard.Situational, meta: map[string]any{"question_type": "situational", "situational_context": "Медсестра переезжает."},
			want: with(func(r *giskardRead) { r.Ask = giskard.Situational.Demand("") }),
		},
		{
			name: "double", kind: giskard.Double, meta: map[string]any{"question_type": "double", "original_questions": pairs},
			want: with(func(r *giskardRead) { r.Ask = giskard.Double.Demand("") }),
		},
		{
			name: "conversational", kind: giskard.Conversational, change: map[string]any{"question": "Вернёте деньги?", "conversation_history": turns}, meta: map[string]any{"question_type": "conversational"},
			want: with(func(r *giskardRead) {
				r.Input, r.Ask = "Открыл пачку.\nВернёте деньги?", giskard.Conversational.Demand("")
			}),
		},
		{
			name: "out of scope", kind: giskard.OutOfScope, change: map[string]any{"reference_answer": giskardRefusal}, meta: map[string]any{"question_type": "out of scope", "fake_fact": "Есть чай с ромом."},
			want: with(func(r *giskardRead) {
				r.Output, r.Open, r.Ask = "", true, giskard.OutOfScope.Demand("Есть чай с ромом.")
			}),
		},
		{
			name: "a blank question is the engine's to refuse", change: map[string]any{"question": " ", "conversation_history": turns},
			want: with(func(r *giskardRead) { r.Input = "" }),
		},
		{name: "no contexts", contexts: []chunk.Chunk{}, err: "no passages"},
		{name: "a foreign context", change: map[string]any{"reference_context": "Document " + own.ID + ": Приходите к нам."}, err: "no passages"},
		{name: "a foreign context beside ours", change: map[string]any{"reference_context": "Document " + own.ID + ": " + own.Text + "\n\nDocument 7: Приходите."}, err: "no passages"},
		{name: "text before the contexts", change: map[string]any{"reference_context": "See:\n\nDocument " + own.ID + ": " + own.Text}, err: "no passages"},
		{name: "the id of one and the text of another", change: map[string]any{"reference_context": "Document " + own.ID + ": " + far.Text}, err: "no passages"},
		{name: "another seed", contexts: []chunk.Chunk{near, own}, err: "seed document"},
		{name: "a seed that is no context", contexts: []chunk.Chunk{near}, meta: map[string]any{"seed_document_id": own.ID}, err: "seed document"},
		{name: "a seed that is an object", meta: map[string]any{"seed_document_id": map[string]any{}}, err: "seed document"},
		{name: "another type", meta: map[string]any{"question_type": "complex"}, err: `type "complex", not "simple"`},
		{name: "no metadata", change: map[string]any{"metadata": nil}, err: `type ""`},
		{name: "a refusal in scope", change: map[string]any{"reference_answer": giskardRefusal}, err: "not out of scope"},
		{name: "nothing made up", kind: giskard.OutOfScope, change: map[string]any{"reference_answer": giskardRefusal}, meta: map[string]any{"question_type": "out of scope", "fake_fact": " "}, err: "made up"},
		{name: "distracted by the seed", kind: giskard.Distracting, meta: map[string]any{"question_type": "distracting element", "distracting_context": own.Text}, err: "distracts"},
		{name: "distracted by nothing", kind: giskard.Distracting, meta: map[string]any{"question_type": "distracting element"}, err: "distracts"},
		{name: "a situation of Giskard's", kind: giskard.Situational, meta: map[string]any{"question_type": "situational", "situational_context": giskardSituation}, err: "no situation"},
		{name: "a situation in JSON", kind: giskard.Situational, meta: map[string]any{"question_type": "situational", "situational_context": `{"a":"b","c":"d"}`}, err: "JSON"},
		{name: "one half of two", kind: giskard.Double, meta: map[string]any{"question_type": "double", "original_questions": pairs[:1]}, err: "two questions"},
		{name: "a half without an answer", kind: giskard.Double, meta: map[string]any{"question_type": "double", "original_questions": []any{pairs[0], map[string]any{"question": "c", "answer": " "}}}, err: "two questions"},
		{name: "halves that are texts", kind: giskard.Double, meta: map[string]any{"question_type": "double", "original_questions": []any{"a", "b"}}, err: "no question of Giskard.*original_questions"},
		{name: "no opening", kind: giskard.Conversational, meta: map[string]any{"question_type": "conversational"}, err: "before its question"},
		{name: "question is an object", change: map[string]any{"question": map[string]any{"a": "b"}}, err: "no question of Giskard.*question"},
		{name: "question is a number", change: map[string]any{"question": 7}, err: "no question of Giskard.*question"},
		{name: "answer is a list", change: map[string]any{"reference_answer": []string{"a"}}, err: "no question of Giskard.*reference_answer"},
		{name: "history is a text", change: map[string]any{"conversation_history": "[]"}, err: "no question of Giskard.*conversation_history"},
		{name: "metadata is a list", change: map[string]any{"metadata": []any{}}, err: "no question of Giskard.*metadata"},
		{name: "an original that is no text", meta: map[string]any{"original_input": 1}, err: "no question of Giskard.*original_input"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := *w
			w.held = giskardPlanOf(&w, tt.kind)
			contexts := tt.contexts
			if contexts == nil {
				contexts = []chunk.Chunk{own}
			}
			m, err := newGiskard().read(&w, s, giskardQuestion(t, contexts, tt.change, tt.meta))
			if tt.err != "" {
				if err == nil || !regexp.MustCompile(tt.err).MatchString(err.Error()) {
					t.Fatalf("error %v, want %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got := &giskardRead{Input: m.input, Output: m.output, Ask: m.ask, Open: m.open, Topic: m.native.(*giskard.Question).Metadata.Topic}
			for _, c := range m.contexts {
				got.Contexts = append(got.Contexts, c.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, bad := range []string{``, `[]`, `null`, `"a"`, `{`} {
		if _, err := newGiskard().read(w, s, json.RawMessage(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

func TestGiskardWrite(t *testing.T) {
	t.Parallel()
	const turns = `[{"role":"user","content":"Открыл пачку."},{"role":"assistant","content":"How can I help you with that?"}]`
	own := func(w *work) []chunk.Chunk { return []chunk.Chunk{passageWith(t, w.passages, "Вскрытую")} }
	head := `{"id":"77a0159a-531e-a7bd-acc4-e25eb24d85a9","question":`
	reference := `,"reference_context":"Document чай.md#1: ` + strings.ReplaceAll(own(newWork(t, giskardShopCall(), "чай.md"))[0].Text, "\n", `\n`) + `",`
	seed := `"seed_document_id":"чай.md#1","topic":"Возврат"`
	for _, tt := range []struct {
		name, language string
		kind           giskard.Type
		change, meta   map[string]any
		input, output  string // of the final; "" means as written
		want           string
	}{
		{name: "as it came", want: head + `"Открыл пачку. Вернёте деньги?","reference_answer":"Вскрытую не вернуть."` + reference + `"conversation_history":[],"metadata":{"question_type":"simple",` + seed + `}}`},
		{
			name: "what Giskard may add later stays", change: map[string]any{"agent_answer": "Нет."}, meta: map[string]any{"own": 1},
			want: head + `"Открыл пачку. Вернёте деньги?","reference_answer":"Вскрытую не вернуть."` + reference + `"conversation_history":[],"metadata":{"question_type":"simple",` + seed + `,"own":1},"agent_answer":"Нет."}`,
		},
		{
			name: "a new reply", output: "Вернуть нельзя.",
			want: head + `"Открыл пачку. Вернёте деньги?","reference_answer":"Вернуть нельзя."` + reference + `"conversation_history":[],"metadata":{"question_type":"simple",` + seed + `,"original_output":"Вскрытую не вернуть."}}`,
		},
		{
			name: "mended twice", input: "Верну чай?", output: "Нельзя.", meta: map[string]any{"original_input": "первый", "original_output": "первая"},
			want: head + `"Верну чай?","reference_answer":"Нельзя."` + reference + `"conversation_history":[],"metadata":{"question_type":"simple",` + seed + `,"original_input":"первый","original_output":"первая"}}`,
		},
		{
			name: "mended back", meta: map[string]any{"original_input": "Открыл пачку. Вернёте деньги?"},
			want: head + `"Открыл пачку. Вернёте деньги?","reference_answer":"Вскрытую не вернуть."` + reference + `"conversation_history":[],"metadata":{"question_type":"simple",` + seed + `}}`,
		},
		{
			name: "a conversation", kind: giskard.Conversational, change: map[string]any{"question": "Вернёте деньги?", "conversation_history": json.RawMessage(turns)},
			want: head + `"Вернёте деньги?","reference_answer":"Вскрытую не вернуть."` + reference + `"conversation_history":[{"role":"user","content":"Открыл пачку."}],"metadata":{"question_type":"conversational",` + seed + `}}`,
		},
		{
			name: "a conversation in English", language: "en", kind: giskard.Conversational, change: map[string]any{"question": "Вернёте деньги?", "conversation_history": json.RawMessage(turns)},
			want: head + `"Вернёте деньги?","reference_answer":"Вскрытую не вернуть."` + reference + `"conversation_history":` + turns + `,"metadata":{"question_type":"conversational",` + seed + `}}`,
		},
		{
			name: "a conversation mended", kind: giskard.Conversational, input: "Открыл пачку, вернёте деньги?", change: map[string]any{"question": "Вернёте деньги?", "conversation_history": json.RawMessage(turns)},
			want: head + `"Открыл пачку, вернёте деньги?","reference_answer":"Вскрытую не вернуть."` + reference + `"conversation_history":[],"metadata":{"question_type":"conversational",` + seed + `,"original_input":"Открыл пачку.\nВернёте деньги?"}}`,
		},
		{
			name: "out of scope", kind: giskard.OutOfScope, change: map[string]any{"reference_answer": giskardRefusal}, meta: map[string]any{"fake_fact": "Чай с ромом."}, output: "Об этом не знаю, спрошу.",
			want: head + `"Открыл пачку. Вернёте деньги?","reference_answer":"Об этом не знаю, спрошу."` + reference + `"conversation_history":[],"metadata":{"question_type":"out of scope",` + seed[:strings.Index(seed, `,"topic`)] + `,"fake_fact":"Чай с ромом.","topic":"Возврат","original_output":"` + giskardRefusal + `"}}`,
		},
		{
			name: "out of scope, mended to be in it", kind: giskard.OutOfScope, change: map[string]any{"reference_answer": giskardRefusal}, meta: map[string]any{"fake_fact": "Чай с ромом."}, input: "Верну?", output: "Нельзя.",
			want: head + `"Верну?","reference_answer":"Нельзя."` + reference + `"conversation_history":[],"metadata":{"question_type":"simple",` + seed + `,"original_input":"Открыл пачку. Вернёте деньги?","original_output":"` + giskardRefusal + `"}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			call := giskardShopCall()
			call.Rows = giskardRows(1, "pol_return")
			if tt.language != "" {
				call.Language = tt.language
			}
			w := newWork(t, call, "чай.md")
			w.held = giskardPlanOf(w, tt.kind)
			s := w.slots[0]
			meta := maps.Clone(tt.meta)
			if tt.kind != "" {
				if meta == nil {
					meta = map[string]any{}
				}
				meta["question_type"] = tt.kind
			}
			record := giskardQuestion(t, own(w), tt.change, meta)
			got := rewritten(t, newGiskard(), w, s, record, answer.Final{Input: tt.input, Output: tt.output})
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Files that Giskard wrote are read as records to be mended, all types of them.
func TestGiskardReadsWhatGiskardWrote(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"testset_tea_shop_ru.jsonl", "testset_bike_rental_en.jsonl"} {
		f, err := os.Open(filepath.Join("..", "..", "adapters", "giskard", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var lines [][]byte
		p := &passages{}
		start := regexp.MustCompile(`(?:^|\n\n)Document (\d+): `)
		for in := bufio.NewScanner(f); in.Scan(); {
			lines = append(lines, slices.Clone(in.Bytes()))
			q, err := giskard.Parse(in.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			at := start.FindAllStringSubmatchIndex(q.ReferenceContext, -1)
			for i, m := range at {
				end := len(q.ReferenceContext)
				if i+1 < len(at) {
					end = at[i+1][0]
				}
				p.all = append(p.all, chunk.Chunk{ID: q.ReferenceContext[m[2]:m[3]], Text: q.ReferenceContext[m[1]:end]})
			}
			if d := q.Metadata.DistractingContext; d != "" {
				p.all = append(p.all, chunk.Chunk{ID: "far", Text: d})
			}
		}
		w := &work{call: &generator.Call{Repairs: map[string]generator.Repair{}}, passages: p}
		types := map[giskard.Type]bool{}
		for _, line := range lines {
			m, err := newGiskard().read(w, &slot{row: &model.Row{}}, line)
			if err != nil {
				t.Errorf("%s: %v: %s", name, err, line)
				continue
			}
			q := m.native.(*giskard.Question)
			kind := giskard.Type(q.Metadata.QuestionType)
			types[kind] = true
			if m.open != (kind == giskard.OutOfScope) || m.open != (m.output == "") || m.input == "" || m.contexts[0].ID != q.Metadata.SeedDocumentID {
				t.Errorf("%s: open %t, %q -> %q, seed %q of %v", name, m.open, m.input, m.output, q.Metadata.SeedDocumentID, m.contexts)
			}
		}
		if len(types) < 6 {
			t.Errorf("%s: only %v", name, types)
		}
	}
}

// Whatever a worker writes, what is read of it has a passage of ours, and can be
// written and read again.
func FuzzGiskardRecord(f *testing.F) {
	call := giskardShopCall()
	call.Rows, call.Repairs = giskardRows(1, "pol_return"), map[string]generator.Repair{}
	w := newWork(f, call, "чай.md", "bikes.md")
	s := w.slots[0]
	own := []chunk.Chunk{passageWith(f, w.passages, "Вскрытую"), passageWith(f, w.passages, "60 euros")}
	for _, meta := range []map[string]any{
		nil,
		{"question_type": "out of scope", "fake_fact": "x"},
		{"question_type": "situational", "situational_context": "y"},
		{"question_type": "double", "original_questions": []any{map[string]any{"question": "a", "answer": "b"}, map[string]any{"question": "c", "answer": "d"}}},
		{"question_type": "distracting element", "distracting_context": passageWith(f, w.passages, "аллергии").Text},
		{"original_input": "z", "own": []any{1}},
	} {
		f.Add([]byte(giskardQuestion(f, own, nil, meta)), "Верну?", "Нет.")
	}
	f.Add([]byte(giskardQuestion(f, own[:1], map[string]any{"conversation_history": []any{map[string]any{"role": "user", "content": "a"}}}, map[string]any{"question_type": "conversational"})), "", "b")
	f.Fuzz(func(t *testing.T, record []byte, input, output string) {
		m, err := newGiskard().read(w, s, record)
		if err != nil {
			return
		}
		if len(m.contexts) == 0 {
			t.Fatal("it has no contexts")
		}
		s := *s
		s.made = m
		final := &answer.Final{Input: m.input, Output: m.output}
		if input != "" {
			final.Input, final.Output = strings.TrimSpace(input), strings.TrimSpace(output)
		}
		raw, err := newGiskard().write(w, &s, final)
		if err != nil {
			t.Fatal(err)
		}
		again, err := newGiskard().read(w, &s, raw)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		if diff := cmp.Diff(giskardIDs(m), giskardIDs(again)); diff != "" {
			t.Errorf("contexts (-want +got):\n%s", diff)
		}
	})
}

func giskardIDs(m *made) []string {
	var out []string
	for _, c := range m.contexts {
		out = append(out, c.ID)
	}
	return out
}
