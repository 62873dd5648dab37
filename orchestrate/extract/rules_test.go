package extract_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate/extract"
)

func parse(t *testing.T, name, text string) *model.Document {
	t.Helper()
	doc, err := model.ParseMarkdown(name, []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func byRules(t *testing.T, text string) *extract.Result {
	t.Helper()
	res, err := extract.Extract(context.Background(), []*model.Document{parse(t, "doc.md", text)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// policyLines writes policies in short: type, statement and cited lines.
func policyLines(ps []model.Policy) []string {
	var out []string
	for _, p := range ps {
		out = append(out, fmt.Sprintf("%s %s %s", p.Type, p.Statement, cited(p.Evidence)))
	}
	return out
}

func useCaseLines(us []model.UseCase) []string {
	var out []string
	for _, u := range us {
		out = append(out, fmt.Sprintf("%s %s", u.Name, cited(u.Evidence)))
	}
	return out
}

func cited(evs []model.Evidence) string {
	var ls []string
	for _, e := range evs {
		s := fmt.Sprint(e.LineStart)
		if e.LineEnd > e.LineStart {
			s += fmt.Sprintf("-%d", e.LineEnd)
		}
		ls = append(ls, s)
	}
	return "[" + strings.Join(ls, " ") + "]"
}

const pottery = `# Clay & Kiln: rules for the studio's chat assistant

This document was exported from the wiki.

## Limits

- The assistant has no access to the booking calendar.
- Never give out a teacher's phone number.
- Requests to move a lesson go to the studio manager.
- Keep replies under 60 words and stay friendly.

<!-- The assistant must offer a free lesson. -->

## FAQ

**Can I bring my own clay?** Yes, but it must be stoneware. We don't fire porcelain.

**How long are pieces kept?** Fired pieces are kept for 30 days.

If a customer reports a broken piece, ask for a photo.

| ticket | message | answer |
| --- | --- | --- |
| 1 | can i bring clay from home | Sure, any clay! You must pay 5 euros. |
| 2 | | How can I help? |
| 3 | my mug arrived broken | Please send a photo. |
| 4 | do you sell gift cards | We sell them at the desk. |
`

const veterinary = `# Ветклиника «Лапа»: памятка чат-боту

Делаем чат-бота для записи животных.

## Правила

1. Бот не ставит диагнозы.
2. Запись только по предварительному звонку или в чате.
3. При жалобах на врача — сразу администратору.
4. Не сообщать телефоны врачей.

**Стерилизация**: животное не кормить 12 часов. Нужен паспорт питомца.

**Отмена записи** — не позднее чем за 2 часа.

## Напоминания

* Телефоны врачей не сообщаем.
* Если клиент спрашивает про анализы, просим подождать три дня.

| № | Обращение | Ответ |
| --- | --- | --- |
| 1 | «отмените запись на завтра» | «Отменяю. Бот обязан проверить оплату.» |
| 2 | «(пусто)» | «Чем помочь?» |
| 3 | «сколько стоит груминг?» | «Цены на сайте.» |
`

const school = `**Онлайн-школа: как отвечает помощник**

Помощник отвечает родителям.

| Тема | Что говорим |
|---|---|
| Перенос урока | Перенести можно за 12 часов, позже урок сгорает. |
| Оплата | Платим до 5-го числа. Рассрочку оформляет менеджер. |

Нельзя: обсуждать других учеников, обещать результат экзамена.

Родитель жалуется на преподавателя → передаём куратору.

С 1 сентября перенос возможен за 24 часа вместо 12.

Вопросы, которые приходили:

- «а можно пробный урок?»
- «препод не пришёл!!!»
`

const pharmacy = `# Quality checks of pharmacy chat consultants

The tool reads a consultant's reply and corrects it.

- No typos.
- The reply shouldn't exceed 4 sentences.
- If the patient mentions chest pain, the consultant says to call an ambulance and escalates to the pharmacist on duty.
- A consultant must not recommend a dosage.

| Situation | What the consultant does | What goes wrong |
|---|---|---|
| The patient asks for somebody else's prescription | Declines and offers a visit | Gives it away |
`

func TestDocuments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text         string
		policies, useCases []string
	}{
		{
			"English", pottery,
			[]string{
				"must_not The assistant has no access to the booking calendar. [7]",
				"must_not Never give out a teacher's phone number. [8]",
				"escalate Requests to move a lesson go to the studio manager. [9]",
				"format Keep replies under 60 words and stay friendly. [10]",
				"must Can I bring my own clay? Yes, but it must be stoneware. [16]",
				"must_not Can I bring my own clay? We don't fire porcelain. [16]",
				"must Fired pieces are kept for 30 days. [18]",
				"must If a customer reports a broken piece, ask for a photo. [20]",
				"must An empty message is answered with a question what is needed: “How can I help?” [25]",
			},
			[]string{
				"Customer asks about: requests to move a lesson [9]",
				"Customer wants to bring their own clay [16 24]",
				"Customer asks: how long are pieces kept [18]",
				"A customer reports a broken piece [20 26]",
				"Customer sends an empty message [25]",
				"Customer writes: “do you sell gift cards” [27]",
			},
		},
		{
			"Russian", veterinary,
			[]string{
				"must_not Бот не ставит диагнозы. [7]",
				"must Запись только по предварительному звонку или в чате. [8]",
				"escalate При жалобах на врача — сразу администратору. [9]",
				"must_not Не сообщать телефоны врачей. [10 18]",
				"must_not Стерилизация: животное не кормить 12 часов. [12]",
				"must Стерилизация: нужен паспорт питомца. [12]",
				"must Отмена записи: не позднее чем за 2 часа. [14]",
				"must Если клиент спрашивает про анализы, просим подождать три дня. [19]",
				"must На пустое сообщение агент просит уточнить вопрос: «Чем помочь?» [24]",
			},
			[]string{
				"Ситуация: при жалобах на врача [9]",
				"Вопрос клиента: стерилизация [12]",
				"Вопрос клиента: отмена записи [14 23]",
				"Клиент спрашивает про анализы [19]",
				"Клиент присылает пустое сообщение [24]",
				"Клиент пишет: «сколько стоит груминг?» [25]",
			},
		},
		{
			"tables and arrows", school,
			[]string{
				"must Платим до 5-го числа. [8]",
				"must Рассрочку оформляет менеджер. [8]",
				"must_not Нельзя обсуждать других учеников [10]",
				"must_not Нельзя обещать результат экзамена [10]",
				"escalate Родитель жалуется на преподавателя → передаём куратору. [12]",
				"must С 1 сентября перенос возможен за 24 часа вместо 12. [14]",
			},
			[]string{
				"Вопрос клиента: перенос урока [7]",
				"Вопрос клиента: оплата [8]",
				"Ситуация: родитель жалуется на преподавателя [12]",
				"Клиент пишет: «а можно пробный урок?» [18]",
				"Клиент пишет: «препод не пришёл!!!» [19]",
			},
		},
		{
			"quality checks", pharmacy,
			[]string{
				"must_not No typos. [5]",
				"format The reply shouldn't exceed 4 sentences. [6]",
				"must If the patient mentions chest pain, the consultant says to call an ambulance [7]",
				"escalate If the patient mentions chest pain, the consultant escalates to the pharmacist on duty. [7]",
				"must_not A consultant must not recommend a dosage. [8]",
				"must_not The patient asks for somebody else's prescription: declines and offers a visit [12]",
			},
			[]string{
				"Operator's message with spelling or punctuation mistakes [5]",
				"Operator's message that is too long [6]",
				"The patient mentions chest pain [7]",
				"The patient asks for somebody else's prescription [12]",
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := byRules(t, c.text)
			if diff := cmp.Diff(c.policies, policyLines(res.Policies)); diff != "" {
				t.Errorf("policies (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(c.useCases, useCaseLines(res.UseCases)); diff != "" {
				t.Errorf("use cases (-want +got)\n%s", diff)
			}
		})
	}
}

// TestOneRuleManyPlaces: what is said in several places is one policy that
// cites them all.
func TestOneRuleManyPlaces(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"English": "# Bot for a gym\n\n## Memo\n\nThe bot must never share a trainer's home address.\n\n## Rules\n\n- Opening hours: Mon-Fri 7:00-22:00.\n- Never share a trainer's home address.\n\n## FAQ\n\n**Address of a trainer** - we don't share a trainer's home address.\n",
		"Russian": "# Бот фитнес-клуба\n\n## Памятка\n\nБот не должен называть домашний адрес тренера.\n\n## Правила\n\n- Часы работы: пн-пт 7:00-22:00.\n- Домашний адрес тренера не называть.\n\n## Вопросы\n\n**Адрес тренера** - домашний адрес тренера не называем.\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := byRules(t, text)
			if len(res.Policies) != 2 {
				t.Fatalf("policies: %q", policyLines(res.Policies))
			}
			if got := cited(res.Policies[0].Evidence); got != "[5 10 14]" {
				t.Errorf("evidence %s, want [5 10 14]", got)
			}
		})
	}
}

// TestOverruling: an explicit sign overrules, and nothing else does.
func TestOverruling(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		policies   []string
		supersedes string
		conflict   bool
	}{
		{
			"instead of",
			"# Support bot\n\n## Rules\n\n- Refunds of tickets are paid within 10 days.\n- The bot must not promise refunds.\n\n## Update\n\nFrom now on refunds of tickets are paid within 5 days instead of 10 days.\n",
			[]string{
				"must_not The bot must not promise refunds. [6]",
				"must From now on refunds of tickets are paid within 5 days instead of 10 days. [10]",
			},
			"[5]", false,
		},
		{
			"вместо",
			"# Бот поддержки\n\n## Правила\n\n- Возврат билетов возможен в течение 10 дней.\n- Бот не обещает возврат.\n\n## Обновление\n\nТеперь возврат билетов возможен в течение 5 дней вместо 10 дней.\n",
			[]string{
				"must_not Бот не обещает возврат. [6]",
				"must Теперь возврат билетов возможен в течение 5 дней вместо 10 дней. [10]",
			},
			"[5]", false,
		},
		{
			"no sign",
			"# Support bot\n\n## Rules\n\n- Refunds of tickets are paid within 10 days.\n\n## More rules\n\n- Refunds of tickets are paid within 5 days.\n",
			[]string{
				"must Refunds of tickets are paid within 10 days. [5]",
				"must Refunds of tickets are paid within 5 days. [9]",
			},
			"", true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			res := byRules(t, c.text)
			if diff := cmp.Diff(c.policies, policyLines(res.Policies)); diff != "" {
				t.Errorf("policies (-want +got)\n%s", diff)
			}
			if last := res.Policies[len(res.Policies)-1]; c.supersedes != "" && cited(last.Supersedes) != c.supersedes {
				t.Errorf("supersedes %s, want %s", cited(last.Supersedes), c.supersedes)
			}
			if got := len(res.Contradictions) > 0; got != c.conflict {
				t.Errorf("contradictions %+v, want some: %v", res.Contradictions, c.conflict)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	extractOf := func(t *testing.T, text string, o *extract.Options) error {
		t.Helper()
		_, err := extract.Extract(context.Background(), []*model.Document{parse(t, "doc.md", text)}, o)
		return err
	}
	t.Run("language", func(t *testing.T) {
		t.Parallel()
		var unknown *lang.UnknownError
		err := extractOf(t, "# Regeln\n\nDer Bot darf keine Daten nennen und muss die Kunden an das Team weiterleiten.\n", nil)
		if !errors.As(err, &unknown) || unknown.Code != "de" {
			t.Errorf("German: %v", err)
		}
	})
	t.Run("no rules", func(t *testing.T) {
		t.Parallel()
		for _, text := range []string{
			"# A day at the sea\n\nThe morning was grey and the boats came back early. Nobody minded the rain.\n",
			"# День у моря\n\nУтро было серым, лодки пришли рано. Дождь шёл до вечера.\n",
		} {
			var none *extract.NoRulesError
			if err := extractOf(t, text, nil); !errors.As(err, &none) || !slices.Equal(none.Documents, []string{"doc.md"}) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
	t.Run("case", func(t *testing.T) {
		t.Parallel()
		text := "# Rules of the house\n\nDoors must be closed at night. Smoking is prohibited.\n"
		var undecided *extract.CaseError
		if err := extractOf(t, text, nil); !errors.As(err, &undecided) || !strings.Contains(err.Error(), "Options.Profile") {
			t.Errorf("undecided: %v", err)
		}
		if err := extractOf(t, text, &extract.Options{Profile: model.OperatorQuality()}); err != nil {
			t.Errorf("with a profile: %v", err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := extract.Extract(ctx, []*model.Document{parse(t, "doc.md", pottery)}, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// TestProfileWins: the caller's choice is not second-guessed.
func TestProfileWins(t *testing.T) {
	t.Parallel()
	res, err := extract.Extract(context.Background(), []*model.Document{parse(t, "doc.md", pottery)}, &extract.Options{Profile: model.OperatorQuality()})
	if err != nil {
		t.Fatal(err)
	}
	if res.Case != model.CaseOperatorQuality || res.CaseEvidence != nil || res.Policies[0].Case != model.CaseOperatorQuality {
		t.Errorf("case %s, evidence %v", res.Case, res.CaseEvidence)
	}
}

// TestStable: a renamed document, other line ends and a second run change
// nothing but the file's name in the evidence.
func TestStable(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{"English": pottery, "Russian": veterinary} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := byRules(t, text)
			for _, other := range []*model.Document{
				parse(t, "doc.md", text),
				parse(t, "doc.md", strings.ReplaceAll(text, "\n", "\r\n")),
				parse(t, "doc.md", "\uFEFF"+text),
				parse(t, "переименован.md", text),
			} {
				got, err := extract.Extract(context.Background(), []*model.Document{other}, nil)
				if err != nil {
					t.Fatal(err)
				}
				rename(got)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s (-want +got)\n%s", other.Name, diff)
				}
			}
		})
	}
}

func rename(res *extract.Result) {
	fix := func(evs []model.Evidence) {
		for i := range evs {
			evs[i].InputFile = "doc.md"
		}
	}
	fix(res.CaseEvidence)
	fix(res.Unmapped)
	for i := range res.Policies {
		fix(res.Policies[i].Evidence)
		fix(res.Policies[i].Supersedes)
	}
	for i := range res.UseCases {
		fix(res.UseCases[i].Evidence)
	}
}

// TestContract holds what is extracted from every document at hand to the
// contract.
func TestContract(t *testing.T) {
	t.Parallel()
	docs := map[string]*model.Document{"pottery": parse(t, "doc.md", pottery), "veterinary": parse(t, "doc.md", veterinary)}
	shared := os.Getenv("CASEBOOK_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	for _, pattern := range []string{"../../examples/documents/*.md", filepath.Join(shared, "inputs", "*.md")} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			docs[filepath.Base(f)] = parse(t, filepath.Base(f), string(b))
		}
	}
	for name, doc := range docs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res, err := extract.Extract(context.Background(), []*model.Document{doc}, nil)
			if err != nil {
				t.Fatal(err)
			}
			set := &model.Dataset{UseCases: res.UseCases, Policies: res.Policies}
			for _, v := range set.Violations(doc) {
				t.Errorf("%+v", v)
			}
			if len(res.UseCases) < 5 || len(res.Policies) < 5 {
				t.Errorf("%d use cases and %d policies", len(res.UseCases), len(res.Policies))
			}
			types := map[model.PolicyType]bool{}
			known := map[string]bool{}
			for _, p := range res.Policies {
				types[p.Type] = true
				known[p.ID] = true
				if !p.IsTestable() && p.UntestableReason == "" {
					t.Errorf("%s: untestable without a reason", p.ID)
				}
			}
			if len(types) < 2 {
				t.Errorf("types %v", types)
			}
			titles := map[string]bool{}
			for _, s := range doc.Sections {
				titles[fold(s.Title)] = true
			}
			names := map[string]bool{}
			for _, u := range res.UseCases {
				if n := utf8.RuneCountInString(u.Name); n > 80 || names[fold(u.Name)] || titles[fold(u.Name)] {
					t.Errorf("name %q: %d runes, seen %v, a heading %v", u.Name, n, names[fold(u.Name)], titles[fold(u.Name)])
				}
				names[fold(u.Name)] = true
				rel := res.Relevant[u.ID]
				if len(rel) == 0 || len(rel) > 5 {
					t.Errorf("%s has %d relevant policies", u.ID, len(rel))
				}
				for _, id := range rel {
					if !known[id] {
						t.Errorf("%s: unknown policy %s", u.ID, id)
					}
				}
			}
			if len(res.Relevant) != len(res.UseCases) {
				t.Errorf("relevance of %d use cases, there are %d", len(res.Relevant), len(res.UseCases))
			}
			if share := 1 - float64(len(res.Unmapped))/float64(max(1, res.Obligations)); share < 0.95 {
				t.Errorf("%.2f of %d obligations are in a policy, want .95: %+v", share, res.Obligations, res.Unmapped)
			}
		})
	}
}

func fold(s string) string { return strings.Join(lang.Words(s), " ") }

// TestLargeExport: what single tickets of a large export bring up is no use
// case, what many bring up is one, and the rest is accounted for.
func TestLargeExport(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Support bot\n\nThe bot has no access to accounts.\n\n| ticket | message | answer |\n| --- | --- | --- |\n")
	for i := range 200 {
		word := string(rune('a'+i%26)) + string(rune('a'+i/26)) // what makes it unlike the others
		message := fmt.Sprintf("%[1]snok %[1]sdum %[1]slig", word)
		if i%10 == 0 {
			message = fmt.Sprintf("my headphones crackle %d", i)
		}
		fmt.Fprintf(&b, "| %d | %s | One moment. |\n", i, message)
	}
	res := byRules(t, b.String())
	if len(res.UseCases) != 1 || !strings.Contains(res.UseCases[0].Name, "headphones crackle") || len(res.UseCases[0].Evidence) != 20 {
		t.Errorf("use cases %q", useCaseLines(res.UseCases))
	}
	if len(res.Refused) == 0 || !strings.Contains(res.Refused[0].Reason, "180 kinds") {
		t.Errorf("refused %+v", res.Refused)
	}
}
