package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/fault"
)

func (d *draft) capacity() {
	pods, answer := d.in.Seen.Pods, &d.plan.Verdict.Capacity
	if pods.Fault != nil {
		d.hiddenCapacity(pods.Fault)
		return
	}
	if pods.Value.Exempt != "" {
		*answer = Answer{NotApplicable, pods.Value.Exempt}
		return
	}
	worst, any := pods.Value.Worst()
	if !any || d.in.Settings.Fault != nil {
		*answer = Answer{Unknown, "no pod subnet with IPv4 addresses is known"}
		d.blind(CapacityLow, CapacityUnknown)
		return
	}
	used := worst.Utilization()
	*answer = Answer{d.level(used), fmt.Sprintf("pod subnet %s is %s %% used", worst.ID, percent(used))}
	if answer.Word == Fine && pods.Value.Partly != nil {
		*answer = Answer{Unknown, unread("some pod subnets", pods.Value.Partly)}
		d.blind(CapacityLow)
	}
	severity := map[string]Severity{WarningWord: Warning, CriticalWord: Critical}[answer.Word]
	if severity == 0 {
		return
	}
	d.find(Finding{Code: CapacityLow, Severity: severity, Print: answer.Word, Facts: []Fact{
		{"worst subnet", fmt.Sprintf("%s (%s, %s)", worst.ID, worst.CIDR, worst.Zone)},
		{"used", percent(used) + " %"},
		{"free", strconv.Itoa(worst.Free) + " addresses"},
		{"pod subnets", strconv.Itoa(len(pods.Value.Subnets))},
	}})
}

// hiddenCapacity answers where no pod subnet could be read. The alarm still knows what the meter measured.
func (d *draft) hiddenCapacity(f *fault.Fault) {
	answer := &d.plan.Verdict.Capacity
	*answer = Answer{Unknown, unread("the pod subnets", f)}
	if f.Kind == fault.Skip { // nothing hid them: there are none to be found
		d.blind(CapacityLow)
		d.find(Finding{Code: CapacityUnknown, Severity: Warning, Print: "none found", After: patience, Facts: []Fact{{"pod subnets", f.Text}}})
		return
	}
	d.blind(CapacityUnknown)
	a, stands := d.standing()
	if !stands || a.State != alarm.InAlarm {
		d.blind(CapacityLow)
		return
	}
	*answer = Answer{WarningWord, "the pod subnets could not be read, and their alarm is in ALARM"}
	if was := d.in.Record.Verdict.Capacity.Word; was == CriticalWord {
		answer.Word = was
		d.blind(CapacityLow)
		return
	}
	d.find(Finding{Code: CapacityLow, Severity: Warning, Print: WarningWord, Facts: []Fact{
		{"alarm", a.Spec.Name}, {"state", string(a.State)}, {"since", a.Since.UTC().Format(time.RFC3339)},
	}})
}

// standing is the IP alarm as it was read; false: it does not stand, or could not be read.
func (d *draft) standing() (alarm.Standing, bool) {
	name := alarm.Name(d.in.ID)
	i := slices.IndexFunc(d.in.Seen.Alarms.Value, func(a alarm.Standing) bool { return a.Spec.Name == name })
	if d.in.Seen.Alarms.Fault != nil || i < 0 {
		return alarm.Standing{}, false
	}
	return d.in.Seen.Alarms.Value[i], true
}

// level is the word for a utilisation. A level once reached ends only when utilisation is clearly below its threshold.
func (d *draft) level(used float64) string {
	s, was := d.in.Settings.Value, d.in.Record.Verdict.Capacity.Word
	return Level(used, s.Warning, s.Critical, was)
}

// Level is the capacity answer's word for a utilisation in percent: fine, warning or critical. Was is the word before: a level
// once reached ends only two points below its threshold, so that a subnet at the threshold is not news every five minutes.
func Level(used, warning, critical float64, was string) string {
	if was == CriticalWord {
		critical -= hysteresis
	}
	if was == CriticalWord || was == WarningWord {
		warning -= hysteresis
	}
	switch {
	case used >= critical:
		return CriticalWord
	case used >= warning:
		return WarningWord
	}
	return Fine
}

func percent(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

// alarms brings the IP alarm in line with the policy. The alarm of a cluster whose pod subnets cannot be read stays as it is.
func (d *draft) alarms() {
	in := d.in
	if in.tearsDown() != nil {
		return // teardown wants none, whatever else is known of the cluster
	}
	if in.Settings.Fault != nil {
		d.blind(MetricSilent, AlarmFailed)
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
	want := wanted(in)
	put := Action{Kind: PutAlarm, Alarm: want, Why: "it does not stand yet"}
	have, stands := d.standing()
	if stands {
		put.Why = fmt.Sprintf("it differs in %v", alarm.Differs(want, have.Spec))
	}
	switch hidden := cmp.Or(in.Seen.Alarms.Fault, in.Seen.Pods.Fault); {
	case in.Seen.Alarms.Fault == nil && stands && len(alarm.Differs(want, have.Spec)) == 0:
		d.silent(have)
	case hidden != nil:
		d.hold(put, Reason{Gate: "reading", Text: unread("the alarm or the pod subnets", hidden)})
		d.blind(MetricSilent, AlarmFailed)
	default:
		d.act(put)
		if stands {
			d.silent(have)
		}
	}
}

// wanted is the IP alarm that the settings call for.
func wanted(in Input) alarm.Spec {
	s := in.Settings.Value
	return alarm.Want(in.ID, s.Warning, s.AlarmActions.In(in.ID.Region)...)
}

// silent finds an alarm that has had no data for three meters.
func (d *draft) silent(a alarm.Standing) {
	if a.State != alarm.InsufficientData {
		return
	}
	for_ := d.in.Now.Sub(a.Since)
	if for_ < silentAfter {
		d.blind(MetricSilent)
		d.dueIn(silentAfter - for_ + soon)
		return
	}
	d.find(Finding{Code: MetricSilent, Severity: Warning, Print: "silent", Facts: []Fact{
		{"alarm", a.Spec.Name}, {"state", string(a.State)}, {"since", a.Since.UTC().Format(time.RFC3339)},
	}})
}

// teardown wants no alarm while people remove cniguard, also of a cluster that cannot be read. A cluster that is gone has none wanted
// anyway.
func (d *draft) teardown() {
	if o := d.in.tearsDown(); o != nil && d.plan.Verdict.Install.Word != Gone {
		d.dropAlarms("cniguard is torn down by " + o.By + ": " + o.Because)
	}
}

func (d *draft) dropAlarms(why string) {
	if d.in.Seen.Alarms.Fault != nil {
		d.hold(Action{Kind: DropAlarm, Alarm: alarm.Spec{Name: alarm.Name(d.in.ID)}, Why: why},
			Reason{Gate: "reading", Text: unread("the alarm", d.in.Seen.Alarms.Fault)})
		d.blind(AlarmFailed)
		return
	}
	for _, a := range d.in.Seen.Alarms.Value {
		d.act(Action{Kind: DropAlarm, Alarm: alarm.Spec{Name: a.Spec.Name}, Why: why})
	}
}
