package model

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// Value is the concrete value of a parameter: a string, a number or a bool.
// The zero Value is the empty string. Values are comparable with ==.
type Value struct {
	kind byte // 0 string, 'n' number, 'b' bool
	text string
}

// String returns a string value.
func String(s string) Value { return Value{text: s} }

// Number returns a numeric value.
func Number(f float64) Value {
	return Value{kind: 'n', text: strconv.FormatFloat(f, 'g', -1, 64)}
}

// Bool returns a boolean value.
func Bool(b bool) Value { return Value{kind: 'b', text: strconv.FormatBool(b)} }

// String returns the value as text, without quotation marks.
func (v Value) String() string { return v.text }

// Equal reports whether v and w are the same value of the same type.
func (v Value) Equal(w Value) bool { return v == w }

// MarshalJSON encodes the value as a JSON scalar.
func (v Value) MarshalJSON() ([]byte, error) {
	if v.kind == 0 {
		return json.Marshal(v.text)
	}
	return []byte(v.text), nil
}

// UnmarshalJSON decodes a JSON string, number or bool; it refuses null, arrays
// and objects.
func (v *Value) UnmarshalJSON(b []byte) error {
	var x any
	if err := json.Unmarshal(b, &x); err != nil {
		return err
	}
	switch x := x.(type) {
	case string:
		*v = String(x)
	case float64:
		*v = Value{kind: 'n', text: string(b)}
	case bool:
		*v = Bool(x)
	default:
		return fmt.Errorf("a parameter value must be a string, a number or a bool, not %s", b)
	}
	return nil
}
