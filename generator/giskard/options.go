package giskard

import (
	"fmt"
	"maps"
	"slices"

	"github.com/casebook-go/casebook/internal/lang"
)

// Options says how questions are made. Nil and zero fields mean the defaults.
type Options struct {
	// Weights are the shares of the types of question. Nil means all types alike,
	// those that the knowledge base cannot give left out; a type that is named
	// here and cannot be given is an error.
	Weights Weights
	// Neighbours is the most documents that a question's context has beside its
	// seed document; 0 means 3. Which of the nearest are taken is relative to how
	// near the documents of the base are to each other.
	Neighbours int
	// PassageTokens is the most tokens that a document of the base has, by an
	// estimate for any script; longer ones are cut. 0 means 200, less where the
	// texts are short, and 400 for rows.
	PassageTokens int
	// MaxTopics bounds the topics; 0 means the square root of twice the number of
	// documents.
	MaxTopics int
	// Batch is how many questions one call to the model is about; 0 means 5.
	Batch int
	// Concurrency is how many calls are under way at once; 0 means 16.
	Concurrency int
	// Attempts is how often a batch is asked for; 0 means 3.
	Attempts int
	// Rounds is how often, for a test set, a question that came to nothing is
	// replaced by another of its type and topic; 0 means 4, negative never.
	Rounds int
	// Threshold is the least score, 0 to 1, of a question and its answer; 0 means 0.5.
	Threshold float64
	// Agent describes the agent that is tested, for questions that suit it.
	Agent string
	// Language is the BCP 47 base language to write in; empty means the
	// documents'.
	Language string
	// Seed decides what is drawn, and is sent with every request.
	Seed uint64
	// Temperature is sent with the requests for questions; nil means 0.4. Names
	// of topics and checks are asked for at 0.
	Temperature *float64
	// MaxDocument is how many characters of the documents a prompt holds; 0 means
	// 24,000.
	MaxDocument int
	Prompts     Prompts
}

// Prompts replace built-in system messages; empty ones keep them.
type Prompts struct {
	Topics    string // names topics
	Questions string // writes first questions
	Rewrites  string // turns them into their types
	Absence   string // checks that the base does not say what a question is about
	Answers   string // writes answers and criteria
	Checks    string // verifies them
	Mends     string // writes anew what did not pass
}

const (
	defaultNeighbours  = 3
	defaultTokens      = 200
	defaultBatch       = 5
	defaultConcurrency = 16
	defaultAttempts    = 3
	defaultRounds      = 4
	defaultTemperature = 0.4
	defaultThreshold   = 0.5
	defaultMaxDocument = 24000
)

// defaulted returns the options with their defaults, or what is wrong with them.
func (o *Options) defaulted() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if err := out.Weights.check(); err != nil {
		return out, err
	}
	out.Weights = maps.Clone(out.Weights)
	for _, c := range []struct {
		name string
		at   *int
		or   int
	}{
		{"Neighbours", &out.Neighbours, defaultNeighbours},
		{"PassageTokens", &out.PassageTokens, 0},
		{"MaxTopics", &out.MaxTopics, 0},
		{"Batch", &out.Batch, defaultBatch},
		{"Concurrency", &out.Concurrency, defaultConcurrency},
		{"Attempts", &out.Attempts, defaultAttempts},
		{"MaxDocument", &out.MaxDocument, defaultMaxDocument},
	} {
		if *c.at < 0 {
			return out, &OptionError{Option: c.name, Reason: fmt.Sprintf("it is %d; give a number from 1, or 0 for the default", *c.at)}
		}
		if *c.at == 0 {
			*c.at = c.or
		}
	}
	if out.Rounds == 0 {
		out.Rounds = defaultRounds
	}
	if out.Threshold == 0 {
		out.Threshold = defaultThreshold
	}
	if out.Threshold < 0 || out.Threshold > 1 || out.Threshold != out.Threshold {
		return out, &OptionError{Option: "Threshold", Reason: fmt.Sprintf("it is %v; give a score from 0 to 1", out.Threshold)}
	}
	t := defaultTemperature
	if out.Temperature != nil {
		t = *out.Temperature
	}
	if !(t >= 0 && t <= 2) {
		return out, &OptionError{Option: "Temperature", Reason: fmt.Sprintf("it is %v; give a number from 0 to 2", t)}
	}
	out.Temperature = &t
	return out, nil
}

// weights are the shares over the types that can be given; named says that the
// application chose them.
func (o *Options) weights() (w Weights, named bool) {
	if len(o.Weights) > 0 {
		return o.Weights, true
	}
	w = Weights{}
	for _, t := range Types() {
		w[t] = 1
	}
	return w, false
}

// inLanguage reports whether a text may be in the language: a short text that
// tells of none is in any.
func inLanguage(text, language string) bool {
	if language == "" {
		return true
	}
	got := lang.Detect(text)
	return got == "" || got == language || alike(got, language)
}

// near are languages of one script that a short text of the one is easily taken
// for the other.
func alike(a, b string) bool {
	for _, group := range [][]string{
		{"en", "de", "fr", "es", "it", "pt", "nl", "pl", "tr", "cs", "sv", "da", "no", "fi", "ro", "hu", "id", "vi"},
		{"ru", "uk", "bg", "sr", "be", "kk", "mk"},
		{"ar", "fa", "ur"},
		{"ja", "zh"},
	} {
		if slices.Contains(group, a) && slices.Contains(group, b) {
			return true
		}
	}
	return false
}
