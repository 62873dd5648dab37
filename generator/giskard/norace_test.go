//go:build !race

package giskard_test

const raced = false
