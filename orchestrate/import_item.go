package orchestrate

import (
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// describe fills in what the contract asks of an example and the record does
// not say.
func (im *importer) describe(d *draft) {
	e := &d.example
	e.Case, e.UseCaseID = im.profile.Case, d.useCase
	e.PolicyIDs = d.policies
	e.Metadata = model.Metadata{
		Generator: im.generator, Engine: "file", Native: e.Metadata.Native, Shown: e.Metadata.Shown,
		Split: e.Metadata.Split, Source: im.sourceOf(d), PolicyRoles: map[string]model.Role{},
	}
	for _, id := range d.policies {
		if im.says(d, im.policy(id)) {
			e.Metadata.PolicyRoles[id] = model.Plain
		}
	}
	if len(e.EvaluationCriteria) < im.o.opts.Minimums.Defaulted().CriteriaPerExample {
		e.EvaluationCriteria = im.criteria(d)
	}
}

func (im *importer) policy(id string) *model.Policy {
	for i := range im.ex.Policies {
		if im.ex.Policies[i].ID == id {
			return &im.ex.Policies[i]
		}
	}
	return &model.Policy{}
}

// says reports whether the texts of a draft share enough words with a policy to
// be about it.
func (im *importer) says(d *draft, p *model.Policy) bool {
	said := map[string]bool{}
	for _, w := range im.contentWords(d.text()) {
		said[w] = true
	}
	words := map[string]bool{}
	shared := 0
	for _, w := range im.contentWords(p.Statement) {
		if !words[w] && said[w] {
			shared++
		}
		words[w] = true
	}
	return shared > 0 && shared >= min(2, len(words))
}

// sourceOf says where the input comes from: word for word from the export, none
// that the documents answer, or a question in other words.
func (im *importer) sourceOf(d *draft) model.Source {
	has := im.profile.HasSource
	text := coverage.InputText(&d.example.Input)
	if has(model.SourceTickets) {
		for _, doc := range im.in.Documents {
			for i := range doc.Tickets {
				if doc.Tickets[i].Message == text && text != "" {
					return model.SourceTickets
				}
			}
		}
	}
	if s := d.example.Metadata.Source; has(s) && s != model.SourceTickets {
		return s
	}
	switch {
	case has(model.SourceCorner) && im.corner(d, text):
		return model.SourceCorner
	case has(model.SourceFAQParaphrase):
		return model.SourceFAQParaphrase
	case len(im.profile.Sources) > 0:
		return im.profile.Sources[0]
	default:
		return ""
	}
}

func (im *importer) corner(d *draft, text string) bool {
	return strings.TrimSpace(text) == "" || im.ex.Corner[d.useCase] != "" || im.lang != nil && im.lang.Injects(text)
}

// criteria are what an answer is judged by: the policies that it turns on, what
// it states, and its form, in the language of the documents. Without language
// data they are sentences of the documents and of the answer, which are in
// their language whatever it is.
func (im *importer) criteria(d *draft) []string {
	answer := d.example.ExpectedOutput
	facts, rest := factSentences(answer)
	pick := hash(coverage.InputText(&d.example.Input), answer)
	frame := func(frames []string, slot, text string) string {
		text = quotable(text)
		if im.lang == nil || len(frames) == 0 {
			return "“" + text + "”"
		}
		return strings.ReplaceAll(frames[pick%uint64(len(frames))], slot, text)
	}
	var c lang.Criteria
	if im.lang != nil {
		c = im.lang.Speech.Criteria
	}
	list := &criteriaList{}
	for i, id := range d.policies {
		if i < 2 {
			list.add(frame(c.Rule, "{rule}", im.ruleOf(id)))
		}
	}
	said := append(slices.Clone(facts), rest...)
	for i, s := range said {
		if code := lang.Detect(s); i < 2 && (code == "" || code == im.ex.Language) { // criteria are in the documents' language
			list.add(frame(c.States, "{fact}", s))
		}
	}
	if im.lang != nil {
		for _, form := range [][]string{c.NoInvent, c.OnTopic, c.Polite} {
			if len(form) > 0 && len(list.out) < 5 {
				list.add(form[pick%uint64(len(form))])
			}
		}
		return list.out
	}
	// Rules of form first, then whatever else the documents say on the matter.
	for i := range im.ex.Policies {
		if p := &im.ex.Policies[i]; len(list.out) < 4 && (p.Type == model.Style || p.Type == model.Shape) {
			list.add(frame(nil, "", p.Statement))
		}
	}
	for i := 2; i < len(said) && len(list.out) < 3; i++ {
		list.add(frame(nil, "", said[i]))
	}
	for _, id := range append(slices.Clone(d.policies), im.ex.Relevant[d.useCase]...) {
		if p := im.policy(id); len(list.out) < 3 {
			list.add(frame(nil, "", p.Statement))
			list.add(frame(nil, "", p.Description))
		}
	}
	for _, typ := range []model.PolicyType{model.MustNot, model.Must} { // what holds for every answer
		for i := range im.ex.Policies {
			if p := &im.ex.Policies[i]; p.Type == typ && len(list.out) < 3 {
				list.add(frame(nil, "", p.Statement))
			}
		}
	}
	for i := range im.ex.UseCases {
		if uc := &im.ex.UseCases[i]; uc.ID == d.useCase && len(list.out) < 3 {
			list.add(uc.Description)
			list.add("“" + quotable(uc.Name) + "”")
		}
	}
	return list.out
}

// ruleOf is what a policy demands, with the condition under which it does.
func (im *importer) ruleOf(id string) string {
	p := im.policy(id)
	s := strings.TrimRight(p.Statement, ". ")
	for _, c := range p.Conditions {
		if c = strings.TrimRight(c, ". "); !strings.Contains(coverage.Fold(s), coverage.Fold(c)) {
			return s + " (" + c + ")"
		}
	}
	return s
}

// factSentences parts the sentences of an answer into those with a fact and the
// others that are long enough to be one.
func factSentences(answer string) (facts, rest []string) {
	for _, s := range lang.Sentences(answer) {
		switch {
		case len(coverage.Facts(s)) > 0:
			facts = append(facts, s)
		case len(lang.Words(s)) >= 3:
			rest = append(rest, s)
		}
	}
	return facts, rest
}

// quotable makes a text fit for quotation marks: one line, not too long, no
// marks of its own, nothing that looks unfinished.
func quotable(s string) string {
	s = strings.TrimRight(strings.Join(strings.Fields(s), " "), ". ")
	if r := []rune(s); len(r) > 220 {
		cut := strings.LastIndexByte(string(r[:220]), ' ')
		if cut < 0 {
			cut = len(string(r[:220]))
		}
		s = strings.TrimRight(s[:cut], " ,;:") + " …"
	}
	return strings.NewReplacer("«", "„", "»", "“", "“", "„", "”", "“").Replace(s)
}

// criteriaList keeps criteria that say different things.
type criteriaList struct {
	out   []string
	words []map[string]bool
}

func (l *criteriaList) add(s string) {
	words := map[string]bool{}
	for _, w := range lang.Words(s) {
		words[w] = true
	}
	if len(words) == 0 || coverage.Fold(s) == "" {
		return
	}
	for i, other := range l.words {
		both := 0
		for w := range words {
			if other[w] {
				both++
			}
		}
		if 2*both > len(words)+len(other)-both || coverage.Fold(l.out[i]) == coverage.Fold(s) {
			return
		}
	}
	l.out, l.words = append(l.out, s), append(l.words, words)
}

// assemble makes the dataset: what was restored, and the placed drafts as test
// cases. Drafts of a use case with the same parameters are examples of one test
// case.
func (im *importer) assemble(restored *model.Dataset, drafts []draft) *Base {
	d := &model.Dataset{UseCases: im.ex.UseCases, Policies: im.ex.Policies}
	b := &Base{Dataset: d, Manifest: &model.Manifest{Language: im.ex.Language, Case: im.profile.Case}}
	taken := map[string]bool{}
	byUseCase := map[string][]model.TestCase{}
	examples := map[string][]model.Example{}
	if restored != nil {
		for _, tc := range restored.TestCases {
			byUseCase[tc.UseCaseID], taken[tc.ID] = append(byUseCase[tc.UseCaseID], tc), true
		}
		for _, e := range restored.Examples {
			examples[e.TestCaseID], taken[e.ID] = append(examples[e.TestCaseID], e), true
		}
	}
	planner := im.newPlanner(im.in.Documents, im.ex, im.profile)
	for i := range im.ex.UseCases {
		uc := &im.ex.UseCases[i]
		var mine []*draft
		for k := range drafts {
			if drafts[k].useCase == uc.ID {
				mine = append(mine, &drafts[k])
			}
		}
		if have := byUseCase[uc.ID]; len(mine) == 0 && len(have) > 0 {
			b.Manifest.Plan = append(b.Manifest.Plan, im.planOf(planner, uc, have))
		}
		if len(mine) > 0 {
			plan := im.group(planner, uc, mine, byUseCase[uc.ID], taken)
			if len(plan.Axes) > 0 {
				b.Manifest.Plan = append(b.Manifest.Plan, plan)
			}
			mine = slices.DeleteFunc(mine, func(d *draft) bool { return !d.kept() })
			have := byUseCase[uc.ID]
			byUseCase[uc.ID] = im.testCases(uc, mine, have)
			if n := len(byUseCase[uc.ID]); n > 1 && n > len(have) && !vary(byUseCase[uc.ID]) {
				// Only beside restored test cases, which stay as they are.
				for _, m := range mine {
					im.refuse(m.index, CheckContract, "the test cases of "+uc.ID+" would differ in fewer than two axes with it")
					m.test = ""
				}
				byUseCase[uc.ID], mine = have, nil
			}
			for _, m := range mine {
				examples[m.test] = append(examples[m.test], m.example)
			}
		}
		for _, tc := range byUseCase[uc.ID] {
			d.TestCases = append(d.TestCases, tc)
			d.Examples = append(d.Examples, examples[tc.ID]...)
		}
	}
	return b
}

// vary reports whether at least two of the axes that test cases name take more
// than one value.
func vary(cases []model.TestCase) bool {
	values := map[string]map[model.Value]bool{}
	for i := range cases {
		for _, a := range cases[i].Axes {
			if values[a] == nil {
				values[a] = map[model.Value]bool{}
			}
			values[a][cases[i].Parameters[a]] = true
		}
	}
	n := 0
	for _, v := range values {
		if len(v) > 1 {
			n++
		}
	}
	return n >= 2
}

// planOf returns the plan that the test cases of a use case are counted by.
// Restored ones keep the axes that they were made with: an axis of which they
// have no value would count none of them, and one left out would count less.
func (im *importer) planOf(p *planner, uc *model.UseCase, have []model.TestCase) model.UseCasePlan {
	ids := im.ex.Relevant[uc.ID]
	least := im.o.opts.Minimums.Defaulted().TestCasesPerUseCase
	plan := model.UseCasePlan{UseCaseID: uc.ID, PolicyIDs: ids, Strength: p.strength}
	plan.Axes = p.axes(*uc, ids, p.formats(ids), max(least, min(8, 2*len(ids))))
	lacks := func(a model.Axis) bool {
		return slices.ContainsFunc(have, func(tc model.TestCase) bool { _, ok := tc.Parameters[a.Name]; return !ok })
	}
	var own []model.Axis
	for i := range have {
		for _, name := range have[i].Axes {
			at := slices.IndexFunc(own, func(a model.Axis) bool { return a.Name == name })
			if at < 0 {
				axis, ok := axisNamed(name, plan.Axes, im.profile.Axes)
				if !ok {
					continue // a field of another tool
				}
				own, at = append(own, axis), len(own)
			}
			own[at] = withValue(own[at], have[i].Parameters[name].String(), im.profile.Axes)
		}
	}
	unplanned := func(a model.Axis) bool { _, ok := axisNamed(a.Name, plan.Axes); return !ok }
	if len(own) >= im.o.opts.Minimums.Defaulted().MinAxes && (slices.ContainsFunc(plan.Axes, lacks) || slices.ContainsFunc(own, unplanned)) {
		plan.Axes = own
	}
	return plan
}

// axisNamed returns the axis of a name from the first list that has it.
func axisNamed(name string, lists ...[]model.Axis) (model.Axis, bool) {
	for _, list := range lists {
		for _, a := range list {
			if a.Name == name {
				return a, true
			}
		}
	}
	return model.Axis{}, false
}

// withValue returns the axis with a value that the profile has for it and that
// it was planned without.
func withValue(axis model.Axis, value string, profile []model.Axis) model.Axis {
	named := func(v model.AxisValue) bool { return v.Name == value }
	if full, ok := axisNamed(axis.Name, profile); ok && !slices.ContainsFunc(axis.Values, named) {
		if at := slices.IndexFunc(full.Values, named); at >= 0 {
			axis.Values = append(slices.Clip(axis.Values), full.Values[at])
		}
	}
	return axis
}

// group gives the drafts of a use case parameters, axes and ids, and returns
// the plan that they are counted by.
func (im *importer) group(p *planner, uc *model.UseCase, drafts []*draft, have []model.TestCase, taken map[string]bool) model.UseCasePlan {
	plan := im.planOf(p, uc, have)
	plan.Axes = slices.DeleteFunc(plan.Axes, func(a model.Axis) bool { return !coverage.Decidable(im.lang, a) })
	var decidable []string
	for _, a := range im.profile.Axes {
		if coverage.Decidable(im.lang, a) {
			decidable = append(decidable, a.Name)
		}
	}
	for _, d := range drafts {
		d.classes = map[string]string{}
		for _, a := range im.profile.Axes {
			if v, ok := coverage.Classify(im.lang, a, &d.example.Input, d.example.Format); ok {
				d.classes[a.Name] = v
			}
		}
	}
	var own []string // fields of the method that all drafts have
	for _, k := range slices.Sorted(maps.Keys(drafts[0].item.TestCase.Parameters)) {
		if drafts[0].classes[k] == "" && !slices.ContainsFunc(drafts, func(d *draft) bool { return blankValue(d.item.TestCase.Parameters, k) }) {
			own = append(own, k)
		}
	}
	value := func(d *draft, name string) model.Value {
		if v := d.classes[name]; v != "" {
			return model.String(v)
		}
		return d.item.TestCase.Parameters[name]
	}
	varies := func(name string) bool {
		return slices.ContainsFunc(drafts[1:], func(d *draft) bool { return !value(d, name).Equal(value(drafts[0], name)) }) ||
			slices.ContainsFunc(have, func(tc model.TestCase) bool {
				v, ok := tc.Parameters[name]
				return ok && !v.Equal(value(drafts[0], name))
			})
	}
	var planned, chosen []string
	for _, a := range plan.Axes {
		planned = append(planned, a.Name)
	}
	pool := slices.Concat(planned, decidable, own)
	for _, name := range pool {
		if len(chosen) < 3 && !slices.Contains(chosen, name) && varies(name) && (len(chosen) < 2 || slices.Contains(planned, name)) {
			chosen = append(chosen, name)
		}
	}
	// Where fewer than two axes vary, the drafts are examples of one test case:
	// it has the parameters that they share.
	one := len(drafts) > 1 && len(chosen) < 2
	if one {
		chosen = nil
	}
	for _, name := range pool {
		if len(chosen) < 2 && !slices.Contains(chosen, name) && !(one && varies(name)) {
			chosen = append(chosen, name)
		}
	}
	for _, name := range planned {
		if len(chosen) < 3 && !slices.Contains(chosen, name) && !(one && varies(name)) {
			chosen = append(chosen, name)
		}
	}
	if len(chosen) < im.o.opts.Minimums.Defaulted().MinAxes {
		for _, d := range drafts {
			im.refuse(d.index, CheckContract, fmt.Sprintf("%d axes can be told from it and its record, a test case needs %d", len(chosen), im.o.opts.Minimums.Defaulted().MinAxes))
		}
		return plan
	}
	for _, d := range drafts {
		params := map[string]model.Value{}
		for k, v := range d.item.TestCase.Parameters {
			if !blankValue(d.item.TestCase.Parameters, k) && d.classes[k] == "" && !(one && varies(k)) {
				params[k] = v
			}
		}
		for _, name := range slices.Concat(chosen, planned) {
			if !(one && varies(name)) {
				params[name] = value(d, name)
			}
		}
		for k, v := range params { // a value must not look like the name of an axis
			if _, clash := params[v.String()]; clash && v.IsString() {
				delete(params, k)
			}
		}
		d.item.TestCase.Parameters, d.item.TestCase.Axes = params, slices.Clone(chosen)
	}
	im.name(uc, drafts, have, taken)
	return plan
}

func blankValue(params map[string]model.Value, name string) bool {
	v, ok := params[name]
	return !ok || strings.TrimSpace(v.String()) == ""
}

// name gives the drafts their test cases and ids, which follow from what they
// hold and not from their place in the file.
func (im *importer) name(uc *model.UseCase, drafts []*draft, have []model.TestCase, taken map[string]bool) {
	byKey := map[string]string{}
	for i := range have {
		byKey[parametersKey(have[i].Parameters)] = have[i].ID
	}
	for _, d := range drafts {
		key := parametersKey(d.item.TestCase.Parameters)
		text := strings.TrimPrefix(uc.ID, "uc_")
		for _, a := range d.item.TestCase.Axes {
			text += " " + d.item.TestCase.Parameters[a].String()
		}
		stem := model.Slug(text, 40)
		if byKey[key] == "" {
			byKey[key] = free(taken, "tc_"+stem+"_"+short(key))
		}
		d.test = byKey[key]
		d.example.TestCaseID = d.test
		d.example.ID = free(taken, "ex_"+stem+"_"+short(d.text()+"\n"+string(d.example.Metadata.Native)))
	}
}

// free returns the id, or the first of its successors that is not taken.
func free(taken map[string]bool, id string) string {
	out := id
	for n := 2; taken[out]; n++ {
		out = fmt.Sprintf("%s_n%d", id, n)
	}
	taken[out] = true
	return out
}

func short(s string) string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // never fails
	return fmt.Sprintf("%08x", h.Sum32())
}

