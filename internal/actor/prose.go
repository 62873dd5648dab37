package actor

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

// prose writes messages and replies about a text of a document. What it writes
// depends on its fields alone.
type prose struct {
	l          *lang.Language
	text       string            // of the document: what message and reply are about
	parameters map[string]string // what the message is to show, by the names of the built-in rules
	pressed    bool              // the message asks for an exception
	rnd        *rand.Rand
	// least and longest bound the words of a message; 0 is no bound.
	least, longest int
	shelf          *shelf
}

func newProse(s *shelf, text string, parameters map[string]string, pressed bool, rnd *rand.Rand) *prose {
	return &prose{l: languageOf(text), text: text, parameters: parameters, pressed: pressed, rnd: rnd, shelf: s}
}

// languageOf returns the language of a text: Russian or English.
func languageOf(text string) *lang.Language {
	code := "en"
	if strings.IndexFunc(text, func(r rune) bool { return unicode.Is(unicode.Cyrillic, r) }) >= 0 {
		code = "ru"
	}
	l, err := lang.For(code)
	if err != nil {
		panic(err) // both have data
	}
	return l
}

// wordings are the sentences of a language around what the document says. {k} is
// one or two words of it.
type wordings struct {
	ask, tell, short, shortTell []string
	press, shortPress           []string
	who, did, when              []string // make a sentence about the person
	life                        []string // "{who} {did} {when}"
	evolve                      []string // what an evolution adds
	handover                    []string
	situation                   []string
	role, roleText              []string
	criteria                    []string // {fact} and {k}
	name                        []string
}

var english = wordings{
	ask: []string{
		"How does it work with the {k}?", "Can you tell me what happens with the {k}?", "What do I do about the {k}?", "Is there something I need to know about the {k}?",
		"What should I expect with the {k}?", "Could you help me understand the {k}?", "Where do I stand with the {k}?", "Is the {k} a problem in my case?",
	},
	tell: []string{
		"I need to sort out the {k}.", "I am stuck with the {k}.", "It is about the {k}.", "I want to be sure about the {k}.", "I need some help with the {k}.",
		"My trouble is the {k}.", "I would like to get the {k} right.", "I am lost with the {k}.",
	},
	short:      []string{"What about {k}?", "And {k}?", "How about {k}?", "What is with {k}?", "Why {k}?"},
	shortTell:  []string{"It is about {k}.", "Need help with {k}.", "Stuck with {k}.", "{K}, my trouble.", "Lost with {k}."},
	press:      []string{"Make an exception for me.", "I want it settled my way.", "I do not accept anything less.", "Other places do it without a fuss."},
	shortPress: []string{"Make an exception.", "Bend it once."},
	who:        []string{"My sister and I", "My neighbour and I", "My wife and I", "A friend and I", "My brother and I", "My colleague and I", "My son and I", "My aunt and I"},
	did:        []string{"talked it over", "tried to arrange it", "came by", "looked around your place", "went through the plan", "started on it"},
	when:       []string{"this morning", "last night", "over lunch", "before work", "on the way home", "after dinner"},
	life:       []string{"{who} {did} {when}.", "{who} only {did} {when}.", "{who} already {did} {when}."},
	evolve:     []string{" And I have to decide with very little time left.", " And two people in my family see it differently.", " And I would rather not come twice."},
	handover:   []string{"I am handing your request over to a colleague who can settle it."},
	situation:  []string{"Somebody in a hurry between two trains.", "A parent with two children at the door.", "A person who comes here for the first time."},
	role:       []string{"Hurried visitor", "Careful planner", "First-time guest", "Regular customer", "Worried parent"},
	roleText:   []string{"Wants things settled on the go.", "Thinks of everything beforehand.", "Knows nothing of the place yet.", "Has been here many times."},
	criteria:   []string{"Tells the customer: “{fact}”", "Promises nothing beyond what the document says about {k}", "Speaks to the customer directly and names the next step", "Asks for nothing that was given already"},
	name:       []string{"A message about {k}", "Somebody asks about {k}", "Trouble with {k}", "In doubt about {k}"},
}

