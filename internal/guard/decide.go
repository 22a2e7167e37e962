package guard

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
)

// The words of the answers and of the verdict.
const (
	Managed       = "managed"
	None          = "none"
	Unknown       = "unknown"
	Fine          = "fine"
	Outdated      = "outdated"
	NotApplicable = "not applicable"
	WarningWord   = "warning"
	CriticalWord  = "critical"
	Idle          = "idle"
	Waiting       = "waiting"
	InFlight      = "in flight"
	SetAside      = "set aside"
	Gone          = "gone"
)

// Words is the order of verdicts, the worst first: a verdict is the worst of its answers. Waiting, in flight, idle, managed
// and none say nothing about harm and never head a verdict.
func Words() []string {
	return []string{CriticalWord, SetAside, Outdated, WarningWord, Unknown, Fine, NotApplicable, Gone}
}

// Decide says what is wrong and what to do. It never fails: what cannot be known is unknown, and said.
func Decide(in Input) Plan {
	d := draft{in: in, plan: Plan{Blind: map[Code]bool{}}}
	switch c := in.Seen.Cluster; {
	case c.Fault != nil:
		d.unjudged(Unknown, unread("the cluster", c.Fault))
		d.dueIn(later)
	case c.Value == nil:
		d.gone()
	case c.Value.Status == "ACTIVE", c.Value.Status == "UPDATING":
		d.live()
	default:
		d.unjudged(Unknown, "the cluster is "+c.Value.Status)
		if c.Value.Status != "FAILED" {
			d.dueIn(later)
		}
	}
	d.faults()
	d.change()
	d.plan.Verdict.Word = worst(d.plan.Verdict)
	return d.plan
}

// draft is a plan in the making.
type draft struct {
	in   Input
	plan Plan
}

func (d *draft) dueIn(after time.Duration) { d.plan.Due = earlier(d.plan.Due, d.in.Now.Add(after)) }

func (d *draft) find(f Finding) { d.plan.Findings = append(d.plan.Findings, f) }

func (d *draft) blind(codes ...Code) {
	for _, c := range codes {
		d.plan.Blind[c] = true
	}
}

func (d *draft) act(a Action) { d.plan.Actions = append(d.plan.Actions, a) }
func (d *draft) hold(a Action, by ...Reason) {
	d.plan.Held = append(d.plan.Held, Held{Action: a, By: by})
}

// unjudged is the verdict on a cluster of which nothing can be said now; no finding opens and none recovers.
func (d *draft) unjudged(word, because string) {
	a := Answer{Word: word, Because: because}
	d.plan.Verdict = Verdict{Install: a, Version: a, Capacity: a}
	d.blind(Codes()...)
	delete(d.plan.Blind, Unreadable)
	delete(d.plan.Blind, UpdateAside)
}

// gone takes leave of a cluster: its alarms go, its findings are over.
func (d *draft) gone() {
	a := Answer{Word: Gone, Because: "there is no such cluster any more"}
	d.plan.Verdict = Verdict{Install: a, Version: a, Capacity: a}
	d.dropAlarms("the cluster is gone")
}

func (d *draft) live() {
	d.install()
	d.version()
	d.health()
	d.capacity()
	d.alarms()
	d.update()
}

func (d *draft) install() {
	v, addon := &d.plan.Verdict, d.in.Seen.Addon
	switch {
	case addon.Fault != nil:
		v.Install = Answer{Unknown, unread("the add-on", addon.Fault)}
		d.blind(InstallUnknown)
	case addon.Value != nil:
		v.Install = Answer{Managed, "EKS add-on vpc-cni, " + addon.Value.Status}
	case d.in.Seen.Cluster.Value.AutoMode:
		v.Install = Answer{None, "EKS Auto Mode runs the network itself"}
	default:
		v.Install = Answer{Unknown, "there is no managed add-on, and what runs inside the cluster was not read"}
		d.find(Finding{Code: InstallUnknown, Severity: Info, Print: "no managed add-on",
			Facts: []Fact{{"add-on", "vpc-cni is not managed by EKS on this cluster"}}})
	}
}

