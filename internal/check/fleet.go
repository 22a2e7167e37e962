package check

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/clock"
	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/telemetry"
)

const (
	sideBySide = 4  // checks of a sweep: EKS shares its API limits with nodes that join
	perSweep   = 50 // checks an invocation; then the sweep sends itself a continuation
)

// Tick asks for a check of everything that is due, and for digests when it is their time.
func (e Engine) Tick(ctx context.Context) error {
	e.Counts.Add(telemetry.Ticks, 1)
	due, err := e.Ledger.Due(ctx, e.Clock.Now())
	if err != nil {
		return fmt.Errorf("tick: %w", err)
	}
	var ts []event.Trigger
	for _, id := range due {
		switch {
		case !e.Policy.Contains(id.Account, id.Region):
		case id.Name == "": // a unit that could not be listed
			ts = append(ts, event.Trigger{Kind: event.Sweeping, Unit: event.Unit{Account: id.Account, Region: id.Region}, Run: "tick"})
		default:
			ts = append(ts, event.Trigger{Kind: event.Check, Cluster: id})
		}
	}
	digests, err := e.digests(ctx)
	if err != nil {
		err = fmt.Errorf("tick: %w", err)
	}
	return errors.Join(err, e.wake(ctx, "tick", append(ts, digests...)))
}

// Meter asks for the metering of every unit of the fleet, with the tick's own time.
func (e Engine) Meter(ctx context.Context, at time.Time) error {
	var ts []event.Trigger
	for _, u := range e.Policy.Units() {
		ts = append(ts, event.Trigger{Kind: event.Metering, Unit: u, At: at})
	}
	e.Counts.Add(telemetry.Meters, 1)
	return e.wake(ctx, "meter", ts)
}

// Sweep asks for the sweep of every unit of the fleet. Run names the sweep: the instant it was asked for, in RFC 3339. The ledger knows of it
// before anybody is woken, and it does not begin where it cannot be written there for now: no check could be saved either.
func (e Engine) Sweep(ctx context.Context, run string) error {
	units := e.Policy.Units()
	if err := e.open(ctx, run, units); err != nil {
		return err
	}
	ts := make([]event.Trigger, 0, len(units))
	for _, u := range units {
		ts = append(ts, event.Trigger{Kind: event.Sweeping, Unit: u, Run: run})
	}
	return e.wake(ctx, "sweep", ts)
}

