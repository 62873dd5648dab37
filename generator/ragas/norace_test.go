//go:build !race

package ragas_test

const raced = false
