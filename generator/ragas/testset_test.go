package ragas_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/model"
)

func TestShares(t *testing.T) {
	t.Parallel()
	var docs []*model.Document
	for i := range 40 {
		docs = append(docs, shop(t, fmt.Sprintf("s%d", i), 6))
	}
	const size = 300
	set, err := ragas.Generate(t.Context(), &ragas.Input{Client: player(), Documents: docs, Size: size, ReasoningRatio: 0.4}, nil)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]map[string]int{}
	add := func(kind, value string) {
		if count[kind] == nil {
			count[kind] = map[string]int{}
		}
		count[kind][value]++
	}
	for i, s := range samples(t, set) {
		add("document", set.Records[i].Spans[0].Doc)
		add("style", s.QueryStyle)
		add("length", s.QueryLength)
		add("persona", s.PersonaName)
		add("synthesizer", s.SynthesizerName)
		add("cell", s.QueryStyle+s.QueryLength)
	}
	t.Log(len(set.Graph.Nodes), len(set.Graph.Relationships), count["synthesizer"], set.Remarks, len(set.Failures))
	for kind, cells := range map[string]int{"document": 40, "style": 4, "length": 3, "persona": 3, "cell": 12} {
		if len(count[kind]) != cells {
			t.Errorf("%d of %d %ss: %v", len(count[kind]), cells, kind, count[kind])
		}
		for value, n := range count[kind] {
			if plan := float64(size) / float64(cells); float64(n) < plan-1 || float64(n) > plan+1 {
				t.Errorf("%s %s: %d, planned %.1f", kind, value, n, plan)
			}
		}
	}
	if got := count["synthesizer"]; got[ragas.SingleHopName] != 180 || got[ragas.MultiHopAbstractName] != 60 || got[ragas.MultiHopSpecificName] != 60 {
		t.Errorf("synthesizers %v", got)
	}
	var short *ragas.CountError
	if errors.As(err, &short) {
		t.Error(short)
	}
}
