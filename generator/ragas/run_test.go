package ragas_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	ragasadapter "github.com/casebook-go/casebook/adapters/ragas"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
)

// deal is a call over a shop of six sections: each row is about one of two
// policies of different sections.
func deal(t testing.TB, client llm.Client, rows ...model.Row) *generator.Call {
	t.Helper()
	doc := shop(t, "rows", 6)
	var policies []model.Policy
	for n := 1; n <= doc.NumLines(); n++ {
		if !strings.HasPrefix(doc.Line(n), "The ") {
			continue
		}
		ev, err := doc.Cut(n, n)
		if err != nil {
			t.Fatal(err)
		}
		policies = append(policies, model.Policy{ID: fmt.Sprintf("pol_%d", len(policies)+1), Type: model.Must, Statement: doc.Line(n), Evidence: []model.Evidence{ev}})
	}
	for i := range rows {
		r := &rows[i]
		if r.ID == "" {
			r.ID = fmt.Sprintf("row_%d", i+1)
		}
		if r.PolicyIDs == nil {
			r.PolicyIDs = []string{"pol_1", "pol_4"}
		}
		r.Roles = map[string]model.Role{}
		for _, id := range r.PolicyIDs {
			r.Roles[id] = model.Plain
		}
		r.Format, r.Examples = model.SingleTurnQA, max(1, r.Examples)
		r.Axes = slices.Sorted(func(yield func(string) bool) {
			for name := range r.Parameters {
				if !yield(name) {
					return
				}
			}
		})
	}
	return &generator.Call{
		ID: "call", Seed: 11, Documents: []*model.Document{doc}, Language: "en", Profile: model.SupportBot(),
		UseCase:  model.UseCase{ID: "uc_a", Name: "Returns", Description: "Returns", Evidence: policies[1].Evidence},
		Policies: policies, Axes: model.SupportBot().Axes, Rows: rows,
		Args: json.RawMessage(`{"test_size":100,"reasoning_ratio":0.4}`), Model: client, Embedder: llm.NewLexical([]string{doc.Text()}), Log: slog.New(slog.DiscardHandler),
	}
}

func with(pairs ...string) model.Row {
	r := model.Row{Parameters: map[string]model.Value{}}
	for i := 0; i < len(pairs); i += 2 {
		r.Parameters[pairs[i]] = model.String(pairs[i+1])
	}
	return r
}

func run(t testing.TB, call *generator.Call, o *ragas.Options) (*generator.Output, map[string]*ragas.Sample) {
	t.Helper()
	out, err := newGenerator(t, o).Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	by := map[string]*ragas.Sample{}
	for _, r := range out.Records {
		s, err := ragas.Parse(r.JSON)
		if err != nil {
			t.Fatal(err)
		}
		by[r.Row] = s
	}
	return out, by
}

// What a row plans goes before what the method varies.
func TestStylesLeaveThePlanVisible(t *testing.T) {
	t.Parallel()
	var rows []model.Row
	for range 6 {
		rows = append(rows,
			with("tone", "angry", "length", "long"), with("length", "short", "greeting", "present"), with("spelling", "sloppy", "length", "short"),
			with("spelling", "clean", "urgency", "urgent"), with("form", "question", "length", "long"), with("tone", "neutral"))
	}
	_, by := run(t, deal(t, player(), rows...), nil)
	if len(by) != len(rows) {
		t.Fatalf("%d of %d rows are filled", len(by), len(rows))
	}
	styles, lengths := map[string]int{}, map[string]int{}
	for _, r := range rows {
		s := by[r.ID]
		p := func(name string) string { return r.Parameters[name].String() }
		styles[s.QueryStyle]++
		lengths[s.QueryLength]++
		web := s.QueryStyle == ragas.WebSearchLike
		switch {
		case web && (p("tone") == "angry" || p("greeting") == "present" || p("length") == "long"),
			s.QueryStyle == ragas.PerfectGrammar && p("spelling") == "sloppy",
			p("length") == "short" && s.QueryLength != ragas.Short,
			p("length") == "long" && s.QueryLength == ragas.Short:
			t.Errorf("row %v is written in %s %s", r.Parameters, s.QueryStyle, s.QueryLength)
		}
	}
	for _, n := range styles {
		if n < 6 || n > 12 {
			t.Errorf("styles %v", styles)
		}
	}
	if len(styles) != 4 || len(lengths) != 3 {
		t.Errorf("%v %v", styles, lengths)
	}
}

// Also where the plan leaves the method no choice.
func TestAPlanOfOneKindIsKept(t *testing.T) {
	t.Parallel()
	var rows []model.Row
	for range 8 {
		rows = append(rows, with("length", "short", "spelling", "sloppy", "greeting", "present"))
	}
	_, by := run(t, deal(t, player(), rows...), nil)
	styles := map[string]int{}
	for id, s := range by {
		styles[s.QueryStyle]++
		if s.QueryLength != ragas.Short {
			t.Errorf("%s is %s", id, s.QueryLength)
		}
	}
	if d := cmp.Diff(map[string]int{ragas.Misspelled: 4, ragas.PoorGrammar: 4}, styles); d != "" {
		t.Errorf("styles (-want +got)\n%s", d)
	}
}

