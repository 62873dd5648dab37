package rules

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// work is one call being filled.
type work struct {
	call     *generator.Call
	l        *lang.Language
	s        *lang.Speech
	*reading                          // of all calls: read only
	abouts   []int                    // questions that the use case rests on, once asked for
	known    bool                     // abouts is known
	topical  *qa                      // the topic that the use case's own statements make, if any
	own      map[string]*model.Policy // of the call
	axes     map[string]model.Axis
	planned  []string         // axes of the row at hand
	shown    []model.Axis     // the same
	light    map[string]bool  // stems of words that tell no need
	ucs      []string         // stems of the use case, once asked for
	used     map[string]bool  // lines of the language data that a row of this call has taken
	inputs   []*coverage.Text // inputs accepted before and made in this call
}

func newWork(l *lang.Language, call *generator.Call, rd *reading) *work {
	w := &work{call: call, l: l, s: &l.Speech, reading: rd, own: map[string]*model.Policy{}, axes: map[string]model.Axis{}, used: map[string]bool{}}
	for i := range call.Policies {
		w.own[call.Policies[i].ID] = &call.Policies[i]
	}
	for _, a := range call.Axes {
		w.axes[a.Name] = a
	}
	w.light = rd.k.light
	for _, text := range call.Avoid {
		w.take(text)
	}
	w.section()
	return w
}

// section makes a topic of the statements that a use case rests on when no
// question of the documents does.
func (w *work) section() {
	uc := &w.call.UseCase
	if slices.ContainsFunc(w.k.questioned(uc.Evidence), func(i int) bool { return len(w.k.qas[i].statements) > 0 }) {
		return
	}
	entry := qa{QA: model.QA{Question: uc.Name}}
	if i := strings.LastIndex(uc.Name, ": "); i > 0 {
		entry.Question, entry.Topic = uc.Name[i+2:], len(strings.Fields(uc.Name[i+2:])) <= 3
	}
	for _, e := range uc.Evidence {
		for _, i := range w.k.said.meet(e) {
			s := &w.k.statements[i]
			if s.qa < 0 {
				entry.statements = append(entry.statements, *s)
				if entry.doc == "" || s.end > entry.LineEnd {
					entry.doc, entry.LineEnd = s.doc, s.end
				}
				if entry.LineStart == 0 || s.start < entry.LineStart {
					entry.LineStart = s.start
				}
			}
		}
	}
	if len(entry.statements) > 0 && len(entry.statements) <= most+1 {
		entry.asked, entry.answered = w.k.matter(entry.Question), w.k.matter(entry.Answer)
		w.topical = &entry
	}
}

// q returns question i of the documents, or the use case's own topic, which
// comes after them.
func (w *work) q(i int) *qa {
	if i == len(w.k.qas) {
		return w.topical
	}
	return &w.k.qas[i]
}

// questions is the number of questions that q knows.
func (w *work) questions() int { return len(w.k.qas) + num(w.topical != nil) }

// ucStems returns the stems of what the use case is about.
func (w *work) ucStems() []string {
	if w.ucs == nil {
		text := w.call.UseCase.Name
		for _, e := range w.call.UseCase.Evidence {
			text += " " + e.Quote
		}
		w.ucs = w.k.telling(text)
	}
	return w.ucs
}

// chance returns the source of choice of a row: a function of the call's seed,
// the row, and how often the row was made before.
func (w *work) chance(row *model.Row, example int) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(row.UseCaseID + "\x00" + row.ID))
	if r, ok := w.call.Repairs[row.ID]; ok {
		for _, f := range r.Findings {
			_, _ = h.Write([]byte(f))
		}
		_, _ = h.Write([]byte{1})
	}
	return rand.New(rand.NewPCG(w.call.Seed+uint64(example), h.Sum64()))
}

func pick(r *rand.Rand, list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[r.IntN(len(list))]
}

// fresh returns the list in a random order, what no row has used yet first.
func (w *work) fresh(r *rand.Rand, list []string) []string {
	out := slices.Clone(list)
	r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	slices.SortStableFunc(out, func(a, b string) int { return num(w.used[a]) - num(w.used[b]) })
	return out
}

func num(b bool) int {
	if b {
		return 1
	}
	return 0
}

// value returns the planned value of an axis, or "".
func value(row *model.Row, axis string) string { return row.Parameters[axis].String() }

// shows reports whether an input shows every planned value that code can read.
func (w *work) shows(row *model.Row, in *model.Input) bool {
	if !slices.Equal(w.planned, row.Axes) {
		w.planned, w.shown = row.Axes, nil
		for _, name := range row.Axes {
			a, ok := w.axes[name]
			if !ok {
				a = model.Axis{Name: name, Rule: name}
			}
			w.shown = append(w.shown, a)
		}
	}
	return coverage.Shows(w.l.Code, w.shown, row.Parameters, in, row.Format)
}

