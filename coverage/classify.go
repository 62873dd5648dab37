package coverage

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// ShortWords is the most words that a message of the length "short" has.
// Scripts without spaces count two characters as a word.
const ShortWords = 8

// PhraseRule is the rule of an axis that no classifier decides: its value is
// shown by a phrase of the input that the generator points at.
const PhraseRule = "phrase"

// classifier is a total rule over the input of an example. The message it
// looks at is the last one: the customer's, or the operator's that is to be
// corrected.
type classifier struct {
	name  string
	words bool // needs language data
	value func(l *lang.Language, m *message) string
	shows []shown
}

// message is the input of an example as the classifiers read it.
type message struct {
	in   *model.Input
	text string // of the last message
	toks []lang.Token
	cut  bool // toks is set
}

func newMessage(in *model.Input) *message { return &message{in: in, text: last(in)} }

// tokens returns the words of the last message.
func (m *message) tokens() []lang.Token {
	if !m.cut {
		m.toks, m.cut = lang.Tokens(m.text), true
	}
	return m.toks
}

// has reports whether a phrase of the lexicon stands in the last message.
func (m *message) has(x *lang.Lexicon) bool {
	_, ok := x.Find(m.tokens())
	return ok
}

// shown says how a text shows one value.
type shown struct{ value, how string }

// classifiers is the catalogue of the axes that a rule decides.
var classifiers = []classifier{
	{
		"tone", true, func(l *lang.Language, m *message) string {
			return pick(angry(l, m.text, m.tokens()), "angry", "neutral")
		},
		[]shown{
			{"angry", `the message is openly angry: it swears, insults or complains in strong words, or it has "!!" or "???", or at least two words of four letters or more in capitals`},
			{"neutral", `no swearing, no strong words of complaint, no "!!", no "???", no words in capitals`},
		},
	},
	{
		"identifier", false, func(l *lang.Language, m *message) string {
			return pick(identified(l, m.text, m.tokens), "present", "absent")
		},
		[]shown{
			{"present", `the message itself gives what the case can be found by: an order, record or account number of at least three digits, a code, an e-mail, a phone number, or a full name together with a date or time`},
			{"absent", `the message gives no order, record or account number, no code, no e-mail or phone number, and no name with a date`},
		},
	},
	{
		"form", false, func(l *lang.Language, m *message) string {
			return pick(question(l, m.text, m.tokens), "question", "statement")
		},
		[]shown{
			{"question", `the message asks a question: it has a question mark or a sentence that begins with a question word`},
			{"statement", `the message has no question mark and no sentence that begins with a question word: it tells or requests`},
		},
	},
	{
		"length", false, func(_ *lang.Language, m *message) string {
			return pick(countTokens(m.tokens()) <= ShortWords, "short", "long")
		},
		[]shown{
			{"short", `the message has at most 8 words`},
			{"long", `the message has more than 8 words, better 12 to 40`},
		},
	},
	{
		"greeting", true, func(l *lang.Language, m *message) string {
			return pick(m.has(&l.Marks.Greeting), "present", "absent")
		},
		[]shown{{"present", `the message has a greeting`}, {"absent", `the message has no greeting`}},
	},
	{
		"politeness", true, func(l *lang.Language, m *message) string {
			return pick(m.has(&l.Marks.Polite), "polite", "plain")
		},
		[]shown{{"polite", `the message says please or thank you`}, {"plain", `the message has no word of politeness: no please, no thanks`}},
	},
	{
		"urgency", true, func(l *lang.Language, m *message) string {
			return pick(m.has(&l.Marks.Urgent), "urgent", "normal")
		},
		[]shown{{"urgent", `the message says in words that it is urgent`}, {"normal", `the message has no word of urgency or hurry`}},
	},
	{
		"spelling", false, func(_ *lang.Language, m *message) string {
			return pick(sloppy(m.text), "sloppy", "clean")
		},
		[]shown{
			{"sloppy", `typed in a hurry: the message begins with a lower-case letter and ends without . ! ? or …`},
			{"clean", `the message begins with a capital or ends with . ! ? or …`},
		},
	},
	{
		"emoji", false, func(_ *lang.Language, m *message) string {
			return pick(hasEmoji(m.text), "present", "absent")
		},
		[]shown{{"present", `the message has an emoji or a smiley such as :)`}, {"absent", `the message has no emoji and no smiley`}},
	},
	{
		"fault", true, func(l *lang.Language, m *message) string {
			switch fs := Faults(l, m.text); len(fs) {
			case 0:
				return "none"
			case 1:
				return fs[0]
			default:
				return "several"
			}
		},
		[]shown{
			{"none", `the operator's message has no visible fault of form: its fault, if any, lies in what it says`},
			{"caps", `the only visible fault: at least one ordinary word of four letters or more is typed in capitals`},
			{"exclamation", `the only visible fault: "!!" or more than two exclamation marks`},
			{"punctuation", `the only visible fault: no mark at the end, a lower-case letter at the beginning of the message, a space before a comma or full stop, or no space after one`},
			{"typo", `the only visible fault: a word that is plainly misspelt, doubled, or has a letter three times in a row`},
			{"emoji", `the only visible fault: an emoji or a smiley`},
			{"rude", `the only visible fault: rude words or an insult to the customer`},
			{"several", `at least two visible faults of different kinds: capitals, exclamation marks, punctuation, a typo, emoji, rudeness`},
		},
	},
	{
		"punctuation", false, func(_ *lang.Language, m *message) string {
			return pick(badPunctuation(m.text), "errors", "ok")
		},
		[]shown{
			{"errors", `the message has no mark at its end, a lower-case letter at its beginning, a space before a comma or full stop, or no space after one`},
			{"ok", `the message begins with a capital and ends with a mark, and its marks are spaced right`},
		},
	},
	{
		"client_tone", true, func(l *lang.Language, m *message) string {
			text, spoke := said(m.in, model.RoleUser)
			switch {
			case !spoke:
				return "absent"
			case angry(l, text, lang.Tokens(text)):
				return "angry"
			default:
				return "neutral"
			}
		},
		[]shown{
			{"absent", `there is no customer's message: the operator's message stands alone`},
			{"angry", `a customer's message of the dialogue is openly angry: strong words of complaint, swearing, "!!", "???", or words in capitals`},
			{"neutral", `the customer's messages have no strong words, no "!!", no "???", no words in capitals`},
		},
	},
	{
		"language", false, func(_ *lang.Language, m *message) string {
			if code := lang.Detect(m.text); code != "" {
				return code
			}
			return "unknown"
		},
		nil,
	},
}

