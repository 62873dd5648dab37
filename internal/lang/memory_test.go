package lang

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A language with a memory answers as one without, whoever asks and however
// often, and what a caller does to an answer is no matter to the next.
func TestRemembering(t *testing.T) {
	t.Parallel()
	for code, sentences := range map[string][]string{
		"en": {"The bot must not promise dates if the desk is closed.", "Always ask for the order number.", "Lamps are taken back within 30 days.", ""},
		"ru": {"Бот не должен называть сроки, если клиент ругается.", "Всегда спрашивайте номер заказа.", "Лампы принимаем в течение 30 дней.", ""},
	} {
		plain, err := For(code)
		if err != nil {
			t.Fatal(err)
		}
		l := plain.Remembering()
		if l.Remembering() != l {
			t.Errorf("%s: a memory of a memory", code)
		}
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for _, s := range sentences {
					norms := l.Norms(s)
					if diff := cmp.Diff(plain.Norms(s), norms); diff != "" {
						t.Errorf("%s: norms of %q (-want +got):\n%s", code, s, diff)
					}
					for i := range norms {
						norms[i].Text = "spoilt"
						norms[i].Conditions = append(norms[i].Conditions, "spoilt")
					}
					want, ok := plain.Speak(s)
					if got, spoken := l.Speak(s); got != want || spoken != ok {
						t.Errorf("%s: %q is spoken as %v %v, want %v %v", code, s, got, spoken, want, ok)
					}
					want, ok = plain.Quote(s)
					if got, quoted := l.Quote(s); got != want || quoted != ok {
						t.Errorf("%s: %q is quoted as %v %v, want %v %v", code, s, got, quoted, want, ok)
					}
					if diff := cmp.Diff(plain.Stems(s), l.Stems(s)); diff != "" {
						t.Errorf("%s: stems of %q (-want +got):\n%s", code, s, diff)
					}
				}
			})
		}
		group.Wait()
		named := l.WithAgents("Quay", "Квант")
		if diff := cmp.Diff(plain.WithAgents("Quay", "Квант").Norms("Quay must not promise dates. Квант не называет сроки."), named.Norms("Quay must not promise dates. Квант не называет сроки.")); diff != "" {
			t.Errorf("%s: with another agent's name it remembers the old answers (-want +got):\n%s", code, diff)
		}
	}
}
