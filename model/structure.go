package model

import (
	"slices"
	"sort"
	"strings"
)

// findQuestions reads the questions and topics with their answers, and the
// dialogues, all by the shape of the document.
func (d *Document) findQuestions() {
	used := make([]bool, len(d.Blocks)) // belongs to a pair or a dialogue
	d.findLabelled(used)
	d.findListEntries(used)
	d.findBoldQuestions(used)
	d.findBoldTopics(used)
	d.findPlainQuestions(used)
	d.findHeadingQuestions()
	sort.SliceStable(d.QAs, func(i, j int) bool { return d.QAs[i].LineStart < d.QAs[j].LineStart })
}

// spoken is one labelled entry: "Label: text", with the lines that follow it.
type spoken struct {
	label      string // as written
	key        string // folded, without its number
	text       string
	quoted     bool
	block      int // first
	last       int // last
	start, end int // lines
}

// findLabelled reads runs of labelled entries and decides what each run is.
func (d *Document) findLabelled(used []bool) {
	var run []spoken
	flush := func() {
		d.readRun(run, used)
		run = nil
	}
	waiting := -1 // first of the blocks without a label after the last entry
	for i := range d.Blocks {
		b := &d.Blocks[i]
		switch b.Kind {
		case BlockParagraph, BlockItem, BlockQuoted:
		case BlockComment:
			continue
		default:
			flush()
			waiting = -1
			continue
		}
		if b.Text == "" {
			continue
		}
		if len(run) > 0 && d.Blocks[run[len(run)-1].last].Section != b.Section {
			flush()
			waiting = -1
		}
		first := true
		for k, l := range d.seen[i].lines {
			if l == "" {
				continue
			}
			label, rest, ok := cutTurn(l)
			n := b.LineStart + k
			if ok {
				if first && waiting >= 0 {
					// Text between two entries belongs to the first of them
					// only if the run goes on after it, and is no chat: there
					// it leads into the next one.
					key := foldLabel(label)
					if i-waiting <= 3 && !isChat(run) && slices.ContainsFunc(run[max(0, len(run)-2):], func(s spoken) bool { return s.key == key }) {
						e := &run[len(run)-1]
						for j := waiting; j < i; j++ {
							if t := d.Blocks[j].Text; t != "" {
								e.text = strings.TrimSpace(e.text + "\n" + t)
								e.last, e.end = j, d.Blocks[j].LineEnd
							}
						}
					} else {
						flush()
					}
				}
				waiting = -1
				question, reply, answer, both := cutPair(label, rest)
				run = append(run, spoken{label: label, key: foldLabel(label), text: question, block: i, last: i, start: n, end: n})
				if both {
					run = append(run, spoken{label: reply, key: foldLabel(reply), text: answer, block: i, last: i, start: n, end: n})
				}
			} else if first {
				if len(run) > 0 && waiting < 0 {
					waiting = i
				}
				break
			} else {
				e := &run[len(run)-1]
				e.text = strings.TrimSpace(e.text + " " + l)
				e.end = n
			}
			first = false
		}
	}
	flush()
}

// isChat reports whether the last entries of a run are a dialogue.
func isChat(run []spoken) bool {
	tail := run[max(0, len(run)-6):]
	for len(tail) > 0 && tail[0].key != run[0].key {
		tail = tail[1:]
	}
	if len(tail) < 2 || tail[0].key == tail[1].key {
		return false
	}
	tail = slices.Clone(tail)
	for i := range tail {
		tail[i].text, tail[i].quoted = unquote(tail[i].text)
	}
	return classify(tail, false) == spokenTurns
}

