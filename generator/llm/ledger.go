package llm

import "context"

// Budget is a hard limit on what a run may spend. A zero field is no limit. A
// call that could pass a limit is refused before it is sent.
type Budget struct {
	Calls  int64
	Tokens int64 // input and output together
	USD    float64
}

// Price is what a model costs, in US dollars per million tokens.
type Price struct {
	Input, Cached, CacheWrite, Output float64
}

// Prices maps a model's name to its price. A name that is absent has an unknown
// price, never a price of zero.
type Prices map[string]Price

// Estimate is the most that one call can use.
type Estimate struct {
	Model  string // empty means the model of the client that the ledger wraps
	Input  int64  // tokens of the request
	Output int64  // tokens of the reply
}

// EstimateOf returns the worst case of one call.
func EstimateOf(req *Request) Estimate { panic("llm: not built yet") }

// Ledger counts what calls use and refuses those that could pass the budget. It
// is safe for concurrent use.
type Ledger struct{}

// NewLedger returns a ledger.
func NewLedger(b Budget, p Prices) (*Ledger, error) { return &Ledger{}, nil }

// Client returns c, accounted for and held to the budget.
func (l *Ledger) Client(c Client) Client { return c }

// CheckPrice returns a *[PriceError] if the budget is in money and the price of
// the model is unknown.
func (l *Ledger) CheckPrice(model string) error { return nil }

// Reserve sets the worst case of one call aside, or returns a *[BudgetError] or
// a *[PriceError].
func (l *Ledger) Reserve(worst Estimate) (*Reservation, error) { return &Reservation{}, nil }

// Snapshot returns what was spent so far.
func (l *Ledger) Snapshot() *Spending { return &Spending{} }

// Reservation is a part of the budget set aside for one call.
type Reservation struct{}

// Release gives an unused reservation back. It does nothing for a used one.
func (r *Reservation) Release() {}

// WithReservation returns a context under which the first call uses r.
func WithReservation(ctx context.Context, r *Reservation) context.Context { return ctx }

// Spending is what was spent. It is plain data.
type Spending struct {
	Calls    int64          `json:"calls"`
	Failed   int64          `json:"failed_calls"`
	Tokens   Usage          `json:"tokens"`
	USD      float64        `json:"usd"`
	Unpriced int64          `json:"unpriced_calls,omitempty"`
	Lines    []SpendingLine `json:"lines,omitempty"`
}

// SpendingLine is what was spent on one purpose with one model.
type SpendingLine struct {
	Purpose  string  `json:"purpose"`
	Model    string  `json:"model"`
	Calls    int64   `json:"calls"`
	Failed   int64   `json:"failed_calls"`
	Tokens   Usage   `json:"tokens"`
	USD      float64 `json:"usd"`
	Unpriced int64   `json:"unpriced_calls,omitempty"`
}

// BudgetError is a call refused because it could pass the budget.
type BudgetError struct {
	Limit   string // "calls", "tokens" or "usd"
	Max     float64
	Spent   float64
	Held    float64 // reserved by calls under way
	Worst   float64 // what the refused call could use
	Purpose string
}

// Error describes the refusal.
func (e *BudgetError) Error() string { return "llm: budget of " + e.Limit }

// PriceError is a budget in money for a model whose price is unknown.
type PriceError struct{ Model string }

// Error names the model.
func (e *PriceError) Error() string { return "llm: price of " + e.Model + " is unknown" }
