package llm

// Budget is a hard limit on what a run may spend. A zero field is no limit. A
// call that could pass a limit is refused before it is sent.
type Budget struct {
	Calls  int64
	Tokens int64
	USD    float64
}

// Price is what a model costs, in US dollars per million tokens.
type Price struct {
	Input, Cached, CacheWrite, Output float64
}

// Prices maps a model's name to its price. A name that is absent has an unknown
// price, never a price of zero.
type Prices map[string]Price
