package guard

import (
	"fmt"
)

func (d *draft) install() {
	v, addon := &d.plan.Verdict, d.in.Seen.Addon
	switch {
	case addon.Fault != nil:
		v.Install = Answer{Unknown, unread("the add-on", addon.Fault)}
		d.blind(InstallUnknown)
	case addon.Value != nil:
		v.Install = Answer{Managed, "EKS add-on vpc-cni, " + addon.Value.Status}
	case d.needless() != "":
		v.Install = Answer{None, d.needless()}
	default:
		v.Install = Answer{Unknown, "there is no managed add-on, and what runs inside the cluster was not read"}
		d.find(Finding{Code: InstallUnknown, Severity: Info, Print: "no managed add-on", After: patience, // it may come minutes after the cluster
			Facts: []Fact{{"add-on", "vpc-cni is not managed by EKS on this cluster"}}})
	}
}

// needless says why a cluster needs no aws-node; empty: it may. Managed node groups need one, also beside Auto Mode.
func (d *draft) needless() string {
	hosts, auto := d.in.Seen.Hosts, d.in.Seen.Cluster.Value.AutoMode
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
	if v.Install.Word != Managed || in.Settings.Fault != nil {
		v.Version = Answer{v.Install.Word, v.Install.Because}
		if v.Install.Word == None {
			v.Version.Word = NotApplicable
		}
		if in.Settings.Fault != nil {
			v.Version = Answer{Unknown, unread("the policy", in.Settings.Fault)}
		}
		if v.Version.Word == Unknown { // what runs now may be what ran before
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
