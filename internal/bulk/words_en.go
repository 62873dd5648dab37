package bulk

import "strings"

// both uses a name as subject and as object alike.
func both(lines string) [][2]string {
	var out [][2]string
	for _, l := range split(lines) {
		out = append(out, [2]string{l, l})
	}
	return out
}

func split(lines string) []string { return strings.Split(strings.TrimSpace(lines), "\n") }

var english = &vocabulary{
	title: "Harbour Works: handbook of the support assistant", rulesTitle: "Rules for the assistant", ticketsTitle: "Tickets of week",
	ticketHead: "| No | Message | Answer |\n| --- | --- | --- |",
	chapters:   split("Orders and parcels\nPayments\nReturns\nAccounts\nRepairs\nSubscriptions\nWarranty\nDeliveries abroad\nGift cards\nWorkshops\nStorage\nBusiness customers"),
	topics: []topic{
		{"Can I {verb} {of}?", []string{"yes, within {n} {unit} of {event}; bring {paper} to {place}.", "no, {person} does that, for {m} euros.", "only at {place}, and {person} must see {paper} first.", "yes, but not after {event}."}},
		{"How do I {verb} {of}?", []string{"write to {person} with {paper}; it takes up to {n} {unit}.", "come to {place} before {event}. {person} needs {paper}.", "it is done online and costs {m} euros."}},
		{"Where can I {verb} {of}?", []string{"at {place}, until {n} {unit} after {event}.", "only at {place}; bring {paper}."}},
		{"Do I have to {verb} {of}?", []string{"yes, before {event}, or {m} euros are charged.", "no, {person} takes care of it within {n} {unit}."}},
		{"Can I {verb} {of} without {paper}?", []string{"no, {person} must see {paper}.", "yes, up to {m} euros."}},
		{"What happens if I {verb} {of} too late?", []string{"after {n} {unit} we charge {m} euros.", "{person} decides; the assistant must not promise anything."}},
		{"Can I return {of} after {event}?", []string{"yes, within {n} {unit} of {event}, with {paper}.", "no, {of} cannot be returned after {event}; {person} offers a repair instead.", "{person} must ask for {paper} before {of} is taken back."}},
		{"How long does the repair of {of} take?", []string{"the workshop needs up to {n} {unit}; {person} calls after {event}.", "usually {n} {unit}, longer when {other} must be ordered.", "no date is promised before {person} has seen {paper}."}},
		{"How much does it cost to replace {of}?", []string{"{m} euros, and {other} is free of charge.", "the price is set by {person} after {event}; the assistant never names one.", "from {m} euros; with {paper} it is {n} percent less."}},
		{"What do I do if {thing} arrives broken?", []string{"send a photo within {n} {unit} of {event}; {person} sends a new one.", "keep the box and bring {paper} to {place}.", "the assistant asks for {paper} and passes the case to {person}."}},
		{"Where can I pick up {of}?", []string{"at {place}, with {paper}, until {n} {unit} after {event}.", "only at {place}; {person} does not hand it to anybody without {paper}."}},
		{"Who pays for sending {of} back?", []string{"we do when it came faulty, else the customer pays {m} euros.", "{person} sends a label by e-mail within {n} {unit}."}},
		{"Is {thing} covered by the guarantee?", []string{"for {n} months from {event}; {other} is not covered.", "yes, unless it was opened outside {place}. {person} checks {paper} first."}},
		{"Can somebody else collect {of} at {place}?", []string{"yes, with {paper} and a written consent.", "no, only the person who ordered it may do so, and {person} must see {paper}."}},
		{"Why was {thing} charged twice after {event}?", []string{"the second charge is a hold and goes away within {n} {unit}.", "the assistant has no access to payments; it passes the matter to {person}."}},
		{"Can I change {of} for {other}?", []string{"yes, until {event}; after that {person} decides.", "only within {n} {unit}, and the difference of up to {m} euros is paid at {place}."}},
		{"How do I cancel {of} before {event}?", []string{"write to us at least {n} {unit} before; {m} euros are kept.", "cancellation is free until {event}, later {n} percent is charged."}},
		{"Do you deliver {of} to {place}?", []string{"yes, in {n} {unit}, for {m} euros.", "not at present. {person} may offer {place} instead."}},
		{"May I test {of} at {place}?", []string{"yes, once, for {n} minutes, with {paper}.", "testing is not possible while {other} is out for repair."}},
		{"What papers do I need to register {of}?", []string{"{paper} and the number on {other}.", "bring {paper} to {place} within {n} {unit}; without it {person} must not register anything."}},
		{"When is {thing} back in stock?", []string{"the assistant never guesses dates; {person} writes after {event}.", "new stock comes every {n} {unit}."}},
		{"Can I store {of} with you over {event}?", []string{"yes, for {m} euros, up to {n} {unit}.", "no, but {place} takes it with {paper}."}},
	},
	things: both(`a kettle
a saddle
a tent
a hose
a grinder
a table
a lamp
a stove
a blanket
a violin
a ladder
a kite
a rope
a ring
a cartridge
a camera
a holder
a paddle
a battery
an oven
a helmet
a chessboard
a frame
a filter
a chair
a fan
a mat
a drill
a shovel
a feeder
a pillow
a teapot
a scale
a radio
a collar
a map
a knife
a stool
a net
a piano
a bicycle
a trailer
a sofa
a wardrobe
a mirror
a curtain
a carpet
a heater
a fridge
a freezer
a toaster
a blender
a mixer
an iron
a printer
a scanner
a monitor
a keyboard
a router
a speaker
a headset
a microphone
a tripod
a lens
a telescope
a compass
a backpack
a suitcase
an umbrella
a jacket
a raincoat
a boot
a sandal
a glove
a scarf
a hat
a belt
a wallet
a purse
a watch
a bracelet
a necklace
an earring
a brooch
a vase
a candle
a clock
a painting
a statue
a basket
a bucket
a broom
a mop
a sponge
a hammer
a saw
a wrench
a pump
a hoist
a winch
a pulley
an anchor
an oar
a sail
a raft
a canoe
a kayak
a surfboard
a snowboard
a sledge
a skate
a racket
a ball
a whistle
a trophy
a medal
a flag
a tarpaulin
a generator
an inverter
a charger
a cable
a socket
a fuse`),
	verbs: split(`return
exchange
cancel
reserve
rent
borrow
buy
sell
repair
clean
insure
store
collect
transport
test
register
assemble
dismantle
upgrade
replace
inspect
label
pack
unpack
sharpen
paint
polish
adjust
calibrate
lock
unlock
track
measure
weigh
wash
dry
heat
cool
charge
refill
rewire
donate
recycle
auction
gift
engrave
photograph
display
lend
lease
extend
pause
postpone
confirm
report
claim
dispute
downgrade
customise`),
	persons: split("the desk\nthe duty manager\nthe workshop\na clerk\nthe events team\nthe courier\nthe accountant\nthe branch head\nan engineer\nthe night porter"),
	events:  split("delivery\nthe first payment\nthe summer sale\nthe inspection\nthe end of the month\ncheckout\nthe public holidays\nthe first use\nthe invoice date\nthe yearly service\nthe exchange\nthe signing of the contract"),
	papers:  split("the receipt\na photo ID\nthe order number\nthe service card\na signed form\nthe purchase contract\nthe customs paper\nthe booking code\na bank statement\nthe warranty booklet"),
	places:  split("the north pier\nthe main shop\nthe airport counter\nthe old mill\nthe post office\nthe central depot\nthe island branch\nthe market hall\nthe station kiosk\nthe university shop"),
	units:   split("days\nhours\nworking days\nweeks"),
	rules: split(`the assistant must not promise {of} before {event}.
always ask for {paper} when somebody mentions {of}.
if a customer complains about {of} twice, pass the chat to {person}.
never name a price above {m} euros without {person}.
the assistant must tell the customer about {paper} within {n} {unit} of {event}.
do not send anybody to {place} after {event}.
if {paper} is missing, the assistant must refuse to change {of} and hand the case to {person}.
an answer has no more than six sentences.
the assistant has no access to {paper} and never says that it has looked at it.`),
	tickets: split(`where is {thing}?? ordered it {n} days ago, number {id}
{thing} came broken and nobody answers!!
can i swap {of} at {place} after {event}
I lost {paper}, what now
you charged me twice for {of}, order {id}
is {place} open on sunday? I need {of}
please cancel {of}
who do I call about {thing}`),
	replies: split(`Sorry about that. Please send a photo and {paper}.
{person} will write to you within {n} {unit}.
We cannot do that without {paper}.
Yes, at {place}, with {paper}.
I pass this to {person}.`),
}
