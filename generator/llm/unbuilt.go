package llm

import (
	"context"
	"encoding/json"
	"io"
	"time"
)

// RetryOptions says how often and how long to wait. Nil and zero fields mean the defaults.
type RetryOptions struct {
	Attempts      int           // in all; 0 means 5
	Base          time.Duration // wait before the second attempt; 0 means 500 ms
	Max           time.Duration // longest backoff; 0 means 30 s
	MaxRetryAfter time.Duration // a provider that asks for more is not waited for; 0 means 1 min
	Seed          uint64        // of the jitter
}

// Retry repeats calls that may succeed later.
func Retry(c Client, o *RetryOptions) Client { return c }

// LimitOptions bounds the calls of a [Limiter].
type LimitOptions struct {
	Concurrency       int           // calls at once; 0 means 16
	RequestsPerMinute int           // 0 is no limit
	TokensPerMinute   int           // 0 is no limit
	CoolDown          time.Duration // pause after a rate error that names none; 0 means 2 s
	MaxRetryAfter     time.Duration // longest pause; 0 means 1 min
	StopAbove         float64       // share of failed calls above which the limiter stops; 0 is never
}

// Limiter is shared by every client of one provider. It is safe for concurrent use.
type Limiter struct{}

// NewLimiter returns a limiter.
func NewLimiter(o *LimitOptions) *Limiter { return &Limiter{} }

// Client returns c, held to the limits.
func (l *Limiter) Client(c Client) Client { return c }

// ModelOf returns the name of the model that c uses for a request that names
// none: what its method Model() string says, through all decorators of this
// package. It is empty when c has no such method.
func ModelOf(c Client) string {
	if m, ok := c.(interface{ Model() string }); ok {
		return m.Model()
	}
	return ""
}

// Entry is one recorded call: Response or Error is set.
type Entry struct {
	Key      string    `json:"key"`
	Purpose  string    `json:"purpose,omitempty"`
	Request  *Request  `json:"request"`
	Response *Response `json:"response,omitempty"`
	Error    *Error    `json:"error,omitempty"`
}

// RecordWriter takes recorded calls. It must be safe for concurrent use.
type RecordWriter interface{ WriteEntry(e *Entry) error }

// Recorder collects calls in memory and writes them in an order that does not
// depend on timing.
type Recorder struct{}

// WriteEntry adds e.
func (r *Recorder) WriteEntry(e *Entry) error { return nil }

// WriteTo writes the entries as JSON lines, sorted by key.
func (r *Recorder) WriteTo(w io.Writer) (int64, error) { return 0, nil }

// NewRecordWriter writes each entry to w as it comes, one JSON object a line.
func NewRecordWriter(w io.Writer) RecordWriter { return &Recorder{} }

// Record writes every call of c to w.
func Record(c Client, w RecordWriter) Client { return c }

// Replay answers from records. A request that is not among them is a *[MissingError].
func Replay(r ...io.Reader) (Client, error) { return nil, nil }

// Key is the SHA-256, in hex, of the canonical request.
func Key(req *Request) string { return "" }

// MissingError is a request that no record answers.
type MissingError struct{ Purpose, Key string }

// Error names the request.
func (e *MissingError) Error() string { return "llm: no record of " + e.Key }

// ChoiceForm is how a server takes tool_choice.
type ChoiceForm string

// The forms of tool_choice.
const (
	ChoiceNone   ChoiceForm = "none"   // not at all
	ChoiceString ChoiceForm = "string" // "required", but no named tool
	ChoiceObject ChoiceForm = "object" // everything
)

// Capabilities says what a server and model can do.
type Capabilities struct {
	Tools        bool
	ToolChoice   ChoiceForm
	StrictTools  bool
	Parallel     bool
	JSONSchema   bool
	StrictSchema bool
	JSONObject   bool
	SchemaText   bool // the schema must stand in the prompt too
	MaxTokens    bool
	Temperature  bool
	Seed         bool
	Effort       bool
}

// Preset returns the capabilities of a kind of server.
func Preset(server string) (*Capabilities, bool) { return nil, false }

// Adaptive makes tools and schemas work on servers that lack them.
func Adaptive(c Client, caps *Capabilities) Client { return c }

// ParseJSON returns the JSON value in a reply.
func ParseJSON(text string) (json.RawMessage, error) { return nil, nil }

// ParseCalls returns the tool calls written in a reply.
func ParseCalls(text string, tools []Tool) []ToolCall { return nil }

// AskOptions are the options of [AskWith]. Nil and zero fields mean the defaults.
type AskOptions struct {
	Repairs int // repair rounds: 0 means 1, -1 none
}

// Ask asks for a reply of type T.
func Ask[T any](ctx context.Context, c Client, req *Request) (T, *Response, error) {
	return AskWith[T](ctx, c, req, nil)
}

// AskWith is [Ask] with options.
func AskWith[T any](ctx context.Context, c Client, req *Request, o *AskOptions) (T, *Response, error) {
	var v T
	return v, nil, nil
}

// NewLexical returns an embedder that needs no model.
func NewLexical(texts []string) Embedder { return nil }

// Cosine is the cosine of the angle between a and b, 0 if one is zero.
func Cosine(a, b []float32) float64 { return 0 }
