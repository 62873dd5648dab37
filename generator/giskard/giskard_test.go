package giskard_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	adapter "github.com/casebook-go/casebook/adapters/giskard"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/generatortest"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/internal/schema/strictcheck"
	"github.com/casebook-go/casebook/model"
)

func TestGenerator_conformance(t *testing.T) {
	t.Parallel()
	g := generator.Must(giskard.New(nil))
	generatortest.Test(t, g, &generatortest.Options{
		Model: func(*generator.Call) llm.Client { return &fake{} }, Adapter: adapter.New(adapter.Options{}),
	})
}

func TestGenerator_tool(t *testing.T) {
	t.Parallel()
	tool, err := generator.ToolFor(generator.Must(giskard.New(nil)).Spec())
	if err != nil {
		t.Fatal(err)
	}
	if tool.Name != "generate_with_giskard" || !tool.Strict {
		t.Errorf("tool %q, strict %v", tool.Name, tool.Strict)
	}
	if v := strictcheck.Violations(tool.Parameters); len(v) > 0 {
		t.Errorf("the schema is not strict: %q", v)
	}
	spec := generator.Must(giskard.New(nil)).Spec()
	args, err := generator.CheckArgs(spec, json.RawMessage(`{"document_paths":null,"num_questions":null}`))
	if err != nil || string(args) != `{"num_questions":20}` {
		t.Errorf("arguments with defaults: %s, %v", args, err)
	}
	if _, err := generator.CheckArgs(spec, json.RawMessage(`{"num_questions":0}`)); err == nil {
		t.Error("no question at all is taken")
	}
}

// plan returns a call over a document with n rows about its policies in turn.
func plan(tb testing.TB, doc *model.Document, language string, n int, change func(i int, r *model.Row)) *generator.Call {
	tb.Helper()
	call := &generator.Call{
		ID: "call", Seed: 11, Documents: []*model.Document{doc}, Language: language, Profile: model.SupportBot(),
		UseCase: model.UseCase{ID: "uc_1", Name: "Something", Description: "Something is wanted."},
		Axes: []model.Axis{
			{Name: "tone", Rule: "tone", Values: []model.AxisValue{{Name: "neutral"}, {Name: "angry"}}},
			{Name: "length", Rule: "length", Values: []model.AxisValue{{Name: "short"}, {Name: "long"}}},
		},
		Log: slog.New(slog.DiscardHandler), Embedder: llm.NewLexical(nil), Memo: &generator.Memo{},
	}
	for line := 1; line <= doc.NumLines(); line++ {
		if !strings.HasPrefix(doc.Line(line), "- ") {
			continue
		}
		e, err := doc.Cut(line, line)
		if err != nil {
			tb.Fatal(err)
		}
		kind := model.Must
		if strings.Contains(e.Quote, "team") {
			kind = model.Escalate
		}
		call.Policies = append(call.Policies, model.Policy{
			ID: fmt.Sprint("pol_", line), Type: kind, Name: "rule", Description: e.Quote, Statement: strings.TrimPrefix(e.Quote, "- "), Evidence: []model.Evidence{e},
		})
	}
	call.AllPolicies = call.Policies
	for i := range n {
		p := call.Policies[i%len(call.Policies)].ID
		r := model.Row{
			ID: fmt.Sprint("row_", i), UseCaseID: "uc_1", Axes: []string{"tone", "length"}, PolicyIDs: []string{p}, Roles: map[string]model.Role{p: model.Plain},
			Parameters: map[string]model.Value{"tone": model.String([]string{"neutral", "angry"}[i%2]), "length": model.String("long")},
			Format:     model.SingleTurnQA, Source: model.SourceFAQParaphrase, Examples: 1,
		}
		if change != nil {
			change(i, &r)
		}
		call.Rows = append(call.Rows, r)
	}
	return call
}

func questions(tb testing.TB, out *generator.Output) []*giskard.Question {
	tb.Helper()
	var qs []*giskard.Question
	for _, r := range out.Records {
		q, err := giskard.Parse(r.JSON)
		if err != nil {
			tb.Fatal(err)
		}
		qs = append(qs, q)
	}
	return qs
}

