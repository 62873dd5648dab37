package openai_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The order of the properties is that of a struct, not of the alphabet.
var toolSchema = json.RawMessage(`{"type":"object","properties":{"reason":{"type":"string","description":"почему <так>"},"count":{"type":"integer","minimum":1},"axes":{"type":"array","items":{"type":"string"}},"big":{"const":12345678901234567890}},"required":["reason","count","axes","big"],"additionalProperties":false}`)

func ptr[T any](v T) *T { return &v }

func requests() map[string]*llm.Request {
	tools := []llm.Tool{
		{Name: "generate_direct", Description: "Makes test cases.", Parameters: toolSchema, Strict: true},
		{Name: "no_suitable_generator"},
	}
	say := []llm.Message{{Role: llm.RoleSystem, Content: "Be brief."}, {Role: llm.RoleUser, Content: "Здравствуйте, გამარჯობა"}}
	return map[string]*llm.Request{
		"plain":      {Messages: say},
		"parameters": {Messages: say, Model: "other", MaxTokens: 400, Temperature: ptr(0.0), Seed: ptr(int64(42)), Effort: "low"},
		"tools":      {Messages: say, Tools: tools, ToolChoice: llm.ToolRequired, Parallel: ptr(false), Effort: "none"},
		"named_tool": {Messages: say, Tools: tools, ToolChoice: "generate_direct", Parallel: ptr(true)},
		"auto_tools": {Messages: say, Tools: tools, ToolChoice: llm.ToolAuto},
		"no_choice":  {Messages: say, Tools: tools[:1]},
		"schema":     {Messages: say, Schema: &llm.Schema{Name: "reply", JSON: toolSchema, Strict: true}},
		"loose":      {Messages: say, Schema: &llm.Schema{Name: "reply", JSON: toolSchema}},
		"object":     {Messages: say, JSONObject: true},
		"turns": {Messages: append(say[:2:2],
			llm.Message{Role: llm.RoleAssistant, Content: "", Calls: []llm.ToolCall{
				{ID: "call_1", Name: "generate_direct", Arguments: `{"reason":"x"}`},
				{ID: "call_2", Name: "functions.made up", Arguments: `{"reason":`},
				{ID: "call_3", Name: "no_suitable_generator", Arguments: " "},
			}},
			llm.Message{Role: llm.RoleTool, CallID: "call_1", Content: "count is missing"},
			llm.Message{Role: llm.RoleTool, CallID: "call_2", Content: "no such tool"},
			llm.Message{Role: llm.RoleTool, CallID: "call_3", Content: "ok"},
			llm.Message{Role: llm.RoleAssistant, Content: "One more.", Calls: []llm.ToolCall{{ID: "call_4", Name: "generate_direct", Arguments: "null"}}},
			llm.Message{Role: llm.RoleTool, CallID: "call_4", Content: "ok"},
			llm.Message{Role: llm.RoleAssistant, Content: "Done."},
			llm.Message{Role: llm.RoleUser, Content: "Again."},
		), Tools: tools},
	}
}

func TestRequestBodies(t *testing.T) {
	t.Parallel()
	for name, req := range requests() {
		for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
			t.Run(name+"/"+string(via), func(t *testing.T) {
				t.Parallel()
				s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{Text: "ok"} }, &wire.Options{Log: true})
				c := newClient(t, openai.Options{BaseURL: s.URL(), Model: "m", Transport: via})
				before, err := json.Marshal(req)
				if err != nil {
					t.Fatal(err)
				}
				for range 2 {
					if _, err := c.Complete(t.Context(), req); err != nil {
						t.Fatal(err)
					}
				}
				after, err := json.Marshal(req)
				if err != nil || !bytes.Equal(before, after) {
					t.Errorf("the request was changed (%v):\n%s", err, cmp.Diff(string(before), string(after)))
				}
				log := s.Log()
				if !bytes.Equal(log[0].Body, log[1].Body) {
					t.Errorf("one request, two bodies:\n%s\n%s", log[0].Body, log[1].Body)
				}
				var indented bytes.Buffer
				if err := json.Indent(&indented, log[0].Body, "", "  "); err != nil {
					t.Fatal(err)
				}
				indented.WriteByte('\n')
				golden(t, name+"_"+string(via)+".json", indented.Bytes())
			})
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// What goes out on the wire is what was asked for, read back by other code.
func TestRequestsSurviveTheWire(t *testing.T) {
	t.Parallel()
	for name, req := range requests() {
		if name == "turns" || name == "parameters" { // repaired on purpose; no seed in Responses
			continue
		}
		for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
			t.Run(name+"/"+string(via), func(t *testing.T) {
				t.Parallel()
				s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{Text: "ok"} }, &wire.Options{Log: true})
				if _, err := newClient(t, openai.Options{BaseURL: s.URL(), Model: "m", Transport: via}).Complete(t.Context(), req); err != nil {
					t.Fatal(err)
				}
				want := *req
				want.Model = "m"
				got := s.Log()[0].Request
				same := cmp.Transformer("properties", func(raw json.RawMessage) []string { return properties(t, raw) })
				if diff := cmp.Diff(want, got, same); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
			})
		}
	}
}

