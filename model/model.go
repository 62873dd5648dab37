package model

import "encoding/json"

// Case is the label of the kind of agent a document describes. It is an open
// string: an application may register a case of its own with a [Profile].
type Case string

// The cases of the built-in profiles. Appointment booking is a support bot.
const (
	CaseSupportBot      Case = "support_bot"
	CaseOperatorQuality Case = "operator_quality"
)

// Format is the shape of a dataset example. It is an open string; a [Profile]
// says what a format of its own looks like.
type Format string

// The formats of the built-in profiles.
const (
	// SingleTurnQA is exactly one user message; the expected output is the
	// agent's answer.
	SingleTurnQA Format = "single_turn_qa"
	// SingleUtteranceCorrection is exactly one operator message; the expected
	// output is the corrected message.
	SingleUtteranceCorrection Format = "single_utterance_correction"
	// DialogLastTurnCorrection is a dialogue that starts with the user and ends
	// with the operator; the expected output is the corrected last turn alone.
	DialogLastTurnCorrection Format = "dialog_last_turn_correction"
)

// Source says where the text of an example's input comes from. It is decided
// when a row is planned, never afterwards.
type Source string

// The sources of support examples.
const (
	// SourceTickets is a customer message taken word for word from the export.
	SourceTickets Source = "tickets"
	// SourceFAQParaphrase is a question of the document in other words.
	SourceFAQParaphrase Source = "faq_paraphrase"
	// SourceCorner is garbage, off-topic text, abuse or an injection.
	SourceCorner Source = "corner"
)

// PolicyType is the kind of a policy.
type PolicyType string

// The policy types of the contract; there are no others.
const (
	Must     PolicyType = "must"
	MustNot  PolicyType = "must_not"
	Escalate PolicyType = "escalate"
	Style    PolicyType = "style"
	Shape    PolicyType = "format"
)

// Role says how an example shows a policy: Plain when the right answer follows
// it in an ordinary situation, Pressed when the input pushes towards breaking it.
type Role string

// The roles of a policy in an example.
const (
	Plain   Role = "plain"
	Pressed Role = "pressed"
)

