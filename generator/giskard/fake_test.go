package giskard_test

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/casebook-go/casebook/generator/giskard"
	"github.com/casebook-go/casebook/generator/llm"
	"github.com/casebook-go/casebook/model"
)

// fake answers every prompt of the method, by the request alone, in the language
// that the prompt names.
type fake struct {
	// topics names the groups; nil gives each a name of its own.
	topics func(key, text string) string
	// says are words of a passage by which the check of absence finds a fact.
	says func(user, item string) string
	// same makes all messages equal.
	same bool
	// needs is how many contexts a check says the answer needs; 0 means all.
	needs int
	// unsupported is what the check finds without support in a reply.
	unsupported func(message string) bool
	// declines says why an item of the kind cannot be written; "" for can.
	declines func(kind, item, user string) string
	unknown  string // key of the rule on what cannot be answered

	mu    sync.Mutex
	calls map[string]int
	log   []*llm.Request
}

var (
	itemLine    = regexp.MustCompile(`(?m)^(i\d+):(?: kind "([^"]*)",)?[^\n]*`)
	messagePart = regexp.MustCompile(`(?s)<message>(.*?)</message>`)
	replyPart   = regexp.MustCompile(`(?s)<reply>(.*?)</reply>`)
	groupPart   = regexp.MustCompile(`(?s)<group key="(t\d+)">\n(.*?)</group>`)
	passageList = regexp.MustCompile(`passages: ([^\n]*)`)
)

func (f *fake) Complete(_ context.Context, req *llm.Request) (*llm.Response, error) {
	system, user := req.Messages[0].Content, req.Messages[1].Content
	kind, v := f.play(system, user)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[kind]++
	f.log = append(f.log, req)
	if kind == "" {
		return nil, fmt.Errorf("the prompt is unknown: %.100s", system)
	}
	b, err := json.Marshal(v)
	return &llm.Response{Text: string(b)}, err
}

func (f *fake) count(kinds ...string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for k, c := range f.calls {
		if len(kinds) == 0 {
			n += c
		}
		for _, want := range kinds {
			if k == want {
				n += c
			}
		}
	}
	return n
}

func (f *fake) play(system, user string) (kind string, reply any) {
	ru := strings.Contains(user, "Language of the passages: ru") || strings.Contains(user, "Language of the document: ru")
	switch {
	case strings.Contains(system, "You name the topics"):
		topics := []any{}
		for _, m := range groupPart.FindAllStringSubmatch(user, -1) {
			name := text(ru, "topic", m[1]+m[2])
			if f.topics != nil {
				name = f.topics(m[1], m[2])
			}
			topics = append(topics, map[string]any{"topic": m[1], "name": name})
		}
		unknown := []string{}
		if f.unknown != "" {
			unknown = append(unknown, f.unknown)
		}
		return "topics", map[string]any{"topics": topics, "unanswerable": unknown}
	case strings.Contains(system, "You write messages that people send"):
		return "questions", f.items(user, func(key, kind, item string) map[string]any {
			seed := user + key
			if f.same {
				seed = ""
			}
			out := map[string]any{
				"turns_on": "x", "fact": "", "situation": "", "message": showing(text(ru, "message", seed), item), "answer": text(ru, "answer", seed),
				"second": "", "second_answer": "", "impossible": "",
			}
			switch {
			case kind == "missing fact":
				out["fact"], out["answer"] = text(ru, "fact", seed), ""
			case kind == "two needs":
				out["second"], out["second_answer"] = text(ru, "second", seed), text(ru, "answer2", seed)
			case strings.Contains(item, "with a situation"):
				out["situation"] = text(ru, "situation", seed)
			}
			return out
		})
	case strings.Contains(system, "You rewrite messages"):
		return "rewrites", f.items(user, func(key, kind, item string) map[string]any {
			out := map[string]any{"message": "", "opening": "", "assistant": "", "follow_up": "", "impossible": ""}
			seed := messagePart.FindStringSubmatch(item)[1] + kind
			if kind == "conversational" {
				out["opening"], out["assistant"], out["follow_up"] = text(ru, "opening", seed), text(ru, "line", seed), showing(text(ru, "follow", seed), item)
				return out
			}
			out["message"] = showing(text(ru, "rewritten", seed), item)
			return out
		})
	case strings.Contains(system, "You check whether a knowledge base"):
		return "absence", f.items(user, func(_, _, item string) map[string]any {
			quote := ""
			if f.says != nil {
				quote = f.says(user, item)
			}
			return map[string]any{"quote": quote, "says": quote != ""}
		})
	case strings.Contains(system, "You make reference answers"):
		kind := "answers"
		if strings.Contains(system, "did not pass a check") {
			kind = "mends"
		}
		return kind, f.items(user, func(_, _, item string) map[string]any {
			message := messagePart.FindStringSubmatch(item)[1]
			return map[string]any{
				"situation": text(ru, "case", message), "name": text(ru, "name", message), "message": message, "shown": []any{}, "policies": []string{"p1"},
				"expected_output": text(ru, "output", message), "impossible": "",
				"criteria": []string{text(ru, "c1", message), text(ru, "c2", message), text(ru, "c3", message)},
			}
		})
	case strings.Contains(system, "You check tests of an assistant"):
		return "checks", f.items(user, func(_, _, item string) map[string]any {
			needs := []string{}
			if m := passageList.FindStringSubmatch(item); m != nil {
				needs = strings.Split(m[1], ", ")
			}
			if f.needs > 0 {
				needs = needs[:min(f.needs, len(needs))]
			}
			unsettled := ""
			if strings.Contains(item, "So that the document does not settle this is meant") {
				unsettled = "The document does not say it."
			}
			unsupported := []string{}
			if f.unsupported != nil && f.unsupported(messagePart.FindStringSubmatch(item)[1]) {
				unsupported = append(unsupported, replyPart.FindStringSubmatch(item)[1])
			}
			return map[string]any{
				"message_problem": "", "message_score": 0.9, "unsettled": unsettled, "needs": needs, "unsupported": unsupported, "missing": []string{}, "asked_problem": "",
			}
		})
	}
	return "", nil
}

