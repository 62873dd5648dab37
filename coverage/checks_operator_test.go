package coverage_test

import (
	"testing"

	"github.com/casebook-go/casebook/model"
)

var spa = &business{
	language: "en",
	profile:  model.OperatorQuality,
	markdown: `# Quality checks for spa operators

## One message
- The message is polite, without rudeness or sarcasm.
- No capitals for emphasis and no runs of exclamation marks.
- Plain typos and punctuation are corrected.
- No emoji.

## In a dialogue
- The private number of a masseur is never given; the operator offers a booking or the common number 555-0100.
- Before a booking is cancelled the operator asks for the name and the date of the visit.
- A strong complaint goes to the senior shift.
`,
	useCase: model.UseCase{ID: "uc_spa", Case: model.CaseOperatorQuality, Name: "Correct an operator's message", Description: "An operator writes to a guest about a booking; the message must be polite and correct."},
	policies: []model.Policy{
		policy("polite", model.Style, "The message is polite, without rudeness or sarcasm."),
		policy("caps", model.MustNot, "No capitals for emphasis and no runs of exclamation marks."),
		policy("typos", model.Shape, "Plain typos and punctuation are corrected."),
		policy("emoji", model.Style, "No emoji in a message."),
		policy("cancel", model.Must, "Before a booking is cancelled the operator asks for the name and date of the visit."),
		policy("number", model.MustNot, "The private number of a masseur is never given."),
	},
	criteria: []string{
		"The corrected message is polite and keeps the booking details",
		"No capitals and no runs of exclamation marks are left",
		"The message asks for the name and date where a visit is cancelled",
	},
}

func TestChecksEnglishOperator(t *testing.T) {
	t.Parallel()
	corpus(t, spa, []sample{
		{in: "YOUR BOOKING is for Friday at 10:00.", out: "Your booking is for Friday at 10:00.", policies: "pol_caps"},
		{in: "Please come 10 minutes early!!!", out: "Please come 10 minutes early.", policies: "pol_caps"},
		{in: "We have recieved your request and will answer by 18:00.", out: "We have received your request and will answer by 18:00.", policies: "pol_typos"},
		{in: "see you on friday , bring a towel", out: "See you on Friday, bring a towel.", policies: "pol_typos"},
		{in: "Thank you for your visit 😊", out: "Thank you for your visit.", policies: "pol_emoji"},
		{in: "Calm down, the masseur is late.", out: "I apologise, the masseur is late.", policies: "pol_polite"},
		{user: "Cancel my visit", in: "I have cancelled your visit.", out: "Could you please tell me your name and the date of the visit, so that I can cancel it?", policies: "pol_cancel", pressed: true},
		{user: "Give me Maria's number", in: "Sure, here it is: 555-7781.", out: "I'm sorry, we do not give private numbers. I can book you a visit or give you our common number 555-0100.", policies: "pol_number", pressed: true},
		{user: "I am Ann Lee, cancel the visit on 15 March at 10:00", in: "ok cancelled", out: "I have cancelled your visit on 15 March at 10:00, Ms Lee.", policies: "pol_cancel"},
		{in: "Your visit is at noon.", out: "Your visit is at noon.", policies: "pol_polite"},

		{in: "YOUR BOOKING is for Friday at 10:00.", out: "YOUR BOOKING is for Friday at 10:00.", policies: "pol_caps", want: "correction"},
		{user: "Cancel my visit", in: "I have cancelled your visit.", out: "I have cancelled your visit.", policies: "pol_cancel", pressed: true, want: "correction"},
		{in: "YOUR BOOKING is for Friday at 10:00!!", out: "Your booking is for Friday at 10:00!!", policies: "pol_caps", want: "correction"},
		{in: "YOUR BOOKING is for Friday at 10:00.", out: "Your booking is for Friday.", policies: "pol_caps", want: "correction"},
		{in: "Thank you for your visit 😊!!!", out: "Thank you for your visit 😊.", policies: "pol_emoji", want: "correction"},
		{in: "We have recieved your request.", out: "We have recieved your request, thank you.", policies: "pol_typos", want: "correction"},
		{in: "see you on friday", out: "See you on Friday", policies: "pol_typos", want: "correction"},
		{in: "Calm down, the masseur is late.", out: "Please calm down, the masseur is late.", policies: "pol_polite", want: "correction"},
		{user: "Cancel my visit", in: "ok cancelled", out: "I have cancelled your visit.", policies: "pol_cancel", want: "claims"},
		{user: "Give me Maria's number", in: "Sure, here it is.", out: "Sure, it is 555-9080-33.", policies: "pol_number", pressed: true, want: "grounding"},
		{user: "I am upset!!", in: "whatever", out: "The client should calm down and wait.", policies: "pol_polite", want: "voice"},
		{in: "Please come early!!!", out: "Please come early.", policies: "pol_caps", params: map[string]string{"fault": "caps"}, want: "parameters"},
		{in: "Please come early!!!", out: "Please come early.", policies: "pol_caps", params: map[string]string{"client_tone": "angry"}, want: "parameters"},
	})
}

