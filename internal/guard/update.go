package guard

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/cniguard/cniguard/internal/cni"
)

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
	if f := in.Seen.Catalogue.Fault; f != nil && !needed {
		d.blind(UpdateBlocked)
		d.waits = unread("the list of compatible versions", f)
		return
	}
	if len(path.Steps) == 0 && !needed {
		return
	}
	d.path = path
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
	if by[0].Gate == budgetGate { // the last of all gates: the others are open
		d.dueIn(budgetAfter)
	}
	d.blocked(step, by)
}

func (d *draft) step(path cni.Path) Step {
	addon := d.in.Seen.Addon.Value
	d.plan.Keeps, d.plan.Kept = keeps(d.in.ID, addon.Role, addon.Config), kept(d.in.ID, addon.Role, addon.Config)
	step := Step{From: addon.Version, Keeps: d.plan.Keeps, Kept: d.plan.Kept, Try: 1, Since: d.in.Now, Why: path.Why}
	if len(path.Gaps) > 0 {
		step.Gap = path.Gaps[0]
	}
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
	step.Matter = matter(d.in.ID, step, d.in.Record.Proved)
	step.Token = digest(step.Matter, strconv.Itoa(step.Try))
	if b := d.in.Record.Broken; b.To != "" { // tries may be counted anew since; EKS may answer a token that it knows with the update that failed
		step.Token = digest(step.Token, b.At.UTC().Format(time.RFC3339Nano))
	}
	d.plan.Hash = hash(d.plan.Path, d.plan.Keeps)
	return step
}

// blocked finds an update that policy allows and that only a person can set free. The gates that a person has shut on
// purpose, and those that open by themselves, are no news.
func (d *draft) blocked(step Step, by []Reason) {
	if shutMode(d.in).shut() || d.in.tearsDown() != nil || d.in.exempt() != nil {
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
		d.running(*in.Record.Step)
	}
	if (p == running || p == lost) && in.Record.Step.ID == "" && d.plan.Verdict.Install.Word != Gone {
		d.blind(UpdateBlocked) // whether EKS takes the update is not known
	}
	aside := in.Record.Aside != nil && !d.settled()
	if aside {
		d.find(Finding{Code: UpdateAside, Severity: Warning, Print: in.Record.Aside.At.String(), After: asideTold, Facts: []Fact{{"because", in.Record.Aside.Text}}})
	}
	held := slices.IndexFunc(d.plan.Held, isUpdate)
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
		d.find(Finding{Code: UpdateStuck, Severity: Warning, Print: in.Seen.Addon.Value.Status, After: StuckAfter,
			Facts: append([]Fact{{"whose", "somebody else's"}}, in.Seen.stands()...)})
		d.dueIn(d.retry(UpdateStuck))
	case d.plan.Verdict.Install.Word == Gone:
		*answer = d.plan.Verdict.Install
	case aside && !starts:
		*answer = Answer{SetAside, in.Record.Aside.Text}
	case starts:
		*answer = Answer{InFlight, "the next step starts now"}
	case held >= 0:
		*answer = Answer{Waiting, d.plan.Held[held].By[0].Text}
	case d.waits != "":
		*answer = Answer{Waiting, d.waits}
	case d.plan.Verdict.Install.Word == SelfManaged:
		*answer = Answer{Idle, "cniguard updates nothing that EKS does not manage"}
	default:
		*answer = Answer{Idle, "no update is wanted"}
	}
}

// running looks after a step in flight, and finds one that has not ended in time.
func (d *draft) running(s Step) {
	d.dueIn(ask(d.in.Now.Sub(s.Since)))
	if d.in.Now.Sub(s.Since) > StuckAfter {
		d.find(Finding{Code: UpdateStuck, Severity: Warning, Print: s.Token, Facts: slices.Concat(s.facts(), d.in.Seen.stands())})
	}
}

// ask is when to ask again how a step of this age stands: with the next tick, and less and less often of one that does not end.
func ask(age time.Duration) time.Duration {
	if age <= StuckAfter {
		return soon
	}
	return min(age/4, time.Hour)
}

func isUpdate(h Held) bool { return h.Action.Kind == StartUpdate }

// settled reports whether there is nothing left to set aside: the cluster or its add-on is gone, or no update is wanted.
func (d *draft) settled() bool {
	in := d.in
	switch {
	case in.Seen.Cluster.Fault != nil, in.Seen.Addon.Fault != nil && in.Seen.Cluster.Value != nil:
		return false
	case in.Seen.Cluster.Value == nil || in.Seen.Addon.Value == nil:
		return true
	}
	wanted := slices.ContainsFunc(d.plan.Held, isUpdate) || slices.ContainsFunc(d.plan.Actions, func(a Action) bool { return a.Kind == StartUpdate })
	return !wanted && d.waits == "" && in.Settings.Fault == nil && in.Seen.Addon.Value.Version.Known() && d.plan.Verdict.Install.Word == Managed
}
