// Package wire is a server for tests that speaks OpenAI's wire format on the
// loopback address: Chat Completions, Responses, embeddings and models. It counts
// what it serves and can fail calls on purpose, so that a whole run can be tested
// over HTTP.
package wire

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/casebook-go/casebook/generator/llm"
)

// The endpoints that a handler answers for.
const (
	Chat       = "chat"
	Responses  = "responses"
	Embeddings = "embeddings"
)

// Request is one call, read into the port's form. Purpose is not on the wire and
// is empty.
type Request struct {
	llm.Request
	Endpoint string
	Header   http.Header
	Body     json.RawMessage // as it came
	Texts    []string        // of an embedding request
	// Attempt says how often a request of this content came so far, this one
	// included. The token limit is no part of the content: a retry may raise it.
	Attempt int
	// Content is a hash of endpoint and content.
	Content [32]byte

	ctx context.Context
}

// Context returns the context of the call.
func (r *Request) Context() context.Context { return r.ctx }

// Reply is what the server sends. A zero Status is 200.
type Reply struct {
	Text    string
	Calls   []llm.ToolCall
	Refusal string
	// Finish is the finish_reason; empty means stop or tool_calls, in Responses
	// completed. "length" and "content_filter" make a Responses reply incomplete.
	Finish string
	Model  string    // empty means the request's
	Usage  llm.Usage // zero means an estimate

	Status int
	Header http.Header
	// Raw, if set, is the whole body; so is an empty one with Empty.
	Raw   string
	Empty bool
	// Fault spoils the reply.
	Fault Fault
}

// Handler answers requests for completions. It is called concurrently.
type Handler func(req Request) Reply

// Error is a reply with OpenAI's error object.
func Error(status int, code, param, message string) Reply {
	body := encode(map[string]any{"error": map[string]any{
		"message": message, "type": "invalid_request_error", "code": orNull(code), "param": orNull(param),
	}})
	return Reply{Status: status, Raw: string(body)}
}

// Client is a handler made of a client, so that one fake serves both in a
// program and over HTTP. Its *[llm.Error] becomes a status and an error object.
func Client(c llm.Client) Handler {
	return func(req Request) Reply {
		resp, err := c.Complete(req.Context(), &req.Request)
		if err == nil {
			return Reply{Text: resp.Text, Calls: resp.Calls, Finish: resp.Finish, Model: resp.Model, Usage: resp.Usage}
		}
		var e *llm.Error
		if !errors.As(err, &e) {
			return Error(http.StatusInternalServerError, "server_error", "", err.Error())
		}
		switch e.Kind {
		case llm.KindRefused:
			return Reply{Refusal: cmp.Or(e.Message, "I cannot help with that.")}
		case llm.KindTruncated:
			return Reply{Finish: "length"}
		case llm.KindBlocked:
			return Reply{Finish: "content_filter"}
		case llm.KindMalformed:
			return Reply{Fault: BrokenJSON}
		default:
			out := Error(statusOf(e), e.Code, e.Param, e.Message)
			if e.RetryAfter > 0 {
				out.Header = http.Header{"Retry-After-Ms": {fmt.Sprint(e.RetryAfter.Milliseconds())}}
			}
			return out
		}
	}
}

func statusOf(e *llm.Error) int {
	if e.Status >= 400 {
		return e.Status
	}
	switch e.Kind {
	case llm.KindRate:
		return http.StatusTooManyRequests
	case llm.KindQuota:
		return http.StatusPaymentRequired
	case llm.KindAuth:
		return http.StatusUnauthorized
	case llm.KindModel:
		return http.StatusNotFound
	case llm.KindOverload:
		return http.StatusServiceUnavailable
	case llm.KindTooLong:
		return http.StatusRequestEntityTooLarge
	default:
		return http.StatusBadRequest
	}
}

