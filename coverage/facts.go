package coverage

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/internal/lang"
)

// FactKind is the kind of a [Fact].
type FactKind string

// The kinds of fact.
const (
	FactNumber  FactKind = "number"
	FactPercent FactKind = "percent"
	FactAmount  FactKind = "amount" // of money
	FactDate    FactKind = "date"
	FactTime    FactKind = "time"
	FactPhone   FactKind = "phone" // masked ones too
	FactEmail   FactKind = "email"
	FactLink    FactKind = "link" // and @handles
	FactID      FactKind = "id"   // "#1042", a code of letters and digits
)

// Fact is something in a text that can be wrong: a number, a date, a contact.
// Norm is equal for two facts of a kind that say the same: digits without
// separators, a date as [YYYY-]MM-DD, a time as HH:MM, a phone as its digits
// with X for each masked one.
type Fact struct {
	Kind FactKind
	Text string // as written
	Norm string
}

// Facts returns the facts of a text in the order they stand. It needs no
// language data but the names of months; number words are no facts, nor are
// the numbers of a numbered list.
func Facts(text string) []Fact {
	var facts []Fact
	for _, f := range findFacts(text) {
		facts = append(facts, f.Fact)
	}
	return facts
}

// located is a fact with its place in the text.
type located struct {
	Fact
	start, end int
	marked     bool     // an id with # or №
	nums       []string // the numbers it is made of
}

const amountNumber = `\d{1,3}(?:[ \x{00a0}\x{202f}.,']\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d+)?`

// topLevel are the endings that make a word with points a link even without
// a scheme; words of a language are left out.
const topLevel = `com|org|net|info|biz|shop|app|dev|gov|edu|ru|рф|su|uk|de|fr|es|pl|ua|by|kz|ge|am|eu|nl|ch|cz|fi|se|dk|br|cn|jp|kr|tr|il|ca|au|io|ai|online|store|site`

// patterns are tried in this order; what one has claimed is closed to the rest.
var patterns = []struct {
	kind  FactKind
	needs string // one of these characters
	re    *regexp.Regexp
	read  func(f *located, m []string) bool
}{
	{FactEmail, "@", regexp.MustCompile(`[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+`), readFolded},
	{FactLink, "/.", regexp.MustCompile(`(?i)(?:https?://|www\.)[^\s<>"'«»“”]+`), readLink},
	{FactLink, ".", regexp.MustCompile(`(?i)[\p{L}\d][\p{L}\d-]*(?:\.[\p{L}\d-]+)*\.(?:` + topLevel + `)(?:/[^\s<>"'«»“”]*)?`), readLink},
	{FactLink, "@", regexp.MustCompile(`@[A-Za-z0-9_]{3,}`), readFolded},
	{FactDate, "-", regexp.MustCompile(`(\d{4})-(\d{1,2})-(\d{1,2})`), func(f *located, m []string) bool { return readDate(f, m[1], m[2], m[3]) }},
	{FactDate, ".", regexp.MustCompile(`(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})`), func(f *located, m []string) bool { return readDate(f, m[3], m[2], m[1]) }},
	{FactDate, "/", regexp.MustCompile(`(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})`), readSlashed},
	{FactDate, ".", regexp.MustCompile(`(\d{2})\.(\d{2})`), func(f *located, m []string) bool { return readDate(f, "", m[2], m[1]) }},
	{FactDate, "", regexp.MustCompile(`(?i)(\d{1,2})(?:st|nd|rd|th|-?го|-?е)?\s+(?:of\s+)?(\p{L}{3,})\.?(?:,?\s+(\d{4}))?`), func(f *located, m []string) bool { return readNamed(f, m[3], m[2], m[1]) }},
	{FactDate, "", regexp.MustCompile(`(?i)(\p{L}{3,})\.?\s+(\d{1,2})(?:st|nd|rd|th)?(?:,?\s+(\d{4}))?`), func(f *located, m []string) bool { return readNamed(f, m[3], m[1], m[2]) }},
	{FactTime, ":", regexp.MustCompile(`(?i)(\d{1,2}):(\d{2})(?::\d{2})?(?:\s?([ap])\.?m\.?)?`), func(f *located, m []string) bool { return readTime(f, m[1], m[2], m[3]) }},
	{FactTime, "", regexp.MustCompile(`(?i)(\d{1,2})\s?([ap])\.?m\.?`), func(f *located, m []string) bool { return readTime(f, m[1], "00", m[2]) }},
	{FactPhone, "", regexp.MustCompile(`\+?\s?\(?\d{1,4}\)?(?:[\s\x{00a0}.–-]{0,2}\(?[\dXxХх*]{2,7}\)?){1,5}`), readPhone},
	{FactPercent, "%", regexp.MustCompile(`(` + amountNumber + `)\s?%`), func(f *located, m []string) bool { return readNumber(f, m[1], "%") }},
	{FactAmount, "$€£₽₴¥₸₺₾", regexp.MustCompile(`([$€£₽₴¥₸₺₾])\s?(` + amountNumber + `)`), func(f *located, m []string) bool { return readNumber(f, m[2], " "+currency(m[1])) }},
	{FactAmount, "", regexp.MustCompile(`(?i)(` + amountNumber + `)\s?([$€£₽₴¥₸₺₾]|рубл\p{L}*|руб|usd|eur|rub|gbp|dollars?|euros?|доллар\p{L}*|евро|грн|тенге)`), func(f *located, m []string) bool { return readNumber(f, m[1], " "+currency(m[2])) }},
	{FactID, "#№", regexp.MustCompile(`[#№]\s?([\p{L}\d][\p{L}\d-]*)`), readMarked},
	{FactID, "", regexp.MustCompile(`[\p{L}\d]+(?:-[\p{L}\d]+)*`), readCode},
	{FactNumber, "", regexp.MustCompile(amountNumber), func(f *located, m []string) bool { return readNumber(f, m[0], "") }},
}