// items answers every item of a prompt.
func (f *fake) items(user string, answer func(key, kind, item string) map[string]any) map[string]any {
	whole := user
	_, user, _ = strings.Cut(user, "<items>\n")
	out := []map[string]any{}
	places := itemLine.FindAllStringSubmatchIndex(user, -1)
	for i, at := range places {
		end := len(user)
		if i+1 < len(places) {
			end = places[i+1][0]
		}
		kind := ""
		if at[4] >= 0 {
			kind = user[at[4]:at[5]]
		}
		it := answer(user[at[2]:at[3]], kind, user[at[0]:end])
		if _, ok := it["impossible"]; ok && f.declines != nil {
			if why := f.declines(kind, user[at[0]:end], whole); why != "" {
				for name := range it {
					it[name] = ""
				}
				it["impossible"] = why
			}
		}
		it["item"] = user[at[2]:at[3]]
		out = append(out, it)
	}
	return map[string]any{"items": out}
}

// text is a sentence of invented words that only these arguments give.
func text(ru bool, parts ...string) string {
	h := fnv.New64a()
	for _, p := range parts {
		h.Write([]byte(p + "\x00"))
	}
	x := h.Sum64()
	start, syllables := "I need it for my ", []string{"ba", "ko", "li", "du", "me", "ra", "so", "ti", "nu", "pe", "va", "go", "hi", "fu", "ze", "ja"}
	if ru {
		start, syllables = "Подскажите, мне это нужно: ", []string{"ба", "ко", "ли", "ду", "ме", "ра", "со", "ти", "ну", "пе", "ва", "го", "хи", "фу", "зе", "жа"}
	}
	var b strings.Builder
	b.WriteString(start)
	for i := range 12 {
		if i > 0 && i%3 == 0 {
			b.WriteString(" ")
		}
		b.WriteString(syllables[x%16])
		x = x>>4 | x<<60
		x = x*0x9e3779b97f4a7c15 + uint64(i)
		x ^= x >> 29
	}
	return b.String()
}

// showing returns a text that shows the parameters of an item.
func showing(s, item string) string {
	if strings.Contains(item, "parameter length = short") {
		s = strings.Join(strings.Fields(s)[len(strings.Fields(s))-4:], " ")
	}
	if strings.Contains(item, "parameter length = long") {
		s += strings.Repeat(" "+strings.Fields(s)[len(strings.Fields(s))-1], 6)
	}
	if strings.Contains(item, "parameter tone = angry") {
		s += "!!"
	}
	return s
}

func document(tb testing.TB, name, text string) *model.Document {
	tb.Helper()
	d, err := model.ParseMarkdown(name, []byte(text), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return d
}

func read(tb testing.TB, name string) *model.Document {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return document(tb, name, string(b))
}

func build(tb testing.TB, in *giskard.Input, o *giskard.Options) *giskard.KnowledgeBase {
	tb.Helper()
	kb, err := giskard.Build(tb.Context(), in, o)
	if err != nil {
		tb.Fatal(err)
	}
	return kb
}