// Options say how a server behaves. Nil and zero fields mean the defaults.
type Options struct {
	// Latency is how long every call takes before it is answered.
	Latency time.Duration
	// Key is the only API key that is taken; empty takes every call. A refusal
	// repeats the wrong key in its text, as real servers do.
	Key string
	// Chain names the chain of calls, each of which needs the one before, that a
	// request belongs to; nil means its header X-Chain. See [Server.LongestChain].
	Chain func(req Request) string
	// Faults says which calls fail and how; nil fails none. See [Faults].
	Faults func(req Request) Fault
	// Embed makes a vector; nil means hashed words, 64 dimensions, unit length.
	Embed func(text string) []float32
	// Models are the models served, and all that are taken; nil takes every name.
	Models []string
	// Log keeps every request for [Server.Log].
	Log bool
}

// Server is a server that runs until its test ends. It is safe for concurrent use.
type Server struct {
	o       Options
	handler Handler
	http    *httptest.Server

	mu       sync.Mutex
	calls    map[string]int
	attempts map[[32]byte]int
	active   int
	most     int
	chains   map[string]int
	faults   map[Fault]int
	log      []Request
}

// New starts a server that answers with h. It is stopped when the test ends.
func New(tb testing.TB, h Handler, o *Options) *Server {
	tb.Helper()
	s := Start(h, o)
	tb.Cleanup(s.Close)
	return s
}

// Start is [New] for an Example: the caller closes the server.
func Start(h Handler, o *Options) *Server {
	s := &Server{handler: h, calls: map[string]int{}, attempts: map[[32]byte]int{}, chains: map[string]int{}, faults: map[Fault]int{}}
	if o != nil {
		s.o = *o
	}
	s.http = httptest.NewServer(s)
	return s
}

// Close stops the server when its calls have ended.
func (s *Server) Close() { s.http.Close() }

// URL is the base URL, with the version.
func (s *Server) URL() string { return s.http.URL + "/v1" }

// Calls is how many calls came so far, refused ones included, to the endpoints
// given or to all.
func (s *Server) Calls(endpoints ...string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for e, c := range s.calls {
		if len(endpoints) == 0 || slices.Contains(endpoints, e) {
			n += c
		}
	}
	return n
}

// MaxConcurrent is the most calls that were under way at once.
func (s *Server) MaxConcurrent() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.most
}

// LongestChain is the largest number of calls of one chain of which each came
// after the answer to another: calls of a chain that overlap count once.
func (s *Server) LongestChain() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, c := range s.chains {
		n = max(n, c)
	}
	return n
}

// Chains is what [Server.LongestChain] is the largest of: the length of every
// chain by its name.
func (s *Server) Chains() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.chains)
}

// Faulted is how many calls were failed on purpose, by kind.
func (s *Server) Faulted() map[Fault]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.faults)
}

// Log returns the requests so far, in order of arrival, if Options.Log is set.
func (s *Server) Log() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.log)
}

// ServeHTTP serves one call.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.URL.Path == "/v1/models" {
		list := []any{}
		for _, m := range s.o.Models {
			list = append(list, map[string]any{"id": m, "object": "model"})
		}
		writeJSON(w, http.StatusOK, encode(map[string]any{"object": "list", "data": list}))
		return
	}
	endpoint := map[string]string{"/v1/chat/completions": Chat, "/v1/responses": Responses, "/v1/embeddings": Embeddings}[r.URL.Path]
	if endpoint == "" || r.Method != http.MethodPost {
		http.NotFound(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client left
	}
	req, err := read(endpoint, body)
	if err != nil {
		s.send(w, endpoint, &req, Error(http.StatusBadRequest, "", "", err.Error()))
		return
	}
	req.Header, req.ctx = r.Header, r.Context()
	chain := r.Header.Get("X-Chain")
	if s.o.Chain != nil {
		chain = s.o.Chain(req)
	}
	level := s.arrive(&req, chain)
	if s.o.Latency > 0 {
		t := time.NewTimer(s.o.Latency)
		select {
		case <-t.C:
		case <-r.Context().Done():
			t.Stop()
			s.leave(chain, level)
			return
		}
	}
	reply := s.answer(&req)
	// The call is over for the counts before its answer can start another.
	s.leave(chain, level)
	s.send(w, endpoint, &req, reply)
}

func (s *Server) arrive(req *Request, chain string) (level int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[req.Endpoint]++
	s.attempts[req.Content]++
	req.Attempt = s.attempts[req.Content]
	s.active++
	s.most = max(s.most, s.active)
	if s.o.Log {
		s.log = append(s.log, *req)
	}
	return s.chains[chain] + 1
}