var listMarker = regexp.MustCompile(`(?m)^[ \t]*(\d{1,2})[.)][ \t]`)

// findFacts finds the facts of a text, by place.
func findFacts(text string) []located {
	if strings.IndexFunc(text, func(r rune) bool { return unicode.IsDigit(r) || r == '@' || r == '.' }) < 0 {
		return nil
	}
	text = asciiDigits(text)
	taken := make([]bool, len(text))
	for _, m := range listMarker.FindAllStringSubmatchIndex(text, -1) {
		claim(taken, m[2], m[3])
	}
	var found []located
	for _, w := range hotWindows(text) {
		found = append(found, findIn(text, w[0], w[1], taken)...)
	}
	slices.SortStableFunc(found, func(a, b located) int { return a.start - b.start })
	return found
}

func claim(taken []bool, start, end int) {
	for i := start; i < end; i++ {
		taken[i] = true
	}
}

// hotWindows returns the ranges of a text where a fact can stand: the words
// with a digit, an @ or an inner point, and three words on either side.
func hotWindows(text string) [][2]int {
	const around = 3
	var words [][2]int
	var hot []bool
	for start, i := -1, 0; i <= len(text); i++ {
		if i < len(text) && text[i] > ' ' {
			if start < 0 {
				start = i
			}
			continue
		}
		if start >= 0 {
			w := text[start:i]
			words = append(words, [2]int{start, i})
			hot = append(hot, strings.ContainsAny(w, "0123456789@/") || strings.Contains(strings.TrimRight(w, ".!?…»\")"), "."))
			start = -1
		}
	}
	var windows [][2]int
	for i, h := range hot {
		if !h {
			continue
		}
		from, to := words[max(0, i-around)][0], words[min(len(words)-1, i+around)][1]
		if n := len(windows); n > 0 && from <= windows[n-1][1] {
			windows[n-1][1] = to
			continue
		}
		windows = append(windows, [2]int{from, to})
	}
	return windows
}

// findIn finds the facts of text[from:to] that touch nothing taken, and takes them.
func findIn(text string, from, to int, taken []bool) []located {
	var found []located
	window := text[from:to]
	for _, p := range patterns {
		if p.needs != "" && !strings.ContainsAny(window, p.needs) {
			continue
		}
		for at := from; at < to; {
			m := p.re.FindStringSubmatchIndex(text[at:to])
			if m == nil {
				break
			}
			start, end := at+m[0], at+m[1]
			f := located{Fact: Fact{Kind: p.kind, Text: text[start:end]}, start: start, end: end}
			groups := make([]string, len(m)/2)
			for k := range groups {
				if m[2*k] >= 0 {
					groups[k] = text[at+m[2*k] : at+m[2*k+1]]
				}
			}
			free := !slices.Contains(taken[start:end], true)
			if free && bounded(text, start, end, p.kind) && p.read(&f, groups) {
				f.end = f.start + len(f.Text)
				claim(taken, f.start, f.end)
				found = append(found, f)
				at = f.end
				continue
			}
			// Try again after the first rune, or after the number it began in.
			next := start
			for next < end {
				r, n := utf8.DecodeRuneInString(text[next:])
				next += n
				if nr, _ := utf8.DecodeRuneInString(text[next:]); !(unicode.IsDigit(r) && unicode.IsDigit(nr)) && !(unicode.IsLetter(r) && unicode.IsLetter(nr)) {
					break
				}
			}
			const long = 64 // nothing that long is a fact cut wrong
			if at = max(next, start+1); end-start > long {
				at = end
			}
		}
	}
	return found
}

