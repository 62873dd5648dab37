package actor

import (
	"fmt"
	"hash/fnv"
	"regexp"
)

// The kinds of request that DeepEval's method makes.
const (
	DeepEvalQuality  = "deepeval_quality"
	DeepEvalStyle    = "deepeval_style"
	DeepEvalInputs   = "deepeval_inputs"
	DeepEvalCritic   = "deepeval_critic"
	DeepEvalRewrite  = "deepeval_rewrite"
	DeepEvalEvolve   = "deepeval_evolve"
	DeepEvalOutcome  = "deepeval_outcome"
	DeepEvalOutcomes = "deepeval_check"
)

// deepEvalMarks tell the kinds by their system prompts.
var deepEvalMarks = []mark{
	{DeepEvalQuality, "You score how well each chunk serves"},
	{DeepEvalStyle, "inputs of tests that exist already"},
	{DeepEvalInputs, "For each item write one message."},
	{DeepEvalInputs, "For each item write one scenario."},
	{DeepEvalCritic, "You are the critic:"},
	{DeepEvalRewrite, "did not pass a critic."},
	{DeepEvalEvolve, "Rewrite each in that way."},
	{DeepEvalOutcome, "write what it should come to."},
	{DeepEvalOutcomes, "You check scenarios"},
}

var (
	chunkKey = regexp.MustCompile(`<chunk key="(c\d+)"`)
	itemKey  = regexp.MustCompile(`(?m)^(i\d+):`)
)

// deepEval plays the stages of DeepEval's method: everything is good enough, and
// every text is new.
func deepEval(kind, prompt string) any {
	texts := func(text func(key string) map[string]any) []map[string]any {
		out := []map[string]any{}
		for _, m := range itemKey.FindAllStringSubmatch(prompt, -1) {
			out = append(out, text(m[1]))
		}
		return out
	}
	switch kind {
	case DeepEvalQuality:
		out := []map[string]any{}
		for _, m := range chunkKey.FindAllStringSubmatch(prompt, -1) {
			out = append(out, map[string]any{"key": m[1], "clarity": 0.9, "depth": 0.8, "structure": 0.9, "relevance": 0.8})
		}
		return map[string]any{"chunks": out}
	case DeepEvalStyle:
		return map[string]any{"scenario": "People who need something.", "task": "It helps.", "input_format": "Short messages.", "participant_roles": "A person and the assistant."}
	case DeepEvalInputs:
		return map[string]any{"items": texts(func(key string) map[string]any {
			return map[string]any{"key": key, "matter": "Somebody needs something.", "passages": []string{"1"}, "input": Text("message", prompt, key)}
		})}
	case DeepEvalRewrite:
		return map[string]any{"items": texts(func(key string) map[string]any {
			return map[string]any{"key": key, "input": Text("rewritten", prompt, key)}
		})}
	case DeepEvalEvolve:
		return map[string]any{"items": texts(func(key string) map[string]any {
			return map[string]any{"key": key, "idea": "It is harder.", "input": Text("evolved", prompt, key)}
		})}
	case DeepEvalOutcome:
		return map[string]any{"items": texts(func(key string) map[string]any {
			return map[string]any{"key": key, "name": Text("case", prompt, key), "outcome": Text("outcome", prompt, key)}
		})}
	case DeepEvalOutcomes:
		return map[string]any{"items": texts(func(key string) map[string]any {
			return map[string]any{"key": key, "problem": "", "score": 0.9, "answerable": true, "supported": true}
		})}
	default: // DeepEvalCritic
		return map[string]any{"items": texts(func(key string) map[string]any {
			return map[string]any{"key": key, "problem": "", "score": 0.9}
		})}
	}
}

// Text is a text that only these parts give, and that is near no other one.
func Text(start string, parts ...string) string {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p)) // never fails
		h.Write([]byte{0})
	}
	x := h.Sum64()
	return fmt.Sprintf("%s %016x %016x %016x", start, mix(x), mix(x+1), mix(x+2))
}

// mix spreads the bits of x.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}
