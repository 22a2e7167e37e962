package guard

import (
	"time"

	"github.com/cniguard/cniguard/internal/cni"
)

// The words of the answers and of the verdict.
const (
	Managed       = "managed"
	SelfManaged   = "self-managed"
	Other         = "other"
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

// Words is the order of verdicts, the worst first: a verdict is the worst of its answers. Waiting, in flight, idle, managed,
// self-managed, other and none say nothing about harm and never head a verdict.
func Words() []string {
	return []string{CriticalWord, SetAside, Outdated, WarningWord, Unknown, Fine, NotApplicable, Gone}
}

// Decide says what is wrong and what to do. It never fails: what cannot be known is unknown, and said.
func Decide(in Input) Plan {
	d := draft{in: in, plan: Plan{
		Blind: map[Code]bool{}, Outlook: in.Record.Outlook, Relief: in.Record.Relief, NodeMetrics: in.nodeMetrics(),
		Level: Unknown, BlocksLevel: Unknown,
	}}
	switch c := in.Seen.Cluster; {
	case c.Fault != nil:
		d.unjudged(Unknown, unread("the cluster", c.Fault))
	case c.Value == nil:
		d.gone()
	case c.Value.lives():
		d.live()
	default:
		d.unjudged(Unknown, "the cluster is "+c.Value.Status)
		if c.Value.Status != "FAILED" {
			d.dueIn(d.settles())
		}
	}
	d.teardown()
	d.faults()
	d.change()
	d.halted()
	d.plan.Verdict.Word = worst(d.plan.Verdict, d.unwell)
	return d.plan
}

// draft is a plan in the making.
type draft struct {
	in     Input
	plan   Plan
	unwell bool     // EKS says that the add-on is not healthy
	path   cni.Path // of the managed add-on; no Code: none is wanted
	waits  string   // why it is not known whether an update is wanted; empty: it is known
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

// settles is when to look again at a cluster that is on its way to another status: after minutes at first, an hour in the end.
func (d *draft) settles() time.Duration {
	rec := d.in.Record
	if rec.Verdict.Word != Unknown {
		return later
	}
	return min(max(later, d.in.Now.Sub(rec.Since)/4), time.Hour)
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
	d.images()
	d.health()
	d.relief()
	d.capacity()
	d.blocks()
	d.controlPlane()
	d.outlook()
	d.alarms()
	d.update()
	d.byHand()
	d.exemption()
}

// worst is the word that heads a verdict: the worst of its answers, and never better than a warning of an add-on that is not healthy,
// whatever its version.
func worst(v Verdict, unwell bool) string {
	for _, w := range Words() {
		if unwell && w == WarningWord {
			return w
		}
		for _, a := range []Answer{v.Install, v.Version, v.Capacity, v.Change} {
			if a.Word == w {
				return w
			}
		}
	}
	return Unknown
}
