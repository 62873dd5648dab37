package rules

import (
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// draft is an operator's message, right and wrong, and what came before.
type draft struct {
	user  string // "" when the message stands alone
	bad   string
	good  string
	fault string   // what is wrong beside the visible faults, for a criterion
	steps []string // what good does, for criteria
	own   bool     // about the row's own rule
	hands bool     // good passes the matter on
}

// correct makes an example backwards: a right message of an operator is broken
// by rules of the document, so the right answer is known.
func (w *work) correct(row *model.Row, r *rand.Rand) (*model.Example, string) {
	drafts := w.drafts(row, r)
	if len(drafts) == 0 {
		id := ""
		if p, _ := w.first(row); p != nil {
			id = p.ID
		}
		return nil, strings.TrimSpace("no message is known that breaks the rule of the row: " + id)
	}
	dialogue := row.Format == model.DialogLastTurnCorrection
	for n := range tries {
		d := drafts[n%len(drafts)]
		if n > 0 && n%len(drafts) == 0 && n/len(drafts) >= 12 {
			break
		}
		if n < len(drafts) && !d.own && value(row, "form") == "question" && !strings.Contains(d.bad, "?") {
			continue // what asks by itself first
		}
		var applied []string
		d, applied = w.shape(row, r, d, n/len(drafts))
		if d.bad == d.good || lang.Upper(d.bad) == d.good {
			continue
		}
		var messages []model.Message
		if dialogue {
			messages = append(messages, model.Message{Role: model.RoleUser, Content: d.user})
		}
		messages = append(messages, model.Message{Role: model.RoleOperator, Content: d.bad})
		in := &model.Input{Messages: messages}
		if !w.shows(row, in) || !w.isNew(d.user+"\n"+d.bad) {
			continue
		}
		criteria := w.correctionCriteria(row, d, applied, r)
		if criteria == nil {
			continue
		}
		w.take(d.user + "\n" + d.bad)
		ex := w.example(row, messages, d.good, criteria)
		return &ex, ""
	}
	return nil, "no broken message shows the row's parameters"
}

// trade returns the line of business of a text.
func trade(l *lang.Language, text string) *lang.Trade {
	best := 0
	toks := lang.Tokens(text)
	s := &l.Speech
	own := &s.Trades[len(s.Trades)-1]
	for i := range s.Trades[:len(s.Trades)-1] {
		t := &s.Trades[i]
		if n := len(t.Match.All(toks)); n > best && n >= 3 {
			best, own = n, t
		}
	}
	return own
}

// drafts returns the messages that may be broken for a row, in the order in
// which they are tried.
func (w *work) drafts(row *model.Row, r *rand.Rand) []draft {
	dialogue := row.Format == model.DialogLastTurnCorrection
	own, other := w.k.own, &w.s.Trades[len(w.s.Trades)-1]
	pairs := w.pairs(r, own)
	if own != other {
		pairs = append(pairs, w.pairs(r, other)...)
	}
	fault := value(row, "fault")
	var content, form []draft
	for n, id := range row.PolicyIDs {
		p := w.own[id]
		if p == nil {
			continue
		}
		for _, d := range w.breaches(p, own, dialogue, r) {
			d.own = true
			if n > 0 && fault != "none" && dialogue { // the rule is kept, the form is not
				d.bad, d.fault = d.good, ""
				content = append(content, d)
			} else if n == 0 || fault == "none" {
				content = append(content, d)
			}
		}
		if n == 0 || fault == "none" {
			for _, d := range w.misshapen(p, pairs, r) {
				if d.fault == "length" && fault != "none" {
					continue // nobody both rambles and shouts
				}
				d.own = true
				content = append(content, d)
			}
		}
		for _, phrase := range w.bans(p) {
			if fault == "rude" || fault == "several" {
				break // one phrase that does not belong is what people write, not two
			}
			for _, pair := range pairs {
				content = append(content, w.banned(pair, phrase))
			}
		}
	}
	if p, _ := w.first(row); p != nil && w.s.TermsRule.In(p.Statement) {
		terms := slices.DeleteFunc(slices.Clone(pairs), func(x lang.Pair) bool { return !own.Terms.In(x.Say) })
		if len(terms) > 0 {
			pairs = terms
		}
	}
	for _, pair := range pairs {
		form = append(form, draft{user: pair.Ask, bad: pair.Say, good: pair.Say})
	}
	if fault == "none" || fault == "" {
		// A remark that no word list sees as rude, put in front, breaks a rule on
		// manners and no other; other rules need a breach of their own.
		p, role := w.first(row)
		if p != nil && (role != model.Pressed && len(content) == 0 || w.manners(p)) && w.k.polite {
			for i, pair := range pairs {
				remark := w.s.Break.Sarcasm[(i+r.IntN(len(w.s.Break.Sarcasm)))%len(w.s.Break.Sarcasm)]
				form[i] = draft{user: pair.Ask, bad: remark + " " + pair.Say, good: pair.Say, fault: "rude"}
			}
		} else {
			form = nil
		}
	} else if p, role := w.first(row); p != nil && role == model.Pressed && !w.faulty(p, fault) {
		form = nil // the visible fault does not break the rule
	}
	shuffle := func(ds []draft) {
		r.Shuffle(len(ds), func(i, j int) { ds[i], ds[j] = ds[j], ds[i] })
		slices.SortStableFunc(ds, func(a, b draft) int { return num(w.used[a.good+a.bad]) - num(w.used[b.good+b.bad]) })
	}
	shuffle(content)
	shuffle(form)
	if !dialogue && fault != "none" {
		return append(form, content...)
	}
	return append(content, form...)
}

// manners reports whether a policy is on how people are spoken to.
func (w *work) manners(p *model.Policy) bool { return politeness(w.l, p.Statement) }

// faulty reports whether a visible fault breaks a policy.
func (w *work) faulty(p *model.Policy, fault string) bool {
	kinds := w.l.FaultKinds(p.Statement)
	return slices.Contains(kinds, fault) || fault == "several" && len(kinds) > 0 || fault == "rude" && w.manners(p)
}

// pairs returns the right messages of a trade with their slots filled, in two
// ways where they have slots.
func (w *work) pairs(r *rand.Rand, t *lang.Trade) []lang.Pair {
	var out []lang.Pair
	for _, p := range t.Pairs {
		ways := 1
		if strings.Contains(p.Say+p.Ask, "{") {
			ways = 2
		}
		for range ways {
			q := p
			chosen := map[string]int{}
			for _, slots := range []map[string][]string{t.Slots, w.s.Slots} {
				for _, name := range slices.Sorted(maps.Keys(slots)) {
					if !strings.Contains(q.Ask+q.Say, "{"+name+"}") {
						continue
					}
					base := strings.TrimSuffix(name, "_") // the same thing in another form
					at, ok := chosen[base]
					if !ok {
						at = r.IntN(len(slots[name]))
						chosen[base] = at
					}
					q.Ask = strings.ReplaceAll(q.Ask, "{"+name+"}", slots[name][at])
					q.Say = strings.ReplaceAll(q.Say, "{"+name+"}", slots[name][at])
				}
			}
			q.Ask, q.Say = lang.Upper(q.Ask), lang.Upper(q.Say)
			if !slices.Contains(out, q) {
				out = append(out, q)
			}
		}
	}
	return out
}

// politeness reports whether a text has a rule on how people are spoken to.
func politeness(l *lang.Language, text string) bool {
	for i := range l.Speech.Breaches {
		if b := &l.Speech.Breaches[i]; b.Key == "swear" && b.Match[0].In(text) {
			return true
		}
	}
	return l.Speech.PoliteRule.In(text)
}

// breaches returns messages that break what a policy demands to be said.
func (w *work) breaches(p *model.Policy, t *lang.Trade, dialogue bool, r *rand.Rand) []draft {
	var out []draft
	norm := strings.Join(append(slices.Clone(p.Conditions), p.Statement), ". ")
	for i := range w.s.Breaches {
		b := &w.s.Breaches[i]
		if !lang.Matches(b.Match, b.Not, norm) || !dialogue && !b.Single {
			continue
		}
		good, steps, hands := "", []string(nil), false
		for _, sp := range w.k.all(p.Statement) {
			if sp.Act == lang.ActFact && sp.Condition != "" {
				continue
			}
			good += " " + sp.Text
			steps = append(steps, w.step(sp))
			hands = hands || sp.Act == lang.ActHandOver
		}
		goods := b.Goods
		if good != "" {
			goods = nil
			for _, lead := range b.Lead {
				goods = append(goods, strings.TrimSpace(lead+good))
			}
			if len(b.Lead) == 0 {
				goods = []string{strings.TrimSpace(good)}
			}
		}
		for u, user := range b.Users {
			for k, bad := range b.Bads {
				if len(goods) == 0 {
					continue
				}
				g := goods[(u+k+r.IntN(len(goods)))%len(goods)]
				put := func(s string) string { return fill(s, "{acc}", t.Acc, "{gen}", t.Gen) }
				out = append(out, draft{user: put(user), bad: put(bad), good: put(g), fault: b.Key, steps: steps, hands: hands})
			}
		}
		break
	}
	return out
}

// step words what a sentence does as a criterion.
func (w *work) step(sp lang.Spoken) string {
	c := &w.s.Criteria
	switch sp.Act {
	case lang.ActAsk:
		if sp.Object == "" {
			return ""
		}
		that := sp.Object
		if rest, ok := strings.CutPrefix(that, w.s.Your); ok && w.s.Your != "" {
			that = w.s.The + rest
		}
		return fill(c.AskID[0], "{that}", that)
	case lang.ActHandOver:
		return fill(c.HandOver[0], "{who}", sp.Object)
	default:
		return fill(c.States[0], "{fact}", quoted(sp.Text))
	}
}

// quotedPhrase is a phrase in quotation marks.
var quotedPhrase = regexp.MustCompile(`[“"«]([^”"»]{4,60})[”"»]`)

// bans returns the phrases that a policy forbids, as it quotes them.
func (w *work) bans(p *model.Policy) []string {
	if !w.s.BanRule.In(p.Statement) {
		return nil
	}
	var out []string
	for _, m := range quotedPhrase.FindAllStringSubmatch(p.Statement, -1) {
		if s := strings.Trim(m[1], " .,"); len(strings.Fields(s)) <= 7 {
			out = append(out, s)
		}
	}
	return out
}

// banned puts a forbidden phrase in front of a right message.
func (w *work) banned(pair lang.Pair, phrase string) draft {
	if len(strings.Fields(phrase)) == 1 {
		return draft{user: pair.Ask, bad: lang.Upper(phrase) + ", " + lang.Lower(pair.Say), good: pair.Say, fault: "banned", own: true}
	}
	return draft{user: pair.Ask, bad: lang.Sentence(phrase) + " " + pair.Say, good: pair.Say, fault: "banned", own: true}
}

// misshapen returns messages that break a rule on the shape of what is written.
func (w *work) misshapen(p *model.Policy, pairs []lang.Pair, r *rand.Rand) []draft {
	b := &w.s.Break
	var out []draft
	for _, pair := range pairs {
		d := draft{user: pair.Ask, bad: pair.Say, good: pair.Say}
		switch {
		case w.s.LengthRule.In(p.Statement):
			first := r.IntN(len(b.Waffle))
			d.bad = b.Waffle[first] + " " + b.Waffle[(first+1)%len(b.Waffle)] + " " + pair.Say
			d.fault = "length"
		case w.s.NameRule.In(p.Statement):
			d.bad, d.fault = pick(r, b.First)+lang.Lower(pair.Say), "firstname"
		case w.s.SlangRule.In(p.Statement):
			d.bad, d.fault = pick(r, b.Slang)+lang.Lower(pair.Say), "slang"
		case w.s.GreetRule.In(p.Statement):
			d.good, d.fault = strings.ReplaceAll(b.Greet[0], ", ", "! ")+pair.Say, "greet"
		default:
			return nil
		}
		out = append(out, d)
	}
	return out
}

// shape makes a draft long or short, greeting or not, asking or not, and puts
// the row's visible faults into the wrong version.
func (w *work) shape(row *model.Row, r *rand.Rand, d draft, round int) (draft, []string) {
	w.used[d.good+d.bad] = true
	b := &w.s.Break
	if value(row, "form") == "question" && !strings.Contains(d.bad, "?") {
		tail := pick(r, b.Ask)
		d.bad, d.good = d.bad+tail, d.good+tail
	}
	if value(row, "length") == "long" {
		more := " " + pick(r, b.More)
		d.bad, d.good = d.bad+more, d.good+more
	}
	if value(row, "greeting") == "present" {
		g := pick(r, b.Greet)
		bad, good := d.bad, d.good
		if strings.HasSuffix(g, ", ") {
			bad, good = lang.Lower(bad), lang.Lower(good)
		}
		d.bad, d.good = g+bad, g+good
	}
	if value(row, "client_tone") == "angry" && d.user != "" && w.classify("tone", userInput(d.user)) != "angry" {
		line := pick(r, w.fresh(r, w.s.Angry))
		w.used[line] = true
		if r.IntN(2) == 0 {
			d.user = line + " " + d.user
		} else {
			d.user += " " + line
		}
		if d.fault == "" { // the right answer takes note of the anger
			if !w.s.Soothing.In(d.good) {
				calm := pick(r, w.calm())
				d.good = calm + " " + d.good
				d.bad = calm + " " + d.bad
			}
		}
		if sp := w.onAnger(); sp.Text != "" && !d.hands && !strings.Contains(d.good, sp.Text) && !slices.Contains(d.steps, w.step(sp)) {
			d.good += " " + sp.Text
			d.steps = append(slices.Clone(d.steps), w.step(sp))
		}
	}
	var kinds []string
	switch f := value(row, "fault"); f {
	case "", "none":
	case "several":
		kinds = w.ruled()
		r.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		kinds = kinds[:min(2+round%2, len(kinds))]
	default:
		kinds = []string{f}
	}
	slices.Sort(kinds) // caps before emoji before exclamation before punctuation
	for _, k := range kinds {
		d.bad = w.spoil(r, d.bad, k)
	}
	return d, kinds
}

// onAnger returns who the documents hand angry customers to, if anybody.
func (w *work) onAnger() lang.Spoken {
	for i := range w.s.Breaches {
		b := &w.s.Breaches[i]
		if b.Key != "complaint" {
			continue
		}
		for _, k := range w.k.handing {
			if s := &w.k.statements[k]; s.Act == lang.ActHandOver && lang.Matches(b.Match, b.Not, s.source) && w.s.Angered.In(s.source) {
				return s.Spoken
			}
		}
	}
	return lang.Spoken{}
}

func userInput(text string) *model.Input {
	return &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: text}}}
}

// ruled returns the visible faults that the documents have a rule on; at least
// two.
func (w *work) ruled() []string {
	var out []string
	for _, p := range w.call.Policies {
		for _, k := range w.l.FaultKinds(p.Statement) {
			if !slices.Contains(out, k) && k != "several" {
				out = append(out, k)
			}
		}
	}
	for _, k := range w.k.faults {
		if !slices.Contains(out, k) && k != "several" {
			out = append(out, k)
		}
	}
	for _, k := range []string{"typo", "punctuation"} {
		if len(out) < 2 && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return out
}

// spoil puts one visible fault into a message.
func (w *work) spoil(r *rand.Rand, s, kind string) string {
	switch kind {
	case "caps":
		return shout(r, s)
	case "exclamation":
		return exclaim(r, s)
	case "punctuation":
		return unpunctuate(s)
	case "typo":
		return w.mistype(r, s)
	case "emoji":
		return s + pick(r, w.s.Break.Emoji)
	case "rude":
		return pick(r, w.fresh(r, w.s.Break.Rude)) + " " + s
	}
	return s
}

// shout puts one to three words of a message in capitals.
func shout(r *rand.Rand, s string) string {
	words := strings.Fields(s)
	var long []int
	for i, word := range words {
		if utf8.RuneCountInString(strings.TrimFunc(word, unicode.IsPunct)) >= 4 {
			long = append(long, i)
		}
	}
	if len(long) == 0 {
		return strings.ToUpper(s)
	}
	if r.IntN(4) == 0 && len(words) <= 7 {
		return strings.ToUpper(s)
	}
	r.Shuffle(len(long), func(i, j int) { long[i], long[j] = long[j], long[i] })
	for _, i := range long[:min(len(long), 1+r.IntN(3))] {
		words[i] = strings.ToUpper(words[i])
	}
	return strings.Join(words, " ")
}

func exclaim(r *rand.Rand, s string) string {
	marks := strings.Repeat("!", 2+r.IntN(3))
	sentences := lang.Sentences(s)
	for i, x := range sentences {
		if i == len(sentences)-1 || r.IntN(2) == 0 {
			if strings.HasSuffix(x, "?") {
				sentences[i] = x + marks
			} else {
				sentences[i] = strings.TrimRight(x, ".!") + marks
			}
		}
	}
	return strings.Join(sentences, " ")
}

// unpunctuate takes the marks and the first capital away, as people do who type
// without looking.
func unpunctuate(s string) string {
	tail := ""
	if i := strings.IndexFunc(s, func(r rune) bool { return r >= 0x1F000 }); i > 0 {
		s, tail = strings.TrimRight(s[:i], " "), " "+s[i:]
	}
	s = strings.TrimRight(s, ".?")
	s = strings.ReplaceAll(s, ", ", " ")
	for _, mark := range []string{". ", "? "} {
		for {
			i := strings.Index(s, mark)
			if i < 0 {
				break
			}
			rest := s[i+len(mark):]
			s = s[:i] + " " + lang.Lower(rest)
		}
	}
	return lang.Lower(s) + tail
}

// mistype puts a misspelling that people make into a message: a known one, or
// else a letter too many; and two letters in the wrong order in another word.
func (w *work) mistype(r *rand.Rand, s string) string {
	words := strings.Fields(s)
	order := r.Perm(len(words))
	done := -1
	for _, i := range order {
		core := strings.TrimFunc(words[i], unicode.IsPunct)
		if wrong, ok := w.l.Misspell(core); ok && utf8.RuneCountInString(wrong) > 3 && !strings.Contains(wrong, " ") || strings.EqualFold(wrong, "teh") {
			if first, _ := utf8.DecodeRuneInString(core); unicode.IsUpper(first) {
				wrong = lang.Upper(wrong)
			}
			words[i] = strings.Replace(words[i], core, wrong, 1)
			done = i
			break
		}
	}
	for _, i := range order {
		core := []rune(strings.TrimFunc(words[i], unicode.IsPunct))
		if len(core) < 6 || i == done || slices.ContainsFunc(core, func(c rune) bool { return !unicode.IsLetter(c) }) {
			continue
		}
		at := 2 + r.IntN(len(core)-4)
		wrong := slices.Clone(core)
		if done < 0 { // a key that stuck
			wrong = slices.Insert(wrong, at, wrong[at], wrong[at])
			done = i
			words[i] = strings.Replace(words[i], string(core), string(wrong), 1)
			continue
		}
		if wrong[at] == wrong[at+1] {
			continue
		}
		wrong[at], wrong[at+1] = wrong[at+1], wrong[at]
		words[i] = strings.Replace(words[i], string(core), string(wrong), 1)
		break
	}
	return strings.Join(words, " ")
}

// correctionCriteria returns the criteria of a correction.
func (w *work) correctionCriteria(row *model.Row, d draft, faults []string, r *rand.Rand) []string {
	c := &w.s.Criteria
	var out []string
	for _, f := range faults {
		out = append(out, pick(r, c.Fault[f]))
	}
	if d.fault != "" {
		out = append(out, pick(r, c.Fault[d.fault]))
	}
	out = append(out, d.steps...)
	if len(d.steps) == 0 {
		out = append(out, fill(c.Keep[0], "{np}", quoted(d.good)))
	}
	if value(row, "client_tone") == "angry" {
		out = append(out, pick(r, c.Calm))
	}
	for _, id := range row.PolicyIDs {
		if p := w.own[id]; p != nil {
			out = append(out, fill(pick(r, c.Rule), "{rule}", quoted(p.Statement)))
			break
		}
	}
	out = append(out, c.Keep[1:]...)
	out = append(out, pick(r, c.Polite))
	return w.distinct(out)
}