// properties are the names of a schema's properties in their order, with their
// schemas.
func properties(t *testing.T, schema json.RawMessage) []string {
	t.Helper()
	if len(schema) == 0 {
		return nil
	}
	var s struct{ Properties json.RawMessage }
	if err := json.Unmarshal(schema, &s); err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(s.Properties))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	var out []string
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := json.Unmarshal(v, &plain); err != nil {
			t.Fatal(err)
		}
		canonical, err := json.Marshal(plain)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, key.(string)+": "+string(canonical))
	}
	return out
}

// A schema that is no object is our bug, and is found before anything is sent.
func TestSchemaThatIsNone(t *testing.T) {
	t.Parallel()
	s := wire.New(t, nil, nil)
	for _, via := range []openai.Transport{openai.TransportChat, openai.TransportResponses} {
		c := newClient(t, openai.Options{BaseURL: s.URL(), Transport: via})
		for _, bad := range []string{`[]`, `true`, `null`, `{"type"`} {
			withTool, withSchema := user("x"), user("x")
			withTool.Tools = []llm.Tool{{Name: "f", Parameters: json.RawMessage(bad)}}
			withSchema.Schema = &llm.Schema{Name: "f", JSON: json.RawMessage(bad)}
			for _, req := range []*llm.Request{withTool, withSchema} {
				_, err := c.Complete(t.Context(), req)
				if e := errorOf(t, err); e.Kind != llm.KindSchema || !strings.Contains(e.Message, "f") {
					t.Errorf("%s: %v", bad, err)
				}
			}
		}
	}
	if s.Calls() != 0 {
		t.Error("something was sent")
	}
}

func TestTokenLimitIsTranslated(t *testing.T) {
	t.Parallel()
	only := func(param string) *wire.Server {
		return wire.New(t, func(req wire.Request) wire.Reply {
			for _, name := range []string{"max_tokens", "max_completion_tokens"} {
				if name != param && strings.Contains(string(req.Body), `"`+name+`"`) {
					return wire.Error(400, "unsupported_parameter", name, "Unsupported parameter: '"+name+"' is not supported with this model. Use '"+param+"' instead.")
				}
			}
			return wire.Reply{Text: "ok"}
		}, nil)
	}
	req := user("x")
	req.MaxTokens = 100
	for _, tt := range []struct {
		param string
		calls int // of two completions
	}{{"max_tokens", 2}, {"max_completion_tokens", 3}, {"none", 4}} {
		s := only(tt.param)
		c := newClient(t, openai.Options{BaseURL: s.URL()})
		for range 2 {
			_, err := c.Complete(t.Context(), req)
			if tt.param == "none" {
				// With neither name, the refusal of the one that was sent is
				// what Adaptive must see.
				if e := errorOf(t, err); e.Param != "max_tokens" || e.Kind != llm.KindUnsupported {
					t.Errorf("%v", err)
				}
			} else if err != nil {
				t.Error(err)
			}
		}
		if s.Calls() != tt.calls {
			t.Errorf("%s: %d calls, want %d", tt.param, s.Calls(), tt.calls)
		}
		if tt.param == "none" {
			if _, err := llm.Adaptive(c, c.Capabilities()).Complete(t.Context(), req); err != nil {
				t.Errorf("through Adaptive: %v", err)
			}
		}
	}
	// Responses takes 16 at least.
	s := wire.New(t, func(wire.Request) wire.Reply { return wire.Reply{Text: "ok"} }, &wire.Options{Log: true})
	req.MaxTokens = 3
	if _, err := newClient(t, openai.Options{BaseURL: s.URL(), Transport: openai.TransportResponses}).Complete(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	if got := s.Log()[0].MaxTokens; got != 16 {
		t.Errorf("max_output_tokens = %d, want 16", got)
	}
}

func TestCapabilities(t *testing.T) {
	t.Parallel()
	preset := func(name string) *llm.Capabilities {
		c, ok := llm.Preset(name)
		if !ok {
			t.Fatalf("no preset %q", name)
		}
		return c
	}
	noSeed := preset("openai")
	noSeed.Seed = false
	unknown := llm.AllCapabilities()
	unknown.ToolChoice, unknown.SchemaText = llm.ChoiceString, true
	for _, tt := range []struct {
		o    openai.Options
		want *llm.Capabilities
	}{
		{openai.Options{APIKey: testKey}, noSeed},
		{openai.Options{APIKey: testKey, BaseURL: "https://eu.api.openai.com/v1"}, noSeed},
		{openai.Options{APIKey: testKey, Transport: openai.TransportChat}, preset("openai")},
		{openai.Options{BaseURL: "https://r.openai.azure.com/openai/v1/"}, preset("azure")},
		{openai.Options{BaseURL: "https://openrouter.ai/api/v1"}, preset("openrouter")},
		{openai.Options{BaseURL: "https://generativelanguage.googleapis.com/v1beta/openai/"}, preset("gemini")},
		{openai.Options{BaseURL: "http://localhost:11434/v1"}, preset("ollama")},
		{openai.Options{BaseURL: "http://192.168.1.5:1234/v1"}, preset("lmstudio")},
		{openai.Options{BaseURL: "http://localhost:8099/v1"}, unknown},
		{openai.Options{BaseURL: "https://api.openai.com.example.org/v1"}, unknown},
	} {
		if diff := cmp.Diff(tt.want, newClient(t, tt.o).Capabilities()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.o.BaseURL, diff)
		}
	}
}

