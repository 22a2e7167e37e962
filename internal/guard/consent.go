package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cluster"
	"github.com/cniguard/cniguard/internal/cni"
)

// The parts of what an update keeps, as people read them.
const (
	keptRole      = "service-account role"
	keptConfig    = "configuration"
	keptConflicts = "conflict mode"
)

// kept are the parts of what keeps is the digest of, as "configuration: 1f3a5b77": a short digest each, bound to the cluster, and "none" where
// there is nothing. They only tell people which part changed, without its value; keeps decides.
func kept(id cluster.ID, role, config string) []string {
	short := func(name, value string) string {
		if value == "" {
			return name + ": none"
		}
		return name + ": " + digest(id.ARN(), name, value)[:8]
	}
	return []string{short(keptRole, role), short(keptConfig, config), keptConflicts + ": " + ConflictMode}
}

// approved reports whether an approval that was given after an instant lets the step go.
func approved(in Input, s Step, after time.Time) bool {
	return slices.ContainsFunc(approvals(in, after), func(o Order) bool { return o.differs(s) == "" })
}

// approvals are those in force that were given after an instant; none where orders cannot be read.
func approvals(in Input, after time.Time) []Order {
	if in.Orders.Fault != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(in.Orders.Value), func(o Order) bool {
		return o.Kind != Approval || !o.Holds(in.Now) || !o.At.After(after)
	})
}

// unfit says how the newest approval that was given after an instant differs from the step's plan, to be read before what opens the gate;
// empty: there is none.
func unfit(in Input, s Step, after time.Time) string {
	given := approvals(in, after)
	if len(given) == 0 {
		return ""
	}
	o := slices.MaxFunc(given, func(a, b Order) int { return a.At.Compare(b.At) })
	if n := len(o.Steps); n > 0 && cni.Compare(s.From, cni.Parse(o.Steps[n-1])) >= 0 {
		return fmt.Sprintf("what %s approved ended with %s, now it is %s; ", o.By, o.Steps[n-1], way(s.From.String(), s.Path))
	}
	return fmt.Sprintf("the plan is not the one that %s approved: %s; ", o.By, o.differs(s))
}

// differs says how a step's plan differs from the one that an approval is for, naming what changed and never its value; empty: the approval
// lets the step go.
func (o Order) differs(s Step) string {
	var diff []string
	if !o.covers(s) {
		diff = append(diff, fmt.Sprintf("approved was %s, now it is %s", way(o.From, o.Steps), way(s.From.String(), s.Path)))
	}
	if o.Keeps != s.Keeps {
		diff = append(diff, keepsDiffer(o.Kept, s.Kept))
	}
	return strings.Join(diff, "; ")
}

// way writes versions in the order in which they are gone through. The first is left out where it is not known.
func way(from string, steps []string) string {
	text := cmp.Or(strings.Join(steps, ", then "), "nothing")
	if from != "" {
		text = from + " to " + text
	}
	return text
}

func keepsDiffer(approved, now []string) string {
	var changed []string
	for _, part := range now {
		if name, _, _ := strings.Cut(part, ":"); len(approved) > 0 && !slices.Contains(approved, part) {
			changed = append(changed, name)
		}
	}
	if len(changed) == 0 { // an order of an older cniguard, or of another cluster
		return fmt.Sprintf("the add-on's %s, %s or %s is another", keptRole, keptConfig, keptConflicts)
	}
	return "the add-on's " + strings.Join(changed, " and ") + " changed since"
}

// covers reports whether an approval lets a step go, as far as versions tell. What remains of the way to the last approved version must be the
// end of what was approved, and begin where that end does; a later patch or build of the same minor version stands for any of its versions. So
// no approved step is left out, and what the add-on has reached is used up: it does not stand for a further update within its minor version.
func (o Order) covers(s Step) bool {
	if len(o.Steps) == 0 {
		return false
	}
	i := slices.IndexFunc(s.Path, func(v string) bool { return standsFor(v, o.Steps[len(o.Steps)-1]) })
	if i < 0 || i+1 > len(o.Steps) {
		return false
	}
	done, rest := o.Steps[:len(o.Steps)-i-1], o.Steps[len(o.Steps)-i-1:]
	begins := o.From == "" // an order of an older cniguard
	if n := len(done); n > 0 {
		begins = standsFor(s.From.String(), done[n-1])
	} else if !begins {
		begins = standsFor(s.From.String(), o.From)
	}
	return begins && cni.Compare(s.From, cni.Parse(rest[0])) < 0 && slices.EqualFunc(s.Path[:i+1], rest, standsFor)
}

// standsFor reports whether a version is the approved one, or a later patch or build of its minor version. That it is compatible and not known
// bad is for the catalogue's gate to say.
func standsFor(version, approved string) bool {
	v, a := cni.Parse(version), cni.Parse(approved)
	return a.Known() && v.Major == a.Major && v.Minor == a.Minor && cni.Compare(v, a) >= 0
}

// Difference is what a plan's steps change in a cluster and what they leave as it is, up to a version, as people read it before they say yes;
// nothing where the plan wants no update. No value of the configuration is in it.
func (p Plan) Difference(upTo string) []Fact {
	s, wanted := p.update()
	if !wanted || !s.To.Known() {
		return nil
	}
	facts, from := []Fact{}, s.From.String()
	for _, to := range s.Path {
		facts = append(facts, Fact{"vpc-cni", from + " to " + to})
		if from = to; to == upTo {
			break
		}
	}
	return append(facts, s.leaves()...)
}

// update is the step that a plan wants, whether gates hold it or not.
func (p Plan) update() (Step, bool) {
	for _, a := range p.Actions {
		if a.Kind == StartUpdate {
			return a.Step, true
		}
	}
	if i := slices.IndexFunc(p.Held, isUpdate); i >= 0 {
		return p.Held[i].Action.Step, true
	}
	return Step{}, false
}

// leaves is what a step keeps, and what restarts for it. aws-node is replaced by a rolling update in which a tenth of the nodes may be without
// it at a time (amazon-vpc-cni-k8s, config/master/aws-k8s-cni.yaml, maxUnavailable).
func (s Step) leaves() []Fact {
	var facts []Fact
	for _, part := range s.Kept {
		name, value, _ := strings.Cut(part, ": ")
		switch {
		case name == keptConflicts:
			value += ": fields that others set stay"
		case value == "none":
			value = "none, as before"
		default:
			value = "kept (digest " + value + ")"
		}
		facts = append(facts, Fact{name, value})
	}
	return append(facts, Fact{"restarts", "aws-node on every node, a tenth of the nodes at a time; pods keep their network"})
}
