package hub

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// Status is the fleet as the ledger has it.
type Status struct {
	At       time.Time      `json:"at"`
	Halt     *guard.Order   `json:"halt,omitempty"` // of kind halt or teardown
	Verdicts map[string]int `json:"verdicts"`       // how many clusters have each, those that are gone too
	Clusters []Standing     `json:"clusters"`       // the worst first, without those that are gone
	Shut     []Shut         `json:"shut,omitempty"` // accounts and regions whose clusters cannot be listed
	Unsent   int            `json:"unsent"`         // messages that wait to be published
	Gathered int            `json:"gathered"`       // messages that wait for a digest
	Sweeps   Sweeps         `json:"sweeps"`
	Left     []string       `json:"left,omitempty"` // ACCOUNT/REGION/NAME, or ACCOUNT/REGION, that left the policy's fleet; of them nothing else is said
}

// Standing is how a cluster stands, as its last check left it.
type Standing struct {
	Cluster  string    `json:"cluster"` // ACCOUNT/REGION/NAME
	Verdict  string    `json:"verdict"`
	Because  string    `json:"because"` // of the answer that the verdict is from; texts of others may be in it
	Since    time.Time `json:"since"`   // of the verdict
	VPCCNI   string    `json:"vpcCni,omitempty"`
	Install  string    `json:"install"`
	Version  string    `json:"version"`
	Capacity string    `json:"capacity"`
	Change   string    `json:"change"`
	HeldBy   []string  `json:"heldBy,omitempty"`  // gates that are shut for what is wanted
	Approve  []string  `json:"approve,omitempty"` // the path of an update that waits for an approval
	Seen     time.Time `json:"seen"`
	Late     bool      `json:"late,omitempty"` // it was not looked at for two sweeps
	Next     time.Time `json:"next,omitzero"`  // when the tick looks again; zero: the sweep does
	Alarm    string    `json:"alarm"`          // stands, none, or unknown
}

// Shut is an account and region whose clusters cannot be listed.
type Shut struct {
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Since   time.Time `json:"since"`
	Because string    `json:"because"` // texts of others may be in it
}

// Sweeps is what is known of the last sweeps of the whole fleet.
type Sweeps struct {
	Finished *check.Coverage `json:"finished,omitempty"` // the last that did; nil: none is known to have
	GivenUp  *check.Coverage `json:"givenUp,omitempty"`  // the last that did not, where it began after that
	Late     bool            `json:"late,omitempty"`     // the last finished more than two sweeps ago
}

// SweepsOf picks from all sweeps that the ledger has, the one that began last at the end.
func SweepsOf(all []check.Sweep, now time.Time) (s Sweeps) {
	for _, sweep := range all {
		switch c := sweep.Coverage; {
		case c == nil: // it is under way
		case c.Finished():
			s = Sweeps{Finished: c, Late: now.Sub(c.Closed) > event.Late}
		default:
			s.GivenUp = c
		}
	}
	return s
}

// Newest is what the newest sweep came to that is closed; nil: none is.
func (s Sweeps) Newest() *check.Coverage { return cmp.Or(s.GivenUp, s.Finished) }

// StatusOf makes the status of every record and the fleet's state at an instant.
func StatusOf(kept []check.Kept, fleet guard.Fleet, now time.Time) Status {
	s := Status{At: now, Halt: fleet.Halt, Verdicts: map[string]int{}, Clusters: []Standing{}}
	for _, k := range kept {
		rec := k.Record
		for _, m := range rec.Outbox {
			if m.Lane == guard.InDigest {
				s.Gathered++
			} else {
				s.Unsent++
			}
		}
		switch {
		case k.Cluster.Name == "":
			if rec.Verdict.Word == guard.Unknown {
				s.Shut = append(s.Shut, Shut{Account: k.Cluster.Account, Region: k.Cluster.Region, Since: rec.Since, Because: rec.Verdict.Install.Because})
			}
		case rec.Gone:
			s.Verdicts[guard.Gone]++
		default:
			s.Verdicts[rec.Verdict.Word]++
			s.Clusters = append(s.Clusters, standing(k.Cluster, rec, now))
		}
	}
	rank := func(c Standing) int { return slices.Index(guard.Words(), c.Verdict) }
	slices.SortStableFunc(s.Clusters, func(a, b Standing) int { return cmp.Compare(rank(a), rank(b)) })
	return s
}

func standing(id cluster.ID, rec guard.Record, now time.Time) Standing {
	v := rec.Verdict
	c := Standing{
		Cluster: id.String(), Verdict: v.Word, Because: because(v), Since: rec.Since, VPCCNI: rec.Version,
		Install: v.Install.Word, Version: v.Version.Word, Capacity: v.Capacity.Word, Change: v.Change.Word,
		HeldBy: rec.Shut(), Seen: rec.Seen, Late: now.Sub(rec.Seen) > event.Late, Next: rec.Wake(), Alarm: cmp.Or(string(rec.Alarm), guard.Unknown),
	}
	if slices.Contains(c.HeldBy, "approval") {
		c.Approve = rec.Path
	}
	return c
}

// because is the reason of the answer that heads a verdict.
func because(v guard.Verdict) string {
	for _, a := range []guard.Answer{v.Install, v.Version, v.Capacity, v.Change} {
		if a.Word == v.Word {
			return a.Because
		}
	}
	return v.Install.Because // the add-on is not healthy, which no answer says by its word
}

// Status reads how the fleet stands. The units are the policy's accounts and regions; none: the fleet is whatever has a record.
func (h Hub) Status(ctx context.Context, units []event.Unit) (Status, error) {
	known, err := h.Ledger.All(ctx)
	if err != nil {
		return Status{}, err
	}
	kept, left := within(known, units)
	fleet, err := h.Ledger.Fleet(ctx)
	if err != nil {
		return Status{}, err
	}
	sweeps, err := h.Ledger.Sweeps(ctx)
	s := StatusOf(kept, fleet, h.Now)
	s.Sweeps, s.Left = SweepsOf(sweeps, h.Now), left
	return s, err
}

// within parts the records of a policy's accounts and regions from what has left them, by name: nobody looks at that any more, however
// long it is due. Without units nothing has left. A cluster that is gone, and an account and region that could be listed, has nothing to
// be named for.
func within(all []check.Kept, units []event.Unit) (kept []check.Kept, left []string) {
	for _, k := range all {
		in := len(units) == 0 || slices.Contains(units, event.Unit{Account: k.Cluster.Account, Region: k.Cluster.Region})
		switch listed := k.Cluster.Name == "" && k.Record.Verdict.Word != guard.Unknown; {
		case in:
			kept = append(kept, k)
		case !listed && !k.Record.Gone:
			left = append(left, named(k.Cluster))
		}
	}
	return kept, left
}

// named writes a cluster as ACCOUNT/REGION/NAME; without a name it is an account and region.
func named(id cluster.ID) string { return strings.TrimSuffix(id.String(), "/") }
