package ragas

import (
	"cmp"
	"context"
	"fmt"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// Params are the parameters of the tool.
type Params struct {
	DocumentPaths  []string `json:"document_paths,omitempty" jsonschema_description:"Names of the documents to draw from, of those given to the run; null means all of them."`
	TestSize       int      `json:"test_size" jsonschema:"minimum=1,maximum=100" jsonschema_description:"The most rows this call may be dealt."`
	ReasoningRatio float64  `json:"reasoning_ratio" jsonschema:"minimum=0,maximum=1" jsonschema_description:"Share of questions, 0 to 1, whose answer must join two or more passages; raise it for use cases in which several rules meet."`
}

// New returns the generator. Its tool is generate_with_ragas; its records are
// Ragas' samples, see [Sample]. It is safe for concurrent use. The error is an
// *[OptionsError].
func New(o *Options) (generator.Generator, error) {
	filled, err := o.filled()
	if err != nil {
		return nil, err
	}
	e := &engine{o: filled}
	return generator.New(generator.Spec{
		Name: "ragas", Record: Format, NeedsModel: true, Count: "test_size",
		Formats: []model.Format{model.SingleTurnQA},
		Description: "Writes customers' messages by Ragas' method: a knowledge graph of the documents, people who come with a need, four styles (misspelt, perfect, loose grammar, web search) in three lengths, " +
			"and questions whose answer joins several passages. Good where the wording of real people matters and where rules from different places of the documents meet in one answer. Makes single_turn_qa only.",
	}, Params{TestSize: 10, ReasoningRatio: 0.4}, e.generate)
}

// generate fills the rows of a call.
func (e *engine) generate(ctx context.Context, call *generator.Call, p Params) (*generator.Output, error) {
	if call.Model == nil {
		return nil, &OptionsError{"Call.Model", "there is no model; give the call one"}
	}
	docs, err := brief.Documents(call, p.DocumentPaths)
	if err != nil {
		return nil, err
	}
	e = e.with(p.ReasoningRatio)
	if call.Repairs != nil {
		return e.mend(ctx, call)
	}
	key := fmt.Sprintf("ragas %p", e.o)
	for _, d := range docs {
		key += "\x00" + d.Name
	}
	w, err := generator.Once(ctx, call.Memo, key, func(ctx context.Context) (*world, error) {
		return e.build(ctx, call, Build(docs, e.o.Chunks), docs)
	})
	if err != nil {
		return nil, err
	}
	return e.fillRows(ctx, call, w, p.ReasoningRatio)
}

// fillRows writes a sample for each row: what the row plans, in a scenario that
// suits it.
func (e *engine) fillRows(ctx context.Context, call *generator.Call, w *world, ratio float64) (*generator.Output, error) {
	orders := e.castRows(call, w, ratio)
	why := make([]error, len(orders))
	inputs := make([]string, len(orders))
	var todo []order
	var of []int
	for i := range orders {
		switch o := &orders[i]; {
		case o.row.Given != nil:
			inputs[i] = o.row.Given[len(o.row.Given)-1].Content
		case o.row.Corner == "empty":
		default:
			todo = append(todo, *o)
			of = append(of, i)
		}
	}
	for k, r := range e.write(ctx, call, todo, stage.Hash(call.Seed, e.o.Seed, "questions")) {
		i := of[k]
		inputs[i], why[i] = r.Value.Input, r.Err
		if r.Err == nil && inputs[i] == "" {
			why[i] = fmt.Errorf("the model says it cannot be written: %s", r.Value.Impossible)
		}
	}
	var drafts []answer.Draft
	of = of[:0]
	for i := range orders {
		if why[i] == nil {
			drafts = append(drafts, answer.Draft{Row: orders[i].row, Input: inputs[i], Contexts: orders[i].contexts, Ask: e.mustOfRow(&orders[i])})
			of = append(of, i)
		}
	}
	finals := answer.Finish(ctx, call, drafts, e.answers(stage.Hash(call.Seed, e.o.Seed, "answers")))
	out := &generator.Output{Engine: "go"}
	made := make([]*generator.Record, len(orders))
	for k, r := range finals {
		i := of[k]
		if why[i] = r.Err; why[i] == nil {
			why[i] = e.judgeRow(&orders[i], &r.Value)
		}
		if why[i] == nil {
			made[i], why[i] = e.record(&orders[i], &r.Value)
		}
	}
	rows := make([]string, len(orders))
	for i := range orders {
		rows[i] = orders[i].row.ID
	}
	return out, output(ctx, out, rows, made, why)
}

// output puts the records in the order of the rows, of which each may stand
// several times. A failure belongs to its row; it is the call's when nothing was
// made, or no later call can succeed.
func output(ctx context.Context, out *generator.Output, rows []string, made []*generator.Record, why []error) error {
	filled := map[string]bool{}
	for i, rec := range made {
		if rec != nil {
			out.Records = append(out.Records, *rec)
			filled[rows[i]] = true
		}
	}
	var first, dead error
	for i, row := range rows {
		if made[i] != nil {
			continue
		}
		why[i] = cmp.Or(why[i], stage.ErrNoAnswer)
		first = cmp.Or(first, why[i])
		if stage.Fatal(why[i]) {
			dead = cmp.Or(dead, why[i])
		}
		if !filled[row] {
			filled[row] = true // told once
			out.Dropped = append(out.Dropped, generator.Drop{Row: row, Reason: why[i].Error()})
		}
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if len(out.Records) == 0 {
		return cmp.Or(dead, first)
	}
	return dead
}

func (e *engine) mustOfRow(o *order) string {
	if o.style.Name == "" {
		return ""
	}
	return e.must(o)
}
