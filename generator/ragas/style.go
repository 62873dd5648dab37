package ragas

import (
	"slices"
	"unicode"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
)

// Style is how a question is written.
type Style struct {
	Name    string // as records hold it: "MISSPELLED"
	Meaning string // for the model, in English
}

// Length is how long a question is.
type Length struct {
	Name     string // as records hold it: "SHORT"
	Meaning  string // for the model, in English
	Min, Max int    // words; a Max of 0 is no limit
}

// The styles of Ragas.
const (
	Misspelled     = "MISSPELLED"
	PerfectGrammar = "PERFECT_GRAMMAR"
	PoorGrammar    = "POOR_GRAMMAR"
	WebSearchLike  = "WEB_SEARCH_LIKE"
)

// The lengths of Ragas.
const (
	Long   = "LONG"
	Medium = "MEDIUM"
	Short  = "SHORT"
)

// Styles returns the four styles of Ragas. Each call returns a new slice.
func Styles() []Style {
	return []Style{
		{Misspelled, "one or two ordinary words are misspelt, as fingers slip on a phone; the rest is right and everything is understood. Never a slip in a number, a name or a word that shows a parameter"},
		{PerfectGrammar, "careful, correct sentences with capitals and full stops, yet a person's, not an office's"},
		{PoorGrammar, "everyday loose grammar: a dropped word, a wrong ending or order, no commas; everything is understood"},
		{WebSearchLike, "the key words of the need in a row, as people type into a search field or a chat: hardly any small words, no full stop, yet one knows at once what they want"},
	}
}

// Lengths returns the three lengths of Ragas. Each call returns a new slice.
func Lengths() []Length {
	return []Length{
		{Long, "two or three sentences, 18 to 40 words, with what led to the need", 15, 60},
		{Medium, "one or two sentences, 9 to 16 words", 7, 22},
		{Short, "at most 8 words", 1, 8},
	}
}

// holds reports whether a text is as long as l says.
func (l Length) holds(text string) bool {
	n := wordCount(text)
	return n >= l.Min && (l.Max == 0 || n <= l.Max)
}

// wordCount counts runs of letters and digits; in scripts that put no space
// between words, every two characters.
func wordCount(text string) int {
	n, dense := 0, 0
	inside := false
	for _, r := range text {
		switch {
		case isDense(r):
			dense++
			inside = false
		case unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || inside && (r == '\'' || r == '’' || r == '-'):
			if !inside {
				n++
			}
			inside = true
		default:
			inside = false
		}
	}
	return n + (dense+1)/2
}

// isDense reports whether r is of a script that puts no space between words.
func isDense(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// clash lists, for a style, the values of axes that a text in it cannot show
// well, by the axis' rule. What a plan asks for goes before what the method
// varies.
var clash = map[string]map[string][]string{
	PerfectGrammar: {"spelling": {"sloppy"}, "punctuation": {"errors"}},
	WebSearchLike: {
		"tone": {"angry"}, "greeting": {"present"}, "politeness": {"polite"}, "emoji": {"present"}, "length": {"long"}, "punctuation": {"ok"},
	},
	PoorGrammar: {"punctuation": {"ok"}},
}

// fits reports whether a text in the style can show what the row plans.
func (s Style) fits(row *model.Row, axes []model.Axis) bool {
	if s.Name == WebSearchLike && len(row.PolicyIDs) > 0 && row.Roles[row.PolicyIDs[0]] == model.Pressed {
		return false // nobody presses a search field
	}
	for _, name := range row.Axes {
		i := slices.IndexFunc(axes, func(a model.Axis) bool { return a.Name == name })
		if i < 0 {
			continue
		}
		value := row.Parameters[name].String()
		if slices.Contains(clash[s.Name][axes[i].Rule], value) {
			return false
		}
		if s.Name == WebSearchLike && axes[i].Rule == coverage.PhraseRule {
			return false
		}
	}
	return true
}

// fits reports whether a text of the length can show what the row plans.
func (l Length) fits(row *model.Row, axes []model.Axis) bool {
	for _, name := range row.Axes {
		i := slices.IndexFunc(axes, func(a model.Axis) bool { return a.Name == name })
		if i < 0 {
			continue
		}
		value := row.Parameters[name].String()
		if axes[i].Rule == "length" && (value == "short" && l.Name != Short || value == "long" && l.Name == Short) {
			return !builtin(l)
		}
	}
	return true
}

func builtin(l Length) bool { return l.Name == Long || l.Name == Medium || l.Name == Short }
