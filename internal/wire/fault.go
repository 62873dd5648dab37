package wire

import (
	"encoding/binary"
	"hash/fnv"
	"net/http"
	"slices"

	"github.com/casebook-go/casebook/generator/llm"
)

// Fault is a way in which a call fails.
type Fault string

// The faults.
const (
	RateLimit   Fault = "rate_limit"   // 429, to come again in 5 ms
	ServerError Fault = "server_error" // 500
	Reset       Fault = "reset"        // the connection breaks before the reply
	CutBody     Fault = "cut_body"     // and in the middle of it
	BrokenJSON  Fault = "broken_json"  // a whole reply of half a JSON object
	Refusal     Fault = "refusal"      // the model declines
	Truncated   Fault = "truncated"    // the reply ends at the token limit
)

var allFaults = []Fault{RateLimit, ServerError, Reset, CutBody, BrokenJSON, Refusal, Truncated}

// Faults fails a share of the calls, 0 to 1, with the kinds given, or
// with all, in equal parts. Whether and how a call fails depends on the seed,
// the content of the request and its attempt alone: a run meets the same faults
// whatever the order in which its calls arrive. Embeddings are neither refused
// nor truncated: they fail with [ServerError] instead.
func Faults(seed uint64, rate float64, kinds ...Fault) func(req Request) Fault {
	if len(kinds) == 0 {
		kinds = allFaults
	}
	kinds = slices.Clone(kinds)
	return func(req Request) Fault {
		x := draw(seed, &req)
		if float64(x>>11)/(1<<53) >= rate {
			return ""
		}
		f := kinds[mix(x)%uint64(len(kinds))]
		if req.Endpoint == Embeddings && (f == Refusal || f == Truncated) {
			return ServerError
		}
		return f
	}
}

func draw(seed uint64, req *Request) uint64 {
	h := fnv.New64a()
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], seed)
	binary.LittleEndian.PutUint64(b[8:], uint64(req.Attempt))
	h.Write(b[:])
	h.Write(req.Content[:])
	return mix(h.Sum64())
}

// mix spreads the bits of x (the finisher of MurmurHash3).
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// beforeAnswer reports whether the fault comes instead of an answer.
func (f Fault) beforeAnswer() bool { return f == RateLimit || f == ServerError || f == Reset }

func (f Fault) reply() Reply {
	switch f {
	case RateLimit:
		r := Error(http.StatusTooManyRequests, "rate_limit_exceeded", "", "Rate limit reached. Please try again in 5ms.")
		r.Header = http.Header{"Retry-After-Ms": {"5"}, "Retry-After": {"1"}}
		return r
	case ServerError:
		return Error(http.StatusInternalServerError, "server_error", "", "The server had an error while processing your request.")
	default:
		return Reply{Empty: true, Fault: f}
	}
}

// spoiled is the reply, refused or truncated.
func (r Reply) spoiled(req *Request) Reply {
	if r.Fault == Refusal {
		return Reply{Refusal: "I cannot help with that.", Model: r.Model, Usage: r.Usage}
	}
	half := func(s string) string { return string([]rune(s)[:len([]rune(s))/2]) }
	r.Text = half(r.Text)
	if len(r.Calls) > 0 {
		r.Calls = slices.Clone(r.Calls)
		last := &r.Calls[len(r.Calls)-1]
		last.Arguments = half(last.Arguments)
	}
	r.Finish = "length"
	if req.MaxTokens > 0 {
		r.Usage = llm.Usage{Input: estimate(string(req.Body)), Output: int64(req.MaxTokens)}
	}
	return r
}
