package model

import (
	"strings"
	"unicode"
)

// frontMatter returns the number of lines of YAML or TOML front matter.
func frontMatter(lines []string) int {
	if len(lines) < 2 {
		return 0
	}
	fence := strings.TrimRight(lines[0], " \t")
	if fence != "---" && fence != "+++" {
		return 0
	}
	keys := 0
	for i := 1; i < len(lines) && i < 1000; i++ {
		l := strings.TrimRight(lines[i], " \t")
		switch {
		case l == fence || fence == "---" && l == "...":
			if keys == 0 {
				return 0
			}
			return i + 1
		case l == "" || l[0] == ' ' || l[0] == '\t' || l[0] == '#':
		case keys > 0 && strings.HasPrefix(l, "- ") && fence == "---":
		case isKey(l, fence):
			keys++
		default:
			return 0
		}
	}
	return 0
}

// isKey reports whether a line is "key: value" (or "key = value" in TOML).
func isKey(l, fence string) bool {
	sep := ":"
	if fence == "+++" {
		if l[0] == '[' {
			return true
		}
		sep = "="
	}
	key, value, ok := strings.Cut(l, sep)
	if !ok || sep == ":" && value != "" && value[0] != ' ' {
		return false
	}
	key = strings.Trim(strings.TrimSpace(key), `"'`)
	return key != "" && strings.IndexFunc(key, func(c rune) bool {
		return !(unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_' || c == '-' || c == '.')
	}) < 0
}

// cutComments takes HTML comments out of the lines from first on and says which
// lines hold nothing else. A comment that opens a line ends at the next "-->",
// wherever that is; one inside a line must end in the same paragraph, else its
// mark is text. Code keeps its comments.
func cutComments(lines []string, first int) []bool {
	only := make([]bool, len(lines))
	last := -1 // the last line with an end mark
	for i := len(lines) - 1; i >= first; i-- {
		if strings.Contains(lines[i], "-->") {
			last = i
			break
		}
	}
	var f fence
	inside := false
	openUntil := -1 // no comment that opens in a line before this one ends in its paragraph
	for i := first; i < len(lines); i++ {
		l := lines[i]
		if !inside && f.line(l) {
			continue
		}
		if !inside && !strings.Contains(l, "<!--") {
			continue
		}
		// content is set once the line has shown something before the comment.
		var kept strings.Builder
		cut, content := inside, false
		end := strings.LastIndex(l, "-->")
		rest := l
		keep := func(s string, seam bool) {
			if seam && content && strings.HasSuffix(kept.String(), " ") {
				s = strings.TrimPrefix(s, " ")
			}
			kept.WriteString(s)
			content = content || kept.Len() > maxLink || stripMarkers(kept.String()) != ""
		}
		for {
			if inside {
				k := strings.Index(rest, "-->")
				if k < 0 {
					rest = ""
					break
				}
				rest = rest[k+3:]
				inside = false
			}
			k := commentStart(rest)
			if k < 0 {
				break
			}
			after := rest[k+4:]
			keep(rest[:k], cut)
			switch {
			case strings.HasPrefix(after, ">"), strings.HasPrefix(after, "->"):
				after = after[strings.IndexByte(after, '>')+1:]
			case end >= len(l)-len(after):
				inside = true
			case !content && !isIndentedCode(kept.String()):
				inside = true // to its end, or to the end of the document
			default:
				j := i + 1
				for i >= openUntil && j < len(lines) && !blank(lines[j]) && !strings.Contains(lines[j], "-->") {
					j++
				}
				if i < openUntil || i >= last || j == len(lines) || blank(lines[j]) {
					openUntil = max(openUntil, j)
					keep("<!--", false)
					rest = after
					continue
				}
				inside = true
			}
			cut = true
			rest = after
		}
		if !cut {
			continue
		}
		keep(rest, true)
		lines[i] = kept.String()
		if stripMarkers(lines[i]) == "" {
			lines[i], only[i] = "", true
		}
	}
	return only
}

func isIndentedCode(before string) bool {
	return strings.HasPrefix(before, "    ") || strings.HasPrefix(before, "\t")
}

// commentStart returns the index of the first "<!--" outside code spans.
func commentStart(l string) int {
	for i := 0; i < len(l); {
		j := strings.IndexAny(l[i:], "`<")
		if j < 0 {
			return -1
		}
		i += j
		if l[i] == '<' {
			if strings.HasPrefix(l[i:], "<!--") {
				return i
			}
			i++
			continue
		}
		n := runLength(l, i)
		k := i + n
		for { // the run of equal length that closes the span
			m := strings.IndexByte(l[k:max(k, min(len(l), i+4*maxLink))], '`')
			if m < 0 {
				i += n
				break
			}
			k += m
			w := runLength(l, k)
			k += w
			if w == n {
				i = k
				break
			}
		}
	}
	return -1
}

// stripMarkers returns a line without indentation, quotation and list marks.
func stripMarkers(l string) string {
	for {
		l = strings.TrimLeft(l, " \t>")
		switch {
		case l == "-", l == "*", l == "+":
			return ""
		case len(l) > 1 && strings.IndexByte("-*+", l[0]) >= 0 && (l[1] == ' ' || l[1] == '\t'):
			l = l[2:]
			continue
		}
		n := 0
		for n < len(l) && n < 9 && l[n] >= '0' && l[n] <= '9' {
			n++
		}
		if n > 0 && n < len(l) && (l[n] == '.' || l[n] == ')') && (n+1 == len(l) || l[n+1] == ' ') {
			l = l[n+1:]
			continue
		}
		return strings.TrimSpace(l)
	}
}

// fence follows fenced code from line to line.
type fence struct {
	mark   byte // 0 outside
	n, col int
	quoted bool
}

// line reports whether l belongs to fenced code, its fences included.
func (f *fence) line(l string) bool {
	if f.mark != 0 {
		bare := strings.TrimLeft(l, " \t>")
		n := 0
		if bare != "" && bare[0] == f.mark {
			n = runLength(bare, 0)
		}
		switch {
		case n >= f.n && blank(bare[n:]):
			f.mark = 0
			return true
		case f.quoted && !strings.HasPrefix(strings.TrimLeft(l, " "), ">"),
			f.col >= 2 && bare != "" && l[0] != ' ' && l[0] != '\t' && l[0] != '>':
			f.mark = 0 // its list item or quotation has ended
		default:
			return true
		}
	}
	body := stripMarkers(l)
	if body == "" || body[0] != '`' && body[0] != '~' {
		return false
	}
	n := runLength(body, 0)
	if n < 3 || body[0] == '`' && strings.IndexByte(body[n:], '`') >= 0 {
		return false
	}
	at := strings.IndexByte(l, body[0])
	*f = fence{mark: body[0], n: n, col: at, quoted: strings.HasPrefix(strings.TrimLeft(l, " "), ">")}
	return true
}
