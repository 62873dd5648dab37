package lang

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// outline writes the norms of a sentence in short: type, "~" when weak, and
// ?condition? and !exception!.
func outline(l *Language, sentence string) string {
	var out []string
	for _, n := range l.Norms(sentence) {
		s := string(n.Type)
		if n.Weak {
			s += "~"
		}
		for _, c := range n.Conditions {
			s += "?" + c + "?"
		}
		for _, c := range n.Exceptions {
			s += "!" + c + "!"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestNorms(t *testing.T) {
	t.Parallel()
	for code, cases := range map[string][]struct{ sentence, want string }{
		"en": {
			{"The courier must ring the bell before leaving the parcel.", "must"},
			{"Drivers must not open sealed boxes.", "must_not"},
			{"Guests may not smoke on the balcony.", "must_not"},
			{"Tenants shall pay the rent by the fifth of each month.", "must"},
			{"A deposit is required.", "must"},
			{"No pets in the gym.", "must_not"},
			{"Never share a patient's results with relatives.", "must_not"},
			{"Do not promise a delivery time.", "must_not"},
			{"Don't ask for a PIN.", "must_not"},
			{"Orders can only be changed before they are packed.", "must"},
			{"Refunds are paid within 14 days.", "must"},
			{"Returns are not accepted after 30 days.", "must_not"},
			{"If the customer is rude, stay polite and hand the chat over to a supervisor.", "style?If the customer is rude? escalate?If the customer is rude?"},
			{"When a caller asks for a manager, transfer the call to the team lead.", "escalate?When a caller asks for a manager?"},
			{"Escalate threats to the security team.", "escalate"},
			{"Complaints about staff go to the branch manager.", "escalate~"},
			{"Keep replies under 80 words.", "format"},
			{"Answer in two or three sentences.", "format"},
			{"Use a friendly tone.", "style"},
			{"Be polite.", "style"},
			{"Avoid jargon.", "style"},
			{"Do not be sarcastic.", "style"},
			{"The agent cannot see account balances.", "must_not"},
			{"We have no access to medical records.", "must_not"},
			{"Children under 12 must be accompanied by an adult unless they have a swimming badge.", "must!unless they have a swimming badge!"},
			{"Cancellation is free up to 24 hours before the lesson, except on holidays.", "must!except on holidays!"},
			{"Ask for the booking number first.", "must"},
			{"Please confirm the address before dispatch.", "must"},
			{"Always greet the customer by name.", "must"},
			{"You need to bring a photo ID.", "must"},
			{"The assistant should never guess a diagnosis.", "must_not"},
			{"The shop is open from 9 to 18.", "must~"},
			{"Parking costs 4 euros an hour.", "must~"},
			{"We accept cash and cards.", "must~"},
			{"Vouchers cannot be combined.", "must_not"},
			{"It is forbidden to store bikes in the hallway.", "must_not"},
			{"Smoking is prohibited.", "must_not"},
			{"Make sure that the form is signed.", "must"},
			{"Claims have to be filed no later than 10 days after the incident.", "must"},
			{"At least two references are needed.", "must"},
			{"Only licensed electricians may connect the stove.", "must"},
			{"The bot must be polite and must never argue.", "style must_not"},
			{"Staff must check the ID; copies are not made.", "must must_not"},
			{"In case of a leak, call the emergency line.", "must?In case of a leak?"},
			{"Spare keys are issued by the front desk.", "must~"},
			{"The workshop decides whether the part is replaced.", "must~"},
			{"Members get a discount of 10 percent.", "must~"},
			{"Do you need a receipt?", ""},
			{"Where can I park?", ""},
			{"This handbook was last updated in March.", "must~"},
			{"We are building a chat bot for a bakery.", "must~"},
			{"Customers often forget their number.", ""},
			{"People don't read the terms.", ""},
			{"The sky was blue that day.", ""},
			{"Thank you for reading.", ""},
			{"Our bakery was founded in 1987.", ""},
			{"Use bullet points in long answers.", "format"},
			{"A reply is no longer than five lines.", "format~"},
			{"Medical questions are answered by a nurse.", "must~"},
			{"Offer another date when the slot is taken.", "must?when the slot is taken?"},
			{"Unless the customer objects, send the invoice by e-mail.", "must!Unless the customer objects!"},
			{"Pass the request on to the billing department.", "escalate"},
			{"We do not sell spare parts.", "must_not"},
			{"The tour starts at 10:00 and lasts two hours.", "must~"},
			{"Gift cards are valid for one year.", "must~"},
			{"Warranty does not cover water damage.", "must_not"},
			{"Ask once, then close the chat.", "must"},
		},
		"ru": {
			{"Курьер обязан позвонить за час до приезда.", "must"},
			{"Водитель не должен вскрывать посылку.", "must_not"},
			{"Нельзя курить на балконе.", "must_not"},
			{"Запрещено передавать ключи посторонним.", "must_not"},
			{"Для заселения нужен паспорт.", "must"},
			{"Оплата принимается только картой.", "must"},
			{"Возврат возможен в течение 14 дней.", "must"},
			{"После оплаты отменить бронь нельзя.", "must_not"},
			{"Не сообщайте код из СМС.", "must_not"},
			{"Не давать личный телефон мастера.", "must_not"},
			{"Всегда здоровайтесь с клиентом по имени.", "must"},
			{"Передайте обращение старшему оператору.", "escalate"},
			{"При угрозах — сразу администратору.", "escalate?При угрозах?"},
			{"Если клиент ругается, отвечаем спокойно и передаём разговор менеджеру.", "style~?Если клиент ругается? escalate~?Если клиент ругается?"},
			{"Когда абонент жалуется на качество, уточните адрес и номер договора.", "must?Когда абонент жалуется на качество?"},
			{"Ответ не длиннее пяти предложений.", "format~"},
			{"Пишем коротко, одним сообщением.", "format~"},
			{"Общаемся вежливо, без сарказма.", "style~"},
			{"Обращаемся на «вы».", "style~"},
			{"У бота нет доступа к медицинской карте.", "must_not"},
			{"Бот не видит историю заказов.", "must_not"},
			{"Справки выдаются лично в регистратуре.", "must~"},
			{"Дети до 12 лет — только в сопровождении взрослых, кроме занятий в бассейне.", "must!кроме занятий в бассейне!"},
			{"Отмена бесплатна за сутки до занятия, если не указано иное.", "must~!если не указано иное!"},
			{"Заявление нужно подать не позднее чем за 10 дней.", "must"},
			{"Минимум два документа.", "must"},
			{"Скидки не суммируются.", "must_not"},
			{"Мы принимаем наличные и карты.", "must~"},
			{"Работаем с 9 до 18, без перерыва.", "must~"},
			{"Парковка стоит 200 рублей в час.", "must~"},
			{"Доставка по городу бесплатная.", "must~"},
			{"Уточните номер заказа.", "must"},
			{"Попросите прислать фото повреждения.", "must"},
			{"Предлагаем другую дату, если место занято.", "must~?если место занято?"},
			{"Срок гарантии — один год.", "must~"},
			{"Гарантия не покрывает механические повреждения.", "must_not"},
			{"Решение принимает инженер.", "must~"},
			{"По вопросам оплаты обращайтесь в бухгалтерию.", "escalate"},
			{"Бот должен быть вежливым и никогда не спорить.", "style must_not"},
			{"Персонал проверяет документ; копии не снимаются.", "must_not"},
			{"Обещать сроки ремонта запрещается.", "must_not"},
			{"Разрешается приводить собак на поводке.", "must~"},
			{"Вы можете вернуть книгу в любой филиал.", "must~"},
			{"Следует предупредить клиента о цене.", "must"},
			{"Необходимо указать ФИО и дату рождения.", "must"},
			{"Ни в коем случае не называйте фамилию отправителя.", "must_not"},
			{"Прокат закрывается в 20:00.", "must~"},
			{"Залог возвращаем сразу после осмотра.", "must"},
			{"Инструмент без залога не выдаём.", "must_not"},
			{"Вам нужен чек?", ""},
			{"Где забрать заказ?", ""},
			{"Мы делаем чат-бота для проката.", "must~"},
			{"Люди часто забывают номер.", ""},
			{"Клиенты не читают правила.", ""},
			{"Вчера был сильный дождь.", ""},
			{"Спасибо за внимание!", ""},
			{"Наша мастерская открылась в 1999 году.", ""},
			{"Исправлять опечатки и пунктуацию.", "must"},
			{"Сообщение должно быть без капслока.", "must"},
			{"Смайлики в ответах недопустимы.", "style"},
			{"Спорные случаи решает управляющий.", "escalate~"},
			{"Звонки о задержке переводим на диспетчера.", "escalate~"},
			{"Повторный визит — бесплатно.", "must~"},
			{"Если ключ потерян, замена замка за счёт жильца.", "must~?Если ключ потерян?"},
			{"Подтвердите запись, затем отправьте напоминание.", "must"},
		},
	} {
		l, err := For(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			if diff := cmp.Diff(c.want, outline(l, c.sentence)); diff != "" {
				t.Errorf("%s: %q (-want +got)\n%s", code, c.sentence, diff)
			}
		}
	}
}

func TestNormParts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code, sentence string
		want           []string // parts
	}{
		{"en", "The bot must be polite and must never argue.", []string{"The bot must be polite", "The bot must never argue."}},
		{"en", "Staff check the ID; copies are not made.", []string{"Staff check the ID", "copies are not made."}},
		{"en", "The agent asks for the name, then passes the chat on.", []string{"The agent asks for the name", "The agent passes the chat on."}},
		{"en", "Pass payment disputes to an operator (do not guess the reason).", []string{"Pass payment disputes to an operator.", "do not guess the reason"}},
		{"en", "If a guest is rude, stay polite and hand the chat over to a supervisor.", []string{"If a guest is rude, stay polite", "If a guest is rude, hand the chat over to a supervisor."}},
		{"ru", "Бот не спрашивает паспорт, но должен напомнить о визите.", []string{"Бот не спрашивает паспорт", "Бот должен напомнить о визите."}},
		{"ru", "Оператор спрашивает номер и зовёт старшего.", []string{"Оператор спрашивает номер", "Оператор зовёт старшего."}},
		{"ru", "Передать на оператора (не придумывать данные).", []string{"Передать на оператора.", "не придумывать данные"}},
		{"ru", "Допускаются термины (их нельзя заменять).", []string{"Допускаются термины (их нельзя заменять)."}},
	} {
		l, err := For(c.code)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range l.Norms(c.sentence) {
			got = append(got, n.Part)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.sentence, diff)
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"One. Two! Three? four", []string{"One.", "Two!", "Three? four"}},
		{"Pay by card, e.g. Visa. No cheques.", []string{"Pay by card, e.g. Visa.", "No cheques."}},
		{"Ask Dr. Brown at 10.30 a.m. sharp.", []string{"Ask Dr. Brown at 10.30 a.m. sharp."}},
		{"Адрес: ул. Ленина, д. 5. Вход со двора.", []string{"Адрес: ул. Ленина, д. 5.", "Вход со двора."}},
		{"Нужны имя, адрес и т. п. Остальное не нужно.", []string{"Нужны имя, адрес и т. п.", "Остальное не нужно."}},
		{"Он пишет «Где заказ? Жду!» и уходит. Мы отвечаем.", []string{"Он пишет «Где заказ? Жду!» и уходит.", "Мы отвечаем."}},
		{"Wait (it takes 2 min. or so). Then go on.", []string{"Wait (it takes 2 min. or so).", "Then go on."}},
		{"Wo ist meine Bestellung? Bitte warten Sie z.B. zwei Tage.", []string{"Wo ist meine Bestellung?", "Bitte warten Sie z.B. zwei Tage."}},
		{"ეს წესია. მეორე წესი.", []string{"ეს წესია.", "მეორე წესი."}},
		{"これは規則です。次の規則。", []string{"これは規則です。", "次の規則。"}},
		{"First line\nsecond line", []string{"First line", "second line"}},
		{" \n ", nil},
	} {
		if diff := cmp.Diff(c.want, Sentences(c.text)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.text, diff)
		}
	}
}

func TestDetect(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"The bot must answer the customer within a day.":               "en",
		"Бот должен отвечать клиенту в течение дня.":                   "ru",
		"Бот повинен відповідати клієнту і не може чекати.":            "uk",
		"Der Bot muss dem Kunden antworten und darf nicht warten.":     "de",
		"Le bot ne doit pas répondre aux clients qui sont des robots.": "fr",
		"ბოტმა უნდა უპასუხოს მომხმარებელს.":                            "ka",
		"ボットは答えなければなりません。":                                             "ja",
		"хочу вернуть товар":                                           "ru",
		"12345 !!!":                                                    "",
		"":                                                             "",
		"xkcd qwerty":                                                  "",
	} {
		if got := Detect(text); got != want {
			t.Errorf("Detect(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestStems(t *testing.T) {
	t.Parallel()
	for code, groups := range map[string][][]string{
		"en": {{"refund", "refunds", "refunded"}, {"delivery", "deliveries"}, {"customer's", "customer", "customer’s"}},
		"ru": {{"возврат", "возврата", "возвраты"}, {"счёт", "счет", "счета"}, {"заказ", "заказы", "заказов"}},
	} {
		l, err := For(code)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			for _, w := range g {
				if l.Stem(w) != l.Stem(g[0]) {
					t.Errorf("stem of %q is %q, of %q %q", w, l.Stem(w), g[0], l.Stem(g[0]))
				}
			}
		}
	}
	if _, err := For("de"); err == nil || !strings.Contains(err.Error(), "en, ru") {
		t.Errorf("an unknown language: %v", err)
	}
}

func TestQuantities(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code, text string
		want       []Quantity
	}{
		{"en", "2–7 working days", []Quantity{{"48", "hour"}, {"168", "hour"}}},
		{"en", "within two weeks or 14 days", []Quantity{{"336", "hour"}, {"336", "hour"}}},
		{"en", "one of them", nil},
		{"en", "open 9:00 to 18:00", []Quantity{{"9", ""}, {"18", ""}}},
		{"ru", "за сутки до визита", []Quantity{{"24", "hour"}}},
		{"ru", "не позднее чем за двое суток или 24 часа", []Quantity{{"48", "hour"}, {"24", "hour"}}},
		{"ru", "500 рублей", []Quantity{{"500", "rub"}}},
	} {
		l, err := For(c.code)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, l.Quantities(c.text)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.text, diff)
		}
	}
}

func TestTaskNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, question, want string }{
		{"en", "Can I bring my dog?", "Customer wants to bring their dog"},
		{"en", "How do I change the address?", "Customer wants to change the address"},
		{"en", "What does it cost?", "Customer asks: what does it cost"},
		{"ru", "Как отменить заказ?", "Клиент хочет отменить заказ"},
		{"ru", "Можно ли оплатить картой?", "Клиент хочет оплатить картой"},
		{"ru", "Сколько стоит доставка?", "Клиент спрашивает: сколько стоит доставка"},
	} {
		l, err := For(c.code)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.TaskOf(c.question); got != c.want {
			t.Errorf("TaskOf(%q) = %q, want %q", c.question, got, c.want)
		}
	}
}

func TestConditionTask(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, condition, want string }{
		{"en", "If a customer asks for a refund", "A customer asks for a refund"},
		{"en", "when the tenant reports a leak", "The tenant reports a leak"},
		{"en", "if the customer lives abroad", ""},
		{"en", "if the parcel is heavy", ""},
		{"ru", "Если клиент требует руководителя", "Клиент требует руководителя"},
		{"ru", "если спрашивают «почём»", "Ситуация: спрашивают «почём»"},
		{"ru", "если клиент живёт за городом", ""},
		{"ru", "пока заказ не оплачен", ""},
	} {
		l, err := For(c.code)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.ConditionTask(c.condition); got != c.want {
			t.Errorf("ConditionTask(%q) = %q, want %q", c.condition, got, c.want)
		}
	}
}

