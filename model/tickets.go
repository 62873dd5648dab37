package model

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// column is what the cells of a table column look like together.
type column struct {
	head     string
	filled   int     // cells with text
	words    float64 // mean number of words
	distinct float64 // share of different cells
	id       bool    // short unique codes
	stamp    bool    // dates or times
	quoted   float64 // share of cells in quotation marks
	asks     float64 // share that ends with a question mark
	spoken   float64 // share that is quoted, holds ? or !, or marks an empty message
	stated   float64 // share of several words that ends like a sentence
	capital  float64 // share that begins with a capital letter
	own      float64 // share that speaks in the first person
	lettered bool    // holds words
}

// maxColumns is the width of the widest table that may be an export.
const maxColumns = 40

// findTickets reads tables of customers' messages with operators' answers, and
// tables of questions with answers. What a table is follows from its cells;
// the words of its head only help.
func (d *Document) findTickets() {
	for i := 0; i < len(d.Blocks); {
		t := d.Blocks[i].Table
		if t < 0 {
			i++
			continue
		}
		j := i
		for j < len(d.Blocks) && (d.Blocks[j].Table == t || d.Blocks[j].Kind == BlockComment) {
			j++
		}
		d.readTable(i, j)
		i = j
	}
}

func (d *Document) readTable(from, to int) {
	var head []string
	var rows []int
	for i := from; i < to; i++ {
		switch d.Blocks[i].Kind {
		case BlockHeaderRow:
			head = d.Blocks[i].Cells
		case BlockRow:
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return
	}
	width := len(head)
	for _, r := range rows {
		width = max(width, len(d.Blocks[r].Cells))
	}
	if width > maxColumns {
		return
	}
	cols := make([]column, width)
	for c := range cols {
		cells := make([]string, len(rows))
		for k, r := range rows {
			cells[k] = d.cell(r, c)
		}
		cols[c] = describe(cells)
		if c < len(head) {
			cols[c].head = strings.ToLower(head[c])
		}
	}
	id := -1
	for c := range cols {
		if cols[c].id {
			id = c
			break
		}
	}
	m, a := pickColumns(cols, id)
	if m < 0 {
		return
	}
	msg, ans := &cols[m], &cols[a]
	n := float64(len(rows))
	headed := isMessageHead(msg.head) && isAnswerHead(ans.head)
	inquiry := headIn(questionLabels, msg.head) && headIn(answerHeads, ans.head)
	speech := msg.quoted >= .5 && ans.quoted >= .3
	contrast := headIn(contrastLabels, msg.head) || headIn(contrastLabels, ans.head)
	record := id >= 0 || slices.ContainsFunc(cols, func(c column) bool { return c.stamp })
	talk := max(msg.spoken, msg.own) // how much of it customers wrote
	named := saidBy(userLabels, msg.head) || isMessageHead(msg.head) || headIn(saidHeads, msg.head) || inquiry
	answered := saidBy(agentLabels, ans.head) || isAnswerHead(ans.head) || headIn(ourWords, ans.head)
	ticket := speech ||
		headed && msg.words >= 2 && (ans.words >= 2 || talk >= .25) ||
		named && answered && !contrast && msg.words >= 2 && (talk >= .25 || record && msg.words >= 3) ||
		id >= 0 && msg.spoken >= .25 && ans.stated >= .5 && msg.distinct >= .6 ||
		record && !contrast && !headIn(ruleHeads, ans.head) && talk >= .5 && msg.words >= 3 && msg.distinct >= .6
	faq := !speech && msg.asks >= .8 && ans.asks <= .2 &&
		(inquiry || n >= 2 && ans.words >= 2 && !headed && !(named && answered) && msg.capital >= .8 && (id < 0 || d.counts(rows, id)))
	switch {
	case faq:
		for _, r := range rows {
			b := &d.Blocks[r]
			if q, answer := d.cell(r, m), d.cell(r, a); q != "" && answer != "" {
				d.QAs = append(d.QAs, QA{
					Question: q, Answer: answer, Topic: !isQuestion(q),
					LineStart: b.LineStart, LineEnd: b.LineEnd, Section: b.Section,
				})
			}
		}
	case ticket:
		for _, r := range rows {
			b := &d.Blocks[r]
			message, empty := readMessage(d.cell(r, m))
			answer, _ := unquote(d.cell(r, a))
			if empty && answer == "" {
				continue
			}
			t := Ticket{Message: message, Empty: empty, Answer: answer, LineStart: b.LineStart, LineEnd: b.LineEnd}
			if id >= 0 {
				t.ID = d.cell(r, id)
			}
			if t.ID == "" {
				t.ID = strconv.Itoa(len(d.Tickets) + 1)
			}
			d.Tickets = append(d.Tickets, t)
		}
	}
}

func (d *Document) cell(block, c int) string {
	if cells := d.Blocks[block].Cells; c < len(cells) {
		return cells[c]
	}
	return ""
}

// counts reports whether a column numbers its rows 1, 2, 3.
func (d *Document) counts(rows []int, c int) bool {
	for k, r := range rows {
		if strings.TrimRight(d.cell(r, c), ".)") != strconv.Itoa(k+1) {
			return false
		}
	}
	return true
}

func describe(cells []string) column {
	var c column
	n := float64(len(cells))
	seen := map[string]bool{}
	codes, stamps, words := 0, 0, 0
	for _, s := range cells {
		if s == "" {
			c.spoken++ // an empty message, perhaps
			continue
		}
		c.filled++
		seen[strings.ToLower(s)] = true
		if isCode(s) {
			codes++
		}
		if isStamp(s) {
			stamps++
		}
		c.lettered = c.lettered || strings.IndexFunc(s, unicode.IsLetter) >= 0
		if speaksOwn(s) {
			c.own++
		}
		inner, q := unquote(s)
		if q {
			c.quoted++
		}
		w := len(strings.Fields(inner))
		if w < 2 { // scripts without spaces
			w = max(w, utf8.RuneCountInString(inner)/4)
		}
		words += w
		asks := isQuestion(inner)
		if asks {
			c.asks++
		}
		if q || asks || strings.ContainsAny(inner, "?!？！؟") || bracketed(inner) {
			c.spoken++
		}
		end, _ := utf8.DecodeLastRuneInString(inner)
		if w >= 3 && isSentenceEnd(end) || q && w >= 3 {
			c.stated++
		}
		if first, _ := utf8.DecodeRuneInString(inner); !unicode.IsLower(first) {
			c.capital++
		}
	}
	c.id = c.filled > 0 && codes == c.filled && c.filled == len(cells) && len(seen) == c.filled
	if c.filled > 0 {
		c.words = float64(words) / float64(c.filled)
		c.distinct = float64(len(seen)) / float64(c.filled)
	}
	c.quoted /= n
	c.asks /= n
	c.spoken /= n
	c.stated /= n
	c.capital /= n
	c.own /= n
	c.stamp = c.filled > 0 && stamps == c.filled
	return c
}

// isCode reports whether a cell is a number or a code such as "T-17", not an
// amount, a time or a word.
func isCode(s string) bool {
	if utf8.RuneCountInString(s) > 24 || strings.ContainsAny(s, " \t%€$£¥₽₴₸:,") {
		return false
	}
	digits := 0
	for _, c := range s {
		switch {
		case unicode.IsDigit(c):
			digits++
		case unicode.IsLetter(c), strings.ContainsRune("#№-_/.)", c):
		default:
			return false
		}
	}
	return digits > 0
}

// isStamp reports whether a cell is no more than a date or a time in digits.
func isStamp(s string) bool {
	digits := 0
	for _, c := range s {
		switch {
		case unicode.IsDigit(c):
			digits++
		case !strings.ContainsRune("-./: ,TZ+", c):
			return false
		}
	}
	return digits >= 3 && strings.ContainsAny(s, "-./:")
}

// speaksOwn reports whether a text has a word of the first person among its
// first words.
func speaksOwn(s string) bool {
	words := strings.FieldsFunc(strings.ToLower(s[:min(len(s), 400)]), func(c rune) bool { return !unicode.IsLetter(c) })
	return slices.ContainsFunc(words[:min(len(words), 24)], func(w string) bool { return firstPerson[w] })
}

// saidBy reports whether a column's head names one of the speakers of set, with
// no more than two words about it.
func saidBy(set map[string]bool, head string) bool {
	words := strings.FieldsFunc(head, func(c rune) bool { return !unicode.IsLetter(c) })
	return len(words) <= 3 && headIn(set, head)
}

// pickColumns chooses the column of the messages and a later one of answers.
func pickColumns(cols []column, id int) (message, answer int) {
	var free []int
	for c := range cols {
		if c != id && cols[c].lettered && !cols[c].id && !cols[c].stamp {
			free = append(free, c)
		}
	}
	best := -1.0
	message, answer = -1, -1
	for i, m := range free {
		for _, a := range free[i+1:] {
			x, y := &cols[m], &cols[a]
			score := 2*x.quoted + x.asks + x.spoken + 2*y.quoted + y.stated + min(x.words, 12)/24 + min(y.words, 12)/24 + x.distinct
			if isMessageHead(x.head) || headIn(questionLabels, x.head) || saidBy(userLabels, x.head) || headIn(saidHeads, x.head) {
				score += 3
			}
			if isAnswerHead(y.head) || saidBy(agentLabels, y.head) || headIn(ourWords, y.head) {
				score += 3
			}
			if score > best {
				best, message, answer = score, m, a
			}
		}
	}
	return message, answer
}

func isMessageHead(head string) bool { return headIn(messageHeads, head) || userLabels[head] }

func isAnswerHead(head string) bool { return headIn(answerHeads, head) || agentLabels[head] }

// headIn reports whether a column's head holds a word of set.
func headIn(set map[string]bool, head string) bool {
	if set[head] {
		return true
	}
	for _, w := range strings.FieldsFunc(head, func(c rune) bool { return !unicode.IsLetter(c) && c != '_' }) {
		if set[w] {
			return true
		}
		for _, part := range strings.Split(w, "_") {
			if utf8.RuneCountInString(part) > 1 && set[part] {
				return true
			}
		}
	}
	return false
}

// readMessage returns a customer's message without its quotation marks, and
// whether the cell says that there was none: it is blank, a dash, or wholly in
// brackets.
func readMessage(cell string) (message string, empty bool) {
	s, _ := unquote(cell)
	if s == "" || strings.Trim(s, "-–— ") == "" || bracketed(s) {
		return "", true
	}
	return s, false
}

// bracketed reports whether the whole of s is a remark in brackets.
func bracketed(s string) bool {
	if len(s) < 3 || len(strings.Fields(s)) > 6 {
		return false
	}
	first, n := utf8.DecodeRuneInString(s)
	last, m := utf8.DecodeLastRuneInString(s)
	closer := map[rune]rune{'(': ')', '[': ']', '<': '>', '（': '）', '{': '}'}[first]
	if closer == 0 || last != closer {
		return false
	}
	inner := s[n : len(s)-m]
	return !strings.ContainsRune(inner, first) && !strings.ContainsRune(inner, last) && strings.IndexFunc(inner, unicode.IsLetter) >= 0
}
