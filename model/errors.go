package model

import (
	"fmt"
	"strings"
)

// Problem is what is wrong with a document that cannot be read.
type Problem string

// The problems of a [ParseError].
const (
	ProblemEmpty    Problem = "empty"     // no bytes, or blank lines only
	ProblemTooLarge Problem = "too_large" // larger than [ParseOptions].MaxBytes
	ProblemEncoding Problem = "encoding"  // not UTF-8
	ProblemBinary   Problem = "binary"    // NUL bytes: no text file
)

// ParseError says why a document cannot be read, where, and what to do about it.
type ParseError struct {
	Name    string
	Problem Problem
	// Offset is the 0-based byte and Line the 1-based line at which the problem
	// was met; Line is 0 where no line is meant.
	Offset, Line int
	// Detail says what was found and Remedy what to do, each without a full stop.
	Detail, Remedy string
}

func (e *ParseError) Error() string {
	var b strings.Builder
	b.WriteString(e.Name)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d (byte %d)", e.Line, e.Offset)
	}
	b.WriteString(": " + e.Detail)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// RangeError says why a range of lines cannot be cited.
type RangeError struct {
	Name       string
	Start, End int // as asked
	Lines      int // of the document
	Reason     string
}

func (e *RangeError) Error() string {
	return fmt.Sprintf("%s has no quotation at lines %d-%d: %s", e.Name, e.Start, e.End, e.Reason)
}

// FileError says why a JSON file of the contract cannot be read or written.
type FileError struct {
	File File
	// Path is the place in the file ("test_cases[3].parameters"); it may be empty.
	Path string
	// Offset is the 0-based byte and Line the 1-based line; Line is 0 where
	// neither is known.
	Offset, Line   int
	Detail, Remedy string
	Err            error // the cause; may be nil
}

func (e *FileError) Error() string {
	var b strings.Builder
	b.WriteString(string(e.File))
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d (byte %d)", e.Line, e.Offset)
	}
	b.WriteString(": ")
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Detail)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }
