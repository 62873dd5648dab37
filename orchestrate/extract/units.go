package extract

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// A setting is where a sentence stands, which decides how much it takes for the
// sentence to oblige.
type setting int

const (
	inIntro  setting = iota // before the first rule of the document: only plain obligations count
	inText                  // a paragraph: obligations and practices count
	inList                  // an item or a row: so do short practices
	inAnswer                // an answer, or what is said under a label: every statement counts
)

// A unit is a sentence of a document, or several that cannot be read apart.
type unit struct {
	doc, block int
	text       string // what a reader sees
	start, end int    // lines
	setting    setting
	topic      string // the label or question that the unit stands under
	question   bool   // the topic is a question
	qa         int    // index of the document's QA, or -1
	section    int
	lead       string // the list's introduction when it obliges: "The bot must not"
	situation  string // a table's situation that the unit answers
	update     bool   // stands where the document announces changes
	leans      bool   // cannot be read without the unit before
	prev       int    // index of the unit before in the same block, or -1
	mistakes   bool   // stands in a table's column of mistakes
	row        bool   // a cell of a row that the topic is the subject of
}

// A reader turns documents into units.
type reader struct {
	l     *lang.Language
	docs  []*model.Document
	units []unit
	asked []unit // messages of customers that a list gives as samples
}

func (r *reader) read() {
	for d := range r.docs {
		r.document(d)
	}
}

// document appends the units of one document.
func (r *reader) document(d int) {
	doc := r.docs[d]
	taken := takenLines(doc)
	qaAt := make(map[int]int) // line -> QA
	for i := range doc.QAs {
		for n := doc.QAs[i].LineStart; n <= doc.QAs[i].LineEnd; n++ {
			if _, ok := qaAt[n]; !ok {
				qaAt[n] = i
			}
		}
	}
	firstRules := r.firstRules(doc)
	for b := range doc.Blocks {
		blk := &doc.Blocks[b]
		if !blk.InForce() || taken[blk.LineStart] {
			continue
		}
		u := unit{doc: d, block: b, qa: -1, section: blk.Section, prev: -1, setting: inText}
		if blk.Section >= 0 {
			for s := blk.Section; s >= 0; s = doc.Sections[s].Parent {
				if doc.Sections[s].Level > 1 && r.l.Overrules(doc.Sections[s].Title) {
					u.update = true
				}
			}
		}
		if blk.Kind == model.BlockRow {
			if slices.ContainsFunc(blk.Cells, r.attempt) {
				continue // a sample of what people try, whatever the table is
			}
			if i, ok := qaAt[blk.LineStart]; ok {
				r.answerRow(doc, blk, u, i)
				continue
			}
			r.row(doc, blk, u)
			continue
		}
		if blk.Kind == model.BlockItem {
			u.setting = inList
		}
		text := blk.Text
		if i, ok := qaAt[blk.LineStart]; ok && (!doc.QAs[i].Topic || r.isTopic(doc.QAs[i].Question)) {
			u.qa = i
			qa := &doc.QAs[i]
			u.topic, u.question = qa.Question, !qa.Topic
			text = cutTopic(text, qa.Question)
			u.setting = inAnswer
		} else if blk.Lead != "" && r.isTopic(blk.Lead) {
			u.topic, u.question = strings.TrimRight(blk.Lead, " ?:"), strings.HasSuffix(strings.TrimSpace(blk.Lead), "?")
			text = cutTopic(text, blk.Lead)
			u.setting = inAnswer
		} else if cut := cutNumber(text); cut != text {
			text, u.setting = cut, inList
		}
		r.under(doc, blk, &u)
		if b < firstRules && u.setting == inText {
			u.setting = inIntro
		}
		if strings.HasSuffix(strings.TrimSpace(text), ":") && r.introduces(doc, b) {
			continue // said with each of its items
		}
		if blk.Kind == model.BlockItem && u.qa < 0 && quoted(text) {
			u.text, u.start, u.end = text, blk.LineStart, min(blk.LineEnd, blk.LineStart+maxEvidenceLines-1)
			r.asked = append(r.asked, u)
			continue
		}
		if u.topic == "" && u.lead == "" {
			if head, list, ok := r.listedNorm(text); ok {
				u.lead, text = head, strings.Join(list, "\n")
			}
		}
		r.sentences(doc, blk, text, u)
	}
}