func (e Engine) wake(ctx context.Context, what string, ts []event.Trigger) error {
	if len(ts) == 0 {
		return nil
	}
	if err := e.Waker.Wake(ctx, ts...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// Metering reads how full the recorded pod subnets of a unit are, publishes the metrics that the alarms watch (utilisation, and
// free blocks and days left where the policy has an alarm on them), and asks for a check of each cluster whose capacity answer
// would be another: a lost alarm event costs minutes.
func (e Engine) Metering(ctx context.Context, u event.Unit, at time.Time) error {
	kept, err := e.Ledger.In(ctx, u)
	if err != nil {
		return fmt.Errorf("meter %s in %s: %w", u.Account, u.Region, err)
	}
	e.countOverdue(kept)
	e.countWaiting(kept)
	shut := slices.ContainsFunc(kept, func(k Kept) bool { return k.Cluster.Name == "" && shutOut(k.Record) })
	kept = slices.DeleteFunc(kept, func(k Kept) bool { return len(k.Record.Meter.Subnets) == 0 })
	if len(kept) == 0 {
		return nil
	}
	shut = shut || !slices.ContainsFunc(kept, func(k Kept) bool { return k.Record.Told[guard.Unreadable].Times == 0 })
	var ids []string
	for _, k := range kept {
		ids = append(ids, k.Record.Meter.Subnets...)
	}
	slices.Sort(ids)
	subnets, err := e.Gauge.Subnets(ctx, u, slices.Compact(ids))
	if err != nil {
		e.Counts.Add(telemetry.NotMetered, len(kept))
		return e.unitFault(ctx, "meter", u, err, shut)
	}
	all := e.gauge(kept, subnets)
	err = errors.Join(e.put(ctx, u, at, e.values(all), shut), e.wake(ctx, "meter", changed(all)))
	// The blocks take longer, and may fail where EC2 is asked too much: nothing else waits for them.
	e.gaugeBlocks(ctx, u, all)
	return errors.Join(err, e.put(ctx, u, at, blocksOf(all), shut), e.wake(ctx, "meter", crumbled(all)))
}

// put publishes values, where there are any.
func (e Engine) put(ctx context.Context, u event.Unit, at time.Time, values []alarm.Value, shut bool) error {
	if len(values) == 0 {
		return nil
	}
	if err := e.Gauge.Publish(ctx, u, at, values); err != nil {
		return e.unitFault(ctx, "publish the metrics of", u, err, shut)
	}
	return nil
}

// countOverdue counts the clusters that nobody has looked at for two sweeps.
func (e Engine) countOverdue(kept []Kept) {
	for _, k := range kept {
		if k.Cluster.Name != "" && !k.Record.Gone && e.Clock.Now().Sub(k.Record.Seen) > event.Late {
			e.Counts.Add(telemetry.Overdue, 1)
		}
	}
}

// countWaiting counts the messages that people or programs should have by now.
func (e Engine) countWaiting(kept []Kept) {
	for _, k := range kept {
		for _, m := range k.Record.Outbox {
			now := e.Clock.Now()
			if e.lacking(m) && m.Late(now) || e.owed(m) && now.Sub(m.At) > guard.MayWait {
				e.Counts.Add(telemetry.Waiting, 1)
			}
		}
	}
}

// gauged is a cluster and what the meter finds of it.
type gauged struct {
	Kept
	pods   capacity.Pods
	blocks *float64 // percent of /28 blocks in use, where it has an alarm on that; nil: not measured
}

// prefixed are the pod subnets whose /28 blocks its alarm is about.
func (c gauged) prefixed() []capacity.Subnet {
	return slices.DeleteFunc(slices.Clone(c.pods.Subnets), func(s capacity.Subnet) bool { return !slices.Contains(c.Record.Meter.Blocks, s.ID) })
}

// gauge is what the pod subnets of each cluster are like.
func (e Engine) gauge(kept []Kept, subnets []capacity.Subnet) []gauged {
	byID := make(map[string]capacity.Subnet, len(subnets))
	for _, s := range subnets {
		byID[s.ID] = s
	}
	all := make([]gauged, 0, len(kept))
	for _, k := range kept {
		c := gauged{Kept: k}
		for _, id := range k.Record.Meter.Subnets {
			if s, ok := byID[id]; ok {
				c.pods.Subnets = append(c.pods.Subnets, s)
			}
		}
		if _, any := c.pods.Worst(); !any {
			e.Counts.Add(telemetry.NotMetered, 1)
		}
		all = append(all, c)
	}
	return all
}

// gaugeBlocks counts the /28 blocks for the clusters that have an alarm on them. Where they cannot be counted the alarm has no data, which
// people are told of.
func (e Engine) gaugeBlocks(ctx context.Context, u event.Unit, all []gauged) {
	var subnets []capacity.Subnet
	seen := map[string]bool{}
	for _, c := range all {
		for _, s := range c.prefixed() {
			if !seen[s.ID] {
				seen[s.ID] = true
				subnets = append(subnets, s)
			}
		}
	}
	if len(subnets) == 0 {
		return
	}
	blocks := e.readBlocks(ctx, u, subnets)
	if blocks.Fault != nil {
		for _, c := range all {
			if len(c.Record.Meter.Blocks) > 0 {
				e.Counts.Add(telemetry.NotMetered, 1)
			}
		}
		e.Log.ErrorContext(ctx, "blocks not counted", "account", u.Account, "region", u.Region, "need", blocks.Fault.Need, "error", blocks.Fault.Error())
		return
	}
	for i, c := range all {
		if _, worst, any := capacity.FewestBlocks(c.prefixed(), blocks.Value.In); any {
			used := worst.Utilization()
			all[i].blocks = &used
		}
	}
}

// changed are the checks to ask for: of clusters whose answer would be another now. What could not be read is looked at again at its own times;
// a check in between would read no more.
func changed(all []gauged) (ts []event.Trigger) {
	for _, c := range all {
		m := c.Record.Meter
		worst, any := c.pods.Worst()
		if m.Level != guard.Unknown && (!any || guard.Level(worst.Utilization(), m.Warning, m.Critical, m.Level) != m.Level) {
			ts = append(ts, event.Trigger{Kind: event.Check, Cluster: c.Cluster})
		}
	}
	return ts
}

// crumbled are those of clusters of whose /28 blocks another share is in use.
func crumbled(all []gauged) (ts []event.Trigger) {
	for _, c := range all {
		m := c.Record.Meter
		if c.blocks != nil && m.BlocksLevel != guard.Unknown && guard.Level(*c.blocks, m.Warning, m.Critical, m.BlocksLevel) != m.BlocksLevel {
			ts = append(ts, event.Trigger{Kind: event.Check, Cluster: c.Cluster})
		}
	}
	return ts
}

// values are those to publish: how full the fullest pod subnet of each cluster is and, for those with an alarm on it, the days that are left.
func (e Engine) values(all []gauged) []alarm.Value {
	var values []alarm.Value
	for _, c := range all {
		m, name := c.Record.Meter, c.Cluster.Name
		if worst, any := c.pods.Worst(); any && m.Publish {
			values = append(values, alarm.Value{Cluster: name, Metric: alarm.Subnets, Value: worst.Utilization()})
		}
		if days, known := c.Record.Outlook.Left(e.Clock.Now()); known && m.Days {
			values = append(values, alarm.Value{Cluster: name, Metric: alarm.Days, Value: days})
		}
	}
	return values
}

// blocksOf are the shares of /28 blocks in use to publish.
func blocksOf(all []gauged) []alarm.Value {
	var values []alarm.Value
	for _, c := range all {
		if c.blocks != nil {
			values = append(values, alarm.Value{Cluster: c.Cluster.Name, Metric: alarm.Blocks, Value: *c.blocks})
		}
	}
	return values
}

// Sweeping checks a unit's clusters, those that EKS lists and those that are recorded, from the one after the given name on.
// A unit that cannot be listed is counted; its recorded clusters are checked all the same. What was done goes into the ledger under the run
// that names the sweep, and who does the last part of the last unit closes it.
func (e Engine) Sweeping(ctx context.Context, u event.Unit, after, run string) error {
	standing := e.standing(ctx, u, after)
	names, listErr := e.Observer.Clusters(ctx, u, after)
	kept, err := e.Ledger.In(ctx, u)
	if err != nil {
		return fmt.Errorf("sweep %s in %s: %w", u.Account, u.Region, err)
	}
	for _, k := range kept {
		if k.Cluster.Name > after && !k.Record.Gone {
			names = append(names, k.Cluster.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if listErr == nil {
		e.dropOrphans(ctx, u, standing, names)
	}
	more := len(names) > perSweep
	if more {
		names = names[:perSweep]
	}
	part := Part{Unit: u, After: after, Clusters: len(names)}
	if more {
		part.Next = names[len(names)-1]
	}
	var ts []event.Trigger
	ts, part.NotChecked = e.checkAll(ctx, u, names)
	e.Log.InfoContext(ctx, "swept", "account", u.Account, "region", u.Region, "run", run,
		"clusters", len(names), "failed", len(ts), "more", more, "listed", listErr == nil)
	shut, unitErr := e.judgeUnit(ctx, u, kept, listErr)
	if listErr != nil {
		part.NotListed = plain.Clean(listErr.Error(), plain.Text)
		e.Counts.Add(telemetry.NotListed, 1)
		listErr = e.unitFault(ctx, "list the clusters of", u, listErr, shut)
	}
	part.Again = listErr != nil // Lambda tries the part again, and it does not go on meanwhile
	partErr := e.bookPart(ctx, run, part)
	done := listErr == nil && partErr == nil
	if more && done {
		ts = append(ts, event.Trigger{Kind: event.Sweeping, Unit: u, After: part.Next, Run: run})
	}
	err = errors.Join(listErr, unitErr, partErr, e.wake(ctx, "sweep", ts))
	if !more && done {
		err = errors.Join(err, e.finish(ctx, run))
	}
	return err
}

// judgeUnit remembers and tells that a unit cannot be listed, and that it can be again, until people know. A unit that always could
// has no record.
// Shut is true when people had been told before: then it is shutOut.
func (e Engine) judgeUnit(ctx context.Context, u event.Unit, known []Kept, listErr error) (shut bool, err error) {
	id := cluster.ID{Account: u.Account, Region: u.Region}
	k := Kept{Cluster: id}
	if i := slices.IndexFunc(known, func(k Kept) bool { return k.Cluster == id }); i >= 0 {
		k = known[i]
	}
	if listErr == nil && k.Record.Verdict.Word != guard.Unknown && k.Record.Wake().IsZero() {
		return false, nil
	}
	if k, err = e.Ledger.Load(ctx, id); err != nil {
		return false, fmt.Errorf("judge %s in %s: %w", u.Account, u.Region, err)
	}
	shut = shutOut(k.Record)
	in := guard.Input{ID: id, Record: k.Record, Now: e.Clock.Now()}
	in.Seen.At = in.Now
	var f *fault.Fault
	if listErr != nil {
		f = reading(0, listErr).Fault
	}
	_, err = e.conclude(ctx, k, in, guard.JudgeUnit(in, f), nil)
	return shut, err
}

// shutOut reports whether people know that a unit cannot be listed, as where its region is switched off: its record says when it
// is looked at again, so that Lambda need not try, and the failure queue does not fill.
func shutOut(rec guard.Record) bool { return rec.Told[guard.UnitUnreadable].Times > 0 }

// checkAll checks clusters of a unit, a few side by side. It gives the checks that failed, to be asked for again on their own, and why.
func (e Engine) checkAll(ctx context.Context, u event.Unit, names []string) (failed []event.Trigger, gaps Gaps) {
	errs := make([]error, len(names))
	checks := make([]func(context.Context) error, 0, len(names))
	for i, n := range names {
		id := cluster.ID{Account: u.Account, Region: u.Region, Name: n}
		checks = append(checks, func(ctx context.Context) error { _, errs[i] = e.Check(ctx, id); return nil })
	}
	if len(checks) > 0 {
		_ = e.Clock.Parallel(ctx, clock.Limit(sideBySide, checks)...) // the errors are in errs
	}
	for i, err := range errs {
		if err != nil {
			id := cluster.ID{Account: u.Account, Region: u.Region, Name: names[i]}
			e.Log.ErrorContext(ctx, "not checked", telemetry.Cluster(id), "error", err.Error())
			failed = append(failed, event.Trigger{Kind: event.Check, Cluster: id})
			gaps.add(mostInPart, 1, Gap{What: id.String(), Because: err.Error()})
		}
	}
	return failed, gaps
}

// unitFault is the error of a unit's work: one that may pass is returned, so that Lambda tries again; one that only a person
// can mend, or of a unit that is shut, is logged and counted, since trying again changes nothing.
func (e Engine) unitFault(ctx context.Context, what string, u event.Unit, err error, shut bool) error {
	if f := fault.Of(err); f != nil && (shut || f.Kind != fault.Retry) {
		e.Log.ErrorContext(ctx, "unit not done", "what", what, "account", u.Account, "region", u.Region, "need", f.Need, "error", f.Error())
		return nil
	}
	return fmt.Errorf("%s %s in %s: %w", what, u.Account, u.Region, err)
}
