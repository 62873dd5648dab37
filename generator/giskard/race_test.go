//go:build race

package giskard_test

// The race detector makes everything slower by a factor of its own.
const raced = true