// listedNorm splits a text that is a few words of obligation, a colon and the
// things that they oblige to ("Never: promise a date, give a number").
func (r *reader) listedNorm(text string) (head string, list []string, ok bool) {
	head, rest, ok := strings.Cut(text, ":")
	if !ok || len(lang.Words(head)) > 3 || strings.ContainsAny(rest, "?!;:(") || len(lang.Sentences(rest)) != 1 {
		return "", nil, false
	}
	if ns := r.l.Norms(head); len(ns) == 0 || ns[0].Weak {
		return "", nil, false
	}
	list = strings.Split(strings.TrimRight(rest, " ."), ",")
	for i := range list {
		if list[i] = strings.TrimSpace(list[i]); len(lang.Words(list[i])) < 2 {
			return "", nil, false
		}
	}
	return strings.TrimSpace(head), list, len(list) > 1
}

// introduces reports whether other blocks hang on block b.
func (r *reader) introduces(doc *model.Document, b int) bool {
	for i := b + 1; i < len(doc.Blocks) && i < b+4; i++ {
		if doc.Blocks[i].Parent == b {
			return true
		}
	}
	return false
}

// under gives a nested block what it inherits from the block it hangs on.
func (r *reader) under(doc *model.Document, blk *model.Block, u *unit) {
	for hops, p := 0, blk.Parent; p >= 0 && hops < 4; hops, p = hops+1, doc.Blocks[p].Parent {
		par := &doc.Blocks[p]
		text := strings.TrimSpace(par.Text)
		head := strings.TrimRight(text, " :?")
		switch {
		case strings.HasSuffix(text, ":") && len(r.l.Norms(head)) > 0 && !r.l.About(head):
			if ns := r.l.Norms(head); !ns[0].Weak && u.lead == "" {
				u.lead = head
			}
		case u.topic == "" && par.Kind == model.BlockItem && len(strings.Fields(text)) <= 6:
			u.topic, u.question = head, strings.HasSuffix(text, "?")
			u.setting = inAnswer
		}
	}
}

// isTopic reports whether a label names a matter: a few words that are no
// speaker, no date and no obligation.
func (r *reader) isTopic(label string) bool {
	ws := lang.Words(label)
	if len(ws) == 0 || len(ws) > 8 || !isQuestion(label) && !r.l.Labels(label) {
		return false
	}
	letters := 0
	for _, w := range ws {
		if _, month := lang.Month(w); month {
			return false // a date
		}
		if c, _ := utf8.DecodeRuneInString(w); unicode.IsLetter(c) && utf8.RuneCountInString(w) > 1 {
			letters++
		}
	}
	return letters > 0
}

// firstRules is the first block of the part of a document that states rules:
// what stands under its first heading below the title, or its first list.
func (r *reader) firstRules(doc *model.Document) int {
	for i := range doc.Blocks {
		b := &doc.Blocks[i]
		if b.Kind == model.BlockItem || b.Kind == model.BlockRow || b.Kind == model.BlockHeading && i > 0 && b.Section > 0 {
			return i
		}
	}
	return 0
}

// takenLines are the lines of tickets and dialogues: samples, never rules.
func takenLines(doc *model.Document) map[int]bool {
	taken := map[int]bool{}
	for _, t := range doc.Tickets {
		for n := t.LineStart; n <= t.LineEnd; n++ {
			taken[n] = true
		}
	}
	for _, d := range doc.Dialogues {
		for _, t := range d.Turns {
			for n := t.LineStart; n <= t.LineEnd; n++ {
				taken[n] = true
			}
		}
	}
	return taken
}

// attempt reports whether a cell is a message that tries to turn the agent, and
// no rule about such messages.
func (r *reader) attempt(cell string) bool {
	if !r.l.Injects(cell) || r.l.SpeaksOfCustomer(cell) {
		return false
	}
	ns := r.l.Norms(cell)
	return len(ns) == 0 || ns[0].Type != model.MustNot
}

