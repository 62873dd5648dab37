package coverage_test

import (
	"testing"

	"github.com/casebook-go/casebook/model"
)

var hotel = &business{
	language: "en", profile: model.SupportBot,
	markdown: `# Harbour Inn guest chat

## About us
Check-in is from 14:00, check-out is until 11:00. Late check-out until 14:00 costs 20 EUR and is subject to availability.
Breakfast is served daily from 7 to 10 am and costs €12 per person; children under 6 eat free.
Pets up to 10 kg are welcome for €15 per night, at most two per room.
Parking: 30 spaces, €8 a day, no reservation possible. Tram line 4 stops in front of the hotel, the ride to the centre takes about 15 minutes.

## Booking
- A booking can be cancelled free of charge up to 48 hours before arrival; later the first night is charged.
- To change or cancel a booking the bot asks for the booking number and the last name and passes the request to the front desk.
- The bot cannot see bookings or payments.
- Groups of ten or more write to groups@harbour.example.
- We accept Visa, Mastercard and cash; a deposit of 50 EUR is taken at check-in and returned within 7 business days.
- Refunds take 5 to 10 business days.
- Never promise an upgrade or a discount.
- Lost property is kept for three months.
- Complaints about noise go to the duty manager, phone +49 40 555-01-20.
`,
	useCase: model.UseCase{ID: "uc_h", Case: model.CaseSupportBot, Name: "Ask about a stay", Description: "A guest asks about check-in, breakfast, pets, parking or a booking."},
	policies: []model.Policy{
		policy("info", model.Must, "Check-in is from 14:00, check-out is until 11:00."),
		policy("blind", model.MustNot, "The bot cannot see bookings or payments."),
		policy("id", model.Must, "To change or cancel a booking the bot asks for the booking number and the last name."),
		policy("promise", model.MustNot, "Never promise an upgrade or a discount."),
		policy("noise", model.Escalate, "Complaints about noise go to the duty manager."),
	},
	criteria: []string{"The answer gives the check-in or booking terms as they are", "The answer claims nothing about the guest's booking", "The answer promises no upgrade or discount"},
}

