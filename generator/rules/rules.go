// Package rules makes test cases and examples with no model: it fills the
// planned rows from the document's own questions, tickets and policies and the
// language data of casebook. It is the default offline and the last fallback.
package rules

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/ground"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Options configures the generator. The zero value is ready, and so is nil.
type Options struct{}

// Name is the registered name of the generator.
const Name = "rules"

// New returns the generator. It is safe for concurrent use, needs no model, and
// gives the same output for the same call.
func New(opts *Options) (generator.Generator, error) {
	return &rules{}, nil
}

// kept is the number of document sets that a generator remembers.
const kept = 4

// rules remembers what it learned from documents: every call of a run reads
// the same ones.
type rules struct {
	mu    sync.Mutex
	known []*memory
}

// memory is what one set of documents taught.
type memory struct {
	language string
	docs     []*model.Document
	once     sync.Once
	k        *knowledge
}

// learned returns what the documents of a call state.
func (g *rules) learned(l *lang.Language, call *generator.Call) *knowledge {
	g.mu.Lock()
	i := slices.IndexFunc(g.known, func(m *memory) bool { return m.language == call.Language && slices.Equal(m.docs, call.Documents) })
	if i < 0 {
		g.known = append(g.known, &memory{language: call.Language, docs: slices.Clone(call.Documents)})
		if len(g.known) > kept {
			g.known = slices.Delete(g.known, 0, 1)
		}
		i = len(g.known) - 1
	}
	m := g.known[i]
	g.mu.Unlock()
	m.once.Do(func() { m.k = learn(l, m.docs) })
	return m.k
}

// reading is what the calls of a run share: what the documents state, and what
// the policies say.
type reading struct {
	k        *knowledge
	ground   *coverage.Ground
	docs     []*model.Document
	policies []model.Policy
	most     int // sentences of an answer; 0 is no limit
	views    sync.Map

	indexed sync.Once
	index   *heard
}

// recall returns what the documents and policies of a call say.
func (g *rules) recall(ctx context.Context, l *lang.Language, call *generator.Call) (*reading, error) {
	read := func(ctx context.Context) (*reading, error) {
		return &reading{
			k: g.learned(l, call), ground: ground.Of(ctx, call.Memo, l, call.Documents, call.AllPolicies),
			docs: call.Documents, policies: call.AllPolicies, most: sentences(l, call.AllPolicies),
		}, nil
	}
	rd, err := generator.Once(ctx, call.Memo, "rules.reading\x00"+call.Language, read)
	if err != nil {
		return nil, err
	}
	if !slices.Equal(rd.docs, call.Documents) || len(rd.policies) != len(call.AllPolicies) || len(rd.policies) > 0 && &rd.policies[0] != &call.AllPolicies[0] {
		return read(ctx)
	}
	return rd, nil
}

// view is what one policy says.
type view struct {
	statement string
	bare      string       // without the question it answers
	toks      []lang.Token // of bare
	spoken    lang.Spoken  // of bare
	speaks    bool         // it can be spoken
	needed    string       // of bare; see work.needed
	matter    []string     // of statement
}

// view returns what a policy says, read once in a run.
func (w *work) view(p *model.Policy) *view {
	if v, ok := w.views.Load(p.ID); ok {
		if v, _ := v.(*view); v.statement == p.Statement {
			return v
		}
	}
	v := &view{statement: p.Statement, bare: bare(p), matter: w.k.matter(p.Statement)}
	v.toks = lang.Tokens(v.bare)
	v.spoken, v.speaks = w.k.speak(v.bare)
	v.needed = w.needed(v.bare)
	w.views.Store(p.ID, v)
	return v
}

// Spec describes the generator to a router.
func (*rules) Spec() generator.Spec {
	return generator.Spec{
		Name: Name,
		Tool: "generate_from_document",
		Description: "Makes test cases without a model, from the document's own questions, tickets and rules. " +
			"Use it for verbatim tickets, for plain questions the document answers, and for corrections of an operator's message.",
		Record: generator.BatchFormat,
	}
}

// Generate fills the rows of the call. A row that cannot be filled with what
// the document says is dropped with the reason. It returns a
// *lang.UnknownError for a language it has no data for.
func (g *rules) Generate(ctx context.Context, call *generator.Call) (*generator.Output, error) {
	l, err := ground.Language(ctx, call.Memo, call.Language)
	if err != nil {
		return nil, err
	}
	rd, err := g.recall(ctx, l, call)
	if err != nil {
		return nil, err
	}
	w := newWork(l, call, rd)
	var b model.Batch
	var dropped []generator.Drop
	for i := range call.Rows {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		it, reason := w.row(&call.Rows[i])
		if it == nil {
			dropped = append(dropped, generator.Drop{Row: call.Rows[i].ID, Reason: reason})
			continue
		}
		b.Items = append(b.Items, *it)
	}
	out := generator.BatchOutput(&b)
	out.Dropped = append(out.Dropped, dropped...)
	return out, nil
}

