package python

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// giskardMethod runs Giskard's RAGET: one question of one type for each slot.
type giskardMethod struct{}

func newGiskard() *giskardMethod { return &giskardMethod{} }

func (*giskardMethod) generator() (generator.Generator, error) { return giskard.New(nil) }

func (*giskardMethod) op() string { return "questions" }

// giskardBase is the knowledge base, of all passages of the documents.
type giskardBase struct {
	Passages []giskardPassage `json:"passages"`
}

type giskardPassage struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Topic string `json:"topic"` // "" for none
}

// giskardTask is what the driver makes a question of.
type giskardTask struct {
	Type        giskard.Type `json:"type"`
	Context     []string     `json:"context"`     // ids of passages, the seed document first
	Distraction string       `json:"distraction"` // id of a passage; "" for none
	Language    string       `json:"language"`
	Agent       string       `json:"agent"`
}

// giskardPlan is what the slots of a call have in common.
type giskardPlan struct {
	types  []giskard.Type    // of each slot; "" where there is nothing to make
	topics map[string]string // of passages, by their ids
}

func (*giskardMethod) prepare(ctx context.Context, w *work) (json.RawMessage, error) {
	beyond, err := giskardBeyond(ctx, w)
	if err != nil {
		return nil, err
	}
	plan := &giskardPlan{topics: giskardTopics(w.passages)}
	w.held = plan
	plan.types = giskardTypes(w, beyond)
	base := giskardBase{Passages: make([]giskardPassage, len(w.passages.all))}
	for i := range w.passages.all {
		c := &w.passages.all[i]
		base.Passages[i] = giskardPassage{ID: c.ID, Text: c.Text, Topic: plan.topics[c.ID]}
	}
	return json.Marshal(base)
}

// giskardTopics names the topics of passages: for each the outermost heading
// that tells passages of its document apart. Giskard would look for clusters and
// have each named, which takes calls, and leaves a short document with the one
// topic "Others".
func giskardTopics(p *passages) map[string]string {
	paths := map[*model.Document][][]string{}
	for i := range p.all {
		paths[p.all[i].Doc] = append(paths[p.all[i].Doc], strings.Split(p.all[i].Title, " > "))
	}
	common := map[*model.Document]int{} // how many headings all passages stand under
	for doc, all := range paths {
		n := len(all[0])
		for _, path := range all[1:] {
			k := 0
			for k < min(n, len(path)) && path[k] == all[0][k] {
				k++
			}
			n = k
		}
		common[doc] = n
	}
	out := make(map[string]string, len(p.all))
	for i := range p.all {
		path := strings.Split(p.all[i].Title, " > ")
		out[p.all[i].ID] = path[min(common[p.all[i].Doc], len(path)-1)]
	}
	return out
}

// giskardTopic is the topic of a passage.
func giskardTopic(w *work, id string) string {
	if plan, ok := w.held.(*giskardPlan); ok {
		return plan.topics[id]
	}
	return giskardTopics(w.passages)[id]
}

// mostScoped is how many policies the model is asked about by giskardBeyond.
const mostScoped = 40

type scopeReply struct {
	Rules []string `json:"rules" jsonschema_description:"Keys of the rules, for example p1. Empty when there are none."`
}

const scopeSystem = `You read rules that a business gives its assistant. Name those that say what to do when the assistant has no answer, or when what is asked is none of its business. A rule that hands over one particular kind of request is none of them. Often there are none.

` + brief.Untrusted

