package python

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/loose"
	"github.com/casebook-go/casebook/internal/stage"
)

// The limits of what a worker may send.
const (
	maxBody      = 32 << 20 // bytes of a request
	maxHeader    = 16 << 10 // bytes of its head
	maxInputs    = 2048     // texts of one embedding call
	headerWithin = 10 * time.Second
)

// proxyOptions configures a proxy.
type proxyOptions struct {
	// Framework names the purpose of the calls: "python_" + Framework.
	Framework string
	// Repairs is how often a JSON reply that does not fit is asked for again;
	// 0 means twice, -1 never.
	Repairs int
	// Health is told of the model's replies; nil keeps its own.
	Health *modelHealth
}

// proxy is an OpenAI-compatible server on the loopback address whose model and
// embedder are those of a generator's call, so that retry, limits, budget,
// recording and accounting hold for what a framework asks. It serves whoever has
// its token, and is safe for concurrent use.
//
// After a failure that no later call can mend nothing more is asked: what comes
// gets the same error.
type proxy struct {
	call    *generator.Call
	purpose string
	repairs int
	token   string
	digest  [sha256.Size]byte // of the token
	address string            // host:port

	server *http.Server
	cancel context.CancelCauseFunc
	served chan struct{} // closed when the server accepts no more
	conns  sync.WaitGroup

	schemas   schemaCache
	framework string
	health    *modelHealth

	pending atomic.Int64
	chat    atomic.Int64
	embeds  atomic.Int64
	refused atomic.Int64
	repairN atomic.Int64
	mended  atomic.Int64

	mu    sync.Mutex
	fatal error
}

// proxyCounts says what a proxy did.
type proxyCounts struct {
	Chat       int64 // completions asked of the model, repairs included
	Embeddings int64 // calls of the embedder
	Refused    int64 // requests that were refused before anything was asked
	Repairs    int64 // completions asked again because the reply did not fit
	Mended     int64 // replies whose JSON was Python's, or had numbers that are none
}

var (
	errProxyClosed = errors.New("the proxy was closed")
	errCallEnded   = errors.New("the call was cancelled")
)

// newProxy starts a proxy. Close it; until then the end of ctx ends its calls.
func newProxy(ctx context.Context, call *generator.Call, o proxyOptions) (*proxy, error) {
	if call.Model == nil {
		return nil, &OptionError{"Call.Model", "there is no model", "give the call one"}
	}
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, fmt.Errorf("python: the proxy's token: %w", err)
	}
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("python: the proxy cannot listen on the loopback address: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	p := &proxy{
		call: call, purpose: "python_" + o.Framework, repairs: max(0, cmp.Or(o.Repairs, 2)),
		token: hex.EncodeToString(secret[:]), address: l.Addr().String(),
		cancel: cancel, served: make(chan struct{}), framework: o.Framework, health: cmp.Or(o.Health, &modelHealth{}),
	}
	p.digest = sha256.Sum256([]byte(p.token))
	if p.call.Log == nil {
		silent := *call
		silent.Log = slog.New(slog.DiscardHandler)
		p.call = &silent
	}
	p.server = &http.Server{
		Handler:           p,
		ReadHeaderTimeout: headerWithin,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          slog.NewLogLogger(p.call.Log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, s http.ConnState) {
			switch s {
			case http.StateNew:
				p.conns.Add(1)
			case http.StateClosed, http.StateHijacked:
				p.conns.Done()
			}
		},
	}
	go func() {
		defer close(p.served)
		_ = p.server.Serve(l) // ends with Close
	}()
	return p, nil
}

// URL is the base URL for a client: "http://127.0.0.1:PORT/v1".
func (p *proxy) URL() string { return "http://" + p.address + "/v1" }

// Token is what a client must send as its bearer token.
func (p *proxy) Token() string { return p.token }

// Model is the name of the model; empty if it has none.
func (p *proxy) Model() string { return llm.ModelOf(p.call.Model) }

// EmbeddingModel is the name of the embedder's model; empty if it has none.
func (p *proxy) EmbeddingModel() string { return llm.EmbedderModel(p.call.Embedder) }

