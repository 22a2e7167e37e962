package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/alarm"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/policy"
)

// Gate holds a step back or lets it pass; it never changes it. A gate whose reading has a fault is shut.
type Gate struct {
	Name string
	// Person is true when only a person can open the gate, so that people are told that it is shut.
	Person bool
	// Last is true when the gate is asked only where every other is open: what it needs is read only then.
	Last bool
	// Shut says why the gate is shut, without its name; the empty text: it is open.
	Shut func(in Input, s Step) Reason
}

// Gates are all gates that a step must pass, in the order in which people read them.
func Gates() []Gate {
	return []Gate{
		{Name: "mode", Shut: func(in Input, _ Step) Reason { return shutMode(in) }},
		{Name: "halt", Shut: shutHalt},
		{Name: exemptionGate, Shut: shutExemption},
		{Name: "owner", Person: true, Shut: func(in Input, _ Step) Reason { return shutOwner(in) }},
		{Name: "path", Person: true, Shut: shutPath},
		{Name: "gap", Person: true, Shut: shutGap},
		{Name: "moved back", Person: true, Shut: shutMovedBack},
		{Name: "catalogue", Person: true, Shut: shutCatalogue},
		{Name: "configuration", Person: true, Shut: shutConfiguration},
		{Name: "role", Person: true, Shut: shutRole},
		{Name: "alarm", Person: true, Shut: func(in Input, _ Step) Reason { return shutAlarm(in) }},
		{Name: "room", Person: true, Shut: func(in Input, _ Step) Reason { return shutRoom(in) }},
		{Name: "ready", Shut: shutReady},
		{Name: "in flight", Shut: shutInFlight},
		{Name: "soak", Shut: shutSoak},
		{Name: "set aside", Shut: shutAside},
		{Name: "denial", Shut: shutDenial},
		{Name: "approval", Shut: shutApproval},
		{Name: "freeze", Shut: shutFreeze},
		{Name: "window", Shut: shutWindow},
		{Name: "breaker", Shut: shutBreaker},
		{Name: "wave", Shut: shutWave},
		{Name: budgetGate, Shut: shutBudget},
		{Name: openUpdate, Person: true, Last: true, Shut: shutOpen},
	}
}

// closed are the reasons of every gate that is shut for a step.
func closed(in Input, s Step) []Reason {
	var by []Reason
	for _, last := range []bool{false, true} {
		for _, g := range Gates() {
			if g.Last != last || last && len(by) > 0 {
				continue
			}
			if r := g.Shut(in, s); r.shut() {
				r.Gate = g.Name
				by = append(by, r)
			}
		}
	}
	if len(by) == 0 && !in.asked() {
		by = append(by, Reason{Gate: "owner", Text: "who changed the add-on last was not asked"})
	}
	return by
}

func shutMode(in Input) Reason {
	if f := in.Settings.Fault; f != nil {
		return hidden("the policy", f)
	}
	switch in.Settings.Value.Mode {
	case policy.Approve, policy.Auto:
		return Reason{}
	}
	return Reason{Text: "the policy's mode for this cluster is observe"}
}

func shutHalt(in Input, _ Step) Reason {
	if f := in.Fleet.Fault; f != nil {
		return hidden("the fleet's halt", f)
	}
	if o := in.tearsDown(); o != nil {
		return Reason{Text: fmt.Sprintf("cniguard is torn down by %s: %s", o.By, o.Because), Until: o.Until}
	}
	if h := in.Fleet.Value.Halt; h != nil { // whatever its time: who wrote it may have a clock that is ahead
		return Reason{Text: fmt.Sprintf("the fleet was halted by %s: %s", h.By, h.Because), Until: h.Until}
	}
	return Reason{}
}

func shutPath(_ Input, s Step) Reason {
	if !s.To.Known() {
		return Reason{Text: s.Why}
	}
	return Reason{}
}

// shutGap lets a jump over minor versions go only with a person's word: EKS advises against it, and may refuse it.
func shutGap(in Input, s Step) Reason {
	if s.Gap == "" || approved(in, s, time.Time{}) {
		return Reason{}
	}
	return Reason{Text: s.Gap + "; " + unfit(in, s, time.Time{}) + "an approval opens this", ByApproval: true}
}

// shutMovedBack does not undo what a person did: an add-on that we proved at a version and that is below it now was moved back.
func shutMovedBack(in Input, s Step) Reason {
	if why := shutPutBack(in, s); why != "" {
		return Reason{Text: why, ByApproval: true}
	}
	proved := in.Record.Proved
	if cni.Compare(s.From, cni.Parse(proved.Version)) >= 0 || approved(in, s, proved.At) {
		return Reason{}
	}
	return Reason{Text: fmt.Sprintf("it was updated to %s on %s and moved back since; %sa new approval opens this",
		proved.Version, proved.At.UTC().Format("2006-01-02 15:04"), unfit(in, s, proved.At)), ByApproval: true}
}

func shutCatalogue(in Input, s Step) Reason {
	if f := in.Seen.Catalogue.Fault; f != nil {
		return hidden("the list of compatible versions", f)
	}
	if !s.To.Known() {
		return Reason{} // the path's gate says it
	}
	for _, r := range in.Seen.Catalogue.Value {
		if r.Version == s.To {
			if note, bad := s.To.Bad(); bad {
				return Reason{Text: fmt.Sprintf("%s is known to be bad: %s (%s)", s.To, note.Problem, note.URL)}
			}
			return in.foreign(r)
		}
	}
	return Reason{Text: fmt.Sprintf("EKS does not list %s as compatible with this cluster", s.To)}
}

