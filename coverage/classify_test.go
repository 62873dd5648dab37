package coverage_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
)

func language(t testing.TB, code string) *lang.Language {
	t.Helper()
	if code == "" {
		return nil
	}
	l, err := lang.For(code)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func message(role, text string) *model.Input {
	return &model.Input{Messages: []model.Message{{Role: role, Content: text}}}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, rule, text, want string }{
		{"en", "tone", "Where is my parcel?", "neutral"},
		{"en", "tone", "Where is my parcel!", "neutral"},
		{"en", "tone", "Where is my parcel???", "angry"},
		{"en", "tone", "Where is it?!", "angry"},
		{"en", "tone", "I am fed up with this.", "angry"},
		{"en", "tone", "you idiots lost it", "angry"},
		{"en", "tone", "SEND MY MONEY now", "angry"},
		{"en", "tone", "I need the IBAN for a bank transfer", "neutral"},
		{"ru", "tone", "где мой заказ", "neutral"},
		{"ru", "tone", "Где мой заказ??? уже неделя прошла", "angry"},
		{"ru", "tone", "это вообще беспредел", "angry"},
		{"ru", "tone", "вы тупые? дайте человека", "angry"},
		{"ru", "tone", "нужен счёт с ИНН и ОГРН", "neutral"},
		{"ru", "tone", "какая у вас чертёжная бумага", "neutral"},

		{"en", "identifier", "where is order 123456", "present"},
		{"en", "identifier", "my order number is 77", "present"},
		{"en", "identifier", "#1042 please", "present"},
		{"en", "identifier", "it's about AB-1042", "present"},
		{"en", "identifier", "write to ann@example.com", "present"},
		{"en", "identifier", "I am Ann Lee, 15 March at 10:00", "present"},
		{"en", "identifier", "I paid $1500 on 15 March", "absent"},
		{"en", "identifier", "I waited 120 minutes", "absent"},
		{"en", "identifier", "where is my order", "absent"},
		{"en", "identifier", "2 chairs came broken", "absent"},
		{"ru", "identifier", "дай статус заказа 123456", "present"},
		{"ru", "identifier", "заказ №77", "present"},
		{"ru", "identifier", "отмена. фамилия петрова, 15 марта в 10", "present"},
		{"ru", "identifier", "списали 1500 рублей 15 марта", "absent"},
		{"ru", "identifier", "жду уже 120 минут", "absent"},
		{"ru", "identifier", "можно перенести с пятницы на понедельник?", "absent"},
		{"", "identifier", "შეკვეთა 123456", "present"},

		{"en", "form", "How long does it take", "question"},
		{"en", "form", "hi, can i pay later", "question"},
		{"en", "form", "I want to know where it is", "question"},
		{"en", "form", "Do not call me", "statement"},
		{"en", "form", "cancel my order", "statement"},
		{"ru", "form", "сколько длится приём", "question"},
		{"ru", "form", "добрый день, подскажите, где офис", "question"},
		{"ru", "form", "а можно завтра", "question"},
		{"ru", "form", "есть ли места", "question"},
		{"ru", "form", "хочу вернуть товар", "statement"},
		{"ru", "form", "не знаю, что делать", "statement"},
		{"", "form", "როდის?", "question"},
		{"", "form", "Πού είναι η παραγγελία μου;", "question"},
		{"", "form", "მინდა დაბრუნება", "statement"},

		{"en", "length", "one two three four five six seven eight", "short"},
		{"en", "length", "one two three four five six seven eight nine", "long"},
		{"", "length", "我想退货", "short"},
		{"", "length", "我昨天在你们店里买了一双鞋但是尺码不对我想退货", "long"},

		{"en", "greeting", "Hello, where is it", "present"},
		{"en", "greeting", "this is it", "absent"},
		{"ru", "greeting", "Добрый день! где заказ", "present"},
		{"ru", "greeting", "добрый человек, где заказ", "absent"},
		{"en", "politeness", "cancel it please", "polite"},
		{"en", "politeness", "cancel it", "plain"},
		{"ru", "politeness", "отмените, пожалуйста", "polite"},
		{"ru", "politeness", "отмените", "plain"},
		{"en", "urgency", "I need it asap", "urgent"},
		{"en", "urgency", "I need it", "normal"},
		{"ru", "urgency", "очень срочно нужно", "urgent"},
		{"ru", "urgency", "нужно", "normal"},
		{"en", "spelling", "where is it", "sloppy"},
		{"en", "spelling", "where is it?", "clean"},
		{"en", "spelling", "Where is it", "clean"},
		{"ru", "spelling", "где он", "sloppy"},
		{"ru", "spelling", "Где он", "clean"},
		{"en", "emoji", "thanks :)", "present"},
		{"en", "emoji", "thanks 😡", "present"},
		{"en", "emoji", "at 10:00 (or later)", "absent"},
		{"en", "emoji", "options: a) red, b) blue (see list)", "absent"},
		{"ru", "emoji", "спасибо))", "present"},
		{"ru", "emoji", "спасибо (за всё (почти))", "absent"},

		{"en", "fault", "Your visit is on Friday.", "none"},
		{"en", "fault", "YOUR visit is on Friday.", "caps"},
		{"en", "fault", "Your visit is on Friday!!", "exclamation"},
		{"en", "fault", "Hello! Good news! Come! Now!", "exclamation"},
		{"en", "fault", "Hello! Your visit is on Friday!", "none"},
		{"en", "fault", "Your visit is on Friday", "punctuation"},
		{"en", "fault", "your visit is on Friday.", "punctuation"},
		{"en", "fault", "Your visit ,on Friday.", "punctuation"},
		{"en", "fault", "Your visit is on Friday,see you.", "punctuation"},
		{"en", "fault", "The fee is 1,500.50, see shop.example.com/a,b.", "none"},
		{"en", "fault", "Your vissit iss on on Friday.", "typo"},
		{"en", "fault", "We recieved it.", "typo"},
		{"en", "fault", "Your visit is on Friday 🙂.", "emoji"},
		{"en", "fault", "Read carefully.", "rude"},
		{"en", "fault", "READ carefully!!!", "several"},
		{"ru", "fault", "Ваша запись на пятницу.", "none"},
		{"ru", "fault", "ВАША запись на пятницу.", "caps"},
		{"ru", "fault", "Нужны ФИО, ИНН и СНГ.", "none"},
		{"ru", "fault", "Ваша запись на пятницу!!!", "exclamation"},
		{"ru", "fault", "ваша запись на пятницу", "punctuation"},
		{"ru", "fault", "Приём пн–пт 9.00–18.00, сб. до 14.00.", "none"},
		{"ru", "fault", "Извените за ожидание.", "typo"},
		{"ru", "fault", "Врач скоро подойдёт, ожидайте, пажалуйста.", "typo"},
		{"ru", "fault", "Сами виноваты.", "rude"},
		{"ru", "fault", "Ваша запись на пятницу :)", "emoji"},
		{"en", "punctuation", "Your visit is on Friday", "errors"},
		{"en", "punctuation", "Your visit is on Friday.", "ok"},
		{"en", "language", "Where is my order and when will it be here?", "en"},
		{"ru", "language", "Где мой заказ и когда он будет?", "ru"},
		{"en", "language", "12", "unknown"},
	} {
		got, ok := coverage.Classify(language(t, c.code), model.Axis{Rule: c.rule}, message(model.RoleUser, c.text), model.SingleTurnQA)
		if !ok || got != c.want {
			t.Errorf("%s %s(%q) = %q, %v; want %q", c.code, c.rule, c.text, got, ok, c.want)
		}
	}
}

