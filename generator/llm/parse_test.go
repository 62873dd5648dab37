package llm_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
)

func TestParseJSON(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"alone", ` {"a":1} `, `{"a":1}`},
		{"scalar alone", `"текст"`, `"текст"`},
		{"byte order mark", "\ufeff{\"a\":1}", `{"a":1}`},
		{"fence", "```json\n{\"a\":1}\n```", `{"a":1}`},
		{"fence amid text", "Вот ответ:\n```\n[{\"a\":1}]\n```\nГотово.", `[{"a":1}]`},
		{"fence on one line", "```{\"a\":1}```", `{"a":1}`},
		{"tildes", "~~~\n{\"a\":1}\n~~~", `{"a":1}`},
		{"unclosed fence", "```json\n{\"a\":1}", `{"a":1}`},
		{"a fence that is no JSON comes first", "```sh\nls {x}\n```\n```json\n{\"a\":1}\n```", `{"a":1}`},
		{"fence inside a string", "{\"a\":\"```json\\n{}\\n```\"}", "{\"a\":\"```json\\n{}\\n```\"}"},
		{"text around", `Sure! {"a":{"b":[1,2]}} and {"c":2}.`, `{"a":{"b":[1,2]}}`},
		{"brackets in strings", `x {"a":"}]{[\"","b":1} y`, `{"a":"}]{[\"","b":1}`},
		{"footnote first", `As said [1], {"a":1}`, `{"a":1}`},
		{"only a bare list", `The lines are [1, 2].`, `[1, 2]`},
		{"a broken object first", `{oops} {"a":1}`, `{"a":1}`},
		{"thoughts", "<think>maybe {\"a\":0}?</think>{\"a\":1}", `{"a":1}`},
		{"thoughts without an opening tag", "maybe {\"a\":0}</think>\n{\"a\":1}", `{"a":1}`},
		{"thinking", "<thinking>{}</thinking> ok {\"a\":1}", `{"a":1}`},
		{"the tag inside a value", `{"a":"<think>x</think>"} trailing`, `{"a":"<think>x</think>"}`},
		{"Georgian", `აი: {"ა":"ბ"}`, `{"ა":"ბ"}`},
		{"trailing comma", `{"a":[{"b":1},],}`, `{"a":[{"b":1}]}`},
		{"trailing commas over lines, in a fence", "```JSON\n{\"a\": [1,\n 2,\n ],\n}\n```", "{\"a\": [1,\n 2\n ]\n}"},
		{"trailing comma amid text", `So: {"a":{"b":1},} that is it`, `{"a":{"b":1}}`},
		{"a comma before a bracket in a string", `{"a":",]","b":",}",}`, `{"a":",]","b":",}"}`},
		{"a comma with nothing before it", `{,}`, ""},
		{"nothing", "No JSON here.", ""},
		{"empty", "", ""},
		{"cut off", `{"a": [1, 2`, ""},
		{"cut off after a whole inner value", `{"a": [{"b":1}`, ""},
		{"a brace in prose first", `Use { and then {"a":1}`, `{"a":1}`},
		{"single quotes are no JSON", `{'a':1}`, ""},
	} {
		got, err := llm.ParseJSON(tt.in)
		if tt.want == "" {
			if !errors.Is(err, llm.ErrNoJSON) {
				t.Errorf("%s: got %s, %v; want ErrNoJSON", tt.name, got, err)
			}
			continue
		}
		if string(got) != tt.want {
			t.Errorf("%s: got %s, %v; want %s", tt.name, got, err, tt.want)
		}
	}
}

