// Package extract finds out of a document what an evaluation is made from: the
// kind of agent it describes, the use cases that customers or operators come
// with, and the policies the agent must follow, each with evidence cut from the
// document.
//
// With a model the model proposes and code decides; without one, rules read the
// document's structure and the language data of internal/lang.
package extract

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Options says how to extract. A nil *Options means all zero values.
type Options struct {
	// Client is the model. If nil, extraction is by rules.
	Client llm.Client
	// Profile is the kind of agent. If nil, it is decided from the document.
	Profile *model.Profile
	// Concurrency is how many model calls are under way at once; 0 means 8.
	Concurrency int
	// CallTimeout bounds one model call; 0 means 2 minutes.
	CallTimeout time.Duration
}

// Result is what a document holds. Everything in it is in document order and
// depends on nothing but the documents and the options.
type Result struct {
	Case model.Case
	// CaseEvidence is what the case was decided by; nil when the options chose it.
	CaseEvidence []model.Evidence
	Language     string // BCP 47 base language
	UseCases     []model.UseCase
	Policies     []model.Policy
	// Relevant lists for the id of each use case the ids of the policies that
	// bear on it, the most relevant first; at least one.
	Relevant map[string][]string
	// Corner gives, for the use cases that are about messages nobody can simply
	// answer, the kind of their rows: empty, garbage, off_topic, abuse or
	// injection (see lang.CornerKind).
	Corner map[string]string
	// Contradictions are policies that cannot both be followed and of which
	// neither overrules the other by an explicit sign.
	Contradictions []Contradiction
	// Obligations is how many sentences of obligation were found; Unmapped are
	// those that became part of no policy.
	Obligations int
	Unmapped    []model.Evidence
	// Refused is what was proposed or found and not kept, and why.
	Refused []model.Refusal
}

// Contradiction is a pair of policies that say different things on one subject.
type Contradiction struct {
	PolicyIDs []string // two, in document order
	Reason    string   // what differs, for a person
}

// CaseError says that the kind of agent cannot be told from the documents.
type CaseError struct {
	// Scores holds how much speaks for each case.
	Scores map[model.Case]int
}

// Error says what to do about it.
func (e *CaseError) Error() string {
	return fmt.Sprintf("extract: cannot tell whether the document describes a %s or an %s case: choose one with Options.Profile", model.CaseSupportBot, model.CaseOperatorQuality)
}

// NoRulesError says that the documents state no rule an agent could follow.
type NoRulesError struct {
	Documents []string // their names
}

// Error names the documents and the remedy.
func (e *NoRulesError) Error() string {
	return fmt.Sprintf("extract: no rule found in %q: give a document that says what the agent must or must not do", e.Documents)
}

// Extract reads the documents and returns what they hold. The documents are one
// body: an obligation said in two of them is one policy. Without a model its
// errors are *[CaseError], *[NoRulesError] and *lang.UnknownError. The
// documents are not changed; concurrent calls are safe.
func Extract(ctx context.Context, docs []*model.Document, o *Options) (*Result, error) {
	if o == nil {
		o = &Options{}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if o.Client != nil {
		return byModel(ctx, docs, o)
	}
	return byRules(ctx, docs, o, detect(docs))
}

// detect tells the language of all documents together.
func detect(docs []*model.Document) string {
	var b strings.Builder
	for _, d := range docs {
		for i := range d.Blocks {
			if blk := &d.Blocks[i]; blk.InForce() || blk.Kind == model.BlockHeading {
				b.WriteString(blk.Text)
				b.WriteByte('\n')
			}
		}
	}
	return lang.Detect(b.String())
}
