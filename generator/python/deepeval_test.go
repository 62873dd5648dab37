package python

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/deepeval"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// deepEvalWork is a call about all documents, with slots of a row that are about
// the passages named.
func deepEvalWork(tb testing.TB, call *generator.Call, about ...[]string) (*work, []*slot) {
	tb.Helper()
	call.Rows = []model.Row{{ID: "r1", Examples: len(about), PolicyIDs: []string{"pol_return", "pol_allergy"}, Roles: map[string]model.Role{"pol_return": model.Pressed}}}
	w := newWork(tb, call, "чай.md", "bikes.md", "旅館.md")
	for i, starts := range about {
		w.slots[i].chunks = nil
		for _, start := range starts {
			w.slots[i].chunks = append(w.slots[i].chunks, passageWith(tb, w.passages, start))
		}
	}
	return w, w.slots
}

func TestDeepEvalTask(t *testing.T) {
	t.Parallel()
	call := &generator.Call{
		Seed: 1, Language: "ru", UseCase: model.UseCase{Name: "Возврат", Description: "Клиент возвращает чай."},
		Policies: []model.Policy{{ID: "pol_return", Statement: "Вскрытую пачку вернуть нельзя."}, {ID: "pol_allergy", Statement: "Об аллергии знает старший смены."}},
	}
	w, slots := deepEvalWork(t, call, []string{"Вскрытую", "аллергии"}, []string{"60 euros"}, nil)
	var got []*deepEvalTask
	for _, s := range slots {
		b, err := newDeepEval().body(w, s)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b.(*deepEvalTask))
	}
	say := w.wanted(slots[0])
	for _, part := range []string{"Вскрытую пачку вернуть нельзя.", "presses against it", "Об аллергии знает старший смены."} {
		if !strings.Contains(got[0].Scenario, part) {
			t.Errorf("the scenario lacks %q:\n%s", part, got[0].Scenario)
		}
	}
	var want []*deepEvalTask
	for i, files := range [][]string{{"чай.md", "чай.md"}, {"bikes.md"}, {}} {
		contexts := []string{}
		for _, c := range slots[i].chunks {
			contexts = append(contexts, c.Text)
		}
		want = append(want, &deepEvalTask{
			Contexts: contexts, Files: files, Evolution: deepEvalEvolution(w, slots[i]),
			Scenario: fmt.Sprintf("%s\nThis is customer %d of 3 who come with it, each for a reason of their own.", say.Situation, i+1),
			Task:     deepEvalPurpose, InputFormat: say.Message + deepEvalAny, ExpectedOutputFormat: say.Reply, Threshold: 0.5,
		})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	w.try = 1
	again, err := newDeepEval().body(w, slots[0])
	if err != nil {
		t.Fatal(err)
	}
	if task := again.(*deepEvalTask); task.Temperature != deepEvalWarm || task.Evolution == got[0].Evolution {
		t.Errorf("the second attempt is at temperature %v and evolves by %s, as the first by %s", task.Temperature, task.Evolution, got[0].Evolution)
	}
}

func TestDeepEvalEvolutionsAreDealtEvenly(t *testing.T) {
	t.Parallel()
	w, _ := deepEvalWork(t, &generator.Call{})
	two := []chunk.Chunk{w.passages.all[0], w.passages.all[1]}
	count := func(seed uint64, n, step int, passages []chunk.Chunk) map[deepeval.Evolution]int {
		w.call.Seed = seed
		out := map[deepeval.Evolution]int{}
		for i := range n {
			out[deepEvalEvolution(w, &slot{index: i * step, chunks: passages})]++
		}
		return out
	}
	all := map[deepeval.Evolution]int{}
	one := map[deepeval.Evolution]int{}
	for _, e := range deepeval.Evolutions() {
		all[e] = 2
		if e != deepeval.MultiContext {
			one[e] = 2
		}
	}
	first := map[deepeval.Evolution]bool{}
	for seed := range uint64(20) {
		if diff := cmp.Diff(all, count(seed, 14, 1, two)); diff != "" {
			t.Errorf("seed %d, two passages (-want +got):\n%s", seed, diff)
		}
		if diff := cmp.Diff(one, count(seed, 12, 1, two[:1])); diff != "" {
			t.Errorf("seed %d, one passage (-want +got):\n%s", seed, diff)
		}
		if got := count(seed, 12, 2, two[:1]); len(got) < 6 {
			t.Errorf("seed %d, every other slot: only %v", seed, got)
		}
		first[deepEvalEvolution(w, &slot{chunks: two})] = true
	}
	if len(first) < 5 {
		t.Errorf("of 20 calls, all begin with one of %v", first)
	}
}

