// Package model holds the data contract of casebook: documents with exact line
// accounting, and the use cases, policies, test cases and examples made from
// them. It parses, validates and encodes; it opens no file and calls nothing.
//
// All types are plain data. A value may be read by several goroutines at once,
// as long as none writes to it; a [Document] is immutable after it is parsed.
package model
