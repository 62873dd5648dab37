// Package giskard reads and writes the questions of Giskard.
//
// # What it reads
//
// Files of QATestset.save (JSON lines) and of its DataFrames (CSV, JSON). In a
// question:
//
//	conversation_history + question   the message of the user: what the user says
//	                                  in the history and the question, or a refusal
//	reference_answer                  the expected output
//	metadata.question_type            the parameter "question_type"
//	metadata.topic                    the parameter "topic"
//	reference_context, all else       Metadata.Native, where the record is kept whole
//
// A question without an id gets one from its text.
//
// # What it writes
//
// The QATestset, as JSON lines. Its loader takes digits for numbers, so that an
// id of digits alone gets a letter; question_type and topic are always there,
// since its report needs them. Of an example that is no question:
//
//	id                 the id of the example
//	question           the message; a correction is one message with the dialogue
//	                   and the draft
//	reference_answer   the expected output
//	reference_context  the evidence of its policies, each as a document with the
//	                   policy's number in the dataset
//	metadata           question_type "simple", the first policy's number as
//	                   seed_document_id, the use case's name as topic, and under
//	                   "casebook" all else: see [adapters.Carried]
package giskard

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"regexp"
	"strconv"
	"strings"

	"github.com/casebook-go/casebook/adapters"
	"github.com/casebook-go/casebook/adapters/internal/frame"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/internal/loose"
	"github.com/casebook-go/casebook/model"
)

// CheckHistory is the check of the refusals of questions with a history.
const CheckHistory = frame.CheckHistory

// Options change how questions are read. The zero value is ready.
type Options struct {
	// RefuseHistory refuses questions with a conversation history; else what the
	// user says in it comes before the question, in one message.
	RefuseHistory bool
	// OutOfScope is the expected output of questions out of scope, in the place
	// of Giskard's, which is the same English sentence for all languages; "" keeps
	// it.
	OutOfScope string
}

// New returns the exchange with Giskard.
func New(o Options) adapters.Framework { return &exchange{o} }

type exchange struct{ o Options }

func (*exchange) Format() string { return giskard.Format }

func (*exchange) Decode(r io.Reader) iter.Seq2[generator.Record, error] {
	return frame.Decode(giskard.Format, loose.Giskard, r, func(b []byte) (json.RawMessage, error) {
		q, err := giskard.Parse(b)
		if err != nil {
			return nil, err
		}
		if q.ID == "" {
			q.ID = identify(q)
		}
		return q.JSON()
	})
}

// identify returns an id that follows from the question.
func identify(q *giskard.Question) string {
	sum := sha256.Sum256([]byte(q.Question + "\x00" + q.ReferenceAnswer))
	return "q_" + hex.EncodeToString(sum[:6])
}

func (*exchange) Encode(w io.Writer, recs []generator.Record) error {
	out := make([]json.RawMessage, len(recs))
	for i, rec := range recs {
		q, err := parse(rec)
		if err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
		switch {
		case q.ID == "":
			q.ID = identify(q)
		case strings.Trim(q.ID, "0123456789.+-eE_ ") == "":
			q.ID = "q_" + q.ID
		}
		if q.Metadata.QuestionType == "" {
			q.Metadata.QuestionType = "simple"
		}
		if q.Metadata.Topic == "" {
			q.Metadata.Topic = "Others"
		}
		if out[i], err = q.JSON(); err != nil {
			return fmt.Errorf("record %d: %w", i, err)
		}
	}
	return frame.Lines(w, out, false)
}

func parse(rec generator.Record) (*giskard.Question, error) {
	q, err := giskard.Parse(rec.JSON)
	if err != nil {
		return nil, fmt.Errorf("it is no question: %w", err)
	}
	return q, nil
}

func (x *exchange) Adapt(ctx context.Context, call *generator.Call, out *generator.Output) (*model.Batch, error) {
	return frame.Adapt(ctx, giskard.Format, call, out, func(_ int, rec generator.Record) (*frame.Reading, error) {
		q, err := parse(rec)
		if err != nil {
			return nil, err
		}
		delete(q.Metadata.Extra, frame.Key)
		r := &frame.Reading{
			Input: input(q), Output: q.ReferenceAnswer,
			Parameters: map[string]string{"question_type": q.Metadata.QuestionType, "topic": q.Metadata.Topic},
		}
		if q.Metadata.QuestionType == "out of scope" && rec.Notes == nil && x.o.OutOfScope != "" {
			r.Output = x.o.OutOfScope
		}
		if len(q.ConversationHistory) > 0 && x.o.RefuseHistory {
			r.Check, r.Refused = CheckHistory, fmt.Sprintf("it has a history of %d turns, and an example has one message", len(q.ConversationHistory))
		}
		for _, k := range []string{"question", "reference_answer", "conversation_history"} {
			if v, ok := q.Extra[k]; ok {
				return nil, fmt.Errorf("%s is %s, which cannot be read as one", k, loose.Kind(v))
			}
		}
		r.Native, err = q.JSON()
		return r, err
	})
}