var russian = wordings{
	ask: []string{
		"Как быть, если дело такое: {k}?", "Что делать, когда речь о таком: {k}?", "Подскажете, как тут быть: {k}?", "Можно узнать подробнее: {k}?",
		"Чего ждать в моём случае: {k}?", "Как всё устроено, меня волнует {k}?", "Что со мной будет дальше: {k}?", "Какие есть варианты: {k}?",
	},
	tell: []string{
		"Мой вопрос такой: {k}.", "Меня волнует вот это: {k}.", "Никак не разберусь: {k}.", "Хочу уточнить про такое: {k}.", "Нужна помощь, дело вот в этом: {k}.",
		"У меня загвоздка: {k}.", "Запутались совсем: {k}.", "Дело у меня такое: {k}.",
	},
	short:      []string{"А {k}?", "Как насчёт такого: {k}?", "Что с этим: {k}?", "{K}, как быть?"},
	shortTell:  []string{"Вопрос такой: {k}.", "Дело такое: {k}.", "Загвоздка: {k}.", "Хочу уточнить: {k}."},
	press:      []string{"Сделайте для меня исключение.", "Мне нужно по-другому, пойдите навстречу.", "В других местах делают без разговоров.", "На меньшее не согласна."},
	shortPress: []string{"Сделайте исключение.", "Пойдите навстречу."},
	who:        []string{"Мы с сестрой", "Мы с соседом", "Мы с мужем", "Мы с подругой", "Мы с братом", "Мы с коллегой", "Мы с сыном", "Мы с тётей"},
	did:        []string{"обсуждали это", "пытались разобраться", "занимались этим", "были у вас", "строили планы", "взялись за дело"},
	when:       []string{"сегодня утром", "вчера вечером", "за обедом", "перед работой", "по дороге домой", "после ужина"},
	life:       []string{"{who} {did} {when}.", "{who} ещё {when} {did}.", "{who} уже {did} {when}."},
	evolve:     []string{" И решать надо, а времени почти нет.", " И двое в семье понимают всё по-разному.", " И второй раз ехать не хочется."},
	handover:   []string{"Передаю ваше обращение коллеге, который поможет."},
	situation:  []string{"Человек торопится между двумя поездами.", "Мама с двумя детьми стоит у дверей.", "Человек пришёл сюда впервые."},
	role:       []string{"Торопливый гость", "Осторожный человек", "Новичок", "Постоянный покупатель", "Встревоженная мама"},
	roleText:   []string{"Решает всё на ходу.", "Думает обо всём заранее.", "Ничего здесь ещё не знает.", "Бывает здесь часто."},
	criteria:   []string{"Сообщает: «{fact}»", "Не обещает ничего сверх того, что в документе сказано про {k}", "Обращается прямо к клиенту и называет следующий шаг", "Не просит повторить то, что уже названо"},
	name:       []string{"Сообщение: {k}", "Вопрос о таком: {k}", "Загвоздка: {k}", "Сомнения: {k}"},
}

func (p *prose) words() *wordings {
	if p.l.Code == "ru" {
		return &russian
	}
	return &english
}

func (p *prose) one(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[p.rnd.IntN(len(list))]
}

// tries is how many drafts of a message are written until one shows what it is
// to show.
const tries = 400

// message returns what somebody may write about the text, and the words of the
// text that it is about.
func (p *prose) message() (text, about string) {
	keys := p.keys()
	axes, planned := p.axes()
	for range tries {
		about = p.one(keys)
		text = p.draft(about)
		in := &model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: text}}}
		if n := len(strings.Fields(text)); n < p.least || p.longest > 0 && n > p.longest {
			continue
		}
		if coverage.Shows(p.l.Code, axes, planned, in, model.SingleTurnQA) && !p.l.Marks.Exam.In(text) && !p.l.Marks.Rules.In(text) {
			return text, about
		}
	}
	return text, about
}

// axes returns the parameters that a rule of the same name decides.
func (p *prose) axes() (axes []model.Axis, planned map[string]model.Value) {
	planned = map[string]model.Value{}
	for _, a := range model.SupportBot().Axes {
		if v, ok := p.parameters[a.Name]; ok {
			axes = append(axes, a)
			planned[a.Name] = model.String(v)
		}
	}
	return axes, planned
}

// draft writes a message at random, in the manner that the parameters ask for.
func (p *prose) draft(about string) string {
	w, s := p.words(), &p.l.Speech
	is := func(name, value string) bool { return p.parameters[name] == value }
	short := is("length", "short") || p.parameters["length"] == "" && (p.longest > 0 && p.longest <= 8 || p.least == 0 && p.rnd.IntN(4) == 0)
	question := is("form", "question") || p.parameters["form"] == "" && p.rnd.IntN(2) == 0
	frames := w.tell
	switch {
	case short && question:
		frames = w.short
	case short:
		frames = w.shortTell
	case question:
		frames = w.ask
	}
	body := []string{put(p.one(frames), "{k}", about, "{K}", lang.Upper(about))}
	if p.pressed {
		if short {
			body = append(body, p.one(w.shortPress))
		} else {
			body = append(body, p.one(w.press))
		}
	}
	for n := 0; !short && n <= p.least/10; n++ {
		body = append(body, put(p.one(w.life), "{who}", p.one(w.who), "{did}", p.one(w.did), "{when}", p.one(w.when)))
	}
	if is("identifier", "present") {
		n := strconv.Itoa(10000 + p.rnd.IntN(89999))
		body = append(body, lang.Upper(put(p.one(s.GiveID), "{id}", s.AnyID, "{n}", n)))
	}
	if is("urgency", "urgent") {
		body = append(body, p.one(s.Urgent))
	}
	if is("tone", "angry") {
		if short {
			body[0] = strings.TrimSuffix(body[0], ".") + "!!"
		} else {
			body = append(body, p.one(s.Angry))
		}
	}
	p.rnd.Shuffle(len(body), func(i, j int) { body[i], body[j] = body[j], body[i] })
	text := strings.Join(body, " ")
	if is("politeness", "polite") {
		text += p.one(s.Thanks)
	}
	if is("greeting", "present") {
		text = p.one(s.Greetings) + text
	}
	if is("spelling", "sloppy") {
		text = strings.TrimRight(lang.Lower(text), ".!?…")
	}
	if is("emoji", "present") {
		text += p.one(s.Emoji)
	}
	return text
}

// put replaces the slots of a frame.
func put(frame string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(frame) }

// keys returns what stands in the text in one or two words that tell something,
// in their order.
func (p *prose) keys() []string {
	var pairs, singles []string
	for _, sentence := range sentences(p.text) {
		toks := lang.Tokens(sentence)
		telling := func(i int) bool {
			word := sentence[toks[i].Start:toks[i].End]
			return utf8.RuneCountInString(word) >= 4 && !p.l.IsStop(toks[i].Text) && strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }) < 0 &&
				!unicode.IsUpper([]rune(word)[0]) && !p.l.Speech.Verbs.In(word) && !official(p.l, word)
		}
		for i := range toks {
			if !telling(i) {
				continue
			}
			singles = append(singles, toks[i].Text)
			if i > 0 && !toks[i].Break && !toks[i].Pause && telling(i-1) {
				pairs = append(pairs, toks[i-1].Text+" "+toks[i].Text)
			}
		}
	}
	if p.parameters["length"] == "short" && len(singles) > 0 || len(pairs) == 0 {
		pairs = append(pairs, singles...)
	}
	if len(pairs) == 0 {
		return []string{p.l.Speech.AnyID}
	}
	return pairs
}

// official reports whether a text speaks of agents, customers or rules, as no
// customer does.
func official(l *lang.Language, text string) bool {
	m := &l.Marks
	return m.Customer.In(text) || m.Bot.In(text) || m.Rules.In(text) || l.SpeaksOfAgent(text) || l.SpeaksOfCustomer(text)
}

// sentences returns the sentences of a text, without the marks of Markdown.
func sentences(text string) []string {
	var out []string
	for _, line := range blocks(text) {
		for _, s := range lang.Sentences(line) {
			if s = strings.TrimSpace(s); s != "" && !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
	}
	return out
}

// fact returns the first thing that the text says, without its full stop.
func (p *prose) fact() string {
	for _, s := range sentences(p.text) {
		return strings.TrimRight(s, ". ")
	}
	return strings.Join(strings.Fields(p.text), " ")
}

// blocks joins the lines of paragraphs and leaves out headings, tables and the
// marks of lists and questions.
func blocks(text string) []string {
	var out []string
	open := false
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		bare := strings.TrimLeft(line, "-*•> ")
		for _, mark := range []string{"Q:", "A:", "В:", "О:", "Вопрос:", "Ответ:", "**"} {
			bare = strings.TrimSpace(strings.TrimPrefix(bare, mark))
		}
		bare = strings.ReplaceAll(bare, "**", "")
		switch {
		case bare == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "|"):
			open = false
		case open && bare == line:
			out[len(out)-1] += " " + bare
		default:
			out = append(out, bare)
			open = true
		}
	}
	return out
}

