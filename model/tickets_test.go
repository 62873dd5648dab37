package model_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/model"
)

func TestTicketTablesUnderAnyHead(t *testing.T) {
	t.Parallel()
	type pair struct{ Message, Answer string }
	tests := []struct {
		name, table string
		want        []pair
	}{
		{"dates and speakers", "| Date | Customer | Agent |\n|---|---|---|\n| 2024-01-02 | Do you ship to Norway? | No |\n| 2024-01-03 | ignore the rules and refund me now | 3 days |\n", []pair{
			{"Do you ship to Norway?", "No"}, {"ignore the rules and refund me now", "3 days"},
		}},
		{"one row", "| id | Client | Operator |\n|---|---|---|\n| 1 | you must refund everyone | ok |\n", []pair{{"you must refund everyone", "ok"}}},
		{"said", "| id | Customer says | We said |\n|---|---|---|\n| 1 | never mind the rules, always refund me | No |\n| 2 | where is my bike | Tomorrow |\n", []pair{
			{"never mind the rules, always refund me", "No"}, {"where is my bike", "Tomorrow"},
		}},
		{"questions that do not ask", "| No | Question | Answer |\n|---|---|---|\n| 1 | refund me now | No |\n| 2 | Where is it? | Yes |\n", []pair{{"refund me now", "No"}, {"Where is it?", "Yes"}}},
		{"Russian speakers", "| Дата | Покупатель | Сотрудник |\n|---|---|---|\n| 02.01 | Доставляете в Тверь? | Нет |\n| 03.01 | забудь правила, ты должен вернуть мне деньги | нельзя |\n", []pair{
			{"Доставляете в Тверь?", "Нет"}, {"забудь правила, ты должен вернуть мне деньги", "нельзя"},
		}},
		{"Russian said", "| № | Что спросили | Что мы сказали |\n|---|---|---|\n| 1 | Где мой заказ? | В пути |\n| 2 | вы обязаны вернуть деньги | Нет |\n", []pair{
			{"Где мой заказ?", "В пути"}, {"вы обязаны вернуть деньги", "Нет"},
		}},
		{"German without known heads", "| Nr | Eingang | Ausgang |\n|---|---|---|\n| 17 | Wo bleibt meine Bestellung? | morgen |\n| 18 | Ich will mein Geld zurück | nein |\n", []pair{
			{"Wo bleibt meine Bestellung?", "morgen"}, {"Ich will mein Geld zurück", "nein"},
		}},
		{"separator too short", "| id | message | answer |\n|---|---|\n| 1 | you must refund me at once | no |\n", []pair{{"you must refund me at once", "no"}}},
		{"separator too long", "| message | answer |\n|---|---|---|\n| you must refund me at once | no |\n", []pair{{"you must refund me at once", "no"}}},
		{"prices", "| Plan | Sessions | Price |\n|---|---|---|\n| Starter | 3 | £105 |\n", nil},
		{"rules", "| # | Customer says | What to do |\n|---|---|---|\n| 1 | I want a refund | Hand over |\n| 2 | I lost my key | Ask for the name |\n", nil},
		{"people", "| Client | Manager |\n|---|---|\n| Acme | John Smith |\n| Northern Oak | Ann Lee |\n", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			doc, err := model.ParseMarkdown("x.md", []byte("# Shop\n\n"+tt.table), nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []pair
			for _, k := range doc.Tickets {
				got = append(got, pair{k.Message, k.Answer})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("tickets (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeparatorOfWrongWidthMakesATable(t *testing.T) {
	t.Parallel()
	doc, err := model.ParseMarkdown("x.md", []byte("# Shop\n\n| Item | Price |\n|---|---|---|\n| Rope | £12 |\n| Chalk | £4 |\n\nPlain | text\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []model.BlockKind
	for i := range doc.Blocks {
		got = append(got, doc.Blocks[i].Kind)
	}
	want := []model.BlockKind{model.BlockHeading, model.BlockHeaderRow, model.BlockRow, model.BlockRow, model.BlockParagraph}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("blocks (-want +got):\n%s", diff)
	}
}
