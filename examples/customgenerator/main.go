// Command customgenerator shows a service that brings its own generator and
// its own record format: the typed constructor turns a function into a tool
// that a model can call, and an adapter turns the records into the contract's
// types. It runs without a model, so anybody can try it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// callLog is this service's own record: a call that was transcribed, with the
// answer a supervisor approved.
type callLog struct {
	Caller   string `json:"caller"`
	Approved string `json:"approved"`
}

// format names the records, so that the orchestrator finds their adapter.
const format = "clinic.call_log"

// params are what a router may set. The struct is the tool's strict schema.
type params struct {
	MaxCalls int    `json:"max_calls" jsonschema:"minimum=1,maximum=50" jsonschema_description:"The most call logs to use."`
	Mood     string `json:"mood" jsonschema:"enum=any,enum=calm,enum=upset" jsonschema_description:"Which callers to prefer."`
}

// logs stand for the service's archive.
var logs = []callLog{
	{"Could I bring my appointment forward to Monday?", "An appointment can be moved up to 24 hours before it starts. Please tell me your booking number."},
	{"I must move my appointment, it starts in two hours", "An appointment can be moved up to 24 hours before it starts, so this one can no longer be moved. I can cancel it and book a new one."},
	{"This is outrageous! Nobody lets me change my appointment!", "I am sorry about the trouble. An appointment can be moved up to 24 hours before it starts. Please tell me your booking number."},
	{"Hello, my plans changed, booking 48213 has to wait a week", "Thank you for the number 48213. An appointment can be moved up to 24 hours before it starts."},
}

// newGenerator makes the generator out of a function.
func newGenerator() (generator.Generator, error) {
	return generator.New(generator.Spec{
		Name: "call_logs", Tool: "generate_from_call_logs", Record: format, Count: "max_calls",
		Description: "Takes real, approved calls from the archive. The right choice for appointments that are moved or cancelled.",
		Formats:     []model.Format{model.SingleTurnQA},
	}, params{MaxCalls: 20, Mood: "any"}, func(_ context.Context, call *generator.Call, p params) (*generator.Output, error) {
		out := &generator.Output{Format: format, Version: "archive-7"}
		used := map[int]bool{}
		for _, row := range call.Rows {
			i := match(call, row, used)
			if i < 0 || len(out.Records) == p.MaxCalls {
				out.Dropped = append(out.Dropped, generator.Drop{Row: row.ID, Reason: "the archive has no call with these parameters"})
				continue
			}
			used[i] = true
			b, err := json.Marshal(logs[i])
			if err != nil {
				return nil, err
			}
			out.Records = append(out.Records, generator.Record{Row: row.ID, JSON: b})
		}
		return out, nil
	})
}

// match finds a call that shows what the row asks for.
func match(call *generator.Call, row model.Row, used map[int]bool) int {
	for i, l := range logs {
		in := &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: l.Caller}}}
		if !used[i] && coverage.Shows(call.Language, call.Axes, row.Parameters, in, row.Format) {
			return i
		}
	}
	return -1
}

// adapter reads the service's records.
type adapter struct{}

func (adapter) Format() string { return format }

func (adapter) Adapt(_ context.Context, call *generator.Call, out *generator.Output) (*model.Batch, error) {
	batch := &model.Batch{}
	for i, rec := range out.Records {
		var l callLog
		if err := json.Unmarshal(rec.JSON, &l); err != nil {
			batch.Refused = append(batch.Refused, model.Refusal{Row: rec.Row, Check: "adapter", Reason: err.Error(), Index: i})
			continue
		}
		batch.Items = append(batch.Items, model.Item{
			Row: rec.Row,
			TestCase: model.TestCase{
				Name:        "Call from the archive: " + l.Caller,
				Description: "A caller says what a supervisor has approved an answer to.",
			},
			Examples: []model.Example{{
				Input:          model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: l.Caller}}},
				ExpectedOutput: l.Approved,
				EvaluationCriteria: []string{
					"Says that an appointment can be moved up to 24 hours before it starts",
					"Promises no slot and no exception",
					"Names the next step or asks for what is missing",
				},
				Metadata: model.Metadata{Native: rec.JSON},
			}},
		})
	}
	return batch, nil
}

const document = `# Front desk

An appointment can be moved up to 24 hours before it starts. Later it is cancelled and booked anew.

The bot must ask for the booking number before an appointment is moved.

## Questions

**Can I move my appointment?** Yes, up to 24 hours before it starts. Please have the booking number at hand.
`

func run(ctx context.Context) (*orchestrate.Result, error) {
	g, err := newGenerator()
	if err != nil {
		return nil, err
	}
	doc, err := model.ParseMarkdown("front_desk.md", []byte(document), nil)
	if err != nil {
		return nil, err
	}
	ev, err := doc.Cut(3, 5)
	if err != nil {
		return nil, err
	}
	o, err := orchestrate.New([]generator.Generator{g}, &orchestrate.Options{Adapters: []adapters.Adapter{adapter{}}, Seed: 7})
	if err != nil {
		return nil, err
	}
	return o.Generate(ctx, &orchestrate.Job{
		Documents: []*model.Document{doc},
		UseCase: model.UseCase{
			ID: "uc_move_appointment", Case: model.CaseSupportBot, Name: "Move an appointment",
			Description: "A patient wants another time for an appointment and learns whether that is still possible.",
			Evidence:    []model.Evidence{ev},
		},
		Policies: []model.Policy{{
			ID: "pol_24_hours", Case: model.CaseSupportBot, Type: model.Must, Name: "Moved up to 24 hours before",
			Description: "The answer states the limit of 24 hours.",
			Statement:   "An appointment can be moved up to 24 hours before it starts.",
			Evidence:    []model.Evidence{ev},
		}},
	})
}

func main() {
	res, err := run(context.Background())
	var short *coverage.ShortfallError
	if err != nil && !errors.As(err, &short) {
		log.Fatal(err)
	}
	for _, ex := range res.Dataset.Examples {
		fmt.Printf("%s [%s]\n  > %s\n  < %s\n", ex.ID, ex.Metadata.Generator, ex.Input.Messages[0].Content, ex.ExpectedOutput)
	}
	for _, use := range res.Manifest.Generators {
		fmt.Printf("%s (%s %s): %d items\n", use.Name, use.Engine, use.Version, use.Items)
	}
}
