package lang

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Marks are the words of one language by which code sees how a message sounds
// and what an answer claims: tone, politeness, identifiers, promises, units.
// Every field may be empty; then nothing is seen by it.
type Marks struct {
	Anger    Lexicon // strong displeasure without abuse
	Abuse    Lexicon // swearing and insults
	Rude     Lexicon // what an operator must not say to a customer, short of abuse
	Greeting Lexicon
	Polite   Lexicon // please, thank you
	Urgent   Lexicon

	// Asks are words that open a question ("how", "can I"); AskAfter are
	// phrases after which they still do ("tell me", "hello").
	Asks, AskAfter Lexicon

	// Identified are nouns that a number identifies ("order", "booking"), Named
	// are cues that a name follows ("my name is").
	Identified, Named Lexicon

	// Customer is the customer in the third person. Bot and Rules are talk about
	// the agent and about the document, Exam is how a question about them sounds.
	Customer, Bot, Rules, Exam Lexicon
	// NotCustomer are names that have a customer word in them ("customer
	// service").
	NotCustomer Lexicon
	// You and I are the pronouns that make a customer word a form of address
	// ("you are our customer", "as a customer I").
	You, I Lexicon

	// NoAccess is how a rule says that the agent cannot see or do something;
	// NeedsID is how a rule asks for an identifier.
	NoAccess, NeedsID Lexicon
	// Status claims what became of the customer's matter, Lookup that the agent
	// looked, Act that the agent has done or is doing it.
	Status, Lookup, Act Lexicon
	// Promise is what only a document can promise.
	Promise Lexicon
	// Negation turns a claim or a promise into its opposite; Conditional makes
	// it a case ("if", "after", "when").
	Negation, Conditional Lexicon

	// Clarify, Refuse and HandOver are the speech acts that answer without a
	// fact. Stock is a reply that says nothing.
	Clarify, Refuse, HandOver, Stock Lexicon

	// Vague are words that make no criterion, Scaffold words that every
	// criterion has ("the answer", "must").
	Vague, Scaffold Lexicon
	// EmojiWord is how a rule names emoji.
	EmojiWord Lexicon

	// Misspelt are frequent misspellings and the right word of each.
	Misspelt map[string]string
	// Impossible are letter sequences that no word of the language has.
	Impossible []string

	// Alphabet holds the lower-case letters of the language, where those of its
	// script tell it from its neighbours.
	Alphabet string

	Months  map[string]int // a form of a month's name, 1 to 12; "mar*" is a prefix
	Numbers map[string]int // number words in all their forms
	// Units are unit words with their dimension.
	Units []UnitWord
	// Bare are the prepositions after which a unit alone is a quantity of one
	// ("within a week").
	Bare Lexicon
	// Qualifiers stand beside a quantity and change what it says.
	Qualifiers []Qualifier
}

// UnitWord is a unit with the forms of its name.
type UnitWord struct {
	// Dim is "time" (Per in minutes), "month" (Per in months), or the name of
	// the unit itself, which then compares with itself only (Per 1).
	Dim   string
	Per   int
	Forms Lexicon
}

// Qualifier is a group of words that say the same beside a quantity.
type Qualifier struct {
	// Kind is working, calendar, max, min or approx.
	Kind string
	// Words demand that a quotation keeps a word of the group; Soft ones keep
	// it too and demand nothing.
	Words, Soft Lexicon
}

// Token is a word or number of a text, folded.
type Token struct {
	Text       string // lower case, one apostrophe, ё as е
	Start, End int    // bytes
	// Break is set when a sentence ended before the token, Pause when a comma,
	// dash, colon or bracket stands before it.
	Break, Pause bool

	key uint64 // see keyOf
}

// Tokens returns the words and numbers of a text in order, in any language.
// Hyphens and apostrophes between letters belong to the word. A point or comma
// between digits neither ends a sentence nor splits anything but the number.
func Tokens(text string) []Token {
	toks := make([]Token, 0, len(text)/6+2)
	var brk, pause bool
	for i := 0; i < len(text); {
		r, n := runeAt(text, i)
		if !wordRune(r) {
			switch r {
			case ' ':
			case '.':
				next, _ := runeAt(text, i+n)
				brk = brk || !wordRune(next)
				pause = true
			case '!', '?', ';', '\n', '…', '。', '！', '？', '؟', '։', '।':
				brk = true
			case ',', ':', '(', ')', '—', '–', '«', '»', '"', '“', '”', '،', '、':
				pause = true
			}
			i += n
			continue
		}
		start, prev, folds := i, r, folding(r)
		for i += n; i < len(text); i += n {
			r, n = runeAt(text, i)
			if wordRune(r) {
				folds |= folding(r)
				prev = r
				continue
			}
			if joins(r) && unicode.IsLetter(prev) {
				if next, _ := runeAt(text, i+n); unicode.IsLetter(next) {
					folds |= folding(r)
					continue
				}
			}
			break
		}
		w := text[start:i]
		switch folds {
		case foldNone:
		case foldCase:
			w = strings.ToLower(w)
		default:
			w = foldWord(w)
		}
		toks = append(toks, Token{Text: w, Start: start, End: i, Break: brk, Pause: pause, key: keyOf(w)})
		brk, pause = false, false
	}
	if len(toks) == 0 {
		return nil
	}
	return toks
}