func TestParseCalls(t *testing.T) {
	t.Parallel()
	tools := []llm.Tool{{Name: "make"}, {Name: "find"}}
	type calls []llm.ToolCall
	one := calls{{ID: "call_1", Name: "make", Arguments: `{"n":1}`}}
	for _, tt := range []struct {
		name, in string
		want     calls
	}{
		{"tool_call", `<tool_call>{"name":"make","arguments":{"n":1}}</tool_call>`, one},
		{"unclosed tool_call", `Окей. <tool_call>{"name":"make","arguments":{"n":1}}`, one},
		{
			"two tool_calls", `<tool_call>{"name":"make","arguments":{"n":1}}</tool_call><tool_call>{"name":"find","arguments":{}}</tool_call>`,
			append(one[:1:1], llm.ToolCall{ID: "call_2", Name: "find", Arguments: "{}"}),
		},
		{"markup", "<tool_call>\n<function=make>\n<parameter=n>\n1\n</parameter>\n</function>\n</tool_call>", one},
		{"markup with text", "<function=make><parameter=s>\nдва слова\n</parameter></function>", calls{{ID: "call_1", Name: "make", Arguments: `{"s":"два слова"}`}}},
		{"fence", "Calling:\n```json\n{\"name\": \"make\", \"parameters\": {\"n\": 1}}\n```", one},
		{"bare", `I call {"name":"make","arguments":{"n":1}} now`, one},
		{"arguments as text", `{"name":"make","arguments":"{\"n\":1}"}`, one},
		{"arguments encoded twice", `{"name":"make","arguments":"\"{\\\"n\\\":1}\""}`, one},
		{"OpenAI form", `{"tool_calls":[{"id":"x","type":"function","function":{"name":"make","arguments":"{\"n\":1}"}}]}`, one},
		{"router form", `{"calls":[{"generator":"make","args":{"n":1}}]}`, one},
		{"list", `[{"name":"make","arguments":{"n":1}},{"name":"find"}]`, append(one[:1:1], llm.ToolCall{ID: "call_2", Name: "find", Arguments: "{}"})},
		{"keyed by the tool", `{"make":{"n":1}}`, one},
		{"prefix", `{"name":"functions.make","arguments":{"n":1}}`, one},
		{"parallel", `{"name":"multi_tool_use.parallel","arguments":{"tool_uses":[{"recipient_name":"functions.make","parameters":{"n":1}}]}}`, one},
		{"bare parallel", `{"tool_uses":[{"recipient_name":"functions.make","parameters":{"n":1}}]}`, one},
		{
			"the same twice, other key order", `{"name":"make","arguments":{"a":1,"b":2}} {"name":"make","arguments":{"b":2,"a":1}}`,
			calls{{ID: "call_1", Name: "make", Arguments: `{"a":1,"b":2}`}},
		},
		{
			"numbers beyond float64 are not the same", `{"name":"make","arguments":{"a":9007199254740993}} {"name":"make","arguments":{"a":9007199254740992}}`,
			calls{{ID: "call_1", Name: "make", Arguments: `{"a":9007199254740993}`}, {ID: "call_2", Name: "make", Arguments: `{"a":9007199254740992}`}},
		},
		{"no arguments", `{"name":"make"}`, calls{{ID: "call_1", Name: "make", Arguments: "{}"}}},
		{"null", `{"name":"make","arguments":null}`, calls{{ID: "call_1", Name: "make", Arguments: "{}"}}},
		{"blank", `{"name":"make","arguments":"  "}`, calls{{ID: "call_1", Name: "make", Arguments: "{}"}}},
		{"invented", `{"name":"destroy","arguments":{"n":1}}`, calls{{ID: "call_1", Name: "destroy", Arguments: `{"n":1}`}}},
		{"not in thoughts", `<think>{"name":"find","arguments":{}}</think>{"name":"make","arguments":{"n":1}}`, one},
		{"a name alone is no call", `{"name":"Иван"}`, nil},
		{"keyed by something else", `{"other":{"n":1}}`, nil},
		{"other JSON", `{"a":{"b":1},"c":[]}`, nil},
		{"cut off", `{"calls":[{"generator":"make","args":{"n":1}},{"generator":"ma`, nil},
		{"text", "Nothing to call.", nil},
		{"empty", "", nil},
	} {
		got := calls(llm.ParseCalls(tt.in, tools))
		if len(got) == 0 {
			got = nil
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// A text of brackets must not cost its square.
func TestParseStaysFast(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		strings.Repeat("[", 1<<20), strings.Repeat("{\"", 1<<19), strings.Repeat("{a}", 1<<18),
		strings.Repeat("<think>", 1<<17), "x" + strings.Repeat("<think>a</think>", 1<<16), strings.Repeat("<function=a>", 1<<16), strings.Repeat("<tool_call>", 1<<16), strings.Repeat("```\n", 1<<18),
	} {
		start := time.Now()
		_, _ = llm.ParseJSON(in)
		llm.ParseCalls(in, nil)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%.20q… took %v", in, d)
		}
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`{"a":1}`, "```json\n{\"a\":[1]}\n```", "<think>x</think>[1]", `a {"b":"}"} c`, "{", "</think>{}", "```{}```"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := llm.ParseJSON(s)
		if err != nil {
			if !errors.Is(err, llm.ErrNoJSON) {
				t.Errorf("error %v", err)
			}
			return
		}
		if !json.Valid(v) {
			t.Errorf("%q is no JSON", v)
		}
		if !strings.Contains(s, string(v)) {
			t.Errorf("%q does not stand in the text", v)
		}
		if again, err := llm.ParseJSON(string(v)); err != nil || string(again) != string(v) {
			t.Errorf("%q parses to %q, %v", v, again, err)
		}
	})
}

func FuzzParseCalls(f *testing.F) {
	for _, s := range []string{
		`<tool_call>{"name":"make","arguments":{"n":1}}</tool_call>`, `{"calls":[{"generator":"make","args":{}}]}`,
		`<function=make><parameter=n>1</parameter></function>`, `[{"function":{"name":"make","arguments":"{}"}}]`,
		`{"name":"multi_tool_use.parallel","arguments":"{\"tool_uses\":[]}"}`, `{"make":{}}`, "```\n{\"name\":\"make\"}\n```",
	} {
		f.Add(s)
	}
	tools := []llm.Tool{{Name: "make"}, {Name: "find"}}
	f.Fuzz(func(t *testing.T, s string) {
		calls := llm.ParseCalls(s, tools)
		seen := map[llm.ToolCall]bool{}
		for i, c := range calls {
			if c.ID != fmt.Sprintf("call_%d", i+1) {
				t.Errorf("call %d has the id %q", i+1, c.ID)
			}
			if strings.TrimSpace(c.Arguments) == "" || c.Name == "" {
				t.Errorf("blank call %+v", c)
			}
			c.ID = ""
			if seen[c] {
				t.Errorf("%+v stands twice", c)
			}
			seen[c] = true
		}
		if diff := cmp.Diff(calls, llm.ParseCalls(s, tools)); diff != "" {
			t.Errorf("the second time differs:\n%s", diff)
		}
	})
}
