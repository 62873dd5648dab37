package deepeval

import "github.com/casebook-go/casebook/internal/stage"

// people keep inputs apart that are written side by side and know nothing of
// each other.
var people = []string{
	"somebody who is new to this",
	"somebody in a hurry",
	"somebody who did something wrong before",
	"somebody who asks for another person",
	"somebody whose first attempt failed",
	"somebody in unusual circumstances",
	"somebody who does not know the right word for it",
	"somebody who hopes for an exception",
	"somebody who is used to it being different",
	"somebody who has to change something at the last moment",
	"somebody who cannot do it the usual way",
	"somebody who worries about what it costs",
	"somebody who wants to be sure before they decide",
	"somebody who was told something else",
	"somebody who needs it for several people or things",
	"somebody who lost or forgot something",
}

// cast deals the people out to slots in a drawn order.
func (e *engine) cast(slots []*slot) {
	if len(slots) == 0 {
		return
	}
	order := stage.Rand(e.seed, "people", slots[0].index).Perm(len(people))
	for i, s := range slots {
		s.who = people[order[i%len(people)]]
	}
}
