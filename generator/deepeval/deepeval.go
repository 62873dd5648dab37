// Package deepeval is the method of DeepEval's Synthesizer: contexts of
// documents, inputs that a critic scores and has rewritten, seven evolutions that
// make them harder, and expected outputs. [New] returns it as a generator that
// fills planned rows; a [Synthesizer] uses it by itself.
//
// The records are DeepEval's goldens. The prompts are casebook's: an input comes
// from a person with a problem, and its expected output is a reply that an agent
// could send. Beyond DeepEval, the critic sees the context, the final input is
// scored too, and the expected output is checked against the documents.
package deepeval

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/brief"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

// Params are the parameters of the tool.
type Params struct {
	DocumentPaths []string `json:"document_paths,omitempty" jsonschema_description:"Names of the run's documents to take contexts from. Null means all."`
	NumGoldens    int      `json:"num_goldens" jsonschema:"minimum=1,maximum=100" jsonschema_description:"The most rows this call may be dealt."`
	// IncludeExpectedOutput has no effect in a run: an example of the contract
	// always has an expected output. It is there because DeepEval has it.
	IncludeExpectedOutput bool `json:"include_expected_output" jsonschema_description:"Whether expected outputs are written. In a run they always are, because every test case needs one."`
}

// runChunkTokens is the size of chunks in a run, where contexts are cut around
// policies: small, so that a context is about little else.
const runChunkTokens = 256

// runTopUps is how often missing rows are made again in a run, which has other
// generators for what is still missing then.
const runTopUps = 1

// New returns the generator. Its tool is generate_with_deepeval, its records are
// of [Format]. It is safe for concurrent use; the error is a *[ConfigError].
//
// In a run each row's context is made of the passages that its policies stand in
// and of their neighbours, in chunks of 256 tokens unless the options say
// otherwise; quality is not scored, since the plan has chosen. Missing goldens
// are made again once unless Options.TopUps says otherwise. Those whose
// expected output is not supported by the documents, or that their context does
// not answer, are dropped with the reason.
func New(o *Options) (generator.Generator, error) {
	own := Options{}
	if o != nil {
		own = *o
	}
	if own.Contexts.ChunkTokens == 0 {
		own.Contexts.ChunkTokens = runChunkTokens
	}
	if own.TopUps == 0 {
		own.TopUps = runTopUps
	}
	opts, err := own.settled()
	if err != nil {
		return nil, err
	}
	g := &native{opts}
	return generator.New(generator.Spec{
		Name: "deepeval", Record: Format, Count: "num_goldens", NeedsModel: true, Formats: []model.Format{model.SingleTurnQA},
		Description: "DeepEval's method: a critic scores the customer's messages and has weak ones rewritten; then each is made harder in one of seven ways: two facts to be put together, several passages at once, concrete things, " +
			"a condition of the customer's own, two options weighed, a what-if, a rarer need. Good for hard tests of use cases whose rules have conditions, limits, exceptions or alternatives, " +
			"where a weak agent would answer too simply. Not needed where one plain fact answers everything.",
	}, Params{NumGoldens: 10, IncludeExpectedOutput: true}, g.generate)
}

type native struct{ opts Options }

func (n *native) generate(ctx context.Context, call *generator.Call, p Params) (*generator.Output, error) {
	if call.Model == nil {
		return nil, &ConfigError{"Call.Model", "there is no model", "give the call one"}
	}
	docs, err := brief.Documents(call, p.DocumentPaths)
	if err != nil {
		return nil, err
	}
	l, err := lang.For(call.Language)
	if err != nil {
		l = nil // rules that need its words are left out
	}
	e := &engine{
		opts: n.opts, prompts: n.opts.Prompts.stages(false), call: call, critics: call, seed: call.Seed,
		output: true, planned: true, lang: l,
	}
	if call.Repairs != nil {
		return e.mend(ctx)
	}
	lib, err := shared(ctx, call, docs, &n.opts.Contexts)
	if err != nil {
		return nil, err
	}
	slots := e.slots(ctx, lib)
	e.fill(ctx, slots, call.Avoid)
	return e.result(ctx, slots)
}

// result makes the output of a run's call out of its slots.
func (e *engine) result(ctx context.Context, slots []*slot) (*generator.Output, error) {
	out := &generator.Output{Engine: "go"}
	filled := map[string]bool{}
	dropped := map[string]string{}
	short := &ShortError{Asked: len(slots)}
	var fatal error
	for _, s := range slots {
		err := s.err
		if err == nil {
			var rec generator.Record
			if rec, _, err = e.record(s); err == nil {
				out.Records = append(out.Records, rec)
				filled[s.row.ID] = true
				continue
			}
		}
		if stage.Fatal(err) && fatal == nil {
			fatal = err
		}
		short.add(err)
		if dropped[s.row.ID] == "" {
			dropped[s.row.ID] = err.Error()
		}
	}
	for _, row := range e.call.Rows {
		if why := dropped[row.ID]; why != "" && !filled[row.ID] {
			out.Dropped = append(out.Dropped, generator.Drop{Row: row.ID, Reason: why})
		}
	}
	switch {
	case ctx.Err() != nil:
		return out, context.Cause(ctx)
	case fatal != nil:
		return out, fatal
	case len(out.Records) == 0 && len(slots) > 0:
		short.settle()
		return out, short
	}
	return out, nil
}

