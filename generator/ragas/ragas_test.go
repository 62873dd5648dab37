package ragas_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	ragasadapter "github.com/casebook-go/casebook/adapters/ragas"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/generatortest"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/generator/ragas"
	"github.com/casebook-go/casebook/internal/schema/strictcheck"
)

func newGenerator(t testing.TB, o *ragas.Options) generator.Generator {
	t.Helper()
	g, err := ragas.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestConformance(t *testing.T) {
	t.Parallel()
	generatortest.Test(t, newGenerator(t, nil), &generatortest.Options{
		Model:   func(*generator.Call) llm.Client { return player() },
		Adapter: ragasadapter.New(ragasadapter.Options{}),
	})
}

func TestTool(t *testing.T) {
	t.Parallel()
	spec := newGenerator(t, nil).Spec()
	tool, err := generator.ToolFor(spec)
	if err != nil {
		t.Fatal(err)
	}
	if v := strictcheck.Violations(tool.Parameters); len(v) > 0 {
		t.Error(strings.Join(v, "; "))
	}
	args, err := generator.CheckArgs(spec, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(`{"test_size":10,"reasoning_ratio":0.4}`, string(args)); d != "" {
		t.Errorf("defaults (-want +got)\n%s", d)
	}
	for _, bad := range []string{`{"reasoning_ratio":1.5}`, `{"test_size":0}`, `{"document_paths":"a.md"}`} {
		if _, err := generator.CheckArgs(spec, []byte(bad)); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	if tool.Name != "generate_with_ragas" {
		t.Errorf("the tool is %s", tool.Name)
	}
}