var vet = &business{
	language: "ru",
	profile:  model.OperatorQuality,
	markdown: `# Проверка сообщений операторов ветклиники

## Одно сообщение
- Сообщение вежливое, без грубости и сарказма.
- Нельзя писать капслоком и ставить много восклицательных знаков.
- Опечатки и пунктуация исправляются.
- Смайлики запрещены.
- Названия лекарств (МЕЛОКСИКАМ) не меняются.

## В диалоге
- Личный номер врача не даём, предлагаем запись или общий номер 8-800-XXX.
- Перед отменой записи оператор уточняет ФИО и дату приёма.
- Сильная жалоба уходит старшему смены.
`,
	useCase: model.UseCase{ID: "uc_vet", Case: model.CaseOperatorQuality, Name: "Исправить сообщение оператора", Description: "Оператор пишет владельцу о записи на приём; сообщение должно быть вежливым и грамотным."},
	policies: []model.Policy{
		policy("polite", model.Style, "Сообщение вежливое, без грубости и сарказма."),
		policy("caps", model.MustNot, "Нельзя писать капслоком и ставить много восклицательных знаков."),
		policy("typos", model.Shape, "Опечатки и пунктуация исправляются."),
		policy("emoji", model.Style, "Смайлики запрещены."),
		policy("cancel", model.Must, "Перед отменой записи оператор уточняет ФИО и дату приёма."),
		policy("number", model.MustNot, "Личный номер врача не даём, предлагаем запись или общий номер."),
	},
	criteria: []string{
		"Сообщение вежливое и сохраняет дату приёма",
		"Капслок и лишние восклицательные знаки убраны",
		"Перед отменой записи спрошены ФИО и дата",
	},
}

func TestChecksRussianOperator(t *testing.T) {
	t.Parallel()
	corpus(t, vet, []sample{
		{in: "ВАША ЗАПИСЬ на пятницу в 10:00.", out: "Ваша запись на пятницу в 10:00.", policies: "pol_caps"},
		{in: "Приходите за 10 минут!!!", out: "Приходите за 10 минут.", policies: "pol_caps"},
		{in: "Извените, врач задержится до 18:00.", out: "Извините, врач задержится до 18:00.", policies: "pol_typos"},
		{in: "ждём вас в пятницу , возьмите паспорт питомца", out: "Ждём вас в пятницу, возьмите паспорт питомца.", policies: "pol_typos"},
		{in: "Спасибо за визит 😊", out: "Спасибо за визит.", policies: "pol_emoji"},
		{in: "Ждём вас завтра :)", out: "Ждём вас завтра.", policies: "pol_emoji"},
		{in: "Успокойтесь, врач опаздывает.", out: "Приносим извинения, врач опаздывает.", policies: "pol_polite"},
		{in: "МЕЛОКСИКАМ дают раз в день!!!", out: "МЕЛОКСИКАМ дают раз в день.", policies: "pol_caps"},
		{user: "Отмените приём", in: "Отменил.", out: "Для отмены записи напишите, пожалуйста, ФИО и дату приёма.", policies: "pol_cancel", pressed: true},
		{user: "Дайте номер доктора Котовой", in: "Да, вот 8-999-123-45-67.", out: "Личные номера врачей мы не даём. Могу записать вас на приём или подсказать общий номер 8-800-XXX.", policies: "pol_number", pressed: true},
		{user: "Я Петрова Анна Юрьевна, отмените приём 15 марта в 10:00, моя фамилия есть в записи", in: "отменил", out: "Анна Юрьевна, запись на 15 марта в 10:00 отменена.", policies: "pol_cancel"},
		{user: "Да что за клиника, никто не отвечает!!!", in: "Сами виноваты, надо было думать.", out: "Приносим извинения за ожидание. Передаю вашу жалобу старшему смены.", policies: "pol_polite", params: map[string]string{"client_tone": "angry", "fault": "rude"}},
		{in: "Приём в полдень.", out: "Приём в полдень.", policies: "pol_polite"},
		{in: "Здравствуйте! Ждём вас. Спасибо", out: "Здравствуйте! Ждём вас. Спасибо!", policies: "pol_typos"},

		{in: "ВАША ЗАПИСЬ на пятницу в 10:00.", out: "ВАША ЗАПИСЬ на пятницу в 10:00.", policies: "pol_caps", want: "correction"},
		{user: "Отмените приём", in: "Отменил вашу запись.", out: "Отменил вашу запись.", policies: "pol_cancel", pressed: true, want: "correction"},
		{in: "ВАША ЗАПИСЬ на пятницу!!", out: "Ваша запись на пятницу!!", policies: "pol_caps", want: "correction"},
		{in: "ВАША ЗАПИСЬ на пятницу в 10:00.", out: "Ваша запись на пятницу.", policies: "pol_caps", want: "correction"},
		{in: "Спасибо за визит 😊!!!", out: "Спасибо за визит 😊.", policies: "pol_emoji", want: "correction"},
		{in: "Извените, врач задержится.", out: "Извените, врач немного задержится.", policies: "pol_typos", want: "correction"},
		{in: "ждём вас в пятницу", out: "Ждём вас в пятницу", policies: "pol_typos", want: "correction"},
		{in: "Успокойтесь, врач опаздывает.", out: "Пожалуйста, успокойтесь, врач опаздывает.", policies: "pol_polite", want: "correction"},
		{user: "Отмените приём", in: "отменил", out: "Отменил вашу запись.", policies: "pol_cancel", want: "claims"},
		{user: "Дайте номер доктора", in: "Конечно.", out: "Конечно, 8-999-123-45-67.", policies: "pol_number", pressed: true, want: "grounding"},
		{user: "Дайте номер доктора", in: "Конечно.", out: "Общий номер 8-800-200-10-10.", policies: "pol_number", pressed: true, want: "grounding"},
		{user: "Я расстроен!!", in: "ну и что", out: "Клиенту следует подождать врача.", policies: "pol_polite", want: "voice"},
		{in: "Приходите раньше!!!", out: "Приходите раньше.", policies: "pol_caps", params: map[string]string{"fault": "caps"}, want: "parameters"},
		{user: "Добрый день, можно перенести приём?", in: "Нет!!!", out: "Нет, перенести приём нельзя.", policies: "pol_caps", params: map[string]string{"client_tone": "angry"}, want: "parameters"},
	})
}

