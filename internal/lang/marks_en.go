package lang

var marksEN = Marks{
	Anger: lexicon(`ridiculous*, outrageous*, unacceptable, disgusting, disgraceful*, fed up, sick of, sick and tired, furious, last straw
		the worst, terrible/awful/horrible/lousy/pathetic ~ service/experience/company/support, rip off, ripoff, rip-off, scam*, waste of time
		how much longer, how long must, what a joke, is a joke, are you kidding, you kidding me, nightmare, had enough, i demand, we demand
		sue you, my lawyer, absurd, incompetent*, useless, shame on, lied to me, liars, never again, what the, wtf, angry, appalling
		nobody answers, no one answers, nobody cares, what kind of service, how dare, unbelievable`),
	Abuse: lexicon(`idiot*, moron*, stupid*, dumb, dumbass*, screw you, shut up, crap*, damn*, go to hell, the hell, bullshit, shit*, fuck*
		fucking, bastard*, asshole*, jerk, jerks, bitch*, you suck, suckers, imbecile*, clowns, dimwit*, retard*, losers`),
	Rude: lexicon(`calm down, not my problem, not our problem, not my job, read carefully, read the rules, figure it out, your own fault, your fault
		your problem, are you deaf, are you blind, how many times, stop whining, stop complaining, whatever, as i already said, i already told you
		can't you read, leave me alone, don't bother me, deal with it, get lost, none of your business, don't care`),
	Greeting: lexicon(`hi, hello, hey, hiya, good morning/afternoon/evening/day, greetings, dear`),
	Polite: lexicon(`please, thanks, thank you, kindly, would you mind, could you, pls, plz, appreciate, be grateful, much obliged
		would you be so kind`),
	Urgent: lexicon(`urgent*, asap, immediately, right now, right away, as soon as possible, emergency, hurry, quickly, at once, can't wait
		cannot wait, straight away`),
	Asks: lexicon(`how, what, what's, where, where's, when, why, who, which, whose, how's, when's, who's
		can/could/may/will/would/should/shall/must i/you/we/it/they/he/she/someone/somebody/anyone/my/the/this/a/an/your
		do/does/did i/you/we/it/they/the/my/your/anyone/this, is/are/was/were it/there/this/that/my/your/the/you/we/they/a/anyone
		have/has you/i/we/my/the/it/anyone/your, am i, any chance, is it, isn't, aren't, can't/couldn't you/i/we, what if`),
	AskAfter: lexicon(`tell me, let me know, and, so, but, also, ok, okay, well, quick question, question, excuse me, sorry, explain, advise
		i want/wanted/need/like to ask/know, i'd like to know/ask, just wondering, wondering, clarify, there, team`),

	Identified: lexicon(`order, booking, reservation, ticket, invoice, account, contract, case, reference, ref, confirmation, record, number, no
		nr, parcel, shipment, tracking, id, membership, application, claim`),
	Named: lexicon(`my name is, name is, my name's, surname, last name, under the name, in the name of, name`),

	Customer:    lexicon(`the/this/that/a/each/every customer/customer's/client/client's/user/user's/caller/caller's`),
	NotCustomer: lexicon(`customer/client/user service/services/support/care/portal/desk/line/satisfaction/manual/guide/interface`),
	Bot: lexicon(`the/this/our bot/chatbot/chat-bot/assistant must/should/cannot/can/can't/does/doesn't/has/is/will/may/shall/needs/answers/hands/asks/offers/never/only
		the/this/our agent must/should/cannot/shall/may, the/this/our operator must/should/shall, the bot's, what the bot`),
	Rules: lexicon(`the/this/given/provided document, the/this/given/provided context, in the faq, the faq says/states, knowledge base
		the policy/policies says/states/requires/require/forbids/prohibits/demands/allows, the rules/rule say/says/states/state/require/requires/forbid/forbids
		the instruction/instructions/guideline/guidelines say/says/state/states/require, per policy, as per the policy, as per policy, according to policy
		according to the policy/policies/rules/rule/instructions/instruction/guidelines/document/context/faq, based on the context/document/text/policy, in the context, not in the context
		expected answer/output, test case, section ~ of the document, the text above, mentioned in the document, per the document`),
	Exam: lexicon(`the/a bot/chatbot/chat-bot/assistant/agent/operator must/should/do/does/have/has/answer/respond/reply/handle/react/say
		should/must/does/will/can/would the/a bot/chatbot/assistant/agent/operator, bot/chatbot/assistant/agent/operator supposed to, bot/chatbot/assistant/agent/operator required to
		if a/the customer/client/user/caller, when a/the customer/client/user/caller, asks/demands/requests of/by the bot, which policy, what policy, which rule
		according to the document/context/policy/faq/instructions/rules/text, in the document, in the context, described in, stated in, compare and contrast, explain the difference between ~ policy`),
	You: lexicon(`you, you're, you've, as`),
	I:   lexicon(`i, i'm, i've, my, me, we, our`),

	NoAccess: lexicon(`no access, not have ~ access, doesn't have ~ access, don't have ~ access, cannot/can't access/see/view/look/check/open/change/cancel/process
		not able to access/see/view/look/check/open, without access, has/have no ~ access, unable to access/see/view/look/check, not see, may not access/see/view`),
	NeedsID: lexicon(`order/booking/record/reference/ticket/account/reservation/invoice/contract/confirmation/case/tracking/policy number/id/code/reference
		number of the order/booking/reservation, full name, name and ~ date, name and ~ time, identif*, name or ~ number, surname and`),
	Status: lexicon(`your ~ has/have been/already shipped/dispatched/delivered/sent/refunded/returned/credited/approved/paid/lost/found
		the refund/money/payment/parcel/order/package/amount has/have been shipped/dispatched/delivered/sent/refunded/returned/credited/approved/processed
		your ~ was/were shipped/dispatched/delivered/sent/refunded/returned/credited, your ~ is on its way, your ~ is on the way, your ~ is out for delivery, your ~ is in transit
		it is on its way, it's on its way, it has been shipped/dispatched/delivered/sent, your ~ is being delivered/shipped/packed/processed/prepared, your ~ is ready
		we/i have/already refunded/shipped/sent ~ refund/money/payment/parcel/order/package, your ~ will arrive tomorrow/today`),
	Lookup: lexicon(`i/we/i'll/we'll/i've/we've/i'm/we're/me ~ check/checked/checking/see/found/reviewed/opened/verified ~ your/the order/booking/record/account/status/payment/profile/reservation/delivery/appointment/transaction
		i/we/i'll/we'll/i've/we've/i'm/we're/me ~ look/looked/looking up/at/into ~ your/the order/booking/record/account/status/payment/profile/reservation/delivery/appointment
		our records/system show/shows, according to our records/system, i/we see that your, i/we can see that/your`),
	Act: lexicon(`i/we/i've/we've have/had/already/just ~ cancelled/canceled/booked/changed/rescheduled/refunded/updated/moved/applied/activated/reset/deleted/unlocked/issued
		i've/we've cancelled/canceled/booked/changed/rescheduled/refunded/updated/moved/applied/activated/reset/deleted/unlocked/issued
		i/we cancelled/canceled/booked/changed/rescheduled/refunded/updated/applied/activated/deleted/unlocked
		i'm/we're/am/are cancelling/canceling/booking/changing/rescheduling/refunding/updating/activating/deleting/unlocking/issuing ~ your/the
		your ~ has/have been cancelled/canceled/booked/changed/rescheduled/updated/confirmed/activated/reset/deleted/unlocked/applied
		the/it/booking/appointment/order has been cancelled/canceled/booked/changed/rescheduled/updated/confirmed
		your booking/appointment/order/reservation/subscription/visit is cancelled/canceled/confirmed/booked, your ~ is now cancelled/canceled/confirmed/changed
		you are booked, you're booked, you are now booked`),
	Promise: lexicon(`compensat*, priorit*, senior manager, supervisor, bonus*, gift*, voucher*, coupon*, free of charge, for free, guarantee*, at no cost
		at no extra cost, full refund, discount*, call you back, will call you, will phone you, i promise, we promise, loyalty points, cashback, reimburse*, waive*
		express delivery, free delivery, free shipping`),
	Negation: lexicon(`not, no, never, cannot, can't, don't, doesn't, didn't, won't, isn't, aren't, haven't, hasn't, without, nor, unable, couldn't, wouldn't, neither
		nobody, nothing`),
	Conditional: lexicon(`if, once, after, when, until, unless, whether, before, that, which, as soon as, whenever, where, should, while, to`),

	Clarify: lexicon(`could/can/would you ~ tell/specify/send/provide/share/clarify/give/confirm/describe/let/write/state/explain/check
		please ~ tell/specify/send/provide/share/clarify/give/confirm/describe/let/write/state/include/reply/explain/check/name/indicate
		let me know, let us know, tell me, send me, give me, share your, provide your, i need your, i will need, i'll need`),
	Refuse: lexicon(`can't, cannot, can not, unable, not able, not possible, impossible, unfortunately, sorry, do not/don't provide/share/offer/have/give/disclose/discuss/issue
		not available, no access, only help with, i can help with, not allowed, won't, isn't possible, not something i, i help with`),
	HandOver: lexicon(`pass/passing/passed ~ to, transfer*, hand/handing/handed ~ over, forward*, connect/connecting you, escalat*, operator*, support team, our team
		colleague*, specialist*, contact support, call support/us, human, administrator*, manager*, support line, reception, front desk, contact us, our office`),
	Stock: lexicon(`look into, looking into, get back to you, thank you for contacting/reaching/writing, thanks for contacting/reaching, we value, is important to us
		we will check, we'll check, let me check, i will check, i'll check, will be resolved, do our best, working on it, we will help, we'll help, happy to help, glad to help
		we are here to help, sort it out, will be in touch, request has been received, request is accepted, please wait, bear with us, take care of it`),

	Vague: lexicon(`clear*, clarity, helpful*, polite*, correct*, accura*, relevan*, complete*, good, great, quality, professional*, friendly, understandable, appropriate*
		proper*, concise*, informative, nice, useful*, empath*, tone, fluent*, readab*, natural*, consisten*, adequate*, well, reasonable, grammar, coheren*, satisf*`),
	Scaffold: lexicon(`answer*, response*, reply, is, are, be, must, should, has, have, and, or, the, a, an, it, agent, bot, assistant, operator, in, of, very, to, output
		text, message, corrected, user, customer, question, style, provides, gives, overall, all, level, written, sounds, high, with, on, good`),
	EmojiWord: lexicon(`emoji*, emoticon*, smiley*, smilies, smileys`),

	Misspelt: map[string]string{
		"accomodate": "accommodate", "adress": "address", "adresses": "addresses", "alot": "a lot", "apointment": "appointment",
		"appointement": "appointment", "availible": "available", "avaliable": "available", "becuase": "because", "beleive": "believe",
		"calender": "calendar", "cant": "can't", "catagory": "category", "comming": "coming", "confimed": "confirmed", "custumer": "customer",
		"definately": "definitely", "delievery": "delivery", "delivary": "delivery", "deliverd": "delivered", "didnt": "didn't", "docter": "doctor",
		"doesnt": "doesn't", "dont": "don't", "excelent": "excellent", "finaly": "finally", "foward": "forward", "freind": "friend",
		"garantee": "guarantee", "gonna": "going to", "greatful": "grateful", "happend": "happened", "imediately": "immediately",
		"immediatly": "immediately", "infomation": "information", "informations": "information", "intrested": "interested", "knowlege": "knowledge",
		"managment": "management", "messege": "message", "neccessary": "necessary", "necesary": "necessary", "nubmer": "number", "numer": "number",
		"occured": "occurred", "oder": "order", "ofice": "office", "oppertunity": "opportunity", "ordder": "order", "payed": "paid", "paymant": "payment",
		"pelase": "please", "perfer": "prefer", "plase": "please", "pleae": "please", "pls": "please", "plz": "please", "posession": "possession",
		"posible": "possible", "prefered": "preferred", "probaly": "probably", "problme": "problem", "proccess": "process", "proplem": "problem",
		"quesiton": "question", "questoin": "question", "reciept": "receipt", "recieve": "receive", "recieved": "received", "recomend": "recommend",
		"refered": "referred", "regrads": "regards", "reguarding": "regarding", "remeber": "remember", "reqeust": "request", "requst": "request",
		"responce": "response", "retrun": "return", "seperate": "separate", "serivce": "service", "sevice": "service", "shedule": "schedule",
		"sincerly": "sincerely", "sory": "sorry", "succesful": "successful", "succesfully": "successfully", "sugest": "suggest", "suport": "support",
		"teh": "the", "thankyou": "thank you", "thier": "their", "thx": "thanks", "tommorow": "tomorrow", "tommorrow": "tomorrow", "tomorow": "tomorrow",
		"truely": "truly", "untill": "until", "ur": "your", "wanna": "want to", "wether": "whether", "whith": "with", "wich": "which", "wierd": "weird",
		"yestarday": "yesterday", "youre": "you're",
	},

	Months: map[string]int{
		"january": 1, "february": 2, "march": 3, "april": 4, "may": 5, "june": 6, "july": 7, "august": 8, "september": 9, "october": 10, "november": 11, "december": 12,
		"jan": 1, "feb": 2, "mar": 3, "apr": 4, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
	},
	Numbers: map[string]int{
		"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13,
		"fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50,
		"sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90, "hundred": 100,
	},
	Units: []UnitWord{
		{Dim: "time", Per: 1, Forms: lexicon(`minute, minutes, min, mins`)},
		{Dim: "time", Per: 60, Forms: lexicon(`hour, hours, hr, hrs, h`)},
		{Dim: "time", Per: 24 * 60, Forms: lexicon(`day, days`)},
		{Dim: "time", Per: 7 * 24 * 60, Forms: lexicon(`week, weeks`)},
		{Dim: "month", Per: 1, Forms: lexicon(`month, months`)},
		{Dim: "month", Per: 12, Forms: lexicon(`year, years`)},
		{Dim: "percent", Per: 1, Forms: lexicon(`percent, per cent`)},
		{Dim: "dollar", Per: 1, Forms: lexicon(`dollar, dollars, usd`)},
		{Dim: "euro", Per: 1, Forms: lexicon(`euro, euros, eur`)},
		{Dim: "pound", Per: 1, Forms: lexicon(`pound, pounds, gbp`)},
		{Dim: "ruble", Per: 1, Forms: lexicon(`ruble, rubles, rouble, roubles, rub`)},
		{Dim: "kilometre", Per: 1, Forms: lexicon(`km, kilometre, kilometres, kilometer, kilometers`)},
		{Dim: "mile", Per: 1, Forms: lexicon(`mile, miles`)},
		{Dim: "kilogram", Per: 1, Forms: lexicon(`kg, kilogram, kilograms, kilo, kilos`)},
	},
	Bare: lexicon(`within/in a/an`),
	Qualifiers: []Qualifier{
		{Kind: "working", Words: lexicon(`working, business, workdays, weekdays`)},
		{Kind: "calendar", Words: lexicon(`calendar`)},
		{
			Kind: "max", Words: lexicon(`up to, at most, no more than, not more than, no later than, not later than, maximum, max, at the latest`),
			Soft: lexicon(`within, under, less than, younger than, before, until, by, fewer than, below, no longer than, not exceed*, during, over the next, later than, more than, exceed*`),
		},
		{
			Kind: "min", Words: lexicon(`at least, no less than, not less than, minimum, no earlier than, not earlier than`),
			Soft: lexicon(`from, over, more than, above, older than, starting, after, or more, or older, earlier than, less than, minimum of`),
		},
		{
			Kind: "approx", Words: lexicon(`approximately, approx, roughly, on average, usually`),
			Soft: lexicon(`about, around, normally, typically, average, as a rule, standard*, generally`),
		},
	},
}