// isNew reports whether an input is like none before.
func (w *work) isNew(text string) bool {
	if strings.TrimSpace(text) == "" {
		return true
	}
	if len(w.inputs) == 0 {
		return true
	}
	t := coverage.NewText(text)
	for _, x := range w.inputs {
		if strings.EqualFold(x.String(), text) || x.Similar(t) >= nearest {
			return false
		}
	}
	return true
}

// take notes that a text is an input of the use case.
func (w *work) take(text string) { w.inputs = append(w.inputs, coverage.NewText(text)) }

// nearest is the similarity that two inputs of one use case stay below.
const nearest = 0.7

// first returns the policy a row turns on and its role.
func (w *work) first(row *model.Row) (*model.Policy, model.Role) {
	for _, id := range row.PolicyIDs {
		if p := w.own[id]; p != nil {
			return p, row.Roles[id]
		}
	}
	return nil, model.Plain
}

func fill(frame string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(frame) }

// item puts the parts of an item together.
func (w *work) item(row *model.Row, examples []model.Example) *model.Item {
	policy, role := w.first(row)
	name, label := w.call.UseCase.Name, ""
	if policy != nil {
		label = strings.TrimRight(policy.Name, ". ")
	}
	frame := w.s.Case.Plain
	switch {
	case row.Format == model.DialogLastTurnCorrection:
		frame = w.s.Case.Dialogue
	case row.Format == model.SingleUtteranceCorrection:
		frame = w.s.Case.Correction
	case row.Source == model.SourceTickets:
		frame = w.s.Case.Ticket
	case row.Source == model.SourceCorner:
		frame = w.s.Case.Corner
	case role == model.Pressed:
		frame = w.s.Case.Pressed
	}
	var values []string
	if row.Corner != "" {
		values = append(values, w.s.Values["corner="+row.Corner])
	}
	for _, a := range row.Axes {
		if v := w.s.Values[a+"="+value(row, a)]; v != "" {
			values = append(values, v)
		}
	}
	tc := model.TestCase{
		Case: w.call.UseCase.Case, UseCaseID: row.UseCaseID,
		Name:        name + ": " + strings.Join(values, ", "),
		Description: fill(frame, "{policy}", label, "{uc}", name),
		Parameters:  row.Parameters, Axes: slices.Clone(row.Axes), PolicyIDs: slices.Clone(row.PolicyIDs),
	}
	return &model.Item{Row: row.ID, TestCase: tc, Examples: examples}
}

// example puts the parts of an example together.
func (w *work) example(row *model.Row, messages []model.Message, expected string, criteria []string) model.Example {
	ex := model.Example{
		Case: w.call.UseCase.Case, UseCaseID: row.UseCaseID, Format: row.Format,
		Input: model.Input{Messages: messages}, ExpectedOutput: expected, EvaluationCriteria: criteria,
		PolicyIDs: slices.Clone(row.PolicyIDs),
		Metadata:  model.Metadata{Source: row.Source, PolicyRoles: map[string]model.Role{}, Split: "test"},
	}
	if row.Source == model.SourceCorner {
		ex.Metadata.Split = "corner"
	}
	for _, id := range row.PolicyIDs {
		ex.Metadata.PolicyRoles[id] = row.Roles[id]
	}
	if fp, ok := w.call.Profile.Format(row.Format); ok && fp.Target == model.TargetLast {
		last := len(messages) - 1
		ex.Input.TargetMessageIndex = &last
	}
	return ex
}

// criteria returns at least three of the candidates, none too like another,
// and no more than five; nil when there are not enough.
func (w *work) distinct(candidates []string) []string {
	var out []string
	var words [][]string
	for _, c := range candidates {
		if c == "" || len(out) == 5 {
			continue
		}
		own := lang.Words(c)
		if !slices.ContainsFunc(words, func(x []string) bool { return jaccard(x, own) >= 0.55 }) {
			out, words = append(out, c), append(words, own)
		}
	}
	if len(out) < 3 {
		return nil
	}
	return out
}

func jaccard(a, b []string) float64 {
	set := map[string]int{}
	for _, x := range a {
		set[x] |= 1
	}
	for _, x := range b {
		set[x] |= 2
	}
	both := 0
	for _, v := range set {
		if v == 3 {
			both++
		}
	}
	if len(set) == 0 {
		return 1
	}
	return float64(both) / float64(len(set))
}
