package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/orchestrate"
)

// provide chooses the model by flags and environment, or says in one line that
// the run works offline. The recording is nil unless one is asked for.
func (s *settings) provide(t *terminal, opts *orchestrate.Options) (*recording, error) {
	name, base, key := s.model, s.baseURL, t.env("OPENAI_API_KEY")
	if name == "" {
		name = t.env("OPENAI_MODEL")
	}
	if base == "" {
		base = t.env("OPENAI_BASE_URL")
	}
	if s.priceIn > 0 && name != "" {
		opts.Prices = llm.Prices{name: {Input: s.priceIn, Cached: s.priceIn, CacheWrite: s.priceIn, Output: s.priceOut}}
	}
	switch {
	case s.offline:
		fmt.Fprintln(t.err, "working offline, as --offline says: no model is used")
		return nil, nil
	case s.replay != "":
		f, err := os.Open(s.replay)
		if err != nil {
			return nil, usage("--replay %s cannot be read: %v", s.replay, reason(err))
		}
		client, err := llm.Replay(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, usage("--replay %s: %w", s.replay, err)
		}
		opts.Client, opts.ProviderName, opts.ModelName = client, "replay", name
		if name == "" {
			opts.ModelName = "recorded"
		}
		return nil, nil
	case key == "" && base == "":
		return nil, s.modelless(t, "no OPENAI_API_KEY and no --base-url is given")
	case name == "":
		return nil, s.modelless(t, "no model is named by --model or OPENAI_MODEL")
	}
	client, err := openai.New(openai.Options{APIKey: key, BaseURL: base, Model: name})
	if err != nil {
		return nil, usage("%w", err)
	}
	opts.Client, opts.ModelName, opts.ProviderName = client, name, "openai"
	if base != "" {
		opts.ProviderName = "openai-compatible"
	}
	opts.Capabilities = client.Capabilities()
	if s.record == "" {
		s.embed(t, client, opts)
		return nil, nil
	}
	f, err := os.OpenFile(s.record, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, usage("--record %s exists already; name a new file, or answer from it with --replay", s.record)
	}
	if err != nil {
		return nil, usage("--record %s cannot be written: %v", s.record, reason(err))
	}
	opts.Record = llm.NewRecordWriter(f)
	return &recording{s.record, f}, nil
}

// recording is the file of --record; nil for a run without one.
type recording struct {
	path string
	file *os.File
}

func (r *recording) close() error {
	if r == nil {
		return nil
	}
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("the recording %s may be incomplete: %w", r.path, err)
	}
	return nil
}

// abandon removes the recording of a run of which nothing is kept, unless it
// holds a reply: that was paid for.
func (r *recording) abandon() {
	if r == nil {
		return
	}
	_ = r.file.Close() // closed already, or of no use
	b, err := os.ReadFile(r.path)
	if err != nil {
		return
	}
	for line := range bytes.Lines(b) {
		var call struct{ Error json.RawMessage }
		if json.Unmarshal(line, &call) != nil || call.Error == nil {
			return
		}
	}
	_ = os.Remove(r.path) // else the name is taken at the next try, which then says so
}

// embed has the endpoint compare texts when a model for it is named. A name in
// the environment is passed over where a budget of dollars has no price for it.
func (s *settings) embed(t *terminal, client *openai.Client, opts *orchestrate.Options) {
	name := s.embedding
	if name == "" {
		name = t.env("OPENAI_EMBEDDING_MODEL")
	}
	if name == "" || s.budgetUSD > 0 && s.priceEmbedding == 0 {
		return
	}
	opts.Embedder = client.Embedder(name)
	if s.priceEmbedding > 0 {
		if opts.Prices == nil {
			opts.Prices = llm.Prices{}
		}
		opts.Prices[name] = llm.Price{Input: s.priceEmbedding, Cached: s.priceEmbedding, CacheWrite: s.priceEmbedding}
	}
}

// modelless says that a run works without a model and why, and keeps for its end
// which flags then did nothing. It refuses a recording of such a run.
func (s *settings) modelless(t *terminal, why string) error {
	if s.record != "" {
		return usage("--record has nothing to record: name a model and its endpoint")
	}
	line := "working offline: " + why
	if s.command == "generate" {
		line += "; texts are made by rules"
	}
	fmt.Fprintln(t.err, line)
	var idle []string
	for _, name := range []string{"model", "base-url", "embedding-model", "budget-usd", "max-calls", "max-tokens"} {
		if s.given[name] {
			idle = append(idle, "--"+name)
		}
	}
	if len(idle) > 0 {
		s.idle = fmt.Sprintf("note: no model was used, so that %s did nothing: %s", strings.Join(idle, " and "), why)
	}
	return nil
}
