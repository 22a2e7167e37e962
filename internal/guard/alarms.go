package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
)

// alarms brings the cluster's alarms in line with the policy. Those of a cluster whose pod subnets cannot be read stay as they are.
func (d *draft) alarms() {
	in := d.in
	if in.tearsDown() != nil {
		return // teardown wants none, whatever else is known of the cluster
	}
	if in.Settings.Fault != nil {
		d.blind(MetricSilent, AlarmUnheard, AlarmFailed, NodesFull)
		return
	}
	if !in.Settings.Value.Alarms {
		d.dropAlarms("alarms are off for this cluster by policy")
		return
	}
	if exempt := in.Seen.Pods.Value.Exempt; exempt != "" && in.Seen.Pods.Fault == nil {
		d.dropAlarms(exempt)
		return
	}
	for _, k := range alarm.Kinds() {
		d.alarm(k)
	}
	d.silent()
	d.unheard()
	d.nodesFull()
}

// alarm brings one alarm in line.
func (d *draft) alarm(k alarm.Kind) {
	in := d.in
	hidden := cmp.Or(in.Seen.Alarms.Fault, in.Seen.Pods.Fault)
	have, stands := in.standing(k)
	wanted, known := in.wants(k)
	want := in.wish().Want(k)
	put := Action{Kind: PutAlarm, Alarm: want, Why: "it does not stand yet"}
	if stands {
		put.Why, put.Retag = fmt.Sprintf("it differs in %v", alarm.Differs(want, have.Spec)), true
	}
	listed := in.Settings.Value.FurtherAlarms.Has(k)
	if known && !wanted && listed {
		d.plan.Unmade = append(d.plan.Unmade, Fact{string(k), in.whyUnmade(k)})
	}
	switch {
	case !known:
	case !wanted && stands:
		why := "the policy does not ask for it"
		if listed {
			why = "it has nothing to watch"
		}
		d.act(Action{Kind: DropAlarm, Alarm: alarm.Spec{Name: want.Name}, Why: why})
	case !wanted, in.Seen.Alarms.Fault == nil && stands && len(alarm.Differs(want, have.Spec)) == 0:
	case hidden != nil:
		d.hold(put, Reason{Gate: "reading", Text: unread("the alarm or the pod subnets", hidden), Fault: true})
		d.blind(MetricSilent, AlarmUnheard, AlarmFailed, NodesFull)
	default:
		d.act(put)
	}
}

// wants reports whether an alarm is wanted where alarms are on; known is false where that cannot be told now, so that it stays as it is.
func (in Input) wants(k alarm.Kind) (wanted, known bool) {
	s := in.Settings.Value
	switch {
	case k == alarm.PodSubnets:
		return true, true
	case !s.FurtherAlarms.Has(k):
		return false, true
	case k == alarm.FreeBlocks:
		unread := cmp.Or(in.Seen.Pods.Fault, in.Seen.Hosts.Fault, in.Seen.Blocks.Fault)
		return in.Seen.countsBlocks() || in.resting(), unread == nil
	case k == alarm.NodeCapacity:
		h := in.nodeMetrics()
		return h.ID != "", !h.At.IsZero()
	}
	return true, true
}

// resting reports whether a cluster whose nodes took prefixes has no node now, as at night.
func (in Input) resting() bool {
	return len(in.Seen.Hosts.Value.Nodes) == 0 && len(in.Record.Meter.Blocks) > 0
}

// whyUnmade is why an alarm is not made that the policy lists.
func (in Input) whyUnmade(k alarm.Kind) string {
	switch {
	case k == alarm.NodeCapacity:
		text := "no cni-metrics-helper publishes as " + in.MetricsID()
		if others := in.nodeMetrics().Others; len(others) > 0 {
			text += "; there are " + strings.Join(others, ", ") + ": metricsHelperID names the cluster's"
		}
		return text
	case in.Seen.takesPrefixes():
		return "nodes take prefixes from subnets of another account only, which is not in the fleet"
	}
	return "no node depends on prefixes"
}

// wish is what the alarms that the settings call for depend on.
func (in Input) wish() alarm.Wish {
	s := in.Settings.Value
	return alarm.Wish{
		Cluster: in.ID, Warning: s.Warning, DaysLeft: s.DaysLeft, HelperID: in.nodeMetrics().ID, Actions: s.AlarmActions.In(in.ID.Region),
		Owner: in.owner(),
	}
}

// owner is who answers for the cluster: its tag that the policy names, in any spelling of the letters, or its account.
func (in Input) owner() string {
	if c := in.Seen.Cluster; c.Fault == nil && c.Value != nil {
		for _, key := range sortedKeys(c.Value.Tags) {
			if strings.EqualFold(key, in.Settings.Value.OwnerTag) && c.Value.Tags[key] != "" {
				return c.Value.Tags[key]
			}
		}
	}
	return in.ID.Account
}

