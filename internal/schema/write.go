package schema

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// object is a JSON object with its members in order.
type object []member

type member struct {
	key   string
	value any // object, list, string, bool, json.Number, json.RawMessage or nil
}

type list []any

// appendJSON appends v without spaces and without HTML escapes, so that equal
// schemas are equal bytes and a model reads "<" as "<".
func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case string:
		return appendString(b, v)
	case json.Number:
		return append(b, v...)
	case json.RawMessage:
		return append(b, v...)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case list:
		b = append(b, '[')
		for i, x := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendJSON(b, x)
		}
		return append(b, ']')
	case object:
		b = append(b, '{')
		for i, m := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, m.key), ':')
			b = appendJSON(b, m.value)
		}
		return append(b, '}')
	default:
		panic(fmt.Sprintf("schema: no JSON for %T", v)) // a slip in this package
	}
}

func appendString(b []byte, s string) []byte {
	text, _ := marshal(s) // a string always encodes
	return append(b, text...)
}
