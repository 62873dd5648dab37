package orchestrate_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/actor"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// complete runs on a base; a shortfall is a result like another.
func complete(t *testing.T, gens []generator.Generator, opts *orchestrate.Options, doc *model.Document, b *orchestrate.Base) *orchestrate.Result {
	t.Helper()
	o, err := orchestrate.New(gens, opts)
	if err != nil {
		t.Fatal(err)
	}
	res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}, Base: b})
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		t.Fatal(err)
	}
	return res
}

// kept checks that everything of a dataset stands in another as it was.
func kept(t *testing.T, before, after *model.Dataset) {
	t.Helper()
	items := func(d *model.Dataset) map[string]string {
		out := map[string]string{}
		add := func(id string, v any) {
			b, err := model.EncodeJSON(id, v)
			if err != nil {
				t.Fatal(err)
			}
			if out[id] != "" {
				t.Errorf("%s stands there twice", id)
			}
			out[id] = string(b)
		}
		for _, x := range d.UseCases {
			add(x.ID, x)
		}
		for _, x := range d.Policies {
			add(x.ID, x)
		}
		for _, x := range d.TestCases {
			add(x.ID, x)
		}
		for _, x := range d.Examples {
			add(x.ID, x)
		}
		return out
	}
	have := items(after)
	for id, want := range items(before) {
		if have[id] != want {
			t.Errorf("%s changed (-before +after):\n%s", id, cmp.Diff(want, have[id]))
		}
	}
}

// holds checks the contract's own rules, the relations between the files, and
// the certificate.
func holds(t *testing.T, res *orchestrate.Result, doc *model.Document) {
	t.Helper()
	for _, v := range append(res.Dataset.Violations(doc), coverage.CheckIntegrity(res.Dataset)...) {
		t.Errorf("%s", v)
	}
	for _, diff := range coverage.Recheck(res.Certificate, res.Dataset, res.Manifest.Plan) {
		t.Errorf("certificate: %s", diff)
	}
}

// half is a dataset with every second test case taken out.
func half(d *model.Dataset) *model.Dataset {
	out := &model.Dataset{UseCases: d.UseCases, Policies: d.Policies}
	left := map[string]bool{}
	for i, tc := range d.TestCases {
		if i%2 == 0 {
			out.TestCases = append(out.TestCases, tc)
			left[tc.ID] = true
		}
	}
	for _, e := range d.Examples {
		if left[e.TestCaseID] {
			out.Examples = append(out.Examples, e)
		}
	}
	return out
}

func TestARunCompletesImportedTests(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"bike_rental_en", "tea_shop_ru"} {
		for name, file := range map[string]string{
			"deepeval": "deepeval/testdata/dataset_" + lang + ".json", "ragas": "ragas/testdata/docs_" + lang + ".jsonl", "giskard": "giskard/testdata/testset_" + lang + ".jsonl",
		} {
			t.Run(name+"/"+lang, func(t *testing.T) {
				t.Parallel()
				doc := document(t, "../adapters/testdata/"+lang+".md")
				raw, err := os.ReadFile("../adapters/" + file)
				if err != nil {
					t.Fatal(err)
				}
				in := bring(t, nil, doc, frameworks[name], raw)
				b := &orchestrate.Base{Dataset: in.Dataset, Manifest: in.Manifest, Certificate: in.Certificate}
				res := complete(t, nil, nil, doc, b)
				kept(t, in.Dataset, res.Dataset)
				validates(t, res)
				holds(t, res, doc)
				if len(res.Dataset.Examples) <= len(in.Dataset.Examples) {
					t.Errorf("nothing was made beside the %d examples", len(in.Dataset.Examples))
				}
				if !slices.Contains(res.Manifest.FrameworksUsed, name) || !slices.Contains(res.Manifest.FrameworksUsed, "rules") {
					t.Errorf("frameworks used: %v", res.Manifest.FrameworksUsed)
				}
				if diff := cmp.Diff(in.Manifest.Findings, res.Manifest.Findings); diff != "" {
					t.Errorf("the findings changed:\n%s", diff)
				}
				if res.Certificate.Tuples.Covered <= in.Certificate.Tuples.Covered {
					t.Errorf("%d combinations are covered, %d were", res.Certificate.Tuples.Covered, in.Certificate.Tuples.Covered)
				}
				for _, g := range res.Certificate.Gaps {
					if g.Limit == coverage.LimitImport {
						t.Errorf("a gap of the import is left: %+v", g)
					}
				}
				again := complete(t, nil, nil, doc, &orchestrate.Base{Dataset: res.Dataset, Manifest: res.Manifest, Certificate: res.Certificate})
				kept(t, res.Dataset, again.Dataset)
				holds(t, again, doc)
			})
		}
	}
}