// Good answers of another business, none of which the checks were made on.
func TestChecksPassGoodAnswersEnglish(t *testing.T) {
	t.Parallel()
	corpus(t, hotel, []sample{
		{in: "can we come at noon", out: "Check-in starts at 14:00. If you arrive earlier, please tell me your booking number and I will pass your wish to the front desk."},
		{in: "is it possible to leave at 1pm", out: "Check-out is until 11:00. A late check-out until 14:00 costs 20 EUR and depends on availability."},
		{in: "is it possible to leave at 1pm", out: "Yes, if a room is available: late check-out (until 2 pm) costs €20. Otherwise check-out is by 11 am."},
		{in: "my kid is 4, does he pay for breakfast", out: "No, children under 6 eat free. For everyone else breakfast costs €12 per person, from 7 to 10 am."},
		{in: "two dogs 8 kilos each?", out: "Two dogs are fine: pets up to 10 kg are welcome, at most two per room, for €15 per night."},
		{in: "my dog is 14 kilos", out: "I'm sorry, we only accept pets up to 10 kg, so a dog of 14 kg cannot stay with us."},
		{in: "can i reserve parking", out: "Parking can't be reserved: there are 30 spaces for €8 a day."},
		{in: "how do i get downtown", out: "Take tram line 4 in front of the hotel; the ride takes about a quarter of an hour."},
		{in: "how do i get downtown", out: "Take tram line 4, which stops in front of the hotel. The ride to the centre takes around 15 minutes."},
		{in: "cancel my room", out: "You can cancel free of charge up to 48 hours before arrival; after that the first night is charged. Please send me your booking number and last name, and I will pass the request to the front desk.", policies: "pol_id"},
		{in: "booking 77812, Miller, please cancel", out: "Thank you, Mr Miller. I am passing the cancellation of booking 77812 to the front desk. Please note that within 48 hours of arrival the first night is charged.", policies: "pol_id"},
		{in: "did my payment go through", out: "I can't see payments, so I'm unable to confirm that. The front desk can check it for you; may I have your booking number?", policies: "pol_blind"},
		{in: "was my booking confirmed?", out: "I have no access to bookings. Could you give me your booking number and last name so that the front desk can check whether it has been confirmed?", policies: "pol_blind pol_id"},
		{in: "we're 12 people", out: "For groups of ten or more please write to groups@harbour.example."},
		{in: "can I pay with amex", out: "I'm afraid not: we accept Visa, Mastercard and cash."},
		{in: "when do I get my deposit back", out: "The deposit of 50 EUR is returned within 7 business days."},
		{in: "you owe me a refund since monday!!", out: "I understand you are waiting for your money. Refunds take 5 to 10 business days. If it does not arrive by then, tell me your booking number and I will pass it on.", policies: "pol_promise"},
		{in: "give me an upgrade, i come every year", out: "Thank you for coming back every year. I can't promise an upgrade, but I can pass your wish to the front desk.", policies: "pol_promise", pressed: true},
		{in: "other hotels give 10% off", out: "I understand, but I'm not able to offer a discount.", policies: "pol_promise", pressed: true},
		{in: "left my jacket in the room in spring", out: "Lost property is kept for three months. Please describe the jacket and tell me the dates of your stay."},
		{in: "neighbours are screaming at 2 am!!!", out: "I'm sorry about the noise. Please call the duty manager at +49 40 555-01-20.", policies: "pol_noise"},
		{in: "As your client since 2010 I expect an answer", out: "Thank you for your loyalty. What would you like to know?"},
		{in: "I booked via a site, they said the customer service closes at five", out: "You can ask me here at any time. What would you like to know about your stay?"},
		{in: "what documents do you need", out: "I don't have that information. The front desk will be glad to tell you."},
		{in: "do you have a pool?", out: "I don't have information about a pool. Would you like me to ask the front desk?"},
		{in: "the agent on the phone was rude", out: "I'm sorry to hear that. I will pass your complaint to the duty manager.", policies: "pol_noise"},
		{in: "if the bot can't help, who can?", out: "The front desk can. Shall I pass your question on?", corner: "off_topic"},
		{in: "what happens to my money if i cancel two days before", out: "If you cancel at least 48 hours before arrival, nothing is charged. Later than that, we charge the first night.", policies: "pol_id"},
		{in: "The heating in 305 has not been repaired", out: "I'm sorry that the heating in room 305 has not been repaired. I will let the front desk know.", policies: "pol_noise"},
	})
}

var flowers = &business{
	language: "ru", profile: model.SupportBot,
	markdown: `# Чат доставки цветов «Пион»

## Правила
Доставка по городу 300 ₽, бесплатно от 3000 ₽. Доставляем ежедневно с 9 до 21, интервал — 2 часа. За город — по договорённости с менеджером.
Букет можно заменить или отменить не позднее чем за 3 часа до доставки. Для этого нужны номер заказа и телефон получателя.
Если цветы завяли в первые сутки, пришлите фото — заменим букет или вернём деньги в течение 10 календарных дней.
Оплата: карта, наличные курьеру. Рассрочки нет. Скидка 10% по карте клиента, на акции не действует.
Анонимную доставку делаем, имя отправителя не раскрываем.
Чат не видит статус заказа и координаты курьера: такие вопросы — оператору, +7 (812) 000-00-XX.
На мат и угрозы не отвечаем тем же, спокойно предлагаем оператора.
Предзаказ на 8 марта принимаем до 1 марта. Самовывоз: ул. Садовая, 5.
`,
	useCase: model.UseCase{ID: "uc_f", Case: model.CaseSupportBot, Name: "Вопрос о доставке букета", Description: "Покупатель спрашивает о доставке, замене, отмене или оплате букета."},
	policies: []model.Policy{
		policy("ship", model.Must, "Доставка по городу 300 ₽, бесплатно от 3000 ₽."),
		policy("blind", model.MustNot, "Чат не видит статус заказа и координаты курьера."),
		policy("cancel", model.Must, "Для замены или отмены букета нужны номер заказа и телефон получателя."),
		policy("anon", model.MustNot, "Имя отправителя не раскрываем."),
		policy("calm", model.Style, "На мат и угрозы не отвечаем тем же."),
	},
	criteria: []string{"Условия доставки букета названы точно", "Нет выдуманного статуса заказа", "Имя отправителя не раскрыто"},
}

