package generator

import (
	"bytes"
	"encoding/json"

	"github.com/casebook-go/casebook/model"
)

// BatchFormat is the record format of generators that make the contract's
// types: each record is a [model.Item].
const BatchFormat = "casebook.item"

// BatchOutput returns b as the output of a generator that makes the contract's
// types; it needs no adapter of its own. A refusal becomes a [Drop], and so does
// an item that has no JSON. It does not change b.
func BatchOutput(b *model.Batch) *Output {
	out := &Output{Format: BatchFormat}
	if b == nil {
		return out
	}
	for _, item := range b.Items {
		row := item.Row
		item.Row = "" // travels beside the record
		var buf bytes.Buffer
		enc := json.NewEncoder(&buf)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(item); err != nil {
			out.Dropped = append(out.Dropped, Drop{Row: row, Reason: "the item has no JSON: " + err.Error()})
			continue
		}
		out.Records = append(out.Records, Record{Row: row, JSON: bytes.TrimSpace(buf.Bytes())})
	}
	for _, r := range b.Refused {
		out.Dropped = append(out.Dropped, Drop{Row: r.Row, Reason: r.Reason})
	}
	return out
}
