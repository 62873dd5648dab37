package strictcheck_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/casebook-go/casebook/internal/schema/strictcheck"
)

// object wraps one property into a strict object.
func object(prop string) string {
	return `{"type":"object","properties":{"a":` + prop + `},"required":["a"],"additionalProperties":false}`
}

func nested(levels int) string {
	s := `{"type":"string"}`
	for range levels {
		s = object(s)
	}
	return s
}

func properties(n int) string {
	var props, req []string
	for i := range n {
		props = append(props, fmt.Sprintf(`"p%d":{"type":"integer"}`, i))
		req = append(req, fmt.Sprintf(`"p%d"`, i))
	}
	return `{"type":"object","properties":{` + strings.Join(props, ",") + `},"required":[` + strings.Join(req, ",") + `],"additionalProperties":false}`
}

func enum(n, size int) string {
	var vs []string
	for i := range n {
		vs = append(vs, fmt.Sprintf(`"%0*d"`, size, i))
	}
	return object(`{"type":"string","enum":[` + strings.Join(vs, ",") + `]}`)
}

func TestStrict(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]string{
		"empty object":       `{"type":"object","properties":{},"required":[],"additionalProperties":false}`,
		"scalar":             object(`{"type":"string","description":"d","pattern":"^a$","format":"uuid"}`),
		"nullable by anyOf":  object(`{"anyOf":[{"type":"integer","minimum":1},{"type":"null"}]}`),
		"nullable by type":   object(`{"type":["string","null"]}`),
		"array":              object(`{"type":"array","items":{"type":"number","multipleOf":0.5},"minItems":1,"maxItems":3}`),
		"enum and const":     object(`{"anyOf":[{"type":"string","enum":["a","b"]},{"const":3}]}`),
		"reference":          `{"type":"object","properties":{"a":{"$ref":"#/$defs/x"}},"required":["a"],"additionalProperties":false,"$defs":{"x":{"type":"string"}}}`,
		"recursion":          object(`{"anyOf":[{"$ref":"#"},{"type":"null"}]}`),
		"five levels":        nested(5),
		"100 properties":     properties(100),
		"long enum, compact": enum(300, 10),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := strictcheck.Violations([]byte(s)); len(got) > 0 {
				t.Errorf("violations of %s:\n%s", s, strings.Join(got, "\n"))
			}
		})
	}
}

func TestNotStrict(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ schema, want string }{
		"no JSON":                   {`{`, "EOF"},
		"trailing":                  {object(`{"type":"string"}`) + `{}`, "text after"},
		"repeated key":              {`{"type":"object","type":"object"}`, "stands twice"},
		"boolean root":              {`true`, "no object"},
		"root not an object":        {`{"type":"array","items":{"type":"string"}}`, "root's type"},
		"root anyOf":                {`{"anyOf":[{"type":"null"}]}`, "anyOf or a $ref"},
		"open object":               {`{"type":"object","properties":{},"required":[]}`, "additionalProperties"},
		"map":                       {`{"type":"object","properties":{},"required":[],"additionalProperties":{"type":"string"}}`, "additionalProperties"},
		"not all required":          {`{"type":"object","properties":{"a":{"type":"string"}},"required":[],"additionalProperties":false}`, "required is"},
		"required in another order": {`{"type":"object","properties":{"a":{"type":"string"},"b":{"type":"string"}},"required":["b","a"],"additionalProperties":false}`, "required is"},
		"no properties":             {`{"type":"object","required":[],"additionalProperties":false}`, "without properties"},
		"boolean schema":            {object(`true`), "must be an object"},
		"empty schema":              {object(`{}`), "anything would do"},
		"oneOf":                     {object(`{"oneOf":[{"type":"string"}]}`), "oneOf"},
		"allOf":                     {object(`{"type":"string","allOf":[]}`), "allOf"},
		"default":                   {object(`{"type":"integer","default":5}`), "default"},
		"title":                     {object(`{"type":"string","title":"x"}`), "title"},
		"minLength":                 {object(`{"type":"string","minLength":5}`), "minLength"},
		"uniqueItems":               {object(`{"type":"array","items":{"type":"string"},"uniqueItems":true}`), "uniqueItems"},
		"foreign format":            {object(`{"type":"string","format":"uri"}`), "format"},
		"bound on a string":         {object(`{"type":"string","minimum":1}`), "minimum"},
		"bound that is text":        {object(`{"type":"integer","minimum":"1"}`), "no number"},
		"no items":                  {object(`{"type":"array"}`), "without items"},
		"tuple":                     {object(`{"type":"array","items":[{"type":"string"}]}`), "must be an object"},
		"unknown type":              {object(`{"type":"text"}`), "unknown type"},
		"three types":               {object(`{"type":["string","integer","null"]}`), "list of types"},
		"empty enum":                {object(`{"type":"string","enum":[]}`), "empty"},
		"enum twice":                {object(`{"type":"string","enum":["a","a"]}`), "twice"},
		"enum of another type":      {object(`{"type":"integer","enum":["a"]}`), "not of type"},
		"enum of objects":           {object(`{"enum":[{}]}`), "no scalar"},
		"siblings of anyOf":         {object(`{"anyOf":[{"type":"string"}],"type":"string"}`), "beside anyOf"},
		"same first key":            {object(`{"anyOf":[` + object(`{"type":"string"}`) + `,` + object(`{"type":"integer"}`) + `]}`), "first key"},
		"two nulls":                 {object(`{"anyOf":[{"type":"null"},{"type":"null"}]}`), "null stands 2"},
		"siblings of $ref":          {object(`{"$ref":"#","description":"d"}`), "beside $ref"},
		"dangling $ref":             {object(`{"$ref":"#/$defs/x"}`), "does not resolve"},
		"foreign $ref":              {object(`{"$ref":"https://example.com/s"}`), "does not resolve"},
		"inner $defs":               {object(`{"type":"string","$defs":{}}`), "$defs"},
		"six levels":                {nested(6), "level 6"},
		"arrays are levels":         {object(`{"type":"array","items":{"type":"array","items":` + nested(3) + `}}`), "level 6"},
		"101 properties":            {properties(101), "101 properties"},
		"1001 enum values":          {enum(1001, 4), "1001 enum values"},
		"a long enum":               {enum(251, 60), "at most 15000"},
		"much text":                 {enum(100, 1300), "at most 120000"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(strictcheck.Violations([]byte(tt.schema)), "\n")
			if !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want a violation with %q", got, tt.want)
			}
		})
	}
}
