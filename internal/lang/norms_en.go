package lang

var normsEN = Norms{
	must: compile(`
must
shall
should
ought to
has|have|had to
need|needs to
need|needs|needed
require|requires|required
mandatory
compulsory
obligatory
obliged
necessary
only
solely
exclusively
always
at least|most|latest
no|not later|earlier|more|less|fewer|longer than
up to
within
is|are to be
be|make sure
ensure|ensures
expected to
supposed to
responsible for
subject to
minimum
maximum
max|min
limited to
as soon as
in advance
is|are essential|important
the rule is
`),
	mustNot: compile(`
must|shall|should|may|can|could|will|would|do|does|did|need not|never
nobody|none may|can|must|should|shall|will|is|gets
no one may|can|must|should|shall|will|is|gets
mustn't|shouldn't|can't|cannot|won't|don't|doesn't|needn't|wouldn't|couldn't
never
is|are|be not|never
isn't|aren't
not allowed|permitted|possible|available|accepted|eligible|refundable|valid|included|offered|supported|guaranteed|acceptable|transferable|provided|to
no access
has|have no
prohibited|forbidden|banned|disallowed
avoid|avoids
refrain
under no circumstances
in no case|circumstances
on no account
no longer
non-refundable|nonrefundable|non-transferable
neither
off limits
declines|refuses
gives|give|makes|make|takes|take|offers|offer|shares|share|accept|accepts|carries|carry no
out of bounds
`),
	// A sentence or clause that begins with one of these prohibits.
	leadNot: compile(`
no
not
never
`),
	notCue: compile(`
no longer|shorter|more|less|later|earlier|fewer|sooner than
thank|thanks you
no _ is|are needed|required|necessary
should|could|would have
no longer #
not #
makes|make no sense
no matter

not only
only if you
no problem
no need
no matter
do not worry|hesitate
don't worry|hesitate
up to date
whether or not
if not
if possible
`),
	practice: compile(`
we|bot|agent|agents|assistant|operator|operators|staff|team
is|are|be|being _
can|may|could be
available
free
accept|accepts|accepted
takes|take|cost|costs|last|lasts
open|opens|close|closes|closed
guaranteed
includes|include|included
from ... to
between ... and
by default
`),
	imperative: set(`
accept acknowledge add address advise agree allow answer apologise apologize apply approve ask assure attach avoid
begin block book bring call cancel capitalise capitalize charge check choose clarify close collect complete confirm connect contact convert copy correct create
decline deliver describe direct double-check end enter escalate exchange explain express
file fill find fix follow forward give greet guide hand handle help hold include inform insert introduce invite involve issue
keep leave let limit link list log look mail maintain make match mention name note notify
offer open pass pay perform place point postpone prefer prepare present proceed process provide put
quote read recommend record redirect refer refund refuse register reject remain remember remind repeat replace reply report request require reschedule respect respond return route
save say schedule send set share show sign spell specify stay start state stick stop submit suggest summarise summarize
take tell thank transfer treat try turn type use validate verify wait warn welcome wish word write
be do never
`),
	imperativeAfter: set(`please always then also just instead simply politely first kindly immediately and`),
	mild:            compile("do|does|is|are not\nare never\ndo|does never\nnever\ndon't|doesn't|isn't|aren't"),
	customerSubject: compile("people|customer|customers|client|clients|user|users|guest|guests|patient|patients|tenant|tenants|subscriber|subscribers|caller|callers|passenger|passengers|member|members|many|some|most|rider|riders|buyer|buyers|renter|renters|visitor|visitors|traveller|travellers|traveler|travelers|parent|parents|student|students"),
	condition: compile(`
if
when|whenever
in case
in cases where|when|of
in the event
provided
as long as
while
should the|a|an
`),
	leadCondition: compile(`
once
for
after
before
during
on
upon
at
outside
in
with
without
where
until
to
`),
	even: set(`even`),
	notCondition: compile(`
for example|instance|now|sure|free
at least|most|once
in general|short|addition|fact|any|particular|full|no
to be
on top
with pleasure
`),
	exception: compile(`
unless
except|excepting|excluding
with the exception
other than
apart from
aside from
with exception
`),
	then: compile(`
then
`),
	limits:    set(`only must shall cannot`),
	pronoun:   set(`it he she they`),
	agentVerb: compile("offer|offers|tell|tells|ask|asks|say|says|answer|answers|reply|replies|explain|explains|apologise|apologises|apologize|apologizes|thank|thanks|greet|greets|promise|promises|advise|advises|suggest|suggests|recommend|recommends|remind|reminds|inform|informs|warn|warns|confirm|confirms|hand|hands|pass|passes|transfer|transfers|forward|forwards|escalate|escalates|refer|refers|diagnose|diagnoses|argue|argues|guess|guesses|check|checks|help|helps"),
	either:    set(`or`),
	unled:     set(`is are was were has had does did can cannot can't isn't aren't wasn't weren't hasn't doesn't didn't won't`),
	agentSubject: compile(`
bot|chatbot|agent|agents|assistant|operator|operators|staff|employee|employees|we|you|consultant|representative|representatives|advisor|advisors|adviser|advisers|handler|handlers|colleagues|reply|replies|message|messages|answer|answers|response|responses
`),
	escalate: compile(`
escalat*
hand|hands|handed|handing|transfer|transfers|transferred|pass|passes|passed|forward|forwards|forwarded|refer|refers|referred|connect|connects|connected|route|routes|routed|redirect|redirects|redirected|direct|directs|directed|send|sends|sent|report|reports|reported|raise|raises|raised|leave|leaves|left|goes|go|going|belong|belongs|speak|talk|turn|turns ... to|with
put|puts ... through
pass|passes ... on
hand|hands ... over|off
involve|involves|call|calls in
alert|alerts|notify|notifies|contact|contacts
decides
decided by
discretion|decision of
up to the
for the
done|handled|decided|answered|taken|arranged|managed|read|processed|made|reviewed|given|booked by
`),
	escalateTo: compile(`
operator|operators|human|humans|person|supervisor|supervisors|specialist|specialists|manager|managers|management|colleague|colleagues|administrator|dispatcher|dispatch|superior|expert|experts|engineer|engineers|technician|technicians
live|human|real|senior agent|agents|person|adviser|advisor|colleague|handler
support|service|duty|claims|billing|legal|security|technical|fraud|complaints|safety team|desk|department|manager|officer|line|unit
second|2nd line
second-line
tier|level 2|two
front desk
reception
team lead|leader
shift lead|leader
back office
back-office
head of
emergency
the team
department
lawyer|lawyers
hotline
`),
	escalateAlone: compile(`
escalat*
done|handled|processed|answered|decided|arranged|managed|dealt by the
dealt with by
is|are for the
passes|pass ... on to
then passes|pass|hands|hand|transfers|transfer
hand|hands|handed|pass|passes|passed|transfer|transfers|transferred|forward|forwards|forwarded|put|puts|route|routes ... chat|conversation|case|request|requests|matter|ticket|question|caller|them|it|customer|guest|call ... to|on|over|through
gets|get|calls|call|fetches|fetch ... manager|supervisor|colleague|operator
goes|go straight|directly|immediately|at to
hand|hands|handed ... over ... to
`),
	style: compile(`
address|addresses ... by
polite*|impolite*
courteous*|courtesy
tone
sarcas*
rude*
calm*
neutral*
friendly|friendliness
empath*|sympath*
respectful*|disrespect*
formal|formally|informal|informally|casual
patronis*|patroniz*|condescend*
jargon
slang
professional|professionally
warm|warmly
apologis*|apologiz*|apology
plain language|english
blame|blames|blaming
irony|ironic
humour|humor|joke|jokes
emoji|emojis|emoticon*|smiley*
arrogan*
patient|patiently
`),
	format: compile(`
words|characters|sentences|lines|paragraphs
bullet|bullets|bulleted
length
paragraph
markdown
one|single message|reply|paragraph|sentence
short|brief|concise message|messages|reply|replies|answer|answers|sentence|sentences
messages|message|replies|reply|answers|answer|sentences ... short|brief|concise|longer
layout
subject line
signature
sign off
numbered list
line break|breaks
headings|heading
all caps
date|dates|time|times ... format
written|write|written ... as|in the form|format
`),
	replyNoun: compile("reply|replies|replying|message|messages|answer|answers|sentence|sentences|word|words|paragraph|paragraphs|bullet|bullets|characters|chat|chats|write|writes|written|text|texts|lines|response|responses|email|emails|e-mail|letter|letters|number|numbers|names|dates"),
	about: compile(`
messages|tickets|chats|dialogues|requests ... may|can|might contain|include|be
there may|can|might be
weekends|rest|everything|others stay|stays|remain|remains as they|it
unchanged
this document|section|file|guide|handbook|memo|draft|faq|table|export|fragment|excerpt|extract|policy describes|covers|explains|is|lists|contains
in this document|section|guide|handbook
listed|shown|given|see below|above
below is|are
following|sample|noisy|raw data|table|export|tickets|rows|examples
we are|re building|developing|making|creating ... bot|chatbot|agent|assistant|tool
we're building|developing|making
we want|need to build|develop|create|make
the goal|aim|purpose of
build|develop|create ... bot|chatbot|agent|assistant|dataset
exported|copied|compiled from
last updated|modified|edited
version #
todo
tbd
work in progress
knowledge sources|base
anonymi*
bot|chatbot|assistant|agent|agents should|must be able to
assistant|bot|chatbot|team answers|answer questions
follow|obey|observe these|the|this rules|policy|policies|guide|handbook
typos kept|left
`),
	internal: compile(`
internally
dashboard|dashboards
weekly|monthly|quarterly|annual|annually report|review|meeting|audit|check|reports|reviews|meetings
kpi|kpis
training|trained
shift|shifts handover
crm
logged|archived|audited
recorded|calls for quality|training
retained|stored|kept for _ years|months|days
shift|team meeting|meetings
usual|usually|typical|typically|average ... messages|turns|length|dialogue|dialogues|conversation|conversations
dialogue|dialogues|conversation|conversations ... usually|typically|average
`),
	overrule: compile(`
from now on
instead of
no longer
supersede*
replaces|replaced
effective|as of|from
starting|beginning from|on
new rule|policy|tariff|price|prices
changed to|from
now
update|updated|updates
previously
as from
amend*
`),
	continuation: compile(`
without|with|for|after|before|in|of|from it|them|this|that|these|those|both|one|either|neither
or
otherwise
otherwise
later
after that
in that case
then
if not
and
but
also
same
the same
this
that
these
those
such
they
it
only
anything|everything else|later|longer|more|less
plus
in addition
not
`),
	affirm:  set(`yes no yep nope sure ok okay alas unfortunately`),
	numbers: marksEN.Numbers,
	between: set(`to or and`),
	unitForms: map[string]string{
		"day": "day", "days": "day", "hour": "hour", "hours": "hour", "h": "hour", "hrs": "hour", "minute": "minute", "minutes": "minute", "min": "minute", "mins": "minute",
		"week": "week", "weeks": "week", "month": "month", "months": "month", "year": "year", "years": "year", "eur": "eur", "euro": "eur", "euros": "eur", "usd": "usd", "dollars": "usd", "dollar": "usd",
		"kg": "kg", "km": "km", "m": "m", "gb": "gb", "mb": "mb", "percent": "percent", "words": "word", "word": "word", "characters": "character", "sentences": "sentence", "messages": "message", "night": "night", "nights": "night", "person": "person", "people": "person", "guests": "person",
		"working": "", "business": "", "calendar": "", "full": "",
	},
	schedule: compile(`
mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun|monday|mondays|tuesday|tuesdays|wednesday|wednesdays|thursday|thursdays|friday|fridays|saturday|saturdays|sunday|sundays|weekday|weekdays|weekend|weekends|daily|holidays|mon-fri|sat-sun
mon*-*
`),
}
