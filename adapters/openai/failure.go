package openai

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/openai/openai-go/v3/option"

	"github.com/casebook-go/casebook/generator/llm"
)

// errNoEndpoint is the cause of an error that says that the server has no such
// path, or no such model: the two often cannot be told apart.
var errNoEndpoint = errors.New("no such endpoint")

const (
	maxReply   = 64 << 20 // bytes of a reply
	maxFailure = 1 << 20  // bytes that are read of an error's body
	maxMessage = 600      // runes of a message
)

// exchange stands between the SDK and the connection, once for each request: it
// makes an *[llm.Error] of everything that is no JSON object with a status of
// success, in whatever shape the server puts it. The SDK itself knows one shape.
func (c *Client) exchange(r *http.Request, next option.MiddlewareNext) (*http.Response, error) {
	maps.DeleteFunc(r.Header, func(name string, _ []string) bool { return strings.HasPrefix(name, "X-Stainless-") })
	res, err := next(r)
	if err != nil {
		return nil, err
	}
	if res.StatusCode < 200 || res.StatusCode >= 300 {
		body, _ := io.ReadAll(io.LimitReader(res.Body, maxFailure)) // what arrived is enough
		res.Body.Close()
		return nil, c.statusError(res, body)
	}
	body, err := readBody(res)
	res.Body.Close()
	if err != nil {
		return nil, err
	}
	if len(body) > maxReply {
		return nil, malformed(fmt.Sprintf("the reply is longer than %d MiB", maxReply>>20))
	}
	switch start := bytes.TrimLeft(body, " \t\r\n\ufeff"); {
	case len(start) == 0:
		return nil, malformed("the reply is empty")
	case start[0] != '{':
		f := readFailure(start)
		if f.message == "" || string(bytes.TrimSpace(start)) == "null" {
			return nil, malformed("the reply is no JSON object")
		}
		if start[0] == '[' {
			return nil, c.llmError(200, &f)
		}
		return nil, malformed("the reply is no JSON object: " + c.key.oneLine(f.message))
	default:
		body = start
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	res.Header.Set("Content-Type", "application/json") // whatever the server called it
	return res, nil
}

// readBody reads a reply, at once if its length is known.
func readBody(res *http.Response) ([]byte, error) {
	if n := res.ContentLength; n >= 0 && n <= maxReply {
		b := make([]byte, n)
		_, err := io.ReadFull(res.Body, b)
		if errors.Is(err, io.EOF) && n > 0 {
			err = io.ErrUnexpectedEOF
		}
		return b, err
	}
	return io.ReadAll(io.LimitReader(res.Body, maxReply+1))
}

// failed is the error of a call that the SDK could not finish.
func (c *Client) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var e *llm.Error
	if errors.As(err, &e) {
		return e
	}
	var bad *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &bad) || errors.As(err, &mistyped) || strings.Contains(err.Error(), "parsing response json") {
		return malformed("the reply is no whole JSON: " + c.key.oneLine(err.Error()))
	}
	// The URL adds nothing, and the SDK's wrapping hides the cause.
	var at *url.Error
	cause := err
	if errors.As(err, &at) {
		cause = at.Err
	}
	out := &llm.Error{Kind: llm.KindOverload, Message: c.key.oneLine("no reply from " + c.base.Host + ": " + cause.Error())}
	if !c.key.in(err.Error()) {
		out.Err = err
	}
	return out
}

func malformed(message string) *llm.Error {
	return &llm.Error{Kind: llm.KindMalformed, Status: 200, Message: message}
}

func truncated(limit int) *llm.Error {
	e := &llm.Error{Kind: llm.KindTruncated, Status: 200, Message: "the reply was cut at the model's own limit"}
	if limit > 0 {
		e.Message = fmt.Sprintf("the reply was cut at %d tokens", limit)
	}
	return e
}

// served notes on an error what the failed call used.
func (c *Client) served(out *llm.Response, e *llm.Error) *llm.Error {
	e.Model, e.Usage = c.key.oneLine(out.Model), out.Usage
	return e
}

// replyError is an error inside a reply with a status of success.
func (c *Client) replyError(raw []byte) *llm.Error {
	f := readFailure(raw)
	return c.llmError(200, &f)
}

// statusError is a reply with a status of failure.
func (c *Client) statusError(res *http.Response, body []byte) *llm.Error {
	f := readFailure(body)
	if f.message == "" {
		f.message = cmp.Or(strings.ToLower(http.StatusText(res.StatusCode)), "no reason given")
	}
	if to := res.Header.Get("Location"); to != "" && res.StatusCode < 400 {
		f.message = "the server redirects to " + to + ": give the final address as BaseURL"
	}
	if d, ok := retryAfter(res.Header); ok {
		f.retryAfter = d
	}
	return c.llmError(res.StatusCode, &f)
}

