package model

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Value is the concrete value of a parameter: a string, a number or a bool.
// The zero Value is the empty string. Values are comparable with ==.
type Value struct {
	kind byte // 0 string, 'n' number, 'b' bool
	text string
}

// String returns a string value.
func String(s string) Value { return Value{text: s} }

// Number returns a numeric value. Infinities and NaN are no values of JSON:
// encoding one is an error.
func Number(f float64) Value { return Value{kind: 'n', text: formatNumber(f)} }

// Bool returns a boolean value.
func Bool(b bool) Value { return Value{kind: 'b', text: strconv.FormatBool(b)} }

// String returns the value as text, without quotation marks.
func (v Value) String() string { return v.text }

// Equal reports whether v and w are the same value of the same type.
func (v Value) Equal(w Value) bool { return v == w }

// IsString reports whether the value is a string.
func (v Value) IsString() bool { return v.kind == 0 }

// MarshalJSON encodes the value as a JSON scalar.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case 0:
		return marshalString(v.text)
	case 'n':
		if f, err := strconv.ParseFloat(v.text, 64); err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("the number %s has no form in JSON", v.text)
		}
	}
	return []byte(v.text), nil
}

// UnmarshalJSON decodes a JSON string, number or bool; it refuses null, arrays
// and objects. Equal numbers decode to equal values, however they are written,
// and integers keep all their digits.
func (v *Value) UnmarshalJSON(b []byte) error {
	var x any
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	switch x := x.(type) {
	case string:
		*v = String(x)
	case float64:
		*v = Number(x)
		if lit := strings.TrimSpace(string(b)); lit != "-0" && strings.Trim(lit, "-0123456789") == "" {
			v.text = lit
		}
	case bool:
		*v = Bool(x)
	default:
		return fmt.Errorf("a parameter value must be a string, a number or a bool, not %s", b)
	}
	return nil
}

// formatNumber writes numbers as encoding/json does, but keeps minus zero out.
func formatNumber(f float64) string {
	if f == 0 {
		return "0"
	}
	if abs := math.Abs(f); abs < 1e-6 || abs >= 1e21 {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
