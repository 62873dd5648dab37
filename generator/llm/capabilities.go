package llm

// ChoiceForm is how much of tool_choice a server takes.
type ChoiceForm string

// The forms of tool_choice.
const (
	ChoiceNone   ChoiceForm = "none"   // ignored or refused; so is ""
	ChoiceString ChoiceForm = "string" // "required", but no named tool
	ChoiceObject ChoiceForm = "object" // a named tool too
)

// Capabilities says what a server can do with a model. The zero value is a
// server that takes a prompt and nothing else; see [Preset] and [AllCapabilities].
type Capabilities struct {
	Tools        bool
	ToolChoice   ChoiceForm
	StrictTools  bool
	Parallel     bool // takes parallel_tool_calls
	JSONSchema   bool
	StrictSchema bool
	JSONObject   bool
	// SchemaText is set for a server that may not show a schema to the model:
	// it is put into the prompt too.
	SchemaText bool
	// The parameters that the server takes.
	MaxTokens, Temperature, Seed, Effort bool
}

// AllCapabilities returns the capabilities of a server that can do everything.
func AllCapabilities() *Capabilities {
	return &Capabilities{
		Tools: true, ToolChoice: ChoiceObject, StrictTools: true, Parallel: true,
		JSONSchema: true, StrictSchema: true, JSONObject: true,
		MaxTokens: true, Temperature: true, Seed: true, Effort: true,
	}
}

// Preset returns what a kind of server is known to do: "openai", "azure",
// "openrouter", "vllm", "gemini", "llama.cpp", "lmstudio" or "ollama". It
// reports false for any other name.
func Preset(server string) (*Capabilities, bool) {
	c := AllCapabilities()
	if server != "openai" && server != "azure" {
		c.SchemaText = true
	}
	switch server {
	case "openai", "azure", "openrouter", "vllm":
	case "gemini":
		c.ToolChoice, c.Seed = ChoiceString, false
	case "llama.cpp":
		c.ToolChoice, c.StrictTools, c.StrictSchema = ChoiceString, false, false
	case "lmstudio":
		c.ToolChoice, c.StrictTools, c.Parallel, c.JSONObject = ChoiceString, false, false, false
	case "ollama":
		c.ToolChoice, c.StrictTools, c.Parallel, c.StrictSchema = ChoiceNone, false, false, false
	default:
		return nil, false
	}
	return c, true
}
