package model

// Slug returns text as an id part: ASCII letters, digits and underscores, in
// lower case, at most max bytes (0 means 48) and cut between words. Cyrillic is
// transliterated, diacritics are dropped; text of other scripts becomes a short
// hash of itself. It is never empty and a function of its arguments alone.
func Slug(text string, max int) string { return "x" }

// IDs hands out unique ids. The zero value is ready. It is not safe for
// concurrent use.
type IDs struct {
	seen map[string]int
}

// Make returns prefix + [Slug] of text, with "_2", "_3", ... appended when the
// id was handed out or reserved before: the same calls in the same order give
// the same ids.
func (s *IDs) Make(prefix, text string) string { return prefix + Slug(text, 0) }

// Reserve marks ids as taken.
func (s *IDs) Reserve(ids ...string) {}