// input returns what the user says in the history, and the question.
func input(q *giskard.Question) string {
	var said []string
	for _, m := range q.ConversationHistory {
		if m.Role == model.RoleUser && strings.TrimSpace(m.Content) != "" {
			said = append(said, m.Content)
		}
	}
	if strings.TrimSpace(q.Question) == "" {
		return ""
	}
	return strings.Join(append(said, q.Question), "\n")
}

var document = regexp.MustCompile(`(?:^|\n\n)Document ([^:\n]{1,64}): `)

// Contexts returns the documents of the reference context. Where they begin is
// not certain, since a document may itself hold what looks like a beginning: the
// first one and the seed are taken as such, and any number.
func (*exchange) Contexts(rec generator.Record) ([]string, error) {
	q, err := parse(rec)
	if err != nil {
		return nil, err
	}
	text := q.ReferenceContext
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var starts, ends []int // of the beginnings
	for _, m := range document.FindAllStringSubmatchIndex(text, -1) {
		id := text[m[2]:m[3]]
		if _, err := strconv.Atoi(id); m[0] == 0 || id == q.Metadata.SeedDocumentID || err == nil {
			starts, ends = append(starts, m[0]), append(ends, m[1])
		}
	}
	if len(starts) == 0 || starts[0] > 0 {
		return []string{text}, nil
	}
	var out []string
	for i := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		out = append(out, text[ends[i]:end])
	}
	return out, nil
}

func (*exchange) FromDataset(d *model.Dataset) ([]generator.Record, error) {
	return frame.FromDataset(d, attach, strip)
}

// attach returns the record of an example with what it carries.
func attach(e *frame.Exported, carried json.RawMessage) (json.RawMessage, error) {
	q := question(e)
	if q.Metadata.Extra == nil {
		q.Metadata.Extra = map[string]json.RawMessage{}
	}
	q.Metadata.Extra[frame.Key] = carried
	return q.JSON()
}

func question(e *frame.Exported) *giskard.Question {
	if q, ok := native(e.Example.Metadata.Native); ok {
		if input(q) != e.Input {
			q.Question, q.ConversationHistory = e.Input, nil
		}
		if strings.TrimSpace(q.ReferenceAnswer) != e.Example.ExpectedOutput {
			q.ReferenceAnswer = e.Example.ExpectedOutput
		}
		return q
	}
	q := &giskard.Question{ID: e.Example.ID, Question: e.Input, ReferenceAnswer: e.Example.ExpectedOutput}
	q.Metadata.QuestionType, q.Metadata.Topic = "simple", "Others"
	if e.UseCase != nil {
		q.Metadata.Topic = e.UseCase.Name
	}
	var docs []string
	for _, c := range e.Evidence {
		docs = append(docs, "Document "+strconv.Itoa(c.Policy)+": "+c.Quote)
	}
	q.ReferenceContext = strings.Join(docs, "\n\n")
	if len(e.Evidence) > 0 {
		q.Metadata.SeedDocumentID = strconv.Itoa(e.Evidence[0].Policy)
	}
	return q
}

func native(raw json.RawMessage) (*giskard.Question, bool) {
	f, err := loose.Parse(raw)
	if err != nil || !loose.Giskard.Match(func(k string) bool { _, ok := f[k]; return ok }) {
		return nil, false
	}
	q, err := giskard.Parse(raw)
	return q, err == nil
}

// strip takes off what a record carries; nil if that is nothing.
func strip(rec json.RawMessage) (carried, bare json.RawMessage, err error) {
	q, err := parse(generator.Record{JSON: rec})
	if err != nil {
		return nil, nil, err
	}
	carried = loose.Inner(q.Metadata.Extra[frame.Key])
	delete(q.Metadata.Extra, frame.Key)
	bare, err = q.JSON()
	return carried, bare, err
}

func (*exchange) Carried(rec generator.Record) (*adapters.Carried, generator.Record, error) {
	carried, bare, err := strip(rec.JSON)
	if err != nil || carried == nil {
		return nil, rec, err
	}
	rec.JSON = bare
	q, err := parse(rec)
	if err != nil {
		return nil, rec, err
	}
	c, err := frame.Carried(carried, bare, &frame.Texts{Input: input(q), Output: q.ReferenceAnswer})
	return c, rec, err
}
