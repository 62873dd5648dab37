package lang

import "strings"

var voiceEN = Voice{
	Words: map[string]string{
		"agent":    `(?:the |our |an |a |any |each |every |all )?(?:chat |support |virtual |online |ai |service |customer )*(?:chat-?bots?|bots?|assistants?|agents?|operators?|advis[eo]rs?|representatives?|consultants?|handlers?)`,
		"customer": `(?:the |a |an |each |every |all |our |any )?(?:customers?|clients?|guests?|users?|patients?|members?|buyers?|callers?|passengers?|visitors?|students?|subscribers?|renters?|riders?|tenants?|shoppers?|readers?|callers?|claimants?|policyholders?|hirers?)`,
		"must":     `(?:must|should|shall|has to|have to|needs to|need to|is required to|are required to|is expected to|are expected to|will|is to|are to)(?: always| first| only| then| immediately| politely| at once| also)*`,
		"mustnot":  `(?:must not|must never|mustn't|should not|should never|shouldn't|may not|can ?not|can never|can't|is not allowed to|are not allowed to|is not permitted to|are not permitted to|is forbidden to|is not able to|are not able to|is unable to|are unable to|shall not|will not|won't|does not|doesn't|do not|don't)(?: ever)?`,
		"hand":     `hand|pass|transfer|forward|escalate|refer|redirect|route|send|direct|connect|put|give|hands|passes|transfers|forwards|escalates|refers|redirects|routes|sends|directs|connects|handed|passed|transferred|forwarded|escalated|referred|routed|sent|offer`,
		"receiver": `(?:(?:the|our|a|an|a real|a live|a human) )?(?:[\p{L}\d'-]+ ){0,4}?(?:managers?|teams?|desk|operators?|agents?|specialists?|departments?|supervisors?|human|humans|colleagues?|line|support|office|engineers?|doctors?|nurses?|administrators?|admins?|reception|receptionists?|dispatchers?|lead|leads|advis[eo]rs?|coordinators?|pharmacists?|technicians?|vets?|librarians?|concierge|billing|accounting|person|mechanics?|officers?|instructors?|directors?|representatives?|experts?|lawyers?|editors?|consultants?|handlers?|porter|employee|staff|workshop|unit)(?: on duty| in charge| of the (?:shop|branch|clinic|hotel|day|shift))?`,
		"tail":     `(?:,? (?:if|when|whenever|before|first|with|together|so that|in order|because|who|which|for|immediately|at once|straight away|without|instead|as soon|and not|rather|unless|within|and (?:do|say|tell|ask|confirm|offer|apologise|apologize|wait|explain|let|give|never|hand|pass|check|only|then)).*|, (?:then|not|never|and) .*| (?:immediately|first|politely|at once))?`,
		"tell":     `(?:tells?|informs?|reminds?|advises?|warns?|lets?|notif(?:y|ies))`,
		"safe":     `promise|guarantee|share|give|disclose|reveal|confirm|discuss|quote|change|cancel|refund|accept|provide|recommend|issue|offer|send|book|make|take|comment|predict|estimate|negotiate|waive|grant|extend|name|process|arrange|open|see|look|access|reset|move|hand|pass|name|speculate|diagnose|invent|forward|collect|ask for|request|store|reserve|hold|keep`,
	},
	Drop: []string{"please note that ", "please note: ", "please note, ", "note that ", "note: ", "important: ", "remember that ", "remember: ", "in general, ", "also, ", "and ", "but ", "so, ", "then "},
	Rules: []VoiceRule{
		// what it has and sees
		{Pattern: `{agent} (?:has|have|gets) no access to (.+)`, Act: ActDeny, Say: "I have no access to $1"},
		{Pattern: `{agent} (?:does not|do not|doesn't|don't) have (?:any )?access to (.+)`, Act: ActDeny, Say: "I have no access to $1"},
		{Pattern: `{agent} (?:is|are) not connected to ([^,;]+?)(?: and .*)?`, Act: ActDeny, Say: "I am not connected to $1"},
		{Pattern: `{agent} (?:has|have) no ([\p{L} ]+)`, Act: ActDeny, Say: "I have no $1"},
		{Pattern: `(?:{agent} )?(?:{must} )*(?:only )?(?:then )?(?:confirms?) (?:the |it)?(cancellation|booking|change|appointment)?`, Act: ActFact, Say: "After that I will confirm it"},
		// apology
		{Pattern: `(?:{agent} {must} |always |first )*(?:apologi[sz]e|say sorry|offer an apology)(?: .*)?`, Act: ActSorry, Say: "I am sorry about this"},
		// passing on
		{Pattern: `(?:{agent} (?:does not|doesn't|must not|should not|never) [^,;]+? but |{agent} {must} |{agent} |always |immediately |then |only then |{must} be )*(?:{hand})(?: .{0,60}?)?(?: over| on| up| through)?(?: straight| directly| at once| immediately)? to ({receiver}){tail}`, Act: ActHandOver, Say: "I am handing your request over to ${1:receiver}", Object: "${1:receiver}"},
		{Pattern: `[^,;:]+ (?:must be|should be|has to be|have to be|needs to be|need to be|is|are) (?:{hand})(?: over| on| up)?(?: straight| directly| at once| immediately)? to ({receiver}){tail}`, Act: ActHandOver, Say: "I am handing your request over to ${1:receiver}", Object: "${1:receiver}"},
		{Pattern: `(?:{agent} {must} |always |immediately )*(?:calls?|involves?|brings? in|fetch(?:es)?|gets?) ({receiver}){tail}`, Act: ActHandOver, Say: "I am handing your request over to ${1:receiver}", Object: "${1:receiver}"},
		{Pattern: `(?:{customer}|complaints?|complaint calls|threats?|disputes?|accidents?[\p{L} ]*|emergencies)(?: [^,;:]*?)? (?:goes|go)(?: straight| directly| at once| immediately)? to ({receiver}){tail}`, Act: ActHandOver, Say: "I am handing your request over to ${1:receiver}", Object: "${1:receiver}"},
		// asking
		{Pattern: `(?:{agent} {must} |{agent} |always |first |politely |then )*(?:asks?|request)(?: {customer}| them)? (whether|if|what|which|when|how|why|where|who) ([^,;]+)(?:[,;] .*)?`, Act: ActAsk, Say: "Could you tell me $1 ${2:they}?"},
		{Pattern: `(?:{agent} {must} |{agent} |always |first |politely |then )*(?:asks?|request)(?: {customer}| them)? to ([^,;]+?){tail}`, Act: ActAsk, Say: "Please ${1:they}"},
		{Pattern: `(?:{agent} {must} |{agent} |always |first |politely |then )*(?:asks?(?: {customer}| them)? for|requests?|collects?) ([^;:]+?){tail}`, Act: ActAsk, Say: "Please tell me ${1:yours}", Object: "${1:yours}"},
		// telling
		{Pattern: `(?:{agent} {must} |always |first |politely |then )*{tell}(?: {customer}| them| people| everyone)?(?: politely| clearly)?(?: that|:) (.+)`, Again: "$1"},
		{Pattern: `(?:{agent} {must} |always |first |politely |then )*(?:remind|advise|tell|ask)(?: {customer}| them| people) to ([^,;]+)`, Act: ActFact, Say: "Please ${1:they}"},
		{Pattern: `(?:{agent} {must} |always |first |politely |then )*(?:say|state|explain|make (?:it )?clear|answer|reply|mention)s? that (.+)`, Again: "$1"},
		// offering
		{Pattern: `(?:{agent} {must} |always |first |then |{agent} )*(?:offers?|proposes?)(?: {customer}| them)? to ([^,;]+){tail}`, Act: ActOffer, Say: "I can ${1:they}"},
		{Pattern: `(?:{agent} {must} |always |first |then |{agent} )*(?:offers?|proposes?|suggests?)(?: {customer}| them)? ((?:a|an|another|the|one|two|other|any|free|help) .+)`, Act: ActOffer, Say: "I can offer you ${1:they}"},
		// what it can and cannot do
		{Pattern: `{agent} (?:does not|do not|doesn't|don't) ((?:store|keep|see|have|know|handle|sell|process|deal|take|accept|issue|hold)\b.*)`, Act: ActDeny, Say: "I do not ${1:they}"},
		{Pattern: `{agent} {mustnot} ((?:{safe})\b.*)`, Act: ActDeny, Say: "I cannot ${1:they:any}"},
		{Pattern: `{agent} never (\p{L}+s) (.+)`, Act: ActDeny, Say: "I never ${1:base} ${2:they}"},
		{Pattern: `{agent} (?:can|may|is able to|are able to|is allowed to|are allowed to) (only )?(.+)`, Act: ActFact, Say: "I can $1 ${2:they}"},
		{Pattern: `(?:do not|don't|never|please do not) ((?:{safe})\b.*)`, Act: ActDeny, Say: "I cannot ${1:they:any}"},
		{Pattern: `no ([\p{L} ]{4,40}) (?:may|can|must) be (given|promised|shared|confirmed|offered|changed|discussed|quoted|disclosed)(.*)`, Act: ActFact, Say: "No $1 can be $2 $3"},
		{Pattern: `{agent} (?:must|should|has to|have to|needs to|need to|shall|will)\b.*`},
		{Pattern: `{agent} (\p{L}+s) (.+)`, Act: ActFact, Say: "I ${1:base} ${2:they}"},
		{Pattern: `{agent}\b.*`},
		// what is said of replies is no fact for a customer
		{Pattern: `(?:the |our |every |each |all |any |your )?(?:repl(?:y|ies)|answers?|responses?|messages?|tone|wording|language|style|sentences?|greetings?|emojis?|capitals?|slang|sarcasm|jargon|dialogues?|conversations?|chats?|spelling|punctuation|typos?|chat)\b.*`},
		// the customer
		{Pattern: `{customer} who ([^:]+)`},
		{Pattern: `{customer} (can|may|must|cannot|can't|should|will|must not|may not|could|do not|don't|need to|have to|need|have|pay|get|receive|are|were) ([^:]+)`, Act: ActFact, Say: "You $1 ${2:they}"},
		{Pattern: `{customer} is ([^:]+)`, Act: ActFact, Say: "You are ${1:they}"},
		{Pattern: `{customer} has ([^:]+)`, Act: ActFact, Say: "You have ${1:they}"},
		{Pattern: `{customer} (?:does not|doesn't) ([^:]+)`, Act: ActFact, Say: "You do not ${1:they}"},
		{Pattern: `{customer} (\p{L}+s) ([^:]+)`, Act: ActFact, Say: "You ${1:base} ${2:they}"},
	},
	Condition: []string{
		`(?:if|when|whenever|once|as soon as|in case|where|for|after|in|with|on|unless|until) [^,:]{3,160}?(?:, then |, |: | [–—-] )(.+)`,
		`[\p{L}' ,/-]{3,70}?(?:: | [–—-] )(.+)`,
	},
	Orders: []string{`colleagues\b.*`, `team\b, .*`},
	Then:   []string{"then "},
	Parts:  []string{`(?:,|;) (?:but|and|then|and then) (.+)`, ` and ((?:offer|pass|hand|tell|confirm|confirms|only then|then|passes|hands|offers) .+)`, `; ((?:offers?|asks?|passes|hands?|tells?) .+)`, `, (then .+|offers? .+)`},
	Yours: []Swap{
		{`\b(?:the|a|each|every) (?:customer|client|guest|user|patient|member|buyer|caller|passenger|visitor|student|subscriber|renter|rider|hirer|claimant|policyholder)(?:'|’)s\b`, "your"},
		{`\b(?:the |our )?(?:customers|clients|guests|users|patients|members|buyers|callers|passengers|visitors|students|subscribers|renters|riders|hirers|claimants|policyholders)(?:'|’) `, "your "},
		{`\b(to|for|with|from|by|of|at|give|tell|ask|refund|charge|send|show|call|inform|contact) (?:the|a|each|every) (?:customer|client|guest|user|patient|member|buyer|caller|passenger|visitor|student|subscriber|renter|rider|hirer|claimant|policyholder)\b`, "$1 you"},
		// the verbs of a series follow the first
		{`\bthe (?:customer|client|guest|user|patient|member|buyer|caller|passenger|visitor|student|subscriber|renter|rider|hirer|claimant|policyholder) is ([^.;:,]+), (\p{L}{3,}s) or (\p{L}{3,}s)\b`, "you are $1, ${2:base} or ${3:base}"},
		{`\bthe (?:customer|client|guest|user|patient|member|buyer|caller|passenger|visitor|student|subscriber|renter|rider|hirer|claimant|policyholder) (\p{L}{3,}s) ?([^.;:,]*), (\p{L}{3,}s) or (\p{L}{3,}s)\b`, "you ${1:base} $2, ${3:base} or ${4:base}"},
		{`\bthe (?:customer|client|guest|user|patient|member|buyer|caller|passenger|visitor|student|subscriber|renter|rider|hirer|claimant|policyholder) (?:is|are)\b`, "you are"},
		{`\bthe (?:customer|client|guest|user|patient|member|buyer|caller|passenger|visitor|student|subscriber|renter|rider|hirer|claimant|policyholder) has\b`, "you have"},
		{`\bthe (?:customer|client|guest|user|patient|member|buyer|caller|passenger|visitor|student|subscriber|renter|rider|hirer|claimant|policyholder) (can|may|must|cannot|should|will|could)\b`, "you $1"},
		{`\bthe (?:customer|client|guest|user|patient|member|buyer|caller|passenger|visitor|student|subscriber|renter|rider|hirer|claimant|policyholder) (\p{L}{3,}s)\b`, "you ${1:base}"},
		{`\byour(?:'s|’s)`, "your"},
	},
	Banned: []string{
		"bot!", "bots!", "assistant!", "chatbot", "customer", "client!", "clients!", "user!", "users!", "caller!", "callers!", "patient's!", "guest's!", "claimant", "faq", "escalat", "tickets!", "policyholder",
		"rule!", "rules!", "instruction", "guideline", "memo!", "export!", "document!", "agent!", "agents!", "operator!", "adviser!", "reply!", "sarcasm", "tone!", "they've!",
	},
	BannedFirst: []string{
		"always", "be", "keep", "use", "check", "verify", "confirm", "make", "thank", "write", "respond", "stay", "remain", "avoid", "follow", "offer", "do", "don't", "never", "ensure", "log",
		"record", "note", "give", "mention", "answer", "reply", "say", "tell", "speak", "address", "treat", "never", "only", "greet", "sign", "begin", "explain", "state", "suggest", "refuse",
		"decline", "send", "read", "correct", "fix", "spell", "ask", "hand", "escalate", "forward", "transfer", "pass", "not", "no", "must", "should", "acknowledge", "apologise", "apologize", "repeat", "leave", "let", "collect", "help", "remind", "include", "quote", "ignore", "limit", "promise", "name", "put", "find", "wait", "polite", "call", "rudeness", "politeness", "asks", "offers", "declines", "says", "hands", "passes", "stays", "keeps", "goes", "answers", "gives", "gets", "confirms", "tells", "refuses", "explains", "swears", "lectures", "does", "apologises", "thanks", "waits", "writes", "checks",
	},
	Fix: map[string]func(string) (string, bool){
		"yours": func(s string) (string, bool) {
			for _, d := range []string{"the customer's ", "the ", "their ", "his or her ", "a ", "an ", "your ", "the client's ", "the guest's ", "the user's "} {
				if rest, ok := cutPrefixFold(s, d); ok {
					s = rest
					break
				}
			}
			s = strings.NewReplacer(" and the ", " and ", " and their ", " and ", " or the ", " or ").Replace(s)
			s = theirs.Replace(" " + s + " ")
			s = strings.TrimSpace(s)
			if n := len(strings.Fields(s)); n == 0 || n > 10 || strings.HasPrefix(s, "to ") {
				return "", false
			}
			for _, w := range Words(s) {
				switch w {
				case "him", "them", "it", "this", "that", "anything", "more", "help", "once", "me", "permission", "patience", "feedback", "politely", "for":
					return "", false
				}
			}
			switch first := Words(s)[0]; first {
			case "one", "another", "any", "no", "some", "two", "both":
				return s, true
			}
			return "your " + s, true
		},
		"they": func(s string) (string, bool) { return strings.TrimSpace(theirs.Replace(" " + s + " ")), true },
		"any":  func(s string) (string, bool) { return s, true },
		"receiver": func(s string) (string, bool) {
			w := Words(s)
			if len(w) == 0 || w[0] == "customer" || w[0] == "you" {
				return "", false
			}
			if len(w) == 1 && (w[0] == "reception" || w[0] == "support" || w[0] == "billing" || w[0] == "accounting") {
				return w[0], true
			}
			switch w[0] {
			case "the", "our", "a", "an":
			default:
				s = "the " + s
				if len(w) == 1 && (w[0] == "human" || w[0] == "person") {
					s = "a " + w[0]
				}
			}
			return strings.Replace(s, "The ", "the ", 1), true
		},
		"base": func(s string) (string, bool) {
			switch low := strings.ToLower(s); {
			case low == "is" || low == "was" || low == "its" || low == "his" || low == "as" || strings.HasSuffix(low, "ss") || strings.HasSuffix(low, "us"):
				return "", false
			case low == "has":
				return "have", true
			case low == "does":
				return "do", true
			case low == "goes":
				return "go", true
			case strings.HasSuffix(low, "ies"):
				return low[:len(low)-3] + "y", true
			case strings.HasSuffix(low, "sses"), strings.HasSuffix(low, "shes"), strings.HasSuffix(low, "ches"), strings.HasSuffix(low, "xes"):
				return low[:len(low)-2], true
			case strings.HasSuffix(low, "s"):
				return low[:len(low)-1], true
			}
			return "", false
		},
	},
}.compile()

var theirs = strings.NewReplacer(" their ", " your ", " they ", " you ", " them ", " you ", " theirs ", " yours ", " his or her ", " your ", " he or she ", " you ",
	" the customer's ", " your ", " the client's ", " your ", " the guest's ", " your ", " the user's ", " your ", " themselves ", " yourself ", " they,", " you,", " them,", " you,")