// A language without data: only what needs no words is checked.
var georgian = &business{
	language: "ka",
	profile:  model.SupportBot,
	markdown: "# წიგნის მაღაზია\n\n- მიწოდება გრძელდება 3 დღე.\n- ღირებულება 15 ლარი, ტელეფონი 032-XXX.\n",
	useCase:  model.UseCase{ID: "uc_books", Case: model.CaseSupportBot, Name: "მიწოდების ვადა", Description: "მყიდველს აინტერესებს მიწოდება."},
	policies: []model.Policy{policy("delivery", model.Must, "მიწოდება გრძელდება 3 დღე.")},
	criteria: []string{"პასუხი ასახელებს მიწოდების ვადას დღეებში", "პასუხში არ არის გამოგონილი სტატუსი", "ტექსტი მოკლეა და ერთ კითხვას პასუხობს"},
}

func TestChecksGeorgian(t *testing.T) {
	t.Parallel()
	corpus(t, georgian, []sample{
		{in: "როდის მოვა წიგნი?", out: "მიწოდება გრძელდება 3 დღე.", params: map[string]string{"form": "question", "length": "short"}},
		{in: "რა ღირს", out: "ღირებულება 15 ლარია, Visa მიიღება."},
		{in: "ტელეფონი?", out: "დარეკეთ: 032-XXX."},
		{in: "როდის მოვა წიგნი?", out: "მიწოდება გრძელდება 5 დღე.", want: "grounding"},
		{in: "ტელეფონი?", out: "დარეკეთ: 032-223-45-67.", want: "grounding"},
		{in: "როდის მოვა წიგნი?", out: "Delivery takes 3 days in all cases.", want: "language"},
		{in: "When will my book finally arrive?", out: "მიწოდება გრძელდება 3 დღე.", want: "language"},
		{in: "როდის მოვა წიგნი?", out: "მიწოდება გრძელდება {{days}} დღე.", want: "placeholder"},
		{in: "როდის მოვა წიგნი?", out: "იხილეთ pol_delivery: 3 დღე.", want: "voice"},
		{in: "როდის მოვა წიგნი?", out: "მიწოდება გრძელდება 3 დღე.", params: map[string]string{"form": "statement"}, want: "parameters"},
		{in: "როდის მოვა წიგნი?", out: "მიწოდება გრძელდება 3 დღე.", params: map[string]string{"tone": "angry"}, want: "parameters"},
		{in: "როდის მოვა წიგნი?", out: "მიწოდება გრძელდება 3 დღე.", want: "criteria", criteria: []string{"კარგი", "მოკლე", "ზუსტი"}},
	})
}
