package lang

// Voice is data of one language.
type Voice struct{}
