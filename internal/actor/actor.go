// Package actor plays a model in tests of whole runs: it answers every prompt of
// casebook in order, and its reply depends on the request alone. It is a
// [llm.Client], and over HTTP by wire.Client.
package actor

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

// The kinds of request that casebook makes.
const (
	UseCases = "use_cases"
	Policies = "policies"
	Repair   = "repair" // of an extraction
	Route    = "route"
	Direct   = "direct"
)

// Kind returns the kind of a request, "" for a prompt that is not casebook's. It
// reads the prompt, since over HTTP a request has no purpose.
func Kind(req *llm.Request) string {
	if len(req.Tools) > 0 {
		return Route
	}
	system := req.Messages[0].Content
	for _, k := range []mark{
		{UseCases, "Find the use cases"}, {Policies, "Find the policies"}, {Repair, "cited by none"}, {Direct, "You write test data"},
	} {
		if strings.Contains(system, k.text) {
			return k.kind
		}
	}
	for _, p := range parts {
		for _, k := range p.marks {
			if strings.Contains(system, k.text) {
				return k.kind
			}
		}
	}
	return ""
}

// mark is a text that stands in the system prompt of one kind of request.
type mark struct{ kind, text string }

// part plays the requests of one package: play returns the reply to a request of
// one of the kinds, by its user message.
type part struct {
	marks []mark
	play  func(kind, prompt string) any
}

// parts are the packages whose prompts have files of their own here.
var parts = []part{
	{answerMarks, answers},
	{deepEvalMarks, deepEval},
	{ragasMarks, ragas},
	{giskardMarks, giskard},
}

// Actor is the model. What it says of the documents is what the rules find in
// them. It is safe for concurrent use as long as its fields do not change.
type Actor struct {
	Extraction *extract.Result
	// Calls are its calls for a route request; nil means one of generate_direct.
	Calls func(req *llm.Request) []llm.ToolCall
	// Texts are items that it writes where a row asks for their use case, format
	// and parameters. For every other row it writes a text that no other row has
	// and that shows nothing.
	Texts *model.Dataset
}

// New returns an actor that has read the documents.
func New(ctx context.Context, docs ...*model.Document) (*Actor, error) {
	ex, err := extract.Extract(ctx, docs, nil)
	if err != nil {
		return nil, err
	}
	return &Actor{Extraction: ex}, nil
}

// Complete answers a prompt of casebook; another one is an error.
func (a *Actor) Complete(_ context.Context, req *llm.Request) (*llm.Response, error) {
	kind := Kind(req)
	for _, p := range parts {
		if slices.ContainsFunc(p.marks, func(m mark) bool { return m.kind == kind }) {
			return reply(p.play(kind, req.Messages[1].Content))
		}
	}
	switch kind {
	case UseCases:
		return reply(a.useCases())
	case Policies:
		return reply(a.policies())
	case Repair:
		return reply(map[string]any{"use_cases": []any{}, "policies": []any{}, "dropped": []any{}})
	case Route:
		if a.Calls != nil {
			return &llm.Response{Calls: a.Calls(req)}, nil
		}
		return &llm.Response{Calls: []llm.ToolCall{{ID: "1", Name: "generate_direct", Arguments: `{"max_test_cases":100,"emphasis":null}`}}}, nil
	case Direct:
		return reply(map[string]any{"items": a.items(req.Messages[1].Content)})
	default:
		return nil, fmt.Errorf("actor: the prompt is unknown: %.200s", req.Messages[0].Content)
	}
}

func reply(v any) (*llm.Response, error) {
	b, err := json.Marshal(v)
	return &llm.Response{Text: string(b)}, err
}

func ranges(ev []model.Evidence) []map[string]int {
	out := []map[string]int{}
	for _, e := range ev {
		out = append(out, map[string]int{"first": e.LineStart, "last": e.LineEnd})
	}
	return out
}

func (a *Actor) key(useCaseID string) string {
	i := slices.IndexFunc(a.Extraction.UseCases, func(u model.UseCase) bool { return u.ID == useCaseID })
	return fmt.Sprintf("u%d", i+1)
}

func (a *Actor) useCases() any {
	list := []map[string]any{}
	for _, u := range a.Extraction.UseCases {
		corner := a.Extraction.Corner[u.ID]
		if corner == "" {
			corner = "none"
		}
		list = append(list, map[string]any{"key": a.key(u.ID), "lines": ranges(u.Evidence), "name": u.Name, "description": u.Description, "corner": corner})
	}
	return map[string]any{"agent": a.Extraction.Case, "language": a.Extraction.Language, "use_cases": list}
}

