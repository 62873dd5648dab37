package llmtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
)

// title is what a user's own code might ask a model for.
func title(ctx context.Context, c llm.Client, text string) (string, error) {
	type reply struct {
		Title string `json:"title"`
	}
	r, _, err := llm.Ask[reply](ctx, c, &llm.Request{Purpose: "title", Messages: []llm.Message{{Role: llm.RoleUser, Content: text}}})
	return r.Title, err
}

// In a test of your own, t is the test's; here it stands in for one.
var t testing.TB = &recorder{}

func ExampleNew() {
	model := llmtest.New(t,
		llmtest.Reply("I would call it Returns.").For("title"), // does not fit: repaired
		llmtest.JSON(map[string]string{"title": "Returns"}).For("title"),
	)
	got, err := title(context.Background(), model, "Goods may be returned within 14 days.")
	fmt.Println(got, err)
	for _, req := range model.Log() {
		fmt.Println(req.Purpose, len(req.Messages))
	}
	// Output:
	// Returns <nil>
	// title 1
	// title 3
}

func ExampleFunc() {
	echo := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		return &llm.Response{Text: "You said: " + req.Messages[0].Content}, nil
	})
	resp, err := echo.Complete(context.Background(), request("", "hello"))
	fmt.Println(resp.Text, err)
	// Output: You said: hello <nil>
}