func TestRowsStandOnTheirEvidence(t *testing.T) {
	t.Parallel()
	rows := []model.Row{
		with("tone", "neutral"),
		{Given: []model.Message{{Role: model.RoleUser, Content: "wo ist mein paket??"}}},
		{Corner: "empty", PolicyIDs: []string{"pol_2"}},
		{Corner: "abuse", PolicyIDs: []string{"pol_3"}},
		{PolicyIDs: []string{"pol_5"}, Examples: 2},
	}
	m := &edited{}
	call := deal(t, m, rows...)
	call.Args = json.RawMessage(`{"test_size":100,"reasoning_ratio":1}`)
	out, by := run(t, call, nil)
	if len(out.Records) != 6 || len(out.Dropped) != 0 {
		t.Fatalf("%d records, dropped %v", len(out.Records), out.Dropped)
	}
	doc := call.Documents[0]
	holds := func(rec *generator.Record, policy int) bool {
		ev := call.Policies[policy-1].Evidence[0]
		return slices.ContainsFunc(rec.Spans, func(s model.Span) bool { return s.StartLine <= ev.LineStart && ev.LineEnd <= s.EndLine })
	}
	for i := range out.Records {
		rec := &out.Records[i]
		s, err := ragas.Parse(rec.JSON)
		if err != nil {
			t.Fatal(err)
		}
		for k, c := range s.ReferenceContexts {
			if text, _ := ragas.Untag(c); text != string(doc.Bytes()[rec.Spans[k].StartByte:rec.Spans[k].EndByte]) {
				t.Errorf("row %s: context %d is not what its span says", rec.Row, k)
			}
		}
		if len(rec.Notes.Criteria) < 3 || rec.Notes.Name == "" || len(rec.Notes.PolicyIDs) == 0 {
			t.Errorf("row %s: notes %+v", rec.Row, rec.Notes)
		}
		switch rec.Row {
		case "row_1": // its policies stand in two places
			if len(rec.Spans) != 2 || !holds(rec, 1) || !holds(rec, 4) || s.SynthesizerName == ragas.SingleHopName {
				t.Errorf("row 1 stands on %v by %s", rec.Spans, s.SynthesizerName)
			}
		case "row_2":
			if s.UserInput != "wo ist mein paket??" || s.QueryStyle != "" || s.PersonaName != "" || len(rec.Spans) != 1 || !holds(rec, 1) {
				t.Errorf("the given message is %+v", s)
			}
		case "row_3":
			if s.UserInput != "" || s.QueryLength != "" || !holds(rec, 2) {
				t.Errorf("the empty message is %+v", s)
			}
		case "row_4":
			if s.UserInput == "" || s.QueryStyle != "" || !holds(rec, 3) {
				t.Errorf("the insult is %+v", s)
			}
		default: // what is near in the graph
			if !holds(rec, 5) || len(rec.Spans) != 2 {
				t.Errorf("row 5 stands on %v", rec.Spans)
			}
		}
	}
	if by["row_1"].ReferenceContexts[0][:10] != "<1-hop>\n\n#" {
		t.Errorf("the context begins %.10q", by["row_1"].ReferenceContexts[0])
	}
	batch, err := ragasadapter.New(ragasadapter.Options{}).Adapt(t.Context(), call, out)
	if err != nil || len(batch.Refused) != 0 || len(batch.Items) != 5 {
		t.Errorf("%d items, refused %v, error %v", len(batch.Items), batch.Refused, err)
	}
}

// A question that turns out to need one context is a single-hop one.
func TestARowThatNeedsOneContextSaysSo(t *testing.T) {
	t.Parallel()
	m := &edited{edit: map[string]func(string, map[string]any){
		actor.AnswerCheck: func(_ string, reply map[string]any) {
			each(reply, "items", func(_ int, item map[string]any) { item["needs"] = item["needs"].([]any)[1:] })
		},
	}}
	call := deal(t, m, with("tone", "neutral"))
	call.Args = json.RawMessage(`{"test_size":1,"reasoning_ratio":1}`)
	_, by := run(t, call, nil)
	if s := by["row_1"]; s.SynthesizerName != ragas.SingleHopName || len(s.ReferenceContexts) != 1 || strings.HasPrefix(s.ReferenceContexts[0], "<") {
		t.Errorf("%s with %d contexts: %.20q", s.SynthesizerName, len(s.ReferenceContexts), s.ReferenceContexts[0])
	}
}

