package coverage

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// scriptsOf are the scripts that a language is written in; a language that is
// not listed is not held to one.
var scriptsOf = withLatin(map[string][]*unicode.RangeTable{
	"el": {unicode.Greek}, "ka": {unicode.Georgian}, "hy": {unicode.Armenian}, "he": {unicode.Hebrew}, "ar": {unicode.Arabic}, "fa": {unicode.Arabic},
	"ko": {unicode.Hangul, unicode.Han}, "ja": {unicode.Han, unicode.Hiragana, unicode.Katakana}, "zh": {unicode.Han}, "th": {unicode.Thai}, "hi": {unicode.Devanagari},
	"ru": {unicode.Cyrillic}, "uk": {unicode.Cyrillic}, "be": {unicode.Cyrillic}, "bg": {unicode.Cyrillic}, "kk": {unicode.Cyrillic, unicode.Latin}, "sr": {unicode.Cyrillic, unicode.Latin},
})

func withLatin(scripts map[string][]*unicode.RangeTable) map[string][]*unicode.RangeTable {
	for _, code := range strings.Fields("en de fr es it pt nl pl tr cs sk sv da nb no fi hu ro lt lv et hr sl id vi") {
		scripts[code] = []*unicode.RangeTable{unicode.Latin}
	}
	return scripts
}

// checkLanguage compares the script and the small words of texts with the
// language they are to be in. Names and brands of the document or of the input
// may be in any script, and a message of few letters tells nothing.
func checkLanguage(c *Candidate) []Finding {
	var fs findings
	g := c.ground()
	want := c.asked()
	known := g.words
	if want != c.Language {
		known = nil // the document's own words are the wrong language
	}
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		if !c.free(ex) {
			for _, m := range ex.Input.Messages {
				if why := c.foreign(m.Content, want, known, nil); why != "" {
					fs.add(i, "input", "the input is not in the language %s: %s; write it in that language", want, why)
					break
				}
			}
		}
		own := map[string]bool{}
		for _, t := range c.tokens(InputText(&ex.Input)) {
			own[t.Text] = true
		}
		if why := c.foreign(ex.ExpectedOutput, want, known, own); why != "" {
			fs.add(i, "expected_output", "the expected output is not in the language %s: %s; write it in that language", want, why)
		}
		for k, cr := range ex.EvaluationCriteria {
			if why := c.foreign(cr, c.Language, g.words, own); why != "" {
				fs.add(i, "evaluation_criteria", "criterion %d is not in the document's language %s: %s; write it in that language", k+1, c.Language, why)
			}
		}
	}
	tc := &c.Item.TestCase
	for _, t := range []struct{ field, text string }{{"name", tc.Name}, {"description", tc.Description}} {
		if why := c.foreign(t.text, c.Language, g.words, nil); why != "" {
			fs.add(-1, t.field, "the %s of the test case is not in the document's language %s: %s", t.field, c.Language, why)
		}
	}
	return fs
}

// free reports whether the input of an example may be in any language: it is
// the customer's own, or no language at all.
func (c *Candidate) free(ex *model.Example) bool {
	if len(c.Row.Given) > 0 || ex.Metadata.Source == model.SourceTickets {
		return true
	}
	switch c.Row.Corner {
	case "garbage", "empty", "injection":
		return true
	}
	return false
}

// foreign says why a text is not in a language, or nothing.
func (c *Candidate) foreign(text, code string, known ...map[string]bool) string {
	if code == "" {
		return ""
	}
	tables := scriptsOf[code]
	own, other, words := 0, 0, 0
	plain := c.stripContacts(text)
	for _, t := range c.tokens(plain) {
		counted := false
		for _, r := range t.Text {
			if r >= '0' && r <= '9' || !unicode.IsLetter(r) {
				continue
			}
			counted = true
			if tables == nil || written(r, tables) {
				own++
				continue
			}
			if slices.ContainsFunc(known, func(m map[string]bool) bool { return m[t.Text] }) {
				break
			}
			other++
		}
		if counted {
			words++
		}
	}
	const fewLetters, fewWords = 8, 6
	if own+other < fewLetters {
		return ""
	}
	if other*2 > own+other {
		return "most letters are of another script"
	}
	if words < fewWords || tables == nil {
		return ""
	}
	l, err := lang.For(code)
	if err == nil && c.strange(l, text) >= 2 {
		return "it has letters of another language"
	}
	got := lang.Detect(text)
	if got == "" || got == code {
		return ""
	}
	if err == nil {
		other, _ := lang.For(got)
		stops := 0
		for _, t := range c.tokens(text) {
			if l.IsStop(t.Text) && (other == nil || !other.IsStop(t.Text)) {
				stops++
			}
		}
		// A quarter of the words of a text in the language; where the letters
		// are the language's own, one is enough.
		if stops*4 >= words || l.Marks.Alphabet != "" && stops > 0 {
			return ""
		}
	}
	return "it reads as " + got
}

