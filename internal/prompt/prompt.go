// Package prompt makes foreign text safe inside the prompts of casebook.
package prompt

import "strings"

// Fence returns text that cannot close or open the tags around it; it stays
// readable.
func Fence(s string) string {
	return strings.NewReplacer("<", "‹", ">", "›").Replace(s)
}

// Clip returns at most n runes of s, with an ellipsis if it cut any.
func Clip(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n]) + "…"
}