func (d *draft) version() {
	v, in := &d.plan.Verdict, d.in
	if v.Install.Word != Managed || in.Settings.Fault != nil {
		v.Version = Answer{v.Install.Word, v.Install.Because}
		if v.Install.Word == None {
			v.Version.Word = NotApplicable
		}
		if in.Settings.Fault != nil {
			v.Version = Answer{Unknown, unread("the policy", in.Settings.Fault)}
		}
		if in.Seen.Addon.Fault != nil || in.Settings.Fault != nil {
			d.blind(VersionOutdated, VersionUnknown, ReleaseBad)
		}
		return
	}
	addon, floor := in.Seen.Addon.Value, in.Settings.Value.Floor
	facts := []Fact{{"installed", addon.Raw}, {"floor", floor.String()}, {"Kubernetes", in.Seen.Cluster.Value.Kubernetes}}
	switch {
	case !addon.Version.Known():
		v.Version = Answer{Unknown, "the version is not one that can be compared"}
		d.find(Finding{Code: VersionUnknown, Severity: Warning, Print: addon.Raw, Facts: facts})
		d.blind(VersionOutdated, ReleaseBad)
		return
	case addon.Version.Satisfies(floor):
		v.Version = Answer{Fine, fmt.Sprintf("%s is not below the floor %s", addon.Version, floor)}
	default:
		v.Version = Answer{Outdated, fmt.Sprintf("%s is below the floor %s", addon.Version, floor)}
		d.find(Finding{Code: VersionOutdated, Severity: Warning, Facts: facts, Print: addon.Version.String() + " < " + floor.String()})
	}
	if note, bad := addon.Version.Bad(); bad {
		if v.Version.Word == Fine {
			v.Version = Answer{Outdated, fmt.Sprintf("%s is known to be bad: it %s", addon.Version, note.Problem)}
		}
		d.find(Finding{Code: ReleaseBad, Severity: Warning, Print: addon.Version.String(), Facts: append(facts[:1:1],
			Fact{"problem", note.Problem}, Fact{"fixed in", note.Fixed.String()}, Fact{"see", note.URL})})
	}
}

func (d *draft) health() {
	addon := d.in.Seen.Addon
	if addon.Fault != nil {
		d.blind(AddonUnhealthy)
		return
	}
	if addon.Value == nil || !inState(addon, "DEGRADED", "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED") && len(addon.Value.Issues) == 0 {
		return
	}
	facts := []Fact{{"status", addon.Value.Status}}
	for _, issue := range addon.Value.Issues {
		facts = append(facts, Fact{"issue", issue})
	}
	d.find(Finding{Code: AddonUnhealthy, Severity: Warning, Print: addon.Value.Status, Facts: facts})
}

