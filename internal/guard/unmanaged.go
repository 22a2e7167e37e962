package guard

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
)

// WhyNotInside is why the inside of a cluster is not read: nil, it is to be. It is only read where EKS manages no add-on and the
// cluster needs one, and where the policy lets it.
func WhyNotInside(in Input) *fault.Fault {
	skip := func(why string) *fault.Fault { return &fault.Fault{Kind: fault.Skip, Text: why} }
	s := in.Seen
	switch {
	case s.Cluster.Fault != nil:
		return s.Cluster.Fault
	case s.Addon.Fault != nil:
		return s.Addon.Fault
	case in.Settings.Fault != nil:
		return in.Settings.Fault
	case !s.Cluster.Value.lives():
		return skip("the cluster is not there")
	case s.Addon.Value != nil:
		return skip("EKS manages the add-on")
	case needless(s) != "":
		return skip(needless(s))
	case !in.Settings.Value.SelfManaged:
		return skip("the policy says selfManaged: ignore")
	}
	return nil
}

// ignored reports whether the policy does not want to know which CNI runs where EKS manages none.
func (in Input) ignored() bool {
	return in.Seen.Addon.Fault == nil && in.Seen.Addon.Value == nil && in.Settings.Fault == nil && !in.Settings.Value.SelfManaged
}

// unmanaged answers what runs where EKS manages no add-on.
func (d *draft) unmanaged(is Inside) {
	answer, others := &d.plan.Verdict.Install, strings.Join(is.Others, " and ")
	unknown := func(why string) {
		d.hidden(&fault.Fault{Kind: fault.Retry, Code: NoKnownCNI, Text: why + " no other CNI that is known stands in kube-system, and no other namespace is read"})
	}
	switch {
	case is.Node != nil && !d.in.Seen.switchedOff():
		*answer = Answer{SelfManaged, "DaemonSet aws-node; installed by " + is.Node.By.String()}
	case others != "" && is.Node != nil:
		*answer = Answer{Other, "the DaemonSet aws-node runs on no node; " + others + " runs the network"}
	case others != "":
		*answer = Answer{Other, "there is no DaemonSet aws-node; " + others + " runs the network"}
	case is.Node != nil:
		unknown("the DaemonSet aws-node runs on none of the nodes;")
	case d.hasNodes():
		unknown("there is no DaemonSet aws-node,")
	default:
		*answer = Answer{None, "there are no nodes, and no CNI stands in kube-system"}
	}
}

// switchedOff reports whether there is an aws-node that runs on no node, and something else must run the network: another CNI stands there,
// or nodes do. Node groups alone may have no node at the moment, and Auto Mode's own nodes need none.
func (s Snapshot) switchedOff() bool {
	inside := s.Inside.Value
	if s.Inside.Fault != nil || inside == nil || inside.Node == nil || inside.Node.Desired > 0 {
		return false
	}
	nodes := s.Hosts.Fault != nil || s.Hosts.Value.Instances && !s.Cluster.Value.AutoMode
	return len(inside.Others) > 0 || nodes
}

// hasNodes reports whether there are nodes that need a CNI, or may be.
func (d *draft) hasNodes() bool {
	hosts := d.in.Seen.Hosts
	return hosts.Fault != nil || hosts.Value.Nodegroups || hosts.Value.Instances
}

// hidden answers where which CNI runs is not known. Why it is not is no news by itself: the reasons come in turns where an API is slow or
// somebody is at work on it. It is looked at again ever more rarely; whoever gives access has it looked at at once.
func (d *draft) hidden(f *fault.Fault) {
	d.plan.Verdict.Install = Answer{Unknown, "EKS manages no add-on, and what runs instead could not be read (" + f.Code + ")"}
	finding := Finding{Code: InstallUnknown, Severity: Info, Print: "hidden", After: patience, // the add-on may come minutes after the cluster
		Facts: []Fact{{"code", f.Code}, {"error", f.Text}}}
	if f.Denied() {
		name := "need"
		if strings.HasPrefix(f.Op, "kubernetes:") {
			name = "role"
		}
		finding.Facts = append(finding.Facts, Fact{name, f.Need})
	}
	if node := d.in.Record.Node; node != nil && d.toldOfVersion() { // nothing else reminds of it now
		finding.Severity = Warning
		finding.Facts = append(finding.Facts, Fact{"last seen", node.Raw + ", " + node.At.UTC().Format(time.DateOnly)})
	}
	d.find(finding)
	d.plan.Hidden = f.Code
	d.dueIn(rarer(d.in, InstallUnknown))
	d.blind(UpdateStuck)
}