func (a *Actor) policies() any {
	list := []map[string]any{}
	for i, p := range a.Extraction.Policies {
		uses := []string{}
		for _, u := range a.Extraction.UseCases {
			if slices.Contains(a.Extraction.Relevant[u.ID], p.ID) {
				uses = append(uses, a.key(u.ID))
			}
		}
		list = append(list, map[string]any{
			"key": fmt.Sprintf("p%d", i+1), "lines": ranges(p.Evidence), "type": p.Type, "statement": p.Statement, "name": p.Name,
			"description": p.Description, "conditions": []string{}, "exceptions": []string{}, "testable": true, "untestable_reason": "",
			"use_cases": uses, "supersedes": []any{},
		})
	}
	return map[string]any{"policies": list, "contradictions": []any{}}
}

type turn struct {
	Role string `json:"role"`
	Text string `json:"text"`
}

type item struct {
	Row        string   `json:"row"`
	Situation  string   `json:"situation"`
	Name       string   `json:"name"`
	Messages   []turn   `json:"messages"`
	Shown      []string `json:"shown"` // always empty
	Policies   []string `json:"policies"`
	Output     string   `json:"expected_output"`
	Criteria   []string `json:"criteria"`
	Impossible string   `json:"impossible"`
}

var (
	rowLine   = regexp.MustCompile(`(?m)^(r\d+): format ([a-z_]+)(?:, (\d+) items.*)?$`)
	parameter = regexp.MustCompile(`(?m)^   parameter (\S+) = ([^:\n]*)`)
	useCase   = regexp.MustCompile(`<use_case>\n(.*)\n`)
)

// items writes the items of all rows of a generate_direct prompt.
func (a *Actor) items(prompt string) []item {
	h := fnv.New64a()
	h.Write([]byte(prompt)) // never fails
	_, rows, _ := strings.Cut(prompt, "<rows>\n")
	rows, _, _ = strings.Cut(rows, "</rows>")
	var out []item
	places := rowLine.FindAllStringSubmatchIndex(rows, -1)
	for i, at := range places {
		end := len(rows)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		part := func(n int) string {
			if at[2*n] < 0 {
				return ""
			}
			return rows[at[2*n]:at[2*n+1]]
		}
		n := 1
		if s := part(3); s != "" {
			if _, err := fmt.Sscan(s, &n); err != nil {
				n = 1
			}
		}
		known := a.known(prompt, part(2), rows[at[1]:end])
		for k := range n {
			if k < len(known) {
				known[k].Row = part(1)
				out = append(out, known[k])
				continue
			}
			out = append(out, item{
				Row: part(1), Situation: "Somebody needs something.", Name: fmt.Sprintf("Case %s %x", part(1), h.Sum64()),
				Messages: []turn{{"user", fmt.Sprintf("message %s %d %x", part(1), k, h.Sum64())}},
				Shown:    []string{}, Policies: []string{"p1"}, Output: "An answer.",
				Criteria: []string{"says this", "asks that", "promises nothing"},
			})
		}
	}
	return out
}

// known returns the items of Texts that a row asks for.
func (a *Actor) known(prompt, format, row string) []item {
	name := useCase.FindStringSubmatch(prompt)
	if a.Texts == nil || name == nil {
		return nil
	}
	params := map[string]string{}
	for _, m := range parameter.FindAllStringSubmatch(row, -1) {
		params[m[1]] = m[2]
	}
	keyOf := map[string]string{} // statement of a policy -> its key in the prompt
	for _, m := range policyLine.FindAllStringSubmatch(prompt, -1) {
		keyOf[m[2]] = m[1]
	}
	var out []item
	for _, tc := range a.Texts.TestCases {
		planned := map[string]string{}
		for _, axis := range tc.Axes {
			planned[axis] = fence(tc.Parameters[axis].String())
		}
		if a.nameOf(tc.UseCaseID) != name[1] || !maps.Equal(planned, params) {
			continue
		}
		for _, ex := range a.Texts.Examples {
			if ex.TestCaseID != tc.ID || string(ex.Format) != format {
				continue
			}
			it := item{Situation: tc.Description, Name: tc.Name, Shown: []string{}, Output: ex.ExpectedOutput, Criteria: ex.EvaluationCriteria}
			for _, m := range ex.Input.Messages {
				it.Messages = append(it.Messages, turn{m.Role, m.Content})
			}
			for _, id := range ex.PolicyIDs {
				if k := keyOf[a.statementOf(id)]; k != "" {
					it.Policies = append(it.Policies, k)
				}
			}
			if it.Policies == nil {
				it.Policies = []string{"p1"}
			}
			out = append(out, it)
		}
	}
	return out
}

var policyLine = regexp.MustCompile(`(?m)^(p\d+) \([a-z_]+\): (.*)$`)

func (a *Actor) nameOf(useCaseID string) string {
	for _, u := range a.Texts.UseCases {
		if u.ID == useCaseID {
			return fence(u.Name)
		}
	}
	return ""
}

func (a *Actor) statementOf(policyID string) string {
	for _, p := range a.Texts.Policies {
		if p.ID == policyID {
			return fence(p.Statement)
		}
	}
	return ""
}

// fence is how the prompts write text of a document.
func fence(s string) string { return strings.NewReplacer("<", "‹", ">", "›").Replace(s) }
