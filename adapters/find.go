package adapters

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/casebook-go/casebook/model"
)

// Finder finds texts again in documents whose layout a framework has changed.
// White space, case, Markdown marks, escapes and the tags of hops do not count:
// what is compared are words, and at least nine in ten of the text's must stand
// in the document, in their order and close together. A Finder is immutable and
// safe for concurrent use.
type Finder struct {
	docs []*indexed
}

type indexed struct {
	doc    *model.Document
	words  []word
	at     map[string][]int32 // positions of a word, ascending
	starts []int              // byte of the start of each line
	ends   []int              // byte of its end
}

type word struct {
	text       string
	start, end int // bytes
}

// NewFinder reads the documents once for any number of searches.
func NewFinder(docs []*model.Document) *Finder {
	f := &Finder{}
	for _, d := range docs {
		if d == nil {
			continue
		}
		x := &indexed{doc: d, words: words(string(d.Bytes())), at: map[string][]int32{}}
		for i, w := range x.words {
			x.at[w.text] = append(x.at[w.text], int32(i))
		}
		x.cutLines()
		f.docs = append(f.docs, x)
	}
	return f
}

// cutLines notes where the lines of the document begin and end, as its parser
// counts them.
func (x *indexed) cutLines() {
	raw := x.doc.Bytes()
	at := 0
	if bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for at <= len(raw) {
		end, next := len(raw), len(raw)+1
		if n := bytes.IndexAny(raw[at:], "\r\n"); n >= 0 {
			end, next = at+n, at+n+1
			if raw[end] == '\r' && next < len(raw) && raw[next] == '\n' {
				next++
			}
		}
		x.starts, x.ends = append(x.starts, at), append(x.ends, end)
		at = next
	}
}

// Find is [Finder.Find] for a single search.
func Find(docs []*model.Document, text string) ([]model.Span, bool) {
	return NewFinder(docs).Find(text)
}

// Find returns where a text stands in the documents: one span, or for a text
// that several contexts were joined to with "|" one for each. The whole text is
// looked for first, since contexts hold tables. Where it stands several times,
// the first place counts. It reports false if the text, or one of the parts, is
// not found.
func (f *Finder) Find(text string) ([]model.Span, bool) {
	if s, ok := f.find(text); ok {
		return []model.Span{s}, true
	}
	if strings.Contains(text, `\n`) { // a text that was never unquoted
		if s, ok := f.find(strings.NewReplacer(`\n`, "\n", `\t`, "\t", `\r`, "\r").Replace(text)); ok {
			return []model.Span{s}, true
		}
	}
	if !strings.Contains(text, "|") {
		return nil, false
	}
	return f.parts(strings.Split(text, "|"))
}

// parts finds the contexts of a joined text. A context may hold "|" itself, so
// each takes as many of the pieces as can be found together.
func (f *Finder) parts(pieces []string) ([]model.Span, bool) {
	const most = 64 // pieces of one context
	var out []model.Span
	for i := 0; i < len(pieces); {
		if len(words(pieces[i])) == 0 {
			i++
			continue
		}
		n := min(len(pieces)-i, most)
		for ; n > 0; n-- {
			if s, ok := f.find(strings.Join(pieces[i:i+n], "|")); ok {
				out = append(out, s)
				break
			}
		}
		if n == 0 {
			return nil, false
		}
		i += n
	}
	return out, len(out) > 0
}

func (f *Finder) find(text string) (model.Span, bool) {
	want := words(untag(text))
	if len(want) == 0 {
		return model.Span{}, false
	}
	for _, x := range f.docs {
		if from, ok := x.exact(want); ok {
			return x.span(from, from+len(want)-1), true
		}
	}
	best, bestOf := alignment{}, (*indexed)(nil)
	for _, x := range f.docs {
		if a, ok := x.align(want); ok && a.matched > best.matched {
			best, bestOf = a, x
		}
	}
	if bestOf == nil {
		return model.Span{}, false
	}
	return bestOf.span(best.first, best.last), true
}

// untag takes off the tag of a hop.
func untag(s string) string {
	t := strings.TrimSpace(s)
	if !strings.HasPrefix(t, "<") {
		return s
	}
	n, rest, ok := strings.Cut(t[1:], "-hop>")
	if !ok || n == "" || strings.Trim(n, "0123456789") != "" {
		return s
	}
	return rest
}

// words splits a text into words, lower-cased and composed. Scripts that put no
// spaces between words are split into letters.
func words(s string) []word {
	var out []word
	start := -1
	flush := func(end int) {
		if start >= 0 {
			out = append(out, word{fold(s[start:end]), start, end})
			start = -1
		}
	}
	for i, r := range s {
		switch {
		case unspaced(r):
			flush(i)
			out = append(out, word{string(r), i, i + utf8.RuneLen(r)})
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if start < 0 {
				start = i
			}
		case unicode.IsMark(r) && start >= 0:
		default:
			flush(i)
		}
	}
	flush(len(s))
	return out
}

func fold(w string) string { return norm.NFC.String(strings.ToLower(w)) }

func unspaced(r rune) bool {
	return r >= 0x0e00 && unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar)
}