// standing is an alarm as it was read; false: it does not stand, or could not be read.
func (in Input) standing(k alarm.Kind) (alarm.Standing, bool) {
	name := k.Name(in.ID)
	i := slices.IndexFunc(in.Seen.Alarms.Value, func(a alarm.Standing) bool { return a.Spec.Name == name })
	if in.Seen.Alarms.Fault != nil || i < 0 {
		return alarm.Standing{}, false
	}
	return in.Seen.Alarms.Value[i], true
}

// rings reports whether an alarm is in ALARM.
func (in Input) rings(k alarm.Kind) bool {
	a, stands := in.standing(k)
	return stands && a.State == alarm.InAlarm
}

// wanted are the alarms that stand and are wanted.
func (d *draft) wanted() []alarm.Standing {
	var all []alarm.Standing
	for _, k := range alarm.Kinds() {
		if a, stands := d.in.standing(k); stands {
			if wanted, known := d.in.wants(k); wanted && known {
				all = append(all, a)
			}
		}
	}
	return all
}

// silent finds alarms that have had no data for three meters. That on the days left has none while there is no forecast.
func (d *draft) silent() {
	forecast := alarm.DaysLeft.Name(d.in.ID)
	d.lasting(MetricSilent, silentAfter, func(a alarm.Standing) bool {
		return a.State == alarm.InsufficientData && a.Spec.Name != forecast
	})
}

// unheard finds alarms that are in ALARM without their event having come. Those that rang before somebody listened are not counted, and
// the clocks of CloudWatch and of cniguard may differ by a minute.
func (d *draft) unheard() {
	rung := d.in.Record.Rung
	if d.in.Heard || rung.From.IsZero() {
		return
	}
	for _, f := range d.plan.Findings {
		if _, known := d.in.Record.Told[f.Code]; !known && (f.Code == CapacityLow || f.Code == BlocksLow) {
			d.dueIn(rings + unheardAfter) // the meter was faster than its alarm
		}
	}
	d.lasting(AlarmUnheard, unheardAfter, func(a alarm.Standing) bool {
		return a.State == alarm.InAlarm && !a.Since.Before(rung.From) && rung.Last.Add(time.Minute).Before(a.Since)
	})
}

// lasting makes one finding of the alarms that have been in such a state for so long, and looks again when others will have been.
func (d *draft) lasting(code Code, after time.Duration, is func(alarm.Standing) bool) {
	f, waits := Finding{Code: code, Severity: Warning}, false
	for _, a := range d.wanted() {
		if !is(a) {
			continue
		}
		if age := d.in.Now.Sub(a.Since); age < after {
			waits = true
			d.dueIn(after - age + soon)
			continue
		}
		f.Print += a.Spec.Name + ";"
		f.Facts = append(f.Facts, stateOf(a)...)
	}
	switch {
	case len(f.Facts) > 0:
		d.find(f)
	case waits:
		d.blind(code)
	}
}

// stateOf is how an alarm stands.
func stateOf(a alarm.Standing) []Fact {
	return []Fact{{"alarm", a.Spec.Name}, {"state", string(a.State)}, {"since", a.Since.UTC().Format(time.RFC3339)}}
}

// nodesFull finds nodes that can hold hardly any more addresses, by the alarm that watches it: the metric is somebody else's, and old here.
func (d *draft) nodesFull() {
	a, stands := d.in.standing(alarm.NodeCapacity)
	if wanted, _ := d.in.wants(alarm.NodeCapacity); !wanted {
		return
	}
	switch {
	case !stands, a.State == alarm.InsufficientData:
		d.blind(NodesFull)
	case a.State == alarm.InAlarm:
		h, facts := d.in.nodeMetrics(), stateOf(a)
		facts = append(facts, Fact{"CLUSTER_ID", h.ID})
		if h.Max > 0 {
			facts = append(facts, Fact{"pods hold", fmt.Sprintf("%d of %d that the nodes can hold (%s)", h.Assigned, h.Max, h.At.UTC().Format(time.RFC3339))})
		}
		d.find(Finding{Code: NodesFull, Severity: Warning, Print: "full", Facts: slices.Concat(facts, d.helps())})
	}
}

// dropAlarms removes every alarm of the cluster.
func (d *draft) dropAlarms(why string) {
	if d.in.Seen.Alarms.Fault != nil {
		d.hold(Action{Kind: DropAlarm, Alarm: alarm.Spec{Name: alarm.PodSubnets.Name(d.in.ID)}, Why: why},
			Reason{Gate: "reading", Text: unread("the alarms", d.in.Seen.Alarms.Fault), Fault: true})
		d.blind(AlarmFailed)
		return
	}
	for _, a := range d.in.Seen.Alarms.Value {
		d.act(Action{Kind: DropAlarm, Alarm: alarm.Spec{Name: a.Spec.Name}, Why: why})
	}
}

// teardown wants no alarm while people remove cniguard, also of a cluster that cannot be read. A cluster that is gone has none wanted
// anyway.
func (d *draft) teardown() {
	if o := d.in.tearsDown(); o != nil && d.plan.Verdict.Install.Word != Gone {
		d.dropAlarms("cniguard is torn down by " + o.By + ": " + o.Because)
	}
}
