package model

// Manifest is run_manifest.json: what a run was asked, what it did and at what
// cost. Everything but Timestamp and Usage is a function of the documents, the
// options and the model's replies.
type Manifest struct {
	InputPath        string `json:"input_path" jsonschema:"minLength=1"`
	OutPath          string `json:"out_path" jsonschema:"minLength=1"`
	GeneratorVersion string `json:"generator_version" jsonschema:"minLength=1"`
	Seed             int64  `json:"seed"`
	// Timestamp is ISO 8601 with zone ([time.RFC3339]).
	Timestamp string `json:"timestamp" jsonschema:"format=date-time"`
	LLM       LLM    `json:"llm"`
	// FrameworksUsed are the sorted names of the generators that made kept
	// items; it contains every metadata.generator of the files.
	FrameworksUsed []string       `json:"frameworks_used"`
	Generators     []GeneratorUse `json:"generators"`
	Counts         Counts         `json:"counts"`

	// Language is the BCP 47 base language of the documents.
	Language string `json:"language,omitempty"`
	Case     Case   `json:"case,omitempty"`
	// Routing says who picked the generators: "model" or "none".
	Routing string `json:"routing,omitempty"`
	// Stop says why the run ended: complete, rounds, budget, cancelled, ...
	Stop string `json:"stop,omitempty"`
	// StopReason names, for a stop that cut the use of the model short, what happened.
	StopReason string        `json:"stop_reason,omitempty"`
	Plan       []UseCasePlan `json:"plan,omitempty"`
	Outcomes   []CallOutcome `json:"outcomes,omitempty"`
	Refused    []Refusal     `json:"refused,omitempty"`
	// Findings are what the checks found in tests that were brought in; they
	// were kept all the same.
	Findings []Finding `json:"findings,omitempty"`
	// Files maps the name of every other file of the run to the SHA-256 of its
	// bytes, in lower-case hex.
	Files map[string]string `json:"files,omitempty"`
	Usage *Usage            `json:"usage,omitempty"`

	Langfuse  *Upload `json:"langfuse,omitempty"`
	LangSmith *Upload `json:"langsmith,omitempty"`
}

// LLM says which model a run used.
type LLM struct {
	Provider string `json:"provider" jsonschema:"minLength=1"` // "none" without a model
	Model    string `json:"model"`                             // as asked for
	// Temperature is the value sent, or the model's default.
	Temperature float64 `json:"temperature"`
	ServedModel string  `json:"served_model,omitempty"`
}

// GeneratorUse says how many kept items a generator made, and with what.
type GeneratorUse struct {
	Name    string `json:"name"`
	Engine  string `json:"engine"` // go, python or file
	Version string `json:"version,omitempty"`
	Items   int    `json:"items"` // kept examples
}

// Finding is a remark of a check on an example that was kept.
type Finding struct {
	ExampleID string `json:"example_id"`
	Check     string `json:"check"`
	Message   string `json:"message"`
}

// Counts are the numbers of items in the files.
type Counts struct {
	UseCases        int `json:"use_cases" jsonschema:"minimum=0"`
	Policies        int `json:"policies" jsonschema:"minimum=0"`
	TestCases       int `json:"test_cases" jsonschema:"minimum=0"`
	DatasetExamples int `json:"dataset_examples" jsonschema:"minimum=0"`
}

// CallOutcome is what became of one generator call.
type CallOutcome struct {
	Round     int      `json:"round"`
	Call      string   `json:"call"` // id of the call
	Generator string   `json:"generator"`
	Tool      string   `json:"tool,omitempty"`
	UseCaseID string   `json:"use_case_id,omitempty"`
	Rows      []string `json:"rows,omitempty"` // ids of the rows dealt to it
	Kept      int      `json:"kept"`           // rows it filled
	Error     string   `json:"error,omitempty"`
}

// Usage is everything of a run that depends on time and on retries.
type Usage struct {
	Calls           int64   `json:"calls"`   // requests answered by the model
	Retries         int64   `json:"retries"` // requests made again
	InputTokens     int64   `json:"input_tokens"`
	CachedTokens    int64   `json:"cached_tokens"` // part of InputTokens
	OutputTokens    int64   `json:"output_tokens"`
	ReasoningTokens int64   `json:"reasoning_tokens"` // part of OutputTokens
	USD             float64 `json:"usd"`              // 0 when no price is known
	Seconds         float64 `json:"seconds"`          // wall time of the run
	// ByPurpose splits the calls by what they were for ("route", "extract_policies", ...).
	ByPurpose map[string]int64 `json:"by_purpose,omitempty"`
}

// Upload says where a dataset was uploaded to.
type Upload struct {
	DatasetName string `json:"dataset_name"`
	RunURL      string `json:"run_url"`
}
