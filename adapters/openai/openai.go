// Package openai is the model port on openai-go: an [llm.Client] and an
// [llm.Embedder] for OpenAI and for servers that speak its wire format. It maps
// the wire and nothing else: retries, limits, budgets and fallbacks are the
// decorators of package llm.
//
// It reads no environment, has no default model, sends no request but to the
// base URL it is given, and follows no redirect. An application composes it:
//
//	client, err := openai.New(openai.Options{APIKey: key, Model: name})
//	c := llm.Adaptive(llm.Retry(ledger.Client(limiter.Client(client)), nil), client.Capabilities())
package openai

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"

	"github.com/casebook-go/casebook/generator/llm"
)

// DefaultBaseURL is the base URL of OpenAI's own API.
const DefaultBaseURL = "https://api.openai.com/v1"

// Transport is the endpoint that completions go to.
type Transport string

// The transports.
const (
	// TransportAuto is Responses at api.openai.com and Chat Completions at every
	// other server. A server without the first is asked by the second, and a
	// model that takes tools in Responses only is asked there; both are
	// remembered for the life of the client.
	TransportAuto      Transport = "auto"
	TransportResponses Transport = "responses"
	TransportChat      Transport = "chat"
)

// Options configure a [Client]. Model is required, and so is APIKey at
// api.openai.com.
type Options struct {
	// APIKey is sent as a bearer token; empty sends none.
	APIKey string
	// BaseURL is where the paths /responses, /chat/completions and /embeddings
	// begin, with its version ("http://localhost:11434/v1"). Empty means
	// [DefaultBaseURL].
	BaseURL string
	// Model is the model of requests that name none.
	Model string
	// Transport is the endpoint to use; empty means [TransportAuto].
	Transport Transport
	// EmbeddingModel is the model of Embedder("").
	EmbeddingModel string
	// EmbeddingBatch is the most texts that one embedding request carries, 1 to
	// 2048; 0 means 256.
	EmbeddingBatch int
	// HTTPClient makes the requests. Nil means a client of its own that uses no
	// proxy, follows no redirect and waits 10 minutes at most for the header of
	// a reply. Give one for a proxy, for other timeouts or in a test.
	HTTPClient *http.Client
	// Organization and Project are sent if set.
	Organization, Project string
	// ServiceTier ("flex", "fast", ...) is sent if set.
	ServiceTier string
}

// OptionError is an option that is missing or wrong. Find it with errors.As. It
// never holds a key.
type OptionError struct {
	Option  string // the field of [Options]
	Problem string // what is wrong and what to do
}

// Error names the option, the problem and the remedy.
func (e *OptionError) Error() string { return "openai: " + e.Option + ": " + e.Problem }

// Client is an [llm.Client] that speaks OpenAI's wire format. It is safe for
// concurrent use.
type Client struct {
	o     Options
	base  *url.URL
	key   secret
	chat  openai.ChatCompletionService
	resps responses.ResponseService
	embed openai.EmbeddingService

	mu      sync.RWMutex
	learned map[trait]bool
}

// trait is something that the server showed about a model, or about all of
// them if model is empty.
type trait struct{ model, what string }

const (
	noResponses      = "no /responses"
	toolsInResponses = "tools in /responses only"
	otherTokenParam  = "the other token parameter"
)

// New returns a client. It opens no connection. Options that are missing or
// wrong are *[OptionError], all of them joined.
func New(o Options) (*Client, error) {
	var errs []error
	bad := func(name, problem string) { errs = append(errs, &OptionError{Option: name, Problem: problem}) }

	o.BaseURL = cmp.Or(o.BaseURL, DefaultBaseURL)
	base, problem := parseBase(o.BaseURL)
	if problem != "" {
		bad("BaseURL", problem)
	}
	if strings.TrimSpace(o.Model) == "" {
		bad("Model", "is missing: name the model to call, there is no default")
	}
	if strings.ContainsFunc(o.APIKey, func(r rune) bool { return r <= ' ' || r > '~' }) {
		bad("APIKey", "holds a space, a line end or a character that no header can carry: trim it")
	} else if o.APIKey == "" && base != nil && isOpenAI(base) {
		bad("APIKey", "is missing: "+base.Hostname()+" takes no call without one")
	}
	o.Transport = cmp.Or(o.Transport, TransportAuto)
	switch o.Transport {
	case TransportAuto, TransportChat, TransportResponses:
	default:
		bad("Transport", fmt.Sprintf("%q is not known: use auto, chat or responses", o.Transport))
	}
	if o.EmbeddingBatch < 0 || o.EmbeddingBatch > 2048 {
		bad("EmbeddingBatch", fmt.Sprintf("is %d: use 1 to 2048, or 0 for 256", o.EmbeddingBatch))
	}
	o.EmbeddingBatch = cmp.Or(o.EmbeddingBatch, 256)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}

	c := &Client{o: o, base: base, key: secret(o.APIKey), learned: map[trait]bool{}}
	opts := []option.RequestOption{
		option.WithBaseURL(base.String()),
		option.WithHTTPClient(httpClient(o.HTTPClient)),
		option.WithMaxRetries(0),
		option.WithMiddleware(c.exchange),
	}
	if o.APIKey != "" {
		opts = append(opts, option.WithAPIKey(o.APIKey))
	}
	if o.Organization != "" {
		opts = append(opts, option.WithOrganization(o.Organization))
	}
	if o.Project != "" {
		opts = append(opts, option.WithProject(o.Project))
	}
	c.chat = openai.NewChatCompletionService(opts...)
	c.resps = responses.NewResponseService(opts...)
	c.embed = openai.NewEmbeddingService(opts...)
	return c, nil
}