// shutAlarm is the first half of the law "alarm first": no update without a standing alarm that would tell of its harm.
func shutAlarm(in Input) Reason {
	switch {
	case in.Seen.Pods.Fault != nil:
		return hidden("the pod subnets", in.Seen.Pods.Fault)
	case in.Seen.Pods.Value.Exempt != "":
		return Reason{} // capacity does not apply; the verdict says why
	case in.Seen.Pods.Value.Partly != nil:
		return hidden("some pod subnets", in.Seen.Pods.Value.Partly)
	case in.Seen.Alarms.Fault != nil:
		return hidden("the alarm", in.Seen.Alarms.Fault)
	case in.Settings.Fault != nil:
		return hidden("the policy", in.Settings.Fault)
	case !in.Settings.Value.Alarms:
		return Reason{Text: "alarms are off for this cluster, and nothing is updated without its IP alarm"}
	}
	want := in.wish().Want(alarm.PodSubnets)
	i := slices.IndexFunc(in.Seen.Alarms.Value, func(a alarm.Standing) bool { return a.Spec.Name == want.Name })
	if i < 0 {
		return Reason{Text: "the IP alarm does not stand yet"}
	}
	have := in.Seen.Alarms.Value[i]
	if diff := alarm.Differs(want, have.Spec); len(diff) > 0 {
		return Reason{Text: "the IP alarm is not as configured: " + strings.Join(diff, ", ")}
	}
	if have.State != alarm.OK {
		return Reason{Text: "the IP alarm is in state " + string(have.State)}
	}
	return Reason{}
}

// shutRoom is its second half: below v1.10.2 aws-node crash-loops when it is restarted on a full subnet.
func shutRoom(in Input) Reason {
	pods := in.Seen.Pods
	if pods.Fault != nil || pods.Value.Exempt != "" {
		return Reason{} // the alarm's gate says it
	}
	if s, cramped := pods.Value.Cramped(); cramped {
		return Reason{Text: fmt.Sprintf("pod subnet %s has only %d free addresses; restarting aws-node there may fail", s.ID, s.Free)}
	}
	if _, any := pods.Value.Worst(); !any {
		return Reason{Text: "no pod subnet with IPv4 addresses is known"}
	}
	return Reason{}
}

func shutReady(in Input, s Step) Reason {
	switch {
	case in.Seen.Cluster.Fault != nil || in.Seen.Addon.Fault != nil:
		return Reason{Text: "the cluster or the add-on could not be read", Fault: true}
	case in.Seen.Cluster.Value == nil || in.Seen.Addon.Value == nil:
		return Reason{Text: "there is no managed add-on"}
	case in.Seen.Cluster.Value.Status != "ACTIVE":
		return Reason{Text: "the cluster is " + in.Seen.Cluster.Value.Status}
	case in.Seen.Addon.Value.Status == "UPDATE_FAILED" && in.Record.Broken.To == s.To.String():
		return Reason{} // our own try of this step failed; the next one mends it
	}
	return shutHealth(*in.Seen.Addon.Value, s)
}

func shutInFlight(in Input, _ Step) Reason {
	s := in.Record.Step
	if s == nil {
		return Reason{}
	}
	r := Reason{Text: fmt.Sprintf("the update from %s to %s is in flight", s.From, s.To)}
	if f := in.Seen.Update.Fault; f != nil && in.Seen.Of == s.Token {
		r.Text, r.Fault = r.Text+"; "+unread("how it stands", f), true
	}
	return r
}

func shutSoak(in Input, s Step) Reason {
	rec := in.Record
	if until := rec.Proved.At.Add(Soak); until.After(in.Now) {
		return Reason{Text: fmt.Sprintf("%s is watched for %s before the next step", rec.Proved.Version, minutes(Soak)), Until: until}
	}
	if until := rec.Failed.Last.Add(RetryAfter); until.After(in.Now) && rec.Failed.To == s.To.String() {
		return Reason{Text: fmt.Sprintf("try %d failed; the next comes after %s", rec.Failed.Tries, minutes(RetryAfter)), Until: until}
	}
	return Reason{}
}

func shutAside(in Input, s Step) Reason {
	aside := in.Record.Aside
	if aside == nil || approved(in, s, aside.At) {
		return Reason{}
	}
	return Reason{Text: aside.Text + "; " + unfit(in, s, aside.At) + "a new approval opens this", ByApproval: true}
}

func shutDenial(in Input, _ Step) Reason {
	if f := in.Orders.Fault; f != nil {
		return hidden("what people ordered", f)
	}
	for _, o := range in.Orders.Value {
		// Whatever its time: who denied it may have a clock that is ahead.
		if o.Kind == Denial && (o.Until.IsZero() || in.Now.Before(o.Until)) {
			return Reason{Text: fmt.Sprintf("denied by %s: %s", o.By, o.Because), Until: o.Until}
		}
	}
	return Reason{}
}

func shutApproval(in Input, s Step) Reason {
	if in.Settings.Fault != nil || in.Settings.Value.Mode != policy.Approve || in.Orders.Fault != nil {
		return Reason{} // mode and denial say it
	}
	if approved(in, s, time.Time{}) {
		return Reason{}
	}
	if why := unfit(in, s, time.Time{}); why != "" {
		return Reason{Text: why + "it waits for a new approval", ByApproval: true}
	}
	return Reason{Text: "it waits for an approval", ByApproval: true}
}

// Holds reports whether the order is in force.
func (o Order) Holds(now time.Time) bool {
	return !o.At.After(now) && (o.Until.IsZero() || now.Before(o.Until))
}