// runeAt decodes the rune at i; past the end it is U+FFFD of no length.
func runeAt(s string, i int) (rune, int) {
	if i < len(s) && s[i] < utf8.RuneSelf {
		return rune(s[i]), 1
	}
	return utf8.DecodeRuneInString(s[min(i, len(s)):])
}

// What folding a word with a rune takes.
const (
	foldNone = 0
	foldCase = 1 // lower case
	foldFull = 3 // all of foldWord
)

func folding(r rune) int {
	switch {
	case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-', r == '\'', r >= 'а' && r <= 'я':
		return foldNone
	case r >= 'A' && r <= 'Z', r >= 'А' && r <= 'Я':
		return foldCase
	}
	return foldFull
}

func wordRune(r rune) bool {
	switch {
	case r < utf8.RuneSelf:
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	case r >= 'А' && r <= 'я':
		return true
	}
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Mc, r)
}

func joins(r rune) bool {
	switch r {
	case '-', '\'', '’', '‘', 'ʼ', '‐', '‑':
		return true
	}
	return false
}

var wordFolder = strings.NewReplacer("ё", "е", "’", "'", "‘", "'", "ʼ", "'", "‐", "-", "‑", "-", "\u0301", "")

func foldWord(w string) string { return wordFolder.Replace(strings.ToLower(w)) }

// Lexicon is a list of phrases that are looked for in tokens. The zero Lexicon
// is empty. It is immutable.
type Lexicon struct {
	phrases []phrase
	first   map[uint64][]int // by the key of the first word
	short   bool             // some first word has one letter
	heads   [8]uint64        // a bit for each hash of a key in first
}

type phrase struct {
	text  string
	words []word
}

// word is one place of a phrase.
type word struct {
	gap  bool // up to three tokens of any kind before the next word
	alts []alt
}

type alt struct {
	text   string
	prefix bool
}

// lexicon reads phrases separated by commas or line ends. A word "abc*" is a
// prefix, "a/b" are alternatives, "~" is a gap of up to three words. A phrase
// never crosses the end of a sentence.
func lexicon(src string) Lexicon {
	x := Lexicon{first: map[uint64][]int{}}
	for _, text := range strings.FieldsFunc(src, func(r rune) bool { return r == ',' || r == '\n' }) {
		var p phrase
		for _, w := range strings.Fields(text) {
			if w == "~" {
				p.words = append(p.words, word{gap: true})
				continue
			}
			var alts []alt
			for _, a := range strings.Split(w, "/") {
				a, prefix := strings.CutSuffix(a, "*")
				alts = append(alts, alt{text: foldWord(a), prefix: prefix})
			}
			p.words = append(p.words, word{alts: alts})
		}
		if len(p.words) == 0 {
			continue
		}
		p.text = strings.Join(strings.Fields(text), " ")
		n := len(x.phrases)
		x.phrases = append(x.phrases, p)
		seen := map[uint64]bool{}
		for _, a := range p.words[0].alts {
			if k := keyOf(a.text); !seen[k] {
				seen[k] = true
				x.first[k] = append(x.first[k], n)
				x.heads[k*mix>>58&7] |= 1 << (k * mix >> 52 & 63)
				x.short = x.short || k>>32 == 0
			}
		}
	}
	return x
}

// keyOf is what a phrase is filed under: a token starts with it if any word of
// the phrase can match it. It is the first two runes of a word, the second in
// the upper half.
func keyOf(s string) uint64 {
	if s == "" {
		return 0
	}
	a, n := runeAt(s, 0)
	if n == len(s) {
		return uint64(a)
	}
	b, _ := runeAt(s, n)
	return uint64(a) | uint64(b)<<32
}

