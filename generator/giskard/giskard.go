// Package giskard makes questions by the method of Giskard's RAGET, natively: a
// knowledge base of passages with topics and neighbours, questions of types that
// each test certain components of an agent, seven of Giskard's and one of ours
// ([MultiContext]), and answers that are written after the last rewrite and
// checked.
//
// As a generator ([New]) it fills the rows of a run. Alone, [Build] makes a
// [KnowledgeBase] of documents or rows of text, and its Testset method as many
// questions as asked, in the asked mix, in the format of Giskard's QATestset.
//
// What differs from RAGET: a question comes from the person with the problem;
// calls to the model are about several questions each and many are under way at
// once; the language is the documents'; what is out of scope is looked for in
// the whole base; everything follows from the seed and the model's replies.
package giskard

import (
	"context"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/model"
)

// Params are the parameters of the tool.
type Params struct {
	DocumentPaths []string `json:"document_paths,omitempty" jsonschema_description:"Names of the documents to build the knowledge base from. Null means all documents of the run."`
	NumQuestions  int      `json:"num_questions" jsonschema:"minimum=1,maximum=100" jsonschema_description:"The most rows this call may be dealt."`
}

// New returns the generator; its tool is generate_with_giskard. It is safe for
// concurrent use. The error is an *[OptionError].
func New(o *Options) (generator.Generator, error) {
	opts, err := o.defaulted()
	if err != nil {
		return nil, err
	}
	g := &giskard{opts}
	return generator.New(generator.Spec{
		Name: "giskard", Record: Format, NeedsModel: true, Count: "num_questions", Formats: []model.Format{model.SingleTurnQA},
		Description: "Giskard RAGET's method: questions drawn evenly from the topics of the documents and made hard in known ways: circumstances that change the case, asides that distract, a personal situation, " +
			"two needs in one message, a follow-up that leans on what was said before, needs that take two passages, things the documents do not cover. " +
			"Use it to see how robust an assistant that looks things up is: facts, limits and conditions of a FAQ or handbook, and what it does beyond them. Not for corrections of drafts.",
	}, Params{NumQuestions: 20}, g.generate)
}

type giskard struct{ opts Options }

func (g *giskard) generate(ctx context.Context, call *generator.Call, p Params) (*generator.Output, error) {
	out := &generator.Output{Format: Format, Engine: "go"}
	if call.Model == nil {
		return nil, &OptionError{Option: "Call.Model", Reason: "there is no model; give the call one"}
	}
	kb, err := g.base(ctx, call, p.DocumentPaths)
	if err != nil {
		return nil, err
	}
	w := newRun(kb, call, g.opts)
	if call.Repairs != nil {
		return out, w.mend(ctx, out)
	}
	return out, w.fill(ctx, out)
}
