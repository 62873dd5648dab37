package coverage

import (
	"slices"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// sources are the questions and answers of documents, by the runs of words that
// a paraphrase must not share with them.
type sources struct {
	texts []string
	runs  map[uint64][]int32 // sources that have a run, in order
	docs  map[string]*sourceLines
}

// sourceLines says where the sources of one document stand.
type sourceLines struct {
	at  map[int][]int32 // entries by line, in order
	qas [][2]int32      // question and answer of each entry
}

func newSources(docs []*model.Document) *sources {
	s := &sources{runs: map[uint64][]int32{}, docs: map[string]*sourceLines{}}
	known := map[string]int32{} // documents repeat themselves
	add := func(text string) int32 {
		if n, ok := known[text]; ok {
			return n
		}
		n := int32(len(s.texts))
		known[text] = n
		s.texts = append(s.texts, text)
		for _, h := range runsOf(text) {
			if list := s.runs[h]; len(list) == 0 || list[len(list)-1] != n {
				s.runs[h] = append(list, n)
			}
		}
		return n
	}
	for _, d := range docs {
		if d == nil {
			continue
		}
		lines := s.docs[d.Name]
		if lines == nil {
			lines = &sourceLines{at: map[int][]int32{}}
			s.docs[d.Name] = lines
		}
		for i := range d.QAs {
			qa := &d.QAs[i]
			n := int32(len(lines.qas))
			lines.qas = append(lines.qas, [2]int32{add(qa.Question), add(qa.Answer)})
			for k := qa.LineStart; k <= qa.LineEnd; k++ {
				lines.at[k] = append(lines.at[k], n)
			}
		}
	}
	return s
}

// runsOf returns hashes of the runs of ParaphraseRun words of a text, in order.
func runsOf(text string) []uint64 {
	toks := lang.Tokens(text)
	if len(toks) < ParaphraseRun {
		return nil
	}
	out := make([]uint64, 0, len(toks)-ParaphraseRun+1)
	for i := 0; i+ParaphraseRun <= len(toks); i++ {
		h := uint64(14695981039346656037)
		for _, t := range toks[i : i+ParaphraseRun] {
			for k := range len(t.Text) {
				h = (h ^ uint64(t.Text[k])) * 1099511628211
			}
			h = (h ^ ' ') * 1099511628211
		}
		out = append(out, h)
	}
	return out
}

// cited returns the sources on the lines of the evidence, those of one document
// in its order.
func (s *sources) cited(docs []*model.Document, evidence ...[]model.Evidence) []int32 {
	var out []int32
	for _, d := range docs {
		if d == nil || s.docs[d.Name] == nil {
			continue
		}
		lines := s.docs[d.Name]
		var entries []int32
		for _, es := range evidence {
			for _, e := range es {
				if e.InputFile != d.Name {
					continue
				}
				for k := max(e.LineStart, 1); k <= min(e.LineEnd, d.NumLines()); k++ {
					entries = append(entries, lines.at[k]...)
				}
			}
		}
		slices.Sort(entries)
		for _, n := range slices.Compact(entries) {
			out = append(out, lines.qas[n][0], lines.qas[n][1])
		}
	}
	return out
}

// copied returns the run of words that a text shares with the first of the
// sources that it shares one with; none of them means with any source.
func (s *sources) copied(text string, among []int32) (string, bool) {
	runs := runsOf(text)
	first := func(from int32) int32 { // the first source at or after from
		best := int32(-1)
		for _, h := range runs {
			list := s.runs[h]
			k, _ := slices.BinarySearch(list, from)
			if k < len(list) && (best < 0 || list[k] < best) {
				best = list[k]
			}
		}
		return best
	}
	if len(among) == 0 {
		for n := first(0); n >= 0; n = first(n + 1) {
			if run, ok := SharedRun(text, s.texts[n], ParaphraseRun); ok {
				return run, true
			}
		}
		return "", false
	}
	for _, n := range among {
		for _, h := range runs {
			if _, has := slices.BinarySearch(s.runs[h], n); has {
				if run, ok := SharedRun(text, s.texts[n], ParaphraseRun); ok {
					return run, true
				}
			}
		}
	}
	return "", false
}

// copies returns the run of words that an input shares with what the use case
// rests on; with any question or answer of the documents when it rests on none.
func (c *Candidate) copies(text string) (string, bool) {
	evidence := [][]model.Evidence{c.UseCase.Evidence}
	for i := range c.Policies {
		evidence = append(evidence, c.Policies[i].Evidence)
	}
	s := c.ground().sources
	if run, ok := s.copied(text, s.cited(c.Documents, evidence...)); ok {
		return run, true
	}
	for _, e := range c.UseCase.Evidence {
		if run, ok := SharedRun(text, e.Quote, ParaphraseRun); ok {
			return run, true
		}
	}
	return "", false
}