func TestARunRestoresWhatWasTakenOut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bike_rental_en", "flower_delivery_ru", "claims_quality_en"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := document(t, "../examples/documents/"+name+".md")
			whole := complete(t, nil, nil, doc, nil)
			part := half(whole.Dataset)
			for _, b := range []*orchestrate.Base{
				{Dataset: part, Manifest: whole.Manifest, Certificate: whole.Certificate},
				{Dataset: part}, // the files of the dataset alone
			} {
				res := complete(t, nil, nil, doc, b)
				kept(t, part, res.Dataset)
				validates(t, res)
				holds(t, res, doc)
				if len(res.Dataset.TestCases) <= len(part.TestCases) {
					t.Errorf("%d test cases, %d were left", len(res.Dataset.TestCases), len(part.TestCases))
				}
				for i, e := range res.Dataset.Examples {
					for _, other := range res.Dataset.Examples[:i] {
						if coverage.InputText(&e.Input) == coverage.InputText(&other.Input) && coverage.InputText(&e.Input) != "" && len(e.Input.Messages) == 1 {
							t.Errorf("%s and %s have the same input", other.ID, e.ID)
						}
					}
				}
			}
		})
	}
}

func TestOnlyGapsAreGenerated(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	a := newActor(t, doc)
	opts := func() *orchestrate.Options {
		return &orchestrate.Options{Client: a, ModelName: "actor", Seed: 1, Checks: []coverage.Check{}, Counts: orchestrate.Counts{TestCasesPerUseCase: 4, ExamplesPerTestCase: 2}}
	}
	whole := complete(t, ownGenerators(t), opts(), doc, nil)
	part := half(whole.Dataset)
	b := &orchestrate.Base{Dataset: part, Manifest: whole.Manifest, Certificate: whole.Certificate}

	var mu sync.Mutex
	asked := map[string]bool{} // parameters of rows
	avoided := map[string]bool{}
	watch := tool(t, "watch", func(call *generator.Call, row model.Row) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		asked[row.UseCaseID+key(row.Parameters)] = true
		for _, s := range call.Avoid {
			avoided[s] = true
		}
		return "", errors.New("it makes nothing")
	})
	o := opts()
	o.Client = &actor.Actor{Extraction: a.Extraction, Calls: func(*llm.Request) []llm.ToolCall {
		return []llm.ToolCall{{ID: "1", Name: "generate_with_watch", Arguments: `{"items":50,"mode":"plain"}`}}
	}}
	complete(t, append(ownGenerators(t), watch), o, doc, b)
	for _, tc := range part.TestCases {
		if asked[tc.UseCaseID+key(tc.Parameters)] {
			t.Errorf("%s was asked for again", tc.ID)
		}
	}
	if len(asked) == 0 {
		t.Error("nothing was asked for")
	}
	for _, e := range part.Examples {
		if text := coverage.InputText(&e.Input); !avoided[text] {
			t.Errorf("the generator was not told of the input %q", text)
		}
	}

	res := complete(t, ownGenerators(t), opts(), doc, b)
	kept(t, part, res.Dataset)
	per := map[string]int{}
	for _, tc := range res.Dataset.TestCases {
		per[tc.UseCaseID]++
	}
	for _, uc := range res.Dataset.UseCases {
		if per[uc.ID] != 4 {
			t.Errorf("%s has %d test cases, 4 were asked for", uc.ID, per[uc.ID])
		}
	}
	// A plan of a base runs like the base.
	orch, err := orchestrate.New(ownGenerators(t), opts())
	if err != nil {
		t.Fatal(err)
	}
	plan, err := orch.Plan(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}, Base: b})
	if err != nil {
		t.Fatal(err)
	}
	planned, err := orch.Run(t.Context(), &orchestrate.Input{Plan: plan})
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(res.Dataset, planned.Dataset, byValue); diff != "" {
		t.Errorf("from a plan (-base +plan):\n%s", diff)
	}
	if n := len(part.UseCases); n < 5 {
		t.Errorf("%d use cases", n)
	}
}

