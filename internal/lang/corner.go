package lang

import "strings"

// The kinds of corner messages: what real users send that no FAQ answers.
const (
	CornerEmpty     = "empty"
	CornerGarbage   = "garbage"
	CornerOffTopic  = "off_topic"
	CornerAbuse     = "abuse"
	CornerInjection = "injection"
)

// cornerStems are, for each kind, parts of words and phrases by which a text
// speaks about such messages. Order decides between kinds.
var cornerStems = map[string][]struct{ kind, stems string }{
	"en": {
		{CornerInjection, "injection|jailbreak|break the bot|attack on the bot|trick the bot|ignore previous|system prompt|manipulat"},
		{CornerEmpty, "empty message|blank message|message is empty|without text"},
		{CornerGarbage, "garbage|gibberish|meaningless|random characters|nonsense|unintelligible"},
		{CornerOffTopic, "off-topic|off topic|unrelated|not related|outside the scope|other topics"},
		{CornerAbuse, "abus|insult|swear|profan|obscen|offensive"},
	},
	"ru": {
		{CornerInjection, "инъекц|джейлбрейк|сломать|взломать|атак|обмануть бота|системный промпт|провокац"},
		{CornerEmpty, "пуста|пусто|пусту|пусты"},
		{CornerGarbage, "бессмыслен|мусор|набор букв|набор символов|неразборчив|бессвяз"},
		{CornerOffTopic, "не по теме|не по тематике|посторонн|оффтоп|офтоп|вне темы"},
		{CornerAbuse, "оскорб|ругательств|матер|матом|нецензурн|обсцен|хамств|хамит"},
	},
}

// CornerKind returns the kind of corner message that a text speaks about
// ("questions off the topic"), or "" for none.
func (l *Language) CornerKind(text string) string {
	text = strings.ToLower(text)
	for _, k := range cornerStems[l.Code] {
		for stem := range strings.SplitSeq(k.stems, "|") {
			if strings.Contains(text, stem) {
				return k.kind
			}
		}
	}
	return ""
}