// mix spreads keys over the bits of Lexicon.heads.
const mix = 0x9e3779b97f4a7c15

// Hit is a phrase found in tokens From..To-1.
type Hit struct {
	Phrase   int    // its place in the lexicon
	Text     string // as the lexicon has it
	From, To int
}

// All returns every place where a phrase of the lexicon stands, by its first
// token; at one token the longest phrase wins.
func (x *Lexicon) All(toks []Token) []Hit {
	var hits []Hit
	for i := range toks {
		if h, ok := x.At(toks, i); ok {
			hits = append(hits, h)
		}
	}
	return hits
}

// Find returns the first place where a phrase of the lexicon stands.
func (x *Lexicon) Find(toks []Token) (Hit, bool) {
	for i := range toks {
		if h, ok := x.At(toks, i); ok {
			return h, true
		}
	}
	return Hit{}, false
}

// In reports whether a phrase of the lexicon stands in the text.
func (x *Lexicon) In(text string) bool {
	if len(x.phrases) == 0 {
		return false
	}
	_, ok := x.Find(Tokens(text))
	return ok
}

// Empty reports whether the lexicon has no phrase.
func (x *Lexicon) Empty() bool { return len(x.phrases) == 0 }

// At returns the longest phrase that starts at token i.
func (x *Lexicon) At(toks []Token, i int) (Hit, bool) {
	if len(x.phrases) == 0 {
		return Hit{}, false
	}
	key := toks[i].key
	best := Hit{To: -1}
	try := func(key uint64) {
		if x.heads[key*mix>>58&7]&(1<<(key*mix>>52&63)) == 0 {
			return
		}
		for _, n := range x.first[key] {
			if to, ok := x.phrases[n].match(toks, i); ok && to > best.To {
				best = Hit{Phrase: n, Text: x.phrases[n].text, From: i, To: to}
			}
		}
	}
	try(key)
	if one := key & 0xffffffff; x.short && one != key {
		try(one) // a prefix of one letter
	}
	return best, best.To > i
}

// match matches the phrase from token i and returns the token after it.
func (p *phrase) match(toks []Token, i int) (int, bool) { return matchWords(p.words, toks, i, true) }

const maxGap = 3

func matchWords(ws []word, toks []Token, i int, first bool) (int, bool) {
	if len(ws) == 0 {
		return i, true
	}
	if ws[0].gap {
		for skip := 0; skip <= maxGap && i+skip < len(toks); skip++ {
			if skip > 0 && toks[i+skip-1].Break {
				return 0, false
			}
			if to, ok := matchWords(ws[1:], toks, i+skip, false); ok {
				return to, true
			}
		}
		return 0, false
	}
	if i >= len(toks) || (!first && toks[i].Break) {
		return 0, false
	}
	for _, a := range ws[0].alts {
		if toks[i].Text == a.text || (a.prefix && strings.HasPrefix(toks[i].Text, a.text)) {
			return matchWords(ws[1:], toks, i+1, false)
		}
	}
	return 0, false
}

// Month returns the month that a folded word names in any known language.
func Month(word string) (int, bool) {
	for _, l := range languages {
		if m, ok := lookup(l.Marks.Months, word); ok {
			return m, true
		}
	}
	return 0, false
}

// lookup finds a word in a table whose keys may be prefixes.
func lookup(table map[string]int, word string) (int, bool) {
	if n, ok := table[word]; ok {
		return n, true
	}
	for i := range word {
		if i == 0 {
			continue
		}
		if n, ok := table[word[:i]+"*"]; ok {
			return n, true
		}
	}
	if n, ok := table[word+"*"]; ok {
		return n, true
	}
	return 0, false
}

// Number returns the value of a number word.
func (l *Language) Number(word string) (int, bool) { return lookup(l.Marks.Numbers, word) }

// Unit returns the unit that token i names, with the number of tokens it takes.
func (l *Language) Unit(toks []Token, i int) (u *UnitWord, n int, ok bool) {
	for k := range l.Marks.Units {
		if h, found := l.Marks.Units[k].Forms.At(toks, i); found && h.To-i > n {
			u, n, ok = &l.Marks.Units[k], h.To-i, true
		}
	}
	return u, n, ok
}

// Misspell returns a frequent misspelling of a word, lower-cased.
func (l *Language) Misspell(right string) (wrong string, ok bool) {
	right = foldWord(right)
	for w, r := range l.Marks.Misspelt {
		if foldWord(r) == right && (!ok || w < wrong) {
			wrong, ok = w, true
		}
	}
	return wrong, ok
}
