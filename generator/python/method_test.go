package python

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/casebook-go/casebook/generator"
	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/internal/answer"
	"github.com/casebook-go/casebook/internal/chunk"
	"github.com/casebook-go/casebook/model"
)

// The documents of the methods' tests.
const (
	teaShop = `# Чайный магазин

## Возврат

Вскрытую пачку чая вернуть нельзя. Закрытую можно вернуть в течение 14 дней.

## Доставка

По городу 2 дня, по стране до 9 дней. Нельзя обещать доставку в конкретный час.

## Передача специалисту

Если клиент сообщает об аллергии, передайте разговор старшему смены.

| Чай | Цена |
| --- | --- |
| «Улун» | 500 ₽ |
`
	bikeDesk = "# Bike desk\n\n## Deposit\n\nThe deposit is 60 euros per bike. It is returned within 3 working days.\n"
	ryokan   = "# 旅館の規則\n\n## 取消\n\n前日までの取消は無料です。当日の取消は全額をいただきます。\n"
)

func parseDocument(tb testing.TB, name, text string) *model.Document {
	tb.Helper()
	doc, err := model.ParseMarkdown(name, []byte(text), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return doc
}

// newWork is a call about documents, in passages of a sentence or two.
func newWork(tb testing.TB, call *generator.Call, files ...string) *work {
	tb.Helper()
	for _, name := range files {
		text := map[string]string{"чай.md": teaShop, "bikes.md": bikeDesk, "旅館.md": ryokan}[name]
		call.Documents = append(call.Documents, parseDocument(tb, name, text))
	}
	o, err := Options{}.settled()
	if err != nil {
		tb.Fatal(err)
	}
	call.Log = slog.New(slog.DiscardHandler)
	w := &work{Engine: &Engine{o: o}, call: call, docs: call.Documents, passages: cut(call.Documents, 40)}
	if err := w.cast(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return w
}

func passageWith(tb testing.TB, p *passages, words string) chunk.Chunk {
	tb.Helper()
	for i := range p.all {
		if strings.Contains(p.all[i].Text, words) {
			return p.all[i]
		}
	}
	tb.Fatalf("no passage has %q", words)
	return chunk.Chunk{}
}

func rawJSON(tb testing.TB, v any) json.RawMessage {
	tb.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func object(tb testing.TB, raw json.RawMessage) map[string]any {
	tb.Helper()
	var m map[string]any
	if err := json.Unmarshal(raw, &m); err != nil {
		tb.Fatal(err)
	}
	return m
}

// rewritten reads a record for a slot and writes it with the texts of f; "" means
// as they were read. A record written twice is the same.
func rewritten(t *testing.T, m method, w *work, s *slot, record json.RawMessage, f answer.Final) json.RawMessage {
	t.Helper()
	var err error
	if s.made, err = m.read(w, s, record); err != nil {
		t.Fatal(err)
	}
	if f.Input == "" {
		f.Input = s.made.input
	}
	if f.Output == "" {
		f.Output = s.made.output
	}
	read := *s.made
	first, err := m.write(w, s, &f)
	if err != nil {
		t.Fatal(err)
	}
	again := *s
	again.made = &read
	second, err := m.write(w, &again, &f)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(first), string(second)); diff != "" {
		t.Errorf("what was read has changed (-first +second):\n%s", diff)
	}
	return first
}

// The drivers read what their tasks have, and nothing else.
func TestDriversReadTheirTasks(t *testing.T) {
	t.Parallel()
	const body = `body\["(\w+)"\]`
	for _, tt := range []struct {
		driver, op string
		from       string         // what is read begins after it and ends with two empty lines; "" for all
		keys       map[string]any // what has the keys that a pattern finds
	}{
		{"deepeval", fmt.Sprintf("OP = %q", newDeepEval().op()), "", map[string]any{body: deepEvalTask{}}},
		{"ragas", fmt.Sprintf("job.op == %q", newRagas().op()), "\nclass Order:\n", map[string]any{`(?m)^    (\w+): `: ragasSample{}}},
		{"giskard", fmt.Sprintf("OP = %q", newGiskard().op()), "", map[string]any{body: giskardTask{}, `\bp\["(\w+)"\]`: giskardPassage{}, `shared\["(\w+)"\]`: giskardBase{}}},
	} {
		source, err := os.ReadFile(filepath.Join("worker", tt.driver+"_driver.py"))
		if err != nil {
			t.Fatal(err)
		}
		text := string(source)
		if !strings.Contains(text, tt.op) {
			t.Errorf("%s: the driver lacks %s", tt.driver, tt.op)
		}
		if tt.driver == Giskard {
			for _, kind := range giskard.Types() {
				if has := strings.Contains(text, fmt.Sprintf("%q: types.", kind)); has == (kind == giskard.MultiContext) {
					t.Errorf("the driver makes %q: %t", kind, has)
				}
			}
		}
		if tt.from != "" {
			_, text, _ = strings.Cut(text, tt.from)
			text, _, _ = strings.Cut(text, "\n\n\n")
		}
		for pattern, of := range tt.keys {
			read := map[string]bool{}
			for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1) {
				read[m[1]] = true
			}
			if diff := cmp.Diff(slices.Sorted(maps.Keys(object(t, rawJSON(t, of)))), slices.Sorted(maps.Keys(read))); diff != "" {
				t.Errorf("%s, keys of %T (-task +driver):\n%s", tt.driver, of, diff)
			}
		}
	}
}