func ruleOf(a model.Axis) *classifier {
	for i := range classifiers {
		if classifiers[i].name == a.Rule {
			return &classifiers[i]
		}
	}
	return nil
}

// Classify returns the value of an axis that an input shows. It is total: for
// an axis with a built-in rule every input has a value, though perhaps not one
// of a.Values. It is not ok for an unknown rule, for [PhraseRule], and for a
// rule that needs words when l is nil; such an axis is shown by a phrase. The
// rules are:
//
//	tone         neutral | angry: abuse or strong words, "!!" or "???", two words in capitals
//	identifier   present | absent: a number of 3+ digits that is no amount, date, time or quantity,
//	             a code, an e-mail, a phone, or a full name and a date or time
//	form         question | statement: a question mark, or a sentence that opens with a question word
//	length       short | long: up to ShortWords words
//	greeting     present | absent
//	politeness   polite | plain
//	urgency      urgent | normal
//	spelling     clean | sloppy: sloppy has neither a capital at the start nor a mark at the end
//	emoji        present | absent: emoji and smileys
//	fault        none | caps | exclamation | punctuation | typo | emoji | rude | several: see Faults
//	punctuation  ok | errors
//	client_tone  absent | neutral | angry: the tone of the user's messages in a dialogue
//	language     the code of the language, or unknown
//
// fault covers caps, punctuation, emoji: do not plan it together with them.
func Classify(l *lang.Language, a model.Axis, in *model.Input, _ model.Format) (value string, ok bool) {
	r := ruleOf(a)
	if r == nil || in == nil || (r.words && l == nil) {
		return "", false
	}
	return r.value(l, newMessage(in)), true
}

// Decidable reports whether [Classify] can decide the axis in the language.
func Decidable(l *lang.Language, a model.Axis) bool {
	r := ruleOf(a)
	return r != nil && (!r.words || l != nil)
}

