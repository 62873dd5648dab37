package generator_test

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

func ExampleNew() {
	type greetParams struct {
		Tone  string `json:"tone" jsonschema:"enum=polite,enum=curt" jsonschema_description:"How the customer writes"`
		Count int    `json:"count" jsonschema:"minimum=1,maximum=10" jsonschema_description:"At most how many test cases"`
	}
	greet := generator.Must(generator.New(
		generator.Spec{Name: "greeting", Description: "Makes customers who only say hello. Use it for small talk.", Count: "count"},
		greetParams{Count: 3},
		func(ctx context.Context, call *generator.Call, p greetParams) (*generator.Output, error) {
			b := &model.Batch{}
			for _, row := range call.Rows {
				b.Items = append(b.Items, model.Item{Row: row.ID, TestCase: model.TestCase{Name: p.Tone + " hello"}})
			}
			return generator.BatchOutput(b), nil
		},
	))

	tool, _ := generator.ToolFor(greet.Spec())
	fmt.Println(tool.Name)
	fmt.Println(string(tool.Parameters))

	// The orchestrator checks what the model sent and fills in the defaults.
	args, err := generator.CheckArgs(greet.Spec(), json.RawMessage(`{"tone":"curt","count":null}`))
	fmt.Println(string(args), err)
	_, err = generator.CheckArgs(greet.Spec(), json.RawMessage(`{"tone":"rude"}`))
	fmt.Println(err)

	out, err := greet.Generate(context.Background(), &generator.Call{Rows: []model.Row{{ID: "row_1"}}, Args: args})
	fmt.Println(out.Format, out.Records[0].Row, err)
	// Output:
	// generate_with_greeting
	// {"type":"object","properties":{"tone":{"description":"How the customer writes","type":"string","enum":["polite","curt"]},"count":{"description":"At most how many test cases. From 1 to 10. Default: 3. Use null for the default.","anyOf":[{"type":"integer","minimum":1,"maximum":10},{"type":"null"}]}},"required":["tone","count"],"additionalProperties":false}
	// {"tone":"curt","count":3} <nil>
	// invalid arguments for generate_with_greeting: tone: must be one of "polite", "curt", not "rude"
	// casebook.item row_1 <nil>
}

// A generator need not be made by New.
func ExampleDecode() {
	type limits struct {
		Max int `json:"max,omitempty" jsonschema:"minimum=1"`
	}
	call := &generator.Call{Args: json.RawMessage(`{"max":null}`)}
	p, err := generator.Decode(call, limits{Max: 8})
	fmt.Println(p.Max, err)
	call.Args = json.RawMessage(`{"max":0}`)
	_, err = generator.Decode(call, limits{Max: 8})
	fmt.Println(err)
	// Output:
	// 8 <nil>
	// invalid arguments: max: must be at least 1, not 0
}
