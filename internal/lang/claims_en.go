package lang

import "github.com/casebook-go/casebook/model"

var claimsEN = Claims{
	Asks: "Customer asks: %s", WantsTo: "Customer wants to %s", About: "Customer asks about: %s", Writes: "Customer writes: %s", Message: "When %s",
	AskedOutcome:   "A customer comes with %[1]q and gets an answer by the document: %[2]s",
	WroteOutcome:   "A customer writes %[1]q and needs it settled: %[2]s",
	RuleOutcome:    "%[1]s; then the agent does what the document demands: %[2]s",
	MessageOutcome: "An operator has written a message that a rule applies to and wants it sent right: %[1]s",
	ByRules:        "the agent answers within the document's rules or hands over",
	Corner: map[string]string{
		CornerEmpty:     "Customer sends an empty message",
		CornerGarbage:   "Customer sends gibberish",
		CornerOffTopic:  "Customer asks something off-topic",
		CornerAbuse:     "Customer is abusive or insulting",
		CornerInjection: "Customer tries to break the bot with an injection",
	},
	CornerOutcome: "%s; the agent stays within its task: it clarifies, declines or hands over.",
	Policy: map[model.PolicyType]string{
		model.Must: "What the agent must do or state: %s", model.MustNot: "What the agent must not do: %s", model.Escalate: "What is handed over to a person: %s",
		model.Style: "How the agent sounds: %s", model.Shape: "What shape a reply has: %s",
	},
	When: " Applies: %s.", Unless: " Except: %s.",
	EmptySample:    "An empty message is answered with a question what is needed: “%[2]s”",
	RudeSample:     "A rude message is answered in a calm tone: “%[2]s”",
	InternalReason: "it is about an internal process that no answer can show",
	wantsTo: []string{
		"how do i", "how can i", "can i", "could i", "may i", "how do we", "can we", "how to", "where do i", "where can i", "is it possible to", "am i able to", "i want to", "i need to", "i'd like to", "what do i need to", "do i have to", "do i need to", "am i allowed to",
	},
	toThem:     map[string]string{"i": "they", "my": "their", "me": "them", "we": "they", "our": "their", "us": "them", "mine": "theirs", "myself": "themselves"},
	structural: compile("reminder|reminders|communication|faq|faqs|question|questions|rules|policy|policies|guide|handbook|memo|notes|instruction|instructions|export|tickets|log|overview|introduction|about|general|ground|misc|miscellaneous|other|changes|update|updates|sample|example|examples|excerpt|appendix|scope|purpose|background|context|odds|tone|style|voice|assistant|bot|chatbot|agent|agents|handler|handlers|operator|operators|staff|boundaries|limits|constraints|terms|contents|glossary|dialogue|dialog|chat|conversation|checklist|summary|knowledge|base|sources|input|given|task|things"),
	situation:  compile("situation|situations|case|cases|when|request|requests|scenario|trigger|if|customer|event"),
	wrong:      compile("wrong|mistake|mistakes|error|errors|bad|don't|never|avoid|not|fault|faults"),
	refuses: compile(`
only help with
rather help|talk
can help with
here to help with
can't|cannot help with
outside|beyond my|our
not something
`),
	injects: compile(`
ignore|forget|disregard ... instructions|rules|that|prompt|previous|above|everything
system prompt
you are now
pretend to be
act as
jailbreak
reveal your
developer mode
`),
	wantsHuman: compile(`
human|operator|supervisor|manager|real person|live agent|live person
someone|somebody real
where is|are ... operator|manager|human
talk|speak to ... human|person|someone|manager
`),
	event:   compile("in case|cases of\nin the event of\nfor|on complaints|threats|questions|requests"),
	sameFor: compile("the same goes|applies|holds for|to|of\nthe same is true for|of\nlikewise for\nthat also|too goes|applies"),
	acts: compile(`
ask|asks|asked|says|say|said|reports|report|reported|wants|want|complains|complain|demands|demand|writes|write|sends|send|sent|requests|request|mentions|mention|needs|need|refuses|refuse|insists|insist|threatens|threaten|claims|claim|disputes|dispute|disagrees|disagree|cancels|cancel|calls|call|swears|swear|insults|offers|offer|tells|tell|shares|share|loses|lost|forgets|forgot|objects|object|replies|accuses|begs|jokes|tries|try|looks|keeps|gets|got
is|are|becomes|gets|remains|sounds angry|upset|rude|aggressive|abusive|unhappy|dissatisfied|worried|frustrated|late|unsure|confused|ill|sick|hurt|injured
`),
	labelNot: compile("usually|often|sometimes|can|may|include|includes|are|is|there"),
	impersonal: compile(`
asked|asking
someone|somebody|anyone|anybody
a|the message|question|request|caller|sender|situation
message|messages
people|they|he|she
`),
	pronoun: compile("they|he|she|people"),
	copula:  compile("is|are|goes|go|gets|get|has|have|belongs|belong"),
	glosses: compile("is meant\nthat means\nmeaning the same"),
	joins: compile(`
or
nor
neither
same
likewise
ditto
also not
is meant
`),
	quality: compile(`
checks|check|reviews|review|reviewing|assess|assesses|evaluates|evaluate|rates|grades|corrects|correct|scores|proofreads ... message|messages|replies|chats|operator|operators|handler|handlers|agent|agents|consultant|consultants|wrote|write
quality team|check|checks|control|assurance|review|reviews|monitoring
operator's|handler's|agent's|adviser's|consultant's message|messages|reply|replies|wording
the handler|operator|adviser|consultant
handlers|operators|advisers|consultants
message on its own
spelling|punctuation
put right
corrected message|version|phrase
`),
	support: compile(`
bot|chatbot|chat-bot
assistant
faq
support agent|assistant|bot|chat
answers|answer|answering questions|customers|guests|clients
ticket|tickets
customers|guests|renters|clients|users ask|asks|write|writes
`),
	families: family(`
return returns returned returning
refund refunds refunded reimburse reimbursement reimbursed
cancel cancels cancelled canceled cancelling canceling cancellation cancellations
change changes changed changing alter amend amended modify swap
move moves moved moving reschedule rescheduled rescheduling postpone
child children kid kids toddler baby
price prices cost costs fee fees charge charges charged
delivery deliver delivers delivered delivering deliveries shipping ship shipped shipment parcel package
broken break breaks broke damaged damage defective defect defects faulty
buy buys bought purchase purchased purchases
book books booked booking bookings reserve reserved reservation reservations
pay pays paid paying payment payments
invoice invoices bill bills billing receipt receipts
phone telephone phones
ill sick medical injured injury injuries injure hurt wound accident accidents
lost lose loses missing forgot forgotten
steal stole stolen theft
complain complains complaint complaints
threat threats threaten threatens threatening
swear swears swearing abuse abusive insult insults rude
discount discounts promo promotion voucher coupon
bag bags luggage baggage suitcase
dog dogs cat cats pet pets animal animals
photo photos picture pictures image images
`),
	qualityRules: []qualityRule{
		{compile("clarifying question|questions\nclarifies|clarify"), "Operator does not ask a clarifying question"},
		{compile("objection|objections"), "Operator answers an objection"},
		{compile("answers|answered|answer ... what was asked|question|request\nto the point"), "Operator does not answer what was asked"},
		{compile("spelling|typo|typos|misspel*|punctuation|grammar|spacing"), "Operator's message with spelling or punctuation mistakes"},
		{compile("capitals|caps|exclamation|shout|shouting|uppercase"), "Operator's message in capitals or with many exclamation marks"},
		{compile("sarcas*|polite*|rude*|blame|courteous|courtesy|tone"), "Impolite or sarcastic operator's message"},
		{compile("emoji|emojis|emoticon*|slang|lol"), "Operator's message with emojis or slang"},
		{compile("terms|terminology|jargon|medical|drug|drugs"), "Operator's message with terms of the trade"},
		{compile("banned|forbidden|prohibited phrase|phrases|word|words\nare|is banned|forbidden|prohibited"), "Operator's message with banned phrases"},
		{compile("short|shorter|long|longer|length|sentences|brief\nwall of text"), "Operator's message that is too long"},
		{compile("swear|swears|swearing|profan*|obscen*"), "Customer swears at the operator"},
		{compile("first name|names\nname of\nby name\naddress customers"), "Operator's message that names the customer"},
		{compile("greet|greets|greeting|hello"), "Operator's message without a greeting"},
		{compile("sign-off|signature|closing|farewell|goodbye\nsign off\nlast line"), "Operator's closing message"},
		{compile("number|numbers written|format|full\nwritten in full"), "Operator's message with numbers or identifiers"},
		{compile("promise|promises|guarantee|guarantees"), "Operator's message that promises something"},
		{compile("phone|phones|contacts ... staff|doctor|personal\nphone numbers"), "Operator's message with somebody's contacts"},
	},
}