func TestEmbedder(t *testing.T) {
	t.Parallel()
	s := wire.New(t, nil, &wire.Options{Log: true, Embed: func(text string) []float32 { return []float32{float32(len(text)), 1} }})
	c := newClient(t, openai.Options{BaseURL: s.URL(), EmbeddingModel: "e", EmbeddingBatch: 2})
	got, err := c.Embedder("").Embed(t.Context(), []string{"a", "bbb", "a", "", "да", "bbb", " "})
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float32{{1, 1}, {3, 1}, {1, 1}, {1, 1}, {4, 1}, {3, 1}, {1, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("vectors (-want +got):\n%s", diff)
	}
	var sent [][]string
	for _, req := range s.Log() {
		sent = append(sent, req.Texts)
		if req.Model != "e" {
			t.Errorf("model %q", req.Model)
		}
	}
	if diff := cmp.Diff([][]string{{"a", "bbb"}, {".", "да"}}, sent); diff != "" {
		t.Errorf("each text once, two a request (-want +got):\n%s", diff)
	}
	known, ok := c.Embedder("other").(llm.UsageEmbedder)
	if !ok || llm.EmbedderModel(known) != "other" {
		t.Fatalf("the embedder says nothing of its usage and model")
	}
	// The server counts a token for every four bytes begun.
	if _, used, err := known.EmbedUsage(t.Context(), []string{"a", "bbb", "cccccccc"}); err != nil || used != (llm.Usage{Input: 5}) {
		t.Errorf("usage of two requests: %+v, %v", used, err)
	}
	if got, err := c.Embedder("other").Embed(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("no texts: %v, %v", got, err)
	}
	var missing *openai.OptionError
	if _, err := newClient(t, openai.Options{BaseURL: s.URL()}).Embedder("").Embed(t.Context(), []string{"a"}); !errors.As(err, &missing) {
		t.Errorf("no model: %v", err)
	}
	// A batch is bounded in bytes too.
	s2 := wire.New(t, nil, nil)
	long := []string{strings.Repeat("a", 200<<10), strings.Repeat("b", 200<<10), strings.Repeat("c", 300<<10), "d"}
	if _, err := newClient(t, openai.Options{BaseURL: s2.URL()}).Embedder("e").Embed(t.Context(), long); err != nil || s2.Calls() != 4 {
		t.Errorf("%d requests (%v), want 4", s2.Calls(), err)
	}
}

func TestEmbedderRefusesWrongReplies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		body string
		want llm.Kind
	}{
		{"null", "null", llm.KindMalformed},
		{"error", `{"error":{"message":"x","code":429}}`, llm.KindRate},
		{"too few", `{"data":[{"index":0,"embedding":[1]}]}`, llm.KindMalformed},
		{"one index twice", `{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[1]}]}`, llm.KindMalformed},
		{"index out of range", `{"data":[{"index":0,"embedding":[1]},{"index":7,"embedding":[1]}]}`, llm.KindMalformed},
		{"lengths", `{"data":[{"index":0,"embedding":[1]},{"index":1,"embedding":[1,2]}]}`, llm.KindMalformed},
		{"empty", `{"data":[{"index":0,"embedding":[]},{"index":1,"embedding":[]}]}`, llm.KindMalformed},
		{"too large", `{"data":[{"index":0,"embedding":[1e300]},{"index":1,"embedding":[1]}]}`, llm.KindMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := newClient(t, openai.Options{BaseURL: raw(t, 200, nil, tt.body)})
			_, err := c.Embedder("e").Embed(t.Context(), []string{"a", "b"})
			if e := errorOf(t, err); e.Kind != tt.want {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
