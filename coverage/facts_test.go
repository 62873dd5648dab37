package coverage_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/coverage"
)

func TestFacts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"no facts at all", nil},
		{"Call 8-800-XXX or +7 (495) 123-45-67.", []string{"phone 8800XXX", "phone 74951234567"}},
		{"Звоните 8 (495) 123-45-67, 8-800-ХХХ-ХХ-ХХ", []string{"phone 74951234567", "phone 8800XXXXXXX"}},
		{"0800-XXX, 555-123-4567, 555 123 4567", []string{"phone 0800XXX", "phone 5551234567", "phone 5551234567"}},
		{"write to Help@Shop.example or https://Shop.com/help/.", []string{"email help@shop.example", "link shop.com/help"}},
		{"см. сайт shop.ru, www.shop.ru/a?b=1. Дальше", []string{"link shop.ru", "link shop.ru/a?b=1"}},
		{"чат.Мы там т.е. рядом", nil},
		{"t.me/shop and @shop_help", []string{"link @shop_help"}},
		{"on 15.03.2026, 2026-03-15 or 3/15/2026", []string{"date 2026-03-15", "date 2026-03-15", "date 2026-03-15"}},
		{"15 марта, 15.03, March 15th, 15th of March 2026", []string{"date 03-15", "date 03-15", "date 03-15", "date 2026-03-15"}},
		{"you may 5", []string{"date 05-05"}},
		{"10:00, 9.30, 6 pm, 6:30 p.m.", []string{"time 10:00", "number 9.3", "time 18:00", "time 18:30"}},
		{"с 9:00 до 18:00", []string{"time 09:00", "time 18:00"}},
		{"15% or 2,5 %", []string{"percent 15%", "percent 2.5%"}},
		{"$1,500.50, 1 500 руб., 900 рублей, €20, 20 EUR", []string{"amount 1500.5 usd", "amount 1500 rub", "amount 900 rub", "amount 20 eur", "amount 20 eur"}},
		{"order #1042, заказ №77-А, AB-1042, 12AB34", []string{"id 1042", "id 77А", "id AB1042", "id 12AB34"}},
		{"24h, 14-day, 2nd, 3-го, за24 часа", []string{"number 24", "number 14", "number 2", "number 3", "number 24"}},
		{"2–7 working days", []string{"number 2", "number 7"}},
		{"1. first\n2) second 5", []string{"number 5"}},
		{"1 500 000 people, 007", []string{"number 1500000", "number 7"}},
		{"٣ أيام", []string{"number 3"}},
		{"24/7", []string{"number 24", "number 7"}},
	} {
		var got []string
		for _, f := range coverage.Facts(c.text) {
			got = append(got, fmt.Sprintf("%s %s", f.Kind, f.Norm))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.text, diff)
		}
	}
}

func ExampleFacts() {
	for _, f := range coverage.Facts("Returns within 14 days; call 8-800-XXX by March 5th.") {
		fmt.Println(f.Kind, f.Norm)
	}
	// Output:
	// number 14
	// phone 8800XXX
	// date 03-05
}

func FuzzFacts(f *testing.F) {
	for _, s := range []string{"", "8-800-XXX", "15.03.2026 10:00", "a@b.c", "# №1 -1", "١٢٬٣", "1 500 000,00 €", "+", "\xff1", "https://", "𝟙𝟚"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, x := range coverage.Facts(s) {
			if x.Text == "" || x.Norm == "" || x.Kind == "" {
				t.Fatalf("%q: empty part in %+v", s, x)
			}
		}
	})
}
