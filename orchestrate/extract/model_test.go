package extract_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/llm/llmtest"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

const repairShop = `# Repair desk

<!-- The old desk: repairs take 30 days. -->
Repairs take 5 working days.

The bot must not promise a date. <!-- nor a price -->

If the customer threatens us, hand over to the shift lead.

| id | message | answer |
| --- | --- | --- |
| 1 | "when is my phone ready??" | "Let me check." |
| 2 | "you are thieves" | "Handing over." |
`

type claim map[string]any

func span(ranges ...[2]int) []map[string]int {
	out := []map[string]int{}
	for _, r := range ranges {
		out = append(out, map[string]int{"first": r[0], "last": r[1]})
	}
	return out
}

func useCase(key, name string, ranges ...[2]int) claim {
	return claim{"key": key, "name": name, "description": "A customer: " + name, "lines": span(ranges...), "corner": "none"}
}

func policy(key, kind, statement string, uses []string, ranges ...[2]int) claim {
	return claim{
		"key": key, "type": kind, "statement": statement, "name": statement, "description": "d", "lines": span(ranges...),
		"conditions": []string{}, "exceptions": []string{}, "testable": true, "untestable_reason": "", "use_cases": uses, "supersedes": span(),
	}
}

func useCases(agent string, claims ...claim) llmtest.Step {
	return llmtest.JSON(map[string]any{"agent": agent, "language": "en", "use_cases": claims}).For("extract_use_cases")
}

func policies(claims ...claim) llmtest.Step {
	return llmtest.JSON(map[string]any{"policies": claims, "contradictions": []any{}}).For("extract_policies")
}