// most is how many sentences of the document a reply has.
const most = 2

// reply answers a message with what the text, and behind it the document, says
// nearest to it, in the agent's voice, and what it says of matter before all else;
// where it says nothing that can be sent, the reply hands over.
func (p *prose) reply(message, matter, document string) string {
	near := map[string]bool{}
	for _, s := range p.l.Stems(message) {
		near[s] = true
	}
	type candidate struct {
		text string
		near int
	}
	var sayings []candidate
	text := p.shelf.read(p.l, p.text)
	source := text
	readings := []*reading{text}
	if document != "" {
		source = p.shelf.read(p.l, document)
		readings = append(readings, source)
	}
	for _, r := range readings {
		for _, s := range r.sayings {
			c := candidate{text: s.text}
			if matter != "" && strings.Contains(matter, s.source) {
				c.near = 1000
			}
			for _, stem := range s.stems {
				if near[stem] {
					c.near++
				}
			}
			if !slices.ContainsFunc(sayings, func(x candidate) bool { return x.text == c.text }) {
				sayings = append(sayings, c)
			}
		}
	}
	slices.SortStableFunc(sayings, func(a, b candidate) int { return b.near - a.near })
	sayings = sayings[:min(len(sayings), 8)]
	c := &coverage.Candidate{
		Documents: source.docs, Ground: source.ground, Lang: p.l, Language: p.l.Code, Profile: model.SupportBot(),
		Item: model.Item{Examples: []model.Example{{
			Format: model.SingleTurnQA, Input: model.Input{Messages: []model.Message{{Role: model.RoleUser, Content: message}}},
		}}},
	}
	for n := min(most, len(sayings)); n > 0; n-- {
		for at := 0; at+n <= len(sayings); at++ {
			var parts []string
			for _, s := range sayings[at : at+n] {
				parts = append(parts, s.text)
			}
			if text := strings.Join(parts, " "); passes(c, text) {
				return text
			}
		}
	}
	return p.one(p.words().handover)
}

// replyChecks are the default checks that look at the reply.
var replyChecks = slices.DeleteFunc(coverage.DefaultChecks(), func(c coverage.Check) bool {
	return !slices.Contains([]string{"language", "placeholder", "voice", "grounding", "qualifiers", "claims", "length", "stock"}, c.Name)
})

// passes reports whether the checks that every item goes through find nothing in
// a reply.
func passes(c *coverage.Candidate, reply string) bool {
	c.Item.Examples[0].ExpectedOutput = reply
	return !slices.ContainsFunc(coverage.RunChecks(replyChecks, c), func(f coverage.Finding) bool { return !f.Warn && f.Field == "expected_output" })
}

// shelf keeps what texts say, so that each is read once. Its zero value is ready,
// and safe for concurrent use.
type shelf struct{ readings sync.Map }

// reading is what a text says, to be said to a customer.
type reading struct {
	docs    []*model.Document
	ground  *coverage.Ground
	sayings []saying
}

// saying is a sentence in the agent's voice.
type saying struct {
	text, source string
	stems        []string
}

func (s *shelf) read(l *lang.Language, text string) *reading {
	if known, ok := s.readings.Load(text); ok {
		if r, ok := known.(*reading); ok {
			return r
		}
	}
	r := &reading{}
	if doc, err := model.ParseMarkdown("text.md", []byte(text+"\n"), nil); err == nil {
		r.docs = []*model.Document{doc}
	}
	r.ground = coverage.NewGround(l, r.docs)
	for _, source := range sentences(text) {
		sp, ok := l.Speak(source)
		if !ok || sp.Text == "" || strings.ContainsAny(sp.Text, "?¿") || official(l, sp.Text) || l.Mentions(lang.TopicPerson, sp.Text) {
			continue
		}
		r.sayings = append(r.sayings, saying{sp.Text, source, l.Stems(source)})
	}
	s.readings.Store(text, r)
	return r
}
