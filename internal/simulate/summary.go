package simulate

import (
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/world"
)

// Summary is what a run came to, in numbers.
type Summary struct {
	Checks  int                `json:"checks"` // decisions on a cluster
	Calls   int                `json:"calls"`  // of AWS by cniguard, tries included
	Alarms  Alarms             `json:"alarms"`
	Updates Updates            `json:"updates"`
	Told    map[guard.News]int `json:"told"`  // messages by their news
	Holds   int                `json:"holds"` // lines of kind HeldBack
	GivenUp int                `json:"givenUp"`
}

// Alarms counts what cniguard did with alarms.
type Alarms struct {
	Put     int `json:"put"`
	Dropped int `json:"dropped"`
}

// Updates counts cniguard's own updates of the add-on.
type Updates struct {
	Started   int `json:"started"`
	Succeeded int `json:"succeeded"`
	Failed    int `json:"failed"`
}

// Summary counts what has happened so far. Without Options.Tell nobody counts.
func (r *Run) Summary() Summary { return r.journal.sum }

func (s *Summary) count(l Line) {
	switch l.What {
	case Told:
		s.Told[l.News]++
	case HeldBack:
		s.Holds++
	case GivenUp:
		s.GivenUp++
	}
}

// changed counts a call that changed something.
func (s *Summary) changed(kind guard.ActionKind, c *world.Call) {
	switch {
	case !c.Effect:
	case kind == guard.PutAlarm:
		s.Alarms.Put++
	case kind == guard.DropAlarm:
		s.Alarms.Dropped++
	case kind == guard.StartUpdate:
		s.Updates.Started++
	}
}

// ended counts the end of an update by its status, as EKS writes it.
func (s *Summary) ended(status string) {
	if status == "Successful" {
		s.Updates.Succeeded++
	} else {
		s.Updates.Failed++
	}
}