// strange counts the words with a letter of the language's script that the
// language does not have.
func (c *Candidate) strange(l *lang.Language, text string) int {
	alphabet := l.Marks.Alphabet
	if alphabet == "" {
		return 0
	}
	n := 0
	for _, t := range c.tokens(text) {
		if strings.IndexFunc(t.Text, func(r rune) bool {
			return r >= utf8.RuneSelf && !strings.ContainsRune(alphabet, r) && unicode.In(r, scriptsOf[l.Code]...) && unicode.IsLetter(r)
		}) >= 0 {
			n++
		}
	}
	return n
}

// written reports whether a letter belongs to one of the scripts.
func written(r rune, tables []*unicode.RangeTable) bool {
	for _, t := range tables {
		switch {
		case t == unicode.Latin && (r >= 'a' && r <= 'z'), t == unicode.Cyrillic && r >= 'а' && r <= 'я', unicode.Is(t, r):
			return true
		}
	}
	return false
}

// mayHaveContacts reports whether an e-mail, a link or a handle can stand in a
// text: it has an @, a slash, or a point inside a word.
func mayHaveContacts(text string) bool {
	if strings.ContainsAny(text, "@/") {
		return true
	}
	for i := strings.IndexByte(text, '.'); i >= 0; {
		if r, _ := utf8.DecodeRuneInString(text[i+1:]); unicode.IsLetter(r) || unicode.IsDigit(r) {
			return true
		}
		next := strings.IndexByte(text[i+1:], '.')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return false
}

// stripContacts removes e-mails and links.
func (c *Candidate) stripContacts(text string) string {
	text = asciiDigits(text)
	if !mayHaveContacts(text) {
		return text
	}
	var b strings.Builder
	at := 0
	for _, f := range c.facts(text) {
		if (f.Kind == FactEmail || f.Kind == FactLink) && f.start >= at {
			b.WriteString(text[at:f.start])
			at = f.end
		}
	}
	b.WriteString(text[at:])
	return b.String()
}

var (
	slotted   = regexp.MustCompile(`\{\{.*?\}\}|\{[\p{L}_ ]{2,30}\}|\$\{[^}]*\}|<[\p{L}][\p{L}_ -]{1,30}>|\[[\p{L}_№# -]{2,40}\]|_{3,}|%s\b`)
	unwritten = regexp.MustCompile(`(?i)\b(?:TODO|TBD|FIXME|lorem ipsum|N/A)\b`)
	internal  = regexp.MustCompile(`\b(?:pol|uc|tc|ex)_[a-z0-9_]+`)
)

// mayBeUnwritten reports whether unwritten can match.
func mayBeUnwritten(text string) bool {
	if strings.Contains(text, "ſ") {
		return true
	}
	low := strings.ToLower(text)
	for _, w := range []string{"todo", "tbd", "fixme", "lorem", "n/a"} {
		if strings.Contains(low, w) {
			return true
		}
	}
	return false
}

// checkPlaceholder finds what was left to be filled in.
func checkPlaceholder(c *Candidate) []Finding {
	var fs findings
	look := func(i int, field, text, allowed string) {
		for _, re := range []*regexp.Regexp{slotted, unwritten} {
			if re == slotted && !strings.ContainsAny(text, "{<[_%") || re == unwritten && !mayBeUnwritten(text) {
				continue
			}
			for _, m := range re.FindAllString(text, -1) {
				if strings.Contains(allowed, m) {
					continue
				}
				fs.add(i, field, "%s is a placeholder; write the text itself or leave it out", quote(m))
				return
			}
		}
	}
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		input := InputText(&ex.Input)
		look(i, "expected_output", ex.ExpectedOutput, input)
		if out := strings.TrimSpace(ex.ExpectedOutput); strings.HasSuffix(out, "...") || strings.HasSuffix(out, "…") {
			fs.add(i, "expected_output", "the expected output breaks off with an ellipsis; finish it")
		}
		if len(c.Row.Given) == 0 && c.Row.Corner == "" && ex.Metadata.Source != model.SourceTickets {
			look(i, "input", input, "")
		}
		for _, cr := range ex.EvaluationCriteria {
			look(i, "evaluation_criteria", cr, input+ex.ExpectedOutput)
		}
	}
	return fs
}