// giskardBeyond returns the policies on what the assistant cannot answer, which
// alone are shown by a question out of scope. It asks the model, once in a run;
// where that fails there are none.
func giskardBeyond(ctx context.Context, w *work) (map[string]bool, error) {
	var asked []model.Policy
	key := memoKey("giskard scope", w.docs)
	for _, p := range w.call.AllPolicies {
		if (p.Type == model.Escalate || p.Type == model.Must || p.Type == model.MustNot) && p.IsTestable() && len(asked) < mostScoped {
			asked = append(asked, p)
			key += "\x00" + p.ID + "\x00" + p.Statement
		}
	}
	if !slices.ContainsFunc(w.call.Rows, func(r model.Row) bool {
		return r.Given == nil && r.Corner == "" && len(r.PolicyIDs) > 0 && slices.ContainsFunc(asked, func(p model.Policy) bool { return p.ID == r.PolicyIDs[0] })
	}) {
		return nil, nil
	}
	return generator.Once(ctx, w.call.Memo, key, func(ctx context.Context) (map[string]bool, error) {
		var b strings.Builder
		fmt.Fprintf(&b, "Language of the rules: %s.\n\n<rules>\n", fenced(w.call.Language))
		keys := map[string]string{}
		for i, p := range asked {
			k := fmt.Sprintf("p%d", i+1)
			keys[k] = p.ID
			fmt.Fprintf(&b, "%s: %s\n", k, fenced(p.Statement))
		}
		b.WriteString("</rules>")
		// The same for all calls of a run, whichever comes first.
		seed := int64(stage.Hash(0, key) >> 12)
		rep, err := stage.Ask[scopeReply](ctx, w.call.Model, "python_giskard_scope", scopeSystem, b.String(), seed, 0)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case stage.Fatal(err):
			return nil, err
		case err != nil: // not asked again in the run
			w.call.Log.Warn("giskard: no questions out of scope: it is not known which policies are about them", "error", err.Error())
		}
		out := map[string]bool{}
		for _, k := range rep.Rules {
			if id := keys[strings.TrimSpace(k)]; id != "" {
				out[id] = true
			}
		}
		return out, nil
	})
}

// giskardTypes deals Giskard's types out to the slots of a call, as evenly as
// the rows allow: those first that may have the fewest, in an order that the
// call's seed draws.
func giskardTypes(w *work, beyond map[string]bool) []giskard.Type {
	order := slices.DeleteFunc(giskard.Types(), func(t giskard.Type) bool { return t == giskard.MultiContext })
	r := stage.Rand(w.call.Seed, "giskard types")
	r.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	allowed := make([][]giskard.Type, len(w.slots))
	var queue []int
	for i, s := range w.slots {
		if errors.Is(s.err, ErrGiven) {
			continue
		}
		queue = append(queue, i)
		for _, t := range order {
			if giskardFits(w, s, t, beyond) {
				allowed[i] = append(allowed[i], t)
			}
		}
	}
	r.Shuffle(len(queue), func(i, j int) { queue[i], queue[j] = queue[j], queue[i] })
	slices.SortStableFunc(queue, func(a, b int) int { return cmp.Compare(len(allowed[a]), len(allowed[b])) })
	used := map[giskard.Type]int{}
	out := make([]giskard.Type, len(w.slots))
	for _, i := range queue {
		out[i] = slices.MinFunc(allowed[i], func(a, b giskard.Type) int { return cmp.Compare(used[a], used[b]) })
		used[out[i]]++
	}
	return out
}

// giskardFits says whether a slot may be of a type, as the Go engine has it.
func giskardFits(w *work, s *slot, t giskard.Type, beyond map[string]bool) bool {
	short := slices.ContainsFunc(w.call.Axes, func(a model.Axis) bool {
		v, ok := s.row.Parameters[a.Name]
		return ok && a.Rule == "length" && v.String() == "short"
	})
	switch t {
	case giskard.Simple:
		return true
	case giskard.OutOfScope:
		return len(s.row.PolicyIDs) > 0 && beyond[s.row.PolicyIDs[0]]
	case giskard.Distracting:
		_, ok := giskardDistraction(w, s)
		return ok && !short
	default:
		return !short // a few words hold one need and no more
	}
}

// giskardType is the type of a slot in the try under way. The last time it is a
// simple one, which asks the least of the model.
func giskardType(w *work, s *slot) giskard.Type {
	plan, ok := w.held.(*giskardPlan)
	if !ok || plan.types[s.index] == "" || w.try > 0 && w.try >= w.o.TopUps {
		return giskard.Simple
	}
	return plan.types[s.index]
}

// giskardDistraction draws a passage that is none of the slot's, of another topic
// if there is one. Giskard itself may draw the seed document.
func giskardDistraction(w *work, s *slot) (chunk.Chunk, bool) {
	var other, all []int
	for i := range w.passages.all {
		c := &w.passages.all[i]
		if slices.ContainsFunc(s.chunks, func(o chunk.Chunk) bool { return strings.TrimSpace(o.Text) == strings.TrimSpace(c.Text) }) {
			continue
		}
		all = append(all, i)
		if giskardTopic(w, c.ID) != giskardTopic(w, s.chunks[0].ID) {
			other = append(other, i)
		}
	}
	if len(other) > 0 {
		all = other
	}
	if len(all) == 0 {
		return chunk.Chunk{}, false
	}
	r := stage.Rand(w.call.Seed, "giskard distraction", s.row.ID, s.example, w.try)
	return w.passages.all[all[r.IntN(len(all))]], true
}

