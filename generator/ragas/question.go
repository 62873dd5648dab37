package ragas

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// order is a question to be written.
type order struct {
	scenario
	contexts []chunk.Chunk
	who      *Persona   // may be nil
	row      *model.Row // nil outside a plan
}

// question is what the model writes for an order. Field order is the order of
// thought.
type question struct {
	Key        string `json:"key" jsonschema_description:"The scenario's key, for example s1."`
	Situation  string `json:"situation" jsonschema_description:"Who writes, what happened, and which sentence of the contexts decides the reply."`
	Input      string `json:"input" jsonschema_description:"The message."`
	Uses       []int  `json:"uses" jsonschema_description:"Numbers of the contexts that a right reply cannot do without."`
	Impossible string `json:"impossible" jsonschema_description:"Empty; or why no honest message can be written."`
}

type questions struct {
	Messages []question `json:"messages" jsonschema_description:"One for each scenario, in their order."`
}

// write asks for the inputs of the orders.
func (e *engine) write(ctx context.Context, call *generator.Call, orders []order, seed uint64) []stage.Result[question] {
	return stage.Run(ctx, call, orders, stage.Options{
		Name: "ragas_questions", Batch: e.o.Batch, Concurrency: e.o.Concurrency, Attempts: e.o.Attempts, Seed: seed,
	}, func(ctx context.Context, batch []order, attempt int, seed int64) ([]*question, error) {
		rep, err := stage.Ask[questions](ctx, call.Model, "ragas_questions", e.questionPrompt(), e.questionBrief(call, batch), seed, vary)
		if err != nil {
			return nil, err
		}
		out := make([]*question, len(batch))
		for i := range batch {
			key := fmt.Sprintf("s%d", i+1)
			at := slices.IndexFunc(rep.Messages, func(q question) bool { return strings.TrimSpace(q.Key) == key })
			if at < 0 {
				continue
			}
			q := rep.Messages[at]
			q.Input = strings.TrimSpace(q.Input)
			// Asking once more mends a slip; what stays is left to the checks. What
			// the model declines is not asked again.
			declined := q.Input == "" && strings.TrimSpace(q.Impossible) != ""
			ok := declined || q.Input != "" && (attempt > 0 || e.shows(call, &batch[i], &q))
			if ok {
				out[i] = &q
			}
		}
		return out, nil
	})
}

// shows reports whether a message is as it was ordered, as far as code can tell.
func (e *engine) shows(call *generator.Call, o *order, q *question) bool {
	if !o.length.holds(q.Input) {
		return false
	}
	for i := range o.contexts {
		if _, copied := coverage.SharedRun(q.Input, o.contexts[i].Text, coverage.ParaphraseRun); copied {
			return false
		}
	}
	return o.row == nil || planned(call, o.row, q.Input)
}

// planned reports whether a message shows every value of its row that a rule
// decides.
func planned(call *generator.Call, row *model.Row, text string) bool {
	l, err := lang.For(call.Language)
	if err != nil {
		l = nil // rules that need words are then undecided
	}
	in := &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: text}}}
	for _, name := range row.Axes {
		for _, a := range call.Axes {
			if a.Name != name {
				continue
			}
			if value, ok := coverage.Classify(l, a, in, row.Format); ok && value != row.Parameters[name].String() {
				return false
			}
		}
	}
	return true
}

// uses returns the contexts that a message needs, by index, each once.
func uses(q *question, n int) []int {
	var out []int
	for _, k := range q.Uses {
		if k >= 1 && k <= n && !slices.Contains(out, k-1) {
			out = append(out, k-1)
		}
	}
	slices.Sort(out)
	return out
}

func (e *engine) questionPrompt() string {
	return cmp.Or(e.o.Prompts.Question, fmt.Sprintf(questionPrompt, "The message\n"+brief.InputRules+"\n"))
}

func (e *engine) questionBrief(call *generator.Call, batch []order) string {
	var b strings.Builder
	var rows []model.Row
	for _, o := range batch {
		if o.row != nil {
			rows = append(rows, *o.row)
		}
	}
	keys := brief.NewKeys(call, rows)
	opening(&b, call, e.o.Context)
	if rows != nil {
		b.WriteString(brief.Body(call, keys, e.o.MaxDocument))
	}
	b.WriteString("\n<scenarios>\n")
	for i := range batch {
		e.writeOrder(&b, call, &batch[i], fmt.Sprintf("s%d", i+1), keys)
	}
	b.WriteString("</scenarios>\n")
	b.WriteString(brief.Avoid(call.Avoid))
	b.WriteString("\nWrite the messages of all scenarios.")
	return b.String()
}

func (e *engine) writeOrder(b *strings.Builder, call *generator.Call, o *order, key string, keys *brief.Keys) {
	if o.row != nil {
		brief.Row(b, call, *o.row, key, keys)
	} else {
		fmt.Fprintf(b, "%s:\n", key)
	}
	if o.row == nil || o.row.Corner == "" {
		e.writeScenario(b, o)
	}
	for i := range o.contexts {
		c := &o.contexts[i]
		fmt.Fprintf(b, "   <context number=\"%d\" title=%q>\n%s\n   </context>\n", i+1, prompt.Fence(c.Title), prompt.Fence(c.Text))
	}
}

func (e *engine) writeScenario(b *strings.Builder, o *order) {
	fmt.Fprintf(b, "   what to ask: %s\n", e.shares[o.share].Ask)
	if o.who != nil {
		fmt.Fprintf(b, "   persona: %s: %s\n", prompt.Fence(o.who.Name), prompt.Fence(o.who.Role))
	}
	fmt.Fprintf(b, "   style %s: %s\n", o.style.Name, o.style.Meaning)
	fmt.Fprintf(b, "   length %s: %s\n", o.length.Name, o.length.Meaning)
	if len(o.seed.Terms) > 0 {
		fmt.Fprintf(b, "   terms: %s\n", prompt.Fence(strings.Join(o.seed.Terms, "; ")))
	}
}