// llmError classifies a failure.
func (c *Client) llmError(status int, f *failure) *llm.Error {
	kind, missing := f.kind(status)
	e := &llm.Error{
		Kind: kind, Status: status, RetryAfter: f.retryAfter,
		Code: c.key.oneLine(f.code), Param: c.key.oneLine(f.param), Message: c.key.oneLine(f.message),
	}
	if missing {
		e.Err = errNoEndpoint
		e.Message += " (check the model's name and the base URL)"
	}
	return e
}

// failure is what an error's body says, in any of the shapes that servers use.
type failure struct {
	code, typ, param, message string
	retryAfter                time.Duration
	flagged                   bool // by a moderation in front of the model
}

// readFailure reads the body of an error: OpenAI's object, an object with a text,
// a number for a code, FastAPI's detail, a list of errors, HTML, plain text.
func readFailure(body []byte) failure {
	var f failure
	body = bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(body), []byte("\ufeff")))
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var v any
	if !json.Valid(body) || d.Decode(&v) != nil { // "404 page not found" begins as JSON
		f.message = plainText(string(body))
		return f
	}
	f.read(v, 0)
	return f
}

func (f *failure) read(v any, depth int) {
	if depth > 4 {
		return
	}
	switch v := v.(type) {
	case string:
		f.message = cmp.Or(f.message, v)
	case []any:
		if len(v) > 0 {
			f.read(v[0], depth+1)
		}
	case map[string]any:
		f.code = cmp.Or(f.code, scalar(v["code"]))
		f.typ = cmp.Or(f.typ, scalar(v["type"]))
		f.param = cmp.Or(f.param, scalar(v["param"]))
		f.readDetails(v)
		for _, name := range []string{"error", "message", "detail", "errors", "msg"} {
			if inner := v[name]; inner != nil && inner != "" {
				f.read(inner, depth+1)
				break
			}
		}
	}
}

// readDetails reads what single providers add.
func (f *failure) readDetails(v map[string]any) {
	if inner, ok := v["innererror"].(map[string]any); ok && scalar(inner["code"]) == "ResponsibleAIPolicyViolation" { // Azure
		f.code = "content_filter"
	}
	if meta, ok := v["metadata"].(map[string]any); ok { // OpenRouter
		_, f.flagged = meta["flagged_input"]
		if raw, ok := meta["raw"].(string); ok && raw != "" {
			if upstream := readFailure([]byte(raw)); upstream.message != "" {
				f.message = cmp.Or(scalar(v["message"]), "error") + ": " + upstream.message
			}
		}
	}
	if details, ok := v["details"].([]any); ok { // Gemini
		for _, d := range details {
			m, ok := d.(map[string]any)
			if !ok {
				continue
			}
			if wait, err := time.ParseDuration(scalar(m["retryDelay"])); err == nil && wait > 0 {
				f.retryAfter = wait
			}
		}
	}
	// FastAPI: [{"loc": ["body", "temperature"], "msg": "...", "type": "..."}]
	if loc, ok := v["loc"].([]any); ok && len(loc) > 0 {
		var path []string
		for _, part := range loc {
			if s := scalar(part); s != "" && s != "body" {
				path = append(path, s)
			}
		}
		f.param = cmp.Or(f.param, strings.Join(path, "."))
	}
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	default:
		return ""
	}
}

var (
	titleTag = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	anyTag   = regexp.MustCompile(`(?s)<(?:script|style)\b.*?</(?:script|style)>|<[^>]*>`)
)

// plainText is what an HTML page or a plain text says.
func plainText(body string) string {
	if !strings.HasPrefix(body, "<") {
		return body
	}
	if m := titleTag.FindStringSubmatch(body); m != nil && strings.TrimSpace(m[1]) != "" {
		return html.UnescapeString(m[1])
	}
	return html.UnescapeString(anyTag.ReplaceAllString(body, " "))
}

// Codes decide before types, types before texts, and all of them before the
// status.
var (
	quotaCodes = []string{
		"insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
		"project_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_hard_limit_reached",
	}
	blockedCodes = []string{
		"content_filter", "content_policy_violation", "responsibleaipolicyviolation", "invalid_prompt",
		"bio_policy", "misalignment_policy_violation",
	}
	tooLongCodes     = []string{"context_length_exceeded", "exceed_context_size_error", "request_too_large"}
	tooLongTexts     = []string{"context length", "maximum context", "context window", "context size", "prompt is too long", "input is too long", "request too large for"}
	authCodes        = []string{"invalid_api_key", "unauthorized", "authentication_error", "permission_denied"}
	authTexts        = []string{"api key not valid", "invalid api key", "incorrect api key", "api key expired"}
	schemaCodes      = []string{"invalid_function_parameters", "invalid_json_schema"}
	schemaTexts      = []string{"invalid schema for", "invalid json schema", "failed to parse grammar", "unsupported schema", "json schema conversion failed"}
	unsupportedCodes = []string{"unsupported_parameter", "unsupported_value", "unknown_parameter"}
	unsupportedTexts = []string{
		"not support", "unsupported", "unrecognized", "unknown parameter", "unexpected keyword", "extra inputs are not permitted",
		"extra fields not permitted", "requires --", "support tool use", "invalid tool_choice", "must be 'json_schema'",
	}
	noModelTexts = []string{"is not a valid model", "unknown model", "model not found", "no such model"}
	noPathTexts  = []string{"unexpected endpoint"}
)

