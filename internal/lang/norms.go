package lang

// Norms is data of one language.
type Norms struct{}
