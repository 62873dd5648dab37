package llm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
)

// Budget is a hard limit on what a run may spend. A zero field is no limit. A
// call that could pass a limit is refused before it is sent. The guarantee for
// tokens and money is as good as the worst case of a call: give MaxTokens, or
// a reply is taken to be no longer than [DefaultReplyTokens].
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

// DefaultReplyTokens is what a reply is taken to need at most when its request
// sets no MaxTokens.
const DefaultReplyTokens = 8192

// Estimate is the most that one call can use.
type Estimate struct {
	Model  string // empty means the model of the first client that the ledger wraps
	Input  int64  // tokens of the request
	Output int64  // tokens of the reply
}

// EstimateOf returns the worst case of one call: a token for every four bytes
// of the request, rounded up, or for every two where the text is not ASCII
// (tokenizers spend more on other scripts), and MaxTokens or
// [DefaultReplyTokens] for the reply.
func EstimateOf(req *Request) Estimate {
	const (
		perRequest = 16 // what a chat template adds
		perPart    = 8  // the same for a message, a call or a tool
	)
	var quarters int64 // of a token
	count := func(s string) { quarters += quartersOf(s) }
	parts := int64(0)
	for i := range req.Messages {
		m := &req.Messages[i]
		parts++
		count(m.Content)
		count(m.CallID)
		for j := range m.Calls {
			parts++
			count(m.Calls[j].ID)
			count(m.Calls[j].Name)
			count(m.Calls[j].Arguments)
		}
	}
	for i := range req.Tools {
		parts++
		count(req.Tools[i].Name)
		count(req.Tools[i].Description)
		count(string(req.Tools[i].Parameters))
	}
	if req.Schema != nil {
		parts++
		count(req.Schema.Name)
		count(string(req.Schema.JSON))
	}
	e := Estimate{Model: req.Model, Input: (quarters+3)/4 + perPart*parts + perRequest, Output: DefaultReplyTokens}
	if req.MaxTokens > 0 {
		e.Output = int64(req.MaxTokens)
	}
	return e
}

// quartersOf is the most tokens that a text may have, in quarters of one.
func quartersOf(s string) int64 {
	n := int64(len(s))
	for i := range len(s) {
		if s[i] >= 0x80 {
			n++
		}
	}
	return n
}

// Ledger counts what calls use and refuses those that could pass the budget.
// It is shared by all clients of a run and is safe for concurrent use.
type Ledger struct {
	budget Budget
	prices Prices

	mu    sync.Mutex
	model string // of the first client that has one
	spent amount // by finished calls
	held  amount // by reservations
	lines map[lineKey]*line
}

// amount is what a budget limits. Money is in units of 1e-9 dollars, so that
// sums do not depend on their order.
type amount struct{ calls, tokens, nano int64 }

func (a *amount) add(b amount) { a.calls += b.calls; a.tokens += b.tokens; a.nano += b.nano }
func (a *amount) sub(b amount) { a.calls -= b.calls; a.tokens -= b.tokens; a.nano -= b.nano }

type lineKey struct{ purpose, model string }

type line struct {
	calls, failed, unpriced int64
	tokens                  Usage
	assumed                 int64
	nano                    int64
}

