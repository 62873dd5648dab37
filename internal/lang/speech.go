package lang

// Speech is data of one language.
type Speech struct{}