// parseBase reads a base URL. It returns what is wrong with it, if anything is,
// without the URL's own text: it may hold a password.
func parseBase(s string) (*url.URL, string) {
	u, err := url.Parse(strings.TrimSpace(s))
	switch {
	case err != nil:
		return nil, "is no URL: write it like https://host/v1"
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, "must begin with http:// or https://"
	case u.Hostname() == "":
		return nil, "names no host: write it like https://host/v1"
	case u.User != nil:
		return nil, "holds a user name or password: give the key as APIKey"
	case u.RawQuery != "" || u.Fragment != "":
		return nil, "has a query or a fragment: remove it"
	}
	return u, ""
}

func isOpenAI(u *url.URL) bool {
	h := strings.ToLower(u.Hostname())
	return h == "api.openai.com" || strings.HasSuffix(h, ".api.openai.com")
}

func isAzure(u *url.URL) bool {
	h := strings.ToLower(u.Hostname())
	return strings.HasSuffix(h, ".openai.azure.com") || strings.HasSuffix(h, ".cognitiveservices.azure.com") || strings.HasSuffix(h, ".services.ai.azure.com")
}

// httpClient is the given client, or one that takes nothing from the
// environment. Neither follows redirects by default: the request is a customer's
// document, and the base URL is the only place it may go to.
func httpClient(given *http.Client) *http.Client {
	var hc http.Client
	if given != nil {
		hc = *given
	}
	if hc.Transport == nil {
		hc.Transport = &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2:     true,
			MaxIdleConns:          256,
			MaxIdleConnsPerHost:   256,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   10 * time.Second,
			ResponseHeaderTimeout: 10 * time.Minute,
		}
	}
	if hc.CheckRedirect == nil {
		hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return &hc
}

// Model returns the model of requests that name none, for [llm.ModelOf].
func (c *Client) Model() string { return c.o.Model }

// Capabilities returns what the server at the base URL is known to do, for
// [llm.Adaptive]: a preset for the providers and local servers that can be told
// by their host or port. For any other it is all but a tool choice by name, with
// schemas repeated in the prompt; Adaptive learns the rest from refusals.
func (c *Client) Capabilities() *llm.Capabilities {
	host := strings.ToLower(c.base.Hostname())
	name := ""
	switch {
	case isOpenAI(c.base):
		name = "openai"
	case isAzure(c.base):
		name = "azure"
	case host == "openrouter.ai" || strings.HasSuffix(host, ".openrouter.ai"):
		name = "openrouter"
	case host == "generativelanguage.googleapis.com":
		name = "gemini"
	case c.base.Port() == "11434":
		name = "ollama"
	case c.base.Port() == "1234":
		name = "lmstudio"
	}
	caps, ok := llm.Preset(name)
	if !ok {
		caps = llm.AllCapabilities()
		caps.ToolChoice, caps.SchemaText = llm.ChoiceString, true
	}
	if c.o.Transport == TransportResponses || c.o.Transport == TransportAuto && isOpenAI(c.base) {
		caps.Seed = false // Responses has none
	}
	return caps
}

// Complete sends one request, once; see [Options] for where. Failures of the
// provider, of the connection and of the reply are *[llm.Error]; the end of ctx
// is its cause, as it is.
//
// Responses has no seed: there it is left out. The least that Responses takes
// for MaxTokens is 16: a smaller one is raised.
func (c *Client) Complete(ctx context.Context, req *llm.Request) (*llm.Response, error) {
	model := cmp.Or(req.Model, c.o.Model)
	via := c.route(model, req)
	resp, err := c.complete(ctx, via, model, req)
	if err == nil || c.o.Transport != TransportAuto {
		return resp, err
	}
	switch {
	case via == TransportResponses && errors.Is(err, errNoEndpoint):
		resp, err := c.complete(ctx, TransportChat, model, req)
		if !errors.Is(err, errNoEndpoint) { // else it is the model or the base URL
			c.learn(trait{what: noResponses})
		}
		return resp, err
	case via == TransportChat && len(req.Tools) > 0 && wantsResponses(err) && !c.knows(trait{what: noResponses}):
		resp, second := c.complete(ctx, TransportResponses, model, req)
		if errors.Is(second, errNoEndpoint) {
			c.learn(trait{what: noResponses})
			return nil, err
		}
		if second == nil {
			c.learn(trait{model, toolsInResponses})
		}
		return resp, second
	}
	return resp, err
}

func (c *Client) route(model string, req *llm.Request) Transport {
	switch {
	case c.o.Transport != TransportAuto:
		return c.o.Transport
	case c.knows(trait{what: noResponses}):
		return TransportChat
	case isOpenAI(c.base), len(req.Tools) > 0 && c.knows(trait{model, toolsInResponses}):
		return TransportResponses
	default:
		return TransportChat
	}
}

// wantsResponses reports whether Chat Completions refused tools beside
// reasoning, which Responses takes.
func wantsResponses(err error) bool {
	var e *llm.Error
	return errors.As(err, &e) && e.Kind == llm.KindUnsupported && e.Status == http.StatusBadRequest &&
		(e.Param == "reasoning_effort" || strings.Contains(e.Message, "/responses") || strings.Contains(e.Message, "Responses API"))
}

func (c *Client) complete(ctx context.Context, via Transport, model string, req *llm.Request) (*llm.Response, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if via == TransportResponses {
		return c.completeResponses(ctx, model, req)
	}
	return c.completeChat(ctx, model, req)
}

func (c *Client) knows(t trait) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.learned[t]
}

func (c *Client) learn(t trait) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.learned[t] = true
}