func document(t *testing.T, text string) *model.Document {
	t.Helper()
	doc, err := model.ParseMarkdown("desk.md", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestModelPointsAtLinesAndCodeCutsThem(t *testing.T) {
	t.Parallel()
	client := llmtest.New(t,
		llmtest.Step{Purpose: "extract_use_cases", Do: func(_ context.Context, req *llm.Request) (*llm.Response, error) {
			prompt := req.Messages[1].Content
			for _, hidden := range []string{"30 days", "nor a price"} {
				if strings.Contains(prompt, hidden) {
					t.Errorf("the prompt shows %q, which is not in force", hidden)
				}
			}
			if !strings.Contains(prompt, "4| Repairs take 5 working days.") {
				t.Errorf("the prompt lacks the numbered line:\n%s", prompt)
			}
			b, err := json.Marshal(map[string]any{"agent": "support_bot", "language": "en", "use_cases": []claim{
				useCase("u1", "Learn when a repaired phone is ready", [2]int{12, 12}, [2]int{4, 4}),
				useCase("u2", "Threaten the repair desk", [2]int{13, 13}, [2]int{7, 8}),
			}})
			return &llm.Response{Text: string(b)}, err
		}},
		policies(
			policy("p1", "must", "Repairs take 5 working days.", []string{"u1"}, [2]int{4, 4}),
			policy("p2", "must_not", "The bot must not promise a date.", []string{"u1"}, [2]int{6, 6}),
			policy("p3", "escalate", "A customer who threatens is handed over to the shift lead.", []string{"u2"}, [2]int{8, 9}),
		),
	)
	res, err := extract.Extract(t.Context(), []*model.Document{document(t, repairShop)}, &extract.Options{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	type found struct {
		ID    string
		Lines []string
	}
	show := func(ev []model.Evidence) (out []string) {
		for _, e := range ev {
			out = append(out, fmt.Sprintf("%d-%d %s", e.LineStart, e.LineEnd, e.Quote))
		}
		return out
	}
	var got []found
	for _, u := range res.UseCases {
		got = append(got, found{u.ID, show(u.Evidence)})
	}
	for _, p := range res.Policies {
		got = append(got, found{p.ID, show(p.Evidence)})
	}
	want := []found{
		{"uc_learn_when_a_repaired_phone_is_ready", []string{"4-4 Repairs take 5 working days.", `12-12 | 1 | "when is my phone ready??" | "Let me check." |`}},
		{"uc_threaten_the_repair_desk", []string{"8-8 If the customer threatens us, hand over to the shift lead.", `13-13 | 2 | "you are thieves" | "Handing over." |`}},
		{"pol_repairs_take_5_working_days", []string{"4-4 Repairs take 5 working days."}},
		{"pol_the_bot_must_not_promise_a_date", []string{"6-6 The bot must not promise a date. <!-- nor a price -->"}},
		{"pol_a_customer_who_threatens_is_handed_over_to_the", []string{"8-8 If the customer threatens us, hand over to the shift lead."}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("extraction (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{
		"uc_learn_when_a_repaired_phone_is_ready": {"pol_repairs_take_5_working_days", "pol_the_bot_must_not_promise_a_date"},
		"uc_threaten_the_repair_desk":             {"pol_a_customer_who_threatens_is_handed_over_to_the"},
	}, res.Relevant); diff != "" {
		t.Errorf("relevant policies (-want +got):\n%s", diff)
	}
	if res.Case != model.CaseSupportBot || res.Language != "en" || len(res.Unmapped) != 0 || len(res.Refused) != 0 {
		t.Errorf("case %q, language %q, unmapped %v, refused %v", res.Case, res.Language, res.Unmapped, res.Refused)
	}
}

func TestUnsupportedClaimsAreRepairedOnceThenRefused(t *testing.T) {
	t.Parallel()
	client := llmtest.New(t,
		useCases("support_bot",
			useCase("u1", "Repair desk", [2]int{4, 4}),                                          // a heading's text
			useCase("u2", "Threaten the repair desk", [2]int{1, 1}),                             // cites a heading
			useCase("u3", "Order a pizza with mushrooms", [2]int{6, 6}),                         // nothing speaks of it
			useCase("u4", "Learn when a phone repair is ready", [2]int{12, 12}, [2]int{90, 95}), // one range does not exist
		),
		policies(
			policy("p1", "must", "Repairs take 7 working days.", []string{"u1"}, [2]int{4, 4}), // a number of its own
			policy("p2", "must_not", "The bot must not promise a date.", []string{"u1", "u9"}, [2]int{6, 6}),
			policy("p3", "must", "Deliveries are free of charge.", []string{"u1"}, [2]int{8, 8}), // not what the line says
		),
		llmtest.Step{Purpose: "extract_repair", Do: func(_ context.Context, req *llm.Request) (*llm.Response, error) {
			prompt := req.Messages[1].Content
			for _, must := range []string{"u1 (Repair desk)", "u2 (", "u3 (", "the number 7", "p3 (", "line 13 is a ticket", "line 8 seems to state a rule"} {
				if must == "line 8 seems to state a rule" {
					continue // p3 cites line 8, wrongly; it is asked for as p3
				}
				if !strings.Contains(prompt, must) {
					t.Errorf("the repair prompt lacks %q:\n%s", must, prompt)
				}
			}
			b, err := json.Marshal(map[string]any{
				"use_cases": []claim{useCase("u1", "Learn how long a repair takes", [2]int{4, 4}), useCase("u2", "Threaten the thieves at the desk", [2]int{13, 13})},
				"policies":  []claim{policy("p1", "must", "Repairs take 5 working days.", []string{"u1"}, [2]int{4, 4}), policy("p4", "escalate", "Threats are handed over to the shift lead.", []string{"u2"}, [2]int{8, 8})},
				"dropped":   []string{"u3"},
			})
			return &llm.Response{Text: string(b)}, err
		}},
	)
	res, err := extract.Extract(t.Context(), []*model.Document{document(t, repairShop)}, &extract.Options{Client: client})
	if err != nil {
		t.Fatal(err)
	}
	var names, refused []string
	for _, u := range res.UseCases {
		names = append(names, u.Name)
	}
	for _, p := range res.Policies {
		names = append(names, p.Statement)
	}
	for _, r := range res.Refused {
		refused = append(refused, r.Check+": "+r.Reason)
	}
	if diff := cmp.Diff([]string{
		"Learn how long a repair takes", "Learn when a phone repair is ready", "Threaten the thieves at the desk",
		"Repairs take 5 working days.", "The bot must not promise a date.", "Threats are handed over to the shift lead.",
	}, names); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"support: Order a pizza with mushrooms: the cited lines do not speak about it; the model withdrew it",
		"support: Deliveries are free of charge.: the cited lines do not speak about it",
	}, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestLongDocumentsAreReadInWindowsAndMerged(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Terms\n\n")
	for i := range 400 {
		fmt.Fprintf(&b, "Item %d of the catalogue is returned within %d days, see the terms of the house for details and wrapping.\n\n", i, 100+i)
	}
	doc := document(t, b.String())
	seen := map[int]int{}
	var windows int
	client := llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		var first, last int
		if _, err := fmt.Sscanf(req.Messages[1].Content, "<document name=\"desk.md\" lines=\"%d-%d\">", &first, &last); err != nil {
			t.Errorf("prompt does not name its lines: %v", err)
		}
		// Claims about two lines that neighbouring windows share, and one of its own.
		var ucs, pols []claim
		for _, n := range []int{first + first%2, (first + last) / 2 / 2 * 2, last - last%2} {
			if n%2 == 0 || n < 3 {
				n++
			}
			if n > last || n < first {
				continue
			}
			i := (n - 3) / 2
			ucs = append(ucs, useCase(fmt.Sprintf("u%d", n), fmt.Sprintf("Return item %d", i), [2]int{n, n}))
			pols = append(pols, policy(fmt.Sprintf("p%d", n), "must", fmt.Sprintf("Item %d is returned within %d days.", i, 100+i), []string{fmt.Sprintf("u%d", n)}, [2]int{n, n}))
		}
		var v any
		switch req.Purpose {
		case "extract_use_cases":
			v = map[string]any{"agent": "support_bot", "language": "en", "use_cases": ucs}
		case "extract_policies":
			v = map[string]any{"policies": pols, "contradictions": []any{}}
		default:
			v = map[string]any{"use_cases": []any{}, "policies": []any{}, "dropped": []any{}}
		}
		out, err := json.Marshal(v)
		return &llm.Response{Text: string(out)}, err
	})
	res, err := extract.Extract(t.Context(), []*model.Document{doc}, &extract.Options{Client: client, Concurrency: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range res.UseCases {
		seen[u.Evidence[0].LineStart]++
		windows++
	}
	for line, n := range seen {
		if n != 1 {
			t.Errorf("line %d became %d use cases", line, n)
		}
	}
	if windows < 5 {
		t.Errorf("%d use cases out of all windows, want more than one window's", windows)
	}
}

func TestModelErrorsAreTold(t *testing.T) {
	t.Parallel()
	doc := []*model.Document{document(t, repairShop)}
	_, err := extract.Extract(t.Context(), doc, &extract.Options{Client: llmtest.Func(func(context.Context, *llm.Request) (*llm.Response, error) {
		return nil, &llm.Error{Kind: llm.KindAuth, Status: 401}
	})})
	var e *llm.Error
	if !errors.As(err, &e) || e.Kind != llm.KindAuth {
		t.Errorf("a refused key: %v", err)
	}
	_, err = extract.Extract(t.Context(), doc, &extract.Options{Client: llmtest.Func(func(_ context.Context, req *llm.Request) (*llm.Response, error) {
		switch req.Purpose {
		case "extract_use_cases":
			return &llm.Response{Text: `{"agent":"unclear","language":"en","use_cases":[]}`}, nil
		case "extract_policies":
			return &llm.Response{Text: `{"policies":[],"contradictions":[]}`}, nil
		default:
			return &llm.Response{Text: `{"use_cases":[],"policies":[],"dropped":[]}`}, nil
		}
	})})
	var c *extract.CaseError
	if !errors.As(err, &c) {
		t.Errorf("an undecided case: %v", err)
	}
}
