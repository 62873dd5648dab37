package model

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Violation is a break of the contract.
type Violation struct {
	File    File   `json:"file"`
	ID      string `json:"id"`      // of the item; "#3" for the third when it has none
	Rule    string `json:"rule"`    // short and stable: "evidence_quote", "criteria_count", ...
	Message string `json:"message"` // what is wrong and what is expected
}

func (v Violation) String() string {
	return string(v.File) + ": " + v.ID + ": " + v.Message + " [" + v.Rule + "]"
}

// Violations returns every break of the contract in an item by itself, in file
// order: fields, ids, formats, placeholders and, when documents are given, that
// every quotation equals its lines. Links between files and minimums are checked
// by package coverage. Items of a case without a built-in profile are checked
// against the general rules only; see [Dataset.ViolationsWith].
func (d *Dataset) Violations(docs ...*Document) []Violation {
	return d.ViolationsWith(nil, docs...)
}

// ViolationsWith is [Dataset.Violations] with the profile of the run, so that
// the formats and sources of an application's own case are checked too. A nil
// profile stands for the built-in ones.
func (d *Dataset) ViolationsWith(p *Profile, docs ...*Document) []Violation {
	c := &checker{profiles: map[Case]*Profile{}, docs: map[string]*Document{}}
	for _, b := range []*Profile{SupportBot(), OperatorQuality(), p} {
		if b != nil {
			c.profiles[b.Case] = b
		}
	}
	for _, doc := range docs {
		c.docs[doc.Name] = doc
		for _, t := range doc.Tickets {
			c.emptyTickets = c.emptyTickets || t.Empty
		}
	}
	c.begin(FileUseCases, "uc_")
	for i := range d.UseCases {
		c.useCase(i, &d.UseCases[i])
	}
	c.begin(FilePolicies, "pol_")
	for i := range d.Policies {
		c.policy(i, &d.Policies[i])
	}
	c.begin(FileTestCases, "tc_")
	for i := range d.TestCases {
		c.testCase(i, &d.TestCases[i])
	}
	c.begin(FileDataset, "ex_")
	for i := range d.Examples {
		c.example(i, &d.Examples[i])
	}
	return c.out
}

type checker struct {
	profiles     map[Case]*Profile
	docs         map[string]*Document
	emptyTickets bool

	file   File
	prefix string
	id     string
	ids    map[string]bool
	names  map[string]string // folded name -> id
	same   map[string]string // use case and parameters -> id
	run    Case
	out    []Violation
}

func (c *checker) begin(f File, prefix string) {
	c.file, c.prefix = f, prefix
	c.ids, c.names, c.same = map[string]bool{}, map[string]string{}, map[string]string{}
}

func (c *checker) fail(rule, format string, args ...any) {
	c.out = append(c.out, Violation{File: c.file, ID: c.id, Rule: rule, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) need(field, s string) bool {
	if blank(s) {
		c.fail("required", "%s is empty", field)
		return false
	}
	return true
}

// item checks what every item has.
func (c *checker) item(i int, id string, cs Case) {
	c.id = id
	if id == "" {
		c.id = fmt.Sprintf("#%d", i+1)
		c.fail("id", "the id is empty; it begins with %q", c.prefix)
	} else {
		c.checkID("the id", id, c.prefix)
		if c.ids[id] {
			c.fail("id_unique", "the id stands more than once in the file")
		}
		c.ids[id] = true
	}
	if blank(string(cs)) {
		c.fail("case", "case is empty")
		return
	}
	if c.run == "" {
		c.run = cs
	}
	if cs != c.run {
		c.fail("case", "case is %q, but the run's case is %q", cs, c.run)
	}
}

func (c *checker) checkID(what, id, prefix string) {
	rest, ok := strings.CutPrefix(id, prefix)
	switch {
	case !ok:
		c.fail("id", "%s %q does not begin with %q", what, id, prefix)
	case rest == "":
		c.fail("id", "%s %q has nothing after its prefix", what, id)
	case strings.Trim(rest, "abcdefghijklmnopqrstuvwxyz0123456789_") != "":
		c.fail("id", "%s %q holds other characters than a-z, 0-9 and _", what, id)
	}
}

// link checks the form of a reference; whether it leads anywhere is checked by
// package coverage.
func (c *checker) link(field, id, prefix string) {
	if c.need(field, id) {
		c.checkID(field, id, prefix)
	}
}

func foldName(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(norm.NFKC.String(s)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}), " ")
}