func TestTheGraphIsMadeOnceARun(t *testing.T) {
	t.Parallel()
	m := &edited{}
	g := newGenerator(t, nil)
	memo := &generator.Memo{}
	rows := func(n int) []model.Row {
		var out []model.Row
		for i := range 4 {
			r := with("tone", "neutral")
			r.ID = fmt.Sprintf("row_%d_%d", n, i)
			out = append(out, r)
		}
		return out
	}
	outs := make([]*generator.Output, 5)
	var group sync.WaitGroup
	for n := range outs {
		call := deal(t, m, rows(n)...)
		call.ID, call.Index, call.Seed, call.Memo = fmt.Sprint(n), n, uint64(n), memo
		group.Go(func() {
			var err error
			if outs[n], err = g.Generate(t.Context(), call); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if m.count[actor.RagasExtract] != 1 || m.count[actor.RagasPersonas] != 1 {
		t.Errorf("calls %v", m.count)
	}
	// Alone, a call gives what it gives beside others.
	for n, want := range outs {
		call := deal(t, player(), rows(n)...)
		call.ID, call.Index, call.Seed = fmt.Sprint(n), n, uint64(n)
		got, err := g.Generate(t.Context(), call)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("call %d (-beside +alone)\n%s", n, d)
		}
	}
}

func TestARepairKeepsWhatTheMethodVaried(t *testing.T) {
	t.Parallel()
	call := deal(t, player(), with("tone", "neutral"))
	call.Args = json.RawMessage(`{"test_size":1,"reasoning_ratio":1}`)
	out, by := run(t, call, nil)
	batch, err := ragasadapter.New(ragasadapter.Options{}).Adapt(t.Context(), call, out)
	if err != nil || len(batch.Items) != 1 {
		t.Fatal(batch, err)
	}
	m := &edited{}
	call.Model = m
	call.Repairs = map[string]generator.Repair{"row_1": {Item: batch.Items[0], Findings: []string{"the reply invents a price"}}}
	fixed, now := run(t, call, nil)
	if len(fixed.Records) != 1 || m.count[actor.AnswerMend] != 1 || m.count[actor.RagasExtract] != 0 || !strings.Contains(m.asked[actor.AnswerMend][0], "invents a price") {
		t.Errorf("%d records, calls %v", len(fixed.Records), m.count)
	}
	old, s := by["row_1"], now["row_1"]
	if s.UserInput == old.UserInput || s.Reference == old.Reference {
		t.Error("nothing was mended")
	}
	s.UserInput, s.Reference = old.UserInput, old.Reference
	if d := cmp.Diff(old, s); d != "" {
		t.Errorf("(-before +after)\n%s", d)
	}
	if d := cmp.Diff(out.Records[0].Spans, fixed.Records[0].Spans); d != "" {
		t.Errorf("spans (-before +after)\n%s", d)
	}
}

func TestARowIsDroppedWithItsReason(t *testing.T) {
	t.Parallel()
	m := &edited{edit: map[string]func(string, map[string]any){
		actor.AnswerCheck: func(_ string, reply map[string]any) {
			each(reply, "items", func(i int, item map[string]any) {
				if i == 0 {
					item["unsettled"] = "whether it rains"
				}
			})
		},
	}}
	out, by := run(t, deal(t, m, with("tone", "neutral"), with("tone", "neutral"), with("tone", "neutral")), nil)
	if len(out.Dropped) != 1 || !strings.Contains(out.Dropped[0].Reason, "whether it rains") || len(by) != 2 {
		t.Errorf("dropped %v, %d rows", out.Dropped, len(by))
	}
}

func TestOnlyDocumentsOfTheRunAreNamed(t *testing.T) {
	t.Parallel()
	call := deal(t, player(), with("tone", "neutral"))
	call.Args = json.RawMessage(`{"document_paths":["../../etc/passwd"],"test_size":10,"reasoning_ratio":0.4}`)
	_, err := newGenerator(t, nil).Generate(t.Context(), call)
	var e *generator.ArgsError
	if !errors.As(err, &e) || !strings.Contains(err.Error(), "rows.md") {
		t.Errorf("error %v", err)
	}
	call.Args = json.RawMessage(`{"document_paths":["docs/rows.md"],"test_size":10,"reasoning_ratio":0.4}`)
	if out, err := newGenerator(t, nil).Generate(t.Context(), call); err != nil || len(out.Records) != 1 {
		t.Errorf("error %v", err)
	}
}

// A message that does not show what its row plans is asked for once more.
func TestWhatARowPlansIsAskedForAgain(t *testing.T) {
	t.Parallel()
	times := 0
	m := &edited{edit: map[string]func(string, map[string]any){
		actor.RagasQuestions: func(_ string, reply map[string]any) {
			times++
			each(reply, "messages", func(_ int, item map[string]any) {
				item["input"] = []string{"", "hello can you tell me where my parcel is", "hello, where is my parcel?"}[min(times, 2)]
			})
		},
	}}
	_, by := run(t, deal(t, m, with("length", "short", "greeting", "present", "form", "question")), nil)
	if times != 2 || by["row_1"].UserInput != "hello, where is my parcel?" {
		t.Errorf("asked %d times, got %q", times, by["row_1"].UserInput)
	}
}