func internalID(text string) string {
	if strings.IndexByte(text, '_') < 0 {
		return ""
	}
	return internal.FindString(text)
}

// checkVoice holds an answer to the agent's own voice, and an input to a
// person's.
func checkVoice(c *Candidate) []Finding {
	var fs findings
	l := c.spoken()
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		out := ex.ExpectedOutput
		if id := internalID(out); id != "" {
			fs.add(i, "expected_output", "the answer names the internal id %s; leave it out", quote(id))
		}
		if id := internalID(InputText(&ex.Input)); id != "" && len(c.Row.Given) == 0 {
			fs.add(i, "input", "the input names the internal id %s; no customer would", quote(id))
		}
		if l == nil {
			continue
		}
		m := &l.Marks
		input := InputText(&ex.Input)
		inToks, toks := c.tokens(input), c.tokens(out)
		if h, ok := thirdPerson(l, &m.You, toks); ok {
			if _, own := m.Customer.Find(inToks); !own {
				fs.add(i, "expected_output", "%s speaks about the customer in the third person; address the customer", quote(span(out, toks, h)))
			}
		}
		if h, ok := m.Bot.Find(toks); ok {
			fs.add(i, "expected_output", "%s speaks about the agent in the third person; speak as the agent, in the first person", quote(span(out, toks, h)))
		}
		if h, ok := m.Rules.Find(toks); ok && !c.has(&m.Rules, input) {
			fs.add(i, "expected_output", "%s speaks about the rules or the document; say to the customer what follows from them", quote(span(out, toks, h)))
		}
		if len(c.Row.Given) > 0 || c.Row.Corner != "" || ex.Metadata.Source == model.SourceTickets {
			continue
		}
		for _, msg := range ex.Input.Messages {
			if msg.Role != model.RoleUser {
				continue
			}
			ut := c.tokens(msg.Content)
			for _, x := range []*lang.Lexicon{&m.Exam, &m.Rules} {
				if h, ok := x.Find(ut); ok {
					fs.add(i, "input", "%s reads as an exam question about the agent or the document; write what a person with this need would say", quote(span(msg.Content, ut, h)))
					break
				}
			}
			if h, ok := thirdPerson(l, &m.I, ut); ok && !c.has(&m.Exam, msg.Content) {
				fs.add(i, "input", "%s speaks about customers from outside; write it as the customer, in the first person", quote(span(msg.Content, ut, h)))
			}
		}
	}
	return fs
}

// thirdPerson finds the customer in the third person, unless a pronoun before
// it in the sentence makes it a name for the speaker or the addressee.
func thirdPerson(l *lang.Language, pronouns *lang.Lexicon, toks []lang.Token) (lang.Hit, bool) {
	names := l.Marks.NotCustomer.All(toks)
	for _, h := range l.Marks.Customer.All(toks) {
		from, _ := sentence(toks, h.From)
		ok := !slices.ContainsFunc(names, func(n lang.Hit) bool { return n.From < h.To && h.From < n.To })
		for k := max(from, h.From-4); k < h.From; k++ {
			if _, own := pronouns.At(toks, k); own {
				ok = false
			}
		}
		if ok {
			return h, true
		}
	}
	return lang.Hit{}, false
}

// checkCorrection holds a correction to correct the last message and to keep
// the rest of it.
func checkCorrection(c *Candidate) []Finding {
	var fs findings
	l := c.spoken()
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		if !c.correction(ex.Format) || len(ex.Input.Messages) == 0 {
			continue
		}
		draft, out := last(&ex.Input), ex.ExpectedOutput
		faults := Faults(l, draft)
		pressed, content := c.pressed(ex)
		if oneSpace(draft) == oneSpace(out) {
			switch {
			case len(faults) > 0:
				fs.add(i, "expected_output", "the correction equals the message, which has these faults: %s; correct them", strings.Join(faults, ", "))
			case pressed:
				fs.add(i, "expected_output", "the correction equals the message, though the message is to break a rule; correct what breaks it")
			}
			continue
		}
		emoji := contains(faults, "emoji") || c.forbidsEmoji()
		for _, f := range Faults(l, c.lowerKnown(out)) {
			if f == "emoji" && !emoji {
				continue
			}
			fs.add(i, "expected_output", "the correction still has a fault (%s): %s; remove it", f, Meaning(model.Axis{Rule: "fault"}, f))
		}
		if content {
			continue // what the message says is itself to be corrected
		}
		kept := newBasis()
		kept.add(l, out)
		for _, f := range c.facts(draft) {
			// A part of a number may be replaced by the whole ("ending in 25").
			if !kept.supports(&f) && !strings.Contains(out, f.Text) {
				fs.add(i, "expected_output", "the correction loses the %s %s of the message; keep what the message says", f.Kind, quote(f.Text))
			}
		}
	}
	return fs
}

