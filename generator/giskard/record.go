package giskard

import (
	"encoding/json"
	"strconv"

	"github.com/casebook-go/casebook/internal/loose"
)

// Format is the format of the records: Giskard's questions, as its QATestset
// writes them.
const Format = "giskard.question"

// Question is a record of Giskard.
type Question struct {
	ID              string
	Question        string
	ReferenceAnswer string
	// ReferenceContext is the documents in one text, parted by blank lines, each
	// after "Document <id>: ".
	ReferenceContext    string
	ConversationHistory []Message // before the question
	Metadata            Metadata

	// Extra holds every other key (agent_answer, correctness), and known keys
	// whose value has another type than Giskard gives it. They are written back.
	Extra map[string]json.RawMessage
}

// Message is a turn of the history. Role is "user" or "assistant".
type Message struct {
	Role    string
	Content string
	Extra   map[string]json.RawMessage // every other key
}

// Metadata is what Giskard says of a question.
type Metadata struct {
	// QuestionType is "simple", "complex", "distracting element", "situational",
	// "double", "conversational" or "out of scope"; of ours also "multi-context".
	QuestionType string
	// SeedDocumentID is written as a number if it is one.
	SeedDocumentID     string
	DistractingContext string         // of distracting elements
	SituationalContext string         // of situational questions
	OriginalQuestions  []QuestionPair // of double questions
	FakeFact           string         // of questions out of scope
	Topic              string
	// Extra holds every other key. Questions made here have "components", "seed",
	// "temperature", "neighbour_document_ids" and "distracting_document_id".
	Extra map[string]json.RawMessage
}

// QuestionPair is one half of a double question.
type QuestionPair struct {
	Question string `json:"question"`
	Answer   string `json:"answer"`
}

// Parse reads a question of any release. It accepts values that a CSV file holds
// as text (JSON, Python literals), numbers where a text belongs, and NaN. It
// fails if b is no JSON object.
func Parse(b []byte) (*Question, error) {
	f, err := loose.Parse(b)
	if err != nil {
		return nil, err
	}
	q := &Question{}
	f.TakeText(&q.ID, "id")
	f.TakeText(&q.Question, "question")
	f.TakeText(&q.ReferenceAnswer, "reference_answer")
	f.TakeText(&q.ReferenceContext, "reference_context")
	f.Take(q.takeHistory, "conversation_history")
	f.Take(q.takeMetadata, "metadata")
	q.Extra = f.Rest()
	return q, nil
}

func (q *Question) takeHistory(raw json.RawMessage) bool {
	turns, ok := loose.List(raw, func(f loose.Fields) (t Message) {
		f.TakeText(&t.Role, "role")
		f.TakeText(&t.Content, "content")
		t.Extra = f.Rest()
		return t
	})
	if len(turns) > 0 {
		q.ConversationHistory = turns
	}
	return ok
}

func (q *Question) takeMetadata(raw json.RawMessage) bool {
	f, ok := loose.Members(raw)
	if !ok {
		return false
	}
	m := &q.Metadata
	f.TakeText(&m.QuestionType, "question_type")
	f.TakeText(&m.SeedDocumentID, "seed_document_id")
	f.TakeText(&m.DistractingContext, "distracting_context")
	f.TakeText(&m.SituationalContext, "situational_context")
	f.Take(m.takePairs, "original_questions")
	f.TakeText(&m.FakeFact, "fake_fact")
	f.TakeText(&m.Topic, "topic")
	m.Extra = f.Rest()
	return true
}

func (m *Metadata) takePairs(raw json.RawMessage) bool {
	var items []json.RawMessage
	if json.Unmarshal(loose.Inner(raw), &items) != nil {
		return false
	}
	pairs := make([]QuestionPair, len(items))
	for i, item := range items {
		f, ok := loose.Members(item)
		if !ok || f == nil {
			return false
		}
		f.TakeText(&pairs[i].Question, "question")
		f.TakeText(&pairs[i].Answer, "answer")
		if f.Rest() != nil {
			return false
		}
	}
	m.OriginalQuestions = pairs
	return true
}

// UnmarshalJSON reads a question as [Parse] does.
func (q *Question) UnmarshalJSON(b []byte) error {
	got, err := Parse(b)
	if err != nil {
		return err
	}
	*q = *got
	return nil
}

// JSON returns the record: the keys of Giskard's QATestset in its order, then
// the other keys, sorted. Of the metadata, what is empty is left out. It fails
// only if a raw value is no JSON.
func (q *Question) JSON() (json.RawMessage, error) {
	history := make([]json.RawMessage, len(q.ConversationHistory))
	for i, t := range q.ConversationHistory {
		o := &loose.Object{Rest: t.Extra}
		o.PutText("role", t.Role)
		o.PutText("content", t.Content)
		b, err := o.Bytes()
		if err != nil {
			return nil, err
		}
		history[i] = b
	}
	meta, err := q.Metadata.json()
	if err != nil {
		return nil, err
	}
	o := &loose.Object{Rest: q.Extra}
	o.PutText("id", q.ID)
	o.PutText("question", q.Question)
	o.PutText("reference_answer", q.ReferenceAnswer)
	o.PutText("reference_context", q.ReferenceContext)
	if raw, ok := q.Extra["conversation_history"]; ok && len(history) == 0 {
		o.Put("conversation_history", raw)
	} else {
		o.Put("conversation_history", history)
	}
	if raw, ok := q.Extra["metadata"]; ok && string(meta) == "{}" {
		meta = raw
	}
	o.Put("metadata", meta)
	o.Opt("agent_answer", nil)
	o.Opt("correctness", nil)
	return o.Bytes()
}

func (m *Metadata) json() (json.RawMessage, error) {
	o := &loose.Object{Rest: m.Extra}
	o.Opt("question_type", m.QuestionType)
	if m.OriginalQuestions != nil {
		o.Put("original_questions", m.OriginalQuestions)
	}
	o.Opt("seed_document_id", documentID(m.SeedDocumentID))
	o.Opt("distracting_context", m.DistractingContext)
	o.Opt("situational_context", m.SituationalContext)
	o.Opt("fake_fact", m.FakeFact)
	o.Opt("topic", m.Topic)
	return o.Bytes()
}

func documentID(s string) any {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && strconv.FormatInt(n, 10) == s {
		return n
	}
	return s
}

// MarshalJSON writes what [Question.JSON] returns.
func (q Question) MarshalJSON() ([]byte, error) { return q.JSON() }