func (d *draft) capacity() {
	pods, answer := d.in.Seen.Pods, &d.plan.Verdict.Capacity
	if pods.Fault != nil {
		*answer = Answer{Unknown, unread("the pod subnets", pods.Fault)}
		d.blind(CapacityLow)
		if pods.Fault.Kind == fault.Skip { // nothing hid them: there are none to be found
			d.find(Finding{Code: CapacityUnknown, Severity: Warning, Print: "none found", After: patience,
				Facts: []Fact{{"pod subnets", pods.Fault.Text}}})
		} else {
			d.blind(CapacityUnknown)
		}
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
	if in.Settings.Fault != nil || in.Seen.Pods.Fault != nil {
		d.blind(MetricSilent, AlarmFailed)
		return
	}
	if !in.Settings.Value.Alarms {
		d.dropAlarms("alarms are off for this cluster by policy")
		return
	}
	if exempt := in.Seen.Pods.Value.Exempt; exempt != "" {
		d.dropAlarms(exempt)
		return
	}
	want := alarm.Want(in.ID, in.Settings.Value.Warning)
	put := Action{Kind: PutAlarm, Alarm: want, Why: "it does not stand yet"}
	if f := in.Seen.Alarms.Fault; f != nil {
		d.hold(put, Reason{Gate: "reading", Text: unread("the alarm", f)})
		d.blind(MetricSilent, AlarmFailed)
		return
	}
	i := slices.IndexFunc(in.Seen.Alarms.Value, func(a alarm.Standing) bool { return a.Spec.Name == want.Name })
	if i < 0 {
		d.act(put)
		d.dueIn(later)
		return
	}
	have := in.Seen.Alarms.Value[i]
	if diff := alarm.Differs(want, have.Spec); len(diff) > 0 {
		put.Why = fmt.Sprintf("it differs in %v", diff)
		d.act(put)
		d.dueIn(later)
	}
	d.silent(have)
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

func (d *draft) dropAlarms(why string) {
	if d.in.Seen.Alarms.Fault != nil {
		d.hold(Action{Kind: DropAlarm, Alarm: alarm.Spec{Name: alarm.Name(d.in.ID)}, Why: why},
			Reason{Gate: "reading", Text: unread("the alarm", d.in.Seen.Alarms.Fault)})
		d.blind(AlarmFailed)
		d.dueIn(later)
		return
	}
	for _, a := range d.in.Seen.Alarms.Value {
		d.act(Action{Kind: DropAlarm, Alarm: alarm.Spec{Name: a.Spec.Name}, Why: why})
	}
}

// update plans the next step of the add-on, if it should move, and asks every gate.
func (d *draft) update() {
	in := d.in
	addon := in.Seen.Addon.Value
	if in.Settings.Fault != nil || in.Seen.Addon.Fault != nil || addon == nil || !addon.Version.Known() {
		d.blind(UpdateBlocked)
		return
	}
	s := in.Settings.Value
	_, bad := addon.Version.Bad()
	needed := bad || !addon.Version.Satisfies(s.Floor)
	if !needed && s.Target == cni.ToFloor {
		return
	}
	path := cni.Plan(addon.Version, s.Floor, s.Target, in.Seen.Catalogue.Value)
	if len(path.Steps) == 0 && !needed {
		return
	}
	step := d.step(path)
	a := Action{Kind: StartUpdate, Step: step, Keep: Keep{Role: addon.Role, Config: addon.Config}, Why: d.plan.Verdict.Version.Because}
	if !needed {
		a.Why = "the policy's target is " + s.Target.String()
	}
	by := closed(in, step)
	if len(by) == 0 {
		d.act(a)
		return
	}
	d.hold(a, by...)
	for _, r := range by {
		if !r.Until.IsZero() {
			d.plan.Due = earlier(d.plan.Due, r.Until.Add(soon))
		}
	}
	d.blocked(step, by)
}

func (d *draft) step(path cni.Path) Step {
	addon := d.in.Seen.Addon.Value
	d.plan.Keeps = keeps(d.in.ID, addon.Role, addon.Config)
	step := Step{From: addon.Version, Keeps: d.plan.Keeps, Try: 1, Since: d.in.Now, Why: path.Why}
	for _, v := range path.Steps {
		d.plan.Path = append(d.plan.Path, v.String())
	}
	if len(path.Steps) > 0 {
		step.To, step.Why = path.Steps[0], ""
	}
	step.Path = d.plan.Path
	if failed := d.in.Record.Failed; failed.To == step.To.String() {
		step.Try = failed.Tries + 1
	}
	step.Token = token(d.in.ID, step)
	d.plan.Hash = hash(d.plan.Path, d.plan.Keeps)
	return step
}

// blocked finds an update that policy allows and that only a person can set free. The gates that a person has shut on
// purpose, and those that open by themselves, are no news.
func (d *draft) blocked(step Step, by []Reason) {
	if shutMode(d.in) != "" {
		return
	}
	person := map[string]bool{}
	for _, g := range Gates() {
		person[g.Name] = g.Person
	}
	f := Finding{Code: UpdateBlocked, Severity: Warning, After: patience, Facts: []Fact{{"wanted", step.From.String() + " to " + step.To.String()}}}
	for _, r := range by {
		if person[r.Gate] {
			f.Print += r.Gate + ";"
			f.Facts = append(f.Facts, Fact{r.Gate, r.Text})
		}
	}
	if f.Print != "" {
		d.find(f)
	}
}

// change answers what is happening to the add-on.
func (d *draft) change() {
	in, answer := d.in, &d.plan.Verdict.Change
	p, _ := settle(in)
	if p == running {
		d.dueIn(soon)
		if age := in.Now.Sub(in.Record.Step.Since); age > StuckAfter {
			d.find(Finding{Code: UpdateStuck, Severity: Warning, Print: in.Record.Step.Token, Facts: []Fact{
				{"step", in.Record.Step.From.String() + " to " + in.Record.Step.To.String()},
				{"update id", in.Record.Step.ID}, {"started", in.Record.Step.Since.UTC().Format(time.RFC3339)},
			}})
		}
	}
	if in.Record.Aside != nil {
		d.find(Finding{Code: UpdateAside, Severity: Warning, Print: in.Record.Aside.At.String(), After: remindWarning, Facts: []Fact{{"because", in.Record.Aside.Text}}})
	}
	held := slices.IndexFunc(d.plan.Held, func(h Held) bool { return h.Action.Kind == StartUpdate })
	starts := slices.ContainsFunc(d.plan.Actions, func(a Action) bool { return a.Kind == StartUpdate })
	switch {
	case p == proved:
		*answer = Answer{Idle, fmt.Sprintf("the update to %s is complete", in.Record.Step.To)}
	case p == failed:
		*answer = Answer{Waiting, fmt.Sprintf("the update to %s failed", in.Record.Step.To)}
	case p == running:
		*answer = Answer{InFlight, fmt.Sprintf("from %s to %s", in.Record.Step.From, in.Record.Step.To)}
	case inState(in.Seen.Addon, "UPDATING", "CREATING", "DELETING"):
		*answer = Answer{InFlight, "somebody else changes the add-on; it is " + in.Seen.Addon.Value.Status}
		d.dueIn(later)
	case in.Record.Aside != nil && !starts:
		*answer = Answer{SetAside, in.Record.Aside.Text}
	case starts:
		*answer = Answer{InFlight, "the next step starts now"}
	case held >= 0:
		*answer = Answer{Waiting, d.plan.Held[held].By[0].Text}
	default:
		*answer = Answer{Idle, "no update is wanted"}
	}
}

// faults makes one finding of everything that could not be read.
func (d *draft) faults() {
	s := d.in.Seen
	f := Finding{Code: Unreadable, Severity: Warning}
	add := func(what string, ft *fault.Fault) {
		if ft == nil || ft.Kind == fault.Skip {
			return
		}
		after := patience
		if ft.Denied() {
			after = deniedAfter
			f.Facts = append(f.Facts, Fact{"need", ft.Need})
		}
		if f.After == 0 || after < f.After {
			f.After = after
		}
		f.Print += what + "=" + ft.Op + ":" + ft.Code + ";"
		f.Facts = append(f.Facts, Fact{what, ft.Error()})
	}
	add("cluster", s.Cluster.Fault)
	if s.Cluster.Fault == nil {
		add("add-on", s.Addon.Fault)
		add("compatible versions", s.Catalogue.Fault)
		add("pod subnets", s.Pods.Fault)
		add("alarm", s.Alarms.Fault)
		add("update", s.Update.Fault)
	}
	if f.Print != "" {
		d.find(f)
		d.dueIn(later)
	}
}

func worst(v Verdict) string {
	for _, w := range Words() {
		for _, a := range []Answer{v.Install, v.Version, v.Capacity, v.Change} {
			if a.Word == w {
				return w
			}
		}
	}
	return Unknown
}
