// Package ground keeps what the checks read of documents and policies once for
// all calls of a run.
package ground

import (
	"context"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// Language returns the data of a language as the calls of a run share it, or a
// *[lang.UnknownError]: with a memory, where memo keeps one.
func Language(ctx context.Context, memo *generator.Memo, code string) (*lang.Language, error) {
	l, err := lang.For(code)
	if err != nil || memo == nil {
		return l, err
	}
	return generator.Once(ctx, memo, "lang.Language\x00"+code, func(context.Context) (*lang.Language, error) { return l.Remembering(), nil })
}

type made struct {
	docs   []*model.Document
	ground *coverage.Ground
}

// Of returns the ground of documents and policies: the one that memo keeps of
// these documents, or else a new one. l is nil for a language without data.
func Of(ctx context.Context, memo *generator.Memo, l *lang.Language, docs []*model.Document, policies []model.Policy) *coverage.Ground {
	build := func(context.Context) (*made, error) {
		return &made{docs, coverage.NewGround(l, docs).WithPolicies(l, policies)}, nil
	}
	var key strings.Builder
	key.WriteString("coverage.Ground")
	if l != nil {
		key.WriteString("\x00" + l.Code)
	}
	for _, d := range docs {
		key.WriteString("\x00" + d.Name)
	}
	m, err := generator.Once(ctx, memo, key.String(), build)
	if err != nil || !slices.Equal(m.docs, docs) { // the run ended, or the names deceive
		m, _ = build(ctx) // never fails
	}
	return m.ground
}