// Every row is filled by a question that stands in one message, shows the row's
// parameters after its rewrite and begins with the passage of the row's policy;
// the types are balanced, none is out of scope.
func TestGenerator_rows(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ file, language string }{{"bike_rental_en.md", "en"}, {"tea_shop_ru.md", "ru"}} {
		call := plan(t, read(t, tt.file), tt.language, 28, nil)
		call.Model = &fake{}
		out, err := generator.Must(giskard.New(nil)).Generate(t.Context(), call)
		if err != nil || len(out.Records) != 28 || len(out.Dropped) != 0 {
			t.Fatalf("%s: %v, %v", tt.file, out, err)
		}
		count := map[string]int{}
		for i, q := range questions(t, out) {
			count[q.Metadata.QuestionType]++
			row := &call.Rows[i]
			if out.Records[i].Row != row.ID || len(q.ConversationHistory) != 0 {
				t.Errorf("record %d is of row %s with the history %v", i, out.Records[i].Row, q.ConversationHistory)
			}
			if angry := strings.Contains(q.Question, "!!"); angry != (row.Parameters["tone"].String() == "angry") || len(strings.Fields(q.Question)) <= 8 {
				t.Errorf("%s question %q does not show %v", q.Metadata.QuestionType, q.Question, row.Parameters)
			}
			policy := &call.Policies[i%len(call.Policies)]
			if s := out.Records[i].Spans[0]; s.StartLine > policy.Evidence[0].LineStart || s.EndLine < policy.Evidence[0].LineEnd {
				t.Errorf("row %d: the first context is lines %d-%d, the policy's line %d", i, s.StartLine, s.EndLine, policy.Evidence[0].LineStart)
			}
			if n := out.Records[i].Notes; n == nil || len(n.Criteria) < 3 || !slices.Equal(n.PolicyIDs, row.PolicyIDs) || n.Name == "" || n.Description == "" {
				t.Errorf("row %d: notes %+v", i, n)
			}
		}
		want := map[string]int{}
		for _, kind := range giskard.Types() {
			if kind != giskard.OutOfScope {
				want[string(kind)] = 4
			}
		}
		if diff := gocmp.Diff(want, count); diff != "" {
			t.Errorf("%s: types (-want +got):\n%s", tt.file, diff)
		}
	}
}

// A row may ask for another language than the document's.
func TestGenerator_otherLanguage(t *testing.T) {
	t.Parallel()
	call := plan(t, read(t, "tea_shop_ru.md"), "ru", 7, func(_ int, r *model.Row) {
		delete(r.Parameters, "tone")
		r.Axes[0], r.Parameters["tongue"] = "tongue", model.String("en")
	})
	call.Axes[0] = model.Axis{Name: "tongue", Rule: "language", Values: []model.AxisValue{{Name: "ru"}, {Name: "en"}}}
	f := &fake{}
	call.Model = llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		r := *req
		r.Messages = slices.Clone(req.Messages)
		r.Messages[1].Content = strings.Replace(r.Messages[1].Content, "Language of the document: ru", "Language of the document: en", 1)
		return f.Complete(ctx, &r)
	})
	out, err := generator.Must(giskard.New(nil)).Generate(t.Context(), call)
	if err != nil || len(out.Records) != 7 {
		t.Fatal(out, err)
	}
	if n := f.count("questions"); n != 2 {
		t.Errorf("%d calls for the questions of seven rows, want 2", n)
	}
	for _, q := range questions(t, out) {
		if !strings.HasPrefix(q.Question, "I need") {
			t.Errorf("question %q", q.Question)
		}
	}
}

// A row of few words has one simple need.
func TestGenerator_shortRows(t *testing.T) {
	t.Parallel()
	call := plan(t, read(t, "bike_rental_en.md"), "en", 8, func(i int, r *model.Row) {
		if i%2 == 0 {
			r.Parameters["length"] = model.String("short")
		}
	})
	call.Model = &fake{}
	out, err := generator.Must(giskard.New(nil)).Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range questions(t, out) {
		if simple := q.Metadata.QuestionType == "simple"; simple != (i%2 == 0) {
			t.Errorf("row %d with %v has a %s question", i, call.Rows[i].Parameters, q.Metadata.QuestionType)
		}
	}
}

// Only a row about what the agent cannot answer may be out of scope.
func TestGenerator_outOfScope(t *testing.T) {
	t.Parallel()
	call := plan(t, read(t, "bike_rental_en.md"), "en", 9, nil)
	call.Model = &fake{unknown: "p3"} // the rule on the events team, as it were
	g := generator.Must(giskard.New(&giskard.Options{Weights: giskard.Weights{giskard.OutOfScope: 1}}))
	out, err := g.Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range questions(t, out) {
		about := call.Rows[i].PolicyIDs[0] == call.AllPolicies[2].ID
		if got := q.Metadata.QuestionType == "out of scope"; got != about {
			t.Errorf("row %d about %s has a %q question", i, call.Rows[i].PolicyIDs[0], q.Metadata.QuestionType)
		}
	}
}

