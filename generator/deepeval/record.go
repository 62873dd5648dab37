package deepeval

import (
	"encoding/json"
	"strings"

	"github.com/casebook-go/casebook/internal/loose"
)

// Format is the format of the records: DeepEval's goldens, as its
// EvaluationDataset writes them.
const Format = "deepeval.golden"

// Golden is a record of DeepEval: a single-turn golden or, with a Scenario, a
// conversational one. A text that is empty stands for Python's None.
type Golden struct {
	// Of single-turn goldens.
	Input            string
	ActualOutput     string
	ExpectedOutput   string
	RetrievalContext []string
	SourceFile       string
	ToolsCalled      json.RawMessage
	ExpectedTools    json.RawMessage

	// Of conversational goldens.
	Scenario        string
	Turns           []Turn
	ExpectedOutcome string
	UserDescription string
	Persona         json.RawMessage

	// Context holds the texts that the golden was made of. A context that a
	// file held as one string, which DeepEval joins with "|", is one text.
	Context    []string
	Name       string
	Comments   string
	Metadata   *Metadata // additional_metadata
	CustomKeys map[string]string

	// Extra holds every other key, and known keys whose value has another type
	// than DeepEval gives it. They are written back.
	Extra map[string]json.RawMessage
}

// Turn is a turn of a conversational golden. Role is "user" or "assistant".
type Turn struct {
	Role    string
	Content string
	Extra   map[string]json.RawMessage // such as tools_called
}

// Metadata is what DeepEval's synthesizer says of a golden.
type Metadata struct {
	// Evolutions are the names of the evolutions in the order they were applied.
	Evolutions []string
	// InputQuality is of single-turn goldens, ScenarioQuality of conversational
	// ones: 0 to 1, nil when it was not scored.
	InputQuality    *float64
	ScenarioQuality *float64
	// SourceFiles is a single name; conversational goldens alone have it.
	SourceFiles        string
	ContextSourceFiles []string
	UsedSourceFiles    []string
	ContextQuality     *float64 // 0 to 1, nil when it was not scored
	Extra              map[string]json.RawMessage
}

// Conversational reports whether g is a scenario, as DeepEval decides it.
func (g *Golden) Conversational() bool { return strings.TrimSpace(g.Scenario) != "" }

// Parse reads a golden of any release. It accepts snake_case and camelCase,
// values that a CSV file holds as text (JSON, Python literals), numbers where a
// text belongs, and NaN. It fails if b is no JSON object.
func Parse(b []byte) (*Golden, error) {
	f, err := loose.Parse(b)
	if err != nil {
		return nil, err
	}
	g := &Golden{}
	f.TakeText(&g.Input, "input")
	f.TakeText(&g.ActualOutput, "actual_output", "actualOutput")
	f.TakeText(&g.ExpectedOutput, "expected_output", "expectedOutput")
	f.TakeTexts(&g.RetrievalContext, "retrieval_context", "retrievalContext")
	f.TakeText(&g.SourceFile, "source_file", "sourceFile")
	f.TakeRaw(&g.ToolsCalled, "tools_called", "toolsCalled")
	f.TakeRaw(&g.ExpectedTools, "expected_tools", "expectedTools")
	f.TakeText(&g.Scenario, "scenario")
	f.Take(g.takeTurns, "turns")
	f.TakeText(&g.ExpectedOutcome, "expected_outcome", "expectedOutcome")
	f.TakeText(&g.UserDescription, "user_description", "userDescription")
	f.TakeRaw(&g.Persona, "persona")
	f.TakeTexts(&g.Context, "context")
	f.TakeText(&g.Name, "name")
	f.TakeText(&g.Comments, "comments")
	f.Take(g.takeMetadata, "additional_metadata", "additionalMetadata")
	f.TakePairs(&g.CustomKeys, "custom_column_key_values", "customColumnKeyValues")
	g.takeColumns(f)
	g.Extra = f.Rest()
	return g, nil
}

// takeColumns reads the columns that a DataFrame has in place of the metadata.
func (g *Golden) takeColumns(f loose.Fields) {
	m := g.Metadata
	if m == nil {
		m = &Metadata{}
	}
	had := g.Metadata != nil
	if !had || m.Evolutions == nil {
		had = f.TakeTexts(&m.Evolutions, "evolutions") || had
	}
	for _, c := range []struct {
		into **float64
		key  string
	}{{&m.InputQuality, "synthetic_input_quality"}, {&m.ScenarioQuality, "synthetic_scenario_quality"}, {&m.ContextQuality, "context_quality"}} {
		if *c.into == nil {
			had = f.TakeNumber(c.into, c.key) || had
		}
	}
	if had {
		g.Metadata = m
	}
}

func (g *Golden) takeTurns(raw json.RawMessage) bool {
	turns, ok := loose.List(raw, func(f loose.Fields) (t Turn) {
		f.TakeText(&t.Role, "role")
		f.TakeText(&t.Content, "content")
		t.Extra = f.Rest()
		return t
	})
	if ok {
		g.Turns = turns
	}
	return ok
}