// giskardLanguage is what a slot's question is written in: the documents', or
// what its row asks for.
func giskardLanguage(w *work, s *slot) string {
	for _, a := range w.call.Axes {
		if v, ok := s.row.Parameters[a.Name]; ok && a.Rule == "language" {
			return v.String()
		}
	}
	return w.call.Language
}

func (*giskardMethod) body(w *work, s *slot) (any, error) {
	t := &giskardTask{Type: giskardType(w, s), Language: giskardLanguage(w, s), Agent: giskardAgent(w, s)}
	for _, c := range s.chunks {
		t.Context = append(t.Context, c.ID)
	}
	if t.Type == giskard.Distracting {
		c, ok := giskardDistraction(w, s)
		if !ok {
			t.Type = giskard.Simple
		}
		t.Distraction = c.ID
	}
	return t, nil
}

// giskardAgent describes the agent. It is the one place that Giskard has for
// what a question is to be like.
func giskardAgent(w *work, s *slot) string {
	say := w.wanted(s)
	var b strings.Builder
	fmt.Fprintf(&b, "An assistant that customers write to in a chat.\n%s\n", say.Situation)
	if s.row.Examples > 1 {
		b.WriteString(s.customer() + "\n")
	}
	if w.try > 0 {
		b.WriteString("It is another customer, with another detail than the one that comes to mind first.\n")
	}
	fmt.Fprintf(&b, "A question is %s.\nAn answer is %s.", say.Message, say.Reply)
	return b.String()
}

// What Giskard puts where the model has said nothing, the same in all languages.
const (
	giskardRefusal   = "This question can not be answered by the context. No sufficient information is provided in the context to answer this question."
	giskardSituation = "A user of the chatbot asks a general question."
	giskardHelp      = "How can I help you with that?"
)

// questionTypes are the types that Giskard gives the parts of a question.
// [giskard.Parse] takes others too, which a worker does not write.
type questionTypes struct {
	ID        string `json:"id"`
	Question  string `json:"question"`
	Answer    string `json:"reference_answer"`
	Reference string `json:"reference_context"`
	History   []struct {
		Role    string `json:"role"`
		Content string `json:"content"`
	} `json:"conversation_history"`
	Metadata *struct {
		Type           string                 `json:"question_type"`
		Topic          *string                `json:"topic"`
		Distraction    *string                `json:"distracting_context"`
		Situation      *string                `json:"situational_context"`
		Fact           *string                `json:"fake_fact"`
		Pairs          []giskard.QuestionPair `json:"original_questions"`
		OriginalInput  *string                `json:"original_input"`
		OriginalOutput *string                `json:"original_output"`
	} `json:"metadata"`
}

func (*giskardMethod) read(w *work, s *slot, record json.RawMessage) (*made, error) {
	q, err := parsed(record, &questionTypes{}, giskard.Parse)
	if err != nil {
		return nil, fmt.Errorf("it is no question of Giskard: %w", err)
	}
	giskardTrim(q)
	m := &made{native: q, input: giskardInput(q), output: q.ReferenceAnswer}
	if m.contexts = giskardReference(w.passages, q.ReferenceContext); len(m.contexts) == 0 {
		return nil, ErrContext
	}
	if err := giskardClaims(w, s, q, m.contexts); err != nil {
		return nil, err
	}
	t := giskard.Type(q.Metadata.QuestionType)
	m.ask = t.Demand(q.Metadata.FakeFact)
	m.open = t == giskard.OutOfScope
	if m.output == giskardRefusal {
		if !m.open {
			return nil, errors.New("its answer is Giskard's refusal, and it is not out of scope")
		}
		m.output = "" // no reply of this assistant's, and English in any language
	}
	return m, nil
}

func giskardTrim(q *giskard.Question) {
	q.Question, q.ReferenceAnswer = strings.TrimSpace(q.Question), strings.TrimSpace(q.ReferenceAnswer)
	for i := range q.ConversationHistory {
		q.ConversationHistory[i].Content = strings.TrimSpace(q.ConversationHistory[i].Content)
	}
}

