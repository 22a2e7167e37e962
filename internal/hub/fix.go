package hub

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/cniguard/cniguard/internal/capacity"
	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/guard"
	"github.com/cniguard/cniguard/internal/plain"
	"github.com/cniguard/cniguard/internal/relief"
	"github.com/cniguard/cniguard/internal/remedy"
)

// Fix is how a person updates the VPC CNI of a cluster with one method.
type Fix struct {
	Cluster string    `json:"cluster"` // ACCOUNT/REGION/NAME
	Seen    time.Time `json:"seen"`    // when the cluster was read
	Because string    `json:"because"` // why this method
	// Room is what frees addresses, which has to come before the first step: aws-node would crash-loop. None: it need not, or nothing is known of it.
	Room []remedy.Part `json:"room,omitempty"`
	remedy.Fix
	Left []string `json:"left,omitempty"` // the versions of the steps after these
}

// Fix says how the VPC CNI of the cluster is updated with a method, the one that fits who installed it where none is given: by the next step or, where
// the whole way is wanted, by all. An error says why there is nothing to say, and what there is instead.
func (x Explanation) Fix(m remedy.Method, whole bool) (Fix, error) {
	f, err := x.Facts()
	if err != nil {
		return Fix{}, err
	}
	because := "you named it"
	if m == "" {
		if m, because = Suggest(f); !f.Managed && len(f.Path) == 0 && f.Listed != "" {
			return Fix{}, fmt.Errorf("there is nothing to update in %s: %s. To hand it over to EKS at %s, name a method that makes a managed add-on, as --with addon",
				x.Cluster.Name, f.Why, f.Listed)
		}
	}
	fix, err := remedy.For(f, m)
	if err != nil {
		return Fix{}, err
	}
	return x.fixed(f, fix, because, whole), nil
}

// fixed adds to a fix what the cluster's record says of it.
func (x Explanation) fixed(f remedy.Facts, fix remedy.Fix, because string, whole bool) Fix {
	all := Fix{Cluster: x.Cluster.String(), Seen: x.seen(), Because: because, Fix: fix, Room: x.room()}
	all.Notes = slices.Concat(x.beware(f), fix.Notes)
	if len(fix.Steps) > 1 && !whole {
		for _, s := range fix.Steps[1:] {
			all.Left = append(all.Left, s.To)
		}
		all.Steps = fix.Steps[:1]
	}
	return all
}

// seen is when the cluster was read.
func (x Explanation) seen() time.Time {
	if x.Read {
		return x.At
	}
	return x.Record.Seen
}

// Facts are what a fix is made of. An error says why there is nothing to update.
func (x Explanation) Facts() (remedy.Facts, error) {
	verdict, known := x.Plan.Verdict, x.Plan.ByHand
	switch {
	case x.Unseen != "":
		return remedy.Facts{}, errors.New("cniguard does not look at " + x.Cluster.Name + ": " + x.Unseen)
	case known.Why == "" && verdict.Version.Word == guard.Outdated:
		return remedy.Facts{}, fmt.Errorf("how %s was installed is not in the ledger yet: the next check puts it there, which the sweep makes every 6 hours", x.Cluster.Name)
	case known.Why == "":
		return remedy.Facts{}, fmt.Errorf("there is nothing to update in %s: %s", x.Cluster.Name, plain.Clean(unneeded(verdict), plain.Line))
	}
	f := remedy.Facts{Cluster: x.Cluster, Version: cni.Parse(x.Version), ByHand: known}
	if !known.Managed {
		f.Node = x.Node
		if x.Node != nil {
			f.Version = x.Node.Version
		}
	}
	return f, nil
}

// unneeded is why there is nothing to update.
func unneeded(v guard.Verdict) string {
	why := v.Install.Because
	if v.Install.Word == guard.Managed || v.Install.Word == guard.SelfManaged {
		why = v.Version.Because
	}
	if v.Change.Word == guard.Waiting {
		why += "; " + v.Change.Because
	}
	return why
}

// Suggest is the method that fits who installed the VPC CNI, and why.
func Suggest(f remedy.Facts) (remedy.Method, string) {
	m := remedy.Suggest(f, f.Tool)
	tool := plain.Clean(f.Tool, plain.Text)
	switch {
	case tool != "" && f.Managed:
		return m, tool + " owns the cluster or its add-on, or changed the add-on last"
	case tool != "":
		return m, "aws-node was installed by " + tool
	case f.Managed:
		return m, "EKS manages the add-on, and nothing tells of another owner"
	}
	return m, "EKS does not manage aws-node, and nothing tells who installed it"
}

// beware is what the record says against an update now, in sentences.
func (x Explanation) beware(f remedy.Facts) []string {
	var notes []string
	add := func(format string, args ...any) {
		notes = append(notes, plain.Clean(fmt.Sprintf(format, args...), plain.Line))
	}
	if s := x.Record.Step; s != nil {
		add("cniguard's own update from %s to %s is in flight: wait until that has ended.", s.From, s.To)
	} else if c := x.Plan.Verdict.Change; c.Word == guard.InFlight {
		add("Wait: %s.", c.Because)
	}
	if n := x.Node; n != nil && !x.Plan.ByHand.Managed && n.Desired > 0 && !n.Settled {
		add("aws-node is being rolled out: wait until that has ended, and look again.")
	}
	switch c := x.Plan.Verdict.Capacity; c.Word {
	case guard.Unknown:
		add("How full the pod subnets are is not known (%s): see that they have room, since each step restarts aws-node on every node.", c.Because)
	case guard.WarningWord, guard.CriticalWord:
		add("Addresses are short here: %s. `cniguard explain %s` has what helps, with commands.", c.Because, x.Cluster)
	}
	switch room, floor := x.Plan.ByHand.Room, cni.RecommendedFloor(); {
	case room == "":
	case f.Version.Satisfies(floor):
		add("Each step restarts aws-node on every node, and %s.", room)
	default:
		add("Free addresses first. Each step restarts aws-node on every node, and %s: below %s it crash-loops when it starts on a full subnet, and %s runs.",
			room, floor, f.Version)
	}
	for _, h := range x.Plan.Held {
		if h.Action.Kind == guard.StartUpdate {
			add("cniguard holds this update back: %s. By hand, none of its gates is asked.", texts(h.By))
		}
	}
	return notes
}

// room is what frees addresses without a restart of aws-node, where that has to come first, and what shows that there is room.
func (x Explanation) room() []remedy.Part {
	if x.Plan.Relief.Outage() == "" {
		return nil
	}
	parts := []remedy.Part{{
		Say: []string{
			"Take away what can go: pods that are not needed, or nodes. Subnets that are added help new nodes only.",
			"Go on only where each of these subnets has 16 free addresses or more; a small one, a quarter of all.",
		},
		Run: []string{plain.Command(slices.Concat([]string{"aws", "ec2", "describe-subnets", "--region", x.Cluster.Region, "--subnet-ids"},
			capacity.Pods{Subnets: x.Plan.Relief.Subnets}.IDs(), []string{"--query", "Subnets[].[SubnetId, CidrBlock, AvailableIpAddressCount]", "--output", "table"})...)},
	}}
	for _, h := range relief.All(x.Plan.Relief.Facts) {
		if h.Not != "" {
			continue
		}
		p := remedy.Part{Say: []string{capital(h.Title) + ": " + h.Effect, "Risk: " + cmp.Or(h.Risk, "none is known.")}, Run: h.Commands}
		for _, f := range h.Files {
			p.Files = append(p.Files, remedy.File(f))
		}
		parts = append(parts, p)
	}
	return parts
}
