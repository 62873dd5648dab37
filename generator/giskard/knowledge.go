package giskard

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/vector"
	"github.com/casebook-go/casebook/model"
)

// Input is what a knowledge base is made of, and what makes it. Give documents
// or rows.
type Input struct {
	Documents []*model.Document
	Rows      []Row
	// Model serves every call; required. It is called as it is: put [llm.Retry],
	// and [llm.Adaptive] around that, around the bare client of a provider.
	Model llm.Client
	// Embedder may be nil: then likeness is by words.
	Embedder llm.Embedder
	Log      *slog.Logger // may be nil
}

// KnowledgeBase is documents cut into passages, each with its topic and its
// neighbours. It does not change; it is safe for concurrent use.
type KnowledgeBase struct {
	Language string // of the options, else of most of the text; empty if unknown
	Topics   []Topic
	// Notices are what went wrong and did not stop the work: topics named by code,
	// vectors of words in place of the embedder's.
	Notices []error

	o        Options
	docs     []*model.Document
	size     int // of the documents, in bytes
	chunks   []chunk.Chunk
	texts    []string // of the chunks, each on one line
	topicOf  []int    // of each chunk
	vectors  [][]float32
	near     [][]int // kept neighbours of each chunk, best first
	nearest  []int   // of each chunk, kept or not; -1 for none
	embedder llm.Embedder
	lexical  llm.Embedder
	dense    bool        // the embedder is not the lexical one
	words    [][]float32 // lexical vectors of the chunks
	hash     string
	unknown  map[string]bool // policies on what the agent cannot answer
	model    llm.Client
	log      *slog.Logger

	// Of the passages, once a topic is named by code.
	wordSets   [][]string
	everywhere map[string]int
}

// Topic is a cluster of the base's documents.
type Topic struct {
	Name      string
	Documents []string // their ids, in order
}

// Build makes a knowledge base: cuts the documents, embeds each passage once,
// clusters and names topics. A failure to name or embed is a notice, not an
// error. Errors are *[OptionError], *[RowError], [ErrEmpty], or that of ctx.
func Build(ctx context.Context, in *Input, o *Options) (*KnowledgeBase, error) {
	if in != nil && in.Model == nil {
		return nil, &OptionError{Option: "Input.Model", Reason: "there is no model; give a client"}
	}
	src, opts, err := in.source(o)
	if err != nil {
		return nil, err
	}
	return build(ctx, src, opts)
}

// source cuts the input.
func (in *Input) source(o *Options) (*source, Options, error) {
	opts, err := o.defaulted()
	if err != nil {
		return nil, opts, err
	}
	switch {
	case in == nil:
		return nil, opts, &OptionError{Option: "Input", Reason: "there is none; give documents or rows, and a model"}
	case len(in.Documents) == 0 && len(in.Rows) == 0:
		return nil, opts, ErrEmpty
	case len(in.Documents) > 0 && len(in.Rows) > 0:
		return nil, opts, &OptionError{Option: "Input", Reason: "there are documents and rows; give one of them"}
	case slices.Contains(in.Documents, nil):
		return nil, opts, &OptionError{Option: "Input.Documents", Reason: fmt.Sprintf("number %d is nil; leave it out", slices.Index(in.Documents, nil)+1)}
	}
	src := &source{docs: in.Documents, model: in.Model, embedder: in.Embedder, log: in.Log, language: opts.Language}
	if len(in.Rows) == 0 {
		src.chunks = passages(src.docs, opts.PassageTokens)
		return src, opts, nil
	}
	limit := opts.PassageTokens
	if limit == 0 {
		limit = defaultRowTokens
	}
	doc, cut, err := rowChunks(in.Rows, limit)
	if err != nil {
		return nil, opts, err
	}
	src.docs, src.chunks = []*model.Document{doc}, cut
	return src, opts, nil
}

// source is what a base is built of.
type source struct {
	docs     []*model.Document
	chunks   []chunk.Chunk
	model    llm.Client
	embedder llm.Embedder
	log      *slog.Logger
	language string
	policies []model.Policy // which the naming call is asked about
}

// A row is a document by itself, cut only if it is long.
const defaultRowTokens = 400

// enough is how many passages a base should have, so that there are topics,
// neighbours and other documents to draw from.
const enough = 12

// passages cuts documents. Where no size is given, short documents are cut finer
// so that there is more than one passage to choose from.
func passages(docs []*model.Document, tokens int) []chunk.Chunk {
	if tokens > 0 {
		return chunk.Split(docs, &chunk.Options{MaxTokens: tokens})
	}
	var out []chunk.Chunk
	for size := defaultTokens; size >= defaultTokens/8; size /= 2 {
		cut := chunk.Split(docs, &chunk.Options{MaxTokens: size, MinTokens: size / 4})
		if out == nil || len(cut) > len(out) {
			out = cut
		}
		if len(out) >= enough {
			break
		}
	}
	return out
}