// pressed reports whether the input is to break a policy, and whether one of
// these is about what a message says, not only how.
func (c *Candidate) pressed(ex *model.Example) (one, content bool) {
	roles := ex.Metadata.PolicyRoles
	if len(c.Row.Roles) > 0 {
		roles = c.Row.Roles
	}
	for _, p := range c.named(ex.PolicyIDs) {
		if roles[p.ID] != model.Pressed {
			continue
		}
		one = true
		if p.Type != model.Style && p.Type != model.Shape {
			content = true
		}
	}
	return one, content
}

func (c *Candidate) forbidsEmoji() bool {
	if c.Lang == nil {
		return false
	}
	return c.rules().emoji || slices.ContainsFunc(c.Policies, func(p model.Policy) bool { return c.Lang.Marks.EmojiWord.In(p.Statement) })
}

// lowerKnown lowers the words in capitals that the document writes so too: they
// are names, not shouting.
func (c *Candidate) lowerKnown(text string) string {
	if shouted(text, c.tokens(text), 4) == 0 {
		return text
	}
	g := c.ground()
	var b strings.Builder
	at := 0
	for _, t := range c.tokens(text) {
		w := text[t.Start:t.End]
		b.WriteString(text[at:t.Start])
		if g.capitals[w] {
			r := []rune(strings.ToLower(w))
			r[0] = unicode.ToUpper(r[0])
			w = string(r)
		}
		b.WriteString(w)
		at = t.End
	}
	b.WriteString(text[at:])
	return b.String()
}

func oneSpace(s string) string { return strings.Join(strings.Fields(s), " ") }

// acts reports whether a text asks back, declines or hands over.
func (c *Candidate) acts(l *lang.Language, text string) bool {
	m := &l.Marks
	return strings.ContainsAny(text, "?？؟") || c.has(&m.Clarify, text) || c.has(&m.Refuse, text) || c.has(&m.HandOver, text)
}

// checkStock finds answers that say nothing: no question, no refusal, no
// handover and no fact of the document.
func checkStock(c *Candidate) []Finding {
	l := c.spoken()
	if l == nil {
		return nil
	}
	var fs findings
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		if c.correction(ex.Format) {
			continue
		}
		out := ex.ExpectedOutput
		if !c.has(&l.Marks.Stock, out) || c.acts(l, out) || len(c.facts(out)) > 0 {
			continue
		}
		if c.Lang == l && c.shared(l, out, c.policyText()) >= 3 {
			continue
		}
		fs.add(i, "expected_output", "the answer says nothing the customer can use; answer with what the document says, ask for what is missing, or hand over")
	}
	return fs
}

// policyText is what the use case and its policies speak of.
func (c *Candidate) policyText() string {
	var b strings.Builder
	say := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
			b.WriteByte('\n')
		}
	}
	say(c.UseCase.Name, c.UseCase.Description)
	for _, e := range c.UseCase.Evidence {
		say(e.Quote)
	}
	for i := range c.Policies {
		p := &c.Policies[i]
		say(p.Name, p.Description, p.Statement)
		say(p.Conditions...)
		say(p.Exceptions...)
		for _, e := range p.Evidence {
			say(e.Quote)
		}
	}
	return b.String()
}

// checkTopic finds answers that have nothing to do with the use case.
func checkTopic(c *Candidate) []Finding {
	l := c.spoken()
	if l == nil || c.Lang != l {
		return nil
	}
	var fs findings
	about := ""
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		out := ex.ExpectedOutput
		if !c.correction(ex.Format) && c.acts(l, out) {
			continue
		}
		if about == "" {
			about = c.policyText()
		}
		if c.shared(l, out, InputText(&ex.Input)) > 0 || c.shared(l, out, about) > 0 || c.ground().covers(l, out) {
			continue
		}
		if c.correction(ex.Format) && c.acts(l, out) {
			continue
		}
		fs.add(i, "expected_output", "the answer shares no word with the input, the use case or its policies, and few with the document; answer what was asked")
	}
	return fs
}

