package lang

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// shapeStems are how a rule names the parts that it counts in a reply, and how
// it says that its number is a least one.
var shapeStems = map[string]struct{ sentences, characters, least, replies string }{
	"en": {"sentence", "character|symbol", "at least|no fewer|minimum|or more", "answer|repl|respon|message"},
	"ru": {"предложени", "символ|знаков|знака", "не менее|не меньше|минимум|как минимум|и более", "ответ|реплик|сообщени"},
}

// OfReplies reports whether a rule speaks of what the agent writes, not of a
// thing that customers order ("a card of up to 200 characters").
func (l *Language) OfReplies(rule string) bool {
	stems, ok := shapeStems[l.Code]
	return ok && containsAny(strings.ToLower(rule), stems.replies)
}

// Longest is the most that a rule allows of a reply; 0 means that it says
// nothing about it.
type Longest struct{ Sentences, Characters int }

// Longest reads how long a reply may be out of a rule: "three sentences at
// most", "не длиннее 400 знаков". Of two numbers the larger counts.
func (l *Language) Longest(rule string) Longest {
	stems, ok := shapeStems[l.Code]
	low := strings.ToLower(rule)
	var out Longest
	if !ok || !containsAny(low, stems.sentences) && !containsAny(low, stems.characters) {
		return out
	}
	if containsAny(low, stems.least) {
		return out
	}
	words := Words(rule)
	for i, w := range words {
		sentences, characters := begins(w, stems.sentences), begins(w, stems.characters)
		if !sentences && !characters {
			continue
		}
		most := 0
		for k := max(0, i-4); k < i; k++ {
			if n, ok := l.count(words[k]); ok {
				most = max(most, n)
			}
		}
		if sentences {
			out.Sentences = max(out.Sentences, most)
		} else {
			out.Characters = max(out.Characters, most)
		}
	}
	return out
}

func containsAny(text, parts string) bool {
	for part := range strings.SplitSeq(parts, "|") {
		if strings.Contains(text, part) {
			return true
		}
	}
	return false
}

func begins(word, stems string) bool {
	for stem := range strings.SplitSeq(stems, "|") {
		if strings.HasPrefix(word, stem) {
			return true
		}
	}
	return false
}

// count reads a number in digits or in words; "два-три" is three.
func (l *Language) count(word string) (int, bool) {
	word = strings.ReplaceAll(word, "ё", "е")
	if n, err := strconv.Atoi(word); err == nil {
		return n, true
	}
	if n, ok := l.Number(word); ok {
		return n, true
	}
	most, found := 0, false
	for part := range strings.SplitSeq(word, "-") {
		if n, ok := l.Number(part); ok && part != word {
			most, found = max(most, n), true
		}
	}
	return most, found
}

// Exceeds reports whether a text is longer than allowed, and by what.
func (m Longest) Exceeds(text string) (what string, have, allowed int, ok bool) {
	if n := len(Sentences(text)); m.Sentences > 0 && n > m.Sentences {
		return "sentences", n, m.Sentences, true
	}
	if n := utf8.RuneCountInString(text); m.Characters > 0 && n > m.Characters {
		return "characters", n, m.Characters, true
	}
	return "", 0, 0, false
}