// readRun finds pairs of alternating labels in a run of entries.
func (d *Document) readRun(run []spoken, used []bool) {
	for i := range run {
		run[i].text, run[i].quoted = unquote(run[i].text)
	}
	for i := 0; i+1 < len(run); {
		x, y := run[i].key, run[i+1].key
		if x == y {
			i++
			continue
		}
		j := i + 1
		for j < len(run) && (run[j].key == x || run[j].key == y) {
			j++
		}
		switch classify(run[i:j], i == 0 && j == len(run)) {
		case notSpoken:
			i = j - 1
			continue
		case spokenPairs:
			d.addPairs(run[i:j])
		case spokenTurns:
			for _, part := range splitDialogues(run[i:j]) {
				d.addDialogue(part)
			}
		}
		for _, e := range run[i:j] {
			for k := e.block; k <= e.last; k++ {
				used[k] = true
			}
		}
		i = j
	}
}

const (
	notSpoken = iota
	spokenPairs
	spokenTurns
)

// classify tells question/answer pairs from a dialogue. In pairs every first
// entry asks and no second one does, entry by entry; people who talk ask back,
// and are quoted.
func classify(run []spoken, alone bool) int {
	x, y := run[0].key, run[1].key
	strict := len(run)%2 == 0
	asks, counter, quoted, lively := 0, 0, 0, false
	firsts, seconds := 0, 0
	for i, e := range run {
		if want := x; i%2 == 1 && want == e.key || i%2 == 0 && want != e.key {
			strict = false
		}
		ends := isQuestion(e.text)
		if e.key == x {
			firsts++
			if ends {
				asks++
			}
		} else {
			seconds++
			if ends {
				counter++
			}
		}
		if e.quoted {
			quoted++
		}
		lively = lively || strings.ContainsAny(e.text, "?!？！؟")
	}
	if seconds == 0 || slices.ContainsFunc(run, func(e spoken) bool { return e.text == "" }) && len(run) == 2 {
		return notSpoken
	}
	if labelIn(contrastLabels, x) || labelIn(contrastLabels, y) {
		return notSpoken
	}
	if labelIn(questionLabels, x) && labelIn(answerLabels, y) {
		return spokenPairs
	}
	person := func(k string) bool { return labelIn(userLabels, k) || labelIn(agentLabels, k) }
	if person(x) && person(y) {
		return spokenTurns
	}
	pairs := strict && quoted == 0 && 5*asks >= 4*firsts && 5*counter <= seconds
	switch {
	case pairs && (firsts >= 2 || len([]rune(x)) <= 2 || alone):
		return spokenPairs
	case len(run) == 2:
		if quoted == 2 || (person(x) || person(y)) && lively {
			return spokenTurns
		}
	case lively || quoted > 0:
		return spokenTurns
	}
	return notSpoken
}

// splitDialogues parts a run at every block that holds a dialogue of its own.
func splitDialogues(run []spoken) [][]spoken {
	var parts [][]spoken
	for i := 0; i < len(run); {
		j := i + 1
		for j < len(run) && run[j].block == run[i].block {
			j++
		}
		if j-i < 2 || run[i].key != run[0].key {
			return [][]spoken{run}
		}
		parts = append(parts, run[i:j])
		i = j
	}
	return parts
}

func (d *Document) addPairs(run []spoken) {
	q := run[0].key
	for i := 0; i < len(run); i++ {
		if run[i].key != q {
			continue
		}
		var answers []string
		j := i + 1
		for j < len(run) && run[j].key != q {
			answers = append(answers, run[j].text)
			j++
		}
		if len(answers) == 0 || run[i].text == "" || squash(answers) == "" {
			continue
		}
		d.QAs = append(d.QAs, QA{
			Question: run[i].text, Answer: strings.Join(answers, "\n"),
			LineStart: run[i].start, LineEnd: run[j-1].end, Section: d.Blocks[run[i].block].Section,
		})
	}
}

func (d *Document) addDialogue(run []spoken) {
	user := run[0].key
	if labelIn(agentLabels, user) {
		for _, e := range run {
			if labelIn(userLabels, e.key) {
				user = e.key // the operator speaks first
				break
			}
		}
	}
	var dl Dialogue
	for _, e := range run {
		role := RoleOperator
		if e.key == user {
			role = RoleUser
		}
		dl.Turns = append(dl.Turns, Turn{Speaker: e.label, Role: role, Text: e.text, LineStart: e.start, LineEnd: e.end})
	}
	d.Dialogues = append(d.Dialogues, dl)
}