// checkCriteria holds criteria to be what an answer can be scored by.
func checkCriteria(c *Candidate) []Finding {
	var fs findings
	l := c.Lang
	about := ""
	for i := range c.Item.Examples {
		ex := &c.Item.Examples[i]
		crs := ex.EvaluationCriteria
		folds := map[string]bool{}
		words := make([][]string, len(crs))
		anchored := false
		if about == "" {
			about = c.policyText()
		}
		for k, cr := range crs {
			f := c.fold(cr)
			folds[f] = true
			words[k] = wordSet(f)
			if countTokens(c.tokens(cr)) < 3 {
				fs.add(i, "evaluation_criteria", "criterion %d (%s) is too short to score an answer by; say what the answer does or does not do", k+1, quote(cr))
			} else if l != nil && c.vague(l, cr) && c.shared(l, cr, c.statements(ex)) == 0 {
				fs.add(i, "evaluation_criteria", "criterion %d (%s) is vague; say what the answer does or does not do", k+1, quote(cr))
			}
			anchored = anchored || strings.ContainsAny(cr, `«»"“”`) || len(c.facts(cr)) > 0 || c.related(l, cr, about)
		}
		if len(folds) < 3 {
			fs.add(i, "evaluation_criteria", "there are %d different criteria; write at least 3", len(folds))
		}
		words = withoutFrame(words)
		for a := range words {
			for b := a + 1; b < len(words); b++ {
				if jaccard(words[a], words[b]) >= alike {
					fs.add(i, "evaluation_criteria", "criteria %d and %d say nearly the same; replace one with another aspect", a+1, b+1)
				}
			}
		}
		if len(crs) > 0 && !anchored {
			fs.add(i, "evaluation_criteria", "no criterion names a matter of the cited policies; let at least one say what the policy demands here")
		}
		if i > 0 && slices.Equal(crs, c.Item.Examples[0].EvaluationCriteria) {
			fs.warn(i, "evaluation_criteria", "the criteria are those of the first example, word for word")
		}
	}
	return fs
}

// alike is the similarity of words from which two criteria say the same.
const alike = 0.6

func wordSet(folded string) []string {
	ws := strings.Fields(folded)
	slices.Sort(ws)
	return slices.Compact(ws)
}

// statements are the statements of the policies that an example cites.
func (c *Candidate) statements(ex *model.Example) string {
	var b strings.Builder
	for _, p := range c.named(ex.PolicyIDs) {
		b.WriteString(p.Name + "\n" + p.Statement + "\n")
	}
	return b.String()
}

// vague reports whether a criterion has no word but those that fit any answer.
func (c *Candidate) vague(l *lang.Language, cr string) bool {
	toks := c.tokens(cr)
	found := false
	for i := range toks {
		if _, ok := l.Marks.Vague.At(toks, i); ok {
			found = true
			continue
		}
		if _, ok := l.Marks.Scaffold.At(toks, i); !ok && !l.IsStop(toks[i].Text) {
			return false
		}
	}
	return len(c.facts(cr)) == 0 && (found || len(toks) > 0)
}

// related reports whether two texts share a content word; without language
// data, the first five letters of a longer one.
func (c *Candidate) related(l *lang.Language, a, b string) bool {
	if l != nil {
		return c.shared(l, a, b) > 0
	}
	const most = 5
	have := map[string]bool{}
	for _, t := range lang.Tokens(b) {
		have[firstRunes(t.Text, most)] = true
	}
	for _, t := range lang.Tokens(a) {
		if len([]rune(t.Text)) >= most && have[firstRunes(t.Text, most)] {
			return true
		}
	}
	return false
}

// withoutFrame leaves out of each criterion the words that most of them, and at
// least three, share
// ("the reply says that ..."): alike is what they say, not how.
func withoutFrame(criteria [][]string) [][]string {
	n := map[string]int{}
	for _, words := range criteria {
		for _, w := range words {
			n[w]++
		}
	}
	out := make([][]string, len(criteria))
	for i, words := range criteria {
		for _, w := range words {
			if n[w] < 3 || 2*n[w] <= len(criteria) {
				out[i] = append(out[i], w)
			}
		}
	}
	return out
}