// asciiDigits writes the decimal digits of every script as ASCII ones.
func asciiDigits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 || !unicode.Is(unicode.Nd, r) {
			return r
		}
		zero := r
		for k := 0; k < 9 && unicode.Is(unicode.Nd, zero-1); k++ {
			zero--
		}
		// Blocks of digits are ten long and begin at a multiple of 16 or at 6 mod 16.
		for r-zero > 9 {
			zero += 10
		}
		return '0' + (r - zero)
	}, text)
}

// bounded reports whether a match does not cut a number or a word in two. A
// number may touch letters ("24h").
func bounded(text string, start, end int, kind FactKind) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:start])
	after, _ := utf8.DecodeRuneInString(text[end:])
	if unicode.IsDigit(before) || unicode.IsDigit(after) {
		return false
	}
	switch kind {
	case FactEmail, FactLink, FactID:
		return !unicode.IsLetter(before) && !unicode.IsLetter(after)
	case FactTime, FactDate:
		return !unicode.IsLetter(after)
	case FactAmount:
		last, _ := utf8.DecodeLastRuneInString(text[start:end])
		return !(unicode.IsLetter(last) && unicode.IsLetter(after))
	}
	return true
}

// trim shortens a fact's text to what counts.
func (f *located) trim(cut string) { f.Text = strings.TrimRight(f.Text, cut) }

func readFolded(f *located, _ []string) bool {
	f.trim(".-")
	f.Norm = strings.ToLower(f.Text)
	return true
}

func readLink(f *located, _ []string) bool {
	f.trim(`.,;:!?)…]}*_`)
	n := strings.ToLower(f.Text)
	n = strings.TrimPrefix(strings.TrimPrefix(n, "https://"), "http://")
	f.Norm = strings.TrimRight(strings.TrimPrefix(n, "www."), "/")
	return f.Norm != ""
}

func readDate(f *located, year, month, day string) bool {
	m, _ := strconv.Atoi(month)
	d, _ := strconv.Atoi(day)
	if m < 1 || m > 12 || d < 1 || d > 31 {
		return false
	}
	f.Norm = fmt.Sprintf("%02d-%02d", m, d)
	f.nums = []string{strconv.Itoa(d)}
	switch len(year) {
	case 2:
		year = "20" + year
		fallthrough
	case 4:
		f.Norm = year + "-" + f.Norm
		f.nums = append(f.nums, year)
	}
	return true
}

// readSlashed reads 3/15/2026 and 15/3/2026; when both readings hold it takes
// the day first, so that two writings of one date compare equal.
func readSlashed(f *located, m []string) bool {
	if a, _ := strconv.Atoi(m[1]); a <= 12 {
		if b, _ := strconv.Atoi(m[2]); b > 12 {
			return readDate(f, m[3], m[1], m[2])
		}
	}
	return readDate(f, m[3], m[2], m[1])
}

func readNamed(f *located, year, month, day string) bool {
	folded := lang.Tokens(month)
	if len(folded) != 1 {
		return false
	}
	m, ok := lang.Month(folded[0].Text)
	return ok && readDate(f, year, strconv.Itoa(m), day)
}

func readTime(f *located, hour, minute, half string) bool {
	h, _ := strconv.Atoi(hour)
	m, _ := strconv.Atoi(minute)
	f.nums = []string{strconv.Itoa(h)}
	if half != "" {
		if h < 1 || h > 12 {
			return false
		}
		h %= 12
		if half == "p" || half == "P" {
			h += 12
		}
	}
	if h > 24 || m > 59 {
		return false
	}
	f.Norm = fmt.Sprintf("%02d:%02d", h, m)
	if m != 0 {
		f.nums = append(f.nums, strconv.Itoa(m))
	}
	return true
}