func TestClassifyClientTone(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code string
		in   []model.Message
		want string
	}{
		{"en", []model.Message{{Role: "operator", Content: "Terrible service!!!"}}, "absent"},
		{"en", []model.Message{{Role: "user", Content: "Hello"}, {Role: "operator", Content: "WAIT!!!"}}, "neutral"},
		{"ru", []model.Message{{Role: "user", Content: "Да что за сервис"}, {Role: "operator", Content: "Ждите."}}, "angry"},
	} {
		got, ok := coverage.Classify(language(t, c.code), model.Axis{Rule: "client_tone"}, &model.Input{Messages: c.in}, model.DialogLastTurnCorrection)
		if !ok || got != c.want {
			t.Errorf("%v = %q, %v; want %q", c.in, got, ok, c.want)
		}
	}
}

// Every axis of the built-in profiles is decided for every text in a language
// with data, by a value that says how it shows.
func TestClassifyIsTotal(t *testing.T) {
	t.Parallel()
	texts := []string{"", " ", "…", "a", "Я", "123", "\xff", "!!!", "😀", "(((", "Hello, I'd like 2 of them.", "Где? Когда?\nСрочно!"}
	for _, p := range []*model.Profile{model.SupportBot(), model.OperatorQuality()} {
		for _, a := range p.Axes {
			for _, code := range lang.Known() {
				l := language(t, code)
				if !coverage.Decidable(l, a) {
					t.Errorf("%s is not decidable in %s", a.Name, code)
				}
				for _, text := range texts {
					got, ok := coverage.Classify(l, a, message(model.RoleOperator, text), "")
					if !ok || coverage.Meaning(a, got) == "" {
						t.Errorf("%s(%q) = %q, %v, meaning %q", a.Name, text, got, ok, coverage.Meaning(a, got))
					}
				}
			}
			for _, v := range a.Values {
				if coverage.Meaning(a, v.Name) == "" {
					t.Errorf("%s=%s has no meaning", a.Name, v.Name)
				}
			}
		}
	}
	tone := model.Axis{Rule: "tone"}
	if coverage.Decidable(nil, tone) {
		t.Error("tone is decidable without language data")
	}
	if v, ok := coverage.Classify(nil, tone, message(model.RoleUser, "x"), ""); ok {
		t.Errorf("Classify without data = %q, ok", v)
	}
	if _, ok := coverage.Classify(nil, model.Axis{Rule: coverage.PhraseRule}, message(model.RoleUser, "x"), ""); ok {
		t.Error("phrase is decided by a rule")
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	got := coverage.Faults(language(t, "en"), "READ carefully , we recieved it!!! 😀")
	want := []string{"caps", "emoji", "exclamation", "punctuation", "rude", "typo"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What a misspelling puts into a right message is seen as a typo.
func TestMisspellingsShow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ code, word string }{{"en", "receive"}, {"en", "tomorrow"}, {"ru", "пожалуйста"}, {"ru", "извините"}, {"ru", "Запись"}} {
		l := language(t, c.code)
		wrong, ok := l.Misspell(c.word)
		if !ok || strings.EqualFold(wrong, c.word) {
			t.Errorf("Misspell(%q) = %q, %v", c.word, wrong, ok)
			continue
		}
		if fs := coverage.Faults(l, "X: "+wrong+"."); !cmp.Equal(fs, []string{"typo"}) {
			t.Errorf("faults of %q = %v", wrong, fs)
		}
		if fs := coverage.Faults(l, "X: "+strings.ToLower(c.word)+"."); len(fs) > 0 {
			t.Errorf("faults of %q = %v", c.word, fs)
		}
	}
	for _, code := range lang.Known() {
		l := language(t, code)
		for wrong := range l.Marks.Misspelt {
			if toks := lang.Tokens(wrong); len(toks) != 1 || toks[0].Text != wrong {
				t.Errorf("%s: %q is no folded word", code, wrong)
			}
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{"", "Hello!!!", "ЗАПИСЬ на 15 марта :)", "a((b))", "\xf0\x9f", "١٢٣ ٪", "word.Next ,x"} {
		f.Add(s)
	}
	langs := []*lang.Language{nil, language(f, "en"), language(f, "ru")}
	axes := append(model.SupportBot().Axes, model.OperatorQuality().Axes...)
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range langs {
			for _, a := range axes {
				v, ok := coverage.Classify(l, a, message(model.RoleUser, s), "")
				if ok != coverage.Decidable(l, a) || ok && v == "" {
					t.Fatalf("%s = %q, %v", a.Name, v, ok)
				}
			}
			coverage.Faults(l, s)
		}
		if once := coverage.Fold(s); coverage.Fold(once) != once {
			t.Fatalf("Fold is not stable: %q, then %q", once, coverage.Fold(once))
		}
	})
}
