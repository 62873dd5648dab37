package lang

import "strings"

// The subjects that planning asks a text about.
const (
	TopicIdentifier = "identifier" // the number or name by which a case is found
	TopicUrgency    = "urgency"
	TopicMood       = "mood"    // how an upset customer is treated
	TopicAsk        = "ask"     // that something must be asked for or given
	TopicApology    = "apology" // that somebody is sorry
	TopicPerson     = "person"  // somebody who writes, in the third person
)

// topicStems are beginnings of words or phrases.
var topicStems = map[string]map[string]string{
	"en": {
		TopicIdentifier: "order number|booking number|reservation number|reference number|contract number|account number|ticket number|case number|request number|invoice number|card number|tracking number|order id|customer id|full name",
		TopicUrgency:    "urgent|urgently|emergency|asap|immediately",
		TopicApology:    "sorry|apolog",
		TopicPerson:     "if a customer|if a guest|if a user|if someone|if somebody|if a renter|if a client|if the customer|if the guest|if the user|if the client|when a customer|when a guest|when somebody|when someone|a customer who|a guest who",
		TopicAsk:        "ask|asks|need|needs|needed|required|require|tell us|give us|may i have|quote|state",
		TopicMood:       "angry|upset|aggress|abus|complain|insult|rude|swear|threat|calm|dissatisf|unhappy",
	},
	"ru": {
		TopicIdentifier: "номер заказ|номер запис|номер брон|номер договор|номер заяв|номер обращ|номер чек|номер счет|номер счёт|номер карт|номер отправл|лицев|фио|идентификатор",
		TopicUrgency:    "срочн|экстренн|немедленн",
		TopicApology:    "извин|простите|мне жаль|прошу прощения",
		TopicPerson:     "если человек|если клиент|если покупатель|если гость|если абонент|если пользователь|если пациент|если кто|когда человек|когда клиент|когда покупатель|когда пользователь",
		TopicAsk:        "спрашив|спрос|уточн|нужен|нужна|нужны|нужно|назов|подскаж|просим|просит|попрос|укаж|сообщите|обязател",
		TopicMood:       "агресс|груб|жалоб|жалу|недовол|руга|угрож|угроз|оскорб|мат|хам|спокойн|злит|скандал",
	},
}

// Mentions reports whether a text speaks about a topic.
func (l *Language) Mentions(topic, text string) bool {
	text = " " + strings.Join(Words(text), " ") + " "
	for stem := range strings.SplitSeq(topicStems[l.Code][topic], "|") {
		if stem != "" && strings.Contains(text, " "+stem) {
			return true
		}
	}
	return false
}

// faultStems name, for each visible fault of a message (see coverage.Faults),
// how a rule speaks about it. Order is that of the faults in a result.
var faultStems = map[string][]struct{ fault, stems string }{
	"en": {
		{"caps", "capital|caps|uppercase|upper case"},
		{"exclamation", "exclamation"},
		{"punctuation", "punctuat|comma|full stop"},
		{"typo", "spell|typo|misspel|misprint|orthograph"},
		{"emoji", "emoji|emoticon|smiley"},
		{"rude", "rude|sarcas|polite|insult|swear|profan|obscen|slang|disrespect|courteous"},
	},
	"ru": {
		{"caps", "капслок|капс|заглавн|прописн|верхн"},
		{"exclamation", "восклиц"},
		{"punctuation", "пунктуац|запят|знаки препинан|знаков препинан"},
		{"typo", "опечат|орфограф|правописан|грамматич"},
		{"emoji", "смайл|эмодзи|эмотикон"},
		{"rude", "груб|сарказ|вежлив|хам|мат|матом|ругат|сленг|жаргон|оскорб|уважит"},
	},
}

// FaultKinds returns the visible faults of a message that a rule speaks about.
func (l *Language) FaultKinds(text string) []string {
	text = " " + strings.Join(Words(text), " ") + " "
	var out []string
	for _, f := range faultStems[l.Code] {
		for stem := range strings.SplitSeq(f.stems, "|") {
			if strings.Contains(text, " "+stem) {
				out = append(out, f.fault)
				break
			}
		}
	}
	return out
}
