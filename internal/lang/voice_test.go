package lang_test

import (
	"testing"

	"github.com/casebook-go/casebook/internal/lang"
)

func TestSpeak(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lang, norm, want string
		act              lang.Act
	}{
		{"en", "The bot has no access to the customer's account.", "I have no access to your account.", lang.ActDeny},
		{"en", "The assistant does not have access to payment data", "I have no access to payment data.", lang.ActDeny},
		{"en", "The agent must ask for the booking number before changing anything", "Please tell me your booking number.", lang.ActAsk},
		{"en", "Ask for the order number first.", "Please tell me your order number.", lang.ActAsk},
		{"en", "Agents must always ask the customer for the name and date of the visit.", "Please tell me your name and date of the visit.", lang.ActAsk},
		{"en", "Ask whether the customer has a receipt", "Could you tell me whether you have a receipt?", lang.ActAsk},
		{"en", "Ask for patience", "", ""},
		{"en", "Group bookings go to the events team", "Group bookings go to the events team.", lang.ActFact},
		{"en", "hand over to the duty manager", "I am handing your request over to the duty manager.", lang.ActHandOver},
		{"en", "If the guest complains about noise, the agent must pass the case to the night manager.", "I am handing your request over to the night manager.", lang.ActHandOver},
		{"en", "Payment disputes must be escalated to the billing team.", "I am handing your request over to the billing team.", lang.ActHandOver},
		{"en", "Transfer angry callers to a supervisor immediately.", "I am handing your request over to a supervisor.", lang.ActHandOver},
		{"en", "Send the label to the customer", "", ""},
		{"en", "The bot must never promise a delivery hour.", "I cannot promise a delivery hour.", lang.ActDeny},
		{"en", "Do not share a doctor's personal number.", "I cannot share a doctor's personal number.", lang.ActDeny},
		{"en", "Never argue with the customer.", "", ""},
		{"en", "Be polite and friendly.", "", ""},
		{"en", "Replies must be shorter than three sentences.", "", ""},
		{"en", "Returns are accepted within 14 days if the item is unused.", "Returns are accepted within 14 days if the item is unused.", lang.ActFact},
		{"en", "delivery takes 2–7 working days", "Delivery takes 2–7 working days.", lang.ActFact},
		{"en", "Customers can cancel their order until it is packed.", "You can cancel your order until it is packed.", lang.ActFact},
		{"en", "The guest pays a deposit of 50 euros on arrival.", "You pay a deposit of 50 euros on arrival.", lang.ActFact},
		{"en", "A refund is sent to the customer within 5 working days.", "A refund is sent to you within 5 working days.", lang.ActFact},
		{"en", "Tell the customer that the shop is closed on Sunday.", "The shop is closed on Sunday.", lang.ActFact},
		{"en", "The agent must apologise for the delay.", "I am sorry about this.", lang.ActSorry},
		{"en", "Offer another date or a later slot", "I can offer you another date or a later slot.", lang.ActOffer},
		{"en", "The bot can book, move and cancel appointments", "I can book, move and cancel appointments.", lang.ActFact},
		{"en", "The bot does not store prices.", "I do not store prices.", lang.ActDeny},
		{"en", "The bot answers only questions about the hotel", "I answer only questions about the hotel.", lang.ActFact},
		{"en", "If the parcel is lost, a refund is paid within 5 days.", "If the parcel is lost, a refund is paid within 5 days.", lang.ActFact},
		{"en", "The agent should thank the customer", "", ""},
		{"en", "Sarcasm is forbidden", "", ""},
		{"en", "Do not use capitals.", "", ""},
		{"en", "Check the export for duplicates", "", ""},
		{"en", "Please note that bikes must be returned by 19:00.", "Bikes must be returned by 19:00.", lang.ActFact},
		{"en", "The operator must not confirm a cancellation without a booking number", "I cannot confirm a cancellation without a booking number.", lang.ActDeny},
		{"en", "No discount may be promised", "No discount can be promised.", lang.ActFact},
		{"en", "Customers who lose the key pay 20 euros", "", ""},
		{"en", "Remind the customer to bring an ID.", "Please bring an ID.", lang.ActFact},
		{"en", "Complaints: hand over to the shift lead", "I am handing your request over to the shift lead.", lang.ActHandOver},
		{"en", "The assistant must not diagnose. It should offer an appointment.", "I can offer you an appointment.", lang.ActOffer},
		{"en", "If a guest faints, has a fever or cannot walk", "", ""},
		{"ru", "Если гость кричит", "", ""},
		{"en", "A pass can be paused if the member is ill, travels or moves house.", "A pass can be paused if you are ill, travel or move house.", lang.ActFact},
		{"en", "A pass can be paused if the member is ill.", "A pass can be paused if you are ill.", lang.ActFact},
		{"en", "Escalate", "", ""},
		{"en", "", "", ""},
		{"en", "A helmet is included in the price.", "A helmet is included in the price.", lang.ActFact},
		{"en", "See the FAQ", "", ""},
		{"en", "The customer wants to withdraw a claim: Asks for claim number and registration first, and only then confirms", "Please tell me your claim number and registration.", lang.ActAsk},
		{"en", "Says that the assessor sets the date; offers to note a call-back", "The assessor sets the date.", lang.ActFact},
		{"en", "Declines, whatever the reason", "", ""},
		{"en", "When a customer complains to the ombudsman, or demands a manager, the handler doesn't argue but passes the chat to the complaints desk.", "I am handing your request over to the complaints desk.", lang.ActHandOver},

		{"ru", "У бота нет доступа к личному кабинету клиента", "У меня нет доступа к вашему личному кабинету.", lang.ActDeny},
		{"ru", "У бота нет доступа к личному кабинету клиента и к персональным данным клиента.", "У меня нет доступа к вашему личному кабинету и к вашим персональным данным.", lang.ActDeny},
		{"ru", "Бот не имеет доступа к ЛК.", "У меня нет доступа к ЛК.", lang.ActDeny},
		{"ru", "Бот не хранит прайс.", "Я не храню прайс.", lang.ActFact},
		{"ru", "Оператор обязан уточнить номер заказа", "Уточните, пожалуйста, номер заказа.", lang.ActAsk},
		{"ru", "Если пользователь просит отменить запись — оператор должен уточнить идентификатор (ФИО/дату/время) и подтвердить отмену.", "Уточните, пожалуйста, ФИО, дату и время.", lang.ActAsk},
		{"ru", "Нельзя обещать доставку в конкретный час", "Я не могу обещать доставку в конкретный час.", lang.ActDeny},
		{"ru", "Не давать личный номер врача.", "Я не могу дать личный номер врача.", lang.ActDeny},
		{"ru", "Доставка по городу занимает 2–7 рабочих дней", "Доставка по городу занимает 2–7 рабочих дней.", lang.ActFact},
		{"ru", "возврат возможен в течение 14 дней с момента получения", "Возврат возможен в течение 14 дней с момента получения.", lang.ActFact},
		{"ru", "Вопросы об оплате передавать бухгалтеру.", "Передаю ваше обращение бухгалтеру.", lang.ActHandOver},
		{"ru", "Передать обращение дежурному администратору", "Передаю ваше обращение дежурному администратору.", lang.ActHandOver},
		{"ru", "Бот должен передать вопрос на оператора", "Передаю ваше обращение оператору.", lang.ActHandOver},
		{"ru", "эскалация на старшего/оператора 2 линии", "Передаю ваше обращение оператору 2 линии.", lang.ActHandOver},
		{"ru", "Жалобы передаются на вторую линию", "Передаю ваше обращение на вторую линию.", lang.ActHandOver},
		{"ru", "Когда клиент ругается, угрожает — сразу оператору.", "Передаю ваше обращение оператору.", lang.ActHandOver},
		{"ru", "Сообщение должно быть вежливым, без грубости", "", ""},
		{"ru", "Нельзя использовать капслок", "", ""},
		{"ru", "Нужно исправлять явные опечатки", "", ""},
		{"ru", "Клиент может отменить заказ до отправки", "Вы можете отменить заказ до отправки.", lang.ActFact},
		{"ru", "Клиент обязан предъявить паспорт", "Вам нужно предъявить паспорт.", lang.ActFact},
		{"ru", "Предложить другую дату", "Могу предложить другую дату.", lang.ActOffer},
		{"ru", "Бот должен предложить оставить заявку", "Предлагаю оставить заявку.", lang.ActOffer},
		{"ru", "Напомнить клиенту, что приходить нужно с паспортом", "Приходить нужно с паспортом.", lang.ActFact},
		{"ru", "Запросить дату и сумму платежа", "Уточните, пожалуйста, дату и сумму платежа.", lang.ActAsk},
		{"ru", "Запросить у клиента номер договора", "Уточните, пожалуйста, номер договора.", lang.ActAsk},
		{"ru", "Уточнить всё, что нужно", "", ""},
		{"ru", "Оператор должен извиниться за задержку", "Приношу извинения за эту ситуацию.", lang.ActSorry},
		{"ru", "Запрещено сообщать адрес получателя", "Я не могу сообщить адрес получателя.", lang.ActDeny},
		{"ru", "Бот отвечает только на вопросы о доставке", "Я отвечаю только на вопросы о доставке.", lang.ActFact},
		{"ru", "Бот не спрашивает паспорт", "Я не спрашиваю паспорт.", lang.ActFact},
		{"ru", "Бот не грубит клиенту", "", ""},
		{"ru", "Оператор не должен отвечать матом", "", ""},
		{"ru", "Говорим расписание и предлагаем оставить заявку", "", ""},
		{"ru", "Чек приходит на email после оплаты.", "Чек приходит на email после оплаты.", lang.ActFact},
		{"ru", "Если товар повреждён, нужно прислать фото.", "Если товар повреждён, нужно прислать фото.", lang.ActFact},
		{"ru", "Если пользователь матерится — оператор должен сохранять нейтральный тон", "", ""},
		{"ru", "Обращаться к клиенту на «вы»", "", ""},
		{"ru", "Иногда пишут «записать маму» — нужны ФИО пациента", "", ""},
		{"ru", "Подтвердить отмену", "После этого подтвержу отмену.", lang.ActFact},
		{"ru", "Бот не может менять тариф", "Я не могу поменять тариф.", lang.ActDeny},
		{"ru", "Эскалация", "", ""},
		{"ru", "", "", ""},
		{"ru", "Личные контакты не предоставляем.", "Личные контакты не предоставляем.", lang.ActFact},
	} {
		l, err := lang.For(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := l.Speak(tt.norm)
		if !ok {
			got = lang.Spoken{}
		}
		if got.Text != tt.want || got.Act != tt.act {
			t.Errorf("%s: Speak(%q)\n got %q (%s)\nwant %q (%s)", tt.lang, tt.norm, got.Text, got.Act, tt.want, tt.act)
		}
	}
}
