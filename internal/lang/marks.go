package lang

// Marks is data of one language.
type Marks struct{}