func (c *checker) name(s string) {
	if !c.need("name", s) {
		return
	}
	f := foldName(s)
	if f == "" {
		c.fail("name", "name %q holds no letter or digit", s)
	} else if other, ok := c.names[f]; ok {
		c.fail("name_unique", "name %q is that of %s but for case and punctuation", s, other)
	} else {
		c.names[f] = c.id
	}
}

func (c *checker) useCase(i int, u *UseCase) {
	c.item(i, u.ID, u.Case)
	c.name(u.Name)
	c.need("description", u.Description)
	c.evidence("evidence", u.Evidence, true)
}

func (c *checker) policy(i int, p *Policy) {
	c.item(i, p.ID, p.Case)
	switch p.Type {
	case Must, MustNot, Escalate, Style, Shape:
	default:
		c.fail("policy_type", "type is %q; it is must, must_not, escalate, style or format", p.Type)
	}
	c.need("name", p.Name)
	c.need("description", p.Description)
	c.need("statement", p.Statement)
	c.evidence("evidence", p.Evidence, true)
	c.evidence("supersedes", p.Supersedes, false)
	for _, l := range []struct {
		field string
		texts []string
	}{{"conditions", p.Conditions}, {"exceptions", p.Exceptions}} {
		for k, s := range l.texts {
			c.need(fmt.Sprintf("%s[%d]", l.field, k), s)
		}
	}
	if !p.IsTestable() && blank(p.UntestableReason) {
		c.fail("untestable_reason", "the policy is not testable and says no reason")
	}
}