// A condition may be a series: it ends where the main clause begins, not at its
// first comma.
func TestConditionSeries(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lang, sentence, want string }{
		{"en", "If a guest faints, has a fever or cannot walk, the assistant must call a doctor and name the number 112.", "If a guest faints, has a fever or cannot walk"},
		{"en", "If the parcel is wet, torn, or open, the driver must take a photo.", "If the parcel is wet, torn, or open"},
		{"en", "When a caller shouts, does not listen or asks for a manager, hand the call over to the supervisor.", "When a caller shouts, does not listen or asks for a manager"},
		{"en", "If the form is late, is not signed, it must be sent back.", "If the form is late, is not signed"},
		{"en", "If the guest is late, call or text them, and keep the table for 15 minutes.", "If the guest is late"},
		{"en", "If the order is late, the shop must refund or replace it, whichever the customer prefers.", "If the order is late"},
		{"ru", "Если гость кричит, не отвечает или угрожает, администратор должен вызвать охрану.", "Если гость кричит, не отвечает или угрожает"},
		{"ru", "Если посылка намокла, порвана или не закрыта, то курьер должен сделать фото.", "Если посылка намокла, порвана или не закрыта"},
		{"ru", "Если клиент не пришёл, не позвонил, то запись снимается через 15 минут.", "Если клиент не пришёл, не позвонил"},
		{"ru", "Если ключ потерян, гость пишет заявление, и отель меняет замок в течение 3 дней.", "Если ключ потерян"},
		{"ru", "Если клиент недоволен, бот должен извиниться или предложить скидку, то есть смягчить отказ.", "Если клиент недоволен"},
	} {
		l, err := For(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		ns := l.Norms(tt.sentence)
		if len(ns) == 0 {
			t.Errorf("%s: no norms", tt.sentence)
			continue
		}
		for _, n := range ns {
			if diff := cmp.Diff([]string{tt.want}, n.Conditions); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.sentence, diff)
			}
			if strings.HasPrefix(n.Text, "то ") {
				t.Errorf("%s: text %q", tt.sentence, n.Text)
			}
			if l.Fragment(n.Part) {
				t.Errorf("%s: part %q has no main clause", tt.sentence, n.Part)
			}
		}
	}
}

