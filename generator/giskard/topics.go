package giskard

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/casebook-go/casebook/coverage"
	"github.com/casebook-go/casebook/internal/lang"
	"github.com/casebook-go/casebook/internal/prompt"
	"github.com/casebook-go/casebook/internal/stage"
	"github.com/casebook-go/casebook/model"
)

const (
	topicsPerCall = 24
	shownOfTopic  = 4   // passages of a topic that the model sees
	shownRunes    = 240 // of each
	longestName   = 60  // characters of a topic's name
)

// topicsReply is what the model is asked for.
type topicsReply struct {
	Topics []topicName `json:"topics" jsonschema_description:"One for each group, in their order."`
	// Unanswerable is asked for with the first groups only.
	Unanswerable []string `json:"unanswerable" jsonschema_description:"Keys of the rules that say what to do when the assistant has no answer, or when something is not its business. Empty if none does or no rules are given."`
}

type topicName struct {
	Topic string `json:"topic" jsonschema_description:"The group's key, for example t1."`
	Name  string `json:"name" jsonschema_description:"One to four words in the language of the passages."`
}

// fault says why a name cannot be used.
func (n *topicName) fault(language string) string {
	name := clean(n.Name)
	switch {
	case name == "":
		return "the name is empty"
	case utf8.RuneCountInString(name) > longestName:
		return fmt.Sprintf("the name has more than %d characters", longestName)
	case !inLanguage(name, language):
		return "the name is not in the language of the passages"
	}
	return ""
}

// group is a topic without a name.
type group struct {
	key     string
	members []int // chunks
	shown   []int // the ones nearest to its middle
	rules   []model.Policy
}

// name gives the clusters names, merges those of one name and sets Topics.
func (kb *KnowledgeBase) name(ctx context.Context, clusters []int, rules []model.Policy) error {
	var groups []group
	rest := 1 + slices.Max(clusters) // the cluster of passages that nothing is known of
	for i, c := range clusters {
		if c < 0 {
			c = rest
		}
		for len(groups) <= c {
			groups = append(groups, group{key: fmt.Sprintf("t%d", len(groups)+1)})
		}
		groups[c].members = append(groups[c].members, i)
	}
	groups = slices.DeleteFunc(groups, func(g group) bool { return len(g.members) == 0 })
	for i := range groups {
		groups[i].shown = kb.middle(groups[i].members, shownOfTopic)
	}
	groups[0].rules = rules
	kb.unknown = map[string]bool{}
	if kb.model == nil { // a dry run
		names := make([]string, len(groups))
		for i := range groups {
			names[i] = groups[i].key
		}
		kb.merge(groups, names)
		return nil
	}
	call := kb.call()
	// Rules that are asked about stand with the first group, whose batch alone
	// writes the set.
	named := stage.Run(ctx, call, groups, stage.Options{
		Name: "giskard_topics", Batch: topicsPerCall, Concurrency: kb.o.Concurrency, Attempts: kb.o.Attempts, Seed: kb.o.Seed,
	}, func(ctx context.Context, batch []group, _ int, seed int64) ([]*string, error) {
		return kb.askTopics(ctx, batch, seed)
	})
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	names := make([]string, len(groups))
	for i, r := range named {
		if r.Err != nil {
			names[i] = kb.nameByCode(groups[i].members)
			kb.Notices = append(kb.Notices, fmt.Errorf("giskard: topic %q is named by its text: %w", names[i], r.Err))
			kb.log.Warn("giskard: a topic is named by its text", "topic", names[i], "error", r.Err.Error())
			continue
		}
		names[i] = r.Value
	}
	kb.merge(groups, names)
	return nil
}

// merge makes the topics, of groups with one name a single one.
func (kb *KnowledgeBase) merge(groups []group, names []string) {
	kb.topicOf = make([]int, len(kb.chunks))
	at := map[string]int{}
	for i, g := range groups {
		k, ok := at[coverage.Fold(names[i])]
		if !ok {
			k = len(kb.Topics)
			at[coverage.Fold(names[i])] = k
			kb.Topics = append(kb.Topics, Topic{Name: names[i]})
		}
		for _, m := range g.members {
			kb.topicOf[m] = k
		}
	}
	for i, t := range kb.topicOf {
		kb.Topics[t].Documents = append(kb.Topics[t].Documents, kb.chunks[i].ID)
	}
}