// Pending is how many calls are under way.
func (p *proxy) Pending() int { return int(p.pending.Load()) }

// Err is the first failure after which no later call can succeed; nil if there
// was none.
func (p *proxy) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.fatal
}

// Counts says what the proxy did so far.
func (p *proxy) Counts() proxyCounts {
	return proxyCounts{
		Chat: p.chat.Load(), Embeddings: p.embeds.Load(), Refused: p.refused.Load(),
		Repairs: p.repairN.Load(), Mended: p.mended.Load(),
	}
}

// Close ends the calls under way, waits for them and frees the port: no goroutine
// of the proxy is left. A model that does not honour its context holds it up. A
// second Close does nothing.
func (p *proxy) Close() {
	p.cancel(errProxyClosed)
	_ = p.server.Close() // the listener's error is of no use to anyone
	<-p.served
	_ = p.server.Close() // a connection that was accepted meanwhile
	p.conns.Wait()
}

// ServeHTTP serves one call.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.pending.Add(1)
	defer p.pending.Add(-1)
	task := r.Header.Get("X-Casebook-Task")
	out := reply{status: http.StatusInternalServerError, body: errorBody("internal", "server_error", "the model's client exited its goroutine")}
	defer func() {
		v := recover()
		if v != nil {
			failure := &generator.PanicError{Value: v, Stack: debug.Stack()}
			p.call.Log.Error("a call of a Python worker panicked", "purpose", p.purpose, "panic", fmt.Sprint(v), "stack", string(failure.Stack))
			out = reply{status: http.StatusInternalServerError, body: errorBody("panic", "server_error", "the model's client panicked")}
		}
		p.call.Log.Debug("call of a Python worker", "purpose", p.purpose, "path", r.URL.Path, "task", task, "status", out.status)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(out.body)))
		w.WriteHeader(out.status)
		_, _ = w.Write(out.body) // the client may have left
		// A client of the model that exits its goroutine takes this one along.
		_ = http.NewResponseController(w).Flush()
	}()
	out = p.serve(w, r)
}

// reply is an answer on the wire.
type reply struct {
	status int
	body   []byte
}

func (p *proxy) serve(w http.ResponseWriter, r *http.Request) reply {
	if err := p.admit(r); err != nil {
		return p.refuse(err)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return p.refuse(&requestError{status: http.StatusRequestEntityTooLarge, code: string(llm.KindTooLong), message: fmt.Sprintf("the request has more than %d bytes", large.Limit)})
	case err != nil:
		return p.refuse(badRequest("the request ended early"))
	}
	if strings.HasSuffix(r.URL.Path, "/embeddings") {
		return p.serveEmbeddings(r.Context(), body)
	}
	return p.serveChat(r.Context(), body)
}