func TestDeepEvalEvolutionsOfFurtherAttempts(t *testing.T) {
	t.Parallel()
	w, _ := deepEvalWork(t, &generator.Call{})
	for _, passages := range [][]chunk.Chunk{nil, w.passages.all[:1], w.passages.all[:2]} {
		for index := range 50 {
			w.call.Seed = uint64(index)
			s := &slot{index: index, chunks: passages}
			w.o.TopUps = 4
			seen := map[deepeval.Evolution]bool{}
			for w.try = 0; w.try < 4; w.try++ {
				e := deepEvalEvolution(w, s)
				if seen[e] || e == "" || w.try > 0 && e == deepeval.InBreadth || e == deepeval.MultiContext && len(passages) < 2 {
					t.Fatalf("slot %d of %d passages, attempt %d: %q after %v", index, len(passages), w.try, e, seen)
				}
				seen[e] = true
			}
			if e := deepEvalEvolution(w, s); e != "" {
				t.Fatalf("the last attempt evolves by %q", e)
			}
			for w.try = range 30 { // more than there are evolutions
				w.o.TopUps = 99
				deepEvalEvolution(w, s)
			}
			w.try, w.o.TopUps = 0, 0
			if e := deepEvalEvolution(w, s); e == "" {
				t.Fatal("the only attempt does not evolve")
			}
		}
	}
}

// golden is a record as DeepEval 4.1.10 writes it, with changes.
func golden(tb testing.TB, contexts []string, change map[string]any, meta map[string]any) json.RawMessage {
	tb.Helper()
	m := map[string]any{
		"evolutions": []string{"Reasoning"}, "synthetic_input_quality": 0.9,
		"context_source_files": []string{"чай.md"}, "used_source_files": []string{},
	}
	g := map[string]any{
		"input": "Открыл пачку, а чай не тот. Вернёте деньги?", "actual_output": nil, "expected_output": "Вскрытую пачку не вернуть.",
		"context": contexts, "retrieval_context": nil, "additional_metadata": m, "comments": nil, "tools_called": nil, "expected_tools": nil,
		"source_file": "чай.md", "name": nil, "custom_column_key_values": nil,
	}
	maps.Copy(m, meta)
	maps.Copy(g, change)
	return rawJSON(tb, g)
}

type goldenRead struct {
	Input, Output, Ask string
	Contexts           []string // ids
	Evolutions         []string
	Score              *float64
	Files, Used        []string
}