// Meaning says in English how a text shows a value of an axis, worded for a
// prompt; empty when the rule or the value is not built in.
func Meaning(a model.Axis, value string) string {
	r := ruleOf(a)
	if r == nil {
		return ""
	}
	if r.name == "language" {
		return "the message is written in the language " + value
	}
	for _, s := range r.shows {
		if s.value == value {
			return s.how
		}
	}
	return ""
}

// Faults returns the visible faults of an operator's message, sorted: caps,
// emoji, exclamation, punctuation, rude, typo. What needs the words of a
// language is not seen when l is nil.
func Faults(l *lang.Language, text string) []string {
	var fs []string
	add := func(name string, found bool) {
		if found {
			fs = append(fs, name)
		}
	}
	toks := lang.Tokens(text)
	add("caps", shouted(text, toks, 4) > 0)
	add("emoji", hasEmoji(text))
	add("exclamation", strings.Count(text, "!") > 2 || marks(text, 2, "!", ""))
	add("punctuation", badPunctuation(text))
	if l != nil {
		_, abuse := l.Marks.Abuse.Find(toks)
		_, rude := l.Marks.Rude.Find(toks)
		add("rude", abuse || rude)
	}
	add("typo", typo(l, text, toks))
	return fs
}

// InputText returns the text of an input that is compared with others: its
// messages, one on a line.
func InputText(in *model.Input) string {
	var b strings.Builder
	for i := range in.Messages {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(in.Messages[i].Content)
	}
	return b.String()
}

// last returns the text of the last message.
func last(in *model.Input) string {
	if len(in.Messages) == 0 {
		return ""
	}
	return in.Messages[len(in.Messages)-1].Content
}

// said returns what a role said.
func said(in *model.Input, role string) (text string, spoke bool) {
	var parts []string
	for _, m := range in.Messages {
		if m.Role == role {
			parts = append(parts, m.Content)
		}
	}
	return strings.Join(parts, "\n"), len(parts) > 0
}

func pick(cond bool, yes, no string) string {
	if cond {
		return yes
	}
	return no
}

func angry(l *lang.Language, text string, toks []lang.Token) bool {
	if marks(text, 2, "!", "?") || marks(text, 3, "?", "") {
		return true
	}
	if _, ok := l.Marks.Anger.Find(toks); ok {
		return true
	}
	if _, ok := l.Marks.Abuse.Find(toks); ok {
		return true
	}
	return shouted(text, toks, 4) >= 2
}

// marks reports whether text has a run of at least n marks that contains main
// and else only main and other.
func marks(text string, n int, main, other string) bool {
	run, has := 0, false
	for _, r := range text {
		if r == '！' {
			r = '!'
		} else if r == '？' || r == '؟' {
			r = '?'
		}
		switch s := string(r); {
		case s == main:
			run++
			has = true
		case other != "" && s == other:
			run++
		default:
			run, has = 0, false
		}
		if run >= n && has {
			return true
		}
	}
	return false
}

// shouted counts the words in capitals of at least n letters. A word without a
// vowel is an abbreviation, one with digits a code: neither counts.
func shouted(text string, toks []lang.Token, n int) int {
	count := 0
	for _, t := range toks {
		if inCapitals(text[t.Start:t.End], n) {
			count++
		}
	}
	return count
}

func inCapitals(w string, n int) bool {
	if len(w) < n || w[0] >= 'a' && w[0] <= 'z' || w[len(w)-1] >= 'a' && w[len(w)-1] <= 'z' {
		return false
	}
	letters, upper, vowel := 0, 0, false
	for _, r := range w {
		if unicode.IsDigit(r) {
			letters = -1000
		}
		if unicode.IsLetter(r) {
			letters++
			if unicode.IsUpper(r) {
				upper++
			}
			vowel = vowel || isVowel(r)
		}
	}
	return letters >= n && upper == letters && vowel
}

func isVowel(r rune) bool {
	return strings.ContainsRune("aeiouyäöüáéíóúàèìòùâêîôûåæøαεηιουωаеёиоуыэюяіїєў", unicode.ToLower(r))
}