// exact returns the first position at which all words stand side by side.
func (x *indexed) exact(want []word) (int, bool) {
	rare := 0
	for i := range want {
		ps := x.at[want[i].text]
		if len(ps) == 0 {
			return 0, false
		}
		if len(ps) < len(x.at[want[rare].text]) {
			rare = i
		}
	}
	for _, p := range x.at[want[rare].text] {
		from := int(p) - rare
		if from < 0 || from+len(want) > len(x.words) {
			continue
		}
		same := true
		for i := range want {
			if x.words[from+i].text != want[i].text {
				same = false
				break
			}
		}
		if same && (len(want) >= few || x.wholeLines(from, from+len(want)-1)) {
			return from, true
		}
	}
	return 0, false
}

// few words say nothing about where they come from, unless they are all that a
// line has.
const few = 3

func (x *indexed) wholeLines(first, last int) bool {
	return (first == 0 || x.words[first-1].end <= x.starts[x.line(x.words[first].start)]) &&
		(last == len(x.words)-1 || x.words[last+1].start >= x.ends[x.line(x.words[last].start)])
}

type alignment struct {
	matched     int
	first, last int // words of the document
}

// align finds the place where most of the words stand in their order, if those
// are nine in ten.
func (x *indexed) align(want []word) (alignment, bool) {
	n := len(want)
	if n < few {
		return alignment{}, false
	}
	need := (n*9 + 9) / 10
	band := max(2, n/8)
	best := alignment{}
	for _, shift := range x.shifts(want, band) {
		if a := x.chain(want, shift, band); a.matched > best.matched && a.last-a.first < n+band {
			best = a
		}
	}
	return best, best.matched >= need
}

// shifts returns by how much the document is ahead of the text where most of
// the text's rarer words are, the likeliest first.
func (x *indexed) shifts(want []word, band int) []int {
	const common, most = 64, 4
	votes := map[int]int{}
	for i := range want {
		ps := x.at[want[i].text]
		if len(ps) > common && len(want) > 20 {
			continue
		}
		for _, p := range ps {
			votes[floorDiv(int(p)-i, band)]++
		}
	}
	type bucket struct{ at, votes int }
	buckets := make([]bucket, 0, len(votes))
	for b, v := range votes {
		buckets = append(buckets, bucket{b, v + votes[b+1]})
	}
	slices.SortFunc(buckets, func(a, b bucket) int {
		return cmp.Or(cmp.Compare(b.votes, a.votes), cmp.Compare(a.at, b.at))
	})
	var out []int
	for _, b := range buckets[:min(len(buckets), most)] {
		out = append(out, (b.at+1)*band)
	}
	return out
}

func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// chain returns the longest common subsequence of the text and the document
// near a shift, by the longest increasing run of positions.
func (x *indexed) chain(want []word, shift, band int) alignment {
	type link struct{ at, before int } // position in the document, index of the link before it
	var links []link
	var tails []int // for each length, the link that ends such a run earliest
	for i := range want {
		ps := x.at[want[i].text]
		low := sort.Search(len(ps), func(k int) bool { return int(ps[k]) >= i+shift-2*band })
		high := sort.Search(len(ps), func(k int) bool { return int(ps[k]) > i+shift+2*band })
		for k := high - 1; k >= low; k-- { // descending, so that a word counts once
			at := int(ps[k])
			n := sort.Search(len(tails), func(t int) bool { return links[tails[t]].at >= at })
			l := link{at: at, before: -1}
			if n > 0 {
				l.before = tails[n-1]
			}
			links = append(links, l)
			if n == len(tails) {
				tails = append(tails, len(links)-1)
			} else {
				tails[n] = len(links) - 1
			}
		}
	}
	if len(tails) == 0 {
		return alignment{}
	}
	a := alignment{matched: len(tails), last: links[tails[len(tails)-1]].at}
	for k := tails[len(tails)-1]; k >= 0; k = links[k].before {
		a.first = links[k].at
	}
	return a
}

// span returns the bytes of the words first..last with the marks around them:
// what stands between them and the ends of their lines, if that is no word.
func (x *indexed) span(first, last int) model.Span {
	start, end := x.words[first].start, x.words[last].end
	startLine, endLine := x.line(start), x.line(end-1)
	if first == 0 || x.words[first-1].end <= x.starts[startLine] {
		start = x.starts[startLine]
	}
	raw := x.doc.Bytes()
	if last == len(x.words)-1 || x.words[last+1].start >= x.ends[endLine] {
		end = x.ends[endLine]
	} else { // the sentence's end and closing marks belong to it
		n := bytes.IndexFunc(raw[end:x.words[last+1].start], func(r rune) bool {
			return unicode.IsSpace(r) || strings.ContainsRune(",;:|", r)
		})
		if n < 0 {
			n = 0
		}
		end += n
	}
	start += len(raw[start:end]) - len(bytes.TrimLeft(raw[start:end], " \t\r\n"))
	end -= len(raw[start:end]) - len(bytes.TrimRight(raw[start:end], " \t\r\n"))
	return model.Span{Doc: x.doc.Name, StartByte: start, EndByte: end, StartLine: startLine + 1, EndLine: endLine + 1}
}

// line returns the index of the line that a byte is on.
func (x *indexed) line(at int) int {
	return max(sort.Search(len(x.starts), func(k int) bool { return x.starts[k] > at })-1, 0)
}
