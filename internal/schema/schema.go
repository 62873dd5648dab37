// Package schema turns Go structs into JSON Schemas of the strict subset that
// tool calling and structured replies accept, and decodes what a model sent
// back into those structs.
package schema

import (
	"encoding/json"
	"errors"
	"reflect"
)

// Schema is the schema of one struct type. It is immutable and safe for
// concurrent use.
type Schema struct {
	// Strict is of the strict subset: every property is required, every object
	// is closed, an optional field may be null. It is what a model is sent.
	Strict json.RawMessage
	// Lenient holds the original constraints, with optional fields left
	// optional. It is what a reply is validated against.
	Lenient json.RawMessage
}

// For returns the schema of struct type t. It fails with an *[Error].
func For(t reflect.Type) (*Schema, error) { return Describe(t, nil) }

// Describe is [For] with the values of defaults, which is a t or a *t, named in
// the descriptions. It fails with an *[Error].
func Describe(t reflect.Type, defaults any) (*Schema, error) {
	return nil, errors.ErrUnsupported
}

// Decode decodes raw into a pointer to the schema's struct. It fails with an
// *[ArgsError] that names every problem at once.
func (s *Schema) Decode(raw json.RawMessage, into any) error {
	return errors.ErrUnsupported
}

// Problem is one reason why a type has no strict schema.
type Problem struct {
	Path   string // of the field in Go: "Params.Items[].Start"
	Reason string
	Hint   string // what to do about it
}

// Error says why a type has no strict schema: every problem, not the first.
type Error struct {
	Type     string
	Problems []Problem
}

// Error implements error.
func (e *Error) Error() string { return e.Type }

// ArgsError says what is wrong with a model's arguments or reply, in words that
// the model can repair them by.
type ArgsError struct {
	Problems []string
	Err      error // from the type's own Validate, if that is what failed
}

// Error implements error.
func (e *ArgsError) Error() string { return "invalid arguments" }

// Unwrap returns the error of the type's own Validate method.
func (e *ArgsError) Unwrap() error { return e.Err }
