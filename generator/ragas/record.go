package ragas

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"

	"github.com/casebook-go/casebook/internal/loose"
)

// Format is the format of the records: Ragas' samples, as its Testset writes
// them.
const Format = "ragas.sample"

// Sample is a record of Ragas. What is empty is left out of its JSON, as Ragas
// does, but for user_input.
type Sample struct {
	// UserInput is the question; a multi-turn sample has Turns in its place.
	UserInput           string
	Turns               []Turn
	RetrievedContexts   []string
	ReferenceContexts   []string // those of multi-hop samples are tagged, see [Tag]
	RetrievedContextIDs []string
	ReferenceContextIDs []string
	Response            string
	MultiResponses      []string
	Reference           string
	Rubrics             map[string]string
	PersonaName         string
	QueryStyle          string // MISSPELLED, PERFECT_GRAMMAR, POOR_GRAMMAR, WEB_SEARCH_LIKE
	QueryLength         string // LONG, MEDIUM, SHORT
	SynthesizerName     string

	// Extra holds every other key, such as evolution_type of release 0.1, and
	// known keys whose value has another type than Ragas gives it. They are
	// written back.
	Extra map[string]json.RawMessage
}

// Turn is a message of a multi-turn sample. Type is "human", "ai" or "tool".
type Turn struct {
	Content string
	Type    string
	Extra   map[string]json.RawMessage // such as tool_calls
}

var hopTag = regexp.MustCompile(`^<(\d+)-hop>(?:\n\n|\s*)`)

// Tag marks the context of a multi-hop sample with the number of its hop, from 1.
func Tag(hop int, context string) string {
	return "<" + strconv.Itoa(hop) + "-hop>\n\n" + context
}

// Untag returns a context without its tag, and the number of its hop; 0 means
// that it has none.
func Untag(context string) (text string, hop int) {
	m := hopTag.FindStringSubmatch(context)
	if m == nil {
		return context, 0
	}
	hop, err := strconv.Atoi(m[1])
	if err != nil {
		return context, 0
	}
	return context[len(m[0]):], hop
}

// names are the spellings of other releases and the values of the enumerations.
var names = map[string]string{
	"single_hop_specifc_query_synthesizer": "single_hop_specific_query_synthesizer",
	"misspelled queries":                   "MISSPELLED",
	"perfect grammar":                      "PERFECT_GRAMMAR",
	"poor grammar":                         "POOR_GRAMMAR",
	"web search like queries":              "WEB_SEARCH_LIKE",
	"long":                                 "LONG",
	"medium":                               "MEDIUM",
	"short":                                "SHORT",
}

func named(s string) string {
	if i := strings.LastIndexByte(s, '.'); i >= 0 && (strings.HasPrefix(s, "QueryStyle.") || strings.HasPrefix(s, "QueryLength.")) {
		s = s[i+1:]
	}
	if n, ok := names[strings.ToLower(s)]; ok {
		return n
	}
	return s
}

// Parse reads a sample of any release: it accepts the columns of 0.0 and 0.1
// (question, contexts, ground_truth, ...), annotated samples (eval_sample),
// misspelt names, values that a CSV file holds as text (JSON, Python literals),
// numbers where a text belongs, and NaN. Styles, lengths and synthesizers get
// the names of today. It fails if b is no JSON object.
func Parse(b []byte) (*Sample, error) {
	f, err := loose.Parse(b)
	if err != nil {
		return nil, err
	}
	if inner, ok := loose.Members(f["eval_sample"]); ok && inner != nil {
		delete(f, "eval_sample")
		for k, v := range inner {
			if loose.IsNull(f[k]) {
				f[k] = v
			}
		}
	}
	s := &Sample{}
	f.Take(s.takeInput, "user_input", "question")
	f.TakeTexts(&s.RetrievedContexts, "retrieved_contexts")
	f.TakeTexts(&s.ReferenceContexts, "reference_contexts", "contexts", "ground_truth_context")
	f.TakeTexts(&s.RetrievedContextIDs, "retrieved_context_ids")
	f.TakeTexts(&s.ReferenceContextIDs, "reference_context_ids")
	f.TakeText(&s.Response, "response", "answer")
	f.TakeTexts(&s.MultiResponses, "multi_responses")
	f.Take(s.takeReference, "reference", "ground_truth", "ground_truths")
	f.TakePairs(&s.Rubrics, "rubrics", "rubric")
	f.TakeText(&s.PersonaName, "persona_name")
	f.TakeText(&s.QueryStyle, "query_style")
	f.TakeText(&s.QueryLength, "query_length")
	f.TakeText(&s.SynthesizerName, "synthesizer_name")
	s.QueryStyle, s.QueryLength, s.SynthesizerName = named(s.QueryStyle), named(s.QueryLength), named(s.SynthesizerName)
	s.Extra = f.Rest()
	return s, nil
}

// takeReference reads a text, or the list of texts that the first releases had.
func (s *Sample) takeReference(raw json.RawMessage) bool {
	if text, ok := loose.Text(raw); ok && !strings.HasPrefix(strings.TrimSpace(text), "[") {
		s.Reference = text
		return true
	}
	texts, ok := loose.Texts(raw)
	if ok {
		s.Reference = strings.Join(texts, "\n")
	}
	return ok
}

// takeInput reads a text, or the list of messages of a multi-turn sample.
func (s *Sample) takeInput(raw json.RawMessage) bool {
	var items []json.RawMessage
	if json.Unmarshal(loose.Inner(raw), &items) != nil || len(items) == 0 {
		text, ok := loose.Text(raw)
		s.UserInput = text
		return ok
	}
	turns := make([]Turn, len(items))
	for i, item := range items {
		f, ok := loose.Members(item)
		if !ok || f == nil {
			// A question that happens to read like a list is a text.
			text, ok := loose.Text(raw)
			s.UserInput = text
			return ok
		}
		f.TakeText(&turns[i].Content, "content")
		f.TakeText(&turns[i].Type, "type")
		turns[i].Extra = f.Rest()
	}
	s.Turns = turns
	return true
}

// UnmarshalJSON reads a sample as [Parse] does.
func (s *Sample) UnmarshalJSON(b []byte) error {
	got, err := Parse(b)
	if err != nil {
		return err
	}
	*s = *got
	return nil
}

// JSON returns the record: the keys of Ragas' Testset in its order without the
// empty ones, then the other keys, sorted. It fails only if a raw value is no
// JSON.
func (s *Sample) JSON() (json.RawMessage, error) {
	o := &loose.Object{Rest: s.Extra}
	if s.Turns == nil {
		o.PutText("user_input", s.UserInput)
	} else {
		turns := make([]json.RawMessage, len(s.Turns))
		for i, t := range s.Turns {
			m := &loose.Object{Rest: t.Extra}
			m.PutText("content", t.Content)
			m.PutText("type", t.Type)
			b, err := m.Bytes()
			if err != nil {
				return nil, err
			}
			turns[i] = b
		}
		o.Put("user_input", turns)
	}
	o.Opt("retrieved_contexts", s.RetrievedContexts)
	o.Opt("reference_contexts", s.ReferenceContexts)
	o.Opt("retrieved_context_ids", s.RetrievedContextIDs)
	o.Opt("reference_context_ids", s.ReferenceContextIDs)
	o.Opt("response", s.Response)
	o.Opt("multi_responses", s.MultiResponses)
	o.Opt("reference", s.Reference)
	o.Opt("rubrics", s.Rubrics)
	o.Opt("persona_name", s.PersonaName)
	o.Opt("query_style", s.QueryStyle)
	o.Opt("query_length", s.QueryLength)
	o.Opt("synthesizer_name", s.SynthesizerName)
	return o.Bytes()
}

// MarshalJSON writes what [Sample.JSON] returns.
func (s Sample) MarshalJSON() ([]byte, error) { return s.JSON() }