// slots are the rows of the call, one for each example, with their contexts.
func (e *engine) slots(ctx context.Context, lib *library) []*slot {
	var out []*slot
	contexts := map[string]*Context{}
	for i := range e.call.Rows {
		row := &e.call.Rows[i]
		var c *Context
		if ids := e.chunksOf(ctx, lib, row); len(ids) > 0 {
			key, _ := json.Marshal(ids) // integers always encode
			if c = contexts[string(key)]; c == nil {
				made := lib.context(ids)
				c = &made
				contexts[string(key)] = c
			}
		}
		for range max(1, row.Examples) {
			s := &slot{index: len(out), context: c, row: row}
			if row.Given != nil {
				s.fixed, s.given = true, row.Given[len(row.Given)-1].Content
			}
			out = append(out, s)
		}
	}
	return out
}

// chunksOf are the chunks of a row's context: those that its first policy stands
// in, the ones of its use case that are nearest to that, then those of its other
// policies and the nearest neighbours of the first, as many as a context holds.
func (e *engine) chunksOf(ctx context.Context, lib *library, row *model.Row) []int {
	most := e.opts.Contexts.Passages
	var out []int
	add := func(ids []int, n int) {
		for _, i := range ids {
			if len(out) < most && n > 0 && !slices.Contains(out, i) {
				out = append(out, i)
				n--
			}
		}
	}
	evidence := func(id string) []int {
		for _, p := range e.call.Policies {
			if p.ID == id {
				return lib.evidence(p.Evidence)
			}
		}
		return nil
	}
	for k, id := range row.PolicyIDs {
		ids := evidence(id)
		if k == 0 {
			add(ids, 2)
			near := lib.evidence(e.call.UseCase.Evidence)
			if len(ids) > 0 {
				near = lib.nearest(ids[0], near)
			}
			add(near, 1)
			continue
		}
		add(ids, 1)
	}
	if len(out) > 0 {
		all := lib.nearest(out[0], lib.of(lib.chunks[out[0]].Doc))
		add(lib.group(out[0], all, most, e.opts.Contexts.Similarity), most)
		return out
	}
	for _, p := range e.call.Policies { // they stand in other documents
		if len(row.PolicyIDs) > 0 && p.ID == row.PolicyIDs[0] {
			add(lib.about(ctx, p.Statement), most)
		}
	}
	return out
}

// mend has refused records written anew by what was found wrong with them. What
// the method varied in them stays.
func (e *engine) mend(ctx context.Context) (*generator.Output, error) {
	results := answer.Mend(ctx, e.call, e.answerOptions(e.stage("mend")))
	var slots []*slot
	for i := range e.call.Rows {
		row := &e.call.Rows[i]
		for k := range max(1, row.Examples) {
			r := &results[len(slots)]
			s := &slot{index: len(slots), row: row, err: r.Err, fixed: row.Given != nil}
			if s.err == nil {
				s.made = &made{input: r.Value.Input, first: r.Value.Input}
				s.restore(e.call, e.call.Repairs[row.ID].Item, k)
				e.take(s, &r.Value)
				e.judge(s)
			}
			slots = append(slots, s)
		}
	}
	return e.result(ctx, slots)
}

// restore reads what the method varied out of the native record of an
// attempt, where it has one.
func (s *slot) restore(call *generator.Call, item model.Item, example int) {
	native := item.TestCase.Metadata.Native
	if example < len(item.Examples) && len(item.Examples[example].Metadata.Native) > 0 {
		native = item.Examples[example].Metadata.Native
	}
	g, err := Parse(native)
	if err != nil || g.Metadata == nil {
		return
	}
	m := s.made
	m.first = g.Input
	for _, name := range g.Metadata.Evolutions {
		if evolutionOf(Evolution(name)) != nil {
			m.evolutions = append(m.evolutions, Evolution(name))
		}
	}
	read := func(key string, into any) {
		if raw := g.Metadata.Extra[key]; raw != nil {
			_ = json.Unmarshal(raw, into) // what another tool wrote there is left out
		}
	}
	read(MetaOriginalInput, &m.first)
	read(MetaVersions, &m.versions)
	if m.input != g.Input {
		m.version("mended")
	}
	var chunks []Chunk
	read(MetaChunks, &chunks)
	c := &Context{}
	if q := g.Metadata.ContextQuality; q != nil {
		c.Quality = *q
	}
	for i, text := range g.Context {
		p := Passage{Text: text, File: g.SourceFile}
		if len(chunks) == len(g.Context) {
			at := chunks[i]
			p.ID, p.File = at.ID, at.File
			for _, d := range call.Documents {
				if d.Name == at.File {
					p.doc = d
					p.Span = model.Span{Doc: at.File, StartByte: at.StartByte, EndByte: at.EndByte, StartLine: at.StartLine, EndLine: at.EndLine}
				}
			}
		}
		c.Passages = append(c.Passages, p)
	}
	if len(c.Passages) > 0 {
		s.context = c
	}
}
