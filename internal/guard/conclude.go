package guard

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/fault"
	"github.com/cniguard/cniguard/internal/policy"
)

// Intend is the record to save before any action of the plan that must not happen twice; false: there is none. A step is in
// the ledger before UpdateAddon is called, so that a process that dies leaves a trace of what it was about to do.
func Intend(in Input, p Plan) (Record, bool) {
	rec := in.Record
	for _, a := range p.Actions {
		if a.Kind == StartUpdate {
			step := a.Step
			rec.Step = &step
			return rec, true
		}
	}
	return rec, false
}

// Conclude folds what was seen and done into the record, and puts what people are to be told into its outbox. It is the only
// place that speaks. Where another check saved in between, Input.Record is the newest record: what was done is still folded
// in, and what was seen only if it was seen later.
func Conclude(in Input, p Plan, done []Outcome) Record {
	c := conclusion{in: in, plan: p, done: done, rec: in.Record}
	c.rec.Schema = Schema
	c.rec.Told = maps.Clone(in.Record.Told)
	c.rec.Outbox = slices.Clone(in.Record.Outbox)
	c.rec.Past = maps.Clone(in.Record.Past)
	if c.rec.Told == nil {
		c.rec.Told = map[Code]Told{}
	}
	if c.rec.Past == nil {
		c.rec.Past = map[Code]Past{}
	}
	c.outcomes()
	if in.Seen.At.Before(in.Record.Seen) {
		c.dueAt(in.Record.Due)
	} else {
		c.seen()
	}
	c.alarm()
	c.rung()
	if c.rec.Step != nil {
		c.dueIn(ask(in.Now.Sub(c.rec.Step.Since)))
	}
	c.rec.Due = c.due
	return c.rec
}

// conclusion is a record in the making.
type conclusion struct {
	in   Input
	plan Plan
	done []Outcome
	rec  Record
	due  time.Time
}

func (c *conclusion) dueIn(after time.Duration) { c.dueAt(c.in.Now.Add(after)) }
func (c *conclusion) dueAt(t time.Time)         { c.due = earlier(c.due, t) }

// outcomes folds in what became of the plan's update.
func (c *conclusion) outcomes() {
	for _, o := range c.done {
		if o.Action.Kind != StartUpdate || c.rec.Step == nil || c.rec.Step.Token != o.Action.Step.Token || c.rec.Step.ID != "" {
			continue
		}
		switch f := o.Fault; {
		case f == nil:
			c.started(o.ID)
		case f.InDoubt:
			// The step stays without an id; the next check settles it by what AWS says.
		case f.Kind == fault.Terminal:
			c.failed(failure{Code: cmp.Or(f.Cause, f.Code), Text: f.Error(), Need: f.Need})
		default: // throttled, another update is open, halted in the last moment, or the row ended before: nothing was tried
			c.rec.Step = nil
			c.dueIn(c.again(later))
			c.plan.Held = append(slices.Clone(c.plan.Held), Held{Action: o.Action, By: []Reason{{Gate: "row", Text: f.Error()}}})
			c.plan.Verdict.Change = Answer{Waiting, f.Error()}
		}
	}
}

// seen folds in the snapshot: the step's progress, the verdict, the findings, and when to look again.
func (c *conclusion) seen() {
	c.progress()
	c.broken()
	c.rec.Seen = c.in.Seen.At
	if c.plan.Verdict.Word != c.rec.Verdict.Word {
		c.rec.Since = c.in.Now
	}
	c.rec.Verdict, c.rec.Held, c.rec.Path = c.plan.Verdict, c.plan.Held, c.plan.Path
	c.rec.Unmade, c.rec.Outlook, c.rec.Relief, c.rec.NodeMetrics = c.plan.Unmade, c.plan.Outlook, c.plan.Relief, c.plan.NodeMetrics
	if c.in.Seen.Addon.Fault == nil && c.in.Seen.Cluster.Fault == nil {
		c.rec.Version = c.in.Seen.Installed()
		c.rec.Node, c.rec.ByHand = c.in.Node(), c.plan.ByHand
		if !c.plan.Blind[InstallUnknown] {
			c.rec.Hidden = c.plan.Hidden
		}
	}
	if c.in.Seen.LastChange.Value != nil {
		c.rec.LastChange = c.in.Seen.LastChange.Value.remembered()
	}
	c.wanted()
	if c.in.Seen.Cluster.Fault == nil && c.in.Seen.Cluster.Value != nil || c.rec.Owner == "" {
		c.rec.Owner = c.in.owner()
	}
	c.meter()
	c.returned()
	findings, blind := c.findings()
	c.dueAt(c.plan.Due)
	for _, f := range findings {
		c.open(f)
	}
	for _, code := range sortedKeys(c.rec.Told) {
		if !blind[code] && !slices.ContainsFunc(findings, func(f Finding) bool { return f.Code == code }) {
			c.recover(code)
		}
	}
	c.past(blind)
	c.leave()
}

// wanted notes since when an update is wanted to where it leads now, and the wave that the cluster is in.
func (c *conclusion) wanted() {
	switch {
	case c.in.Settings.Fault != nil:
		return // as it was
	case c.in.Settings.Value.Mode == policy.Observe:
		c.rec.Wave, c.rec.Wanted = "", Wanted{}
		return
	}
	c.rec.Wave = c.in.Place.Wave
	switch to := last(c.plan.Path); {
	case c.plan.Blind[UpdateBlocked]:
	case !wantsUpdate(c.plan):
		c.rec.Wanted = Wanted{}
	case c.rec.Wanted.Since.IsZero() || c.rec.Wanted.To != to:
		c.rec.Wanted = Wanted{To: to, Since: c.in.Seen.At}
	}
}

