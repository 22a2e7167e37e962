package hub

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/check"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
)

// overdue is how long after its time a record is looked at when something is wrong: three ticks.
const overdue = 15 * time.Minute

func (d Doctor) ledger(kept []check.Kept, err error) Diagnosis {
	const what = "ledger"
	if err != nil {
		return d.unanswered(what, "dynamodb:Scan", err)
	}
	n := len(slices.DeleteFunc(slices.Clone(kept), func(k check.Kept) bool { return k.Cluster.Name == "" || k.Record.Gone }))
	if n == 0 {
		return Diagnosis{What: what, Health: Unknown, Text: "no cluster was checked yet", Do: "wait for the first sweep, at most 6 hours after the deployment"}
	}
	return fine(what, fmt.Sprintf("clusters that are known: %d", n))
}

// fleet tells of a teardown: the alarms that it takes away are missed by nobody else. A halt is a person's and does no harm.
func (d Doctor) fleet(ctx context.Context) Diagnosis {
	const what = "orders"
	fleet, err := d.Ledger.Fleet(ctx)
	switch h := fleet.Halt; {
	case err != nil:
		unread := d.unanswered(what, "dynamodb:GetItem", err)
		unread.Health = Problem // it holds every update
		return unread
	case h == nil:
		return fine(what, "the fleet is not halted")
	case h.Kind == guard.TearingDown:
		return problem(what, "torn down by "+h.By+": "+h.Because, "cniguard resume brings the alarms back")
	default:
		return fine(what, "halted by "+h.By+": "+h.Because)
	}
}

// rhythm is whether the schedules and the bulk function do their work: then nothing waits for long.
func rhythm(kept []check.Kept, now time.Time) Diagnosis {
	const what, do = "schedules", "look at the log of cniguard-bulk, and at the schedules of group cniguard"
	late, due := 0, 0
	var newest time.Time
	for _, k := range kept {
		if k.Record.Seen.After(newest) {
			newest = k.Record.Seen
		}
		if !k.Record.Gone && k.Cluster.Name != "" && now.Sub(k.Record.Seen) > Late {
			late++
		}
		if wake := k.Record.Wake(); !wake.IsZero() && now.Sub(wake) > overdue {
			due++
		}
	}
	switch {
	case due > 0:
		return problem(what, fmt.Sprintf("clusters due for more than %d minutes, which the tick should look at: %d", int(overdue.Minutes()), due), do)
	case late > 0:
		return problem(what, fmt.Sprintf("clusters not looked at for 12 hours, which the sweep should look at: %d", late), do+"; is their account still in the policy's fleet?")
	case newest.IsZero():
		return Diagnosis{What: what, Health: Unknown, Text: "nothing was looked at yet"}
	}
	return fine(what, "nothing is overdue; the newest look was at "+newest.UTC().Format(instant))
}

// members is how the functions get on in each account and region.
func members(kept []check.Kept, units []event.Unit, now time.Time) []Diagnosis {
	all := make([]Diagnosis, 0, len(units))
	for _, u := range units {
		all = append(all, member(slices.DeleteFunc(slices.Clone(kept), func(k check.Kept) bool {
			return k.Cluster.Account != u.Account || k.Cluster.Region != u.Region
		}), u, now))
	}
	return all
}

func member(own []check.Kept, u event.Unit, now time.Time) Diagnosis {
	what := "member " + u.Account + " in " + u.Region
	var seen time.Time
	var hidden []string
	for _, k := range own {
		rec := k.Record
		if k.Cluster.Name == "" && rec.Verdict.Word == guard.Unknown {
			return problem(what, rec.Verdict.Install.Because, "deploy the member there, or take the account or region out of the policy's fleet (docs/deploy.md)")
		}
		if k.Cluster.Name == "" || rec.Gone {
			continue // nobody looks at these again
		}
		if rec.Seen.After(seen) {
			seen = rec.Seen
		}
		if t, found := rec.Told[guard.Unreadable]; found {
			hidden = append(hidden, k.Cluster.Name+missing(t.Print))
		}
	}
	switch {
	case seen.IsZero():
		return Diagnosis{What: what, Health: Unknown, Text: "no cluster was seen there, and no fault either", Do: "nothing, if it has no clusters"}
	case len(hidden) > 0:
		return problem(what, "not everything can be read of "+strings.Join(hidden, ", "), "bring the member there up to date; `cniguard explain CLUSTER` has the faults")
	case now.Sub(seen) > Late:
		return problem(what, "nothing was looked at there since "+seen.UTC().Format(instant), "is it still in the policy's fleet?")
	}
	return fine(what, "the last look was at "+seen.UTC().Format(instant))
}

// missing are the permissions that a print of guard.Unreadable names: "faults;eks:DescribeAddon;…".
func missing(print string) string {
	_, needs, _ := strings.Cut(print, ";")
	if needs = strings.Trim(needs, ";"); needs == "" {
		return ""
	}
	return " (needs " + strings.ReplaceAll(needs, ";", ", ") + ")"
}
