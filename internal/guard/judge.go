package guard

import (
	"cmp"
	"fmt"
	"slices"

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
	case inside.Fault != nil && inside.Fault.Kind == fault.Skip:
		*answer = Answer{Unknown, "EKS manages no add-on, and " + inside.Fault.Text}
	case inside.Value == nil:
		d.hidden(cmp.Or(inside.Fault, &fault.Fault{Kind: fault.Retry, Code: OutOfReach, Text: "it was not asked"}))
	default:
		d.unmanaged(*inside.Value)
	}
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
	version, raw, known := in.Seen.installed()
	switch {
	case in.Settings.Fault != nil:
		v.Version = Answer{Unknown, unread("the policy", in.Settings.Fault)}
		d.blind(findingsOfVersion()...)
		return
	case !known && v.Install.Word == Unknown:
		v.Version = Answer{Unknown, "which CNI runs is not known"}
		if in.Seen.Addon.Fault != nil {
			v.Version = v.Install
		}
		if !in.ignored() { // what runs now may be what ran before
			d.blind(findingsOfVersion()...)
		}
		return
	case !known:
		v.Version = Answer{NotApplicable, v.Install.Because}
		return
	case d.unsettled():
		d.blind(findingsOfVersion()...)
		return
	}
	floor, installed := in.Settings.Value.Floor, []Fact{{"installed", raw}}
	facts := slices.Concat(installed, []Fact{{"floor", floor.String()}, {"Kubernetes", in.Seen.Cluster.Value.Kubernetes}}, in.Seen.origin())
	switch {
	case !version.Known():
		v.Version = Answer{Unknown, "the version is not one that can be compared"}
		d.find(Finding{Code: VersionUnknown, Severity: Warning, Print: raw, Facts: facts})
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
		d.find(Finding{Code: ReleaseBad, Severity: Warning, Print: version.String(), Facts: slices.Concat(installed,
			[]Fact{{"problem", note.Problem}, {"fixed in", note.Fixed.String()}, {"see", note.URL}}, in.Seen.origin())})
	}
}

// findingsOfVersion are those that rest on which CNI runs.
func findingsOfVersion() []Code {
	return []Code{VersionOutdated, VersionUnknown, ReleaseBad, ImagesDiffer}
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