// admit refuses what may not be asked here, or by this client.
func (p *proxy) admit(r *http.Request) error {
	if !loopback(r.Host) {
		return &requestError{status: http.StatusForbidden, code: "host", message: "the Host header names no loopback address"}
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	digest := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(digest[:], p.digest[:]) != 1 || !strings.EqualFold(scheme, "bearer") {
		return &requestError{status: http.StatusUnauthorized, code: "token", message: "the request does not hold the proxy's token"}
	}
	switch {
	case r.URL.Path != "/v1/chat/completions" && r.URL.Path != "/v1/embeddings":
		return &requestError{status: http.StatusNotFound, code: "path", message: "there are /v1/chat/completions and /v1/embeddings"}
	case r.Method != http.MethodPost:
		return &requestError{status: http.StatusMethodNotAllowed, code: "method", message: "the method must be POST"}
	}
	return nil
}

// loopback reports whether a Host header names this machine's own interface, so
// that no web page can reach the proxy by a name of its own.
func loopback(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}

// requestError is a request that is refused.
type requestError struct {
	status        int
	code, message string
}

// Error implements error.
func (e *requestError) Error() string { return e.message }

func badRequest(format string, args ...any) error {
	return &requestError{status: http.StatusBadRequest, code: "bad_request", message: fmt.Sprintf(format, args...)}
}

// refuse answers a request that nothing is asked for.
func (p *proxy) refuse(err error) reply {
	p.refused.Add(1)
	e := &requestError{status: http.StatusBadRequest, code: "bad_request", message: err.Error()}
	errors.As(err, &e)
	return reply{e.status, errorBody(e.code, "invalid_request_error", e.message)}
}

// dead returns the reply to calls that cannot succeed any more.
func (p *proxy) dead() (reply, bool) {
	if err := p.Err(); err != nil {
		p.refused.Add(1)
		return p.fail(err), true
	}
	return reply{}, false
}

// fail answers a call that the model or the embedder failed.
func (p *proxy) fail(err error) reply {
	var useless *UselessModelError
	if stage.Fatal(err) || errors.As(err, &useless) {
		p.mu.Lock()
		if p.fatal == nil {
			p.fatal = err
		}
		p.mu.Unlock()
	}
	var (
		e       *llm.Error
		budget  *llm.BudgetError
		stopped *llm.StoppedError
		missing *llm.MissingError
		unfit   *unfitError
	)
	switch {
	case errors.Is(err, errCallEnded), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return reply{http.StatusServiceUnavailable, errorBody("cancelled", "server_error", errCallEnded.Error())}
	case errors.Is(err, generator.ErrTimeout):
		return reply{http.StatusGatewayTimeout, errorBody("timeout", "server_error", "the model took too long")}
	case useless != nil:
		return reply{statusOf(llm.KindSchema), errorBody("useless", "model_error", useless.Error())}
	case errors.As(err, &unfit):
		return reply{statusOf(llm.KindSchema), errorBody(string(llm.KindSchema), "model_error", unfit.Error())}
	case errors.As(err, &budget):
		return reply{http.StatusPaymentRequired, errorBody("budget", "model_error", budget.Error())}
	case errors.As(err, &stopped):
		return reply{http.StatusServiceUnavailable, errorBody("stopped", "model_error", "no more calls are made: too many failed")}
	case errors.As(err, &missing):
		return reply{http.StatusServiceUnavailable, errorBody("missing", "model_error", missing.Error())}
	case errors.As(err, &e):
		// Not the cause: what a transport says may hold a key.
		said := &llm.Error{Kind: e.Kind, Status: e.Status, Code: e.Code, Message: e.Message}
		return reply{statusOf(e.Kind), errorBody(string(e.Kind), "model_error", said.Error())}
	}
	p.call.Log.Debug("a call of a Python worker failed", "purpose", p.purpose, "error", err)
	return reply{http.StatusInternalServerError, errorBody("internal", "server_error", "the call of the model failed")}
}

// statusOf is the HTTP status of a kind of failure. None is one that the proxy
// gives to a token that is wrong: a key that the provider refuses is not the
// worker's.
func statusOf(k llm.Kind) int {
	switch k {
	case llm.KindRate:
		return http.StatusTooManyRequests
	case llm.KindOverload:
		return http.StatusServiceUnavailable
	case llm.KindQuota:
		return http.StatusPaymentRequired
	case llm.KindTooLong, llm.KindUnsupported:
		return http.StatusBadRequest
	case llm.KindSchema, llm.KindBlocked, llm.KindRefused, llm.KindTruncated:
		return http.StatusUnprocessableEntity
	default: // auth, model, malformed
		return http.StatusBadGateway
	}
}

// errorBody is OpenAI's error object.
func errorBody(code, kind, message string) []byte {
	return encode(map[string]any{"error": map[string]any{"code": code, "type": kind, "message": message, "param": nil}})
}

// encode writes what always has a JSON form.
func encode(v any) []byte {
	b, err := loose.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("python: the proxy's reply: %v", err))
	}
	return b
}

// embeddingsRequest is what is read of an embedding request.
type embeddingsRequest struct {
	Model      string          `json:"model"`
	Input      json.RawMessage `json:"input"`
	Format     string          `json:"encoding_format"`
	Dimensions json.RawMessage `json:"dimensions"`

	texts []string
}