// toldOfVersion reports whether people know of something that is wrong with what runs.
func (d *draft) toldOfVersion() bool {
	return slices.ContainsFunc(findingsOfVersion(), func(c Code) bool { return d.in.Record.Told[c].Times > 0 })
}

// unsettled answers for an aws-node of which nobody can say yet that it is what the nodes run: it has none, or is being rolled out. A
// specification alone proves nothing.
func (d *draft) unsettled() bool {
	addon, inside := d.in.Seen.Addon, d.in.Seen.Inside
	if addon.Value != nil || inside.Value == nil || inside.Value.Node == nil {
		return false
	}
	node := inside.Value.Node
	switch {
	case node.Desired == 0:
		d.plan.Verdict.Version = Answer{NotApplicable, "aws-node runs on no node"}
	case !node.Settled:
		done := fmt.Sprintf("%d of %d nodes run %s", node.Updated, node.Desired, node.Raw)
		d.plan.Verdict.Version = Answer{Unknown, "aws-node is being rolled out: " + done}
		d.find(Finding{Code: UpdateStuck, Severity: Warning, Print: node.Image, After: StuckAfter, Facts: []Fact{
			{"rolled out", done}, {"image", node.Image}, {"installed by", node.By.String()}, {"whose", "somebody else's"}}})
		d.dueIn(d.settles())
	default:
		return false
	}
	return true
}

// installed is the version of the CNI that runs, and that as it was read; false: it is not known which one runs, or none does.
func (s Snapshot) installed() (v cni.Version, raw string, known bool) {
	if addon := s.Addon.Value; s.Addon.Fault == nil && addon != nil {
		return addon.Version, addon.Raw, true
	}
	if s.Inside.Fault != nil || s.Inside.Value == nil || s.Inside.Value.Node == nil || s.switchedOff() {
		return v, "", false
	}
	return s.Inside.Value.Node.Version, s.Inside.Value.Node.Raw, true
}

// Installed is the version of the CNI that runs, as it was read; empty: none is known to.
func (s Snapshot) Installed() string {
	_, raw, _ := s.installed()
	return raw
}

// origin is where the version of an aws-node was read that EKS does not manage, and who installed it.
func (s Snapshot) origin() []Fact {
	if s.Addon.Value != nil {
		return nil
	}
	node, from := s.Inside.Value.Node, "read from"
	if !node.Version.Known() {
		from = "unknown because"
	}
	facts := []Fact{{from, node.From}, {"image", node.Image}, {"installed by", node.By.String()}}
	for _, e := range node.By.Evidence[:min(mostEvidence, len(node.By.Evidence))] {
		facts = append(facts, Fact{"evidence", e})
	}
	return facts
}

// mostEvidence is how many marks of an installer a message has; the record has all.
const mostEvidence = 3

// Node is the aws-node that EKS does not manage, as it was read last; nil: none is known, or nobody asks.
func (in Input) Node() *DaemonSet {
	switch inside := in.Seen.Inside; {
	case inside.Fault == nil && inside.Value != nil:
		return inside.Value.Node.remembered(in.Seen.At)
	case inside.Fault != nil && inside.Fault.Kind == fault.Skip:
		return nil
	}
	return in.Record.Node
}

// images finds an aws-node whose two halves are of different versions.
func (d *draft) images() {
	inside := d.in.Seen.Inside
	if inside.Fault != nil || inside.Value == nil || inside.Value.Node == nil || d.plan.Blind[ImagesDiffer] {
		return
	}
	node := inside.Value.Node
	switch {
	case node.Differ != "":
		d.find(Finding{Code: ImagesDiffer, Severity: Warning, Print: node.Differ, After: patience, Facts: []Fact{
			{"difference", node.Differ}, {"image", node.Image}, {"init image", node.Init}, {"installed by", node.By.String()},
		}})
	case !node.Same:
		d.blind(ImagesDiffer)
	}
}