func key(params map[string]model.Value) string {
	b, _ := json.Marshal(params) // values of a row are finite
	return string(b)
}

func TestMoreThanAskedForStays(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	whole := complete(t, nil, nil, doc, nil)
	most := map[string]int{}
	for _, tc := range whole.Dataset.TestCases {
		most[tc.UseCaseID]++
	}
	over := false
	for _, n := range most {
		over = over || n > 3
	}
	if !over {
		t.Fatal("no use case has more than three test cases")
	}
	opts := &orchestrate.Options{Counts: orchestrate.Counts{UseCases: 5, TestCasesPerUseCase: 3}}
	res := complete(t, nil, opts, doc, &orchestrate.Base{Dataset: whole.Dataset, Manifest: whole.Manifest, Certificate: whole.Certificate})
	kept(t, whole.Dataset, res.Dataset)
}

func TestBasesThatCannotBeCompleted(t *testing.T) {
	t.Parallel()
	doc := parse(t, bikes)
	whole := complete(t, nil, nil, doc, nil)
	change := func(f func(*model.Dataset)) *orchestrate.Base {
		d := *whole.Dataset
		d.UseCases, d.TestCases = slices.Clone(d.UseCases), slices.Clone(d.TestCases)
		f(&d)
		return &orchestrate.Base{Dataset: &d, Manifest: whole.Manifest}
	}
	other := parsed(t, doc.Name, "# Note\n\nA line before.\n\n"+doc.Text())
	for _, tt := range []struct {
		name string
		base *orchestrate.Base
		doc  *model.Document
		opts *orchestrate.Options
		want string
	}{
		{"nothing", &orchestrate.Base{}, doc, nil, "no use cases"},
		{"another version of the document", &orchestrate.Base{Dataset: whole.Dataset}, other, nil, "another version"},
		{"a document of another name", &orchestrate.Base{Dataset: whole.Dataset}, parsed(t, "other.md", doc.Text()), nil, "give it that name again"},
		{"a link that leads nowhere", change(func(d *model.Dataset) { d.TestCases[0].UseCaseID = "uc_gone" }), doc, nil, "uc_gone"},
		{"an id twice", change(func(d *model.Dataset) { d.UseCases[1].ID = d.UseCases[0].ID }), doc, nil, "more than once"},
		{"another case", &orchestrate.Base{Dataset: whole.Dataset}, doc, &orchestrate.Options{Profile: model.OperatorQuality()}, "operator_quality"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, err := orchestrate.New(nil, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			res, err := o.Run(context.WithoutCancel(t.Context()), &orchestrate.Input{Documents: []*model.Document{tt.doc}, Base: tt.base})
			var refused *orchestrate.BaseError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) || res == nil {
				t.Errorf("got %v, want a *BaseError with %q", err, tt.want)
			}
		})
	}
	o, err := orchestrate.New(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := o.Plan(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
	if err != nil {
		t.Fatal(err)
	}
	var job *orchestrate.JobError
	if _, err := o.Run(t.Context(), &orchestrate.Input{Plan: plan, Base: &orchestrate.Base{Dataset: whole.Dataset}}); !errors.As(err, &job) {
		t.Errorf("a plan and a base: %v", err)
	}
}