// answerRow makes units of a row that holds a question and its answer.
func (r *reader) answerRow(doc *model.Document, blk *model.Block, u unit, i int) {
	qa := &doc.QAs[i]
	u.qa, u.topic, u.question, u.setting = i, qa.Question, !qa.Topic, inAnswer
	if r.l.Affirms(qa.Answer) && u.question { // "Yes" states what was asked
		u.text, u.start, u.end, u.leans = qa.Answer, blk.LineStart, blk.LineEnd, true
		r.units = append(r.units, u)
		return
	}
	r.sentences(doc, blk, qa.Answer, u)
}

// row makes units of a table row that is no ticket. A column of situations, or
// else the first one, is what the other cells speak of.
func (r *reader) row(doc *model.Document, blk *model.Block, u unit) {
	u.setting = inList
	heads := header(doc, blk.Table)
	if len(blk.Cells) < 2 {
		r.sentences(doc, blk, blk.Text, u)
		return
	}
	key := 0
	for key+2 < len(blk.Cells) && strings.IndexFunc(blk.Cells[key], unicode.IsLetter) < 0 && countsRows(heads, key) {
		key++ // the number of the row
	}
	for i, h := range heads {
		if i < len(blk.Cells) && r.l.Situation(h) && !r.l.Wrong(h) {
			key = i
			break
		}
	}
	subject := strings.TrimSpace(blk.Cells[key])
	if subject == "" {
		return
	}
	if key > 0 && !r.l.Situation(headAt(heads, key)) && strong(r.l.Norms(subject)) {
		for _, cell := range blk.Cells[key:] { // a numbered rule, and remarks
			if len(lang.Words(cell)) > 2 {
				r.sentences(doc, blk, cell, u)
			}
		}
		return
	}
	situation := key < len(heads) && r.l.Situation(heads[key]) || r.l.SpeaksOfCustomer(subject)
	u.setting, u.topic, u.row = inAnswer, subject, true
	if situation {
		u.situation = subject
	} else if strings.IndexFunc(subject, unicode.IsLetter) < 0 && key < len(heads) && strings.TrimSpace(heads[key]) != "" {
		u.topic = strings.TrimSpace(heads[key]) + " " + subject // "Nights 3"
	}
	var facts []string // short cells make one fact of the row
	for i, cell := range blk.Cells {
		cell = strings.TrimSpace(cell)
		if i == key || i < key && !situation || len(lang.Words(cell)) == 0 {
			continue
		}
		head := ""
		if i < len(heads) {
			head = strings.TrimSpace(heads[i])
		}
		v := u
		v.mistakes = r.l.Wrong(head)
		if !situation && len(lang.Words(cell)) < 5 && head != "" && !v.mistakes {
			facts = append(facts, lang.Lower(head)+" "+cell)
			continue
		}
		r.sentences(doc, blk, cell, v)
	}
	if len(facts) > 0 {
		r.sentences(doc, blk, lang.Upper(strings.Join(facts, ", ")), u)
	}
}

func headAt(heads []string, c int) string {
	if c < len(heads) {
		return heads[c]
	}
	return ""
}

// countsRows reports whether a column's head says no more than that it numbers
// the rows.
func countsRows(heads []string, c int) bool {
	if c >= len(heads) {
		return false
	}
	h := strings.ToLower(strings.Trim(heads[c], " .:"))
	switch h {
	case "", "#", "№", "no", "nr", "n", "id", "№ п/п", "п/п", "номер":
		return true
	}
	return false
}

func header(doc *model.Document, table int) []string {
	for i := range doc.Blocks {
		if b := &doc.Blocks[i]; b.Kind == model.BlockHeaderRow && b.Table == table {
			return b.Cells
		}
	}
	return nil
}

// sentences appends the units of a block's text.
func (r *reader) sentences(doc *model.Document, blk *model.Block, text string, u unit) {
	at := newLocator(doc, blk)
	first := len(r.units)
	for _, s := range lang.Sentences(text) {
		from, to := at.find(s)
		words := lang.Words(s)
		if len(words) == 0 || r.l.Affirms(s) {
			continue
		}
		v := u
		v.text, v.start, v.end = s, from, to
		if isQuestion(s) {
			if len(r.units) == first && !u.question && u.topic == "" {
				// A question that opens a block is what the rest answers.
				u.topic, u.question, u.setting = strings.TrimRight(s, " ?"), true, inAnswer
			}
			continue
		}
		last := len(r.units) - 1
		if last >= first {
			v.prev = last
			if r.l.Joins(s) && len(words) <= maxFragment || !r.l.About(s) && r.l.Schedule(s) && r.l.Schedule(r.units[last].text) && r.bare(s) && r.bare(r.units[last].text) {
				r.units[last].text += " " + s
				r.units[last].end = max(r.units[last].end, to)
				continue
			}
			v.leans = r.l.Continues(s)
		}
		r.units = append(r.units, v)
	}
}

