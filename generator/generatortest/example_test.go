package generatortest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/generatortest"
	"github.com/casebook-go/casebook/model"
)

// A generator's own test needs three lines.
func ExampleTest() {
	echo := generator.Must(generator.New(
		generator.Spec{Name: "echo", Description: "Repeats the use case. For tests."}, struct{}{},
		func(_ context.Context, call *generator.Call, _ struct{}) (*generator.Output, error) {
			b := &model.Batch{}
			for _, row := range call.Rows {
				b.Items = append(b.Items, model.Item{Row: row.ID, TestCase: model.TestCase{Name: call.UseCase.Name}})
			}
			return generator.BatchOutput(b), nil
		},
	))
	_ = func(t *testing.T) { // func TestConformance(t *testing.T)
		t.Helper()
		generatortest.Test(t, echo, nil)
	}
	fmt.Println(echo.Spec().ToolName())
	// Output: generate_with_echo
}
