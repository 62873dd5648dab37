// Package generator defines what makes test cases and examples: the
// [Generator] interface, the [Spec] that describes one to a router, and the
// [Call] and [Output] they exchange with an orchestrator.
//
// Most generators are made by [New] from a typed function; its parameter
// struct becomes the strict schema of the tool a model can call.
package generator

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
)

// Generator makes records for the rows of a call. Implementations must be safe
// for concurrent use unless their Spec says Serial, must honour ctx, and must
// not keep or change the call. The same call with the same replies of the model
// must give the same output.
type Generator interface {
	Spec() Spec
	Generate(ctx context.Context, call *Call) (*Output, error)
}

// Spec describes a generator. It is data, so that a new field breaks nobody.
type Spec struct {
	Name        string // "deepeval": [a-z0-9_]+
	Tool        string // the tool's name; empty means "generate_with_" + Name
	Description string // what it makes and when to use it, for the router
	// Params is a pointer to a struct: its type is the tool's strict schema,
	// its values the defaults. [New] sets it.
	Params any
	// Record is the format of its records, which picks the adapter that reads
	// them; empty means [BatchFormat].
	Record string
	// Count is the JSON name of the integer parameter that bounds how many rows
	// a call may be dealt ("num_goldens"); empty means no bound.
	Count         string
	NeedsModel    bool
	NeedsEmbedder bool // not satisfied by the lexical one
	// Formats are the formats it can make; nil means all. A router never offers
	// it a task it cannot do.
	Formats []model.Format
	// OwnInputs says that it writes every input itself: rows whose message is
	// given, or is to be a bad one (Row.Corner), are not dealt to it.
	OwnInputs bool
	Timeout   time.Duration // of one call; 0 means the orchestrator's
	Serial    bool          // calls must not run at once
}

// Call is one piece of work for one generator.
type Call struct {
	ID    string
	Round int
	Index int    // in its round, in plan order
	Seed  uint64 // a function of the run's seed, round, index and generator

	Documents []*model.Document
	Language  string // BCP 47 base language of the documents: "en", "ru", ...
	Profile   *model.Profile
	UseCase   model.UseCase
	Policies  []model.Policy // the ones the rows cite
	// AllPolicies are those of the run: rules of form and tone apply to every
	// answer.
	AllPolicies []model.Policy
	Axes        []model.Axis // the domains of the rows' parameters
	// Rows are to be filled: exactly these, disjoint from every other call of
	// the round.
	Rows []model.Row
	// Avoid holds inputs already accepted for the use case.
	Avoid []string
	// Repairs is set in a repair call: for each row, what was refused and why.
	Repairs map[string]Repair
	// Fallback is set when no router picked the generator.
	Fallback bool

	Args json.RawMessage // validated, defaults applied
	// Model is nil offline. A generator holds no client of its own.
	Model    llm.Client
	Embedder llm.Embedder // never nil
	// Memo keeps what the calls of one run share, such as a graph of the
	// documents; nil keeps nothing. See [Once].
	Memo *Memo
	Log  *slog.Logger // never nil
}

// Repair is a refused candidate and what the checks found.
type Repair struct {
	Item     model.Item
	Findings []string
}

// Output is what a generator made.
type Output struct {
	Format  string
	Records []Record
	// Dropped is what was asked and not made, each with its reason.
	Dropped []Drop
	Engine  string // go, python or file; empty means go
	Version string // of the engine
}

// Record is one native record. Everything else travels beside it, never inside.
type Record struct {
	Row   string // "" is a proposal outside the plan
	JSON  json.RawMessage
	Spans []model.Span // of its contexts, in their order
	// Notes is what the contract asks for and the format has no place for; nil
	// for the record of a foreign file.
	Notes *Notes
}

// Notes are the parts of a test case and its example that no framework's record
// has.
type Notes struct {
	Name        string // of the test case
	Description string // of the test case
	Criteria    []string
	PolicyIDs   []string          // of the row's policies, those that the example shows
	Shown       map[string]string // see [model.Metadata]
}

// Drop is a row that was not filled, or, with no row, a proposal that was not
// made.
type Drop struct {
	Row    string `json:"row"`
	Reason string `json:"reason"`
}
