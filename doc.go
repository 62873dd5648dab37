// Package casebook turns business documents into evaluation datasets for
// agents that are built on language models.
//
// It reads a Markdown document and builds the chain: use cases and policies,
// each with exact evidence; test cases that vary two or three axes; dataset
// examples with expected output and criteria; and a certificate of what is
// covered. Start with package orchestrate; ARCHITECTURE.md shows the way of
// the data and README.md a quick start.
package casebook

// Version is the version of this module.
const Version = "0.1.0"