const maxFragment = 14 // words of a sentence that may be a fragment of another

// bare reports whether a sentence only states facts: no condition stands in it.
func (r *reader) bare(s string) bool {
	ns := r.l.Norms(s)
	return len(ns) == 0 || len(ns) == 1 && len(ns[0].Conditions) == 0
}

func isQuestion(s string) bool {
	return strings.HasSuffix(strings.TrimRight(s, " \t\"'»”)*"), "?")
}

// cutTopic removes the topic that a text begins with, and what separates them.
func cutTopic(text, topic string) string {
	text = cutNumber(text)
	want, i := lang.Words(topic), 0
	rest := text
	for i < len(want) {
		k := strings.IndexFunc(rest, func(c rune) bool { return unicode.IsLetter(c) || unicode.IsDigit(c) })
		if k < 0 {
			return text
		}
		got := lang.Words(strings.ToValidUTF8(rest[k:min(len(rest), k+256)], ""))
		if len(got) == 0 || got[0] != want[i] {
			return text
		}
		rest = rest[k:]
		rest = rest[min(len(rest), len(got[0])):]
		i++
	}
	rest = strings.TrimLeft(rest, "?!.:)»”\"*_ —–-=")
	if len(lang.Words(rest)) == 0 {
		return ""
	}
	return cutNumber(rest)
}

// cutNumber removes a rule's number ("2.1.", "A3.") or an answer's mark ("A:").
func cutNumber(text string) string {
	head, rest, ok := strings.Cut(text, " ")
	if !ok {
		return text
	}
	mark := strings.TrimRight(head, ".:)")
	if mark == head || mark == "" || utf8.RuneCountInString(mark) > 6 {
		return text
	}
	letters, digits := 0, 0
	for _, c := range mark {
		switch {
		case unicode.IsLetter(c):
			letters++
		case unicode.IsDigit(c):
			digits++
		case c != '.':
			return text
		}
	}
	if digits > 0 && letters <= 1 || letters == 1 && strings.ContainsAny(head, ":)") {
		return strings.TrimSpace(rest)
	}
	return text
}

// A locator finds the lines on which the sentences of a block stand, in order.
type locator struct {
	words      []string
	lines      []int // of each word
	at         int
	start, end int
}

func newLocator(doc *model.Document, blk *model.Block) *locator {
	l := &locator{start: blk.LineStart, end: blk.LineEnd}
	if blk.LineEnd == blk.LineStart {
		return l
	}
	for n := blk.LineStart; n <= blk.LineEnd; n++ {
		for _, w := range lang.Words(strings.ReplaceAll(doc.Line(n), "\\", "")) {
			l.words = append(l.words, w)
			l.lines = append(l.lines, n)
		}
	}
	return l
}

const maxEvidenceLines = 5

// find returns the lines of a sentence that stands at or after the last one.
func (l *locator) find(sentence string) (from, to int) {
	if l.start == l.end {
		return l.start, l.end
	}
	const near, far = 8, 400 // words that marks may hide; words that may have been cut out
	p := l.at
	for _, w := range lang.Words(sentence) {
		k := slices.Index(l.words[p:min(len(l.words), p+near)], w)
		if k < 0 && from == 0 {
			k = slices.Index(l.words[p:min(len(l.words), p+far)], w)
		}
		if k < 0 {
			continue
		}
		p += k
		if from == 0 {
			from = l.lines[p]
		}
		to = l.lines[p]
		p++
	}
	if from == 0 {
		return l.start, min(l.end, l.start+maxEvidenceLines-1)
	}
	l.at = p
	return from, min(to, from+maxEvidenceLines-1)
}