// Span is a range of raw bytes of a document, with the 1-based lines it lies on.
type Span struct {
	Doc       string `json:"doc"`
	StartByte int    `json:"start_byte"`
	EndByte   int    `json:"end_byte"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
}

// Evidence is a quotation of whole lines of a document: Quote equals lines
// LineStart..LineEnd (1-based, inclusive), joined with "\n" after CRLF and lone
// CR became LF. It is made by [Document.Cut], never typed.
type Evidence struct {
	InputFile string `json:"input_file" jsonschema:"minLength=1"`
	LineStart int    `json:"line_start" jsonschema:"minimum=1"`
	LineEnd   int    `json:"line_end" jsonschema:"minimum=1"`
	Quote     string `json:"quote" jsonschema:"minLength=1"`
}

// UseCase is one thing that a customer or an operator comes with.
type UseCase struct {
	ID          string     `json:"id" jsonschema:"pattern=^uc_[a-z0-9_]+$"`
	Case        Case       `json:"case" jsonschema:"minLength=1"`
	Name        string     `json:"name" jsonschema:"minLength=1"`
	Description string     `json:"description" jsonschema:"minLength=1"`
	Evidence    []Evidence `json:"evidence" jsonschema:"minItems=1"`
}

// Policy is one rule that the agent must follow.
type Policy struct {
	ID          string     `json:"id" jsonschema:"pattern=^pol_[a-z0-9_]+$"`
	Case        Case       `json:"case" jsonschema:"minLength=1"`
	Type        PolicyType `json:"type" jsonschema:"enum=must,enum=must_not,enum=escalate,enum=style,enum=format"`
	Name        string     `json:"name" jsonschema:"minLength=1"`
	Description string     `json:"description" jsonschema:"minLength=1"`
	Statement   string     `json:"statement" jsonschema:"minLength=1"`
	Evidence    []Evidence `json:"evidence" jsonschema:"minItems=1"`

	// Conditions say when the policy applies, in the document's words; none
	// means always.
	Conditions []string `json:"conditions,omitempty"`
	// Exceptions say when it does not.
	Exceptions []string `json:"exceptions,omitempty"`
	// Testable is false when no answer can show whether the policy was
	// followed; nil means true. UntestableReason is then required.
	Testable         *bool  `json:"testable,omitempty"`
	UntestableReason string `json:"untestable_reason,omitempty"`
	// Supersedes is the evidence of the statement this one overrules.
	Supersedes []Evidence `json:"supersedes,omitempty"`
}

// IsTestable reports whether an answer can show that p was followed.
func (p *Policy) IsTestable() bool { return p.Testable == nil || *p.Testable }

// Message is one turn of an example's input. Role is "user", "operator",
// "assistant" or "system".
type Message struct {
	Role    string `json:"role" jsonschema:"enum=user,enum=operator,enum=assistant,enum=system"`
	Content string `json:"content"`
}

// The roles of a message.
const (
	RoleUser      = "user"
	RoleOperator  = "operator"
	RoleAssistant = "assistant"
	RoleSystem    = "system"
)

// Metadata says where a test case or an example comes from.
type Metadata struct {
	// Generator is the registered name of the generator that made the item, as
	// the orchestrator stamped it. Required.
	Generator     string `json:"generator" jsonschema:"minLength=1"`
	Engine        string `json:"engine,omitempty" jsonschema:"enum=go,enum=python,enum=file"` // go, python or file
	EngineVersion string `json:"engine_version,omitempty"`                                    // of the engine

	// Source and Split are of examples only. Source is required for
	// [CaseSupportBot].
	Source Source `json:"source,omitempty"`
	Split  string `json:"split,omitempty" jsonschema:"enum=train,enum=test,enum=corner"` // train, test or corner
	// PolicyRoles says, for every policy id of an example, how it is shown.
	PolicyRoles map[string]Role `json:"policy_roles,omitempty"`
	// Shown holds, for an axis that no rule can decide, the phrase of the input
	// in which its value is seen.
	Shown map[string]string `json:"shown,omitempty"`
	// Native is the generator's own record, kept so that an export can restore it.
	Native json.RawMessage `json:"native,omitempty"`
}

// TestCase is one planned situation of a use case.
type TestCase struct {
	ID          string           `json:"id" jsonschema:"pattern=^tc_[a-z0-9_]+$"`
	Case        Case             `json:"case" jsonschema:"minLength=1"`
	UseCaseID   string           `json:"use_case_id" jsonschema:"pattern=^uc_[a-z0-9_]+$"`
	Name        string           `json:"name" jsonschema:"minLength=1"`
	Description string           `json:"description" jsonschema:"minLength=1"`
	Parameters  map[string]Value `json:"parameters"`
	Axes        []string         `json:"parameter_variation_axes" jsonschema:"minItems=2,maxItems=3,uniqueItems=true"`
	PolicyIDs   []string         `json:"policy_ids" jsonschema:"minItems=1,uniqueItems=true"`
	Metadata    Metadata         `json:"metadata"`
}

// Input is what the agent under test is given.
type Input struct {
	Messages           []Message `json:"messages" jsonschema:"minItems=1"`
	TargetMessageIndex *int      `json:"target_message_index,omitempty" jsonschema:"minimum=0"`
}

// Example is one item of the dataset.
type Example struct {
	ID                 string   `json:"id" jsonschema:"pattern=^ex_[a-z0-9_]+$"`
	Case               Case     `json:"case" jsonschema:"minLength=1"`
	UseCaseID          string   `json:"use_case_id" jsonschema:"pattern=^uc_[a-z0-9_]+$"`
	TestCaseID         string   `json:"test_case_id" jsonschema:"pattern=^tc_[a-z0-9_]+$"`
	Format             Format   `json:"format" jsonschema:"minLength=1"`
	Input              Input    `json:"input"`
	ExpectedOutput     string   `json:"expected_output" jsonschema:"minLength=1"`
	EvaluationCriteria []string `json:"evaluation_criteria" jsonschema:"minItems=3,uniqueItems=true"`
	PolicyIDs          []string `json:"policy_ids" jsonschema:"minItems=1,uniqueItems=true"`
	Metadata           Metadata `json:"metadata"`
}

// Dataset is the chain from use cases to examples.
type Dataset struct {
	UseCases  []UseCase
	Policies  []Policy
	TestCases []TestCase
	Examples  []Example
}

// Axis is one dimension along which the test cases of a use case vary. Rule
// names the classifier that decides which value a text shows (package coverage
// lists them); it is "phrase" when no rule can, and then the example must point
// at the phrase of its input that shows the value.
type Axis struct {
	Name   string      `json:"name"`
	Rule   string      `json:"rule"`
	Values []AxisValue `json:"values"`
}

// AxisValue is one value of an axis. At most one Invalid value stands in a row,
// so that no error masks another. Weight matters only among rows of equal gain.
type AxisValue struct {
	Name    string `json:"name"`
	Invalid bool   `json:"invalid,omitempty"`
	Weight  int    `json:"weight,omitempty"`
}

// Constraint forbids rows: a row that has every value of If must have, for each
// axis of Then, one of the listed values. An empty Then excludes every row that
// matches If. Name is what an infeasible tuple is blamed on.
type Constraint struct {
	Name string              `json:"name"`
	If   map[string]string   `json:"if"`
	Then map[string][]string `json:"then,omitempty"`
}

// Row is one planned test case: exactly one generator fills it.
type Row struct {
	ID         string           `json:"id"`
	UseCaseID  string           `json:"use_case_id"`
	Parameters map[string]Value `json:"parameters"`
	Axes       []string         `json:"parameter_variation_axes"`
	PolicyIDs  []string         `json:"policy_ids"`
	Roles      map[string]Role  `json:"roles"`
	Format     Format           `json:"format"`
	Source     Source           `json:"source,omitempty"`
	// Given holds the messages of a verbatim ticket, when a generator writes
	// only the answer.
	Given []Message `json:"given,omitempty"`
	// Corner names the kind of a corner row: garbage, off_topic, abuse,
	// injection or empty. It is empty for other sources.
	Corner string `json:"corner,omitempty"`
	// Examples is how many examples to make for the row; at least 1.
	Examples int `json:"examples"`
}

// UseCasePlan is what was planned for one use case. With it and the examples
// anybody can recompute the certificate.
type UseCasePlan struct {
	UseCaseID   string       `json:"use_case_id"`
	PolicyIDs   []string     `json:"policy_ids"`
	Axes        []Axis       `json:"axes"`
	Constraints []Constraint `json:"constraints,omitempty"`
	Strength    int          `json:"strength"`
	Rows        []Row        `json:"rows"`
}

// Item is a candidate for the dataset: a test case that a generator made for a
// row, and its examples. Row is empty for a proposal outside the plan.
type Item struct {
	Row      string    `json:"row,omitempty"`
	TestCase TestCase  `json:"test_case"`
	Examples []Example `json:"examples"`
}

// Batch is what the records of one generator call became.
type Batch struct {
	Items   []Item
	Refused []Refusal
}

// Refusal is something that was made or asked for and not kept.
type Refusal struct {
	UseCaseID string `json:"use_case_id,omitempty"`
	Row       string `json:"row,omitempty"`
	Generator string `json:"generator,omitempty"`
	Check     string `json:"check"`  // the check or stage that refused
	Reason    string `json:"reason"` // what was wrong, for a person
	Index     int    `json:"index"`  // of the record in its call or file
}

// FormatProfile says what an example of a format looks like.
type FormatProfile struct {
	Format  Format
	Roles   []string // roles of the messages a valid example may have
	First   string   // role of the first message
	Last    string   // role of the last message
	MinTurn int      // fewest messages
	MaxTurn int      // most messages; 0 = no limit
	Target  Target   // the rule for target_message_index
	// Correction says that the expected output is a corrected version of the
	// last message.
	Correction bool
}

// Target is the rule for target_message_index in a format.
type Target string

// The rules for target_message_index.
const (
	TargetAbsent   Target = "absent"   // must be left out
	TargetOptional Target = "optional" // may be left out; the last message if present
	TargetLast     Target = "last"     // required: the index of the last message
)

// Profile says, for a kind of document, which formats and sources its examples
// take and which axes may vary. It is pure data; [SupportBot] and
// [OperatorQuality] return the built-in ones.
type Profile struct {
	Case    Case
	Formats []FormatProfile
	Sources []Source // nil = examples carry no source
	Axes    []Axis   // candidates; a use case gets the two or three that mean something for it
}
