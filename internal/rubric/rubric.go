// Package rubric draws a sample of a dataset for readers and counts their
// verdicts. The six questions are those by which a reader who knows only the
// document, the input and the expected output decides whether an item is good.
package rubric

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/casebook-go/casebook/model"
)

// Questions are answered 0 or 1, in this order.
var questions = [...]string{"plausible", "useful", "supported", "policy", "language", "complete"}

// Item is what a reader sees of an example.
type Item struct {
	ID             string          `json:"id"`
	Document       string          `json:"document"`
	Format         model.Format    `json:"format"`
	Input          []model.Message `json:"input"`
	ExpectedOutput string          `json:"expected_output"`
}

// Verdict is one reader's answer for one item; Why says what a 0 is for.
type Verdict struct {
	ID        string `json:"id"`
	Plausible int    `json:"plausible"`
	Useful    int    `json:"useful"`
	Supported int    `json:"supported"`
	Policy    int    `json:"policy"`
	Language  int    `json:"language"`
	Complete  int    `json:"complete"`
	Why       string `json:"why,omitempty"`
}

// Good reports whether all six answers are 1.
func (v *Verdict) Good() bool {
	return v.Plausible == 1 && v.Useful == 1 && v.Supported == 1 && v.Policy == 1 && v.Language == 1 && v.Complete == 1
}

// Draw returns n items of a document's dataset, drawn by seed: in turn from
// every source and format, and within one from use cases that were not drawn
// yet. It is a function of its arguments.
func Draw(document string, examples []model.Example, n int, seed int64) []Item {
	type stratum struct {
		source model.Source
		format model.Format
	}
	strata := map[stratum][]model.Example{}
	var order []stratum
	for _, e := range examples {
		s := stratum{e.Metadata.Source, e.Format}
		if strata[s] == nil {
			order = append(order, s)
		}
		strata[s] = append(strata[s], e)
	}
	slices.SortFunc(order, func(a, b stratum) int {
		return cmp.Or(cmp.Compare(a.source, b.source), cmp.Compare(a.format, b.format))
	})
	rank := func(id string) uint64 {
		h := fnv.New64a()
		_, _ = fmt.Fprintf(h, "%d/%s/%s", seed, document, id) // a hash never fails to write
		return h.Sum64()
	}
	for _, s := range order {
		slices.SortFunc(strata[s], func(a, b model.Example) int { return cmp.Compare(rank(a.ID), rank(b.ID)) })
	}
	var out []Item
	drawn := map[string]int{} // by use case
	for len(out) < n {
		before := len(out)
		for _, s := range order {
			if len(out) == n || len(strata[s]) == 0 {
				continue
			}
			best := 0
			for i, e := range strata[s] {
				if drawn[e.UseCaseID] < drawn[strata[s][best].UseCaseID] {
					best = i
				}
			}
			e := strata[s][best]
			strata[s] = slices.Delete(strata[s], best, best+1)
			drawn[e.UseCaseID]++
			out = append(out, Item{e.ID, document, e.Format, e.Input.Messages, e.ExpectedOutput})
		}
		if len(out) == before {
			break
		}
	}
	return out
}

// Share returns the share of items that every reader found good, and the ids
// of the others. It is an error if a reader did not judge an item, or answered
// anything but 0 or 1.
func Share(items []Item, readers ...[]Verdict) (share float64, failed []string, err error) {
	if len(items) == 0 || len(readers) == 0 {
		return 0, nil, fmt.Errorf("%d items, %d readers", len(items), len(readers))
	}
	for _, item := range items {
		good := true
		for r, verdicts := range readers {
			i := slices.IndexFunc(verdicts, func(v Verdict) bool { return v.ID == item.ID })
			if i < 0 {
				return 0, nil, fmt.Errorf("reader %d did not judge %s", r+1, item.ID)
			}
			v := verdicts[i]
			for k, a := range [...]int{v.Plausible, v.Useful, v.Supported, v.Policy, v.Language, v.Complete} {
				if a != 0 && a != 1 {
					return 0, nil, fmt.Errorf("reader %d, %s: %s is %d, not 0 or 1", r+1, item.ID, questions[k], a)
				}
			}
			if !v.Good() && v.Why == "" {
				return 0, nil, fmt.Errorf("reader %d, %s: a 0 without a reason", r+1, item.ID)
			}
			good = good && v.Good()
		}
		if !good {
			failed = append(failed, item.ID)
		}
	}
	return 1 - float64(len(failed))/float64(len(items)), failed, nil
}
