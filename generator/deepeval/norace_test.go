//go:build !race

package deepeval_test

const raced = false