// readEmbeddings reads an embedding request.
func readEmbeddings(body []byte) (*embeddingsRequest, error) {
	var r embeddingsRequest
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, badRequest("the request cannot be read: %s", problemOf(err))
	}
	switch {
	case given(r.Dimensions):
		return nil, badRequest("dimensions cannot be chosen")
	case r.Format != "" && r.Format != "float" && r.Format != "base64":
		return nil, badRequest("encoding_format must be float or base64")
	case !given(r.Input):
		return nil, badRequest("input is required")
	}
	if r.Input[0] == '"' {
		r.texts = make([]string, 1)
		if err := json.Unmarshal(r.Input, &r.texts[0]); err != nil {
			return nil, badRequest("input: %s", problemOf(err))
		}
		return &r, nil
	}
	var texts []*string
	if err := json.Unmarshal(r.Input, &texts); err != nil || slices.Contains(texts, nil) {
		return nil, badRequest("input must be a text or a list of texts; token ids are not taken")
	}
	for _, text := range texts {
		r.texts = append(r.texts, *text)
	}
	switch {
	case len(r.texts) == 0:
		return nil, badRequest("input is empty")
	case len(r.texts) > maxInputs:
		return nil, badRequest("input has %d texts, the limit is %d", len(r.texts), maxInputs)
	}
	return &r, nil
}

func (p *proxy) serveEmbeddings(ctx context.Context, body []byte) reply {
	r, err := readEmbeddings(body)
	if err != nil {
		return p.refuse(err)
	}
	if p.call.Embedder == nil {
		return p.refuse(badRequest("there is no embedder"))
	}
	if out, ok := p.dead(); ok {
		return out
	}
	p.embeds.Add(1)
	vectors, err := p.call.Embedder.Embed(ctx, r.texts)
	if err == nil {
		err = checkVectors(vectors, len(r.texts))
	}
	if err != nil {
		return p.fail(ended(ctx, err))
	}
	type row struct {
		Object    string `json:"object"`
		Index     int    `json:"index"`
		Embedding any    `json:"embedding"`
	}
	rows := make([]row, len(vectors))
	for i, v := range vectors {
		rows[i] = row{Object: "embedding", Index: i, Embedding: v}
		if r.Format == "base64" {
			raw := make([]byte, 0, 4*len(v))
			for _, x := range v {
				raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
			}
			rows[i].Embedding = base64.StdEncoding.EncodeToString(raw)
		}
	}
	used := llm.EmbedEstimate("", r.texts).Input
	return reply{http.StatusOK, encode(struct {
		Object string `json:"object"`
		Data   []row  `json:"data"`
		Model  string `json:"model"`
		Usage  usage  `json:"usage"`
	}{"list", rows, cmp.Or(p.EmbeddingModel(), r.Model), usage{Prompt: used, Total: used}})}
}

// checkVectors refuses what no client could read.
func checkVectors(vs [][]float32, n int) error {
	if len(vs) != n {
		return &llm.Error{Kind: llm.KindMalformed, Message: fmt.Sprintf("%d vectors for %d texts", len(vs), n)}
	}
	for _, v := range vs {
		if len(v) == 0 || len(v) != len(vs[0]) {
			return &llm.Error{Kind: llm.KindMalformed, Message: "vectors are empty or of several lengths"}
		}
		for _, x := range v {
			if f := float64(x); math.IsNaN(f) || math.IsInf(f, 0) {
				return &llm.Error{Kind: llm.KindMalformed, Message: "a vector holds a value that is no number"}
			}
		}
	}
	return nil
}

// ended is err, marked as a cancellation if ctx has ended, whatever the client
// made of that.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && !stage.Fatal(err) {
		return fmt.Errorf("%w: %w", errCallEnded, err)
	}
	return err
}

// given reports whether a member stands in a request and is not null.
func given(raw json.RawMessage) bool { return len(raw) > 0 && string(raw) != "null" }

// problemOf is what is wrong with a request's JSON, without what it holds.
func problemOf(err error) string {
	var typ *json.UnmarshalTypeError
	if errors.As(err, &typ) {
		return fmt.Sprintf("%s must not be a %s", cmp.Or(typ.Field, "it"), typ.Value)
	}
	return err.Error()
}