// A row's question that the documents turn out to answer is no question out of
// scope, and is kept.
func TestGenerator_inScopeAfterAll(t *testing.T) {
	t.Parallel()
	call := plan(t, read(t, "bike_rental_en.md"), "en", 3, nil)
	f := &fake{unknown: "p3", says: func(string, string) string { return "A booking is held" }}
	call.Model = f
	out, err := generator.Must(giskard.New(&giskard.Options{Weights: giskard.Weights{giskard.OutOfScope: 1}})).Generate(t.Context(), call)
	if err != nil || len(out.Records) != 3 {
		t.Fatal(out, err)
	}
	for _, q := range questions(t, out) {
		if q.Metadata.QuestionType != "simple" || q.Metadata.FakeFact != "" {
			t.Errorf("record %+v", q)
		}
	}
	if n := f.count("absence"); n != 3 {
		t.Errorf("absence was checked %d times, want 3", n)
	}
}

// A message that is given stays as it is; a corner row is what its kind says and
// is not rewritten.
func TestGenerator_givenAndCorner(t *testing.T) {
	t.Parallel()
	const ticket = "where is my bike?!! i booked it yesterday, and now there is nobody here"
	call := plan(t, read(t, "bike_rental_en.md"), "en", 4, func(i int, r *model.Row) {
		switch i {
		case 0:
			r.Given, r.Source = []model.Message{{Role: model.RoleUser, Content: ticket}}, model.SourceTickets
		case 1:
			r.Corner, r.Source = "empty", model.SourceCorner
		case 2:
			r.Corner, r.Source = "off_topic", model.SourceCorner
		case 3:
			r.Corner, r.Source = "injection", model.SourceCorner
		}
	})
	f := &fake{}
	call.Model = f
	out, err := generator.Must(giskard.New(nil)).Generate(t.Context(), call)
	if err != nil || len(out.Records) != 4 {
		t.Fatal(out, err)
	}
	var got []string
	qs := questions(t, out)
	for _, q := range qs {
		got = append(got, q.Metadata.QuestionType)
	}
	if want := []string{"simple", "simple", "out of scope", "simple"}; !slices.Equal(got, want) {
		t.Errorf("types %q, want %q", got, want)
	}
	if qs[0].Question != ticket || qs[1].Question != "" {
		t.Errorf("the given messages became %q and %q", qs[0].Question, qs[1].Question)
	}
	if n := f.count("rewrites", "absence"); n != 0 {
		t.Errorf("%d calls to rewrite what is given or a corner", n)
	}
}

// A rewrite that loses what the row asks for is asked for again; in the end the
// first question stays.
func TestGenerator_lostParameter(t *testing.T) {
	t.Parallel()
	call := plan(t, read(t, "bike_rental_en.md"), "en", 2, func(_ int, r *model.Row) { r.Parameters["tone"] = model.String("angry") })
	f := &fake{}
	call.Model = llmtest.Func(func(ctx context.Context, req *llm.Request) (*llm.Response, error) {
		resp, err := f.Complete(ctx, req)
		if req.Purpose == "giskard_rewrites" {
			resp.Text = strings.ReplaceAll(resp.Text, "!!", "")
		}
		return resp, err
	})
	out, err := generator.Must(giskard.New(&giskard.Options{Weights: giskard.Weights{giskard.Complex: 1}})).Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range questions(t, out) {
		if q.Metadata.QuestionType != "simple" || !strings.Contains(q.Question, "!!") {
			t.Errorf("%s question %q", q.Metadata.QuestionType, q.Question)
		}
	}
	if n := f.count("rewrites"); n < 3 {
		t.Errorf("%d calls to rewrite, want it tried again", n)
	}
}

// A kind of question that cannot be written of a row's passages gives way to a
// simple one; so does a rewrite.
func TestGenerator_declined(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"two needs", "joint need", "missing fact", "complex", "distracting element"} {
		call := plan(t, read(t, "tea_shop_ru.md"), "ru", 14, nil)
		f := &fake{unknown: "p1", declines: func(k, _, _ string) string {
			if k == kind {
				return "It cannot be done."
			}
			return ""
		}}
		call.Model = f
		out, err := generator.Must(giskard.New(nil)).Generate(t.Context(), call)
		if err != nil || len(out.Records) != 14 {
			t.Errorf("%s: %d records, %v", kind, len(out.Records), err)
			continue
		}
		for _, q := range questions(t, out) {
			if q.Metadata.QuestionType == kind || kind == "two needs" && q.Metadata.QuestionType == "double" {
				t.Errorf("%s: %+v", kind, q)
			}
		}
	}
}

