package guard

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cniguard/cniguard/internal/cni"
	"github.com/cniguard/cniguard/internal/fault"
)

func (d *draft) install() {
	answer, addon, inside := &d.plan.Verdict.Install, d.in.Seen.Addon, d.in.Seen.Inside
	switch {
	case addon.Fault != nil:
		*answer = Answer{Unknown, unread("the add-on", addon.Fault)}
		d.blind(InstallUnknown)
	case addon.Value != nil:
		*answer = Answer{Managed, "EKS add-on vpc-cni, " + addon.Value.Status}
	case needless(d.in.Seen) != "":
		*answer = Answer{None, needless(d.in.Seen)}
	case inside.Value == nil:
		d.hiddenInstall(cmp.Or(inside.Fault, &fault.Fault{Kind: fault.Retry, Code: OutOfReach, Text: "it was not asked"}))
	case inside.Value.Node != nil:
		*answer = Answer{SelfManaged, "DaemonSet aws-node; installed by " + inside.Value.Node.By.String()}
	case len(inside.Value.Others) > 0:
		*answer = Answer{Other, "no DaemonSet aws-node; " + strings.Join(inside.Value.Others, " and ") + " runs the network"}
	default:
		*answer = Answer{None, "neither a DaemonSet aws-node nor another CNI that is known stands in kube-system"}
	}
}

// hiddenInstall answers where EKS manages no add-on, and what runs instead is not known. Faults that may pass come in turns where an API
// is slow; only what a person can change is news.
func (d *draft) hiddenInstall(f *fault.Fault) {
	answer := &d.plan.Verdict.Install
	if f.Kind == fault.Skip {
		*answer = Answer{Unknown, "EKS manages no add-on, and " + f.Text}
		d.blind(InstallUnknown)
		return
	}
	*answer = Answer{Unknown, "EKS manages no add-on, and " + unread("what runs instead", f)}
	finding := Finding{Code: InstallUnknown, Severity: Info, Print: f.Code, After: patience, // the add-on may come minutes after the cluster
		Facts: []Fact{{"code", f.Code}, {"error", f.Error()}}}
	if f.Denied() {
		finding.Facts = append(finding.Facts, Fact{"role", f.Need})
	}
	if f.Kind == fault.Retry {
		finding.Print = cmp.Or(d.in.Record.Told[InstallUnknown].Print, "for now")
		d.dueIn(d.retry(InstallUnknown))
	}
	d.find(finding)
}

// needless says why a cluster needs no aws-node; empty: it may. Managed node groups need one, also beside Auto Mode.
func needless(s Snapshot) string {
	hosts, auto := s.Hosts, s.Cluster.Value.AutoMode
	switch {
	case hosts.Fault != nil, hosts.Value.Nodegroups, hosts.Value.Instances && !auto:
		return ""
	case auto:
		return "EKS Auto Mode runs the network itself"
	case hosts.Value.Fargate:
		return "all pods run on Fargate, which has no aws-node"
	}
	return ""
}

func (d *draft) version() {
	v, in := &d.plan.Verdict, d.in
	installed, facts := in.Seen.installed()
	if installed == nil || in.Settings.Fault != nil {
		v.Version = Answer{NotApplicable, v.Install.Because}
		if v.Install.Word == Unknown {
			v.Version = Answer{Unknown, "which CNI runs is not known"}
		}
		if in.Settings.Fault != nil {
			v.Version = Answer{Unknown, unread("the policy", in.Settings.Fault)}
		}
		if v.Version.Word == Unknown { // what runs now may be what ran before
			d.blind(VersionOutdated, VersionUnknown, ReleaseBad, ImagesDiffer)
		}
		return
	}
	version, floor := *installed, in.Settings.Value.Floor
	facts = slices.Insert(facts, 1, Fact{"floor", floor.String()}, Fact{"Kubernetes", in.Seen.Cluster.Value.Kubernetes})
	switch {
	case !version.Known():
		v.Version = Answer{Unknown, "the version is not one that can be compared"}
		d.find(Finding{Code: VersionUnknown, Severity: Warning, Print: facts[0].Value, Facts: facts})
		d.blind(VersionOutdated, ReleaseBad)
		return
	case version.Satisfies(floor):
		v.Version = Answer{Fine, fmt.Sprintf("%s is not below the floor %s", version, floor)}
	default:
		v.Version = Answer{Outdated, fmt.Sprintf("%s is below the floor %s", version, floor)}
		d.find(Finding{Code: VersionOutdated, Severity: Warning, Facts: facts, Print: version.String() + " < " + floor.String()})
	}
	if note, bad := version.Bad(); bad {
		if v.Version.Word == Fine {
			v.Version = Answer{Outdated, fmt.Sprintf("%s is known to be bad: it %s", version, note.Problem)}
		}
		d.find(Finding{Code: ReleaseBad, Severity: Warning, Print: version.String(), Facts: slices.Concat(facts[:1],
			[]Fact{{"problem", note.Problem}, {"fixed in", note.Fixed.String()}, {"see", note.URL}}, facts[3:])})
	}
}

// mostEvidence is how many marks of an installer a message has; the record has all.
const mostEvidence = 3

// installed is the version of the CNI that runs, and what there is to say of it, the version as it was read first; nil: none is known to.
func (s Snapshot) installed() (*cni.Version, []Fact) {
	if addon := s.Addon.Value; s.Addon.Fault == nil && addon != nil {
		return &addon.Version, []Fact{{"installed", addon.Raw}}
	}
	if s.Inside.Fault != nil || s.Inside.Value == nil || s.Inside.Value.Node == nil {
		return nil, nil
	}
	node := s.Inside.Value.Node
	facts := []Fact{{"installed", node.Raw}, {"read from", node.From}, {"image", node.Image}, {"installed by", node.By.String()}}
	for _, e := range node.By.Evidence[:min(mostEvidence, len(node.By.Evidence))] {
		facts = append(facts, Fact{"evidence", e})
	}
	return &node.Version, facts
}

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
	if inside.Fault != nil || inside.Value == nil || inside.Value.Node == nil || inside.Value.Node.Differ == "" {
		return
	}
	node := inside.Value.Node
	d.find(Finding{Code: ImagesDiffer, Severity: Warning, Print: node.Differ, After: patience, Facts: []Fact{
		{"difference", node.Differ}, {"image", node.Image}, {"init image", node.Init}, {"installed by", node.By.String()},
	}})
}

// health finds an add-on that EKS says is not healthy. What it says of one that is being replaced is neither news nor over before
// that has ended.
func (d *draft) health() {
	addon := d.in.Seen.Addon
	if addon.Fault != nil || inState(addon, "UPDATING") {
		d.blind(AddonUnhealthy)
	}
	if addon.Fault != nil || addon.Value == nil || !inState(addon, "DEGRADED", "CREATE_FAILED", "UPDATE_FAILED", "DELETE_FAILED") && len(addon.Value.Issues) == 0 {
		return
	}
	d.unwell = true
	if d.plan.Blind[AddonUnhealthy] {
		return
	}
	facts := []Fact{{"status", addon.Value.Status}}
	for _, issue := range addon.Value.Issues {
		facts = append(facts, Fact{"issue", issue})
	}
	d.find(Finding{Code: AddonUnhealthy, Severity: Warning, Print: addon.Value.Status, Facts: facts})
}