// kind classifies the failure, and reports whether it may be the path that the
// server does not have.
func (f *failure) kind(status int) (kind llm.Kind, missing bool) {
	if n, err := strconv.Atoi(f.code); err == nil && status == 200 && n >= 400 && n < 600 {
		status = n // an error that came after the header was sent
	}
	code, typ, text := strings.ToLower(f.code), strings.ToLower(f.typ), strings.ToLower(f.message)
	coded := func(codes []string) bool {
		return slices.Contains(codes, code) || code == "" && slices.Contains(codes, typ)
	}
	says := func(texts []string) bool {
		return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(text, t) })
	}
	request := status == 400 || status == 422 || status == 404
	switch {
	case slices.Contains(quotaCodes, code), status == 402:
		return llm.KindQuota, false // by the code alone: types and texts also mean rates
	case coded(blockedCodes), status == 403 && f.flagged:
		return llm.KindBlocked, false
	case coded(tooLongCodes), status == 413, says(tooLongTexts) && status != 401 && status != 403:
		return llm.KindTooLong, false
	case coded(schemaCodes), says(schemaTexts) && status < 429:
		return llm.KindSchema, false
	case code == "model_not_found", status == 400 && (f.param == "model" || says(noModelTexts)):
		return llm.KindModel, false
	case says(noPathTexts):
		return llm.KindModel, true
	case status == 429, code == "rate_limit_exceeded", code == "slow_down":
		return llm.KindRate, false
	case status == 401, status == 403, coded(authCodes), says(authTexts):
		return llm.KindAuth, false
	case request && (coded(unsupportedCodes) || says(unsupportedTexts)), status >= 500 && says([]string{"unsupported param", "requires --"}):
		return llm.KindUnsupported, false
	case status == 404, status == 405, status == 501:
		return llm.KindModel, true
	case status >= 300 && status < 400:
		return llm.KindModel, false
	case status == 400 || status == 422:
		if hasAnyPrefix(f.param, "tools", "response_format", "text.format", "functions") {
			return llm.KindSchema, false
		}
		return llm.KindUnsupported, false
	case status >= 500, status == 408, status == 409, status == 425, status == 200:
		return llm.KindOverload, false
	default:
		return llm.KindUnsupported, false
	}
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// retryAfter is how long a reply asks to wait. A date is compared with the
// server's own clock.
func retryAfter(h http.Header) (time.Duration, bool) {
	for _, x := range []struct {
		name string
		unit time.Duration
	}{{"Retry-After-Ms", time.Millisecond}, {"Retry-After", time.Second}} {
		v := strings.TrimSpace(h.Get(x.name))
		if v == "" {
			continue
		}
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			if math.IsNaN(n) || n < 0 {
				continue
			}
			return time.Duration(min(n*float64(x.unit), float64(math.MaxInt64/2))), true
		}
		until, err := http.ParseTime(v)
		if err != nil {
			continue
		}
		if now, err := http.ParseTime(h.Get("Date")); err == nil {
			return max(0, until.Sub(now)), true
		}
	}
	return 0, false
}

// secret is an API key.
type secret string

// oneLine prepares a server's text for an error: without the key, on one line,
// and not too long.
func (k secret) oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(k.redact(s), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if utf8.RuneCountInString(s) <= maxMessage {
		return s
	}
	return string([]rune(s)[:maxMessage]) + "…"
}

// shortKey is the length below which a key is likely to be a word: local servers
// are called with "x" or "none". It is then cut out as a whole word only, so
// that a message keeps its sense.
const shortKey = 8

// redact cuts the key out of s, also where it is escaped as in a URL.
func (k secret) redact(s string) string {
	if k == "" {
		return s
	}
	if len(k) < shortKey {
		word, err := regexp.Compile(`(^|[^\pL\pN_])` + regexp.QuoteMeta(string(k)) + `($|[^\pL\pN_])`)
		if err != nil {
			return s
		}
		for word.MatchString(s) {
			s = word.ReplaceAllString(s, "${1}[redacted]${2}")
		}
		return s
	}
	s = strings.ReplaceAll(s, string(k), "[redacted]")
	return strings.ReplaceAll(s, url.QueryEscape(string(k)), "[redacted]")
}

// in reports whether s holds the key.
func (k secret) in(s string) bool { return k.redact(s) != s }
