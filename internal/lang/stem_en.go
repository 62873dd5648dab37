package lang

import (
	"strings"

	snowball "github.com/kljensen/snowball/english"
)

func stemEN(word string) string {
	word = strings.TrimSuffix(strings.ReplaceAll(word, "’", "'"), "'s")
	return snowball.Stem(word, true)
}

var stopsEN = set(`
a an the this that these those such some any each every all both either neither no nor not
i me my mine we us our ours you your yours he him his she her hers it its they them their theirs who whom whose which what
where when why how there here
and or but if then else so because as while although though than whether until unless
of in on at by for from to into onto with without within about over under between during before after above below up down out off again
is am are was were be been being do does did doing done have has had having will would shall should can could may might must
isn't aren't wasn't weren't don't doesn't didn't haven't hasn't won't wouldn't can't couldn't shouldn't mustn't cannot
i'm i've i'd i'll you're you've we're we've they're it's that's
also just only very too more most less least much many few other another same own etc please yes ok okay hi hello
via per vs e.g i.e let get got
`)
