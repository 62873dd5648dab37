package orchestrate_test

import (
	"errors"
	"testing"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/model"
	"github.com/casebook-go/casebook/orchestrate"
)

// A document that says nothing of caps, emoji or spelling has no fault axis.
func TestOperatorQualityWithoutFaults(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"en.md": "# Bakery\n\n## Orders\n\n- Cakes must be ordered at least 2 days ahead.\n- An order can be cancelled free of charge until 24 hours before pickup.\n\n## Questions\n\n**Q: Do you bake without gluten?**\nA: Yes, bread and two cakes are baked without gluten.\n\n**Q: When are you open?**\nA: We are open from 7:00 to 18:00, except on Sunday.\n",
		"ru.md": "# Пекарня\n\n## Заказы\n\n- Торт нужно заказать не позднее чем за 2 дня.\n- Отменить заказ можно бесплатно за 24 часа до получения.\n\n## Вопросы\n\n### Есть ли хлеб без глютена?\nДа, хлеб и два торта выпекаются без глютена.\n\n### Когда вы работаете?\nМы открыты с 7:00 до 18:00, кроме воскресенья.\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc, err := model.ParseMarkdown(name, []byte(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			o, err := orchestrate.New(nil, &orchestrate.Options{Seed: 42, Profile: model.OperatorQuality()})
			if err != nil {
				t.Fatal(err)
			}
			res, err := o.Run(t.Context(), &orchestrate.Input{Documents: []*model.Document{doc}})
			if short := (*coverage.ShortfallError)(nil); err != nil && !errors.As(err, &short) {
				t.Fatal(err)
			}
			if len(res.Dataset.UseCases) == 0 {
				t.Error("no use cases")
			}
		})
	}
}
