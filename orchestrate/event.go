package orchestrate

import "sync"

// EventKind is the kind of an [Event].
type EventKind string

// The kinds of event.
const (
	EventStage   EventKind = "stage"   // a stage began; Stage, Round and Total are set
	EventCall    EventKind = "call"    // a call ended; Done of Total
	EventKept    EventKind = "kept"    // an item was accepted
	EventRefused EventKind = "refused" // an item was refused; Message says why
	EventNotice  EventKind = "notice"  // something a person should know
)

// Event is one step of a run. Events are delivered one at a time, in the order
// of Seq, on the goroutine that caused them; a receiver must return quickly and
// must not call the orchestrator. None comes after Run has returned. Only the
// order of EventCall events within a stage depends on timing.
type Event struct {
	Seq   int
	Kind  EventKind
	Stage string // extract, plan, route, generate, repair, fallback, certify
	Round int
	// Done and Total count the stage's calls; Rows and Open the plan's rows.
	Done, Total int
	Rows, Open  int
	UseCaseID   string
	Generator   string
	Message     string
	// Calls, Tokens and USD are what the run has spent so far. Priced is false
	// when the price of a model is unknown and USD leaves its calls out.
	Calls, Tokens int64
	USD           float64
	Priced        bool
}

type emitter struct {
	mu    sync.Mutex
	seq   int
	fn    func(Event)
	spent func(*Event)
}

func (e *emitter) emit(ev Event) {
	if e.fn == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seq++
	ev.Seq = e.seq
	if e.spent != nil {
		e.spent(&ev)
	}
	e.fn(ev)
}
