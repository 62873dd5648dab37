package model

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// defaultSlug is the length of a slug in bytes when none is asked for.
const defaultSlug = 48

// Slug returns text as an id part: ASCII letters, digits and underscores, in
// lower case, at most limit bytes (0 means 48) and cut between words. Cyrillic is
// transliterated and diacritics are dropped; letters of other scripts become a
// short hash of the whole text. It is never empty and a function of its
// arguments alone.
func Slug(text string, limit int) string {
	if limit <= 0 {
		limit = defaultSlug
	}
	text = strings.ToLower(norm.NFKC.String(text))
	var words []string
	var word strings.Builder
	foreign := false
	flush := func() {
		if word.Len() > 0 {
			words = append(words, word.String())
			word.Reset()
		}
	}
	for _, c := range text {
		if s, ok := latin(c); ok {
			word.WriteString(s)
			continue
		}
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			foreign = true
		}
		flush()
	}
	flush()
	hash := ""
	if foreign || len(words) == 0 {
		h := fnv.New32a()
		_, _ = h.Write([]byte(text)) // never fails
		hash = fmt.Sprintf("%08x", h.Sum32())
		if len(words) > 0 {
			limit -= len(hash) + 1
		}
	}
	var b strings.Builder
	for i, w := range words {
		n := len(w)
		if i > 0 {
			n++
		}
		if b.Len()+n > limit {
			if i == 0 && limit > 0 {
				b.WriteString(w[:limit])
			}
			break
		}
		if i > 0 {
			b.WriteByte('_')
		}
		b.WriteString(w)
	}
	if hash != "" {
		if b.Len() > 0 {
			b.WriteByte('_')
		}
		b.WriteString(hash)
	}
	return b.String()
}

// latin returns a letter, digit or mark as ASCII; marks and the apostrophes
// inside words become nothing.
func latin(c rune) (string, bool) {
	switch {
	case c >= 'a' && c <= 'z' || c >= '0' && c <= '9':
		return string(c), true
	case unicode.Is(unicode.Mn, c), c == '\'', c == '’', c == 'ʼ':
		return "", true
	}
	if s, ok := transliterated[c]; ok {
		return s, true
	}
	if c < 0x80 {
		return "", false
	}
	var b strings.Builder
	for _, p := range norm.NFKD.String(string(c)) {
		switch {
		case p >= 'a' && p <= 'z' || p >= '0' && p <= '9':
			b.WriteRune(p)
		case unicode.Is(unicode.Mn, p):
		default:
			s, ok := transliterated[p]
			if !ok {
				return "", false
			}
			b.WriteString(s)
		}
	}
	return b.String(), b.Len() > 0
}

var transliterated = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "e", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y",
	'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f",
	'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "y", 'ь': "", 'э': "e", 'ю': "yu", 'я': "ya",
	// Ukrainian, Belarusian, Serbian, Macedonian, Kazakh
	'і': "i", 'ї': "yi", 'є': "ye", 'ґ': "g", 'ў': "u", 'ђ': "dj", 'ј': "j", 'љ': "lj", 'њ': "nj", 'ћ': "c", 'џ': "dz",
	'ѓ': "gj", 'ќ': "kj", 'ѕ': "dz", 'ә': "a", 'ғ': "gh", 'қ': "q", 'ң': "ng", 'ө': "o", 'ұ': "u", 'ү': "u", 'һ': "h",
	// Latin letters that do not decompose
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i", 'ə': "e", 'ħ': "h",
}

// IDs hands out unique ids. The zero value is ready. It is not safe for
// concurrent use.
type IDs struct {
	seen map[string]int // id -> highest suffix tried after it
}

// Make returns prefix + [Slug] of text, with "_2", "_3", ... appended when the
// id was handed out or reserved before: the same calls in the same order give
// the same ids.
func (s *IDs) Make(prefix, text string) string {
	base := prefix + Slug(text, 0)
	id := base
	for n := max(s.seen[base], 1) + 1; ; n++ {
		if _, taken := s.seen[id]; !taken {
			break
		}
		s.seen[base] = n
		id = base + "_" + strconv.Itoa(n)
	}
	s.Reserve(id)
	return id
}

// Reserve marks ids as taken.
func (s *IDs) Reserve(ids ...string) {
	if s.seen == nil {
		s.seen = map[string]int{}
	}
	for _, id := range ids {
		if _, ok := s.seen[id]; !ok {
			s.seen[id] = 1
		}
	}
}