// entry is a block that may be a question or a topic with an answer.
type entry struct {
	block    int
	question string
	answer   string // in the block itself; may be empty
	topic    bool
	bold     bool
	joined   bool // no mark parts the bold run from what follows
}

// leadEntry reads a block that begins with a bold run: a question, or a label,
// as a rule followed by a colon or a dash.
func (d *Document) leadEntry(i int) (entry, bool) {
	s := &d.seen[i]
	if !s.bold {
		return entry{}, false
	}
	lead, rest := cutNumber(s.lead), s.rest
	if isQuestion(lead) {
		return entry{block: i, question: cutQuestionLabel(lead), answer: strings.TrimLeft(rest, ":—–- "), bold: true}, true
	}
	const marks = ":：—–-= "
	after := strings.TrimLeft(rest, marks)
	sep := strings.TrimSpace(rest[:len(rest)-len(after)])
	bare := strings.TrimRight(lead, ":：.。 ")
	if bare == "" {
		return entry{}, false
	}
	e := entry{block: i, question: bare, answer: after, topic: true, bold: true}
	if sep == "" && bare == lead {
		e.joined = true
		e.answer = d.Blocks[i].Text
		if rest == "" {
			e.answer = "" // a title of what stands under it
		}
	}
	return e, true
}

// findListEntries reads lists of which at least half, and two, are entries.
func (d *Document) findListEntries(used []bool) {
	lists := map[int][]int{}
	var order []int
	for i := range d.Blocks {
		if l := d.seen[i].list; l >= 0 && d.Blocks[i].Kind == BlockItem {
			if lists[l] == nil {
				order = append(order, l)
			}
			lists[l] = append(lists[l], i)
		}
	}
	children := d.childText()
	for _, l := range order {
		items := lists[l]
		var found []entry
		for _, i := range items {
			if used[i] || !d.Blocks[i].InForce() {
				continue
			}
			e, ok := d.leadEntry(i)
			if !ok {
				q, rest, isQ := cutQuestion(d.Blocks[i].Text)
				if !isQ {
					continue
				}
				e = entry{block: i, question: cutNumber(cutQuestionLabel(q)), answer: rest}
			}
			if e.answer == "" && len(children[i].lines) == 0 {
				continue
			}
			found = append(found, e)
		}
		found = withoutRoles(found)
		marked := 0
		for _, e := range found {
			if !e.joined {
				marked++
			}
		}
		if marked < 2 || 2*marked < len(items) {
			// In other lists only a question in bold type is one, or an item
			// that asks and no more, with items under it.
			found = slices.DeleteFunc(found, func(e entry) bool {
				return e.topic || !e.bold && (e.answer != "" || len(children[e.block].lines) == 0)
			})
		}
		for _, e := range found {
			b := &d.Blocks[e.block]
			c := children[e.block]
			answer := e.answer
			if len(c.lines) > 0 {
				answer = strings.TrimSpace(answer + "\n" + strings.Join(c.lines, "\n"))
			}
			d.QAs = append(d.QAs, QA{
				Question: strings.TrimSpace(e.question), Answer: answer, Topic: e.topic,
				LineStart: b.LineStart, LineEnd: max(b.LineEnd, c.end), Section: b.Section,
			})
			used[e.block] = true
			for _, k := range c.blocks {
				used[k] = true
			}
		}
	}
}

// withoutRoles leaves out topics whose label says what a text is ("Bad:",
// "Client:"), not what it is about: the same label stands there again, or is
// known as such.
func withoutRoles(found []entry) []entry {
	times := map[string]int{}
	for _, e := range found {
		times[foldLabel(e.question)]++
	}
	return slices.DeleteFunc(found, func(e entry) bool {
		key := foldLabel(e.question)
		if !e.topic {
			return false
		}
		return times[key] > 1 || contrastLabels[key] || questionLabels[key] || answerLabels[key] || userLabels[key] || agentLabels[key]
	})
}