// identified reports whether the text gives something by which a case is found.
func identified(l *lang.Language, text string, tokens func() []lang.Token) bool {
	ascii := asciiDigits(text)
	facts := findFacts(ascii)
	if len(facts) == 0 {
		return false
	}
	dated := false
	for _, f := range facts {
		switch f.Kind {
		case FactEmail, FactPhone:
			return true
		case FactID:
			if f.marked || digits(f.Norm) >= 3 {
				return true
			}
		case FactDate, FactTime:
			dated = true
		}
	}
	var toks []lang.Token
	if ascii == text {
		toks = tokens()
	} else {
		text, toks = ascii, lang.Tokens(ascii)
	}
	for _, f := range facts {
		if f.Kind != FactNumber || strings.ContainsRune(f.Norm, '.') {
			continue
		}
		i := slices.IndexFunc(toks, func(t lang.Token) bool { return t.End > f.start })
		if i < 0 {
			continue
		}
		if l != nil {
			if next := i + 1; next < len(toks) && !toks[next].Break && !toks[next].Pause {
				if _, _, unit := l.Unit(toks, next); unit {
					continue
				}
			}
		}
		if digits(f.Norm) >= 3 {
			return true
		}
		if l != nil && digits(f.Norm) >= 2 {
			for k := max(0, i-2); k < i; k++ {
				if h, ok := l.Marks.Identified.At(toks, k); ok && h.To <= i {
					return true
				}
			}
		}
	}
	if !dated || l == nil {
		return false
	}
	_, named := l.Marks.Named.Find(toks)
	return named || fullName(l, text, toks)
}

// fullName reports whether two words with capitals stand together, as a first
// and a last name do: no greeting, no name of a month.
func fullName(l *lang.Language, text string, toks []lang.Token) bool {
	run := 0
	for i, t := range toks {
		if t.Break || t.Pause {
			run = 0
		}
		first, n := utf8.DecodeRuneInString(text[t.Start:t.End])
		rest := text[t.Start+n : t.End]
		_, greets := l.Marks.Greeting.At(toks, i)
		_, month := lang.Month(t.Text)
		if !unicode.IsUpper(first) || rest == "" || strings.ToLower(rest) != rest || greets || month {
			run = 0
			continue
		}
		if run++; run == 2 {
			return true
		}
	}
	return false
}

func digits(s string) int {
	n := 0
	for _, r := range s {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// question reports whether the text asks.
func question(l *lang.Language, text string, tokens func() []lang.Token) bool {
	if strings.ContainsAny(text, "?？؟;՞") && (strings.ContainsAny(text, "?？؟՞") || greekQuestion(text)) {
		return true
	}
	if l == nil {
		return false
	}
	toks := tokens()
	open := true // a question word here opens a sentence or a clause that asks
	for i := 0; i < len(toks); {
		if toks[i].Break {
			open = true
		}
		if toks[i].Text == "ли" && l.Code == "ru" && i > 0 && toks[i-1].Text != "если" {
			return true
		}
		if !open {
			i++
			continue
		}
		if _, ok := l.Marks.Asks.At(toks, i); ok {
			return true
		}
		step := 0
		for _, x := range []*lang.Lexicon{&l.Marks.Greeting, &l.Marks.Polite, &l.Marks.AskAfter} {
			if h, ok := x.At(toks, i); ok {
				step = max(step, h.To-i)
			}
		}
		open = step > 0
		i += max(step, 1)
	}
	return false
}

// greekQuestion reports whether the semicolons of a text are the question marks
// of Greek.
func greekQuestion(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return unicode.Is(unicode.Greek, r) }) >= 0
}

// countTokens counts words; characters of scripts without spaces count half.
func countTokens(toks []lang.Token) int {
	n, dense := 0, 0
	for _, t := range toks {
		d := 0
		for _, r := range t.Text {
			if r < '\u0e00' {
				continue
			}
			if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) {
				d++
			}
		}
		if d > 0 {
			dense += d
		} else {
			n++
		}
	}
	return n + (dense+1)/2
}

// sloppy reports whether a text has neither a capital at its start nor a mark
// at its end.
func sloppy(text string) bool {
	text = strings.TrimSpace(text)
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }))
	return !unicode.IsUpper(first) && !unicode.IsTitle(first) && !ended(text)
}

// ended reports whether the text ends with a mark that ends a sentence, perhaps
// inside quotation marks or brackets.
func ended(text string) bool {
	text = strings.TrimRightFunc(text, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune(`"'»”’)]`, r)
	})
	r, _ := utf8.DecodeLastRuneInString(text)
	return strings.ContainsRune(".!?…。！？؟։।;:", r)
}