// NewLedger returns a ledger. It fails on a limit or a price that is negative
// or no number.
func NewLedger(b Budget, p Prices) (*Ledger, error) {
	if b.Calls < 0 || b.Tokens < 0 || !(b.USD >= 0) || b.USD > math.MaxInt64/2e9 {
		return nil, fmt.Errorf("llm: budget %+v: limits must be 0 (none) or more", b)
	}
	l := &Ledger{budget: b, prices: make(Prices, len(p)), lines: map[lineKey]*line{}}
	var errs []error
	for name, price := range p {
		for _, f := range []float64{price.Input, price.Cached, price.CacheWrite, price.Output} {
			if !(f >= 0) || f > 1e6 {
				errs = append(errs, fmt.Errorf("llm: price of %q: %+v: prices are dollars per million tokens, 0 to 1,000,000", name, price))
				break
			}
		}
		l.prices[name] = price
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return l, errors.Join(errs...)
}

// Client returns c, accounted for and held to the budget of l. The model of a
// request that names none is [ModelOf] c. The client is safe for concurrent use
// if c is.
func (l *Ledger) Client(c Client) Client {
	name := ModelOf(c)
	l.mu.Lock()
	if l.model == "" {
		l.model = name
	}
	l.mu.Unlock()
	return &accounted{wrapped{c}, l, name}
}

// CheckPrice returns a *[PriceError] if the budget is in money and the price of
// the model is unknown. Call it before a run rather than have the first call
// fail.
func (l *Ledger) CheckPrice(model string) error {
	if _, ok := l.prices[model]; !ok && l.budget.USD > 0 {
		return &PriceError{Model: model}
	}
	return nil
}

// Reserve sets the worst case of one call aside. Reserve in plan order and hand
// each reservation to its call by [WithReservation]: then which calls a budget
// still allows does not depend on timing. It fails with a *[BudgetError] or a
// *[PriceError].
func (l *Ledger) Reserve(worst Estimate) (*Reservation, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if worst.Model == "" {
		worst.Model = l.model
	}
	r := &Reservation{l: l}
	if err := l.hold(r, worst, ""); err != nil {
		return nil, err
	}
	return r, nil
}

// hold makes r the worst case, more or less than it was, if the budget allows it.
func (l *Ledger) hold(r *Reservation, worst Estimate, purpose string) error {
	if err := l.CheckPrice(worst.Model); err != nil {
		return err
	}
	price := l.prices[worst.Model]
	need := amount{calls: 1, tokens: worst.Input + worst.Output}
	need.nano = int64(math.Ceil(1e3 * (float64(worst.Input)*max(price.Input, price.Cached, price.CacheWrite) + float64(worst.Output)*price.Output)))

	after := l.held
	after.sub(r.held)
	refuse := func(limit string, unit float64, most, spent, held, worst int64) error {
		if most <= 0 || spent+held+worst <= most {
			return nil
		}
		return &BudgetError{Limit: limit, Max: float64(most) / unit, Spent: float64(spent) / unit, Held: float64(held) / unit, Worst: float64(worst) / unit, Purpose: purpose}
	}
	most := int64(math.Floor(l.budget.USD * 1e9))
	if l.budget.USD > 0 {
		most = max(most, 1)
	}
	if err := cmp.Or(
		refuse("calls", 1, l.budget.Calls, l.spent.calls, after.calls, need.calls),
		refuse("tokens", 1, l.budget.Tokens, l.spent.tokens, after.tokens, need.tokens),
		refuse("usd", 1e9, most, l.spent.nano, after.nano, need.nano),
	); err != nil {
		return err
	}
	after.add(need)
	l.held, r.held = after, need
	return nil
}

// Reservation is a part of the budget set aside for one call. It is safe for
// concurrent use.
type Reservation struct {
	l    *Ledger
	held amount
	over bool // used or released
}

// Release gives an unused reservation back. It does nothing to one that a call
// has used, so defer it where the work for the call ends.
func (r *Reservation) Release() {
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	if !r.over {
		r.over = true
		r.l.held.sub(r.held)
	}
}

type reservationKey struct{}

// WithReservation returns a context under which the first call through the
// ledger of r uses r, and needs more of the budget only if its own worst case is
// larger. Later calls (a retry, a repair) reserve for themselves.
func WithReservation(ctx context.Context, r *Reservation) context.Context {
	return context.WithValue(ctx, reservationKey{}, r)
}

// take gives the call its reservation: the one of ctx, or one of its own.
func (l *Ledger) take(ctx context.Context, worst Estimate, purpose string) (amount, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, ok := ctx.Value(reservationKey{}).(*Reservation)
	if !ok || r == nil || r.l != l || r.over {
		r = &Reservation{l: l}
	}
	if err := l.hold(r, worst, purpose); err != nil {
		return amount{}, err
	}
	r.over = true // from here on the call answers for what it holds
	return r.held, nil
}

type accounted struct {
	wrapped
	l     *Ledger
	model string
}

func (c *accounted) Complete(ctx context.Context, req *Request) (*Response, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	worst := EstimateOf(req)
	if worst.Model == "" {
		worst.Model = c.model
	}
	held, err := c.l.take(ctx, worst, req.Purpose)
	if err != nil {
		return nil, err
	}
	settled := false
	defer func() {
		if !settled { // a panic below
			c.l.settle(req.Purpose, worst, held, nil, errPanic)
		}
	}()
	resp, err := complete(ctx, c.next, req)
	settled = true
	c.l.settle(req.Purpose, worst, held, resp, err)
	return resp, err
}

var errPanic = errors.New("llm: the client panicked")

// settle replaces what a call held by what it used.
func (l *Ledger) settle(purpose string, worst Estimate, held amount, resp *Response, err error) {
	var unsent unsentError
	if errors.As(err, &unsent) {
		l.mu.Lock()
		l.held.sub(held)
		l.mu.Unlock()
		return
	}
	used, served := usageOf(resp, err)
	price, model, priced := l.price(served, worst.Model)
	spent := amount{calls: 1, tokens: used.Input + used.Output}
	if priced {
		spent.nano = cost(used, price)
	}
	var assumed int64
	if err != nil && used == (Usage{}) && mayBeBilled(err) {
		// Nobody knows what it used: the budget takes the worst.
		assumed = held.tokens
		spent.tokens, spent.nano = held.tokens, held.nano
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	l.held.sub(held)
	l.spent.add(spent)
	key := lineKey{purpose, model}
	n := l.lines[key]
	if n == nil {
		n = &line{}
		l.lines[key] = n
	}
	n.calls++
	n.tokens = n.tokens.plus(used)
	n.assumed += assumed
	n.nano += spent.nano
	if err != nil {
		n.failed++
	}
	if !priced && (used != Usage{} || assumed > 0 || err == nil) {
		n.unpriced++
	}
}

// price finds what a call costs: by the model that served it, else by the one
// that was asked for (a served name often carries a date).
func (l *Ledger) price(served, asked string) (p Price, model string, ok bool) {
	model = cmp.Or(served, asked)
	if p, ok = l.prices[model]; ok {
		return p, model, true
	}
	p, ok = l.prices[asked]
	return p, model, ok
}

// cost is the price of a reply in units of 1e-9 dollars, rounded. Cached and
// written tokens are part of the input and pay their own rate instead.
func cost(u Usage, p Price) int64 {
	plain := max(0, u.Input-u.Cached-u.CacheWrite)
	return int64(math.Round(1e3 * (float64(plain)*p.Input + float64(u.Cached)*p.Cached + float64(u.CacheWrite)*p.CacheWrite + float64(u.Output)*p.Output)))
}

// mayBeBilled reports whether the provider may have made a reply that never
// arrived: the call was cut off, or its reply could not be read. A refusal with
// a status is not billed.
func mayBeBilled(err error) bool {
	var e *Error
	if !errors.As(err, &e) {
		var missing *MissingError
		return !errors.As(err, &missing)
	}
	switch e.Kind {
	case KindOverload:
		return e.Status == 0 || e.Status == 200
	case KindMalformed, KindTruncated, KindRefused:
		return true
	default:
		return false
	}
}

// Spending is what was spent: in all, and by purpose and served model, in that
// order. It is plain data.
type Spending struct {
	Calls  int64 `json:"calls"`
	Failed int64 `json:"failed_calls"` // of Calls
	Tokens Usage `json:"tokens"`
	// Assumed is the worst case, in tokens, of calls that were cut off: the
	// provider may have billed them or not. USD has it too.
	Assumed int64   `json:"assumed_tokens,omitempty"`
	USD     float64 `json:"usd"`
	// Unpriced is how many calls are not in USD because the price of their
	// model is unknown.
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
	Assumed  int64   `json:"assumed_tokens,omitempty"`
	USD      float64 `json:"usd"`
	Unpriced int64   `json:"unpriced_calls,omitempty"`
}

// Snapshot returns what finished calls have spent so far.
func (l *Ledger) Snapshot() *Spending {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := &Spending{}
	var nano int64
	for key, n := range l.lines {
		s.Calls += n.calls
		s.Failed += n.failed
		s.Tokens = s.Tokens.plus(n.tokens)
		s.Assumed += n.assumed
		s.Unpriced += n.unpriced
		nano += n.nano
		s.Lines = append(s.Lines, SpendingLine{
			Purpose: key.purpose, Model: key.model, Calls: n.calls, Failed: n.failed,
			Tokens: n.tokens, Assumed: n.assumed, USD: float64(n.nano) / 1e9, Unpriced: n.unpriced,
		})
	}
	s.USD = float64(nano) / 1e9
	slices.SortFunc(s.Lines, func(a, b SpendingLine) int {
		return cmp.Or(cmp.Compare(a.Purpose, b.Purpose), cmp.Compare(a.Model, b.Model))
	})
	return s
}

// BudgetError is a call refused because it could pass the budget. Find it with
// errors.As.
type BudgetError struct {
	Limit   string  // "calls", "tokens" or "usd"
	Max     float64 // the budget
	Spent   float64 // by finished calls
	Held    float64 // set aside for other calls
	Worst   float64 // what this call could use
	Purpose string  // of the call; empty for a reservation
}

// Error says which limit, how much is left and what to do.
func (e *BudgetError) Error() string {
	var b strings.Builder
	b.WriteString("llm: ")
	if e.Purpose != "" {
		fmt.Fprintf(&b, "%s: ", e.Purpose)
	}
	fmt.Fprintf(&b, "the budget of %g %s does not allow another call: %g spent, %g set aside, up to %g needed; raise it or ask for less", e.Max, e.Limit, e.Spent, e.Held, e.Worst)
	return b.String()
}

// PriceError is a budget in money for a model whose price is unknown. Find it
// with errors.As.
type PriceError struct {
	Model string // empty if no request and no client names one
}

// Error names the model and the remedy.
func (e *PriceError) Error() string {
	if e.Model == "" {
		return "llm: a budget in US dollars needs the model's name and its price: name it in Request.Model or give the client a method Model() string"
	}
	return fmt.Sprintf("llm: a budget in US dollars needs the price of %q: add it to Prices", e.Model)
}