func (g *Golden) takeMetadata(raw json.RawMessage) bool {
	f, ok := loose.Members(raw)
	if !ok || f == nil {
		return ok
	}
	m := &Metadata{}
	f.TakeTexts(&m.Evolutions, "evolutions")
	f.TakeNumber(&m.InputQuality, "synthetic_input_quality")
	f.TakeNumber(&m.ScenarioQuality, "synthetic_scenario_quality")
	f.TakeText(&m.SourceFiles, "source_files")
	f.TakeTexts(&m.ContextSourceFiles, "context_source_files")
	f.TakeTexts(&m.UsedSourceFiles, "used_source_files")
	f.TakeNumber(&m.ContextQuality, "context_quality")
	m.Extra = f.Rest()
	g.Metadata = m
	return true
}

// UnmarshalJSON reads a golden as [Parse] does.
func (g *Golden) UnmarshalJSON(b []byte) error {
	got, err := Parse(b)
	if err != nil {
		return err
	}
	*g = *got
	return nil
}

// JSON returns the record: all keys of DeepEval's EvaluationDataset in its
// order, null where there is nothing, then the other keys, sorted. It fails only
// if a raw value is no JSON.
func (g *Golden) JSON() (json.RawMessage, error) {
	o := &loose.Object{Rest: g.Extra}
	turns, err := g.turns()
	if err != nil {
		return nil, err
	}
	meta, err := g.metadata()
	if err != nil {
		return nil, err
	}
	if g.Conversational() {
		o.Put("scenario", g.Scenario)
		o.Put("turns", turns)
		o.Put("expected_outcome", g.ExpectedOutcome)
		o.Put("user_description", g.UserDescription)
		o.Put("persona", g.Persona)
		o.Put("context", g.Context)
		o.Put("name", g.Name)
		o.Put("comments", g.Comments)
		o.Put("additional_metadata", meta)
		o.Put("custom_column_key_values", g.CustomKeys)
		o.Opt("input", g.Input)
		o.Opt("actual_output", g.ActualOutput)
		o.Opt("expected_output", g.ExpectedOutput)
		o.Opt("retrieval_context", g.RetrievalContext)
		o.Opt("source_file", g.SourceFile)
		o.Opt("tools_called", g.ToolsCalled)
		o.Opt("expected_tools", g.ExpectedTools)
		return o.Bytes()
	}
	o.PutText("input", g.Input)
	o.Put("actual_output", g.ActualOutput)
	o.Put("expected_output", g.ExpectedOutput)
	o.Put("retrieval_context", g.RetrievalContext)
	o.Put("context", g.Context)
	o.Put("name", g.Name)
	o.Put("comments", g.Comments)
	o.Put("source_file", g.SourceFile)
	o.Put("tools_called", g.ToolsCalled)
	o.Put("expected_tools", g.ExpectedTools)
	o.Put("additional_metadata", meta)
	o.Put("custom_column_key_values", g.CustomKeys)
	o.Opt("scenario", g.Scenario)
	o.Opt("turns", turns)
	o.Opt("expected_outcome", g.ExpectedOutcome)
	o.Opt("user_description", g.UserDescription)
	o.Opt("persona", g.Persona)
	return o.Bytes()
}

// MarshalJSON writes what [Golden.JSON] returns.
func (g Golden) MarshalJSON() ([]byte, error) { return g.JSON() }

func (g *Golden) turns() (json.RawMessage, error) {
	if g.Turns == nil {
		return nil, nil
	}
	out := make([]json.RawMessage, len(g.Turns))
	for i, t := range g.Turns {
		o := &loose.Object{Rest: t.Extra}
		o.PutText("role", t.Role)
		o.PutText("content", t.Content)
		b, err := o.Bytes()
		if err != nil {
			return nil, err
		}
		out[i] = b
	}
	return loose.Marshal(out)
}

func (g *Golden) metadata() (json.RawMessage, error) {
	m := g.Metadata
	if m == nil {
		return nil, nil
	}
	o := &loose.Object{Rest: m.Extra}
	o.Opt("evolutions", m.Evolutions)
	o.Opt("synthetic_input_quality", m.InputQuality)
	if g.Conversational() {
		o.Opt("synthetic_scenario_quality", m.ScenarioQuality)
		if m.ContextSourceFiles != nil {
			o.Put("source_files", m.SourceFiles)
		}
	}
	o.Opt("context_source_files", m.ContextSourceFiles)
	o.Opt("used_source_files", m.UsedSourceFiles)
	o.Opt("context_quality", m.ContextQuality)
	o.Opt("synthetic_scenario_quality", m.ScenarioQuality)
	o.Opt("source_files", m.SourceFiles)
	return o.Bytes()
}