// below is the text that stands under an item.
type below struct {
	lines  []string
	blocks []int
	end    int
}

// childText collects for every item what stands under it.
func (d *Document) childText() map[int]below {
	out := map[int]below{}
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if !b.InForce() {
			continue
		}
		for p, hops := b.Parent, 0; p >= 0 && hops < 2*maxMarkers+maxIndent; p, hops = d.Blocks[p].Parent, hops+1 {
			if d.Blocks[p].Kind != BlockItem {
				break
			}
			c := out[p]
			c.lines = append(c.lines, b.Text)
			c.blocks = append(c.blocks, i)
			c.end = b.LineEnd
			out[p] = c
		}
	}
	return out
}

// findBoldQuestions reads paragraphs that begin with a question in bold type:
// the answer follows it, or is what stands up to the next such question. An
// item that is alone in its list counts as a paragraph.
func (d *Document) findBoldQuestions(used []bool) {
	for i := range d.Blocks {
		b := &d.Blocks[i]
		if used[i] || !b.InForce() {
			continue
		}
		e, ok := d.leadEntry(i)
		if b.Kind == BlockHTML && isQuestion(b.Text) { // a <summary>
			e, ok = entry{question: cutNumber(b.Text)}, true
		}
		if !ok || e.topic {
			continue
		}
		d.addFollowed(i, e.question, e.answer, used, func(k int) bool {
			_, bold := d.leadEntry(k)
			return bold || d.seen[k].bold && d.seen[k].rest == "" || d.Blocks[k].Kind == BlockHTML
		})
	}
}

// findBoldTopics reads runs of paragraphs that each begin with a label in bold
// type, three or more with the questions among them.
func (d *Document) findBoldTopics(used []bool) {
	for i := 0; i < len(d.Blocks); {
		var found []entry
		j := i
		for ; j < len(d.Blocks) && d.Blocks[j].Section == d.Blocks[i].Section && d.Blocks[j].Kind == BlockParagraph; j++ {
			e, ok := d.leadEntry(j)
			if !ok || e.joined || e.answer == "" {
				break
			}
			found = append(found, e)
		}
		if found = withoutRoles(found); len(found) >= 3 {
			for _, e := range found {
				b := &d.Blocks[e.block]
				if used[e.block] {
					continue
				}
				used[e.block] = true
				d.QAs = append(d.QAs, QA{
					Question: e.question, Answer: e.answer, Topic: e.topic,
					LineStart: b.LineStart, LineEnd: b.LineEnd, Section: b.Section,
				})
			}
		}
		i = max(j, i+1)
	}
}

// addFollowed adds the question of block i with its own answer, or with the
// blocks after it up to one at which stop is true.
func (d *Document) addFollowed(i int, question, answer string, used []bool, stop func(int) bool) bool {
	b := &d.Blocks[i]
	end := b.LineEnd
	taken := []int{i}
	if answer == "" {
		var parts []string
		for k := i + 1; k < len(d.Blocks); k++ {
			c := &d.Blocks[k]
			if c.Kind == BlockComment {
				continue
			}
			if !c.InForce() || c.Table >= 0 || used[k] || c.Section != b.Section || stop(k) ||
				b.Kind == BlockItem && c.Kind == BlockItem && c.Level <= b.Level {
				break
			}
			parts = append(parts, c.Text)
			taken = append(taken, k)
			end = c.LineEnd
		}
		answer = strings.Join(parts, "\n")
	}
	if answer == "" {
		return false
	}
	d.QAs = append(d.QAs, QA{Question: question, Answer: answer, LineStart: b.LineStart, LineEnd: end, Section: b.Section})
	for _, k := range taken {
		used[k] = true
	}
	return true
}

