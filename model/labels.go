package model

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Words that help where structure alone cannot decide. Nothing is found only
// because a language is listed here, and nothing is lost because it is not:
// without them a pair of labels is told by its shape.
var (
	questionLabels = setOf(`q question questions вопрос в питання запитання frage f pregunta p question
		domanda d pergunta pytanie dotaz soru spørsmål fråga vraag kysymys otázka кыз сұрақ 問 质问 問題 问 質問 질문 سؤال שאלה`)
	answerLabels = setOf(`a answer answers ответ о відповідь antwort respuesta r réponse reponse risposta
		resposta odpowiedź odpověď cevap svar antwoord vastaus жауап 答 回答 답변 답 جواب إجابة תשובה`)
	userLabels = setOf(`user customer client caller guest patient visitor buyer shopper student passenger tenant
		пользователь клиент клиентка покупатель гость пациент пациентка посетитель заявитель абонент пассажир ученик
		користувач клієнт покупець пацієнт kunde kundin nutzer anrufer gast patientin cliente usuario usuaria paciente
		client cliente utilisateur utente klient użytkownik zákazník müşteri kund bruker klant asiakas`)
	agentLabels = setOf(`operator agent bot assistant support rep representative advisor manager employee clerk
		оператор агент бот ассистент поддержка менеджер сотрудник консультант администратор специалист
		mitarbeiter berater operador operadora agente asistente opérateur operatore konsultant operátor temsilci
		medewerker asiakaspalvelija`)
	// contrastLabels stand before wrong and right wordings, not before speakers.
	contrastLabels = setOf(`bad good wrong right correct incorrect do don't dont before after yes no poor better instead
		плохо хорошо неправильно правильно неверно верно нельзя можно до после было стало не да нет некорректно корректно
		надо лучше falsch richtig schlecht gut vorher nachher mal bien incorrecto correcto mauvais bon
		погано добре example пример beispiel ejemplo note примечание`)
	messageHeads = setOf(`message messages user_message customer_message text request inquiry enquiry utterance
		сообщение обращение запрос текст реплика nachricht anfrage mensaje consulta demande messaggio wiadomość повідомлення звернення`)
	answerHeads = setOf(`answer reply response operator_answer agent_reply resolution
		ответ реакция antwort respuesta réponse reponse risposta resposta odpowiedź відповідь`)
	// saidHeads and ourWords stand in heads such as "They asked" and "We said".
	saidHeads = setOf(`says said asks asked wrote writes спросили пишут написали написал спрашивают fragte schrieb sagt dice dit`)
	ourWords  = setOf(`we our us мы наш наша наше нами wir unser unsere nous notre nosotros nuestra nuestro ми наша`)
	// ruleHeads stand over columns that say what is to be done.
	ruleHeads = setOf(`do action actions rule rules should must policy step steps instruction instructions how required
		действие действия правило правила делать нужно надо шаг шаги как инструкция должен
		aktion regel tun schritt acción regla action règle`)
	// firstPerson are words by which people speak of themselves.
	firstPerson = setOf(`i im my me mine я мне меня мой моя моё мое мои мою моего моей ich mein meine mir mich je mon ma moi yo mi io mio mia
		eu meu minha ja mój moja мені мене мій`)
)

// cutLabel splits "Label: text". A label is a few words, begins with a letter
// and holds no punctuation of sentences.
func cutLabel(s string) (label, rest string, ok bool) {
	limit := min(len(s), 120)
	i := strings.IndexAny(s[:limit], ":：")
	for i >= 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	if i <= 0 {
		return "", "", false
	}
	c, n := utf8.DecodeRuneInString(s[i:])
	if c != ':' && c != '：' {
		return "", "", false
	}
	label, rest = s[:i], s[i+n:]
	if c == ':' && rest != "" {
		if next, _ := utf8.DecodeRuneInString(rest); !unicode.IsSpace(next) && !isOpenQuote(next) {
			return "", "", false
		}
	}
	label = strings.TrimSpace(label)
	first, _ := utf8.DecodeRuneInString(label)
	if !unicode.IsLetter(first) || utf8.RuneCountInString(label) > 40 || len(strings.Fields(label)) > 4 {
		return "", "", false
	}
	if strings.ContainsAny(label, "?!;,«»“”„\"…") || strings.Contains(label, ". ") {
		return "", "", false
	}
	return label, strings.TrimSpace(rest), true
}

// cutTurn is [cutLabel] for lines of a conversation: a time before the label is
// skipped, and the one-letter labels of questions and answers may end in a full
// stop or a bracket.
func cutTurn(s string) (label, rest string, ok bool) {
	s = cutTime(s)
	if label, rest, ok = cutLabel(s); ok {
		return strings.TrimSpace(cutTrailingTime(label)), rest, true
	}
	k := strings.IndexAny(s[:min(len(s), 24)], ".)")
	if k <= 0 || k+1 >= len(s) || s[k+1] != ' ' {
		return "", "", false
	}
	if n := foldLabel(s[:k]); questionLabels[n] || answerLabels[n] {
		return s[:k], strings.TrimSpace(s[k+1:]), true
	}
	return "", "", false
}

// cutTime removes "[10:02]", "10:02 - " and the like before a label.
func cutTime(s string) string {
	i := 0
	digits, colons := 0, 0
	for i < len(s) && strings.IndexByte("[]()0123456789:.-/ ,", s[i]) >= 0 {
		switch {
		case s[i] >= '0' && s[i] <= '9':
			digits++
		case s[i] == ':':
			colons++
		}
		i++
	}
	if colons == 0 || digits < 3 || i == len(s) {
		return s
	}
	return strings.TrimLeft(s[i:], "–— ")
}

