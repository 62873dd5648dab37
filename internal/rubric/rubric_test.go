package rubric_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/internal/rubric"
	"github.com/casebook-go/casebook/model"
)

func examples(n int) (out []model.Example) {
	sources := []model.Source{model.SourceTickets, model.SourceFAQParaphrase, model.SourceCorner}
	for i := range n {
		out = append(out, model.Example{
			ID: fmt.Sprintf("ex_%d", i), UseCaseID: fmt.Sprintf("uc_%d", i/3%4), Format: model.SingleTurnQA,
			Metadata: model.Metadata{Source: sources[i%3]},
		})
	}
	return out
}

func ids(items []rubric.Item) (out []string) {
	for _, i := range items {
		out = append(out, i.ID)
	}
	return out
}

func TestDrawIsSpreadAndRepeatable(t *testing.T) {
	t.Parallel()
	all := examples(60)
	a := rubric.Draw("d.md", all, 12, 7)
	if diff := cmp.Diff(ids(a), ids(rubric.Draw("d.md", all, 12, 7))); diff != "" {
		t.Errorf("two draws differ:\n%s", diff)
	}
	if cmp.Equal(ids(a), ids(rubric.Draw("d.md", all, 12, 8))) {
		t.Error("the seed changes nothing")
	}
	bySource, byUseCase := map[model.Source]int{}, map[string]int{}
	for _, id := range ids(a) {
		e := all[slices.IndexFunc(all, func(e model.Example) bool { return e.ID == id })]
		bySource[e.Metadata.Source]++
		byUseCase[e.UseCaseID]++
	}
	if diff := cmp.Diff(map[model.Source]int{"tickets": 4, "faq_paraphrase": 4, "corner": 4}, bySource); diff != "" {
		t.Errorf("by source (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"uc_0": 3, "uc_1": 3, "uc_2": 3, "uc_3": 3}, byUseCase); diff != "" {
		t.Errorf("by use case (-want +got):\n%s", diff)
	}
	if got := rubric.Draw("d.md", all[:5], 12, 7); len(got) != 5 {
		t.Errorf("%d drawn of 5", len(got))
	}
}

func TestShareWantsEveryVerdict(t *testing.T) {
	t.Parallel()
	items := []rubric.Item{{ID: "a"}, {ID: "b"}}
	good := func(id string) rubric.Verdict {
		return rubric.Verdict{ID: id, Plausible: 1, Useful: 1, Supported: 1, Policy: 1, Language: 1, Complete: 1}
	}
	bad := good("b")
	bad.Supported, bad.Why = 0, "an invented price"
	share, failed, err := rubric.Share(items, []rubric.Verdict{good("a"), good("b")}, []rubric.Verdict{good("a"), bad})
	if err != nil || share != 0.5 || !cmp.Equal(failed, []string{"b"}) {
		t.Errorf("share %v, failed %v, err %v", share, failed, err)
	}
	two := good("b")
	two.Policy = 2
	unexplained := good("b")
	unexplained.Policy = 0
	for name, second := range map[string][]rubric.Verdict{"missing": {good("a")}, "not 0 or 1": {good("a"), two}, "no reason": {good("a"), unexplained}} {
		if _, _, err := rubric.Share(items, second); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func load(t *testing.T, path string, v any) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// The verdicts of two blind readers; how they came about is told in
// testdata/rubric/README.md.
func TestReadersFindTheItemsGood(t *testing.T) {
	t.Parallel()
	for mode, goal := range map[string]float64{"offline": 0.80, "model": 0.90, "deepeval": 0.90, "ragas": 0.90, "giskard": 0.90} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			dir := "../../testdata/rubric/" + mode + "/"
			var items []rubric.Item
			var first, second []rubric.Verdict
			load(t, dir+"items.json", &items)
			load(t, dir+"reader_1.json", &first)
			load(t, dir+"reader_2.json", &second)
			if len(items) != 24 {
				t.Errorf("%d items, want 24", len(items))
			}
			share, failed, err := rubric.Share(items, first, second)
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("all six by both readers: %.2f; not: %v", share, failed)
			if share < goal {
				t.Errorf("%.2f of the items pass, the goal is %.2f", share, goal)
			}
		})
	}
}
