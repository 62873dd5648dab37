package orchestrate_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// TestWholeRunsFromRecordedReplies runs the whole way from replies written by a
// reader of the prompts (testdata/replies/README.md): a change of a prompt or
// of the plan needs a new recording.
func TestWholeRunsFromRecordedReplies(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		useCases int
		refused  int // at most, of four replies for each use case
	}{{"bike_rental_en", 8, 3}, {"claims_quality_en", 6, 3}, {"flower_delivery_ru", 8, 3}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open("../testdata/replies/" + tc.name + ".jsonl")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			client, err := llm.Replay(f)
			if err != nil {
				t.Fatal(err)
			}
			doc := parse(t, "../examples/documents/"+tc.name+".md")
			o, err := orchestrate.New(ownGenerators(t), &orchestrate.Options{
				Client: client, ModelName: "bridge", Seed: 42,
				Counts: orchestrate.Counts{UseCases: tc.useCases, TestCasesPerUseCase: 4},
			})
			if err != nil {
				t.Fatal(err)
			}
			res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
			var missing *llm.MissingError
			if joined := errors.Join(err, res.Err()); errors.As(joined, &missing) {
				t.Fatalf("the prompts or the plan have changed, so the replies must be recorded anew: %v", missing)
			}
			var short *coverage.ShortfallError
			if errors.As(err, &short) {
				// With the counts asked for, a policy may lack a row; nothing else may lack.
				for _, s := range short.Shortfalls {
					if !strings.HasPrefix(s.Where, "pol_") {
						t.Errorf("shortfall: %s", s)
					}
				}
			} else if err != nil {
				t.Fatal(err)
			}
			asked, first := 0, 0
			for _, out := range res.Outcomes {
				if out.Stage == "generate" && out.Round == 1 {
					asked += len(out.Rows)
					first += out.Kept
				}
			}
			t.Logf("%d of %d replies kept at once; made by %v", first, asked, made(res))
			if asked-first > tc.refused {
				t.Errorf("%d of %d replies were refused by the checks, want at most %d", asked-first, asked, tc.refused)
			}
			if n := len(res.Dataset.Examples); n != 4*tc.useCases || made(res)["rules"] > 0 {
				t.Errorf("%d examples, made by %v; want %d, all by the model", n, made(res), 4*tc.useCases)
			}
			for _, v := range append(res.Dataset.Violations(doc), coverage.CheckIntegrity(res.Dataset)...) {
				t.Errorf("contract: %s", v)
			}
			validates(t, res)
		})
	}
}