// badPunctuation reports whether the punctuation of a text is plainly wrong.
func badPunctuation(text string) bool {
	text = strings.TrimSpace(text)
	if text == "" {
		return false
	}
	body, smiles := cutEmoji(text)
	if body == "" {
		return false
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(body, `"'«“(„`))
	if unicode.IsLower(first) {
		return true
	}
	if r, _ := utf8.DecodeLastRuneInString(body); !smiles && !ended(body) && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == ',' || r == '-') {
		return true
	}
	masked := maskContacts(body)
	rs := []rune(masked)
	for i, r := range rs {
		var prev, next, after rune
		if i > 0 {
			prev = rs[i-1]
		}
		if i+1 < len(rs) {
			next = rs[i+1]
		}
		if i+2 < len(rs) {
			after = rs[i+2]
		}
		switch r {
		case ',', ';', '!', '?', '.', ':':
			if (prev == ' ' || prev == '\t') && (unicode.IsSpace(next) || next == 0) && !(r == ':' || prevIsMark(rs, i)) {
				return true // a space before the mark
			}
			if prev == ' ' && r == ',' {
				return true
			}
		}
		switch r {
		case ',', ';', '!', '?':
			if unicode.IsLetter(next) && unicode.IsLetter(prev) {
				return true
			}
			if r == ',' && next == ',' {
				return true
			}
		case '.':
			// "word.Next": not an abbreviation, a domain or initials.
			if unicode.IsLower(prev) && unicode.IsUpper(next) && (unicode.IsLower(after) || after == ' ') && i > 1 && unicode.IsLower(rs[i-2]) {
				return true
			}
			if next == '.' && after != '.' && prev != '.' {
				return true
			}
		}
	}
	return false
}

func prevIsMark(rs []rune, i int) bool {
	for i--; i >= 0 && unicode.IsSpace(rs[i]); i-- {
	}
	return i >= 0 && unicode.IsPunct(rs[i]) && !strings.ContainsRune(`)]»"”`, rs[i])
}

// maskContacts replaces e-mails and links, whose points are not punctuation.
func maskContacts(text string) string {
	text = asciiDigits(text)
	fs := findFacts(text)
	var b strings.Builder
	at := 0
	for _, f := range fs {
		if (f.Kind == FactEmail || f.Kind == FactLink) && f.start >= at {
			b.WriteString(text[at:f.start])
			b.WriteString("x")
			at = f.end
		}
	}
	b.WriteString(text[at:])
	return b.String()
}

// typo reports whether a word of the text is plainly misspelt.
func typo(l *lang.Language, text string, toks []lang.Token) bool {
	for i, t := range toks {
		if tripled(t.Text) || mixedScripts(t.Text) {
			return true
		}
		if i > 0 && !t.Break && !t.Pause && t.Text == toks[i-1].Text && utf8.RuneCountInString(t.Text) >= 2 && allLetters(t.Text) && onlySpace(text[toks[i-1].End:t.Start]) {
			return true
		}
		if l == nil {
			continue
		}
		if _, ok := l.Marks.Misspelt[t.Text]; ok {
			return true
		}
		for _, seq := range l.Marks.Impossible {
			if strings.Contains(t.Text, seq) {
				return true
			}
		}
	}
	return false
}

func onlySpace(s string) bool { return strings.TrimSpace(s) == "" }

func allLetters(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsLetter(r) }) < 0
}

// tripled reports whether a letter stands three times in a row, roman numerals,
// "www" and masks apart.
func tripled(w string) bool {
	var prev rune
	run := 0
	for _, r := range w {
		if r == prev && unicode.IsLetter(r) {
			run++
		} else {
			run = 1
		}
		prev = r
		if run == 3 && strings.Trim(w, "xivх") != "" && w != "www" {
			return true
		}
	}
	return false
}

// mixedScripts reports whether a word mixes Latin and Cyrillic or Greek
// letters in one part of a hyphenated word.
func mixedScripts(w string) bool {
	for _, part := range strings.Split(w, "-") {
		latin, other := false, false
		for _, r := range part {
			latin = latin || unicode.Is(unicode.Latin, r)
			other = other || unicode.In(r, unicode.Cyrillic, unicode.Greek)
		}
		if latin && other && utf8.RuneCountInString(part) > 2 && allLetters(part) {
			return true
		}
	}
	return false
}