func cutTrailingTime(label string) string {
	if k := strings.IndexAny(label, "[("); k > 0 && strings.Trim(label[k:], "[]()0123456789:.- ") == "" {
		return label[:k]
	}
	return label
}

// foldLabel returns a label in lower case without its number.
func foldLabel(label string) string {
	return strings.TrimFunc(strings.ToLower(label), func(c rune) bool {
		return !unicode.IsLetter(c)
	})
}

func labelIn(set map[string]bool, label string) bool {
	if set[label] {
		return true
	}
	f := strings.Fields(label)
	return len(f) > 1 && (set[strings.Trim(f[0], "()")] || set[strings.Trim(f[len(f)-1], "()")])
}

var quotePairs = map[rune]string{
	'«': "»", '“': "”“", '„': "“”„\"", '"': "\"", '\'': "'", '‘': "’", '’': "’", '‹': "›", '”': "”", '「': "」", '『': "』", '»': "«", '‚': "‘’",
}

func isOpenQuote(r rune) bool { _, ok := quotePairs[r]; return ok }

// unquote removes a pair of quotation marks around the whole of s.
func unquote(s string) (string, bool) {
	s = strings.TrimSpace(s)
	open, n := utf8.DecodeRuneInString(s)
	closers, ok := quotePairs[open]
	if !ok || len(s) == n {
		return s, false
	}
	end, m := utf8.DecodeLastRuneInString(s)
	if !strings.ContainsRune(closers, end) || len(s) < n+m {
		return s, false
	}
	inner := s[n : len(s)-m]
	depth := 1
	before := open
	for _, c := range inner {
		switch {
		case c == open && c == end: // the same mark opens and closes
			if depth == 1 && before != open && !unicode.IsSpace(before) && !unicode.IsPunct(before) || depth == 1 && isSentenceEnd(before) {
				return s, false // "a" and "b"
			}
			if depth == 1 {
				depth = 2
			} else {
				depth = 1
			}
		case c == open:
			depth++
		case strings.ContainsRune(closers, c) && c != '\'' && c != '’':
			if depth--; depth == 0 {
				return s, false // «a» and «b»
			}
		}
		before = c
	}
	return strings.TrimSpace(inner), true
}

func isSentenceEnd(c rune) bool { return strings.ContainsRune(".!?…。！？؟;՞", c) }

// isQuestion reports whether a text ends with a question mark of any script.
func isQuestion(s string) bool {
	s = strings.TrimRightFunc(s, func(c rune) bool {
		return unicode.IsSpace(c) || strings.ContainsRune("!.…*_»”“\"')]）", c)
	})
	c, _ := utf8.DecodeLastRuneInString(s)
	switch c {
	case '?', '？', '؟', '\u037e', '՞', '⁇', '⁈', '⁉':
		return true
	case ';': // Greek writes its question mark so
		for _, r := range s {
			if unicode.IsLetter(r) {
				return unicode.Is(unicode.Greek, r)
			}
		}
	}
	return false
}

// cutQuestion splits a text after its first sentence if that is a question.
func cutQuestion(s string) (question, rest string, ok bool) {
	for i, c := range s {
		if !isSentenceEnd(c) {
			continue
		}
		end := i + utf8.RuneLen(c)
		for end < len(s) {
			next, n := utf8.DecodeRuneInString(s[end:])
			if !isSentenceEnd(next) && !strings.ContainsRune("»”\"')", next) {
				break
			}
			end += n
		}
		if next, _ := utf8.DecodeRuneInString(s[end:]); end < len(s) && !unicode.IsSpace(next) && c < 0x2000 && c != '؟' {
			continue // a point inside a number or a name
		}
		q := isQuestion(s[:end])
		if c == ';' && !q {
			continue
		}
		if q {
			return strings.TrimSpace(s[:end]), strings.TrimLeft(strings.TrimSpace(s[end:]), "—–-: "), true
		}
		return "", "", false
	}
	return "", "", false
}

// cutNumber removes "1.", "2)", "3.1" before a question.
func cutNumber(s string) string {
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || i > 0 && (s[i] == '.' || s[i] == ')')) {
		i++
	}
	if i == 0 || i >= len(s) || s[i] != ' ' {
		return s
	}
	if c, _ := utf8.DecodeRuneInString(strings.TrimSpace(s[i:])); s[i-1] >= '0' && s[i-1] <= '9' && !unicode.IsUpper(c) {
		return s // "24 hours"
	}
	return strings.TrimSpace(s[i:])
}

// cutQuestionLabel removes "Q:" and the like before a question.
func cutQuestionLabel(s string) string {
	if label, rest, ok := cutTurn(s); ok && rest != "" && questionLabels[foldLabel(label)] {
		return rest
	}
	return s
}

// cutPair splits the text after a question's label at an answer's label on the
// same line: "Q: How? A: So."
func cutPair(label, s string) (question, reply, answer string, ok bool) {
	if !questionLabels[foldLabel(label)] {
		return s, "", "", false
	}
	for i, c := range s {
		if !isSentenceEnd(c) || i+1 >= len(s) || s[i+1] != ' ' {
			continue
		}
		after := strings.TrimSpace(s[i+1:])
		if reply, answer, ok := cutTurn(after); ok && answer != "" && answerLabels[foldLabel(reply)] {
			return s[:i+1], reply, answer, true
		}
	}
	return s, "", "", false
}