func (kb *KnowledgeBase) askTopics(ctx context.Context, batch []group, seed int64) ([]*string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "Language of the passages: %s.\n", prompt.Fence(kb.Language))
	for i := range batch {
		fmt.Fprintf(&b, "\n<group key=%q>\n", batch[i].key)
		for _, m := range batch[i].shown {
			fmt.Fprintf(&b, "- %s\n", prompt.Fence(prompt.Clip(clean(kb.chunks[m].Text), shownRunes)))
		}
		b.WriteString("</group>\n")
	}
	rules := map[string]string{}
	if len(batch[0].rules) > 0 {
		b.WriteString("\n<rules>\n")
		for i, p := range batch[0].rules {
			key := fmt.Sprintf("p%d", i+1)
			rules[key] = p.ID
			fmt.Fprintf(&b, "%s: %s\n", key, prompt.Fence(p.Statement))
		}
		b.WriteString("</rules>\n")
	}
	rep, err := stage.Ask[topicsReply](ctx, kb.model, "giskard_topics", cmp.Or(kb.o.Prompts.Topics, topicsPrompt), b.String(), seed, 0)
	if err != nil {
		return nil, err
	}
	for _, key := range rep.Unanswerable {
		if id := rules[strings.TrimSpace(key)]; id != "" {
			kb.unknown[id] = true
		}
	}
	out := make([]*string, len(batch))
	for _, t := range rep.Topics {
		i := slices.IndexFunc(batch, func(g group) bool { return g.key == strings.TrimSpace(t.Topic) })
		if i < 0 || out[i] != nil || t.fault(kb.Language) != "" {
			continue
		}
		name := clean(t.Name)
		out[i] = &name
	}
	return out, nil
}

// middle returns the k passages nearest to the middle of a cluster.
func (kb *KnowledgeBase) middle(members []int, k int) []int {
	sum := make([]float64, 0)
	for _, m := range members {
		for d, x := range kb.vectors[m] {
			if d == len(sum) {
				sum = append(sum, 0)
			}
			sum[d] += float64(x)
		}
	}
	near := make(map[int]float64, len(members))
	for _, m := range members {
		dot := 0.0
		for d, x := range kb.vectors[m] {
			dot += float64(float64(x) * sum[d])
		}
		near[m] = dot
	}
	out := slices.Clone(members)
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(near[b], near[a]) })
	return out[:min(k, len(out))]
}

// nameByCode names a topic by its text alone: the heading that most of its
// passages stand under, else the words that set it apart from the others.
func (kb *KnowledgeBase) nameByCode(members []int) string {
	titles := map[string]int{}
	var order []string
	for _, m := range members {
		parts := strings.Split(kb.chunks[m].Title, " > ")
		t := parts[len(parts)-1]
		if t == "" {
			continue
		}
		if titles[t] == 0 {
			order = append(order, t)
		}
		titles[t]++
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(titles[b], titles[a]) })
	if len(order) > 0 && titles[order[0]]*2 >= len(members) {
		return prompt.Clip(clean(order[0]), longestName-1)
	}
	if words := kb.telling(members, 3); len(words) > 0 {
		return prompt.Clip(strings.Join(words, ", "), longestName-1)
	}
	return prompt.Clip(clean(kb.chunks[members[0]].Text), longestName-1)
}

// telling returns the n words that are most frequent in the passages and rare
// elsewhere.
func (kb *KnowledgeBase) telling(members []int, n int) []string {
	if kb.wordSets == nil {
		kb.everywhere = map[string]int{}
		for i := range kb.chunks {
			set := slices.Compact(slices.Sorted(slices.Values(lang.Words(kb.chunks[i].Text))))
			set = slices.DeleteFunc(set, func(w string) bool { return utf8.RuneCountInString(w) < 4 })
			kb.wordSets = append(kb.wordSets, set)
			for _, w := range set {
				kb.everywhere[w]++
			}
		}
	}
	here := map[string]int{}
	var order []string
	for _, m := range members {
		for _, w := range kb.wordSets[m] {
			if here[w] == 0 {
				order = append(order, w)
			}
			here[w]++
		}
	}
	weight := map[string]float64{}
	for _, w := range order {
		weight[w] = float64(here[w]) * math.Log(1+float64(len(kb.chunks))/float64(kb.everywhere[w]))
	}
	slices.SortStableFunc(order, func(a, b string) int { return cmp.Compare(weight[b], weight[a]) })
	return order[:min(n, len(order))]
}

func clean(s string) string { return strings.Join(strings.Fields(s), " ") }
