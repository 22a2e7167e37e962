package check

import (
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/plain"
)

// Sweep is one look at the whole fleet, as the ledger has it.
type Sweep struct {
	Run      string       `json:"run"` // names it: the instant it was asked for, as "2026-03-02T12:00:00Z"
	Begun    time.Time    `json:"begun"`
	Units    []event.Unit `json:"units"`              // that are expected
	Coverage *Coverage    `json:"coverage,omitempty"` // what it came to; nil: it is not closed
}

// Part is what one invocation did of a unit's sweep. The parts of a unit are a chain: each begins where the one before it ended. So
// a part that was done again, over other clusters than before, counts nothing twice.
type Part struct {
	Unit       event.Unit `json:"unit"`
	After      string     `json:"after,omitempty"`     // the name that its clusters come after; empty: it is the unit's first
	Next       string     `json:"next,omitempty"`      // the After of the next part; empty: it is the unit's last
	Clusters   int        `json:"clusters"`            // that were to be checked: those that EKS lists and those that are recorded
	NotChecked Gaps       `json:"notChecked"`          // of these
	NotListed  string     `json:"notListed,omitempty"` // why EKS did not list the clusters, which leaves the recorded ones; empty: it did
	// Again is true where Lambda is to try the part again. What it says holds only where that never comes to anything.
	Again bool `json:"again,omitempty"`
}

// Coverage is what a sweep came to.
type Coverage struct {
	Run        string    `json:"run"` // of the sweep
	Begun      time.Time `json:"begun"`
	Closed     time.Time `json:"closed"`
	Units      int       `json:"units"`      // accounts and regions that were to be swept
	Clusters   int       `json:"clusters"`   // that were to be checked, as far as units were swept; of one that was not listed those that are recorded
	Checked    int       `json:"checked"`    // of these
	NotChecked Gaps      `json:"notChecked"` // of these, clusters as ACCOUNT/REGION/NAME; each is asked for again on its own
	NotListed  Gaps      `json:"notListed"`  // units, as ACCOUNT/REGION, whose clusters EKS did not list
	Unfinished Gaps      `json:"unfinished"` // units that were not swept to their end
}

// Finished reports whether every unit was swept to its end.
func (c Coverage) Finished() bool { return c.Unfinished.Count == 0 }

// Gaps are things that a sweep left out: how many, and the first of them.
type Gaps struct {
	Count int   `json:"count"`
	Some  []Gap `json:"some,omitempty"`
}

// Gap is one thing that a sweep left out, and why.
type Gap struct {
	What    string `json:"what"`
	Because string `json:"because"` // texts of others may be in it
}

// An item of the ledger has room for 400 KB, and one query reads the parts of all units: so few gaps have names.
const (
	mostInPart     = 5  // of what is left out in a part
	mostInCoverage = 20 // and of each kind in a sweep
)

// add counts gaps of which some are named, and keeps names up to a number.
func (g *Gaps) add(most, count int, some ...Gap) {
	g.Count += count
	for _, one := range some {
		if len(g.Some) < most {
			g.Some = append(g.Some, Gap{What: one.What, Because: plain.Clean(one.Because, plain.Text)})
		}
	}
}

// unitName writes a unit as ACCOUNT/REGION.
func unitName(u event.Unit) string { return u.Account + "/" + u.Region }

// notFinished is why a unit is not covered of which nothing more is known.
const notFinished = "its sweep did not finish"

// Cover is what the parts that are there make of a sweep, in any order. Without them all its units are unfinished.
func (s Sweep) Cover(parts []Part, now time.Time) Coverage {
	c := Coverage{Run: s.Run, Begun: s.Begun, Closed: now, Units: len(s.Units)}
	saved := map[event.Unit]map[string]Part{}
	for _, p := range parts {
		if saved[p.Unit] == nil {
			saved[p.Unit] = map[string]Part{}
		}
		saved[p.Unit][p.After] = p
	}
	units := slices.Clone(s.Units)
	slices.SortFunc(units, func(a, b event.Unit) int { return strings.Compare(unitName(a), unitName(b)) })
	for _, u := range units {
		c.follow(u, saved[u])
	}
	return c
}

// follow adds the chain of a unit's parts, by where they begin.
func (c *Coverage) follow(u event.Unit, parts map[string]Part) {
	listed := true
	for after := ""; ; {
		p, there := parts[after]
		if !there {
			c.Unfinished.add(mostInCoverage, 1, Gap{What: unitName(u), Because: notFinished})
			return
		}
		c.Clusters += p.Clusters
		c.Checked += p.Clusters - p.NotChecked.Count
		c.NotChecked.add(mostInCoverage, p.NotChecked.Count, p.NotChecked.Some...)
		if p.NotListed != "" && listed {
			listed = false
			c.NotListed.add(mostInCoverage, 1, Gap{What: unitName(u), Because: p.NotListed})
		}
		if p.Next == "" {
			return
		}
		delete(parts, after) // a chain has no way back
		after = p.Next
	}
}
