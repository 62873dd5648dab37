package ground_test

import (
	"errors"
	"testing"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/ground"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

func TestOf(t *testing.T) {
	t.Parallel()
	parse := func(text string) []*model.Document {
		d, err := model.ParseMarkdown("a.md", []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		return []*model.Document{d}
	}
	docs, other := parse("Returns take 5 days.\n"), parse("Returns take 6 days.\n")
	l, err := lang.For("en")
	if err != nil {
		t.Fatal(err)
	}
	var memo generator.Memo
	first := ground.Of(t.Context(), &memo, l, docs, nil)
	if ground.Of(t.Context(), &memo, l, docs, nil) != first {
		t.Error("the same documents were read twice in a run")
	}
	if ground.Of(t.Context(), &memo, l, other, nil) == first {
		t.Error("another document of the same name passed for the first")
	}
	if a, b := ground.Of(t.Context(), nil, l, docs, nil), ground.Of(t.Context(), nil, l, docs, nil); a == nil || a == b {
		t.Error("without a memo each call reads for itself")
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	var memo generator.Memo
	a, err := ground.Language(t.Context(), &memo, "ru")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := ground.Language(t.Context(), &memo, "ru"); a != b {
		t.Error("the calls of a run share no language")
	}
	var unknown *lang.UnknownError
	if _, err := ground.Language(t.Context(), &memo, "ka"); !errors.As(err, &unknown) {
		t.Errorf("err = %v, want an unknown language", err)
	}
}