func build(ctx context.Context, src *source, o Options) (*KnowledgeBase, error) {
	if len(src.chunks) == 0 {
		return nil, ErrEmpty
	}
	kb := &KnowledgeBase{
		Language: src.language, o: o, docs: src.docs, chunks: src.chunks, model: src.model, log: src.log,
	}
	if kb.log == nil {
		kb.log = slog.New(slog.DiscardHandler)
	}
	texts := make([]string, len(kb.chunks))
	for i := range kb.chunks {
		texts[i] = kb.chunks[i].Text
		kb.texts = append(kb.texts, clean(texts[i]))
	}
	if kb.Language == "" {
		kb.Language = languageOf(texts)
	}
	for _, d := range kb.docs {
		kb.size += len(d.Bytes())
	}
	kb.hash = hashOf(texts, o)
	if err := kb.embed(ctx, src.embedder, texts); err != nil {
		return nil, err
	}
	kb.link()
	clusters := vector.Cluster(kb.vectors, &vector.ClusterOptions{Max: o.MaxTopics})
	if err := kb.name(ctx, clusters, src.policies); err != nil {
		return nil, err
	}
	return kb, nil
}

// languageOf is the language of most of the text.
func languageOf(texts []string) string {
	votes := map[string]int{}
	var order []string
	for _, t := range texts {
		code := lang.Detect(t)
		if code == "" {
			continue
		}
		if votes[code] == 0 {
			order = append(order, code)
		}
		votes[code] += len(t)
	}
	best := ""
	for _, code := range order {
		if best == "" || votes[code] > votes[best] {
			best = code
		}
	}
	return best
}

func (kb *KnowledgeBase) embed(ctx context.Context, e llm.Embedder, texts []string) error {
	kb.lexical = llm.NewLexical(texts)
	var err error
	if kb.words, err = vector.Embed(ctx, kb.lexical, texts); err != nil {
		return err
	}
	kb.embedder, kb.vectors = kb.lexical, kb.words
	if e == nil {
		return nil
	}
	vs, err := vector.Embed(ctx, e, texts)
	var fell *vector.FallbackError
	switch {
	case errors.As(err, &fell):
		kb.Notices = append(kb.Notices, err)
		kb.log.Warn("giskard: likeness is by words", "error", err.Error())
	case err != nil:
		return err
	default:
		kb.embedder, kb.vectors, kb.dense = e, vs, true
	}
	return nil
}

// link finds each passage's neighbours. One is kept if it is as near as half of
// all passages' last candidates are to theirs: a cut by rank, whatever the model
// of the vectors makes of cosines.
func (kb *KnowledgeBase) link() {
	all := vector.Nearest(kb.vectors, kb.o.Neighbours)
	var last []float64
	for _, ns := range all {
		if len(ns) > 0 {
			last = append(last, ns[len(ns)-1].Cosine)
		}
	}
	slices.Sort(last)
	cut := 0.0
	if len(last) > 0 {
		cut = last[len(last)/2]
	}
	kb.near, kb.nearest = make([][]int, len(all)), make([]int, len(all))
	for i, ns := range all {
		kb.nearest[i] = -1
		for k, n := range ns {
			if k == 0 {
				kb.nearest[i] = n.Index
			}
			if n.Cosine > 0 && n.Cosine >= cut {
				kb.near[i] = append(kb.near[i], n.Index)
			}
		}
	}
}

// context returns the passages of a question about one: itself, then its
// neighbours, at least least of them if the base has that many.
func (kb *KnowledgeBase) context(seed, least int) []int {
	out := append([]int{seed}, kb.near[seed]...)
	if len(out) < least && kb.nearest[seed] >= 0 && !slices.Contains(out, kb.nearest[seed]) {
		out = append(out, kb.nearest[seed])
	}
	return out
}

// find returns the k passages that are nearest to a text, by the vectors of the
// base and by words, over the whole base. e is the embedder of the call; it is
// not asked where the base's vectors are not its own.
func (kb *KnowledgeBase) find(ctx context.Context, e llm.Embedder, texts []string, k int) ([][]int, error) {
	if !kb.dense {
		e = kb.lexical
	}
	out := make([][]int, len(texts))
	add := func(vs, queries [][]float32) {
		for i, q := range queries {
			for _, n := range vector.Search(vs, q, k) {
				if !slices.Contains(out[i], n.Index) {
					out[i] = append(out[i], n.Index)
				}
			}
		}
	}
	vs, err := vector.Embed(ctx, e, texts)
	var fell *vector.FallbackError
	switch {
	case errors.As(err, &fell): // of other words than the base's: of no use here
	case err != nil:
		return nil, err
	default:
		add(kb.vectors, vs)
	}
	if vs, err = vector.Embed(ctx, kb.lexical, texts); err != nil {
		return nil, err
	}
	add(kb.words, vs)
	return out, nil
}

// hashOf is the identity of a base: its texts, and the options that change what
// is made of them.
func hashOf(texts []string, o Options) string {
	h := sha256.New()
	var n [8]byte
	for _, t := range texts {
		binary.LittleEndian.PutUint64(n[:], uint64(len(t)))
		h.Write(n[:])
		h.Write([]byte(t))
	}
	o.Concurrency = 0 // which changes nothing but the time
	b, err := json.Marshal(o)
	if err != nil { // only of a number that is none, which defaulted refuses
		b = fmt.Append(nil, err)
	}
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// call is what the stages need to know, for questions outside a run.
func (kb *KnowledgeBase) call() *generator.Call {
	return &generator.Call{
		ID: "giskard/" + kb.hash, Seed: kb.o.Seed, Documents: kb.docs, Language: kb.Language, Profile: model.SupportBot(),
		UseCase: model.UseCase{Name: kb.o.Agent}, Model: kb.model, Embedder: kb.embedder, Log: kb.log,
	}
}