func (s *Server) leave(chain string, level int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
	if chain != "" {
		s.chains[chain] = max(s.chains[chain], level)
	}
}

func (s *Server) answer(req *Request) Reply {
	if given := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "); s.o.Key != "" && given != s.o.Key {
		return Error(http.StatusUnauthorized, "invalid_api_key", "", "Incorrect API key provided: "+given+".")
	}
	if s.o.Models != nil && !slices.Contains(s.o.Models, req.Model) {
		return Error(http.StatusNotFound, "model_not_found", "model", "The model `"+req.Model+"` does not exist or you do not have access to it.")
	}
	var fault Fault
	if s.o.Faults != nil {
		fault = s.o.Faults(*req)
	}
	if fault != "" {
		s.mu.Lock()
		s.faults[fault]++
		s.mu.Unlock()
	}
	if fault.beforeAnswer() {
		return fault.reply()
	}
	var reply Reply
	if req.Endpoint != Embeddings {
		reply = s.handler(*req)
	}
	if fault != "" {
		reply.Fault = fault
	}
	return reply
}

func (s *Server) send(w http.ResponseWriter, endpoint string, req *Request, reply Reply) {
	maps.Copy(w.Header(), reply.Header)
	body := []byte(reply.Raw)
	if reply.Raw == "" && !reply.Empty {
		if reply.Fault == Truncated || reply.Fault == Refusal {
			reply = reply.spoiled(req)
		}
		switch endpoint {
		case Chat:
			body = chatBody(req, &reply)
		case Responses:
			body = responsesBody(req, &reply)
		default:
			body = s.embeddingsBody(req)
		}
	}
	status := reply.Status
	if status == 0 {
		status = http.StatusOK
	}
	switch reply.Fault {
	case Reset:
		reset(w)
	case CutBody:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.WriteHeader(status)
		w.Write(body[:len(body)/2])
		http.NewResponseController(w).Flush() // else nothing of it is sent
		panic(http.ErrAbortHandler)
	case BrokenJSON:
		writeJSON(w, status, body[:len(body)*2/3])
	default:
		writeJSON(w, status, body)
	}
}

// reset breaks the connection with a TCP reset, so that nobody takes it for the
// end of a reply.
func reset(w http.ResponseWriter) {
	h, ok := w.(http.Hijacker)
	if !ok {
		panic(http.ErrAbortHandler)
	}
	conn, _, err := h.Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(status)
	w.Write(body)
}

// content is the identity of a request: its members but the token limit.
func content(endpoint string, members map[string]json.RawMessage) [32]byte {
	same := maps.Clone(members)
	for _, k := range []string{"max_tokens", "max_completion_tokens", "max_output_tokens"} {
		delete(same, k)
	}
	return sha256.Sum256(append([]byte(endpoint+"\n"), encode(same)...))
}

func (s *Server) embeddingsBody(req *Request) []byte {
	embed := s.o.Embed
	if embed == nil {
		embed = hashed
	}
	list := []any{}
	tokens := 0
	for i, t := range req.Texts {
		list = append(list, map[string]any{"object": "embedding", "index": i, "embedding": embed(t)})
		tokens += len(t)/4 + 1
	}
	return encode(map[string]any{
		"object": "list", "model": req.Model, "data": list,
		"usage": map[string]any{"prompt_tokens": tokens, "total_tokens": tokens},
	})
}

// hashed is a vector of the words of a text.
func hashed(text string) []float32 {
	v := make([]float32, 64)
	for _, word := range strings.Fields(strings.ToLower(text)) {
		sum := sha256.Sum256([]byte(word))
		v[sum[0]%64]++
	}
	var square float64
	for _, x := range v {
		square += float64(x) * float64(x)
	}
	if square == 0 {
		v[0], square = 1, 1
	}
	for i := range v {
		v[i] /= float32(math.Sqrt(square))
	}
	return v
}

// encode panics on a value that has no JSON, which only a wrong test holds.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("wire: a value has no JSON: %v", err))
	}
	return b
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
