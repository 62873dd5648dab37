package python

import (
	"slices"
	"testing"

	"github.com/casebook-go/casebook/generator/deepeval"
)

// The contract between what DeepEval makes and what comes out, in two languages.
func TestRealDeepEval(t *testing.T) {
	e := realEngine(t, DeepEval, Options{})
	for _, document := range realDocuments() {
		t.Run(document, func(t *testing.T) {
			r := newRealCall(t, e, document, 12)
			evolutions := map[string]int{}
			for _, rec := range r.filled(t).Records {
				g, err := deepeval.Parse(rec.JSON)
				if err != nil {
					t.Fatal(err)
				}
				if len(rec.Spans) != len(g.Context) {
					t.Errorf("%s: %d spans of %d contexts", rec.Row, len(rec.Spans), len(g.Context))
					continue
				}
				for i, s := range rec.Spans {
					if got := r.spanned(s); got != g.Context[i] {
						t.Errorf("%s: context %d is\n%s\nand stands in the document as\n%s", rec.Row, i, g.Context[i], got)
					}
				}
				m := g.Metadata
				if g.SourceFile != document || !slices.Equal(m.ContextSourceFiles, []string{document}) || m.InputQuality == nil || len(g.Extra) > 0 {
					t.Errorf("%s: file %q, metadata %+v, other keys %v", rec.Row, g.SourceFile, m, g.Extra)
				}
				for _, e := range m.Evolutions {
					evolutions[e]++
				}
			}
			if len(evolutions) < 5 {
				t.Errorf("the evolutions are %v", evolutions)
			}
		})
	}
}

// What DeepEval does with replies that are not what it asks for.
func TestRealDeepEvalReplies(t *testing.T) {
	testReplies(t, DeepEval, "bike_rental_en.md", 2, []oddReply{
		{
			name:    "more inputs than asked",
			replies: played{"SyntheticDataList": `{"data":[{"input":"May I keep bike {seed} longer?"},{"input":"And another one?"},{"input":"Yet another?"}]}`},
			lacks:   "another",
		},
		{name: "no inputs", replies: played{"SyntheticDataList": `{"data":[]}`}, dropped: 2, reason: ErrEmpty.Error()},
		{name: "a blank input", replies: played{"SyntheticData": `{"input":" "}`}, dropped: 2, reason: ErrEmpty.Error()},
		{name: "an empty text", replies: played{"": "\n"}, dropped: 2, reason: "EmptyReplyError"},
		{name: "no JSON", replies: played{"InputFeedback": "I like it."}, dropped: 2, reason: "schema"},
		{name: "a score out of bounds", replies: played{"InputFeedback": `{"score":8,"feedback":"Good."}`}, lacks: `"synthetic_input_quality":8`},
		{name: "a critic that is never content", replies: played{"InputFeedback": `{"score":0.1,"feedback":"Vague."}`}, has: `"synthetic_input_quality":0.1`},
	}, nil)
}
