package coverage

// FactKind is the kind of a [Fact].
type FactKind string

// The kinds of fact.
const (
	FactNumber  FactKind = "number"
	FactPercent FactKind = "percent"
	FactAmount  FactKind = "amount" // of money
	FactDate    FactKind = "date"
	FactTime    FactKind = "time"
	FactPhone   FactKind = "phone" // masked ones too
	FactEmail   FactKind = "email"
	FactLink    FactKind = "link"
	FactID      FactKind = "id" // an order id, a code of letters and digits
)

// Fact is something in a text that can be wrong: a number, a date, a contact.
// Norm is equal for two facts that say the same.
type Fact struct {
	Kind FactKind
	Text string // as written
	Norm string
}

// Facts returns the facts of a text in the order they stand. It needs no
// language data; number words are no facts.
func Facts(text string) []Fact { return nil }