// A repair writes the texts anew and keeps what the method said.
func TestGenerator_repair(t *testing.T) {
	t.Parallel()
	call := plan(t, read(t, "bike_rental_en.md"), "en", 3, nil)
	call.Model = &fake{}
	g := generator.Must(giskard.New(&giskard.Options{Weights: giskard.Weights{giskard.Situational: 1}}))
	first, err := g.Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := adapter.New(adapter.Options{}).Adapt(t.Context(), call, first)
	if err != nil || len(batch.Items) != 3 {
		t.Fatal(batch, err)
	}
	again := *call
	again.Repairs = map[string]generator.Repair{}
	for _, item := range batch.Items {
		again.Repairs[item.Row] = generator.Repair{Item: item, Findings: []string{"the reply promises a date"}}
	}
	f := &fake{}
	again.Model = f
	second, err := g.Generate(t.Context(), &again)
	if err != nil || len(second.Records) != 3 {
		t.Fatal(second, err)
	}
	if n := f.count("questions", "rewrites", "topics"); n != 0 || f.count("mends") == 0 {
		t.Errorf("%d calls for new questions, %d to mend", n, f.count("mends"))
	}
	old, mended := questions(t, first), questions(t, second)
	for i := range old {
		if diff := gocmp.Diff(old[i].Metadata, mended[i].Metadata); diff != "" {
			t.Errorf("metadata (-first +mended):\n%s", diff)
		}
		if diff := gocmp.Diff(first.Records[i].Spans, second.Records[i].Spans); diff != "" {
			t.Errorf("spans (-first +mended):\n%s", diff)
		}
		if mended[i].ReferenceAnswer == "" || mended[i].ReferenceContext != old[i].ReferenceContext {
			t.Errorf("mended record %+v", mended[i])
		}
	}
}

// The base is made once for a run, and the same whichever call comes first.
func TestGenerator_oneBase(t *testing.T) {
	t.Parallel()
	doc := read(t, "bike_rental_en.md")
	g := generator.Must(giskard.New(nil))
	outputs := func(order []int) (string, int) {
		f, memo := &fake{}, &generator.Memo{}
		got := make([]string, len(order))
		for _, i := range order {
			call := plan(t, doc, "en", 3, nil)
			call.Model, call.Memo, call.Seed = f, memo, uint64(100+i)
			out, err := g.Generate(t.Context(), call)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range out.Records {
				got[i] += string(r.JSON) + "\n"
			}
		}
		return strings.Join(got, ""), f.count("topics")
	}
	a, n := outputs([]int{0, 1, 2})
	b, m := outputs([]int{2, 0, 1})
	if n != 1 || m != 1 {
		t.Errorf("topics were named %d and %d times for three calls", n, m)
	}
	if diff := gocmp.Diff(a, b); diff != "" {
		t.Errorf("another order of calls (-want +got):\n%s", diff)
	}
}

func TestGenerator_documentPaths(t *testing.T) {
	t.Parallel()
	call := plan(t, read(t, "bike_rental_en.md"), "en", 2, nil)
	call.Documents = append(call.Documents, read(t, "tea_shop_ru.md"))
	call.Model = &fake{}
	g := generator.Must(giskard.New(nil))
	call.Args = json.RawMessage(`{"document_paths":["docs/bike_rental_en.md"],"num_questions":5}`)
	out, err := g.Generate(t.Context(), call)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range out.Records {
		for _, s := range r.Spans {
			if s.Doc != "bike_rental_en.md" {
				t.Errorf("a context of %s", s.Doc)
			}
		}
	}
	call.Args = json.RawMessage(`{"document_paths":["/etc/passwd"]}`)
	var bad *generator.ArgsError
	if _, err := g.Generate(t.Context(), call); !errors.As(err, &bad) || !strings.Contains(err.Error(), "tea_shop_ru.md") {
		t.Errorf("error %v, want an *ArgsError that names the documents there are", err)
	}
}

// A model that answers nothing fails with its causes, row by row.
func TestGenerator_nothing(t *testing.T) {
	t.Parallel()
	call := plan(t, read(t, "bike_rental_en.md"), "en", 2, nil)
	call.Model = llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
		return nil, &llm.Error{Kind: llm.KindQuota, Message: "no money"}
	})
	out, err := generator.Must(giskard.New(nil)).Generate(t.Context(), call)
	var short *giskard.ShortfallError
	var cause *llm.Error
	if !errors.As(err, &short) || !errors.As(err, &cause) || len(out.Dropped) != 2 {
		t.Errorf("output %+v, error %v", out, err)
	}
}
