package simulate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/event"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/policy"
)

// Explanation is what cniguard knows of a cluster, and why it does what it does.
type Explanation struct {
	At       time.Time
	Cluster  cluster.ID
	Unseen   string          // why cniguard does not look at the cluster; then there is nothing more but Orders and Halt
	Known    bool            // it was checked; else the Record is empty
	Record   guard.Record    // as the last check left it
	Plan     guard.Plan      // what a check would decide now
	Version  string          // the installed one, as EKS writes it; empty: unknown, or EKS does not manage it
	Orders   []guard.Order   // what people ordered for the cluster
	Halt     *guard.Order    // nil: the fleet is not halted
	Settings []policy.Origin // and which rule of the policy gave each
	Tagless  bool            // the cluster's tags could not be read, so that rules which select by tags are not in Settings
	Next     time.Time       // when it is looked at again at the latest
	By       event.Kind      // by which schedule: Tick or Sweep
}

// Explain gathers what there is to say of a cluster now. Virtual time passes while it reads the cluster.
func (r *Run) Explain(ctx context.Context, id cluster.ID) (Explanation, error) {
	kept, keptErr := r.Ledger.Load(ctx, id)
	orders, ordersErr := r.Ledger.Orders(ctx, id)
	fleet, fleetErr := r.Ledger.Fleet(ctx)
	x := Explanation{
		At: r.Now(), Cluster: id, Unseen: r.unseen(id), Known: kept.Version > 0,
		Record: kept.Record, Orders: orders, Halt: fleet.Halt,
	}
	if err := errors.Join(keptErr, ordersErr, fleetErr); err != nil || x.Unseen != "" {
		return x, err
	}
	x.Next, x.By = r.nextLook(kept.Record)
	in, plan, err := r.Plan(id)
	if err != nil {
		return x, err
	}
	x.Plan = plan
	if addon := in.Seen.Addon; addon.Fault == nil && addon.Value != nil {
		x.Version = addon.Value.Raw
	}
	var tags map[string]string
	if c := in.Seen.Cluster; c.Fault == nil && c.Value != nil {
		tags = c.Value.Tags
	}
	x.Tagless = in.Seen.Cluster.Fault != nil
	x.Settings = r.Policy.Explain(id, tags)
	return x, nil
}

// nextLook is when a schedule has a record looked at again, and which: the tick when it is due, else the sweep. An event may
// have it looked at before.
func (r *Run) nextLook(rec guard.Record) (at time.Time, by event.Kind) {
	due := rec.Wake()
	for _, b := range rhythms() {
		from := r.Now()
		switch {
		case b.kind == event.Meter, b.kind == event.Tick && due.IsZero():
			continue
		case b.kind == event.Tick && due.After(from):
			from = due
		}
		if t := b.next(r.World.Spec().Start, from); at.IsZero() || t.Before(at) {
			at, by = t, b.kind
		}
	}
	return at, by
}

// Answer says in one or two sentences why cniguard acts on the add-on, or why it does not.
func (x Explanation) Answer() string {
	v := x.Plan.Verdict
	switch {
	case x.Unseen != "":
		return "cniguard does not look at this cluster: " + x.Unseen + "."
	case v.Word == guard.Gone:
		return "The cluster is gone, and so is all that cniguard had to do with it."
	case x.Record.Step != nil:
		s := x.Record.Step
		return fmt.Sprintf("An update from %s to %s is in flight since %s (try %d).", s.From, s.To, s.Since.UTC().Format(instant), s.Try)
	}
	for _, h := range x.Plan.Held {
		if h.Action.Kind == guard.StartUpdate {
			return "cniguard wants to " + h.Action.String() + ", and does not: " + texts(h.By) + "."
		}
	}
	for _, a := range x.Plan.Actions {
		if a.Kind == guard.StartUpdate {
			return "At its next check cniguard starts to " + a.String() + ": " + a.Why + "."
		}
	}
	return capital(plain.Clean(v.Change.Because, plain.Text)) + ": " + plain.Clean(v.Version.Because, plain.Text) + "."
}

// instant is how times are written for people, in UTC.
const instant = "2006-01-02 15:04"

func texts(by []guard.Reason) string {
	all := make([]string, len(by))
	for i, r := range by {
		all[i] = plain.Clean(r.Text, plain.Text)
	}
	return strings.Join(all, "; ")
}

func capital(text string) string {
	return strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
}

// Opens says who or what can open a gate that is shut. Name is what a command calls the cluster.
func Opens(r guard.Reason, name string) string {
	until := "by itself, at " + r.Until.UTC().Format(instant)
	switch {
	case strings.Contains(r.Text, "could not be read"):
		return "by itself, at a check that can read it; where access is denied, whoever grants the role that action"
	case r.Gate == "denial":
		return "who denied it, with an approval; or " + until
	case !r.Until.IsZero():
		return until
	}
	return openers(name)[r.Gate]
}

// openers says for each gate of guard.Gates who can open it.
func openers(name string) map[string]string {
	approve := "a person: cniguard approve " + name + " --because WHY"
	return map[string]string{
		"approval":   approve,
		"set aside":  approve,
		"gap":        approve,
		"moved back": approve,
		"mode":       "the policy's author, with mode approve or auto for this cluster",
		"halt":       "a person: cniguard resume --because WHY",
		"owner":      "the add-on's owner updates it there; where there is none, the policy's author, with owner: cniguard",
		"path":       "the policy's author, with another target; or EKS, with another list of compatible versions",
		"catalogue":  "the policy's author, with another target; or EKS, with another list of compatible versions",
		"alarm":      "by itself, minutes after the alarm stands and is OK; in ALARM, whoever frees addresses in the pod subnets; off, the policy's author",
		"room":       "whoever frees addresses in that subnet, or gives the pods another one",
		"ready":      "by itself, when EKS calls cluster and add-on ACTIVE; else whoever runs the cluster",
		"in flight":  "by itself, when that update has ended",
		"soak":       "by itself, in time",
		"denial":     "who denied it, with an approval",
	}
}

// byApproval reports whether an approval opens a gate.
func byApproval(r guard.Reason) bool { return Opens(r, "") == openers("")["approval"] }
