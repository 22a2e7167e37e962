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
const overdue = 3 * event.TickEvery

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
func (d Doctor) rhythm(kept []check.Kept) Diagnosis {
	const what, do = "schedules", "look at the log of cniguard-bulk, and at the schedules of group cniguard"
	late, due := 0, 0
	var newest time.Time
	for _, k := range kept {
		if k.Record.Seen.After(newest) {
			newest = k.Record.Seen
		}
		if !k.Record.Gone && k.Cluster.Name != "" && d.Now.Sub(k.Record.Seen) > event.Late {
			late++
		}
		if wake := k.Record.Wake(); !wake.IsZero() && d.Now.Sub(wake) > overdue {
			due++
		}
	}
	switch {
	case due > 0:
		return problem(what, fmt.Sprintf("clusters due for more than %d minutes, which the tick should look at: %d", int(overdue.Minutes()), due)+d.orLeft("they"), do)
	case late > 0:
		return problem(what, fmt.Sprintf("clusters not looked at for 12 hours, which the sweep should look at: %d", late)+d.orLeft("they"), do)
	case newest.IsZero():
		return Diagnosis{What: what, Health: Unknown, Text: "nothing was looked at yet"}
	}
	return fine(what, "nothing is overdue; the newest look was at "+newest.UTC().Format(instant))
}

// messages is whether people are told: what could not be published once is tried again by the tick, and does not wait for long.
func (d Doctor) messages(kept []check.Kept) Diagnosis {
	const what = "messages"
	var stuck []string
	all := 0
	for _, k := range kept {
		n, since := 0, d.Now
		for _, m := range k.Record.Outbox {
			if m.Tries > 0 || m.Late(d.Now) || m.Lane == guard.AtOnce && d.Now.Sub(m.At) > overdue {
				n++
				since = slices.MinFunc([]time.Time{since, m.At}, time.Time.Compare)
			}
		}
		if all += n; n > 0 {
			stuck = append(stuck, fmt.Sprintf("%s (%d since %s)", named(k.Cluster), n, since.UTC().Format(instant)))
		}
	}
	if len(stuck) > 0 {
		return problem(what, fmt.Sprintf("could not be published: %d, of %s", all, strings.Join(stuck, ", "))+d.orLeft("they"),
			"look at the logs of the functions, at the topics cniguard-oncall, -chat and -machine, at the bus cniguard, at the key alias/cniguard, "+
				"and at what the functions' roles may do with them")
	}
	return fine(what, "none waits to be published for long")
}

// orLeft is another explanation for records that nobody looks at, where no policy says that it is not so.
func (d Doctor) orLeft(who string) string {
	if len(d.Fleet) > 0 {
		return ""
	}
	return "; or " + who + " left the policy's fleet, as --policy would tell"
}

// members is how the functions get on in each account and region.
func (d Doctor) members(kept []check.Kept, units []event.Unit) []Diagnosis {
	all := make([]Diagnosis, 0, len(units))
	for _, u := range units {
		all = append(all, d.member(slices.DeleteFunc(slices.Clone(kept), func(k check.Kept) bool {
			return k.Cluster.Account != u.Account || k.Cluster.Region != u.Region
		}), u))
	}
	return all
}

func (d Doctor) member(own []check.Kept, u event.Unit) Diagnosis {
	what := "member " + u.Account + " in " + u.Region
	var seen time.Time
	var hidden []string
	for _, k := range own {
		rec := k.Record
		if k.Cluster.Name == "" && rec.Verdict.Word == guard.Unknown {
			return problem(what, rec.Verdict.Install.Because+d.orLeft("it"), "deploy the member there, or take the account or region out of the policy's fleet (docs/deploy.md)")
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
	case d.Now.Sub(seen) > event.Late:
		return problem(what, "nothing was looked at there since "+seen.UTC().Format(instant)+d.orLeft("it"), "look at the log of cniguard-bulk")
	}
	return fine(what, "the observer role works, and looked last at "+seen.UTC().Format(instant)+"; "+updater(own))
}

// updater is what the records show of the role that makes updates. Nothing else tries it.
func updater(own []check.Kept) string {
	tried := false
	for _, k := range own {
		rec := k.Record
		if !rec.Proved.At.IsZero() {
			return "the updater role works, and has updated " + k.Cluster.Name
		}
		tried = tried || rec.Step != nil && rec.Step.ID != "" || rec.Failed.Tries > 0 || rec.Aside != nil
	}
	if tried {
		return "the updater role was tried, and no update of its is proved yet"
	}
	return "the updater role was not tried"
}

// missing are the permissions that a print of guard.Unreadable names: "faults;eks:DescribeAddon;…".
func missing(print string) string {
	_, needs, _ := strings.Cut(print, ";")
	if needs = strings.Trim(needs, ";"); needs == "" {
		return ""
	}
	return " (needs " + strings.ReplaceAll(needs, ";", ", ") + ")"
}
