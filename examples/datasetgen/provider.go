package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/casebook-go/casebook/adapters/openai"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/orchestrate"
)

// provide chooses the model by flags and environment, or says in one line that
// the run works offline. finish ends a recording.
func (s *settings) provide(t *terminal, opts *orchestrate.Options) (finish func() error, err error) {
	finish = func() error { return nil }
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
		return finish, nil
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
		return finish, nil
	case key == "" && base == "":
		fmt.Fprintln(t.err, "working offline: no OPENAI_API_KEY and no --base-url is given; texts are made by rules")
		return finish, s.unrecorded()
	case name == "":
		fmt.Fprintln(t.err, "working offline: no model is named by --model or OPENAI_MODEL; texts are made by rules")
		return finish, s.unrecorded()
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
		return finish, nil
	}
	f, err := os.OpenFile(s.record, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, usage("--record %s exists already; name a new file, or answer from it with --replay", s.record)
	}
	if err != nil {
		return nil, usage("--record %s cannot be written: %v", s.record, reason(err))
	}
	opts.Record = llm.NewRecordWriter(f)
	return func() error {
		if err := f.Close(); err != nil {
			return fmt.Errorf("the recording %s may be incomplete: %w", s.record, err)
		}
		return nil
	}, nil
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

// unrecorded refuses a recording of a run without a model.
func (s *settings) unrecorded() error {
	if s.record != "" {
		return usage("--record has nothing to record: name a model and its endpoint")
	}
	return nil
}
