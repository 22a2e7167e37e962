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
	case s.Cluster.Value == nil || s.Cluster.Value.Status != "ACTIVE" && s.Cluster.Value.Status != "UPDATING":
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

// unmanaged answers what runs where EKS manages no add-on. An aws-node that runs on no node is switched off, as where another CNI has
// taken its place, or waits for nodes.
func (d *draft) unmanaged(is Inside) {
	answer, others := &d.plan.Verdict.Install, strings.Join(is.Others, " and ")
	switch {
	case is.Node != nil && (is.Node.Desired > 0 || others == ""):
		*answer = Answer{SelfManaged, "DaemonSet aws-node; installed by " + is.Node.By.String()}
	case is.Node != nil:
		*answer = Answer{Other, "the DaemonSet aws-node runs on no node; " + others + " runs the network"}
	case others != "":
		*answer = Answer{Other, "there is no DaemonSet aws-node; " + others + " runs the network"}
	case d.hasNodes():
		d.hidden(&fault.Fault{Kind: fault.Retry, Code: NoKnownCNI, Text: "neither aws-node nor another CNI that is known stands in kube-system, and no other namespace is read"})
	default:
		*answer = Answer{None, "there are no nodes, and no CNI stands in kube-system"}
	}
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
	d.dueIn(max(later, d.in.Now.Sub(d.in.Record.since(InstallUnknown, d.in.Now))/4))
	d.blind(UpdateStuck)
}

// toldOfVersion reports whether people know of something that is wrong with what runs.
func (d *draft) toldOfVersion() bool {
	return slices.ContainsFunc(findingsOfVersion(), func(c Code) bool { return d.in.Record.Told[c].Times > 0 })
}

// since is when a finding was first seen; now, where it is new.
func (r Record) since(c Code, now time.Time) time.Time {
	if t, found := r.Told[c]; found {
		return t.First
	}
	return now
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

// installed is the version of the CNI that runs, and what there is to say of it, the version as it was read first; nil: none is known to.
func (s Snapshot) installed() (*cni.Version, []Fact) {
	if addon := s.Addon.Value; s.Addon.Fault == nil && addon != nil {
		return &addon.Version, []Fact{{"installed", addon.Raw}}
	}
	if s.Inside.Fault != nil || s.Inside.Value == nil || s.Inside.Value.Node == nil || s.Inside.Value.Node.Desired == 0 && len(s.Inside.Value.Others) > 0 {
		return nil, nil
	}
	node, from := s.Inside.Value.Node, "read from"
	if !node.Version.Known() {
		from = "unknown because"
	}
	facts := []Fact{{"installed", node.Raw}, {from, node.From}, {"image", node.Image}, {"installed by", node.By.String()}}
	for _, e := range node.By.Evidence[:min(mostEvidence, len(node.By.Evidence))] {
		facts = append(facts, Fact{"evidence", e})
	}
	return &node.Version, facts
}

// mostEvidence is how many marks of an installer a message has; the record has all.
const mostEvidence = 3

// Installed is the version of the CNI that runs, as it was read; empty: none is known to.
func (s Snapshot) Installed() string {
	if _, facts := s.installed(); len(facts) > 0 {
		return facts[0].Value
	}
	return ""
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