// giskardInput folds what the customer says before the question into one message
// with it.
func giskardInput(q *giskard.Question) string {
	if q.Question == "" {
		return ""
	}
	var said []string
	for _, m := range q.ConversationHistory {
		if m.Role == model.RoleUser && m.Content != "" {
			said = append(said, m.Content)
		}
	}
	return strings.Join(append(said, q.Question), "\n")
}

// giskardReference returns the passages that a reference context is made of;
// none if anything else stands in it.
func giskardReference(p *passages, text string) []chunk.Chunk {
	var out []chunk.Chunk
	for text != "" {
		i := slices.IndexFunc(p.all, func(c chunk.Chunk) bool {
			rest, ok := strings.CutPrefix(text, "Document "+c.ID+": "+c.Text)
			return ok && (rest == "" || strings.HasPrefix(rest, "\n\nDocument "))
		})
		if i < 0 {
			return nil
		}
		c := p.all[i]
		text = strings.TrimPrefix(text[len("Document "+c.ID+": "+c.Text):], "\n\n")
		if !among(out, c.ID) {
			out = append(out, c)
		}
	}
	return out
}

// giskardClaims holds what a question says of itself against its task, of a
// question to be mended against what it is made of.
func giskardClaims(w *work, s *slot, q *giskard.Question, contexts []chunk.Chunk) error {
	m := &q.Metadata
	seed := contexts[0].ID
	if w.call.Repairs == nil {
		if want := giskardType(w, s); m.QuestionType != string(want) {
			return fmt.Errorf("it is of type %q, not %q", m.QuestionType, want)
		}
		seed = s.chunks[0].ID
	}
	if m.SeedDocumentID != seed || !among(contexts, seed) {
		return fmt.Errorf("its seed document is %q, not %q", m.SeedDocumentID, seed)
	}
	m.Topic = giskardTopic(w, seed)
	switch giskard.Type(m.QuestionType) {
	case giskard.Distracting:
		c, ok := w.passages.text(m.DistractingContext)
		if !ok || among(contexts, c.ID) {
			return errors.New("what distracts in it is no other passage of the documents")
		}
	case giskard.Situational:
		if strings.TrimSpace(m.SituationalContext) == "" || m.SituationalContext == giskardSituation {
			return errors.New("it has no situation")
		}
		if json.Valid([]byte(m.SituationalContext)) {
			return errors.New("its situation is JSON, not a text")
		}
	case giskard.Double:
		if len(m.OriginalQuestions) != 2 || slices.ContainsFunc(m.OriginalQuestions, func(p giskard.QuestionPair) bool {
			return strings.TrimSpace(p.Question) == "" || strings.TrimSpace(p.Answer) == ""
		}) {
			return errors.New("it was not made of two questions with their answers")
		}
	case giskard.Conversational:
		if w.call.Repairs == nil && giskardInput(q) == q.Question {
			return errors.New("nothing comes before its question")
		}
	case giskard.OutOfScope:
		if strings.TrimSpace(m.FakeFact) == "" {
			return errors.New("it does not say what it made up")
		}
	case giskard.Simple, giskard.Complex:
	default:
		return fmt.Errorf("%q is no type of Giskard's", m.QuestionType)
	}
	return nil
}

func (*giskardMethod) write(w *work, s *slot, f *answer.Final) (json.RawMessage, error) {
	q := *s.made.native.(*giskard.Question)
	var err error
	if q.Metadata.Extra, err = originals(q.Metadata.Extra, s.made.input, q.ReferenceAnswer, f); err != nil {
		return nil, err
	}
	switch {
	case f.Input != s.made.input:
		q.Question, q.ConversationHistory = f.Input, nil
		if q.Metadata.QuestionType == string(giskard.OutOfScope) {
			// The mended question asks for what the documents do settle.
			q.Metadata.QuestionType, q.Metadata.FakeFact = string(giskard.Simple), ""
		}
	case giskardLanguage(w, s) != "en":
		// The assistant's turn is one English sentence in any language.
		q.ConversationHistory = slices.DeleteFunc(slices.Clone(q.ConversationHistory), func(m giskard.Message) bool { return m.Content == giskardHelp })
	}
	q.ReferenceAnswer = f.Output
	return q.JSON()
}
