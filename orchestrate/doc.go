// Package orchestrate runs the whole way from a document to a proven dataset:
// it plans rows, lets a model pick generators by function calling, dispatches
// the calls at once, adapts and checks what they return, and goes on until the
// plan is filled or says what is missing.
//
// An [Orchestrator] opens no file, reads no environment and prints nothing.
package orchestrate