// findPlainQuestions reads questions without any mark, each answered by the
// rest of its paragraph or by what follows. As prose asks too, it takes a
// section only when two or more of them stand there in the same way.
func (d *Document) findPlainQuestions(used []bool) {
	asked := func(k int) (question, answer string, ok bool) {
		b := &d.Blocks[k]
		if used[k] || !b.InForce() || b.Table >= 0 || b.Kind == BlockHTML {
			return "", "", false
		}
		lines := nonEmpty(d.seen[k].lines)
		if len(lines) == 0 || !isQuestion(lines[0]) {
			return "", "", false
		}
		question, rest, ok := cutQuestion(lines[0])
		if !ok || rest != "" {
			return "", "", false
		}
		return cutNumber(cutQuestionLabel(question)), squash(lines[1:]), true
	}
	for from := 0; from < len(d.Blocks); {
		to := from + 1
		for to < len(d.Blocks) && d.Blocks[to].Section == d.Blocks[from].Section {
			to++
		}
		answered, prose := 0, 0
		for k := from; k < to; k++ {
			if b := &d.Blocks[k]; !b.InForce() || used[k] || b.Table >= 0 {
				continue
			}
			prose++
			_, answer, ok := asked(k)
			if !ok {
				continue
			}
			next := k + 1
			if answer != "" {
				answered++
				prose-- // question and answer in one block
			} else if next < to && d.Blocks[next].InForce() && !used[next] && d.Blocks[next].Table < 0 &&
				(d.Blocks[k].Kind != BlockItem || d.Blocks[next].Kind != BlockItem || d.Blocks[next].Level > d.Blocks[k].Level) {
				if _, _, again := asked(next); !again {
					answered++
				}
			}
		}
		if answered >= 2 && 4*answered >= prose {
			for k := from; k < to; k++ {
				if q, answer, ok := asked(k); ok {
					d.addFollowed(k, q, answer, used, func(j int) bool { _, _, again := asked(j); return again })
				}
			}
		}
		from = to
	}
}

// findHeadingQuestions reads headings that ask, answered by what stands right
// under them. A heading right over other questions is only their title.
func (d *Document) findHeadingQuestions() {
	sort.SliceStable(d.QAs, func(i, j int) bool { return d.QAs[i].LineStart < d.QAs[j].LineStart })
	var found []QA
	for s := range d.Sections {
		sec := &d.Sections[s]
		if !isQuestion(sec.Title) {
			continue
		}
		q := cutNumber(cutQuestionLabel(cutNumber(sec.Title)))
		// The answer ends where other questions, a chat or a table begin.
		limit := sec.LineEnd + 1
		if k := sort.Search(len(d.QAs), func(i int) bool { return d.QAs[i].LineStart > sec.LineStart }); k < len(d.QAs) {
			limit = min(limit, d.QAs[k].LineStart)
		}
		if k := sort.Search(len(d.Dialogues), func(i int) bool { return d.Dialogues[i].Turns[0].LineStart > sec.LineStart }); k < len(d.Dialogues) {
			limit = min(limit, d.Dialogues[k].Turns[0].LineStart)
		}
		var parts []string
		end := 0
		for k := sec.Block + 1; k < len(d.Blocks) && d.Blocks[k].Section == s; k++ {
			b := &d.Blocks[k]
			if b.Table >= 0 || b.LineEnd >= limit {
				break
			}
			if b.InForce() {
				parts = append(parts, b.Text)
				end = b.LineEnd
			}
		}
		if len(parts) == 0 {
			continue
		}
		if _, after, ok := cutLabel(parts[0]); ok && len(parts) == 1 && labelIn(answerLabels, foldLabel(d.Blocks[sec.Block+1].Lead)) {
			parts[0] = after
		}
		found = append(found, QA{Question: q, Answer: strings.Join(parts, "\n"), LineStart: sec.LineStart, LineEnd: end, Section: s})
	}
	d.QAs = append(d.QAs, found...)
}