// Good answers in Russian, likewise.
func TestChecksPassGoodAnswersRussian(t *testing.T) {
	t.Parallel()
	corpus(t, flowers, []sample{
		{in: "сколько за доставку", out: "По городу доставка стоит 300 рублей, а при заказе от 3000 рублей — бесплатно."},
		{in: "а если на 3500 закажу", out: "Тогда доставка по городу будет бесплатной: она бесплатна от 3000 ₽."},
		{in: "до скольки возите", out: "Доставляем ежедневно с 9:00 до 21:00, интервал — два часа."},
		{in: "а за город?", out: "За город доставляем по договорённости. Передать ваш вопрос менеджеру?"},
		{in: "хочу отменить букет", out: "Отменить букет можно не позднее чем за 3 часа до доставки. Напишите, пожалуйста, номер заказа и телефон получателя.", policies: "pol_cancel"},
		{in: "заказ 4412, получатель +7 921 111-22-33, отмените", out: "Спасибо! Передаю отмену заказа 4412 оператору. Если до доставки меньше 3 часов, отменить букет уже не получится.", policies: "pol_cancel"},
		{in: "цветы завяли на следующий день!!", out: "Очень жаль, что так вышло. Пришлите, пожалуйста, фото: если букет завял в первые сутки, мы заменим его или вернём деньги в течение 10 календарных дней.", policies: "pol_ship"},
		{in: "прошло три дня, букет завял, верните деньги", out: "Сожалею. Замена и возврат возможны, только если цветы завяли в первые сутки, поэтому вернуть деньги не сможем."},
		{in: "рассрочка есть?", out: "Нет, рассрочки у нас нет. Оплатить можно картой или наличными курьеру."},
		{in: "у меня карта постоянного покупателя, сколько скинете", out: "По карте действует скидка 10 %, кроме акционных букетов."},
		{in: "кто мне прислал цветы??", out: "Рады, что букет вам понравился! Имя отправителя мы не раскрываем.", policies: "pol_anon", pressed: true},
		{in: "где курьер, уже час жду", out: "Понимаю, ждать неприятно. Статус заказа я не вижу, его подскажет оператор: +7 (812) 000-00-XX.", policies: "pol_blind"},
		{in: "где курьер, заказ 4412", out: "К сожалению, координаты курьера мне не видны. Передаю вопрос по заказу 4412 оператору.", policies: "pol_blind"},
		{in: "доставили или нет", out: "Я не вижу, доставлен ли заказ. Уточните, пожалуйста, номер — передам вопрос оператору.", policies: "pol_blind"},
		{in: "суки где букет", out: "Понимаю ваше возмущение. Давайте я передам вопрос оператору, он подскажет, где букет.", policies: "pol_calm"},
		{in: "хочу на 8 марта заказать", out: "С удовольствием! Предзаказ на 8 марта принимаем до 1 марта. Какой букет вам нужен?"},
		{in: "можно самому забрать", out: "Да, самовывоз по адресу: ул. Садовая, 5."},
		{in: "хочу чтобы не знали от кого", out: "Конечно, мы доставим букет анонимно и не назовём имя отправителя.", policies: "pol_anon"},
		{in: "мне как клиенту положена скидка", out: "Скидка 10% действует по карте клиента. Она у вас есть?"},
		{in: "сколько хранится букет", out: "Такой информации у меня нет. Передать вопрос оператору?"},
		{in: "вы человек?", out: "Нет, я чат-бот магазина. Если хотите поговорить с человеком, передам диалог оператору."},
		{in: "если заказ уже отправлен, можно адрес сменить?", out: "Если заказ уже отправлен, адрес сменить сложно. Уточните номер заказа, я передам вопрос оператору."},
		{in: "букет отправлен вчера, а его нет", out: "Жаль, что отправленный вчера букет не дошёл. Передаю ваш вопрос оператору.", policies: "pol_blind"},
		{in: "Сколько дней ждать возврата денег?", out: "Деньги вернём в течение 10 календарных дней."},
		{in: "бесплатная доставка у вас?", out: "Бесплатно доставляем заказы от 3000 ₽, иначе — 300 ₽."},
		{in: "привезите через час", out: "Так быстро не успеем: интервал доставки — 2 часа, ежедневно с 9 до 21."},
		{in: "я за рулём, наберите меня", out: "Позвонить я не могу, но передам вашу просьбу оператору."},
		{in: "какие скидки бывают", out: "Скидка 10% действует по карте клиента, на акции она не распространяется."},
	})
}