func TestDeepEvalRead(t *testing.T) {
	t.Parallel()
	w, slots := deepEvalWork(t, &generator.Call{}, []string{"Вскрытую", "аллергии"})
	own := []string{slots[0].chunks[0].Text, slots[0].chunks[1].Text}
	inn := passageWith(t, w.passages, "前日").Text
	high := 0.9
	base := goldenRead{
		Input: "Открыл пачку, а чай не тот. Вернёте деньги?", Output: "Вскрытую пачку не вернуть.", Ask: deepeval.Reasoning.Demand(),
		Contexts: []string{slots[0].chunks[0].ID, slots[0].chunks[1].ID}, Evolutions: []string{"Reasoning"}, Score: &high, Files: []string{"чай.md"}, Used: []string{},
	}
	with := func(f func(r *goldenRead)) *goldenRead {
		r := base
		f(&r)
		return &r
	}
	for _, tt := range []struct {
		name   string
		record json.RawMessage
		want   *goldenRead
		err    string
	}{
		{name: "as written", record: golden(t, own, nil, nil), want: &base},
		{
			name: "another language", record: golden(t, []string{inn}, map[string]any{"input": "明日やめたら料金は?", "expected_output": "前日なら無料です。", "source_file": "旅館.md"}, map[string]any{"evolutions": []string{"Hypothetical"}, "context_source_files": []string{"旅館.md"}}),
			want: &goldenRead{
				Input: "明日やめたら料金は?", Output: "前日なら無料です。", Ask: deepeval.Hypothetical.Demand(), Contexts: []string{passageWith(t, w.passages, "前日").ID},
				Evolutions: []string{"Hypothetical"}, Score: &high, Files: []string{"旅館.md"}, Used: []string{},
			},
		},
		{
			name:   "trimmed, and told twice",
			record: golden(t, []string{"  " + own[0] + "\n", own[0], own[1]}, nil, nil), want: &base,
		},
		{
			name:   "one context is foreign",
			record: golden(t, []string{"Приходите к нам.", own[1]}, nil, map[string]any{"evolutions": []string{}}),
			want: with(func(r *goldenRead) {
				r.Contexts, r.Evolutions, r.Ask = []string{slots[0].chunks[1].ID}, []string{}, ""
			}),
		},
		{
			name:   "several evolutions",
			record: golden(t, own, nil, map[string]any{"evolutions": []string{"Multi-context", "Constrained", "Constrained"}}),
			want: with(func(r *goldenRead) {
				r.Evolutions = []string{"Multi-context", "Constrained", "Constrained"}
				r.Ask = deepeval.MultiContext.Demand() + "; " + deepeval.Constrained.Demand()
			}),
		},
		{
			name:   "several passages of one",
			record: golden(t, own[:1], nil, map[string]any{"evolutions": []string{"Multi-context"}}),
			want: with(func(r *goldenRead) {
				r.Contexts, r.Evolutions, r.Ask = []string{slots[0].chunks[0].ID}, []string{}, ""
			}),
		},
		{
			name:   "claims that cannot be",
			record: golden(t, own, nil, map[string]any{"evolutions": []string{"Deepening", "Reasoning"}, "synthetic_input_quality": 8, "used_source_files": []string{"чай.md", "policy.pdf"}, "context_source_files": []string{"чай.md", "bikes.md"}}),
			want:   with(func(r *goldenRead) { r.Score, r.Used = nil, []string{"чай.md"} }),
		},
		{
			name: "no metadata", record: golden(t, own, map[string]any{"additional_metadata": nil}, nil),
			want: with(func(r *goldenRead) { r.Ask, r.Evolutions, r.Score, r.Files, r.Used = "", nil, nil, nil, nil }),
		},
		{name: "no output", record: golden(t, own, map[string]any{"expected_output": nil}, nil), want: with(func(r *goldenRead) { r.Output = "" })},
		{name: "input is an object", record: golden(t, own, map[string]any{"input": map[string]any{"text": "Вернёте?"}}, nil), err: "golden.*input"},
		{name: "input is a number", record: golden(t, own, map[string]any{"input": 7}, nil), err: "golden.*input"},
		{name: "output is a list", record: golden(t, own, map[string]any{"expected_output": []string{"a"}}, nil), err: "golden.*expected_output"},
		{name: "context is one text", record: golden(t, nil, map[string]any{"context": own[0]}, nil), err: "golden.*context"},
		{name: "context of objects", record: golden(t, nil, map[string]any{"context": []any{map[string]any{}}}, nil), err: "golden.*context"},
		{name: "source is a list", record: golden(t, own, map[string]any{"source_file": []string{"чай.md"}}, nil), err: "golden.*source_file"},
		{name: "score is a text", record: golden(t, own, nil, map[string]any{"synthetic_input_quality": "high"}), err: "golden.*synthetic_input_quality"},
		{name: "evolutions are a text", record: golden(t, own, nil, map[string]any{"evolutions": "Reasoning"}), err: "golden.*evolutions"},
		{name: "the original is an object", record: golden(t, own, nil, map[string]any{OriginalInput: map[string]any{}}), err: "golden.*original_input"},
		{name: "metadata is a list", record: golden(t, own, map[string]any{"additional_metadata": []int{1}}, nil), err: "golden.*additional_metadata"},
		{name: "a scenario", record: golden(t, own, map[string]any{"scenario": "Клиент пишет."}, nil), err: "conversational"},
		{name: "foreign contexts", record: golden(t, []string{"Приходите к нам."}, nil, nil), err: "no passages"},
		{name: "part of a passage", record: golden(t, []string{own[0][:len(own[0])/2]}, nil, nil), err: "no passages"},
		{name: "no contexts", record: golden(t, nil, nil, nil), err: "no passages"},
		{name: "no object", record: json.RawMessage(`["input"]`), err: "golden"},
		{name: "no JSON", record: json.RawMessage(`{"input":`), err: "golden"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := newDeepEval().read(w, slots[0], tt.record)
			if tt.err != "" {
				if err == nil || !regexp.MustCompile(tt.err).MatchString(err.Error()) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				if tt.err == "no passages" && !errors.Is(err, ErrContext) {
					t.Errorf("%v is no ErrContext", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			g := m.native.(*deepeval.Golden)
			got := &goldenRead{Input: m.input, Output: m.output, Ask: m.ask, Evolutions: g.Metadata.Evolutions, Score: g.Metadata.InputQuality, Files: g.Metadata.ContextSourceFiles, Used: g.Metadata.UsedSourceFiles}
			for _, c := range m.contexts {
				got.Contexts = append(got.Contexts, c.ID)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if m.open {
				t.Error("nothing is said to settle the input")
			}
		})
	}
}

// A passage that two documents share is the one that the slot was given.
func TestDeepEvalReadKnowsItsOwnPassage(t *testing.T) {
	t.Parallel()
	docs := []*model.Document{parseDocument(t, "a.md", bikeDesk), parseDocument(t, "b.md", bikeDesk)}
	w := &work{Engine: &Engine{}, call: &generator.Call{}, passages: cut(docs, 256)}
	s := &slot{chunks: w.passages.all[len(w.passages.all)-1:]}
	if s.chunks[0].Doc != docs[1] {
		t.Fatal("the last passage is not of the last document")
	}
	m, err := newDeepEval().read(w, s, golden(t, []string{s.chunks[0].Text}, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	if got := m.contexts[0].ID; got != s.chunks[0].ID {
		t.Errorf("the context is %s, want %s", got, s.chunks[0].ID)
	}
}

func TestDeepEvalWrite(t *testing.T) {
	t.Parallel()
	w, slots := deepEvalWork(t, &generator.Call{}, []string{"Вскрытую", "аллергии"})
	own := []string{slots[0].chunks[0].Text, slots[0].chunks[1].Text}
	const input, output = "Открыл пачку, а чай не тот. Вернёте деньги?", "Вскрытую пачку не вернуть."
	both := map[string]any{"evolutions": []string{"Multi-context", "Reasoning"}}
	for _, tt := range []struct {
		name   string
		record json.RawMessage
		final  answer.Final
		want   json.RawMessage
	}{
		{
			// The key is of no file of DeepEval's where it is null.
			name: "as the framework wrote it", record: golden(t, own, map[string]any{"images_mapping": nil}, nil), final: answer.Final{Input: input, Output: output},
			want: golden(t, own, nil, nil),
		},
		{
			name: "the reply was mended", record: golden(t, own, nil, nil), final: answer.Final{Input: input, Output: "Вскрытую — нет."},
			want: golden(t, own, map[string]any{"expected_output": "Вскрытую — нет."}, map[string]any{OriginalOutput: output}),
		},
		{
			name: "both were mended", record: golden(t, own, nil, nil), final: answer.Final{Input: "Верну <чай>?", Output: "Нет."},
			want: golden(t, own, map[string]any{"input": "Верну <чай>?", "expected_output": "Нет."}, map[string]any{OriginalInput: input, OriginalOutput: output}),
		},
		{
			name:   "a second time",
			record: golden(t, own, nil, map[string]any{OriginalInput: "Первый?", OriginalOutput: "Первый."}), final: answer.Final{Input: "Третий?", Output: "Третий."},
			want: golden(t, own, map[string]any{"input": "Третий?", "expected_output": "Третий."}, map[string]any{OriginalInput: "Первый?", OriginalOutput: "Первый."}),
		},
		{
			name:   "back to what it was",
			record: golden(t, own, nil, map[string]any{OriginalInput: "Первый?"}), final: answer.Final{Input: "Первый?", Output: output},
			want: golden(t, own, map[string]any{"input": "Первый?"}, nil),
		},
		{
			name:   "keys that nobody knows",
			record: golden(t, own, map[string]any{"trace": []int{1}}, map[string]any{"context_quality": 0.5, "note": "x"}), final: answer.Final{Input: input, Output: output},
			want: golden(t, own, map[string]any{"trace": []int{1}}, map[string]any{"context_quality": 0.5, "note": "x"}),
		},
		{
			name: "several passages were needed", record: golden(t, own, nil, both), final: answer.Final{Input: input, Output: output, Checked: true, Needs: []int{0, 1}},
			want: golden(t, own, nil, both),
		},
		{
			name: "one passage was enough", record: golden(t, own, nil, both), final: answer.Final{Input: input, Output: output, Checked: true, Needs: []int{1}},
			want: golden(t, own, nil, nil),
		},
		{
			name: "nobody looked how many", record: golden(t, own, nil, both), final: answer.Final{Input: input, Output: output},
			want: golden(t, own, nil, both),
		},
		{
			name: "no metadata", record: golden(t, own, map[string]any{"additional_metadata": nil}, nil), final: answer.Final{Input: input, Output: "Нет."},
			want: golden(t, own, map[string]any{"expected_output": "Нет.", "additional_metadata": map[string]any{OriginalOutput: output}}, nil),
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := *slots[0]
			got := rewritten(t, newDeepEval(), w, &s, tt.record, tt.final)
			if diff := cmp.Diff(object(t, tt.want), object(t, got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// What is read can be written, and then reads as what was written.
func FuzzDeepEvalRecord(f *testing.F) {
	w, slots := deepEvalWork(f, &generator.Call{}, []string{"Вскрытую", "аллергии"})
	own := []string{slots[0].chunks[0].Text, slots[0].chunks[1].Text}
	f.Add([]byte(golden(f, own, nil, nil)), "Верну?", "Нет.")
	f.Add([]byte(golden(f, own[:1], map[string]any{"turns": []int{1}, "customColumnKeyValues": 3}, map[string]any{OriginalInput: "x"})), "", "\x00")
	f.Add([]byte(`{"input":1}`), "a", "b")
	f.Fuzz(func(t *testing.T, record []byte, input, output string) {
		s := *slots[0]
		var err error
		if s.made, err = newDeepEval().read(w, &s, record); err != nil {
			return
		}
		b, err := newDeepEval().write(w, &s, &answer.Final{Input: input, Output: output})
		if err != nil {
			t.Fatalf("%s cannot be written: %v", record, err)
		}
		again, err := newDeepEval().read(w, &s, b)
		if err != nil {
			t.Fatalf("%s does not read: %v", b, err)
		}
		want := []string{strings.ToValidUTF8(input, "\uFFFD"), strings.ToValidUTF8(output, "\uFFFD")}
		if got := []string{again.input, again.output}; strings.Join(want, "") == strings.ToValidUTF8(input+output, "") && !slices.Equal(got, want) {
			t.Errorf("written %q, read %q", want, got)
		}
	})
}

// A golden that the run's checks refused keeps what it was made of and by, and
// says what DeepEval had written.
func TestDeepEvalMends(t *testing.T) {
	t.Parallel()
	doc := exampleDocument(t, "flower_delivery_ru.md")
	a, err := actor.New(t.Context(), doc)
	if err != nil {
		t.Fatal(err)
	}
	p := a.Extraction.Policies[0]
	call := &generator.Call{
		ID: "call", Documents: []*model.Document{doc}, Language: "ru", UseCase: a.Extraction.UseCases[0], Policies: a.Extraction.Policies,
		Rows:  []model.Row{{ID: "r1", PolicyIDs: []string{p.ID}, Roles: map[string]model.Role{p.ID: model.Plain}, Examples: 1}},
		Model: &actor.Author{Actor: a}, Embedder: llm.NewLexical(nil), Log: slog.New(slog.DiscardHandler),
	}
	o, err := Options{}.settled()
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{o: o, env: &Environment{Framework: DeepEval, Version: "4.1.10"}, method: newDeepEval()}
	mend := func(native json.RawMessage) (*deepeval.Golden, error) {
		ex := model.Example{ExpectedOutput: "Вернём деньги через 90 дней."}
		ex.Input.Messages = []model.Message{{Role: model.RoleUser, Content: "Вернёте?"}}
		ex.Metadata.Native = native
		call.Repairs = map[string]generator.Repair{"r1": {Item: model.Item{Examples: []model.Example{ex}}, Findings: []string{"90 дней: nothing in the document says so"}}}
		out, err := e.generate(t.Context(), call, nil, deepeval.Params{})
		if err != nil {
			return nil, err
		}
		if len(out.Records) != 1 || len(out.Records[0].Spans) != 1 {
			return nil, fmt.Errorf("the output is %+v", out)
		}
		return deepeval.Parse(out.Records[0].JSON)
	}
	passage := cut(call.Documents, chunkTokens).all[0].Text
	written := map[string]any{"input": "Вернёте?", "expected_output": "Вернём деньги через 90 дней."}
	got, err := mend(golden(t, []string{passage}, written, nil))
	if err != nil {
		t.Fatal(err)
	}
	if got.Input == "Вернёте?" || got.ExpectedOutput == "Вернём деньги через 90 дней." {
		t.Fatalf("it is not mended: %q, %q", got.Input, got.ExpectedOutput)
	}
	want := map[string]json.RawMessage{OriginalInput: json.RawMessage(`"Вернёте?"`), OriginalOutput: json.RawMessage(`"Вернём деньги через 90 дней."`)}
	if diff := cmp.Diff(want, got.Metadata.Extra); diff != "" {
		t.Errorf("what DeepEval wrote (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"Reasoning"}, got.Metadata.Evolutions); diff != "" {
		t.Errorf("evolutions (-want +got):\n%s", diff)
	}
	if _, err := mend(golden(t, []string{"Приходите."}, written, nil)); !errors.Is(err, ErrContext) {
		t.Errorf("of a foreign context: %v, want ErrContext", err)
	}
}
