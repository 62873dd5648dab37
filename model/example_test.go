package model_test

import (
	"errors"
	"fmt"

	"github.com/casebook-go/casebook/model"
)

const shop = `# Tea shop

- Ask for the order number before you change anything.
- Never promise an hour of delivery.

**Can I return an opened pack?**
No, only a closed one, within 14 days.

| id | message | answer |
| --- | --- | --- |
| 17 | "wrong tea!! what now" | "Please send a photo of the pack." |
`

func ExampleParseMarkdown() {
	doc, err := model.ParseMarkdown("shop.md", []byte(shop), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, q := range doc.QAs {
		fmt.Printf("lines %d-%d: %s %s\n", q.LineStart, q.LineEnd, q.Question, q.Answer)
	}
	for _, t := range doc.Tickets {
		fmt.Printf("line %d: %s %s\n", t.LineStart, t.ID, t.Message)
	}
	// Output:
	// lines 6-7: Can I return an opened pack? No, only a closed one, within 14 days.
	// line 11: 17 wrong tea!! what now
}

func ExampleDocument_Cut() {
	doc, _ := model.ParseMarkdown("shop.md", []byte(shop), nil)
	e, err := doc.Cut(3, 4)
	fmt.Printf("%q %v\n", e.Quote, err)

	_, err = doc.Cut(4, 5)
	var re *model.RangeError
	fmt.Println(errors.As(err, &re), err)

	first, last, _ := doc.Tighten(4, 5)
	fmt.Println(first, last, doc.Supports(first, last), doc.Supports(1, 1))
	// Output:
	// "- Ask for the order number before you change anything.\n- Never promise an hour of delivery." <nil>
	// true shop.md has no quotation at lines 4-5: line 5, the last, is blank
	// 4 4 true false
}

func ExampleIDs() {
	var ids model.IDs
	fmt.Println(ids.Make("uc_", "Возврат товара"))
	fmt.Println(ids.Make("uc_", "Возврат товара!"))
	// Output:
	// uc_vozvrat_tovara
	// uc_vozvrat_tovara_2
}

func ExampleDataset_Violations() {
	d := &model.Dataset{Policies: []model.Policy{{
		ID: "pol_number", Case: model.CaseSupportBot, Type: model.Must, Name: "Order number",
		Description: "Asked before any change.", Statement: "Ask for the order number before changing anything.",
		Evidence: []model.Evidence{{InputFile: "shop.md", LineStart: 3, LineEnd: 3, Quote: "Ask for the order number."}},
	}}}
	doc, _ := model.ParseMarkdown("shop.md", []byte(shop), nil)
	for _, v := range d.Violations(doc) {
		fmt.Println(v)
	}
	// Output:
	// policies.json: pol_number: evidence[0].quote differs from lines 3-3 of the document [evidence_quote]
}