// variants bounds how often a row is filled anew after a check's finding.
const variants = 4

// row fills one row with what the default checks find nothing wrong with, or
// says why it cannot.
func (w *work) row(row *model.Row) (*model.Item, string) {
	finding := ""
	for variant := range variants {
		made := len(w.inputs)
		planned := *row
		it, reason := w.fillRow(&planned, variant)
		if it == nil {
			if finding != "" {
				return nil, finding
			}
			return nil, reason
		}
		if finding = w.check(&planned, it); finding == "" {
			return it, ""
		}
		w.inputs = w.inputs[:made]
	}
	return nil, finding
}

// check returns the first thing that the default checks find wrong with an
// item; "" means nothing.
func (w *work) check(row *model.Row, it *model.Item) string {
	c := &coverage.Candidate{
		Documents: w.call.Documents, Ground: w.ground, Lang: w.l, Language: w.call.Language, Profile: w.call.Profile,
		UseCase: w.call.UseCase, AllPolicies: w.call.AllPolicies, Axes: w.call.Axes, Row: *row, Item: *it,
	}
	c.Item.TestCase.Metadata.Generator = Name
	c.Item.Examples = slices.Clone(it.Examples)
	for i := range c.Item.Examples {
		c.Item.Examples[i].Metadata.Generator = Name
	}
	for _, id := range row.PolicyIDs {
		if p := w.own[id]; p != nil {
			c.Policies = append(c.Policies, *p)
		}
	}
	for _, f := range coverage.RunChecks(checks, c) {
		if !f.Warn {
			return f.Check + ": " + f.Message
		}
	}
	return ""
}

// checks are the checks that a run makes by default, but for those that need
// what only the run knows: ids, and the inputs of other use cases.
var checks = slices.DeleteFunc(coverage.DefaultChecks(), func(c coverage.Check) bool { return c.Name == "contract" || c.Name == "duplicate" })

// fillRow makes an item for the row, which then says which policies the item
// shows.
func (w *work) fillRow(row *model.Row, variant int) (*model.Item, string) {
	var examples []model.Example
	for n := range max(1, row.Examples) {
		r := w.chance(row, n+variant*1000)
		var ex *model.Example
		var reason string
		if fp, ok := w.call.Profile.Format(row.Format); ok && fp.Correction {
			ex, reason = w.correct(row, r)
		} else {
			ex, reason = w.answer(row, r)
		}
		if ex == nil {
			return nil, reason
		}
		examples = append(examples, *ex)
		if row.Given != nil {
			break // a ticket stands in the document once
		}
	}
	return w.item(row, examples), ""
}

// answer makes an example of a customer's message and the agent's answer.
func (w *work) answer(row *model.Row, r *rand.Rand) (*model.Example, string) {
	var m message
	var a *answer
	var reason string
	switch {
	case row.Given != nil:
		m, a, reason = w.reply(row, r)
	case row.Source == model.SourceCorner:
		m, a, reason = w.corner(row, r)
	default:
		var ok bool
		if p, role := w.first(row); role == model.Pressed && p != nil {
			if _, ok := w.push(row, p); !ok {
				return nil, p.ID + " states a fact; there is nothing in it to push against"
			}
		}
		if m, ok = w.write(row, r); !ok {
			p, role := w.first(row)
			if p == nil {
				p = &model.Policy{}
			}
			return nil, strings.TrimSpace("no message in a customer's words shows the row; it turns on " + p.ID + ", " + string(role))
		}
		if a, ok = w.respond(row, m, r); !ok {
			reason = "the document states nothing that answers the message"
		}
	}
	if a == nil {
		return nil, reason
	}
	if !w.claim(row, m, a) {
		return nil, "what the document says to the message shows no policy that is planned for it"
	}
	criteria := w.criteriaOf(row, m, a)
	if row.Source == model.SourceCorner {
		criteria = w.cornerCriteria(row, m, a)
	}
	if criteria == nil {
		return nil, "fewer than three criteria follow from the document"
	}
	messages := row.Given
	if messages == nil {
		messages = []model.Message{{Role: model.RoleUser, Content: m.text}}
	}
	ex := w.example(row, messages, a.text(), criteria)
	return &ex, ""
}