// emojiRanges are the pictures of Unicode that people put into messages.
var emojiRanges = &unicode.RangeTable{
	R16: []unicode.Range16{
		{0x231A, 0x231B, 1},
		{0x23E9, 0x23F3, 1},
		{0x2600, 0x2604, 1},
		{0x260E, 0x260E, 1},
		{0x2614, 0x2615, 1},
		{0x2618, 0x261D, 1},
		{0x2620, 0x2623, 1},
		{0x2639, 0x263A, 1},
		{0x2640, 0x2653, 1},
		{0x2660, 0x2668, 1},
		{0x267F, 0x267F, 1},
		{0x2692, 0x26A1, 1},
		{0x26AA, 0x26FF, 1},
		{0x2702, 0x270D, 1},
		{0x2728, 0x2728, 1},
		{0x2744, 0x2747, 1},
		{0x274C, 0x274E, 1},
		{0x2753, 0x2757, 1},
		{0x2763, 0x2764, 1},
		{0x2B50, 0x2B55, 1},
	},
	R32: []unicode.Range32{{0x1F000, 0x1FAFF, 1}},
}

// smileys are the ones that need no eyes of their own kind; they stand alone or
// after a word.
var smileys = []string{":)", ":-)", ";)", ";-)", ":(", ":-(", ":D", ":-D", "=)", "=(", ":'(", "^_^", ":-/", ":*", "<3", "xD"}

func hasEmoji(text string) bool { return stripEmoji(text) != text }

// stripEmoji removes emoji and smileys.
func stripEmoji(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		n := emojiAt(text, i)
		if n == 0 {
			_, n = utf8.DecodeRuneInString(text[i:])
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

// cutEmoji removes emoji and smileys with the space before them, and reports
// whether the text ends with one: it may stand for the mark at the end.
func cutEmoji(text string) (body string, last bool) {
	var b []byte
	for i := 0; i < len(text); {
		n := emojiAt(text, i)
		if n > 0 {
			b = []byte(strings.TrimRight(string(b), " "))
			last = true
		} else {
			_, n = utf8.DecodeRuneInString(text[i:])
			b = append(b, text[i:i+n]...)
			last = last && strings.TrimSpace(text[i:i+n]) == ""
		}
		i += n
	}
	return strings.TrimSpace(string(b)), last
}

// emojiAt returns the length of the emoji or smiley at i, or 0.
func emojiAt(text string, i int) int {
	if n := smileyAt(text, i); n > 0 {
		return n
	}
	r, n := utf8.DecodeRuneInString(text[i:])
	if unicode.Is(emojiRanges, r) || r == '\uFE0F' || r == '\u200D' {
		return n
	}
	return 0
}

// smileyAt returns the length of the smiley at i, or 0. Brackets that close
// nothing count when there are two: "))".
func smileyAt(text string, i int) int {
	for _, s := range smileys {
		if strings.HasPrefix(text[i:], s) {
			end := i + len(s)
			before, _ := utf8.DecodeLastRuneInString(text[:i])
			after, _ := utf8.DecodeRuneInString(text[end:])
			letter := unicode.IsLetter(after) || unicode.IsDigit(after)
			// "(see:)" and "10:00" are none.
			if !letter && (i == 0 || unicode.IsSpace(before) || unicode.IsPunct(before) || s[0] == ':' && unicode.IsLetter(before) && !openBracket(text[:i]) || s[0] == '=' || s[0] == ';') {
				for end < len(text) && text[end] == s[len(s)-1] {
					end++
				}
				return end - i
			}
		}
	}
	if text[i] == ')' || text[i] == '(' {
		end := i
		for end < len(text) && text[end] == text[i] {
			end++
		}
		if end-i >= 2 && (text[i] == '(' && (end == len(text) || text[end] == ' ') || text[i] == ')' && !openBracket(text[:i])) {
			return end - i
		}
	}
	return 0
}

// openBracket reports whether a bracket is open at the end of the text.
func openBracket(text string) bool {
	return strings.Count(text, "(") > strings.Count(text, ")")
}
