package python

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/llm"
)

// FuzzChatRequest: a body is refused with a reason, or is a request that a model
// can be asked, the same each time.
func FuzzChatRequest(f *testing.F) {
	for _, body := range []string{
		`{"messages":[{"role":"user","content":"Вопрос?"}]}`,
		`{"messages":[{"role":"developer","content":[{"type":"text","text":"a"}]}],"temperature":0.7,"seed":-1,"max_tokens":9,"n":1,"stop":null}`,
		`{"messages":[{"role":"user","content":"q"}],"response_format":{"type":"json_object"}}`,
		`{"messages":[{"role":"user","content":"q"}],` + formatOf(questions) + `}`,
		`{"messages":[{"role":"user","content":"q"}],` + formatOf(`{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/a"}}}`) + `}`,
		`{"messages":[{"role":"user","content":null}],"tools":[{}],"stream":true}`,
		`{"MESSAGES":[{"Role":"user","content":"\ud83d"}],"seed":1e400}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, req, err := readChat(body, &schemaCache{})
		if err != nil {
			var refused *requestError
			if !errors.As(err, &refused) || refused.status != http.StatusBadRequest || refused.code == "" || refused.message == "" {
				t.Fatalf("%q: error %#v", body, err)
			}
			return
		}
		if len(req.Messages) == 0 || req.MaxTokens < 0 || req.Schema != nil && req.JSONObject || len(req.Tools) > 0 || req.Model != "" {
			t.Fatalf("%q: %+v", body, req)
		}
		for _, m := range req.Messages {
			if !slices.Contains([]string{llm.RoleSystem, llm.RoleUser, llm.RoleAssistant}, m.Role) || !utf8.ValidString(m.Content) {
				t.Fatalf("%q: message %+v", body, m)
			}
		}
		if (r.form != nil) != (req.Schema != nil || req.JSONObject) {
			t.Fatalf("%q: form %T of %+v", body, r.form, req)
		}
		if _, err := json.Marshal(req); err != nil {
			t.Fatalf("%q: the request cannot be recorded: %v", body, err)
		}
		_, again, err := readChat(body, &schemaCache{})
		if err != nil || cmp.Diff(req, again) != "" {
			t.Fatalf("%q: read again: %v (-first +second):\n%s", body, err, cmp.Diff(req, again))
		}
	})
}

// FuzzStructuredReply: whatever schema a framework sends and whatever a model
// says to it, what is handed on follows the schema, and is left alone when it
// comes again.
func FuzzStructuredReply(f *testing.F) {
	for _, seed := range [][2]string{
		{questions, `{"items":[{"q":"a","hops":"2","level":"LOW"}]}`},
		{questions, "<think>hm</think>```json\n[{\"q\":\"Ёж\"}]\n```"},
		{`{"type":"object","properties":{"response":{"type":"string"}},"required":["response"]}`, `{'response': 1}`},
		{`{"anyOf":[{"type":"integer"},{"type":"array","items":{"type":"boolean"}}]}`, `"yes"`},
		{`{"allOf":[{"$ref":"#/$defs/A"}],"$defs":{"A":{"enum":["x","Y"]}}}`, `[" y "]`},
		{`{"type":["object","null"],"properties":{"a":{"oneOf":[{"type":"null"},{"type":"number"}]}},"additionalProperties":false}`, `{"b":1,"A":"2"}`},
		{`{"type":"array","items":{"type":"array","items":{"type":"string"},"maxItems":2}}`, `"[[1,2]]"`},
		{`{}`, `{"a":1e999999999}`},
		{`{"type":"object","properties":{"a":{"type":"object","properties":{"a":{"type":"integer"}},"required":["a"]}},"required":["a"]}`, `[[[[{"a":[{"a":"1"}]}]]]]`},
	} {
		f.Add([]byte(seed[0]), seed[1])
	}
	f.Fuzz(func(t *testing.T, schema []byte, text string) {
		if _, _, problems := (anyJSON{}).read(text); len(problems) > 0 && problems[0] == "" {
			t.Fatalf("%q is refused without a reason", text)
		}
		if !json.Valid(schema) {
			return // a request is read before
		}
		s, err := compileSchema(schema)
		if err != nil {
			return
		}
		got, _, problems := s.read(text)
		if len(problems) > 0 {
			if got != "" || slices.Contains(problems, "") {
				t.Fatalf("%q: %q, problems %q", text, got, problems)
			}
			return
		}
		v, err := decodeJSON([]byte(got))
		if err != nil || s.validator.Validate(v) != nil {
			t.Fatalf("%s\n%q\nhanded on as %q, which does not follow the schema: %v", schema, text, got, err)
		}
		if again, mended, problems := s.read(got); again != got || mended || len(problems) > 0 {
			t.Fatalf("%s\n%q\nthen %q\nthen %q, %v, %q", schema, text, got, again, mended, problems)
		}
	})
}

// FuzzEmbeddingsRequest: a body is refused with a reason, or holds texts.
func FuzzEmbeddingsRequest(f *testing.F) {
	for _, body := range []string{`{"input":"да"}`, `{"input":["a","б"],"encoding_format":"base64"}`, `{"input":[[1]]}`, `{"input":["a",null]}`, `{"input":"","dimensions":1}`} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := readEmbeddings(body)
		if err != nil {
			var refused *requestError
			if !errors.As(err, &refused) || refused.message == "" {
				t.Fatalf("%q: error %#v", body, err)
			}
			return
		}
		if len(r.texts) == 0 || len(r.texts) > maxInputs {
			t.Fatalf("%q: %d texts", body, len(r.texts))
		}
	})
}