func parametersKey(params map[string]model.Value) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(&b, "%q=%#v;", k, params[k])
	}
	return b.String()
}

// testCases returns the test cases of a use case, those that were restored
// first, with the drafts' policies where they became further examples of them.
func (im *importer) testCases(uc *model.UseCase, drafts []*draft, have []model.TestCase) []model.TestCase {
	out := slices.Clone(have)
	for _, d := range drafts {
		at := slices.IndexFunc(out, func(tc model.TestCase) bool { return tc.ID == d.test })
		if at < 0 {
			tc := d.item.TestCase
			tc.ID, tc.Case, tc.UseCaseID = d.test, im.profile.Case, uc.ID
			tc.PolicyIDs = nil
			tc.Metadata = model.Metadata{Generator: im.generator, Engine: "file"}
			im.title(uc, d, &tc)
			out = append(out, tc)
			at = len(out) - 1
		}
		tc := &out[at]
		if at < len(have) { // a restored test case stays as it is
			d.example.PolicyIDs = slices.DeleteFunc(slices.Clone(d.example.PolicyIDs), func(id string) bool { return !slices.Contains(tc.PolicyIDs, id) })
			maps.DeleteFunc(d.example.Metadata.PolicyRoles, func(id string, _ model.Role) bool { return !slices.Contains(tc.PolicyIDs, id) })
			if len(d.example.PolicyIDs) == 0 {
				d.example.PolicyIDs = slices.Clone(tc.PolicyIDs[:1])
			}
			continue
		}
		for _, id := range d.example.PolicyIDs {
			if !slices.Contains(tc.PolicyIDs, id) {
				tc.PolicyIDs = append(tc.PolicyIDs, id)
			}
		}
	}
	return out
}

// title writes name and description of a test case, where the record has none.
func (im *importer) title(uc *model.UseCase, d *draft, tc *model.TestCase) {
	policy := im.policy(d.policies[0])
	if strings.TrimSpace(tc.Name) == "" {
		var values []string
		for _, a := range tc.Axes {
			v := tc.Parameters[a].String()
			if im.lang != nil {
				if word, ok := im.lang.Speech.Values[a+"="+v]; ok {
					v = word
				}
			}
			if v != "" {
				values = append(values, v)
			}
		}
		tc.Name = uc.Name + ": " + strings.Join(values, ", ")
	}
	if strings.TrimSpace(tc.Description) == "" {
		tc.Description = policy.Statement
		if im.lang != nil {
			frames := &im.lang.Speech.Case
			frame := frames.Plain
			switch d.example.Metadata.Source {
			case model.SourceTickets:
				frame = frames.Ticket
			case model.SourceCorner:
				frame = frames.Corner
			}
			tc.Description = strings.NewReplacer("{policy}", strings.TrimRight(policy.Name, ". "), "{uc}", uc.Name).Replace(frame)
		}
	}
}
