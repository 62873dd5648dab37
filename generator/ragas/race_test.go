//go:build race

package ragas_test

// The race detector makes everything slower by a factor of its own.
const raced = true
