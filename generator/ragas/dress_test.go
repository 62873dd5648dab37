package ragas_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/model"
)

// Styles and lengths come in even shares, by the seed, and never one in which a
// row's own plan cannot be seen.
func TestDress(t *testing.T) {
	t.Parallel()
	axes := model.SupportBot().Axes
	planned := func(name, value string) *model.Row {
		return &model.Row{Axes: []string{name}, Parameters: map[string]model.Value{name: model.String(value)}}
	}
	plain := make([]*model.Row, 12)
	for i := range plain {
		plain[i] = &model.Row{}
	}
	styles, lengths := ragas.Dress(plain, axes, 3)
	count := map[string]int{}
	for i := range plain {
		count[styles[i].Name]++
		count[lengths[i].Name]++
	}
	if diff := cmp.Diff(map[string]int{"MISSPELLED": 3, "PERFECT_GRAMMAR": 3, "POOR_GRAMMAR": 3, "WEB_SEARCH_LIKE": 3, "LONG": 4, "MEDIUM": 4, "SHORT": 4}, count); diff != "" {
		t.Errorf("shares (-want +got):\n%s", diff)
	}
	if again, _ := ragas.Dress(plain, axes, 3); !cmp.Equal(styles, again) {
		t.Error("the same seed draws others")
	}
	if s, l := ragas.Dress(nil, axes, 3); len(s)+len(l) != 0 {
		t.Errorf("no rows have %v and %v", s, l)
	}
	for seed := range uint64(20) {
		styles, lengths := ragas.Dress([]*model.Row{planned("tone", "angry"), planned("spelling", "sloppy"), planned("length", "short")}, axes, seed)
		got := fmt.Sprintf("%s %s %s", styles[0].Name, styles[1].Name, lengths[2].Name)
		if styles[0].Name == ragas.WebSearchLike || styles[1].Name == ragas.PerfectGrammar || lengths[2].Name != ragas.Short {
			t.Errorf("seed %d: %s", seed, got)
		}
	}
}
