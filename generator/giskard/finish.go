package giskard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/internal/vector"
)

// finish writes and checks the answers of slots that have an input.
func (w *work) finish(ctx context.Context, slots []*slot) []stage.Result[answer.Final] {
	o := w.answers()
	var more [][]int
	if w.kb.size > o.MaxDocument {
		// The prompts cannot hold the documents: what else they say of an input is
		// found by its words.
		more = w.kb.alike(ctx, slots)
		if w.call.Rows == nil {
			o.MaxDocument = -1 // there is no evidence to show the lines around
		}
	}
	drafts := make([]answer.Draft, len(slots))
	for i, s := range slots {
		contexts := s.contexts
		if more != nil {
			contexts = append(slices.Clone(contexts), more[i]...)
		}
		drafts[i] = answer.Draft{Row: s.row, Input: s.input, Contexts: w.kb.cut(contexts), Ask: w.ask(s), Open: s.kind == OutOfScope}
	}
	results := answer.Finish(ctx, w.call, drafts, o)
	for i := range results {
		// Of what an answer needs, only the question's own context counts.
		f, own := &results[i].Value, len(slots[i].contexts)
		f.Needs = slices.DeleteFunc(f.Needs, func(n int) bool { return n >= own })
	}
	return results
}

// alikeShown is how many passages beside its context an answer is written from.
const alikeShown = 3

// alike returns, for each slot, the passages outside of its context whose words
// are nearest to its input.
func (kb *KnowledgeBase) alike(ctx context.Context, slots []*slot) [][]int {
	out := make([][]int, len(slots))
	inputs := make([]string, len(slots))
	for i, s := range slots {
		inputs[i] = s.input
	}
	vs, err := kb.lexical.Embed(ctx, inputs)
	if err != nil { // words never fail
		return out
	}
	for i, s := range slots {
		for _, n := range vector.Search(kb.words, vs[i], alikeShown+len(s.contexts)) {
			if n.Cosine > 0 && !slices.Contains(s.contexts, n.Index) && len(out[i]) < alikeShown {
				out[i] = append(out[i], n.Index)
			}
		}
	}
	return out
}

func (w *work) answers() *answer.Options {
	return &answer.Options{
		Stage: w.stage("giskard"), Threshold: w.o.Threshold, MaxDocument: w.o.MaxDocument, Temperature: w.o.Temperature,
		Prompts: answer.Prompts{Write: w.o.Prompts.Answers, Check: w.o.Prompts.Checks, Mend: w.o.Prompts.Mends},
	}
}

// ask is what the type asks of the reply and of its check.
func (w *work) ask(s *slot) string {
	if s.row != nil && (s.row.Given != nil || s.row.Corner != "") {
		return ""
	}
	return s.kind.Demand(s.fact)
}

// cut returns passages.
func (kb *KnowledgeBase) cut(chunks []int) []chunk.Chunk {
	out := make([]chunk.Chunk, len(chunks))
	for i, c := range chunks {
		out[i] = kb.chunks[c]
	}
	return out
}

// record is the question in Giskard's form.
func (w *work) record(s *slot, f *answer.Final, alone bool) Question {
	q := Question{
		Question: f.Input, ReferenceAnswer: f.Output,
		ReferenceContext: w.kb.reference(s.contexts),
		Metadata: Metadata{
			QuestionType: string(s.kind), SeedDocumentID: w.kb.chunks[s.seed()].ID, Topic: w.kb.Topics[w.kb.topicOf[s.seed()]].Name,
			Extra: map[string]json.RawMessage{
				"components":  raw(s.kind.Components()),
				"seed":        raw(w.o.Seed),
				"temperature": raw(*w.o.Temperature),
			},
		},
	}
	m := &q.Metadata
	if len(s.contexts) > 1 {
		var ids []string
		for _, c := range s.contexts[1:] {
			ids = append(ids, w.kb.chunks[c].ID)
		}
		m.Extra["neighbour_document_ids"] = raw(ids)
	}
	switch s.kind {
	case Distracting:
		m.DistractingContext = w.kb.chunks[s.distract].Text
		m.Extra["distracting_document_id"] = raw(w.kb.chunks[s.distract].ID)
	case Situational:
		m.SituationalContext = s.situation
	case Double:
		m.OriginalQuestions = []QuestionPair{{s.message, s.answer}, {s.second, s.answer2}}
	case OutOfScope:
		m.FakeFact = s.fact
	case Conversational:
		if alone {
			q.Question = s.followUp
			q.ConversationHistory = []Message{{Role: "user", Content: s.opening}, {Role: "assistant", Content: s.assistant}}
		}
	}
	return q
}

// reference joins passages as Giskard does.
func (kb *KnowledgeBase) reference(chunks []int) string {
	var parts []string
	for _, c := range chunks {
		parts = append(parts, "Document "+kb.chunks[c].ID+": "+kb.chunks[c].Text)
	}
	return strings.Join(parts, "\n\n")
}

// raw is a value as JSON.
func raw(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil { // of texts and finite numbers: never
		return json.RawMessage("null")
	}
	return b
}

// identity is a hash of parts in the form of Giskard's ids.
func identity(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	x := hex.EncodeToString(h.Sum(nil)[:16])
	return x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:]
}