func TestFragment(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang, text string
		want       bool
	}{
		{"en", "If a guest faints, has a fever or cannot walk", true},
		{"en", "When orders arrive late.", true},
		{"en", "If a guest faints, call a doctor.", false},
		{"en", "If you cancel later the fee is $5.", false},
		{"en", "Refunds take a week if the form is signed.", false},
		{"ru", "Если гость кричит", true},
		{"ru", "Если не помогло — зовём мастера.", false},
		{"ru", "Если гость кричит, зовём охрану", false},
		{"ru", "Когда вы открыты?", false},
	} {
		l, err := For(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Fragment(tt.text); got != tt.want {
			t.Errorf("Fragment(%q) = %v", tt.text, got)
		}
	}
}

// A sentence that begins with a preposition may oblige before its first comma.
func TestAdverbialObliges(t *testing.T) {
	t.Parallel()
	l, err := For("ru")
	if err != nil {
		t.Fatal(err)
	}
	const s = "После отъезда жалобы принимаются только при наличии квитанции, подписанной в течение 2 часов."
	for _, n := range l.Norms(s) {
		if len(n.Conditions) > 0 {
			t.Errorf("conditions %q", n.Conditions)
		}
	}
}

// A part that begins with a pronoun for the agent names the agent.
func TestPronounOfAgent(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lang, sentence, want string }{
		{"en", "The bot must never name a price; it must offer a call from the office.", "The bot must offer a call from the office."},
		{"en", "The bot must ask for the form; it must be signed.", "it must be signed."},
		{"en", "The parcel must be weighed; it must not offer less than 2 kg.", "it must not offer less than 2 kg."},
		{"ru", "Ассистент не должен называть цену; он предлагает звонок из офиса не позднее 18:00.", "Ассистент предлагает звонок из офиса не позднее 18:00."},
		{"ru", "Ассистент должен попросить справку; она должна быть подписана.", "она должна быть подписана."},
	} {
		l, err := For(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		ns := l.Norms(tt.sentence)
		if len(ns) < 2 {
			t.Errorf("%s: %d norms", tt.sentence, len(ns))
			continue
		}
		if got := ns[len(ns)-1].Part; got != tt.want {
			t.Errorf("%s: last part %q, want %q", tt.sentence, got, tt.want)
		}
	}
}
