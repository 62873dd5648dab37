package lang

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Detect returns the BCP 47 base language of a text, told by its script and
// the stop words of common languages: "en", "ru", "de", ... It returns "" when
// it cannot tell. It also knows languages that there is no data for, so that
// an *[UnknownError] can name them.
func Detect(text string) string {
	const enough = 200_000 // bytes; more text changes no verdict
	if len(text) > enough {
		text = text[:enough]
	}
	counts := make([]int, len(scripts)) // Latin and Cyrillic come first
	total := 0
	for _, r := range text {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			total++
			counts[0]++
			continue
		case r >= 'А' && r <= 'я':
			total++
			counts[1]++
			continue
		case r < utf8.RuneSelf || !unicode.IsLetter(r):
			continue
		}
		total++
		for i := range scripts {
			if unicode.Is(scripts[i].table, r) {
				counts[i]++
				break
			}
		}
	}
	best, most := "", 0
	for i, n := range counts {
		if n > most {
			best, most = scripts[i].name, n
		}
	}
	if most == 0 || most*2 < total {
		return ""
	}
	for _, s := range scripts {
		if s.name == best && s.code != "" {
			return s.code
		}
	}
	return byStopWords(best, text)
}

var scripts = []struct {
	name  string
	table *unicode.RangeTable
	code  string // of the one language that a text in this script is taken for
}{
	{"Latin", unicode.Latin, ""},
	{"Cyrillic", unicode.Cyrillic, ""},
	{"Greek", unicode.Greek, "el"},
	{"Georgian", unicode.Georgian, "ka"},
	{"Armenian", unicode.Armenian, "hy"},
	{"Hebrew", unicode.Hebrew, "he"},
	{"Hangul", unicode.Hangul, "ko"},
	{"Hiragana", unicode.Hiragana, "ja"},
	{"Katakana", unicode.Katakana, "ja"},
	{"Han", unicode.Han, "zh"},
	{"Thai", unicode.Thai, "th"},
	{"Arabic", unicode.Arabic, ""},
	{"Devanagari", unicode.Devanagari, ""},
}

// fingerprints are frequent words that other languages of the script lack, and
// letters that only this language uses.
var fingerprints = []struct {
	code, script string
	words        map[string]bool
	letters      string
}{
	{"en", "Latin", set(`the and of to is are was were be you your we our my i it that this with for not have has do does did can will would from by at on an or if what where when why how who which there their they but about please order must should no yes thanks hello hi me all any only after before`), ""},
	{"de", "Latin", set(`der die das und ist nicht ein eine einen ich sie wir mit für auf zu den dem von bitte kein keine wird werden oder wenn auch nur bei nach wie was wo mein meine ihr`), "äöüß"},
	{"fr", "Latin", set(`le la les des et est une un je vous nous pas pour dans avec sur que qui au aux du ne ce cette votre mon ma ou si être sont`), "çœ"},
	{"es", "Latin", set(`el la los las y es una un que no para con por en del se su mi lo al como pero está son más si cuando puede`), "ñ¿¡"},
	{"it", "Latin", set(`il la gli le e è una un che non per con di del della sono mi si al come ma più questo anche`), ""},
	{"pt", "Latin", set(`o os as e é uma um que não para com por em do da dos das se meu minha ao como mas mais são você`), "ãõ"},
	{"nl", "Latin", set(`de het een en is niet ik je u wij met voor op van dat die te zijn kan wordt ook naar maar als mijn geen`), ""},
	{"pl", "Latin", set(`i w na z nie jest to się do że jak czy ja za od po proszę mój moje oraz przez tylko być`), "ąęłśżź"},
	{"tr", "Latin", set(`ve bir bu için ile de da ne mi değil çok var yok olarak benim lütfen`), "ğış"},
	{"ru", "Cyrillic", set(`и в не на что с по как это для из от у к но за же или если бы мне мой я вы мы он она они нет есть можно нужно так только при до после где когда должен должна быть был его её их во со об вам нас день дня уже ещё еще чтобы клиент клиента клиенту заказ номер течение`), "ыэё"},
	{"uk", "Cyrillic", set(`і в не на що з як це для та від у до за але або якщо мені мій я ви ми він вона вони немає можна треба так лише після де коли є чи`), "іїєґ"},
	{"be", "Cyrillic", set(`і у не на што з як гэта для ад да за але або калі мне мой я вы мы ён яна яны няма можна трэба так толькі пасля дзе`), "ў"},
	{"bg", "Cyrillic", set(`и в не на че с по как това за от у към но или ако ще ми моя аз вие ние той тя те няма има може трябва само след къде кога са съм`), "ъ"},
	{"sr", "Cyrillic", set(`и у не на што са по како ово за од али или ако је ми мој ја ви ми он она они нема има може само после где када су да`), "ђћјљњџ"},
	{"kk", "Cyrillic", set(`және бұл мен үшін бар жоқ емес біз сіз қалай қайда болады керек`), "әғқңөұүһ"},
}

// wordsOf and lettersOf say which fingerprints have a word or a letter, as bits.
var wordsOf, lettersOf = indexFingerprints()

func indexFingerprints() (words map[string]uint32, letters map[rune]uint32) {
	words, letters = map[string]uint32{}, map[rune]uint32{}
	for i := range fingerprints {
		for w := range fingerprints[i].words {
			words[w] |= 1 << i
		}
		for _, r := range fingerprints[i].letters {
			letters[r] |= 1 << i
		}
	}
	return words, letters
}

// byStopWords tells the languages of one script apart.
func byStopWords(script, text string) string {
	score := make([]int, len(fingerprints))
	add := func(found uint32) {
		for ; found != 0; found &= found - 1 {
			if i := bits.TrailingZeros32(found); fingerprints[i].script == script {
				score[i] += 2
			}
		}
	}
	for _, t := range tokens(text) {
		add(wordsOf[t.low])
		var own uint32
		for _, r := range t.low {
			if r >= utf8.RuneSelf {
				own |= lettersOf[r]
			}
		}
		add(own)
	}
	best, second := -1, 0
	for i := range score {
		switch {
		case score[i] == 0:
		case best < 0 || score[i] > score[best]:
			if best >= 0 {
				second = max(second, score[best])
			}
			best = i
		default:
			second = max(second, score[i])
		}
	}
	if best < 0 {
		// A short message without a stop word: in Cyrillic letters that Russian
		// has too it is taken for Russian; Latin letters say nothing.
		if script == "Cyrillic" && !strings.ContainsAny(text, "іїєґўђћјљњџәғқңөұүһІЇЄҐЎЂЋЈЉЊЏӘҒҚҢӨҰҮҺ") {
			return "ru"
		}
		return ""
	}
	if score[best] == second {
		return ""
	}
	return fingerprints[best].code
}
