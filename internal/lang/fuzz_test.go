package lang

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzText holds the reading of any text to what its callers rely on: words
// and sentences are parts of the text in order, and norms are made of it.
func FuzzText(f *testing.F) {
	for _, s := range []string{
		"If a guest asks, hand the chat to reception; never promise a date.",
		"Если клиент ругается — сразу оператору. Не разбираемся сами (никогда).",
		"«", "((((", "a\xffb", "e.g. 1.5 kg, т.д. и т.п.", "don’t stop!? Yes… no。ok", "\u2028x\u0085y", "— – -", "бот «Квант», our bot", "10-15 мин.", "İ İİ: a, b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rest := text
		for _, s := range Sentences(text) {
			i := strings.Index(rest, s)
			if i < 0 {
				t.Fatalf("sentence %q is not a part of the rest of %q", s, text)
			}
			rest = rest[i+len(s):]
		}
		for _, w := range Words(text) {
			if w == "" || utf8.ValidString(text) && !strings.Contains(strings.ReplaceAll(strings.ToLower(text), "’", "'"), w) {
				t.Fatalf("word %q is not a part of %q", w, text)
			}
		}
		Detect(text)
		for _, l := range languages {
			for _, n := range l.Norms(text) {
				if n.Text == "" || n.Part == "" || n.Type == "" || n.Cue == "" {
					t.Fatalf("a norm of %q lacks a field: %+v", text, n)
				}
			}
			l.Stems(text)
			l.Quantities(text)
			l.Labels(text)
			l.TaskOf(text)
			l.AgentName(text)
			l.ConditionTask(text)
			l.HandedOver(text)
			l.SaidBefore(text)
			if s := l.Shorten(text, 20); utf8.RuneCountInString(s) > 20 {
				t.Fatalf("shortened to %q", s)
			}
		}
	})
}