func (c *checker) evidence(field string, evs []Evidence, required bool) {
	if len(evs) == 0 {
		if required {
			c.fail("evidence", "there is no %s; at least one entry is needed", field)
		}
		return
	}
	seen := map[string]bool{}
	for k, e := range evs {
		at := fmt.Sprintf("%s[%d]", field, k)
		if c.need(at+".input_file", e.InputFile) && strings.ContainsAny(e.InputFile, `/\`) {
			c.fail("evidence_file", "%s.input_file %q is a path; the base name is wanted", at, e.InputFile)
		}
		key := fmt.Sprintf("%s:%d-%d", e.InputFile, e.LineStart, e.LineEnd)
		if seen[key] {
			c.fail("evidence_duplicate", "%s repeats lines %d-%d", at, e.LineStart, e.LineEnd)
		}
		seen[key] = true
		if e.LineStart < 1 || e.LineEnd < e.LineStart {
			c.fail("evidence_lines", "%s has lines %d-%d", at, e.LineStart, e.LineEnd)
			continue
		}
		switch lines := strings.Split(e.Quote, "\n"); {
		case strings.Contains(e.Quote, "\r"):
			c.fail("evidence_quote", "%s.quote holds a carriage return; lines are joined with LF", at)
		case blank(e.Quote):
			c.fail("evidence_blank", "%s.quote is blank", at)
			continue
		case len(lines) != e.LineEnd-e.LineStart+1:
			c.fail("evidence_quote", "%s.quote has %d lines, its numbers %d", at, len(lines), e.LineEnd-e.LineStart+1)
		case blank(lines[0]) || blank(lines[len(lines)-1]):
			c.fail("evidence_blank", "%s starts or ends with a blank line", at)
		}
		if len(c.docs) == 0 {
			continue
		}
		doc := c.docs[e.InputFile]
		if doc == nil {
			c.fail("evidence_file", "%s.input_file %q is not the document", at, e.InputFile)
			continue
		}
		if e.LineEnd > doc.NumLines() {
			c.fail("evidence_lines", "%s ends at line %d of %d", at, e.LineEnd, doc.NumLines())
			continue
		}
		if want := strings.Join(doc.lines[e.LineStart-1:e.LineEnd], "\n"); want != e.Quote {
			c.fail("evidence_quote", "%s.quote differs from lines %d-%d of the document", at, e.LineStart, e.LineEnd)
		} else if !doc.Supports(e.LineStart, e.LineEnd) {
			c.fail("evidence_support", "%s cites only headings, rules, comments, code or table heads", at)
		}
	}
}

func (c *checker) metadata(m *Metadata, cs Case, p *Profile, example bool) {
	c.need("metadata.generator", m.Generator)
	switch m.Engine {
	case "", "go", "python", "file":
	default:
		c.fail("engine", "metadata.engine is %q; it is go, python or file", m.Engine)
	}
	if !example {
		return
	}
	switch m.Split {
	case "", "train", "test", "corner":
	default:
		c.fail("split", "metadata.split is %q; it is train, test or corner", m.Split)
	}
	switch {
	case p == nil || len(p.Sources) == 0:
	case m.Source == "":
		c.fail("source", "metadata.source is required for %s", cs)
	case !p.HasSource(m.Source):
		c.fail("source", "metadata.source is %q, which %s does not have", m.Source, cs)
	}
}

func (c *checker) policyIDs(ids []string) {
	if len(ids) == 0 {
		c.fail("policy_ids", "policy_ids is empty; at least one is needed")
	}
	for k, id := range ids {
		c.link(fmt.Sprintf("policy_ids[%d]", k), id, "pol_")
		if slices.Contains(ids[:k], id) {
			c.fail("policy_ids", "policy_ids holds %s twice", id)
		}
	}
}

func (c *checker) testCase(i int, t *TestCase) {
	c.item(i, t.ID, t.Case)
	c.link("use_case_id", t.UseCaseID, "uc_")
	c.need("name", t.Name)
	c.need("description", t.Description)
	if len(t.Parameters) == 0 {
		c.fail("parameters", "parameters is empty")
	}
	keys := make([]string, 0, len(t.Parameters))
	for k := range t.Parameters {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var all strings.Builder
	for _, k := range keys {
		v := t.Parameters[k]
		if blank(k) {
			c.fail("parameters", "parameters has an empty key")
		}
		switch s := v.String(); {
		case blank(s):
			c.fail("parameters", "the parameter %q is empty", k)
		case v.IsString() && slices.Contains(keys, s):
			c.fail("parameters", "the parameter %q names an axis (%q) instead of a value", k, s)
		}
		fmt.Fprintf(&all, "%q=%d%q\n", k, v.kind, v.text)
	}
	if n := len(t.Axes); n < 2 || n > 3 {
		c.fail("axes", "parameter_variation_axes has %d names; 2 or 3 are needed", n)
	}
	for k, a := range t.Axes {
		if slices.Contains(t.Axes[:k], a) {
			c.fail("axes", "parameter_variation_axes holds %q twice", a)
		} else if _, ok := t.Parameters[a]; !ok {
			c.fail("axes", "the axis %q is no key of parameters", a)
		}
	}
	if len(keys) > 0 {
		key := t.UseCaseID + "\n" + all.String()
		if other, ok := c.same[key]; ok {
			c.fail("parameters_unique", "the parameters are those of %s", other)
		} else {
			c.same[key] = c.id
		}
	}
	c.policyIDs(t.PolicyIDs)
	c.metadata(&t.Metadata, t.Case, nil, false)
}

// An expected output is finished text.
var (
	slotPattern = regexp.MustCompile(`\{\{[^{}]*\}\}|\{%|<<[^<>]+>>|\[\[[^\[\]]+\]\]`)
	todoPattern = regexp.MustCompile(`(^|[^\p{L}\p{N}])(TODO|TBD|FIXME|[Ll]orem ipsum)([^\p{L}\p{N}]|$)`)
	idPattern   = regexp.MustCompile(`(^|[^\p{L}\p{N}_])(uc|pol|tc|ex)_[a-z0-9_]+`)
)

// Placeholder returns the first part of a text that shows it is not finished or
// not meant for a reader: an unfilled slot, TODO, an id of the dataset, or dots
// at its end. It is empty for a finished text.
func Placeholder(s string) string {
	t := strings.TrimSpace(s)
	if m := slotPattern.FindString(t); m != "" {
		return m
	}
	if m := todoPattern.FindStringSubmatch(t); m != nil {
		return m[2]
	}
	if m := idPattern.FindString(t); m != "" {
		return strings.TrimLeftFunc(m, func(r rune) bool { return !unicode.IsLetter(r) })
	}
	t = strings.TrimRightFunc(t, func(r rune) bool { return strings.ContainsRune(`"'»”’)`, r) })
	for _, dots := range []string{"...", "…"} {
		if strings.HasSuffix(t, dots) {
			return dots
		}
	}
	return ""
}

func (c *checker) example(i int, e *Example) {
	c.item(i, e.ID, e.Case)
	c.link("use_case_id", e.UseCaseID, "uc_")
	c.link("test_case_id", e.TestCaseID, "tc_")
	p := c.profiles[e.Case]
	c.messages(e, p)
	if c.need("expected_output", e.ExpectedOutput) {
		if m := Placeholder(e.ExpectedOutput); m != "" {
			c.fail("placeholder", "expected_output holds %q: it is to be finished text", m)
		}
	}
	distinct := map[string]bool{}
	for k, s := range e.EvaluationCriteria {
		field := fmt.Sprintf("evaluation_criteria[%d]", k)
		if !c.need(field, s) {
			continue
		}
		f := foldName(s)
		switch {
		case distinct[f]:
			c.fail("criteria", "%s repeats another", field)
		case isVague(f):
			c.fail("criteria_vague", "%s %q is no statement that can be answered yes or no", field, s)
		}
		distinct[f] = true
	}
	if len(distinct) < 3 {
		c.fail("criteria_count", "evaluation_criteria has %d distinct statements; 3 are needed", len(distinct))
	}
	c.policyIDs(e.PolicyIDs)
	c.metadata(&e.Metadata, e.Case, p, true)
	for _, id := range sortedKeys(e.Metadata.PolicyRoles) {
		if !slices.Contains(e.PolicyIDs, id) {
			c.fail("policy_roles", "metadata.policy_roles names %s, which is not in policy_ids", id)
		}
		if r := e.Metadata.PolicyRoles[id]; r != Plain && r != Pressed {
			c.fail("policy_roles", "metadata.policy_roles of %s is %q; it is plain or pressed", id, r)
		}
	}
}

// isVague reports whether a criterion, folded, is one word: "clarity". In
// scripts without spaces a word is told by its length.
func isVague(folded string) bool {
	return !strings.Contains(folded, " ") && utf8.RuneCountInString(folded) < 24 &&
		strings.IndexFunc(folded, func(r rune) bool {
			return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
		}) < 0
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (c *checker) messages(e *Example, p *Profile) {
	msgs := e.Input.Messages
	if len(msgs) == 0 {
		c.fail("messages", "input.messages is empty")
		return
	}
	for k, m := range msgs {
		switch m.Role {
		case RoleUser, RoleOperator, RoleAssistant, RoleSystem:
		default:
			c.fail("role", "input.messages[%d].role is %q; it is user, operator, assistant or system", k, m.Role)
		}
		if !blank(m.Content) {
			continue
		}
		corner := e.Metadata.Source == SourceCorner
		ticket := e.Metadata.Source == SourceTickets && (len(c.docs) == 0 || c.emptyTickets)
		if m.Role != RoleUser || !corner && !ticket {
			c.fail("empty_message", "input.messages[%d] is blank; only a customer's message may be, as corner or where the export has an empty one", k)
		}
	}
	if blank(string(e.Format)) {
		c.fail("format", "format is empty")
		return
	}
	if p == nil {
		return
	}
	f, ok := p.Format(e.Format)
	if !ok {
		c.fail("format", "format %q is none of the case %s", e.Format, e.Case)
		return
	}
	last := len(msgs) - 1
	if len(msgs) < f.MinTurn || f.MaxTurn > 0 && len(msgs) > f.MaxTurn {
		c.fail("messages", "%s has %d messages; it takes %s", e.Format, len(msgs), turns(f))
	}
	if f.First != "" && msgs[0].Role != f.First {
		c.fail("role", "the first message of %s is of %q, not %q", e.Format, f.First, msgs[0].Role)
	}
	if f.Last != "" && msgs[last].Role != f.Last {
		c.fail("role", "the last message of %s is of %q, not %q", e.Format, f.Last, msgs[last].Role)
	}
	for k, m := range msgs {
		if len(f.Roles) > 0 && !slices.Contains(f.Roles, m.Role) {
			c.fail("role", "input.messages[%d] is of %q; %s takes %s", k, m.Role, e.Format, strings.Join(f.Roles, ", "))
		}
	}
	at := e.Input.TargetMessageIndex
	switch f.Target {
	case TargetAbsent:
		if at != nil {
			c.fail("target_message_index", "%s has no target_message_index", e.Format)
		}
	case TargetOptional, TargetLast:
		if at == nil {
			if f.Target == TargetLast {
				c.fail("target_message_index", "%s needs target_message_index %d", e.Format, last)
			}
		} else if *at != last {
			c.fail("target_message_index", "target_message_index is %d; the last message is %d", *at, last)
		}
	}
}

func turns(f FormatProfile) string {
	switch {
	case f.MaxTurn == 0:
		return fmt.Sprintf("at least %d", f.MinTurn)
	case f.MaxTurn == f.MinTurn:
		return fmt.Sprintf("exactly %d", f.MinTurn)
	default:
		return fmt.Sprintf("%d to %d", f.MinTurn, f.MaxTurn)
	}
}

// Violations returns the breaks of the contract in the manifest of a run whose
// data files hold d; a nil d leaves out what compares the two.
func (m *Manifest) Violations(d *Dataset) []Violation {
	c := &checker{file: FileManifest, id: "manifest"}
	c.need("input_path", m.InputPath)
	c.need("out_path", m.OutPath)
	c.need("generator_version", m.GeneratorVersion)
	if c.need("timestamp", m.Timestamp) {
		if _, err := time.Parse(time.RFC3339, m.Timestamp); err != nil {
			c.fail("timestamp", "timestamp %q is not ISO 8601 with a zone", m.Timestamp)
		}
	}
	if c.need("llm.provider", m.LLM.Provider) && m.LLM.Provider != "none" {
		c.need("llm.model", m.LLM.Model)
	}
	if !slices.IsSorted(m.FrameworksUsed) || len(slices.Compact(slices.Clone(m.FrameworksUsed))) != len(m.FrameworksUsed) {
		c.fail("frameworks_used", "frameworks_used is not sorted, or holds a name twice")
	}
	if d == nil {
		return c.out
	}
	want := Counts{UseCases: len(d.UseCases), Policies: len(d.Policies), TestCases: len(d.TestCases), DatasetExamples: len(d.Examples)}
	if m.Counts != want {
		c.fail("counts", "counts are %+v, the files hold %+v", m.Counts, want)
	}
	used := map[string]bool{}
	for i := range d.TestCases {
		used[d.TestCases[i].Metadata.Generator] = true
	}
	for i := range d.Examples {
		used[d.Examples[i].Metadata.Generator] = true
	}
	for _, g := range sortedKeys(used) {
		if g != "" && !slices.Contains(m.FrameworksUsed, g) {
			c.fail("frameworks_used", "frameworks_used lacks %q, which made items", g)
		}
	}
	for _, g := range m.FrameworksUsed {
		if !used[g] {
			c.fail("frameworks_used", "frameworks_used names %q, which made nothing", g)
		}
	}
	return c.out
}