func last(path []string) string {
	if len(path) == 0 {
		return ""
	}
	return path[len(path)-1]
}

// returned forgets failed tries once there is nothing left to update: the next update is a new matter.
func (c *conclusion) returned() {
	readable := c.in.Seen.Cluster.Fault == nil && c.in.Seen.Addon.Fault == nil
	if readable && (c.plan.Verdict.Change.Word == Idle || c.plan.Verdict.Change.Word == Gone) {
		c.rec.Aside, c.rec.Failed = nil, Failed{}
	}
}

// leave marks the record of a cluster that is gone once nothing of ours is left behind.
func (c *conclusion) leave() {
	c.rec.Gone = false
	if c.plan.Verdict.Word != Gone {
		return
	}
	left := len(c.plan.Held) > 0 || slices.ContainsFunc(c.done, func(o Outcome) bool { return o.Fault != nil })
	c.rec.Gone = !left
}

// meter notes what the meter needs until the next check. Pod subnets that could not be read are metered as before, and not judged.
func (c *conclusion) meter() {
	pods, settings := c.in.Seen.Pods, c.in.Settings
	switch {
	case c.plan.Verdict.Word == Gone, pods.Fault == nil && pods.Value.Exempt != "":
		c.rec.Meter = Meter{}
	case pods.Fault != nil && pods.Fault.Kind == fault.Skip: // there are none to be found any more
		c.rec.Meter.Subnets = nil
	case pods.Fault != nil:
		c.rec.Meter.Level, c.rec.Meter.BlocksLevel = Unknown, Unknown
	case c.in.Seen.Cluster.Fault == nil && pods.Fault == nil && settings.Fault == nil && len(pods.Value.Subnets) > 0:
		s, ids := settings.Value, pods.Value.IDs()
		if pods.Value.Partly != nil { // what was found before may be among those that are hidden now
			ids = slices.Compact(slices.Sorted(slices.Values(slices.Concat(ids, c.rec.Meter.Subnets))))
		}
		c.rec.Meter = Meter{Subnets: ids, Warning: s.Warning, Critical: s.Critical, Level: c.level()}
		if s.Alarms && c.in.tearsDown() == nil {
			c.rec.Meter.Publish = true
			c.rec.Meter.Days, _ = c.in.wants(alarm.DaysLeft)
			switch wanted, known := c.in.wants(alarm.FreeBlocks); {
			case !known, c.in.resting() && wanted:
				c.rec.Meter.Blocks, c.rec.Meter.BlocksLevel = c.in.Record.Meter.Blocks, c.plan.BlocksLevel
			case wanted:
				c.rec.Meter.Blocks, c.rec.Meter.BlocksLevel = capacity.Pods{Subnets: c.in.Seen.prefixed()}.IDs(), c.plan.BlocksLevel
			}
		}
	}
}

// alarm notes whether an alarm stands: as was seen, and then changed. A change on an older look than the record's, of which the
// record knows nothing, is looked at again: it may undo what was decided later.
func (c *conclusion) alarm() {
	if c.in.ID.Name == "" {
		return
	}
	older, seen := c.in.Seen.At.Before(c.in.Record.Seen), c.in.Seen.Alarms
	stand, known := map[string]bool{}, seen.Fault == nil && !older
	if known {
		for _, a := range seen.Value {
			stand[a.Spec.Name] = true
		}
	}
	was, changed := c.rec.Alarm, false
	for _, o := range c.done {
		switch name := o.Action.Alarm.Name; {
		case o.Action.Kind == StartUpdate:
			continue
		case o.Fault != nil && o.Fault.InDoubt:
			known = false
			delete(stand, name)
		case o.Action.Kind == PutAlarm && o.Fault == nil, o.Action.Kind == DropAlarm && o.Fault != nil:
			stand[name] = true
		case o.Action.Kind == DropAlarm:
			delete(stand, name)
		default:
			continue
		}
		changed = true
	}
	if !older || changed {
		c.rec.Alarms = nil
		for _, k := range alarm.Kinds() {
			if stand[k.Name(c.in.ID)] {
				c.rec.Alarms = append(c.rec.Alarms, k)
			}
		}
	}
	switch {
	case older && !changed:
	case len(stand) > 0:
		c.rec.Alarm = AlarmStands
	case known:
		c.rec.Alarm = NoAlarm
	default:
		c.rec.Alarm = ""
	}
	if older && c.rec.Alarm != was {
		c.dueIn(soon)
	}
}

// rung notes that the event of an alarm arrived, and since when that is noted.
func (c *conclusion) rung() {
	if c.in.ID.Name == "" {
		return
	}
	if c.rec.Rung.From.IsZero() {
		c.rec.Rung.From = c.in.Now
	}
	if c.in.Heard {
		c.rec.Rung.Last = c.in.Now
	}
}

// level is what the meter compares with: how full the fullest subnet is also where that is not judged, as while a cluster is deleted. Else
// the meter would ask for a check every time.
func (c *conclusion) level() string {
	s := c.in.Settings.Value
	if worst, any := c.in.Seen.Pods.Value.Worst(); any && c.plan.Level == Unknown {
		return Level(worst.Utilization(), s.Warning, s.Critical, c.in.Record.Meter.Level)
	}
	if c.in.Seen.Pods.Value.Partly != nil && c.plan.Level == Fine {
		return Unknown // one that is hidden now may be fuller: a check would not see it either
	}
	return c.plan.Level
}