func readPhone(f *located, _ []string) bool {
	f.Text = strings.TrimRight(f.Text, " \u00a0.-–(")
	var norm strings.Builder
	var groups []int
	var seps string
	n, masks := 0, 0
	group := 0
	for _, r := range f.Text {
		switch {
		case unicode.IsDigit(r):
			norm.WriteRune(r)
			n++
			group++
		case strings.ContainsRune("XxХх*", r):
			norm.WriteByte('X')
			masks++
			group++
		default:
			if group > 0 {
				groups = append(groups, group)
			}
			group = 0
			seps += string(r)
		}
	}
	if group > 0 {
		groups = append(groups, group)
	}
	f.Norm = norm.String()
	plus := strings.Contains(seps, "+")
	hyphens := strings.Count(seps, "-") + strings.Count(seps, "–")
	switch {
	case n+masks > 15:
		return false
	case masks > 0:
		return masks >= 2 && n >= 1 && n+masks >= 5
	case plus && n >= 7:
	case strings.Contains(seps, "(") && n >= 7:
	case hyphens >= 2 && n >= 7 && hyphens >= len(groups)-2:
	case n == 11 && strings.ContainsAny(f.Norm[:1], "78") && len(groups) != 1 && !thousands(groups, seps):
	case n == 11 && len(groups) == 1 && (strings.HasPrefix(f.Norm, "79") || strings.HasPrefix(f.Norm, "89") || strings.HasPrefix(f.Norm, "8800")):
	case f.Norm[0] == '0' && n >= 9:
	case n == 10 && slices.Equal(groups, []int{3, 3, 4}):
	default:
		return false
	}
	if n == 11 && f.Norm[0] == '8' {
		f.Norm = "7" + f.Norm[1:] // 8 is the trunk prefix of +7
	}
	return true
}

// thousands reports whether groups are those of one big number.
func thousands(groups []int, seps string) bool {
	for _, g := range groups[1:] {
		if g != 3 {
			return false
		}
	}
	return !strings.ContainsAny(seps, "-–(")
}

func readNumber(f *located, number, suffix string) bool {
	n := normNumber(number)
	f.Norm, f.nums = n+suffix, []string{n}
	return true
}

var grouped = regexp.MustCompile(`^\d{1,3}(?:[ \x{00a0}\x{202f}.,']\d{3})+(?:[.,]\d{1,2})?$`)

// normNumber writes a number without separators, with a point before the
// fraction and no zeros that say nothing.
func normNumber(s string) string {
	whole, frac := s, ""
	if grouped.MatchString(s) {
		if i := strings.LastIndexAny(s, ".,"); i >= 0 && len(s)-i-1 < 3 {
			whole, frac = s[:i], s[i+1:]
		}
		whole = strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return r
			}
			return -1
		}, whole)
	} else if i := strings.IndexAny(s, ".,"); i >= 0 {
		whole, frac = s[:i], s[i+1:]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if frac = strings.TrimRight(frac, "0"); frac != "" {
		return whole + "." + frac
	}
	return whole
}

// currency returns one name for the ways to write a currency.
func currency(s string) string {
	s = strings.ToLower(s)
	for _, c := range []struct{ name, starts string }{
		{"usd", "$ usd dollar доллар"}, {"eur", "€ eur евро"}, {"rub", "₽ руб rub"}, {"gbp", "£ gbp"}, {"uah", "₴ грн"}, {"kzt", "₸ тенге"},
	} {
		for _, p := range strings.Fields(c.starts) {
			if strings.HasPrefix(s, p) {
				return c.name
			}
		}
	}
	return s
}

func readMarked(f *located, m []string) bool {
	f.marked = true
	f.Norm = strings.ReplaceAll(strings.ToUpper(m[1]), "-", "")
	if digits(f.Norm) == 0 {
		return false
	}
	if allDigits(f.Norm) {
		f.nums = []string{normNumber(f.Norm)}
	}
	return true
}

func allDigits(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsDigit(r) }) < 0
}

// readCode takes a word of letters and digits for a code when it begins with
// capitals or goes back from digits to letters and digits: "A-1042", "12ab34".
// "24h", "14-day" and "2nd" are numbers with a unit or an ending.
func readCode(f *located, m []string) bool {
	w := m[0]
	first := strings.IndexFunc(w, unicode.IsDigit)
	if first < 0 {
		return false
	}
	letters := strings.IndexFunc(w, unicode.IsLetter)
	if letters < 0 {
		return false
	}
	if letters < first {
		head := strings.TrimRight(w[:first], "-")
		if strings.ToUpper(head) != head && strings.Contains(w[:first], "-") {
			return false
		}
		if strings.ToUpper(head) != head && utf8.RuneCountInString(head) > 1 && digits(w) < 3 {
			return false
		}
	} else if tail := w[letters:]; digits(tail) == 0 {
		return false
	}
	f.Norm = strings.ReplaceAll(strings.ToUpper(w), "-", "")
	for _, run := range strings.FieldsFunc(w, func(r rune) bool { return !unicode.IsDigit(r) }) {
		if len(run) >= 3 { // a code is also called by its number
			f.nums = append(f.nums, normNumber(run))
		}
	}
	return true
}
