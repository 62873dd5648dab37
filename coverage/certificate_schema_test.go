package coverage_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	reflector "github.com/invopop/jsonschema"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// The committed schema is the one that the Go types give.
func TestCertificateSchemaIsCurrent(t *testing.T) {
	t.Parallel()
	r := &reflector.Reflector{Anonymous: true, ExpandedStruct: true}
	raw, err := json.Marshal(r.Reflect(&coverage.Certificate{}))
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	const file = "schema/certificate.json"
	if *update {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want.String(), string(coverage.CertificateSchema())); diff != "" {
		t.Errorf("%s is out of date; run the test with -update (-types +file):\n%s", file, diff)
	}
}

// validator is independent of what made the schema.
func validator(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(coverage.CertificateSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("certificate.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("certificate.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCertificateFollowsSchema(t *testing.T) {
	t.Parallel()
	schema := validator(t)
	for name, in := range map[string]*coverage.CertifyInput{
		"sound": certifyInput(sound(t)),
		"empty": {Dataset: &model.Dataset{}},
		"short": certifyInput(func() *coverage.EnforceInput {
			in := sound(t)
			loseID("tc_0_0")(in)
			in.Stop = coverage.LimitBudget
			return in
		}()),
		"without model": certifyInput(func() *coverage.EnforceInput {
			in := sound(t)
			loseID("tc_0_0")(in)
			in.Infeasible = map[string]string{"uc_0/1": "no sentence is angry"}
			return in
		}()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := coverage.Certify(in)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := model.Encode(model.FileCertificate, c)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(doc); err != nil {
				t.Errorf("%v in\n%s", err, raw)
			}
			top := doc.(map[string]any)
			delete(top, "dataset_sha256")
			if schema.Validate(top) == nil {
				t.Error("a certificate without dataset_sha256 passes")
			}
		})
	}
}
